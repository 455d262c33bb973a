//! Debian packages: what a RUN installs, without what the base image and earlier layers have, and without what the same
//! RUN takes away again.

use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::made::plain_name;
use crate::images::Traits;
use crate::model::ImageRef;
use crate::packages::{APT_NOISE, AptClosure, Documentation, apt_closure};
use crate::size::ledger::{Inside, Ledger, Part};
use crate::size::load::{self, Load};
use crate::size::run::{At, Ground, unknown, what_writes};
use crate::weight::{Basis, Estimate};

/// What the commands of one RUN ask of apt.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The packages that are asked for, each with whether recommended ones come too.
    asked: Vec<(String, bool)>,
    /// All that was installed at any time.
    all: AptClosure,
    /// Packages that were taken away by name.
    removed: AptClosure,
    /// Whether what nobody needs any longer was taken away too.
    tidied: bool,
}

impl Requests {
    /// Notes what a command asks; whether it is one for apt or dpkg.
    pub(super) fn act(&mut self, at: &At<'_>, ledger: &mut Ledger) -> bool {
        let command = at.command;
        if command.program == "dpkg" {
            let installs = command.has(&["-i", "--install"]);
            ledger.add(unknown(
                None,
                if installs { "what dpkg installs is not known".to_owned() } else { what_writes("dpkg") },
            ));
            return true;
        }
        let Some(deed) = deed(command).filter(|deed| deed.manager == Manager::Apt) else { return false };
        match (deed.verb, deed.word) {
            // The lists that an update brings are counted where they stay.
            (Verb::Update | Verb::Clean, _) => {}
            (Verb::Install, "install") => {
                let local = |name: &str| name.contains('/') && name.ends_with(".deb");
                if deed.is_open() || !command.certain || deed.packages().any(local) {
                    ledger.add(unknown(None, "which packages are installed is not known".to_owned()));
                }
                if !command.certain {
                    return true;
                }
                let without = ["--no-install-recommends", "APT::Install-Recommends=0", "APT::Install-Recommends=false"];
                let recommends = !command.has(&without);
                let names: Vec<&str> = deed.packages().filter(|name| !local(name)).collect();
                self.all = std::mem::take(&mut self.all).with(&apt_closure(&names, recommends));
                self.asked.extend(names.into_iter().map(|name| (bare(name).to_owned(), recommends)));
            }
            (Verb::Remove, word) => {
                if !command.certain {
                    return true;
                }
                let names: Vec<&str> = deed.packages().collect();
                let removed = apt_closure(&names, false).of_names(&names);
                self.removed = std::mem::take(&mut self.removed).with(&removed);
                self.asked.retain(|(name, _)| !names.iter().any(|it| bare(it) == name));
                self.tidied |= word.starts_with("auto") || command.has(&["--auto-remove", "--autoremove"]);
                if deed.is_open() {
                    ledger.add(unknown(None, "which packages are removed is not known".to_owned()));
                }
            }
            (Verb::Other, "upgrade" | "dist-upgrade" | "full-upgrade") => {
                ledger
                    .add(unknown(None, format!("what {} {} replaces depends on the day", command.program, deed.word)));
            }
            (Verb::Other, "" | "list" | "show" | "search" | "policy" | "check" | "changelog" | "--version") => {}
            (Verb::Install | Verb::Other, word) => {
                let word = if word.is_empty() { String::new() } else { format!(" {word}") };
                ledger.add(unknown(None, what_writes(&format!("{}{word}", command.program))));
            }
        }
        true
    }

