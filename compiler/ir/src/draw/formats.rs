//! Drawings as a tree of text, as Mermaid, and as JSON.

use std::fmt::Write;

use serde_json::{Value as Json, json as object};

use super::{Drawing, EdgeKind, ItemKind, drawing};
use crate::program::{GraphId, Program};

/// A graph as a tree: one line a node, blocks indented, what a node needs behind the arrow.
pub fn text(program: &Program, id: GraphId) -> String {
    let drawing = drawing(program, id);
    let mut out = format!("{}\n", drawing.title);
    branch(&drawing, None, "", &mut out);
    if drawing.cut {
        out.push_str("… (there is more than a drawing holds)\n");
    }
    out
}

fn branch(drawing: &Drawing, parent: Option<usize>, indent: &str, out: &mut String) {
    let hidden = |kind: ItemKind| matches!(kind, ItemKind::Input | ItemKind::Outer);
    let children: Vec<usize> = drawing
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.parent == parent && !hidden(item.kind))
        .map(|(at, _)| at)
        .collect();
    for (index, at) in children.iter().enumerate() {
        let Some(item) = drawing.items.get(*at) else { continue };
        let last = index + 1 == children.len();
        let (here, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let names = |kind: EdgeKind| {
            let from = drawing.edges.iter().filter(|edge| edge.to == *at && edge.kind == kind);
            let labels = from.filter_map(|edge| drawing.items.get(edge.from));
            labels.map(|item| item.label.clone()).collect::<Vec<_>>().join(", ")
        };
        let mut line = match item.kind {
            ItemKind::Result => format!("=> {}", item.label),
            ItemKind::Block => format!("{}:", item.label),
            _ if item.detail.is_empty() || item.detail == item.label => item.label.clone(),
            _ => format!("{} = {}", item.label, item.detail),
        };
        if !matches!(item.kind, ItemKind::Block | ItemKind::Result) {
            let needs = names(EdgeKind::Data);
            if !needs.is_empty() {
                let _ = write!(line, " ← {needs}");
            }
            let after = names(EdgeKind::Order);
            if !after.is_empty() {
                let _ = write!(line, " after {after}");
            }
            line += &notes(item);
        }
        let _ = writeln!(out, "{indent}{here}{line}");
        branch(drawing, Some(*at), &format!("{indent}{below}"), out);
    }
}

/// What else is worth knowing about an item, in brackets.
fn notes(item: &super::Item) -> String {
    let mut notes: Vec<String> = Vec::new();
    notes.extend(item.writes.iter().map(|resource| format!("writes {resource}")));
    notes.extend(item.reads.iter().map(|resource| format!("reads {resource}")));
    if item.gated {
        notes.push("waits for all above".into());
    }
    if item.guard {
        notes.push("all below waits".into());
    }
    if item.grows {
        notes.push("grows".into());
    }
    if notes.is_empty() { String::new() } else { format!("  [{}]", notes.join(", ")) }
}

/// A graph as a Mermaid flowchart: data edges solid, order dashed, gates dashed and named.
pub fn mermaid(program: &Program, id: GraphId) -> String {
    let drawing = drawing(program, id);
    let mut out = String::from("flowchart TD\n");
    let _ = writeln!(out, "  %% {}", drawing.title.replace('\n', " "));
    subgraphs(&drawing, None, 1, &mut out);
    for edge in &drawing.edges {
        let arrow = match edge.kind {
            EdgeKind::Data => "-->",
            EdgeKind::Order => "-.->",
            EdgeKind::Gate => "-.->|gate|",
            // What a subgraph encloses is seen to belong to it.
            EdgeKind::Control => continue,
        };
        let _ = writeln!(out, "  n{} {arrow} n{}", edge.from, edge.to);
    }
    out
}

fn subgraphs(drawing: &Drawing, parent: Option<usize>, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for (at, item) in drawing.items.iter().enumerate().filter(|(_, item)| item.parent == parent) {
        let label = match (item.detail.as_str(), &item.ty) {
            ("", _) => quote(&item.label),
            (detail, _) if detail == item.label => quote(&item.label),
            (detail, _) => format!("{}<br/>{}", quote(&item.label), quote(detail)),
        };
        if matches!(item.kind, ItemKind::Form | ItemKind::Block) {
            let _ = writeln!(out, "{indent}subgraph n{at}[\"{label}\"]");
            subgraphs(drawing, Some(at), depth + 1, out);
            let _ = writeln!(out, "{indent}end");
            continue;
        }
        let (open, close) = match item.kind {
            ItemKind::Input | ItemKind::Outer => ("([", "])"),
            ItemKind::Result => ("[/", "/]"),
            ItemKind::Model => ("{{", "}}"),
            ItemKind::Write => ("[[", "]]"),
            ItemKind::Person => (">", "]"),
            ItemKind::Read | ItemKind::Other => ("[(", ")]"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "{indent}n{at}{open}\"{label}\"{close}");
    }
}

/// Text within quotes of Mermaid.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A graph as data: `{"schema": "kait.graph/1", "graph", "title", "nodes": […], "edges": […]}`.
pub fn json(program: &Program, id: GraphId) -> Json {
    let drawing = drawing(program, id);
    let nodes = drawing.items.iter().enumerate().map(|(at, item)| {
        object!({
            "id": at,
            "parent": item.parent,
            "kind": item.kind.word(),
            "path": item.path,
            "label": item.label,
            "detail": item.detail,
            "type": item.ty,
            "grows": item.grows,
            "gated": item.gated,
            "guard": item.guard,
            "reads": item.reads,
            "writes": item.writes,
        })
    });
    let edges = drawing
        .edges
        .iter()
        .map(|edge| object!({ "from": edge.from, "to": edge.to, "kind": edge.kind.word() }));
    object!({
        "schema": "kait.graph/1",
        "graph": drawing.name,
        "title": drawing.title,
        "plan": crate::hash(program).to_string(),
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "cut": drawing.cut,
    })
}
