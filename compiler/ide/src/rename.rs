//! Renaming: every place of a name at once, or none with the reason.
//!
//! Whether a new name fits is not guessed from rules: the changed texts are compiled. If that finds a mistake that was
//! not there before, or if any of the places then means something else, the rename is refused in the compiler's words.

use std::sync::Arc;

use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::DefKind;
use kait_compiler::sources::Sources;
use kait_syntax::keywords;
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
                Some(word) => format!("it is not known what `{}` means here", word.text()),
                None => "there is no name here".to_owned(),
            }));
        };
        let name = self.name_of(symbol).unwrap_or_default();
        let refused = match symbol {
            Symbol::Module(module) if self.module(module).is_some_and(|module| module.is_std) => {
                Some(format!("`{name}` belongs to the standard library"))
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
        let (symbol, _) = self.renameable(file, offset)?;
        let from = self.name_of(symbol).unwrap_or_default();
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
            // The name of an import stands for the module, not for itself.
            if self.compilation.files.slice(span) == from {
                by_file.entry(span.file).or_default().push(TextEdit::new(span, to));
            }
        }
        let mut edits: Vec<(FileId, Vec<TextEdit>)> = by_file.into_iter().collect();
        edits.sort_unstable_by_key(|(file, _)| *file);
        self.verify(sources, from, to, &edits)?;
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

    /// Compiles the changed texts and compares.
    fn verify(
        &self,
        sources: &dyn Sources,
        from: &str,
        to: &str,
        edits: &[(FileId, Vec<TextEdit>)],
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
            Some(meaning) if after.uses(meaning).len() != places => Err(changed(from, to)),
            _ => Ok(()),
        }
    }
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
