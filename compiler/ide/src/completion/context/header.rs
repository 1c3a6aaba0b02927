//! Places in the heads of declarations: clauses, effects, types and their bounds, lines of prompts and tests.

use kait_compiler::check::bound_names;
use kait_compiler::check::ty::Prim;
use kait_compiler::hir::DefKind;
use kait_syntax::ast::{self, Type};
use kait_syntax::{SyntaxKind, SyntaxNode, SyntaxToken, TextSize};

use super::{Context, Finder, Value, is_holder};
use crate::locals::token_before;

const EFFECTS: &[&str] = &["read", "write", "model", "human", "clock", "random", "emit"];
/// What leaves of std touch; any other name is one of the program's.
const RESOURCES: &[&str] = &["db", "event", "file", "git", "mail", "net", "process"];
/// Where externs of a program come from.
const ORIGINS: &[&str] = &["http", "mcp", "process", "wasm"];
/// Aliases of aliases that are looked through for a type's bounds.
const MAX_ALIASES: u8 = 8;

impl<'a> Finder<'a> {
    pub(super) fn is_type(&self) -> bool {
        let holder = self.nodes.iter().find(|node| {
            is_holder(node.kind())
                || matches!(
                    node.kind(),
                    SyntaxKind::NamedType
                        | SyntaxKind::TypeArgs
                        | SyntaxKind::ListType
                        | SyntaxKind::MapType
                        | SyntaxKind::QualifiedType
                )
        });
        let in_type = holder.is_some_and(|node| !is_holder(node.kind()));
        let Some(left) = self.left else { return false };
        let parent = left.parent().kind();
        let begins = match left.kind() {
            SyntaxKind::Arrow => true,
            SyntaxKind::Colon => {
                matches!(
                    parent,
                    SyntaxKind::Param
                        | SyntaxKind::Field
                        | SyntaxKind::Let
                        | SyntaxKind::LoopVar
                        | SyntaxKind::TriggerEvent
                        | SyntaxKind::MapType
                )
            }
            SyntaxKind::Eq => parent == SyntaxKind::TypeAlias,
            SyntaxKind::LBracket => parent == SyntaxKind::ListType || parent == SyntaxKind::MapType,
            SyntaxKind::Lt | SyntaxKind::Comma => parent == SyntaxKind::TypeArgs,
            kind => kind.is_qualifier() && parent == SyntaxKind::QualifiedType,
        };
        begins || in_type && self.place.word.start < self.place.offset && !self.behind_value()
    }

    pub(super) fn at_top(&self) -> Option<Context> {
        if self.left_kind() == Some(SyntaxKind::PubKw) {
            return Some(Context::Declaration { is_pub: true });
        }
        // A header: its clauses stand behind the result, on its line or below. A line that begins at the margin may be
        // a new declaration as well.
        let clause = self.nodes.iter().find_map(|node| match node.kind() {
            SyntaxKind::Trigger => self.in_trigger(*node),
            SyntaxKind::Graph | SyntaxKind::Fn | SyntaxKind::Prompt | SyntaxKind::Extern => {
                self.in_header(*node)
            }
            SyntaxKind::Model => self.behind_value().then_some(Context::Words(&["needs"])),
            SyntaxKind::TypeAlias => self.behind_type(*node),
            _ => None,
        });
        if self.on_new_line() && self.at_margin() {
            return Some(Context::Declaration { is_pub: false });
        }
        let in_let = self.nodes.iter().any(|node| node.kind() == SyntaxKind::Let);
        clause.or_else(|| in_let.then(|| self.in_code()).flatten())
    }

    /// The word stands at the beginning of its line.
    fn at_margin(&self) -> bool {
        let before = self.tree.text().get(..self.place.word.start as usize).unwrap_or_default();
        before.is_empty() || before.ends_with('\n')
    }

    /// The head of a trigger: `on` a source, then its event and policies.
    fn in_trigger(&self, node: SyntaxNode<'_>) -> Option<Context> {
        if self.left_kind() == Some(SyntaxKind::OnKw) {
            return Some(Context::Sources);
        }
        let args = node.first_child(SyntaxKind::Args);
        match args {
            Some(args) if u32::from(args.range().end()) <= self.place.word.start => {
                let has = |kind| node.first_child(kind).is_some();
                Some(match (has(SyntaxKind::Policies), has(SyntaxKind::TriggerEvent)) {
                    (true, _) => return None,
                    (_, true) => Context::Words(&["with"]),
                    _ => Context::Words(&["as", "with"]),
                })
            }
            Some(_) => None,
            None => {
                let named = node.tokens().any(|token| token.kind() == SyntaxKind::Lid);
                named.then_some(Context::Words(&["on"]))
            }
        }
    }

