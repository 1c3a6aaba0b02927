//! The pass against a model: random small programs, and an interpreter that runs each of them along every way that it can
//! take, with a bit on every value that says whether nobody vouches for it. The checker refuses exactly the programs in
//! which a run brings such a value to where only trusted ones may be.
//!
//! The interpreter shares nothing with the pass: it has no summaries, no joins over arms and no fixpoints, but enters
//! every call anew and takes one arm at a time.

use std::fmt::Write as _;

use super::findings;
use crate::diagnostics::Diagnostic;

/// Programs that are tried; each is compiled three times.
const PROGRAMS: u64 = 300;

/// Ways through one program that are tried; beyond, only that nothing refused is missed is asserted.
const MAX_WAYS: usize = 4_000;

/// How deep calls go before the model stops: graphs may call themselves.
const MAX_DEPTH: usize = 4;

const RECORD: &str = "record Note {\n  plain: text\n  other: text\n  owner: trusted text\n  said: untrusted text\n}\n\ngraph hand(note: Note) -> Note {\n  note\n}\n\nfn shout<T>(x: T) -> T {\n  x\n}\n\n";

type Name = usize;

/// An expression that gives a text.
#[derive(Clone, Debug)]
enum E {
    Literal,
    Outside,
    Name(Name),
    Template(Vec<E>),
    Upper(Box<E>),
    Say(Box<E>),
    Generic(Box<E>),
    /// Compares the first with a literal.
    If(Box<E>, Box<E>, Box<E>),
    /// The second for a literal; else the first has a name in the third.
    Match(Box<E>, Box<E>, Name, Box<E>),
    /// Of a new record, handed through a call or not: a field.
    Field {
        parts: [Box<E>; 4],
        handed: bool,
        field: usize,
    },
    /// Of a new record: all of it.
    Shown([Box<E>; 4]),
    /// An item of a list, picked by the length of the second.
    Item(Vec<E>, Box<E>),
    /// Each of a list by a name, joined.
    For(Name, Vec<E>, Box<E>),
    Endorsed(Box<E>),
    Allowed(Box<E>),
    Chosen(Box<E>),
    Call(usize, Vec<E>),
    /// Names with first values; what is done with; what is handed on; what else.
    Loop(Vec<(Name, E)>, Box<E>, Vec<E>, Box<E>),
    Pay(Box<E>),
    Approved(Box<E>),
    Caught(Box<E>, Box<E>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    None,
    Trusted,
    Untrusted,
}

#[derive(Clone, Debug)]
struct Graph {
    params: Vec<(Name, Word)>,
    result: Word,
    lets: Vec<(Name, Word, E)>,
    /// What it gives besides: all names are in it.
    last: E,
}

// ---- generating ----

/// The generator of Steele, Lea and Flood (*Fast splittable pseudorandom number generators*, 2014): the same programs in
/// every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn word(&mut self) -> Word {
        match self.below(10) {
            0 => Word::Trusted,
            1 => Word::Untrusted,
            _ => Word::None,
        }
    }
}

struct Maker<'r> {
    random: &'r mut Random,
    /// How many parameters each graph has.
    arities: Vec<usize>,
    own: usize,
    names: Vec<Name>,
    next: Name,
}

