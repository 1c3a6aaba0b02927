//! Structured answers of models: the schema that a provider is given, and the parser that reads the answer while it
//! comes.

mod lenient;
mod parser;
mod schema;

#[cfg(test)]
mod tests;

pub use parser::AnswerParser;
pub use schema::{AnswerSchema, answer_schema, is_wrapped};

/// The key that holds a value which is no object by itself: providers want an object at the root.
pub(crate) const VALUE: &str = "value";
