//! Whatever stands in a file, every question of an editor is answered: every example cut off everywhere, and with every
//! token left out, and all questions about places all over it. Nothing panics, and every place in an answer is one of
//! the text that was asked about.
//!
//! A sample runs by default; `ASKING=all` asks everything (minutes in a release build).

use kait_compiler::Cache;
use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::sources::MemorySources;
use kait_ide::{Analysis, InlayKinds, TextEdit};
use kait_tests::sources;

const NAME: &str = "program.kait";

/// Of a program so many prefixes and so many texts without one token are tried, and about each so many places.
struct Extent {
    texts: usize,
    places: usize,
}

const SAMPLE: Extent = Extent { texts: 16, places: 6 };
const ALL: Extent = Extent { texts: usize::MAX, places: 40 };

/// At most so many of a list, spread over it.
fn spread<T: Copy>(all: &[T], wanted: usize) -> impl Iterator<Item = T> {
    let step = all.len().div_ceil(wanted.max(1)).max(1);
    all.iter().copied().step_by(step)
}

/// Fails if a place is none of the file's text.
#[track_caller]
fn inside(analysis: &Analysis, span: Span) {
    let file = analysis.source(span.file).expect("a file of the analysis");
    let place = file.text().get(span.start as usize..span.end as usize);
    assert!(place.is_some(), "{span:?} is not in {}", file.path);
}

#[track_caller]
fn edits_inside(analysis: &Analysis, edits: &[TextEdit]) {
    for edit in edits {
        inside(analysis, edit.span);
    }
}

fn ask_about_file(analysis: &Analysis, sources: &MemorySources, file: FileId) {
    let source = analysis.source(file).expect("the file");
    let all = Span::new(file, 0, u32::try_from(source.text().len()).expect("a short text"));
    for finding in analysis.diagnostics(file) {
        inside(analysis, finding.primary.span);
    }
    for fix in analysis.fixes(all) {
        edits_inside(analysis, &fix.edits);
    }
    edits_inside(analysis, &analysis.fix_all(sources, file));
    edits_inside(analysis, &analysis.format(file).unwrap_or_default());
    let mut last = 0;
    for token in analysis.semantic_tokens(file, None) {
        inside(analysis, token.span);
        assert!(token.span.start >= last, "tokens overlap at {:?}", token.span);
        last = token.span.end;
    }
    for fold in analysis.folds(file) {
        inside(analysis, fold.span);
    }
    let kinds = InlayKinds { types: true, effects: true, cost: true, waits: true };
    for inlay in analysis.inlays(all, kinds) {
        inside(analysis, Span::new(file, inlay.offset, inlay.offset));
    }
    for one in analysis.outline(file) {
        assert!(one.span.contains(one.name_span), "{one:?}");
        inside(analysis, one.span);
    }
    let _ = analysis.search("a");
}

fn ask_about_place(analysis: &Analysis, sources: &MemorySources, file: FileId, offset: u32) {
    if let Some(hover) = analysis.hover(file, offset) {
        inside(analysis, hover.span);
        assert!(!hover.markdown.is_empty());
    }
    for span in [analysis.definition(file, offset), analysis.type_definition(file, offset)] {
        span.into_iter().for_each(|span| inside(analysis, span));
    }
    analysis.references(file, offset, true).into_iter().for_each(|span| inside(analysis, span));
    for highlight in analysis.highlights(file, offset) {
        inside(analysis, highlight.span);
    }
    for item in analysis.completions(file, offset) {
        inside(analysis, item.replace);
        assert!(item.replace.end == offset && !item.label.is_empty(), "{item:?}");
    }
    if let Some(help) = analysis.signature_help(file, offset) {
        for param in &help.params {
            assert!(help.label.get(param.range.0..param.range.1).is_some(), "{help:?}");
        }
        assert!(help.active.is_none_or(|active| active < help.params.len()), "{help:?}");
    }
    if analysis.prepare_rename(file, offset).is_ok()
        && let Ok(rename) = analysis.rename(sources, file, offset, "renamed_1")
    {
        assert!(!rename.edits.is_empty());
        rename.edits.iter().for_each(|(_, edits)| edits_inside(analysis, edits));
    }
}

fn ask(text: &str, places: usize, cache: &mut Cache) {
    let sources = MemorySources::single(NAME, text);
    let analysis = Analysis::with_cache(&sources, &[NAME], cache);
    let file = analysis.file(NAME).expect("the file");
    ask_about_file(&analysis, &sources, file);
    let offsets: Vec<u32> = (0..=u32::try_from(text.len()).expect("a short text"))
        .filter(|offset| text.is_char_boundary(*offset as usize))
        .collect();
    // The end is where somebody is writing.
    let end = offsets.last().copied();
    for offset in spread(&offsets, places).chain(end) {
        ask_about_place(&analysis, &sources, file, offset);
    }
}

#[test]
fn broken_programs_are_asked_about_everywhere() {
    let all = std::env::var("ASKING").is_ok_and(|how| how == "all");
    let extent = if all { ALL } else { SAMPLE };
    let examples = sources::kait().unwrap().into_iter();
    let examples: Vec<_> = examples
        .filter(|source| source.name.starts_with("examples/") && source.name.ends_with(".kait"))
        .collect();
    assert!(examples.len() > 3);
    for example in &examples {
        let text = example.text.as_str();
        let mut cache = Cache::new();
        let ends: Vec<usize> = (0..=text.len()).filter(|end| text.is_char_boundary(*end)).collect();
        for end in spread(&ends, extent.texts) {
            ask(&text[..end], extent.places, &mut cache);
        }
        let parse = kait_syntax::parse(text);
        let tokens: Vec<_> = parse
            .tree
            .tokens()
            .filter(|token| !token.kind().is_trivia())
            .map(|token| (usize::from(token.range().start()), usize::from(token.range().end())))
            .collect();
        for (start, end) in spread(&tokens, extent.texts) {
            let without = format!("{}{}", &text[..start], &text[end..]);
            ask(&without, extent.places, &mut cache);
        }
    }
}

#[test]
fn whole_programs_are_asked_about_every_place() {
    for example in sources::kait().unwrap().iter().filter(|s| s.name == "examples/refine.kait") {
        ask(&example.text, usize::MAX, &mut Cache::new());
    }
}

#[test]
fn nonsense_is_asked_about_too() {
    let deep = "(".repeat(5000);
    let texts = [
        "",
        "\0",
        "\r\r\n",
        "use",
        "use a.",
        "use a as",
        "///",
        "//!",
        "fn",
        "fn f(",
        "fn f() -> ",
        "graph g() -> text { \"${",
        "record R { a",
        "enum E { A(",
        "test \"",
        "let x =",
        "${",
        "}}}}",
        "match",
        "loop",
        "race {",
        ".",
        "..",
        "a.b.c.d(",
        "é😀",
        "prompt p() -> text { model",
        "stub",
        "expect",
        "fn f() -> int { f(f(f(",
        &deep,
    ];
    for text in texts {
        ask(text, 50, &mut Cache::new());
    }
}
