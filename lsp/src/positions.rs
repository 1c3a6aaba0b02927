//! Lines and columns of the protocol to byte offsets and back, in the encoding that was agreed on.

use kait_compiler::diagnostics::Span;
use kait_compiler::sources::File;
use kait_syntax::{LineIndex, TextSize};
use tower_lsp::ls_types::{Position, PositionEncodingKind, Range};

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what a client means that says nothing.
    #[default]
    Utf16,
}

impl Encoding {
    /// The best of those that a client offers.
    pub(crate) fn choose(offered: &[PositionEncodingKind]) -> Self {
        if offered.contains(&PositionEncodingKind::UTF8) { Self::Utf8 } else { Self::Utf16 }
    }

    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// The byte offset of a position. Columns past the end of a line mean its end, lines past the end of the text its
    /// end; a column inside of a character means its start.
    pub(crate) fn offset(self, text: &str, lines: &LineIndex, position: Position) -> u32 {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        match self {
            Self::Utf16 => lines
                .offset_of_utf16(text, position.line, position.character)
                .map_or(end, u32::from),
            Self::Utf8 => {
                let (Some(start), Some(stop)) =
                    (lines.line_start(position.line), lines.line_end(position.line))
                else {
                    return end;
                };
                let (start, stop) = (usize::from(start), usize::from(stop));
                let content = text.get(start..stop).unwrap_or_default();
                let content = content.strip_suffix('\n').unwrap_or(content);
                let content = content.strip_suffix('\r').unwrap_or(content);
                let mut column = (position.character as usize).min(content.len());
                while !content.is_char_boundary(column) {
                    column -= 1;
                }
                u32::try_from(start + column).unwrap_or(end)
            }
        }
    }

    /// The position of a byte offset.
    pub(crate) fn position(self, text: &str, lines: &LineIndex, offset: u32) -> Position {
        let at = lines.line_col(TextSize::from(offset));
        let column = match self {
            Self::Utf8 => at.col,
            Self::Utf16 => lines.utf16_col(text, TextSize::from(offset)),
        };
        Position::new(at.line, column)
    }

    /// The range of a place in its file.
    pub(crate) fn range(self, file: &File, span: Span) -> Range {
        let at = |offset| self.position(file.text(), &file.lines, offset);
        Range::new(at(span.start), at(span.end))
    }

    /// How long a text is.
    pub(crate) fn length(self, text: &str) -> u32 {
        let length = match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
        };
        u32::try_from(length).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_offsets_are_inverse() {
        let text = "aé😀b\r\n\nz";
        let lines = LineIndex::new(text);
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            for (offset, _) in text.char_indices().filter(|(_, c)| *c != '\n') {
                let offset = u32::try_from(offset).unwrap();
                let position = encoding.position(text, &lines, offset);
                assert_eq!(encoding.offset(text, &lines, position), offset, "{encoding:?}");
            }
        }
        let b = u32::try_from(text.find('b').unwrap()).unwrap();
        assert_eq!(Encoding::Utf16.position(text, &lines, b), Position::new(0, 4));
        assert_eq!(Encoding::Utf8.position(text, &lines, b), Position::new(0, 7));
    }

    #[test]
    fn a_return_alone_ends_a_line_too() {
        let text = "a\rbé\r\rc";
        let lines = LineIndex::new(text);
        for (offset, line, column) in [(0, 0, 0), (2, 1, 0), (7, 3, 0), (8, 3, 1)] {
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let position = Position::new(line, column);
                assert_eq!(encoding.position(text, &lines, offset), position);
                assert_eq!(encoding.offset(text, &lines, position), offset);
            }
        }
        assert_eq!(Encoding::Utf8.offset(text, &lines, Position::new(1, 99)), 5);
    }

    #[test]
    fn what_lies_outside_is_cut() {
        let text = "aé\r\nb";
        let lines = LineIndex::new(text);
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            assert_eq!(encoding.offset(text, &lines, Position::new(0, 99)), 3);
            assert_eq!(encoding.offset(text, &lines, Position::new(1, 99)), 6);
            assert_eq!(encoding.offset(text, &lines, Position::new(9, 0)), 6);
            assert_eq!(encoding.offset(text, &lines, Position::new(u32::MAX, u32::MAX)), 6);
        }
        assert_eq!(Encoding::Utf8.offset(text, &lines, Position::new(0, 2)), 1);
    }
}
