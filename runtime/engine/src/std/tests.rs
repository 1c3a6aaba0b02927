//! Natives called as the engine calls them, with the types that the checker would give.

use kait_ir::{
    Bound, EnumType, Failure, FieldType, Money, RecordType, Type, TypeId, Types, Value, VariantType,
};
use proptest::prelude::*;
use smol_str::SmolStr;

use super::segment::Segmenter;
use super::{NativeCx, lookup, names};
use crate::check::TypeTable;

fn t(text: &str) -> Value {
    Value::text(text)
}

fn ints(items: &[i64]) -> Value {
    Value::list(items.iter().copied().map(Value::Int).collect())
}

fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().copied().map(Value::text).collect())
}

fn money(text: &str) -> Value {
    Value::Money(crate::json::decode_money(text).unwrap())
}

/// Calls a native whose types do not matter.
fn call(name: &str, args: &[Value]) -> Result<Value, Failure> {
    let mut types = Types::default();
    let none = types.push(Type::None);
    call_typed(name, args, types, &[], none)
}

fn call_typed(
    name: &str,
    args: &[Value],
    types: Types,
    params: &[TypeId],
    result: TypeId,
) -> Result<Value, Failure> {
    let table = TypeTable::new(types).unwrap();
    let native = lookup(name).unwrap_or_else(|| panic!("no native `{name}`"));
    native(&NativeCx { table: &table, params, result }, args)
}

#[track_caller]
fn gives(name: &str, args: &[Value], expected: Value) {
    assert_eq!(call(name, args), Ok(expected), "{name}({args:?})");
}

#[track_caller]
fn fails(name: &str, args: &[Value], words: &str) {
    let failure = call(name, args).unwrap_err();
    assert!(format!("{failure:?}").contains(words), "{name}({args:?}): {failure:?}");
}

#[test]
fn names_are_sorted_unique_and_found() {
    let all: Vec<_> = names().collect();
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
    assert!(all.iter().all(|name| lookup(name).is_some()));
    assert!(lookup("text.no_such").is_none() && lookup("trim").is_none() && lookup("").is_none());
}

#[test]
fn no_native_panics_on_arguments_of_other_kinds() {
    let odd = [
        Value::None,
        Value::Int(i64::MIN),
        Value::Float(-0.5),
        t("é…\u{301}"),
        Value::list(vec![Value::Int(1), t("x"), Value::None]),
        Value::Map(Default::default()),
        Value::Money(Money {
            amount: rust_decimal::Decimal::MAX,
            currency: kait_ir::Currency(*b"usd"),
        }),
        Value::Duration(i64::MAX),
        Value::Time(jiff::Timestamp::MAX),
        Value::Bool(true),
    ];
    for name in names() {
        let _ = call(name, &[]);
        for a in &odd {
            let _ = call(name, std::slice::from_ref(a));
            for b in &odd {
                for c in &odd {
                    let _ = call(name, &[a.clone(), b.clone(), c.clone(), Value::Bool(false)]);
                }
            }
        }
    }
}

#[test]
fn text_counts_characters_and_keeps_clusters_whole() {
    gives("text.length", &[t("naïve")], Value::Int(5));
    gives("text.truncate", &[t("a long story"), Value::Int(6)], t("a lon…"));
    gives("text.truncate", &[t("short"), Value::Int(5)], t("short"));
    gives("text.truncate", &[t("short"), Value::Int(0)], t(""));
    gives("text.truncate", &[t("short"), Value::Int(-3)], t(""));
    // The family is one cluster of five characters: it is kept or left out as a whole.
    gives("text.truncate", &[t("a👨‍👩‍👧bc"), Value::Int(4)], t("a…"));
    gives("text.slice", &[t("abcdef"), Value::Int(1), Value::Int(3)], t("bcd"));
    gives("text.slice", &[t("abc"), Value::Int(2), Value::Int(99)], t("c"));
    gives("text.slice", &[t("abc"), Value::Int(-5), Value::Int(0)], t("a"));
    gives("text.slice", &[t("abc"), Value::Int(2), Value::Int(1)], t(""));
    gives("text.slice", &[t("äöü"), Value::Int(0), Value::Int(i64::MAX)], t("äöü"));
    gives("text.index_of", &[t("naïve"), t("v")], Value::Int(3));
    gives("text.index_of", &[t("tea"), t("x")], Value::None);
    gives("text.upper", &[t("straße")], t("STRASSE"));
    gives("text.words", &[t("Don't panic, now.")], texts(&["Don't", "panic", "now"]));
}

