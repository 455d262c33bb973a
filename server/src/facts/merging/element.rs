//! One RUN as an element of a group: what decides whether and how it is joined with others.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::merging::flags::Flags;
use crate::facts::merging::obstacle::Obstacle;
use crate::facts::merging::programs::{self, Use};
use crate::facts::merging::{account, daemons, exec, heredoc};
use crate::facts::stage::User;
use crate::model::{Form, Instruction, InstructionKind, Placed, Run, ShellKind, Stage};
use crate::shell::state::{self, ShellOption, State};
use crate::shell::{self, Call, Command, CommandKind, Item, Pipeline, Script, Word};
use crate::text::Local;

/// A RUN and what its shell text does to the shell that runs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its index in `Stage::instructions`.
    pub instruction: usize,
    /// From the first byte of its first command to the last of its last; a `;` or a comment behind them is left out.
    pub core: Local,
    /// Why it cannot be joined with any other.
    pub obstacle: Option<Obstacle>,
    /// Of an exec form, the same as words for a shell: what stands in the place of `core`.
    pub exec: Option<Arc<str>>,
    /// Of a script in a heredoc, the lines it stands on.
    pub body: Option<Local>,
    pub(super) text: Arc<str>,
    pub(super) flags: Flags,
    pub(super) state: State,
    /// Whether the SHELL in force has `-e` among its options.
    pub(super) shell_errexit: bool,
    /// Whether `-e` could decide inside of one of its commands: commands that follow one another in a compound or a
    /// substitution, functions, `eval`, `source`.
    pub(super) inner_sequence: bool,
    /// Whether it is several and-or lists.
    pub(super) is_sequence: bool,
    /// The `set -e …` it begins with and what comes behind, if it does.
    pub(super) list: Option<ErrexitList>,
    /// The whole of it as something that can stand behind another's `set -e`, if `-e` means nothing to it.
    pub(super) plain: Option<ErrexitList>,
    pub(super) used: Vec<Use>,
    pub(super) replaced: Vec<Use>,
    pub(super) replaces_unknown: Option<u32>,
    /// The variables of its loops.
    pub(super) loop_variables: Vec<String>,
    /// Whether `set -e` stands at any depth and could decide inside of a command: left of `&&` it would not.
    pub(super) inner_errexit: bool,
    /// Whether it may have a trap for failures, which bash does not spring left of `&&`.
    pub(super) error_trap: bool,
}

/// A list that begins with `set -e`, or that can stand behind one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ErrexitList {
    /// The `set` command, if there is one.
    pub(super) set: Local,
    /// What it switches on; nothing without it.
    pub(super) options: BTreeSet<ShellOption>,
    /// Whether it switches options that must not reach the next element.
    pub(super) own_shell: bool,
    /// The and-or lists behind it.
    pub(super) rest: Vec<Local>,
    /// The last of them in pieces, each of which may stand for itself; `None` where it may not be taken apart.
    pub(super) last: Option<Vec<Local>>,
}

impl Element {
    /// Looks at a RUN; `None` for another instruction.
    pub(super) fn of(idx: usize, placed: &Placed, stage: &Stage, user: Option<&User>) -> Option<Element> {
        let instruction = &placed.instruction;
        let InstructionKind::Run(run) = &instruction.kind else { return None };
        let mut res = Element {
            instruction: idx,
            core: Local::default(),
            obstacle: None,
            exec: None,
            body: None,
            text: Arc::clone(&instruction.text),
            flags: Flags::of(instruction, run),
            state: State::default(),
            shell_errexit: instruction.frame.shell == ShellKind::PosixErrexit,
            inner_sequence: false,
            is_sequence: false,
            list: None,
            plain: None,
            used: Vec::new(),
            replaced: Vec::new(),
            replaces_unknown: None,
            loop_variables: Vec::new(),
            inner_errexit: false,
            error_trap: false,
        };
        let look_up = |name: &str| stage.scope.get_at(name, placed.at)?.value.clone();
        let changes = |call: &Call| account::changes(call, user, &look_up);
        if let Form::Exec(words) = &run.form {
            match exec::as_shell(words, idx, stage) {
                Some((core, text)) => res.fill_exec(core, text, &changes),
                None => res.obstacle = Some(Obstacle::ExecForm),
            }
            return Some(res);
        }
        match script(instruction, run) {
            Ok(script) => res.fill(script, false, &changes),
            Err(obstacle) => res.obstacle = Some(obstacle),
        }
        if let Some((script, body)) =
            heredoc::body(instruction, run).filter(|_| res.obstacle == Some(Obstacle::Heredoc))
        {
            res.fill_body(script, body, &changes);
        }
        Some(res)
    }

