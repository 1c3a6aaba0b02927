//! Tokens to tree: a recursive descent parser that always ends and always gives a tree.
//!
//! The grammar functions are in [`grammar`], beside their cases; this file holds what they share:
//! looking at tokens, consuming them, brackets, depth. [`recovery`] reports mistakes and finds the
//! way back from them. The rules that keep errors few:
//! - a mistake that has an obvious meaning (a habit of another language) is reported and parsed as
//!   what was meant;
//! - after any other mistake nothing is reported until the parser has found its feet: behind a comma,
//!   at the next statement, at the next declaration;
//! - a bracket that is never closed is reported alone: it explains the other mistakes of its
//!   declaration. To tell where that one ends, the text is parsed a second time, in which a
//!   declaration word in column 1 closes all that is open.
//!
//! Every loop of the grammar ends at the end of the text, and consumes or stops in each round. Should
//! one do neither, it runs out of [`MAX_LOOKS`]: nodes started, and tokens looked at but for the
//! current one, since the last one was consumed. From then on the parser sees the end of the text
//! everywhere, so all loops end.
//!
//! **Newlines** (§3). The lexer marks the tokens before which a newline ends a statement if newlines
//! count; they count outside of `(`, `[` and `${`, which is the [`Context`]. There such a token
//! looks like [`SyntaxKind::Separator`] until the separator is eaten. Clause words are looked at
//! without that, because they continue an unfinished clause.
//!
//! Decisions where the written grammar is silent:
//! - inside `${...}` newlines do not count, as inside parentheses;
//! - after a word that is used as a keyword a newline never counts (`record` alone on its line);
//! - a clause word followed by `:` or `.` is a name;
//! - `expect` and `stub` at the start of a test item are keywords unless `.` follows;
//! - an effect and its resource cannot be named `needs` or `from`;
//! - a qualifier behind which no type stands is the name of a type;
//! - reserved words are names before a `:`, but not where a `let`, a `loop` or a trigger binds.

mod builder;
mod collect;
mod grammar;
mod habits;
mod names;
mod recovery;
mod returns;
#[cfg(test)]
mod tests;

pub use habits::foreign_name;

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use text_size::{TextRange, TextSize};

use crate::codes::Code;
use crate::lexer::{self, Lexed, Significant, Token};
use crate::limits::{MAX_DEPTH, MAX_ERRORS, MAX_FILE_BYTES, MAX_LOOKS};
use crate::tree::ElementData;
use crate::{Parse, SyntaxError, SyntaxKind, SyntaxTree};
use builder::{Builder, Marker};

/// Parses a text: once, and a second time if a bracket is not closed.
pub(crate) fn parse(text: Arc<str>) -> Parse {
    if text.len() > MAX_FILE_BYTES {
        return too_large(text);
    }
    let mut parser = Parser::new(&text, lexer::lex(&text), false);
    parser.run();
    if parser.needs_second_pass {
        parser = Parser::new(&text, lexer::lex(&text), true);
        parser.run();
    }
    let (elements, errors) = parser.finish();
    let mut parse = Parse { tree: SyntaxTree::new(text, elements), errors };
    returns::place(&mut parse);
    parse
}

fn too_large(text: Arc<str>) -> Parse {
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let root = ElementData::node(0, 2, 0, SyntaxKind::SourceFile);
    let all = ElementData::token(0, end, 0, SyntaxKind::Unknown);
    let limit = MAX_FILE_BYTES >> 20;
    let message = format!("this file is larger than {limit} MiB, the limit for one file");
    let error = SyntaxError::new(Code::FileTooLarge, TextRange::empty(0.into()), message)
        .with_help("split it into modules");
    Parse { tree: SyntaxTree::new(text, vec![root, all]), errors: vec![error] }
}

/// What the innermost open bracket says about newlines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Context {
    /// `(`, `[`, `${`: newlines do not count.
    Inside,
    /// `{` or nothing: newlines count.
    Lines,
    /// `{` of `match` and `catch`: besides, a line that starts with `-` and a number is a new arm.
    Arms,
}

/// An open bracket.
#[derive(Clone, Copy, Debug)]
struct Bracket {
    /// The opening token's place among the significant ones; `None` if it is missing.
    at: Option<usize>,
    kind: SyntaxKind,
    /// What counted around it.
    context: Context,
    in_condition: bool,
    before_block: bool,
}

