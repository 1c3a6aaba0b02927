//! What can stand where a value or a pattern does, and where a declaration begins.

use kait_compiler::check::ty::{Prim, Ty, TyKind};
use kait_compiler::hir::{Builtin, CallableKind, Def, DefId, DefKind};
use kait_syntax::keywords;

use super::super::context::{Arguments, Value};
use super::super::{CompletionKind, Follows};
use super::{Form, Items, is_source, rank};
use crate::std_library;
use crate::symbol::builtin;
use crate::{Analysis, Symbol};

/// Letters from which on functions of std are found by their own names.
const MIN_LETTERS: usize = 2;

/// Enums of the prelude whose variants are values of policies, and of nothing else.
const OF_POLICIES: &[&str] = &["Overlap", "Missed"];

impl Items<'_> {
    pub(super) fn declarations(&mut self, is_pub: bool) {
        let role = self.first_role();
        let prompt = format!(
            "prompt ${{1:name}}($2) -> ${{3:text}} {{\n  model ${{4:{role}}}\n  user \"$0\"\n}}"
        );
        let agent = format!(
            "agent ${{1:name}}($2) -> ${{3:text}} with (turns: ${{4:8}}, cost: ${{5:1usd}}) {{\n  model ${{6:{role}}}\n  user \"$0\"\n  tools []\n}}"
        );
        for (word, snippet) in [
            ("fn", "fn ${1:name}($2) -> ${3:text} {\n  $0\n}"),
            ("graph", "graph ${1:name}($2) -> ${3:text} {\n  $0\n}"),
            ("prompt", prompt.as_str()),
            ("agent", agent.as_str()),
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
            ("secret", "secret ${0:name}"),
            ("session", "session ${1:Name} {\n  $0\n}"),
            ("trigger", "trigger ${1:name} on ${2:startup()} {\n  $0\n}"),
            ("test", "test \"$1\" {\n  $0\n}"),
        ] {
            self.snippet(word, CompletionKind::Keyword, rank::OWN, snippet);
        }
    }

    /// The first model role of the file; a name for one if it has none.
    fn first_role(&self) -> String {
        let own = self.analysis.module_of(self.file);
        let mut members = own.into_iter().flat_map(|own| self.analysis.members(own, true));
        let role = members.find(|(_, def)| matches!(def.kind, DefKind::Model { .. }));
        role.map_or_else(|| "role".to_owned(), |(_, def)| def.name.to_string())
    }

    pub(super) fn roles(&mut self, rank: u8) {
        self.in_scope(|def| matches!(def.kind, DefKind::Model { .. }), rank);
    }

    /// Sources of events, by their whole names.
    pub(super) fn sources(&mut self) {
        for source in kait_stdlib::sources() {
            let snippet = match self.place.follows {
                Follows::Bracket => source.to_owned(),
                _ => format!("{source}($0)"),
            };
            self.snippet(source, CompletionKind::Function, rank::LOCAL, &snippet);
        }
    }

    /// Ways to send a secret or a key.
    pub(super) fn transports(&mut self, auth: bool) {
        for (name, is_key, snippet) in [
            ("bearer", false, "bearer($0)"),
            ("basic", false, "basic(\"$1\", $0)"),
            ("header", true, "header(\"$1\", $0)"),
            ("query", true, "query(\"$1\", $0)"),
        ] {
            if auth {
                self.snippet(name, CompletionKind::Function, rank::ARGUMENT, snippet);
            } else if is_key {
                let snippet = format!("{name}(\"$0\")");
                self.snippet(name, CompletionKind::Function, rank::ARGUMENT, &snippet);
            }
        }
    }

    pub(super) fn patterns(&mut self, ty: Option<Ty>, armed: &[String], binds: bool) {
        self.form = Form::Pattern { binds };
        // Before brackets only what holds something.
        let words = self.place.follows != Follows::Bracket;
        let analysis = self.analysis;
        let interner = &analysis.compilation.types.interner;
        let is_armed = |name: &str| armed.iter().any(|known| known == name);
        let Some(ty) = ty else {
            self.variants_in_scope(None);
            self.declared.retain(|one| !is_armed(one.name));
            if words && !is_armed("_") {
                self.keyword("_");
            }
            return;
        };
        let inner = interner.base(interner.present(ty));
        // What has its arm already would never run again.
        let mut left = true;
        match interner.kind(inner) {
            TyKind::Named(def, _) => match analysis.def(*def).map(|def| &def.kind) {
                Some(DefKind::Enum(_)) => {
                    self.variants(analysis, *def, rank::LOCAL);
                    self.declared.retain(|one| !is_armed(one.name));
                    self.qualify(*def);
                    left = !self.declared.is_empty();
                }
                Some(DefKind::Record(_)) => {
                    if let Some(record) = analysis.def(*def) {
                        self.def(analysis, *def, record, rank::LOCAL);
                    }
                }
                _ => {}
            },
            TyKind::Prim(Prim::Bool) if words => {
                left = false;
                for word in ["true", "false"].into_iter().filter(|word| !is_armed(word)) {
                    left = true;
                    self.keyword(word);
                }
            }
            _ => {}
        }
        if words && interner.is_optional(ty) && !is_armed("none") {
            left = true;
            self.keyword("none");
        }
        if words && left && !is_armed("_") {
            self.keyword("_");
        }
    }

    /// Variants of an enum of another module need the names of both: `shop.Size.Small`.
    fn qualify(&mut self, def: DefId) {
        let analysis = self.analysis;
        let Some(known) = analysis.def(def) else { return };
        let own = analysis.module_of(self.file) == Some(known.module);
        let is_prelude = analysis.std_module("prelude") == Some(known.module);
        if own || is_prelude {
            return;
        }
        let imports = analysis.imports(self.file);
        let name = imports.into_iter().find(|(_, module)| *module == Some(known.module));
        let name = name.map(|(name, _)| name).or_else(|| {
            let module = analysis.module(known.module)?;
            module.is_std.then(|| module.name.to_string())
        });
        // The type is known, so that a bare name is enough where its module has none here.
        if let Some(name) = name {
            self.prefix = format!("{name}.");
        }
    }

    /// Variants by their own names, first those that are wanted; those of the prelude's policies only if they are.
    fn variants_in_scope(&mut self, wanted: Option<DefId>) {
        let analysis = self.analysis;
        let own = analysis.module_of(self.file);
        let prelude = analysis.std_module("prelude");
        let mut names: rustc_hash::FxHashMap<&str, u32> = rustc_hash::FxHashMap::default();
        let enums = own.into_iter().flat_map(|own| analysis.members(own, true));
        let enums = enums.filter_map(|(id, def)| match &def.kind {
            DefKind::Enum(declared) => Some((id, def, declared)),
            _ => None,
        });
        let enums: Vec<_> = enums.collect();
        for variant in enums.iter().flat_map(|(_, _, declared)| &declared.variants) {
            *names.entry(variant.name.as_str()).or_default() += 1;
        }
        for (id, def, _) in &enums {
            let first = self.declared.len();
            let is_wanted = wanted == Some(*id);
            self.variants(analysis, *id, if is_wanted { rank::WANTED } else { rank::OWN });
            if is_wanted {
                continue;
            }
            // A name that several enums have says which one only where one of them is wanted.
            for one in self.declared.iter_mut().skip(first) {
                if names.get(one.name).is_some_and(|count| *count > 1) {
                    one.qualified = Some(def.name.as_str());
                }
            }
        }
        for (id, def) in prelude.into_iter().flat_map(|module| analysis.members(module, false)) {
            let is_wanted = wanted == Some(id);
            let hidden = !is_wanted && OF_POLICIES.contains(&def.name.as_str());
            if matches!(def.kind, DefKind::Enum(_)) && !hidden {
                let first = self.declared.len();
                self.variants(analysis, id, if is_wanted { rank::WANTED } else { rank::ELSEWHERE });
                if !is_wanted {
                    // The file's own names win.
                    let mut place = 0;
                    self.declared.retain(|one| {
                        place += 1;
                        place <= first || !names.contains_key(one.name)
                    });
                }
            }
        }
    }

    /// Of variants only those that hold something can be called.
    pub(super) fn drop_bare_variants(&mut self) {
        self.declared.retain(|one| match one.symbol {
            Symbol::Variant(def, index) => {
                one.of.variant(def, index).is_some_and(|variant| !variant.fields.is_empty())
            }
            _ => true,
        });
    }

    /// What can be called by its name, where only the name stands or a pattern of a call.
    pub(super) fn callables(&mut self, call: bool) {
        self.form = if call { Form::Call } else { Form::Name };
        let in_test = self.in_test();
        // Before a dot stands a module.
        let module = self.place.follows == Follows::Dot;
        self.in_scope(
            |def| match &def.kind {
                _ if module => false,
                DefKind::Callable(callable) => match &callable.kind {
                    CallableKind::Trigger => in_test && !call,
                    _ => !is_source(def),
                },
                _ => false,
            },
            rank::OWN,
        );
        self.modules(|analysis, module| {
            analysis.members(module, false).any(|(_, def)| is_callable(def))
        });
        self.std_by_name();
        self.not_yet_imported();
    }

    pub(super) fn values(&mut self, value: &Value) {
        self.form = Form::Value;
        if let Some(arguments) = &value.arguments
            && self.place.follows != Follows::Dot
        {
            self.arguments(arguments);
            // Before a colon stands a name.
            if self.place.follows == Follows::Colon {
                return;
            }
        }
        let next = value.arguments.as_ref().is_some_and(|known| !known.variables.is_empty());
        if !value.by_position || next {
            return;
        }
        let analysis = self.analysis;
        let called = self.place.follows == Follows::Bracket;
        let wanted = value.wanted;
        let interner = &analysis.compilation.types.interner;
        let is_wanted =
            |prim: Prim| wanted.is_some_and(|ty| interner.base(interner.present(ty)) == prim.ty());
        let in_test = value.test || self.in_test();
        if !called {
            for bound in analysis.bound_at(self.file, self.place.offset) {
                let ty = bound
                    .local
                    .map(|(def, local)| (def, analysis.compilation.types.ty_of_local(def, local)));
                let fits = ty.is_some_and(|(_, ty)| self.fits(ty, wanted));
                let rank = if fits { rank::WANTED } else { rank::LOCAL };
                self.item(&bound.name, CompletionKind::Local, rank).detail =
                    ty.map(|(def, ty)| analysis.show(ty, def));
            }
            let session = self.place.owner.and_then(|owner| analysis.session_of(owner));
            if session.is_some() {
                let dot = if self.place.follows == Follows::Dot { "" } else { "." };
                self.item("session", CompletionKind::Local, rank::OWN).insert =
                    format!("session{dot}");
            }
        }
        let secrets = is_wanted(Prim::Secret) || value.arguments.as_ref().is_some_and(sends);
        self.in_scope(
            |def| match &def.kind {
                DefKind::Callable(callable) => match &callable.kind {
                    CallableKind::Trigger => in_test,
                    _ => !is_source(def),
                },
                DefKind::Record(_) => true,
                DefKind::Enum(_) | DefKind::Const { .. } => !called,
                DefKind::Secret => secrets && !called,
                DefKind::Model { .. } => is_wanted(Prim::Role) && !called,
                _ => false,
            },
            rank::OWN,
        );
        self.checked_aliases();
        // Of the prelude's enums the variants are enough.
        self.declared
            .retain(|one| !matches!((one.rank, one.kind), (rank::PRELUDE, CompletionKind::Enum)));
        let of = wanted.and_then(|ty| match interner.kind(interner.base(interner.present(ty))) {
            TyKind::Named(def, _) => Some(*def),
            _ => None,
        });
        self.variants_in_scope(of);
        if called || self.place.follows == Follows::Dot {
            self.drop_bare_variants();
        }
        self.rank_wanted(wanted);
        self.forms(in_test);
        if self.place.follows != Follows::Bracket && self.place.follows != Follows::Dot {
            self.value_words(value, is_wanted(Prim::Bool));
        }
        self.modules(|_, _| true);
        self.std_by_name();
        self.not_yet_imported();
    }

    /// Aliases that check: `OrderId("ord_1")`.
    fn checked_aliases(&mut self) {
        let analysis = self.analysis;
        let Some(own) = analysis.module_of(self.file) else { return };
        for (id, def) in analysis.members(own, true) {
            if matches!(def.kind, DefKind::Alias(_)) && analysis.is_checked_alias(id) {
                self.def(analysis, id, def, rank::OWN);
            }
        }
    }

    /// Whether a value of a type is of the type that is wanted.
    fn fits(&self, ty: Ty, wanted: Option<Ty>) -> bool {
        let interner = &self.analysis.compilation.types.interner;
        let plain = |ty: Ty| interner.base(interner.present(ty));
        ty != Ty::ERROR && wanted.is_some_and(|wanted| plain(wanted) == plain(ty))
    }

    /// Puts first what gives a value of the wanted type.
    fn rank_wanted(&mut self, wanted: Option<Ty>) {
        if wanted.is_none() {
            return;
        }
        let analysis = self.analysis;
        let types = &analysis.compilation.types;
        let interner = &types.interner;
        let mut declared = std::mem::take(&mut self.declared);
        for one in declared.iter_mut().filter(|one| std::ptr::eq(one.of, analysis)) {
            let Symbol::Def(def) = one.symbol else { continue };
            let gives = match analysis.def(def).map(|def| &def.kind) {
                Some(DefKind::Callable(_)) => types.signature(def).map(|known| known.result),
                Some(DefKind::Const { .. }) => types.constant(def),
                Some(DefKind::Model { .. }) => Some(Prim::Role.ty()),
                Some(DefKind::Secret) => Some(Prim::Secret.ty()),
                Some(DefKind::Record(_) | DefKind::Enum(_)) => {
                    let plain = wanted.map(|ty| interner.kind(interner.base(interner.present(ty))));
                    let same = matches!(plain, Some(TyKind::Named(known, _)) if *known == def);
                    wanted.filter(|_| same)
                }
                _ => None,
            };
            if gives.is_some_and(|ty| self.fits(ty, wanted)) {
                one.rank = rank::WANTED;
            }
        }
        self.declared = declared;
    }

    fn in_test(&self) -> bool {
        let def = self.place.owner.and_then(|id| self.analysis.def(id));
        def.is_some_and(|def| matches!(def.kind, DefKind::Test(_)))
    }

    fn arguments(&mut self, arguments: &Arguments) {
        let analysis = self.analysis;
        // Name, what is said of it, documentation.
        let mut names: Vec<(String, Option<String>, Option<String>)> = Vec::new();
        for name in &arguments.variables {
            names.push((name.clone(), Some("variable of the loop".to_owned()), None));
        }
        let path: Vec<&str> = arguments.callee.iter().map(String::as_str).collect();
        if let Some(session) = arguments.session {
            for field in analysis.fields(session).unwrap_or_default() {
                names.push((field.name.to_string(), Some(analysis.written(field)), None));
            }
        } else {
            let target = match arguments.symbol {
                Some(symbol) => Some((analysis, symbol)),
                None => analysis
                    .path_target(self.file, &path)
                    .map(|target| (target.analysis, target.symbol)),
            };
            let signature = target.and_then(|(of, symbol)| of.signature_text(symbol));
            if let Some((label, params)) = signature {
                for param in params.into_iter().skip(arguments.positional) {
                    let (start, end) = param.range;
                    let detail = label.get(start..end).map(str::to_owned);
                    names.push((param.name, detail, param.docs));
                }
            }
        }
        let colon = self.place.follows == Follows::Colon;
        for (name, detail, docs) in names {
            if arguments.given.contains(&name) {
                continue;
            }
            let item = self.item(&name, CompletionKind::Argument, rank::ARGUMENT);
            if !colon {
                item.insert = format!("{name}: ");
            }
            item.detail = detail;
            item.docs = docs;
        }
    }

    /// Forms that are called like functions.
    fn forms(&mut self, in_test: bool) {
        let tests = [Builtin::Calls, Builtin::Attempts, Builtin::Called, Builtin::Order];
        let always = [Builtin::Ask, Builtin::Choose, Builtin::Allow, Builtin::Endorse];
        for form in always.into_iter().chain(tests.into_iter().filter(|_| in_test)) {
            let (name, text, docs) = builtin(form);
            let bracket = self.place.follows == Follows::Bracket;
            let item = self.item(name, CompletionKind::Function, rank::PRELUDE);
            item.detail = Some(text.to_owned());
            item.docs = Some(docs.to_owned());
            item.snippet = (!bracket).then(|| format!("{name}($0)"));
        }
    }

    fn value_words(&mut self, value: &Value, wants_bool: bool) {
        for word in ["none", "not", "try"] {
            self.keyword(word);
        }
        for word in ["true", "false"] {
            let rank = if wants_bool { rank::WANTED } else { rank::KEYWORD };
            self.item(word, CompletionKind::Keyword, rank);
        }
        let (item, state) = (self.fresh("item"), self.fresh("state"));
        let each = format!("for ${{1:{item}}} in $2 {{\n  $0\n}}");
        let rounds = format!(
            "loop ${{1:{state}}} = $2 max ${{3:5}} {{\n  $0\n}} else {{\n  ${{1:{state}}}\n}}"
        );
        for (word, snippet) in [
            ("if", "if $1 {\n  $0\n}"),
            ("match", "match $1 {\n  $0\n}"),
            ("for", each.as_str()),
            ("loop", rounds.as_str()),
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
                if !is_callable(def) || !def.name.starts_with(&word) {
                    continue;
                }
                let bracket = self.place.follows == Follows::Bracket || self.form == Form::Name;
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

/// Whether a program can call it by its name.
fn is_callable(def: &Def) -> bool {
    matches!(def.kind, DefKind::Callable(_)) && !is_source(def)
}

/// Whether a form says how a secret is sent.
fn sends(arguments: &Arguments) -> bool {
    let form = |form| matches!(arguments.symbol, Some(Symbol::Builtin(known)) if known == form);
    [Builtin::Bearer, Builtin::Basic, Builtin::Header, Builtin::Query].into_iter().any(form)
}

impl Analysis {
    /// Whether a declared type is made from a value of another one, which is checked.
    pub(super) fn is_checked_alias(&self, def: DefId) -> bool {
        let types = &self.compilation.types;
        let Some(kait_compiler::check::DefTypes::Alias(ty)) = types.defs.get(def.index()) else {
            return false;
        };
        matches!(types.interner.kind(*ty), TyKind::Refined { alias: Some(known), .. } if *known == def)
    }
}
