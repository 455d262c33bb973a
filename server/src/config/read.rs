//! From TOML or JSON to a [`Layer`], with a report for everything that is not understood.
//!
//! Both texts become the same tree of values first, so that one reader serves them. A value that is wrong is
//! left out and reported; the rest counts.

use std::collections::BTreeMap;

use crate::config::keys::{GROUPS, KEYS, Key, Kind, Value};
use crate::config::names::spelled;
use crate::config::nearest::did_you_mean;
use crate::config::raw::{Entry, Place, Raw, from_json, from_toml};
use crate::config::{Budget, Layer, Level, Report, Section, Trust, path};
use crate::model::Platform;

/// What a reading needs and fills.
struct Reader<'a> {
    text: &'a str,
    file: Option<&'a str>,
    trust: Trust,
    known_rules: &'a [&'a str],
    reports: Vec<Report>,
}

impl Layer {
    /// Reads a settings file. `path` is its own path with `/` between its parts, for reports and for what is relative
    /// to it; `known_rules` are the ids that `[rules]` may name. A text that is no TOML says nothing and is one report.
    pub fn from_toml(text: &str, path: &str, trust: Trust, known_rules: &[&str]) -> (Layer, Vec<Report>) {
        let mut layer = Layer { trust, folder: Some(path::parent(path).to_owned()), ..Layer::default() };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader { text, file: Some(path), trust, known_rules, reports: Vec::new() };
        match from_toml(text) {
            Ok(entries) => reader.layer(entries, &mut layer),
            Err((at, message)) => reader.report(at, "", format!("no TOML: {message}")),
        }
        (layer, reader.reports)
    }

    /// Reads what an editor sends below `plimsoll`, or what the command line says: keys nested or with dots; `null` says
    /// nothing. Paths are relative to [`Layer::folder`], which the caller sets.
    pub fn from_json(value: &serde_json::Value, trust: Trust, known_rules: &[&str]) -> (Layer, Vec<Report>) {
        let mut layer = Layer { trust, ..Layer::default() };
        let mut reader = Reader { text: "", file: None, trust, known_rules, reports: Vec::new() };
        match from_json(value) {
            Some(Raw::Table(entries)) => {
                // vscode-languageclient keeps a key of its own in the section of the server.
                let entries = entries.into_iter().filter(|entry| entry.key != "trace").collect();
                reader.layer(entries, &mut layer);
            }
            Some(_) => reader.report(None, "", "settings must be a table".to_owned()),
            None => {}
        }
        (layer, reader.reports)
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.files.is_empty()
    }
}

