//! `sudo-in-run`: `sudo` where it does nothing, or is left behind.

use crate::facts::installs::{Verb, deed};
use crate::facts::made::plain_name;
use crate::facts::stage::User;
use crate::facts::walk::is_root;
use crate::model::Base;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Severity};
use crate::shell::{CommandKind, Simple, Word};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "sudo-in-run",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &["DL3004"],
    doc: r##"
`sudo` stands before a command that runs as root anyway, or stays in an image in which nothing calls it.

As root it does nothing. In the image it is a program that gives anybody root's rights, 3.3 MB with what it needs.

```dockerfile
FROM debian:bookworm-slim
RUN sudo apt-get update
CMD ["app"]
```

Without it:

```dockerfile
FROM debian:bookworm-slim
RUN apt-get update
CMD ["app"]
```

Under a `USER` without rights it does work, which is information: `USER root` before and `USER app` behind say the same and
ship no `sudo`. Nothing is said in images to develop in.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if is_for_development(ctx) {
        return;
    }
    for (stage_idx, stage) in ctx.reaching() {
        let name = stage.name.as_ref().map_or("", |name| name.text.as_str());
        if name.to_ascii_lowercase().starts_with("dev") {
            continue;
        }
        for at in ctx.runs_and_onbuild(stage_idx) {
            if at.facts.commands.is_empty() {
                continue;
            }
            check_run(ctx, &at, acc);
        }
    }
    check_left(ctx, acc);
}

/// Whether people work in the image.
fn is_for_development(ctx: &Context) -> bool {
    let named = |text: &str| ["devcontainer", "gitpod", "codespace", "vscode"].iter().any(|it| text.contains(it));
    let bases = ctx.file.stages.iter().filter_map(|stage| match &stage.base {
        Base::Image(image) => Some(image.path.as_str()),
        Base::Stage(_) | Base::Scratch | Base::Unknown(_) => None,
    });
    ctx.context.dockerfile.as_deref().is_some_and(named) || { bases }.any(named)
}

/// Who a RUN runs as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runner {
    Root,
    Other,
    Unknown,
}

fn runner(ctx: &Context, at: &RunAt) -> Runner {
    let user = ctx.facts.stages.get(at.stage_idx).and_then(|facts| facts.users.get(at.idx));
    match user {
        Some(User::Named(name)) => {
            if is_root(name) {
                Runner::Root
            } else {
                Runner::Other
            }
        }
        Some(User::OfImage) => {
            let image = ctx.facts.image(ctx.file, at.stage_idx);
            let default = image.and_then(|image| ctx.images.traits(image)?.default_user.clone());
            match default {
                Some(name) if is_root(&name) => Runner::Root,
                Some(_) => Runner::Other,
                None => Runner::Unknown,
            }
        }
        Some(User::Unknown) | None => Runner::Unknown,
    }
}

fn check_run(ctx: &Context, at: &RunAt, acc: &mut Vec<Finding>) {
    let Some(script) = at.run.script().filter(|script| !script.broken) else { return };
    if !script.calls.iter().any(|call| call.wrapper.as_deref() == Some("sudo")) {
        return;
    }
    let runner = runner(ctx, at);
    let mut told = false;
    for (command, _) in script.commands() {
        let CommandKind::Simple(simple) = &command.kind else { continue };
        let Some(word) = simple.words.first().filter(|word| is_sudo(word)) else { continue };
        let steps_down = steps_down(simple);
        let (severity, message) = match (runner, steps_down) {
            (Runner::Root, false) => (Severity::Warning, "this runs as root already"),
            (Runner::Root, true) => {
                (Severity::Information, "`setpriv` or USER steps down as well, without shipping sudo")
            }
            (Runner::Other, false) => {
                (Severity::Information, "USER root before and USER behind say the same, without shipping sudo")
            }
            (Runner::Other, true) | (Runner::Unknown, _) => continue,
        };
        // What is no fault is said once.
        if severity == Severity::Information && std::mem::replace(&mut told, true) {
            continue;
        }
        let mut finding = Finding::new(&RULE, at.placed.range(word.range), message);
        finding.cause = at.placed.range(command.range);
        finding.severity = severity;
        if severity == Severity::Warning && at.placed.instruction.name != "ONBUILD" {
            finding.fix = fix(ctx, at, simple, word);
        }
        acc.push(finding);
    }
}

