//! The rules: each finds one thing and is one file.
//!
//! A rule is a value ([`Rule`]) with its documentation, whose two examples are its tests, and a pure function over the
//! [`Context`]. It lies in the folder of its group. Rules do not know each other; [`precedence`] drops the weaker findings of
//! one cause afterwards.

pub mod buildkit;
pub mod cache;
pub mod correctness;
pub mod precedence;
pub mod security;
pub mod size;
pub mod style;
pub mod total;
pub mod wanted;

use std::cell::OnceCell;

use crate::config::{Config, Level};
use crate::context::BuildContext;
use crate::date::Date;
use crate::facts::run::Command;
use crate::facts::start::{self, StartChain};
use crate::facts::{Facts, RunFacts};
use crate::images::ImageBook;
use crate::model::{Fault, File, ImageRef, Placed, Run, Stage};
use crate::shell::Call;
use crate::size::BuildSize;
use crate::text::{TextEdit, TextRange};
use crate::weight::Estimate;

/// Every rule, in the order of their names.
// List of the rules: written by tests/tidy.rs from the folder.
#[rustfmt::skip]
pub static ALL: &[&Rule] = &[
    &size::apk_index_left::RULE,
    &size::apt_lists_left::RULE,
    &size::apt_recommends_installed::RULE,
    &size::build_tools_in_final::RULE,
    &size::cleanup_in_later_layer::RULE,
    &cache::copy_all_before_install::RULE,
    &size::cuda_wheels_on_cpu_base::RULE,
    &size::dev_tools_in_final::RULE,
    &security::eol_base_image::RULE,
    &size::fat_base_image::RULE,
    &size::image_over_budget::RULE,
    &correctness::inline_comment::RULE,
    &correctness::npm_as_pid1::RULE,
    &size::npm_cache_left::RULE,
    &correctness::npm_install_not_ci::RULE,
    &size::package_cache_left::RULE,
    &size::pip_cache_left::RULE,
    &size::rpm_cache_left::RULE,
    &security::runs_as_root::RULE,
    &size::single_stage_build::RULE,
    &size::whole_system_upgrade::RULE,
];
// End of List of the rules.

/// A rule of the catalogue.
pub struct Rule {
    /// Its id, named by what it finds.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// How much it matters by default.
    pub severity: Severity,
    /// Whether it is on by default.
    pub on: bool,
    /// Other names it answers to (`DL3009`).
    pub also: &'static [&'static str],
    /// Markdown: first paragraph what, then why, then a `dockerfile` block that is found and one that is clean.
    pub doc: &'static str,
    /// Adds what it finds.
    pub check: fn(&Context, &mut Vec<Finding>),
}

impl Rule {
    /// The address of the rule's page.
    pub fn url(&self) -> String {
        format!("{}/blob/main/docs/rules.md#{}", env!("CARGO_PKG_REPOSITORY"), self.name)
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.name == other.name
    }
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Bytes in the image that is shipped.
    Size,
    /// Time of the next build.
    Cache,
    /// What an attacker could use.
    Security,
    /// The text does not do what it seems to say.
    Correctness,
    /// Small matters.
    Style,
}

impl Group {
    /// The word in settings and output.
    pub fn name(self) -> &'static str {
        match self {
            Group::Size => "size",
            Group::Cache => "cache",
            Group::Security => "security",
            Group::Correctness => "correctness",
            Group::Style => "style",
        }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Shown faintly.
    Hint,
    /// Depends on circumstances.
    Information,
    /// A measurable loss.
    Warning,
    /// The build or the container breaks, or the text does not do what it says.
    Error,
}

