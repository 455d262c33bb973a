//! `effect-lost-after-run`: the last thing a RUN does dies with its shell.

use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::model::ShellKind;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::shell::{self, Call, CommandKind, Part, Script, SeparatorKind, Word};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "effect-lost-after-run",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["DL3001", "DL3003"],
    doc: r##"
The last thing this `RUN` does ends with it.

Each `RUN` has a shell of its own, and only files outlive it: no directory, no variable, no running service.
What comes next starts in the `WORKDIR` again, with the variables of `ENV`.

```dockerfile
FROM debian:bookworm-slim
RUN cd /srv/app
RUN make
```

For all that follows:

```dockerfile
FROM debian:bookworm-slim
WORKDIR /srv/app
RUN make
```

A service must be started by the `RUN` that needs it, or by the container.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            acc.extend(finding(&at));
        }
    }
}

fn finding(at: &RunAt) -> Option<Finding> {
    let script = at.run.script().filter(|script| !script.broken)?;
    let last = last(script)?;
    let (range, message) = match last {
        Last::Background(range) => (range, "what runs in the background ends with this RUN".to_owned()),
        Last::Assignment(range, name) => (range, format!("`{name}` is set for this RUN alone")),
        Last::Call(call) => {
            let command = at.facts.commands.iter().find(|it| it.range == call.range)?;
            (call.range, lost(at, script, command, call)?)
        }
    };
    let mut finding = Finding::new(&RULE, at.placed.range(range), message);
    finding.cause = at.placed.whole();
    finding.fix = fix(at, script, &last);
    Some(finding)
}

/// The last thing a script does in its own shell.
enum Last<'a> {
    /// A job that is left behind.
    Background(Local),
    /// An assignment without a program.
    Assignment(Local, &'a str),
    /// A program or built-in command.
    Call(&'a Call),
}

fn last(script: &Script) -> Option<Last<'_>> {
    let item = script.list.items.last()?;
    let list = &item.and_or;
    let is_simple = |pipeline: &shell::Pipeline| {
        pipeline.negated.is_none()
            && matches!(pipeline.commands.as_slice(), [it] if matches!(it.kind, CommandKind::Simple(_)))
    };
    if item.separator.is_some_and(|it| it.kind == SeparatorKind::Background) {
        return (list.rest.is_empty() && is_simple(&list.first)).then_some(Last::Background(list.range));
    }
    if list.rest.iter().any(|(joint, _)| !joint.and) {
        return None;
    }
    let pipeline = list.rest.last().map_or(&list.first, |(_, pipeline)| pipeline);
    let [command] = pipeline.commands.as_slice() else { return None };
    let CommandKind::Simple(simple) = &command.kind else { return None };
    if pipeline.negated.is_some() {
        return None;
    }
    if simple.words.is_empty() {
        let assignment = simple.assignments.last()?;
        return Some(Last::Assignment(command.range, &assignment.name));
    }
    script.calls.iter().find(|call| call.whole == command.range).map(Last::Call)
}

/// What is lost, in words; `None` for a command whose effect stays.
fn lost(at: &RunAt, script: &Script, command: &Command, call: &Call) -> Option<String> {
    let first = command.arguments.first().and_then(|it| it.value.as_deref()).unwrap_or_default();
    let second = command.arguments.get(1).and_then(|it| it.value.as_deref()).unwrap_or_default();
    let starts = |word: &str| matches!(word, "start" | "restart");
    let is_only = script.calls.len() == 1;
    let of_service = |name: &str| Some(format!("`{name}` ends with this RUN: only files outlive it"));
    match call.program.as_str() {
        "cd" | "pushd" => {
            let goes_back = matches!(first, "" | "/" | "-" | ".." | "../" | "~" | "../..")
                || script.calls.iter().any(|it| it.range.start < call.range.start && is_cd(&it.program));
            let message = "the next instruction does not start in this directory: `cd` ends with its RUN";
            (is_only || !goes_back).then(|| message.to_owned())
        }
        "export" if !call.arguments.is_empty() && !first.starts_with('-') => {
            let name = call.arguments.first()?.assigned_name().unwrap_or(first).to_owned();
            Some(format!("`{name}` is exported for this RUN alone"))
        }
        "." | "source" => {
            let known = [".bashrc", ".profile", ".bash_profile", ".zshrc", "/etc/profile", "bin/activate", "nvm.sh"];
            let environment = known.iter().any(|it| first.ends_with(it)) || first == "activate";
            let more = [".cargo/env", "setup.bash", "/etc/environment"];
            let message = format!("what `{first}` sets, it sets for this RUN alone");
            (environment || more.iter().any(|it| first.ends_with(it))).then_some(message)
        }
        "alias" | "ulimit" | "umask" | "set" if !call.arguments.is_empty() => {
            Some(format!("`{}` holds for this RUN alone", call.program))
        }
        "eval" if call.arguments.iter().any(|word| word.substitutions().next().is_some()) => {
            Some("what `eval` sets, it sets for this RUN alone".to_owned())
        }
        "ssh-agent" if call.arguments.iter().all(Word::is_option) => of_service("ssh-agent"),
        "service" | "rc-service" | "invoke-rc.d" if starts(second) => {
            of_service(&format!("{} {first} {second}", call.program))
        }
        "systemctl" if starts(first) => of_service(&format!("systemctl {first} {second}")),
        name if starts(first) && call.program_range.of(&at.placed.instruction.text).starts_with("/etc/init.d/") => {
            of_service(&format!("/etc/init.d/{name} {first}"))
        }
        "conda" | "mamba" | "micromamba" if first == "activate" => of_environment(&call.program, first),
        "nvm" if first == "use" && !script.calls.iter().any(|it| it.is("nvm", &["alias", "default"])) => {
            of_environment("nvm", first)
        }
        "pyenv" if first == "shell" => of_environment("pyenv", first),
        "rvm" if first == "use" && !call.has_flag(&["--default"]) => of_environment("rvm", first),
        _ => None,
    }
}

