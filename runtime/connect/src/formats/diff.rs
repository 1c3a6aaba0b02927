//! `std.diff`: what changed from one text to another. The algorithm is the histogram diff of Git, whose fallbacks keep
//! it close to linear; so a difference is small, but not always the smallest.

use std::fmt::Write as _;

use imara_diff::{Algorithm, Diff, InternedInput};
use kait_ir::{Failure, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::start;
use crate::args;
use crate::connections::{Connections, LeafFn};
use crate::leaf::{LeafJob, Started};

/// The leaves of the module.
pub(super) const LEAVES: &[(&str, LeafFn)] =
    &[("diff.lines", lines), ("diff.unified", unified), ("diff.words", words)];

/// Most lines or words on each side.
const MAX_TOKENS: usize = 1_000_000;

/// Variants of `diff.Kind`.
const SAME: u32 = 0;
const REMOVED: u32 = 1;
const ADDED: u32 = 2;

fn lines(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (old, new) = (args::text(job.args, 0)?, args::text(job.args, 1)?);
    start(old.len() + new.len(), move || {
        changes(old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect())
    })
}

fn words(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (old, new) = (args::text(job.args, 0)?, args::text(job.args, 1)?);
    start(old.len() + new.len(), move || {
        changes(old.split_word_bounds().collect(), new.split_word_bounds().collect())
    })
}

fn compare<'t>(
    old: Vec<&'t str>,
    new: Vec<&'t str>,
) -> Result<(InternedInput<&'t str>, Diff), Failure> {
    if old.len().max(new.len()) > MAX_TOKENS {
        return Err(Failure::Budget { kind: "items".into() });
    }
    let mut input = InternedInput::default();
    input.update_before(old.into_iter());
    input.update_after(new.into_iter());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    Ok((input, diff))
}

/// `diff.Part(kind, text)` for each stretch, in order; what was removed stands before what was added.
pub(super) fn changes(old: Vec<&str>, new: Vec<&str>) -> Result<Value, Failure> {
    let mut out = Vec::new();
    let mut add = |kind: u32, parts: &[&str]| {
        if !parts.is_empty() {
            out.push(Value::record([Value::Tag(kind), Value::text(parts.concat())]));
        }
    };
    let (_, diff) = compare(old.clone(), new.clone())?;
    let mut at = 0;
    for hunk in diff.hunks() {
        let range = |range: std::ops::Range<u32>| range.start as usize..range.end as usize;
        let (before, after) = (range(hunk.before), range(hunk.after));
        add(SAME, old.get(at..before.start).unwrap_or_default());
        at = before.end;
        add(REMOVED, old.get(before).unwrap_or_default());
        add(ADDED, new.get(after).unwrap_or_default());
    }
    add(SAME, old.get(at..).unwrap_or_default());
    Ok(Value::list(out))
}

fn unified(_: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (old, new) = (args::text(job.args, 0)?, args::text(job.args, 1)?);
    let context = usize::try_from(args::int(job.args, 2)?.max(0)).unwrap_or(usize::MAX);
    start(old.len() + new.len(), move || Ok(Value::text(unified_text(&old, &new, context)?)))
}

/// The difference in the form of `diff -u`, without file names; nothing if the texts are equal.
pub(super) fn unified_text(old: &str, new: &str, context: usize) -> Result<String, Failure> {
    let before: Vec<&str> = old.split_inclusive('\n').collect();
    let after: Vec<&str> = new.split_inclusive('\n').collect();
    let (_, diff) = compare(before.clone(), after.clone())?;
    let hunks: Vec<_> = diff
        .hunks()
        .map(|h| {
            let range = |r: std::ops::Range<u32>| r.start as usize..r.end as usize;
            (range(h.before), range(h.after))
        })
        .collect();
    let mut out = String::new();
    let mut rest = hunks.as_slice();
    while let Some(((first_before, first_after), _)) = rest.split_first() {
        // Hunks whose context touches are shown as one.
        let mut count = 1;
        while let (Some((last, _)), Some((next, _))) = (rest.get(count - 1), rest.get(count))
            && next.start - last.end <= context.saturating_mul(2)
        {
            count += 1;
        }
        let (group, later) = rest.split_at(count);
        let Some((last_before, last_after)) = group.last() else { break };
        let lead = context.min(first_before.start);
        let trail = context.min(before.len() - last_before.end);
        let from = (first_before.start - lead, first_after.start - lead);
        let length = (last_before.end + trail - from.0, last_after.end + trail - from.1);
        // An empty range is named by the line before it.
        let begin = |from: usize, length: usize| if length == 0 { from } else { from + 1 };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "@@ -{},{} +{},{} @@",
            begin(from.0, length.0),
            length.0,
            begin(from.1, length.1),
            length.1
        );
        let mut at = from.0;
        for (gone, come) in group {
            show(&mut out, ' ', before.get(at..gone.start));
            show(&mut out, '-', before.get(gone.clone()));
            show(&mut out, '+', after.get(come.clone()));
            at = gone.end;
        }
        show(&mut out, ' ', before.get(at..at + trail));
        rest = later;
    }
    Ok(out)
}

fn show(out: &mut String, sign: char, lines: Option<&[&str]>) {
    for line in lines.unwrap_or_default() {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}
