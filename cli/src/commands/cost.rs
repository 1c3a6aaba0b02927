//! `kait cost`: the worst case of a graph, before anything runs.

use std::fmt::Write as _;
use std::path::Path;

use kait_compiler::Compilation;
use kait_compiler::bounds::{
    self, Amount, Bounds, Cost, DefCost, MONEY_UNIT, RoleTerms, Stop, Terms, grouped,
};
use kait_compiler::hir::{CallableKind, DefId, DefKind};
use kait_ir::display::ValueText;
use kait_ir::{Currency, Value};
use kait_runtime::Profile;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use rustc_hash::FxHashMap;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use crate::args::CostArgs;
use crate::exit::{Coded, Exit};
use crate::{compile, files, out};

/// The schema of the JSON form.
const SCHEMA: &str = "kait.cost/1";
/// Calls that are listed of one graph; the others are counted.
const MAX_PARTS: usize = 12;
/// Reasons that are listed of one figure without a bound.
const MAX_REASONS: usize = 3;

/// Prints it.
pub fn run(args: &CostArgs) -> anyhow::Result<Exit> {
    let (file, wanted) = files::split(&args.file);
    let checked = compile::check(Path::new(file))?;
    compile::print_findings(&checked);
    let compiled = &checked.compilation;
    if compiled.has_errors() {
        return Ok(Exit::Failed);
    }
    let directory = Path::new(file).parent().unwrap_or(Path::new("."));
    let profile = Profile::load(directory, args.profile.as_deref()).map_err(Coded::from)?;
    let currency = profile.currency().map_err(Coded::from)?;
    let graphs = graphs(compiled, wanted);
    if graphs.is_empty() {
        let wanted = wanted.map(|wanted| format!(" `{wanted}`")).unwrap_or_default();
        anstream::eprintln!("error K9040: `{file}` has no graph{wanted}");
        for (name, _) in callables(compiled) {
            anstream::eprintln!("   kait cost {file}:{name}");
        }
        return Ok(Exit::Usage);
    }
    let bounds = bounds::bounds(compiled, &terms(&profile, currency));
    let report = Report { compiled, bounds: &bounds, currency };
    if args.json {
        let graphs: Vec<Json> = graphs.iter().filter_map(|def| report.json(*def)).collect();
        out::line(&json!({ "schema": SCHEMA, "graphs": graphs }).to_string())?;
        return Ok(Exit::Done);
    }
    let shown: Vec<String> = graphs.iter().filter_map(|def| report.text(*def)).collect();
    out::write(&shown.join("\n"))?;
    Ok(Exit::Done)
}

/// What a graph costs at most, as its title and the lines below it, and as JSON: what `kait cost` says of it, without the
/// reasons of what has no bound.
///
/// # Errors
/// If the prices of the profile are in several currencies.
pub fn most(
    compiled: &Compilation,
    profile: &Profile,
    def: DefId,
) -> anyhow::Result<Option<(String, Json)>> {
    let currency = profile.currency().map_err(Coded::from)?;
    let bounds = bounds::bounds(compiled, &terms(profile, currency));
    let report = Report { compiled, bounds: &bounds, currency };
    let text = report.text(def);
    let is_reason =
        |line: &&str| ["  no bound for ", "  and "].iter().any(|begin| line.starts_with(begin));
    let lines = text.map(|text| {
        let kept = text.lines().filter(|line| !is_reason(line));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    });
    Ok(lines.zip(report.json(def)))
}

/// How often each public graph asks models at most, in words, by its name.
pub fn calls(compiled: &Compilation) -> FxHashMap<SmolStr, String> {
    let bounds = bounds::bounds(compiled, &Terms::default());
    let report = Report { compiled, bounds: &bounds, currency: None };
    let said = graphs(compiled, None).into_iter().filter_map(|def| {
        let name = compiled.hir.defs.get(def.index())?.name.clone();
        Some((name, report.calls(def, &bounds.of(def)?.cost)))
    });
    said.collect()
}

