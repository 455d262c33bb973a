//! What of a stage is only needed to build it, and what must run: from evidence to a plan, or to a refusal with its
//! reason. No text is composed here, so a rule may ask as well as an assist.
//!
//! **Invariant:** what cannot be shown to be sound is refused by name, never guessed.

pub mod commands;
pub mod node;
pub mod owners;
pub mod packages;
pub mod placing;
pub mod programs;
pub mod tools;
pub mod trees;

use crate::config::Config;
use crate::context::BuildContext;
use crate::facts::Facts;
use crate::images::ImageBook;
use crate::model::{Base, File, ImageRef, InstructionKind, ShellKind, Stage};
use crate::text::Local;

/// All that a plan is made from.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The file.
    pub file: &'a File,
    /// Shared facts about it.
    pub facts: &'a Facts,
    /// The settings.
    pub config: &'a Config,
    /// What lies beside it.
    pub context: &'a BuildContext,
    /// What is known about images.
    pub images: &'a ImageBook,
    /// Whether sources of the application are searched for what they load and call. It takes milliseconds, and without
    /// it a plan may leave out doubts and packages; whether there is one hardly hangs on it.
    pub reads_sources: bool,
}

/// How a stage is taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The stage, by its index.
    pub stage: usize,
    /// Which of the ways of SPEC-multi-stage §3.
    pub variant: &'static str,
    /// The base image as it is.
    pub builder: ImageRef,
    /// The base image of what runs, resolved.
    pub runtime: ImageRef,
    /// What the FROM of what runs says instead: the author's own words with the other tag.
    pub runtime_text: String,
    /// Where each instruction of the stage goes.
    pub parts: Vec<Goes>,
    /// The last instruction that is for the build alone: what the builder makes is copied at its place.
    pub last_build: usize,
    /// Directories that are copied from the builder, in the order of their names.
    pub trees: Vec<Tree>,
    /// What the builder does at its end.
    pub added_builds: Vec<Added>,
    /// Packages that what runs needs and only the full base image had.
    pub added_packages: Vec<String>,
    /// What could not be shown, one sentence each.
    pub doubts: Vec<String>,
}

/// Where an instruction goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goes {
    /// To the builder, without these pieces of its text.
    pub build: Option<Vec<Local>>,
    /// To the stage that runs, without these pieces.
    pub run: Option<Vec<Local>>,
    /// Whether it, or a part of it, is for the build alone.
    pub builds: bool,
    /// Whether it does the same in every directory.
    pub anywhere: bool,
}

/// A command that is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Where it runs, absolute.
    pub directory: String,
    /// What a RUN says.
    pub command: String,
}

/// A directory that the builder makes and the other stage copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Absolute.
    pub path: String,
    /// How its owners are kept.
    pub ownership: Ownership,
}

/// How a copied directory gets the owners it had (SPEC-multi-stage §10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// WORKDIR makes the directory, a plain copy keeps what lies in it.
    Kept,
    /// All that lies in it is this owner's, the directory itself is root's: `--chown`, WORKDIR before.
    Content(String),
    /// Everything is this owner's: `--chown`, WORKDIR behind the copy.
    Whole(String),
    /// The directory is this owner's, what lies in it keeps its own: it is made first.
    Made(String),
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The code of SPEC-multi-stage §13.
    pub code: &'static str,
    /// One sentence, lower case.
    pub reason: String,
}

impl Refused {
    /// A refusal as an error.
    pub fn new<T>(code: &'static str, reason: impl Into<String>) -> Result<T, Refused> {
        Err(Refused { code, reason: reason.into() })
    }
}

impl Goes {
    /// To the builder alone.
    pub fn to_build() -> Goes {
        Goes { build: Some(Vec::new()), builds: true, ..Goes::default() }
    }

    /// To the stage that runs alone.
    pub fn to_run() -> Goes {
        Goes { run: Some(Vec::new()), ..Goes::default() }
    }

    /// To both.
    pub fn to_both() -> Goes {
        Goes { build: Some(Vec::new()), run: Some(Vec::new()), ..Goes::default() }
    }
}

