//! What each kind of place takes.
//!
//! A long file declares thousands of names. So first only names are collected, those that what is typed does not rule
//! out; what there is to say about a declaration is looked up for the few that are shown.

mod values;

use kait_compiler::check::ty::Prim;
use kait_compiler::check::{FORMATS, policy_names};
use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::{Builtin, CallableKind, Def, DefId, DefKind, Field, ModuleId};
use kait_compiler::names::added_use;
use kait_syntax::{SyntaxKind, keywords};

use super::context::{Context, Members};
use super::{Completion, CompletionKind, Follows, Place};
use crate::hover::primitive_docs;
use crate::std_library;
use crate::symbol::builtin;
use crate::symbols::holds;
use crate::{Analysis, Symbol, TextEdit};

/// Most items of one rank that are shown: with more letters typed, others are asked for.
const MAX_OF_A_RANK: usize = 128;

/// Numbers that are tried behind a name to make it a new one.
const MAX_FRESH: u32 = 100;

/// Closest first.
mod rank {
    pub const ARGUMENT: u8 = 0;
    pub const WANTED: u8 = 1;
    pub const LOCAL: u8 = 2;
    pub const OWN: u8 = 3;
    pub const PRELUDE: u8 = 4;
    pub const MODULE: u8 = 5;
    pub const KEYWORD: u8 = 6;
    pub const ELSEWHERE: u8 = 7;
}

pub(super) struct Items<'a> {
    analysis: &'a Analysis,
    file: FileId,
    place: Place,
    /// All files of the package.
    listed: &'a dyn Fn() -> Vec<String>,
    /// What is typed of the word, in lower case.
    typed: String,
    out: Vec<Completion>,
    declared: Vec<Declared<'a>>,
    /// What is written for a declaration.
    form: Form,
    /// What is written before its name: a module.
    prefix: String,
}

/// What is written for a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Its name.
    Name,
    /// A call of it.
    Call,
    /// A value: what is a type needs what makes a value of it.
    Value,
    /// A type: with arguments if it takes any.
    Type,
    /// A pattern; whether it may bind names.
    Pattern { binds: bool },
}

/// The name of a declaration or variant, before anything is looked up about it.
struct Declared<'a> {
    name: &'a str,
    /// The enum whose name stands before that of a variant which is not the only one of its name.
    qualified: Option<&'a str>,
    kind: CompletionKind,
    rank: u8,
    of: &'a Analysis,
    symbol: Symbol,
}

impl<'a> Items<'a> {
    pub(super) fn new(
        analysis: &'a Analysis,
        file: FileId,
        place: Place,
        listed: &'a dyn Fn() -> Vec<String>,
    ) -> Self {
        let typed = analysis.compilation.files.slice(place.word).to_lowercase();
        let (out, declared) = (Vec::new(), Vec::new());
        let (form, prefix) = (Form::Name, String::new());
        Self { analysis, file, place, listed, typed, out, declared, form, prefix }
    }

    pub(super) fn finish(mut self) -> Vec<Completion> {
        let typed = std::mem::take(&mut self.typed);
        let begins = |name: &str| name.to_lowercase().starts_with(&typed);
        let mut declared = std::mem::take(&mut self.declared);
        // Whatever is typed further only makes fewer of them fit.
        declared.retain(|one| typed.is_empty() || holds(&one.name.to_lowercase(), &typed));
        declared.sort_by_cached_key(|one| (one.rank, !begins(one.name), one.name, one.qualified));
        declared
            .dedup_by(|a, b| a.name == b.name && a.kind == b.kind && a.qualified == b.qualified);
        for some in declared.chunk_by(|a, b| a.rank == b.rank) {
            some.iter().take(MAX_OF_A_RANK).for_each(|one| self.describe(one));
        }
        // In broken text a field or parameter may lack its name.
        self.out.retain(|item| !item.label.is_empty() && holds(&item.label.to_lowercase(), &typed));
        self.out.sort_by_cached_key(|item| (item.rank, !begins(&item.label), item.label.clone()));
        // The closest of a name hides others: a file's own function that of the prelude.
        let mut seen = rustc_hash::FxHashSet::default();
        self.out.retain(|item| seen.insert((item.label.clone(), item.kind)));
        self.out
    }

