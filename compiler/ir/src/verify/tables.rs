//! First step of the verifier: every id of every table is in range, types end, nothing is bound to what is not there.

use super::{Errors, MAX_LOCALS, Place, Problem, Sizes};
use crate::expr::{Expr, LogQuery, Pattern, TemplatePart};
use crate::program::{
    Approved, Auth, EffectClass, FunctionId, GraphId, GraphKind, HeaderText, KeyPlace, LeafDecl,
    LeafId, Node, NodeKind, Param, Program, RegionId,
};
use crate::types::{FieldType, Type, TypeId};

pub(super) fn check(program: &Program, errors: &mut Errors) {
    if program.max_locals > MAX_LOCALS {
        errors.add(Place::Program, Problem::Local(program.max_locals));
    }
    let sizes = Sizes(program);
    types(program, &sizes, errors);
    exprs(program, &sizes, errors);
    for (id, function) in (0..).map(FunctionId).zip(&program.functions) {
        sizes.expr(errors, Place::Function(id), function.body);
        function.params.iter().for_each(|ty| sizes.ty(errors, Place::Function(id), *ty));
        sizes.ty(errors, Place::Function(id), function.result);
        if function.arity() > program.max_locals {
            errors.add(Place::Function(id), Problem::Local(function.arity()));
        }
    }
    for (id, leaf) in (0..).map(LeafId).zip(&program.leaves) {
        let place = Place::Leaf(id);
        params(&leaf.params, place, &sizes, errors);
        sizes.ty(errors, place, leaf.result);
        sizes.resources(errors, place, &leaf.reads);
        sizes.resources(errors, place, &leaf.writes);
        if !leaf.class.is_write() && !leaf.writes.is_empty() {
            errors.add(place, Problem::Rule("a leaf that does not write names what it writes"));
        }
        if let Some(why) = calling(leaf) {
            errors.add(place, Problem::Rule(why));
        }
    }
    for (id, graph) in (0..).map(GraphId).zip(&program.graphs) {
        let place = Place::Graph(id);
        params(&graph.params, place, &sizes, errors);
        sizes.ty(errors, place, graph.result);
        sizes.region(errors, place, graph.body);
        graph.budgets.iter().for_each(|(_, value)| sizes.expr(errors, place, *value));
        if graph.depth == Some(0) {
            errors.add(place, Problem::Rule("a depth of 0 allows no call at all"));
        }
    }
    for (id, region) in (0..).map(RegionId).zip(&program.regions) {
        sizes.expr(errors, Place::Region(id), region.result);
        for (index, node) in (0..).zip(&region.nodes) {
            self::node(program, node, Place::Node(id, index), &sizes, errors);
        }
    }
    stubs(program, &sizes, errors);
}

/// Why a leaf cannot be called as it says. What is sent where is decided by this part alone, so nothing in it may be
/// taken for something else by whoever receives it.
fn calling(leaf: &LeafDecl) -> Option<&'static str> {
    let with = &leaf.with;
    let is_name = |name: &str| {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !name.is_empty() && name.bytes().all(is_token)
    };
    let is_text = |text: &str| text.bytes().all(|b| b == b'\t' || (b >= b' ' && b != 0x7f));
    let of_requests = with.auth.is_some() || !with.headers.is_empty() || with.key.is_some();
    let of_programs = with.memory.is_some() || with.time.is_some();
    if of_requests && leaf.kind != "http" {
        return Some("only a request has headers, a key and who sends it");
    }
    if of_programs && leaf.kind != "process" {
        return Some("only a program has limits of memory and processor time");
    }
    if with.timeout.is_some() && !matches!(leaf.kind.as_str(), "http" | "process" | "mcp") {
        return Some("only what is outside has a timeout of its own");
    }
    let mut headers = with.headers.iter().map(|(name, _)| name).collect::<Vec<_>>();
    match &with.auth {
        Some(Auth::Header { name, .. }) => headers.push(name),
        // A colon would end the user too early.
        Some(Auth::Basic { user, .. }) if user.contains(':') || !is_text(user) => {
            return Some("a user name holds a colon or a control character");
        }
        _ => {}
    }
    if let Some(KeyPlace::Header(name)) = &with.key {
        headers.push(name);
    }
    if !headers.iter().all(|name| is_name(name)) {
        return Some("a header has a name that no header has");
    }
    let of_text = |content: &HeaderText| match content {
        HeaderText::Text(text) => is_text(text),
        HeaderText::Secret(_) => true,
    };
    if !with.headers.iter().all(|(_, content)| of_text(content)) {
        return Some("a header holds a control character");
    }
    let keyed = leaf.class == (EffectClass::Write { keyed: true });
    if leaf.kind == "http" && keyed && with.key.is_none() {
        return Some("it takes a key and does not say where it is sent");
    }
    None
}

