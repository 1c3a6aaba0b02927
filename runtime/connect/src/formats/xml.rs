//! `std.xml`: XML 1.0 to and from typed values. What is wanted decides how elements are read: a record takes attributes
//! and child elements by name, a list takes all elements of a name. Entities of a DTD are not known, so none can explode.

use indexmap::IndexMap;
use kait_engine::check::TypeTable;
use kait_ir::{Failure, FieldType, Type, TypeId, Value};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::Value as Json;

use super::node::{
    self, Kind, MAX_DEPTH, MAX_NODES, Node, broken, line_and_column, too_deep, too_many,
};
use super::{decoded, encoded};
use crate::args;
use crate::connections::LeafFn;

/// The leaves of the module.
pub(super) const LEAVES: &[(&str, LeafFn)] = &[
    ("xml.decode", |_, job| decoded(job, decode)),
    ("xml.encode", |_, job| encoded(job, |json, all| encode(json, &args::text(all, 1)?))),
];

/// The name of the text of an element that has attributes or children, too.
const TEXT: &str = "#text";

/// The name of the elements of a list that has no name of its own.
const ITEM: &str = "item";

#[derive(Debug, Default)]
struct Element {
    /// Offset of its `<`, in bytes.
    at: usize,
    name: String,
    attributes: IndexMap<String, String>,
    /// All text directly in it.
    text: String,
    children: Vec<Self>,
}

pub(super) fn decode(table: &TypeTable, ty: TypeId, source: &str) -> Result<Value, Failure> {
    let root = parse(source)?;
    let node = Shaper { table, source }.shape(ty, &root)?;
    node::decode(table, ty, &node, |at| line_and_column(source, at))
}

/// The root element.
fn parse(source: &str) -> Result<Element, Failure> {
    let mut reader = Reader::from_str(source);
    reader.config_mut().expand_empty_elements = true;
    // The elements that are open; the first stands for the document.
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let no_xml = |why: &dyn std::fmt::Display, at: usize| {
            broken(line_and_column(source, at), format!("is no XML: {why}"))
        };
        let event = reader.read_event().map_err(|error| {
            no_xml(&error, usize::try_from(reader.error_position()).unwrap_or(at))
        })?;
        let outside = open.len() == 1;
        let Some(here) = open.last_mut() else { return Err(no_xml(&"nothing is open", at)) };
        match event {
            Event::Start(tag) => {
                if outside && !here.children.is_empty() {
                    return Err(no_xml(&"a second root element begins", at));
                }
                if open.len() > MAX_DEPTH {
                    return Err(too_deep(line_and_column(source, at)));
                }
                count += 1;
                let element = begun(&tag, at).map_err(|why| no_xml(&why, at))?;
                count += element.attributes.len();
                if count > MAX_NODES {
                    return Err(too_many());
                }
                open.push(element);
            }
            Event::End(_) => {
                if let Some(done) = open.pop()
                    && let Some(parent) = open.last_mut()
                {
                    parent.children.push(done);
                }
            }
            Event::Text(text) => here.text.push_str(&text.xml10_content()),
            Event::CData(text) => here.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => match character(&name) {
                Some(c) => here.text.push(c),
                None => {
                    let why = format!("nobody says what `&{};` is", &*name.xml10_content());
                    return Err(no_xml(&why, at));
                }
            },
            Event::Eof => break,
            _ => {}
        }
        if let [document] = open.as_mut_slice()
            && !document.text.is_empty()
        {
            if !document.text.trim_start_matches('\u{feff}').trim().is_empty() {
                return Err(no_xml(&"there is text outside of the root element", at));
            }
            document.text.clear();
        }
    }
    let end = source.len();
    match (open.pop(), open.len()) {
        (Some(mut document), 0) => document.children.pop().ok_or_else(|| {
            broken(line_and_column(source, end), "is not XML: there is no element in it")
        }),
        (Some(element), _) => {
            let why = format!("is no XML: `<{}>` is not closed", element.name);
            Err(broken(line_and_column(source, element.at), why))
        }
        (None, _) => Err(broken(line_and_column(source, end), "is no XML")),
    }
}

fn begun(tag: &BytesStart<'_>, at: usize) -> Result<Element, String> {
    let mut element = Element { at, name: tag.name().as_ref().to_owned(), ..Element::default() };
    // The reader's own check compares each with all others.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = attribute.key.as_ref().to_owned();
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| e.to_string())?;
        if element.attributes.insert(name.clone(), value.into_owned()).is_some() {
            return Err(format!("the attribute `{name}` stands here twice"));
        }
    }
    Ok(element)
}

