//! COPY and ADD: measured in the build context, or taken from the ledger of another stage.

use std::collections::BTreeMap;

use crate::context::pattern::Pattern;
use crate::context::{BuildContext, EntryKind, cleaned};
use crate::facts::stage;
use crate::model::{Copy, Instruction, InstructionKind, Placed, Source, Stage};
use crate::size::StageSize;
use crate::size::ledger::{Inside, Ledger, Part, Share, n_files};
use crate::size::load::{ANYTHING, Load};
use crate::weight::{Basis, Estimate};

/// What a COPY or ADD is carried out with.
pub(super) struct Ground<'a> {
    /// Its stage.
    pub(super) stage: &'a Stage,
    /// The instruction.
    pub(super) placed: &'a Placed,
    /// Its index.
    pub(super) at: usize,
    /// The working directory; `None` where not known.
    pub(super) directory: Option<&'a str>,
    /// The escape character of the file.
    pub(super) escape: char,
    /// What lies beside the Dockerfile.
    pub(super) context: &'a BuildContext,
    /// The stages before this one, with what lies in them.
    pub(super) earlier: &'a [(StageSize, Ledger)],
}

/// Where a COPY puts things.
struct Destination {
    /// Absolute; `None` where a variable or the base image hides it.
    path: Option<String>,
    /// Whether it surely is a directory.
    is_directory: bool,
}

/// Lays what a COPY or ADD brings into the ledger.
pub(super) fn add(ground: &Ground<'_>, copy: &Copy, ledger: &mut Ledger) {
    let instruction = &*ground.placed.instruction;
    let sources: Vec<Option<String>> = copy.sources.iter().map(|word| ground.value(&word.text)).collect();
    let to = destination(ground, copy, &sources);
    for heredoc in &instruction.heredocs {
        let load = Load::files(heredoc.body.len() as u64);
        ledger.add(Part {
            path: to.of_file(&heredoc.name),
            load: Some(load),
            what: n_files(1),
            inside: Inside::Closed,
        });
    }
    if let Some(flag) = instruction.flag("from") {
        let named = flag.value.as_ref().map_or("another stage", |word| word.text.as_str());
        from_elsewhere(ground, named, copy, &sources, &to, ledger);
        return;
    }
    for (word, source) in copy.sources.iter().zip(&sources) {
        match source {
            Some(source) => from_context(ground, source, &to, ledger),
            None => ledger.add(unknown(&to, format!("{} is not known here", word.text))),
        }
    }
}

impl Ground<'_> {
    fn value(&self, text: &str) -> Option<String> {
        if !text.contains(['$', '"', '\'', '\\', '`']) {
            return Some(text.to_owned());
        }
        stage::value(self.stage, self.placed, text, self.escape)
    }

    fn is_add(&self) -> bool {
        matches!(self.placed.instruction.kind, InstructionKind::Add(_))
    }
}

fn destination(ground: &Ground<'_>, copy: &Copy, sources: &[Option<String>]) -> Destination {
    let text = copy.destination.as_ref().and_then(|word| ground.value(&word.text));
    let several = sources.len() + ground.placed.instruction.heredocs.len() > 1;
    let Some(text) = text else { return Destination { path: None, is_directory: several } };
    let is_directory = several || text.ends_with('/') || matches!(text.as_str(), "." | "..") || text.ends_with("/.");
    Destination { path: stage::join(ground.directory, &text), is_directory }
}

impl Destination {
    /// The place of a file of this name.
    fn of_file(&self, name: &str) -> Option<String> {
        let path = self.path.as_deref()?;
        Some(if self.is_directory { format!("{}/{name}", path.trim_end_matches('/')) } else { path.to_owned() })
    }
}

/// A part that comes to the destination and whose weight is not known, with the reason.
fn unknown(to: &Destination, why: String) -> Part {
    Part { path: to.path.clone(), load: None, what: why, inside: Inside::Closed }
}

