//! Where the settings of a Dockerfile come from: the user's own file and the nearest `plimsoll.toml` above it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use etcetera::BaseStrategy;

use crate::config::{Layer, Report, Trust};
use crate::disk::{bytes_of, slashed};

/// The name of a settings file.
pub const FILE_NAME: &str = "plimsoll.toml";

/// A settings file is not larger than this.
const LARGEST: u64 = 1 << 20;

/// Which settings files count.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Wanted {
    /// The user's and the nearest above the Dockerfile.
    #[default]
    Found,
    /// The user's and this one (`--config`). It is trusted no more than one that was found: it mostly lies in the
    /// repository.
    Named(PathBuf),
    /// None (`--no-config`).
    None,
}

/// What the files say.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Settings {
    /// The user's file, if there is one. What an editor sends is stronger and comes behind it.
    pub user: Option<Layer>,
    /// The file of the workspace, if there is one. What the command line says comes behind it.
    pub workspace: Option<Layer>,
    /// What is wrong in them, unreadable files included.
    pub reports: Vec<Report>,
    /// The files that were read, to be watched.
    pub files: Vec<PathBuf>,
}

/// The user's own settings file, whether or not it is there: `~/.config/plimsoll/plimsoll.toml`, or where the system
/// keeps such files (`XDG_CONFIG_HOME`, `%APPDATA%`).
pub fn user_file() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("plimsoll").join(FILE_NAME))
}

/// The nearest settings file above a Dockerfile.
pub fn nearest_file(dockerfile: &Path) -> Option<PathBuf> {
    let dockerfile = std::path::absolute(dockerfile).ok()?;
    dockerfile.ancestors().skip(1).map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())
}

/// Reads the settings files for a Dockerfile; a text without a place (standard input) is taken to lie in the working
/// directory. `user_file` is [`user_file`]'s answer. It fails only when a file that was named cannot be read; other
/// mistakes are reports, and the rest counts.
pub fn settings(
    dockerfile: Option<&Path>,
    wanted: &Wanted,
    user_file: Option<&Path>,
    known_rules: &[&str],
) -> Result<Settings> {
    let mut res = Settings::default();
    if *wanted == Wanted::None {
        return Ok(res);
    }
    if let Some(file) = user_file.filter(|file| file.is_file()) {
        res.user = layer(file, Trust::User, known_rules, &mut res);
    }
    let workspace = match wanted {
        Wanted::None => None,
        Wanted::Named(file) => {
            text(file).with_context(|| format!("cannot read the settings file {}", file.display()))?;
            Some(file.clone())
        }
        Wanted::Found => nearest_file(dockerfile.unwrap_or(Path::new("-"))),
    };
    if let Some(file) = workspace.filter(|file| user_file.is_none_or(|user| slashed(user) != slashed(file))) {
        res.workspace = layer(&file, Trust::Workspace, known_rules, &mut res);
    }
    Ok(res)
}

fn layer(file: &Path, trust: Trust, known_rules: &[&str], acc: &mut Settings) -> Option<Layer> {
    let path = slashed(file);
    acc.files.push(file.to_owned());
    match text(file) {
        Ok(text) => {
            let (layer, reports) = Layer::from_toml(&text, &path, trust, known_rules);
            acc.reports.extend(reports);
            Some(layer)
        }
        Err(error) => {
            let message = format!("cannot be read: {error:#}");
            acc.reports.push(Report { file: Some(path), line: None, column: None, key: String::new(), message });
            None
        }
    }
}

fn text(file: &Path) -> Result<String> {
    if !std::fs::metadata(file)?.is_file() {
        bail!("it is no plain file");
    }
    let bytes = bytes_of(file, LARGEST)?;
    String::from_utf8(bytes).context("it is not UTF-8")
}
