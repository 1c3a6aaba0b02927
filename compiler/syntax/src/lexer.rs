//! Text to tokens. Never fails: what begins no token becomes [`SyntaxKind::Unknown`].
//!
//! Plain code is scanned by a generated automaton (logos), which takes words for names; texts, which nest through `${...}`, by
//! hand over a stack of modes. Two vectors come out: every token (the tree needs all of them) and
//! the significant ones (all that the parser looks at), each with what the newline rule of §3 says
//! about the place before it. Mistakes that concern one token only (a unit that does not exist, an
//! escape that means nothing) are found here, so that the parser can go on as if it were right.
//!
//! Decisions where the reference is silent:
//! - a text in one pair of quotes ends on its line, and so does the code inside its `${...}`: an
//!   unclosed text can only damage one line;
//! - `////` and more slashes begin a plain comment;
//! - a byte order mark at the top is white space;
//! - an unclosed triple-quoted text ends at the first declaration in column 1 behind it.

mod lookalikes;
mod scan;

pub(crate) use scan::similar_unit;

pub use scan::{snake, upper_camel};

use logos::Logos;
use rustc_hash::FxHashMap;
use text_size::TextRange;

use crate::codes::Code;
use crate::keywords::word_kind;
use crate::limits::MAX_ERRORS;
use crate::numbers::Unit;
use crate::{SyntaxError, SyntaxKind};

/// A token of any kind: it ends where the next one starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub start: u32,
    pub kind: SyntaxKind,
}

/// A token that is not trivia.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Significant {
    /// Its place among all tokens.
    pub index: u32,
    pub kind: SyntaxKind,
    /// What stands before it: see the constants.
    pub flags: u8,
}

impl Significant {
    /// A line break stands before it.
    pub const NEWLINE: u8 = 1;
    /// A line break stands before it that ends a statement where newlines count.
    pub const SEPARATOR: u8 = 2;
    /// Characters that were reported stand right before it.
    pub const AFTER_UNKNOWN: u8 = 4;
    /// A text that was cut off stands before it (the lexer's own).
    const CUT: u8 = 8;

    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// How many mistakes are kept. More than are shown, because the parser leaves some out.
const MAX_LEXICAL_ERRORS: usize = 10 * MAX_ERRORS;

/// Where an unclosed text was cut off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Break {
    /// The first significant token behind it.
    pub at: u32,
    /// How many texts remain open around it.
    pub open: u32,
}

/// What [`lex`] gives.
pub(crate) struct Lexed {
    /// Every token and, last, one that marks the end.
    pub tokens: Vec<Token>,
    pub significant: Vec<Significant>,
    /// Where among all tokens the doc comments are, those of the file included.
    pub docs: Vec<u32>,
    pub breaks: Vec<Break>,
    /// Mistakes inside single tokens, in the order of the text.
    pub errors: Vec<SyntaxError>,
    /// Whether a triple-quoted text was not closed.
    pub unclosed_triple: bool,
    /// Whether a name is neither lower nor upper case throughout.
    pub has_mixed_names: bool,
}

/// Tokens of plain code.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
#[rustfmt::skip]
enum Raw {
    #[regex(r"[ \t\r]+")] Whitespace,
    #[regex(r"[ \t\r]*\n[ \t\r\n]*")] Newline,
    #[regex(r"//[^\n]*", allow_greedy = true)] Comment,
    #[regex(r"///[^\n]*", priority = 8, allow_greedy = true)] Doc,
    #[regex(r"////[^\n]*", priority = 9, allow_greedy = true)] LongComment,
    #[regex(r"//![^\n]*", priority = 8, allow_greedy = true)] FileDoc,
    #[token("/*")] BlockComment,
    #[regex(r"#[^\n]*", allow_greedy = true)] HashComment,

    #[regex(r"[a-z_][a-z0-9_]*", priority = 2)] Lid,
    #[regex(r"[A-Z][A-Za-z0-9]*", priority = 2)] Uid,
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*", priority = 1)] Mixed,
    #[token("_", priority = 9)] Underscore,
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?")] Number,
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?[A-Za-z][A-Za-z0-9_]*")] Quantity,

