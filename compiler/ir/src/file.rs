//! Compiled programs as files: what `kait build` writes and whatever runs programs loads.
//!
//! A `.kir` is the canonical encoding behind a head that says its format, its length and its hash, so that a file which
//! was cut off or changed on its way is known for that. A `.kir.json` is the same program as text that a person can read and
//! edit: its hash is computed anew, never believed, and what follows from the nodes (edges, gates, what is read and
//! written) is not in it, but filled in. Both forms of a program have the same hash.
//!
//! Reading trusts nothing: any bytes give a program or an error, in time and memory linear in their number. A program that
//! was read is still to be verified.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::encode::{DecodeError, FORMAT, MAX_BYTES, decode, encode, hash};
use crate::program::Program;
use crate::value::{Blob, Currency, Money, Value, ValueMap};

/// What a `.kir` begins with. As in PNG, no text is like it, and a transfer that changes line ends changes it.
const MAGIC: [u8; 8] = *b"\x89KIR\r\n\x1a\n";

/// Magic, format, length, hash.
const HEAD: usize = 8 + 4 + 8 + 32;

/// Why a file is no compiled program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It begins neither as a `.kir` nor as a `.kir.json` does.
    #[error("this is not a compiled program")]
    Foreign,
    /// It is of another version of the format.
    #[error("the compiled program has format {found}; this version reads format {FORMAT}")]
    Format {
        /// What it says.
        found: u32,
    },
    /// It ends too early, or something follows its end.
    #[error("the compiled program should have {wanted} bytes, but has {found}")]
    Length {
        /// What its head says.
        wanted: u64,
        /// What there is.
        found: u64,
    },
    /// Its content is not what its hash says.
    #[error("the compiled program was changed since it was made: its hash does not fit")]
    Hash,
    /// There are more than [`MAX_BYTES`].
    #[error("the compiled program is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The encoding in it is none.
    #[error(transparent)]
    Encoding(DecodeError),
    /// The text is not the JSON of a program.
    #[error("the text is not a compiled program: {0}")]
    Text(String),
}

/// A program as a `.kir`.
pub fn write(program: &Program) -> Vec<u8> {
    let encoding = encode(program);
    let mut out = Vec::with_capacity(HEAD + encoding.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&(encoding.len() as u64).to_le_bytes());
    out.extend_from_slice(blake3::hash(&encoding).as_bytes());
    out.extend_from_slice(&encoding);
    out
}

/// What a `.kir.json` holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text<P> {
    /// The format; the first thing in it.
    kait_ir: u32,
    /// For people: what the hash was when it was written.
    #[serde(default)]
    hash: String,
    program: P,
}

/// The format of a text, whatever else is in it.
#[derive(Deserialize)]
struct Format {
    kait_ir: u32,
}

/// A program as a `.kir.json`.
///
/// # Errors
/// If a constant in it is nested deeper than JSON is read again. Programs with tests have no such form: how stubbed calls
/// wait does not follow from anything.
pub fn write_json(program: &Program) -> Result<String, FileError> {
    let wrong = |error: serde_json::Error| FileError::Text(error.to_string());
    let text = Text { kait_ir: FORMAT, hash: hash(program).to_string(), program };
    let mut text = serde_json::to_string_pretty(&text).map_err(wrong)?;
    text.push('\n');
    let back = read(text.as_bytes())?;
    if hash(&back) != hash(program) {
        return Err(FileError::Text("it cannot be written as text".into()));
    }
    Ok(text)
}

