//! All places of a name: in a file, or in every file of an analysis.

use kait_compiler::diagnostics::{FileId, Span};

use crate::{Analysis, Symbol};

/// A place of a name in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// The name.
    pub span: Span,
    /// How it is used there.
    pub kind: HighlightKind,
}

/// How a name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HighlightKind {
    /// It is introduced.
    Write,
    /// It is used.
    Read,
}

impl Analysis {
    /// All places in the analysed files (std aside) that mean what the name at an offset means, by file and place.
    /// Only an analysis of the whole package ([`Analysis::of_package`]) knows the files that import this one.
    #[must_use]
    pub fn references(&self, file: FileId, offset: u32, declaration: bool) -> Vec<Span> {
        let Some((symbol, _)) = self.symbol_at(file, offset) else { return Vec::new() };
        self.uses(symbol)
            .into_iter()
            .filter(|(_, declares)| declaration || !declares)
            .map(|(span, _)| span)
            .collect()
    }

    /// The places of the name at an offset in its own file.
    #[must_use]
    pub fn highlights(&self, file: FileId, offset: u32) -> Vec<Highlight> {
        let Some((symbol, _)) = self.symbol_at(file, offset) else { return Vec::new() };
        let Some(index) = self.index(file) else { return Vec::new() };
        index
            .iter()
            .filter(|found| found.symbol == symbol)
            .map(|found| Highlight {
                span: Span::new(file, found.start, found.end),
                kind: if found.declares { HighlightKind::Write } else { HighlightKind::Read },
            })
            .collect()
    }

    /// All places of a symbol outside of std, and whether each introduces it.
    pub(crate) fn uses(&self, symbol: Symbol) -> Vec<(Span, bool)> {
        let mut out = Vec::new();
        for (file, _) in self.compilation.files.iter().filter(|(file, _)| !self.is_std(*file)) {
            let Some(index) = self.index(file) else { continue };
            for found in index.iter().filter(|found| found.symbol == symbol) {
                out.push((Span::new(file, found.start, found.end), found.declares));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, snapshot, underlined, write_case};

    #[test]
    fn highlights() {
        let cases = [
            ("a local", "fn f(n: int) -> int {\n  let $0m = n\n  m + m\n}\n"),
            (
                "a parameter and its arguments",
                "fn f($0n: int) -> int {\n  n\n}\n\nfn g() -> int {\n  f(n: 1)\n}\n",
            ),
            (
                "alternatives bind one name",
                "enum E {\n  A(x: int)\n  B(x: int)\n}\n\nfn f(e: E) -> int {\n  match e {\n    A(x) | B(x) => $0x\n  }\n}\n",
            ),
            (
                "a loop variable",
                "fn f() -> int {\n  loop $0n = 0 max 3 {\n    if n > 1 { done n }\n    next(n: n + 1)\n  } else {\n    n\n  }\n}\n",
            ),
            (
                "a field",
                "record R {\n  a: int\n}\n\nfn f(r: R) -> R {\n  R(..r, a: r.$0a + 1)\n}\n",
            ),
            (
                "a payload",
                "enum E {\n  A(x: int)\n}\n\nfn f(e: E) -> int {\n  match e {\n    A($0x: y) => y\n  }\n}\n",
            ),
            ("a type parameter", "record Pairs<A, B> {\n  xs: [$0A]\n  ys: [B]\n  zs: [A: B]\n}\n"),
            (
                "other names of the same word",
                "record R {\n  n: int\n}\n\nfn f($0n: int) -> R {\n  R(n: n)\n}\n",
            ),
            ("nothing", "fn f() -> int {\n  $01\n}\n"),
        ];
        snapshot("highlights", &cases, |analysis, file, offset| {
            let found = analysis.highlights(file, offset);
            let places: Vec<_> = found
                .iter()
                .map(|one| {
                    (one.span, if one.kind == HighlightKind::Write { "introduced" } else { "" })
                })
                .collect();
            underlined(analysis, &places)
        });
    }

    #[test]
    fn references_across_files() {
        let text = "\
use shop

fn total(orders: [shop.Order]) -> int {
  math.sum(for o in orders { o.price })
}
//- shop.kait
pub record Order {
  $0price: int
}

pub fn cheap(o: Order) -> bool {
  o.price < 10
}
//- other.kait
use shop

fn free() -> shop.Order {
  shop.Order(price: 0)
}
";
        let case = case(text);
        let analysis = Analysis::of_package(&case.sources, &case.path);
        let file = analysis.file(&case.path).unwrap();
        let all = analysis.references(file, case.offset, true);
        let places: Vec<_> = all.iter().map(|span| (*span, "")).collect();
        let mut out = String::new();
        write_case(&mut out, "a field in three files", text, &underlined(&analysis, &places));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("references", out);
        });
        assert_eq!(analysis.references(file, case.offset, false).len(), all.len() - 1);
    }
}
