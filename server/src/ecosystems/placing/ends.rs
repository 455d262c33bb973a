//! Where one command of a RUN goes: to the builder, to the stage that runs, to both, or with its neighbours.

use crate::ecosystems::commands::{Class, Located};
use crate::ecosystems::placing::Ground;
use crate::ecosystems::{Refused, packages, tools};
use crate::facts::walk;
use crate::model::InstructionKind;
use crate::text::Local;

/// The two ends an instruction or a part of it may go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) build: bool,
    pub(super) run: bool,
}

pub(super) fn join(a: Ends, b: Ends) -> Ends {
    Ends { build: a.build || b.build, run: a.run || b.run }
}

/// Where one command goes; nowhere for one that goes with its neighbours.
pub(super) fn command_ends(
    ground: &Ground<'_>,
    idx: usize,
    command: &Located,
    class: &Class,
    cut_build: &mut Vec<Local>,
    cut_run: &mut Vec<Local>,
) -> Result<Ends, Refused> {
    const BUILD: Ends = Ends { build: true, run: false };
    let build_follows = |name: &str| {
        ground.stage.instructions.iter().enumerate().skip(idx + 1).any(|(at, placed)| {
            placed.instruction.text.contains(name)
                && match &placed.instruction.kind {
                    InstructionKind::Run(_) => {
                        ground.commands.get(at).is_some_and(|it| it.iter().any(|(_, class)| is_build(class)))
                    }
                    InstructionKind::Copy(_) | InstructionKind::Add(_) => true,
                    InstructionKind::User(_) => {
                        ground.commands.iter().skip(at).flatten().any(|(_, class)| is_build(class))
                    }
                    _ => false,
                }
        })
    };
    Ok(match class {
        Class::Build | Class::Perhaps => BUILD,
        Class::Transparent | Class::Clean | Class::Lists => Ends::default(),
        Class::Packages(found) => package_ends(ground, idx, found, cut_build, cut_run)?,
        Class::Account(names) => {
            Ends { build: names.iter().any(|name| build_follows(name)) || builds_as(ground, idx, names), run: true }
        }
        Class::Tools(names) => {
            if names.iter().any(|it| it == "corepack") {
                if ["yarn", "pnpm", "yarnpkg", "corepack"].iter().any(|it| ground.chain.runs(it)) {
                    return Refused::new(
                        "R6",
                        "the start runs a package manager that corepack fetched for another user or folder",
                    );
                }
                return Ok(BUILD);
            }
            names.iter().map(|name| tool_ends(ground, idx, name)).fold(Ends::default(), join)
        }
        Class::Configuration(manager) => Ends { build: true, run: ground.chain.runs(manager) },
        Class::System(paths) => {
            const UNASKED: [&str; 4] = ["/root", "/home", "/etc", "/usr/local/share/ca-certificates"];
            let unasked = paths.iter().any(|path| UNASKED.iter().any(|it| walk::is_inside(path, it)));
            let named = paths.iter().any(|path| build_follows(path));
            Ends { build: named || (paths.is_empty() || unasked) && later_build(ground, idx), run: true }
        }
        Class::Everywhere => {
            let copies_follow = ground.adds_build
                && ground
                    .stage
                    .instructions
                    .iter()
                    .skip(idx + 1)
                    .any(|it| matches!(it.instruction.kind, InstructionKind::Copy(_) | InstructionKind::Add(_)));
            if later_build(ground, idx) || copies_follow {
                let reason = format!("`{}` changes files inside and outside of the work tree", command.told());
                return Refused::new("R6", reason);
            }
            Ends { build: false, run: true }
        }
        Class::Unknown(told) => {
            return Refused::new("R6", format!("cannot tell whether `{told}` is needed at run time"));
        }
    })
}

fn is_build(class: &Class) -> bool {
    matches!(class, Class::Build | Class::Perhaps)
}

fn later_build(ground: &Ground<'_>, idx: usize) -> bool {
    ground.commands.iter().skip(idx + 1).flatten().any(|(_, class)| is_build(class))
}

