//! Habits of other languages: each recognised where it stands, reported with a fix where a machine
//! can make one, and parsed as what was meant.
//!
//! Only what the grammar refuses anyway is looked at here. Words that are well-formed names (`null`,
//! `None`, `return` alone on a line) may be somebody's own; whoever resolves names asks
//! [`foreign_name`] about those that nothing introduces.

use text_size::TextRange;

use super::builder::Marker;
use super::grammar::{blocks, decls, exprs};
use super::{Bracket, Context, Parser};
use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;
use crate::errors::Edit;

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
        self.habit(error);
    }

    /// Reports the next word and removes it.
    fn remove_next(&mut self, code: Code, message: impl Into<String>) {
        let text = self.text(0);
        let error = SyntaxError::new(code, self.range(0), message).with_replacement(
            format!("remove `{text}`"),
            self.word_and_blank(),
            "",
        );
        self.habit(error);
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
    let clause = matches!(behind, K::MaxKw | K::ParallelKw | K::ThenKw | K::AfterKw | K::AsKw)
        && !p.on_new_line(2)
        && (p.nth(2).can_be_name() || matches!(p.nth(2), K::Uid | K::Number | K::StrStart));
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
            format!("`{}` cannot stand inside a block", p.text(0)),
        )
        .with_help("declare it at the top of the file and call it here; there are no closures");
        p.report(error);
        p.skip_to_line_end(false);
        return true;
    }
    if !next.can_be_name() {
        return false;
    }
    if p.nth(1) == K::Colon && !p.on_new_line(1) {
        return binding_with_colon(p);
    }
    if next != K::Lid || !word_before_operand(p) {
        // `x := 1` and `x = 1` are met behind the expression.
        return false;
    }
    match p.text(0) {
        "return" => {
            let brace = p.nth(1) == K::LBrace;
            let range = p.range(0);
            let removed = p.word_and_blank();
            let mut error = SyntaxError::new(
                Code::Return,
                range,
                "there is no `return`: the last expression of a block is its value",
            );
            if !brace {
                error = error.with_replacement("remove `return`", removed, "");
            }
            p.habit(error);
            p.bump_error();
            if p.enter() {
                blocks::statement(p);
                p.leave();
            }
            true
        }
        word @ ("const" | "var" | "val" | "mut" | "final") if name_follows(p) => {
            let message = format!("names are bound with `let`, not with `{word}`");
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
                format!("`{word}` cannot stand inside a block"),
            )
            .with_help("declare it at the top of the file with `graph` or `fn` and call it here");
            p.report(error);
            p.skip_to_line_end(false);
            true
        }
        "while" | "until" => {
            let error = SyntaxError::new(
                Code::While,
                p.range(0),
                "there is no `while`: repetition is bounded",
            )
            .with_help("walk a list with `for x in xs { }`; repeat with `loop state = first max 5 { ... } else { }`");
            p.habit(error);
            p.bump_error();
            exprs::expect_expr(p, "a condition");
            blocks::block(p, "a body");
            true
        }
        "switch" | "select" | "when" => {
            p.replace_next(Code::Switch, "cases are told apart with `match`", "match");
            p.skip_to_line_end(false);
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
        SyntaxError::new(Code::ColonForEquals, range, "a value is bound with `let name = value`");
    let insert = edit(TextRange::empty(range.start()), "let ");
    let error = if typed {
        error.with_fix("insert `let`", vec![insert])
    } else {
        error.with_fix("write it with `let` and `=`", vec![insert, edit(colon, " =")])
    };
    p.habit(error);
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
                "a value is bound with `let name = value`",
            );
            if let Some(start) = statement {
                error = error
                    .with_fix(
                        "write it with `let`",
                        vec![edit(TextRange::empty(start), "let "), edit(op, "=")],
                    )
                    .with_help("a name is bound once; a new value needs a new name");
            } else {
                error = error
                    .with_help("values never change: build a new one, `Name(..old, field: value)`");
            }
            p.habit(error);
            p.bump_error();
            exprs::expect_expr(p, "a value");
            true
        }
        K::PlusEq | K::MinusEq | K::StarEq | K::SlashEq | K::PlusPlus => {
            let error = SyntaxError::new(
                Code::Mutation,
                p.range(0),
                format!("`{}` changes a value, and values never change", p.text(0)),
            )
            .with_help("bind the new value to a new name; count and sum with `loop` or `list.sum`");
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
    let mut error =
        SyntaxError::new(Code::RecordLiteral, range, "records are built with `Name(field: value)`");
    if let Some(end) = p.matching_brace() {
        error = error.with_fix(
            "write it with parentheses",
            vec![edit(range, "("), edit(p.range_at(end), ")")],
        );
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
        "a newline ends a statement; there are no semicolons",
    );
    let error = if ends_line {
        error.with_replacement("remove `;`", range, "")
    } else {
        let indent = " ".repeat(p.line_indent(p.pos).unwrap_or(0));
        let gap = TextRange::new(range.start(), p.range(1).start());
        error.with_replacement("break the line", gap, format!("\n{indent}"))
    };
    p.habit(error);
    p.bump_error();
    p.clear_separator();
    p.recovering = false;
}

