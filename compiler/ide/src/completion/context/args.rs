//! Places in brackets: arguments, policies, bounds, what a variant holds; and the arms of a `match`.

use kait_compiler::check::ty::{Ty, TyKind};
use kait_compiler::check::{NEEDS, PolicyPlace, PolicyValue, policy_value};
use kait_compiler::hir::{Builtin, DefKind};
use kait_syntax::ast::{self, Expr as AstExpr, Pattern};
use kait_syntax::{SyntaxKind, SyntaxNode, SyntaxToken, TextSize};

use super::{Arguments, Context, Finder, Value};
use crate::signature::is_piped;
use crate::{Analysis, Symbol};

/// Arguments that may come without a name.
const MAX_POSITIONAL: usize = 2;

impl<'a> Finder<'a> {
    pub(super) fn in_args(&self, args: SyntaxNode<'a>) -> Option<Context> {
        let parent = args.parent()?;
        let begins = self.starts_item();
        match parent.kind() {
            SyntaxKind::Policies => {
                let place = policy_place(parent);
                if begins {
                    return Some(Context::Policies(place, given(args, self.place.offset)));
                }
                match self.name_before_colon() {
                    Some(name) => self.policy(place, name, parent),
                    None => self.in_code(),
                }
            }
            SyntaxKind::Where if begins => {
                let refined = parent.parent().and_then(ast::RefinedType::cast)?;
                let names = self.bounds_of(refined.inner()?, 0);
                Some(Context::Bounds(names, given(args, self.place.offset)))
            }
            SyntaxKind::Where => match self.name_before_colon()? {
                "unique" => Some(Context::Words(&["true", "false"])),
                "format" => Some(Context::Formats { quoted: false }),
                // Literals, which nobody but the author knows.
                _ => None,
            },
            SyntaxKind::Needs if begins => {
                let names = NEEDS.iter().map(|(name, _)| *name).collect();
                Some(Context::Bounds(names, given(args, self.place.offset)))
            }
            SyntaxKind::Needs => {
                let name = self.name_before_colon()?;
                let (_, is_number) = NEEDS.iter().find(|(known, _)| *known == name)?;
                (!is_number).then_some(Context::Words(&["true", "false"]))
            }
            SyntaxKind::NextExpr => {
                if !begins {
                    return self.in_code();
                }
                let around = parent.ancestors().find_map(ast::LoopExpr::cast);
                let vars = around.into_iter().flat_map(|form| form.vars());
                let variables =
                    vars.filter_map(|var| Some(var.name()?.text().to_owned())).collect();
                let arguments = Arguments {
                    given: given(args, self.place.offset),
                    variables,
                    ..Arguments::default()
                };
                Some(Context::Value(Value { arguments: Some(arguments), ..self.value() }))
            }
            _ => {
                let (callee, symbol, piped) = self.called(parent)?;
                if let Some(Symbol::Builtin(form)) = symbol
                    && begins
                    && self.left_kind() == Some(SyntaxKind::LParen)
                {
                    match form {
                        Builtin::Calls | Builtin::Attempts | Builtin::Called => {
                            return Some(Context::Callable { call: false, approve: false });
                        }
                        _ => {}
                    }
                }
                if let Some(Symbol::Builtin(Builtin::Order)) = symbol
                    && begins
                {
                    return Some(Context::Callable { call: true, approve: false });
                }
                if !begins {
                    return self.in_code();
                }
                let at = TextSize::from(self.place.offset);
                let before = |arg: &ast::Arg<'_>| arg.range().end() < at && arg.name().is_none();
                let positional = args.children().filter_map(ast::Arg::cast).filter(before).count();
                let positional = positional + usize::from(piped);
                let names = given(args, self.place.offset);
                let by_position = self.by_position(&callee, symbol, positional, &names);
                let wanted = symbol.and_then(|symbol| self.analysis.param_type(symbol, positional));
                let saves = matches!(symbol, Some(Symbol::Builtin(Builtin::SessionSave)));
                let arguments = Arguments {
                    callee,
                    symbol,
                    given: names,
                    positional,
                    variables: Vec::new(),
                    session: self.session().filter(|_| saves),
                };
                let arguments = Some(arguments);
                Some(Context::Value(Value { arguments, by_position, wanted, ..self.value() }))
            }
        }
    }

