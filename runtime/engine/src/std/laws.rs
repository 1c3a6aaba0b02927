//! Laws that the natives keep for all values: what one takes apart another puts together, what is sorted is stable,
//! nothing is larger than its bound.

use kait_ir::{Failure, Type, TypeId, Types, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::args::MAX_TEXT;
use super::{NativeCx, lookup};
use crate::check::TypeTable;

fn t(text: &str) -> Value {
    Value::text(text)
}

fn ints(items: &[i64]) -> Value {
    Value::list(items.iter().copied().map(Value::Int).collect())
}

/// Calls a native; a result that depends on its type is JSON.
fn call(name: &str, args: &[Value]) -> Result<Value, Failure> {
    let mut types = Types::default();
    let json = types.push(Type::Json);
    typed(name, args, types, json, json)
}

fn typed(
    name: &str,
    args: &[Value],
    types: Types,
    param: TypeId,
    result: TypeId,
) -> Result<Value, Failure> {
    let table = TypeTable::new(types).unwrap();
    lookup(name).unwrap()(&NativeCx { table: &table, params: &[param], result }, args)
}

#[track_caller]
fn text_of(name: &str, args: &[Value]) -> String {
    call(name, args).unwrap().as_text().unwrap().to_owned()
}

#[track_caller]
fn items(name: &str, args: &[Value]) -> Vec<Value> {
    call(name, args).unwrap().as_list().unwrap().to_vec()
}

fn pair(first: i64, second: usize) -> Value {
    Value::record([Value::Int(first), Value::Int(second as i64)])
}

/// `[text: text]`, as the list that `csv` takes.
fn rows() -> (Types, TypeId) {
    let mut types = Types::default();
    let text = types.push(Type::Text);
    let row = types.push(Type::Map(text, text));
    let list = types.push(Type::List(row));
    (types, list)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn parts_of_a_text_come_together_again(s in "[ab,é\u{301} ]{0,30}", on in "[,a]{1,2}") {
        let parts = call("text.split", &[t(&s), t(&on)]).unwrap();
        prop_assert_eq!(text_of("text.join", &[parts, t(&on)]), s.clone());
        let letters = call("text.split", &[t(&s), t("")]).unwrap();
        prop_assert_eq!(text_of("text.join", &[letters, t("")]), s.clone());
        let lines = call("text.lines", &[t(&s)]).unwrap();
        prop_assert_eq!(text_of("text.join", &[lines, t("\n")]), s);
    }

    #[test]
    fn a_cut_text_keeps_its_clusters_and_its_bound(s in "[a-cé👍\u{301}\u{200d}🇦🇹]{0,30}", n in 0i64..40) {
        let cut = text_of("text.truncate", &[t(&s), Value::Int(n)]);
        prop_assert!(cut.chars().count() <= n as usize);
        if cut != s {
            let kept = cut.strip_suffix('…').unwrap_or_default();
            // What is kept is whole clusters of the text.
            let whole: Vec<&str> = s.graphemes(true).collect();
            let count = kept.graphemes(true).count();
            prop_assert_eq!(kept, whole[..count].concat());
        } else {
            prop_assert!(s.chars().count() <= n as usize);
        }
    }

    #[test]
    fn a_slice_is_what_stands_there(s in "\\PC{0,20}", from in -3i64..25, to in -3i64..25) {
        let expected: String = s
            .chars()
            .enumerate()
            .filter(|(i, _)| (from..=to).contains(&(*i as i64)))
            .map(|(_, c)| c)
            .collect();
        prop_assert_eq!(text_of("text.slice", &[t(&s), Value::Int(from), Value::Int(to)]), expected);
    }

    #[test]
    fn padding_adds_and_replacing_undoes(s in "[a-z]{0,9}", n in 0i64..20, start in any::<bool>()) {
        let padded = text_of("text.pad", &[t(&s), Value::Int(n), t("_"), Value::Bool(start)]);
        prop_assert_eq!(padded.len(), s.len().max(n as usize));
        prop_assert_eq!(text_of("text.replace", &[t(&padded), t("_"), t("")]), s);
    }

    #[test]
    fn what_is_encoded_can_be_decoded(s in "\\PC{0,40}") {
        let encoded = call("hash.base64", &[t(&s)]).unwrap();
        prop_assert_eq!(call("hash.from_base64", &[encoded]), Ok(t(&s)));
        let pattern = text_of("regex.escape", &[t(&s)]);
        let whole = t(&format!("^(?:{pattern})$"));
        prop_assert_eq!(call("regex.matches", &[t(&s), whole]), Ok(Value::Bool(true)));
    }

    #[test]
    fn matches_and_what_stands_between_make_the_text(s in "[ab1]{0,30}") {
        let between = items("regex.split", &[t(&s), t("[0-9]")]);
        prop_assert_eq!(text_of("text.join", &[Value::list(between.clone()), t("1")]), s.clone());
        let found = items("regex.find_all", &[t(&s), t("[0-9]")]);
        prop_assert_eq!(found.len() + 1, between.len());
        prop_assert_eq!(call("text.count", &[t(&s), t("1")]), Ok(Value::Int(found.len() as i64)));
    }

    #[test]
    fn sorting_is_stable_and_loses_nothing(keys in vec(0i64..4, 0..20), descending in any::<bool>()) {
        let list: Vec<Value> = keys.iter().enumerate().map(|(i, key)| pair(*key, i)).collect();
        let sorted =
            items("list.sort", &[Value::list(list.clone()), Value::Int(0), Value::Bool(descending)]);
        let mut expected = list;
        expected.sort_by_key(|item| match item.fields() {
            [Value::Int(key), _] if descending => -key,
            [Value::Int(key), _] => *key,
            _ => 0,
        });
        prop_assert_eq!(sorted, expected);
    }

    #[test]
    fn parts_of_a_list_come_together_again(xs in vec(any::<i64>(), 0..20), size in 1i64..9, n in -2i64..22) {
        let list = ints(&xs);
        let chunks = call("list.chunks", &[list.clone(), Value::Int(size)]).unwrap();
        for chunk in chunks.as_list().unwrap() {
            prop_assert!((1..=size as usize).contains(&chunk.as_list().unwrap().len()));
        }
        prop_assert_eq!(call("list.concat", &[chunks]), Ok(list.clone()));
        let head = call("list.take", &[list.clone(), Value::Int(n)]).unwrap();
        let tail = call("list.drop", &[list.clone(), Value::Int(n)]).unwrap();
        prop_assert_eq!(call("list.append", &[head, tail]), Ok(list.clone()));
        let back = call("list.reverse", std::slice::from_ref(&list)).unwrap();
        prop_assert_eq!(call("list.reverse", &[back]), Ok(list));
    }

    #[test]
    fn groups_hold_each_item_once(keys in vec(0i64..4, 0..20)) {
        let list: Vec<Value> = keys.iter().enumerate().map(|(i, key)| pair(*key, i)).collect();
        let groups = call("list.group", &[Value::list(list.clone()), Value::Int(0)]).unwrap();
        let values = call("map.values", std::slice::from_ref(&groups)).unwrap();
        let all = items("list.concat", &[values]);
        prop_assert_eq!(all.len(), list.len());
        let unique = items("list.unique", &[Value::list(list), Value::Int(0)]);
        prop_assert_eq!(call("map.length", &[groups]), Ok(Value::Int(unique.len() as i64)));
    }

    #[test]
    fn maps_are_their_entries(keys in vec("[a-e]", 0..9)) {
        let pairs = keys.iter().map(|key| Value::record([t(key), Value::Int(1)])).collect();
        let map = call("map.from", &[Value::list(pairs)]).unwrap();
        let entries = call("map.entries", std::slice::from_ref(&map)).unwrap();
        prop_assert_eq!(call("map.from", &[entries]), Ok(map.clone()));
        prop_assert_eq!(call("map.merge", &[map.clone(), map.clone()]), Ok(map));
    }

    #[test]
    fn json_and_csv_give_back_what_they_were_given(
        cells in vec(("[a-z,;\" \né]{1,6}", "[a-z,;\" \né]{1,6}"), 1..6),
    ) {
        let (types, list) = rows();
        let row = |(a, b): &(String, String)| {
            Value::Map(std::sync::Arc::new([(t("a"), t(a)), (t("b"), t(b))].into_iter().collect()))
        };
        let value = Value::list(cells.iter().map(row).collect());
        for (encode, decode, rest) in
            [("json.encode", "json.decode", vec![]), ("csv.encode", "csv.decode", vec![t(";")])]
        {
            let args: Vec<Value> = [value.clone()].into_iter().chain(rest.clone()).collect();
            let text = typed(encode, &args, types.clone(), list, list).unwrap();
            let args: Vec<Value> = [text.clone()].into_iter().chain(rest).collect();
            let back = typed(decode, &args, types.clone(), list, list);
            prop_assert_eq!(back, Ok(value.clone()), "{}: {:?}", encode, text);
        }
    }

    #[test]
    fn times_count_both_ways(seconds in -60_000_000_000i64..200_000_000_000, nanos in any::<i32>()) {
        let time = call("time.from_unix", &[Value::Int(seconds)]).unwrap();
        prop_assert_eq!(call("time.unix", std::slice::from_ref(&time)), Ok(Value::Int(seconds)));
        let later = call("time.add", &[time.clone(), Value::Duration(nanos.into())]).unwrap();
        prop_assert_eq!(call("time.between", &[time, later]), Ok(Value::Duration(nanos.into())));
    }
}

#[test]
fn nothing_outgrows_its_bound() {
    let bytes = Err(Failure::Budget { kind: "bytes".into() });
    let long = t(&"x".repeat(1 << 16));
    let many = Value::Int(i64::MAX);
    assert_eq!(call("text.repeat", &[long.clone(), Value::Int(1 << 10)]), bytes);
    assert_eq!(call("text.repeat", &[t("ab"), many.clone()]), bytes);
    assert_eq!(call("text.pad", &[t("a"), many, t("é"), Value::Bool(true)]), bytes);
    let often = Value::list(vec![long.clone(); 300]);
    assert_eq!(call("text.join", &[often, t("")]), bytes);
    assert_eq!(call("text.replace", &[long.clone(), t("x"), long.clone()]), bytes);
    assert_eq!(call("regex.replace", &[long.clone(), t("x"), long.clone()]), bytes);
    // One replacement that names the whole match very often.
    let references = t(&"$0".repeat(MAX_TEXT / (1 << 16)));
    assert_eq!(call("regex.replace", &[long, t("x+"), references]), bytes);
    let items = Err(Failure::Budget { kind: "items".into() });
    assert_eq!(call("list.range", &[Value::Int(i64::MIN), Value::Int(i64::MAX)]), items);
    let beyond = call("time.from_unix", &[Value::Int(i64::MAX)]).unwrap_err();
    assert!(format!("{beyond:?}").contains("9999"), "{beyond:?}");
}
