//! The forms in which values that are texts on the wire are taken from outside: one pattern each, told to callers and
//! checked against what they send, so that both are the same.
//!
//! Models and answers from the network are read more gently (`decode`); what is sent to a graph is written by a program,
//! which is better told at once.

use std::sync::LazyLock;

use kait_ir::Type;
use regex::Regex;

/// RFC 4648 with padding; bits that stand for nothing are zero.
pub(super) const BASE64: &str =
    "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/// The parts that days have in all years.
macro_rules! short_months {
    () => {
        "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])"
    };
}

macro_rules! clock {
    () => {
        "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
    };
}

/// RFC 3339 in capitals, days that are in the calendar: of the years 2 to 9998, and with `Z` of the year 1 and of 9999
/// before December (whose end cannot be kept). Whatever the offset, what is kept is written in this form again.
pub(super) const TIME: &str = concat!(
    "^(?:(?:(?:[1-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8]|0[1-9][0-9]{2}|00[1-9][0-9]|000[2-9])-",
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|",
    short_months!(),
    ")|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29)",
    clock!(),
    "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    "|(?:0001-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|",
    short_months!(),
    ")|9999-(?:(?:0[13578]|10)-(?:0[1-9]|[12][0-9]|3[01])|",
    short_months!(),
    "))",
    clock!(),
    "Z)$",
);

/// ISO 8601 without months and years, which have no fixed length, of less than 2,500,000 hours (285 years): whatever the
/// sum of the parts, it can be kept, and what is kept is written in this form again.
pub(super) const DURATION: &str = concat!(
    "^-?P(?:(?:[0-9]{1,4}|1[0-3][0-9]{3})W",
    "|(?:[0-9]{1,4}|[1-8][0-9]{4})D(?:T(?:[0-9]{1,5}H(?:[0-9]{1,6}M)?(?:[0-9]{1,8}(?:\\.[0-9]{1,9})?S)?",
    "|[0-9]{1,6}M(?:[0-9]{1,8}(?:\\.[0-9]{1,9})?S)?|[0-9]{1,8}(?:\\.[0-9]{1,9})?S))?",
    "|T(?:(?:[0-9]{1,6}|1[0-9]{6}|2[0-3][0-9]{5})H(?:[0-9]{1,6}M)?(?:[0-9]{1,8}(?:\\.[0-9]{1,9})?S)?",
    "|24[0-9]{5}H(?:[0-5]?[0-9]M)?(?:[0-5]?[0-9](?:\\.[0-9]{1,9})?S)?",
    "|(?:[0-9]{1,8}|1[0-3][0-9]{7})M(?:[0-9]{1,8}(?:\\.[0-9]{1,9})?S)?",
    "|(?:[0-9]{1,9}|[1-8][0-9]{9})(?:\\.[0-9]{1,9})?S))$",
);

/// As durations are written.
pub(super) const DURATION_SENT: &str =
    r"^-?PT(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]{1,9})?S)?$";

/// An amount and its currency.
pub(super) const MONEY: &str = r"^-?(?:0|[1-9][0-9]{0,27})(?:\.[0-9]{1,28})? [a-z]{3}$";

static FORMS: LazyLock<[Option<Regex>; 4]> =
    LazyLock::new(|| [BASE64, TIME, DURATION, MONEY].map(|form| Regex::new(form).ok()));

/// What is wrong with the form of a text that stands for a value of that type, if anything is; what it means is not
/// looked at.
///
/// # Errors
/// How the type is written.
pub fn check_form(ty: &Type, text: &str) -> Result<(), &'static str> {
    let [base64, time, duration, money] = &*FORMS;
    let (form, words) = match ty {
        Type::Bytes => (base64, "base64 with its padding (RFC 4648)"),
        Type::Time => (time, "an RFC 3339 time such as `2026-01-31T09:00:00Z`"),
        Type::Duration => {
            (duration, "an ISO 8601 duration such as `PT1H30M`, of at most 285 years")
        }
        Type::Money => (money, "an amount with its currency such as `20.00 usd`"),
        _ => return Ok(()),
    };
    if form.as_ref().is_none_or(|form| form.is_match(text)) { Ok(()) } else { Err(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_a_pattern() {
        assert!(FORMS.iter().all(Option::is_some));
    }
}
