//! Questions of a run, at a terminal: shows exactly what is asked, and takes what the person answers.
//!
//! One question at a time, on a thread of its own: reading a line blocks. What a value says is shown as a quotation if
//! nobody vouches for it, and nothing of it can move the cursor. What is answered is checked by the run itself; an
//! answer that does not fit is asked for again.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kait_engine::segment::{Segment, SegmentKind, SegmentOp};
use kait_ir::Failure;
use kait_runtime::people::{AnswerSender, Given, NotTaken};
use serde_json::{Map, Value as Json, json};
use tokio::sync::oneshot;

use crate::answer::shown;

/// Who answers at a terminal, where the system does not say.
const SOMEBODY: &str = "terminal";

/// Questions that are open, for the thread that asks them.
pub struct Asking {
    questions: Sender<(u64, Json)>,
    standing: Arc<Standing>,
}

/// How the questions stand, for the thread that asks them and for whoever reads the log.
#[derive(Default)]
struct Standing(Mutex<Stand>);

#[derive(Default)]
struct Stand {
    /// Handed on, and not closed yet.
    open: BTreeSet<u64>,
    /// The one that waits for somebody to type.
    shown: Option<u64>,
}

impl Standing {
    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self, question: u64) -> bool {
        self.stand().open.contains(&question)
    }

    /// See [`Asking::hear`].
    fn hear(&self, record: &Segment) -> Option<String> {
        let by = match &record.op {
            SegmentOp::Close { value } => value["by"].as_str(),
            SegmentOp::Fail { .. } => None,
            _ => return None,
        };
        let mut stand = self.stand();
        if !stand.open.remove(&record.segment) || stand.shown != Some(record.segment) {
            return None;
        }
        Some(match by {
            Some(by) => {
                format!("\n{} has answered this meanwhile: press Enter to go on", shown(by))
            }
            None => "\nthis is not asked any more: press Enter to go on".into(),
        })
    }
}

impl Asking {
    /// Begins to ask on standard input and standard error.
    pub fn begin(answers: AnswerSender) -> Self {
        let (questions, asked) = channel();
        let standing = Arc::<Standing>::default();
        let its = Arc::clone(&standing);
        std::thread::spawn(move || {
            let by = person();
            let (input, mut out) = (std::io::stdin().lock(), anstream::stderr());
            ask_all(&asked, &answers, &by, &its, input, &mut out);
        });
        Self { questions, standing }
    }

    /// Hands a question of the log on to the thread that asks.
    pub fn take(&self, record: &Segment) {
        if let SegmentOp::Open { about: Some(about), .. } = &record.op {
            self.standing.stand().open.insert(record.segment);
            // The thread ends only when nobody can answer any more, and has said so.
            let _ = self.questions.send((record.segment, about.clone()));
        }
    }

    /// Hears what the log tells. Gives what to say if the question on the screen is closed, and not by whoever sits there.
    pub fn hear(&self, record: &Segment) -> Option<String> {
        self.standing.hear(record)
    }
}

/// What is typed, as long as the question that is shown is open.
struct Typed<'t, R> {
    input: R,
    standing: &'t Standing,
    question: u64,
}

impl<R: BufRead> Read for Typed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let count = bytes.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Typed<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let ended = self.input.fill_buf()?.is_empty();
        if !ended && !self.standing.is_open(self.question) {
            // It was typed for this question, so it is no answer to the next one.
            self.input.skip_until(b'\n')?;
            return Err(io::Error::other("the question is closed"));
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }
}

/// Whether a record of the log asks somebody something.
pub fn is_question(record: &Segment) -> bool {
    matches!(record.op, SegmentOp::Open { kind: SegmentKind::Question, .. })
}

/// The name under which somebody at this terminal answers.
pub fn person() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| SOMEBODY.to_owned())
}

