//! Stages, their graph and their variables, from the instructions in order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::expand::Lexer;
use crate::lower::instruction::instruction;
use crate::lower::pragma;
use crate::model::{
    Base, Fault, File, Frame, ImageRef, Instruction, InstructionKind, Name, Origin, Pair, Placed, Platform, Scope,
    ShellKind, Source, Stage, Variable, Word,
};
use crate::segment::{self, Segment, Segments};
use crate::text::TextSize;

/// What a build is given besides the text.
#[derive(Clone, Debug, Default)]
pub struct Build<'a> {
    /// `--build-arg`s.
    pub arguments: Option<&'a BTreeMap<String, String>>,
    /// The platform that is built for.
    pub platform: Platform,
}

/// Lowers a whole text. Instructions that `before` holds with the same text and frame are taken from it.
pub fn file(text: Arc<str>, build: &Build<'_>, before: Option<&File>) -> File {
    let Segments { directives, segments, comments, faults } = segment::segment(&text);
    let mut kept = Kept::new(before, &text, &segments);
    let mut assembly = Assembly {
        build,
        escape: directives.escape,
        preamble: Vec::new(),
        stages: Vec::new(),
        shells: Vec::new(),
        globals: predefined(&build.platform),
        faults: Vec::new(),
    };
    let mut pragmas = comments.iter().filter_map(|comment| pragma::shell(&text[*comment]).map(|it| (comment, it)));
    let mut pragma = pragmas.next();
    for (idx, segment) in segments.iter().enumerate() {
        while let Some((_, shell)) = pragma.take_if(|(comment, _)| comment.start() < segment.range.start()) {
            assembly.use_shell(shell);
            pragma = pragmas.next();
        }
        let source = &text[segment.range];
        let frame = assembly.frame();
        let instruction = kept.take(idx, source, frame).unwrap_or_else(|| Arc::new(instruction(source.into(), frame)));
        assembly.add(Placed { at: segment.range.start(), line: segment.first_line, instruction });
    }
    let Assembly { preamble, mut stages, globals, faults: late, .. } = assembly;
    resolve_sources(&mut stages);
    let mut all = late;
    all.extend(faults.into_iter().map(|fault| Fault { range: fault.range, message: fault.message, line: None }));
    all.sort_by_key(|fault| fault.range.start());
    File { text, directives, preamble, stages, globals, comments, faults: all }
}

/// The instructions of an earlier analysis, to be taken over: those before and behind what changed have their place, the
/// few between are looked up by text.
struct Kept<'a> {
    before: Vec<&'a Arc<Instruction>>,
    /// How many instructions at the beginning have the same texts.
    n_first: usize,
    /// How many at the end.
    n_last: usize,
    n_now: usize,
    between: Option<HashMap<(&'a str, Frame), &'a Arc<Instruction>>>,
}

impl<'a> Kept<'a> {
    fn new(before: Option<&'a File>, text: &str, segments: &[Segment]) -> Kept<'a> {
        let before: Vec<_> =
            before.map_or_else(Vec::new, |file| file.instructions().map(|it| &it.instruction).collect());
        let same = |(segment, instruction): &(&Segment, &&Arc<Instruction>)| text[segment.range] == *instruction.text;
        let n_first = segments.iter().zip(&before).take_while(same).count();
        let n_last = segments[n_first..].iter().rev().zip(before[n_first..].iter().rev()).take_while(same).count();
        Kept { before, n_first, n_last, n_now: segments.len(), between: None }
    }

    /// The instruction that had this text and frame; `idx` is the place of the text among all of now.
    fn take(&mut self, idx: usize, text: &str, frame: Frame) -> Option<Arc<Instruction>> {
        let from_end = self.n_now - idx;
        let in_place = if idx < self.n_first {
            self.before.get(idx)
        } else if from_end <= self.n_last {
            self.before.len().checked_sub(from_end).and_then(|idx| self.before.get(idx))
        } else {
            None
        };
        if let Some(instruction) = in_place.filter(|it| it.frame == frame) {
            return Some(Arc::clone(instruction));
        }
        let changed = &self.before[self.n_first..self.before.len() - self.n_last];
        let between = self.between.get_or_insert_with(|| {
            changed.iter().map(|instruction| ((&*instruction.text, instruction.frame), *instruction)).collect()
        });
        between.get(&(text, frame)).map(|instruction| Arc::clone(instruction))
    }
}

struct Assembly<'a> {
    build: &'a Build<'a>,
    escape: char,
    preamble: Vec<Placed>,
    stages: Vec<Stage>,
    /// The shell at the end of each stage.
    shells: Vec<ShellKind>,
    globals: Scope,
    faults: Vec<Fault>,
}

