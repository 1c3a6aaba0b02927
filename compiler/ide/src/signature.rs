//! The parameters of the call around the cursor, and which of them is being written.

use kait_compiler::diagnostics::FileId;
use kait_compiler::hir::{CallableKind, DefId, DefKind};
use kait_syntax::ast::{self, Expr as AstExpr};
use kait_syntax::{SyntaxKind, SyntaxNode, TextSize};

use crate::index::{called, words};
use crate::locals::around;
use crate::std_library;
use crate::symbol::squeeze;
use crate::{Analysis, Symbol};

/// A callable and where one is in its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureHelp {
    /// The whole signature: `trim(s: text) -> text`.
    pub label: String,
    /// Documentation.
    pub docs: Option<String>,
    /// Its parameters in order.
    pub params: Vec<SignatureParam>,
    /// The parameter that is being written, if it can be told.
    pub active: Option<usize>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureParam {
    /// Its bytes in the label.
    pub range: (usize, usize),
    /// Its name.
    pub name: String,
    /// Documentation.
    pub docs: Option<String>,
}

/// What a call calls, and in which analysis that is: std modules that a file does not mention yet are in another one.
pub(crate) struct Target<'a> {
    pub analysis: &'a Analysis,
    pub symbol: Symbol,
}

impl Analysis {
    /// The signature of the innermost call whose brackets hold the offset.
    #[must_use]
    pub fn signature_help(&self, file: FileId, offset: u32) -> Option<SignatureHelp> {
        let tree = self.tree(file)?;
        let nodes = around(tree, offset);
        let args = nodes.iter().copied().find(|node| {
            matches!(
                node.kind(),
                SyntaxKind::Args | SyntaxKind::PatArgs | SyntaxKind::Block | SyntaxKind::Arms
            )
        })?;
        if args.kind() == SyntaxKind::PatArgs {
            return self.pattern_help(file, args, offset);
        }
        let args = ast::Args::cast(args)?;
        let call = ast::CallExpr::cast(args.syntax().parent()?)?;
        let target = self.call_target(file, call)?;
        let (label, params) = target.analysis.signature_text(target.symbol)?;
        let active = active(args, &params, is_piped(call), offset);
        let docs = target.analysis.docs_of(target.symbol);
        Some(SignatureHelp { label, docs, params, active })
    }

    /// The signature behind the brackets of a stub (`stub ask(…)`) or of a pattern (`Green(…)`).
    fn pattern_help(
        &self,
        file: FileId,
        args: SyntaxNode<'_>,
        offset: u32,
    ) -> Option<SignatureHelp> {
        let start = args.range().start();
        let path: Vec<&str> = args
            .parent()?
            .descendant_tokens()
            .take_while(|token| token.range().end() <= start)
            .filter(|token| crate::analysis::is_word(*token) && !token.kind().is_keyword())
            .map(|token| token.text())
            .collect();
        let target = self.path_target(file, &path)?;
        let (label, params) = target.analysis.signature_text(target.symbol)?;
        let at = TextSize::from(offset);
        let commas = args.tokens().filter(|token| token.kind() == SyntaxKind::Comma);
        let position = commas.filter(|comma| comma.range().end() <= at).count();
        let named = args
            .children()
            .filter_map(ast::PatArg::cast)
            .nth(position)
            .and_then(ast::PatArg::name)
            .map(|name| params.iter().position(|param| param.name == name.text()));
        let active = named.unwrap_or(Some(position)).filter(|index| *index < params.len());
        let docs = target.analysis.docs_of(target.symbol);
        Some(SignatureHelp { label, docs, params, active })
    }

    /// What a call calls.
    pub(crate) fn call_target(&self, file: FileId, call: ast::CallExpr<'_>) -> Option<Target<'_>> {
        let callee = call.callee()?;
        let mut path = Vec::new();
        words(callee, &mut path);
        let last = path.last()?;
        if let Some(found) = self.name_at(file, last.range().start().into()) {
            return Some(Target { analysis: self, symbol: found.symbol });
        }
        // The compiler looks at what is whole; a call that is being written may be resolved by its name.
        let names: Vec<&str> = path.iter().map(|token| token.text()).collect();
        self.path_target(file, &names)
    }

    /// What a path of names means as something to call.
    pub(crate) fn path_target(&self, file: FileId, names: &[&str]) -> Option<Target<'_>> {
        let here = |symbol| Some(Target { analysis: self, symbol });
        match *names {
            [name] => match self.def_named(file, name) {
                Some(def) => here(Symbol::Def(def)),
                None => {
                    let (def, index) = self.variant_named(file, name)?;
                    here(Symbol::Variant(def, index))
                }
            },
            [module, name] => {
                if let Some(def) = self.def_named(file, module)
                    && let Some(index) = self.variant_index(def, name)
                {
                    return here(Symbol::Variant(def, index));
                }
                let named = |analysis: &Analysis, module, all| {
                    analysis
                        .members(module, all)
                        .find(|(_, def)| def.name == name)
                        .map(|(id, _)| id)
                };
                match self.module_named(file, module) {
                    Some(module) => here(Symbol::Def(named(self, module, false)?)),
                    None => {
                        let analysis = std_library::library();
                        let module = analysis.std_module(module)?;
                        let def = named(analysis, module, false)?;
                        Some(Target { analysis, symbol: Symbol::Def(def) })
                    }
                }
            }
            _ => None,
        }
    }