/// The named graph, or all public ones; without public ones, all.
fn graphs(compiled: &Compilation, wanted: Option<&str>) -> Vec<DefId> {
    let all = callables(compiled);
    let is_pub = |id: &DefId| compiled.hir.defs.get(id.index()).is_some_and(|def| def.is_pub);
    let has_public = all.iter().any(|(_, id)| is_pub(id));
    let found = all.into_iter().filter(|(name, id)| match wanted {
        Some(wanted) => name == wanted,
        None => !has_public || is_pub(id),
    });
    found.map(|(_, id)| id).collect()
}

/// What can be run of the file itself, triggers included.
fn callables(compiled: &Compilation) -> Vec<(String, DefId)> {
    let hir = &compiled.hir;
    let defs = hir.modules.first().map_or(&[][..], |module| &module.defs);
    let found = defs.iter().filter_map(|id| {
        let def = hir.defs.get(id.index())?;
        let DefKind::Callable(callable) = &def.kind else { return None };
        let is_run = matches!(
            callable.kind,
            CallableKind::Graph
                | CallableKind::Prompt
                | CallableKind::Agent
                | CallableKind::Trigger
        );
        is_run.then(|| (def.name.to_string(), *id))
    });
    found.collect()
}

/// What the profile says of the models that play the roles.
fn terms(profile: &Profile, currency: Option<Currency>) -> Terms {
    let of = |binding: &kait_connect::ModelBinding| {
        let per_token = |price: Option<kait_connect::Price>| match price {
            None => Some(0),
            Some(price) => price.of(1).checked_mul(MONEY_UNIT.into())?.ceil().to_u64(),
        };
        let has_price = binding.input_price.is_some() || binding.output_price.is_some();
        let price = per_token(binding.input_price).zip(per_token(binding.output_price));
        RoleTerms {
            context: binding.context,
            output: binding.max_output,
            price: price.filter(|_| has_price),
        }
    };
    Terms {
        roles: profile.models.iter().map(|(role, binding)| (role.clone(), of(binding))).collect(),
        default: profile.models.get("default").map(of),
        currency: currency.map(|currency| currency.0),
    }
}

struct Report<'a> {
    compiled: &'a Compilation,
    bounds: &'a Bounds,
    currency: Option<Currency>,
}