#[test]
fn text_builds() {
    gives("text.split", &[t("a, b"), t(", ")], texts(&["a", "b"]));
    gives("text.split", &[t("né"), t("")], texts(&["n", "é"]));
    gives("text.split", &[t(""), t(",")], texts(&[""]));
    gives("text.join", &[texts(&["a", "b"]), t("-")], t("a-b"));
    gives("text.replace", &[t("aaa"), t("a"), t("bb")], t("bbbbbb"));
    gives("text.replace", &[t("abc"), t(""), t("x")], t("abc"));
    gives("text.pad", &[t("7"), Value::Int(3), t("0"), Value::Bool(true)], t("007"));
    gives("text.pad", &[t("tea"), Value::Int(5), t("ab"), Value::Bool(false)], t("teaab"));
    gives("text.repeat", &[t("ab"), Value::Int(-1)], t(""));
    gives("text.count", &[t("banana"), t("an")], Value::Int(2));
    gives("text.to_int", &[t(" 42 ")], Value::Int(42));
    gives("text.to_int", &[t("9223372036854775808")], Value::None);
    gives("text.to_float", &[t("1e3")], Value::Float(1000.0));
    gives("text.to_float", &[t("inf")], Value::None);
    fails("text.repeat", &[t("ab"), Value::Int(i64::MAX)], "bytes");
    fails("text.pad", &[t("a"), Value::Int(i64::MAX), t("b"), Value::Bool(false)], "bytes");
    let long = t(&"a".repeat(10_000));
    fails("text.replace", &[long.clone(), t("a"), long], "bytes");
}

#[test]
fn lists_are_cut_at_their_ends() {
    let xs = ints(&[1, 2, 3, 4]);
    let two = |name: &str, n: i64| call(name, &[xs.clone(), Value::Int(n)]).unwrap();
    assert_eq!(two("list.take", 2), ints(&[1, 2]));
    assert_eq!(two("list.take", -1), ints(&[]));
    assert_eq!(two("list.take", 9), xs);
    assert_eq!(two("list.last", 3), ints(&[2, 3, 4]));
    assert_eq!(two("list.last", 0), ints(&[]));
    assert_eq!(two("list.drop", 3), ints(&[4]));
    assert_eq!(two("list.drop", 9), ints(&[]));
    gives("list.slice", &[xs.clone(), Value::Int(1), Value::Int(2)], ints(&[2, 3]));
    gives("list.slice", &[xs.clone(), Value::Int(3), Value::Int(i64::MAX)], ints(&[4]));
    gives("list.slice", &[xs.clone(), Value::Int(0), Value::Int(-1)], ints(&[]));
    gives("list.first", &[ints(&[])], Value::None);
    gives("list.final", std::slice::from_ref(&xs), Value::Int(4));
    gives(
        "list.chunks",
        &[ints(&[1, 2, 3]), Value::Int(2)],
        Value::list(vec![ints(&[1, 2]), ints(&[3])]),
    );
    fails("list.chunks", &[xs, Value::Int(0)], "less than 1");
    gives("list.range", &[Value::Int(2), Value::Int(4)], ints(&[2, 3, 4]));
    gives("list.range", &[Value::Int(2), Value::Int(1)], ints(&[]));
    fails("list.range", &[Value::Int(i64::MIN), Value::Int(i64::MAX)], "items");
}

