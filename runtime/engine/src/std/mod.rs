//! Stable natives of the standard library: pure, spelled out in the reference, recomputed on replay.
//!
//! One file per module of std; each gives `pub(super) fn lookup(name: &str) -> Option<NativeFn>` for its own
//! functions. Nothing in here may read a clock, files or random numbers, panic, or take time that is not bounded by
//! the size of its arguments and result.

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

/// The native of that full name such as `text.trim`. Called once for each call in the program when it is loaded.
pub fn lookup(name: &str) -> Option<NativeFn> {
    // One arm a module: `"text" => text::lookup(function)`.
    let (_module, _function) = name.rsplit_once('.')?;
    None
}

/// The `Trap` for arguments that no checked program can pass.
pub fn bad_arguments(name: &str) -> Failure {
    Failure::trap(format!("`{name}` was called with arguments of other types than it declares"))
}
