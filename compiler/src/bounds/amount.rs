//! Amounts: sums of products of sizes that inputs have, such as `3·n + 1`, and what they are at most.
//!
//! Every operation gives an upper bound of the exact result, and never an amount with more than [`MAX_TERMS`] terms:
//! what would become longer is replaced by the number that it is at most.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

/// The most terms of an amount.
const MAX_TERMS: usize = 24;
/// The most factors of a term.
const MAX_FACTORS: usize = 6;
/// The deepest nesting of sizes that are made of amounts.
const MAX_DEPTH: u8 = 8;
/// The reason of what is too large, or has too many terms, to be said: index into [`super::Bounds::reasons`].
pub(super) const TOO_LARGE: u32 = 0;

/// A size that a caller chooses, or the larger one of several amounts: index into [`Sizes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeId(u32);

/// What a [`SizeId`] stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// How many items an input has, or the value of a whole number: of a parameter, or a field of it.
    Of {
        /// Which parameter of the graph that is looked at.
        param: u32,
        /// The fields on the way.
        fields: Vec<SmolStr>,
        /// Whether its items are counted; else it is a number.
        counted: bool,
        /// What it is at most, if anything says so.
        limit: Option<u64>,
    },
    /// The largest of amounts of which none is always the largest.
    Largest(Vec<Amount>),
    /// The smaller one of an amount and a number.
    Least(Amount, u64),
}

/// All sizes that amounts of a program speak of.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    all: Vec<Size>,
    limits: Vec<Option<u64>>,
    /// How deep sizes are made of others.
    depths: Vec<u8>,
    known: FxHashMap<Size, SizeId>,
}

type Factors = SmallVec<[SizeId; 2]>;

/// A sum of products of sizes, with whole coefficients; it has no bound if `open` names reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Coefficients by the sizes that they are multiplied with, in order; without zeros.
    terms: BTreeMap<Factors, u64>,
    /// Why nothing bounds it: indices into [`super::Bounds::reasons`], in order.
    open: Vec<u32>,
}

impl Sizes {
    /// What an id stands for.
    #[must_use]
    pub fn get(&self, id: SizeId) -> Option<&Size> {
        self.all.get(id.0 as usize)
    }

    /// What a size is at most.
    #[must_use]
    pub fn limit(&self, id: SizeId) -> Option<u64> {
        self.limits.get(id.0 as usize).copied().flatten()
    }

    /// How deep the sizes of an amount are made of others.
    fn depth(&self, amount: &Amount) -> u8 {
        let of = |id: SizeId| self.depths.get(id.0 as usize).copied().unwrap_or_default();
        amount.sizes().map(of).max().unwrap_or_default()
    }

    /// The amount that a size is.
    pub(super) fn amount(&mut self, size: Size) -> Amount {
        let id = self.intern(size);
        Amount { terms: BTreeMap::from([(Factors::from_slice(&[id]), 1)]), open: Vec::new() }
    }

    fn intern(&mut self, size: Size) -> SizeId {
        if let Some(known) = self.known.get(&size) {
            return *known;
        }
        let limit = match &size {
            Size::Of { limit, .. } => *limit,
            Size::Largest(all) => {
                all.iter().try_fold(0, |most: u64, one| Some(most.max(one.most(self)?)))
            }
            Size::Least(one, number) => {
                Some(one.most(self).map_or(*number, |most| most.min(*number)))
            }
        };
        let depth = match &size {
            Size::Of { .. } => 0,
            Size::Largest(all) => {
                all.iter().map(|one| self.depth(one)).max().unwrap_or_default() + 1
            }
            Size::Least(one, _) => self.depth(one) + 1,
        };
        let id = SizeId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(size.clone());
        self.limits.push(limit);
        self.depths.push(depth);
        self.known.insert(size, id);
        id
    }
}

impl From<u64> for Amount {
    fn from(number: u64) -> Self {
        let mut terms = BTreeMap::new();
        if number > 0 {
            terms.insert(Factors::new(), number);
        }
        Self { terms, open: Vec::new() }
    }
}

