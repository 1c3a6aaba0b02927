//! Numbers with their units, and texts with their interpolations.

use kait_syntax::ast::StrExpr;
use kait_syntax::numbers::{NumberLiteral, Unit};
use kait_syntax::strings::StrPart;
use rust_decimal::Decimal;

use super::Lowerer;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Expr, ExprId, Literal, TemplatePart};
use crate::names::suggest;

/// The active codes of ISO 4217 (list one, 2024), without funds, metals and test codes.
const CURRENCIES: &[&str] = &[
    "aed", "afn", "all", "amd", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn",
    "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "btn", "bwp", "byn", "bzd", "cad", "cdf",
    "chf", "clp", "cny", "cop", "crc", "cup", "cve", "czk", "djf", "dkk", "dop", "dzd", "egp",
    "ern", "etb", "eur", "fjd", "fkp", "gbp", "gel", "ghs", "gip", "gmd", "gnf", "gtq", "gyd",
    "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "iqd", "irr", "isk", "jmd", "jod", "jpy",
    "kes", "kgs", "khr", "kmf", "kpw", "krw", "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd",
    "lsl", "lyd", "mad", "mdl", "mga", "mkd", "mmk", "mnt", "mop", "mru", "mur", "mvr", "mwk",
    "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "omr", "pab", "pen", "pgk",
    "php", "pkr", "pln", "pyg", "qar", "ron", "rsd", "rub", "rwf", "sar", "sbd", "scr", "sdg",
    "sek", "sgd", "shp", "sle", "sos", "srd", "ssp", "stn", "svc", "syp", "szl", "thb", "tjs",
    "tmt", "tnd", "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "usd", "uyu", "uzs", "ved",
    "ves", "vnd", "vuv", "wst", "xaf", "xcd", "xof", "xpf", "yer", "zar", "zmw", "zwg",
];

impl<'a> Lowerer<'a> {
    /// The value of a number as written, with the sign in front of it; `None` if it was reported, here or before.
    pub(super) fn number(&mut self, text: &str, negative: bool, span: Span) -> Option<Literal> {
        // Malformed numbers were reported by the lexer.
        let literal = NumberLiteral::parse(text)?;
        let out_of_range = |what: &str, limit: &str| {
            Diagnostic::new(Code::NumberRange, span, format!("this number {what}")).help(limit)
        };
        let finding = match literal.unit() {
            None if literal.is_integer() => {
                let value = literal.decimal().parse::<i128>().ok();
                let value = value.map(|value| if negative { -value } else { value });
                match value.and_then(|value| i64::try_from(value).ok()) {
                    Some(value) => return Some(Literal::Int(value)),
                    None => out_of_range(
                        "is outside the range of an `int`",
                        "use a number from -9_223_372_036_854_775_808 to 9_223_372_036_854_775_807",
                    ),
                }
            }
            None => {
                let value = literal.as_f64();
                if value.is_finite() {
                    return Some(Literal::Float(if negative { -value } else { value }));
                }
                out_of_range(
                    "is too large for a `float`",
                    "use a smaller number: a `float` has 64 bits",
                )
            }
            Some(Unit::Duration(_)) => {
                let nanos = literal.nanos().and_then(|nanos| i64::try_from(nanos).ok());
                match nanos {
                    Some(nanos) => {
                        return Some(Literal::Duration(if negative { -nanos } else { nanos }));
                    }
                    None => out_of_range(
                        "cannot be a `duration`",
                        "use whole nanoseconds, up to about 292 years",
                    ),
                }
            }
            Some(Unit::Size(_)) => match literal.bytes() {
                Some(bytes) if !negative => return Some(Literal::Size(bytes)),
                Some(_) => out_of_range("cannot be a `size`", "use a size of zero or more"),
                None => out_of_range(
                    "cannot be a `size`",
                    "use a whole number of bytes that fits into 64 bits",
                ),
            },
            Some(Unit::Currency(currency)) => {
                if !CURRENCIES.contains(&currency.as_str()) {
                    self.unknown_currency(text, currency.as_str(), span);
                    return None;
                }
                let amount = Decimal::from_str_exact(literal.decimal()).ok();
                match (amount, <[u8; 3]>::try_from(currency.as_bytes())) {
                    (Some(mut amount), Ok(code)) => {
                        amount.set_sign_negative(negative && !amount.is_zero());
                        return Some(Literal::Money(amount, code));
                    }
                    _ => out_of_range("has too many digits for `money`", "use up to 28 digits"),
                }
            }
        };
        self.report(finding);
        None
    }

