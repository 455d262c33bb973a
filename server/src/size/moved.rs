//! `chown`, `chmod`, `mv`, `cp`: files that are there already and are stored once more.
//!
//! A layer holds whole files: who changes the owner of a file of an earlier layer stores all of it again; what the same
//! RUN made lies in the layer once.

use crate::facts::removes::homely;
use crate::facts::run::is_below;
use crate::facts::stage::join;
use crate::size::ledger::{Inside, Ledger, Part};
use crate::size::load::Load;
use crate::size::run::{At, unknown};

/// Lays what a command stores again into the ledger; whether it is such a command.
pub(super) fn act(at: &At<'_>, ledger: &mut Ledger) -> bool {
    match at.command.program.as_str() {
        "chown" | "chmod" | "chgrp" => marked(at, ledger),
        "mv" => copied(at, ledger, true),
        "cp" | "install" | "rsync" => copied(at, ledger, false),
        "dos2unix" | "setcap" | "strip" | "touch" => {
            edited(at, ledger);
            return false;
        }
        "sed" if at.command.values().any(|it| it == "--in-place" || it.starts_with("-i")) => {
            edited(at, ledger);
            return false;
        }
        _ => return false,
    }
    true
}

/// Programs that change a file where it lies: all of it is stored again, if an earlier layer has it. What lies nowhere in
/// the ledger is of the image, and small.
fn edited(at: &At<'_>, ledger: &mut Ledger) {
    for operand in at.command.operands().filter_map(|operand| operand.value.as_deref()) {
        let Some(path) = join(at.directory, operand).filter(|path| is_file(path) && path != "/") else { continue };
        let share = ledger.earlier_at(&path, at.ground.context);
        ledger.store_again(at.idx, &path, &share);
        if let Some(load) = share.load {
            again(ledger, operand, load);
        }
    }
}

/// `chown`, `chmod`, `chgrp`.
fn marked(at: &At<'_>, ledger: &mut Ledger) {
    let command = at.command;
    let recursive = command.values().any(|value| {
        value == "--recursive" || value.starts_with('-') && !value.starts_with("--") && value.contains('R')
    });
    if command.program == "chown" && command.has(&["--from"]) {
        ledger.add(unknown(None, "which files belong to the owner of --from is not known".to_owned()));
        return;
    }
    let skipped = usize::from(!command.has(&["--reference"]));
    // `chmod -x file`: the mode looks like an option.
    let operands: Vec<Option<&str>> = command
        .arguments
        .iter()
        .map(|argument| argument.value.as_deref())
        .filter(|value| value.is_none_or(|value| !is_option(value)))
        .skip(skipped)
        .collect();
    for operand in operands {
        let Some(operand) = operand else {
            ledger.add(unknown(None, format!("what {} touches is not known", command.program)));
            continue;
        };
        let Some(path) = join(at.directory, operand) else {
            ledger.add(unknown(None, format!("where {operand} lies is not known")));
            continue;
        };
        let is_copied_file = || ledger.context_path(&path, at.ground.context).is_some();
        if !recursive && !is_file(&path) && !is_copied_file() {
            continue;
        }
        let share = ledger.earlier_at(&path, at.ground.context);
        ledger.store_again(at.idx, &path, &share);
        if let Some(load) = share.load {
            again(ledger, operand, load);
        }
        match share.missing {
            Some(why) => ledger.add(unknown(None, why)),
            None if share.found || !recursive || is_nearly_empty(at, &path) || is_fresh(ledger, &path) => {}
            None => ledger.add(unknown(None, format!("what lies in {path} is not known"))),
        }
    }
}

fn again(ledger: &mut Ledger, path: &str, load: Load) {
    // Without a path: the files lie where they lay, and are there once.
    let what = format!("{path} stored again");
    ledger.add(Part { path: None, load: Some(load), what, inside: Inside::Closed });
}

