//! `unpinned-package`: a package on the command line has no version.

use crate::facts::installs::{Deed, Manager, Verb, deed, requirements};
use crate::facts::run::{Argument, Command};
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "unpinned-package",
    group: Group::Security,
    severity: Severity::Information,
    on: false,
    also: &["DL3008", "DL3013", "DL3016", "DL3018", "DL3028", "DL3033", "DL3037", "DL3041", "DL3062"],
    doc: r##"
A package on the command line has no version, so builds differ from day to day.

For packages of a language a version is easy to keep, and a lock file better still. A version of a system package breaks the
build when the archive drops it, which is why this rule is off by default. `unpinned-package.kinds` in the settings chooses
between `system` and `language`.

```dockerfile
FROM node:22-slim
RUN npm install -g pm2 && npm cache clean --force
CMD ["pm2-runtime", "app.js"]
#- plimsoll.toml
rules.unpinned-package = "warning"
```

With a version:

```dockerfile
FROM node:22-slim
RUN npm install -g pm2@5.4.2 && npm cache clean --force
CMD ["pm2-runtime", "app.js"]
#- plimsoll.toml
rules.unpinned-package = "warning"
```

Nothing is said of files, of addresses with a commit, of what a requirements or lock file pins, and of `pip`, `setuptools` and
`wheel` themselves.
"##,
    check,
};

/// Where packages come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    System,
    Language,
}

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let kinds = ctx.config.options.package_kinds.as_deref();
    let asked = |kind: Kind| {
        let word = if kind == Kind::System { "system" } else { "language" };
        kinds.is_none_or(|kinds| kinds.iter().any(|it| it == word))
    };
    for (stage_idx, _) in ctx.reaching() {
        let pinned_base = ctx.facts.image(ctx.file, stage_idx).is_some_and(|image| image.digest.is_some());
        for at in ctx.runs_and_onbuild(stage_idx) {
            for command in &at.facts.commands {
                let Some((kind, found)) = unpinned(command).filter(|(kind, _)| asked(*kind)) else { continue };
                let (Some(first), Some(last)) = (found.first(), found.last()) else { continue };
                let names: Vec<&str> = found.iter().filter_map(|it| it.value.as_deref()).take(3).collect();
                let more = if found.len() > 3 { format!(" and {} more", found.len() - 3) } else { String::new() };
                let message = format!("no version is given for {}{more}", names.join(", "));
                let mut finding = Finding::new(&RULE, at.placed.range(first.range.cover(last.range)), message);
                // The archive still moves, but not the image below it.
                if kind == Kind::System && pinned_base {
                    finding.severity = Severity::Hint;
                }
                acc.push(finding);
            }
        }
    }
}

/// The packages of a command that have no version.
fn unpinned(command: &Command) -> Option<(Kind, Vec<&Argument>)> {
    let operands: Vec<&Argument> = command.operands().collect();
    let text = |it: &Argument| it.value.clone().unwrap_or_default();
    match (command.program.as_str(), command.subcommand()?) {
        ("gem", "install") if !command.has(&["-v", "--version", "-g", "--file"]) => {
            let open =
                |it: &&Argument| it.value.is_some() && !text(it).contains([':', '/']) && !text(it).ends_with(".gem");
            return Some((Kind::Language, operands.into_iter().skip(1).filter(open).collect()));
        }
        ("go", "install") => {
            let open = |it: &&Argument| {
                let word = text(it);
                let remote = word.split('/').next().is_some_and(|host| host.contains('.')) && !word.starts_with('.');
                remote && (!word.contains('@') || word.ends_with("@latest"))
            };
            return Some((Kind::Language, operands.into_iter().skip(1).filter(open).collect()));
        }
        ("cargo", "install") if !command.has(&["--version", "--vers", "--locked", "--path", "--git"]) => {
            let open = |it: &&Argument| it.value.is_some() && !text(it).contains('@');
            return Some((Kind::Language, operands.into_iter().skip(1).filter(open).collect()));
        }
        _ => {}
    }
    let deed = deed(command).filter(|deed| deed.verb == Verb::Install)?;
    let kind = match deed.manager {
        Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper => Kind::System,
        Manager::Npm | Manager::Yarn | Manager::Pnpm | Manager::Pip => Kind::Language,
        Manager::Bun
        | Manager::Poetry
        | Manager::Uv
        | Manager::Pipenv
        | Manager::Conda
        | Manager::Bundler
        | Manager::Composer
        | Manager::Go
        | Manager::Cargo
        | Manager::Maven
        | Manager::Gradle
        | Manager::Dotnet => return None,
    };
    if is_pinned_otherwise(command, &deed) {
        return None;
    }
    let found = deed.words.iter().copied().filter(|it| it.value.as_deref().is_some_and(|word| is_open(&deed, word)));
    Some((kind, found.collect()))
}

/// Whether a file or an archive of one day pins all of it.
fn is_pinned_otherwise(command: &Command, deed: &Deed) -> bool {
    match deed.manager {
        Manager::Pip => {
            !requirements(command).is_empty()
                || command.has(&["-c", "--constraint", "--require-hashes", "-e", "--editable"])
        }
        Manager::Apt => deed.word != "install" || command.values().any(|it| it.contains("snapshot")),
        Manager::Rpm => matches!(deed.word, "update" | "upgrade" | "reinstall" | "builddep"),
        Manager::Zypper => matches!(deed.word, "update" | "up"),
        _ => false,
    }
}

