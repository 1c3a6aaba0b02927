//! Sets of effects: what a declaration or an expression may do to the world.

use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;
use smol_str::SmolStr;

/// A resource path, as an index into [`Resources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource(pub u32);

/// The resource paths of a compilation, each once.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    paths: indexmap::IndexSet<SmolStr, FxBuildHasher>,
}

impl Resources {
    /// The handle of a dotted path; the empty path stands for everything.
    pub fn intern(&mut self, path: &SmolStr) -> Resource {
        let (index, _) = self.paths.insert_full(path.clone());
        Resource(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The handle of a path that there is.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Resource> {
        let index = self.paths.get_index_of(path)?;
        u32::try_from(index).ok().map(Resource)
    }

    /// The path of a handle.
    #[must_use]
    pub fn path(&self, resource: Resource) -> &str {
        self.paths.get_index(resource.0 as usize).map_or("", SmolStr::as_str)
    }

    /// Whether `wide` is `narrow` or stands for all below it.
    #[must_use]
    pub fn covers(&self, wide: Resource, narrow: Resource) -> bool {
        let (wide, narrow) = (self.path(wide), self.path(narrow));
        wide.is_empty()
            || narrow
                .strip_prefix(wide)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// One effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Reads a resource.
    Read(Resource),
    /// Changes a resource.
    Write(Resource),
    /// Calls a model.
    Model,
    /// Asks a person.
    Human,
    /// Looks at the clock, or waits for it.
    Clock,
    /// Draws by chance.
    Random,
    /// Shows something to whoever watches.
    Emit,
}

impl Effect {
    /// As a header writes it: `read net.example`, `model`.
    #[must_use]
    pub fn text(self, resources: &Resources) -> String {
        let with = |word: &str, resource: Resource| match resources.path(resource) {
            "" => word.to_owned(),
            path => format!("{word} {path}"),
        };
        match self {
            Self::Read(resource) => with("read", resource),
            Self::Write(resource) => with("write", resource),
            Self::Model => "model".into(),
            Self::Human => "human".into(),
            Self::Clock => "clock".into(),
            Self::Random => "random".into(),
            Self::Emit => "emit".into(),
        }
    }

    /// As a header can write it: parts that are no names, such as those of hosts, are quoted.
    #[must_use]
    pub fn written(self, resources: &Resources) -> String {
        let (Self::Read(resource) | Self::Write(resource)) = self else {
            return self.text(resources);
        };
        let is_name = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match resources.path(resource).split_once('.') {
            Some((first, rest)) if !rest.split('.').all(is_name) => {
                let word = if matches!(self, Self::Read(_)) { "read" } else { "write" };
                format!("{word} {first} \"{rest}\"")
            }
            _ => self.text(resources),
        }
    }

    /// What someone does who has it: "reads `net`", "calls a model".
    #[must_use]
    pub fn verb(self, resources: &Resources) -> String {
        let with = |word: &str, resource: Resource| match resources.path(resource) {
            "" => format!("{word} something outside"),
            path => format!("{word} `{path}`"),
        };
        match self {
            Self::Read(resource) => with("reads", resource),
            Self::Write(resource) => with("writes", resource),
            Self::Model => "calls a model".into(),
            Self::Human => "asks a person".into(),
            Self::Clock => "looks at the clock".into(),
            Self::Random => "draws by chance".into(),
            Self::Emit => "shows something".into(),
        }
    }
}

/// A set of effects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EffectSet {
    /// Effects without resource, one bit each.
    kinds: u8,
    /// A write without idempotency key is among the writes.
    unkeyed: bool,
    /// Sorted, each once.
    reads: SmallVec<[Resource; 2]>,
    /// Sorted, each once.
    writes: SmallVec<[Resource; 2]>,
}

const MODEL: u8 = 1;
const HUMAN: u8 = 2;
const CLOCK: u8 = 4;
const RANDOM: u8 = 8;
const EMIT: u8 = 16;

impl EffectSet {
    /// Adds an effect.
    pub fn add(&mut self, effect: Effect) {
        match effect {
            Effect::Read(resource) => insert(&mut self.reads, resource),
            Effect::Write(resource) => insert(&mut self.writes, resource),
            Effect::Model => self.kinds |= MODEL,
            Effect::Human => self.kinds |= HUMAN,
            Effect::Clock => self.kinds |= CLOCK,
            Effect::Random => self.kinds |= RANDOM,
            Effect::Emit => self.kinds |= EMIT,
        }
    }

    /// Adds all effects of another set.
    pub fn join(&mut self, other: &Self) {
        self.kinds |= other.kinds;
        self.unkeyed |= other.unkeyed;
        other.reads.iter().for_each(|r| insert(&mut self.reads, *r));
        other.writes.iter().for_each(|r| insert(&mut self.writes, *r));
    }

    pub(super) fn set_unkeyed(&mut self, unkeyed: bool) {
        self.unkeyed = unkeyed;
    }

    /// Whether there is none: pure code.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds == 0 && self.reads.is_empty() && self.writes.is_empty()
    }

    /// Whether something is changed.
    #[must_use]
    pub fn writes_anything(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Whether something is changed by a call that gives no `key:`.
    #[must_use]
    pub fn has_unkeyed_write(&self) -> bool {
        self.unkeyed
    }

    /// Whether someone could tell the order by it: writes, questions, what is shown, and the clock.
    #[must_use]
    pub fn is_gated(&self) -> bool {
        !self.writes.is_empty() || self.kinds & (HUMAN | CLOCK | EMIT) != 0
    }

    /// Whether nothing in it is gated but questions to people, which open side by side.
    #[must_use]
    pub fn only_asks(&self) -> bool {
        self.writes.is_empty() && self.kinds & (HUMAN | CLOCK | EMIT) == HUMAN
    }

    /// Whether an effect is in it.
    #[must_use]
    pub fn contains(&self, effect: Effect) -> bool {
        self.iter().any(|own| own == effect)
    }

    /// What is read.
    #[must_use]
    pub fn reads(&self) -> &[Resource] {
        &self.reads
    }

    /// What is changed.
    #[must_use]
    pub fn writes(&self) -> &[Resource] {
        &self.writes
    }

    /// All effects: writes first, then reads, then the others.
    pub fn iter(&self) -> impl Iterator<Item = Effect> + '_ {
        let kinds = [
            (MODEL, Effect::Model),
            (HUMAN, Effect::Human),
            (CLOCK, Effect::Clock),
            (RANDOM, Effect::Random),
            (EMIT, Effect::Emit),
        ];
        let writes = self.writes.iter().map(|r| Effect::Write(*r));
        let reads = self.reads.iter().map(|r| Effect::Read(*r));
        let kinds = kinds.into_iter().filter(|(bit, _)| self.kinds & bit != 0).map(|(_, e)| e);
        writes.chain(reads).chain(kinds)
    }

    /// The first effect that `bound` does not cover. A right to write a resource is none to read it.
    #[must_use]
    pub fn beyond(&self, bound: &Self, resources: &Resources) -> Option<Effect> {
        self.iter().find(|effect| match effect {
            Effect::Read(r) => !within(&bound.reads, *r, resources),
            Effect::Write(r) => !within(&bound.writes, *r, resources),
            other => !bound.contains(*other),
        })
    }

    /// As a header writes it: `write payments, read net, model`; "nothing" for the empty set.
    #[must_use]
    pub fn text(&self, resources: &Resources) -> String {
        if self.is_empty() {
            return "nothing".into();
        }
        self.iter().map(|effect| effect.text(resources)).collect::<Vec<_>>().join(", ")
    }
}

/// A set of effects, as an index into [`Sets`]; the default is the empty set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SetId(u32);

impl SetId {
    /// Whether it is the empty set: pure code.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The sets of a compilation, each once: most expressions have one of very few.
#[derive(Clone, Debug)]
pub struct Sets {
    sets: indexmap::IndexSet<EffectSet, FxBuildHasher>,
    /// What two sets are together, smaller index first.
    joined: FxHashMap<(SetId, SetId), SetId>,
}

impl Default for Sets {
    fn default() -> Self {
        let sets = std::iter::once(EffectSet::default()).collect();
        Self { sets, joined: FxHashMap::default() }
    }
}

impl Sets {
    /// The handle of a set.
    pub(super) fn intern(&mut self, set: EffectSet) -> SetId {
        let (index, _) = self.sets.insert_full(set);
        SetId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The set of a handle; the empty one for a handle of another compilation.
    #[must_use]
    pub fn get(&self, id: SetId) -> &EffectSet {
        static NOTHING: std::sync::LazyLock<EffectSet> =
            std::sync::LazyLock::new(EffectSet::default);
        self.sets.get_index(id.0 as usize).unwrap_or(&NOTHING)
    }

    /// All effects of both.
    pub(super) fn join(&mut self, a: SetId, b: SetId) -> SetId {
        if a == b || b.is_empty() {
            return a;
        }
        if a.is_empty() {
            return b;
        }
        let key = if a.0 < b.0 { (a, b) } else { (b, a) };
        if let Some(known) = self.joined.get(&key) {
            return *known;
        }
        let mut both = self.get(a).clone();
        both.join(self.get(b));
        let both = self.intern(both);
        self.joined.insert(key, both);
        both
    }

    /// The same set with one effect more.
    pub(super) fn with(&mut self, id: SetId, effect: Effect) -> SetId {
        let mut one = EffectSet::default();
        one.add(effect);
        let one = self.intern(one);
        self.join(id, one)
    }

    /// The same set, its writes with or without a key.
    pub(super) fn unkeyed(&mut self, id: SetId, unkeyed: bool) -> SetId {
        let set = self.get(id);
        if set.unkeyed == unkeyed {
            return id;
        }
        let changed = EffectSet { unkeyed, ..set.clone() };
        self.intern(changed)
    }
}

/// What many sets are together. The first few are joined two by two, which is remembered; a set for every part of a
/// long sum would cost the square of its length.
#[derive(Debug, Default)]
pub(super) struct Union {
    set: SetId,
    joined: usize,
    /// From then on: everything so far.
    all: Option<EffectSet>,
}

/// So many sets are joined two by two.
const FEW_SETS: usize = 8;

impl Union {
    /// Starts with a set.
    pub fn of(set: SetId) -> Self {
        Self { set, ..Self::default() }
    }

