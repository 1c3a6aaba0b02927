//! Names that nobody declared. One mistake makes one error: the uses of one unknown name are one finding.

use std::sync::LazyLock;

use kait_syntax::TextRange;
use kait_syntax::ast;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::Lowerer;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Edit, MAX_PER_FILE, Span};
use crate::hir::{DefId, ModuleId};
use crate::names::{
    added_use, foreign_member, foreign_type, is_planned_member, is_planned_module, module_name,
    our_member, suggest,
};

/// Places of the same unknown name that are shown besides the first.
const MAX_SHOWN: usize = 3;

/// Unknown names of a module, until it is done.
#[derive(Debug, Default)]
pub(super) struct Unknowns {
    /// With the name that is unknown, and where else it stands.
    found: Vec<(Diagnostic, (Code, SmolStr), Vec<Span>)>,
    known: FxHashMap<(Code, SmolStr), usize>,
    asked: usize,
    /// Names of declarations that would be known but for a mistake that was reported.
    expected: Vec<(DefId, SmolStr)>,
}

impl Unknowns {
    /// Whether there are so many that no more are shown: then guesses are not worth their time.
    fn is_full(&self) -> bool {
        self.found.len() > MAX_PER_FILE
    }

    /// How often a name was unknown.
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// Whether the name was reported; then this place is added to it.
    pub(super) fn again(&mut self, code: Code, name: &str, span: Span) -> bool {
        self.asked += 1;
        let Some(index) = self.known.get(&(code, SmolStr::new(name))) else { return false };
        if let Some((_, _, places)) = self.found.get_mut(*index) {
            places.push(span);
        }
        true
    }

    pub(super) fn add(&mut self, code: Code, name: &str, finding: Diagnostic) {
        self.asked += 1;
        let key = (code, SmolStr::new(name));
        self.known.insert(key.clone(), self.found.len());
        self.found.push((finding, key, Vec::new()));
    }

    /// Remembers that a name is not known because of something that was reported.
    pub(super) fn expect(&mut self, def: DefId, name: &str) {
        self.expected.push((def, name.into()));
    }

    /// The place to come back to with [`Self::forget`].
    pub(super) fn mark(&self) -> usize {
        self.found.len()
    }

    /// Drops what was found since: it follows from something else.
    pub(super) fn forget(&mut self, mark: usize) {
        for (_, key, _) in self.found.drain(mark.min(self.found.len())..) {
            self.known.remove(&key);
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.known.clear();
    }

    pub(super) fn flush(&mut self, diagnostics: &mut Diagnostics) {
        self.known.clear();
        self.expected.clear();
        for (mut finding, _, places) in self.found.drain(..) {
            for place in places.iter().take(MAX_SHOWN) {
                finding = finding.label(*place, "also used here");
            }
            if places.len() > MAX_SHOWN {
                let more = places.len() - MAX_SHOWN;
                finding = finding.note(format!("it is also used in {more} other places"));
            }
            // A rename that is offered for the first place is offered for all.
            let at = finding.primary.span;
            for fix in &mut finding.fixes {
                if let [edit] = fix.edits.as_slice()
                    && edit.span == at
                {
                    let insert = edit.insert.clone();
                    fix.edits.extend(places.iter().map(|place| Edit::new(*place, insert.clone())));
                }
            }
            diagnostics.push(finding);
        }
    }
}

impl Lowerer<'_> {
    /// Whether an enum that can be named without its module has this variant.
    pub(super) fn is_variant(&self, name: &str) -> bool {
        let own = self.names.scope(self.module).into_iter();
        own.chain(self.names.prelude_scope())
            .flat_map(|scope| scope.types.values())
            .filter_map(|def| self.names.head(*def))
            .any(|head| head.variants.iter().any(|variant| variant == name))
    }

