//! What can be written at the cursor.
//!
//! `context` says what kind of place it is, from the tokens before it and the syntax nodes around it, which works in
//! broken text; `items` has what each kind of place takes. Where nothing sensible can stand (in comments, texts and
//! numbers, where a new name is introduced) nothing is offered.

mod context;
mod items;

use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::DefId;
use kait_compiler::sources::Sources;

use crate::{Analysis, TextEdit};

/// Something that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The name; also what typed letters are compared with.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// Its type or signature.
    pub detail: Option<String>,
    /// Documentation, as Markdown.
    pub docs: Option<String>,
    /// The part of the word that is already there.
    pub replace: Span,
    /// What takes its place.
    pub insert: String,
    /// The same with stops for the cursor (`$1`, `$0`), for editors that know snippets.
    pub snippet: Option<String>,
    /// What else changes with it, elsewhere in the file: `.` becomes `?.`, a `use` is added.
    pub also: Vec<TextEdit>,
    /// How close it is: lower comes first.
    pub rank: u8,
}

/// What a completion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each says itself")]
pub enum CompletionKind {
    Local,
    Field,
    Argument,
    Constant,
    Function,
    Record,
    Enum,
    Variant,
    Type,
    TypeParameter,
    Module,
    Role,
    Policy,
    Keyword,
}

impl Analysis {
    /// What can be written at an offset: closest first. Of the package's modules those that were read; see
    /// [`Analysis::completions_among`].
    #[must_use]
    pub fn completions(&self, file: FileId, offset: u32) -> Vec<Completion> {
        self.completions_of(file, offset, &Vec::new)
    }

    /// The same, with the modules of all files that the sources list: behind `use`, and, with the `use` that they need,
    /// wherever a module can stand and a letter is typed. Elsewhere the sources are not asked.
    #[must_use]
    pub fn completions_among(
        &self,
        sources: &dyn Sources,
        file: FileId,
        offset: u32,
    ) -> Vec<Completion> {
        self.completions_of(file, offset, &|| sources.list())
    }

    fn completions_of(
        &self,
        file: FileId,
        offset: u32,
        listed: &dyn Fn() -> Vec<String>,
    ) -> Vec<Completion> {
        let Some((mut place, context)) = self.completion_context(file, offset) else {
            return Vec::new();
        };
        if matches!(context, context::Context::Imports) {
            place.word = self.path_before(file, place.word);
        }
        let mut items = items::Items::new(self, file, place, listed);
        items.add(&context);
        items.finish()
    }

    /// The whole path of modules that ends with a word: `shop.ord` of `use shop.ord`.
    fn path_before(&self, file: FileId, word: Span) -> Span {
        let text = self.source(file).map_or("", |source| source.text());
        let before = text.get(..word.start as usize).unwrap_or_default();
        let is_part =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        let path = before.trim_end_matches(is_part);
        // A path begins behind a blank; what touches anything else is none.
        match path.ends_with([' ', '\t']) {
            true => Span { start: u32::try_from(path.len()).unwrap_or(word.start), ..word },
            false => word,
        }
    }
}

/// The place of the cursor.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u32,
    /// The word before the cursor; empty if there is none.
    word: Span,
    /// What stands there directly behind the cursor.
    follows: Follows,
    /// The declaration around it.
    owner: Option<DefId>,
    /// It is inside of a text that ends on its line.
    one_line: bool,
}

/// What stands directly behind the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
    /// `(`: a call brings none, and what cannot be called has no place.
    Bracket,
    /// `:`: a name brings none.
    Colon,
    /// `.` or `?.`.
    Dot,
    Other,
}

#[cfg(test)]
mod tests {
    use crate::testing::snapshot;

    /// Labels in their order, long lists cut.
    fn draw(
        analysis: &crate::Analysis,
        file: kait_compiler::diagnostics::FileId,
        offset: u32,
    ) -> String {
        let found = analysis.completions(file, offset);
        if found.is_empty() {
            return "nothing".into();
        }
        let text = analysis.source(file).unwrap().text();
        let mut out = String::new();
        for item in found.iter().take(14) {
            let detail = item.detail.as_deref().unwrap_or("");
            let snippet = item.snippet.as_deref().unwrap_or(&item.insert);
            let start = item.replace.start as usize;
            let word = &text[start..item.replace.end as usize];
            out += &format!("{:?} {} | {detail} | {word:?} → {snippet:?}", item.kind, item.label);
            for also in &item.also {
                let (start, end) = (also.span.start as usize, also.span.end as usize);
                out += &format!(", {:?} → {:?}", &text[start..end], also.insert);
            }
            out.push('\n');
        }
        if found.len() > 14 {
            out += &format!("… {} in all\n", found.len());
        }
        out
    }