impl Maker<'_> {
    fn fresh(&mut self) -> Name {
        self.next += 1;
        self.next
    }

    fn boxed(&mut self, depth: usize) -> Box<E> {
        Box::new(self.expr(depth))
    }

    fn four(&mut self, depth: usize) -> [Box<E>; 4] {
        std::array::from_fn(|_| self.boxed(depth))
    }

    fn some(&mut self, depth: usize) -> Vec<E> {
        (0..=self.random.below(2)).map(|_| self.expr(depth)).collect()
    }

    /// With a name that stands for something in `f`.
    fn with<T>(&mut self, name: Name, f: impl FnOnce(&mut Self) -> T) -> T {
        self.names.push(name);
        let made = f(self);
        self.names.pop();
        made
    }

    fn expr(&mut self, depth: usize) -> E {
        if depth == 0 || self.random.one_in(3) {
            return match self.random.below(8) {
                0 | 1 => E::Literal,
                2 => E::Outside,
                _ => match self.names.get(self.random.below(self.names.len())) {
                    Some(name) => E::Name(*name),
                    None => E::Literal,
                },
            };
        }
        let depth = depth - 1;
        match self.random.below(24) {
            0 => E::Template(self.some(depth)),
            1 => E::Upper(self.boxed(depth)),
            2 => E::Say(self.boxed(depth)),
            3 => E::Generic(self.boxed(depth)),
            4 | 5 => E::If(self.boxed(depth), self.boxed(depth), self.boxed(depth)),
            6 => {
                let name = self.fresh();
                let (on, first) = (self.boxed(depth), self.boxed(depth));
                E::Match(on, first, name, self.with(name, |maker| maker.boxed(depth)))
            }
            7 | 8 => E::Field {
                parts: self.four(depth),
                handed: self.random.one_in(3),
                field: self.random.below(4),
            },
            9 => E::Shown(self.four(depth)),
            10 => E::Item(self.some(depth), self.boxed(depth)),
            11 => {
                let name = self.fresh();
                let items = self.some(depth);
                E::For(name, items, self.with(name, |maker| maker.boxed(depth)))
            }
            12 => E::Endorsed(self.boxed(depth)),
            13 => E::Allowed(self.boxed(depth)),
            14 => E::Chosen(self.boxed(depth)),
            15..=17 => {
                // Later ones, and sometimes itself.
                let behind = self.arities.len() - self.own - 1;
                let callee = match self.random.below(behind + 1) {
                    0 if self.own > 0 && self.random.one_in(2) => self.own,
                    0 => return E::Literal,
                    n => self.own + n,
                };
                let count = self.arities.get(callee).copied().unwrap_or(0);
                E::Call(callee, (0..count).map(|_| self.expr(depth)).collect())
            }
            18 | 19 => {
                let vars: Vec<(Name, E)> =
                    (0..=self.random.below(2)).map(|_| (self.fresh(), self.expr(depth))).collect();
                let before = self.names.len();
                self.names.extend(vars.iter().map(|(name, _)| *name));
                let done = self.boxed(depth.min(1));
                let nexts = vars.iter().map(|_| self.expr(depth.min(1))).collect();
                let otherwise = self.boxed(depth.min(1));
                self.names.truncate(before);
                E::Loop(vars, done, nexts, otherwise)
            }
            20 | 21 => E::Pay(self.boxed(depth)),
            22 => E::Approved(self.boxed(depth)),
            _ => E::Caught(self.boxed(depth), self.boxed(depth)),
        }
    }
}

fn program(random: &mut Random) -> Vec<Graph> {
    let arities: Vec<usize> = (0..=random.below(4)).map(|_| random.below(4)).collect();
    (0..arities.len())
        .map(|own| {
            let arity = arities.get(own).copied().unwrap_or(0);
            let params: Vec<(Name, Word)> = (0..arity).map(|at| (at, random.word())).collect();
            let result = random.word();
            let mut maker = Maker {
                arities: arities.clone(),
                own,
                names: params.iter().map(|(name, _)| *name).collect(),
                next: arity,
                random,
            };
            let mut lets = Vec::new();
            for _ in 0..maker.random.below(3) {
                let value = maker.expr(3);
                let name = maker.fresh();
                maker.names.push(name);
                lets.push((name, maker.random.word(), value));
            }
            Graph { params, result, lets, last: maker.expr(3) }
        })
        .collect()
}

// ---- writing ----

fn word(word: Word) -> &'static str {
    match word {
        Word::None => "",
        Word::Trusted => "trusted ",
        Word::Untrusted => "untrusted ",
    }
}

fn list(items: &[E], names: &[String]) -> String {
    items.iter().map(|item| written(item, names)).collect::<Vec<_>>().join(", ")
}

fn note(parts: &[Box<E>; 4], names: &[String]) -> String {
    let [plain, other, owner, said] = parts.each_ref().map(|part| written(part, names));
    format!("Note(plain: {plain}, other: {other}, owner: {owner}, said: {said})")
}

/// A call by the graph's own names of its parameters: at most two can be given by position.
fn call(name: &str, args: &[E], names: &[String]) -> String {
    let args: Vec<String> = args
        .iter()
        .enumerate()
        .map(|(at, arg)| format!("v{at}: {}", written(arg, names)))
        .collect();
    format!("{name}({})", args.join(", "))
}