fn from_context(ground: &Ground<'_>, source: &str, to: &Destination, ledger: &mut Ledger) {
    if source.contains("://") || source.starts_with("git@") {
        let name = source.split(['?', '#']).next().unwrap_or(source).rsplit('/').next().unwrap_or_default();
        let path = if name.is_empty() { to.path.clone() } else { to.of_file(name) };
        let what = format!("{source} is fetched when it is built");
        ledger.add(Part { path, load: None, what, inside: Inside::Closed });
        return;
    }
    let context = ground.context;
    if !context.known {
        ledger.add(unknown(to, "the build context is not known".to_owned()));
        return;
    }
    let Some(brought) = context.brings(source) else {
        ledger.add(unknown(to, format!("{source} is not in the build context")));
        return;
    };
    if !brought.complete {
        ledger.add(unknown(to, format!("{source} could not be counted to its end in the build context")));
    }
    let excluded = excluded(&ground.placed.instruction);
    if !excluded.is_empty() {
        without_excluded(context, source, &excluded, to, ledger);
        return;
    }
    let cleaned = cleaned(source);
    let paths = context.matching(source);
    if paths.len() > MOST_PATHS || cleaned.is_empty() {
        // A directory as a whole, or so many files that their places do not matter.
        let inside = if cleaned.is_empty() { Inside::Context(String::new()) } else { Inside::Closed };
        let load = Some(Load::files(brought.bytes));
        ledger.add(Part { path: to.path.clone(), load, what: n_files(brought.files), inside });
        return;
    }
    for path in paths {
        let Some(brought) = context.brings(path) else { continue };
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_file = context.entry(path).is_some_and(|entry| entry.kind == EntryKind::File);
        let archive = if is_file && ground.is_add() { archive(name) } else { None };
        let part = match archive {
            Some(archive) => unpacked(archive, brought.bytes, name, to),
            None => {
                let into = Destination { path: to.path.clone(), is_directory: to.is_directory || path != cleaned };
                let at = if is_file { into.of_file(name) } else { to.path.clone() };
                let (load, what) = (Some(Load::files(brought.bytes)), n_files(brought.files));
                Part { path: at, load, what, inside: Inside::Context(path.to_owned()) }
            }
        };
        ledger.add(part);
    }
}

/// More paths of one pattern are counted together.
const MOST_PATHS: usize = 50;

/// More files are not compared with the patterns of `--exclude`: it happens at each keystroke.
const MOST_COMPARED: usize = 3_000;

/// The patterns of `--exclude`.
fn excluded(instruction: &Instruction) -> Vec<&str> {
    let flags = instruction.flags.iter().filter(|flag| flag.name == "exclude");
    flags.filter_map(|flag| Some(flag.value.as_ref()?.text.as_str())).collect()
}

/// What remains of a source without what `--exclude` keeps out: patterns as in `.dockerignore`, from the source's own
/// directory (BuildKit `dockerfile2llb/convert.go`, fsutil `copy.go`).
fn without_excluded(context: &BuildContext, source: &str, excluded: &[&str], to: &Destination, ledger: &mut Ledger) {
    let n_files_in_all = context.brings(source).map_or(0, |brought| brought.files);
    let Some(excluded) = Excluded::parse(excluded).filter(|_| n_files_in_all <= MOST_COMPARED) else {
        ledger.add(unknown(to, "which of the files are excluded is not known".to_owned()));
        return;
    };
    let cleaned = cleaned(source);
    let is_directory =
        cleaned.is_empty() || context.entry(&cleaned).is_some_and(|entry| entry.kind == EntryKind::Directory);
    let roots = if is_directory { vec![cleaned.as_str()] } else { context.matching(source) };
    // By the names at the top, so that a later COPY --from of one of them is counted.
    let mut names: BTreeMap<&str, Remains> = BTreeMap::new();
    for root in roots {
        let name = root.rsplit('/').next().unwrap_or(root);
        let is_file = context.entry(root).is_some_and(|entry| entry.kind == EntryKind::File);
        let itself = context.entry(root).filter(|_| is_file).map(|entry| (name, root, entry));
        let below = context.below(root).filter(|(_, entry)| !is_file && entry.kind == EntryKind::File);
        let below =
            below.map(|(path, entry)| (path.get(root.len()..).unwrap_or(path).trim_start_matches('/'), path, entry));
        for (rest, path, entry) in itself.into_iter().chain(below) {
            let top = rest.split('/').next().unwrap_or(rest);
            let inside = path.get(..path.len() - rest.len() + top.len()).unwrap_or(path);
            let remains = names.entry(top).or_insert_with(|| Remains { inside, ..Remains::default() });
            if excluded.matches(rest) {
                remains.is_cut = true;
            } else {
                remains.bytes = remains.bytes.saturating_add(entry.bytes);
                remains.files += 1;
            }
        }
    }
    let into = Destination { path: to.path.clone(), is_directory: to.is_directory || is_directory };
    if names.is_empty() {
        ledger.add(Part {
            path: to.path.clone(),
            load: Some(Load::files(0)),
            what: n_files(0),
            inside: Inside::Closed,
        });
    }
    for (name, remains) in names {
        let inside = if remains.is_cut { Inside::Closed } else { Inside::Context(remains.inside.to_owned()) };
        let load = Some(Load::files(remains.bytes));
        ledger.add(Part { path: into.of_file(name), load, what: n_files(remains.files), inside });
    }
}

/// What remains of a file or directory at the top of a source.
#[derive(Debug, Default)]
struct Remains<'c> {
    inside: &'c str,
    bytes: u64,
    files: usize,
    is_cut: bool,
}

