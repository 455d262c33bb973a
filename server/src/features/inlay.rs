//! What an instruction weighs, shown at its end: `+ 142 MB`, `≈ 140 MB` where that is an estimate, `?` where it is not
//! known; behind FROM what is pulled for the base.
//!
//! Hints are shown and never part of the text: what follows a continuation or a heredoc is not touched by them.

use crate::features::{lens, words};
use crate::model::{Base, Placed, Stage};
use crate::rules::Context;
use crate::size::{LayerSize, StageSize};
use crate::text::{TextRange, TextSize};
use crate::weight::Size;

/// A hint behind an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlay {
    /// Where it is shown: at the end of the instruction's last line.
    pub at: TextSize,
    /// What is shown.
    pub label: String,
    /// What makes it up and how sure it is, a few lines of plain text.
    pub tooltip: String,
}

/// The hints within a range. `stages` puts the weight of each stage behind its FROM, for editors that show no lenses.
pub fn inlays(ctx: &Context, range: TextRange, stages: bool) -> Vec<Inlay> {
    let mut res = Vec::new();
    let stages = stages && ctx.config.lens;
    if !ctx.config.hints.instructions && !stages {
        return res;
    }
    for (idx, (stage, size)) in ctx.file.stages.iter().zip(&ctx.size.stages).enumerate() {
        // An instruction that begins before the range may end in it.
        if stage.range.end() < range.start() || range.end() < stage.range.start() {
            continue;
        }
        let title = stages.then(|| lens::title(ctx, idx)).flatten();
        res.extend(of_from(ctx, stage, size, title).filter(|inlay| range.contains_inclusive(inlay.at)));
        if !ctx.config.hints.instructions {
            continue;
        }
        let shipped = ctx.facts.is_final(idx);
        for layer in &size.layers {
            let Some(placed) = stage.instructions.get(layer.instruction) else { continue };
            if placed.whole().intersect(range).is_none() || !placed.instruction.faults.is_empty() {
                continue;
            }
            res.extend(of_layer(ctx, placed, layer, shipped).filter(|inlay| range.contains_inclusive(inlay.at)));
        }
    }
    res
}

fn of_layer(ctx: &Context, placed: &Placed, layer: &LayerSize, shipped: bool) -> Option<Inlay> {
    let label = match &layer.adds {
        None => "?".to_owned(),
        Some(adds) if layer.incomplete => adds.brief_of(true),
        Some(adds) if adds.likely.0 < ctx.config.hints.minimum => return None,
        Some(adds) if adds.basis.is_plain() => format!("+ {}", adds.brief()),
        Some(adds) => adds.brief(),
    };
    Some(Inlay { at: end(placed), label, tooltip: words::of_layer(layer, shipped).join("\n") })
}

fn of_from(ctx: &Context, stage: &Stage, size: &StageSize, title: Option<String>) -> Option<Inlay> {
    if !stage.from.instruction.faults.is_empty() {
        return None;
    }
    let base = if ctx.config.hints.instructions { of_base(ctx, stage, size) } else { None };
    let (mut labels, mut lines) = base.map_or_else(Default::default, |(label, lines)| (vec![label], lines));
    if let Some(title) = title {
        lines.push(title.clone());
        labels.push(title);
    }
    let label = labels.join(" · ");
    (!label.is_empty()).then(|| Inlay { at: end(&stage.from), label, tooltip: lines.join("\n") })
}