fn params(params: &[Param], place: Place, sizes: &Sizes<'_>, errors: &mut Errors) {
    for param in params {
        sizes.ty(errors, place, param.ty);
        param.default.iter().for_each(|default| sizes.expr(errors, place, *default));
    }
}

fn types(program: &Program, sizes: &Sizes<'_>, errors: &mut Errors) {
    fn fields(fields: &[FieldType], place: Place, sizes: &Sizes<'_>, errors: &mut Errors) {
        fields.iter().for_each(|field| sizes.ty(errors, place, field.ty));
    }
    for (id, ty) in program.types.iter() {
        let place = Place::Type(id);
        match ty {
            Type::List(item) => sizes.ty(errors, place, *item),
            Type::Map(key, value) => {
                sizes.ty(errors, place, *key);
                sizes.ty(errors, place, *value);
            }
            Type::Optional(inner) => {
                sizes.ty(errors, place, *inner);
                if matches!(program.types.get(*inner), Type::Optional(_) | Type::None) {
                    errors.add(place, Problem::Rule("an optional of what may be none"));
                }
            }
            Type::Refined { base, .. } => sizes.ty(errors, place, *base),
            Type::Record(record) => fields(&record.fields, place, sizes, errors),
            Type::Enum(e) => {
                e.variants.iter().for_each(|v| fields(&v.fields, place, sizes, errors));
            }
            _ => {}
        }
    }
    if errors.0.is_empty() {
        cycles(program, errors);
    }
}

/// Types may contain themselves only through a record or an enum: everything else would have no end.
fn cycles(program: &Program, errors: &mut Errors) {
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![0u8; program.types.len()];
    let mut stack: Vec<(TypeId, bool)> = Vec::new();
    for (id, _) in program.types.iter() {
        stack.push((id, false));
        while let Some((id, leave)) = stack.pop() {
            let Some(mark) = state.get_mut(id.0 as usize) else { continue };
            if leave {
                *mark = DONE;
                continue;
            }
            match *mark {
                DONE => continue,
                OPEN => {
                    errors.add(Place::Type(id), Problem::Cycle);
                    return;
                }
                _ => *mark = OPEN,
            }
            stack.push((id, true));
            match program.types.get(id) {
                Type::List(inner) | Type::Optional(inner) | Type::Refined { base: inner, .. } => {
                    stack.push((*inner, false))
                }
                Type::Map(key, value) => {
                    // One after the other, so that a sibling is not mistaken for an ancestor.
                    stack.push((*value, false));
                    stack.push((*key, false));
                }
                _ => {}
            }
        }
    }
}

