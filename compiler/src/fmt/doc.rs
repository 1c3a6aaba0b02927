//! The document: what the formatter writes before it is known where lines end, and the printer.
//!
//! A document is a flat list of [`Element`]s in the order of the text, in the tradition of Oppen
//! ("Prettyprinting", 1980) and Wadler ("A prettier printer", 1997): texts, places where a line may
//! end, groups that break at all of their lines or at none, indentation. Two things are KAIT's own:
//! comments are elements of their own, so that one that ends its line stays at the end of a line
//! whatever is laid out around it; and the layout is decided without looking ahead twice. When a group
//! closes its width on one line is known, and one backward pass notes how much must follow it on the
//! same line; so every decision is one comparison, and printing is linear in the document by
//! construction: each element is looked at once backwards and once forwards. No element makes the
//! printer loop.
//!
//! Whether a group breaks follows first from how it was written ([`Written`]): what stood on one line
//! never breaks, and what was broken stays so. Only between the two the width decides: such a group
//! breaks if it does not fit, together with what follows it up to the next place where a line may end,
//! in [`WIDTH`] columns, or if something in it takes several lines. Besides, a comment breaks the
//! innermost group around it. A broken group breaks at all of its own lines; the groups in it decide
//! for themselves. A group that is not broken does not indent the lines of those in it.
//!
//! The document knows nothing about the language: syntax is the business of the modules beside it.

use unicode_width::UnicodeWidthStr;

/// Columns that a line should not exceed where the formatter joins what was written on several.
pub(super) const WIDTH: u32 = 100;
/// Columns of one level of indentation.
pub(super) const INDENT: u32 = 2;

/// One piece of a document.
#[derive(Clone, Copy, Debug)]
enum Element<'a> {
    /// Text without line breaks, and its width in columns.
    Text(&'a str, u32),
    /// A comma: it stands before a comment that ends the line.
    Comma,
    /// A comma if the group around it is broken.
    CommaIfBroken,
    /// A comma if the group around it is not broken.
    CommaIfFlat,
    /// A blank that vanishes at the end of a line.
    Space,
    /// A place where a line ends if the group around it is broken; else nothing.
    SoftLine,
    /// The same; else a blank.
    Line,
    /// The end of a line.
    HardLine,
    /// Makes a line that is about to begin be preceded by a blank one.
    Blank,
    /// A comment behind the last text of its line.
    TrailingComment(&'a str),
    /// A comment on a line of its own.
    OwnLineComment(&'a str),
    /// The group with this number begins.
    Open(u32),
    /// The group with this number ends.
    Close(u32),
    /// Lines that begin behind this are indented one level more, if the group around it is broken.
    Indent,
    /// The end of an `Indent`.
    Dedent,
    /// A text over several lines begins: its lines stand below its quotes if these begin a line, else
    /// one level deeper than the line that they stand on.
    OpenText,
    /// A line of such a text begins.
    TextLine,
    /// Text with line breaks that is copied as it is.
    Verbatim(&'a str),
    /// Where the text begins that counts as code: see [`Printed::code_start`].
    CodeStart,
}

/// How the author laid out a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    /// Without a line break of its own: it never breaks, but for a comment.
    Flat,
    /// With line breaks that are not kept as such: it breaks if it does not fit.
    Loose,
    /// In its broken form: it breaks.
    Broken,
}

impl Written {
    /// Broken or else flat.
    pub(super) fn broken_if(broken: bool) -> Self {
        if broken { Self::Broken } else { Self::Flat }
    }

    /// Loose or else flat.
    pub(super) fn loose_if(loose: bool) -> Self {
        if loose { Self::Loose } else { Self::Flat }
    }
}

/// What is known of a group.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// Width of its content on one line; while it is open, the position where it began.
    flat: u32,
    /// Width of what follows it up to the next place where a line may end.
    rest: u32,
    /// Whether it must break.
    broken: bool,
    /// Whether it must not.
    flat_unless_broken: bool,
    /// Whether something in it takes several lines.
    has_lines: bool,
}

/// A document under construction. It can be cleared and filled again, which keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Doc<'a> {
    elements: Vec<Element<'a>>,
    groups: Vec<Group>,
    /// Numbers of the groups that are open. If one has lines, so have all before it.
    open: Vec<u32>,
    /// Width of everything so far on one line.
    position: u32,
    /// A comment waits for the end of its line: what comes next breaks that many open groups.
    comment_depth: Option<usize>,
}

impl<'a> Doc<'a> {
    /// Makes the document empty.
    pub(super) fn clear(&mut self) {
        self.elements.clear();
        self.groups.clear();
        self.open.clear();
        self.position = 0;
        self.comment_depth = None;
    }

