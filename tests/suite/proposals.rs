//! What completion proposes can stand where it is proposed: at the token boundaries of every program, with what stands
//! behind cut off or a word left out, each proposal is written with its gaps filled, and compiled. A proposal must not
//! bring a syntax error, and what it writes must not be a name, field, argument, policy or bound that is unknown, is no
//! value, is not callable, or is there already.
//!
//! It may bring what its author has yet to say or to decide. Of the value: its type (K0401 and its kin), what it lacks
//! (K0413, K0417, K0419, K0420, K0406), that nothing uses it (K0418), that a line below is not reached (K0421). Of its
//! surroundings, which completion does not weigh: an effect where none may be (K0511 to K0513, K0518), policies that belong
//! together (K0306, K0307, K0332), bounds of agents and loops (K0480, K0702), a role that is still to be declared (K0213),
//! stubs of a test (K0801), labels (K06xx); and warnings. All the codes that it must not bring are in `BAD`.
//!
//! A sample runs by default; `PROPOSALS=all` tries everything (minutes in a release build).

use std::collections::BTreeMap;
use std::ops::Range;

use kait_compiler::Cache;
use kait_compiler::sources::MemorySources;
use kait_ide::{Analysis, Completion, CompletionKind};
use kait_syntax::SyntaxKind;
use kait_tests::sources;

const NAME: &str = "program.kait";

/// Every how-manieth boundary and proposal is tried: numbers without a common factor meet all pairs in time.
struct Extent {
    boundaries: usize,
    proposals: usize,
}

const SAMPLE: Extent = Extent { boundaries: 29, proposals: 13 };
const ALL: Extent = Extent { boundaries: 1, proposals: 1 };

/// What a proposal must not bring, beside syntax errors.
const BAD: &[&str] = &[
    "K0080", "K0083", "K0084", "K0220", "K0201", "K0202", "K0203", "K0204", "K0205", "K0206",
    "K0207", "K0208", "K0209", "K0210", "K0211", "K0213", "K0214", "K0215", "K0218", "K0221",
    "K0240", "K0241", "K0301", "K0302", "K0303", "K0304", "K0305", "K0336", "K0402", "K0404",
    "K0405", "K0407", "K0410", "K0412", "K0414", "K0415", "K0423", "K0428", "K0516", "K0555",
    "K0703", "K0802",
];

/// What is written for the stops of a snippet: for those on the way, and for the last one.
const FILLED: &[(&str, &str)] = &[
    ("", ""),
    ("none", ""),
    ("none", "none"),
    ("none", "_ => none"),
    ("1", "1"),
    ("[]", "none"),
    ("none", "extra_1"),
    ("none", "Extra1"),
    ("none", "x_1: int"),
    ("1", "true"),
];

/// What may have to follow until the line is whole.
const FOLLOWING: &[&str] = &[
    "",
    " 1",
    " none",
    " => none",
    " none { none }",
    " 1 { none } else { none }",
    " { none }",
    " { _ => none }",
    " \"a\"",
    " (retry: 1)",
    " (cost: 1usd)",
    " [] { none }",
    " extra_1",
    " extra_1: none",
    " process \"a\"",
    " approval from process \"a\"",
    " schedule.every(1h) { none }",
    " { none } else { none }",
    " Extra1",
    " fn extra_7() -> int { 1 }",
];

/// What continues the line before.
const CONTINUING: &[&str] = &[
    "|>", "+", "-", "*", "/", "%", ".", "?.", "catch", "undo", "else", "->", "and", "or", "in",
    "is", "==", "!=", "<", ">", "<=", ">=", "??", "=", "|", "with", "does", "needs", "from",
    "then", "after", "where", "as",
];

fn is_syntax(code: &str) -> bool {
    code.strip_prefix('K').and_then(|number| number.parse::<u32>().ok()).is_some_and(|n| n < 70)
}

/// A text that somebody has come to write so far: the rest of a line is cut off, or a word is left out.
struct Written {
    text: String,
    at: u32,
    cut: bool,
}

