//! The parts of the lexer that are scanned by hand: texts and their modes, what other languages
//! write (block comments, other quotes), names in the wrong case, characters without meaning.

use super::lookalikes;
use super::{Lexer, Mode, Raw, Significant, offset};
use crate::codes::Code;
use crate::errors::{Edit, Fix};
use crate::{SyntaxKind, TextRange, strings};

impl<'s> Lexer<'s> {
    /// Scans the inside of the innermost open text from `from`; gives the offset where code goes on:
    /// behind the closing quotes, behind `${`, or at the line break that cuts the text off.
    pub(super) fn scan_text(&mut self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        let Some(&Mode::Text { raw, triple, start }) = self.modes.last() else { return from };
        let cut = self.cut.filter(|&(opener, _)| opener == start).map(|(_, cut)| cut as usize);
        // Something inside may have reached over the cut: then it falls here.
        let limit = cut.map_or(bytes.len(), |cut| cut.max(from));
        let mut run = from;
        let mut at = from;
        while let Some(run_on) =
            bytes.get(at..limit).and_then(|rest| rest.iter().position(is_special))
        {
            at += run_on;
            match bytes.get(at).copied() {
                Some(b'"') if !triple => {
                    self.text_run(run, at);
                    self.push(SyntaxKind::StrEnd, offset(at));
                    self.close_text();
                    return at + 1;
                }
                Some(b'"') if bytes.get(at..at + 3) == Some(b"\"\"\"") => {
                    self.text_run(run, at);
                    self.push(SyntaxKind::StrEnd, offset(at));
                    self.close_text();
                    return at + 3;
                }
                Some(b'\n') if self.single_line > 0 => {
                    // A carriage return belongs to the line break.
                    let end =
                        if at > run && bytes.get(at - 1) == Some(&b'\r') { at - 1 } else { at };
                    self.text_run(run, end);
                    self.cut_texts();
                    return end;
                }
                Some(b'\\') if !raw => {
                    let end = self.escape_end(at);
                    self.text_run(run, at);
                    self.push(SyntaxKind::StrEscape, offset(at));
                    run = end;
                    at = end;
                }
                Some(b'$') if !raw && bytes.get(at + 1) == Some(&b'{') => {
                    self.text_run(run, at);
                    self.push(SyntaxKind::InterpStart, offset(at));
                    self.modes.push(Mode::Code { braces: 0 });
                    return at + 2;
                }
                _ => at += 1,
            }
        }
        self.text_run(run, limit);
        if cut.is_some() {
            self.modes.clear();
            self.add_break();
        } else {
            self.unclosed_triple = self.outermost_triple();
            self.modes.clear();
        }
        self.single_line = 0;
        limit
    }

    fn text_run(&mut self, start: usize, end: usize) {
        if start < end {
            self.push(SyntaxKind::StrText, offset(start));
        }
    }

    /// Where the escape sequence that starts at `at` ends. Reports it if it means nothing.
    fn escape_end(&mut self, at: usize) -> usize {
        let rest = self.text.get(at + 1..).unwrap_or_default();
        let end = match rest.chars().next() {
            Some('u') if rest.as_bytes().get(1) == Some(&b'{') => {
                let digits = rest
                    .bytes()
                    .skip(2)
                    .take(12)
                    .take_while(|byte| byte.is_ascii_alphanumeric())
                    .count();
                let closed = rest.as_bytes().get(2 + digits) == Some(&b'}');
                at + 3 + digits + usize::from(closed)
            }
            None | Some('\n' | '\r') => at + 1,
            Some(c) => at + 1 + c.len_utf8(),
        };
        let sequence = self.text.get(at..end).unwrap_or_default();
        if strings::unescape(sequence).is_none() {
            let message = format!("`{sequence}` means nothing in a text");
            let i = self.error(Code::BadEscape, offset(at), offset(end), message);
            if let Some(error) = self.out.errors.get_mut(i) {
                error.understood = true;
                if let Some((end, right)) = foreign_escape(rest) {
                    let range = TextRange::new(offset(at).into(), offset(at + 1 + end).into());
                    error.range = range;
                    error.fix = Some(Fix {
                        title: format!("write `{right}`"),
                        edits: vec![Edit { range, text: right }],
                        safe: true,
                    });
                } else if sequence.starts_with("\\u") {
                    error.help = Some(
                        "write the number of the character in braces, such as `\\u{e9}`".into(),
                    );
                } else {
                    error.help =
                        Some("use only `\\n`, `\\t`, `\\\"`, `\\\\`, `\\$` and `\\u{…}`; for a plain backslash write `\\\\`, or put the text into `r\"…\"`".into());
                    error.fix = Some(Fix {
                        title: "double the backslash".into(),
                        edits: vec![Edit {
                            range: TextRange::empty(offset(at).into()),
                            text: "\\".into(),
                        }], // Of an escape of other languages nobody knows whether a backslash was meant.
                        safe: !sequence.ends_with(['a', 'b', 'f', 'v', 'x', 'U', '0']),
                    });
                }
            }
        }
        end
    }