impl Reader<'_> {
    fn layer(&mut self, entries: Vec<Entry>, acc: &mut Layer) {
        for entry in entries {
            if entry.key != "files" {
                self.entry("", entry, false, &mut acc.values);
                continue;
            }
            let Raw::Table(sections) = entry.value else {
                self.report(entry.value_at, "files", "`files` must be a table of patterns".to_owned());
                continue;
            };
            for section in sections {
                let Raw::Table(entries) = section.value else {
                    let message = format!("`files.\"{}\"` must be a table", section.key);
                    self.report(section.value_at, "files", message);
                    continue;
                };
                let mut values = Vec::new();
                for entry in entries {
                    self.entry("", entry, true, &mut values);
                }
                acc.files.push(Section { pattern: section.key, values });
            }
        }
    }

    /// Reads one key, or the keys of a table that is only a part of their names.
    fn entry(&mut self, before: &str, entry: Entry, in_files: bool, acc: &mut Vec<(&'static Key, Value)>) {
        let name = format!("{before}{}", entry.key);
        if let Some(key) = KEYS.iter().find(|key| key.name == name) {
            if in_files && !key.per_file {
                return self.report(entry.key_at, key.name, format!("`{name}` cannot be set for single files"));
            }
            return self.known(key, entry.value, entry.value_at, acc);
        }
        // `"rules.apt-lists-left": "off"`: an entry of a table, written with a dot.
        let table = KEYS.iter().find_map(|key| {
            let rest = name.strip_prefix(key.name)?.strip_prefix('.')?;
            let open = matches!(key.kind, Kind::RuleLevels | Kind::GroupLevels | Kind::Arguments | Kind::Budget);
            open.then_some((key, rest))
        });
        if let Some((key, rest)) = table {
            let inner = Entry { key: rest.to_owned(), ..entry };
            let at = inner.value_at;
            return self.entry(
                "",
                Entry { key: key.name.to_owned(), key_at: inner.key_at, value: Raw::Table(vec![inner]), value_at: at },
                in_files,
                acc,
            );
        }
        let is_part =
            KEYS.iter().any(|key| key.name.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')));
        if !is_part {
            let nearest = did_you_mean(&name, KEYS.iter().map(|key| key.name).chain(["files"]));
            return self.report(entry.key_at, &name, format!("unknown key `{name}`{nearest}"));
        }
        match entry.value {
            Raw::Table(entries) => {
                for inner in entries {
                    self.entry(&format!("{name}."), inner, in_files, acc);
                }
            }
            _ => self.report(entry.value_at, &name, format!("`{name}` must be a table")),
        }
    }

    fn known(&mut self, key: &'static Key, raw: Raw, at: Place, acc: &mut Vec<(&'static Key, Value)>) {
        let Some(value) = self.value(key, raw, at) else { return };
        let off = match &value {
            Value::Bool(it) => !it,
            Value::Text(it) => it.is_empty(),
            _ => false,
        };
        if key.user_only && self.trust == Trust::Workspace && !off {
            let message =
                format!("`{}` is the user's to set: a file of the workspace can only switch it off", key.name);
            return self.report(at, key.name, message);
        }
        acc.push((key, value));
    }

    fn value(&mut self, key: &Key, raw: Raw, at: Place) -> Option<Value> {
        let wrong = |expected: &str| format!("`{}` must be {expected}", key.name);
        let message = match (key.kind, raw) {
            (Kind::Bool | Kind::BoolOrAuto, Raw::Bool(it)) => return Some(Value::Bool(it)),
            (Kind::BoolOrAuto, Raw::Text(it)) if it == "auto" => return Some(Value::Auto),
            (Kind::Text | Kind::Path, Raw::Text(it)) => return Some(Value::Text(it)),
            (Kind::Word(words), Raw::Text(it)) if words.contains(&it.as_str()) => return Some(Value::Text(it)),
            (Kind::Texts, Raw::List(list)) => return self.texts(key, list, None),
            (Kind::Words(words), Raw::List(list)) => return self.texts(key, list, Some(words)),
            (Kind::Bytes, raw) => match bytes(&raw) {
                Some(it) => return Some(Value::Bytes(it)),
                None => wrong("bytes or a text such as \"200MB\""),
            },
            (Kind::Budget, Raw::Table(stages)) => return Some(self.stage_budgets(key, stages)),
            (Kind::Budget, raw) => match bytes(&raw) {
                Some(it) => return Some(Value::Budget(Budget { target: Some(it), ..Budget::default() })),
                None => wrong("bytes, a text such as \"200MB\", or a table of stages"),
            },
            (Kind::Platform, Raw::Text(it)) => match Platform::parse(&it) {
                Some(platform) => return Some(Value::Platform(platform)),
                None => wrong("a platform such as \"linux/arm64\""),
            },
            (Kind::Arguments, Raw::Table(entries)) => return Some(self.arguments(key, entries)),
            (Kind::RuleLevels | Kind::GroupLevels, Raw::Table(entries)) => return Some(self.levels(key, entries)),
            (Kind::Bool, _) => wrong("true or false"),
            (Kind::BoolOrAuto, _) => wrong("true, false or \"auto\""),
            (Kind::Text | Kind::Path, _) => wrong("a text"),
            (Kind::Word(words), _) => wrong(&one_of(words)),
            (Kind::Texts | Kind::Words(_), _) => wrong("a list of texts"),
            (Kind::Platform, _) => wrong("a platform such as \"linux/arm64\""),
            (Kind::Arguments | Kind::RuleLevels | Kind::GroupLevels, _) => wrong("a table"),
        };
        self.report(at, key.name, message);
        None
    }

    fn texts(&mut self, key: &Key, list: Vec<(Place, Raw)>, words: Option<&[&str]>) -> Option<Value> {
        let mut res = Vec::new();
        for (at, raw) in list {
            let expected = match (raw, words) {
                (Raw::Text(text), None) => {
                    res.push(text);
                    continue;
                }
                (Raw::Text(text), Some(words)) if words.contains(&text.as_str()) => {
                    res.push(text);
                    continue;
                }
                (_, Some(words)) => one_of(words),
                (_, None) => "texts".to_owned(),
            };
            // A list of which a part is left out may mean the opposite of what was written.
            self.report(at, key.name, format!("`{}` must hold {expected}", key.name));
            return None;
        }
        Some(Value::Texts(res))
    }

    fn stage_budgets(&mut self, key: &Key, stages: Vec<Entry>) -> Value {
        let mut res = Budget::default();
        for stage in stages {
            match bytes(&stage.value) {
                Some(it) => {
                    res.stages.insert(stage.key, it);
                }
                None => {
                    let message = format!("`{}.{}` must be bytes or a text such as \"200MB\"", key.name, stage.key);
                    self.report(stage.value_at, key.name, message);
                }
            }
        }
        Value::Budget(res)
    }

    fn arguments(&mut self, key: &Key, entries: Vec<Entry>) -> Value {
        let mut res = BTreeMap::new();
        for entry in entries {
            let text = match entry.value {
                Raw::Text(it) => it,
                Raw::Integer(it) => it.to_string(),
                Raw::Bool(it) => it.to_string(),
                Raw::List(_) | Raw::Table(_) | Raw::Other => {
                    self.report(entry.value_at, key.name, format!("`{}.{}` must be a text", key.name, entry.key));
                    continue;
                }
            };
            res.insert(entry.key, text);
        }
        Value::Arguments(res)
    }

    fn levels(&mut self, key: &Key, entries: Vec<Entry>) -> Value {
        let known = if key.kind == Kind::GroupLevels { GROUPS } else { self.known_rules };
        let what = if key.kind == Kind::GroupLevels { "group" } else { "rule" };
        let mut res = BTreeMap::new();
        for mut entry in entries {
            if let Some(name) = spelled(&entry.key, known) {
                name.clone_into(&mut entry.key);
            }
            if !known.contains(&entry.key.as_str()) {
                let nearest = did_you_mean(&entry.key, known.iter().copied());
                self.report(entry.key_at, key.name, format!("unknown {what} `{}`{nearest}", entry.key));
                continue;
            }
            let level = match &entry.value {
                Raw::Text(word) => Level::parse(word),
                _ => None,
            };
            match level {
                Some(level) => {
                    res.insert(entry.key, level);
                }
                None => {
                    let message = format!("`{}.{}` must be {}", key.name, entry.key, one_of(Level::NAMES));
                    self.report(entry.value_at, key.name, message);
                }
            }
        }
        Value::Levels(res)
    }

    fn report(&mut self, at: Place, key: &str, message: String) {
        let place = at.filter(|_| self.file.is_some()).map(|at| {
            let before = self.text.get(..at).unwrap_or(self.text);
            let line_start = before.rfind('\n').map_or(0, |it| it + 1);
            let line = before.bytes().filter(|it| *it == b'\n').count() + 1;
            (line, before.get(line_start..).unwrap_or_default().chars().count() + 1)
        });
        self.reports.push(Report {
            file: self.file.map(str::to_owned),
            line: place.and_then(|(line, _)| u32::try_from(line).ok()),
            column: place.and_then(|(_, column)| u32::try_from(column).ok()),
            key: key.to_owned(),
            message,
        });
    }
}