/// What is pulled for the base, and what is known of it.
fn of_base(ctx: &Context, stage: &Stage, size: &StageSize) -> Option<(String, Vec<String>)> {
    let image = match &stage.base {
        Base::Image(image) => image,
        Base::Unknown(text) => {
            let line = format!("{text} has no value that is known here");
            return Some(("?".to_owned(), vec![line]));
        }
        Base::Stage(_) | Base::Scratch => return None,
    };
    let Some(pull) = &size.base_pull else {
        return size
            .base_unpacked
            .is_none()
            .then(|| ("?".to_owned(), vec![format!("the size of {image} is not known")]));
    };
    if pull.likely < Size(ctx.config.hints.minimum) {
        return None;
    }
    let unpacked = size.base_unpacked.as_ref().map(|it| format!(", unpacked {}", it.words())).unwrap_or_default();
    let mut lines = vec![format!("{image}, {}: pull {}{unpacked}", size.platform, pull.words())];
    let told: Vec<String> = [pull.source.clone(), words::ends(pull)].into_iter().filter(|it| !it.is_empty()).collect();
    if !told.is_empty() {
        lines.push(told.join(", "));
    }
    Some((format!("pull {}", pull.brief()), lines))
}

/// The end of the last line of an instruction that says something: comments and blank lines may still follow a
/// continuation.
fn end(placed: &Placed) -> TextSize {
    let instruction = &placed.instruction;
    let text = &*instruction.text;
    let mut end = text.len();
    if instruction.heredocs.is_empty() {
        loop {
            let line_start = text.get(..end).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
            let is_comment =
                instruction.comments.iter().any(|it| it.start as usize >= line_start && it.end as usize <= end);
            let is_blank = text.get(line_start..end).is_some_and(|line| line.trim().is_empty());
            if line_start == 0 || !(is_comment || is_blank) {
                break;
            }
            end = line_start - 1;
        }
    }
    let said = text.get(..end).unwrap_or(text).trim_end_matches(['\r', '\n']);
    placed.at + TextSize::of(said)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fixture::{analyse, parse};
    use crate::text::TextRange;

    fn shown(text: &str, stages: bool) -> String {
        let fixture = parse(text);
        let analysis = analyse(&fixture);
        let all = TextRange::up_to((analysis.file.text.len() as u32).into());
        let inlays = analysis.inlays(fixture.cursor.unwrap_or(all), stages);
        let mut res = analysis.file.text.to_string();
        for inlay in inlays.iter().rev() {
            res.insert_str(usize::from(inlay.at), &format!(" «{}»", inlay.label));
        }
        res
    }

    /// The text with every hint where it is shown; two cursors are the range that is asked for.
    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&shown(text, false));
    }

    fn check_tooltips(text: &str, expected: &Expect) {
        let analysis = analyse(&parse(text));
        let all = TextRange::up_to((analysis.file.text.len() as u32).into());
        let tooltips: Vec<String> = analysis.inlays(all, false).into_iter().map(|inlay| inlay.tooltip).collect();
        expected.assert_eq(&tooltips.join("\n\n"));
    }

    #[test]
    fn what_weighs_something_says_so_and_what_is_not_known_too() {
        check(
            "FROM node:22-bookworm-slim\nWORKDIR /app\nRUN apt-get update\nCOPY big /\nCOPY little /\nRUN make\nCMD a\n#- big\nA big file.\n#- little\n1\n#- plimsoll.toml\n[hints]\nminimum = 5\n",
            &expect![[r#"
                FROM node:22-bookworm-slim «pull 79.9 MB»
                WORKDIR /app
                RUN apt-get update «≈ 20 MB»
                COPY big / «+ 12 B»
                COPY little /
                RUN make «?»
                CMD a
            "#]],
        );
    }

    #[test]
    fn nothing_is_shown_below_the_minimum() {
        check(
            "FROM debian:bookworm-slim\nRUN echo a > b\nRUN apt-get update\n#- plimsoll.toml\n[hints]\nminimum = \"25MB\"\n",
            &expect![[r#"
                FROM debian:bookworm-slim «pull 28.2 MB»
                RUN echo a > b
                RUN apt-get update
            "#]],
        );
    }

    #[test]
    fn it_stands_at_the_end_of_the_last_line() {
        check(
            "FROM debian:bookworm-slim\nRUN apt-get update && \\\n  apt-get install -y \\\n  # the editor\n  git\n\nRUN <<EOF\napt-get update\nEOF\nRUN apt-get update && \\\n# a last word\n\n# of comment\n",
            &expect![[r#"
                FROM debian:bookworm-slim «pull 28.2 MB»
                RUN apt-get update && \
                  apt-get install -y \
                  # the editor
                  git «≈ 120 MB»

                RUN <<EOF
                apt-get update
                EOF «≈ 20 MB»
                RUN apt-get update && \ «?»
                # a last word

                # of comment
            "#]],
        );
    }

    #[test]
    fn carriage_returns_stay_behind_it() {
        assert_eq!(
            shown("FROM debian:bookworm-slim\r\nRUN apt-get update && \\\r\n  true\r\n", false),
            "FROM debian:bookworm-slim «pull 28.2 MB»\r\nRUN apt-get update && \\\r\n  true «≈ 20 MB»\r\n"
        );
    }

    #[test]
    fn only_what_is_asked_for_is_answered() {
        check(
            "FROM debian:bookworm-slim\nRUN apt-get update\nRUN <|>a && \\\n b\nRUN b<|>\nRUN c\n",
            &expect![[r#"
            FROM debian:bookworm-slim
            RUN apt-get update
            RUN a && \
             b «?»
            RUN b «?»
            RUN c
        "#]],
        );
    }

    #[test]
    fn a_base_of_which_nothing_is_known_says_so() {
        check(
            "ARG V\nFROM registry.example/base\nFROM node:$V\nFROM scratch\n",
            &expect![[r#"
            ARG V
            FROM registry.example/base «?»
            FROM node:$V «?»
            FROM scratch
        "#]],
        );
    }

    #[test]
    fn a_line_that_is_being_typed_shows_nothing() {
        check(
            "FROM\nRUN --moun\nCOPY a\nADD\n",
            &expect![[r#"
            FROM
            RUN --moun
            COPY a
            ADD
        "#]],
        );
    }

    #[test]
    fn an_editor_without_lenses_has_the_weight_of_the_stage_behind_its_from() {
        let text = "FROM node:22-bookworm-slim AS web\nFROM web\nRUN apt-get update\n";
        expect![[r#"
            FROM node:22-bookworm-slim AS web «pull 79.9 MB · web stage 227 MB, pulled 79.9 MB»
            FROM web «final stage ≈ 250 MB, pulled ≈ 95 MB»
            RUN apt-get update «≈ 20 MB»
        "#]]
        .assert_eq(&shown(text, true));
        expect![[r#"
            FROM node:22-bookworm-slim AS web «web stage 227 MB, pulled 79.9 MB»
            FROM web «final stage ≈ 250 MB, pulled ≈ 95 MB»
            RUN apt-get update
        "#]]
        .assert_eq(&shown(&format!("{text}#- plimsoll.toml\n[hints]\ninstructions = false\n"), true));
        expect![[r#"
            FROM node:22-bookworm-slim AS web «pull 79.9 MB»
            FROM web
            RUN apt-get update «≈ 20 MB»
        "#]]
        .assert_eq(&shown(&format!("{text}#- plimsoll.toml\nlens = false\n"), true));
        expect![[r#"
            FROM node:22-bookworm-slim AS web
            FROM web
            RUN apt-get update
        "#]]
        .assert_eq(&shown(&format!("{text}#- plimsoll.toml\n[hints]\ninstructions = false\n"), false));
    }

    #[test]
    fn the_tooltip_says_why_and_how_sure_it_is() {
        check_tooltips(
            "FROM debian:bookworm-slim AS build\nRUN apt-get update && apt-get install -y --no-install-recommends git\nFROM scratch\nCOPY --from=build /a /\n",
            &expect![[r#"
                debian:bookworm-slim, linux/amd64: pull 28.2 MB, unpacked about 74 MB
                table, 2026-09-19, between 27 MB and 30 MB

                adds about 110 MB unpacked, pulled as about 47 MB
                24 packages, package lists
                estimated from package tables, between 100 MB and 140 MB
                this stage is not shipped

                adds an unknown amount
                what lies in /a of build is not known"#]],
        );
    }
}
