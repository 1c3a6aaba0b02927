//! Modules of MCP servers: what schemas become, and that whatever a server says makes a module without mistakes.

use std::fmt::Write as _;

use kait_ir::pin::tool_hash;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::diagnostics::render::terminal::{self, Style};
use crate::sources::MemorySources;
use crate::{Cache, Compilation, compile, compile_with};

/// A lock of one server with these tools: name, what is written beside the schemas, input, output.
fn lock(tools: &[(&str, &str, Value, Option<Value>)]) -> String {
    let mut lock = String::from("version = 1\n");
    for (name, rows, input, output) in tools {
        let _ = writeln!(lock, "[mcp.s.tools.{}]\n{rows}", toml_text(name));
        let description = rows.lines().find_map(|row| row.strip_prefix("description = "));
        let description: Option<String> =
            description.map(|text| serde_json::from_str(text).expect("is JSON, too"));
        let hash = tool_hash(name, description.as_deref(), input, output.as_ref());
        let _ = writeln!(lock, "input = {}\nhash = \"{hash}\"", toml_text(&input.to_string()));
        if let Some(output) = output {
            let _ = writeln!(lock, "output = {}", toml_text(&output.to_string()));
        }
    }
    lock
}

/// Texts of TOML and of JSON are written alike, but for U+007F.
fn toml_text(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn compiled(lock: &str, program: &str) -> Compilation {
    let mut sources = MemorySources::single("main.kait", program);
    sources.insert("kait.lock", lock);
    compile(&sources, &["main.kait"])
}

/// The text of the module; it must be free of mistakes, and as the formatter would write it.
fn module(lock: &str) -> String {
    let compiled = compiled(lock, "use mcp.s\n");
    let shown = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
    let file = compiled.files.find("kait.lock/s.kait");
    let text = file.and_then(|file| compiled.files.get(file)).map(|file| file.text().to_owned());
    let text = text.unwrap_or_else(|| panic!("there is no module\n{shown}\n{lock}"));
    // That the import is not used is the only thing to say.
    let codes: Vec<_> = compiled.diagnostics.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes, ["K0218"], "{shown}\n{text}");
    let parse = kait_syntax::parse(&text);
    assert_eq!(parse.errors, [], "{text}");
    assert_eq!(crate::fmt::format(&parse).as_deref(), Ok(text.as_str()));
    text
}

/// The module of a tool with this input, without its first lines.
fn of_input(input: Value) -> String {
    let text = module(&lock(&[("tool", "does = [\"read mcp.s\"]", input, None)]));
    let at = text.find("pub extern").unwrap_or(0);
    text[at..].to_owned()
}

/// How a parameter of this schema is written.
fn of_param(schema: Value) -> String {
    let input = json!({"properties": {"it": schema}, "required": ["it"]});
    let text = of_input(input);
    let text = text.split_once("it: ").map_or("", |(_, rest)| rest);
    text.split_once("\n  does").map_or("", |(ty, _)| ty.trim_end_matches(") -> text")).to_owned()
}

