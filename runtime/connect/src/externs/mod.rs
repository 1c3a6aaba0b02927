//! Externs over HTTP and of programs: arguments and answers in their wire form. What a call looks like is in its
//! declaration ([`kait_ir::program::Calling`]); nothing of it is decided here.

pub(crate) mod http;
pub(crate) mod process;

use std::fmt::Write as _;
use std::sync::Arc;

use kait_engine::check::TypeTable;
use kait_engine::json;
use kait_ir::{Blob, Failure, LeafDecl, Type, TypeId, Value};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use crate::connections::Config;
use crate::leaf::LeafJob;
use crate::secrets::Sent;

/// An argument as it is sent.
pub(crate) struct Sending {
    pub name: SmolStr,
    pub json: Json,
    /// Whether it is a text, which may be sent as it is.
    pub is_text: bool,
}

/// The arguments of a call in their wire form, secrets in place of their names.
///
/// # Errors
/// If a secret is not there.
pub(crate) fn arguments(
    job: &LeafJob<'_>,
    config: &Config,
    sent: &mut Sent,
) -> Result<Vec<Sending>, Failure> {
    let mut all = Vec::with_capacity(job.args.len());
    for (param, value) in job.decl.params.iter().zip(job.args) {
        let base = present(job.table, param.ty);
        let json = match (base, value) {
            (Type::Secret, Value::Text(name)) => Json::String(sent.resolve(config, name)?),
            _ => json::encode(job.table, param.ty, value),
        };
        let is_text = matches!(base, Type::Text | Type::Secret);
        all.push(Sending { name: param.name.clone(), json, is_text });
    }
    Ok(all)
}

/// The type below refinements and `?`.
fn present(table: &TypeTable, ty: TypeId) -> &Type {
    match table.types().base(ty) {
        // The verifier lets no optional stand in an optional.
        Type::Optional(inner) => table.types().base(*inner),
        other => other,
    }
}

/// A plain value as it stands in an address or among the arguments of a program.
pub(crate) fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// The arguments that stand nowhere else, as one object.
pub(crate) fn object(rest: Vec<Sending>) -> Json {
    let entries: Map<_, _> = rest.into_iter().map(|one| (one.name.to_string(), one.json)).collect();
    Json::Object(entries)
}

/// Everything but unreserved characters as `%XX` (RFC 3986, section 2.1), so that nothing in it has a meaning in an address.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// The pieces of a text around its `{name}`s.
pub(crate) enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, name, after)) = rest.split_once('{').and_then(|(before, inner)| {
        let (name, after) = inner.split_once('}')?;
        Some((before, name, after))
    }) {
        found.push(Piece::Text(before));
        found.push(Piece::Name(name));
        rest = after;
    }
    found.push(Piece::Text(rest));
    found
}

/// The argument of that name; a declaration that names another one was not made by the compiler.
pub(crate) fn argument<'s>(
    decl: &LeafDecl,
    all: &'s [Sending],
    name: &str,
) -> Result<&'s Sending, Failure> {
    let found = all.iter().find(|one| one.name == name);
    found.ok_or_else(|| Failure::trap(format!("`{}` has no parameter `{name}`", decl.name)))
}

/// What an answer is made of.
pub(crate) struct Answer {
    pub bytes: Vec<u8>,
    /// How its characters are encoded, if that was said.
    pub charset: Option<String>,
    /// Its MIME type, if that was said.
    pub media_type: String,
    /// Where it came from, for messages and names of files.
    pub from: String,
}

/// An answer as a value of the type. No secret is left in it.
///
/// # Errors
/// `Invalid` where it does not fit, `Tool` if its characters cannot be read.
pub(crate) fn answer(
    decl: &LeafDecl,
    table: &TypeTable,
    sent: &Sent,
    answer: Answer,
) -> Result<Value, Failure> {
    let ty = decl.result;
    let is_optional = matches!(table.types().base(ty), Type::Optional(_));
    if is_optional && answer.bytes.is_empty() {
        return Ok(Value::None);
    }
    let fail = |message: String| Failure::Tool { name: decl.name.clone(), message: message.into() };
    let Answer { bytes, charset, media_type, from } = answer;
    let value = match present(table, ty) {
        Type::None => return Ok(Value::None),
        Type::Text => {
            let text = crate::http::decode(bytes, charset.as_deref())
                .map_err(|why| fail(format!("the answer cannot be read: {why}")))?;
            Value::text(sent.blank(&text))
        }
        Type::Bytes => Value::Bytes(sent.blank_bytes(bytes).into()),
        Type::Image | Type::Audio | Type::File => Value::Blob(Arc::new(Blob {
            name: sent.blank(&from).into(),
            media_type: media_type.into(),
            bytes: sent.blank_bytes(bytes).into(),
        })),
        _ => {
            let bytes = sent.blank_bytes(bytes);
            let json: Json = serde_json::from_slice(&bytes).map_err(|error| {
                let why = if bytes.iter().all(u8::is_ascii_whitespace) {
                    "the answer is empty, and should be JSON".to_owned()
                } else {
                    format!("the answer is not JSON: {error}")
                };
                Failure::invalid("", why)
            })?;
            return json::decode(table, ty, &sent.blank_json(json));
        }
    };
    table.check(ty, &value)?;
    Ok(value)
}
