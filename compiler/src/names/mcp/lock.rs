//! `kait.lock`: what the tools of the MCP servers of a package were like when somebody looked at them.
//!
//! It is TOML; the schemas in it are JSON texts, because TOML has no `null`:
//!
//! ```toml
//! version = 1
//!
//! [mcp.github.tools.add_labels]
//! description = "Adds labels to an issue."
//! does = ["write mcp.github"]   # unless it says otherwise
//! approval = false              # whether each call needs a person's approval
//! data = ["labels"]             # parameters of a writing tool that may be untrusted
//! input = '{"type": "object", "properties": {"labels": {"type": "array", "items": {"type": "string"}}}}'
//! output = '{"type": "object"}' # left out: the tool gives a text
//! hash = "blake3:…"             # of name, description and schemas: `kait_ir::pin`
//! ```

use indexmap::IndexMap;
use kait_ir::pin::tool_hash;
use serde::Deserialize;
use serde_json::Value;

/// The name of the file, beside `kait.toml`.
pub(in crate::names) const FILE: &str = "kait.lock";

/// The version that is read.
const VERSION: u32 = 1;

/// Longest lock that is read, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Most tools of one server.
const MAX_TOOLS: usize = 1_000;

/// Most characters of the name of a tool.
const MAX_NAME: usize = 200;

/// What is wrong with a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::names) struct Flaw {
    /// The end of "`kait.lock` cannot be used: …".
    pub why: String,
    /// What to do, where that is not plain.
    pub help: Option<String>,
}

impl From<String> for Flaw {
    fn from(why: String) -> Self {
        Self { why, help: None }
    }
}

/// A lock that was read; its servers are looked at one by one, when they are imported.
#[derive(Debug)]
pub(in crate::names) struct Lock {
    servers: IndexMap<String, Server>,
}

/// The version alone, so that a lock of another one is not judged by the rules of this one.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    mcp: IndexMap<String, Server>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    #[serde(default)]
    tools: IndexMap<String, WrittenTool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTool {
    description: Option<String>,
    does: Option<Vec<String>>,
    #[serde(default)]
    approval: bool,
    #[serde(default)]
    data: Vec<String>,
    input: String,
    output: Option<String>,
    hash: String,
}

/// A tool as it was pinned.
#[derive(Debug)]
pub(super) struct Tool<'l> {
    pub name: &'l str,
    pub description: &'l str,
    /// Effects as a header writes them; at least one.
    pub does: Vec<String>,
    pub needs_approval: bool,
    /// Names of properties of its input.
    pub data: &'l [String],
    pub input: Value,
    pub output: Option<Value>,
}

impl Lock {
    /// Reads a lock.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        if text.len() > MAX_BYTES {
            return Err(format!("it is longer than {} MiB, the limit", MAX_BYTES >> 20).into());
        }
        let fault = |error: &toml::de::Error| {
            let line = error.span().and_then(|span| text.get(..span.start)).map(|before| {
                format!("line {}: ", before.bytes().filter(|byte| *byte == b'\n').count() + 1)
            });
            let message = error.message().trim().replace('\n', "; ");
            format!("{}{message}", line.unwrap_or_default())
        };
        let Versioned { version } = toml::from_str(text).map_err(|error| fault(&error))?;
        if version != VERSION {
            return Err(
                format!("it has version {version}, and this KAIT reads version {VERSION}").into()
            );
        }
        let Written { mcp, .. } = toml::from_str(text).map_err(|error| fault(&error))?;
        for name in mcp.keys() {
            let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
            if !is_name {
                return Err(format!(
                    "a server is called `{}`; it is called like a module: lower-case letters, digits and `_`",
                    shown(name)
                )
                .into());
            }
        }
        Ok(Self { servers: mcp })
    }

    /// The names of the servers, in the order of the file.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.keys().map(String::as_str)
    }

    /// The tools of a server, each held to its hash; `None` if there is no such server.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(super) fn tools(&self, server: &str) -> Option<Result<Vec<Tool<'_>>, Flaw>> {
        let tools = &self.servers.get(server)?.tools;
        if tools.len() > MAX_TOOLS {
            let why = format!("`{server}` has more than {MAX_TOOLS} tools, the limit");
            return Some(Err(why.into()));
        }
        let tools = tools.iter().map(|(name, tool)| {
            let wrong = |Flaw { why, help }| Flaw {
                why: format!("the tool `{}` of `{server}` {why}", shown(name)),
                help,
            };
            tool.checked(name, server).map_err(wrong)
        });
        Some(tools.collect())
    }
}

impl WrittenTool {
    fn checked<'l>(&'l self, name: &'l str, server: &str) -> Result<Tool<'l>, Flaw> {
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(format!("needs a name of 1 to {MAX_NAME} characters").into());
        }
        let json = |what: &str, text: &str| {
            serde_json::from_str::<Value>(text)
                .map_err(|error| Flaw::from(format!("has an {what} that is not JSON: {error}")))
        };
        let input = json("input", &self.input)?;
        let output = self.output.as_deref().map(|text| json("output", text)).transpose()?;
        let hash = tool_hash(name, self.description.as_deref(), &input, output.as_ref());
        if hash != self.hash {
            return Err(Flaw {
                why: "is not what was pinned: its hash is another one".to_owned(),
                help: Some(format!(
                    "what it says now has the hash `{hash}`: read it, and write that if it is right"
                )),
            });
        }
        let does = match &self.does {
            None => vec![format!("write mcp.{server}")],
            Some(does) if does.is_empty() => {
                return Err(Flaw {
                    why: "says that it does nothing at all".to_owned(),
                    help: Some(format!(
                        "what changes nothing reads: `does = [\"read mcp.{server}\"]`"
                    )),
                });
            }
            Some(does) => match does.iter().find(|effect| !is_effect(effect)) {
                Some(wrong) => {
                    return Err(Flaw {
                        why: format!("does `{}`, which is no effect", shown(wrong)),
                        help: Some(format!(
                            "write `read` or `write`, and what: `does = [\"read mcp.{server}\"]`"
                        )),
                    });
                }
                None => does.clone(),
            },
        };
        Ok(Tool {
            name,
            description: self.description.as_deref().unwrap_or_default(),
            does,
            needs_approval: self.approval,
            data: &self.data,
            input,
            output,
        })
    }
}

/// `read a.b` or `write a.b`.
fn is_effect(text: &str) -> bool {
    let Some(("read" | "write", path)) = text.split_once(' ') else { return false };
    path.len() <= MAX_NAME
        && path.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
        })
        // These words end the clause.
        && !["needs", "from"].contains(&path.split('.').next().unwrap_or_default())
}

/// A name of somebody else's in a message: on one line, and not too long.
pub(super) fn shown(name: &str) -> String {
    let mut short: String =
        name.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}
