//! `log-to-file`: the program writes its log into the container, where nobody sees it.

use crate::facts::ground;
use crate::facts::started;
use crate::facts::walk;
use crate::model::{Form, InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::shell::{Reach, Script};
use crate::text::{Local, TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "log-to-file",
    group: Group::Correctness,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
The start command writes its log into a file of the container.

The file grows in the container's writable layer until the disk is full, is gone with the container, and `docker logs` does not
show it. What goes to standard output is kept, rotated and shown by Docker.

```dockerfile
FROM python:3.12-slim
CMD ["gunicorn", "app", "--access-logfile", "/var/log/a.log"]
```

To standard output:

```dockerfile
FROM python:3.12-slim
CMD ["gunicorn", "app", "--access-logfile", "-"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if ctx.facts.target.is_none() {
        return;
    }
    let started = started::of(ctx.file, ctx.facts);
    for placed in [started.entrypoint, started.cmd].into_iter().flatten() {
        let found = match started::form(placed) {
            Some(Form::Shell(text)) => {
                text.script.as_ref().filter(|it| !it.broken).and_then(|it| of_script(it, placed))
            }
            Some(Form::Exec(words)) => {
                let words: Vec<(&str, Local)> = words.iter().map(|word| (word.text.as_str(), word.range)).collect();
                of_words(&words, "\"-\"")
            }
            Some(Form::Heredoc { .. } | Form::Empty) | None => None,
        };
        let Some(found) = found else { continue };
        if is_no_file(&found.path) || is_linked(ctx, &found.path) || is_volume(ctx, &found.path) {
            continue;
        }
        let message = match found.shown {
            true => format!("the log goes to `{}`, which grows in the container", found.path),
            false => format!("the log goes to `{}` in the container, where `docker logs` does not see it", found.path),
        };
        let mut finding = Finding::new(&RULE, placed.range(found.range), message);
        finding.cause = placed.whole();
        finding.fix = found.fix.map(|(delete, insert)| Fix {
            title: "Write the log to standard output".to_owned(),
            safety: Safety::Review,
            edit: TextEdit::replace(with_blank(placed, delete, insert), insert),
        });
        acc.push(finding);
    }
}

/// A log file in a command.
struct Found {
    path: String,
    /// Whether it is shown as well (`tee`, `tail -f`).
    shown: bool,
    range: Local,
    fix: Option<(Local, &'static str)>,
}

/// A deletion takes the blanks before it with it.
fn with_blank(placed: &Placed, delete: Local, insert: &str) -> TextRange {
    let text = &*placed.instruction.text;
    let before = text.get(..delete.start as usize).unwrap_or_default();
    let start = if insert.is_empty() { before.trim_end_matches([' ', '\t']).len() } else { before.len() };
    placed.range(Local::new(start, delete.end as usize))
}

fn of_script(script: &Script, placed: &Placed) -> Option<Found> {
    let text = &*placed.instruction.text;
    // The program that stays is the last one; what others write is not the log of the container.
    let last = script.calls.iter().rev().find(|call| call.reach == Reach::Always)?;
    let end = text.get(last.whole.end as usize..script.range.end as usize).unwrap_or_default();
    if last.program == "tee" {
        let word = last.arguments.iter().find(|word| word.literal().is_some_and(|it| !it.starts_with('-')))?;
        let path = word.literal().filter(|it| is_log(it))?;
        return Some(Found { path, shown: true, range: last.range, fix: None });
    }
    if last.program == "tail"
        && last.arguments.iter().any(|it| matches!(it.literal().as_deref(), Some("-f" | "-F" | "--follow")))
    {
        let word = last.arguments.iter().find(|word| word.literal().is_some_and(|it| is_log(&it)))?;
        return Some(Found { path: word.literal()?, shown: true, range: last.range, fix: None });
    }
    let redirects: Vec<_> = last.redirects.iter().filter(|it| it.operator.contains('>')).collect();
    for redirect in &redirects {
        let to_file = matches!(redirect.operator.as_str(), ">" | ">>" | "&>" | "&>>");
        let of_output = redirect.descriptor.as_deref().is_none_or(|it| it == "1" || it == "2");
        let Some(path) = redirect.target.literal().filter(|it| to_file && of_output && is_log(it)) else { continue };
        // A second redirection (`2>&1`) hangs on the first.
        let written = redirect.range.of(text).starts_with(['>', '1', '&']);
        let fix = (redirects.len() == 1 && written && end.trim().is_empty()).then_some((redirect.range, ""));
        return Some(Found { path, shown: false, range: redirect.range, fix });
    }
    let mut words: Vec<(String, Local)> = vec![(last.program.clone(), last.program_range)];
    words.extend(last.arguments.iter().map(|word| (word.literal().unwrap_or_default(), word.range)));
    let words: Vec<(&str, Local)> = words.iter().map(|(text, range)| (text.as_str(), *range)).collect();
    of_words(&words, "-")
}

/// Options that name a log file.
const OPTIONS: [&str; 7] =
    ["--log-file", "--logfile", "--access-logfile", "--error-logfile", "--access-log", "--error-log", "--log-path"];

/// `output` is how standard output is written here: a word of a JSON array has quotes.
fn of_words(words: &[(&str, Local)], output: &'static str) -> Option<Found> {
    let is_gunicorn = words.iter().any(|(word, _)| *word == "gunicorn" || word.ends_with("/gunicorn"));
    for (at, (word, range)) in words.iter().enumerate() {
        if let Some((option, path)) = word.split_once('=')
            && OPTIONS.contains(&option)
            && path.contains('/')
        {
            return Some(Found { path: path.to_owned(), shown: false, range: *range, fix: None });
        }
        if OPTIONS.contains(word) {
            let (path, range) = words.get(at + 1).filter(|(path, _)| !path.starts_with('-') && path.contains('/'))?;
            let fix = is_gunicorn.then_some((*range, output));
            return Some(Found { path: (*path).to_owned(), shown: false, range: *range, fix });
        }
    }
    None
}

fn is_log(path: &str) -> bool {
    // A `tail -f` on these keeps a container alive; nobody's log goes there.
    let of_system = ["wtmp", "btmp", "faillog", "lastlog", "dpkg.log", "bootstrap.log", "alternatives.log", "yum.log"];
    let name = path.rsplit('/').next().unwrap_or(path);
    path.contains("log") && !path.contains('$') && !of_system.contains(&name)
}

/// Standard output by one of its names.
fn is_no_file(path: &str) -> bool {
    path == "-" || ["/dev/", "/proc/"].iter().any(|it| path.starts_with(it)) || path.contains('$')
}

/// Whether a RUN links the file to standard output, or the base image may.
fn is_linked(ctx: &Context, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let linked = ctx.final_runs().any(|at| {
        let text = &*at.placed.instruction.text;
        ["/dev/std", "/proc/"].iter().any(|it| text.contains(it)) && text.contains(name)
    });
    let ground = ctx.facts.target.map(|target| ground::of(ctx.file, ctx.images, target));
    let server =
        ground.and_then(|it| it.repository()).is_some_and(|(name, _)| name.contains("nginx") || name.contains("httpd"));
    linked || server
}

fn is_volume(ctx: &Context, path: &str) -> bool {
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    { stages }.flat_map(|stage| &stage.instructions).any(|placed| match &placed.instruction.kind {
        InstructionKind::Volume(words) => {
            words.iter().any(|word| walk::is_inside(path, word.text.trim_end_matches('/')))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM debian:12\n{body}\n"));
    }

    #[test]
    fn the_log_is_a_file() {
        check(
            &RULE,
            "FROM debian:12\n\
             CMD app >> /var/log/app.log\n\
             #       ^^^^^^^^^^^^^^^^^^^ the log goes to `/var/log/app.log` in the container\n",
        );
        check(
            &RULE,
            "FROM debian:12\nCMD app 2>&1 | tee /a/log.txt\n#              ^^^^^^^^^^^^^^ goes to `/a/log.txt`\n",
        );
        check(
            &RULE,
            "FROM debian:12\nCMD service a start && tail -f /var/log/a.log\n#                      ^^^^^^^^^^^^^^^^^^^^^^ `/var/log/a.log`\n",
        );
        check(
            &RULE,
            "FROM debian:12\nENTRYPOINT [\"a\", \"--log-file=/a/b.log\"]\n#                ^^^^^^^^^^^^^^^^^^^^^ `/a/b.log`\n",
        );
    }

    #[test]
    fn standard_output_is_no_file() {
        check_silent("CMD app > /dev/stdout");
        check_silent("CMD app 2>&1");
        check_silent("CMD app > /proc/1/fd/1");
        check_silent("CMD [\"gunicorn\", \"--access-logfile\", \"-\", \"a\"]");
        check_silent("CMD tail -f /dev/null");
        check_silent("CMD service a start && tail -f /var/log/faillog");
    }

    #[test]
    fn a_link_to_standard_output_is_standard_output() {
        check_silent("RUN ln -sf /dev/stdout /var/log/app.log\nCMD app > /var/log/app.log");
        check(&RULE, "FROM nginx\nCMD nginx && tail -f /var/log/nginx/access.log\n");
    }

    #[test]
    fn a_volume_is_no_layer() {
        check_silent("VOLUME /var/log\nCMD app > /var/log/app.log");
    }

    #[test]
    fn the_log_of_another_program_is_not_the_containers() {
        check_silent("CMD migrate > /var/log/migrate.log && app");
        check_silent("CMD sed a b > /etc/c && app");
    }

    #[test]
    fn a_command_that_does_not_hold_is_none() {
        check_silent("CMD app > /a.log\nCMD app");
    }

    #[test]
    fn a_plain_redirection_is_taken_out() {
        let file = |line: &str| format!("FROM debian:12\nCMD {line}\n");
        check_fix(&RULE, Safety::Review, &file("exec app -v  > /a.log"), &file("exec app -v"));
        check_no_fix(&RULE, &file("app > /a.log 2>&1"));
    }

    #[test]
    fn gunicorn_writes_to_standard_output_when_told() {
        let file = |path: &str| format!("FROM python:3.12\nCMD gunicorn a --error-logfile {path}\n");
        check_fix(&RULE, Safety::Review, &file("/a.log"), &file("-"));
    }
}
