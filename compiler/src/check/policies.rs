//! Policies: which names each place knows, of which type their values are, and none twice. What they may do to calls
//! that write is asked by the effects, not here.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::exprs::ShownTo;
use super::infer::{BodyCx, Expect, Why};
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::effects::walk;
use crate::hir::{Arg, ArgValue, Callee, DefKind, Expr, ExprId, Literal};

/// Where policies stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind a call.
    Call,
    /// In the header of a graph.
    Graph,
    /// In the header of a prompt.
    Prompt,
    /// In the header of an agent.
    Agent,
    /// Behind a prompt's `model` line.
    Model,
    /// Behind a tool of an agent.
    Tool,
    /// In the header of an extern from `http`.
    Http,
    /// In the header of an extern from `wasm`.
    Wasm,
    /// In the header of an extern from `process`.
    Process,
    /// In the header of an extern from `mcp`.
    Mcp,
    /// In the header of an extern of the standard library.
    Native,
    /// In the header of a trigger.
    Trigger,
    /// In the header of a test.
    Test,
}

/// What a policy's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of that primitive type.
    Of(Prim),
    /// A whole number of at least that.
    Count(i64),
    /// As the call's.
    AsCall,
    /// What was bound before by name, or a list of such names.
    Earlier,
    /// The name of a model role.
    Role,
    /// A way to send a secret or a key.
    Transport,
    /// A map of headers.
    Headers,
    /// One of the prelude's `Overlap`.
    Overlap,
    /// One of the prelude's `Missed`.
    Missed,
    /// Anything that can be shown to a person.
    Shown,
    /// Parameters of the call, selected: `[.amount]`.
    Parameters,
    /// The word `true`.
    True,
    /// Known, but not run by this version.
    Later(&'static str),
}

/// Where what the whole profile shares can be said.
const SHARED: &[Place] =
    &[Place::Call, Place::Tool, Place::Http, Place::Wasm, Place::Process, Place::Mcp];

/// Every policy with the places that know it; one that means different things has several rows.
const TABLE: &[(&str, &[Place], Value)] = &[
    ("retry", &[Place::Call, Place::Tool], Value::Count(0)),
    (
        "timeout",
        &[Place::Call, Place::Tool, Place::Http, Place::Process, Place::Mcp],
        Value::Of(Prim::Duration),
    ),
    ("deadline", &[Place::Call, Place::Tool], Value::Of(Prim::Duration)),
    ("cache", &[Place::Call, Place::Tool], Value::Of(Prim::Duration)),
    ("fallback", &[Place::Call], Value::AsCall),
    ("key", &[Place::Call], Value::Of(Prim::Text)),
    ("key", &[Place::Http, Place::Native], Value::Transport),
    ("auth", &[Place::Http], Value::Transport),
    ("headers", &[Place::Http], Value::Headers),
    ("memory", &[Place::Wasm, Place::Process], Value::Of(Prim::Size)),
    ("after", &[Place::Call], Value::Earlier),
    ("model", &[Place::Call], Value::Role),
    ("repair", &[Place::Call, Place::Prompt], Value::Count(0)),
    ("rate", SHARED, Value::Count(1)),
    ("per", SHARED, Value::Of(Prim::Duration)),
    ("parallel", SHARED, Value::Count(1)),
    ("approve", &[Place::Call, Place::Tool], Value::Of(Prim::Text)),
    ("within", &[Place::Call, Place::Tool], Value::Of(Prim::Duration)),
    ("edit", &[Place::Call], Value::Parameters),
    ("show", &[Place::Call], Value::Shown),
    ("once", &[Place::Call], Value::Of(Prim::Text)),
    ("detach", &[Place::Call], Value::True),
    ("calls", &[Place::Graph, Place::Prompt, Place::Agent], Value::Count(0)),
    ("tokens", &[Place::Graph, Place::Prompt, Place::Agent], Value::Count(0)),
    ("cost", &[Place::Graph, Place::Prompt, Place::Agent], Value::Of(Prim::Money)),
    (
        "time",
        &[Place::Graph, Place::Prompt, Place::Agent, Place::Wasm, Place::Process],
        Value::Of(Prim::Duration),
    ),
    ("turns", &[Place::Agent], Value::Count(1)),
    ("depth", &[Place::Graph], Value::Count(1)),
    ("overlap", &[Place::Graph, Place::Trigger], Value::Overlap),
    ("by", &[Place::Graph, Place::Trigger], Value::Of(Prim::Text)),
    ("missed", &[Place::Trigger], Value::Missed),
    ("dedupe", &[Place::Trigger], Value::Of(Prim::Text)),
    ("history", &[Place::Agent], Value::Count(1)),
    ("max_calls", &[Place::Tool], Value::Count(1)),
    ("max_result", &[Place::Tool], Value::Of(Prim::Size)),
    ("temperature", &[Place::Model], Value::Of(Prim::Float)),
    ("top_p", &[Place::Model], Value::Of(Prim::Float)),
    ("max_tokens", &[Place::Model], Value::Count(1)),
    ("seed", &[Place::Model], Value::Of(Prim::Int)),
    ("live", &[Place::Test], Value::Later("an evaluation against live models")),
    ("runs", &[Place::Test], Value::Later("an evaluation against live models")),
    ("pass", &[Place::Test], Value::Later("an evaluation against live models")),
];