/// Reads `1000`, `"200MB"`, `"1.5 GB"`, `"64KiB"`; decimal units unless there is an `i`.
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    // Above 2^53 a fraction says nothing, and no image is that large.
    (bytes.is_finite() && bytes < 9e15).then_some(bytes.round() as u64)
}

fn bytes(raw: &Raw) -> Option<u64> {
    match raw {
        Raw::Integer(it) => u64::try_from(*it).ok(),
        Raw::Text(text) => size(text),
        Raw::Bool(_) | Raw::List(_) | Raw::Table(_) | Raw::Other => None,
    }
}

fn one_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|it| format!("\"{it}\"")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::size;
    use crate::config::{Builder, Config, Layer, Level, Trust};

    const RULES: &[&str] = &["apt-lists-left", "pip-cache-left", "single-stage-build"];

    fn reports(text: &str, trust: Trust, expected: Expect) -> Layer {
        let (layer, reports) = Layer::from_toml(text, "/w/plimsoll.toml", trust, RULES);
        expected.assert_eq(&reports.iter().map(|it| format!("{it}\n")).collect::<String>());
        layer
    }

    fn json(value: serde_json::Value) -> Config {
        let (layer, reports) = Layer::from_json(&value, Trust::User, RULES);
        assert_eq!(reports, []);
        Config::of(&[layer], None)
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            target = "runtime"
            platform = "linux/arm64"
            builder = "classic"
            [rules]
            apt-lists-left = "off"
            [groups]
            size = "hint"
            [size]
            minimum-saving = "5MB"
            budget = { runtime = "200MB", build = 3_000 }
            [build-args]
            VERSION = "1.2"
            DEBUG = true
            [mergeable-run-layers]
            layers-only = true
        "#;
        let config = Config::of(&[reports(text, Trust::Workspace, expect![[""]])], None);
        assert_eq!(config.target.as_deref(), Some("runtime"));
        assert_eq!(config.platform.to_string(), "linux/arm64");
        assert_eq!(config.builder, Builder::Classic);
        assert_eq!(config.level("apt-lists-left", "size"), Some(Level::Off));
        assert_eq!(config.level("pip-cache-left", "size"), Some(Level::Hint));
        assert_eq!(config.level("runs-as-root", "security"), None);
        assert_eq!(config.minimum_saving, 5_000_000);
        assert_eq!(config.budget.stages.get("runtime"), Some(&200_000_000));
        assert_eq!(config.build_args.get("DEBUG").map(String::as_str), Some("true"));
        assert!(config.options.merge_layers_only);
    }

    #[test]
    fn mistakes_are_reported_where_they_stand_and_the_rest_counts() {
        let text = "# é\ntargte = \"a\"\nlens = \"yes\"\n[size]\nminimal-saving = 1\nbudget = -1\n[rules]\n\
                    apt-list-left = \"off\"\npip-cache-left = \"warn\"\nsingle-stage-build = \"hint\"\n\
                    [unpinned-package]\nkinds = [\"system\", \"os\"]\n[groups]\nsizes = \"off\"\n";
        let layer = reports(
            text,
            Trust::User,
            expect![[r#"
                /w/plimsoll.toml:2:1: unknown key `targte`; did you mean `target`?
                /w/plimsoll.toml:3:8: `lens` must be true or false
                /w/plimsoll.toml:5:1: unknown key `size.minimal-saving`; did you mean `size.minimum-saving`?
                /w/plimsoll.toml:6:10: `size.budget` must be bytes, a text such as "200MB", or a table of stages
                /w/plimsoll.toml:8:1: unknown rule `apt-list-left`; did you mean `apt-lists-left`?
                /w/plimsoll.toml:9:18: `rules.pip-cache-left` must be "off", "hint", "information", "warning" or "error"
                /w/plimsoll.toml:12:20: `unpinned-package.kinds` must hold "system" or "language"
                /w/plimsoll.toml:14:1: unknown group `sizes`; did you mean `size`?
            "#]],
        );
        assert_eq!(Config::of(&[layer], None).level("single-stage-build", "size"), Some(Level::Hint));
    }

    #[test]
    fn a_text_that_is_no_toml_is_one_report() {
        let layer = reports(
            "lens = false\n[size\n",
            Trust::User,
            expect![[r#"
            /w/plimsoll.toml:2:6: no TOML: unclosed table, expected `]`
        "#]],
        );
        assert!(layer.is_empty());
    }

    #[test]
    fn a_workspace_cannot_open_a_door_but_can_shut_it() {
        let open = "[registry]\nenabled = true\nallow = [\"a\"]\n[engine]\nsocket = \"/run/docker.sock\"\n[size]\n\
                    data-file = \"x.tsv\"\n[server]\npath = \"./evil\"\n[files.\"**\"]\nregistry.enabled = true\n";
        let layer = reports(
            open,
            Trust::Workspace,
            expect![[r#"
            /w/plimsoll.toml:2:11: `registry.enabled` is the user's to set: a file of the workspace can only switch it off
            /w/plimsoll.toml:5:10: `engine.socket` is the user's to set: a file of the workspace can only switch it off
            /w/plimsoll.toml:7:13: `size.data-file` is the user's to set: a file of the workspace can only switch it off
            /w/plimsoll.toml:9:8: `server.path` is the user's to set: a file of the workspace can only switch it off
            /w/plimsoll.toml:11:10: `registry.enabled` cannot be set for single files
        "#]],
        );
        let config = Config::of(&[layer], Some("/w/Dockerfile"));
        assert!(!config.registry.enabled && config.engine_socket.is_none() && config.data_file.is_none());

        let user = reports(open.split("[files").next().unwrap_or_default(), Trust::User, expect![[""]]);
        let config = Config::of(std::slice::from_ref(&user), None);
        assert!(config.registry.enabled);
        assert_eq!(config.engine_socket.as_deref(), Some("/run/docker.sock"));
        assert_eq!(config.data_file.as_deref(), Some("/w/x.tsv"));

        let shut = "registry = { enabled = false }\nengine.socket = \"\"\n";
        let workspace = reports(shut, Trust::Workspace, expect![[""]]);
        let config = Config::of(&[user, workspace], None);
        assert!(!config.registry.enabled && config.engine_socket.is_none());
    }

    #[test]
    fn a_workspace_narrows_the_registries_and_never_widens_them() {
        let layer = |text: &str, trust| reports(text, trust, expect![[""]]);
        let user = layer("registry = { allow = [\"a\", \"b\"], deny = [\"c\"] }", Trust::User);
        let workspace = layer("registry = { allow = [\"b\", \"z\"], deny = [] }", Trust::Workspace);
        let registry = Config::of(&[user, workspace], None).registry;
        assert_eq!(registry.allow, Some(vec!["b".to_owned()]));
        assert_eq!(registry.deny, ["c"]);
    }

    #[test]
    fn stronger_layers_win_key_by_key() {
        let user =
            reports("target = \"a\"\nlens = false\n[rules]\npip-cache-left = \"off\"", Trust::User, expect![[""]]);
        let workspace = reports("target = \"b\"\n[rules]\napt-lists-left = \"hint\"", Trust::Workspace, expect![[""]]);
        let (command_line, _) = Layer::from_json(&json!({"target": "c"}), Trust::User, RULES);
        let config = Config::of(&[user.clone(), workspace.clone()], None);
        assert_eq!((config.target.as_deref(), config.lens), (Some("b"), false));
        assert_eq!(config.rules.len(), 2);
        let config = Config::of(&[user, workspace, command_line], None);
        assert_eq!(config.target.as_deref(), Some("c"));
    }

    #[test]
    fn files_are_set_by_patterns_relative_to_the_settings() {
        let text = "target = \"all\"\n[rules]\napt-lists-left = \"warning\"\n[files.\"services/**\"]\ntarget = \"service\"\n\
                    context = \"services\"\n[files.\"services/**\".groups]\nsize = \"off\"\n[files.\"**/Dockerfile.dev\"]\n\
                    target = \"dev\"\nlens = true\n";
        let layer = reports(
            text,
            Trust::Workspace,
            expect![[r#"
            /w/plimsoll.toml:11:1: `lens` cannot be set for single files
        "#]],
        );
        let of = |file: &str| Config::of(std::slice::from_ref(&layer), Some(file));
        assert_eq!(of("/w/Dockerfile").target.as_deref(), Some("all"));
        assert_eq!(of("/w/services/a/Dockerfile").target.as_deref(), Some("service"));
        assert_eq!(of("/w/services/Dockerfile.dev").target.as_deref(), Some("dev"));
        assert_eq!(of("/elsewhere/services/Dockerfile").target.as_deref(), Some("all"));
        assert_eq!(of("/w/services/Dockerfile").level("apt-lists-left", "size"), Some(Level::Off));
        assert_eq!(of("/w/Dockerfile").level("apt-lists-left", "size"), Some(Level::Warning));
        assert_eq!(of("/w/services/Dockerfile").context.map(|it| it.path).as_deref(), Some("/w/services"));
    }

    #[test]
    fn editors_write_keys_nested_or_with_dots_and_null_for_nothing() {
        let nested = json(json!({"size": {"minimum-saving": 5}, "rules": {"apt-lists-left": "off"}, "lens": null}));
        let dotted =
            json(json!({"size.minimum-saving": "5", "rules.apt-lists-left": "off", "trace": {"server": "off"}}));
        assert_eq!(nested, dotted);
        assert_eq!(nested.minimum_saving, 5);
        assert!(nested.lens);
        assert_eq!(json(json!({"buildkit": false})).buildkit, Some(false));
        assert_eq!(json(json!({"buildkit": "auto"})).buildkit, None);
        assert_eq!(json(json!(null)), Config::default());
        let (_, reports) = Layer::from_json(&json!([1]), Trust::User, RULES);
        assert_eq!(reports.len(), 1);
        let (_, reports) = Layer::from_json(&json!({"size": 5, "files": {"a": 1}}), Trust::User, RULES);
        assert_eq!(reports.len(), 2);
    }

    #[test]
    fn bytes_have_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("200MB", Some(200_000_000)),
            ("1.5 GB", Some(1_500_000_000)),
            ("64KiB", Some(65_536)),
            ("10k", Some(10_000)),
            ("1 parsec", None),
            ("", None),
            ("-1", None),
            ("1.2.3MB", None),
            ("99999999999999GB", None),
        ] {
            assert_eq!(size(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_panics() {
        arbtest::arbtest(|random| {
            let pieces = [
                "size", "[", "]", ".", "=", "\n", "\"", "a", "1", "{", "}", "rules", "files", "é", ",", "true",
                "\u{feff}",
            ];
            let mut text = String::new();
            for _ in 0..random.int_in_range(0..=24)? {
                text.push_str(random.choose(&pieces)?);
            }
            let _ = Layer::from_toml(&text, "plimsoll.toml", Trust::User, RULES);
            let text: String = random.arbitrary()?;
            let _ = Layer::from_toml(&text, "plimsoll.toml", Trust::User, RULES);
            let _ = size(&text);
            Ok(())
        });
    }
}