#[test]
fn lists_sort_and_group_by_fields_and_keep_order() {
    let row = |a: i64, b: &str| Value::record([Value::Int(a), t(b)]);
    let xs = Value::list(vec![row(2, "x"), row(1, "y"), row(2, "z")]);
    let by = |field: i64| Value::Int(field);
    let items = |order: &[usize]| {
        Value::list(order.iter().map(|i| xs.as_list().unwrap()[*i].clone()).collect())
    };
    gives("list.sort", &[xs.clone(), by(0), Value::Bool(false)], items(&[1, 0, 2]));
    gives("list.sort", &[xs.clone(), by(0), Value::Bool(true)], items(&[0, 2, 1]));
    gives("list.unique", &[xs.clone(), by(0)], items(&[0, 1]));
    gives("list.min", &[xs.clone(), by(1)], row(2, "x"));
    gives("list.max", &[xs.clone(), by(0)], row(2, "x"));
    let Value::Map(groups) = call("list.group", &[xs.clone(), by(0)]).unwrap() else { panic!() };
    assert_eq!(groups.keys().cloned().collect::<Vec<_>>(), [Value::Int(2), Value::Int(1)]);
    assert_eq!(groups[&Value::Int(2)], items(&[0, 2]));
}

#[test]
fn sums_know_their_kind() {
    let sum = |xs: Value, ty: Type| {
        let mut types = Types::default();
        let result = types.push(ty);
        call_typed("list.sum", &[xs], types, &[], result)
    };
    assert_eq!(sum(ints(&[1, 2]), Type::Int), Ok(Value::Int(3)));
    assert_eq!(sum(ints(&[]), Type::Float), Ok(Value::Float(0.0)));
    assert_eq!(sum(ints(&[]), Type::Size), Ok(Value::Size(0)));
    assert_eq!(
        sum(Value::list(vec![money("1.50 eur"), money("2 eur")]), Type::Money),
        Ok(money("3.5 eur"))
    );
    for (xs, ty, words) in [
        (ints(&[i64::MAX, 1]), Type::Int, "too large"),
        (ints(&[]), Type::Money, "currency"),
        (Value::list(vec![money("1 eur"), money("1 usd")]), Type::Money, "eur and usd"),
        (
            Value::list(vec![Value::Float(f64::MAX), Value::Float(f64::MAX)]),
            Type::Float,
            "too large",
        ),
    ] {
        assert!(format!("{:?}", sum(xs, ty).unwrap_err()).contains(words));
    }
    gives("list.average", &[ints(&[i64::MAX, i64::MAX])], Value::Float(i64::MAX as f64));
    gives("list.average", &[ints(&[])], Value::None);
}

#[test]
fn results_are_sorted_out() {
    let ok = |n| Value::Variant(0, vec![Value::Int(n)].into());
    let failed = Value::Variant(1, vec![Failure::Timeout.to_value()].into());
    let tried = Value::list(vec![ok(1), failed, ok(2)]);
    gives("list.successes", std::slice::from_ref(&tried), ints(&[1, 2]));
    gives("list.failures", &[tried], Value::list(vec![Failure::Timeout.to_value()]));
    let some = Value::list(vec![Value::Int(1), Value::None]);
    gives("list.present", &[some], ints(&[1]));
}

#[test]
fn maps_keep_the_order_of_their_keys() {
    let pair = |a: &str, n: i64| Value::record([t(a), Value::Int(n)]);
    let map = |pairs: &[(&str, i64)]| {
        call("map.from", &[Value::list(pairs.iter().map(|(a, n)| pair(a, *n)).collect())]).unwrap()
    };
    let m = map(&[("b", 1), ("a", 2), ("b", 3)]);
    gives("map.keys", std::slice::from_ref(&m), texts(&["b", "a"]));
    gives("map.values", std::slice::from_ref(&m), ints(&[3, 2]));
    gives("map.get", &[m.clone(), t("c")], Value::None);
    gives(
        "map.merge",
        &[m.clone(), map(&[("c", 4), ("a", 5)])],
        map(&[("b", 3), ("a", 5), ("c", 4)]),
    );
    gives("map.remove", &[m, t("b")], map(&[("a", 2)]));
}