    #[test]
    fn modules_behind_use_are_those_of_the_package() {
        let mut sources = kait_compiler::sources::MemorySources::single("main.kait", "");
        for path in ["shop.kait", "shop/orders.kait", "shop/old.kait", "Not a module.kait"] {
            sources.insert(path, "");
        }
        let labels = |text: &str| {
            let mut sources = sources.clone();
            sources.insert("main.kait", text);
            let analysis = crate::Analysis::new(&sources, &["main.kait"]);
            let file = analysis.file("main.kait").unwrap();
            let end = u32::try_from(text.len()).unwrap();
            let found = analysis.completions_among(&sources, file, end);
            let shown = found.into_iter().map(|item| {
                // The whole path is replaced, so that a part of it fits every editor's way of comparing.
                let span = item.replace;
                assert_eq!(item.insert, item.label);
                format!("{} for {:?}", item.label, &text[span.start as usize..span.end as usize])
            });
            shown.collect::<Vec<_>>()
        };
        let all = labels("use ");
        assert_eq!(all[..3], ["shop for \"\"", "shop.old for \"\"", "shop.orders for \"\""]);
        assert!(all[3..].contains(&"text for \"\"".to_owned()), "{all:?}");
        assert!(all.iter().all(|one| !one.contains("main") && !one.contains("ot a")), "{all:?}");
        assert_eq!(labels("use shop.o"), ["shop.old for \"shop.o\"", "shop.orders for \"shop.o\""]);
        assert_eq!(labels("use shop."), ["shop.old for \"shop.\"", "shop.orders for \"shop.\""]);
        // What is imported already is not imported again.
        assert_eq!(labels("use shop.old\nuse shop.o"), ["shop.orders for \"shop.o\""]);
    }

    #[test]
    fn modules_that_are_not_imported_bring_their_use() {
        let mut sources = kait_compiler::sources::MemorySources::single("main.kait", "");
        for path in ["shop.kait", "shop/orders.kait", "text.kait", "taken.kait"] {
            sources.insert(path, "pub fn one() -> int {\n  1\n}\n");
        }
        let offered = |text: &str| {
            let mut sources = sources.clone();
            let at = text.find("$0").unwrap();
            let text = text.replace("$0", "");
            sources.insert("main.kait", text.as_str());
            let analysis = crate::Analysis::new(&sources, &["main.kait"]);
            let file = analysis.file("main.kait").unwrap();
            let found = analysis.completions_among(&sources, file, u32::try_from(at).unwrap());
            let found = found.into_iter().filter(|item| !item.also.is_empty());
            let shown = found.map(|item| {
                let mut edits = item.also.clone();
                edits.push(crate::TextEdit::new(item.replace, item.insert.clone()));
                crate::TextEdit::apply(&text, &edits)
            });
            shown.collect::<Vec<_>>()
        };
        let around = |word: &str| format!("fn f(taken: int) -> int {{\n  {word}\n}}\n");
        assert_eq!(offered(&around("sho$0")), [format!("use shop\n\n{}", around("shop."))]);
        assert_eq!(
            offered(&format!("use shop\n\n{}", around("ord$0"))),
            [format!("use shop\nuse shop.orders\n\n{}", around("orders."))]
        );
        // What has a meaning already is not taken from it; and without a letter nothing is looked up.
        assert_eq!(offered(&around("te$0")), Vec::<String>::new());
        assert_eq!(offered(&around("take$0")), Vec::<String>::new());
        assert_eq!(offered(&around("$0")), Vec::<String>::new());
        assert_eq!(
            offered("fn f(o: sho$0) -> int {\n  1\n}\n"),
            ["use shop\n\nfn f(o: shop.) -> int {\n  1\n}\n"]
        );
    }

