//! Letters and signs that look like those of the language and are others: what was meant, and what they are.
//!
//! A selection from `confusables.txt` of the Unicode Technical Standard 39, version 16: letters of alphabets from which
//! programs are typed, and dashes. The names are those of the Unicode Character Database.

/// What looks the same: the character, ours, and its name. In the order of the characters.
const TABLE: &[(char, char, &str)] = &[
    ('\u{131}', 'i', "LATIN SMALL LETTER DOTLESS I"),
    ('\u{17f}', 'f', "LATIN SMALL LETTER LONG S"),
    ('\u{251}', 'a', "LATIN SMALL LETTER ALPHA"),
    ('\u{261}', 'g', "LATIN SMALL LETTER SCRIPT G"),
    ('\u{391}', 'A', "GREEK CAPITAL LETTER ALPHA"),
    ('\u{392}', 'B', "GREEK CAPITAL LETTER BETA"),
    ('\u{395}', 'E', "GREEK CAPITAL LETTER EPSILON"),
    ('\u{396}', 'Z', "GREEK CAPITAL LETTER ZETA"),
    ('\u{397}', 'H', "GREEK CAPITAL LETTER ETA"),
    ('\u{399}', 'I', "GREEK CAPITAL LETTER IOTA"),
    ('\u{39a}', 'K', "GREEK CAPITAL LETTER KAPPA"),
    ('\u{39c}', 'M', "GREEK CAPITAL LETTER MU"),
    ('\u{39d}', 'N', "GREEK CAPITAL LETTER NU"),
    ('\u{39f}', 'O', "GREEK CAPITAL LETTER OMICRON"),
    ('\u{3a1}', 'P', "GREEK CAPITAL LETTER RHO"),
    ('\u{3a4}', 'T', "GREEK CAPITAL LETTER TAU"),
    ('\u{3a5}', 'Y', "GREEK CAPITAL LETTER UPSILON"),
    ('\u{3a7}', 'X', "GREEK CAPITAL LETTER CHI"),
    ('\u{3b1}', 'a', "GREEK SMALL LETTER ALPHA"),
    ('\u{3b3}', 'y', "GREEK SMALL LETTER GAMMA"),
    ('\u{3b9}', 'i', "GREEK SMALL LETTER IOTA"),
    ('\u{3bd}', 'v', "GREEK SMALL LETTER NU"),
    ('\u{3bf}', 'o', "GREEK SMALL LETTER OMICRON"),
    ('\u{3c1}', 'p', "GREEK SMALL LETTER RHO"),
    ('\u{3c5}', 'u', "GREEK SMALL LETTER UPSILON"),
    ('\u{3f2}', 'c', "GREEK LUNATE SIGMA SYMBOL"),
    ('\u{3f3}', 'j', "GREEK LETTER YOT"),
    ('\u{405}', 'S', "CYRILLIC CAPITAL LETTER DZE"),
    ('\u{406}', 'I', "CYRILLIC CAPITAL LETTER BYELORUSSIAN-UKRAINIAN I"),
    ('\u{408}', 'J', "CYRILLIC CAPITAL LETTER JE"),
    ('\u{410}', 'A', "CYRILLIC CAPITAL LETTER A"),
    ('\u{412}', 'B', "CYRILLIC CAPITAL LETTER VE"),
    ('\u{415}', 'E', "CYRILLIC CAPITAL LETTER IE"),
    ('\u{41a}', 'K', "CYRILLIC CAPITAL LETTER KA"),
    ('\u{41c}', 'M', "CYRILLIC CAPITAL LETTER EM"),
    ('\u{41d}', 'H', "CYRILLIC CAPITAL LETTER EN"),
    ('\u{41e}', 'O', "CYRILLIC CAPITAL LETTER O"),
    ('\u{420}', 'P', "CYRILLIC CAPITAL LETTER ER"),
    ('\u{421}', 'C', "CYRILLIC CAPITAL LETTER ES"),
    ('\u{422}', 'T', "CYRILLIC CAPITAL LETTER TE"),
    ('\u{423}', 'Y', "CYRILLIC CAPITAL LETTER U"),
    ('\u{425}', 'X', "CYRILLIC CAPITAL LETTER HA"),
    ('\u{430}', 'a', "CYRILLIC SMALL LETTER A"),
    ('\u{433}', 'r', "CYRILLIC SMALL LETTER GHE"),
    ('\u{435}', 'e', "CYRILLIC SMALL LETTER IE"),
    ('\u{43e}', 'o', "CYRILLIC SMALL LETTER O"),
    ('\u{440}', 'p', "CYRILLIC SMALL LETTER ER"),
    ('\u{441}', 'c', "CYRILLIC SMALL LETTER ES"),
    ('\u{443}', 'y', "CYRILLIC SMALL LETTER U"),
    ('\u{445}', 'x', "CYRILLIC SMALL LETTER HA"),
    ('\u{455}', 's', "CYRILLIC SMALL LETTER DZE"),
    ('\u{456}', 'i', "CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I"),
    ('\u{458}', 'j', "CYRILLIC SMALL LETTER JE"),
    ('\u{475}', 'v', "CYRILLIC SMALL LETTER IZHITSA"),
    ('\u{4af}', 'y', "CYRILLIC SMALL LETTER STRAIGHT U"),
    ('\u{4bb}', 'h', "CYRILLIC SMALL LETTER SHHA"),
    ('\u{4cf}', 'l', "CYRILLIC SMALL LETTER PALOCHKA"),
    ('\u{501}', 'd', "CYRILLIC SMALL LETTER KOMI DE"),
    ('\u{50c}', 'G', "CYRILLIC CAPITAL LETTER KOMI SJE"),
    ('\u{51a}', 'Q', "CYRILLIC CAPITAL LETTER QA"),
    ('\u{51b}', 'q', "CYRILLIC SMALL LETTER QA"),
    ('\u{51c}', 'W', "CYRILLIC CAPITAL LETTER WE"),
    ('\u{51d}', 'w', "CYRILLIC SMALL LETTER WE"),
    ('\u{566}', 'q', "ARMENIAN SMALL LETTER ZA"),
    ('\u{570}', 'h', "ARMENIAN SMALL LETTER HO"),
    ('\u{578}', 'n', "ARMENIAN SMALL LETTER VO"),
    ('\u{57d}', 'u', "ARMENIAN SMALL LETTER SEH"),
    ('\u{581}', 'g', "ARMENIAN SMALL LETTER CO"),
    ('\u{585}', 'o', "ARMENIAN SMALL LETTER OH"),
    ('\u{2010}', '-', "HYPHEN"),
    ('\u{2011}', '-', "NON-BREAKING HYPHEN"),
    ('\u{2013}', '-', "EN DASH"),
    ('\u{2014}', '-', "EM DASH"),
    ('\u{2212}', '-', "MINUS SIGN"),
];

