//! `kait resume` and `kait cancel`: go on with a run that has not ended, where its record ends.

use std::path::Path;
use std::sync::Arc;

use kait_connect::All;
use kait_runtime::{Plan, Profile, Recorder};
use kait_store::{RunState, Store};

use super::run::{connections, default_model, link, models_words};
use crate::archive::{self, Meta};
use crate::args::{CancelArgs, ResumeArgs};
use crate::compile::Compiled;
use crate::driving::{self, Started, View};
use crate::exit::{Coded, Exit};
use crate::grants::UserGrants;

/// Goes on with it.
pub fn run(args: &ResumeArgs) -> anyhow::Result<Exit> {
    take_up(args, false)
}

/// Takes it up to cancel it: what it had begun is brought to an end.
pub fn cancel(args: &CancelArgs) -> anyhow::Result<Exit> {
    let args = ResumeArgs {
        run: args.run.clone(),
        json: None,
        profile: args.profile.clone(),
        offline: false,
        buffer: true,
        no_input: true,
    };
    match take_up(&args, true)? {
        Exit::Interrupted => {
            anstream::eprintln!("cancelled");
            Ok(Exit::Done)
        }
        other => Ok(other),
    }
}

fn take_up(args: &ResumeArgs, cancelled: bool) -> anyhow::Result<Exit> {
    let store = archive::open(args.profile.as_deref().unwrap_or("local"))?;
    let run = archive::find(&*store, &args.run)?;
    if run.state.is_final() {
        let help = match run.state {
            RunState::Damaged => "`kait doctor` says what is damaged",
            _ => "`kait runs show` says how",
        };
        let message = format!("run `{}` has ended: it is {}\n   = {help}", run.id, run.state);
        return Err(Coded { code: "K9066", message }.into());
    }
    let meta = Meta::of(&run);
    let directory = meta.as_ref().map_or(Path::new("."), |meta| meta.directory.as_path());
    let name = meta.as_ref().map_or(run.graph.to_string(), |meta| meta.name.clone());
    // Once it was held to this machine, it stays so.
    let offline = args.offline || meta.as_ref().is_some_and(|meta| meta.offline);
    let loaded = Arc::new(archive::program(&*store, &run)?);
    let profile = Profile::load(directory, args.profile.as_deref()).map_err(Coded::from)?;
    let writer: Arc<dyn Store> = store.clone();
    let (recorder, journal) = Recorder::go_on(writer, &run.id).map_err(Coded::from)?;
    let (_, graph) = archive::journal(&*store, &run)?;
    let bound = if offline { &Profile::default() } else { &profile };
    let open = Plan::open_roles(loaded.program(), graph, bound);
    let default = default_model(offline, &open);
    if let Some(words) = models_words(offline, &open, &default) {
        anstream::eprintln!("{words}");
    }
    let compiled = Compiled::recorded(loaded.program().clone());
    let plan = link(loaded, &profile, &default, offline);
    let grants = All(vec![Arc::new(UserGrants { offline }), Arc::new(profile.grants.clone())]);
    let connections = connections(&plan, &profile, Arc::new(grants), directory.to_owned());
    let started = Started {
        run: run.id.to_string(),
        name,
        plan: Arc::new(plan),
        connections,
        graph,
        given: Vec::new(),
        growing: Vec::new(),
        recorder: Some(recorder),
        journal,
        cancelled,
    };
    let view = View { json: args.json, buffer: args.buffer, no_input: args.no_input };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exit = runtime.block_on(driving::drive(view, started, &compiled))?;
    runtime.shutdown_background();
    Ok(exit)
}
