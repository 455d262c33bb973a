//! `copy-to-root`: an application is spread over the root directory, for want of a WORKDIR.

use crate::context::{BuildContext, EntryKind};
use crate::facts::lines;
use crate::facts::stage::value;
use crate::model::{Base, Copy, ImageRef, InstructionKind, Placed, ShellKind, Stage};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "copy-to-root",
    group: Group::Correctness,
    severity: Severity::Information,
    on: true,
    also: &["DL3045"],
    doc: r##"
The application is spread over the root directory of the image.

Without a `WORKDIR`, `.` is `/`: the files lie between `/bin` and `/usr`, a folder `lib` or `etc` of the project mixes with
that of the system, and what later says `.` means the whole image.

```dockerfile
FROM python:3.12-slim
COPY . .
CMD ["python", "app.py"]
```

In a directory of its own:

```dockerfile
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "app.py"]
```
"##,
    check,
};

/// Images that are known to start in `/`. Others may have a directory of their own.
const ROOTED: &[&str] = &[
    "docker.io/library/almalinux",
    "docker.io/library/alpine",
    "docker.io/library/amazoncorretto",
    "docker.io/library/amazonlinux",
    "docker.io/library/buildpack-deps",
    "docker.io/library/busybox",
    "docker.io/library/centos",
    "docker.io/library/debian",
    "docker.io/library/eclipse-temurin",
    "docker.io/library/fedora",
    "docker.io/library/maven",
    "docker.io/library/nginx",
    "docker.io/library/node",
    "docker.io/library/openjdk",
    "docker.io/library/python",
    "docker.io/library/rockylinux",
    "docker.io/library/ruby",
    "docker.io/library/rust",
    "docker.io/library/ubuntu",
    "mcr.microsoft.com/dotnet/aspnet",
    "mcr.microsoft.com/dotnet/runtime",
    "mcr.microsoft.com/dotnet/sdk",
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in &ctx.facts.final_chain {
        let Some(stage) = ctx.file.stages.get(*stage_idx) else { continue };
        if !starts_in_root(stage) {
            continue;
        }
        for placed in &stage.instructions {
            match &placed.instruction.kind {
                InstructionKind::Workdir(_) => break,
                InstructionKind::Copy(copy) | InstructionKind::Add(copy)
                    if placed.instruction.frame.shell != ShellKind::Cmd && spreads(ctx, stage, placed, copy) =>
                {
                    acc.push(finding(ctx, placed, copy));
                    break;
                }
                _ => {}
            }
        }
    }
}

fn starts_in_root(stage: &Stage) -> bool {
    let is_rooted = |image: &ImageRef| ROOTED.contains(&image.repository().as_str());
    matches!(&stage.base, Base::Image(image) if is_rooted(image))
}

fn finding(ctx: &Context, placed: &Placed, copy: &Copy) -> Finding {
    let range = copy.destination.as_ref().map_or(placed.whole(), |word| placed.range(word.range));
    let mut finding = Finding::new(&RULE, range, "this spreads the files over the root directory: no WORKDIR is set");
    finding.cause = placed.whole();
    let relative = copy.destination.as_ref().is_some_and(|word| !word.text.starts_with('/'));
    if relative && starts_by_relative_path(ctx) {
        let keyword = placed.instruction.keyword.of(&placed.instruction.text);
        let workdir = if keyword.starts_with(char::is_lowercase) { "workdir" } else { "WORKDIR" };
        finding.fix = Some(Fix {
            title: "Set a WORKDIR".to_owned(),
            safety: Safety::Review,
            edit: lines::above(ctx.file, placed, &format!("{workdir} /app")),
        });
    }
    finding
}

/// Whether a COPY or ADD brings a directory, or several files of an application, to `/` itself.
fn spreads(ctx: &Context, stage: &Stage, placed: &Placed, copy: &Copy) -> bool {
    let escape = ctx.file.directives.escape;
    let of = |text: &str| value(stage, placed, text, escape);
    let Some(destination) = copy.destination.as_ref().and_then(|word| of(&word.text)) else { return false };
    let is_root = matches!(destination.as_str(), "." | "./" | "/" | "/." | "/./");
    if !is_root || placed.instruction.flag("from").is_some() || !placed.instruction.heredocs.is_empty() {
        return false;
    }
    let sources: Option<Vec<String>> = copy.sources.iter().map(|word| of(&word.text)).collect();
    let Some(sources) = sources else { return false };
    if sources.iter().any(|source| is_overlay(ctx.context, source) || source.contains("://")) {
        return false;
    }
    let is_directory = |source: &String| {
        let whole = source.ends_with('/') || matches!(source.as_str(), "." | "*" | "./*" | "..");
        whole || ctx.context.entry(source).is_some_and(|entry| entry.kind == EntryKind::Directory)
    };
    // Who writes `/` may lay an overlay over it: only the context can tell.
    let is_written = destination.starts_with('/');
    if sources.iter().any(is_directory) {
        return ctx.context.known || !is_written;
    }
    // Several files by their names in the root are meant, scripts most often.
    if is_written {
        return false;
    }
    let is_application = |source: &String| {
        let name = source.rsplit('/').next().unwrap_or_default();
        let is_script = name.ends_with(".sh") || !name.contains('.');
        !is_script && !is_archive(name)
    };
    sources.len() > 1 && sources.iter().any(is_application)
}