/// The program in a file, in whichever of the two forms it is; it is still to be verified.
///
/// # Errors
/// See [`FileError`].
pub fn read(bytes: &[u8]) -> Result<Program, FileError> {
    if bytes.len() > MAX_BYTES {
        return Err(FileError::TooLarge);
    }
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return read_json(bytes);
    }
    let head = MAGIC.len().min(bytes.len());
    if bytes.is_empty() || bytes.get(..head) != MAGIC.get(..head) {
        return Err(FileError::Foreign);
    }
    let found = bytes.len() as u64;
    let cut = FileError::Length { wanted: HEAD as u64, found };
    let rest = bytes.get(MAGIC.len()..).unwrap_or_default();
    let (format, rest) = rest.split_first_chunk::<4>().ok_or(cut.clone())?;
    let format = u32::from_le_bytes(*format);
    if format != FORMAT {
        return Err(FileError::Format { found: format });
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(cut.clone())?;
    let length = u64::from_le_bytes(*length);
    let (wanted_hash, encoding) = rest.split_first_chunk::<32>().ok_or(cut)?;
    if encoding.len() as u64 != length {
        return Err(FileError::Length { wanted: length.saturating_add(HEAD as u64), found });
    }
    if blake3::hash(encoding).as_bytes() != wanted_hash {
        return Err(FileError::Hash);
    }
    decode(encoding).map_err(|error| match error {
        DecodeError::Version(found) => FileError::Format { found },
        other => FileError::Encoding(other),
    })
}

fn read_json(bytes: &[u8]) -> Result<Program, FileError> {
    let wrong = |error: serde_json::Error| FileError::Text(error.to_string());
    // Of another version everything else may be different, too.
    if let Ok(Format { kait_ir }) = serde_json::from_slice(bytes)
        && kait_ir != FORMAT
    {
        return Err(FileError::Format { found: kait_ir });
    }
    let text: Text<Program> = serde_json::from_slice(bytes).map_err(wrong)?;
    let mut program = text.program;
    crate::facts::fill_forest(&mut program);
    Ok(program)
}

/// A value as text: in words, where a number of JSON would not give back exactly the same.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValueForm {
    None,
    Bool(bool),
    Int(i64),
    /// The shortest digits that give the same number.
    Float(String),
    Text(SmolStr),
    /// Two hexadecimal digits a byte.
    Bytes(String),
    Json(String),
    /// RFC 3339.
    Time(String),
    /// In nanoseconds.
    Duration(i64),
    /// `["20.00", "usd"]`
    Money(String, String),
    Size(u64),
    Blob {
        name: SmolStr,
        media_type: SmolStr,
        bytes: String,
    },
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Record(Vec<Value>),
    Tag(u32),
    Variant(u32, Vec<Value>),
}

impl From<Value> for ValueForm {
    fn from(value: Value) -> Self {
        match value {
            Value::None => Self::None,
            Value::Bool(b) => Self::Bool(b),
            Value::Int(n) => Self::Int(n),
            Value::Float(x) => Self::Float(format!("{x:?}")),
            Value::Text(text) => Self::Text(text),
            Value::Bytes(bytes) => Self::Bytes(hex(&bytes)),
            Value::Json(json) => Self::Json(json.to_string()),
            Value::Time(time) => Self::Time(time.to_string()),
            Value::Duration(nanos) => Self::Duration(nanos),
            Value::Money(money) => {
                Self::Money(money.amount.to_string(), money.currency.as_str().to_owned())
            }
            Value::Size(bytes) => Self::Size(bytes),
            Value::Blob(blob) => Self::Blob {
                name: blob.name.clone(),
                media_type: blob.media_type.clone(),
                bytes: hex(&blob.bytes),
            },
            Value::List(items) => Self::List(Arc::unwrap_or_clone(items)),
            Value::Map(map) => Self::Map(Arc::unwrap_or_clone(map).into_iter().collect()),
            Value::Record(fields) => Self::Record(fields.to_vec()),
            Value::Tag(tag) => Self::Tag(tag),
            Value::Variant(tag, fields) => Self::Variant(tag, fields.to_vec()),
        }
    }
}

impl TryFrom<ValueForm> for Value {
    type Error = String;

