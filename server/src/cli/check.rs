//! `plimsoll check`: the findings of files and folders.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::analysis::Analysis;
use crate::assists::Offer;
use crate::cli::Outcome;
use crate::cli::console::Console;
use crate::cli::fix::actions;
use crate::cli::names::Selection;
use crate::cli::options::{Build, Files, Format, Manner};
use crate::cli::read::{self, Job, Session};
use crate::cli::render::json::{self, JsonFinding, TOOL, Tool};
use crate::cli::render::places::Lines;
use crate::cli::render::text::{self, Style};
use crate::cli::render::weights;
use crate::rules::{Finding, Severity, total};
use crate::weight::Estimate;

/// The options of `check`.
#[derive(Debug, Args)]
pub struct Options {
    /// Files, folders that are searched for Dockerfiles, or `-` for standard input; the current folder by default
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    build: Build,
    /// What the findings are written as
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// End with code 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Warning, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Look for these rules or groups alone, also for those that are off
    #[arg(long, value_name = "RULE|GROUP", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave these rules or groups out
    #[arg(long, value_name = "RULE|GROUP", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Also show what a stronger finding of the same cause has replaced
    #[arg(long)]
    all: bool,
    /// Also show what comments allow
    #[arg(long)]
    show_suppressed: bool,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    manner: Manner,
}

/// From which severity on findings are a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Information,
    Hint,
    Never,
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Information => Some(Severity::Information),
            FailOn::Hint => Some(Severity::Hint),
            FailOn::Never => None,
        }
    }
}

/// What came of one file: all that is kept of it, since a run may have thousands.
#[derive(Debug)]
struct Checked {
    name: String,
    findings: Rendered,
    counts: Counts,
    saves: Option<Estimate>,
    weight: Option<String>,
    lossy: bool,
    complaints: Vec<String>,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Rendered {
    Text(String),
    Json(Vec<JsonFinding>),
}

/// How many findings of each severity; what a stronger one has replaced is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    files: usize,
    errors: usize,
    warnings: usize,
    information: usize,
    hints: usize,
}

#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    tool: Tool,
    files: Vec<JsonFile>,
    summary: Counts,
}

#[derive(Debug, Serialize)]
struct JsonFile {
    path: String,
    error: Option<String>,
    findings: Vec<JsonFinding>,
}

/// Checks what the options name.
pub(crate) fn run(options: &Options, console: &mut Console) -> Result<Outcome> {
    console.set_up(options.manner.color, options.manner.quiet);
    let selection = Selection::of(&options.select, &options.ignore)?;
    let session = Session::new(&options.build, &options.files, selection)?;
    let paths = read::or_here(&options.paths);
    let jobs = read::jobs(&paths, options.build.stdin_filename.as_deref());
    if jobs.is_empty() {
        console.warning(&read::nothing_found(&paths));
    }
    let style = Style { color: console.color(), verbose: options.manner.verbose };
    let is_single = jobs.len() == 1;
    let checked = read::each(jobs, |job| check(&session, options, style, job));

    session.tell_unanswered(console);

    let mut outcome = Outcome::Fine;
    let mut counts = Counts::default();
    let mut saves: Option<Estimate> = None;
    let mut files = Vec::new();
    let mut said = Vec::new();
    for res in checked {
        match res {
            Ok(checked) => {
                outcome = outcome.max(tell(&checked, options, console, &mut said));
                outcome = outcome.max(checked.counts.outcome(options.fail_on));
                counts.add(&checked.counts);
                add(&mut saves, checked.saves.as_ref());
                match checked.findings {
                    Rendered::Text(text) => {
                        console.result(&text)?;
                        // In a large folder the files without findings would hide the others.
                        let is_weighed = !options.manner.quiet && (is_single || !text.is_empty());
                        if let Some(weight) = checked.weight.filter(|_| is_weighed) {
                            console.result(&format!("{}: {weight}\n\n", checked.name))?;
                        }
                    }
                    Rendered::Json(findings) => files.push(JsonFile { path: checked.name, error: None, findings }),
                }
            }
            Err((name, error)) => {
                outcome = Outcome::Failed;
                console.error(&format!("{error:#}"));
                files.push(JsonFile { path: name, error: Some(format!("{error:#}")), findings: Vec::new() });
            }
        }
    }
    match options.format {
        Format::Json => {
            let report = Report { version: json::VERSION, tool: TOOL, files, summary: counts };
            console.result(&json::document(&report)?)?;
        }
        Format::Text if options.manner.quiet || counts.files == 0 => {}
        Format::Text => console.result(&counts.words(saves.as_ref()))?,
    }
    Ok(outcome)
}

