//! Each clause of `user-not-in-image`.

use super::RULE;
use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
use crate::rules::{Safety, Severity};

fn check_silent(text: &str) {
    check(&RULE, text);
}

#[test]
fn an_empty_image_knows_no_name() {
    check(
        &RULE,
        "FROM scratch\n\
         COPY --chown=app:app a.json /\n\
         #            ^^^^^^^ `scratch` has no user `app`: BuildKit gives the files to root\n\
         COPY --from=b --chown=www a.json /\n\
         #                     ^^^ no user `www`\n\
         USER appuser\n\
         #    ^^^^^^^ no user `appuser`: the container does not start\n",
    );
}

#[test]
fn a_user_of_the_builder_is_not_in_the_image_that_copies_from_it() {
    check(
        &RULE,
        "FROM golang:1.22 AS b\nRUN useradd -u 10001 app\n\
         FROM gcr.io/distroless/static-debian12\nCOPY --from=b /app /app\n\
         USER app:app\n\
         #    ^^^^^^^ `gcr.io/distroless/static-debian12` has no user `app`\n",
    );
}

#[test]
fn a_known_base_knows_its_own_users_alone() {
    check(&RULE, "FROM python:3.12\nUSER node\n#    ^^^^ `python:3.12` has no user `node`\n");
    check(&RULE, "FROM alpine\nUSER nobody:app\n#    ^^^^^^^^^^ has no group `app`\n");
    check_silent("FROM node:22\nUSER node\n");
    check_silent("FROM node:22-alpine\nCOPY --chown=node:node a /a\nUSER node:node\n");
    check_silent("FROM debian:12\nUSER www-data\n");
    check_silent("FROM alpine\nUSER nobody:nogroup\n");
    check_silent("FROM ubuntu:24.04\nUSER ubuntu\n");
    check_silent("FROM gcr.io/distroless/static-debian12\nUSER nonroot:nonroot\n");
    check_silent("FROM nginx:1.27\nUSER nginx\n");
}

#[test]
fn a_number_needs_no_entry() {
    check_silent("FROM scratch\nCOPY --chown=1000:1000 a /a\nUSER 65532:65532\n");
}

#[test]
fn a_name_without_value_says_nothing() {
    check_silent("FROM scratch\nARG U\nUSER $U\n");
}

#[test]
fn a_user_may_be_made_here() {
    for line in [
        "RUN useradd -m app",
        "RUN groupadd -r app && useradd -r -g app app",
        "RUN addgroup -S app && adduser -S -G app app",
        "RUN adduser --disabled-password --gecos '' app",
        "ARG NAME\nRUN useradd $NAME",
        "ENV NAME=app\nRUN useradd $NAME",
        "RUN echo 'app:x:1000:1000::/:' >> /etc/passwd",
        "COPY --from=b /etc/passwd /etc/passwd",
        "COPY --from=b /etc/ /etc/",
        "ADD rootfs.tar.gz /",
        "RUN ./setup.sh",
        "RUN [\"/setup\"]",
        "RUN make install",
    ] {
        check_silent(&format!("FROM debian:12\n{line}\nUSER app\n"));
    }
    check_silent("FROM debian:12 AS base\nRUN useradd app\nFROM base\nUSER app\n");
}

#[test]
fn another_user_is_another_user() {
    check(&RULE, "FROM debian:12\nRUN useradd -m app\nUSER apps\n#    ^^^^ no user `apps`\n");
    check(
        &RULE,
        "FROM debian:12\nRUN apt-get install -y curl && mkdir /a && npm ci\nUSER app\n#    ^^^ no user `app`\n",
    );
}

#[test]
fn a_package_may_make_its_user() {
    check_silent("FROM debian:12\nRUN apt-get install -y redis-server\nUSER redis\n");
    check_silent("FROM alpine\nRUN apk add postgresql\nUSER postgres\n");
    check_silent("FROM alpine\nRUN apk add apache2\nUSER apache\n");
    check_silent("FROM debian:12\nRUN apt-get install -y $X\nUSER app\n");
    check_silent("FROM debian:12\nRUN apt-get install -y quassel-core\nUSER quasselcore\n");
    check_silent("FROM debian:12\nRUN apt-get install -y coturn curl\nUSER turnserver\n");
}

#[test]
fn an_unknown_base_may_have_any_user() {
    check_silent("FROM example.com/base\nUSER app\n");
    check_silent("FROM jenkins/jenkins\nUSER jenkins\n");
    check_silent("FROM mcr.microsoft.com/dotnet/aspnet:8.0\nUSER app\n");
    check_silent("FROM mcr.microsoft.com/windows/servercore:ltsc2022\nUSER ContainerUser\n");
}

#[test]
fn a_copy_needs_its_user_at_once() {
    check(
        &RULE,
        "FROM debian:12\n\
         COPY --chown=app a /a\n\
         #            ^^^ no user `app`\n\
         RUN useradd app\n\
         COPY --chown=app b /b\n\
         USER app\n",
    );
}

#[test]
fn the_classic_builder_stops() {
    check(
        &RULE,
        "FROM debian:12\nCOPY --chown=app a /a\n#            ^^^ no user `app`: the build stops\n\
         #- plimsoll.toml\nbuilder = \"classic\"\n",
    );
}

#[test]
fn with_the_setting_every_name_is_reported() {
    let text = "FROM node:22\nUSER root\nRUN a\nUSER node\n\
                #- plimsoll.toml\n[user-not-in-image]\nrequire = \"numeric\"\n";
    let analysis = analyse(&parse(text));
    let found = findings(&analysis, &RULE);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Information);
    assert_eq!(found[0].message, "`node` is a name, and `runAsNonRoot` of Kubernetes wants a number");
}

#[test]
fn a_number_takes_the_place_of_the_name() {
    let check_name = |file: &dyn Fn(&str) -> String, before: &str, after: &str| {
        check_fix(&RULE, Safety::Review, &file(before), &file(after));
    };
    check_name(&|user| format!("FROM scratch\nUSER {user}\n"), "app:app", "10001:10001");
    check_name(&|user| format!("FROM gcr.io/distroless/base-debian12\nUSER {user}\n"), "app", "65532");
    check_name(
        &|user| {
            format!("FROM debian AS b\nRUN useradd -r -u 999 app\nFROM scratch\nCOPY --from=b /a.js /\nUSER {user}\n")
        },
        "app",
        "999",
    );
    check_no_fix(&RULE, "FROM debian:12\nUSER app\n");
}