fn written(e: &E, names: &[String]) -> String {
    let w = |e: &E| written(e, names);
    match e {
        E::Literal => "\"k\"".to_owned(),
        E::Outside => "outside()".to_owned(),
        E::Name(name) => format!("v{name}"),
        E::Template(parts) => {
            format!(
                "\"t{}\"",
                parts.iter().map(|part| format!("${{{}}}", w(part))).collect::<String>()
            )
        }
        E::Upper(e) => format!("text.upper({})", w(e)),
        E::Say(e) => format!("say({})", w(e)),
        E::Generic(e) => format!("shout({})", w(e)),
        E::If(a, b, c) => format!("(if {} == \"k\" {{ {} }} else {{ {} }})", w(a), w(b), w(c)),
        E::Match(a, b, name, c) => {
            format!("(match {} {{ \"k\" => {}, v{name} => {} }})", w(a), w(b), w(c))
        }
        E::Field { parts, handed, field } => {
            let field =
                ["plain", "other", "owner", "said"].get(*field).copied().unwrap_or_default();
            let made = note(parts, names);
            if *handed { format!("hand({made}).{field}") } else { format!("{made}.{field}") }
        }
        E::Shown(parts) => format!("\"${{{}}}\"", note(parts, names)),
        E::Item(items, by) => {
            format!("([{}][text.length({})] ?? \"k\")", list(items, names), w(by))
        }
        E::For(name, items, body) => {
            format!(
                "text.join(for v{name} in [{}] {{ {} }}, with: \"\")",
                list(items, names),
                w(body)
            )
        }
        E::Endorsed(e) => format!("endorse({}, because: \"why\")", w(e)),
        E::Allowed(e) => format!("allow({}, only: [\"k\"])", w(e)),
        E::Chosen(e) => format!("\"${{{} == \"k\"}}\"", w(e)),
        E::Call(callee, args) => call(names.get(*callee).map_or("", String::as_str), args, names),
        E::Loop(vars, done, nexts, otherwise) => {
            let first: Vec<String> =
                vars.iter().map(|(name, e)| format!("v{name} = {}", w(e))).collect();
            let next: Vec<String> =
                vars.iter().zip(nexts).map(|((name, _), e)| format!("v{name}: {}", w(e))).collect();
            format!(
                "(loop {} max 4 {{ if clock.now() > clock.now() {{ done {} }} else {{ next({}) }} }} else {{ {} }})",
                first.join(", "),
                w(done),
                next.join(", "),
                w(otherwise)
            )
        }
        E::Pay(e) => format!("pay({})", w(e)),
        E::Approved(e) => {
            format!("(charge({}) with (approve: \"lead\", within: 1d))", w(e))
        }
        E::Caught(a, b) => format!("({} catch {{ _ => {} }})", w(a), w(b)),
    }
}

/// The text of a program, its graphs in this order and by these names.
fn text(program: &[Graph], order: &[usize], names: &[String]) -> String {
    let mut text = format!(
        "{RECORD}extern charge(to: trusted text) -> trusted text does write payments from process \"pay\"\n\n"
    );
    for at in order {
        let (Some(graph), Some(name)) = (program.get(*at), names.get(*at)) else { continue };
        let params: Vec<String> =
            graph.params.iter().map(|(name, of)| format!("v{name}: {}text", word(*of))).collect();
        let _ = writeln!(
            text,
            "graph {name}({}) -> {}text with (depth: 4) {{",
            params.join(", "),
            word(graph.result)
        );
        for (name, of, value) in &graph.lets {
            let ty = if *of == Word::None { String::new() } else { format!(": {}text", word(*of)) };
            let _ = writeln!(text, "  let v{name}{ty} = {}", written(value, names));
        }
        let _ = writeln!(text, "  {}\n}}\n", written(&graph.last, names));
    }
    text
}

// ---- running ----

/// One run: which arms it takes, and what it found.
struct Run<'p> {
    program: &'p [Graph],
    /// What was chosen, and how many there were to choose from.
    choices: Vec<(usize, usize)>,
    at: usize,
    /// An untrusted value came to where only trusted ones may be.
    reached: bool,
    depth: usize,
    steps: usize,
}

/// The run ended early: it took too long.
struct Ended;

type Bits = Vec<(Name, bool)>;

