//! What reading a structured answer costs: 15 KB in 700 pieces, as providers send them, and in one piece.
//! The cost must be linear in the answer's length over all pieces: twice the answer, twice the time.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kait_connect::structured::AnswerParser;
use kait_engine::check::TypeTable;
use kait_ir::{FieldType, RecordType, Type, TypeId, Types};

/// `[Finding { file: text, line: int, note: text }]`.
fn findings() -> (Arc<TypeTable>, TypeId) {
    let mut types = Types::default();
    let text = types.push(Type::Text);
    let int = types.push(Type::Int);
    let field = |name: &str, ty| FieldType {
        name: name.into(),
        wire: name.into(),
        docs: "".into(),
        ty,
        default: None,
        trust: None,
    };
    let fields = vec![field("file", text), field("line", int), field("note", text)];
    let finding = Type::Record(RecordType { name: "Finding".into(), docs: "".into(), fields });
    let finding = types.push(finding);
    let list = types.push(Type::List(finding));
    (Arc::new(TypeTable::new(types).unwrap()), list)
}

/// An answer of about that many bytes.
fn answer(bytes: usize) -> String {
    let note = "The lock is taken twice on this path; \\\"release\\\" it before the call returns. "
        .repeat(3);
    let mut items = Vec::new();
    while items.len() * 300 < bytes {
        items.push(format!(
            r#"{{"file": "src/lib.rs", "line": {}, "note": "{note}"}}"#,
            items.len()
        ));
    }
    format!("{{\"value\": [{}]}}", items.join(", "))
}

fn parse(table: &Arc<TypeTable>, ty: TypeId, answer: &str, pieces: usize) -> usize {
    let mut steps = 0;
    let mut parser = AnswerParser::new(table.clone(), ty);
    for piece in answer.as_bytes().chunks(answer.len().div_ceil(pieces)) {
        // The answer is ASCII, so it can be cut anywhere.
        parser.push(std::str::from_utf8(piece).unwrap(), &mut |_| steps += 1).unwrap();
    }
    black_box(parser.finish(&mut |_| steps += 1).unwrap());
    steps
}

fn bench(criterion: &mut Criterion) {
    let (table, ty) = findings();
    let mut group = criterion.benchmark_group("structured");
    for (kilobytes, pieces) in [(15, 1), (15, 700), (30, 1400), (150, 7000)] {
        let answer = answer(kilobytes * 1000);
        group.throughput(Throughput::Bytes(answer.len() as u64));
        group.bench_with_input(
            BenchmarkId::new(format!("{kilobytes}kB"), pieces),
            &pieces,
            |b, pieces| {
                b.iter(|| parse(&table, ty, &answer, *pieces));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
