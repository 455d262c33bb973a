//! From a plan to text: the author's own lines, moved (SPEC-multi-stage §11).

use crate::ecosystems::{Goes, Ownership, Plan, Tree};
use crate::facts::walk::{self, State};
use crate::model::{File, InstructionKind, Pair, Placed, Stage};
use crate::text::{Local, TextEdit, TextRange, TextSize};

/// How the file is written.
struct Style<'a> {
    /// `\n` or `\r\n`.
    newline: &'a str,
    /// Whether keywords are in lower case, as FROM is.
    lower: bool,
    /// What stands before FROM on its line.
    indent: &'a str,
    /// The escape character.
    escape: char,
}

impl Style<'_> {
    fn keyword(&self, word: &str) -> String {
        if self.lower { word.to_ascii_lowercase() } else { word.to_owned() }
    }
}

/// An instruction with what stands above it.
struct Block<'a> {
    /// Blank and comment lines above it, line ends included.
    lead: &'a str,
    /// The blanks before it on its line.
    indent: &'a str,
    placed: &'a Placed,
}

impl Block<'_> {
    /// The blank lines above it without the comments.
    fn blanks(&self) -> String {
        let mut res = String::new();
        for line in self.lead.split_inclusive('\n') {
            if line.trim().is_empty() {
                res.push_str(line);
            } else if !res.is_empty() {
                break;
            }
        }
        res
    }
}

/// The edit that carries a plan out.
pub(super) fn edit(file: &File, plan: &Plan) -> TextEdit {
    let Some(stage) = file.stages.get(plan.stage) else { return TextEdit::default() };
    let text = &*file.text;
    let style = style(text, stage, file.directives.escape);
    let states = walk::states(file, plan.stage, "/");
    let blocks = blocks(text, stage);
    let names = names(file, stage);
    let mut builder = String::new();
    let mut runtime = String::new();

    builder.push_str(&from_of_builder(stage, &style, &names));
    builder.push_str(style.newline);
    runtime.push_str(&from_of_runtime(stage, plan, &style, &names));
    runtime.push_str(style.newline);

    let packages_at = package_place(stage, plan);
    if packages_at.is_none() && !plan.added_packages.is_empty() {
        runtime.push_str(&package_run(plan, &style));
    }
    let made: Vec<&Tree> = plan.trees.iter().filter(|it| matches!(it.ownership, Ownership::Made(_))).collect();
    let mut makes = Some(made).filter(|it| !it.is_empty());
    let moved = moved_workdirs(stage, plan, &states);
    let mut directory: Option<String> = Some("/".to_owned());
    let mut declared: Vec<String> = Vec::new();
    for (idx, block) in blocks.iter().enumerate() {
        let goes = plan.parts.get(idx).cloned().unwrap_or_default();
        let to_run = goes.run.is_some();
        if let Some(cuts) = &goes.build {
            builder.push_str(block.lead);
            push_block(&mut builder, block, cuts, None, &style);
        }
        if let InstructionKind::User(_) = block.placed.instruction.kind
            && let Some(trees) = makes.take_if(|_| to_run)
        {
            push_makes(&mut runtime, &trees, &style);
        }
        if let Some(cuts) = goes.run.as_ref().filter(|_| to_run && !moved.contains(&idx)) {
            declare(&mut runtime, stage, plan, &blocks, block, cuts, &mut declared, &style);
            let lead = if goes.build.is_some() { block.blanks() } else { block.lead.to_owned() };
            runtime.push_str(&lead);
            let added = packages_at.filter(|(at, _)| *at == idx).map(|(_, offset)| (offset, &plan.added_packages));
            push_block(&mut runtime, block, cuts, added, &style);
            if let InstructionKind::Arg(pairs) = &block.placed.instruction.kind {
                declared.extend(pairs.iter().map(|it| it.name.text.clone()));
            }
            if let InstructionKind::Workdir(_) = block.placed.instruction.kind {
                directory = states.get(idx + 1).and_then(|it| it.directory.clone());
            }
        }
        if idx == plan.last_build {
            for added in &plan.added_builds {
                builder.push_str(&block.blanks());
                let here = states.get(idx).and_then(|it| it.directory.as_deref()) == Some(added.directory.as_str());
                let change = if here { String::new() } else { format!("cd {} && ", added.directory) };
                push_line(&mut builder, &style, &format!("{} {change}{}", style.keyword("RUN"), added.command));
            }
            if let Some(trees) = makes.take() {
                push_makes(&mut runtime, &trees, &style);
            }
            for tree in &plan.trees {
                runtime.push_str(&block.blanks());
                push_line(&mut runtime, &style, &copy(tree, directory.as_deref(), &names.builder, &style));
                for at in moved.iter().filter(|at| is_directory_of(&states, **at, &tree.path)) {
                    if let Some(block) = blocks.get(*at) {
                        let stays = plan.parts.get(*at).is_some_and(|it| it.build.is_some());
                        runtime.push_str(&if stays { block.blanks() } else { block.lead.to_owned() });
                        push_block(&mut runtime, block, &[], None, &style);
                        directory = states.get(at + 1).and_then(|it| it.directory.clone());
                    }
                }
            }
        }
    }
    finish(file, stage, &blocks, builder, runtime, &style)
}

