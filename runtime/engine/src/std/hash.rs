//! `std.hash`: see `stdlib/hash.kait`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use kait_ir::{Failure, Value};
use sha2::{Digest as _, Sha256};

use super::args;
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("hash.base64", base64),
    ("hash.blake3", blake3),
    ("hash.from_base64", from_base64),
    ("hash.hmac", hmac),
    ("hash.sha256", sha256),
];

type Native = Result<Value, Failure>;

fn hex(bytes: &[u8]) -> Value {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('?');
    Value::text(bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect::<String>())
}

fn sha256(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(hex(&Sha256::digest(args::text(args, 0)?.as_bytes())))
}

fn blake3(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(hex(::blake3::hash(args::text(args, 0)?.as_bytes()).as_bytes()))
}

fn hmac(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, key) = (args::text(args, 0)?, args::text(args, 1)?);
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|_| Failure::invalid("key", "this key cannot be used"))?;
    mac.update(s.as_bytes());
    Ok(hex(&mac.finalize().into_bytes()))
}

fn base64(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::text(STANDARD.encode(args::text(args, 0)?.as_bytes())))
}

fn from_base64(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let bytes = STANDARD
        .decode(args::text(args, 0)?.trim())
        .map_err(|error| Failure::invalid("", format!("this is not Base64: {error}")))?;
    String::from_utf8(bytes)
        .map(Value::text)
        .map_err(|_| Failure::invalid("", "what the Base64 stands for is not UTF-8 text"))
}