    /// Whether a name stands further down in its declaration, not behind a dot.
    pub(super) fn is_used_below(&self, token: kait_syntax::SyntaxToken<'_>) -> bool {
        let declaration = token.parent().ancestors().filter(|node| node.parent().is_some()).last();
        let mut after_dot = false;
        declaration.unwrap_or_else(|| token.parent()).descendant_tokens().any(|other| {
            let is_field = std::mem::replace(&mut after_dot, other.text().ends_with('.'));
            other.range().start() >= token.range().end()
                && other.text() == token.text()
                && !is_field
        })
    }

    /// Whether a name may be missing only because of an earlier mistake.
    fn may_follow(&self, name: &str) -> bool {
        self.names
            .scope(self.module)
            .is_some_and(|scope| scope.is_incomplete || scope.damaged_words.contains(name))
    }

    /// Whether a bare upper-case name may have been declared in text that could not be read.
    pub(super) fn may_be_damaged(&self, name: &str) -> bool {
        self.names.scope(self.module).is_some_and(|scope| scope.damaged_words.contains(name))
    }

    /// Reports a lower-case name that is no local, value or module.
    pub(super) fn unknown_value(&mut self, name: &str, span: Span, called: bool) {
        let follows = |known: &(DefId, SmolStr)| known.0 == self.def && known.1 == name;
        if self.may_follow(name) || self.unknown.expected.iter().any(follows) {
            return;
        }
        let here = format!("{name} {}", self.def.0);
        if self.unknown.again(Code::UsedTooEarly, &here, span)
            || self.unknown.again(Code::UnknownName, name, span)
        {
            return;
        }
        if self.unknown.is_full() {
            let message = format!("`{name}` is not known here");
            let finding = Diagnostic::new(Code::UnknownName, span, message);
            self.unknown.add(Code::UnknownName, name, finding);
            return;
        }
        if let Some(finding) = self.used_too_early(name, span) {
            self.unknown.add(Code::UsedTooEarly, &here, finding);
            return;
        }
        let hidden = self.hidden_params.into_iter().flat_map(kait_syntax::ast::Params::params);
        if hidden.filter_map(kait_syntax::ast::Param::name).any(|param| param.text() == name) {
            let finding = Diagnostic::new(
                Code::DefaultUsesParameter,
                span,
                format!("a default value cannot use the parameter `{name}`"),
            )
            .help("make the parameter optional, and use `??` in the body");
            self.report(finding);
            return;
        }
        if let Some((_, place, is_damaged)) =
            self.header_params.iter().find(|(own, ..)| own == name)
        {
            // What it was meant to be is not known.
            if !is_damaged {
                let message = format!("`{name}` is a parameter, which a header does not see");
                let finding = Diagnostic::new(Code::UnknownName, span, message)
                    .here("a header is read before anything is called")
                    .label(*place, "its value comes with each call")
                    .help("declare what is always sent at the top of the file: `secret name`");
                self.unknown.add(Code::UnknownName, name, finding);
            }
            return;
        }
        if self.foreign_name(name, span) {
            return;
        }
        let mut finding =
            Diagnostic::new(Code::UnknownName, span, format!("`{name}` is not known here"));
        if is_planned_module(name) {
            let what = format!("the standard module `{name}`");
            self.unknown.add(Code::UnknownName, name, Diagnostic::not_supported(span, &what));
            return;
        }
        let variant = kait_syntax::upper_camel(name);
        if let Some(words) = foreign_function(name).filter(|_| called) {
            finding = finding.help(words);
        } else if !called && name.len() > 1 && self.is_variant(&variant) {
            finding = did_you_mean(finding, span, &variant);
        } else if let Some(near) = self.similar_value(name, self.is_before_dot(span)) {
            finding = did_you_mean(finding, span, &near);
        } else if let Some(module) = called.then(|| std_module_with(name)).flatten() {
            let full = format!("{module}.{name}");
            finding = did_you_mean(finding, span, &full);
        } else if called {
            finding = finding.help("declare it with `fn`, `graph`, `prompt` or `extern`");
        } else if self.is_person(span) {
            finding = finding
                .help("write who is asked in quotes")
                .guess(format!("write `\"{name}\"`"), vec![Edit::new(span, format!("\"{name}\""))]);
        } else if let Some(event) = self.event_place(span) {
            finding = finding
                .help(format!(
                    "to read the event of the trigger, give it a name and its type: `on source(…) as {name}: Type`"
                ))
                .label(event, "the event has no name");
        } else {
            finding = finding.help(format!("give it a value above this place: `let {name} = …`"));
        }
        self.unknown.add(Code::UnknownName, name, finding);
    }

