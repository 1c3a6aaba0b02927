//! Random programs, drawn from the rules of the grammar itself: whoever changes a rule gets
//! programs for it. They are valid in syntax only; names, types and effects are nonsense.
//!
//! The rules are walked with a random source: a choice takes one alternative, a repetition goes
//! round a few times. Each declaration has a fuel; when it is used up, the shortest way out is
//! taken. What a walk cannot see (that a name happens to be a keyword there, that an earlier
//! alternative would have taken the text) the grammar itself decides: a declaration that it
//! refuses is drawn again.

use std::collections::HashMap;
use std::sync::OnceLock;

use fastrand::Rng;
use pest_meta::ast::{Expr, Rule};

use crate::accept;
use crate::text::GRAMMAR;

/// Tokens that one declaration may take before it is brought to an end.
const DECLARATION: usize = 60;

/// Draws of one declaration before it is left out. One in three is refused at worst.
const TRIES: usize = 40;

/// Brackets that may be open before the shortest way out is taken.
const DEPTH: usize = 12;

/// A random file of about `size` tokens that [`accepts`](crate::accepts) says yes to. The same
/// seed and size give the same file.
pub fn generate(seed: u64, size: usize) -> String {
    let mut rng = Rng::with_seed(seed);
    let mut file = String::new();
    let mut left = size;
    while left > 0 {
        let fuel = left.min(rng.usize(DECLARATION / 4..=DECLARATION));
        left -= fuel;
        for _ in 0..TRIES {
            let mut walk = Walk::new(&mut rng, fuel);
            walk.rule("decl");
            let declaration = walk.out;
            if accept::run(&declaration).is_ok() {
                file.push_str(&declaration);
                file.push_str(if rng.bool() { "\n" } else { "\n\n" });
                break;
            }
        }
    }
    file
}

/// The rules by name, and how few tokens each can be.
struct Rules {
    rules: HashMap<String, Expr>,
    shortest: HashMap<String, usize>,
}

fn grammar() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| {
        // The same text went through pest's macro when this crate was compiled.
        let ast: Vec<Rule> =
            pest_meta::parser::parse(pest_meta::parser::Rule::grammar_rules, GRAMMAR)
                .map_err(|error| vec![error])
                .and_then(pest_meta::parser::consume_rules)
                .unwrap_or_default();
        let rules: HashMap<_, _> = ast.into_iter().map(|rule| (rule.name, rule.expr)).collect();
        // The least fixpoint: a rule of unknown length is endless until a shorter way is found.
        let mut shortest = HashMap::new();
        loop {
            let mut changed = false;
            for (name, expr) in &rules {
                let length = shortest_of(expr, &shortest);
                if length < shortest.get(name).copied().unwrap_or(ENDLESS) {
                    shortest.insert(name.clone(), length);
                    changed = true;
                }
            }
            if !changed {
                return Rules { rules, shortest };
            }
        }
    })
}

const ENDLESS: usize = usize::MAX / 2;

/// Fewest terminals of an expression, given what is known of the rules.
fn shortest_of(expr: &Expr, rules: &HashMap<String, usize>) -> usize {
    match expr {
        Expr::Str(s) | Expr::Insens(s) => usize::from(!s.is_empty()),
        Expr::Range(..) | Expr::Skip(_) => 1,
        Expr::Ident(name) => match name.as_str() {
            "SOI" | "EOI" | "DROP" => 0,
            "ANY" | "PEEK" | "ASCII_HEX_DIGIT" => 1,
            name => rules.get(name).copied().unwrap_or(ENDLESS),
        },
        Expr::PosPred(_) | Expr::NegPred(_) | Expr::Opt(_) | Expr::Rep(_) | Expr::RepMax(..) => 0,
        Expr::PeekSlice(..) | Expr::PushLiteral(_) => 0,
        Expr::Seq(a, b) => (shortest_of(a, rules) + shortest_of(b, rules)).min(ENDLESS),
        Expr::Choice(a, b) => shortest_of(a, rules).min(shortest_of(b, rules)),
        Expr::RepOnce(e) | Expr::Push(e) | Expr::NodeTag(e, _) => shortest_of(e, rules),
        Expr::RepExact(e, n) | Expr::RepMin(e, n) | Expr::RepMinMax(e, n, _) => {
            shortest_of(e, rules).saturating_mul(*n as usize).min(ENDLESS)
        }
    }
}

