//! `std.process`: programs, started with arguments and never through a shell.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use kait_engine::Outcome;
use kait_ir::{Failure, Value};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::args;
use crate::connections::{Connections, LeafFn};
use crate::grants::Access;
use crate::leaf::{Ended, LeafJob, Started};

/// The leaves of the module.
pub(crate) const LEAVES: &[(&str, LeafFn)] = &[("process.run", run)];

/// What a program gets of the environment: no keys that happen to stand there.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "TERM",
    "SYSTEMROOT",
    "USERPROFILE",
    "APPDATA",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
];

fn fail(message: impl Into<String>) -> Failure {
    Failure::Tool { name: "process.run".into(), message: message.into().into() }
}

/// The file that a program's name stands for: a path begins at `directory`, a name is looked up in `PATH`. Links to its
/// directory are resolved, and the last part is kept as it is: many programs may be links to one that goes by its name.
pub(crate) fn find(program: &str, directory: &Path) -> Option<PathBuf> {
    let has_path = program.contains(std::path::is_separator);
    if has_path {
        return runnable(&directory.join(program));
    }
    let search = std::env::var_os("PATH")?;
    // An entry that is no absolute path would mean another directory for every run.
    std::env::split_paths(&search)
        .filter(|entry| entry.is_absolute())
        .find_map(|entry| runnable(&entry.join(program)))
}

fn runnable(path: &Path) -> Option<PathBuf> {
    let names = [std::env::consts::EXE_SUFFIX, ""];
    let path = names.iter().find_map(|suffix| {
        let name = path.file_name()?.to_str()?;
        let path = match name.ends_with(suffix) {
            true => path.to_owned(),
            false => path.with_file_name(format!("{name}{suffix}")),
        };
        is_runnable(&path).then_some(path)
    })?;
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

#[cfg(unix)]
fn is_runnable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_runnable(path: &Path) -> bool {
    path.is_file()
}

fn run(cx: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let argv: Vec<String> = args::list(job.args, 0)?
        .iter()
        .map(|part| part.as_text().unwrap_or_default().to_owned())
        .collect();
    let Some((program, rest)) = argv.split_first() else {
        return Err(Failure::invalid(
            "argv",
            "the list is empty: its first item names the program",
        ));
    };
    let directory = cx.config().root.join(args::text(job.args, 1)?.as_str());
    let found = find(program, &directory);
    let path = found.as_deref().unwrap_or(Path::new(program));
    let access = Access::Process { program, path };
    cx.config().grants.allow(access).map_err(|why| Failure::Refused { why })?;
    let Some(path) = found else { return Err(fail(format!("there is no program `{program}`"))) };
    if !directory.is_dir() {
        return Err(fail(format!("there is no directory `{}`", args::text(job.args, 1)?)));
    }
    let (stdin, timeout) = (args::text(job.args, 2)?, args::duration(job.args, 3)?);
    let limit = cx.config().limits.output;
    // The file that was asked for, whatever is put into the way of its name meanwhile; it is told the name, because some
    // programs do by it what they do.
    let mut command = Command::new(path);
    #[cfg(unix)]
    command.arg0(program);
    command
        .args(rest)
        .current_dir(directory)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let program = program.clone();
    Ok(Started::Later(Box::pin(async move {
        let outcome = tokio::time::timeout(timeout, wait(command, &program, &stdin, limit)).await;
        Ended::from(match outcome.unwrap_or(Err(Failure::Timeout)) {
            Ok(value) => Outcome::Ok(value),
            Err(failure) => Outcome::Failed(failure),
        })
    })))
}

/// `process.Result(status, stdout, stderr)`.
async fn wait(
    mut command: Command,
    program: &str,
    stdin: &str,
    limit: usize,
) -> Result<Value, Failure> {
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => fail(format!("there is no program `{program}`")),
        std::io::ErrorKind::PermissionDenied => fail(format!("`{program}` may not be started")),
        _ => fail(format!("`{program}` cannot be started: {error}")),
    })?;
    let family = Family::of(&child);
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut input) = input {
            // A program that does not read its input to the end is no failure.
            let _ = input.write_all(stdin.as_bytes()).await;
        }
        Ok(())
    };
    // All at once: a program that waits for its output to be read would otherwise hang.
    let ((), stdout, stderr) =
        tokio::try_join!(feed, collect(output, program, limit), collect(errors, program, limit))?;
    let status = child.wait().await.map_err(|error| fail(format!("`{program}`: {error}")))?;
    family.release();
    Ok(Value::record([Value::Int(code(status)), Value::text(stdout), Value::text(stderr)]))
}

/// A program and all that it has started: unless released, they are ended together when this is dropped, so that a
/// timeout leaves nothing behind.
struct Family {
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Family {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { group: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self {}
    }

    /// The program has ended by itself; what it left running, it meant to.
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no group to forget"))]
    fn release(mut self) {
        #[cfg(unix)]
        {
            self.group = None;
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.group {
            // Nobody is left in it: that is what is wanted.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(unix)]
fn code(status: std::process::ExitStatus) -> i64 {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().map(|signal| 128 + signal);
    i64::from(status.code().or(signal).unwrap_or(-1))
}

#[cfg(not(unix))]
fn code(status: std::process::ExitStatus) -> i64 {
    i64::from(status.code().unwrap_or(-1))
}

async fn collect(
    from: Option<impl AsyncRead + Unpin>,
    program: &str,
    limit: usize,
) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let read = from.take(limit as u64 + 1).read_to_end(&mut bytes).await;
        read.map_err(|error| fail(format!("the output of `{program}` cannot be read: {error}")))?;
    }
    if bytes.len() > limit {
        return Err(fail(format!("`{program}` wrote more than {limit} bytes")));
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}
