//! RUN: what its commands leave in the layer, one after the other.
//!
//! **Invariant:** a command that nothing is known of makes a part of the layer unknown; what the others leave is at least
//! there.

use crate::context::BuildContext;
use crate::facts::RunFacts;
use crate::facts::caches::{Cache, asks_anew, index_weight, lists_weight};
use crate::facts::removes::homely;
use crate::facts::run::{Command, is_below};
use crate::images::Traits;
use crate::model::{ImageRef, Placed, Stage};
use crate::packages::AptClosure;
use crate::shell::Script;
use crate::size::ledger::{Inside, Ledger, Part};
use crate::size::load::{self, Load};
use crate::size::{apk, apt, build, fetched, little, moved, node, python};
use crate::weight::Size;

/// What a RUN is carried out with.
pub(super) struct Ground<'a> {
    /// Its stage.
    pub(super) stage: &'a Stage,
    /// The instruction.
    pub(super) placed: &'a Placed,
    /// What it does.
    pub(super) run: &'a RunFacts,
    /// Its shell text.
    pub(super) script: Option<&'a Script>,
    /// The image at the bottom of the stage's chain.
    pub(super) image: Option<&'a ImageRef>,
    /// What kind of image it is.
    pub(super) traits: Option<&'a Traits>,
    /// The Debian packages that the image brings above its distribution.
    pub(super) base_packages: Option<&'a AptClosure>,
    /// What lies beside the Dockerfile.
    pub(super) context: &'a BuildContext,
}

/// A command of a RUN and where it runs.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// The RUN.
    pub(super) ground: &'a Ground<'a>,
    /// The command's index.
    pub(super) idx: usize,
    /// The command.
    pub(super) command: &'a Command,
    /// The directory it runs in; `None` where not known.
    pub(super) directory: Option<&'a str>,
}

/// What commands that write next to nothing may write together, in bytes.
const SMALL: u64 = 50_000;

/// Lays what a RUN leaves into the ledger.
pub(super) fn add(ground: &Ground<'_>, ledger: &mut Ledger) {
    let run = ground.run;
    if run.commands.is_empty() {
        ledger.add(unknown(None, "what the command writes is not known".to_owned()));
        return;
    }
    let mut debian = apt::Requests::default();
    let mut virtual_packages = apk::Added::default();
    let mut small = false;
    for (idx, command) in run.commands.iter().enumerate() {
        // Where the image says nothing else, a container starts at the root.
        let directory = Some(run.directories.get(idx).and_then(Option::as_deref).unwrap_or("/"));
        let at = At { ground, idx, command, directory };
        let is_moved = moved::act(&at, ledger);
        let is_little = !is_moved && little::act(&at, ledger);
        small |= is_little;
        let is_done = is_moved
            || is_little
            || debian.act(&at, ledger)
            || virtual_packages.act(&at)
            || node::act(&at, ledger)
            || python::act(&at, ledger)
            || fetched::act(&at, ledger)
            || build::act(&at, ledger);
        if !is_done {
            ledger.add(unknown(None, what_writes(&command.program)));
        }
    }
    // Users, links, configuration: what small commands write is in no part of its own.
    if let Some(load) = ledger.layer_mut().iter_mut().find_map(|part| part.load.as_mut()).filter(|_| small) {
        load.disk.high = load.disk.high + Size(SMALL);
        load.pull.high = load.pull.high + Size(SMALL / 2);
    }
    debian.settle(ground, ledger);
    virtual_packages.settle(ledger);
    caches(ground, ledger);
    let mounted = |part: &Part| {
        let path = part.path.as_deref();
        path.is_some_and(|path| run.mounted.iter().any(|it| is_below(path, it) || is_below(path, &homely(it))))
    };
    if !run.mounted.is_empty() {
        ledger.layer_mut().retain(|part| !mounted(part));
    }
}

impl At<'_> {
    /// The value of a variable of the environment as the command sees it: its own, else that of ENV and ARG.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let call = self.ground.script.and_then(|script| script.calls.get(self.command.call));
        let own = call.and_then(|call| call.environment.iter().find(|it| it.name == name));
        if let Some(own) = own {
            return own.value.literal();
        }
        self.ground.stage.scope.get_at(name, self.ground.placed.at)?.value.clone()
    }

    /// The value of an option of the command: the next word, or what stands behind `=`.
    pub(super) fn option(&self, names: &[&str]) -> Option<&str> {
        let mut arguments = self.command.arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(value) = argument.value.as_deref() else { continue };
            for name in names {
                match value.strip_prefix(name) {
                    Some("") => return arguments.next().and_then(|next| next.value.as_deref()),
                    Some(rest) => {
                        if let Some(value) = rest.strip_prefix('=') {
                            return Some(value);
                        }
                    }
                    None => {}
                }
            }
        }
        None
    }

    /// What the command leaves beside what was asked for, where that surely stays.
    pub(super) fn leaves(&self, cache: Cache) -> Option<&str> {
        let mut left = self.ground.run.left.iter();
        left.find(|left| left.cache == cache && left.command == self.idx).map(|left| left.path.as_str())
    }
}

/// A part whose weight is not known, and why.
pub(super) fn unknown(path: Option<String>, why: String) -> Part {
    Part { path, load: None, what: why, inside: Inside::Closed }
}

/// Why the weight of what a program writes is not known.
pub(super) fn what_writes(program: &str) -> String {
    let program = if program.is_empty() { "a command" } else { program };
    format!("what {program} writes is not known")
}

/// The caches that stay and that no module has weighed with what was installed.
fn caches(ground: &Ground<'_>, ledger: &mut Ledger) {
    let mut has_lists = false;
    // An index that is there is taken while it is fresh.
    let mut has_index = !ground.run.commands.iter().any(asks_anew)
        && ledger.earlier_mut().iter().any(|part| part.what == "package index");
    for left in &ground.run.left {
        match left.cache {
            Cache::AptLists if !has_lists => {
                has_lists = true;
                let load = Load::lists(lists_weight(ground.image));
                let what = "package lists".to_owned();
                ledger.add(Part { path: Some(left.path.clone()), load: Some(load), what, inside: Inside::Closed });
            }
            Cache::ApkIndex if !has_index => {
                has_index = true;
                let load = Load::of(index_weight(), load::ARCHIVES);
                let what = "package index".to_owned();
                ledger.add(Part { path: Some(left.path.clone()), load: Some(load), what, inside: Inside::Closed });
            }
            // Counted with what was installed, or a part of what is unknown anyway.
            Cache::AptLists
            | Cache::ApkIndex
            | Cache::Npm
            | Cache::Pip
            | Cache::Cargo
            | Cache::Go
            | Cache::Maven
            | Cache::Gradle
            | Cache::Nuget => {}
            Cache::Rpm
            | Cache::Zypper
            | Cache::Yarn
            | Cache::Pnpm
            | Cache::Bun
            | Cache::Conda
            | Cache::Gem
            | Cache::Composer
            | Cache::Poetry
            | Cache::Uv
            | Cache::Pipenv => {
                let verb = left.cache.stays().rsplit(' ').next().unwrap_or("stays");
                let subject = left.cache.stays().trim_end_matches(verb).trim_end();
                ledger.add(unknown(
                    Some(left.path.clone()),
                    format!("what {subject} weigh{} is not known", plural(verb)),
                ));
            }
        }
    }
}

/// The end of a verb whose subject is that of `stay` or `stays`.
fn plural(verb: &str) -> &'static str {
    if verb == "stays" { "s" } else { "" }
}
