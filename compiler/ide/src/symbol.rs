//! What a name can mean, and what there is to say about each.

use std::fmt::Write as _;

use kait_compiler::check::ty::Ty;
use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::effects::Effect;
use kait_compiler::hir::{
    Builtin, CallableKind, Def, DefId, DefKind, Field, LocalId, LocalKind, ModuleId, Variant,
};
use kait_syntax::SyntaxKind;

use crate::Analysis;
use crate::analysis::range_of;

/// What a name means. Two names mean the same thing exactly if these are equal within one [`Analysis`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// A declaration.
    Def(DefId),
    /// A variant of an enum, by its position.
    Variant(DefId, u32),
    /// A field of a record or session, by its position.
    Field(DefId, u32),
    /// A field of a variant: enum, variant, field.
    Payload(DefId, u32, u32),
    /// A parameter, `let`, binder or loop variable of a declaration.
    Local(DefId, LocalId),
    /// A type parameter of a declaration, by its position.
    TypeParam(DefId, u32),
    /// A module.
    Module(ModuleId),
    /// A form of the language that is called like a function.
    Builtin(Builtin),
}

impl Analysis {
    /// What the name at an offset means.
    #[must_use]
    pub fn symbol_at(&self, file: FileId, offset: u32) -> Option<(Symbol, Span)> {
        let word = self.word_at(file, offset)?;
        let found = self.name_at(file, word.range().start().into())?;
        Some((found.symbol, Span::new(file, found.start, found.end)))
    }

    /// Where a name is introduced; `None` for what no text introduces.
    #[must_use]
    pub fn declared_at(&self, symbol: Symbol) -> Option<Span> {
        match symbol {
            Symbol::Def(def) => Some(self.def(def)?.name_span),
            Symbol::Variant(def, index) => Some(self.variant_name(self.variant(def, index)?)),
            Symbol::Field(def, index) => Some(self.fields(def)?.get(index as usize)?.span),
            Symbol::Payload(def, variant, index) => {
                Some(self.variant(def, variant)?.fields.get(index as usize)?.span)
            }
            Symbol::Local(def, local) => Some(self.body(def)?.locals.get(local.index())?.span),
            Symbol::TypeParam(def, index) => {
                let place = self.def(def)?;
                let node = self.decl_node(place)?.first_child(SyntaxKind::TypeParams)?;
                let token =
                    node.tokens().filter(|t| t.kind() == SyntaxKind::Uid).nth(index as usize)?;
                Some(crate::analysis::span_of(place.span.file, token.range()))
            }
            Symbol::Module(module) => Some(Span::new(self.module(module)?.file, 0, 0)),
            Symbol::Builtin(_) => None,
        }
    }

    /// A name as it is written.
    #[must_use]
    pub fn name_of(&self, symbol: Symbol) -> Option<&str> {
        match symbol {
            Symbol::Def(def) => Some(&self.def(def)?.name),
            Symbol::Variant(def, index) => Some(&self.variant(def, index)?.name),
            Symbol::Field(def, index) => Some(&self.fields(def)?.get(index as usize)?.name),
            Symbol::Payload(def, variant, index) => {
                Some(&self.variant(def, variant)?.fields.get(index as usize)?.name)
            }
            Symbol::Local(def, local) => Some(&self.body(def)?.locals.get(local.index())?.name),
            Symbol::TypeParam(..) => {
                let text = self.compilation.files.slice(self.declared_at(symbol)?);
                (!text.is_empty()).then_some(text)
            }
            Symbol::Module(module) => Some(&self.module(module)?.name),
            Symbol::Builtin(form) => Some(builtin(form).0),
        }
    }

    /// The documentation of what a name means.
    #[must_use]
    pub fn docs_of(&self, symbol: Symbol) -> Option<String> {
        let docs = match symbol {
            Symbol::Def(def) => self.def(def)?.docs.as_str(),
            Symbol::Variant(def, index) => self.variant(def, index)?.docs.as_str(),
            Symbol::Field(def, index) => self.fields(def)?.get(index as usize)?.docs.as_str(),
            Symbol::Payload(def, variant, index) => {
                self.variant(def, variant)?.fields.get(index as usize)?.docs.as_str()
            }
            Symbol::Local(def, local) => {
                let DefKind::Callable(callable) = &self.def(def)?.kind else { return None };
                callable.params.iter().find(|param| param.local == local)?.docs.as_str()
            }
            Symbol::Module(module) => self.module(module)?.docs.as_str(),
            Symbol::Builtin(form) => builtin(form).2,
            Symbol::TypeParam(..) => "",
        };
        (!docs.is_empty()).then(|| docs.to_owned())
    }

