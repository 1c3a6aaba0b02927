//! The standard library's declarations, embedded: one `.kait` file per module, each function documented with an
//! example that a test runs. It holds no behaviour and must never depend on another crate of the workspace.
//!
//! # How a declaration says where its behaviour is
//!
//! * `from stable "text.trim"`: pure, and the same for ever, so it is recomputed on replay. The compiler makes
//!   it `Expr::Native`; `kait_engine::std::lookup` finds it.
//! * `from native "file.read"`: a leaf, whose result is recorded. `kait-connect` finds it. One without `does`
//!   touches nothing in the world, but may answer differently in another version (time zones, Markdown).
//! * `from trigger "schedule.cron"`: a source of events. Only a trigger names it; its result is the event.
//! * A parameter marked `stream` makes a segmenter: given a growing text it gives each item as soon as it is
//!   complete. Both sides know segmenters by name: as a pure function of a finished text, and as a leaf.
//!
//! # What the type language does not say
//!
//! * A type parameter named `Number` takes only `int` and `float`; one named `Quantity` also `money`,
//!   `duration` and `size`. Every other name takes any type.
//! * `field<T, K>? = none` leaves `K` open when no selector is given.
//! * `where (max: n)` and `where (max: len(xs))` on a result name a parameter: the static bound of the list.
//!
//! # Examples
//!
//! A fenced block `kait` in a doc comment holds the statements of a block: `let`s, and expressions which must
//! all be true. A block `kait,check` must only compile. A block `kait,file` holds declarations, which must compile.

mod language;

pub use language::{Word, language};

/// The kind in `from KIND "…"` of pure functions that never change.
pub const STABLE: &str = "stable";

/// The kind in `from KIND "…"` of leaves.
pub const NATIVE: &str = "native";

/// The kind in `from KIND "…"` of sources of events, which triggers wait for.
pub const TRIGGER: &str = "trigger";

/// The paths of all sources of events, as a trigger names them: `schedule.cron`, `startup`.
pub fn sources() -> Vec<&'static str> {
    let all = MODULES.iter().flat_map(|(_, source)| source.split("from trigger \"").skip(1));
    let locators = all.filter_map(|rest| rest.split('"').next());
    locators.map(|locator| locator.strip_prefix("prelude.").unwrap_or(locator)).collect()
}

/// The leaves that are declared and that this version does not run: programs that call them are checked, and run in
/// tests that stub them. A test holds the list to be exactly those.
const NOT_RUN: &[&str] = &[
    "chat.post",
    "event.emit",
    "event.wait",
    "git.apply",
    "git.commit",
    "git.diff",
    "git.log",
    "git.restore",
    "git.show",
    "git.status",
    "mail.move",
    "mail.reply",
    "mail.send",
    "mail.unread",
    "prelude.embed",
    "web.feed",
    "web.search",
];

/// The locators of the leaves that this version does not run, sorted.
pub fn not_run() -> &'static [&'static str] {
    NOT_RUN
}

/// Name of the module whose public names need no module.
pub const PRELUDE: &str = "prelude";

macro_rules! modules {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../", $name, ".kait")))),*]
    };
}

const MODULES: &[(&str, &str)] = modules! {
    "prelude"
    "chat" "clock" "csv" "db" "diff" "event" "file" "git" "hash" "html" "http" "json" "list" "mail" "map"
    "markdown" "math" "money" "out" "process" "random" "regex" "schedule" "text" "time" "toml" "web" "xml" "yaml"
};

/// Name and source of every module: the prelude first, then by name.
pub fn modules() -> &'static [(&'static str, &'static str)] {
    MODULES
}

/// The source of a module.
pub fn module(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(n, _)| *n == name).map(|(_, source)| *source)
}

/// An example of a doc comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The module it stands in.
    pub module: &'static str,
    /// The line of its fence, counted from 1.
    pub line: usize,
    /// Its statements, one a line.
    pub code: String,
    /// Whether it is run, or only compiled.
    pub run: bool,
    /// Whether it is a file of declarations rather than statements.
    pub file: bool,
}

/// Every example of every module, in order.
pub fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    for (module, source) in MODULES {
        let mut open: Option<Example> = None;
        for (index, line) in source.lines().enumerate() {
            let Some(doc) = line.trim_start().strip_prefix("///") else {
                open = None;
                continue;
            };
            let doc = doc.strip_prefix(' ').unwrap_or(doc);
            match (&mut open, doc) {
                (None, "```kait" | "```kait,check" | "```kait,file") => {
                    open = Some(Example {
                        module,
                        line: index + 1,
                        code: String::new(),
                        run: doc == "```kait",
                        file: doc == "```kait,file",
                    });
                }
                (Some(_), "```") => found.extend(open.take()),
                (Some(example), code) => {
                    example.code.push_str(code);
                    example.code.push('\n');
                }
                (None, _) => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The declarations of one module: (name, kind, locator, does it have an example).
    fn externs(source: &str) -> Vec<(String, String, String, bool)> {
        let mut found = Vec::new();
        let mut rest = source;
        while let Some(at) = rest.find("\npub extern ") {
            let docs = rest[..at].rsplit("\n\n").next().unwrap_or("");
            let example = docs.contains("```kait");
            let decl = &rest[at + "\npub extern ".len()..];
            let name: String =
                decl.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let kinds = [NATIVE, STABLE, TRIGGER];
            let from = kinds.map(|kind| decl.find(&format!("from {kind} \"")));
            let from = from.into_iter().flatten().min().unwrap();
            let kind = decl[from + 5..].split(' ').next().unwrap().to_owned();
            let locator = decl[from..].split('"').nth(1).unwrap().to_owned();
            found.push((name, kind, locator, example));
            rest = &decl[from..];
        }
        found
    }

    #[test]
    fn every_function_names_itself_and_has_an_example() {
        let mut count = 0;
        for (module, source) in modules() {
            assert!(source.starts_with("//! "), "{module} says what it is for");
            for (name, kind, locator, example) in externs(source) {
                assert_eq!(locator, format!("{module}.{name}"));
                assert!([STABLE, NATIVE, TRIGGER].contains(&kind.as_str()), "{locator}: {kind}");
                assert!(example, "{locator} has no example");
                count += 1;
            }
        }
        assert!(count > 100, "only {count} functions found");
    }

    #[test]
    fn examples_are_found_with_their_place() {
        let all = examples();
        let trim = all.iter().find(|e| e.code.contains("text.trim")).unwrap();
        assert_eq!((trim.module, trim.run), ("text", true));
        let line = module("text").unwrap().lines().nth(trim.line - 1).unwrap();
        assert_eq!(line, "/// ```kait");
        assert!(all.iter().any(|e| e.module == "file" && !e.run));
    }

    #[test]
    fn every_file_is_embedded() {
        let mut files: Vec<String> = std::fs::read_dir(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".kait").map(str::to_owned))
            .collect();
        files.sort();
        let mut names: Vec<&str> = modules().iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(files, names);
    }
}