    /// What is known of a script in a heredoc: with others it can only become another one.
    fn fill_body(&mut self, script: &Script, body: Local, changes_account: &dyn Fn(&Call) -> bool) {
        if reads_heredoc(script) || has_odd_bytes(&self.text) {
            return;
        }
        self.fill(script, true, changes_account);
        if matches!(self.obstacle, None | Some(Obstacle::NoEffect)) {
            let is_loose = self.list.is_none() && self.plain.is_none();
            self.obstacle = Some(if is_loose { Obstacle::LooseHeredoc } else { Obstacle::Heredoc });
        }
        self.core = body;
        self.body = Some(body);
    }

    /// The `set -e …` it begins with, if it does.
    pub fn set_of_list(&self) -> Option<Local> {
        self.list.as_ref().map(|list| list.set)
    }

    /// Its commands as a shell reads them.
    pub(super) fn commands(&self) -> &str {
        self.exec.as_deref().unwrap_or_else(|| self.core.of(&self.text))
    }

    fn fill_exec(&mut self, core: Local, text: String, changes_account: &dyn Fn(&Call) -> bool) {
        let script = shell::parse(&text, Local::new(0, text.len()));
        self.text = Arc::from(text);
        self.fill(&script, false, changes_account);
        self.plain = None;
        self.list = None;
        self.core = core;
        self.exec = Some(Arc::clone(&self.text));
    }

    fn fill(&mut self, script: &Script, is_body: bool, changes_account: &dyn Fn(&Call) -> bool) {
        let text = Arc::clone(&self.text);
        self.state = state::state(script);
        let Some(core) = core(script, &text, is_body) else {
            let is_job = self.state.background;
            self.obstacle = Some(if is_job { Obstacle::Background } else { Obstacle::Unparsed });
            return;
        };
        self.core = core;
        let mut own = Vec::new();
        programs::own(&script.list, &mut own);
        self.loop_variables = own.iter().filter_map(|command| loop_variable(command, &text)).collect();
        self.state.var |= own.iter().any(|command| counts(command, &text));
        self.used = programs::used(&own);
        self.replaced = programs::replaced(&script.calls);
        self.replaces_unknown = programs::replaces_unknown(&script.calls);
        self.inner_sequence = self.state.inner_sequence
            || self.state.function_anywhere
            || self.state.eval_or_source_anywhere
            || substitutes_a_sequence(script);
        self.inner_errexit = self.inner_sequence && sets_errexit(script);
        self.is_sequence = script.list.items.len() > 1;
        self.error_trap = self.state.trap && core.of(&text).contains("ERR");
        self.list = errexit_list(script, &self.state);
        self.plain = self.plain_list(script);
        self.obstacle = obstacle(script, &self.state, &text, changes_account);
    }
}

impl Element {
    /// An and-or list that fails where it fails whether or not `-e` is set.
    fn plain_list(&self, script: &Script) -> Option<ErrexitList> {
        let [Item { and_or, .. }] = script.list.items.as_slice() else { return None };
        if self.inner_sequence {
            return None;
        }
        let last = pieces(&and_or.rest, &and_or.first);
        let own_shell = self.state.sets > 0;
        Some(ErrexitList { own_shell, set: Local::default(), options: BTreeSet::new(), rest: vec![and_or.range], last })
    }
}

/// The shell text that may be joined.
fn script<'a>(instruction: &Instruction, run: &'a Run) -> Result<&'a Script, Obstacle> {
    match instruction.frame.shell {
        ShellKind::Cmd | ShellKind::PowerShell => return Err(Obstacle::Windows),
        ShellKind::Other => return Err(Obstacle::ForeignShell),
        ShellKind::Posix | ShellKind::PosixErrexit => {}
    }
    if instruction.frame.escape != '\\' {
        return Err(Obstacle::Windows);
    }
    let shell_text = match &run.form {
        Form::Shell(text) => text,
        Form::Exec(_) => return Err(Obstacle::ExecForm),
        Form::Heredoc { .. } => return Err(Obstacle::Heredoc),
        Form::Empty => return Err(Obstacle::Unparsed),
    };
    if !instruction.heredocs.is_empty() {
        return Err(Obstacle::Heredoc);
    }
    let script = shell_text.script.as_ref().filter(|it| !it.broken).ok_or(Obstacle::Unparsed)?;
    if !instruction.faults.is_empty() {
        return Err(Obstacle::Unparsed);
    }
    if has_odd_bytes(&instruction.text) || reads_heredoc(script) {
        return Err(Obstacle::OddText);
    }
    Ok(script)
}