    /// What the brackets are of that a node ends with: its words, what they mean, and whether a pipe gives the first
    /// argument.
    fn called(&self, node: SyntaxNode<'a>) -> Option<(Vec<String>, Option<Symbol>, bool)> {
        let text = |tokens: &[SyntaxToken<'_>]| -> Vec<String> {
            tokens.iter().map(|token| token.text().to_owned()).collect()
        };
        let (tokens, piped) = match ast::Trigger::cast(node) {
            Some(trigger) => (trigger.source()?.segments().collect::<Vec<_>>(), false),
            None => {
                let call = ast::CallExpr::cast(node)?;
                let mut path = Vec::new();
                crate::index::words(call.callee()?, &mut path);
                (path, is_piped(call))
            }
        };
        let callee = text(&tokens);
        let found = tokens
            .last()
            .and_then(|last| self.analysis.name_at(self.file, last.range().start().into()));
        let symbol = found.map(|found| found.symbol).or_else(|| {
            // The compiler looks at what is whole; a call that is being written may be known by its name.
            let path: Vec<&str> = callee.iter().map(String::as_str).collect();
            let target = self.analysis.path_target(self.file, &path)?;
            std::ptr::eq(target.analysis, self.analysis).then_some(target.symbol)
        });
        Some((callee, symbol, piped))
    }

    /// Whether a value without a name can be the next argument.
    fn by_position(
        &self,
        callee: &[String],
        symbol: Option<Symbol>,
        positional: usize,
        given: &[String],
    ) -> bool {
        if matches!(symbol, Some(Symbol::Builtin(Builtin::SessionSave))) {
            return false;
        }
        let path: Vec<&str> = callee.iter().map(String::as_str).collect();
        let target = match symbol {
            Some(symbol) => Some((self.analysis, symbol)),
            None => self
                .analysis
                .path_target(self.file, &path)
                .map(|target| (target.analysis, target.symbol)),
        };
        let params = target.and_then(|(analysis, symbol)| Some(analysis.signature_text(symbol)?.1));
        if positional >= MAX_POSITIONAL && params.as_ref().is_none_or(|params| params.len() > 1) {
            return false;
        }
        // Behind a name only names are clear.
        params.is_none_or(|params| {
            params.get(positional).is_some_and(|param| !given.contains(&param.name))
        })
    }

    /// The value of a policy.
    fn policy(&self, place: PolicyPlace, name: &str, policies: SyntaxNode<'a>) -> Option<Context> {
        let wanted = |ty: Ty| Some(Context::Value(Value { wanted: Some(ty), ..self.value() }));
        let prelude = |name| self.analysis.def_named(self.file, name).map(Context::Variants);
        match policy_value(place, name)? {
            PolicyValue::Of(prim) => wanted(prim.ty()),
            PolicyValue::Count(_) => wanted(Ty::INT),
            PolicyValue::Role => Some(Context::Role),
            PolicyValue::Overlap => prelude("Overlap"),
            PolicyValue::Missed => prelude("Missed"),
            PolicyValue::True => Some(Context::Words(&["true"])),
            PolicyValue::Earlier => Some(Context::Locals),
            PolicyValue::Transport => Some(Context::Transport { auth: name == "auth" }),
            PolicyValue::Headers | PolicyValue::Parameters | PolicyValue::Later(_) => None,
            PolicyValue::AsCall => {
                let call = policies.parent()?.children().find_map(AstExpr::cast);
                let ty = call.and_then(|call| self.analysis.type_of_range(self.file, call.range()));
                Some(Context::Value(Value { wanted: ty, ..self.value() }))
            }
            PolicyValue::Shown => Some(Context::Value(self.value())),
        }
    }

