//! What kind of place the cursor is in.

use kait_compiler::check::PolicyPlace;
use kait_compiler::check::ty::Ty;
use kait_compiler::diagnostics::FileId;
use kait_compiler::hir::{Builtin, DefId};
use kait_syntax::ast::{self, Expr as AstExpr};
use kait_syntax::{SyntaxKind, SyntaxNode, SyntaxToken, SyntaxTree, TextSize};

use super::Place;
use crate::analysis::{is_word, span_of};
use crate::locals::{around, token_before};
use crate::signature::is_piped;
use crate::{Analysis, Symbol};

/// What can stand at the cursor.
#[derive(Clone, Debug)]
pub(super) enum Context {
    /// Fields of values of a type.
    Fields(Ty),
    /// Fields of a record, selected: `.field`.
    Selector(DefId),
    /// What `session` has in a graph that runs in one.
    Session(DefId),
    /// Members of a module; only its types where a type stands.
    Members { module: String, types: bool },
    /// Variants of an enum.
    Variants(DefId),
    /// Sources of events, behind `on`.
    Sources,
    /// Module paths behind `use`.
    Imports,
    /// A type.
    Type,
    /// A declaration, behind `pub` or not.
    Declaration { is_pub: bool },
    /// Some of these words, and nothing else.
    Words(&'static [&'static str]),
    /// Policies.
    Policies(PolicyPlace),
    /// A line of a prompt.
    PromptItem,
    /// A model role.
    Role,
    /// A pattern for values of a type, if that is known.
    Pattern(Option<Ty>),
    /// A value, with what else can stand there.
    Value(Value),
}

/// What can stand beside a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// Names of arguments.
    pub arguments: Option<Arguments>,
    /// A statement may begin.
    pub statement: bool,
    /// A line of a test may begin.
    pub test: bool,
    /// `done` and `next` mean something.
    pub in_loop: bool,
    /// It is something to call by name: a tool, a stub.
    pub callable: bool,
    /// It is a policy's value.
    pub policy: bool,
}

/// The arguments of a call, of which some are written.
#[derive(Clone, Debug)]
pub(super) struct Arguments {
    /// What is called.
    pub callee: Vec<String>,
    /// What the compiler knows of it.
    pub symbol: Option<Symbol>,
    /// Names that are given already.
    pub given: Vec<String>,
    /// How many come by position, a piped one included.
    pub positional: usize,
    /// Variables of the loop, for `next`.
    pub variables: Vec<String>,
    /// The session whose fields are saved.
    pub session: Option<DefId>,
}

const BOUNDS: &[&str] =
    &["min", "max", "min_len", "max_len", "pattern", "format", "multiple_of", "unique"];
const EFFECTS: &[&str] = &["read", "write", "model", "human", "clock", "random", "emit"];
const INFIX: &[&str] = &["and", "or", "in", "is", "with", "catch", "undo"];
const HEADER: &[&str] = &["does", "in", "with"];
const EXTERN_HEADER: &[&str] = &["does", "needs", "with", "from"];
const FOR_CLAUSES: &[&str] = &["if", "max", "parallel", "and", "or"];
const LOOP_CLAUSES: &[&str] = &["max"];

impl Analysis {
    /// The place of an offset and what can stand there; `None` where nothing is offered.
    pub(super) fn completion_context(&self, file: FileId, offset: u32) -> Option<(Place, Context)> {
        let tree = self.tree(file)?;
        let touching = offset.checked_sub(1).and_then(|at| tree.token_at(TextSize::from(at)));
        let mut word = span_of(file, kait_syntax::TextRange::empty(TextSize::from(offset)));
        if let Some(token) = touching {
            if is_dead(token, offset) {
                return None;
            }
            if is_word(token) {
                word.start = token.range().start().into();
            }
        }
        let left = token_before(tree, word.start);
        let follows = tree.token_at(TextSize::from(offset)).map(|token| {
            let behind = u32::from(token.range().start()) < offset;
            if behind { token.next_token() } else { Some(token) }
        });
        let bracket_follows =
            follows.flatten().is_some_and(|token| token.kind() == SyntaxKind::LParen);
        let owner = self.def_at(file, offset);
        let place = Place { offset, word, bracket_follows, owner };
        let nodes = around(tree, offset);
        let context = Finder { analysis: self, file, tree, place, left, nodes: &nodes }.find()?;
        Some((place, context))
    }
}

