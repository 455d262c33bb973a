//! RUN: what its commands leave in the layer, as far as tables tell.
//!
//! Debian packages come from the closure table, package lists from their measured size; commands that write next to
//! nothing count as such. One command that is none of these makes the whole layer unknown.

use crate::facts::RunFacts;
use crate::facts::caches::{Cache, lists_weight};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::images::Traits;
use crate::model::ImageRef;
use crate::packages::{AptClosure, Documentation, apt_closure};
use crate::weight::{Basis, Estimate};

/// What is known of the ground a RUN stands on.
pub(super) struct Ground<'a> {
    /// The image at the bottom of the stage's chain.
    pub(super) image: Option<&'a ImageRef>,
    /// What kind of image it is.
    pub(super) traits: Option<&'a Traits>,
    /// The Debian packages that earlier layers installed.
    pub(super) installed: &'a mut AptClosure,
}

/// What a RUN adds, and in words of what.
pub(super) fn adds(run: &RunFacts, ground: &mut Ground<'_>) -> (Option<Estimate>, String) {
    if run.commands.is_empty() {
        return (None, "what the command writes is not known".to_owned());
    }
    let mut closure = AptClosure::default();
    for command in &run.commands {
        match part(command) {
            Part::Little => {}
            Part::Packages { names, recommends } => {
                let requested: Vec<&str> = names.iter().map(String::as_str).collect();
                closure = closure.with(&apt_closure(&requested, recommends));
            }
            Part::Unknown(why) => return (None, why),
        }
    }
    let has_apt = ground.traits.is_some_and(|traits| traits.package_manager == "apt");
    if let Some(name) = closure.unknown.first() {
        return (None, format!("the package {name} is not in the table"));
    }
    if closure.packages() > 0 && !has_apt {
        return (None, "which packages the base image has is not known".to_owned());
    }
    let new = closure.without(ground.installed);
    *ground.installed = std::mem::take(ground.installed).with(&closure);
    let mut sum = Estimate::between(0, 1_000, 100_000, Basis::Recipe, "a few small files");
    let mut parts = Vec::new();
    if let Some(packages) = new.on_disk(documentation(ground)) {
        sum = at_home(packages, ground);
        let n_packages = new.packages();
        parts.push(if n_packages == 1 { "1 package".to_owned() } else { format!("{n_packages} packages") });
    }
    if run.left.iter().any(|left| left.cache == Cache::AptLists) {
        let lists = lists_weight(ground.image);
        if parts.is_empty() {
            sum = lists;
        } else {
            sum += &lists;
        }
        parts.push("package lists".to_owned());
    }
    if parts.is_empty() {
        parts.push("a few small files".to_owned());
        sum.basis = Basis::Guess;
    }
    let why = parts.join(", ");
    sum.source.clone_from(&why);
    (Some(sum), why)
}

/// What one command leaves.
enum Part {
    Little,
    Packages { names: Vec<String>, recommends: bool },
    Unknown(String),
}

fn part(command: &Command) -> Part {
    if writes_little(command) {
        return Part::Little;
    }
    let unknown = || Part::Unknown(format!("what {} writes is not known", command.program));
    let Some(deed) = deed(command) else { return unknown() };
    match (deed.manager, deed.verb) {
        // The lists that an update brings are counted where they stay.
        (Manager::Apt, Verb::Update | Verb::Clean) => Part::Little,
        (Manager::Apt, Verb::Install) if deed.word == "install" => {
            let names: Vec<String> = deed.packages().map(str::to_owned).collect();
            let local = |name: &String| name.contains('/') && name.ends_with(".deb");
            if deed.is_open() || !command.certain || names.iter().any(local) {
                return Part::Unknown("which packages are installed is not known".to_owned());
            }
            let without = ["--no-install-recommends", "APT::Install-Recommends=0", "APT::Install-Recommends=false"];
            Part::Packages { names, recommends: !command.has(&without) }
        }
        (_, Verb::Clean) => Part::Little,
        _ => unknown(),
    }
}

/// Slim images of Debian leave documentation out, whatever is built on them.
fn documentation(ground: &Ground<'_>) -> Documentation {
    let slim = ground.image.and_then(|image| image.tag.as_deref()).is_some_and(|tag| tag.contains("slim"));
    if slim { Documentation::Excluded } else { Documentation::Kept }
}

