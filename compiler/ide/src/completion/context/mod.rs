//! What kind of place the cursor is in.

mod args;
mod header;

use kait_compiler::check::PolicyPlace;
use kait_compiler::check::ty::Ty;
use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::DefId;
use kait_syntax::ast::{self, Expr as AstExpr};
use kait_syntax::{SyntaxKind, SyntaxNode, SyntaxToken, SyntaxTree, TextSize};

use super::{Follows, Place};
use crate::analysis::{is_word, span_of};
use crate::locals::{around, token_before};
use crate::{Analysis, Symbol};

/// What can stand at the cursor.
#[derive(Clone, Debug)]
pub(super) enum Context {
    /// Fields of values of a type, behind the dot of that place if they may be missing.
    Fields(Ty, Option<Span>),
    /// Fields of a record, selected: `.field`.
    Selector(DefId),
    /// Parameters of a call, selected: `edit: [.amount]`.
    Params(Vec<String>),
    /// What `session` has in a graph that runs in one.
    Session(DefId),
    /// Members of a module.
    Members { module: String, wanted: Members },
    /// Variants of an enum.
    Variants(DefId),
    /// Sources of events, behind `on`.
    Sources,
    /// Module paths behind `use`.
    Imports,
    /// A type.
    Type,
    /// A session, behind `in`.
    Sessions,
    /// A declaration, behind `pub` or not.
    Declaration { is_pub: bool },
    /// Some of these words, and nothing else.
    Words(&'static [&'static str]),
    /// The same, of words that depend on what stands there already.
    Clauses(Vec<&'static str>),
    /// Policies, without those that are given already.
    Policies(PolicyPlace, Vec<String>),
    /// Some of these bounds, without those that are given already.
    Bounds(Vec<&'static str>, Vec<String>),
    /// Names of formats, in quotes or to be put into some.
    Formats { quoted: bool },
    /// What a variant or call holds, to be bound: its names, without those that are given already, or, by position, a
    /// pattern.
    Payload { names: Vec<String>, given: Vec<String>, ty: Option<Ty>, positional: bool },
    /// A line of a prompt: whether `model` and `tools` can stand there.
    PromptItem { model: bool, tools: bool },
    /// A model role.
    Role,
    /// A name of something that was bound before.
    Locals,
    /// A way to send a secret or a key.
    Transport { auth: bool },
    /// A pattern for values of a type, if that is known; names of variants that have their arms already; whether it may
    /// bind names.
    Pattern { ty: Option<Ty>, armed: Vec<String>, binds: bool },
    /// Something that can be called, by its name: as a call or as the name alone; `approve` may stand before it.
    Callable { call: bool, approve: bool },
    /// A value, with what else can stand there.
    Value(Value),
}

/// Which members of a module can stand behind its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Members {
    Values,
    Types,
    Patterns,
    Sources,
    /// As a call or as the name alone.
    Callables {
        call: bool,
    },
}

/// What can stand beside a value.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Names of arguments.
    pub arguments: Option<Arguments>,
    /// Without a name a value can stand there.
    pub by_position: bool,
    /// A statement may begin.
    pub statement: bool,
    /// A line of a test may begin.
    pub test: bool,
    /// `done` and `next` mean something.
    pub in_loop: bool,
    /// The type of the values that are wanted.
    pub wanted: Option<Ty>,
}

/// The arguments of a call, of which some are written.
#[derive(Clone, Debug, Default)]
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

/// What may follow a value, and a call.
const INFIX: &[&str] = &["and", "or", "in", "is"];
const INFIX_OF_CALLS: &[&str] = &["and", "or", "in", "is", "with", "catch", "undo"];
const INFIX_OF_OUTCOMES: &[&str] = &["and", "or", "in", "is", "then", "after"];
const FOR_CLAUSES: &[&str] = &["if", "max", "parallel", "and", "or"];
const LOOP_CLAUSES: &[&str] = &["max"];

