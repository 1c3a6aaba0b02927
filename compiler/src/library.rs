//! The library as programs are held against it: what its leaves and functions are, whatever a file says of them.
//!
//! A compiled program repeats what it uses of the library: classes, resources, types, who must vouch for what. Whoever
//! edits a file can write anything there, so who loads one asks here. What a program declares itself is not the
//! library's to know.

use std::sync::OnceLock;

use kait_ir::trust::Known;
use kait_ir::types::{FieldType, Type, TypeId};
use kait_ir::{EffectClass, LeafDecl, Program};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::{SmolStr, format_smolstr};

use crate::Compilation;
use crate::check::ty::{Ty, TyKind};
use crate::hir::{Callable, CallableKind, DefId, DefKind, Field, TypeRef, TypeRefKind};
use crate::labels::word;
use crate::lower::{bound_of, class_of, primitive_of};
use crate::sources::MemorySources;

/// What this version's library declares.
pub struct Library {
    compiled: Compilation,
    /// By kind (`native` or `stable`) and locator.
    externs: FxHashMap<(bool, SmolStr), DefId>,
}

/// The library, read when it is first asked for.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(Library::read)
}

impl Library {
    fn read() -> Self {
        let uses = |name: &str| format!("use {name} as all_{name}\n");
        let modules = kait_stdlib::modules().iter().map(|(name, _)| *name);
        let root: String = modules.filter(|name| *name != kait_stdlib::PRELUDE).map(uses).collect();
        let sources = MemorySources::single("library.kait", root);
        let compiled = crate::compile(&sources, &["library.kait"]);
        let mut externs = FxHashMap::default();
        for (id, def) in (0u32..).map(DefId).zip(&compiled.hir.defs) {
            let is_std = compiled.hir.modules.get(def.module.index()).is_some_and(|m| m.is_std);
            let DefKind::Callable(Callable {
                kind: CallableKind::Extern { kind, locator }, ..
            }) = &def.kind
            else {
                continue;
            };
            if is_std && (kind == kait_stdlib::NATIVE || kind == kait_stdlib::STABLE) {
                externs.insert((kind == kait_stdlib::NATIVE, locator.clone()), id);
            }
        }
        Self { compiled, externs }
    }

    fn callable(&self, def: DefId) -> Option<&Callable> {
        match &self.compiled.hir.defs.get(def.index())?.kind {
            DefKind::Callable(callable) => Some(callable),
            _ => None,
        }
    }

    /// What its header says of trust, and what it makes its result of.
    fn known(&self, def: DefId, callable: &Callable) -> Known {
        let hir = &self.compiled.hir;
        let set = self.compiled.effects.of(def);
        let reaches = !set.reads().is_empty() || !set.writes().is_empty();
        let mut built = Vec::new();
        if !reaches {
            type_params(&callable.result, &mut built);
        }
        let made_of = |ty: &TypeRef| {
            let mut own = Vec::new();
            type_params(ty, &mut own);
            own.iter().any(|param| built.contains(param))
        };
        let moved: Vec<bool> = callable.params.iter().map(|param| made_of(&param.ty)).collect();
        Known {
            params: callable.params.iter().map(|param| word(hir, &param.ty)).collect(),
            result: word(hir, &callable.result),
            moves: moved.contains(&true).then_some(moved),
        }
    }

    fn qualified(&self, def: DefId) -> SmolStr {
        let hir = &self.compiled.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return SmolStr::default() };
        match hir.modules.get(declared.module.index()).map(|module| module.name.as_str()) {
            Some("" | kait_stdlib::PRELUDE) | None => declared.name.clone(),
            Some(module) => format_smolstr!("{module}.{}", declared.name),
        }
    }

    /// Whether the types of a call are those of a declaration, with some types for its parameters.
    fn fits(&self, program: &Program, def: DefId, params: &[TypeId], result: TypeId) -> bool {
        let Some(signature) = self.compiled.types.signature(def) else { return false };
        let mut matching = Matching { library: self, program, open: FxHashSet::default() };
        let mut subst = FxHashMap::default();
        signature.params.len() == params.len()
            && signature.params.iter().zip(params).all(|(ty, id)| matching.ty(*ty, *id, &mut subst))
            && matching.ty(signature.result, result, &mut subst)
    }
}

