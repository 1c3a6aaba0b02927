//! Places in the file system: where a path leads, and how what stands there is opened so that it is still that place.
//!
//! A path is resolved once, asked for, and then opened part by part without following links. So a link that somebody
//! puts in the way between the question and the opening leads nowhere, instead of to a place that nobody has granted.
//! (Systems without such an opening, which is Windows only, open the path.)

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

/// Links on the way to one place; the systems have the same limit, or a lower one.
const MAX_LINKS: usize = 40;

/// Where a path leads: links resolved, also one that leads to nothing, `.` and `..` taken away. What is not there yet
/// stands as it is written. The path is absolute.
///
/// # Errors
/// If links go in a circle.
pub(crate) fn resolve(absolute: &Path) -> io::Result<PathBuf> {
    let mut real = PathBuf::new();
    let mut ahead: Vec<OsString> = parts(absolute);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => {
                real.pop();
                continue;
            }
            Some(Component::CurDir) | None => continue,
            Some(Component::Prefix(_) | Component::RootDir) => {
                real.push(&part);
                continue;
            }
            Some(Component::Normal(_)) => {}
        }
        let next = real.join(&part);
        let is_link = next.symlink_metadata().is_ok_and(|meta| meta.file_type().is_symlink());
        if !is_link {
            real = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(io::Error::other("its links go in a circle"));
        }
        ahead.extend(parts(&next.read_link()?));
    }
    Ok(as_the_disk_writes_it(real))
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let mut parts: Vec<_> = path.components().map(|part| part.as_os_str().to_owned()).collect();
    parts.reverse();
    parts
}

/// Some file systems take letters of either case, and accents in either form, for the same: what is there is called
/// what the disk calls it.
fn as_the_disk_writes_it(real: PathBuf) -> PathBuf {
    for there in real.ancestors() {
        if let Ok(known) = there.canonicalize() {
            return match real.strip_prefix(there) {
                Ok(rest) if !rest.as_os_str().is_empty() => known.join(rest),
                _ => known,
            };
        }
    }
    real
}

/// Opens a resolved path for reading. Never waits, whatever stands there.
pub(crate) fn read(real: &Path) -> io::Result<File> {
    sys::read(real)
}

/// What is known of a resolved path.
pub(crate) fn metadata(real: &Path) -> io::Result<Metadata> {
    sys::metadata(real)
}

/// Opens a file to write at its end, and makes it, and the directories above it, if they are not there.
pub(crate) fn append(real: &Path) -> io::Result<File> {
    sys::append(real)
}

/// Replaces a file as a whole: the content goes to a new file beside it, which then takes its name. The directories above
/// it are made if they are not there; the permissions of a file that is replaced are kept.
pub(crate) fn replace(real: &Path, content: &[u8]) -> io::Result<()> {
    sys::replace(real, content)
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A directory.
    Directory,
    /// A link, to whatever.
    Link,
    /// A file, or something special.
    Other,
}

/// The entries of the directory at a resolved path: names and what they are. Stops after `limit` of them.
pub(crate) fn entries(real: &Path, limit: usize) -> io::Result<Vec<(OsString, Kind)>> {
    sys::entries(real, limit)
}

/// A pipe or a device is not replaced by a file, and writing to it might never end.
fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, no file")
}

/// A name beside a file, which nobody has.
fn beside(name: &std::ffi::OsStr) -> String {
    format!(".{}.{}.tmp", name.to_string_lossy(), uuid::Uuid::new_v4().simple())
}

