//! Fuzzing inside one process, on any toolchain: random bytes, generated programs and mutations of
//! everything that was interesting so far go through a list of targets. A target says what must
//! hold for any text whatever; it must return, within a time, without a panic.
//!
//! Interesting is what shows a new kind of tree or mistake, which stands in for the coverage that
//! an instrumented build would give.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use kait_grammar::{generate, mutate};
use kait_syntax::{SyntaxElement, SyntaxNode, SyntaxTree, TextSize, limits};
use rustc_hash::{FxHashSet, FxHasher};

/// Something that must hold for every text.
pub struct Target {
    /// Its name in reports and on the command line.
    pub name: &'static str,
    /// The check; the error says what does not hold.
    pub check: fn(&str) -> Result<(), String>,
}

/// All targets. Who adds a pass over user text adds it here.
pub const TARGETS: &[Target] = &[
    Target { name: "parse", check: parse },
    Target { name: "format", check: crate::format::check },
    Target { name: "compile", check: crate::compile::check },
];

/// The time that one target may take for one text of up to [`LARGEST`] bytes, on a busy machine and
/// without optimisation.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Texts are kept below this many bytes.
pub const LARGEST: usize = 1 << 16;

/// Stack of the thread that runs the targets: that of a test or of a server's worker.
const STACK: usize = 2 << 20;

/// A text for which a target fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The target.
    pub target: &'static str,
    /// What is wrong: the target's own words, a panic, or that it took too long.
    pub what: String,
}

/// Runs targets on a thread of its own, so that one that hangs can be left behind.
pub struct Runner {
    texts: mpsc::Sender<(&'static Target, String)>,
    results: mpsc::Receiver<Result<(), String>>,
}

impl Runner {
    /// A runner with a fresh thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new() -> std::io::Result<Self> {
        let (texts, inbox) = mpsc::channel::<(&'static Target, String)>();
        let (outbox, results) = mpsc::channel();
        thread::Builder::new().stack_size(STACK).name("target".to_owned()).spawn(move || {
            for (target, text) in inbox {
                if outbox.send(guarded(target, &text)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Runner { texts, results })
    }

    /// Runs one target over one text.
    ///
    /// # Errors
    /// What is wrong. After a text that took too long the runner must be thrown away: its thread
    /// still runs.
    pub fn run(&self, target: &'static Target, text: &str) -> Result<(), Failure> {
        let fail = |what| Failure { target: target.name, what };
        if self.texts.send((target, text.to_owned())).is_err() {
            return Err(fail("its thread has ended".to_owned()));
        }
        match self.results.recv_timeout(TIME_LIMIT) {
            Ok(result) => result.map_err(fail),
            Err(_) => Err(fail(format!("took longer than {TIME_LIMIT:?}"))),
        }
    }
}

/// Runs a check and turns a panic into what it said.
fn guarded(target: &Target, text: &str) -> Result<(), String> {
    thread_local! {
        static SAID: RefCell<String> = const { RefCell::new(String::new()) };
    }
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() == Some("target") {
                SAID.with_borrow_mut(|said| *said = info.to_string());
            } else {
                usual(info);
            }
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(|| (target.check)(text)))
        .unwrap_or_else(|_| Err(SAID.with_borrow_mut(std::mem::take)))
}

/// The parser: every byte is in the tree, in order; errors point into the text and come sorted;
/// fixes apply; the tree is no higher than promised.
fn parse(text: &str) -> Result<(), String> {
    let parse = kait_syntax::parse(text);
    let whole = parse.tree.root().text();
    if whole != text {
        return Err("the tree is not the text".to_owned());
    }
    let mut end = TextSize::new(0);
    let mut deepest = 0;
    let mut stack = vec![(SyntaxElement::Node(parse.tree.root()), 0u32)];
    while let Some((element, depth)) = stack.pop() {
        deepest = deepest.max(depth);
        match element {
            SyntaxElement::Node(node) => {
                let mut children: Vec<_> =
                    node.children_with_tokens().map(|child| (child, depth + 1)).collect();
                children.reverse();
                stack.extend(children);
            }
            SyntaxElement::Token(token) => {
                if token.range().start() != end {
                    return Err(format!("a gap before byte {:?}", token.range().start()));
                }
                end = token.range().end();
            }
        }
    }
    if end != TextSize::of(text) {
        return Err("the tokens end before the text".to_owned());
    }
    let highest = 2 * limits::MAX_DEPTH + 64;
    if deepest > highest {
        return Err(format!("a tree of height {deepest}"));
    }
    if parse.errors.len() > limits::MAX_ERRORS + 1 {
        return Err(format!("{} errors", parse.errors.len()));
    }
    let mut last = TextSize::new(0);
    for error in &parse.errors {
        let related = error.related.iter().map(|(range, _)| *range);
        let edits = error.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.range));
        for range in std::iter::once(error.range).chain(related).chain(edits) {
            if text.get(usize::from(range.start())..usize::from(range.end())).is_none() {
                return Err(format!("{}: {range:?} is no part of the text", error.code));
            }
        }
        if error.range.start() < last {
            return Err(format!("{}: errors are not sorted", error.code));
        }
        last = error.range.start();
        if let Some(fix) = &error.fix
            && fix.apply(text) == text
        {
            return Err(format!("{}: its fix changes nothing", error.code));
        }
    }
    Ok(())
}

/// What is remarkable about a text: pairs of kinds in its tree, and its mistakes.
fn features(text: &str) -> FxHashSet<u64> {
    fn hash(value: impl Hash) -> u64 {
        let mut hasher = FxHasher::default();
        value.hash(&mut hasher);
        hasher.finish()
    }
    fn visit(tree: &SyntaxTree, into: &mut FxHashSet<u64>) {
        let mut stack: Vec<SyntaxNode<'_>> = vec![tree.root()];
        while let Some(node) = stack.pop() {
            let mut before = None;
            for child in node.children_with_tokens() {
                into.insert(hash((node.kind(), child.kind())));
                into.insert(hash((before, child.kind(), 0u8)));
                before = Some(child.kind());
                if let SyntaxElement::Node(child) = child {
                    stack.push(child);
                }
            }
        }
    }
    let parse = kait_syntax::parse(text);
    let mut features = FxHashSet::default();
    visit(&parse.tree, &mut features);
    features.extend(parse.errors.iter().map(|error| hash((error.code, error.fix.is_some()))));
    features
}

/// An endless, reproducible series of texts, bred from a pool that keeps what is interesting.
pub struct Inputs {
    rng: fastrand::Rng,
    pool: Vec<String>,
    seen: FxHashSet<u64>,
}

impl Inputs {
    /// Starts from known texts.
    pub fn new(seed: u64, known: impl IntoIterator<Item = String>) -> Self {
        let mut inputs = Inputs {
            rng: fastrand::Rng::with_seed(seed),
            pool: Vec::new(),
            seen: FxHashSet::default(),
        };
        for text in known {
            inputs.keep(&text);
        }
        inputs
    }

