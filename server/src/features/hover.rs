//! What the author sees with the pointer on a word: what an image weighs, what a variable is worth, what an instruction
//! or flag does.

mod image;
mod layer;
mod manual;
mod variable;

use crate::model::{Instruction, InstructionKind, Placed, Word};
use crate::rules::Context;
use crate::text::{Local, TextRange, TextSize};

/// What a hover shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The thing it is about.
    pub range: TextRange,
    /// Markdown. Tables are padded and hold no inline markup, so that they read well where they are not rendered.
    pub markdown: String,
}

/// The hover at an offset: a variable before the word it stands in, a flag or image before the instruction.
pub fn hover(ctx: &Context, offset: TextSize) -> Option<Hover> {
    let placed = ctx.file.instruction_at(offset)?;
    let at = placed.local(offset)?;
    let (local, markdown) = variable::at(ctx, placed, at)
        .or_else(|| base_image(ctx, placed, at))
        .or_else(|| source(ctx, placed, at))
        .or_else(|| keyword(ctx, placed, at))
        .or_else(|| manual(&placed.instruction, at))?;
    Some(Hover { range: placed.range(local), markdown })
}

/// Whether a place holds an offset, its end included.
fn holds(local: Local, at: u32) -> bool {
    local.start <= at && at <= local.end && !local.is_empty()
}

fn base_image(ctx: &Context, placed: &Placed, at: u32) -> Option<(Local, String)> {
    let InstructionKind::From(from) = &placed.instruction.kind else { return None };
    if !holds(from.image.range, at) {
        return None;
    }
    let stage = ctx.file.stages.iter().position(|stage| stage.from.at == placed.at)?;
    Some((from.image.range, image::of_base(ctx, stage)?))
}

/// The image or stage that `--from=` or `--mount=from=` names.
fn source(ctx: &Context, placed: &Placed, at: u32) -> Option<(Local, String)> {
    let instruction = &placed.instruction;
    let flag = instruction.flag("from").and_then(|flag| flag.value.as_ref());
    let mounts = match &instruction.kind {
        InstructionKind::Run(run) => &run.mounts[..],
        _ => &[],
    };
    let mut words = flag.into_iter().chain(mounts.iter().filter_map(|mount| mount.value(&["from"])));
    let word: &Word = words.find(|word| holds(word.range, at))?;
    Some((word.range, image::of_source(ctx, placed, &word.text)?))
}

/// What the instruction adds, above what its keyword does.
fn keyword(ctx: &Context, placed: &Placed, at: u32) -> Option<(Local, String)> {
    let range = placed.instruction.keyword;
    if !holds(range, at) || !placed.instruction.faults.is_empty() {
        return None;
    }
    let weight = layer::of(ctx, placed)?;
    let manual = manual(&placed.instruction, at).map(|(_, manual)| format!("\n\n---\n\n{manual}")).unwrap_or_default();
    Some((range, weight + &manual))
}

