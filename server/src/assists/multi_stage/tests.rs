//! Dockerfiles with what lies beside them (behind `#- name` lines), and what becomes of them.

use std::sync::Arc;

use expect_test::{Expect, expect};

use super::offer;
use crate::assists::Offer;
use crate::config::Config;
use crate::context::BuildContext;
use crate::facts::Facts;
use crate::images::ImageBook;
use crate::lower::{self, Build};
use crate::rules::Context;
use crate::size::BuildSize;
use crate::text::TextRange;
use crate::weight::Estimate;

fn offers(fixture: &str) -> (String, Vec<Offer>) {
    let mut parts = fixture.split("#- ");
    let text = parts.next().unwrap_or_default();
    let files: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('\n')).collect();
    let context = if files.is_empty() { BuildContext::default() } else { BuildContext::of_texts(files) };
    let file = lower::file(Arc::from(text), &Build::default(), None);
    let config = Config::default();
    let facts = Facts::of(&file, &config);
    let ctx = Context {
        file: &file,
        facts: &facts,
        size: &BuildSize::default(),
        config: &config,
        context: &context,
        images: &ImageBook::embedded(),
        today: None,
        start: std::cell::OnceCell::new(),
    };
    let range = file.stages.last().map_or(TextRange::default(), |stage| stage.range);
    (text.to_owned(), offer(&ctx, range))
}

/// The code and sentence of a refusal, or the new text with the doubts in front.
fn shown(fixture: &str) -> String {
    let (text, offers) = offers(fixture);
    match offers.as_slice() {
        [] => "nothing\n".to_owned(),
        [Offer::Refusal(refusal)] => format!("{}: {}\n", refusal.code, refusal.reason),
        [Offer::Assist(assist)] => {
            let doubts = assist.doubts.iter().map(|it| format!("? {it}\n")).collect::<String>();
            doubts + &assist.edit.apply(&text)
        }
        several => panic!("one variant at most: {several:?}"),
    }
}

fn check(fixture: &str, expected: Expect) {
    expected.assert_eq(&shown(fixture));
}

/// Refused with this code and sentence.
fn refused(fixture: &str, expected: &str) {
    assert_eq!(shown(fixture).trim_end(), expected);
}

const PLAIN: &str = "\n#- package.json\n{\"scripts\":{\"start\":\"node index.js\"}}\n#- index.js\n";

#[test]
fn the_title_says_what_is_saved() {
    let (_, offers) = offers("FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"index.js\"]\n");
    let [Offer::Assist(assist)] = offers.as_slice() else { panic!("{offers:?}") };
    assert!(
        assist.label.starts_with("Split into build and runtime stages (node:22 → node:22-slim, "),
        "{}",
        assist.label
    );
    assert!(assist.label.contains("GB → "), "{}", assist.label);
    assert!(assist.preferred && assist.variant == Some("tree"));
    let likely = |estimate: &Option<Estimate>| estimate.as_ref().map(|it| it.likely);
    assert!(likely(&assist.before) > likely(&assist.after));
}

#[test]
fn what_is_small_already_is_left_alone() {
    refused(
        "FROM node:20-alpine\nCOPY package*.json ./\nRUN npm ci --omit=dev\nCOPY . .\nCMD [\"node\", \"src/server.js\"]\n",
        "R2: nothing else in this image is only needed to build it: the base is as small as it gets, and what development dependencies weigh is not known",
    );
    // Other ecosystems have no plan.
    refused("FROM python:3.12-slim\nRUN pip install flask\nCOPY . .\nCMD [\"python\", \"app.py\"]\n", "nothing");
}

#[test]
fn development_tools_at_start_are_refused() {
    refused(
        "FROM node:20\nRUN npm install\nCOPY . .\nCMD [\"npm\",\"run\",\"dev\"]\n#- package.json\n{\"scripts\":{\"dev\":\"nodemon src/index.js\"},\"devDependencies\":{\"nodemon\":\"3\"}}\n",
        "R3: `npm run dev` runs nodemon, a dev dependency: this image is meant for development",
    );
    refused(
        "FROM node:18\nRUN npm install\nCOPY . .\nCMD [\"npm\",\"start\"]\n#- package.json\n{\"scripts\":{\"start\":\"react-scripts start\"}}\n",
        "R3: `npm start` runs react-scripts, a development server: this image is meant for development",
    );
}

