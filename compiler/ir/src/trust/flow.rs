//! Values as this pass knows them: a label, and as much of their make as tells parts apart.

use std::rc::Rc;

use super::label::Label;
use super::types::TypeFacts;
use crate::types::{Trust, Type, TypeId};

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Of the whole, but for fields whose own word says it.
    pub(super) label: Label,
    pub(super) shape: Shape,
    depth: u8,
}

/// What a value is made of.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// It fits any type: a constant of the program, or no value at all.
    Any,
    /// The label says all.
    Unknown,
    /// A text, or another value without parts.
    Plain,
    /// A number.
    Number,
    /// A value of this type.
    Typed(TypeId),
    /// A record that was made here, of which nobody has said yet what its fields are called.
    Record(Rc<[Flow]>),
    /// One of these variants, which were made here.
    Variants(Rc<[(u32, Rc<[Flow]>)]>),
    /// A list of such items.
    List(Rc<Flow>),
    /// A map of such keys and values.
    Map(Rc<(Flow, Flow)>),
}

/// What is made deeper than this is not told apart any more.
const MAX_DEPTH: u8 = 12;

impl Flow {
    pub(super) const ANY: Self = Self { label: Label::CLEAR, shape: Shape::Any, depth: 0 };
    pub(super) const OUTSIDE: Self = Self { label: Label::MARKED, shape: Shape::Unknown, depth: 0 };

    pub(super) fn of(label: Label, shape: Shape) -> Self {
        Self { label, shape, depth: 0 }
    }
}

/// What becomes of a value at a place that has a type.
pub(super) struct Conformed {
    pub(super) flow: Flow,
    /// Of the parts that must be trusted there.
    pub(super) wants: Label,
    pub(super) fits: bool,
}

/// Values and types, with a bound for what is looked at of values whose parts are shared.
pub(super) struct Values<'p> {
    pub(super) types: TypeFacts<'p>,
    fuel: u64,
}

impl<'p> Values<'p> {
    pub(super) fn new(types: TypeFacts<'p>, fuel: u64) -> Self {
        Self { types, fuel }
    }

    /// Takes a step; none is left for a program in which too much is shared.
    fn step(&mut self) -> bool {
        match self.fuel.checked_sub(1) {
            Some(rest) => {
                self.fuel = rest;
                true
            }
            None => false,
        }
    }

    /// A value of a type: one that only chooses vouches for itself.
    pub(super) fn typed(&self, label: Label, ty: TypeId) -> Flow {
        let label = if self.types.get(ty).closed { Label::CLEAR } else { label };
        Flow::of(label, Shape::Typed(ty))
    }

    /// The label of all of a value, whatever the words of its fields say.
    pub(super) fn opaque(&mut self, flow: &Flow) -> Label {
        if !self.step() {
            return Label::MARKED;
        }
        match &flow.shape {
            Shape::Typed(ty) if self.types.get(*ty).holds_marked => flow.label.join(Label::MARKED),
            Shape::Record(parts) => self.opaque_all(flow.label, parts),
            Shape::Variants(all) => {
                all.iter().fold(flow.label, |label, (_, parts)| self.opaque_all(label, parts))
            }
            Shape::List(item) => flow.label.join(self.opaque(item)),
            Shape::Map(pair) => flow.label.join(self.opaque(&pair.0)).join(self.opaque(&pair.1)),
            _ => flow.label,
        }
    }

    fn opaque_all(&mut self, label: Label, parts: &[Flow]) -> Label {
        parts.iter().fold(label, |all, part| all.join(self.opaque(part)))
    }

    /// A value of which nothing is told apart.
    pub(super) fn blurred(&mut self, flow: &Flow) -> Flow {
        Flow::of(self.opaque(flow), Shape::Unknown)
    }

