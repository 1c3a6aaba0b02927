//! `kait audit`: what graphs do to the world, what of it is granted, who decides, and what is endorsed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use kait_compiler::Compilation;
use kait_compiler::audit::{Agent, Approval, Audited, Endorsement, Place, Question, Right, Tool};
use kait_compiler::audit::{audit, trusted_fields};
use kait_compiler::diagnostics::Span;
use kait_compiler::effects::Step;
use kait_compiler::grants::{Needed, Needs, Profile as _, Verdict, needs};
use kait_compiler::hir::{CallableKind, DefId, DefKind};
use kait_compiler::labels::{Need as WhenNeeded, Outflow, Receiver};
use kait_connect::{Need, Part, ProfileGrants};
use kait_runtime::Profile;
use serde_json::{Value as Json, json};

use crate::args::AuditArgs;
use crate::exit::{Coded, Exit};
use crate::grants::{Judge, in_words_of_leaves};
use crate::{compile, files, out};

/// The schema of the JSON form.
const SCHEMA: &str = "kait.audit/1";
/// Steps of a way that are shown.
const MAX_WAY: usize = 8;

/// Prints it.
pub fn run(args: &AuditArgs) -> anyhow::Result<Exit> {
    let paths = files::programs(&args.paths)?;
    let (mut broken, mut documents, mut shown) = (false, Vec::new(), Vec::new());
    let mut wanted = Wanted::default();
    for path in &paths {
        let checked = compile::check(path)?;
        if !args.json {
            compile::print_findings(&checked);
        }
        let compiled = &checked.compilation;
        let directory = path.parent().unwrap_or(Path::new("."));
        let profile = Profile::load(directory, args.profile.as_deref()).map_err(Coded::from)?;
        let has_errors = compiled.has_errors();
        broken |= has_errors;
        let report = Report { is_strict: profile.strict, ..Report::new(compiled, &profile.grants) };
        // What a program with errors does is not known.
        let found = if has_errors { Vec::new() } else { audit(compiled) };
        if args.grants {
            found.iter().for_each(|one| report.want(one, &mut wanted));
        } else if args.json {
            documents.push(report.file(path, &found, has_errors, &profile));
        } else {
            shown.extend(found.iter().map(|one| report.text(one)));
            shown.extend(report.fields().filter(|_| !has_errors));
        }
    }
    if args.grants {
        out::write(&wanted.table())?;
    } else if args.json {
        out::line(&json!({ "schema": SCHEMA, "files": documents }).to_string())?;
    } else {
        out::write(&shown.join("\n"))?;
    }
    Ok(files::exit_for(&paths, broken))
}

/// The entries of a table that grants what is needed.
#[derive(Default)]
struct Wanted {
    entries: BTreeMap<&'static str, BTreeSet<String>>,
    /// Keys of which a part is only known when it runs.
    open: BTreeSet<String>,
}

impl Wanted {
    fn add(&mut self, need: Need<'_>) {
        let (key, entry) = need.grant();
        let Some(entry) = entry else {
            self.entries.entry(key).or_default();
            return;
        };
        if matches!(need, Need::Resource { part: Part::Unknown, .. }) {
            self.open.insert(format!("{key} {entry}"));
        }
        self.entries.entry(key).or_default().insert(entry);
    }

    /// As TOML, in the order in which the documentation names the keys.
    fn table(&self) -> String {
        let mut text = String::from("[grants]\n");
        for key in ["read", "write", "model", "human", "clock", "random", "emit"] {
            let Some(entries) = self.entries.get(key) else { continue };
            // What is below something that is granted need not be said.
            let is_above = |entry: &&String| {
                let below = |rest: &str| rest.starts_with([' ', '.']);
                !entries.iter().any(|other| entry.strip_prefix(other.as_str()).is_some_and(below))
            };
            let all: Vec<String> =
                entries.iter().filter(is_above).map(|entry| format!("{entry:?}")).collect();
            let _ = match all.as_slice() {
                [] => writeln!(text, "{key} = true"),
                all => writeln!(text, "{key} = [{}]", all.join(", ")),
            };
        }
        for open in &self.open {
            let _ = writeln!(
                text,
                "# `{open}`: which, is known when it runs; a part of it may be enough"
            );
        }
        text
    }
}