/// The character of the language that another one looks like, and what the other one is.
pub(super) fn of(c: char) -> Option<(char, String)> {
    let number = u32::from(c);
    // Both blocks hold whole alphabets in order (Unicode 16, charts FF00 and 1D400).
    if (0xff01..=0xff5e).contains(&number) {
        let ours = char::from_u32(number - 0xff01 + 0x21)?;
        let what = if ours.is_ascii_alphanumeric() { "letter or digit" } else { "sign" };
        return Some((ours, format!("a full-width {what}, U+{number:04X}")));
    }
    if (0x1d400..=0x1d6a3).contains(&number) {
        let place = u8::try_from((number - 0x1d400) % 52).ok()?;
        let ours = if place < 26 { b'A' + place } else { b'a' + place - 26 };
        return Some((char::from(ours), format!("a letter of mathematics, U+{number:04X}")));
    }
    let at = TABLE.binary_search_by_key(&c, |(other, ..)| *other).ok()?;
    TABLE.get(at).map(|(_, ours, name)| (*ours, (*name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_means_what_can_be_written() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(TABLE.iter().all(|(other, ours, _)| !other.is_ascii() && ours.is_ascii()));
    }

    #[test]
    fn what_looks_like_ours_is_known() {
        for (other, ours, what) in [
            ('\u{430}', 'a', "CYRILLIC SMALL LETTER A"),
            ('\u{3a1}', 'P', "GREEK CAPITAL LETTER RHO"),
            ('\u{ff21}', 'A', "a full-width letter or digit, U+FF21"),
            ('\u{ff1b}', ';', "a full-width sign, U+FF1B"),
            ('\u{1d41a}', 'a', "a letter of mathematics, U+1D41A"),
            ('\u{2212}', '-', "MINUS SIGN"),
        ] {
            assert_eq!(of(other), Some((ours, what.to_owned())), "{other}");
        }
        assert_eq!(of('é'), None);
        assert_eq!(of('a'), None);
    }
}