impl kait_ir::trust::Library for Library {
    fn leaf(&self, program: &Program, leaf: &LeafDecl) -> Result<Known, SmolStr> {
        let locator = &leaf.locator;
        let found = self.externs.get(&(true, locator.clone())).copied();
        let Some((def, callable)) = found.and_then(|def| Some((def, self.callable(def)?))) else {
            return Err(format_smolstr!("the library has no leaf `{locator}`"));
        };
        let name = self.qualified(def);
        if leaf.name != name {
            return Err(format_smolstr!(
                "it is called `{}`, but what it calls is `{name}` of the library",
                leaf.name
            ));
        }
        let effects = &self.compiled.effects;
        let set = effects.of(def);
        let keyed = callable
            .policies
            .iter()
            .any(|arg| arg.name.as_ref().is_some_and(|(name, _)| name == "key"));
        let class = class_of(set, keyed);
        if leaf.class != class {
            return Err(format_smolstr!(
                "it says that `{name}` {}; in the library it {}, and its calls wait accordingly",
                class_text(leaf.class),
                class_text(class)
            ));
        }
        let paths = |ids: &[kait_ir::ResourceId]| -> Vec<&str> {
            let path = |id: &kait_ir::ResourceId| program.resources.get(id.index());
            let mut all: Vec<&str> = ids.iter().filter_map(path).map(SmolStr::as_str).collect();
            all.sort_unstable();
            all
        };
        let declared = |all: &[crate::effects::Resource]| -> Vec<&str> {
            let mut all: Vec<&str> = all.iter().map(|one| effects.resources.path(*one)).collect();
            all.sort_unstable();
            all
        };
        let touched = [
            ("read", paths(&leaf.reads), declared(set.reads())),
            ("write", paths(&leaf.writes), declared(set.writes())),
        ];
        for (what, said, is) in touched {
            if said != is {
                let list = |all: &[&str]| {
                    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
                };
                return Err(format_smolstr!(
                    "it says that `{name}` {what}s {}; in the library it {what}s {}",
                    list(&said),
                    list(&is)
                ));
            }
        }
        let guarded = callable.needs.as_ref().is_some_and(|(word, _)| word == "approval");
        if leaf.guarded != guarded {
            let not = if guarded { "" } else { " not" };
            return Err(format_smolstr!("`{name}` does{not} need approval in the library"));
        }
        let known = self.known(def, callable);
        let words: Vec<_> = leaf.params.iter().map(|param| param.trust).collect();
        if let Some(at) = (0..words.len().max(known.params.len()))
            .find(|at| words.get(*at) != known.params.get(*at))
        {
            let param = callable.params.get(at).map_or("?", |param| param.name.as_str());
            return Err(format_smolstr!(
                "it says otherwise than the library who must vouch for `{param}` of `{name}`"
            ));
        }
        if leaf.trust != known.result {
            return Err(format_smolstr!(
                "it says otherwise than the library who vouches for what `{name}` gives"
            ));
        }
        let named = leaf.params.iter().zip(&callable.params);
        if named.into_iter().any(|(said, is)| said.name != is.name) {
            return Err(format_smolstr!("the parameters of `{name}` have other names"));
        }
        let params: Vec<TypeId> = leaf.params.iter().map(|param| param.ty).collect();
        if !self.fits(program, def, &params, leaf.result) {
            return Err(format_smolstr!("the types of `{name}` are not those of the library"));
        }
        Ok(known)
    }

    fn function(
        &self,
        program: &Program,
        name: &str,
        params: &[TypeId],
        result: TypeId,
    ) -> Result<Known, SmolStr> {
        let found = self.externs.get(&(false, SmolStr::new(name))).copied();
        let Some((def, callable)) = found.and_then(|def| Some((def, self.callable(def)?))) else {
            return Err(format_smolstr!("the library has no function `{name}`"));
        };
        if !self.fits(program, def, params, result) {
            return Err(format_smolstr!(
                "it calls `{name}` with types that are not those of the library"
            ));
        }
        Ok(self.known(def, callable))
    }
}

fn class_text(class: EffectClass) -> &'static str {
    match class {
        EffectClass::Read => "only reads",
        EffectClass::Write { keyed: false } => "writes",
        EffectClass::Write { keyed: true } => "writes with a key, so that it can be tried again",
        EffectClass::Emit => "shows something",
        EffectClass::Clock => "looks at the clock",
        EffectClass::Random => "gives random values",
        EffectClass::Model => "asks a model",
        EffectClass::Human => "asks a person",
    }
}

