//! The rules: each finds one thing and is one file.
//!
//! A rule is a value ([`Rule`]) with its documentation, whose two examples are its tests, and a pure function over the
//! [`Context`]. It lies in the folder of its group. Rules do not know each other; [`precedence`] drops the weaker findings of
//! one cause afterwards.

pub mod allow;
pub mod buildkit;
pub mod cache;
#[cfg(test)]
pub(crate) mod catalogue;
mod check;
pub mod correctness;
pub mod let_through;
pub mod names;
pub mod order;
pub mod precedence;
pub mod security;
pub mod size;
pub mod style;
pub mod total;
pub mod wanted;

use std::cell::OnceCell;

use crate::config::Config;
use crate::config::names::kebab;
use crate::context::BuildContext;
use crate::date::Date;
use crate::facts::run::Command;
use crate::facts::start::{self, StartChain};
use crate::facts::{Facts, RunFacts};
use crate::images::ImageBook;
use crate::model::{File, ImageRef, InstructionKind, Placed, Run, Stage};
use crate::shell::Call;
use crate::size::BuildSize;
use crate::text::{TextEdit, TextRange};
use crate::weight::Estimate;

pub use check::check;

/// Every rule, in the order of their names.
// List of the rules: written by tests/tidy.rs from the folder.
#[rustfmt::skip]
pub static ALL: &[&Rule] = &[
    &style::add_for_local_files::RULE,
    &size::apk_index_left::RULE,
    &style::apt_in_script::RULE,
    &size::apt_lists_left::RULE,
    &size::apt_recommends_installed::RULE,
    &cache::apt_update_alone::RULE,
    &style::build_only_env::RULE,
    &size::build_tools_in_final::RULE,
    &cache::cache_defeated::RULE,
    &correctness::cgo_on_static_base::RULE,
    &size::cleanup_in_later_layer::RULE,
    &correctness::cmd_ignored_by_entrypoint::RULE,
    &buildkit::consistent_instruction_casing::RULE,
    &size::copied_archive_unpacked::RULE,
    &cache::copy_all_before_install::RULE,
    &buildkit::copy_ignored_file::RULE,
    &correctness::copy_to_root::RULE,
    &size::copy_whole_stage::RULE,
    &size::cuda_wheels_on_cpu_base::RULE,
    &cache::dependencies_not_split::RULE,
    &security::deprecated_base_repository::RULE,
    &correctness::deprecated_npm_flag::RULE,
    &size::dev_dependencies_in_final::RULE,
    &correctness::dev_server_as_command::RULE,
    &size::dev_tools_in_final::RULE,
    &size::dockerignore_incomplete::RULE,
    &size::download_kept::RULE,
    &size::duplicate_copy::RULE,
    &buildkit::duplicate_stage_name::RULE,
    &correctness::dynamic_npm_only::RULE,
    &correctness::effect_lost_after_run::RULE,
    &security::eol_base_image::RULE,
    &buildkit::expose_invalid_format::RULE,
    &buildkit::expose_proto_casing::RULE,
    &size::fat_base_image::RULE,
    &size::files_stored_twice::RULE,
    &buildkit::from_as_casing::RULE,
    &buildkit::from_platform_flag_const_disallowed::RULE,
    &size::git_history_kept::RULE,
    &correctness::healthcheck_tool_missing::RULE,
    &correctness::heredoc_without_errexit::RULE,
    &size::image_over_budget::RULE,
    &cache::ineffective_cache_mount::RULE,
    &correctness::inline_comment::RULE,
    &correctness::install_waits_for_answer::RULE,
    &cache::install_without_cache_mount::RULE,
    &buildkit::invalid_base_image_platform::RULE,
    &buildkit::invalid_default_arg_in_from::RULE,
    &buildkit::invalid_definition_description::RULE,
    &correctness::invalid_json_form::RULE,
    &buildkit::json_args_recommended::RULE,
    &buildkit::legacy_key_value_format::RULE,
    &correctness::libc_mismatch::RULE,
    &correctness::lockfile_not_copied::RULE,
    &correctness::log_to_file::RULE,
    &buildkit::maintainer_deprecated::RULE,
    &size::many_responsibilities::RULE,
    &size::mergeable_run_layers::RULE,
    &correctness::missing_ca_certificates::RULE,
    &size::missing_dockerignore::RULE,
    &correctness::missing_healthcheck::RULE,
    &correctness::missing_runtime_file::RULE,
    &correctness::missing_runtime_library::RULE,
    &correctness::missing_tzdata::RULE,
    &buildkit::multiple_instructions_disallowed::RULE,
    &cache::musl_source_builds::RULE,
    &buildkit::no_empty_continuation::RULE,
    &correctness::npm_as_pid1::RULE,
    &size::npm_cache_left::RULE,
    &correctness::npm_install_not_ci::RULE,
    &correctness::output_in_cache_mount::RULE,
    &size::package_cache_left::RULE,
    &size::pip_cache_left::RULE,
    &correctness::pipe_failure_hidden::RULE,
    &security::pipe_to_shell::RULE,
    &correctness::prod_install_before_build::RULE,
    &style::redundant_mkdir::RULE,
    &buildkit::redundant_target_platform::RULE,
    &security::remote_add_unverified::RULE,
    &size::removable_files_kept::RULE,
    &buildkit::reserved_stage_name::RULE,
    &size::rpm_cache_left::RULE,
    &security::runs_as_root::RULE,
    &size::sdk_as_runtime::RULE,
    &security::secret_file_copied::RULE,
    &security::secret_in_env_or_arg::RULE,
    &security::secret_in_run::RULE,
    &buildkit::secrets_used_in_arg_or_env::RULE,
    &correctness::shell_in_shell_less_image::RULE,
    &size::single_stage_build::RULE,
    &size::sparse_lastlog::RULE,
    &security::ssh_server_in_image::RULE,
    &buildkit::stage_name_casing::RULE,
    &size::static_binary_on_fat_base::RULE,
    &security::sudo_in_run::RULE,
    &buildkit::undefined_arg_in_from::RULE,
    &correctness::undefined_stage::RULE,
    &buildkit::undefined_var::RULE,
    &security::unpinned_base_tag::RULE,
    &security::unpinned_package::RULE,
    &correctness::unreadable_root_home::RULE,
    &style::unused_arg::RULE,
    &cache::unused_stage::RULE,
    &correctness::user_not_in_image::RULE,
    &correctness::variable_out_of_scope::RULE,
    &security::verification_off::RULE,
    &cache::volatile_arg_early::RULE,
    &size::whole_system_upgrade::RULE,
    &correctness::workdir_not_writable::RULE,
    &buildkit::workdir_relative_path::RULE,
    &security::world_writable_files::RULE,
    &correctness::write_after_volume::RULE,
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
    /// Whether it is one of BuildKit's own checks: their names alone begin with a capital letter.
    pub fn is_check(&self) -> bool {
        self.name.starts_with(|char: char| char.is_ascii_uppercase())
    }

    /// The address of the rule's page: Docker's for BuildKit's checks that have one, else ours.
    pub fn url(&self) -> String {
        if self.is_check() && !buildkit::WITHOUT_PAGE.contains(&self.name) {
            return format!("https://docs.docker.com/reference/build-checks/{}/", kebab(self.name));
        }
        format!("{}/blob/main/docs/rules.md#{}", env!("CARGO_PKG_REPOSITORY"), self.name.to_ascii_lowercase())
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
    /// All groups.
    pub const ALL: [Group; 5] = [Group::Size, Group::Cache, Group::Security, Group::Correctness, Group::Style];

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
    /// Something about an `allow` comment.
    Note(Note),
}

/// What is said of `allow` comments (RULES.md §6). These are no rules: they have no group and cannot be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// It silences nothing.
    UnusedAllow,
    /// It names a rule that is none.
    UnknownAllow,
    /// It has no reason, and the settings require one.
    MissingReason,
}