/// Names that are drawn: ordinary ones, and words that are keywords in some place.
const NAMES: &[&str] =
    &["x", "xs", "note", "t", "order_id", "web", "fetch", "n2", "_unused", "total", "r"];
const CONTEXTUAL: &[&str] = &[
    "model", "user", "max", "then", "as", "stream", "test", "secret", "type", "needs", "from",
    "on", "stub", "expect", "after", "where", "parallel", "does", "tools", "system", "approve",
    "pub",
];
const RESERVED: &[&str] =
    &["in", "with", "none", "true", "if", "graph", "fail", "is", "done", "next"];
const TYPES: &[&str] = &["Ticket", "Ok", "T", "Verdict", "A1", "Failed", "HTTPError"];

/// Characters of texts and comments; what would end the text is left out by the rule itself.
const CHARACTERS: &[char] = &[
    'a', 'b', 'c', 'x', 'y', 'z', ' ', ' ', '0', '7', '9', 'A', 'B', '.', ',', ':', ';', '!', '?',
    '#', '%', '&', '(', ')', '[', ']', '{', '}', '<', '>', '-', '+', '*', '/', '=', '|', '\'', '@',
    '^', '~', '`', '"', '$', '\\', 'é', 'ß', '語', '🦀', '\n',
];

struct Walk<'a> {
    rng: &'a mut Rng,
    fuel: usize,
    out: String,
    /// Two entries for each open bracket, as the grammar pushes them: the upper one says what a
    /// newline means in it, the lower one is empty where there may be none.
    stack: Vec<String>,
    /// Inside the rule of one token: nothing may come between its characters.
    lexical: bool,
}

impl<'a> Walk<'a> {
    fn new(rng: &'a mut Rng, fuel: usize) -> Self {
        Walk {
            rng,
            fuel,
            out: String::new(),
            stack: ["\0", " "].map(str::to_owned).into(),
            lexical: false,
        }
    }

    fn one_line(&self) -> bool {
        self.stack.iter().rev().nth(1).is_some_and(String::is_empty)
    }

    fn short(&self) -> bool {
        self.fuel == 0 || self.stack.len() > 2 * DEPTH
    }

    /// Whether an optional part is taken, or a repetition goes round again.
    fn more(&mut self, rule: &str) -> bool {
        let percent = match rule {
            // Every expression passes through all its levels: few may branch, else none ends.
            "expr" | "caught" | "pipe" | "coal" | "disj" | "conj" | "neg" | "cmp" | "sum"
            | "prod" | "unary" | "type_" => 9,
            "post" => 30,
            "decl" => 25,
            _ => 45,
        };
        !self.short() && self.rng.usize(0..100) < percent
    }

    fn rule(&mut self, name: &str) {
        let lexical = self.lexical;
        self.lexical |= is_lexical(name);
        match name {
            "ws" => self.space(self.stack.last().is_some_and(|top| top == "\n")),
            "wn" | "wd" => self.space(true),
            "line" | "line_doc" | "line_arm" => self.line(),
            "blank" => self.out.push(' '),
            "keep" => {
                let entry = if self.one_line() { "" } else { "\0" };
                self.stack.push(entry.to_owned());
            }
            "word" | "lid" | "name" | "uid" => {
                let pool = match (name, self.rng.usize(0..20)) {
                    ("uid", _) => TYPES,
                    ("word", 0..2) => RESERVED,
                    (_, 0..3) => CONTEXTUAL,
                    _ => NAMES,
                };
                let name = self.rng.choice(pool).copied().unwrap_or("x");
                self.token(name);
            }
            "doc" => {
                self.comment("/// ");
                self.out.push('\n');
            }
            "interpolation" | "interpolation_in_line" => {
                self.lexical = false;
                self.descend(name);
            }
            _ => self.descend(name),
        }
        self.lexical = lexical;
    }

