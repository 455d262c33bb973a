//! Modules of Node.js: what `npm`, `yarn`, `pnpm` and `bun` install, by the lock file of the build context and the measured
//! packages of the table.
//!
//! **Invariant:** without a lock file or manifest that was read, nothing is guessed.

use crate::context::lock::Locked;
use crate::facts::caches::Cache;
use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::made::plain_name;
use crate::facts::removes::homely;
use crate::facts::stage::join;
use crate::packages::modules::{Ecosystem, Modules};
use crate::size::ledger::{Inside, Ledger, Part, place};
use crate::size::load::{self, Load};
use crate::size::run::{At, unknown};
use crate::weight::{Basis, Estimate};

/// Lays what a command installs into the ledger; whether it is such a command.
pub(super) fn act(at: &At<'_>, ledger: &mut Ledger) -> bool {
    let Some(deed) = deed(at.command) else { return false };
    if !matches!(deed.manager, Manager::Npm | Manager::Yarn | Manager::Pnpm | Manager::Bun) {
        return false;
    }
    match deed.verb {
        Verb::Install => install(at, &deed, ledger),
        Verb::Remove if deed.word == "prune" => prune(at, ledger),
        Verb::Remove | Verb::Clean | Verb::Update => {}
        Verb::Other => return false,
    }
    true
}

fn install(at: &At<'_>, deed: &Deed<'_>, ledger: &mut Ledger) {
    let program = &at.command.program;
    if at.command.has(&["--package-lock-only", "--lockfile-only", "--mode=update-lockfile"]) {
        return;
    }
    let global = at.command.has(&["-g", "--global", "--location=global"]) || deed.word.starts_with("global");
    let directory = directory(at);
    let (path, load, n_packages) = if deed.is_from_manifest(at.command) {
        let path = directory.as_deref().map(|it| below(it, "node_modules"));
        let locked = directory.as_deref().and_then(|it| locked(at, deed.manager, it, ledger));
        let (load, n_packages) = locked.map(|locked| counted(at, &locked)).unzip();
        (path, load, n_packages.unwrap_or_default())
    } else {
        if deed.is_open() || !at.command.certain {
            ledger.add(unknown(None, format!("which packages {program} installs is not known")));
            return;
        }
        let names: Vec<&str> = deed.packages().map(|word| plain_name(Manager::Npm, word)).collect();
        let path = match (global, directory.as_deref()) {
            (true, _) => Some("/usr/local/lib/node_modules".to_owned()),
            (false, directory) => directory.map(|it| below(it, "node_modules")),
        };
        let modules = Modules::needed(Ecosystem::Npm, names.iter().copied());
        let (named, others) = (modules.packages - modules.others, modules.others);
        if named > 0 && others > 0 {
            let packages = if others == 1 { "1 package is".to_owned() } else { format!("{others} packages are") };
            ledger.add(unknown(path.as_deref().map(homely), format!("{packages} in no table")));
        }
        let load = weigh(Modules { others: 0, packages: named, ..modules }, Basis::Relative);
        (path, (named > 0).then_some(load), named)
    };
    let Some(load) = load else {
        let why = match deed.is_from_manifest(at.command) {
            true => format!("what {program} installs is not known: no lock file was read"),
            false => format!("what {program} installs is in no table"),
        };
        ledger.add(unknown(path.map(|path| homely(&path)), why));
        return;
    };
    let cache = at.leaves(Cache::Npm).map(|path| Part {
        path: Some(place(path)),
        load: Some(cache(&load)),
        what: "npm's cache of downloads".to_owned(),
        inside: Inside::Closed,
    });
    let what = match n_packages {
        1 => "1 npm package".to_owned(),
        n_packages => format!("{n_packages} npm packages"),
    };
    let part = Part { path: path.map(|path| place(&path)), load: Some(load), what, inside: Inside::Closed };
    if deed.is_from_manifest(at.command) {
        ledger.replace(part);
    } else {
        ledger.add(part);
    }
    if let Some(cache) = cache {
        ledger.add(cache);
    }
}