fn exprs(program: &Program, sizes: &Sizes<'_>, errors: &mut Errors) {
    let locals = program.max_locals;
    for (id, expr) in (0u32..).zip(&program.exprs) {
        let place = Place::Expr(crate::ExprId(id));
        expr.for_each_child(|child| {
            if child.0 >= id {
                errors.add(place, Problem::Forward(child.0));
            }
        });
        let local = |errors: &mut Errors, local: u32| {
            if local >= locals {
                errors.add(place, Problem::Local(local));
            }
        };
        match expr {
            Expr::Local(l) | Expr::Let { local: l, .. } => local(errors, *l),
            Expr::Loop { state, .. } => state.iter().for_each(|(l, _)| local(errors, *l)),
            Expr::Is(_, p) | Expr::For { pattern: p, .. } => pattern(p, locals, place, errors),
            Expr::Match { arms, .. } | Expr::Catch { arms, .. } => {
                arms.iter().for_each(|arm| pattern(&arm.pattern, locals, place, errors));
            }
            Expr::Template(parts) => {
                for part in parts {
                    if let TemplatePart::Value(_, ty) = part {
                        sizes.ty(errors, place, *ty);
                    }
                }
            }
            Expr::Native { result, params, args, .. } => {
                sizes.ty(errors, place, *result);
                params.iter().for_each(|ty| sizes.ty(errors, place, *ty));
                errors.count(place, "types of arguments", params.len(), args.len());
            }
            Expr::CallFn(function, args) => {
                sizes.function(errors, place, *function);
                if let Some(function) = program.functions.get(function.index()) {
                    errors.count(place, "arguments", args.len(), function.params.len());
                }
            }
            Expr::Check(_, ty, _) => sizes.ty(errors, place, *ty),
            Expr::CallLog(query) => match &**query {
                LogQuery::Calls(target) | LogQuery::Attempts(target) => {
                    sizes.target(errors, place, *target);
                }
                LogQuery::Called(shape) => sizes.target(errors, place, shape.target),
                LogQuery::Order(shapes) => {
                    shapes.iter().for_each(|shape| sizes.target(errors, place, shape.target));
                }
            },
            _ => {}
        }
    }
}

/// Locals are in range, alternatives bind the same ones, and nothing is bound twice.
pub(super) fn pattern(pattern: &Pattern, locals: u32, place: Place, errors: &mut Errors) {
    let binders = pattern.binders();
    if let Some(last) = binders.last().filter(|last| **last >= locals) {
        errors.add(place, Problem::Local(*last));
    }
    if let Some(pair) = binders.windows(2).find(|pair| pair.first() == pair.last()) {
        errors.add(place, Problem::Rewritten(pair.first().copied().unwrap_or_default()));
    }
    alternatives(pattern, place, errors);
}

fn alternatives(pattern: &Pattern, place: Place, errors: &mut Errors) {
    match pattern {
        Pattern::Or(all) => {
            let mut sets = all.iter().map(Pattern::binders);
            let first = sets.next();
            if first.is_none() || sets.any(|set| Some(&set) != first.as_ref()) {
                errors.add(place, Problem::Alternatives);
            }
            all.iter().for_each(|inner| alternatives(inner, place, errors));
        }
        Pattern::Variant(_, fields) | Pattern::Record(fields) => {
            fields.iter().for_each(|(_, inner)| alternatives(inner, place, errors));
        }
        Pattern::List(items, _) => {
            items.iter().for_each(|inner| alternatives(inner, place, errors));
        }
        Pattern::Some(inner) => alternatives(inner, place, errors),
        Pattern::Any | Pattern::Bind(_) | Pattern::Const(_) | Pattern::Range(..) => {}
    }
}