/// In the loop over operators: `=` in a condition, `not in`. True if something was parsed.
pub(super) fn operator(p: &mut Parser<'_>, marker: Marker, least: u8) -> bool {
    match p.current() {
        K::Eq if p.in_condition && least <= 4 => {
            p.replace_next(Code::AssignInCondition, "equality is written `==`", "==");
            let marker = p.again(marker);
            p.bump_as(K::EqEq);
            exprs::expect_expr(p, "a value");
            p.finish_node(marker, K::BinaryExpr);
            true
        }
        K::NotKw if p.nth(1) == K::InKw && least <= 4 && !p.on_new_line(0) => {
            let gap = p.word_and_blank();
            let error = SyntaxError::new(
                Code::LogicOperator,
                p.range(0),
                "`not` stands before the whole test: `not x in xs`",
            )
            .with_replacement("remove `not`, and write it in front", gap, "");
            // The fix alone would change the meaning; it is offered as text only.
            p.habit(SyntaxError { fix: None, ..error });
            let marker = p.again(marker);
            p.bump_error();
            p.bump();
            exprs::expect_expr(p, "a list");
            p.finish_node(marker, K::InExpr);
            true
        }
        _ => false,
    }
}

/// `&&`, `||`, `===`, `!==` in the place of an operator.
pub(super) fn foreign_operator(p: &mut Parser<'_>) {
    match p.raw() {
        K::AmpAmp => p.replace_next(Code::LogicOperator, "`&&` is written `and`", "and"),
        K::BarBar => p.replace_next(Code::LogicOperator, "`||` is written `or`", "or"),
        K::EqEqEq => p.replace_next(Code::Equality, "equality is written `==`", "=="),
        _ => p.replace_next(Code::Equality, "inequality is written `!=`", "!="),
    }
}

/// `!x`.
pub(super) fn bang(p: &mut Parser<'_>) {
    let blank = if p.glued(1) { "not " } else { "not" };
    let range = p.range(0);
    let error = SyntaxError::new(Code::LogicOperator, range, "`!` is written `not`")
        .with_replacement("replace `!` by `not`", range, blank);
    p.habit(error);
}

/// `x is not Pattern`: the `not` is consumed.
pub(super) fn is_not(p: &mut Parser<'_>) {
    let error = SyntaxError::new(
        Code::LogicOperator,
        p.range(0),
        "`not` stands before the whole test: `not x is Pattern`",
    );
    p.habit(error);
    p.bump_error();
}

/// `await f()`, `new Name()`, `f"text"` where a value is expected: true if the word was consumed and
/// the value follows.
pub(super) fn prefixed_operand(p: &mut Parser<'_>) -> bool {
    let behind = p.nth(1);
    if matches!(behind, K::StrStart | K::SingleQuoted | K::BacktickQuoted) && p.glued(1) {
        let text = p.text(0);
        if text.len() <= 2 && (1..60).any(|ahead| p.nth(ahead) == K::StrEnd) {
            p.remove_next(
                Code::FString,
                format!("every text takes `${{...}}`; the prefix `{text}` has no meaning"),
            );
            p.bump_error();
            return true;
        }
        return false;
    }
    if !word_before_operand(p) || behind == K::LBrace {
        return false;
    }
    match p.text(0) {
        word @ ("await" | "async") => {
            p.remove_next(
                Code::Async,
                format!("there is no `{word}`: whatever is independent runs at the same time"),
            );
        }
        "new" if behind == K::Uid => {
            p.remove_next(
                Code::RecordLiteral,
                "records are built with `Name(field: value)`, without `new`",
            );
        }
        "return" => {
            p.remove_next(
                Code::Return,
                "there is no `return`: the last expression of a block is its value",
            );
        }
        "throw" | "raise" => {
            p.replace_next(Code::Return, "a failure is raised with `fail`", "fail");
        }
        "lambda" => {
            let error = SyntaxError::new(Code::Lambda, p.range(0), "there are no lambdas")
                .with_help(LAMBDA_HELP);
            p.report(error);
        }
        _ => return false,
    }
    p.bump_error();
    true
}

