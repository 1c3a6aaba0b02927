//! The evaluator of pure expressions.
//!
//! It reads the slots of a frame and of those around it, keeps locals in a register file that is used again, and
//! counts its steps: nothing in here can hang, overflow the stack or panic, whatever the program says. It never
//! changes a slot.

pub(crate) mod arith;
pub mod job;
mod pattern;

use std::borrow::Cow;
use std::sync::Arc;

use kait_ir::expr::CallShape;
use kait_ir::program::Arm;
use kait_ir::{
    BinaryOp, Expr, ExprArm, ExprId, Failure, FunctionId, LogQuery, Pattern, TemplatePart, TypeId,
    UnaryOp, Value, ValueMap,
};
use smallvec::SmallVec;

use crate::event::Outcome;
use crate::limits::{
    DEPTH_CHECK_EVERY, MAX_EXPR_DEPTH, MAX_ITEMS, MAX_STEPS, MAX_TEXT_BYTES, SOFT_STEPS,
    STEPS_PER_LOOK, is_too_deep, too_deep,
};
use crate::load::Loaded;
use crate::machine::state::{CallRecord, Frame, NONE};
use crate::render::render;
use crate::std::NativeCx;

pub use pattern::covers_failure;

/// What an evaluation gives. The failure is boxed to keep the good case small.
pub type Eval<T = Value> = Result<T, Box<Failure>>;

/// One evaluation.
pub struct Evaluator<'a> {
    pub(crate) loaded: &'a Loaded,
    /// The frames of the run.
    pub(crate) frames: &'a [Frame],
    /// The frame whose slots are `up: 0`; [`NONE`] for constants.
    pub(crate) frame: u32,
    /// Calls of a test so far.
    pub(crate) log: &'a [CallRecord],
    /// The register file; locals of the current function start at `base`.
    pub(crate) locals: &'a mut Vec<Value>,
    base: usize,
    /// Steps until the next look at `reserve` and `cancelled`.
    steps: u64,
    /// Steps beyond those.
    reserve: u64,
    depth: u32,
    /// Says whether the result is not wanted any more.
    cancelled: Option<&'a dyn Fn() -> bool>,
    /// What takes long is put off.
    soft: Option<Soft<'a>>,
    /// Registers below are not taken from.
    kept: usize,
    /// The innermost expression with a place in the source that has failed.
    pub(crate) blamed: Option<ExprId>,
}

/// An evaluation that may be put off, and begun again when the long parts are known.
#[derive(Debug)]
pub(crate) struct Soft<'a> {
    /// Long parts that are known: by their place in the order of all parts.
    pub(crate) answers: &'a [Answer],
    /// The node that it is for.
    pub(crate) node: u32,
    /// How many parts there were so far.
    pub(crate) ordinal: u32,
    /// The part that takes too long.
    pub(crate) put_off: Option<PutOff>,
    /// Steps so far.
    pub(crate) spent: u64,
}

/// A part of a node's evaluation that was computed elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) node: u32,
    pub(crate) ordinal: u32,
    pub(crate) result: job::Computed,
}

/// A part that takes too long.
#[derive(Clone, Debug)]
pub(crate) struct PutOff {
    pub(crate) ordinal: u32,
    pub(crate) expr: ExprId,
    pub(crate) locals: Vec<Value>,
}

impl<'a> Evaluator<'a> {
    /// An evaluation in a frame.
    pub(crate) fn new(
        loaded: &'a Loaded,
        frames: &'a [Frame],
        frame: u32,
        log: &'a [CallRecord],
        locals: &'a mut Vec<Value>,
    ) -> Self {
        Self {
            loaded,
            frames,
            frame,
            log,
            locals,
            base: 0,
            steps: MAX_STEPS,
            reserve: 0,
            depth: 0,
            cancelled: None,
            soft: None,
            kept: 0,
            blamed: None,
        }
    }

