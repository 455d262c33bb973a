//! Which file of the build context lies at a path of the image: COPY and ADD read backwards.
//!
//! Answers from the listing of the context alone, and only for what the stage itself copies.

use crate::context::{BuildContext, EntryKind};
use crate::facts::walk::{self, State};
use crate::model::{Copy, File, InstructionKind, Placed, Source, Stage};

/// What lies at a path of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landed {
    /// A path of the context.
    File(String),
    /// Something that the context cannot tell: copied from another stage or image, or named with a variable.
    Hidden,
    /// Nothing that a COPY of this stage brings.
    Nothing,
}

/// What a COPY or ADD brings and where to, with variables resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Sources as written, `None` where a variable hides one.
    pub sources: Vec<Option<String>>,
    /// The destination, absolute and without a slash at the end.
    pub destination: String,
    /// Whether it surely is a directory: it ends in a slash, or there are several sources, a pattern or `.`.
    pub into_directory: bool,
    /// Whether the destination is written as an absolute path.
    pub absolute: bool,
    /// Whether the sources lie in the build context.
    pub from_context: bool,
}

/// Reads a COPY or ADD; `None` for other instructions and where the destination is not known.
pub fn copied(file: &File, stage: &Stage, placed: &Placed, state: &State) -> Option<Copied> {
    let copy: &Copy = match &placed.instruction.kind {
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => copy,
        _ => return None,
    };
    let destination = walk::value(file, stage, placed, &copy.destination.as_ref()?.text)?;
    let directory = match destination.starts_with('/') {
        true => "/",
        false => state.directory.as_deref()?,
    };
    let sources: Vec<_> = copy.sources.iter().map(|word| walk::value(file, stage, placed, &word.text)).collect();
    let several = sources.len() + placed.instruction.heredocs.len() > 1;
    let pattern = sources.iter().flatten().any(|source| source.contains(['*', '?', '[']));
    let whole = sources.iter().flatten().any(|source| matches!(source.trim_end_matches('/'), "." | ""));
    let plain = destination.trim_end_matches('/');
    Some(Copied {
        into_directory: destination.ends_with('/') || matches!(plain, "." | "..") || several || pattern || whole,
        destination: walk::absolute(directory, &destination),
        sources,
        absolute: destination.starts_with('/'),
        from_context: placed.instruction.flag("from").is_none(),
    })
}

/// What lies at `path` (absolute) when the stage has been carried out as far as `states` reaches.
pub fn landed(file: &File, stage: &Stage, states: &[State], context: &BuildContext, path: &str) -> Landed {
    for (placed, state) in stage.instructions.iter().zip(states).rev() {
        if !matches!(placed.instruction.kind, InstructionKind::Copy(_) | InstructionKind::Add(_)) {
            continue;
        }
        let Some(copied) = copied(file, stage, placed, state) else { return Landed::Hidden };
        if !copied.from_context || !placed.instruction.heredocs.is_empty() {
            if walk::is_inside(path, &copied.destination) {
                return Landed::Hidden;
            }
            continue;
        }
        for source in copied.sources.iter().rev() {
            let Some(source) = source else { return Landed::Hidden };
            if let Some(found) = brought(context, source, &copied, path) {
                return Landed::File(found);
            }
        }
    }
    Landed::Nothing
}

/// The instruction and the stage that bring the file at `path` (absolute) by `COPY --from`, by its name.
pub fn from_stage(file: &File, stage: &Stage, states: &[State], path: &str) -> Option<(usize, usize)> {
    stage.sources.iter().rev().find_map(|(idx, source)| {
        let Source::Stage(from) = source else { return None };
        let copied = copied(file, stage, stage.instructions.get(*idx)?, states.get(*idx)?)?;
        let lands = |source: &String| {
            let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
            let place = copied.destination.trim_end_matches('/');
            if copied.into_directory { path.strip_prefix(place) == Some(&format!("/{name}")) } else { path == place }
        };
        copied.sources.iter().flatten().any(lands).then_some((*idx, *from))
    })
}

/// The path of the context that this source brings to `path`.
fn brought(context: &BuildContext, source: &str, copied: &Copied, path: &str) -> Option<String> {
    let rest = walk::below(path, &copied.destination)?;
    let joined = |directory: &str| {
        let found = if directory.is_empty() { rest.to_owned() } else { format!("{directory}/{rest}") };
        context.has_file(&found).then_some(found)
    };
    let plain = crate::context::cleaned(source);
    if plain.is_empty() {
        return joined("");
    }
    context.matching(source).into_iter().find_map(|found| match context.entries.get(found)?.kind {
        EntryKind::Directory => joined(found),
        EntryKind::File => {
            let name = found.rsplit('/').next().unwrap_or(found);
            let here = rest.is_empty() && !copied.into_directory || rest == name;
            here.then(|| found.to_owned())
        }
        EntryKind::Link | EntryKind::Other => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Landed, landed};
    use crate::context::BuildContext;
    use crate::facts::walk;
    use crate::lower;

    fn check(text: &str, path: &str, expected: &str) {
        let file = lower::file(text.into(), &lower::Build::default(), None);
        let files = ["package.json", "package-lock.json", "src/a.js", "docker/start.sh"];
        let context = BuildContext::of_texts(files.map(|it| (it, "")));
        let states = walk::states(&file, 0, "/");
        let found = match landed(&file, &file.stages[0], &states, &context, path) {
            Landed::File(path) => path,
            Landed::Hidden => "hidden".to_owned(),
            Landed::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found, expected, "{path} in {text}");
    }

    #[test]
    fn a_copy_puts_files_where_its_destination_says() {
        check("FROM a\nWORKDIR /app\nCOPY package*.json ./\n", "/app/package.json", "package.json");
        check("FROM a\nWORKDIR /app\nCOPY . .\n", "/app/src/a.js", "src/a.js");
        check("FROM a\nCOPY src /app\n", "/app/a.js", "src/a.js");
        check("FROM a\nCOPY docker/start.sh /usr/local/bin/\n", "/usr/local/bin/start.sh", "docker/start.sh");
        check("FROM a\nCOPY docker/start.sh /start\n", "/start", "docker/start.sh");
        check("FROM a\nADD . /app\n", "/app/lib/b.js", "nothing");
    }

    #[test]
    fn what_another_stage_brings_is_hidden() {
        check("FROM a\nCOPY --from=b /x /app\n", "/app/package.json", "hidden");
        check("FROM a\nCOPY $DIR /app\n", "/app/package.json", "hidden");
    }
}