#[test]
fn a_tool_is_an_extern_with_its_types() {
    let input = json!({
        "type": "object",
        "properties": {
            "repo": {"type": "string", "description": "Owner and name."},
            "perPage": {"type": "integer", "minimum": 1, "maximum": 100, "default": 30},
            "state": {"enum": ["open", "needs-info", "C++", "c"]},
            "filter": {
                "type": "object",
                "description": "Which ones.",
                "properties": {"since": {"type": "string", "format": "date-time"}, "in": {"type": "string"}},
                "required": ["in"],
            },
        },
        "required": ["repo", "filter"],
    });
    let output = json!({"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]});
    let rows = "description = \"Lists issues.\\n\\nNewest first.\"\napproval = true";
    let text = module(&lock(&[("listIssues", rows, input, Some(output))]));
    let wanted = "\
//! The tools of the MCP server `s`, as `kait.lock` pins them.

/// Lists issues.
///
/// Newest first.
pub extern list_issues(
  /// Owner and name.
  repo: trusted text,
  /// Which ones.
  filter: trusted ListIssuesFilter,
  /// The server's default is `30`.
  per_page: int? where (min: 1, max: 100) = none,
  state: ListIssuesState? = none,
) -> ListIssuesResult
  does write mcp.s
  needs approval
  from mcp \"s/listIssues\"

pub enum ListIssuesState {
  Open
  NeedsInfo as \"needs-info\"
  C as \"C++\"
  C2 as \"c\"
}

/// Which ones.
pub record ListIssuesFilter {
  since: time? = none
  in: text
}

pub record ListIssuesResult {
  total: int
}
";
    assert_eq!(text, wanted);
}

#[test]
fn the_documentation_shows_what_is_made() {
    const PAGE: &str = include_str!("../../../../docs/lock.md");
    let block = |info: &str| {
        let (_, rest) = PAGE.split_once(&format!("```{info}\n")).expect("the block");
        rest.split_once("```").map_or("", |(block, _)| block)
    };
    let compiled = compiled(block("toml"), "use mcp.github\n");
    let file = compiled.files.find("kait.lock/github.kait").and_then(|id| compiled.files.get(id));
    let text = file.map_or("", |file| file.text());
    assert!(text.contains(block("kait")), "{text}");
}

#[test]
fn schemas_become_types() {
    for (schema, ty) in [
        (json!({"type": "string"}), "text"),
        (
            json!({"type": "string", "minLength": 1, "maxLength": 9}),
            "text where (min_len: 1, max_len: 9)",
        ),
        (json!({"type": "string", "minLength": 9, "maxLength": 1}), "text"),
        (json!({"type": "string", "pattern": "^a\\d+$"}), "text where (pattern: \"^a\\\\d+$\")"),
        (json!({"type": "string", "pattern": "(?=a)"}), "text"),
        (json!({"type": "string", "format": "uri"}), "text where (format: \"uri\")"),
        (json!({"type": "string", "format": "date-time"}), "time"),
        (json!({"type": "string", "format": "phone"}), "text"),
        (json!({"type": "string", "contentEncoding": "base64"}), "bytes"),
        (
            json!({"type": "integer", "exclusiveMinimum": 0, "maximum": 10.0}),
            "int where (min: 1, max: 10)",
        ),
        (json!({"type": "integer", "minimum": -9007199254740991_i64, "maximum": 1e30}), "int"),
        (
            json!({"type": "integer", "minimum": -5, "multipleOf": 5}),
            "int where (min: -5, multiple_of: 5)",
        ),
        (json!({"type": "number", "minimum": 0, "maximum": 0.5}), "float where (min: 0, max: 0.5)"),
        (json!({"type": "number", "maximum": 1e300, "multipleOf": 0.0}), "float"),
        (json!({"type": "boolean"}), "bool"),
        (json!({"type": "null"}), "json"),
        (json!({"type": ["string", "null"]}), "text?"),
        (json!({"type": ["string", "integer"]}), "json"),
        (json!({"type": "string", "nullable": true}), "text?"),
        (
            json!({"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 5, "uniqueItems": true}),
            "[text where (max_len: 3)] where (max: 5, unique: true)",
        ),
        (json!({"type": "array", "items": {"type": ["integer", "null"]}}), "[int?]"),
        (json!({"type": "array", "prefixItems": [{}, {}]}), "[json]"),
        (json!({"type": "object"}), "[text: json]"),
        (json!({"type": "object", "additionalProperties": {"type": "integer"}}), "[text: int]"),
        (
            json!({"type": "object", "additionalProperties": {"type": ["integer", "null"]}}),
            "[text: int?]",
        ),
        (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), "text?"),
        (json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}), "json"),
        (json!({"oneOf": [{"type": "string"}, {"type": "string", "format": "uri"}]}), "text"),
        (json!({"anyOf": [{"type": "integer"}, {"type": "number"}]}), "float"),
        (json!({"anyOf": []}), "json"),
        (json!({"allOf": [{"type": "integer"}]}), "int"),
        (json!({"allOf": [{"type": "integer"}, {"minimum": 3}]}), "json"),
        (json!({"enum": []}), "json"),
        (json!({"enum": [1, 2, null]}), "int?"),
        (json!({"enum": ["a", 1]}), "json"),
        (json!({"const": true}), "bool"),
        (json!({"$ref": "https://example.com/schema.json"}), "json"),
        (json!({"$ref": "#/nowhere"}), "json"),
        (json!({"description": "Anything."}), "json"),
        (json!(true), "json"),
    ] {
        let written = of_param(schema.clone());
        let written = written.trim_end_matches([',', '\n']).to_owned();
        assert_eq!(written, ty, "{schema}");
    }
}

#[test]
fn choices_are_enums() {
    for (schema, variants) in [
        (json!({"enum": ["asc", "desc", "asc"]}), "  Asc\n  Desc\n"),
        (json!({"const": "v1"}), "  V1 as \"v1\"\n"),
        (
            json!({"enum": ["", " ", "1.0", "µ"]}),
            "  Value as \"\"\n  Value2 as \" \"\n  Value10 as \"1.0\"\n  Value3 as \"µ\"\n",
        ),
        (json!({"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}]}), "  A\n  B\n  C\n"),
        (
            json!({"enum": ["say \"${x}\"\n", "a\u{202e}b"]}),
            "  SayX as \"say \\\"\\${x}\\\"\\n\"\n  AB as \"a\\u{202e}b\"\n",
        ),
    ] {
        let text = of_input(json!({"type": "object", "properties": {"it": schema}}));
        let wanted = format!("pub enum ToolIt {{\n{variants}}}\n");
        assert!(text.contains(&wanted), "{text}\n{wanted}");
    }
}

#[test]
fn references_are_followed_and_records_may_hold_themselves() {
    let text = of_input(json!({
        "type": "object",
        "properties": {
            "tree": {"$ref": "#/$defs/Node"},
            "other": {"$ref": "#/$defs/Node"},
            "odd": {"$ref": "#/$defs/Odd"},
            "list": {"$ref": "#/$defs/List"},
            "me": {"$ref": "#"},
        },
        "required": ["tree", "other", "odd", "list", "me"],
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}, "up": {"$ref": "#/$defs/Node"}},
                "required": ["children"],
            },
            "Odd": {"type": "object", "properties": {"odd": {"$ref": "#/$defs/Odd"}, "n": {"type": "integer"}}, "required": ["odd", "n"]},
            "List": {"type": "array", "items": {"$ref": "#/$defs/List"}},
        },
    }));
    for part in [
        "tree: ToolNode,",
        "other: ToolNode,",
        "odd: ToolOdd,",
        "list: [json],",
        "  children: [ToolNode]\n  up: ToolNode? = none\n",
        // One that needs a value of itself has none; so it is not said what it is.
        "pub record ToolOdd {\n  odd: json\n  n: int\n}",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn what_keeps_several_schemas_has_the_properties_of_all() {
    let text = of_input(json!({
        "allOf": [
            {"$ref": "#/$defs/Base"},
            {"properties": {"b": {"type": "integer"}}},
            {"required": ["b"]},
        ],
        "$defs": {"Base": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}},
    }));
    assert!(text.starts_with("pub extern tool(b: text, a: text? = none) -> text\n"), "{text}");
}

#[test]
fn any_name_of_a_tool_parameter_or_field_makes_a_name() {
    let words = "match graph for none true text list ask calls secret trusted max stream header
        a_b a-b aB A_B _ __ 9 9a ü 名前 $ref a.b.c a/b a\"b a\\b ${x} \u{7} kind self type";
    let names: Vec<&str> = words.split_whitespace().chain(["", " "]).collect();
    let properties: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!({"type": "integer"}))).collect();
    let object = json!({"type": "object", "properties": properties, "required": names});
    let tools: Vec<_> = names
        .iter()
        .filter(|name| !name.is_empty())
        .map(|name| (*name, "", object.clone(), Some(object.clone())))
        .collect();
    let text = module(&lock(&tools));
    for part in [
        "pub extern match_(",
        "pub extern a_b(",
        "pub extern a_b_2(",
        "  match: int,",
        "  a_b_2: int as \"a-b\"\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(text.matches("pub extern ").count(), tools.len());
}

