//! JSON Schema (draft 2020-12) from types: what models, forms and callers are told.

use kait_ir::{Bound, EnumType, FieldType, Type, TypeId, Value};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};

use super::{KIND, encode, encode_scalar, forms, ranges};
use crate::check::TypeTable;

/// Whom a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// A model: told no more than providers hear, and read gently.
    Model,
    /// A caller who sends values: told exactly what is taken.
    Sender,
    /// A caller who gets values: told how they are written.
    Receiver,
}

/// The schema of a type as models are told it. Documentation becomes `description`; a named type that refers to itself,
/// and one that is used more than once, stands under `$defs`.
pub fn schema(table: &TypeTable, id: TypeId) -> Json {
    build(table, id, Reader::Model)
}

/// The schema of what is taken from outside as a value of the type, exactly; see [`super::check_form`]. What JSON Schema
/// cannot say is left to the description: bounds of durations, that items which are written differently are the same.
pub fn input_schema(table: &TypeTable, id: TypeId) -> Json {
    build(table, id, Reader::Sender)
}

/// The schema of values of the type as [`encode`] writes them.
pub fn output_schema(table: &TypeTable, id: TypeId) -> Json {
    build(table, id, Reader::Receiver)
}

fn build(table: &TypeTable, id: TypeId, reader: Reader) -> Json {
    let uses = vec![0; table.types().len()];
    let mut builder = Builder { table, reader, uses, defs: Map::new() };
    builder.count(id, 0);
    let mut root = builder.inner(id, true);
    let mut defs = std::mem::take(&mut builder.defs);
    if !defs.is_empty()
        && let Json::Object(root) = &mut root
    {
        defs.sort_keys();
        root.insert("$defs".into(), Json::Object(defs));
    }
    root
}

struct Builder<'a> {
    table: &'a TypeTable,
    reader: Reader,
    /// How often each named type is referred to; 2 stands for more.
    uses: Vec<u8>,
    defs: Map<String, Json>,
}