impl Assembly<'_> {
    fn frame(&self) -> Frame {
        Frame { escape: self.escape, shell: self.shells.last().copied().unwrap_or(ShellKind::Posix) }
    }

    /// Takes in what a comment says of the shell. One that stops at errors does so whatever its name.
    fn use_shell(&mut self, shell: ShellKind) {
        if let Some(now) = self.shells.last_mut()
            && !(now.is_posix() && shell.is_posix())
        {
            *now = shell;
        }
    }

    fn add(&mut self, placed: Placed) {
        let instruction = Arc::clone(&placed.instruction);
        for fault in &instruction.faults {
            let line = fault.names_line.then_some(placed.line + 1);
            self.faults.push(Fault { range: placed.range(fault.range), message: fault.message.clone(), line });
        }
        if instruction.name == "FROM" {
            self.open_stage(placed);
            return;
        }
        let Some(stage) = self.stages.last_mut() else {
            match &instruction.kind {
                InstructionKind::Arg(pairs) => self.declare_globals(&placed, pairs),
                _ if instruction.faults.is_empty() => self.faults.push(Fault {
                    range: placed.range(instruction.keyword),
                    message: "no build stage in current context".to_owned(),
                    line: None,
                }),
                _ => {}
            }
            self.preamble.push(placed);
            return;
        };
        match &instruction.kind {
            InstructionKind::Arg(pairs) => {
                declare_arguments(stage, &self.globals, self.build, self.escape, &placed, pairs)
            }
            InstructionKind::Env(pairs) => set_environment(stage, self.escape, &placed, pairs),
            InstructionKind::Shell(words) => {
                if let Some(shell) = self.shells.last_mut() {
                    *shell = shell_kind(words);
                }
            }
            _ => {}
        }
        stage.range = stage.range.cover(placed.whole());
        stage.instructions.push(placed);
    }

    fn open_stage(&mut self, placed: Placed) {
        let resolve = |word: &Word| resolve(&word.text, &self.globals, None, true, self.escape);
        let mut scope = Scope::default();
        let mut shell = if self.escape == '`' { ShellKind::Cmd } else { ShellKind::Posix };
        let (base, name) = match &placed.instruction.kind {
            InstructionKind::From(from) => {
                let base = match resolve(&from.image) {
                    None => Base::Unknown(from.image.text.clone()),
                    Some(text) => match self.stages.iter().rposition(|stage| stage.is_named(&text)) {
                        Some(parent) => Base::Stage(parent),
                        None if text == "scratch" => Base::Scratch,
                        None => ImageRef::parse(&text).map_or(Base::Unknown(text), Base::Image),
                    },
                };
                let name = from.name.as_ref().map(|word| Name { text: word.text.clone(), range: word.range });
                (base, name)
            }
            _ => (Base::Unknown(String::new()), None),
        };
        match &base {
            Base::Stage(parent) => {
                shell = self.shells.get(*parent).copied().unwrap_or(shell);
                // ARG too: the environment of the parent's end is that of the beginning (`dispatchState.init`).
                let inherited = self.stages[*parent].scope.variables.iter();
                scope.variables =
                    inherited.map(|it| Arc::new(Variable { inherited: true, ..Variable::clone(it) })).collect();
            }
            Base::Image(image) if is_windows(image) => shell = ShellKind::Cmd,
            Base::Image(_) | Base::Scratch | Base::Unknown(_) => {}
        }
        let platform = placed.instruction.flag("platform").and_then(|flag| flag.value.as_ref());
        let platform = platform.and_then(resolve).and_then(|text| Platform::parse(&text));
        self.shells.push(shell);
        self.stages.push(Stage {
            range: placed.whole(),
            from: placed,
            name,
            base,
            platform,
            instructions: Vec::new(),
            sources: Vec::new(),
            scope,
        });
    }

    fn declare_globals(&mut self, placed: &Placed, pairs: &[Pair]) {
        for pair in pairs {
            let given = self.build.arguments.and_then(|arguments| arguments.get(&pair.name.text)).cloned();
            let origin = if given.is_some() { Origin::BuildArg } else { Origin::Arg };
            let default =
                pair.value.as_ref().and_then(|word| resolve(&word.text, &self.globals, None, true, self.escape));
            self.globals.variables.push(Arc::new(Variable {
                name: pair.name.text.clone(),
                value: given.or(default),
                origin,
                range: Some(placed.range(pair.name.range)),
                inherited: false,
            }));
        }
    }
}