impl Note {
    /// All of them.
    pub const ALL: [Note; 3] = [Note::UnusedAllow, Note::UnknownAllow, Note::MissingReason];

    /// The id in output.
    pub fn id(self) -> &'static str {
        match self {
            Note::UnusedAllow => "unused-allow",
            Note::UnknownAllow => "unknown-allow",
            Note::MissingReason => "allow-without-reason",
        }
    }

    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            Note::UnusedAllow => Severity::Hint,
            Note::UnknownAllow | Note::MissingReason => Severity::Warning,
        }
    }

    /// What it means, in whole sentences.
    pub fn doc(self) -> &'static str {
        match self {
            Note::UnusedAllow => {
                "An allow comment silences nothing: the finding is gone, or the comment does not stand directly above \
                 its instruction. Nothing is said while the rule is off, or while the build context or the base image \
                 that it looks at is not known. `unused-allow = false` switches it off."
            }
            Note::UnknownAllow => {
                "An allow comment names a rule that does not exist. `unused-allow = false` switches it off."
            }
            Note::MissingReason => {
                "An allow comment gives no reason, and `require-reason` is set. The reason stands behind a dash: \
                 `# plimsoll: allow apt-lists-left — the next stage needs them`."
            }
        }
    }
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
    /// Whether a comment allows it (shown with `--show-suppressed` only).
    pub suppressed: bool,
}

impl Finding {
    /// A finding of a rule at `range`, which is its cause too; the other fields as the rule's default, empty.
    pub fn new(rule: &'static Rule, range: TextRange, message: impl Into<String>) -> Finding {
        Finding::of(Source::Rule(rule), rule.severity, range, message)
    }

    /// A note on a comment.
    pub fn note(note: Note, range: TextRange, message: impl Into<String>) -> Finding {
        Finding::of(Source::Note(note), note.severity(), range, message)
    }

    fn of(source: Source, severity: Severity, range: TextRange, message: impl Into<String>) -> Finding {
        Finding {
            source,
            severity,
            range,
            cause: range,
            message: message.into(),
            saves: None,
            related: Vec::new(),
            fix: None,
            assists: Vec::new(),
            replaced: false,
            suppressed: false,
        }
    }

    /// Whether it is shown: no comment allows it, and no stronger one speaks instead.
    pub fn speaks(&self) -> bool {
        !self.replaced && !self.suppressed
    }

    /// The id in output and `allow` comments.
    pub fn id(&self) -> &'static str {
        match self.source {
            Source::Rule(rule) => rule.name,
            Source::Fault => "fault",
            Source::Note(note) => note.id(),
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

    /// The RUNs of a stage and, behind them, those of its ONBUILDs: what rules of security look at (RULES.md S9).
    pub fn runs_and_onbuild(&self, stage_idx: usize) -> impl Iterator<Item = RunAt<'a>> + use<'a> {
        let stage = self.file.stages.get(stage_idx);
        let facts = self.facts.stages.get(stage_idx);
        let onbuild = facts.into_iter().flat_map(|facts| &facts.onbuild_runs).filter_map(move |facts| {
            let (stage, idx) = (stage?, facts.instruction);
            let placed = stage.instructions.get(idx)?;
            let InstructionKind::Onbuild(inner) = &placed.instruction.kind else { return None };
            let InstructionKind::Run(run) = &inner.kind else { return None };
            Some(RunAt { stage_idx, stage, idx, placed, run, facts })
        });
        self.runs(stage_idx).chain(onbuild)
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
