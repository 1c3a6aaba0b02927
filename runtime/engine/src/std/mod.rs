//! Stable natives of the standard library: pure, spelled out in the reference, recomputed on replay.
//!
//! One file per module of std; each lists its own functions. Nothing in here may read a clock, files or random
//! numbers, panic, or take time that is not bounded by the size of its arguments and result.

mod args;
mod csv;
mod decimal;
mod hash;
mod json;
mod list;
mod map;
mod math;
mod money;
pub mod regex;
pub mod segment;
mod text;
mod time;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use kait_ir::{Failure, TypeId, Types, Value};

/// What a native knows about its call besides the arguments.
#[derive(Clone, Copy, Debug)]
pub struct NativeCx<'a> {
    /// The program's types, with their refinements ready to check.
    pub table: &'a crate::check::TypeTable,
    /// The types of the parameters, as instantiated at this call.
    pub params: &'a [TypeId],
    /// The type of the result, as instantiated at this call: what `json.decode` decodes to.
    pub result: TypeId,
}

impl<'a> NativeCx<'a> {
    /// The program's types.
    pub fn types(&self) -> &'a Types {
        self.table.types()
    }
}

/// A native: arguments in declaration order with defaults filled in, all of the declared types. Values of other
/// kinds can only come from a damaged program and give a `Trap`.
pub type NativeFn = fn(&NativeCx<'_>, &[Value]) -> Result<Value, Failure>;

/// The modules' functions, by module.
const MODULES: &[(&str, &[(&str, NativeFn)])] = &[
    ("csv", csv::TABLE),
    ("hash", hash::TABLE),
    ("json", json::TABLE),
    ("list", list::TABLE),
    ("map", map::TABLE),
    ("math", math::TABLE),
    ("money", money::TABLE),
    ("regex", regex::TABLE),
    ("text", text::TABLE),
    ("time", time::TABLE),
];

/// The native of that full name such as `text.trim`. Called once for each call in the program when it is loaded.
pub fn lookup(name: &str) -> Option<NativeFn> {
    let (module, _) = name.split_once('.')?;
    let (_, table) = MODULES.iter().find(|(m, _)| *m == module)?;
    table.iter().find(|(n, _)| *n == name).map(|(_, native)| *native)
}

/// The result of natives that add to their first argument, if nobody else holds that: then it is changed where it is,
/// and costs what is added. `None` where the native must make a new value.
pub(crate) fn in_place(native: NativeFn, args: &mut [Value]) -> Option<Result<Value, Failure>> {
    let (first, rest) = args.split_first_mut()?;
    match first {
        Value::List(items) if std::ptr::fn_addr_eq(native, list::append as NativeFn) => {
            list::append_in_place(std::sync::Arc::get_mut(items)?, rest)?;
        }
        Value::Map(map) if std::ptr::fn_addr_eq(native, map::merge as NativeFn) => {
            map::merge_in_place(std::sync::Arc::get_mut(map)?, rest)?;
        }
        _ => return None,
    }
    Some(Ok(std::mem::take(first)))
}

/// The full names of all natives.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().flat_map(|(_, table)| table.iter()).map(|(name, _)| *name)
}
