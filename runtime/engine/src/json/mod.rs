//! JSON at the edges: encoding and decoding by type, and JSON Schema.
//!
//! Wire forms (language reference, types): enums without payload are strings, an enum with any payload is an object
//! with the key `kind`; money is `"20.00 usd"`, a duration ISO 8601, a time RFC 3339, bytes base64, a size a number
//! of bytes; keys of maps are texts. Nothing in here panics on any input; nesting is bounded.

mod decode;
mod encode;
mod forms;
mod ranges;
mod schema;

pub use decode::{decode, decode_duration, decode_money, decode_text, decode_time};
pub use encode::{encode, encode_duration, encode_scalar, write_float};
pub use forms::check_form;
pub use schema::{input_schema, output_schema, schema};

/// The key that names the variant of an enum with payload.
pub const KIND: &str = "kind";

#[cfg(test)]
mod tests;
