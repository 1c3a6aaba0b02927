//! Where a name is introduced.

use kait_compiler::check::ty::TyKind;
use kait_compiler::diagnostics::{FileId, Span};

use crate::{Analysis, Symbol};

impl Analysis {
    /// Where the name at an offset is introduced; in a module of std too.
    #[must_use]
    pub fn definition(&self, file: FileId, offset: u32) -> Option<Span> {
        let (symbol, _) = self.symbol_at(file, offset)?;
        self.declared_at(symbol)
    }

    /// Where the type of the value at an offset is declared: records, enums, and aliases with bounds.
    #[must_use]
    pub fn type_definition(&self, file: FileId, offset: u32) -> Option<Span> {
        let (symbol, _) = self.symbol_at(file, offset)?;
        let types = &self.compilation.types;
        let mut ty = match symbol {
            Symbol::Local(def, local) => types.ty_of_local(def, local),
            Symbol::Field(def, index) => *types.fields(def)?.get(index as usize)?,
            Symbol::Payload(def, variant, index) => {
                *types.variant(def, variant)?.get(index as usize)?
            }
            Symbol::Variant(def, _) => return self.declared_at(Symbol::Def(def)),
            Symbol::Def(def) => match (types.constant(def), types.signature(def)) {
                (Some(ty), _) => ty,
                (None, Some(signature)) => signature.result,
                (None, None) => return self.declared_at(symbol),
            },
            Symbol::TypeParam(..) | Symbol::Module(_) | Symbol::Builtin(_) => return None,
        };
        // What a list or an optional holds is what is looked for. Types nest less deep than this.
        for _ in 0..kait_compiler::check::ty::MAX_DEPTH {
            ty = match types.interner.kind(ty) {
                TyKind::List(inner) | TyKind::Optional(inner) | TyKind::Map(_, inner) => *inner,
                TyKind::Refined { alias: Some(def), .. } => {
                    return self.declared_at(Symbol::Def(*def));
                }
                TyKind::Refined { base, .. } => *base,
                TyKind::Named(def, _) => return self.declared_at(Symbol::Def(*def)),
                _ => return None,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{snapshot, underlined};

    const CASES: &[(&str, &str)] = &[
        ("a local", "fn f(n: int) -> int {\n  let m = n\n  $0m\n}\n"),
        ("a parameter in a template", "fn f(n: int) -> text {\n  \"n is ${$0n}\"\n}\n"),
        ("a function below", "fn f() -> int {\n  $0g()\n}\n\nfn g() -> int {\n  1\n}\n"),
        (
            "a piped call",
            "fn f(n: int) -> int {\n  n |> $0g()\n}\n\nfn g(n: int) -> int {\n  n\n}\n",
        ),
        (
            "a piped call with policies",
            "graph f(p: text) -> text {\n  p |> $0g() with (retry: 1)\n}\n\ngraph g(p: text) -> text {\n  file.read(p)\n}\n",
        ),
        (
            "a binder of a match",
            "fn f(r: Result<int>) -> int {\n  match r {\n    Ok(v) => $0v\n    _ => 0\n  }\n}\n",
        ),
        (
            "a loop variable in next",
            "fn f() -> int {\n  loop n = 0 max 3 {\n    if n > 1 { done n }\n    next($0n: n + 1)\n  } else {\n    n\n  }\n}\n",
        ),
        (
            "a field in a selector",
            "record R {\n  name: text\n}\n\nfn f(rs: [R]) -> [R] {\n  list.sort(rs, by: .$0name)\n}\n",
        ),
        ("a role", "model fast\n\nprompt p(t: text) -> text {\n  model $0fast\n  user t\n}\n"),
        (
            "a stub",
            "graph g(p: text) -> text {\n  file.read(p)\n}\n\ntest \"t\" {\n  stub file.read(path: _) => \"a\"\n  expect $0g(\"a\") == \"a\"\n}\n",
        ),
        (
            "a parameter in a bound",
            "extern take(limit: int) -> [int] where (max: $0limit) from native \"x.take\"\n",
        ),
        (
            "a type of another file",
            "use shop\n\nfn f(o: shop.$0Order) -> int {\n  o.id\n}\n//- shop.kait\npub record Order {\n  id: int\n}\n",
        ),
        (
            "a field of another file's record",
            "use shop.orders as orders\n\nfn f(o: orders.Order) -> int {\n  o.$0id\n}\n//- shop/orders.kait\npub record Order {\n  id: int\n}\n",
        ),
        (
            "an import",
            "use $0shop\n\nfn f() -> int {\n  shop.one()\n}\n//- shop.kait\npub fn one() -> int {\n  1\n}\n",
        ),
        ("a std variant", "fn f() -> Result<int> {\n  $0Ok(value: 1)\n}\n"),
        ("a qualified variant", "enum E {\n  A\n  B\n}\n\nfn f() -> E {\n  E.$0B\n}\n"),
        ("the enum of a qualified variant", "enum E {\n  A\n  B\n}\n\nfn f() -> E {\n  $0E.B\n}\n"),
        ("nothing", "fn f() -> int {\n  1$0 + 1\n}\n"),
        ("behind an unfinished line", "fn f(n: int) -> int {\n  let x = \n  $0n\n}\n"),
    ];

    #[test]
    fn definition() {
        snapshot("definition", CASES, |analysis, file, offset| {
            analysis
                .definition(file, offset)
                .map_or("nothing".to_owned(), |span| underlined(analysis, &[(span, "")]))
        });
    }

    #[test]
    fn type_definition() {
        let cases = [
            (
                "a local",
                "record R {\n  a: int\n}\n\nfn f(rs: [R]) -> int {\n  list.length($0rs)\n}\n",
            ),
            (
                "a call",
                "type Id = text where (min_len: 1)\n\nfn f() -> Id? {\n  none\n}\n\nfn g() -> Id? {\n  $0f()\n}\n",
            ),
            ("a primitive", "fn f($0n: int) -> int {\n  n\n}\n"),
        ];
        snapshot("type_definition", &cases, |analysis, file, offset| {
            analysis
                .type_definition(file, offset)
                .map_or("nothing".to_owned(), |span| underlined(analysis, &[(span, "")]))
        });
    }
}