#[test]
fn numbers_trap_where_there_is_no_answer() {
    gives("math.round", &[Value::Float(-2.5)], Value::Int(-3));
    gives("math.round_to", &[Value::Float(1.005), Value::Int(2)], Value::Float(1.01));
    gives("math.round_to", &[Value::Float(1e300), Value::Int(2)], Value::Float(1e300));
    gives("math.clamp", &[Value::Int(12), Value::Int(1), Value::Int(10)], Value::Int(10));
    gives("math.min", &[Value::Float(0.5), Value::Int(1)], Value::Float(0.5));
    fails("math.abs", &[Value::Int(i64::MIN)], "Trap");
    fails("math.floor", &[Value::Float(1e300)], "too large");
    fails("math.floor", &[Value::Float(9_223_372_036_854_775_808.0)], "too large");
    fails("math.sqrt", &[Value::Float(-1.0)], "square root");
    fails("math.pow", &[Value::Float(10.0), Value::Float(999.0)], "power");
    fails("math.clamp", &[Value::Int(1), Value::Int(3), Value::Int(2)], "above");
}

#[test]
fn money_is_exact_and_in_one_currency() {
    gives("money.round", &[money("2.345 eur"), Value::Int(2)], money("2.34 eur"));
    gives("money.round", &[money("7.5 eur"), Value::Int(0)], money("8 eur"));
    gives("money.convert", &[money("10 usd"), t("EUR"), Value::Float(0.9)], money("9 eur"));
    gives("money.of", &[Value::Float(0.1), t("usd")], money("0.10 usd"));
    gives("money.amount", &[money("0.10 usd")], Value::Float(0.1));
    fails("money.min", &[money("1 eur"), money("1 usd")], "convert");
    fails("money.of", &[Value::Float(1.0), t("euro")], "three letters");
}

