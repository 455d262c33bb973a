//! Each clause of `prod-install-before-build`.

use super::RULE;
use crate::fixture::{analyse, check, check_no_fix, findings, parse};
use crate::rules::Severity;

const BESIDE: &str = "#- package.json\n{\"scripts\": {\"build\": \"tsc -p .\", \"all\": \"npm run build\"}, \
                      \"devDependencies\": {\"typescript\": \"5\"}}\n#- package-lock.json\n{}\n";

fn check_silent(body: &str) {
    check(&RULE, &format!("FROM node:22\nWORKDIR /app\nCOPY . .\n{body}\n{BESIDE}"));
}

fn check_found(body: &str) {
    check(&RULE, &format!("FROM node:22\nWORKDIR /app\nCOPY . .\n{body}\n{BESIDE}"));
}

#[test]
fn the_script_runs_a_dev_dependency() {
    for install in [
        "npm ci --omit=dev",
        "npm ci --only production",
        "npm install --production",
        "NODE_ENV=production npm ci",
        "yarn install --production",
        "pnpm install --prod",
    ] {
        check_found(&format!(
            "RUN {install}\nRUN npm run build\n#   ^^^^^^^^^^^^^ `npm run build` runs `tsc`, a dev dependency"
        ));
    }
    check_found("ENV NODE_ENV=production\nRUN npm ci && npm run all\n#             ^^^^^^^^^^^ runs `tsc`");
    check_found("RUN npm ci --omit=dev\nRUN tsc\n#   ^^^ `tsc` is a dev dependency");
}

#[test]
fn a_stage_has_what_its_parent_installed() {
    check(
        &RULE,
        &format!(
            "FROM node:22 AS base\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=dev\n\
             FROM base\nRUN npm run build\n#   ^^^^^^^^^^^^^ runs `tsc`\n{BESIDE}"
        ),
    );
}

#[test]
fn a_tool_among_the_dependencies_is_there() {
    check(
        &RULE,
        "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=dev\nRUN npm run build\n\
         #- package.json\n{\"scripts\": {\"build\": \"tsc\"}, \"dependencies\": {\"typescript\": \"5\"}}\n",
    );
}

#[test]
fn a_full_install_behind_it_brings_the_tools() {
    check_silent("RUN npm ci --omit=dev\nRUN npm ci\nRUN npm run build");
    check_silent("ENV NODE_ENV=production\nRUN npm ci --include=dev\nRUN npm run build");
    check_silent("ENV NODE_ENV=production\nRUN npm ci --production=false\nRUN npm run build");
    check_silent("ENV NODE_ENV=production\nRUN yarn install --production false\nRUN npm run build");
    check_silent("RUN npm ci --omit=dev && npm i typescript && npm run build");
    check_silent("RUN npm ci && npm run build\nENV NODE_ENV=production");
    check_silent("RUN npm ci && npm run build && npm prune --omit=dev");
}

#[test]
fn a_tool_for_the_whole_image_is_there() {
    check_silent("RUN npm ci --omit=dev && npm i -g typescript && npm run build");
    check_silent("RUN npm ci --omit=dev && npx -y tsc");
}

#[test]
fn modules_may_be_copied_from_another_stage() {
    check_silent("RUN npm ci --omit=dev\nCOPY --from=deps /app/node_modules ./node_modules\nRUN npm run build");
    check_silent("RUN npm ci --omit=dev\nCOPY --from=deps /app .\nRUN npm run build");
}

#[test]
fn a_script_that_is_not_known_may_need_nothing() {
    check(&RULE, "FROM node:22\nCOPY . .\nRUN npm ci --omit=dev && npm run build\n");
    check_silent("RUN npm ci --omit=dev && npm run other");
}

#[test]
fn a_build_that_may_fail_is_no_fault() {
    check_silent("RUN npm ci --omit=dev\nRUN npm run build || true");
}

#[test]
fn another_folder_is_another_project() {
    check_silent("RUN npm ci --omit=dev && cd web && npm run build");
}

#[test]
fn the_variable_of_the_shell_says_what_it_says() {
    check_silent("ENV NODE_ENV=production\nRUN export NODE_ENV=development && npm ci && npm run build");
    check_silent("ENV NODE_ENV=production\nRUN NODE_ENV=development npm ci && npm run build");
}

#[test]
fn bun_and_newer_versions_of_yarn_do_not_look_at_the_environment() {
    check_silent("ENV NODE_ENV=production\nRUN bun install && bun run build");
    check_silent("ENV NODE_ENV=production\nRUN yarn install --immutable && yarn build");
}

#[test]
fn without_a_manifest_a_compiler_is_probably_one() {
    let text = "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=dev\nRUN tsc\n";
    let analysis = analyse(&parse(text));
    assert_eq!(findings(&analysis, &RULE).first().map(|it| it.severity), Some(Severity::Warning));
}

#[test]
fn what_is_shipped_keeps_its_flag() {
    check_no_fix(
        &RULE,
        &format!("FROM node:22\nWORKDIR /a\nCOPY . .\nRUN npm ci --omit=dev && npm run build\n{BESIDE}"),
    );
    check_no_fix(
        &RULE,
        &format!(
            "FROM node:22 AS b\nWORKDIR /a\nCOPY . .\nRUN npm ci --omit=dev && npm run build\n\
             FROM node:22\nCOPY --from=b /a /a\n{BESIDE}"
        ),
    );
}
