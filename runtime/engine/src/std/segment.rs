//! Segmenters: text in, in pieces of any size; segments out, as soon as no continuation can change them.
//!
//! Each is a machine over characters, so how the text was cut cannot matter; each is linear in the text's length.
//! The pure functions of `std.text` are the same machines, given the whole text at once.

use kait_ir::{Failure, Value};
use smol_str::SmolStr;

use super::args;

/// Cuts a growing text into segments.
#[derive(Clone, Debug)]
pub struct Segmenter {
    machine: Machine,
}

#[derive(Clone, Debug)]
enum Machine {
    Lines(String),
    Paragraphs(Paragraphs),
    Sentences(Sentences),
    Chunks(Chunks),
}

impl Segmenter {
    /// Lines, without `\n` and `\r\n`.
    pub fn lines() -> Self {
        Self { machine: Machine::Lines(String::new()) }
    }

    /// What stands between blank lines, trimmed.
    pub fn paragraphs() -> Self {
        Self { machine: Machine::Paragraphs(Paragraphs::default()) }
    }

    /// Sentences, trimmed; see [`Sentences`].
    pub fn sentences() -> Self {
        Self { machine: Machine::Sentences(Sentences::default()) }
    }

    /// Pieces of at most `size` characters; see [`Chunks`].
    ///
    /// # Errors
    /// `Invalid` unless `size >= 1` and `0 <= overlap <= size / 2`: with more, pieces could repeat the text many times.
    pub fn chunks(size: i64, overlap: i64) -> Result<Self, Failure> {
        let Some(size) = usize::try_from(size).ok().filter(|size| *size >= 1) else {
            return Err(Failure::invalid("size", format!("{size} is less than 1")));
        };
        let Some(overlap) = usize::try_from(overlap).ok().filter(|o| *o <= size / 2) else {
            let why = format!("{overlap} is not between 0 and {}, half of `size`", size / 2);
            return Err(Failure::invalid("overlap", why));
        };
        Ok(Self {
            machine: Machine::Chunks(Chunks {
                size,
                overlap,
                text: Vec::new(),
                start: 0,
                cut: 0,
                within_word: false,
            }),
        })
    }

    /// The segmenter of that std function, with the function's arguments after the text; `None` if the function is
    /// no segmenter.
    ///
    /// # Errors
    /// `Invalid` for arguments out of range.
    pub fn of(name: &str, args: &[Value]) -> Option<Result<Self, Failure>> {
        Some(match name {
            "text.lines" => Ok(Self::lines()),
            "text.paragraphs" => Ok(Self::paragraphs()),
            "text.sentences" => Ok(Self::sentences()),
            "text.chunks" => args::int(args, 0).and_then(|size| {
                let overlap = if args.len() > 1 { args::int(args, 1)? } else { 0 };
                Self::chunks(size, overlap)
            }),
            _ => return None,
        })
    }

    /// Takes the next piece and appends the segments that are now certain.
    pub fn push(&mut self, piece: &str, out: &mut Vec<SmolStr>) {
        match &mut self.machine {
            Machine::Lines(line) => {
                let mut rest = piece;
                while let Some((head, tail)) = rest.split_once('\n') {
                    line.push_str(head);
                    out.push(line.strip_suffix('\r').unwrap_or(line).into());
                    line.clear();
                    rest = tail;
                }
                line.push_str(rest);
            }
            Machine::Paragraphs(machine) => piece.chars().for_each(|c| machine.take(c, out)),
            Machine::Sentences(machine) => piece.chars().for_each(|c| machine.take(c, out)),
            Machine::Chunks(machine) => machine.push(piece, out),
        }
    }

    /// The text has ended: appends what is left. Afterwards the segmenter is as new.
    pub fn finish(&mut self, out: &mut Vec<SmolStr>) {
        match &mut self.machine {
            Machine::Lines(line) => {
                if !line.is_empty() {
                    out.push(std::mem::take(line).into());
                }
            }
            Machine::Paragraphs(machine) => {
                machine.emit(out);
                machine.blank_line = false;
            }
            Machine::Sentences(machine) => machine.emit(out),
            Machine::Chunks(machine) => machine.finish(out),
        }
    }
}

