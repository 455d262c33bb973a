//! `npm-install-not-ci`: npm chooses versions anew although the lock file lies beside it.

use serde_json::Value;

use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::landing::{self, Landed};
use crate::facts::node_release::{self, Release};
use crate::facts::removes;
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::facts::walk::{self, State};
use crate::model::Base;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Indel, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "npm-install-not-ci",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
`npm install` may choose other versions than the lock file that was copied beside it, and rewrites it inside the image.

`npm ci` installs what the lock file says, every time, and is faster. Where lock file and manifest disagree it fails, which
is the moment to learn of it.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package*.json ./
RUN npm install && npm cache clean --force
CMD ["node", "server.js"]
#- package.json
{"dependencies": {"express": "4.19.2"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "4.19.2"}}}}
```

By the lock file:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package*.json ./
RUN npm ci && npm cache clean --force
CMD ["node", "server.js"]
#- package.json
{"dependencies": {"express": "4.19.2"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "4.19.2"}}}}
```
"##,
    check,
};

/// The ways to write `install`.
const INSTALL: [&str; 11] =
    ["install", "i", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall"];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if !ctx.context.known {
        return;
    }
    for (stage_idx, _) in ctx.reaching() {
        let mut states: Option<Vec<State>> = None;
        for at in ctx.runs(stage_idx) {
            for (idx, command) in at.facts.commands.iter().enumerate() {
                let Some(deed) = deed(command).filter(|deed| is_install(deed, command)) else { continue };
                let states = states.get_or_insert_with(|| walk::states(ctx.file, stage_idx, "/"));
                let Some(lock) = lock_file(ctx, &at, idx, command, states) else { continue };
                acc.push(finding(ctx, &at, command, &deed, &lock));
            }
        }
    }
}

/// `npm install` of what the manifest lists, which reads and writes the lock file.
fn is_install(deed: &Deed, command: &Command) -> bool {
    let not_plain =
        ["-g", "--global", "--package-lock-only", "--no-package-lock", "--package-lock", "--lockfile-version"];
    deed.manager == Manager::Npm
        && deed.verb == Verb::Install
        && INSTALL.contains(&deed.word)
        && deed.words.is_empty()
        && command.certain
        && !command.has(&not_plain)
}

/// The lock file in the context that lies where the command runs.
fn lock_file(ctx: &Context, at: &RunAt, idx: usize, command: &Command, states: &[State]) -> Option<String> {
    let variable = |name: &str| at.stage.scope.get_at(name, at.placed.at).is_some();
    if variable("npm_config_package_lock") || variable("NPM_CONFIG_PACKAGE_LOCK") || is_old(ctx, at) {
        return None;
    }
    let start = states.get(at.idx)?.directory.as_deref();
    let here = removes::directories(at.facts, at.run.script()?, start).into_iter().nth(idx)??;
    let directory = match prefix(command) {
        Some(prefix) => join(Some(&here), prefix?)?,
        None => here,
    };
    let before = states.get(..at.idx)?;
    ["npm-shrinkwrap.json", "package-lock.json"].iter().find_map(|name| {
        let path = join(Some(&directory), name)?;
        match landing::landed(ctx.file, at.stage, before, ctx.context, &path) {
            Landed::File(found) => Some(found),
            Landed::Hidden | Landed::Nothing => None,
        }
    })
}

/// The value of `--prefix`; `Some(None)` where it is not known.
fn prefix(command: &Command) -> Option<Option<&str>> {
    let mut arguments = command.arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.value.as_deref() {
            Some("--prefix" | "-C") => return Some(arguments.next().and_then(|next| next.value.as_deref())),
            Some(value) => {
                if let Some(path) = value.strip_prefix("--prefix=") {
                    return Some(Some(path));
                }
            }
            None => {}
        }
    }
    None
}

