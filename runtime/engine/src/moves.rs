//! Which reads of a local are its last, so that its value may be taken out instead of being shared.
//!
//! A list that nobody else holds is appended to where it stands: so building one in a loop costs what it has items,
//! not their square. The analysis goes backwards through an expression in the order of its evaluation, as compilers
//! find where registers die. Where it is not sure, a read shares.

use kait_ir::{Expr, ExprArm, ExprId, NodeKind, Program, TemplatePart};

use crate::load::children;

/// How deeply expressions may nest for it to be worth looking at them.
const MAX_DEPTH: u32 = 512;

/// Locals, by number.
type Set = fixedset::Set;

/// By expression: whether it is the last read of a local.
pub(crate) fn last_reads(program: &Program) -> Vec<bool> {
    let mut found = Moves {
        program,
        marks: vec![Mark::Unseen; program.exprs.len()],
        left: program.exprs.len().saturating_mul(4).saturating_add(1024),
    };
    let nothing = Set::default();
    for function in &program.functions {
        found.expr(function.body, nothing.clone(), 0);
    }
    for region in &program.regions {
        for node in &region.nodes {
            // What patterns of arms and maps bind is read again after their conditions.
            let conditions = conditions(&node.kind);
            node.kind.for_each_expr(|id| {
                if !conditions.contains(&id) {
                    found.expr(id, nothing.clone(), 0);
                }
            });
        }
        found.expr(region.result, nothing.clone(), 0);
    }
    let sure = found.left > 0;
    found.marks.iter().map(|mark| sure && *mark == Mark::Last).collect()
}

fn conditions(kind: &NodeKind) -> Vec<ExprId> {
    match kind {
        NodeKind::Switch { arms, .. } | NodeKind::Catch { arms, .. } => {
            arms.iter().filter_map(|arm| arm.guard).collect()
        }
        NodeKind::Map(map) => map.filter.into_iter().collect(),
        _ => Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    Last,
    Shared,
}

struct Moves<'a> {
    program: &'a Program,
    marks: Vec<Mark>,
    /// Looks that are left: shared expressions are looked at once for each use.
    left: usize,
}

