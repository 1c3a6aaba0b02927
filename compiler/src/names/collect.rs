//! Declarations of all modules into one table, and the names of each module into its scope.

use kait_syntax::ast::{self, Decl, Pattern};
use kait_syntax::{SyntaxKind, SyntaxToken, TextRange};
use smol_str::SmolStr;

use super::load::{Graph, Loaded, span_of};
use super::{Head, HeadKind, ImportedModule, ModuleHead, Names, Scope, head_kind};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Edit, Places, Span};
use crate::hir::{DefId, ModuleId};

pub(super) fn collect(graph: Graph, diagnostics: &mut Diagnostics) -> Names {
    let mut names = Names { std: graph.std, prelude: graph.prelude, ..Names::default() };
    for (index, loaded) in (0u32..).zip(&graph.modules) {
        let mut collector = Collector {
            module: ModuleId(index),
            loaded,
            names: &mut names,
            scope: Scope::default(),
            defs: Vec::new(),
            damage: Places::default(),
            diagnostics,
        };
        collector.run();
        let Collector { scope, defs, .. } = collector;
        names.scopes.push(scope);
        names.modules.push(ModuleHead {
            file: loaded.file,
            name: loaded.name.clone(),
            shown: loaded.shown.clone(),
            is_std: loaded.is_std,
            left_out: loaded.left_out.clone(),
            defs,
        });
    }
    names
}

struct Collector<'a> {
    module: ModuleId,
    loaded: &'a Loaded,
    names: &'a mut Names,
    scope: Scope,
    defs: Vec<DefId>,
    /// What of the file could not be read.
    damage: Places,
    diagnostics: &'a mut Diagnostics,
}

