//! What each kind of place takes.
//!
//! A long file declares thousands of names. So first only names are collected, those that what is typed does not rule
//! out; what there is to say about a declaration is looked up for the few that are shown.

use kait_compiler::check::ty::{Prim, Ty, TyKind};
use kait_compiler::check::{PolicyPlace, policy_names};
use kait_compiler::diagnostics::FileId;
use kait_compiler::hir::{Builtin, CallableKind, Def, DefId, DefKind, Field, ModuleId};
use kait_syntax::keywords;

use super::context::{Arguments, Context, Value};
use super::{Completion, CompletionKind, Place};
use crate::hover::primitive_docs;
use crate::std_library;
use crate::symbol::builtin;
use crate::symbols::holds;
use crate::{Analysis, Symbol};

/// Most items of one rank that are shown: with more letters typed, others are asked for.
const MAX_OF_A_RANK: usize = 128;

/// Letters from which on functions of std are found by their own names.
const MIN_LETTERS: usize = 2;

/// Closest first.
mod rank {
    pub const ARGUMENT: u8 = 0;
    pub const LOCAL: u8 = 1;
    pub const OWN: u8 = 2;
    pub const PRELUDE: u8 = 3;
    pub const MODULE: u8 = 4;
    pub const KEYWORD: u8 = 5;
    pub const ELSEWHERE: u8 = 6;
}

pub(super) struct Items<'a> {
    analysis: &'a Analysis,
    file: FileId,
    place: Place,
    /// What is typed of the word, in lower case.
    typed: String,
    out: Vec<Completion>,
    declared: Vec<Declared<'a>>,
}

/// The name of a declaration or variant, before anything is looked up about it.
struct Declared<'a> {
    name: &'a str,
    kind: CompletionKind,
    rank: u8,
    of: &'a Analysis,
    symbol: Symbol,
}

impl<'a> Items<'a> {
    pub(super) fn new(analysis: &'a Analysis, file: FileId, place: Place) -> Self {
        let typed = analysis.compilation.files.slice(place.word).to_lowercase();
        Self { analysis, file, place, typed, out: Vec::new(), declared: Vec::new() }
    }

    pub(super) fn finish(mut self) -> Vec<Completion> {
        let typed = std::mem::take(&mut self.typed);
        let begins = |name: &str| name.to_lowercase().starts_with(&typed);
        let mut declared = std::mem::take(&mut self.declared);
        // Whatever is typed further only makes fewer of them fit.
        declared.retain(|one| typed.is_empty() || holds(&one.name.to_lowercase(), &typed));
        declared.sort_by_cached_key(|one| (one.rank, !begins(one.name), one.name));
        declared.dedup_by(|a, b| a.name == b.name && a.kind == b.kind);
        for some in declared.chunk_by(|a, b| a.rank == b.rank) {
            some.iter().take(MAX_OF_A_RANK).for_each(|one| self.describe(one));
        }
        // In broken text a field or parameter may lack its name.
        self.out.retain(|item| !item.label.is_empty() && holds(&item.label.to_lowercase(), &typed));
        self.out.sort_by_cached_key(|item| (item.rank, !begins(&item.label), item.label.clone()));
        self.out.dedup_by(|a, b| a.label == b.label && a.kind == b.kind);
        self.out
    }

    /// Adds a declaration with all that there is to say about it.
    fn describe(&mut self, one: &Declared<'_>) {
        let Declared { name, kind, rank, of, symbol } = *one;
        let bracket = self.place.bracket_follows;
        let signature = || of.signature_text(symbol).map(|(label, _)| label);
        let (detail, snippet) = match symbol {
            Symbol::Variant(def, index) => match of.variant(def, index) {
                Some(variant) if !variant.fields.is_empty() => {
                    (signature(), (!bracket).then(|| format!("{name}($0)")))
                }
                _ => (of.name_of(Symbol::Def(def)).map(str::to_owned), None),
            },
            Symbol::Def(id) => match of.def(id).map(|def| &def.kind) {
                Some(DefKind::Callable(callable)) => {
                    let stop = if callable.params.is_empty() { "()$0" } else { "($0)" };
                    (signature(), (!bracket).then(|| format!("{name}{stop}")))
                }
                Some(DefKind::Const { .. }) => {
                    (of.compilation.types.constant(id).map(|ty| of.show(ty, id)), None)
                }
                _ => (signature(), None),
            },
            _ => (None, None),
        };
        let item = self.item(name, kind, rank);
        item.docs = of.docs_of(symbol);
        item.detail = detail;
        item.snippet = snippet;
    }

