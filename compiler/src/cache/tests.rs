//! Whatever is edited, a compilation with a cache gives what one without gives, and one on several threads what one on one
//! thread gives.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use crate::check::ty::Ty;
use crate::check::{BodyTypes, Coercion};
use crate::sources::MemorySources;
use crate::{Cache, Compilation, Threads, compile, compile_on, compile_with};

/// Everything that a compilation found out, in words: handles of types may differ.
fn shown(found: &Compilation) -> Vec<String> {
    let mut all: Vec<String> =
        found.diagnostics.iter().map(|finding| format!("{finding:?}")).collect();
    let show = |ty: &Ty| found.types.display(&found.hir, *ty, None);
    for (index, body) in found.types.bodies.iter().enumerate() {
        let Some(body) = body else { continue };
        let BodyTypes { exprs, pats, locals, .. } = &**body;
        let types: Vec<String> = exprs.iter().chain(pats).chain(locals).map(show).collect();
        all.push(format!("{index}: {types:?}"));
        for (id, call) in body.calls.iter() {
            let types = call.params.iter().chain(&call.type_args).chain([&call.result]).map(show);
            let types: Vec<String> = types.collect();
            all.push(format!("{id:?}: {:?} {:?} {types:?}", call.args, call.selectors));
        }
        for (id, coercions) in body.coercions.iter() {
            let shown: Vec<String> = coercions
                .iter()
                .map(|coercion| match coercion {
                    Coercion::ToFloat => "float".to_owned(),
                    Coercion::Check(ty) => format!("check {}", show(ty)),
                    Coercion::Decode(ty) => format!("decode {}", show(ty)),
                })
                .collect();
            all.push(format!("{id:?}: {shown:?}"));
        }
        all.push(format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            body.variants,
            body.pat_variants,
            body.fields,
            body.non_none,
            body.pat_fields,
            body.nexts,
            body.max_items
        ));
    }
    for def in (0u32..).map(crate::hir::DefId).take(found.hir.defs.len()) {
        if let Some(ty) = found.types.constant(def) {
            all.push(format!("{def:?}: {}", show(&ty)));
        }
    }
    all.extend(found.hir.defs.iter().zip(&found.hir.bodies).map(|found| format!("{found:?}")));
    all.push(format!("{:?}", found.effects));
    all
}

/// A module and one that uses it, and the examples, in one package.
fn package() -> Vec<(String, String)> {
    let mut files = vec![
        (
            "main.kait".to_owned(),
            "use shapes\n\nlet count = shapes.twice(2)\n\nfn area(s: shapes.Square) -> int {\n  \
             let side = s.side\n  side * side + count\n}\n\nfn sides(of: [shapes.Square]) -> [int] {\n  \
             for one in of { one.side }\n}\n\ntest \"areas\" {\n  \
             expect area(shapes.Square(side: 2)) == 8\n}\n"
                .to_owned(),
        ),
        (
            "shapes.kait".to_owned(),
            "pub record Square {\n  side: int\n}\n\npub fn twice(n: int) -> int {\n  n + n\n}\n"
                .to_owned(),
        ),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the examples are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "kait"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        files.push((name, std::fs::read_to_string(path).expect("a text")));
    }
    files
}

