//! `undefined-stage`: `--from=` names no stage that files can be taken from.

use crate::config::nearest;
use crate::facts;
use crate::model::{Base, ImageRef, InstructionKind, Stage, Word};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{TextEdit, TextRange};

/// The rule.
pub static RULE: Rule = Rule {
    name: "undefined-stage",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &["DL3022", "DL3023"],
    doc: r##"
There is no stage of this name to take files from.

What names no stage is taken for an image, and a stranger's image of that name is pulled if there is one.
A stage cannot copy from itself or from one below it, a number must be that of a stage (they count from 0), and a mount
knows stages by their names alone.

```dockerfile
FROM golang:1.24 AS builder
RUN go build -o /app example.com/app
FROM scratch
COPY --from=bulder /app /app
CMD ["/app"]
```

As the stage is named:

```dockerfile
FROM golang:1.24 AS builder
RUN go build -o /app example.com/app
FROM scratch
COPY --from=builder /app /app
CMD ["/app"]
```

Contexts that the build is given by `--build-context` are listed in the setting `undefined-stage.named-contexts`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.file.stages.iter().enumerate() {
        if let InstructionKind::From(from) = &stage.from.instruction.kind {
            acc.extend(of_from(ctx, stage_idx, stage, &from.image));
        }
        for placed in &stage.instructions {
            match &placed.instruction.kind {
                InstructionKind::Copy(copy) => {
                    let value = placed.instruction.flag("from").and_then(|flag| flag.value.as_ref());
                    let Some(word) = value else { continue };
                    // `/` of an empty stage is there, though nothing lies in it.
                    let takes_files =
                        copy.sources.iter().all(|it| !matches!(it.text.as_str(), "/" | "." | "/." | "/*"));
                    let range = placed.range(word.range);
                    let named = Named { ctx, stage_idx, word, range, is_mount: false, takes_files };
                    acc.extend(named.finding().map(|it| Finding { cause: placed.whole(), ..it }));
                }
                InstructionKind::Run(run) => {
                    for word in run.mounts.iter().filter_map(|mount| mount.value(&["from"])) {
                        let range = placed.range(word.range);
                        let named = Named { ctx, stage_idx, word, range, is_mount: true, takes_files: false };
                        acc.extend(named.finding());
                    }
                }
                _ => {}
            }
        }
    }
}

/// A name that stands behind `from=`.
struct Named<'a> {
    ctx: &'a Context<'a>,
    stage_idx: usize,
    word: &'a Word,
    range: TextRange,
    is_mount: bool,
    /// Whether it is asked for certain files.
    takes_files: bool,
}

impl Named<'_> {
    fn finding(&self) -> Option<Finding> {
        let text = self.word.text.as_str();
        if text.is_empty() || text.contains(['$', ':', '/', '@']) || is_named_context(self.ctx, text) {
            return None;
        }
        if let Ok(number) = text.parse::<i64>() {
            return self.of_number(number);
        }
        match self.ctx.file.stage_named(text) {
            Some(other) => self.of_stage(other),
            None => self.of_no_stage(),
        }
    }

    fn found(&self, message: String, better: Option<&str>) -> Option<Finding> {
        let mut finding = Finding::new(&RULE, self.range, message);
        finding.fix = better.map(|name| take(self.range, name));
        Some(finding)
    }

    /// BuildKit counts stages in `COPY --from`, but knows them by name alone in a mount
    /// (`dockerfile2llb/convert_runmount.go`, `detectRunMount`).
    fn of_number(&self, number: i64) -> Option<Finding> {
        let stages = &self.ctx.file.stages;
        let counted = usize::try_from(number).ok();
        let stage = counted.and_then(|idx| stages.get(idx));
        if self.is_mount {
            let name = stage?.name.as_ref().map(|name| name.text.as_str());
            let message = format!("a mount knows stages by name alone: `{number}` is taken for an image");
            return self.found(message, name);
        }
        match counted.filter(|_| stage.is_some()) {
            Some(idx) => self.of_stage(idx),
            None => {
                let only = self.only_earlier();
                self.found(format!("there is no stage {number}: they count from 0 to {}", stages.len() - 1), only)
            }
        }
    }

    /// The name of the only stage before this one.
    fn only_earlier(&self) -> Option<&str> {
        let only = self.ctx.file.stages.first().filter(|_| self.stage_idx == 1)?;
        only.name.as_ref().map(|name| name.text.as_str())
    }

    fn of_stage(&self, other: usize) -> Option<Finding> {
        let what = self.word.text.as_str();
        if other == self.stage_idx {
            return self.found(format!("stage `{what}` is this one: it cannot take files from itself"), None);
        }
        // BuildKit only minds a later stage when it comes to this one.
        if other > self.stage_idx {
            let needed = self.ctx.facts.reaching.get(self.stage_idx).copied().unwrap_or(false);
            return needed.then(|| self.found(format!("stage `{what}` only begins below"), None)).flatten();
        }
        let is_empty = self.takes_files && brings_nothing(self.ctx, other);
        if is_empty {
            return self.found(format!("stage `{what}` is empty: FROM scratch, and nothing is put into it"), None);
        }
        None
    }

    fn of_no_stage(&self) -> Option<Finding> {
        let text = self.word.text.as_str();
        let name = meant(self.ctx, text, self.stage_idx)?;
        let message = format!("no stage is named `{text}`, so an image of that name is pulled; did you mean `{name}`?");
        self.found(message, Some(name))
    }
}