#[cfg(unix)]
mod sys {
    use std::ffi::{OsStr, OsString};
    use std::fs::{File, Metadata, Permissions};
    use std::io::{self, Write as _};
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Component, Path};

    use rustix::fd::OwnedFd;
    use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags};
    use rustix::io::Errno;

    use super::Kind;

    /// To stand in a directory one need not be allowed to read it, where the system knows the difference.
    #[cfg(target_os = "linux")]
    const STAND: OFlags = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    const STAND: OFlags = OFlags::RDONLY;

    const NEW_FILE: Mode = Mode::from_raw_mode(0o666);
    const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o777);

    fn open(at: &OwnedFd, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        fs::openat(at, name, flags, mode).map_err(|error| match error {
            // A link, which was none when the path was resolved.
            Errno::LOOP => {
                io::Error::other("it was replaced by a link while it was about to be opened")
            }
            other => other.into(),
        })
    }

    /// The directory that a path lies in, and the path's last part. With `make`, directories that are missing are made.
    fn parent(real: &Path, make: bool) -> io::Result<(OwnedFd, &OsStr)> {
        let root = OFlags::DIRECTORY | OFlags::CLOEXEC | STAND;
        let mut here = fs::open("/", root, Mode::empty())?;
        let mut parts = real.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        });
        // The root lies in itself.
        let Some(mut name) = parts.next() else { return Ok((here, OsStr::new("."))) };
        for next in parts {
            let step = || open(&here, name, OFlags::DIRECTORY | STAND, Mode::empty());
            here = match step() {
                Err(error) if make && error.kind() == io::ErrorKind::NotFound => {
                    match fs::mkdirat(&here, name, NEW_DIRECTORY) {
                        // Somebody else may have made it meanwhile.
                        Ok(()) | Err(Errno::EXIST) => step()?,
                        Err(error) => return Err(error.into()),
                    }
                }
                other => other?,
            };
            name = next;
        }
        Ok((here, name))
    }

    pub fn read(real: &Path) -> io::Result<File> {
        let (at, name) = parent(real, false)?;
        // A pipe without a writer would be waited for.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        open(&at, name, flags, Mode::empty()).map(File::from)
    }

    pub fn metadata(real: &Path) -> io::Result<Metadata> {
        let (at, name) = parent(real, false)?;
        let flags = STAND | OFlags::NONBLOCK | OFlags::NOCTTY;
        File::from(open(&at, name, flags, Mode::empty())?).metadata()
    }

    /// What stands at a place already; nothing, or an ordinary file.
    fn replaced(at: &OwnedFd, name: &OsStr) -> io::Result<Option<Permissions>> {
        match fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    #[allow(clippy::useless_conversion, reason = "it has 16 bits on some systems")]
                    let mode = u32::from(stat.st_mode) & 0o7777;
                    Ok(Some(Permissions::from_mode(mode)))
                }
                // It is replaced itself, and not followed.
                FileType::Symlink => Ok(None),
                FileType::Directory => Err(io::ErrorKind::IsADirectory.into()),
                _ => Err(super::no_file()),
            },
        }
    }

    pub fn append(real: &Path) -> io::Result<File> {
        let (at, name) = parent(real, true)?;
        replaced(&at, name)?;
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOCTTY;
        let file = File::from(open(&at, name, flags | OFlags::NONBLOCK, NEW_FILE)?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(super::no_file()) }
    }

    pub fn replace(real: &Path, content: &[u8]) -> io::Result<()> {
        let (at, name) = parent(real, true)?;
        let permissions = replaced(&at, name)?;
        let draft = super::beside(name);
        let draft = OsStr::new(&draft);
        let written = (|| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
            let mut file = File::from(open(&at, draft, flags, NEW_FILE)?);
            file.write_all(content)?;
            if let Some(permissions) = permissions {
                file.set_permissions(permissions)?;
            }
            file.sync_all()?;
            fs::renameat(&at, draft, &at, name).map_err(io::Error::from)
        })();
        if written.is_err() {
            let _ = fs::unlinkat(&at, draft, AtFlags::empty());
        }
        written
    }

    pub fn entries(real: &Path, limit: usize) -> io::Result<Vec<(OsString, Kind)>> {
        let (at, name) = parent(real, false)?;
        let directory = open(&at, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        let mut found = Vec::new();
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let bytes = entry.file_name().to_bytes();
            if matches!(bytes, b"." | b"..") {
                continue;
            }
            if found.len() >= limit {
                break;
            }
            let name = OsStr::from_bytes(bytes);
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                // Some file systems do not say it in the list.
                let Ok(stat) = fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) else {
                    continue;
                };
                kind = FileType::from_raw_mode(stat.st_mode);
            }
            let kind = match kind {
                FileType::Directory => Kind::Directory,
                FileType::Symlink => Kind::Link,
                _ => Kind::Other,
            };
            found.push((name.to_owned(), kind));
        }
        Ok(found)
    }
}

#[cfg(not(unix))]
mod sys {
    use std::ffi::OsString;
    use std::fs::{self, File, Metadata};
    use std::io::{self, Write as _};
    use std::path::Path;

    use super::Kind;

    pub fn read(real: &Path) -> io::Result<File> {
        File::open(real)
    }

    pub fn metadata(real: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(real)
    }