    #[token("\"")] #[token("\"\"\"")] Quote,
    #[token("r\"")] #[token("r\"\"\"")] PlainQuote,
    #[token("'")] SingleQuote,
    #[token("`")] Backtick,

    #[token("{")] LBrace, #[token("}")] RBrace,
    #[token("(")] LParen, #[token(")")] RParen,
    #[token("[")] LBracket, #[token("]")] RBracket,
    #[token(",")] Comma, #[token(":")] Colon,
    #[token(".")] Dot, #[token("..")] DotDot, #[token("...")] DotDotDot,
    #[token("?.")] QuestionDot, #[token("?")] Question, #[token("??")] QuestionQuestion,
    #[token("|")] Bar, #[token("|>")] BarGt,
    #[token("->")] Arrow, #[token("=>")] FatArrow,
    #[token("=")] Eq, #[token("==")] EqEq, #[token("!=")] NotEq,
    #[token("<")] Lt, #[token(">")] Gt, #[token("<=")] LtEq, #[token(">=")] GtEq,
    #[token("+")] Plus, #[token("-")] Minus, #[token("*")] Star, #[token("/")] Slash,
    #[token("%")] Percent,
    #[token("&&")] AmpAmp, #[token("||")] BarBar, #[token("!")] Bang, #[token(";")] Semicolon,
    #[token(":=")] ColonEq, #[token("===")] EqEqEq, #[token("!==")] NotEqEq,
    #[token("++")] PlusPlus,
    #[token("+=")] PlusEq, #[token("-=")] MinusEq, #[token("*=")] StarEq, #[token("/=")] SlashEq,
}

/// The kinds of raw tokens, one to one; what needs a second look is told apart in [`lex`].
macro_rules! kinds {
    ($($name:ident)*; $($other:ident => $kind:ident)*) => {{
        /// Exhaustive, so that no raw token is forgotten.
        const fn kind(raw: Raw) -> SyntaxKind {
            match raw {
                $( Raw::$name => SyntaxKind::$name, )*
                $( Raw::$other => SyntaxKind::$kind, )*
            }
        }
        let mut kinds = [SyntaxKind::Unknown; 256];
        $( kinds[Raw::$name as usize] = kind(Raw::$name); )*
        $( kinds[Raw::$other as usize] = kind(Raw::$other); )*
        kinds
    }};
}

/// A table, because this is asked for every token.
static KINDS: [SyntaxKind; 256] = kinds!(
    Whitespace Newline Comment Doc FileDoc BlockComment HashComment Lid Uid Underscore Number
    LBrace RBrace LParen RParen LBracket RBracket Comma Colon Dot DotDot DotDotDot QuestionDot
    Question QuestionQuestion Bar BarGt Arrow FatArrow Eq EqEq NotEq Lt Gt LtEq GtEq Plus Minus
    Star Slash Percent AmpAmp BarBar Bang Semicolon ColonEq EqEqEq NotEqEq PlusPlus PlusEq
    MinusEq StarEq SlashEq;
    LongComment => Comment Mixed => Lid Quantity => Number Quote => StrStart
    PlainQuote => StrStart SingleQuote => SingleQuoted Backtick => BacktickQuoted
);

/// What the scanner is inside of.
#[derive(Clone, Copy, Debug)]
enum Mode {
    /// A text, with the offset of its opening quotes.
    Text { raw: bool, triple: bool, start: u32 },
    /// The code of an interpolation, with the number of braces open in it.
    Code { braces: u32 },
}

/// Splits a text into tokens. Linear.
pub(crate) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer::new(text, None);
    lexer.run(0);
    let Some(opener) = lexer.unclosed_triple else { return lexer.finish() };
    // The text swallowed the rest of the file. Once per file it is cut at the next declaration.
    let Some(cut) = scan::next_declaration(text, opener) else { return lexer.finish() };
    let mut lexer = Lexer::new(text, Some((opener, cut)));
    lexer.run(0);
    lexer.unclosed_triple = Some(opener);
    lexer.finish()
}