    /// Reports a name that other languages give a meaning, such as `null`.
    pub(super) fn foreign_name(&mut self, name: &str, span: Span) -> bool {
        let Some((code, ours, words)) = kait_syntax::foreign_name(name) else { return false };
        let code = Code::parse(code.as_str()).unwrap_or(Code::UnknownName);
        let mut finding = Diagnostic::new(code, span, words);
        if let Some(ours) = ours {
            finding = finding.fix(format!("write `{ours}`"), vec![Edit::new(span, ours)]);
        }
        self.report(finding);
        true
    }

    /// Whether a name stands where a person or a role of people is named: `approve:`, `to:`.
    fn is_person(&self, span: Span) -> bool {
        let Some(file) = self.files.get(self.file) else { return false };
        let place = TextRange::new(span.start.into(), span.end.into());
        let arg = file.tree.covering_node(place).ancestors().find_map(ast::Arg::cast);
        arg.and_then(ast::Arg::name).is_some_and(|name| matches!(name.text(), "approve" | "to"))
            && arg.and_then(ast::Arg::value).is_some_and(|value| value.range() == place)
    }

    /// The source of the trigger around a place, if its event has no name and the place goes on with a dot.
    fn event_place(&self, span: Span) -> Option<Span> {
        let file = self.files.get(self.file).filter(|_| self.is_before_dot(span))?;
        let place = TextRange::new(span.start.into(), span.end.into());
        let mut around = file.tree.covering_node(place).ancestors();
        let trigger = around.find_map(ast::Trigger::cast)?;
        if trigger.event().is_some() {
            return None;
        }
        Some(self.span(trigger.source()?.syntax().range()))
    }

    /// Whether the text goes on with a dot: then a module may be meant.
    fn is_before_dot(&self, span: Span) -> bool {
        let text = self.files.get(self.file).map(|file| file.text());
        text.and_then(|text| text.get(span.end as usize..))
            .is_some_and(|rest| rest.starts_with('.'))
    }

    fn similar_value(&self, name: &str, with_modules: bool) -> Option<String> {
        let scope = self.names.scope(self.module)?;
        let mut locals: Vec<&str> = self.locals.names().collect();
        locals.sort_unstable();
        let modules = scope.modules.keys().filter(|_| with_modules);
        let mut values: Vec<&str> =
            scope.values.keys().chain(modules).map(SmolStr::as_str).collect();
        values.sort_unstable();
        let std_modules = kait_stdlib::modules().iter().filter(|_| with_modules);
        let prelude = self.names.prelude_scope().into_iter().flat_map(|scope| scope.values.keys());
        let all = locals
            .into_iter()
            .chain(values)
            .chain(prelude.map(SmolStr::as_str))
            .chain(super::forms::BUILTINS.iter().map(|(name, _)| *name))
            .chain(std_modules.map(|(name, _)| *name));
        suggest(name, all).map(str::to_owned)
    }