/// The character that a reference names: by number, or one of the five that XML knows.
fn character(name: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(c)) = name.resolve_char_ref() {
        return Some(c);
    }
    match &*name.xml10_content() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Makes of elements what a type wants. It goes down with the elements, whose depth is bounded.
struct Shaper<'a> {
    table: &'a TypeTable,
    source: &'a str,
}

impl Shaper<'_> {
    fn base(&self, ty: TypeId) -> &Type {
        match self.table.types().base(ty) {
            // Optionals do not nest.
            Type::Optional(inner) => self.table.types().base(*inner),
            other => other,
        }
    }

    fn shape(&self, ty: TypeId, element: &Element) -> Result<Node, Failure> {
        let kind = match self.base(ty) {
            Type::Record(record) => self.fields(&record.fields, element)?,
            Type::Enum(declared) if declared.has_payload() => {
                let kind = element.attributes.get("kind").map(String::as_str).or_else(|| {
                    element.children.iter().find(|c| c.name == "kind").map(|c| c.text.as_str())
                });
                let chosen = declared.variants.iter().find(|v| Some(v.wire.as_str()) == kind);
                let mut kind_and_fields = match chosen {
                    Some(variant) => self.fields(&variant.fields, element)?,
                    None => Kind::Map(IndexMap::new()),
                };
                if let (Kind::Map(map), Some(kind)) = (&mut kind_and_fields, kind) {
                    map.insert(json_kind(), text_node(element.at, kind));
                }
                kind_and_fields
            }
            Type::List(item) => {
                let items = element.children.iter().map(|child| self.shape(*item, child));
                Kind::List(items.collect::<Result<_, _>>()?)
            }
            Type::Map(_, value) => self.map(*value, element)?,
            Type::Json => return Ok(generic(element)),
            _ => return Ok(self.scalar(ty, element.at, &element.text)),
        };
        Ok(Node { at: element.at, kind })
    }

    fn fields(&self, fields: &[FieldType], element: &Element) -> Result<Kind, Failure> {
        let mut children: IndexMap<&str, Vec<&Element>> = IndexMap::new();
        for child in &element.children {
            children.entry(&child.name).or_default().push(child);
        }
        let mut map = IndexMap::new();
        for field in fields {
            let name = field.wire.as_str();
            let found = children.get(name).map_or(&[][..], Vec::as_slice);
            let node = if let Type::List(item) = self.base(field.ty) {
                let items = found.iter().map(|child| self.shape(*item, child));
                let at = found.first().map_or(element.at, |first| first.at);
                Some(Node { at, kind: Kind::List(items.collect::<Result<_, _>>()?) })
            } else if let Some(value) = element.attributes.get(name) {
                Some(self.scalar(field.ty, element.at, value))
            } else if name == TEXT {
                Some(self.scalar(field.ty, element.at, &element.text))
            } else {
                self.only(found)?.map(|child| self.shape(field.ty, child)).transpose()?
            };
            map.extend(node.map(|node| (name.to_owned(), node)));
        }
        Ok(Kind::Map(map))
    }

    /// The one element of a name where only one can be taken.
    fn only<'e>(&self, found: &[&'e Element]) -> Result<Option<&'e Element>, Failure> {
        match found {
            [_, second, ..] => {
                let why = format!("`<{}>` stands here twice; a list would take both", second.name);
                Err(broken(line_and_column(self.source, second.at), why))
            }
            _ => Ok(found.first().copied()),
        }
    }

    fn map(&self, value: TypeId, element: &Element) -> Result<Kind, Failure> {
        let mut children: IndexMap<&str, Vec<&Element>> = IndexMap::new();
        for child in &element.children {
            children.entry(&child.name).or_default().push(child);
        }
        let mut map: IndexMap<String, Node> = element
            .attributes
            .iter()
            .map(|(name, text)| (name.clone(), self.scalar(value, element.at, text)))
            .collect();
        for (name, found) in children {
            let node = if let Type::List(item) = self.base(value) {
                let items = found.iter().map(|child| self.shape(*item, child));
                Node { at: element.at, kind: Kind::List(items.collect::<Result<_, _>>()?) }
            } else {
                match self.only(&found)? {
                    Some(child) => self.shape(value, child)?,
                    None => continue,
                }
            };
            map.insert(name.to_owned(), node);
        }
        Ok(Kind::Map(map))
    }

    /// A text as the type reads it: numbers and truth values bare, all else as text.
    fn scalar(&self, ty: TypeId, at: usize, text: &str) -> Node {
        let bare = matches!(self.base(ty), Type::Int | Type::Float | Type::Bool | Type::Size);
        let is_text = matches!(self.base(ty), Type::Text | Type::Json);
        let optional = matches!(self.table.types().base(ty), Type::Optional(_));
        let json = if optional && !is_text && text.trim().is_empty() {
            Json::Null
        } else if bare {
            // What is no number stays text, and the decoder says what was expected instead.
            serde_json::from_str(text.trim())
                .ok()
                .filter(|json: &Json| json.is_number() || json.is_boolean())
                .unwrap_or_else(|| Json::from(text))
        } else if is_text {
            Json::from(text)
        } else {
            Json::from(text.trim())
        };
        Node { at, kind: Kind::Scalar(json) }
    }
}