    /// Adds text that contains no line break.
    pub(super) fn text(&mut self, text: &'a str) {
        if text.is_empty() {
            return;
        }
        self.content();
        let width = width(text);
        self.position = self.position.saturating_add(width);
        self.elements.push(Element::Text(text, width));
    }

    /// Adds a comma.
    pub(super) fn comma(&mut self) {
        self.position = self.position.saturating_add(1);
        self.elements.push(Element::Comma);
    }

    /// Adds a comma that is there if the group around it is broken.
    pub(super) fn comma_if_broken(&mut self) {
        self.elements.push(Element::CommaIfBroken);
    }

    /// Adds a comma that is there if the group around it stands on one line.
    pub(super) fn comma_if_flat(&mut self) {
        self.position = self.position.saturating_add(1);
        self.elements.push(Element::CommaIfFlat);
    }

    /// Adds a blank.
    pub(super) fn space(&mut self) {
        self.position = self.position.saturating_add(1);
        self.elements.push(Element::Space);
    }

    /// Adds a place where a line may end, else nothing.
    pub(super) fn soft_line(&mut self) {
        self.content();
        self.elements.push(Element::SoftLine);
    }

    /// Adds a place where a line may end, else a blank.
    pub(super) fn line(&mut self) {
        self.content();
        self.position = self.position.saturating_add(1);
        self.elements.push(Element::Line);
    }

    /// Ends the line; so the innermost group breaks.
    pub(super) fn hard_line(&mut self) {
        self.break_open(self.open.len());
        self.content();
        self.elements.push(Element::HardLine);
    }

    /// If a line has just been ended, leaves a blank one.
    pub(super) fn blank(&mut self) {
        self.elements.push(Element::Blank);
    }

    /// Adds a comment behind what stands before it. What follows begins a new line; the innermost
    /// group that is still open then breaks.
    pub(super) fn trailing_comment(&mut self, text: &'a str) {
        self.content();
        self.elements.push(Element::TrailingComment(text));
        self.comment_depth = Some(self.open.len());
    }

    /// Adds a comment on a line of its own; so the innermost group breaks.
    pub(super) fn own_line_comment(&mut self, text: &'a str) {
        self.break_open(self.open.len());
        self.content();
        self.elements.push(Element::OwnLineComment(text));
    }

    /// Opens a group.
    pub(super) fn open(&mut self, written: Written) {
        let broken = written == Written::Broken;
        if broken {
            self.lines_in(self.open.len());
        }
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.groups.push(Group {
            flat: self.position,
            rest: 0,
            broken,
            flat_unless_broken: written == Written::Flat,
            has_lines: broken,
        });
        self.open.push(number);
        self.elements.push(Element::Open(number));
    }

    /// Closes the group opened last.
    pub(super) fn close(&mut self) {
        let Some(number) = self.open.pop() else { return };
        self.elements.push(Element::Close(number));
        if let Some(depth) = &mut self.comment_depth {
            *depth = (*depth).min(self.open.len());
        }
        if let Some(group) = self.groups.get_mut(number as usize) {
            group.flat = self.position.saturating_sub(group.flat);
        }
    }

    /// Indents the lines that begin from here on.
    pub(super) fn indent(&mut self) {
        self.elements.push(Element::Indent);
    }

    /// Takes back an `indent`.
    pub(super) fn dedent(&mut self) {
        self.elements.push(Element::Dedent);
    }

    /// Begins a text whose lines stand below its quotes if these begin a line, else one level deeper than
    /// the line that they stand on.
    pub(super) fn open_text(&mut self) {
        self.elements.push(Element::OpenText);
    }

    /// Begins a line of such a text.
    pub(super) fn text_line(&mut self) {
        self.lines_in(self.open.len());
        self.elements.push(Element::TextLine);
    }

    /// Adds text that may have line breaks, as it is.
    pub(super) fn verbatim(&mut self, text: &'a str) {
        if !text.contains('\n') {
            return self.text(text);
        }
        self.lines_in(self.open.len());
        self.content();
        self.elements.push(Element::Verbatim(text));
    }

    /// Marks where code begins, behind comments.
    pub(super) fn code_start(&mut self) {
        self.elements.push(Element::CodeStart);
    }

    /// Whether a comment waits for the end of its line.
    pub(super) fn comment_waits(&self) -> bool {
        self.comment_depth.is_some()
    }

    /// Something follows a comment that waits for the end of its line.
    fn content(&mut self) {
        if let Some(depth) = self.comment_depth.take() {
            self.break_open(depth);
        }
    }

