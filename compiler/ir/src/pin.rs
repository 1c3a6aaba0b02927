//! By what a tool of an MCP server is known to be the one that was looked at: a hash of what its server says of it.
//!
//! `kait.lock` holds it, the compiler holds the lock to it, and whoever talks to the server compares it with what the
//! server says now. It never depends on how a text is laid out or on the order of the keys of an object.

use std::fmt::Write as _;

use serde_json::Value;

/// The hash of a tool, as `kait.lock` writes it: `blake3:` and 64 hexadecimal digits.
///
/// It is that of the JSON array `[name, description, input, output]` without blanks, in UTF-8, with the keys of every
/// object in the order of their bytes; what a tool does not have is `null`. A number with a fraction or an exponent is
/// written as in `1.50000000000000e0`, with 15 digits: that many survive every reader of JSON.
#[must_use]
pub fn tool_hash(
    name: &str,
    description: Option<&str>,
    input: &Value,
    output: Option<&Value>,
) -> String {
    let mut text = String::from("[");
    let text_or_null = description.map_or(Value::Null, Value::from);
    write_value(&Value::from(name), &mut text);
    for part in [&text_or_null, input, output.unwrap_or(&Value::Null)] {
        text.push(',');
        write_value(part, &mut text);
    }
    text.push(']');
    format!("blake3:{}", blake3::hash(text.as_bytes()).to_hex())
}

/// As deep as the value is; what a parser of JSON gave is at most 128 levels deep.
fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, field)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(&Value::from(key.as_str()), out);
                out.push(':');
                write_value(field, out);
            }
            out.push('}');
        }
        // Writing to a text cannot fail.
        Value::Number(number) if number.is_f64() => {
            let _ = write!(out, "{:.14e}", number.as_f64().unwrap_or_default());
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_said_counts() {
        let input: Value = serde_json::from_str(r#"{"type": "object",  "a": [1, {}]}"#).unwrap();
        let other: Value = serde_json::from_str("{\"a\":[1,{}],\n\"type\":\"object\"}").unwrap();
        let hash = |name, description, input| tool_hash(name, description, input, None);
        let first = hash("add", Some("Adds."), &input);
        assert_eq!(first, hash("add", Some("Adds."), &other));
        assert_eq!(first.len(), "blake3:".len() + 64);
        for changed in [
            hash("sub", Some("Adds."), &input),
            hash("add", None, &input),
            hash("add", Some("Adds. "), &input),
            hash("add", Some("Adds."), &json!({"type": "object", "a": [{}, 1]})),
            tool_hash("add", Some("Adds."), &input, Some(&json!({}))),
        ] {
            assert_ne!(first, changed);
        }
    }

    #[test]
    fn the_hash_is_what_it_says_it_is() {
        let text = r#"["add","a \"b\"",{"a":{"b":1.50000000000000e0,"é":null}},null]"#;
        let found = tool_hash("add", Some("a \"b\""), &json!({"a": {"é": null, "b": 1.5}}), None);
        assert_eq!(found, format!("blake3:{}", blake3::hash(text.as_bytes()).to_hex()));
    }
}
