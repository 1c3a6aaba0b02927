//! Names: what a name may be where one is introduced, and what is done about one in the wrong case or a reserved word.

use rustc_hash::{FxHashMap, FxHashSet};
use text_size::TextRange;

use super::Parser;
use crate::codes::Code;
use crate::errors::Edit;
use crate::lexer::Significant;
use crate::{SyntaxError, SyntaxKind};

impl<'s> Parser<'s> {
    /// Consumes a lower-case name that is introduced here.
    pub(super) fn expect_lower_name(&mut self, what: &str) -> bool {
        let next = if self.next_declares() { SyntaxKind::Separator } else { self.current() };
        if next.can_be_name() {
            self.introduce();
            self.bump_as(SyntaxKind::Lid);
            return true;
        }
        if next == SyntaxKind::Uid {
            let name = self.text(0);
            let right = self.free_name(crate::lexer::snake(name), "_");
            let message = format!("{what} is named in snake_case: `{right}`, not `{name}`");
            self.rename(Code::LowerCase, message, &right);
            self.bump_as(SyntaxKind::Lid);
            return true;
        }
        if next.is_reserved_word() && self.follows_name(next) {
            self.reserved_name(what);
            return true;
        }
        self.expected(&format!("the name of {what}"));
        false
    }

    /// Consumes a reserved word in the place of a name. Where the word stands for this name later in the declaration, it
    /// is read as the name, too, and renamed by the same fix: see [`Self::at_renamed_word`].
    pub(super) fn reserved_name(&mut self, what: &str) {
        let name = self.text(0);
        let message = format!("`{name}` is a reserved word and cannot name {what}");
        let range = self.range(0);
        let right = self.free_name(format!("{name}_"), "");
        let error = SyntaxError::new(Code::ReservedWord, range, message)
            .with_replacement(format!("rename it to `{right}`"), range, right)
            .understood();
        let before = self.errors.len();
        self.habit(error);
        if self.errors.len() > before {
            self.reserved.push((self.raw(), before));
        }
        self.bump_as(SyntaxKind::Lid);
        self.restore_separator();
    }

    /// Whether the next token is a reserved word that was bound in this declaration and stands for that name here: the
    /// form that it begins elsewhere cannot follow.
    pub(super) fn at_renamed_word(&self) -> bool {
        use SyntaxKind as K;
        let word = self.raw();
        if !self.reserved.iter().any(|&(bound, _)| bound == word) {
            return false;
        }
        let infix = matches!(
            word,
            K::InKw | K::AndKw | K::OrKw | K::IsKw | K::WithKw | K::CatchKw | K::UndoKw | K::ElseKw
        );
        let behind = self.nth(1);
        infix
            || self.on_new_line(1)
            || behind.is_reserved_word()
                && matches!(
                    behind,
                    K::InKw
                        | K::AndKw
                        | K::OrKw
                        | K::IsKw
                        | K::WithKw
                        | K::CatchKw
                        | K::UndoKw
                        | K::ElseKw
                )
            || matches!(
                behind,
                K::Plus
                    | K::Minus
                    | K::Star
                    | K::Slash
                    | K::Percent
                    | K::EqEq
                    | K::NotEq
                    | K::Lt
                    | K::Gt
                    | K::LtEq
                    | K::GtEq
                    | K::QuestionQuestion
                    | K::BarGt
                    | K::Dot
                    | K::QuestionDot
                    | K::Comma
                    | K::RParen
                    | K::RBracket
                    | K::RBrace
                    | K::InterpEnd
                    | K::Eof
            )
    }

    /// Consumes a word that stands for a renamed name.
    pub(super) fn bump_renamed_word(&mut self) {
        let (word, range) = (self.raw(), self.range(0));
        let bound = self.reserved.iter().rev().find(|&&(bound, _)| bound == word);
        if let Some(fix) = bound
            .and_then(|&(_, error)| self.errors.get_mut(error))
            .filter(|error| error.code == Code::ReservedWord)
            .and_then(|error| error.fix.as_mut())
            && let Some(text) = fix.edits.first().map(|edit| edit.text.clone())
        {
            fix.edits.push(Edit { range, text });
        }
        self.bump_as(SyntaxKind::Lid);
        self.restore_separator();
    }

    /// Behind a reserved word that is read as a name: a newline ends the statement as behind every name.
    fn restore_separator(&mut self) {
        if self.on_new_line(0)
            && !crate::lexer::continues(self.raw())
            && let Some(token) = self.lexed.significant.get_mut(self.pos)
        {
            token.flags |= Significant::SEPARATOR;
        }
        self.look();
    }

