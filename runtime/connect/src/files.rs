//! `std.file`. Work on the disk is done on tokio's blocking threads; what was begun there runs to its end, so a write
//! is never torn by a cancelled run.

use std::fs::Metadata;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use kait_engine::Outcome;
use kait_ir::{Blob, Failure, Value};
use smol_str::SmolStr;

use crate::args;
use crate::connections::{Config, Connections, LeafFn};
use crate::grants::Access;
use crate::leaf::{Ended, LeafJob, Started};
use crate::place;

/// The leaves of the module.
pub(crate) const LEAVES: &[(&str, LeafFn)] = &[
    ("file.append", |cx, job| later(cx, job, append)),
    ("file.bytes", |cx, job| later(cx, job, |call| Ok(Value::Bytes(call.bytes()?.into())))),
    ("file.exists", |cx, job| later(cx, job, exists)),
    ("file.image", |cx, job| later(cx, job, image)),
    ("file.list", |cx, job| later(cx, job, list)),
    ("file.open", |cx, job| later(cx, job, open)),
    ("file.read", |cx, job| later(cx, job, read)),
    ("file.stat", |cx, job| later(cx, job, stat)),
    ("file.write", |cx, job| later(cx, job, write)),
];

/// A call, as it goes to a blocking thread.
struct FileCall {
    name: SmolStr,
    config: Config,
    args: Vec<Value>,
    /// The path as the program wrote it.
    path: SmolStr,
}

fn later(
    cx: &Connections,
    job: &LeafJob<'_>,
    work: fn(&FileCall) -> Result<Value, Failure>,
) -> Result<Started, Failure> {
    let call = FileCall {
        name: job.decl.name.clone(),
        config: cx.config().clone(),
        args: job.args.to_vec(),
        path: args::text(job.args, 0)?,
    };
    let handle = tokio::task::spawn_blocking(move || work(&call));
    Ok(Started::Later(Box::pin(async move {
        let result =
            handle.await.unwrap_or_else(|_| Err(Failure::trap("the file leaf broke down")));
        Ended::from(match result {
            Ok(value) => Outcome::Ok(value),
            Err(failure) => Outcome::Failed(failure),
        })
    })))
}

impl FileCall {
    fn fail(&self, message: impl Into<String>) -> Failure {
        Failure::Tool { name: self.name.clone(), message: message.into().into() }
    }

    /// Where the path leads, and that it is granted. What is not granted is refused whether it is there or not, so that
    /// nobody learns that from a refusal.
    fn granted(&self, write: bool) -> Result<PathBuf, Failure> {
        if self.path.contains('\0') {
            return Err(self.fail("a path cannot hold a zero character"));
        }
        let path = self.config.root.join(self.path.as_str());
        let real = std::path::absolute(&path)
            .and_then(|absolute| place::resolve(&absolute))
            .map_err(|error| self.explain(&path, &error))?;
        let shown = self.path.as_str();
        let access = match write {
            true => Access::WriteFile { path: &real, shown },
            false => Access::ReadFile { path: &real, shown },
        };
        self.config.grants.allow(access).map_err(|why| Failure::Refused { why })?;
        Ok(real)
    }

    /// An error of the system in plain words.
    fn explain(&self, path: &Path, error: &io::Error) -> Failure {
        let shown = &self.path;
        match error.kind() {
            io::ErrorKind::NotFound => {
                self.fail(format!("there is no file `{shown}`{}", self.suggestion(path)))
            }
            io::ErrorKind::PermissionDenied => {
                self.fail(format!("the system does not let this user use `{shown}`"))
            }
            io::ErrorKind::NotADirectory => {
                self.fail(format!("a part of `{shown}` is a file, not a directory"))
            }
            io::ErrorKind::IsADirectory => {
                self.fail(format!("`{shown}` is a directory, not a file"))
            }
            io::ErrorKind::StorageFull => {
                self.fail(format!("there is no room on the disk for `{shown}`"))
            }
            _ => self.fail(format!("`{shown}`: {error}")),
        }
    }

