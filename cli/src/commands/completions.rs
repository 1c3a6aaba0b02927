//! `kait completions`: a script that lets a shell complete commands and flags.

use clap::CommandFactory as _;

use crate::args::{Cli, CompletionsArgs};
use crate::exit::Exit;

/// Prints the script.
pub fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    clap_complete::generate(args.shell, &mut Cli::command(), "kait", &mut std::io::stdout());
    Ok(Exit::Done)
}
