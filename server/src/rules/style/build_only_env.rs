//! `build-only-env`: an ENV that concerns building alone stays in every container.

use crate::model::{Base, InstructionKind, Pair, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Indel, Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "build-only-env",
    group: Group::Style,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
This variable is for the build, and `ENV` sets it in every container too.

With `DEBIAN_FRONTEND=noninteractive`, `apt-get` asks nothing of whoever works in the container either.
An `ARG` is in the environment of the same `RUN`s, and of nothing else.

```dockerfile
FROM debian:bookworm-slim
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
CMD ["curl", "https://example.com"]
```

For the build alone:

```dockerfile
FROM debian:bookworm-slim
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
CMD ["curl", "https://example.com"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if !ctx.facts.is_started() {
        return;
    }
    for stage_idx in ctx.facts.final_chain.iter().rev() {
        let Some(stage) = ctx.file.stages.get(*stage_idx) else { continue };
        for placed in &stage.instructions {
            let InstructionKind::Env(pairs) = &placed.instruction.kind else { continue };
            for pair in pairs {
                let name = pair.name.text.as_str();
                let for_build = is_for_debconf(name) || is_for_compilers(name) && runs_what_was_compiled(ctx, placed);
                // `ENV DEBIAN_FRONTEND=` and `=dialog` take back what an earlier one said.
                let value = pair.value.as_ref().map_or("", |word| word.text.trim_matches(['"', '\'']));
                let takes_back = matches!(value, "" | "dialog" | "readline" | "newt" | "teletype");
                if for_build && !takes_back && !is_set_again(ctx, name, placed) && !is_started_with(ctx, name) {
                    acc.push(finding(placed, pairs, pair));
                }
            }
        }
    }
}

fn finding(placed: &Placed, pairs: &[Pair], pair: &Pair) -> Finding {
    let message = format!("`{}` is for the build, and stays set in every container", pair.name.text);
    let mut finding = Finding::new(&RULE, placed.range(pair.range), message);
    finding.cause = placed.whole();
    finding.fix = fix(placed, pairs, pair);
    finding
}

/// `ENV x=y` and `ENV x y` → `ARG x=y`.
fn fix(placed: &Placed, pairs: &[Pair], pair: &Pair) -> Option<Fix> {
    let value = pair.value.as_ref()?;
    let keyword = placed.instruction.keyword;
    let lower = keyword.of(&placed.instruction.text).starts_with(char::is_lowercase);
    let mut indels =
        vec![Indel { delete: placed.range(keyword), insert: if lower { "arg" } else { "ARG" }.to_owned() }];
    if pair.legacy {
        if value.text.contains([' ', '\t']) {
            return None;
        }
        let gap = Local::new(pair.name.range.end as usize, value.range.start as usize);
        indels.push(Indel { delete: placed.range(gap), insert: "=".to_owned() });
    }
    let edit = TextEdit::new(indels).filter(|_| pairs.len() == 1)?;
    Some(Fix { title: "Set it for the build alone".to_owned(), safety: Safety::Review, edit })
}

fn is_for_debconf(name: &str) -> bool {
    name == "DEBIAN_FRONTEND" || name.starts_with("DEBCONF_")
}

fn is_for_compilers(name: &str) -> bool {
    matches!(name, "CGO_ENABLED" | "GOOS" | "GOARCH" | "CC" | "CXX" | "NPM_CONFIG_LOGLEVEL")
        || matches!(name, "CFLAGS" | "CXXFLAGS" | "CPPFLAGS" | "LDFLAGS" | "RUSTFLAGS" | "GOFLAGS")
        || name.starts_with("CARGO_")
}

/// Whether the target holds what another stage compiled, and runs nothing behind this ENV that could be a compiler.
fn runs_what_was_compiled(ctx: &Context, env: &Placed) -> bool {
    let Some(target) = ctx.facts.target else { return false };
    let Some(stage) = ctx.file.stages.get(target) else { return false };
    let plain = match &stage.base {
        Base::Scratch => true,
        Base::Image(image) => ctx.images.traits(image).is_some_and(|it| it.runtime.is_none()),
        Base::Stage(_) | Base::Unknown(_) => false,
    };
    // `COPY --from=x / /` brings the compilers along.
    let mut copies = false;
    for placed in stage.instructions.iter().filter(|placed| placed.instruction.flag("from").is_some()) {
        let InstructionKind::Copy(copy) = &placed.instruction.kind else { continue };
        if copy.sources.iter().any(|word| word.text == "/") {
            return false;
        }
        copies = true;
    }
    let builds = stage.runs().any(|(_, placed, _)| placed.at > env.at);
    plain && copies && !builds
}

/// Whether a later ENV of the shipped stages takes it back or changes it.
fn is_set_again(ctx: &Context, name: &str, placed: &Placed) -> bool {
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let later = stages.flat_map(|stage| &stage.instructions).filter(|it| it.at > placed.at);
    later.into_iter().any(|it| match &it.instruction.kind {
        InstructionKind::Env(pairs) => pairs.iter().any(|pair| pair.name.text == name),
        _ => false,
    })
}

/// Whether the start command, or a script that is copied, reads it.
fn is_started_with(ctx: &Context, name: &str) -> bool {
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let starts =
        |placed: &&Placed| matches!(placed.instruction.kind, InstructionKind::Cmd(_) | InstructionKind::Entrypoint(_));
    let mut starts = stages.flat_map(|stage| &stage.instructions).filter(starts);
    let is_script = |path: &String| path.ends_with(".sh");
    starts.any(|placed| placed.instruction.text.contains(name) || placed.instruction.text.contains("apt"))
        || ctx.context.texts.iter().any(|(path, text)| is_script(path) && text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn what_is_for_the_build_stays_in_the_container() {
        check(
            &RULE,
            "FROM debian:12 AS a\n\
             ENV DEBIAN_FRONTEND noninteractive\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `DEBIAN_FRONTEND` is for the build\n\
             FROM a\n\
             ENV A=b DEBCONF_NOWARNINGS=yes\n\
             #       ^^^^^^^^^^^^^^^^^^^^^^ stays set\n\
             CMD [\"x\"]\n",
        );
        check(
            &RULE,
            "FROM golang:1.24 AS build\nENV CGO_ENABLED=0\nRUN go build\nFROM alpine:3.20\n\
             ENV CGO_ENABLED=0\n\
             #   ^^^^^^^^^^^^^ for the build\n\
             COPY --from=build /a /a\nCMD [\"/a\"]\n",
        );
    }

    #[test]
    fn others_build_upon_an_image_that_starts_nothing() {
        check(&RULE, "FROM debian:12\nENV DEBIAN_FRONTEND=noninteractive\n");
    }

    #[test]
    fn switches_of_caches_are_for_the_container_too() {
        check(&RULE, "FROM python:3.12\nENV PIP_NO_CACHE_DIR=1\nCMD [\"x\"]\n");
    }

    #[test]
    fn what_is_taken_back_does_not_stay() {
        // The ENV that takes it back is about the container.
        check(&RULE, "FROM debian:12\nENV DEBIAN_FRONTEND=noninteractive\nRUN a\nENV DEBIAN_FRONTEND=\nCMD [\"x\"]\n");
    }

    #[test]
    fn an_image_that_compiles_needs_its_flags() {
        check(&RULE, "FROM golang:1.24\nENV CGO_ENABLED=0\nCMD [\"go\", \"test\"]\n");
        check(&RULE, "FROM debian:12\nENV CC=clang\nRUN make\nCMD [\"x\"]\n");
        check(&RULE, "FROM debian:12\nCOPY --from=x /go /go\nENV CGO_ENABLED=0\nRUN ./tools\nCMD [\"x\"]\n");
        check(&RULE, "FROM debian:12 AS b\nFROM scratch\nCOPY --from=b / /\nENV CC=cc\nCMD [\"x\"]\n");
        check(&RULE, "FROM python:3.12\nENV CC=clang\nCOPY --from=x /a /a\nCMD [\"x\"]\n");
    }

    #[test]
    fn a_start_command_may_read_it() {
        check(&RULE, "FROM debian:12\nENV DEBIAN_FRONTEND=noninteractive\nCMD apt-get upgrade -y && x\n");
        check(
            &RULE,
            "FROM debian:12\nENV DEBIAN_FRONTEND=noninteractive\nCMD [\"/a.sh\"]\n#- a.sh\necho $DEBIAN_FRONTEND\n",
        );
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM debian:12 AS b\nENV DEBIAN_FRONTEND=noninteractive\nFROM debian:12\nCOPY --from=b /a /a\nCMD [\"x\"]\n",
        );
    }

    #[test]
    fn an_arg_is_for_the_build() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nenv DEBIAN_FRONTEND  noninteractive\nCMD [\"x\"]\n",
            "FROM debian:12\narg DEBIAN_FRONTEND=noninteractive\nCMD [\"x\"]\n",
        );
        check_no_fix(&RULE, "FROM debian:12\nENV DEBIAN_FRONTEND=noninteractive A=b\nCMD [\"x\"]\n");
    }
}
