//! Byte offsets to lines and columns, and back.
//!
//! Lines and columns count from zero here; whoever prints adds one. Columns come in bytes
//! ([`LineCol`]) and on demand in UTF-16 units (the default of editors) or characters.

use text_size::TextSize;

/// A place as line and column, both from zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineCol {
    /// The line, from zero.
    pub line: u32,
    /// Bytes since the start of the line.
    pub col: u32,
}

/// Where the lines of a text start. A line ends with `\n`, `\r\n` or a `\r` alone, as editors count them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
    len: u32,
}

impl LineIndex {
    /// Linear in the text. Texts of 4 GiB and more are cut there.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let bytes = text.as_bytes();
        let is_break =
            |at: &usize| bytes.get(*at) == Some(&b'\n') || bytes.get(*at + 1) != Some(&b'\n');
        let after_breaks = memchr::memchr2_iter(b'\n', b'\r', bytes)
            .filter(is_break)
            .map_while(|at| u32::try_from(at + 1).ok());
        Self { starts: std::iter::once(0).chain(after_breaks).collect(), len }
    }

    /// The number of lines; a text that ends with a line break has an empty last line.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The line and byte column of an offset. Offsets past the end count as the end.
    #[must_use]
    pub fn line_col(&self, offset: TextSize) -> LineCol {
        let offset = u32::from(offset).min(self.len);
        let line = self.starts.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        LineCol { line: u32::try_from(line).unwrap_or(u32::MAX), col: offset - start }
    }

    /// The offset of a line's first byte.
    #[must_use]
    pub fn line_start(&self, line: u32) -> Option<TextSize> {
        self.starts.get(line as usize).map(|&start| start.into())
    }

    /// The offset after a line's last byte, its line break included.
    #[must_use]
    pub fn line_end(&self, line: u32) -> Option<TextSize> {
        self.line_start(line)?;
        Some(self.starts.get(line as usize + 1).copied().unwrap_or(self.len).into())
    }

    /// The offset of a line and byte column; `None` past the last line, cut at the line's end.
    #[must_use]
    pub fn offset(&self, place: LineCol) -> Option<TextSize> {
        let start = self.line_start(place.line)?;
        let end = self.line_end(place.line)?;
        Some(TextSize::from(u32::from(start).saturating_add(place.col)).min(end))
    }

    /// The column of an offset in UTF-16 code units.
    #[must_use]
    pub fn utf16_col(&self, text: &str, offset: TextSize) -> u32 {
        let units = self.before_in_line(text, offset).chars().map(char::len_utf16).sum::<usize>();
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    /// The column of an offset in characters.
    #[must_use]
    pub fn char_col(&self, text: &str, offset: TextSize) -> u32 {
        u32::try_from(self.before_in_line(text, offset).chars().count()).unwrap_or(u32::MAX)
    }

    /// The offset of a line and a column in UTF-16 units; the inverse of [`Self::utf16_col`]. Cut at
    /// the line's end, before its line break.
    #[must_use]
    pub fn offset_of_utf16(&self, text: &str, line: u32, col: u32) -> Option<TextSize> {
        let start = self.line_start(line)?;
        let end = self.line_end(line)?;
        let content = text.get(usize::from(start)..usize::from(end))?;
        let content = content.strip_suffix('\n').unwrap_or(content);
        let content = content.strip_suffix('\r').unwrap_or(content);
        let mut units = 0u32;
        for (byte, c) in content.char_indices() {
            if units >= col {
                return Some(start + TextSize::try_from(byte).ok()?);
            }
            units += u32::try_from(c.len_utf16()).unwrap_or(1);
        }
        Some(start + TextSize::of(content))
    }

    fn before_in_line<'t>(&self, text: &'t str, offset: TextSize) -> &'t str {
        let LineCol { line, col } = self.line_col(offset);
        let start = self.line_start(line).map_or(0, usize::from);
        let mut end = start + col as usize;
        while !text.is_char_boundary(end) && end > start {
            end -= 1;
        }
        text.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_offsets() {
        let text = "ab\nc😀d\r\n";
        let index = LineIndex::new(text);
        assert_eq!(index.line_count(), 3);
        let d = TextSize::from(8);
        assert_eq!(index.line_col(d), LineCol { line: 1, col: 5 });
        assert_eq!(index.utf16_col(text, d), 3);
        assert_eq!(index.char_col(text, d), 2);
        assert_eq!(index.offset_of_utf16(text, 1, 3), Some(d));
        assert_eq!(index.offset_of_utf16(text, 1, 99), Some(TextSize::from(9)));
        assert_eq!(index.offset(LineCol { line: 1, col: 5 }), Some(d));
        assert_eq!(index.line_col(TextSize::from(999)), LineCol { line: 2, col: 0 });
        assert_eq!(index.line_start(3), None);
        assert_eq!(LineIndex::new("").line_count(), 1);
    }

    #[test]
    fn a_line_ends_in_three_ways() {
        let index = LineIndex::new("a\rb\r\nc\n\rd\r");
        let starts: Vec<_> = (0..index.line_count())
            .map(|line| u32::from(index.line_start(line).unwrap()))
            .collect();
        assert_eq!(starts, [0, 2, 5, 7, 8, 10]);
    }

    #[test]
    fn inside_a_character() {
        let text = "😀";
        let index = LineIndex::new(text);
        assert_eq!(index.utf16_col(text, TextSize::from(2)), 0);
    }
}
