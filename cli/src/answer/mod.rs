//! The terminal's projection of a run's log: the answer to stdout while it grows, everything else to stderr.

mod doc;
mod printer;

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use kait_engine::check::TypeTable;
use kait_engine::segment::{Segment, SegmentKind, SegmentOp, SegmentRole};
use kait_ir::{Type, TypeId};
use kait_runtime::report::SCHEMA;
use serde::Serialize;
use serde_json::Value as Json;

use doc::Part;
use printer::Printer;
pub use printer::Style;

/// What is done with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Shown as it grows.
    Stream(Style),
    /// Every record of the log, one JSON object a line.
    Lines,
    /// Nothing: the caller prints one object at the end.
    Quiet,
}

/// A record of the log, which says what it is.
#[derive(Serialize)]
struct Line<'r> {
    schema: &'static str,
    #[serde(flatten)]
    record: &'r Segment,
}

/// Projects the log of one run.
pub struct Answer<'t> {
    mode: Mode,
    table: &'t TypeTable,
    ty: TypeId,
    is_text: bool,
    result: Option<u64>,
    value: Part,
    printer: Printer<'t>,
    /// What was written of the answer since the run began; kept only while it may still be taken back.
    written: String,
    /// The answer as it stands after a reset, until it has caught up with what was written.
    again: Option<String>,
    /// The answer changed after a part of it had been written where it cannot be taken back: the whole answer follows
    /// on a line of its own.
    pub made_again: bool,
    /// Whether stdout is a terminal.
    terminal: bool,
    ends_with_newline: bool,
}

impl<'t> Answer<'t> {
    /// The projection of a result of that type.
    pub fn new(mode: Mode, table: &'t TypeTable, ty: TypeId, terminal: bool) -> Self {
        let style = match mode {
            Mode::Stream(style) => style,
            _ => Style::Json,
        };
        Self {
            mode,
            table,
            ty,
            is_text: *table.types().base(ty) == Type::Text,
            result: None,
            value: Part::default(),
            printer: Printer::new(style, table, ty),
            written: String::new(),
            again: None,
            made_again: false,
            terminal,
            ends_with_newline: true,
        }
    }

    /// Takes records of the log.
    ///
    /// # Errors
    /// If stdout cannot be written (a closed pipe).
    pub fn take(&mut self, records: &[Arc<Segment>]) -> std::io::Result<()> {
        let mut out = String::new();
        for record in records {
            match self.mode {
                Mode::Lines => {
                    let line = Line { schema: SCHEMA, record };
                    out.push_str(&serde_json::to_string(&line).unwrap_or_default());
                    out.push('\n');
                }
                _ => self.record(record, &mut out)?,
            }
        }
        self.write(&out)
    }

    fn record(&mut self, record: &Segment, out: &mut String) -> std::io::Result<()> {
        if let SegmentOp::Open { role: Some(SegmentRole::Result), .. } = &record.op {
            self.result = Some(record.segment);
            return Ok(());
        }
        if let SegmentOp::Open { kind: SegmentKind::Status | SegmentKind::Card, .. } = &record.op {
            return Ok(());
        }
        if self.result != Some(record.segment) {
            return Ok(());
        }
        if !matches!(self.mode, Mode::Stream(_)) {
            return Ok(());
        }
        match &record.op {
            SegmentOp::Delta { text, at, done } => {
                if self.is_text {
                    out.push_str(text);
                    return Ok(());
                }
                self.value.append(at, text, *done);
            }
            SegmentOp::Set { at, value } => {
                self.value.set(at, value);
            }
            SegmentOp::Close { value } => {
                if !self.is_text {
                    match self.value.content {
                        doc::Content::Nothing => self.value = Part::whole(value.clone()),
                        _ => self.value.finish(),
                    }
                }
            }
            SegmentOp::Reset { .. } => {
                let so_far = std::mem::take(out);
                self.write(&so_far)?;
                self.start_again()?;
            }
            SegmentOp::Open { .. } | SegmentOp::Fail { .. } => {}
        }
        if !self.is_text {
            self.printer.advance(&self.value, out);
        }
        Ok(())
    }

    /// Another attempt makes the answer anew.
    fn start_again(&mut self) -> std::io::Result<()> {
        let style = match self.mode {
            Mode::Stream(style) => style,
            _ => Style::Json,
        };
        self.value = Part::default();
        self.printer = Printer::new(style, self.table, self.ty);
        if self.written.is_empty() {
            return Ok(());
        }
        if self.terminal {
            // A terminal shows both; the words between say which one counts.
            std::io::stdout().write_all(b"\n")?;
            anstream::eprintln!("the answer is made again; what stands above is void");
            self.written.clear();
            self.again = None;
        } else {
            self.again = Some(String::new());
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let mut text = text;
        let caught_up;
        if let Some(mut again) = self.again.take() {
            again.push_str(text);
            if let Some(rest) = again.strip_prefix(self.written.as_str()) {
                caught_up = rest.to_owned();
                text = &caught_up;
            } else if self.written.starts_with(again.as_str()) {
                self.again = Some(again);
                return Ok(());
            } else {
                self.begin_again()?;
                caught_up = again;
                text = &caught_up;
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        if self.mode != Mode::Lines {
            self.written.push_str(text);
        }
        self.ends_with_newline = text.ends_with('\n');
        let mut stdout = std::io::stdout().lock();
        if self.terminal {
            stdout.write_all(shown(text).as_bytes())?;
        } else {
            stdout.write_all(text.as_bytes())?;
        }
        stdout.flush()
    }

    /// What was written is not the beginning of the answer: the answer follows, whole, on a line of its own.
    fn begin_again(&mut self) -> std::io::Result<()> {
        self.made_again = true;
        self.written.clear();
        if self.ends_with_newline { Ok(()) } else { std::io::stdout().write_all(b"\n") }
    }

    /// Ends the line that the answer stands in, if something else is about to be written to the same terminal.
    pub fn make_room(&mut self) {
        if self.terminal && !self.ends_with_newline && std::io::stderr().is_terminal() {
            // A terminal that is gone is found at the next piece of the answer.
            let _ = std::io::stdout().write_all(b"\n");
            self.ends_with_newline = true;
        }
    }

    /// Whether nothing is written while the answer grows.
    pub fn is_quiet(&self) -> bool {
        self.mode == Mode::Quiet
    }

    /// The log is over: ends the line, so that a prompt or the next program starts on its own.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub fn end(&mut self) -> std::io::Result<()> {
        if let Some(again) = self.again.take()
            && again != self.written
        {
            self.begin_again()?;
            self.write(&again)?;
        }
        if !self.ends_with_newline {
            std::io::stdout().write_all(b"\n")?;
        }
        std::io::stdout().flush()
    }
}

/// Text as a terminal may show it: what a model or a page wrote never moves the cursor, colours, or talks to the
/// terminal. Control characters but line breaks and tabs become U+FFFD.
pub fn shown(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(obeyed) { text.replace(obeyed, "\u{fffd}").into() } else { text.into() }
}

/// What a status line or card says, for stderr.
pub fn notice(kind: SegmentKind, value: &Json) -> Option<String> {
    match (kind, value) {
        (SegmentKind::Status, Json::String(text)) => Some(text.clone()),
        (SegmentKind::Status, Json::Object(progress)) => {
            let number = |key: &str| progress.get(key).and_then(Json::as_i64);
            Some(format!("{} of {}", number("done")?, number("of")?))
        }
        (SegmentKind::Card, value) => serde_json::to_string_pretty(value).ok(),
        _ => None,
    }
}
