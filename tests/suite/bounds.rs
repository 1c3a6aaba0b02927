//! Bounds hold: no run of a generated program does more than the compiler says it can.
//!
//! A program is generated with one prompt per role; what it costs is computed. Then it is tried twice: by a test of the
//! language written behind it, whose stubs answer, fail and are late at random, and which expects no more attempts than
//! the bound allows; and in a world of its own that counts all that happens, in which models use up all that they may.

mod world;

use std::fmt::Write as _;
use std::sync::Arc;

use kait_compiler::bounds::{Amount, RoleTerms, Terms, bounds};
use kait_compiler::hir::DefId;
use kait_compiler::sources::MemorySources;
use kait_compiler::{Compilation, compile};
use kait_engine::Loaded;

use crate::running::run_tests;

/// How many programs are tried: with `BOUNDS=20000` so many.
fn programs() -> u64 {
    std::env::var("BOUNDS").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

/// How many prompts a program has, each with a role of its own.
const PROMPTS: usize = 3;

/// Writes programs.
struct Writer {
    random: fastrand::Rng,
    names: u32,
    /// Graphs that may be called: their names.
    graphs: Vec<String>,
    /// Whether the graph that is written may call itself.
    recursive: Option<String>,
}

impl Writer {
    fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { random, names: 0, graphs: Vec::new(), recursive: None }
    }

    fn below(&mut self, n: usize) -> usize {
        self.random.usize(..n)
    }

    fn one(&mut self, of: &[String]) -> String {
        let at = self.below(of.len());
        of.get(at).cloned().unwrap_or_default()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    /// A call that gives a text, with policies now and then.
    fn call(&mut self, texts: &[String]) -> String {
        let given = self.one(texts);
        let call = match self.below(8) {
            0 if !self.graphs.is_empty() => {
                let graph = self.one(&self.graphs.clone());
                format!("{graph}({given}, xs: xs, n: n)")
            }
            1 if self.recursive.is_some() => {
                format!("{}({given}, xs: xs, n: n)", self.recursive.clone().unwrap_or_default())
            }
            2 => format!("file.read({given})"),
            _ => format!("p{}({given})", self.below(PROMPTS)),
        };
        match self.below(6) {
            0 if !call.starts_with('g') => {
                let retry = self.below(3);
                format!("{call} with (retry: {retry}, timeout: 2s)")
            }
            2 if call.starts_with('p') => format!("{call} with (repair: {})", self.below(3)),
            3 if call.starts_with('g') => format!("{call} with (deadline: 9s)"),
            1 => format!("{call} with (fallback: \"else\")"),
            _ => call,
        }
    }

    /// An expression that gives a text, in lines of its own where it needs them.
    fn text(&mut self, depth: usize, texts: &[String]) -> String {
        if depth == 0 {
            return self.call(texts);
        }
        let test = self.one(texts);
        match self.below(9) {
            0 => {
                let (a, b) = (self.block(depth - 1, texts), self.block(depth - 1, texts));
                format!("if text.length({test}) > 1 {a} else {b}")
            }
            1 => {
                let (a, b) = (self.text(0, texts), self.text(0, texts));
                format!("match {test} {{\n\"a\" => {a}\n_ => {b}\n}}")
            }
            2 => {
                let (item, max) = (self.name(), self.below(5) + 1);
                let mut inner = texts.to_vec();
                inner.push(item.clone());
                let body = self.block(depth - 1, &inner);
                let list = ["xs", "list.take(xs, 2)", "[\"a\", ..xs]"][self.below(3)];
                format!("text.join(for {item} in {list} max {max} {body}, with: \" \")")
            }
            3 => {
                let state = self.name();
                let mut inner = texts.to_vec();
                inner.push(state.clone());
                let max = ["1", "3", "n"][self.below(3)];
                let (first, step) = (self.text(0, texts), self.text(0, &inner));
                let end = self.text(0, texts);
                format!(
                    "loop {state} = {first} max {max} {{\nif text.length({state}) > 3 {{ done {state} }} else {{ next({state}: {step}) }}\n}} else {{\n{end}\n}}"
                )
            }
            4 => {
                let (body, other) = (self.text(0, texts), self.text(0, texts));
                format!("{} catch {{ _ => {other} }}", bare(&body))
            }
            5 => {
                let (a, b) = (self.text(0, texts), self.text(0, texts));
                format!("race {{ {}, {} }}", bare(&a), bare(&b))
            }
            6 => {
                let (a, b) = (self.call(texts), self.call(texts));
                format!("\"${{{}}} ${{{}}}\"", bare(&a), bare(&b))
            }
            _ => self.call(texts),
        }
    }

    fn block(&mut self, depth: usize, texts: &[String]) -> String {
        let mut texts = texts.to_vec();
        let mut out = String::from("{\n");
        for _ in 0..self.below(3) {
            let value = self.text(depth, &texts);
            let name = self.name();
            let _ = writeln!(out, "let {name} = {value}");
            texts.push(name);
        }
        let last = self.text(depth, &texts);
        let _ = write!(out, "{last}\n}}");
        out
    }

    fn program(&mut self) -> String {
        let mut out = String::new();
        for nth in 0..PROMPTS {
            // Answers of the first are free, those of the others may have to be repaired.
            let bounds = if nth == 0 { "" } else { " where (max_len: 9)" };
            let budget = match self.below(6) {
                0 => " with (tokens: 90)",
                1 => " with (cost: 0.000000002usd)",
                _ => "",
            };
            let most = nth * 7 + 9;
            let _ = writeln!(
                out,
                "model r{nth}\n\nprompt p{nth}(x: text) -> text{bounds}{budget} {{\nmodel r{nth} with (max_tokens: {most})\nuser x\n}}\n"
            );
        }
        let graphs = self.below(3) + 1;
        for nth in 0..graphs {
            let name = format!("g{nth}");
            let depth = self.below(4);
            self.recursive = (depth > 0).then(|| name.clone());
            let body = self.block(2, &["x".to_owned()]);
            // A graph that does not call itself needs no depth, and may have one.
            let header = match (depth, self.below(4)) {
                (0, 0) => format!(" with (calls: {})", self.below(6) + 1),
                (0, 1) => format!(" with (time: {}s)", self.below(6) + 1),
                (0, 2) => format!(" with (tokens: {})", self.below(600) + 1),
                (0, _) => String::new(),
                (depth, _) => format!(" with (depth: {depth})"),
            };
            let _ = writeln!(
                out,
                "graph {name}(x: text, xs: [text] where (max: 4), n: int where (min: 1, max: 3)) -> text{header} {body}\n"
            );
            self.graphs.push(name);
        }
        out
    }

    /// What a stub gives, one after the other.
    fn outcomes(&mut self) -> String {
        let all = [
            "\"a\"",
            "\"bb\"",
            "\"cccc\"",
            "fail Timeout",
            "fail Http(status: 503, body: \"\")",
            "\"late\" after 5s",
        ];
        let count = self.below(4) + 1;
        let some: Vec<&str> = (0..count).map(|_| all[self.below(all.len())]).collect();
        some.join(" then ")
    }
}

/// A call without its policies, where none may stand.
fn bare(call: &str) -> &str {
    call.split(" with (").next().unwrap_or(call)
}

/// Comments in the acceptance programs say what `kait cost` prints of them.
#[test]
fn programs_cost_what_their_comments_say() {
    let folder = kait_tests::sources::root().join("tests/corpus/programs");
    let cases =
        [("05_refine.kait", "refine", [9, 4]), ("12_orchestrator.kait", "investigate", [56, 7])];
    for (file, graph, expected) in cases {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let compiled = compiled(&text);
        assert!(!compiled.has_errors(), "{file}");
        let found = bounds(&compiled, &Terms::default());
        let cost = &found.of(named(&compiled, graph)).unwrap().cost;
        assert_eq!(
            [&cost.calls, &cost.repairs].map(|n| n.most(&found.sizes)),
            expected.map(Some),
            "{file}"
        );
        let [calls, repairs] = expected;
        assert_eq!(cost.requests.most(&found.sizes), Some(calls + repairs), "{file}");
        assert!(
            text.contains(&calls.to_string()) && text.contains(&format!("{repairs} repairs")),
            "{file}"
        );
    }
}

/// What models of these tests take and cost: a token that is read 2 units, one that is written 10.
const TERMS: RoleTerms = RoleTerms { context: Some(50), output: Some(30), price: Some((2, 10)) };

fn terms() -> Terms {
    Terms { default: Some(TERMS), currency: Some(*b"usd"), ..Terms::default() }
}

fn named(compiled: &Compilation, name: &str) -> DefId {
    let at = compiled.hir.defs.iter().position(|def| def.name == name).unwrap();
    DefId(u32::try_from(at).unwrap())
}

fn compiled(text: &str) -> Compilation {
    compile(&MemorySources::single("bounds.kait", text), &["bounds.kait"])
}

#[test]
fn no_run_asks_models_more_often_than_its_bound() {
    let (mut tried, mut reached) = (0, 0);
    for seed in 0..programs() {
        let mut writer = Writer::new(seed);
        let program = writer.program();
        let first = compiled(&program);
        if first.has_errors() {
            // A retry of a race's arm, or a graph that calls itself nowhere: not what is tried here.
            continue;
        }
        let found = bounds(&first, &Terms::default());
        let Some(main) = writer.graphs.last().cloned() else { continue };
        let cost = &found.of(named(&first, &main)).unwrap().cost;
        let mut text = format!("{program}\ntest \"bounded\" {{\n");
        let _ = writeln!(text, "stub file.read(_) => {}", writer.outcomes());
        for nth in 0..PROMPTS {
            let _ = writeln!(text, "stub p{nth}(_) => {}", writer.outcomes());
        }
        let items = writer.below(5);
        let list: Vec<String> = (0..items).map(|nth| format!("\"i{nth}\"")).collect();
        let n = writer.below(3) + 1;
        let _ = writeln!(text, "let got = try {main}(\"x\", xs: [{}], n: {n})", list.join(", "));
        text.push_str("expect got is Ok or got is Failed\n");
        let mut most = Vec::new();
        for nth in 0..PROMPTS {
            let role = named(&first, &format!("r{nth}"));
            let calls = cost.roles.get(&role).map_or(Some(0), |role| role.calls.most(&found.sizes));
            let calls = calls.expect("everything in these programs is bounded");
            most.push(calls);
            let _ = writeln!(text, "expect attempts(p{nth}) <= {calls}");
        }
        text.push_str("}\n");
        let second = compiled(&text);
        assert!(!second.has_errors(), "seed {seed}\n{text}\n{:?}", second.diagnostics);
        let (count, wrong) = run_tests(&second);
        assert_eq!(count, 1);
        let wrong: Vec<_> =
            wrong.iter().map(|wrong| format!("{}: {}", wrong.code, wrong.message)).collect();
        assert!(wrong.is_empty(), "seed {seed}: bounds {most:?}\n{text}\n{}", wrong.join("\n"));
        tried += 1;
        reached += usize::from(most.iter().sum::<u64>() > 3);
    }
    assert!(tried > programs() / 2, "only {tried} programs were tried");
    assert!(reached > 50, "only {reached} programs ask more than a few times");
}

#[test]
fn no_run_uses_up_more_than_its_bounds() {
    let mut reached = [0; 7];
    let (mut tried, mut timed, mut limited) = (0u64, 0, 0);
    for seed in 0..programs() {
        let mut writer = Writer::new(seed);
        let program = writer.program();
        let compiled = compiled(&program);
        if compiled.has_errors() {
            continue;
        }
        let found = bounds(&compiled, &terms());
        let Some(main) = writer.graphs.last() else { continue };
        let cost = &found.of(named(&compiled, main)).unwrap().cost;
        let loaded =
            Arc::new(Loaded::new(compiled.lower(&[named(&compiled, main)]).unwrap()).unwrap());
        // A call of a model has at most two repairs.
        let one_call = 3 * (TERMS.context.unwrap_or_default() + TERMS.output.unwrap_or_default());
        let stops = &found.of(named(&compiled, main)).unwrap().stops;
        let tokens = stops.iter().find(|stop| stop.budget == "tokens").map(|stop| stop.limit);
        for nth in 0..3 {
            let random = fastrand::Rng::with_seed(seed * 3 + nth);
            let used = world::run(&loaded, main, &TERMS, random);
            if let Some(limit) = tokens {
                assert!(
                    used.reported <= limit + one_call,
                    "seed {seed}, run {nth}: {} tokens\n{program}",
                    used.reported
                );
                limited += 1;
            }
            let figures: [(&str, u64, &Amount); 7] = [
                ("requests", used.calls + used.repairs, &cost.requests),
                ("calls", used.calls, &cost.calls),
                ("repairs", used.repairs, &cost.repairs),
                ("tokens", used.tokens, &cost.tokens),
                ("money", used.money, &cost.money),
                ("tools", used.tools, &cost.tools),
                ("time", used.time, &cost.time),
            ];
            for ((what, used, amount), reached) in figures.iter().zip(&mut reached) {
                let most = amount.most(&found.sizes);
                assert!(
                    most.is_none_or(|most| *used <= most),
                    "seed {seed}, run {nth}: {used} of {most:?} {what}\n{program}"
                );
                *reached += u32::from(*used > 0 && most == Some(*used));
            }
            timed += u32::from(cost.time.most(&found.sizes).is_some());
            tried += 1;
        }
    }
    // Bounds are met, so that any that were lower would be found too low.
    assert!(tried > programs() * 2, "only {tried} runs");
    assert!(limited > 30, "only {limited} runs have a budget of tokens");
    assert!(timed > 50, "the time of only {timed} runs has a bound");
    assert!(reached.iter().all(|runs| *runs > 5), "{reached:?} runs reach their bounds");
}