fn is_cd(program: &str) -> bool {
    matches!(program, "cd" | "pushd")
}

fn of_environment(program: &str, verb: &str) -> Option<String> {
    Some(format!("`{program} {verb}` holds for this RUN alone"))
}

/// The instruction that says it for all that follows, where the RUN does nothing else.
fn fix(at: &RunAt, script: &Script, last: &Last) -> Option<Fix> {
    let text = &*at.placed.instruction.text;
    let single = script.list.items.len() == 1 && script.list.items.iter().all(|it| it.and_or.rest.is_empty());
    let plain = at.placed.instruction.flags.is_empty()
        && at.placed.instruction.heredocs.is_empty()
        && at.placed.instruction.comments.is_empty()
        && script.comments.is_empty()
        && matches!(at.placed.instruction.frame.shell, ShellKind::Posix | ShellKind::PosixErrexit);
    if !single || !plain {
        return None;
    }
    let (keyword, arguments) = match last {
        Last::Background(_) => return None,
        Last::Assignment(range, _) => {
            let item = script.list.items.first()?;
            let command = item.and_or.first.commands.first()?;
            let CommandKind::Simple(simple) = &command.kind else { return None };
            let [assignment] = simple.assignments.as_slice() else { return None };
            ("ENV", pair(at, &assignment.value, range.of(text))?)
        }
        Last::Call(call) if is_cd(&call.program) => ("WORKDIR", directory(at, call)?),
        Last::Call(call) if call.program == "export" => {
            let [word] = call.arguments.as_slice() else { return None };
            ("ENV", pair(at, &word.assignment()?.value, word.range.of(text))?)
        }
        Last::Call(call) if matches!(call.program.as_str(), "." | "source") => {
            let here = at.facts.directories.first().and_then(Option::as_deref);
            let [word] = call.arguments.as_slice() else { return None };
            let file = word.literal()?;
            let environment = join(here, file.strip_suffix("/bin/activate")?)?;
            ("ENV", format!("PATH={environment}/bin:$PATH"))
        }
        Last::Call(_) => return None,
    };
    let own = at.placed.instruction.keyword.of(text);
    let keyword = if own.starts_with(char::is_lowercase) { keyword.to_lowercase() } else { keyword.to_owned() };
    let title = format!("Say it by {} for all that follows", keyword.to_uppercase());
    let edit = TextEdit::replace(at.placed.whole(), format!("{keyword} {arguments}"));
    Some(Fix { title, safety: Safety::Review, edit })
}

/// The directory of a `cd` as WORKDIR takes it: absolute where it is known from where.
fn directory(at: &RunAt, call: &Call) -> Option<String> {
    let [word] = call.arguments.as_slice() else { return None };
    let path = match word.literal() {
        Some(path) => {
            let here = at.facts.directories.first().and_then(Option::as_deref);
            join(here, &path).unwrap_or(path)
        }
        None => word.range.of(&at.placed.instruction.text).trim_matches('"').to_owned(),
    };
    let plain =
        |it: char| it.is_ascii_alphanumeric() || matches!(it, '/' | '.' | '_' | '-' | '+' | '@' | '$' | '{' | '}');
    let sound = !path.is_empty() && !path.starts_with('-') && path.chars().all(plain);
    (sound && reads_known(at, word)).then_some(path)
}

/// `NAME=value` as ENV takes it: the same text, where Docker reads it as the shell does.
fn pair(at: &RunAt, value: &Word, text: &str) -> Option<String> {
    let same = !text.contains(['\\', '`', '\n', '~', '*', '?', '(']) && reads_known(at, value);
    same.then(|| text.to_owned())
}

