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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Wanted, nearest_file, settings};
    use crate::config::Config;
    use crate::disk::slashed;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    #[test]
    fn the_nearest_file_counts_and_the_users_is_weaker() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let root = root.path();
        write(root, "plimsoll.toml", "target = \"outer\"\nlens = false\n");
        write(root, "a/plimsoll.toml", "target = \"inner\"\n[registry]\nenabled = true\n");
        write(root, "user.toml", "target = \"user\"\nrequire-reason = true\n[registry]\nenabled = true\n");
        let dockerfile = root.join("a/b/Dockerfile");
        assert_eq!(nearest_file(&dockerfile), Some(root.join("a/plimsoll.toml")));
        let user = root.join("user.toml");
        let read = settings(Some(&dockerfile), &Wanted::Found, Some(&user), &[]).expect("they can be read");
        assert_eq!(read.reports.len(), 1, "{:?}", read.reports);
        assert_eq!(read.files.len(), 2);
        let layers: Vec<_> = read.user.into_iter().chain(read.workspace).collect();
        let config = Config::of(&layers, Some(&slashed(&dockerfile)));
        assert_eq!(config.target.as_deref(), Some("inner"));
        assert!(config.require_reason && config.lens && config.registry.enabled);

        let named = Wanted::Named(root.join("plimsoll.toml"));
        let read = settings(Some(&dockerfile), &named, None, &[]).expect("they can be read");
        let config = Config::of(&read.workspace.into_iter().collect::<Vec<_>>(), None);
        assert_eq!(config.target.as_deref(), Some("outer"));
        let none = settings(Some(&dockerfile), &Wanted::None, Some(&user), &[]).expect("nothing is read");
        assert!(none.user.is_none() && none.workspace.is_none());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let root = root.path();
        std::fs::write(root.join("plimsoll.toml"), b"target = \"\xff\"").expect("a file can be written");
        let read = settings(Some(&root.join("Dockerfile")), &Wanted::Found, None, &[]).expect("it is a report");
        assert!(read.reports[0].to_string().contains("cannot be read: it is not UTF-8"));
        let named = Wanted::Named(root.join("nowhere.toml"));
        let error = settings(None, &named, None, &[]).expect_err("it was named");
        assert!(format!("{error:#}").contains("nowhere.toml: No such file"));
    }
}