/// Whether the text at the cursor is no code.
fn is_dead(token: SyntaxToken<'_>, offset: u32) -> bool {
    match token.kind() {
        SyntaxKind::StrStart
        | SyntaxKind::StrText
        | SyntaxKind::StrEscape
        | SyntaxKind::StrEnd
        | SyntaxKind::SingleQuoted
        | SyntaxKind::BacktickQuoted
        | SyntaxKind::Number => true,
        SyntaxKind::BlockComment => u32::from(token.range().end()) > offset,
        kind => kind.is_comment(),
    }
}

struct Finder<'a> {
    analysis: &'a Analysis,
    file: FileId,
    tree: &'a SyntaxTree,
    place: Place,
    left: Option<SyntaxToken<'a>>,
    nodes: &'a [SyntaxNode<'a>],
}

impl<'a> Finder<'a> {
    fn find(&self) -> Option<Context> {
        if let Some(left) = self.left
            && matches!(left.kind(), SyntaxKind::Dot | SyntaxKind::QuestionDot)
        {
            return self.behind_dot(left);
        }
        if self.introduces_a_name() {
            return None;
        }
        if self.left.is_some_and(|left| left.kind() == SyntaxKind::UseKw)
            || self.has(SyntaxKind::Use) && !self.on_new_line()
        {
            return Some(Context::Imports);
        }
        if self.is_type() {
            return Some(Context::Type);
        }
        let inside = self.nodes.iter().copied().find(|node| is_holder(node.kind()));
        let Some(inside) = inside else { return self.at_top() };
        match inside.kind() {
            SyntaxKind::SourceFile => self.at_top(),
            SyntaxKind::Args => self.in_args(inside),
            SyntaxKind::Params | SyntaxKind::TypeParams => None,
            SyntaxKind::PatArgs | SyntaxKind::ListPat => Some(Context::Pattern(None)),
            SyntaxKind::Arms => self.in_arms(inside),
            SyntaxKind::Record | SyntaxKind::Session | SyntaxKind::Enum => None,
            SyntaxKind::Prompt => self.in_prompt(inside),
            SyntaxKind::PromptTools => {
                self.starts_item().then(|| Context::Value(Value { callable: true, ..self.value() }))
            }
            SyntaxKind::Test => self.in_test(inside),
            _ => self.in_code(),
        }
    }

    fn has(&self, kind: SyntaxKind) -> bool {
        self.nodes.iter().any(|node| node.kind() == kind)
    }

    fn left_kind(&self) -> Option<SyntaxKind> {
        self.left.map(SyntaxToken::kind)
    }

    /// A line break stands between the token before and the word.
    fn on_new_line(&self) -> bool {
        let Some(left) = self.left else { return true };
        let from = usize::from(left.range().end());
        let between = self.tree.text().get(from..self.place.word.start as usize);
        between.is_none_or(|text| text.contains('\n'))
    }

    /// Behind the opening bracket or a comma.
    fn starts_item(&self) -> bool {
        matches!(
            self.left_kind(),
            Some(
                SyntaxKind::LParen | SyntaxKind::LBracket | SyntaxKind::LBrace | SyntaxKind::Comma
            )
        )
    }

    /// Behind a word that a new name follows.
    fn introduces_a_name(&self) -> bool {
        let Some(left) = self.left else { return false };
        let parent = left.parent().kind();
        match left.kind() {
            SyntaxKind::LetKw
            | SyntaxKind::FnKw
            | SyntaxKind::GraphKw
            | SyntaxKind::RecordKw
            | SyntaxKind::EnumKw
            | SyntaxKind::PromptKw
            | SyntaxKind::AgentKw
            | SyntaxKind::ExternKw
            | SyntaxKind::SessionKw
            | SyntaxKind::TriggerKw
            | SyntaxKind::TestKw
            | SyntaxKind::ForKw
            | SyntaxKind::LoopKw
            | SyntaxKind::AsKw => true,
            SyntaxKind::TypeKw => parent == SyntaxKind::TypeAlias || parent == SyntaxKind::Error,
            SyntaxKind::ModelKw => parent == SyntaxKind::Model,
            SyntaxKind::SecretKw => parent == SyntaxKind::Secret,
            SyntaxKind::Comma => parent == SyntaxKind::LoopExpr,
            _ => false,
        }
    }

