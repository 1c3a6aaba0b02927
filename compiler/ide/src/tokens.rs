//! What each token is, for colouring that knows what names mean.

use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::{DefKind, LocalKind};
use kait_syntax::SyntaxKind;

use crate::analysis::span_of;
use crate::{Analysis, Symbol};

/// A token and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemanticToken {
    /// Its place; a text in three quotes goes over several lines.
    pub span: Span,
    /// What it is.
    pub kind: TokenKind,
    /// Whether it introduces the name.
    pub declares: bool,
    /// Whether it belongs to the standard library.
    pub is_std: bool,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the protocol's word for it")]
pub enum TokenKind {
    Comment,
    Keyword,
    String,
    Escape,
    Number,
    Operator,
    Namespace,
    Type,
    Enum,
    Struct,
    TypeParameter,
    EnumMember,
    Property,
    Parameter,
    Variable,
    Constant,
    Function,
    Model,
}

impl Analysis {
    /// The tokens of a file that have a meaning, in the order of the text; those that touch `within`, if it is given.
    #[must_use]
    pub fn semantic_tokens(&self, file: FileId, within: Option<Span>) -> Vec<SemanticToken> {
        let (Some(tree), Some(index)) = (self.tree(file), self.index(file)) else {
            return Vec::new();
        };
        let mut refs = index.iter().peekable();
        let mut out = Vec::new();
        for token in tree.tokens() {
            let span = span_of(file, token.range());
            if within.is_some_and(|within| span.end < within.start) {
                continue;
            }
            if within.is_some_and(|within| span.start > within.end) {
                break;
            }
            let kind = token.kind();
            while refs.next_if(|found| found.start < span.start).is_some() {}
            let found =
                refs.peek().filter(|found| found.start == span.start && found.end <= span.end);
            if let Some(found) = found
                && (kind.can_be_field_name() || kind == SyntaxKind::Uid)
            {
                let (kind, is_std) = self.token_kind(found.symbol);
                out.push(SemanticToken { span, kind, declares: found.declares, is_std });
                continue;
            }
            let Some(kind) = plain(token) else { continue };
            out.push(SemanticToken { span, kind, declares: false, is_std: false });
        }
        out
    }

    fn token_kind(&self, symbol: Symbol) -> (TokenKind, bool) {
        let owner = match symbol {
            Symbol::Def(def)
            | Symbol::Variant(def, _)
            | Symbol::Field(def, _)
            | Symbol::Payload(def, ..)
            | Symbol::Local(def, _)
            | Symbol::TypeParam(def, _) => self.def(def),
            Symbol::Module(module) => {
                let is_std = self.module(module).is_some_and(|module| module.is_std);
                return (TokenKind::Namespace, is_std);
            }
            Symbol::Builtin(_) => return (TokenKind::Function, true),
        };
        let is_std =
            owner.and_then(|def| self.module(def.module)).is_some_and(|module| module.is_std);
        let kind = match (symbol, owner.map(|def| &def.kind)) {
            (Symbol::Variant(..), _) => TokenKind::EnumMember,
            (Symbol::Field(..) | Symbol::Payload(..), _) => TokenKind::Property,
            (Symbol::TypeParam(..), _) => TokenKind::TypeParameter,
            (Symbol::Local(def, local), _) => {
                let local = self.body(def).and_then(|body| body.locals.get(local.index()));
                match local.map(|local| local.kind) {
                    Some(LocalKind::Param) => TokenKind::Parameter,
                    _ => TokenKind::Variable,
                }
            }
            (_, Some(DefKind::Record(_) | DefKind::Session(_))) => TokenKind::Struct,
            (_, Some(DefKind::Enum(_))) => TokenKind::Enum,
            (_, Some(DefKind::Alias(_))) => TokenKind::Type,
            (_, Some(DefKind::Callable(_) | DefKind::Test(_))) => TokenKind::Function,
            (_, Some(DefKind::Model { .. })) => TokenKind::Model,
            (_, Some(DefKind::Const { .. } | DefKind::Secret) | None) => TokenKind::Constant,
        };
        (kind, is_std)
    }
}

