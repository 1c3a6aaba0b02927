//! What people are asked, and what they answer: approvals of calls, questions, selections.
//!
//! A [`Promise`] is all that a person is shown; an [`Answer`] is what comes back. This module says how both look as JSON and
//! whether an answer fits. It asks nobody, and it never decides who may answer.

use kait_ir::{Failure, Type, TypeId, Value};
use rustc_hash::FxHashSet;
use serde_json::{Map, Value as Json, json};
use smol_str::{SmolStr, format_smolstr};

use crate::check::{MAX_NESTING, TypeTable};
use crate::event::Nanos;
use crate::{json, render};

/// Something that a person is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Promise {
    /// The role that is asked, if one is named.
    pub to: Option<SmolStr>,
    /// When it is too late.
    pub due: Nanos,
    /// What is shown besides.
    pub show: Option<(TypeId, Value)>,
    /// What is asked.
    pub asks: Asks,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// Whether a call may be made, with exactly these arguments.
    Approval {
        /// The name of what is called.
        call: SmolStr,
        /// What it is called with, in declaration order; then its idempotency key, if it has one.
        args: Vec<Shown>,
    },
    /// A question.
    Question {
        /// Its words.
        question: SmolStr,
        /// The type of the answer.
        ty: TypeId,
        /// What the form begins with.
        start: Option<Value>,
    },
    /// Which of some items are taken.
    Selection {
        /// Its words, if it has any.
        question: Option<SmolStr>,
        /// The type of an item.
        item: TypeId,
        /// The items.
        items: Vec<Value>,
        /// The field by which a person knows an item.
        label: Option<u32>,
        /// The most that may be taken.
        max: Option<i64>,
    },
}

/// An argument of a call that is to be approved.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its name.
    pub name: SmolStr,
    /// The parameter's type.
    pub ty: TypeId,
    /// Its value.
    pub value: Value,
    /// Whether the person may change it.
    pub editable: bool,
    /// Whether it comes, or may come, from where nobody vouches for it: it is shown as a quotation.
    pub untrusted: bool,
}

/// What a person answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The call may be made.
    Approved {
        /// Who says so.
        by: SmolStr,
        /// Arguments that were changed, by index.
        edits: Vec<(u32, Value)>,
    },
    /// The call may not be made.
    Denied {
        /// Who says so.
        by: SmolStr,
        /// Why.
        why: SmolStr,
    },
    /// The answer to a question.
    Given(Value),
    /// The items that are taken, by index.
    Taken(Vec<u32>),
}

impl Asks {
    /// What the promise comes to with an answer: of an approval the record of who approved it and of what the call is made
    /// with, of a question the answer, of a selection the list.
    ///
    /// Every value is checked again, whoever has checked it before: its type and its refinements.
    ///
    /// # Errors
    /// `Denied`, or `Invalid` for an answer that does not fit.
    pub fn settle(&self, table: &TypeTable, answer: &Answer) -> Result<Value, Failure> {
        match (self, answer) {
            (Self::Approval { args, .. }, Answer::Approved { by, edits }) => {
                approved(table, args, by, edits)
            }
            (Self::Approval { .. }, Answer::Denied { by, why }) => {
                Err(Failure::Denied { by: by.clone(), why: why.clone() })
            }
            (Self::Question { ty, .. }, Answer::Given(value)) => {
                fits(table, "", *ty, value)?;
                Ok(value.clone())
            }
            (Self::Selection { items, max, .. }, Answer::Taken(taken)) => {
                if let Some(max) = max
                    && i64::try_from(taken.len()).is_ok_and(|count| count > *max)
                {
                    let why = format!("at most {max} may be taken, not {}", taken.len());
                    return Err(Failure::invalid("", why));
                }
                // In the order of the items, whatever the order in which they were taken.
                let mut places = taken.clone();
                places.sort_unstable();
                if let Some([twice, _]) = places.array_windows().find(|[a, b]| a == b) {
                    return Err(Failure::invalid("", format!("item {twice} is taken twice")));
                }
                let mut list = Vec::with_capacity(places.len());
                for place in places {
                    let Some(item) = items.get(place as usize) else {
                        let why = format!("there is no item {place}: there are {}", items.len());
                        return Err(Failure::invalid("", why));
                    };
                    list.push(item.clone());
                }
                Ok(Value::list(list))
            }
            _ => Err(Failure::invalid("", "this does not answer what is asked")),
        }
    }
}

