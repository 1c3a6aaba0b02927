//! Static bounds on the length of lists: what literals, types, `for … max` and declared results say. They feed the
//! cost bound and the rule that a `for` with effects has one.

use super::infer::{BodyCx, UNSET};
use super::signatures::ItemBound;
use super::{ArgSource, DefTypes};
use crate::hir::{Arg, ArgValue, DefId, DefKind, Expr, ExprId, Literal};

impl BodyCx<'_, '_> {
    /// The most items that an expression's list has, if that is known before it runs.
    pub(super) fn max_of(&self, e: ExprId) -> Option<u64> {
        let noted = match self.node(e) {
            Expr::Local(local) => self.notes.get(local.index()).and_then(|note| note.max),
            _ => self.out.max_items.get(&e).copied(),
        };
        let ty = self.out.exprs.get(e.index()).copied().unwrap_or(UNSET);
        match self.cx.type_max(self.shallow(ty)) {
            Some(by_type) => Some(noted.map_or(by_type, |noted| noted.min(by_type))),
            None => noted,
        }
    }

    /// Notes bounds that only the form tells, for those who ask later.
    pub(super) fn note_list_max(&mut self, e: ExprId, items: &[(ExprId, bool)]) {
        let mut all = 0u64;
        for (item, spread) in items {
            let count = if *spread { self.max_of(*item) } else { Some(1) };
            match count {
                Some(count) => all = all.saturating_add(count),
                None => return,
            }
        }
        self.out.max_items.insert(e, all);
    }

    /// Arms of which each has a bound have the largest.
    pub(super) fn note_max_of_arms(&mut self, e: ExprId, arms: &[ExprId]) {
        let mut most = None;
        for arm in arms {
            if self.out.exprs.get(arm.index()) == Some(&super::ty::Ty::NEVER) {
                continue;
            }
            match self.max_of(*arm) {
                Some(count) => most = Some(most.map_or(count, |most: u64| most.max(count))),
                None => return,
            }
        }
        if let Some(most) = most {
            self.out.max_items.insert(e, most);
        }
    }

    /// A count that is known before the program runs: a literal, or a constant that is one.
    pub(super) fn count_of(&self, e: ExprId) -> Option<u64> {
        u64::try_from(self.whole_of(e)?).ok()
    }

    /// A whole number that is known in the same way.
    fn whole_of(&self, e: ExprId) -> Option<i64> {
        if let Some(n) = self.int_literal(e) {
            return Some(n);
        }
        let Expr::Def(def) = self.node(e) else { return None };
        self.constant_whole(*def)
    }

    fn constant_count(&self, def: DefId) -> Option<u64> {
        u64::try_from(self.constant_whole(def)?).ok()
    }

    fn constant_whole(&self, def: DefId) -> Option<i64> {
        let hir = self.cx.hir;
        if !matches!(hir.defs.get(def.index())?.kind, DefKind::Const { .. }) {
            return None;
        }
        let body = hir.body(def)?;
        match body.exprs.get(body.root?.index())? {
            Expr::Literal(Literal::Int(n)) => Some(*n),
            _ => None,
        }
    }

    /// Notes the bound of a call's result that the callee declares.
    pub(super) fn note_call_max(&mut self, e: ExprId, def: DefId, args: &[Arg]) {
        let Some(DefTypes::Callable(signature)) = self.cx.defs.get(def.index()) else { return };
        let Some(bound) = signature.max_items else { return };
        let Some(call) = self.out.calls.get(&e) else { return };
        let value = |index: u32| match call.args.get(index as usize)? {
            ArgSource::Arg(arg) => match args.get(*arg as usize)?.value {
                ArgValue::Expr(e) => Some(e),
                _ => None,
            },
            _ => None,
        };
        let max = match bound {
            ItemBound::Fixed(n) => Some(n),
            ItemBound::Value(index) => match call.args.get(index as usize) {
                Some(ArgSource::Default) => self.default_count(def, index),
                _ => value(index).and_then(|e| self.count_of(e)),
            },
            ItemBound::Length(index) => value(index).and_then(|e| self.max_of(e)),
            ItemBound::Take => {
                let count = value(1).and_then(|e| self.count_of(e));
                let length = value(0).and_then(|e| self.max_of(e));
                [count, length].into_iter().flatten().min()
            }
            ItemBound::Append => {
                let [a, b] = [0, 1].map(|index| value(index).and_then(|e| self.max_of(e)));
                a.zip(b).map(|(a, b)| a.saturating_add(b))
            }
            ItemBound::Concat => value(0).and_then(|e| match self.node(e) {
                Expr::List(items) => items.iter().try_fold(0u64, |all, (item, spread)| {
                    if *spread { None } else { Some(all.saturating_add(self.max_of(*item)?)) }
                }),
                _ => None,
            }),
            ItemBound::Zip => {
                let lengths = [0, 1].map(|index| value(index).and_then(|e| self.max_of(e)));
                lengths.into_iter().flatten().min()
            }
            ItemBound::Chunks => {
                let length = value(0).and_then(|e| self.max_of(e));
                let size = value(1).and_then(|e| self.count_of(e)).unwrap_or(1);
                // A size below 1 fails.
                length.map(|length| length.div_ceil(size.max(1)))
            }
            ItemBound::Range => {
                let [from, to] = [0, 1].map(|index| value(index).and_then(|e| self.whole_of(e)));
                from.zip(to).map(|(from, to)| span_of_numbers(from, to))
            }
            ItemBound::Slice => {
                let [from, to] = [1, 2].map(|index| value(index).and_then(|e| self.whole_of(e)));
                let positions = to.map(|to| span_of_numbers(from.unwrap_or(0).max(0), to));
                let length = value(0).and_then(|e| self.max_of(e));
                [positions, length].into_iter().flatten().min()
            }
        };
        if let Some(max) = max {
            self.out.max_items.insert(e, max);
        }
    }

    /// The count that a parameter has where it is left out.
    fn default_count(&self, def: DefId, param: u32) -> Option<u64> {
        let hir = self.cx.hir;
        let DefKind::Callable(callable) = &hir.defs.get(def.index())?.kind else { return None };
        let default = callable.params.get(param as usize)?.default?;
        match hir.body(def)?.exprs.get(default.index())? {
            Expr::Literal(Literal::Int(n)) => u64::try_from(*n).ok(),
            Expr::Def(def) => self.constant_count(*def),
            _ => None,
        }
    }
}

/// How many whole numbers there are from one to another, both included.
fn span_of_numbers(from: i64, to: i64) -> u64 {
    if to < from { 0 } else { to.abs_diff(from).saturating_add(1) }
}
