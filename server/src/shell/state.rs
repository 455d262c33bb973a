//! What a script does to the shell that runs it: directory, variables, options, traps and the like.
//!
//! SPEC-merge-run §2 is the definition; two scripts can share one shell only where the first leaves nothing behind.
//! Only effects in the script's own shell count: those inside `( … )`, `$( … )`, a background job and the parts of a
//! pipeline but the last stay there.

use std::collections::BTreeSet;

use crate::shell::{Call, Command, CommandKind, List, Part, Pipeline, Script, SeparatorKind, Simple, Word};

/// An option that `set` or `shopt` switches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShellOption {
    /// `set -e`
    Errexit,
    /// `set -u`
    Nounset,
    /// `set -o pipefail`
    Pipefail,
    /// `set -f`
    Noglob,
    /// `set -a`
    Allexport,
    /// `set -- a b`: the positional parameters.
    Positional,
    /// Another option by its letter or long name, or one of `shopt`.
    Other(String),
    /// `set $OPTIONS`: not known.
    Unknown,
}

/// What a script does to its own shell, and what else decides whether it may be joined with another.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct State {
    /// `cd`, `pushd`, `popd`.
    pub cwd: bool,
    /// `export`, `readonly`, `read`, `unset`, an assignment alone, `${x:=…}`.
    pub var: bool,
    /// `trap`.
    pub trap: bool,
    /// `umask` with a mask.
    pub umask: bool,
    /// `ulimit`.
    pub ulimit: bool,
    /// `exit`, `return`.
    pub exit: bool,
    /// `exec program`.
    pub exec: bool,
    /// `exec >file`.
    pub redir: bool,
    /// `alias`, `unalias`.
    pub alias: bool,
    /// A function definition.
    pub func: bool,
    /// `source`, `.`.
    pub source: bool,
    /// `eval`.
    pub eval: bool,
    /// `hash`, or a program that replaces itself (`pip install -U pip`), whose old place the shell remembers.
    pub hash: bool,
    /// Options that `set` or `shopt` switches on; `xtrace` and `verbose` are left out, they only change the log.
    pub options: BTreeSet<ShellOption>,
    /// Options that they switch off.
    pub switched_off: BTreeSet<ShellOption>,
    /// How many `set` and `shopt` commands with such options stand in the script's own shell.
    pub sets: u32,
    /// A background job, at any depth.
    pub background: bool,
    /// A function definition, at any depth.
    pub function_anywhere: bool,
    /// `eval`, `source` or `.`, at any depth.
    pub eval_or_source_anywhere: bool,
    /// It reads `$-`, `$!`, `$_` or `$BASH…`.
    pub reads_internals: bool,
    /// Every top-level separator is `&&`; a `;` or newline at the end does not count.
    pub pure: bool,
    /// One simple command, or a pipeline of simple commands, without a `!`.
    pub simple: bool,
    /// Commands follow one another inside a compound or a substitution, by `;`, a newline or the turns of a loop.
    pub inner_sequence: bool,
}

impl State {
    /// Whether it leaves anything behind but options.
    pub fn isolating(&self) -> bool {
        self.cwd
            || self.var
            || self.trap
            || self.umask
            || self.ulimit
            || self.exit
            || self.exec
            || self.redir
            || self.alias
            || self.func
            || self.source
            || self.eval
            || self.hash
    }
}

/// The effects of a script. Without meaning for a broken one.
pub fn state(script: &Script) -> State {
    let mut res = State::default();
    own(&script.list, &mut res);
    for (item, _) in script.items() {
        res.background |= item.separator.is_some_and(|it| it.kind == SeparatorKind::Background);
    }
    for (command, _) in script.commands() {
        if let Some((name, _)) = program(command) {
            res.eval_or_source_anywhere |= matches!(name.as_str(), "eval" | "source" | ".");
        }
        res.function_anywhere |= matches!(command.kind, CommandKind::Function { .. });
        res.reads_internals |= command.words().into_iter().any(reads_internals);
        let looping = matches!(&command.kind, CommandKind::Compound { keyword, .. }
            if matches!(keyword.as_str(), "for" | "while" | "until" | "select"));
        let inner = command.words().into_iter().flat_map(Word::substitutions);
        res.inner_sequence |= looping || command.lists().into_iter().chain(inner).any(|it| it.items.len() > 1);
    }
    res.hash |= script.calls.iter().any(replaces_itself);
    res.pure = match script.list.items.as_slice() {
        [item] => {
            item.separator.is_none_or(|it| it.kind != SeparatorKind::Background)
                && item.and_or.rest.iter().all(|(joint, _)| joint.and)
        }
        _ => false,
    };
    res.simple =
        res.pure && script.list.items.iter().all(|it| it.and_or.rest.is_empty() && is_simple(&it.and_or.first));
    res
}

