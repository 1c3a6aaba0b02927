//! Reporting mistakes, and finding the way back from them.

use text_size::TextRange;

use super::{Bracket, Context, Parser};
use crate::codes::Code;
use crate::lexer::Significant;
use crate::limits::MAX_DEPTH;
use crate::{SyntaxError, SyntaxKind};

/// How far the other end of a line is looked for, in bytes, so that long lines cost no more.
pub(super) const FAR: u32 = 4_000;

impl Parser<'_> {
    // ---- reporting ----

    /// Reports a mistake after which the parser has to find its feet. Dropped if it only follows
    /// from one that was reported.
    pub(super) fn report(&mut self, error: SyntaxError) {
        self.damaged = true;
        let follows = self.recovering
            || self.muted
            || self.on_line_of_last_error(error.range)
            || self.token(0).is_some_and(|token| token.has(Significant::AFTER_UNKNOWN));
        self.recovering = true;
        if follows {
            self.suppressed.get_or_insert(error);
        } else if self.has_room() {
            self.errors.push(error);
        }
        // Where brackets do not pair up, what follows is read in the wrong place: one mistake is
        // all that can be said about such a declaration.
        self.muted |= !self.is_balanced();
    }

    /// Whether the brackets of the current declaration pair up and its texts are closed.
    pub(super) fn is_balanced(&mut self) -> bool {
        if let Some(balanced) = self.balanced {
            return balanced;
        }
        let balanced = self.compute_balanced();
        self.balanced = Some(balanced);
        balanced
    }

    fn compute_balanced(&self) -> bool {
        let mut open = Vec::new();
        let limit = self.decl_limit();
        for token in self.lexed.significant.get(self.decl_start..limit).unwrap_or_default() {
            match token.kind {
                SyntaxKind::LParen
                | SyntaxKind::LBracket
                | SyntaxKind::LBrace
                | SyntaxKind::InterpStart => open.push(token.kind.closing()),
                SyntaxKind::StrStart => open.push(Some(SyntaxKind::StrEnd)),
                SyntaxKind::RParen
                | SyntaxKind::RBracket
                | SyntaxKind::RBrace
                | SyntaxKind::InterpEnd
                | SyntaxKind::StrEnd
                    if open.pop() != Some(Some(token.kind)) =>
                {
                    return false;
                }
                _ => {}
            }
        }
        open.is_empty()
    }

    /// Where the current declaration ends if declarations stand in column 1.
    fn decl_limit(&self) -> usize {
        let count = self.lexed.significant.len();
        (self.decl_start + 1..count)
            .find(|&at| {
                self.lexed.significant.get(at).is_some_and(|t| t.has(Significant::NEWLINE))
                    && self.declares_at(at)
            })
            .unwrap_or(count)
    }

    /// Remembers the extent of a declaration with a mistake, for [`collect`](super::collect::collect).
    pub(super) fn note_damage(&mut self) {
        if self.damaged {
            let start = self.range_at(self.decl_start).start();
            let limit = self.decl_limit();
            let end = self.range_at(limit).start().max(self.behind().start());
            let balanced = self.is_balanced();
            self.damage.push((TextRange::new(start, end), balanced));
        }
    }

    /// Whether the last mistake stands on the same line: a second one there mostly follows from it.
    pub(super) fn on_line_of_last_error(&self, range: TextRange) -> bool {
        let Some(last) = self.errors.last() else { return false };
        let (a, b) = (usize::from(last.range.start()), usize::from(range.start()));
        let (start, end) = (a.min(b), a.max(b));
        end - start < FAR as usize
            && self.text.get(start..end).is_some_and(|gap| !gap.contains('\n'))
    }

    /// Reports a mistake that is parsed as what was meant.
    pub(super) fn habit(&mut self, error: SyntaxError) {
        let follows = self.recovering
            || self.muted
            || self.token(0).is_some_and(|token| token.has(Significant::AFTER_UNKNOWN));
        if follows {
            self.suppressed.get_or_insert(error);
        } else if self.has_room() {
            self.errors.push(error);
        }
    }

    /// Parses something that was reported as a whole: mistakes inside do not count.
    pub(super) fn quietly<T>(&mut self, parse: impl FnOnce(&mut Self) -> T) -> T {
        let around = (self.muted, self.recovering);
        self.muted = true;
        let result = parse(self);
        (self.muted, self.recovering) = around;
        result
    }

    /// Reports that something else is expected here.
    pub(super) fn expected(&mut self, what: &str) {
        let error = self.expected_error(what);
        self.report(error);
    }

    pub(super) fn expected_error(&self, what: &str) -> SyntaxError {
        let (range, found) = self.found();
        SyntaxError::new(Code::Unexpected, range, format!("expected {what}, found {found}"))
    }

    /// Reports, before the next token, that what it begins needs a line of its own; `what` stand there.
    pub(super) fn expected_new_line(&self, what: &str) -> SyntaxError {
        let (range, found) = self.found();
        let message = if self.token(0).is_some() && self.on_new_line(0) {
            format!("`{}` cannot begin a line here", self.text(0))
        } else if self.raw() == SyntaxKind::StrStart {
            "put this text on a new line".to_owned()
        } else {
            format!("put {found} on a new line")
        };
        SyntaxError::new(Code::MissingNewline, range, message)
            .with_help(format!("put each {what} on its own line"))
    }

    /// The place of the next token and its description. Where a line or the text ends, the place is
    /// the end of what stands before.
    pub(super) fn found(&self) -> (TextRange, String) {
        if self.token(0).is_none() {
            let what = if self.at_break() {
                "the end of the line"
            } else if self.end < self.lexed.significant.len() {
                "the end of the declaration"
            } else {
                "the end of the file"
            };
            return (self.behind(), what.to_owned());
        }
        if self.on_new_line(0) && self.pos > 0 && self.pos != self.item_start {
            return (self.behind(), "the end of the line".to_owned());
        }
        let text = self.text(0);
        let shown = match text.char_indices().nth(30) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        };
        let shown = match self.raw() {
            SyntaxKind::StrStart => "a text".to_owned(),
            _ => format!("`{}`", shown.lines().next().unwrap_or_default()),
        };
        (self.range(0), shown)
    }

    /// Consumes a token or reports that it is missing.
    pub(super) fn expect(&mut self, kind: SyntaxKind, what: &str) -> bool {
        if self.eat(kind) {
            return true;
        }
        if self.current() == SyntaxKind::Separator && self.raw() == kind {
            // On the next line, where it cannot be seen as belonging here.
            let text = kind.fixed_text().unwrap_or_default();
            let range = self.range(0);
            let gap = TextRange::new(self.behind().start(), range.start());
            let mut error = SyntaxError::new(
                Code::BraceOnNextLine,
                range,
                format!("put `{text}` on the line above"),
            );
            if self.slice(gap).trim().is_empty() {
                let blank = if kind == SyntaxKind::LBrace { " " } else { "" };
                error = error.with_replacement(format!("move `{text}` up"), gap, blank);
            }
            self.habit(error.understood());
            self.clear_separator();
            self.bump();
            return true;
        }
        self.expected(what);
        false
    }

    // ---- brackets ----

    /// Consumes the bracket that closes `bracket`, or reports why it cannot.
    pub(super) fn close(&mut self, bracket: Bracket) -> bool {
        let closer = bracket.kind.closing().unwrap_or(SyntaxKind::RBrace);
        let next = self.raw();
        if next == closer {
            if self.second_pass && closer == SyntaxKind::RBrace {
                self.compare_indent(bracket);
            }
            self.leave_bracket(bracket);
            self.bump();
            return true;
        }
        if matches!(next, SyntaxKind::RParen | SyntaxKind::RBracket)
            && !self.is_open(next)
            && self.closer_follows(closer)
        {
            // One closing bracket too many; ours comes behind it.
            let range = self.range(0);
            let message = format!("`{}` has no opening bracket", self.text(0));
            let error = SyntaxError::new(Code::StrayCloser, range, message).with_replacement(
                "remove it",
                range,
                "",
            );
            self.report(error);
            let marker = self.start();
            while self.raw() != closer && self.raw() != SyntaxKind::Eof {
                self.skip_one();
            }
            self.finish_error(marker);
            if self.raw() == closer {
                self.bump();
            }
            self.leave_bracket(bracket);
            return true;
        }
        self.leave_bracket(bracket);
        let wrong = matches!(next, SyntaxKind::RParen | SyntaxKind::RBracket | SyntaxKind::RBrace)
            && !self.is_open(next);
        if wrong && bracket.at.is_some() {
            let right = closer.fixed_text().unwrap_or("}");
            let range = self.range(0);
            let message = format!("expected `{right}`, found `{}`", self.text(0));
            let mut error = SyntaxError::new(Code::StrayCloser, range, message).with_replacement(
                format!("replace it by `{right}`"),
                range,
                right,
            );
            if let Some(at) = bracket.at {
                error = error.with_related(self.range_at(at), "to close this");
            }
            self.report(error);
            self.bump();
            return true;
        }
        self.unclosed(bracket);
        false
    }

    /// Whether this bracket comes later, and nothing before it shows that a new statement began.
    fn closer_follows(&self, closer: SyntaxKind) -> bool {
        let mut depth = 0u32;
        for ahead in 1..200 {
            match self.nth(ahead) {
                kind if depth == 0 && kind == closer => return true,
                SyntaxKind::LParen | SyntaxKind::LBracket | SyntaxKind::LBrace => depth += 1,
                SyntaxKind::RParen | SyntaxKind::RBracket | SyntaxKind::RBrace => {
                    match depth.checked_sub(1) {
                        Some(less) => depth = less,
                        None => return false,
                    }
                }
                SyntaxKind::Eof | SyntaxKind::LetKw => return false,
                _ => {}
            }
        }
        false
    }

    fn unclosed(&mut self, bracket: Bracket) {
        let at_end = self.token(0).is_none() && !self.at_break();
        if at_end && bracket.at.is_some() {
            if !self.second_pass {
                self.needs_second_pass = true;
            }
            self.unclosed_at_end(bracket);
            return;
        }
        let Some(opener) = bracket.at else { return };
        if self.at_break() {
            // The text that is cut off here swallowed the bracket, and is reported.
            return;
        }
        let closer = bracket.kind.closing().and_then(SyntaxKind::fixed_text).unwrap_or("}");
        let opener_range = self.range_at(opener);
        let (found_range, found) = self.found();
        let message = format!("`{}` is not closed", self.slice(opener_range));
        let error = SyntaxError::new(Code::UnclosedBracket, opener_range, message)
            .with_related(found_range, format!("expected `{closer}` here, found {found}"))
            .with_replacement(format!("insert `{closer}`"), self.behind(), closer);
        self.report(error);
    }

    /// A bracket is open where the declaration or the file ends: the one mistake of its declaration.
    fn unclosed_at_end(&mut self, bracket: Bracket) {
        let blamed = match (bracket.kind, self.suspect) {
            (SyntaxKind::LBrace, Some(suspect)) => suspect,
            _ => bracket.at.unwrap_or_default(),
        };
        let too_deep = self.errors.last().is_some_and(|error| error.code == Code::TooDeep);
        if too_deep || self.muted && self.is_balanced() {
            return;
        }
        let decl = self.range_at(self.decl_start).start();
        let explains = |error: &SyntaxError| {
            error.range.start() >= decl
                // The text that is not closed has swallowed the bracket.
                && (error.code == Code::UnclosedText
                    // A block without braces has taken the bracket of the one around it.
                    || error.range.start() >= self.missing_opener)
        };
        let has_opener = self.missing_opener < text_size::TextSize::of(self.text);
        if self.errors.last().is_some_and(explains)
            && (self.errors.last().is_some_and(|error| error.code == Code::UnclosedText)
                || has_opener && self.is_balanced())
        {
            return;
        }
        if self
            .errors
            .last()
            .is_some_and(|error| error.code == Code::UnclosedBracket && error.range.start() >= decl)
        {
            return;
        }
        self.muted = false;
        let opener = self.range_at(blamed);
        let closer = if self.slice(opener) == "(" {
            ")"
        } else if self.slice(opener) == "[" {
            "]"
        } else {
            "}"
        };
        // What was reported behind the bracket follows from it.
        while self.errors.last().is_some_and(|error| error.range.start() > opener.start()) {
            self.errors.pop();
        }
        self.recovering = false;
        let message = format!("`{}` is not closed", self.slice(opener));
        let mut error = SyntaxError::new(Code::UnclosedBracket, opener, message);
        error = if Some(blamed) == bracket.at {
            error.with_related(self.behind(), format!("`{closer}` is missing here"))
        } else {
            error.with_related(self.behind(), "by its indentation it should end before this line")
        };
        error = error.with_help(format!("add `{closer}` where it ends"));
        self.report(error);
        self.muted = true;
    }

    /// Remembers an opening brace whose line stands further to the right than its closing brace.
    fn compare_indent(&mut self, bracket: Bracket) {
        let Some(opener) = bracket.at else { return };
        if self.suspect.is_some() || !self.on_new_line(0) {
            return;
        }
        let open = self.line_indent(opener);
        let close = self.line_indent(self.pos);
        if let (Some(open), Some(close)) = (open, close)
            && close < open
        {
            self.suspect = Some(opener);
        }
    }

    /// The indentation of a token's line; `None` if the line starts far away.
    pub(super) fn line_indent(&self, at: usize) -> Option<usize> {
        const FAR: usize = 400;
        let end = usize::from(self.range_at(at).start());
        let bytes = self.text.as_bytes();
        let line = bytes.get(end.saturating_sub(FAR)..end)?;
        let start = match line.iter().rposition(|&byte| byte == b'\n') {
            Some(place) => place + 1,
            None if end <= FAR => 0,
            None => return None,
        };
        Some(line.iter().skip(start).take_while(|byte| matches!(byte, b' ' | b'\t')).count())
    }

    // ---- skipping ----

    /// Skips one token, or all of a bracketed group or text.
    pub(super) fn skip_one(&mut self) {
        match self.raw() {
            SyntaxKind::LParen | SyntaxKind::LBracket | SyntaxKind::LBrace => self.skip_group(),
            SyntaxKind::StrStart => self.skip_text(),
            _ => {
                self.clear_separator();
                self.bump();
            }
        }
    }

    /// Skips a text with all its interpolations.
    fn skip_text(&mut self) {
        let around = self.open_texts;
        let mut depth = 0u32;
        loop {
            match self.raw() {
                SyntaxKind::StrStart => depth += 1,
                SyntaxKind::StrEnd => depth = depth.saturating_sub(1),
                SyntaxKind::Eof => {
                    let cut = self.lexed.breaks.get(self.next_break).copied();
                    match cut {
                        Some(cut) if self.at_break() && cut.open >= around => {
                            depth = cut.open - around;
                            self.next_break += 1;
                            self.update_end();
                            if depth == 0 {
                                return;
                            }
                            continue;
                        }
                        _ => return,
                    }
                }
                _ => {}
            }
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips a bracketed group, however deep, without recursion. Stops where the group must have
    /// been meant to end: at the end, or at a bracket that closes something around it.
    fn skip_group(&mut self) {
        let mut stack: Vec<SyntaxKind> = Vec::new();
        let mut counts = [0u32; 3];
        loop {
            let next = self.raw();
            match next {
                SyntaxKind::Eof => return,
                SyntaxKind::StrStart => {
                    self.skip_text();
                    continue;
                }
                SyntaxKind::LParen | SyntaxKind::LBracket | SyntaxKind::LBrace => {
                    stack.push(next);
                    if let Some(count) = counts.get_mut(Self::bracket_slot(next)) {
                        *count += 1;
                    }
                }
                SyntaxKind::RParen | SyntaxKind::RBracket | SyntaxKind::RBrace => {
                    let slot = Self::bracket_slot(next);
                    if counts.get(slot).is_none_or(|&count| count == 0) {
                        if self.is_open(next) {
                            return;
                        }
                    } else {
                        while let Some(top) = stack.pop() {
                            if let Some(count) = counts.get_mut(Self::bracket_slot(top)) {
                                *count -= 1;
                            }
                            if Self::bracket_slot(top) == slot {
                                break;
                            }
                        }
                    }
                }
                SyntaxKind::InterpEnd => return,
                SyntaxKind::LetKw | SyntaxKind::GraphKw | SyntaxKind::FnKw
                    if self.on_new_line(0) && counts.last() == Some(&0) =>
                {
                    return;
                }
                _ => {}
            }
            self.clear_separator();
            self.bump();
            if stack.is_empty() {
                return;
            }
        }
    }

    /// Skips to the end of the statement, arm, field or item: to the separator, the closing brace,
    /// the end, and to a comma if one may separate here. What is skipped becomes an error node.
    pub(super) fn skip_to_line_end(&mut self, commas: bool) {
        let marker = self.start();
        let from = self.pos;
        loop {
            match self.current() {
                SyntaxKind::Separator | SyntaxKind::RBrace | SyntaxKind::InterpEnd => break,
                SyntaxKind::Eof => {
                    if self.at_break() && self.pass_break() {
                        continue;
                    }
                    break;
                }
                SyntaxKind::Comma if commas => break,
                _ if self.pos > from && self.starts_line() => break,
                SyntaxKind::LetKw if self.on_new_line(0) => break,
                _ => self.skip_one(),
            }
        }
        self.finish_error(marker);
    }

    /// Skips to the next comma or closing bracket of a list.
    pub(super) fn skip_in_list(&mut self) {
        let marker = self.start();
        loop {
            match self.raw() {
                SyntaxKind::Comma
                | SyntaxKind::RParen
                | SyntaxKind::RBracket
                | SyntaxKind::RBrace
                | SyntaxKind::InterpEnd => break,
                SyntaxKind::Eof => {
                    if self.at_break() && self.pass_break() {
                        continue;
                    }
                    break;
                }
                SyntaxKind::LetKw | SyntaxKind::GraphKw | SyntaxKind::FnKw
                    if self.on_new_line(0) =>
                {
                    break;
                }
                _ => self.skip_one(),
            }
        }
        self.finish_error(marker);
    }

    /// Whether a token stands further on in this line.
    pub(super) fn on_line(&self, from: usize, kind: SyntaxKind) -> bool {
        const FAR: usize = 200;
        (from..FAR)
            .take_while(|&ahead| ahead == 0 || !self.on_new_line(ahead))
            .any(|ahead| self.nth(ahead) == kind)
    }

    /// Skips to the first of these tokens, or to the end of the line.
    pub(super) fn skip_on_line(&mut self, kinds: &[SyntaxKind]) {
        let marker = self.start();
        let balanced = self.is_balanced();
        while !kinds.contains(&self.raw()) && self.raw() != SyntaxKind::Eof && !self.on_new_line(0)
        {
            let group = matches!(self.raw(), SyntaxKind::LParen | SyntaxKind::LBracket);
            if self.raw() == SyntaxKind::StrStart || group && balanced {
                self.skip_one();
            } else {
                self.bump();
            }
        }
        self.finish_error(marker);
        self.pass_break();
    }

    pub(super) fn finish_error(&mut self, marker: super::Marker) {
        if self.is_empty_since(marker) {
            self.abandon(marker);
        } else {
            self.finish_node(marker, SyntaxKind::Error);
        }
    }

    /// Whether the next token starts a line and does not continue the one above: where a statement
    /// may start once a mistake has hidden the separator.
    pub(super) fn starts_line(&self) -> bool {
        self.context != Context::Inside
            && self.on_new_line(0)
            && !crate::lexer::continues(self.raw())
    }

    // ---- depth ----

    pub(super) fn too_deep(&mut self) {
        let range = self.range(0);
        let message = format!("the code is nested too deeply: the limit is {MAX_DEPTH} levels");
        let error = SyntaxError::new(Code::TooDeep, range, message)
            .with_help("give the inner parts names with `let`, or move them into a function");
        self.report(error);
        self.muted = true;
        let marker = self.start();
        loop {
            match self.current() {
                SyntaxKind::Separator
                | SyntaxKind::Comma
                | SyntaxKind::RParen
                | SyntaxKind::RBracket
                | SyntaxKind::RBrace
                | SyntaxKind::InterpEnd => break,
                SyntaxKind::Eof => {
                    if self.at_break() && self.pass_break() {
                        continue;
                    }
                    break;
                }
                _ => self.skip_one(),
            }
        }
        self.finish_error(marker);
    }
}