    pub(super) fn comment_error(&mut self, start: u32, end: u32, marker: &str, fix: Option<Fix>) {
        let i = self.error(
            Code::CommentStyle,
            start,
            end,
            format!("write `//` instead of `{marker}` to begin a comment"),
        );
        let Some(error) = self.out.errors.get_mut(i) else { return };
        error.fix = fix.or_else(|| {
            let range = TextRange::at(start.into(), offset(marker.len()).into());
            Some(Fix {
                title: format!("replace `{marker}` by `//`"),
                edits: vec![Edit { range, text: "//".into() }],
                safe: true,
            })
        });
    }

    /// `/* ... */`: to its end, or to the end of the line if it has none.
    pub(super) fn block_comment(&mut self, start: usize, body: usize) -> usize {
        let rest = self.text.get(body..).unwrap_or_default();
        let close = if self.no_comment_end { None } else { rest.find("*/") };
        let end = match close {
            Some(length) => body + length + 2,
            None => {
                self.no_comment_end = true;
                body + rest.find('\n').unwrap_or(rest.len())
            }
        };
        let comment = self.text.get(start..end).unwrap_or_default();
        if comment.contains('\n') {
            self.before |= Significant::NEWLINE;
        }
        // As line comments: possible if nothing but a line break stands behind it.
        let behind = self.text.get(end..).unwrap_or_default();
        let alone = behind.trim_start_matches([' ', '\t', '\r']);
        let fix = (alone.is_empty() || alone.starts_with('\n')).then(|| {
            let inner = comment.strip_prefix("/*").unwrap_or(comment);
            let inner = inner.strip_suffix("*/").unwrap_or(inner);
            let lines: Vec<String> = inner
                .trim()
                .lines()
                .map(|line| line.trim().trim_start_matches('*').trim())
                .map(|line| format!("// {line}").trim_end().to_owned())
                .collect();
            let before = self.text.get(..start).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
            let separator = format!("\n{indent}");
            Fix {
                title: "write it with `//`".into(),
                edits: vec![Edit {
                    range: TextRange::new(offset(start).into(), offset(end).into()),
                    text: if lines.is_empty() { "//".into() } else { lines.join(&separator) },
                }],
                safe: true,
            }
        });
        let i = self.error(
            Code::CommentStyle,
            offset(start),
            offset(end),
            "KAIT has no block comments: begin each line with `//`",
        );
        if let Some(error) = self.out.errors.get_mut(i) {
            error.fix = fix;
        }
        self.trivia(SyntaxKind::BlockComment, offset(start));
        end
    }