/// Whether a pipeline is one simple command, or simple commands joined by `|`, without a `!`.
pub fn is_simple(pipeline: &Pipeline) -> bool {
    pipeline.negated.is_none() && pipeline.commands.iter().all(|it| matches!(it.kind, CommandKind::Simple(_)))
}

/// The options that a `set` command switches on, and those it switches off; `None` for another command.
///
/// `xtrace` and `verbose` are left out.
pub fn set_options(command: &Command) -> Option<(BTreeSet<ShellOption>, BTreeSet<ShellOption>)> {
    let (name, arguments) = program(command)?;
    if name != "set" {
        return None;
    }
    let (mut on, mut off) = (BTreeSet::new(), BTreeSet::new());
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        let Some(text) = word.literal() else {
            on.insert(ShellOption::Unknown);
            break;
        };
        let (acc, letters) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
            (Some("" | "-"), _) | (None, None) => {
                on.insert(ShellOption::Positional);
                break;
            }
            (Some(letters), _) => (&mut on, letters),
            (None, Some(letters)) => (&mut off, letters),
        };
        for letter in letters.chars() {
            let option = match letter {
                'o' => match arguments.next().map(Word::literal) {
                    Some(Some(name)) => named_option(&name),
                    Some(None) => Some(ShellOption::Unknown),
                    None => None,
                },
                'e' => Some(ShellOption::Errexit),
                'u' => Some(ShellOption::Nounset),
                'f' => Some(ShellOption::Noglob),
                'a' => Some(ShellOption::Allexport),
                'x' | 'v' => None,
                letter => Some(ShellOption::Other(letter.to_string())),
            };
            acc.extend(option);
        }
    }
    Some((on, off))
}

fn named_option(name: &str) -> Option<ShellOption> {
    match name {
        "errexit" => Some(ShellOption::Errexit),
        "nounset" => Some(ShellOption::Nounset),
        "pipefail" => Some(ShellOption::Pipefail),
        "noglob" => Some(ShellOption::Noglob),
        "allexport" => Some(ShellOption::Allexport),
        "xtrace" | "verbose" => None,
        other => Some(ShellOption::Other(other.to_owned())),
    }
}

/// Adds the effects of a list on the shell that runs it.
fn own(list: &List, acc: &mut State) {
    for item in &list.items {
        if item.separator.is_some_and(|it| it.kind == SeparatorKind::Background) {
            continue;
        }
        // The last part of a pipeline may run in the shell itself (`lastpipe`, zsh, ksh).
        for command in item.and_or.pipelines().filter_map(|it| it.commands.last()) {
            own_command(command, acc);
        }
    }
}

fn own_command(command: &Command, acc: &mut State) {
    acc.var |= command.words().into_iter().any(assigns);
    match &command.kind {
        CommandKind::Simple(simple) => own_simple(command, simple, acc),
        CommandKind::Subshell(_) | CommandKind::Test => {}
        CommandKind::Group(list) => own(list, acc),
        CommandKind::Compound { lists, .. } => lists.iter().for_each(|it| own(it, acc)),
        CommandKind::Function { body, .. } => {
            acc.func = true;
            own(body, acc);
        }
    }
}