    /// Gives it so many steps, and lets it look now and then whether it is still wanted.
    pub(crate) fn watched(&mut self, steps: u64, cancelled: &'a dyn Fn() -> bool) {
        (self.steps, self.reserve, self.cancelled) = (0, steps, Some(cancelled));
    }

    /// Gives it only so many steps.
    pub(crate) fn briefly(&mut self, steps: u64) {
        (self.steps, self.reserve) = (steps, 0);
    }

    /// Lets it put off what takes long.
    pub(crate) fn softly(&mut self, soft: Soft<'a>) {
        (self.steps, self.soft) = (SOFT_STEPS, Some(soft));
    }

    /// What became of that.
    pub(crate) fn soft_end(&mut self) -> Option<Soft<'a>> {
        self.soft.take()
    }

    /// Gives an evaluation a smaller budget of steps.
    #[cfg(test)]
    pub(crate) fn with_steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// The failure that it raises.
    pub fn eval(&mut self, id: ExprId) -> Eval {
        match self.expr(id) {
            Expr::Const(value) => return Ok(value.clone()),
            Expr::Local(local) => return Ok(self.read(id, *local)),
            Expr::Slot { .. } | Expr::Field(..) => {
                if let Some(value) = self.peek(id) {
                    return Ok(value.clone());
                }
            }
            _ => {}
        }
        if self.depth == 0 && self.soft.is_some() {
            return self.eval_part(id);
        }
        self.depth += 1;
        if self.depth > MAX_EXPR_DEPTH {
            self.depth -= 1;
            return Err(trap(format!("an expression nests deeper than {MAX_EXPR_DEPTH} levels")));
        }
        let result = self.eval_tail(id);
        self.depth -= 1;
        if result.is_err() {
            self.blame(id);
        }
        result
    }

    /// One of the expressions of a node, which may be put off.
    fn eval_part(&mut self, id: ExprId) -> Eval {
        let Some(soft) = &mut self.soft else { return Err(out_of_steps()) };
        let ordinal = soft.ordinal;
        soft.ordinal += 1;
        let known = soft.answers.iter().find(|a| a.node == soft.node && a.ordinal == ordinal);
        if let Some(Answer { result, .. }) = known {
            return match &result.outcome {
                Outcome::Ok(value) => Ok(value.clone()),
                Outcome::Failed(failure) => {
                    self.blamed = result.blamed;
                    Err(Box::new(failure.clone()))
                }
            };
        }
        if soft.put_off.is_some() {
            return Err(out_of_steps());
        }
        // Registers that it finds must be as they were, should it have to begin anew.
        let found = self.locals.len();
        self.kept = found;
        self.steps = SOFT_STEPS;
        self.depth = 1;
        let result = self.eval_tail(id);
        self.depth = 0;
        let left = self.steps;
        if result.is_err() {
            self.blame(id);
        }
        if let Some(soft) = &mut self.soft {
            soft.spent += SOFT_STEPS - left;
            if left == 0 {
                let locals = self.locals.get(..found).unwrap_or_default().to_vec();
                soft.put_off = Some(PutOff { ordinal, expr: id, locals });
                return Err(out_of_steps());
            }
        }
        result
    }

    /// Notes where a failure arose: the innermost expression that has a place.
    #[cold]
    fn blame(&mut self, id: ExprId) {
        if self.blamed.is_none() && self.loaded.program().expr_span(id).is_some() {
            self.blamed = Some(id);
        }
    }

    /// Evaluates; what stands in tail position is a loop, not a recursion, so that long blocks of `let`s stay flat.
    fn eval_tail(&mut self, mut id: ExprId) -> Eval {
        loop {
            self.step()?;
            match self.expr(id) {
                Expr::Let { local, value, body } => {
                    let value = self.eval(*value)?;
                    self.set_local(*local, value);
                    id = *body;
                }
                Expr::If(condition, yes, no) => {
                    id = if self.truth(*condition)? { *yes } else { *no };
                }
                Expr::Coalesce(a, b) => match self.eval(*a)? {
                    Value::None => id = *b,
                    value => return Ok(value),
                },
                Expr::Match { scrutinee, arms } => {
                    let value = self.eval(*scrutinee)?;
                    id = self.choose(arms, &value)?;
                }
                other => {
                    let result = self.eval_one(id, other);
                    if result.is_err() {
                        self.blame(id);
                    }
                    return result;
                }
            }
        }
    }

    fn eval_one(&mut self, id: ExprId, expr: &'a Expr) -> Eval {
        match expr {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Slot { up, slot } => {
                self.slot(*up, *slot).cloned().ok_or_else(|| trap("a slot outside of any frame"))
            }
            Expr::Local(local) => Ok(self.read(id, *local)),
            Expr::Unary(op, a) => self.unary(*op, *a),
            Expr::Binary(op, a, b) => self.binary(*op, *a, *b),
            Expr::And(a, b) => Ok(Value::Bool(self.truth(*a)? && self.truth(*b)?)),
            Expr::Or(a, b) => Ok(Value::Bool(self.truth(*a)? || self.truth(*b)?)),
            Expr::Is(a, pattern) => {
                let value = self.eval(*a)?;
                Ok(Value::Bool(self.matches(pattern, &value)))
            }
            Expr::Record(fields) => Ok(Value::Record(self.parts(fields)?.into())),
            Expr::Variant(tag, fields) if fields.is_empty() => Ok(Value::Tag(*tag)),
            Expr::Variant(tag, fields) => Ok(Value::Variant(*tag, self.parts(fields)?.into())),
            Expr::List(items) => self.list(items),
            Expr::Map(entries) => self.map(entries),
            Expr::Field(a, index) => {
                let value = self.eval(*a)?;
                field(&value, *index)
            }
            Expr::OptField(a, index) => match self.eval(*a)? {
                Value::None => Ok(Value::None),
                value => field(&value, *index),
            },
            Expr::Index(a, b) => self.index(*a, *b),
            Expr::Template(parts) => self.template(parts),
            Expr::Native { args, result, params, .. } => self.native(id, args, *result, params),
            Expr::CallFn(function, args) => self.call(*function, args),
            Expr::For { source, pattern, filter, body, max } => {
                self.map_items(*source, pattern, *filter, *body, *max)
            }
            Expr::Loop { state, max, body, otherwise } => {
                self.rounds(state, *max, *body, *otherwise)
            }
            Expr::Catch { body, arms } => self.catch(*body, arms),
            Expr::Try(body) => self.attempt(*body),
            Expr::Fail(failure) => Err(Box::new(Failure::from_value(&self.eval(*failure)?))),
            Expr::Check(value, ty, place) => self.check(*value, *ty, place),
            Expr::Vouch(value, _) => self.eval(*value),
            Expr::CallLog(query) => self.query(query),
            Expr::Let { .. } | Expr::If(..) | Expr::Coalesce(..) | Expr::Match { .. } => {
                self.eval_tail(id)
            }
        }
    }

    /// The value of an expression that only looks something up, without cloning it.
    pub(crate) fn peek(&self, id: ExprId) -> Option<&Value> {
        match self.expr(id) {
            Expr::Const(value) => Some(value),
            Expr::Local(local) => Some(self.local(*local)),
            Expr::Slot { up, slot } => self.slot(*up, *slot),
            Expr::Field(a, index) => self.peek(*a)?.fields().get(*index as usize),
            _ => None,
        }
    }

    fn expr(&self, id: ExprId) -> &'a Expr {
        static NOTHING: Expr = Expr::Const(Value::None);
        self.loaded.program().exprs.get(id.0 as usize).unwrap_or(&NOTHING)
    }

    fn slot(&self, up: u32, slot: u32) -> Option<&'a Value> {
        let mut frame = self.frames.get(self.frame as usize)?;
        for _ in 0..up {
            frame = self.frames.get(frame.parent as usize)?;
        }
        frame.slots.get(slot as usize)
    }

    fn local(&self, local: u32) -> &Value {
        static UNSET: Value = Value::None;
        self.locals.get(self.base + local as usize).unwrap_or(&UNSET)
    }

    /// The value of a local, taken out if nobody reads it again: then nobody shares it, and what comes next may change it
    /// where it is.
    #[inline]
    fn read(&mut self, id: ExprId, local: u32) -> Value {
        let at = self.base + local as usize;
        let Some(value) = self.locals.get_mut(at) else { return Value::None };
        match value {
            // What an evaluation has found must stay, should it have to begin anew.
            Value::List(_) | Value::Map(_) if at >= self.kept && self.loaded.is_last_read(id) => {
                std::mem::take(value)
            }
            value => value.clone(),
        }
    }

    #[inline]
    pub(crate) fn set_local(&mut self, local: u32, value: Value) {
        let at = self.base + local as usize;
        if let Some(register) = self.locals.get_mut(at) {
            *register = value;
        } else {
            self.locals.resize(at, Value::None);
            self.locals.push(value);
        }
    }

    /// The first `count` locals: what a pattern has bound.
    pub(crate) fn take_locals(&mut self, count: u32) -> impl Iterator<Item = Value> + '_ {
        let wanted = self.base + count as usize;
        if self.locals.len() < wanted {
            self.locals.resize(wanted, Value::None);
        }
        self.locals.get_mut(self.base..wanted).unwrap_or_default().iter_mut().map(std::mem::take)
    }

    fn step(&mut self) -> Eval<()> {
        match self.steps.checked_sub(1) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => self.more_steps(),
        }
    }

    #[cold]
    fn more_steps(&mut self) -> Eval<()> {
        if self.reserve == 0 {
            return Err(out_of_steps());
        }
        if self.cancelled.is_some_and(|cancelled| cancelled()) {
            return Err(Box::new(Failure::Cancelled));
        }
        let chunk = self.reserve.min(STEPS_PER_LOOK);
        self.reserve -= chunk;
        self.steps = chunk - 1;
        Ok(())
    }

    /// The truth value of a condition.
    ///
    /// # Errors
    /// The failure that it raises.
    pub fn truth(&mut self, id: ExprId) -> Eval<bool> {
        match self.eval(id)? {
            Value::Bool(b) => Ok(b),
            _ => Err(trap("a condition is not a bool")),
        }
    }

    /// An integer, such as a bound.
    ///
    /// # Errors
    /// The failure that it raises.
    pub fn int(&mut self, id: ExprId) -> Eval<i64> {
        match self.eval(id)? {
            Value::Int(n) => Ok(n),
            _ => Err(trap("a bound is not an int")),
        }
    }

    /// A duration in nanoseconds.
    ///
    /// # Errors
    /// The failure that it raises.
    pub fn duration(&mut self, id: ExprId) -> Eval<i64> {
        match self.eval(id)? {
            Value::Duration(nanos) => Ok(nanos),
            _ => Err(trap("a time limit is not a duration")),
        }
    }

    /// Values of several expressions.
    ///
    /// # Errors
    /// The first failure.
    pub fn parts(&mut self, ids: &[ExprId]) -> Eval<Vec<Value>> {
        let mut parts = Vec::with_capacity(ids.len());
        for id in ids {
            parts.push(self.eval(*id)?);
        }
        Ok(parts)
    }

    fn unary(&mut self, op: UnaryOp, a: ExprId) -> Eval {
        let value = self.eval(a)?;
        arith::unary(op, value)
    }

    fn binary(&mut self, op: BinaryOp, a: ExprId, b: ExprId) -> Eval {
        if let (Some(a), Some(b)) = (self.peek(a), self.peek(b)) {
            return arith::binary(op, a, b);
        }
        let a = self.eval(a)?;
        match self.peek(b) {
            Some(b) => arith::binary(op, &a, b),
            None => {
                let b = self.eval(b)?;
                arith::binary(op, &a, &b)
            }
        }
    }

    /// The body of the first arm that matches.
    fn choose(&mut self, arms: &[ExprArm], value: &Value) -> Eval<ExprId> {
        for arm in arms {
            if self.matches(&arm.pattern, value)
                && match arm.guard {
                    Some(guard) => self.truth(guard)?,
                    None => true,
                }
            {
                return Ok(arm.body);
            }
        }
        Err(trap("no arm of a `match` covers the value"))
    }

    /// The first arm of a switch or handler that covers the value, with the parameters of its region.
    ///
    /// # Errors
    /// The failure that a guard raises.
    pub(crate) fn choose_arm(
        &mut self,
        arms: &[Arm],
        value: &Value,
        allowed: impl Fn(&Arm) -> bool,
    ) -> Eval<Option<(u32, SmallVec<[Value; 4]>)>> {
        for (index, arm) in (0u32..).zip(arms) {
            if allowed(arm)
                && self.matches(&arm.pattern, value)
                && match arm.guard {
                    Some(guard) => self.truth(guard)?,
                    None => true,
                }
            {
                let regions = &self.loaded.program().regions;
                let count = regions.get(arm.body.index()).map_or(0, |r| r.params);
                return Ok(Some((index, self.take_locals(count).collect())));
            }
        }
        Ok(None)
    }

    #[inline(never)]
    fn list(&mut self, items: &[(ExprId, bool)]) -> Eval {
        let mut list = Vec::with_capacity(items.len());
        for (id, spread) in items {
            let value = self.eval(*id)?;
            match value {
                Value::List(inner) if *spread => {
                    if list.len() + inner.len() > MAX_ITEMS {
                        return Err(budget("items"));
                    }
                    list.extend(inner.iter().cloned());
                }
                Value::None if *spread => {}
                value => list.push(value),
            }
        }
        Ok(Value::list(list))
    }

    #[inline(never)]
    fn map(&mut self, entries: &[(ExprId, ExprId)]) -> Eval {
        let mut map = ValueMap::with_capacity_and_hasher(entries.len(), Default::default());
        for (key, value) in entries {
            let key = self.eval(*key)?;
            map.insert(key, self.eval(*value)?);
        }
        Ok(Value::Map(Arc::new(map)))
    }

    #[inline(never)]
    fn index(&mut self, a: ExprId, b: ExprId) -> Eval {
        let key = self.eval(b)?;
        let pick = |whole: &Value| match whole {
            Value::List(items) => key
                .as_int()
                .and_then(|i| usize::try_from(i).ok())
                .and_then(|i| items.get(i).cloned())
                .unwrap_or_default(),
            Value::Map(map) => map.get(&key).cloned().unwrap_or_default(),
            _ => Value::None,
        };
        if let Some(whole) = self.peek(a) {
            return Ok(pick(whole));
        }
        Ok(pick(&self.eval(a)?))
    }

    #[inline(never)]
    fn template(&mut self, parts: &'a [TemplatePart]) -> Eval {
        let mut text = String::new();
        for part in parts {
            match part {
                TemplatePart::Text(fixed) => text.push_str(fixed),
                TemplatePart::Value(id, ty) => {
                    let value = match self.peek(*id) {
                        Some(value) => Cow::Borrowed(value),
                        None => Cow::Owned(self.eval(*id)?),
                    };
                    render(self.loaded.table(), *ty, &value, &mut text);
                }
            }
            if text.len() > MAX_TEXT_BYTES {
                return Err(budget("bytes"));
            }
        }
        Ok(Value::text(text))
    }

    #[inline(never)]
    fn native(&mut self, id: ExprId, args: &[ExprId], result: TypeId, params: &[TypeId]) -> Eval {
        let mut values: SmallVec<[Value; 4]> = SmallVec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(*arg)?);
        }
        let Some(native) = self.loaded.native(id) else {
            return Err(trap("a native that this version does not have"));
        };
        if let Some(changed) = crate::std::in_place(native, &mut values) {
            return changed.map_err(Box::new);
        }
        let cx = NativeCx { table: self.loaded.table(), params, result };
        native(&cx, &values).map_err(Box::new)
    }

    #[inline(never)]
    fn call(&mut self, function: FunctionId, args: &[ExprId]) -> Eval {
        let loaded = self.loaded;
        let Some(callee) = loaded.program().functions.get(function.index()) else {
            return Err(trap("a call of a function that does not exist"));
        };
        // Arguments first: they may use the caller's registers.
        let mut values: SmallVec<[Value; 4]> = SmallVec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(*arg)?);
        }
        let (base, frame) = (self.base, self.frame);
        self.base += loaded.program().max_locals as usize;
        self.frame = NONE; // a function sees no slots
        for (local, value) in (0..).zip(values) {
            self.set_local(local, value);
        }
        let result = self.eval(callee.body);
        self.locals.truncate(self.base);
        (self.base, self.frame) = (base, frame);
        result
    }

    #[inline(never)]
    fn map_items(
        &mut self,
        source: ExprId,
        pattern: &Pattern,
        filter: Option<ExprId>,
        body: ExprId,
        max: Option<ExprId>,
    ) -> Eval {
        let Value::List(items) = self.eval(source)? else {
            return Err(trap("a `for` over something that is not a list"));
        };
        if let Some(max) = max
            && items.len() as i64 > self.int(max)?
        {
            return Err(budget("items"));
        }
        let mut results = Vec::with_capacity(if filter.is_none() { items.len() } else { 0 });
        for item in items.iter() {
            self.step()?;
            if !self.matches(pattern, item) {
                continue;
            }
            if let Some(filter) = filter
                && !self.truth(filter)?
            {
                continue;
            }
            results.push(self.eval(body)?);
        }
        Ok(Value::list(results))
    }

    #[inline(never)]
    fn rounds(
        &mut self,
        state: &[(u32, ExprId)],
        max: ExprId,
        body: ExprId,
        otherwise: ExprId,
    ) -> Eval {
        let max = self.int(max)?;
        let mut next = Vec::with_capacity(state.len());
        for (_, init) in state {
            next.push(self.eval(*init)?);
        }
        for round in 0..max {
            if round % i64::from(DEPTH_CHECK_EVERY) == 0 && next.iter().any(is_too_deep) {
                return Err(too_deep());
            }
            for ((local, _), value) in state.iter().zip(&mut next) {
                self.set_local(*local, std::mem::take(value));
            }
            next.clear();
            if let Some(value) = self.round(body, &mut next)? {
                return Ok(value);
            }
        }
        for ((local, _), value) in state.iter().zip(next) {
            self.set_local(*local, value);
        }
        self.eval(otherwise)
    }

    /// One round of a loop: `Variant(0, [value])` is done and gives its value, `Variant(1, [state…])` goes on and fills
    /// `next`, which is empty before. The variant is not built where the expression says it in so many words.
    ///
    /// # Errors
    /// The failure that it raises.
    pub fn round(&mut self, mut id: ExprId, next: &mut Vec<Value>) -> Eval<Option<Value>> {
        loop {
            self.step()?;
            match self.expr(id) {
                Expr::Let { local, value, body } => {
                    let value = self.eval(*value)?;
                    self.set_local(*local, value);
                    id = *body;
                }
                Expr::If(condition, yes, no) => {
                    id = if self.truth(*condition)? { *yes } else { *no };
                }
                Expr::Match { scrutinee, arms } => {
                    let value = self.eval(*scrutinee)?;
                    id = self.choose(arms, &value)?;
                }
                Expr::Variant(0, fields) if fields.len() == 1 => {
                    return Ok(Some(self.eval(fields[0])?));
                }
                Expr::Variant(1, fields) => {
                    for field in fields {
                        next.push(self.eval(*field)?);
                    }
                    return Ok(None);
                }
                _ => {
                    return match self.eval(id)? {
                        Value::Variant(0, fields) => {
                            Ok(Some(fields.first().cloned().unwrap_or_default()))
                        }
                        Value::Variant(1, fields) => {
                            next.extend(fields.iter().cloned());
                            Ok(None)
                        }
                        Value::Tag(1) => Ok(None),
                        _ => {
                            Err(trap("a round of a loop ended neither with `done` nor with `next`"))
                        }
                    };
                }
            }
        }
    }

    #[inline(never)]
    fn catch(&mut self, body: ExprId, arms: &[ExprArm]) -> Eval {
        let failure = match self.eval(body) {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        self.blamed = None;
        let value = failure.to_value();
        for arm in arms {
            if covers_failure(&arm.pattern, &failure)
                && self.matches(&arm.pattern, &value)
                && match arm.guard {
                    Some(guard) => self.truth(guard)?,
                    None => true,
                }
            {
                return self.eval(arm.body);
            }
        }
        Err(failure)
    }

    #[inline(never)]
    fn attempt(&mut self, body: ExprId) -> Eval {
        match self.eval(body) {
            Ok(value) => Ok(Value::Variant(0, [value].into())),
            Err(failure) if matches!(*failure, Failure::Unknown { .. }) => Err(failure),
            Err(failure) => {
                self.blamed = None;
                Ok(Value::Variant(1, [failure.to_value()].into()))
            }
        }
    }

    fn check(&mut self, value: ExprId, ty: TypeId, place: &str) -> Eval {
        let value = self.eval(value)?;
        match self.loaded.table().check_for(place, ty, &value) {
            Ok(()) => Ok(value),
            Err(failure) => Err(Box::new(failure)),
        }
    }

    #[inline(never)]
    fn query(&mut self, query: &LogQuery) -> Eval {
        let log = self.log;
        let of = |target, logical: bool| {
            log.iter().filter(|c| c.target == target && !(logical && c.again)).count()
        };
        Ok(match query {
            LogQuery::Calls(target) => Value::Int(of(*target, true) as i64),
            LogQuery::Attempts(target) => Value::Int(of(*target, false) as i64),
            LogQuery::Called(shape) => Value::Bool(self.find_call(shape, 0)?.is_some()),
            LogQuery::Order(shapes) => {
                let mut from = 0;
                for shape in shapes {
                    match self.find_call(shape, from)? {
                        Some(at) => from = at + 1,
                        None => return Ok(Value::Bool(false)),
                    }
                }
                Value::Bool(true)
            }
        })
    }

    /// The first call at or after `from` that has the shape.
    fn find_call(&mut self, shape: &CallShape, from: usize) -> Eval<Option<usize>> {
        let mut wanted: SmallVec<[(u32, Value); 4]> = SmallVec::new();
        for (param, id) in &shape.args {
            wanted.push((*param, self.eval(*id)?));
        }
        let fits = |call: &CallRecord| {
            call.target == shape.target
                && wanted.iter().all(|(param, value)| call.args.get(*param as usize) == Some(value))
        };
        Ok(self.log.iter().enumerate().skip(from).find(|(_, call)| fits(call)).map(|(at, _)| at))
    }
}

fn field(value: &Value, index: u32) -> Eval {
    match value.fields().get(index as usize) {
        Some(field) => Ok(field.clone()),
        None => Err(trap("a field that the value does not have")),
    }
}

pub(crate) fn trap(message: impl Into<smol_str::SmolStr>) -> Box<Failure> {
    Box::new(Failure::trap(message))
}

fn budget(kind: &str) -> Box<Failure> {
    Box::new(Failure::Budget { kind: kind.into() })
}

#[cold]
fn out_of_steps() -> Box<Failure> {
    trap(format!("an evaluation took more than {MAX_STEPS} steps"))
}

#[cfg(test)]
mod tests;