struct Parser<'s> {
    text: &'s str,
    lexed: Lexed,
    /// The next significant token.
    pos: usize,
    /// Its kind as the newline rule shows it: asked for so often that it is kept.
    current: Cell<SyntaxKind>,
    /// How many more tokens may be looked at before one is consumed. It never recovers from zero.
    looks: Cell<u32>,
    /// The parser sees the end of the text here: at the real end, where an unclosed text was cut
    /// off, or (in the second pass) at the next declaration.
    end: usize,
    /// In the second pass, where the current declaration ends.
    decl_end: usize,
    /// The next of the lexer's breaks.
    next_break: usize,
    /// How many texts are open.
    open_texts: u32,
    context: Context,
    /// Whether a `=` here is probably meant as `==`.
    in_condition: bool,
    /// Whether a `{` here opens the block behind the expression.
    before_block: bool,
    /// Open `(`, `[`, `{`.
    open: [u32; 3],
    depth: u32,
    builder: Builder,
    /// The next of the lexer's docs.
    next_doc: usize,
    /// Docs that document nothing.
    stray_docs: Vec<u32>,
    errors: Vec<SyntaxError>,
    /// A mistake was reported and the parser has not found its feet yet.
    recovering: bool,
    /// Nothing more is reported in this declaration.
    muted: bool,
    /// How many names in the wrong case were met.
    renames: u32,
    /// Names in the wrong case that are introduced somewhere.
    introduced: FxHashSet<&'s str>,
    /// All names of the text, once somebody looks for one that is free.
    names: OnceCell<FxHashSet<&'s str>>,
    /// Fields in the wrong case without a name for the wire, and where it would stand.
    wire_names: FxHashMap<&'s str, Vec<TextSize>>,
    /// Reserved words that were bound as names in this declaration, and the errors that say so.
    reserved: Vec<(SyntaxKind, usize)>,
    /// Whether the current declaration is a test.
    in_test: bool,
    /// Whether parameters may have the names of reserved words here.
    free_params: bool,
    /// In the current declaration, where the first opening brace is missing; else the end of the text.
    missing_opener: TextSize,
    /// The first mistake that was not reported, because it seemed to follow from another one.
    suppressed: Option<SyntaxError>,
    /// The current declaration has a mistake.
    damaged: bool,
    /// Where the current declaration starts.
    decl_start: usize,
    /// Where the current item of a list between braces starts.
    item_start: usize,
    /// The declarations with mistakes, and whether their brackets pair up.
    damage: Vec<(TextRange, bool)>,
    /// Whether the brackets of the current declaration pair up; worked out when the first mistake is met.
    balanced: Option<bool>,
    /// Whether a declaration in column 1 closes all that is open.
    second_pass: bool,
    needs_second_pass: bool,
    /// In the second pass: an opening brace whose closing one is probably missing.
    suspect: Option<usize>,
    /// In the second pass: where declarations start in column 1.
    declarations: Vec<usize>,
}

impl<'s> Parser<'s> {
    fn new(text: &'s str, lexed: Lexed, second_pass: bool) -> Self {
        let end = lexed.significant.len();
        let builder = Builder::new(lexed.tokens.len());
        let mut parser = Self {
            text,
            lexed,
            pos: 0,
            current: Cell::new(SyntaxKind::Eof),
            looks: Cell::new(MAX_LOOKS),
            end,
            decl_end: end,
            next_break: 0,
            open_texts: 0,
            context: Context::Lines,
            in_condition: false,
            before_block: false,
            open: [0; 3],
            depth: 0,
            builder,
            next_doc: 0,
            stray_docs: Vec::new(),
            errors: Vec::new(),
            recovering: false,
            muted: false,
            renames: 0,
            introduced: FxHashSet::default(),
            names: OnceCell::new(),
            wire_names: FxHashMap::default(),
            reserved: Vec::new(),
            in_test: false,
            free_params: false,
            missing_opener: TextSize::of(text),
            suppressed: None,
            damaged: false,
            decl_start: 0,
            damage: Vec::new(),
            item_start: 0,
            balanced: None,
            second_pass,
            needs_second_pass: false,
            suspect: None,
            declarations: Vec::new(),
        };
        if second_pass {
            parser.declarations = (0..end).filter(|&at| parser.declares_at(at)).collect();
        }
        parser.update_end();
        parser
    }

    fn run(&mut self) {
        grammar::decls::source_file(self);
    }