const LAMBDA_HELP: &str = "map and filter with `for x in xs if condition { value }`, name a field with `.field`, fold with `loop`";

/// `|x| value` and `fn(x) ...` where a value is expected.
pub(super) fn lambda(p: &mut Parser<'_>, marker: Marker) {
    let error =
        SyntaxError::new(Code::Lambda, p.range(0), "there are no lambdas").with_help(LAMBDA_HELP);
    p.report(error);
    loop {
        match p.current() {
            K::Separator
            | K::Comma
            | K::RParen
            | K::RBracket
            | K::RBrace
            | K::Eof
            | K::InterpEnd => {
                break;
            }
            _ => p.skip_one(),
        }
    }
    p.finish_node(marker, K::Error);
}

/// `=> value` behind an argument: it was the parameter of a lambda.
pub(super) fn lambda_body(p: &mut Parser<'_>) {
    if p.raw() != K::FatArrow && p.raw() != K::Arrow || !p.is_balanced() {
        return;
    }
    let error =
        SyntaxError::new(Code::Lambda, p.range(0), "there are no lambdas").with_help(LAMBDA_HELP);
    p.habit(error);
    let marker = p.start();
    p.bump();
    if p.raw() == K::LBrace {
        p.skip_one();
    } else if !p.on_new_line(0) {
        p.quietly(|p| exprs::expect_expr(p, "a value"));
    }
    p.finish_node(marker, K::Error);
}

/// `'text'` and `` `text` `` where a text is expected.
pub(super) fn quotes(p: &mut Parser<'_>) {
    let text = p.text(0);
    let range = p.range(0);
    let backtick = p.raw() == K::BacktickQuoted;
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut out = String::with_capacity(text.len() + 4);
    let lines = inner.contains('\n');
    out.push_str(if lines { "\"\"\"" } else { "\"" });
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if !lines => out.push_str("\\\""),
            '\\' if matches!(chars.peek(), Some('\'' | '`')) => {}
            '$' if !backtick && chars.peek() == Some(&'{') => out.push_str("\\$"),
            c => out.push(c),
        }
    }
    out.push_str(if lines { "\"\"\"" } else { "\"" });
    let error = SyntaxError::new(Code::Quotes, range, "texts are written in double quotes")
        .with_replacement("use double quotes", range, out);
    p.habit(error);
}

/// `{ ... }` where a value is expected: a map, or a block.
pub(super) fn braces_as_value(p: &mut Parser<'_>, marker: Marker) {
    let range = p.range(0);
    let keyed = matches!(p.nth(1), K::StrStart | K::SingleQuoted) || p.nth(2) == K::Colon;
    let mut error = SyntaxError::new(Code::RecordLiteral, range, "`{` opens no value");
    if keyed || p.nth(1) == K::RBrace {
        error = error.with_help("a map is written `[key: value]`, a record `Name(field: value)`");
        if let Some(end) = p.matching_brace()
            && matches!(p.nth(1), K::StrStart | K::RBrace)
        {
            let open = if p.nth(1) == K::RBrace { "[:" } else { "[" };
            error = error
                .with_fix("write it as a map", vec![edit(range, open), edit(p.range_at(end), "]")]);
        }
    } else {
        error = error.with_help("a block stands behind `if`, `for`, `=>` and other headers only");
    }
    p.habit(error);
    p.skip_one();
    p.finish_node(marker, K::Error);
}

/// `f(name = value)`; the next token is the `=`.
pub(super) fn named_with_equals(p: &mut Parser<'_>) {
    let named = p
        .pos
        .checked_sub(1)
        .and_then(|at| p.lexed.significant.get(at))
        .is_some_and(|token| token.kind.can_be_field_name());
    let range = p.range(0);
    let mut error = SyntaxError::new(
        Code::NamedArgument,
        range,
        "arguments are named with `:`: `f(name: value)`",
    );
    if named {
        let gap = TextRange::new(p.behind().start(), p.range(1).start());
        error = error.with_replacement("replace `=` by `:`", gap, ": ");
    }
    p.habit(error);
}