impl Report<'_> {
    fn text(&self, def: DefId) -> Option<String> {
        let found = self.bounds.of(def)?;
        let cost = &found.cost;
        let mut text = format!("{}\n", self.title(def)?);
        line(&mut text, "model calls", &self.calls(def, cost));
        self.parts(&mut text, def, found);
        if cost.roles.len() > 1 {
            let roles = cost.roles.iter().map(|(role, cost)| {
                format!(
                    "{} {}",
                    self.name(*role),
                    self.with_repairs(def, &cost.calls, &cost.repairs)
                )
            });
            line(&mut text, "by role", &roles.collect::<Vec<_>>().join(", "));
        }
        line(&mut text, "tool calls", &self.amount(def, &cost.tools));
        line(&mut text, "questions", &self.amount(def, &cost.questions));
        line(&mut text, "tokens", &self.amount(def, &cost.tokens));
        line(&mut text, "money", &self.money(cost));
        line(&mut text, "time", &self.time(cost));
        for stop in &found.stops {
            let _ = writeln!(text, "  {}", self.stop(def, cost, stop));
        }
        self.unknown(&mut text, cost);
        Some(text)
    }

    fn title(&self, def: DefId) -> Option<String> {
        let declared = self.compiled.hir.defs.get(def.index())?;
        let DefKind::Callable(callable) = &declared.kind else { return None };
        let signature = self.compiled.types.signature(def);
        let show = |ty| self.compiled.types.display(&self.compiled.hir, ty, Some(declared.module));
        let params = callable.params.iter().enumerate().map(|(at, param)| {
            let ty = signature.and_then(|signature| signature.params.get(at)).map(|ty| show(*ty));
            format!("{}: {}", param.name, ty.unwrap_or_default())
        });
        let params = params.collect::<Vec<_>>().join(", ");
        let result = signature.map(|signature| show(signature.result)).unwrap_or_default();
        Some(match callable.kind {
            CallableKind::Trigger => format!("trigger {}, for each event", declared.name),
            _ => format!("{}({params}) -> {result}", declared.name),
        })
    }

    fn name(&self, def: DefId) -> &str {
        self.compiled.hir.defs.get(def.index()).map_or("?", |def| def.name.as_str())
    }

    /// `56 + 7 repairs = 63`, or `3·len(files) + 1 = 151, with len(files) ≤ 50`.
    fn calls(&self, def: DefId, cost: &Cost) -> String {
        let shown = self.with_repairs(def, &cost.calls, &cost.repairs);
        if !cost.requests.reasons().is_empty() {
            return "unbounded".to_owned();
        }
        let sizes = &self.bounds.sizes;
        let (most, known) = (cost.requests.most(sizes), cost.requests.number());
        let apart = cost.calls.most(sizes).zip(cost.repairs.most(sizes));
        if let Some(most) = most
            && apart.is_none_or(|(calls, repairs)| most < calls.saturating_add(repairs))
        {
            return format!("{}, repairs included", grouped(most));
        }
        let mut text = shown;
        if let Some(most) = most
            && (known.is_none() || !cost.repairs.is_zero())
        {
            let _ = write!(text, " = {}", grouped(most));
        }
        self.with_limits(&mut text, def, &cost.requests);
        text
    }

    fn with_repairs(&self, def: DefId, calls: &Amount, repairs: &Amount) -> String {
        let calls = self.bounds.formula(&self.compiled.hir, def, calls);
        if repairs.is_zero() {
            return calls;
        }
        let word = if repairs.number() == Some(1) { "repair" } else { "repairs" };
        let repairs = self.bounds.formula(&self.compiled.hir, def, repairs);
        let brackets = repairs.contains(' ');
        let repairs = if brackets { format!("({repairs})") } else { repairs };
        format!("{calls} + {repairs} {word}")
    }

    fn with_limits(&self, text: &mut String, def: DefId, amount: &Amount) {
        let limits = self.bounds.limits(&self.compiled.hir, def, amount);
        if !limits.is_empty() {
            let _ = write!(text, ", with {}", limits.join(", "));
        }
        let free = self.bounds.unlimited(&self.compiled.hir, def, amount);
        if !free.is_empty() {
            let (verb, them) = if free.len() == 1 { ("is", "it") } else { ("are", "them") };
            let _ = write!(
                text,
                "; {} {verb} for the caller to choose: bound {them} by `where (max: n)`",
                free.join(", ")
            );
        }
    }

    fn amount(&self, def: DefId, amount: &Amount) -> String {
        let mut text = self.bounds.formula(&self.compiled.hir, def, amount);
        if amount.number().is_none()
            && let Some(most) = amount.most(&self.bounds.sizes)
        {
            let _ = write!(text, " = {}", grouped(most));
        }
        if amount.reasons().is_empty() {
            self.with_limits(&mut text, def, amount);
        }
        text
    }

    /// The calls that make up the sum, the largest marked.
    fn parts(&self, text: &mut String, def: DefId, found: &DefCost) {
        let most = |part: &bounds::Part| {
            let all = [&part.calls, &part.repairs].map(|amount| amount.most(&self.bounds.sizes));
            match all {
                [Some(calls), Some(repairs)] => calls.saturating_add(repairs),
                _ => u64::MAX,
            }
        };
        let largest = found.parts.iter().map(most).max();
        let is_most = |part: &bounds::Part| Some(most(part)) == largest;
        let marked = found.parts.iter().any(|part| !is_most(part));
        let mut rows: Vec<[String; 3]> = Vec::new();
        for part in &found.parts {
            let times = match part.times.number() {
                Some(1) => String::new(),
                _ => {
                    format!(", {} times", self.bounds.formula(&self.compiled.hir, def, &part.times))
                }
            };
            let mark = if marked && is_most(part) { ", the most" } else { "" };
            let place = self.compiled.files.line_of(part.span).unwrap_or_default();
            let place = format!("line {place}{times}{mark}");
            rows.push([
                self.with_repairs(def, &part.calls, &part.repairs),
                self.name(part.callee).to_owned(),
                place,
            ]);
        }
        let left = rows.len().saturating_sub(MAX_PARTS);
        rows.truncate(MAX_PARTS);
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let (first, second) = (width(0), width(1));
        for [count, name, place] in &rows {
            let _ = writeln!(text, "    {count:<first$}  {name:<second$}  {place}");
        }
        if left > 0 {
            let _ = writeln!(text, "    and {left} more calls");
        }
    }

    fn money(&self, cost: &Cost) -> String {
        let currency =
            self.currency.map(|currency| format!(" {}", currency.as_str())).unwrap_or_default();
        let priced = match cost.money.most(&self.bounds.sizes) {
            Some(0) if !cost.unpriced.is_empty() => None,
            Some(most) => Some(format!("{}{currency}", decimal(most))),
            None => Some("unbounded".to_owned()),
        };
        if cost.unpriced.is_empty() {
            return priced.unwrap_or_default();
        }
        let roles: Vec<&str> = cost.unpriced.iter().map(|role| self.name(*role)).collect();
        let without = format!("unpriced: the profile has no prices for {}", roles.join(", "));
        match priced {
            Some(priced) => format!("{priced}; {without}"),
            None => without,
        }
    }

    fn time(&self, cost: &Cost) -> String {
        match cost.time.most(&self.bounds.sizes) {
            Some(nanos) => format!("{}, if nothing overlaps", duration(nanos)),
            None => "unbounded".to_owned(),
        }
    }

    /// What a budget of the header does.
    fn stop(&self, def: DefId, cost: &Cost, stop: &Stop) -> String {
        if stop.budget == "cost" && !cost.unpriced.is_empty() {
            return "`cost` in its header counts only what the profile has prices for".to_owned();
        }
        let limit = match stop.budget {
            "cost" => decimal(stop.limit).to_string(),
            "time" => duration(stop.limit),
            _ => grouped(stop.limit),
        };
        if matches!(stop.budget, "tokens" | "cost") {
            let budget = stop.budget;
            return format!(
                "`{budget}` in its header begins no call beyond {limit}; the call that reaches it may end beyond"
            );
        }
        let without = match (stop.budget, stop.without.most(&self.bounds.sizes)) {
            (_, None) => "nothing else bounds it".to_owned(),
            ("time", Some(nanos)) => format!("otherwise {}", duration(nanos)),
            _ => format!("otherwise {}", self.amount(def, &stop.without)),
        };
        format!("`{}` in its header stops it at {limit}; {without}", stop.budget)
    }

    /// Why figures are unbounded.
    fn unknown(&self, text: &mut String, cost: &Cost) {
        let mut said: Vec<u32> = Vec::new();
        for (what, amount) in figures(cost) {
            let new: Vec<u32> =
                amount.reasons().iter().copied().filter(|reason| !said.contains(reason)).collect();
            said.extend(&new);
            for reason in new.iter().take(MAX_REASONS) {
                let Some(found) = self.bounds.reasons.get(*reason as usize) else { continue };
                let place = found.span.and_then(|span| self.compiled.files.place_of(span));
                let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
                let _ = writeln!(
                    text,
                    "  no bound for {}: {}{place}",
                    what.replace('_', " "),
                    found.text
                );
            }
            if let Some(more @ 1..) = new.len().checked_sub(MAX_REASONS) {
                let _ = writeln!(text, "  and {more} more reasons, which `--json` lists");
            }
        }
    }

    fn json(&self, def: DefId) -> Option<Json> {
        let found = self.bounds.of(def)?;
        let cost = &found.cost;
        let mut figures_json = serde_json::Map::new();
        for (what, amount) in figures(cost) {
            let mut figure = self.figure(def, amount);
            // No program should have to count zeros.
            match (what, amount.most(&self.bounds.sizes)) {
                ("money", Some(most)) => figure["most"] = json!(decimal(most).to_string()),
                ("time", Some(nanos)) => figure["most"] = json!(duration(nanos)),
                _ => {}
            }
            if matches!(what, "money" | "time")
                && let Some(figure) = figure.as_object_mut()
            {
                figure.remove("formula");
            }
            figures_json.insert(what.to_owned(), figure);
        }
        let roles: serde_json::Map<String, Json> = cost
            .roles
            .iter()
            .map(|(role, cost)| {
                let figures = json!({
                    "calls": self.figure(def, &cost.calls),
                    "repairs": self.figure(def, &cost.repairs),
                    "input_tokens": self.figure(def, &cost.input),
                    "output_tokens": self.figure(def, &cost.output),
                });
                (self.name(*role).to_owned(), figures)
            })
            .collect();
        let parts: Vec<Json> = found
            .parts
            .iter()
            .map(|part| {
                json!({
                    "callee": self.name(part.callee),
                    "place": self.compiled.files.place_of(part.span),
                    "times": self.figure(def, &part.times),
                    "calls": self.figure(def, &part.calls),
                    "repairs": self.figure(def, &part.repairs),
                })
            })
            .collect();
        let stops: Vec<Json> = found
            .stops
            .iter()
            .map(
                |stop| json!({ "budget": stop.budget, "limit": stop.limit, "without": self.figure(def, &stop.without) }),
            )
            .collect();
        let unpriced: Vec<&str> = cost.unpriced.iter().map(|role| self.name(*role)).collect();
        Some(json!({
            "graph": self.name(def),
            "signature": self.title(def),
            "figures": figures_json,
            "roles": roles,
            "currency": self.currency.map(|currency| currency.as_str().to_owned()),
            "unpriced": unpriced,
            "parts": parts,
            "stops": stops,
        }))
    }

    fn figure(&self, def: DefId, amount: &Amount) -> Json {
        let reasons: Vec<Json> = amount
            .reasons()
            .iter()
            .filter_map(|at| self.bounds.reasons.get(*at as usize))
            .map(|reason| {
                let place = reason.span.and_then(|span| self.compiled.files.place_of(span));
                json!({ "why": reason.text, "place": place })
            })
            .collect();
        let mut figure = json!({
            "formula": self.bounds.formula(&self.compiled.hir, def, amount),
            "most": amount.most(&self.bounds.sizes),
        });
        if !reasons.is_empty() {
            figure["unbounded"] = json!(reasons);
        }
        let free = self.bounds.unlimited(&self.compiled.hir, def, amount);
        if !free.is_empty() {
            figure["chosen_by_caller"] = json!(free);
        }
        figure
    }
}

/// The figures of a cost, each with its name. Money is in millionths of a millionth, time in nanoseconds.
fn figures(cost: &Cost) -> [(&'static str, &Amount); 8] {
    [
        ("model_calls", &cost.calls),
        ("repairs", &cost.repairs),
        ("requests", &cost.requests),
        ("tool_calls", &cost.tools),
        ("questions", &cost.questions),
        ("tokens", &cost.tokens),
        ("money", &cost.money),
        ("time", &cost.time),
    ]
}

fn line(text: &mut String, what: &str, value: &str) {
    let _ = writeln!(text, "  {what:<12}{value}");
}

fn decimal(most: u64) -> Decimal {
    (Decimal::from(most) / Decimal::from(MONEY_UNIT)).normalize()
}

/// A duration as the language writes it.
fn duration(nanos: u64) -> String {
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    ValueText(&Value::Duration(nanos)).to_string()
}
