//! The work trees of a stage: directories that context files are copied into and build commands run in.

use crate::ecosystems::commands::{self, Located};
use crate::ecosystems::{Evidence, Refused};
use crate::facts::landing;
use crate::facts::walk::{self, State};
use crate::model::{InstructionKind, Stage};

/// Directories that are never copied whole: the builder's system would overwrite that of the stage that runs.
const SYSTEM: [&str; 18] = [
    "/",
    "/usr",
    "/usr/local",
    "/etc",
    "/var",
    "/bin",
    "/lib",
    "/lib64",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/local/bin",
    "/usr/local/lib",
    "/home",
    "/dev",
    "/proc",
    "/run",
];

/// The outermost work trees, in the order of their names. `located` are the commands of each instruction's RUN.
///
/// # Errors
/// R13 when build commands run where nothing can be copied whole, or in a directory that is not known.
pub fn trees(
    evidence: &Evidence<'_>,
    stage: &Stage,
    states: &[State],
    located: &[Vec<Located>],
) -> Result<Vec<String>, Refused> {
    let mut worked = Vec::new();
    let mut entered = Vec::new();
    for ((placed, state), located) in stage.instructions.iter().zip(states).zip(located) {
        match &placed.instruction.kind {
            InstructionKind::Run(_) => {
                for command in located.iter().filter(|it| commands::is_build(it)) {
                    let Some(directory) = commands::working_directory(command) else {
                        let line = placed.line + 1;
                        return Refused::new("R13", format!("the directory of the RUN in line {line} is not known"));
                    };
                    worked.push(directory);
                    entered.extend(state.directory.clone());
                }
            }
            InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                let Some(copied) = landing::copied(evidence.file, stage, placed, state) else { continue };
                if let Some(directory) = &state.directory
                    && walk::is_inside(&copied.destination, directory)
                {
                    entered.push(directory.clone());
                }
                if copied.into_directory {
                    entered.push(copied.destination);
                }
            }
            _ => {}
        }
    }
    let mut res: Vec<String> = Vec::new();
    for directory in &worked {
        let around = entered.iter().filter(|it| walk::is_inside(directory, it) && !is_system(it));
        let tree = around.min_by_key(|it| it.len()).unwrap_or(directory);
        if tree == "/" {
            return Refused::new("R13", "there is no WORKDIR: the work tree is /, which cannot be copied whole");
        }
        if walk::is_inside(tree, "/tmp") {
            return Refused::new("R13", "packages are installed below /tmp, which is not copied");
        }
        if is_system(tree) {
            return Refused::new("R13", format!("{tree} holds files of the system and cannot be copied whole"));
        }
        res.push(tree.clone());
    }
    res.sort();
    res.dedup();
    let all = res.clone();
    res.retain(|tree| !all.iter().any(|other| other != tree && walk::is_inside(tree, other)));
    Ok(res)
}

/// Whether the trees are still there at the end, so that they can be copied.
///
/// # Errors
/// R13 when a command removes or moves one as a whole.
pub fn stay(trees: &[String], located: &[Vec<Located>]) -> Result<(), Refused> {
    for command in located.iter().flatten().filter(|it| matches!(it.program.as_str(), "rm" | "mv" | "rmdir")) {
        let from = command.directory.as_deref().unwrap_or("/");
        let sources = command.operands().count().saturating_sub(usize::from(command.program == "mv"));
        for path in command.operands().take(sources).filter_map(|it| it.value.as_deref()) {
            let path = walk::absolute(from, path);
            if trees.iter().any(|tree| walk::is_inside(tree, &path)) {
                return Refused::new("R13", format!("`{}` takes the work tree away", command.told()));
            }
        }
    }
    Ok(())
}

/// Whether a directory is one of the system's, or below `/tmp`.
pub fn is_system(directory: &str) -> bool {
    SYSTEM.contains(&directory) || walk::is_inside(directory, "/tmp")
}