impl Moves<'_> {
    /// Goes through an expression after which the locals in `live` are read; gives those that are read from its
    /// beginning on.
    fn expr(&mut self, id: ExprId, mut live: Set, depth: u32) -> Set {
        self.left = self.left.saturating_sub(1);
        let Some(expr) = self.program.exprs.get(id.0 as usize) else { return live };
        if depth > MAX_DEPTH || self.left == 0 {
            self.left = 0;
            return live;
        }
        let depth = depth + 1;
        match expr {
            Expr::Local(local) => {
                let last = !live.contains(*local);
                if let Some(mark) = self.marks.get_mut(id.0 as usize) {
                    *mark = match (*mark, last) {
                        (Mark::Unseen | Mark::Last, true) => Mark::Last,
                        _ => Mark::Shared,
                    };
                }
                live.insert(*local);
                live
            }
            Expr::Let { .. } => {
                // Long blocks are flat.
                let (mut lets, mut at) = (Vec::new(), id);
                while let Some(Expr::Let { local, value, body }) =
                    self.program.exprs.get(at.0 as usize)
                {
                    lets.push((*local, *value));
                    at = *body;
                }
                live = self.expr(at, live, depth);
                for (local, value) in lets.into_iter().rev() {
                    live.remove(local);
                    live = self.expr(value, live, depth);
                }
                live
            }
            Expr::If(condition, yes, no) => {
                let mut both = self.expr(*yes, live.clone(), depth);
                both.extend(&self.expr(*no, live, depth));
                self.expr(*condition, both, depth)
            }
            Expr::And(a, b) | Expr::Or(a, b) | Expr::Coalesce(a, b) => {
                let mut both = self.expr(*b, live.clone(), depth);
                both.extend(&live);
                self.expr(*a, both, depth)
            }
            Expr::Match { scrutinee, arms } => {
                let after = self.arms(arms, &live, depth);
                self.expr(*scrutinee, after, depth)
            }
            Expr::Catch { body, arms } => {
                let mut after = self.arms(arms, &live, depth);
                after.extend(&live);
                self.expr(*body, after, depth)
            }
            Expr::For { source, pattern, filter, body, max } => {
                // The next item reads again what this one has read.
                let mut around = live;
                self.reads(*body, &mut around);
                filter.iter().for_each(|filter| self.reads(*filter, &mut around));
                let mut inside = around.clone();
                pattern.for_each_binder(&mut |local| inside.remove(local));
                let mut before = self.expr(*body, inside, depth);
                if let Some(filter) = filter {
                    pattern.for_each_binder(&mut |local| before.insert(local));
                    self.expr(*filter, before, depth);
                }
                if let Some(max) = max {
                    around = self.expr(*max, around, depth);
                }
                self.expr(*source, around, depth)
            }
            Expr::Loop { state, max, body, otherwise } => {
                let mut around = self.expr(*otherwise, live, depth);
                self.reads(*body, &mut around);
                for (local, _) in state {
                    around.remove(*local);
                }
                self.expr(*body, around.clone(), depth);
                around = self.expr(*max, around, depth);
                for (_, first) in state.iter().rev() {
                    around = self.expr(*first, around, depth);
                }
                around
            }
            Expr::Template(parts) => {
                for part in parts.iter().rev() {
                    if let TemplatePart::Value(value, _) = part {
                        live = self.expr(*value, live, depth);
                    }
                }
                live
            }
            // `xs[i]` evaluates the index first and looks at the list without taking it.
            Expr::Index(list, index) => {
                live = self.expr(*list, live, depth);
                self.expr(*index, live, depth)
            }
            other => {
                let mut parts = Vec::new();
                children(other, &mut |part| parts.push(part));
                for part in parts.into_iter().rev() {
                    live = self.expr(part, live, depth);
                }
                live
            }
        }
    }

    /// What is read from the first arm's condition on.
    fn arms(&mut self, arms: &[ExprArm], live: &Set, depth: u32) -> Set {
        let mut after = Set::default();
        for arm in arms.iter().rev() {
            let mut own = self.expr(arm.body, live.clone(), depth);
            if let Some(guard) = arm.guard {
                // If it does not hold, the next arm is tried; and what the pattern has bound is still there.
                own.extend(&after);
                arm.pattern.for_each_binder(&mut |local| own.insert(local));
                own = self.expr(guard, own, depth);
            }
            arm.pattern.for_each_binder(&mut |local| own.remove(local));
            after.extend(&own);
        }
        after
    }

    /// Adds every local that an expression reads and does not bind itself.
    fn reads(&mut self, root: ExprId, into: &mut Set) {
        let (mut read, mut bound) = (Set::default(), Set::default());
        let mut todo = vec![root];
        while let Some(id) = todo.pop() {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            let Some(expr) = self.program.exprs.get(id.0 as usize) else { continue };
            match expr {
                Expr::Local(local) => read.insert(*local),
                Expr::Let { local, .. } => bound.insert(*local),
                Expr::Loop { state, .. } => {
                    state.iter().for_each(|(local, _)| bound.insert(*local))
                }
                Expr::For { pattern, .. } => {
                    pattern.for_each_binder(&mut |local| bound.insert(local));
                }
                Expr::Match { arms, .. } | Expr::Catch { arms, .. } => {
                    for arm in arms {
                        arm.pattern.for_each_binder(&mut |local| bound.insert(local));
                    }
                }
                _ => {}
            }
            children(expr, &mut |part| todo.push(part));
        }
        // Registers are given out from the inside: one that is bound within is never read before that.
        read.subtract(&bound);
        into.extend(&read);
    }
}

mod fixedset {
    //! Sets of small numbers.

    /// A set of locals.
    #[derive(Clone, Debug, Default)]
    pub(super) struct Set(Vec<u64>);

    impl Set {
        pub(super) fn contains(&self, n: u32) -> bool {
            self.0.get(n as usize / 64).is_some_and(|word| word >> (n % 64) & 1 == 1)
        }

        pub(super) fn insert(&mut self, n: u32) {
            let at = n as usize / 64;
            if self.0.len() <= at {
                self.0.resize(at + 1, 0);
            }
            if let Some(word) = self.0.get_mut(at) {
                *word |= 1 << (n % 64);
            }
        }

        pub(super) fn remove(&mut self, n: u32) {
            if let Some(word) = self.0.get_mut(n as usize / 64) {
                *word &= !(1 << (n % 64));
            }
        }

        pub(super) fn extend(&mut self, other: &Self) {
            if self.0.len() < other.0.len() {
                self.0.resize(other.0.len(), 0);
            }
            for (word, more) in self.0.iter_mut().zip(&other.0) {
                *word |= more;
            }
        }

