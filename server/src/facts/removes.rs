//! What the commands of a RUN delete, and whether a path outlives it (RULES.md §1, *Removes*, *Kept*).
//!
//! **Invariant:** what cannot be told is [`Removal::Maybe`], and nobody is blamed for a maybe.

use crate::facts::installs::{self, Manager, Verb};
use crate::facts::run::{Command, RunFacts};
use crate::facts::stage::join;
use crate::shell::Script;

/// Whether a path is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removal {
    /// No command does.
    No,
    /// A command that may, or that surely does but may not run.
    Maybe,
    /// A command that runs whenever the RUN succeeds.
    Yes,
}

/// What one command deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletes {
    /// Absolute paths, or such below `~`, with patterns as written.
    pub paths: Vec<String>,
    /// Whether it deletes more than these, or not all of what lies there.
    pub open: bool,
}

/// The directory in which each command of a RUN runs, `cd` followed; `start` is the instruction's own.
pub fn directories(run: &RunFacts, script: &Script, start: Option<&str>) -> Vec<Option<String>> {
    let mut known: Vec<(u32, Option<String>)> = vec![(0, start.map(str::to_owned))];
    let mut res = Vec::with_capacity(run.commands.len());
    for command in &run.commands {
        let subshell = script.calls.get(command.call).map_or(0, |call| call.subshell);
        let own = known.iter().rev().find(|(it, _)| *it == subshell);
        let here = own.or(known.first()).and_then(|(_, directory)| directory.clone());
        if matches!(command.program.as_str(), "cd" | "pushd" | "popd") {
            let target = command.arguments.first().and_then(|it| it.value.as_deref());
            let to = target.filter(|it| *it != "-").and_then(|path| home_join(here.as_deref(), path));
            known.push((subshell, to));
        }
        res.push(here);
    }
    res
}

/// A path from a directory; what begins with `~` stays below `~`.
fn home_join(directory: Option<&str>, path: &str) -> Option<String> {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Some(homely(&format!("~{rest}"))),
        Some(_) => None,
        None if path.starts_with('/') => join(None, path).map(|it| homely(&it)),
        None => match directory?.strip_prefix('~') {
            Some(below) => join(Some(&format!("/{below}")), path).map(|it| format!("~{it}")),
            None => join(directory, path).map(|it| homely(&it)),
        },
    }
}

/// A path with the home folder of root or any user written `~`: which of them it is hangs on who runs the command, and
/// one home a file is the rule.
pub fn homely(path: &str) -> String {
    if let Some(rest) = path.strip_prefix("/root").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        return format!("~{rest}");
    }
    match path.strip_prefix("/home/") {
        Some(rest) => format!("~{}", rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("")),
        None => path.trim_end_matches('/').to_owned(),
    }
}

/// What a command deletes; `None` for a command that is no deletion.
pub fn deletes(command: &Command, directory: Option<&str>) -> Option<Deletes> {
    let mut res = Deletes::default();
    let mut add = |value: Option<&str>, suffix: &str| match value {
        Some(value) => {
            for word in braces(value) {
                match home_join(directory, &format!("{word}{suffix}")) {
                    Some(path) => res.paths.push(path),
                    None => res.open = true,
                }
            }
        }
        None => res.open = true,
    };
    match command.program.as_str() {
        "rm" | "rmdir" | "unlink" | "shred" => {
            for argument in command.operands() {
                add(argument.value.as_deref(), "");
            }
        }
        "find" => {
            let removes = command.has(&["-delete"]) || command.values().any(|it| matches!(it, "rm" | "/bin/rm"));
            if !removes {
                return None;
            }
            let roots = command
                .arguments
                .iter()
                .take_while(|it| it.value.as_deref().is_none_or(|value| !value.starts_with(['-', '(', '!', '\\'])));
            for root in roots {
                add(root.value.as_deref(), "/*");
            }
            let filters =
                ["-name", "-iname", "-path", "-regex", "-newer", "-mtime", "-size", "-user", "-perm", "-prune"];
            res.open |= command.has(&filters) || command.has(&["!", "-not"]);
        }
        "xargs" if command.values().any(|it| it == "rm") => res.open = true,
        "eval" | "source" | "." => res.open = true,
        // A script that somebody wrote to clean up.
        name if name.contains("clean") => res.open = true,
        _ => return None,
    }
    Some(res)
}

