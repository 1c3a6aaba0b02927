//! Habits of other languages: each recognised where it stands, reported with a fix where a machine
//! can make one, and parsed as what was meant.
//!
//! Only what the grammar refuses anyway is looked at here. Words that are well-formed names (`null`,
//! `None`, `return` alone on a line) may be somebody's own; whoever resolves names asks
//! [`foreign_name`] about those that nothing introduces. Here are the habits of statements and arms;
//! the others are in [`expressions`] and [`declarations`].

mod declarations;
mod expressions;
mod forms;
mod shapes;
mod values;

use text_size::{TextRange, TextSize};

use super::grammar::{blocks, control, exprs};
use super::{Context, Parser};
use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;
use crate::errors::Edit;

pub(super) use declarations::*;
pub(super) use expressions::*;
pub(super) use forms::*;
pub(super) use shapes::*;
pub(super) use values::*;

fn edit(range: TextRange, text: impl Into<String>) -> Edit {
    Edit { range, text: text.into() }
}

impl Parser<'_> {
    /// The empty place before the next token.
    pub(super) fn behind_blank(&self) -> TextRange {
        TextRange::empty(self.range(0).start())
    }

    /// The next token and the blanks behind it.
    fn word_and_blank(&self) -> TextRange {
        TextRange::new(self.range(0).start(), self.range(1).start())
    }

    /// Reports the next token and replaces it.
    fn replace_next(&mut self, code: Code, message: impl Into<String>, right: &str) {
        let range = self.range(0);
        let text = self.text(0);
        let error = SyntaxError::new(code, range, message).with_replacement(
            format!("replace `{text}` by `{right}`"),
            range,
            right,
        );
        self.habit(error.understood());
    }

    /// Reports the next word and removes it.
    fn remove_next(&mut self, code: Code, message: impl Into<String>) {
        let text = self.text(0);
        let error = SyntaxError::new(code, self.range(0), message).with_replacement(
            format!("remove `{text}`"),
            self.word_and_blank(),
            "",
        );
        self.habit(error.understood());
    }

    /// What was reported last is not read as what was meant, so more may follow from it.
    fn doubt(&mut self) {
        if let Some(error) = self.errors.last_mut() {
            error.understood = false;
        }
    }

    /// Consumes a token that has no place in the tree.
    fn bump_error(&mut self) {
        let marker = self.start();
        self.bump();
        self.finish_node(marker, K::Error);
    }
}

/// Whether the token behind a word, on the same line, cannot follow a name: then the word is no name.
fn word_before_operand(p: &Parser<'_>) -> bool {
    let behind = p.nth(1);
    // `for x in word max 3`: the word is a name, what follows it a clause with its operand.
    let before = p.pos.checked_sub(1).and_then(|at| p.lexed.significant.get(at));
    // There a comment may stand between `max` and its operand, and with it a line break.
    let in_for = before.is_some_and(|before| before.kind == K::InKw)
        && matches!(behind, K::MaxKw | K::ParallelKw);
    let clause = matches!(behind, K::MaxKw | K::ParallelKw | K::ThenKw | K::AfterKw | K::AsKw)
        && (in_for || !p.on_new_line(2))
        && (p.nth(2).can_be_name()
            || matches!(
                p.nth(2),
                K::Uid
                    | K::Number
                    | K::StrStart
                    | K::TrueKw
                    | K::FalseKw
                    | K::NoneKw
                    | K::NotKw
                    | K::TryKw
                    | K::MatchKw
                    | K::ForKw
                    | K::LoopKw
                    | K::RaceKw
            ));
    !p.on_new_line(1)
        && !clause
        && (behind.can_be_name()
            || matches!(
                behind,
                K::Uid
                    | K::Number
                    | K::StrStart
                    | K::SingleQuoted
                    | K::TrueKw
                    | K::FalseKw
                    | K::NoneKw
                    | K::NotKw
                    | K::Bang
                    | K::IfKw
                    | K::MatchKw
                    | K::ForKw
                    | K::FnKw
                    | K::GraphKw
                    | K::LetKw
                    | K::LoopKw
                    | K::TryKw
                    | K::RaceKw
                    | K::LBrace
            ))
}