fn style<'a>(text: &'a str, stage: &Stage, escape: char) -> Style<'a> {
    let newline = match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|it| it.ends_with('\r')) => "\r\n",
        _ => "\n",
    };
    let keyword = stage.from.instruction.keyword.of(&stage.from.instruction.text);
    let at = usize::from(stage.from.at);
    let line = text.get(..at).and_then(|it| it.rfind('\n')).map_or(0, |it| it + 1);
    let indent = text.get(line..at).filter(|it| it.trim().is_empty()).unwrap_or_default();
    Style { newline, lower: keyword.chars().all(|it| !it.is_ascii_uppercase()), indent, escape }
}

/// The instructions behind FROM, each with the lines above it.
fn blocks<'a>(text: &'a str, stage: &'a Stage) -> Vec<Block<'a>> {
    let mut end = next_line(text, usize::from(stage.from.whole().end()));
    let mut res = Vec::with_capacity(stage.instructions.len());
    for placed in &stage.instructions {
        let at = usize::from(placed.at);
        let line = text.get(..at).and_then(|it| it.rfind('\n')).map_or(0, |it| it + 1).max(end);
        res.push(Block {
            lead: text.get(end..line).unwrap_or_default(),
            indent: text.get(line..at).unwrap_or_default(),
            placed,
        });
        end = next_line(text, usize::from(placed.whole().end()));
    }
    res
}

/// The first byte of the line behind this offset.
fn next_line(text: &str, offset: usize) -> usize {
    text.get(offset..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| offset + at + 1)
}

/// The names of the two stages.
struct Names {
    builder: String,
    /// Whether the builder keeps the name it has.
    keeps: bool,
    runtime: Option<String>,
}

fn names(file: &File, stage: &Stage) -> Names {
    let own = stage.name.as_ref().map(|it| it.text.clone());
    let means_building = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("build") || name.starts_with("compile")
    };
    if let Some(name) = own.as_deref().filter(|it| means_building(it)) {
        return Names { builder: name.to_owned(), keeps: true, runtime: None };
    }
    let taken = |name: &str| {
        file.stages
            .iter()
            .any(|it| it.is_named(name) || matches!(&it.base, crate::model::Base::Image(image) if image.text == name))
    };
    let fixed = ["build", "builder"].map(str::to_owned).into_iter();
    let mut candidates = fixed.chain((2..).map(|n| format!("build-{n}")));
    let builder = candidates.find(|it| !taken(it)).unwrap_or_else(|| "build".to_owned());
    Names { builder, keeps: false, runtime: own }
}

fn from_of_builder(stage: &Stage, style: &Style<'_>, names: &Names) -> String {
    let text = &*stage.from.instruction.text;
    let InstructionKind::From(from) = &stage.from.instruction.kind else { return text.to_owned() };
    if names.keeps {
        return format!("{}{text}", style.indent);
    }
    let split = |at: u32| text.split_at_checked(at as usize).unwrap_or((text, ""));
    let res = match &from.name {
        Some(name) => {
            let (before, _) = split(name.range.start);
            let (_, after) = split(name.range.end);
            format!("{before}{}{after}", names.builder)
        }
        None => {
            let (before, after) = split(from.image.range.end);
            format!("{before} {} {}{after}", style.keyword("AS"), names.builder)
        }
    };
    format!("{}{res}", style.indent)
}

fn from_of_runtime(stage: &Stage, plan: &Plan, style: &Style<'_>, names: &Names) -> String {
    let mut res = format!("{}{}", style.indent, stage.from.instruction.keyword.of(&stage.from.instruction.text));
    let platform = stage.from.instruction.flag("platform");
    if let Some(flag) = platform
        && !flag.value.as_ref().is_some_and(|it| it.text.contains("BUILDPLATFORM"))
    {
        res.push(' ');
        res.push_str(flag.range.of(&stage.from.instruction.text));
    }
    res.push(' ');
    res.push_str(&plan.runtime_text);
    if let Some(name) = &names.runtime {
        res.push_str(&format!(" {} {name}", style.keyword("AS")));
    }
    res
}

