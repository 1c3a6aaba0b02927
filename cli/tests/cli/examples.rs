//! Every example and acceptance program: checks, is in standard form, passes its tests, runs.

use crate::support::{log_of, root, run};

fn programs(folder: &str) -> Vec<String> {
    let mut found: Vec<_> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.ends_with(".kait"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no programs in {folder}");
    found
}

#[test]
fn examples_check_and_test_and_are_in_standard_form() {
    assert!(programs("examples").len() >= 8);
    run(&["check", "examples"]).exits(0).says(&[" 0 errors, 0 warnings"]);
    run(&["test", "examples"]).exits(0).says(&[" 0 failed"]);
    run(&["fmt", "--check", "examples"]).exits(0);
}

#[test]
fn every_example_has_tests() {
    for path in programs("examples").into_iter().chain(programs("examples/patterns")) {
        let done = run(&["test", &path]).exits(0);
        assert!(!done.err.contains("0 passed"), "{path} has no test");
    }
}

#[test]
fn every_pattern_is_described_and_runs_offline() {
    let table = std::fs::read_to_string(root().join("examples/patterns/README.md")).unwrap();
    for path in programs("examples/patterns") {
        let name = path.rsplit('/').next().unwrap();
        assert!(table.contains(&format!("]({name})")), "{name} is not in the table");
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("//! kait ")).unwrap();
        assert!(line.contains(&path), "{line}");
        let typed = shell_words(line);
        let mut words: Vec<&str> = typed.iter().map(String::as_str).collect();
        words.push("--offline");
        // The echo knows nothing: it may hit upon a way that fails by the program's own words, never otherwise.
        log_of(&words);
        let file = *words.get(1).unwrap();
        run(&["run", file, "--plan"]).exits(0);
    }
}

/// The words of a command line, with quotes taken off.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn acceptance_programs_check_and_test_and_run_with_the_echo_model() {
    let runs: &[(&str, &[&str])] = &[
        ("01_hello.kait", &[]),
        ("02_summarise.kait:summarise_file", &["path=CONTRIBUTING.md"]),
        ("03_route.kait", &["message=it burns"]),
        ("04_review.kait", &["diff=- a + b"]),
        ("05_refine.kait", &["topic=tea"]),
    ];
    for (name, inputs) in runs {
        let program = format!("tests/corpus/programs/{name}");
        let file = program.split(":summ").next().unwrap();
        run(&["check", file]).exits(0);
        run(&["fmt", "--check", file]).exits(0);
        run(&["test", file]).exits(0);
        let mut words = vec!["run", program.as_str(), "--offline"];
        words.extend(*inputs);
        let done = run(&words).exits(0);
        assert!(done.out.len() > 3, "{name} printed {:?}", done.out);
        log_of(&words);
    }
}

#[test]
fn adapted_programs_check_and_test_and_run() {
    run(&["check", "tests/corpus/adapted"]).exits(0);
    run(&["fmt", "--check", "tests/corpus/adapted"]).exits(0);
    run(&["test", "tests/corpus/adapted"]).exits(0).says(&["1 passed"]);
    log_of(&["run", "tests/corpus/adapted/12_orchestrator.kait", "goal=tea", "--offline"]);
    let words = ["run", "tests/corpus/adapted/11_translate.kait", "speech=One. Two.", "--offline"];
    let done = run(&words).exits(0);
    let lines: Vec<String> = serde_json::from_str(&done.out).unwrap();
    assert_eq!(lines.len(), 2, "{lines:?}");
    log_of(&words);
}

#[test]
fn all_acceptance_programs_are_in_standard_form() {
    run(&["fmt", "--check", "tests/corpus/programs"]).exits(0);
}

#[test]
fn examples_without_a_model_give_exactly_this() {
    let report = run(&["run", "examples/csv_report.kait"]).exits(0);
    assert_eq!(
        report.out,
        "# Sales\n\n570 units in 3 regions.\n\n\
         | region | units | share | best product |\n|---|---:|---:|---|\n\
         | West | 230 | 40 % | Coffee |\n| South | 175 | 30 % | Coffee |\n| North | 165 | 28 % | Tea |\n"
    );
    assert_eq!(report.err, "");
    let list = run(&["run", "examples/json_to_markdown.kait"]).exits(0);
    assert_eq!(
        list.out,
        "# Tasks\n\n- [ ] Measure the cold start (Grace), due 2026-11-30\n- [ ] Draw the graph\n\
         - [x] Write the README (Ada), due 2026-11-20\n"
    );
    let links = tempfile::tempdir().unwrap();
    std::fs::write(links.path().join("a.md"), "[there](b.md) [gone](c.md)").unwrap();
    std::fs::write(links.path().join("b.md"), "# B").unwrap();
    let dir = format!("dir={}", links.path().display());
    let broken = run(&["run", "examples/check_links.kait", &dir]).exits(0);
    let broken: serde_json::Value = serde_json::from_str(&broken.out).unwrap();
    assert_eq!(broken.as_array().map(Vec::len), Some(1));
    assert_eq!(broken[0]["link"], "c.md");
}

