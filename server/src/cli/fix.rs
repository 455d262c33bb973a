//! `plimsoll fix`: applies fixes, or one action, and writes the file or shows what would change.
//!
//! **Invariant:** a file is written once, whole, and only if the text on the disk is still the one that was analysed.

pub(crate) mod actions;
mod fixes;
mod others;
mod region;
mod report;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::analysis::Analysis;
use crate::analysis::fixing::Wanted;
use crate::assists::{OtherFile, Refusal};
use crate::cli::console::Console;
use crate::cli::fix::actions::Asked;
use crate::cli::fix::region::Region;
use crate::cli::fix::report::JsonFile;
use crate::cli::names::Selection;
use crate::cli::options::{Build, Files, Format, Manner};
use crate::cli::read::{self, Job, Place, Session};
use crate::cli::{Outcome, names};
use crate::disk::write;
use crate::rules::Safety;
use crate::weight::Estimate;

/// The options of `fix`.
#[derive(Debug, Args)]
pub struct Options {
    /// Files, folders that are searched for Dockerfiles, or `-` for standard input, whose new text is printed
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    build: Build,
    /// Print a unified diff and write nothing
    #[arg(long, conflicts_with = "stdout")]
    diff: bool,
    /// Print the new text and write nothing
    #[arg(long)]
    stdout: bool,
    /// Apply the fixes that are safe; this is the default
    #[arg(long, conflicts_with = "review")]
    safe: bool,
    /// Also apply the fixes that a person should look at
    #[arg(long)]
    review: bool,
    /// Apply the fixes of this rule alone; may be given several times
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// Carry out this action instead of fixes
    #[arg(long, value_name = "ID[=VARIANT]", value_parser = Asked::parse, conflicts_with_all = ["safe", "review", "rule"])]
    action: Option<Asked>,
    /// Only what is at this place
    #[arg(long, value_name = "LINE[:COLUMN]", value_parser = Region::parse_place, conflicts_with = "lines")]
    at: Option<Region>,
    /// Only what is on these lines
    #[arg(long, value_name = "A-B", value_parser = Region::parse_lines)]
    lines: Option<Region>,
    /// What the result is written as
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    manner: Manner,
}

/// Something that was applied.
#[derive(Clone, Debug)]
struct Applied {
    id: &'static str,
    variant: Option<&'static str>,
    title: String,
    /// Where it was, in the text it was applied to, from 1.
    line: usize,
    doubts: Vec<String>,
    before: Option<Estimate>,
    after: Option<Estimate>,
}

/// What became of a text.
#[derive(Debug)]
struct Fixed {
    text: String,
    applied: Vec<Applied>,
    /// Other files that actions write, each with the action.
    others: Vec<(OtherFile, Applied)>,
    /// Refusals with their lines, from 1.
    refused: Vec<(usize, Refusal)>,
    /// Why the text must stay as it was, if something went wrong.
    fault: Option<String>,
}

/// A file and what became of it.
#[derive(Debug)]
struct Done {
    before: String,
    fixed: Fixed,
    /// Where a place was named and no fix was applied there: what could be done besides.
    left: Option<Option<String>>,
    lossy: bool,
    from_input: bool,
    complaints: Vec<String>,
    notes: Vec<String>,
}

/// Fixes what the options name.
pub(crate) fn run(options: &Options, console: &mut Console) -> Result<Outcome> {
    console.set_up(options.manner.color, options.manner.quiet);
    let ids = options.rule.iter().map(|name| names::ids_named(name)).collect::<Result<Vec<_>>>()?;
    let wanted = Wanted {
        safety: if options.review { Safety::Review } else { Safety::Safe },
        ids: (!ids.is_empty()).then(|| ids.into_iter().flatten().collect()),
    };
    // What an allow comment silences is only seen while all rules look.
    let has_note = wanted.ids.iter().flatten().any(|id| names::is_note(id));
    let selection = if has_note { Selection::default() } else { Selection::of(&options.rule, &[])? };
    let session = Session::new(&options.build, &options.files, selection)?;
    let jobs = read::jobs(&options.paths, options.build.stdin_filename.as_deref());
    if jobs.is_empty() {
        bail!(read::nothing_found(&options.paths));
    }
    let region = options.at.as_ref().or(options.lines.as_ref());
    if jobs.len() > 1 && (options.stdout || region.is_some()) {
        let option = if options.stdout { "--stdout" } else { "--at and --lines" };
        bail!("{option} can be used with one file, and these are {}", jobs.len());
    }

    let places: Vec<Option<PathBuf>> = jobs.iter().map(path).collect();
    let done =
        read::each(jobs, |job| fix(&session, &wanted, options, region, job).map(|done| (job.name.clone(), done)));
    let mut outcome = Outcome::Fine;
    let mut files = Vec::new();
    let mut said = Vec::new();
    let mut written = Vec::new();
    let (mut n_applied, mut n_refused) = (0, 0);
    for (res, path) in done.into_iter().zip(places) {
        let (name, done) = match res {
            Ok(it) => it,
            Err((name, error)) => {
                outcome = Outcome::Failed;
                console.error(&format!("{error:#}"));
                files.push(JsonFile::failed(name, format!("{error:#}")));
                continue;
            }
        };
        if options.manner.verbose {
            done.notes.iter().for_each(|note| console.note(note));
        }
        outcome = outcome.max(read::complain(&done.complaints, console, &mut said));
        let error = finish(options, &name, path, &done, console)?;
        if let Some(error) = &error {
            outcome = Outcome::Failed;
            console.error(error);
        }
        n_applied += n_done(&done.fixed);
        n_refused += done.fixed.refused.len();
        let stands = error.is_none();
        files.push(JsonFile::of(name.clone(), &done.before, &done.fixed, error));
        for (other, applied) in done.fixed.others.iter().filter(|_| stands) {
            let (file, error) = others::finish(options, &name, &done, (other, applied), &mut written, console)?;
            if let Some(error) = error {
                outcome = Outcome::Failed;
                console.error(&error);
            }
            files.push(file);
        }
    }
    session.tell_unanswered(console);
    if options.action.is_some() && n_applied == 0 && n_refused > 0 {
        outcome = outcome.max(Outcome::Found);
    }
    if options.format == Format::Json {
        console.result(&report::json(files)?)?;
    }
    Ok(outcome)
}

