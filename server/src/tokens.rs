//! Bearer tokens: who may do what. A token is shown once, when it is made; what is kept is its hash, in a file that
//! only its owner can read.
//!
//! A token has 256 random bits, so a plain hash of it cannot be guessed back; hashes are compared in constant time.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// Largest file of tokens that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Start and cancel runs.
    Run,
    /// See graphs, runs and their logs.
    Read,
    /// Vouch for what is given to a run: give parameters that must be trusted.
    Vouch,
    /// Change programs.
    Author,
    /// Everything.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 5] = [Self::Run, Self::Read, Self::Vouch, Self::Author, Self::Admin];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Read => "read",
            Self::Vouch => "vouch",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }

    /// The scope of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Who sent a request, as far as its token says.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The token's name.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// The token's hash: names need not differ.
    pub id: blake3::Hash,
    /// Set once the token is taken back, or allows something else: streams that it opened end.
    pub revoked: CancellationToken,
}

impl Principal {
    /// Whether it may.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|has| *has == scope || *has == Scope::Admin)
    }
}

/// The tokens could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file could not be read or written.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("`{path}` is not a list of tokens: {why}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Others can read the file.
    #[error(
        "`{path}` can be read by others (mode {mode:o}); it must be its owner's only: chmod 600 {path}"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// No random bits.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// What the token is called, for people.
    name: String,
    scopes: Vec<Scope>,
    /// The BLAKE3 hash of the token, in hexadecimal.
    blake3: String,
    /// When it was made.
    created: String,
}

/// The tokens of a profile.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: RwLock<Vec<Arc<Principal>>>,
}