fn situations(text: &str) -> Vec<Written> {
    let parse = kait_syntax::parse(text);
    let tokens: Vec<_> = parse.tree.tokens().filter(|token| !token.kind().is_trivia()).collect();
    let mut out = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let range: Range<usize> = token.range().start().into()..token.range().end().into();
        if token.kind().is_comment() {
            continue;
        }
        // Cut off up to the end of the item or line.
        let mut depth = 0usize;
        let mut end = text.len();
        let mut last = range.start;
        for next in &tokens[index..] {
            let start = usize::from(next.range().start());
            // A line that begins with what continues the one before goes with it.
            let goes_on = CONTINUING.contains(&next.text());
            if depth == 0 && start > range.start && !goes_on && text[last..start].contains('\n') {
                end = last;
                break;
            }
            match next.kind() {
                SyntaxKind::LParen
                | SyntaxKind::LBracket
                | SyntaxKind::LBrace
                | SyntaxKind::InterpStart
                | SyntaxKind::StrStart => depth += 1,
                SyntaxKind::RParen
                | SyntaxKind::RBracket
                | SyntaxKind::RBrace
                | SyntaxKind::InterpEnd
                | SyntaxKind::StrEnd
                    if depth == 0 =>
                {
                    end = if next == token { range.start } else { last };
                    break;
                }
                SyntaxKind::RParen
                | SyntaxKind::RBracket
                | SyntaxKind::RBrace
                | SyntaxKind::InterpEnd
                | SyntaxKind::StrEnd => depth -= 1,
                SyntaxKind::Comma if depth == 0 => {
                    end = last.max(range.start);
                    break;
                }
                _ => {}
            }
            last = next.range().end().into();
        }
        let start = u32::try_from(range.start).unwrap();
        let written = |text: String, cut| Written { text, at: start, cut };
        out.push(written(
            format!("{}{}", &text[..range.start], &text[end.max(range.start)..]),
            true,
        ));
        let is_name = matches!(token.kind(), SyntaxKind::Lid | SyntaxKind::Uid);
        if is_name {
            out.push(written(format!("{}{}", &text[..range.start], &text[range.end..]), false));
        }
    }
    out
}

/// A snippet with its stops filled.
fn filled(snippet: &str, (on_the_way, last): (&str, &str)) -> String {
    let mut out = String::new();
    let mut rest = snippet;
    while let Some(at) = rest.find('$') {
        let (before, behind) = rest.split_at(at);
        let behind = &behind[1..];
        if let Some(before) = before.strip_suffix('\\') {
            out.push_str(before);
            out.push('$');
            rest = behind;
            continue;
        }
        out.push_str(before);
        if let Some(inside) = behind.strip_prefix('{') {
            let close = inside.find('}').unwrap();
            let (_, default) = inside[..close].split_once(':').unwrap();
            match default {
                "name" => out.push_str("extra_9"),
                "Name" => out.push_str("Extra9"),
                default => out.push_str(default),
            }
            rest = &inside[close + 1..];
        } else {
            let digits = behind.chars().take_while(char::is_ascii_digit).count();
            out.push_str(if &behind[..digits] == "0" { last } else { on_the_way });
            rest = &behind[digits..];
        }
    }
    out + rest
}

/// The faults that a text has: how many of syntax, and the bad ones that touch a place.
fn faults(
    text: &str,
    place: Range<usize>,
    of_keyword: bool,
    cache: &mut Cache,
) -> (usize, Vec<String>) {
    let sources = MemorySources::single(NAME, text);
    let compiled = kait_compiler::compile_with(&sources, &[NAME], cache);
    let mut syntax = 0;
    let mut bad = Vec::new();
    for found in &compiled.diagnostics {
        if is_syntax(&found.code) {
            syntax += 1;
        } else if BAD.contains(&&*found.code) {
            let span = found.primary.span;
            let is_role = found.code == "K0213" && of_keyword;
            let touches = (span.start as usize) < place.end && place.start < span.end as usize;
            // What a variant's other values are is for the author to say; and the value that stood behind another name.
            let of_outer = found.code == "K0412" && (span.start as usize) < place.start;
            let of_value =
                matches!(&*found.code, "K0305" | "K0410") && place.end < span.end as usize;
            if touches && !of_outer && !of_value && !is_role {
                bad.push(format!("{}: {}", found.code, found.message));
            }
        }
    }
    (syntax, bad)
}

/// A text with a proposal written, and where that is.
fn applied(
    text: &str,
    proposal: &Completion,
    insert: &str,
    following: &str,
) -> (String, Range<usize>) {
    let (start, end) = (proposal.replace.start as usize, proposal.replace.end as usize);
    let mut out = format!("{}{insert}{following}{}", &text[..start], &text[end..]);
    let mut place = start..start + insert.len();
    for also in &proposal.also {
        let (from, to) = (also.span.start as usize, also.span.end as usize);
        out.replace_range(from..to, &also.insert);
        let moved = also.insert.len() - (to - from);
        place = place.start + moved..place.end + moved;
    }
    (out, place)
}

/// Something that a program declares and a test can stub.
fn callable_of(text: &str) -> &str {
    let line = text.lines().find_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        ["graph ", "prompt ", "fn ", "extern "].iter().find_map(|word| line.strip_prefix(word))
    });
    line.and_then(|line| line.split(['(', '<']).next()).unwrap_or("out.status")
}

