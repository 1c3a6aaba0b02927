//! Calls of models: from a prompt's contents to a request, through the providers of its role, to a typed value.
//!
//! Growth is reported while the answer comes. An answer that does not fit its type is followed by repair calls, as
//! many as the program allows, which tell the model what was wrong; then the call fails with `Invalid`.

use std::sync::Arc;

use kait_engine::check::TypeTable;
use kait_engine::json::encode_scalar;
use kait_engine::render::to_text;
use kait_engine::{Outcome, Usage};
use kait_ir::program::MessageRole;
use kait_ir::{Bound, Failure, Type, TypeId, Value};

use crate::connections::Connections;
use crate::grants::Access;
use crate::growth::Growth;
use crate::leaf::{Ended, Grower, ModelBinding, ModelJob, Started};
use crate::price::Prices;
use crate::providers::{
    self, ChatMessage, ChatRole, Finish, ModelEvent, ModelProvider, ModelRequest, Options, Output,
    Part,
};
use crate::structured::AnswerParser;

impl Connections {
    /// Begins a call of a model. Must be called within a tokio runtime with time and IO.
    pub fn model(&self, job: &ModelJob<'_>) -> Started {
        let granted = self.config().grants.allow(Access::Model(job.role));
        if let Err(why) = granted {
            return Started::Now(Outcome::Failed(Failure::Refused { why }));
        }
        let request = request(job);
        let chain = self.chain(job.role);
        match request.and_then(|request| Ok((request, chain?))) {
            Err(failure) => Started::Now(Outcome::Failed(failure)),
            Ok((request, chain)) => {
                let call = Call {
                    request,
                    table: job.table.clone(),
                    output: job.output,
                    repair: job.repair,
                    grower: job.grower.clone(),
                    limit: self.config().limits.answer,
                    usage: Usage::default(),
                    grew: false,
                };
                Started::Later(Box::pin(call.run(chain)))
            }
        }
    }

    /// The providers of a role, in the order in which they stand in for each other.
    fn chain(&self, role: &str) -> Result<Vec<Priced>, Failure> {
        let config = self.config();
        let default = config.default_model.as_ref().map(std::slice::from_ref);
        let bindings = match config.models.get(role) {
            Some(bindings) if !bindings.is_empty() => Some(bindings.as_slice()),
            _ => default,
        };
        let Some(bindings) = bindings else {
            return Err(Failure::Unbound { name: role.into() });
        };
        let priced = |binding| Ok((self.provider(binding)?, Prices::of(binding)));
        bindings.iter().map(priced).collect()
    }

    /// The provider of a binding: made at its first use, then shared.
    fn provider(&self, binding: &ModelBinding) -> Result<Arc<dyn ModelProvider>, Failure> {
        let mut open =
            self.shared.providers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, provider)) = open.iter().find(|(known, _)| known == binding) {
            return Ok(provider.clone());
        }
        let provider = providers::open(binding, &self.config().env)?;
        open.push((binding.clone(), provider.clone()));
        Ok(provider)
    }
}

/// A provider, and what its tokens cost.
type Priced = (Arc<dyn ModelProvider>, Prices);

/// The request that a prompt makes.
fn request(job: &ModelJob<'_>) -> Result<ModelRequest, Failure> {
    let mut messages = Vec::new();
    for (message, content) in job.call.messages.iter().zip(job.messages) {
        let role = match message.role {
            MessageRole::System => ChatRole::System,
            MessageRole::User => ChatRole::User,
            MessageRole::Assistant => ChatRole::Assistant,
            MessageRole::Messages => {
                history(content, &mut messages)?;
                continue;
            }
        };
        let mut parts = Vec::new();
        add_parts(job.table, message.ty, content, &mut parts);
        messages.push(ChatMessage { role, parts });
    }
    let mut options = Options { max_tokens: job.tokens_left, others: Vec::new() };
    for ((name, _), value) in job.call.options.iter().zip(job.options) {
        match (name.as_str(), value) {
            (_, Value::None) => {}
            ("max_tokens", Value::Int(n)) => {
                let wanted = u64::try_from(*n).unwrap_or(0);
                options.max_tokens =
                    Some(options.max_tokens.map_or(wanted, |left| left.min(wanted)));
            }
            (_, Value::List(items)) => {
                let items = items.iter().map(encode_scalar).collect();
                options.others.push((name.clone(), serde_json::Value::Array(items)));
            }
            _ => options.others.push((name.clone(), encode_scalar(value))),
        }
    }
    if options.max_tokens == Some(0) {
        return Err(Failure::Budget { kind: "tokens".into() });
    }
    let plain = matches!(job.table.types().base(job.output), Type::Text);
    let output = if plain && grows_freely(job.table, job.output) {
        // A length is checked at the end; until then it is a text like any other.
        Output::Text
    } else {
        Output::Typed { table: job.table.clone(), ty: job.output }
    };
    Ok(ModelRequest {
        prompt: job.call.prompt.clone(),
        docs: job.call.docs.clone(),
        messages,
        options,
        output,
    })
}

