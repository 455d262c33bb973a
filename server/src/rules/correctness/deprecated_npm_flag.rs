//! `deprecated-npm-flag`: an option of npm that a newer one has taken the place of.

use crate::facts::ground;
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::landing::{self, Landed};
use crate::facts::node_release;
use crate::facts::run::{Argument, Command};
use crate::facts::stage::join;
use crate::facts::walk;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "deprecated-npm-flag",
    group: Group::Correctness,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
`--production`, `--only`, `--also` and `--no-optional` of npm are old names of `--omit` and `--include`.

npm 7 and later still understand them, with a warning in the log of each build, and will not for ever. `--omit` and
`--include` do the same.

```dockerfile
FROM node:22-slim
COPY package*.json ./
RUN npm ci --only=production && npm cache clean --force
CMD ["node", "server.js"]
```

By its name of today:

```dockerfile
FROM node:22-slim
COPY package*.json ./
RUN npm ci --omit=dev && npm cache clean --force
CMD ["node", "server.js"]
```

Nothing is said where npm may be 6 or older, which does not know `--omit`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        let mut knows: Option<bool> = None;
        for at in ctx.runs(stage_idx) {
            for (idx, command) in at.facts.commands.iter().enumerate() {
                if !is_concerned(command) {
                    continue;
                }
                for flag in flags(command) {
                    if *knows.get_or_insert_with(|| knows_omit(ctx, &at, idx)) {
                        acc.push(finding(ctx, &at, &flag));
                    }
                }
            }
        }
    }
}

fn is_concerned(command: &Command) -> bool {
    command.program == "npm"
        && deed(command)
            .is_some_and(|deed| deed.manager == Manager::Npm && (deed.verb == Verb::Install || deed.word == "prune"))
}

/// An old option and what it is called today.
struct Flag<'a> {
    range: Local,
    word: &'a str,
    /// `None` where there is nothing that does the same.
    instead: Option<&'static str>,
}

/// The old options in front of `--`.
fn flags(command: &Command) -> Vec<Flag<'_>> {
    let mut res = Vec::new();
    let mut arguments = command.arguments.iter().peekable();
    while let Some(Argument { range, value }) = arguments.next() {
        let Some(word) = value.as_deref() else { continue };
        if word == "--" {
            break;
        }
        let instead = match word {
            "--production" | "--production=true" | "--only=prod" | "--only=production" => Some("--omit=dev"),
            "--no-optional" | "--optional=false" => Some("--omit=optional"),
            "--production=false" | "--also=dev" | "--also=development" => Some("--include=dev"),
            "--only=dev" | "--only=development" => None,
            "--only" | "--also" => {
                let Some(next) = arguments.peek() else { continue };
                let instead = match (word, next.value.as_deref()) {
                    ("--only", Some("prod" | "production")) => Some("--omit=dev"),
                    ("--also", Some("dev" | "development")) => Some("--include=dev"),
                    ("--only", Some("dev" | "development")) => None,
                    (_, Some(_) | None) => continue,
                };
                res.push(Flag { range: range.cover(next.range), word, instead });
                arguments.next();
                continue;
            }
            _ => continue,
        };
        res.push(Flag { range: *range, word, instead });
    }
    res
}

/// Whether the npm that runs here surely knows `--omit`: by the base image, or by a lock file that only such a one writes.
fn knows_omit(ctx: &Context, at: &RunAt, idx: usize) -> bool {
    let old_npm = |command: &Command| {
        command.program == "npm" && command.values().any(|it| matches!(it.get(..5), Some("npm@5" | "npm@6")))
    };
    let chain = crate::facts::chain(ctx.file, at.stage_idx);
    if { chain }.iter().any(|stage| ctx.runs(*stage).any(|at| at.facts.commands.iter().any(old_npm))) {
        return false;
    }
    let ground = ground::of(ctx.file, ctx.images, at.stage_idx);
    match ground.image().and_then(node_release::of) {
        Some(release) => release.has_omit(),
        None => has_new_lock(ctx, at, idx),
    }
}

fn has_new_lock(ctx: &Context, at: &RunAt, idx: usize) -> bool {
    let Some(Some(directory)) = at.facts.directories.get(idx) else { return false };
    let states = walk::states(ctx.file, at.stage_idx, "/");
    let before = states.get(..at.idx).unwrap_or_default();
    ["package-lock.json", "npm-shrinkwrap.json"].iter().any(|name| {
        let Some(path) = join(Some(directory), name) else { return false };
        let Landed::File(found) = landing::landed(ctx.file, at.stage, before, ctx.context, &path) else { return false };
        let text = ctx.context.text(&found).unwrap_or_default();
        let behind = text.split_once("\"lockfileVersion\"").map_or("", |(_, behind)| behind);
        let version = behind.trim_start_matches([':', ' ', '\t']);
        version.starts_with(['2', '3'])
    })
}