    /// Adds a declaration with all that there is to say about it.
    fn describe(&mut self, one: &Declared<'_>) {
        let Declared { name, qualified, kind, rank, of, symbol } = *one;
        let form = self.form;
        let bracket = self.place.follows == Follows::Bracket;
        let dot = self.place.follows == Follows::Dot;
        let signature = || of.signature_text(symbol).map(|(label, _)| label);
        let prefix = self.prefix.as_str();
        let label = match qualified {
            Some(of) => format!("{prefix}{of}.{name}"),
            None => format!("{prefix}{name}"),
        };
        let call = |stops: &str| Some(format!("{label}({stops})")).filter(|_| !bracket);
        let mut insert = label.clone();
        let mut detail = None;
        let mut snippet = None;
        match symbol {
            Symbol::Variant(def, index) => match of.variant(def, index) {
                Some(variant) if !variant.fields.is_empty() => {
                    detail = signature();
                    snippet = match form {
                        Form::Pattern { binds: false } => None,
                        Form::Pattern { binds: true } => {
                            let names: Vec<_> =
                                variant.fields.iter().map(|field| field.name.as_str()).collect();
                            call(&self.binders(&names))
                        }
                        _ => call("$0"),
                    };
                }
                _ => detail = of.name_of(Symbol::Def(def)).map(str::to_owned),
            },
            Symbol::Def(id) => match of.def(id).map(|def| &def.kind) {
                Some(DefKind::Callable(callable)) => {
                    detail = signature();
                    snippet = match form {
                        Form::Name => None,
                        _ if callable.params.is_empty() => call(""),
                        _ => call("$0"),
                    };
                }
                Some(DefKind::Record(record)) => {
                    detail = signature();
                    match form {
                        Form::Value if !bracket => {
                            insert.push('(');
                            snippet = call(&of.record_stops(id));
                        }
                        Form::Pattern { binds: true } => {
                            let names: Vec<_> =
                                record.fields.iter().map(|field| field.name.as_str()).collect();
                            snippet = call(&self.binders(&names));
                        }
                        _ => {}
                    }
                }
                Some(DefKind::Alias(_)) => {
                    detail = signature();
                    if form == Form::Value && !bracket {
                        insert.push('(');
                        snippet = call("$0");
                    }
                }
                Some(DefKind::Enum(_)) if matches!(form, Form::Value | Form::Pattern { .. }) => {
                    if !dot {
                        insert.push('.');
                    }
                }
                Some(DefKind::Const { .. }) => {
                    detail = of.compilation.types.constant(id).map(|ty| of.show(ty, id));
                }
                _ => detail = signature(),
            },
            _ => {}
        }
        if form == Form::Type
            && let Symbol::Def(id) = symbol
        {
            snippet = of.type_stops(id).map(|stops| format!("{name}<{stops}>"));
        }
        let item = self.item(&label, kind, rank);
        item.insert = insert;
        item.docs = of.docs_of(symbol);
        item.detail = detail;
        item.snippet = snippet;
    }