/// NUL, or a CR that is no part of a line end.
fn has_odd_bytes(text: &str) -> bool {
    let lone = |(at, _): (usize, &str)| !text.get(at..).unwrap_or("").trim_start_matches('\r').starts_with('\n');
    text.contains('\0') || text.match_indices('\r').any(lone)
}

/// Whether the shell would read a heredoc that BuildKit does not see.
fn reads_heredoc(script: &Script) -> bool {
    let is_heredoc = |it: &str| matches!(it, "<<" | "<<-");
    script.commands().iter().any(|(command, _)| command.redirects.iter().any(|it| is_heredoc(&it.operator)))
}

/// From the first command to the last; `None` when anything but blanks, `;` and a comment stands around them.
fn core(script: &Script, text: &str, is_body: bool) -> Option<Local> {
    let first = script.list.items.first()?;
    let last = script.list.items.last()?;
    let core = first.and_or.range.cover(last.and_or.range);
    let whole = script.range;
    if !whole.contains_range(core) || script.comments.iter().any(|it| it.of(text).contains('\n')) {
        return None;
    }
    let before = Local { start: whole.start, end: core.start };
    let mut behind = Local { start: core.end, end: whole.end };
    for comment in &script.comments {
        if comment.start < core.end && !is_body {
            return None;
        }
        if comment.start >= core.end {
            behind.end = behind.end.min(comment.start);
        }
    }
    let is_blank = |range: Local, more: &[char]| {
        let lines = range.of(text).lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.flat_map(str::chars).all(|it| it.is_ascii_whitespace() || it == '\\' || more.contains(&it))
    };
    (is_blank(before, &[]) && is_blank(behind, &[';'])).then_some(core)
}

fn obstacle(script: &Script, state: &State, text: &str, changes_account: &dyn Fn(&Call) -> bool) -> Option<Obstacle> {
    if state.background {
        return Some(Obstacle::Background);
    }
    if script.calls.iter().any(|call| daemons::starts(call, text)) {
        return Some(Obstacle::Daemon);
    }
    if state.reads_internals {
        return Some(Obstacle::Internals);
    }
    if script.calls.iter().any(changes_account) {
        return Some(Obstacle::Account);
    }
    if script.calls.iter().any(replaces_shell) {
        return Some(Obstacle::Ground);
    }
    has_no_effect(script).then_some(Obstacle::NoEffect)
}

/// Whether a call puts another program at `/bin/sh`: the shell that is running stays the old one.
fn replaces_shell(call: &Call) -> bool {
    let is_shell = |word: &Word| word.literal().is_some_and(|it| it == "/bin/sh" || it == "/usr/bin/sh");
    match call.program.as_str() {
        "rm" | "mv" | "unlink" | "update-alternatives" | "dpkg-divert" => call.arguments.iter().any(is_shell),
        "ln" | "cp" | "install" => call.arguments.last().is_some_and(is_shell),
        "dpkg-reconfigure" => call.arguments.iter().filter_map(Word::literal).any(|it| it == "dash"),
        _ => false,
    }
}

/// Whether all it does is done to its own shell, or it ends in a `cd`.
fn has_no_effect(script: &Script) -> bool {
    let names: Vec<Option<&str>> =
        script.list.items.iter().flat_map(|item| item.and_or.pipelines()).map(own_name).collect();
    let ends_in_cd = matches!(names.last(), Some(Some("cd" | "pushd" | "popd")));
    let only_state = names.iter().all(|name| {
        name.is_some_and(|name| {
            matches!(
                name,
                "" | "."
                    | "alias"
                    | "cd"
                    | "declare"
                    | "export"
                    | "popd"
                    | "pushd"
                    | "readonly"
                    | "set"
                    | "shopt"
                    | "source"
                    | "typeset"
                    | "ulimit"
                    | "umask"
                    | "unalias"
                    | "unset"
            )
        })
    });
    ends_in_cd || only_state
}

/// The name of a pipeline that is one simple command; empty for assignments alone.
fn own_name(pipeline: &Pipeline) -> Option<&str> {
    let [command] = pipeline.commands.as_slice() else { return None };
    let CommandKind::Simple(simple) = &command.kind else { return None };
    let Some(word) = simple.words.first() else { return command.redirects.is_empty().then_some("") };
    match word.parts.as_slice() {
        [crate::shell::Part::Bare(text)] => Some(text),
        _ => None,
    }
}