    /// A text in single quotes (to the end of its line at most) or in backticks. An apostrophe
    /// without a partner is a character without meaning.
    pub(super) fn foreign_text(&mut self, quote: Raw, start: usize, body: usize) -> usize {
        let rest = self.text.get(body..).unwrap_or_default();
        let to = |quote: char| {
            let mut escaped = false;
            let end = rest.find(|c: char| {
                let ends = c == '\n' || c == quote && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            })?;
            rest.get(end..)?.starts_with(quote).then_some(end)
        };
        let (kind, length) = if quote == Raw::SingleQuote {
            (SyntaxKind::SingleQuoted, to('\''))
        } else if self.single_line > 0 {
            (SyntaxKind::BacktickQuoted, to('`'))
        } else {
            let found = if self.no_backtick { None } else { rest.find('`') };
            self.no_backtick |= found.is_none();
            (SyntaxKind::BacktickQuoted, found)
        };
        match length {
            Some(length) => {
                let end = body + length + 1;
                self.push(kind, offset(start));
                end
            }
            None => self.unknown_run(start, body),
        }
    }

    /// A name that is neither lower nor upper case throughout: one token, reported where the name
    /// comes first; the fix renames it everywhere.
    pub(super) fn mixed_name(&mut self, start: u32, text: &'s str) {
        let end = start as usize + text.len();
        let (kind, code, right) = if text.starts_with(|c: char| c.is_ascii_uppercase()) {
            (SyntaxKind::Uid, Code::UpperCase, upper_camel(text))
        } else {
            (SyntaxKind::Lid, Code::LowerCase, snake(text))
        };
        let range = TextRange::new(start.into(), offset(end).into());
        let edit = Edit { range, text: right.clone() };
        if let Some(error) = self.mixed.get(text).and_then(|&i| self.out.errors.get_mut(i)) {
            if let Some(fix) = &mut error.fix {
                fix.edits.push(edit);
            }
        } else {
            let style = if kind == SyntaxKind::Uid { "UpperCamelCase" } else { "snake_case" };
            let i = self.error(
                code,
                start,
                offset(end),
                format!("`{text}` must be written in {style}: `{right}`"),
            );
            if let Some(error) = self.out.errors.get_mut(i) {
                error.fix = Some(Fix {
                    title: format!("rename it to `{right}`"),
                    edits: vec![edit],
                    safe: true,
                });
                self.mixed.insert(text, i);
            }
        }
        self.push(kind, start);
    }