/// `Name(field = pattern)`; the next token is the `=`.
pub(super) fn pattern_equals(p: &mut Parser<'_>) {
    named_with_equals(p);
}

/// `c ? a : b` behind a condition, in the place of a value.
pub(super) fn ternary(p: &mut Parser<'_>, marker: Marker) {
    let question = p.range(0);
    if !p.is_balanced() {
        p.expected("the end of the expression");
    }
    let marker = p.again(marker);
    let start = p.token_start(marker.first);
    p.bump();
    let colon = p.quietly(|p| {
        exprs::expect_expr(p, "a value");
        let colon = (p.raw() == K::Colon).then(|| p.range(0));
        if colon.is_some() {
            p.bump();
            exprs::expect_expr(p, "a value");
        }
        colon
    });
    let mut error =
        SyntaxError::new(Code::Ternary, question, "a choice is written `if c { a } else { b }`");
    if let Some(colon) = colon {
        error = error.with_fix(
            "write it with `if`",
            vec![
                edit(TextRange::empty(start), "if "),
                edit(question, "{"),
                edit(colon, "} else {"),
                edit(p.behind(), " }"),
            ],
        );
    }
    p.habit(error);
    p.finish_node(marker, K::Error);
}

/// `...x`; the next token is the `...`.
pub(super) fn spread(p: &mut Parser<'_>) {
    p.replace_next(Code::Spread, "a spread is written `..`", "..");
}

/// `(a, b)`; the next token is the first comma.
pub(super) fn tuple(p: &mut Parser<'_>, _start: usize) {
    let error = SyntaxError::new(Code::Unexpected, p.range(0), "there are no tuples").with_help(
        "a list is written `[a, b]`, two values of different types `Pair(first: a, second: b)`",
    );
    p.report(error);
}

/// `if c then a`: the `then` is consumed.
pub(super) fn then_word(p: &mut Parser<'_>) {
    if p.current() == K::ThenKw {
        let error =
            p.expected_error("`{`").with_help("a choice is written `if c { a } else { b }`");
        p.report(error);
        p.bump_error();
        if p.current() != K::LBrace {
            p.quietly(|p| exprs::expect_expr(p, "a value"));
        }
    }
}

/// `elif c { }` behind the block of an `if`: read as `else if`.
pub(super) fn elif(p: &mut Parser<'_>) {
    if p.raw() != K::Lid || !matches!(p.text(0), "elif" | "elsif" | "elseif") {
        return;
    }
    if p.on_new_line(0) && p.nth(1) == K::LParen || matches!(p.nth(1), K::Eq | K::Dot | K::Comma) {
        return;
    }
    p.replace_next(Code::Elif, "a further condition is written `else if`", "else if");
    p.clear_separator();
    p.bump_error();
    let inner = p.start();
    if p.enter() {
        let around = std::mem::replace(&mut p.in_condition, true);
        exprs::expect_expr(p, "a condition");
        p.in_condition = around;
        blocks::block(p, "what is done then");
        elif(p);
        p.leave();
    }
    p.finish_node(inner, K::Error);
}

/// `for (x in xs)`: opens the parenthesis.
pub(super) fn for_parens(p: &mut Parser<'_>) -> Option<Bracket> {
    let declares = p.nth(1) == K::LetKw || p.nth(1) == K::Lid && p.nth(2).can_be_name();
    let loops = p.nth(2) == K::InKw || p.nth(2) == K::Lid || declares;
    if !p.at(K::LParen) || !loops {
        return None;
    }
    let open = p.range(0);
    let error =
        SyntaxError::new(Code::Unexpected, open, "a `for` has no parentheses: `for x in xs { }`");
    p.habit(error);
    let bracket = p.open(Context::Inside);
    if p.raw() == K::LetKw || p.raw() == K::Lid && matches!(p.text(0), "const" | "var") {
        p.bump_error();
    }
    Some(bracket)
}

