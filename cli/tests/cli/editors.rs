//! `kait lsp` with clients that others wrote: pytest-lsp asks for every capability, Neovim is an editor that people use.
//!
//! `.ci/run` installs both. Where one is missing its test says so and does nothing, unless `KAIT_PEERS=required` is set.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::root;

/// Far more than it can take; only a hang reaches it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// Says that a peer is missing; fails where it must be there.
fn missing(why: &str) {
    assert!(std::env::var_os("KAIT_PEERS").is_none_or(|v| v != "required"), "{why}");
    eprintln!("skipped: {why}");
}

/// Runs a command to its end and gives what it wrote; it must succeed in time.
fn finished(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{text}", output.status);
    text
}

#[test]
fn a_client_that_others_wrote_is_content() {
    let python = root().join("tests/peers/.venv/bin/python");
    if !python.exists() {
        return missing(&format!(
            "{} is missing: python3 -m venv tests/peers/.venv && \
             tests/peers/.venv/bin/pip install -r tests/peers/requirements.txt",
            python.display()
        ));
    }
    let cache = tempfile::tempdir().unwrap();
    let text = finished(
        Command::new(python)
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .arg(root().join("tests/peers/lsp"))
            .env("KAIT", env!("CARGO_BIN_EXE_kait"))
            .env("KAIT_EXAMPLES", root().join("examples"))
            .env("XDG_CACHE_HOME", cache.path())
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    );
    assert!(text.contains(" passed") && !text.contains("skipped"), "{text}");
}

/// What the editor is to do: open a broken file and wait for its errors, ask what a name means, mend it, format it.
const SCRIPT: &str = r#"
local file, command = vim.env.KAIT_FILE, vim.env.KAIT
local function fail(why)
  io.stderr:write("FAILED: " .. why .. "\n")
  vim.cmd("cquit 1")
end
local function wait(what, ready)
  if not vim.wait(60000, ready, 20) then fail("waited in vain for " .. what) end
end
vim.cmd("edit " .. vim.fn.fnameescape(file))
local buffer = vim.api.nvim_get_current_buf()
local client = vim.lsp.start_client({ name = "kait", cmd = { command, "lsp" }, root_dir = vim.fn.fnamemodify(file, ":h") })
vim.lsp.buf_attach_client(buffer, client)
wait("the server", function() return vim.lsp.buf_is_attached(buffer, client) end)
wait("findings", function() return #vim.diagnostic.get(buffer) > 0 end)
local found = vim.diagnostic.get(buffer)[1]
if not found.message:find("`nmber` is not known here", 1, true) then fail("found: " .. found.message) end
if found.lnum ~= 5 or found.col ~= 2 then fail("at " .. found.lnum .. ":" .. found.col) end

vim.api.nvim_win_set_cursor(0, { 5, 15 })
local params = vim.lsp.util.make_position_params(0, "utf-16")
local answers = vim.lsp.buf_request_sync(buffer, "textDocument/hover", params, 60000)
local shown = vim.inspect(answers)
if not shown:find("fn double(number: int) -> int", 1, true) then fail("hover: " .. shown) end
if not shown:find("Twice as many", 1, true) then fail("hover: " .. shown) end

vim.api.nvim_buf_set_lines(buffer, 5, 6, false, { "     twice" })
wait("no findings", function() return #vim.diagnostic.get(buffer) == 0 end)
local options = { textDocument = { uri = vim.uri_from_bufnr(buffer) }, options = { tabSize = 2, insertSpaces = true } }
local edits = vim.lsp.buf_request_sync(buffer, "textDocument/formatting", options, 60000)
vim.lsp.util.apply_text_edits(edits[client].result, buffer, "utf-16")
vim.cmd("write")
vim.lsp.stop_client(client)
vim.cmd("quitall")
"#;

const BROKEN: &str = "\
/// Twice as many.
fn double(number: int) -> int { number   +  number }

fn quadruple(number: int) -> int {
  let twice = double(double(number))
  nmber
}
";

const FORMATTED: &str = "\
/// Twice as many.
fn double(number: int) -> int { number + number }

fn quadruple(number: int) -> int {
  let twice = double(double(number))
  twice
}
";

#[test]
fn neovim_shows_errors_and_hover_and_formats() {
    let found = Command::new("nvim").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        return missing("nvim is missing: apt-get install neovim");
    }
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("program.kait");
    let script: PathBuf = home.path().join("script.lua");
    std::fs::write(&file, BROKEN).unwrap();
    std::fs::write(&script, SCRIPT).unwrap();
    finished(
        Command::new("nvim")
            .args(["--headless", "--clean", "-n", "-i", "NONE", "-c"])
            .arg(format!("luafile {}", script.display()))
            .current_dir(home.path())
            .env("HOME", home.path())
            .env("XDG_CACHE_HOME", home.path())
            .env("XDG_STATE_HOME", home.path())
            .env("XDG_DATA_HOME", home.path())
            .env("KAIT_FILE", &file)
            .env("KAIT", env!("CARGO_BIN_EXE_kait"))
            .stdin(Stdio::null()),
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FORMATTED);
}