/// At the start of a statement: `return x`, `const x = 1`, `while c { }`. True if it was parsed.
pub(super) fn statement(p: &mut Parser<'_>) -> bool {
    let next = p.current();
    if next == K::FnKw || next == K::GraphKw {
        let error = SyntaxError::new(
            Code::FunctionWord,
            p.range(0),
            format!("`{}` cannot be used inside a block", p.text(0)),
        )
        .with_help("move it out of the block, to the top level of the file, and call it here");
        p.report(error);
        p.skip_to_line_end(false);
        return true;
    }
    if !next.can_be_name() {
        return false;
    }
    if next == K::ExpectKw && !p.in_test && word_before_operand(p) {
        let error = SyntaxError::new(Code::Unexpected, p.range(0), "`expect` belongs to a `test`")
            .with_help("here a condition ends with `if not … { fail \"why\" }`");
        p.habit(error);
        p.bump_error();
        p.in_condition = true;
        exprs::expect_expr(p, "a condition");
        p.in_condition = false;
        return true;
    }
    if p.nth(1) == K::Colon && !p.on_new_line(1) {
        return binding_with_colon(p);
    }
    let switches = p.nth(1) == K::LParen
        && p.text(0) == "switch"
        && p.closer_of(1).is_some_and(|at| p.nth(at + 1) == K::LBrace && !p.on_new_line(at + 1));
    if next != K::Lid || !switches && !word_before_operand(p) {
        // `x := 1` and `x = 1` are met behind the expression.
        return false;
    }
    match p.text(0) {
        "assert" => {
            let in_test = p.in_test;
            let error = SyntaxError::new(
                Code::Unexpected,
                p.range(0),
                "what must hold is written `expect`",
            );
            p.habit(if in_test {
                error.with_replacement("replace `assert` by `expect`", p.range(0), "expect")
            } else {
                error.with_help("a graph fails with `fail \"why\"`; `expect` belongs to a test")
            });
            p.bump_error();
            exprs::expect_expr(p, "what must hold");
            true
        }
        "return" => {
            let brace = p.nth(1) == K::LBrace;
            let range = p.range(0);
            let removed = p.word_and_blank();
            let mut error = SyntaxError::new(
                Code::Return,
                range,
                "KAIT has no `return`: the last line of a block is its value",
            );
            if !brace {
                error = error.with_replacement("remove `return`", removed, "");
            }
            p.habit(error.understood());
            p.bump_error();
            if p.enter() {
                blocks::statement(p);
                p.leave();
            }
            true
        }
        word @ ("const" | "var" | "val" | "mut" | "final") if name_follows(p) => {
            let message = format!("write `let` instead of `{word}`");
            p.replace_next(Code::Const, message, "let");
            let marker = p.start();
            p.bump_as(K::LetKw);
            let binder = p.start();
            p.expect_lower_name("a value");
            p.finish_node(binder, K::NamePat);
            blocks::let_rest(p, marker);
            true
        }
        word @ ("function" | "def" | "func" | "fun") if name_follows(p) => {
            let error = SyntaxError::new(
                Code::FunctionWord,
                p.range(0),
                format!("`{word}` cannot be used inside a block"),
            )
            .with_help(
                "declare it with `fn` or `graph` at the top level of the file, and call it here",
            );
            p.report(error);
            p.skip_to_line_end(false);
            true
        }
        "while" | "until" => {
            let error = SyntaxError::new(
                Code::While,
                p.range(0),
                format!("KAIT has no `{}`: every loop has a maximum number of rounds", p.text(0)),
            )
            .with_help("go through a list with `for x in xs { … }`; repeat with `loop name = first max 5 { … } else { … }`");
            p.habit(error);
            p.bump_error();
            exprs::expect_expr(p, "a condition");
            blocks::block(p, "a body");
            true
        }
        "switch" | "select" | "when" => {
            let message = format!("write `match` instead of `{}`", p.text(0));
            p.replace_next(Code::Switch, message, "match");
            p.doubt();
            if switches {
                let marker = p.start();
                p.bump_as(K::MatchKw);
                control::match_rest(p, marker);
            } else {
                p.skip_to_line_end(false);
            }
            true
        }
        _ => false,
    }
}

