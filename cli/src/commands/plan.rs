//! `kait run --plan`: what a run would do, in order, and what it costs at most. Nothing is run.
//!
//! The steps are those of the program that would run. Needs, people and costs are read off the checked program, so they are
//! known, too, of a graph that this version does not run yet.

use std::fmt::Write as _;

use kait_compiler::Compilation;
use kait_compiler::audit::audit_of;
use kait_compiler::hir::DefId;
use kait_connect::ModelBinding;
use kait_ir::GraphId;
use kait_ir::draw::{self, Waits};
use kait_runtime::{Plan, Profile};
use serde_json::{Value as Json, json};

use super::audit::Report;
use super::cost;
use crate::out;

/// The schema of the JSON form.
const SCHEMA: &str = "kait.plan/1";

/// What is planned, as far as it is known.
pub struct Planned<'a> {
    /// The checked program.
    pub compiled: &'a Compilation,
    /// The graph in it.
    pub def: DefId,
    /// The profile.
    pub profile: &'a Profile,
    /// The program that would run, and the graph in it; none if this version does not run it.
    pub runs: Option<(&'a Plan, GraphId)>,
}

impl Planned<'_> {
    /// Prints it.
    ///
    /// # Errors
    /// If the prices of the profile cannot be added up, or nobody reads what is printed.
    pub fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let found = audit_of(self.compiled, self.def);
        let report = Report::new(self.compiled, &self.profile.grants);
        let most = cost::most(self.compiled, self.profile, self.def)?;
        // Leaves that this version does not reach stand in a program that is kept like others.
        let kept = match self.runs {
            Some(_) => None,
            None => self.compiled.lower_to_keep(&[self.def]).ok().map(|kept| kept.program),
        };
        let kept = kept.as_ref().filter(|program| !program.graphs.is_empty());
        let listed = match self.runs {
            Some((plan, graph)) => Some(draw::plan(plan.program(), graph)),
            None => kept.map(|program| draw::plan(program, GraphId(0))),
        };
        if as_json {
            let mut document = report.json(&found);
            document["schema"] = json!(SCHEMA);
            document["runs"] = json!(self.runs.is_some());
            document["cost"] = most.map(|(_, json)| json).unwrap_or_default();
            if let Some(listed) = &listed {
                document["title"] = json!(listed.title);
                document["plan"] = json!(listed.hash);
                document["budgets"] = json!(listed.budgets);
                document["steps"] = listed.steps.iter().map(step).collect();
                document["cut"] = json!(listed.cut);
            }
            document["models"] = self.models().collect();
            return out::line(&document.to_string());
        }
        let mut text = String::new();
        match &listed {
            Some(listed) => {
                let _ = writeln!(text, "{}", listed.title);
                let _ = writeln!(text, "  plan {}", listed.hash.get(..16).unwrap_or(&listed.hash));
                if !listed.budgets.is_empty() {
                    let _ = writeln!(text, "  at most {}", listed.budgets.join(", "));
                }
                let _ = listed.write_steps(&mut text);
                if self.runs.is_none() {
                    text.push_str("  this version does not run it yet\n");
                }
                let _ = writeln!(text, "effects: {}", or_none(&listed.effects));
                let models: Vec<String> =
                    listed.models.iter().map(|role| self.bound(role)).collect();
                let _ = writeln!(text, "models: {}", or_none(&models));
                let _ = writeln!(text, "questions to people: {}", or_none(&listed.questions));
            }
            None => {
                let title = most.as_ref().and_then(|(lines, _)| lines.lines().next());
                let _ = writeln!(text, "{}", title.unwrap_or_default());
                text.push_str("  its steps cannot be listed: this version does not run it\n");
            }
        }
        report.needs(&mut text, &found);
        report.people(&mut text, &found);
        if let Some((lines, _)) = most {
            text.push_str("  at most\n");
            // Its title stands above already.
            for line in lines.lines().skip(1) {
                let _ = writeln!(text, "  {line}");
            }
        }
        out::write(&text)
    }

    /// A role, with the model that answers for it.
    fn bound(&self, role: &str) -> String {
        let name = role.split(' ').next().unwrap_or(role);
        match self.profile.binding(name) {
            Some(binding) => format!("{role}: {}", model(binding)),
            None => format!("{role}: nothing is bound"),
        }
    }

    fn models(&self) -> impl Iterator<Item = Json> {
        let (profile, roles) = (self.profile, self.runs.map(|(plan, _)| &plan.roles));
        let names = roles.into_iter().flat_map(|roles| roles.keys());
        names.map(|role| {
            let binding = profile.binding(role);
            json!({
                "role": role,
                "provider": binding.map(|binding| binding.provider.as_str()),
                "model": binding.map(|binding| binding.model.as_str()),
            })
        })
    }
}

fn model(binding: &ModelBinding) -> String {
    match binding.model.as_str() {
        "" => binding.provider.to_string(),
        model => model.to_owned(),
    }
}

fn or_none(all: &[impl AsRef<str>]) -> String {
    match all {
        [] => "none".to_owned(),
        all => all.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", "),
    }
}

fn step(step: &draw::Step) -> Json {
    json!({
        "number": step.number,
        "depth": step.depth,
        "name": step.name,
        "what": step.what,
        "effects": step.effects,
        "waits_for": match step.waits {
            Waits::No => Json::Null,
            Waits::All => "all above".into(),
            Waits::AllButQuestions => "all above but questions".into(),
        },
        "holds_up_all_below": step.holds,
    })
}