/// Whether a text type has neither pattern nor format.
fn grows_freely(table: &TypeTable, mut ty: TypeId) -> bool {
    while let Type::Refined { base, bounds, .. } = table.get(ty) {
        if bounds.iter().any(|bound| matches!(bound, Bound::Pattern(_) | Bound::Format(_))) {
            return false;
        }
        ty = *base;
    }
    true
}

/// The messages of the prelude's `Message`: `System`, `User`, `Assistant`, `ToolResult(call, content)`.
fn history(list: &Value, messages: &mut Vec<ChatMessage>) -> Result<(), Failure> {
    for message in list.as_list().unwrap_or_default() {
        let text =
            |index: usize| message.fields().get(index).and_then(Value::as_text).unwrap_or_default();
        messages.push(match message.tag() {
            Some(0) => ChatMessage::text(ChatRole::System, text(0)),
            Some(1) => ChatMessage::text(ChatRole::User, text(0)),
            Some(2) => ChatMessage::text(ChatRole::Assistant, text(0)),
            // Providers want a tool's result right behind its call, which a history does not hold.
            Some(3) => {
                ChatMessage::text(ChatRole::User, format!("Result of `{}`:\n{}", text(0), text(1)))
            }
            _ => return Err(Failure::trap("a message of unknown shape")),
        });
    }
    Ok(())
}

/// Texts and files as they are, lists part by part, everything else as templates show it.
fn add_parts(table: &TypeTable, ty: TypeId, content: &Value, parts: &mut Vec<Part>) {
    match (content, table.types().base(ty)) {
        (Value::Blob(blob), _) => parts.push(Part::Blob(blob.clone())),
        (Value::Text(text), _) => parts.push(Part::Text(text.clone())),
        (_, Type::Optional(inner)) => add_parts(table, *inner, content, parts),
        (Value::List(items), Type::List(item))
            if items.iter().any(|part| matches!(part, Value::Blob(_))) =>
        {
            items.iter().for_each(|part| add_parts(table, *item, part, parts));
        }
        _ => parts.push(Part::Text(to_text(table, ty, content).into())),
    }
}

/// One logical call.
struct Call {
    request: ModelRequest,
    table: Arc<TypeTable>,
    output: TypeId,
    repair: u32,
    grower: Grower,
    limit: usize,
    usage: Usage,
    /// Whether anything of the answer was shown.
    grew: bool,
}

