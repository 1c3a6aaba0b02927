//! Bearer tokens: who may do what. A token is shown once, when it is made; what is kept is its hash, in a file that
//! only its owner can read.
//!
//! A token has 256 random bits, so a plain hash of it cannot be guessed back; hashes are compared in constant time.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
    /// Change programs.
    Author,
    /// Everything.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 4] = [Self::Run, Self::Read, Self::Author, Self::Admin];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Read => "read",
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The token's name.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
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
    #[error("`{path}` is no list of tokens: {why}")]
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
    known: Vec<(blake3::Hash, Arc<Principal>)>,
}

impl Tokens {
    /// Reads the tokens in a file; none if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read, is no list of tokens, or can be read by others.
    pub fn load(path: &Path) -> Result<Self, TokenError> {
        let mut known = Vec::new();
        for entry in read(path)?.tokens {
            let hash =
                blake3::Hash::from_hex(&entry.blake3).map_err(|error| TokenError::Parse {
                    path: path.into(),
                    why: format!("the hash of `{}`: {error}", entry.name),
                })?;
            known.push((hash, Arc::new(Principal { name: entry.name, scopes: entry.scopes })));
        }
        Ok(Self { path: path.into(), known })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Makes a token, adds it to the file, and gives it: it cannot be had again.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, name: &str, scopes: &[Scope]) -> Result<String, TokenError> {
        let mut secret = [0u8; 32];
        getrandom::fill(&mut secret).map_err(|error| TokenError::Random(error.to_string()))?;
        let token = format!("kait_{}", blake3::Hash::from_bytes(secret).to_hex());
        let hash = blake3::hash(token.as_bytes());
        let mut file = read(&self.path)?;
        file.tokens.push(Entry {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            blake3: hash.to_hex().to_string(),
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        write(&self.path, &file)?;
        let principal = Principal { name: name.to_owned(), scopes: scopes.to_vec() };
        self.known.push((hash, Arc::new(principal)));
        Ok(token)
    }

    /// Whose token it is. Takes as long for a wrong one as for a right one.
    pub fn principal(&self, token: &str) -> Option<&Arc<Principal>> {
        let presented = blake3::hash(token.as_bytes());
        // `blake3::Hash` compares in constant time; all are looked at.
        let mut found = None;
        for (hash, principal) in &self.known {
            if *hash == presented {
                found = Some(principal);
            }
        }
        found
    }
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

/// Replaces the file in one step; it is its owner's only from its first byte on.
fn write(path: &Path, file: &File) -> Result<(), TokenError> {
    let failed = |source| TokenError::File { path: path.into(), source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
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
        let mut tokens = Tokens::load(&path).unwrap();
        assert!(tokens.is_empty());
        let admin = tokens.add("first", &[Scope::Admin]).unwrap();
        let reader = tokens.add("dash board", &[Scope::Read]).unwrap();
        assert_ne!(admin, reader);
        let again = Tokens::load(&path).unwrap();
        assert!(again.principal(&admin).unwrap().may(Scope::Run));
        let principal = again.principal(&reader).unwrap();
        assert!(principal.may(Scope::Read) && !principal.may(Scope::Run));
        assert_eq!(again.principal(""), None);
        assert_eq!(again.principal(&admin.to_uppercase()), None);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&admin) && !text.contains(admin.trim_start_matches("kait_")));
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
        assert!(error.contains("t.json") && error.contains("no list of tokens"), "{error}");
    }
}
