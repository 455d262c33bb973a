//! Package managers at start: `npm start`, `yarn X`, `pnpm run X`, `npx X`, through the scripts of package.json.

use crate::facts::landing::Landed;
use crate::facts::manifest::Manifest;
use crate::facts::start::follow::{Follower, Place};
use crate::facts::start::{Open, Role};
use crate::facts::walk;

/// Follows a package manager; false when the program is none, or does something else than run a script.
pub(super) fn follow(
    follower: &mut Follower<'_>,
    name: &str,
    word: &str,
    arguments: &[Option<String>],
    place: &Place,
) -> bool {
    match name {
        "npx" | "pnpx" | "bunx" => {
            follower.push(word, arguments.to_vec(), place, Role::Wrapper);
            execute(follower, arguments, place);
            true
        }
        "npm" | "yarn" | "yarnpkg" | "pnpm" | "bun" => manager(follower, name, word, arguments, place),
        "node" | "nodejs" => {
            let script = arguments.iter().flatten().find_map(|it| it.strip_prefix("--run="));
            let at = arguments.iter().position(|it| it.as_deref() == Some("--run"));
            let script = script.or_else(|| arguments.get(at? + 1)?.as_deref());
            let Some(script) = script else { return false };
            follower.push(word, arguments.to_vec(), place, Role::Wrapper);
            run(follower, &format!("node --run {script}"), script, place, &[]);
            true
        }
        "pm2-runtime" | "pm2" | "pm2-docker" => pm2(follower, word, arguments, place),
        _ => false,
    }
}

/// `npm [options] run X`, `yarn X`.
fn manager(follower: &mut Follower<'_>, name: &str, word: &str, arguments: &[Option<String>], place: &Place) -> bool {
    let mut place = place.clone();
    let mut words: Vec<&str> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(argument) = argument else {
            if words.len() < 2 {
                follower.push(word, arguments.to_vec(), &place, Role::Wrapper);
                follower.acc.open.push(Open::Variable(name.to_owned()));
                return true;
            }
            break;
        };
        if argument == "--" {
            break;
        }
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) if argument.starts_with('-') => (option, Some(value)),
            _ => (argument.as_str(), None),
        };
        match option {
            "--prefix" | "--cwd" | "-C" | "--dir" => {
                let to = value.or_else(|| rest.next().and_then(|it| it.as_deref()));
                place.directory = to.zip(place.directory.as_deref()).map(|(to, from)| walk::absolute(from, to));
            }
            "-w" | "--workspace" | "-F" | "--filter" | "-r" | "--recursive" | "--workspaces" => {
                follower.push(word, arguments.to_vec(), &place, Role::Wrapper);
                follower.acc.open.push(Open::Manifest(told(name, arguments)));
                return true;
            }
            _ if argument.starts_with('-') => {}
            _ => words.push(argument),
        }
    }
    let told = told(name, arguments);
    let script = match words[..] {
        ["run" | "run-script" | "rum", script, ..] => script,
        ["start" | "stop" | "restart" | "test" | "t", ..] if name != "bun" => words[0],
        ["exec" | "dlx" | "x", ..] => {
            follower.push(word, arguments.to_vec(), &place, Role::Wrapper);
            let at = arguments.iter().position(|it| it.as_deref() == Some(words[0])).map_or(0, |it| it + 1);
            execute(follower, arguments.get(at..).unwrap_or_default(), &place);
            return true;
        }
        ["workspace", ..] => {
            follower.push(word, arguments.to_vec(), &place, Role::Wrapper);
            follower.acc.open.push(Open::Manifest(told));
            return true;
        }
        ["node", ..] if name == "yarn" => {
            follower.push(word, arguments.to_vec(), &place, Role::Wrapper);
            follower.words(arguments.to_vec(), &Place { packaged: true, ..place });
            return true;
        }
        [own, ..] if OWN.contains(&own) => return false,
        [script, ..] if name == "yarn" || name == "pnpm" || name == "yarnpkg" => script,
        [] | [_, ..] => return false,
    };
    follower.push(word, arguments.to_vec(), &place, Role::Wrapper);
    let at = arguments.iter().position(|it| it.as_deref() == Some(script)).map_or(0, |it| it + 1);
    let more = arguments.get(at..).unwrap_or_default();
    let more = if more.first().is_some_and(|it| it.as_deref() == Some("--")) { &more[1..] } else { more };
    if !run(follower, &told, script, &place, more) && !matches!(name, "npm" | "bun") && !words.contains(&"run") {
        let mut words = vec![Some(script.to_owned())];
        words.extend(more.iter().cloned());
        follower.words(words, &Place { packaged: true, ..place });
    }
    true
}

