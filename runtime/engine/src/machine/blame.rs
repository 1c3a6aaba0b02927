//! Where a failure arose: the innermost node, and the expression in it that failed.
//!
//! Written down once, when the first node fails with it; on its way outwards it stays.

use kait_ir::{ExprId, Failure};
use smol_str::{SmolStr, format_smolstr};

use super::Run;
use super::state::{Fail, NONE, Origin};
use crate::event::{FailedAt, Outcome};

impl Run<'_> {
    /// The failure of an evaluation.
    pub(super) fn blaming(&self, failure: Box<Failure>, blamed: Option<ExprId>) -> Fail {
        let origin = blamed.map(|_| Box::new(Origin { blamed, ..Origin::default() }));
        Fail { failure, bound: None, origin }
    }

    /// Notes that a node has failed with it, if none has before.
    pub(super) fn locate(&self, at: u32, node: u32, fail: &mut Fail) {
        let origin = fail.origin.get_or_insert_default();
        if origin.at.is_some() {
            return;
        }
        let path = crate::path::render(self.loaded, self.s, self.effect_id(at, node));
        let program = self.loaded.program();
        let span = origin.blamed.and_then(|blamed| program.expr_span(blamed));
        let span = span.or_else(|| self.node(at, node).span);
        let limit = origin.limit.take();
        origin.at = Some(FailedAt { path: path.unwrap_or_default().into(), span, limit });
    }

    /// Ends the run with a failure that the value of its own block raised, or a node of it.
    pub(super) fn finish_failed(&mut self, root: u32, fail: Fail) {
        let origin = fail.origin.map(|origin| *origin).unwrap_or_default();
        let program = self.loaded.program();
        let found = origin.at.or_else(|| {
            let region = self.s.frames.get(root as usize).filter(|_| root != NONE)?.region;
            let graph = self.loaded.graph_of(kait_ir::RegionId(region));
            let graph = program.graphs.get(graph.index())?;
            let span = origin.blamed.and_then(|blamed| program.expr_span(blamed)).or(graph.span);
            Some(FailedAt { path: graph.name.clone(), span, limit: origin.limit })
        });
        self.s.failed_at = found;
        self.finish(Outcome::Failed(*fail.failure));
    }
}

/// A length of time in the language's own words: `10ms`, `1m30s`.
pub(super) fn duration(nanos: i64) -> SmolStr {
    let (whole, rest) = (nanos / 1_000_000, nanos % 1_000_000);
    if rest != 0 {
        return format_smolstr!("{}ms", nanos as f64 / 1e6);
    }
    match whole {
        0 => "0s".into(),
        ms if ms % 86_400_000 == 0 => format_smolstr!("{}d", ms / 86_400_000),
        ms if ms % 3_600_000 == 0 => format_smolstr!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format_smolstr!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format_smolstr!("{}s", ms / 1_000),
        ms => format_smolstr!("{ms}ms"),
    }
}