fn push_line(acc: &mut String, style: &Style<'_>, line: &str) {
    acc.push_str(style.indent);
    acc.push_str(line);
    acc.push_str(style.newline);
}

/// An instruction without the pieces that are cut out, and with words put in.
fn push_block(
    acc: &mut String,
    block: &Block<'_>,
    cuts: &[Local],
    added: Option<(u32, &Vec<String>)>,
    style: &Style<'_>,
) {
    let text = &*block.placed.instruction.text;
    acc.push_str(block.indent);
    let mut cuts = cuts.to_vec();
    cuts.sort();
    let mut at = 0;
    let put = |from: usize, to: usize, acc: &mut String| match added {
        Some((offset, words)) if (from..=to).contains(&(offset as usize)) && from < to => {
            acc.push_str(text.get(from..offset as usize).unwrap_or_default());
            for word in words {
                acc.push(' ');
                acc.push_str(word);
            }
            acc.push_str(text.get(offset as usize..to).unwrap_or_default());
        }
        _ => acc.push_str(text.get(from..to).unwrap_or_default()),
    };
    for cut in &cuts {
        let (start, end) = (cut.start as usize, cut.end as usize);
        if start > at {
            put(at, start, acc);
        }
        at = at.max(end);
    }
    put(at, text.len(), acc);
    acc.push_str(style.newline);
}

fn push_makes(acc: &mut String, trees: &[&Tree], style: &Style<'_>) {
    for tree in trees {
        if let Ownership::Made(owner) = &tree.ownership {
            let line = format!("{} mkdir -p {path} && chown {owner} {path}", style.keyword("RUN"), path = tree.path);
            push_line(acc, style, &line);
        }
    }
}

fn copy(tree: &Tree, directory: Option<&str>, builder: &str, style: &Style<'_>) -> String {
    let owner = match &tree.ownership {
        Ownership::Kept | Ownership::Made(_) => String::new(),
        Ownership::Content(owner) | Ownership::Whole(owner) => format!(" --chown={owner}"),
    };
    let whole = matches!(tree.ownership, Ownership::Whole(_) | Ownership::Made(_));
    let destination = match directory.and_then(|it| walk::below(&tree.path, it)) {
        _ if whole || directory == Some("/") => tree.path.clone(),
        Some("") => "./".to_owned(),
        Some(below) => format!("./{below}"),
        None => tree.path.clone(),
    };
    format!("{} --from={builder}{owner} {} {destination}", style.keyword("COPY"), tree.path)
}

/// WORKDIRs that stand behind the copy of their tree, since the copy makes it with its owner.
fn moved_workdirs(stage: &Stage, plan: &Plan, states: &[State]) -> Vec<usize> {
    let whole: Vec<&Tree> =
        plan.trees.iter().filter(|it| matches!(it.ownership, Ownership::Whole(_) | Ownership::Made(_))).collect();
    (0..stage.instructions.len().min(plan.last_build))
        .filter(|idx| matches!(stage.instructions[*idx].instruction.kind, InstructionKind::Workdir(_)))
        .filter(|idx| plan.parts.get(*idx).is_some_and(|it: &Goes| it.run.is_some()))
        .filter(|idx| whole.iter().any(|tree| is_directory_of(states, *idx, &tree.path)))
        .collect()
}

fn is_directory_of(states: &[State], idx: usize, tree: &str) -> bool {
    let directory = states.get(idx + 1).and_then(|it| it.directory.as_deref());
    directory.is_some_and(|it| walk::is_inside(it, tree))
}

/// Declares the ARGs of the builder that this instruction uses, just before it.
#[expect(clippy::too_many_arguments, reason = "accumulator first, then all that is looked at")]
fn declare(
    acc: &mut String,
    stage: &Stage,
    plan: &Plan,
    blocks: &[Block<'_>],
    block: &Block<'_>,
    cuts: &[Local],
    declared: &mut Vec<String>,
    style: &Style<'_>,
) {
    for (idx, placed) in stage.instructions.iter().enumerate() {
        let InstructionKind::Arg(pairs) = &placed.instruction.kind else { continue };
        if placed.at >= block.placed.at || plan.parts.get(idx).is_some_and(|it| it.run.is_some()) {
            continue;
        }
        for pair in pairs {
            if declared.contains(&pair.name.text) || !uses(block.placed, cuts, &pair.name.text) {
                continue;
            }
            declared.push(pair.name.text.clone());
            // The default may name others.
            if let Some(argument) = blocks.get(idx) {
                declare(acc, stage, plan, blocks, argument, &[], declared, style);
            }
            acc.push_str(&block.blanks());
            push_line(acc, style, &format!("{} {}", style.keyword("ARG"), argument_text(placed, pair)));
        }
    }
}

fn argument_text<'a>(placed: &'a Placed, pair: &Pair) -> &'a str {
    pair.range.of(&placed.instruction.text)
}