    /// How many texts the pool holds.
    pub fn interesting(&self) -> usize {
        self.pool.len()
    }

    /// The next text.
    pub fn draw(&mut self) -> String {
        let rng = &mut self.rng;
        let mut text = match rng.u8(0..20) {
            0 => bytes(rng),
            1..4 => generate(rng.u64(..), rng.usize(5..200)),
            4 => nested(rng),
            _ => rng.choice(&self.pool).cloned().unwrap_or_default(),
        };
        if rng.u8(0..8) == 0
            && let Some(other) = rng.choice(&self.pool)
        {
            text = splice(&text, other, rng);
        }
        for _ in 0..rng.usize(0..5) {
            text = mutate(&text, rng.u64(..));
        }
        let mut end = text.len().min(LARGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text
    }

    /// Adds a text to the pool if it shows something new. Says whether it did.
    pub fn keep(&mut self, text: &str) -> bool {
        let new: Vec<_> =
            features(text).into_iter().filter(|feature| !self.seen.contains(feature)).collect();
        let interesting = !new.is_empty();
        if interesting {
            self.seen.extend(new);
            self.pool.push(text.to_owned());
        }
        interesting
    }
}

/// Bytes that are no program at all, made text as files are when they are opened.
fn bytes(rng: &mut fastrand::Rng) -> String {
    let length = rng.usize(0..300);
    let bytes: Vec<u8> =
        (0..length).map(|_| if rng.bool() { rng.u8(..) } else { rng.u8(b' '..=b'~') }).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Brackets, operators and words, deeper than anything may go.
fn nested(rng: &mut fastrand::Rng) -> String {
    const STEPS: &[&str] = &[
        "(",
        "[",
        "{",
        "f(",
        "[a: ",
        "\"${",
        "if a {",
        "match a { B => ",
        "- ",
        "not ",
        "try ",
        "fail ",
        "a ?? ",
        "a + ",
        "a.b(",
        "A(",
        "else if a { } ",
        "[[",
        "trusted ",
        "T<",
        "x |> ",
        "for a in ",
        "race {",
        "a catch { _ => ",
        "loop a = ",
    ];
    let mut text = "let x = ".to_owned();
    let step = rng.choice(STEPS).copied().unwrap_or("(");
    for _ in 0..rng.usize(1..3_000) {
        text.push_str(if rng.u8(0..50) == 0 {
            rng.choice(STEPS).copied().unwrap_or("(")
        } else {
            step
        });
    }
    text
}

/// The start of one text and the end of another.
fn splice(a: &str, b: &str, rng: &mut fastrand::Rng) -> String {
    let (a, b) = (kait_grammar::tokens(a), kait_grammar::tokens(b));
    let head = a.get(..rng.usize(0..=a.len())).unwrap_or_default();
    let tail = b.get(rng.usize(0..=b.len())..).unwrap_or_default();
    [head, tail].concat().concat()
}