impl Analysis {
    /// The place of an offset and what can stand there; `None` where nothing is offered.
    pub(super) fn completion_context(&self, file: FileId, offset: u32) -> Option<(Place, Context)> {
        let tree = self.tree(file)?;
        let touching = offset.checked_sub(1).and_then(|at| tree.token_at(TextSize::from(at)));
        let mut word = span_of(file, kait_syntax::TextRange::empty(TextSize::from(offset)));
        let next = tree.token_at(TextSize::from(offset)).and_then(|token| {
            let behind = u32::from(token.range().start()) < offset;
            if behind { token.next_token() } else { Some(token) }
        });
        let follows = match next.map(SyntaxToken::kind) {
            Some(SyntaxKind::LParen) => Follows::Bracket,
            Some(SyntaxKind::Colon) => Follows::Colon,
            Some(SyntaxKind::Dot | SyntaxKind::QuestionDot) => Follows::Dot,
            _ => Follows::Other,
        };
        let owner = self.def_at(file, offset);
        if let Some(token) = touching {
            let is_text = matches!(token.kind(), SyntaxKind::StrStart | SyntaxKind::StrText);
            if is_text && args::is_format(token) {
                if token.kind() == SyntaxKind::StrText {
                    word.start = token.range().start().into();
                }
                let place = Place { offset, word, follows, owner, one_line: true };
                return Some((place, Context::Formats { quoted: true }));
            }
            if is_dead(token, offset) {
                return None;
            }
            if is_word(token) {
                word.start = token.range().start().into();
            }
        }
        let left = token_before(tree, word.start);
        let nodes = around(tree, offset);
        let one_line = nodes.iter().any(|node| {
            let text = node.parent().and_then(ast::StrExpr::cast);
            node.kind() == SyntaxKind::Interpolation && text.is_some_and(|text| !text.is_triple())
        });
        let place = Place { offset, word, follows, owner, one_line };
        let context = Finder { analysis: self, file, tree, place, left, nodes: &nodes }.find()?;
        Some((place, context))
    }
}

