//! `--watch`: does something again whenever a program below some paths changes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context as _;
use notify::{RecursiveMode, Watcher as _};

/// Changes within this time count as one: editors write a file in several steps.
const SETTLE: Duration = Duration::from_millis(60);

/// Calls `act` now and after every change of a `.kait` or `.toml` file; returns only if watching fails.
///
/// # Errors
/// If the paths cannot be watched.
pub fn watch(paths: &[PathBuf], mut act: impl FnMut()) -> anyhow::Result<()> {
    let changes = Changes::of(paths)?;
    loop {
        act();
        anstream::eprintln!("watching for changes; Ctrl-C ends");
        if !changes.wait() {
            anyhow::bail!("watching has ended");
        }
    }
}

/// Changes of `.kait` and `.toml` files and of `kait.lock`, from the moment on in which it was made.
pub struct Changes {
    changes: Receiver<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    /// The changes at and below these paths; of the current directory if there are none.
    ///
    /// # Errors
    /// If the paths cannot be watched.
    pub fn of(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let (sender, changes) = channel();
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                if let Ok(event) = event
                    && !event.kind.is_access()
                    && event.paths.iter().any(|path| is_ours(path))
                {
                    let _ = sender.send(());
                }
            })
            .context("cannot watch files here")?;
        let here = [PathBuf::from(".")];
        for path in if paths.is_empty() { &here[..] } else { paths } {
            // A file is watched through its directory: editors replace files instead of writing them.
            let directory =
                if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(path) };
            let directory =
                if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
            let mode =
                if path.is_dir() { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            watcher
                .watch(directory, mode)
                .with_context(|| format!("cannot watch `{}`", directory.display()))?;
            // A link that is named may come to lead elsewhere.
            if path.is_symlink()
                && let Some(above) = std::path::absolute(path)?.parent()
            {
                watcher
                    .watch(above, RecursiveMode::NonRecursive)
                    .with_context(|| format!("cannot watch `{}`", above.display()))?;
            }
        }
        Ok(Self { changes, _watcher: watcher })
    }

    /// Waits for a change, and until nothing has changed for a moment; `false` if watching has ended.
    pub fn wait(&self) -> bool {
        if self.changes.recv().is_err() {
            return false;
        }
        while self.changes.recv_timeout(SETTLE).is_ok() {}
        true
    }
}

/// Programs, settings and locks, and links, through which others may come to be there.
fn is_ours(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "kait" || e == "toml")
        || path.file_name().is_some_and(|name| name == "kait.lock")
        || path.is_symlink()
}
