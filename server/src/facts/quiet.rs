//! Commands whose effect is known well enough to say what they do not do: they write no file of the application, no start
//! file and no lock file.
//!
//! **Invariant:** a program that is not listed is not quiet.

use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::shell::Call;

/// Whether a command writes nothing but what its name says: packages of the system, accounts, rights, directories.
pub fn is_quiet(command: &Command) -> bool {
    if let Some(deed) = deed(command) {
        return match deed.manager {
            Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper => true,
            Manager::Npm | Manager::Yarn | Manager::Pnpm => {
                deed.verb == Verb::Clean
                    || matches!(deed.word, "config" | "set" | "-v" | "--version" | "")
                    || deed.verb == Verb::Install && command.has(&["-g", "--global"])
                    || deed.word == "global"
            }
            Manager::Pip => !command.has(&["-t", "--target", "--prefix", "--root"]),
            Manager::Bun
            | Manager::Poetry
            | Manager::Uv
            | Manager::Pipenv
            | Manager::Conda
            | Manager::Bundler
            | Manager::Composer
            | Manager::Go
            | Manager::Cargo
            | Manager::Maven
            | Manager::Gradle
            | Manager::Dotnet => false,
        };
    }
    const NAMES: &[&str] = &[
        ":",
        "[",
        "[[",
        "addgroup",
        "adduser",
        "apt-cache",
        "apt-key",
        "apt-mark",
        "add-apt-repository",
        "a2enmod",
        "a2ensite",
        "a2dismod",
        "a2dissite",
        "cat",
        "cd",
        "chgrp",
        "chmod",
        "chown",
        "corepack",
        "date",
        "delgroup",
        "deluser",
        "dpkg-reconfigure",
        "echo",
        "env",
        "exit",
        "export",
        "false",
        "groupadd",
        "groupmod",
        "head",
        "id",
        "ldconfig",
        "locale-gen",
        "ls",
        "mkdir",
        "printf",
        "pwd",
        "rm",
        "rmdir",
        "set",
        "setcap",
        "sleep",
        "stat",
        "tail",
        "test",
        "true",
        "umask",
        "uname",
        "update-ca-certificates",
        "update-locale",
        "useradd",
        "usermod",
        "which",
        "whoami",
        "wc",
    ];
    let asks = command.arguments.len() == 1 && command.has(&["--version", "-version", "-v", "-V", "--help"]);
    NAMES.contains(&command.program.as_str()) || asks
}

/// Whether a call runs a program by a path that is none of the system's: a script of the project, whatever it is called.
/// `text` is that of the instruction.
pub fn is_local(call: &Call, text: &str) -> bool {
    let word = call.program_range.of(text);
    word.contains('/') && !word.contains("bin/")
}

/// Whether a call writes its output to a file.
pub fn redirects(call: &Call) -> bool {
    call.redirects.iter().any(|it| {
        let to_file = it.operator.contains('>') && !it.operator.ends_with('&');
        to_file && it.target.literal().is_none_or(|target| !target.starts_with("/dev/"))
    })
}