#[test]
fn an_unknown_start_is_refused() {
    refused("FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm install\n", "R4: no CMD or ENTRYPOINT says what must run");
    refused(
        "FROM node:20\nCOPY . .\nRUN npm install\nCMD [\"npm\",\"start\"]\n",
        "R4: package.json is needed to know what `npm start` runs",
    );
    refused(
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD $START\n",
        "R4: the program that starts is a variable without a value",
    );
}

#[test]
fn bases_of_other_builds_are_refused() {
    refused("FROM node:20\nONBUILD COPY . /app\n", "R5: this image is a base for other builds");
    refused("FROM node:20\nRUN npm install -g pnpm\n", "R5: this image is a base for other builds");
}

#[test]
fn unknown_bases_are_refused() {
    refused(
        "FROM registry.example/team/base:1\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R9: nothing is known about registry.example/team/base:1",
    );
    refused("ARG BASE\nFROM $BASE\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n", "R9: nothing is known about $BASE");
    refused(
        "FROM node:99.1\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R9: no slim image of node:99.1 is known",
    );
    refused(
        "ARG BASE=node:20\nFROM $BASE\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R9: the base image $BASE is a variable, and no text makes it the slim one",
    );
}

#[test]
fn windows_is_refused() {
    refused(
        "# escape=`\nFROM mcr.microsoft.com/windows/servercore:ltsc2022\nRUN powershell -Command x\n",
        "R10: Windows images are not converted",
    );
}

#[test]
fn text_that_does_not_parse_is_refused() {
    refused("FROM node:20\nWORKDIR\nRUN npm ci\n", "R1: line 2 does not parse");
    refused(
        "FROM node:20\nWORKDIR /app\nRUN npm ci && (\nCMD [\"node\"]\n",
        "R11: line 3 holds shell text that does not parse",
    );
}

#[test]
fn a_work_tree_that_is_the_whole_system_is_refused() {
    refused(
        "FROM node:16\nCOPY . .\nRUN npm install\nCMD [\"node\",\"index.js\"]\n",
        "R13: there is no WORKDIR: the work tree is /, which cannot be copied whole",
    );
    refused(
        "FROM node:16\nCOPY package.json /tmp\nRUN cd /tmp && npm i && cp -a node_modules /app\nCOPY . /app\nCMD [\"node\",\"/app/a.js\"]\n",
        "R13: packages are installed below /tmp, which is not copied",
    );
}

#[test]
fn a_work_tree_that_is_taken_away_is_refused() {
    refused(
        "FROM node:20\nWORKDIR /client\nCOPY client .\nRUN npm ci && npm run build && mv dist /app/public\nRUN rm -rf /client\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R13: `rm -rf /client` takes the work tree away",
    );
}