    pub(crate) fn variant_index(&self, def: DefId, name: &str) -> Option<u32> {
        let DefKind::Enum(declared) = &self.def(def)?.kind else { return None };
        let index = declared.variants.iter().position(|variant| variant.name == name)?;
        u32::try_from(index).ok()
    }

    /// The signature of something that is called like a function, on one line, with the places of its parameters.
    pub(crate) fn signature_text(&self, symbol: Symbol) -> Option<(String, Vec<SignatureParam>)> {
        let text = |span| squeeze(self.compilation.files.slice(span));
        // Name, type and default, documentation.
        let (name, fields, result): (_, Vec<(String, String, String)>, _) = match symbol {
            Symbol::Def(id) => {
                let def = self.def(id)?;
                match &def.kind {
                    // The only parameter of a trigger is its event.
                    DefKind::Callable(callable) if callable.kind == CallableKind::Trigger => {
                        let event = callable.params.iter();
                        let event = event.map(|event| {
                            (event.name.to_string(), text(event.ty.span), event.docs.to_string())
                        });
                        (def.name.as_str(), event.collect(), "none".to_owned())
                    }
                    DefKind::Callable(callable) => {
                        let node = self.decl_node(def)?.first_child(SyntaxKind::Params)?;
                        let written = node.children().filter_map(ast::Param::cast);
                        let params = callable.params.iter().zip(written).map(|(param, node)| {
                            let default =
                                node.default().map(|default| squeeze(default.syntax().text()));
                            let ty = text(param.ty.span);
                            let ty =
                                default.map_or(ty.clone(), |default| format!("{ty} = {default}"));
                            (param.name.to_string(), ty, param.docs.to_string())
                        });
                        (def.name.as_str(), params.collect(), text(callable.result.span))
                    }
                    DefKind::Record(record) => {
                        let node = self.decl_node(def)?;
                        let written: Vec<_> =
                            node.children().filter_map(ast::Field::cast).collect();
                        let fields = record.fields.iter().enumerate().map(|(index, field)| {
                            let ty = text(field.ty.span);
                            let default = written.get(index).and_then(|node| node.default());
                            let default = default.map(|value| squeeze(value.syntax().text()));
                            let ty =
                                default.map_or(ty.clone(), |default| format!("{ty} = {default}"));
                            (field.name.to_string(), ty, field.docs.to_string())
                        });
                        (def.name.as_str(), fields.collect(), def.name.to_string())
                    }
                    DefKind::Alias(alias) => {
                        let value = ("value".to_owned(), text(alias.ty.span), String::new());
                        (def.name.as_str(), vec![value], def.name.to_string())
                    }
                    _ => return None,
                }
            }
            Symbol::Variant(id, index) => {
                let (def, variant) = (self.def(id)?, self.variant(id, index)?);
                let fields = variant.fields.iter().map(|field| {
                    (field.name.to_string(), text(field.ty.span), field.docs.to_string())
                });
                (variant.name.as_str(), fields.collect(), def.name.to_string())
            }
            _ => return None,
        };
        let mut label = format!("{name}(");
        let mut params = Vec::new();
        for (index, (name, ty, docs)) in fields.into_iter().enumerate() {
            if index > 0 {
                label.push_str(", ");
            }
            let start = label.len();
            label.push_str(&format!("{name}: {ty}"));
            let docs = (!docs.is_empty()).then_some(docs);
            params.push(SignatureParam { range: (start, label.len()), name, docs });
        }
        label.push_str(&format!(") -> {result}"));
        Some((label, params))
    }
}

/// Whether a pipe gives the call its first argument.
pub(crate) fn is_piped(call: ast::CallExpr<'_>) -> bool {
    call.syntax().ancestors().filter_map(ast::PipeExpr::cast).any(|pipe| {
        let target: Option<AstExpr<'_>> = pipe.target();
        target.and_then(called) == Some(call)
    })
}