/// A FROM that names a stage below, or nearly one above.
fn of_from(ctx: &Context, stage_idx: usize, stage: &Stage, word: &Word) -> Option<Finding> {
    let Base::Image(image) = &stage.base else { return None };
    let text = word.text.as_str();
    if text.contains(['$', ':', '/', '@']) || is_named_context(ctx, text) || is_known(ctx, image) {
        return None;
    }
    let range = stage.from.range(word.range);
    if ctx.file.stages.iter().skip(stage_idx + 1).any(|later| later.is_named(text)) {
        let message = format!("stage `{text}` only begins below, so an image of that name is pulled");
        return Some(Finding::new(&RULE, range, message));
    }
    if stage.is_named(text) {
        return None;
    }
    let name = meant(ctx, text, stage_idx)?;
    let message = format!("no stage is named `{text}`, so an image of that name is pulled; did you mean `{name}`?");
    let mut finding = Finding::new(&RULE, range, message);
    finding.fix = Some(take(range, name));
    Some(finding)
}

fn take(range: TextRange, name: &str) -> Fix {
    let title = format!("Take `{name}`");
    Fix { title, safety: Safety::Review, edit: TextEdit::replace(range, name) }
}

/// The earlier stage whose name is so near that it was meant. Names that differ in digits alone are names of their own.
fn meant<'a>(ctx: &'a Context, text: &str, stage_idx: usize) -> Option<&'a str> {
    if ImageRef::parse(text).is_some_and(|image| is_known(ctx, &image)) {
        return None;
    }
    let earlier = ctx.file.stages.iter().take(stage_idx);
    let names = earlier.filter_map(|stage| stage.name.as_ref()).map(|name| name.text.as_str());
    let near = nearest::within(text, names, if text.chars().count() < 5 { 1 } else { 2 })?;
    let letters = |it: &str| it.chars().filter(|it| !it.is_ascii_digit()).collect::<String>();
    (letters(near) != letters(text) && text.chars().count() > 2).then_some(near)
}

fn is_known(ctx: &Context, image: &ImageRef) -> bool {
    ctx.images.traits(image).is_some() || ctx.images.look_up(image, &ctx.config.platform).is_some()
}

fn is_named_context(ctx: &Context, text: &str) -> bool {
    ctx.config.options.named_contexts.iter().any(|name| name.eq_ignore_ascii_case(text))
}

