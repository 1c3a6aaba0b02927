//! Regular expressions for decimal numbers within bounds: JSON Schema has no other way to bound a number that is
//! written within a text.
//!
//! Numbers are written without zeros in front. The expressions have no anchors, no look-around and no captures, so that
//! every dialect takes them and they match in linear time. Of a fraction they say only which digits it may have, not how
//! many: that is said beside them.

use rust_decimal::Decimal;

/// Whole numbers from `least` to `most`, both included.
pub(super) fn whole(least: i128, most: i128) -> String {
    let mut parts = Vec::new();
    if least < 0 {
        let (nearest, farthest) = (most.min(-1).unsigned_abs(), least.unsigned_abs());
        parts.push(format!("-{}", group(digits_between(nearest, farthest))));
    }
    if most >= 0 {
        parts.push(group(digits_between(least.max(0).unsigned_abs(), most.unsigned_abs())));
    }
    group(parts)
}

/// Decimal numbers between the bounds, both included.
pub(super) fn decimal(least: Option<Decimal>, most: Option<Decimal>) -> String {
    let zero = Decimal::ZERO;
    let mut parts = Vec::new();
    if least.is_none_or(|least| least < zero) {
        let nearest = most.filter(|most| *most < zero).map_or(zero, |most| -most);
        parts.push(format!("-{}", size_between(nearest, least.map(|least| -least))));
    } else if least == Some(zero) {
        // Zero may have a sign.
        parts.push(r"-0(?:\.0*)?".to_owned());
    }
    if most.is_none_or(|most| most >= zero) {
        parts.push(size_between(least.unwrap_or_default().max(zero), most));
    } else if most == Some(zero) {
        parts.push(r"0(?:\.0*)?".to_owned());
    }
    group(parts)
}

/// Numbers without sign.
fn size_between(least: Decimal, most: Option<Decimal>) -> String {
    let (low, low_digits) = split(least);
    let at_least = behind_point(&low_digits, at_least(&low_digits));
    let Some(most) = most else {
        return group(vec![format!("{low}{at_least}"), format!("{}{ANY}", digits_from(low + 1))]);
    };
    let (high, high_digits) = split(most);
    if low == high {
        let tail = between(&low_digits, &high_digits);
        return format!("{low}{}", behind_point(&low_digits, tail));
    }
    let mut parts = vec![format!("{low}{at_least}")];
    if high - low > 1 {
        parts.push(format!("{}{ANY}", group(digits_between(low + 1, high - 1))));
    }
    parts.push(format!("{high}{}", behind_point(b"", at_most(&high_digits))));
    group(parts)
}

/// Any fraction, or none.
const ANY: &str = r"(?:\.[0-9]*)?";

/// The fraction may be left out if zeros fit.
fn behind_point(least: &[u8], tail: String) -> String {
    if least.is_empty() { format!(r"(?:\.{tail})?") } else { format!(r"\.{tail}") }
}

/// The whole part of a number, and its digits behind the point without zeros at the end.
fn split(number: Decimal) -> (u128, Vec<u8>) {
    let text = number.normalize().abs().to_string();
    let (whole, digits) = text.split_once('.').unwrap_or((&text, ""));
    // A decimal has at most 29 digits.
    (whole.parse().unwrap_or(0), digits.as_bytes().to_vec())
}

/// Digits behind the point that make at least this.
fn at_least(low: &[u8]) -> String {
    let Some((first, rest)) = low.split_first() else { return "[0-9]*".to_owned() };
    let mut parts = vec![format!("{}{}", char::from(*first), at_least(rest))];
    parts.extend(digit(first + 1, b'9').map(|digit| format!("{digit}[0-9]*")));
    group(parts)
}

/// Digits behind the point that make at most this.
fn at_most(high: &[u8]) -> String {
    let Some((first, rest)) = high.split_first() else { return "0*".to_owned() };
    let mut parts = vec![format!("{}{}", char::from(*first), at_most(rest))];
    parts.extend(digit(b'0', first - 1).map(|digit| format!("{digit}[0-9]*")));
    format!("{}?", group(parts))
}

/// Digits behind the point between the two.
fn between(low: &[u8], high: &[u8]) -> String {
    let (Some((a, low)), Some((b, high))) = (low.split_first(), high.split_first()) else {
        return at_most(high);
    };
    if a == b {
        return format!("{}{}", char::from(*a), between(low, high));
    }
    let mut parts = vec![format!("{}{}", char::from(*a), at_least(low))];
    parts.extend(digit(a + 1, b - 1).map(|digit| format!("{digit}[0-9]*")));
    parts.push(format!("{}{}", char::from(*b), at_most(high)));
    group(parts)
}