/// What the keyword or flag under the pointer does.
fn manual(instruction: &Instruction, at: u32) -> Option<(Local, String)> {
    if let InstructionKind::Onbuild(inner) = &instruction.kind
        && let Some(found) = manual(inner, at)
    {
        return Some(found);
    }
    if holds(instruction.keyword, at) {
        return Some((instruction.keyword, manual::instruction(&instruction.name)?));
    }
    let flag = instruction.flags.iter().find(|flag| {
        let name = Local { start: flag.range.start, ..flag.name_range };
        holds(name, at)
    })?;
    Some((flag.range, manual::flag(&instruction.name, &flag.name)?))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fixture::{analyse, parse};

    /// What the hover at `<|>` shows, the thing it is about in front.
    fn check(text: &str, expected: &Expect) {
        let fixture = parse(text);
        let offset = fixture.cursor.expect("a cursor").start();
        let analysis = analyse(&fixture);
        let shown = match analysis.hover(offset) {
            Some(hover) => format!("[{}]\n{}", &analysis.file.text[hover.range], hover.markdown),
            None => "nothing".to_owned(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_base_image_has_its_weight_and_what_is_slimmer() {
        check(
            "FROM no<|>de:18\n#- today 2026-11-21\n",
            &expect![[r#"
            [node:18]
            `node:18`

            - linux/amd64: pull 395 MB, unpacked about 1.1 GB (table, 2025-01-14)
            - linux/arm64: pull 386 MB, unpacked about 1.1 GB (table, 2025-01-14)

            | image                 | pull        | unpacked     | saves        | figures of |
            |-----------------------|-------------|--------------|--------------|------------|
            | node:18               | 395 MB      | about 1.1 GB |              | 2025-01-14 |
            | node:18-slim          | 68.2 MB     | about 190 MB | about 900 MB | 2025-05-20 |
            | node:18-alpine (musl) | about 53 MB | about 160 MB | about 930 MB | 2023-02    |

            debian, glibc, apt, runs as root

            Node.js 18 reached its end of life on 2025-04-30; the oldest supported is 22
        "#]],
        );
    }

    #[test]
    fn variables_in_an_image_are_resolved() {
        check(
            "ARG V=3.12\nFROM python:${V}-<|>slim\n",
            &expect![[r#"
            [python:${V}-slim]
            `python:3.12-slim`

            - linux/amd64: pull 43.2 MB, unpacked about 120 MB (table, 2026-08-05)
            - linux/arm64: pull 43.5 MB, unpacked about 120 MB (table, 2026-08-05)

            | image                              | pull        | unpacked     | saves       | figures of |
            |------------------------------------|-------------|--------------|-------------|------------|
            | python:3.12-slim                   | 43.2 MB     | about 120 MB |             | 2026-08-05 |
            | gcr.io/distroless/python3-debian13 | about 22 MB | about 59 MB  | about 61 MB | 2026-11-20 |
            | python:3.12-alpine (musl)          | about 18 MB | about 53 MB  | about 68 MB | 2026-09    |

            debian, glibc, apt, runs as root
        "#]],
        );
        check(
            "ARG V\nFROM python:$V-<|>slim\n",
            &expect![[r#"
            [python:$V-slim]
            `python:$V-slim` has no value that is known here: the build gives it with `--build-arg`"#]],
        );
    }

    #[test]
    fn nothing_is_made_up_about_images_that_nobody_knows() {
        check(
            "FROM registry.example/team/<|>base:1\n",
            &expect![[r#"
            [registry.example/team/base:1]
            `registry.example/team/base:1`

            Nothing is known about the size of this image offline."#]],
        );
        check(
            "FROM scr<|>atch\n",
            &expect![[r#"
            [scratch]
            `scratch`: the empty image. It weighs nothing, and has no shell and no certificates."#]],
        );
    }

    #[test]
    fn a_stage_is_named_with_what_it_is_built_on() {
        check(
            "FROM golang:1.22 AS build\nFROM scratch\nCOPY --from=bu<|>ild /a /a\n",
            &expect![[r#"
            [build]
            Stage `build`, line 1 on `golang:1.22`

            unpacked about 810 MB"#]],
        );
    }

    #[test]
    fn a_variable_has_its_value_and_where_it_comes_from() {
        check(
            "FROM a\nENV PORT=80\nEXPOSE $PO<|>RT\n",
            &expect![[r#"
            [PORT]
            `PORT`: `80`

            set by ENV, line 2; stays in the image"#]],
        );
        check(
            "ARG V=1\nFROM a\nARG <|>V\n",
            &expect![[r#"
            [V]
            `V`: `1`

            ARG, line 3, with the value of the ARG before the first FROM"#]],
        );
        check(
            "FROM a\nARG V\nLABEL v=${<|>V}\n",
            &expect![[r#"
            [V]
            `V`: no known value

            ARG without a default, line 2; given by `--build-arg`"#]],
        );
        check("FROM a\nRUN for f in *; do echo $<|>f; done\n", &expect!["nothing"]);
        check("FROM a\nRUN echo \\$HO<|>ME\n", &expect!["nothing"]);
    }

    #[test]
    fn an_instruction_says_what_it_adds_and_why() {
        check(
            "FROM debian:bookworm-slim\nR<|>UN apt-get update\n",
            &expect![[r#"
            [RUN]
            RUN adds about 20 MB unpacked, pulled as about 15 MB

            - package lists
            - estimated from package tables, between 15 MB and 33 MB

            ---

            ```
            RUN [FLAGS] COMMAND
            ```
            Runs a command and keeps what it wrote as a layer. What a later instruction deletes still weighs in this one.

            [Docker's manual](https://docs.docker.com/reference/dockerfile/#run)"#]],
        );
        check(
            "FROM scratch\nCOP<|>Y a![x](https://example.com/x.png)b /\n#- a\nabc\n",
            &expect![[r#"
                [COPY]
                COPY adds an unknown amount

                - a!\[x\](https://example.com/x.png)b is fetched when it is built

                ---

                ```
                COPY [FLAGS] SOURCE… DESTINATION
                ```
                Copies files of the build context, or with `--from` of another stage or image, into a layer.

                [Docker's manual](https://docs.docker.com/reference/dockerfile/#copy)"#]],
        );
        check(
            "FROM scratch AS a\nCOPY<|> a /\nFROM scratch\n#- a\nabc\n",
            &expect![[r#"
            [COPY]
            COPY adds 4 B unpacked, pulled as about 1 B

            - 1 file
            - counted in the build context
            - this stage is not shipped

            ---

            ```
            COPY [FLAGS] SOURCE… DESTINATION
            ```
            Copies files of the build context, or with `--from` of another stage or image, into a layer.

            [Docker's manual](https://docs.docker.com/reference/dockerfile/#copy)"#]],
        );
        check(
            "FROM a\nE<|>NV A=1\n",
            &expect![[r#"
            [ENV]
            ```
            ENV NAME=VALUE…
            ```
            Sets variables for the build from here on and for the container. Adds no layer; stays in the image for all to read.

            [Docker's manual](https://docs.docker.com/reference/dockerfile/#env)"#]],
        );
    }

    #[test]
    fn an_instruction_and_a_flag_have_words_and_a_link() {
        check(
            "FROM a\nCO<|>PY --link a b\n",
            &expect![[r#"
                [COPY]
                COPY adds an unknown amount

                - the build context is not known

                ---

                ```
                COPY [FLAGS] SOURCE… DESTINATION
                ```
                Copies files of the build context, or with `--from` of another stage or image, into a layer.

                [Docker's manual](https://docs.docker.com/reference/dockerfile/#copy)"#]],
        );
        check(
            "FROM a\nCOPY --li<|>nk a b\n",
            &expect![[r#"
            [--link]
            ```
            --link[=true|false]
            ```
            Makes the layer independent of those below, so that it is reused when they change.

            [Docker's manual](https://docs.docker.com/reference/dockerfile/#copy---link)"#]],
        );
        check("FROM a\nRUN echo <|>a\n", &expect!["nothing"]);
    }
}