/// Asks one question after the other, until nobody asks or nobody can answer any more.
fn ask_all(
    asked: &Receiver<(u64, Json)>,
    answers: &AnswerSender,
    by: &str,
    standing: &Standing,
    mut input: impl BufRead,
    out: &mut impl Write,
) {
    while let Ok((question, about)) = asked.recv() {
        if !standing.is_open(question) {
            // It was closed before its turn came.
            continue;
        }
        let give = |answer: Json| {
            let (taken, told) = oneshot::channel();
            let given = Given { question, by: by.into(), answer, taken };
            answers.send(given).ok().map(|()| told.blocking_recv())
        };
        // What somebody changes is judged by the run when it is typed; whether it is approved is another matter.
        let judge =
            |edit: &Map<String, Json>| match give(json!({ "decision": "try", "edit": edit })) {
                Some(Ok(Err(NotTaken::Wrong(failure)))) => Err(wrong(&failure)),
                _ => Ok(()),
            };
        loop {
            standing.stand().shown = Some(question);
            let mut typed = Typed { input: &mut input, standing, question };
            let answer = ask(&about, &mut typed, out, &judge);
            standing.stand().shown = None;
            let answer = match answer {
                Ok(Some(answer)) => answer,
                Err(_) if !standing.is_open(question) => break,
                // Standard input has ended: dropping the sender tells the run that nobody answers.
                _ => return,
            };
            let Some(told) = give(answer) else { return };
            match told {
                Ok(Err(NotTaken::Wrong(failure))) => {
                    let _ = writeln!(out, "{}", shown(&wrong(&failure)));
                }
                Ok(Err(NotTaken::Unrecorded(why))) => {
                    let _ = writeln!(
                        out,
                        "the answer does not count, as it could not be recorded: {}",
                        shown(&why)
                    );
                    break;
                }
                Ok(Err(NotTaken::Closed)) => {
                    let _ = writeln!(out, "it is too late: this is not asked any more");
                    break;
                }
                Ok(Ok(()) | Err(NotTaken::Fits)) | Err(_) => break,
            }
        }
    }
}

/// What is wrong with an answer, in the words of its type; the place within it as a person knows it.
fn wrong(failure: &Failure) -> String {
    match failure {
        Failure::Invalid { path, why } => {
            let place = path.trim_start_matches("/edit").trim_start_matches("/answer");
            let place = place.trim_start_matches('/').replace('/', ".");
            if place.is_empty() { why.to_string() } else { format!("{place}: {why}") }
        }
        other => kait_runtime::report::words(other).1,
    }
}

/// Whether what a person has changed fits.
type Judge<'j> = dyn Fn(&Map<String, Json>) -> Result<(), String> + 'j;

/// Asks once. Nothing, if the input has ended.
fn ask(
    about: &Json,
    input: &mut impl BufRead,
    out: &mut impl Write,
    judge: &Judge<'_>,
) -> std::io::Result<Option<Json>> {
    head(about, out)?;
    match about["asks"].as_str() {
        Some("approval") => approve(about, input, out, judge),
        Some("selection") => select(about, input, out),
        _ => question(about, input, out),
    }
}

fn head(about: &Json, out: &mut impl Write) -> std::io::Result<()> {
    let to = about["to"].as_str().map_or(String::new(), |to| format!(" ({to})"));
    let due = about["due"].as_str().unwrap_or_default();
    let until = if due.is_empty() { String::new() } else { format!(", until {due}") };
    match about["asks"].as_str() {
        Some("approval") => {
            let call = about["call"].as_str().unwrap_or_default();
            writeln!(out, "\n? may `{}` be called?{}{until}", shown(call), shown(&to))?;
        }
        _ => {
            let question = about["question"].as_str().unwrap_or("which of these?");
            writeln!(out, "\n? {}{}{until}", shown(question), shown(&to))?;
        }
    }
    if let Some(value) = about.get("show").filter(|value| !value.is_null()) {
        value_lines(value, true, out)?;
    }
    Ok(())
}