/// ARG in a stage (`dispatchArg` in `dockerfile2llb/convert.go`): a build argument, else its own default, else the
/// global one of the same name, else a predefined one.
fn declare_arguments(
    stage: &mut Stage,
    globals: &Scope,
    build: &Build<'_>,
    escape: char,
    placed: &Placed,
    pairs: &[Pair],
) {
    let scratch = stage.base == Base::Scratch;
    for pair in pairs {
        let name = &pair.name.text;
        let given = build.arguments.and_then(|arguments| arguments.get(name)).cloned();
        let (value, origin) = match (given, &pair.value) {
            (Some(given), _) => (Some(given), Origin::BuildArg),
            (None, Some(word)) => (resolve(&word.text, &stage.scope, None, scratch, escape), Origin::Arg),
            (None, None) => (globals.get(name).and_then(|it| it.value.clone()), Origin::GlobalArg),
        };
        let range = Some(placed.range(pair.name.range));
        stage.scope.variables.push(Arc::new(Variable { name: name.clone(), value, origin, range, inherited: false }));
    }
}

/// ENV in a stage: all values of one instruction are resolved with what held before it.
fn set_environment(stage: &mut Stage, escape: char, placed: &Placed, pairs: &[Pair]) {
    let scratch = stage.base == Base::Scratch;
    let value = |pair: &Pair| {
        let word = pair.value.as_ref()?;
        resolve(&word.text, &stage.scope, None, scratch, escape)
    };
    let variables: Vec<_> = pairs
        .iter()
        .map(|pair| {
            Arc::new(Variable {
                name: pair.name.text.clone(),
                value: value(pair),
                origin: Origin::Env,
                range: Some(placed.range(pair.name.range)),
                inherited: false,
            })
        })
        .collect();
    stage.scope.variables.extend(variables);
}

/// The value of a word, `None` where it hangs on something that is not known: an ARG without a default, or (unless
/// `closed`) a name that only the base image could have set. With `at`, what is set from there on does not count.
pub fn resolve(text: &str, scope: &Scope, at: Option<TextSize>, closed: bool, escape: char) -> Option<String> {
    if !text.contains(['$', '\'', '"', escape]) {
        return Some(text.to_owned());
    }
    let unknown = std::cell::Cell::new(false);
    let look_up = |name: &str, has_operator: bool| {
        let variable = match at {
            Some(at) => scope.get_at(name, at),
            None => scope.get(name),
        };
        match variable {
            Some(variable) => {
                let argument = variable.origin != Origin::Env;
                if variable.value.is_none() && !(has_operator && argument) {
                    unknown.set(true);
                }
                variable.value.clone()
            }
            None => {
                if !closed || !has_operator {
                    unknown.set(true);
                }
                None
            }
        }
    };
    let value = Lexer::values(escape).word(text, &look_up).ok()?;
    (!unknown.get()).then_some(value)
}

/// What BuildKit sets without being asked, for FROM (`defaultArgs` in `dockerfile2llb/platform.go`). The machine that
/// builds is taken to be of the platform that is built for.
fn predefined(platform: &Platform) -> Scope {
    let variant = platform.variant.clone().unwrap_or_default();
    let mut variables = Vec::new();
    for side in ["BUILD", "TARGET"] {
        let values = [
            ("PLATFORM", platform.to_string()),
            ("OS", platform.os.clone()),
            ("ARCH", platform.arch.clone()),
            ("VARIANT", variant.clone()),
        ];
        variables.extend(values.into_iter().map(|(part, value)| {
            let name = format!("{side}{part}");
            Arc::new(Variable { name, value: Some(value), origin: Origin::Predefined, range: None, inherited: true })
        }));
    }
    Scope { variables }
}

fn is_windows(image: &ImageRef) -> bool {
    image.registry == "mcr.microsoft.com" && image.path.starts_with("windows")
        || ["nanoserver", "servercore", "windowsservercore"]
            .iter()
            .any(|it| image.path.contains(it) || image.tag.as_ref().is_some_and(|tag| tag.contains(it)))
}

/// What kind of shell a SHELL instruction names.
fn shell_kind(words: &[Word]) -> ShellKind {
    let Some(program) = words.first() else { return ShellKind::Posix };
    match shell_named(&program.text) {
        ShellKind::Posix => {
            let mut options = words[1..].iter().map(|word| word.text.as_str());
            let errexit = words[1..].windows(2).any(|pair| pair[0].text == "-o" && pair[1].text == "errexit")
                || options.any(|it| it.starts_with('-') && !it.starts_with("--") && it.contains('e'));
            if errexit { ShellKind::PosixErrexit } else { ShellKind::Posix }
        }
        kind => kind,
    }
}