fn approved(
    table: &TypeTable,
    args: &[Shown],
    by: &SmolStr,
    edits: &[(u32, Value)],
) -> Result<Value, Failure> {
    let mut fields = Vec::with_capacity(args.len() + 1);
    fields.push(Value::Text(by.clone()));
    fields.extend(args.iter().map(|arg| arg.value.clone()));
    let mut seen = FxHashSet::default();
    for (index, value) in edits {
        let arg = args.get(*index as usize).filter(|arg| arg.editable);
        let Some(arg) = arg else {
            let name = args.get(*index as usize).map(|arg| arg.name.clone()).unwrap_or_default();
            return Err(Failure::invalid(
                format_smolstr!("/{name}"),
                "`edit:` does not list it, so nobody may change it",
            ));
        };
        if !seen.insert(*index) {
            return Err(Failure::invalid(format_smolstr!("/{}", arg.name), "it is changed twice"));
        }
        fits(table, &arg.name, arg.ty, value)?;
        if let Some(field) = fields.get_mut(*index as usize + 1) {
            *field = value.clone();
        }
    }
    Ok(Value::record(fields))
}

/// Whether a value from outside is one of the type, refinements included.
fn fits(table: &TypeTable, place: &str, ty: TypeId, value: &Value) -> Result<(), Failure> {
    if !has_shape(table, ty, value, 0) {
        let path = if place.is_empty() { SmolStr::default() } else { format_smolstr!("/{place}") };
        return Err(Failure::invalid(path, "it is a value of another type"));
    }
    table.check_for(place, ty, value)
}

