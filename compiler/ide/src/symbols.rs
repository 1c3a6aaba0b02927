//! What a file declares, as a tree; what all files declare, by name.

use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::{CallableKind, Def, DefId, DefKind, Field};

use crate::Analysis;
use crate::symbol::squeeze;

/// Most names that a search gives.
pub const MAX_FOUND: usize = 512;

/// A declaration, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Its name; a test's title.
    pub name: String,
    /// Its type or parameters, on one line.
    pub detail: String,
    /// What it is.
    pub kind: OutlineKind,
    /// The whole of it.
    pub span: Span,
    /// Its name's place.
    pub name_span: Span,
    /// Fields and variants.
    pub children: Vec<Outline>,
}

/// What a declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the language's word for it")]
pub enum OutlineKind {
    Const,
    Record,
    Enum,
    Variant,
    Field,
    Alias,
    Model,
    Secret,
    Fn,
    Graph,
    Prompt,
    Agent,
    Extern,
    Session,
    Trigger,
    Test,
}

/// A declaration that was searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceSymbol {
    /// Its name.
    pub name: String,
    /// The module that declares it.
    pub module: String,
    /// What it is.
    pub kind: OutlineKind,
    /// Its name's place.
    pub span: Span,
}

impl Analysis {
    /// The declarations of a file, in the order of the text.
    #[must_use]
    pub fn outline(&self, file: FileId) -> Vec<Outline> {
        let Some(module) = self.module_of(file).and_then(|module| self.module(module)) else {
            return Vec::new();
        };
        module
            .defs
            .iter()
            .filter_map(|id| Some((*id, self.def(*id)?)))
            .filter(|(_, def)| !def.name.is_empty())
            .map(|(id, def)| self.outline_of(id, def))
            .collect()
    }

    /// The declarations of all files outside of std whose names hold the letters of `query` in this order, in either
    /// case; at most [`MAX_FOUND`], names that begin with it first.
    #[must_use]
    pub fn search(&self, query: &str) -> Vec<WorkspaceSymbol> {
        let wanted = query.to_lowercase();
        let mut found = Vec::new();
        for module in self.hir().modules.iter().filter(|module| !module.is_std) {
            let title = self.module_of(module.file).and_then(|module| self.module_title(module));
            for def in module.defs.iter().filter_map(|id| self.def(*id)) {
                let name = def.name.to_lowercase();
                if def.name.is_empty() || !holds(&name, &wanted) {
                    continue;
                }
                found.push((
                    !name.starts_with(&wanted),
                    WorkspaceSymbol {
                        name: def.name.to_string(),
                        module: title.clone().unwrap_or_default(),
                        kind: kind_of(def),
                        span: def.name_span,
                    },
                ));
            }
        }
        found.sort_by(|(a, x), (b, y)| (a, &x.name).cmp(&(b, &y.name)));
        found.truncate(MAX_FOUND);
        found.into_iter().map(|(_, symbol)| symbol).collect()
    }

    fn outline_of(&self, id: DefId, def: &Def) -> Outline {
        let text = |span| squeeze(self.compilation.files.slice(span));
        let field = |field: &Field| Outline {
            name: field.name.to_string(),
            detail: text(field.ty.span),
            kind: OutlineKind::Field,
            span: field.span.to(field.ty.span),
            name_span: field.span,
            children: Vec::new(),
        };
        let (detail, children) = match &def.kind {
            DefKind::Const { .. } => {
                let ty = self.compilation.types.constant(id);
                (ty.map(|ty| self.show(ty, id)).unwrap_or_default(), Vec::new())
            }
            DefKind::Record(record) | DefKind::Session(record) => {
                (String::new(), record.fields.iter().map(field).collect())
            }
            DefKind::Enum(declared) => {
                let variant = |variant: &kait_compiler::hir::Variant| {
                    let end = variant.fields.last().map_or(variant.span, |last| last.ty.span);
                    Outline {
                        name: variant.name.to_string(),
                        detail: String::new(),
                        kind: OutlineKind::Variant,
                        span: variant.span.to(end),
                        name_span: self.variant_name(variant),
                        children: variant.fields.iter().map(field).collect(),
                    }
                };
                (String::new(), declared.variants.iter().map(variant).collect())
            }
            DefKind::Alias(alias) => (text(alias.ty.span), Vec::new()),
            DefKind::Callable(callable) => {
                let params: Vec<String> = callable
                    .params
                    .iter()
                    .map(|param| format!("{}: {}", param.name, text(param.ty.span)))
                    .collect();
                let params = params.join(", ");
                let detail = match callable.kind {
                    CallableKind::Trigger => format!("({params})"),
                    _ => format!("({params}) -> {}", text(callable.result.span)),
                };
                (detail, Vec::new())
            }
            DefKind::Model { .. } | DefKind::Secret | DefKind::Test(_) => Default::default(),
        };
        Outline {
            name: def.name.to_string(),
            detail,
            kind: kind_of(def),
            span: def.span.to(def.name_span),
            name_span: def.name_span,
            children,
        }
    }
}

