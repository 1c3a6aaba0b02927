//! Every text that once broke something, and every text of the project, goes through all targets of
//! the fuzzer again; and a short, fixed run of the fuzzer itself.

use std::fs;

use kait_tests::fuzz::{Inputs, Runner, TARGETS};
use kait_tests::sources;

fn check<'a>(texts: impl IntoIterator<Item = (String, &'a str)>) {
    let runner = Runner::new().unwrap();
    for (name, text) in texts {
        for target in TARGETS {
            if let Err(failure) = runner.run(target, text) {
                panic!("{name}: {}: {}\n{text}", failure.target, failure.what);
            }
        }
    }
}

#[test]
fn what_broke_once_holds() {
    let folder = sources::root().join("tests/corpus/fuzz");
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "kait") {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        texts.push((path.display().to_string(), text));
    }
    check(texts.iter().map(|(name, text)| (name.clone(), text.as_str())));
}

#[test]
fn all_sources_hold() {
    let sources = sources::kait().unwrap();
    check(sources.iter().map(|source| (source.name.clone(), source.text.as_str())));
}

#[test]
fn random_texts_hold() {
    let mut inputs = Inputs::new(1, sources::kait().unwrap().into_iter().map(|s| s.text));
    for round in 0..1_500 {
        let text = inputs.draw();
        check([(format!("round {round}"), text.as_str())]);
        inputs.keep(&text);
    }
}
