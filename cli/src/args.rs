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
    /// Start a project that runs at once, offline.
    New(NewArgs),
    /// Run a graph and stream its answer.
    Run(RunArgs),
    /// Find every error without running.
    Check(CheckArgs),
    /// Put files in the one standard form.
    Fmt(FmtArgs),
    /// Run the tests in the files.
    Test(TestArgs),
    /// Write a program as one file that runs without its source.
    Build(BuildArgs),
    /// Draw a graph.
    Graph(GraphArgs),
    /// Say what a graph costs in the worst case, before anything runs.
    Cost(CostArgs),
    /// List what graphs do to the world, what of it is granted, who approves, and what is endorsed.
    Audit(AuditArgs),
    /// Say what an error code, a word of the language or a name of the standard library means, with an example.
    Explain(ExplainArgs),
    /// Print the reference grammar, or one rule of it.
    Grammar(GrammarArgs),
    /// Speak the Language Server Protocol on standard input and output, for editors.
    Lsp(LspArgs),
    /// Host graphs over HTTP: runs, their logs as events, an OpenAI-compatible door.
    Serve(ServeArgs),
    /// Look after the installation: profile, models, keys, directories; say what to do about each finding.
    Doctor(DoctorArgs),
    /// List past and present runs, and show what each did.
    Runs(RunsArgs),
    /// Go on with a run that was interrupted, or that waited for somebody who has answered.
    Resume(ResumeArgs),
    /// End a run that waits or was interrupted: it is not gone on with.
    Cancel(CancelArgs),
    /// Go through the record of a run again, without touching anything: it must lead where it led.
    Replay(ReplayArgs),
    /// List what runs wait for from people, and answer.
    Inbox(InboxArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

/// `kait new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The directory to make; its last part is the project's name.
    #[arg(required_unless_present = "list")]
    pub name: Option<PathBuf>,
    /// What to start from; `--list` says what there is.
    #[arg(long, short, value_name = "TEMPLATE", default_value = "hello")]
    pub template: String,
    /// List the templates.
    #[arg(long)]
    pub list: bool,
}

/// `kait doctor`
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is sent to anybody: whether a model's server can be reached is seen from a connection that is closed again, in
two seconds at most. Keys are looked up and never shown.