/// Whether commands of this same RUN or later ones name an account (`chown -R app .`).
fn builds_as(ground: &Ground<'_>, idx: usize, names: &[String]) -> bool {
    let at = ground.commands.iter().skip(idx).flatten().filter(|(_, class)| is_build(class));
    let mut values = at.flat_map(|(command, _)| command.values());
    values.any(|value| names.iter().any(|name| value.split(':').any(|it| it == name)))
}

fn tool_ends(ground: &Ground<'_>, idx: usize, name: &str) -> Ends {
    // Modules that are installed for all are found by NODE_PATH too.
    let shared = ground.stage.scope.get("NODE_PATH").is_some();
    let Some(programs) = tools::programs(name).filter(|_| !shared) else { return Ends { build: true, run: true } };
    let starts = programs.iter().any(|it| ground.chain.runs(it));
    let builds = programs.iter().any(|program| {
        ground
            .commands
            .iter()
            .skip(idx)
            .flatten()
            .any(|(command, class)| command.program == *program && is_build(class))
    });
    Ends { build: builds || !starts, run: starts }
}

fn package_ends(
    ground: &Ground<'_>,
    idx: usize,
    found: &[(Local, String)],
    cut_build: &mut Vec<Local>,
    cut_run: &mut Vec<Local>,
) -> Result<Ends, Refused> {
    let mut each = Vec::with_capacity(found.len());
    for (_, name) in found {
        let programs = packages::programs(name);
        let starts = programs.iter().any(|it| ground.chain.runs(it) || ground.children.contains(*it));
        let called = |class_of: fn(&Class) -> bool| {
            ground
                .commands
                .iter()
                .skip(idx)
                .flatten()
                .any(|(it, class)| class_of(class) && programs.contains(&it.program.as_str()))
        };
        let builds = called(is_build);
        let runs = starts || called(|class| matches!(class, Class::System(_) | Class::Account(_)));
        each.push(match packages::purpose(name) {
            packages::Purpose::Build => Ends { build: true, run: runs },
            packages::Purpose::Headers => {
                return Refused::new("R7", format!("no runtime package is known for {name}"));
            }
            packages::Purpose::Fetch => Ends { build: builds, run: runs || !builds },
            packages::Purpose::Run => Ends { build: builds || may_build(ground, idx, name, &programs), run: true },
        });
    }
    let all = each.iter().copied().fold(Ends::default(), join);
    // A list that is mixed is written twice, each time without what goes the other way.
    let text = ground.stage.instructions.get(idx).map_or("", |placed| &placed.instruction.text);
    for ((range, _), ends) in found.iter().zip(&each) {
        let piece =
            Local { start: gap_start(text, range.start, ground.evidence.file.directives.escape), end: range.end };
        if all.build && !ends.build {
            cut_build.push(piece);
        }
        if all.run && !ends.run {
            cut_run.push(piece);
        }
    }
    Ok(all)
}

/// Whether a build command behind the install could call what a package brings, or load its library.
fn may_build(ground: &Ground<'_>, idx: usize, name: &str, programs: &[&str]) -> bool {
    if packages::is_inert(name) || !later_build(ground, idx.saturating_sub(1)) {
        return false;
    }
    name.starts_with("lib") || ground.scripts.is_none_or(|scripts| programs.iter().any(|it| scripts.contains(it)))
}

/// Where the blanks and continuations before a word begin.
fn gap_start(text: &str, start: u32, escape: char) -> u32 {
    let before = text.get(..start as usize).unwrap_or_default();
    let mut end = before.len();
    let mut rest = before;
    while let Some(last) = rest.chars().next_back() {
        let continues = last == escape
            && before.get(end..).is_some_and(|gap| gap.trim_start_matches([' ', '\t', '\r']).starts_with('\n'));
        if !last.is_whitespace() && !continues {
            break;
        }
        end -= last.len_utf8();
        rest = before.get(..end).unwrap_or_default();
    }
    end as u32
}
