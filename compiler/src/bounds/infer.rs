//! The costs of all declarations, callees before callers.

use rustc_hash::{FxHashMap, FxHashSet};

use super::amount::{Amount, Size, Sizes, TOO_LARGE};
use super::{Bounds, Cost, DefCost, Part, Reason, Terms, sizes};
use crate::Compilation;
use crate::check::Types;
use crate::diagnostics::Span;
use crate::effects::{Effect, Effects, walk};
use kait_ir::program::LONGEST_PAUSE;

use crate::hir::{
    Arg, ArgValue, Body, Builtin, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId,
    Hir, Literal, LocalId, PromptItem, Stmt,
};

/// What is known while the costs are found.
pub(super) struct Finder<'a> {
    pub hir: &'a Hir,
    pub types: &'a Types,
    pub effects: &'a Effects,
    pub terms: &'a Terms,
    pub sizes: Sizes,
    reasons: Vec<Reason>,
    /// Positions in `reasons`.
    known_reasons: FxHashMap<(String, Option<Span>), u32>,
    /// By owner, expression, and whether items are counted.
    pub known_sizes: FxHashMap<(DefId, ExprId, bool), Amount>,
    /// By owner: the values of its `let`s.
    pub lets: Vec<FxHashMap<LocalId, ExprId>>,
    pub defs: Vec<DefCost>,
}

pub(super) fn infer(compiled: &Compilation, terms: &Terms) -> Bounds {
    let hir = &compiled.hir;
    let too_large = "the number is too large to say".to_owned();
    let mut finder = Finder {
        hir,
        types: &compiled.types,
        effects: &compiled.effects,
        terms,
        sizes: Sizes::default(),
        reasons: vec![Reason { text: too_large, span: None }],
        known_reasons: FxHashMap::default(),
        known_sizes: FxHashMap::default(),
        lets: hir
            .bodies
            .iter()
            .map(|body| body.as_deref().map(sizes::lets).unwrap_or_default())
            .collect(),
        defs: vec![DefCost::default(); hir.defs.len()],
    };
    debug_assert_eq!(TOO_LARGE, 0, "the first reason is the one of large numbers");
    for group in compiled.effects.groups.iter() {
        finder.group(group);
    }
    Bounds { sizes: finder.sizes, reasons: finder.reasons, defs: finder.defs }
}

/// How a declaration calls those of its own circle.
pub(super) struct Own {
    pub cost: DefCost,
    /// How often one activation calls a declaration of its own circle.
    pub circle: Amount,
}

