//! Where a program reads back what it wrote itself: events, and tables of the store.
//!
//! What comes in from outside has fields that are declared `trusted`, and whoever sends it vouches for those. Where the
//! program itself is the sender, it must keep that word: what it sends to where such a field is read is of the same type,
//! whose fields take only trusted values wherever one is made, or it is trusted as a whole.
//!
//! Names of events and tables are compared as far as the text says them; a name that only a run knows may be any. Of SQL,
//! words are compared, not its grammar.

use smol_str::SmolStr;

use super::flow::Cx;
use crate::check::ty::{Ty, TyKind};
use crate::check::{ArgSource, CallTypes, Types};
use crate::effects::walk;
use crate::hir::{
    Arg, ArgValue, Body, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId, Hir, Literal,
};

use super::types::TypeFacts;
use crate::diagnostics::Span;

/// Through what something is sent and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Medium {
    Event,
    Table,
}

/// Which event or table.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// This one.
    Is(SmolStr),
    /// A statement that may concern any of these, in lower case.
    Among(Vec<SmolStr>),
    /// It is known when it runs.
    Any,
}

impl Name {
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Is(a), Self::Is(b)) => a == b,
            (Self::Is(one), Self::Among(all)) | (Self::Among(all), Self::Is(one)) => {
                all.iter().any(|name| name.eq_ignore_ascii_case(one))
            }
            (Self::Among(a), Self::Among(b)) => a.iter().any(|name| b.contains(name)),
        }
    }
}

/// A place where values with trusted fields are read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    medium: Medium,
    name: Name,
    /// What is read, without lists and bounds around it.
    ty: Ty,
    /// Where.
    pub span: Span,
}

/// What an argument of a call is sent by.
struct Sending {
    medium: Medium,
    /// Where the name, or the statement, stands among the parameters.
    named_by: usize,
    is_statement: bool,
    /// What is sent.
    data: usize,
}

/// All places where a program reads values with trusted fields from where it may have sent something.
#[derive(Debug, Default)]
pub(super) struct Channels {
    readings: Vec<Reading>,
}

impl Channels {
    /// Looks at every call and trigger once.
    pub fn of(hir: &Hir, types: &Types, facts: &TypeFacts) -> Self {
        let mut found = Self::default();
        // Nearly all programs have no such type.
        if !facts.any_takes_clear() {
            return found;
        }
        for (owner, def) in (0u32..).map(DefId).zip(&hir.defs) {
            let (Some(body), Some(known)) = (hir.body(owner), types.body(owner)) else { continue };
            let source = match &def.kind {
                DefKind::Callable(callable) => callable.source,
                _ => None,
            };
            for id in walk::parts_first(body) {
                let Expr::Call { callee: Callee::Def(callee), args, .. } = walk::expr(body, id)
                else {
                    continue;
                };
                let Some((medium, named_by, is_statement)) = reads(hir, *callee) else { continue };
                let Some(call) = known.calls.get(&id) else { continue };
                let ty = if source == Some(id) {
                    let signature = types.signature(owner);
                    signature.and_then(|found| found.params.first().copied())
                } else {
                    Some(call.result)
                };
                let Some(ty) = ty.filter(|ty| facts.takes_clear(&types.interner, *ty)) else {
                    continue;
                };
                let Some(span) = body.expr_spans.get(id.index()).copied() else { continue };
                let name = name(body, call, args, named_by, is_statement, all_words);
                found.readings.push(Reading { medium, name, ty: core(types, ty), span });
            }
        }
        found
    }

    /// Which argument of a call is sent to where something else is read than what it is, and where that is.
    pub fn sent(
        &self,
        cx: &Cx<'_>,
        body: &Body,
        callee: DefId,
        call: &CallTypes,
        args: &[Arg],
    ) -> Option<(usize, Span)> {
        if self.readings.is_empty() {
            return None;
        }
        let sending = sends(cx.hir, callee)?;
        let ty = core(cx.types, call.params.get(sending.data).copied().unwrap_or(Ty::ERROR));
        let name = name(body, call, args, sending.named_by, sending.is_statement, targets);
        let reading = self.readings.iter().find(|reading| {
            reading.medium == sending.medium && reading.ty != ty && reading.name.meets(&name)
        })?;
        Some((sending.data, reading.span))
    }
}