fn own_simple(command: &Command, simple: &Simple, acc: &mut State) {
    let Some((name, arguments)) = program(command) else {
        acc.var |= simple.words.is_empty() && !simple.assignments.is_empty();
        return;
    };
    match name.as_str() {
        "cd" | "pushd" | "popd" => acc.cwd = true,
        "export" | "readonly" | "read" | "unset" | "declare" | "typeset" | "local" | "mapfile" | "readarray"
        | "getopts" | "let" | "shift" => acc.var = true,
        "printf" if arguments.first().is_some_and(|it| it.literal().is_some_and(|it| it == "-v")) => acc.var = true,
        "set" => {
            let (on, off) = set_options(command).unwrap_or_default();
            acc.sets += u32::from(!on.is_empty() || !off.is_empty());
            acc.options.extend(on);
            acc.switched_off.extend(off);
        }
        "shopt" => {
            acc.sets += 1;
            let names = arguments.iter().map(|it| it.literal().unwrap_or_default()).filter(|it| !it.starts_with('-'));
            acc.options.extend(names.map(ShellOption::Other));
        }
        "trap" => acc.trap = true,
        "umask" => acc.umask |= arguments.iter().any(|it| it.literal().is_none_or(|it| it != "-S" && it != "-p")),
        "ulimit" => acc.ulimit = true,
        "exit" | "return" => acc.exit = true,
        "exec" if arguments.is_empty() => acc.redir = true,
        "exec" => acc.exec = true,
        "alias" | "unalias" => acc.alias = true,
        "source" | "." => acc.source = true,
        "eval" => acc.eval = true,
        "hash" => acc.hash = true,
        _ => {}
    }
}

/// The program of a simple command as its shell looks it up, `command` and `builtin` stepped over, and its arguments.
fn program(command: &Command) -> Option<(String, &[Word])> {
    let CommandKind::Simple(simple) = &command.kind else { return None };
    let mut words = simple.words.as_slice();
    loop {
        let (first, rest) = words.split_first()?;
        let name = first.literal()?;
        let asks = rest.first().is_some_and(|it| it.is_option() && it.literal().is_none_or(|it| it != "-p"));
        if !matches!(name.as_str(), "command" | "builtin" | "time") || rest.is_empty() || asks {
            return Some((name, rest));
        }
        let skipped = usize::from(rest.first().is_some_and(Word::is_option));
        words = rest.get(skipped..)?;
    }
}

/// Whether a word assigns by `${x:=…}` or `${x=…}`.
fn assigns(word: &Word) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Variable { operator, .. } => operator.starts_with('=') || operator.contains(":="),
        Part::Bare(_) | Part::Quoted(_) | Part::Substitution(_) | Part::Other => false,
    })
}

/// Whether a word reads what a second script in the same shell would find changed.
fn reads_internals(word: &Word) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Variable { name, .. } => matches!(name.as_str(), "-" | "!" | "_") || name.starts_with("BASH"),
        Part::Bare(_) | Part::Quoted(_) | Part::Substitution(_) | Part::Other => false,
    })
}

