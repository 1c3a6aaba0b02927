//! What `std.out` shows. The driver turns it into segments; the leaf itself has nothing to do.

use kait_ir::{Failure, LeafDecl, TypeId, Value};
use smol_str::SmolStr;

use crate::args;

/// Something to show beside the result.
#[derive(Clone, Debug, PartialEq)]
pub enum Emission {
    /// A line that says what is going on.
    Status(SmolStr),
    /// A value to be shown by its type.
    Card {
        /// Its type.
        ty: TypeId,
        /// The value.
        value: Value,
    },
    /// How far the run has come.
    Progress {
        /// Steps done.
        done: i64,
        /// Steps in all.
        of: i64,
    },
}

/// What a call of that leaf shows; `None` if it is not one of `std.out`.
///
/// # Errors
/// A `Trap` for arguments that no checked program passes.
pub fn emission(decl: &LeafDecl, values: &[Value]) -> Option<Result<Emission, Failure>> {
    Some(match decl.name.as_str() {
        "out.status" => args::text(values, 0).map(Emission::Status),
        "out.card" => match (decl.params.first(), values.first()) {
            (Some(param), Some(value)) => Ok(Emission::Card { ty: param.ty, value: value.clone() }),
            _ => Err(Failure::trap("`out.card` needs a value")),
        },
        "out.progress" => args::int(values, 0)
            .and_then(|done| Ok(Emission::Progress { done, of: args::int(values, 1)? })),
        _ => return None,
    })
}
