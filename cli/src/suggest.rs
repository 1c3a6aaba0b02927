//! "Did you mean": the command or flag that was probably typed.
//!
//! Clap compares words by how many letters they share near the same place, which misses the commonest slip in short
//! words, two letters in the wrong order (`rnu`, `--fxi`). Here the number of slips counts.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Error};

use crate::args::Cli;

/// Adds what was probably meant to an error about an unknown command or flag, in place of Clap's advice to pass a flag
/// as a value.
pub fn better(mut error: Error, words: &[OsString]) -> Error {
    let (wrong, suggested) = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand)
        }
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        _ => return error,
    };
    let Some(ContextValue::String(typed)) = error.get(wrong) else { return error };
    let typed = typed.clone();
    let cli = Cli::command();
    let known: Vec<String> = if suggested == ContextKind::SuggestedSubcommand {
        cli.get_subcommands().map(|command| command.get_name().to_owned()).collect()
    } else {
        let command = words.iter().skip(1).find_map(|word| cli.find_subcommand(word));
        let own = command.into_iter().flat_map(clap::Command::get_arguments);
        own.chain(cli.get_arguments())
            .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
            .chain(["--help".to_owned()])
            .collect()
    };
    // The value of `--flag=value` is no part of the name.
    let name = typed.split('=').next().unwrap_or_default();
    let near = known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, &known), known))
        .filter(|(slips, known)| *slips <= 1 || *slips == 2 && known.len() > 5)
        .min_by_key(|(slips, _)| *slips);
    if let Some((_, near)) = near {
        let value = if suggested == ContextKind::SuggestedSubcommand {
            ContextValue::Strings(vec![near])
        } else {
            ContextValue::String(near)
        };
        error.insert(suggested, value);
    }
    if typed.starts_with("--") {
        // Nothing here takes values that look like flags.
        error.remove(ContextKind::Suggested);
    }
    error
}
