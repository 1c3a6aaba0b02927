//! The segmenters of `std.text` as leaves over finished texts; `sentences` is only here, because its rules get better.

use kait_engine::Outcome;
use kait_engine::std::segment::Segmenter;
use kait_ir::{Failure, Value};
use smol_str::SmolStr;

use crate::args;
use crate::connections::{Connections, LeafFn};
use crate::leaf::{LeafJob, Started};

/// The leaves of the module.
pub(super) const LEAVES: &[(&str, LeafFn)] = &[
    ("text.chunks", segments),
    ("text.lines", segments),
    ("text.paragraphs", segments),
    ("text.sentences", segments),
];

fn segments(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let text = args::text(job.args, 0)?;
    let rest = job.args.get(1..).unwrap_or_default();
    let mut segmenter = Segmenter::of(&job.decl.name, rest)
        .unwrap_or_else(|| Err(Failure::trap("this is not a segmenter")))?;
    let mut out: Vec<SmolStr> = Vec::new();
    segmenter.push(&text, &mut out);
    segmenter.finish(&mut out);
    Ok(Started::Now(Outcome::Ok(Value::list(out.into_iter().map(Value::Text).collect()))))
}