#[test]
fn packages_that_a_build_may_call_are_on_both_sides() {
    let text = |scripts: &str| {
        format!(
            "FROM node:20\nRUN apt-get update && apt-get install -y jq libvips42\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"a.js\"]\n#- package.json\n{{\"scripts\":{{\"build\":\"{scripts}\"}}}}\n#- a.js\n"
        )
    };
    let installs = |scripts: &str| {
        let shown = shown(&text(scripts));
        shown
            .lines()
            .filter(|it| it.contains("apt-get"))
            .map(|it| it.replace("RUN apt-get update && apt-get install -y ", ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(installs("tsc"), ["libvips42", "jq libvips42"]);
    assert_eq!(installs("jq . a.json"), ["jq libvips42", "jq libvips42"]);
}

#[test]
fn owners_with_ids_that_may_differ_are_refused() {
    refused(
        "FROM node:20\nRUN useradd -r a && useradd -r b\nWORKDIR /app\nCOPY --chown=a . /app/a\nCOPY --chown=b . /app/b\nRUN npm ci\nUSER a\nCMD [\"node\",\"a/x.js\"]\n",
        "R14: files of several owners, with ids that differ between base images",
    );
}

#[test]
fn modules_of_the_builders_platform_are_refused() {
    refused(
        "FROM --platform=$BUILDPLATFORM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R8: modules built on the builder's platform may not run on the one that is built for",
    );
}

#[test]
fn a_module_of_node_options_is_loaded_at_run_time() {
    let converted = shown(
        "FROM node:20\nENV NODE_OPTIONS=\"-r dd-trace/init\"\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n\
         #- package.json\n{\"devDependencies\":{\"dd-trace\":\"5\"}}\n#- package-lock.json\n{}\n#- a.js\na\n",
    );
    assert!(!converted.contains("npm prune"), "{converted}");
}

#[test]
fn a_cleanup_of_lists_follows_the_packages() {
    let converted = shown(
        "FROM node:20\nRUN apt-get update && apt-get install -y tini\nRUN rm -rf /var/lib/apt/lists/*\nWORKDIR /app\n\
         COPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n#- package.json\n{\"devDependencies\":{\"jest\":\"5\"}}\n\
         #- package-lock.json\n{}\n#- a.js\na\n",
    );
    let runtime = converted.rsplit("FROM").next().unwrap_or_default();
    assert!(runtime.contains("RUN rm -rf /var/lib/apt/lists/*"), "{converted}");
}

#[test]
fn a_stage_that_only_runs_is_left_alone() {
    refused("FROM gcr.io/distroless/static\nCOPY server /\nCMD [\"/server\"]\n", "nothing");
    refused(
        "FROM node:20 AS build\nRUN npm ci\nFROM node:20\nCOPY --from=build /app /app\nCMD [\"yarn\",\"start\"]\n",
        "nothing",
    );
}

#[test]
fn what_cannot_be_placed_is_refused() {
    refused(
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN ./setup.sh\nRUN curl -fsSL https://example.com/x | sh\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R6: cannot tell whether `curl -fsSL https://example.com/x` is needed at run time",
    );
    refused(
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build -- --out=/srv/www\nCMD [\"node\",\"a.js\"]\n",
        "R6: cannot tell whether `npm run build` is needed at run time",
    );
    refused(
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"caddy\",\"run\"]\n",
        "R6: cannot tell what brings `caddy`, which runs at start",
    );
    refused(
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN cp nginx.conf /etc/ && npm ci\nRUN npm run build\nCMD [\"node\",\"a.js\"]\n",
        "R6: `cp nginx.conf /etc/` in line 4 brings files out of the work tree before it is complete",
    );
}

#[test]
fn what_changes_owners_on_both_sides_is_refused() {
    refused(
        "FROM node:20\nENV HOME=/home/app\nCOPY package.json /home/app/web/\nRUN chown -R node $HOME/*\nWORKDIR /home/app/web\nUSER node\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R6: `chown -R node` changes files inside and outside of the work tree",
    );
}

#[test]
fn headers_and_closed_archives_are_refused() {
    refused(
        "FROM node:20\nRUN apt-get update && apt-get install -y libexotic-dev\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n",
        "R7: no runtime package is known for libexotic-dev",
    );
    refused(
        "FROM node:14\nWORKDIR /app\nCOPY . .\nRUN npm ci\nHEALTHCHECK CMD curl -f http://localhost/\nCMD [\"node\",\"a.js\"]\n",
        "R17: the package archive of buster is closed, ca-certificates cannot be added",
    );
}

#[test]
fn modules_that_need_the_full_image_are_refused() {
    refused(
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\",\"a.js\"]\n#- package.json\n{\"dependencies\":{\"puppeteer\":\"1\"}}\n#- a.js\n",
        "R8: puppeteer needs libraries that only the full image is known to have",
    );
}

#[test]
fn two_languages_at_start_are_refused() {
    refused(
        "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD python3 api.py & node a.js\n",
        "R12: both python3 and node run at start",
    );
}

#[test]
fn a_file_that_is_missing_at_start_is_a_doubt() {
    // The seed's own first file: nothing builds what `npm start` runs.
    check(
        "FROM node:18\nWORKDIR /app\nCOPY package*.json ./\nRUN npm install\nCOPY . .\nCMD [\"npm\", \"start\"]\n#- package.json\n{\"scripts\":{\"start\":\"node dist/index.js\"},\"devDependencies\":{\"typescript\":\"5\"}}\n",
        expect![[r#"
            ? /app/dist/index.js is neither in the build context nor made by a build command
            FROM node:18 AS build
            WORKDIR /app
            COPY package*.json ./
            RUN npm install
            COPY . .
            RUN npm prune --omit=dev

            FROM node:18-slim
            WORKDIR /app
            COPY --from=build /app ./
            CMD ["npm", "start"]
        "#]],
    );
}

#[test]
fn nothing_is_pruned_that_a_source_loads() {
    check(
        "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm install\nCMD [\"node\", \"index.js\"]\n#- package.json\n{\"devDependencies\":{\"morgan\":\"1\",\"eslint\":\"1\"}}\n#- index.js\nrequire('morgan/lib')\n#- eslint.config.js\nimport 'eslint'\n",
        expect![[r#"
            ? morgan is a development dependency that index.js loads; development dependencies stay
            FROM node:22 AS build
            WORKDIR /app
            COPY . .
            RUN npm install

            FROM node:22-slim
            WORKDIR /app
            COPY --from=build /app ./
            CMD ["node", "index.js"]
        "#]],
    );
}

#[test]
fn without_a_prune_late_sources_come_from_the_context() {
    check(
        &format!(
            "FROM node:20\nWORKDIR /app\nCOPY package.json .\nRUN npm ci --omit=dev\nCOPY . .\nCMD [\"npm\", \"start\"]{PLAIN}"
        ),
        expect![[r#"
            FROM node:20 AS build
            WORKDIR /app
            COPY package.json .
            RUN npm ci --omit=dev

            FROM node:20-slim
            WORKDIR /app
            COPY --from=build /app ./
            COPY . .
            CMD ["npm", "start"]
        "#]],
    );
}

#[test]
fn programs_of_the_full_image_become_packages() {
    check(
        &format!(
            "from node:20\nworkdir /app\ncopy . .\nrun npm ci\nhealthcheck cmd curl -f http://localhost/ || exit 1\ncmd [\"npm\", \"start\"]{PLAIN}"
        ),
        expect![[r#"
            from node:20 as build
            workdir /app
            copy . .
            run npm ci

            from node:20-slim
            run apt-get update \
                && apt-get install -y --no-install-recommends ca-certificates curl \
                && rm -rf /var/lib/apt/lists/*
            workdir /app
            copy --from=build /app ./
            healthcheck cmd curl -f http://localhost/ || exit 1
            cmd ["npm", "start"]
        "#]],
    );
}

#[test]
fn packages_of_one_run_go_where_they_are_needed() {
    check(
        &format!(
            "FROM node:20\nRUN apt-get update && apt-get install -y \\\n    python3 \\\n    make \\\n    tini \\\n    g++ \\\n && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\nCOPY . .\nRUN npm ci\nENTRYPOINT [\"tini\", \"--\"]\nCMD [\"npm\", \"start\"]{PLAIN}"
        ),
        expect![[r#"
            FROM node:20 AS build
            RUN apt-get update && apt-get install -y \
                python3 \
                make \
                g++ \
             && rm -rf /var/lib/apt/lists/*
            WORKDIR /app
            COPY . .
            RUN npm ci

            FROM node:20-slim
            RUN apt-get update && apt-get install -y \
                tini \
             && rm -rf /var/lib/apt/lists/*
            WORKDIR /app
            COPY --from=build /app ./
            ENTRYPOINT ["tini", "--"]
            CMD ["npm", "start"]
        "#]],
    );
}

#[test]
fn packages_that_are_added_join_the_authors_own_install() {
    check(
        "FROM node:20\nRUN apt-get update && apt-get install -y ffmpeg && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"index.js\"]\n#- package.json\n{\"dependencies\":{\"@prisma/client\":\"5\"}}\n#- index.js\nrequire('child_process').execSync('git log')\n",
        expect![[r#"
            FROM node:20 AS build
            WORKDIR /app
            COPY . .
            RUN npm ci

            FROM node:20-slim
            RUN apt-get update && apt-get install -y ffmpeg ca-certificates git openssl && rm -rf /var/lib/apt/lists/*
            WORKDIR /app
            COPY --from=build /app ./
            CMD ["node", "index.js"]
        "#]],
    );
}

#[test]
fn a_run_is_cut_where_its_parts_go_different_ways() {
    check(
        &format!(
            "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci \\\n # the process manager\n && npm install -g pm2 \\\n && npm run build\nCMD [\"pm2-runtime\", \"index.js\"]{PLAIN}"
        ),
        expect![[r#"
            FROM node:20 AS build
            WORKDIR /app
            COPY . .
            RUN npm ci \
             && npm run build

            FROM node:20-slim
            WORKDIR /app
            RUN npm install -g pm2
            COPY --from=build /app ./
            CMD ["pm2-runtime", "index.js"]
        "#]],
    );
}

#[test]
fn files_of_the_user_node_stay_his() {
    check(
        &format!(
            "FROM node:20\nRUN mkdir -p /home/node/app && chown -R node:node /home/node/app\nWORKDIR /home/node/app\nCOPY package*.json ./\nUSER node\nRUN npm install\nCOPY --chown=node:node . .\nCMD [\"npm\", \"start\"]{PLAIN}"
        ),
        expect![[r#"
            FROM node:20 AS build
            RUN mkdir -p /home/node/app && chown -R node:node /home/node/app
            WORKDIR /home/node/app
            COPY package*.json ./
            USER node
            RUN npm install

            FROM node:20-slim
            RUN mkdir -p /home/node/app && chown node:node /home/node/app
            USER node
            COPY --from=build /home/node/app /home/node/app
            WORKDIR /home/node/app
            COPY --chown=node:node . .
            CMD ["npm", "start"]
        "#]],
    );
}

#[test]
fn an_account_is_made_before_its_files_are_copied() {
    check(
        &format!(
            "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci && groupadd -r app && useradd -r -g app app && chown -R app /app\nUSER app\nCMD [\"npm\", \"start\"]{PLAIN}"
        ),
        expect![[r#"
            FROM node:20 AS build
            WORKDIR /app
            COPY . .
            RUN npm ci && groupadd -r app && useradd -r -g app app && chown -R app /app

            FROM node:20-slim
            RUN groupadd -r app && useradd -r -g app app
            COPY --from=build --chown=app:root /app /app
            WORKDIR /app
            USER app
            CMD ["npm", "start"]
        "#]],
    );
}

#[test]
fn a_stage_keeps_its_name_unless_it_means_building() {
    let text = |name: &str| {
        format!("FROM node:20 AS {name}\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"npm\", \"start\"]{PLAIN}")
    };
    let froms = |name: &str| {
        let shown = shown(&text(name));
        shown
            .lines()
            .filter(|it| it.contains("node:20") || it.contains("--from"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(froms("app"), ["FROM node:20 AS build", "FROM node:20-slim AS app", "COPY --from=build /app ./"]);
    assert_eq!(froms("builder"), ["FROM node:20 AS builder", "FROM node:20-slim", "COPY --from=builder /app ./"]);
}

#[test]
fn of_several_stages_the_last_is_converted() {
    check(
        &format!(
            "FROM alpine AS build\nRUN echo hi > /motd\n\n\nFROM node:20\nWORKDIR /app\nCOPY . .\nCOPY --from=0 /motd /etc/motd\nRUN npm ci\nCMD [\"npm\", \"start\"]\n# The end.{PLAIN}"
        ),
        expect![[r#"
            FROM alpine AS build
            RUN echo hi > /motd


            FROM node:20 AS builder
            WORKDIR /app
            COPY . .
            RUN npm ci


            FROM node:20-slim
            WORKDIR /app
            COPY --from=0 /motd /etc/motd
            COPY --from=builder /app ./
            CMD ["npm", "start"]
            # The end.
        "#]],
    );
}

#[test]
fn a_copy_takes_the_place_of_its_last_build_step() {
    check(
        &format!(
            "FROM node:20\nARG REVISION\nENV REVISION=$REVISION\nWORKDIR /app\nCOPY . .\nRUN npm ci\nVOLUME /app/data\nSTOPSIGNAL SIGINT\nCMD [\"npm\", \"start\"]{PLAIN}"
        ),
        expect![[r#"
            FROM node:20 AS build
            ARG REVISION
            ENV REVISION=$REVISION
            WORKDIR /app
            COPY . .
            RUN npm ci

            FROM node:20-slim
            ARG REVISION
            ENV REVISION=$REVISION
            WORKDIR /app
            COPY --from=build /app ./
            VOLUME /app/data
            STOPSIGNAL SIGINT
            CMD ["npm", "start"]
        "#]],
    );
    refused(
        &format!("FROM node:20\nWORKDIR /app\nVOLUME /app\nCOPY . .\nRUN npm ci\nCMD [\"npm\", \"start\"]{PLAIN}"),
        "R14: /app is a VOLUME before it is complete",
    );
}

#[test]
fn arbitrary_bytes_do_no_harm() {
    arbtest::arbtest(|u| {
        const PIECES: [&str; 24] = [
            "FROM node:20",
            "\n",
            " AS build",
            "WORKDIR /app",
            "COPY . .",
            "RUN npm ci",
            " && ",
            "cd ",
            "$X",
            "CMD npm start",
            "\\\n",
            "USER node",
            "ARG X",
            "apt-get install -y ",
            "curl",
            "# c\n",
            "\"",
            "é",
            "--chown=a:b ",
            "chown -R a ",
            "ENV A=",
            "<<EOF\n",
            "VOLUME ",
            "\u{feff}",
        ];
        let mut text = "FROM node:20\nWORKDIR /app\nCOPY . .\n".to_owned();
        for _ in 0..u.int_in_range(0..=30)? {
            text.push_str(u.choose(&PIECES)?);
        }
        text.push_str("\nRUN npm ci\nCMD [\"node\", \"a.js\"]");
        shown(&text);
        Ok(())
    });
}
