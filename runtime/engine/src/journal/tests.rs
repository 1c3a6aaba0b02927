//! Entries come back from their bytes as they were, and no bytes do harm.

use std::sync::Arc;

use kait_ir::{ExprId, Failure, GraphId, TypeId};
use proptest::prelude::*;

use super::*;

fn effect() -> EffectId {
    EffectId { frame: 3, generation: 70_000, node: EffectId::VALUE }
}

/// One of each kind.
fn entries() -> Vec<Entry> {
    let currency = Currency::parse("usd").expect("a currency");
    let price = TokenPrice { currency, read: "0.25".parse().expect("a number"), written: 2.into() };
    let terms = ModelTerms { context: Some(8_000), max_output: None, price: Some(price) };
    let start = Start {
        args: vec![Arg::Ready(Value::list(vec![Value::Int(-4), Value::None])), Arg::Growing],
        seed: u64::MAX,
        traced: true,
        sink: true,
        terms: Arc::new([("fast".into(), terms)]),
        ..Start::new(GraphId(7), Vec::new())
    };
    let usage = Usage {
        calls: 2,
        input_tokens: 1_000_000,
        output_tokens: 3,
        cost: Some(Money { amount: "0.0125".parse().expect("a number"), currency }),
    };
    let failed = Outcome::Failed(Failure::Http { status: 429, body: "slow down".into() });
    let events = vec![
        Event::Start(Box::new(start)),
        Event::Done { effect: effect(), outcome: failed.clone(), usage: Some(Box::new(usage)) },
        Event::Timer(TimerId(1 << 40)),
        Event::Cached { effect: effect(), value: Some(Value::text("x")) },
        Event::Granted(effect()),
        Event::Cut { sink: SinkId(4), generation: 1, index: 2, value: Value::Bool(true) },
        Event::Superseded { sink: SinkId(4), generation: 2 },
        Event::InputDone { param: 1, outcome: Outcome::Ok(Value::text("all of it")) },
        Event::Answered {
            effect: effect(),
            answer: Box::new(Answer::Approved {
                by: "ada".into(),
                edits: vec![(1, Value::Int(2))],
            }),
        },
        Event::Answered { effect: effect(), answer: Box::new(Answer::Taken(vec![0, 9])) },
        Event::Computed {
            effect: effect(),
            result: Computed { outcome: failed, blamed: Some(ExprId(5)) },
        },
        Event::Resume,
        Event::Cancel,
    ];
    let happened = (0i64..).zip(events).map(|(n, event)| Entry::Happened {
        at: 1_767_225_600_000_000_000 + n,
        event,
        asked: u32::try_from(n).unwrap_or(0),
    });
    let mut entries: Vec<_> = happened.collect();
    entries.push(Entry::Intent {
        effect: effect(),
        path: "main/send#2".into(),
        args: vec![Value::text("ada@example.com")],
    });
    entries.push(Entry::TakenUp { at: -1 });
    entries
}

fn bytes_of(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    entries.iter().for_each(|entry| write(entry, &mut bytes));
    bytes
}

#[test]
fn entries_come_back_as_they_were() {
    let entries = entries();
    assert_eq!(read(&bytes_of(&entries)).as_ref(), Ok(&entries));
}

#[test]
fn an_event_is_written_alike_with_and_without_its_entry() {
    for entry in entries() {
        let Entry::Happened { at, event, asked } = &entry else { continue };
        let mut bytes = Vec::new();
        write_event(*at, event, *asked, &mut bytes);
        assert_eq!(bytes, bytes_of(std::slice::from_ref(&entry)));
    }
}

#[test]
fn the_deepest_value_of_a_run_comes_back() {
    let mut value = Value::None;
    for _ in 0..MAX_VALUE_DEPTH + 50 {
        value = Value::list(vec![value]);
    }
    let result = Computed { outcome: Outcome::Ok(value), blamed: None };
    let event = Event::Computed { effect: effect(), result };
    let entries = [Entry::Happened { at: 0, event, asked: 0 }];
    assert_eq!(read(&bytes_of(&entries)).as_deref(), Ok(&entries[..]));
}

/// What was recorded by one version is read by all later ones: if this fails, the format has changed, and needs a new number
/// and a way to read the old one.
#[test]
fn the_bytes_of_this_format_do_not_change() {
    let hash = blake3::hash(&bytes_of(&entries())).to_hex();
    assert_eq!((FORMAT, &hash.as_str()[..16]), (1, "a7274d79be1bdf22"));
}

#[test]
fn what_is_asked_of_the_world_has_a_digest() {
    let ask = |node| Command::Model {
        effect: EffectId { node, ..effect() },
        request: Box::new(ModelRequest {
            site: Site { region: kait_ir::RegionId(0), node },
            role: "fast".into(),
            options: Vec::new(),
            messages: vec![Value::text("hello")],
            output: TypeId(0),
            repair: 1,
            tokens_left: None,
        }),
    };
    assert_eq!(digest(&[]), 0);
    assert_eq!(digest(&[Command::Resume, Command::Abandon(effect())]), 0);
    assert_eq!(digest(&[Command::Resume, ask(1)]), digest(&[ask(1)]));
    assert_ne!(digest(&[ask(1)]), digest(&[ask(2)]));
    assert_ne!(digest(&[ask(1), ask(2)]), digest(&[ask(2), ask(1)]));
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(entries) = read(&bytes) {
            prop_assert_eq!(bytes_of(&entries), bytes);
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_another_journal(at in 0usize..2_000, bit in 0u32..8) {
        let mut bytes = bytes_of(&entries());
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(entries) = read(&bytes) {
            prop_assert_eq!(bytes_of(&entries), bytes);
        }
    }
}