    #[test]
    fn members() {
        snapshot(
            "completion_members",
            &[
                (
                    "fields of a record",
                    "record R {\n  /// How many.\n  a: int\n  b: [text]\n}\n\nfn f(r: R) -> int {\n  r.$0\n}\n",
                ),
                (
                    "fields with a part of the name",
                    "record R {\n  alpha: int\n  beta: int\n}\n\nfn f(r: R) -> int {\n  r.al$0\n}\n",
                ),
                (
                    "fields of a call's result",
                    "record R {\n  a: int\n}\n\nfn g() -> R {\n  R(a: 1)\n}\n\nfn f() -> int {\n  g().$0\n}\n",
                ),
                (
                    "fields of what a generic call gives",
                    "record R {\n  a: int\n}\n\nfn f(rs: [R]) -> int? {\n  list.first(rs)?.$0\n}\n",
                ),
                (
                    "fields of an item of a field",
                    "record R {\n  a: int\n}\n\nrecord S {\n  rs: [R]\n}\n\nfn f(s: S) -> int? {\n  s.rs[0]?.$0\n}\n",
                ),
                (
                    "fields of an optional",
                    "record R {\n  a: int\n}\n\nfn f(r: R?) -> int? {\n  r?.$0\n}\n",
                ),
                (
                    "fields of an optional, behind a plain dot",
                    "record R {\n  a: int\n}\n\nfn f(r: R?) -> int? {\n  r.$0\n}\n",
                ),
                (
                    "fields of an item, behind a plain dot",
                    "record R {\n  a: int\n}\n\nfn f(rs: [R]) -> int? {\n  rs[0].$0\n}\n",
                ),
                (
                    "fields in a template",
                    "record R {\n  a: int\n}\n\nfn f(r: R) -> text {\n  \"a ${r.$0}\"\n}\n",
                ),
                (
                    "fields of a loop item",
                    "record R {\n  a: int\n}\n\nfn f(rs: [R]) -> [int] {\n  for r in rs { r.$0 }\n}\n",
                ),
                (
                    "before a line that goes on",
                    "record R {\n  a: int\n}\n\nfn f(r: R) -> int {\n  let x = r.$0\n  let y = 1\n  x + y\n}\n",
                ),
                ("a text has no fields", "fn f(s: text) -> int {\n  s.$0\n}\n"),
                ("functions of a std module", "fn f(s: text) -> text {\n  hash.$0\n}\n"),
                (
                    "functions of an imported module",
                    "use shop\n\nfn f() -> int {\n  shop.$0\n}\n//- shop.kait\n/// Docs.\npub fn one() -> int {\n  1\n}\n\nfn hidden() -> int {\n  1\n}\n\npub record Order {\n  id: int\n}\n",
                ),
                (
                    "variants of an enum",
                    "enum E {\n  A\n  B(x: int)\n}\n\nfn f() -> E {\n  E.$0\n}\n",
                ),
                (
                    "types of a module",
                    "use shop\n\nfn f(o: shop.$0) -> int {\n  1\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n\npub record Order {\n  id: int\n}\n",
                ),
                (
                    "a selector",
                    "record R {\n  a: int\n  b: text\n}\n\nfn f(rs: [R]) -> [R] {\n  list.sort(rs, by: .$0)\n}\n",
                ),
                ("an unknown value", "fn f() -> int {\n  what.$0\n}\n"),
                (
                    "what a session has",
                    "session Chat {\n  /// How often.\n  turns: int = 0\n}\n\ngraph f() -> int in Chat {\n  session.$0\n}\n",
                ),
                (
                    "what is saved",
                    "session Chat {\n  turns: int = 0\n  last: text = \"\"\n}\n\ngraph f() -> int in Chat {\n  session.save(turns: 1, $0)\n  1\n}\n",
                ),
                ("a session where none is", "graph f() -> int {\n  session.$0\n}\n"),
            ],
            draw,
        );
    }

    #[test]
    fn names() {
        snapshot(
            "completion_names",
            &[
                (
                    "what is bound, by closeness",
                    "fn f(alpha: int) -> int {\n  let beta = 1\n  for gamma in [1] { $0 }\n  let delta = 2\n  1\n}\n",
                ),
                (
                    "with a part of the name",
                    "fn f(alpha: int) -> int {\n  let album = 1\n  al$0\n}\n",
                ),
                ("in a template", "fn f(alpha: int) -> text {\n  \"a ${al$0}\"\n}\n"),
                (
                    "functions and constants",
                    "let limit = 3\n\n/// Doubles.\nfn double(n: int) -> int {\n  n + n\n}\n\nfn f() -> int {\n  do$0\n}\n",
                ),
                (
                    "a call that has its brackets",
                    "fn double(n: int) -> int {\n  n + n\n}\n\nfn f() -> int {\n  dou$0(1)\n}\n",
                ),
                ("a std function by its own name", "fn f(s: text) -> text {\n  trim$0\n}\n"),
                (
                    "variants and records",
                    "enum Verdict {\n  Accept\n  Revise(notes: text)\n}\n\nrecord Row {\n  a: int\n}\n\nfn f() -> Verdict {\n  R$0\n}\n",
                ),
                (
                    "a loop's words",
                    "fn f() -> int {\n  loop n = 0 max 3 {\n    ne$0\n  } else {\n    n\n  }\n}\n",
                ),
                ("behind a value: only what can follow", "fn f(a: bool) -> bool {\n  a a$0\n}\n"),
                ("behind a call", "graph f() -> text {\n  file.read(\"a\") $0\n}\n"),
                (
                    "in a test",
                    "graph g() -> none {\n  out.status(\"a\")\n}\n\ntest \"t\" {\n  $0\n}\n",
                ),
                ("an unfinished line", "fn f(alpha: int) -> int {\n  let x = al$0\n  let y = 2\n"),
            ],
            draw,
        );
    }