#[test]
fn what_cannot_be_declared_is_said_where_it_is_called() {
    let mut deep = json!({"type": "integer"});
    for _ in 0..50 {
        deep = json!({"type": "object", "properties": {"in": deep}, "required": ["in"]});
    }
    let wide: serde_json::Map<_, _> = (0..600).map(|n| (format!("p{n}"), json!({}))).collect();
    let row = json!({"properties": (0..200).map(|n| (format!("c{n}"), json!({"type": "integer"}))).collect::<serde_json::Map<_, _>>()});
    let large: serde_json::Map<_, _> = (0..200).map(|n| (format!("r{n}"), row.clone())).collect();
    let lock = lock(&[
        ("list", "", json!({"type": "array"}), None),
        ("anything", "", json!(true), None),
        ("wide", "", json!({"type": "object", "properties": wide}), None),
        ("large", "", json!({"type": "object", "properties": large}), None),
        ("data", "data = [\"b\"]", json!({"type": "object", "properties": {"a": {}}}), None),
        ("deep", "", deep.clone(), None),
        ("good", "", json!({"type": "object"}), None),
    ]);
    let program = "use mcp.s\ngraph g() -> text {\n  s.list()\n  s.anything()\n  s.wide()\n  s.large()\n  s.data()\n  s.good()\n}\n";
    let compiled = compiled(&lock, program);
    let found: Vec<_> = compiled
        .diagnostics
        .iter()
        .map(|found| (found.code.as_str(), found.message.as_str()))
        .collect();
    let cannot =
        |tool: &str, why: &str| format!("the tool `{tool}` of `mcp.s` cannot be called: {why}");
    let wanted = [
        cannot("list", "its input is not an object with properties"),
        cannot("anything", "its input is not an object with properties"),
        cannot("wide", "it has more than 500 parameters, the limit"),
        cannot("large", "its schema has more than 10000 parts, the limit"),
        cannot("data", "`data` names `b`, which is none of its parameters"),
    ];
    let wanted: Vec<_> = wanted.iter().map(|message| ("K0906", message.as_str())).collect();
    assert_eq!(found, wanted);
    // What is too deep is not looked into.
    let text = module(&lock);
    assert!(text.contains(": json\n"), "{text}");
}

