//! What the instructions of a stage put into their layers, as far as a later one could take it away again: files that are
//! copied or fetched, packages, caches. The other half of [`crate::facts::removes`].

use crate::facts::caches::Cache;
use crate::facts::clones::clone;
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::landing;
use crate::facts::removes::{Removal, covers, homely, removal};
use crate::facts::run::{Command, RunFacts, is_below};
use crate::facts::stage::join;
use crate::facts::walk::State;
use crate::model::{File, InstructionKind, Placed, Stage};
use crate::text::TextRange;

/// Something in a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What.
    pub thing: Thing,
    /// The command that made it, or the sources of the COPY.
    pub range: TextRange,
    /// The stage.
    pub stage: usize,
    /// The instruction, by its index in the stage.
    pub instruction: usize,
}

/// The kinds of things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    /// What a package manager leaves beside what was asked for, and where.
    Cache(Cache, String),
    /// Packages by their names, without versions; those of a virtual package (`apk add -t x`) have its name too.
    Packages(Manager, Vec<String>),
    /// What a manifest lists, those for development included.
    Modules(Manager),
    /// A file or directory, absolute or below `~`.
    Path(String),
}

/// What a COPY or ADD brings, by the paths it surely makes: not what a directory holds, not what an archive is unpacked to.
pub fn copied(file: &File, stage_idx: usize, stage: &Stage, idx: usize, placed: &Placed, state: &State) -> Vec<Made> {
    let Some(copied) = landing::copied(file, stage, placed, state) else { return Vec::new() };
    let is_add = matches!(placed.instruction.kind, InstructionKind::Add(_));
    let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else {
        return Vec::new();
    };
    let mut res = Vec::new();
    for (word, source) in copy.sources.iter().zip(&copied.sources) {
        let Some(source) = source else { continue };
        let remote = source.contains("://");
        if is_add && !remote && is_archive(source) {
            continue;
        }
        let source = source.split(['?', '#']).next().unwrap_or(source).trim_end_matches('/');
        let name = source.rsplit('/').next().unwrap_or(source);
        if copied.into_directory && matches!(name, "" | "." | "..") {
            continue;
        }
        let path = match copied.into_directory {
            true if name.contains(['*', '?', '[']) => continue,
            true => format!("{}/{name}", copied.destination.trim_end_matches('/')),
            false => copied.destination.clone(),
        };
        let thing = Thing::Path(homely(&path));
        res.push(Made { thing, range: placed.range(word.range), stage: stage_idx, instruction: idx });
    }
    res
}

fn is_archive(name: &str) -> bool {
    [".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst"].iter().any(|it| name.ends_with(it))
}

/// What a RUN makes and keeps.
pub fn ran(stage_idx: usize, placed: &Placed, run: &RunFacts) -> Vec<Made> {
    let made = |thing: Thing, command: &Command| Made {
        thing,
        range: placed.range(command.range),
        stage: stage_idx,
        instruction: run.instruction,
    };
    let mut res = Vec::new();
    for left in &run.left {
        let Some(command) = run.commands.get(left.command) else { continue };
        res.push(made(Thing::Cache(left.cache, homely(&left.path)), command));
    }
    for (idx, command) in run.commands.iter().enumerate().filter(|(_, command)| command.certain) {
        let directory = run.directories.get(idx).and_then(Option::as_deref);
        for path in fetched(command, directory) {
            let mounted = run.mounted.iter().any(|it| is_below(&path, it) || is_below(&path, &homely(it)));
            if !mounted && removal(run, &run.directories, &path, idx) == Removal::No {
                res.push(made(Thing::Path(path), command));
            }
        }
        res.extend(installed(command).map(|thing| made(thing, command)));
    }
    res
}

/// What an install brings; `None` for other commands.
pub fn installed(command: &Command) -> Option<Thing> {
    let deed = deed(command).filter(|it| it.verb == Verb::Install)?;
    if deed.is_from_manifest(command) {
        return Some(Thing::Modules(deed.manager));
    }
    let mut names: Vec<String> = deed.packages().map(|word| plain_name(deed.manager, word).to_owned()).collect();
    if deed.manager == Manager::Apk {
        names.extend(virtual_package(command).map(str::to_owned));
    }
    (!names.is_empty()).then_some(Thing::Packages(deed.manager, names))
}

/// The package without its version: `git=1:2`, `git@edge`, `left-pad@1`, `flask==3`, `flask[async]>=3`.
pub fn plain_name(manager: Manager, word: &str) -> &str {
    let end = match manager {
        Manager::Npm | Manager::Yarn | Manager::Pnpm | Manager::Bun => {
            word.get(1..).and_then(|it| it.find('@')).map(|at| at + 1)
        }
        _ => word.find(['=', '@', '>', '<', '~', '[', ':']),
    };
    end.and_then(|end| word.get(..end)).unwrap_or(word)
}