Exit codes: 0 all is well, 1 something must be done.")]
pub struct DoctorArgs {
    /// The project; the current directory if none is given.
    pub path: Option<PathBuf>,
    /// The profile to look at.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Connect to nothing.
    #[arg(long)]
    pub offline: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `kait run`
#[derive(Debug, Args)]
#[command(after_help = "\
Inputs are the graph's parameters: `name=text`, `name=@file` for a file's text, `name=@-` for standard input
(text is passed on while it still arrives), `name:=json` for JSON. `kait run FILE --help` lists the parameters of FILE.

A graph may ask a person, or have a call approved: then it asks you, if it runs at a terminal; else it waits, and
`kait inbox` lists what it waits for.

Every run is recorded: `kait runs` lists them, and `kait resume` goes on with one that was interrupted.

Exit codes: 0 done, 1 the program or the run failed, 2 wrong usage, 3 it waits for a person, 4 a budget or time limit was reached, 130 interrupted.")]
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
    /// Run nothing: show the steps in order, effects and what of them is granted, models, questions to people, and the bound.
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
    /// Never ask for anything: neither for missing parameters nor for what the run asks people.
    #[arg(long)]
    pub no_input: bool,
    /// Keep no record: the run cannot be resumed, shown or replayed, and if it must ask somebody who is not here, it ends.
    #[arg(long)]
    pub no_record: bool,
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
    /// Find what public graphs and triggers need and this profile does not grant.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
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

/// `kait cost`
#[derive(Debug, Args)]
pub struct CostArgs {
    /// The program; `FILE:GRAPH` names one of several graphs.
    pub file: String,
    /// The profile whose models, with their limits and prices, are counted with.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Print the figures as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `kait audit`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done, 1 a file has errors, 2 wrong usage. What a profile lacks is listed, and no error: `kait check --profile`
refuses it.")]
pub struct AuditArgs {
    /// Files and directories; the current directory if none is given.
    pub paths: Vec<PathBuf>,
    /// The profile whose grants are compared.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Print the table [grants] that would grant what is needed, and nothing more.
    #[arg(long, conflicts_with = "json")]
    pub grants: bool,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `kait build`
#[derive(Debug, Args)]
#[command(after_help = "\
`kait run` and `kait serve` take what it writes like a source. Whatever is loaded is verified first.")]
pub struct BuildArgs {
    /// The program; `FILE:GRAPH` builds one of several graphs.
    pub file: String,
    /// The file to write; its name ends in .kir or .kir.json. Without it, FILE.kir in the current directory.
    #[arg(long, short, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Write text that a person can read and edit (.kir.json), instead of the canonical encoding (.kir).
    #[arg(long)]
    pub json: bool,
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
    /// A code such as K0201, a word such as `for` or `retry`, a name such as text.trim; nothing lists all there is.
    pub what: Option<String>,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
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

/// `kait serve`
#[derive(Debug, Args)]
#[command(after_help = "\
Every request carries a token: `Authorization: Bearer TOKEN`. The first one is made when the server is first started,
and printed once. Changed files are loaded again; runs under way keep the plan that they began with.

Tokens that are added to or deleted from the file of tokens count within a second. SIGHUP loads everything again.
SIGTERM and Ctrl-C end the server: it begins nothing new, and runs under way may end within the time of --drain.")]
pub struct ServeArgs {
    /// Files and directories; the current directory if none is given.
    pub paths: Vec<PathBuf>,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4848")]
    pub listen: String,
    /// The profile whose models answer, and whose tokens are known.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Never leave this machine: models are the built-in echo, and nothing is fetched.
    #[arg(long)]
    pub offline: bool,
    /// Listen on an address that other machines reach. There is no TLS: put a proxy that has it in front.
    #[arg(long)]
    pub expose: bool,
    /// A host name that requests may be addressed to, besides those of this machine.
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// An origin whose pages may send requests, such as https://app.example.
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Let programs do all that you may do: start processes, reach private addresses, use files anywhere. Without it
    /// they use files below the hosted directories, and public addresses.
    #[arg(long)]
    pub unrestricted: bool,
    /// Make a token with these scopes (run, read, vouch, author, admin; with commas), print it, and end.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    pub new_token: Vec<String>,
    /// Runs under way at once; further ones get 429.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub max_runs: usize,
    /// Connections at once; further ones get 503.
    #[arg(long, value_name = "N", default_value_t = 4096)]
    pub max_connections: usize,
    /// Bytes of a request's body; larger ones get 413.
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    pub max_body: usize,
    /// Finished runs that are remembered.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub keep_runs: usize,
    /// Seconds after which a client that reads nothing of what waits for it is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub write_timeout: u64,
    /// Seconds that runs and streams may go on once the server is asked to end.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub drain: u64,
}

/// `kait runs`
#[derive(Debug, Args)]
#[command(after_help = "\
RUN is a run's name, the beginning of it, or `last`.")]
pub struct RunsArgs {
    /// What to do; without it, the newest runs are listed.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// The profile in which they ran.
    #[arg(long, global = true, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Print it as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What `kait runs` does.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs, the newest first.
    List {
        /// Only those in this state; may be given several times.
        #[arg(long, value_name = "STATE")]
        state: Vec<StateName>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Show all that a run did: each step on a scale of time, with what went in and what came out.
    Show {
        /// The run.
        run: String,
    },
    /// Write all that is known of a run as JSON.
    Export {
        /// The run.
        run: String,
        /// The file to write; standard output if none is given.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Remove runs that ended some time ago. Those that have not ended stay.
    Prune {
        /// How many days they ended ago.
        #[arg(long, value_name = "N", default_value_t = 30)]
        days: u32,
    },
}

/// How a run stands, as it is written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StateName {
    /// It waits for its session.
    Queued,
    /// It runs, or ran when its process was ended.
    Running,
    /// It waits for somebody.
    Waiting,
    /// It has succeeded.
    Done,
    /// It has failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Its record is damaged.
    Damaged,
}

impl StateName {
    /// The state.
    pub fn state(self) -> kait_store::RunState {
        match self {
            Self::Queued => kait_store::RunState::Queued,
            Self::Running => kait_store::RunState::Running,
            Self::Waiting => kait_store::RunState::Waiting,
            Self::Done => kait_store::RunState::Done,
            Self::Failed => kait_store::RunState::Failed,
            Self::Cancelled => kait_store::RunState::Cancelled,
            Self::Damaged => kait_store::RunState::Damaged,
        }
    }
}

/// `kait resume`
#[derive(Debug, Args)]
#[command(after_help = "\
It goes on with the program that it began with, whatever its file says now. Nothing that was recorded is done again; a
read or a call of a model that was under way is made again, a write is not, unless it has a key.

Exit codes: as `kait run`.")]
pub struct ResumeArgs {
    /// The run: its name, the beginning of it, or `last`.
    pub run: String,
    /// Print JSON: one object at the end, or with `=lines` every record of the log as it comes.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "object")]
    pub json: Option<JsonForm>,
    /// The profile in which it ran.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Never leave this machine.
    #[arg(long)]
    pub offline: bool,
    /// Write the answer only when it is final.
    #[arg(long)]
    pub buffer: bool,
    /// Never ask for anything.
    #[arg(long)]
    pub no_input: bool,
}

/// `kait cancel`
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// The run: its name, the beginning of it, or `last`.
    pub run: String,
    /// The profile in which it ran.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
}

/// `kait replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The run: its name, the beginning of it, or `last`.
    pub run: String,
    /// The profile in which it ran.
    #[arg(long, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
}

/// `kait inbox`
#[derive(Debug, Args)]
#[command(after_help = "\
QUESTION is its number in the list, or the run that asks, if it asks one thing.")]
pub struct InboxArgs {
    /// What to do; without it, what is open is listed.
    #[command(subcommand)]
    pub command: Option<InboxCommand>,
    /// The profile whose runs ask.
    #[arg(long, global = true, value_name = "NAME", env = "KAIT_PROFILE")]
    pub profile: Option<String>,
    /// Print it as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What `kait inbox` does.
#[derive(Debug, Subcommand)]
pub enum InboxCommand {
    /// List what is asked.
    List,
    /// Show all of a question: exactly the arguments of the call, and what is shown besides.
    Show {
        /// The question.
        question: String,
    },
    /// Approve a call, with exactly the arguments that are shown.
    Approve {
        /// The question.
        question: String,
        /// Change an argument that may be changed: `name=text` or `name:=json`.
        #[arg(long, value_name = "NAME=VALUE")]
        edit: Vec<String>,
    },
    /// Say no.
    Reject {
        /// The question.
        question: String,
        /// Why.
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Answer a question: a text, or JSON.
    Answer {
        /// The question.
        question: String,
        /// The answer; of a selection, the list of places, counted from 0.
        answer: String,
    },
}
