//! How fast texts become tokens and trees, in bytes and in lines per second.
//!
//! The text is the acceptance programs repeated, with their names made different, to 1,000, 20,000
//! and 100,000 lines. `parse` is everything: tokens, tree, errors.

#![expect(clippy::expect_used, reason = "a benchmark")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A text of about so many lines.
fn text(lines: usize) -> Arc<str> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/programs");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the programs are there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let programs: Vec<String> =
        paths.iter().map(|path| std::fs::read_to_string(path).expect("a text")).collect();
    let mut out = String::new();
    let mut count = 0;
    while count < lines {
        for program in &programs {
            out.push_str(program);
            out.push('\n');
            count += program.lines().count() + 1;
            if count >= lines {
                break;
            }
        }
    }
    out.into()
}

fn parse(c: &mut Criterion) {
    for lines in [1_000, 20_000, 100_000] {
        let text = text(lines);
        let count = text.lines().count() as u64;
        let mut group = c.benchmark_group("lines");
        group.throughput(Throughput::Elements(count));
        group.sample_size(if lines > 10_000 { 20 } else { 100 });
        group.bench_with_input(BenchmarkId::new("parse", lines), &text, |b, text| {
            b.iter(|| kait_syntax::parse_shared(black_box(Arc::clone(text))));
        });
        group.bench_with_input(BenchmarkId::new("lex", lines), &text, |b, text| {
            b.iter(|| kait_syntax::count_tokens(black_box(text)));
        });
        group.finish();
    }
}

criterion_group!(benches, parse);
criterion_main!(benches);
