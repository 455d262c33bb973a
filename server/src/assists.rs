//! Code actions: rewrites that are offered where the cursor is, never applied unasked.
//!
//! An assist is pure: from the analysis and a place it returns offers with their edits, or a refusal with its reason.

pub mod merge_runs;
pub mod merge_runs_clean;
pub mod multi_stage;
pub mod split_run;
pub mod write_dockerignore;

use crate::facts::Facts;
use crate::lower::{self, Build};
use crate::model::{File, Placed, Stage};
use crate::rules::Context;
use crate::segment;
use crate::size::{self, BuildSize, Evidence};
use crate::text::{TextEdit, TextRange};
use crate::weight::{self, Estimate, Size};

/// What an action is called where it cannot be carried out; its id where there is no such action.
pub fn title(id: &'static str) -> &'static str {
    match id {
        merge_runs::ID => "Merge RUN layers",
        merge_runs_clean::ID => "Merge RUN layers and clean up",
        split_run::ID => "Split this RUN",
        multi_stage::ID => "Split into build and runtime stages",
        write_dockerignore::ID => "Write the ignore file",
        id => id,
    }
}

/// The ids of the assists, in the order of CLI.md's list.
const IDS: [&str; 5] = [merge_runs::ID, merge_runs_clean::ID, split_run::ID, multi_stage::ID, write_dockerignore::ID];

/// What all assists say about a place (empty range: the cursor), in the order of CLI.md's list.
pub fn offers(ctx: &Context, range: TextRange) -> Vec<Offer> {
    IDS.iter().flat_map(|id| offers_of(ctx, id, range)).collect()
}

/// What the assist of this id says about a place.
pub fn offers_of(ctx: &Context, id: &str, range: TextRange) -> Vec<Offer> {
    let mut res = match id {
        merge_runs::ID => merge_runs::offer(ctx.file, ctx.facts, range),
        merge_runs_clean::ID => merge_runs_clean::offer(ctx, range).into_iter().map(Offer::Assist).collect(),
        split_run::ID => split_run::offer(ctx, range).into_iter().collect(),
        multi_stage::ID => multi_stage::offer(ctx, range),
        write_dockerignore::ID => write_dockerignore::offer(ctx, range).into_iter().collect(),
        _ => Vec::new(),
    };
    for offer in &mut res {
        if let Offer::Assist(assist) = offer
            && (assist.id == merge_runs::ID || assist.id == merge_runs_clean::ID)
        {
            weigh_merge(ctx, assist);
        }
    }
    res
}

/// Puts into a merge and its title what the layers weigh before and after, where that is known, and what is saved.
fn weigh_merge(ctx: &Context, merge: &mut Assist) {
    let runs = ctx.file.stages.iter().flat_map(Stage::runs);
    let n_saved = runs.filter(|(_, placed, _)| merge.target.contains_range(placed.whole())).count().saturating_sub(1);
    let layers = match n_saved {
        0 => String::new(),
        1 => "saves a layer".to_owned(),
        n => format!("saves {n} layers"),
    };
    let weights = layers_of(ctx, merge);
    let saves = |before: &Estimate, after: &Estimate| before.minus(after).likely >= Size(ctx.config.minimum_saving);
    // What saves a layer alone is there for whoever wants it: the parts may change at different rates.
    if merge.variant == Some(merge_runs::PLAIN) {
        merge.preferred &= weights.as_ref().is_some_and(|(before, after)| saves(before, after));
    }
    let told = match &weights {
        Some((before, after)) if saves(before, after) => {
            let text = ctx.file.text.get(std::ops::Range::from(merge.target)).unwrap_or_default();
            let is_lists = merge.id == merge_runs_clean::ID || text.contains("/var/lib/apt/lists");
            let what = if is_lists { "lists and caches" } else { "files made and removed" };
            format!("{}: {what}", weight::change(before, after))
        }
        Some(_) if n_saved > 0 => format!("{layers}, no bytes"),
        Some(_) | None => layers,
    };
    if !told.is_empty() {
        merge.label = format!("{} ({told})", merge.label);
    }
    if let Some((before, after)) = weights {
        merge.before = Some(before);
        merge.after = Some(after);
    }
}

fn layers_of(ctx: &Context, merge: &Assist) -> Option<(Estimate, Estimate)> {
    let stage_idx = ctx.file.stages.iter().position(|stage| stage.range.contains_range(merge.target))?;
    let layer = |size: &BuildSize, idx: usize| {
        let layer = size.stages.get(stage_idx)?.layer(idx)?;
        layer.adds.clone().filter(|_| !layer.incomplete)
    };
    let is_merged = |placed: &Placed| merge.target.contains_range(placed.whole());
    let mut merged = ctx.file.stages[stage_idx].runs().filter(|(_, placed, _)| is_merged(placed)).map(|(idx, ..)| idx);
    let first = merged.next()?;
    let mut before = layer(ctx.size, first)?;
    for idx in merged {
        before += &layer(ctx.size, idx)?;
    }
    let (_, _, size) = weigh(ctx, &merge.edit.apply(&ctx.file.text));
    // What moved above the RUN stands before it.
    let n_above = merge.edit.indels().iter().filter(|it| it.delete.end() <= merge.target.start());
    let n_above: usize = n_above.map(|it| segment::segment(&it.insert).segments.len()).sum();
    Some((before, layer(&size, first + n_above)?))
}

/// What the stage that another text ships weighs unpacked, everything else being the same; `None` where a part of it is
/// not known.
pub fn shipped(ctx: &Context, text: &str) -> Option<Estimate> {
    let (_, facts, size) = weigh(ctx, text);
    let (unpacked, incomplete) = size.stages.get(facts.target?)?.unpacked();
    unpacked.filter(|_| !incomplete)
}

/// Model, facts and weights of another text, everything else being the same.
fn weigh(ctx: &Context, text: &str) -> (File, Facts, BuildSize) {
    let build = Build { arguments: Some(&ctx.config.build_args), platform: ctx.config.platform.clone() };
    let file = lower::file(text.into(), &build, Some(ctx.file));
    let facts = Facts::of(&file, ctx.config);
    let size = size::estimate(&Evidence {
        file: &file,
        facts: &facts,
        context: ctx.context,
        images: ctx.images,
        platform: &ctx.config.platform,
        measured: None,
    });
    (file, facts, size)
}

/// What an assist has to say about a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    /// It can be done.
    Assist(Assist),
    /// It concerns this place and cannot be done.
    Refusal(Refusal),
}

