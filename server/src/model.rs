//! A Dockerfile as typed values: stages, instructions, flags, mounts, words, variables.
//!
//! Everything here is a value: no lifetimes, no tree nodes, no protocol types. An [`Instruction`] is a value of its own
//! text and [`Frame`] alone, its ranges count from its own first byte; [`Placed`] says where it stands.
//!
//! **Invariant:** a text of any kind gives a [`File`]; what BuildKit would reject stands in [`File::faults`].

pub mod image;
pub mod scope;

use std::sync::Arc;

use crate::segment::Directives;
use crate::shell::Script;
use crate::text::{Local, TextRange, TextSize};

pub use image::{ImageRef, Platform};
pub use scope::{Origin, Scope, Variable};

/// A whole Dockerfile.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// The text it was made from.
    pub text: Arc<str>,
    /// `# syntax=`, `# escape=`, `# check=` at the top.
    pub directives: Directives,
    /// Instructions before the first FROM: global `ARG`s, and what does not belong there.
    pub preamble: Vec<Placed>,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// Variables of the global scope: `ARG`s before the first FROM.
    pub globals: Scope,
    /// Comment lines outside instructions.
    pub comments: Vec<TextRange>,
    /// What BuildKit would reject, in BuildKit's words, in the order of the text.
    pub faults: Vec<Fault>,
}

/// One build stage: a FROM and what follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// From the FROM to the end of the last instruction.
    pub range: TextRange,
    /// The FROM itself.
    pub from: Placed,
    /// The name after `AS`.
    pub name: Option<Name>,
    /// What it is built on.
    pub base: Base,
    /// `--platform` of the FROM, with variables resolved; `None` when not written or not known.
    pub platform: Option<Platform>,
    /// The instructions after the FROM.
    pub instructions: Vec<Placed>,
    /// For each instruction of `instructions`, the stage it takes files from (`--from=`, `--mount=from=`): pairs of
    /// instruction index and what was named.
    pub sources: Vec<(usize, Source)>,
    /// The variables of this stage, as known after its last instruction.
    pub scope: Scope,
}

/// What a stage is built on.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// An image of a registry, with variables resolved.
    Image(ImageRef),
    /// An earlier stage, by its index.
    Stage(usize),
    /// `FROM scratch`
    Scratch,
    /// A text with a variable of no known value, or no image at all.
    Unknown(String),
}

/// What `COPY --from=`, `ADD --from=` or `RUN --mount=from=` names.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// An earlier stage, by its index.
    Stage(usize),
    /// An image (or a named context, which looks alike).
    Image(ImageRef),
    /// A name with an unknown variable.
    Unknown(String),
}

/// A name in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where it stands in its instruction.
    pub range: Local,
}

/// An instruction and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// First byte of the instruction in the file.
    pub at: TextSize,
    /// The first line of the instruction, counting from 0, lines ending at LF as BuildKit counts them.
    pub line: u32,
    /// The instruction; shared with earlier analyses of the same document when its text did not change.
    pub instruction: Arc<Instruction>,
}

impl Placed {
    /// The place in the file of a range in this instruction: the only way from one kind of range to the other.
    pub fn range(&self, local: Local) -> TextRange {
        TextRange::new(self.at + TextSize::from(local.start), self.at + TextSize::from(local.end))
    }

    /// The whole instruction, heredocs included, without its last line end.
    pub fn whole(&self) -> TextRange {
        TextRange::at(self.at, TextSize::of(&*self.instruction.text))
    }

    /// The place in this instruction of an offset of the file; `None` when it lies outside.
    pub fn local(&self, offset: TextSize) -> Option<u32> {
        self.whole().contains_inclusive(offset).then(|| u32::from(offset - self.at))
    }
}

/// How the text of an instruction is to be read: with its text, all that its lowered form depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The escape character of the file, `\` or `` ` ``.
    pub escape: char,
    /// The shell that carries out RUN and shell forms here.
    pub shell: ShellKind,
}

/// The shells that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShellKind {
    /// `/bin/sh -c`, the default, or a SHELL of the same family (`bash`, `ash`, `dash`), without `-e`.
    Posix,
    /// A POSIX shell with `-e` among its options.
    PosixErrexit,
    /// PowerShell or `pwsh`.
    PowerShell,
    /// `cmd /S /C`
    Cmd,
    /// A SHELL that is none of these (`python -c`).
    Other,
}