    /// `; did you mean …?` if a sibling has a similar name, and may be read.
    fn suggestion(&self, path: &Path) -> String {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return String::new();
        };
        let Ok(siblings) = place::entries(parent, 2000) else {
            let shown = Path::new(self.path.as_str()).parent().unwrap_or(parent);
            return match parent.exists() {
                true => String::new(),
                false => format!(": there is no directory `{}`", shown.display()),
            };
        };
        let name = name.to_string_lossy().to_lowercase();
        let best = siblings
            .into_iter()
            .filter_map(|(other, _)| other.into_string().ok())
            .map(|other| (strsim::jaro_winkler(&name, &other.to_lowercase()), other))
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
        let Some((_, other)) = best.filter(|(score, _)| *score > 0.8) else {
            return String::new();
        };
        let access = Access::ReadFile { path: &parent.join(&other), shown: &other };
        match self.config.grants.allow(access) {
            Ok(()) => format!("; did you mean `{other}`?"),
            Err(_) => String::new(),
        }
    }

    /// The content of the file, up to the limit.
    fn bytes(&self) -> Result<Vec<u8>, Failure> {
        let path = self.granted(false)?;
        let limit = self.config.limits.file;
        let too_large = |size: u64| {
            self.fail(format!(
                "`{}` is too large: {} of at most {}",
                self.path,
                amount(size),
                amount(limit)
            ))
        };
        let opened = place::read(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (meta, file) = opened.map_err(|error| self.explain(&path, &error))?;
        if meta.is_dir() {
            return Err(self.fail(format!(
                "`{}` is a directory, not a file: `file.list` gives what is in it",
                self.path
            )));
        }
        if !meta.is_file() {
            // Pipes and devices might never end.
            return Err(self.fail(format!("`{}` is not an ordinary file", self.path)));
        }
        if meta.len() > limit {
            return Err(too_large(meta.len()));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
        // The file may have grown since, so the limit holds here as well.
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.explain(&path, &error))?;
        if bytes.len() as u64 > limit {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(bytes)
    }
}

/// A size for people.
fn amount(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} KB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn read(call: &FileCall) -> Result<Value, Failure> {
    let bytes = call.bytes()?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Value::text(text.strip_prefix('\u{feff}').unwrap_or(&text))),
        Err(error) => Err(call.fail(format!(
            "`{}` is not UTF-8 text: byte {} cannot be read; `file.bytes` gives its bytes",
            call.path,
            error.utf8_error().valid_up_to()
        ))),
    }
}

fn exists(call: &FileCall) -> Result<Value, Failure> {
    Ok(Value::Bool(place::metadata(&call.granted(false)?).is_ok()))
}

/// `file.Entry(name, path, size, changed)`.
fn entry(name: &str, path: &str, meta: &Metadata) -> Value {
    let changed = meta.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
    Value::record([
        Value::text(name),
        Value::text(path),
        Value::Size(if meta.is_dir() { 0 } else { meta.len() }),
        Value::Time(changed.unwrap_or(jiff::Timestamp::UNIX_EPOCH)),
    ])
}

fn stat(call: &FileCall) -> Result<Value, Failure> {
    let real = call.granted(false)?;
    let meta = place::metadata(&real).map_err(|error| call.explain(&real, &error))?;
    let name = Path::new(call.path.as_str()).file_name().map(|name| name.to_string_lossy());
    Ok(entry(name.as_deref().unwrap_or(&call.path), &call.path, &meta))
}

/// The content of a file as a value of type `file`, `image` or `audio`. Its MIME type is that of its first bytes if it
/// is a picture, else that of its name.
pub fn blob(path: &str, bytes: Vec<u8>) -> Blob {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy());
    let media_type = picture_type(&bytes).unwrap_or_else(|| type_by_name(path, &bytes));
    Blob {
        name: name.as_deref().unwrap_or_default().into(),
        media_type: media_type.into(),
        bytes: bytes.into(),
    }
}

/// Whether the bytes are those of a PNG, JPEG, GIF or WebP picture.
pub fn is_picture(bytes: &[u8]) -> bool {
    picture_type(bytes).is_some()
}

fn open(call: &FileCall) -> Result<Value, Failure> {
    Ok(Value::Blob(Arc::new(blob(&call.path, call.bytes()?))))
}