    /// What a name means, as a line or a few of code.
    #[must_use]
    pub fn headline(&self, symbol: Symbol) -> Option<String> {
        match symbol {
            Symbol::Def(def) => self.def_headline(def),
            Symbol::Variant(def, index) => {
                let of = self.def(def)?;
                Some(format!(
                    "enum {}\n  {}",
                    of.name,
                    variant_text(self, self.variant(def, index)?)
                ))
            }
            Symbol::Field(def, index) => {
                let of = self.def(def)?;
                let word =
                    if matches!(of.kind, DefKind::Session(_)) { "session" } else { "record" };
                let field = self.fields(def)?.get(index as usize)?;
                Some(format!("{word} {}\n  {}", of.name, field_text(self, field)))
            }
            Symbol::Payload(def, variant, index) => {
                let of = self.variant(def, variant)?;
                let field = of.fields.get(index as usize)?;
                Some(format!("{}({})", of.name, field_text(self, field)))
            }
            Symbol::Local(def, local) => {
                let known = self.body(def)?.locals.get(local.index())?;
                let ty = self.show(self.compilation.types.ty_of_local(def, local), def);
                let word = match known.kind {
                    LocalKind::Param => "parameter ",
                    LocalKind::Let => "let ",
                    LocalKind::LoopVar => "loop ",
                    LocalKind::Pattern => "",
                };
                Some(format!("{word}{}: {ty}", known.name))
            }
            Symbol::TypeParam(def, _) => Some(format!(
                "{}: a type parameter of {}",
                self.name_of(symbol)?,
                self.def(def)?.name
            )),
            Symbol::Module(module) => Some(format!("module {}", self.module_title(module)?)),
            Symbol::Builtin(form) => Some(builtin(form).1.to_owned()),
        }
    }

    /// A type as it would be written in the file of a declaration.
    pub(crate) fn show(&self, ty: Ty, def: DefId) -> String {
        let module = self.def(def).map(|def| def.module);
        self.compilation.types.display(self.hir(), ty, module)
    }

    pub(crate) fn module_title(&self, module: ModuleId) -> Option<String> {
        let known = self.module(module)?;
        if !known.name.is_empty() {
            return Some(known.name.to_string());
        }
        let path = &self.source(known.file)?.path;
        Some(path.strip_suffix(".kait").unwrap_or(path).replace('/', "."))
    }

    pub(crate) fn variant(&self, def: DefId, index: u32) -> Option<&Variant> {
        match &self.def(def)?.kind {
            DefKind::Enum(declared) => declared.variants.get(index as usize),
            _ => None,
        }
    }

    /// Where a variant's name stands: the HIR knows the place of the whole variant, documentation included.
    pub(crate) fn variant_name(&self, variant: &Variant) -> Span {
        let token = self.tree(variant.span.file).and_then(|tree| {
            tree.tokens_in(range_of(variant.span))
                .find(|token| token.kind() == SyntaxKind::Uid && token.text() == variant.name)
        });
        token.map_or(variant.span.before(), |token| {
            crate::analysis::span_of(variant.span.file, token.range())
        })
    }

    pub(crate) fn fields(&self, def: DefId) -> Option<&[Field]> {
        match &self.def(def)?.kind {
            DefKind::Record(record) | DefKind::Session(record) => Some(&record.fields),
            _ => None,
        }
    }

    /// The session that a graph runs in.
    pub(crate) fn session_of(&self, def: DefId) -> Option<DefId> {
        match &self.def(def)?.kind {
            DefKind::Callable(callable) => callable.session.as_ref()?.def,
            _ => None,
        }
    }

