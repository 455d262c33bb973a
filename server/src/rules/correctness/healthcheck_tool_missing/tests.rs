//! Each clause of `healthcheck-tool-missing`.

use super::RULE;
use crate::fixture::{check, check_fix, check_no_fix};
use crate::rules::Safety;

#[test]
fn the_image_lacks_the_program() {
    for (image, command) in [
        ("node:22-alpine", "curl"),
        ("node:22-slim", "wget"),
        ("python:3.12-slim", "curl"),
        ("debian:12", "nc"),
        ("ubuntu:24.04", "curl"),
        ("alpine:3.20", "bash"),
        ("nginx:1.27-alpine-slim", "curl"),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", "curl"),
    ] {
        let carets = "^".repeat(command.len());
        check(
            &RULE,
            &format!(
                "FROM {image}\nHEALTHCHECK --interval=5s CMD {command} localhost || exit 1\n\
                 #                             {carets} `{image}` has no `{command}`: the container is unhealthy for ever\n"
            ),
        );
    }
    check(
        &RULE,
        "FROM gcr.io/distroless/nodejs22-debian12\n\
         HEALTHCHECK CMD [\"curl\", \"localhost\"]\n\
         #                ^^^^^^ has no `curl`\n",
    );
    check(
        &RULE,
        "FROM alpine\n\
         HEALTHCHECK CMD [\"sh\", \"-c\", \"curl localhost || exit 1\"]\n\
         #                            ^^^^^^^^^^^^^^^^^^^^^^^^^^ has no `curl`\n",
    );
}

#[test]
fn an_image_that_has_it_is_fine() {
    for (image, command) in [
        ("node:22", "curl"),
        ("python:3.12", "wget"),
        ("node:22-alpine", "wget"),
        ("alpine", "nc"),
        ("nginx:1.27", "curl"),
        ("nginx:alpine", "curl"),
        ("php:8-apache", "curl"),
        ("postgres:16", "pg_isready"),
        ("node:8-slim", "curl"),
        ("debian:12", "bash"),
    ] {
        check(&RULE, &format!("FROM {image}\nHEALTHCHECK CMD {command} localhost\n"));
    }
}

#[test]
fn of_an_unknown_base_nobody_knows() {
    check(&RULE, "FROM example.com/a\nHEALTHCHECK CMD curl localhost\n");
    check(&RULE, "ARG B\nFROM $B\nHEALTHCHECK CMD curl localhost\n");
}

#[test]
fn a_package_may_bring_it() {
    for line in [
        "RUN apt-get update && apt-get install -y curl",
        "RUN apt-get update && apt-get install -y $PACKAGES",
        "RUN apt-get update && apt-get install -y a-package-that-nobody-knows",
        "COPY x /x\nRUN /x/scripts/setup/install --all",
        "RUN ./install.sh",
        "RUN [\"a\"]",
        "COPY --from=b /usr/bin/curl /usr/bin/curl",
        "COPY --from=b /usr/bin/ /usr/bin/",
        "ADD tools.tar.gz /usr/local/bin/",
    ] {
        check(&RULE, &format!("FROM debian:12\n{line}\nHEALTHCHECK CMD curl localhost\n"));
    }
    check(&RULE, "FROM debian:12\nRUN apt-get install -y netcat-openbsd\nHEALTHCHECK CMD nc -z localhost 80\n");
    check(&RULE, "FROM alpine\nRUN apk add git\nHEALTHCHECK CMD bash a\n");
    check(&RULE, "FROM debian:12\nRUN apt-get install -y busybox\nHEALTHCHECK CMD wget localhost\n");
}

#[test]
fn a_parent_stage_may_bring_it() {
    check(&RULE, "FROM alpine AS b\nRUN apk add curl\nFROM b\nHEALTHCHECK CMD curl localhost\n");
    let text = "FROM alpine AS b\nRUN apk add curl\nFROM alpine\nCOPY --from=b /a.json /\nHEALTHCHECK CMD curl localhost\n\
                #               ^^^^ `alpine` has no `curl`\n";
    check(&RULE, text);
}

#[test]
fn a_program_of_ones_own_is_named_by_its_path() {
    check(&RULE, "FROM alpine\nCOPY --from=b /curl /opt/curl\nHEALTHCHECK CMD /opt/curl localhost\n");
}

#[test]
fn another_program_may_stand_in_for_it() {
    check(&RULE, "FROM alpine\nHEALTHCHECK CMD curl localhost || wget localhost\n");
    check(&RULE, "FROM alpine\nHEALTHCHECK CMD command -v curl && curl localhost\n");
    check(&RULE, "FROM alpine\nHEALTHCHECK CMD if [ -f /a ]; then curl localhost; fi\n");
}

#[test]
fn a_check_that_does_not_hold_is_none() {
    check(&RULE, "FROM alpine\nHEALTHCHECK CMD curl localhost\nHEALTHCHECK NONE\n");
    check(&RULE, "FROM alpine\nHEALTHCHECK CMD curl localhost\nHEALTHCHECK CMD wget localhost\n");
    check(&RULE, "FROM alpine AS b\nHEALTHCHECK CMD curl localhost\nFROM alpine\nCMD [\"a\"]\n");
}

#[test]
fn a_shell_form_without_shell_is_another_fault() {
    check(&RULE, "FROM scratch\nHEALTHCHECK CMD curl localhost\n");
}

#[test]
fn what_the_image_has_asks_the_same() {
    let check_image = |image: &str, before: &str, after: &str| {
        let file = |line: &str| format!("FROM {image}\nHEALTHCHECK --timeout=3s CMD {line}\n");
        check_fix(&RULE, Safety::Review, &file(before), &file(after));
    };
    check_image(
        "node:22-alpine",
        "curl -fsS http://localhost:3000/ || exit 1",
        "wget -q --spider http://localhost:3000/ || exit 1",
    );
    check_image("alpine", "curl -f http://localhost:$PORT/", "wget -q --spider http://localhost:$PORT/");
    check_image(
        "alpine",
        "[\"curl\", \"-f\", \"http://localhost\"]",
        "[\"wget\", \"-q\", \"--spider\", \"http://localhost\"]",
    );
    check_image(
        "node:22-slim",
        "curl --fail http://localhost/ || exit 1",
        "node -e \"fetch('http://localhost/').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))\" || exit 1",
    );
    check_image(
        "python:3.12-slim",
        "[\"curl\", \"-f\", \"http://localhost/\"]",
        "[\"python\", \"-c\", \"import urllib.request as r; r.urlopen('http://localhost/')\"]",
    );
}

#[test]
fn what_does_more_than_ask_has_no_fix() {
    for line in ["curl -X POST http://localhost", "curl -H a http://localhost", "curl http://a http://b"] {
        check_no_fix(&RULE, &format!("FROM alpine\nHEALTHCHECK CMD {line}\n"));
    }
    check_no_fix(&RULE, "FROM debian:12\nHEALTHCHECK CMD curl -f http://localhost\n");
    check_no_fix(&RULE, "FROM node:16-slim\nHEALTHCHECK CMD curl -f http://localhost\n");
}
