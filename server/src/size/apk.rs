//! `apk`, `dnf`, `yum`, `zypper`, `conda`: package managers whose packages no table has. What they bring is unknown, and
//! nothing when the same RUN takes it away again.

use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::made::{Thing, installed, plain_name};
use crate::size::ledger::Ledger;
use crate::size::run::{At, unknown};

/// What one RUN installs and has not removed again: sets of names with the program that installed them.
#[derive(Debug, Default)]
pub(super) struct Added {
    sets: Vec<(String, Vec<String>)>,
    others: Vec<String>,
}

impl Added {
    /// Notes what a command asks; whether it is one for these managers.
    pub(super) fn act(&mut self, at: &At<'_>) -> bool {
        let Some(deed) = deed(at.command) else { return false };
        if !matches!(deed.manager, Manager::Apk | Manager::Rpm | Manager::Zypper | Manager::Conda) {
            return false;
        }
        match deed.verb {
            // What an update leaves is counted among the caches.
            Verb::Update | Verb::Clean => {}
            Verb::Install => {
                let names = match installed(at.command) {
                    Some(Thing::Packages(_, names)) => names,
                    _ => Vec::new(),
                };
                self.sets.push((at.command.program.clone(), names));
            }
            Verb::Remove => {
                let gone: Vec<&str> = deed.packages().map(|word| plain_name(deed.manager, word)).collect();
                // A virtual package takes its packages with it.
                let is_gone = |names: &[String]| {
                    names.last().is_some_and(|last| gone.contains(&last.as_str()))
                        || (!names.is_empty() && names.iter().all(|name| gone.contains(&name.as_str())))
                };
                if at.command.certain {
                    self.sets.retain(|(_, names)| !is_gone(names));
                }
            }
            Verb::Other => match deed.word {
                "upgrade" | "dist-upgrade" => {
                    self.others.push(format!("what {} {} replaces depends on the day", at.command.program, deed.word));
                }
                "" | "info" | "list" | "search" | "repolist" | "fix" | "config-manager" | "config" | "activate"
                | "init" | "run" => {}
                word => self.others.push(format!("what {} {word} writes is not known", at.command.program)),
            },
        }
        true
    }

    /// Lays what remains at the end of the RUN into the ledger.
    pub(super) fn settle(self, ledger: &mut Ledger) {
        for (program, _) in self.sets {
            ledger.add(unknown(None, format!("what {program} installs is in no table")));
        }
        for why in self.others {
            ledger.add(unknown(None, why));
        }
    }
}
