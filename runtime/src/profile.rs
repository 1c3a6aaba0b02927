//! Profiles: which models answer for the roles of a program, from `kait.toml` and from the user's own directory.
//!
//! Secrets are never in a profile: a binding names the environment variable that holds the key.
//!
//! ```toml
//! [models.fast]
//! provider = "openai"
//! model = "gpt-5-mini"
//! base_url = "https://api.openai.com/v1"
//! key_env = "OPENAI_API_KEY"
//!
//! # What `kait cost` counts with, and what budgets of tokens and money are held to:
//! context = 400_000            # tokens that the model reads at most for one answer
//! max_output = 128_000         # tokens that it writes at most
//! input_price = "0.25 usd"     # of a million tokens
//! output_price = "2.00 usd"
//!
//! [models.default]        # for every role that has no entry of its own
//! provider = "echo"
//!
//! strict = true           # in front of all tables: what is private leaves a program only with approval (K0604)
//!
//! [grants]                # what a run may do: see `kait_connect::GrantTable`
//! read = ["file notes", "net api.example.com"]
//! model = true
//!
//! [secrets]               # where they are, never what they are: see `kait_connect::SecretBinding`
//! shop_token = { env = "SHOP_TOKEN" }
//! ```

mod words;

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use kait_connect::{
    BadGrant, BadSecret, GrantTable, ModelBinding, ProfileGrants, SecretBinding, Secrets,
};
use kait_ir::Currency;
use serde::Deserialize;
use serde::de::IgnoredAny;
use smol_str::SmolStr;

/// A profile could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file could not be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not say what it should.
    #[error("{path}{}: {message}", at_line(*.line))]
    Parse {
        /// The file, as its user would write it.
        path: String,
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
        /// What is wrong there.
        message: String,
    },
    /// Its table of grants cannot be understood.
    #[error(transparent)]
    Grants(#[from] BadGrant),
    /// Its table of secrets cannot be understood.
    #[error(transparent)]
    Secrets(#[from] BadSecret),
    /// Prices in several currencies, which no sum can hold.
    #[error(
        "the prices of `{first}` are in {first_currency}, those of `{other}` in {other_currency}: give all prices of a profile in one currency"
    )]
    Currencies {
        /// A role.
        first: SmolStr,
        /// Its currency.
        first_currency: SmolStr,
        /// Another role.
        other: SmolStr,
        /// Its currency.
        other_currency: SmolStr,
    },
    /// There is no such profile.
    #[error("there is no profile `{name}`: `{path}` does not exist")]
    Missing {
        /// Its name.
        name: String,
        /// Where it would be.
        path: PathBuf,
    },
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(":{line}")).unwrap_or_default()
}

impl ProfileError {
    /// The code that `kait explain` knows.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Grants(_) => "K0907",
            _ => "K0902",
        }
    }
}

/// Bindings and grants of one environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: SmolStr,
    /// Model bindings by role; `default` stands for all others.
    pub models: IndexMap<SmolStr, ModelBinding>,
    /// What runs may do: the tables of the project and of the user, of which each must grant it.
    pub grants: ProfileGrants,
    /// Whether what is private leaves a program only if somebody approves it: one of both files says `strict = true`.
    pub strict: bool,
    /// Where the secrets of programs are; the user's bindings take the place of the project's.
    pub secrets: Secrets,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    models: IndexMap<SmolStr, ModelBinding>,
    #[serde(default)]
    #[expect(dead_code, reason = "read by `GrantTable::parse`, which knows the lines")]
    grants: Option<IgnoredAny>,
    #[serde(default)]
    #[expect(dead_code, reason = "read by `SecretBinding::parse`, which repeats no value")]
    secrets: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectFile {
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    #[expect(dead_code, reason = "checked for its form; nothing reads it yet")]
    package: Option<Package>,
    #[serde(default)]
    #[expect(dead_code, reason = "checked for its form; the compiler reads it")]
    dependencies: IndexMap<SmolStr, Dependency>,
    #[serde(default)]
    models: IndexMap<SmolStr, ModelBinding>,
    #[serde(default)]
    #[expect(dead_code, reason = "read by `GrantTable::parse`, which knows the lines")]
    grants: Option<IgnoredAny>,
    #[serde(default)]
    #[expect(dead_code, reason = "read by `SecretBinding::parse`, which repeats no value")]
    secrets: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { path = \"../acme\" }")]
#[expect(dead_code, reason = "checked for its form; the compiler reads it")]
struct Dependency {
    path: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "checked for its form; nothing reads it yet")]
struct Package {
    name: SmolStr,
    #[serde(default)]
    version: Option<SmolStr>,
}

