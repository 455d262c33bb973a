//! The settings, as data: what `plimsoll.toml`, the editor and the command line say (CLI.md, *Settings*).
//!
//! A [`Layer`] is what one source says, with [`Report`]s of what it says wrongly; [`Config::of`] lays layers over each
//! other, key by key. The keys stand in one table, [`keys::KEYS`], which also writes the JSON schema.
//! **Invariant:** nothing here reads a file, and no layer of a workspace sets a key that is the user's alone.

pub mod keys;
pub mod names;
pub mod nearest;
pub mod path;
mod raw;
pub mod read;
pub mod schema;

use std::collections::BTreeMap;

use crate::config::keys::{Place, Value};
use crate::model::Platform;

/// All settings of one Dockerfile after the layers were laid over each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Severities from `[files."…"]`, which are stronger than `rules` and `groups`.
    pub file_levels: Levels,
    /// Severity of single rules, `Off` included, by id. To be asked by [`Config::level`].
    pub rules: BTreeMap<String, Level>,
    /// Severity of groups.
    pub groups: BTreeMap<String, Level>,
    /// The stage that is built; the last one if `None`.
    pub target: Option<String>,
    /// The platform that is built for.
    pub platform: Platform,
    /// `--build-arg`s.
    pub build_args: BTreeMap<String, String>,
    /// The build context folder that was named; else it is searched for.
    pub context: Option<NamedFolder>,
    /// BuildKit's checks: `None` is `auto`.
    pub buildkit: Option<bool>,
    /// Which builder the file is for.
    pub builder: Builder,
    /// Whether findings are pushed or only answered when asked.
    pub diagnostics: DiagnosticsMode,
    /// Whether an `allow` comment without a reason is reported.
    pub require_reason: bool,
    /// Whether an `allow` comment that silences nothing is reported.
    pub unused_allow: bool,
    /// What an image may weigh.
    pub budget: Budget,
    /// Size findings below this likely saving (bytes) are dropped (RULES.md S8).
    pub minimum_saving: u64,
    /// Another table of images.
    pub data_file: Option<String>,
    /// Inlay hints at the end of instructions.
    pub hints: Hints,
    /// Weight of each stage as code lens.
    pub lens: bool,
    /// Formatting may re-indent inside RUN.
    pub indent_run: bool,
    /// Whether and whom to ask for images.
    pub registry: Registry,
    /// The socket of Docker or Podman, for measured layers.
    pub engine_socket: Option<String>,
    /// What single rules can be told.
    pub options: Options,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            file_levels: Levels::default(),
            rules: BTreeMap::new(),
            groups: BTreeMap::new(),
            target: None,
            platform: Platform::default(),
            build_args: BTreeMap::new(),
            context: None,
            buildkit: None,
            builder: Builder::BuildKit,
            diagnostics: DiagnosticsMode::Push,
            require_reason: false,
            unused_allow: true,
            budget: Budget::default(),
            minimum_saving: 1_000_000,
            data_file: None,
            hints: Hints { instructions: true, minimum: 1_000_000 },
            lens: true,
            indent_run: false,
            registry: Registry::default(),
            engine_socket: None,
            options: Options::default(),
        }
    }
}

impl Config {
    /// Lays layers over each other, the weakest first (user's file, editor, workspace file, command line), key by key.
    /// `dockerfile` is the path for which `[files."…"]` sections are chosen, written as [`Layer::folder`] is.
    pub fn of(layers: &[Layer], dockerfile: Option<&str>) -> Config {
        let mut res = Config::default();
        for layer in layers {
            let place = Place { trust: layer.trust, folder: layer.folder.as_deref(), in_files: false };
            for (key, value) in &layer.values {
                (key.lay)(&mut res, value, &place);
            }
            let relative = dockerfile.and_then(|file| path::relative(file, layer.folder.as_deref()));
            for section in layer.files.iter().filter(|it| relative.is_some_and(|file| path::matches(&it.pattern, file)))
            {
                for (key, value) in &section.values {
                    (key.lay)(&mut res, value, &Place { in_files: true, ..place });
                }
            }
        }
        res
    }

    /// What the settings say about a rule; `None`: its default holds. `[files]` is stronger than `[rules]`, and that is
    /// stronger than `[groups]` (RULES.md §6).
    pub fn level(&self, rule: &str, group: &str) -> Option<Level> {
        let Levels { rules, groups } = &self.file_levels;
        let said = rules.get(rule).or_else(|| groups.get(group));
        said.or_else(|| self.rules.get(rule)).or_else(|| self.groups.get(group)).copied()
    }
}

