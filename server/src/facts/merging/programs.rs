//! Which programs a RUN calls and which it puts elsewhere: a shell remembers where it found a program.
//!
//! Measured with dash and bash: after a command in `/usr/bin` was used, a newer one of the same name in
//! `/usr/local/bin` is not found by the same shell, and when the old file is gone the command fails.
//! What the system's package manager installs is not looked at: it replaces files where they are.

use crate::shell::{Call, Command, CommandKind, List, Part, Word};

/// A program's name and where in the instruction it is called or put elsewhere.
pub(super) type Use = (String, u32);

/// Programs that everybody calls and nobody builds in a Dockerfile.
const BASIC: &[&str] = &[
    "apk", "apt", "apt-get", "awk", "bunzip2", "cat", "chmod", "chown", "cp", "curl", "cut", "dnf", "dpkg", "du",
    "env", "find", "gpg", "grep", "gunzip", "gzip", "head", "id", "install", "ldconfig", "ln", "ls", "make",
    "microdnf", "mkdir", "mktemp", "mv", "rm", "rmdir", "rpm", "sed", "sh", "sleep", "sort", "tail", "tar", "tee",
    "touch", "tr", "uname", "unzip", "wget", "which", "xargs", "xz", "yum", "zypper",
];

/// The commands that the shell of a list carries out itself: not those in `( … )`, `$( … )` or among `|`.
pub(super) fn own<'a>(list: &'a List, acc: &mut Vec<&'a Command>) {
    for pipeline in list.items.iter().flat_map(|item| item.and_or.pipelines()) {
        let [command] = pipeline.commands.as_slice() else { continue };
        acc.push(command);
        match &command.kind {
            CommandKind::Simple(_) | CommandKind::Subshell(_) | CommandKind::Test => {}
            CommandKind::Group(list) => own(list, acc),
            CommandKind::Compound { lists, .. } => lists.iter().for_each(|it| own(it, acc)),
            CommandKind::Function { body, .. } => own(body, acc),
        }
    }
}

/// The programs whose places the shell remembers afterwards.
pub(super) fn used(commands: &[&Command]) -> Vec<Use> {
    let name = |command: &&Command| {
        let CommandKind::Simple(simple) = &command.kind else { return None };
        let name = simple.words.first()?.literal()?;
        (!name.contains('/')).then_some((name, command.range.start))
    };
    commands.iter().filter_map(name).collect()
}

/// The programs that calls put elsewhere or take away, as far as their names can be seen, in the order of the text.
pub(super) fn replaced(calls: &[Call]) -> Vec<Use> {
    let mut res = Vec::new();
    for call in calls {
        let at = call.range.end;
        let files = call.arguments.iter().chain(call.redirects.iter().map(|it| &it.target));
        res.extend(files.filter_map(in_bin).map(|name| (name, at)));
        for name in installed(call) {
            for alias in aliases(&name) {
                res.push(((*alias).to_owned(), at));
            }
            res.push((name, at));
        }
    }
    res
}

/// Where a call puts programs of unknown names somewhere (`make install`), the first one.
pub(super) fn replaces_unknown(calls: &[Call]) -> Option<u32> {
    let builds = |call: &&Call| {
        let has = |text: &str| call.arguments.iter().filter_map(Word::literal).any(|it| it == text);
        match call.program.as_str() {
            "make" | "gmake" | "ninja" | "meson" => {
                call.arguments.iter().filter_map(Word::literal).any(|it| it.contains("install"))
            }
            "cmake" => has("--install") || has("install"),
            "dpkg" => has("-i") || has("--install"),
            _ => false,
        }
    };
    Some(calls.iter().find(builds)?.range.end)
}

/// Whether a program may be among those of unknown names.
pub(super) fn is_special(name: &str) -> bool {
    !BASIC.contains(&name)
}

/// The name of a file in a folder `bin` or `sbin`.
fn in_bin(word: &Word) -> Option<String> {
    let text = match word.literal() {
        Some(text) => text,
        None => match word.parts.last()? {
            Part::Bare(text) | Part::Quoted(text) => text.clone(),
            Part::Variable { .. } | Part::Substitution(_) | Part::Other => return None,
        },
    };
    let (folder, name) = text.rsplit_once('/')?;
    (folder.ends_with("bin") && !name.is_empty()).then(|| name.to_owned())
}

/// The packages that a language's package manager puts into a folder of programs.
fn installed(call: &Call) -> Vec<String> {
    let program = call.program.as_str();
    match program {
        "corepack" => return vec!["yarn".to_owned(), "pnpm".to_owned(), "npm".to_owned()],
        "n" | "nvm" | "fnm" | "volta" => return vec!["node".to_owned()],
        "gem" if call.has_flag(&["--system"]) => return vec!["gem".to_owned()],
        "npm" | "pnpm" if !call.has_flag(&["-g", "--global", "--location"]) => return Vec::new(),
        _ => {}
    }
    let is_python = program.starts_with("python");
    let operands: Vec<String> = call.operands().into_iter().filter_map(Word::literal).collect();
    if is_python || matches!(program, "sh" | "bash") {
        let installer = operands.iter().any(|it| it.ends_with("get-pip.py"));
        if installer {
            return vec!["pip".to_owned()];
        }
    }
    let is_manager = matches!(
        program,
        "pip"
            | "pip3"
            | "npm"
            | "pnpm"
            | "yarn"
            | "gem"
            | "conda"
            | "mamba"
            | "micromamba"
            | "cargo"
            | "go"
            | "pipx"
            | "uv"
            | "easy_install"
            | "cpanm"
    ) || program.starts_with("pip3.")
        || (is_python && call.has_flag(&["-m"]));
    let asks = |it: &String| matches!(it.as_str(), "install" | "i" | "add" | "update" | "upgrade");
    let Some(subcommand) = operands.iter().position(asks).filter(|_| is_manager) else { return Vec::new() };
    let name = |it: &String| {
        let end = it.find(['=', '<', '>', '~', '!', '[']).or_else(|| it.rfind('@').filter(|at| *at > 0));
        let path = it.get(..end.unwrap_or(it.len())).unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    operands.iter().skip(subcommand + 1).map(name).filter(|it| !it.is_empty()).collect()
}

/// The programs of a package that are not called as it is.
fn aliases(package: &str) -> &'static [&'static str] {
    match package {
        "pip" => &["pip3"],
        "python" => &["python3", "pip", "pip3"],
        "npm" => &["npx"],
        "node" | "nodejs" => &["node", "npm", "npx"],
        "yarn" => &["yarnpkg"],
        "bundler" => &["bundle"],
        "angular" | "cli" => &["ng"],
        _ => &[],
    }
}