/// `for x of xs`.
pub(super) fn for_of(p: &mut Parser<'_>) -> bool {
    if p.current() == K::Lid && matches!(p.text(0), "of" | "from") || p.current() == K::Colon {
        p.replace_next(Code::Unexpected, "a list is walked with `for x in xs`", "in");
        p.bump_as(K::InKw);
        return true;
    }
    false
}

/// `let x := 1`; the next token is the `:=`.
pub(super) fn colon_equals(p: &mut Parser<'_>) {
    p.replace_next(Code::ColonForEquals, "a value is bound with `let name = value`", "=");
}

/// `let mut x`: the `mut` is consumed.
pub(super) fn let_mut(p: &mut Parser<'_>) {
    if p.current() == K::Lid
        && matches!(p.text(0), "mut" | "const" | "var")
        && name_follows(p)
        && !p.on_new_line(1)
    {
        let word = p.text(0);
        p.remove_next(Code::Mutation, format!("values never change: there is no `{word}`"));
        p.bump_error();
    }
}

/// `case Pattern =>`: the `case` is consumed.
pub(super) fn case_word(p: &mut Parser<'_>) {
    if p.current() == K::Lid && p.text(0) == "case" && word_before_operand(p) {
        p.remove_next(Code::Switch, "an arm has no `case`: `Pattern => value`");
        p.bump_error();
    }
}

/// `else => value`: the `else` is consumed as the pattern `_`.
pub(super) fn else_arm(p: &mut Parser<'_>) -> bool {
    if p.at(K::ElseKw) && matches!(p.nth(1), K::FatArrow | K::Arrow) {
        p.replace_next(Code::DefaultArm, "the arm for everything else is `_`", "_");
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
        format!("an arm is written with `=>`, not `{text}`"),
    )
    .with_replacement("replace it by `=>`", range, blank);
    p.habit(error);
}

/// `=>` or `:` in the place of a result's `->`.
pub(super) fn result_arrow(p: &mut Parser<'_>) {
    let blank = if p.glued(0) { " ->" } else { "->" };
    let range = p.range(0);
    let text = p.text(0);
    let error = SyntaxError::new(
        Code::ArrowKind,
        range,
        format!("the type of a result stands behind `->`, not `{text}`"),
    )
    .with_replacement("replace it by `->`", range, blank);
    p.habit(error);
}

/// `system: "..."` in a prompt: the colon is consumed.
pub(super) fn colon_after_word(p: &mut Parser<'_>) {
    if matches!(p.raw(), K::Colon | K::Eq) {
        let range = p.range(0);
        let text = p.text(0);
        let error = SyntaxError::new(
            Code::ColonForEquals,
            range,
            "the items of a prompt have no `:` and no `=`: `user \"...\"`",
        )
        .with_replacement(
            format!("remove `{text}`"),
            range,
            if p.glued(1) { " " } else { "" },
        );
        p.habit(error);
        p.bump_error();
        p.clear_separator();
    }
}

/// `T[]`; the next token is the `[`.
pub(super) fn array_type(p: &mut Parser<'_>) {
    let range = TextRange::new(p.range(0).start(), p.range(1).end());
    let error = SyntaxError::new(Code::TypeForm, range, "a list type is written `[T]`");
    let start = p.type_start();
    let error = match start {
        Some(start) => error.with_fix(
            "write it as `[T]`",
            vec![edit(TextRange::empty(start), "["), edit(range, "]")],
        ),
        None => error,
    };
    p.habit(error);
}

impl Parser<'_> {
    /// Where the plain or dotted name before the next token starts.
    fn type_start(&self) -> Option<text_size::TextSize> {
        let mut at = self.pos.checked_sub(1)?;
        let name = |at: usize| {
            self.lexed.significant.get(at).is_some_and(|t| t.kind.can_be_name() || t.kind == K::Uid)
        };
        if !name(at) {
            return None;
        }
        while at >= 2
            && self.lexed.significant.get(at - 1).is_some_and(|t| t.kind == K::Dot)
            && name(at - 2)
        {
            at -= 2;
        }
        Some(self.range_at(at).start())
    }
}

/// `name?: T`; the next token is the `?`.
pub(super) fn optional_name(p: &mut Parser<'_>) {
    let error =
        SyntaxError::new(Code::TypeForm, p.range(0), "an optional type is written `name: T?`");
    p.habit(error);
}

const PRIMITIVES: &[&str] = &[
    "text", "int", "float", "bool", "bytes", "json", "time", "duration", "money", "size", "image",
    "audio", "file", "string", "str", "number",
];

