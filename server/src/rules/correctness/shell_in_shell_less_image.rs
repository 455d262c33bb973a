//! `shell-in-shell-less-image`: a command in shell form, and no shell in the image.

use crate::facts::ground::{self, Ground};
use crate::facts::history::{self, Step};
use crate::facts::plain;
use crate::facts::run::is_below;
use crate::facts::started;
use crate::model::{Base, Form, InstructionKind, Placed, Run};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "shell-in-shell-less-image",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
A command in shell form is run by `/bin/sh -c`, which this image does not have.

`FROM scratch` holds nothing at all, distroless and chiseled images hold no shell. A RUN stops the build there; a CMD,
ENTRYPOINT or HEALTHCHECK builds and then cannot start.

```dockerfile
FROM scratch
COPY app /app
CMD /app -v
#- app
```

The JSON form starts the program itself:

```dockerfile
FROM scratch
COPY app /app
CMD ["/app", "-v"]
#- app
```

What a RUN would do belongs into a builder, from which its result is copied.
"##,
    check,
};

/// Where a shell, or the BusyBox that is one, would lie.
const SHELLS: [&str; 9] = [
    "/bin/sh",
    "/bin/bash",
    "/bin/ash",
    "/bin/busybox",
    "/usr/bin/sh",
    "/usr/bin/bash",
    "/usr/bin/busybox",
    "/busybox",
    "/sh",
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        let ground = ground::of(ctx.file, ctx.images, stage_idx);
        if ground.has_shell() != Some(false) {
            continue;
        }
        check_runs(ctx, stage_idx, &ground, acc);
        if ctx.facts.target == Some(stage_idx) {
            check_start(ctx, stage_idx, &ground, acc);
        }
    }
}

/// The first RUN of a stage that needs a shell: the build stops there.
fn check_runs(ctx: &Context, stage_idx: usize, ground: &Ground, acc: &mut Vec<Finding>) {
    let Some(at) = ctx.runs(stage_idx).find(|at| needs_shell(&at.run.form)) else { return };
    if is_mounted(at.run) || is_brought(ctx, stage_idx, at.idx, at.run.form.script()) {
        return;
    }
    let range = match &at.run.form {
        Form::Shell(text) => at.placed.range(text.range),
        Form::Heredoc { .. } | Form::Exec(_) | Form::Empty => at.placed.range(at.placed.instruction.keyword),
    };
    let message = format!("`{}` has no shell to run this: do it in a builder and copy the result", ground.name());
    acc.push(finding(ctx, range, at.placed, message));
}

fn check_start(ctx: &Context, stage_idx: usize, ground: &Ground, acc: &mut Vec<Finding>) {
    let started = started::of(ctx.file, ctx.facts);
    for placed in started.all() {
        let Some(Form::Shell(text)) = started::form(placed) else { continue };
        let is_cmd = matches!(placed.instruction.kind, InstructionKind::Cmd(_));
        // A CMD behind an ENTRYPOINT is arguments for it, or nothing: whatever it does, it is another fault.
        if is_cmd && started.entrypoint.is_some() {
            continue;
        }
        if !placed.instruction.frame.shell.is_posix() || is_brought(ctx, stage_idx, usize::MAX, text.script.as_ref()) {
            continue;
        }
        let message = format!("`{}` has no shell to run this", ground.name());
        let mut finding = finding(ctx, placed.range(text.range), placed, message);
        // The entry point of the distroless images of a language is its interpreter, which gets the words of CMD.
        let has_entrypoint = matches!(ground, Ground::Image(_, traits) if traits.runtime.is_some()) && is_cmd;
        let words = text.script.as_ref().and_then(plain::words).filter(|words| !has_entrypoint && !is_of_shell(words));
        finding.fix = words.and_then(|words| fix(placed.range(text.range), &words));
        acc.push(finding);
    }
}