    fn unknown_currency(&mut self, text: &str, unit: &str, span: Span) {
        let mut finding =
            Diagnostic::new(Code::UnknownUnit, span, format!("there is no unit `{unit}`"));
        let common = [("min", "m"), ("sec", "s"), ("hrs", "h"), ("day", "d"), ("msec", "ms")];
        let ours = common.iter().find(|(foreign, _)| *foreign == unit).map(|(_, ours)| *ours);
        let units = kait_syntax::numbers::known_units();
        let near = ours
            .or_else(|| suggest(unit, CURRENCIES.iter().copied()))
            .or_else(|| suggest(unit, units));
        let digits = text.strip_suffix(unit).unwrap_or(text);
        finding = match near {
            Some(near) => finding.help(format!("did you mean `{digits}{near}`?")).guess(
                format!("write `{digits}{near}`"),
                vec![Edit::new(span, format!("{digits}{near}"))],
            ),
            None => finding.help(
                "use one of `ms`, `s`, `m`, `h`, `d`, `kb`, `mb`, `gb`, or the code of a currency such as `usd` or `eur`",
            ),
        };
        self.report(finding);
    }

    /// A text: a literal, or a template if something is interpolated.
    pub(super) fn text(&mut self, text: StrExpr<'a>, span: Span) -> ExprId {
        if let Some(plain) = text.plain() {
            if plain.contains('{') {
                self.braces(span, span);
            }
            return self.alloc(Expr::Literal(Literal::Text(plain.into())), span);
        }
        if let Some(constant) = text.constant() {
            if constant.contains('{') {
                self.braces(span, span);
            }
            return self.alloc(Expr::Literal(Literal::Text(constant.into())), span);
        }
        let written = text.parts();
        let mut parts = Vec::with_capacity(written.len());
        for part in written {
            parts.push(match part {
                StrPart::Text(part) => {
                    if part.text.contains('{') {
                        let place = self.span(part.range);
                        self.braces(span, place);
                    }
                    TemplatePart::Text(part.text.into())
                }
                StrPart::Interpolation(interpolation) => {
                    let place = self.span(interpolation.range());
                    TemplatePart::Expr(self.opt_expr(interpolation.expr(), place))
                }
            });
        }
        self.alloc(Expr::Template(parts), span)
    }

    /// Warns about `{name}` and `{{ name }}` where a value of that name could be put into the text. Tests and raw texts say
    /// what they mean.
    fn braces(&mut self, text: Span, part: Span) {
        if self.in_test || self.files.slice(text).starts_with('r') {
            return;
        }
        let found: Vec<_> = named_in_braces(self.files.slice(part))
            .filter(|(_, path)| {
                let name = path.split('.').next().unwrap_or_default();
                self.locals.get(name).is_some()
            })
            .map(|(range, path)| (range, path.to_owned()))
            .collect();
        for (range, path) in found {
            let at = |offset: usize| part.start + u32::try_from(offset).unwrap_or(0);
            let place = Span { start: at(range.start), end: at(range.end), ..part };
            let message =
                format!("`{path}` is not put into the text: there is no `$` in front of the brace");
            let finding = Diagnostic::new(Code::BraceWithoutDollar, place, message)
                .help("to write braces, use a raw text: `r\"…\"`")
                .guess(
                    format!("write `${{{path}}}`"),
                    vec![Edit::new(place, format!("${{{path}}}"))],
                );
            self.report(finding);
        }
    }
}

/// `{name}`, `{name.field}` and the same in double braces, with where they are.
fn named_in_braces(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find('{')?;
            let open = if text.get(start..)?.starts_with("{{") { 2 } else { 1 };
            from = start + open;
            if text.get(..start)?.ends_with(['$', '\\']) {
                continue;
            }
            let inside = text.get(from..)?;
            let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || "_. ".contains(c)));
            let end = end.unwrap_or(inside.len());
            let path = inside.get(..end)?.trim();
            let close = if open == 2 { "}}" } else { "}" };
            let is_path = path.split('.').all(|word| {
                word.starts_with(|c: char| c.is_ascii_lowercase()) && !word.contains(' ')
            });
            if is_path && inside.get(end..)?.starts_with(close) {
                from += end + open;
                return Some((start..from, path));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{CURRENCIES, named_in_braces};

    #[test]
    fn names_in_braces_are_found() {
        let found = |text| named_in_braces(text).map(|(_, path)| path).collect::<Vec<_>>();
        assert_eq!(found("a {b} {{ c.d }} ${e} {f g} {{h} {} {I} {"), ["b", "c.d"]);
        assert_eq!(named_in_braces("ä {{b}}").next(), Some((3..8, "b")));
    }

    #[test]
    fn currencies_are_sorted_codes() {
        assert!(CURRENCIES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(CURRENCIES.iter().all(|code| code.len() == 3));
        assert!(CURRENCIES.contains(&"eur") && !CURRENCIES.contains(&"abc"));
    }
}