/// One change of a text; places are counted in 65,536ths of its length.
#[derive(Clone, Debug)]
enum Edit {
    /// Some words are written.
    Insert(u16, &'static str),
    /// Some characters are deleted.
    Delete(u16, u8),
    /// A name is written longer everywhere behind a place.
    Rename(u16),
    /// A line moves up.
    Swap(u16),
    /// Everything is as at first.
    Undo,
}

fn edit() -> impl Strategy<Value = Edit> {
    let words = prop::sample::select(vec![
        "x",
        " ",
        "\n",
        "let a = 1\n",
        "\"",
        "{",
        "}",
        "(",
        ")",
        "1",
        ".side",
        "text",
        "none",
        "/// said\n",
        "// said\n",
        "fn more() -> int {\n  1\n}\n",
        "model other\n",
        " + 1",
        "[int]",
        "use shapes as other\n",
        ": int",
        "?",
        "where (min: 1)",
    ]);
    prop_oneof![
        4 => (any::<u16>(), words).prop_map(|(at, words)| Edit::Insert(at, words)),
        3 => (any::<u16>(), 1u8..9).prop_map(|(at, count)| Edit::Delete(at, count)),
        1 => any::<u16>().prop_map(Edit::Rename),
        1 => any::<u16>().prop_map(Edit::Swap),
        1 => Just(Edit::Undo),
    ]
}

fn edited(text: &str, first: &str, edit: &Edit) -> String {
    let place = |at: u16| {
        let near = text.len() * usize::from(at) / 65_536;
        (0..=near).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    match edit {
        Edit::Insert(at, words) => {
            let (before, after) = text.split_at(place(*at));
            format!("{before}{words}{after}")
        }
        Edit::Delete(at, count) => {
            let (before, after) = text.split_at(place(*at));
            before.chars().chain(after.chars().skip(usize::from(*count))).collect()
        }
        Edit::Rename(at) => {
            let (before, after) = text.split_at(place(*at));
            let word = after.split(|c: char| !c.is_alphanumeric()).find(|word| word.len() > 2);
            match word {
                Some(word) => format!("{before}{}", after.replace(word, &format!("{word}s"))),
                None => text.to_owned(),
            }
        }
        Edit::Swap(at) => {
            let mut lines: Vec<&str> = text.lines().collect();
            let line = text[..place(*at)].lines().count().min(lines.len().saturating_sub(1));
            if line > 0 {
                lines.swap(line - 1, line);
            }
            lines.join("\n")
        }
        Edit::Undo => first.to_owned(),
    }
}

fn sources(files: &[(String, String)]) -> MemorySources {
    let mut sources = MemorySources::default();
    for (path, text) in files {
        sources.insert(path.clone(), Arc::<str>::from(text.as_str()));
    }
    sources
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn edits_give_what_a_fresh_compilation_gives(
        file in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<bool>(), edit()), 1..12),
    ) {
        let first = package();
        let mut files = first.clone();
        let at = file.index(files.len());
        // The module that others import is edited together with its importer.
        let root = if at == 1 { "main.kait".to_owned() } else { files[at].0.clone() };
        let mut cache = Cache::new();
        drop(compile_with(&sources(&files), &[&root], &mut cache));
        for (of_other, edit) in edits {
            let at = if at < 2 { usize::from(of_other) } else { at };
            files[at].1 = edited(&files[at].1, &first[at].1, &edit);
            let sources = sources(&files);
            let cached = compile_with(&sources, &[&root], &mut cache);
            let fresh = shown(&compile_on(&sources, &[&root], Threads::ONE));
            prop_assert_eq!(&shown(&cached), &fresh, "after {:?} of {}", edit, files[at].0);
            for count in [2, 5] {
                let threads = shown(&compile_on(&sources, &[&root], threads(count)));
                prop_assert_eq!(&threads, &fresh, "{} threads, after {:?}", count, edit);
            }
        }
    }
}

/// So many threads, also for little work.
fn threads(count: usize) -> Threads {
    Threads::at_most(count.try_into().expect("one or more")).always()
}

