//! The formatter over everything that is KAIT: the sources of the project, generated programs, and
//! both with comments and line breaks thrown in. Random damage is the fuzzer's part (`fuzz.rs`).

use std::time::{Duration, Instant};

use fastrand::Rng;
use kait_compiler::fmt::format;
use kait_tests::format::{check, is_program};
use kait_tests::shrink::shrink;
use kait_tests::sources;

fn must_hold(name: &str, text: &str) {
    if let Err(what) = check(text) {
        let small = shrink(text, |text| check(text).is_err());
        let what = check(&small).err().unwrap_or(what);
        panic!("{name}: {what}\n--- text ---\n{small}");
    }
}

#[test]
fn programs_and_the_standard_library_are_in_canonical_form() {
    let mut count = 0;
    for source in sources::kait().unwrap() {
        let is_ours = ["tests/corpus/programs/", "stdlib/", "examples/", "docs/format.md"]
            .iter()
            .any(|start| source.name.starts_with(start));
        if !is_ours {
            continue;
        }
        count += 1;
        match format(&kait_syntax::parse(&source.text)) {
            Ok(formatted) if formatted == source.text => {}
            Ok(formatted)
                if std::env::var_os("UPDATE").is_some() && source.name.ends_with(".kait") =>
            {
                std::fs::write(sources::root().join(&source.name), formatted).unwrap();
            }
            Ok(formatted) => {
                let mut lines = source.text.lines().zip(formatted.lines()).enumerate();
                let at = lines.find(|(_, (one, other))| one != other);
                panic!("{}: not in canonical form: {at:?}\n{formatted}", source.name);
            }
            Err(error) => panic!("{}: {error}", source.name),
        }
    }
    assert!(count > 30, "{count} sources");
}

/// The programs have lines of up to 169 columns; none of them is broken.
#[test]
fn the_programs_are_fixed_points() {
    let sources = sources::kait().unwrap();
    let programs: Vec<_> =
        sources.iter().filter(|source| source.name.starts_with("tests/corpus/programs/")).collect();
    assert_eq!(programs.len(), 14);
    for program in &programs {
        let formatted = format(&kait_syntax::parse(&program.text)).unwrap();
        assert_eq!(formatted, program.text, "{}", program.name);
    }
    let is_long = |line: &str| line.chars().count() > 100;
    let long = programs.iter().filter(|program| program.text.lines().any(is_long)).count();
    assert_eq!(long, 5, "programs with long lines");
}

#[test]
fn all_sources_keep_their_meaning() {
    for source in sources::kait().unwrap() {
        must_hold(&source.name, &source.text);
    }
}

#[test]
fn generated_programs_keep_their_meaning() {
    for seed in 0..300 {
        must_hold(&format!("seed {seed}"), &kait_grammar::generate(seed, 120));
    }
}

#[test]
fn comments_and_line_breaks_anywhere_are_kept() {
    let mut texts: Vec<String> = sources::kait().unwrap().into_iter().map(|s| s.text).collect();
    texts.extend((1_000..1_200).map(|seed| kait_grammar::generate(seed, 60)));
    let mut rng = Rng::with_seed(7);
    texts.retain(|text| is_program(text));
    assert!(texts.len() > 100, "{} programs", texts.len());
    for text in &texts {
        for _ in 0..4 {
            must_hold("sprinkled", &sprinkle(text, &mut rng));
        }
    }
}

/// Throws comments, line breaks and blanks between the tokens of a program, wherever they leave it one.
fn sprinkle(text: &str, rng: &mut Rng) -> String {
    let one_in = rng.usize(4..60);
    let tokens = kait_grammar::tokens(text);
    let mut out = String::new();
    for (i, token) in tokens.iter().enumerate() {
        if rng.usize(0..one_in) == 0 {
            let before = out.len();
            match rng.u8(0..7) {
                0 => out.push_str(&format!(" // c{i}\n")),
                1 => out.push_str(&format!("\n// c{i}  \n")),
                2 => out.push_str(&format!("\n\n// c{i}\n\n\n  // d{i}\n")),
                3 => out.push('\n'),
                4 => out.push_str("\n\n\n"),
                5 => out.push_str(&format!("\n/// e{i}\n")),
                _ => out.push_str("  "),
            }
            let rest = tokens.get(i..).unwrap_or_default().concat();
            if !is_program(&[&out, rest.as_str()].concat()) {
                out.truncate(before);
            }
        }
        out.push_str(token);
    }
    out
}

#[test]
fn time_is_linear() {
    let program: String = sources::kait()
        .unwrap()
        .into_iter()
        .filter(|source| source.name.starts_with("tests/corpus/programs/"))
        .map(|source| source.text + "\n")
        .collect();
    let time = |copies: usize| {
        let parse = kait_syntax::parse(&program.repeat(copies));
        let run = || {
            let start = Instant::now();
            format(&parse).unwrap();
            start.elapsed()
        };
        (0..3).map(|_| run()).min().unwrap_or(Duration::MAX)
    };
    let (short, long) = (time(2), time(20));
    assert!(long < short * 40, "10 times the text took {long:?} instead of {short:?}");
}

#[test]
fn nesting_at_the_limit_is_formatted() {
    let deepest = (1..400)
        .rev()
        .map(|depth| format!("let x = {}1{}\n", "f(a, [".repeat(depth), "])".repeat(depth)))
        .find(|text| is_program(text))
        .unwrap();
    must_hold("nested", &deepest);
    let chain = format!("let x = 1{}\n", " + 1".repeat(5_000));
    if is_program(&chain) {
        must_hold("chain", &chain);
    }
}
