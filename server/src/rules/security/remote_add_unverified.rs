//! `remote-add-unverified`: ADD fetches a file or a repository, and nothing says what it must be.

use crate::facts::fetches::{checks, is_local};
use crate::facts::stage::value;
use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "remote-add-unverified",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
`ADD` fetches a file, and nothing says what it must be.

The image holds whatever the server sends on the day of the build. With `--checksum` the build fails when that is another
file, and need not ask the server while the checksum stays the same.

```dockerfile
FROM debian:bookworm-slim
ADD https://example.com/a.bin /a.bin
CMD ["/a.bin"]
```

With its checksum:

```dockerfile
FROM debian:bookworm-slim
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/a.bin /a.bin
CMD ["/a.bin"]
```

`--checksum` needs Dockerfile 1.6. An archive that is fetched is not unpacked, it lands as a file with mode 600. A Git
repository on a branch is information. Nothing is said where a later `RUN` compares a checksum or a signature.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        for (idx, placed) in stage.instructions.iter().enumerate() {
            let kind = match &placed.instruction.kind {
                InstructionKind::Onbuild(inner) => &inner.kind,
                kind => kind,
            };
            let InstructionKind::Add(add) = kind else { continue };
            if placed.instruction.flag("checksum").is_some() {
                continue;
            }
            for source in &add.sources {
                let Some(address) = value(stage, placed, &source.text, ctx.file.directives.escape) else { continue };
                let Some(what) = remote(&address) else { continue };
                if is_local(&address) || what == Remote::Commit || is_checked(ctx, stage_idx, idx) {
                    continue;
                }
                let message = match what {
                    Remote::Repository => "a branch or tag can move, and no `--checksum` says what it must be",
                    Remote::File | Remote::Commit => "no `--checksum` says what must be fetched",
                };
                let mut finding = Finding::new(&RULE, placed.range(source.range), message);
                if what == Remote::Repository {
                    finding.severity = Severity::Information;
                }
                acc.push(finding);
            }
        }
    }
}

/// What an address names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remote {
    File,
    /// A Git repository on a branch or tag.
    Repository,
    /// One at a whole commit.
    Commit,
}

fn remote(address: &str) -> Option<Remote> {
    let web = address.starts_with("http://") || address.starts_with("https://");
    let (place, fragment) = address.split_once('#').unwrap_or((address, ""));
    let place = place.split('?').next().unwrap_or(place);
    let git = place.starts_with("git://")
        || place.starts_with("git@")
        || place.starts_with("ssh://")
        || web && place.ends_with(".git");
    let reference = fragment.split(':').next().unwrap_or_default();
    let commit = reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
        || address.split(['?', '&']).any(|part| part.starts_with("checksum=") || part.starts_with("commit="));
    match (git, web) {
        (true, _) if commit => Some(Remote::Commit),
        (true, _) => Some(Remote::Repository),
        (false, true) => Some(Remote::File),
        (false, false) => None,
    }
}

/// Whether a later RUN of the stage compares a checksum or a signature.
fn is_checked(ctx: &Context, stage_idx: usize, idx: usize) -> bool {
    ctx.runs(stage_idx).any(|at| at.idx > idx && checks(at.facts))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_no_fix, findings, parse};
    use crate::rules::Severity;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn nothing_says_what_is_fetched() {
        let text = "FROM debian:12\n\
                    ADD --chmod=755 https://example.com/a.bin /a\n\
                    #               ^^^^^^^^^^^^^^^^^^^^^^^^^ no `--checksum` says what must be fetched\n\
                    CMD [\"a\"]\n";
        check(&RULE, text);
        check_no_fix(&RULE, text);
    }

    #[test]
    fn a_branch_is_information() {
        for address in ["https://github.com/a/b.git", "https://github.com/a/b.git#main", "git@github.com:a/b.git#v1:x"]
        {
            let analysis = analyse(&parse(&format!("FROM debian:12\nADD {address} /a\nCMD [\"a\"]\n")));
            let found: Vec<Severity> = findings(&analysis, &RULE).iter().map(|it| it.severity).collect();
            assert_eq!(found, [Severity::Information], "{address}");
        }
    }

    #[test]
    fn a_checksum_or_a_commit_says_it() {
        check_silent(&format!("ADD --checksum=sha256:{} https://example.com/a /a", "a".repeat(64)));
        check_silent("ADD https://github.com/a/b.git#0123456789abcdef0123456789abcdef01234567 /a");
    }

    #[test]
    fn a_later_run_checks_the_file() {
        check_silent("ADD https://example.com/a /a\nRUN echo 'x  /a' | sha256sum -c -");
        check_silent("ADD https://example.com/a https://example.com/a.asc /\nRUN gpg --verify /a.asc");
    }

    #[test]
    fn files_of_the_context_and_of_this_machine_are_no_strangers() {
        check_silent("ADD a.tar.gz /a");
        check_silent("ADD http://localhost:8000/a /a");
    }

    #[test]
    fn an_address_that_is_not_known_is_left_alone() {
        check_silent("ARG URL\nADD $URL /a");
        check_silent("ARG V\nADD https://example.com/$V /a");
    }
}
