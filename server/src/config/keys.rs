//! The one table of keys: name, kind, default, meaning, and how a value is laid onto the [`Config`].
//!
//! Reading ([`crate::config::read`]) and the schema ([`crate::config::schema`]) know no key that does not stand here.

use std::collections::BTreeMap;

use crate::config::{Budget, Builder, Config, DiagnosticsMode, Level, NamedFolder, Trust, path};
use crate::model::Platform;

/// A key of the settings.
pub struct Key {
    /// Its name, tables and key with dots between them.
    pub name: &'static str,
    /// What it may be set to.
    pub kind: Kind,
    /// The default, as JSON.
    pub default: &'static str,
    /// What it means, in whole sentences: the schema's description.
    pub doc: &'static str,
    /// Whether a workspace may at most switch it off (CLI.md, †).
    pub user_only: bool,
    /// Whether it may stand in `[files."…"]`.
    pub per_file: bool,
    pub(crate) lay: fn(&mut Config, &Value, &Place),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.name == other.name
    }
}

/// What a key may be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// `true`, `false` or `"auto"`.
    BoolOrAuto,
    /// A text; the empty text means none.
    Text,
    /// A path; the empty text means none.
    Path,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of these words.
    Words(&'static [&'static str]),
    /// Bytes, or a text such as `"200MB"`.
    Bytes,
    /// Bytes, or a table of stage names with bytes.
    Budget,
    /// `os/arch[/variant]`.
    Platform,
    /// A table of texts.
    Arguments,
    /// A table of rule ids with levels.
    RuleLevels,
    /// A table of group names with levels.
    GroupLevels,
}

/// A value that was read and is of its key's kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Auto,
    Text(String),
    Texts(Vec<String>),
    Bytes(u64),
    Budget(Budget),
    Platform(Platform),
    Arguments(BTreeMap<String, String>),
    Levels(BTreeMap<String, Level>),
}

/// Where a value was said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) trust: Trust,
    pub(crate) folder: Option<&'a str>,
    pub(crate) in_files: bool,
}

/// The groups of rules (RULES.md §1).
pub const GROUPS: &[&str] = &["size", "cache", "security", "correctness", "style"];

const FILE: Key =
    Key { name: "", kind: Kind::Text, default: "null", doc: "", user_only: false, per_file: true, lay: |_, _, _| {} };
const PLAIN: Key = Key { per_file: false, ..FILE };
const USER: Key = Key { user_only: true, ..PLAIN };