/// Whether a stage is built on nothing and puts nothing into it.
fn brings_nothing(ctx: &Context, stage_idx: usize) -> bool {
    let chain = facts::chain(ctx.file, stage_idx);
    let stages = || chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let is_named = |stage: &Stage| stage.name.as_ref().is_some_and(|name| is_named_context(ctx, &name.text));
    let is_filled = |stage: &Stage| {
        // `FROM tools-${WITH}` chooses between an empty stage and another.
        let chosen =
            matches!(&stage.from.instruction.kind, InstructionKind::From(from) if from.image.text.contains('$'));
        chosen
            || stage.instructions.iter().any(|placed| {
                matches!(
                    placed.instruction.kind,
                    InstructionKind::Copy(_)
                        | InstructionKind::Add(_)
                        | InstructionKind::Run(_)
                        | InstructionKind::Workdir(_)
                        | InstructionKind::Onbuild(_)
                        | InstructionKind::Unknown
                )
            })
    };
    stages().next_back().is_some_and(|stage| stage.base == Base::Scratch)
        && !stages().any(|stage| is_filled(stage) || is_named(stage))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn what_names_no_stage_is_pulled() {
        check(
            &RULE,
            "FROM golang AS builder\n\
             FROM buider AS other\n\
             #    ^^^^^^ did you mean `builder`?\n\
             COPY --from=build /a /b\n\
             #           ^^^^^ no stage is named `build`\n\
             RUN --mount=from=bilder,target=/x c\n\
             #                ^^^^^^ did you mean `builder`?\n",
        );
    }

    #[test]
    fn a_stage_takes_nothing_from_itself_or_from_below() {
        check(
            &RULE,
            "FROM a AS one\n\
             COPY --from=one /a /b\n\
             #           ^^^ it cannot take files from itself\n\
             COPY --from=0 /a /b\n\
             #           ^ itself\n\
             COPY --from=two /a /b\n\
             #           ^^^ only begins below\n\
             COPY --from=1 /a /b\n\
             #           ^ only begins below\n\
             FROM b AS two\nCOPY --from=one /a /b\n",
        );
        check(&RULE, "FROM b AS one\nFROM two AS last\n#    ^^^ only begins below\nFROM c AS two\n");
        check(&RULE, "FROM a AS one\nCOPY --from=two /a /b\nFROM b AS two\n");
    }

    #[test]
    fn stages_count_from_nought() {
        check(
            &RULE,
            "FROM a AS one\nFROM b\nCOPY --from=0 /a /b\n\
             COPY --from=2 /a /b\n\
             #           ^ there is no stage 2: they count from 0 to 1\n\
             RUN --mount=type=bind,from=0,target=/x c\n\
             #                          ^ a mount knows stages by name alone\n",
        );
    }

    #[test]
    fn an_empty_stage_brings_nothing() {
        check(
            &RULE,
            "FROM scratch AS none\nLABEL a=b\nFROM a\n\
             COPY --from=none /a /b\n\
             #           ^^^^ stage `none` is empty\n\
             RUN --mount=type=cache,from=none,target=/x c\n",
        );
        check(&RULE, "FROM scratch AS none\nFROM a\nCOPY --from=none / /b/\n");
        check(
            &RULE,
            "ARG WITH=no\nFROM scratch AS tools-no\nFROM tools-${WITH} AS tools\nFROM a\nCOPY --from=tools /a* /b/\n",
        );
        check(&RULE, "FROM scratch AS some\nONBUILD COPY a /b\nFROM a\nCOPY --from=some /a /b\n");
        check(
            &RULE,
            "FROM scratch AS given\nFROM a\nCOPY --from=given /a /b\n#- plimsoll.toml\nundefined-stage.named-contexts = [\"given\"]\n",
        );
    }

    #[test]
    fn an_image_is_an_image() {
        check(&RULE, "FROM a AS nginy\nFROM b\nCOPY --from=nginx /a /b\nCOPY --from=nginy:1 /a /b\n");
        check(&RULE, "FROM a AS composed\nFROM b\nCOPY --from=composer /a /b\nCOPY --from=x/compose@sha256:1 /a /b\n");
        check(&RULE, "FROM a AS stage1\nFROM stage2\nCOPY --from=stage3 /a /b\nCOPY --from=quite-different /a /b\n");
    }

    #[test]
    fn a_named_context_is_given() {
        check(
            &RULE,
            "FROM a AS builder\nFROM b\nCOPY --from=build /a /b\n#- plimsoll.toml\nundefined-stage.named-contexts = [\"build\"]\n",
        );
    }

    #[test]
    fn letter_case_does_not_matter() {
        check(&RULE, "FROM a AS Builder\nFROM b\nCOPY --from=builder /a /b\nRUN --mount=from=BUILDER c\n");
    }

    #[test]
    fn a_variable_is_buildkits_fault() {
        check(&RULE, "ARG S=builder\nFROM a AS builder\nFROM b\nCOPY --from=$S /a /b\n");
    }

    #[test]
    fn the_nearest_name_is_taken() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM a AS one\nFROM b\nCOPY --from=2 /a /b\nRUN --mount=from=0,target=/x c\n",
            "FROM a AS one\nFROM b\nCOPY --from=one /a /b\nRUN --mount=from=one,target=/x c\n",
        );
        check_no_fix(&RULE, "FROM a\nFROM b\nCOPY --from=7 /a /b\n");
    }
}
