//! Drawings as SVG: one file, no scripts, no fonts to load.

use std::fmt::Write;

use super::layout::{Box2, Layout, Leg, layout};
use super::{Drawing, EdgeKind, Item, ItemKind, drawing};
use crate::program::{GraphId, Program};

/// Room for title and legend.
const HEAD: f64 = 34.0;
const FOOT: f64 = 30.0;

const STYLE: &str = "\
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1c2430}\
.title{font-weight:600;font-size:14px}.soft{fill:#5b6675}\
rect{fill:#fff;stroke:#8a94a3}\
.input rect,.outer rect,.result rect{fill:#f3f4f6;stroke:#b6bdc9}\
.model rect{fill:#efe7fd;stroke:#8b5cf6}.read rect{fill:#e3f0fd;stroke:#3b82f6}\
.write rect{fill:#fde6e0;stroke:#e0532f}.person rect{fill:#fce3ee;stroke:#d6357e}.effect rect{fill:#fdf3d7;stroke:#d19a1c}\
.call rect{fill:#e4f5ea;stroke:#2f9e5f}.form>rect{fill:#fafbfc}.block>rect{fill:#fff;stroke:#c9cfd8}\
.guard>rect{stroke-width:2.5}\
path{fill:none;stroke:#4b5563;stroke-width:1.3}\
path.order{stroke:#b45309;stroke-dasharray:6 4}path.gate{stroke:#be3a5b;stroke-dasharray:2 3}path.control{stroke:#9aa4b2;stroke-dasharray:1.5 3.5}";

/// A graph as an SVG image: data edges solid, order and gates dashed, control dotted.
pub fn svg(program: &Program, id: GraphId) -> String {
    let drawing = drawing(program, id);
    let layout = layout(&drawing);
    let title = format!("graph {}", drawing.title);
    let width = layout.width.max(title.chars().count() as f64 * 8.8 + 20.0).max(330.0);
    let height = layout.height + HEAD + FOOT;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">\n\
         <style>{STYLE}</style>\n<defs>{}{}{}{}</defs>\n\
         <rect width=\"100%\" height=\"100%\" style=\"stroke:none\"/>\n\
         <text class=\"title\" x=\"10\" y=\"24\">{}</text>\n<g transform=\"translate(0 {HEAD})\">\n",
        marker("data", "#4b5563"),
        marker("order", "#b45309"),
        marker("gate", "#be3a5b"),
        marker("control", "#9aa4b2"),
        escape(&title),
    );
    boxes(&drawing, &layout, &mut out);
    for (edge, legs) in &layout.courses {
        let word = edge.kind.word();
        let _ = writeln!(
            out,
            "<path class=\"{word}\" d=\"{}\" marker-end=\"url(#{word})\"/>",
            course(legs)
        );
    }
    out.push_str("</g>\n");
    legend(&drawing, height - 12.0, &mut out);
    out.push_str("</svg>\n");
    out
}

fn marker(name: &str, colour: &str) -> String {
    format!(
        "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\" style=\"fill:{colour};stroke:none\"/></marker>"
    )
}

/// Enclosing boxes first, so that they lie below.
fn boxes(drawing: &Drawing, layout: &Layout, out: &mut String) {
    for ((item, place), lines) in drawing.items.iter().zip(&layout.boxes).zip(&layout.lines) {
        let Box2 { x, y, w, h } = *place;
        let guard = if item.guard { " guard" } else { "" };
        let round = match item.kind {
            ItemKind::Input | ItemKind::Outer => h / 2.0,
            _ => 5.0,
        };
        let _ = write!(
            out,
            "<g class=\"{}{guard}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{round:.1}\"/>",
            item.kind.word(),
            escape(&tooltip(item)),
        );
        let centred = !matches!(item.kind, ItemKind::Form | ItemKind::Block);
        for (index, line) in lines.iter().enumerate() {
            let (tx, anchor) = match (centred, item.kind) {
                (false, ItemKind::Block) => (x + 8.0, "start"),
                _ => (x + w / 2.0, "middle"),
            };
            let soft =
                if index > 0 || item.kind == ItemKind::Block { " class=\"soft\"" } else { "" };
            let _ = write!(
                out,
                "<text x=\"{tx:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\"{soft}>{}</text>",
                y + 17.0 + index as f64 * 17.0,
                escape(line),
            );
        }
        out.push_str("</g>\n");
    }
}

fn tooltip(item: &Item) -> String {
    let mut text = if item.path.is_empty() { item.label.clone() } else { item.path.clone() };
    if let Some(ty) = &item.ty {
        let _ = write!(text, ": {ty}");
    }
    let facts = [
        (item.grows, "grows"),
        (item.gated, "waits for all above"),
        (item.guard, "all below waits"),
    ];
    for (_, word) in facts.iter().filter(|(on, _)| *on) {
        let _ = write!(text, " · {word}");
    }
    for resource in &item.reads {
        let _ = write!(text, " · reads {resource}");
    }
    for resource in &item.writes {
        let _ = write!(text, " · writes {resource}");
    }
    text
}

/// Straight within layers, curved between them.
fn course(legs: &[Leg]) -> String {
    let mut out = String::new();
    let mut before: Option<Leg> = None;
    for leg in legs {
        match before {
            None => {
                let _ = write!(out, "M{:.1} {:.1}V{:.1}", leg.x, leg.from, leg.to);
            }
            Some(last) => {
                let middle = (last.to + leg.from) / 2.0;
                let _ = write!(
                    out,
                    "C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}",
                    last.x, leg.x, leg.x, leg.from
                );
                if leg.to > leg.from {
                    let _ = write!(out, "V{:.1}", leg.to);
                }
            }
        }
        before = Some(*leg);
    }
    out
}

fn legend(drawing: &Drawing, y: f64, out: &mut String) {
    let mut x = 10.0;
    for kind in [EdgeKind::Data, EdgeKind::Order, EdgeKind::Gate, EdgeKind::Control] {
        if !drawing.edges.iter().any(|edge| edge.kind == kind) {
            continue;
        }
        let word = kind.word();
        let _ = writeln!(
            out,
            "<path class=\"{word}\" d=\"M{x:.0} {:.0}H{:.0}\"/><text class=\"soft\" x=\"{:.0}\" y=\"{y:.0}\">{word}</text>",
            y - 4.0,
            x + 28.0,
            x + 34.0,
        );
        x += 100.0;
    }
}

/// Text of XML; characters that XML does not have are left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
