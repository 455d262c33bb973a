//! What the editor and the command line say about settings, and how it is laid between the files.
//!
//! An editor may speak through three channels: `initializationOptions`, `workspace/configuration` and
//! `workspace/didChangeConfiguration`, with the keys below `plimsoll` or at the top. The first is its start; the last
//! word on the other two is stronger (CLI.md, *Settings*).

use std::path::Path;

use serde_json::Value;

use crate::config::{Config, Layer, Report, Trust};
use crate::disk::settings::{Settings, Wanted};
use crate::disk::slashed;
use crate::rules;

/// Servers that report BuildKit's own checks, so that `buildkit = "auto"` leaves them to these.
const REPORTERS: [&str; 2] = ["docker-language-server", "tally"];

/// What is said about settings outside of files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Which files count beside it.
    pub(crate) files: Wanted,
    /// The command line: the strongest.
    command_line: Option<Layer>,
    /// `initializationOptions`.
    options: Option<Layer>,
    /// The last answer to `workspace/configuration` or the last `didChangeConfiguration`.
    editor: Option<Layer>,
    /// Whether another server beside this one reports BuildKit's checks.
    checks_elsewhere: bool,
}

impl Said {
    /// What the command line says.
    pub(crate) fn by_command_line(files: Wanted, command_line: Option<Layer>) -> Said {
        Said { files, command_line, ..Said::default() }
    }

    /// Takes in `initializationOptions`; paths in them count from `folder`. Returns what is wrong with them.
    pub(crate) fn learn_options(&mut self, options: &Value, folder: Option<&Path>) -> Vec<Report> {
        let mut options = section(options).clone();
        let others = options.as_object_mut().and_then(|table| table.remove("other-servers"));
        let others = others.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        self.checks_elsewhere = others.into_iter().any(|name| REPORTERS.contains(&name));
        let (layer, reports) = layer(&options, folder);
        self.options = Some(layer);
        reports
    }

    /// Takes in what the editor says now, instead of what it said before.
    pub(crate) fn learn(&mut self, settings: &Value, folder: Option<&Path>) -> Vec<Report> {
        let (layer, reports) = layer(section(settings), folder);
        self.editor = Some(layer);
        reports
    }

    /// The settings of a Dockerfile, given what the files say.
    pub(crate) fn config(&self, files: &Settings, dockerfile: Option<&Path>) -> Config {
        let weakest_first = [&files.user, &self.options, &self.editor, &files.workspace, &self.command_line];
        let layers: Vec<Layer> = weakest_first.into_iter().flatten().cloned().collect();
        let mut res = Config::of(&layers, dockerfile.map(slashed).as_deref());
        if self.checks_elsewhere && res.buildkit.is_none() {
            res.buildkit = Some(false);
        }
        res
    }

    /// The settings as long as no file was read.
    pub(crate) fn without_files(&self) -> Config {
        self.config(&Settings::default(), None)
    }
}

/// The ids that `[rules]` may name.
pub(crate) fn known_rules() -> Vec<&'static str> {
    rules::ALL.iter().map(|rule| rule.name).collect()
}

/// The part that is meant for this server: below `plimsoll`, or all of it.
fn section(settings: &Value) -> &Value {
    settings.get("plimsoll").unwrap_or(settings)
}

fn layer(settings: &Value, folder: Option<&Path>) -> (Layer, Vec<Report>) {
    let (mut layer, reports) = Layer::from_json(settings, Trust::User, &known_rules());
    layer.folder = folder.map(slashed);
    (layer, reports)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Said;
    use crate::config::DiagnosticsMode;

    fn said(options: Value, settings: Value) -> Said {
        let mut res = Said::default();
        assert_eq!(res.learn_options(&options, None), []);
        assert_eq!(res.learn(&settings, None), []);
        res
    }

    #[test]
    fn keys_may_stand_at_the_top_or_below_plimsoll() {
        for options in [json!({"target": "build"}), json!({"plimsoll": {"target": "build"}})] {
            assert_eq!(said(options, Value::Null).without_files().target.as_deref(), Some("build"));
        }
    }

    #[test]
    fn what_the_editor_says_later_is_stronger_key_by_key() {
        let options = json!({"target": "build", "diagnostics": {"mode": "pull"}});
        let config = said(options, json!({"plimsoll": {"target": "test"}})).without_files();
        assert_eq!(config.target.as_deref(), Some("test"));
        assert_eq!(config.diagnostics, DiagnosticsMode::Pull);
    }

    #[test]
    fn checks_that_another_server_reports_are_left_to_it() {
        let checks = |options| said(options, Value::Null).without_files().buildkit;
        assert_eq!(checks(json!({"other-servers": ["tally"]})), Some(false));
        assert_eq!(checks(json!({"other-servers": ["tally"], "buildkit": true})), Some(true));
        assert_eq!(checks(json!({"other-servers": ["hadolint"]})), None);
    }

    #[test]
    fn unknown_keys_are_reported_and_the_rest_counts() {
        let mut res = Said::default();
        let reports = res.learn(&json!({"plimsoll": {"tarjet": "x", "target": "y"}}), None);
        assert_eq!(reports.len(), 1);
        assert_eq!(res.without_files().target.as_deref(), Some("y"));
    }
}
