//! Which file a command unpacks, installs or runs, so that nobody needs the file afterwards.
//!
//! From the manuals of the programs. What a program only reads (`sha256sum`, `gpg --verify`) is no use in this sense.

use crate::facts::removes::homely;
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::shell::Call;

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// An archive is taken apart, and stays.
    Unpacks,
    /// A package is installed.
    Installs,
    /// A program that sets something up is run.
    Runs,
}

/// What a command does with the file at this path (absolute, or below `~`); `None` where it does none of these or another
/// file is meant. `directory` is where the command runs.
pub fn of(command: &Command, call: Option<&Call>, directory: Option<&str>, path: &str) -> Option<Use> {
    let kind = kind(command)?;
    let is_meant = |word: &str| {
        let word = word.strip_prefix("--file=").unwrap_or(word);
        join(directory, word).is_some_and(|it| homely(&it) == path)
    };
    if kind == Use::Runs {
        let own = call.filter(|call| call.program == file_name(path)).is_some();
        let first = command.operands().next().and_then(|argument| argument.value.as_deref());
        return (own || is_shell(&command.program) && first.is_some_and(is_meant)).then_some(kind);
    }
    let read = call.into_iter().flat_map(|call| &call.redirects).filter(|it| it.operator == "<");
    let from = read.filter_map(|redirect| redirect.target.literal()).any(|word| is_meant(&word));
    (from || command.values().any(is_meant)).then_some(kind)
}

fn kind(command: &Command) -> Option<Use> {
    let first = command.arguments.first().and_then(|argument| argument.value.as_deref()).unwrap_or_default();
    let installs =
        |verbs: &[&str]| command.values().find(|it| !it.starts_with('-')).is_some_and(|it| verbs.contains(&it));
    match command.program.as_str() {
        "tar" | "bsdtar" => extracts(command).then_some(Use::Unpacks),
        "unzip" => (!command.has(&["-l", "-t", "-p", "-v"])).then_some(Use::Unpacks),
        "7z" | "7za" | "7zr" => matches!(first, "x" | "e").then_some(Use::Unpacks),
        "jar" => first.trim_start_matches('-').starts_with('x').then_some(Use::Unpacks),
        "gunzip" | "bunzip2" | "unxz" | "gzip" | "xz" | "bzip2" => {
            // Without `-k` or `-c` they delete the archive themselves.
            let kept = command.values().any(|it| is_group(it) && it.contains(['k', 'c']) || it == "--keep");
            let unpacks = command.program.contains("un");
            let decompresses = unpacks || command.values().any(|it| is_group(it) && it.contains('d'));
            (kept && decompresses).then_some(Use::Unpacks)
        }
        "dpkg" => {
            command.values().any(|it| it == "--install" || is_group(it) && it.contains('i')).then_some(Use::Installs)
        }
        "gdebi" => Some(Use::Installs),
        "rpm" => command
            .values()
            .any(|it| matches!(it, "--install" | "--upgrade") || is_group(it) && it.contains(['i', 'U']))
            .then_some(Use::Installs),
        "apt-get" | "apt" | "yum" | "dnf" | "microdnf" | "tdnf" | "pip" | "pip3" | "pip2" | "zypper" | "gem"
        | "npm" => installs(&["install", "localinstall", "in", "i"]).then_some(Use::Installs),
        "apk" => installs(&["add"]).then_some(Use::Installs),
        "python" | "python3" | "python2" => {
            let as_module = command.values().take(3).eq(["-m", "pip", "install"]);
            Some(if as_module { Use::Installs } else { Use::Runs })
        }
        _ => Some(Use::Runs),
    }
}

/// Whether `tar` takes an archive apart: `-xzf a`, `xf a`, `--extract -f a`.
fn extracts(command: &Command) -> bool {
    let mut values = command.values();
    let first = values.next().unwrap_or_default();
    let is_extract = |it: &str| matches!(it, "--extract" | "--get") || is_group(it) && it.contains('x');
    !first.starts_with('-') && first.contains('x') && first.len() <= 6 && !first.contains(['/', '.'])
        || is_extract(first)
        || values.any(is_extract)
}

/// Whether a word is a group of letters as options have it.
fn is_group(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_alphabetic()))
}

fn is_shell(program: &str) -> bool {
    matches!(
        program,
        "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh" | "python" | "python2" | "python3" | "perl" | "php"
    )
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file's name is that of an archive or a package.
pub fn is_archive(name: &str) -> bool {
    const ENDS: [&str; 18] = [
        ".tar",
        ".tar.gz",
        ".tgz",
        ".tar.bz2",
        ".tbz2",
        ".tbz",
        ".tar.xz",
        ".txz",
        ".tar.zst",
        ".tzst",
        ".zip",
        ".deb",
        ".rpm",
        ".whl",
        ".7z",
        ".gem",
        ".apk",
        ".tar.lzma",
    ];
    ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

/// Whether ADD takes a local file of this name apart by itself.
pub fn is_unpacked_by_add(name: &str) -> bool {
    const ENDS: [&str; 8] = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz"];
    ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::{Use, of};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::lower;
    use crate::model::InstructionKind;

    fn check(line: &str, path: &str, expected: Option<Use>) {
        let file = lower::file(format!("FROM a\nWORKDIR /app\nRUN {line}\n").into(), &lower::Build::default(), None);
        let facts = Facts::of(&file, &Config::default());
        let run = &facts.stages[0].runs[0];
        let InstructionKind::Run(it) = &file.stages[0].instructions[1].instruction.kind else { panic!("a RUN") };
        let calls = &it.script().expect("shell").calls;
        let found = run
            .commands
            .iter()
            .zip(&run.directories)
            .find_map(|(command, directory)| of(command, calls.get(command.call), directory.as_deref(), path));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn archives_are_unpacked() {
        check("tar -xzf /tmp/a.tgz -C /opt", "/tmp/a.tgz", Some(Use::Unpacks));
        check("tar xf a.tar", "/app/a.tar", Some(Use::Unpacks));
        check("cd /tmp && tar --extract --file=a.tar", "/tmp/a.tar", Some(Use::Unpacks));
        check("tar xz < a.tgz", "/app/a.tgz", Some(Use::Unpacks));
        check("unzip -q a.zip", "/app/a.zip", Some(Use::Unpacks));
        check("tar -czf /tmp/a.tgz /opt", "/tmp/a.tgz", None);
        check("tar -xzf /tmp/b.tgz", "/tmp/a.tgz", None);
    }

    #[test]
    fn what_deletes_its_archive_itself_leaves_none() {
        check("gunzip a.gz", "/app/a.gz", None);
        check("gunzip -k a.gz", "/app/a.gz", Some(Use::Unpacks));
    }

    #[test]
    fn packages_are_installed_and_programs_run() {
        check("dpkg -i /tmp/a.deb", "/tmp/a.deb", Some(Use::Installs));
        check("apt-get install -y ./a.deb", "/app/a.deb", Some(Use::Installs));
        check("rpm -Uvh a.rpm", "/app/a.rpm", Some(Use::Installs));
        check("pip install /tmp/a.whl", "/tmp/a.whl", Some(Use::Installs));
        check("bash /tmp/a.run -b", "/tmp/a.run", Some(Use::Runs));
        check("/tmp/a.run -b", "/tmp/a.run", Some(Use::Runs));
        check("sha256sum /tmp/a.tgz", "/tmp/a.tgz", None);
    }
}
