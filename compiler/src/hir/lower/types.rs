//! Types as written, with their names resolved.

use kait_syntax::ast::{self, Expr as AstExpr, Type};
use kait_syntax::{SyntaxKind, SyntaxToken};
use smallvec::SmallVec;

use super::{Lowerer, index};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{BoundRef, BoundValue, DefId, Literal, ModuleId, Qualifier, TypeRef, TypeRefKind};
use crate::names::{HeadKind, ModuleRef};

/// The types that need no declaration.
pub(super) const PRIMITIVES: &[&str] = &[
    "text", "int", "float", "bool", "bytes", "json", "time", "duration", "money", "size", "image",
    "audio", "file", "none", "role", "secret",
];

/// What a bound of the signature may refer to: the parameters, by name.
pub(super) type SignatureParams<'a> = Option<ast::Params<'a>>;

impl<'a> Lowerer<'a> {
    /// A type, or `Missing` with the place of what should have one.
    pub(super) fn ty(
        &mut self,
        ty: Option<Type<'a>>,
        place: Span,
        params: SignatureParams<'a>,
    ) -> TypeRef {
        let mut ty = self.inner_ty(ty, place, params);
        self.no_secret(&mut ty);
        ty
    }

    /// The type of a parameter, which may be a secret.
    pub(super) fn param_ty(
        &mut self,
        ty: Option<Type<'a>>,
        place: Span,
        params: SignatureParams<'a>,
    ) -> TypeRef {
        let mut ty = self.inner_ty(ty, place, params);
        if !ty.quals.contains(&Qualifier::Secret) {
            self.no_secret(&mut ty);
        }
        ty
    }

    fn inner_ty(
        &mut self,
        ty: Option<Type<'a>>,
        place: Span,
        params: SignatureParams<'a>,
    ) -> TypeRef {
        match ty {
            Some(ty) => self.type_ref(ty, params),
            None => plain(TypeRefKind::Missing, place),
        }
    }

    /// A type that may be left out.
    pub(super) fn annotation(&mut self, ty: Option<Type<'a>>) -> Option<TypeRef> {
        ty.map(|written| self.ty(Some(written), self.span(written.range()), None))
    }

    /// Reports secrets inside of a type: nothing but a parameter holds one.
    fn no_secret(&mut self, ty: &mut TypeRef) {
        if ty.quals.contains(&Qualifier::Secret) {
            self.report(
                Diagnostic::new(
                    Code::SecretUse,
                    ty.span,
                    "only a parameter of a graph or an extern can be a secret",
                )
                .help("declare it with `secret name`, and pass it to what needs it"),
            );
            ty.kind = TypeRefKind::Missing;
            ty.quals.clear();
            return;
        }
        match &mut ty.kind {
            TypeRefKind::List(inner) | TypeRefKind::Optional(inner) => self.no_secret(inner),
            TypeRefKind::Map(key, value) | TypeRefKind::Selector(key, value) => {
                self.no_secret(key);
                self.no_secret(value);
            }
            TypeRefKind::Named(_, args) => args.iter_mut().for_each(|arg| self.no_secret(arg)),
            TypeRefKind::Missing | TypeRefKind::Primitive(_) | TypeRefKind::Param(_) => {}
        }
    }