fn name_follows(p: &Parser<'_>) -> bool {
    p.nth(1).can_be_name() || p.nth(1) == K::Uid
}

/// `name: value` or `name: Type = value` as a statement.
fn binding_with_colon(p: &mut Parser<'_>) -> bool {
    let range = p.range(0);
    let colon = p.range(1);
    // With a type, only `let` is missing.
    let typed = {
        let mut ahead = 2;
        while !p.on_new_line(ahead)
            && !matches!(p.nth(ahead), K::Eq | K::Eof | K::RBrace | K::LBrace | K::LParen)
        {
            ahead += 1;
            if ahead > 40 {
                break;
            }
        }
        p.nth(ahead) == K::Eq && !p.on_new_line(ahead)
    };
    let error =
        SyntaxError::new(Code::ColonForEquals, range, "name a value with `let name = value`");
    let insert = edit(TextRange::empty(range.start()), "let ");
    let error = if typed {
        error.with_fix("insert `let`", vec![insert])
    } else {
        error.with_fix("write it with `let` and `=`", vec![insert, edit(colon, " =")])
    };
    p.habit(error.understood());
    let marker = p.start();
    let binder = p.start();
    p.bump_as(K::Lid);
    p.finish_node(binder, K::NamePat);
    if typed {
        blocks::let_rest(p, marker);
    } else {
        p.bump();
        exprs::expect_expr(p, "a value");
        p.finish_node(marker, K::Let);
    }
    true
}

/// Behind a statement: `x = 1`, `x := 1`, `x += 1`, `x++`, `Name { ... }`. True if it was consumed.
pub(super) fn after_statement(p: &mut Parser<'_>) -> bool {
    match p.raw() {
        K::Eq | K::ColonEq => {
            let op = p.range(0);
            if p.on_line_of_last_error(op) {
                return false;
            }
            let statement = p.line_of_last_expr();
            let mut error = SyntaxError::new(
                Code::ColonForEquals,
                op,
                format!("`{}` cannot be used here", p.text(0)),
            );
            let name = p.pos.checked_sub(1).map(|at| p.slice(p.range_at(at))).unwrap_or_default();
            let target = statement_target(p);
            if matches!(target, Target::Let) && p.raw() == K::Eq {
                // `let ok = n = 1`: compared, or two names for one value.
                error = SyntaxError::new(Code::AssignInCondition, op, "equality is written `==`")
                    .with_replacement("replace `=` by `==`", op, "==")
                    .guessed();
            } else if let Target::Session(start) = target {
                saved_field(p, start, None);
                return true;
            } else if matches!(target, Target::Item) {
                error = error.with_help(
                    "lists and maps never change: build a new one, `for x in xs { … }` or `map.merge(m, with: [key: value])`",
                );
            } else if statement.is_some() && p.bound_before(name) {
                error = SyntaxError::new(
                    Code::Mutation,
                    op,
                    format!("`{name}` has its value already, and values never change"),
                )
                .with_help(
                    "give the new value a new name with `let`; to add up, use `list.sum` or `loop`",
                );
            } else if let Some(start) = statement {
                error = error
                    .with_fix(
                        "write it with `let`",
                        vec![edit(TextRange::empty(start), "let "), edit(op, "=")],
                    )
                    .with_help(
                        "name a value with `let name = value`, each new value with a new name",
                    );
            } else {
                let field = p.pos.checked_sub(2).and_then(|at| p.lexed.significant.get(at));
                error = error.with_help(if field.is_some_and(|token| token.kind == K::Dot) {
                    "a field cannot be changed: build a new record, `Name(..old, field: value)`"
                } else {
                    "to name a value, write `let name = value`; to compare, write `==`"
                });
            }
            p.habit(error);
            p.bump_error();
            exprs::expect_expr(p, "a value");
            true
        }
        K::PlusEq | K::MinusEq | K::StarEq | K::SlashEq | K::PlusPlus => {
            if let Target::Session(start) = statement_target(p) {
                let operator = p.text(0);
                saved_field(p, start, operator.get(..1));
                return true;
            }
            let error = SyntaxError::new(
                Code::Mutation,
                p.range(0),
                format!("`{}` would change a value, but values never change", p.text(0)),
            )
            .with_help(
                "give the new value a new name with `let`; to add up, use `list.sum` or `loop`",
            );
            p.habit(error);
            let value = p.raw() != K::PlusPlus;
            p.bump_error();
            if value {
                exprs::expect_expr(p, "a value");
            }
            true
        }
        K::LBrace if !p.on_new_line(0) && record_literal(p) => true,
        _ => false,
    }
}

