//! Views of the items of prompts and agents.

use super::{Expr, Path, Policies, child, children, choice, name_after, views};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// `model role with (...)`
    PromptModel;
    /// `system expr`, `user expr`, `assistant expr`, `messages expr`
    PromptMessage;
    /// `tools [ ... ]`
    PromptTools;
    /// `path with (...)`
    Tool;
}

choice! {
    /// An item of a prompt.
    PromptItem {
        /// The role of the model.
        Model(PromptModel),
        /// A message.
        Message(PromptMessage),
        /// The tools of an agent.
        Tools(PromptTools),
    }
}

/// Who speaks in a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MessageRole {
    /// `system`
    System,
    /// `user`
    User,
    /// `assistant`
    Assistant,
    /// `messages`: a list of earlier messages.
    Messages,
}

impl<'t> PromptModel<'t> {
    /// The role's name.
    #[must_use]
    pub fn role(self) -> Option<SyntaxToken<'t>> {
        name_after(self.0, SyntaxKind::ModelKw)
    }

    /// The policies of the call.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }
}

impl<'t> PromptMessage<'t> {
    /// Who speaks.
    #[must_use]
    pub fn role(self) -> Option<MessageRole> {
        self.0.tokens().find_map(|token| match token.kind() {
            SyntaxKind::SystemKw => Some(MessageRole::System),
            SyntaxKind::UserKw => Some(MessageRole::User),
            SyntaxKind::AssistantKw => Some(MessageRole::Assistant),
            SyntaxKind::MessagesKw => Some(MessageRole::Messages),
            _ => None,
        })
    }

    /// The first word.
    #[must_use]
    pub fn role_token(self) -> Option<SyntaxToken<'t>> {
        self.0.tokens().find(|token| token.kind().is_role())
    }

    /// What is said.
    #[must_use]
    pub fn value(self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> PromptTools<'t> {
    /// The tools.
    pub fn tools(self) -> impl Iterator<Item = Tool<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Tool<'t> {
    /// What is called.
    #[must_use]
    pub fn path(self) -> Option<Path<'t>> {
        child(self.0)
    }

    /// The policies of its calls.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }
}