    fn type_ref(&mut self, ty: Type<'a>, params: SignatureParams<'a>) -> TypeRef {
        let span = self.span(ty.range());
        match ty {
            Type::Named(ty) => self.named_type(ty, span, params),
            Type::List(ty) => {
                let item = self.inner_ty(ty.item(), span, params);
                plain(TypeRefKind::List(Box::new(item)), span)
            }
            Type::Map(ty) => {
                let key = self.inner_ty(ty.key(), span, params);
                let value = self.inner_ty(ty.value(), span, params);
                plain(TypeRefKind::Map(Box::new(key), Box::new(value)), span)
            }
            Type::None(_) => plain(TypeRefKind::Primitive("none".into()), span),
            Type::Optional(ty) => {
                let inner = self.inner_ty(ty.inner(), span, params);
                plain(TypeRefKind::Optional(Box::new(inner)), span)
            }
            Type::Refined(refined) => {
                let mut inner = self.inner_ty(refined.inner(), span, params);
                let bounds: Vec<_> =
                    refined.bounds().filter_map(|bound| self.bound(bound, params)).collect();
                inner.bounds.extend(bounds);
                inner.span = span;
                inner
            }
            Type::Qualified(qualified) => {
                let mut inner = self.inner_ty(qualified.inner(), span, params);
                if let Some(word) = qualified.qualifier()
                    && let Some(qualifier) = qualifier(word)
                    && self.label_fits(word, qualifier, &inner)
                {
                    inner.quals.insert(0, qualifier);
                }
                inner.span = span;
                inner
            }
        }
    }

    /// Whether a word in front of a type neither repeats nor contradicts those behind it, which is reported.
    fn label_fits(&mut self, word: SyntaxToken<'a>, label: Qualifier, inner: &TypeRef) -> bool {
        let contradicts = |other: Qualifier| {
            use Qualifier::{Private, Public, Secret, Trusted, Untrusted};
            matches!(
                (label, other),
                (Trusted, Untrusted)
                    | (Untrusted, Trusted)
                    | (Public, Private | Secret)
                    | (Private | Secret, Public)
            )
        };
        let (word, at) = self.token(word);
        let message = if inner.quals.contains(&label) {
            format!("`{word}` is written twice")
        } else if inner.quals.iter().copied().any(contradicts) {
            let other = inner.quals.iter().copied().find(|other| contradicts(*other));
            let other = other.map_or("", word_of);
            format!("a value cannot be both `{word}` and `{other}`")
        } else {
            return true;
        };
        let finding = Diagnostic::new(Code::ContradictingLabels, at, message);
        // With the blank behind it.
        let whole = Span { end: inner.span.start, ..at };
        let edits = vec![Edit::new(whole, "")];
        self.report(if inner.quals.contains(&label) {
            finding.fix("leave one of them out", edits)
        } else {
            finding.help("keep the one that you mean").guess(format!("leave `{word}` out"), edits)
        });
        false
    }