/// Longest stage that is converted, in instructions.
const LONGEST: usize = 200;

/// Takes the shipping stage apart; `None` where the file is none of ours: no stage, or an ecosystem that is not known.
pub fn plan(evidence: &Evidence<'_>) -> Option<Result<Plan, Refused>> {
    let stage_idx = evidence.facts.target?;
    let stage = evidence.file.stages.get(stage_idx)?;
    if let Err(refused) = for_any(evidence, stage_idx, stage) {
        return Some(Err(refused));
    }
    let is_node = evidence.facts.image(evidence.file, stage_idx).is_some_and(node::is_node);
    if !is_node && !node::is_used(evidence, stage_idx) {
        return None;
    }
    if let Err(refused) = understood(evidence, stage) {
        return Some(Err(refused));
    }
    let image = match &stage.base {
        Base::Scratch => return None,
        Base::Unknown(text) => return Some(Refused::new("R9", format!("nothing is known about {text}"))),
        Base::Stage(_) if is_node => {
            let works = node::is_used(evidence, stage_idx);
            return works.then(|| Refused::new("R9", "the stage is built on another stage of this file"));
        }
        Base::Stage(_) => return None,
        Base::Image(image) => image,
    };
    if is_node {
        return Some(node::plan(evidence, stage_idx, stage, image));
    }
    let unknown = evidence.images.traits(image).is_none();
    unknown.then(|| Refused::new("R9", format!("nothing is known about {image}")))
}

/// What is refused whatever the ecosystem (§4.1).
fn for_any(evidence: &Evidence<'_>, stage_idx: usize, stage: &Stage) -> Result<(), Refused> {
    let file = evidence.file;
    if stage.instructions.iter().any(|it| matches!(it.instruction.kind, InstructionKind::Onbuild(_))) {
        return Refused::new("R5", "this image is a base for other builds");
    }
    let later = file.stages.iter().skip(stage_idx + 1);
    let used_later = later.clone().any(|it| {
        it.base == Base::Stage(stage_idx)
            || it.sources.iter().any(|(_, source)| *source == crate::model::Source::Stage(stage_idx))
    });
    if used_later {
        return Refused::new("R5", "this image is a base for other builds");
    }
    let windows = stage.instructions.iter().any(|it| it.instruction.frame.shell == ShellKind::Cmd);
    if windows || matches!(&stage.base, Base::Image(image) if image.path.starts_with("windows/")) {
        return Refused::new("R10", "Windows images are not converted");
    }
    Ok(())
}

/// What has to be understood of a stage before it is taken apart (§4.1).
fn understood(evidence: &Evidence<'_>, stage: &Stage) -> Result<(), Refused> {
    let file = evidence.file;
    if let Some(fault) = file.faults.iter().find(|fault| stage.range.contains_range(fault.range)) {
        let before = file.text.get(..usize::from(fault.range.start())).unwrap_or_default();
        return Refused::new("R1", format!("line {} does not parse", before.matches('\n').count() + 1));
    }
    if stage.instructions.len() > LONGEST {
        return Refused::new("R16", "too long to convert safely");
    }
    for placed in &stage.instructions {
        let InstructionKind::Run(run) = &placed.instruction.kind else { continue };
        let line = placed.line + 1;
        match (&run.form, run.script()) {
            (crate::model::Form::Exec(_) | crate::model::Form::Empty, _) => {}
            (_, Some(script)) if !script.broken => {}
            (_, Some(_)) => return Refused::new("R11", format!("line {line} holds shell text that does not parse")),
            (_, None) => return Refused::new("R11", format!("line {line} runs in a shell that is not understood")),
        }
    }
    Ok(())
}

/// Paths of the context whose texts a plan reads and does not have, in the order of their worth.
pub fn wanted_files(evidence: &Evidence<'_>) -> Vec<String> {
    let Some(stage_idx) = evidence.facts.target else { return Vec::new() };
    match evidence.facts.image(evidence.file, stage_idx) {
        Some(image) if node::is_node(image) => node::wanted_files(evidence, stage_idx),
        Some(_) | None => Vec::new(),
    }
}