fn finding(ctx: &Context, range: TextRange, placed: &Placed, message: String) -> Finding {
    // The words of a long command are not all to blame: its first line says which it is.
    let first = ctx.file.text.get(usize::from(range.start())..usize::from(range.end())).unwrap_or_default();
    let length =
        first.find('\n').map(|at| first.get(..at).unwrap_or_default().trim_end_matches(['\\', ' ', '\t', '\r']).len());
    let range = match length {
        Some(length) if length > 0 => TextRange::at(range.start(), (length as u32).into()),
        Some(_) | None => range,
    };
    let mut res = Finding::new(&RULE, range, message);
    res.cause = placed.whole();
    res
}

fn fix(range: TextRange, words: &[String]) -> Option<Fix> {
    let quoted: Option<Vec<String>> = words.iter().map(|word| serde_json::to_string(word).ok()).collect();
    Some(Fix {
        title: "Start the program without a shell".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::replace(range, format!("[{}]", quoted?.join(", "))),
    })
}

fn needs_shell(form: &Form) -> bool {
    match form {
        Form::Shell(_) => true,
        Form::Heredoc { shebang, .. } => shebang.is_none(),
        Form::Exec(_) | Form::Empty => false,
    }
}

/// Whether a command is one of the shell or of the tools beside it, which are not there either.
fn is_of_shell(words: &[String]) -> bool {
    const NAMES: [&str; 10] = ["sh", "bash", "ash", "echo", "cat", "ls", "cd", "sleep", "tail", "true"];
    words.first().is_some_and(|word| NAMES.contains(&word.rsplit('/').next().unwrap_or(word)))
}

/// Whether a mount could bring a shell for this RUN.
fn is_mounted(run: &Run) -> bool {
    run.mounts.iter().any(|mount| {
        let target = mount.target().map(|word| word.text.as_str());
        matches!(mount.kind(), "bind" | "cache")
            && target.is_none_or(|target| target.contains('$') || SHELLS.iter().any(|path| is_below(path, target)))
    })
}

/// Whether a shell could have come into the image before this instruction.
fn is_brought(ctx: &Context, stage_idx: usize, until: usize, script: Option<&crate::shell::Script>) -> bool {
    let steps = history::steps(ctx.file, stage_idx, until);
    let programs = steps.last().map(|step| programs(step, script)).unwrap_or_default();
    let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
    steps.iter().any(|step| match &step.placed.instruction.kind {
        InstructionKind::Shell(_) => true,
        // A program that is run without a shell may install one (`/busybox --install`).
        InstructionKind::Run(run) => matches!(run.form, Form::Exec(_)) || is_mounted(run),
        InstructionKind::Copy(_) | InstructionKind::Add(_) => {
            let text = &step.placed.instruction.text;
            let names_system = ["rootfs", "busybox", "bash"].iter().any(|name| text.contains(name));
            names_system || SHELLS.iter().any(|path| step.may_bring(ctx.file, ctx.context, path, &programs))
        }
        InstructionKind::Onbuild(_) => true,
        _ => false,
    }) || ctx.file.stages.get(stage_idx).is_some_and(|stage| matches!(stage.base, Base::Unknown(_)))
}