fn path(job: &Result<Job, (String, anyhow::Error)>) -> Option<PathBuf> {
    match &job.as_ref().ok()?.place {
        Place::File(path) => Some(path.clone()),
        Place::Input(_) => None,
    }
}

fn fix(session: &Session<'_>, wanted: &Wanted, options: &Options, region: Option<&Region>, job: &Job) -> Result<Done> {
    let opened = session.open(job)?;
    let before = opened.source.text;
    let region = match region {
        Some(region) if options.action.is_some() => Some(region.cursor(&before, &job.name)?),
        Some(region) => Some(region.range(&before, &job.name)?),
        None => None,
    };
    let mut left = None;
    let fixed = if !opened.complaints.is_empty() {
        unchanged(&opened.analysis, format!("{} stays as it is until the settings are mended", job.name))
    } else if opened.source.lossy {
        unchanged(&opened.analysis, format!("{} is not UTF-8 and cannot be written", job.name))
    } else {
        match &options.action {
            Some(asked) => actions::carry_out(opened.analysis, asked, region),
            None => {
                let fixed = fixes::apply(&opened.analysis, wanted, region);
                if let Some(region) = region.filter(|_| fixed.applied.is_empty()) {
                    left = Some(fixes::left(&opened.analysis, wanted, region));
                }
                fixed
            }
        }
    };
    Ok(Done {
        before,
        fixed,
        left,
        lossy: opened.source.lossy,
        from_input: matches!(job.place, Place::Input(_)),
        complaints: opened.complaints,
        notes: opened.notes,
    })
}

fn unchanged(analysis: &Analysis, fault: String) -> Fixed {
    let text = analysis.inputs.text.to_string();
    Fixed { text, applied: Vec::new(), others: Vec::new(), refused: Vec::new(), fault: Some(fault) }
}

fn n_done(fixed: &Fixed) -> usize {
    fixed.applied.len() + fixed.others.len()
}

/// Writes or shows a file; what went wrong, if anything did.
fn finish(
    options: &Options,
    name: &str,
    path: Option<PathBuf>,
    done: &Done,
    console: &mut Console,
) -> Result<Option<String>> {
    let fixed = &done.fixed;
    let mut error = fixed.fault.clone();
    let is_shown = options.diff || options.stdout || done.from_input;
    if let Some(path) = path.filter(|_| !is_shown && error.is_none() && fixed.text != done.before) {
        let written = write::write(&path, Some(&done.before), &fixed.text);
        error = written.err().map(|error| format!("{error:#}"));
    }
    let summary = report::summary(name, fixed);
    let is_text = options.format == Format::Text;
    if is_text && options.diff {
        console.result(&report::diff(name, &done.before, &fixed.text, console.color()))?;
    } else if is_text && is_shown && !done.lossy {
        console.result(&fixed.text)?;
    } else if is_text && error.is_none() && !options.manner.quiet {
        console.result(&summary)?;
    }
    if is_text && is_shown && error.is_none() {
        summary.lines().for_each(|line| console.note(line));
    }
    for (line, refusal) in &fixed.refused {
        console.refusal(&report::refusal(name, *line, refusal));
    }
    if options.action.is_some() && error.is_none() && n_done(fixed) == 0 && fixed.refused.is_empty() {
        console.note(&format!("{name}: no place for this action"));
    }
    if let Some(left) = done.left.as_ref().filter(|_| error.is_none()) {
        let left = left.as_ref().map(|left| format!("; there is {left}")).unwrap_or_default();
        let fix = if options.review { "fix" } else { "safe fix" };
        console.note(&format!("{name}: no {fix} at this place{left}"));
    }
    Ok(error)
}
