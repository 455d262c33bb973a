//! Programs that start another one: inits, user changers, waiters, shells.

use crate::facts::start::follow::{Follower, Place};
use crate::facts::start::{Open, Role};

/// Commands of the shell itself: they are in every image and say nothing about the application.
pub(super) fn is_builtin(name: &str) -> bool {
    const NAMES: [&str; 34] = [
        ":", ".", "[", "[[", "alias", "break", "cd", "continue", "echo", "eval", "exit", "export", "false", "getopts",
        "hash", "kill", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift", "source", "test",
        "times", "trap", "true", "type", "ulimit", "umask", "unset", "wait",
    ];
    NAMES.contains(&name)
}

/// Whether a word that ends in `.sh` is one of the wrappers below.
pub(super) fn is_known(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("wait-for-it.sh" | "wait-for.sh"))
}

/// Whether a program runs the words behind it as a command.
pub(super) fn runs_its_words(name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "tini",
        "tini-static",
        "catatonit",
        "dumb-init",
        "docker-entrypoint.sh",
        "env",
        "gosu",
        "su-exec",
        "nice",
        "nohup",
        "time",
        "timeout",
        "dockerize",
        "setpriv",
        "cross-env",
        "dotenvx",
        "env-cmd",
    ];
    NAMES.contains(&name)
}

/// Looks through a wrapper; false when the program is none.
pub(super) fn follow(
    follower: &mut Follower<'_>,
    name: &str,
    word: &str,
    arguments: &[Option<String>],
    place: &Place,
) -> bool {
    let with_value: &[&str] = match name {
        "tini" | "tini-static" | "catatonit" => &["-p", "-e"],
        "dumb-init" => &["-r", "--rewrite"],
        "docker-entrypoint.sh" | "exec" | "nohup" | "time" | "command" | "cross-env" | "cross-env-shell" => &[],
        "env" => &["-u", "--unset", "-C"],
        "gosu" | "su-exec" => &[],
        "nice" => &["-n"],
        "timeout" => &["-s", "-k", "--signal"],
        "dockerize" => &["-wait", "-timeout", "-template", "-stdout", "-stderr", "-delims", "-wait-retry-interval"],
        "dotenv" | "dotenvx" | "env-cmd" => &["-e", "-f", "-c", "-v"],
        "wait-for-it.sh" | "wait-for-it" | "wait-for.sh" | "wait-for" => &[],
        "sh" | "bash" | "ash" | "dash" => {
            shell(follower, word, arguments, place);
            return true;
        }
        "concurrently" | "npm-run-all" | "run-p" | "run-s" => {
            many(follower, name, word, arguments, place);
            return true;
        }
        "supervisord" | "foreman" | "nf" => {
            follower.push(word, arguments.to_vec(), place, Role::Wrapper);
            follower.acc.open.push(Open::Config(name.to_owned()));
            return true;
        }
        _ => return false,
    };
    follower.push(word, arguments.to_vec(), place, Role::Wrapper);
    let rest = match arguments.iter().position(|it| it.as_deref() == Some("--")) {
        Some(at) if name.starts_with("wait-for") => arguments.get(at + 1..).unwrap_or_default(),
        None if name.starts_with("wait-for") => &[],
        Some(_) | None => behind_options(name, with_value, arguments),
    };
    follower.words(rest.to_vec(), place);
    true
}

/// What stands behind the options of a wrapper, and behind its own word (the user of `gosu`, the seconds of `timeout`).
fn behind_options<'a>(name: &str, with_value: &[&str], arguments: &'a [Option<String>]) -> &'a [Option<String>] {
    let mut rest = arguments;
    while let Some((Some(first), more)) = rest.split_first() {
        let assigns = matches!(name, "env" | "cross-env" | "cross-env-shell") && first.contains('=');
        if first == "--" {
            return more;
        }
        if !first.starts_with('-') && !assigns {
            break;
        }
        rest = if with_value.contains(&first.as_str()) { more.get(1..).unwrap_or_default() } else { more };
    }
    match name {
        "gosu" | "su-exec" | "timeout" | "dotenvx" => rest.get(1..).unwrap_or_default(),
        _ => rest,
    }
}

fn shell(follower: &mut Follower<'_>, word: &str, arguments: &[Option<String>], place: &Place) {
    follower.push(word, arguments.to_vec(), place, Role::Wrapper);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(argument) = argument else { return follower.acc.open.push(Open::Shell) };
        if argument.starts_with('-') && !argument.starts_with("--") && argument.contains('c') {
            match rest.next() {
                Some(Some(text)) => follower.text(text, place),
                Some(None) | None => follower.acc.open.push(Open::Shell),
            }
            return;
        }
        if argument.starts_with('-') {
            continue;
        }
        let path = if argument.contains('/') { argument.clone() } else { format!("./{argument}") };
        let mut words = vec![Some(path)];
        words.extend(rest.cloned());
        return follower.words(words, place);
    }
}

/// `concurrently "a" "b"`, `run-p x y`.
fn many(follower: &mut Follower<'_>, name: &str, word: &str, arguments: &[Option<String>], place: &Place) {
    follower.push(word, arguments.to_vec(), place, Role::Wrapper);
    let with_value = ["-n", "--names", "-c", "--prefix-colors", "-s", "--success"];
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(argument) = argument else {
            follower.acc.open.push(Open::Shell);
            continue;
        };
        if argument.starts_with('-') {
            if name == "concurrently" && with_value.contains(&argument.as_str()) {
                rest.next();
            }
            continue;
        }
        let script = match name {
            "concurrently" => argument.strip_prefix("npm:"),
            _ => Some(argument.as_str()),
        };
        match script {
            Some(script) if script.contains('*') => follower.acc.open.push(Open::Shell),
            Some(script) => follower.words(["npm", "run", script].map(|it| Some(it.to_owned())).to_vec(), place),
            None => follower.text(argument, place),
        }
    }
}
