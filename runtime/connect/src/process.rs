//! `std.process`: programs, started with arguments and never through a shell.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use kait_engine::Outcome;
use kait_ir::{Failure, Value};
use smol_str::SmolStr;
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

/// A program that is ready to be started for a leaf.
pub(crate) struct Launch {
    /// The leaf, for messages.
    pub leaf: SmolStr,
    /// What it is called.
    program: String,
    command: Command,
    /// Most bytes of each of its outputs.
    output: usize,
    /// Most memory, in bytes.
    pub memory: Option<u64>,
    /// Most processor time, in nanoseconds.
    pub time: Option<u64>,
}

/// A program that has ended.
pub(crate) struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
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
    if argv.is_empty() {
        return Err(Failure::invalid(
            "argv",
            "the list is empty: its first item names the program",
        ));
    }
    let directory = args::text(job.args, 1)?;
    let launch = Launch::new(cx, "process.run", &argv, &directory)?;
    let (stdin, timeout) = (args::text(job.args, 2)?, args::duration(job.args, 3)?);
    Ok(Started::Later(Box::pin(async move {
        let ended = tokio::time::timeout(timeout, launch.finish(stdin.as_bytes())).await;
        Ended::from(match ended.unwrap_or(Err(Failure::Timeout)) {
            Ok(Finished { status, stdout, stderr }) => Outcome::Ok(Value::record([
                Value::Int(code(status)),
                Value::text(lossy(stdout)),
                Value::text(lossy(stderr)),
            ])),
            Err(failure) => Outcome::Failed(failure),
        })
    })))
}

impl Launch {
    /// A program with its arguments, if it is granted and there. `argv` is not empty; `directory` is as the program says it.
    ///
    /// # Errors
    /// `Refused` if it is not granted, `Tool` if it cannot be started.
    pub fn new(
        cx: &Connections,
        leaf: &str,
        argv: &[String],
        directory: &str,
    ) -> Result<Self, Failure> {
        let fail = |message: String| Failure::Tool { name: leaf.into(), message: message.into() };
        let Some((program, rest)) = argv.split_first() else {
            return Err(fail("there is no program to start".to_owned()));
        };
        let root = cx.config().root.join(directory);
        let found = find(program, &root);
        let path = found.as_deref().unwrap_or(Path::new(program));
        let access = Access::Process { program, path };
        cx.config().grants.allow(access).map_err(|why| Failure::Refused { why })?;
        let Some(path) = found else {
            return Err(fail(format!("there is no program `{program}`")));
        };
        if !root.is_dir() {
            return Err(fail(format!("there is no directory `{directory}`")));
        }
        // The file that was asked for, whatever is put into the way of its name meanwhile; it is told the name, because
        // some programs do by it what they do.
        let mut command = Command::new(path);
        #[cfg(unix)]
        command.arg0(program);
        command
            .args(rest)
            .current_dir(root)
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        Ok(Self {
            leaf: leaf.into(),
            program: program.clone(),
            command,
            output: cx.config().limits.output,
            memory: None,
            time: None,
        })
    }

    fn fail(&self, message: String) -> Failure {
        Failure::Tool { name: self.leaf.clone(), message: message.into() }
    }

    /// Starts the program and waits for its end.
    ///
    /// # Errors
    /// `Tool` if it cannot be started or writes too much.
    pub async fn finish(mut self, stdin: &[u8]) -> Result<Finished, Failure> {
        let program = self.program.clone();
        if !can_limit() && (self.memory.is_some() || self.time.is_some()) {
            return Err(self.fail(format!(
                "`{program}` is not started: `memory` and `time` cannot be held to on this system"
            )));
        }
        let mut child = self.command.spawn().map_err(|error| {
            self.fail(match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no program `{program}`"),
                std::io::ErrorKind::PermissionDenied => {
                    format!("`{program}` may not be started")
                }
                _ => format!("`{program}` cannot be started: {error}"),
            })
        })?;
        let family = Family::of(&child);
        limit(&child, self.memory, self.time)
            .map_err(|error| self.fail(format!("`{program}` cannot be held to limits: {error}")))?;
        let (input, output, errors) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let Some(mut input) = input {
                // A program that does not read its input to the end is no failure.
                let _ = input.write_all(stdin).await;
            }
            Ok(())
        };
        // All at once: a program that waits for its output to be read would otherwise hang.
        let ((), stdout, stderr) =
            tokio::try_join!(feed, self.collect(output), self.collect(errors))?;
        let status =
            child.wait().await.map_err(|error| self.fail(format!("`{program}`: {error}")))?;
        family.release();
        Ok(Finished { status, stdout, stderr })
    }

    async fn collect(&self, from: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Failure> {
        let (program, limit) = (&self.program, self.output);
        let mut bytes = Vec::new();
        if let Some(from) = from {
            let read = from.take(limit as u64 + 1).read_to_end(&mut bytes).await;
            read.map_err(|error| {
                self.fail(format!("the output of `{program}` cannot be read: {error}"))
            })?;
        }
        if bytes.len() > limit {
            return Err(self.fail(format!("`{program}` wrote more than {limit} bytes")));
        }
        Ok(bytes)
    }
}

/// Whether a program can be held to limits.
const fn can_limit() -> bool {
    cfg!(target_os = "linux")
}

/// Limits what a program takes from now on; whatever it starts has the same limits.
#[cfg(target_os = "linux")]
fn limit(child: &Child, memory: Option<u64>, time: Option<u64>) -> std::io::Result<()> {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    // Without an id it has ended already.
    let Some(id) = id else { return Ok(()) };
    let hold = |resource, most| {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        match prlimit(Some(id), resource, limit) {
            Err(rustix::io::Errno::SRCH) | Ok(_) => Ok(()),
            Err(error) => Err(std::io::Error::from(error)),
        }
    };
    if let Some(memory) = memory {
        hold(Resource::As, memory)?;
    }
    if let Some(time) = time {
        // The system counts whole seconds.
        hold(Resource::Cpu, time.div_ceil(1_000_000_000).max(1))?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn limit(_: &Child, _: Option<u64>, _: Option<u64>) -> std::io::Result<()> {
    Ok(())
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
pub(crate) fn code(status: ExitStatus) -> i64 {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().map(|signal| 128 + signal);
    i64::from(status.code().or(signal).unwrap_or(-1))
}

#[cfg(not(unix))]
pub(crate) fn code(status: ExitStatus) -> i64 {
    i64::from(status.code().unwrap_or(-1))
}

/// Text of whatever is written; what is not valid is shown as `U+FFFD`.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}