/// Whether the base image has an npm without `ci` (before 5.7, so Node before 8.10).
fn is_old(ctx: &Context, at: &RunAt) -> bool {
    let image = ctx.facts.image(ctx.file, at.stage_idx);
    match image.and_then(node_release::of) {
        Some(Release { major, minor }) => major < 8 || (major == 8 && minor.is_some_and(|minor| minor < 10)),
        None => false,
    }
}

fn finding(ctx: &Context, at: &RunAt, command: &Command, deed: &Deed, lock: &str) -> Finding {
    if is_out_of_date(ctx, lock) {
        let message = format!("`{lock}` is out of date: `npm ci` would fail");
        let mut finding = Finding::new(&RULE, at.range(command), message);
        finding.severity = Severity::Hint;
        return finding;
    }
    let message = format!("`npm {}` may choose other versions than `{lock}`, which lies beside it", deed.word);
    let mut finding = Finding::new(&RULE, at.range(command), message);
    let mut indels = vec![Indel { delete: at.placed.range(deed.word_range), insert: "ci".to_owned() }];
    if has_omit(ctx, at) {
        for argument in &command.arguments {
            let insert = match argument.value.as_deref() {
                Some("--production" | "--only=production" | "--only=prod") => "--omit=dev",
                Some("--no-optional") => "--omit=optional",
                Some(_) | None => continue,
            };
            indels.push(Indel { delete: at.placed.range(argument.range), insert: insert.to_owned() });
        }
    }
    finding.fix = TextEdit::new(indels).map(|edit| Fix {
        title: "Install what the lock file says".to_owned(),
        safety: Safety::Review,
        edit,
    });
    finding
}

/// Whether the base image surely has an npm that knows `--omit` (7 and later).
fn has_omit(ctx: &Context, at: &RunAt) -> bool {
    let image = match &at.stage.base {
        Base::Image(image) => Some(image),
        Base::Stage(_) | Base::Scratch | Base::Unknown(_) => ctx.facts.image(ctx.file, at.stage_idx),
    };
    image.and_then(node_release::of).is_some_and(Release::has_omit)
}

/// Whether the lock file was surely not made from the manifest beside it: it repeats what the manifest asked for then.
fn is_out_of_date(ctx: &Context, lock: &str) -> bool {
    let manifest = match lock.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/package.json"),
        None => "package.json".to_owned(),
    };
    let (Some(lock), Some(manifest)) = (ctx.context.text(lock), ctx.context.text(&manifest)) else { return false };
    let Some(asked) = root_of(lock) else { return false };
    let Ok(manifest) = serde_json::from_str::<Value>(manifest) else { return false };
    let empty = Value::Object(serde_json::Map::new());
    ["dependencies", "devDependencies", "optionalDependencies"]
        .iter()
        .any(|key| asked.get(key).unwrap_or(&empty) != manifest.get(key).unwrap_or(&empty))
}

