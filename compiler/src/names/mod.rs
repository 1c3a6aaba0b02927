//! Names: which files belong to a compilation, what each declares, and what a name means where it stands.
//!
//! This stage knows declarations by their heads only; bodies are `hir::lower`'s. It never looks at types.

mod collect;
mod load;
mod mcp;
mod packages;
mod suggest;
mod syntax_errors;
#[cfg(test)]
mod tests;
mod uses;

use std::sync::Arc;

use kait_syntax::ast::Decl;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use smol_str::SmolStr;

pub use suggest::{foreign_member, foreign_type, our_member, suggest};
pub use uses::added_use;

use crate::diagnostics::{Diagnostics, FileId, Span};
use crate::hir::{DefId, ModuleId};
use crate::sources::{Files, Sources};
use crate::trees::Trees;

pub(crate) use collect::delete_line;
pub(crate) use load::{is_planned_member, is_planned_module, is_std_module, module_name, span_of};
pub(crate) use mcp::Pins;

/// What kind of thing a declaration declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadKind {
    Const,
    Record,
    Enum,
    Alias,
    Model,
    Secret,
    Callable,
    Session,
    Trigger,
    Test,
}

impl HeadKind {
    /// For messages, where [`Head::noun`] does not say more: "`x` is a constant".
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Const => "a constant",
            Self::Record => "a record",
            Self::Enum => "an enum",
            Self::Alias => "a type",
            Self::Model => "a model role",
            Self::Secret => "a secret",
            Self::Callable => "a function",
            Self::Session => "a session",
            Self::Trigger => "a trigger",
            Self::Test => "a test",
        }
    }

    /// Whether it may stand where a type is expected.
    pub(crate) fn is_type(self) -> bool {
        matches!(self, Self::Record | Self::Enum | Self::Alias | Self::Session)
    }
}

/// What the rest of the compilation must know of a declaration before its body is read.
#[derive(Debug)]
pub(crate) struct Head {
    pub module: ModuleId,
    pub kind: HeadKind,
    /// For messages: "`x` is a graph".
    pub noun: &'static str,
    pub name: SmolStr,
    pub name_span: Span,
    pub is_pub: bool,
    /// Its text could not be read: whatever uses it is not reported.
    pub damaged: bool,
    /// Number of type parameters.
    pub type_params: u32,
    /// Of an enum: the variants.
    pub variants: Vec<SmolStr>,
    /// The syntax node of the declaration, in the tree of its module.
    pub node: u32,
}

/// A module that a file knows by a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportedModule {
    /// `None` if it could not be had, which was reported.
    pub target: Option<ModuleId>,
    /// Where the name is introduced.
    pub name_span: Span,
    /// The whole `use`.
    pub span: Span,
}

/// The names of one module.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Lower-case names: constants, callables, roles, secrets, triggers.
    pub values: FxHashMap<SmolStr, DefId>,
    /// Upper-case names of types.
    pub types: FxHashMap<SmolStr, DefId>,
    /// Variants of all enums of the module.
    pub variants: FxHashMap<SmolStr, SmallVec<[(DefId, u32); 1]>>,
    /// Imported modules.
    pub modules: FxHashMap<SmolStr, ImportedModule>,
    /// Words that occur in damaged declarations, which may have declared them.
    pub damaged_words: FxHashSet<SmolStr>,
    /// Declarations may be missing, because a name is declared twice or could not be read.
    pub is_incomplete: bool,
}

/// What the name in front of a dot stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModuleRef {
    /// A module.
    Module(ModuleId),
    /// A module that could not be had, which was reported.
    Broken,
}

/// A module and where its text is.
#[derive(Debug)]
pub(crate) struct ModuleHead {
    pub file: FileId,
    pub name: SmolStr,
    /// The name for messages, which a nameless root has, too.
    pub shown: SmolStr,
    /// Whether its text is nobody's to change: the standard library's, or made from `kait.lock`.
    pub is_std: bool,
    /// Names that it would have if a declaration could say what they mean, and why none can.
    pub left_out: Arc<[(SmolStr, String)]>,
    pub defs: Vec<DefId>,
}

/// All declarations of a compilation.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub modules: Vec<ModuleHead>,
    pub scopes: Vec<Scope>,
    pub heads: Vec<Head>,
    pub std: FxHashMap<SmolStr, ModuleId>,
    pub prelude: Option<ModuleId>,
}

