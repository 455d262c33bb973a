//! What `build-tools-in-final` finds, and what keeps it silent.

use super::RULE;
use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
use crate::rules::Safety;

fn check_silent(image: &str, run: &str) {
    check(&RULE, &format!("FROM {image}\n{run}\nCMD [\"/srv/a\"]\n"));
}

#[test]
fn the_packages_are_to_blame() {
    check(
        &RULE,
        "FROM debian:bookworm-slim\n\
         RUN apt-get update && apt-get install -y --no-install-recommends build-essential\n\
         #                                                                ^^^^^^^^^^^^^^^ `build-essential` stays in the image, though only a build needs it (about 300 MB)\n\
         COPY app /app\n\
         CMD [\"/app/run\"]\n",
    );
    check(
        &RULE,
        "FROM fedora:42\n\
         RUN dnf install -y httpd gcc openssl-devel && dnf clean all\n\
         #                        ^^^ `gcc` and 1 more stay in the image, though only a build needs them\n\
         RUN dnf groupinstall -y \"Development Tools\"\n\
         #                       ^^^^^^^^^^^^^^^^^^^ stays in the image\n\
         CMD [\"/srv/a\"]\n",
    );
    check(
        &RULE,
        "FROM node:22-alpine\n\
         RUN apk add --no-cache python3 make g++\n\
         #                              ^^^^ `make` and 1 more\n\
         CMD [\"node\", \"a.js\"]\n",
    );
}

#[test]
fn a_tool_that_another_package_recommends_is_still_asked_for() {
    check(
        &RULE,
        "FROM ubuntu:22.04\n\
         RUN apt-get update && apt-get install -y python3-pip build-essential\n\
         #                                                    ^^^^^^^^^^^^^^^ `build-essential` stays\n\
         CMD [\"/srv/a\"]\n",
    );
}

#[test]
fn the_other_words_are_related() {
    let text = "FROM debian:12\nRUN apt-get install -y gcc curl make\nCMD [\"/srv/a\"]\n";
    let analysis = analyse(&parse(text));
    let related = findings(&analysis, &RULE)[0].related.iter().map(|it| &analysis.file.text[it.range]);
    assert_eq!(related.collect::<Vec<_>>(), ["make"]);
}

#[test]
fn who_removes_packages_in_the_same_layer_has_thought_of_it() {
    check_silent("debian:12", "RUN apt-get install -y gcc && make && apt-get purge -y --auto-remove gcc");
    check_silent("debian:12", "RUN apt-get install -y $B gcc && make && apt-get remove -y $B");
    check_silent("debian:12", "RUN apt-get install -y gcc && apt-mark auto '.*' && apt-get purge -y --auto-remove");
    check_silent("alpine:3.22", "RUN apk add --no-cache --virtual .deps build-base && make && apk del .deps");
    check_silent("fedora:42", "RUN dnf install -y gcc && make && dnf remove -y gcc");
}

#[test]
fn who_tidies_up_alone_removes_nothing_that_was_asked_for() {
    check(
        &RULE,
        "FROM debian:12\n\
         RUN apt-get install -y gcc && apt-get autoremove -y && apt-get clean\n\
         #                      ^^^ `gcc` stays\n\
         CMD [\"/srv/a\"]\n",
    );
}

#[test]
fn a_start_that_compiles_needs_them() {
    check(&RULE, "FROM debian:12\nRUN apt-get install -y gcc make\nCMD [\"make\", \"serve\"]\n");
    check(
        &RULE,
        "FROM debian:12\nCOPY start.sh /\nRUN apt-get install -y golang\nCMD [\"/start.sh\"]\n\
         #- start.sh\n#!/bin/sh\nexec go run /src\n",
    );
}

#[test]
fn an_image_to_work_in_has_tools_on_purpose() {
    check(&RULE, "FROM debian:12\nRUN apt-get install -y gcc\n");
    check(&RULE, "FROM debian:12\nRUN apt-get install -y gcc\nCMD [\"bash\"]\n");
    check(&RULE, "FROM debian:12\nRUN apt-get install -y gcc\nCMD [\"sleep\", \"infinity\"]\n");
    check(&RULE, "FROM debian:12\nRUN apt-get install -y gcc\nCMD jupyter notebook\n");
    check(&RULE, "FROM debian:12 AS dev\nRUN apt-get install -y gcc\nCMD [\"/srv/a\"]\n");
    check(&RULE, "FROM debian:12\nRUN apt-get install -y gcc\nENTRYPOINT $SCRIPT\n");
    check(&RULE, "FROM debian:12\nRUN apt-get install -y gcc\nONBUILD COPY . .\nCMD [\"/srv/a\"]\n");
}

#[test]
fn what_runs_despite_its_name_is_no_tool() {
    check_silent("debian:12", "RUN apt-get install -y libnss3 ca-certificates libgomp1 libstdc++6");
    check_silent("debian:12", "RUN apt-get install -y default-jre-headless openjdk-17-jre");
    check_silent("mcr.microsoft.com/dotnet/aspnet:8.0", "RUN apt-get install -y libgdiplus libc6-dev");
}

#[test]
fn a_header_package_or_make_where_no_table_has_it_is_little() {
    check_silent("alpine:3.22", "RUN apk add --no-cache make libffi-dev");
    check_silent("fedora:42", "RUN dnf install -y make");
}

#[test]
fn tools_that_the_base_has_already_weigh_nothing() {
    check_silent("node:22", "RUN apt-get install -y --no-install-recommends gcc make");
}

#[test]
fn a_builder_is_not_shipped() {
    check(
        &RULE,
        "FROM debian:12 AS b\nRUN apt-get install -y gcc\nFROM debian:12\nCOPY --from=b /a /a\nCMD [\"/srv/a\"]\n",
    );
}

#[test]
fn one_stage_that_builds_and_runs_is_one_finding_on_the_stage() {
    check(
        &RULE,
        "FROM debian:12\n\
         RUN apt-get install -y golang\n\
         #                      ^^^^^^ `golang` stays\n\
         CMD [\"/srv/a\"]\n",
    );
}

#[test]
fn apk_removes_them_under_one_name() {
    let file = |run: &str| format!("FROM python:3.13-alpine\nRUN {run}\nCMD [\"python\", \"a.py\"]\n");
    check_fix(
        &RULE,
        Safety::Review,
        &file("apk add --no-cache gcc musl-dev \\\n && pip install -r r.txt"),
        &file(
            "apk add --no-cache --virtual .build-deps gcc musl-dev \\\n && pip install -r r.txt \\\n && apk del .build-deps",
        ),
    );
}

#[test]
fn what_brings_a_library_along_is_not_removed_unasked() {
    let file = |run: &str| format!("FROM python:3.13-alpine\nRUN {run}\nCMD [\"python\", \"a.py\"]\n");
    check_no_fix(&RULE, &file("apk add --no-cache g++ && pip install a"));
    check_no_fix(&RULE, &file("apk add --no-cache gcc libffi-dev && pip install a"));
    check_no_fix(&RULE, &file("apk add --no-cache gcc curl && pip install a"));
    check_no_fix(&RULE, &file("apk add --no-cache gcc"));
}