impl Parser<'_> {
    /// Where the line of the next token starts, if it holds one name and nothing else before it.
    fn line_of_last_expr(&self) -> Option<text_size::TextSize> {
        let name = self.pos.checked_sub(1)?;
        let token = self.lexed.significant.get(name)?;
        let first = name == 0
            || token.has(crate::lexer::Significant::NEWLINE)
            || self.lexed.significant.get(name - 1).is_some_and(|t| t.kind == K::LBrace);
        (first && token.kind.can_be_name()).then(|| self.range_at(name).start())
    }
}

impl Parser<'_> {
    /// Whether a `let`, a parameter or a state of a loop of that name stands above in this declaration.
    fn bound_before(&self, name: &str) -> bool {
        let tokens = self.lexed.significant.get(self.decl_start..self.pos.saturating_sub(1));
        let kind = |at: usize| self.lexed.significant.get(at).map(|token| token.kind);
        (self.decl_start..).zip(tokens.unwrap_or_default()).any(|(at, token)| {
            let before = at.checked_sub(1).and_then(kind);
            let introduces = match before {
                Some(K::LetKw | K::ForKw | K::LoopKw) => true,
                Some(K::LParen | K::Comma | K::StreamKw) => {
                    matches!(kind(at + 1), Some(K::Colon | K::Eq))
                }
                _ => false,
            };
            introduces && token.kind.can_be_name() && self.slice(self.range_at(at)) == name
        })
    }
}

/// What stands before the `=` behind a statement.
enum Target {
    /// A `let` that has its value already.
    Let,
    /// `session.name`, and where it starts.
    Session(TextSize),
    /// `xs[0]`
    Item,
    /// Anything else.
    Other,
}

fn statement_target(p: &Parser<'_>) -> Target {
    let kind = |at: usize| p.lexed.significant.get(at).map(|token| token.kind);
    if p.pos > 0 && kind(p.pos - 1) == Some(K::RBracket) {
        return Target::Item;
    }
    if let Some(start) = p.pos.checked_sub(3)
        && kind(start) == Some(K::SessionKw)
        && kind(start + 1) == Some(K::Dot)
    {
        return Target::Session(p.range_at(start).start());
    }
    if kind(p.item_start) == Some(K::LetKw) && p.item_start < p.pos {
        return Target::Let;
    }
    Target::Other
}

/// `session.name = value` and `session.name += value`; the next token is the operator.
fn saved_field(p: &mut Parser<'_>, start: TextSize, operator: Option<&str>) {
    let op = p.range(0);
    let field = p.pos.checked_sub(1).map(|at| p.slice(p.range_at(at))).unwrap_or_default();
    let target = p.slice(TextRange::new(start, p.behind().start()));
    let code = if operator.is_some() { Code::Mutation } else { Code::ColonForEquals };
    let error = SyntaxError::new(code, op, "what a session keeps is changed with `session.save`")
        .with_help("write `session.save(name: value)`");
    let reported = p.errors.len();
    let counts = p.text(0) == "++";
    p.habit(error);
    p.bump_error();
    let from = p.range(0).start();
    if !counts {
        exprs::expect_expr(p, "a value");
    }
    let value = TextRange::new(from, p.behind().start().max(from));
    let given = if counts { "1" } else { p.slice(value) };
    let value = match operator {
        Some(sign) => format!("{target} {sign} {given}"),
        None => given.to_owned(),
    };
    let all = TextRange::new(start, p.behind().start());
    if !given.is_empty()
        && let Some(error) = p.errors.get_mut(reported)
    {
        let text = format!("session.save({field}: {value})");
        let edits = vec![edit(all, text)];
        error.fix = Some(crate::errors::Fix {
            title: "write it with `session.save`".into(),
            edits,
            // An operator binds the operands of a sum differently.
            safe: operator.is_none_or(|_| {
                given.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b))
            }),
        });
    }
}