    /// Reports a module that does not exist, in front of a dot.
    pub(super) fn unknown_module(&mut self, name: &str, span: Span) {
        if self.may_follow(name) || self.unknown.again(Code::UnknownModule, name, span) {
            return;
        }
        if is_planned_module(name) {
            let what = format!("the standard module `{name}`");
            self.unknown.add(Code::UnknownModule, name, Diagnostic::not_supported(span, &what));
            return;
        }
        if let Some(finding) = self.not_imported(name, span) {
            self.unknown.add(Code::UnknownModule, name, finding);
            return;
        }
        let mut finding =
            Diagnostic::new(Code::UnknownModule, span, format!("there is no module `{name}`"));
        let near = self.names.scope(self.module).filter(|_| !self.unknown.is_full());
        let near = near.and_then(|scope| {
            let mut own: Vec<&str> = scope.modules.keys().map(SmolStr::as_str).collect();
            own.sort_unstable();
            let std = kait_stdlib::modules().iter().map(|(name, _)| *name);
            suggest(name, own.into_iter().chain(std))
        });
        finding = match near {
            Some(near) => did_you_mean(finding, span, near),
            None if matches!(name, "env" | "environ" | "process" | "os" | "sys" | "settings") => {
                finding.help("a program does not read its surroundings: take what it needs as a parameter, a key as a `secret`")
            }
            None if matches!(name, "console" | "logger" | "logging") => {
                finding.help("`out.status(text)` tells what goes on")
            }
            None => finding.help(format!(
                "if it is a file of this package, write `use {name}` at the top of this file"
            )),
        };
        self.unknown.add(Code::UnknownModule, name, finding);
    }

    /// A module of the package that the file only does not import.
    fn not_imported(&mut self, name: &str, span: Span) -> Option<Diagnostic> {
        let sources = self.sources;
        let listed = self.listed.get_or_insert_with(|| {
            let mut all: Vec<_> = sources.list().iter().map(|path| module_name(path)).collect();
            all.sort_unstable();
            all.dedup();
            all
        });
        let own = self.names.modules.get(self.module.index()).map(|module| &module.shown);
        let here: Vec<&SmolStr> = listed
            .iter()
            .filter(|path| path.rsplit('.').next() == Some(name) && Some(*path) != own)
            .collect();
        let file = self.files.get(self.file)?;
        let finding = Diagnostic::new(
            Code::UnknownModule,
            span,
            format!("the module `{name}` is not imported"),
        );
        let add = |path: &str| {
            let (at, text) = added_use(&file.tree, path);
            let title = format!("add `use {path}`");
            (title, vec![Edit::new(Span::new(self.file, at, at), text)])
        };
        match here.as_slice() {
            [] => None,
            [path] => {
                let (title, edits) = add(path);
                let help = format!("write `use {path}` at the top of the file");
                Some(finding.help(help).fix(title, edits))
            }
            several => {
                let all: Vec<String> = several.iter().map(|path| format!("`{path}`")).collect();
                let help = format!("import the one that is meant: {}", all.join(" or "));
                Some(several.iter().take(MAX_SHOWN).fold(finding.help(help), |finding, path| {
                    let (title, edits) = add(path);
                    finding.guess(title, edits)
                }))
            }
        }
    }