/// The entry of the project itself in a lock file of version 2 or 3. Read without the rest, which may be megabytes.
fn root_of(lock: &str) -> Option<Value> {
    let (_, packages) = lock.split_once("\"packages\"")?;
    let (between, root) = packages.split_once("\"\"")?;
    if !between.chars().all(|it| it.is_whitespace() || matches!(it, ':' | '{')) {
        return None;
    }
    let value = root.trim_start().strip_prefix(':')?;
    serde_json::Deserializer::from_str(value).into_iter::<Value>().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    const MANIFEST: &str = "#- package.json\n{\"dependencies\": {\"a\": \"1\"}}\n";
    const LOCK: &str =
        "#- package-lock.json\n{\"lockfileVersion\": 3, \"packages\": {\"\": {\"dependencies\": {\"a\": \"1\"}}}}\n";

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM node:22\nWORKDIR /app\n{body}\n{MANIFEST}{LOCK}"));
    }

    #[test]
    fn the_lock_file_lies_beside_it() {
        check(
            &RULE,
            &format!(
                "FROM node:22\n\
                 WORKDIR /app\n\
                 COPY package*.json ./\n\
                 RUN npm install --omit=dev && npm test\n\
                 #   ^^^^^^^^^^^^^^^^^^^^^^ other versions than `package-lock.json`\n\
                 {MANIFEST}{LOCK}"
            ),
        );
        check(
            &RULE,
            &format!(
                "FROM node:22\n\
                 COPY . /srv\n\
                 RUN cd /srv && npm i\n\
                 #              ^^^^^ `npm i` may choose\n\
                 {MANIFEST}{LOCK}"
            ),
        );
    }

    #[test]
    fn a_builder_counts_too() {
        check(
            &RULE,
            &format!(
                "FROM node:22 AS build\n\
                 COPY package.json package-lock.json ./\n\
                 RUN npm install\n\
                 #   ^^^^^^^^^^^ other versions\n\
                 FROM node:22-slim\n\
                 COPY --from=build /node_modules /node_modules\n\
                 {MANIFEST}{LOCK}"
            ),
        );
    }

    #[test]
    fn a_named_package_is_no_manifest() {
        check_silent("COPY . .\nRUN npm install express && npm i -g pm2 && npm install ./lib && npm i a.tgz");
    }

    #[test]
    fn without_the_lock_file_npm_ci_fails() {
        check_silent("COPY package.json ./\nRUN npm install");
        check_silent("RUN npm install\nCOPY . .");
        check(&RULE, &format!("FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm install\n{MANIFEST}"));
        check(
            &RULE,
            &format!("FROM node:22\nCOPY . .\nRUN npm i\n{MANIFEST}{LOCK}#- .dockerignore\npackage-lock.json\n"),
        );
        check(&RULE, &format!("FROM node:22\nCOPY . .\nRUN npm install\n{MANIFEST}#- yarn.lock\n\n"));
    }

    #[test]
    fn a_lock_file_of_another_folder_is_another_matter() {
        check_silent("COPY package-lock.json /other/\nRUN npm install");
        check_silent("COPY . .\nRUN npm install --prefix client");
    }

    #[test]
    fn what_a_builder_holds_is_not_in_the_context() {
        check_silent("COPY --from=node:22 /app/package*.json ./\nRUN npm install");
    }

    #[test]
    fn who_does_not_want_the_lock_file_says_so() {
        check_silent("COPY . .\nRUN npm install --no-package-lock");
        check_silent("COPY . .\nRUN npm install --package-lock-only");
        check_silent("COPY . .\nRUN npm install --lockfile-version 1");
        check_silent("COPY . .\nENV npm_config_package_lock=false\nRUN npm install");
    }

    #[test]
    fn an_install_for_want_of_ci_is_meant() {
        check_silent("COPY . .\nRUN npm ci || npm install");
    }

    #[test]
    fn an_old_npm_knows_no_ci() {
        check(&RULE, &format!("FROM node:6\nCOPY . .\nRUN npm install\n{MANIFEST}{LOCK}"));
    }

    #[test]
    fn a_lock_file_that_is_out_of_date_comes_first() {
        check(
            &RULE,
            &format!(
                "FROM node:22\n\
                 COPY . .\n\
                 RUN npm install\n\
                 #   ^^^^^^^^^^^ `package-lock.json` is out of date\n\
                 #- package.json\n{{\"dependencies\": {{\"a\": \"2\"}}}}\n{LOCK}"
            ),
        );
    }

    #[test]
    fn an_unknown_context_says_nothing() {
        check(&RULE, "FROM node:22\nCOPY . .\nRUN npm install\n");
    }

    #[test]
    fn flags_are_kept_and_old_ones_translated() {
        let file = |image: &str, run: &str| format!("FROM {image}\nCOPY . .\nRUN {run}\n{MANIFEST}{LOCK}");
        check_fix(
            &RULE,
            Safety::Review,
            &file("node:22", "npm i --production --no-audit"),
            &file("node:22", "npm ci --omit=dev --no-audit"),
        );
        check_fix(
            &RULE,
            Safety::Review,
            &file("node:12", "npm install --production"),
            &file("node:12", "npm ci --production"),
        );
    }
}
