//! The text of a schedule, as POSIX `crontab(5)` has it: five fields of numbers, ranges, steps and lists, with the names
//! of months and days. Says what is wrong with one; computes no times.

/// What is wrong with a schedule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// In a sentence.
    pub what: String,
    /// What stands there instead.
    pub here: Option<String>,
}

struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// Names of the values, the first for `least`.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    },
    // 0 and 7 are both Sunday.
    Field {
        name: "day of the week",
        least: 0,
        most: 7,
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    },
];

/// Days that the longest month of that number has, from January.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether a schedule can be read and ever comes due.
pub(super) fn check(text: &str) -> Result<(), Problem> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        let here = match parts.as_slice() {
            [one] if one.starts_with('@') => "names such as `@daily` are not known".to_owned(),
            _ => format!("found {}", parts.len()),
        };
        return Err(Problem { what: "a schedule needs five fields".to_owned(), here: Some(here) });
    }
    let mut months = 0u32;
    let mut days = 0u32;
    for (index, (part, field)) in parts.iter().zip(&FIELDS).enumerate() {
        for item in part.split(',') {
            let (from, to, step) = range(item, field)?;
            if index == 2 || index == 3 {
                let into = if index == 2 { &mut days } else { &mut months };
                for value in (from..=to).step_by(step as usize) {
                    *into |= 1 << value;
                }
            }
        }
    }
    // A day of the week comes in every month.
    let any_weekday = parts.get(4).is_some_and(|part| *part != "*");
    let comes = |(month, last): (u32, &u32)| {
        months & (1 << month) != 0 && (1..=*last).any(|day| days & (1 << day) != 0)
    };
    if any_weekday || (1..).zip(&DAYS).any(comes) {
        return Ok(());
    }
    Err(Problem {
        what: "this schedule never runs".to_owned(),
        here: Some("none of these months has such a day".to_owned()),
    })
}

/// `*`, `5`, `1-5`, `*/10`, `MON-FRI/2`.
fn range(item: &str, field: &Field) -> Result<(u32, u32, u32), Problem> {
    let wrong = |what: String| Problem { what, here: None };
    let (span, step) = match item.split_once('/') {
        Some((span, step)) => match step.parse::<u32>() {
            Ok(step) if (1..=field.most).contains(&step) => (span, step),
            _ => {
                return Err(wrong(format!("`{step}` cannot be a step of the {}", field.name)));
            }
        },
        None => (item, 1),
    };
    if span == "*" {
        return Ok((field.least, field.most, step));
    }
    match span.split_once('-') {
        Some((from, to)) => {
            let (first, last) = (value(from, field)?, value(to, field)?);
            // A week may end with Sunday.
            let last = if field.most == 7 && last == 0 && first > 0 { 7 } else { last };
            if first > last {
                return Err(wrong(format!("the range `{span}` of the {} is empty", field.name)));
            }
            Ok((first, last, step))
        }
        None => {
            let one = value(span, field)?;
            Ok((one, if step > 1 { field.most } else { one }, step))
        }
    }
}

fn value(text: &str, field: &Field) -> Result<u32, Problem> {
    let named = field.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    if let Some(index) = named {
        return Ok(field.least + u32::try_from(index).unwrap_or(0));
    }
    let number = text.parse::<u32>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    match number {
        Some(number) if (field.least..=field.most).contains(&number) => Ok(number),
        Some(_) => Err(Problem {
            what: format!("there is no {} `{text}`", field.name),
            here: Some(format!("the {} goes from {} to {}", field.name, field.least, field.most)),
        }),
        None => Err(Problem {
            what: format!("`{text}` cannot be the {}", field.name),
            here: match field.names {
                [first, .., last] => {
                    Some(format!("write a number, or a name from `{first}` to `{last}`"))
                }
                _ => Some("write a number, `*`, a range or a list".to_owned()),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn schedules_are_read() {
        for good in [
            "* * * * *",
            "0 7 * * MON-FRI",
            "*/15 0-6,22-23 1,15 jan-jun 0",
            "5/10 * * * 7",
            "0 0 29 2 *",
            "0 0 30 2 MON",
            "0 0 * * FRI-SUN",
            "0 0 * * FRI-0",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (bad, part) in [
            ("", "five fields"),
            ("0 7 * *", "five fields"),
            ("0 0 7 * * MON", "five fields"),
            ("@daily", "five fields"),
            ("60 * * * *", "no minute `60`"),
            ("* 24 * * *", "no hour `24`"),
            ("* * 0 * *", "no day of the month `0`"),
            ("* * * 13 *", "no month `13`"),
            ("* * * * 8", "no day of the week `8`"),
            ("* * * * MOO", "`MOO` cannot be the day of the week"),
            ("+5 * * * *", "`+5` cannot be the minute"),
            ("*/0 * * * *", "cannot be a step"),
            ("*/x * * * *", "cannot be a step"),
            ("9-5 * * * *", "is empty"),
            (", * * * *", "`` cannot be the minute"),
            ("0 0 30 2 *", "never runs"),
            ("0 0 31 4,6 *", "never runs"),
            ("9999999999 * * * *", "cannot be the minute"),
        ] {
            let found = check(bad).err().map(|problem| problem.what).unwrap_or_default();
            assert!(found.contains(part), "{bad}: {found}");
        }
    }
}