    #[test]
    fn arguments() {
        snapshot(
            "completion_arguments",
            &[
                (
                    "named arguments that are missing",
                    "fn f(alpha: int, beta: int, gamma: int = 1) -> int {\n  alpha\n}\n\nfn g() -> int {\n  f(1, beta: 2, $0)\n}\n",
                ),
                (
                    "fields of a record",
                    "record R {\n  alpha: int\n  /// Docs.\n  beta: text\n}\n\nfn g() -> R {\n  R(al$0)\n}\n",
                ),
                (
                    "behind a name: a value",
                    "fn f(alpha: int) -> int {\n  alpha\n}\n\nfn g(gamma: int) -> int {\n  f(alpha: ga$0)\n}\n",
                ),
                (
                    "of a std function",
                    "fn g(gamma: [text]) -> text {\n  text.join(gamma, wi$0)\n}\n",
                ),
                ("policies of a call", "graph g() -> text {\n  file.read(\"a\") with (re$0)\n}\n"),
                (
                    "the role of a call",
                    "model fast\n\nprompt p(t: text) -> text {\n  model fast\n  user t\n}\n\ngraph g() -> text {\n  p(\"a\") with (model: $0)\n}\n",
                ),
                (
                    "policies of a model",
                    "model fast\n\nprompt p(t: text) -> text {\n  model fast with ($0)\n  user t\n}\n",
                ),
                (
                    "variables of a loop",
                    "fn f() -> int {\n  loop total = 0, count = 1 max 3 {\n    next($0)\n  } else {\n    total\n  }\n}\n",
                ),
                ("bounds", "type Id = text where ($0)\n"),
                ("bounds of numbers", "record R {\n  a: int where (min: 1, $0)\n}\n"),
                (
                    "policies that are not given",
                    "graph g() -> text {\n  file.read(\"a\") with (retry: 1, $0)\n}\n",
                ),
                ("a policy's enum", "graph g() -> text with (overlap: $0) {\n  \"a\"\n}\n"),
                ("a default value", "let limit = 3\n\nfn f(n: int = lim$0) -> int {\n  n\n}\n"),
                ("a field's default value", "let limit = 3\n\nrecord R {\n  n: int = lim$0\n}\n"),
                (
                    "a record is made",
                    "record Point {\n  x: int\n  y: int\n  note: text?\n  z: int = 0\n}\n\nfn f() -> Point {\n  Poi$0\n}\n",
                ),
                (
                    "an alias and an enum in a value",
                    "type Name = text where (min_len: 1)\n\nenum Names {\n  A\n}\n\nfn f() -> int {\n  let n = Nam$0\n  1\n}\n",
                ),
                (
                    "names of what a variant holds",
                    "enum E {\n  A(deep: int, wide: int)\n}\n\nfn f(e: E) -> int {\n  match e {\n    A(wide: w, $0) => 1\n  }\n}\n",
                ),
                (
                    "what is compared first",
                    "enum E {\n  A\n  B\n}\n\nfn f(e: E) -> bool {\n  e == $0\n}\n",
                ),
                ("what effects are about", "graph g() -> text does read $0 {\n  \"a\"\n}\n"),
            ],
            draw,
        );
    }