/// Whether a value is built as values of the type are. Refinements are not looked at.
fn has_shape(table: &TypeTable, ty: TypeId, value: &Value, depth: u32) -> bool {
    if depth > MAX_NESTING {
        return false;
    }
    let all = |ids: &mut dyn Iterator<Item = TypeId>, values: &[Value]| {
        ids.zip(values).all(|(ty, value)| has_shape(table, ty, value, depth + 1))
    };
    match (table.get(ty), value) {
        (Type::Refined { base, .. }, _) => has_shape(table, *base, value, depth + 1),
        (Type::Optional(_) | Type::None, Value::None) => true,
        (Type::Optional(inner), _) => has_shape(table, *inner, value, depth + 1),
        (Type::List(item), Value::List(items)) => {
            items.iter().all(|value| has_shape(table, *item, value, depth + 1))
        }
        (Type::Map(key, item), Value::Map(map)) => map.iter().all(|(k, v)| {
            has_shape(table, *key, k, depth + 1) && has_shape(table, *item, v, depth + 1)
        }),
        (Type::Record(record), Value::Record(fields)) => {
            record.fields.len() == fields.len()
                && all(&mut record.fields.iter().map(|field| field.ty), fields)
        }
        (Type::Enum(e), Value::Tag(_) | Value::Variant(..)) => {
            let variant = value.tag().and_then(|tag| e.variants.get(tag as usize));
            variant.is_some_and(|variant| {
                variant.fields.len() == value.fields().len()
                    && all(&mut variant.fields.iter().map(|field| field.ty), value.fields())
            })
        }
        (Type::Text | Type::Role | Type::Secret, Value::Text(_))
        | (Type::Int | Type::Selector, Value::Int(_))
        | (Type::Float, Value::Float(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Json, Value::Json(_))
        | (Type::Time, Value::Time(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Money, Value::Money(_))
        | (Type::Size, Value::Size(_))
        | (Type::Image | Type::Audio | Type::File, Value::Blob(_)) => true,
        _ => false,
    }
}

// ---- as JSON

impl Promise {
    /// All that a form needs: what is asked, of whom, until when, and the JSON Schema of what may be answered.
    pub fn about(&self, table: &TypeTable) -> Json {
        let mut about = Map::new();
        match &self.asks {
            Asks::Approval { call, args } => {
                about.insert("asks".into(), json!("approval"));
                about.insert("call".into(), json!(call.as_str()));
                let args = args.iter().map(|arg| {
                    let mut shown = Map::new();
                    shown.insert("name".into(), json!(arg.name.as_str()));
                    shown.insert("value".into(), json::encode(table, arg.ty, &arg.value));
                    shown.insert("untrusted".into(), json!(arg.untrusted));
                    if arg.editable {
                        shown.insert("schema".into(), json::input_schema(table, arg.ty));
                    }
                    Json::Object(shown)
                });
                about.insert("arguments".into(), args.collect());
            }
            Asks::Question { question, ty, start } => {
                about.insert("asks".into(), json!("question"));
                about.insert("question".into(), json!(question.as_str()));
                about.insert("schema".into(), json::input_schema(table, *ty));
                if let Some(start) = start {
                    about.insert("start".into(), json::encode(table, *ty, start));
                }
            }
            Asks::Selection { question, item, items, max, .. } => {
                about.insert("asks".into(), json!("selection"));
                if let Some(question) = question {
                    about.insert("question".into(), json!(question.as_str()));
                }
                let values = items.iter().map(|value| json::encode(table, *item, value));
                about.insert("items".into(), values.collect());
                about.insert("labels".into(), self.labels(table).into());
                about.insert("max".into(), json!(max));
            }
        }
        about.insert("to".into(), json!(self.to.as_ref().map(SmolStr::as_str)));
        let due = jiff::Timestamp::from_second(self.due.div_euclid(1_000_000_000));
        let due = due.unwrap_or_default();
        about.insert("due".into(), json!(due.to_string()));
        if let Some((ty, value)) = &self.show {
            about.insert("show".into(), json::encode(table, *ty, value));
        }
        Json::Object(about)
    }

    /// The words by which a person knows the items of a selection; none of anything else.
    pub fn labels(&self, table: &TypeTable) -> Vec<String> {
        let Asks::Selection { item, items, label, .. } = &self.asks else { return Vec::new() };
        let field = |value: &Value| {
            let at = (*label)? as usize;
            let Type::Record(record) = table.types().base(*item) else { return None };
            Some((record.fields.get(at)?.ty, value.fields().get(at)?.clone()))
        };
        let shown = |value: &Value| match field(value) {
            Some((ty, value)) => render::to_text(table, ty, &value),
            None => render::to_text(table, *item, value),
        };
        items.iter().map(shown).collect()
    }

    /// Reads an answer of somebody: `{"decision": "approve", "edit": {"amount": "5.00 usd"}}` or `{"decision": "deny",
    /// "why": "too much"}` to an approval, `{"answer": …}` to a question, `{"answer": [0, 2]}` to a selection.
    ///
    /// # Errors
    /// `Invalid` with the path and what is wrong there; the same answer would not settle the promise.
    pub fn read_answer(
        &self,
        table: &TypeTable,
        by: &str,
        given: &Json,
    ) -> Result<Answer, Failure> {
        let Json::Object(given) = given else {
            return Err(Failure::invalid("", "an answer is a JSON object"));
        };
        let text = |key: &str| given.get(key).and_then(Json::as_str);
        let known: &[&str] = match (&self.asks, text("decision")) {
            (Asks::Approval { .. }, Some("approve")) => &["decision", "edit"],
            (Asks::Approval { .. }, Some("deny")) => &["decision", "why"],
            (Asks::Approval { .. }, _) => {
                return Err(Failure::invalid("/decision", "write `approve` or `deny`"));
            }
            _ => &["answer"],
        };
        if let Some(key) = given.keys().find(|key| !known.contains(&key.as_str())) {
            let why = format!("there is only {}", known.join(" and "));
            return Err(Failure::invalid(format_smolstr!("/{key}"), why));
        }
        let answer = match &self.asks {
            Asks::Approval { args, .. } if text("decision") == Some("approve") => {
                let edits = match given.get("edit") {
                    None | Some(Json::Null) => Vec::new(),
                    Some(Json::Object(edits)) => edits_of(table, args, edits)?,
                    Some(_) => return Err(Failure::invalid("/edit", "it is a JSON object")),
                };
                Answer::Approved { by: by.into(), edits }
            }
            Asks::Approval { .. } => {
                let why = match given.get("why") {
                    None | Some(Json::Null) => "",
                    Some(Json::String(why)) => why,
                    Some(_) => return Err(Failure::invalid("/why", "it is a text")),
                };
                Answer::Denied { by: by.into(), why: why.into() }
            }
            Asks::Question { ty, .. } => {
                let value = json::decode(table, *ty, given.get("answer").unwrap_or(&Json::Null));
                Answer::Given(value.map_err(|failure| below("/answer", failure))?)
            }
            Asks::Selection { .. } => {
                let wrong =
                    || Failure::invalid("/answer", "it is a list of places, counted from 0");
                let list = given.get("answer").and_then(Json::as_array).ok_or_else(wrong)?;
                let places = list.iter().map(|place| place.as_u64()?.try_into().ok());
                Answer::Taken(places.collect::<Option<_>>().ok_or_else(wrong)?)
            }
        };
        match self.asks.settle(table, &answer) {
            Err(Failure::Denied { .. }) | Ok(_) => Ok(answer),
            Err(failure) => Err(failure),
        }
    }
}

fn edits_of(
    table: &TypeTable,
    args: &[Shown],
    edits: &Map<String, Json>,
) -> Result<Vec<(u32, Value)>, Failure> {
    let mut found = Vec::with_capacity(edits.len());
    for (name, value) in edits {
        let place = format_smolstr!("/edit/{name}");
        let Some((index, arg)) = (0u32..).zip(args).find(|(_, arg)| arg.name == *name) else {
            return Err(Failure::invalid(place, "the call has no such argument"));
        };
        if !arg.editable {
            let why = "`edit:` does not list it, so nobody may change it";
            return Err(Failure::invalid(place, why));
        }
        let value = json::decode(table, arg.ty, value);
        found.push((index, value.map_err(|failure| below(&place, failure))?));
    }
    Ok(found)
}

/// The same failure, of what stands at a place within something.
fn below(place: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Invalid { path, why } => {
            let rest = path.trim_start_matches('/');
            let path =
                if rest.is_empty() { place.into() } else { format_smolstr!("{place}/{rest}") };
            Failure::Invalid { path, why }
        }
        other => other,
    }
}