impl Run<'_> {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.choices.len() {
            self.choices.push((0, of));
        }
        let chosen = self.choices.get(self.at).map_or(0, |(chosen, _)| *chosen);
        self.at += 1;
        chosen
    }

    /// A place that takes only trusted values.
    fn needs(&mut self, bit: bool) {
        self.reached |= bit;
    }

    fn worded(&mut self, of: Word, bit: bool) -> bool {
        match of {
            Word::None => bit,
            Word::Trusted => {
                self.needs(bit);
                false
            }
            Word::Untrusted => true,
        }
    }

    fn call(&mut self, graph: &Graph, args: &[bool]) -> Result<bool, Ended> {
        if self.depth >= MAX_DEPTH {
            // Labels do not ask whether a call comes back: as if it did, with nothing.
            return Ok(self.worded(graph.result, false));
        }
        self.depth += 1;
        let mut bits = Bits::new();
        for ((name, of), bit) in graph.params.iter().zip(args) {
            let bit = self.worded(*of, *bit);
            bits.push((*name, bit));
        }
        for (name, of, value) in &graph.lets {
            let bit = self.eval(value, &mut bits)?;
            let bit = self.worded(*of, bit);
            bits.push((*name, bit));
        }
        let last = self.eval(&graph.last, &mut bits)?;
        self.depth -= 1;
        Ok(self.worded(graph.result, last))
    }

    fn any(&mut self, all: &[E], bits: &mut Bits) -> Result<bool, Ended> {
        let mut any = false;
        for e in all {
            any |= self.eval(e, bits)?;
        }
        Ok(any)
    }

    /// A record: its own bit is that of the fields that say nothing.
    fn note(&mut self, parts: &[Box<E>; 4], bits: &mut Bits) -> Result<bool, Ended> {
        let [plain, other, owner, said] = parts;
        let own = self.eval(plain, bits)? | self.eval(other, bits)?;
        let owner = self.eval(owner, bits)?;
        self.needs(owner);
        self.eval(said, bits)?;
        Ok(own)
    }

    fn eval(&mut self, e: &E, bits: &mut Bits) -> Result<bool, Ended> {
        self.steps += 1;
        if self.steps > 20_000 {
            return Err(Ended);
        }
        Ok(match e {
            E::Literal => false,
            E::Outside => true,
            E::Name(name) => {
                bits.iter().rev().find(|(known, _)| known == name).is_some_and(|b| b.1)
            }
            E::Template(parts) => self.any(parts, bits)?,
            E::Upper(e) | E::Say(e) | E::Generic(e) => self.eval(e, bits)?,
            E::If(a, b, c) => {
                self.eval(a, bits)?;
                let taken = if self.choose(2) == 0 { b } else { c };
                self.eval(taken, bits)?
            }
            E::Match(a, b, name, c) => {
                let on = self.eval(a, bits)?;
                if self.choose(2) == 0 {
                    self.eval(b, bits)?
                } else {
                    bits.push((*name, on));
                    let bit = self.eval(c, bits)?;
                    bits.pop();
                    bit
                }
            }
            E::Field { parts, field, .. } => {
                let own = self.note(parts, bits)?;
                match field {
                    2 => false,
                    3 => true,
                    _ => own,
                }
            }
            // The field that nobody vouches for is part of it.
            E::Shown(parts) => {
                self.note(parts, bits)?;
                true
            }
            E::Item(items, by) => {
                let bit = self.any(items, bits)?;
                self.eval(by, bits)?;
                bit
            }
            E::For(name, items, body) => {
                let on = self.any(items, bits)?;
                let mut any = false;
                for _ in items {
                    bits.push((*name, on));
                    any |= self.eval(body, bits)?;
                    bits.pop();
                }
                any
            }
            E::Endorsed(e) | E::Allowed(e) | E::Chosen(e) | E::Approved(e) => {
                self.eval(e, bits)?;
                false
            }
            E::Call(callee, args) => {
                let mut given = Vec::new();
                for arg in args {
                    given.push(self.eval(arg, bits)?);
                }
                let program = self.program;
                match program.get(*callee) {
                    Some(graph) => self.call(graph, &given)?,
                    None => false,
                }
            }
            E::Loop(vars, done, nexts, otherwise) => {
                let mut state = Vec::new();
                for (name, first) in vars {
                    state.push((*name, self.eval(first, bits)?));
                }
                let before = bits.len();
                for _ in 0..4 {
                    bits.truncate(before);
                    bits.extend(state.iter().copied());
                    match self.choose(3) {
                        0 => {
                            let bit = self.eval(done, bits)?;
                            bits.truncate(before);
                            return Ok(bit);
                        }
                        // Labels do not count rounds: its bound may be any number.
                        1 => break,
                        _ => {}
                    }
                    let mut next = Vec::new();
                    for ((name, _), e) in vars.iter().zip(nexts) {
                        next.push((*name, self.eval(e, bits)?));
                    }
                    state = next;
                }
                bits.truncate(before);
                bits.extend(state);
                let bit = self.eval(otherwise, bits)?;
                bits.truncate(before);
                bit
            }
            E::Pay(e) => {
                let bit = self.eval(e, bits)?;
                self.needs(bit);
                false
            }
            E::Caught(a, b) => {
                let bit = self.eval(a, bits)?;
                if self.choose(2) == 0 { bit } else { self.eval(b, bits)? }
            }
        })
    }
}