/// The kind of a shell by its name or path.
pub(super) fn shell_named(program: &str) -> ShellKind {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    match name.trim_end_matches(".exe") {
        "powershell" | "pwsh" => ShellKind::PowerShell,
        "cmd" => ShellKind::Cmd,
        "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh" => ShellKind::Posix,
        _ => ShellKind::Other,
    }
}

/// What `--from=` and `--mount=from=` name: a number counts stages, else a stage's name, else an image.
fn resolve_sources(stages: &mut [Stage]) {
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for (idx, stage) in stages.iter().enumerate() {
        if let Some(name) = &stage.name {
            by_name.insert(name.text.to_ascii_lowercase(), idx);
        }
    }
    let n_stages = stages.len();
    let source = |text: &str| {
        if text.contains('$') {
            return Source::Unknown(text.to_owned());
        }
        if let Some(idx) = text.parse::<usize>().ok().filter(|idx| *idx < n_stages) {
            return Source::Stage(idx);
        }
        match by_name.get(&text.to_ascii_lowercase()) {
            Some(idx) => Source::Stage(*idx),
            None => ImageRef::parse(text).map_or_else(|| Source::Unknown(text.to_owned()), Source::Image),
        }
    };
    for stage in stages {
        for (idx, placed) in stage.instructions.iter().enumerate() {
            match &placed.instruction.kind {
                InstructionKind::Copy(_) | InstructionKind::Add(_) => {
                    let value = placed.instruction.flag("from").and_then(|flag| flag.value.as_ref());
                    stage.sources.extend(value.map(|word| (idx, source(&word.text))));
                }
                InstructionKind::Run(run) => {
                    let values = run.mounts.iter().filter_map(|mount| mount.value(&["from"]));
                    stage.sources.extend(values.map(|word| (idx, source(&word.text))));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Build, file};
    use crate::model::ShellKind;

    /// How many instructions of the second text are the very ones of the first.
    fn n_kept(before: &str, after: &str) -> usize {
        let before = file(before.into(), &Build::default(), None);
        let after = file(after.into(), &Build::default(), Some(&before));
        let is_kept = |it: &&crate::model::Placed| {
            before.instructions().any(|old| Arc::ptr_eq(&old.instruction, &it.instruction))
        };
        after.instructions().filter(is_kept).count()
    }

    #[test]
    fn an_unchanged_instruction_is_not_lowered_again() {
        let text = "FROM a\nRUN b\nRUN c\nCMD d\n";
        assert_eq!(n_kept(text, text), 4);
        assert_eq!(n_kept(text, "FROM a\nRUN bb\nRUN c\nCMD d\n"), 3);
        assert_eq!(n_kept(text, "FROM a\nRUN c\nRUN b\nCMD d\n"), 4);
        assert_eq!(n_kept(text, "# new\nFROM a\nUSER x\nRUN b\nRUN c\nCMD d\n"), 4);
    }

    #[test]
    fn a_comment_says_which_shell_a_stage_has() {
        let kinds = |text: &str| -> Vec<ShellKind> {
            let file = file(text.into(), &Build::default(), None);
            file.instructions().filter(|it| it.instruction.name == "RUN").map(|it| it.instruction.frame.shell).collect()
        };
        let (posix, pwsh) = (ShellKind::Posix, ShellKind::PowerShell);
        assert_eq!(kinds("FROM a\nRUN b\n# hadolint shell=pwsh\nRUN b\nFROM c\nRUN d\n"), [posix, pwsh, posix]);
        assert_eq!(kinds("# hadolint shell=pwsh\nFROM a\nRUN b\n"), [posix], "a FROM begins anew");
        assert_eq!(kinds("FROM a\n# hadolint shell=pwsh\nFROM a\nRUN b\n"), [posix]);
        let strict = "FROM a\nSHELL [\"bash\", \"-e\", \"-c\"]\n# hadolint shell=bash\nRUN b\n";
        assert_eq!(kinds(strict), [ShellKind::PosixErrexit]);
        let windows =
            "# escape=`\nFROM mcr.microsoft.com/windows/nanoserver:1809\n# hadolint shell = bash # git\nRUN b\n";
        assert_eq!(kinds(windows), [posix]);
    }

    #[test]
    fn another_shell_is_another_instruction() {
        let powershell = "FROM a\nSHELL [\"pwsh\"]\nRUN b\n";
        assert_eq!(n_kept("FROM a\nSHELL [\"bash\"]\nRUN b\n", powershell), 1);
    }
}
