//! `e undo { … }`: a node below those of `e` that keeps how to take them back.
//!
//! The block runs when what stands around it is gone. So it is a region by itself, and all names that it uses from outside
//! become its parameters: their values are taken when `e` has succeeded.

use kait_ir::ExprId as IrId;
use kait_ir::program::{NodeKind, Undo};
use kait_ir::types::Type;
use smallvec::SmallVec;
use smol_str::{SmolStr, format_smolstr};

use super::body::{BodyLowerer, Place};
use super::regions::NewNode;
use crate::effects::walk;
use crate::hir::{Expr, ExprId, LocalId, PatId};

impl BodyLowerer<'_, '_> {
    /// Gives the value of `e`. `pat` is what the `let` around it binds, which the block may use.
    pub(super) fn undo(
        &mut self,
        id: ExprId,
        done: ExprId,
        undo: ExprId,
        name: Option<&str>,
        pat: Option<PatId>,
    ) -> IrId {
        if !self.in_region() {
            return self.broken(id, "an `undo` where no node can stand");
        }
        let first = self.node_count();
        let mut value = self.named_value(done, name);
        if !self.is_trivial(value) {
            let ty = self.ty(done);
            value = self.pure_node(value, name.unwrap_or("value"), ty, done);
        }
        let nodes = first..self.node_count();
        let mut args = Vec::new();
        let mut places = Vec::new();
        for local in self.names_from_outside(undo) {
            let Some(place) = self.places.get(local.index()).cloned().flatten() else { continue };
            if !matches!(place, Place::Const(_)) {
                args.push(self.read(&place));
                places.push((local, place));
            }
        }
        if pat.is_some() {
            args.push(value);
        }
        let params = u32::try_from(args.len()).unwrap_or(u32::MAX);
        let body = self.apart_from_regions(|this| {
            this.region(params, |this| {
                let slot = |at| Place::Slot(1, at, SmallVec::new());
                for ((local, _), at) in places.iter().zip(0..) {
                    this.set_place(*local, slot(at));
                }
                if let Some(pat) = pat {
                    this.bind(pat, slot(params.saturating_sub(1)));
                }
                this.value(undo)
            })
        });
        for (local, place) in places {
            self.set_place(local, place);
        }
        let name = name.map_or(SmolStr::new_static("undo"), |name| format_smolstr!("{name}.undo"));
        let ty = self.low.plain(Type::None);
        let span = Some(self.span(id));
        let kind = NodeKind::Undo(Undo { args, body });
        self.node(NewNode { kind, name: &name, ty, grows: false, span });
        self.last_after(nodes);
        value
    }

    /// The names that an expression uses and that are bound already, in the order of their first use.
    fn names_from_outside(&self, root: ExprId) -> Vec<LocalId> {
        let (mut found, mut stack) = (Vec::new(), vec![root]);
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(id) = stack.pop() {
            let expr = self.hir(id);
            if let Expr::Local(local) = expr
                && self.places.get(local.index()).is_some_and(Option::is_some)
                && seen.insert(*local)
            {
                found.push(*local);
            }
            let below = stack.len();
            walk::parts(expr, |part| stack.push(part));
            if let Some(parts) = stack.get_mut(below..) {
                parts.reverse();
            }
        }
        found
    }
}