    /// In the brackets of a variant in a pattern, or of a stub: names of what it holds, and patterns.
    pub(super) fn in_payload(&self, args: SyntaxNode<'a>) -> Option<Context> {
        let path: Vec<&str> = args
            .parent()?
            .descendant_tokens()
            .take_while(|token| token.range().end() <= args.range().start())
            .filter(|token| {
                let kind = token.kind();
                kind == SyntaxKind::Uid || kind.can_be_field_name()
            })
            .filter(|token| !matches!(token.kind(), SyntaxKind::StubKw | SyntaxKind::ApproveKw))
            .map(SyntaxToken::text)
            .collect();
        let target = self.analysis.path_target(self.file, &path);
        let own = target.as_ref().filter(|target| std::ptr::eq(target.analysis, self.analysis));
        let own = own.map(|target| target.symbol);
        let params = target
            .and_then(|target| Some(target.analysis.signature_text(target.symbol)?.1))
            .unwrap_or_default();
        let names = || params.iter().map(|param| param.name.clone());
        let is_stub = args.parent().is_some_and(|parent| parent.kind() == SyntaxKind::Stub);
        if !self.starts_item() {
            let name = self.name_before_colon()?;
            let index = names().position(|known| known == name)?;
            let ty = own.and_then(|symbol| self.analysis.param_type(symbol, index));
            return Some(Context::Pattern { ty, armed: Vec::new(), binds: true });
        }
        let at = TextSize::from(self.place.offset);
        let others: Vec<_> = args
            .children()
            .filter_map(ast::PatArg::cast)
            .filter(|arg| !arg.range().contains_inclusive(at) && !arg.range().is_empty())
            .collect();
        let given: Vec<String> =
            others.iter().filter_map(|arg| Some(arg.name()?.text().to_owned())).collect();
        let before = others.iter().filter(|arg| arg.range().end() < at).count();
        let ty = own.and_then(|symbol| self.analysis.param_type(symbol, before));
        // All by position, or all by name; stubs may leave some out.
        let positional = given.is_empty() && before < params.len();
        let named = given.len() == others.len() || is_stub;
        let names =
            if named { names().skip(others.len() - given.len()).collect() } else { Vec::new() };
        Some(Context::Payload { names, given, ty, positional })
    }

    pub(super) fn in_arms(&self, arms: SyntaxNode<'a>) -> Option<Context> {
        let subject = arms.parent().and_then(|parent| match parent.kind() {
            SyntaxKind::MatchExpr => {
                let subject = parent.children().find_map(AstExpr::cast)?;
                self.analysis.type_of_range(self.file, subject.range())
            }
            SyntaxKind::CatchExpr => self.failure(),
            _ => None,
        });
        let pattern =
            || Some(Context::Pattern { ty: subject, armed: self.armed(arms)?, binds: true });
        match self.left_kind() {
            Some(SyntaxKind::FatArrow) => self.in_code(),
            Some(SyntaxKind::LBrace | SyntaxKind::Comma | SyntaxKind::Bar) => pattern(),
            _ if self.on_new_line() && !self.continues() => pattern(),
            // Behind the pattern, or somewhere in the value.
            _ => {
                let start = TextSize::from(self.place.word.start);
                let arm = arms.children().filter_map(ast::Arm::cast);
                let arm = arm.filter(|arm| arm.range().start() < start).last();
                let arrow = arm.and_then(|arm| arm.syntax().first_token(SyntaxKind::FatArrow));
                let guard = arm.and_then(|arm| arm.syntax().first_child(SyntaxKind::Guard));
                if arrow.is_some_and(|arrow| arrow.range().end() <= start)
                    || guard.is_some_and(|guard| guard.range().start() < start)
                {
                    return self.in_code();
                }
                (self.behind_value() || self.left_kind() == Some(SyntaxKind::Underscore))
                    .then_some(Context::Words(&["if"]))
            }
        }
    }