impl Builder<'_> {
    /// Counts uses of named types; each is entered once, so this ends for recursive types.
    fn count(&mut self, id: TypeId, depth: u32) {
        if depth > 512 {
            return;
        }
        let named = matches!(self.table.get(id), Type::Record(_) | Type::Enum(_));
        if named && let Some(uses) = self.uses.get_mut(id.0 as usize) {
            *uses = (*uses + 1).min(2);
            if *uses > 1 {
                return;
            }
        }
        let below = depth + 1;
        match self.table.get(id).clone() {
            Type::List(inner) | Type::Optional(inner) | Type::Refined { base: inner, .. } => {
                self.count(inner, below);
            }
            Type::Map(_, value) => self.count(value, below),
            Type::Record(record) => record.fields.iter().for_each(|f| self.count(f.ty, below)),
            Type::Enum(choice) => {
                choice
                    .variants
                    .iter()
                    .flat_map(|v| &v.fields)
                    .for_each(|f| self.count(f.ty, below));
            }
            _ => {}
        }
    }

    fn inner(&mut self, id: TypeId, root: bool) -> Json {
        let name = match self.table.get(id) {
            Type::Record(record) => &record.name,
            Type::Enum(choice) => &choice.name,
            _ => return self.plain(id),
        };
        if self.uses.get(id.0 as usize).is_none_or(|n| *n < 2) {
            return self.plain(id);
        }
        let name = definition_name(name, id);
        if !self.defs.contains_key(&name) {
            self.defs.insert(name.clone(), Json::Null); // reserved: recursion ends here
            let body = self.plain(id);
            self.defs.insert(name.clone(), body);
        }
        if root && let Some(body @ Json::Object(_)) = self.defs.get(&name) {
            // Providers want the root itself, not a reference to it.
            return body.clone();
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn plain(&mut self, id: TypeId) -> Json {
        let table = self.table;
        let exact = self.reader != Reader::Model;
        match table.get(id) {
            Type::Text | Type::Role | Type::Secret => json!({"type": "string"}),
            Type::Int | Type::Selector if exact => json!({
                "type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX,
            }),
            Type::Int | Type::Selector => json!({"type": "integer"}),
            Type::Float => json!({"type": "number"}),
            Type::Bool => json!({"type": "boolean"}),
            Type::Bytes => self.base64(),
            Type::Json => json!({}),
            Type::Time | Type::Duration | Type::Money => self.written(table.get(id)),
            Type::Size => {
                let mut size = json!({"type": "integer", "minimum": 0, "description": "Bytes."});
                if exact {
                    size["maximum"] = json!(u64::MAX);
                }
                size
            }
            Type::Image | Type::Audio | Type::File => {
                let mut blob = json!({
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "media_type": {"type": "string"},
                        "data": self.base64(),
                    },
                    "required": ["media_type", "data"],
                });
                if exact {
                    blob["additionalProperties"] = json!(false);
                }
                blob
            }
            Type::None => json!({"type": "null"}),
            Type::List(item) => json!({"type": "array", "items": self.inner(*item, false)}),
            Type::Map(key, value) => {
                let values = self.inner(*value, false);
                let mut map = json!({"type": "object", "additionalProperties": values});
                if exact && let Some(names) = self.names(*key) {
                    map["propertyNames"] = names;
                }
                map
            }
            Type::Optional(inner) => nullable(self.inner(*inner, false)),
            Type::Record(record) => {
                let mut object = self.object(&record.fields, None);
                describe(&mut object, &record.docs);
                object
            }
            Type::Enum(choice) => self.choice(choice),
            Type::Refined { base, bounds, .. } => {
                let list = matches!(table.types().base(*base), Type::List(_));
                let schema = self.inner(*base, false);
                constrain(schema, bounds, list, exact)
            }
        }
    }

    fn base64(&self) -> Json {
        let mut schema = json!({"type": "string", "contentEncoding": "base64"});
        if self.reader != Reader::Model {
            schema["pattern"] = json!(forms::BASE64);
        }
        schema
    }

    /// What has a form of its own on the wire.
    fn written(&self, ty: &Type) -> Json {
        let money = "An amount and its currency, such as \"20.00 usd\".";
        match (ty, self.reader) {
            (Type::Time, Reader::Sender) => {
                json!({"type": "string", "format": "date-time", "pattern": forms::TIME})
            }
            (Type::Time, _) => json!({"type": "string", "format": "date-time"}),
            // JSON Schema's format `duration` has neither signs nor fractions.
            (Type::Duration, Reader::Sender) => json!({
                "type": "string", "pattern": forms::DURATION,
                "description": "An ISO 8601 duration, such as \"PT1H30M\".",
            }),
            (Type::Duration, Reader::Receiver) => json!({
                "type": "string", "pattern": forms::DURATION_SENT,
                "description": "An ISO 8601 duration, such as \"PT1H30M\".",
            }),
            (Type::Duration, Reader::Model) => json!({"type": "string", "format": "duration"}),
            (_, Reader::Sender) => {
                json!({"type": "string", "pattern": forms::MONEY, "description": money})
            }
            _ => json!({
                "type": "string",
                "pattern": r"^-?[0-9]+(\.[0-9]+)? [a-z]{3}$",
                "description": money,
            }),
        }
    }

    /// What the keys of a map must be; nothing if any text will do.
    fn names(&self, key: TypeId) -> Option<Json> {
        let whole = |least: i128, most: i128| json!(format!("^{}$", ranges::whole(least, most)));
        let bounds = bounds_of(self.table, key);
        let limit = |least: bool, otherwise: i128| {
            let limits = bounds.iter().filter_map(|bound| match bound {
                Bound::Min(value) if least => number_of(value),
                Bound::Max(value) if !least => number_of(value),
                _ => None,
            });
            if least {
                limits.fold(otherwise, i128::max)
            } else {
                limits.fold(otherwise, i128::min)
            }
        };
        match self.table.types().base(key) {
            Type::Enum(choice) => {
                let names: Vec<_> = choice.variants.iter().map(|v| v.wire.as_str()).collect();
                Some(json!({ "enum": names }))
            }
            Type::Bool => Some(json!({ "enum": ["true", "false"] })),
            Type::Int => {
                let (least, most) = (i64::MIN.into(), i64::MAX.into());
                Some(json!({ "pattern": whole(limit(true, least), limit(false, most)) }))
            }
            Type::Size => Some(json!({
                "pattern": whole(limit(true, 0), limit(false, u64::MAX.into())),
            })),
            ty @ (Type::Time | Type::Duration | Type::Money) => {
                let mut names = constrain(self.written(ty), &bounds, false, true);
                if let Json::Object(names) = &mut names {
                    names.remove("description");
                }
                Some(names)
            }
            _ if bounds.is_empty() => None,
            _ => Some(constrain(json!({}), &bounds, false, true)),
        }
    }

    fn choice(&mut self, choice: &EnumType) -> Json {
        let mut schema = if choice.has_payload() {
            let variants: Vec<_> = choice
                .variants
                .iter()
                .map(|v| {
                    let mut object = self.object(&v.fields, Some(&v.wire));
                    describe(&mut object, &v.docs);
                    object
                })
                .collect();
            json!({ "anyOf": variants })
        } else {
            let names: Vec<_> = choice.variants.iter().map(|v| v.wire.as_str()).collect();
            json!({"type": "string", "enum": names})
        };
        // Docs of variants without payload have no place of their own in a schema.
        let mut docs = choice.docs.to_string();
        if !choice.has_payload() {
            for variant in choice.variants.iter().filter(|v| !v.docs.is_empty()) {
                if !docs.is_empty() {
                    docs.push('\n');
                }
                docs.push_str(&format!("{}: {}", variant.wire, variant.docs));
            }
        }
        describe(&mut schema, &docs);
        schema
    }

    /// Documentation; what a caller is told of the value's form and bounds stays behind it.
    fn describe(&self, schema: &mut Json, docs: &str) {
        let told = schema.get("description").and_then(Json::as_str);
        match told.filter(|_| self.reader != Reader::Model && !docs.is_empty()) {
            Some(told) => schema["description"] = format!("{docs}\n{told}").into(),
            None => describe(schema, docs),
        }
    }

    fn object(&mut self, fields: &[FieldType], kind: Option<&str>) -> Json {
        let mut properties = Map::new();
        let mut required = Vec::new();
        if let Some(kind) = kind {
            properties.insert(KIND.into(), json!({ "const": kind }));
            required.push(KIND.to_owned());
        }
        for field in fields {
            let mut schema = self.inner(field.ty, false);
            if !field.docs.is_empty() && schema.get("$ref").is_some() {
                schema = json!({ "allOf": [schema] });
            }
            self.describe(&mut schema, &field.docs);
            if let (Some(default), Json::Object(schema)) = (&field.default, &mut schema) {
                schema.insert("default".into(), encode(self.table, field.ty, default));
            }
            properties.insert(field.wire.to_string(), schema);
            let optional = matches!(self.table.types().base(field.ty), Type::Optional(_));
            if field.default.is_none() && !optional {
                required.push(field.wire.to_string());
            }
        }
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }
}

