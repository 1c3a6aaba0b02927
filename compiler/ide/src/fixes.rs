//! Changes that the compiler offers with its findings.

use std::sync::Arc;

use kait_compiler::Cache;
use kait_compiler::diagnostics::fixes::{self, Choice};
use kait_compiler::diagnostics::{Diagnostic, FileId, Span};
use kait_compiler::sources::Sources;
use rustc_hash::FxHashMap;

use crate::format::difference;
use crate::{Analysis, Overlay, TextEdit};

/// A change that mends a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeFix<'a> {
    /// What is mended.
    pub finding: &'a Diagnostic,
    /// What it does, in the imperative.
    pub title: &'a str,
    /// The edits, none overlapping; they may be in other files, never in std.
    pub edits: Vec<TextEdit>,
    /// Whether the result surely means what was meant.
    pub safe: bool,
}

/// Compilations that finding out whether the fixes of one place hold may take. Mostly it takes one.
const MAX_PROOFS: usize = 8;

impl Analysis {
    /// The fixes of the findings that touch a place, as safe as they say.
    #[must_use]
    pub fn fixes(&self, place: Span) -> Vec<CodeFix<'_>> {
        self.offered(place, &self.compilation.diagnostics)
    }

    /// The same, but none is safe that leaves what it is to mend, or brings errors that were not there. The results are
    /// compiled to find out, so this is for when somebody asks, not for each keystroke; at most eight times, after which
    /// nothing more is called safe.
    #[must_use]
    pub fn proven_fixes(&self, sources: &dyn Sources, place: Span) -> Vec<CodeFix<'_>> {
        let found = self.fixes(place);
        let source = self.source(place.file).filter(|_| found.iter().any(|fix| fix.safe));
        let Some(source) = source else { return found };
        let path = source.path.to_string();
        let (mut cache, mut left) = (Cache::new(), MAX_PROOFS);
        let compile = |text: &str| {
            left = left.checked_sub(1)?;
            let texts = FxHashMap::from_iter([(path.clone(), Arc::from(text))]);
            let sources = Overlay { base: sources, texts };
            let again = Self::with_cache(&sources, &[&path], &mut cache);
            Some((again.file(&path)?, again.compilation.diagnostics))
        };
        let mut proven = self.compilation.diagnostics.clone();
        let is_here = |finding: &Diagnostic| touch(finding.primary.span, place);
        fixes::prove_some(source.text(), place.file, &mut proven, is_here, compile);
        self.offered(place, &proven)
    }

    /// The fixes at a place; `judged` are the findings, with what is known of their fixes.
    fn offered(&self, place: Span, judged: &[Diagnostic]) -> Vec<CodeFix<'_>> {
        let findings = self.compilation.diagnostics.iter().zip(judged);
        findings
            .filter(|(finding, _)| {
                finding.primary.span.file == place.file && touch(finding.primary.span, place)
            })
            .flat_map(|(finding, judged)| {
                let fixes = finding.fixes.iter().zip(&judged.fixes);
                fixes.map(move |(fix, judged)| (finding, fix, judged.safe))
            })
            .filter(|(_, fix, _)| fix.edits.iter().all(|edit| !self.is_std(edit.span.file)))
            .map(|(finding, fix, safe)| CodeFix {
                finding,
                title: &fix.title,
                edits: fix
                    .edits
                    .iter()
                    .map(|edit| TextEdit::new(edit.span, edit.insert.as_str()))
                    .collect(),
                safe,
            })
            .collect()
    }

    /// The edits of all certain fixes of a file, applied until none is left: what `kait check --fix` does. Each result
    /// is compiled, and what makes it worse is left out.
    #[must_use]
    pub fn fix_all(&self, sources: &dyn Sources, file: FileId) -> Vec<TextEdit> {
        let Some(source) = self.source(file) else { return Vec::new() };
        let path = source.path.to_string();
        let findings = &self.compilation.diagnostics;
        let (text, _) =
            fixes::settle(source.text(), (file, findings), Choice::Safe, |text: &str| {
                let texts = FxHashMap::from_iter([(path.clone(), Arc::from(text))]);
                let again = Self::new(&Overlay { base: sources, texts }, &[&path]);
                Some((again.file(&path)?, again.compilation.diagnostics))
            });
        difference(file, source.text(), &text)
    }
}