/// Whether a run of some graph brings an untrusted value to where only trusted ones may be; none if not every way was
/// tried and those that were do not.
fn reaches(program: &[Graph]) -> Option<bool> {
    let mut is_whole = true;
    for graph in program {
        let mut choices: Vec<(usize, usize)> = Vec::new();
        for way in 0.. {
            let mut run = Run { program, choices, at: 0, reached: false, depth: 0, steps: 0 };
            let args = vec![false; graph.params.len()];
            let _ = run.call(graph, &args);
            if run.reached {
                return Some(true);
            }
            if run.steps > 20_000 || way >= MAX_WAYS {
                is_whole = false;
                break;
            }
            choices = run.choices;
            choices.truncate(run.at);
            // The next way: the last choice that has another side takes it.
            while choices.last().is_some_and(|(chosen, of)| chosen + 1 >= *of) {
                choices.pop();
            }
            match choices.last_mut() {
                Some((chosen, _)) => *chosen += 1,
                None => break,
            }
        }
    }
    is_whole.then_some(false)
}

/// Whether the checker refuses a program for its labels; anything else that is wrong with it is a mistake of this model.
fn refused(text: &str) -> bool {
    let errors: Vec<Diagnostic> = findings(text).into_iter().filter(Diagnostic::is_error).collect();
    let others: Vec<_> = errors.iter().filter(|e| e.code != "K0601" && e.code != "K0603").collect();
    assert!(others.is_empty(), "{text}\n{others:#?}");
    !errors.is_empty()
}

/// The names that an expression uses and does not bind.
fn free(e: &E, bound: &mut Vec<Name>, found: &mut Vec<Name>) {
    let mut all = |parts: &[&E], bound: &mut Vec<Name>| {
        parts.iter().for_each(|part| free(part, bound, found));
    };
    match e {
        E::Literal | E::Outside => {}
        E::Name(name) => {
            if !bound.contains(name) && !found.contains(name) {
                found.push(*name);
            }
        }
        E::Template(parts) | E::Call(_, parts) => {
            all(&parts.iter().collect::<Vec<_>>(), bound);
        }
        E::Upper(a)
        | E::Say(a)
        | E::Generic(a)
        | E::Endorsed(a)
        | E::Allowed(a)
        | E::Chosen(a)
        | E::Pay(a)
        | E::Approved(a) => all(&[a], bound),
        E::If(a, b, c) => all(&[a, b, c], bound),
        E::Caught(a, b) => all(&[a, b], bound),
        E::Match(a, b, name, c) => {
            all(&[a, b], bound);
            bound.push(*name);
            all(&[c], bound);
            bound.pop();
        }
        E::Field { parts: [a, b, c, d], .. } | E::Shown([a, b, c, d]) => all(&[a, b, c, d], bound),
        E::Item(items, by) => {
            all(&items.iter().chain([&**by]).collect::<Vec<_>>(), bound);
        }
        E::For(name, items, body) => {
            all(&items.iter().collect::<Vec<_>>(), bound);
            bound.push(*name);
            all(&[body], bound);
            bound.pop();
        }
        E::Loop(vars, done, nexts, otherwise) => {
            all(&vars.iter().map(|(_, e)| e).collect::<Vec<_>>(), bound);
            let before = bound.len();
            bound.extend(vars.iter().map(|(name, _)| *name));
            let rest: Vec<&E> = nexts.iter().chain([&**done, &**otherwise]).collect();
            all(&rest, bound);
            bound.truncate(before);
        }
    }
}