    /// Characters without meaning, as one token from `start`; gives its end. `end` is where the
    /// first of them ends.
    pub(super) fn unknown_run(&mut self, start: usize, end: usize) -> usize {
        let mut end = end.max(start);
        // The automaton may stop inside a character.
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let rest = self.text.get(end..).unwrap_or_default();
        end += rest
            .find(|c: char| {
                c.is_ascii() && !c.is_ascii_control() || matches!(c, '\n' | '\r' | '\t')
            })
            .unwrap_or(rest.len());
        let text = self.text.get(start..end).unwrap_or_default();
        let behind = self.text.get(end..).unwrap_or_default();
        let code = Code::UnknownCharacter;
        let shown: String = text.chars().take(20).flat_map(char::escape_debug).collect();
        let range = TextRange::new(offset(start).into(), offset(end).into());
        if text.chars().all(|c| c.is_whitespace()) {
            let i =
                self.error(code, offset(start), offset(end), "this character is not a plain space");
            if let Some(error) = self.out.errors.get_mut(i) {
                *error = error.clone().with_replacement("replace it by a space", range, " ");
            }
            self.trivia(SyntaxKind::Unknown, offset(start));
            return end;
        }
        let letters = text.chars().any(char::is_alphabetic);
        let quotes = text.contains(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']);
        if quotes {
            let i = self.error(
                Code::Quotes,
                offset(start),
                offset(end),
                "write a text in straight double quotes: `\"…\"`",
            );
            if let Some(error) = self.out.errors.get_mut(i) {
                let fixed: String = text
                    .chars()
                    .map(|c| if matches!(c, '\u{2018}'..='\u{201f}') { '"' } else { c })
                    .collect();
                let mut edits = vec![Edit { range, text: fixed }];
                let line = behind.split('\n').next().unwrap_or_default();
                if let Some((at, c)) =
                    line.char_indices().find(|(_, c)| matches!(c, '\u{2018}'..='\u{201f}'))
                {
                    let range = TextRange::at(offset(end + at).into(), text_size::TextSize::of(c));
                    edits.push(Edit { range, text: "\"".into() });
                }
                error.fix = Some(Fix { title: "use straight quotes".into(), edits, safe: true });
            }
        } else if let Some((ours, message)) = look_alikes(text) {
            let i = self.error(code, offset(start), offset(end), message);
            if let Some(error) = self.out.errors.get_mut(i) {
                let title = format!("write `{ours}`");
                *error = error.clone().with_replacement(title, range, ours);
            }
        } else if letters {
            let i = self.error(
                code,
                offset(start),
                offset(end),
                format!("`{shown}` cannot be part of a name"),
            );
            if let Some(error) = self.out.errors.get_mut(i) {
                error.help =
                    Some("use only the letters a to z, upper or lower case, digits and `_`".into());
            }
        } else {
            let message = format!("`{shown}` has no meaning here");
            let i = self.error(code, offset(start), offset(end), message);
            let currency = match text {
                "$" => Some("usd"),
                "\u{20ac}" => Some("eur"),
                "\u{a3}" => Some("gbp"),
                "\u{a5}" => Some("jpy"),
                _ => None,
            };
            let digits = |c: char| c.is_ascii_digit() || c == '.' || c == '_';
            let before = self.text.get(..start).unwrap_or_default();
            let number_before = before.len() - before.trim_end_matches(digits).len();
            let number_behind = behind.len() - behind.trim_start_matches(digits).len();
            if let Some(error) = self.out.errors.get_mut(i) {
                error.help = Some(match text {
                    "^" => "a power is `math.pow(x, y)`".into(),
                    "@" => decorator(behind).into(),
                    _ => match currency {
                        Some(code) => format!("an amount has its currency behind it: `5{code}`"),
                        None => "remove it; it is allowed only inside a text, `\"…\"`".into(),
                    },
                });
                // Several countries write their currency with the same sign.
                if let Some(code) = currency {
                    let edits = if number_behind > 0 {
                        let place = TextRange::empty(offset(end + number_behind).into());
                        vec![
                            Edit { range, text: String::new() },
                            Edit { range: place, text: code.into() },
                        ]
                    } else if number_before > 0 {
                        vec![Edit { range, text: code.into() }]
                    } else {
                        Vec::new()
                    };
                    if !edits.is_empty() {
                        let title = format!("write the currency `{code}`");
                        error.fix = Some(Fix { title, edits, safe: false });
                    }
                }
            }
        }
        self.trivia(SyntaxKind::Unknown, offset(start));
        self.before |= Significant::AFTER_UNKNOWN;
        end
    }
}

/// Whether a byte of a text may be more than itself.
fn is_special(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'$' | b'\n')
}

/// A name as lower case with underscores.
#[must_use]
pub fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let chars: Vec<char> = text.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() {
            let before = i.checked_sub(1).and_then(|i| chars.get(i)).copied();
            let behind = chars.get(i + 1).copied();
            let word = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                || before.is_some_and(|b| b.is_ascii_uppercase())
                    && behind.is_some_and(|n| n.is_ascii_lowercase());
            if word {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// A name as words with capitals.
#[must_use]
pub fn upper_camel(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split('_').filter(|word| !word.is_empty()) {
        let shouting = word.len() > 1 && !word.bytes().any(|b| b.is_ascii_lowercase());
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        let rest = chars.as_str();
        if shouting {
            out.push_str(&rest.to_ascii_lowercase());
        } else {
            out.push_str(rest);
        }
    }
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, 'T');
    }
    out
}

/// What is written instead of a decorator; `behind` is the text behind its `@`.
fn decorator(behind: &str) -> &'static str {
    let end = behind.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(behind.len());
    match behind.get(..end).unwrap_or_default() {
        "description" | "doc" | "docs" | "desc" => {
            "write `/// text` on the line above what it describes"
        }
        "alias" | "rename" | "name" | "serde" | "json" | "JsonProperty" => {
            "another name outside of the program is written after the type: `as \"name\"`"
        }
        "assert" | "check" | "check_assert" => {
            "a rule for a value is written after its type: `where (min: 1)`"
        }
        _ => "KAIT has no decorators: write what a call needs in its `with (…)`",
    }
}