fn is_option(value: &str) -> bool {
    match value.strip_prefix('-') {
        Some(rest) => rest.starts_with('-') || (!rest.is_empty() && rest.chars().all(|it| "RcfvhHLPS".contains(it))),
        None => false,
    }
}

/// Whether a path looks like a file: a directory alone weighs nothing.
fn is_file(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.trim_start_matches('.').contains(['.', '*', '-', '_']))
        || path.contains("/bin/")
}

fn is_fresh(ledger: &Ledger, path: &str) -> bool {
    let path = homely(path);
    ledger.layer().iter().filter_map(|part| part.path.as_deref()).any(|it| is_below(it, &path) || is_below(&path, it))
}

/// Directories that the images of the table bring empty, or with a few small files.
fn is_nearly_empty(at: &At<'_>, path: &str) -> bool {
    const EMPTY: [&str; 17] = [
        "/app",
        "/code",
        "/data",
        "/etc/nginx",
        "/home",
        "/media",
        "/mnt",
        "/run",
        "/srv",
        "/tmp",
        "/usr/share/nginx",
        "/usr/src",
        "/var/cache/nginx",
        "/var/log",
        "/var/run",
        "/var/www",
        "/workspace",
    ];
    at.ground.traits.is_some() && EMPTY.iter().any(|it| is_below(path, it))
}

/// `mv`, and `cp` with what works alike.
fn copied(at: &At<'_>, ledger: &mut Ledger, moves: bool) {
    let operands: Vec<Option<&str>> = at.command.operands().map(|operand| operand.value.as_deref()).collect();
    let target = at.option(&["-t", "--target-directory"]);
    let (sources, destination) = match (target, operands.split_last()) {
        (Some(target), _) => (operands.iter().copied().filter(|it| *it != Some(target)).collect(), Some(target)),
        (None, Some((destination, sources))) => (sources.to_vec(), *destination),
        (None, None) => return,
    };
    if at.command.program == "install" && at.command.has(&["-d", "--directory"]) {
        for path in operands.into_iter().flatten().filter_map(|operand| join(at.directory, operand)) {
            ledger.made(&path);
        }
        return;
    }
    let to = destination.and_then(|destination| join(at.directory, destination));
    let is_directory = sources.len() > 1 || destination.is_some_and(|it| it.ends_with('/') || it.ends_with("/."));
    for source in sources {
        let Some((from, source)) = source.and_then(|source| join(at.directory, source).zip(Some(source))) else {
            ledger.add(unknown(to.as_deref().map(homely), format!("what {} copies is not known", at.command.program)));
            continue;
        };
        let name = from.rsplit('/').next().unwrap_or_default();
        let place = to.as_deref().map(|to| match is_directory && !name.contains(['*', '?', '[']) {
            true => homely(&format!("{}/{name}", to.trim_end_matches('/'))),
            false => homely(to),
        });
        let share = match moves {
            // What this layer made is moved where it is, and weighs what it weighed.
            true => ledger.earlier_at(&from, at.ground.context),
            false => ledger.at(&from, at.ground.context),
        };
        if moves {
            ledger.store_again(at.idx, &from, &share);
        }
        if moves && let Some(place) = &place {
            ledger.relocate(&from, place);
        }
        let what = format!("{source} {}", if moves { "moved" } else { "copied" });
        if let Some(load) = share.load {
            let path = if moves { None } else { place.clone() };
            ledger.add(Part { path, load: Some(load), what, inside: Inside::Closed });
        }
        let is_small = ["/etc", "/usr/share/zoneinfo", "/proc"].iter().any(|it| is_below(&from, it));
        match share.missing {
            Some(why) => ledger.add(unknown(place, why)),
            None if share.found || is_small || moves && is_fresh(ledger, place.as_deref().unwrap_or(&from)) => {}
            None => ledger.add(unknown(place, format!("what {source} weighs is not known"))),
        }
    }
}
