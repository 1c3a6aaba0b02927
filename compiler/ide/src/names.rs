//! What names mean where a file is still being written: modules, declarations and types by name.
//!
//! The compiler resolves whole programs; here one name is looked up, by the same rules: imports before std modules, a
//! file's own names before the prelude's.

use kait_compiler::diagnostics::FileId;
use kait_compiler::hir::{Def, DefId, DefKind, ModuleId};
use kait_syntax::ast;

use crate::Analysis;

impl Analysis {
    /// The module that `use path` in a file means.
    pub(crate) fn imported(&self, from: FileId, path: &str) -> Option<ModuleId> {
        let file = format!("{}.kait", path.replace('.', "/"));
        let here = &self.source(from)?.path;
        // Files may be shown below a directory: then the path ends in the module's.
        let found = self.compilation.files.iter().find(|(_, known)| {
            known.path.strip_suffix(file.as_str()).is_some_and(|prefix| {
                prefix.is_empty() || (prefix.ends_with('/') && here.starts_with(prefix))
            }) && !known.path.starts_with("std/")
        });
        match found {
            Some((id, _)) => self.module_of(id),
            None => self.std_module(path),
        }
    }

    /// A loaded module of the standard library.
    pub(crate) fn std_module(&self, name: &str) -> Option<ModuleId> {
        let found = self.hir().modules.iter().position(|m| m.is_std && m.name == name)?;
        u32::try_from(found).ok().map(ModuleId)
    }

    /// The names that a file gives to modules, with what they mean if that was found.
    pub(crate) fn imports(&self, file: FileId) -> Vec<(String, Option<ModuleId>)> {
        let Some(source) = self.tree(file).and_then(|tree| ast::SourceFile::cast(tree.root()))
        else {
            return Vec::new();
        };
        source
            .decls()
            .filter_map(|decl| match decl {
                ast::Decl::Use(decl) => {
                    let path = decl.path()?.to_text();
                    Some((decl.bound_name()?.text().to_owned(), self.imported(file, &path)))
                }
                _ => None,
            })
            .collect()
    }

    /// The paths behind the `use`s of a file that are complete.
    pub(crate) fn imported_paths(&self, file: FileId) -> Vec<String> {
        let root = self.tree(file).and_then(|tree| ast::SourceFile::cast(tree.root()));
        let decls = root.into_iter().flat_map(ast::SourceFile::decls);
        let paths = decls.filter_map(|decl| match decl {
            ast::Decl::Use(decl) => {
                let path = decl.path()?.to_text();
                self.imported(file, &path).map(|_| path.to_string())
            }
            _ => None,
        });
        paths.collect()
    }

    /// The module that a name before a dot means.
    pub(crate) fn module_named(&self, file: FileId, name: &str) -> Option<ModuleId> {
        match self.imports(file).into_iter().find(|(known, _)| known == name) {
            Some((_, module)) => module,
            None => self.std_module(name).filter(|_| name != "prelude"),
        }
    }

    /// The declarations of a module that another one may use; all of them for its own file.
    pub(crate) fn members(
        &self,
        module: ModuleId,
        all: bool,
    ) -> impl Iterator<Item = (DefId, &Def)> {
        let defs = self.module(module).map(|module| module.defs.as_slice()).unwrap_or_default();
        defs.iter()
            .filter_map(|id| Some((*id, self.def(*id)?)))
            .filter(move |(_, def)| (all || def.is_pub) && !def.name.is_empty())
            .filter(|(_, def)| !matches!(def.kind, DefKind::Test(_)))
    }

    /// The declaration that a name without module means in a file.
    pub(crate) fn def_named(&self, file: FileId, name: &str) -> Option<DefId> {
        let own = self.module_of(file)?;
        let prelude = self.std_module("prelude");
        let found = |module, all| self.members(module, all).find(|(_, def)| def.name == name);
        found(own, true).or_else(|| found(prelude?, false)).map(|(id, _)| id)
    }

    /// The variant that a bare name means in a file: its own ones first, then the prelude's.
    pub(crate) fn variant_named(&self, file: FileId, name: &str) -> Option<(DefId, u32)> {
        let modules = [self.module_of(file), self.std_module("prelude")];
        modules.into_iter().flatten().find_map(|module| {
            self.members(module, true).find_map(|(id, def)| {
                let DefKind::Enum(declared) = &def.kind else { return None };
                let index = declared.variants.iter().position(|variant| variant.name == name)?;
                Some((id, u32::try_from(index).ok()?))
            })
        })
    }
}