fn finding(ctx: &Context, at: &RunAt, flag: &Flag) -> Finding {
    let range = at.placed.range(flag.range);
    let message = match flag.instead {
        Some(instead) => format!("`{}` is an old name of `{instead}`", flag.range.of(&at.placed.instruction.text)),
        None => format!("`{}` is going from npm, and nothing takes its place", flag.word),
    };
    let mut res = Finding::new(&RULE, range, message);
    // What stands in text that is given to another shell may have no place of its own.
    let written = flag.range.of(&at.placed.instruction.text);
    let instead = flag.instead.filter(|_| written.split_whitespace().next() == Some(flag.word));
    res.fix = instead.map(|instead| Fix {
        title: format!("Write `{instead}`"),
        safety: ctx.safety(),
        edit: TextEdit::replace(range, instead),
    });
    res
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_line(before: &str, after: &str) {
        let file = |line: &str| format!("FROM node:22\nRUN {line}\nCMD [\"a\"]\n");
        check_fix(&RULE, Safety::Safe, &file(before), &file(after));
    }

    #[test]
    fn each_old_name_has_a_new_one() {
        check_line("npm ci --production", "npm ci --omit=dev");
        check_line("npm i --production=true --no-audit", "npm i --omit=dev --no-audit");
        check_line("npm install --only prod", "npm install --omit=dev");
        check_line("npm prune --only=production", "npm prune --omit=dev");
        check_line("npm update --no-optional", "npm update --omit=optional");
        check_line("npm i --also=dev", "npm i --include=dev");
        check_line("npm i --production=false", "npm i --include=dev");
        check_line("cd a && npm i --production --no-optional", "cd a && npm i --omit=dev --omit=optional");
    }

    #[test]
    fn the_range_is_the_option() {
        check(
            &RULE,
            "FROM node:22\n\
             RUN npm ci --only production && a\n\
             #          ^^^^^^^^^^^^^^^^^ `--only production` is an old name of `--omit=dev`\n",
        );
    }

    #[test]
    fn development_packages_alone_have_no_new_name() {
        check_no_fix(&RULE, "FROM node:22\nRUN npm i --only=dev\nCMD [\"a\"]\n");
    }

    #[test]
    fn text_for_another_shell_is_left_alone() {
        check_line("bash -c 'npm ci --production'", "bash -c 'npm ci --omit=dev'");
        check_no_fix(&RULE, "FROM node:22\nRUN bash -c \"npm ci \\\"--production\\\"\"\nCMD [\"a\"]\n");
    }

    #[test]
    fn an_old_npm_does_not_know_the_new_names() {
        check(&RULE, "FROM node:14\nRUN npm ci --production\n");
        check(&RULE, "FROM node:12-alpine\nRUN npm ci --only=production\n");
        check(&RULE, "FROM node:16\nRUN npm i -g npm@6 && npm ci --only=production\n");
    }

    #[test]
    fn an_unknown_base_is_believed_with_a_new_lock_file_only() {
        let file = |version: &str| {
            format!(
                "FROM example.com/node\nWORKDIR /app\nCOPY . .\nRUN npm ci --production\n#- package.json\n{{}}\n\
                 #- package-lock.json\n{{\"lockfileVersion\": {version}}}\n"
            )
        };
        check(&RULE, &file("1"));
        check(&RULE, "FROM example.com/node\nRUN npm ci --production\n");
        check(
            &RULE,
            &file("3").replace(
                "--production\n",
                "--production\n#          ^^^^^^^^^^^^ `--production` is an old name of `--omit=dev`\n",
            ),
        );
    }

    #[test]
    fn other_managers_have_these_options_of_their_own() {
        check(&RULE, "FROM node:22\nRUN yarn install --production && pnpm i --prod && bun install --production\n");
    }

    #[test]
    fn behind_two_dashes_stands_what_is_a_scripts() {
        check(&RULE, "FROM node:22\nRUN npm run build -- --production && npm ci -- --production\n");
    }

    #[test]
    fn an_image_without_a_start_of_its_own_may_be_a_base() {
        let file = |flag: &str| format!("FROM node:22\nRUN npm ci {flag}\n");
        check_fix(&RULE, Safety::Review, &file("--production"), &file("--omit=dev"));
    }
}