/// What is said of the graphs of a compilation.
pub struct Report<'a> {
    compiled: &'a Compilation,
    needs: Needs<'a>,
    grants: &'a ProfileGrants,
    /// Whether the profile refuses what is private and leaves without approval.
    is_strict: bool,
}

impl<'a> Report<'a> {
    /// A report on it, as those grants see it.
    pub fn new(compiled: &'a Compilation, grants: &'a ProfileGrants) -> Self {
        Self { compiled, needs: needs(compiled), grants, is_strict: false }
    }

    fn want(&self, found: &Audited, wanted: &mut Wanted) {
        for needed in &found.needs {
            self.needs.say(&needed.what, |need| wanted.add(in_words_of_leaves(need)));
        }
    }

    /// The effect in words, whether only a run knows which part of it, and what the profile says of it.
    fn judged(&self, needed: &Needed) -> (String, bool, Option<Verdict>) {
        let judge = Judge { grants: self.grants, root: Path::new(".") };
        self.needs.say(&needed.what, |need| {
            let verdict = self.grants.restricts().then(|| judge.verdict(need));
            let need = in_words_of_leaves(need);
            let is_open = matches!(need, Need::Resource { part: Part::Unknown, .. });
            (need.text(), is_open, verdict)
        })
    }

    fn name(&self, def: DefId) -> String {
        let hir = &self.compiled.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return "?".to_owned() };
        let module = hir.modules.get(declared.module.index());
        match module.map_or("", |module| module.name.as_str()) {
            "" | kait_stdlib::PRELUDE => declared.name.to_string(),
            module => format!("{module}.{}", declared.name),
        }
    }

    fn place(&self, span: Span) -> String {
        self.compiled.files.place_of(span).unwrap_or_default()
    }

    fn is_std(&self, def: DefId) -> bool {
        let hir = &self.compiled.hir;
        let module = hir.defs.get(def.index()).and_then(|def| hir.modules.get(def.module.index()));
        module.is_some_and(|module| module.is_std)
    }

    fn kind(&self, def: DefId) -> &'static str {
        match self.compiled.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => match callable.kind {
                CallableKind::Trigger => "trigger",
                CallableKind::Prompt => "prompt",
                CallableKind::Agent => "agent",
                CallableKind::Extern { .. } => "extern",
                CallableKind::Fn => "fn",
                CallableKind::Graph => "graph",
            },
            _ => "graph",
        }
    }

    /// `digest › keep › file.write (notes.kait:3:3)`: the place is the last one of the user's own.
    fn way(&self, way: &[Step]) -> String {
        let mut names: Vec<String> = way.iter().map(|step| self.name(step.def)).collect();
        if names.len() > MAX_WAY {
            let left = names.len() - MAX_WAY + 1;
            names.splice(MAX_WAY / 2..MAX_WAY / 2 + left, [format!("{left} more")]);
        }
        let own =
            way.iter().rev().find(|step| !self.is_std(step.def) && self.kind(step.def) != "extern");
        let place = own.map(|step| format!(" ({})", self.place(step.span))).unwrap_or_default();
        format!("{}{place}", names.join(" › "))
    }

    fn text(&self, found: &Audited) -> String {
        let def = self.compiled.hir.defs.get(found.def.index());
        let place = def.map(|def| self.place(def.name_span)).unwrap_or_default();
        let mut text = format!("{} {}   {place}\n", self.kind(found.def), self.name(found.def));
        if found.needs.is_empty() {
            text.push_str("  does nothing to the world\n");
        }
        self.needs(&mut text, found);
        self.people(&mut text, found);
        let rows = found.endorsements.iter().map(|one| self.endorsement(one)).collect::<Vec<_>>();
        table(&mut text, "endorsements", &rows);
        let rows =
            found.vouched.iter().map(|name| [name.to_string(), String::new(), String::new()]);
        table(&mut text, "whoever begins it vouches for", &rows.collect::<Vec<_>>());
        let rows = found.outflows.iter().map(|one| self.outflow(one)).collect::<Vec<_>>();
        table(&mut text, "private data goes", &rows);
        let secrets = found
            .secrets
            .iter()
            .map(|one| [self.name(one.secret), self.at(one.place), String::new()]);
        table(&mut text, "secrets", &secrets.collect::<Vec<_>>());
        for agent in &found.agents {
            self.agent(&mut text, agent);
        }
        text
    }

    /// The table of what a graph needs.
    pub fn needs(&self, text: &mut String, found: &Audited) {
        let mut rows: Vec<[String; 3]> =
            found.needs.iter().map(|needed| self.row(needed)).collect();
        // Writes, then what is read, then the others.
        rows.sort_by_key(|[effect, ..]| {
            let order = ["write", "read", "model", "human"];
            let word = effect.split(' ').next().unwrap_or_default();
            (order.iter().position(|known| *known == word).unwrap_or(order.len()), effect.clone())
        });
        table(text, "needs", &rows);
    }

    /// The tables of approvals and questions.
    pub fn people(&self, text: &mut String, found: &Audited) {
        let rows = found.approvals.iter().map(|one| self.approval(one)).collect::<Vec<_>>();
        table(text, "approvals", &rows);
        let rows = found.questions.iter().map(|one| self.question(one)).collect::<Vec<_>>();
        table(text, "questions", &rows);
    }

    fn row(&self, needed: &Needed) -> [String; 3] {
        let (mut effect, is_open, verdict) = self.judged(needed);
        if is_open {
            effect.push_str(" …");
        }
        let verdict = match verdict {
            None => String::new(),
            Some(Verdict::Granted) => "granted".to_owned(),
            Some(Verdict::WhenItRuns) => "decided when it runs".to_owned(),
            Some(Verdict::Missing(missing)) => {
                format!("not granted in {}", missing.files.join(" and "))
            }
        };
        [effect, verdict, self.way(&needed.way)]
    }

    /// `in close (notes.kait:3:3)`
    fn at(&self, place: Place) -> String {
        format!("in {} ({})", self.name(place.owner), self.place(place.span))
    }

    fn approval(&self, approval: &Approval) -> [String; 3] {
        let mut who = format!("by {}", or(approval.by.as_deref(), "whom the run says"));
        if let Some(within) = &approval.within {
            let _ = write!(who, ", within {within}");
        }
        if let Some(edit) = &approval.edit {
            let _ = write!(who, ", may edit {edit}");
        }
        [self.name(approval.callee), who, self.at(approval.place)]
    }

    fn question(&self, question: &Question) -> [String; 3] {
        let mut who = format!("to {}", or(question.to.as_deref(), "whom the run says"));
        if let Some(within) = &question.within {
            let _ = write!(who, ", within {within}");
        }
        if let Some(fallback) = &question.fallback {
            let _ = write!(who, ", else {fallback}");
        }
        [line(&question.text), who, self.at(question.place)]
    }

    fn endorsement(&self, one: &Endorsement) -> [String; 3] {
        let right = match &one.right {
            Right::Only(only) => format!("one of {}", line(only)),
            Right::Matching(pattern) => format!("matches {}", line(pattern)),
            Right::Because(because) => format!("because: {}", line(because)),
            Right::Approval => "a person approves it".to_owned(),
            Right::Answer => "a person answers it".to_owned(),
            Right::Extern => "its `extern` vouches for it".to_owned(),
        };
        let right = match one.need {
            WhenNeeded::Always => right,
            WhenNeeded::FromCallers => format!("{right}, for callers who do not vouch"),
            WhenNeeded::Never => format!("{right}, without need: it is trusted anyway"),
        };
        [line(&one.what), right, self.at(one.place)]
    }

    /// To whom something private goes.
    fn outflow(&self, one: &Outflow) -> [String; 3] {
        let to = match one.to {
            Receiver::Leaf(def) => self.name(def),
            Receiver::Model(def) => format!("the model of {}", self.name(def)),
            Receiver::Public => "what is public".to_owned(),
        };
        let place = Place { owner: one.owner, span: one.span };
        let said = match (one.is_refused_if_strict(), self.is_strict) {
            _ if one.is_approved => "a person approves it",
            (false, _) => "",
            (true, false) => "warning: nobody approves it",
            (true, true) => "error: the profile is strict, and nobody approves it",
        };
        [format!("to {to}"), said.to_owned(), self.at(place)]
    }

    fn agent(&self, text: &mut String, agent: &Agent) {
        let role = agent.role.map(|role| self.name(role)).unwrap_or_default();
        let name = self.name(agent.def);
        let _ = writeln!(text, "  agent {name}, asks {role}");
        let rows: Vec<[String; 3]> = agent
            .tools
            .iter()
            .map(|tool| {
                let (does, more) = self.tool(tool);
                [tool.name.to_string(), does, more.join(", ")]
            })
            .collect();
        aligned(text, &rows);
    }

    /// What a tool does, and what holds for its calls.
    fn tool(&self, tool: &Tool) -> (String, Vec<String>) {
        let effects = &self.compiled.effects;
        let does = match effects.of(tool.def) {
            none if none.is_empty() => "does nothing to the world".to_owned(),
            set => set.text(&effects.resources),
        };
        let mut more = Vec::new();
        more.extend(tool.approved.as_ref().map(|by| format!("approved by {by}")));
        more.extend(tool.max_calls.as_ref().map(|most| format!("at most {most} calls")));
        (does, more)
    }

    /// The fields of the program that vouch for themselves.
    fn fields(&self) -> Option<String> {
        let rows = trusted_fields(self.compiled).into_iter().map(|field| {
            let name = format!("{}.{}", self.name(field.record), field.field);
            [name, format!("({})", self.place(field.span)), String::new()]
        });
        let rows: Vec<[String; 3]> = rows.collect();
        if rows.is_empty() {
            return None;
        }
        let mut text = String::from("fields that are trusted wherever a value comes from\n");
        aligned(&mut text, &rows);
        Some(text)
    }

    fn file(&self, path: &Path, found: &[Audited], has_errors: bool, profile: &Profile) -> Json {
        let tables: Vec<&str> =
            profile.grants.tables.iter().map(|table| table.file.as_str()).collect();
        let fields = trusted_fields(self.compiled).into_iter().map(|field| {
            json!({
                "record": self.name(field.record),
                "field": field.field,
                "place": self.place(field.span),
            })
        });
        json!({
            "path": path.display().to_string(),
            "errors": has_errors,
            "profile": profile.name,
            "grants": tables,
            "graphs": found.iter().map(|one| self.json(one)).collect::<Vec<_>>(),
            "trusted_fields": fields.collect::<Vec<_>>(),
        })
    }

    /// All that is known of a graph.
    pub fn json(&self, found: &Audited) -> Json {
        let def = self.compiled.hir.defs.get(found.def.index());
        json!({
            "name": self.name(found.def),
            "kind": self.kind(found.def),
            "public": def.is_some_and(|def| def.is_pub),
            "place": def.map(|def| self.place(def.name_span)),
            "needs": found.needs.iter().map(|one| self.need_json(one)).collect::<Vec<_>>(),
            "approvals": found.approvals.iter().map(|one| json!({
                "call": self.name(one.callee),
                "by": one.by,
                "within": one.within,
                "edit": one.edit,
                "in": self.name(one.place.owner),
                "place": self.place(one.place.span),
            })).collect::<Vec<_>>(),
            "questions": found.questions.iter().map(|one| json!({
                "form": one.form,
                "text": one.text,
                "to": one.to,
                "within": one.within,
                "fallback": one.fallback,
                "in": self.name(one.place.owner),
                "place": self.place(one.place.span),
            })).collect::<Vec<_>>(),
            "endorsements": found.endorsements.iter().map(|one| {
                let (by, says) = match &one.right {
                    Right::Only(only) => ("only", Some(only)),
                    Right::Matching(pattern) => ("matching", Some(pattern)),
                    Right::Because(because) => ("because", Some(because)),
                    Right::Approval => ("approval", None),
                    Right::Answer => ("answer", None),
                    Right::Extern => ("extern", None),
                };
                json!({
                    "what": one.what,
                    "by": by,
                    "says": says,
                    "needed": match one.need {
                        WhenNeeded::Always => "always",
                        WhenNeeded::FromCallers => "from_callers",
                        WhenNeeded::Never => "never",
                    },
                    "in": self.name(one.place.owner),
                    "place": self.place(one.place.span),
                })
            }).collect::<Vec<_>>(),
            "vouched": found.vouched,
            "outflows": found.outflows.iter().map(|one| json!({
                "to": match one.to {
                    Receiver::Leaf(def) | Receiver::Model(def) => self.name(def),
                    Receiver::Public => "public".to_owned(),
                },
                "approved": one.is_approved,
                "severity": match (one.is_refused_if_strict(), self.is_strict) {
                    (false, _) => "note",
                    (true, false) => "warning",
                    (true, true) => "error",
                },
                "kind": match one.to {
                    Receiver::Leaf(_) => "leaf",
                    Receiver::Model(_) => "model",
                    Receiver::Public => "public",
                },
                "in": self.name(one.owner),
                "place": self.place(one.span),
            })).collect::<Vec<_>>(),
            "secrets": found.secrets.iter().map(|one| json!({
                "secret": self.name(one.secret),
                "in": self.name(one.place.owner),
                "place": self.place(one.place.span),
            })).collect::<Vec<_>>(),
            "agents": found.agents.iter().map(|agent| json!({
                "name": self.name(agent.def),
                "role": agent.role.map(|role| self.name(role)),
                "tools": agent.tools.iter().map(|tool| {
                    let effects = &self.compiled.effects;
                    let does = effects.of(tool.def).iter();
                    json!({
                        "name": tool.name,
                        "does": does.map(|one| one.text(&effects.resources)).collect::<Vec<_>>(),
                        "approved_by": tool.approved,
                        "max_calls": tool.max_calls,
                        "place": self.place(tool.span),
                    })
                }).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })
    }

    fn need_json(&self, needed: &Needed) -> Json {
        let (effect, is_open, verdict) = self.judged(needed);
        let (granted, lacking) = match verdict {
            None => (Json::Null, Vec::new()),
            Some(Verdict::Granted) => ("yes".into(), Vec::new()),
            Some(Verdict::WhenItRuns) => ("when it runs".into(), Vec::new()),
            Some(Verdict::Missing(missing)) => ("no".into(), missing.files),
        };
        let (key, entry) = self.needs.say(&needed.what, |need| in_words_of_leaves(need).grant());
        let way = needed.way.iter().map(|step| {
            let place = (!self.is_std(step.def)).then(|| self.place(step.span));
            json!({ "name": self.name(step.def), "place": place })
        });
        json!({
            "effect": effect,
            "known": !is_open,
            "granted": granted,
            "lacking": lacking,
            "grant": { "key": key, "entry": entry },
            "way": way.collect::<Vec<_>>(),
        })
    }
}

fn or<'a>(text: Option<&'a str>, otherwise: &'a str) -> &'a str {
    text.unwrap_or(otherwise)
}

/// A text on one line, of a readable length.
fn line(text: &str) -> String {
    const MOST: usize = 60;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn table(text: &mut String, head: &str, rows: &[[String; 3]]) {
    if !rows.is_empty() {
        let _ = writeln!(text, "  {head}");
        aligned(text, rows);
    }
}

/// Rows whose columns stand below each other.
fn aligned(text: &mut String, rows: &[[String; 3]]) {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    for [a, b, c] in rows {
        let row = match second {
            0 => format!("    {a:<first$}  {c}"),
            _ => format!("    {a:<first$}  {b:<second$}  {c}"),
        };
        let _ = writeln!(text, "{}", row.trim_end());
    }
}
