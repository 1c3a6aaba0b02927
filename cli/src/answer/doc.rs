//! A value as it fills in, seen through the records of its segment.

use kait_engine::check::TypeTable;
use kait_ir::{Type, TypeId};
use serde_json::Value as Json;

/// A part of the value and whether more of it can come.
#[derive(Debug, Default)]
pub struct Part {
    /// What is there.
    pub content: Content,
    /// Whether it is complete.
    pub complete: bool,
}

/// What is there of a part.
#[derive(Debug, Default)]
pub enum Content {
    /// Nothing yet.
    #[default]
    Nothing,
    /// A text so far.
    Text(String),
    /// A number, truth value or null: always complete.
    Scalar(Json),
    /// Items so far.
    List(Vec<Part>),
    /// Keys so far, in the order in which they came.
    Object(Vec<(String, Part)>),
}

impl Part {
    /// A complete part.
    pub fn whole(json: Json) -> Self {
        let content = match json {
            Json::String(text) => Content::Text(text),
            Json::Array(items) => Content::List(items.into_iter().map(Self::whole).collect()),
            Json::Object(fields) => {
                Content::Object(fields.into_iter().map(|(k, v)| (k, Self::whole(v))).collect())
            }
            scalar => Content::Scalar(scalar),
        };
        Self { content, complete: true }
    }

    /// Text is appended at a pointer.
    pub fn append(&mut self, at: &str, text: &str, done: bool) {
        let Some(part) = self.place(at) else { return };
        match &mut part.content {
            Content::Text(so_far) => so_far.push_str(text),
            Content::Nothing if !text.is_empty() || !done => {
                part.content = Content::Text(text.to_owned())
            }
            _ => {}
        }
        part.complete |= done;
    }

    /// A part is set at a pointer: it is complete.
    pub fn set(&mut self, at: &str, value: &Json) {
        if let Some(part) = self.place(at) {
            *part = Self::whole(value.clone());
        }
    }

    /// Everything in it is complete.
    pub fn finish(&mut self) {
        self.complete = true;
        match &mut self.content {
            Content::List(items) => items.iter_mut().for_each(Self::finish),
            Content::Object(fields) => fields.iter_mut().for_each(|(_, part)| part.finish()),
            _ => {}
        }
    }

    fn place(&mut self, at: &str) -> Option<&mut Self> {
        let Some(rest) = at.strip_prefix('/') else {
            return at.is_empty().then_some(self);
        };
        rest.split('/').try_fold(self, |part, token| {
            let key = token.replace("~1", "/").replace("~0", "~");
            if matches!(part.content, Content::Nothing) {
                let list = key == "0";
                part.content =
                    if list { Content::List(Vec::new()) } else { Content::Object(Vec::new()) };
            }
            match &mut part.content {
                Content::List(items) => {
                    let index: usize = key.parse().ok()?;
                    if index == items.len() {
                        items.push(Self::default());
                    }
                    items.get_mut(index)
                }
                Content::Object(fields) => {
                    let index = fields.iter().position(|(k, _)| *k == key).unwrap_or_else(|| {
                        fields.push((key, Self::default()));
                        fields.len() - 1
                    });
                    fields.get_mut(index).map(|(_, part)| part)
                }
                _ => None,
            }
        })
    }
}

/// The keys of an object in the order in which they are shown, as far as the type knows them: record fields in
/// declaration order; of an enum with payload `kind` and then the variant's fields.
pub fn keys(table: &TypeTable, ty: TypeId, fields: &[(String, Part)]) -> Vec<(String, TypeId)> {
    let types = table.types();
    let base = match types.base(ty) {
        Type::Optional(inner) => types.base(*inner),
        base => base,
    };
    match base {
        Type::Record(record) => record.fields.iter().map(|f| (f.wire.to_string(), f.ty)).collect(),
        Type::Enum(choice) => {
            let kind = fields.iter().find_map(|(key, part)| match &part.content {
                Content::Text(kind) if key == "kind" => Some(kind.as_str()),
                _ => None,
            });
            let variant = choice.variants.iter().find(|v| kind == Some(v.wire.as_str()));
            let fields = variant.into_iter().flat_map(|v| &v.fields);
            let fields = fields.map(|f| (f.wire.to_string(), f.ty));
            std::iter::once(("kind".to_owned(), ty)).chain(fields).collect()
        }
        // The keys of maps and of opaque JSON come as they come.
        Type::Map(_, value) => fields.iter().map(|(key, _)| (key.clone(), *value)).collect(),
        _ => fields.iter().map(|(key, _)| (key.clone(), ty)).collect(),
    }
}

/// The type of a list's items.
pub fn item(table: &TypeTable, ty: TypeId) -> TypeId {
    let types = table.types();
    let base = match types.base(ty) {
        Type::Optional(inner) => types.base(*inner),
        base => base,
    };
    match base {
        Type::List(item) => *item,
        _ => ty,
    }
}
