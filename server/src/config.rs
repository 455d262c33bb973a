//! The settings, as data: what `plimsoll.toml`, the editor and the command line say (CLI.md, *Settings*).
//!
//! Only values and how they are laid over each other; reading files is [`crate::disk`]'s.

use std::collections::BTreeMap;

use crate::model::Platform;

/// All settings after the layers were laid over each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Severity of single rules, `Off` included, by id.
    pub rules: BTreeMap<String, Level>,
    /// Severity of groups.
    pub groups: BTreeMap<String, Level>,
    /// The stage that is built; the last one if `None`.
    pub target: Option<String>,
    /// The platform that is built for.
    pub platform: Platform,
    /// `--build-arg`s.
    pub build_args: BTreeMap<String, String>,
    /// The build context folder as given, relative to the settings file or the working directory.
    pub context: Option<String>,
    /// Size findings below this likely saving (bytes) are dropped (RULES.md S8).
    pub minimum_saving: u64,
    /// Whether findings are pushed or only answered when asked.
    pub diagnostics: DiagnosticsMode,
    /// Whether an `allow` comment that silences nothing is reported.
    pub unused_allow: bool,
    /// Whether an `allow` comment without a reason is reported.
    pub require_reason: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            rules: BTreeMap::new(),
            groups: BTreeMap::new(),
            target: None,
            platform: Platform::default(),
            build_args: BTreeMap::new(),
            context: None,
            minimum_saving: 1_000_000,
            diagnostics: DiagnosticsMode::Push,
            unused_allow: true,
            require_reason: false,
        }
    }
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

/// How findings reach the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagnosticsMode {
    /// `publishDiagnostics` as soon as the analysis is done.
    Push,
    /// Only answers to `textDocument/diagnostic`.
    Pull,
}
