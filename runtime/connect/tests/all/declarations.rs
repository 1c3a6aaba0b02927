//! What is declared is there, and what is there is declared.

use std::collections::BTreeSet;

use kait_connect::leaf_names;
use kait_engine::std::segment::Segmenter;
use kait_ir::Failure;

/// Locators of all declarations of that kind.
fn declared(kind: &str) -> BTreeSet<String> {
    let mark = format!("from {kind} \"");
    kait_stdlib::modules()
        .iter()
        .flat_map(|(_, source)| {
            source.split(&mark).skip(1).filter_map(|rest| rest.split('"').next())
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn stable_functions_are_natives_of_the_engine() {
    let there: BTreeSet<String> = kait_engine::std::names().map(str::to_owned).collect();
    assert_eq!(declared(kait_stdlib::STABLE), there);
}

#[test]
fn native_functions_are_leaves() {
    let there: BTreeSet<String> = leaf_names().map(str::to_owned).collect();
    assert_eq!(there.len(), leaf_names().count(), "a leaf is listed twice");
    let mut declared_leaves = declared(kait_stdlib::NATIVE);
    // Segmenters are both: pure functions of a finished text, and leaves over a growing one.
    let segmenters = declared(kait_stdlib::STABLE).into_iter().filter(|name| {
        Segmenter::of(name, &[kait_ir::Value::Int(1), kait_ir::Value::Int(0)]).is_some()
    });
    declared_leaves.extend(segmenters);
    let later: BTreeSet<String> =
        kait_stdlib::not_run().iter().map(|name| (*name).to_owned()).collect();
    assert!(later.is_subset(&declared_leaves), "listed and not declared");
    assert!(later.is_disjoint(&there), "listed as not run, but they are there");
    declared_leaves.retain(|name| !later.contains(name));
    assert_eq!(declared_leaves, there);
}

#[test]
fn the_preludes_failures_have_the_shape_of_the_contract() {
    let source = kait_stdlib::module(kait_stdlib::PRELUDE).unwrap();
    let body = source.split("pub enum Failure {").nth(1).unwrap().split("\n}").next().unwrap();
    let variants: Vec<(String, Vec<String>)> = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(|line| match line.split_once('(') {
            None => (line.to_owned(), vec![]),
            Some((name, rest)) => {
                let fields = rest.trim_end_matches(')').split(", ");
                (name.to_owned(), fields.map(|f| f.split(':').next().unwrap().to_owned()).collect())
            }
        })
        .collect();
    let shape: Vec<(String, Vec<String>)> = Failure::SHAPE
        .iter()
        .map(|(name, fields)| {
            ((*name).to_owned(), fields.iter().map(|f| (*f).to_owned()).collect())
        })
        .collect();
    assert_eq!(variants, shape);
}