    fn finish(mut self) -> (Vec<ElementData>, Vec<SyntaxError>) {
        if self.looks.get() == 0 && self.errors.is_empty() {
            // What was not read is damage, whatever the reason.
            let message = "the rest of the file cannot be understood";
            let error = SyntaxError::new(Code::Unexpected, self.range(0), message)
                .with_help("correct the code before this place");
            self.errors.push(error);
        }
        self.pass_docs(index(self.lexed.tokens.len()));
        let errors = collect::collect(&mut self);
        (self.builder.into_elements(&self.lexed.tokens), errors)
    }

    // ---- looking ----

    /// Counts a look; false if none is left.
    #[inline]
    fn may_look(&self) -> bool {
        let left = self.looks.get().checked_sub(1);
        match left {
            Some(left) => self.looks.set(left),
            None => self.current.set(SyntaxKind::Eof),
        }
        left.is_some()
    }

    #[inline]
    fn token(&self, ahead: usize) -> Option<Significant> {
        let at = self.pos + ahead;
        if self.may_look() && at < self.end {
            self.lexed.significant.get(at).copied()
        } else {
            None
        }
    }

    /// The next token as the newline rule shows it.
    #[inline]
    fn current(&self) -> SyntaxKind {
        self.current.get()
    }

    /// Works out [`Self::current`], whenever what it follows from has changed.
    #[inline]
    fn look(&mut self) {
        let kind = match self.lexed.significant.get(self.pos) {
            Some(token) if self.pos < self.end && self.looks.get() > 0 => {
                if token.has(Significant::SEPARATOR) && self.context != Context::Inside {
                    SyntaxKind::Separator
                } else {
                    token.kind
                }
            }
            _ => SyntaxKind::Eof,
        };
        self.current.set(kind);
    }

    /// The next token, whatever stands before it.
    #[inline]
    fn raw(&self) -> SyntaxKind {
        self.nth(0)
    }

    /// A token further on, whatever stands before it.
    #[inline]
    fn nth(&self, ahead: usize) -> SyntaxKind {
        self.token(ahead).map_or(SyntaxKind::Eof, |token| token.kind)
    }

    #[inline]
    fn at(&self, kind: SyntaxKind) -> bool {
        self.current() == kind
    }

    /// Whether a clause word comes next, on this line or the next.
    #[inline]
    fn at_clause(&self, word: SyntaxKind) -> bool {
        self.raw() == word && !matches!(self.nth(1), SyntaxKind::Colon | SyntaxKind::Dot)
    }

    /// Whether a line break stands before a token.
    fn on_new_line(&self, ahead: usize) -> bool {
        self.token(ahead).is_none_or(|token| token.has(Significant::NEWLINE))
    }

    /// Whether nothing stands between a token and the one before.
    fn glued(&self, ahead: usize) -> bool {
        let before =
            (self.pos + ahead).checked_sub(1).and_then(|at| self.lexed.significant.get(at));
        let index = before.map_or(0, |before| before.index + 1);
        self.token(ahead).is_some_and(|token| token.index == index)
    }

    fn range_at(&self, at: usize) -> TextRange {
        let Some(token) = self.lexed.significant.get(at) else {
            return TextRange::empty(TextSize::of(self.text));
        };
        match self.lexed.tokens.get(token.index as usize..token.index as usize + 2) {
            Some(&[Token { start, .. }, Token { start: end, .. }]) => {
                TextRange::new(start.into(), end.into())
            }
            _ => TextRange::empty(TextSize::of(self.text)),
        }
    }

    /// The range of a token.
    fn range(&self, ahead: usize) -> TextRange {
        self.range_at(self.pos + ahead)
    }