    /// Lays what remains at the end of the RUN into the ledger.
    pub(super) fn settle(self, ground: &Ground<'_>, ledger: &mut Ledger) {
        let mut kept = self.all;
        if kept.packages() == 0 && kept.unknown.is_empty() {
            return;
        }
        if self.tidied {
            let mut needed = AptClosure::default();
            for recommends in [false, true] {
                let names: Vec<&str> =
                    self.asked.iter().filter(|(_, it)| *it == recommends).map(|(name, _)| name.as_str()).collect();
                if !names.is_empty() {
                    needed = needed.with(&apt_closure(&names, recommends));
                }
            }
            needed.unknown.retain(|name| kept.unknown.contains(name));
            kept = needed;
        }
        kept = kept.without(&self.removed);
        let is_emptied = self.tidied || self.removed.packages() > 0;
        kept.unknown.retain(|name| self.asked.iter().any(|(it, _)| it == bare(name)));
        if ground.traits.is_none_or(|traits| traits.package_manager != "apt") {
            ledger.add(unknown(None, "which packages the base image has is not known".to_owned()));
            return;
        }
        let mut new = kept.without(&ledger.packages);
        if let Some(base) = ground.base_packages {
            new = new.without(base);
        }
        match &kept.unknown[..] {
            [] => {}
            [name] => ledger.add(unknown(None, format!("the package {name} is not in the table"))),
            [name, more @ ..] => {
                let why = format!("the packages {name} and {} more are not in the table", more.len());
                ledger.add(unknown(None, why));
            }
        }
        kept.unknown.clear();
        // dpkg writes its databases anew, with an entry for all that was there before.
        let n_earlier = ledger.packages.packages() as u64;
        ledger.packages = std::mem::take(&mut ledger.packages).with(&kept);
        let n_packages = new.packages();
        let Some(mut packages) = new.on_disk(documentation(ground.image, ground.traits)) else {
            if is_emptied {
                // All of it is gone again; what dpkg wrote down of it is not.
                let disk = Estimate::between(APT_NOISE * 8 / 10, APT_NOISE, APT_NOISE * 3 / 2, Basis::Recipe, "");
                let what = "databases of dpkg".to_owned();
                let load = Some(Load::of(disk, load::PACKAGES));
                ledger.add(Part { path: Some("/usr".to_owned()), load, what, inside: Inside::Spread });
            }
            return;
        };
        let databases = Estimate::between(0, n_earlier * 2_500, n_earlier * 5_000, Basis::Recipe, "");
        packages += &databases;
        let what = if n_packages == 1 { "1 package".to_owned() } else { format!("{n_packages} packages") };
        let packages = at_home(packages, ground.image, ground.base_packages.is_some());
        let load = Load::of(packages, load::PACKAGES);
        ledger
            .layer_mut()
            .insert(0, Part { path: Some("/usr".to_owned()), load: Some(load), what, inside: Inside::Spread });
    }
}

/// A name without version, release and architecture.
fn bare(name: &str) -> &str {
    let name = plain_name(Manager::Apt, name);
    name.split('/').next().unwrap_or(name)
}

/// Slim images of Debian leave documentation out, whatever is built on them; so do Ubuntu's.
pub(super) fn documentation(image: Option<&ImageRef>, traits: Option<&Traits>) -> Documentation {
    // Official images that are built on a slim one without saying so in their tags.
    const ON_SLIM: [&str; 8] = [
        "library/haproxy",
        "library/httpd",
        "library/memcached",
        "library/nginx",
        "library/php",
        "library/postgres",
        "library/redis",
        "library/wordpress",
    ];
    let slim = image.is_some_and(|image| {
        image.tag.as_deref().is_some_and(|tag| tag.contains("slim")) || ON_SLIM.contains(&image.path.as_str())
    });
    let ubuntu = traits.is_some_and(|traits| traits.distro.starts_with("ubuntu"));
    if slim || ubuntu { Documentation::Excluded } else { Documentation::Kept }
}

/// The table is Debian 12's: on another release the figure is a relative's, and the band as wide as releases differ.
/// An image that is more than Debian may have some of the packages already, beyond those that are known.
pub(super) fn at_home(packages: Estimate, image: Option<&ImageRef>, base_is_known: bool) -> Estimate {
    let tag = image.and_then(|image| image.tag.as_deref()).unwrap_or("");
    let plain = image.is_some_and(|image| image.path == "library/debian");
    let bookworm = tag.contains("bookworm") || (plain && tag.starts_with("12"));
    if plain && bookworm {
        return packages;
    }
    let low = match (tag.contains("slim") || plain, base_is_known) {
        (true, _) => 85,
        (false, true) => 75,
        (false, false) => 50,
    };
    let high = if bookworm { 105 } else { 115 };
    let share = |size: u64, percent: u64| size.saturating_mul(percent) / 100;
    let low = share(packages.low.0, low);
    Estimate::between(low, packages.likely.0, share(packages.high.0, high), Basis::Relative, packages.source)
}