    /// A value that is made of others.
    fn made(&mut self, parts: &[&Flow], shape: Shape) -> Flow {
        let label = parts.iter().fold(Label::CLEAR, |all, part| all.join(part.label));
        let depth = parts.iter().map(|part| part.depth).max().unwrap_or(0).saturating_add(1);
        let flow = Flow { label, shape, depth };
        if depth > MAX_DEPTH { self.blurred(&flow) } else { flow }
    }

    pub(super) fn record(&mut self, parts: Vec<Flow>) -> Flow {
        let all: Vec<&Flow> = parts.iter().collect();
        let shape = Shape::Record(parts.iter().cloned().collect());
        self.made(&all, shape)
    }

    pub(super) fn variant(&mut self, tag: u32, parts: Vec<Flow>) -> Flow {
        let all: Vec<&Flow> = parts.iter().collect();
        let parts: Rc<[Flow]> = parts.iter().cloned().collect();
        self.made(&all, Shape::Variants(Rc::new([(tag, parts)])))
    }

    pub(super) fn list(&mut self, item: Flow) -> Flow {
        self.made(&[&item], Shape::List(Rc::new(item.clone())))
    }

    pub(super) fn map(&mut self, key: Flow, value: Flow) -> Flow {
        let shape = Shape::Map(Rc::new((key.clone(), value.clone())));
        self.made(&[&key, &value], shape)
    }

    /// One value or the other.
    pub(super) fn join(&mut self, a: &Flow, b: &Flow) -> Flow {
        let label = a.label.join(b.label);
        if !self.step() {
            return Flow::OUTSIDE;
        }
        let shape = match (&a.shape, &b.shape) {
            (Shape::Any, _) => return Flow { label, ..b.clone() },
            (_, Shape::Any) => return Flow { label, ..a.clone() },
            (Shape::Plain, Shape::Plain | Shape::Number) | (Shape::Number, Shape::Plain) => {
                Shape::Plain
            }
            (Shape::Number, Shape::Number) => Shape::Number,
            (Shape::Typed(x), Shape::Typed(y)) if self.types.agree(*x, *y, false) => {
                return Flow::of(label, Shape::Typed(*y));
            }
            (Shape::Typed(x), Shape::Typed(y)) if self.types.agree(*y, *x, false) => {
                return Flow::of(label, Shape::Typed(*x));
            }
            (Shape::Typed(ty), _) => return self.one_of(b, *ty, a),
            (_, Shape::Typed(ty)) => return self.one_of(a, *ty, b),
            (Shape::Record(x), Shape::Record(y)) if x.len() == y.len() => {
                let (x, y) = (Rc::clone(x), Rc::clone(y));
                let parts = self.zip(&x, &y);
                return self.record(parts);
            }
            (Shape::Variants(x), Shape::Variants(y)) => {
                let (x, y) = (Rc::clone(x), Rc::clone(y));
                return self.variants(&x, &y);
            }
            (Shape::List(x), Shape::List(y)) => {
                let (x, y) = (Rc::clone(x), Rc::clone(y));
                let item = self.join(&x, &y);
                return self.list(item);
            }
            (Shape::Map(x), Shape::Map(y)) => {
                let (x, y) = (Rc::clone(x), Rc::clone(y));
                let key = self.join(&x.0, &y.0);
                let value = self.join(&x.1, &y.1);
                return self.map(key, value);
            }
            _ => Shape::Unknown,
        };
        if matches!(shape, Shape::Unknown) {
            let label = self.opaque(a).join(self.opaque(b));
            return Flow::of(label, shape);
        }
        Flow::of(label, shape)
    }

    /// A value that was made here beside one of a type.
    fn one_of(&mut self, made: &Flow, ty: TypeId, typed: &Flow) -> Flow {
        let found = self.conform(made, ty, false);
        if found.fits && found.wants.is_clear() {
            return Flow::of(found.flow.label.join(typed.label), Shape::Typed(ty));
        }
        let label = self.opaque(made).join(self.opaque(typed));
        Flow::of(label, Shape::Unknown)
    }