/// Whether an instruction refers to a variable, or runs a tool that reads it unasked.
fn uses(placed: &Placed, cuts: &[Local], name: &str) -> bool {
    let text = &*placed.instruction.text;
    let unasked = matches!(placed.instruction.kind, InstructionKind::Run(_))
        && (name == "DEBIAN_FRONTEND"
            || name.ends_with("_PROXY")
            || name.starts_with("NPM_")
            || name.starts_with("PIP_"));
    unasked || refers(text, cuts, name)
}

/// Whether `$name` or `${name` stands in a text, outside of what is cut out.
pub(super) fn refers(text: &str, cuts: &[Local], name: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        if cuts.iter().any(|cut| (cut.start..cut.end).contains(&(at as u32))) {
            return false;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let rest = rest.strip_prefix(['!', '#']).unwrap_or(rest);
        rest.strip_prefix(name).is_some_and(|it| !it.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_'))
    })
}

/// The last install of packages that the stage which runs has, and where its list ends.
fn package_place(stage: &Stage, plan: &Plan) -> Option<(usize, u32)> {
    if plan.added_packages.is_empty() {
        return None;
    }
    for (idx, placed) in stage.instructions.iter().enumerate().rev() {
        let InstructionKind::Run(run) = &placed.instruction.kind else { continue };
        let Some(cuts) = plan.parts.get(idx).and_then(|it| it.run.as_ref()) else { continue };
        let Some(script) = run.script() else { continue };
        for call in script.calls.iter().rev().filter(|it| matches!(it.program.as_str(), "apt-get" | "apt")) {
            let words = call.arguments.iter().filter(|it| !cuts.iter().any(|cut| cut.contains_range(it.range)));
            let words: Vec<_> = words.collect();
            let installs = words.iter().any(|it| it.literal().as_deref() == Some("install"));
            let last = words.last().filter(|it| it.literal().is_some_and(|it| !it.starts_with('-')));
            if let (true, Some(last)) = (installs, last) {
                return Some((idx, last.range.end));
            }
        }
    }
    None
}

/// The RUN that installs what only the full image had.
fn package_run(plan: &Plan, style: &Style<'_>) -> String {
    let Style { newline, indent, escape, .. } = style;
    format!(
        "{indent}{run} apt-get update {escape}{newline}{indent}    && apt-get install -y --no-install-recommends {packages} {escape}{newline}{indent}    && rm -rf /var/lib/apt/lists/*{newline}",
        run = style.keyword("RUN"),
        packages = plan.added_packages.join(" "),
    )
}

/// The edit of the whole stage, so that what did not change stays untouched at both ends.
fn finish(
    file: &File,
    stage: &Stage,
    blocks: &[Block<'_>],
    builder: String,
    runtime: String,
    style: &Style<'_>,
) -> TextEdit {
    let text = &*file.text;
    let start = usize::from(stage.from.at);
    let line = text.get(..start).and_then(|it| it.rfind('\n')).map_or(0, |it| it + 1);
    let from_line = text.get(line..start).is_some_and(|it| it.trim().is_empty());
    let line = if from_line { line } else { start };
    let last = blocks.last().map_or(stage.from.whole().end(), |it| it.placed.whole().end());
    let end = next_line(text, usize::from(last));
    let mut res = builder;
    for _ in 0..blank_lines(file, stage) {
        res.push_str(style.newline);
    }
    res.push_str(&runtime);
    if !text.get(..end).is_some_and(|it| it.ends_with('\n')) {
        res.truncate(res.trim_end_matches(['\n', '\r']).len());
    }
    let range = TextRange::new(TextSize::new(line as u32), TextSize::new(end as u32));
    TextEdit::replace(range, res)
}

/// How many blank lines stand between stages: as the file has it, else one.
fn blank_lines(file: &File, stage: &Stage) -> usize {
    let text = &*file.text;
    let between = file.stages.iter().skip(1).map(|it| usize::from(it.from.at)).next();
    let Some(at) = between.filter(|_| file.stages.len() > 1 || stage.range.is_empty()) else { return 1 };
    let before = text.get(..at).unwrap_or_default();
    let lines: Vec<&str> = before.lines().collect();
    let lead = lines.iter().rev().take_while(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    lead.filter(|line| line.trim().is_empty()).count()
}
