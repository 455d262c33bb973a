//! What lies in a build context and is hardly ever meant to be built in: a repository's history, installed modules, build
//! results, caches, files that hold secrets.
//!
//! Names alone decide, and what stands beside them. **Invariant:** counted once, when the context is made, and only what
//! the ignore file lets through: a keystroke asks for it.

use std::collections::BTreeSet;

use crate::context::{BuildContext, Entry, EntryKind};

/// Something that comes through and hardly should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heavy {
    /// Its path in the context.
    pub path: String,
    /// What it is.
    pub kind: HeavyKind,
    /// What of it comes through, in bytes.
    pub bytes: u64,
}

/// The kinds of such things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeavyKind {
    /// `.git`.
    History,
    /// `node_modules`.
    Modules,
    /// What a compiler made: `target`.
    Build,
    /// A virtual environment of Python.
    Environment,
    /// Caches of tools: `__pycache__`, `.mypy_cache`.
    Cache,
    /// A file that is there to hold secrets.
    Secret,
    /// A large file that programs write or people put aside: logs, dumps, archives, videos.
    Data,
}

/// Data below this many bytes is not looked at.
const LARGE_DATA: u64 = 10_000_000;

/// More of them are not told apart.
const MOST: usize = 200;

impl Heavy {
    /// The line of an ignore file that keeps it out; `None` where its name cannot be written plainly.
    pub fn pattern(&self) -> Option<String> {
        if self.path.contains(['*', '?', '[', ']', '\\', '!', '#', '\n', '\r', '^']) || self.path.trim() != self.path {
            return None;
        }
        let name = self.path.rsplit('/').next()?;
        Some(match self.kind {
            HeavyKind::Modules | HeavyKind::Cache if name != self.path => format!("**/{name}"),
            HeavyKind::Cache => format!("**/{name}"),
            HeavyKind::History
            | HeavyKind::Modules
            | HeavyKind::Build
            | HeavyKind::Environment
            | HeavyKind::Secret
            | HeavyKind::Data => self.path.clone(),
        })
    }
}

/// Finds them, outermost first, in the order of paths. `sums` are counted already.
pub(super) fn heavy(context: &BuildContext) -> Vec<Heavy> {
    let mut res: Vec<Heavy> = Vec::new();
    let mut inside: BTreeSet<&str> = BTreeSet::new();
    for (path, entry) in context.entries.iter().filter(|(_, entry)| !entry.ignored) {
        if res.len() >= MOST {
            break;
        }
        let Some(kind) = kind(context, path, entry) else { continue };
        if above(path).any(|directory| inside.contains(directory)) {
            continue;
        }
        let bytes = match entry.kind {
            EntryKind::Directory => context.sums.get(path).map_or(0, |sum| sum.bytes),
            EntryKind::File | EntryKind::Link | EntryKind::Other => entry.bytes,
        };
        if entry.kind == EntryKind::Directory {
            inside.insert(path);
        }
        if bytes > 0 {
            res.push(Heavy { path: path.clone(), kind, bytes });
        }
    }
    res
}

/// The directories that a path lies in.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

fn kind(context: &BuildContext, path: &str, entry: &Entry) -> Option<HeavyKind> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let beside = |name: &str| {
        let found = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        context.entries.contains_key(&found)
    };
    match entry.kind {
        EntryKind::Directory => match name {
            ".git" => Some(HeavyKind::History),
            "node_modules" => Some(HeavyKind::Modules),
            "target" if beside("Cargo.toml") || beside("pom.xml") => Some(HeavyKind::Build),
            ".venv" | "venv" => Some(HeavyKind::Environment),
            "env" if context.entries.contains_key(&format!("{path}/pyvenv.cfg")) => Some(HeavyKind::Environment),
            "__pycache__" | ".mypy_cache" | ".pytest_cache" | ".ruff_cache" | ".tox" | ".nox" | ".terraform"
            | ".gradle" | ".nyc_output" | ".turbo" => Some(HeavyKind::Cache),
            _ => None,
        },
        EntryKind::File if is_secret(name) => Some(HeavyKind::Secret),
        EntryKind::File if entry.bytes > LARGE_DATA && is_data(name) => Some(HeavyKind::Data),
        EntryKind::File | EntryKind::Link | EntryKind::Other => None,
    }
}

/// Whether a file of this name is there to hold secrets. Certificates without a key are none.
fn is_secret(name: &str) -> bool {
    if let Some(rest) = name.strip_prefix(".env") {
        let shown = ["example", "sample", "template", "dist", "default", "defaults", "tpl", "schema", "test", "ci"];
        let is_own = rest.is_empty() || rest.starts_with('.');
        return is_own && !rest.split('.').any(|part| shown.contains(&part));
    }
    if matches!(name, "id_rsa" | "id_ed25519" | "id_ecdsa" | "id_dsa") {
        return true;
    }
    let Some((stem, end)) = name.rsplit_once('.') else { return false };
    match end {
        "key" => true,
        "pem" => stem.contains("key") || stem.contains("priv"),
        _ => false,
    }
}

fn is_data(name: &str) -> bool {
    const ENDS: [&str; 24] = [
        "7z", "avi", "bak", "bz2", "core", "dmg", "dump", "gz", "hprof", "img", "iso", "log", "mkv", "mov", "mp4",
        "psd", "qcow2", "rar", "tar", "tgz", "vdi", "vmdk", "xz", "zip",
    ];
    name.rsplit_once('.').is_some_and(|(_, end)| ENDS.contains(&end))
}

#[cfg(test)]
mod tests {
    use super::HeavyKind;
    use crate::context::BuildContext;

    fn check(files: &[(&str, &str)], expected: &[(&str, HeavyKind, &str)]) {
        let context = BuildContext::of_texts(files.iter().copied());
        let found: Vec<(&str, HeavyKind, String)> =
            context.heavy.iter().map(|it| (it.path.as_str(), it.kind, it.pattern().unwrap_or_default())).collect();
        let expected: Vec<_> = expected.iter().map(|(path, kind, line)| (*path, *kind, (*line).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_outermost_is_named_and_what_lies_in_it_is_not() {
        check(
            &[
                (".git/config", "a"),
                (".env", "A=1"),
                ("web/node_modules/a/node_modules/b/i.js", "x"),
                ("node_modules/a/.env", "x"),
                ("node_modules-old/a", "x"),
                ("rust/target/debug/a", "x"),
                ("rust/Cargo.toml", ""),
                ("target/a", "x"),
                ("app/__pycache__/a.pyc", "x"),
            ],
            &[
                (".env", HeavyKind::Secret, ".env"),
                (".git", HeavyKind::History, ".git"),
                ("app/__pycache__", HeavyKind::Cache, "**/__pycache__"),
                ("node_modules", HeavyKind::Modules, "node_modules"),
                ("rust/target", HeavyKind::Build, "rust/target"),
                ("web/node_modules", HeavyKind::Modules, "**/node_modules"),
            ],
        );
    }

    #[test]
    fn what_is_ignored_does_not_come_through() {
        check(&[(".dockerignore", ".git\n**/node_modules\n"), (".git/config", "a"), ("a/node_modules/b", "x")], &[]);
    }

    #[test]
    fn examples_and_certificates_are_no_secrets() {
        check(
            &[
                (".env.example", "A"),
                ("ca.pem", "A"),
                (".envrc", "A"),
                ("tls/server-key.pem", "A"),
                (".env.local", "A"),
            ],
            &[
                (".env.local", HeavyKind::Secret, ".env.local"),
                ("tls/server-key.pem", HeavyKind::Secret, "tls/server-key.pem"),
            ],
        );
    }
}