    /// The syntax node of a declaration.
    pub(crate) fn decl_node(&self, def: &Def) -> Option<kait_syntax::SyntaxNode<'_>> {
        let tree = self.tree(def.span.file)?;
        tree.covering_node(range_of(def.name_span))
            .ancestors()
            .find(|node| kait_syntax::ast::Decl::cast(*node).is_some())
    }

    /// The declaration's text without documentation, body, defaults of externs: what a caller must know.
    pub(crate) fn def_headline(&self, id: DefId) -> Option<String> {
        let def = self.def(id)?;
        let node = self.decl_node(def)?;
        let mut text = String::new();
        for element in node.children_with_tokens() {
            let kind = element.kind();
            if matches!(kind, SyntaxKind::Doc | SyntaxKind::Comment) {
                continue;
            }
            let is_body = match def.kind {
                DefKind::Callable(_) | DefKind::Test(_) => {
                    matches!(kind, SyntaxKind::Block | SyntaxKind::LBrace | SyntaxKind::From)
                }
                DefKind::Const { .. } => kind == SyntaxKind::Eq,
                _ => false,
            };
            if is_body {
                break;
            }
            match element {
                kait_syntax::SyntaxElement::Node(node) => text.push_str(without_docs(node).trim()),
                kait_syntax::SyntaxElement::Token(token) if kind.is_trivia() => {
                    // One blank where the text has many; line breaks inside of brackets stay.
                    let keep = matches!(def.kind, DefKind::Record(_) | DefKind::Enum(_))
                        && token.text().contains('\n');
                    text.push_str(if keep && !text.is_empty() { token.text() } else { " " });
                }
                kait_syntax::SyntaxElement::Token(token) => text.push_str(token.text()),
            }
        }
        let mut text = text.trim().to_owned();
        if let DefKind::Const { .. } = def.kind
            && let Some(ty) = self.compilation.types.constant(id)
            && !text.contains(':')
        {
            let _ = write!(text, ": {}", self.show(ty, id));
        }
        Some(text)
    }

    /// What calling a declaration may do, as a header writes it; `None` for nothing, or for what is not called.
    pub(crate) fn effects_text(&self, id: DefId) -> Option<String> {
        let def = self.def(id)?;
        let DefKind::Callable(callable) = &def.kind else { return None };
        if callable.kind == CallableKind::Fn {
            return None;
        }
        let effects = &self.compilation.effects;
        let words: Vec<String> =
            effects.of(id).iter().map(|effect: Effect| effect.text(&effects.resources)).collect();

        (!words.is_empty()).then(|| words.join(", "))
    }
}

impl Analysis {
    /// The parameters of a declaration that say nothing of it and yet must be trusted, because they are used where that
    /// is needed.
    pub(crate) fn vouched_text(&self, id: DefId) -> Option<String> {
        let DefKind::Callable(callable) = &self.def(id)?.kind else { return None };
        let known = self.labels().of(id)?;
        let names: Vec<&str> = callable
            .params
            .iter()
            .zip(&known.params)
            .filter(|(_, labels)| labels.must_be_trusted && labels.declared.is_none())
            .map(|(param, _)| param.name.as_str())
            .collect();
        (!names.is_empty()).then(|| names.join("`, `"))
    }
}

/// The text of a node with its documentation and comments left out, a line each.
fn without_docs(node: kait_syntax::SyntaxNode<'_>) -> String {
    let mut text = String::new();
    for token in node.descendant_tokens() {
        if token.kind().is_comment() {
            // The line break before it goes, too.
            text.truncate(text.trim_end().len());
        } else {
            text.push_str(token.text());
        }
    }
    text
}

fn field_text(analysis: &Analysis, field: &Field) -> String {
    format!("{}: {}", field.name, squeeze(analysis.compilation.files.slice(field.ty.span)))
}

fn variant_text(analysis: &Analysis, variant: &Variant) -> String {
    if variant.fields.is_empty() {
        return variant.name.to_string();
    }
    let fields: Vec<String> =
        variant.fields.iter().map(|field| field_text(analysis, field)).collect();
    format!("{}({})", variant.name, fields.join(", "))
}

/// A text on one line.
pub(crate) fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Name, form and meaning of what is called like a function but is none: from the table of the language's words.
pub(crate) fn builtin(form: Builtin) -> (&'static str, &'static str, &'static str) {
    let name = match form {
        Builtin::Ask => "ask",
        Builtin::Choose => "choose",
        Builtin::Allow => "allow",
        Builtin::Endorse => "endorse",
        Builtin::SessionSave => "save",
        Builtin::Header => "header",
        Builtin::Query => "query",
        Builtin::Bearer => "bearer",
        Builtin::Basic => "basic",
        Builtin::Calls => "calls",
        Builtin::Attempts => "attempts",
        Builtin::Called => "called",
        Builtin::Order => "order",
    };
    let word = kait_stdlib::language()
        .iter()
        .find(|word| word.kind == "function" && word.names.contains(&name));
    let Some(word) = word else { return (name, name, "") };
    // Words that share an entry have a line each.
    let line = word.form.lines().find(|line| line.contains(&format!("{name}(")));
    let form = line.unwrap_or(word.form).trim_start_matches("expect ");
    (name, form.split(" == ").next().unwrap_or(form), word.docs)
}