/// Whether a word names a package without a version.
fn is_open(deed: &Deed, word: &str) -> bool {
    let is_file = word.starts_with(['.', '/', '~'])
        || word.contains("://")
        || word.contains("git+")
        || [".deb", ".rpm", ".whl", ".tgz", ".tar.gz", ".zip", ".apk"].iter().any(|end| word.ends_with(end));
    // A variable of several words was resolved; one of them with a version says that the author thinks of them.
    if is_file || word.is_empty() || word.contains(char::is_whitespace) {
        return false;
    }
    match deed.manager {
        Manager::Apt => !word.contains(['=', '/']) && !word.ends_with(['-', '+']),
        Manager::Apk => !word.contains(['=', '~', '<', '>', '@']),
        Manager::Rpm => !word.starts_with('@') && !has_version(word),
        Manager::Zypper => !word.contains(['=', '<', '>']) && !has_version(word),
        Manager::Pip => !word.contains(['=', '<', '>', '~', '@']) && !matches!(word, "pip" | "setuptools" | "wheel"),
        _ => {
            !matches!(word, "corepack")
                && !word.get(1..).is_some_and(|rest| rest.contains('@') && !rest.ends_with("@latest"))
        }
    }
}

/// `httpd-2.4.6`, `glibc-2.17*`: a number behind the last hyphen.
fn has_version(word: &str) -> bool {
    word.split('-').skip(1).any(|part| part.starts_with(|it: char| it.is_ascii_digit()) && part.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    const ON: &str = "#- plimsoll.toml\nrules.unpinned-package = \"information\"\n";

    fn found(run: &str) -> usize {
        findings(&analyse(&parse(&format!("FROM debian:12\n{run}\nCMD [\"a\"]\n{ON}"))), &RULE).len()
    }

    #[test]
    fn a_package_without_a_version_is_found() {
        check(
            &RULE,
            &format!(
                "FROM debian:12\n\
                 RUN apt-get update && apt-get install -y curl git=1:2.39 wget\n\
                 #                                        ^^^^^^^^^^^^^^^^^^^^ no version is given for curl, wget\n\
                 CMD [\"a\"]\n{ON}"
            ),
        );
        for run in [
            "RUN apk add --no-cache git",
            "RUN pip install flask",
            "RUN npm install -g pm2",
            "RUN gem install rails",
            "RUN go install example.com/a@latest",
            "RUN cargo install ripgrep",
            "RUN dnf install -y git",
        ] {
            assert_eq!(found(run), 1, "{run}");
        }
    }

    #[test]
    fn it_is_off_until_it_is_asked_for() {
        check(&RULE, "FROM debian:12\nRUN pip install flask\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_version_is_one_in_each_way_of_writing() {
        for run in [
            "RUN apt-get install -y git=1:2 a/bookworm && apk add git=2 a~1",
            "RUN pip install flask==3 'a>=1' b~=2 && npm install -g pm2@5 @a/b@1",
            "RUN gem install rails -v 7 && gem install a:1 && go install example.com/a@v1.2.3 && go install ./a",
            "RUN cargo install --locked ripgrep && cargo install a@1 && dnf install -y git-2.39.1",
        ] {
            assert_eq!(found(run), 0, "{run}");
        }
    }

    #[test]
    fn a_file_pins_all_of_it() {
        assert_eq!(found("RUN pip install -r r.txt a && pip install -c c.txt b && pip install --require-hashes c"), 0);
    }

    #[test]
    fn files_and_addresses_have_no_version() {
        assert_eq!(found("RUN apt-get install -y ./a.deb && pip install . ./a.whl https://example.com/a.tar.gz"), 0);
        assert_eq!(
            found(
                "RUN dnf install -y /tmp/a.rpm && npm install -g ./a.tgz && pip install git+https://example.com/a@0123"
            ),
            0
        );
    }

    #[test]
    fn a_variable_may_be_the_version() {
        assert_eq!(found("ARG V\nRUN pip install flask==$V $A"), 0);
    }

    #[test]
    fn the_installers_themselves_are_renewed() {
        assert_eq!(
            found("RUN pip install -U pip setuptools wheel && npm install -g npm@10 && npm install -g corepack"),
            0
        );
    }

    #[test]
    fn a_base_that_does_not_move_makes_it_a_hint() {
        let text =
            format!("FROM debian@sha256:{}\nRUN apt-get install -y a\nCMD [\"a\"]\n#- plimsoll.toml\n", "a".repeat(64));
        let off = analyse(&parse(&text));
        assert!(findings(&off, &RULE).is_empty());
        let analysis = analyse(&parse(&format!("{text}rules.unpinned-package = \"hint\"\n")));
        assert_eq!(findings(&analysis, &RULE)[0].severity, Severity::Hint);
    }

    #[test]
    fn the_settings_choose_the_kinds() {
        let text = format!("FROM debian:12\nRUN apt-get install -y a && pip install b\nCMD [\"a\"]\n{ON}");
        let system = format!("{text}[unpinned-package]\nkinds = [\"system\"]\n");
        assert_eq!(findings(&analyse(&parse(&text)), &RULE).len(), 2);
        assert_eq!(findings(&analyse(&parse(&system)), &RULE).len(), 1);
    }
}
