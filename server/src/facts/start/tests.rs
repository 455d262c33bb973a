//! Dockerfiles, what lies beside them (behind `#- name` lines), and what they start.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::development::{development, reason};
use super::{Role, chain};
use crate::context::BuildContext;
use crate::facts::manifest::Manifest;
use crate::lower;

fn check(fixture: &str, expected: Expect) {
    let mut parts = fixture.split("#- ");
    let text = parts.next().unwrap_or_default();
    let files: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('\n')).collect();
    let context = BuildContext::of_texts(files.clone());
    let file = lower::file(text.into(), &lower::Build::default(), None);
    let last = file.stages.len() - 1;
    let chain = chain(&file, last, &context, "/", true);
    let manifest = context.text("package.json").and_then(Manifest::parse);
    let mut shown = String::new();
    for program in &chain.programs {
        let arguments: Vec<&str> = program.arguments.iter().map(|it| it.as_deref().unwrap_or("?")).collect();
        let role = if program.role == Role::Wrapper { "(wrapper) " } else { "" };
        let health = if program.health { "(health) " } else { "" };
        let _ = writeln!(shown, "{}", format!("{health}{role}{} {}", program.word, arguments.join(" ")).trim());
        if let Some(kind) = development(program, manifest.as_ref()) {
            let _ = writeln!(shown, "  {}", reason(program, kind, manifest.as_ref()));
        }
    }
    for open in &chain.open {
        let _ = writeln!(shown, "open: {open:?}");
    }
    expected.assert_eq(&shown);
}

#[test]
fn npm_start_is_looked_up_where_it_runs() {
    check(
        r#"FROM node
WORKDIR /app
COPY package*.json ./
CMD ["npm", "start"]
#- package.json
{"scripts": {"prestart": "echo hi", "start": "NODE_ENV=production node -r dotenv/config dist/index.js"}}
"#,
        expect![[r#"
            (wrapper) npm start
            node -r dotenv/config dist/index.js
        "#]],
    );
}

#[test]
fn without_a_start_script_npm_runs_server_js() {
    check(
        "FROM node\nWORKDIR /app\nCOPY . .\nCMD npm start\n#- package.json\n{}\n",
        expect![[r#"
            (wrapper) npm start
            node server.js
        "#]],
    );
}

#[test]
fn a_manifest_that_does_not_land_there_is_open() {
    check(
        "FROM node\nWORKDIR /app\nCOPY package.json /srv/\nCMD npm start\n#- package.json\n{}\n",
        expect![[r#"
            (wrapper) npm start
            open: Manifest("npm start")
        "#]],
    );
}

#[test]
fn inits_and_waiters_are_looked_through() {
    check(
        r#"FROM node
ENTRYPOINT ["tini", "-g", "--", "dumb-init"]
CMD ["./wait-for-it.sh", "db:5432", "--", "cross-env", "A=b", "gosu", "node", "node", "a.js"]
"#,
        expect![[r#"
            (wrapper) tini -g -- dumb-init ./wait-for-it.sh db:5432 -- cross-env A=b gosu node node a.js
            (wrapper) dumb-init ./wait-for-it.sh db:5432 -- cross-env A=b gosu node node a.js
            (wrapper) ./wait-for-it.sh db:5432 -- cross-env A=b gosu node node a.js
            (wrapper) cross-env A=b gosu node node a.js
            (wrapper) gosu node node a.js
            node a.js
        "#]],
    );
}

#[test]
fn a_shell_form_entrypoint_ignores_cmd() {
    check(
        "FROM node\nENTRYPOINT exec node a.js\nCMD [\"b.js\"]\n",
        expect![[r#"
        node a.js
    "#]],
    );
}

#[test]
fn an_entrypoint_takes_away_the_cmd_of_the_stage_below() {
    check(
        "FROM node AS a\nCMD [\"x\"]\nFROM a\nENTRYPOINT [\"node\", \"b.js\"]\n",
        expect![[r#"
        node b.js
    "#]],
    );
}

#[test]
fn the_entry_point_of_the_image_runs_node_with_files() {
    check(
        "FROM node\nCMD [\"server.js\"]\n",
        expect![[r#"
        node server.js
    "#]],
    );
}

#[test]
fn start_scripts_are_read_and_go_on_with_cmd() {
    check(
        r#"FROM node
WORKDIR /app
COPY docker-entrypoint.sh /usr/local/bin/
COPY . .
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node", "a.js"]
HEALTHCHECK CMD curl -f http://localhost/ || exit 1
#- docker-entrypoint.sh
#!/bin/sh
set -e
if [ "$MIGRATE" = 1 ]; then
  npx prisma@5 migrate deploy
fi
exec "$@"
"#,
        expect![[r#"
            (wrapper) docker-entrypoint.sh node a.js
            (wrapper) sh
            (wrapper) npx prisma@5 migrate deploy
            prisma migrate deploy
            node a.js
            (health) curl -f http://localhost/
        "#]],
    );
}

#[test]
fn an_unreadable_start_script_is_open() {
    check(
        "FROM node\nCMD [\"sh\", \"start.sh\"]\n",
        expect![[r#"
        (wrapper) sh start.sh
        ./start.sh
        open: Script("./start.sh")
    "#]],
    );
}

#[test]
fn development_tools_are_named() {
    check(
        r#"FROM node
COPY . .
CMD npm run dev & npm run web && npm run both
#- package.json
{"scripts": {"dev": "nodemon src/index.js", "web": "react-scripts start", "both": "tsc && node --watch a.js"},
 "devDependencies": {"nodemon": "3"}}
"#,
        expect![[r#"
            (wrapper) npm run dev
            nodemon src/index.js
              `npm run dev` runs nodemon, a dev dependency: this image is meant for development
            (wrapper) npm run web
            react-scripts start
              `npm run web` runs react-scripts, a development server: this image is meant for development
            (wrapper) npm run both
            tsc
              `npm run both` runs tsc, which builds at start: build in a RUN first
            node --watch a.js
              `npm run both` runs node --watch a.js, which watches files: this image is meant for development
        "#]],
    );
}

#[test]
fn watchers_among_the_dependencies_run_in_production() {
    check(
        "FROM node\nCOPY . .\nCMD [\"nodemon\", \"a.js\"]\n#- package.json\n{\"dependencies\": {\"nodemon\": \"3\"}}\n",
        expect![[r#"
            nodemon a.js
        "#]],
    );
}

#[test]
fn yarn_and_pnpm_run_scripts_and_programs() {
    check(
        r#"FROM node
COPY . .
CMD yarn serve --port 3 && yarn next start && pnpm -r start
#- package.json
{"scripts": {"serve": "node a.js"}}
"#,
        expect![[r#"
            (wrapper) yarn serve --port 3
            node a.js --port 3
            (wrapper) yarn next start
            next start
            (wrapper) pnpm -r start
            open: Manifest("pnpm -r start")
        "#]],
    );
}

#[test]
fn scripts_that_call_each_other_end() {
    check(
        "FROM node\nCOPY . .\nCMD npm run a\n#- package.json\n{\"scripts\": {\"a\": \"npm run b\", \"b\": \"npm run a\"}}\n",
        expect![[r#"
            (wrapper) npm run a
            (wrapper) npm run b
            (wrapper) npm run a
            (wrapper) npm run b
            (wrapper) npm run a
            (wrapper) npm run b
            open: Deep("npm run b")
        "#]],
    );
}