/// Appends the trimmed text if something is left of it, and clears it.
fn emit_trimmed(text: &mut String, out: &mut Vec<SmolStr>) {
    let trimmed = text.trim();
    if !trimmed.is_empty() {
        out.push(trimmed.into());
    }
    text.clear();
}

#[derive(Clone, Debug, Default)]
struct Paragraphs {
    text: String,
    /// Whether the line so far holds nothing but white space.
    blank_line: bool,
}

impl Paragraphs {
    fn take(&mut self, c: char, out: &mut Vec<SmolStr>) {
        if c == '\n' {
            if self.blank_line {
                self.emit(out);
            }
            self.blank_line = true;
        } else if !c.is_whitespace() {
            self.blank_line = false;
        }
        // White space before a paragraph is trimmed in the end: not keeping it bounds the buffer.
        if !(self.text.is_empty() && c.is_whitespace()) {
            self.text.push(c);
        }
    }

    fn emit(&mut self, out: &mut Vec<SmolStr>) {
        emit_trimmed(&mut self.text, out);
    }
}

/// A sentence ends at a line break, and after `.`, `!`, `?`, `…` or a relative of theirs in another script (with
/// the quotes and brackets that close there) where white space follows; East Asian marks need no white space. A full
/// stop does not end one after an initial (`J. Doe`), an abbreviation with inner dots (`e.g.`), a title (`Dr.`), or
/// a number that is all there is so far (`1. First`).
#[derive(Clone, Debug, Default)]
struct Sentences {
    text: String,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    /// Inside a sentence.
    #[default]
    Inside,
    /// After a mark that needs white space to end the sentence.
    Mark,
    /// After a mark that ends the sentence by itself.
    WideMark,
}

/// Titles that stand before a name.
const TITLES: &[&str] = &[
    "Mr", "Mrs", "Ms", "Mx", "Dr", "Prof", "Rev", "Gen", "Col", "Sgt", "Capt", "Lt", "Hon", "St",
    "No", "Nr", "Fig",
];

fn is_mark(c: char) -> bool {
    matches!(
        c,
        '.' | '!'
            | '?'
            | '…'
            | '‼'
            | '⁇'
            | '⁈'
            | '⁉'
            | '։'
            | '؟'
            | '۔'
            | '।'
            | '॥'
            | '။'
            | '።'
            | '។'
            | '᙮'
            | '᠃'
    )
}

fn is_wide_mark(c: char) -> bool {
    matches!(c, '。' | '｡' | '！' | '？' | '．')
}

fn is_closing(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '”'
            | '’'
            | '»'
            | '›'
            | ')'
            | ']'
            | '}'
            | '*'
            | '_'
            | '`'
            | '」'
            | '』'
            | '）'
            | '】'
            | '》'
    )
}

impl Sentences {
    fn take(&mut self, c: char, out: &mut Vec<SmolStr>) {
        if matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            self.emit(out);
            return;
        }
        match self.state {
            State::WideMark if !is_wide_mark(c) && !is_mark(c) && !is_closing(c) => self.emit(out),
            State::Mark if c.is_whitespace() && self.ends_here() => self.emit(out),
            _ => {}
        }
        self.state = match self.state {
            _ if is_wide_mark(c) => State::WideMark,
            State::WideMark if is_mark(c) || is_closing(c) => State::WideMark,
            _ if is_mark(c) => State::Mark,
            State::Mark if is_closing(c) => State::Mark,
            _ => State::Inside,
        };
        if !(self.text.is_empty() && c.is_whitespace()) {
            self.text.push(c);
        }
    }

    /// Whether the mark at the end of the text ends a sentence. It looks back over one word at most.
    fn ends_here(&self) -> bool {
        let before = self.text.trim_end_matches(is_closing);
        let Some(before) = before.strip_suffix('.') else { return true };
        if !before.is_empty() && before.bytes().all(|b| b.is_ascii_digit()) && before.len() <= 3 {
            return false;
        }
        // The longest word that matters is a title; a longer one is no abbreviation.
        let mut word_start = before.len();
        for (at, c) in before.char_indices().rev().take(12) {
            if c.is_whitespace() || matches!(c, '(' | '"' | '“' | '[' | '«') {
                break;
            }
            word_start = at;
        }
        let word = before.get(word_start..).unwrap_or_default();
        let initial = {
            let mut chars = word.chars();
            chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
        };
        let dotted = word.contains('.')
            && word.split('.').all(|part| {
                let mut chars = part.chars();
                chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
            });
        !(initial || dotted || TITLES.contains(&word))
    }

    fn emit(&mut self, out: &mut Vec<SmolStr>) {
        emit_trimmed(&mut self.text, out);
        self.state = State::Inside;
    }
}