/// Which parameter is being written at an offset.
fn active(
    args: ast::Args<'_>,
    params: &[SignatureParam],
    piped: bool,
    offset: u32,
) -> Option<usize> {
    let at = TextSize::from(offset);
    let node: SyntaxNode<'_> = args.syntax();
    let commas =
        node.tokens().filter(|t| t.kind() == SyntaxKind::Comma && t.range().end() <= at).count();
    let comma_since = |end: TextSize| {
        let behind =
            |t: &kait_syntax::SyntaxToken<'_>| end <= t.range().start() && t.range().end() <= at;
        node.tokens().any(|t| t.kind() == SyntaxKind::Comma && behind(&t))
    };
    // The argument around the cursor, or the one before it that no comma has ended: its value may be still to come.
    let here = args.args().filter(|arg| {
        let range = arg.range();
        range.start() <= at
            && range.start() < range.end()
            && (at <= range.end() || !comma_since(range.end()))
    });
    if let Some(name) = here.last().and_then(ast::Arg::name) {
        return params.iter().position(|param| param.name == name.text());
    }
    let before: Vec<_> = args.args().filter(|arg| arg.range().end() <= at).collect();
    let names: Vec<_> = before.iter().filter_map(|arg| arg.name()).collect();
    if !names.is_empty() {
        // Behind a named argument only named ones can follow: the first that is not given is the likeliest.
        let given = before.len() - names.len() + usize::from(piped);
        let is_free = |param: &SignatureParam| names.iter().all(|name| name.text() != param.name);
        return (given..params.len()).find(|index| params.get(*index).is_some_and(is_free));
    }
    let index = commas + usize::from(piped);
    (index < params.len()).then_some(index)
}

#[cfg(test)]
mod tests {
    use crate::testing::snapshot;

    #[test]
    fn signature_help() {
        snapshot(
            "signature",
            &[
                (
                    "the first argument",
                    "fn f(a: int, b: text = \"x\") -> int {\n  a\n}\n\nfn g() -> int {\n  f($01)\n}\n",
                ),
                (
                    "the second argument",
                    "fn f(a: int, b: text = \"x\") -> int {\n  a\n}\n\nfn g() -> int {\n  f(1, $0)\n}\n",
                ),
                (
                    "a named argument",
                    "fn f(a: int, b: text, c: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(1, c: $02, b: \"\")\n}\n",
                ),
                (
                    "a named argument without value yet",
                    "fn f(a: int, b: text, c: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(1, c: $0)\n}\n",
                ),
                (
                    "behind a named argument",
                    "fn f(a: int, b: text, c: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(1, b: \"\", $0)\n}\n",
                ),
                (
                    "behind a pipe",
                    "fn f(a: int, b: int) -> int {\n  a\n}\n\nfn g() -> int {\n  1 |> f($0)\n}\n",
                ),
                (
                    "a std function that is not mentioned elsewhere",
                    "fn g() -> text {\n  text.join($0\n}\n",
                ),
                (
                    "a record",
                    "record R {\n  /// How many.\n  a: int\n  b: text = \"\"\n}\n\nfn g() -> R {\n  R(a: $01)\n}\n",
                ),
                ("a variant", "enum E {\n  A(x: int)\n}\n\nfn g() -> E {\n  A($0)\n}\n"),
                (
                    "the value of a named argument",
                    "fn f(a: int, b: text, c: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(1, c: $0)\n}\n",
                ),
                (
                    "the value of a named argument, others behind it",
                    "fn f(a: int, b: text, c: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(1, c: $0, b: \"\")\n}\n",
                ),
                (
                    "behind the last comma",
                    "fn f(a: int, b: text, c: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(1, b: \"\", $0)\n}\n",
                ),
                (
                    "all are named",
                    "fn f(a: int, b: text, c: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(b: \"\", $0)\n}\n",
                ),
                (
                    "a stub",
                    "graph ask(a: int, b: int) -> int {\n  a\n}\n\ntest \"t\" {\n  stub ask(a, $0) => 1\n  expect ask(1, 2) == 1\n}\n",
                ),
                (
                    "a pattern",
                    "enum E {\n  A(x: int, y: int)\n}\n\nfn g(e: E) -> int {\n  match e {\n    A(y: $0) => 1\n  }\n}\n",
                ),
                (
                    "the inner call",
                    "fn f(a: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(math.abs($01))\n}\n",
                ),
                (
                    "the outer call, behind the inner one",
                    "fn f(a: int, b: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(math.abs(1), $0)\n}\n",
                ),
                (
                    "behind the call",
                    "fn f(a: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(1)$0\n}\n",
                ),
                (
                    "in a block inside of a call",
                    "fn f(a: int) -> int {\n  a\n}\n\nfn g() -> int {\n  f(if true { $01 } else { 2 })\n}\n",
                ),
                (
                    "not finished",
                    "fn f(a: int, b: int) -> int {\n  a\n}\n\nfn g() -> int {\n  let x = f(1, $0\n",
                ),
            ],
            |analysis, file, offset| {
                let Some(help) = analysis.signature_help(file, offset) else {
                    return "nothing".into();
                };
                let mut out = format!("{}\n", help.label);
                if let Some(param) = help.active.and_then(|active| help.params.get(active)) {
                    let (start, end) = param.range;
                    out += &format!("{}{}\n", " ".repeat(start), "^".repeat(end - start));
                    out += param.docs.as_deref().unwrap_or_default();
                }
                if let Some(docs) = help.docs {
                    out += &format!("\n{}", docs.lines().next().unwrap_or_default());
                }
                out
            },
        );
    }
}