#[test]
fn threads_give_types_the_same_handles() {
    let files = package();
    let roots: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let sources = sources(&files);
    let all = |found: &Compilation| {
        let Compilation { hir, types, effects, diagnostics, .. } = found;
        let kinds: Vec<_> =
            (0..types.interner.len()).map(|at| types.interner.kind(Ty(at as u32))).collect();
        let parts = [
            format!("{hir:#?}"),
            format!("{kinds:#?}"),
            format!("{:#?}", types.defs),
            format!("{:#?}", types.bodies),
            format!("{effects:#?}"),
            format!("{diagnostics:#?}"),
        ];
        parts.map(|part| part.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    let one = compile_on(&sources, &roots, Threads::ONE);
    assert!(!one.has_errors());
    let one = all(&one);
    for count in 2..=8 {
        for (one, many) in one.iter().zip(all(&compile_on(&sources, &roots, threads(count)))) {
            let differs = one.iter().zip(&many).position(|(one, many)| one != many);
            assert_eq!(differs.map(|at| (&one[at], &many[at])), None, "{count} threads");
            assert_eq!(one.len(), many.len(), "{count} threads");
        }
    }
}

/// What a second compilation takes over, out of how many bodies, after `from` became `to` in a file.
fn reused(file: usize, from: &str, to: &str) -> (usize, usize) {
    let mut files = package();
    files.truncate(2);
    let mut cache = Cache::new();
    let before = compile_with(&sources(&files), &["main.kait"], &mut cache);
    assert!(!before.has_errors(), "{:?}", before.diagnostics);
    assert_eq!(cache.reused(), 0);
    files[file].1 = files[file].1.replacen(from, to, 1);
    let after = compile_with(&sources(&files), &["main.kait"], &mut cache);
    let own = |module: usize| {
        let module = &after.hir.modules[module];
        let bodies = module.defs.iter().filter(|def| after.types.body(**def).is_some());
        bodies.count()
    };
    let std: usize = (2..after.hir.modules.len()).map(own).sum();
    (cache.reused().saturating_sub(std), own(0) + own(1))
}

#[test]
fn what_did_not_change_is_taken_over() {
    // `count`, `area`, `sides`, the test, `twice`.
    assert_eq!(reused(0, "nothing of this kind", ""), (5, 5));
    assert_eq!(reused(0, "side * side", "side * side * side"), (4, 5));
    assert_eq!(reused(1, "n + n", "2 * n"), (4, 5));
    // An interface changed: of the importer, then of the module that it imports.
    assert_eq!(reused(0, "of: [shapes.Square]", "all: [shapes.Square]"), (1, 5));
    assert_eq!(reused(1, "twice(n: int)", "twice(m: int)"), (0, 5));
    // A declaration more.
    assert_eq!(reused(1, "pub fn", "fn more() -> int { 1 }\n\npub fn").0, 0);
}

#[test]
fn a_declaration_is_taken_over_where_it_stands_now() {
    let mut files = package();
    files.truncate(2);
    let mut cache = Cache::new();
    let first = compile_with(&sources(&files), &["main.kait"], &mut cache);
    let all = first.hir.defs.len();
    assert_eq!(cache.lowered(), 0);
    for (edit, new) in [
        (("use shapes", "// A comment.\nuse shapes"), 0),
        (("s.side\n", "s.side + 0\n"), 1),
        (("expect ", "expect 1 + 1 == 2\n  expect "), 1),
        // What its module means by names is something else.
        (("fn sides", "fn all_sides"), all),
    ] {
        files[0].1 = files[0].1.replacen(edit.0, edit.1, 1);
        let sources = sources(&files);
        let cached = compile_with(&sources, &["main.kait"], &mut cache);
        assert_eq!(all - cache.lowered(), new, "{edit:?}");
        assert_eq!(shown(&cached), shown(&compile(&sources, &["main.kait"])));
    }
}

#[test]
fn a_body_with_a_mistake_is_checked_each_time() {
    let mut files = package();
    files.truncate(2);
    files[0].1 = files[0].1.replacen("side * side", "side * \"a\"", 1);
    let mut cache = Cache::new();
    let first = compile_with(&sources(&files), &["main.kait"], &mut cache);
    let second = compile_with(&sources(&files), &["main.kait"], &mut cache);
    assert!(first.has_errors());
    assert_eq!(shown(&first), shown(&second));
    assert!(cache.reused() > 0);
}

#[test]
fn what_another_role_is_sent_is_looked_at_again() {
    let text = |message: &str| {
        format!(
            "model fast\nmodel blind needs (images: false)\n\nprompt seen(p: image) -> text {{\n  model fast\n  \
             user {message}\n}}\n\ngraph g(p: image) -> text {{\n  seen(p) with (model: blind)\n}}\n"
        )
    };
    let mut sources = MemorySources::default();
    let mut cache = Cache::new();
    for (message, wrong) in [("\"a\"", 0), ("p", 1), ("[p]", 1), ("\"b\"", 0)] {
        sources.insert("main.kait", text(message));
        let found = compile_with(&sources, &["main.kait"], &mut cache);
        let errors = found.diagnostics.iter().filter(|one| one.code == "K0705").count();
        assert_eq!(errors, wrong, "{message}: {:#?}", found.diagnostics);
        assert_eq!(shown(&found), shown(&compile(&sources, &["main.kait"])));
    }
}