    /// What other arms cover wholly: the names of variants, and words of the language. `None` behind an arm that covers
    /// everything, where none can follow.
    fn armed(&self, arms: SyntaxNode<'a>) -> Option<Vec<String>> {
        let at = TextSize::from(self.place.offset);
        let mut out = Vec::new();
        for arm in arms.children().filter_map(ast::Arm::cast) {
            if arm.guard().is_some() {
                continue;
            }
            let Some(pattern) = arm.pattern() else { continue };
            let here = arm.range().contains_inclusive(at);
            let patterns: Vec<Pattern<'_>> = match pattern {
                Pattern::Or(all) => all.alternatives().collect(),
                one => vec![one],
            };
            for one in patterns {
                // Of this arm only what stands before a `|`.
                if here && one.range().end() >= at || !here && arm.body().is_none() {
                    continue;
                }
                match one {
                    Pattern::Wildcard(_) | Pattern::Name(_) if one.range().end() < at => {
                        return None;
                    }
                    Pattern::Wildcard(_) | Pattern::Bool(_) | Pattern::None(_) => {
                        out.push(one.syntax().text().trim().to_owned());
                    }
                    Pattern::Variant(variant) => {
                        let irrefutable = |arg: ast::PatArg<'_>| {
                            matches!(arg.pattern(), Some(Pattern::Wildcard(_) | Pattern::Name(_)))
                        };
                        if variant.args().into_iter().flat_map(ast::PatArgs::args).all(irrefutable)
                        {
                            let name = variant.tag().and_then(ast::Tag::variant);
                            out.extend(name.map(|name| name.text().to_owned()));
                        }
                    }
                    _ => {}
                }
            }
        }
        Some(out)
    }

    /// The record whose fields `.name` may select in an argument; or the parameters that `edit: [.name]` lists.
    pub(super) fn selector(&self, dot: SyntaxToken<'_>) -> Option<Context> {
        let args = dot.parent().ancestors().find(|node| node.kind() == SyntaxKind::Args)?;
        if let Some(with) = args.parent().and_then(SyntaxNode::parent).and_then(ast::WithExpr::cast)
        {
            let call = with.syntax().children().find(|node| node.kind() == SyntaxKind::CallExpr)?;
            let (_, symbol, _) = self.called(self.tree.covering_node(call.range()))?;
            let (_, params) = self.analysis.signature_text(symbol?)?;
            return Some(Context::Params(params.into_iter().map(|param| param.name).collect()));
        }
        let call = ast::CallExpr::cast(args.parent()?)?;
        let interner = &self.analysis.compilation.types.interner;
        // Whatever list the call takes holds what is selected from.
        for arg in call.args().into_iter().flat_map(ast::Args::args) {
            let Some(value) = arg.value() else { continue };
            let Some(ty) = self.analysis.type_of_range(self.file, value.range()) else { continue };
            if let TyKind::List(item) = interner.kind(interner.base(ty))
                && let Some(record) = self.analysis.record_of(*item)
            {
                return Some(Context::Selector(record));
            }
        }
        let pipe =
            call.syntax().ancestors().find_map(ast::PipeExpr::cast).filter(|_| is_piped(call));
        let value = pipe.and_then(ast::PipeExpr::value)?;
        let ty = self.analysis.type_of_range(self.file, value.range())?;
        match interner.kind(interner.base(ty)) {
            TyKind::List(item) => Some(Context::Selector(self.analysis.record_of(*item)?)),
            _ => None,
        }
    }

    /// The type that the place of a value wants, as far as the token before tells it.
    pub(super) fn wanted(&self) -> Option<Ty> {
        let left = self.left?;
        let parent = left.parent();
        match left.kind() {
            SyntaxKind::FailKw => self.failure(),
            SyntaxKind::EqEq
            | SyntaxKind::NotEq
            | SyntaxKind::Lt
            | SyntaxKind::Gt
            | SyntaxKind::LtEq
            | SyntaxKind::GtEq => self.compared(),
            SyntaxKind::Colon if parent.kind() == SyntaxKind::Arg => {
                let (_, symbol, _) = self.called(parent.parent()?.parent()?)?;
                let name = self.name_before_colon()?;
                let (_, params) = self.analysis.signature_text(symbol?)?;
                let index = params.iter().position(|param| param.name == name)?;
                self.analysis.param_type(symbol?, index)
            }
            SyntaxKind::Eq => match parent.kind() {
                SyntaxKind::Let => {
                    let typed = ast::Let::cast(parent)?;
                    typed.ty()?;
                    let at = typed.binder()?.range().start().into();
                    match self.analysis.name_at(self.file, at)?.symbol {
                        Symbol::Local(def, local) => {
                            Some(self.analysis.compilation.types.ty_of_local(def, local))
                        }
                        Symbol::Def(def) => self.analysis.compilation.types.constant(def),
                        _ => None,
                    }
                }
                SyntaxKind::Param | SyntaxKind::Field => {
                    let same = |node: &SyntaxNode<'_>| node.kind() == parent.kind();
                    let all = parent.parent()?.children().filter(same);
                    let index = all.take_while(|node| node.range() != parent.range()).count();
                    self.analysis.param_type(Symbol::Def(self.place.owner?), index)
                }
                _ => None,
            },
            _ => None,
        }
        .filter(|ty| *ty != Ty::ERROR)
    }
}

