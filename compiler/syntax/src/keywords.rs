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
#[inline]
#[must_use]
pub fn word_kind(text: &str) -> SyntaxKind {
    let kind = WORDS.get(slot(text.as_bytes())).copied().unwrap_or(Lid);
    if kind.fixed_text() == Some(text) { kind } else { Lid }
}

/// Every word in a slot of its own: a perfect hash, so that one comparison tells whether a name is a
/// word.
static WORDS: [SyntaxKind; 256] = {
    let mut words = [Lid; 256];
    let mut tables: &[&[SyntaxKind]] = &[RESERVED, CONTEXTUAL];
    while let [table, tables_left @ ..] = tables {
        let mut kinds: &[SyntaxKind] = table;
        while let [kind, kinds_left @ ..] = kinds {
            if let Some(text) = kind.fixed_text() {
                let word = &mut words[slot(text.as_bytes())];
                assert!(matches!(word, Lid), "two words share a slot: change the factors");
                *word = *kind;
            }
            kinds = kinds_left;
        }
        tables = tables_left;
    }
    words
};

/// The factors were found by trying until no two words shared a slot; the compiler checks that.
#[inline]
const fn slot(word: &[u8]) -> usize {
    match word {
        [first, second, .., last] | [first, second @ last] => {
            (*first as usize + 7 * *second as usize + 12 * *last as usize + word.len()) % 256
        }
        _ => 0,
    }
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
        for &kind in RESERVED.iter().chain(CONTEXTUAL) {
            assert_eq!(kind.fixed_text().map(word_kind), Some(kind));
        }
        for name in ["graphs", "grap", "g", "", "gräph"] {
            assert_eq!(word_kind(name), Lid, "{name}");
        }
        assert_eq!(texts(QUALIFIERS).next(), Some("secret"));
    }
}