#[test]
fn digests_match_published_vectors() {
    gives(
        "hash.sha256",
        &[t("abc")],
        t("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    );
    // RFC 4231, test case 2.
    gives(
        "hash.hmac",
        &[t("what do ya want for nothing?"), t("Jefe")],
        t("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    );
    // The empty input of the BLAKE3 test vectors.
    gives(
        "hash.blake3",
        &[t("")],
        t("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
    );
    gives("hash.from_base64", &[t("aGVsbG8=")], t("hello"));
    fails("hash.from_base64", &[t("aGVsbG8")], "not Base64");
    fails("hash.from_base64", &[t("/w==")], "UTF-8");
}

#[test]
fn time_counts_exactly() {
    let at = |s: &str| Value::Time(s.parse().unwrap());
    gives("time.parse", &[t("2026-01-05T10:00:00+01:00")], at("2026-01-05T09:00:00Z"));
    fails("time.parse", &[t("tomorrow")], "tomorrow");
    gives(
        "time.add",
        &[at("2026-01-05T09:00:00Z"), Value::Duration(-1)],
        at("2026-01-05T08:59:59.999999999Z"),
    );
    gives(
        "time.between",
        &[at("2026-01-05T09:00:00Z"), at("2026-01-04T09:00:00Z")],
        Value::Duration(-86_400_000_000_000),
    );
    fails("time.parse", &[t("9999-12-31T00:00:00Z")], "9999-12-30T22:00:00.999999999Z");
    fails("time.parse", &[t("2026-01-05")], "is not a time such as");
    fails("time.between", &[at("0001-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")], "292");
}

#[test]
fn patterns_are_linear_and_explained() {
    gives("regex.find", &[t("order 42"), t(r"\d+")], t("42"));
    gives("regex.find_all", &[t("3 and 14"), t(r"\d+")], texts(&["3", "14"]));
    gives("regex.replace", &[t("k=v"), t(r"(?<a>\w)=(\w)"), t("$2=${a}$$")], t("v=k$"));
    gives("regex.replace", &[t("5 6"), t(r"(\d)"), t("${1}px $")], t("5px $ 6px $"));
    fails("regex.replace", &[t("5"), t(r"(\d)"), t("$1px")], "`$1px` stands for no group");
    fails("regex.replace", &[t("5"), t(r"(?<n>\d)"), t("$n ${2}")], "`$2` stands for no group");
    let Value::Map(groups) =
        call("regex.captures", &[t("k=v"), t(r"(?<key>\w)=(\w)(x)?")]).unwrap()
    else {
        panic!()
    };
    let names: Vec<_> = groups.keys().cloned().collect();
    assert_eq!(names, [t("0"), t("key"), t("2")]);
    fails("regex.find", &[t(""), t("(")], "unclosed group");
    fails("regex.find", &[t(""), t("((a{1000}){1000}){1000}")], "Invalid");
    // What makes backtracking engines hang.
    gives("regex.matches", &[t(&"a".repeat(50_000)), t("^(a+)+$b")], Value::Bool(false));
}

#[test]
fn json_is_read_and_written_by_type() {
    let mut types = Types::default();
    let int = types.push(Type::Int);
    let small = types.push(Type::Refined {
        name: None,
        base: int,
        bounds: vec![Bound::Max(Value::Int(9))],
    });
    let list = types.push(Type::List(small));
    let decode = |s: &str| call_typed("json.decode", &[t(s)], types.clone(), &[], list);
    assert_eq!(decode("[1, 2]"), Ok(ints(&[1, 2])));
    assert!(format!("{:?}", decode("[1, 20]").unwrap_err()).contains("/1"));
    assert!(matches!(decode("[1,"), Err(Failure::Invalid { .. })));
    let encode = |name: &str| call_typed(name, &[ints(&[1, 2])], types.clone(), &[list], int);
    assert_eq!(encode("json.encode"), Ok(t("[1,2]")));
    assert_eq!(encode("json.pretty"), Ok(t("[\n  1,\n  2\n]")));

    let json = |s: &str| Value::Json(std::sync::Arc::new(serde_json::from_str(s).unwrap()));
    let doc = json(r#"{"user": {"mails": ["a", null]}, "a.b": 1}"#);
    gives("json.get", &[doc.clone(), t("user.mails.0")], json("\"a\""));
    gives("json.get", &[doc.clone(), t("user.mails.1")], Value::None);
    gives("json.get", &[doc.clone(), t("/a.b")], json("1"));
    gives("json.get", &[doc, t("user.age")], Value::None);
}

/// `[Row]`, where `Row` has a text, an optional int, a bool and an enum.
fn row_types() -> (Types, TypeId) {
    let mut types = Types::default();
    let text = types.push(Type::Text);
    let int = types.push(Type::Int);
    let maybe = types.push(Type::Optional(int));
    let bool = types.push(Type::Bool);
    let variant = |name: &str| VariantType {
        name: name.into(),
        wire: name.to_lowercase().into(),
        docs: SmolStr::default(),
        fields: vec![],
    };
    let mood = types.push(Type::Enum(EnumType {
        name: "Mood".into(),
        docs: SmolStr::default(),
        variants: vec![variant("Calm"), variant("Wild")],
    }));
    let field = |name: &str, ty| FieldType {
        name: name.into(),
        wire: name.into(),
        docs: SmolStr::default(),
        ty,
        default: None,
        trust: None,
    };
    let row = types.push(Type::Record(RecordType {
        name: "Row".into(),
        docs: SmolStr::default(),
        fields: vec![
            field("name", text),
            field("n", maybe),
            field("on", bool),
            field("mood", mood),
        ],
    }));
    let list = types.push(Type::List(row));
    (types, list)
}

#[test]
fn csv_reads_cells_by_the_types_of_fields() {
    let (types, list) = row_types();
    let decode =
        |s: &str, sep: &str| call_typed("csv.decode", &[t(s), t(sep)], types.clone(), &[], list);
    let row = |name: &str, n: Value, on: bool, mood: u32| {
        Value::record([t(name), n, Value::Bool(on), Value::Tag(mood)])
    };
    assert_eq!(
        decode(
            "\u{feff}mood,name,extra,on,n\r\ncalm,\"Ada, \"\"L\"\"\",x,TRUE,\nwild,007,,false,3\n",
            ","
        ),
        Ok(Value::list(vec![
            row("Ada, \"L\"", Value::None, true, 0),
            row("007", Value::Int(3), false, 1)
        ]))
    );
    assert_eq!(decode("name;n;on;mood\n", ";"), Ok(Value::list(vec![])));
    for (source, words) in [
        ("name,n,on,mood\nAda,1,true,calm\nBob,x,true,calm\n", "line 3, column n"),
        ("name,n,on,mood\nAda,1,true\n", "line 2"),
        ("name,n,mood\nAda,1,calm\n", "no column `on`"),
    ] {
        let failure = format!("{:?}", decode(source, ",").unwrap_err());
        assert!(failure.contains(words), "{failure}");
    }
    assert!(decode("a", "::").is_err());
}

#[test]
fn csv_writes_what_it_reads() {
    let (types, list) = row_types();
    let source = "name,n,on,mood\n\"Ada, \"\"L\"\"\",,true,calm\n007,3,false,wild\n";
    let rows = call_typed("csv.decode", &[t(source), t(",")], types.clone(), &[], list).unwrap();
    let written = call_typed("csv.encode", &[rows, t(",")], types, &[list], list);
    assert_eq!(written, Ok(t(source)));
}

fn whole(mut segmenter: Segmenter, text: &str) -> Vec<SmolStr> {
    let mut out = Vec::new();
    segmenter.push(text, &mut out);
    segmenter.finish(&mut out);
    out
}

#[test]
fn sentences_end_where_readers_expect() {
    for (text, expected) in [
        ("a. b. c.", &["a.", "b.", "c."][..]),
        ("It works. Does it? Yes!", &["It works.", "Does it?", "Yes!"]),
        (
            "Dr. Who met J. R. Smith, e.g. twice. Fine.",
            &["Dr. Who met J. R. Smith, e.g. twice.", "Fine."],
        ),
        ("Pi is 3.14 today. Ok", &["Pi is 3.14 today.", "Ok"]),
        ("\"Stop!\" he said. (Really.) So", &["\"Stop!\"", "he said.", "(Really.)", "So"]),
        ("1. First\n2. Second", &["1. First", "2. Second"]),
        ("Wait... what?! No.", &["Wait...", "what?!", "No."]),
        ("今日は。元気？はい", &["今日は。", "元気？", "はい"]),
        ("No end here", &["No end here"]),
        ("  \n ", &[]),
    ] {
        assert_eq!(whole(Segmenter::sentences(), text), expected, "{text}");
    }
}

#[test]
fn segments_come_as_soon_as_they_are_certain() {
    let mut segmenter = Segmenter::sentences();
    let mut out = Vec::new();
    segmenter.push("One. Tw", &mut out);
    assert_eq!(out, ["One."]);
    segmenter.push("o.", &mut out);
    assert_eq!(out.len(), 1, "a digit could follow");
    segmenter.push(" ", &mut out);
    assert_eq!(out, ["One.", "Two."]);
}

#[test]
fn chunks_hold_whole_words_where_they_can() {
    let chunks = |text: &str, size, overlap| whole(Segmenter::chunks(size, overlap).unwrap(), text);
    assert_eq!(chunks("one two three four", 9, 0), ["one two", "three", "four"]);
    assert_eq!(chunks("one two three", 9, 4), ["one two", "two three"]);
    assert_eq!(chunks("abcdefgh", 3, 0), ["abc", "def", "gh"]);
    assert_eq!(chunks("ab abcdefghijk", 6, 3), ["ab", "abcdef", "defghi", "ghijk"]);
    assert_eq!(chunks("one two   ", 7, 3), ["one two"]);
    assert_eq!(chunks("  ", 7, 3), [""; 0]);
    assert_eq!(chunks("xe\u{301}y", 2, 0), ["x", "e\u{301}", "y"]);
    for (size, overlap) in [(0, 0), (-1, 0), (5, -1), (5, 3)] {
        assert!(Segmenter::chunks(size, overlap).is_err());
    }
}

fn kinds() -> Vec<Segmenter> {
    let chunks = |size, overlap| Segmenter::chunks(size, overlap).unwrap();
    vec![
        Segmenter::lines(),
        Segmenter::paragraphs(),
        Segmenter::sentences(),
        chunks(1, 0),
        chunks(7, 3),
        chunks(12, 1),
        chunks(40, 20),
    ]
}

proptest! {
    #[test]
    fn no_segment_depends_on_how_the_text_was_cut(
        text in "([a-zA-Z]{1,9}|[0-9]{1,3}|[ .!?,\n\r\"'()…。e\u{301}\u{200d}👍é]|\r\n|\n\n|Dr|e\\.g){0,60}",
        cuts in proptest::collection::vec(0usize..400, 0..12),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| text.is_char_boundary(*at) && *at <= text.len()).collect();
        cuts.sort_unstable();
        for segmenter in kinds() {
            let expected = whole(segmenter.clone(), &text);
            let (mut cut, mut out, mut last) = (segmenter.clone(), Vec::new(), 0);
            for at in &cuts {
                cut.push(&text[last..*at], &mut out);
                prop_assert!(expected.starts_with(&out), "a segment moved: {out:?}, {expected:?}");
                last = *at;
            }
            cut.push(&text[last..], &mut out);
            cut.finish(&mut out);
            prop_assert_eq!(&out, &expected);
            // Finished, it is as new.
            let mut again = Vec::new();
            cut.push(&text, &mut again);
            cut.finish(&mut again);
            prop_assert_eq!(&again, &expected);
        }
    }

    #[test]
    fn chunks_cover_the_text_and_keep_their_size(text in "[a-z ]{0,200}", size in 1i64..30, part in 0i64..16) {
        let overlap = part.min(size / 2);
        let chunks = whole(Segmenter::chunks(size, overlap).unwrap(), &text);
        for chunk in &chunks {
            prop_assert!(!chunk.is_empty() && chunk.chars().count() as i64 <= size);
            prop_assert!(text.contains(chunk.as_str()));
        }
        if overlap == 0 {
            let squeezed = |s: &str| s.replace(' ', "");
            prop_assert_eq!(squeezed(&chunks.concat()), squeezed(&text));
        }
        let total: usize = chunks.iter().map(|c| c.len()).sum();
        prop_assert!(total <= 4 * text.len() + 30, "the output stays linear: {} of {}", total, text.len());
    }

    #[test]
    fn truncating_gives_at_most_n(text in "\\PC{0,40}", n in 0i64..50) {
        let Ok(Value::Text(cut)) = call("text.truncate", &[Value::text(&*text), Value::Int(n)]) else { panic!() };
        prop_assert!(cut.chars().count() as i64 <= n);
        prop_assert!(cut == text.as_str() || n == 0 || cut.ends_with('…'));
    }
}

#[test]
fn segmenting_costs_the_same_per_character() {
    // Piece by piece, 2 MB of text without any end: quadratic machines would not come back.
    for mut segmenter in kinds() {
        let mut out = Vec::new();
        for _ in 0..200_000 {
            segmenter.push("abcdefghi ", &mut out);
            out.clear();
        }
        segmenter.finish(&mut out);
        assert!(out.len() <= 3);
    }
}

#[test]
fn amounts_in_different_currencies_have_no_order() {
    let mixed = Value::list(vec![money("2 eur"), money("1 usd"), money("3 eur")]);
    let no = Value::None;
    fails("list.sort", &[mixed.clone(), no.clone(), Value::Bool(false)], "mixed currencies");
    fails("list.sort", &[mixed.clone(), no.clone(), Value::Bool(true)], "mixed currencies");
    for name in ["list.max", "list.min", "list.unique", "list.group"] {
        fails(name, &[mixed.clone(), no.clone()], "mixed currencies");
    }
    let rows = [("a", "2 eur"), ("b", "1 usd")];
    let rows = rows.map(|(name, amount)| Value::record([t(name), money(amount)]));
    let rows = Value::list(rows.to_vec());
    fails("list.max", &[rows.clone(), Value::Int(1)], "mixed currencies");
    gives("list.max", &[rows.clone(), Value::Int(0)], rows.as_list().unwrap()[1].clone());
    let nested =
        Value::list(vec![Value::list(vec![money("2 eur")]), Value::list(vec![money("1 usd")])]);
    fails("list.min", &[nested, no.clone()], "mixed currencies");
    let one = Value::list(vec![money("2 eur"), money("1 eur")]);
    gives("list.min", &[one, no], money("1 eur"));
}