        pub(super) fn subtract(&mut self, other: &Self) {
            for (word, less) in self.0.iter_mut().zip(&other.0) {
                *word &= !less;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kait_ir::{BinaryOp, Value};

    use super::*;
    use crate::builder::ProgramBuilder;
    use crate::eval::Evaluator;

    fn append(b: &mut ProgramBuilder, list: ExprId, item: ExprId) -> ExprId {
        let ty = b.ty(kait_ir::Type::None);
        let items = b.expr(Expr::List(vec![(item, false)]));
        let (name, args) = ("list.append".into(), vec![list, items]);
        b.expr(Expr::Native { name, args, result: ty, params: vec![] })
    }

    fn value(mut b: ProgramBuilder, root: ExprId) -> (Value, crate::Loaded) {
        let body = b.region(0, vec![], root);
        b.graph("main", body);
        let loaded = b.load_as_is().unwrap();
        let mut locals = Vec::new();
        let value = Evaluator::new(&loaded, &[], u32::MAX, &[], &mut locals).eval(root).unwrap();
        (value, loaded)
    }

    /// `loop i = 0, acc = [] max 1000 { next(i: i + 1, acc: append(acc, [i])) } else { acc }`
    #[test]
    fn the_state_of_a_round_is_taken_by_its_last_read() {
        let mut b = ProgramBuilder::new();
        let (i, again, acc) =
            (b.expr(Expr::Local(0)), b.expr(Expr::Local(0)), b.expr(Expr::Local(1)));
        let one = b.int(1);
        let more = append(&mut b, acc, i);
        let up = b.expr(Expr::Binary(BinaryOp::Add, again, one));
        // The list is built first: `i` is read again after it.
        let next = b.expr(Expr::Variant(1, vec![up, more]));
        let (zero, max) = (b.int(0), b.int(1000));
        let empty = b.value(Value::list(vec![]));
        let last = b.expr(Expr::Local(1));
        let state = vec![(0, zero), (1, empty)];
        let root = b.expr(Expr::Loop { state, max, body: next, otherwise: last });
        let (value, loaded) = value(b, root);
        let expected: Vec<Value> = (0..1000).map(Value::Int).collect();
        assert_eq!(value, Value::list(expected));
        assert!(loaded.is_last_read(acc) && loaded.is_last_read(last) && loaded.is_last_read(i));
        assert!(!loaded.is_last_read(again), "it is read once more in the same round");
    }

    /// What is read again keeps its value: `let a = [1]; let b = append(a, [2]); [a, b]`, and a list from outside of a
    /// loop that each round reads.
    #[test]
    fn what_is_read_again_is_shared() {
        let mut b = ProgramBuilder::new();
        let first = b.value(Value::list(vec![Value::Int(1)]));
        let two = b.int(2);
        let (a, also, c) = (b.expr(Expr::Local(0)), b.expr(Expr::Local(0)), b.expr(Expr::Local(1)));
        let more = append(&mut b, a, two);
        let both = b.expr(Expr::List(vec![(also, false), (c, false)]));
        let inner = b.expr(Expr::Let { local: 1, value: more, body: both });
        let root = b.expr(Expr::Let { local: 0, value: first, body: inner });
        let (got, loaded) = value(b, root);
        let list = |items: &[i64]| Value::list(items.iter().copied().map(Value::Int).collect());
        assert_eq!(got, Value::list(vec![list(&[1]), list(&[1, 2])]));
        assert!(!loaded.is_last_read(a) && loaded.is_last_read(also) && loaded.is_last_read(c));

        let mut b = ProgramBuilder::new();
        let outside = b.value(Value::list(vec![Value::Int(1)]));
        let items = b.value(list(&[5, 6]));
        let (a, item) = (b.expr(Expr::Local(0)), b.expr(Expr::Local(1)));
        let body = append(&mut b, a, item);
        let each = b.expr(Expr::For {
            source: items,
            pattern: kait_ir::Pattern::Bind(1),
            filter: None,
            body,
            max: None,
        });
        let root = b.expr(Expr::Let { local: 0, value: outside, body: each });
        let (got, loaded) = value(b, root);
        assert_eq!(got, Value::list(vec![list(&[1, 5]), list(&[1, 6])]));
        assert!(!loaded.is_last_read(a));
    }
}