fn is_archive(name: &str) -> bool {
    name.contains(".tar") || name.ends_with("gz") || name.ends_with("xz")
}

/// Whether a source is laid over the root directory on purpose.
fn is_overlay(context: &BuildContext, source: &str) -> bool {
    const NAMES: [&str; 14] = [
        "bin",
        "build",
        "conf",
        "config",
        "docker",
        "etc",
        "files",
        "filesystem",
        "fs",
        "image",
        "opt",
        "overlay",
        "usr",
        "var",
    ];
    let path = source.trim_end_matches("/*").trim_end_matches("/.").trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or_default();
    let of_system = ["root", "fs", "overlay"].iter().any(|word| name.contains(word));
    let holds = |folder: &str| {
        let inner = if matches!(path, "." | "" | "*") { folder.to_owned() } else { format!("{path}/{folder}") };
        context.entry(&inner).is_some_and(|entry| entry.kind == EntryKind::Directory)
    };
    NAMES.contains(&name) || of_system || is_archive(name) || ["etc", "usr", "bin"].iter().any(|it| holds(it))
}

/// Whether the start command names its files from the directory it runs in, so that they are found in another one.
fn starts_by_relative_path(ctx: &Context) -> bool {
    let is_path = |word: &str| word.contains('.') || word.contains('/');
    let mut relative = false;
    for program in ctx.start().programs.iter().filter(|it| !it.health) {
        let words = std::iter::once(Some(program.word.as_str())).chain(program.arguments.iter().map(Option::as_deref));
        for word in words {
            let Some(word) = word else { return false };
            let of_system = ["/bin/", "/usr/", "/sbin/"].iter().any(|it| word.starts_with(it));
            if word.starts_with('/') && !of_system {
                return false;
            }
            relative |= !word.starts_with(['/', '-']) && is_path(word);
        }
        relative |= matches!(program.name.as_str(), "npm" | "yarn" | "pnpm");
    }
    relative
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"./a\"]\n"));
    }

    #[test]
    fn without_a_workdir_a_dot_is_the_root() {
        check(
            &RULE,
            "FROM debian:12\n\
             COPY a.json /app/\n\
             COPY . ./\n\
             #      ^^ over the root directory\n\
             COPY src/ /\n",
        );
        check(&RULE, "FROM node:22\nCOPY . /\n#      ^ root directory\n#- a.js\n\n");
        check(&RULE, "FROM node:22\nCOPY package.json yarn.lock ./\n#                           ^^ root directory\n");
        check(&RULE, "FROM node:22\nADD src /\n#       ^ root directory\n#- src/a.js\n\n");
    }

    #[test]
    fn a_workdir_is_a_place_of_its_own() {
        check_silent("WORKDIR /app\nCOPY . .");
        check(&RULE, "FROM debian:12 AS a\nWORKDIR /app\nFROM a\nCOPY . .\n");
        check(&RULE, "FROM php:8\nCOPY . .\n");
        check(&RULE, "FROM example.com/own\nCOPY . .\n");
    }

    #[test]
    fn an_overlay_of_the_root_belongs_there() {
        check_silent("COPY rootfs/ /");
        check_silent("COPY ./docker/root/ /");
        check_silent("COPY files/ /");
        check_silent("COPY . /");
        check(&RULE, "FROM debian:12\nCOPY things /\n#- things/etc/a.conf\n\n");
        check(&RULE, "FROM debian:12\nCOPY . /\n#- usr/bin/a\n\n");
    }

    #[test]
    fn single_files_may_lie_in_the_root() {
        check_silent("COPY app /");
        check_silent("COPY entrypoint.sh /");
        check_silent("COPY entrypoint.sh wait.sh /");
        check_silent("COPY lock.py lock.png /");
        check_silent("ADD rootfs.tar.gz /");
        check(&RULE, "FROM scratch\nCOPY app /\nCMD [\"/app\"]\n");
    }

    #[test]
    fn another_stage_brings_what_was_placed_there() {
        check(&RULE, "FROM a AS b\nFROM debian:12\nCOPY --from=b /out/ /\n");
        check(&RULE, "FROM debian:12 AS b\nCOPY . .\nFROM debian:12\nCOPY --from=b /x /y\n");
    }

    #[test]
    fn windows_has_other_paths() {
        check_silent("COPY . C:/app");
        check(&RULE, "# escape=`\nFROM openjdk:17-windowsservercore\nCOPY . .\n");
    }

    #[test]
    fn a_relative_start_is_found_in_another_directory() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM node:22\nCOPY . .\nRUN npm ci\nCMD npm start\n",
            "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD npm start\n",
        );
        check_no_fix(&RULE, "FROM node:22\nCOPY . .\nCMD [\"node\", \"/server.js\"]\n");
        check_no_fix(&RULE, "FROM node:22\nCOPY . /\nCMD [\"node\", \"server.js\"]\n#- server.js\n\n");
        check_no_fix(&RULE, "FROM node:22\nCOPY . .\n");
    }
}