    fn is_type(&self) -> bool {
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

    fn at_top(&self) -> Option<Context> {
        if self.left_kind() == Some(SyntaxKind::PubKw) {
            return Some(Context::Declaration { is_pub: true });
        }
        if self.on_new_line() {
            return Some(Context::Declaration { is_pub: false });
        }
        // A header: its clauses stand behind the result.
        for node in self.nodes {
            match node.kind() {
                SyntaxKind::Trigger => return self.in_trigger(*node),
                SyntaxKind::Does => return Some(Context::Words(EFFECTS)),
                SyntaxKind::Graph | SyntaxKind::Fn | SyntaxKind::Prompt => {
                    return self.header_words(*node, HEADER);
                }
                SyntaxKind::Extern => return self.header_words(*node, EXTERN_HEADER),
                SyntaxKind::Let => return self.in_code(),
                _ => {}
            }
        }
        None
    }

    /// The head of a trigger: `on` a source, then its event and policies.
    fn in_trigger(&self, node: SyntaxNode<'_>) -> Option<Context> {
        if self.left_kind() == Some(SyntaxKind::OnKw) {
            return Some(Context::Sources);
        }
        let args = node.first_child(SyntaxKind::Args);
        match args {
            Some(args) if u32::from(args.range().end()) <= self.place.word.start => {
                let has_event = node.first_child(SyntaxKind::TriggerEvent).is_some();
                Some(Context::Words(if has_event { &["with"] } else { &["as", "with"] }))
            }
            Some(_) => None,
            None => {
                let named = node.tokens().any(|token| token.kind() == SyntaxKind::Lid);
                named.then_some(Context::Words(&["on"]))
            }
        }
    }

    fn header_words(
        &self,
        node: SyntaxNode<'_>,
        words: &'static [&'static str],
    ) -> Option<Context> {
        if matches!(self.left_kind(), Some(SyntaxKind::DoesKw)) {
            return Some(Context::Words(EFFECTS));
        }
        let params = node.first_child(SyntaxKind::Params)?;
        let behind = u32::from(params.range().end()) < self.place.word.start;
        (behind && self.behind_value()).then_some(Context::Words(words))
    }

    /// Whether the token before ends a value or a type, so that only an operator can follow on the same line.
    fn behind_value(&self) -> bool {
        let Some(left) = self.left else { return false };
        if self.on_new_line() {
            return false;
        }
        match left.kind() {
            SyntaxKind::Lid
            | SyntaxKind::Uid
            | SyntaxKind::Number
            | SyntaxKind::StrEnd
            | SyntaxKind::RParen
            | SyntaxKind::RBracket
            | SyntaxKind::RBrace
            | SyntaxKind::TrueKw
            | SyntaxKind::FalseKw
            | SyntaxKind::Question
            | SyntaxKind::NoneKw => true,
            kind => kind.is_contextual_word() && left.parent().kind() == SyntaxKind::NameExpr,
        }
    }