#[test]
fn broken_locks_are_one_error() {
    let good = lock(&[("t", "description = \"A.\"", json!({"type": "object"}), None)]);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}\n{good}");
        good.replace(from, to)
    };
    for (lock, words) in [
        (String::new(), "missing field `version`"),
        ("version = 2\nnew = 1\n".to_owned(), "it has version 2, and this KAIT reads version 1"),
        ("version = 1\n[mcp\n".to_owned(), "line 2: "),
        (with("\"A.\"", "\"B.\""), "the tool `t` of `s` is not what was pinned"),
        (with("input = \"{", "input = \"{{"), "has an input that is not JSON"),
        (with("input", "inputs"), "unknown field `inputs`"),
        (with("hash", "does = []\nhash"), "says that it does nothing at all"),
        (with("hash", "does = [\"model\"]\nhash"), "does `model`, which is no effect"),
        (with("hash", "does = [\"read a.B\"]\nhash"), "does `read a.B`, which is no effect"),
        (with("hash", "does = [\"read a\\n  from\"]\nhash"), "which is no effect"),
        (with("mcp.s", "mcp.\"S x\""), "a server is called `S x`"),
        (with("tools.\"t\"", "tools.\"\""), "needs a name of 1 to 200 characters"),
        (with("hash = \"", "hash = \"x"), "is not what was pinned"),
        (format!("{good}#{}", "x".repeat(17 << 20)), "it is longer than 16 MiB, the limit"),
        (
            with("input = \"", &format!("input = \"{}", "[".repeat(100_000))),
            "recursion limit exceeded",
        ),
    ] {
        let compiled =
            compiled(&lock, "use mcp.s\nuse mcp.other\ngraph g() -> text {\n  s.t(other.u)\n}\n");
        let found: Vec<_> =
            compiled.diagnostics.iter().filter(|found| found.code == "K0905").collect();
        assert!(
            matches!(found.as_slice(), [one] if one.message.contains(words)),
            "{words}: {found:#?}"
        );
        let others = compiled
            .diagnostics
            .iter()
            .all(|found| ["K0905", "K0904"].contains(&found.code.as_str()));
        assert!(others, "{:#?}", compiled.diagnostics);
    }
}

#[test]
fn a_package_has_its_own_lock() {
    let one = |name: &str| lock(&[(name, "", json!({"type": "object"}), None)]);
    let mut sources = MemorySources::single(
        "main.kait",
        "use acme.support\nuse mcp.s\ngraph g() -> [text] {\n  [s.ours(), support.h()]\n}\n",
    );
    sources.insert("kait.toml", "[dependencies]\nacme = { path = \"../acme\" }\n");
    sources.insert("kait.lock", one("ours"));
    sources.insert("../acme/support.kait", "use mcp.s\npub graph h() -> text {\n  s.theirs()\n}\n");
    sources.insert("../acme/kait.lock", one("theirs"));
    let compiled = compile(&sources, &["main.kait"]);
    assert_eq!(compiled.diagnostics, []);
    let names: Vec<&str> = compiled.hir.modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(names, ["", "acme.support", "mcp.s", "acme.mcp.s", "prelude"]);
    // A file of that path is another one.
    sources.insert("mcp/s.kait", "pub let x = 1\n");
    assert_eq!(compile(&sources, &["main.kait", "mcp/s.kait"]).diagnostics, []);
}

#[test]
fn a_lock_that_changes_is_read_again() {
    let one = |schema: Value| {
        lock(&[(
            "t",
            "",
            json!({"type": "object", "properties": {"a": schema}, "required": ["a"]}),
            None,
        )])
    };
    let (int, text) = (one(json!({"type": "integer"})), one(json!({"type": "string"})));
    let mut sources =
        MemorySources::single("main.kait", "use mcp.s\ngraph g() -> text {\n  s.t(1)\n}\n");
    let mut cache = Cache::new();
    for (lock, wrong) in
        [(&int, 0), (&int, 0), (&text, 1), (&int, 0), (&String::new(), 1), (&int, 0)]
    {
        sources.insert("kait.lock", lock.as_str());
        let found = compile_with(&sources, &["main.kait"], &mut cache).diagnostics;
        assert_eq!(found.len(), wrong, "{found:#?}");
        assert_eq!(found, compile(&sources, &["main.kait"]).diagnostics);
    }
}