/// Without what only says how many there are, or whether.
fn core(types: &Types, mut ty: Ty) -> Ty {
    // Types nest only so deep.
    loop {
        ty = match types.interner.kind(ty) {
            TyKind::Refined { base, .. } => *base,
            TyKind::List(inner) | TyKind::Optional(inner) => *inner,
            _ => return ty,
        };
    }
}

fn locator(hir: &Hir, def: DefId) -> Option<&str> {
    let declared = hir.defs.get(def.index())?;
    let DefKind::Callable(Callable { kind: CallableKind::Extern { locator, .. }, .. }) =
        &declared.kind
    else {
        return None;
    };
    hir.modules.get(declared.module.index())?.is_std.then_some(locator.as_str())
}

/// What a leaf reads from: the medium, which of its parameters says the name, and whether that is a statement.
fn reads(hir: &Hir, def: DefId) -> Option<(Medium, usize, bool)> {
    Some(match locator(hir, def)? {
        "event.on" | "event.wait" => (Medium::Event, 0, false),
        "db.query" => (Medium::Table, 0, true),
        "db.get" | "db.nearest" | "db.search" => (Medium::Table, 1, false),
        _ => return None,
    })
}

fn sends(hir: &Hir, def: DefId) -> Option<Sending> {
    let sending =
        |medium, named_by, is_statement, data| Sending { medium, named_by, is_statement, data };
    Some(match locator(hir, def)? {
        "event.emit" => sending(Medium::Event, 0, false, 1),
        "db.upsert" => sending(Medium::Table, 1, false, 0),
        "db.execute" => sending(Medium::Table, 0, true, 1),
        _ => return None,
    })
}

/// The name that an argument says.
fn name(
    body: &Body,
    call: &CallTypes,
    args: &[Arg],
    at: usize,
    is_statement: bool,
    words: fn(&str) -> Option<Vec<SmolStr>>,
) -> Name {
    let value = match call.args.get(at) {
        Some(ArgSource::Arg(index)) => match args.get(*index as usize).map(|arg| &arg.value) {
            Some(ArgValue::Expr(value)) => Some(*value),
            _ => None,
        },
        _ => None,
    };
    let text = |id: ExprId| match walk::expr(body, id) {
        Expr::Literal(Literal::Text(text)) => Some(text.clone()),
        _ => None,
    };
    match value.and_then(text) {
        Some(statement) if is_statement => words(&statement).map_or(Name::Any, Name::Among),
        Some(name) => Name::Is(name),
        None => Name::Any,
    }
}

/// The words of a statement, in lower case: its tables are among them.
fn all_words(statement: &str) -> Option<Vec<SmolStr>> {
    let words = statement.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')));
    Some(words.filter(|word| !word.is_empty()).map(|word| word.to_lowercase().into()).collect())
}

/// The tables that a statement writes: those behind `into`, `update` and `from`. None if it says no such word.
fn targets(statement: &str) -> Option<Vec<SmolStr>> {
    // `"main"."notes"` is `main.notes`.
    let plain = statement.replace(['"', '`', '[', ']'], "").to_lowercase();
    let words: Vec<&str> = plain
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '.')))
        .filter(|word| !word.is_empty())
        .collect();
    let mut found: Vec<SmolStr> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !matches!(*word, "into" | "update" | "from") {
            continue;
        }
        // `update or replace notes`
        let skipped = if words.get(at + 1) == Some(&"or") { 3 } else { 1 };
        let table = words.get(at + skipped).and_then(|path| path.rsplit('.').next());
        found.extend(table.map(SmolStr::new));
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_concern_the_tables_that_they_name() {
        let wrote = |sql: &str| targets(sql).map_or(Name::Any, Name::Among);
        let read = |sql: &str| all_words(sql).map_or(Name::Any, Name::Among);
        let table = |name: &str| Name::Is(name.into());
        let insert = wrote("INSERT OR REPLACE INTO \"Notes\" (id, text) VALUES (?, ?)");
        assert!(insert.meets(&table("notes")) && insert.meets(&table("Notes")));
        assert!(!insert.meets(&table("orders")));
        assert!(wrote("update or ignore main.orders set x = ?").meets(&table("orders")));
        assert!(read("select id from orders o join notes using (id)").meets(&insert));
        assert!(!read("select id from orders").meets(&insert));
        assert!(wrote("vacuum").meets(&table("orders")));
        assert!(Name::Any.meets(&table("a")) && !table("a").meets(&table("b")));
    }
}
