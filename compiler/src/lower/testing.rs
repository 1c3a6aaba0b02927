//! Tests: the block of a test as a graph, its stubs, and what it counts.

use kait_ir::program::{NodeKind, Stub as IrStub, StubOutcome};
use kait_ir::types::Type;
use kait_ir::{ExprId as IrId, RegionId, TargetId};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::body::BodyLowerer;
use super::regions::NewNode;
use super::{Input, Lowerer, Target};
use crate::check::people::ASKED;
use crate::diagnostics::Span;
use crate::effects::walk;
use crate::hir::{
    ArgValue, BinaryOp, Builtin, Callee, DefId, DefKind, Expr, ExprId, Stub, Test, TestItem,
};

/// What a test stubs or asks about, and the names of these.
pub(super) fn targets(input: Input<'_>, test: DefId) -> (FxHashMap<DefId, Target>, Vec<SmolStr>) {
    let mut targets: FxHashMap<DefId, Target> = FxHashMap::default();
    let mut names = Vec::new();
    let mut add = |def: DefId, stubbed: bool| {
        let target = targets.entry(def).or_insert_with(|| {
            let id = TargetId(u32::try_from(names.len()).unwrap_or(u32::MAX));
            names.push(name(input, def));
            Target { id, stubbed: false }
        });
        target.stubbed |= stubbed;
    };
    if let Some(DefKind::Test(test)) = input.hir.defs.get(test.index()).map(|def| &def.kind) {
        for item in &test.items {
            if let TestItem::Stub(Stub { target: Some(target), approve: false, .. }) = item {
                add(*target, true);
            }
        }
    }
    let body = input.hir.body(test);
    for expr in body.iter().flat_map(|body| &body.exprs) {
        let Expr::Call { callee: Callee::Builtin(builtin), args, .. } = expr else { continue };
        if !matches!(builtin, Builtin::Calls | Builtin::Attempts | Builtin::Called | Builtin::Order)
        {
            continue;
        }
        for arg in args {
            match &arg.value {
                ArgValue::Callable(Some(def), _) => add(*def, false),
                ArgValue::Expr(call) => {
                    let call = body.map(|body| walk::expr(body, *call));
                    if let Some(Expr::Call { callee: Callee::Def(def), .. }) = call {
                        add(*def, false);
                    }
                }
                _ => {}
            }
        }
    }
    (targets, names)
}

fn name(input: Input<'_>, def: DefId) -> SmolStr {
    let Some(declared) = input.hir.defs.get(def.index()) else { return SmolStr::default() };
    match input.hir.modules.get(declared.module.index()) {
        Some(module) if !module.name.is_empty() => {
            format!("{}.{}", module.name, declared.name).into()
        }
        _ => declared.name.clone(),
    }
}

impl Lowerer<'_> {
    /// Lowers a test.
    pub(super) fn test(&mut self, def: DefId) {
        let Some(DefKind::Test(test)) = self.def(def).map(|def| &def.kind) else { return };
        let id = self.new_graph(def, &[]);
        let region = BodyLowerer::new(self, def, &[]).map(|mut body| body.test(test));
        if let (Some(region), Some(graph)) = (region, self.program.graphs.get_mut(id.index())) {
            graph.body = region;
        }
    }
}

impl<'a> BodyLowerer<'_, 'a> {
    fn test(&mut self, test: &'a Test) -> RegionId {
        self.region(0, |this| {
            for item in &test.items {
                match item {
                    TestItem::Stub(stub) => this.stub(stub),
                    TestItem::Expect { expr, span } => this.expect(*expr, *span),
                    TestItem::Stmt(stmt) => this.stmt(stmt),
                }
            }
            this.nothing()
        })
    }

    fn stub(&mut self, stub: &'a Stub) {
        let places: Vec<&str> = match (stub.target, stub.form) {
            (_, Some(_)) => ASKED.to_vec(),
            (Some(def), None) => match self.low.def(def).map(|def| &def.kind) {
                Some(DefKind::Callable(callable)) => {
                    callable.params.iter().map(|param| param.name.as_str()).collect()
                }
                _ => {
                    self.low.broken(stub.span, "a stub of what cannot be called");
                    return;
                }
            },
            (None, None) => {
                self.low.broken(stub.span, "a stub of nothing");
                return;
            }
        };
        let is_call = !stub.approve && stub.form.is_none();
        let target = if is_call {
            let known = stub.target.and_then(|def| self.low.targets.get(&def));
            let Some(known) = known.map(|target| target.id) else { return };
            Some(known)
        } else {
            self.stub_target(stub)
        };
        self.next_local = 0;
        let mut params = Vec::new();
        let mut position = 0;
        for (name, pat, _) in &stub.params {
            let index = match name {
                Some(name) => places.iter().position(|place| place == name),
                None => {
                    position += 1;
                    Some(position - 1)
                }
            };
            let pattern = self.pattern(*pat);
            if let Some(index) = index.and_then(|index| u32::try_from(index).ok()) {
                params.push((index, pattern));
            }
        }
        let mut outcomes = Vec::new();
        for (outcome, after) in &stub.outcomes {
            self.pure += 1;
            let value = match stub.approve {
                true => self.approved(*outcome),
                false => None,
            };
            let value = match value {
                Some(value) => value,
                None => self.value(*outcome),
            };
            self.pure -= 1;
            self.settle(value);
            outcomes.push(StubOutcome { value, after: *after });
        }
        self.next_local = 0;
        let span = Lowerer::span(stub.span);
        let known = target.unwrap_or(TargetId(u32::MAX));
        let lowered = IrStub { target: known, params, outcomes, data: Vec::new(), span };
        match target {
            Some(_) => self.low.program.stubs.push(lowered),
            None => self.stub_anywhere(stub, lowered),
        }
    }

    /// An expectation: its calls run before, then the condition is looked at.
    fn expect(&mut self, id: ExprId, span: Span) {
        let sides = match self.hir(id) {
            Expr::Binary(op, a, b) if is_comparison(*op) => vec![*a, *b],
            Expr::In(a, b) => vec![*a, *b],
            Expr::Is(a, _) => vec![*a],
            _ => Vec::new(),
        };
        let condition = self.value(id);
        // The sides of the comparison are looked at once more, to be shown.
        let lowered: Vec<IrId> = match self.low.get(condition) {
            Some(kait_ir::Expr::Binary(_, a, b)) => vec![*a, *b],
            Some(kait_ir::Expr::Is(a, _)) => vec![*a],
            _ => Vec::new(),
        };
        let mut shows = Vec::new();
        if lowered.len() == sides.len() {
            for (side, value) in sides.into_iter().zip(lowered) {
                let ty = self.ty(side);
                if matches!(self.hir(side), Expr::Literal(_)) {
                    continue;
                }
                let text = self.low.input.files.slice(self.span(side));
                shows.push((SmolStr::new(text), value, ty));
            }
        }
        let source = self.low.input.files.slice(self.span(id));
        let kind = NodeKind::Expect { condition, shows, source: source.into() };
        let ty = self.low.plain(Type::None);
        let node = self.node(NewNode { kind, name: "expect", ty, grows: false, span: Some(span) });
        // Expectations are looked at one after the other: what stands below one is called after it.
        self.guard(node);
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
    )
}