/// `text name` in the place of `name: text`: true if it was parsed.
pub(super) fn type_before_name(p: &mut Parser<'_>) -> bool {
    if !(p.raw() == K::Lid || p.raw() == K::Uid)
        || !(p.nth(1).can_be_name())
        || p.on_new_line(1)
        || !(p.raw() == K::Uid || PRIMITIVES.contains(&p.text(0)))
        || p.nth(2) == K::Colon
    {
        return false;
    }
    let (first, second) = (p.text(0), p.text(1));
    let range = TextRange::new(p.range(0).start(), p.range(1).end());
    let right = format!("{second}: {first}");
    let error =
        SyntaxError::new(Code::ParameterType, range, "a type stands after its name and a colon")
            .with_replacement(format!("write `{right}`"), range, right);
    p.habit(error);
    let marker = p.start();
    let path = p.start();
    p.bump();
    p.finish_node(path, K::Path);
    p.finish_node(marker, K::NamedType);
    p.bump_as(K::Lid);
    true
}

/// `record Name = {`: the `=` is consumed.
pub(super) fn equals_before_brace(p: &mut Parser<'_>, reported: bool) {
    if matches!(p.current(), K::Eq | K::Colon) && p.nth(1) == K::LBrace {
        if reported {
            p.bump_error();
            return;
        }
        p.remove_next(
            Code::ForeignDeclaration,
            "the fields follow the name: `record Name { field: text }`",
        );
        p.bump_error();
    }
}

/// `type Name {` and `type Name = {`: a record. The next token is `type`.
pub(super) fn type_with_braces(p: &mut Parser<'_>) -> bool {
    let name = p.nth(1) == K::Uid || p.nth(1).can_be_name();
    let braces = p.nth(2) == K::LBrace || p.nth(2) == K::Eq && p.nth(3) == K::LBrace;
    if !name || !braces {
        return false;
    }
    let mut edits = vec![edit(p.range(0), "record")];
    if p.nth(2) == K::Eq {
        edits.push(edit(TextRange::new(p.range(2).start(), p.range(3).start()), ""));
    }
    let error = SyntaxError::new(
        Code::ForeignDeclaration,
        p.range(0),
        "fields are declared with `record`; `type` gives a name to another type",
    )
    .with_fix("replace `type` by `record`", edits);
    p.habit(error);
    true
}

/// `export graph`, `public record`, `async graph`: the word is consumed.
pub(super) fn export_word(p: &mut Parser<'_>) {
    loop {
        let declares = p.nth(1).is_keyword() || p.nth(1) == K::Lid;
        if !declares || p.on_new_line(1) {
            return;
        }
        match (p.raw(), p.text(0)) {
            (K::Lid, "export") | (K::PublicKw, _) => {
                p.replace_next(
                    Code::ForeignDeclaration,
                    "what others may use is marked with `pub`",
                    "pub",
                );
                p.bump_as(K::PubKw);
                p.clear_separator();
            }
            (K::PrivateKw, _) => {
                p.remove_next(Code::ForeignDeclaration, "whatever is not `pub` is private");
                p.bump_error();
            }
            (K::Lid, "async") => {
                p.remove_next(
                    Code::Async,
                    "there is no `async`: whatever is independent runs at the same time",
                );
                p.bump_error();
            }
            _ => return,
        }
    }
}

/// Words of other languages that start a declaration, and what is written here.
fn declaration_for(word: &str) -> Option<(K, Code, &'static str)> {
    Some(match word {
        "function" | "def" | "func" | "fun" | "proc" | "sub" => (
            K::GraphKw,
            Code::FunctionWord,
            "functions are declared with `graph`, or with `fn` if they are pure",
        ),
        "struct" | "class" | "interface" => {
            (K::RecordKw, Code::ForeignDeclaration, "records are declared with `record`")
        }
        "const" | "var" | "val" | "static" => {
            (K::LetKw, Code::Const, "constants are declared with `let`")
        }
        "import" | "include" | "require" | "using" => {
            (K::UseKw, Code::ForeignDeclaration, "modules are named with `use`")
        }
        "typedef" | "alias" | "newtype" => {
            (K::TypeKw, Code::ForeignDeclaration, "types get names with `type`")
        }
        "union" => (K::EnumKw, Code::ForeignDeclaration, "alternatives are declared with `enum`"),
        "workflow" | "pipeline" | "flow" => {
            (K::GraphKw, Code::FunctionWord, "workflows are declared with `graph`")
        }
        _ => return None,
    })
}