/// The same program, with the value of each `let` in a graph of its own.
fn outlined(program: &[Graph]) -> Vec<Graph> {
    let mut all = program.to_vec();
    for at in 0..program.len() {
        let Some(graph) = program.get(at) else { continue };
        let mut lets = graph.lets.clone();
        for (_, _, value) in &mut lets {
            let mut names = Vec::new();
            free(value, &mut Vec::new(), &mut names);
            // Parameters are called by their position, and so are the names in it.
            let body = renamed(value, &names);
            let args = names.iter().map(|name| E::Name(*name)).collect();
            let params = (0..names.len()).map(|at| (at, Word::None)).collect();
            let moved = std::mem::replace(value, E::Call(all.len(), args));
            drop(moved);
            all.push(Graph { params, result: Word::None, lets: Vec::new(), last: body });
        }
        if let Some(slot) = all.get_mut(at) {
            slot.lets = lets;
        }
    }
    all
}

/// Each free name becomes its position in `names`, each bound one something that none of them is.
fn renamed(e: &E, names: &[Name]) -> E {
    let to = |name: Name| names.iter().position(|known| *known == name).unwrap_or(name + 1_000);
    let r = |e: &E| Box::new(renamed(e, names));
    let many = |all: &[E]| all.iter().map(|e| renamed(e, names)).collect::<Vec<_>>();
    match e {
        E::Literal => E::Literal,
        E::Outside => E::Outside,
        E::Name(name) => E::Name(to(*name)),
        E::Template(parts) => E::Template(many(parts)),
        E::Upper(a) => E::Upper(r(a)),
        E::Say(a) => E::Say(r(a)),
        E::Generic(a) => E::Generic(r(a)),
        E::If(a, b, c) => E::If(r(a), r(b), r(c)),
        E::Match(a, b, name, c) => E::Match(r(a), r(b), to(*name), r(c)),
        E::Field { parts, handed, field } => {
            E::Field { parts: parts.each_ref().map(|part| r(part)), handed: *handed, field: *field }
        }
        E::Shown(parts) => E::Shown(parts.each_ref().map(|part| r(part))),
        E::Item(items, by) => E::Item(many(items), r(by)),
        E::For(name, items, body) => E::For(to(*name), many(items), r(body)),
        E::Endorsed(a) => E::Endorsed(r(a)),
        E::Allowed(a) => E::Allowed(r(a)),
        E::Chosen(a) => E::Chosen(r(a)),
        E::Call(callee, args) => E::Call(*callee, many(args)),
        E::Loop(vars, done, nexts, otherwise) => E::Loop(
            vars.iter().map(|(name, e)| (to(*name), renamed(e, names))).collect(),
            r(done),
            many(nexts),
            r(otherwise),
        ),
        E::Pay(a) => E::Pay(r(a)),
        E::Approved(a) => E::Approved(r(a)),
        E::Caught(a, b) => E::Caught(r(a), r(b)),
    }
}

#[test]
fn the_checker_refuses_exactly_what_some_run_does() {
    let (mut yes, mut no, mut unknown) = (0, 0, 0);
    for seed in 0..PROGRAMS {
        let mut random = Random(seed);
        let program = program(&mut random);
        let names = |n: usize| (0..n).map(|at| format!("g{at}")).collect::<Vec<_>>();
        let order: Vec<usize> = (0..program.len()).collect();
        let text_of = text(&program, &order, &names(program.len()));
        let is_refused = refused(&text_of);
        match reaches(&program) {
            Some(reached) => {
                assert_eq!(is_refused, reached, "seed {seed}\n{text_of}");
                if reached { yes += 1 } else { no += 1 }
            }
            // No way that was tried does it.
            None => unknown += 1,
        }
        // Moved and renamed.
        let turned: Vec<usize> = order.iter().rev().copied().collect();
        let others: Vec<String> =
            order.iter().map(|at| format!("z{}", (at * 7 + 3) % 11)).collect();
        let moved = text(&program, &turned, &others);
        assert_eq!(refused(&moved), is_refused, "seed {seed}, moved\n{moved}");
        // Taken apart.
        let apart = outlined(&program);
        let order: Vec<usize> = (0..apart.len()).collect();
        let apart = text(&apart, &order, &names(apart.len()));
        assert_eq!(refused(&apart), is_refused, "seed {seed}, taken apart\n{apart}\nof\n{text_of}");
    }
    assert!(yes > 50 && no > 50 && unknown < 30, "{yes} refused, {no} not, {unknown} unknown");
}