/// Reads the roots and everything they need, and collects what is declared.
pub(crate) fn resolve(
    sources: &dyn Sources,
    roots: &[&str],
    trees: &mut Trees,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Names {
    let graph = load::load(sources, roots, trees, files, diagnostics);
    collect::collect(graph, diagnostics)
}

impl Names {
    pub(crate) fn head(&self, def: DefId) -> Option<&Head> {
        self.heads.get(def.index())
    }

    pub(crate) fn scope(&self, module: ModuleId) -> Option<&Scope> {
        self.scopes.get(module.index())
    }

    pub(crate) fn prelude_scope(&self) -> Option<&Scope> {
        self.scope(self.prelude?)
    }

    /// The module that is known by a name in a module: imported ones first, then those of the standard library.
    pub(crate) fn module(&self, from: ModuleId, name: &str) -> Option<ModuleRef> {
        if let Some(import) = self.scope(from)?.modules.get(name) {
            return Some(import.target.map_or(ModuleRef::Broken, ModuleRef::Module));
        }
        self.std.get(name).copied().map(ModuleRef::Module)
    }

    /// The value of a name without module: the file's own, else the prelude's.
    pub(crate) fn value(&self, from: ModuleId, name: &str) -> Option<DefId> {
        let own = self.scope(from)?.values.get(name);
        own.or_else(|| self.prelude_scope()?.values.get(name)).copied()
    }

    /// The type of a name without module: the file's own, else the prelude's.
    pub(crate) fn type_def(&self, from: ModuleId, name: &str) -> Option<DefId> {
        let own = self.scope(from)?.types.get(name);
        own.or_else(|| self.prelude_scope()?.types.get(name)).copied()
    }

    /// The variants of a name that are in scope: the file's own first, then the prelude's.
    pub(crate) fn variants(&self, from: ModuleId, name: &str) -> Vec<(DefId, u32)> {
        let own = self.scope(from).and_then(|scope| scope.variants.get(name));
        let prelude = if Some(from) == self.prelude {
            None
        } else {
            self.prelude_scope().and_then(|scope| scope.variants.get(name))
        };
        own.into_iter().chain(prelude).flatten().copied().collect()
    }

    /// The variant of an enum by name.
    pub(crate) fn variant(&self, of: DefId, name: &str) -> Option<u32> {
        let known = self.scope(self.head(of)?.module)?.variants.get(name)?;
        // In the order in which the enums are declared.
        let at = known.binary_search_by_key(&of, |(def, _)| *def).ok()?;
        known.get(at).map(|(_, index)| *index)
    }

    /// Whether a use of the definition reports nothing, because its own text could not be read.
    pub(crate) fn is_damaged(&self, def: DefId) -> bool {
        self.head(def).is_some_and(|head| head.damaged)
    }

    /// Whether a module may use a definition.
    pub(crate) fn is_visible(&self, def: DefId, from: ModuleId) -> bool {
        self.head(def).is_none_or(|head| head.is_pub || head.module == from)
    }

    /// Why a module does not have a name that it would have, if that is so.
    pub(crate) fn left_out(&self, module: ModuleId, name: &str) -> Option<&str> {
        let all = &self.modules.get(module.index())?.left_out;
        all.iter().find(|(known, _)| known == name).map(|(_, why)| why.as_str())
    }

    /// How a module is called in messages.
    pub(crate) fn module_name(&self, module: ModuleId) -> &str {
        self.modules.get(module.index()).map_or("", |module| module.shown.as_str())
    }
}

/// The kind of a declaration; `None` for `use`, which declares nothing.
pub(crate) fn head_kind(decl: Decl<'_>) -> Option<HeadKind> {
    Some(match decl {
        Decl::Use(_) => return None,
        Decl::Let(_) => HeadKind::Const,
        Decl::Record(_) => HeadKind::Record,
        Decl::Enum(_) => HeadKind::Enum,
        Decl::TypeAlias(_) => HeadKind::Alias,
        Decl::Model(_) => HeadKind::Model,
        Decl::Secret(_) => HeadKind::Secret,
        Decl::Fn(_) | Decl::Graph(_) | Decl::Prompt(_) | Decl::Extern(_) => HeadKind::Callable,
        Decl::Session(_) => HeadKind::Session,
        Decl::Trigger(_) => HeadKind::Trigger,
        Decl::Test(_) => HeadKind::Test,
    })
}