    fn zip(&mut self, a: &[Flow], b: &[Flow]) -> Vec<Flow> {
        a.iter().zip(b).map(|(a, b)| self.join(a, b)).collect()
    }

    fn variants(&mut self, a: &[(u32, Rc<[Flow]>)], b: &[(u32, Rc<[Flow]>)]) -> Flow {
        let mut all: Vec<(u32, Rc<[Flow]>)> = a.to_vec();
        for (tag, parts) in b {
            match all.iter_mut().find(|(known, of)| known == tag && of.len() == parts.len()) {
                Some((_, known)) => *known = self.zip(&Rc::clone(known), parts).into(),
                None => all.push((*tag, Rc::clone(parts))),
            }
        }
        let shape = Shape::Variants(all.iter().cloned().collect());
        let parts: Vec<&Flow> = all.iter().flat_map(|(_, parts)| parts.iter()).collect();
        self.made(&parts, shape)
    }

    // ---- at places with a type ----

    /// A value where a type is expected. With `checked`, its bounds are looked at when it runs.
    pub(super) fn conform(&mut self, flow: &Flow, ty: TypeId, checked: bool) -> Conformed {
        let facts = self.types.get(ty);
        let fits = |label: Label, wants: Label, this: &Self| Conformed {
            flow: this.typed(label, ty),
            wants,
            fits: true,
        };
        if !self.step() {
            return Conformed { flow: Flow::OUTSIDE, wants: Label::MARKED, fits: false };
        }
        let (_, below) = self.types.strip(ty);
        match (&flow.shape, below) {
            (Shape::Any, _) => return fits(flow.label, Label::CLEAR, self),
            (Shape::Typed(from), _) if self.types.agree(*from, ty, checked) => {
                return fits(flow.label, Label::CLEAR, self);
            }
            (Shape::Number, Type::Int | Type::Float) if checked => {
                return fits(flow.label, Label::CLEAR, self);
            }
            (Shape::Record(parts), Type::Record(record)) if parts.len() == record.fields.len() => {
                let parts = Rc::clone(parts);
                let (label, wants, all) = self.conform_all(&parts, &record.fields, checked);
                if all {
                    return fits(label, wants, self);
                }
            }
            (Shape::Variants(made), Type::Enum(declared)) => {
                let made = Rc::clone(made);
                let (mut label, mut wants, mut all) = (Label::CLEAR, Label::CLEAR, true);
                for (tag, parts) in made.iter() {
                    let Some(variant) = declared
                        .variants
                        .get(*tag as usize)
                        .filter(|variant| variant.fields.len() == parts.len())
                    else {
                        all = false;
                        continue;
                    };
                    let (of, needed, fit) = self.conform_all(parts, &variant.fields, checked);
                    (label, wants) = (label.join(of), wants.join(needed));
                    all &= fit;
                }
                if all {
                    return fits(label, wants, self);
                }
            }
            (Shape::List(item), Type::List(inner)) => {
                let item = Rc::clone(item);
                let found = self.conform(&item, *inner, checked);
                if found.fits {
                    return fits(found.flow.label, found.wants, self);
                }
            }
            (Shape::Map(pair), Type::Map(key, value)) => {
                let pair = Rc::clone(pair);
                let key = self.conform(&pair.0, *key, checked);
                let value = self.conform(&pair.1, *value, checked);
                if key.fits && value.fits {
                    let label = key.flow.label.join(value.flow.label);
                    return fits(label, key.wants.join(value.wants), self);
                }
            }
            _ => {}
        }
        let label = self.opaque(flow);
        if label.is_clear() || facts.is_plain() {
            return fits(label, Label::CLEAR, self);
        }
        let wants = if facts.holds_clear { label } else { Label::CLEAR };
        Conformed { flow: Flow::of(label, Shape::Unknown), wants, fits: false }
    }