/// A rewrite that can be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Assist {
    /// Its id (CLI.md, *Actions*).
    pub id: &'static str,
    /// Which of several ways.
    pub variant: Option<&'static str>,
    /// What will happen and what it saves.
    pub label: String,
    /// The instruction or stage it is about.
    pub target: TextRange,
    /// Whether it is the one to take if there are several.
    pub preferred: bool,
    /// The change of this file; empty where another one is written.
    pub edit: TextEdit,
    /// Another file that it writes.
    pub other: Option<Box<OtherFile>>,
    /// What could not be shown, one sentence each.
    pub doubts: Vec<String>,
    /// Unpacked size of the target stage before.
    pub before: Option<Estimate>,
    /// And after.
    pub after: Option<Estimate>,
}

/// Another file than the Dockerfile, as an action would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherFile {
    /// Its path, relative to the build context; whole where it lies outside.
    pub path: String,
    /// The folder of the context.
    pub folder: Option<String>,
    /// The text that is there; `None` for a new file.
    pub before: Option<String>,
    /// The text that is to be there.
    pub after: String,
}

impl OtherFile {
    /// Its whole path, as far as the folder is known.
    pub fn whole_path(&self) -> String {
        let is_whole = self.path.starts_with('/') || self.path.get(1..3) == Some(":/");
        match &self.folder {
            Some(folder) if !is_whole => format!("{}/{}", folder.trim_end_matches('/'), self.path),
            Some(_) | None => self.path.clone(),
        }
    }
}

/// Why a rewrite is not possible.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The id of the assist.
    pub id: &'static str,
    /// Which of several ways, if it concerns one.
    pub variant: Option<&'static str>,
    /// The code of the refusal (`X1`, `R3`).
    pub code: &'static str,
    /// One sentence that says what is missing.
    pub reason: String,
    /// The instruction or stage it is about.
    pub target: TextRange,
}
