//! Each clause of `libc-mismatch`.

use super::RULE;
use crate::fixture::{analyse, check, findings, parse};
use crate::rules::Severity;

fn node(from: &str, to: &str, beside: &str) -> String {
    format!(
        "FROM {from} AS b\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n\
         FROM {to}\nCOPY --from=b /app/node_modules /app/node_modules\n{beside}"
    )
}

fn lock(name: &str, version: &str) -> String {
    format!(
        "#- package.json\n{{}}\n#- package-lock.json\n{{\"packages\": {{\"\": {{}},\n\
         \"node_modules/{name}\": {{\"version\": \"{version}\"}}}}}}\n"
    )
}

fn severities(text: &str) -> Vec<Severity> {
    findings(&analyse(&parse(text)), &RULE).into_iter().map(|it| it.severity).collect()
}

#[test]
fn modules_fit_the_library_they_were_installed_beside() {
    for (from, to) in [("node:22-alpine", "node:22-slim"), ("node:22", "node:22-alpine"), ("node:22", "alpine:3.20")] {
        assert_eq!(severities(&node(from, to, &lock("bcrypt", "5.1.0"))), [Severity::Error], "{from} {to}");
    }
    check(
        &RULE,
        &format!(
            "FROM node:22-alpine AS b\nWORKDIR /app\nCOPY . .\nRUN npm ci\n\
             FROM node:22-slim\nCOPY --from=b /app /app\n\
             #             ^^^^ `node_modules` was installed with `sharp` for musl, and `node:22-slim` has glibc\n{}",
            lock("sharp", "0.33.0")
        ),
    );
}

#[test]
fn modules_without_machine_code_fit_everywhere() {
    assert_eq!(severities(&node("node:22-alpine", "node:22-slim", &lock("express", "4.0.0"))), []);
}

#[test]
fn some_packages_bring_both_kinds() {
    assert_eq!(severities(&node("node:22-alpine", "node:22-slim", &lock("bcrypt", "6.0.0"))), []);
    let flags =
        node("node:22-alpine", "node:22-slim", &lock("sharp", "0.33.0")).replace("npm ci", "npm ci --libc=glibc");
    assert_eq!(severities(&flags), []);
}

#[test]
fn without_a_lock_file_a_compiler_tells() {
    assert_eq!(severities(&node("node:22-alpine", "node:22-slim", "")), []);
    let text =
        node("node:22-alpine", "node:22-slim", "").replace("RUN npm ci", "RUN apk add g++ make python3 && npm ci");
    assert_eq!(severities(&text), [Severity::Error]);
}

#[test]
fn the_same_library_on_both_sides_is_fine() {
    assert_eq!(severities(&node("node:22", "node:22-slim", &lock("bcrypt", "5.1.0"))), []);
    assert_eq!(severities(&node("node:22", "gcr.io/distroless/nodejs22-debian12", &lock("bcrypt", "5.1.0"))), []);
}

#[test]
fn an_unknown_image_may_have_any_library() {
    assert_eq!(severities(&node("example.com/a", "node:22-slim", &lock("bcrypt", "5.1.0"))), []);
    assert_eq!(severities(&node("node:22-alpine", "example.com/a", &lock("bcrypt", "5.1.0"))), []);
}

#[test]
fn modules_that_are_built_anew_fit() {
    let text = node("node:22-alpine", "node:22-slim", &lock("bcrypt", "5.1.0"));
    assert_eq!(severities(&text.replace("/app/node_modules\n#-", "/app/node_modules\nRUN npm rebuild\n#-")), []);
}

#[test]
fn with_a_layer_of_compatibility_it_is_a_hint() {
    let text = node("node:22", "alpine:3.20", &lock("bcrypt", "5.1.0"));
    let text = text.replace("FROM alpine:3.20\n", "FROM alpine:3.20\nRUN apk add --no-cache gcompat\n");
    assert_eq!(severities(&text), [Severity::Hint]);
}