fn node(program: &Program, node: &Node, place: Place, sizes: &Sizes<'_>, errors: &mut Errors) {
    sizes.ty(errors, place, node.ty);
    sizes.resources(errors, place, &node.reads);
    sizes.resources(errors, place, &node.writes);
    node.kind.for_each_expr(|expr| sizes.expr(errors, place, expr));
    node.kind.for_each_region(|region| sizes.region(errors, place, region));
    match &node.kind {
        NodeKind::Call(call) => {
            sizes.graph(errors, place, call.graph);
            call.target.iter().for_each(|target| sizes.target(errors, place, *target));
            if let Some(graph) = program.graphs.get(call.graph.index()) {
                errors.count(place, "arguments", call.args.len(), graph.params.len());
            }
        }
        NodeKind::Leaf(call) => {
            sizes.leaf(errors, place, call.leaf);
            call.target.iter().for_each(|target| sizes.target(errors, place, *target));
            if let Some(leaf) = program.leaves.get(call.leaf.index()) {
                errors.count(place, "arguments", call.args.len(), leaf.params.len());
            }
        }
        NodeKind::Model(call) => {
            sizes.ty(errors, place, call.output);
            call.messages.iter().for_each(|message| sizes.ty(errors, place, message.ty));
            if !program.roles.iter().any(|role| role.name == call.role) {
                errors
                    .add(place, Problem::Rule("it names a role that the program does not declare"));
            }
        }
        NodeKind::Switch { arms, .. } | NodeKind::Catch { arms, .. } => {
            if arms.is_empty() {
                errors.add(place, Problem::Rule("it has no arms"));
            }
            for arm in arms {
                pattern(&arm.pattern, program.max_locals, place, errors);
            }
        }
        NodeKind::Map(map) => pattern(&map.pattern, program.max_locals, place, errors),
        NodeKind::Race { need, list, arms } => {
            if *need == 0 || *need as usize > arms.len() || (!list && *need != 1) {
                errors.add(
                    place,
                    Problem::Rule("the race needs a number of winners that it cannot have"),
                );
            }
        }
        NodeKind::Approve(approve) => {
            match approve.what {
                Approved::Leaf(id) => sizes.leaf(errors, place, id),
                Approved::Graph(id) => sizes.graph(errors, place, id),
                Approved::Stub(id) => sizes.target(errors, place, id),
            }
            approve.target.iter().for_each(|target| sizes.target(errors, place, *target));
            approve.show.iter().for_each(|(_, ty)| sizes.ty(errors, place, *ty));
        }
        NodeKind::Ask(ask) => {
            ask.target.iter().for_each(|target| sizes.target(errors, place, *target));
            ask.show.iter().for_each(|(_, ty)| sizes.ty(errors, place, *ty));
            if ask.question.is_none() && ask.choose.is_none() {
                errors.add(place, Problem::Rule("it asks nothing"));
            }
            if ask.choose.is_some() && !matches!(program.types.base(node.ty), Type::List(_)) {
                errors.add(place, Problem::Rule("a selection is not a list"));
            }
        }
        NodeKind::Stubbed { target, .. } => sizes.target(errors, place, *target),
        NodeKind::Expect { shows, .. } => {
            shows.iter().for_each(|(_, _, ty)| sizes.ty(errors, place, *ty));
        }
        NodeKind::Policy(policy) => {
            if policy.cache.is_some() != policy.cache_key.is_some() {
                errors.add(place, Problem::Rule("a cache and its key belong together"));
            }
        }
        NodeKind::Undo(_) => {
            if program.types.get(node.ty) != &Type::None {
                errors.add(place, Problem::Rule("a compensation gives no value"));
            }
        }
        NodeKind::Pure(_) | NodeKind::Loop(_) | NodeKind::Try(_) => {}
    }
}

fn stubs(program: &Program, sizes: &Sizes<'_>, errors: &mut Errors) {
    let tests = program.graphs.iter().filter(|graph| graph.kind == GraphKind::Test).count();
    if tests > 1 || (tests == 0 && !program.stubs.is_empty()) {
        errors.add(Place::Program, Problem::Count { what: "tests", found: tests, wanted: 1 });
    }
    if tests > 0 {
        // What a test answers by its stubs must not be run as if people and the world had answered.
        for (id, _) in (0..).map(GraphId).zip(&program.graphs).filter(|(_, graph)| graph.public) {
            errors.add(Place::Graph(id), Problem::Rule("a test offers no graph to anybody"));
        }
    } else if !program.targets.is_empty() {
        errors.add(Place::Program, Problem::Rule("only a test stubs and counts calls"));
    }
    for (index, stub) in (0..).zip(&program.stubs) {
        let place = Place::Stub(index);
        sizes.target(errors, place, stub.target);
        for (_, p) in &stub.params {
            pattern(p, program.max_locals, place, errors);
        }
        for outcome in &stub.outcomes {
            sizes.expr(errors, place, outcome.value);
            if outcome.after < 0 {
                errors.add(place, Problem::Rule("time does not run backwards"));
            }
        }
        if stub.outcomes.is_empty() {
            errors.add(place, Problem::Rule("it has no outcome"));
        }
    }
}
