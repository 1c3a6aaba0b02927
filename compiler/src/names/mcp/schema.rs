//! JSON Schemas as types of KAIT: what a tool takes and gives, as far as types can say it.
//!
//! What no type can say is `json`, and a bound that a type cannot say is left out: the server checks what it is sent.
//! Nothing is fetched, and a schema of any size and form ends: parts, depth and patterns are limited.

use std::fmt::Write as _;

use kait_syntax::strings;
use regex::RegexBuilder;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::words::{Taken, type_name, value_name};
use crate::check::FORMATS;

/// Most parts of the schemas of one tool.
pub(super) const MAX_PARTS: u32 = 10_000;

/// How deep schemas are looked into: what is deeper is `json`.
const MAX_DEPTH: u32 = 32;

/// Most parameters of a tool and fields of a record.
pub(super) const MAX_FIELDS: usize = 500;

/// Most variants of an enum: beyond, any text is taken.
const MAX_VARIANTS: usize = 500;

/// Most patterns of one server that are checked, and how long one is: compiling them is dear.
const MAX_PATTERNS: usize = 100;
const MAX_PATTERN: usize = 1_000;
const MAX_PATTERN_BYTES: usize = 1 << 18;

/// Longest name that is put together from names.
const MAX_PREFIX: usize = 80;

/// The largest number that every language has as a whole one (2⁵³ − 1). Generators of schemas write it as a bound
/// where there is none.
const SAFE: i64 = (1 << 53) - 1;

/// What is shared by all tools of a server.
#[derive(Default)]
pub(super) struct Shared {
    /// The names of types.
    types: Taken,
    patterns: usize,
}

/// A type, in parts, so that more can be said about it.
#[derive(Clone, Debug)]
pub(super) struct Made {
    base: String,
    bounds: Vec<String>,
    is_optional: bool,
    /// The record that it is, not one that it may hold none of.
    record: Option<usize>,
    /// Whether its values are numbers, truths, points in time, or choices from a list.
    pub is_closed: bool,
}

impl Made {
    fn plain(base: impl Into<String>, is_closed: bool) -> Self {
        let base = base.into();
        Self { base, bounds: Vec::new(), is_optional: false, record: None, is_closed }
    }

    fn json() -> Self {
        Self::plain("json", false)
    }

    pub fn optional(self) -> Self {
        Self { is_optional: true, record: None, ..self }
    }
}

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base)?;
        if self.is_optional {
            f.write_str("?")?;
        }
        if !self.bounds.is_empty() {
            write!(f, " where ({})", self.bounds.join(", "))?;
        }
        Ok(())
    }
}

/// A parameter or field.
pub(super) struct FieldText {
    pub docs: String,
    pub name: SmolStr,
    /// Its name for the server.
    pub wire: String,
    pub ty: Made,
    pub is_required: bool,
}

struct RecordText {
    docs: String,
    name: SmolStr,
    fields: Vec<FieldText>,
}

/// What is known of the target of a reference.
#[derive(Clone)]
enum Target {
    /// It is being looked at: only records may hold themselves.
    Busy,
    Known(Made),
}

/// One schema, with the types that it needs.
pub(super) struct Walk<'s, 'm> {
    shared: &'m mut Shared,
    root: &'s Value,
    /// The name of the tool, for the names of its types.
    tool: String,
    records: Vec<RecordText>,
    enums: Vec<String>,
    targets: FxHashMap<&'s str, Target>,
    parts: u32,
}

impl<'s, 'm> Walk<'s, 'm> {
    pub fn new(shared: &'m mut Shared, root: &'s Value, tool: String) -> Self {
        Self {
            shared,
            root,
            tool,
            records: Vec::new(),
            enums: Vec::new(),
            targets: FxHashMap::default(),
            parts: 0,
        }
    }

    /// Whether it has more parts than are looked at.
    pub fn is_too_large(&self) -> bool {
        self.parts > MAX_PARTS
    }

    /// The properties of the whole schema as parameters; `None` if it is not one of an object.
    pub fn params(&mut self) -> Option<Vec<FieldText>> {
        let mut all = Vec::new();
        let root = self.root;
        if !self.object_parts(root, &mut all, 0) {
            return None;
        }
        let tool = self.tool.clone();
        Some(self.fields(&all, &tool, 0))
    }