fn json_kind() -> String {
    kait_engine::json::KIND.to_owned()
}

fn text_node(at: usize, text: &str) -> Node {
    Node { at, kind: Kind::Scalar(Json::from(text)) }
}

/// An element where any JSON is wanted: its text, or an object of attributes and children; what occurs more than once
/// is a list.
fn generic(element: &Element) -> Node {
    if element.attributes.is_empty() && element.children.is_empty() {
        return text_node(element.at, &element.text);
    }
    let mut map: IndexMap<String, Vec<Node>> = IndexMap::new();
    for (name, value) in &element.attributes {
        map.entry(name.clone()).or_default().push(text_node(element.at, value));
    }
    for child in &element.children {
        map.entry(child.name.clone()).or_default().push(generic(child));
    }
    if !element.text.trim().is_empty() {
        map.entry(TEXT.to_owned()).or_default().push(text_node(element.at, element.text.trim()));
    }
    let single = |mut nodes: Vec<Node>| match (nodes.pop(), nodes.is_empty()) {
        (Some(node), true) => node,
        (last, _) => {
            nodes.extend(last);
            Node { at: element.at, kind: Kind::List(nodes) }
        }
    };
    let map = map.into_iter().map(|(name, nodes)| (name, single(nodes))).collect();
    Node { at: element.at, kind: Kind::Map(map) }
}

pub(super) fn encode(json: &Json, root: &str) -> Result<String, Failure> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    write(&mut out, root, json, 0)?;
    Ok(out)
}

fn write(out: &mut String, name: &str, json: &Json, indent: usize) -> Result<(), Failure> {
    check_name(name)?;
    let pad = |out: &mut String, n: usize| out.extend(std::iter::repeat_n(' ', n));
    pad(out, indent);
    out.push('<');
    out.push_str(name);
    out.push('>');
    match json {
        Json::Array(items) => {
            out.push('\n');
            for item in items {
                write(out, ITEM, item, indent + 2)?;
            }
            pad(out, indent);
        }
        Json::Object(fields) => {
            let text = fields.get(TEXT).and_then(Json::as_str);
            if let Some(text) = text {
                escape(out, text)?;
            }
            let children = fields.iter().filter(|(key, _)| *key != TEXT);
            let mut broken_line = false;
            for (key, value) in children {
                let several = match value {
                    Json::Null => &[][..],
                    Json::Array(items) => items,
                    one => std::slice::from_ref(one),
                };
                for item in several {
                    if !broken_line {
                        out.push('\n');
                        broken_line = true;
                    }
                    write(out, key, item, indent + 2)?;
                }
            }
            if broken_line {
                pad(out, indent);
            }
        }
        Json::Null => {}
        Json::String(text) => escape(out, text)?,
        scalar => out.push_str(&scalar.to_string()),
    }
    out.push_str("</");
    out.push_str(name);
    out.push_str(">\n");
    Ok(())
}

fn check_name(name: &str) -> Result<(), Failure> {
    let first = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if first && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')) {
        return Ok(());
    }
    Err(Failure::invalid("", format!("`{name}` cannot be the name of an XML element")))
}

fn escape(out: &mut String, text: &str) -> Result<(), Failure> {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A bare one would be read as a line feed.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                let why = format!("XML cannot hold the character U+{:04X}", u32::from(c));
                return Err(Failure::invalid("", why));
            }
            _ => out.push(c),
        }
    }
    Ok(())
}