    fn descend(&mut self, name: &str) {
        match grammar().rules.get_key_value(name) {
            Some((name, expr)) => self.expr(expr, name),
            None => match name {
                "DROP" => drop(self.stack.pop()),
                "ASCII_HEX_DIGIT" => {
                    let digit = self.rng.digit(16);
                    self.out.push(digit);
                }
                "ANY" => self.any(None),
                // SOI, EOI, and PEEK, which stands in lookaheads only.
                _ => {}
            },
        }
    }

    fn expr(&mut self, expr: &'static Expr, rule: &'static str) {
        match expr {
            Expr::Str(s) => self.token(s),
            Expr::Insens(s) => {
                let s = if self.rng.bool() { s.to_uppercase() } else { s.clone() };
                self.token(&s);
            }
            Expr::Range(from, to) => {
                if let (Some(from), Some(to)) = (from.chars().next(), to.chars().next()) {
                    let c = self.rng.char(from..=to);
                    self.token(c.encode_utf8(&mut [0; 4]));
                }
            }
            Expr::Ident(name) => self.rule(name),
            Expr::PosPred(_) | Expr::NegPred(_) | Expr::PeekSlice(..) | Expr::Skip(_) => {}
            Expr::Seq(a, b) => match (&**a, &**b) {
                // `!x ~ ANY`: any character that does not begin an x.
                (Expr::NegPred(not), Expr::Ident(any)) if any == "ANY" => self.any(Some(not)),
                _ => {
                    self.expr(a, rule);
                    self.expr(b, rule);
                }
            },
            Expr::Choice(..) => {
                let mut ways = Vec::new();
                alternatives(expr, &mut ways);
                if self.short() && !self.lexical {
                    let length = |way: &Expr| shortest_of(way, &grammar().shortest);
                    let least = ways.iter().map(|way| length(way)).min().unwrap_or_default();
                    ways.retain(|way| length(way) == least);
                }
                // `next(...)` or any other expression: not one time in two.
                if rule == "expr" && self.rng.usize(0..8) > 0 {
                    ways.retain(|way| !matches!(way, Expr::Ident(name) if name == "next"));
                }
                if let Some(way) = self.rng.choice(&ways).copied() {
                    self.expr(way, rule);
                }
            }
            Expr::Opt(e) => {
                if self.more(rule) {
                    self.expr(e, rule);
                }
            }
            Expr::Rep(e) => self.repeat(e, rule, 0, 6),
            Expr::RepOnce(e) => self.repeat(e, rule, 1, 5),
            Expr::RepExact(e, n) => self.repeat(e, rule, *n, *n),
            Expr::RepMin(e, n) => self.repeat(e, rule, *n, *n + 5),
            Expr::RepMax(e, n) => self.repeat(e, rule, 0, *n),
            Expr::RepMinMax(e, m, n) => self.repeat(e, rule, *m, *n),
            Expr::Push(e) => {
                let start = self.out.len();
                self.expr(e, rule);
                let pushed = self.out.get(start..).unwrap_or_default().to_owned();
                self.stack.push(pushed);
            }
            Expr::PushLiteral(s) => self.stack.push(s.clone()),
            Expr::NodeTag(e, _) => self.expr(e, rule),
        }
    }

    fn repeat(&mut self, e: &'static Expr, rule: &'static str, least: u32, most: u32) {
        for round in 0..most {
            if round >= least && !self.more(rule) {
                break;
            }
            self.expr(e, rule);
        }
    }

    /// Any character, but none that begins `not`.
    fn any(&mut self, not: Option<&Expr>) {
        for _ in 0..8 {
            let Some(c) = self.rng.choice(CHARACTERS).copied() else { return };
            let ends_it = not.is_some_and(|not| begins(not, c)) || c == '\n' && self.one_line();
            if !ends_it {
                self.out.push(c);
                return;
            }
        }
    }

