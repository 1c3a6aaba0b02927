//! Habits in declarations: their words, types, fields, and the items of prompts.

use text_size::TextRange;

use super::super::Parser;
use super::super::builder::Marker;
use super::super::grammar::{decls, exprs};
use super::edit;
use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

/// `=>` or `:` in the place of a result's `->`.
pub(in super::super) fn result_arrow(p: &mut Parser<'_>) {
    let blank = if p.glued(0) { " ->" } else { "->" };
    let range = p.range(0);
    let text = p.text(0);
    let error = SyntaxError::new(
        Code::ArrowKind,
        range,
        format!("write `->` instead of `{text}` before the type of the result"),
    )
    .with_replacement("replace it by `->`", range, blank);
    // A `:` may also stand where the parameters were closed too early.
    let sure = p.raw() == K::FatArrow;
    p.habit(if sure { error.understood() } else { error });
}

/// `system: "..."` in a prompt: the colon is consumed.
pub(in super::super) fn colon_after_word(p: &mut Parser<'_>) {
    if matches!(p.raw(), K::Colon | K::Eq) {
        let range = p.range(0);
        let text = p.text(0);
        let error = SyntaxError::new(
            Code::ColonForEquals,
            range,
            format!("leave out `{text}`: `user \"…\"`"),
        )
        .with_replacement(
            format!("remove `{text}`"),
            range,
            if p.glued(1) { " " } else { "" },
        );
        p.habit(error.understood());
        p.bump_error();
        p.clear_separator();
    }
}

/// `T[]`; the next token is the `[`.
pub(in super::super) fn array_type(p: &mut Parser<'_>) {
    let range = TextRange::new(p.range(0).start(), p.range(1).end());
    let start = p.type_start();
    let item = start.map(|start| p.slice(TextRange::new(start, p.behind().end())));
    let message = format!("write `[{}]` for a list", item.unwrap_or("T"));
    let error = SyntaxError::new(Code::TypeForm, range, message);
    let error = match start {
        Some(start) => error.with_fix(
            "write it as `[T]`",
            vec![edit(TextRange::empty(start), "["), edit(range, "]")],
        ),
        None => error,
    };
    p.habit(error.understood());
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
pub(in super::super) fn optional_name(p: &mut Parser<'_>) {
    let error =
        SyntaxError::new(Code::TypeForm, p.range(0), "write the `?` after the type: `name: T?`");
    p.habit(error.understood());
}

pub(super) const PRIMITIVES: &[&str] = &[
    "text", "int", "float", "bool", "bytes", "json", "time", "duration", "money", "size", "image",
    "audio", "file", "string", "str", "number",
];

/// `text name` in the place of `name: text`: true if it was parsed.
pub(in super::super) fn type_before_name(p: &mut Parser<'_>) -> bool {
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
        SyntaxError::new(Code::ParameterType, range, "write the name before its type, with a `:`")
            .with_replacement(format!("write `{right}`"), range, right);
    p.habit(error.understood());
    let marker = p.start();
    let path = p.start();
    p.bump();
    p.finish_node(path, K::Path);
    p.finish_node(marker, K::NamedType);
    p.bump_as(K::Lid);
    true
}

/// `record Name = {`: the `=` is consumed.
pub(in super::super) fn equals_before_brace(p: &mut Parser<'_>, reported: bool) {
    if matches!(p.current(), K::Eq | K::Colon) && p.nth(1) == K::LBrace {
        if reported {
            p.bump_error();
            return;
        }
        let message = format!("leave out `{}` before `{{`", p.text(0));
        p.remove_next(Code::ForeignDeclaration, message);
        p.bump_error();
    }
}

/// `type Name {` and `type Name = {`: a record. The next token is `type`.
pub(in super::super) fn type_with_braces(p: &mut Parser<'_>) -> bool {
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
        "write `record` instead of `type` for a type with fields",
    )
    .with_fix("replace `type` by `record`", edits);
    p.habit(error.understood());
    true
}

/// `export graph`, `public record`, `async graph`: the word is consumed.
pub(in super::super) fn export_word(p: &mut Parser<'_>) {
    loop {
        let declares = p.nth(1).is_keyword() || p.nth(1) == K::Lid;
        if !declares || p.on_new_line(1) {
            return;
        }
        match (p.raw(), p.text(0)) {
            (K::Lid, "export") | (K::PublicKw, _) => {
                let message = format!("write `pub` instead of `{}`", p.text(0));
                p.replace_next(Code::ForeignDeclaration, message, "pub");
                p.bump_as(K::PubKw);
                p.clear_separator();
            }
            (K::PrivateKw, _) => {
                p.remove_next(
                    Code::ForeignDeclaration,
                    "leave out `private`: whatever is not `pub` is private",
                );
                p.bump_error();
            }
            (K::Lid, "async") => {
                p.remove_next(
                    Code::Async,
                    "KAIT needs no `async`: independent calls run at the same time by themselves",
                );
                p.bump_error();
            }
            _ => return,
        }
    }
}

/// Words of other languages that start a declaration, and what is written here.
fn declaration_for(word: &str) -> Option<(K, Code)> {
    Some(match word {
        "function" | "def" | "func" | "fun" | "proc" | "sub" | "workflow" | "pipeline" | "flow" => {
            (K::GraphKw, Code::FunctionWord)
        }
        "struct" | "class" | "interface" => (K::RecordKw, Code::ForeignDeclaration),
        "const" | "var" | "val" | "static" => (K::LetKw, Code::Const),
        "import" | "include" | "require" | "using" => (K::UseKw, Code::ForeignDeclaration),
        "typedef" | "alias" | "newtype" => (K::TypeKw, Code::ForeignDeclaration),
        "union" => (K::EnumKw, Code::ForeignDeclaration),
        _ => return None,
    })
}

/// `def f(...)` and the like at the start of a declaration: the word is read as KAIT's own.
pub(in super::super) fn declaration_word(p: &mut Parser<'_>) {
    if p.raw() != K::Lid || p.on_new_line(1) {
        return;
    }
    let named = p.nth(1).can_be_name() || p.nth(1) == K::Uid;
    let word = p.text(0);
    let Some((kind, code)) = declaration_for(word).filter(|_| named) else { return };
    let right = kind.fixed_text().unwrap_or_default();
    let mut message = format!("write `{right}` instead of `{word}`");
    if kind == K::GraphKw {
        message.push_str(", or `fn` for a function that only computes");
    }
    p.replace_next(code, message, right);
    p.read_as(kind);
}

/// Other things that stand at the top of a file elsewhere. True if it was consumed.
pub(in super::super) fn foreign_declaration(p: &mut Parser<'_>, marker: Marker) -> bool {
    if p.raw() == K::FromKw && p.nth(1).can_be_name() {
        let error = SyntaxError::new(
            Code::ForeignDeclaration,
            p.range(0),
            "write `use` instead of `from`: `use a.b as c`",
        )
        .with_help("write its names with the module in front: `module.name`");
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
            "a constant needs `let`: `let name = value`",
        )
        .with_fix(
            "write it with `let`",
            vec![edit(TextRange::empty(range.start()), "let "), edit(op, "=")],
        );
        p.habit(error.understood());
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
pub(in super::super) fn similar_declaration_word(p: &Parser<'_>) -> Option<&'static str> {
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