    pub(super) fn add(&mut self, context: &Context) {
        match context {
            Context::Fields(ty, dot) => {
                if let Some(record) = self.analysis.record_of(*ty) {
                    self.fields(record, rank::LOCAL);
                    if let Some(dot) = dot {
                        let safe = TextEdit::new(*dot, "?.");
                        self.out.iter_mut().for_each(|item| item.also.push(safe.clone()));
                    }
                }
            }
            Context::Selector(record) => self.fields(*record, rank::LOCAL),
            Context::Params(names) => {
                for name in names {
                    self.item(name, CompletionKind::Argument, rank::ARGUMENT);
                }
            }
            Context::Session(session) => self.session(*session),
            Context::Members { module, wanted } => self.members(module, *wanted),
            Context::Variants(def) => {
                self.form = Form::Value;
                self.variants(self.analysis, *def, rank::LOCAL);
            }
            Context::Sources => self.sources(),
            Context::Imports => self.imports(),
            Context::Type => self.types(),
            Context::Sessions => {
                self.in_scope(|def| matches!(def.kind, DefKind::Session(_)), rank::OWN);
            }
            Context::Declaration { is_pub } => self.declarations(*is_pub),
            Context::Words(words) => words.iter().for_each(|word| self.keyword(word)),
            Context::Clauses(words) => words.iter().for_each(|word| self.keyword(word)),
            Context::Policies(place, given) => {
                let names: Vec<&str> = policy_names(*place).collect();
                self.named(&names, given);
            }
            Context::Bounds(names, given) => self.named(names, given),
            Context::Formats { quoted } => {
                for format in FORMATS {
                    let label = if *quoted { format.to_owned() } else { format!("\"{format}\"") };
                    self.item(&label, CompletionKind::Constant, rank::ARGUMENT);
                }
            }
            Context::Payload { names, given, ty, positional } => {
                let colon = self.place.follows == Follows::Colon;
                for name in names.iter().filter(|name| !given.contains(name)) {
                    let binder = self.binder(name);
                    let item = self.item(name, CompletionKind::Argument, rank::ARGUMENT);
                    if !colon {
                        item.insert = format!("{name}: ");
                        item.snippet = Some(format!("{name}: ${{1:{binder}}}"));
                    }
                }
                if *positional && !colon {
                    self.patterns(*ty, &[], true);
                }
            }
            Context::PromptItem { model, tools } => {
                for (word, snippet) in [
                    ("model", "model $0"),
                    ("system", "system \"$0\""),
                    ("user", "user $0"),
                    ("assistant", "assistant $0"),
                    ("messages", "messages $0"),
                    ("tools", "tools [$0]"),
                ] {
                    if word == "model" && !*model || word == "tools" && !*tools {
                        continue;
                    }
                    self.snippet(word, CompletionKind::Keyword, rank::OWN, snippet);
                }
            }
            Context::Role => self.roles(rank::OWN),
            Context::Locals => {
                for bound in self.analysis.bound_at(self.file, self.place.offset) {
                    self.item(&bound.name, CompletionKind::Local, rank::LOCAL);
                }
            }
            Context::Transport { auth } => self.transports(*auth),
            Context::Pattern { ty, armed, binds } => self.patterns(*ty, armed, *binds),
            Context::Callable { call, approve } => {
                if *approve {
                    self.item("approve", CompletionKind::Keyword, rank::KEYWORD);
                }
                self.callables(*call);
            }
            Context::Value(value) => self.values(value),
        }
    }

    /// Names that a colon follows, without those that are given.
    fn named(&mut self, names: &[&str], given: &[String]) {
        let colon = self.place.follows == Follows::Colon;
        for name in names.iter().filter(|name| !given.iter().any(|known| known == *name)) {
            let item = self.item(name, CompletionKind::Policy, rank::ARGUMENT);
            if !colon {
                item.insert = format!("{name}: ");
            }
        }
    }