fn fraction() -> impl Strategy<Value = Value> {
    let usual = any::<i32>().prop_map(|n| json!(f64::from(n) / 1_000.0));
    prop_oneof![4 => usual, 1 => prop::sample::select(vec![json!(1e300), json!(-1e-300), json!(-0.0)])]
}

/// Schemas in which anything may stand anywhere.
fn schema() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        "[a-zA-Z_$ é-]{0,6}",
        Just("a".to_owned()),
        Just("A".to_owned()),
        any::<String>()
    ];
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        fraction(),
        any::<String>().prop_map(Value::from),
    ];
    let number = prop_oneof![(-9_i64..9).prop_map(Value::from), fraction(), plain.clone()];
    let pointer = prop_oneof![
        Just(json!("#")),
        Just(json!("#/properties/a")),
        Just(json!("#/properties/a/items")),
        Just(json!("#/allOf/0")),
        Just(json!("x")),
    ];
    let kind = prop::sample::select(vec![
        "string", "integer", "number", "boolean", "array", "object", "null", "odd",
    ]);
    let leaf = (
        kind,
        prop::collection::vec(
            (
                prop::sample::select(vec![
                    "minimum",
                    "maximum",
                    "exclusiveMinimum",
                    "multipleOf",
                    "minLength",
                    "maxLength",
                    "minItems",
                    "maxItems",
                    "uniqueItems",
                    "pattern",
                    "format",
                    "default",
                    "description",
                    "nullable",
                    "const",
                    "type",
                ]),
                number,
            ),
            0..4,
        ),
    )
        .prop_map(|(kind, rows)| {
            let mut schema = json!({"type": kind});
            for (name, value) in rows {
                schema[name] = value;
            }
            schema
        });
    let leaf = prop_oneof![4 => leaf, 1 => plain.clone(), 1 => pointer.prop_map(|to| json!({"$ref": to})),
        1 => prop::collection::vec(plain, 0..4).prop_map(|all| json!({"enum": all}))];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let many = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            inner.clone().prop_map(|item| json!({"type": "array", "items": item})),
            inner.clone().prop_map(|item| json!({"type": "object", "additionalProperties": item})),
            (prop::sample::select(vec!["anyOf", "oneOf", "allOf"]), many).prop_map(|(word, all)| json!({word: all})),
            (prop::collection::vec((name.clone(), inner), 0..6), prop::collection::vec(name.clone(), 0..3)).prop_map(|(all, required)| {
                let mut required = required;
                required.extend(all.iter().step_by(2).map(|(name, _)| name.clone()));
                let all: serde_json::Map<_, _> = all.into_iter().collect();
                json!({"type": "object", "properties": all, "required": required, "description": "It\u{202e}\r\n```\n*/"})
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_server_makes_a_module_without_mistakes(
        tools in prop::collection::vec((any::<String>(), any::<String>(), schema(), prop::option::of(schema())), 1..4)
    ) {
        let mut names = std::collections::HashSet::new();
        let rows: Vec<String> = tools.iter().map(|tool| format!("description = {}", toml_text(&tool.1))).collect();
        let tools: Vec<_> = tools
            .iter()
            .zip(&rows)
            .filter(|((name, ..), row)| !name.is_empty() && name != "plain" && !row.contains("\\u007f") && names.insert(name.clone()))
            .map(|((name, _, input, output), row)| {
                let input = json!({"type": "object", "properties": {"a": input, "b": {"$ref": "#/properties/a"}}, "required": ["a"]});
                (name.as_str(), row.as_str(), input, output.clone())
            })
            .collect();
        module(&lock(&[tools, vec![("plain", "", json!({"type": "object"}), None)]].concat()));
    }

    #[test]
    fn no_lock_does_harm(text in "\\PC{0,80}", rows in prop::collection::vec("(version = 1|\\[mcp.s(.tools(.t)?)?\\]|does = \\[\"read a\"\\]|input = '(\\{\\})?'|hash = \"\"|s = 1)", 0..8)) {
        for lock in [text, rows.join("\n")] {
            let found = compiled(&lock, "use mcp.s\n").diagnostics;
            prop_assert!(!found.is_empty());
        }
    }
}
