//! Modules of MCP servers: each tool that `kait.lock` pins is an extern, each schema a type.
//!
//! `use mcp.github` imports a module whose text is made here, so that everything that reads declarations reads these,
//! too. No server is asked: what a tool is like is what the lock says.
//!
//! A tool is called by its name in snake case, with a number behind it where two would have one name; a reserved word
//! gets a `_`. Its parameters are the properties of its input, those that must be given first, named in the same way;
//! one that may be left out is `T? = none`, and `none` is not sent.

mod lock;
mod schema;
#[cfg(test)]
mod tests;
mod words;

use std::fmt::Write as _;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

pub(super) use lock::{FILE, Flaw, Lock};
use lock::{Tool, shown};
use schema::{FieldText, MAX_FIELDS, MAX_PARTS, Shared, Walk, doc_lines, indented, quoted};
use words::{Taken, is_reserved, type_name, value_name};

/// Longest text of one module, in bytes: tools beyond it are left out.
const MAX_TEXT: usize = 4 << 20;

/// The module of a server.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub text: Arc<str>,
    /// The names of tools that no declaration can say, and why.
    pub left_out: Arc<[(SmolStr, String)]>,
}

/// Modules that were made, by the path of their text, with the lock that they were made from.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    locks: FxHashMap<String, (Arc<str>, Arc<Lock>)>,
    made: FxHashMap<String, (Arc<Lock>, Made)>,
}

impl Pins {
    /// The lock of a text, read once as long as the text is the same.
    ///
    /// # Errors
    /// As [`Lock::parse`].
    pub(super) fn lock(&mut self, path: &str, text: &Arc<str>) -> Result<Arc<Lock>, Flaw> {
        if let Some((known, lock)) = self.locks.get(path)
            && known == text
        {
            return Ok(Arc::clone(lock));
        }
        let lock = Arc::new(Lock::parse(text)?);
        self.locks.insert(path.to_owned(), (Arc::clone(text), Arc::clone(&lock)));
        Ok(lock)
    }

    /// The module of a server; `None` if the lock does not have it.
    ///
    /// # Errors
    /// As [`Lock::tools`].
    pub(super) fn module(
        &mut self,
        path: &str,
        lock: &Arc<Lock>,
        server: &str,
    ) -> Option<Result<Made, Flaw>> {
        if let Some((of, made)) = self.made.get(path)
            && Arc::ptr_eq(of, lock)
        {
            return Some(Ok(made.clone()));
        }
        let made = match lock.tools(server)? {
            Ok(tools) => module(server, &tools),
            Err(why) => return Some(Err(why)),
        };
        self.made.insert(path.to_owned(), (Arc::clone(lock), made.clone()));
        Some(Ok(made))
    }

    /// Forgets the modules that are not read any more.
    pub(crate) fn keep_only(&mut self, is_read: impl Fn(&str) -> bool) {
        self.made.retain(|path, _| is_read(path));
        let made = &self.made;
        self.locks.retain(|_, (_, lock)| made.values().any(|(of, _)| Arc::ptr_eq(of, lock)));
    }
}

/// The text of a module: the tools in the order of the lock, each with its types below it.
fn module(server: &str, tools: &[Tool<'_>]) -> Made {
    let mut text = format!("//! The tools of the MCP server `{server}`, as `{FILE}` pins them.\n");
    let mut shared = Shared::default();
    let names: Vec<(&str, String)> =
        tools.iter().map(|tool| (tool.name, tool_name(tool))).collect();
    let names = Taken::default().take_all(&names, "_");
    let mut left_out = Vec::new();
    for (tool, name) in tools.iter().zip(names) {
        let made = if text.len() > MAX_TEXT {
            Err(format!("the tools above it fill {} MiB, the limit", MAX_TEXT >> 20))
        } else {
            declaration(server, tool, &name, &mut shared)
        };
        match made {
            Ok(made) => {
                text.push('\n');
                text.push_str(&made);
            }
            Err(why) => left_out.push((name, why)),
        }
    }
    Made { text: text.into(), left_out: left_out.into() }
}

fn tool_name(tool: &Tool<'_>) -> String {
    let name = value_name(tool.name, "tool");
    if is_reserved(&name) { format!("{name}_") } else { name }
}

/// A tool as an extern, and its types; why there is none, as the end of "… cannot be called: …".
fn declaration(
    server: &str,
    tool: &Tool<'_>,
    name: &str,
    shared: &mut Shared,
) -> Result<String, String> {
    let own = type_name(name, "Tool");
    let mut input = Walk::new(shared, &tool.input, own.clone());
    let params = input.params().ok_or("its input is not an object with properties")?;
    let too_large = || format!("its schema has more than {MAX_PARTS} parts, the limit");
    if input.is_too_large() {
        return Err(too_large());
    }
    if params.len() > MAX_FIELDS {
        return Err(format!("it has more than {MAX_FIELDS} parameters, the limit"));
    }
    let mut types = input.declarations();
    let result = match &tool.output {
        None => "text".to_owned(),
        Some(output) => {
            let mut walk = Walk::new(shared, output, own);
            let result = walk.result();
            if walk.is_too_large() {
                return Err(too_large());
            }
            types.push_str(&walk.declarations());
            result.to_string()
        }
    };
    if let Some(unknown) = tool.data.iter().find(|name| !params.iter().any(|p| p.wire == **name)) {
        return Err(format!("`data` names `{}`, which is none of its parameters", shown(unknown)));
    }
    let mut text = doc_lines(tool.description);
    let _ = write!(text, "pub extern {name}(");
    write_params(&mut text, params, tool);
    let _ = write!(text, ") -> {result}\n  does {}\n", tool.does.join(", "));
    if tool.needs_approval {
        text.push_str("  needs approval\n");
    }
    let _ = writeln!(text, "  from mcp {}", quoted(&format!("{server}/{}", tool.name)));
    text.push_str(&types);
    Ok(text)
}

/// The parameters: on one line if none has documentation.
fn write_params(text: &mut String, params: Vec<FieldText>, tool: &Tool<'_>) {
    let writes = tool.does.iter().any(|effect| effect.starts_with("write"));
    let is_long = params.iter().any(|param| !param.docs.is_empty()) || params.len() > 4;
    let (required, others): (Vec<_>, Vec<_>) =
        params.into_iter().partition(|param| param.is_required);
    for (index, param) in required.iter().chain(&others).enumerate() {
        if is_long {
            text.push('\n');
            text.push_str(&indented(&param.docs));
            text.push_str("  ");
        } else if index > 0 {
            text.push_str(", ");
        }
        // What a text says may be done to the world: only those who are trusted may say it, unless the lock calls it
        // data.
        let is_free = !writes || param.ty.is_closed || tool.data.contains(&param.wire);
        let trust = if is_free { "" } else { "trusted " };
        let default = if param.is_required { "" } else { " = none" };
        let _ = write!(text, "{}: {trust}{}{default}", param.name, param.ty);
        if is_long {
            text.push(',');
        }
    }
    if is_long {
        text.push('\n');
    }
}
