//! What can be typed: every command and flag, with the words of `--help`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Typed workflows for AI: check, run, test and draw `.kait` programs.
#[derive(Debug, Parser)]
#[command(name = "kait", version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "`kait FILE.kait` is short for `kait run FILE.kait`.")]
pub struct Cli {
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a graph and stream its answer.
    Run(RunArgs),
    /// Find every error without running.
    Check(CheckArgs),
    /// Put files in the one standard form.
    Fmt(FmtArgs),
    /// Run the tests in the files.
    Test(TestArgs),
    /// Draw a graph.
    Graph(GraphArgs),
    /// Say what an error code or a function of the standard library means, with an example.
    Explain(ExplainArgs),
    /// Print the reference grammar, or one rule of it.
    Grammar(GrammarArgs),
    /// Speak the Language Server Protocol on standard input and output, for editors.
    Lsp(LspArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

/// `kait run`
#[derive(Debug, Args)]
#[command(after_help = "\
Inputs are the graph's parameters: `name=text`, `name=@file` for a file's text, `name=@-` for standard input
(text is passed on while it still arrives), `name:=json` for JSON. `kait run FILE --help` lists the parameters of FILE.

Exit codes: 0 done, 1 the program or the run failed, 2 wrong usage, 4 a budget or time limit was reached, 130 interrupted.")]
pub struct RunArgs {
    /// The program; `FILE:GRAPH` names one of several graphs.
    pub file: String,
    /// The graph's parameters.
    #[arg(value_name = "NAME=VALUE")]
    pub inputs: Vec<String>,
    /// All parameters as one JSON object, from a file or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Print JSON: one object at the end, or with `=lines` every record of the log as it comes.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "object")]
    pub json: Option<JsonForm>,
    /// Run nothing: show the steps in order, their effects and models.
    #[arg(long)]
    pub plan: bool,
    /// The profile whose models answer.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Never leave this machine: models are the built-in echo, and nothing is fetched.
    #[arg(long)]
    pub offline: bool,
    /// Write the answer only when it is final, instead of while it grows.
    #[arg(long)]
    pub buffer: bool,
    /// Never ask for missing parameters.
    #[arg(long)]
    pub no_input: bool,
}

/// The forms of `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JsonForm {
    /// One object at the end.
    Object,
    /// Every record of the log, one a line.
    Lines,
}

/// `kait check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and directories; the current directory if none is given.
    pub paths: Vec<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
    /// Apply every fix that is certain.
    #[arg(long)]
    pub fix: bool,
    /// Check again whenever a file changes.
    #[arg(long)]
    pub watch: bool,
}

/// `kait fmt`
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files and directories; the current directory if none is given; `-` formats standard input to standard output.
    pub paths: Vec<PathBuf>,
    /// Change nothing; fail if a file is not in standard form.
    #[arg(long)]
    pub check: bool,
    /// Change nothing; show what would change.
    #[arg(long)]
    pub diff: bool,
}

/// `kait test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files and directories; the current directory if none is given.
    pub paths: Vec<PathBuf>,
    /// Only tests whose name contains all of these words.
    #[arg(short = 'k', long = "words", value_name = "WORDS")]
    pub words: Option<String>,
    /// Print the results as JSON.
    #[arg(long)]
    pub json: bool,
    /// Run again whenever a file changes.
    #[arg(long)]
    pub watch: bool,
}

/// `kait graph`
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The program; `FILE:GRAPH` names one of several graphs.
    pub file: String,
    /// How it is drawn.
    #[arg(long, default_value = "text")]
    pub format: GraphFormat,
}

/// The forms of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Lines of text.
    Text,
    /// A picture.
    Svg,
    /// A Mermaid flowchart.
    Mermaid,
    /// Nodes and edges as data.
    Json,
}

/// `kait explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code such as K0201, or a name such as text.trim.
    pub what: String,
}

/// `kait grammar`
#[derive(Debug, Args)]
pub struct GrammarArgs {
    /// A rule of the grammar.
    pub rule: Option<String>,
}

/// `kait lsp`
#[derive(Debug, Args)]
pub struct LspArgs {
    /// What it does anyway, for editors that always say so.
    #[arg(long)]
    pub stdio: bool,
}

/// `kait completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}
