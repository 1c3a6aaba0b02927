//! Renaming: every place of a name at once, or none with the reason.
//!
//! Whether a new name fits is not guessed from rules: the changed texts are compiled. If that finds a mistake that was
//! not there before, or if any of the places then means something else, the rename is refused in the compiler's words.

use std::sync::Arc;

use kait_compiler::check::ty::Prim;
use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::DefKind;
use kait_compiler::sources::Sources;
use kait_syntax::ast;
use kait_syntax::{SyntaxKind, SyntaxNode, SyntaxToken, keywords};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::{Analysis, Overlay, Symbol, TextEdit};

/// Most places that one rename changes.
pub const MAX_PLACES: usize = 100_000;

/// A rename that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Edits by file path.
    pub edits: Vec<(Arc<str>, Vec<TextEdit>)>,
}

/// Why a name cannot be changed, or not to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameRefused(pub String);

impl std::fmt::Display for RenameRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RenameRefused {}

impl Analysis {
    /// The name at an offset, if it can be renamed.
    ///
    /// # Errors
    /// [`RenameRefused`] with the reason.
    pub fn prepare_rename(&self, file: FileId, offset: u32) -> Result<Span, RenameRefused> {
        self.renameable(file, offset).map(|(_, span)| span)
    }

    fn renameable(&self, file: FileId, offset: u32) -> Result<(Symbol, Span), RenameRefused> {
        let Some((symbol, span)) = self.symbol_at(file, offset) else {
            let word = self.word_at(file, offset);
            return Err(RenameRefused(match word {
                Some(word) if keywords::word_kind(word.text()).is_reserved_word() => {
                    format!("`{}` is a word of the language", word.text())
                }
                Some(word) => unnamed(word),
                None => "there is no name here".to_owned(),
            }));
        };
        let name = self.name_of(symbol).unwrap_or_default();
        let aliased = self.import_of(symbol, file).filter(|decl| decl.alias().is_some());
        let refused = match symbol {
            // What a file calls a module is its own affair.
            Symbol::Module(_) if self.is_alias(symbol, span) => None,
            Symbol::Module(module) if self.module(module).is_some_and(|module| module.is_std) => {
                Some(format!("`{name}` belongs to the standard library"))
            }
            Symbol::Module(_) if aliased.is_some() => {
                Some(format!("`{name}` is a module: it has the name of its file; rename the file"))
            }
            Symbol::Module(_) => Some(format!(
                "`{name}` is a module: it has the name of its file; rename the file, or write \
                 `use {name} as …`"
            )),
            Symbol::Builtin(_) => Some(format!("`{name}` is a form of the language")),
            _ if self.declared_at(symbol).is_none_or(|place| self.is_std(place.file)) => {
                Some(format!("`{name}` belongs to the standard library"))
            }
            _ => None,
        };
        match refused {
            Some(why) => Err(RenameRefused(why)),
            None => Ok((symbol, span)),
        }
    }