impl Profile {
    /// The profile for a program in `directory`: the bindings of the nearest `kait.toml` at or above it, overridden
    /// by those of the user's profile `name` (`local`, the default, need not exist). Of grants, those of both hold.
    ///
    /// # Errors
    /// If a file is there but cannot be read, or a profile was named that does not exist.
    pub fn load(directory: &Path, name: Option<&str>) -> Result<Self, ProfileError> {
        let mut profile = Self { name: name.unwrap_or("local").into(), ..Self::default() };
        if let Some(path) = Self::project_file(directory) {
            let (file, text): (ProjectFile, _) = read(&path)?;
            profile.models = file.models;
            profile.strict = file.strict;
            profile.add_tables(&text, &path, path.parent())?;
        }
        if let Some(path) = profile.user_file() {
            if path.exists() {
                let (file, text): (ProfileFile, _) = read(&path)?;
                profile.models.extend(file.models);
                profile.strict |= file.strict;
                // It is used by programs anywhere, so relative paths have no place to begin.
                profile.add_tables(&text, &path, None)?;
            } else if let Some(name) = name.filter(|name| *name != "local") {
                return Err(ProfileError::Missing { name: name.into(), path });
            }
        }
        profile.currency()?;
        Ok(profile)
    }

    /// Whether a `kait.toml` can be used: its form, its grants and its prices.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub fn check_project(path: &Path) -> Result<(), ProfileError> {
        let (file, text): (ProjectFile, _) = read(path)?;
        let mut profile = Self { models: file.models, ..Self::default() };
        profile.add_tables(&text, path, path.parent())?;
        profile.currency().map(drop)
    }

    fn add_tables(
        &mut self,
        text: &str,
        path: &Path,
        base: Option<&Path>,
    ) -> Result<(), ProfileError> {
        let home = etcetera::home_dir().ok();
        let shown = shown(path, home.as_deref());
        let table = GrantTable::parse(text, &shown, base, home.as_deref())?;
        self.grants.tables.extend(table);
        self.secrets.extend(SecretBinding::parse(text, &shown, base, home.as_deref())?);
        Ok(())
    }

    /// The currency of all prices; `None` if there are none.
    ///
    /// # Errors
    /// If there are several.
    pub fn currency(&self) -> Result<Option<Currency>, ProfileError> {
        let mut first: Option<(&SmolStr, Currency)> = None;
        for (role, binding) in &self.models {
            for price in [binding.input_price, binding.output_price].into_iter().flatten() {
                let currency = price.0.currency;
                match first {
                    Some((first, known)) if known != currency => {
                        return Err(ProfileError::Currencies {
                            first: first.clone(),
                            first_currency: known.as_str().into(),
                            other: role.clone(),
                            other_currency: currency.as_str().into(),
                        });
                    }
                    Some(_) => {}
                    None => first = Some((role, currency)),
                }
            }
        }
        Ok(first.map(|(_, currency)| currency))
    }

    /// The nearest `kait.toml` at or above a directory.
    pub fn project_file(directory: &Path) -> Option<PathBuf> {
        // `Path::parent` of a bare file name is empty, and means here.
        let here = Path::new(".");
        let directory = if directory.as_os_str().is_empty() { here } else { directory };
        let directory = std::path::absolute(directory).ok()?;
        directory.ancestors().map(|d| d.join("kait.toml")).find(|path| path.is_file())
    }

    /// Where the user's profile of that name is kept, whether it is there or not. `None` if the user has no home
    /// directory.
    pub fn user_file(&self) -> Option<PathBuf> {
        Some(Self::user_directory()?.join(format!("{}.toml", self.name)))
    }

    /// The file of the tokens that the profile's server knows: beside the user's profile. `None` if the user has no
    /// home directory.
    pub fn token_file(&self) -> Option<PathBuf> {
        Some(Self::user_directory()?.join(format!("{}.tokens.json", self.name)))
    }

    /// The file of the profile's database, whether it is there or not. `None` if the user has no home directory.
    pub fn database_file(&self) -> Option<PathBuf> {
        use etcetera::BaseStrategy as _;
        let base = etcetera::choose_base_strategy().ok()?;
        let directory = base.data_dir().join("kait").join("profiles").join(self.name.as_str());
        Some(directory.join("data.sqlite"))
    }

    /// Where the user's profiles are kept, whether it is there or not. `None` if the user has no home directory.
    pub fn user_directory() -> Option<PathBuf> {
        use etcetera::BaseStrategy as _;
        let base = etcetera::choose_base_strategy().ok()?;
        Some(base.config_dir().join("kait").join("profiles"))
    }

    /// The binding of a role, if the profile says one.
    pub fn binding(&self, role: &str) -> Option<&ModelBinding> {
        self.models.get(role).or_else(|| self.models.get("default"))
    }
}

/// A file with its text.
fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<(T, String), ProfileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ProfileError::Read { path: path.into(), source })?;
    let file = toml::from_str(&text).map_err(|error| {
        let (line, message) = words::explain(&text, &error);
        let path = shown(path, etcetera::home_dir().ok().as_deref());
        ProfileError::Parse { path, line, message }
    })?;
    Ok((file, text))
}

/// A path as its user would write it: from the current directory, or from home.
fn shown(path: &Path, home: Option<&Path>) -> String {
    let here = std::env::current_dir().ok();
    let below = |directory: Option<&Path>| path.strip_prefix(directory?).ok();
    match (below(here.as_deref()), below(home)) {
        (Some(inner), _) => inner.display().to_string(),
        (None, Some(inner)) => format!("~/{}", inner.display()),
        (None, None) => path.display().to_string(),
    }
}