#[test]
fn logs_of_examples_hold_their_invariants() {
    for words in [
        &["run", "examples/csv_report.kait"][..],
        &["run", "examples/hello.kait", "--offline"],
        &["run", "examples/summarise.kait", "path=README.md", "--offline"],
        &["run", "examples/triage.kait", "message=I was charged twice", "--offline"],
        &["run", "examples/review.kait", "diff=+ x", "--offline"],
        &["run", "examples/refine.kait", "topic=tea", "--offline"],
        &["run", "examples/translate.kait", "speech=One. Two. Three.", "--offline"],
        &[
            "run",
            "examples/compare_pages.kait",
            "left=http://a.example",
            "right=http://b.example",
            "--offline",
        ],
    ] {
        log_of(words);
    }
}

#[test]
fn graphs_and_plans_are_drawn() {
    for format in ["text", "svg", "mermaid", "json"] {
        for path in programs("examples") {
            let done = run(&["graph", &path, "--format", format]).exits(0);
            assert!(done.out.len() > 20, "{path} as {format}: {}", done.out);
        }
    }
    let plan = run(&["run", "examples/triage.kait", "--plan"]).exits(0);
    assert!(plan.out.contains("classify"), "{}", plan.out);
}

/// The bound is that of `kait cost`, and what this version does not run is planned as far as it is known.
#[test]
fn a_plan_says_what_a_run_would_do_and_cost() {
    const REFINE: &str = "tests/corpus/programs/05_refine.kait:refine";
    let plan = run(&["run", REFINE, "--plan"]).exits(0).out;
    for part in
        ["  at most\n", "model calls 9 + 4 repairs = 13", "questions to people: none", "model fast"]
    {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let json = run(&["run", REFINE, "--plan", "--json"]).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["schema"], &json["runs"]), (&"kait.plan/1".into(), &true.into()));
    assert!(
        json["steps"].as_array().unwrap().iter().any(|step| step["effects"][0] == "model fast"),
        "{json}"
    );
    assert!(json["cost"].is_object() && json["plan"].is_string(), "{json}");

    const REFUND: &str = "tests/corpus/programs/08_refund.kait";
    let plan = run(&["run", REFUND, "--plan"]).exits(0).out;
    for part in ["write payments", "support-lead"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let json = run(&["run", REFUND, "--plan", "--json"]).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["runs"], &json["approvals"][0]["by"]),
        (&true.into(), &"support-lead".into())
    );

    const AGENT: &str = "tests/corpus/programs/06_agent.kait";
    let done = run(&["run", AGENT, "--plan"]).exits(1).says(&["K0090"]);
    assert!(done.out.contains("its steps cannot be listed"), "{}", done.out);
    let json = run(&["run", AGENT, "--plan", "--json"]).exits(1).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["runs"], false);
}

#[test]
fn the_form_of_json_is_one_object() {
    let done = run(&["run", "examples/hello.kait", "--json", "--offline"]).exits(0);
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json["schema"], "kait.run/1");
    assert_eq!((&json["graph"], &json["state"]), (&"hello.hello".into(), &"done".into()));
    assert!(json["result"].as_str().unwrap().contains("world"));
}

#[test]
fn a_program_is_a_script() {
    let done = run(&["examples/csv_report.kait"]).exits(0);
    assert!(done.out.starts_with("# Sales"));
}

#[test]
fn codes_functions_and_rules_are_explained() {
    assert!(run(&["explain", "K0201"]).exits(0).out.starts_with("# K0201"));
    assert!(run(&["explain", "text.trim"]).exits(0).out.contains("pub extern trim"));
    run(&["explain", "text.trimm"]).exits(2).says(&["did you mean `text.trim`"]);
    assert!(run(&["grammar", "block"]).exits(0).out.contains("block"));
    run(&["grammar", "blok"]).exits(2).says(&["did you mean `block`"]);
}
