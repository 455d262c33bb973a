//! What is fetched from the net without a package manager: `curl`, `wget`, `git clone`, archives taken apart.
//!
//! **Invariant:** what nobody can know before it is fetched is unknown, not zero; what the same RUN deletes again is gone.

use crate::facts::made;
use crate::facts::removes::homely;
use crate::facts::stage::join;
use crate::size::ledger::{Inside, Ledger, Part};
use crate::size::load::{ANYTHING, Load};
use crate::size::run::{At, unknown};
use crate::weight::{Basis, Estimate};

/// Lays what a command fetches or unpacks into the ledger; whether it is such a command.
pub(super) fn act(at: &At<'_>, ledger: &mut Ledger) -> bool {
    match at.command.program.as_str() {
        "curl" | "wget" => net(at, ledger),
        "git" => git(at, ledger),
        "tar" | "unzip" | "bsdtar" => archive(at, ledger),
        "sh" | "bash" | "ash" | "dash" | "zsh" => script(at, ledger),
        _ => return false,
    }
    true
}

/// The host of the first address among the words.
fn host<'a>(at: &At<'a>) -> Option<&'a str> {
    let url = at.command.values().find(|value| value.contains("://"))?;
    let rest = url.split_once("://")?.1;
    let host = rest.split(['/', '?', ':']).next()?;
    Some(host.rsplit('@').next().unwrap_or(host)).filter(|host| !host.is_empty() && !host.contains('$'))
}

fn from(at: &At<'_>) -> String {
    match host(at) {
        Some(host) => format!("what is fetched from {host} is not known"),
        None => format!("what {} fetches is not known", at.command.program),
    }
}

fn net(at: &At<'_>, ledger: &mut Ledger) {
    let asks = ["-I", "--head", "--spider"];
    if at.command.has(&asks) {
        return;
    }
    let mut paths = made::fetched(at.command, at.directory);
    let call = at.ground.script.and_then(|script| script.calls.get(at.command.call));
    for redirect in call.into_iter().flat_map(|call| &call.redirects) {
        let is_output = redirect.operator.starts_with('>') && redirect.descriptor.as_deref() != Some("2");
        if let Some(path) = redirect.target.literal().filter(|_| is_output)
            && !path.starts_with("/dev/")
            && let Some(path) = join(at.directory, &path)
        {
            paths.push(homely(&path));
        }
    }
    let writes_somewhere = at.command.has(&["-P", "--directory-prefix"])
        || (at.command.program == "wget" && paths.is_empty() && !to_standard_output(at));
    if writes_somewhere && !at.command.has(&["-qO-", "-O-"]) {
        let directory = at.option(&["-P", "--directory-prefix"]).and_then(|path| join(at.directory, path));
        ledger.add(unknown(directory.map(|path| homely(&path)), from(at)));
    }
    for path in paths {
        // Keys and lists of sources are a few kilobytes.
        if [".asc", ".gpg", ".list", ".sources", ".repo", ".key", ".pub"].iter().any(|end| path.ends_with(end)) {
            continue;
        }
        ledger.add(unknown(Some(path), from(at)));
    }
}

/// Whether `wget` writes to its standard output (`-O -`, `-qO-`).
fn to_standard_output(at: &At<'_>) -> bool {
    let mut values = at.command.values().peekable();
    while let Some(value) = values.next() {
        let is_letters = value.starts_with('-') && !value.starts_with("--");
        if is_letters && value.ends_with("O-")
            || is_letters && value.ends_with('O') && values.peek() == Some(&"-")
            || value == "--output-document=-"
            || value == "--output-document" && values.peek() == Some(&"-")
        {
            return true;
        }
    }
    false
}

fn git(at: &At<'_>, ledger: &mut Ledger) {
    let mut words = at.command.operands().filter_map(|operand| operand.value.as_deref());
    match words.next() {
        Some("clone") => {
            let words: Vec<&str> = words.collect();
            let url =
                words.iter().position(|word| word.contains("://") || word.contains('@') || word.ends_with(".git"));
            let named = url.and_then(|at| words.get(at + 1)).copied();
            let of_url = url.and_then(|at| words.get(at)).map(|url| {
                let name = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
                name.trim_end_matches(".git")
            });
            let path = named.or(of_url).and_then(|name| join(at.directory, name));
            let why = match host(at) {
                Some(host) => format!("what is cloned from {host} is not known"),
                None => "what is cloned is not known".to_owned(),
            };
            ledger.add(unknown(path.map(|path| homely(&path)), why));
        }
        Some("checkout" | "fetch" | "pull" | "submodule" | "lfs" | "apply" | "am") => {
            ledger.add(unknown(at.directory.map(homely), "what git fetches is not known".to_owned()));
        }
        _ => {}
    }
}

fn archive(at: &At<'_>, ledger: &mut Ledger) {
    let values: Vec<&str> = at.command.values().collect();
    let is_tar = at.command.program != "unzip";
    let letters = values.first().copied().unwrap_or_default().trim_start_matches('-');
    let lists = is_tar && letters.starts_with('t') || !is_tar && at.command.has(&["-l", "-t"]);
    if lists {
        return;
    }
    let target = match is_tar {
        true => at.option(&["-C", "--directory"]),
        false => at.option(&["-d"]),
    };
    let path = match target {
        Some(target) => join(at.directory, target),
        None => at.directory.map(str::to_owned),
    };
    let path = path.map(|path| homely(&path));
    let ends = [".tar", ".tgz", ".tar.gz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".zip", ".jar", ".whl"];
    let name = values.iter().find(|value| ends.iter().any(|end| value.ends_with(end)));
    let known = name.and_then(|name| {
        let place = join(at.directory, name)?;
        let found = ledger.context_path(&place, at.ground.context)?;
        at.ground.context.brings(&found).map(|brought| (brought.bytes, *name))
    });
    match known {
        // An archive of the build context: what layers usually are (2.2 to 3.3 times, size-ratios.tsv).
        Some((bytes, name)) => {
            let times = |tenths: u64| bytes.saturating_mul(tenths) / 10;
            let disk = Estimate::between(bytes, times(27), times(60), Basis::Guess, "");
            let what = format!("{} unpacked", name.rsplit('/').next().unwrap_or(name));
            ledger.add(Part { path, load: Some(Load::of(disk, ANYTHING)), what, inside: Inside::Closed });
        }
        None => {
            let why = match name {
                Some(name) => format!("what {} holds is not known", name.rsplit('/').next().unwrap_or(name)),
                None => format!("what {} unpacks is not known", at.command.program),
            };
            ledger.add(unknown(path, why));
        }
    }
}

fn script(at: &At<'_>, ledger: &mut Ledger) {
    // `sh -c '…'` is looked through; what is left here is a script that somebody wrote.
    let name = at.command.operands().filter_map(|operand| operand.value.as_deref()).find(|word| *word != "-");
    let why = match name {
        Some(name) => format!("what {} writes is not known", name.rsplit('/').next().unwrap_or(name)),
        None => "what the script that is fetched writes is not known".to_owned(),
    };
    ledger.add(unknown(None, why));
}