    #[expect(clippy::indexing_slicing, reason = "an element was pushed")]
    fn item(&mut self, label: &str, kind: CompletionKind, rank: u8) -> &mut Completion {
        self.out.push(Completion {
            label: label.to_owned(),
            kind,
            detail: None,
            docs: None,
            replace: self.place.word,
            insert: label.to_owned(),
            snippet: None,
            also: Vec::new(),
            rank,
        });
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    fn keyword(&mut self, word: &str) {
        self.item(word, CompletionKind::Keyword, rank::KEYWORD);
    }

    fn snippet(&mut self, word: &str, kind: CompletionKind, rank: u8, snippet: &str) {
        let snippet = match self.place.one_line {
            true => snippet.replace("{\n  ", "{ ").replace("\n}", " }"),
            false => snippet.to_owned(),
        };
        self.item(word, kind, rank).snippet = Some(snippet);
    }

    fn fields(&mut self, record: DefId, rank: u8) {
        let analysis = self.analysis;
        for (index, field) in (0u32..).zip(analysis.fields(record).unwrap_or_default()) {
            let docs = analysis.docs_of(Symbol::Field(record, index));
            let item = self.item(&field.name, CompletionKind::Field, rank);
            item.detail = Some(analysis.written(field));
            item.docs = docs;
        }
    }

    fn session(&mut self, session: DefId) {
        self.fields(session, rank::LOCAL);
        let item = self.item("id", CompletionKind::Field, rank::OWN);
        item.detail = Some("text".to_owned());
        item.docs = Some("What tells the session from others of its kind.".to_owned());
        let (name, text, docs) = builtin(Builtin::SessionSave);
        let bracket = self.place.follows == Follows::Bracket;
        let item = self.item(name, CompletionKind::Function, rank::OWN);
        item.detail = Some(text.to_owned());
        item.docs = Some(docs.to_owned());
        item.snippet = (!bracket).then(|| format!("{name}($0)"));
    }

    fn variants(&mut self, of: &'a Analysis, def: DefId, rank: u8) {
        let Some(DefKind::Enum(declared)) = of.def(def).map(|def| &def.kind) else { return };
        self.declared.extend((0u32..).zip(&declared.variants).map(|(index, variant)| Declared {
            name: &variant.name,
            qualified: None,
            kind: CompletionKind::Variant,
            rank,
            of,
            symbol: Symbol::Variant(def, index),
        }));
    }

    fn members(&mut self, name: &str, wanted: Members) {
        let library = std_library::library();
        let (of, module) = match self.analysis.module_named(self.file, name) {
            Some(module) => (self.analysis, module),
            None => match library.std_module(name).filter(|_| name != "prelude") {
                Some(module) => (library, module),
                None => return,
            },
        };
        self.form = match wanted {
            Members::Values => Form::Value,
            Members::Types => Form::Type,
            Members::Patterns => Form::Pattern { binds: true },
            Members::Callables { call: false } => Form::Name,
            Members::Sources | Members::Callables { call: true } => Form::Call,
        };
        let bracket = self.place.follows == Follows::Bracket;
        for (id, def) in of.members(module, false) {
            let fits = match (wanted, &def.kind) {
                (Members::Types, _) => is_type(def),
                (Members::Sources, _) => is_source(def),
                (Members::Callables { .. }, DefKind::Callable(_)) => !is_source(def),
                (Members::Patterns, DefKind::Record(_) | DefKind::Enum(_)) => true,
                (Members::Values, DefKind::Callable(_)) => !is_source(def) && !is_trigger(def),
                (Members::Values, DefKind::Record(_)) => true,
                (Members::Values, DefKind::Alias(_)) => of.is_checked_alias(id),
                (Members::Values, DefKind::Enum(_) | DefKind::Const { .. }) => !bracket,
                _ => false,
            };
            if fits {
                self.def(of, id, def, rank::LOCAL);
            }
            if matches!(wanted, Members::Values | Members::Patterns)
                && let DefKind::Enum(_) = def.kind
            {
                self.variants(of, id, rank::OWN);
            }
        }
        if bracket {
            self.drop_bare_variants();
        }
    }

    /// A declaration of `of`.
    fn def(&mut self, of: &'a Analysis, id: DefId, def: &'a Def, rank: u8) {
        let kind = match &def.kind {
            DefKind::Const { .. } | DefKind::Secret => CompletionKind::Constant,
            DefKind::Record(_) | DefKind::Session(_) => CompletionKind::Record,
            DefKind::Enum(_) => CompletionKind::Enum,
            DefKind::Alias(_) => CompletionKind::Type,
            DefKind::Model { .. } => CompletionKind::Role,
            DefKind::Callable(_) | DefKind::Test(_) => CompletionKind::Function,
        };
        let (name, symbol) = (def.name.as_str(), Symbol::Def(id));
        self.declared.push(Declared { name, qualified: None, kind, rank, of, symbol });
    }

    /// Modules of the package that a file does not import yet, by their paths: those that were read, and those of the
    /// listed files.
    fn siblings(&self) -> Vec<String> {
        let analysis = self.analysis;
        let own = analysis.source(self.file).map(|file| file.path.to_string());
        let read = analysis.compilation.files.iter().map(|(_, file)| file.path.to_string());
        let module = |path: String| {
            let path = path.strip_suffix(".kait")?;
            let is_name = |part: &str| {
                part.starts_with(|c: char| c.is_ascii_lowercase())
                    && part
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            };
            path.split('/').all(is_name).then(|| path.replace('/', "."))
        };
        let mut known = analysis.imported_paths(self.file);
        known.extend(own.and_then(module));
        let all = read.filter(|path| !path.starts_with("std/"));
        let all = all.chain((self.listed)()).filter_map(module);
        let mut names: Vec<String> = all.filter(|name| !known.contains(name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Behind `use`: modules of the package; and those of std, though they need no `use`.
    fn imports(&mut self) {
        for name in self.siblings() {
            self.item(&name, CompletionKind::Module, rank::OWN);
        }
        let known = self.analysis.imported_paths(self.file);
        let library = std_library::library();
        for (name, module) in std_library::modules() {
            if !known.iter().any(|known| known == name) {
                let item = self.item(name, CompletionKind::Module, rank::MODULE);
                item.docs = library.docs_of(Symbol::Module(module));
            }
        }
    }

    /// Modules of the package that are not imported yet, each with the `use` that it needs.
    fn not_yet_imported(&mut self) {
        let Some(tree) = self.analysis.tree(self.file).filter(|_| !self.typed.is_empty()) else {
            return;
        };
        for path in self.siblings() {
            let name = path.rsplit('.').next().unwrap_or(&path).to_owned();
            // Of two modules of one name only one can have it.
            if !holds(&name, &self.typed) || self.is_taken(&name) {
                continue;
            }
            let (at, text) = added_use(tree, &path);
            let place = Span::new(self.file, at, at);
            let dot = if self.place.follows == Follows::Dot { "" } else { "." };
            let item = self.item(&name, CompletionKind::Module, rank::MODULE);
            item.insert = format!("{name}{dot}");
            item.detail = Some(format!("use {path}"));
            item.also.push(TextEdit::new(place, text));
        }
    }

    /// Whether a name means something here already, so that it cannot be bound.
    fn is_taken(&self, name: &str) -> bool {
        let analysis = self.analysis;
        keywords::word_kind(name).is_reserved_word()
            || analysis.def_named(self.file, name).is_some()
            || analysis.imports(self.file).iter().any(|(known, _)| known == name)
            || std_library::modules().any(|(known, _)| known == name)
            || analysis.bound_at(self.file, self.place.offset).iter().any(|one| one.name == name)
    }

    /// The name for a value that a pattern binds: that of the field, or `_` where it means something already.
    fn binder<'n>(&self, name: &'n str) -> &'n str {
        if self.is_taken(name) { "_" } else { name }
    }

    /// A name that means nothing here yet.
    fn fresh(&self, name: &str) -> String {
        let mut fresh = name.to_owned();
        for number in 2..MAX_FRESH {
            if !self.is_taken(&fresh) {
                break;
            }
            fresh = format!("{name}_{number}");
        }
        fresh
    }

    /// What the brackets of a pattern hold: by position if that is clear, else by name.
    fn binders(&self, names: &[&str]) -> String {
        let stops = (1..).zip(names).map(|(stop, name)| {
            let binder = format!("${{{stop}:{}}}", self.binder(name));
            if names.len() > 2 { format!("{name}: {binder}") } else { binder }
        });
        stops.collect::<Vec<_>>().join(", ")
    }

    fn types(&mut self) {
        let analysis = self.analysis;
        if let Some(node) =
            self.place.owner.and_then(|id| analysis.def(id)).and_then(|def| analysis.decl_node(def))
            && let Some(params) = node.first_child(kait_syntax::SyntaxKind::TypeParams)
        {
            let names =
                params.tokens().filter(|token| token.kind() == kait_syntax::SyntaxKind::Uid);
            for token in names {
                self.item(token.text(), CompletionKind::TypeParameter, rank::LOCAL);
            }
        }
        for prim in Prim::ALL.into_iter().filter(|prim| !matches!(prim, Prim::Role | Prim::Secret))
        {
            let docs = primitive_docs(prim).to_owned();
            self.item(prim.as_str(), CompletionKind::Type, rank::OWN).docs = Some(docs);
        }
        self.form = Form::Type;
        self.in_scope(is_type, rank::OWN);
        self.modules(|analysis, module| {
            analysis.members(module, false).any(|(_, def)| is_type(def))
        });
        self.not_yet_imported();
    }

    /// The file's own declarations and the prelude's.
    fn in_scope(&mut self, wanted: impl Fn(&Def) -> bool, own_rank: u8) {
        let analysis = self.analysis;
        let own = analysis.module_of(self.file);
        for (module, rank) in [(own, own_rank), (analysis.std_module("prelude"), rank::PRELUDE)] {
            let Some(module) = module else { continue };
            for (id, def) in analysis.members(module, rank == own_rank) {
                if wanted(def) {
                    self.def(analysis, id, def, rank);
                }
            }
        }
    }

    fn modules(&mut self, wanted: impl Fn(&Analysis, ModuleId) -> bool) {
        let analysis = self.analysis;
        // A module is no value: its members are.
        let dot = if self.place.follows == Follows::Dot { "" } else { "." };
        for (name, module) in analysis.imports(self.file) {
            let Some(module) = module.filter(|module| wanted(analysis, *module)) else { continue };
            let docs = analysis.docs_of(Symbol::Module(module));
            let item = self.item(&name, CompletionKind::Module, rank::OWN);
            item.insert = format!("{name}{dot}");
            item.docs = docs;
        }
        for (name, module) in std_library::modules() {
            let library = std_library::library();
            if wanted(library, module) {
                let item = self.item(name, CompletionKind::Module, rank::MODULE);
                item.insert = format!("{name}{dot}");
                item.docs = library.docs_of(Symbol::Module(module));
                item.detail = Some("standard library".to_owned());
            }
        }
    }
}

/// A source of events, which nobody calls.
fn is_source(def: &Def) -> bool {
    let DefKind::Callable(callable) = &def.kind else { return false };
    matches!(&callable.kind, CallableKind::Extern { kind, .. } if kind == kait_stdlib::TRIGGER)
}

fn is_trigger(def: &Def) -> bool {
    matches!(&def.kind, DefKind::Callable(callable) if callable.kind == CallableKind::Trigger)
}

fn is_type(def: &Def) -> bool {
    matches!(def.kind, DefKind::Record(_) | DefKind::Enum(_) | DefKind::Alias(_))
}

impl Analysis {
    /// What must be given to make a record, with a stop at each value.
    fn record_stops(&self, def: DefId) -> String {
        let interner = &self.compilation.types.interner;
        let types = self.compilation.types.fields(def).unwrap_or_default();
        let mut out = String::new();
        let mut stop = 0;
        for (index, field) in self.fields(def).unwrap_or_default().iter().enumerate() {
            let optional = types.get(index).is_some_and(|ty| interner.is_optional(*ty));
            if field.default.is_some() || optional {
                continue;
            }
            stop += 1;
            let comma = if stop > 1 { ", " } else { "" };
            out.push_str(&format!("{comma}{}: ${stop}", field.name));
        }
        if out.is_empty() {
            out.push_str("$0");
        }
        out
    }

    /// What stands between the angle brackets of a type that takes arguments.
    fn type_stops(&self, def: DefId) -> Option<String> {
        let node = self.decl_node(self.def(def)?)?.first_child(SyntaxKind::TypeParams)?;
        let params = node.tokens().filter(|token| token.kind() == SyntaxKind::Uid).count();
        let stops: Vec<String> = (1..=params).map(|stop| format!("${stop}")).collect();
        (params > 0).then(|| stops.join(", "))
    }

    /// A field's type as it is written.
    pub(super) fn written(&self, field: &Field) -> String {
        crate::symbol::squeeze(self.compilation.files.slice(field.ty.span))
    }
}
