//! Habits in expressions: operators, texts, lambdas, arguments, choices and loops.

use text_size::{TextRange, TextSize};

use super::super::builder::Marker;
use super::super::grammar::{blocks, exprs};
use super::super::{Bracket, Context, Parser};
use super::{edit, word_before_operand};
use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

/// In the loop over operators: `=` in a condition, `not in`. True if something was parsed.
pub(in super::super) fn operator(p: &mut Parser<'_>, marker: Marker, least: u8) -> bool {
    match p.current() {
        K::Eq if p.in_condition && least <= 4 => {
            p.replace_next(Code::AssignInCondition, "compare with `==`, not with `=`", "==");
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
                "write `not` before the whole test: `not x in xs`",
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
pub(in super::super) fn foreign_operator(p: &mut Parser<'_>) {
    match p.raw() {
        K::AmpAmp => p.replace_next(Code::LogicOperator, "write `and` instead of `&&`", "and"),
        K::BarBar => p.replace_next(Code::LogicOperator, "write `or` instead of `||`", "or"),
        K::EqEqEq => p.replace_next(Code::Equality, "write `==` instead of `===`", "=="),
        _ => p.replace_next(Code::Equality, "write `!=` instead of `!==`", "!="),
    }
}

/// `!x`.
pub(in super::super) fn bang(p: &mut Parser<'_>) {
    let blank = if p.glued(1) { "not " } else { "not" };
    let range = p.range(0);
    let error = SyntaxError::new(Code::LogicOperator, range, "write `not` instead of `!`")
        .with_replacement("replace `!` by `not`", range, blank);
    p.habit(error.understood());
}

/// `x is not Pattern`: the `not` is consumed.
pub(in super::super) fn is_not(p: &mut Parser<'_>) {
    let error = SyntaxError::new(
        Code::LogicOperator,
        p.range(0),
        "write `not` before the whole test: `not x is Pattern`",
    );
    p.habit(error);
    p.bump_error();
}

/// `await f()`, `new Name()`, `f"text"` where a value is expected: true if the word was consumed and
/// the value follows.
pub(in super::super) fn prefixed_operand(p: &mut Parser<'_>) -> bool {
    let behind = p.nth(1);
    if matches!(behind, K::StrStart | K::SingleQuoted | K::BacktickQuoted) && p.glued(1) {
        let text = p.text(0);
        if text.len() <= 2 && (1..60).any(|ahead| p.nth(ahead) == K::StrEnd) {
            f_string(p);
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
                format!(
                    "KAIT needs no `{word}`: independent calls run at the same time by themselves"
                ),
            );
        }
        "new" if behind == K::Uid => {
            p.remove_next(Code::RecordLiteral, "leave out `new`: write `Name(field: value)`");
        }
        "return" => {
            p.remove_next(
                Code::Return,
                "KAIT has no `return`: the last line of a block is its value",
            );
        }
        "throw" | "raise" if super::values::thrown_error(p) => {
            p.doubt();
            return true;
        }
        "throw" | "raise" => {
            p.replace_next(Code::Return, "use `fail` to stop with a failure", "fail");
            p.doubt();
        }
        "lambda" => {
            let error = SyntaxError::new(Code::Lambda, p.range(0), "KAIT has no lambdas")
                .with_help(LAMBDA_HELP);
            p.report(error);
        }
        _ => return false,
    }
    p.bump_error();
    true
}

/// `f"hi {name}"`: the prefix goes, and what stands in braces becomes an interpolation.
fn f_string(p: &mut Parser<'_>) {
    let word = p.text(0);
    let range = p.range(0);
    let mut edits = vec![edit(range, "")];
    let formats = matches!(word, "f" | "F" | "fr" | "rf" | "t");
    if formats && p.nth(1) == K::StrStart {
        for ahead in (2..60).take_while(|&ahead| p.nth(ahead) != K::StrEnd) {
            if p.nth(ahead) == K::StrText {
                braces(p.range(ahead).start(), p.text(ahead), &mut edits);
            }
        }
    }
    let error = SyntaxError::new(
        Code::FString,
        range,
        format!("leave out `{word}`: `${{…}}` works in every text"),
    )
    .with_fix(format!("remove `{word}`"), edits);
    p.habit(error.understood());
}

/// The braces of a format text as interpolations: `{x}` gets its `$`, `{{` and `}}` become single.
fn braces(start: text_size::TextSize, text: &str, edits: &mut Vec<crate::errors::Edit>) {
    let place = |at: usize| start + text_size::TextSize::of(text.get(..at).unwrap_or_default());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if matches!(byte, b'{' | b'}') && bytes.get(at + 1) == Some(&byte) {
            edits.push(edit(TextRange::new(place(at), place(at + 1)), ""));
            at += 2;
            continue;
        }
        let closed = text.get(at..).is_some_and(|rest| rest.contains('}'));
        if byte == b'{' && closed && at.checked_sub(1).and_then(|at| bytes.get(at)) != Some(&b'$') {
            edits.push(edit(TextRange::empty(place(at)), "$"));
        }
        at += 1;
    }
}

const LAMBDA_HELP: &str = "use `for x in xs if condition { value }` to map and filter, `.field` to pick a field, `loop` to add up";

/// `|x| value` and `fn(x) ...` where a value is expected.
pub(in super::super) fn lambda(p: &mut Parser<'_>, marker: Marker) {
    let error =
        SyntaxError::new(Code::Lambda, p.range(0), "KAIT has no lambdas").with_help(LAMBDA_HELP);
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
pub(in super::super) fn lambda_body(p: &mut Parser<'_>) {
    if p.raw() != K::FatArrow && p.raw() != K::Arrow || !p.is_balanced() {
        return;
    }
    let error =
        SyntaxError::new(Code::Lambda, p.range(0), "KAIT has no lambdas").with_help(LAMBDA_HELP);
    let reported = p.errors.len();
    p.habit(error);
    let call = MappedList::before(p);
    let marker = p.start();
    p.bump();
    let start = p.range(0).start();
    let block = p.raw() == K::LBrace;
    if block {
        p.skip_one();
    } else if !p.on_new_line(0) {
        p.quietly(|p| exprs::expect_expr(p, "a value"));
    }
    p.finish_node(marker, K::Error);
    let body = TextRange::new(start, p.behind().start().max(start));
    if let Some(call) = call
        && let Some(fix) = call.fix(p, body, block)
        && let Some(error) = p.errors.get_mut(reported)
    {
        error.fix = Some(fix);
    }
}

/// `list.map(xs, x => value)`, `xs.filter(x => test)`: what a `for` says.
struct MappedList<'s> {
    /// Where the call begins.
    start: text_size::TextSize,
    list: &'s str,
    item: &'s str,
    filters: bool,
}

impl<'s> MappedList<'s> {
    /// The call around the `=>` that comes next, if its list is a plain or dotted name.
    fn before(p: &Parser<'s>) -> Option<Self> {
        let kind = |at: usize| p.lexed.significant.get(at).map(|token| token.kind);
        let is_name = |at: usize| kind(at).is_some_and(K::can_be_name);
        let item = p.pos.checked_sub(1).filter(|&at| is_name(at))?;
        // Where a name with the dots before it begins.
        let name_from = |last: usize| {
            let mut first = last;
            while first >= 2 && kind(first - 1) == Some(K::Dot) && is_name(first - 2) {
                first -= 2;
            }
            let sticks = first.checked_sub(1).and_then(kind);
            (is_name(last) && !matches!(sticks, Some(K::Dot | K::QuestionDot))).then_some(first)
        };
        let text = |from: usize, to: usize| {
            p.slice(TextRange::new(p.range_at(from).start(), p.range_at(to).end()))
        };
        let before = item.checked_sub(1)?;
        let (open, list) = match kind(before)? {
            K::LParen => (before, None),
            K::Comma => {
                let last = before.checked_sub(1)?;
                let first = name_from(last)?;
                (first.checked_sub(1)?, Some(text(first, last)))
            }
            _ => return None,
        };
        let function =
            open.checked_sub(1).filter(|&at| kind(open) == Some(K::LParen) && is_name(at))?;
        let filters = match text(function, function) {
            "map" => false,
            "filter" => true,
            _ => return None,
        };
        let base = function.checked_sub(2).filter(|_| kind(function - 1) == Some(K::Dot))?;
        let first = name_from(base)?;
        let owner = text(first, base);
        let list = match list {
            Some(list) if owner == "list" => list,
            None if owner != "list" => owner,
            _ => return None,
        };
        let start = p.range_at(first).start();
        Some(Self { start, list, item: text(item, item), filters })
    }

    /// The call as a `for`; the next token is what stands behind the body.
    fn fix(&self, p: &Parser<'_>, body: TextRange, block: bool) -> Option<crate::errors::Fix> {
        let goes_on = matches!(
            p.nth(1),
            K::Dot | K::QuestionDot | K::LParen | K::LBracket | K::WithKw | K::LBrace
        ) && !p.on_new_line(1);
        let continues = p.on_new_line(1) && matches!(p.nth(1), K::Dot | K::QuestionDot | K::WithKw);
        if p.raw() != K::RParen || goes_on || continues || block && self.filters {
            return None;
        }
        let (item, list, value) = (self.item, self.list, p.slice(body));
        if value.is_empty() {
            return None;
        }
        let text = match (self.filters, block) {
            (true, _) => format!("for {item} in {list} if {value} {{ {item} }}"),
            (false, true) => format!("for {item} in {list} {value}"),
            (false, false) => format!("for {item} in {list} {{ {value} }}"),
        };
        let range = TextRange::new(self.start, p.range(0).end());
        Some(crate::errors::Fix {
            title: "write it with `for`".into(),
            edits: vec![edit(range, text)],
            safe: true,
        })
    }
}

/// `'text'` and `` `text` `` where a text is expected.
pub(in super::super) fn quotes(p: &mut Parser<'_>) {
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
    let error = SyntaxError::new(Code::Quotes, range, "write a text in double quotes")
        .with_replacement("use double quotes", range, out);
    p.habit(error.understood());
}

/// `{ ... }` where a value is expected: a map, or a block.
pub(in super::super) fn braces_as_value(p: &mut Parser<'_>, marker: Marker) {
    let range = p.range(0);
    let keyed = matches!(p.nth(1), K::StrStart | K::SingleQuoted) || p.nth(2) == K::Colon;
    let mut error = SyntaxError::new(Code::RecordLiteral, range, "a value cannot begin with `{`");
    if keyed || p.nth(1) == K::RBrace {
        error = error.with_help("write a map as `[key: value]`, a record as `Name(field: value)`");
        if let Some(end) = p.matching_brace()
            && matches!(p.nth(1), K::StrStart | K::RBrace)
        {
            let open = if p.nth(1) == K::RBrace { "[:" } else { "[" };
            error = error
                .with_fix("write it as a map", vec![edit(range, open), edit(p.range_at(end), "]")]);
        }
    } else {
        error = error.with_help("use a block only after `if`, `else`, `for`, `=>` and the like");
    }
    p.habit(error);
    p.skip_one();
    p.finish_node(marker, K::Error);
}

/// `a < b < c`; the next token is the second operator, and `middle` is where `b` starts.
pub(in super::super) fn chained_comparison(p: &mut Parser<'_>, middle: TextSize) {
    let between = TextRange::new(middle, p.behind().start().max(middle));
    let mut error =
        SyntaxError::new(Code::ChainedComparison, p.range(0), "comparisons cannot be chained")
            .with_help("write `a < b and b < c`");
    let text = p.slice(between);
    // A call would be made twice.
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    if !text.is_empty() && text.chars().all(is_plain) {
        let insert = format!("and {text} ");
        let place = TextRange::empty(p.range(0).start());
        error = error.with_replacement("compare twice", place, insert);
    }
    p.habit(error);
}

/// `f(name = value)`; the next token is the `=`, behind the name.
pub(in super::super) fn named_with_equals(p: &mut Parser<'_>) {
    let gap = TextRange::new(p.behind().start(), p.range(1).start());
    let error = SyntaxError::new(
        Code::NamedArgument,
        p.range(0),
        "name an argument with `:`, not with `=`",
    )
    .with_replacement("replace `=` by `:`", gap, ": ");
    p.habit(error.understood());
}

/// `Name(field = pattern)`; the next token is the `=`.
pub(in super::super) fn pattern_equals(p: &mut Parser<'_>) {
    named_with_equals(p);
}

/// `c ? a : b` behind a condition, in the place of a value.
pub(in super::super) fn ternary(p: &mut Parser<'_>, marker: Marker) {
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
    let mut error = SyntaxError::new(
        Code::Ternary,
        question,
        "write `if c { a } else { b }` instead of `c ? a : b`",
    );
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
pub(in super::super) fn spread(p: &mut Parser<'_>) {
    p.replace_next(Code::Spread, "write `..` instead of `...`", "..");
}

/// `(a, b)`; the next token is the first comma.
pub(in super::super) fn tuple(p: &mut Parser<'_>, open: usize) {
    // `(a, b) => a + b`: the parameters of a lambda. `open` is the place of the `(`, behind us.
    let close = (0..40).find(|&at| matches!(p.nth(at), K::RParen | K::LParen | K::Eof));
    if close.is_some_and(|at| p.nth(at) == K::RParen && p.nth(at + 1) == K::FatArrow) {
        let error = SyntaxError::new(Code::Lambda, p.range_at(open), "KAIT has no lambdas")
            .with_help(LAMBDA_HELP);
        p.report(error);
        return;
    }
    let error = SyntaxError::new(Code::Unexpected, p.range(0), "KAIT has no tuples").with_help(
        "write a list as `[a, b]`, two values of different types as `Pair(first: a, second: b)`",
    );
    p.report(error);
}

/// `if c then a`: the `then` is consumed.
pub(in super::super) fn then_word(p: &mut Parser<'_>) {
    if p.current() == K::ThenKw {
        let error = p.expected_error("`{`").with_help("write `if c { a } else { b }`");
        p.report(error);
        p.bump_error();
        if p.current() != K::LBrace {
            p.quietly(|p| exprs::expect_expr(p, "a value"));
        }
    }
}

/// `elif c { }` behind the block of an `if`: read as `else if`.
pub(in super::super) fn elif(p: &mut Parser<'_>) {
    if p.raw() != K::Lid || !matches!(p.text(0), "elif" | "elsif" | "elseif") {
        return;
    }
    if p.on_new_line(0) && p.nth(1) == K::LParen || matches!(p.nth(1), K::Eq | K::Dot | K::Comma) {
        return;
    }
    let message = format!("write `else if` instead of `{}`", p.text(0));
    p.replace_next(Code::Elif, message, "else if");
    p.doubt();
    p.clear_separator();
    p.bump_error();
    let inner = p.start();
    if p.enter() {
        let around = std::mem::replace(&mut p.in_condition, true);
        exprs::expect_expr(p, "a condition");
        p.in_condition = around;
        blocks::block(p, "the block to run");
        elif(p);
        p.leave();
    }
    p.finish_node(inner, K::Error);
}

/// `for (x in xs)`: opens the parenthesis.
pub(in super::super) fn for_parens(p: &mut Parser<'_>) -> Option<Bracket> {
    let declares = p.nth(1) == K::LetKw || p.nth(1) == K::Lid && p.nth(2).can_be_name();
    let loops = p.nth(2) == K::InKw || p.nth(2) == K::Lid || declares;
    if !p.at(K::LParen) || !loops {
        return None;
    }
    let open = p.range(0);
    let error =
        SyntaxError::new(Code::Unexpected, open, "leave out the parentheses: `for x in xs { … }`");
    p.habit(error);
    let bracket = p.open(Context::Inside);
    if p.raw() == K::LetKw || p.raw() == K::Lid && matches!(p.text(0), "const" | "var") {
        p.bump_error();
    }
    Some(bracket)
}

/// `if` on the line below the header of a `for`: read as its condition. True if it comes next.
pub(in super::super) fn for_if_below(p: &mut Parser<'_>) -> bool {
    if p.current() != K::Separator || p.raw() != K::IfKw {
        return false;
    }
    let (range, gap) = (p.range(0), TextRange::new(p.behind().start(), p.range(0).start()));
    let mut error =
        SyntaxError::new(Code::BraceOnNextLine, range, "put the `if` of a `for` on the line above")
            .with_help(
                "if it belongs to the body, put the body in braces: `for x in xs { if c { } }`",
            );
    if p.slice(gap).trim().is_empty() {
        error = error.with_replacement("move `if` up", gap, " ");
    }
    p.habit(error);
    p.clear_separator();
    true
}

/// `for x of xs`.
pub(in super::super) fn for_of(p: &mut Parser<'_>) -> bool {
    if p.current() == K::Lid && matches!(p.text(0), "of" | "from") || p.current() == K::Colon {
        let message = format!("write `in` instead of `{}`: `for x in xs`", p.text(0));
        p.replace_next(Code::Unexpected, message, "in");
        p.bump_as(K::InKw);
        return true;
    }
    false
}