#[test]
fn an_interpreter_is_linked_against_its_image() {
    check(
        &RULE,
        "FROM alpine:3.20\nCOPY --from=node:22 /usr/local/bin/node /usr/local/bin/\n\
         #                   ^^^^^^^^^^^^^^^^^^^ `node` is built for glibc, and `alpine:3.20` has musl\n",
    );
    check(&RULE, "FROM alpine:3.20\nCOPY --from=node:22-alpine /usr/local/bin/node /usr/local/bin/\n");
    check(&RULE, "FROM debian:12\nCOPY --from=composer:2 /usr/bin/composer /usr/bin/\n");
}

#[test]
fn a_rust_program_of_debian_needs_glibc() {
    let file = |from: &str, build: &str, to: &str| {
        format!(
            "FROM {from} AS b\nWORKDIR /s\nRUN {build}\nFROM {to}\nCOPY --from=b /s/target/release/a /a\nCMD [\"/a\"]\n"
        )
    };
    assert_eq!(severities(&file("rust:1.80", "cargo build --release", "alpine:3.20")), [Severity::Error]);
    assert_eq!(severities(&file("rust:1.80", "cargo build --release", "scratch")), [Severity::Error]);
    assert_eq!(severities(&file("rust:1.80", "cargo build --release", "debian:12-slim")), []);
    assert_eq!(severities(&file("rust:1.80-alpine", "cargo build --release", "debian:12-slim")), []);
    assert_eq!(severities(&file("rust:1.80", "cargo build --target x86_64-unknown-linux-musl", "scratch")), []);
    assert_eq!(severities(&file("rust:1.80", "RUSTFLAGS='-C target-feature=+crt-static' cargo build", "scratch")), []);
}

#[test]
fn a_c_program_is_linked_unless_it_is_static() {
    let file = |options: &str| {
        format!("FROM gcc:14 AS b\nRUN gcc {options} -o /a a.c\nFROM scratch\nCOPY --from=b /a /a\nCMD [\"/a\"]\n")
    };
    assert_eq!(severities(&file("-O2")), [Severity::Error]);
    assert_eq!(severities(&file("-static")), []);
}

#[test]
fn a_go_program_with_cgo_may_need_its_library() {
    let file = |from: &str, run: &str, to: &str| {
        format!("FROM {from} AS b\nRUN {run}go build -o /a .\nFROM {to}\nCOPY --from=b /a /a\n")
    };
    assert_eq!(severities(&file("golang:1.22", "", "alpine:3.20")), [Severity::Warning]);
    assert_eq!(severities(&file("golang:1.22", "CGO_ENABLED=0 ", "alpine:3.20")), []);
    assert_eq!(severities(&file("golang:1.22-alpine", "", "debian:12")), []);
    assert_eq!(severities(&file("golang:1.22", "", "scratch")), []);
}

#[test]
fn wheels_hold_machine_code() {
    let file = |package: &str, to: &str| {
        format!(
            "FROM python:3.12 AS b\nRUN python -m venv /venv && /venv/bin/pip install {package}\n\
             FROM {to}\nCOPY --from=b /venv /venv\n"
        )
    };
    assert_eq!(severities(&file("numpy==2.0", "python:3.12-alpine")), [Severity::Error]);
    assert_eq!(severities(&file("flask", "python:3.12-alpine")), []);
    assert_eq!(severities(&file("numpy", "python:3.12-slim")), []);
}

#[test]
fn portable_files_fit_everywhere() {
    check(
        &RULE,
        "FROM maven:3-eclipse-temurin-21 AS b\nRUN mvn package\nFROM eclipse-temurin:21-jre-alpine\nCOPY --from=b /a.jar /\n",
    );
    check(
        &RULE,
        "FROM node:22 AS b\nRUN npm ci && npm run build\nFROM nginx:alpine\nCOPY --from=b /dist /usr/share/nginx/html\n",
    );
}