/// The unit that was probably meant.
pub(crate) fn similar_unit(unit: &str) -> Option<&'static str> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "millis" | "milliseconds" | "millisecond" | "msec" | "msecs" => "ms",
        "secs" | "second" | "seconds" => "s",
        "mins" | "minute" | "minutes" => "m",
        "hr" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "k" | "kib" | "kilobytes" if unit != "k" => "kb",
        "mib" | "megabytes" => "mb",
        "gib" | "gigabytes" => "gb",
        lower => {
            return crate::numbers::known_units().find(|known| *known == lower);
        }
    })
}

/// The offset of the first line behind `from` that starts a declaration in column 1.
pub(super) fn next_declaration(text: &str, from: u32) -> Option<u32> {
    let rest = text.get(from as usize..)?;
    let mut at = from as usize;
    for line in rest.split_inclusive('\n') {
        if at > from as usize && starts_declaration(line) {
            return Some(offset(at));
        }
        at += line.len();
    }
    None
}

fn starts_declaration(line: &str) -> bool {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let (word, rest) =
        line.split_at(line.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(line.len()));
    let Some(rest) = rest.strip_prefix(' ') else { return false };
    let rest = rest.trim_start();
    let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let behind = rest.get(name..).unwrap_or_default().trim();
    match word {
        "record" | "enum" | "session" => name > 0 && behind.starts_with(['{', '<']),
        "fn" | "graph" | "prompt" | "agent" | "extern" => {
            name > 0 && behind.starts_with(['(', '<'])
        }
        "type" => name > 0 && behind.starts_with(['=', '<']),
        "trigger" => name > 0 && behind.starts_with("on "),
        "test" => rest.starts_with('"') && rest.trim_end().ends_with('{'),
        _ => false,
    }
}

/// What a run of characters looks like in letters and signs of the language, and what to say of it; if all of it does.
fn look_alikes(text: &str) -> Option<(String, String)> {
    let ours: String =
        text.chars().map(|c| lookalikes::of(c).map(|(ours, _)| ours)).collect::<Option<_>>()?;
    let mut all = text.chars();
    let message = match (all.next(), all.next()) {
        (Some(one), None) => {
            let (_, what) = lookalikes::of(one)?;
            format!("`{one}` is {what}; it looks like `{ours}`")
        }
        _ => {
            let shown: String = text.chars().take(20).collect();
            let ours: String = ours.chars().take(20).collect();
            format!("`{shown}` is written in other characters than `{ours}`, which it looks like")
        }
    };
    Some((ours, message))
}

/// What an escape of other languages means, given what stands behind its backslash: how much of that it takes, and how it
/// is written here. Only those with one meaning: `\b` is a backspace to some and an edge of a word to others, and `\d` a
/// digit only where the backslash is doubled.
fn foreign_escape(rest: &str) -> Option<(usize, String)> {
    let digits = |from: usize, most: usize| {
        let digits = rest.get(from..from + most)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        // Halves of pairs stand for nothing alone.
        char::from_u32(number)?;
        Some((from + most, format!("\\u{{{number:x}}}")))
    };
    match rest.bytes().next()? {
        b'x' => digits(1, 2),
        b'u' => digits(1, 4),
        b'U' => digits(1, 8),
        quote @ (b'\'' | b'`' | b'/') => Some((1, char::from(quote).to_string())),
        b'r' => Some((1, "\\u{d}".into())),
        b'0' if !rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => {
            Some((1, "\\u{0}".into()))
        }
        _ => None,
    }
}

/// The base of a number with a prefix of other languages: `0x`, `0b`, `0o`, and digits of that base.
pub(super) fn foreign_radix(number: &str, unit: &str) -> Option<u32> {
    let radix = match unit.bytes().next()? {
        b'x' | b'X' => 16,
        b'b' | b'B' => 2,
        b'o' | b'O' => 8,
        _ => return None,
    };
    let digits = unit.get(1..)?;
    let fits = digits.chars().all(|c| c == '_' || c.is_digit(radix));
    (number == "0" && !digits.is_empty() && fits).then_some(radix)
}
