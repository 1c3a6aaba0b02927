//! Arguments of one call: which place each goes to, by position, name or spread; what is missing, surplus or unknown.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::calls::{Places, Target};
use super::infer::{BodyCx, Expect, Fit, Why};
use super::ty::{Ty, TyKind};
use super::{ArgSource, Cause, DefTypes, FEW_NAMES, positions};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Arg, ArgValue, DefId, DefKind, ExprId, Literal};
use crate::names::suggest;

impl<'a> BodyCx<'_, 'a> {
    /// Which place each argument goes to; `None` for spreads and for what was reported.
    pub(super) fn assign(
        &mut self,
        e: ExprId,
        target: &Target<'_>,
        args: &[Arg],
        sources: &mut [ArgSource],
        broken: &mut bool,
    ) -> SmallVec<[Option<usize>; 8]> {
        let mut places: SmallVec<[Option<usize>; 8]> = SmallVec::with_capacity(args.len());
        let mut position = 0usize;
        let mut surplus: Vec<(Span, usize)> = Vec::new();
        let known = (args.len() > FEW_NAMES).then(|| positions(target.places.names()));
        for (index, arg) in args.iter().enumerate() {
            if matches!(arg.value, ArgValue::Spread(_)) {
                places.push(None);
                continue;
            }
            let place = match &arg.name {
                Some((name, span)) => {
                    let found = match &known {
                        Some(known) => known.get(name.as_str()).map(|index| *index as usize),
                        None => target.places.find(name),
                    };
                    if found.is_none() {
                        self.unknown_argument(target, args, name, *span);
                        *broken = true;
                    }
                    found
                }
                None => {
                    position += 1;
                    if position > target.places.len() {
                        if !*broken {
                            self.too_many(e, target, arg.span);
                        }
                        *broken = true;
                        None
                    } else {
                        if position > 2 {
                            surplus.push((arg.span, position - 1));
                        }
                        Some(position - 1)
                    }
                }
            };
            let place = place.filter(|place| {
                let free = sources.get(*place) == Some(&ArgSource::Missing);
                if !free {
                    *broken = true;
                    let name = target.places.name(*place);
                    let first = args.iter().find(|other| {
                        other.name.as_ref().is_some_and(|(other, _)| other == name)
                            || other.name.is_none()
                    });
                    let mut finding = Diagnostic::new(
                        Code::RepeatedArgument,
                        arg.span,
                        format!("`{name}` is given twice"),
                    );
                    if let Some(first) = first.filter(|first| first.span != arg.span) {
                        finding = finding.label(first.span, "first given here");
                    }
                    // Two places of one name were reported: which of them was meant is not known.
                    if self.cx.sink.is_full(arg.span.file)
                        || target.names().filter(|other| *other == name.as_str()).nth(1).is_none()
                    {
                        self.report(finding);
                    }
                }
                free
            });
            if let Some(place) = place {
                sources[place] = ArgSource::Arg(u32::try_from(index).unwrap_or(u32::MAX));
            }
            places.push(place);
        }
        if let Some((first, _)) = surplus.first()
            && !*broken
        {
            let names: Vec<&str> =
                surplus.iter().map(|(_, place)| target.places.name(*place).as_str()).collect();
            let edits = surplus
                .iter()
                .map(|(span, place)| {
                    Edit::new(span.before(), format!("{}: ", target.places.name(*place)))
                })
                .collect();
            self.report(
                Diagnostic::new(Code::ThirdPositional, *first, "this argument needs its name")
                    .here(format!("write `{}: …`", names.first().copied().unwrap_or("")))
                    .help("give at most two arguments without a name")
                    .fix(format!("name {}", names_of(names.iter().copied())), edits),
            );
        }
        places
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one call, used in one place")]
    pub(super) fn argument(
        &mut self,
        target: &Target<'a>,
        args: &'a [Arg],
        index: usize,
        place: Option<usize>,
        params: &[Ty],
        sources: &mut [ArgSource],
        selectors: &mut Vec<(u32, u32)>,
    ) {
        let Some(arg) = args.get(index) else { return };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let expected = place.and_then(|place| params.get(place).copied());
        let why =
            place.and_then(|place| target.places.span(place)).map_or(Why::Nothing, Why::Declared);
        let subject = args.first().and_then(|arg| match arg.value {
            ArgValue::Expr(e) => Some(e),
            _ => None,
        });
        let wants_selector = expected.and_then(|ty| match self.kind(self.present(ty)) {
            TyKind::Selector(record, field) => Some((*record, *field)),
            _ => None,
        });
        match &arg.value {
            ArgValue::Expr(value) => match (expected, wants_selector) {
                (Some(_), Some(_)) if self.literal(*value) != Some(Literal::None) => {
                    self.expr(*value, Expect::ERROR);
                    let finding = Diagnostic::new(
                        Code::BadSelector,
                        arg.span,
                        "expected a field such as `.name`",
                    )
                    .here("this is a value");
                    let is_name = |text: &str| {
                        text.starts_with(|c: char| c.is_ascii_lowercase())
                            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    };
                    self.report(match self.literal(*value) {
                        // The field's name as a text, as elsewhere.
                        Some(Literal::Text(name)) if is_name(&name) => finding
                            .help(format!("choose the field of each item with `.{name}`"))
                            .guess(
                                format!("write `.{name}`"),
                                vec![Edit::new(self.span(*value), format!(".{name}"))],
                            ),
                        _ => finding.help("write a dot and the name of the field that counts"),
                    });
                }
                (Some(ty), _) => {
                    self.expr(*value, Expect::of(ty, why));
                }
                (None, _) => {
                    self.expr(*value, Expect::ERROR);
                }
            },
            ArgValue::Spread(value) => self.spread(target, *value, index, params, sources),
            ArgValue::Selector(name, span) => match (expected, wants_selector) {
                (_, Some((record, field))) => {
                    if let Some(found) = self.select(record, field, name, *span, subject) {
                        selectors.push((index, found));
                    }
                }
                (Some(ty), None) if !self.is_error(ty) => {
                    let shown = self.show(ty);
                    self.report(
                        Diagnostic::new(
                            Code::BadSelector,
                            *span,
                            format!("expected `{shown}`, found a field such as `.name`"),
                        )
                        .help("write the value of a field as `value.field`"),
                    );
                }
                _ => {}
            },
            ArgValue::Selectors(_) => {
                self.report(Diagnostic::new(
                    Code::BadSelector,
                    arg.span,
                    "only `edit:` takes a list of fields",
                ));
            }
            ArgValue::Callable(_, span) => {
                self.report(
                    Diagnostic::new(
                        Code::NotAValue,
                        *span,
                        "this is not a value, but something to call",
                    )
                    .help("write its arguments after it"),
                );
            }
        }
    }

    /// Resolves `.field` against the record that the other arguments say.
    fn select(
        &mut self,
        record: Ty,
        field: Ty,
        name: &SmolStr,
        span: Span,
        subject: Option<ExprId>,
    ) -> Option<u32> {
        let record = self.shallow(record);
        if let TyKind::Var(_) = self.cx.interner.kind(record) {
            // A list that is empty in the text: nothing to select from, nothing to go wrong.
            return None;
        }
        let Some((index, ty)) = self.find_field(record, name, span, subject) else {
            self.close(field);
            return None;
        };
        if self.fit(ty, field) == Fit::No {
            let (found, wanted) = (self.show(ty), self.show(field));
            self.report(
                Diagnostic::new(
                    Code::BadSelector,
                    span,
                    format!("expected a field of type `{wanted}`, found `{found}`"),
                )
                .here(format!("`{name}` is `{found}`")),
            );
        }
        Some(index)
    }

    /// `..record`: its fields fill the places of their names that are not given.
    fn spread(
        &mut self,
        target: &Target<'_>,
        value: ExprId,
        index: u32,
        params: &[Ty],
        sources: &mut [ArgSource],
    ) {
        let ty = self.expr(value, Expect::ANY);
        let hir = self.cx.hir;
        let span = self.span(value);
        let (def, args) = match self.kind(ty).clone() {
            TyKind::Named(def, args)
                if matches!(
                    hir.defs.get(def.index()).map(|def| &def.kind),
                    Some(DefKind::Record(_))
                ) =>
            {
                (def, args)
            }
            kind => {
                if !matches!(kind, TyKind::Error | TyKind::Never) {
                    let shown = self.show(ty);
                    self.report(Diagnostic::new(
                        Code::BadSpread,
                        span,
                        format!("`..` needs a record, found `{shown}`"),
                    ));
                }
                // Whatever it was meant to fill is not missed.
                for source in sources.iter_mut().filter(|s| **s == ArgSource::Missing) {
                    *source = ArgSource::Spread(index, u32::MAX);
                }
                return;
            }
        };
        let (Some(DefKind::Record(record)), Some(DefTypes::Record(types))) =
            (hir.defs.get(def.index()).map(|def| &def.kind), self.cx.defs.get(def.index()))
        else {
            return;
        };
        let types = types.clone();
        let places = positions(target.places.names());
        for (field, (declared, ty)) in (0u32..).zip(record.fields.iter().zip(types)) {
            let Some(place) = places.get(declared.name.as_str()) else { continue };
            let place = *place as usize;
            if sources.get(place) != Some(&ArgSource::Missing) {
                continue;
            }
            let ty = self.cx.interner.subst(ty, &args);
            let wanted = params.get(place).copied().unwrap_or(Ty::ERROR);
            if self.fit(ty, wanted) == Fit::No {
                let (found, wanted) = (self.show(ty), self.show(wanted));
                let finding = Diagnostic::new(
                    Code::BadSpread,
                    span,
                    format!("`{}` of the spread record does not fit", declared.name),
                )
                .here(format!("expected `{wanted}`, found `{found}`"))
                .label(declared.span, "declared here")
                .help(format!("give it yourself: `{}: …`", declared.name));
                if !self.blamed(&[declared.span], Ty::ERROR) {
                    self.report(finding);
                }
            }
            sources[place] = ArgSource::Spread(index, field);
        }
    }

    /// Places that got nothing have a default, may be `none`, or are missing.
    pub(super) fn missing(
        &mut self,
        e: ExprId,
        target: &Target<'_>,
        params: &[Ty],
        sources: &mut [ArgSource],
        broken: bool,
    ) {
        let mut names: Vec<usize> = Vec::new();
        for (index, source) in sources.iter_mut().enumerate() {
            if *source != ArgSource::Missing {
                continue;
            }
            let ty = params.get(index).copied().unwrap_or(Ty::ERROR);
            *source = if target.places.has_default(index) {
                ArgSource::Default
            } else if self.is_error(ty) {
                // Perhaps it would be optional.
                ArgSource::Missing
            } else if target.partial || matches!(self.kind(ty), TyKind::Optional(_)) {
                ArgSource::None
            } else {
                names.push(index);
                ArgSource::Missing
            };
        }
        let Some(first) = names.first().copied() else { return };
        if broken {
            return;
        }
        let shown = names_of(names.iter().map(|index| target.places.name(*index).as_str()));
        let span = self.span(e);
        let mut finding = Diagnostic::new(
            Code::MissingArgument,
            span,
            format!("`{}` needs {shown}", target.name),
        )
        .here(if names.len() == 1 {
            "it is missing here"
        } else {
            "they are missing here"
        });
        if let Some(place) = target.places.span(first) {
            finding = finding.label(place, "declared here");
        }
        let list: Vec<String> = names
            .iter()
            .map(|index| {
                let ty = params.get(*index).copied().unwrap_or(Ty::ERROR);
                let shown = self.show(ty);
                format!("`{}: …` of type `{shown}`", target.places.name(*index))
            })
            .collect();
        let cause = Cause::Missing(target.places.span(first).unwrap_or(span));
        self.cx.report_once(cause, finding.help(format!("add {}", list.join(", "))));
    }

    fn too_many(&mut self, e: ExprId, target: &Target<'_>, span: Span) {
        let count = target.places.len();
        let takes = match count {
            0 => "takes no arguments".to_owned(),
            1 => "takes one argument".to_owned(),
            _ => format!("takes {count} arguments"),
        };
        let finding =
            Diagnostic::new(Code::TooManyArguments, span, format!("`{}` {takes}", target.name))
                .here("this argument is one too many")
                .label(target.span, "declared here");
        let _ = e;
        self.cx.report_once(Cause::Missing(target.span), finding);
    }

    fn unknown_argument(&mut self, target: &Target<'_>, args: &[Arg], name: &SmolStr, span: Span) {
        if self.renamed(target.def, name) {
            return;
        }
        let what = match target.places {
            Places::Params(_) => "parameter",
            Places::Fields(_) => "field",
        };
        // Names that are not given yet are meant more probably.
        let near = if self.cx.sink.is_full(span.file) {
            None
        } else {
            let given: FxHashSet<&str> =
                args.iter().filter_map(|arg| Some(arg.name.as_ref()?.0.as_str())).collect();
            suggest(name, target.places.names().filter(|name| !given.contains(name)))
        };
        let mut finding = Diagnostic::new(
            Code::UnknownArgument,
            span,
            format!("`{}` has no {what} `{name}`", target.name),
        )
        .label(target.span, "declared here");
        finding = match near {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(span, near)]),
            None if what == "parameter" && super::policies::is_of_calls(name) => {
                let finding = finding.help(format!(
                    "`{name}` is a policy: write it behind the call, `with ({name}: …)`"
                ));
                match parted(args, span) {
                    Some(edit) => {
                        finding.guess(format!("write it as `with ({name}: …)`"), vec![edit])
                    }
                    None => finding,
                }
            }
            None if target.places.len() == 0 => finding.help("it takes no arguments"),
            None => finding.help(format!("it takes {}", names_of(target.places.names()))),
        };
        self.cx.report_once(Cause::Member(target.def, name.clone()), finding);
    }

    /// Whether the declaration itself uses that name without knowing it: then its parameter was renamed.
    pub(super) fn renamed(&self, def: DefId, name: &str) -> bool {
        self.cx.trouble();
        let Some(declared) = self.cx.hir.defs.get(def.index()) else { return false };
        let quoted = format!("`{name}`");
        self.cx.sink.as_slice().iter().any(|one| {
            one.code == Code::UnknownName.as_str()
                && declared.span.contains(one.primary.span)
                && one.message.contains(&quoted)
        })
    }
}

/// Parts the arguments of a call from the policies that follow them: `f(a, retry: 2)` is `f(a) with (retry: 2)`.
fn parted(args: &[Arg], first: Span) -> Option<Edit> {
    let index =
        args.iter().position(|arg| arg.name.as_ref().is_some_and(|(_, span)| *span == first))?;
    let is_policy =
        |arg: &Arg| arg.name.as_ref().is_some_and(|(name, _)| super::policies::is_of_calls(name));
    if !args.get(index..)?.iter().all(is_policy) {
        return None;
    }
    let before = match index.checked_sub(1) {
        Some(last) => args.get(last)?.span.after(),
        None => first.before(),
    };
    Some(Edit::new(Span { end: first.start, ..before }, ") with ("))
}