/// The name behind `apk add --virtual`.
fn virtual_package(command: &Command) -> Option<&str> {
    let mut arguments = command.arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(value) = argument.value.as_deref() else { continue };
        match value.strip_prefix("--virtual").or_else(|| value.strip_prefix("-t")) {
            Some("") => return arguments.next()?.value.as_deref(),
            Some(rest) if rest.starts_with('=') => return rest.get(1..),
            Some(_) | None => {}
        }
    }
    None
}

/// The files and directories that a command fetches (`curl -o`, `wget`, `git clone`), absolute or below `~`.
pub fn fetched(command: &Command, directory: Option<&str>) -> Vec<String> {
    let place = |path: &str| join(directory, path).map(|path| homely(&path));
    let option = |names: &[&str]| -> Option<&str> {
        let mut arguments = command.arguments.iter();
        while let Some(argument) = arguments.next() {
            let value = argument.value.as_deref()?;
            if names.contains(&value) {
                return arguments.next()?.value.as_deref();
            }
            // `-qO name`, `-qO-`: in a group of letters what follows the letter is its value, else the next word.
            let short = names.iter().filter_map(|name| name.strip_prefix('-')).find(|it| it.len() == 1);
            let group = value.strip_prefix('-').filter(|it| !it.starts_with('-'));
            let split = group.zip(short).and_then(|(group, letter)| group.split_once(letter));
            if let Some((_, attached)) = split.filter(|(letters, _)| letters.chars().all(char::is_alphabetic)) {
                return if attached.is_empty() { arguments.next()?.value.as_deref() } else { Some(attached) };
            }
            if let Some((name, value)) = value.split_once('=')
                && names.contains(&name)
            {
                return Some(value);
            }
        }
        None
    };
    let base_name = |url: &str| {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        path.rsplit('/').next().filter(|name| !name.is_empty() && url.contains("://")).map(str::to_owned)
    };
    let found = match command.program.as_str() {
        "curl" => match option(&["-o", "--output"]) {
            Some(path) => vec![path.to_owned()],
            None => {
                let remote = command.has(&["-O", "--remote-name", "--remote-name-all"])
                    || command.values().any(|it| it.starts_with('-') && !it.starts_with("--") && it.ends_with('O'));
                let urls = command.values().filter(|it| it.contains("://"));
                if remote { urls.filter_map(base_name).collect() } else { Vec::new() }
            }
        },
        "git" => clone(command).map(|clone| clone.directory).into_iter().collect(),
        "wget" if command.has(&["-P", "--directory-prefix"]) => Vec::new(),
        "wget" => match option(&["-O", "--output-document"]) {
            Some("-") => Vec::new(),
            Some(path) => vec![path.to_owned()],
            None => command.values().filter(|it| it.contains("://")).filter_map(base_name).collect(),
        },
        _ => Vec::new(),
    };
    found.iter().filter(|path| !path.starts_with("/dev/")).filter_map(|path| place(path)).collect()
}

/// Whether deleting this pattern takes the thing away.
pub fn is_deleted(thing: &Thing, pattern: &str) -> bool {
    match thing {
        Thing::Cache(Cache::Npm, path) => covers(pattern, &format!("{path}/_cacache")) == Removal::Yes,
        // Nobody deletes a part of the lists; `*_dists_*` is meant for all.
        Thing::Cache(Cache::AptLists, path) => covers(pattern, path) != Removal::No,
        Thing::Cache(_, path) | Thing::Path(path) => covers(pattern, path) == Removal::Yes,
        Thing::Packages(..) | Thing::Modules(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Thing, plain_name, ran};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::facts::installs::Manager;
    use crate::lower;

    fn paths(line: &str) -> Vec<String> {
        let file = lower::file(format!("FROM a\nWORKDIR /app\nRUN {line}\n").into(), &lower::Build::default(), None);
        let facts = Facts::of(&file, &Config::default());
        let made = ran(0, &file.stages[0].instructions[1], &facts.stages[0].runs[0]);
        made.into_iter().filter_map(|it| if let Thing::Path(path) = it.thing { Some(path) } else { None }).collect()
    }

    #[test]
    fn fetched_files_have_their_paths() {
        assert_eq!(paths("curl -fsSLo /tmp/a.tgz https://x.org/b.tgz"), ["/tmp/a.tgz"]);
        assert_eq!(paths("cd /tmp && curl -sSLO https://x.org/b.tgz"), ["/tmp/b.tgz"]);
        assert_eq!(paths("wget -q https://x.org/b.tgz?v=1"), ["/app/b.tgz"]);
        assert_eq!(paths("wget -qO- https://x.org/b.tgz | tar x"), [""; 0]);
        assert_eq!(paths("curl -o a https://x.org/b && rm a"), [""; 0]);
        assert_eq!(paths("curl https://x.org/b"), [""; 0]);
        assert_eq!(paths("git clone --depth 1 https://x.org/b.git && make -C b"), ["/app/b"]);
    }

    #[test]
    fn a_version_is_no_part_of_a_name() {
        assert_eq!(plain_name(Manager::Npm, "@types/node@20"), "@types/node");
        assert_eq!(plain_name(Manager::Pip, "flask[async]>=3"), "flask");
        assert_eq!(plain_name(Manager::Apt, "git=1:2"), "git");
    }
}