    /// The text of a token.
    fn text(&self, ahead: usize) -> &'s str {
        self.slice(self.range(ahead))
    }

    fn slice(&self, range: TextRange) -> &'s str {
        self.text.get(usize::from(range.start())..usize::from(range.end())).unwrap_or_default()
    }

    /// The place right behind the last consumed token.
    fn behind(&self) -> TextRange {
        TextRange::empty(self.token_start(self.behind_token()))
    }

    /// Where a token, trivia or not, starts.
    fn token_start(&self, index: u32) -> TextSize {
        self.lexed.tokens.get(index as usize).map_or(TextSize::of(self.text), |t| t.start.into())
    }

    /// The token, trivia or not, right behind the last consumed one.
    #[inline]
    fn behind_token(&self) -> u32 {
        let last = self.pos.checked_sub(1).and_then(|last| self.lexed.significant.get(last));
        last.map_or(0, |token| token.index + 1)
    }

    /// The next token, trivia left out.
    #[inline]
    fn next_token(&self) -> u32 {
        match self.lexed.significant.get(self.pos) {
            Some(token) => token.index,
            None => self.behind_token(),
        }
    }

    // ---- consuming ----

    #[inline]
    fn start(&mut self) -> Marker {
        self.may_look();
        let first = self.next_token();
        self.builder.start(first)
    }

    /// Like [`Self::start`], but docs before the token belong to the node.
    fn start_documented(&mut self) -> Marker {
        let (behind, next) = (self.behind_token(), self.next_token());
        self.pass_docs(behind);
        let mut first = next;
        while let Some(&doc) = self.lexed.docs.get(self.next_doc)
            && doc < next
        {
            if self.token_kind(doc) == SyntaxKind::Doc {
                first = first.min(doc);
                self.next_doc += 1;
            } else {
                self.pass_docs(doc + 1);
            }
        }
        self.builder.start(first)
    }

    /// Passes the docs before a token: nothing is documented by them.
    fn pass_docs(&mut self, until: u32) {
        let first = self.lexed.significant.first().map_or(u32::MAX, |token| token.index);
        while let Some(&doc) = self.lexed.docs.get(self.next_doc)
            && doc < until
        {
            self.next_doc += 1;
            // A file's own doc stands before everything else.
            if self.token_kind(doc) == SyntaxKind::Doc || doc > first {
                self.stray_docs.push(doc);
            }
        }
    }

    fn token_kind(&self, index: u32) -> SyntaxKind {
        self.lexed.tokens.get(index as usize).map_or(SyntaxKind::Eof, |token| token.kind)
    }

    #[inline]
    fn finish_node(&mut self, marker: Marker, kind: SyntaxKind) {
        let end = self.behind_token();
        self.builder.finish(marker, end, kind);
    }

    #[inline]
    fn abandon(&mut self, marker: Marker) {
        self.builder.abandon(marker);
    }

    #[inline]
    fn again(&mut self, marker: Marker) -> Marker {
        self.builder.again(marker)
    }

    /// Whether nothing was consumed and no node finished since the marker.
    fn is_empty_since(&self, marker: Marker) -> bool {
        self.behind_token() <= marker.first && self.builder.has_no_nodes_since(marker)
    }

    /// Lays out what was parsed so far: nothing of it is unfinished.
    fn flush(&mut self) {
        let end = self.behind_token();
        self.builder.flush(&self.lexed.tokens, end);
    }

    /// Makes the next token one of another kind.
    fn read_as(&mut self, kind: SyntaxKind) {
        self.show_as(kind);
        if let Some(token) = self.lexed.significant.get_mut(self.pos) {
            token.kind = kind;
        }
        self.look();
    }

    /// Gives the next token another kind in the tree. Whoever looks back still sees what it was.
    fn show_as(&mut self, kind: SyntaxKind) {
        if let Some(token) = self.lexed.significant.get(self.pos)
            && let Some(of_tree) = self.lexed.tokens.get_mut(token.index as usize)
        {
            of_tree.kind = kind;
        }
    }

    /// Consumes the next token as a kind; nothing at the end.
    #[inline]
    fn bump_as(&mut self, kind: SyntaxKind) {
        if self.token(0).is_some_and(|token| token.kind != kind) {
            self.show_as(kind);
        }
        self.bump();
    }

    /// Consumes the next token; nothing at the end.
    #[inline]
    fn bump(&mut self) {
        if self.pos < self.end && self.looks.get() > 0 {
            self.pos += 1;
            self.looks.set(MAX_LOOKS);
            self.look();
        }
    }

    /// Consumes a word as a keyword: the newline behind it does not count.
    fn bump_keyword(&mut self) {
        self.bump();
        self.clear_separator();
    }

    /// Consumes a token if it comes next.
    #[inline]
    fn eat(&mut self, kind: SyntaxKind) -> bool {
        let here = self.at(kind);
        if here {
            self.bump();
        }
        here
    }

    /// Makes the newline before the next token not count.
    fn clear_separator(&mut self) {
        if let Some(token) = self.lexed.significant.get_mut(self.pos) {
            token.flags &= !Significant::SEPARATOR;
        }
        self.look();
    }

    /// Consumes the separator before the next token.
    fn eat_separator(&mut self) -> bool {
        let here = self.at(SyntaxKind::Separator);
        if here {
            self.clear_separator();
        }
        here
    }

    // ---- brackets ----

    fn set_context(&mut self, context: Context) {
        self.context = context;
        self.look();
    }

    fn bracket_slot(kind: SyntaxKind) -> usize {
        match kind {
            SyntaxKind::LParen | SyntaxKind::RParen => 0,
            SyntaxKind::LBracket | SyntaxKind::RBracket => 1,
            _ => 2,
        }
    }

    /// Whether a bracket that this token closes is open.
    fn is_open(&self, closer: SyntaxKind) -> bool {
        self.open.get(Self::bracket_slot(closer)).is_some_and(|&n| n > 0)
    }

    /// Consumes an opening bracket.
    fn open(&mut self, inside: Context) -> Bracket {
        let bracket = Bracket {
            at: Some(self.pos),
            kind: self.raw(),
            context: self.context,
            in_condition: self.in_condition,
            before_block: self.before_block,
        };
        self.enter_bracket(bracket, inside);
        self.bump();
        bracket
    }

    /// Goes on as if an opening bracket stood here.
    fn open_missing(&mut self, kind: SyntaxKind, inside: Context) -> Bracket {
        if kind == SyntaxKind::LBrace {
            self.missing_opener = self.missing_opener.min(self.behind().start());
        }
        let bracket = Bracket {
            at: None,
            kind,
            context: self.context,
            in_condition: self.in_condition,
            before_block: self.before_block,
        };
        self.enter_bracket(bracket, inside);
        bracket
    }

    fn enter_bracket(&mut self, bracket: Bracket, inside: Context) {
        self.set_context(inside);
        self.in_condition = false;
        self.before_block = false;
        if bracket.kind != SyntaxKind::InterpStart
            && let Some(open) = self.open.get_mut(Self::bracket_slot(bracket.kind))
        {
            *open += 1;
        }
    }

    fn leave_bracket(&mut self, bracket: Bracket) {
        self.set_context(bracket.context);
        self.in_condition = bracket.in_condition;
        self.before_block = bracket.before_block;
        if bracket.kind != SyntaxKind::InterpStart
            && let Some(open) = self.open.get_mut(Self::bracket_slot(bracket.kind))
        {
            *open = open.saturating_sub(1);
        }
    }

    // ---- depth ----

    /// Goes one level deeper; at the limit reports it, skips what is nested there and gives false.
    fn enter(&mut self) -> bool {
        if self.depth >= MAX_DEPTH {
            self.too_deep();
            return false;
        }
        self.depth += 1;
        true
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Whether the node that was finished last may not be wrapped any more. Then the rest of the
    /// chain is skipped.
    fn chain_too_long(&mut self) -> bool {
        if self.builder.last_height < MAX_DEPTH {
            return false;
        }
        self.too_deep();
        true
    }

    // ---- ends ----

    /// Works out where the parser must stop next.
    fn update_end(&mut self) {
        let cut = self.lexed.breaks.get(self.next_break).map_or(usize::MAX, |b| b.at as usize);
        self.end = self.decl_end.min(cut).min(self.lexed.significant.len());
        self.look();
    }

    /// Passes the place where an unclosed text was cut off, if all texts that are cut there are
    /// closed for the parser too.
    fn pass_break(&mut self) -> bool {
        let Some(cut) = self.lexed.breaks.get(self.next_break).copied() else { return false };
        if self.pos != cut.at as usize || cut.open < self.open_texts {
            return false;
        }
        self.next_break += 1;
        self.update_end();
        true
    }

    /// Whether the parser stands where an unclosed text was cut off.
    fn at_break(&self) -> bool {
        self.lexed.breaks.get(self.next_break).is_some_and(|cut| cut.at as usize == self.pos)
    }

    /// Whether a declaration starts at a significant token: its word in column 1, and what must
    /// follow the word.
    fn declares_at(&self, at: usize) -> bool {
        let tokens = &self.lexed.significant;
        let Some(token) = tokens.get(at) else { return false };
        if !(token.kind.is_keyword() || token.kind == SyntaxKind::Lid) {
            return false;
        }
        let start = usize::from(self.range_at(at).start());
        if start > 0 && self.text.as_bytes().get(start - 1) != Some(&b'\n') {
            return false;
        }
        if tokens.get(at + 1).is_some_and(|token| token.has(Significant::NEWLINE)) {
            return false;
        }
        let kind = |n: usize| tokens.get(at + n).map_or(SyntaxKind::Eof, |token| token.kind);
        if token.kind == SyntaxKind::PubKw {
            return grammar::decls::is_declaration(kind(1), kind(2));
        }
        grammar::decls::is_declaration(kind(0), kind(1))
    }

    /// Whether there is room for one more error.
    fn has_room(&self) -> bool {
        self.errors.len() <= MAX_ERRORS
    }
}

/// Numbers of tokens fit: larger files are not parsed.
#[inline]
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
