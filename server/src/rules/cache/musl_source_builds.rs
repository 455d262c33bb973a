//! `musl-source-builds`: packages that are compiled on Alpine because nobody publishes them built for musl.

use crate::facts::installs::{Manager, Verb, deed, requirements};
use crate::facts::landing::{self, Landed};
use crate::facts::made::plain_name;
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::facts::walk::{self, State};
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "musl-source-builds",
    group: Group::Cache,
    severity: Severity::Information,
    on: false,
    also: &[],
    doc: r##"
Packages are installed on Alpine that nobody publishes built for its C library.

PyPI has them as wheels for glibc alone: on Alpine pip compiles them, for minutes and with a compiler that must be installed
for it, or finds nothing at all. Which packages these are changes monthly, so this rule is off by default.

```dockerfile
FROM python:3.12-alpine
RUN apk add --no-cache gcc musl-dev && pip install --no-cache-dir onnxruntime
CMD ["python", "app.py"]
#- plimsoll.toml
rules.musl-source-builds = "information"
```

On an image with glibc:

```dockerfile
FROM python:3.12-slim
RUN pip install --no-cache-dir onnxruntime
CMD ["python", "app.py"]
#- plimsoll.toml
rules.musl-source-builds = "information"
```
"##,
    check,
};

/// Packages of PyPI without wheels for musl, in lower case and with `-` (PyPI, as of 2025).
const WITHOUT_MUSL: [&str; 10] = [
    "jaxlib",
    "onnxruntime",
    "onnxruntime-gpu",
    "playwright",
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-intel",
    "torch",
    "torchaudio",
    "torchvision",
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        let traits = ctx.facts.image(ctx.file, stage_idx).and_then(|image| ctx.images.traits(image));
        if traits.is_none_or(|traits| traits.libc != "musl") {
            continue;
        }
        let states = walk::states(ctx.file, stage_idx, "/");
        for at in ctx.runs(stage_idx) {
            for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, command)| command.certain) {
                acc.extend(finding(ctx, &at, &states, idx, command));
            }
        }
    }
}

fn finding(ctx: &Context, at: &RunAt, states: &[State], idx: usize, command: &Command) -> Option<Finding> {
    let deed = deed(command).filter(|it| it.manager == Manager::Pip && it.verb == Verb::Install)?;
    // A folder of wheels, or an index of one's own, may have them.
    let own = ["-f", "--find-links", "-i", "--index-url", "--extra-index-url", "--no-index"];
    if command.has(&own) || at.run.mounts.iter().any(|mount| mount.kind() == "bind") {
        return None;
    }
    let mut found: Vec<String> = deed.packages().filter_map(without_musl).collect();
    let directory = at.facts.directories.get(idx).and_then(Option::as_deref);
    let directory = directory.or_else(|| states.get(at.idx)?.directory.as_deref());
    for file in requirements(command).into_iter().flatten() {
        let path = join(directory, file)?;
        if let Landed::File(path) = landing::landed(ctx.file, at.stage, states.get(..at.idx)?, ctx.context, &path) {
            let text = ctx.context.text(&path).unwrap_or_default();
            found.extend(text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(without_musl));
        }
    }
    let first = found.first()?;
    let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
    let message = format!("nobody publishes `{first}`{more} built for musl, so pip compiles it here or fails");
    let mut res = Finding::new(&RULE, at.range(command), message);
    res.assists.push("swap-base");
    Some(res)
}

/// The name of a package without wheels for musl.
fn without_musl(word: &str) -> Option<String> {
    let name = plain_name(Manager::Pip, word.trim()).split([' ', ';', '!', '#']).next()?;
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    WITHOUT_MUSL.binary_search(&name.as_str()).is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{RULE, WITHOUT_MUSL};
    use crate::fixture::check;

    const ON: &str = "#- plimsoll.toml\nrules.musl-source-builds = \"information\"\n";

    #[test]
    fn the_table_is_in_order() {
        assert!(WITHOUT_MUSL.is_sorted());
    }

    #[test]
    fn nobody_publishes_them_for_musl() {
        check(
            &RULE,
            &format!(
                "FROM python:3.12-alpine\n\
                 RUN pip install torch==2.4.0 flask\n\
                 #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nobody publishes `torch` built for musl\n\
                 CMD [\"a\"]\n{ON}"
            ),
        );
        check(
            &RULE,
            &format!(
                "FROM python:3.12-alpine\n\
                 COPY r.txt /\n\
                 RUN pip install -r /r.txt\n\
                 #   ^^^^^^^^^^^^^^^^^^^^^ `onnxruntime` and 1 more\n\
                 CMD [\"a\"]\n#- r.txt\n# torch\nonnxruntime >= 1.0\nplaywright\n{ON}"
            ),
        );
    }

    #[test]
    fn glibc_has_wheels() {
        check(&RULE, &format!("FROM python:3.12-slim\nRUN pip install torch\nCMD [\"a\"]\n{ON}"));
        check(&RULE, &format!("FROM example.com/a:1\nRUN pip install torch\nCMD [\"a\"]\n{ON}"));
    }

    #[test]
    fn pure_python_is_not_compiled() {
        check(&RULE, &format!("FROM python:3.12-alpine\nRUN pip install flask\nCMD [\"a\"]\n{ON}"));
    }

    #[test]
    fn a_folder_of_wheels_may_have_them() {
        check(
            &RULE,
            &format!("FROM python:3.12-alpine\nRUN pip install --find-links=/wheels torch\nCMD [\"a\"]\n{ON}"),
        );
    }

    #[test]
    fn a_file_that_nobody_read_says_nothing() {
        check(&RULE, &format!("FROM python:3.12-alpine\nCOPY r.txt /\nRUN pip install -r /r.txt\nCMD [\"a\"]\n{ON}"));
    }
}