/// Whole numbers of at least this, of any length.
fn digits_from(least: u128) -> String {
    let length = least.to_string().len();
    let nines = 10u128.saturating_pow(u32::try_from(length).unwrap_or(u32::MAX)) - 1;
    let mut parts = digits_between(least, nines);
    parts.push(format!("[1-9][0-9]{{{length},}}"));
    group(parts)
}

/// Whole numbers between the two, by their length.
fn digits_between(least: u128, most: u128) -> Vec<String> {
    let mut parts = Vec::new();
    let mut low = least;
    while low <= most {
        let length = low.to_string().len();
        let nines = 10u128.saturating_pow(u32::try_from(length).unwrap_or(u32::MAX)) - 1;
        let high = nines.min(most);
        parts.push(same_length(low.to_string().as_bytes(), high.to_string().as_bytes()));
        low = high + 1;
    }
    parts
}

/// Numbers of one length between the two.
fn same_length(low: &[u8], high: &[u8]) -> String {
    let (Some((a, low)), Some((b, high))) = (low.split_first(), high.split_first()) else {
        return String::new();
    };
    let any = match low.len() {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        n => format!("[0-9]{{{n}}}"),
    };
    if a == b {
        return format!("{}{}", char::from(*a), same_length(low, high));
    }
    let (all_zero, all_nine) = (low.iter().all(|d| *d == b'0'), high.iter().all(|d| *d == b'9'));
    let mut parts = Vec::new();
    if !all_zero {
        let nines = vec![b'9'; low.len()];
        parts.push(format!("{}{}", char::from(*a), same_length(low, &nines)));
    }
    let (from, to) = (if all_zero { *a } else { a + 1 }, if all_nine { *b } else { b - 1 });
    parts.extend(digit(from, to).map(|digit| format!("{digit}{any}")));
    if !all_nine {
        let zeros = vec![b'0'; high.len()];
        parts.push(format!("{}{}", char::from(*b), same_length(&zeros, high)));
    }
    group(parts)
}

/// One digit between the two; none if there is none.
fn digit(from: u8, to: u8) -> Option<String> {
    match (char::from(from), char::from(to)) {
        (a, b) if a > b => None,
        (a, b) if a == b => Some(a.to_string()),
        (a, b) => Some(format!("[{a}-{b}]")),
    }
}

fn group(mut parts: Vec<String>) -> String {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => format!("(?:{})", parts.join("|")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(text)
    }

    proptest! {
        #[test]
        fn whole_numbers_fit_exactly_within_the_bounds(a in -2000i128..2000, b in 0i128..2000, n in -4500i128..4500) {
            let (least, most) = (a, a + b);
            prop_assert_eq!(fits(&whole(least, most), &n.to_string()), (least..=most).contains(&n));
        }

        #[test]
        fn decimal_numbers_fit_exactly_within_the_bounds(
            a in -30_000i64..30_000, b in 0i64..30_000, scale in 0u32..4, n in -90_000i64..90_000, n_scale in 0u32..5,
            open in 0..3,
        ) {
            let (least, most) = (Decimal::new(a, scale), Decimal::new(a + b, scale));
            let (least, most) = ((open != 1).then_some(least), (open != 2).then_some(most));
            let number = Decimal::new(n, n_scale);
            let inside = least.is_none_or(|l| l <= number) && most.is_none_or(|m| number <= m);
            let pattern = decimal(least, most);
            prop_assert_eq!(fits(&pattern, &number.to_string()), inside, "{} {}", pattern, number);
        }
    }

    #[test]
    fn the_ends_fit() {
        let pattern = whole(i64::MIN.into(), i64::MAX.into());
        for n in [i64::MIN, i64::MAX, 0, -1, 1] {
            assert!(fits(&pattern, &n.to_string()), "{n}");
        }
        for no in ["9223372036854775808", "-9223372036854775809", "-0", "007", "", "1e3", "1.0"] {
            assert!(!fits(&pattern, no), "{no}");
        }
        let size = whole(0, u64::MAX.into());
        assert!(fits(&size, "18446744073709551615") && !fits(&size, "18446744073709551616"));
        let signed = decimal(Some(Decimal::ZERO), Some(Decimal::TEN));
        for (text, inside) in
            [("-0", true), ("0.00", true), ("10.0", true), ("10.01", false), ("-1", false)]
        {
            assert_eq!(fits(&signed, text), inside, "{text}");
        }
    }
}