    /// Remembers that the next token introduces a name, if its case is wrong.
    pub(super) fn introduce(&mut self) {
        if self.lexed.has_mixed_names {
            let name = self.text(0);
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                self.introduced.insert(name);
            }
        }
    }

    /// A name that the file does not have yet: this one, or with a number.
    fn free_name(&self, right: String, joint: &str) -> String {
        let is_free = |name: &str| {
            !crate::keywords::word_kind(name).is_reserved_word()
                && !self.names.get_or_init(|| self.all_names()).contains(name)
        };
        if is_free(&right) {
            return right;
        }
        (2..10)
            .map(|number| format!("{right}{joint}{number}"))
            .find(|name| is_free(name))
            .unwrap_or(right)
    }

    /// The names that stand anywhere in the text but behind a dot.
    fn all_names(&self) -> FxHashSet<&'s str> {
        let mut behind_dot = false;
        let mut names = FxHashSet::default();
        for (at, token) in self.lexed.significant.iter().enumerate() {
            let is_name = matches!(token.kind, SyntaxKind::Lid | SyntaxKind::Uid)
                || token.kind.is_contextual_word();
            if is_name && !behind_dot {
                names.insert(self.slice(self.range_at(at)));
            }
            behind_dot = token.kind == SyntaxKind::Dot;
        }
        names
    }

    /// What the fixes of names in the wrong case have to keep: names that exist already stay apart, and a field keeps its
    /// name on the wire.
    pub(super) fn careful_renames(&self, errors: &mut [SyntaxError]) {
        let mut chosen: FxHashMap<String, &str> = FxHashMap::default();
        for error in errors {
            if !matches!(error.code, Code::LowerCase | Code::UpperCase) {
                continue;
            }
            let name = self.slice(error.range);
            let Some(fix) = &mut error.fix else { continue };
            let Some(right) = fix.edits.first().map(|edit| edit.text.clone()) else { continue };
            let lower = error.code == Code::LowerCase;
            if self.introduced.contains(name) {
                let joint = if lower { "_" } else { "" };
                let mut free = self.free_name(right.clone(), joint);
                let taken = |free: &str| chosen.get(free).is_some_and(|of| *of != name);
                let mut number = 2;
                while taken(&free) && number < 10 {
                    free = self.free_name(format!("{right}{joint}{number}"), joint);
                    number += 1;
                }
                if free != right {
                    fix.title = format!("rename it to `{free}`");
                    for edit in &mut fix.edits {
                        edit.text.clone_from(&free);
                    }
                }
                chosen.entry(free).or_insert(name);
            }
            if lower {
                for &behind in self.wire_names.get(name).into_iter().flatten() {
                    let text = format!(" as \"{name}\"");
                    fix.edits.push(Edit { range: TextRange::empty(behind), text });
                }
                fix.edits.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
            }
        }
    }

    /// Consumes an upper-case name that is introduced here.
    pub(super) fn expect_upper_name(&mut self, what: &str) -> bool {
        let next = if self.next_declares() { SyntaxKind::Separator } else { self.current() };
        if next == SyntaxKind::Uid {
            self.bump();
            return true;
        }
        if next.can_be_name() {
            let name = self.text(0);
            let right = self.free_name(crate::lexer::upper_camel(name), "");
            let message = format!("{what} is named in UpperCamelCase: `{right}`, not `{name}`");
            self.rename(Code::UpperCase, message, &right);
            self.bump_as(SyntaxKind::Uid);
            return true;
        }
        self.expected(&format!("the name of {what}"));
        false
    }

    /// Whether the next token starts a declaration on a line of its own: then it is no name.
    fn next_declares(&self) -> bool {
        if self.pos == 0 || !self.on_new_line(0) || !self.declares_at(self.pos) {
            return false;
        }
        // A word may be the name, even there: what stands behind the second word decides.
        use SyntaxKind as K;
        let behind = self.nth(2);
        match self.raw() {
            K::RecordKw | K::EnumKw | K::SessionKw => matches!(behind, K::LBrace | K::Lt),
            K::TypeKw => matches!(behind, K::Eq | K::Lt),
            K::PromptKw | K::AgentKw | K::ExternKw => matches!(behind, K::LParen | K::Lt),
            K::TriggerKw => behind == K::OnKw,
            // `trigger`, and on the next line `secret on ...`: the trigger is called secret.
            K::UseKw | K::ModelKw | K::SecretKw if matches!(self.nth(1), K::OnKw | K::NeedsKw) => {
                false
            }
            K::UseKw | K::ModelKw | K::SecretKw => {
                self.on_new_line(2) || matches!(behind, K::Dot | K::AsKw | K::NeedsKw)
            }
            _ => true,
        }
    }

    /// Whether the token behind the next one is what stands behind a new name.
    pub(super) fn follows_name(&self, word: SyntaxKind) -> bool {
        use SyntaxKind as K;
        let clause = matches!(
            word,
            K::WithKw | K::InKw | K::IfKw | K::NextKw | K::IsKw | K::OrKw | K::AndKw
        );
        if self.nth(1) == K::LParen {
            return !clause;
        }
        matches!(
            self.nth(1),
            SyntaxKind::Eq
                | SyntaxKind::Colon
                | SyntaxKind::RParen
                | SyntaxKind::Comma
                | SyntaxKind::InKw
                | SyntaxKind::FatArrow
        )
    }

    /// Reports a name in the wrong case; the fix renames it wherever the file has it.
    fn rename(&mut self, code: Code, message: String, right: &str) {
        if self.recovering || self.muted || !self.has_room() {
            return;
        }
        let name = self.text(0);
        // Each of these looks at the whole file; the first few do.
        self.renames += 1;
        let places = if self.renames <= 20 {
            0..self.lexed.significant.len()
        } else {
            self.pos..self.pos + 1
        };
        let edits = places
            .filter(|&at| {
                self.lexed.significant.get(at).is_some_and(|token| {
                    matches!(token.kind, SyntaxKind::Lid | SyntaxKind::Uid)
                        || token.kind.is_contextual_word() && at == self.pos
                })
            })
            .map(|at| self.range_at(at))
            .filter(|&range| self.slice(range) == name)
            .map(|range| Edit { range, text: right.to_owned() })
            .collect();
        let error = SyntaxError::new(code, self.range(0), message)
            .with_fix(format!("rename it to `{right}`"), edits);
        // The lexer, which does not know what is named, may have said something else.
        self.lexed.errors.retain(|error| {
            !matches!(error.code, Code::LowerCase | Code::UpperCase)
                || self.text.get(std::ops::Range::<usize>::from(error.range)) != Some(name)
        });
        self.habit(error);
    }
}
