//! Tests in the language, and the forms that are called like functions: stubs against signatures, expectations,
//! questions to the record of calls, `allow` and `endorse`.

use super::blame::Origin;
use super::calls::Target;
use super::infer::{BodyCx, Expect, Fit, Why};
use super::policies::Place;
use super::ty::Ty;
use super::{ArgSource, CallTypes, Cause};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit};
use crate::hir::{Arg, ArgValue, Builtin, ExprId, Literal, Stub, Test, TestItem};
use crate::names::suggest;

impl<'a> BodyCx<'_, 'a> {
    /// A test's items in the order of the text: its lets are visible in its stubs.
    pub(super) fn test(&mut self, test: &'a Test) {
        self.in_test = true;
        self.header_policies(Place::Test, &test.policies);
        for item in &test.items {
            match item {
                TestItem::Stub(stub) => self.stub(stub),
                TestItem::Expect { expr, .. } => {
                    self.expr(*expr, Expect::of(Ty::BOOL, Why::Condition));
                }
                TestItem::Stmt(stmt) => {
                    self.stmt(stmt);
                }
            }
        }
    }

    fn stub(&mut self, stub: &'a Stub) {
        if let Some(form) = stub.form {
            return self.stub_of_question(stub, form);
        }
        let target = stub.target.and_then(|def| self.target(def));
        let Some(target) = target else {
            for (_, pat, _) in &stub.params {
                self.pattern(*pat, Ty::ERROR);
            }
            for (outcome, _) in &stub.outcomes {
                self.expr(*outcome, Expect::ERROR);
            }
            return;
        };
        let type_args: Vec<Ty> = (0..target.type_params).map(|_| self.fresh()).collect();
        self.stub_params(stub, &target, &type_args);
        let result = self.cx.interner.subst(target.result, &type_args);
        for (outcome, _) in &stub.outcomes {
            if stub.approve {
                self.approval(*outcome, &target, &type_args);
                continue;
            }
            // What a stub gives is checked again where it is used; here its shape is.
            self.expr(*outcome, Expect::of(result, Why::Result(target.def)));
        }
        for ty in type_args {
            self.close(ty);
        }
    }

    fn stub_params(&mut self, stub: &Stub, target: &Target<'_>, type_args: &[Ty]) {
        let mut position = 0usize;
        let mut taken = vec![false; target.types.len()];
        let mut broken = false;
        for (name, pat, span) in &stub.params {
            let index = match name {
                Some(name) => {
                    let found = target.find(name);
                    if found.is_none() {
                        broken = true;
                        self.unknown_stub_param(target, name, *span);
                    }
                    found
                }
                None => {
                    position += 1;
                    if position > target.types.len() && !broken {
                        broken = true;
                        self.cx.report_once(
                            Cause::Missing(target.span),
                            Diagnostic::new(
                                Code::TooManyArguments,
                                *span,
                                match target.types.len() {
                                    0 => format!("`{}` has no parameters", target.name),
                                    1 => format!("`{}` has one parameter", target.name),
                                    count => format!("`{}` has {count} parameters", target.name),
                                },
                            )
                            .here("this argument is one too many")
                            .label(target.span, "declared here"),
                        );
                    }
                    (position <= target.types.len()).then_some(position - 1)
                }
            };
            let ty = match index {
                Some(index) if !taken[index] => {
                    taken[index] = true;
                    let ty = target.types.get(index).copied().unwrap_or(Ty::ERROR);
                    self.cx.interner.subst(ty, type_args)
                }
                Some(_) => {
                    if !broken {
                        broken = true;
                        self.report(Diagnostic::new(
                            Code::RepeatedArgument,
                            *span,
                            "the stub names this parameter twice",
                        ));
                    }
                    Ty::ERROR
                }
                None => Ty::ERROR,
            };
            let place = index.and_then(|index| target.place(index));
            self.matched = place.map_or(Origin::Nowhere, Origin::Place);
            self.pattern(*pat, ty);
            self.matched = Origin::Nowhere;
        }
    }

    fn unknown_stub_param(
        &mut self,
        target: &Target<'_>,
        name: &smol_str::SmolStr,
        span: crate::diagnostics::Span,
    ) {
        let end = span.start + u32::try_from(name.len()).unwrap_or(0);
        let place = crate::diagnostics::Span { end: end.min(span.end), ..span };
        let mut finding = Diagnostic::new(
            Code::UnknownArgument,
            place,
            format!("`{}` has no parameter `{name}`", target.name),
        )
        .label(target.span, "declared here");
        finding = match suggest(name, target.names()) {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(place, near)]),
            None => finding.help(format!("it takes {}", names_of(target.names()))),
        };
        if !self.renamed(target.def, name) {
            self.cx.report_once(Cause::Member(target.def, name.clone()), finding);
        }
    }

    // ---- forms that are called like functions ----

    pub(super) fn builtin(
        &mut self,
        e: ExprId,
        builtin: Builtin,
        args: &'a [Arg],
        expect: Expect,
    ) -> Ty {
        match builtin {
            Builtin::Allow => self.allow(e, args, expect),
            Builtin::Endorse => self.endorse(e, args, expect),
            Builtin::Ask => self.ask(e, args, expect),
            Builtin::Choose => self.choose(e, args),
            Builtin::SessionSave => self.session_save(e, args),
            // They stand as values of policies, where they are read by those.
            Builtin::Header | Builtin::Query | Builtin::Bearer | Builtin::Basic => {
                self.spoil_args(args);
                if expect.ty == Some(Ty::ERROR) {
                    return Ty::ERROR;
                }
                self.report(
                    Diagnostic::new(
                        Code::PolicyValue,
                        self.span(e),
                        "this can only be used in `auth:`, `key:` and the like",
                    )
                    .help("write it as `with (auth: bearer(token))`"),
                );
                Ty::ERROR
            }
            Builtin::Calls | Builtin::Attempts => {
                if args.len() != 1 {
                    self.bad_question(e, "expected the name of one function, such as `calls(f)`");
                }
                if let [Arg { value: ArgValue::Expr(call), .. }] = args {
                    let word = if builtin == Builtin::Calls { "calls" } else { "attempts" };
                    self.report(
                        Diagnostic::new(
                            Code::BadQuestion,
                            self.span(*call),
                            format!(
                                "`{word}` counts what a function is called, whatever it is given: expected its name"
                            ),
                        )
                        .help(format!(
                            "write `{word}(f)`, or ask whether it was called so: `called(f(\"a\"))`"
                        )),
                    );
                    self.spoil_args(args);
                    return Ty::INT;
                }
                self.callables(args);
                Ty::INT
            }
            Builtin::Called => {
                self.called_with(e, args);
                Ty::BOOL
            }
            Builtin::Order => {
                if args.len() < 2 {
                    self.bad_question(e, "`order` needs at least two calls");
                }
                self.callables(args);
                Ty::BOOL
            }
        }
    }

    fn bad_question(&mut self, e: ExprId, what: &str) {
        self.report(
            Diagnostic::new(Code::BadQuestion, self.span(e), what)
                .help("use `calls(f)`, `attempts(f)`, `called(f, x)`, `order(f(\"a\"), g)`"),
        );
    }

    fn callables(&mut self, args: &'a [Arg]) {
        for arg in args {
            match &arg.value {
                ArgValue::Callable(..) => {}
                ArgValue::Expr(e) => self.call_shape(*e),
                _ => self.report(Diagnostic::new(
                    Code::BadQuestion,
                    arg.span,
                    "expected the name of a function",
                )),
            }
        }
    }

    /// `called(f, x, y: z)`: the arguments go to the parameters of `f`.
    fn called_with(&mut self, e: ExprId, args: &'a [Arg]) {
        let Some((first, rest)) = args.split_first() else {
            self.bad_question(e, "expected the name of a function, such as `called(f, x)`");
            return;
        };
        let target = match &first.value {
            ArgValue::Callable(Some(def), _) => self.target(*def),
            ArgValue::Expr(shape) if rest.is_empty() => return self.call_shape(*shape),
            _ => None,
        };
        match target {
            Some(target) => {
                let target = Target { partial: true, ..target };
                self.call_target(e, &target, rest, Expect::ERROR);
                // Arguments are counted from the first, which names the callee.
                if let Some(call) = self.out.calls.get_mut(&e) {
                    for source in &mut call.args {
                        if let ArgSource::Arg(index) = source {
                            *index += 1;
                        }
                    }
                }
            }
            None => {
                if let ArgValue::Expr(shape) = first.value {
                    self.call_shape(shape);
                }
                self.spoil_args(rest);
            }
        }
    }

    /// Finds the arguments of a form: its first by position, the others by name.
    pub(super) fn form_args(
        &mut self,
        args: &[Arg],
        names: &[&str],
        form: &str,
    ) -> Vec<Option<(u32, ExprId)>> {
        let mut found: Vec<Option<(u32, ExprId)>> = vec![None; names.len()];
        for (index, arg) in (0u32..).zip(args) {
            let place = match &arg.name {
                Some((name, span)) => {
                    let place = names.iter().position(|known| known == name);
                    if place.is_none() {
                        let mut finding = Diagnostic::new(
                            Code::UnknownArgument,
                            *span,
                            format!("`{form}` has no parameter `{name}`"),
                        );
                        finding = match suggest(name, names.iter().copied()) {
                            Some(near) => finding
                                .help(format!("did you mean `{near}`?"))
                                .guess(format!("write `{near}`"), vec![Edit::new(*span, near)]),
                            None => finding
                                .help(format!("it takes {}", names_of(names.iter().copied()))),
                        };
                        self.report(finding);
                    }
                    place
                }
                None => found.iter().position(Option::is_none).filter(|place| *place < 2),
            };
            match (place, &arg.value) {
                (Some(place), ArgValue::Expr(e)) if found[place].is_none() => {
                    found[place] = Some((index, *e));
                }
                _ => self.spoil_args(std::slice::from_ref(arg)),
            }
        }
        found
    }

    pub(super) fn note_form(
        &mut self,
        e: ExprId,
        found: &[Option<(u32, ExprId)>],
        params: Vec<Ty>,
        result: Ty,
    ) {
        let args = found
            .iter()
            .map(|arg| arg.map_or(ArgSource::None, |(index, _)| ArgSource::Arg(index)))
            .collect();
        self.out.calls.insert(
            e,
            CallTypes {
                args,
                params: params.into(),
                result,
                type_args: smallvec::SmallVec::new(),
                selectors: Vec::new(),
            },
        );
    }

    /// `allow(x, only: […])`, `allow(x, matching: r"…")`: gives `x`, or fails with `Invalid`.
    fn allow(&mut self, e: ExprId, args: &[Arg], expect: Expect) -> Ty {
        let found = self.form_args(args, &["value", "only", "matching"], "allow");
        let [value, only, matching] = found.as_slice() else { return Ty::ERROR };
        let Some((_, value)) = *value else {
            self.missing_form_arg(e, "allow", "a value");
            return Ty::ERROR;
        };
        let wanted = Expect { ty: expect.ty, why: expect.why, discard: false };
        let ty = self.expr(value, wanted);
        let base = self.base(ty);
        let list = self.cx.interner.list(base);
        match (*only, *matching) {
            (Some((_, only)), None) => {
                self.expr(only, Expect::of(list, Why::Because(value)));
            }
            (None, Some((_, pattern))) => {
                if !self.is_error(ty) && self.fit(base, Ty::TEXT) == Fit::No {
                    let shown = self.show(ty);
                    self.report(
                        Diagnostic::new(
                            Code::Mismatch,
                            self.span(value),
                            format!("`matching` needs a text, found `{shown}`"),
                        )
                        .help("list what is allowed: `only: […]`"),
                    );
                }
                self.expr(pattern, Expect::of(Ty::TEXT, Why::Nothing));
                self.check_regex(pattern);
            }
            (None, None) => self.missing_form_arg(e, "allow", "`only` or `matching`"),
            (Some((_, only)), Some((_, pattern))) => {
                self.expr(only, Expect::ERROR);
                self.expr(pattern, Expect::ERROR);
                self.report(
                    Diagnostic::new(
                        Code::RepeatedArgument,
                        self.span(pattern),
                        "`allow` takes `only` or `matching`, not both",
                    )
                    .label(self.span(only), "the other one"),
                );
            }
        }
        self.note_form(e, &found, vec![ty, list, Ty::TEXT], ty);
        ty
    }

    fn check_regex(&mut self, e: ExprId) {
        if let Some(Literal::Text(pattern)) = self.literal(e)
            && let Err(error) = regex::Regex::new(&pattern)
        {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
            self.report(
                Diagnostic::new(
                    Code::BadBound,
                    self.span(e),
                    "the pattern is not a regular expression",
                )
                .here(why),
            );
        }
    }

    pub(super) fn missing_form_arg(&mut self, e: ExprId, form: &str, what: &str) {
        self.report(
            Diagnostic::new(Code::MissingArgument, self.span(e), format!("`{form}` needs {what}"))
                .help(match form {
                    "ask" => "`ask(\"Ship it?\", to: \"lead\")`",
                    "choose" => "`choose(items, label: .name)`",
                    "allow" => "`allow(x, only: [\"a\", \"b\"])` or `allow(x, matching: r\"…\")`",
                    _ => "`endorse(x, because: \"why it can be trusted\")`",
                }),
        );
    }

    /// `endorse(x, because: "…")`: gives `x`.
    fn endorse(&mut self, e: ExprId, args: &[Arg], expect: Expect) -> Ty {
        let found = self.form_args(args, &["value", "because"], "endorse");
        let [value, because] = found.as_slice() else { return Ty::ERROR };
        let (value, because) = (*value, *because);
        let Some((_, value)) = value else {
            self.missing_form_arg(e, "endorse", "a value");
            return Ty::ERROR;
        };
        let ty = self.expr(value, Expect { ty: expect.ty, why: expect.why, discard: false });
        match because {
            Some((_, because)) => {
                self.expr(because, Expect::of(Ty::TEXT, Why::Nothing));
            }
            None => self.missing_form_arg(e, "endorse", "`because`"),
        }
        self.note_form(e, &found, vec![ty, Ty::TEXT], ty);
        ty
    }
}