impl ShellKind {
    /// Whether its text is parsed as shell.
    pub fn is_posix(self) -> bool {
        matches!(self, ShellKind::Posix | ShellKind::PosixErrexit)
    }
}

/// One instruction as a value of its own text.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// Its text, from its first byte that is no blank to its last, heredoc bodies included, last line end not.
    pub text: Arc<str>,
    /// How it was read.
    pub frame: Frame,
    /// The word it begins with.
    pub keyword: Local,
    /// The keyword in upper case.
    pub name: String,
    /// The flags in front of the arguments (`--from=x`), in order, also those that this instruction does not know.
    pub flags: Vec<Flag>,
    /// What it is and says.
    pub kind: InstructionKind,
    /// Heredocs in order, where the instruction can have them (RUN, COPY, ADD).
    pub heredocs: Vec<Heredoc>,
    /// Comment lines inside a continuation.
    pub comments: Vec<Local>,
    /// What BuildKit would reject in it, first what it meets first.
    pub faults: Vec<LocalFault>,
}

impl Instruction {
    /// The flag of this name (without `--`), if it is written.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }
}

/// The kinds of instructions.
#[derive(Clone, Debug, PartialEq)]
pub enum InstructionKind {
    /// `FROM image [AS name]`
    From(From),
    /// `RUN …`
    Run(Run),
    /// `CMD …`
    Cmd(Form),
    /// `ENTRYPOINT …`
    Entrypoint(Form),
    /// `SHELL ["…"]`
    Shell(Vec<Word>),
    /// `COPY …`
    Copy(Copy),
    /// `ADD …`
    Add(Copy),
    /// `ENV k=v …`, `ENV k v`
    Env(Vec<Pair>),
    /// `ARG name[=default] …`
    Arg(Vec<Pair>),
    /// `LABEL k=v …`
    Label(Vec<Pair>),
    /// `EXPOSE port …`
    Expose(Vec<Word>),
    /// `VOLUME path …`
    Volume(Vec<Word>),
    /// `USER name[:group]`
    User(Word),
    /// `WORKDIR path`
    Workdir(Word),
    /// `STOPSIGNAL signal`
    Stopsignal(Word),
    /// `HEALTHCHECK …`
    Healthcheck(Healthcheck),
    /// `ONBUILD INSTRUCTION …`: the inner one has the outer one's text and its ranges.
    Onbuild(Box<Instruction>),
    /// `MAINTAINER name`
    Maintainer(Word),
    /// Not an instruction BuildKit knows, or one without what it needs.
    Unknown,
}

/// A word as BuildKit sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where it stands; a continuation inside it is part of the range.
    pub range: Local,
    /// Its text with continuations taken out; quotes, `$` and escapes as written, but resolved in a JSON form.
    pub text: String,
}

/// `--name=value` or `--name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The whole flag.
    pub range: Local,
    /// The name without `--`.
    pub name: String,
    /// Where the name stands, without `--`.
    pub name_range: Local,
    /// The text after `=`; `None` when there is no `=`.
    pub value: Option<Word>,
}

/// A FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From {
    /// The image, as written.
    pub image: Word,
    /// The word `AS`, as written.
    pub keyword_as: Option<Word>,
    /// The stage name.
    pub name: Option<Word>,
}

/// A RUN.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `--mount=…`, each as its options.
    pub mounts: Vec<Mount>,
    /// What it runs.
    pub form: Form,
}

impl Run {
    /// The shell text, where there is any that is parsed.
    pub fn script(&self) -> Option<&Script> {
        self.form.script()
    }
}

/// A command of RUN, CMD, ENTRYPOINT or HEALTHCHECK.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Text for the shell of the frame, parsed where that is a POSIX shell.
    Shell(ShellText),
    /// A JSON array: program and arguments, run without a shell.
    Exec(Vec<Word>),
    /// `RUN <<EOF`: the first heredoc is the script itself.
    Heredoc {
        /// Its body as shell, unless it begins with a shebang of something else or the frame's shell is not POSIX.
        script: Option<Script>,
        /// The shebang line without `#!`.
        shebang: Option<Word>,
    },
    /// Nothing written behind the keyword.
    Empty,
}

impl Form {
    /// The shell text, where there is any that is parsed.
    pub fn script(&self) -> Option<&Script> {
        match self {
            Form::Shell(text) => text.script.as_ref(),
            Form::Heredoc { script, .. } => script.as_ref(),
            Form::Exec(_) | Form::Empty => None,
        }
    }
}