    /// The clauses of a header, in their order: those that can still follow what stands before the cursor.
    fn in_header(&self, node: SyntaxNode<'a>) -> Option<Context> {
        match self.left_kind() {
            Some(SyntaxKind::DoesKw) => return Some(Context::Words(EFFECTS)),
            Some(SyntaxKind::NeedsKw) => return Some(Context::Words(&["approval"])),
            Some(SyntaxKind::FromKw) => return Some(Context::Words(ORIGINS)),
            Some(SyntaxKind::InKw) => return Some(Context::Sessions),
            _ => {}
        }
        if self.has(SyntaxKind::Does) || self.left_is_in(SyntaxKind::Does) {
            if self.left_kind() == Some(SyntaxKind::Comma) {
                return Some(Context::Words(EFFECTS));
            }
            let left = self.left.filter(|left| left.parent().kind() == SyntaxKind::Effect);
            if left.is_some_and(|left| matches!(left.text(), "read" | "write")) {
                return Some(Context::Words(RESOURCES));
            }
        }
        const IN: (SyntaxKind, &str) = (SyntaxKind::InSession, "in");
        const DOES: (SyntaxKind, &str) = (SyntaxKind::Does, "does");
        const NEEDS: (SyntaxKind, &str) = (SyntaxKind::Needs, "needs");
        const WITH: (SyntaxKind, &str) = (SyntaxKind::Policies, "with");
        const FROM: (SyntaxKind, &str) = (SyntaxKind::From, "from");
        let clauses: &[(SyntaxKind, &'static str)] = match node.kind() {
            SyntaxKind::Graph => &[IN, DOES, WITH],
            SyntaxKind::Prompt => &[DOES, WITH],
            SyntaxKind::Extern => &[DOES, NEEDS, WITH, FROM],
            _ => &[],
        };
        let start = TextSize::from(self.place.word.start);
        let result = node.children().find(|child| Type::cast(*child).is_some());
        if result.is_none_or(|result| result.range().end() >= start) {
            return None;
        }
        let child = |kind| node.children().find(|child| child.kind() == kind);
        let before = |kind| child(kind).is_some_and(|c: SyntaxNode<'_>| c.range().end() < start);
        let last = clauses.iter().rposition(|(kind, _)| before(*kind));
        let next = clauses.iter().position(|(kind, _)| {
            child(*kind).is_some_and(|c: SyntaxNode<'_>| c.range().start() >= start)
        });
        let free = clauses.get(last.map_or(0, |at| at + 1)..next.unwrap_or(clauses.len()));
        let mut words: Vec<&'static str> =
            free.unwrap_or_default().iter().map(|(_, word)| *word).collect();
        if last.is_none() && result.is_some_and(|result| self.can_be_bounded(result)) {
            words.push("where");
        }
        Some(Context::Clauses(words))
    }

    /// The token before stands in a node of that kind.
    pub(super) fn left_is_in(&self, kind: SyntaxKind) -> bool {
        self.left.is_some_and(|left| left.parent().ancestors().take(3).any(|n| n.kind() == kind))
    }

    /// Behind the type of a field, parameter, variable or alias: what may follow it.
    pub(super) fn behind_type(&self, holder: SyntaxNode<'a>) -> Option<Context> {
        if !self.behind_value() {
            return None;
        }
        let start = TextSize::from(self.place.word.start);
        let child = |kind| holder.first_child(kind).is_some();
        let is_field = holder.kind() == SyntaxKind::Field;
        if holder.kind() == SyntaxKind::Variant {
            return (!child(SyntaxKind::WireName)).then_some(Context::Words(&["as"]));
        }
        let ty = holder.children().find(|child| Type::cast(*child).is_some())?;
        if ty.range().end() >= start {
            return None;
        }
        let value = holder.children().find(|child| ast::Expr::cast(*child).is_some());
        let behind = |node: Option<SyntaxNode<'_>>| {
            node.is_some_and(|node| node.range().start() < start && !node.text().is_empty())
        };
        let mut words = Vec::new();
        if !behind(value) {
            if self.can_be_bounded(ty) {
                words.push("where");
            }
            if value.is_none() && holder.kind() != SyntaxKind::TypeAlias {
                words.push("=");
            }
        }
        if is_field && !child(SyntaxKind::WireName) {
            words.push("as");
        }
        (!words.is_empty()).then_some(Context::Clauses(words))
    }

    fn can_be_bounded(&self, ty: SyntaxNode<'a>) -> bool {
        ty.kind() != SyntaxKind::RefinedType
            && Type::cast(ty).is_some_and(|ty| !self.bounds_of(ty, 0).is_empty())
    }

    /// The bounds that a written type can have.
    pub(super) fn bounds_of(&self, ty: Type<'a>, depth: u8) -> Vec<&'static str> {
        match ty {
            Type::List(_) => bound_names(None, true).collect(),
            Type::Optional(inner) => {
                inner.inner().map_or_else(Vec::new, |inner| self.bounds_of(inner, depth))
            }
            Type::Refined(inner) => {
                inner.inner().map_or_else(Vec::new, |inner| self.bounds_of(inner, depth))
            }
            Type::Qualified(inner) => {
                inner.inner().map_or_else(Vec::new, |inner| self.bounds_of(inner, depth))
            }
            Type::Named(named) => {
                let mut words = named.path().into_iter().flat_map(ast::Path::segments);
                let (Some(name), None) = (words.next(), words.next()) else { return Vec::new() };
                if let Some(prim) = Prim::parse(name.text()) {
                    return bound_names(Some(prim), false).collect();
                }
                let alias = self
                    .analysis
                    .def_named(self.file, name.text())
                    .and_then(|def| self.analysis.def(def))
                    .filter(|def| matches!(def.kind, DefKind::Alias(_)) && depth < MAX_ALIASES);
                let node = alias.and_then(|def| self.analysis.decl_node(def));
                let inner = node.and_then(|node| node.children().find_map(Type::cast));
                inner.map_or_else(Vec::new, |inner| self.bounds_of(inner, depth + 1))
            }
            _ => Vec::new(),
        }
    }

    /// In a default value, behind its `=`, or behind the type.
    pub(super) fn in_default(&self, kind: SyntaxKind) -> Option<Context> {
        let holder = self.nodes.iter().copied().find(|node| node.kind() == kind);
        let holder = holder.or_else(|| {
            self.left?
                .parent()
                .ancestors()
                .find(|node| node.kind() == kind)
                .filter(|_| !self.on_new_line())
        })?;
        let start = TextSize::from(self.place.word.start);
        let equals = holder.first_token(SyntaxKind::Eq);
        match equals.filter(|equals| equals.range().end() <= start) {
            Some(_) if kind == SyntaxKind::Field && self.behind_value() => {
                self.behind_type(holder).or_else(|| self.in_code())
            }
            Some(_) => self.in_code(),
            None => self.behind_type(holder),
        }
    }

    pub(super) fn in_prompt(&self, prompt: SyntaxNode<'a>) -> Option<Context> {
        let brace = prompt.first_token(SyntaxKind::LBrace);
        let inside = brace.is_some_and(|brace| u32::from(brace.range().end()) <= self.place.offset);
        if !inside {
            return self.at_top();
        }
        match self.left_kind() {
            Some(SyntaxKind::ModelKw) => Some(Context::Role),
            Some(kind) if kind.is_role() => Some(Context::Value(self.value())),
            _ if self.on_new_line() || self.left_kind() == Some(SyntaxKind::LBrace) => {
                let here = TextSize::from(self.place.word.start);
                let others =
                    prompt.children().filter(|node| !node.range().contains_inclusive(here));
                let kinds: Vec<SyntaxKind> = others.map(SyntaxNode::kind).collect();
                let is_agent = ast::Prompt::cast(prompt).is_some_and(ast::Prompt::is_agent);
                Some(Context::PromptItem {
                    model: !kinds.contains(&SyntaxKind::PromptModel),
                    tools: is_agent && !kinds.contains(&SyntaxKind::PromptTools),
                })
            }
            _ if self.has(SyntaxKind::PromptMessage) => self.in_code(),
            _ => {
                let line = self.left?.parent().ancestors();
                let given =
                    line.take(3).any(|node| node.first_child(SyntaxKind::Policies).is_some());
                (self.behind_value() && !given).then_some(Context::Words(&["with"]))
            }
        }
    }

    pub(super) fn in_test(&self, test: SyntaxNode<'a>) -> Option<Context> {
        let brace = test.first_token(SyntaxKind::LBrace)?;
        if u32::from(brace.range().end()) > self.place.offset {
            return None;
        }
        // Before a dot these words are names for the parser.
        match self.left.filter(|left| self.begins_line(*left)).map(SyntaxToken::text) {
            Some("stub") => return Some(Context::Callable { call: true, approve: true }),
            Some("expect") => return Some(Context::Value(self.value())),
            _ => {}
        }
        match self.left_kind() {
            Some(SyntaxKind::ApproveKw) => Some(Context::Callable { call: true, approve: false }),
            _ if self.on_new_line() && !self.continues()
                || self.left_kind() == Some(SyntaxKind::LBrace) =>
            {
                Some(Context::Value(Value { statement: true, test: true, ..self.value() }))
            }
            // What a stub stubs, and then what it gives.
            _ if self.stub_without_outcome() => None,
            _ => self.in_code(),
        }
    }

    fn begins_line(&self, token: SyntaxToken<'_>) -> bool {
        let before = self.tree.text().get(..usize::from(token.range().start())).unwrap_or_default();
        before.trim_end_matches([' ', '\t']).ends_with(['\n', '{'])
    }

    fn stub_without_outcome(&self) -> bool {
        let Some(left) = self.left else { return false };
        let stub = left.parent().ancestors().find(|node| node.kind() == SyntaxKind::Stub);
        let arrow = stub.and_then(|stub| stub.first_token(SyntaxKind::FatArrow));
        let start = TextSize::from(self.place.word.start);
        stub.is_some() && arrow.is_none_or(|arrow: SyntaxToken<'_>| arrow.range().end() > start)
    }

    /// The name before a colon that stands before the cursor: of an argument, policy or bound.
    pub(super) fn name_before_colon(&self) -> Option<&'a str> {
        let colon = self.left.filter(|left| left.kind() == SyntaxKind::Colon)?;
        Some(token_before(self.tree, colon.range().start().into())?.text())
    }
}
