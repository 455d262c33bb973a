//! Who owns a work tree at the end of a stage, and how a copy keeps that (SPEC-multi-stage §10).

use std::collections::BTreeSet;

use crate::ecosystems::commands::{Class, Located};
use crate::ecosystems::placing::Ground;
use crate::ecosystems::{Ownership, Refused};
use crate::facts::walk::State;
use crate::facts::{landing, walk};
use crate::model::InstructionKind;

/// Owner and group as `--chown` and `chown` name them, the group empty where only a user is named.
type Owner = String;

/// What is known of one tree while the stage is walked.
struct Walk {
    /// The owner of the directory itself, once something has made it.
    made: Option<Owner>,
    /// Owners of what lies in it, since the last `chown -R` of all of it.
    inside: BTreeSet<Owner>,
    /// The last `--chown` of a COPY as written, and the owner it means.
    copied: Option<(String, Owner)>,
}

const ROOT: &str = "root";

/// The owner of a directory that the Node images bring, full and slim alike.
fn in_base(tree: &str) -> Option<&'static str> {
    match tree {
        "/home/node" => Some("node:node"),
        "/root" | "/opt" | "/srv" | "/mnt" | "/media" => Some(ROOT),
        _ => None,
    }
}

/// How the copy of a tree keeps its owners. Commands count up to the instruction `last`, which is the builder's last.
///
/// # Errors
/// R14 where ids could differ between the two bases, or a mode cannot be written out.
pub fn ownership(ground: &Ground<'_>, tree: &str, last: usize) -> Result<Ownership, Refused> {
    let mut walk = Walk { made: in_base(tree).map(str::to_owned), inside: BTreeSet::new(), copied: None };
    let mut worked = false;
    for (idx, (placed, state)) in ground.stage.instructions.iter().zip(ground.states).enumerate().take(last + 1) {
        match &placed.instruction.kind {
            InstructionKind::Workdir(_) => {
                let directory = ground.states.get(idx + 1).and_then(|it| it.directory.clone());
                if let Some(directory) = directory.filter(|it| walk::is_inside(it, tree)) {
                    let user = acting(ground, state)?;
                    if directory != tree {
                        walk.inside.insert(user.clone());
                    }
                    walk.made.get_or_insert(user);
                }
            }
            InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                let copied = landing::copied(ground.evidence.file, ground.stage, placed, state);
                let Some(copied) = copied.filter(|it| walk::is_inside(&it.destination, tree)) else { continue };
                let flag = placed.instruction.flag("chown").and_then(|flag| flag.value.as_ref());
                let owner = match flag {
                    None => ROOT.to_owned(),
                    Some(word) => {
                        let Some(value) = walk::value(ground.evidence.file, ground.stage, placed, &word.text) else {
                            return Refused::new("R14", "the owner of what is copied is not known");
                        };
                        let owner = of_flag(ground, &value)?;
                        walk.copied = Some((word.text.clone(), owner.clone()));
                        owner
                    }
                };
                let whole = copied.destination == tree
                    && copied.sources.iter().flatten().any(|it| matches!(it.trim_end_matches('/'), "." | ""));
                if whole && !worked {
                    // What was copied before is copied once more.
                    walk.inside.clear();
                }
                walk.made.get_or_insert_with(|| owner.clone());
                walk.inside.insert(owner);
            }
            InstructionKind::Run(_) => {
                for (command, class) in ground.commands.get(idx).into_iter().flatten() {
                    worked |= matches!(class, Class::Build | Class::Perhaps);
                    command_owner(ground, &mut walk, tree, state, command, class)?;
                }
            }
            _ => {}
        }
    }
    settle(ground, tree, walk)
}

/// Who files belong to that a RUN or WORKDIR makes here.
fn acting(ground: &Ground<'_>, state: &State) -> Result<Owner, Refused> {
    match state.user.as_deref() {
        None => Ok(ROOT.to_owned()),
        Some(user) if walk::is_root(user) => Ok(ROOT.to_owned()),
        Some("1000") => Ok("1000:1000".to_owned()),
        Some(user) if user.bytes().all(|it| it.is_ascii_digit()) => Ok(format!("{user}:root")),
        Some(user) => with_group(ground, user),
    }
}

/// Who files belong to that `--chown` gives away: a number alone is the group's number too, a name alone brings the
/// user's own group (`readUser` in BuildKit's `solver/llbsolver/file`).
fn of_flag(ground: &Ground<'_>, value: &str) -> Result<Owner, Refused> {
    match value.contains(':') {
        true => Ok(normal(value)),
        false if value.bytes().all(|it| it.is_ascii_digit()) => Ok(normal(&format!("{value}:{value}"))),
        false if walk::is_root(value) => Ok(ROOT.to_owned()),
        false => with_group(ground, value),
    }
}

