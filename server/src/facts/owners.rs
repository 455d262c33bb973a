//! `chown` and `chmod` behind a COPY, written as flags of the COPY.
//!
//! **Invariant:** the files get the owner and mode that they had; where other files are touched too, or somebody could see
//! the difference in between, nothing is offered.

use crate::facts::detach;
use crate::facts::landing;
use crate::facts::run::{Command, RunFacts, is_below};
use crate::facts::stage::{StageFacts, User, join};
use crate::facts::uses::{file_name, is_unpacked_by_add};
use crate::facts::walk::{self, State, is_root};
use crate::model::{Base, File, InstructionKind, Placed, Run, Stage};
use crate::text::{Indel, Local, TextEdit, TextRange};

/// A command of a RUN, where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Marked<'a> {
    /// The file.
    pub file: &'a File,
    /// The stage.
    pub stage: &'a Stage,
    /// Its index.
    pub stage_idx: usize,
    /// Its facts.
    pub facts: &'a StageFacts,
    /// The RUN, by its index in the stage.
    pub run: usize,
    /// The command, by its index in the RUN.
    pub command: usize,
}

/// The edit that puts `--chown` or `--chmod` on the COPYs and takes the command away; `None` where that is not the same.
pub fn as_flags(marked: &Marked) -> Option<TextEdit> {
    let at = marked.stage.instructions.get(marked.run)?;
    let InstructionKind::Run(run) = &at.instruction.kind else { return None };
    let facts = marked.facts.run(marked.run)?;
    let command = facts.commands.get(marked.command).filter(|command| command.certain)?;
    let call = run.script()?.calls.get(command.call)?;
    let is_plain = call.wrapper.is_none() && call.subshell == 0 && call.redirects.is_empty() && run.mounts.is_empty();
    let by_root = match marked.facts.users.get(marked.run)? {
        User::OfImage => true,
        User::Named(name) => is_root(name),
        User::Unknown => false,
    };
    // What ran before in the same RUN may have made the user, or more files.
    let is_first = facts.commands.iter().take(marked.command).all(|it| it.program == "set");
    if !is_plain || !by_root || !is_first {
        return None;
    }
    let seen = Seen { marked, at, run, facts, command, states: walk::states(marked.file, marked.stage_idx, "/") };
    match command.program.as_str() {
        "chown" => seen.chown(),
        "chmod" => seen.chmod(),
        _ => None,
    }
}

struct Seen<'a> {
    marked: &'a Marked<'a>,
    at: &'a Placed,
    run: &'a Run,
    facts: &'a RunFacts,
    command: &'a Command,
    states: Vec<State>,
}