    fn behind_dot(&self, dot: SyntaxToken<'a>) -> Option<Context> {
        if self.has(SyntaxKind::Use)
            || dot.parent().parent().is_some_and(|n| n.kind() == SyntaxKind::Use)
        {
            return Some(Context::Imports);
        }
        let base = token_before(self.tree, dot.range().start().into());
        let selects = base.is_none_or(|base| {
            matches!(
                base.kind(),
                SyntaxKind::LParen | SyntaxKind::Comma | SyntaxKind::Colon | SyntaxKind::LBracket
            )
        });
        if selects {
            return self.selector(dot);
        }
        let base = base?;
        let is_type = self.nodes.first().is_some_and(|node| {
            node.ancestors().take(3).any(|node| node.kind() == SyntaxKind::NamedType)
        });
        let before = token_before(self.tree, base.range().start().into());
        let is_path = before.is_some_and(|before| before.kind() == SyntaxKind::Dot);
        match base.kind() {
            SyntaxKind::Uid => {
                let name = base.text();
                let def = if is_path {
                    let module = token_before(self.tree, before?.range().start().into())?;
                    let module = self.analysis.module_named(self.file, module.text())?;
                    self.analysis.members(module, false).find(|(_, def)| def.name == name)?.0
                } else {
                    self.analysis.def_named(self.file, name)?
                };
                Some(Context::Variants(def))
            }
            kind if kind.can_be_name() && !is_path => {
                let name = base.text();
                let bound = self.analysis.bound_at(self.file, base.range().start().into());
                match bound.iter().find(|bound| bound.name == name) {
                    Some(bound) => {
                        let (def, local) = bound.local?;
                        Some(Context::Fields(
                            self.analysis.compilation.types.ty_of_local(def, local),
                        ))
                    }
                    None if name == "session" && self.session().is_some() => {
                        self.session().map(Context::Session)
                    }
                    None => match self.analysis.def_named(self.file, name) {
                        Some(def) => {
                            Some(Context::Fields(self.analysis.compilation.types.constant(def)?))
                        }
                        None => Some(Context::Members { module: name.to_owned(), types: is_type }),
                    },
                }
            }
            _ => {
                // The value before the dot is the node that ends there.
                let mut node = base.parent();
                let mut found = None;
                while node.range().end() == base.range().end() {
                    if AstExpr::cast(node).is_some() {
                        found = self.analysis.type_of_range(self.file, node.range()).or(found);
                    }
                    node = node.parent()?;
                }
                Some(Context::Fields(found?))
            }
        }
    }

    /// The session that the declaration around the cursor runs in.
    fn session(&self) -> Option<DefId> {
        self.analysis.session_of(self.place.owner?)
    }

