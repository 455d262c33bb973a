//! Packages of Python: what `pip`, `uv`, `poetry` and `pipenv` install, by requirements, lock files and the measured packages
//! of the table, compiled files included.

use crate::context::lock::{Locked, requirement};
use crate::facts::caches::Cache;
use crate::facts::installs::{Deed, Manager, Verb, deed, requirements};
use crate::facts::stage::join;
use crate::packages::modules::{Ecosystem, Modules};
use crate::size::ledger::{Inside, Ledger, Part, place};
use crate::size::load::{self, Load};
use crate::size::node;
use crate::size::run::{At, unknown};
use crate::weight::{Basis, Estimate};

/// Lays what a command installs into the ledger; whether it is such a command.
pub(super) fn act(at: &At<'_>, ledger: &mut Ledger) -> bool {
    if let Some(path) = environment(at) {
        ledger.venv.clone_from(&path);
        let what = "a virtual environment".to_owned();
        let load = Some(Load::guess(ENVIRONMENT.0, ENVIRONMENT.1, ENVIRONMENT.2, load::WHEELS));
        ledger.add(Part { path: path.as_deref().map(place), load, what, inside: Inside::Closed });
        return true;
    }
    let Some(deed) = deed(at.command) else { return false };
    if !matches!(deed.manager, Manager::Pip | Manager::Poetry | Manager::Uv | Manager::Pipenv) {
        return false;
    }
    match (deed.verb, deed.word) {
        (Verb::Install, _) => install(at, &deed, ledger),
        (Verb::Remove | Verb::Clean | Verb::Update, _) | (Verb::Other, "export" | "lock" | "freeze" | "python") => {}
        (Verb::Other, _) => return false,
    }
    true
}

/// A new virtual environment: pip and setuptools, or nearly nothing.
const ENVIRONMENT: (u64, u64, u64) = (10_000_000, 18_000_000, 25_000_000);

/// The folder of the virtual environment that a command makes; `Some(None)` where it is not known.
fn environment(at: &At<'_>) -> Option<Option<String>> {
    let command = at.command;
    let mut values = command.arguments.iter().map(|argument| argument.value.as_deref());
    let named = match command.program.as_str() {
        "virtualenv" => command.operands().last().map(|operand| operand.value.as_deref()),
        name if name.starts_with("python") => {
            values.find(|value| *value == Some("-m"))?;
            if !matches!(values.next()?, Some("venv" | "virtualenv")) {
                return None;
            }
            values.rfind(|value| value.is_none_or(|value| !value.starts_with('-')))
        }
        _ => return None,
    }?;
    Some(named.and_then(|path| join(at.directory, path)))
}

fn install(at: &At<'_>, deed: &Deed<'_>, ledger: &mut Ledger) {
    let program = at.command.program.as_str();
    let mut why = None;
    let (modules, basis) = match deed.manager {
        Manager::Pip => of_pip(at, deed, ledger, &mut why),
        Manager::Uv if deed.word == "pip" => of_pip(at, deed, ledger, &mut why),
        Manager::Uv => of_lock(at, "uv.lock", ledger, &mut why),
        Manager::Pipenv => of_lock(at, "Pipfile.lock", ledger, &mut why),
        _ => of_lock(at, "poetry.lock", ledger, &mut why),
    };
    let fetches = matches!(deed.word, "download" | "wheel");
    let path = destination(at, deed, ledger);
    if modules.packages > 0 && (modules.others < modules.packages || modules.packages > 3) {
        let load = if fetches { wheels(modules, basis) } else { weigh(modules, basis) };
        let n_packages = modules.packages;
        let kind = if fetches { "wheel" } else { "Python package" };
        let what = if n_packages == 1 { format!("1 {kind}") } else { format!("{n_packages} {kind}s") };
        ledger.add(Part { path: path.clone(), load: Some(load), what, inside: Inside::Closed });
        if let Some(left) = at.leaves(Cache::Pip) {
            ledger.add(Part {
                path: Some(place(left)),
                load: Some(wheels(modules, basis.max(Basis::Relative))),
                what: "pip's cache of downloads".to_owned(),
                inside: Inside::Closed,
            });
        }
    } else if modules.packages > 0 {
        why = Some(format!("what {program} installs is in no table"));
    }
    if let Some(why) = why {
        ledger.add(unknown(path, why));
    }
}