    fn try_from(form: ValueForm) -> Result<Self, String> {
        Ok(match form {
            ValueForm::None => Self::None,
            ValueForm::Bool(b) => Self::Bool(b),
            ValueForm::Int(n) => Self::Int(n),
            ValueForm::Float(text) => {
                let x: f64 = text.parse().map_err(|_| format!("`{text}` is no float"))?;
                if !x.is_finite() {
                    return Err(format!("the float `{text}` is not finite"));
                }
                Self::Float(x)
            }
            ValueForm::Text(text) => Self::Text(text),
            ValueForm::Bytes(text) => Self::Bytes(unhex(&text)?),
            ValueForm::Json(text) => {
                let json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
                Self::Json(Arc::new(json))
            }
            ValueForm::Time(text) => {
                Self::Time(text.parse().map_err(|_| format!("`{text}` is no time"))?)
            }
            ValueForm::Duration(nanos) => Self::Duration(nanos),
            ValueForm::Money(amount, currency) => {
                let wrong = || format!("`{amount} {currency}` is no amount of money");
                Self::Money(Money {
                    amount: amount.parse().map_err(|_| wrong())?,
                    currency: Currency::parse(&currency).ok_or_else(wrong)?,
                })
            }
            ValueForm::Size(bytes) => Self::Size(bytes),
            ValueForm::Blob { name, media_type, bytes } => {
                Self::Blob(Arc::new(Blob { name, media_type, bytes: unhex(&bytes)? }))
            }
            ValueForm::List(items) => Self::list(items),
            ValueForm::Map(entries) => {
                let mut map = ValueMap::default();
                for (key, value) in entries {
                    if map.insert(key, value).is_some() {
                        return Err("a map has a key twice".to_owned());
                    }
                }
                Self::Map(Arc::new(map))
            }
            ValueForm::Record(fields) => Self::record(fields),
            ValueForm::Tag(tag) => Self::Tag(tag),
            ValueForm::Variant(tag, fields) => Self::Variant(tag, fields.into()),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Arc<[u8]>, String> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    Ok(bytes.ok_or_else(|| "bytes are not pairs of hexadecimal digits".to_owned())?.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::program::NodeKind;
    use crate::verify;

    /// The specimen without what only tests have.
    fn program() -> Program {
        let mut program = crate::tests::specimen();
        let test = program.graphs.pop().unwrap();
        program.regions.remove(test.body.index());
        program.stubs.clear();
        program.targets.clear();
        program.graphs[0].public = true;
        for node in program.regions.iter_mut().flat_map(|region| &mut region.nodes) {
            match &mut node.kind {
                NodeKind::Call(call) => call.target = None,
                NodeKind::Leaf(call) => call.target = None,
                _ => {}
            }
        }
        // What asks for the calls of a test is kept in a function that nobody calls.
        for expr in &mut program.exprs {
            if matches!(expr, crate::Expr::CallLog(_)) {
                *expr = crate::Expr::Const(Value::None);
            }
        }
        program.without_spans()
    }

    #[test]
    fn both_forms_give_back_the_program() {
        let program = program();
        assert_eq!(verify(&program), Ok(()));
        let bytes = write(&program);
        assert_eq!(read(&bytes).as_ref(), Ok(&program));
        let text = write_json(&program).unwrap();
        assert_eq!(read(text.as_bytes()).as_ref(), Ok(&program));
        assert_eq!(hash(&read(text.as_bytes()).unwrap()), hash(&program));
        assert!(text.contains(&hash(&program).to_string()));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let bytes = write(&program());
        assert_eq!(read(b""), Err(FileError::Foreign));
        assert_eq!(read(b"pub graph go() -> int {"), Err(FileError::Foreign));
        assert_eq!(read(b"\x7fELF"), Err(FileError::Foreign));
        for end in 1..bytes.len() {
            let found = read(&bytes[..end]);
            assert!(matches!(found, Err(FileError::Length { .. })), "cut at {end}: {found:?}");
        }
        let longer = [&bytes[..], b"\n"].concat();
        assert!(matches!(read(&longer), Err(FileError::Length { .. })));
        let mut newer = bytes.clone();
        newer[8] += 1;
        assert_eq!(read(&newer), Err(FileError::Format { found: FORMAT + 1 }));
        for at in HEAD..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert_eq!(read(&changed), Err(FileError::Hash), "byte {at}");
        }
        let newer = format!("{{\"kait_ir\": {}, \"else\": [1]}}", FORMAT + 1);
        assert_eq!(read(newer.as_bytes()), Err(FileError::Format { found: FORMAT + 1 }));
        let text = write_json(&program()).unwrap();
        for (what, wrong) in [
            ("cut", text[..text.len() / 2].to_owned()),
            ("an unknown key", text.replacen("\"exprs\"", "\"exprz\"", 1)),
            ("another kind", text.replacen("\"leaf\"", "\"leef\"", 1)),
        ] {
            let found = read(wrong.as_bytes());
            assert!(matches!(found, Err(FileError::Text(_))), "{what}: {found:?}");
        }
    }

    #[test]
    fn the_hash_of_a_text_is_not_believed() {
        let program = program();
        let text = write_json(&program).unwrap();
        let honest = hash(&program).to_string();
        let edited = text.replace("What it does.", "What else it does.");
        assert!(edited.contains(&honest));
        let other = read(edited.as_bytes()).unwrap();
        assert_ne!(hash(&other).to_string(), honest);
    }

    #[test]
    fn a_text_without_the_approval_is_refused_in_words() {
        let program = program();
        let text = write_json(&program).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let body = program.graphs[0].body.index();
        let nodes = json["program"]["regions"][body]["nodes"].as_array_mut().unwrap();
        let at = nodes.iter().position(|node| node["path"] == "approve").unwrap();
        // As somebody would do it who wants the call without the question: the node is gone, or computes the same.
        let mut replaced = nodes.clone();
        let value = replaced[at]["kind"]["approve"]["args"][0].clone();
        replaced[at]["kind"] = serde_json::json!({ "pure": value });
        nodes.remove(at);
        let removed = nodes.clone();
        for nodes in [replaced, removed] {
            json["program"]["regions"][body]["nodes"] = nodes.into();
            let read = read(json.to_string().as_bytes()).unwrap();
            let errors = verify(&read).unwrap_err();
            let words: Vec<String> = errors.iter().map(|error| error.in_words(&read)).collect();
            assert!(
                words[0].starts_with(
                    "graph `main`, node `refund`: it calls `refund`, which needs approval"
                ),
                "{words:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_bytes_make_reading_or_verifying_panic(
            cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            remove in any::<prop::sample::Index>(),
            as_text in any::<bool>(),
        ) {
            let program = program();
            let mut bytes =
                if as_text { write_json(&program).unwrap().into_bytes() } else { write(&program) };
            for (at, byte) in &cuts {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if cuts.len() == 5 {
                bytes.remove(remove.index(bytes.len()));
            }
            if !as_text {
                // A file whose hash fits is looked into.
                let hash = *blake3::hash(&bytes[HEAD.min(bytes.len())..]).as_bytes();
                if bytes.len() >= HEAD {
                    let length = (bytes.len() - HEAD) as u64;
                    bytes[12..20].copy_from_slice(&length.to_le_bytes());
                    bytes[20..52].copy_from_slice(&hash);
                }
            }
            if let Ok(read) = read(&bytes)
                && let Err(errors) = verify(&read)
            {
                errors.iter().for_each(|error| drop(error.in_words(&read)));
            }
        }

        #[test]
        fn random_bytes_are_no_program(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let head: Vec<u8> = MAGIC.into_iter().chain(FORMAT.to_le_bytes()).collect();
            let _ = read(&bytes);
            let _ = read(&[&head[..], &bytes].concat());
            let _ = read(&[b"{".as_slice(), &bytes].concat());
        }
    }
}