    fn named_type(
        &mut self,
        ty: ast::NamedType<'a>,
        span: Span,
        params: SignatureParams<'a>,
    ) -> TypeRef {
        let args: Vec<TypeRef> =
            ty.args().map(|argument| self.type_ref(argument, params)).collect();
        let Some(path) = ty.path() else { return plain(TypeRefKind::Missing, span) };
        let segments: SmallVec<[SyntaxToken<'_>; 4]> = path.segments().collect();
        let kind = match segments.as_slice() {
            [one] if one.kind() == SyntaxKind::Lid => self.lower_case_type(*one, args, span),
            [one] => self.upper_case_type(*one, args, span),
            [module, name] if module.kind() == SyntaxKind::Lid => {
                self.foreign_type(*module, *name, args, span)
            }
            [of, variant] => {
                let (of, _) = self.token(*of);
                let message = format!("`{of}.{}` is a variant, not a type", variant.text());
                self.report(
                    Diagnostic::new(Code::UnknownType, span, message)
                        .help(format!("use the type of the whole enum, `{of}`"))
                        .guess(format!("write `{of}`"), vec![Edit::new(span, of.as_str())]),
                );
                TypeRefKind::Missing
            }
            _ => {
                let text = path.to_text();
                self.unknown_type(&text, span);
                TypeRefKind::Missing
            }
        };
        plain(kind, span)
    }

    fn lower_case_type(
        &mut self,
        token: SyntaxToken<'_>,
        args: Vec<TypeRef>,
        span: Span,
    ) -> TypeRefKind {
        let (name, name_span) = self.token(token);
        if name == "field" {
            if !self.is_std {
                self.std_only_type(&name, name_span, "take the value of the field as a parameter");
                return TypeRefKind::Missing;
            }
            let mut args = args.into_iter();
            return match (args.next(), args.next(), args.next()) {
                (Some(of), Some(value), None) => {
                    TypeRefKind::Selector(Box::new(of), Box::new(value))
                }
                _ => {
                    self.report(
                        Diagnostic::new(
                            Code::TypeArgumentCount,
                            span,
                            "`field` takes two types: of the record and of the field",
                        )
                        .help("write `field<T, K>`"),
                    );
                    TypeRefKind::Missing
                }
            };
        }
        if PRIMITIVES.contains(&name.as_str()) {
            if !args.is_empty() {
                self.type_argument_count(&name, 0, args.len(), span, None);
            }
            match name.as_str() {
                "role" if !self.is_std => {
                    self.std_only_type(
                        &name,
                        name_span,
                        "name the role in the prompt: `model fast`",
                    );
                    return TypeRefKind::Missing;
                }
                "secret" => {
                    let ty = token.parent().ancestors().find(|node| Type::cast(*node).is_some());
                    let is_param = ty
                        .and_then(|ty| ty.parent())
                        .is_some_and(|parent| parent.kind() == SyntaxKind::Param);
                    let finding = Diagnostic::new(
                        Code::SecretUse,
                        name_span,
                        "`secret` must be followed by a type",
                    );
                    let edit = Edit::new(name_span.after(), " text");
                    self.report(if is_param {
                        finding.fix("write `secret text`", vec![edit])
                    } else {
                        finding.help("only parameters can be secrets, such as `key: secret text`")
                    });
                    return TypeRefKind::Missing;
                }
                _ => {}
            }
            return TypeRefKind::Primitive(name);
        }
        // `list<T>` and `map<K, V>` are written with brackets here.
        let source = |span: Span| self.files.slice(span).to_owned();
        let bracketed = match (name.as_str(), args.as_slice()) {
            ("list" | "array" | "vec" | "set" | "stream" | "seq", [item]) => {
                Some(format!("[{}]", source(item.span)))
            }
            ("map" | "dict" | "hashmap" | "object", [key, value]) => {
                Some(format!("[{}: {}]", source(key.span), source(value.span)))
            }
            ("option" | "optional" | "maybe", [inner]) => Some(format!("{}?", source(inner.span))),
            _ => None,
        };
        if let Some(ours) = bracketed {
            self.report(
                Diagnostic::new(Code::UnknownType, span, format!("there is no type `{name}`"))
                    .fix(format!("write `{ours}`"), vec![Edit::new(span, ours)]),
            );
        } else {
            self.unknown_type(&name, name_span);
        }
        TypeRefKind::Missing
    }

    /// Types whose values are resolved when a program is compiled: no graph could pass them on.
    fn std_only_type(&mut self, name: &str, span: Span, instead: &str) {
        self.report(
            Diagnostic::new(
                Code::UnknownType,
                span,
                format!("only the standard library can use the type `{name}`"),
            )
            .help(instead),
        );
    }

    fn upper_case_type(
        &mut self,
        token: SyntaxToken<'_>,
        args: Vec<TypeRef>,
        span: Span,
    ) -> TypeRefKind {
        let (name, name_span) = self.token(token);
        if let Some(position) = self.type_params.iter().position(|param| *param == name) {
            if !args.is_empty() {
                self.type_argument_count(&name, 0, args.len(), span, None);
            }
            return TypeRefKind::Param(index(position));
        }
        match self.names.type_def(self.module, &name) {
            Some(def) => self.def_type(def, args, name_span, span),
            None => {
                let bracketed = match (name.as_str(), args.as_slice()) {
                    ("List" | "Array" | "Vec" | "Set", [item]) => {
                        Some(format!("[{}]", self.files.slice(item.span)))
                    }
                    ("Map" | "Dict" | "HashMap" | "Record", [key, value]) => Some(format!(
                        "[{}: {}]",
                        self.files.slice(key.span),
                        self.files.slice(value.span)
                    )),
                    ("Option" | "Optional" | "Maybe", [inner]) => {
                        Some(format!("{}?", self.files.slice(inner.span)))
                    }
                    _ => None,
                };
                if let Some(ours) = bracketed {
                    self.report(
                        Diagnostic::new(
                            Code::UnknownType,
                            span,
                            format!("there is no type `{name}`"),
                        )
                        .fix(format!("write `{ours}`"), vec![Edit::new(span, ours)]),
                    );
                } else {
                    self.unknown_type(&name, name_span);
                }
                TypeRefKind::Missing
            }
        }
    }

    fn foreign_type(
        &mut self,
        module: SyntaxToken<'_>,
        token: SyntaxToken<'_>,
        args: Vec<TypeRef>,
        span: Span,
    ) -> TypeRefKind {
        let (name, name_span) = self.token(token);
        let Some(module) = self.module_before_dot(module) else { return TypeRefKind::Missing };
        match self.member_type(module, &name) {
            Some(def) => self.def_type(def, args, name_span, span),
            None => {
                self.unknown_member(module, &name, name_span);
                TypeRefKind::Missing
            }
        }
    }

    pub(super) fn member_type(&self, module: ModuleId, name: &str) -> Option<DefId> {
        self.names.scope(module)?.types.get(name).copied()
    }

    /// The module that a word in front of a dot stands for; reports one that does not exist.
    pub(super) fn module_before_dot(&mut self, token: SyntaxToken<'_>) -> Option<ModuleId> {
        let (name, span) = self.token(token);
        match self.module_ref(&name) {
            Some(ModuleRef::Module(module)) => Some(module),
            Some(ModuleRef::Broken) => None,
            None => {
                self.unknown_module(&name, span);
                None
            }
        }
    }

    /// A module by its name here; an import counts as used.
    pub(super) fn module_ref(&mut self, name: &str) -> Option<ModuleRef> {
        let found = self.names.module(self.module, name)?;
        let imported =
            self.names.scope(self.module).is_some_and(|scope| scope.modules.contains_key(name));
        if imported && !self.imports.iter().any(|known| known == name) {
            self.imports.push(name.into());
        }
        Some(found)
    }

    fn def_type(
        &mut self,
        def: DefId,
        args: Vec<TypeRef>,
        name_span: Span,
        span: Span,
    ) -> TypeRefKind {
        let Some(head) = self.names.head(def) else { return TypeRefKind::Missing };
        if head.damaged {
            return TypeRefKind::Missing;
        }
        if !self.names.is_visible(def, self.module) {
            self.report_private(def, name_span);
            return TypeRefKind::Missing;
        }
        if head.kind == HeadKind::Session {
            let name = head.name.clone();
            let finding = Diagnostic::new(
                Code::UnknownType,
                name_span,
                format!("`{name}` is a session, not a type"),
            )
            .label(head.name_span, "declared here")
            .help(format!(
                "read its fields as `session.field` in a graph with `in {name}` in its header"
            ));
            self.report(finding);
            return TypeRefKind::Missing;
        }
        let (wanted, name, place) = (head.type_params as usize, head.name.clone(), head.name_span);
        if wanted != args.len() {
            self.type_argument_count(&name, wanted, args.len(), span, Some(place));
            return TypeRefKind::Missing;
        }
        TypeRefKind::Named(def, args)
    }

    fn type_argument_count(
        &mut self,
        name: &str,
        wanted: usize,
        given: usize,
        span: Span,
        declared: Option<Span>,
    ) {
        let message = match wanted {
            0 => format!("`{name}` takes no type arguments"),
            1 => format!("`{name}` takes one type argument, not {given}"),
            _ => format!("`{name}` takes {wanted} type arguments, not {given}"),
        };
        let mut finding = Diagnostic::new(Code::TypeArgumentCount, span, message);
        if let Some(declared) = declared {
            finding = finding.label(declared, "declared here");
        }
        if given == 0 && wanted > 0 {
            let holes = ["A", "B", "C", "D"].iter().take(wanted).copied().collect::<Vec<_>>();
            finding = finding.help(format!("write it as `{name}<{}>`", holes.join(", ")));
        }
        self.report(finding);
    }

    fn bound(&mut self, bound: ast::Arg<'a>, params: SignatureParams<'a>) -> Option<BoundRef> {
        let span = self.span(bound.range());
        let name = bound.name().map(|name| name.text().into()).unwrap_or_default();
        let value = bound.value()?.without_parens();
        let value = match self.bound_value(value, params) {
            // A number that does not fit was reported.
            BoundValue::Other if matches!(value, AstExpr::Number(_) | AstExpr::Unary(_)) => {
                return None;
            }
            value => value,
        };
        Some(BoundRef { name, value, span })
    }

    fn bound_value(&mut self, value: AstExpr<'a>, params: SignatureParams<'a>) -> BoundValue {
        let param = |name: Option<SyntaxToken<'_>>| {
            let name = name?;
            let is_meant =
                |param: ast::Param<'_>| param.name().is_some_and(|own| own.text() == name.text());
            params?.params().position(is_meant).map(index)
        };
        if let Some(literal) = self.literal_of(value) {
            return BoundValue::Literal(literal);
        }
        match value {
            AstExpr::Name(name) => match param(name.name()) {
                Some(index) => BoundValue::Param { index, length: false },
                None => BoundValue::Other,
            },
            AstExpr::Call(call) => {
                let callee = match call.callee() {
                    Some(AstExpr::Name(name)) => name.name(),
                    _ => None,
                };
                if callee.is_none_or(|name| name.text() != "len") {
                    return BoundValue::Other;
                }
                let mut args = call.args().into_iter().flat_map(ast::Args::args);
                let (first, second) = (args.next().and_then(ast::Arg::value), args.next());
                match (first, second) {
                    (Some(AstExpr::Name(name)), None) => match param(name.name()) {
                        Some(index) => BoundValue::Param { index, length: true },
                        None => BoundValue::Other,
                    },
                    _ => BoundValue::Other,
                }
            }
            _ => BoundValue::Other,
        }
    }