/// What these managers do themselves, so that a word is no script.
const OWN: [&str; 14] = [
    "install", "i", "ci", "add", "remove", "prune", "cache", "config", "set", "global", "link", "audit", "update",
    "rebuild",
];

/// Runs a script with its `pre` and `post` scripts; false when the manifest is known and has none of this name.
fn run(follower: &mut Follower<'_>, told: &str, script: &str, place: &Place, more: &[Option<String>]) -> bool {
    let Some(manifest) = manifest(follower, place) else {
        follower.acc.open.push(Open::Manifest(told.to_owned()));
        return true;
    };
    let mut place = Place { packaged: true, ..place.clone() };
    place.trail.push(told.to_owned());
    let Some(text) = manifest.scripts.get(script) else {
        if script == "start" {
            follower.words(["node", "server.js"].map(|it| Some(it.to_owned())).to_vec(), &place);
            return true;
        }
        if told.starts_with("npm") {
            follower.acc.open.push(Open::Script(told.to_owned()));
        }
        return false;
    };
    let mut text = text.clone();
    for word in more {
        text.push(' ');
        text.push_str(&word.as_deref().map_or_else(|| "\"$_\"".to_owned(), quoted));
    }
    let before = manifest.scripts.get(&format!("pre{script}"));
    let after = manifest.scripts.get(&format!("post{script}"));
    for text in before.into_iter().chain([&text]).chain(after) {
        follower.text(text, &place);
    }
    true
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn manifest(follower: &mut Follower<'_>, place: &Place) -> Option<Manifest> {
    let path = walk::absolute(place.directory.as_deref()?, "package.json");
    follower.acc.asked.push(path.clone());
    let Landed::File(found) = follower.landed(&path) else { return None };
    Manifest::parse(follower.context.text(&found)?)
}

/// `npx [options] X@1 …`.
fn execute(follower: &mut Follower<'_>, arguments: &[Option<String>], place: &Place) {
    let mut rest = arguments;
    while let Some((Some(first), more)) = rest.split_first() {
        if matches!(first.as_str(), "-c" | "--call") {
            if let Some(Some(text)) = more.first() {
                follower.text(text, &Place { packaged: true, ..place.clone() });
            }
            return;
        }
        if !first.starts_with('-') {
            break;
        }
        rest = if matches!(first.as_str(), "-p" | "--package") { more.get(1..).unwrap_or_default() } else { more };
    }
    let Some((first, more)) = rest.split_first() else { return };
    // `name@1.2` and `@scope/name@1.2` without the version.
    let name = first.as_deref().map(|name| match name.get(1..).and_then(|it| it.find('@')) {
        Some(at) => name.get(..at + 1).unwrap_or(name).to_owned(),
        None => name.to_owned(),
    });
    let mut words = vec![name];
    words.extend(more.iter().cloned());
    follower.words(words, &Place { packaged: true, ..place.clone() });
}

/// `pm2-runtime [start] app.js`, `pm2-runtime npm -- start`, `pm2-runtime ecosystem.config.js`.
fn pm2(follower: &mut Follower<'_>, word: &str, arguments: &[Option<String>], place: &Place) -> bool {
    let plain = |it: &&Option<String>| it.as_deref().is_some_and(|it| it != "start" && !it.starts_with('-'));
    let Some(Some(target)) = arguments.iter().find(plain) else { return false };
    if target == "npm" || target == "yarn" {
        follower.push(word, arguments.to_vec(), place, Role::Wrapper);
        let behind = arguments.iter().position(|it| it.as_deref() == Some("--"));
        let mut words = vec![Some(target.clone())];
        words.extend(behind.and_then(|at| arguments.get(at + 1..)).unwrap_or_default().iter().cloned());
        follower.words(words, place);
        return true;
    }
    let is_config = [".json", ".yml", ".yaml", ".config.js", ".config.cjs"].iter().any(|it| target.ends_with(it));
    follower.push(word, arguments.to_vec(), place, if is_config { Role::Wrapper } else { Role::Work });
    if is_config {
        follower.acc.open.push(Open::Config(target.clone()));
    }
    true
}

/// The command as a person would write it.
fn told(name: &str, arguments: &[Option<String>]) -> String {
    let mut res = name.to_owned();
    for argument in arguments.iter().flatten() {
        res.push(' ');
        res.push_str(argument);
    }
    res
}
