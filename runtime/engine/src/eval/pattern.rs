//! Patterns against values.

use kait_ir::{Failure, Pattern, Value};

use super::Evaluator;

impl Evaluator<'_> {
    /// Whether the value matches; binders are written to locals (also by parts of a pattern that fails later).
    pub fn matches(&mut self, pattern: &Pattern, value: &Value) -> bool {
        match pattern {
            Pattern::Any => true,
            Pattern::Bind(local) => {
                self.set_local(*local, value.clone());
                true
            }
            Pattern::Const(wanted) => wanted == value,
            Pattern::Range(least, most) => least <= value && value <= most,
            Pattern::Variant(tag, fields) => {
                value.tag() == Some(*tag) && self.match_fields(fields, value)
            }
            Pattern::Record(fields) => self.match_fields(fields, value),
            Pattern::List(patterns, rest) => self.match_list(patterns, *rest, value),
            Pattern::Or(patterns) => patterns.iter().any(|pattern| self.matches(pattern, value)),
            Pattern::Some(pattern) => !matches!(value, Value::None) && self.matches(pattern, value),
        }
    }

    fn match_fields(&mut self, fields: &[(u32, Pattern)], value: &Value) -> bool {
        fields.iter().all(|(index, pattern)| {
            value.fields().get(*index as usize).is_some_and(|part| self.matches(pattern, part))
        })
    }

    fn match_list(
        &mut self,
        patterns: &[Pattern],
        rest: Option<Option<u32>>,
        value: &Value,
    ) -> bool {
        let Some(items) = value.as_list() else { return false };
        let fits = if rest.is_some() {
            items.len() >= patterns.len()
        } else {
            items.len() == patterns.len()
        };
        if !fits || !patterns.iter().zip(items).all(|(pattern, item)| self.matches(pattern, item)) {
            return false;
        }
        if let Some(Some(local)) = rest {
            let rest = items.get(patterns.len()..).unwrap_or_default().to_vec();
            self.set_local(local, Value::list(rest));
        }
        true
    }
}

/// Whether a handler's pattern may cover the failure at all (language reference, failures): only a pattern that names
/// `Unknown` covers it, and `_` covers neither `Denied` nor `Unanswered`.
pub fn covers_failure(pattern: &Pattern, failure: &Failure) -> bool {
    match pattern {
        Pattern::Any => !matches!(
            failure,
            Failure::Unknown { .. } | Failure::Denied { .. } | Failure::Unanswered
        ),
        Pattern::Bind(_) => !matches!(failure, Failure::Unknown { .. }),
        Pattern::Or(patterns) => patterns.iter().any(|pattern| covers_failure(pattern, failure)),
        _ => true,
    }
}