/// All keys but `[files."…"]`, which holds those that are `per_file`.
pub static KEYS: &[Key] = &[
    Key {
        name: "rules",
        kind: Kind::RuleLevels,
        default: "{}",
        doc: "Severity of single rules, by id; \"off\" silences a rule.",
        lay: |config, value, place| {
            let Value::Levels(levels) = value else { return };
            let acc = if place.in_files { &mut config.file_levels.rules } else { &mut config.rules };
            acc.extend(levels.clone());
        },
        ..FILE
    },
    Key {
        name: "groups",
        kind: Kind::GroupLevels,
        default: "{}",
        doc: "Severity of all rules of a group; weaker than that of a single rule.",
        lay: |config, value, place| {
            let Value::Levels(levels) = value else { return };
            let acc = if place.in_files { &mut config.file_levels.groups } else { &mut config.groups };
            acc.extend(levels.clone());
        },
        ..FILE
    },
    Key {
        name: "target",
        doc: "The stage that is built, as in `docker build --target`. Without it the last one.",
        lay: |config, value, _| text(value, &mut config.target),
        ..FILE
    },
    Key {
        name: "platform",
        kind: Kind::Platform,
        default: "\"linux/amd64\"",
        doc: "The platform that is built for.",
        lay: |config, value, _| {
            let Value::Platform(platform) = value else { return };
            config.platform = platform.clone();
        },
        ..FILE
    },
    Key {
        name: "context",
        kind: Kind::Path,
        doc: "The build context folder, relative to the settings file. Without it, it is searched for. What a file of a \
              workspace names must lie in that workspace.",
        lay: |config, value, place| {
            let Value::Text(text) = value else { return };
            let path = path::joined(place.folder, text);
            config.context = (!text.is_empty()).then_some(NamedFolder { path, trust: place.trust });
        },
        ..FILE
    },
    Key {
        name: "build-args",
        kind: Kind::Arguments,
        default: "{}",
        doc: "Build arguments, as in `docker build --build-arg`.",
        lay: |config, value, _| {
            let Value::Arguments(arguments) = value else { return };
            config.build_args.extend(arguments.clone());
        },
        ..FILE
    },
    Key {
        name: "buildkit",
        kind: Kind::BoolOrAuto,
        default: "\"auto\"",
        doc: "BuildKit's own checks; \"auto\" leaves them to another language server that reports them. Read by the \
              feature \"BuildKit's checks\".",
        lay: |config, value, _| match value {
            Value::Bool(it) => config.buildkit = Some(*it),
            Value::Auto => config.buildkit = None,
            _ => {}
        },
        ..PLAIN
    },
    Key {
        name: "builder",
        kind: Kind::Word(&["buildkit", "classic"]),
        default: "\"buildkit\"",
        doc: "The builder that the file is for. Read by the rules write-after-volume and install-without-cache-mount.",
        lay: |config, value, _| {
            let Value::Text(word) = value else { return };
            config.builder = if word == "classic" { Builder::Classic } else { Builder::BuildKit };
        },
        ..PLAIN
    },
    Key {
        name: "diagnostics.mode",
        kind: Kind::Word(&["push", "pull"]),
        default: "\"push\"",
        doc: "How findings reach the editor: sent as soon as they are known, or only when it asks.",
        lay: |config, value, _| {
            let Value::Text(word) = value else { return };
            config.diagnostics = if word == "pull" { DiagnosticsMode::Pull } else { DiagnosticsMode::Push };
        },
        ..PLAIN
    },
    Key {
        name: "require-reason",
        kind: Kind::Bool,
        default: "false",
        doc: "Whether an allow comment without a reason is reported.",
        lay: |config, value, _| flag(value, &mut config.require_reason),
        ..PLAIN
    },
    Key {
        name: "unused-allow",
        kind: Kind::Bool,
        default: "true",
        doc: "Whether an allow comment that silences nothing, or names an unknown rule, is reported.",
        lay: |config, value, _| flag(value, &mut config.unused_allow),
        ..PLAIN
    },
    Key {
        name: "size.budget",
        kind: Kind::Budget,
        doc: "What the image may weigh unpacked, in bytes or as \"200MB\"; or a table of stage names. Read by the rule \
              image-over-budget and by `plimsoll size`.",
        lay: |config, value, _| {
            let Value::Budget(budget) = value else { return };
            if budget.target.is_some() {
                config.budget.target = budget.target;
            }
            config.budget.stages.extend(budget.stages.clone());
        },
        ..PLAIN
    },
    Key {
        name: "size.minimum-saving",
        kind: Kind::Bytes,
        default: "\"1MB\"",
        doc: "Size findings that would save less than this are not shown.",
        lay: |config, value, _| bytes(value, &mut config.minimum_saving),
        ..PLAIN
    },
    Key {
        name: "size.data-file",
        kind: Kind::Path,
        doc: "Another table of images, instead of the one that `plimsoll images update` keeps in the cache folder.",
        lay: |config, value, place| file(value, place, &mut config.data_file),
        ..USER
    },
    Key {
        name: "hints.instructions",
        kind: Kind::Bool,
        default: "true",
        doc: "Weights as inlay hints at the end of instructions.",
        lay: |config, value, _| flag(value, &mut config.hints.instructions),
        ..PLAIN
    },
    Key {
        name: "hints.minimum",
        kind: Kind::Bytes,
        default: "\"1MB\"",
        doc: "No inlay hint for what weighs less than this.",
        lay: |config, value, _| bytes(value, &mut config.hints.minimum),
        ..PLAIN
    },
    Key {
        name: "lens",
        kind: Kind::Bool,
        default: "true",
        doc: "The weight of each stage as a code lens.",
        lay: |config, value, _| flag(value, &mut config.lens),
        ..PLAIN
    },
    Key {
        name: "format.indent-run",
        kind: Kind::Bool,
        default: "false",
        doc: "Formatting may re-indent inside RUN. Read by the feature \"formatting\".",
        lay: |config, value, _| flag(value, &mut config.indent_run),
        ..PLAIN
    },
    Key {
        name: "registry.enabled",
        kind: Kind::Bool,
        default: "false",
        doc: "Whether the registries of base images are asked what these weigh.",
        lay: |config, value, _| flag(value, &mut config.registry.enabled),
        ..USER
    },
    Key {
        name: "registry.allow",
        kind: Kind::Texts,
        doc: "Only these registries are asked, by host name (`docker.io`), with or without a port; without it all. A \
              workspace can only narrow the list.",
        lay: |config, value, place| {
            let Value::Texts(hosts) = value else { return };
            let narrowed = match (&config.registry.allow, place.trust) {
                (Some(before), Trust::Workspace) => before.iter().filter(|it| hosts.contains(it)).cloned().collect(),
                (Some(_) | None, Trust::User) | (None, Trust::Workspace) => hosts.clone(),
            };
            config.registry.allow = Some(narrowed);
        },
        ..PLAIN
    },
    Key {
        name: "registry.deny",
        kind: Kind::Texts,
        default: "[]",
        doc: "These registries are never asked, by host name, with or without a port. A workspace can only add to the \
              list.",
        lay: |config, value, place| {
            let Value::Texts(hosts) = value else { return };
            match place.trust {
                Trust::User => config.registry.deny.clone_from(hosts),
                Trust::Workspace => config.registry.deny.extend(hosts.iter().cloned()),
            }
        },
        ..PLAIN
    },
    Key {
        name: "engine.socket",
        kind: Kind::Path,
        doc: "The socket of Docker or Podman from which layers of built images are measured. Without it the editor asks \
              none.",
        lay: |config, value, _| text(value, &mut config.engine_socket),
        ..USER
    },
    Key {
        name: "server.path",
        kind: Kind::Path,
        doc: "The server program. Read by the VS Code extension alone.",
        lay: |_, _, _| {},
        ..USER
    },
    Key {
        name: "mergeable-run-layers.layers-only",
        kind: Kind::Bool,
        default: "false",
        doc: "mergeable-run-layers also reports merges that save layers and no bytes, as hints.",
        lay: |config, value, _| flag(value, &mut config.options.merge_layers_only),
        ..PLAIN
    },
    Key {
        name: "unpinned-base-tag.require",
        kind: Kind::Word(&["version", "digest"]),
        doc: "unpinned-base-tag also reports floating tags (\"version\"), or tags without a digest (\"digest\").",
        lay: |config, value, _| text(value, &mut config.options.base_tag_require),
        ..PLAIN
    },
    Key {
        name: "unpinned-base-tag.local-images",
        kind: Kind::Texts,
        default: "[]",
        doc: "Images for which unpinned-base-tag says nothing.",
        lay: |config, value, _| texts(value, &mut config.options.local_images),
        ..PLAIN
    },
    Key {
        name: "unpinned-package.kinds",
        kind: Kind::Words(&["system", "language"]),
        doc: "Which packages unpinned-package reports; without it both kinds.",
        lay: |config, value, _| {
            let Value::Texts(kinds) = value else { return };
            config.options.package_kinds = Some(kinds.clone());
        },
        ..PLAIN
    },
    Key {
        name: "user-not-in-image.require",
        kind: Kind::Word(&["numeric"]),
        doc: "user-not-in-image also reports every USER that is named instead of numbered.",
        lay: |config, value, _| config.options.numeric_user = matches!(value, Value::Text(word) if word == "numeric"),
        ..PLAIN
    },
    Key {
        name: "removable-files-kept.kinds",
        kind: Kind::Words(&["documentation", "tests", "debug-data", "source-maps"]),
        doc: "Which files removable-files-kept reports; without it all kinds.",
        lay: |config, value, _| {
            let Value::Texts(kinds) = value else { return };
            config.options.removable_kinds = Some(kinds.clone());
        },
        ..PLAIN
    },
    Key {
        name: "undefined-stage.named-contexts",
        kind: Kind::Texts,
        default: "[]",
        doc: "Names that the build is given by `--build-context`, and that undefined-stage takes for known.",
        lay: |config, value, _| texts(value, &mut config.options.named_contexts),
        ..PLAIN
    },
    Key {
        name: "secret-in-env-or-arg.names",
        kind: Kind::Texts,
        default: "[]",
        doc: "Further names of variables that secret-in-env-or-arg takes for secrets.",
        lay: |config, value, _| texts(value, &mut config.options.secret_names),
        ..PLAIN
    },
    Key {
        name: "secret-in-env-or-arg.allow-names",
        kind: Kind::Texts,
        default: "[]",
        doc: "Names of variables that secret-in-env-or-arg does not take for secrets.",
        lay: |config, value, _| texts(value, &mut config.options.secret_allow_names),
        ..PLAIN
    },
];

fn flag(value: &Value, acc: &mut bool) {
    if let Value::Bool(it) = value {
        *acc = *it;
    }
}

fn text(value: &Value, acc: &mut Option<String>) {
    if let Value::Text(it) = value {
        *acc = (!it.is_empty()).then(|| it.clone());
    }
}

fn file(value: &Value, place: &Place, acc: &mut Option<String>) {
    if let Value::Text(it) = value {
        *acc = (!it.is_empty()).then(|| path::joined(place.folder, it));
    }
}

fn texts(value: &Value, acc: &mut Vec<String>) {
    if let Value::Texts(it) = value {
        acc.clone_from(it);
    }
}

fn bytes(value: &Value, acc: &mut u64) {
    if let Value::Bytes(it) = value {
        *acc = *it;
    }
}
