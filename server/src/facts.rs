//! What several rules, sizes and assists ask, computed once: which stages are shipped, the directory and user at each
//! instruction, what every RUN installs, removes and has mounted.

pub mod append;
pub mod archives;
pub mod builds;
pub mod caches;
pub mod clones;
pub mod compiles;
pub mod detach;
pub mod development_group;
pub mod environment;
pub mod fetches;
pub mod given_up;
pub mod go_build;
pub mod ground;
pub mod history;
pub mod installs;
pub mod landing;
pub mod lines;
pub mod made;
pub mod manifest;
pub mod merging;
pub mod node_release;
pub mod owners;
pub mod plain;
pub mod purpose;
pub mod quiet;
pub mod removes;
pub mod run;
pub mod secrets;
pub mod stage;
pub mod start;
pub mod started;
pub mod tools;
pub mod uses;
pub mod walk;
pub mod whole_context;

use crate::config::Config;
use crate::model::{Base, File, ImageRef, Source};

pub use run::RunFacts;
pub use stage::StageFacts;

/// Shared facts about a file (RULES.md §1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The stage that is built: the one the settings name, else the last; `None` without stages.
    pub target: Option<usize>,
    /// The target and the stages it is built FROM, the target first: only their layers are shipped.
    pub final_chain: Vec<usize>,
    /// Whether the target needs the stage, through FROM, `--from=` or `--mount=from=`; one for each stage.
    pub reaching: Vec<bool>,
    /// One for each stage.
    pub stages: Vec<StageFacts>,
}

impl Facts {
    /// Computes them.
    pub fn of(file: &File, config: &Config) -> Facts {
        let named = config.target.as_deref().and_then(|name| {
            file.stage_named(name).or_else(|| name.parse().ok().filter(|idx| *idx < file.stages.len()))
        });
        let target = named.or(file.stages.len().checked_sub(1));
        let mut stages: Vec<StageFacts> = Vec::with_capacity(file.stages.len());
        for stage in &file.stages {
            let parent = match stage.base {
                Base::Stage(parent) => stages.get(parent),
                Base::Image(_) | Base::Scratch | Base::Unknown(_) => None,
            };
            let facts = StageFacts::of(stage, parent, file.directives.escape);
            stages.push(facts);
        }
        let final_chain = target.map_or_else(Vec::new, |target| chain(file, target));
        let reaching = reaching(file, target);
        Facts { target, final_chain, reaching, stages }
    }

    /// Whether the layers of this stage are shipped.
    pub fn is_final(&self, stage: usize) -> bool {
        self.final_chain.contains(&stage)
    }

    /// Whether the stages that are shipped have a CMD or an ENTRYPOINT of their own. Without, the image is probably there to
    /// be built upon.
    pub fn is_started(&self) -> bool {
        let has_start = |stage: &StageFacts| stage.cmd.is_some() || stage.entrypoint.is_some();
        self.final_chain.iter().filter_map(|idx| self.stages.get(*idx)).any(has_start)
    }

    /// The image at the bottom of a stage's chain.
    pub fn image<'a>(&self, file: &'a File, stage: usize) -> Option<&'a ImageRef> {
        let bottom = *chain(file, stage).last()?;
        match &file.stages[bottom].base {
            Base::Image(image) => Some(image),
            Base::Stage(_) | Base::Scratch | Base::Unknown(_) => None,
        }
    }
}

/// The stage and the stages it is built FROM. A FROM names earlier stages only, so this ends.
pub fn chain(file: &File, stage: usize) -> Vec<usize> {
    let mut res = vec![stage];
    let mut at = stage;
    while let Some(Base::Stage(parent)) = file.stages.get(at).map(|stage| &stage.base) {
        at = *parent;
        res.push(at);
    }
    res
}

fn reaching(file: &File, target: Option<usize>) -> Vec<bool> {
    let mut res = vec![false; file.stages.len()];
    let mut waiting: Vec<usize> = target.into_iter().collect();
    while let Some(idx) = waiting.pop() {
        if std::mem::replace(&mut res[idx], true) {
            continue;
        }
        let stage = &file.stages[idx];
        if let Base::Stage(parent) = stage.base {
            waiting.push(parent);
        }
        waiting.extend(stage.sources.iter().filter_map(|(_, source)| match source {
            Source::Stage(idx) => Some(*idx),
            Source::Image(_) | Source::Unknown(_) => None,
        }));
    }
    res
}