/// A value, indented; a quotation has a bar in front of each line.
fn value_lines(value: &Json, quoted: bool, out: &mut impl Write) -> std::io::Result<()> {
    let text = match value {
        Json::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let bar = if quoted { "│ " } else { "" };
    if text.is_empty() {
        return writeln!(out, "    {bar}(empty)");
    }
    for line in text.lines() {
        writeln!(out, "    {bar}{}", shown(line))?;
    }
    Ok(())
}

/// The next line, without its end; nothing at the end of the input.
fn line(
    prompt: &str,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> std::io::Result<Option<String>> {
    write!(out, "{prompt}")?;
    out.flush()?;
    let mut text = String::new();
    if input.read_line(&mut text)? == 0 {
        return Ok(None);
    }
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// All that is asked, with what is shown besides.
pub fn describe(about: &Json, out: &mut impl Write) -> std::io::Result<()> {
    head(about, out)?;
    let none = Vec::new();
    arguments(about["arguments"].as_array().unwrap_or(&none), out)?;
    labels(about, out)
}

/// The arguments of a call, exactly as it would be made.
fn arguments(args: &[Json], out: &mut impl Write) -> std::io::Result<()> {
    for arg in args {
        let name = arg["name"].as_str().unwrap_or_default();
        let untrusted = arg["untrusted"] == true;
        let notes = match (untrusted, !arg["schema"].is_null()) {
            (true, true) => "  (not written by this program; you may change it)",
            (true, false) => "  (not written by this program)",
            (false, true) => "  (you may change it)",
            (false, false) => "",
        };
        writeln!(out, "  {}{notes}", shown(name))?;
        value_lines(&arg["value"], untrusted, out)?;
    }
    Ok(())
}

/// The items of a selection, numbered.
fn labels(about: &Json, out: &mut impl Write) -> std::io::Result<()> {
    let none = Vec::new();
    for (index, label) in about["labels"].as_array().unwrap_or(&none).iter().enumerate() {
        writeln!(out, "  {}. {}", index + 1, shown(label.as_str().unwrap_or_default()))?;
    }
    Ok(())
}

fn approve(
    about: &Json,
    input: &mut impl BufRead,
    out: &mut impl Write,
    judge: &Judge<'_>,
) -> std::io::Result<Option<Json>> {
    let none = Vec::new();
    let args = about["arguments"].as_array().unwrap_or(&none);
    let may_edit = args.iter().any(|arg| !arg["schema"].is_null());
    arguments(args, out)?;
    let prompt = if may_edit {
        "approve? yes, no, or name=value to change: "
    } else {
        "approve? yes or no: "
    };
    let mut edits = Map::new();
    loop {
        let Some(word) = line(prompt, input, out)? else { return Ok(None) };
        match word.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => {
                let mut answer = json!({ "decision": "approve" });
                if !edits.is_empty() {
                    answer["edit"] = edits.into();
                }
                return Ok(Some(answer));
            }
            "n" | "no" => {
                let Some(why) = line("why? ", input, out)? else { return Ok(None) };
                return Ok(Some(json!({ "decision": "deny", "why": why })));
            }
            _ => {}
        }
        let edit = word.split_once('=').and_then(|(name, value)| {
            let arg = args.iter().find(|arg| arg["name"] == name.trim())?;
            let schema = arg.get("schema").filter(|schema| !schema.is_null())?;
            Some((name.trim(), read_value(schema, value.trim())))
        });
        match edit {
            Some((name, value)) => {
                // What was changed before stays as it is, if this does not fit.
                let tried = Map::from_iter([(name.to_owned(), value.clone())]);
                if let Err(why) = judge(&tried) {
                    let own = format!("{name}: ");
                    let why = why.strip_prefix(&own).unwrap_or(&why);
                    writeln!(out, "  {} stays as it is: {}", shown(name), shown(why))?;
                    continue;
                }
                writeln!(out, "  {} becomes", shown(name))?;
                value_lines(&value, false, out)?;
                edits.insert(name.to_owned(), value);
            }
            None => writeln!(out, "that is neither yes nor no, and changes nothing")?,
        }
    }
}

fn select(
    about: &Json,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> std::io::Result<Option<Json>> {
    labels(about, out)?;
    let most = about["max"].as_i64().map_or(String::new(), |max| format!(", at most {max}"));
    let prompt = format!("numbers, with commas between them{most}; nothing takes none: ");
    loop {
        let Some(words) = line(&prompt, input, out)? else { return Ok(None) };
        let places = words.split([',', ' ']).filter(|word| !word.is_empty());
        let places: Option<Vec<u64>> =
            places.map(|word| word.parse::<u64>().ok()?.checked_sub(1)).collect();
        match places {
            Some(places) => return Ok(Some(json!({ "answer": places }))),
            None => {
                writeln!(out, "write the numbers in front of what is to be taken, such as 1, 3")?
            }
        }
    }
}

fn question(
    about: &Json,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> std::io::Result<Option<Json>> {
    let schema = &about["schema"];
    let start = about.get("start").filter(|start| !start.is_null());
    let choices: Vec<String> = variants(schema);
    let hint = match schema["type"].as_str() {
        Some("boolean") => "yes or no".to_owned(),
        Some("string") if choices.is_empty() => "text".to_owned(),
        Some(word @ ("integer" | "number")) => word.to_owned(),
        _ if !choices.is_empty() => choices.join(", "),
        _ => {
            writeln!(out, "  as JSON that fits")?;
            value_lines(schema, false, out)?;
            "JSON".to_owned()
        }
    };
    let start_hint = match start {
        Some(Json::String(text)) => format!("; nothing takes `{}`", shown(text)),
        Some(value) => format!("; nothing takes {value}"),
        None => String::new(),
    };
    let Some(text) = line(&format!("{hint}{start_hint}: "), input, out)? else { return Ok(None) };
    let answer = match (start, text.trim()) {
        (Some(start), "") => start.clone(),
        (_, word) => read_value(schema, word),
    };
    Ok(Some(json!({ "answer": answer })))
}

/// The words that a schema allows, if it allows only some.
fn variants(schema: &Json) -> Vec<String> {
    let words = schema["enum"].as_array();
    words.into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
}

/// What somebody has typed, as the JSON that the schema wants. What is no such thing is a text, which the run refuses.
fn read_value(schema: &Json, text: &str) -> Json {
    let yes_or_no = match text.to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    };
    match schema["type"].as_str() {
        Some("string") => Json::String(text.to_owned()),
        Some("boolean") if yes_or_no.is_some() => json!(yes_or_no),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(about: &Json, typed: &str) -> (Option<Json>, String) {
        let mut out = Vec::new();
        // As the run would: an amount has a currency.
        let judge = |edit: &Map<String, Json>| match edit.get("amount").and_then(Json::as_str) {
            Some(amount) if !amount.contains("usd") => Err("amount: expected an amount".to_owned()),
            _ => Ok(()),
        };
        let answer = ask(about, &mut typed.as_bytes(), &mut out, &judge).unwrap();
        (answer, String::from_utf8(out).unwrap())
    }

    fn refund() -> Json {
        json!({
            "asks": "approval", "call": "refund", "to": "lead", "due": "2026-01-05T09:00:00Z",
            "arguments": [
                { "name": "order", "value": "ord_1\u{1b}[2J\nsecond", "untrusted": true },
                { "name": "amount", "value": "20.00 usd", "untrusted": false, "schema": { "type": "string" } },
                { "name": "count", "value": 2, "untrusted": false, "schema": { "type": "integer" } },
            ],
        })
    }

    #[test]
    fn an_approval_shows_every_argument_and_quotes_what_nobody_vouches_for() {
        let (answer, out) = asked(&refund(), "y\n");
        assert_eq!(answer, Some(json!({ "decision": "approve" })));
        for words in [
            "`refund`",
            "(lead)",
            "    │ ord_1",
            "    │ second",
            "    20.00 usd",
            "you may change it",
        ] {
            assert!(out.contains(words), "{words:?} is not in {out}");
        }
        assert!(!out.contains('\u{1b}'), "nothing of a value moves the cursor: {out:?}");
    }

    #[test]
    fn what_is_changed_is_shown_again_and_sent_as_its_type_wants() {
        let (answer, out) = asked(&refund(), "amount=5.00 usd\ncount=3\norder=x\nyes\n");
        let edit = json!({ "amount": "5.00 usd", "count": 3 });
        assert_eq!(answer, Some(json!({ "decision": "approve", "edit": edit })));
        assert!(out.contains("amount becomes\n    5.00 usd"), "{out}");
        assert!(out.contains("changes nothing"), "`order` is not to be edited: {out}");
    }

    #[test]
    fn what_does_not_fit_is_said_when_it_is_typed_and_changes_nothing_else() {
        let typed = "count=3\namount=much\namount=5.00 usd\namount=lots\nyes\n";
        let (answer, out) = asked(&refund(), typed);
        let edit = json!({ "amount": "5.00 usd", "count": 3 });
        assert_eq!(answer, Some(json!({ "decision": "approve", "edit": edit })));
        let refused = out.matches("amount stays as it is: expected an amount").count();
        assert_eq!(refused, 2, "{out}");
        let failure = Failure::invalid("/edit/lines/0/text", "is 9 characters long");
        assert_eq!(wrong(&failure), "lines.0.text: is 9 characters long");
        assert_eq!(wrong(&Failure::invalid("/answer", "too small")), "too small");
    }

    #[test]
    fn no_needs_a_reason_and_the_end_of_input_is_no_answer() {
        let (answer, _) = asked(&refund(), "maybe\nNo\ntoo much\n");
        assert_eq!(answer, Some(json!({ "decision": "deny", "why": "too much" })));
        assert_eq!(asked(&refund(), "").0, None);
        assert_eq!(asked(&refund(), "no\n").0, None);
    }

    #[test]
    fn questions_are_answered_as_their_types_are_written() {
        let about =
            |schema: Json| json!({ "asks": "question", "question": "Sure?", "schema": schema });
        let answer =
            |schema: Json, typed: &str| asked(&about(schema), typed).0.unwrap()["answer"].clone();
        assert_eq!(answer(json!({ "type": "boolean" }), "y\n"), json!(true));
        assert_eq!(answer(json!({ "type": "string" }), "12\n"), json!("12"));
        assert_eq!(answer(json!({ "type": "integer" }), "12\n"), json!(12));
        assert_eq!(answer(json!({ "enum": ["ship", "hold"] }), "hold\n"), json!("hold"));
        assert_eq!(answer(json!({ "type": "object" }), "{\"a\": [1]}\n"), json!({ "a": [1] }));
        let mut start = about(json!({ "type": "integer" }));
        start["start"] = json!(7);
        assert_eq!(asked(&start, "\n").0, Some(json!({ "answer": 7 })));
    }

    #[test]
    fn items_are_taken_by_their_numbers() {
        let about = json!({ "asks": "selection", "labels": ["a", "b", "c"], "max": 2 });
        assert_eq!(asked(&about, "0\n3, 1\n").0, Some(json!({ "answer": [2, 0] })));
        assert_eq!(asked(&about, "\n").0, Some(json!({ "answer": [] })));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_asked_for_again() {
        let (questions, receive) = channel();
        let (answers, mut given) = tokio::sync::mpsc::unbounded_channel::<Given>();
        let run = std::thread::spawn(move || {
            let mut heard = Vec::new();
            while let Some(Given { question, by, answer, taken }) = given.blocking_recv() {
                let fits = answer["answer"] == 5;
                heard.push((question, by, answer));
                let wrong = NotTaken::Wrong(kait_ir::Failure::invalid("/answer", "too small"));
                let _ = taken.send(if fits { Ok(()) } else { Err(wrong) });
            }
            heard
        });
        let about =
            json!({ "asks": "question", "question": "How many?", "schema": { "type": "integer" } });
        questions.send((7, about)).unwrap();
        drop(questions);
        let mut out = Vec::new();
        let standing = Standing::default();
        standing.stand().open.insert(7);
        ask_all(&receive, &answers, "ada", &standing, "3\n5\n".as_bytes(), &mut out);
        drop(answers);
        let heard = run.join().unwrap();
        assert_eq!(heard.len(), 2);
        assert_eq!((heard[1].0, heard[1].1.as_str()), (7, "ada"));
        assert!(String::from_utf8(out).unwrap().contains("too small"));
    }
    /// Types a line once somebody else has answered what is on the screen.
    struct Late<'l>(&'l Standing, &'l [u8]);

    impl Read for Late<'_> {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            unreachable!("it is read by lines")
        }
    }

    impl BufRead for Late<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            let close = |segment, by: &str| Segment {
                segment,
                op: SegmentOp::Close { value: json!({ "by": by, "answer": 1 }) },
                ..record()
            };
            let shown = self.0.stand().shown;
            if shown == Some(7) && self.0.is_open(7) {
                // What is not on the screen is not spoken of.
                assert_eq!(self.0.hear(&close(8, "bob")), None);
                let said = self.0.hear(&close(7, "bob")).unwrap();
                assert!(said.contains("bob has answered"), "{said}");
                assert_eq!(self.0.hear(&close(7, "bob")), None);
            }
            Ok(self.1)
        }

        fn consume(&mut self, count: usize) {
            self.1 = &self.1[count..];
        }
    }

    fn record() -> Segment {
        let op = SegmentOp::Close { value: Json::Null };
        Segment { run: "r".into(), node: "n".into(), segment: 0, seq: 0, op }
    }

    #[test]
    fn what_was_answered_elsewhere_is_not_asked_any_more() {
        let (questions, receive) = channel();
        let asking = Asking { questions, standing: Arc::default() };
        for segment in [7, 8, 9] {
            let about =
                json!({ "asks": "question", "question": "?", "schema": { "type": "integer" } });
            let (kind, role, attempt) = (SegmentKind::Question, None, 1);
            let op = SegmentOp::Open { kind, role, attempt, about: Some(about) };
            asking.take(&Segment { segment, op, ..record() });
        }
        let standing = Arc::clone(&asking.standing);
        drop(asking);
        let (answers, mut given) = tokio::sync::mpsc::unbounded_channel::<Given>();
        let run = std::thread::spawn(move || {
            let Given { question, answer, taken, .. } = given.blocking_recv().unwrap();
            let _ = taken.send(Ok(()));
            assert!(given.blocking_recv().is_none());
            (question, answer)
        });
        // The first line is typed too late, for the second question nobody waits; the third one gets the second line.
        let input = Late(&standing, b"41\n42\n");
        ask_all(&receive, &answers, "ada", &standing, input, &mut Vec::new());
        drop(answers);
        assert_eq!(run.join().unwrap(), (9, json!({ "answer": 42 })));
    }
}
