//! What the name under the cursor means: its declaration, effects and documentation, as Markdown.

use kait_compiler::check::ty::Prim;
use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::lower::Wait;
use kait_syntax::SyntaxKind;

use crate::{Analysis, Symbol};

/// What to show beside a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The name.
    pub span: Span,
    /// Markdown.
    pub markdown: String,
}

impl Analysis {
    /// What there is to say about the name at an offset.
    #[must_use]
    pub fn hover(&self, file: FileId, offset: u32) -> Option<Hover> {
        if let Some((symbol, span)) = self.symbol_at(file, offset) {
            let mut markdown = self.describe(symbol)?;
            if let Some(wait) = self.wait_of(span) {
                markdown.push_str(&format!("\n\n*Waits here until it is finished*: {}", wait.why));
            }
            return Some(Hover { span, markdown });
        }
        let word = self.word_at(file, offset)?;
        let range = word.range();
        let span = crate::analysis::span_of(file, range);
        let is_type = word.parent().kind() == SyntaxKind::Path
            || word.parent().kind() == SyntaxKind::NamedType
            || word.parent().kind() == SyntaxKind::NoneType;
        if is_type && let Some(prim) = Prim::parse(word.text()) {
            let markdown = format!("```kait\n{}\n```\n\n{}", prim.as_str(), primitive_docs(prim));
            return Some(Hover { span, markdown });
        }
        let word = keyword(word.text())?;
        let markdown = format!("```kait\n{}\n```\n\n{}", word.form, word.docs);
        Some(Hover { span, markdown })
    }

    /// What waits for the value that a name stands for, or that the call of it gives.
    fn wait_of(&self, name: Span) -> Option<&Wait> {
        let text = self.source(name.file)?.text();
        let heads = |wait: &&Wait| {
            let before = text.get(wait.span.start as usize..name.start as usize);
            wait.span.contains(name) && before.is_some_and(|before| !before.contains('('))
        };
        self.waits().iter().find(heads)
    }

    /// A symbol's declaration, effects, what must be trusted, and documentation, as Markdown.
    #[must_use]
    pub fn describe(&self, symbol: Symbol) -> Option<String> {
        let mut text = format!("```kait\n{}\n```", self.headline(symbol)?);
        if let Symbol::Def(def) = symbol
            && let Some(effects) = self.effects_text(def)
        {
            text.push_str(&format!("\n\nEffects: `{effects}`"));
        }
        if let Symbol::Def(def) = symbol
            && let Some(names) = self.vouched_text(def)
        {
            text.push_str(&format!("\n\nMust be trusted: `{names}`"));
        }
        if let Some(docs) = self.docs_of(symbol) {
            text.push_str("\n\n");
            text.push_str(&docs);
        }
        Some(text)
    }
}

/// The entry of a word that the language reserves, or that begins a declaration or a clause: first what it does where
/// it stands most, then the rest.
fn keyword(name: &str) -> Option<&'static kait_stdlib::Word> {
    const KINDS: [&str; 7] =
        ["expression", "declaration", "prompt item", "in tests", "clause", "qualifier", "policy"];
    KINDS.iter().find_map(|kind| {
        kait_stdlib::language().iter().find(|w| w.kind == *kind && w.names.contains(&name))
    })
}

/// What a primitive type holds, from the table of the language's words.
pub(crate) fn primitive_docs(prim: Prim) -> &'static str {
    word_docs("type", prim.as_str()).unwrap_or_default()
}

/// What a word of the language means.
pub(crate) fn word_docs(kind: &str, name: &str) -> Option<&'static str> {
    let mut words = kait_stdlib::language().iter();
    words.find(|word| word.kind == kind && word.names.contains(&name)).map(|word| word.docs)
}

#[cfg(test)]
mod tests {
    use crate::testing::snapshot;