    /// Adds a set.
    pub fn add(&mut self, sets: &mut Sets, other: SetId) {
        if other.is_empty() || other == self.set {
            return;
        }
        if let Some(all) = &mut self.all {
            all.join(sets.get(other));
        } else if self.joined < FEW_SETS || self.set.is_empty() {
            self.set = sets.join(self.set, other);
            self.joined += 1;
        } else {
            let mut all = sets.get(self.set).clone();
            all.join(sets.get(other));
            self.all = Some(all);
        }
    }

    /// The set of all.
    pub fn finish(self, sets: &mut Sets) -> SetId {
        match self.all {
            Some(all) => sets.intern(all),
            None => self.set,
        }
    }
}

/// Whether one of them is a resource or stands for it. Mostly the resource itself is among them.
fn within(wide: &[Resource], narrow: Resource, resources: &Resources) -> bool {
    wide.binary_search(&narrow).is_ok() || wide.iter().any(|one| resources.covers(*one, narrow))
}

fn insert(set: &mut SmallVec<[Resource; 2]>, resource: Resource) {
    if let Err(at) = set.binary_search(&resource) {
        set.insert(at, resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_for_all_below() {
        let mut resources = Resources::default();
        let [net, host, other, all] =
            ["net", "net.api", "network", ""].map(|path| resources.intern(&SmolStr::new(path)));
        assert!(resources.covers(net, host) && resources.covers(net, net));
        assert!(!resources.covers(host, net) && !resources.covers(net, other));
        assert!(resources.covers(all, other));
        let mut bound = EffectSet::default();
        bound.add(Effect::Read(net));
        let mut set = EffectSet::default();
        set.add(Effect::Read(host));
        assert_eq!(set.beyond(&bound, &resources), None);
        set.add(Effect::Write(host));
        assert_eq!(set.beyond(&bound, &resources), Some(Effect::Write(host)));
        assert_eq!(set.text(&resources), "write net.api, read net.api");
        let host = resources.intern(&"net.api.my-crm.com".into());
        assert_eq!(Effect::Read(host).written(&resources), "read net \"api.my-crm.com\"");
        assert_eq!(Effect::Write(host).written(&resources), "write net \"api.my-crm.com\"");
        let names = resources.intern(&"net.api.example".into());
        assert_eq!(Effect::Read(names).written(&resources), "read net.api.example");
    }

    #[test]
    fn equal_sets_have_equal_handles() {
        let mut sets = Sets::default();
        let nothing = SetId::default();
        let read = sets.with(nothing, Effect::Read(Resource(3)));
        let model = sets.with(nothing, Effect::Model);
        let both = sets.join(read, model);
        assert_eq!(both, sets.join(model, read));
        assert_eq!(both, sets.with(read, Effect::Model));
        assert_eq!(sets.join(both, nothing), both);
        assert!(sets.get(both).contains(Effect::Model) && sets.get(nothing).is_empty());
        let unkeyed = sets.unkeyed(both, true);
        assert_ne!(unkeyed, both);
        assert_eq!(sets.unkeyed(unkeyed, false), both);
    }

    #[test]
    fn a_union_is_what_joining_gives() {
        for count in [0, 1, 2, 8, 9, 10, 40] {
            let mut sets = Sets::default();
            let nothing = SetId::default();
            let ones: Vec<SetId> = (0..count)
                .map(|n| sets.with(nothing, Effect::Write(Resource(n * 7 % count / 2))))
                .collect();
            let joined = ones.iter().fold(nothing, |all, one| sets.join(all, *one));
            let mut union = Union::default();
            ones.iter().for_each(|one| union.add(&mut sets, *one));
            assert_eq!(union.finish(&mut sets), joined, "{count}");
        }
    }

    #[test]
    fn gates_are_what_order_shows_by() {
        let mut set = EffectSet::default();
        for effect in [Effect::Model, Effect::Random, Effect::Read(Resource(0))] {
            set.add(effect);
        }
        assert!(!set.is_gated());
        set.add(Effect::Human);
        assert!(set.is_gated() && set.only_asks());
        set.add(Effect::Clock);
        assert!(!set.only_asks());
    }
}
