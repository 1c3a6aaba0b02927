//! Escapes within texts in quotes, one character at a time: JSON's, and what models write by mistake.

/// What was read of an escape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Escape {
    None,
    Backslash,
    /// Hexadecimal digits so far, and their value; and the first half of a pair before it.
    Unicode {
        digits: u8,
        code: u32,
        high: Option<u32>,
    },
    /// The first half of a pair was read; the other should follow as an escape.
    High(u32),
    HighBackslash(u32),
}

/// One character of a text in quotes that is not its end.
pub(super) fn unescape(c: char, escape: &mut Escape, text: &mut String) {
    let lone = char::REPLACEMENT_CHARACTER;
    *escape = match (*escape, c) {
        (Escape::None, '\\') => Escape::Backslash,
        (Escape::None, c) => {
            text.push(c);
            Escape::None
        }
        (Escape::Backslash, 'u') => Escape::Unicode { digits: 0, code: 0, high: None },
        (Escape::Backslash, c) => {
            text.push(match c {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                other => other,
            });
            Escape::None
        }
        (Escape::High(high), '\\') => Escape::HighBackslash(high),
        (Escape::High(_), c) => {
            text.push(lone);
            text.push(c);
            Escape::None
        }
        (Escape::HighBackslash(high), 'u') => {
            Escape::Unicode { digits: 0, code: 0, high: Some(high) }
        }
        (Escape::HighBackslash(_), c) => {
            text.push(lone);
            let mut again = Escape::Backslash;
            unescape(c, &mut again, text);
            again
        }
        (Escape::Unicode { digits, code, high }, c) => match c.to_digit(16) {
            Some(digit) if digits < 3 => {
                Escape::Unicode { digits: digits + 1, code: code * 16 + digit, high }
            }
            Some(digit) => finish_unicode(code * 16 + digit, high, text),
            None => {
                // No such escape: what stands there is kept.
                text.push(lone);
                let mut again = Escape::None;
                unescape(c, &mut again, text);
                again
            }
        },
    };
}

/// Four digits are complete.
fn finish_unicode(code: u32, high: Option<u32>, text: &mut String) -> Escape {
    let lone = char::REPLACEMENT_CHARACTER;
    match (code, high) {
        (0xdc00..=0xdfff, Some(high)) => {
            let pair = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
            text.push(char::from_u32(pair).unwrap_or(lone));
            Escape::None
        }
        (0xd800..=0xdbff, before) => {
            if before.is_some() {
                text.push(lone);
            }
            Escape::High(code)
        }
        (_, before) => {
            if before.is_some() {
                text.push(lone);
            }
            text.push(char::from_u32(code).unwrap_or(lone));
            Escape::None
        }
    }
}