/// The patterns of `--exclude`, each with whether it holds at any depth (`**/x`).
struct Excluded(Vec<(Pattern, bool)>);

impl Excluded {
    /// Reads them; `None` for a `**` in another place than the front, or a variable.
    fn parse(texts: &[&str]) -> Option<Excluded> {
        let one = |text: &&str| {
            let rest = text.trim_start_matches("**/").trim_matches('/');
            let is_plain = !rest.contains("**") && !rest.contains('$');
            Some((Pattern::parse(rest).filter(|_| is_plain)?, text.starts_with("**/")))
        };
        texts.iter().map(one).collect::<Option<Vec<_>>>().map(Excluded)
    }

    /// Whether one matches the path or a directory that it lies in.
    fn matches(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        self.0.iter().any(|(pattern, anywhere)| {
            (0..parts.len()).any(|end| {
                let starts = if *anywhere { end + 1 } else { 1 };
                (0..starts).any(|start| parts.get(start..=end).is_some_and(|it| pattern.matches(&it.join("/"))))
            })
        })
    }
}

/// Archives that ADD takes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Archive {
    Plain,
    Compressed,
}

fn archive(name: &str) -> Option<Archive> {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends(&[".tar"]) {
        return Some(Archive::Plain);
    }
    let compressed = [".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"];
    ends(&compressed).then_some(Archive::Compressed)
}

/// An archive that is taken apart: it is pulled as about what it is, and unpacked it is what layers usually are (2.2 to 3.3
/// times, size-ratios.tsv; the band is that of single files).
fn unpacked(archive: Archive, bytes: u64, name: &str, to: &Destination) -> Part {
    let load = match archive {
        Archive::Plain => Load::of(Estimate::between(bytes / 2, bytes, bytes, Basis::Context, ""), ANYTHING),
        Archive::Compressed => {
            let times = |tenths: u64| bytes.saturating_mul(tenths) / 10;
            Load {
                disk: Estimate::between(bytes, times(27), times(60), Basis::Guess, ""),
                pull: Estimate::between(times(9), bytes, times(13), Basis::Guess, ""),
            }
        }
    };
    Part { path: to.path.clone(), load: Some(load), what: format!("{name} unpacked"), inside: Inside::Closed }
}

fn from_elsewhere(
    ground: &Ground<'_>,
    named: &str,
    copy: &Copy,
    sources: &[Option<String>],
    to: &Destination,
    ledger: &mut Ledger,
) {
    let source = ground.stage.sources.iter().find(|(at, _)| *at == ground.at).map(|(_, source)| source);
    let stage = match source {
        Some(Source::Stage(idx)) => ground.earlier.get(*idx),
        Some(Source::Image(_) | Source::Unknown(_)) | None => None,
    };
    for (word, path) in copy.sources.iter().zip(sources) {
        let Some((stage, path)) = stage.zip(path.as_ref()) else {
            let shown = path.as_ref().unwrap_or(&word.text);
            ledger.add(unknown(to, format!("what lies in {shown} of {named} is not known")));
            continue;
        };
        let whole = stage::clean(path);
        // The directory of the stage is no place here: COPY --from reads from its root.
        let share = of_stage(stage, &whole, ground.context);
        let name = whole.rsplit('/').next().unwrap_or_default().to_owned();
        let place = match share.is_file && !name.contains(['*', '?', '[']) {
            true => to.of_file(&name),
            false => to.path.clone(),
        };
        if let Some(load) = share.share.load {
            let what = format!("{path} of {named}");
            ledger.add(Part { path: place.clone(), load: Some(load), what, inside: Inside::Closed });
        }
        match share.share.missing {
            Some(why) => ledger.add(Part { path: place, load: None, what: why, inside: Inside::Closed }),
            None if share.share.found => {}
            None => ledger.add(unknown(to, format!("what lies in {path} of {named} is not known"))),
        }
    }
}

/// What another stage holds at a path.
struct OfStage {
    share: Share,
    /// Whether it looks like a file rather than a directory.
    is_file: bool,
}

fn of_stage((size, ledger): &(StageSize, Ledger), path: &str, context: &BuildContext) -> OfStage {
    let mut share = ledger.at(path, context);
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_file = name.trim_start_matches('.').contains('.');
    if path == "/" {
        // All of it: the base image too.
        match &size.base_unpacked {
            Some(base) if base.likely.0 > 0 => {
                let load = Load { disk: base.clone(), pull: size.base_pull.clone().unwrap_or_else(|| base.clone()) };
                match &mut share.load {
                    Some(sum) => *sum += &load,
                    None => share.load = Some(load),
                }
                share.found = true;
            }
            Some(_) => share.found = true,
            None => share.missing = Some("what the base image weighs is not known".to_owned()),
        }
    }
    OfStage { share, is_file }
}