    /// Breaks the innermost of the outermost `depth` open groups.
    fn break_open(&mut self, depth: usize) {
        let innermost = depth.checked_sub(1).and_then(|at| self.open.get(at));
        if let Some(group) = innermost.and_then(|&number| self.groups.get_mut(number as usize)) {
            group.broken = true;
        }
        self.lines_in(depth);
    }

    /// Notes that something in the outermost `depth` open groups takes several lines. What surrounds a
    /// group that has lines has them already, so the walk from the inside out ends at the first one,
    /// and all walks together are linear.
    fn lines_in(&mut self, depth: usize) {
        for &number in self.open.iter().take(depth).rev() {
            match self.groups.get_mut(number as usize) {
                Some(group) if !group.has_lines => {
                    group.has_lines = true;
                    group.broken |= !group.flat_unless_broken;
                }
                _ => return,
            }
        }
    }

    /// Notes for each group how much follows it up to the next place where a line may end: a line of a
    /// group that may break.
    fn measure_rests(&mut self) {
        let mut rest = 0u32;
        // Of the open groups: how much follows them, and whether they may break.
        let mut open: Vec<(u32, bool)> = Vec::new();
        for element in self.elements.iter().rev() {
            match *element {
                Element::Text(_, width) => rest = rest.saturating_add(width),
                Element::SoftLine | Element::Line
                    if open.last().is_some_and(|&(_, may_break)| !may_break) =>
                {
                    let blank = matches!(element, Element::Line);
                    rest = rest.saturating_add(u32::from(blank));
                }
                Element::Comma | Element::CommaIfBroken | Element::Space => {
                    rest = rest.saturating_add(1);
                }
                Element::SoftLine
                | Element::Line
                | Element::HardLine
                | Element::TextLine
                | Element::OwnLineComment(_) => rest = 0,
                Element::Verbatim(text) => rest = width(first_line(text)),
                Element::Close(number) => {
                    let group = self.groups.get(number as usize);
                    let may_break =
                        group.is_none_or(|group| group.broken || !group.flat_unless_broken);
                    open.push((rest, may_break));
                }
                Element::Open(number) => {
                    let behind = open.pop().map_or(0, |(rest, _)| rest);
                    if let Some(group) = self.groups.get_mut(number as usize) {
                        group.rest = behind;
                    }
                }
                Element::CommaIfFlat
                | Element::Blank
                | Element::TrailingComment(_)
                | Element::Indent
                | Element::Dedent
                | Element::OpenText
                | Element::CodeStart => {}
            }
        }
    }

    /// Lays the document out and appends it to `out`, without a line break at its end. `out` must be
    /// empty or end a line.
    pub(super) fn print(&mut self, out: &mut String) -> Printed {
        self.measure_rests();
        let mut printer = Printer::new(out);
        for element in &self.elements {
            printer.element(*element, &self.groups);
        }
        printer.finish()
    }
}

/// What was printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printed {
    /// Offset in the output at which the code begins, behind leading comments.
    pub(super) code_start: usize,
}

struct Printer<'o, 'a> {
    out: &'o mut String,
    /// Where this document's text begins.
    begin: usize,
    code_start: Option<usize>,
    /// Whether the next text is the one that counts as code.
    awaits_code: bool,
    /// Columns of the current line; meaningless while a line break is due.
    column: u32,
    /// Line breaks to be written before the next text: 0, 1 or 2.
    breaks: u8,
    /// Columns of indentation of the line that the breaks begin.
    break_indent: u32,
    /// A blank to be written before the next text.
    space: bool,
    /// A comment to be written at the end of the line.
    comment: Option<&'a str>,
    /// Columns of indentation of the lines that begin now.
    indent: u32,
    /// Columns of indentation of the current line.
    line_indent: u32,
    /// Columns of indentation of the lines of the text over several lines.
    text_indent: u32,
    /// For each open group whether it stands on one line.
    flat: Vec<bool>,
}

impl<'o, 'a> Printer<'o, 'a> {
    fn new(out: &'o mut String) -> Self {
        let begin = out.len();
        Self {
            out,
            begin,
            code_start: None,
            awaits_code: false,
            column: 0,
            breaks: 0,
            break_indent: 0,
            space: false,
            comment: None,
            indent: 0,
            line_indent: 0,
            text_indent: 0,
            flat: Vec::new(),
        }
    }

