//! `std.random`: the operating system's randomness.

use kait_engine::Outcome;
use kait_ir::{Failure, Value};

use crate::args;
use crate::connections::{Connections, LeafFn};
use crate::leaf::{LeafJob, Started};

/// The leaves of the module.
pub(crate) const LEAVES: &[(&str, LeafFn)] =
    &[("random.choice", choice), ("random.int", int), ("random.uuid", uuid)];

fn now(value: Value) -> Result<Started, Failure> {
    Ok(Started::Now(Outcome::Ok(value)))
}

/// A number below `limit` (0 stands for 2^64), each as likely as the others.
fn below(limit: u64) -> Result<u64, Failure> {
    // Numbers from the last, incomplete multiple of the limit would favour small results: they are drawn again.
    // Each round succeeds with a chance above one half.
    let zone = if limit == 0 { u64::MAX } else { u64::MAX - (u64::MAX % limit + 1) % limit };
    for _ in 0..128 {
        let drawn = getrandom::u64().map_err(|error| Failure::Tool {
            name: "random".into(),
            message: error.to_string().into(),
        })?;
        if drawn <= zone {
            return Ok(if limit == 0 { drawn } else { drawn % limit });
        }
    }
    Err(Failure::Tool {
        name: "random".into(),
        message: "the source of randomness is broken".into(),
    })
}

fn uuid(_: &Connections, _: &LeafJob<'_>) -> Result<Started, Failure> {
    now(Value::text(uuid::Uuid::new_v4().to_string()))
}

fn int(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (min, max) = (args::int(job.args, 0)?, args::int(job.args, 1)?);
    if min > max {
        return Err(Failure::invalid("min", format!("{min} is above `max`, {max}")));
    }
    let drawn = below(max.abs_diff(min).wrapping_add(1))?;
    now(Value::Int(min.wrapping_add_unsigned(drawn)))
}

fn choice(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let items = args::list(job.args, 0)?;
    if items.is_empty() {
        return now(Value::None);
    }
    let drawn = below(items.len() as u64)?;
    now(items.get(usize::try_from(drawn).unwrap_or(0)).cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_a_range_is_drawn_and_no_other() {
        let mut seen = [0u32; 6];
        for _ in 0..3000 {
            seen[below(6).unwrap() as usize] += 1;
        }
        // The chance that a fair die misses one of these bounds is below 1e-9.
        assert!(seen.iter().all(|n| (350..650).contains(n)), "{seen:?}");
        assert_eq!(below(1).unwrap(), 0);
        below(0).unwrap();
        assert!(below(u64::MAX).unwrap() < u64::MAX);
    }
}