    /// The `use` by which a file imports a module.
    fn import_of(&self, symbol: Symbol, file: FileId) -> Option<ast::Use<'_>> {
        let Symbol::Module(module) = symbol else { return None };
        let source = ast::SourceFile::cast(self.tree(file)?.root())?;
        source.decls().find_map(|decl| match decl {
            ast::Decl::Use(decl) => {
                let path = decl.path()?.to_text();
                (self.imported(file, &path) == Some(module)).then_some(decl)
            }
            _ => None,
        })
    }

    /// Whether a place has the name that its file gives a module by `as`, rather than the module's own.
    fn is_alias(&self, symbol: Symbol, place: Span) -> bool {
        let Some(decl) = self.import_of(symbol, place.file) else { return false };
        let Some(alias) = decl.alias() else { return false };
        let in_path = decl.path().is_some_and(|path| {
            path.syntax().range().contains_range(crate::analysis::range_of(place))
        });
        !in_path && self.compilation.files.slice(place) == alias.text()
    }

    /// The edits that give what the name at an offset means another name. `sources` are those that this analysis
    /// was made from; it should be one of the whole package, or other files keep the old name.
    ///
    /// # Errors
    /// [`RenameRefused`] with the reason.
    pub fn rename(
        &self,
        sources: &dyn Sources,
        file: FileId,
        offset: u32,
        to: &str,
    ) -> Result<Rename, RenameRefused> {
        let (symbol, place) = self.renameable(file, offset)?;
        let is_alias = matches!(symbol, Symbol::Module(_));
        let from = match is_alias {
            true => self.compilation.files.slice(place),
            false => self.name_of(symbol).unwrap_or_default(),
        };
        self.fits(symbol, to)?;
        if from == to {
            return Ok(Rename { edits: Vec::new() });
        }
        let mut by_file: FxHashMap<FileId, Vec<TextEdit>> = FxHashMap::default();
        for (count, (span, _)) in self.uses(symbol).into_iter().enumerate() {
            if count >= MAX_PLACES {
                return Err(RenameRefused(format!(
                    "`{from}` stands in more than {MAX_PLACES} places"
                )));
            }
            if is_alias && (span.file != file || !self.is_alias(symbol, span)) {
                continue;
            }
            // The name of an import stands for the module, not for itself.
            if self.compilation.files.slice(span) == from {
                by_file.entry(span.file).or_default().push(TextEdit::new(span, to));
            }
        }
        let mut edits: Vec<(FileId, Vec<TextEdit>)> = by_file.into_iter().collect();
        edits.sort_unstable_by_key(|(file, _)| *file);
        // A module has more names than the one that is changed.
        let all = is_alias.then(|| self.uses(symbol).len());
        self.verify(sources, (from, to), &edits, all)?;
        let edits = edits
            .into_iter()
            .filter_map(|(file, edits)| Some((Arc::clone(&self.source(file)?.path), edits)))
            .collect();
        Ok(Rename { edits })
    }

    /// Whether a word can be that kind of name at all.
    fn fits(&self, symbol: Symbol, to: &str) -> Result<(), RenameRefused> {
        let upper = match symbol {
            Symbol::Variant(..) | Symbol::TypeParam(..) => true,
            Symbol::Def(def) => self.def(def).is_some_and(|def| {
                matches!(
                    def.kind,
                    DefKind::Record(_) | DefKind::Enum(_) | DefKind::Alias(_) | DefKind::Session(_)
                )
            }),
            _ => false,
        };
        let first = to.chars().next().unwrap_or(' ');
        let shape = if upper {
            first.is_ascii_uppercase() && to.chars().all(|c| c.is_ascii_alphanumeric())
        } else {
            (first.is_ascii_lowercase() || first == '_')
                && to != "_"
                && to.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if !shape {
            let wanted = if upper {
                "a name that begins with an upper-case letter, then letters and digits, like `OrderLine`"
            } else {
                "a name of lower-case letters, digits and `_`, like `order_line`"
            };
            return Err(RenameRefused(format!("expected {wanted}, but found `{to}`")));
        }
        let is_field = matches!(symbol, Symbol::Field(..) | Symbol::Payload(..));
        if !is_field && keywords::word_kind(to).is_reserved_word() {
            return Err(RenameRefused(format!("`{to}` is a word of the language")));
        }
        Ok(())
    }

    /// Compiles the changed texts and compares. `all`: how many places mean it, if others than those that change do.
    fn verify(
        &self,
        sources: &dyn Sources,
        (from, to): (&str, &str),
        edits: &[(FileId, Vec<TextEdit>)],
        all: Option<usize>,
    ) -> Result<(), RenameRefused> {
        let mut texts: FxHashMap<String, Arc<str>> = FxHashMap::default();
        for (file, edits) in edits {
            let Some(source) = self.source(*file) else { continue };
            texts.insert(source.path.to_string(), TextEdit::apply(source.text(), edits).into());
        }
        let roots: Vec<&str> =
            self.roots().filter_map(|file| self.source(file)).map(|file| &*file.path).collect();
        let after = Self::new(&Overlay { base: sources, texts }, &roots);
        let mut known: FxHashMap<SmolStr, usize> = FxHashMap::default();
        for finding in &self.compilation.diagnostics {
            *known.entry(finding.code.as_str().into()).or_default() += 1;
        }
        for finding in &after.compilation.diagnostics {
            match known.get_mut(finding.code.as_str()) {
                Some(count) if *count > 0 => *count -= 1,
                _ => {
                    return Err(RenameRefused(format!(
                        "`{from}` cannot be called `{to}`: {}",
                        finding.message
                    )));
                }
            }
        }
        // Each place must mean the same as all others do, and nothing else may mean it.
        let width = i64::try_from(to.len()).unwrap_or(0) - i64::try_from(from.len()).unwrap_or(0);
        let mut meaning: Option<Symbol> = None;
        let mut places = 0usize;
        for (file, edits) in edits {
            let Some(path) = self.source(*file).map(|file| &file.path) else { continue };
            let Some(now) = after.file(path) else { continue };
            for (index, edit) in (0i64..).zip(edits) {
                let start = i64::from(edit.span.start) + index * width;
                let found = u32::try_from(start)
                    .ok()
                    .and_then(|start| after.index(now)?.at(start))
                    .map(|found| found.symbol);
                places += 1;
                if found.is_none() || meaning.is_some_and(|known| Some(known) != found) {
                    return Err(changed(from, to));
                }
                meaning = found;
            }
        }
        match meaning {
            Some(meaning) if after.uses(meaning).len() != all.unwrap_or(places) => {
                Err(changed(from, to))
            }
            _ => Ok(()),
        }
    }
}

