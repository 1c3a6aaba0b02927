//! The names in written types.

use kait_compiler::hir::{BoundValue, Callable, DefId, TypeRef, TypeRefKind};
use kait_syntax::SyntaxKind;
use kait_syntax::ast::NamedType;

use super::walk::Walk;
use crate::Symbol;
use crate::analysis::range_of;

impl Walk<'_> {
    /// The names in a written type; `signature` owns the parameters that bounds may name.
    pub(super) fn type_ref(&mut self, ty: &TypeRef, owner: DefId, signature: Option<&Callable>) {
        match &ty.kind {
            TypeRefKind::Named(def, args) => {
                self.type_path(ty, Symbol::Def(*def));
                for arg in args {
                    self.type_ref(arg, owner, signature);
                }
            }
            TypeRefKind::Param(index) => self.type_path(ty, Symbol::TypeParam(owner, *index)),
            TypeRefKind::List(inner) | TypeRefKind::Optional(inner) => {
                self.type_ref(inner, owner, signature);
            }
            TypeRefKind::Map(key, value) | TypeRefKind::Selector(key, value) => {
                self.type_ref(key, owner, signature);
                self.type_ref(value, owner, signature);
            }
            TypeRefKind::Missing | TypeRefKind::Primitive(_) => {}
        }
        let Some(signature) = signature else { return };
        for bound in &ty.bounds {
            let BoundValue::Param { index, .. } = &bound.value else { continue };
            let Some(param) = signature.params.get(*index as usize) else { continue };
            // `max: limit` or `max: len(xs)`: the parameter is the last word of that text.
            let node = self.tree.covering_node(range_of(bound.span));
            let token = node
                .descendant_tokens()
                .filter(|token| range_of(bound.span).contains_range(token.range()))
                .filter(|token| token.kind().can_be_field_name() && token.text() == param.name)
                .last();
            if let Some(token) = token {
                self.record(token, Symbol::Local(owner, param.local));
            }
        }
    }

    fn type_path(&mut self, ty: &TypeRef, target: Symbol) {
        // Qualifiers stand before the name and bounds behind it: its node is the first of its kind. A node that has
        // the same place as what it holds is the outer one.
        let inner = self.tree.covering_node(range_of(ty.span));
        let node = inner.ancestors().take_while(|node| node.range() == inner.range()).last();
        let node = node.unwrap_or(inner);
        let named = node
            .descendants()
            .filter(|node| node.kind() == SyntaxKind::NamedType)
            .find(|node| node.range().start() >= range_of(ty.span).start());
        let Some(path) = named.and_then(NamedType::cast).and_then(NamedType::path) else { return };
        let tokens: Vec<_> = path.segments().collect();
        self.path(&tokens, target);
    }
}
