//! `npm-cache-left`: npm's cache of downloads stays in a shipped layer.

use crate::facts::append::append;
use crate::facts::caches::Cache;
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "npm-cache-left",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
npm's cache of downloads stays in the layer, beside the `node_modules` that were made of it.

npm keeps every archive it fetched below `~/.npm`, though nothing in the image will ever ask for it again.
It weighs about as much as `node_modules` itself: 78 MB for Express with TypeScript and its tools.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
CMD ["node", "server.js"]
```

Emptied in the same layer:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
CMD ["node", "server.js"]
```

A cache mount keeps it out of the layer too, and the next build finds it: `RUN --mount=type=cache,target=/root/.npm npm ci`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for at in ctx.final_runs() {
        // One finding a RUN: all its installs share one cache, and cleaning once empties it.
        let Some(left) = at.facts.left.iter().find(|left| left.cache == Cache::Npm) else { continue };
        let Some(install) = at.facts.commands.get(left.command) else { continue };
        if is_configured(&at) {
            continue;
        }
        let weight = if fills_modules(&at) { ", about as large as node_modules" } else { "" };
        let message = format!("{} in this layer{weight}", left.cache.stays());
        let mut finding = Finding::new(&RULE, at.range(install), message);
        finding.fix = if left.usual { fix(ctx, &at) } else { None };
        finding.assists.push("add-cache-mount");
        acc.push(finding);
    }
}

/// Whether an install of the RUN fills the `node_modules` of a project. A program that is installed for all, or fetched to be
/// run once, is often one archive, a quarter of what it unpacks to.
fn fills_modules(at: &RunAt) -> bool {
    at.facts.commands.iter().any(|command| {
        let is_global = command.has(&["-g", "--global", "--location=global"]);
        !is_global
            && deed(command).is_some_and(|it| {
                it.manager == Manager::Npm && it.verb == Verb::Install && !matches!(it.word, "exec" | "x")
            })
    })
}

/// Whether the cache was sent elsewhere before: `npm config set cache …`.
fn is_configured(at: &RunAt) -> bool {
    let before = at.stage.instructions.get(..=at.idx).unwrap_or_default();
    before.iter().any(|placed| placed.instruction.text.contains("config set cache"))
}

fn fix(ctx: &Context, at: &RunAt) -> Option<Fix> {
    let is_npm = |command: &&Command| command.program == "npm" || command.program == "npx";
    // Another user's npm has another cache, and npm must still be there at the end.
    if !at.facts.commands.iter().filter(is_npm).all(|command| at.is_plain(command)) {
        return None;
    }
    if at.facts.commands.iter().any(takes_npm_away) {
        return None;
    }
    let edit = append(&ctx.file.text, at.placed, at.run, at.facts, "npm cache clean --force")?;
    Some(Fix { title: "Empty npm's cache in the same layer".to_owned(), safety: ctx.safety(), edit })
}

fn takes_npm_away(command: &Command) -> bool {
    let is_npm = |word: &str| matches!(word, "npm" | "nodejs" | "node" | "nodejs-npm") || word.ends_with("/npm");
    if deed(command).is_some_and(|it| it.verb == Verb::Remove && (it.manager != Manager::Npm || command.has(&["-g"]))) {
        return command.values().any(is_npm);
    }
    command.program == "rm" && command.values().any(|it| it.contains("node_modules/npm") || it.ends_with("bin/npm"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM node:22-slim\n{run}\nCMD [\"node\", \"a.js\"]\n"));
    }

    #[test]
    fn the_install_is_to_blame() {
        check(
            &RULE,
            "FROM node:22-slim\n\
             RUN npm ci --omit=dev && npm run build\n\
             #   ^^^^^^^^^^^^^^^^^ npm's cache of downloads stays in this layer\n\
             RUN npx -y serve\n\
             #   ^^^^^^^^^^^^ npm's cache\n\
             CMD [\"node\", \"a.js\"]\n",
        );
    }

    #[test]
    fn a_program_for_all_may_be_one_archive() {
        let message = |run: &str| {
            let analysis = analyse(&parse(&format!("FROM node:22-slim\nRUN {run}\nCMD [\"a\"]\n")));
            findings(&analysis, &RULE)[0].message.clone()
        };
        let alone = "npm's cache of downloads stays in this layer";
        for run in ["npm i -g pnpm", "npm install --global yarn", "npx -y serve", "npm exec -y serve"] {
            assert_eq!(message(run), alone, "{run}");
        }
        for run in ["npm ci", "npm install express", "npm install -g npm@11 && npm ci"] {
            assert_eq!(message(run), format!("{alone}, about as large as node_modules"), "{run}");
        }
    }

    #[test]
    fn one_finding_a_run() {
        check(
            &RULE,
            "FROM node:22-slim\n\
             RUN npm install -g npm@11 && npm ci\n\
             #   ^^^^^^^^^^^^^^^^^^^^^ npm's cache\n\
             CMD [\"node\", \"a.js\"]\n",
        );
    }

    #[test]
    fn a_cache_that_is_cleaned_in_the_same_layer_is_not_in_it() {
        check_silent("RUN npm ci && npm cache clean --force");
        check_silent("RUN npm ci && npm run build && rm -rf ~/.npm");
        check_silent("RUN npm ci && rm -rf /root/.npm/_cacache");
        check_silent("RUN npm ci && rm -rf /root/.npm /tmp/*");
    }

    #[test]
    fn a_mount_keeps_it_out_of_the_layer() {
        check_silent("RUN --mount=type=cache,target=/root/.npm npm ci");
        check_silent("RUN --mount=type=cache,target=/home/node/.npm npm ci");
        check_silent("RUN --mount=type=tmpfs,target=/root npm ci");
    }

    #[test]
    fn a_cache_that_lies_elsewhere_is_looked_for_there() {
        check_silent("RUN npm ci --cache /tmp/npm && rm -rf /tmp/npm");
        check_silent("ENV npm_config_cache=/dev/shm/npm\nRUN npm ci");
        check_silent("RUN --mount=type=cache,target=/cache npm_config_cache=/cache npm ci");
        check_silent("RUN npm config set cache /tmp && npm ci");
        check_no_fix(&RULE, "FROM node:22-slim\nRUN npm ci --cache /tmp/npm\nCMD [\"node\", \"a.js\"]\n");
    }

    #[test]
    fn what_fetches_nothing_leaves_nothing() {
        check_silent("RUN npm install --offline ./a.tgz");
        check_silent("RUN --network=none npm ci");
        check_silent("RUN npm run build && npm test");
        check_silent("RUN npx tsc");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(
            &RULE,
            "FROM node:22 AS b\nRUN npm ci\nFROM node:22-slim\nCOPY --from=b /a /a\nCMD [\"node\", \"a.js\"]\n",
        );
    }

    #[test]
    fn the_cache_is_emptied_at_the_end() {
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM node:22-slim\nRUN npm ci \\\n && npm run build\nCMD [\"node\", \"a.js\"]\n",
            "FROM node:22-slim\nRUN npm ci \\\n && npm run build \\\n && npm cache clean --force\nCMD [\"node\", \"a.js\"]\n",
        );
    }

    #[test]
    fn without_npm_or_as_another_user_it_cannot_be_emptied() {
        let image = |run: &str| format!("FROM node:22-slim\nRUN {run}\nCMD [\"node\", \"a.js\"]\n");
        check_no_fix(&RULE, &image("npm ci && apk del npm"));
        check_no_fix(&RULE, &image("npm ci && rm -rf /usr/local/lib/node_modules/npm"));
        check_no_fix(&RULE, &image("gosu node npm ci"));
    }
}