/// Takes the packages for development out of what was installed: in the same layer with their weight, else for whoever
/// copies from here.
fn prune(at: &At<'_>, ledger: &mut Ledger) {
    let Some(directory) = directory(at) else { return };
    let path = place(&below(&directory, "node_modules"));
    let manager = if at.command.program == "npm" { Manager::Npm } else { Manager::Yarn };
    let load = locked(at, manager, &directory, ledger).map(|locked| weigh(locked.production, basis(&locked)));
    let why = format!("what {} prune leaves is not known", at.command.program);
    let change = |part: &mut Part| {
        if part.path.as_deref() != Some(path.as_str()) {
            return;
        }
        // More than was there it cannot be.
        part.load = match (&load, &part.load) {
            (Some(pruned), Some(whole)) if pruned.disk.likely <= whole.disk.likely => Some(pruned.clone()),
            (Some(_), Some(whole)) => Some(whole.clone()),
            (None, _) | (Some(_), None) => None,
        };
        if part.load.is_none() {
            part.what.clone_from(&why);
        }
    };
    ledger.earlier_mut().iter_mut().for_each(change);
    ledger.layer_mut().iter_mut().for_each(change);
}

/// The directory of the project.
fn directory(at: &At<'_>) -> Option<String> {
    match at.option(&["--prefix", "-C", "--cwd", "--dir"]) {
        Some(directory) => join(at.directory, directory),
        None => at.directory.map(str::to_owned),
    }
}

fn below(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// What the lock file of a project says, or its `package.json` where there is none.
fn locked(at: &At<'_>, manager: Manager, directory: &str, ledger: &Ledger) -> Option<Locked> {
    let names: &[&str] = match manager {
        Manager::Yarn => &["yarn.lock", "package-lock.json", "package.json"],
        Manager::Pnpm => &["pnpm-lock.yaml", "package.json"],
        _ => &["npm-shrinkwrap.json", "package-lock.json", "yarn.lock", "package.json"],
    };
    names.iter().find_map(|name| manifest(at, &below(directory, name), ledger))
}

/// What a lock file or manifest at a path of the image says: one that a COPY brought, or that is mounted from the context.
pub(super) fn manifest(at: &At<'_>, path: &str, ledger: &Ledger) -> Option<Locked> {
    let context = at.ground.context;
    let found = ledger.context_path(path, context).or_else(|| {
        let name = path.rsplit('/').next().unwrap_or(path);
        (!at.ground.run.mounted.is_empty() && context.has_file(name)).then(|| name.to_owned())
    })?;
    context.locked(&found)
}

/// A list of all packages is a recipe; what is only named needs more, in versions that are not known.
pub(super) fn basis(locked: &Locked) -> Basis {
    if locked.is_complete { Basis::Recipe } else { Basis::Relative }
}

/// What comes of it with the options of the command.
fn counted(at: &At<'_>, locked: &Locked) -> (Load, u32) {
    let modules = if is_production(at) { locked.production } else { locked.all };
    (weigh(modules, basis(locked)), modules.packages)
}

fn is_production(at: &At<'_>) -> bool {
    let command = at.command;
    if command.has(&["--production=false", "--include=dev", "--dev"]) || at.option(&["--include"]) == Some("dev") {
        return false;
    }
    command.has(&["--omit=dev", "--only=prod", "--only=production", "--production", "--prod", "-P"])
        || matches!(at.option(&["--omit"]), Some("dev"))
        || matches!(at.option(&["--only"]), Some("prod" | "production"))
        || at.variable("NODE_ENV").as_deref() == Some("production")
}

/// The measured weights of a set of packages. Versions differ from those that were measured.
fn weigh(modules: Modules, basis: Basis) -> Load {
    let (bytes, others) = (modules.bytes, u64::from(modules.others));
    let (low, high) = match basis {
        Basis::Recipe => (70, 140),
        _ => (50, 200),
    };
    let disk = Estimate::between(
        bytes * low / 100 + others * OTHER.0,
        bytes + others * OTHER.1,
        bytes * high / 100 + others * OTHER.2,
        if bytes < others * OTHER.1 { Basis::Guess } else { basis },
        "packages measured 2026-11-21",
    );
    Load::of(disk, load::MODULES)
}

/// Bytes of a package that is not in the table: low, likely and high of a sum of many.
const OTHER: (u64, u64, u64) = (10_000, 150_000, 1_000_000);

/// npm's cache beside the modules it filled: ten measured sets.
fn cache(modules: &Load) -> Load {
    let share = |size: u64, percent: u64| size.saturating_mul(percent) / 100;
    let disk = &modules.disk;
    let cache = Estimate::between(
        share(disk.low.0, 42),
        share(disk.likely.0, 91),
        share(disk.high.0, 140),
        disk.basis.max(Basis::Relative),
        disk.source.clone(),
    );
    Load::of(cache, load::NPM_CACHE)
}
