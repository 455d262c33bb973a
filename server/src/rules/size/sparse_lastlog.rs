//! `sparse-lastlog`: a user with a large number makes a file of gigabytes in the layer.

use crate::facts::run::Command;
use crate::rules::{Context, Finding, Fix, Group, Rule, Severity};
use crate::text::{Local, TextEdit};
use crate::weight::{Basis, Estimate};

/// The rule.
pub static RULE: Rule = Rule {
    name: "sparse-lastlog",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3046"],
    doc: r##"
`useradd` with a large user number writes a log of last logins that is as long as the number times 292 bytes.

On a disk the file `/var/log/lastlog` has holes and takes no room. A layer has no holes: it is read and packed at its full
length, 29 MB for the number 100,000 and hundreds of gigabytes for the numbers that OpenShift gives, which stalls the build.
Nobody logs into a container; `-l` leaves the file alone.

```dockerfile
FROM debian:bookworm-slim
RUN useradd -u 1000650000 app
USER app
CMD ["sleep", "infinity"]
```

Without the log:

```dockerfile
FROM debian:bookworm-slim
RUN useradd -l -u 1000650000 app
USER app
CMD ["sleep", "infinity"]
```
"##,
    check,
};

/// The length of an entry of `/var/log/lastlog`.
const ENTRY: u64 = 292;

/// Smaller numbers make a file that nobody notices.
const LARGE: u64 = 100_000;

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for at in ctx.final_runs() {
        for command in at.facts.commands.iter().filter(|it| it.program == "useradd") {
            let Some((number, range)) = number(command).filter(|(number, _)| *number >= LARGE) else { continue };
            // Deleted or cut in the same RUN, or thought of in another way.
            if placed_text(&at).contains("lastlog") || !writes_lastlog(ctx) {
                continue;
            }
            let bytes = number.saturating_mul(ENTRY);
            let saves = Estimate::exact(bytes, Basis::Recipe, "292 bytes for each number up to this one");
            let message = format!("the log of last logins becomes as long as this number says ({})", saves.words());
            let mut finding = Finding::new(&RULE, at.placed.range(range), message);
            finding.cause = at.range(command);
            finding.saves = Some(saves);
            finding.fix = at.call(command).map(|call| Fix {
                title: "Leave the log alone with -l".to_owned(),
                safety: ctx.safety(),
                edit: TextEdit::insert(at.placed.range(call.program_range).end(), " -l"),
            });
            acc.push(finding);
        }
    }
}

fn placed_text<'a>(at: &crate::rules::RunAt<'a>) -> &'a str {
    &at.placed.instruction.text
}

/// Alpine has no such log.
fn writes_lastlog(ctx: &Context) -> bool {
    let traits = ctx.base_image().and_then(|image| ctx.images.traits(image));
    traits.is_none_or(|traits| traits.libc != "musl")
}

/// The number that `useradd` is told and where it stands; `None` where there is none, it is not known, or the log is left
/// alone.
fn number(command: &Command) -> Option<(u64, Local)> {
    let mut res = None;
    let mut arguments = command.arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(value) = argument.value.as_deref() else { continue };
        if let Some(long) = value.strip_prefix("--") {
            match long.split_once('=') {
                Some(("uid", number)) => res = Some((number.parse().ok()?, argument.range)),
                Some(_) => {}
                None if long == "no-log-init" => return None,
                None if long == "uid" => {
                    let number = arguments.next()?;
                    res = Some((number.value.as_deref()?.parse().ok()?, number.range));
                }
                None if LONG_WITH_VALUE.contains(&long) => drop(arguments.next()),
                None => {}
            }
            continue;
        }
        let Some(letters) = value.strip_prefix('-') else { continue };
        for (at, letter) in letters.char_indices() {
            match letter {
                'l' => return None,
                'u' => {
                    let attached = letters.get(at + 1..).filter(|it| !it.is_empty());
                    res = Some(match attached {
                        Some(number) => (number.parse().ok()?, argument.range),
                        None => {
                            let number = arguments.next()?;
                            (number.value.as_deref()?.parse().ok()?, number.range)
                        }
                    });
                    break;
                }
                'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'G' | 'k' | 'K' | 'p' | 'P' | 'R' | 's' | 'Z' => {
                    if letters.get(at + 1..).is_none_or(str::is_empty) {
                        arguments.next();
                    }
                    break;
                }
                _ => {}
            }
        }
    }
    res
}

/// Long options of `useradd` whose value is the next word.
const LONG_WITH_VALUE: [&str; 13] = [
    "base-dir",
    "comment",
    "expiredate",
    "gid",
    "groups",
    "home",
    "home-dir",
    "inactive",
    "key",
    "password",
    "root",
    "shell",
    "skel",
];

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM debian:12\n{body}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_log_is_as_long_as_the_number_says() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN groupadd -g 100000 a && useradd -m -u 100000 -g 100000 a\n\
             #                                         ^^^^^^ the log of last logins becomes as long as this number says (about 29 MB)\n\
             RUN useradd --uid=1000650000 b\n\
             #           ^^^^^^^^^^^^^^^^ (about 290 GB)\n\
             RUN useradd -rmu 200000 -s /bin/sh c && useradd -u300000 d\n\
             #                ^^^^^^\n\
             #                                               ^^^^^^^^\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_number_of_an_argument_is_known() {
        check(&RULE, "FROM debian:12\nARG UID=5000000\nRUN useradd -u $UID a\n#              ^^^^\nCMD [\"a\"]\n");
        check_silent("ARG UID\nRUN useradd -u $UID a");
    }

    #[test]
    fn small_numbers_make_a_small_file() {
        check_silent("RUN useradd -u 10001 a && useradd -r b && useradd -c 500000 -u 1000 c");
    }

    #[test]
    fn no_log_init_leaves_the_log_alone() {
        check_silent("RUN useradd -l -u 100000 a");
        check_silent("RUN useradd --no-log-init --uid 100000 a");
        check_silent("RUN useradd -rlu 100000 a");
        check_silent("RUN useradd -u 100000 -l a");
    }

    #[test]
    fn adduser_is_another_program() {
        check_silent("RUN adduser --uid 100000 a");
    }

    #[test]
    fn a_log_that_is_deleted_or_cut_in_the_same_run_is_short() {
        check_silent("RUN useradd -u 100000 a && rm -f /var/log/lastlog /var/log/faillog");
        check_silent("RUN useradd -u 100000 a && truncate -s 0 /var/log/lastlog");
    }

    #[test]
    fn alpine_has_no_such_log() {
        check(&RULE, "FROM alpine:3.20\nRUN apk add --no-cache shadow && useradd -u 100000 a\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(&RULE, "FROM debian:12 AS b\nRUN useradd -u 100000 a\nFROM debian:12\nCOPY --from=b /c /c\nCMD /c\n");
    }

    #[test]
    fn the_fix_is_an_option() {
        let before = "FROM debian:12\nRUN sudo useradd -u 100000 a\nCMD [\"a\"]\n";
        check_fix(&RULE, Safety::Safe, before, "FROM debian:12\nRUN sudo useradd -l -u 100000 a\nCMD [\"a\"]\n");
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN useradd -u 100000 a\n",
            "FROM debian:12\nRUN useradd -l -u 100000 a\n",
        );
    }
}
