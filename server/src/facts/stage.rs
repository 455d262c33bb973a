//! The state of a stage at each of its instructions: directory, user, what its RUNs do.

use crate::facts::run::RunFacts;
use crate::lower;
use crate::model::{Base, InstructionKind, Placed, Stage};

/// Facts about one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageFacts {
    /// The working directory as each instruction of the stage sees it, and once more behind the last; `None` where it
    /// is not known (of the base image, or with an unknown variable).
    pub directories: Vec<Option<String>>,
    /// The user of USER as each instruction sees it, and once more behind the last; `None` where no USER was given in
    /// the chain, so that the base image's default holds, or where its value is not known.
    pub users: Vec<User>,
    /// What the RUNs do, in order.
    pub runs: Vec<RunFacts>,
    /// What the RUNs of its ONBUILDs would do, in order.
    pub onbuild_runs: Vec<RunFacts>,
    /// Indices of the CMD and ENTRYPOINT that hold at the end, in this stage alone.
    pub cmd: Option<usize>,
    /// See `cmd`.
    pub entrypoint: Option<usize>,
}

/// Who an instruction runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// No USER in the chain: the base image's default.
    OfImage,
    /// The text of USER with variables resolved (`node`, `1000:1000`).
    Named(String),
    /// A USER whose value is not known.
    Unknown,
}

impl StageFacts {
    /// Walks the instructions; `parent` are the facts of the stage it is built on.
    pub fn of(stage: &Stage, parent: Option<&StageFacts>, escape: char) -> StageFacts {
        let mut directory = match (&stage.base, parent) {
            (_, Some(parent)) => parent.directories.last().cloned().flatten(),
            (Base::Scratch, None) => Some("/".to_owned()),
            (Base::Image(_) | Base::Stage(_) | Base::Unknown(_), None) => None,
        };
        let mut user = parent.and_then(|parent| parent.users.last().cloned()).unwrap_or(User::OfImage);
        let mut res = StageFacts::default();
        for (idx, placed) in stage.instructions.iter().enumerate() {
            res.directories.push(directory.clone());
            res.users.push(user.clone());
            match &placed.instruction.kind {
                InstructionKind::Workdir(word) => {
                    let path = value(stage, placed, &word.text, escape);
                    directory = path.and_then(|path| join(directory.as_deref(), &path));
                }
                InstructionKind::User(word) => {
                    user = value(stage, placed, &word.text, escape).map_or(User::Unknown, User::Named);
                }
                InstructionKind::Run(run) => {
                    res.runs.push(RunFacts::of(stage, idx, placed, run, directory.as_deref(), escape));
                }
                InstructionKind::Onbuild(inner) => {
                    if let InstructionKind::Run(run) = &inner.kind {
                        res.onbuild_runs.push(RunFacts::of(stage, idx, placed, run, directory.as_deref(), escape));
                    }
                }
                InstructionKind::Cmd(_) => res.cmd = Some(idx),
                InstructionKind::Entrypoint(_) => {
                    // An ENTRYPOINT takes the CMD of the base image away, and of this stage only the one behind counts;
                    // in one stage both hold whatever their order.
                    res.entrypoint = Some(idx);
                }
                _ => {}
            }
        }
        res.directories.push(directory);
        res.users.push(user);
        res
    }

    /// The facts of the RUN at this index of `Stage::instructions`.
    pub fn run(&self, instruction: usize) -> Option<&RunFacts> {
        let at = self.runs.binary_search_by_key(&instruction, |run| run.instruction).ok()?;
        self.runs.get(at)
    }
}

/// The value of a word as the instruction sees its variables, quotes taken off; `None` where not known.
pub fn value(stage: &Stage, placed: &Placed, text: &str, escape: char) -> Option<String> {
    lower::resolve(text, &stage.scope, Some(placed.at), stage.base == Base::Scratch, escape)
}

/// A path from a directory, `.` and `..` taken out; `None` for a relative path from an unknown directory.
pub fn join(directory: Option<&str>, path: &str) -> Option<String> {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", directory?) };
    Some(clean(&whole))
}

/// An absolute path without `.`, `..`, doubled and trailing slashes.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{clean, join};

    #[test]
    fn paths_are_cleaned() {
        assert_eq!(clean("/a//b/../c/."), "/a/c");
        assert_eq!(join(Some("/app"), "./src/"), Some("/app/src".to_owned()));
        assert_eq!(join(None, "src"), None);
        assert_eq!(join(None, "/src"), Some("/src".to_owned()));
    }
}