    /// Reports a name that a module does not have.
    pub(super) fn unknown_member(&mut self, module: ModuleId, name: &str, span: Span) {
        let Some(scope) = self.names.scope(module) else { return };
        if scope.damaged_words.contains(name) || scope.is_incomplete {
            return;
        }
        let module_name = self.names.module_name(module).to_owned();
        let key = format!("{module_name}.{name}");
        if self.unknown.again(Code::UnknownMember, &key, span) {
            return;
        }
        if let Some(why) = self.names.left_out(module, name) {
            let message = format!("the tool `{name}` of `{module_name}` cannot be called: {why}");
            let finding = Diagnostic::new(Code::UnfitTool, span, message)
                .here("no declaration can say what it takes")
                .help("its server would have to describe it in another way");
            self.unknown.add(Code::UnknownMember, &key, finding);
            return;
        }
        if is_planned_member(&module_name, name) {
            let finding = Diagnostic::not_supported(span, &format!("`{key}`"));
            self.unknown.add(Code::UnknownMember, &key, finding);
            return;
        }
        if self.unknown.is_full() {
            let message = format!("the module `{module_name}` has no `{name}`");
            let finding = Diagnostic::new(Code::UnknownMember, span, message);
            self.unknown.add(Code::UnknownMember, &key, finding);
            return;
        }
        let mut names: Vec<&str> = scope
            .values
            .iter()
            .chain(&scope.types)
            .filter(|(_, def)| self.names.is_visible(**def, self.module))
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        let mut finding = Diagnostic::new(
            Code::UnknownMember,
            span,
            format!("the module `{module_name}` has no `{name}`"),
        );
        if let Some(words) = foreign_member(name) {
            finding = finding.help(words);
        } else if let Some(near) = our_member(&kait_syntax::snake(name))
            .filter(|ours| names.contains(ours))
            .or_else(|| suggest(name, names.iter().copied()))
            .or_else(|| {
                let sets = matches!(name, "put" | "set" | "insert" | "update" | "assoc");
                (sets && names.contains(&"merge")).then_some("merge")
            })
            .or_else(|| (name == "get" && names.contains(&"request")).then_some("request"))
        {
            finding = did_you_mean(finding, span, near);
        } else if let Some(other) = std_module_with(name) {
            finding = finding.help(format!("did you mean `{other}.{name}`?"));
        } else {
            // A name in lower case is called or read; types would only be in the way.
            let upper = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
            names.retain(|one| upper(one) == upper(name));
            if !names.is_empty() && names.len() <= 24 {
                finding = finding.help(format!("it has `{}`", names.join("`, `")));
            }
        }
        self.unknown.add(Code::UnknownMember, &key, finding);
    }

    /// Reports a type that does not exist.
    pub(super) fn unknown_type(&mut self, name: &str, span: Span) {
        if self.may_follow(name) || self.unknown.again(Code::UnknownType, name, span) {
            return;
        }
        let mut finding =
            Diagnostic::new(Code::UnknownType, span, format!("there is no type `{name}`"));
        if let Some(ours) = foreign_type(name) {
            finding = finding.fix(format!("write `{ours}`"), vec![Edit::new(span, ours)]);
        } else if self.unknown.is_full() {
            // Nobody will read it.
        } else if let Some(words) = foreign_container(name) {
            finding = finding.help(words);
        } else if let [module] = std_modules_with_type(name) {
            finding = did_you_mean(finding, span, &format!("{module}.{name}"));
        } else if let [one, other, ..] = std_modules_with_type(name) {
            finding = finding.help(format!("did you mean `{one}.{name}` or `{other}.{name}`?"));
        } else if let Some(near) = self.similar_type(name) {
            finding = did_you_mean(finding, span, &near);
        } else {
            finding = finding.help("declare it with `record`, `enum` or `type`");
        }
        self.unknown.add(Code::UnknownType, name, finding);
    }

    fn similar_type(&self, name: &str) -> Option<String> {
        let scope = self.names.scope(self.module)?;
        let mut own: Vec<&str> = scope.types.keys().map(SmolStr::as_str).collect();
        own.sort_unstable();
        let prelude = self.names.prelude_scope().into_iter().flat_map(|scope| scope.types.keys());
        let mut prelude: Vec<&str> = prelude.map(SmolStr::as_str).collect();
        prelude.sort_unstable();
        let params = self.type_params.iter().map(SmolStr::as_str);
        let all = params.chain(own).chain(prelude).chain(super::types::PRIMITIVES.iter().copied());
        suggest(name, all).map(str::to_owned)
    }

    /// Reports a variant that an enum does not have.
    pub(super) fn unknown_variant(&mut self, of: crate::hir::DefId, name: &str, span: Span) {
        let Some(head) = self.names.head(of) else { return };
        if head.damaged {
            return;
        }
        let enum_name = head.name.clone();
        let mut finding = Diagnostic::new(
            Code::UnknownVariant,
            span,
            format!("`{enum_name}` has no variant `{name}`"),
        )
        .label(head.name_span, "declared here");
        if !self.diagnostics.is_full(self.file) {
            let variants = || head.variants.iter().map(SmolStr::as_str);
            finding = match suggest(name, variants()) {
                Some(near) => did_you_mean(finding, span, near),
                None => finding
                    .help(format!("its variants are {}", crate::diagnostics::names_of(variants()))),
            };
        }
        self.report(finding);
    }

