//! Types and values for unit tests.

use std::sync::Arc;

use kait_engine::check::TypeTable;
use kait_ir::{Bound, EnumType, FieldType, RecordType, Type, TypeId, Types, Value, VariantType};

/// Builds types tersely.
#[derive(Default)]
pub(crate) struct Build(pub(crate) Types);

impl Build {
    pub(crate) fn ty(&mut self, ty: Type) -> TypeId {
        self.0.push(ty)
    }

    pub(crate) fn bound(&mut self, base: TypeId, bounds: Vec<Bound>) -> TypeId {
        self.ty(Type::Refined { name: None, base, bounds })
    }

    pub(crate) fn fields(fields: &[(&str, TypeId)]) -> Vec<FieldType> {
        let field = |(name, ty): &(&str, TypeId)| FieldType {
            name: (*name).into(),
            wire: (*name).into(),
            docs: "".into(),
            ty: *ty,
            default: None,
            trust: None,
        };
        fields.iter().map(field).collect()
    }

    pub(crate) fn record(&mut self, name: &str, fields: &[(&str, TypeId)]) -> TypeId {
        let fields = Self::fields(fields);
        self.ty(Type::Record(RecordType { name: name.into(), docs: "".into(), fields }))
    }

    pub(crate) fn choice(&mut self, name: &str, variants: &[(&str, &[(&str, TypeId)])]) -> TypeId {
        let variant = |(name, fields): &(&str, &[(&str, TypeId)])| VariantType {
            name: (*name).into(),
            wire: name.to_lowercase().into(),
            docs: "".into(),
            fields: Self::fields(fields),
        };
        let variants = variants.iter().map(variant).collect();
        self.ty(Type::Enum(EnumType { name: name.into(), docs: "".into(), variants }))
    }

    pub(crate) fn table(self) -> Arc<TypeTable> {
        Arc::new(TypeTable::new(self.0).unwrap())
    }
}

/// `Report { title: text(max_len 20), topic: Topic, notes: [text](1..=3), verdict: Verdict, score: int?(1..=5),
/// id: text(pattern), extra: json? }`.
pub(crate) fn report() -> (Arc<TypeTable>, TypeId) {
    let mut b = Build::default();
    let text = b.ty(Type::Text);
    let int = b.ty(Type::Int);
    let json = b.ty(Type::Json);
    let title = b.bound(text, vec![Bound::MaxLen(20)]);
    let topic = b.choice("Topic", &[("Billing", &[]), ("NeedsInfo", &[])]);
    let notes = b.ty(Type::List(text));
    let notes = b.bound(notes, vec![Bound::Min(Value::Int(1)), Bound::Max(Value::Int(3))]);
    let verdict =
        b.choice("Verdict", &[("Accept", &[]), ("Revise", &[("notes", text), ("grade", int)])]);
    let small = b.bound(int, vec![Bound::Min(Value::Int(1)), Bound::Max(Value::Int(5))]);
    let score = b.ty(Type::Optional(small));
    let id = b.bound(text, vec![Bound::Pattern("^ord_[a-z0-9]{4}$".into())]);
    let extra = b.ty(Type::Optional(json));
    let report = b.record(
        "Report",
        &[
            ("title", title),
            ("topic", topic),
            ("notes", notes),
            ("verdict", verdict),
            ("score", score),
            ("id", id),
            ("extra", extra),
        ],
    );
    (b.table(), report)
}
