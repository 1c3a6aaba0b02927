//! JSON Schema (draft 2020-12) from types: what models, forms and callers are told.

use kait_ir::{Bound, EnumType, FieldType, Type, TypeId, Value};
use serde_json::{Map, Value as Json, json};

use super::{KIND, encode, encode_scalar};
use crate::check::TypeTable;

/// The schema of a type. Documentation becomes `description`; a named type that refers to itself, and one that is
/// used more than once, stands under `$defs`.
pub fn schema(table: &TypeTable, id: TypeId) -> Json {
    let mut builder = Builder { table, uses: vec![0; table.types().len()], defs: Map::new() };
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
        match table.get(id) {
            Type::Text | Type::Role => json!({"type": "string"}),
            Type::Int | Type::Selector => json!({"type": "integer"}),
            Type::Float => json!({"type": "number"}),
            Type::Bool => json!({"type": "boolean"}),
            Type::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Type::Json => json!({}),
            Type::Time => json!({"type": "string", "format": "date-time"}),
            Type::Duration => json!({"type": "string", "format": "duration"}),
            Type::Money => json!({
                "type": "string",
                "pattern": r"^-?[0-9]+(\.[0-9]+)? [a-z]{3}$",
                "description": "An amount and its currency, such as \"20.00 usd\".",
            }),
            Type::Size => json!({"type": "integer", "minimum": 0, "description": "Bytes."}),
            Type::Image | Type::Audio | Type::File => json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "media_type": {"type": "string"},
                    "data": {"type": "string", "contentEncoding": "base64"},
                },
                "required": ["media_type", "data"],
            }),
            Type::None => json!({"type": "null"}),
            Type::List(item) => json!({"type": "array", "items": self.inner(*item, false)}),
            Type::Map(_, value) => {
                json!({"type": "object", "additionalProperties": self.inner(*value, false)})
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
                constrain(schema, bounds, list)
            }
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
            describe(&mut schema, &field.docs);
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

fn constrain(schema: Json, bounds: &[Bound], list: bool) -> Json {
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
        // Bounds of money and durations cannot be said of their texts.
        if !value.is_string() || matches!(key, "pattern" | "format") {
            object.insert(key.to_owned(), value);
        }
    }
    schema
}

fn number(value: &Value) -> Json {
    encode_scalar(value)
}