    pub(super) fn add(&mut self, context: &Context) {
        match context {
            Context::Fields(ty) => {
                if let Some(record) = self.analysis.record_of(*ty) {
                    self.fields(record, rank::LOCAL);
                }
            }
            Context::Selector(record) => self.fields(*record, rank::LOCAL),
            Context::Session(session) => self.session(*session),
            Context::Members { module, types } => self.members(module, *types),
            Context::Variants(def) => self.variants(self.analysis, *def, rank::LOCAL),
            Context::Sources => {
                for source in kait_stdlib::sources() {
                    self.snippet(
                        source,
                        CompletionKind::Function,
                        rank::LOCAL,
                        &format!("{source}($0)"),
                    );
                }
            }
            Context::Imports => self.imports(&[]),
            Context::Type => self.types(),
            Context::Declaration { is_pub } => self.declarations(*is_pub),
            Context::Words(words) => words.iter().for_each(|word| self.keyword(word)),
            Context::Policies(place) => self.policies(*place),
            Context::PromptItem => {
                for (word, snippet) in [
                    ("model", "model $0"),
                    ("system", "system \"$0\""),
                    ("user", "user $0"),
                    ("assistant", "assistant $0"),
                    ("messages", "messages $0"),
                    ("tools", "tools [$0]"),
                ] {
                    self.snippet(word, CompletionKind::Keyword, rank::OWN, snippet);
                }
            }
            Context::Role => self.roles(),
            Context::Pattern(ty) => self.patterns(*ty),
            Context::Value(value) => self.values(value),
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
            rank,
        });
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    fn keyword(&mut self, word: &str) {
        self.item(word, CompletionKind::Keyword, rank::KEYWORD);
    }

    fn snippet(&mut self, word: &str, kind: CompletionKind, rank: u8, snippet: &str) {
        self.item(word, kind, rank).snippet = Some(snippet.to_owned());
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
        let bracket = self.place.bracket_follows;
        let item = self.item(name, CompletionKind::Function, rank::OWN);
        item.detail = Some(text.to_owned());
        item.docs = Some(docs.to_owned());
        item.snippet = (!bracket).then(|| format!("{name}($0)"));
    }

    fn variants(&mut self, of: &'a Analysis, def: DefId, rank: u8) {
        let Some(DefKind::Enum(declared)) = of.def(def).map(|def| &def.kind) else { return };
        self.declared.extend((0u32..).zip(&declared.variants).map(|(index, variant)| Declared {
            name: &variant.name,
            kind: CompletionKind::Variant,
            rank,
            of,
            symbol: Symbol::Variant(def, index),
        }));
    }

