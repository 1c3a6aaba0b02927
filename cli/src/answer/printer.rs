//! Prints a value while it fills in: fields in declaration order, each as soon as everything before it is there.
//!
//! The printer remembers where it stands and never looks back, so its work is linear in what it prints.

use kait_engine::check::TypeTable;
use kait_ir::TypeId;
use serde_json::Value as Json;

use super::doc::{Content, Part, item, keys};

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// JSON, indented by two.
    Json,
    /// For people: `name: value`, `- item`.
    Readable,
}

/// Where the printer stands in the value.
#[derive(Debug)]
pub struct Printer<'t> {
    style: Style,
    table: &'t TypeTable,
    ty: TypeId,
    /// Containers that are open, outermost first.
    stack: Vec<Open>,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before the current part.
    Part,
    /// In a text, of which so many bytes are printed.
    Text(usize),
    /// Behind a part (or at the beginning) of the innermost open container.
    Between,
    /// Behind the whole.
    End,
}

#[derive(Debug)]
struct Open {
    /// Parts that are printed, or passed over because they are left out.
    passed: usize,
    /// Whether any part was printed.
    any: bool,
    /// The key of the current part, if it is an object.
    key: Option<String>,
    /// The type of the current part.
    ty: TypeId,
}

/// What comes next in a container.
enum Next {
    Part { at: usize, key: Option<String>, ty: TypeId },
    Wait,
    End,
}

impl<'t> Printer<'t> {
    /// At the beginning of a value of that type.
    pub fn new(style: Style, table: &'t TypeTable, ty: TypeId) -> Self {
        Self { style, table, ty, stack: Vec::new(), at: At::Part }
    }

    /// Appends to `out` what can be printed now.
    pub fn advance(&mut self, root: &Part, out: &mut String) {
        loop {
            match self.at {
                At::End => return,
                At::Part => {
                    let Some((part, _)) = self.part(root, self.stack.len()) else { return };
                    match &part.content {
                        Content::Nothing => return,
                        Content::Scalar(json) => {
                            self.write_scalar(json, out);
                            self.at = At::Between;
                        }
                        Content::Text(_) => {
                            self.begin_text(out);
                            self.at = At::Text(0);
                        }
                        Content::List(_) | Content::Object(_) => {
                            let ty = self.ty;
                            self.stack.push(Open { passed: 0, any: false, key: None, ty });
                            self.at = At::Between;
                        }
                    }
                }
                At::Text(from) => {
                    let Some((part, _)) = self.part(root, self.stack.len()) else { return };
                    let Content::Text(text) = &part.content else { return };
                    self.write_text(text.get(from..).unwrap_or_default(), out);
                    self.at = At::Text(text.len());
                    if !part.complete {
                        return;
                    }
                    if self.style == Style::Json {
                        out.push('"');
                    }
                    self.at = At::Between;
                }
                At::Between => {
                    let Some(above) = self.stack.len().checked_sub(1) else {
                        self.at = At::End;
                        return;
                    };
                    let Some((container, ty)) = self.part(root, above) else { return };
                    if !self.between(container, ty, out) {
                        return;
                    }
                }
            }
        }
    }

    /// The part that is reached through the `depth` outermost open containers, with its type.
    fn part<'r>(&self, root: &'r Part, depth: usize) -> Option<(&'r Part, TypeId)> {
        self.stack.iter().take(depth).try_fold((root, self.ty), |(part, _), open| {
            let next = match (&part.content, &open.key) {
                (Content::List(items), None) => items.get(open.passed),
                (Content::Object(fields), Some(key)) => {
                    fields.iter().find(|(k, _)| k == key).map(|(_, part)| part)
                }
                _ => None,
            };
            next.map(|part| (part, open.ty))
        })
    }

    /// Goes on in the innermost container; `false` if what comes next is not there yet.
    fn between(&mut self, container: &Part, ty: TypeId, out: &mut String) -> bool {
        let Some(open) = self.stack.last_mut() else { return false };
        // Having come from a part, that part is passed.
        let from = open.passed + usize::from(open.key.is_some() || open.any);
        let list = matches!(container.content, Content::List(_));
        match next(self.table, ty, container, from) {
            Next::Wait => false,
            Next::Part { at, key, ty } => {
                let first = !open.any;
                *open = Open { passed: at, any: true, key, ty };
                if first && self.style == Style::Json {
                    out.push(if list { '[' } else { '{' });
                }
                self.lead_in(first, out);
                self.at = At::Part;
                true
            }
            Next::End => {
                let any = open.any;
                self.stack.pop();
                match self.style {
                    Style::Json if any => {
                        out.push('\n');
                        self.indent(self.stack.len(), out);
                        out.push(if list { ']' } else { '}' });
                    }
                    Style::Json => out.push_str(if list { "[]" } else { "{}" }),
                    Style::Readable if any => {}
                    Style::Readable => {
                        out.push_str(if self.stack.is_empty() { "(none)" } else { " (none)" });
                    }
                }
                true
            }
        }
    }

    fn indent(&self, depth: usize, out: &mut String) {
        for _ in 0..depth {
            out.push_str("  ");
        }
    }

    /// What stands before a part: separator, indentation, key or dash.
    fn lead_in(&self, first: bool, out: &mut String) {
        let depth = self.stack.len();
        let Some(open) = self.stack.last() else { return };
        match self.style {
            Style::Json => {
                out.push_str(if first { "\n" } else { ",\n" });
                self.indent(depth, out);
                if let Some(key) = &open.key {
                    out.push_str(&Json::String(key.clone()).to_string());
                    out.push_str(": ");
                }
            }
            Style::Readable => {
                if !(depth == 1 && first) {
                    out.push('\n');
                }
                self.indent(depth - 1, out);
                match &open.key {
                    Some(key) => {
                        out.push_str(key);
                        out.push(':');
                    }
                    None => out.push('-'),
                }
            }
        }
    }

    fn begin_text(&self, out: &mut String) {
        match self.style {
            Style::Json => out.push('"'),
            Style::Readable if self.stack.is_empty() => {}
            Style::Readable => out.push(' '),
        }
    }

    fn write_text(&self, text: &str, out: &mut String) {
        match self.style {
            Style::Json => {
                let quoted = Json::String(text.to_owned()).to_string();
                out.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
            }
            Style::Readable => {
                // Further lines stand under the first.
                for (i, line) in text.split('\n').enumerate() {
                    if i > 0 {
                        out.push('\n');
                        self.indent(self.stack.len(), out);
                    }
                    out.push_str(line);
                }
            }
        }
    }

    fn write_scalar(&self, json: &Json, out: &mut String) {
        if self.style == Style::Readable && !self.stack.is_empty() {
            out.push(' ');
        }
        match (self.style, json) {
            (Style::Readable, Json::Null) => out.push_str("none"),
            (_, json) => out.push_str(&json.to_string()),
        }
    }
}

/// The first part at or after `from` that is there; parts that a complete object leaves out are passed over.
fn next(table: &TypeTable, ty: TypeId, container: &Part, from: usize) -> Next {
    let over = || if container.complete { Next::End } else { Next::Wait };
    match &container.content {
        Content::List(items) if from < items.len() => {
            Next::Part { at: from, key: None, ty: item(table, ty) }
        }
        Content::Object(fields) => {
            for (at, (key, ty)) in keys(table, ty, fields).into_iter().enumerate().skip(from) {
                if fields.iter().any(|(k, _)| *k == key) {
                    return Next::Part { at, key: Some(key), ty };
                }
                if !container.complete {
                    return Next::Wait;
                }
            }
            over()
        }
        _ => over(),
    }
}
