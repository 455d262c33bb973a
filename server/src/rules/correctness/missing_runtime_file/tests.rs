//! Each clause of `missing-runtime-file`.

use super::RULE;
use crate::fixture::{check, check_fix};
use crate::rules::Safety;

fn check_silent(text: &str) {
    check(&RULE, text);
}

#[test]
fn the_program_was_not_copied() {
    check(
        &RULE,
        "FROM golang:1.22 AS b\nRUN go build -o /out/app .\n\
         FROM scratch\nCOPY --from=b /out/app /bin/app\n\
         CMD [\"/app\"]\n\
         #    ^^^^^^ nothing brings `/app` into this image\n",
    );
    check(
        &RULE,
        "FROM node:22 AS b\n\
         FROM node:22-slim\nWORKDIR /app\nCOPY --from=b /app/dist ./dist\n\
         CMD [\"node\", \"server.js\"]\n\
         #            ^^^^^^^^^^^ nothing brings `/app/server.js`\n",
    );
    check(
        &RULE,
        "FROM maven:3 AS b\nFROM eclipse-temurin:21-jre\nCOPY --from=b /target/a.jar /app/a.jar\n\
         ENTRYPOINT java -jar /app/b.jar\n\
         #          ^^^^^^^^^^^^^^^^^^^^ nothing brings `/app/b.jar`\n",
    );
    check(
        &RULE,
        "FROM python:3 AS b\nFROM python:3-slim\nCOPY --from=b /venv /venv\nCMD [\"python\", \"/app/main.py\"]\n\
         #              ^^^^^^^^^^^^^^ nothing brings `/app/main.py`\n",
    );
    check(
        &RULE,
        "FROM golang AS b\nFROM scratch\nCOPY --from=b /a.js /srv/a.js\n\
         HEALTHCHECK CMD [\"/health\"]\n\
         #                ^^^^^^^^^ nothing brings `/health`\n\
         CMD [\"/srv/a.js\"]\n",
    );
}

#[test]
fn a_file_that_was_copied_is_there() {
    for copy in [
        "COPY --from=b /out/app /app",
        "COPY --from=b /out/app /",
        "COPY --from=b /out/ /",
        "COPY --from=b / /",
        "COPY --from=b /out/a* /",
        "COPY $FILES /",
        "ADD app.tar.gz /",
    ] {
        check_silent(&format!(
            "FROM golang AS b\nFROM scratch\nCOPY --from=b /x.json /x.json\n{copy}\nCMD [\"/app\"]\n"
        ));
    }
}

#[test]
fn options_of_java_are_no_files() {
    check_silent(
        "FROM maven:3 AS b\nFROM eclipse-temurin:21-jre\nCOPY --from=b /target/a.jar /app/a.jar\n\
         ENTRYPOINT [\"java\", \"-jar\", \"-Djava.security.egd=file:/dev/./urandom\", \"/app/a.jar\"]\n",
    );
}

#[test]
fn node_adds_the_end_of_a_name() {
    check_silent("FROM node AS b\nFROM node:22\nCOPY --from=b /a/index.js /a/index.js\nCMD [\"node\", \"/a/index\"]\n");
    check_silent("FROM node AS b\nFROM node:22\nCOPY --from=b /a /a\nCMD [\"node\", \"/a\"]\n");
}

#[test]
fn a_run_may_make_it() {
    check_silent("FROM node AS b\nFROM debian\nCOPY --from=b /a.js /a.js\nRUN ./build.sh\nCMD [\"/app/run\"]\n");
    check_silent("FROM node AS b\nFROM debian\nCOPY --from=b /a.js /a.js\nRUN cp a /app/x\nCMD [\"/app/x\"]\n");
    check_silent("FROM node AS b\nFROM debian\nCOPY --from=b /a.js /a.js\nRUN echo a > /app/x\nCMD [\"/app/x\"]\n");
}

#[test]
fn the_base_image_may_have_it() {
    check_silent("FROM node AS b\nFROM nginx\nCOPY --from=b /a.js /a.js\nENTRYPOINT [\"/docker-entrypoint.sh\"]\n");
    check_silent("FROM node AS b\nFROM debian\nCOPY --from=b /a.js /a.js\nCMD [\"/usr/bin/env\", \"a\"]\n");
    check_silent("FROM node AS b\nFROM example.com/a\nCOPY --from=b /a.js /a.js\nCMD [\"/app/x\"]\n");
    check_silent("FROM node AS b\nFROM debian\nCOPY --from=b /a.js /a.js\nCMD [\"app\"]\n");
}

#[test]
fn a_volume_may_hold_it() {
    check_silent("FROM node AS b\nFROM debian\nCOPY --from=b /a.js /a.js\nVOLUME /app\nCMD [\"/app/x\"]\n");
}

#[test]
fn an_image_of_one_stage_is_another_matter() {
    check_silent("FROM scratch\nCOPY a.json /\nCMD [\"/app\"]\n");
}

const MODULE: &str = "#- package.json\n{\"type\": \"module\", \"scripts\": {\"build\": \"tsc\"}}\n";

fn node(image: &str, copies: &str, beside: &str) -> String {
    format!(
        "FROM node:22 AS b\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\n\
         FROM {image}\nWORKDIR /srv\nCOPY --from=b /app/dist ./dist\n{copies}CMD [\"node\", \"dist/i.js\"]\n{beside}"
    )
}

#[test]
fn newer_releases_guess_what_a_module_is() {
    for image in ["node:22", "node:20", "node:22.9", "node:lts", "node:20.19"] {
        check_silent(&node(image, "", MODULE));
    }
    check_fix(
        &RULE,
        Safety::Review,
        &node("node:20.5", "", MODULE),
        &node("node:20.5", "COPY --from=b /app/package.json /srv/\n", MODULE),
    );
}

#[test]
fn a_manifest_above_says_what_a_module_is() {
    check_silent(&node("node:18", "COPY package.json /\n", MODULE));
    check_silent(&node("node:18", "COPY --from=b /app/package*.json ./\n", MODULE));
    check_silent(&node("node:18", "", &MODULE.replace("module", "commonjs")));
}

const PACKAGES: &str =
    "#- package.json\n{\"type\": \"commonjs\", \"scripts\": {\"build\": \"tsc\"}, \"dependencies\": {\"a\": \"1\"}}\n";

#[test]
fn what_is_no_bundle_needs_its_packages() {
    check_fix(
        &RULE,
        Safety::Review,
        &node("node:22", "", PACKAGES),
        &node("node:22", "COPY --from=b /app/node_modules /srv/node_modules\n", PACKAGES),
    );
    check_silent(&node("node:22", "RUN npm ci\n", PACKAGES));
    check_silent(&node("node:22", "COPY --from=b /app ./\n", PACKAGES));
}

#[test]
fn a_bundle_has_its_packages_inside() {
    check_silent(&node("node:22", "", &PACKAGES.replace("tsc", "esbuild a.ts --bundle")));
    check_silent(&node("node:22", "", &PACKAGES.replace("tsc", "tsc && ncc build")));
}