impl Analysis {
    /// The type of a parameter or field, unless it depends on type arguments.
    pub(super) fn param_type(&self, symbol: Symbol, index: usize) -> Option<Ty> {
        let types = &self.compilation.types;
        let found = match symbol {
            Symbol::Def(def) => match &self.def(def)?.kind {
                DefKind::Callable(_) => types.signature(def)?.params.get(index),
                _ => types.fields(def)?.get(index),
            },
            Symbol::Variant(def, variant) => types.variant(def, variant)?.get(index),
            _ => None,
        };
        let interner = &types.interner;
        found.copied().filter(|ty| !interner.has_param(*ty) && !interner.has_error(*ty))
    }
}

/// Where policies stand.
fn policy_place(policies: SyntaxNode<'_>) -> PolicyPlace {
    match policies.parent().map(SyntaxNode::kind) {
        Some(SyntaxKind::Graph | SyntaxKind::Fn) => PolicyPlace::Graph,
        Some(SyntaxKind::Extern) => {
            let kind = policies.parent().and_then(ast::Extern::cast);
            let kind = kind.and_then(|decl| decl.from()?.kind());
            match kind.map_or("", |kind| kind.text()) {
                "wasm" => PolicyPlace::Wasm,
                "process" => PolicyPlace::Process,
                "mcp" => PolicyPlace::Mcp,
                _ => PolicyPlace::Http,
            }
        }
        Some(SyntaxKind::Prompt) => {
            let prompt = policies.parent().and_then(ast::Prompt::cast);
            let is_agent = prompt.is_some_and(ast::Prompt::is_agent);
            if is_agent { PolicyPlace::Agent } else { PolicyPlace::Prompt }
        }
        Some(SyntaxKind::PromptModel) => PolicyPlace::Model,
        Some(SyntaxKind::Tool) => PolicyPlace::Tool,
        Some(SyntaxKind::Test) => PolicyPlace::Test,
        Some(SyntaxKind::Trigger) => PolicyPlace::Trigger,
        _ => PolicyPlace::Call,
    }
}

/// The names of the arguments that are given elsewhere than at the cursor.
fn given(args: SyntaxNode<'_>, offset: u32) -> Vec<String> {
    let at = TextSize::from(offset);
    args.children()
        .filter_map(ast::Arg::cast)
        .filter(|arg| !arg.range().contains_inclusive(at))
        .filter_map(|arg| Some(arg.name()?.text().to_owned()))
        .collect()
}

/// The token that stands before an offset is one of a text that has begun there.
pub(super) fn is_format(token: SyntaxToken<'_>) -> bool {
    let arg = token.parent().ancestors().find_map(ast::Arg::cast);
    let is_bound = arg.and_then(|arg| arg.syntax().parent()?.parent());
    let named = arg.and_then(ast::Arg::name).is_some_and(|name| name.text() == "format");
    named && is_bound.is_some_and(|node| node.kind() == SyntaxKind::Where)
}