/// The type parameters that a written type is made of; what selectors name is not part of a value.
fn type_params(ty: &TypeRef, found: &mut Vec<u32>) {
    match &ty.kind {
        TypeRefKind::Param(index) => found.push(*index),
        TypeRefKind::List(inner) | TypeRefKind::Optional(inner) => type_params(inner, found),
        TypeRefKind::Map(key, value) => {
            type_params(key, found);
            type_params(value, found);
        }
        TypeRefKind::Named(_, args) => args.iter().for_each(|arg| type_params(arg, found)),
        TypeRefKind::Missing | TypeRefKind::Primitive(_) | TypeRefKind::Selector(..) => {}
    }
}

/// Holds types of a program against types of declarations.
struct Matching<'a> {
    library: &'a Library,
    program: &'a Program,
    /// Declarations that are being looked at, with what stands for them: they may contain themselves.
    open: FxHashSet<(DefId, TypeId)>,
}

/// What stands for type parameters, by their position.
type Subst = FxHashMap<u32, TypeId>;

impl Matching<'_> {
    /// Types of the library nest as deep as its declarations, and each pair is looked at once on a way.
    fn ty(&mut self, ty: Ty, id: TypeId, subst: &mut Subst) -> bool {
        let types = &self.library.compiled.types;
        let kind = types.interner.kind(ty);
        let found = self.program.types.get(id);
        match kind {
            TyKind::Error | TyKind::Never | TyKind::Var(_) => true,
            TyKind::Param(index) => match subst.get(index) {
                Some(known) => self.alike(*known, id),
                None => {
                    subst.insert(*index, id);
                    true
                }
            },
            // Bounds of an int may make it choose only; those of others are looked at where values are made.
            TyKind::Refined { base, bounds, .. } => {
                let Type::Refined { base: inner, bounds: said, .. } = found else {
                    return self.ty(*base, id, subst);
                };
                let is: Vec<_> = bounds.iter().filter_map(bound_of).collect();
                let is_int = *self.program.types.base(*inner) == Type::Int;
                (!is_int || *said == is) && self.ty(*base, *inner, subst)
            }
            TyKind::Optional(inner) => match found {
                Type::Optional(found) => self.ty(*inner, *found, subst),
                // `T?` where `T` is an optional, or `none`, is that.
                Type::None => true,
                _ => {
                    matches!(types.interner.kind(*inner), TyKind::Param(_))
                        && self.ty(*inner, id, subst)
                }
            },
            TyKind::Prim(prim) => {
                let wanted = primitive_of(*prim);
                match found {
                    Type::Refined { base, .. } if wanted != Type::Int => self.ty(ty, *base, subst),
                    found => *found == wanted,
                }
            }
            TyKind::List(inner) => match found {
                Type::List(found) => self.ty(*inner, *found, subst),
                Type::Refined { base, .. } => self.ty(ty, *base, subst),
                _ => false,
            },
            TyKind::Map(key, value) => match found {
                Type::Map(of, to) => self.ty(*key, *of, subst) && self.ty(*value, *to, subst),
                Type::Refined { base, .. } => self.ty(ty, *base, subst),
                _ => false,
            },
            TyKind::Selector(..) => *found == Type::Selector,
            TyKind::Named(def, args) => {
                let mut own = Subst::default();
                if !self.named(*def, found, id, &mut own) {
                    return false;
                }
                (0u32..).zip(args.iter()).all(|(index, arg)| match own.get(&index) {
                    Some(found) => self.ty(*arg, *found, subst),
                    None => true,
                })
            }
        }
    }

    /// What stands for the same parameter twice: `T` and `T?` may meet in one place.
    fn alike(&self, a: TypeId, b: TypeId) -> bool {
        let strip = |mut id: TypeId| {
            for _ in 0..64 {
                match self.program.types.get(id) {
                    Type::Optional(inner) => id = *inner,
                    // Bounds may be lost on the way, but not for an int that only chooses.
                    Type::Refined { base, .. } if *self.program.types.base(*base) != Type::Int => {
                        id = *base;
                    }
                    _ => break,
                }
            }
            id
        };
        strip(a) == strip(b)
    }

    fn named(&mut self, def: DefId, found: &Type, id: TypeId, own: &mut Subst) -> bool {
        if !self.open.insert((def, id)) {
            return true;
        }
        let library = self.library;
        let name = library.qualified(def);
        let is_named = |found: &str| {
            found
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('<'))
        };
        let types = &library.compiled.types;
        let declared = library.compiled.hir.defs.get(def.index()).map(|def| &def.kind);
        let fits = match (declared, found) {
            (Some(DefKind::Record(declared)), Type::Record(record)) => {
                let tys = types.fields(def).unwrap_or_default();
                is_named(&record.name) && self.fields(&declared.fields, tys, &record.fields, own)
            }
            (Some(DefKind::Enum(declared)), Type::Enum(made)) => {
                is_named(&made.name)
                    && declared.variants.len() == made.variants.len()
                    && (0u32..).zip(declared.variants.iter().zip(&made.variants)).all(
                        |(index, (declared, made))| {
                            let tys = types.variant(def, index).unwrap_or_default();
                            declared.name == made.name
                                && self.fields(&declared.fields, tys, &made.fields, own)
                        },
                    )
            }
            _ => false,
        };
        self.open.remove(&(def, id));
        fits
    }

    fn fields(
        &mut self,
        declared: &[Field],
        tys: &[Ty],
        made: &[FieldType],
        own: &mut Subst,
    ) -> bool {
        let hir = &self.library.compiled.hir;
        declared.len() == made.len()
            && declared.iter().zip(tys).zip(made).all(|((declared, ty), made)| {
                declared.name == made.name
                    && word(hir, &declared.ty) == made.trust
                    && self.ty(*ty, made.ty, own)
            })
    }
}