/// The policies that a place knows and that this version runs: what an editor offers there.
pub fn policy_names(place: Place) -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter(move |(_, places, value)| {
            places.contains(&place) && !matches!(value, Value::Later(_))
        })
        .map(|(name, ..)| *name)
}

/// What a place wants as the value of a policy; `None` if it does not know the policy.
#[must_use]
pub fn policy_value(place: Place, name: &str) -> Option<Value> {
    let row = TABLE.iter().find(|(known, places, _)| *known == name && places.contains(&place));
    row.map(|(.., value)| *value)
}

/// Every policy that any place knows.
pub fn every_policy() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, ..)| *name)
}

/// Whether a policy belongs behind calls.
pub(super) fn is_of_calls(name: &str) -> bool {
    TABLE.iter().any(|(known, places, _)| *known == name && places.contains(&Place::Call))
}

impl Place {
    /// The header of an extern from there.
    pub(super) fn of_extern(kind: &str) -> Self {
        match kind {
            "http" => Self::Http,
            "wasm" => Self::Wasm,
            "process" => Self::Process,
            "mcp" => Self::Mcp,
            _ => Self::Native,
        }
    }

    /// Whether it is the header of something that is called.
    fn is_header(self) -> bool {
        match self {
            Self::Graph
            | Self::Prompt
            | Self::Agent
            | Self::Http
            | Self::Wasm
            | Self::Process
            | Self::Mcp
            | Self::Native => true,
            Self::Call | Self::Model | Self::Tool | Self::Trigger | Self::Test => false,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Call => "a call",
            Self::Graph => "the header of a graph",
            Self::Prompt => "the header of a prompt",
            Self::Agent => "the header of an agent",
            Self::Model => "a `model` line",
            Self::Tool => "a tool of an agent",
            Self::Http => "the header of an extern from `http`",
            Self::Wasm => "the header of an extern from `wasm`",
            Self::Process => "the header of an extern from `process`",
            Self::Mcp => "the header of an extern from `mcp`",
            Self::Native => "the header of an extern",
            Self::Trigger => "a trigger",
            Self::Test => "a test",
        }
    }
}

impl BodyCx<'_, '_> {
    /// Policies behind a call; the type of its `fallback`, if it has one.
    pub(super) fn call_policies(
        &mut self,
        call: ExprId,
        policies: &[Arg],
        ty: Ty,
        expect: Expect,
    ) -> Option<Ty> {
        let fallback = self.policies(Place::Call, policies, Some((call, ty, expect)));
        self.people_policies(call, policies);
        fallback
    }

