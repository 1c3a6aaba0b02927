//! A label: where a value may come from, as far as one declaration can tell. A few bits, joined by "or".

/// Where a value may come from: from outside (it is *marked*), from parameters, or neither.
///
/// What the mark means is the pass's matter: for trust it says that nobody vouches for the value, for secrecy that it is
/// private. A label with parameters is marked exactly if what the caller gives for one of them is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Label(u64);

/// Parameters from this one on share a bit: what is said of one of them is said of all.
const SHARED: usize = 61;

impl Label {
    /// Nothing is known against it.
    pub const CLEAR: Self = Self(0);
    /// It comes from outside, whoever calls.
    pub const MARKED: Self = Self(1);

    /// It names the session in which the declaration runs, which its caller chooses like an argument.
    pub const SESSION: Self = Self(1 << 63);

    /// It comes from the parameter at this index.
    pub fn param(index: usize) -> Self {
        Self(2 << index.min(SHARED))
    }

    /// From wherever either comes.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn is_clear(self) -> bool {
        self.0 == 0
    }

    /// Whether it comes from outside, whoever calls.
    pub fn is_marked(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether it is among its sources which session the declaration runs in.
    pub fn has_session(self) -> bool {
        self.0 & Self::SESSION.0 != 0
    }

    /// The same without the mark.
    pub fn params(self) -> Self {
        Self(self.0 & !1)
    }

    /// Whether the parameter at this index is among its sources.
    pub fn has(self, index: usize) -> bool {
        self.0 & Self::param(index).0 != 0
    }

    /// Of a callee's label: what it is for a caller that gives arguments with these labels, in a session whose name has
    /// that label.
    pub fn applied(self, args: &[Self], session: Self) -> Self {
        let mut all = Self(self.0 & 1);
        if self.has_session() {
            all = all.join(session);
        }
        let mut rest = (self.0 & !Self::SESSION.0) >> 1;
        let mut index = 0;
        // Each turn takes away one bit.
        while rest != 0 && index < args.len() {
            let skipped = rest.trailing_zeros() as usize;
            index += skipped;
            rest >>= skipped;
            if index >= SHARED {
                return args.iter().skip(SHARED).fold(all, |all, arg| all.join(*arg));
            }
            all = args.get(index).map_or(all, |arg| all.join(*arg));
            rest &= !1;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn a_callees_label_is_applied_to_arguments() {
        let args: Vec<Label> = (0..100).map(|at| Label::param(at % 60)).collect();
        for index in [0, 1, 5, 60] {
            assert_eq!(Label::param(index).applied(&args, Label::CLEAR), args[index]);
        }
        assert_eq!(Label::MARKED.applied(&args, Label::CLEAR), Label::MARKED);
        assert_eq!(Label::CLEAR.applied(&args, Label::MARKED), Label::CLEAR);
        let two = Label::param(3).join(Label::param(1)).join(Label::MARKED);
        assert_eq!(two.applied(&args, Label::MARKED), two);
        assert_eq!(Label::param(3).applied(&[], Label::CLEAR), Label::CLEAR);
        let named = Label::SESSION.join(Label::param(1));
        assert_eq!(named.applied(&args, Label::MARKED), Label::MARKED.join(args[1]));
        assert!(!named.has(70) && !Label::param(70).has_session());
    }

    #[test]
    fn parameters_beyond_the_bits_stand_for_each_other() {
        let mut args = vec![Label::CLEAR; 100];
        args[99] = Label::MARKED;
        assert_eq!(Label::param(70).applied(&args, Label::CLEAR), Label::MARKED);
        assert_eq!(Label::param(60).applied(&args, Label::CLEAR), Label::CLEAR);
        assert!(Label::param(70).has(99) && !Label::param(70).has(60));
    }
}
