//! Layered layout (after Sugiyama, Tagawa and Toda): every block is laid out on its own, from the inside out.
//!
//! Within a block items stand in layers, each below all that it needs; edges that pass layers get a lane of their own
//! there, so no edge crosses a box. Crossings are reduced by barycentres, in a fixed number of sweeps, so equal drawings
//! are laid out equally. Time is linear in items and lanes, but for sorting.

use super::{Drawing, Edge, EdgeKind, ItemKind};

/// Sizes in pixels.
const CHAR: f64 = 7.3;
const LINE: f64 = 17.0;
const PAD: f64 = 10.0;
const GAP_X: f64 = 22.0;
const GAP_Y: f64 = 34.0;
const LANE: f64 = 10.0;
const TITLE: f64 = 26.0;
/// How often the order of layers is improved.
const SWEEPS: usize = 6;
/// Widest label, in characters; longer ones are cut.
const MAX_CHARS: usize = 44;

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Boxes by item.
    pub(super) boxes: Vec<Box2>,
    /// Lines of text by item.
    pub(super) lines: Vec<Vec<String>>,
    /// Courses of edges: points from the source's lower to the target's upper border; straight down within layers,
    /// curved between them.
    pub(super) courses: Vec<(Edge, Vec<Leg>)>,
}

/// A box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Box2 {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

/// A vertical stretch of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Leg {
    pub(super) x: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

pub(super) fn layout(drawing: &Drawing) -> Layout {
    let count = drawing.items.len();
    let mut layout = Layout {
        boxes: vec![Box2::default(); count],
        lines: drawing.items.iter().map(lines).collect(),
        ..Layout::default()
    };
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); count + 1];
    for (at, item) in drawing.items.iter().enumerate() {
        let parent = item.parent.unwrap_or(count);
        if let Some(list) = children.get_mut(parent) {
            list.push(at);
        }
    }
    // Those that enclose come before what they enclose, so backwards is from the inside out.
    for at in (0..count).rev() {
        let Some(item) = drawing.items.get(at) else { continue };
        let own = text_size(layout.lines.get(at).map_or(&[][..], Vec::as_slice));
        let inner = children.get(at).map_or(&[][..], Vec::as_slice);
        let size = match item.kind {
            ItemKind::Form => row(&mut layout, inner, own),
            ItemKind::Block => {
                let (w, h) = block(drawing, &mut layout, inner, (PAD, TITLE));
                (w.max(own.0), h)
            }
            _ => own,
        };
        if let Some(place) = layout.boxes.get_mut(at) {
            (place.w, place.h) = size;
        }
    }
    let roots = children.get(count).map_or(&[][..], Vec::as_slice).to_vec();
    let (w, h) = block(drawing, &mut layout, &roots, (PAD, TITLE));
    (layout.width, layout.height) = (w, h);
    // Places are within their parents so far; parents come first.
    for at in 0..count {
        let parent = drawing.items.get(at).and_then(|item| item.parent);
        let Some(outer) = parent.and_then(|parent| layout.boxes.get(parent)).copied() else {
            continue;
        };
        if let Some(place) = layout.boxes.get_mut(at) {
            place.x += outer.x;
            place.y += outer.y;
        }
    }
    for (edge, legs) in &mut layout.courses {
        let parent = drawing.items.get(edge.to).and_then(|item| item.parent);
        let Some(outer) = parent.and_then(|parent| layout.boxes.get(parent)).copied() else {
            continue;
        };
        for leg in legs {
            leg.x += outer.x;
            leg.from += outer.y;
            leg.to += outer.y;
        }
    }
    control(drawing, &mut layout);
    layout
}

/// The lines of text of an item.
fn lines(item: &super::Item) -> Vec<String> {
    let cut = |text: &str| {
        let text = text.replace('\n', " ");
        if text.chars().count() <= MAX_CHARS {
            return text;
        }
        let mut short: String = text.chars().take(MAX_CHARS - 1).collect();
        short.push('…');
        short
    };
    let first = match item.kind {
        ItemKind::Result => format!("=> {}", item.label),
        _ => item.label.clone(),
    };
    let mut lines = vec![cut(&first)];
    if !item.detail.is_empty() && item.detail != item.label {
        lines.push(cut(&item.detail));
    }
    lines
}