/// The table is Debian 12's: on another release the figure is a relative's, and the band as wide as releases differ.
/// On an image that is more than Debian, some of the packages are there already.
fn at_home(packages: Estimate, ground: &Ground<'_>) -> Estimate {
    let tag = ground.image.and_then(|image| image.tag.as_deref()).unwrap_or("");
    let plain = ground.image.is_some_and(|image| image.path == "library/debian");
    let bookworm = tag.contains("bookworm") || tag.starts_with("12");
    if plain && bookworm {
        return packages;
    }
    let low = if tag.contains("slim") || plain { packages.low.0 * 85 / 100 } else { 0 };
    Estimate::between(low, packages.likely.0, packages.high.0 * 115 / 100, Basis::Relative, packages.source)
}

/// Commands that write next to nothing. `chmod` and `chown` are not among them: they store what they touch again.
fn writes_little(command: &Command) -> bool {
    const LITTLE: [&str; 28] = [
        "", ":", "[", "a2enmod", "a2ensite", "addgroup", "adduser", "cd", "date", "echo", "exit", "export", "groupadd",
        "id", "ln", "ls", "mkdir", "printf", "pwd", "rm", "rmdir", "set", "sleep", "test", "touch", "true", "useradd",
        "usermod",
    ];
    LITTLE.binary_search(&command.program.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::analysis::{Analysis, Inputs};
    use crate::config::Config;
    use crate::context::BuildContext;
    use crate::images::ImageBook;

    /// The weight of the last layer, in words.
    fn shown(text: &str) -> String {
        let inputs = Inputs {
            text: text.into(),
            config: Arc::new(Config::default()),
            context: Arc::new(BuildContext::of_texts([("a/b.txt", "1234"), ("c.txt", "12")])),
            images: Arc::new(ImageBook::embedded()),
            today: None,
            ..Inputs::default()
        };
        let analysis = Analysis::of(inputs, None);
        let layer = analysis.size.stages.last().and_then(|stage| stage.layers.last()).expect("a layer");
        match &layer.adds {
            Some(adds) => format!("{} ({}, {})", adds.words(), adds.basis.name(), layer.why),
            None => format!("unknown: {}", layer.why),
        }
    }

    #[test]
    fn packages_weigh_what_they_need_with_them() {
        let install = "apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*";
        assert_eq!(
            shown(&format!("FROM debian:bookworm-slim\nRUN apt-get update && {install}")),
            "about 12 MB (recipe, 16 packages)"
        );
    }

    #[test]
    fn lists_that_stay_weigh_too() {
        assert_eq!(shown("FROM debian:bookworm-slim\nRUN apt-get update"), "about 20 MB (recipe, package lists)");
    }

    #[test]
    fn a_package_of_an_earlier_layer_weighs_nothing_again() {
        assert_eq!(
            shown(
                "FROM debian:bookworm-slim\nRUN apt-get install -y --no-install-recommends curl\nRUN apt-get install -y \
                 --no-install-recommends curl"
            ),
            "about 1 kB (guess, a few small files)"
        );
    }

    #[test]
    fn what_no_table_knows_is_unknown_and_not_zero() {
        assert_eq!(
            shown("FROM debian:bookworm-slim\nRUN apt-get install -y curl && make"),
            "unknown: what make writes is not known"
        );
        assert_eq!(
            shown("FROM debian:bookworm-slim\nRUN apt-get install -y my-own-package"),
            "unknown: the package my-own-package is not in the table"
        );
        assert_eq!(
            shown("FROM registry.example/base\nRUN apt-get install -y curl"),
            "unknown: which packages the base image has is not known"
        );
        assert_eq!(shown("FROM alpine\nRUN chown -R a /srv"), "unknown: what chown writes is not known");
    }

    #[test]
    fn copies_are_counted_in_the_build_context() {
        assert_eq!(shown("FROM scratch\nCOPY a /"), "4 B (context, 1 file)");
        assert_eq!(shown("FROM scratch\nCOPY . /"), "6 B (context, 2 files)");
        assert_eq!(shown("FROM scratch\nCOPY z /"), "unknown: z is not in the build context");
    }
}
