//! Which pipes hide a failure, and how each shell is told to count it.

use super::RULE;
use crate::fixture::{check, check_fix, check_no_fix};
use crate::rules::Safety;

fn check_silent(run: &str) {
    check(&RULE, &format!("FROM debian:12\n{run}\n"));
}

fn check_found(run: &str, pipe: &str) {
    let start = run.find(pipe).unwrap_or_default();
    let carets = format!("#{}{}", " ".repeat(start + 4 - 1), "^".repeat(pipe.len()));
    check(&RULE, &format!("FROM debian:12\nRUN {run}\n{carets} goes unnoticed\n"));
}

#[test]
fn an_empty_stream_is_content_enough() {
    for pipe in [
        "curl -fsSL x | bash",
        "curl x | sudo -E bash -",
        "wget -qO- x | sh -s -- -y",
        "curl x | python3 -",
        "curl x | php -- --install-dir=/x",
        "curl x | tee /etc/apt/x.list",
        "curl x | patch -p1",
        "zcat x | cpio -i",
        "git archive x | dd of=/x",
        "curl x | grep v | xargs wget",
        "curl x | jq -r .a > /x",
        "curl x | base64 -d > /x",
        "make | tee build.log",
    ] {
        check_found(&format!("a && {pipe}"), pipe);
    }
    check_found("VERSION=$(curl x | jq -r .tag) && b", "curl x | jq -r .tag");
    check_found("wget y-$(curl x | sed s/a/b/).tgz", "curl x | sed s/a/b/");
}

#[test]
fn a_reader_that_fails_by_itself_needs_no_help() {
    for run in [
        "curl x | tar xz",
        "curl x | gunzip > y",
        "curl x | gpg --dearmor > y",
        "curl x | apt-key add -",
        "curl x | sha256sum -c",
        "curl x | jq -e .a > y",
        "wget -O- x | xz -d > y",
    ] {
        check_silent(&format!("RUN {run}"));
    }
}

#[test]
fn what_cannot_fail_hides_nothing() {
    for run in ["echo a | tee /x", "cat x | sed y > z", "yes | sh", "find . | xargs rm", "env | sort > x", "ls | sh"] {
        check_silent(&format!("RUN {run}"));
    }
}

#[test]
fn an_output_that_is_only_shown_changes_nothing() {
    check_silent("RUN curl x | sed s/a/b/");
    check_silent("RUN curl x | sort > /dev/null");
    check_silent("RUN A=$(curl x | cut -d. -f1)");
    check_silent("RUN make | cat");
}

#[test]
fn a_shell_with_pipefail_counts_every_part() {
    check_silent("SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl x | sh");
    check_silent("RUN set -eo pipefail; curl x | sh");
    check_silent("RUN bash -o pipefail -c 'curl x | sh'");
    check(&RULE, "FROM debian:12 AS a\nSHELL [\"bash\", \"-eo\", \"pipefail\", \"-c\"]\nFROM a\nRUN curl x | sh\n");
}

#[test]
fn who_asks_for_a_failure_sees_it() {
    check_silent("RUN curl x | sh || exit 1");
    check_silent("RUN if curl x | tee y; then z; fi");
    check_silent("RUN ! curl x | sh");
    check_silent("RUN VERSION=$(curl x | jq -r .tag) && [ -n \"$VERSION\" ]");
}

#[test]
fn other_shells_are_left_alone() {
    check_silent("SHELL [\"/bin/zsh\", \"-c\"]\nRUN curl x | sh");
    check_silent("SHELL [\"pwsh\", \"-c\"]\nRUN curl x | sh");
    check_silent("ONBUILD RUN curl x | sh");
    check(&RULE, "FROM a\nRUN curl x | sh\nFROM b\n");
}

#[test]
fn bash_is_asked_by_a_shell_above() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nRUN curl x | sh\nCMD [\"a\"]\n",
        "FROM debian:12\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl x | sh\nCMD [\"a\"]\n",
    );
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nRUN curl x | sh\nCMD a\n",
        "FROM debian:12\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl x | sh\nSHELL [\"/bin/sh\", \"-c\"]\nCMD a\n",
    );
}

#[test]
fn busybox_and_a_given_bash_are_asked_in_the_run() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM alpine:3.20\nRUN set -ex; curl x | sh\n",
        "FROM alpine:3.20\nRUN set -o pipefail && set -ex; curl x | sh\n",
    );
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nRUN <<EOF\n#!/bin/bash\ncurl x | sh\nEOF\n",
        "FROM debian:12\nRUN <<EOF\n#!/bin/bash\nset -o pipefail\ncurl x | sh\nEOF\n",
    );
    check_fix(
        &RULE,
        Safety::Review,
        "FROM x\nSHELL [\"/bin/bash\", \"-c\"]\nRUN curl x | sh\n",
        "FROM x\nSHELL [\"/bin/bash\", \"-c\"]\nRUN set -o pipefail && curl x | sh\n",
    );
}

#[test]
fn where_no_shell_is_sure_nothing_is_offered() {
    check_no_fix(&RULE, "FROM example.com/own\nRUN curl x | sh\n");
    check_no_fix(&RULE, "FROM debian:12\nRUN <<EOF\ncurl x | sh\nEOF\n");
    check_no_fix(&RULE, "FROM alpine:3.20\nRUN a & curl x | sh\n");
}
