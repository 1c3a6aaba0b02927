//! The words of the language as tables, for whoever must agree with the parser: the reference
//! grammar's tests, the editors' grammars, completion.
//!
//! The tables are derived from [`SyntaxKind`]; nothing here decides how a word is used.

use crate::SyntaxKind::{self, *};

/// Words that can never name a let, parameter or binder.
pub const RESERVED: &[SyntaxKind] = &[
    LetKw, IfKw, ElseKw, MatchKw, ForKw, InKw, LoopKw, RaceKw, TryKw, CatchKw, UndoKw, FailKw,
    DoneKw, NextKw, WithKw, AndKw, OrKw, NotKw, IsKw, TrueKw, FalseKw, NoneKw, FnKw, GraphKw,
];

/// Words that mean something special only in their place.
pub const CONTEXTUAL: &[SyntaxKind] = &[
    UseKw,
    PubKw,
    RecordKw,
    EnumKw,
    TypeKw,
    ModelKw,
    PromptKw,
    AgentKw,
    ExternKw,
    SessionKw,
    TriggerKw,
    TestKw,
    NeedsKw,
    FromKw,
    OnKw,
    AsKw,
    DoesKw,
    WhereKw,
    MaxKw,
    ParallelKw,
    ThenKw,
    AfterKw,
    StubKw,
    ApproveKw,
    ExpectKw,
    ToolsKw,
    StreamKw,
    SystemKw,
    UserKw,
    AssistantKw,
    MessagesKw,
    SecretKw,
    TrustedKw,
    UntrustedKw,
    PublicKw,
    PrivateKw,
];

/// Qualifiers of types.
pub const QUALIFIERS: &[SyntaxKind] = &[SecretKw, TrustedKw, UntrustedKw, PublicKw, PrivateKw];

/// First words of a prompt item that carries a message.
pub const ROLES: &[SyntaxKind] = &[SystemKw, UserKw, AssistantKw, MessagesKw];

/// Words that begin a declaration (`pub` stands before one).
pub const DECLARATIONS: &[SyntaxKind] = &[
    UseKw, LetKw, RecordKw, EnumKw, TypeKw, ModelKw, SecretKw, FnKw, GraphKw, PromptKw, AgentKw,
    ExternKw, SessionKw, TriggerKw, TestKw,
];

/// Words that begin a clause and continue the line above when their clause is unfinished (§3).
pub const CLAUSES: &[SyntaxKind] =
    &[DoesKw, NeedsKw, FromKw, AsKw, MaxKw, ParallelKw, OnKw, ThenKw, AfterKw, WhereKw];

/// Tokens before which a newline never ends a statement (§3).
pub const CONTINUATIONS: &[SyntaxKind] = &[
    BarGt,
    Minus,
    Plus,
    Star,
    Slash,
    Percent,
    Dot,
    QuestionDot,
    Comma,
    RParen,
    RBracket,
    RBrace,
    WithKw,
    CatchKw,
    UndoKw,
    ElseKw,
    Arrow,
    FatArrow,
    AndKw,
    OrKw,
    InKw,
    IsKw,
    EqEq,
    NotEq,
    Lt,
    Gt,
    LtEq,
    GtEq,
    QuestionQuestion,
    Eq,
    Bar,
];

/// Units of durations.
pub const DURATION_UNITS: &[&str] = &["ms", "s", "m", "h", "d"];

/// Units of sizes.
pub const SIZE_UNITS: &[&str] = &["kb", "mb", "gb"];

/// The texts of a table of words.
pub fn texts(table: &[SyntaxKind]) -> impl Iterator<Item = &'static str> + '_ {
    table.iter().filter_map(|kind| kind.fixed_text())
}

/// The kind of a lower-case word: its keyword, else [`SyntaxKind::Lid`].
#[must_use]
pub fn word_kind(text: &str) -> SyntaxKind {
    RESERVED
        .iter()
        .chain(CONTEXTUAL)
        .copied()
        .find(|kind| kind.fixed_text() == Some(text))
        .unwrap_or(Lid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_complete() {
        for &kind in SyntaxKind::ALL {
            assert_eq!(RESERVED.contains(&kind), kind.is_reserved_word(), "{kind:?}");
            assert_eq!(CONTEXTUAL.contains(&kind), kind.is_contextual_word(), "{kind:?}");
            assert_eq!(QUALIFIERS.contains(&kind), kind.is_qualifier(), "{kind:?}");
            assert_eq!(ROLES.contains(&kind), kind.is_role(), "{kind:?}");
        }
        assert_eq!(word_kind("graph"), GraphKw);
        assert_eq!(word_kind("graphs"), Lid);
        assert_eq!(texts(QUALIFIERS).next(), Some("secret"));
    }
}