struct Lexer<'s> {
    text: &'s str,
    out: Lexed,
    modes: Vec<Mode>,
    /// How many texts in one pair of quotes are open.
    single_line: u32,
    /// The open triple-quoted text to be cut off, and where.
    cut: Option<(u32, u32)>,
    unclosed_triple: Option<u32>,
    /// What stands before the next significant token: flags of [`Significant`].
    before: u8,
    no_backtick: bool,
    no_comment_end: bool,
    /// The errors about names in mixed case, by name.
    mixed: FxHashMap<&'s str, usize>,
}

impl<'s> Lexer<'s> {
    fn new(text: &'s str, cut: Option<(u32, u32)>) -> Self {
        Self {
            text,
            out: Lexed {
                tokens: Vec::with_capacity(text.len() / 3 + 8),
                significant: Vec::with_capacity(text.len() / 4 + 8),
                docs: Vec::new(),
                breaks: Vec::new(),
                errors: Vec::new(),
                unclosed_triple: false,
                has_mixed_names: false,
            },
            modes: Vec::new(),
            single_line: 0,
            cut,
            unclosed_triple: None,
            before: 0,
            no_backtick: false,
            no_comment_end: false,
            mixed: FxHashMap::default(),
        }
    }

    fn finish(mut self) -> Lexed {
        let end = offset(self.text.len());
        self.out.tokens.push(Token { start: end, kind: SyntaxKind::Eof });
        self.out.has_mixed_names = !self.mixed.is_empty();
        self.out.unclosed_triple = self.unclosed_triple.is_some();
        self.out.errors.sort_by_key(|error| error.range.start());
        self.out
    }

    /// Scans to the end of the text. The automaton is started anew behind every text.
    fn run(&mut self, from: usize) {
        let mut base = from;
        if base == 0 && self.text.starts_with('\u{feff}') {
            base = '\u{feff}'.len_utf8();
            self.trivia(SyntaxKind::Whitespace, 0);
        }
        let mut raw = Raw::lexer(self.text);
        raw.bump(base);
        while let Some(token) = raw.next() {
            let (start, end) = (raw.span().start, raw.span().end);
            let start32 = offset(start);
            let Ok(token) = token else {
                let end = self.unknown_run(start, end);
                raw.bump(end - raw.span().end);
                continue;
            };
            let mut kind = KINDS.get(token as usize).copied().unwrap_or(SyntaxKind::Unknown);
            match token {
                Raw::Lid => kind = word_kind(raw.slice()),
                Raw::Whitespace | Raw::Comment | Raw::LongComment => {
                    self.trivia(kind, start32);
                    continue;
                }
                Raw::Newline => {
                    self.newline(start32, offset(end));
                    continue;
                }
                Raw::Doc | Raw::FileDoc => {
                    self.out.docs.push(offset(self.out.tokens.len()));
                    self.trivia(kind, start32);
                    continue;
                }
                // `#!/usr/bin/env kait` as the first line: a program that can be started.
                Raw::HashComment if start == base && raw.slice().starts_with("#!") => {
                    self.trivia(SyntaxKind::Comment, start32);
                    continue;
                }
                Raw::HashComment => {
                    self.comment_error(start32, offset(end), "#", None);
                    self.trivia(kind, start32);
                    continue;
                }
                Raw::BlockComment => {
                    let behind = self.block_comment(start, end);
                    raw.bump(behind - end);
                    continue;
                }
                Raw::Mixed => {
                    self.mixed_name(start32, raw.slice());
                    continue;
                }
                Raw::SingleQuote | Raw::Backtick => {
                    let behind = self.foreign_text(token, start, end);
                    raw.bump(behind - end);
                    continue;
                }
                Raw::Quote | Raw::PlainQuote => {
                    self.push(kind, start32);
                    self.open_text(Mode::Text {
                        raw: token == Raw::PlainQuote,
                        triple: end - start >= 3,
                        start: start32,
                    });
                    let behind = self.scan_text(end);
                    raw.bump(behind - end);
                    continue;
                }
                Raw::LBrace => {
                    if let Some(Mode::Code { braces }) = self.modes.last_mut() {
                        *braces += 1;
                    }
                }
                Raw::RBrace => match self.modes.last_mut() {
                    Some(Mode::Code { braces: 0 }) => {
                        self.push(SyntaxKind::InterpEnd, start32);
                        self.modes.pop();
                        let behind = self.scan_text(end);
                        raw.bump(behind - end);
                        continue;
                    }
                    Some(Mode::Code { braces }) => *braces -= 1,
                    _ => {}
                },
                Raw::Quantity => self.check_unit(start32, raw.slice()),
                Raw::Colon => self.word_is_name(),
                _ => {}
            }
            self.push(kind, start32);
        }
        if self.unclosed_triple.is_none() {
            self.unclosed_triple = self.outermost_triple();
        }
    }