impl Seen<'_> {
    fn directory(&self) -> Option<&str> {
        self.facts.directories.get(self.marked.command)?.as_deref()
    }

    /// `chown -R user:group path`.
    fn chown(&self) -> Option<TextEdit> {
        let mut recursive = None;
        let mut operands = Vec::new();
        for argument in &self.command.arguments {
            match argument.value.as_deref()? {
                "-R" | "--recursive" => recursive = Some(argument.range),
                value if value.starts_with('-') => return None,
                value => operands.push((value, argument.range)),
            }
        }
        let [(owner, owner_range), (path, _)] = operands[..] else { return None };
        let path = join(self.directory(), path).filter(|path| path != "/")?;
        let copies = self.copies(&path, "chown")?;
        let flag = format!(" --chown={}", self.owner(owner, owner_range)?);
        let mut indels: Vec<Indel> = copies.iter().map(|placed| inserted(placed, &flag)).collect();
        match recursive {
            Some(option) if self.may_be_there(&path)? => {
                // The directory itself is older than the COPY and keeps its owner: it alone weighs nothing.
                let end = self.command.arguments.iter().find(|it| it.range.start >= option.end)?.range.start;
                let delete = self.at.range(Local { start: option.start, end });
                indels.push(Indel { delete, insert: String::new() });
            }
            Some(_) | None => indels.push(self.without()?),
        }
        TextEdit::new(indels)
    }

    /// `chmod 755 file`, in octal: of a directory it would be the mode of every file in it.
    fn chmod(&self) -> Option<TextEdit> {
        let values: Option<Vec<&str>> = self.command.arguments.iter().map(|it| it.value.as_deref()).collect();
        let values = values?;
        let (mode, paths) = values.split_first()?;
        let octal = (3..=4).contains(&mode.len()) && mode.bytes().all(|it| (b'0'..=b'7').contains(&it));
        if !octal || paths.is_empty() {
            return None;
        }
        let mut indels = Vec::new();
        let mut covered = Vec::new();
        for path in paths {
            let path = join(self.directory(), path)?;
            let copies = self.copies(&path, "chmod")?;
            let [placed] = copies[..] else { return None };
            let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else {
                return None;
            };
            // A name without an end may be a directory.
            let [source] = &copy.sources[..] else { return None };
            if !file_name(&source.text).trim_start_matches('.').contains('.') || covered.contains(&path) {
                return None;
            }
            indels.push(inserted(placed, &format!(" --chmod={mode}")));
            covered.push(path);
        }
        indels.push(self.without()?);
        TextEdit::new(indels)
    }

    fn without(&self) -> Option<Indel> {
        let gone = detach::command(&self.marked.file.text, self.at, self.run, self.command.range)?;
        Some(gone.into_indel())
    }

    /// The owner as COPY has it: without a group `chown` leaves root's, and COPY would take the user's number.
    fn owner(&self, value: &str, range: Local) -> Option<String> {
        let text = range.of(&self.at.instruction.text);
        let plain = |text: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || "_-.:".contains(it));
        let written = if plain(text) {
            value.to_owned()
        } else {
            // Variables of the Dockerfile mean the same in both; those of the shell do not.
            let by_file = text.split(':').all(|part| {
                let part = part.trim_matches('"');
                let name = part.strip_prefix('$').map(|it| it.trim_start_matches('{').trim_end_matches('}'));
                match name {
                    Some(name) => self.marked.stage.scope.get_at(name, self.at.at).is_some_and(|it| it.value.is_some()),
                    None => plain(part),
                }
            });
            by_file.then(|| text.replace('"', ""))?
        };
        match value.split_once(':') {
            Some((user, group)) => (!user.is_empty() && !group.is_empty()).then_some(written),
            None => (!value.contains('.')).then(|| format!("{written}:0")),
        }
    }

    /// The COPYs that brought all that lies at a path; `None` where others may have written there, or looked at it.
    fn copies(&self, path: &str, flag: &str) -> Option<Vec<&Placed>> {
        let Marked { file, stage, .. } = *self.marked;
        if matches!(stage.base, Base::Stage(_)) {
            return None;
        }
        let mut res: Vec<&Placed> = Vec::new();
        for (idx, placed) in stage.instructions.iter().enumerate().take(self.marked.run) {
            match &placed.instruction.kind {
                InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
                    let copied = landing::copied(file, stage, placed, self.states.get(idx)?)?;
                    let names: Option<Vec<String>> = copied.sources.iter().cloned().collect();
                    let names = names?;
                    let exact = match &names[..] {
                        [name] if copied.into_directory && !matches!(name.as_str(), "." | "./") => {
                            join(Some(&copied.destination), file_name(name.trim_end_matches('/')))
                        }
                        _ => None,
                    };
                    let unpacks = matches!(placed.instruction.kind, InstructionKind::Add(_))
                        && names.iter().any(|name| is_unpacked_by_add(name));
                    let is_inside = is_below(&copied.destination, path) || exact.as_deref() == Some(path);
                    if is_inside {
                        if unpacks || placed.instruction.flag(flag).is_some() || copy.sources.is_empty() {
                            return None;
                        }
                        res.push(placed);
                    } else if is_below(path, &copied.destination) {
                        // It may bring something to the path, beside what it brings elsewhere.
                        return None;
                    }
                }
                InstructionKind::Run(_) => {
                    let inside = self.states.get(idx)?.directory.as_deref().is_none_or(|it| is_below(it, path));
                    let text = &placed.instruction.text;
                    if !res.is_empty() || inside || text.contains(path) && !only_makes_directories(self, idx) {
                        return None;
                    }
                }
                InstructionKind::Volume(_) => return None,
                _ => {}
            }
        }
        (!res.is_empty()).then_some(res)
    }

    /// Whether the directory is older than the COPY; `None` where directories below it are.
    fn may_be_there(&self, path: &str) -> Option<bool> {
        let made = self.states.iter().take(self.marked.run + 1).filter_map(|it| it.directory.as_deref());
        let mut res = false;
        for directory in made.filter(|it| *it != "/") {
            if directory != path && is_below(directory, path) {
                return None;
            }
            res |= is_below(directory, path) || is_below(path, directory) && directory == path;
        }
        let by_run = self.marked.stage.runs().take_while(|(idx, ..)| *idx < self.marked.run);
        res |= { by_run }.any(|(_, placed, _)| placed.instruction.text.contains(path));
        // Names that images do not bring.
        let own = ["/app", "/code", "/service", "/src", "/workspace", "/usr/src/app", "/project", "/server", "/web"];
        let is_own = own.contains(&path) || ["/opt/", "/srv/", "/app/"].iter().any(|it| path.starts_with(it));
        Some(res || !is_own)
    }
}

fn only_makes_directories(seen: &Seen, idx: usize) -> bool {
    let quiet = ["mkdir", "useradd", "groupadd", "adduser", "addgroup", "usermod", "set", "chown", "chmod"];
    let run = seen.marked.facts.run(idx);
    run.is_some_and(|run| {
        !run.commands.is_empty() && run.commands.iter().all(|it| quiet.contains(&it.program.as_str()))
    })
}

fn inserted(placed: &Placed, flag: &str) -> Indel {
    let end = placed.range(placed.instruction.keyword).end();
    Indel { delete: TextRange::empty(end), insert: flag.to_owned() }
}