fn is_sudo(word: &Word) -> bool {
    word.literal().is_some_and(|text| text == "sudo" || text.ends_with("/bin/sudo"))
}

/// `sudo -u app`, `sudo -H -u app`
fn steps_down(simple: &Simple) -> bool {
    let options = simple.words.iter().skip(1).map_while(Word::literal).take_while(|text| text.starts_with('-'));
    { options }
        .any(|text| text == "--user" || text.starts_with("--user=") || !text.starts_with("--") && text.contains('u'))
}

/// Programs of the shell itself, which `sudo` does not run as the shell does.
const BUILTINS: [&str; 20] = [
    ".", ":", "[", "alias", "cd", "command", "echo", "eval", "exec", "exit", "export", "printf", "read", "set",
    "shift", "source", "test", "ulimit", "umask", "unset",
];

/// Deletes the word and the blanks behind it, where the command does the same without it.
fn fix(ctx: &Context, at: &RunAt, simple: &Simple, word: &Word) -> Option<Fix> {
    let next = simple.words.get(1)?;
    let name = next.literal()?;
    let changes = name.starts_with('-') || next.assigned_name().is_some() || BUILTINS.contains(&name.as_str());
    if changes || !simple.assignments.is_empty() {
        return None;
    }
    let range = at.placed.range(Local { start: word.range.start, end: next.range.start });
    let title = "Delete `sudo`".to_owned();
    Some(Fix { title, safety: ctx.safety(), edit: TextEdit::replace(range, "") })
}

/// `sudo` that is installed, or made free of passwords, in an image in which nothing calls it.
fn check_left(ctx: &Context, acc: &mut Vec<Finding>) {
    if !ctx.facts.is_started() {
        return;
    }
    let user = ctx.facts.target.and_then(|target| ctx.facts.stages.get(target)).and_then(|facts| facts.users.last());
    let Some(User::Named(user)) = user.filter(|user| matches!(user, User::Named(name) if !is_root(name))) else {
        return;
    };
    for at in ctx.final_runs() {
        for command in &at.facts.commands {
            let grants = command.arguments.iter().find(|it| it.value.as_deref().is_some_and(grants_all));
            if let Some(argument) = grants {
                let message = format!("`{user}`, or whoever breaks into its program, becomes root without a password");
                acc.push(Finding::new(&RULE, at.placed.range(argument.range), message));
                return;
            }
        }
    }
    let chain = ctx.start();
    if !chain.open.is_empty() || chain.runs("sudo") || chain.programs.is_empty() || is_shell_alone(ctx) {
        return;
    }
    let uses = |at: &RunAt| {
        at.run.script().is_some_and(|it| it.calls.iter().any(|call| call.wrapper.as_deref() == Some("sudo")))
    };
    for at in ctx.final_runs() {
        if uses(&at) && runner(ctx, &at) != Runner::Root {
            return;
        }
        for command in &at.facts.commands {
            let Some(deed) = deed(command).filter(|deed| deed.verb == Verb::Install && command.certain) else {
                continue;
            };
            let is_it = |text: &str| plain_name(deed.manager, text) == "sudo";
            if let Some(argument) = deed.words.iter().find(|it| it.value.as_deref().is_some_and(is_it)) {
                acc.push(Finding::new(&RULE, at.placed.range(argument.range), "nothing in this image calls sudo"));
                return;
            }
        }
    }
}