fn image(call: &FileCall) -> Result<Value, Failure> {
    let bytes = call.bytes()?;
    if !is_picture(&bytes) {
        return Err(call.fail(format!("`{}` is not a PNG, JPEG, GIF or WebP picture", call.path)));
    }
    Ok(Value::Blob(Arc::new(blob(&call.path, bytes))))
}

/// The MIME type of a picture, by the signatures of the formats.
fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn type_by_name(path: &str, bytes: &[u8]) -> &'static str {
    let extension = Path::new(path).extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "pdf" => "application/pdf",
        "json" => "application/json",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "md" => "text/markdown",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" => "audio/mp4",
        "zip" => "application/zip",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ if std::str::from_utf8(bytes).is_ok() => "text/plain",
        _ => "application/octet-stream",
    }
}

fn matcher(call: &FileCall, pattern: &str) -> Result<GlobMatcher, Failure> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| {
            Failure::invalid(
                "glob",
                format!(
                    "the pattern `{pattern}` of `{}` cannot be read: {}",
                    call.name,
                    error.kind()
                ),
            )
        })
}

fn list(call: &FileCall) -> Result<Value, Failure> {
    let pattern = args::text(&call.args, 1)?;
    let wanted = matcher(call, &pattern)?;
    let hidden_wanted = pattern.split('/').any(|part| part.starts_with('.'));
    // Below how many levels nothing can match: without `**` as many as the pattern has parts.
    let levels = if pattern.contains("**") { 64 } else { pattern.split('/').count() };
    let root = call.granted(false)?;
    match place::metadata(&root) {
        Err(error) => return Err(call.explain(&root, &error)),
        Ok(meta) if !meta.is_dir() => {
            return Err(call.fail(format!("`{}` is a file, not a directory", call.path)));
        }
        Ok(_) => {}
    }
    let base = match call.path.trim_end_matches('/') {
        "." | "" if !call.path.starts_with('/') => String::new(),
        base => format!("{base}/"),
    };
    let mut found = Vec::new();
    let most = call.config.limits.listed;
    let mut looked_at = 0usize;
    let mut open = vec![(root, String::new(), 1usize)];
    while let Some((dir, prefix, level)) = open.pop() {
        let entries = match place::entries(&dir, most + 1 - looked_at) {
            Ok(entries) => entries,
            // A directory below that this user may not read is left out, the one that was asked for is not.
            Err(_) if level > 1 => continue,
            Err(error) => return Err(call.explain(&dir, &error)),
        };
        looked_at += entries.len();
        if looked_at > most {
            return Err(call.fail(format!(
                "`{}` holds more than {most} files: choose a smaller directory",
                call.path
            )));
        }
        for (file_name, kind) in entries {
            let Some(file_name) = file_name.to_str() else { continue };
            if file_name.starts_with('.') && !hidden_wanted {
                continue;
            }
            let name = format!("{prefix}{file_name}");
            let real = dir.join(file_name);
            if kind == place::Kind::Directory {
                // Links to directories are not followed, so this ends.
                if level < levels {
                    open.push((real, format!("{name}/"), level + 1));
                }
                continue;
            }
            if !wanted.is_match(&name) {
                continue;
            }
            let path = format!("{base}{name}");
            let real = match kind {
                place::Kind::Link => place::resolve(&real),
                _ => Ok(real),
            };
            if let Ok(real) = real
                && call.config.grants.allow(Access::ReadFile { path: &real, shown: &path }).is_ok()
                && let Ok(meta) = place::metadata(&real)
                && meta.is_file()
            {
                let entry = entry(&name, &path, &meta);
                found.push((path, entry));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Value::list(found.into_iter().map(|(_, entry)| entry).collect()))
}

fn write(call: &FileCall) -> Result<Value, Failure> {
    let content = args::text(&call.args, 1)?;
    let target = call.granted(true)?;
    place::replace(&target, content.as_bytes()).map_err(|error| call.explain(&target, &error))?;
    Ok(Value::None)
}

fn append(call: &FileCall) -> Result<Value, Failure> {
    let content = args::text(&call.args, 1)?;
    let target = call.granted(true)?;
    place::append(&target)
        .and_then(|mut file| {
            file.write_all(content.as_bytes())?;
            file.sync_data()
        })
        .map_err(|error| call.explain(&target, &error))?;
    Ok(Value::None)
}