/// `Name { field: value }` behind an expression that ends in a name.
fn record_literal(p: &mut Parser<'_>) -> bool {
    let Some(last) = p.pos.checked_sub(1).and_then(|at| p.lexed.significant.get(at)) else {
        return false;
    };
    let fields = p.nth(1).can_be_field_name() && p.nth(2) == K::Colon || p.nth(1) == K::DotDot;
    if last.kind != K::Uid || !fields {
        return false;
    }
    let range = p.range(0);
    let mut error = SyntaxError::new(
        Code::RecordLiteral,
        range,
        "write `Name(field: value)` to build a record",
    );
    if let Some(end) = p.matching_brace() {
        // Blanks beside braces are not usual beside parentheses; line breaks stay.
        let blank = |p: &Parser<'_>, from, to| {
            let gap = TextRange::new(from, to);
            p.slice(gap).chars().all(|c| c == ' ').then_some(gap)
        };
        let open = blank(p, p.behind().start(), range.start()).unwrap_or(range).cover(range);
        let open = blank(p, range.end(), p.range(1).start()).unwrap_or(open).cover(open);
        let last = p.range_at(end);
        let inside = p.range_at(end.saturating_sub(1)).end();
        let close = blank(p, inside, last.start()).unwrap_or(last).cover(last);
        error =
            error.with_fix("write it with parentheses", vec![edit(open, "("), edit(close, ")")]);
    }
    p.report(error);
    let marker = p.start();
    p.skip_one();
    p.finish_node(marker, K::Error);
    p.recovering = false;
    true
}

impl Parser<'_> {
    /// The `}` that closes the `{` that comes next, if it is near.
    fn matching_brace(&self) -> Option<usize> {
        let mut depth = 0u32;
        for ahead in 0..2_000 {
            match self.nth(ahead) {
                K::LBrace => depth += 1,
                K::RBrace => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(self.pos + ahead);
                    }
                }
                K::Eof => return None,
                _ => {}
            }
        }
        None
    }
}

/// `;`, consumed. It counts as a newline.
pub(super) fn semicolon(p: &mut Parser<'_>) {
    let range = p.range(0);
    let ends_line = p.on_new_line(1) || matches!(p.nth(1), K::RBrace | K::Eof);
    let error = SyntaxError::new(
        Code::Semicolon,
        range,
        "KAIT has no semicolons: a new line ends the statement",
    );
    let error = if ends_line {
        error.with_replacement("remove `;`", range, "")
    } else {
        let indent = " ".repeat(p.line_indent(p.pos).unwrap_or(0));
        let gap = TextRange::new(range.start(), p.range(1).start());
        error.with_replacement("break the line", gap, format!("\n{indent}"))
    };
    p.habit(error.understood());
    p.bump_error();
    p.clear_separator();
    p.recovering = false;
}

/// `name: T as "wire" = value`: the default stands before the name on the wire. The next token is the `=`.
pub(super) fn default_behind_wire_name(p: &mut Parser<'_>, before: TextRange) {
    let (equals, wire_end) = (p.range(0), p.behind().start());
    let followed = p.errors.len();
    let error = SyntaxError::new(
        Code::Unexpected,
        equals,
        "write the default of a field before `as`: `name: type = default as \"name\"`",
    );
    p.habit(error.understood());
    let marker = p.start();
    p.bump();
    exprs::expect_expr(p, "a default");
    p.finish_node(marker, K::Error);
    let end = p.behind().start();
    let value = p.slice(TextRange::new(equals.start(), end)).to_owned();
    if let Some(error) = p.errors.get_mut(followed) {
        error.fix = Some(crate::errors::Fix {
            title: "move the default before `as`".into(),
            edits: vec![edit(before, format!(" {value}")), edit(TextRange::new(wire_end, end), "")],
            safe: true,
        });
    }
}