fn check(session: &Session<'_>, options: &Options, style: Style, job: &Job) -> Result<Checked> {
    let opened = session.open(job)?;
    let analysis = &opened.analysis;
    let wanted =
        |finding: &&Finding| (options.all || !finding.replaced) && (options.show_suppressed || !finding.suppressed);
    let findings: Vec<Finding> =
        analysis.findings.iter().filter(wanted).map(|finding| with_offered_actions(analysis, finding)).collect();
    let findings = findings.iter();
    let lines = Lines::of(&opened.source.text);
    let findings = match options.format {
        Format::Text => Rendered::Text(findings.map(|it| text::finding(it, &job.name, &lines, style)).collect()),
        Format::Json => Rendered::Json(findings.map(|it| JsonFinding::of(it, &lines)).collect()),
    };
    Ok(Checked {
        name: job.name.clone(),
        findings,
        counts: Counts::of(analysis),
        saves: total::saving(&analysis.findings),
        weight: weights::of_target(analysis),
        lossy: opened.source.lossy,
        complaints: opened.complaints,
        notes: opened.notes,
    })
}

/// Says what the reading of a file brought up; what is wrong in a settings file that many share is said once.
fn tell(checked: &Checked, options: &Options, console: &mut Console, said: &mut Vec<String>) -> Outcome {
    if checked.lossy {
        console.warning(&read::lossy(&checked.name));
    }
    if options.manner.verbose {
        for note in &checked.notes {
            console.note(note);
        }
    }
    read::complain(&checked.complaints, console, said)
}

fn add(acc: &mut Option<Estimate>, saves: Option<&Estimate>) {
    match (acc, saves) {
        (_, None) => {}
        (Some(acc), Some(saves)) => *acc += saves,
        (acc @ None, Some(saves)) => *acc = Some(saves.clone()),
    }
}

impl Counts {
    fn of(analysis: &Analysis) -> Counts {
        let mut res = Counts { files: 1, ..Counts::default() };
        for finding in analysis.shown() {
            *match finding.severity {
                Severity::Error => &mut res.errors,
                Severity::Warning => &mut res.warnings,
                Severity::Information => &mut res.information,
                Severity::Hint => &mut res.hints,
            } += 1;
        }
        res
    }

    fn add(&mut self, other: &Counts) {
        self.files += other.files;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.information += other.information;
        self.hints += other.hints;
    }

    fn by_severity(&self) -> [(Severity, usize); 4] {
        [
            (Severity::Error, self.errors),
            (Severity::Warning, self.warnings),
            (Severity::Information, self.information),
            (Severity::Hint, self.hints),
        ]
    }

    fn outcome(&self, fail_on: FailOn) -> Outcome {
        let fails = |severity: Severity| fail_on.severity().is_some_and(|from| severity >= from);
        let failed = self.by_severity().iter().any(|(severity, n)| *n > 0 && fails(*severity));
        if failed { Outcome::Found } else { Outcome::Fine }
    }

    /// `3 warnings, 1 information in 2 files; could save about 450 MB`
    fn words(&self, saves: Option<&Estimate>) -> String {
        let of_severity = |(severity, n): (Severity, usize)| match (severity, n) {
            (_, 0) => None,
            (Severity::Information, n) => Some(format!("{n} information")),
            (severity, 1) => Some(format!("1 {}", severity.name())),
            (severity, n) => Some(format!("{n} {}s", severity.name())),
        };
        let mut parts: Vec<String> = self.by_severity().into_iter().filter_map(of_severity).collect();
        if parts.is_empty() {
            parts.push("no findings".to_owned());
        }
        let files = if self.files == 1 { "1 file".to_owned() } else { format!("{} files", self.files) };
        let saves = saves.map(|saves| format!("; could save {}", saves.words())).unwrap_or_default();
        format!("{} in {files}{saves}\n", parts.join(", "))
    }
}

/// The finding with those of its actions that are offered where it stands.
fn with_offered_actions(analysis: &Analysis, finding: &Finding) -> Finding {
    let mut res = finding.clone();
    if res.assists.iter().any(|id| actions::is_known(id)) {
        let range = res.range;
        let is_offered = |id: &str| analysis.assists_of(id, range).iter().any(|it| matches!(it, Offer::Assist(_)));
        res.assists.retain(|id| is_offered(id));
    }
    res
}

#[cfg(test)]
mod tests {
    use super::Counts;
    use crate::weight::{Basis, Estimate};

    #[test]
    fn the_summary_counts_and_sums_up() {
        let counts = Counts { files: 2, errors: 1, warnings: 3, information: 1, hints: 0 };
        let saves = Estimate::between(1, 450_400_000, 500_000_000, Basis::Recipe, "");
        let words = "1 error, 3 warnings, 1 information in 2 files; could save about 450 MB\n";
        assert_eq!(counts.words(Some(&saves)), words);
        assert_eq!(Counts { files: 1, ..Counts::default() }.words(None), "no findings in 1 file\n");
    }
}