pub(crate) fn kind_of(def: &Def) -> OutlineKind {
    match &def.kind {
        DefKind::Const { .. } => OutlineKind::Const,
        DefKind::Record(_) => OutlineKind::Record,
        DefKind::Enum(_) => OutlineKind::Enum,
        DefKind::Alias(_) => OutlineKind::Alias,
        DefKind::Model { .. } => OutlineKind::Model,
        DefKind::Secret => OutlineKind::Secret,
        DefKind::Session(_) => OutlineKind::Session,
        DefKind::Test(_) => OutlineKind::Test,
        DefKind::Callable(callable) => match callable.kind {
            CallableKind::Fn => OutlineKind::Fn,
            CallableKind::Graph => OutlineKind::Graph,
            CallableKind::Prompt => OutlineKind::Prompt,
            CallableKind::Agent => OutlineKind::Agent,
            CallableKind::Trigger => OutlineKind::Trigger,
            CallableKind::Extern { .. } => OutlineKind::Extern,
        },
    }
}

/// Whether a name holds these letters in this order.
pub(crate) fn holds(name: &str, wanted: &str) -> bool {
    let mut letters = name.chars();
    wanted.chars().all(|letter| letters.any(|c| c == letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, snapshot};

    fn draw(outline: &[Outline], depth: usize, out: &mut String) {
        for one in outline {
            let detail =
                if one.detail.is_empty() { String::new() } else { format!("  {}", one.detail) };
            out.push_str(&format!("{}{:?} {}{detail}\n", "  ".repeat(depth), one.kind, one.name));
            draw(&one.children, depth + 1, out);
        }
    }

    #[test]
    fn outline() {
        snapshot(
            "outline",
            &[
                (
                    "every kind",
                    "model fast\n\nlet limit = 3\n\nrecord R {\n  a: int\n  b: [text]\n}\n\nenum E {\n  A\n  B(x: int)\n}\n\ntype Id = text where (min_len: 1)\n\nfn f(n: int, m: int = 2) -> int {\n  n + m\n}\n\nprompt p(t: text) -> text {\n  model fast\n  user t\n}\n\ngraph g(t: text) -> text {\n  p(t)\n}\n\ntest \"it works\" {\n  expect f(1) == 3\n}\n",
                ),
                (
                    "a session and a trigger",
                    "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Chat {\n  session.save(turns: session.turns + 1)\n  session.turns\n}\n\ntrigger noted on file.changed(\"notes\", glob: \"*.md\") as change: file.Change with (overlap: Queue) {\n  out.status(change.path)\n}\n",
                ),
                (
                    "broken",
                    "fn f( -> {\n\nrecord R {\n  a: \n  b: int\n}\n\nfn g() -> int {\n  1\n}\n",
                ),
            ],
            |analysis, file, _| {
                let mut out = String::new();
                draw(&analysis.outline(file), 0, &mut out);
                out
            },
        );
    }

    #[test]
    fn spans_hold_their_names() {
        let case = case("enum E {\n  A\n  B(x: int)\n}\n\nfn f() -> int {\n  1\n}\n");
        let analysis = Analysis::new(&case.sources, &[&case.path]);
        fn check(outline: &[Outline]) {
            for one in outline {
                assert!(one.span.contains(one.name_span), "{one:?}");
                assert!(one.children.iter().all(|child| one.span.contains(child.span)), "{one:?}");
                check(&one.children);
            }
        }
        check(&analysis.outline(analysis.file(&case.path).unwrap()));
    }

    #[test]
    fn searching() {
        let case = case(
            "use b\n\nfn total_price() -> int {\n  b.price()\n}\n//- b.kait\npub fn price() -> int {\n  1\n}\n",
        );
        let analysis = Analysis::of_package(&case.sources, &case.path);
        let names = |query: &str| {
            let found = analysis.search(query);
            found.iter().map(|one| format!("{}.{}", one.module, one.name)).collect::<Vec<_>>()
        };
        assert_eq!(names("price"), ["b.price", "main.total_price"]);
        assert_eq!(names("TPR"), ["main.total_price"]);
        assert_eq!(names("").len(), 2);
        assert_eq!(names("trim"), [""; 0]);
    }
}