    fn members(&mut self, name: &str, types: bool) {
        let library = std_library::library();
        let (of, module) = match self.analysis.module_named(self.file, name) {
            Some(module) => (self.analysis, module),
            None => match library.std_module(name).filter(|_| name != "prelude") {
                Some(module) => (library, module),
                None => return,
            },
        };
        for (id, def) in of.members(module, false) {
            let is_type = is_type(def);
            if types && !is_type {
                continue;
            }
            self.def(of, id, def, rank::LOCAL);
            if !types && let DefKind::Enum(_) = def.kind {
                self.variants(of, id, rank::OWN);
            }
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
        self.declared.push(Declared { name: &def.name, kind, rank, of, symbol: Symbol::Def(id) });
    }

    /// Modules of the package: those that were read, and those of the listed files; and those of std, though they need
    /// no `use`.
    pub(super) fn imports(&mut self, listed: &[String]) {
        let analysis = self.analysis;
        let own = analysis.source(self.file).map(|file| file.path.to_string());
        let read = analysis.compilation.files.iter().map(|(_, file)| &*file.path);
        let module = |path: &str| {
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
        known.extend(own.as_deref().and_then(module));
        let all = read.filter(|path| !path.starts_with("std/"));
        let all = all.chain(listed.iter().map(String::as_str)).filter_map(module);
        let mut names: Vec<String> = all.filter(|name| !known.contains(name)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.item(&name, CompletionKind::Module, rank::OWN);
        }
        let library = std_library::library();
        for (name, module) in std_library::modules() {
            if name != "prelude" && !known.iter().any(|known| known == name) {
                let item = self.item(name, CompletionKind::Module, rank::MODULE);
                item.docs = library.docs_of(Symbol::Module(module));
            }
        }
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
        for name in [
            "text", "int", "float", "bool", "json", "time", "duration", "money", "size", "bytes",
            "image", "audio", "file", "none",
        ] {
            let docs = Prim::parse(name).map(|prim| primitive_docs(prim).to_owned());
            self.item(name, CompletionKind::Type, rank::PRELUDE).docs = docs;
        }
        self.in_scope(is_type, rank::OWN);
        self.modules(|analysis, module| {
            analysis.members(module, false).any(|(_, def)| is_type(def))
        });
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
        for (name, module) in analysis.imports(self.file) {
            let Some(module) = module.filter(|module| wanted(analysis, *module)) else { continue };
            let docs = analysis.docs_of(Symbol::Module(module));
            let item = self.item(&name, CompletionKind::Module, rank::OWN);
            item.docs = docs;
        }
        for (name, module) in std_library::modules() {
            let library = std_library::library();
            if wanted(library, module) {
                let item = self.item(name, CompletionKind::Module, rank::MODULE);
                item.docs = library.docs_of(Symbol::Module(module));
                item.detail = Some("standard library".to_owned());
            }
        }
    }

    fn declarations(&mut self, is_pub: bool) {
        for (word, snippet) in [
            ("fn", "fn ${1:name}($2) -> ${3:text} {\n  $0\n}"),
            ("graph", "graph ${1:name}($2) -> ${3:text} {\n  $0\n}"),
            ("prompt", "prompt ${1:name}($2) -> ${3:text} {\n  model ${4:role}\n  user $0\n}"),
            ("record", "record ${1:Name} {\n  $0\n}"),
            ("enum", "enum ${1:Name} {\n  $0\n}"),
            ("type", "type ${1:Name} = ${0:text}"),
            ("let", "let ${1:name} = $0"),
            ("extern", "extern ${1:name}($2) -> ${3:text} from ${4:process} \"$0\""),
        ] {
            self.snippet(word, CompletionKind::Keyword, rank::OWN, snippet);
        }
        if is_pub {
            return;
        }
        for (word, snippet) in [
            ("pub", "pub $0"),
            ("use", "use $0"),
            ("model", "model ${0:name}"),
            ("test", "test \"$1\" {\n  $0\n}"),
        ] {
            self.snippet(word, CompletionKind::Keyword, rank::OWN, snippet);
        }
    }

    fn policies(&mut self, place: PolicyPlace) {
        for name in policy_names(place) {
            let item = self.item(name, CompletionKind::Policy, rank::ARGUMENT);
            item.insert = format!("{name}: ");
        }
    }

    fn roles(&mut self) {
        self.in_scope(|def| matches!(def.kind, DefKind::Model { .. }), rank::OWN);
    }

    fn patterns(&mut self, ty: Option<Ty>) {
        let analysis = self.analysis;
        let interner = &analysis.compilation.types.interner;
        let Some(ty) = ty else {
            self.variants_in_scope(false);
            return;
        };
        let inner = interner.base(interner.present(ty));
        match interner.kind(inner) {
            TyKind::Named(def, _) => {
                self.variants(analysis, *def, rank::LOCAL);
                // Payloads are named in patterns.
                if let Some(DefKind::Record(record)) = analysis.def(*def).map(|def| &def.kind) {
                    let name = analysis.def(*def).map(|def| def.name.to_string());
                    let fields: Vec<&str> = record.fields.iter().map(|f| f.name.as_str()).collect();
                    let name = name.unwrap_or_default();
                    let snippet = format!("{name}({}: $0)", fields.first().unwrap_or(&""));
                    self.snippet(&name, CompletionKind::Record, rank::LOCAL, &snippet);
                }
            }
            TyKind::Prim(Prim::Bool) => {
                self.keyword("true");
                self.keyword("false");
            }
            _ => {}
        }
        if interner.is_optional(ty) {
            self.keyword("none");
        }
        self.keyword("_");
    }

    /// `Enum.` leads to a variant.
    fn own_enums(&mut self) {
        let analysis = self.analysis;
        let Some(own) = analysis.module_of(self.file) else { return };
        for (id, def) in analysis.members(own, true) {
            if matches!(def.kind, DefKind::Enum(_)) {
                self.def(analysis, id, def, rank::OWN);
            }
        }
    }

    /// Variants by their own names; those of the prelude's policies only where a policy's value stands.
    fn variants_in_scope(&mut self, policy: bool) {
        const OF_POLICIES: &[&str] = &["Overlap", "Missed"];
        let analysis = self.analysis;
        let own = analysis.module_of(self.file);
        for (module, rank) in [(own, rank::OWN), (analysis.std_module("prelude"), rank::PRELUDE)] {
            let Some(module) = module else { continue };
            for (id, def) in analysis.members(module, rank == rank::OWN) {
                let hidden = rank == rank::PRELUDE && !policy;
                if matches!(def.kind, DefKind::Enum(_))
                    && !(hidden && OF_POLICIES.contains(&def.name.as_str()))
                {
                    self.variants(analysis, id, rank);
                }
            }
        }
    }

    fn values(&mut self, value: &Value) {
        if let Some(arguments) = &value.arguments {
            self.arguments(arguments);
        }
        let analysis = self.analysis;
        if !value.callable {
            for bound in analysis.bound_at(self.file, self.place.offset) {
                let ty = bound.local.map(|(def, local)| {
                    analysis.show(analysis.compilation.types.ty_of_local(def, local), def)
                });
                self.item(&bound.name, CompletionKind::Local, rank::LOCAL).detail = ty;
            }
            let in_test = value.test || self.in_test();
            self.in_scope(
                |def| match &def.kind {
                    DefKind::Callable(callable) => match &callable.kind {
                        CallableKind::Trigger => in_test,
                        CallableKind::Extern { kind, .. } => kind != kait_stdlib::TRIGGER,
                        _ => true,
                    },
                    DefKind::Const { .. }
                    | DefKind::Record(_)
                    | DefKind::Secret
                    | DefKind::Alias(_) => true,
                    _ => false,
                },
                rank::OWN,
            );
            self.own_enums();
            self.variants_in_scope(value.policy);
            self.forms(value.test || self.in_test());
            self.value_words(value);
        } else {
            self.in_scope(|def| matches!(def.kind, DefKind::Callable(_)), rank::OWN);
        }
        self.modules(|_, _| true);
        self.std_by_name();
    }

    fn in_test(&self) -> bool {
        let def = self.place.owner.and_then(|id| self.analysis.def(id));
        def.is_some_and(|def| matches!(def.kind, DefKind::Test(_)))
    }

    fn arguments(&mut self, arguments: &Arguments) {
        for name in &arguments.variables {
            if !arguments.given.contains(name) {
                let item = self.item(name, CompletionKind::Argument, rank::ARGUMENT);
                item.insert = format!("{name}: ");
                item.detail = Some("variable of the loop".to_owned());
            }
        }
        if let Some(session) = arguments.session {
            let analysis = self.analysis;
            for field in analysis.fields(session).unwrap_or_default() {
                if !arguments.given.contains(&field.name.to_string()) {
                    let item = self.item(&field.name, CompletionKind::Argument, rank::ARGUMENT);
                    item.insert = format!("{}: ", field.name);
                    item.detail = Some(analysis.written(field));
                }
            }
            return;
        }
        let path: Vec<&str> = arguments.callee.iter().map(String::as_str).collect();
        let analysis = self.analysis;
        let (of, symbol) = match arguments.symbol {
            Some(symbol) => (analysis, symbol),
            None => match analysis.path_target(self.file, &path) {
                Some(target) => (target.analysis, target.symbol),
                None => return,
            },
        };
        let Some((label, params)) = of.signature_text(symbol) else { return };
        for param in params.iter().skip(arguments.positional) {
            if arguments.given.contains(&param.name) {
                continue;
            }
            let (start, end) = param.range;
            let item = self.item(&param.name, CompletionKind::Argument, rank::ARGUMENT);
            item.insert = format!("{}: ", param.name);
            item.detail = label.get(start..end).map(str::to_owned);
            item.docs.clone_from(&param.docs);
        }
    }

    /// Forms that are called like functions.
    fn forms(&mut self, in_test: bool) {
        let tests = [Builtin::Calls, Builtin::Attempts, Builtin::Called, Builtin::Order];
        let always = [Builtin::Ask, Builtin::Choose, Builtin::Allow, Builtin::Endorse];
        for form in always.into_iter().chain(tests.into_iter().filter(|_| in_test)) {
            let (name, text, docs) = builtin(form);
            let bracket = self.place.bracket_follows;
            let item = self.item(name, CompletionKind::Function, rank::PRELUDE);
            item.detail = Some(text.to_owned());
            item.docs = Some(docs.to_owned());
            item.snippet = (!bracket).then(|| format!("{name}($0)"));
        }
    }

    fn value_words(&mut self, value: &Value) {
        for word in ["true", "false", "none", "not", "try"] {
            self.keyword(word);
        }
        for (word, snippet) in [
            ("if", "if $1 {\n  $0\n}"),
            ("match", "match $1 {\n  $0\n}"),
            ("for", "for ${1:item} in $2 {\n  $0\n}"),
            ("loop", "loop ${1:state} = $2 max ${3:5} {\n  $0\n} else {\n  ${1:state}\n}"),
            ("race", "race {\n  $0\n}"),
            ("fail", "fail \"$0\""),
        ] {
            self.snippet(word, CompletionKind::Keyword, rank::KEYWORD, snippet);
        }
        if value.statement {
            self.snippet("let", CompletionKind::Keyword, rank::KEYWORD, "let ${1:name} = $0");
        }
        if value.in_loop {
            self.snippet("done", CompletionKind::Keyword, rank::KEYWORD, "done $0");
            self.snippet("next", CompletionKind::Keyword, rank::KEYWORD, "next($0)");
        }
        if value.test {
            self.snippet("expect", CompletionKind::Keyword, rank::KEYWORD, "expect $0");
            self.snippet("stub", CompletionKind::Keyword, rank::KEYWORD, "stub $1 => $0");
        }
    }

    /// `trim` finds `text.trim`.
    fn std_by_name(&mut self) {
        let word = self.analysis.compilation.files.slice(self.place.word);
        if word.len() < MIN_LETTERS || keywords::word_kind(word).is_reserved_word() {
            return;
        }
        let word = word.to_owned();
        let library = std_library::library();
        for (module, id) in std_library::modules() {
            for (def_id, def) in library.members(id, false) {
                let is_callable = matches!(def.kind, DefKind::Callable(_));
                if !is_callable || !def.name.starts_with(&word) {
                    continue;
                }
                let bracket = self.place.bracket_follows;
                let label = format!("{module}.{}", def.name);
                let symbol = Symbol::Def(def_id);
                let item = self.item(&label, CompletionKind::Function, rank::ELSEWHERE);
                item.detail = library.signature_text(symbol).map(|(label, _)| label);
                item.docs = library.docs_of(symbol);
                item.snippet = (!bracket).then(|| format!("{label}($0)"));
            }
        }
    }
}

fn is_type(def: &Def) -> bool {
    matches!(
        def.kind,
        DefKind::Record(_) | DefKind::Enum(_) | DefKind::Alias(_) | DefKind::Session(_)
    )
}

impl Analysis {
    /// A field's type as it is written.
    fn written(&self, field: &Field) -> String {
        crate::symbol::squeeze(self.compilation.files.slice(field.ty.span))
    }
}