/// `app ALL=(ALL) NOPASSWD:ALL`; a list of single commands gives these alone.
fn grants_all(text: &str) -> bool {
    text.split_once("NOPASSWD").is_some_and(|(_, rest)| rest.trim_start_matches([' ', ':']).starts_with("ALL"))
}

/// Whether the image starts a shell or a script, in which people may call anything.
fn is_shell_alone(ctx: &Context) -> bool {
    let open = |name: &str| {
        matches!(name, "sh" | "bash" | "zsh" | "fish" | "tail" | "sleep")
            || name.ends_with(".sh")
            || name.contains("entrypoint")
    };
    ctx.start().programs.iter().any(|it| open(&it.name))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
    use crate::rules::{Safety, Severity};

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    fn severities(text: &str) -> Vec<Severity> {
        findings(&analyse(&parse(text)), &RULE).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn root_needs_no_sudo() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN a && sudo apt-get update\n\
             #        ^^^^ this runs as root already\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn the_word_goes() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM debian:12\nRUN sudo apt-get update && sudo  make\nCMD a\n",
            "FROM debian:12\nRUN apt-get update && make\nCMD a\n",
        );
        check_fix(&RULE, Safety::Review, "FROM debian:12\nRUN sudo make\n", "FROM debian:12\nRUN make\n");
    }

    #[test]
    fn options_and_programs_of_the_shell_are_left_to_people() {
        check_no_fix(&RULE, "FROM debian:12\nRUN sudo -E make\nCMD a\n");
        check_no_fix(&RULE, "FROM debian:12\nRUN sudo A=1 make\nCMD a\n");
        check_no_fix(&RULE, "FROM debian:12\nRUN sudo cd /x\nCMD a\n");
        check_no_fix(&RULE, "FROM debian:12\nRUN sudo echo a > /etc/b\nCMD a\n");
    }

    #[test]
    fn a_user_without_rights_gets_them_by_sudo() {
        assert_eq!(severities("FROM debian:12\nUSER app\nRUN sudo make && sudo b\n"), [Severity::Information]);
    }

    #[test]
    fn root_may_step_down() {
        assert_eq!(severities("FROM debian:12\nRUN sudo -H -u app make\n"), [Severity::Information]);
        check(&RULE, "FROM debian:12\nUSER app\nRUN sudo -u b make\n");
    }

    #[test]
    fn the_user_of_an_unknown_image_is_unknown() {
        check(&RULE, "FROM example.com/a:1\nRUN sudo make\nCMD [\"a\"]\n");
    }

    #[test]
    fn images_to_develop_in_have_it_on_purpose() {
        check(&RULE, "FROM mcr.microsoft.com/devcontainers/base:debian\nUSER root\nRUN sudo make\nCMD [\"a\"]\n");
        check(&RULE, "FROM debian:12 AS dev\nRUN sudo make\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_word_is_no_command() {
        check_silent("RUN usermod -aG sudo app && echo sudo");
    }

    #[test]
    fn rights_without_a_password_are_left_behind() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN echo 'app ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers\n\
             #        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `app`, or whoever breaks into its program\n\
             USER app\n\
             CMD [\"a\"]\n",
        );
        check_silent("RUN echo 'app ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers");
        check_silent("RUN echo 'app ALL=NOPASSWD: /usr/bin/mount' >> /etc/sudoers\nUSER app");
    }

    #[test]
    fn a_sudo_that_nothing_calls_is_left_behind() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN apt-get update && apt-get install -y curl sudo\n\
             #                                             ^^^^ nothing in this image calls sudo\n\
             USER app\n\
             CMD [\"/usr/bin/a\"]\n",
        );
        check_silent("RUN apt-get update && apt-get install -y sudo\nUSER app\nENTRYPOINT [\"sudo\", \"x\"]");
        check_silent("RUN apt-get update && apt-get install -y sudo\nUSER app\nENTRYPOINT [\"bash\"]");
    }
}
