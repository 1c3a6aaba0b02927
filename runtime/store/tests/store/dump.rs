//! All that a store holds, as text: two stores are equal if this is.

use std::fmt::Write;

use kait_store::{Hash, PromiseQuery, Read, RunQuery, StoreError};

/// What can be listed; sessions and questions with all they hold. Claims, start keys and programs cannot: tests ask for
/// those they know of. What cannot be read is shown by its error.
pub fn dump(store: &dyn Read) -> String {
    let mut out = String::new();
    for run in told(&mut out, store.runs(&RunQuery::default())).unwrap_or_default() {
        writeln!(out, "{run:?}").unwrap();
        if let Some(same) = told(&mut out, store.run(&run.id)) {
            writeln!(out, "  is {}", same.as_ref() == Some(&run)).unwrap();
        }
        writeln!(out, "  program {:?}", store.program(&run.program)).unwrap();
        for record in told(&mut out, store.records(&run.id, 0)).into_iter().flatten() {
            let Some(record) = told(&mut out, record) else { continue };
            let hash = Hash::of(&record.payload);
            writeln!(out, "  {} {} {} {hash}", record.seq, record.at, record.kind).unwrap();
        }
    }
    let all = PromiseQuery { open: false, ..PromiseQuery::default() };
    for promise in told(&mut out, store.promises(&all)).unwrap_or_default() {
        writeln!(out, "{promise:?}").unwrap();
    }
    for key in told(&mut out, store.sessions(None, u32::MAX)).unwrap_or_default() {
        writeln!(out, "{:?}", store.session(&key)).unwrap();
    }
    out
}

fn told<T>(out: &mut String, result: Result<T, StoreError>) -> Option<T> {
    result.inspect_err(|error| writeln!(out, "ERROR {error}").unwrap()).ok()
}