    /// A run of blanks with a line break, up to `end`.
    #[inline]
    fn newline(&mut self, start: u32, end: u32) {
        self.before |= Significant::NEWLINE;
        self.trivia(SyntaxKind::Newline, start);
        if self.single_line > 0 {
            self.cut_texts();
        } else if let Some((opener, cut)) = self.cut
            && cut == end
            && self.outermost_triple() == Some(opener)
        {
            self.modes.clear();
            self.add_break();
        }
    }

    /// The offset of the quotes of the outermost open triple-quoted text.
    fn outermost_triple(&self) -> Option<u32> {
        self.modes.iter().find_map(|mode| match *mode {
            Mode::Text { triple: true, start, .. } => Some(start),
            _ => None,
        })
    }

    #[inline]
    fn trivia(&mut self, kind: SyntaxKind, start: u32) {
        self.out.tokens.push(Token { start, kind });
    }

    /// Adds a significant token and works out what stands before it.
    #[inline]
    fn push(&mut self, kind: SyntaxKind, start: u32) {
        let index = offset(self.out.tokens.len());
        self.out.tokens.push(Token { start, kind });
        let flags = if self.before == 0 { 0 } else { self.behind_gap(kind) };
        self.out.significant.push(Significant { index, kind, flags });
    }

    /// The flags of a token behind a line break or characters without meaning.
    #[inline(never)]
    fn behind_gap(&mut self, kind: SyntaxKind) -> u8 {
        let mut flags = std::mem::take(&mut self.before);
        if flags & Significant::NEWLINE != 0
            && !continues(kind)
            && (flags & Significant::CUT != 0 || self.can_end_before())
        {
            flags |= Significant::SEPARATOR;
        }
        flags
    }

    /// Whether the last token can end an expression or a type.
    fn can_end_before(&self) -> bool {
        use SyntaxKind as K;
        let Some((last, before)) = self.out.significant.split_last() else { return false };
        if last.kind.is_reserved_word() && !matches!(last.kind, K::TrueKw | K::FalseKw | K::NoneKw)
        {
            return before.last().is_some_and(|t| matches!(t.kind, K::Dot | K::QuestionDot));
        }
        ends_operand(last.kind)
            || matches!(last.kind, K::SingleQuoted | K::BacktickQuoted | K::PlusPlus)
    }

    /// A word before a `:` is a name, so it does not continue the line above.
    fn word_is_name(&mut self) {
        let [.., before, word] = self.out.significant.as_mut_slice() else { return };
        if word.kind.is_keyword() && word.has(Significant::NEWLINE) && ends_operand(before.kind) {
            word.flags |= Significant::SEPARATOR;
        }
    }

    fn open_text(&mut self, mode: Mode) {
        if let Mode::Text { triple: false, .. } = mode {
            self.single_line += 1;
        }
        self.modes.push(mode);
    }

    fn close_text(&mut self) {
        if let Some(Mode::Text { triple: false, .. }) = self.modes.pop() {
            self.single_line -= 1;
        }
    }

    /// A line ended inside a text in one pair of quotes: closes the outermost such text and all that
    /// is open inside it.
    fn cut_texts(&mut self) {
        let single = |mode: &Mode| matches!(mode, Mode::Text { triple: false, .. });
        let Some(outermost) = self.modes.iter().position(single) else { return };
        self.modes.truncate(outermost);
        self.single_line = 0;
        self.add_break();
    }