/// The programs of the command that are named by a path: they are files, so a COPY that brings them is no directory.
fn programs(last: &Step, script: Option<&crate::shell::Script>) -> Vec<String> {
    let calls = script.map_or(&[][..], |script| &script.calls);
    let directory = last.state.directory.as_deref().unwrap_or("/");
    let mut res = Vec::new();
    for call in calls {
        let words = call.arguments.iter().filter_map(|word| word.literal());
        res.push(crate::facts::walk::absolute("/", &call.program));
        for word in std::iter::once(format!("./{}", call.program)).chain(words) {
            if !word.starts_with('-') {
                res.push(crate::facts::walk::absolute(directory, &word));
            }
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn a_run_stops_the_build() {
        check(
            &RULE,
            "FROM scratch\n\
             COPY --from=b /hello /\n\
             RUN chmod +x /hello\n\
             #   ^^^^^^^^^^^^^^^ `scratch` has no shell to run this: do it in a builder\n\
             RUN /hello\n",
        );
        check(
            &RULE,
            "FROM gcr.io/distroless/nodejs22-debian12\n\
             COPY package.json /app/\n\
             RUN npm ci \\\n\
             #   ^^^^^^ `gcr.io/distroless/nodejs22-debian12` has no shell\n \
             && rm -r /root/.npm\n",
        );
    }

    #[test]
    fn a_start_command_cannot_start() {
        check(
            &RULE,
            "FROM gcr.io/distroless/static-debian12\n\
             COPY --from=b /app /app\n\
             HEALTHCHECK CMD /app health || exit 1\n\
             #               ^^^^^^^^^^^^^^^^^^^^^ has no shell\n\
             ENTRYPOINT /app $FLAGS\n\
             #          ^^^^^^^^^^^ has no shell\n",
        );
    }

    #[test]
    fn the_debug_images_have_busybox() {
        check(&RULE, "FROM gcr.io/distroless/static-debian12:debug\nCOPY app.jar /\nCMD /app\n");
    }

    #[test]
    fn a_shell_may_be_copied() {
        for line in [
            "COPY --from=busybox:musl /bin/sh /bin/sh",
            "COPY --from=busybox /bin/ /bin/",
            "COPY --from=b / /",
            "COPY rootfs /",
            "ADD alpine.tar.gz /",
            "ADD x.tar.xz /",
            "COPY $FILES /",
            "COPY --from=b /busybox /busybox",
            "SHELL [\"/busybox/sh\", \"-c\"]",
            "RUN [\"/busybox\", \"--install\", \"/bin\"]",
        ] {
            check(&RULE, &format!("FROM scratch\n{line}\nRUN a\nCMD a\n"));
        }
        check(&RULE, "FROM scratch\nRUN --mount=from=busybox,src=/bin,target=/bin mkdir /tmp\n");
    }

    #[test]
    fn the_json_form_needs_no_shell() {
        check(&RULE, "FROM scratch\nCOPY app /app\nRUN [\"/app\", \"init\"]\nCMD [\"/app\"]\n");
    }

    #[test]
    fn an_unknown_base_may_have_a_shell() {
        check(&RULE, "FROM example.com/base\nRUN a\nCMD a\n");
        check(&RULE, "ARG BASE\nFROM $BASE\nRUN a\nCMD a\n");
        check(&RULE, "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nRUN a\nCMD a\n");
    }

    #[test]
    fn a_stage_that_is_not_needed_is_not_looked_at() {
        check(&RULE, "FROM scratch\nRUN a\nFROM debian\nRUN a\n");
    }

    #[test]
    fn a_cmd_behind_an_entrypoint_is_another_fault() {
        check(&RULE, "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\"]\nCMD --help\n");
    }

    #[test]
    fn a_simple_command_is_written_as_json() {
        let check_simple = |before: &str, after: &str| {
            let file = |line: &str| format!("FROM scratch\nCOPY a.json /\n{line}\n");
            check_fix(&RULE, Safety::Review, &file(before), &file(after));
        };
        check_simple("CMD exec /app -v", "CMD [\"/app\", \"-v\"]");
        check_simple("ENTRYPOINT /app 'a b'", "ENTRYPOINT [\"/app\", \"a b\"]");
        check_simple("HEALTHCHECK --interval=5s CMD /app h", "HEALTHCHECK --interval=5s CMD [\"/app\", \"h\"]");
    }

    #[test]
    fn what_only_a_shell_does_has_no_fix() {
        for line in
            ["CMD /app && /b", "CMD /app $X", "CMD A=1 /app", "CMD /app *.c", "CMD /app > /b", "RUN /app", "CMD sh"]
        {
            check_no_fix(&RULE, &format!("FROM scratch\nCOPY a.json /\n{line}\n"));
        }
        check_no_fix(&RULE, "FROM gcr.io/distroless/nodejs22-debian12\nCOPY a.js /\nCMD node a.js\n");
    }
}