fn width(text: &str) -> f64 {
    // East Asian characters are twice as wide.
    text.chars().map(|c| if c >= '\u{1100}' { 2.0 * CHAR } else { CHAR }).sum()
}

fn text_size(lines: &[String]) -> (f64, f64) {
    let widest = lines.iter().map(|line| width(line)).fold(0.0, f64::max);
    (widest + 2.0 * PAD, lines.len() as f64 * LINE + PAD)
}

/// A form: its head, and its blocks in a row below.
fn row(layout: &mut Layout, inner: &[usize], head: (f64, f64)) -> (f64, f64) {
    let mut x = PAD;
    let y = head.1 + GAP_Y;
    let mut deepest = 0f64;
    for at in inner {
        if let Some(place) = layout.boxes.get_mut(*at) {
            (place.x, place.y) = (x, y);
            x += place.w + GAP_X;
            deepest = deepest.max(place.h);
        }
    }
    ((x - GAP_X + PAD).max(head.0), y + deepest + PAD)
}

/// A place in a layer: an item, or the lane of an edge that passes.
#[derive(Clone, Copy)]
struct Cell {
    item: Option<usize>,
    w: f64,
    h: f64,
    x: f64,
}

/// Lays out the items of one block below and right of `origin`; gives the size of the block.
fn block(
    drawing: &Drawing,
    layout: &mut Layout,
    items: &[usize],
    origin: (f64, f64),
) -> (f64, f64) {
    let mut local = vec![None; drawing.items.len()];
    for (index, at) in items.iter().enumerate() {
        if let Some(slot) = local.get_mut(*at) {
            *slot = Some(index);
        }
    }
    let of = |at: usize| local.get(at).copied().flatten();
    let edges: Vec<(Edge, usize, usize)> = drawing
        .edges
        .iter()
        .filter(|edge| edge.kind != EdgeKind::Control)
        .filter_map(|edge| Some((*edge, of(edge.from)?, of(edge.to)?)))
        .collect();
    let layers = layers(drawing, items, &edges);
    let depth = layers.iter().max().map_or(0, |last| last + 1);
    let mut grid: Vec<Vec<Cell>> = vec![Vec::new(); depth];
    let mut cell_of = vec![(0usize, 0usize); items.len()];
    for (index, at) in items.iter().enumerate() {
        let size = layout.boxes.get(*at).copied().unwrap_or_default();
        let layer = layers.get(index).copied().unwrap_or(0);
        if let (Some(row), Some(cell)) = (grid.get_mut(layer), cell_of.get_mut(index)) {
            *cell = (layer, row.len());
            row.push(Cell { item: Some(*at), w: size.w, h: size.h, x: 0.0 });
        }
    }
    // Chains of cells from source to target: what lies between is a lane.
    let mut chains: Vec<(Edge, Vec<(usize, usize)>)> = Vec::new();
    for (edge, from, to) in edges {
        let (Some(start), Some(end)) = (cell_of.get(from).copied(), cell_of.get(to).copied())
        else {
            continue;
        };
        let mut chain = vec![start];
        for layer in start.0 + 1..end.0 {
            if let Some(row) = grid.get_mut(layer) {
                chain.push((layer, row.len()));
                row.push(Cell { item: None, w: LANE, h: 0.0, x: 0.0 });
            }
        }
        chain.push(end);
        chains.push((edge, chain));
    }
    let order = arrange(&mut grid, &chains);
    place(layout, &grid, &order, &chains, origin)
}