/// A piece is the longest run of whole words within `size` characters, or `size` characters of a longer word, cut
/// before a base character so that no mark is torn off. The next one begins with the whole words among the last
/// `overlap` characters of it. Whether and where a piece is cut depends on its first `size + 1` characters only.
#[derive(Clone, Debug)]
struct Chunks {
    size: usize,
    overlap: usize,
    text: Vec<char>,
    /// Where the piece under way begins in `text`.
    start: usize,
    /// Where the last piece ended: what lies before was given already.
    cut: usize,
    /// Whether it ended within a word (or a script without spaces): then what is repeated need not begin a word.
    within_word: bool,
}

impl Chunks {
    fn push(&mut self, piece: &str, out: &mut Vec<SmolStr>) {
        self.text.extend(piece.chars());
        loop {
            self.skip_white();
            let Some(window) =
                self.start.checked_add(self.size).and_then(|end| self.text.get(self.start..=end))
            else {
                break;
            };
            // Only a cut beyond the last one gives something new.
            let first = (self.cut + 1).saturating_sub(self.start);
            let (cut, within_word) = match window.iter().rposition(|c| c.is_whitespace()) {
                Some(at) if at >= first => (self.start + at, false),
                // The next word has no room beside the repeated ones.
                _ if self.start < self.cut && !self.within_word => {
                    self.start = self.cut;
                    continue;
                }
                _ => (self.start + hard_cut(window, self.size), true),
            };
            self.emit(cut, out);
            self.start = self.next_start(cut, within_word);
            self.within_word = within_word;
            self.cut = cut;
        }
        // What lies behind is dropped in large steps, so the cost stays linear.
        if self.start > 4096 && self.start > self.text.len() / 2 {
            self.text.drain(..self.start);
            self.cut = self.cut.saturating_sub(self.start);
            self.start = 0;
        }
    }

    fn skip_white(&mut self) {
        while self.text.get(self.start).is_some_and(|c| c.is_whitespace()) {
            self.start += 1;
        }
    }

    fn next_start(&self, cut: usize, within_word: bool) -> usize {
        let earliest = cut.saturating_sub(self.overlap);
        if self.overlap == 0 || earliest <= self.start {
            return cut;
        }
        let starts_word = |at: &usize| {
            let white = |at: usize| self.text.get(at).is_some_and(|c| c.is_whitespace());
            !white(*at) && white(at.saturating_sub(1))
        };
        (earliest..cut).find(starts_word).unwrap_or(if within_word { earliest } else { cut })
    }

    fn emit(&self, end: usize, out: &mut Vec<SmolStr>) {
        let piece: String = self.text.get(self.start..end).unwrap_or_default().iter().collect();
        out.push(piece.trim_end().into());
    }

    fn finish(&mut self, out: &mut Vec<SmolStr>) {
        self.skip_white();
        let end = self.text.iter().rposition(|c| !c.is_whitespace()).map_or(0, |at| at + 1);
        if end > self.start.max(self.cut) {
            self.emit(end, out);
        }
        self.text.clear();
        (self.start, self.cut, self.within_word) = (0, 0, false);
    }
}

/// Where a word longer than a piece is cut: before the last character that is no combining mark or joiner.
fn hard_cut(window: &[char], size: usize) -> usize {
    let joins = |at: usize| {
        let extends = |c: char| {
            matches!(c,
                '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{200d}' | '\u{1f3fb}'..='\u{1f3ff}')
        };
        window.get(at).is_some_and(|c| extends(*c))
            || at > 0 && window.get(at - 1) == Some(&'\u{200d}')
    };
    (1..=size).rev().find(|at| !joins(*at)).unwrap_or(size)
}
