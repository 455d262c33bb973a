//! What Debian packages weigh that need not be installed: on this base, without what the base and the packages that stay
//! bring anyway.
//!
//! **Invariant:** a package that the table does not have makes no figure larger or smaller.

use crate::facts::Facts;
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::images::ImageBook;
use crate::model::{File, ImageRef};
use crate::packages::{AptClosure, apt_closure};
use crate::size::apt;
use crate::weight::Estimate;

/// A package that a RUN asks apt for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Its name as written, with a version perhaps.
    pub name: &'a str,
    /// Whether the packages that it recommends come too.
    pub recommends: bool,
    /// The command that asks, by its place in the file.
    pub at: u32,
}

/// The packages that the shipped stages ask apt for, those apart that the same RUN takes away again.
pub fn asked<'a>(file: &'a File, facts: &'a Facts) -> Vec<Asked<'a>> {
    let mut res: Vec<Asked> = Vec::new();
    for idx in facts.final_chain.iter().rev() {
        let (Some(stage), Some(facts)) = (file.stages.get(*idx), facts.stages.get(*idx)) else { continue };
        for run in &facts.runs {
            let Some(placed) = stage.instructions.get(run.instruction) else { continue };
            let from = res.len();
            for command in run.commands.iter().filter(|it| it.certain) {
                let Some(deed) = deed(command).filter(|it| it.manager == Manager::Apt) else { continue };
                match deed.verb {
                    Verb::Install if deed.word == "install" => {
                        let recommends = !declines(command);
                        let at = u32::from(placed.range(command.range).start());
                        let words = deed.words.iter().filter_map(|it| it.value.as_deref());
                        let names = words.flat_map(str::split_whitespace).filter(|it| !it.contains('/'));
                        res.extend(names.map(|name| Asked { name, recommends, at }));
                    }
                    Verb::Remove => {
                        let gone: Vec<&str> = deed.words.iter().filter_map(|it| it.value.as_deref()).collect();
                        let mut place = 0;
                        res.retain(|it| {
                            place += 1;
                            place <= from || !gone.contains(&it.name)
                        });
                    }
                    Verb::Install | Verb::Update | Verb::Clean | Verb::Other => {}
                }
            }
        }
    }
    res
}

/// Whether an install says that recommended packages are not wanted.
pub fn declines(command: &Command) -> bool {
    let aptitude = command.program == "aptitude" && command.has(&["-R", "--without-recommends"]);
    aptitude
        || command.values().any(|value| {
            value == "--no-install-recommends"
                || value.to_ascii_lowercase().contains("install-recommends=")
                    && !value.ends_with("=1")
                    && !value.ends_with("=true")
        })
}

/// What is saved when `kept` is asked for instead of `all`.
#[derive(Clone, Debug, PartialEq)]
pub enum Saving {
    /// The base or the others bring it anyway.
    Nothing,
    /// No table has it, or the base is not known to have apt.
    Unknown,
    /// These packages are not installed, and weigh this.
    Known(AptClosure, Estimate),
}

/// What is saved on this base when `kept` is asked for instead of `all`.
pub fn saving(all: &[Asked], kept: &[Asked], image: Option<&ImageRef>, images: &ImageBook) -> Saving {
    let known = image.and_then(|image| Some((image, images.traits(image)?)));
    let Some((image, traits)) = known.filter(|(_, traits)| traits.package_manager == "apt") else {
        return Saving::Unknown;
    };
    let base = images.packages(image);
    let less = closure(kept);
    let mut res = closure(all).without(&less);
    if let Some(base) = &base {
        res = res.without(base);
    }
    match res.files(apt::documentation(Some(image), Some(&traits))) {
        Some(weight) => {
            let weight = apt::at_home(weight, Some(image), base.is_some());
            Saving::Known(res, weight)
        }
        None if res.unknown.len() > less.unknown.len() => Saving::Unknown,
        None => Saving::Nothing,
    }
}

fn closure(asked: &[Asked]) -> AptClosure {
    let of = |recommends: bool| {
        let names: Vec<&str> = asked.iter().filter(|it| it.recommends == recommends).map(|it| it.name).collect();
        apt_closure(&names, recommends)
    };
    of(true).with(&of(false))
}