/// What `pip install` names: packages, and files of requirements.
fn of_pip(at: &At<'_>, deed: &Deed<'_>, ledger: &Ledger, why: &mut Option<String>) -> (Modules, Basis) {
    let mut names = Vec::new();
    let mut res = Modules::default();
    let mut basis = Basis::Relative;
    for word in deed.packages() {
        match requirement(word) {
            Some(_) if word.ends_with(".whl") || word.ends_with(".tar.gz") || word.contains('/') => {
                *why = Some(format!("what {word} holds is not known"));
            }
            Some(name) => names.push(name),
            None => *why = Some(format!("what {word} needs is not known")),
        }
    }
    if deed.is_open() || !at.command.certain {
        *why = Some(format!("which packages {} installs is not known", at.command.program));
    }
    if at.command.has(&["-e", "--editable"]) {
        *why = Some("what the project needs is not known".to_owned());
    }
    for file in requirements(at.command) {
        let path = file.and_then(|file| join(at.directory, file));
        match path.and_then(|path| node::manifest(at, &path, ledger)) {
            Some(locked) => {
                res = res.with(locked.all);
                basis = basis.min(Basis::Relative);
            }
            None => {
                let file = file.unwrap_or("the requirements");
                *why = Some(format!("what pip installs is not known: {file} was not read"));
            }
        }
    }
    let named = match at.command.has(&["--no-deps"]) {
        true => Modules::listed(Ecosystem::Pip, names.iter().map(String::as_str)),
        false => Modules::needed(Ecosystem::Pip, names.iter().map(String::as_str)),
    };
    (res.with(named), basis)
}

fn of_lock(at: &At<'_>, name: &str, ledger: &Ledger, why: &mut Option<String>) -> (Modules, Basis) {
    let path = join(at.directory, name);
    let Some(locked) = path.and_then(|path| node::manifest(at, &path, ledger)) else {
        *why = Some(format!("what {} installs is not known: {name} was not read", at.command.program));
        return (Modules::default(), Basis::Guess);
    };
    (modules_of(at, &locked), Basis::Recipe)
}

fn modules_of(at: &At<'_>, locked: &Locked) -> Modules {
    let production = ["--no-dev", "--only=main", "--without=dev"];
    let only_main = at.command.has(&production) || at.option(&["--only"]) == Some("main");
    if only_main { locked.production } else { locked.all }
}

/// Where the packages are put.
fn destination(at: &At<'_>, deed: &Deed<'_>, ledger: &Ledger) -> Option<String> {
    let own = at.option(&["-t", "--target", "--prefix", "--root", "-d", "--dest", "-w", "--wheel-dir"]);
    if let Some(own) = own {
        return join(at.directory, own).map(|path| place(&path));
    }
    match deed.manager {
        Manager::Uv if deed.word != "pip" => return join(at.directory, ".venv").map(|path| place(&path)),
        Manager::Poetry | Manager::Pipenv => return ledger.venv.as_deref().map(place),
        _ => {}
    }
    if at.command.has(&["--user"]) {
        return Some("~/.local".to_owned());
    }
    let root = ledger.venv.as_deref().unwrap_or("/usr/local");
    Some(place(&format!("{root}/lib/python3/site-packages")))
}

/// The measured weights of a set of packages, of one version or another.
fn weigh(modules: Modules, basis: Basis) -> Load {
    let (bytes, others) = (modules.bytes, u64::from(modules.others));
    let disk = Estimate::between(
        bytes * 60 / 100 + others * OTHER.0,
        bytes + others * OTHER.1,
        bytes * 150 / 100 + others * OTHER.2,
        if bytes < others * OTHER.1 { Basis::Guess } else { basis },
        "packages measured 2026-11-21",
    );
    Load::of(disk, load::WHEELS)
}

/// The files that are fetched, which are compressed already.
fn wheels(modules: Modules, basis: Basis) -> Load {
    let (bytes, others) = (modules.fetched, u64::from(modules.others));
    let disk = Estimate::between(
        bytes * 60 / 100 + others * OTHER.0 / 4,
        bytes + others * OTHER.1 / 4,
        bytes * 150 / 100 + others * OTHER.2 / 4,
        basis,
        "packages measured 2026-11-21",
    );
    Load::of(disk, load::ARCHIVES)
}

/// Bytes of a package that is not in the table: low, likely and high of a sum of some.
const OTHER: (u64, u64, u64) = (50_000, 700_000, 8_000_000);