    /// Reports the role of a prompt that no `model` declares.
    pub(super) fn unknown_role(&mut self, name: &str, span: Span) {
        if self.may_follow(name) || self.unknown.again(Code::UnknownRole, name, span) {
            return;
        }
        let finding =
            Diagnostic::new(Code::UnknownRole, span, format!("no model role is called `{name}`"));
        if self.unknown.is_full() {
            self.unknown.add(Code::UnknownRole, name, finding);
            return;
        }
        let roles = self.names.scope(self.module).map(|scope| {
            let mut roles: Vec<&str> = scope
                .values
                .iter()
                .filter(|(_, def)| {
                    let head = self.names.head(**def);
                    head.is_some_and(|head| head.kind == crate::names::HeadKind::Model)
                })
                .map(|(name, _)| name.as_str())
                .collect();
            roles.sort_unstable();
            roles
        });
        let roles = roles.unwrap_or_default();
        let finding = match (suggest(name, roles.iter().copied()), roles.as_slice()) {
            (Some(near), _) => did_you_mean(finding, span, near),
            (None, []) => {
                let top = Span::new(self.file, self.first_declaration(), self.first_declaration());
                finding.help(format!("declare it at the top of the file: `model {name}`")).guess(
                    format!("declare `model {name}`"),
                    vec![Edit::new(top, format!("model {name}\n\n"))],
                )
            }
            (None, roles) => finding.help(format!(
                "declare it with `model {name}`, or use one of `{}`",
                roles.join("`, `")
            )),
        };
        self.unknown.add(Code::UnknownRole, name, finding);
    }

    /// Where the first declaration that is no `use` begins.
    fn first_declaration(&self) -> u32 {
        let Some(file) = self.files.get(self.file) else { return 0 };
        let source = kait_syntax::ast::SourceFile::cast(file.tree.root());
        source
            .and_then(|source| {
                source.decls().find(|decl| !matches!(decl, kait_syntax::ast::Decl::Use(_)))
            })
            .map_or(0, |decl| decl.syntax().range().start().into())
    }

    /// The edit that exports a declaration of this package.
    fn made_public(&self, head: &crate::names::Head) -> Option<Edit> {
        let module = self.names.modules.get(head.module.index())?;
        let file = self.files.get(module.file)?;
        if module.is_std || file.path.starts_with("..") {
            return None;
        }
        // Behind its documentation.
        let word =
            file.tree.node(head.node)?.descendant_tokens().find(|t| !t.kind().is_trivia())?;
        let at = word.range().start().into();
        Some(Edit::new(Span::new(module.file, at, at), "pub "))
    }

    /// Reports that a definition of another module is not exported.
    pub(super) fn report_private(&mut self, def: crate::hir::DefId, span: Span) {
        let Some(head) = self.names.head(def) else { return };
        let module = self.names.module_name(head.module);
        let finding = Diagnostic::new(
            Code::Private,
            span,
            format!("`{}` is private to the module `{module}`", head.name),
        )
        .label(head.name_span, "declared without `pub`")
        .help(format!("write `pub` in front of it in `{module}` if others may use it"));
        let finding = match self.made_public(head) {
            Some(edit) => finding.guess(format!("write `pub` in `{module}`"), vec![edit]),
            None => finding,
        };
        self.report(finding);
    }
}

