//! Tests of sample answers: they fit their types, and their words can be given.

use kait_engine::check::TypeTable;
use kait_engine::json::decode;
use kait_ir::{Bound, Type, TypeId, Value};
use proptest::prelude::*;

use super::pattern::matching;
use super::sample::sample;
use crate::testing::{Build, report};

fn fits(table: &TypeTable, ty: TypeId, text: &str) {
    let made = sample(table, ty, text);
    let value = decode(table, ty, &made).unwrap_or_else(|failure| panic!("{made}: {failure:?}"));
    table.check(ty, &value).unwrap_or_else(|failure| panic!("{made}: {failure:?}"));
}

#[test]
fn samples_fit_their_types_and_follow_the_words() {
    let (table, ty) = report();
    for text in ["Summarise the tea leaves", "", "billing please", "日本語の文章", "x"] {
        fits(&table, ty, text);
    }
    let made = sample(&table, ty, "Summarise the tea leaves");
    assert_eq!(made, sample(&table, ty, "Summarise the tea leaves"));
    assert_ne!(made, sample(&table, ty, "Another text altogether"));
    assert!(made["title"].as_str().unwrap().contains("Summarise"), "{made}");
    assert_eq!(sample(&table, ty, "about billing")["topic"], "billing");
    assert_eq!(sample(&table, ty, "it needsinfo")["topic"], "needsinfo");
}

#[test]
fn every_bound_is_kept() {
    let mut b = Build::default();
    let text = b.ty(Type::Text);
    let int = b.ty(Type::Int);
    let float = b.ty(Type::Float);
    let money = b.ty(Type::Money);
    let duration = b.ty(Type::Duration);
    let size = b.ty(Type::Size);
    let usd = |n: i64| {
        Value::Money(kait_ir::Money {
            amount: n.into(),
            currency: kait_ir::Currency::parse("usd").unwrap(),
        })
    };
    let mut types = Vec::new();
    for (base, bounds) in [
        (text, vec![Bound::MinLen(200)]),
        (text, vec![Bound::MinLen(3), Bound::MaxLen(3)]),
        (text, vec![Bound::Pattern(r"^ord_[a-z0-9]{12}$".into())]),
        (text, vec![Bound::Pattern(r"^(\+\d{1,3})?[ -]?\(?\d{3}\)?$".into()), Bound::MinLen(5)]),
        (text, vec![Bound::Pattern(r"^[A-Z]{2}\d{2}(foo|bar)+$".into()), Bound::MaxLen(12)]),
        (text, vec![Bound::Pattern("^[а-я]+$".into()), Bound::MinLen(9)]),
        (int, vec![Bound::Min(Value::Int(1)), Bound::Max(Value::Int(5))]),
        (int, vec![Bound::Max(Value::Int(-7))]),
        (int, vec![Bound::Min(Value::Int(10)), Bound::MultipleOf(Value::Int(7))]),
        (int, vec![Bound::Min(Value::Int(i64::MAX))]),
        (float, vec![Bound::Min(Value::Int(0)), Bound::Max(Value::Int(1))]),
        (float, vec![Bound::Min(Value::Float(0.001)), Bound::Max(Value::Float(0.002))]),
        (money, vec![Bound::Min(usd(5)), Bound::Max(usd(6))]),
        (money, vec![Bound::Max(usd(3))]),
        (duration, vec![Bound::Min(Value::Duration(1)), Bound::Max(Value::Duration(9))]),
        (size, vec![Bound::Min(Value::Size(1 << 40))]),
    ] {
        types.push(b.bound(base, bounds));
    }
    for format in [
        "email",
        "uri",
        "date",
        "date-time",
        "time",
        "uuid",
        "hostname",
        "ipv4",
        "ipv6",
        "duration",
    ] {
        types.push(b.bound(text, vec![Bound::Format(format.into())]));
    }
    let die = types[6];
    for (item, bounds) in [
        (text, vec![Bound::Min(Value::Int(3)), Bound::Max(Value::Int(7))]),
        (text, vec![Bound::Min(Value::Int(9)), Bound::Unique]),
        (die, vec![Bound::Min(Value::Int(4)), Bound::Unique]),
        (text, vec![Bound::Max(Value::Int(0))]),
    ] {
        let list = b.ty(Type::List(item));
        types.push(b.bound(list, bounds));
    }
    let plain = [
        Type::Bytes,
        Type::Json,
        Type::Time,
        Type::None,
        Type::Image,
        Type::Audio,
        Type::File,
        Type::Bool,
        Type::Map(text, die),
    ];
    types.extend(plain.map(|ty| b.ty(ty)));
    let table = b.table();
    for ty in types {
        for text in ["one two three four five six seven eight nine ten", "tea"] {
            fits(&table, ty, text);
        }
    }
}

#[test]
fn recursive_and_contradictory_types_end() {
    let mut b = Build::default();
    let text = b.ty(Type::Text);
    let tree = b.ty(Type::None);
    let trees = b.ty(Type::List(tree));
    let maybe = b.ty(Type::Optional(tree));
    let fields =
        Build::fields(&[("a", trees), ("b", trees), ("c", maybe), ("d", trees), ("name", text)]);
    b.0.set(
        tree,
        Type::Record(kait_ir::RecordType { name: "Tree".into(), docs: "".into(), fields }),
    );
    let mut impossible = b.bound(text, vec![Bound::MinLen(5), Bound::MaxLen(2)]);
    for _ in 0..6 {
        let list = b.ty(Type::List(impossible));
        impossible = b.bound(list, vec![Bound::Min(Value::Int(2)), Bound::Unique]);
    }
    let endless = b.ty(Type::None);
    let fields = Build::fields(&[("a", endless), ("b", endless)]);
    b.0.set(
        endless,
        Type::Record(kait_ir::RecordType { name: "Endless".into(), docs: "".into(), fields }),
    );
    let table = b.table();
    fits(&table, tree, "a tree of words");
    // No value exists; that there is an end is what counts.
    sample(&table, impossible, "x");
    sample(&table, endless, "x");
}

proptest! {
    #[test]
    fn patterns_are_matched(
        pattern in "([a-z]|\\[[a-d]{1,3}\\]|\\\\d|\\(x\\|yz\\))([*+?]|\\{1,3\\})?([a-z]|\\.)",
        seed in any::<u64>(),
    ) {
        let pattern = format!("^{pattern}$");
        let mut state = seed;
        let mut random = || { state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); state >> 33 };
        let regex = regex::Regex::new(&pattern).unwrap();
        for attempt in 0..3 {
            let made = matching(&pattern, attempt, &mut random).unwrap();
            prop_assert!(regex.is_match(&made), "{} {}", pattern, made);
        }
    }
}