/// `def f(...)` and the like at the start of a declaration: the word is read as KAIT's own.
pub(super) fn declaration_word(p: &mut Parser<'_>) {
    if p.raw() != K::Lid || p.on_new_line(1) {
        return;
    }
    let named = p.nth(1).can_be_name() || p.nth(1) == K::Uid;
    let Some((kind, code, message)) = declaration_for(p.text(0)).filter(|_| named) else { return };
    let right = kind.fixed_text().unwrap_or_default();
    p.replace_next(code, message, right);
    p.read_as(kind);
}

/// Other things that stand at the top of a file elsewhere. True if it was consumed.
pub(super) fn foreign_declaration(p: &mut Parser<'_>, marker: Marker) -> bool {
    if p.raw() == K::FromKw && p.nth(1).can_be_name() {
        let error = SyntaxError::new(
            Code::ForeignDeclaration,
            p.range(0),
            "modules are named with `use`: `use a.b as c`",
        )
        .with_help("a foreign name shows its module: `module.name`");
        p.report(error);
        p.skip_to_line_end(false);
        p.finish_error(marker);
        return true;
    }
    if p.raw().can_be_name() && matches!(p.nth(1), K::Eq | K::ColonEq) && !p.on_new_line(1) {
        let range = p.range(0);
        let op = p.range(1);
        let error = SyntaxError::new(
            Code::ColonForEquals,
            range,
            "a constant is declared with `let name = value`",
        )
        .with_fix(
            "write it with `let`",
            vec![edit(TextRange::empty(range.start()), "let "), edit(op, "=")],
        );
        p.habit(error);
        let binder = p.start();
        p.bump_as(K::Lid);
        p.finish_node(binder, K::NamePat);
        p.bump_as(K::Eq);
        exprs::expect_expr(p, "a value");
        p.finish_node(marker, K::Let);
        return true;
    }
    false
}

/// The declaration word that was probably meant.
pub(super) fn similar_declaration_word(p: &Parser<'_>) -> Option<&'static str> {
    let word = p.text(0);
    if p.raw() != K::Lid || !(p.nth(1).can_be_name() || matches!(p.nth(1), K::Uid | K::StrStart)) {
        return None;
    }
    crate::keywords::texts(crate::keywords::DECLARATIONS)
        .find(|known| word.len() > 2 && one_edit_apart(word, known))
        .filter(|known| decls::is_declaration(crate::keywords::word_kind(known), p.nth(1)))
}

/// Whether one inserted, deleted, changed or swapped letter makes one word the other.
fn one_edit_apart(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(head..).unwrap_or_default(), b.get(head..).unwrap_or_default());
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    match (a, b) {
        ([x, y], [u, v]) => x == v && y == u,
        _ => a.len() <= 1 && b.len() <= 1,
    }
}

/// What a name that nothing introduces is in other languages: the code, what to write instead (none
/// if there is nothing) and one sentence. For whoever resolves names; see the module's text.
#[must_use]
pub fn foreign_name(name: &str) -> Option<(Code, Option<&'static str>, &'static str)> {
    Some(match name {
        "null" | "nil" | "undefined" | "None" | "Null" | "Nil" | "nothing" => {
            (Code::Null, Some("none"), "absence is written `none`")
        }
        "True" | "TRUE" => (Code::Null, Some("true"), "truth is written `true`"),
        "False" | "FALSE" => (Code::Null, Some("false"), "falsehood is written `false`"),
        "return" => (
            Code::Return,
            None,
            "there is no `return`: the last expression of a block is its value",
        ),
        "throw" | "raise" => (Code::Return, Some("fail"), "a failure is raised with `fail`"),
        "await" | "async" => (
            Code::Async,
            None,
            "there is no `async` and no `await`: whatever is independent runs at the same time",
        ),
        "break" | "continue" => (
            Code::While,
            None,
            "a `loop` ends a round with `done value` or `next(...)`; a `for` filters with `if`",
        ),
        "while" => {
            (Code::While, None, "there is no `while`: repetition is bounded, with `for` and `loop`")
        }
        "switch" => (Code::Switch, Some("match"), "cases are told apart with `match`"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