#[cfg(test)]
mod tests {
    use kait_ir::trust::check;

    use super::library;
    use crate::hir::DefId;
    use crate::sources::MemorySources;

    /// Leaves and functions with type parameters, optionals, bounds, and types of their own.
    const USES: &str = r#"
record Row {
  id: text
  size: int?
}

extern customer(mail: text) -> trusted text from process "crm"

model fast

prompt summary(page: text) -> Row {
  model fast
  user page
}

pub graph all(url: text, rows: [Row], sizes: [int?], by: [text: Row]) -> text {
  let page = web.fetch(url)
  let found: [Row] = csv.decode(page.body)
  let one = random.choice(rows) ?? fail "none"
  let first = list.first(list.sort(found, by: .id)) ?? one
  let pairs = list.zip(list.present(sizes), with: map.keys(by))
  let maybe = list.first(sizes)
  let kept: Row? = db.get(first.id, table: "rows")
  let sum = summary(page.body)
  clock.sleep(1s)
  mail.send(to: customer(page.body), subject: sum.id, body: "${pairs} ${maybe} ${kept}")
  mail.send(to: allow(page.url, only: ["a", "b"]), subject: "", body: page.body)
  file.write("out/${list.length(found)}.txt", content: json.encode(one))
  let text = loop last = "", n = 0 max 3 {
    if n > 1 {
      done(last)
    } else {
      next(last: file.read("a.txt"), n: n + 1)
    }
  } else {
    last
  }
  match try file.read(text) {
    Ok(read) => file.write("b.txt", content: read)
    Failed(why) => out.status("${why}")
  }
  first.id
}
"#;

    #[test]
    fn a_compiled_program_says_what_the_library_says() {
        let sources = MemorySources::single("main.kait", USES);
        let compiled = crate::compile(&sources, &["main.kait"]);
        assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
        let roots: Vec<DefId> = compiled.hir.modules[0].defs.to_vec();
        let program = compiled.lower_to_keep(&roots).unwrap().program;
        let trusted = check(&program, library());
        let trusted = trusted.map_err(|errors| {
            errors.iter().map(|error| error.in_words(&program)).collect::<Vec<_>>()
        });
        let (id, graph) = program.graph("all").unwrap();
        let vouched = trusted.unwrap();
        assert!(vouched.vouched(id).is_empty(), "{:?}", graph.params);
    }

    #[test]
    fn the_whole_library_is_known() {
        let all = kait_stdlib::modules().iter().map(|(_, source)| {
            source.matches("from native \"").count() + source.matches("from stable \"").count()
        });
        assert_eq!(library().externs.len(), all.sum::<usize>());
    }
}
