//! What a run is given: words, files, standard input and JSON become the arguments of a graph.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::Context as _;
use kait_engine::Loaded;
use kait_ir::{Failure, GraphId};
use kait_runtime::driver::GrowingInput;
use kait_runtime::inputs::parse_json;
use kait_runtime::{InputError, Inputs};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::args::RunArgs;
use crate::exit::Coded;
use crate::files;

/// Most bytes of an input file, and of text that comes in over a pipe.
const MAX_INPUT: u64 = 16 * 1024 * 1024;

/// The arguments, from words, files, standard input and JSON; what comes in while the run goes on is put into `growing`.
///
/// # Errors
/// If a word is no input, or standard input cannot be read. What is wrong with the values is the inner error.
pub fn inputs(
    args: &RunArgs,
    loaded: &Loaded,
    graph: GraphId,
    growing: &mut Vec<(u32, UnboundedReceiver<GrowingInput>)>,
) -> anyhow::Result<Result<Vec<kait_engine::event::Arg>, Vec<InputError>>> {
    let mut inputs = Inputs::new(loaded, graph);
    let mut stdin_taken = args.input.as_deref() == Some(Path::new("-"));
    if let Some(path) = &args.input {
        let text = if path == Path::new("-") { read_stdin()? } else { files::read_text(path)? };
        match parse_json(text.as_bytes()) {
            Ok(json) => inputs.give_object(&json),
            Err(error) => return Ok(Err(vec![error])),
        }
    }
    for word in &args.inputs {
        let Some((name, value)) = word.split_once('=') else {
            return Err(input(format!(
                "`{word}` is not an input: write `name={word}`, or `name=@{word}` for the text of a file"
            )));
        };
        if let Some(name) = name.strip_suffix(':') {
            match parse_json(value.as_bytes()) {
                Ok(json) => inputs.give_json(name, &json),
                Err(InputError::NoJson { why }) => {
                    inputs.give_nothing(name, format!("`{value}` is not valid JSON: {why}"));
                }
                Err(error) => inputs.give_nothing(name, error.to_string()),
            }
        } else if value == "@-" && std::mem::replace(&mut stdin_taken, true) {
            inputs.give_nothing(name, "standard input is taken by another input already".into());
        } else if value == "@-" && inputs.is_text(name) {
            if let Some(param) = inputs.give_growing(name) {
                let (sender, pieces) = unbounded_channel();
                std::thread::spawn(move || pump_stdin(&sender));
                growing.push((param, pieces));
            }
        } else if value == "@-" {
            let text = read_stdin()?;
            inputs.give_text(name, &text);
        } else if let Some(path) = value.strip_prefix('@')
            && inputs.takes_bytes(name)
        {
            match files::read_bytes(Path::new(path), MAX_INPUT) {
                Ok(bytes) => inputs.give_bytes(name, path, bytes),
                Err(error) => inputs.give_nothing(name, format!("{error:#}")),
            }
        } else if let Some(path) = value.strip_prefix('@') {
            match files::read_text(Path::new(path)) {
                Ok(text) => inputs.give_text(name, &text),
                Err(error) => inputs.give_nothing(name, format!("{error:#}")),
            }
        } else {
            inputs.give_text(name, value);
        }
    }
    if !args.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        ask_missing(&mut inputs, loaded)?;
    }
    Ok(inputs.finish())
}

/// On a terminal, missing parameters are asked for.
fn ask_missing(inputs: &mut Inputs<'_>, loaded: &Loaded) -> anyhow::Result<()> {
    for param in inputs.missing() {
        let ty = kait_runtime::inputs::describe(loaded.table(), param.ty);
        let docs = param.docs.lines().next().unwrap_or_default();
        if !docs.is_empty() {
            anstream::eprintln!("{docs}");
        }
        anstream::eprint!("{} ({ty}): ", param.name);
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line)? == 0 {
            break;
        }
        inputs.give_text(&param.name, line.trim_end_matches(['\n', '\r']));
    }
    Ok(())
}

fn input(message: String) -> anyhow::Error {
    Coded { code: "K9041", message }.into()
}

fn read_stdin() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(MAX_INPUT + 1)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(input(format!("standard input is longer than {MAX_INPUT} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow::anyhow!(
            "standard input is not UTF-8 text: the byte at offset {at} is not part of a character"
        )
    })
}

/// Passes standard input on as it arrives, cut only between characters.
fn pump_stdin(sender: &UnboundedSender<GrowingInput>) {
    let mut stdin = std::io::stdin().lock();
    let mut buffer = [0u8; 8 * 1024];
    let mut rest: Vec<u8> = Vec::new();
    let mut total = 0u64;
    let fail = |why: String| {
        let _ = sender.send(GrowingInput::Failed(Failure::invalid("", why)));
    };
    loop {
        let count = match stdin.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return fail(format!("standard input cannot be read: {error}")),
        };
        total += count as u64;
        if total > MAX_INPUT {
            let _ = sender.send(GrowingInput::Failed(Failure::Budget { kind: "bytes".into() }));
            return;
        }
        rest.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let valid = match std::str::from_utf8(&rest) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return fail("standard input is not UTF-8 text".into()),
        };
        let tail = rest.split_off(valid);
        let text = String::from_utf8(std::mem::replace(&mut rest, tail)).unwrap_or_default();
        if !text.is_empty() && sender.send(GrowingInput::Text(text)).is_err() {
            return;
        }
    }
    if !rest.is_empty() {
        fail("standard input ends in the middle of a character".into());
    }
}