impl Finder<'_> {
    /// An amount without a bound, and why.
    pub(super) fn open(&mut self, text: String, span: Option<Span>) -> Amount {
        let next = u32::try_from(self.reasons.len()).unwrap_or(u32::MAX);
        let at = *self.known_reasons.entry((text.clone(), span)).or_insert(next);
        if at == next {
            self.reasons.push(Reason { text, span });
        }
        Amount::open(at)
    }

    fn group(&mut self, group: &[DefId]) {
        let members: FxHashSet<DefId> = group.iter().copied().collect();
        let found: Vec<(DefId, Own)> = group
            .iter()
            .filter_map(|def| Some((*def, self.declaration(*def, &members)?)))
            .collect();
        if found.iter().all(|(_, own)| own.circle.is_zero()) {
            for (def, own) in found {
                self.set(def, own.cost);
            }
            return;
        }
        let times = self.activations(&found);
        let mut most = Cost::default();
        for (_, own) in &found {
            let one = self.whatever_the_sizes(&own.cost.cost);
            most = self.larger(most, one);
        }
        let all = self.times(&most, &times);
        for (def, own) in found {
            self.set(def, DefCost { cost: all.clone(), ..own.cost });
        }
    }

    fn set(&mut self, def: DefId, cost: DefCost) {
        if let Some(slot) = self.defs.get_mut(def.index()) {
            *slot = cost;
        }
    }

    /// How many activations of declarations that call each other one call leads to at most: a tree with as many levels
    /// as their depths allow.
    fn activations(&mut self, group: &[(DefId, Own)]) -> Amount {
        let hir = self.hir;
        let (mut levels, mut free) = (0u64, 0u64);
        for (def, _) in group {
            let policies = match hir.defs.get(def.index()).map(|def| &def.kind) {
                Some(DefKind::Callable(callable)) => callable.policies.as_slice(),
                _ => &[],
            };
            match policy(policies, "depth") {
                Some(depth) => match self.number(*def, depth).most(&self.sizes) {
                    Some(depth) => levels = levels.saturating_add(depth),
                    None => {
                        return self
                            .open("nothing says how deep this recursion goes".to_owned(), None);
                    }
                },
                None => free += 1,
            }
        }
        if free > 0 {
            // Between two that count their depth stand at most all that do not.
            levels = levels.saturating_add(1).saturating_mul(free.saturating_add(1));
        }
        let mut branches = 0u64;
        for (_, own) in group {
            match own.circle.most(&self.sizes) {
                Some(n) => branches = branches.max(n),
                None => {
                    let span = group
                        .first()
                        .and_then(|(def, _)| hir.defs.get(def.index()))
                        .map(|def| def.name_span);
                    return self
                        .open("nothing says how often this graph calls itself".to_owned(), span);
                }
            }
        }
        let (mut sum, mut level) = (0u64, 1u64);
        for nth in 0..levels {
            let Some(next) = sum.checked_add(level) else { return Amount::open(TOO_LARGE) };
            sum = next;
            // A chain is as long as it is deep; anything wider overflows soon.
            if branches == 1 {
                sum = sum.saturating_add(levels - nth - 1);
                break;
            }
            let Some(next) = level.checked_mul(branches) else { return Amount::open(TOO_LARGE) };
            level = next;
        }
        sum.into()
    }

    /// A cost with every size at its limit: what a circle of calls hands on is not followed.
    fn whatever_the_sizes(&mut self, cost: &Cost) -> Cost {
        self.map(cost, |this, amount| {
            this.substitute(amount, |this, size| match size {
                Size::Of { limit: Some(limit), .. } => (*limit).into(),
                _ => this
                    .open("a size that a recursive graph hands on has no limit".to_owned(), None),
            })
        })
    }

    /// What a declaration does by itself and through its callees, those of its own circle left out.
    fn declaration(&mut self, id: DefId, circle: &FxHashSet<DefId>) -> Option<Own> {
        let hir = self.hir;
        let def = hir.defs.get(id.index())?;
        let callable = match &def.kind {
            DefKind::Callable(callable) => callable,
            _ => return None,
        };
        let mut own = match &callable.kind {
            CallableKind::Fn => return None,
            CallableKind::Extern { .. } => {
                Own { cost: self.leaf(id, callable), circle: Amount::default() }
            }
            CallableKind::Prompt | CallableKind::Agent => self.model(id, callable, circle),
            CallableKind::Graph | CallableKind::Trigger => match hir.body(id) {
                Some(body) => self.body(id, body, circle),
                None => return None,
            },
        };
        self.budgets(id, callable, &mut own.cost);
        let undo = std::mem::take(&mut own.cost.undo);
        own.cost.cost = self.plus(&own.cost.cost, &undo);
        Some(own)
    }

    /// A leaf of the world.
    fn leaf(&mut self, id: DefId, callable: &Callable) -> DefCost {
        let mut cost = Cost::default();
        // Status lines, clocks and chance are no calls of the world; `clock.sleep` is counted where it is called.
        let touches = |effect: Effect| matches!(effect, Effect::Read(_) | Effect::Write(_));
        if self.effects.of(id).iter().any(touches) {
            cost.tools = 1.into();
            cost.time = match policy(&callable.policies, "timeout")
                .or(policy(&callable.policies, "time"))
            {
                Some(limit) => self.duration(id, limit),
                None => self.no_time(id),
            };
        }
        DefCost { cost, ..DefCost::default() }
    }

    pub(super) fn no_time(&mut self, id: DefId) -> Amount {
        let Some(def) = self.hir.defs.get(id.index()) else { return Amount::default() };
        let is_std = self.hir.modules.get(def.module.index()).is_some_and(|module| module.is_std);
        let name = self.qualified(id);
        let text = format!(
            "nothing says how long `{name}` may take: give its calls a `timeout:`, or a header a `time:`"
        );
        self.open(text, (!is_std).then_some(def.name_span))
    }

    pub(super) fn qualified(&self, id: DefId) -> String {
        let Some(def) = self.hir.defs.get(id.index()) else { return "?".to_owned() };
        match self.hir.modules.get(def.module.index()) {
            Some(module) if !module.name.is_empty() && module.name != "prelude" => {
                format!("{}.{}", module.name, def.name)
            }
            _ => def.name.to_string(),
        }
    }

    /// A duration that is written down; anything else is not followed.
    pub(super) fn duration(&mut self, owner: DefId, expr: ExprId) -> Amount {
        let body = self.hir.body(owner);
        match body.map(|body| walk::expr(body, expr)) {
            Some(Expr::Literal(Literal::Duration(nanos))) => {
                u64::try_from(*nanos).unwrap_or(0).into()
            }
            _ => {
                let span = body.and_then(|body| body.expr_spans.get(expr.index())).copied();
                self.open("this duration is known only when it runs".to_owned(), span)
            }
        }
    }

    // ---- bodies ----

    fn body(&mut self, id: DefId, body: &Body, circle: &FxHashSet<DefId>) -> Own {
        let mut found = Walk { own: Vec::new(), all: Vec::new(), circle: Vec::new() };
        self.exprs(id, body, circle, &mut found);
        let Some(root) = body.root else {
            return Own { cost: DefCost::default(), circle: Amount::default() };
        };
        let cost = found.all.get(root.index()).cloned().unwrap_or_default();
        let inner = found.circle.get(root.index()).cloned().unwrap_or_default();
        let times = self.multiplicities(id, body, root, &found);
        let parts = self.calls(body, &found, &times);
        let undo = self.compensations(body, &found, &times);
        Own { cost: DefCost { cost, parts, undo, ..DefCost::default() }, circle: inner }
    }

    /// The messages of a prompt: all of its body.
    pub(super) fn parts_of(&mut self, id: DefId, body: &Body, circle: &FxHashSet<DefId>) -> Own {
        let mut found = Walk { own: Vec::new(), all: Vec::new(), circle: Vec::new() };
        self.exprs(id, body, circle, &mut found);
        let mut own = Own { cost: DefCost::default(), circle: Amount::default() };
        let DefKind::Callable(callable) = (match self.hir.defs.get(id.index()) {
            Some(def) => &def.kind,
            None => return own,
        }) else {
            return own;
        };
        for item in &callable.items {
            if let PromptItem::Message { expr, .. } = item {
                if let Some(cost) = found.all.get(expr.index()) {
                    own.cost.cost = self.plus(&own.cost.cost, cost);
                }
                if let Some(inner) = found.circle.get(expr.index()) {
                    own.circle = own.circle.plus(inner, &self.sizes);
                }
            }
        }
        own
    }

    /// The cost of every expression with all its parts.
    fn exprs(&mut self, owner: DefId, body: &Body, circle: &FxHashSet<DefId>, found: &mut Walk) {
        let dead =
            self.effects.bodies.get(owner.index()).and_then(Option::as_ref).map(|body| &body.dead);
        for (index, expr) in body.exprs.iter().enumerate() {
            let id = ExprId(u32::try_from(index).unwrap_or(u32::MAX));
            let own = self.own(owner, body, id, expr, circle);
            let (cost, inner) = self.whole(owner, expr, &own, found, dead);
            found.own.push(own);
            found.all.push(cost);
            found.circle.push(inner);
        }
    }

    /// What a call does itself, its arguments left out.
    fn own(
        &mut self,
        owner: DefId,
        body: &Body,
        id: ExprId,
        expr: &Expr,
        circle: &FxHashSet<DefId>,
    ) -> OwnCall {
        let mut own = OwnCall::default();
        match expr {
            Expr::Call { callee: Callee::Def(def), .. } if circle.contains(def) => {
                own.circle = 1.into()
            }
            Expr::Call { callee: Callee::Def(def), args, .. } => {
                own.cost = self.called(owner, id, *def, args, &[]);
            }
            Expr::Call { callee: Callee::Builtin(Builtin::Ask | Builtin::Choose), .. } => {
                // `within` stands in the policies around it.
                own.cost.questions = 1.into();
                own.cost.time = Amount::default();
            }
            Expr::With { expr: call, policies } => {
                own = self.with(owner, body, *call, policies, circle);
            }
            _ => {}
        }
        own
    }

    fn is_sleep(&self, def: DefId) -> bool {
        match self.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Callable(Callable {
                kind: CallableKind::Extern { locator, .. },
                ..
            })) => locator == "clock.sleep",
            _ => false,
        }
    }

    /// A call under its policies, without its arguments and without the values of the policies.
    fn with(
        &mut self,
        owner: DefId,
        body: &Body,
        call: ExprId,
        policies: &[Arg],
        circle: &FxHashSet<DefId>,
    ) -> OwnCall {
        let inner = walk::expr(body, call);
        let mut own = match inner {
            Expr::Call { callee: Callee::Def(def), args, .. } if !circle.contains(def) => OwnCall {
                cost: self.called(owner, call, *def, args, policies),
                circle: Amount::default(),
            },
            _ => self.own(owner, body, call, inner, circle),
        };
        if let Some(limit) = policy(policies, "timeout") {
            own.cost.time = self.duration(owner, limit);
        }
        if let Some(retry) = policy(policies, "retry") {
            let retries = self.number(owner, retry);
            let attempts = retries.clone().plus(&1.into(), &self.sizes);
            own.cost = self.times(&own.cost, &attempts);
            let pauses = retries.times(&LONGEST_PAUSE.into(), &self.sizes);
            own.cost.time = own.cost.time.plus(&pauses, &self.sizes);
            own.circle = own.circle.times(&attempts, &self.sizes);
        }
        let span = body.expr_spans.get(call.index()).copied();
        if policy(policies, "rate").or(policy(policies, "parallel")).is_some() {
            let why = "nothing says how long this call waits for its turn: add `deadline:`";
            own.cost.time = self.open(why.to_owned(), span);
        }
        if let Some(limit) = policy(policies, "deadline") {
            own.cost.time = self.duration(owner, limit);
        }
        let is_asked = matches!(
            inner,
            Expr::Call { callee: Callee::Builtin(Builtin::Ask | Builtin::Choose), .. }
        );
        if is_asked {
            own.cost.time = self.question(owner, policies, span).time;
        }
        if policy(policies, "approve").is_some() {
            let asked = self.question(owner, policies, span);
            own.cost = self.plus(&own.cost, &asked);
        }
        own
    }

    /// What a call of a declaration does, in the sizes of the caller.
    fn called(
        &mut self,
        owner: DefId,
        call: ExprId,
        callee: DefId,
        args: &[Arg],
        policies: &[Arg],
    ) -> Cost {
        let cost = match self.asked_otherwise(owner, callee, policies) {
            Some(cost) => cost,
            None => {
                self.defs.get(callee.index()).map(|found| found.cost.clone()).unwrap_or_default()
            }
        };
        let mut cost = self.map(&cost, |this, amount| {
            this.substitute(amount, |this, size| this.given(owner, call, callee, args, size))
        });
        if self.is_sleep(callee) {
            cost.time = match args.first().map(|arg| &arg.value) {
                Some(ArgValue::Expr(value)) => self.duration(owner, *value),
                _ => Amount::default(),
            };
        }
        cost
    }

    /// A prompt that is asked of another role, or with another number of repairs.
    fn asked_otherwise(&mut self, owner: DefId, prompt: DefId, policies: &[Arg]) -> Option<Cost> {
        let role = policy(policies, "model").and_then(|value| {
            match self.hir.body(owner).map(|body| walk::expr(body, value)) {
                Some(Expr::Def(role)) => Some(*role),
                _ => None,
            }
        });
        let repairs = policy(policies, "repair").map(|value| {
            let number = self.number(owner, value);
            // The prompt's figures speak of its own sizes, so the caller's are replaced by what they are at most.
            number.most(&self.sizes).map_or_else(|| Amount::open(TOO_LARGE), Amount::from)
        });
        if role.is_none() && repairs.is_none() {
            return None;
        }
        let hir = self.hir;
        let DefKind::Callable(callable) = &hir.defs.get(prompt.index())?.kind else { return None };
        if !matches!(callable.kind, CallableKind::Prompt | CallableKind::Agent) {
            return None;
        }
        let beside =
            self.defs.get(prompt.index()).map(|found| found.beside.clone()).unwrap_or_default();
        let asked = self.asked(prompt, callable, role, repairs);
        let mut found = DefCost { cost: self.plus(&beside, &asked), ..DefCost::default() };
        self.budgets(prompt, callable, &mut found);
        Some(found.cost)
    }

    /// An amount with every size replaced.
    pub(super) fn substitute(
        &mut self,
        amount: &Amount,
        mut f: impl FnMut(&mut Self, &Size) -> Amount,
    ) -> Amount {
        let mut sizes = std::mem::take(&mut self.sizes);
        let given = amount.given(&mut sizes, &mut |sizes, size| {
            std::mem::swap(&mut self.sizes, sizes);
            let given = f(self, size);
            std::mem::swap(&mut self.sizes, sizes);
            given
        });
        self.sizes = sizes;
        given
    }

    /// An expression with its parts; and how often it calls its own circle.
    fn whole(
        &mut self,
        owner: DefId,
        expr: &Expr,
        own: &OwnCall,
        found: &Walk,
        dead: Option<&FxHashSet<ExprId>>,
    ) -> (Cost, Amount) {
        let mut sum = Sum { cost: own.cost.clone(), circle: own.circle.clone() };
        match expr {
            Expr::With { expr: call, policies } => {
                // What the call does itself is in `own`, with its policies; its arguments are made once.
                if let Some(inner) = self.call_parts(owner, *call) {
                    for part in inner {
                        self.add(&mut sum, found, part);
                    }
                }
                walk::arg_parts(policies, |part| self.add(&mut sum, found, part));
            }
            Expr::If { condition, then, otherwise } => {
                self.add(&mut sum, found, *condition);
                let ways = std::iter::once(*then).chain(*otherwise);
                self.add_largest(&mut sum, found, ways);
            }
            Expr::Match { scrutinee: first, arms } | Expr::Catch { body: first, arms } => {
                self.add(&mut sum, found, *first);
                for guard in arms.iter().filter_map(|arm| arm.guard) {
                    self.add(&mut sum, found, guard);
                }
                self.add_largest(&mut sum, found, arms.iter().map(|arm| arm.body));
            }
            Expr::For { source, filter, max, parallel, body, .. } => {
                for part in std::iter::once(source).chain(max).chain(parallel) {
                    self.add(&mut sum, found, *part);
                }
                let rounds = self.rounds(owner, expr, found);
                for part in filter.iter().chain([body]) {
                    self.add_times(&mut sum, found, *part, &rounds);
                }
            }
            Expr::Loop { vars, max, body, otherwise } => {
                for (_, _, first) in vars {
                    self.add(&mut sum, found, *first);
                }
                self.add(&mut sum, found, *max);
                let rounds = self.rounds(owner, expr, found);
                self.add_times(&mut sum, found, *body, &rounds);
                self.add(&mut sum, found, *otherwise);
            }
            Expr::Undo { body, undo } => {
                self.add(&mut sum, found, *body);
                // What it costs counts apart from the budgets; that it calls its circle counts here.
                if let Some(circle) = found.circle.get(undo.index()) {
                    sum.circle = sum.circle.clone().plus(circle, &self.sizes);
                }
            }
            Expr::Block(stmts) => {
                for stmt in stmts {
                    let (Stmt::Let { value, .. } | Stmt::Expr(value)) = stmt;
                    let runs = matches!(stmt, Stmt::Expr(_))
                        || dead.is_none_or(|dead| !dead.contains(value));
                    if runs {
                        self.add(&mut sum, found, *value);
                    }
                }
            }
            _ => walk::parts(expr, |part| self.add(&mut sum, found, part)),
        }
        (sum.cost, sum.circle)
    }

    /// The arguments of a call.
    fn call_parts(&self, owner: DefId, call: ExprId) -> Option<Vec<ExprId>> {
        let body = self.hir.body(owner)?;
        let mut parts = Vec::new();
        walk::parts(walk::expr(body, call), |part| parts.push(part));
        Some(parts)
    }

    /// How often the body of a `for` or `loop` runs; nothing is counted for one that costs nothing.
    fn rounds(&mut self, owner: DefId, expr: &Expr, found: &Walk) -> Amount {
        let costs = |id: &ExprId| {
            found.all.get(id.index()).is_some_and(|cost| *cost != Cost::default())
                || found.circle.get(id.index()).is_some_and(|circle| !circle.is_zero())
        };
        match expr {
            Expr::For { source, filter, max, body, .. } => {
                if !costs(body) && !filter.iter().any(costs) {
                    return Amount::default();
                }
                let items = self.items(owner, *source);
                match max {
                    Some(max) => self.capped(owner, items, *max),
                    None => items,
                }
            }
            Expr::Loop { max, body, .. } if costs(body) => self.number(owner, *max),
            _ => Amount::default(),
        }
    }

    // ---- calls, for people ----

    /// How often each expression of a body is evaluated at most.
    fn multiplicities(
        &mut self,
        owner: DefId,
        body: &Body,
        root: ExprId,
        found: &Walk,
    ) -> Vec<Amount> {
        let mut times: Vec<Amount> = vec![Amount::default(); body.exprs.len()];
        if let Some(slot) = times.get_mut(root.index()) {
            *slot = 1.into();
        }
        let dead =
            self.effects.bodies.get(owner.index()).and_then(Option::as_ref).map(|body| &body.dead);
        for (index, expr) in body.exprs.iter().enumerate().rev() {
            let Some(mine) = times.get(index).filter(|times| !times.is_zero()).cloned() else {
                continue;
            };
            let repeated = match expr {
                Expr::For { filter, body, .. } => [*filter, Some(*body)],
                Expr::Loop { body, .. } => [Some(*body), None],
                _ => [None, None],
            };
            let rounds =
                if repeated == [None, None] { 1.into() } else { self.rounds(owner, expr, found) };
            let mut hand = |part: ExprId| {
                let is_repeated = repeated.contains(&Some(part));
                let given =
                    if is_repeated { mine.times(&rounds, &self.sizes) } else { mine.clone() };
                let runs = dead.is_none_or(|dead| !dead.contains(&part));
                if let Some(slot) = times.get_mut(part.index()).filter(|_| runs) {
                    *slot = given;
                }
            };
            match expr {
                // The policies stand around the call itself, whose arguments are made once.
                Expr::With { expr: call, policies } => {
                    walk::parts(walk::expr(body, *call), &mut hand);
                    walk::arg_parts(policies, &mut hand);
                }
                _ => walk::parts(expr, &mut hand),
            }
        }
        times
    }

    /// The calls of a body that ask models: how often, and what for.
    fn calls(&self, body: &Body, found: &Walk, times: &[Amount]) -> Vec<Part> {
        let mut parts = Vec::new();
        for (((expr, span), own), mine) in
            body.exprs.iter().zip(&body.expr_spans).zip(&found.own).zip(times)
        {
            let call = match expr {
                Expr::With { expr: call, .. } => walk::expr(body, *call),
                _ => expr,
            };
            let Expr::Call { callee: Callee::Def(callee), .. } = call else { continue };
            if mine.is_zero() || own.cost.requests.is_zero() {
                continue;
            }
            parts.push(Part {
                callee: *callee,
                span: *span,
                calls: own.cost.calls.times(mine, &self.sizes),
                repairs: own.cost.repairs.times(mine, &self.sizes),
                times: mine.clone(),
            });
        }
        parts.sort_by_key(|part| (part.span.file, part.span.start, part.span.end));
        parts
    }

    /// What the compensations of a body do, which count towards no budget of its header.
    fn compensations(&mut self, body: &Body, found: &Walk, times: &[Amount]) -> Cost {
        let mut sum = Cost::default();
        for (expr, mine) in body.exprs.iter().zip(times) {
            if let Expr::Undo { undo, .. } = expr
                && let Some(cost) = found.all.get(undo.index())
            {
                let all = self.times(cost, mine);
                sum = self.plus(&sum, &all);
            }
        }
        sum
    }

    // ---- sums of expressions ----

    fn add(&mut self, sum: &mut Sum, found: &Walk, part: ExprId) {
        self.add_times(sum, found, part, &1.into());
    }

    fn add_times(&mut self, sum: &mut Sum, found: &Walk, part: ExprId, times: &Amount) {
        if let Some(cost) = found.all.get(part.index()).filter(|cost| **cost != Cost::default()) {
            let cost = self.times(cost, times);
            sum.cost = self.plus(&sum.cost, &cost);
        }
        if let Some(circle) = found.circle.get(part.index()).filter(|circle| !circle.is_zero()) {
            sum.circle = sum.circle.clone().plus(&circle.times(times, &self.sizes), &self.sizes);
        }
    }

    fn add_largest(&mut self, sum: &mut Sum, found: &Walk, ways: impl Iterator<Item = ExprId>) {
        let (mut most, mut circle) = (Cost::default(), Amount::default());
        for way in ways {
            if let Some(cost) = found.all.get(way.index()) {
                most = self.larger(most, cost.clone());
            }
            if let Some(one) = found.circle.get(way.index()) {
                circle = circle.or(one.clone(), &mut self.sizes);
            }
        }
        sum.cost = self.plus(&sum.cost, &most);
        sum.circle = sum.circle.clone().plus(&circle, &self.sizes);
    }
}

/// What a call does itself, under its policies.
#[derive(Clone, Debug, Default)]
struct OwnCall {
    cost: Cost,
    circle: Amount,
}

/// A cost that is being summed up.
struct Sum {
    cost: Cost,
    circle: Amount,
}

/// What the expressions of a body cost, by [`ExprId`].
struct Walk {
    /// Calls themselves.
    own: Vec<OwnCall>,
    /// Each with all its parts.
    all: Vec<Cost>,
    /// How often each calls the declaration's own circle.
    circle: Vec<Amount>,
}

/// Whether an argument is the policy of that name.
pub(super) fn is(arg: &Arg, name: &str) -> bool {
    arg.name.as_ref().is_some_and(|(known, _)| known == name)
}

/// The value of a policy.
pub(super) fn policy(policies: &[Arg], name: &str) -> Option<ExprId> {
    policies.iter().find(|arg| is(arg, name)).and_then(|arg| match arg.value {
        ArgValue::Expr(value) => Some(value),
        _ => None,
    })
}