impl Collector<'_> {
    fn run(&mut self) {
        self.imports();
        let loaded = self.loaded;
        for range in &loaded.damage {
            self.damage.insert(self.span(*range));
        }
        for range in &loaded.damage {
            self.damaged_words(*range);
        }
        let Some(file) = ast::SourceFile::cast(loaded.tree.root()) else { return };
        self.scope.is_incomplete |= !loaded.damage.is_empty() && self.names_are_missing(file);
        for decl in file.decls() {
            if let Some(kind) = head_kind(decl) {
                self.decl(decl, kind);
            }
        }
    }

    /// Whether what is damaged may have declared a name that nobody can read any more.
    fn names_are_missing(&self, file: ast::SourceFile<'_>) -> bool {
        let damaged = |range: TextRange| self.damage.touch(self.span(range));
        // An error at the place of a name replaces the name.
        let replaced = |range: TextRange| {
            self.loaded
                .errors
                .iter()
                .any(|error| error.contains_range(range) || range.contains_range(*error))
        };
        // A text that is not closed may have swallowed declarations.
        let swallowed = |node: kait_syntax::SyntaxNode<'_>| {
            node.descendant_tokens()
                .any(|token| token.kind() == SyntaxKind::StrText && token.text().contains("\n}"))
        };
        file.syntax().children().any(|node| match Decl::cast(node) {
            None => true,
            Some(_) if !damaged(node.range()) => false,
            Some(Decl::Let(_) | Decl::Test(_) | Decl::Use(_)) => swallowed(node),
            Some(decl) => decl.name().is_none_or(|name| replaced(name.range())) || swallowed(node),
        })
    }

    fn imports(&mut self) {
        for import in &self.loaded.imports {
            let entry = ImportedModule {
                target: import.target,
                name_span: import.name_span,
                span: import.span,
            };
            if let Some(first) = self.scope.modules.get(&import.name) {
                let finding = Diagnostic::new(
                    Code::Duplicate,
                    import.name_span,
                    format!("two imports are called `{}`", import.name),
                )
                .label(first.name_span, "first declared here")
                .help("give one of them another name with `as`");
                self.diagnostics.push(finding);
                continue;
            }
            self.scope.modules.insert(import.name.clone(), entry);
        }
    }

    fn damaged_words(&mut self, range: TextRange) {
        let tree = &self.loaded.tree;
        // The range is that of a declaration or of an error; its tokens follow one another.
        let mut token = tree.token_at(range.start());
        while let Some(current) = token {
            if current.range().start() >= range.end() {
                break;
            }
            if matches!(current.kind(), SyntaxKind::Lid | SyntaxKind::Uid) {
                self.scope.damaged_words.insert(current.text().into());
            }
            token = current.next_token();
        }
    }

    fn span(&self, range: TextRange) -> Span {
        span_of(self.loaded.file, range)
    }

    fn decl(&mut self, decl: Decl<'_>, kind: HeadKind) {
        let range = decl.syntax().range();
        let damaged = self.damage.cover(self.span(range));
        let name = match decl {
            Decl::Let(decl) => self.const_name(decl),
            Decl::Test(decl) => decl.title().map(|title| {
                let text = title.constant().unwrap_or_default();
                (SmolStr::from(text), self.span(title.range()))
            }),
            _ => decl.name().map(|name| self.named(name)),
        };
        let (name, name_span) =
            name.unwrap_or_else(|| (SmolStr::default(), self.span(range).before()));
        let def = DefId(u32::try_from(self.names.heads.len()).unwrap_or(u32::MAX));
        let mut head = Head {
            module: self.module,
            kind,
            noun: match decl {
                Decl::Graph(_) => "a graph",
                Decl::Prompt(decl) if decl.is_agent() => "an agent",
                Decl::Prompt(_) => "a prompt",
                Decl::Extern(_) if !self.loaded.is_std => "an extern",
                _ => kind.noun(),
            },
            name: name.clone(),
            name_span,
            is_pub: decl.is_pub(),
            damaged,
            type_params: type_params(decl),
            variants: Vec::new(),
            node: decl.syntax().index(),
        };
        if let Decl::Enum(decl) = decl {
            self.variants(def, decl, &mut head);
        }
        self.names.heads.push(head);
        self.defs.push(def);
        if !name.is_empty() && kind != HeadKind::Test {
            self.enter(name, name_span, kind, def);
        }
    }

    fn named(&self, token: SyntaxToken<'_>) -> (SmolStr, Span) {
        (token.text().into(), self.span(token.range()))
    }

    /// A constant is one name: taking a value apart belongs into a block.
    fn const_name(&mut self, decl: ast::Let<'_>) -> Option<(SmolStr, Span)> {
        match decl.binder()? {
            Pattern::Name(pattern) => pattern.name().map(|name| self.named(name)),
            other => {
                let span = self.span(other.range());
                self.diagnostics.push(Diagnostic::not_supported(span, "taking a constant apart"));
                None
            }
        }
    }

    fn variants(&mut self, def: DefId, decl: ast::Enum<'_>, head: &mut Head) {
        let mut places: Vec<Span> = Vec::new();
        for variant in decl.variants() {
            let Some((name, span)) = variant.name().map(|name| self.named(name)) else { continue };
            // Those of this enum stand behind those of the enums above.
            let known = self.scope.variants.get(&name).and_then(|known| known.last());
            let known = known.filter(|(of, _)| *of == def).map(|(_, index)| *index as usize);
            if let Some(first) = known {
                let mut finding = Diagnostic::new(
                    Code::Duplicate,
                    span,
                    format!("the variant `{name}` is declared twice"),
                );
                if let Some(place) = places.get(first) {
                    finding = finding.label(*place, "first declared here");
                }
                self.diagnostics.push(finding);
                self.scope.is_incomplete = true;
            } else {
                let index = u32::try_from(head.variants.len()).unwrap_or(u32::MAX);
                self.scope.variants.entry(name.clone()).or_default().push((def, index));
            }
            // A variant that is declared twice keeps its index, so that indices are positions in the text.
            head.variants.push(name);
            places.push(span);
        }
    }

    fn enter(&mut self, name: SmolStr, span: Span, kind: HeadKind, def: DefId) {
        let table = if kind.is_type() { &mut self.scope.types } else { &mut self.scope.values };
        let first = match table.get(&name) {
            Some(first) => self.names.heads.get(first.index()).map(|head| head.name_span),
            None => {
                table.insert(name.clone(), def);
                self.scope.modules.get(&name).map(|import| import.name_span)
            }
        };
        if let Some(first) = first {
            self.scope.is_incomplete = true;
            let damaged = self.scope.damaged_words.contains(&name);
            let finding =
                Diagnostic::new(Code::Duplicate, span, format!("`{name}` is declared twice"))
                    .here("declared again here")
                    .label(first, "first declared here")
                    .help("give one of them another name");
            if !damaged {
                self.diagnostics.push(finding);
            }
        }
    }
}

fn type_params(decl: Decl<'_>) -> u32 {
    let params = match decl {
        Decl::Record(decl) => decl.type_params(),
        Decl::Enum(decl) => decl.type_params(),
        Decl::TypeAlias(decl) => decl.type_params(),
        Decl::Fn(decl) => decl.type_params(),
        Decl::Graph(decl) => decl.type_params(),
        Decl::Prompt(decl) => decl.type_params(),
        Decl::Extern(decl) => decl.type_params(),
        _ => None,
    };
    params.map_or(0, |params| u32::try_from(params.names().count()).unwrap_or(u32::MAX))
}

/// The edit that deletes a declaration with its line, if nothing else stands on it.
pub(crate) fn delete_line(text: &str, span: Span) -> Edit {
    let mut span = span;
    let rest = text.get(span.end as usize..).unwrap_or_default();
    let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    if rest.get(..line_end).is_some_and(|rest| rest.trim().is_empty()) {
        span.end += u32::try_from(line_end).unwrap_or(0);
    }
    Edit::new(span, "")
}