/// Whether all that is expanded in a word is a plain variable that Docker knows too.
fn reads_known(at: &RunAt, word: &Word) -> bool {
    word.parts.iter().all(|part| match part {
        Part::Bare(_) | Part::Quoted(_) => true,
        Part::Variable { name, operator, .. } => {
            operator.is_empty() && (name == "PATH" || at.stage.scope.get_at(name, at.placed.at).is_some())
        }
        Part::Substitution(_) | Part::Other => false,
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM debian:12\n{run}\n"));
    }

    fn check_found(run: &str, last: &str, message: &str) {
        let start = run.rfind(last).unwrap_or_default();
        let carets = format!("#{}{}", " ".repeat(start + 4 - 1), "^".repeat(last.len()));
        check(&RULE, &format!("FROM debian:12\nRUN {run}\n{carets} {message}\n"));
    }

    #[test]
    fn a_shell_ends_with_its_run() {
        check_found("cd /x", "cd /x", "does not start in this directory");
        check_found("mkdir x && cd x", "cd x", "`cd` ends with its RUN");
        check_found("a; export PATH=/x:$PATH", "export PATH=/x:$PATH", "`PATH` is exported for this RUN alone");
        check_found("V=$(a)", "V=$(a)", "`V` is set for this RUN alone");
        check_found("python3 -m venv v && . v/bin/activate", ". v/bin/activate", "what `v/bin/activate` sets");
        check_found("source ~/.bashrc", "source ~/.bashrc", "`~/.bashrc`");
        check_found("ulimit -n 1000", "ulimit -n 1000", "`ulimit` holds");
        check_found("set -ex", "set -ex", "`set` holds");
        check_found("eval \"$(ssh-agent -s)\"", "eval \"$(ssh-agent -s)\"", "`eval` sets");
        check_found("conda activate x", "conda activate x", "`conda activate` holds");
        check_found("nvm install 8 && nvm use 8", "nvm use 8", "`nvm use` holds");
    }

    #[test]
    fn a_service_ends_with_its_run() {
        check_found("sudo service mysql start", "service mysql start", "`service mysql start` ends with this RUN");
        check_found("a && /etc/init.d/x restart", "/etc/init.d/x restart", "`/etc/init.d/x restart` ends");
        check_found("systemctl start x", "systemctl start x", "`systemctl start x` ends");
        check_found("mongod --fork-not &", "mongod --fork-not", "in the background ends");
    }

    #[test]
    fn what_uses_the_effect_has_it() {
        check_silent("RUN service mysql start && mysql -e x");
        check_silent("RUN cd /x && make");
        check_silent("RUN export A=b && make");
        check_silent("RUN . v/bin/activate && pip install x");
        check_silent("RUN mongod & sleep 1; mongo x");
    }

    #[test]
    fn what_writes_files_stays() {
        check_silent("RUN systemctl enable x && systemctl mask y");
        check_silent("RUN rc-update add x && ldconfig");
        check_silent("RUN ./configure && source ./install");
        check_silent("RUN rvm use 3 --default");
        check_silent("RUN nvm install 8 && nvm alias default 8 && nvm use default");
        check_silent("RUN service mysql stop");
    }

    #[test]
    fn who_goes_back_means_no_directory() {
        check_silent("RUN cd /x && make && cd ..");
        check_silent("RUN git clone x && cd x && make && cd /y");
        check_silent("RUN make; cd /");
    }

    #[test]
    fn a_directory_of_a_loop_or_a_subshell_is_theirs() {
        check_silent("RUN for d in *; do cd $d; done");
        check_silent("RUN a && (b && cd x)");
        check_silent("RUN a || cd x");
        check_silent("RUN if a; then cd x; fi");
    }

    #[test]
    fn other_shells_and_unneeded_stages_are_left_alone() {
        check_silent("SHELL [\"pwsh\", \"-c\"]\nRUN cd x");
        check_silent("ONBUILD RUN cd x");
        check(&RULE, "FROM a\nRUN cd x\nFROM b\n");
    }

    #[test]
    fn an_instruction_says_it_for_all_that_follows() {
        let check_run = |before: &str, after: &str| {
            let text = |line: &str| format!("FROM debian:12\nWORKDIR /srv\nENV A=1\n{line}\nRUN b\n");
            check_fix(&RULE, Safety::Review, &text(before), &text(after));
        };
        check_run("RUN cd app/../x", "WORKDIR /srv/x");
        check_run("run cd \"$A/x\"", "workdir $A/x");
        check_run("RUN export P=\"$A:x y\"", "ENV P=\"$A:x y\"");
        check_run("RUN P=$PATH:/x", "ENV P=$PATH:/x");
        check_run("RUN . v/bin/activate", "ENV PATH=/srv/v/bin:$PATH");
        for run in ["cd ~/x", "cd $UNKNOWN", "export A=$(b)", "export A B", "A=1 B=2", "source ~/.bashrc", "a && cd x"]
        {
            check_no_fix(&RULE, &format!("FROM debian:12\nRUN {run}\n"));
        }
    }
}
