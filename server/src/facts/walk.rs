//! The directory and the user that hold at each instruction of a stage, and paths as a container sees them.
//!
//! As [`crate::facts::stage`], but for a base image whose directory is known. Looks at WORKDIR and USER alone; what a
//! `cd` inside a RUN does is the business of whoever reads that RUN.

use crate::facts::stage;
use crate::model::{Base, File, InstructionKind, Placed, Stage};

/// What holds when an instruction is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The working directory, absolute; `None` where a variable or the base image hides it.
    pub directory: Option<String>,
    /// The user as USER names him (`node`, `1000:1000`); `None` while no USER was seen, which is the base image's.
    pub user: Option<String>,
}

/// The state before each instruction of a stage, and one more: the state at its end. The parents' are counted in.
///
/// `directory` is what the outermost base image starts in (`/` for nearly all).
pub fn states(file: &File, stage_idx: usize, directory: &str) -> Vec<State> {
    let start = State { directory: Some(directory.to_owned()), user: None };
    let Some(stage) = file.stages.get(stage_idx) else { return vec![start] };
    let start = match stage.base {
        // A stage is always built on an earlier one, so this ends.
        Base::Stage(parent) if parent < stage_idx => {
            states(file, parent, directory).pop().expect("there is always the state at the end")
        }
        Base::Stage(_) | Base::Image(_) | Base::Scratch | Base::Unknown(_) => start,
    };
    let mut res = vec![start.clone()];
    let mut state = start;
    for placed in &stage.instructions {
        match &placed.instruction.kind {
            InstructionKind::Workdir(word) => {
                let path = value(file, stage, placed, &word.text);
                state.directory = match (path, &state.directory) {
                    (Some(path), _) if path.starts_with('/') => Some(absolute("/", &path)),
                    (Some(path), Some(directory)) => Some(absolute(directory, &path)),
                    (Some(_) | None, _) => None,
                };
            }
            InstructionKind::User(word) => {
                state.user = Some(value(file, stage, placed, &word.text).unwrap_or_else(|| word.text.clone()));
            }
            _ => {}
        }
        res.push(state.clone());
    }
    res
}

/// The value of a word as the instruction sees its variables; `None` where one has no known value.
pub fn value(file: &File, stage: &Stage, placed: &Placed, text: &str) -> Option<String> {
    stage::value(stage, placed, text, file.directives.escape)
}

/// A path made absolute and plain, no slash at the end but for `/` itself.
pub fn absolute(directory: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    stage::clean(&whole)
}

/// Whether an absolute path is this directory or lies below it.
pub fn is_inside(path: &str, directory: &str) -> bool {
    below(path, directory).is_some()
}

/// What remains of an absolute path below a directory: empty for the directory itself, `None` outside of it.
pub fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(directory.trim_end_matches('/'))?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Whether a user as USER names him is root.
pub fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("root" | "0" | ""))
}

#[cfg(test)]
mod tests {
    use super::{absolute, below, states};
    use crate::lower;

    fn directories(text: &str) -> Vec<String> {
        let file = lower::file(text.into(), &lower::Build::default(), None);
        let last = file.stages.len().saturating_sub(1);
        states(&file, last, "/")
            .into_iter()
            .map(|it| format!("{} {}", it.directory.unwrap_or("?".into()), it.user.unwrap_or("-".into())))
            .collect()
    }

    #[test]
    fn a_relative_workdir_stands_on_the_one_before() {
        let text = "FROM a\nWORKDIR /srv/../app/\nUSER node\nWORKDIR api\nRUN x\n";
        assert_eq!(directories(text), ["/ -", "/app -", "/app node", "/app/api node", "/app/api node"]);
    }

    #[test]
    fn a_stage_goes_on_where_its_parent_ended() {
        let text = "FROM a AS b\nENV D=/x\nWORKDIR $D\nUSER 1\nFROM b\nWORKDIR ${E}\n";
        assert_eq!(directories(text), ["/x 1", "? 1"]);
    }

    #[test]
    fn paths_lie_below_directories() {
        assert_eq!(absolute("/app", "./a/../b/"), "/app/b");
        assert_eq!(below("/app/b", "/app"), Some("b"));
        assert_eq!(below("/app", "/"), Some("app"));
        assert_eq!(below("/apple", "/app"), None);
    }
}