    /// Policies of a header or a prompt's line.
    pub(super) fn header_policies(&mut self, place: Place, policies: &[Arg]) {
        self.policies(place, policies, None);
    }

    fn policies(
        &mut self,
        place: Place,
        policies: &[Arg],
        call: Option<(ExprId, Ty, Expect)>,
    ) -> Option<Ty> {
        let mut seen: FxHashMap<&str, Span> = FxHashMap::default();
        let mut later: Vec<&'static str> = Vec::new();
        let mut fallback = None;
        for policy in policies {
            let Some((name, span)) = &policy.name else {
                self.spoil_args(std::slice::from_ref(policy));
                self.report(
                    Diagnostic::new(Code::UnknownPolicy, policy.span, "a policy needs a name")
                        .help("name each policy, such as `with (retry: 2, timeout: 10s)`"),
                );
                continue;
            };
            if let Some(first) = seen.get(name.as_str()) {
                self.report(
                    Diagnostic::new(
                        Code::RepeatedPolicy,
                        *span,
                        format!("`{name}` is given twice"),
                    )
                    .label(*first, "first given here")
                    .help("keep the one that you mean"),
                );
                self.spoil_args(std::slice::from_ref(policy));
                continue;
            }
            seen.insert(name, *span);
            let mut rows = TABLE.iter().filter(|(known, ..)| known == name);
            let first = rows.clone().next();
            let known = rows.find(|(_, places, _)| places.contains(&place)).or(first);
            let Some((_, places, value)) = known else {
                self.unknown_policy(place, name, *span);
                self.spoil_args(std::slice::from_ref(policy));
                continue;
            };
            if !places.contains(&place) {
                self.misplaced_policy(place, places, name, *span);
                self.spoil_args(std::slice::from_ref(policy));
                continue;
            }
            if let Value::Later(what) = value {
                if !later.contains(what) {
                    later.push(what);
                    self.report(Diagnostic::not_supported(*span, what));
                }
                self.spoil_args(std::slice::from_ref(policy));
                continue;
            }
            let given = self.policy_value(name, policy, *value, call);
            self.known_before(place, name, policy, *value);
            if *value == Value::AsCall {
                fallback = given;
            }
        }
        fallback
    }

