//! A line above each FROM that says what its stage weighs. Nothing stands where nothing is known.

use crate::features::words;
use crate::rules::Context;
use crate::text::TextRange;

/// A line above a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// The FROM.
    pub range: TextRange,
    /// What the stage weighs: `runtime stage ≈ 210 MB, pulled ≈ 78 MB`.
    pub title: String,
}

/// The lenses of a file, if the settings want any.
pub fn lenses(ctx: &Context) -> Vec<Lens> {
    if !ctx.config.lens {
        return Vec::new();
    }
    let idxs = 0..ctx.file.stages.len();
    idxs.filter_map(|idx| Some(Lens { range: ctx.file.stages.get(idx)?.from.whole(), title: title(ctx, idx)? }))
        .collect()
}

/// What is said of the stage of this index.
pub(super) fn title(ctx: &Context, idx: usize) -> Option<String> {
    let stage = ctx.file.stages.get(idx).filter(|stage| stage.from.instruction.faults.is_empty())?;
    let figures = words::of_stage(ctx.size.stages.get(idx)?, ctx.facts.is_final(idx))?;
    Some(format!("{} {figures}", words::stage_name(ctx, idx, stage)))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fixture::{analyse, parse};

    /// The text with every lens above its FROM.
    fn check(text: &str, expected: &Expect) {
        let analysis = analyse(&parse(text));
        let mut res = analysis.file.text.to_string();
        for lens in analysis.lenses().iter().rev() {
            let at = usize::from(lens.range.start());
            res.insert_str(at, &format!("[{}]\n", lens.title));
        }
        expected.assert_eq(&res);
    }

    #[test]
    fn every_stage_says_what_it_weighs_and_a_builder_that_it_is_not_shipped() {
        check(
            "FROM node:22-bookworm-slim AS build\nCOPY a /\nFROM node:22-bookworm-slim\nCOPY --from=build /a /\n#- a\nxyz\n",
            &expect![[r#"
                [build stage 227 MB, not shipped]
                FROM node:22-bookworm-slim AS build
                COPY a /
                [final stage 227 MB, pulled ≈ 80 MB]
                FROM node:22-bookworm-slim
                COPY --from=build /a /
            "#]],
        );
    }

    #[test]
    fn the_target_of_the_settings_is_the_final_stage() {
        check(
            "FROM node:22-bookworm-slim\nFROM debian:bookworm-slim\n#- plimsoll.toml\ntarget = \"0\"\n",
            &expect![[r#"
                [final stage 227 MB, pulled 79.9 MB]
                FROM node:22-bookworm-slim
                [stage 1 ≈ 74 MB, not shipped]
                FROM debian:bookworm-slim
            "#]],
        );
    }

    #[test]
    fn a_stage_on_a_stage_weighs_both() {
        check(
            "FROM node:22-bookworm-slim AS base\nRUN apt-get update\nFROM base AS web\n",
            &expect![[r#"
                [base stage ≈ 250 MB, pulled ≈ 95 MB]
                FROM node:22-bookworm-slim AS base
                RUN apt-get update
                [web stage ≈ 250 MB, pulled ≈ 95 MB]
                FROM base AS web
            "#]],
        );
    }

    #[test]
    fn where_the_base_is_not_known_only_what_is_put_on_it_is_told() {
        check(
            "FROM registry.example/base\nCOPY a /\nRUN make\n#- a\nabc\n",
            &expect![[r#"
                [final stage at least 4 B on a base of unknown size]
                FROM registry.example/base
                COPY a /
                RUN make
            "#]],
        );
    }

    #[test]
    fn where_nothing_is_known_nothing_stands() {
        check(
            "FROM registry.example/base\nRUN make\n",
            &expect![[r#"
            FROM registry.example/base
            RUN make
        "#]],
        );
        check(
            "FROM scratch\n",
            &expect![[r#"
            FROM scratch
        "#]],
        );
        check(
            "FROM\nRUN a\n",
            &expect![[r#"
            FROM
            RUN a
        "#]],
        );
        check(
            "ARG A=1\n",
            &expect![[r#"
            ARG A=1
        "#]],
        );
    }

    #[test]
    fn the_setting_switches_it_off() {
        check(
            "FROM debian:12\n#- plimsoll.toml\nlens = false\n",
            &expect![[r#"
            FROM debian:12
        "#]],
        );
    }
}