    fn add_break(&mut self) {
        let open = self.modes.iter().filter(|mode| matches!(mode, Mode::Text { .. })).count();
        let at = offset(self.out.significant.len());
        self.out.breaks.push(Break { at, open: offset(open) });
        // The text counts as closed, so that the newline rule sees the end of an expression.
        self.before |= Significant::NEWLINE | Significant::CUT;
    }

    /// Adds a mistake and gives its index; past the limit nothing, and an index that nothing has.
    fn error(&mut self, code: Code, start: u32, end: u32, message: impl Into<String>) -> usize {
        if self.out.errors.len() >= MAX_LEXICAL_ERRORS {
            return usize::MAX;
        }
        let range = TextRange::new(start.into(), end.max(start).into());
        self.out.errors.push(SyntaxError::new(code, range, message));
        self.out.errors.len() - 1
    }

    fn check_unit(&mut self, start: u32, text: &str) {
        let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        if let Some(radix) = scan::foreign_radix(number, unit) {
            let message = "whole numbers are written in decimal digits";
            let i = self.error(Code::BadNumber, start, start + offset(text.len()), message);
            let Some(error) = self.out.errors.get_mut(i) else { return };
            let digits = unit.get(1..).unwrap_or_default().replace('_', "");
            let range = error.range;
            *error = match u64::from_str_radix(&digits, radix) {
                Ok(value) => {
                    let right = value.to_string();
                    error.clone().with_replacement(format!("write `{right}`"), range, right)
                }
                Err(_) => error.clone().with_help("it is larger than a whole number can be"),
            };
            return;
        }
        if Unit::parse(unit).is_some() {
            return;
        }
        let at = start + offset(split);
        let end = start + offset(text.len());
        let i = self.error(Code::BadNumber, at, end, format!("there is no unit `{unit}`"));
        let Some(error) = self.out.errors.get_mut(i) else { return };
        let range = error.range;
        if let Some(right) = scan::similar_unit(unit) {
            let fixed = format!("write `{number}{right}`");
            *error = error.clone().with_replacement(fixed, range, right);
        } else if unit.strip_prefix(['e', 'E']).is_some_and(|rest| rest.parse::<u32>().is_ok()) {
            error.help = Some(
                "write the number in decimal with all its digits, such as `1_000_000.0`".into(),
            );
        } else {
            error.help = Some(
                "use one of `ms`, `s`, `m`, `h`, `d`, `kb`, `mb`, `gb`, or a currency in lower case such as `usd` or `eur`".into(),
            );
        }
    }
}

/// Whether an expression or a type that is complete may end with this token.
fn ends_operand(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    kind.can_be_name()
        || matches!(
            kind,
            K::Uid
                | K::Underscore
                | K::Number
                | K::StrEnd
                | K::RParen
                | K::RBracket
                | K::RBrace
                | K::Question
                | K::Gt
                | K::TrueKw
                | K::FalseKw
                | K::NoneKw
        )
}

/// Offsets fit: larger files are not lexed.
#[inline]
fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Tokens before which a newline never ends a statement, [`crate::keywords::CONTINUATIONS`].
#[inline]
pub(crate) fn continues(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::BarGt
            | K::Minus
            | K::Plus
            | K::Star
            | K::Slash
            | K::Percent
            | K::Dot
            | K::QuestionDot
            | K::Comma
            | K::RParen
            | K::RBracket
            | K::RBrace
            | K::WithKw
            | K::CatchKw
            | K::UndoKw
            | K::ElseKw
            | K::Arrow
            | K::FatArrow
            | K::AndKw
            | K::OrKw
            | K::InKw
            | K::IsKw
            | K::EqEq
            | K::NotEq
            | K::Lt
            | K::Gt
            | K::LtEq
            | K::GtEq
            | K::QuestionQuestion
            | K::Eq
            | K::Bar
            // What other languages write for one of these.
            | K::AmpAmp
            | K::BarBar
            | K::EqEqEq
            | K::NotEqEq
            | K::ColonEq
            | K::PlusEq
            | K::MinusEq
            | K::StarEq
            | K::SlashEq
            | K::Semicolon
            | K::InterpEnd
    )
}

#[cfg(test)]
mod tests;