    fn policy_value(
        &mut self,
        name: &str,
        policy: &Arg,
        value: Value,
        call: Option<(ExprId, Ty, Expect)>,
    ) -> Option<Ty> {
        if let (Value::Parameters, Some((call, ..))) = (value, call) {
            self.edited(call, policy);
            return None;
        }
        let ArgValue::Expr(e) = policy.value else {
            self.spoil_args(std::slice::from_ref(policy));
            self.report(Diagnostic::new(
                Code::PolicyValue,
                policy.span,
                format!("`{name}` needs a value"),
            ));
            return None;
        };
        match value {
            Value::Of(prim) => {
                self.policy_of(name, e, prim);
                match self.literal(e) {
                    Some(Literal::Duration(nanos)) if prim == Prim::Duration && nanos <= 0 => {
                        self.report(
                            Diagnostic::new(
                                Code::PolicyValue,
                                self.span(e),
                                format!("`{name}` must be longer than zero"),
                            )
                            .here("this leaves no time")
                            .help(format!("write a duration above zero, or leave `{name}` out")),
                        );
                    }
                    _ => {}
                }
                None
            }
            Value::Count(least) => {
                self.policy_of(name, e, Prim::Int);
                if let Some(n) = self.int_literal(e)
                    && n < least
                {
                    self.report(
                        Diagnostic::new(
                            Code::PolicyValue,
                            self.span(e),
                            format!("`{name}` must be at least {least}"),
                        )
                        .here(format!("found {n}")),
                    );
                }
                None
            }
            Value::AsCall => {
                let (call, ty, expect) = call?;
                let ty = self.decoded_to(call).unwrap_or(ty);
                let why = match self.node(call) {
                    Expr::Call { callee: Callee::Def(def), .. } => Why::Result(*def),
                    _ => Why::Because(call),
                };
                let inner = match expect.ty {
                    // Without a place that takes more than the call gives, what it gives decides.
                    Some(wanted) if wanted == ty => Expect::of(ty, why),
                    Some(_) if !self.is_error(ty) => Expect { discard: false, ..expect },
                    _ => Expect::of(ty, Why::Because(call)),
                };
                Some(self.expr(e, inner))
            }
            Value::Earlier => {
                self.expr(e, Expect::ANY);
                let names: SmallVec<[ExprId; 4]> = match self.node(e) {
                    Expr::List(items) => items.iter().map(|(item, _)| *item).collect(),
                    _ => smallvec::smallvec![e],
                };
                for one in names {
                    if matches!(self.node(one), Expr::Local(_) | Expr::Missing) {
                        continue;
                    }
                    self.report(
                        Diagnostic::new(
                            Code::PolicyValue,
                            self.span(one),
                            format!("`{name}` needs the names of values that come before"),
                        )
                        .here("this is not the name of a value")
                        .help(format!("name what must have succeeded with `let x = …`, and write `{name}: x` or `{name}: [x, y]`")),
                    );
                }
                None
            }
            Value::Transport => {
                self.transport(name, e);
                None
            }
            Value::Headers => {
                self.headers(e);
                None
            }
            Value::Role => {
                let ty = self.expr(e, Expect::ANY);
                if self.base(ty) != Ty::ROLE && !self.is_error(ty) {
                    let shown = self.show(ty);
                    let finding = Diagnostic::new(
                        Code::PolicyValue,
                        self.span(e),
                        format!("`{name}` needs the name of a model role, found `{shown}`"),
                    );
                    let said = match self.literal(e) {
                        Some(Literal::Text(said)) if self.roles().contains(&said) => Some(said),
                        _ => None,
                    };
                    self.report(match said {
                        Some(role) => finding.help("write the name without quotes").guess(
                            format!("write `{role}`"),
                            vec![Edit::new(self.span(e), role.as_str())],
                        ),
                        None => finding.help(
                            "declare a role with `model name`, and write its name without quotes",
                        ),
                    });
                } else if let Some((call, ..)) = call
                    && let Expr::Call { callee: Callee::Def(callee), .. } = self.node(call)
                {
                    let callee = *callee;
                    self.role_of_call(callee, e);
                }
                None
            }
            Value::Shown => {
                let ty = self.expr(e, Expect::ANY);
                self.shown(e, ty, ShownTo::Person);
                None
            }
            Value::True => {
                self.expr(e, Expect::of(Ty::BOOL, Why::Nothing));
                if !matches!(self.node(e), Expr::Literal(Literal::Bool(true)) | Expr::Missing) {
                    self.report(
                        Diagnostic::new(
                            Code::PolicyValue,
                            self.span(e),
                            format!("`{name}` must be the word `true`"),
                        )
                        .help("write `true`, or leave the policy out; it cannot be computed"),
                    );
                }
                None
            }
            Value::Parameters => {
                self.spoil_args(std::slice::from_ref(policy));
                None
            }
            Value::Overlap | Value::Missed => {
                let of = match value {
                    Value::Missed => self.cx.lang.missed,
                    _ => self.cx.lang.overlap,
                };
                let expect = match of {
                    Some(def) => {
                        let ty = self.cx.interner.named(def, &[]);
                        Expect::of(ty, Why::Nothing)
                    }
                    None => Expect::ERROR,
                };
                self.expr(e, expect);
                None
            }
            Value::Later(_) => None,
        }
    }