/// Text for a shell.
#[derive(Clone, Debug, PartialEq)]
pub struct ShellText {
    /// Where it stands: from its first byte to its last, heredoc bodies not included.
    pub range: Local,
    /// The text as the shell gets it: continuations and comment lines taken out.
    pub text: String,
    /// Parsed, if the frame's shell is POSIX.
    pub script: Option<Script>,
}

/// `--mount=type=cache,target=/x,…`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The whole flag.
    pub range: Local,
    /// The options in order: key as written in lower case, value if there is an `=`.
    pub options: Vec<MountOption>,
}

impl Mount {
    /// The value of the first of these keys that is set.
    pub fn value(&self, keys: &[&str]) -> Option<&Word> {
        self.options.iter().find(|option| keys.contains(&option.key.as_str()))?.value.as_ref()
    }

    /// `bind` (the default), `cache`, `tmpfs`, `secret` or `ssh`, as written.
    pub fn kind(&self) -> &str {
        self.value(&["type"]).map_or("bind", |word| word.text.as_str())
    }

    /// Where it is mounted.
    pub fn target(&self) -> Option<&Word> {
        self.value(&["target", "dst", "destination"])
    }
}

/// One option of a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOption {
    /// The key in lower case.
    pub key: String,
    /// Key and value.
    pub range: Local,
    /// The value.
    pub value: Option<Word>,
}

/// A COPY or an ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Source paths; those that are heredocs are in [`Instruction::heredocs`] and not here.
    pub sources: Vec<Word>,
    /// The destination; `None` while it is not yet typed.
    pub destination: Option<Word>,
    /// Whether the words are a JSON array.
    pub json: bool,
}

/// `name=value`, `name value` or a bare name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Name and value together.
    pub range: Local,
    /// The name.
    pub name: Word,
    /// The value as written, quotes kept; `None` for an ARG without default.
    pub value: Option<Word>,
    /// Whether it is the old form with a blank instead of `=`.
    pub legacy: bool,
}

/// A HEALTHCHECK.
#[derive(Clone, Debug, PartialEq)]
pub enum Healthcheck {
    /// `HEALTHCHECK NONE`
    None,
    /// `HEALTHCHECK [flags] CMD …`
    Cmd(Form),
    /// Neither, yet.
    Unknown,
}

/// A here-document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// `<<-"EOF"` in the instruction's line.
    pub marker: Local,
    /// The delimiter without quotes.
    pub name: String,
    /// Whether variables are expanded in the body: the delimiter is not quoted.
    pub expand: bool,
    /// `<<-`: leading tabs are taken off.
    pub chomp: bool,
    /// The lines between, with their line ends.
    pub body: Local,
    /// The line that ends it; `None` when the file ends first.
    pub terminator: Option<Local>,
}

/// What BuildKit would reject, in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The piece to blame.
    pub range: TextRange,
    /// BuildKit's words, without its `dockerfile parse error on line N: `.
    pub message: String,
    /// The line that BuildKit names, counting from 1, where it names one.
    pub line: Option<u32>,
}

/// What BuildKit would reject, in an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFault {
    /// The piece to blame.
    pub range: Local,
    /// BuildKit's words.
    pub message: String,
    /// Whether BuildKit names the instruction's first line with it.
    pub names_line: bool,
}

impl File {
    /// Every instruction of the file in order, preamble and FROMs included.
    pub fn instructions(&self) -> impl Iterator<Item = &Placed> {
        let stages = self.stages.iter().flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions));
        self.preamble.iter().chain(stages)
    }

    /// The instruction in whose text, or on whose lines, this offset lies.
    pub fn instruction_at(&self, offset: TextSize) -> Option<&Placed> {
        self.instructions().find(|placed| placed.whole().contains_inclusive(offset))
    }

    /// The stage of this name, letter case ignored as BuildKit does; of several with one name the last.
    pub fn stage_named(&self, name: &str) -> Option<usize> {
        self.stages.iter().rposition(|stage| stage.is_named(name))
    }
}

impl Stage {
    /// Whether this is the stage's name, letter case ignored.
    pub fn is_named(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|it| it.text.eq_ignore_ascii_case(name))
    }

    /// The RUN instructions, each with its index in `instructions`.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &Placed, &Run)> {
        self.instructions.iter().enumerate().filter_map(|(idx, placed)| match &placed.instruction.kind {
            InstructionKind::Run(run) => Some((idx, placed, run)),
            _ => None,
        })
    }
}