impl Severity {
    /// The word in settings and output.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Hint => "hint",
            Severity::Information => "information",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What spoke.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// A rule of ours.
    Rule(&'static Rule),
    /// BuildKit rejects the text.
    Fault,
}

/// Something found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What spoke.
    pub source: Source,
    /// How much it matters here.
    pub severity: Severity,
    /// The smallest piece to blame.
    pub range: TextRange,
    /// The command or instruction whose bytes it is about: findings of one cause exclude each other by precedence.
    pub cause: TextRange,
    /// What is so, here, in one short clause, lower case, no full stop; the saving in its first line where it is known.
    pub message: String,
    /// What would be saved, unpacked.
    pub saves: Option<Estimate>,
    /// The other party.
    pub related: Vec<Related>,
    /// The edit that mends it.
    pub fix: Option<Fix>,
    /// Ids of the actions that mend it (CLI.md), offered at the same place.
    pub assists: Vec<&'static str>,
    /// Whether a stronger finding of the same cause speaks instead (shown with `--all` only).
    pub replaced: bool,
}

impl Finding {
    /// A finding of a rule at `range`, which is its cause too; the other fields as the rule's default, empty.
    pub fn new(rule: &'static Rule, range: TextRange, message: impl Into<String>) -> Finding {
        Finding {
            source: Source::Rule(rule),
            severity: rule.severity,
            range,
            cause: range,
            message: message.into(),
            saves: None,
            related: Vec::new(),
            fix: None,
            assists: Vec::new(),
            replaced: false,
        }
    }

    /// The id in output and `allow` comments.
    pub fn id(&self) -> &'static str {
        match self.source {
            Source::Rule(rule) => rule.name,
            Source::Fault => "fault",
        }
    }
}

/// Another place that belongs to a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Related {
    /// Where.
    pub range: TextRange,
    /// What it has to do with it.
    pub message: String,
}

/// An edit that mends a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does, as a title.
    pub title: String,
    /// Whether it may be applied unasked.
    pub safety: Safety,
    /// The change.
    pub edit: TextEdit,
}

/// Whether a fix may be applied unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Most likely meant, but a person should look.
    Review,
    /// The image has the same content and configuration apart from the waste, and builds exactly when it did.
    Safe,
}

/// Every finding of a file in the order of the text: BuildKit's faults, then what the rules found where no fault
/// stands, with the settings' severities and precedence applied. Weaker findings of one cause stay, marked `replaced`.
pub fn check(ctx: &Context) -> Vec<Finding> {
    let mut res: Vec<Finding> = Vec::new();
    for rule in ALL {
        let Some(level) = level(ctx.config, rule) else { continue };
        let from = res.len();
        (rule.check)(ctx, &mut res);
        for finding in &mut res[from..] {
            finding.severity = level.unwrap_or(finding.severity);
        }
    }
    let faulty: Vec<TextRange> =
        ctx.file.instructions().filter(|it| !it.instruction.faults.is_empty()).map(Placed::whole).collect();
    res.retain(|finding| !faulty.iter().any(|range| range.contains_range(finding.range)));
    res.retain(|finding| !is_small(ctx, finding));
    precedence::apply(&mut res);
    size::image_over_budget::name_savings(&mut res);
    res.extend(ctx.file.faults.iter().map(fault));
    res.sort_by_key(|finding| (finding.range.start(), finding.range.end(), finding.id()));
    res
}

fn fault(fault: &Fault) -> Finding {
    Finding {
        source: Source::Fault,
        severity: Severity::Error,
        range: fault.range,
        cause: fault.range,
        message: fault.message.clone(),
        saves: None,
        related: Vec::new(),
        fix: None,
        assists: Vec::new(),
        replaced: false,
    }
}

/// What the settings say of a rule: `None` = off, `Some(None)` = its own severity.
fn level(config: &Config, rule: &Rule) -> Option<Option<Severity>> {
    match config.level(rule.name, rule.group.name()) {
        None => rule.on.then_some(None),
        Some(Level::Off) => None,
        Some(Level::Hint) => Some(Some(Severity::Hint)),
        Some(Level::Information) => Some(Some(Severity::Information)),
        Some(Level::Warning) => Some(Some(Severity::Warning)),
        Some(Level::Error) => Some(Some(Severity::Error)),
    }
}

