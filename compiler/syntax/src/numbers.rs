//! Number literals: digits, an optional fraction, an optional unit.
//!
//! The value is kept as decimal text, because money and durations must not pass through binary
//! floating point. Nothing here knows types; it says what is written.

use smol_str::SmolStr;

use crate::keywords::{DURATION_UNITS, SIZE_UNITS};

/// A number as written, grouping removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NumberLiteral {
    digits: SmolStr,
    unit: Option<Unit>,
}

/// The unit of a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `ms`, `s`, `m`, `h`, `d`
    Duration(DurationUnit),
    /// `kb`, `mb`, `gb`
    Size(SizeUnit),
    /// Three lower-case letters: the code of a currency (ISO 4217). Whether it exists is not checked
    /// here.
    Currency(SmolStr),
}

/// Units of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DurationUnit {
    /// 10⁻³ seconds
    Milliseconds,
    /// seconds
    Seconds,
    /// 60 seconds
    Minutes,
    /// 3,600 seconds
    Hours,
    /// 86,400 seconds
    Days,
}

/// Units of size, in powers of 1,000 (SI).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SizeUnit {
    /// 10³ bytes
    Kilobytes,
    /// 10⁶ bytes
    Megabytes,
    /// 10⁹ bytes
    Gigabytes,
}

impl DurationUnit {
    /// Its length in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        match self {
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
            Self::Minutes => 60_000_000_000,
            Self::Hours => 3_600_000_000_000,
            Self::Days => 86_400_000_000_000,
        }
    }
}

impl SizeUnit {
    /// Its size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Kilobytes => 1_000,
            Self::Megabytes => 1_000_000,
            Self::Gigabytes => 1_000_000_000,
        }
    }
}

impl Unit {
    /// The unit of a suffix; `None` if there is no such unit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "ms" => Self::Duration(DurationUnit::Milliseconds),
            "s" => Self::Duration(DurationUnit::Seconds),
            "m" => Self::Duration(DurationUnit::Minutes),
            "h" => Self::Duration(DurationUnit::Hours),
            "d" => Self::Duration(DurationUnit::Days),
            "kb" => Self::Size(SizeUnit::Kilobytes),
            "mb" => Self::Size(SizeUnit::Megabytes),
            "gb" => Self::Size(SizeUnit::Gigabytes),
            _ if text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase()) => {
                Self::Currency(text.into())
            }
            _ => return None,
        })
    }
}

impl NumberLiteral {
    /// Reads the text of a number token; `None` if its unit is unknown or it is no number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.'))
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let unit = if suffix.is_empty() { None } else { Some(Unit::parse(suffix)?) };
        let digits = if number.contains('_') {
            number.chars().filter(|&c| c != '_').collect()
        } else {
            SmolStr::new(number)
        };
        Some(Self { digits, unit })
    }

    /// The digits without grouping, with a `.` before the fraction: `"2000"`, `"0.05"`.
    #[must_use]
    pub fn decimal(&self) -> &str {
        &self.digits
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> Option<&Unit> {
        self.unit.as_ref()
    }

    /// Whether there is no fraction.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        !self.digits.contains('.')
    }

    /// The value as an integer, whatever the unit; `None` with a fraction or out of range.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.digits.parse().ok()
    }

    /// The value as a float, whatever the unit.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.digits.parse().unwrap_or(f64::INFINITY)
    }

    /// A duration in nanoseconds, exact; `None` for other units, out of range, and for fractions of
    /// a nanosecond.
    #[must_use]
    pub fn nanos(&self) -> Option<u64> {
        match self.unit {
            Some(Unit::Duration(unit)) => self.times(unit.nanos()),
            _ => None,
        }
    }

    /// A size in bytes, exact; `None` for other units, out of range, and for fractions of a byte.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match self.unit {
            Some(Unit::Size(unit)) => self.times(unit.bytes()),
            _ => None,
        }
    }

    /// The decimal times a factor, if that is a whole number that fits.
    fn times(&self, factor: u64) -> Option<u64> {
        let (whole, fraction) = self.digits.split_once('.').unwrap_or((&self.digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let mut value = u128::from(whole.parse::<u64>().ok()?) * u128::from(factor);
        if !fraction.is_empty() {
            let scale = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            let part = fraction.parse::<u128>().ok()?.checked_mul(u128::from(factor))?;
            if part % scale != 0 {
                return None;
            }
            value += part / scale;
        }
        u64::try_from(value).ok()
    }
}

/// All units that a number may carry, currencies aside.
pub fn known_units() -> impl Iterator<Item = &'static str> {
    DURATION_UNITS.iter().chain(SIZE_UNITS).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> NumberLiteral {
        NumberLiteral::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn plain_numbers() {
        assert_eq!(literal("60_000").as_i64(), Some(60_000));
        assert_eq!(literal("0.2").as_i64(), None);
        assert!((literal("0.2").as_f64() - 0.2).abs() < f64::EPSILON);
        assert_eq!(literal("9223372036854775808").as_i64(), None);
        assert!(literal("7").is_integer());
    }

    #[test]
    fn units() {
        assert_eq!(literal("1.5h").nanos(), Some(5_400_000_000_000));
        assert_eq!(literal("250ms").nanos(), Some(250_000_000));
        assert_eq!(literal("0.0000001ms").nanos(), None);
        assert_eq!(literal("64mb").bytes(), Some(64_000_000));
        assert_eq!(literal("99999999999999999gb").bytes(), None);
        assert_eq!(literal("0.40usd").unit(), Some(&Unit::Currency("usd".into())));
        assert_eq!(literal("0.40usd").decimal(), "0.40");
        for unit in known_units() {
            assert!(Unit::parse(unit).is_some(), "{unit}");
        }
        for wrong in ["10x", "1USD", "5mins", "", "x1"] {
            assert_eq!(NumberLiteral::parse(wrong), None, "{wrong}");
        }
    }
}