    fn element(&mut self, element: Element<'a>, groups: &[Group]) {
        let flat = self.flat.last().copied().unwrap_or(false);
        match element {
            Element::Text(text, width) => {
                self.before_text();
                self.out.push_str(text);
                self.column = self.column.saturating_add(width);
            }
            Element::Comma => self.comma(),
            Element::CommaIfBroken if !flat => self.comma(),
            Element::CommaIfFlat if flat => self.comma(),
            Element::CommaIfBroken | Element::CommaIfFlat => {}
            Element::Space => self.space = true,
            Element::SoftLine if flat => {}
            Element::Line if flat => self.space = true,
            Element::SoftLine | Element::Line | Element::HardLine => self.end_line(),
            Element::Blank => {
                if self.breaks > 0 {
                    self.breaks = 2;
                }
            }
            Element::TrailingComment(text) => {
                if self.comment.is_some() {
                    // Two comments would become one: the second gets a line of its own.
                    self.own_line_comment(text);
                } else {
                    self.comment = Some(text);
                }
            }
            Element::OwnLineComment(text) => self.own_line_comment(text),
            Element::Open(number) => {
                let is_flat = groups.get(number as usize).is_none_or(|group| {
                    !group.broken && (group.flat_unless_broken || self.fits(group))
                });
                self.flat.push(is_flat);
            }
            Element::Close(_) => {
                self.flat.pop();
            }
            Element::Indent | Element::Dedent if flat => {}
            Element::Indent => self.indent = self.indent.saturating_add(INDENT),
            Element::Dedent => self.indent = self.indent.saturating_sub(INDENT),
            Element::OpenText => {
                // The text begins with the next element; the line it stands on must have begun.
                let begins_line = self.breaks > 0 || self.out.len() == self.begin;
                self.before_text();
                let deeper = if begins_line { 0 } else { INDENT };
                self.text_indent = self.line_indent.saturating_add(deeper);
            }
            Element::TextLine => {
                // Line breaks add up: a line of the text that stays empty gets no indentation.
                if self.breaks > 0 {
                    self.out.push('\n');
                }
                self.breaks = 1;
                self.break_indent = self.text_indent;
            }
            Element::Verbatim(text) => {
                self.before_text();
                self.out.push_str(text);
                self.column = width(text.rsplit('\n').next().unwrap_or_default());
            }
            Element::CodeStart => self.awaits_code = true,
        }
    }

    fn fits(&self, group: &Group) -> bool {
        let column = if self.breaks > 0 || self.comment.is_some() {
            self.break_indent
        } else {
            self.column.saturating_add(u32::from(self.space))
        };
        column.saturating_add(group.flat).saturating_add(group.rest) <= WIDTH
    }

    fn comma(&mut self) {
        if self.breaks > 0 {
            self.before_text();
        }
        self.space = false;
        self.out.push(',');
        self.column = self.column.saturating_add(1);
    }

    /// Writes what is due before text: the comment that ends the line, line breaks and indentation,
    /// or a blank.
    fn before_text(&mut self) {
        if self.comment.is_some() && self.breaks == 0 {
            // Nobody offered an end of the line, but a comment needs one: the line goes on below.
            self.breaks = 1;
            self.break_indent = self.indent.saturating_add(INDENT);
        }
        self.write_comment();
        if self.breaks > 0 {
            self.write_breaks();
        } else if self.space {
            self.out.push(' ');
            self.column = self.column.saturating_add(1);
        }
        self.space = false;
        if self.awaits_code {
            self.awaits_code = false;
            self.code_start = Some(self.out.len());
        }
    }

    fn write_comment(&mut self) {
        if let Some(comment) = self.comment.take() {
            self.out.push(' ');
            self.out.push_str(comment);
        }
    }

    fn write_breaks(&mut self) {
        if self.out.len() > self.begin {
            for _ in 0..self.breaks {
                self.out.push('\n');
            }
        }
        self.breaks = 0;
        for _ in 0..self.break_indent {
            self.out.push(' ');
        }
        self.line_indent = self.break_indent;
        self.column = self.break_indent;
    }

    fn end_line(&mut self) {
        self.breaks = self.breaks.max(1);
        self.break_indent = self.indent;
        self.space = false;
    }

    fn own_line_comment(&mut self, text: &str) {
        if self.breaks == 0 && self.out.len() > self.begin {
            self.breaks = 1;
            self.break_indent = self.indent.saturating_add(INDENT);
        }
        self.write_comment();
        self.space = false;
        self.write_breaks();
        self.out.push_str(text);
        // What follows stands below the comment, unless a line break of its own says otherwise.
        self.breaks = 1;
    }

    fn finish(mut self) -> Printed {
        self.write_comment();
        Printed { code_start: self.code_start.unwrap_or(self.out.len()) }
    }
}

/// Columns of text without line breaks (Unicode Standard Annex 11, ambiguous characters narrow).
fn width(text: &str) -> u32 {
    let columns = if text.is_ascii() { text.len() } else { text.width() };
    u32::try_from(columns).unwrap_or(u32::MAX)
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
