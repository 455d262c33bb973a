//! Each obligation with a new file that breaks it: the composed text with one piece replaced.

use std::sync::Arc;

use super::super::compose;
use super::check;
use crate::config::Config;
use crate::context::BuildContext;
use crate::ecosystems::{self, Evidence};
use crate::facts::Facts;
use crate::images::ImageBook;
use crate::lower::{self, Build};

const BEFORE: &str = "FROM alpine AS assets\nRUN echo hi > /motd\n\nFROM node:20\nARG REVISION=1\nENV REVISION=$REVISION\n\
    RUN groupadd -r app && useradd -r -g app app\nWORKDIR /app\nCOPY --chown=app:app . .\nCOPY --from=assets /motd /etc/\n\
    RUN npm ci && chown -R app:app /app\nVOLUME /app/data\nUSER app\nEXPOSE 3000\nCMD [\"node\", \"a.js\"]\n\n";

/// The sentence with which the new text is refused when `from` in it becomes `to`; `None` when it is not.
fn broken(from: &str, to: &str) -> Option<String> {
    let lowered = |text: &str| lower::file(Arc::from(text), &Build::default(), None);
    let old = lowered(BEFORE);
    let config = Config::default();
    let evidence = Evidence {
        file: &old,
        facts: &Facts::of(&old, &config),
        config: &config,
        context: &BuildContext::default(),
        images: &ImageBook::embedded(),
        reads_sources: true,
    };
    let plan = ecosystems::plan(&evidence).expect("a Node image").expect("a plan");
    let text = compose::edit(&old, &plan).apply(BEFORE);
    assert!(text.contains(from), "{from:?} stands in\n{text}");
    let new = lowered(&text.replacen(from, to, 1));
    check(&old, &new, &plan).err().map(|refused| refused.reason)
}

fn check_broken(from: &str, to: &str, reason: &str) {
    assert_eq!(broken(from, to).as_deref(), Some(reason), "{from:?} → {to:?}");
}

#[test]
fn what_is_composed_keeps_the_promise() {
    assert_eq!(broken("", ""), None);
}

#[test]
fn the_versions_are_the_same() {
    check_broken("node:20-slim", "node:22-slim", "the two base images would not be of one version");
    check_broken("node:20-slim", "node:20-alpine", "the two base images would not be of one version");
}

#[test]
fn the_container_is_configured_as_before() {
    let reason = "the container would be configured differently";
    check_broken("USER app", "USER root", reason);
    check_broken("EXPOSE 3000\n", "", reason);
    check_broken("CMD [\"node\", \"a.js\"]", "CMD [\"node\", \"b.js\"]", reason);
    check_broken("VOLUME /app/data\n", "", reason);
    check_broken("CMD [", "LABEL a=b\nCMD [", reason);
}

#[test]
fn accounts_exist_and_keep_their_files() {
    let runtime =
        "FROM node:20-slim\nARG REVISION=1\nENV REVISION=$REVISION\nRUN groupadd -r app && useradd -r -g app app\n";
    let without = "FROM node:20-slim\nARG REVISION=1\nENV REVISION=$REVISION\n";
    check_broken(runtime, without, "the account app is not made by anything that goes to the stage which runs");
    check_broken("COPY --from=build --chown", "WORKDIR /app\nCOPY --from=build --chown", "/app would belong to root");
}

#[test]
fn arguments_are_declared_where_they_are_used() {
    // Without the ARG the value would be empty, so that the configuration speaks first.
    check_broken(
        "FROM node:20-slim\nARG REVISION=1\n",
        "FROM node:20-slim\n",
        "the container would be configured differently",
    );
}

#[test]
fn the_builder_builds_as_before() {
    check_broken("RUN npm ci &&", "RUN npm install &&", "the builder would do something else than before");
    check_broken("COPY --chown=app:app . .\n", "", "the builder would do something else than before");
}

#[test]
fn the_stages_are_the_old_ones_and_one_more() {
    check_broken("AS build", "AS assets", "two stages would have one name");
    check_broken("RUN echo hi", "RUN echo ho", "another stage would refer to something else");
    check_broken("--from=assets", "--from=other", "the stage would refer to something else");
}

#[test]
fn volumes_come_behind_what_is_copied_into_them() {
    check_broken(
        "COPY --from=build",
        "VOLUME /app\nCOPY --from=build",
        "the container would be configured differently",
    );
}

#[test]
fn what_runs_has_its_directory_and_user() {
    check_broken(
        "RUN groupadd -r app && useradd -r -g app app\nCOPY --from=assets",
        "USER node\nRUN groupadd -r app && useradd -r -g app app\nCOPY --from=assets",
        "line 7 would run in another directory or as another user",
    );
    check_broken("EXPOSE", "RUN true\nEXPOSE", "the stage that runs would do more than before");
    check_broken("COPY --from=assets /motd /etc/\n", "", "the stage that runs would do less than before");
}