fn loop_variable(command: &Command, text: &str) -> Option<String> {
    let CommandKind::Compound { keyword, .. } = &command.kind else { return None };
    if keyword != "for" && keyword != "select" {
        return None;
    }
    let rest = command.range.of(text).strip_prefix(keyword.as_str())?;
    let rest = rest.trim_start_matches([' ', '\t', '\\', '\r', '\n']);
    let end = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(rest.len());
    Some(rest.get(..end)?.to_owned())
}

/// Whether arithmetic in a command may assign a variable: `(( i++ ))`, `$(( i = 1 ))`.
fn counts(command: &Command, text: &str) -> bool {
    let assigns = |text: &str| text.contains('=') || text.contains("++") || text.contains("--");
    match &command.kind {
        CommandKind::Test => assigns(command.range.of(text)) && command.range.of(text).starts_with("(("),
        CommandKind::Simple(_) => {
            let place = command.range.of(text);
            place.split("$((").skip(1).any(|it| it.split("))").next().is_some_and(assigns))
        }
        CommandKind::Subshell(_)
        | CommandKind::Group(_)
        | CommandKind::Compound { .. }
        | CommandKind::Function { .. } => false,
    }
}

/// Whether a `$( … )` holds more than one and-or list: in dash `-e` holds in it.
fn substitutes_a_sequence(script: &Script) -> bool {
    let is_sequence = |command: &Command| {
        command.words().into_iter().flat_map(|word| word.substitutions()).any(|list| list.items.len() > 1)
    };
    script.commands().into_iter().any(|(command, _)| is_sequence(command))
}

/// Whether `-e` is switched on anywhere, also in `( … )` and `$( … )`.
fn sets_errexit(script: &Script) -> bool {
    let is_errexit = |it: &ShellOption| matches!(it, ShellOption::Errexit | ShellOption::Unknown);
    let commands = script.commands();
    let mut options = commands.iter().filter_map(|(command, _)| state::set_options(command));
    options.any(|(on, _)| on.iter().any(is_errexit))
}

/// `set -e…` and at least one command behind it, with nothing in it that could switch options again.
fn errexit_list(script: &Script, state: &State) -> Option<ErrexitList> {
    let (first, items) = script.list.items.split_first()?;
    let [command] = first.and_or.first.commands.as_slice() else { return None };
    let (options, off) = state::set_options(command)?;
    let known = |it: &ShellOption| !matches!(it, ShellOption::Positional | ShellOption::Unknown);
    let is_plain = first.and_or.first.negated.is_none() && command.redirects.is_empty() && off.is_empty();
    if !is_plain || !options.contains(&ShellOption::Errexit) || !options.iter().all(known) {
        return None;
    }
    if state.sets != 1 || state.function_anywhere || state.eval_or_source_anywhere {
        return None;
    }
    // In `( ! { a; b; } )` bash takes the `!` for the brackets' and lets `-e` count inside.
    let (pipeline, is_alone) = match items.last() {
        Some(item) => (&item.and_or.first, item.and_or.rest.is_empty()),
        None => (&first.and_or.rest.first()?.1, first.and_or.rest.len() == 1),
    };
    let is_compound = pipeline.negated.is_some() && !pipeline.commands.iter().all(is_simple_command);
    if is_alone && is_compound && (state.inner_sequence || substitutes_a_sequence(script)) {
        return None;
    }
    let mut rest = Vec::new();
    let mut last = None;
    if let Some((joint, pipeline)) = first.and_or.rest.first() {
        if !joint.and {
            return None;
        }
        let range = pipeline.range.cover(first.and_or.range);
        rest.push(Local { start: pipeline.range.start, end: range.end });
        last = pieces(&first.and_or.rest[1..], pipeline);
    }
    for Item { and_or, .. } in items {
        rest.push(and_or.range);
        last = pieces(&and_or.rest, &and_or.first);
    }
    (!rest.is_empty()).then_some(ErrexitList { own_shell: false, set: command.range, options, rest, last })
}

fn is_simple_command(command: &Command) -> bool {
    matches!(command.kind, CommandKind::Simple(_))
}

/// The pipelines of a chain of simple commands joined by `&&`, or a single `( … )`.
fn pieces(rest: &[(crate::shell::Joint, Pipeline)], first: &Pipeline) -> Option<Vec<Local>> {
    if rest.is_empty()
        && first.negated.is_none()
        && matches!(first.commands.as_slice(), [Command { kind: CommandKind::Subshell(_), .. }])
    {
        return Some(vec![first.range]);
    }
    let is_chain = rest.iter().all(|(joint, pipeline)| joint.and && state::is_simple(pipeline));
    let ranges = || std::iter::once(first).chain(rest.iter().map(|(_, it)| it)).map(|it| it.range).collect();
    (is_chain && state::is_simple(first)).then(ranges)
}