    /// A terminal. Between two tokens that would read as one it puts a blank.
    fn token(&mut self, text: &str) {
        if !self.lexical {
            self.fuel = self.fuel.saturating_sub(1);
        }
        if let (Some(before), Some(after)) = (self.out.chars().next_back(), text.chars().next())
            && !self.lexical
            && glues(before, after)
        {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    /// White space, mostly none or a blank.
    fn space(&mut self, newlines: bool) {
        let newlines = newlines && !self.one_line();
        match self.rng.usize(0..100) {
            0..60 => {}
            60..95 => self.out.push(' '),
            95..98 if newlines => {
                self.out.push_str(if self.rng.u8(..) == 0 { "\r\n" } else { "\n" });
            }
            98..100 if newlines => {
                self.comment(" // ");
                self.out.push('\n');
            }
            _ => self.out.push('\t'),
        }
    }

    fn line(&mut self) {
        if self.rng.usize(0..20) == 0 {
            self.comment(" // ");
        }
        self.out.push('\n');
        // Some people do not indent.
        let levels = if self.rng.u8(0..4) == 0 { 0 } else { self.stack.len() / 2 };
        for _ in 0..levels {
            self.out.push_str("  ");
        }
    }

    fn comment(&mut self, mark: &str) {
        self.out.push_str(mark);
        for _ in 0..self.rng.usize(0..8) {
            if let Some(c) = self.rng.choice(CHARACTERS).filter(|c| **c != '\n') {
                self.out.push(*c);
            }
        }
    }
}

/// Rules of one token.
fn is_lexical(rule: &str) -> bool {
    matches!(rule, "num" | "str_" | "escape" | "scalar" | "unit" | "digits")
}

fn alternatives(expr: &'static Expr, into: &mut Vec<&'static Expr>) {
    match expr {
        Expr::Choice(a, b) => {
            alternatives(a, into);
            alternatives(b, into);
        }
        one => into.push(one),
    }
}

/// Whether one character could begin the expression: as much as texts need.
fn begins(expr: &Expr, c: char) -> bool {
    match expr {
        Expr::Str(s) => s.starts_with(c),
        Expr::Choice(a, b) => begins(a, c) || begins(b, c),
        _ => false,
    }
}

/// Whether two characters at the border of two tokens would read as one token.
fn glues(before: char, after: char) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    word(before) && word(after)
        || matches!(
            (before, after),
            ('-', '>')
                | ('=' | '<' | '>' | '!', '=')
                | ('=' | '|', '>')
                | ('?', '?' | '.')
                | ('.', '.')
                | ('/', '/')
                | ('r', '"')
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accepts, rules};

    #[test]
    fn generated_files_are_accepted() {
        for seed in 0..300 {
            let text = generate(seed, 120);
            assert_eq!(accepts(&text), Ok(()), "seed {seed}:\n{text}");
        }
    }

    #[test]
    fn a_seed_names_its_file() {
        assert_eq!(generate(7, 100), generate(7, 100));
        assert_ne!(generate(7, 100), generate(8, 100));
    }

    #[test]
    fn size_is_about_tokens() {
        let length = |size| (0..20).map(|seed| generate(seed, size).len()).sum::<usize>();
        assert!(length(2_000) > 5 * length(200));
        assert_eq!(generate(1, 0), "");
    }

    #[test]
    fn most_draws_are_valid_at_once() {
        let mut rng = Rng::with_seed(1);
        let drawn = |rng: &mut Rng| {
            let mut walk = Walk::new(rng, 40);
            walk.rule("decl");
            walk.out
        };
        let valid = (0..500).filter(|_| accept::run(&drawn(&mut rng)).is_ok()).count();
        assert!(valid > 330, "{valid} of 500");
    }

    #[test]
    fn every_keyword_and_operator_is_drawn() {
        let all: String = (0..400).map(|seed| generate(seed, 150)).collect();
        let words: std::collections::HashSet<_> =
            all.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
        let known = crate::keywords();
        for word in known.reserved.iter().chain(&known.contextual) {
            assert!(words.contains(word), "{word} never drawn");
        }
        for operator in
            ["|>", "??", "?.", "..", "=>", "->", "==", "!=", "<=", ">=", "${", "r\"\"\""]
        {
            assert!(all.contains(operator), "{operator} never drawn");
        }
    }

    #[test]
    fn every_rule_can_end() {
        let known = &grammar().shortest;
        for rule in rules() {
            assert!(known.get(rule.name).is_some_and(|n| *n < 30), "{}", rule.name);
        }
    }
}
