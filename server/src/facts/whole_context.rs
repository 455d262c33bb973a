//! Which instructions take the whole build context, and what comes along with it that the image does not need.
//!
//! **Invariant:** what an instruction names is wanted, and so is what a build step may read; nobody is told to leave it out.

use crate::context::heavy::{Heavy, HeavyKind};
use crate::context::ignore::IgnoreFile;
use crate::context::{BuildContext, cleaned};
use crate::facts::Facts;
use crate::facts::run::{Command, is_below};
use crate::facts::secrets::has_secret;
use crate::model::{File, InstructionKind, Placed};
use crate::text::TextRange;

/// An instruction that takes the whole context.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole<'a> {
    /// The instruction.
    pub placed: &'a Placed,
    /// Its sources, or its mount.
    pub range: TextRange,
    /// Whether what it takes is shipped.
    pub shipped: bool,
    /// The patterns of `--exclude`.
    pub excluded: Vec<&'a str>,
}

/// The instructions of the stages that the target needs that take the whole context, in the order of the text.
pub fn copies<'a>(file: &'a File, facts: &Facts) -> Vec<Whole<'a>> {
    let mut res = Vec::new();
    for (stage_idx, stage) in file.stages.iter().enumerate() {
        if !facts.reaching.get(stage_idx).copied().unwrap_or(false) {
            continue;
        }
        let is_final = facts.is_final(stage_idx);
        res.extend(stage.instructions.iter().filter_map(|placed| whole(placed, is_final)));
    }
    res
}

fn whole(placed: &Placed, is_final: bool) -> Option<Whole<'_>> {
    match &placed.instruction.kind {
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
            let is_here = placed.instruction.flag("from").is_none();
            let (first, last) = (copy.sources.first()?, copy.sources.last()?);
            let takes_all = |text: &str| !text.contains("://") && !text.is_empty() && cleaned(text).is_empty();
            let all = is_here && copy.sources.iter().any(|source| takes_all(&source.text));
            let excluded = placed.instruction.flags.iter().filter(|flag| flag.name == "exclude");
            let excluded = excluded.filter_map(|flag| Some(flag.value.as_ref()?.text.as_str())).collect();
            let range = placed.range(first.range.cover(last.range));
            all.then_some(Whole { placed, range, shipped: is_final, excluded })
        }
        InstructionKind::Run(run) => {
            let mount = run.mounts.iter().find(|mount| {
                let source = mount.value(&["source", "src"]).map_or("", |word| word.text.as_str());
                mount.kind() == "bind" && mount.value(&["from"]).is_none() && cleaned(source).is_empty()
            })?;
            Some(Whole { placed, range: placed.range(mount.range), shipped: false, excluded: Vec::new() })
        }
        _ => None,
    }
}

/// What comes through to one of these copies and nobody asked for.
pub fn let_through<'c>(file: &File, facts: &Facts, context: &'c BuildContext, copies: &[Whole]) -> Vec<&'c Heavy> {
    if !context.known || copies.is_empty() || context.heavy.is_empty() {
        return Vec::new();
    }
    let named = named(file);
    let is_named = |heavy: &Heavy| {
        let written = named.iter().any(|it| is_below(it, &heavy.path) || is_below(&heavy.path, it));
        let name = heavy.path.rsplit('/').next().unwrap_or(&heavy.path);
        written || heavy.kind == HeavyKind::Data && file.text.contains(name)
    };
    let excluded: Vec<IgnoreFile> = copies.iter().map(|it| IgnoreFile::parse(&it.excluded.join("\n"))).collect();
    let wanted = |heavy: &&Heavy| {
        !is_named(heavy)
            && !excluded.iter().all(|it| it.ignores(&heavy.path))
            && match heavy.kind {
                HeavyKind::History => !reads_history(file, facts, context),
                HeavyKind::Modules => !is_committed(context, "node_modules"),
                HeavyKind::Secret => !is_committed(context, heavy.path.rsplit('/').next().unwrap_or(&heavy.path)),
                HeavyKind::Build | HeavyKind::Environment | HeavyKind::Cache | HeavyKind::Data => true,
            }
    };
    context.heavy.iter().filter(wanted).collect()
}