/// `a{b,c}d` as the words that bash makes of it. `sh` of Debian does not, but who writes it means it.
fn braces(word: &str) -> Vec<String> {
    let parts = word.find('{').and_then(|open| {
        let close = open + word.get(open..)?.find('}')?;
        Some((word.get(..open)?, word.get(open + 1..close)?, word.get(close + 1..)?))
    });
    match parts {
        Some((before, inside, after)) if inside.contains(',') && word.len() < 500 => {
            inside.split(',').flat_map(|part| braces(&format!("{before}{part}{after}"))).take(64).collect()
        }
        Some(_) | None => vec![word.to_owned()],
    }
}

/// Whether deleting `pattern` deletes `path` with all that lies in it. `Maybe` where only a part of it matches.
pub fn covers(pattern: &str, path: &str) -> Removal {
    let mut patterns = pattern.split('/').filter(|it| !it.is_empty());
    let mut parts = path.split('/').filter(|it| !it.is_empty());
    loop {
        match (patterns.next(), parts.next()) {
            (None, _) => return Removal::Yes,
            (Some(pattern), Some(part)) if glob(pattern, part) => {}
            (Some(_), Some(_)) => return Removal::No,
            (Some("*" | "**"), None) => return if patterns.next().is_none() { Removal::Yes } else { Removal::No },
            (Some(pattern), None) => {
                let last = patterns.next().is_none();
                return if last && pattern.contains(['*', '?', '[']) { Removal::Maybe } else { Removal::No };
            }
        }
    }
}

/// Whether a name matches a shell pattern of `*` and `?`; a set in brackets is taken for any character.
pub fn glob(pattern: &str, name: &str) -> bool {
    fn matches(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
            Some(('?', rest)) => name.split_first().is_some_and(|(_, name)| matches(rest, name)),
            Some(('[', rest)) => match rest.iter().position(|it| *it == ']') {
                Some(close) => name.split_first().is_some_and(|(_, name)| matches(&rest[close + 1..], name)),
                None => name.split_first().is_some_and(|(first, name)| *first == '[' && matches(rest, name)),
            },
            Some((char, rest)) => name.split_first().is_some_and(|(first, name)| first == char && matches(rest, name)),
        }
    }
    if !pattern.contains(['*', '?', '[']) {
        return pattern == name;
    }
    // A pattern of many stars could take long; nobody writes one.
    if pattern.matches('*').count() > 4 || name.len() > 300 {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    matches(&pattern, &name)
}

/// Whether a command behind the one of index `after` deletes `path` (absolute, or below `~`).
pub fn removal(run: &RunFacts, directories: &[Option<String>], path: &str, after: usize) -> Removal {
    let path = homely(path);
    let mut res = Removal::No;
    for (idx, command) in run.commands.iter().enumerate().skip(after.saturating_add(1)) {
        let directory = directories.get(idx).and_then(Option::as_deref);
        let Some(deletes) = deletes(command, directory) else {
            // `apt-get distclean` or `dist-clean` deletes the lists too (apt 2.9.17).
            let lists = path == "/var/lib/apt/lists" && is_distclean(command);
            res = res.max(if lists { surely(command) } else { Removal::No });
            continue;
        };
        let covered = deletes.paths.iter().map(|pattern| covers(pattern, &path)).max().unwrap_or(Removal::No);
        res = res.max(match (covered, deletes.open) {
            (Removal::No, false) => Removal::No,
            (Removal::No, true) | (Removal::Maybe, _) | (Removal::Yes, true) => Removal::Maybe,
            (Removal::Yes, false) => surely(command),
        });
    }
    res
}