/// A key for `$defs`: the last part of the qualified name, made unique by the id for generic instances.
fn definition_name(name: &str, id: TypeId) -> String {
    let plain = name.split('<').next().unwrap_or(name);
    let last = plain.rsplit('.').next().unwrap_or(plain);
    if name.contains('<') || name.contains('.') {
        format!("{last}_{}", id.0)
    } else {
        last.to_owned()
    }
}

fn describe(schema: &mut Json, docs: &str) {
    if !docs.is_empty()
        && let Json::Object(schema) = schema
    {
        schema.insert("description".into(), Json::String(docs.to_owned()));
    }
}

fn nullable(mut schema: Json) -> Json {
    if let Some(Json::String(ty)) = schema.get("type").cloned()
        && schema.get("enum").is_none()
        && let Json::Object(object) = &mut schema
    {
        object.insert("type".into(), json!([ty, "null"]));
        return schema;
    }
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn constrain(schema: Json, bounds: &[Bound], list: bool, exact: bool) -> Json {
    // A reference and its bounds stand side by side, which draft 2020-12 allows.
    let mut schema = schema;
    let Json::Object(object) = &mut schema else { return schema };
    for bound in bounds {
        let (key, value) = match bound {
            Bound::Min(n) => (if list { "minItems" } else { "minimum" }, number(n)),
            Bound::Max(n) => (if list { "maxItems" } else { "maximum" }, number(n)),
            Bound::MinLen(n) => ("minLength", json!(n)),
            Bound::MaxLen(n) => ("maxLength", json!(n)),
            Bound::Pattern(pattern) => ("pattern", json!(pattern.as_str())),
            Bound::Format(format) => ("format", json!(format.as_str())),
            Bound::MultipleOf(n) => ("multipleOf", number(n)),
            Bound::Unique => ("uniqueItems", json!(true)),
        };
        if value.is_string() && !matches!(key, "pattern" | "format") {
            // A bound of money or of a duration, whose values are texts.
            if exact {
                add_words(object, bound, &value);
            }
        } else if exact && key == "pattern" && object.contains_key(key) {
            also(object, json!({ key: value }));
        } else if !exact || is_tighter(key, object.get(key), &value) {
            object.insert(key.to_owned(), value);
        }
    }
    if exact && let Some(pattern) = amounts(bounds) {
        also(object, json!({ "pattern": pattern }));
    }
    schema
}

/// Whether a bound says more than the one that is there.
fn is_tighter(key: &str, old: Option<&Json>, new: &Json) -> bool {
    let (Some(old), Some(now)) = (old.and_then(Json::as_f64), new.as_f64()) else { return true };
    if key.starts_with("max") { now <= old } else { now >= old || key == "multipleOf" }
}

/// Both hold.
fn also(object: &mut Map<String, Json>, schema: Json) {
    if let Json::Array(parts) = object.entry("allOf").or_insert_with(|| json!([])) {
        parts.push(schema);
    }
}

/// A bound that no keyword says, in words.
fn add_words(object: &mut Map<String, Json>, bound: &Bound, limit: &Json) {
    let limit = limit.as_str().unwrap_or_default();
    let words = match bound {
        Bound::Min(_) => format!("At least {limit}."),
        Bound::Max(_) => format!("At most {limit}."),
        _ => return,
    };
    let words = match object.get("description").and_then(Json::as_str) {
        Some(before) => format!("{before} {words}"),
        None => words,
    };
    object.insert("description".into(), Json::String(words));
}

/// The pattern of amounts within bounds of money, if there are any.
fn amounts(bounds: &[Bound]) -> Option<String> {
    let (mut least, mut most, mut currency) = (None::<Decimal>, None::<Decimal>, None);
    for bound in bounds {
        match bound {
            Bound::Min(Value::Money(limit)) => {
                least = Some(least.map_or(limit.amount, |least| least.max(limit.amount)));
                currency = Some(limit.currency);
            }
            Bound::Max(Value::Money(limit)) => {
                most = Some(most.map_or(limit.amount, |most| most.min(limit.amount)));
                currency = Some(limit.currency);
            }
            _ => {}
        }
    }
    let currency = currency?;
    Some(format!("^(?:{}) {}$", ranges::decimal(least, most), currency.as_str()))
}

/// All bounds of a type.
fn bounds_of(table: &TypeTable, mut id: TypeId) -> Vec<Bound> {
    let mut found = Vec::new();
    while let Type::Refined { base, bounds, .. } = table.get(id) {
        found.extend(bounds.iter().cloned());
        id = *base;
    }
    found
}

fn number_of(value: &Value) -> Option<i128> {
    match value {
        Value::Int(n) => Some((*n).into()),
        Value::Size(n) => Some((*n).into()),
        _ => None,
    }
}

fn number(value: &Value) -> Json {
    encode_scalar(value)
}