    /// The type of the whole schema.
    pub fn result(&mut self) -> Made {
        let root = self.root;
        let name = self.prefixed(&self.tool, "Result");
        self.ty(root, &name, 0)
    }

    /// The declarations of all types that were needed.
    pub fn declarations(mut self) -> String {
        self.end_endless();
        let mut out = String::new();
        for text in &self.enums {
            out.push('\n');
            out.push_str(text);
        }
        for record in &self.records {
            out.push('\n');
            out.push_str(&record.docs);
            let _ = writeln!(out, "pub record {} {{", record.name);
            for field in &record.fields {
                out.push_str(&indented(&field.docs));
                let _ = write!(out, "  {}: {}", field.name, field.ty);
                if !field.is_required {
                    out.push_str(" = none");
                }
                if field.wire != field.name {
                    let _ = write!(out, " as {}", quoted(&field.wire));
                }
                out.push('\n');
            }
            out.push_str("}\n");
        }
        out
    }

    // ---- types ----

    /// The type of a part of the schema; `name` is that of the type if it needs one.
    fn ty(&mut self, schema: &'s Value, name: &str, depth: u32) -> Made {
        self.parts += 1;
        if self.is_too_large() || depth > MAX_DEPTH {
            return Made::json();
        }
        let Value::Object(schema) = schema else { return Made::json() };
        let made = self.part(schema, name, depth);
        if schema.get("nullable") == Some(&Value::Bool(true)) { made.optional() } else { made }
    }

    fn part(&mut self, schema: &'s Map<String, Value>, name: &str, depth: u32) -> Made {
        if let Some(Value::String(pointer)) = schema.get("$ref") {
            return self.reference(pointer, depth);
        }
        if let Some(only) = schema.get("const") {
            return self.choices(&[only], schema, name);
        }
        if let Some(Value::Array(all)) = schema.get("enum") {
            return self.choices(&all.iter().collect::<Vec<_>>(), schema, name);
        }
        if schema.contains_key("allOf") {
            return self.all_of(schema, name, depth);
        }
        for word in ["anyOf", "oneOf"] {
            // Beside properties of its own it says which of them go together.
            if let Some(Value::Array(all)) = schema.get(word)
                && !schema.contains_key("properties")
            {
                return self.any_of(all, schema, name, depth);
            }
        }
        match schema.get("type") {
            Some(Value::String(kind)) => self.of_kind(kind, schema, name, depth),
            Some(Value::Array(kinds)) => {
                let others: Vec<&str> =
                    kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
                let may_be_none = others.len() < kinds.len();
                let made = match others.as_slice() {
                    [kind] => self.of_kind(kind, schema, name, depth),
                    ["integer", "number"] | ["number", "integer"] => {
                        self.of_kind("number", schema, name, depth)
                    }
                    _ => Made::json(),
                };
                if may_be_none { made.optional() } else { made }
            }
            _ if schema.contains_key("properties") => self.of_kind("object", schema, name, depth),
            _ if schema.contains_key("items") => self.of_kind("array", schema, name, depth),
            _ => Made::json(),
        }
    }

