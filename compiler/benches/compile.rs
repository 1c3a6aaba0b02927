//! `k-compile` and `k-edit`: what compiling costs, from text to a checked program with its diagnostics.
//!
//! The texts are the example programs, as often as needed in one file, every copy with names of its own; they compile
//! without an error, which is asserted each time. The limit is parsing the same text alone. The slope is the cost of a
//! line in the largest text over its cost in the smallest.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../../tests/measure/mod.rs"]
mod measure;
#[path = "../../tests/measure/programs.rs"]
mod programs;

use std::hint::black_box;
use std::sync::Arc;

use kait_compiler::sources::MemorySources;
use kait_compiler::{Cache, Compilation, Threads, compile, compile_on, compile_with};
use programs::program;

fn compiled(text: &Arc<str>) -> Compilation {
    let sources = MemorySources::single("main.kait", Arc::clone(text));
    compile(&sources, &["main.kait"])
}

fn assert_clean(found: &Compilation) {
    let first = found.diagnostics.iter().find(|d| d.is_error());
    assert!(first.is_none(), "{first:?}");
}

fn k_compile() {
    let mut cost_of_line = Vec::new();
    for (lines, repetitions) in [(1_000, 101), (20_000, 15), (100_000, 7)] {
        let text = program(lines);
        let count = text.lines().count() as f64;
        let tests = text.lines().filter(|line| line.starts_with("test ")).count();
        let parse = measure::sample(repetitions, || {
            let (seconds, _) = measure::seconds(|| kait_syntax::parse_shared(Arc::clone(&text)));
            seconds * 1e9 / count
        });
        let all = measure::sample(repetitions, || {
            let (seconds, found) = measure::seconds(|| compiled(black_box(&text)));
            assert_clean(&found);
            assert!(found.hir.defs.len() > tests, "every test is a declaration");
            seconds * 1e9 / count
        });
        let alone = measure::sample(repetitions, || {
            let sources = MemorySources::single("main.kait", Arc::clone(&text));
            let (seconds, found) =
                measure::seconds(|| compile_on(&sources, &["main.kait"], Threads::ONE));
            assert_clean(&found);
            seconds * 1e9 / count
        });
        parse.print(&format!("limit: parse {lines} lines"), "ns/line", None);
        alone.print(&format!("k-compile {lines} lines, one thread"), "ns/line", Some(&parse));
        all.print(&format!("k-compile {lines} lines"), "ns/line", Some(&parse));
        println!(
            "{:<44} median {:.0} lines/s, best {:.0}",
            "",
            1e9 / all.median(),
            1e9 / all.min()
        );
        cost_of_line.push(all.min());
    }
    if let [small, middle, large] = cost_of_line.as_slice() {
        println!("slope 1k to 20k {:.2}, 20k to 100k {:.2}", middle / small, large / middle);
    }
}

/// A letter is typed into the body of a function in the middle of the file, and taken away again: with a cache, as
/// editors compile, and without.
fn k_edit() {
    let text = program(10_000);
    let middle = text.len() / 2;
    let place = middle + text[middle..].find("let ").expect("a let") + "let ".len();
    let edited: Arc<str> = format!("{}x{}", &text[..place], &text[place..]).into();
    let broken = compiled(&edited);
    assert!(broken.has_errors(), "its uses do not know the new name");
    let mut typed = false;
    let mut cache = Cache::new();
    let edit = measure::sample(201, || {
        typed = !typed;
        let text = if typed { &edited } else { &text };
        let sources = MemorySources::single("main.kait", Arc::clone(text));
        let (seconds, found) =
            measure::seconds(|| compile_with(black_box(&sources), &["main.kait"], &mut cache));
        assert_eq!(found.has_errors(), typed);
        seconds * 1e3
    });
    assert!(cache.reused() > 0, "what is not typed into stays as it was");
    let fresh = measure::sample(101, || {
        typed = !typed;
        let text = if typed { &edited } else { &text };
        let (seconds, found) = measure::seconds(|| compiled(black_box(text)));
        assert_eq!(found.has_errors(), typed);
        seconds * 1e3
    });
    let bracket: Arc<str> = format!("{}({}", &text[..place], &text[place..]).into();
    let header = middle + text[middle..].find("(").expect("parameters");
    let header: Arc<str> = format!("{}{}", &text[..header], &text[header + 1..]).into();
    let word = middle + text[middle..].find("\n\n").expect("an empty line") + 1;
    let word: Arc<str> = format!("{}f\n{}", &text[..word], &text[word..]).into();
    let broken = [
        ("a bracket in a body", &bracket),
        ("a header without its bracket", &header),
        ("a word between declarations", &word),
    ];
    let broken = broken.map(|(name, edited)| {
        assert!(compiled(edited).has_errors(), "{name} cannot be read");
        let mut cache = Cache::new();
        let mut typed = false;
        let sample = measure::sample(201, || {
            typed = !typed;
            let text = if typed { edited } else { &text };
            let sources = MemorySources::single("main.kait", Arc::clone(text));
            let (seconds, found) =
                measure::seconds(|| compile_with(&sources, &["main.kait"], &mut cache));
            assert_eq!(found.has_errors(), typed);
            seconds * 1e3
        });
        (name, sample)
    });
    let parse = measure::sample(101, || {
        measure::seconds(|| kait_syntax::parse_shared(Arc::clone(&text))).0 * 1e3
    });
    parse.print("limit: parse 10000 lines", "ms", None);
    edit.print("k-edit: a keystroke in 10000 lines", "ms", Some(&parse));
    fresh.print("the same without a cache", "ms", Some(&parse));
    for (name, sample) in broken {
        sample.print(&format!("k-edit broken: {name}"), "ms", Some(&parse));
    }
}

/// One compilation and what the process had resident at most, for counting instructions and memory:
/// `cargo bench -p kait-compiler --bench compile -- --once 100000`; on one thread: `--once-alone`.
fn once(lines: usize, threads: Threads) {
    let text = program(lines);
    let peak = || measure::memory_mb("self", "VmHWM").unwrap_or_default();
    let before = peak();
    let sources = MemorySources::single("main.kait", Arc::clone(&text));
    let found = compile_on(&sources, &["main.kait"], threads);
    let peak = peak();
    assert_clean(&found);
    println!(
        "{} lines, {:.1} MB of text: resident at most {before:.1} MB before compiling, {peak:.1} MB with it",
        text.lines().count(),
        text.len() as f64 / 1e6,
    );
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for (wanted, threads) in [("--once", Threads::available()), ("--once-alone", Threads::ONE)] {
        if let Some(lines) = args.iter().skip_while(|arg| *arg != wanted).nth(1) {
            return once(lines.parse().expect("a number of lines"), threads);
        }
    }
    measure::print_load();
    k_compile();
    k_edit();
}