/// Whether two places of a file meet, or end where the other begins.
fn touch(one: Span, other: Span) -> bool {
    one.start <= other.end && other.start <= one.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, snapshot, underlined, write_case};

    const CASES: &[(&str, &str)] = &[
        ("another language's operator", "fn f(a: bool, b: bool) -> bool {\n  a $0&& b\n}\n"),
        ("a similar name", "fn f(number: int) -> int {\n  nu$0mbr\n}\n"),
        ("elsewhere on the line", "fn f(a: bool, b: bool) -> bool {\n  $0a && b\n}\n"),
        (
            "an unused import",
            "use $0shop\n\nfn f() -> int {\n  1\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n",
        ),
        ("nothing", "fn f() -> int {\n  $01\n}\n"),
    ];

    #[test]
    fn fixes_at_a_place() {
        snapshot("fixes", CASES, |analysis, file, offset| {
            let found = analysis.fixes(Span::new(file, offset, offset));
            let mut out = String::new();
            for fix in found {
                out += &underlined(analysis, &[(fix.finding.primary.span, &fix.finding.message)]);
                let text = TextEdit::apply(analysis.source(file).unwrap().text(), &fix.edits);
                out +=
                    &format!("{}{}\n{text}", fix.title, if fix.safe { "" } else { " (a guess)" });
            }
            out
        });
    }

    /// The actions at the cursor, with what each makes of every file that it changes.
    fn across_files(text: &str) -> String {
        let case = case(text);
        let analysis = Analysis::new(&case.sources, &[&case.path]);
        let file = analysis.file(&case.path).unwrap();
        let mut out = String::new();
        for fix in analysis.fixes(Span::new(file, case.offset, case.offset)) {
            out += &format!("{}: {}\n", fix.finding.message, fix.title);
            let mut texts = FxHashMap::default();
            for (id, source) in analysis.compilation.files.iter() {
                let edits: Vec<TextEdit> =
                    fix.edits.iter().filter(|edit| edit.span.file == id).cloned().collect();
                if !edits.is_empty() {
                    let changed = TextEdit::apply(source.text(), &edits);
                    out += &format!("//- {}\n{changed}", source.path);
                    texts.insert(source.path.to_string(), Arc::from(changed));
                }
            }
            let after = Analysis::new(&Overlay { base: &case.sources, texts }, &[&case.path]);
            let left: Vec<_> =
                after.compilation.diagnostics.iter().map(|found| found.message.as_str()).collect();
            out += &format!("left: {left:?}\n");
        }
        out
    }

    #[test]
    fn repairs_across_files() {
        let cases = [
            (
                "what is not exported",
                "use shop\n\nfn f() -> int {\n  shop.$0one()\n}\n//- shop.kait\n/// Docs.\nfn one() -> int {\n  1\n}\n",
            ),
            (
                "a type that is not exported",
                "use shop\n\nfn f(order: shop.$0Order) -> int {\n  1\n}\n//- shop.kait\n// Why.\nrecord Order {\n  id: int\n}\n",
            ),
            (
                "a module that is not imported",
                "fn f() -> int {\n  $0orders.one()\n}\n//- shop/orders.kait\npub fn one() -> int {\n  1\n}\n",
            ),
            (
                "a module in a type",
                "use a\nuse z\n\nfn f(o: $0shop.Order) -> int {\n  a.one() + z.one()\n}\n//- shop.kait\npub record Order {\n  id: int\n}\n//- a.kait\npub fn one() -> int {\n  1\n}\n//- z.kait\npub fn one() -> int {\n  1\n}\n",
            ),
            (
                "two modules of one name",
                "fn f() -> int {\n  $0shop.one()\n}\n//- new/shop.kait\npub fn one() -> int {\n  1\n}\n//- old/shop.kait\npub fn one() -> int {\n  1\n}\n",
            ),
        ];
        let mut out = String::new();
        for (title, text) in cases {
            write_case(&mut out, title, text, &across_files(text));
        }
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("fixes_across_files", out);
        });
    }

    #[test]
    fn a_fix_that_does_not_hold_is_not_called_safe() {
        let case = case("fn f(a: bool, b: bool) -> bool {\n  $0a && b\n}\n");
        let mut analysis = Analysis::new(&case.sources, &[&case.path]);
        let place = analysis.compilation.diagnostics[0].primary.span;
        let safe = |analysis: &Analysis| {
            let fixes = analysis.proven_fixes(&case.sources, place);
            assert_eq!(fixes.len(), 1);
            fixes.iter().all(|fix| fix.safe)
        };
        assert!(safe(&analysis));
        for wrong in ["||", "and and", "&& "] {
            analysis.compilation.diagnostics[0].fixes[0].edits[0].insert = wrong.into();
            assert!(analysis.fixes(place)[0].safe, "it says so");
            assert!(!safe(&analysis), "{wrong}");
        }
    }

    #[test]
    fn diagnostics_of_one_file() {
        let cases = [
            ("places that matter", "fn f(n: int) -> int {\n  let n = 2\n  n\n}\n"),
            (
                "only its own",
                "use shop\n\nfn f() -> int {\n  shop.one()\n}\n//- shop.kait\npub fn one() -> int {\n  what\n}\n",
            ),
        ];
        snapshot("diagnostics", &cases, |analysis, file, _| {
            let mut out = String::new();
            for found in analysis.diagnostics(file) {
                out += &format!("{} {}\n", found.code, found.message);
                let mut places = vec![(found.primary.span, found.primary.text.as_str())];
                places.extend(found.labels.iter().map(|label| (label.span, label.text.as_str())));
                out += &underlined(analysis, &places);
            }
            out
        });
    }

    #[test]
    fn all_certain_fixes() {
        let text = "use shop\n\nfn f(able: bool, b: bool) -> bool {\n  able && b || abl\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n";
        let case = case(text);
        let analysis = Analysis::new(&case.sources, &[&case.path]);
        let file = analysis.file(&case.path).unwrap();
        let edits = analysis.fix_all(&case.sources, file);
        let mut out = String::new();
        let fixed = TextEdit::apply(analysis.source(file).unwrap().text(), &edits);
        write_case(&mut out, "what is certain is done, guesses are left", text, &fixed);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("fix_all", out);
        });
    }
}
