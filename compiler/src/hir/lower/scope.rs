//! The locals that are in scope at a place.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::Lowerer;
use crate::diagnostics::{Code, Diagnostic, Label, Span};
use crate::hir::{LocalId, LocalKind};

/// Names to locals, with a log to leave a scope: every operation costs the same, however many there are.
#[derive(Debug, Default)]
pub(super) struct Locals {
    known: FxHashMap<SmolStr, LocalId>,
    log: Vec<(SmolStr, Option<LocalId>)>,
}

impl Locals {
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.log.clear();
    }

    pub(super) fn get(&self, name: &str) -> Option<LocalId> {
        self.known.get(name).copied()
    }

    /// The place to come back to with [`Self::leave`].
    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    pub(super) fn leave(&mut self, mark: usize) {
        while self.log.len() > mark {
            let Some((name, before)) = self.log.pop() else { return };
            match before {
                Some(local) => self.known.insert(name, local),
                None => self.known.remove(&name),
            };
        }
    }

    pub(super) fn enter(&mut self, name: SmolStr, local: LocalId) {
        let before = self.known.insert(name.clone(), local);
        self.log.push((name, before));
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(SmolStr::as_str)
    }
}

impl Lowerer<'_> {
    /// Binds a name in the current scope; refuses names that are taken.
    pub(super) fn bind(&mut self, name: SmolStr, span: Span, kind: LocalKind) -> LocalId {
        let local = self.alloc_local(name.clone(), span, kind);
        if let Some(known) = self.locals.get(&name) {
            self.report_taken(&name, span, known, kind);
        } else if let Some(def) =
            self.names.scope(self.module).and_then(|scope| scope.values.get(&name))
            && let Some(head) = self.names.head(*def)
            && !head.damaged
        {
            let finding = Diagnostic::new(
                Code::Shadowing,
                span,
                format!("`{name}` is already the name of {} in this file", head.noun),
            )
            .here("this name is taken")
            .label(head.name_span, "first declared here")
            .help("give it another name");
            self.taken_by_file(&name, finding);
        }
        self.locals.enter(name, local);
        local
    }

    /// Locals with the name of one declaration are one mistake, which may as well be the declaration's.
    fn taken_by_file(&mut self, name: &SmolStr, finding: Diagnostic) {
        self.reports += 1;
        let known = self.taken.get(name).and_then(|index| self.taken_findings.get_mut(*index));
        match known {
            Some(known) => known
                .labels
                .push(Label { span: finding.primary.span, text: "taken here, too".to_owned() }),
            None => {
                self.taken.insert(name.clone(), self.taken_findings.len());
                self.taken_findings.push(finding);
            }
        }
    }

    fn report_taken(&mut self, name: &SmolStr, span: Span, known: LocalId, kind: LocalKind) {
        let Some((place, known_kind)) =
            self.body.locals.get(known.index()).map(|local| (local.span, local.kind))
        else {
            return;
        };
        let both_params = kind == LocalKind::Param && known_kind == LocalKind::Param;
        let (code, message) = if both_params {
            (Code::Duplicate, format!("two parameters are called `{name}`"))
        } else {
            (Code::Shadowing, format!("`{name}` is already taken"))
        };
        let finding = Diagnostic::new(code, span, message)
            .here("declared again here")
            .label(place, "first declared here")
            .help("give one of them another name: a name means one thing and never changes");
        self.has_clash = true;
        self.report(finding);
    }

    /// A local may not have the name of a module that the same declaration calls: the reader could not tell them apart.
    pub(super) fn locals_that_hide_modules(&mut self) {
        if self.called_modules.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for local in &self.body.locals {
            let Some(call) = self.called_modules.get(&local.name) else { continue };
            let name = &local.name;
            found.push(
                Diagnostic::new(
                    Code::LocalHidesModule,
                    local.span,
                    format!("`{name}` cannot be both a value and the module `{name}`"),
                )
                .here("this value")
                .label(*call, "the module is called here")
                .help(format!("rename the value, for example to `{name}_`")),
            );
        }
        // The same name is reported once: the other places follow.
        let mut seen = rustc_hash::FxHashSet::default();
        found.retain(|finding| seen.insert(finding.message.clone()));
        self.has_clash |= !found.is_empty();
        found.into_iter().for_each(|finding| self.report(finding));
    }
}