fn is_distclean(command: &Command) -> bool {
    installs::deed(command).is_some_and(|it| {
        it.manager == Manager::Apt && it.verb == Verb::Clean && matches!(it.word, "distclean" | "dist-clean")
    })
}

fn surely(command: &Command) -> Removal {
    if command.certain { Removal::Yes } else { Removal::Maybe }
}

#[cfg(test)]
mod tests {
    use super::{Removal, braces, covers, directories, removal};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::lower;
    use crate::model::InstructionKind;

    fn check(line: &str, path: &str, expected: Removal) {
        let file = lower::file(format!("FROM a\nWORKDIR /app\nRUN {line}\n").into(), &lower::Build::default(), None);
        let facts = Facts::of(&file, &Config::default());
        let run = &facts.stages[0].runs[0];
        let InstructionKind::Run(it) = &file.stages[0].instructions[1].instruction.kind else { panic!("a RUN") };
        let directories = directories(run, it.script().expect("shell"), Some("/app"));
        assert_eq!(removal(run, &directories, path, 0), expected, "{line}");
    }

    #[test]
    fn a_path_goes_with_its_parent_or_its_contents() {
        let lists = "/var/lib/apt/lists";
        check("a && rm -rf /var/lib/apt/lists/*", lists, Removal::Yes);
        check("a && rm -rf /tmp/x /var/lib/apt", lists, Removal::Yes);
        check("a; cd /var/lib/apt/lists && rm -rf *", lists, Removal::Yes);
        check("a && rm -rf /var/lib/{dpkg,apt,cache}/", lists, Removal::Yes);
        check("a && find /var/lib/apt/lists -mindepth 1 -delete", lists, Removal::Yes);
        check("a && D=/var/lib/apt && rm -rf $D/lists/*", lists, Removal::Yes);
        check("a && apt-get distclean", lists, Removal::Yes);
        check("a; apt-get dist-clean", lists, Removal::Yes);
        check("a && apt-get clean", lists, Removal::No);
        check("a && apt-get autoclean", lists, Removal::No);
        check("a && rm -rf /var/lib/apt/lists/partial", lists, Removal::No);
        check("a && rm -rf lists", lists, Removal::No);
        check("rm -rf /var/lib/apt/lists/* && a", lists, Removal::No);
        check("a && rm -rf lists", "/app/lists", Removal::Yes);
        check("a && rm -rf ~/.npm", "/root/.npm", Removal::Yes);
        check("a && rm -rf /home/node/.n*", "~/.npm", Removal::Yes);
    }

    #[test]
    fn what_may_not_run_or_may_not_match_is_a_maybe() {
        let lists = "/var/lib/apt/lists";
        check("a || rm -rf /var/lib/apt/lists", lists, Removal::Maybe);
        check("a; if b; then rm -rf /var/lib/apt/lists; fi", lists, Removal::Maybe);
        check("a && rm -rf $UNKNOWN", lists, Removal::Maybe);
        check("a && rm /var/lib/apt/lists/*_dists_*", lists, Removal::Maybe);
        check("a && find /var/lib/apt -name '*.lz4' -delete", lists, Removal::Maybe);
        check("a && /opt/cleanup.sh", lists, Removal::Maybe);
    }

    #[test]
    fn patterns_cover_what_they_match() {
        assert_eq!(covers("/tmp/*", "/tmp/x.tar.gz"), Removal::Yes);
        assert_eq!(covers("/tmp/*.zip", "/tmp/x.tar.gz"), Removal::No);
        assert_eq!(covers("/tmp", "/tmpfs"), Removal::No);
        assert_eq!(braces("a{b,c}{d,e}"), ["abd", "abe", "acd", "ace"]);
    }
}