    /// What a header promises is known before anything runs, so it reads no parameter.
    fn known_before(&mut self, place: Place, name: &str, policy: &Arg, value: Value) {
        let ArgValue::Expr(e) = policy.value else { return };
        if !matches!(value, Value::Of(_) | Value::Count(_)) {
            return;
        }
        // Which session it is, and which event was seen before, is different for each run.
        if place.is_header()
            && name != "by"
            && let Some((at, local)) = walk::first_local(self.body, e)
        {
            let Some(local) = self.body.locals.get(local.index()) else { return };
            self.report(
                Diagnostic::new(
                    Code::PolicyValue,
                    self.span(at),
                    format!("`{name}` of a header cannot use the parameter `{}`", local.name),
                )
                .here("known only when it is called")
                .help(format!(
                    "a header promises the same for every call: write a value, or a constant (`let most = …`, `{name}: most`)"
                )),
            );
        }
    }

    /// A policy's value of a primitive type; a bare number where a unit is missing is the usual slip.
    fn policy_of(&mut self, name: &str, e: ExprId, prim: Prim) {
        let ty = self.expr(e, Expect::ANY);
        let base = self.base(ty);
        if base == prim.ty() || matches!(base, Ty::ERROR | Ty::NEVER) {
            return;
        }
        if prim == Prim::Float && base == Ty::INT && self.int_literal(e).is_some() {
            self.adapt(e, Ty::FLOAT);
            return;
        }
        if let TyKind::Var(_) = self.cx.interner.kind(base) {
            self.fits_quietly(base, prim.ty());
            return;
        }
        let shown = self.show(ty);
        let span = self.span(e);
        let mut finding = Diagnostic::new(
            Code::PolicyValue,
            span,
            format!("`{name}` needs a value of type `{}`, found `{shown}`", prim.as_str()),
        )
        .here(format!("this is `{shown}`"));
        finding = match (prim, self.literal(e)) {
            (Prim::Duration, Some(Literal::Int(n))) => finding
                .help("write a unit after the number: `ms`, `s`, `m`, `h` or `d`")
                .guess(format!("write `{n}s`"), vec![Edit::new(span.after(), "s")]),
            (Prim::Money, Some(Literal::Int(_) | Literal::Float(_))) => finding
                .help("write a currency after the number, such as `0.05usd`")
                .guess("in dollars", vec![Edit::new(span.after(), "usd")]),
            _ => finding,
        };
        self.report(finding);
    }

    fn unknown_policy(&mut self, place: Place, name: &str, span: Span) {
        let here =
            || TABLE.iter().filter(|(_, places, _)| places.contains(&place)).map(|row| row.0);
        let mut finding =
            Diagnostic::new(Code::UnknownPolicy, span, format!("there is no policy `{name}`"));
        finding = match self.cx.suggest(span, name, here()) {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(span, near)]),
            None => {
                let all: Vec<&str> = here().collect();
                finding.help(format!("{} takes `{}`", place.noun(), all.join("`, `")))
            }
        };
        self.report(finding);
    }

    /// The model roles that this module declares.
    pub(super) fn roles(&self) -> Vec<SmolStr> {
        let module = self.cx.hir.modules.get(self.module.index());
        let defs = module.into_iter().flat_map(|module| &module.defs);
        defs.filter_map(|def| self.cx.hir.defs.get(def.index()))
            .filter(|def| matches!(def.kind, DefKind::Model { .. }))
            .map(|def| def.name.clone())
            .collect()
    }

    fn misplaced_policy(&mut self, place: Place, places: &[Place], name: &str, span: Span) {
        let homes: Vec<&str> = places.iter().map(|place| place.noun()).collect();
        self.report(
            Diagnostic::new(
                Code::MisplacedPolicy,
                span,
                format!("`{name}` cannot be set on {}", place.noun()),
            )
            .help(format!("set it on {}", homes.join(" or "))),
        );
    }
}