    /// The value of an expression that is a literal.
    pub(super) fn literal_of(&mut self, expr: AstExpr<'a>) -> Option<Literal> {
        match expr.without_parens() {
            AstExpr::Number(number) => {
                let span = self.span(number.range());
                self.number(number.token()?.text(), false, span)
            }
            AstExpr::Unary(unary) if unary.op() == Some(ast::UnaryOp::Neg) => {
                match unary.operand()?.without_parens() {
                    AstExpr::Number(number) => {
                        let span = self.span(unary.range());
                        self.number(number.token()?.text(), true, span)
                    }
                    _ => None,
                }
            }
            AstExpr::Str(text) => text.constant().map(|text| Literal::Text(text.into())),
            AstExpr::Bool(value) => Some(Literal::Bool(value.value())),
            AstExpr::None(_) => Some(Literal::None),
            _ => None,
        }
    }
}

fn qualifier(token: SyntaxToken<'_>) -> Option<Qualifier> {
    Some(match token.kind() {
        SyntaxKind::SecretKw => Qualifier::Secret,
        SyntaxKind::TrustedKw => Qualifier::Trusted,
        SyntaxKind::UntrustedKw => Qualifier::Untrusted,
        SyntaxKind::PublicKw => Qualifier::Public,
        SyntaxKind::PrivateKw => Qualifier::Private,
        _ => return None,
    })
}

fn word_of(label: Qualifier) -> &'static str {
    match label {
        Qualifier::Secret => "secret",
        Qualifier::Trusted => "trusted",
        Qualifier::Untrusted => "untrusted",
        Qualifier::Public => "public",
        Qualifier::Private => "private",
    }
}

fn plain(kind: TypeRefKind, span: Span) -> TypeRef {
    TypeRef { kind, quals: Vec::new(), bounds: Vec::new(), span }
}