    #[test]
    fn places() {
        snapshot(
            "completion_places",
            &[
                ("a declaration", "$0\n"),
                ("a declaration behind others", "fn f() -> int {\n  1\n}\n\ngr$0\n"),
                ("behind pub", "pub $0\n"),
                (
                    "a parameter's type",
                    "record Row {\n  a: int\n}\n\nfn f(r: R$0) -> int {\n  1\n}\n",
                ),
                ("a result's type", "fn f() -> $0 {\n  1\n}\n"),
                ("a type in a list", "fn f(xs: [i$0]) -> int {\n  1\n}\n"),
                ("a type parameter", "record Box<Item> {\n  value: I$0\n}\n"),
                (
                    "a prompt's line",
                    "model fast\n\nprompt p(t: text) -> text {\n  model fast\n  $0\n}\n",
                ),
                (
                    "a prompt's role",
                    "model fast\nmodel smart\n\nprompt p(t: text) -> text {\n  model $0\n  user t\n}\n",
                ),
                (
                    "a prompt's message",
                    "model fast\n\nprompt p(words: text) -> text {\n  model fast\n  user wo$0\n}\n",
                ),
                (
                    "a pattern of a match",
                    "enum E {\n  A\n  B(x: int)\n}\n\nfn f(e: E) -> int {\n  match e {\n    $0\n  }\n}\n",
                ),
                (
                    "the next pattern",
                    "enum E {\n  A\n  B(x: int)\n}\n\nfn f(e: E) -> int {\n  match e {\n    A => 1\n    B$0\n  }\n}\n",
                ),
                (
                    "a pattern of a catch",
                    "graph g() -> text {\n  file.read(\"a\") catch {\n    Time$0\n  }\n}\n",
                ),
                ("behind is", "fn f(r: Result<int>) -> bool {\n  r is $0\n}\n"),
                (
                    "an arm's value",
                    "enum E {\n  A\n  B\n}\n\nfn f(e: E, number: int) -> int {\n  match e {\n    A => nu$0\n  }\n}\n",
                ),
                ("a header's clauses", "graph g() -> text $0 {\n  \"a\"\n}\n"),
                ("a source of events", "trigger t on $0 {\n  out.status(\"a\")\n}\n"),
                (
                    "what a source takes",
                    "trigger t on schedule.cron(\"0 7 * * *\", $0) {\n  out.status(\"a\")\n}\n",
                ),
                ("behind a source", "trigger t on startup() $0 {\n  out.status(\"a\")\n}\n"),
                (
                    "policies of a trigger",
                    "trigger t on schedule.every(1h) with ($0) {\n  out.status(\"a\")\n}\n",
                ),
                ("effects", "graph g() -> text does $0 {\n  \"a\"\n}\n"),
                ("a for's clauses", "fn f(xs: [int]) -> [int] {\n  for x in xs $0 { x }\n}\n"),
                ("else", "fn f(a: bool) -> int {\n  if a { 1 } $0\n}\n"),
                ("what is stubbed", "test \"t\" {\n  stub $0.read(_) => \"a\"\n}\n"),
                ("what is expected", "test \"t\" {\n  expect $0.read(\"a\")\n}\n"),
                ("behind an outcome", "test \"t\" {\n  stub file.read(_) => \"a\" $0\n}\n"),
            ],
            draw,
        );
    }

    #[test]
    fn a_long_list_is_cut_where_it_is_farthest() {
        let mut text: String = (0..500).map(|n| format!("let name_{n:03} = {n}\n\n")).collect();
        text.push_str("fn f(near: int) -> int {\n  $0\n}\n");
        let labels = |text: &str| {
            let case = crate::testing::case(text);
            let analysis = crate::Analysis::new(&case.sources, &[&case.path]);
            let found = analysis.completions(analysis.file(&case.path).unwrap(), case.offset);
            found.into_iter().map(|item| item.label).collect::<Vec<_>>()
        };
        let all = labels(&text);
        assert!(all.len() < 300, "{}", all.len());
        assert_eq!(all.first().map(String::as_str), Some("near"));
        // Each rank is cut by itself: words and modules are still there.
        assert!(["name_000", "match", "text"].iter().all(|name| all.iter().any(|one| one == name)));
        assert!(!all.iter().any(|one| one == "name_499"));
        assert_eq!(labels(&text.replace("$0", "name_499$0")), ["name_499"]);
    }

    #[test]
    fn nowhere() {
        snapshot(
            "completion_nowhere",
            &[
                ("in a comment", "fn f() -> int {\n  // a$0\n  1\n}\n"),
                ("in documentation", "/// a$0\nfn f() -> int {\n  1\n}\n"),
                ("in a text", "fn f() -> text {\n  \"a $0b\"\n}\n"),
                ("in a text that is not closed", "fn f() -> text {\n  \"a $0\n}\n"),
                ("in a number", "fn f() -> int {\n  12$0\n}\n"),
                ("where a name is introduced", "fn f() -> int {\n  let a$0 = 1\n  a\n}\n"),
                ("the name of a function", "fn $0\n"),
                ("the name of a parameter", "fn f(a$0) -> int {\n  1\n}\n"),
                ("the name of a field", "record R {\n  a$0\n}\n"),
                ("the title of a test", "test \"$0\" {\n}\n"),
                ("behind a text", "fn f() -> text {\n  \"a\"$0\n}\n"),
            ],
            draw,
        );
    }
}