/// Whether a size finding saves less than the settings ask for (RULES.md S8). An unknown saving is not small.
fn is_small(ctx: &Context, finding: &Finding) -> bool {
    let Source::Rule(rule) = finding.source else { return false };
    let saves = finding.saves.as_ref();
    rule.group == Group::Size && saves.is_some_and(|saves| saves.likely.0 < ctx.config.minimum_saving)
}

/// What a rule may look at.
pub struct Context<'a> {
    /// The file.
    pub file: &'a File,
    /// Shared facts about it.
    pub facts: &'a Facts,
    /// What it weighs.
    pub size: &'a BuildSize,
    /// The settings.
    pub config: &'a Config,
    /// What lies beside it.
    pub context: &'a BuildContext,
    /// What is known about images.
    pub images: &'a ImageBook,
    /// The day of the check; `None` silences rules on end of life.
    pub today: Option<Date>,
    /// What the target starts; followed when the first rule asks.
    pub start: OnceCell<StartChain>,
}

/// A RUN and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct RunAt<'a> {
    /// Its stage, by index and as it is.
    pub stage_idx: usize,
    /// See `stage_idx`.
    pub stage: &'a Stage,
    /// Its index in `Stage::instructions`.
    pub idx: usize,
    /// The instruction.
    pub placed: &'a Placed,
    /// What it says.
    pub run: &'a Run,
    /// What it does.
    pub facts: &'a RunFacts,
}

impl RunAt<'_> {
    /// The place in the file of a command.
    pub fn range(&self, command: &Command) -> TextRange {
        self.placed.range(command.range)
    }

    /// The command as the shell has it: its wrappers, redirections, variables.
    pub fn call(&self, command: &Command) -> Option<&Call> {
        self.run.script()?.calls.get(command.call)
    }

    /// Whether a command runs in the RUN's own shell or a plain subshell of it, as the RUN's user.
    pub fn is_plain(&self, command: &Command) -> bool {
        self.call(command).is_some_and(|call| call.wrapper.is_none() && call.subshell == 0)
    }
}

impl<'a> Context<'a> {
    /// The RUNs of a stage, in order.
    pub fn runs(&self, stage_idx: usize) -> impl Iterator<Item = RunAt<'a>> + use<'a> {
        let stage = self.file.stages.get(stage_idx);
        let facts = self.facts.stages.get(stage_idx);
        let pairs = stage.into_iter().flat_map(Stage::runs).zip(facts.into_iter().flat_map(|facts| &facts.runs));
        pairs.filter_map(move |((idx, placed, run), facts)| {
            Some(RunAt { stage_idx, stage: stage?, idx, placed, run, facts })
        })
    }

    /// The RUNs whose layers are shipped, in the order in which they are carried out.
    pub fn final_runs(&self) -> impl Iterator<Item = RunAt<'a>> + use<'_, 'a> {
        self.facts.final_chain.iter().rev().flat_map(|stage_idx| self.runs(*stage_idx))
    }

    /// The stages that the target needs.
    pub fn reaching(&self) -> impl Iterator<Item = (usize, &'a Stage)> + use<'_, 'a> {
        let stages = self.file.stages.iter().enumerate();
        stages.filter(|(idx, _)| self.facts.reaching.get(*idx).copied().unwrap_or(false))
    }

    /// What the target starts, followed as far as it can be read; empty without a target.
    pub fn start(&self) -> &StartChain {
        self.start.get_or_init(|| {
            let node = self.base_image().is_some_and(|image| image.repository() == "docker.io/library/node");
            self.facts
                .target
                .map_or_else(StartChain::default, |target| start::chain(self.file, target, self.context, "/", node))
        })
    }

    /// The base image of the target.
    pub fn base_image(&self) -> Option<&'a ImageRef> {
        self.facts.image(self.file, self.facts.target?)
    }

    /// How safe a sound fix of a shipped layer is: where the image starts nothing of its own, others are probably built
    /// upon it and may rely on what is taken away.
    pub fn safety(&self) -> Safety {
        if self.facts.is_started() { Safety::Safe } else { Safety::Review }
    }
}