impl Tokens {
    /// Reads the tokens in a file; none if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, is not a list of tokens, or can be read by others.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        Ok(Self { path: path.into(), known: RwLock::new(principals(path)?) })
    }

    /// Reads the file again: tokens that are new in it are known from now on, those that are gone are not, and what
    /// they have opened ends. Whether anything has changed.
    ///
    /// # Errors
    /// As [`Tokens::load`]; then all stays as it was.
    pub fn refresh(&self) -> Result<bool, TokenError> {
        let mut next = principals(&self.path)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let same = |a: &Principal, b: &Principal| a.id == b.id && a.scopes == b.scopes;
        let before = std::mem::take(&mut *known);
        let mut changed = before.len() != next.len();
        for old in before {
            match next.iter_mut().find(|new| same(new, &old)) {
                Some(new) => *new = old,
                None => {
                    changed = true;
                    old.revoked.cancel();
                }
            }
        }
        *known = next;
        Ok(changed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Makes a token, adds it to the file, and gives it: it cannot be had again.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&self, name: &str, scopes: &[Scope]) -> Result<String, TokenError> {
        let mut secret = [0u8; 32];
        getrandom::fill(&mut secret).map_err(|error| TokenError::Random(error.to_string()))?;
        let token = format!("kait_{}", blake3::Hash::from_bytes(secret).to_hex());
        let hash = blake3::hash(token.as_bytes());
        // Others may add theirs at the same time; dropping it unlocks.
        let _lock = lock(&self.path)?;
        let mut file = read(&self.path)?;
        file.tokens.push(Entry {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            blake3: hash.to_hex().to_string(),
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        write(&self.path, &file)?;
        let principal = principal(name.to_owned(), scopes.to_vec(), hash);
        self.known.write().unwrap_or_else(PoisonError::into_inner).push(principal);
        Ok(token)
    }

    /// Whose token it is. Takes as long for a wrong one as for a right one.
    pub fn principal(&self, token: &str) -> Option<Arc<Principal>> {
        let presented = blake3::hash(token.as_bytes());
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        // `blake3::Hash` compares in constant time; all are looked at.
        let mut found = None;
        for principal in known.iter() {
            if principal.id == presented {
                found = Some(principal);
            }
        }
        found.cloned()
    }
}

fn principal(name: String, scopes: Vec<Scope>, id: blake3::Hash) -> Arc<Principal> {
    Arc::new(Principal { name, scopes, id, revoked: CancellationToken::new() })
}

/// Those whose tokens are in a file.
fn principals(path: &Path) -> Result<Vec<Arc<Principal>>, TokenError> {
    let mut found = Vec::new();
    for entry in read(path)?.tokens {
        let hash = blake3::Hash::from_hex(&entry.blake3).map_err(|error| TokenError::Parse {
            path: path.into(),
            why: format!("the hash of `{}`: {error}", entry.name),
        })?;
        found.push(principal(entry.name, entry.scopes, hash));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<File, TokenError> {
    let failed = |source| TokenError::File { path: path.into(), source };
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(failed(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(TokenError::Open { path: path.into(), mode });
        }
    }
    let wrong = |why: String| TokenError::Parse { path: path.into(), why };
    if meta.len() > MAX_FILE {
        return Err(wrong(format!("it is larger than {MAX_FILE} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

/// Keeps others from changing the file: a file beside it that only they and we lock. It stays, as whoever deleted it
/// would take it from under somebody who waits for it.
fn lock(path: &Path) -> Result<std::fs::File, TokenError> {
    let failed = |source| TokenError::File { path: path.into(), source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path.with_extension("lock")).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

/// Replaces the file in one step; it is its owner's only from its first byte on.
fn write(path: &Path, file: &File) -> Result<(), TokenError> {
    let failed = |source| TokenError::File { path: path.into(), source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    // Whoever writes holds the lock.
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let text = serde_json::to_string_pretty(file).unwrap_or_default();
    let written = options
        .open(&draft)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.write_all(b"\n")?;
            out.sync_all()
        })
        .and_then(|()| std::fs::rename(&draft, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_again_and_its_text_is_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("profiles/local.tokens.json");
        let tokens = Tokens::load(&path).unwrap();
        assert!(tokens.is_empty());
        let admin = tokens.add("first", &[Scope::Admin]).unwrap();
        let reader = tokens.add("dash board", &[Scope::Read]).unwrap();
        assert_ne!(admin, reader);
        let again = Tokens::load(&path).unwrap();
        assert!(again.principal(&admin).unwrap().may(Scope::Run));
        let principal = again.principal(&reader).unwrap();
        assert!(principal.may(Scope::Read) && !principal.may(Scope::Run));
        assert!(again.principal("").is_none());
        assert!(again.principal(&admin.to_uppercase()).is_none());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&admin) && !text.contains(admin.trim_start_matches("kait_")));
    }

    #[test]
    fn tokens_that_are_made_at_once_are_all_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.json");
        let made: Vec<String> = std::thread::scope(|scope| {
            let make = || Tokens::load(&path).unwrap().add("x", &[Scope::Read]).unwrap();
            let all: Vec<_> = (0..12).map(|_| scope.spawn(make)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let tokens = Tokens::load(&path).unwrap();
        assert!(made.iter().all(|token| tokens.principal(token).is_some()));
    }

    #[test]
    fn a_token_that_is_gone_from_the_file_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.json");
        let tokens = Tokens::load(&path).unwrap();
        let (kept, gone) = (tokens.add("a", &[Scope::Read]), tokens.add("b", &[Scope::Run]));
        let (kept, gone) = (kept.unwrap(), gone.unwrap());
        let (stays, goes) = (tokens.principal(&kept).unwrap(), tokens.principal(&gone).unwrap());
        assert!(!tokens.refresh().unwrap());
        // What is not a list of tokens changes nothing.
        let file = read(&path).unwrap();
        std::fs::write(&path, "{").unwrap();
        assert!(tokens.refresh().is_err() && tokens.principal(&gone).is_some());
        let entries = file.tokens.into_iter().filter(|entry| entry.name == "a").collect();
        write(&path, &File { tokens: entries }).unwrap();
        let other = Tokens::load(&path).unwrap().add("c", &[Scope::Admin]).unwrap();
        assert!(tokens.refresh().unwrap());
        assert!(tokens.principal(&gone).is_none() && goes.revoked.is_cancelled());
        assert!(tokens.principal(&kept).is_some() && !stays.revoked.is_cancelled());
        assert!(tokens.principal(&other).unwrap().may(Scope::Author));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.json");
        Tokens::load(&path).unwrap().add("first", &[Scope::Admin]).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Tokens::load(&path), Err(TokenError::Open { mode: 0o640, .. })));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.json");
        write(&path, &File::default()).unwrap();
        std::fs::write(&path, "{").unwrap();
        let error = Tokens::load(&path).unwrap_err().to_string();
        assert!(error.contains("t.json") && error.contains("not a list of tokens"), "{error}");
    }
}