    fn parent(real: &Path) -> io::Result<&Path> {
        let parent = real.parent().unwrap_or(real);
        fs::create_dir_all(parent)?;
        match fs::metadata(real) {
            Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(meta) if !meta.is_file() => Err(super::no_file()),
            _ => Ok(parent),
        }
    }

    pub fn append(real: &Path) -> io::Result<File> {
        parent(real)?;
        File::options().append(true).create(true).open(real)
    }

    pub fn replace(real: &Path, content: &[u8]) -> io::Result<()> {
        let draft = parent(real)?.join(super::beside(real.file_name().unwrap_or_default()));
        let written = (|| {
            let mut file = File::options().write(true).create_new(true).open(&draft)?;
            file.write_all(content)?;
            if let Ok(meta) = fs::metadata(real) {
                file.set_permissions(meta.permissions())?;
            }
            file.sync_all()?;
            fs::rename(&draft, real)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written
    }

    pub fn entries(real: &Path, limit: usize) -> io::Result<Vec<(OsString, Kind)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(real)?.take(limit) {
            let entry = entry?;
            let kind = entry.file_type()?;
            let kind = match kind {
                kind if kind.is_symlink() => Kind::Link,
                kind if kind.is_dir() => Kind::Directory,
                _ => Kind::Other,
            };
            found.push((entry.file_name(), kind));
        }
        Ok(found)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn paths_lead_where_the_system_goes() {
        let dir = tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/x"), "x").unwrap();
        symlink("b", root.join("a/link")).unwrap();
        symlink(root.join("nowhere/y"), root.join("dangling")).unwrap();
        symlink("round", root.join("circle")).unwrap();
        symlink("circle", root.join("round")).unwrap();
        for (path, expected) in [
            ("a/b/x", "a/b/x"),
            ("a/link/x", "a/b/x"),
            // Above a link is above where it leads.
            ("a/link/../b/./x", "a/b/x"),
            ("a/link/../../a", "a"),
            ("dangling", "nowhere/y"),
            ("new/er/file", "new/er/file"),
            ("new/../a", "a"),
        ] {
            assert_eq!(resolve(&root.join(path)).unwrap(), root.join(expected), "{path}");
        }
        assert!(resolve(&root.join("circle")).is_err());
        assert_eq!(resolve(Path::new("/../..")).unwrap(), Path::new("/"));
    }

    /// Whatever is put in the way after a path was resolved: what is outside is neither read nor changed.
    #[test]
    fn a_link_that_comes_later_leads_nowhere() {
        let (dir, outside) = (tempdir().unwrap(), tempdir().unwrap());
        let root = dir.path().canonicalize().unwrap();
        fs::write(outside.path().join("x"), "secret").unwrap();
        fs::create_dir(root.join("sub")).unwrap();
        fs::write(root.join("sub/x"), "mine").unwrap();
        let (file, inner) = (root.join("sub/x"), root.join("sub/new/y"));
        assert!(read(&file).is_ok() && metadata(&file).unwrap().len() == 4);

        // In the place of the file.
        fs::remove_file(&file).unwrap();
        symlink(outside.path().join("x"), &file).unwrap();
        assert!(read(&file).is_err());
        assert!(append(&file).is_err());
        assert!(metadata(&file).is_err() || metadata(&file).unwrap().file_type().is_symlink());
        replace(&file, b"replaced").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "replaced");

        // In the place of a directory above it.
        fs::remove_dir_all(root.join("sub")).unwrap();
        symlink(outside.path(), root.join("sub")).unwrap();
        assert!(read(&file).is_err() && metadata(&file).is_err());
        assert!(append(&file).is_err() && append(&inner).is_err());
        assert!(replace(&file, b"x").is_err() && replace(&inner, b"x").is_err());
        assert!(entries(&root.join("sub"), 10).is_err());
        assert_eq!(fs::read_to_string(outside.path().join("x")).unwrap(), "secret");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_file_holds_nobody_up() {
        let dir = tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let pipe = root.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(!read(&pipe).unwrap().metadata().unwrap().is_file());
        assert!(append(&pipe).is_err() && replace(&pipe, b"x").is_err());
        assert!(replace(&root, b"x").is_err());
        assert!(read(Path::new("/")).unwrap().metadata().unwrap().is_dir());
    }

    #[test]
    fn new_directories_and_permissions_are_as_they_should_be() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let path = root.join("a/b/c");
        replace(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let mut text = String::new();
        read(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "two");
        assert_eq!(entries(&root.join("a"), 5).unwrap(), [("b".into(), Kind::Directory)]);
    }
}