    fn of_kind(
        &mut self,
        kind: &str,
        schema: &'s Map<String, Value>,
        name: &str,
        depth: u32,
    ) -> Made {
        match kind {
            "string" => self.text(schema),
            "integer" => Made { bounds: whole_bounds(schema), ..Made::plain("int", true) },
            "number" => Made { bounds: number_bounds(schema), ..Made::plain("float", true) },
            "boolean" => Made::plain("bool", true),
            "array" => {
                let item = match schema.get("items") {
                    Some(items @ Value::Object(_)) => self.ty(items, name, depth + 1),
                    _ => Made::json(),
                };
                let mut bounds = ordered(
                    "min",
                    count(schema.get("minItems")),
                    "max",
                    count(schema.get("maxItems")),
                );
                if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
                    bounds.push("unique: true".to_owned());
                }
                Made { bounds, ..Made::plain(format!("[{item}]"), item.is_closed) }
            }
            "object" => match schema.get("properties") {
                Some(Value::Object(properties))
                    if !properties.is_empty() && properties.len() <= MAX_FIELDS =>
                {
                    self.record(&[schema], name, depth)
                }
                Some(Value::Object(properties)) if !properties.is_empty() => Made::json(),
                _ => {
                    let value = match schema.get("additionalProperties") {
                        Some(value @ Value::Object(_)) => self.ty(value, name, depth + 1),
                        _ => Made::json(),
                    };
                    Made::plain(format!("[text: {value}]"), false)
                }
            },
            _ => Made::json(),
        }
    }

    fn text(&mut self, schema: &Map<String, Value>) -> Made {
        let word = |name: &str| schema.get(name).and_then(Value::as_str);
        if word("contentEncoding") == Some("base64") {
            return Made::plain("bytes", false);
        }
        if word("format") == Some("date-time") {
            return Made::plain("time", true);
        }
        let mut bounds = ordered(
            "min_len",
            count(schema.get("minLength")),
            "max_len",
            count(schema.get("maxLength")),
        );
        if let Some(format) = word("format").filter(|format| FORMATS.contains(format)) {
            bounds.push(format!("format: {}", quoted(format)));
        }
        if let Some(pattern) = word("pattern").filter(|pattern| self.is_pattern(pattern)) {
            bounds.push(format!("pattern: {}", quoted(pattern)));
        }
        Made { bounds, ..Made::plain("text", false) }
    }

    /// Whether a pattern, which is one of JavaScript, is one of ours as well.
    fn is_pattern(&mut self, pattern: &str) -> bool {
        if pattern.len() > MAX_PATTERN || self.shared.patterns >= MAX_PATTERNS {
            return false;
        }
        self.shared.patterns += 1;
        RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build().is_ok()
    }

    /// A choice from values that the schema lists.
    fn choices(&mut self, all: &[&'s Value], schema: &'s Map<String, Value>, name: &str) -> Made {
        let may_be_none = all.iter().any(|value| value.is_null());
        let rest: Vec<&Value> = all.iter().copied().filter(|value| !value.is_null()).collect();
        let made = if rest.is_empty() {
            Made::json()
        } else if rest.iter().all(|value| value.is_string()) {
            let values: Vec<&str> = rest.iter().filter_map(|value| value.as_str()).collect();
            self.enumeration(&values, schema, name)
        } else if rest.iter().all(|value| value.is_boolean()) {
            Made::plain("bool", true)
        } else if rest.iter().all(|value| value.is_i64()) {
            Made::plain("int", true)
        } else if rest.iter().all(|value| value.is_number()) {
            Made::plain("float", true)
        } else {
            Made::json()
        };
        if may_be_none { made.optional() } else { made }
    }

    fn enumeration(&mut self, values: &[&str], schema: &Map<String, Value>, name: &str) -> Made {
        if values.len() > MAX_VARIANTS {
            return Made::plain("text", false);
        }
        let name = self.shared.types.take(name, "");
        let mut text = docs_of(schema);
        let _ = writeln!(text, "pub enum {name} {{");
        let (mut taken, mut seen) = (Taken::default(), FxHashSet::default());
        let values: Vec<&str> =
            values.iter().copied().filter(|value| seen.insert(*value)).collect();
        let wanted: Vec<(&str, String)> =
            values.iter().map(|value| (*value, type_name(value, "Value"))).collect();
        for (value, variant) in values.iter().zip(taken.take_all(&wanted, "")) {
            let _ = write!(text, "  {variant}");
            // Of one word, whose name on the wire is the same in small letters.
            let is_word = value.bytes().all(|c| c.is_ascii_lowercase())
                && variant.as_str().eq_ignore_ascii_case(value);
            if !is_word {
                let _ = write!(text, " as {}", quoted(value));
            }
            text.push('\n');
        }
        text.push_str("}\n");
        self.enums.push(text);
        Made::plain(name, true)
    }

    /// One of several schemas: `null` makes it optional, lists of texts are one list, everything else can be anything.
    fn any_of(
        &mut self,
        all: &'s [Value],
        schema: &'s Map<String, Value>,
        name: &str,
        depth: u32,
    ) -> Made {
        let is_null = |one: &Value| {
            one.get("type").and_then(Value::as_str) == Some("null")
                || one.get("const").is_some_and(Value::is_null)
        };
        let rest: Vec<&Value> = all.iter().filter(|one| !is_null(one)).collect();
        let made = match rest.as_slice() {
            [one] => self.ty(one, name, depth + 1),
            _ => match listed(&rest) {
                Some(values) => self.enumeration(&values, schema, name),
                None => {
                    let kinds: Vec<_> =
                        rest.iter().map(|one| one.get("type").and_then(Value::as_str)).collect();
                    let are_all = |known: &[&str]| {
                        !kinds.is_empty()
                            && kinds
                                .iter()
                                .all(|kind| kind.is_some_and(|kind| known.contains(&kind)))
                    };
                    if are_all(&["string"]) {
                        Made::plain("text", false)
                    } else if are_all(&["integer"]) {
                        Made::plain("int", true)
                    } else if are_all(&["integer", "number"]) {
                        Made::plain("float", true)
                    } else {
                        Made::json()
                    }
                }
            },
        };
        if rest.len() < all.len() { made.optional() } else { made }
    }

    /// What keeps several schemas: objects with the properties of all.
    fn all_of(&mut self, schema: &'s Map<String, Value>, name: &str, depth: u32) -> Made {
        if let Some(Value::Array(all)) = schema.get("allOf")
            && let [one] = all.as_slice()
            && !schema.contains_key("properties")
        {
            return self.ty(one, name, depth + 1);
        }
        let mut parts = Vec::new();
        if !self.object_parts_of(schema, &mut parts, depth) {
            return Made::json();
        }
        let count: usize = parts.iter().filter_map(|part| properties(part)).map(Map::len).sum();
        match count {
            0 => Made::plain("[text: json]", false),
            _ if count > MAX_FIELDS => Made::json(),
            _ => self.record(&parts, name, depth),
        }
    }

    /// The schemas of objects of which a schema consists; `false` if it is not one of an object.
    fn object_parts(
        &mut self,
        schema: &'s Value,
        parts: &mut Vec<&'s Map<String, Value>>,
        depth: u32,
    ) -> bool {
        let Value::Object(schema) = schema else { return false };
        self.object_parts_of(schema, parts, depth)
    }

    fn object_parts_of(
        &mut self,
        schema: &'s Map<String, Value>,
        parts: &mut Vec<&'s Map<String, Value>>,
        depth: u32,
    ) -> bool {
        self.parts += 1;
        if self.is_too_large() || depth > MAX_DEPTH {
            return false;
        }
        if let Some(Value::String(pointer)) = schema.get("$ref") {
            let target = self.resolve(pointer);
            return target.is_some_and(|target| self.object_parts(target, parts, depth + 1));
        }
        let is_object = match schema.get("type") {
            Some(Value::String(kind)) => kind == "object",
            Some(_) => false,
            None => schema.contains_key("properties") || schema.contains_key("allOf"),
        };
        if !is_object {
            return false;
        }
        parts.push(schema);
        let Some(Value::Array(all)) = schema.get("allOf") else { return true };
        all.iter().all(|one| {
            // What only says which properties are required is a part, too.
            let says_more = one.get("type").is_none()
                && one.get("$ref").is_none()
                && one.get("properties").is_none()
                && one.get("allOf").is_none();
            match one {
                Value::Object(one) if says_more => {
                    parts.push(one);
                    true
                }
                _ => self.object_parts(one, parts, depth + 1),
            }
        })
    }

    fn record(&mut self, parts: &[&'s Map<String, Value>], name: &str, depth: u32) -> Made {
        let index = self.declare(parts, name);
        self.fill(index, parts, depth)
    }

    /// A record without its fields, so that they can hold it.
    fn declare(&mut self, parts: &[&'s Map<String, Value>], name: &str) -> usize {
        let name = self.shared.types.take(name, "");
        let docs = parts.iter().map(|part| docs_of(part)).find(|docs| !docs.is_empty());
        let docs = docs.unwrap_or_default();
        self.records.push(RecordText { docs, name, fields: Vec::new() });
        self.records.len() - 1
    }

    fn fill(&mut self, index: usize, parts: &[&'s Map<String, Value>], depth: u32) -> Made {
        let name = self.records.get(index).map(|record| record.name.clone()).unwrap_or_default();
        let fields = self.fields(parts, &name, depth);
        if let Some(record) = self.records.get_mut(index) {
            record.fields = fields;
        }
        Made { record: Some(index), ..Made::plain(name, false) }
    }

    fn fields(
        &mut self,
        parts: &[&'s Map<String, Value>],
        owner: &str,
        depth: u32,
    ) -> Vec<FieldText> {
        let required: FxHashSet<&str> = parts
            .iter()
            .filter_map(|part| part.get("required")?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut seen = FxHashSet::default();
        let all: Vec<(&'s String, &'s Value)> = parts
            .iter()
            .filter_map(|part| properties(part))
            .flatten()
            .filter(|(wire, _)| seen.insert(*wire))
            .take(MAX_FIELDS + 1)
            .collect();
        let wanted: Vec<(&str, String)> =
            all.iter().map(|(wire, _)| (wire.as_str(), value_name(wire, "value"))).collect();
        let names = Taken::default().take_all(&wanted, "_");
        all.into_iter()
            .zip(names)
            .map(|((wire, schema), name)| {
                let type_name = self.prefixed(owner, &type_name(wire, "Value"));
                let ty = self.ty(schema, &type_name, depth + 1);
                let is_required = required.contains(wire.as_str());
                let ty = if is_required { ty } else { ty.optional() };
                let docs = schema.as_object().map(docs_of).unwrap_or_default();
                FieldText { docs, name, wire: wire.clone(), ty, is_required }
            })
            .collect()
    }

    // ---- references ----

    fn reference(&mut self, pointer: &'s str, depth: u32) -> Made {
        match self.targets.get(pointer) {
            Some(Target::Known(made)) => return made.clone(),
            Some(Target::Busy) => return Made::json(),
            None => {}
        }
        let Some(target) = self.resolve(pointer) else { return Made::json() };
        let last = pointer.rsplit('/').next().unwrap_or(pointer);
        let name = self.prefixed(&self.tool, &type_name(last, "Input"));
        self.targets.insert(pointer, Target::Busy);
        // A record is known before its fields are.
        let plain = target.as_object().filter(|schema| {
            !["$ref", "const", "enum", "allOf"].iter().any(|word| schema.contains_key(*word))
                && schema.get("type").is_none_or(|kind| kind == "object")
                && properties(schema).is_some_and(|all| !all.is_empty() && all.len() <= MAX_FIELDS)
        });
        let made = match plain {
            Some(schema) if !self.is_too_large() && depth < MAX_DEPTH => {
                let parts = [schema];
                let index = self.declare(&parts, &name);
                let known = self.records.get(index).map(|record| record.name.clone());
                let known =
                    Made { record: Some(index), ..Made::plain(known.unwrap_or_default(), false) };
                self.targets.insert(pointer, Target::Known(known));
                self.fill(index, &parts, depth)
            }
            _ => self.ty(target, &name, depth + 1),
        };
        self.targets.insert(pointer, Target::Known(made.clone()));
        made
    }

    /// A place in this schema; others are not looked at.
    fn resolve(&self, pointer: &str) -> Option<&'s Value> {
        let inner = pointer.strip_prefix('#')?;
        self.root.pointer(inner)
    }

    // ---- records that hold themselves ----

    /// A field by which a record would need a value of itself before there is one is `json`.
    fn end_endless(&mut self) {
        let count = self.records.len();
        let mut waits = vec![0_usize; count];
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (index, record) in self.records.iter().enumerate() {
            for need in record.fields.iter().filter_map(|field| field.ty.record) {
                waits[index] += 1;
                needed_by[need].push(index);
            }
        }
        let mut ready: Vec<usize> = (0..count).filter(|index| waits[*index] == 0).collect();
        while let Some(index) = ready.pop() {
            for owner in std::mem::take(&mut needed_by[index]) {
                waits[owner] -= 1;
                if waits[owner] == 0 {
                    ready.push(owner);
                }
            }
        }
        for index in 0..count {
            if waits[index] == 0 {
                continue;
            }
            for field in &mut self.records[index].fields {
                if field.ty.record.is_some_and(|need| waits[need] > 0) {
                    field.ty = Made::json();
                }
            }
        }
    }

    /// The name of a type that belongs to another one, or to the tool if that would be too long.
    fn prefixed(&self, owner: &str, name: &str) -> String {
        if owner.len() + name.len() <= MAX_PREFIX {
            format!("{owner}{name}")
        } else {
            format!("{}{name}", self.tool)
        }
    }
}

fn properties(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

/// The texts from which several schemas let one choose, if all do.
fn listed<'s>(all: &[&'s Value]) -> Option<Vec<&'s str>> {
    let mut values = Vec::new();
    for one in all {
        match (one.get("const"), one.get("enum")) {
            (Some(Value::String(value)), _) => values.push(value.as_str()),
            (None, Some(Value::Array(some))) => {
                for value in some {
                    values.push(value.as_str()?);
                }
            }
            _ => return None,
        }
    }
    (!values.is_empty()).then_some(values)
}

// ---- bounds ----

fn count(value: Option<&Value>) -> Option<i64> {
    whole(value).filter(|count| (0..SAFE).contains(count))
}

/// A whole number, also one that is written as a fraction.
fn whole(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and not beyond 2⁵³")]
    #[expect(clippy::cast_precision_loss, reason = "2⁵³ − 1 is exact")]
    let from_float =
        || value.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < SAFE as f64).map(|x| x as i64);
    value.as_i64().or_else(from_float).filter(|n| n.abs() < SAFE)
}

fn whole_bounds(schema: &Map<String, Value>) -> Vec<String> {
    let least = whole(schema.get("minimum"))
        .or_else(|| whole(schema.get("exclusiveMinimum")).map(|n| n + 1));
    let most = whole(schema.get("maximum"))
        .or_else(|| whole(schema.get("exclusiveMaximum")).map(|n| n - 1));
    let mut bounds = ordered("min", least, "max", most);
    if let Some(step) = whole(schema.get("multipleOf")).filter(|step| *step > 0) {
        bounds.push(format!("multiple_of: {step}"));
    }
    bounds
}

/// Bounds of a number that may have a fraction. That it must not be the bound itself no bound can say.
fn number_bounds(schema: &Map<String, Value>) -> Vec<String> {
    let number = |name: &str| {
        let number = schema.get(name)?.as_f64()?;
        // Others cannot be written as literals, or only with very many digits.
        (number == 0.0 || (1e-6..1e15).contains(&number.abs())).then_some(number)
    };
    let least = number("minimum").or_else(|| number("exclusiveMinimum"));
    let most = number("maximum").or_else(|| number("exclusiveMaximum"));
    let mut bounds = ordered("min", least, "max", most);
    if let Some(step) = number("multipleOf").filter(|step| *step > 0.0) {
        bounds.push(format!("multiple_of: {step}"));
    }
    bounds
}

/// A lower and an upper bound; none if nothing would be between them.
fn ordered<N: PartialOrd + std::fmt::Display>(
    low: &str,
    least: Option<N>,
    high: &str,
    most: Option<N>,
) -> Vec<String> {
    if let (Some(least), Some(most)) = (&least, &most)
        && least > most
    {
        return Vec::new();
    }
    let least = least.map(|least| format!("{low}: {least}"));
    least.into_iter().chain(most.map(|most| format!("{high}: {most}"))).collect()
}

// ---- texts ----

/// A text between quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in strings::escape(text).chars() {
        match c {
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What a schema says of itself, as lines of documentation.
fn docs_of(schema: &Map<String, Value>) -> String {
    let said = ["description", "title"].iter().find_map(|name| schema.get(*name)?.as_str());
    let mut docs = doc_lines(said.unwrap_or_default());
    match schema.get("default") {
        None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {}
        Some(plain) => docs.push_str(&doc_lines(&format!("The server's default is `{plain}`."))),
    }
    docs
}

/// A text as lines of documentation: without what would change how the lines below it are displayed.
pub(super) fn doc_lines(text: &str) -> String {
    /// Longest documentation of one thing, in characters.
    const MAX_DOCS: usize = 4_000;
    let mut docs = String::new();
    let text: String = text.chars().take(MAX_DOCS).collect();
    for line in text.trim().lines() {
        let is_shown = |c: &char| !is_hidden(*c);
        let clean: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let clean: String = clean.chars().filter(is_shown).collect();
        let _ = writeln!(docs, "{}", format!("/// {}", clean.trim_end()).trim_end());
    }
    docs
}

pub(super) fn indented(docs: &str) -> String {
    docs.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// What changes the order in which a text is displayed, or breaks lines unseen.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}
