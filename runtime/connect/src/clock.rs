//! `std.clock`, and the part of `std.time` that needs time zones. A driver with virtual time answers the clock itself.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, Zoned, ZonedRound};
use kait_ir::{Failure, Value};

use crate::args;
use crate::connections::{Connections, LeafFn};
use crate::leaf::{Ended, LeafJob, Started};

/// The leaves of the module.
pub(crate) const LEAVES: &[(&str, LeafFn)] = &[
    ("clock.now", |_, _| Ok(Started::Now(ok(Value::Time(Timestamp::now()))))),
    ("clock.sleep", sleep),
    ("clock.today", today),
    ("time.date", |_, job| now(date_in(args::time(job.args, 0)?, zone(job, 1)?))),
    ("time.format", format),
    ("time.from_date", from_date),
    ("time.start_of", start_of),
    ("time.weekday", weekday),
];

use kait_engine::Outcome;

fn ok(value: Value) -> Outcome {
    Outcome::Ok(value)
}

fn now(value: Value) -> Result<Started, Failure> {
    Ok(Started::Now(ok(value)))
}

fn sleep(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let time = args::duration(job.args, 0)?;
    Ok(Started::Later(Box::pin(async move {
        tokio::time::sleep(time).await;
        Ended::from(ok(Value::None))
    })))
}

fn zone(job: &LeafJob<'_>, index: usize) -> Result<TimeZone, Failure> {
    let name = args::text(job.args, index)?;
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(&name).map_err(|_| {
        Failure::invalid(
            "zone",
            format!("there is no time zone `{name}`; one is named like `Europe/Vienna`"),
        )
    })
}

fn today(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    now(date_in(Timestamp::now(), zone(job, 0)?))
}

fn date_in(time: Timestamp, zone: TimeZone) -> Value {
    Value::text(time.to_zoned(zone).date().to_string())
}

fn from_date(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (text, zone) = (args::text(job.args, 0)?, zone(job, 1)?);
    let invalid =
        || Failure::invalid("date", format!("`{text}` is not a date such as `2026-01-05`"));
    let date: jiff::civil::Date = text.trim().parse().map_err(|_| invalid())?;
    let start = date.to_zoned(zone).map_err(|_| invalid())?;
    now(Value::Time(start.timestamp()))
}

fn format(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (time, zone, pattern) = (args::time(job.args, 0)?, zone(job, 1)?, args::text(job.args, 2)?);
    let local = time.to_zoned(zone);
    if pattern.is_empty() {
        let utc = local.time_zone() == &TimeZone::UTC;
        let text = if utc {
            time.to_string()
        } else {
            time.display_with_offset(local.offset()).to_string()
        };
        return now(Value::text(text));
    }
    match jiff::fmt::strtime::format(pattern.as_bytes(), &local) {
        Ok(text) => now(Value::text(text)),
        Err(error) => Err(Failure::invalid(
            "pattern",
            format!("the pattern `{pattern}` cannot be used: {error}"),
        )),
    }
}

fn weekday(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let local = args::time(job.args, 0)?.to_zoned(zone(job, 1)?);
    // The declaration begins with Monday, too.
    let day = u32::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
    now(Value::Tag(day))
}

fn start_of(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (time, unit, zone) = (args::time(job.args, 0)?, args::tag(job.args, 1)?, zone(job, 2)?);
    let start = start(time.to_zoned(zone), unit)
        .map_err(|_| Failure::trap("the start lies beyond the years -9999 to 9999"))?;
    now(Value::Time(start.timestamp()))
}

/// The start of the unit with that index in `time.Unit`.
fn start(local: Zoned, unit: u32) -> Result<Zoned, jiff::Error> {
    let truncate = |unit| ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Trunc);
    match unit {
        0 => local.round(truncate(Unit::Minute)),
        1 => local.round(truncate(Unit::Hour)),
        2 => local.start_of_day(),
        3 => {
            let days = local.weekday().since(Weekday::Monday);
            local.checked_sub(jiff::Span::new().try_days(days)?)?.start_of_day()
        }
        4 => local.first_of_month()?.start_of_day(),
        _ => local.first_of_year()?.start_of_day(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str, zone: &str) -> Zoned {
        time.parse::<Timestamp>().unwrap().to_zoned(TimeZone::get(zone).unwrap())
    }

    #[test]
    fn units_start_where_the_zone_says() {
        // 14:34:56 on a Wednesday in Vienna.
        let time = at("2026-07-01T12:34:56Z", "Europe/Vienna");
        for (unit, expected) in [
            (0, "2026-07-01T12:34:00Z"),
            (1, "2026-07-01T12:00:00Z"),
            (2, "2026-06-30T22:00:00Z"),
            (3, "2026-06-28T22:00:00Z"),
            (4, "2026-06-30T22:00:00Z"),
            (5, "2025-12-31T23:00:00Z"),
        ] {
            assert_eq!(start(time.clone(), unit).unwrap().timestamp().to_string(), expected);
        }
        // The hour of 02:30 does not exist; the day starts at a normal time.
        let spring = at("2026-03-29T03:00:00Z", "Europe/Vienna");
        assert_eq!(start(spring, 2).unwrap().timestamp().to_string(), "2026-03-28T23:00:00Z");
    }
}