/// Why a word cannot be renamed that stands for nothing that is declared.
fn unnamed(word: SyntaxToken<'_>) -> String {
    let text = word.text();
    let parent = word.parent();
    let in_type = parent.ancestors().take(2).any(|node| node.kind() == SyntaxKind::NamedType);
    if in_type && Prim::parse(text).is_some() {
        return format!("`{text}` is a type of the language");
    }
    let above = || parent.ancestors().skip(1).take(2).map(SyntaxNode::kind);
    if parent.kind() == SyntaxKind::Arg {
        if above().any(|kind| kind == SyntaxKind::Policies) {
            return format!("`{text}` is a policy: a word of the language");
        }
        if above().any(|kind| kind == SyntaxKind::Where) {
            return format!("`{text}` is a bound: a word of the language");
        }
    }
    format!("it is not known what `{text}` means here")
}

fn changed(from: &str, to: &str) -> RenameRefused {
    RenameRefused(format!(
        "`{from}` cannot be called `{to}`: another name of the program would change its meaning"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, snapshot, underlined, write_case};

    #[test]
    fn prepare() {
        let cases = [
            ("a local", "fn f() -> int {\n  let $0n = 1\n  n\n}\n"),
            ("at the end of the word", "fn f() -> int {\n  let number$0 = 1\n  number\n}\n"),
            ("a std function", "fn f(s: text) -> text {\n  text.$0trim(s)\n}\n"),
            ("a std module", "fn f(s: text) -> text {\n  $0text.trim(s)\n}\n"),
            ("a std variant", "fn f() -> Result<int> {\n  $0Ok(value: 1)\n}\n"),
            (
                "a module",
                "use $0shop\n\nfn f() -> int {\n  shop.one()\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n",
            ),
            (
                "what a module is called here",
                "use shop as s\n\nfn f() -> int {\n  $0s.one()\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n",
            ),
            (
                "a module that is called otherwise here",
                "use $0shop as s\n\nfn f() -> int {\n  s.one()\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n",
            ),
            ("a primitive type", "fn f(n: $0int) -> int {\n  n\n}\n"),
            ("a policy", "graph f() -> text {\n  file.read(\"a\") with ($0retry: 2)\n}\n"),
            ("a bound", "type Id = text where ($0min_len: 2)\n"),
            ("a word of the language", "fn f() -> int {\n  $0let n = 1\n  n\n}\n"),
            ("an unknown name", "fn f() -> int {\n  $0what\n}\n"),
            ("no name", "fn f() -> int {\n  1 $0+ 1\n}\n"),
            (
                "a form",
                "graph g() -> none {\n  out.status(\"a\")\n}\n\ntest \"t\" {\n  expect $0calls(g) == 0\n}\n",
            ),
        ];
        snapshot("prepare_rename", &cases, |analysis, file, offset| {
            match analysis.prepare_rename(file, offset) {
                Ok(span) => underlined(analysis, &[(span, "")]),
                Err(refused) => format!("refused: {refused}"),
            }
        });
    }

    #[test]
    fn rename() {
        let cases = [
            (
                "a local, in templates too",
                "m",
                "fn f() -> text {\n  let $0n = 1\n  \"n ${n} ${n + 1}\"\n}\n",
            ),
            (
                "a parameter with named arguments",
                "count",
                "fn f($0n: int) -> int {\n  n\n}\n\nfn g() -> int {\n  f(n: 1) + f(2)\n}\n",
            ),
            (
                "a field, with selectors and patterns",
                "title",
                "record R {\n  $0name: text\n}\n\nfn f(rs: [R]) -> [R] {\n  for R(name: n) in list.sort(rs, by: .name) { R(name: n) }\n}\n",
            ),
            (
                "the event of a trigger",
                "file_event",
                "trigger noted on file.changed(\"notes\", glob: \"*.md\") as change: file.Change with (overlap: Queue) {\n  out.status($0change.path)\n}\n",
            ),
            (
                "a trigger that a test calls",
                "indexed",
                "trigger $0noted on file.changed(\"notes\", glob: \"*.md\") as change: file.Change with (overlap: Queue) {\n  out.status(change.path)\n}\n\ntest \"t\" {\n  noted(file.Change(path: \"a\", hash: none, kind: Created))\n}\n",
            ),
            (
                "a field of a session",
                "count",
                "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Chat {\n  session.save(turns: session.turns + 1)\n  session.tu$0rns\n}\n",
            ),
            (
                "a session",
                "Talk",
                "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Ch$0at {\n  session.save(turns: session.turns + 1)\n  session.turns\n}\n",
            ),
            (
                "a record",
                "Note",
                "record $0R {\n  a: int\n}\n\nfn f(r: R?) -> [R] {\n  [r ?? R(a: 1)]\n}\n",
            ),
            (
                "a variant",
                "Yes",
                "enum E {\n  $0A(x: int)\n  B\n}\n\nfn f(e: E) -> E {\n  match e {\n    A(x) => E.A(x: x)\n    B => A(x: 1)\n  }\n}\n",
            ),
            (
                "a loop variable",
                "round",
                "fn f() -> int {\n  loop $0n = 0 max 3 {\n    if n > 1 { done n }\n    next(n: n + 1)\n  } else {\n    n\n  }\n}\n",
            ),
            ("a type parameter", "Item", "record Box<$0T> {\n  value: T\n}\n"),
            (
                "in other files",
                "cost",
                "use shop\n\nfn f(o: shop.Order) -> int {\n  o.price\n}\n//- shop.kait\npub record Order {\n  $0price: int\n}\n//- other.kait\nuse shop\n\nfn free() -> shop.Order {\n  shop.Order(price: 0)\n}\n",
            ),
            (
                "a function that is stubbed",
                "load",
                "graph $0fetch(p: text) -> text {\n  file.read(p)\n}\n\ngraph g() -> text {\n  fetch(\"a\")\n}\n\ntest \"t\" {\n  stub fetch(p: _) => \"b\"\n  expect g() == \"b\"\n  expect calls(fetch) == 1\n}\n",
            ),
            (
                "a bound names the parameter",
                "most",
                "fn f(xs: [int], $0n: int) -> [int] where (max: n) {\n  list.take(xs, n)\n}\n",
            ),
            (
                "what a module is called here",
                "t",
                "use shop.s as s\n\nfn f(o: s.Order) -> int {\n  $0s.one()\n}\n//- shop/s.kait\npub fn one() -> int {\n  1\n}\n\npub record Order {\n  price: int\n}\n//- other.kait\nuse shop.s as s\n\nfn two() -> int {\n  s.one()\n}\n",
            ),
            (
                "what a module is called here, to what another is called",
                "t",
                "use shop as $0s\nuse other as t\n\nfn f() -> int {\n  s.one() + t.one()\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n//- other.kait\npub fn one() -> int {\n  1\n}\n",
            ),
            ("to a taken name", "b", "fn f() -> int {\n  let $0a = 1\n  let b = 2\n  a + b\n}\n"),
            (
                "to a name of the file",
                "g",
                "fn f() -> int {\n  let $0a = 1\n  a\n}\n\nfn g() -> int {\n  f()\n}\n",
            ),
            ("to a word of the language", "match", "fn f() -> int {\n  let $0a = 1\n  a\n}\n"),
            ("to the wrong case", "Abc", "fn f() -> int {\n  let $0a = 1\n  a\n}\n"),
            ("to the same name", "a", "fn f() -> int {\n  let $0a = 1\n  a\n}\n"),
            (
                "a variant that others have",
                "Ok",
                "enum E {\n  $0Fine\n  B\n}\n\nfn f(r: Result<int>) -> bool {\n  r is Ok\n}\n",
            ),
            (
                "in a file with mistakes",
                "m",
                "fn f() -> int {\n  let $0n = 1\n  n + what\n}\n\nfn broken( {\n",
            ),
        ];
        let mut out = String::new();
        for (title, to, text) in cases {
            let case = case(text);
            let analysis = Analysis::of_package(&case.sources, &case.path);
            let file = analysis.file(&case.path).unwrap();
            let answer = match analysis.rename(&case.sources, file, case.offset, to) {
                Ok(rename) => rename
                    .edits
                    .iter()
                    .map(|(path, edits)| {
                        let file = analysis.file(path).unwrap();
                        let text = TextEdit::apply(analysis.source(file).unwrap().text(), edits);
                        format!("{path}: {} places\n{text}", edits.len())
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
                Err(refused) => format!("refused: {refused}"),
            };
            write_case(&mut out, &format!("{title} → {to}"), text, &answer);
        }
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("rename", out);
        });
    }
}