/// What one source says; every key is optional. The default says nothing.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Layer {
    /// Who says it.
    pub trust: Trust,
    /// The folder that paths and patterns of this layer are relative to, with `/` between its parts; the working
    /// directory if `None`.
    pub folder: Option<String>,
    values: Vec<(&'static keys::Key, Value)>,
    files: Vec<Section>,
}

/// A `[files."path/**"]` section.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    pattern: String,
    values: Vec<(&'static keys::Key, Value)>,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trust {
    /// The user: the own file, the editor, the command line.
    User,
    /// A file that lies in a workspace, and so may be somebody else's.
    #[default]
    Workspace,
}

/// Something wrong with the settings. The rest counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The settings file; `None` for what an editor or the command line sent.
    pub file: Option<String>,
    /// The line, from 1, if there is a text.
    pub line: Option<u32>,
    /// The column, from 1, in Unicode code points.
    pub column: Option<u32>,
    /// The key it is about, with dots; empty for a text that is no TOML.
    pub key: String,
    /// What is wrong, in one clause.
    pub message: String,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            if let Some(column) = self.column {
                write!(f, "{column}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)
    }
}

/// Severities by the ids of rules and the names of groups.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Levels {
    /// Of single rules.
    pub rules: BTreeMap<String, Level>,
    /// Of groups.
    pub groups: BTreeMap<String, Level>,
}

/// What a rule or group is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Not reported.
    Off,
    /// Shown faintly.
    Hint,
    /// Shown, never counted as a problem by default.
    Information,
    /// The default for a measurable loss.
    Warning,
    /// Something breaks.
    Error,
}

impl Level {
    /// All words, from the faintest.
    pub const NAMES: &'static [&'static str] = &["off", "hint", "information", "warning", "error"];

    /// Reads the word of the settings.
    pub fn parse(text: &str) -> Option<Level> {
        Some(match text {
            "off" => Level::Off,
            "hint" => Level::Hint,
            "information" => Level::Information,
            "warning" => Level::Warning,
            "error" => Level::Error,
            _ => return None,
        })
    }
}

/// A folder that a layer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFolder {
    /// Its path, joined to the folder of the settings file; relative to the working directory if not absolute.
    pub path: String,
    /// Who names it: what a workspace names must lie in the workspace.
    pub trust: Trust,
}

/// Which builder a Dockerfile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builder {
    /// BuildKit.
    BuildKit,
    /// Docker's builder before BuildKit.
    Classic,
}

/// How findings reach the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagnosticsMode {
    /// `publishDiagnostics` as soon as the analysis is done.
    Push,
    /// Only answers to `textDocument/diagnostic`.
    Pull,
}

/// What an image may weigh, in unpacked bytes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Budget {
    /// The target's.
    pub target: Option<u64>,
    /// Of single stages, by name.
    pub stages: BTreeMap<String, u64>,
}

/// Inlay hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
    /// Whether they are shown at the end of instructions.
    pub instructions: bool,
    /// Nothing is shown below these bytes.
    pub minimum: u64,
}

/// Whether and whom to ask for images.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Registry {
    /// Whether registries are asked at all.
    pub enabled: bool,
    /// These alone; all if `None`. A workspace only narrows it.
    pub allow: Option<Vec<String>>,
    /// Never these. A workspace only adds to it.
    pub deny: Vec<String>,
}

/// What single rules can be told, in tables of their names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// `mergeable-run-layers.layers-only`: also report merges that save layers and no bytes.
    pub merge_layers_only: bool,
    /// `unpinned-base-tag.require`: `version` or `digest`.
    pub base_tag_require: Option<String>,
    /// `unpinned-base-tag.local-images`: names that are only built here or have no version tags.
    pub local_images: Vec<String>,
    /// `unpinned-package.kinds`: `system`, `language`; both if `None`.
    pub package_kinds: Option<Vec<String>>,
    /// `user-not-in-image.require = "numeric"`.
    pub numeric_user: bool,
    /// `removable-files-kept.kinds`: `documentation`, `tests`, `debug-data`, `source-maps`; all if `None`.
    pub removable_kinds: Option<Vec<String>>,
    /// `undefined-stage.named-contexts`: names that the build is given by `--build-context`.
    pub named_contexts: Vec<String>,
    /// `secret-in-env-or-arg.names`: further names that say secret.
    pub secret_names: Vec<String>,
    /// `secret-in-env-or-arg.allow-names`: names that only sound so.
    pub secret_allow_names: Vec<String>,
}
