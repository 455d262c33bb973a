//! What was carried out before an instruction, from the first one of the bottom stage on, and what could lie at a path then.
//!
//! **Invariant:** "could" is said wherever it is not known: a directory with unknown contents, a name with a variable, an
//! archive, a command of unknown effect.

use crate::context::{BuildContext, EntryKind};
use crate::facts::landing::{self, Copied};
use crate::facts::removes::glob;
use crate::facts::run::RunFacts;
use crate::facts::walk::{self, State};
use crate::facts::{self, Facts, quiet};
use crate::model::{File, InstructionKind, Placed, Stage};
use crate::shell::Call;

/// An instruction with the directory and user that it sees.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The stage, by index.
    pub stage_idx: usize,
    /// The stage.
    pub stage: &'a Stage,
    /// The instruction, by its index in the stage.
    pub idx: usize,
    /// The instruction.
    pub placed: &'a Placed,
    /// What holds when it is carried out.
    pub state: State,
}

/// The instructions of a stage and of those it is built on, in the order in which they are carried out; of the stage
/// itself those before `until`.
pub fn steps(file: &File, stage_idx: usize, until: usize) -> Vec<Step<'_>> {
    let mut res = Vec::new();
    for at in facts::chain(file, stage_idx).into_iter().rev() {
        let Some(stage) = file.stages.get(at) else { continue };
        let end = if at == stage_idx { until } else { usize::MAX };
        let states = walk::states(file, at, "/");
        for ((idx, placed), state) in stage.instructions.iter().enumerate().zip(states).take(end) {
            res.push(Step { stage_idx: at, stage, idx, placed, state });
        }
    }
    res
}

impl<'a> Step<'a> {
    /// What its RUN does.
    pub fn run<'f>(&self, facts: &'f Facts) -> Option<&'f RunFacts> {
        facts.stages.get(self.stage_idx)?.run(self.idx)
    }

    /// Whether it could put something at `path` (absolute), or below it.
    ///
    /// `files` are absolute paths that are known to be files once they are there: a start command names them.
    pub fn may_bring(&self, file: &File, context: &BuildContext, path: &str, files: &[&str]) -> bool {
        let is_add = match &self.placed.instruction.kind {
            InstructionKind::Copy(_) => false,
            InstructionKind::Add(_) => true,
            _ => return false,
        };
        let Some(copied) = landing::copied(file, self.stage, self.placed, &self.state) else { return true };
        let near = walk::is_inside(path, &copied.destination) || walk::is_inside(&copied.destination, path);
        if !near {
            return false;
        }
        let heredocs = &self.placed.instruction.heredocs;
        let from_text = heredocs.iter().any(|heredoc| lands(&copied, &heredoc.name, path));
        from_text
            || copied.sources.iter().any(|source| match source {
                None => true,
                Some(source) if is_add && is_archive(source) => true,
                Some(source) => brings(context, source, &copied, path, files),
            })
    }

    /// Whether its RUN could write anything anywhere: its text is not understood, or a command is not known well.
    pub fn is_open_run(&self, facts: &Facts) -> bool {
        let InstructionKind::Run(run) = &self.placed.instruction.kind else { return false };
        let Some(script) = run.script().filter(|script| !script.broken) else { return true };
        let Some(known) = self.run(facts) else { return true };
        if known.commands.is_empty() && !script.calls.is_empty() {
            return true;
        }
        known.commands.iter().any(|command| {
            let text = &self.placed.instruction.text;
            let loose = |call: &Call| quiet::redirects(call) || quiet::is_local(call, text);
            let writes = script.calls.get(command.call).is_some_and(loose);
            writes || !quiet::is_quiet(command)
        })
    }
}

