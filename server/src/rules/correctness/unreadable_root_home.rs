//! `unreadable-root-home`: another user than root is to run what lies in root's home.

use crate::facts::ground::{self, Ground};
use crate::facts::history::{self, Step};
use crate::facts::stage::User;
use crate::facts::started;
use crate::facts::walk;
use crate::model::{Form, InstructionKind, Origin};
use crate::rules::{Context, Finding, Group, Rule, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "unreadable-root-home",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
The container runs as another user than root, and what it starts lies below `/root`, which only root may enter.

`/root` has mode 0700 (0550 on Fedora and its like). The program is "not found" or "permission denied"; modules of Python that
were installed with `--user` are looked for in the home of whoever runs, and are not found either. A link into `/root` does
not help.

```dockerfile
FROM python:3.12-slim AS build
RUN pip install --user --no-cache-dir gunicorn
FROM python:3.12-slim
RUN useradd -m app
COPY --from=build /root/.local /root/.local
ENV PATH=/root/.local/bin:$PATH
USER app
CMD ["gunicorn", "app"]
```

In the home of the user:

```dockerfile
FROM python:3.12-slim AS build
RUN pip install --user --no-cache-dir gunicorn
FROM python:3.12-slim
RUN useradd -m app
COPY --from=build --chown=app /root/.local /home/app/.local
ENV PATH=/home/app/.local/bin:$PATH
USER app
CMD ["gunicorn", "app"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return };
    let Some(User::Named(user)) = ctx.facts.stages.get(target).and_then(|facts| facts.users.last()) else { return };
    if walk::is_root(user) || !ctx.file.text.contains("/root") {
        return;
    }
    // Of an image that nobody knows the home of root may be open.
    if ground::of(ctx.file, ctx.images, target) == Ground::Unknown {
        return;
    }
    let steps = history::steps(ctx.file, target, usize::MAX);
    if steps.iter().any(|step| may_open(ctx, step, user)) {
        return;
    }
    let Some((path, range)) = started_below_root(ctx).or_else(|| on_path(ctx, target, &steps)) else { return };
    let message = format!("`{path}` lies in root's home, which `{user}` may not enter");
    acc.push(Finding::new(&RULE, range, message));
}

/// Whether a RUN could open `/root`, or make the user another name of root.
fn may_open(ctx: &Context, step: &Step, user: &str) -> bool {
    let InstructionKind::Run(run) = &step.placed.instruction.kind else { return false };
    let Some(known) = step.run(ctx.facts).filter(|_| run.script().is_some_and(|it| !it.broken)) else { return true };
    known.commands.iter().any(|command| {
        let values = || command.values();
        match command.program.as_str() {
            "chmod" | "chown" | "setfacl" | "usermod" | "cp" | "mv" => {
                values().any(|it| it.starts_with("/root") || it == "~")
            }
            "useradd" | "adduser" => {
                let as_root = values().any(|it| matches!(it, "-o" | "--non-unique" | "/root"));
                as_root && values().any(|it| it == user)
            }
            "" => true,
            name => name.ends_with(".sh"),
        }
    })
}

/// The word of the start command that lies below `/root`.
fn started_below_root(ctx: &Context) -> Option<(String, TextRange)> {
    let placed = started::of(ctx.file, ctx.facts).first()?;
    let is_below = |text: &str| text.starts_with("/root/");
    match started::form(placed)? {
        Form::Exec(words) => {
            let word = words.first().filter(|word| is_below(&word.text))?;
            Some((word.text.clone(), placed.range(word.range)))
        }
        Form::Shell(text) => {
            let script = text.script.as_ref().filter(|it| !it.broken)?;
            let call = script.calls.iter().find(|call| is_below(call.program_range.of(&placed.instruction.text)))?;
            Some((call.program_range.of(&placed.instruction.text).to_owned(), placed.range(call.program_range)))
        }
        Form::Heredoc { .. } | Form::Empty => None,
    }
}

/// A directory below `/root` that was copied here and that PATH names.
fn on_path(ctx: &Context, target: usize, steps: &[Step]) -> Option<(String, TextRange)> {
    let stage = ctx.file.stages.get(target)?;
    let path = stage.scope.get("PATH").filter(|it| it.origin == Origin::Env)?;
    let set = ctx.file.instructions().filter(|it| matches!(it.instruction.kind, InstructionKind::Env(_)));
    let text: String = set
        .filter(|it| path.range.is_some_and(|range| it.whole().contains_range(range)))
        .map(|it| it.instruction.text.to_string())
        .collect();
    steps.iter().find_map(|step| {
        let InstructionKind::Copy(copy) = &step.placed.instruction.kind else { return None };
        let word = copy.destination.as_ref()?;
        let destination = word.text.trim_end_matches('/');
        let below = destination.strip_prefix("/root/").filter(|it| it.starts_with('.'))?;
        let named = text.contains(&format!("/root/{below}"));
        named.then(|| (destination.to_owned(), step.placed.range(word.range)))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    fn file(run: &str, user: &str) -> String {
        format!(
            "FROM python:3.12-slim\n{run}\nCOPY --from=b /root/.local /root/.local\n\
             ENV PATH=/root/.local/bin:$PATH\nUSER {user}\nCMD [\"gunicorn\", \"a\"]\n"
        )
    }

    #[test]
    fn what_is_copied_to_the_path_cannot_be_entered() {
        check(
            &RULE,
            "FROM python:3.12-slim\n\
             COPY --from=b /root/.local /root/.local\n\
             #                          ^^^^^^^^^^^^ `/root/.local` lies in root's home, which `1000` may not enter\n\
             ENV PATH=/root/.local/bin:$PATH\n\
             USER 1000\n\
             CMD [\"gunicorn\", \"a\"]\n",
        );
    }

    #[test]
    fn a_start_command_in_roots_home_cannot_be_started() {
        check(
            &RULE,
            "FROM debian:12\nCOPY a /root/bin/a\nUSER www-data\nCMD [\"/root/bin/a\"]\n#    ^^^^^^^^^^^^^ which `www-data` may not enter\n",
        );
        check(
            &RULE,
            "FROM debian:12\nRUN ln -s /root/a /usr/bin/a\nUSER www-data\nCMD exec /root/.bun/bin/bun run a\n#        ^^^^^^^^^^^^^^^^^^ `/root/.bun/bin/bun`\n",
        );
    }

    #[test]
    fn root_may_enter() {
        check(&RULE, &file("", "root"));
        check(&RULE, &file("", "0:0"));
        check(&RULE, "FROM debian:12\nCMD [\"/root/a\"]\n");
        check(&RULE, &file("RUN useradd -o -u 0 admin", "admin"));
    }

    #[test]
    fn an_unknown_user_may_be_root() {
        check(&RULE, &file("ARG U", "$U"));
    }

    #[test]
    fn the_home_may_be_opened() {
        check(&RULE, &file("RUN chmod a+x /root", "app"));
        check(&RULE, &file("RUN chmod 755 /root", "app"));
    }

    #[test]
    fn what_is_copied_on_is_elsewhere() {
        check(&RULE, &file("RUN cp -r /root/.local /home/app/.local", "app"));
    }

    #[test]
    fn the_home_of_another_image_may_be_open() {
        check(&RULE, "FROM example.com/a\nUSER app\nCMD [\"/root/a\"]\n");
    }
}