/// The layer of each item: below all that it needs. Inputs stand at the top, the result at the bottom.
fn layers(drawing: &Drawing, items: &[usize], edges: &[(Edge, usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0usize; items.len()];
    // Inputs that are first read late are listed late, so edges may point backwards in the list: relax until nothing
    // changes, which a block's order of nodes bounds.
    for _ in 0..items.len() {
        let mut changed = false;
        for (_, from, to) in edges {
            let wanted = layers.get(*from).map_or(0, |layer| layer + 1);
            if let Some(layer) = layers.get_mut(*to).filter(|layer| **layer < wanted) {
                *layer = wanted;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let last = layers.iter().copied().max().unwrap_or(0);
    for (index, at) in items.iter().enumerate() {
        let is_result = drawing.items.get(*at).is_some_and(|item| item.kind == ItemKind::Result);
        if let Some(layer) = layers.get_mut(index).filter(|_| is_result) {
            *layer = last;
        }
    }
    layers
}

/// The order of cells within each layer: a permutation per layer that keeps connected cells near each other.
fn arrange(grid: &mut [Vec<Cell>], chains: &[(Edge, Vec<(usize, usize)>)]) -> Vec<Vec<usize>> {
    let mut order: Vec<Vec<usize>> = grid.iter().map(|row| (0..row.len()).collect()).collect();
    let mut links: Vec<((usize, usize), (usize, usize))> = Vec::new();
    for (_, chain) in chains {
        links.extend(chain.iter().copied().zip(chain.iter().copied().skip(1)));
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let rows: Vec<usize> = if down {
            (1..grid.len()).collect()
        } else {
            (0..grid.len().saturating_sub(1)).rev().collect()
        };
        let mut by_row: Vec<Vec<(usize, (usize, usize))>> = vec![Vec::new(); grid.len()];
        for (above, below) in &links {
            let (own, other) = if down { (below, above) } else { (above, below) };
            if let Some(list) = by_row.get_mut(own.0) {
                list.push((own.1, *other));
            }
        }
        for row in rows {
            let mut sums = vec![(0.0, 0u32); grid.get(row).map_or(0, Vec::len)];
            for (cell, other) in by_row.get(row).map_or(&[][..], Vec::as_slice) {
                let neighbours = order.get(other.0).map_or(&[][..], Vec::as_slice);
                let middle = (neighbours.len() as f64 - 1.0) / 2.0;
                let at = neighbours.iter().position(|c| *c == other.1).unwrap_or(0) as f64 - middle;
                if let Some(sum) = sums.get_mut(*cell) {
                    sum.0 += at;
                    sum.1 += 1;
                }
            }
            let Some(cells) = order.get_mut(row) else { continue };
            let middle = (cells.len() as f64 - 1.0) / 2.0;
            let mut keyed: Vec<(f64, usize)> = cells
                .iter()
                .enumerate()
                .map(|(at, cell)| match sums.get(*cell) {
                    Some((sum, count)) if *count > 0 => (sum / f64::from(*count), *cell),
                    // What is not connected stays where it is.
                    _ => (at as f64 - middle, *cell),
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *cells = keyed.into_iter().map(|(_, cell)| cell).collect();
        }
    }
    // Places across: each layer is centred.
    let width = |row: &[Cell]| row.iter().map(|c| c.w + GAP_X).sum::<f64>() - GAP_X;
    let widest = grid.iter().map(|row| width(row)).fold(0.0, f64::max);
    for (row, cells) in grid.iter_mut().zip(&order) {
        let mut x = (widest - width(row)) / 2.0;
        for cell in cells {
            if let Some(cell) = row.get_mut(*cell) {
                cell.x = x;
                x += cell.w + GAP_X;
            }
        }
    }
    order
}

fn place(
    layout: &mut Layout,
    grid: &[Vec<Cell>],
    order: &[Vec<usize>],
    chains: &[(Edge, Vec<(usize, usize)>)],
    origin: (f64, f64),
) -> (f64, f64) {
    let mut tops = Vec::with_capacity(grid.len());
    let mut y = origin.1;
    let mut widest = 0f64;
    for (row, _) in grid.iter().zip(order) {
        let tallest = row.iter().map(|cell| cell.h).fold(0.0, f64::max);
        tops.push((y, y + tallest));
        for cell in row {
            widest = widest.max(cell.x + cell.w);
            if let Some(place) = cell.item.and_then(|item| layout.boxes.get_mut(item)) {
                place.x = origin.0 + cell.x;
                place.y = y;
            }
        }
        y += tallest + GAP_Y;
    }
    for (edge, chain) in chains {
        let mut legs = Vec::with_capacity(chain.len());
        for (index, (layer, cell)) in chain.iter().enumerate() {
            let Some(found) = grid.get(*layer).and_then(|row| row.get(*cell)) else { continue };
            let (top, bottom) = tops.get(*layer).copied().unwrap_or_default();
            let x = origin.0 + found.x + found.w / 2.0;
            legs.push(match index {
                // From the box's lower border straight down to the layer's, so that taller neighbours are not crossed.
                0 => Leg { x, from: top + found.h, to: bottom },
                _ if index + 1 == chain.len() => Leg { x, from: top, to: top },
                _ => Leg { x, from: top, to: bottom },
            });
        }
        layout.courses.push((*edge, legs));
    }
    (widest + origin.0 + PAD, (y - GAP_Y).max(origin.1) + PAD)
}

/// Control edges lead from the head of a form to its blocks.
fn control(drawing: &Drawing, layout: &mut Layout) {
    for edge in drawing.edges.iter().filter(|edge| edge.kind == EdgeKind::Control) {
        let (Some(form), Some(block)) = (layout.boxes.get(edge.from), layout.boxes.get(edge.to))
        else {
            continue;
        };
        let head = text_size(layout.lines.get(edge.from).map_or(&[][..], Vec::as_slice)).1;
        let start = Leg { x: form.x + form.w / 2.0, from: form.y + head, to: form.y + head };
        let end = Leg { x: block.x + block.w / 2.0, from: block.y, to: block.y };
        layout.courses.push((*edge, vec![start, end]));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Item, ItemKind, drawing, json, mermaid, plan, svg, text};
    use super::*;
    use crate::program::GraphId;

    fn overlap(a: &Box2, b: &Box2) -> bool {
        a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
    }

    fn inside(inner: &Box2, outer: &Box2) -> bool {
        inner.x >= outer.x
            && inner.y >= outer.y
            && inner.x + inner.w <= outer.x + outer.w
            && inner.y + inner.h <= outer.y + outer.h
    }

    fn check(drawing: &Drawing) {
        let layout = layout(drawing);
        let whole = Box2 { x: 0.0, y: 0.0, w: layout.width, h: layout.height };
        let all: Vec<(&Item, &Box2)> = drawing.items.iter().zip(&layout.boxes).collect();
        for (index, (item, place)) in all.iter().enumerate() {
            let outer = item.parent.map_or(&whole, |parent| all[parent].1);
            assert!(inside(place, outer), "{} leaves its box", item.label);
            for (other, second) in all.iter().skip(index + 1) {
                let apart = item.parent != other.parent || !overlap(place, second);
                assert!(apart, "{} and {} overlap", item.label, other.label);
            }
        }
        // A course passes no box but those that it connects.
        for (edge, legs) in &layout.courses {
            let parent = drawing.items[edge.to].parent;
            for leg in legs {
                let line = Box2 { x: leg.x, y: leg.from, w: 0.1, h: (leg.to - leg.from).max(0.1) };
                for (at, (item, place)) in all.iter().enumerate() {
                    if item.parent == parent && at != edge.from && at != edge.to {
                        assert!(!overlap(&line, place), "{edge:?} passes {}", item.label);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_overlaps_in_a_drawing_of_everything() {
        let program = crate::tests::specimen();
        for graph in 0..3 {
            let drawing = drawing(&program, GraphId(graph));
            check(&drawing);
            let again = svg(&program, GraphId(graph));
            assert_eq!(again, svg(&program, GraphId(graph)), "the same program, the same drawing");
        }
        assert!(drawing(&program, GraphId(0)).edges.iter().any(|e| e.kind == EdgeKind::Order));
    }

    #[test]
    fn lanes_keep_long_edges_away_from_boxes() {
        // A chain in which everything needs everything above it.
        let item = |at: usize| Item {
            label: format!("node {at}"),
            ..super::super::item(ItemKind::Pure, "")
        };
        let items: Vec<Item> = (0..12).map(item).collect();
        let edges = (0..12)
            .flat_map(|to| (0..to).map(move |from| Edge { from, to, kind: EdgeKind::Data }))
            .collect();
        check(&Drawing { title: String::new(), name: "".into(), items, edges, cut: false });
    }

    #[test]
    fn every_rendering_names_every_node() {
        let program = crate::tests::specimen();
        let id = GraphId(0);
        let (tree, chart, image) = (text(&program, id), mermaid(&program, id), svg(&program, id));
        for node in ["pure", "call", "pay", "model", "switch", "map", "loop", "race", "policy"] {
            for (what, drawn) in [("text", &tree), ("mermaid", &chart), ("svg", &image)] {
                assert!(drawn.contains(node), "{node} is not in the {what}:\n{drawn}");
            }
        }
        let data = json(&program, id);
        assert_eq!(data["schema"], "kait.graph/1");
        assert_eq!(data["nodes"].as_array().map(Vec::len), Some(drawing(&program, id).items.len()));
        let listing = plan(&program, id).to_string();
        assert!(
            listing.contains("write payments") && listing.contains("models: fast"),
            "{listing}"
        );
    }
}
