//! The whole standard library, compiled once: a file's own analysis only has the modules that the file mentions.

use std::sync::LazyLock;

use kait_compiler::hir::ModuleId;
use kait_compiler::sources::MemorySources;

use crate::Analysis;

/// Every module of std.
static LIBRARY: LazyLock<Analysis> = LazyLock::new(|| {
    // A mention is what loads a module; that the file is no program does not matter.
    let mentions: String =
        kait_stdlib::modules().iter().map(|(name, _)| format!("{name}.x\n")).collect();
    Analysis::new(&MemorySources::single("library.kait", mentions), &["library.kait"])
});

/// The names of the modules, the prelude left out, with what each says of itself.
pub(crate) fn modules() -> impl Iterator<Item = (&'static str, ModuleId)> {
    kait_stdlib::modules()
        .iter()
        .filter(|(name, _)| *name != kait_stdlib::PRELUDE)
        .filter_map(|(name, _)| Some((*name, LIBRARY.std_module(name)?)))
}

/// An analysis in which all of them can be looked up.
pub(crate) fn library() -> &'static Analysis {
    &LIBRARY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_there() {
        assert_eq!(modules().count() + 1, kait_stdlib::modules().len());
        for (name, module) in modules() {
            assert!(library().members(module, false).count() > 0, "{name}");
            assert!(
                library().module(module).is_some_and(|module| !module.docs.is_empty()),
                "{name}"
            );
        }
    }
}
