//! Commands that build or fetch what a manifest lists, and of which no table tells how much that is: `go build`, `cargo`,
//! `mvn`, `gradle`, `dotnet`, `bundle`, `composer`, `make`, `npm run build`.
//!
//! They are unknown, but their place is known: what is deleted again is gone, and what lies elsewhere keeps its weight.

use crate::facts::builds::is_build_step;
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::removes::homely;
use crate::facts::stage::join;
use crate::size::ledger::Ledger;
use crate::size::run::{At, unknown, what_writes};

/// Lays what a command builds into the ledger; whether it is such a command.
pub(super) fn act(at: &At<'_>, ledger: &mut Ledger) -> bool {
    let command = at.command;
    let here = at.directory.map(homely);
    let first = command.subcommand().unwrap_or_default();
    if command.program == "go" {
        match first {
            "build" => {
                let output = at.option(&["-o"]).and_then(|path| join(at.directory, path)).map(|path| homely(&path));
                ledger.add(unknown(output.or(here), what_writes("go build")));
                // Its own cache; nobody copies it.
                if at.command.certain {
                    ledger.add(unknown(
                        Some("~/.cache/go-build".to_owned()),
                        "what Go's build cache weighs is not known".to_owned(),
                    ));
                }
            }
            "install" | "get" => ledger.add(unknown(Some("/go".to_owned()), what_writes(&format!("go {first}")))),
            "mod" | "work" => {
                ledger.add(unknown(Some("/go/pkg/mod".to_owned()), "what Go's modules weigh is not known".to_owned()));
            }
            "vet" | "fmt" | "version" | "env" | "list" | "tool" => {}
            _ => ledger.add(unknown(here, what_writes(&format!("go {first}")))),
        }
        return true;
    }
    if is_build_step(command) {
        // What is installed goes anywhere.
        let anywhere = command.values().any(|word| word.contains("install"));
        let path = if anywhere { None } else { here };
        ledger.add(unknown(path, what_writes(&shown(at))));
        return true;
    }
    let Some(deed) = deed(command) else {
        return match command.program.as_str() {
            "configure" | "autogen.sh" | "autoreconf" | "cmake" | "meson" | "make" | "pytest" | "tox" | "jest" => {
                ledger.add(unknown(here, what_writes(&command.program)));
                true
            }
            _ => false,
        };
    };
    let what = |what: &str| format!("what {what} weigh is not known");
    let (path, why) = match (deed.manager, deed.verb) {
        (_, Verb::Clean | Verb::Remove) => return true,
        (Manager::Bundler, Verb::Install) => (Some("/usr/local/bundle".to_owned()), what("the gems of the Gemfile")),
        (Manager::Composer, Verb::Install) => (here.map(|it| format!("{it}/vendor")), what("Composer's packages")),
        (Manager::Maven, Verb::Install) => (Some("~/.m2".to_owned()), what("Maven's dependencies")),
        (Manager::Gradle, Verb::Install) => (Some("~/.gradle".to_owned()), what("Gradle's dependencies")),
        (Manager::Cargo, Verb::Install) => (Some("/usr/local/cargo".to_owned()), what("the crates")),
        (Manager::Dotnet, Verb::Install) => (Some("~/.nuget".to_owned()), what("NuGet's packages")),
        _ => (here, what_writes(&shown(at))),
    };
    ledger.add(unknown(path, why));
    true
}

/// The command by its first words: `npm run build`.
fn shown(at: &At<'_>) -> String {
    let mut res = at.command.program.clone();
    let words = at.command.operands().filter_map(|operand| operand.value.as_deref());
    for word in words.take(2).filter(|word| word.len() < 20 && !word.contains(['/', '=', '.'])) {
        res.push(' ');
        res.push_str(word);
    }
    res
}
