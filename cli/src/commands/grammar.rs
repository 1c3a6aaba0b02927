//! `kait grammar`: the reference grammar, or one rule of it.

use std::io::Write as _;

use crate::args::GrammarArgs;
use crate::exit::Exit;

/// Prints it.
pub fn run(args: &GrammarArgs) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    let Some(rule) = &args.rule else {
        out.write_all(kait_grammar::GRAMMAR.as_bytes())?;
        return Ok(Exit::Done);
    };
    if let Some(text) = kait_grammar::rule(rule) {
        writeln!(out, "{}", text.trim_end())?;
        return Ok(Exit::Done);
    }
    let near = kait_grammar::rules()
        .iter()
        .map(|known| (strsim::jaro_winkler(rule, known.name), known.name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.75);
    match near {
        Some((_, name)) => {
            anstream::eprintln!("error: the grammar has no rule `{rule}`; did you mean `{name}`?");
        }
        None => anstream::eprintln!(
            "error: the grammar has no rule `{rule}`; `kait grammar` prints all of them"
        ),
    }
    Ok(Exit::Usage)
}