    /// The record whose fields `.name` may select in an argument.
    fn selector(&self, dot: SyntaxToken<'_>) -> Option<Context> {
        use kait_compiler::check::ty::TyKind;
        let args = dot.parent().ancestors().find(|node| node.kind() == SyntaxKind::Args)?;
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

    fn in_args(&self, args: SyntaxNode<'a>) -> Option<Context> {
        let parent = args.parent()?;
        let begins = self.starts_item();
        match parent.kind() {
            SyntaxKind::Policies => {
                if !begins {
                    let name = self.left.and_then(|left| {
                        let colon = left.kind() == SyntaxKind::Colon;
                        token_before(self.tree, left.range().start().into()).filter(|_| colon)
                    });
                    if name.is_some_and(|name| name.text() == "model") {
                        return Some(Context::Role);
                    }
                    return self.in_code();
                }
                Some(Context::Policies(match parent.parent().map(SyntaxNode::kind) {
                    Some(SyntaxKind::Graph | SyntaxKind::Fn) => PolicyPlace::Graph,
                    Some(SyntaxKind::Extern) => {
                        let kind = parent.parent().and_then(ast::Extern::cast);
                        let kind = kind.and_then(|decl| decl.from()?.kind());
                        match kind.map_or("", |kind| kind.text()) {
                            "wasm" => PolicyPlace::Wasm,
                            "process" => PolicyPlace::Process,
                            "mcp" => PolicyPlace::Mcp,
                            _ => PolicyPlace::Http,
                        }
                    }
                    Some(SyntaxKind::Prompt) => PolicyPlace::Prompt,
                    Some(SyntaxKind::PromptModel) => PolicyPlace::Model,
                    Some(SyntaxKind::Tool) => PolicyPlace::Tool,
                    Some(SyntaxKind::Test) => PolicyPlace::Test,
                    Some(SyntaxKind::Trigger) => PolicyPlace::Trigger,
                    _ => PolicyPlace::Call,
                }))
            }
            SyntaxKind::Where => begins.then_some(Context::Words(BOUNDS)),
            SyntaxKind::Needs => None,
            _ if !begins => self.in_code(),
            SyntaxKind::NextExpr => {
                let given = given(args, self.place.offset);
                let around = parent.ancestors().find_map(ast::LoopExpr::cast);
                let vars = around.into_iter().flat_map(|form| form.vars());
                let variables =
                    vars.filter_map(|var| Some(var.name()?.text().to_owned())).collect();
                let callee = Vec::new();
                let arguments = Arguments {
                    callee,
                    symbol: None,
                    given,
                    positional: 0,
                    variables,
                    session: None,
                };
                Some(Context::Value(Value { arguments: Some(arguments), ..self.value() }))
            }
            SyntaxKind::Trigger => {
                let path = ast::Trigger::cast(parent)?.source()?;
                let tokens: Vec<_> = path.segments().collect();
                let symbol = tokens.last().and_then(|last| {
                    let index = self.analysis.index(self.file)?;
                    Some(index.at(last.range().start().into())?.symbol)
                });
                let at = TextSize::from(self.place.offset);
                let given_args = args.children().filter_map(ast::Arg::cast);
                let positional =
                    given_args.filter(|arg| arg.range().end() < at && arg.name().is_none()).count();
                let arguments = Arguments {
                    callee: tokens.iter().map(|token| token.text().to_owned()).collect(),
                    symbol,
                    given: given(args, self.place.offset),
                    positional,
                    variables: Vec::new(),
                    session: None,
                };
                Some(Context::Value(Value { arguments: Some(arguments), ..self.value() }))
            }
            _ => {
                let call = ast::CallExpr::cast(parent)?;
                let mut path = Vec::new();
                crate::index::words(call.callee()?, &mut path);
                let symbol = path.last().and_then(|last| {
                    Some(self.analysis.name_at(self.file, last.range().start().into())?.symbol)
                });
                let at = TextSize::from(self.place.offset);
                let before = |arg: &ast::Arg<'_>| arg.range().end() < at && arg.name().is_none();
                let positional = call.args().into_iter().flat_map(ast::Args::args).filter(before);
                let arguments = Arguments {
                    callee: path.iter().map(|token| token.text().to_owned()).collect(),
                    symbol,
                    given: given(args, self.place.offset),
                    positional: positional.count() + usize::from(is_piped(call)),
                    variables: Vec::new(),
                    session: self
                        .session()
                        .filter(|_| matches!(symbol, Some(Symbol::Builtin(Builtin::SessionSave)))),
                };
                Some(Context::Value(Value { arguments: Some(arguments), ..self.value() }))
            }
        }
    }

    fn in_arms(&self, arms: SyntaxNode<'a>) -> Option<Context> {
        let subject = arms.parent().and_then(|parent| match parent.kind() {
            SyntaxKind::MatchExpr => {
                let subject = parent.children().find_map(AstExpr::cast)?;
                self.analysis.type_of_range(self.file, subject.range())
            }
            SyntaxKind::CatchExpr => self.failure(),
            _ => None,
        });
        match self.left_kind() {
            Some(SyntaxKind::FatArrow) => self.in_code(),
            Some(SyntaxKind::LBrace | SyntaxKind::Comma | SyntaxKind::Bar) => {
                Some(Context::Pattern(subject))
            }
            _ if self.on_new_line() => Some(Context::Pattern(subject)),
            // Behind the pattern, or somewhere in the value.
            _ => {
                let arm = self.nodes.iter().copied().find_map(ast::Arm::cast);
                let start = TextSize::from(self.place.word.start);
                let body = arm.and_then(ast::Arm::body).map(|body| body.range().start());
                if body.is_some_and(|body| body <= start)
                    || arm.and_then(ast::Arm::guard).is_some_and(|g| g.range().start() <= start)
                {
                    return self.in_code();
                }
                self.behind_value().then_some(Context::Words(&["if"]))
            }
        }
    }

    fn failure(&self) -> Option<Ty> {
        self.analysis.type_named(self.analysis.def_named(self.file, "Failure")?)
    }

    fn in_prompt(&self, prompt: SyntaxNode<'a>) -> Option<Context> {
        let brace = prompt.first_token(SyntaxKind::LBrace);
        let inside = brace.is_some_and(|brace| u32::from(brace.range().end()) <= self.place.offset);
        if !inside {
            return self.at_top();
        }
        match self.left_kind() {
            Some(SyntaxKind::ModelKw) => Some(Context::Role),
            Some(kind) if kind.is_role() => Some(Context::Value(self.value())),
            _ if self.on_new_line() || self.left_kind() == Some(SyntaxKind::LBrace) => {
                Some(Context::PromptItem)
            }
            _ if self.has(SyntaxKind::PromptMessage) => self.in_code(),
            _ => self.behind_value().then_some(Context::Words(&["with"])),
        }
    }

    fn in_test(&self, test: SyntaxNode<'a>) -> Option<Context> {
        let brace = test.first_token(SyntaxKind::LBrace)?;
        if u32::from(brace.range().end()) > self.place.offset {
            return None;
        }
        match self.left_kind() {
            Some(SyntaxKind::StubKw | SyntaxKind::ApproveKw) => {
                Some(Context::Value(Value { callable: true, ..self.value() }))
            }
            _ if self.on_new_line() || self.left_kind() == Some(SyntaxKind::LBrace) => {
                Some(Context::Value(Value { statement: true, test: true, ..self.value() }))
            }
            _ => self.in_code(),
        }
    }

    /// In a block, a list, brackets: a value, or what may follow one.
    fn in_code(&self) -> Option<Context> {
        match self.left_kind() {
            Some(SyntaxKind::IsKw) => return Some(Context::Pattern(self.compared())),
            Some(SyntaxKind::DoesKw) => return Some(Context::Words(EFFECTS)),
            _ => {}
        }
        if self.behind_value() {
            return Some(Context::Words(self.following()?));
        }
        let block = self.nodes.iter().find(|node| is_holder(node.kind()));
        let statement = block.is_some_and(|node| node.kind() == SyntaxKind::Block)
            && (self.on_new_line() || self.left_kind() == Some(SyntaxKind::LBrace))
            && !self.left.is_some_and(|left| continues(left.kind()));
        Some(Context::Value(Value { statement, ..self.value() }))
    }

    fn value(&self) -> Value {
        Value {
            in_loop: self.has(SyntaxKind::LoopExpr),
            policy: self.has(SyntaxKind::Policies),
            ..Value::default()
        }
    }

    /// The type of what stands before `is`.
    fn compared(&self) -> Option<Ty> {
        let left = self.left?;
        let before = left
            .parent()
            .children()
            .find(|node| node.range().end() <= left.range().start())
            .or_else(|| {
                token_before(self.tree, left.range().start().into()).map(SyntaxToken::parent)
            })?;
        self.analysis.type_of_range(self.file, before.range())
    }

    /// The words that may follow a value here.
    fn following(&self) -> Option<&'static [&'static str]> {
        let left = self.left?;
        if left.kind() == SyntaxKind::RBrace {
            let block = left.parent();
            return match block.parent().map(SyntaxNode::kind) {
                Some(SyntaxKind::IfExpr | SyntaxKind::LoopExpr) => Some(&["else"]),
                _ => Some(&["catch", "undo"]),
            };
        }
        let end = left.range().end();
        for node in self.nodes.iter().copied().chain(left.parent().ancestors()) {
            match node.kind() {
                SyntaxKind::ForExpr => {
                    let form = ast::ForExpr::cast(node)?;
                    return Some(match form.list() {
                        Some(list) if list.range().end() <= end => FOR_CLAUSES,
                        _ if form.pattern().is_some_and(|p| p.range().end() <= end) => &["in"],
                        _ => INFIX,
                    });
                }
                SyntaxKind::LoopExpr => return Some(LOOP_CLAUSES),
                kind if is_holder(kind) => break,
                _ => {}
            }
        }
        Some(INFIX)
    }
}