/// What is wrong with a proposal, if no way to go on makes it right.
fn fault(
    written: &Written,
    proposal: &Completion,
    before: usize,
    cache: &mut Cache,
) -> Option<String> {
    let mut first = None;
    let snippet = proposal.snippet.as_deref().unwrap_or(&proposal.insert);
    let stops = snippet.contains('$') || snippet.ends_with('.');
    for how in if stops { FILLED } else { &FILLED[..1] } {
        let mut insert = filled(snippet, *how);
        // What is stubbed is one of the program's.
        if let Some(rest) = insert.strip_prefix("stub ") {
            let rest = rest.trim_start_matches(|c: char| c.is_alphanumeric());
            insert = format!("stub {}{rest}", callable_of(&written.text));
        }
        // Behind a word that is left out the line goes on, but what a word of the language asks for is not there.
        let goes_on =
            written.cut || proposal.kind == CompletionKind::Keyword || snippet.ends_with(": ");
        for following in if goes_on { FOLLOWING } else { &FOLLOWING[..1] } {
            let (mut text, mut place) = applied(&written.text, proposal, &insert, following);
            // What ends with a dot goes on behind it.
            while text[..place.end].ends_with('.') {
                let sources = MemorySources::single(NAME, &*text);
                let analysis = Analysis::with_cache(&sources, &[NAME], cache);
                let at = u32::try_from(place.end).unwrap();
                let next = analysis.completions(analysis.file(NAME).unwrap(), at);
                let Some(next) = next.first() else { break };
                let snippet = next.snippet.as_deref().unwrap_or(&next.insert);
                let start = place.start;
                (text, place) = applied(&text, next, &filled(snippet, *how), "");
                place.start = start;
            }
            let (syntax, bad) =
                faults(&text, place.clone(), proposal.kind == CompletionKind::Keyword, cache);
            if syntax <= before && bad.is_empty() {
                return None;
            }
            let line = text[..place.start].rfind('\n').map_or(0, |at| at + 1);
            let end = text[place.end..].find('\n').map_or(text.len(), |at| at + place.end);
            let shown = &text[line..end];
            let what = if syntax > before { "syntax".to_owned() } else { bad.join("; ") };
            let all = format!("{what}\n      {}", shown.replace('\n', "\n      "));
            // The most telling: not one where something else is missing.
            if first.is_none() || syntax <= before {
                first = Some(all);
            }
        }
    }
    first
}

#[test]
fn every_proposal_can_stand_where_it_is_proposed() {
    let all = std::env::var("PROPOSALS").is_ok_and(|how| how == "all");
    let only = std::env::var("PROPOSALS_OF").ok();
    let extent = if all { ALL } else { SAMPLE };
    let programs = sources::kait().unwrap().into_iter().filter(|source| {
        let is_program = source.name.starts_with("examples/")
            || source.name.starts_with("tests/corpus/programs/");
        is_program
            && source.name.ends_with(".kait")
            && only.as_ref().is_none_or(|only| source.name.contains(only))
    });
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut asked, mut tried) = (0usize, 0usize);
    let mut boundary = 0usize;
    for program in programs {
        let mut cache = Cache::new();
        for written in situations(&program.text) {
            boundary += 1;
            if !boundary.is_multiple_of(extent.boundaries) {
                continue;
            }
            asked += 1;
            let sources = MemorySources::single(NAME, &*written.text);
            let analysis = Analysis::with_cache(&sources, &[NAME], &mut cache);
            let file = analysis.file(NAME).unwrap();
            let proposals = analysis.completions(file, written.at);
            let (before, _) = if written.cut {
                faults(&written.text, 0..0, false, &mut cache)
            } else {
                (0, Vec::new())
            };
            for (index, proposal) in proposals.iter().enumerate() {
                if !(index + asked).is_multiple_of(extent.proposals) {
                    continue;
                }
                tried += 1;
                if let Some(why) = fault(&written, proposal, before, &mut cache) {
                    let line = written.text[..written.at as usize].matches('\n').count() + 1;
                    let code = why.split([':', '\n']).next().unwrap_or_default();
                    let key = format!(
                        "{code} {:?} {} rank {}",
                        proposal.kind,
                        if written.cut { "cut" } else { "word" },
                        proposal.rank
                    );
                    wrong
                        .entry(key)
                        .or_default()
                        .push(format!("{}:{line} `{}`: {why}", program.name, proposal.label));
                }
            }
        }
    }
    let count: usize = wrong.values().map(Vec::len).sum();
    let shown: Vec<String> = wrong
        .iter()
        .map(|(key, all)| {
            format!(
                "{key}: {}\n{}",
                all.len(),
                all.iter()
                    .step_by(all.len().div_ceil(4))
                    .map(|one| format!("   {one}"))
                    .collect::<Vec<_>>()
                    .join("\n")
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{count} of {tried} proposals cannot stand there\n{}",
        shown.join("\n")
    );
    assert!(asked > 200 && tried > 500 || only.is_some(), "{asked} places, {tried} proposals");
}