    #[test]
    fn hover() {
        snapshot(
            "hover",
            &[
                ("a local", "fn f(xs: [int]) -> int {\n  let n = list.length(xs)\n  $0n + 1\n}\n"),
                (
                    "a parameter with docs",
                    "fn f(\n  /// What to say.\n  words: text,\n) -> text {\n  wor$0ds\n}\n",
                ),
                (
                    "a trigger",
                    "trigger $0noted on file.changed(\"notes\", glob: \"*.md\") as change: file.Change with (overlap: Queue) {\n  out.status(change.path)\n}\n",
                ),
                (
                    "the source of a trigger",
                    "trigger noted on file.ch$0anged(\"notes\", glob: \"*.md\") as change: file.Change with (overlap: Queue) {\n  out.status(change.path)\n}\n",
                ),
                (
                    "the event of a trigger",
                    "trigger noted on file.changed(\"notes\", glob: \"*.md\") as change: file.Change with (overlap: Queue) {\n  out.status(cha$0nge.path)\n}\n",
                ),
                (
                    "a graph of a session",
                    "session Chat {\n  turns: int = 0\n}\n\ngraph $0f() -> int in Chat {\n  session.save(turns: session.turns + 1)\n  session.turns\n}\n",
                ),
                (
                    "a field of a session",
                    "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Chat {\n  session.save(turns: session.turns + 1)\n  session.tu$0rns\n}\n",
                ),
                (
                    "a field that is saved",
                    "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Chat {\n  session.save(tur$0ns: session.turns + 1)\n  session.turns\n}\n",
                ),
                (
                    "saving a session",
                    "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Chat {\n  session.sa$0ve(turns: session.turns + 1)\n  session.turns\n}\n",
                ),
                (
                    "the session of a graph",
                    "session Chat {\n  turns: int = 0\n}\n\ngraph f() -> int in Ch$0at {\n  session.save(turns: session.turns + 1)\n  session.turns\n}\n",
                ),
                ("a std function", "fn f(s: text) -> text {\n  text.tr$0im(s)\n}\n"),
                ("a std module", "fn f(s: text) -> text {\n  te$0xt.trim(s)\n}\n"),
                (
                    "a graph, with its effects",
                    "/// Greets.\npub graph hello(name: text) -> text does read file {\n  file.read(name)\n}\n\ngraph g() -> text {\n  he$0llo(\"a\")\n}\n",
                ),
                (
                    "a graph whose parameter must be trusted",
                    "graph hello(name: text, folder: text) -> none {\n  file.write(folder, content: name)\n}\n\ngraph g() -> none {\n  he$0llo(\"a\", folder: \"b\")\n}\n",
                ),
                (
                    "a prompt",
                    "model fast\n\n/// One word.\nprompt p(t: text) -> text {\n  model fast\n  user t\n}\n\ngraph g() -> text {\n  p$0(\"a\")\n}\n",
                ),
                (
                    "a record",
                    "/// A note.\nrecord Note {\n  /// The text.\n  body: text\n  stars: int = 3\n}\n\nfn f(n: No$0te) -> text {\n  n.body\n}\n",
                ),
                (
                    "a field",
                    "record Note {\n  /// The text.\n  body: text\n}\n\nfn f(n: Note) -> text {\n  n.bo$0dy\n}\n",
                ),
                (
                    "a named argument",
                    "record Note {\n  /// The text.\n  body: text\n}\n\nfn f() -> Note {\n  Note(bo$0dy: \"a\")\n}\n",
                ),
                (
                    "a variant",
                    "enum Verdict {\n  /// Good as it is.\n  Accept\n  Revise(notes: text)\n}\n\nfn f() -> Verdict {\n  Revi$0se(notes: \"a\")\n}\n",
                ),
                (
                    "a variant in a pattern",
                    "fn f(r: Result<int>) -> int {\n  match r {\n    O$0k(v) => v\n    _ => 0\n  }\n}\n",
                ),
                ("a constant", "/// How many.\nlet limit = 3\n\nfn f() -> int {\n  lim$0it\n}\n"),
                ("a primitive type", "fn f(n: in$0t) -> int {\n  n\n}\n"),
                ("a type parameter", "record Box<T> {\n  value: T$0\n}\n"),
                (
                    "a form of tests",
                    "graph g() -> none {\n  out.status(\"a\")\n}\n\ntest \"t\" {\n  expect ca$0lls(g) == 0\n}\n",
                ),
                ("nothing on a blank", "fn f() -> int {\n $0 1\n}\n"),
                ("nothing in a comment", "// f$0oo\nfn f() -> int {\n  1\n}\n"),
                ("an unknown name", "fn f() -> int {\n  unkn$0own\n}\n"),
                (
                    "beside a broken declaration",
                    "fn broken( -> {\n\n/// Fine.\nfn f(n: int) -> int {\n  n\n}\n\nfn g() -> int {\n  f$0(1)\n}\n",
                ),
                ("in a block that is not finished", "fn f(n: int) -> int {\n  let a = n$0 +\n"),
            ],
            |analysis, file, offset| {
                analysis.hover(file, offset).map_or_else(
                    || "nothing".to_owned(),
                    |hover| {
                        crate::testing::underlined(analysis, &[(hover.span, "")])
                            + "\n"
                            + &hover.markdown
                    },
                )
            },
        );
    }
}