/// Whether a program installs a newer one of its own name, which the shell does not find where it remembers the old.
fn replaces_itself(call: &Call) -> bool {
    let installs = |package: &str| {
        call.operands().into_iter().skip(1).filter_map(Word::literal).any(|it| {
            it.strip_prefix(package)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '@', '!']))
        })
    };
    match call.program.as_str() {
        "pip" | "pip3" => call.is_any(&["pip", "pip3"], &["install"]) && installs("pip"),
        "npm" => installs("npm") && (call.has_flag(&["-g", "--global", "--location"])),
        "gem" => call.is("gem", &["update"]) && call.has_flag(&["--system"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::shell::parse;
    use crate::shell::state::{State, state};
    use crate::text::Local;

    /// The names of all that is so.
    fn render(state: &State) -> String {
        let kinds = [
            ("cwd", state.cwd),
            ("var", state.var),
            ("trap", state.trap),
            ("umask", state.umask),
            ("ulimit", state.ulimit),
            ("exit", state.exit),
            ("exec", state.exec),
            ("redir", state.redir),
            ("alias", state.alias),
            ("func", state.func),
            ("source", state.source),
            ("eval", state.eval),
            ("hash", state.hash),
            ("background", state.background),
            ("function-anywhere", state.function_anywhere),
            ("eval-anywhere", state.eval_or_source_anywhere),
            ("internals", state.reads_internals),
            ("pure", state.pure),
            ("simple", state.simple),
            ("inner-sequence", state.inner_sequence),
        ];
        let mut res: Vec<String> = kinds.iter().filter(|(_, so)| *so).map(|(name, _)| (*name).to_owned()).collect();
        res.extend(state.options.iter().map(|it| format!("+{it:?}")));
        res.extend(state.switched_off.iter().map(|it| format!("-{it:?}")));
        if state.sets > 0 {
            res.push(format!("sets {}", state.sets));
        }
        res.join(" ")
    }

    fn check(text: &str, expected: Expect) {
        let script = parse(text, Local::new(0, text.len()));
        assert!(!script.broken, "{text}");
        expected.assert_eq(&render(&state(&script)));
    }

    #[test]
    fn a_plain_chain_leaves_nothing_behind() {
        check("a && b | c && ! d", expect![["pure"]]);
        check("a", expect![["pure simple"]]);
        check("a | b;", expect![["pure simple"]]);
        check("! a", expect![["pure"]]);
        check("A=1 make && env B=2 cd x", expect![["pure"]]);
        check("for i in a; do b; done", expect![["pure inner-sequence"]]);
    }

    #[test]
    fn what_a_script_does_to_its_own_shell_counts() {
        check("cd /tmp && a", expect![["cwd pure"]]);
        check("export A=1 && b", expect![["var pure"]]);
        check("A=$(b)", expect![["var pure simple"]]);
        check("echo ${A:=b} \"${C=d}\"", expect![["var pure simple"]]);
        check("umask 077; umask", expect![["umask"]]);
        check("trap a EXIT; ulimit -n 1; alias x=y; hash -r", expect![["trap ulimit alias hash"]]);
        check("a && exit 0", expect![["exit pure"]]);
        check("exec a", expect![["exec pure simple"]]);
        check("exec >f", expect![["redir pure simple"]]);
        check("command cd x; \\cd y; command -v cd", expect![["cwd"]]);
        check("if a; then cd b; fi", expect![["cwd pure"]]);
        check("{ read a; }", expect![["var pure"]]);
        check("a | cd b", expect![["cwd pure simple"]]);
    }

    #[test]
    fn what_happens_in_another_shell_does_not() {
        check("( cd a && export B=1 )", expect![["pure"]]);
        check("a $(cd b; set -e) | c", expect!["pure simple inner-sequence"]);
        check("cd a | b", expect![["pure simple"]]);
        check("sh -c 'cd a'", expect![["pure simple"]]);
        check("cd a & b", expect![["background"]]);
    }

    #[test]
    fn functions_eval_and_background_jobs_are_found_at_any_depth() {
        check("f() { a; b; } && f", expect![["func function-anywhere pure inner-sequence"]]);
        check("( . x; eval y )", expect![["eval-anywhere pure inner-sequence"]]);
        check("a $(b &)", expect![["background pure simple"]]);
        check("source x && eval y", expect![["source eval eval-anywhere pure"]]);
    }

    #[test]
    fn options_are_what_set_switches_on() {
        check("set -eux; a", expect![["+Errexit +Nounset sets 1"]]);
        check("set -o pipefail -e && set +u", expect![["pure +Errexit +Pipefail -Nounset sets 2"]]);
        check("set -euxo pipefail\na", expect![["+Errexit +Nounset +Pipefail sets 1"]]);
        check("set -x; set -v", expect![[""]]);
        check("set -- a b", expect![["pure simple +Positional sets 1"]]);
        check("set $A", expect![["pure simple +Unknown sets 1"]]);
        check("set -fC", expect![[r#"pure simple +Noglob +Other("C") sets 1"#]]);
        check("shopt -s globstar; ( set -e )", expect![[r#"+Other("globstar") sets 1"#]]);
    }

    #[test]
    fn a_sequence_inside_a_compound_is_seen() {
        check("( a; b )", expect![["pure inner-sequence"]]);
        check("{ a && b; }", expect![["pure"]]);
        check("if a; then b; else c; fi", expect![["pure"]]);
        check("if a; then b; c; fi", expect![["pure inner-sequence"]]);
        check("[[ a ]] && b || c", expect![[""]]);
        check("a; b", expect![[""]]);
    }

    #[test]
    fn a_program_that_replaces_itself_confuses_the_shell() {
        check("pip install -U pip && pip install x", expect![["hash pure"]]);
        check("npm install -g npm@latest", expect![["hash pure simple"]]);
        check("gem update --system", expect![["hash pure simple"]]);
        check("pip install pipenv && npm i -g yarn", expect![["pure"]]);
    }

    #[test]
    fn reading_the_internals_of_the_shell_is_seen() {
        check("echo $! \"$BASH_VERSION\"", expect![["internals pure simple"]]);
        check("echo $@ $?", expect![["pure simple"]]);
    }
}