/// Whether the context is perhaps not the one that is built in: it lacks what the file copies from it.
pub fn is_doubtful(file: &File, context: &BuildContext) -> bool {
    file.instructions().any(|placed| {
        let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { return false };
        placed.instruction.flag("from").is_none()
            && copy.sources.iter().any(|word| {
                let text = word.text.as_str();
                let plain = !text.contains(['$', '"', '\'', '\\']) && !text.contains("://") && !text.contains("git@");
                plain && !crate::context::cleaned(text).is_empty() && context.matching(text).is_empty()
            })
    })
}

/// Whether a file of this name lands at the path.
fn lands(copied: &Copied, name: &str, path: &str) -> bool {
    walk::is_inside(&exact(copied, name), path) || walk::is_inside(&in_directory(copied, name), path)
}

/// Where a source lies if the destination is a directory already, which is not written in the COPY.
fn in_directory(copied: &Copied, name: &str) -> String {
    format!("{}/{name}", copied.destination.trim_end_matches('/'))
}

/// Where a source of this name lies if it is a file.
fn exact(copied: &Copied, name: &str) -> String {
    if copied.into_directory && !matches!(name, "" | "." | "..") {
        in_directory(copied, name)
    } else {
        copied.destination.clone()
    }
}

fn brings(context: &BuildContext, source: &str, copied: &Copied, path: &str, files: &[&str]) -> bool {
    let source = source.split(['?', '#']).next().unwrap_or(source);
    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
    let is_pattern = name.contains(['*', '?', '[']);
    if copied.from_context && context.known && !context.truncated && !source.contains("://") {
        return brings_of_context(context, source, copied, path);
    }
    if is_pattern {
        let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
        let here = walk::absolute("/", folder) == copied.destination;
        let whole = walk::is_inside(&copied.destination, path);
        return whole || if looks_like_file(name) { here && glob(name, last) } else { true };
    }
    let exact = exact(copied, name);
    // Who looks for something below takes it for a directory, whatever its name is like.
    let below = path != exact && walk::is_inside(path, &exact) && !files.contains(&exact.as_str());
    if lands(copied, name, path) || below {
        return true;
    }
    let is_file = looks_like_file(name) || source.contains("://") || files.contains(&exact.as_str());
    !is_file && walk::is_inside(path, &copied.destination)
}

fn brings_of_context(context: &BuildContext, source: &str, copied: &Copied, path: &str) -> bool {
    let inside = |directory: &str| {
        if walk::is_inside(&copied.destination, path) {
            return true;
        }
        let Some(rest) = walk::below(path, &copied.destination) else { return false };
        let found = if directory.is_empty() { rest.to_owned() } else { format!("{directory}/{rest}") };
        // Nobody follows a link: whatever is asked for may lie behind it.
        let above = std::iter::once(found.len()).chain(found.match_indices('/').map(|(at, _)| at));
        let link = above
            .filter_map(|at| found.get(..at))
            .any(|path| context.entry(path).is_some_and(|it| matches!(it.kind, EntryKind::Link | EntryKind::Other)));
        link || context.entry(&found).is_some()
    };
    if crate::context::cleaned(source).is_empty() {
        return inside("");
    }
    let found = context.matching(source);
    // What is not there fails the build, unless somebody makes it before.
    if found.is_empty() {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
        let is_file = looks_like_file(name);
        return lands(copied, name, path) || !is_file && walk::is_inside(path, &copied.destination);
    }
    found.into_iter().any(|found| match context.entries.get(found).map(|entry| entry.kind) {
        Some(EntryKind::Directory) => inside(found),
        Some(EntryKind::File) => lands(copied, found.rsplit('/').next().unwrap_or(found), path),
        Some(EntryKind::Link | EntryKind::Other) | None => true,
    })
}

