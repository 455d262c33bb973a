//! ENV and ARG that stand between RUNs and could move above them (SPEC-merge-run.md §3): the commands before them would
//! then run with one more variable, which must be none that they name or that tools are known to read.

use crate::facts::merging::element::Element;
use crate::facts::merging::{Group, group, is_movable};
use crate::facts::stage::User;
use crate::model::{InstructionKind, Pair, Placed, Stage};

/// An ENV or ARG between RUNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hoist {
    /// Its index in `Stage::instructions`.
    pub instruction: usize,
    /// The variables it sets.
    pub names: Vec<String>,
    /// Whether it may move at all.
    movable: bool,
    /// The last instruction before it that names one of them.
    reader: Option<usize>,
}

impl Hoist {
    /// Whether it may move above these elements.
    pub(super) fn is_free_from(&self, elements: &[Element]) -> bool {
        let first = elements.first().map_or(0, |element| element.instruction);
        self.movable && self.reader.is_none_or(|reader| reader < first)
    }
}

/// Names that tools read: in full, …
const READ: &[&str] = &[
    "CC",
    "CFLAGS",
    "CI",
    "CXX",
    "DEBIAN_FRONTEND",
    "HOME",
    "IFS",
    "LANG",
    "LD",
    "PATH",
    "SHELL",
    "TERM",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
];

/// … by their beginnings, …
const READ_FROM: &[&str] = &[
    "BUNDLE_",
    "CARGO_",
    "CGO_",
    "COMPOSER_",
    "CONDA_",
    "CURL_",
    "DOCKER_",
    "DOTNET_",
    "GEM_",
    "GIT_",
    "GO",
    "GRADLE_",
    "JAVA_",
    "JDK_",
    "LC_",
    "LD_",
    "MAVEN_",
    "NODE_",
    "NPM_",
    "NUGET_",
    "PIPENV_",
    "PIP_",
    "PKG_CONFIG_",
    "PNPM_",
    "POETRY_",
    "PYTHON",
    "RACK_",
    "RAILS_",
    "RUST",
    "SSL_",
    "UV_",
    "YARN_",
];

/// … and by their ends.
const READ_TO: &[&str] = &["FLAGS", "PATH", "_HOME", "_OPTS", "_PROXY"];

/// The sequences of RUNs of a stage that hold an ENV or ARG beside what [`is_movable`]; two RUNs at least.
pub fn wide_groups(stage: &Stage, users: &[User]) -> Vec<Group> {
    let mut res = Vec::new();
    let (mut runs, mut hoists) = (Vec::new(), Vec::new());
    let mut close = |runs: &mut Vec<usize>, hoists: &mut Vec<Hoist>| {
        let last = runs.last().copied().unwrap_or_default();
        hoists.retain(|hoist| hoist.instruction < last);
        if !hoists.is_empty() {
            res.extend(group(stage, users, runs, std::mem::take(hoists)));
        }
        runs.clear();
        hoists.clear();
    };
    for (idx, placed) in stage.instructions.iter().enumerate() {
        match &placed.instruction.kind {
            InstructionKind::Run(_) => runs.push(idx),
            InstructionKind::Env(pairs) | InstructionKind::Arg(pairs) if placed.instruction.faults.is_empty() => {
                if let Some(first) = runs.first() {
                    hoists.push(hoist(stage, *first, idx, pairs));
                }
            }
            _ if is_movable(placed) => {}
            _ => close(&mut runs, &mut hoists),
        }
    }
    close(&mut runs, &mut hoists);
    res
}

fn hoist(stage: &Stage, first: usize, idx: usize, pairs: &[Pair]) -> Hoist {
    let names: Vec<String> = pairs.iter().map(|pair| pair.name.text.clone()).collect();
    let is_fixed = |pair: &Pair| pair.value.as_ref().is_none_or(|value| !value.text.contains('$'));
    let movable = pairs.iter().all(is_fixed) && !names.iter().any(|name| name.contains('$') || is_read(name));
    let before = stage.instructions.get(first..idx).unwrap_or_default();
    let says = |placed: &Placed| names.iter().any(|name| placed.instruction.text.contains(name.as_str()));
    let reader = before.iter().rposition(says).map(|at| first + at);
    Hoist { instruction: idx, names, movable, reader }
}

fn is_read(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    READ.contains(&upper.as_str())
        || READ_FROM.iter().any(|it| upper.starts_with(it))
        || READ_TO.iter().any(|it| upper.ends_with(it))
}