/// What is written here for a function that other languages have without a module.
pub(super) fn foreign_function(name: &str) -> Option<&'static str> {
    Some(match name {
        "int" | "parseInt" | "parse_int" | "Number" => {
            "`text.to_int(s)` reads a number; `math.round(x)` makes one of a float"
        }
        "float" | "parseFloat" | "parse_float" => {
            "`text.to_float(s)` reads a number; `math.to_float(n)` makes one of an `int`"
        }
        "text" | "str" | "string" | "to_string" | "toString" => {
            "a text is made with `\"${value}\"`"
        }
        "len" | "length" | "size" => "write `list.length(xs)`, `map.length(m)` or `text.length(s)`",
        "print" | "println" | "printf" | "echo" | "puts" => {
            "the result of a graph is what is printed; `out.status(text)` tells what goes on"
        }
        "log" | "console" | "debug" | "logger" => "`out.status(text)` tells what goes on",
        "min" | "max" => {
            "write `list.min(xs)` or `list.max(xs)`; of two numbers, `math.min` or `math.max`"
        }
        "sum" => "write `list.sum(xs)`",
        "sorted" => "write `list.sort(xs)`",
        "enumerate" => "write `list.enumerate(xs)`: its items are `Indexed(index, value)`",
        "zip" => "write `list.zip(xs, with: ys)`",
        "open" => "write `file.read(path)`",
        "sleep" => "write `clock.sleep(5s)`",
        "now" => "write `clock.now()`",
        "assert" => "in a test, write `expect`; elsewhere `if not … { fail \"why\" }`",
        "range" => "write `list.range(1, to: 10)`",
        "map" | "filter" => "write `for x in xs if test { value }`",
        "reduce" | "fold" => "fold with a `loop`, or use `list.sum`",
        "isinstance" | "typeof" => "tell variants apart with `match`, or test one with `is`",
        _ => return None,
    })
}

/// How collections of other languages are written, where nothing says of what.
fn foreign_container(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "list" | "array" | "vec" | "set" | "tuple" | "iterable" | "sequence" => {
            "write a list as `[T]`, such as `[text]`"
        }
        "map" | "hashmap" => "write a map as `[K: V]`, such as `[text: int]`",
        "optional" | "option" | "maybe" | "nullable" => "write an optional type as `T?`",
        "union" | "either" => "declare an `enum` with a variant for each case",
        "function" | "callable" | "lambda" => "functions are not values: call them by their names",
        _ => return None,
    })
}

/// The std modules that declare a type of that name.
fn std_modules_with_type(name: &str) -> &'static [&'static str] {
    static MODULES: LazyLock<FxHashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
        let mut modules: FxHashMap<&'static str, Vec<&'static str>> = FxHashMap::default();
        for (module, source) in kait_stdlib::modules().iter().filter(|(name, _)| *name != "prelude")
        {
            for line in source.lines() {
                let words = ["pub record ", "pub enum ", "pub type "];
                let Some(rest) = words.iter().find_map(|word| line.strip_prefix(word)) else {
                    continue;
                };
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                modules.entry(rest.get(..end).unwrap_or_default()).or_default().push(module);
            }
        }
        modules
    });
    MODULES.get(name).map_or(&[], Vec::as_slice)
}

/// "did you mean `near`?", with the rename.
pub(super) fn did_you_mean(finding: Diagnostic, span: Span, near: &str) -> Diagnostic {
    finding
        .help(format!("did you mean `{near}`?"))
        .guess(format!("write `{near}`"), vec![Edit::new(span, near)])
}

/// The std module that has a function of that name, if exactly one has.
pub(super) fn std_module_with(function: &str) -> Option<&'static str> {
    static MODULES: LazyLock<FxHashMap<&'static str, Option<&'static str>>> = LazyLock::new(|| {
        let mut modules = FxHashMap::default();
        for (module, source) in kait_stdlib::modules() {
            for line in source.lines() {
                let Some(rest) = line.strip_prefix("pub extern ") else { continue };
                let name = rest.split(['(', '<']).next().unwrap_or_default();
                // A name that several modules have says nothing.
                modules.entry(name).and_modify(|known| *known = None).or_insert(Some(*module));
            }
        }
        modules
    });
    MODULES.get(function).copied().flatten()
}