/// The paths that instructions name, whichever stage they stand in.
fn named(file: &File) -> Vec<String> {
    let mut res = Vec::new();
    for placed in file.stages.iter().flat_map(|stage| &stage.instructions) {
        match &placed.instruction.kind {
            InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
                let sources = copy.sources.iter().map(|source| cleaned(&source.text));
                res.extend(sources.filter(|it| !it.is_empty() && !it.contains(['*', '?', '['])));
            }
            InstructionKind::Run(run) => {
                let sources = run.mounts.iter().filter_map(|mount| mount.value(&["source", "src"]));
                res.extend(sources.map(|word| cleaned(&word.text)).filter(|it| !it.is_empty()));
            }
            _ => {}
        }
    }
    res
}

/// Whether the history may be read while the image is built: by a command of the file, or by a build that nobody has read.
pub fn reads_history(file: &File, facts: &Facts, context: &BuildContext) -> bool {
    let words = ["setuptools_scm", "setuptools-scm", "hatch-vcs", "versioneer", "vergen", "buildvcs=true"];
    if words.iter().any(|word| file.text.contains(word)) {
        return true;
    }
    let reads = |text: &str| {
        let git = ["git rev-parse", "git describe", "git log", "git show", "git rev-list", "git status", "git tag"];
        git.iter().any(|it| text.contains(it)) || words.iter().any(|it| text.contains(it))
    };
    if context.texts.values().any(|text| reads(text)) {
        return true;
    }
    let by_command = |command: &Command| match command.program.as_str() {
        "git" => {
            let first = command.values().find(|it| !it.starts_with('-'));
            !matches!(first, None | Some("clone" | "config" | "init" | "lfs"))
        }
        "make" | "gmake" | "mage" | "just" | "task" | "bazel" | "goreleaser" => {
            !context.texts.keys().any(|path| path.ends_with("Makefile"))
        }
        _ => false,
    };
    let stages = facts.stages.iter().zip(&facts.reaching).filter(|(_, reaching)| **reaching);
    { stages }.flat_map(|(stage, _)| &stage.runs).flat_map(|run| &run.commands).any(by_command)
}

/// Whether the repository holds a file of this name on purpose: its `.gitignore` was read and does not speak of it.
fn is_committed(context: &BuildContext, name: &str) -> bool {
    let Some(text) = context.text(".gitignore") else { return false };
    let spoken = text.lines().any(|line| {
        let line = line.trim().trim_start_matches("**/").trim_matches('/');
        let is_pattern = line.split_once('*').is_some_and(|(before, after)| {
            !line.starts_with('!') && name.starts_with(before) && (after.is_empty() || name.ends_with(after))
        });
        line == name || is_pattern
    });
    !spoken
}

/// Whether it holds secrets, as far as is known: a file of settings that was read may hold none, only names without values.
pub fn is_secret(context: &BuildContext, heavy: &Heavy) -> bool {
    let holds_none = || is_of_settings(&heavy.path) && context.text(&heavy.path).is_some_and(|text| !has_secret(text));
    heavy.kind == HeavyKind::Secret && !holds_none()
}

/// `.env` and its like; a key is not read.
fn is_of_settings(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(".env"))
}

/// An ignore file beside a Dockerfile that does not lie at the top of the context: nobody reads it.
pub fn beside(context: &BuildContext) -> Option<String> {
    let (folder, _) = context.dockerfile.as_deref()?.rsplit_once('/')?;
    let path = format!("{folder}/.dockerignore");
    let holds = context.ignore_file.as_deref() == Some(path.as_str());
    (!holds && context.entries.contains_key(&path)).then_some(path)
}

/// Files of the context that decide whether something is wanted.
pub fn asked(file: &File, facts: &Facts, context: &BuildContext) -> Vec<String> {
    if context.heavy.is_empty() || copies(file, facts).is_empty() {
        return Vec::new();
    }
    let names = [".gitignore", "Makefile", "package.json", "pyproject.toml"];
    let settings = context.heavy.iter().filter(|it| it.kind == HeavyKind::Secret && is_of_settings(&it.path));
    let named = names.iter().filter(|name| context.has_file(name)).map(|name| (*name).to_owned());
    named.chain(settings.map(|it| it.path.clone())).collect()
}