/// Whether a name is surely that of a file: it ends in what names of files end in, or is a file that everybody knows.
pub fn looks_like_file(name: &str) -> bool {
    const ENDS: [&str; 45] = [
        "bash",
        "c",
        "cfg",
        "cjs",
        "conf",
        "config",
        "crt",
        "csproj",
        "css",
        "csv",
        "dll",
        "env",
        "exe",
        "gradle",
        "html",
        "ico",
        "ini",
        "jar",
        "js",
        "json",
        "jsx",
        "kts",
        "lock",
        "lockb",
        "md",
        "mjs",
        "mod",
        "pem",
        "php",
        "pl",
        "properties",
        "py",
        "rb",
        "sh",
        "sln",
        "so",
        "sql",
        "sum",
        "toml",
        "ts",
        "tsx",
        "txt",
        "war",
        "xml",
        "yaml",
    ];
    const NAMES: [&str; 10] =
        ["Gemfile", "Makefile", "Pipfile", "Procfile", "LICENSE", "gradlew", "mvnw", ".npmrc", ".yarnrc", ".env"];
    let ends =
        name.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && (ENDS.contains(&end) || end == "yml"));
    ends || NAMES.contains(&name)
}

/// Whether ADD unpacks a source of this name.
pub fn is_archive(name: &str) -> bool {
    !name.contains("://")
        && (name.contains(".tar")
            || [".tgz", ".tbz2", ".txz", ".gz", ".xz", ".bz2"].iter().any(|it| name.ends_with(it)))
}

#[cfg(test)]
mod tests {
    use super::steps;
    use crate::config::Config;
    use crate::context::BuildContext;
    use crate::facts::Facts;
    use crate::lower;

    fn check(text: &str, path: &str, expected: bool) {
        let file = lower::file(text.into(), &lower::Build::default(), None);
        let last = file.stages.len() - 1;
        let context = BuildContext::default();
        let found = steps(&file, last, usize::MAX).iter().any(|it| it.may_bring(&file, &context, path, &["/app"]));
        assert_eq!(found, expected, "{path} in {text}");
    }

    #[test]
    fn a_copy_brings_what_lands_at_the_path_or_could() {
        check("FROM a\nCOPY x /srv\n", "/srv/a", true);
        check("FROM a\nCOPY x /app\n", "/app/a", false);
        check("FROM a\nCOPY x.json /app/\n", "/app/a", false);
        check("FROM a\nCOPY x.json /app/\n", "/app/x.json", true);
        check("FROM a\nCOPY ca.crt /etc/ssl/certs/\n", "/etc/ssl", true);
        check("FROM a\nCOPY app /\n", "/bin/sh", false);
        check("FROM a\nCOPY root /\n", "/bin/sh", true);
        check("FROM a\nCOPY package*.json ./\n", "/package-lock.json", true);
        check("FROM a\nCOPY package*.json ./\n", "/yarn.lock", false);
        check("FROM a\nADD a.tar.gz /\n", "/bin/sh", true);
        check("FROM a\nCOPY $X /app/\n", "/app/b", true);
        check("FROM a\nWORKDIR /srv\nCOPY a.jar /srv\n", "/srv/a.jar", true);
        check("FROM a\nCOPY --from=b /testssl.sh /testssl.sh\n", "/testssl.sh/testssl.sh", true);
        check("FROM a\nCOPY a $X\n", "/b", true);
    }

    #[test]
    fn a_stage_has_what_the_stages_below_it_have() {
        check("FROM a AS b\nCOPY x /y/\nFROM b\n", "/y/x", true);
        check("FROM a AS b\nCOPY x /y/\nFROM c\n", "/y/x", false);
    }

    #[test]
    fn a_run_is_open_unless_each_of_its_commands_is_known() {
        let check_open = |line: &str, expected: bool| {
            let file = lower::file(format!("FROM a\nRUN {line}\n").into(), &lower::Build::default(), None);
            let facts = Facts::of(&file, &Config::default());
            assert_eq!(steps(&file, 0, usize::MAX)[0].is_open_run(&facts), expected, "{line}");
        };
        check_open("apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*", false);
        check_open("mkdir /app > /dev/null", false);
        check_open("./install.sh", true);
        check_open("/opt/x/test", true);
        check_open("echo a > /b", true);
        check_open("make install", true);
        check_open("[\"/bin/a\"]", true);
        check_open("if", true);
    }
}
