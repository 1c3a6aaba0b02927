//! Declarations of the prelude that the language itself knows: where they are, never what they contain.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::hir::{DefId, DefKind, Hir};

/// The prelude's definitions by name. A compilation without prelude (a unit test) has none of them.
#[derive(Debug, Default)]
pub(crate) struct Lang {
    /// `enum Failure`
    pub failure: Option<DefId>,
    /// `enum Result<T>`
    pub result: Option<DefId>,
    /// `enum Message`
    pub message: Option<DefId>,
    /// `enum Overlap`
    pub overlap: Option<DefId>,
    /// `enum Missed`
    pub missed: Option<DefId>,
    /// `record Approved`
    pub approved: Option<DefId>,
}

impl Lang {
    /// Looks them up.
    pub fn find(hir: &Hir) -> Self {
        let Some(module) =
            hir.modules.iter().find(|module| module.is_std && module.name == kait_stdlib::PRELUDE)
        else {
            return Self::default();
        };
        let declared: FxHashMap<&SmolStr, DefId> = module
            .defs
            .iter()
            .filter_map(|id| hir.defs.get(id.index()).map(|def| (id, def)))
            .filter(|(_, def)| matches!(def.kind, DefKind::Enum(_) | DefKind::Record(_)))
            .map(|(id, def)| (&def.name, *id))
            .collect();
        let get = |name: &str| declared.get(&SmolStr::new(name)).copied();
        Self {
            failure: get("Failure"),
            result: get("Result"),
            message: get("Message"),
            overlap: get("Overlap"),
            missed: get("Missed"),
            approved: get("Approved"),
        }
    }
}
