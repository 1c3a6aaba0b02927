//! A label: where a value may come from, as far as one graph or function can tell. A few bits, joined by "or".

/// Where a value may come from: from where nobody vouches for it (it is *marked*), from parameters, or neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Label(u64);

/// Parameters from this one on share a bit: what is said of one of them is said of all.
const SHARED: usize = 62;

impl Label {
    /// Somebody vouches for it.
    pub(super) const CLEAR: Self = Self(0);
    /// Nobody vouches for it, whoever calls.
    pub(super) const MARKED: Self = Self(1);

    /// It comes from the parameter at this index.
    pub(super) fn param(index: usize) -> Self {
        Self(2 << index.min(SHARED))
    }

    /// From wherever either comes.
    #[must_use]
    pub(super) fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn is_clear(self) -> bool {
        self.0 == 0
    }

    pub(super) fn is_marked(self) -> bool {
        self.0 & 1 != 0
    }

    /// The same without the mark.
    #[must_use]
    pub(super) fn params(self) -> Self {
        Self(self.0 & !1)
    }

    /// Whether the parameter at this index is among its sources.
    pub(super) fn has(self, index: usize) -> bool {
        self.0 & Self::param(index).0 != 0
    }

    /// Of a callee's label: what it is for a caller whose arguments have these labels.
    #[must_use]
    pub(super) fn applied(self, args: &[Self]) -> Self {
        let own = Self(self.0 & 1);
        if self.params().is_clear() {
            return own;
        }
        let from = args.iter().enumerate().filter(|(index, _)| self.has(*index));
        from.fold(own, |all, (_, arg)| all.join(*arg))
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn a_callees_label_is_applied_to_arguments() {
        let args: Vec<Label> = (0..100).map(|at| Label::param(at % 60)).collect();
        assert_eq!(Label::param(5).applied(&args), args[5]);
        assert_eq!(Label::MARKED.applied(&args), Label::MARKED);
        let two = Label::param(3).join(Label::param(1)).join(Label::MARKED);
        assert_eq!(two.applied(&args), two);
        assert_eq!(Label::param(3).applied(&[]), Label::CLEAR);
        // Those beyond the bits stand for each other.
        let mut args = vec![Label::CLEAR; 100];
        args[99] = Label::MARKED;
        assert_eq!(Label::param(70).applied(&args), Label::MARKED);
        assert_eq!(Label::param(61).applied(&args), Label::CLEAR);
    }
}