    /// The fields of what is made, at their places: the label of those without word, what must be trusted, and whether
    /// all fit.
    fn conform_all(
        &mut self,
        parts: &[Flow],
        fields: &[crate::types::FieldType],
        checked: bool,
    ) -> (Label, Label, bool) {
        let (mut label, mut wants, mut all) = (Label::CLEAR, Label::CLEAR, true);
        for (part, field) in parts.iter().zip(fields) {
            let found = self.conform(part, field.ty, checked);
            wants = wants.join(found.wants);
            all &= found.fits;
            match field.trust {
                None => label = label.join(found.flow.label),
                Some(word) if word.wants_trusted() => wants = wants.join(found.flow.label),
                Some(_) => {}
            }
        }
        (label, wants, all)
    }

    // ---- parts ----

    /// A field of a value; of a variant, if it is known which.
    pub(super) fn field(&mut self, flow: &Flow, variant: Option<u32>, index: u32) -> Flow {
        let at = index as usize;
        match &flow.shape {
            Shape::Any => Flow { label: flow.label, ..Flow::ANY },
            Shape::Record(parts) if variant.is_none() => {
                parts.get(at).cloned().unwrap_or(Flow::ANY)
            }
            Shape::Variants(all) => {
                let all = Rc::clone(all);
                let of = all.iter().filter(|(tag, _)| variant.is_none_or(|wanted| wanted == *tag));
                let parts: Vec<Flow> = of.filter_map(|(_, parts)| parts.get(at).cloned()).collect();
                parts.iter().fold(Flow::ANY, |joined, part| self.join(&joined, part))
            }
            Shape::Typed(ty) => {
                let field = match (self.types.strip(*ty).1, variant) {
                    (Type::Record(record), None) => record.fields.get(at),
                    (Type::Enum(declared), Some(tag)) => {
                        declared.variants.get(tag as usize).and_then(|one| one.fields.get(at))
                    }
                    (Type::Enum(declared), None) => {
                        let mut having = declared.variants.iter().filter(|v| v.fields.len() > at);
                        match (having.next(), having.next()) {
                            (Some(only), None) => only.fields.get(at),
                            _ => None,
                        }
                    }
                    _ => None,
                };
                match field.map(|field| (field.trust, field.ty)) {
                    Some((None, ty)) => self.typed(flow.label, ty),
                    Some((Some(Trust::Trusted), ty)) => self.typed(Label::CLEAR, ty),
                    Some((Some(_), ty)) => self.typed(Label::MARKED, ty),
                    None => self.blurred(flow),
                }
            }
            _ => self.blurred(flow),
        }
    }

    /// An item of a list, or a value of a map.
    pub(super) fn item(&mut self, flow: &Flow) -> Flow {
        match &flow.shape {
            Shape::Any => flow.clone(),
            Shape::List(item) => (**item).clone(),
            Shape::Map(pair) => pair.1.clone(),
            Shape::Typed(ty) => match self.types.strip(*ty).1 {
                Type::List(inner) | Type::Map(_, inner) => self.typed(flow.label, *inner),
                _ => self.blurred(flow),
            },
            _ => self.blurred(flow),
        }
    }

    /// Whether two values are known to be the same to this pass.
    pub(super) fn same(&mut self, a: &Flow, b: &Flow) -> bool {
        if a.label != b.label || !self.step() {
            return false;
        }
        let mut all = |a: &[Flow], b: &[Flow]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(a, b))
        };
        match (&a.shape, &b.shape) {
            (Shape::Any, Shape::Any)
            | (Shape::Unknown, Shape::Unknown)
            | (Shape::Plain, Shape::Plain)
            | (Shape::Number, Shape::Number) => true,
            (Shape::Typed(a), Shape::Typed(b)) => a == b,
            (Shape::Record(a), Shape::Record(b)) => all(a, b),
            (Shape::Variants(a), Shape::Variants(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && all(&a.1, &b.1))
            }
            (Shape::List(a), Shape::List(b)) => self.same(a, b),
            (Shape::Map(a), Shape::Map(b)) => self.same(&a.0, &b.0) && self.same(&a.1, &b.1),
            _ => false,
        }
    }
}