/// `let x := 1`; the next token is the `:=`.
pub(super) fn colon_equals(p: &mut Parser<'_>) {
    p.replace_next(Code::ColonForEquals, "write `=` instead of `:=`", "=");
}

/// `let mut x`: the `mut` is consumed.
pub(super) fn let_mut(p: &mut Parser<'_>) {
    if p.current() == K::Lid
        && matches!(p.text(0), "mut" | "const" | "var")
        && name_follows(p)
        && !p.on_new_line(1)
    {
        let word = p.text(0);
        p.remove_next(Code::Mutation, format!("leave out `{word}`: values never change"));
        p.bump_error();
    }
}

/// `case Pattern =>`: the `case` is consumed.
pub(super) fn case_word(p: &mut Parser<'_>) {
    if p.current() == K::Lid && p.text(0) == "case" && word_before_operand(p) {
        p.remove_next(Code::Switch, "leave out `case`: write `pattern => value`");
        p.bump_error();
    }
}

/// Whether `else => value` stands here: an arm, and no branch of an `if` above it.
pub(super) fn at_else_arm(p: &Parser<'_>) -> bool {
    let is_word = p.at(K::ElseKw) && matches!(p.nth(1), K::FatArrow | K::Arrow)
        // With `=>` it may be a name, which whoever resolves names tells.
        || p.at(K::Lid) && p.text(0) == "default" && matches!(p.nth(1), K::Arrow | K::Colon);
    p.context == Context::Arms && is_word
}

/// `else => value`: the `else` is consumed as the pattern `_`.
pub(super) fn else_arm(p: &mut Parser<'_>) -> bool {
    if at_else_arm(p) {
        p.replace_next(Code::DefaultArm, "write `_` instead of `else` in an arm", "_");
        let marker = p.start();
        p.bump_as(K::Underscore);
        p.finish_node(marker, K::WildcardPat);
        return true;
    }
    false
}

/// `->` or `:` in the place of an arm's `=>`.
pub(super) fn arm_arrow(p: &mut Parser<'_>) {
    let blank = if p.glued(0) { " =>" } else { "=>" };
    let range = p.range(0);
    let text = p.text(0);
    let error = SyntaxError::new(
        Code::ArrowKind,
        range,
        format!("write `=>` instead of `{text}` after a pattern"),
    )
    .with_replacement("replace it by `=>`", range, blank);
    p.habit(error.understood());
}

/// What a name that nothing introduces is in other languages: the code, what to write instead (none
/// if there is nothing) and one sentence. For whoever resolves names; see the module's text.
#[must_use]
pub fn foreign_name(name: &str) -> Option<(Code, Option<&'static str>, &'static str)> {
    Some(match name {
        "null" | "nil" | "undefined" | "None" | "Null" | "Nil" | "nothing" => {
            (Code::Null, Some("none"), "write `none` where there is no value")
        }
        "True" | "TRUE" => (Code::Null, Some("true"), "write `true` in lower case"),
        "False" | "FALSE" => (Code::Null, Some("false"), "write `false` in lower case"),
        "return" => {
            (Code::Return, None, "KAIT has no `return`: the last line of a block is its value")
        }
        "throw" | "raise" => (Code::Return, Some("fail"), "use `fail` to stop with a failure"),
        "await" | "async" => (
            Code::Async,
            None,
            "KAIT needs no `async` and no `await`: independent calls run at the same time by themselves",
        ),
        "break" => (
            Code::While,
            None,
            "KAIT has no `break`: end a `loop` with `done value`; in a `for`, filter with `if`",
        ),
        "continue" => (
            Code::While,
            None,
            "KAIT has no `continue`: go on in a `loop` with `next(…)`; in a `for`, filter with `if`",
        ),
        "while" => (
            Code::While,
            None,
            "KAIT has no `while`: use `for`, or `loop` with a maximum number of rounds",
        ),
        "switch" => (Code::Switch, Some("match"), "write `match` instead of `switch`"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