fn command_owner(
    ground: &Ground<'_>,
    walk: &mut Walk,
    tree: &str,
    state: &State,
    command: &Located,
    class: &Class,
) -> Result<(), Refused> {
    let paths = || {
        let directory = command.directory.as_deref().unwrap_or("/");
        command.operands().filter_map(|it| it.value.as_deref()).map(move |it| walk::absolute(directory, it))
    };
    let touches = |path: &String| walk::is_inside(path, tree) || walk::is_inside(tree, path);
    match command.program.as_str() {
        "chown" | "chgrp" => {
            let recursive = command.has(&["-R", "-hR", "-Rh", "--recursive", "-Rf", "-fR"]);
            let owner = command.operands().next().and_then(|it| it.value.clone());
            for path in paths().skip(1).filter(touches) {
                let Some(owner) = owner.as_deref().filter(|_| command.program == "chown") else {
                    return Refused::new(
                        "R14",
                        format!("`{}` changes the owners in a way that cannot be repeated", command.told()),
                    );
                };
                let owner = normal(&chowned(ground, owner)?);
                match (walk::is_inside(tree, &path), recursive) {
                    (true, true) => {
                        walk.inside = BTreeSet::from([owner.clone()]);
                        walk.made = Some(owner);
                    }
                    (true, false) if path == tree => walk.made = Some(owner),
                    (true, false) => {}
                    (false, _) => {
                        walk.inside.insert(owner);
                    }
                }
            }
        }
        "chmod" => {
            // Modes of what lies inside travel with the files; that of the directory itself does not.
            let changes_top = paths().skip(1).any(|path| walk::is_inside(tree, &path));
            if changes_top {
                return Refused::new(
                    "R14",
                    format!("`{}` changes the mode of {tree} itself, which a copy does not keep", command.told()),
                );
            }
        }
        "mkdir" => {
            for path in paths().filter(|path| walk::is_inside(path, tree)) {
                let user = acting(ground, state)?;
                if path != tree {
                    walk.inside.insert(user.clone());
                }
                walk.made.get_or_insert(user);
            }
        }
        _ if matches!(class, Class::Build | Class::Perhaps) => {
            let here = command.directory.as_deref().is_some_and(|it| walk::is_inside(it, tree));
            if here || paths().any(|it| walk::is_inside(&it, tree)) {
                walk.inside.insert(acting(ground, state)?);
            }
        }
        _ => {}
    }
    Ok(())
}

/// What `chown` makes of its first word, with the group.
fn chowned(ground: &Ground<'_>, word: &str) -> Result<Owner, Refused> {
    match word.split_once(':').or_else(|| word.split_once('.')) {
        None => Ok(format!("{word}:root")),
        Some((user, "")) => with_group(ground, user),
        Some((user, group)) => Ok(format!("{user}:{group}")),
    }
}

/// A user with the group that files he makes get.
fn with_group(ground: &Ground<'_>, user: &str) -> Result<Owner, Refused> {
    if user.contains(':') {
        return Ok(user.to_owned());
    }
    if user == "node" {
        return Ok("node:node".to_owned());
    }
    // `useradd` makes a group of the same name unless it is told another one.
    let accounts = ground.commands.iter().flatten().filter(|(_, class)| matches!(class, Class::Account(_)));
    for (command, _) in accounts.filter(|(command, _)| command.program == "useradd") {
        let names: Vec<&str> = command.values().collect();
        if names.last() == Some(&user) {
            let at = names.iter().position(|it| matches!(*it, "-g" | "--gid"));
            return match at.and_then(|at| names.get(at + 1)) {
                Some(group) => Ok(format!("{user}:{group}")),
                None if names.iter().any(|it| matches!(*it, "-N" | "--no-user-group")) => break,
                None => Ok(format!("{user}:{user}")),
            };
        }
    }
    Refused::new("R14", format!("the group of {user} is not known"))
}

/// `root:root` and `0:0` are root.
fn normal(owner: &str) -> Owner {
    let (user, group) = owner.split_once(':').unwrap_or((owner, ""));
    match (walk::is_root(user), group) {
        (true, "" | "root" | "0") => "root".to_owned(),
        _ => owner.to_owned(),
    }
}

fn settle(ground: &Ground<'_>, tree: &str, walk: Walk) -> Result<Ownership, Refused> {
    let Walk { made, inside, copied } = walk;
    let made = made.unwrap_or_else(|| ROOT.to_owned());
    let alike = inside.iter().chain([&made]).all(|it| has_same_ids(ground, it));
    let only = (inside.len() == 1).then(|| inside.first().cloned()).flatten();
    let own_text = |owner: &Owner| match copied {
        Some((text, value)) if value == *owner => text,
        _ => owner.clone(),
    };
    match only {
        _ if made == ROOT && (alike || inside.is_empty()) => Ok(Ownership::Kept),
        Some(owner) if made == ROOT => Ok(Ownership::Content(own_text(&owner))),
        Some(owner) if owner == made && (in_base(tree).is_none() || in_base(tree) == Some(&made)) => {
            Ok(Ownership::Whole(own_text(&owner)))
        }
        _ if alike && in_base(tree) == Some(&made) => Ok(Ownership::Kept),
        _ if alike && in_base(tree).is_none() => Ok(Ownership::Made(made)),
        _ => Refused::new("R14", "files of several owners, with ids that differ between base images"),
    }
}

/// Whether a user and his group have the same ids in the full and the slim image: numbers, accounts of Debian and of
/// the Node images, and accounts made with an id or as ordinary users.
fn has_same_ids(ground: &Ground<'_>, owner: &str) -> bool {
    const DEBIAN: [&str; 19] = [
        "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data",
        "backup", "list", "irc", "nobody", "nogroup", "node",
    ];
    owner.split(':').all(|name| {
        name.is_empty() || name.bytes().all(|it| it.is_ascii_digit()) || DEBIAN.contains(&name) || {
            let mut accounts = ground.commands.iter().flatten().filter(|(_, class)| match class {
                Class::Account(names) => names.iter().any(|it| it == name),
                _ => false,
            });
            let makes = accounts.find(|(command, _)| {
                matches!(command.program.as_str(), "useradd" | "adduser" | "groupadd" | "addgroup")
            });
            makes.is_some_and(|(command, _)| {
                let numbered = command.has(&["-u", "--uid", "--gid"])
                    || command.program.starts_with("group") && command.has(&["-g"]);
                let system = command.has(&["-r", "--system", "-S"]);
                numbered || !system && command.program == "useradd"
            })
        }
    })
}