/// What a token is by itself.
fn plain(token: kait_syntax::SyntaxToken<'_>) -> Option<TokenKind> {
    let kind = token.kind();
    Some(match kind {
        _ if kind.is_comment() => TokenKind::Comment,
        SyntaxKind::StrStart | SyntaxKind::StrText | SyntaxKind::StrEnd => TokenKind::String,
        SyntaxKind::StrEscape | SyntaxKind::InterpStart | SyntaxKind::InterpEnd => {
            TokenKind::Escape
        }
        SyntaxKind::Number => TokenKind::Number,
        SyntaxKind::Lid if token.parent().kind() == SyntaxKind::Effect => TokenKind::Keyword,
        // What an effect is about: `net`, `payments.cards`.
        _ if is_resource(token) => TokenKind::Namespace,
        SyntaxKind::NoneKw if token.parent().kind() == SyntaxKind::NoneType => TokenKind::Type,
        _ if kind.is_keyword() => TokenKind::Keyword,
        // A primitive type is the only lower-case name in a type that stands for no declaration.
        SyntaxKind::Lid if is_in_type(token) => TokenKind::Type,
        // `retry:` and whatever else names an argument of nothing that is declared.
        SyntaxKind::Lid if token.parent().kind() == SyntaxKind::Arg => TokenKind::Property,
        SyntaxKind::BarGt
        | SyntaxKind::Arrow
        | SyntaxKind::FatArrow
        | SyntaxKind::Eq
        | SyntaxKind::EqEq
        | SyntaxKind::NotEq
        | SyntaxKind::Lt
        | SyntaxKind::Gt
        | SyntaxKind::LtEq
        | SyntaxKind::GtEq
        | SyntaxKind::Plus
        | SyntaxKind::Minus
        | SyntaxKind::Star
        | SyntaxKind::Slash
        | SyntaxKind::Percent
        | SyntaxKind::QuestionQuestion
        | SyntaxKind::Question
        | SyntaxKind::Bar
        | SyntaxKind::DotDot => TokenKind::Operator,
        _ => return None,
    })
}

fn is_resource(token: kait_syntax::SyntaxToken<'_>) -> bool {
    let parent = token.parent();
    parent.kind() == SyntaxKind::Path
        && token.kind().can_be_field_name()
        && parent.parent().is_some_and(|node| node.kind() == SyntaxKind::Effect)
}

fn is_in_type(token: kait_syntax::SyntaxToken<'_>) -> bool {
    let parent = token.parent();
    // The rest of a name that a letter broke off, which none has, is no type.
    if token.prev_token().is_some_and(|before| before.kind() == SyntaxKind::Unknown) {
        return false;
    }
    parent.kind() == SyntaxKind::NamedType
        || (parent.kind() == SyntaxKind::Path
            && parent.parent().is_some_and(|node| node.kind() == SyntaxKind::NamedType))
}

#[cfg(test)]
mod tests {
    use crate::testing::snapshot;

    #[test]
    fn semantic_tokens() {
        snapshot(
            "tokens",
            &[
                (
                    "every kind",
                    "//! File.\nmodel fast\n\n/// Docs.\nrecord R<T> {\n  a: T\n  b: int?\n}\n\nenum E {\n  A\n}\n\nlet limit = 3\n\nprompt p(words: text) -> text {\n  model fast with (temperature: 0.5)\n  user \"a\\n${words}\"\n}\n\ngraph g(e: E) -> text {\n  match e {\n    A => p(text.trim(\"x\")) with (retry: 1)\n  }\n}\n",
                ),
                (
                    "a session and a trigger",
                    "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Chat {\n  session.save(turns: session.turns + 1)\n  session.turns\n}\n\ntrigger noted on file.changed(\"notes\", glob: \"*.md\") as change: file.Change with (overlap: Queue) {\n  out.status(change.path)\n}\n",
                ),
                ("broken", "fn f(n: int -> int {\n  n +\n"),
                (
                    "a name with a letter that none has",
                    "fn f(n\u{e4}me: text) -> text {\n  \"a\"\n}\n",
                ),
                (
                    "effects and policies of headers",
                    "graph f(path: text) -> text does read file, write net \"a.b\", model with (overlap: Skip, time: 3s) {\n  file.read(path)\n}\n\nextern g(n: int) -> int does human with (rate: 3, per: 1m) from process \"a\"\n",
                ),
            ],
            |analysis, file, _| {
                let source = analysis.source(file).unwrap();
                analysis
                    .semantic_tokens(file, None)
                    .iter()
                    .map(|token| {
                        let text =
                            &source.text()[token.span.start as usize..token.span.end as usize];
                        let declares = if token.declares { " declares" } else { "" };
                        let is_std = if token.is_std { " std" } else { "" };
                        format!("{text:?} {:?}{declares}{is_std}\n", token.kind)
                    })
                    .collect()
            },
        );
    }

    #[test]
    fn a_part_of_a_file() {
        let case = crate::testing::case("fn f() -> int {\n  1\n}\n\nfn g() -> int {\n  2\n}\n");
        let analysis = crate::Analysis::new(&case.sources, &[&case.path]);
        let file = analysis.file(&case.path).unwrap();
        let within = kait_compiler::diagnostics::Span::new(file, 23, 39);
        let part = analysis.semantic_tokens(file, Some(within));
        let all = analysis.semantic_tokens(file, None);
        assert!(part.len() < all.len() && part.iter().all(|token| all.contains(token)));
        assert!(part.iter().all(|token| token.span.end >= 23 && token.span.start <= 39));
    }
}
