//! Commands that write next to nothing: a few small files, or none.
//!
//! `chmod`, `chown`, `mv` and `cp` are not among them: they store what they touch once more.

use crate::facts::removes::{self, homely};
use crate::facts::stage::join;
use crate::size::ledger::Ledger;
use crate::size::run::At;

/// Programs that write next to nothing, in the order of their names.
const LITTLE: [&str; 96] = [
    ":",
    "[",
    "[[",
    "a2dismod",
    "a2enconf",
    "a2enmod",
    "a2ensite",
    "add-apt-repository",
    "addgroup",
    "adduser",
    "alias",
    "apt-cache",
    "apt-key",
    "apt-mark",
    "arch",
    "awk",
    "base64",
    "basename",
    "cat",
    "cd",
    "chpasswd",
    "chsh",
    "command",
    "cut",
    "date",
    "deluser",
    "df",
    "diff",
    "dirname",
    "dpkg-query",
    "du",
    "echo",
    "egrep",
    "env",
    "exit",
    "export",
    "expr",
    "false",
    "file",
    "getconf",
    "getent",
    "gpg",
    "gpgconf",
    "grep",
    "groupadd",
    "groupdel",
    "groupmod",
    "hash",
    "head",
    "hostname",
    "id",
    "kill",
    "ldconfig",
    "ldd",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mkfifo",
    "nproc",
    "passwd",
    "popd",
    "printenv",
    "printf",
    "ps",
    "pushd",
    "pwd",
    "read",
    "readlink",
    "realpath",
    "return",
    "sed",
    "seq",
    "set",
    "setcap",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "shopt",
    "sleep",
    "sort",
    "stat",
    "sync",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "trap",
    "true",
    "type",
    "umask",
    "uname",
    "uniq",
    "unset",
];

/// More of them.
const LITTLE_TOO: [&str; 11] = [
    ".",
    "update-alternatives",
    "update-ca-certificates",
    "useradd",
    "userdel",
    "usermod",
    "wait",
    "wc",
    "which",
    "whoami",
    "yes",
];

/// Notes a command that writes little; whether it is one.
pub(super) fn act(at: &At<'_>, ledger: &mut Ledger) -> bool {
    let program = at.command.program.as_str();
    if matches!(program, "mkdir") {
        for operand in at.command.operands().filter_map(|operand| operand.value.as_deref()) {
            if let Some(path) = join(at.directory, operand) {
                ledger.made(&path);
            }
        }
        return true;
    }
    if LITTLE.binary_search(&program).is_ok() || LITTLE_TOO.binary_search(&program).is_ok() || asks(at) {
        return true;
    }
    let Some(deletes) = removes::deletes(at.command, at.directory) else { return false };
    if matches!(program, "eval" | "source") {
        // What a file that is sourced sets is no file.
        return program == "source";
    }
    for path in &deletes.paths {
        ledger.remove(&homely(path), at.command.certain && !deletes.open, at.ground.context);
    }
    true
}

/// Whether a command only shows or sets something.
fn asks(at: &At<'_>) -> bool {
    let command = at.command;
    let first = command.subcommand().unwrap_or_default();
    let only_version = command.arguments.len() == 1
        && command.has(&["--version", "-v", "-V", "--help", "version", "-version", "--print-architecture"]);
    only_version
        || match command.program.as_str() {
            "dpkg" => command.has(&["--print-architecture", "--add-architecture", "-l", "-L", "-s", "--list"]),
            "git" => first == "config",
            "npm" | "yarn" | "pnpm" | "pip" | "pip3" | "poetry" | "bundle" | "composer" | "go" | "conda" => {
                matches!(
                    first,
                    "config" | "set" | "env" | "cache" | "check" | "audit" | "list" | "ls" | "show" | "info"
                ) || first == "init"
            }
            "corepack" => first == "enable" || first == "disable",
            _ => false,
        }
}