/// Whether the text at the cursor is no code.
fn is_dead(token: SyntaxToken<'_>, offset: u32) -> bool {
    match token.kind() {
        // `a.|.b`, which are two dots for the lexer.
        SyntaxKind::DotDot => u32::from(token.range().end()) > offset,
        SyntaxKind::StrStart
        | SyntaxKind::StrText
        | SyntaxKind::StrEscape
        | SyntaxKind::StrEnd
        | SyntaxKind::SingleQuoted
        | SyntaxKind::BacktickQuoted
        | SyntaxKind::Underscore
        | SyntaxKind::InterpEnd
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
        if self.left_kind() == Some(SyntaxKind::UseKw) {
            return Some(Context::Imports);
        }
        if self.left_is_in(SyntaxKind::Use) && !self.on_new_line() {
            let named = self.left.is_some_and(|left| {
                left.parent().ancestors().take(3).any(|n| n.first_token(SyntaxKind::AsKw).is_some())
            });
            return (!named).then_some(Context::Words(&["as"]));
        }
        if self.is_type() {
            return Some(Context::Type);
        }
        let inside = self.nodes.iter().copied().find(|node| is_holder(node.kind()));
        let Some(inside) = inside else { return self.at_top() };
        match inside.kind() {
            SyntaxKind::SourceFile => self.at_top(),
            SyntaxKind::Args => self.in_args(inside),
            SyntaxKind::Params => self.in_default(SyntaxKind::Param),
            SyntaxKind::TypeParams => None,
            SyntaxKind::PatArgs => self.in_payload(inside),
            SyntaxKind::ListPat => {
                let ty = None;
                self.starts_item().then(|| Context::Pattern { ty, armed: Vec::new(), binds: true })
            }
            SyntaxKind::Arms => self.in_arms(inside),
            SyntaxKind::Record | SyntaxKind::Session => self.in_default(SyntaxKind::Field),
            SyntaxKind::Enum => self.in_default(SyntaxKind::Variant),
            SyntaxKind::Prompt => self.in_prompt(inside),
            SyntaxKind::PromptTools if self.starts_item() => {
                Some(Context::Callable { call: false, approve: false })
            }
            SyntaxKind::PromptTools => self.behind_value().then_some(Context::Words(&["with"])),
            SyntaxKind::Test => self.in_test(inside),
            _ => self.in_code(),
        }
    }

    /// The place of a dot that does not lead to fields which may be missing: `?.` does.
    fn plain_dot(&self, ty: Ty, dot: SyntaxToken<'_>, indexed: bool) -> Option<Span> {
        let interner = &self.analysis.compilation.types.interner;
        let missing = indexed || interner.is_optional(ty);
        let place = span_of(self.file, dot.range());
        (missing && dot.kind() == SyntaxKind::Dot).then_some(place)
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

    /// Inside of brackets in which lines mean nothing.
    fn in_brackets(&self) -> bool {
        let holder = self.nodes.iter().find(|node| is_holder(node.kind()));
        holder.is_some_and(|node| {
            matches!(
                node.kind(),
                SyntaxKind::Args
                    | SyntaxKind::Params
                    | SyntaxKind::TypeParams
                    | SyntaxKind::PatArgs
                    | SyntaxKind::ListPat
                    | SyntaxKind::PromptTools
                    | SyntaxKind::ListExpr
                    | SyntaxKind::MapExpr
                    | SyntaxKind::ParenExpr
                    | SyntaxKind::Interpolation
            )
        })
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

    /// Whether the token before ends a value or a type, so that only an operator can follow on the same line.
    fn behind_value(&self) -> bool {
        let Some(left) = self.left else { return false };
        if self.on_new_line() && !self.in_brackets() {
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
                        let ty = self.analysis.compilation.types.ty_of_local(def, local);
                        Some(Context::Fields(ty, self.plain_dot(ty, dot, false)))
                    }
                    None if name == "session" && self.session().is_some() => {
                        self.session().map(Context::Session)
                    }
                    None => match self.analysis.def_named(self.file, name) {
                        Some(def) => {
                            let ty = self.analysis.compilation.types.constant(def)?;
                            Some(Context::Fields(ty, self.plain_dot(ty, dot, false)))
                        }
                        None => {
                            let wanted = self.members(dot);
                            Some(Context::Members { module: name.to_owned(), wanted })
                        }
                    },
                }
            }
            _ => {
                // The value before the dot is the node that ends there.
                let mut node = base.parent();
                let mut found = None;
                let mut indexed = false;
                while node.range().end() == base.range().end() {
                    if AstExpr::cast(node).is_some() {
                        let ty = self.analysis.type_of_range(self.file, node.range());
                        if ty.is_some() {
                            indexed = node.kind() == SyntaxKind::IndexExpr;
                        }
                        found = ty.or(found);
                    }
                    node = node.parent()?;
                }
                let ty = found?;
                Some(Context::Fields(ty, self.plain_dot(ty, dot, indexed)))
            }
        }
    }

    /// Which members of a module can stand behind the dot.
    fn members(&self, dot: SyntaxToken<'_>) -> Members {
        for node in dot.parent().ancestors() {
            match node.kind() {
                SyntaxKind::NamedType => return Members::Types,
                SyntaxKind::Stub => return Members::Callables { call: true },
                SyntaxKind::Tool | SyntaxKind::PromptTools => {
                    return Members::Callables { call: false };
                }
                SyntaxKind::Trigger => return Members::Sources,
                SyntaxKind::Tag | SyntaxKind::VariantPat | SyntaxKind::NamePat => {
                    return Members::Patterns;
                }
                SyntaxKind::Path | SyntaxKind::FieldExpr | SyntaxKind::Arg | SyntaxKind::Error => {}
                SyntaxKind::Args => {
                    let callee = token_before(self.tree, node.range().start().into());
                    return match callee.map(SyntaxToken::text) {
                        Some("calls" | "attempts" | "called") => Members::Callables { call: false },
                        Some("order") => Members::Callables { call: true },
                        _ => Members::Values,
                    };
                }
                _ => break,
            }
        }
        Members::Values
    }

    /// The session that the declaration around the cursor runs in.
    fn session(&self) -> Option<DefId> {
        self.analysis.session_of(self.place.owner?)
    }

    fn failure(&self) -> Option<Ty> {
        self.analysis.type_named(self.analysis.def_named(self.file, "Failure")?)
    }

    /// In a block, a list, brackets: a value, or what may follow one.
    fn in_code(&self) -> Option<Context> {
        match self.left_kind() {
            Some(SyntaxKind::IsKw) => {
                let ty = self.compared();
                return Some(Context::Pattern { ty, armed: Vec::new(), binds: false });
            }
            Some(SyntaxKind::ForKw | SyntaxKind::LoopKw) => return None,
            _ => {}
        }
        if self.behind_value() {
            return Some(Context::Words(self.following()?));
        }
        let block = self.nodes.iter().find(|node| is_holder(node.kind()));
        let is_block = block.is_some_and(|node| node.kind() == SyntaxKind::Block);
        let begins =
            self.on_new_line() && !self.continues() || self.left_kind() == Some(SyntaxKind::LBrace);
        let statement = is_block && begins;
        let ends_round = statement || self.left_kind() == Some(SyntaxKind::FatArrow);
        let in_loop = ends_round && self.in_round();
        let wanted = self.wanted();
        Some(Context::Value(Value { statement, in_loop, wanted, ..self.value() }))
    }

    fn value(&self) -> Value {
        Value {
            arguments: None,
            by_position: true,
            statement: false,
            test: false,
            in_loop: false,
            wanted: None,
        }
    }

    /// Whether the token before asks for more, also on the next line.
    fn continues(&self) -> bool {
        self.left.is_some_and(|left| continues(left.kind()))
    }

    /// Behind what a stub gives.
    fn left_is_in_outcome(&self) -> bool {
        let inside = self.nodes.iter().find(|node| is_holder(node.kind()));
        inside.is_some_and(|node| node.kind() == SyntaxKind::Test)
            && self.left.is_some_and(|left| {
                left.parent().ancestors().any(|node| node.kind() == SyntaxKind::Outcome)
            })
    }

    /// Inside the rounds of a loop, not in its head or its `else`.
    fn in_round(&self) -> bool {
        let at = TextSize::from(self.place.offset);
        self.nodes.iter().any(|node| {
            let body = ast::LoopExpr::cast(*node).and_then(ast::LoopExpr::body);
            body.is_some_and(|body| body.range().start() < at && at <= body.range().end())
        })
    }

    /// The type of what stands before `is` or a comparison.
    fn compared(&self) -> Option<Ty> {
        let left = self.left?;
        let before = left
            .parent()
            .children()
            .find(|node| node.range().end() <= left.range().start())
            .map(|mut node| {
                while let Some(inner) = ast::ParenExpr::cast(node).and_then(ast::ParenExpr::inner) {
                    node = inner.syntax();
                }
                node
            })
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
                Some(SyntaxKind::IfExpr | SyntaxKind::LoopExpr) => {
                    let behind =
                        block.parent().and_then(|form| form.first_token(SyntaxKind::ElseKw));
                    behind.is_none().then_some(&["else"][..])
                }
                _ => block.parent().and_then(AstExpr::cast).map(|_| &["catch"][..]),
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
        if self.left_is_in_outcome() {
            return Some(INFIX_OF_OUTCOMES);
        }
        let call = left.kind() == SyntaxKind::RParen
            && left.parent().parent().is_some_and(|call| call.kind() == SyntaxKind::CallExpr);
        Some(if call { INFIX_OF_CALLS } else { INFIX })
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