impl Amount {
    /// One without a bound.
    pub(super) fn open(reason: u32) -> Self {
        Self { terms: BTreeMap::new(), open: vec![reason] }
    }

    /// Whether it is always nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty() && self.open.is_empty()
    }

    /// Why nothing bounds it by the program alone; empty if its sizes bound it.
    #[must_use]
    pub fn reasons(&self) -> &[u32] {
        &self.open
    }

    /// Coefficients with the sizes that they are multiplied with: those of more factors first.
    #[must_use]
    pub fn terms(&self) -> Vec<(u64, &[SizeId])> {
        let mut terms: Vec<_> =
            self.terms.iter().map(|(sizes, n)| (*n, sizes.as_slice())).collect();
        terms.sort_by_key(|(_, sizes)| std::cmp::Reverse(sizes.len()));
        terms
    }

    /// The number that it is, if no size plays a part.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match (self.open.is_empty(), self.terms.len()) {
            (true, 0) => Some(0),
            (true, 1) => self.terms.get(&Factors::new()).copied(),
            _ => None,
        }
    }

    /// The sizes that play a part.
    pub fn sizes(&self) -> impl Iterator<Item = SizeId> + '_ {
        self.terms.keys().flatten().copied()
    }

    /// What it is at most, if all its sizes have limits; `None` also beyond 64 bits.
    #[must_use]
    pub fn most(&self, sizes: &Sizes) -> Option<u64> {
        if !self.open.is_empty() {
            return None;
        }
        self.terms.iter().try_fold(0u64, |sum, (factors, n)| {
            let term = factors
                .iter()
                .try_fold(*n, |product, id| product.checked_mul(sizes.limit(*id)?))?;
            sum.checked_add(term)
        })
    }

    /// The sum.
    #[must_use]
    pub(super) fn plus(mut self, other: &Self, sizes: &Sizes) -> Self {
        for (factors, n) in &other.terms {
            self.add(factors.clone(), Some(*n));
        }
        self.join_reasons(other);
        self.shortened(sizes)
    }

    /// The product; nothing stays nothing, however often.
    #[must_use]
    pub(super) fn times(&self, other: &Self, sizes: &Sizes) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::default();
        }
        let mut product = Self::default();
        for (a, n) in &self.terms {
            for (b, m) in &other.terms {
                let mut factors: Factors = a.iter().chain(b).copied().collect();
                factors.sort_unstable();
                let mut n = n.checked_mul(*m);
                while factors.len() > MAX_FACTORS {
                    // Whatever has a limit can be replaced by it.
                    let limited = factors.iter().position(|id| sizes.limit(*id).is_some());
                    let limit = limited.and_then(|at| sizes.limit(factors.remove(at)));
                    n = n.zip(limit).and_then(|(n, limit)| n.checked_mul(limit));
                    if n.is_none() {
                        break;
                    }
                }
                product.add(factors, n);
            }
        }
        product.join_reasons(self);
        product.join_reasons(other);
        product.shortened(sizes)
    }

    /// The larger one.
    #[must_use]
    pub(super) fn or(self, other: Self, sizes: &mut Sizes) -> Self {
        if other.is_zero() || self.dominates(&other) {
            return self;
        }
        if self.is_zero() || other.dominates(&self) {
            return other;
        }
        if !self.open.is_empty() || !other.open.is_empty() {
            // Which one is larger does not matter where there is no bound.
            let mut both = Self::default();
            both.join_reasons(&self);
            both.join_reasons(&other);
            return both;
        }
        let mut all = Vec::new();
        for one in [self, other] {
            match one.only_size().and_then(|id| sizes.get(id)) {
                Some(Size::Largest(inner)) => all.extend(inner.iter().cloned()),
                _ => all.push(one),
            }
        }
        let mut kept: Vec<Self> = Vec::new();
        for one in all {
            if kept.iter().any(|known| known.dominates(&one)) {
                continue;
            }
            kept.retain(|known| !one.dominates(known));
            kept.push(one);
        }
        match kept.pop() {
            Some(only) if kept.is_empty() => only,
            Some(last) => {
                kept.push(last);
                if kept.len() > MAX_TERMS || kept.iter().any(|one| sizes.depth(one) >= MAX_DEPTH) {
                    // The sum of all is no less than the largest.
                    return kept.iter().fold(Self::default(), |sum, one| sum.plus(one, sizes));
                }
                sizes.amount(Size::Largest(kept))
            }
            None => Self::default(),
        }
    }

    /// The smaller one of it and a number.
    #[must_use]
    pub(super) fn at_most(self, number: u64, sizes: &mut Sizes) -> Self {
        if self.most(sizes).is_some_and(|most| most <= number) {
            return self;
        }
        if !self.open.is_empty() || self.number().is_some() || sizes.depth(&self) >= MAX_DEPTH {
            return Self::from(number);
        }
        // A size that may be larger is that size with a limit, which reads better than the smaller one of two.
        if let Some(Size::Of { param, fields, counted, limit }) =
            self.only_size().and_then(|id| sizes.get(id)).cloned()
        {
            let limit = Some(limit.map_or(number, |limit| limit.min(number)));
            return sizes.amount(Size::Of { param, fields, counted, limit });
        }
        sizes.amount(Size::Least(self, number))
    }

    /// With every size of a called graph replaced by what the caller gives.
    pub(super) fn given(
        &self,
        sizes: &mut Sizes,
        give: &mut dyn FnMut(&mut Sizes, &Size) -> Self,
    ) -> Self {
        if self.terms.keys().all(|factors| factors.is_empty()) {
            return self.clone();
        }
        let mut sum = Self { terms: BTreeMap::new(), open: self.open.clone() };
        for (factors, n) in &self.terms {
            let mut product = Self::from(*n);
            for id in factors {
                let Some(size) = sizes.get(*id).cloned() else { continue };
                let value = match size {
                    Size::Of { .. } => give(sizes, &size),
                    Size::Largest(all) => all.iter().fold(Self::default(), |most, one| {
                        let one = one.given(sizes, give);
                        most.or(one, sizes)
                    }),
                    Size::Least(one, number) => one.given(sizes, give).at_most(number, sizes),
                };
                product = product.times(&value, sizes);
            }
            sum = sum.plus(&product, sizes);
        }
        sum
    }

    /// Whether it is never below another one.
    fn dominates(&self, other: &Self) -> bool {
        other.open.iter().all(|reason| self.open.contains(reason))
            && other
                .terms
                .iter()
                .all(|(factors, n)| self.terms.get(factors).is_some_and(|m| m >= n))
    }

    fn only_size(&self) -> Option<SizeId> {
        match self.terms.iter().next() {
            Some((factors, 1)) if self.terms.len() == 1 && self.open.is_empty() => {
                match factors.as_slice() {
                    [id] => Some(*id),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Adds a term; without a coefficient it is too large.
    fn add(&mut self, factors: Factors, n: Option<u64>) {
        let sum = self.terms.entry(factors).or_default();
        match n.and_then(|n| sum.checked_add(n)) {
            Some(all) => *sum = all,
            None => self.join_reasons(&Self::open(TOO_LARGE)),
        }
    }

    fn join_reasons(&mut self, other: &Self) {
        for reason in &other.open {
            if let Err(at) = self.open.binary_search(reason) {
                self.open.insert(at, *reason);
            }
        }
    }

    fn shortened(self, sizes: &Sizes) -> Self {
        if self.terms.len() <= MAX_TERMS {
            return self;
        }
        match self.most(sizes) {
            Some(most) => Self::from(most),
            None => {
                let mut open = Self::open(TOO_LARGE);
                open.join_reasons(&self);
                open
            }
        }
    }
}