/// Nodes that hold places of one kind.
fn is_holder(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::SourceFile
            | SyntaxKind::Args
            | SyntaxKind::Params
            | SyntaxKind::TypeParams
            | SyntaxKind::PatArgs
            | SyntaxKind::ListPat
            | SyntaxKind::Arms
            | SyntaxKind::Record
            | SyntaxKind::Session
            | SyntaxKind::Enum
            | SyntaxKind::Prompt
            | SyntaxKind::PromptTools
            | SyntaxKind::Test
            | SyntaxKind::Block
            | SyntaxKind::ListExpr
            | SyntaxKind::MapExpr
            | SyntaxKind::ParenExpr
            | SyntaxKind::RaceExpr
            | SyntaxKind::Interpolation
    )
}

/// Whether a token asks for more on the next line.
fn continues(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::Eq
            | SyntaxKind::FatArrow
            | SyntaxKind::BarGt
            | SyntaxKind::Plus
            | SyntaxKind::Minus
            | SyntaxKind::Star
            | SyntaxKind::Slash
            | SyntaxKind::QuestionQuestion
            | SyntaxKind::AndKw
            | SyntaxKind::OrKw
            | SyntaxKind::NotKw
            | SyntaxKind::InKw
            | SyntaxKind::TryKw
            | SyntaxKind::FailKw
            | SyntaxKind::DoneKw
    )
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