impl Call {
    async fn run(mut self, chain: Vec<Priced>) -> Ended {
        let mut outcome = Outcome::Failed(Failure::trap("a role without a model"));
        for (provider, prices) in &chain {
            match self.through(&**provider, *prices).await {
                Ok(value) => {
                    outcome = Outcome::Ok(value);
                    break;
                }
                Err(failure) => {
                    // Once something was shown, or the answer itself is at fault, another provider does not help.
                    let goes_on = !self.grew && stands_in_after(&failure);
                    outcome = Outcome::Failed(failure);
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        Ended { outcome, usage: Some(self.usage) }
    }

    /// The value that one provider answers with, after repairs if they are needed.
    async fn through(
        &mut self,
        provider: &dyn ModelProvider,
        prices: Prices,
    ) -> Result<Value, Failure> {
        let mut request = self.request.clone();
        let mut repairs = self.repair;
        loop {
            let mut answer = Answer::new(&request.output, &self.grower, self.limit);
            let ended = provider.ask(&request, &mut |event| answer.take(event)).await;
            let (grew, unfit, text) = (answer.grew, answer.unfit, std::mem::take(&mut answer.text));
            self.grew |= grew;
            let (read, written) = answer.usage;
            self.usage.add(&Usage {
                calls: 1,
                input_tokens: read,
                output_tokens: written,
                cost: prices.cost(read, written),
            });
            let wrong = match ended {
                Ok(Finish::Refused(why)) => return Err(Failure::Refused { why }),
                Ok(finish) => {
                    match (answer.finish(text.as_str(), &self.table, self.output), finish) {
                        (Ok(value), Finish::Complete) => return Ok(value),
                        // All of a typed value came before the limit: only what stood behind it was cut off.
                        (Ok(value), _) if matches!(request.output, Output::Typed { .. }) => {
                            return Ok(value);
                        }
                        (Err(failure), Finish::Complete) => failure,
                        _ => return Err(cut_off(request.options.max_tokens)),
                    }
                }
                Err(failure) if unfit => failure,
                Err(failure) => return Err(failure),
            };
            let Failure::Invalid { path, why } = &wrong else { return Err(wrong) };
            if repairs == 0 {
                return Err(wrong);
            }
            repairs -= 1;
            if grew {
                self.grower.grow(Growth::Restart);
            }
            let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            let correction = format!(
                "This answer cannot be used: the value{place} is wrong ({why}). Give the whole answer again, corrected, \
                 and nothing else."
            );
            if !text.trim().is_empty() {
                request.messages.push(ChatMessage::text(ChatRole::Assistant, text));
            }
            request.messages.push(ChatMessage::text(ChatRole::User, correction));
        }
    }
}

fn cut_off(limit: Option<u64>) -> Failure {
    let why = match limit {
        Some(limit) => {
            format!("the answer was cut off at its limit of {limit} tokens (`max_tokens`)")
        }
        None => "the answer was cut off at the model's own limit of tokens".to_owned(),
    };
    Failure::invalid("", why)
}

/// Whether another provider may be asked after that failure.
fn stands_in_after(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Timeout | Failure::Http { .. } | Failure::Tool { .. } | Failure::Refused { .. }
    )
}

/// What one answer has come to.
struct Answer<'a> {
    output: &'a Output,
    grower: &'a Grower,
    limit: usize,
    /// The answer as it came: the value of free texts, and shown to the model in a repair.
    text: String,
    parser: Option<AnswerParser>,
    grew: bool,
    /// The answer cannot become a value of its type any more.
    unfit: bool,
    /// Tokens read and written.
    usage: (u64, u64),
}

impl<'a> Answer<'a> {
    fn new(output: &'a Output, grower: &'a Grower, limit: usize) -> Self {
        let parser = parser_of(output);
        Self {
            output,
            grower,
            limit,
            text: String::new(),
            parser,
            grew: false,
            unfit: false,
            usage: (0, 0),
        }
    }

    fn take(&mut self, event: ModelEvent<'_>) -> Result<(), Failure> {
        match event {
            ModelEvent::Text(piece) => {
                if piece.is_empty() {
                    return Ok(());
                }
                if self.text.len().saturating_add(piece.len()) > self.limit {
                    return Err(Failure::Budget { kind: "bytes".into() });
                }
                self.text.push_str(piece);
                let Some(parser) = &mut self.parser else {
                    self.grew = true;
                    self.grower.grow(Growth::text(piece));
                    return Ok(());
                };
                let pushed = parser.push(piece, &mut |growth| self.grower.grow(growth));
                self.grew |= parser.has_grown();
                self.unfit = pushed.is_err();
                pushed
            }
            ModelEvent::Usage { input, output } => {
                self.usage = (input, output);
                Ok(())
            }
            ModelEvent::Restart => {
                if std::mem::take(&mut self.grew) {
                    self.grower.grow(Growth::Restart);
                }
                self.text.clear();
                self.parser = parser_of(self.output);
                Ok(())
            }
            ModelEvent::Thinking(_) => Ok(()),
        }
    }

    fn finish(self, text: &str, table: &TypeTable, ty: TypeId) -> Result<Value, Failure> {
        match self.parser {
            Some(parser) => parser.finish(&mut |growth| self.grower.grow(growth)),
            None => {
                let value = Value::text(text);
                table.check(ty, &value)?;
                Ok(value)
            }
        }
    }
}

fn parser_of(output: &Output) -> Option<AnswerParser> {
    match output {
        Output::Typed { table, ty } => Some(AnswerParser::new(table.clone(), *ty)),
        Output::Text => None,
    }
}
