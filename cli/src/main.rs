//! The `kait` command: reads what was typed, calls what does it, and ends with the right exit code.
//!
//! The answer of a command goes to stdout, everything else to stderr.

mod answer;
mod archive;
mod args;
mod asking;
mod commands;
mod compile;
mod compiled;
mod driving;
mod exit;
mod failures;
mod files;
mod given;
mod grants;
mod hosting;
mod local_model;
mod out;
mod suggest;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, ColorChoice, Command};
use exit::{Coded, Exit};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(with_run(words.clone())) {
        Ok(cli) => cli,
        Err(error) => return usage(&words, suggest::better(error, &words)),
    };
    match cli.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    let done = match cli.command {
        Command::New(args) => commands::new::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Fmt(args) => commands::fmt::run(&args),
        Command::Test(args) => commands::test::run(&args),
        Command::Build(args) => commands::build::run(&args),
        Command::Graph(args) => commands::graph::run(&args),
        Command::Cost(args) => commands::cost::run(&args),
        Command::Audit(args) => commands::audit::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Grammar(args) => commands::grammar::run(&args),
        Command::Lsp(args) => commands::lsp::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Runs(args) => commands::runs::run(&args),
        Command::Resume(args) => commands::resume::run(&args),
        Command::Cancel(args) => commands::resume::cancel(&args),
        Command::Replay(args) => commands::runs::replay(&args),
        Command::Inbox(args) => commands::inbox::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) if is_closed_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            match error.chain().find_map(|cause| cause.downcast_ref::<Coded>()) {
                Some(coded) => {
                    anstream::eprintln!(
                        "error {}: {error:#}\n   kait explain {}",
                        coded.code,
                        coded.code
                    );
                }
                None => anstream::eprintln!("error: {error:#}"),
            }
            Exit::Usage.into()
        }
    }
}

/// `kait FILE.kait …` is `kait run FILE.kait …`, so that a file can be a script.
fn with_run(mut words: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let first = words.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    if files::names_program(first) && !first.starts_with('-') {
        words.insert(1, "run".into());
    }
    words
}

/// Wrong words, or a request for help. Help for a program shows its parameters, too.
fn usage(words: &[std::ffi::OsString], error: clap::Error) -> ExitCode {
    let help = error.kind() == clap::error::ErrorKind::DisplayHelp;
    let _ = error.print();
    if help {
        let words: Vec<_> = words.iter().filter_map(|word| word.to_str()).collect();
        let file = words.iter().skip(1).find(|word| files::names_program(word));
        if let Some(file) = file {
            commands::run::print_parameters(file);
        }
    }
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// Whoever read our output has stopped reading: that is no failure of ours.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
