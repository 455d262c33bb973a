//! `dynamic-npm-only`: what npm leaves out hangs on a variable.

use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::model::Origin;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::shell::{Part, Word};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "dynamic-npm-only",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
What npm leaves out is named by a variable, and a value that npm does not know leaves out nothing.

`--only` knows `prod` and `production`, `--omit` and `--include` know `dev`, `optional` and `peer`. Anything else is "invalid
config", a warning: npm then installs everything, the build succeeds, and development packages are shipped. A build with
`--build-arg NODE_ENV=staging` is enough.

```dockerfile
FROM node:22-slim
ARG NODE_ENV=production
COPY package*.json ./
RUN npm ci --only=${NODE_ENV} && npm cache clean --force
CMD ["node", "server.js"]
```

A fixed value:

```dockerfile
FROM node:22-slim
ARG NODE_ENV=production
COPY package*.json ./
RUN npm ci --omit=dev && npm cache clean --force
CMD ["node", "server.js"]
```
"##,
    check,
};

/// Names that people set to whatever their environment is called.
const ENVIRONMENTS: [&str; 8] =
    ["NODE_ENV", "ENV", "ENVIRONMENT", "BUILD_ENV", "APP_ENV", "STAGE", "NODE_ENVIRONMENT", "MODE"];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs(stage_idx) {
            for command in at.facts.commands.iter().filter(|it| it.program == "npm") {
                check_command(&at, command, acc);
            }
        }
    }
}

fn check_command(at: &RunAt, command: &Command, acc: &mut Vec<Finding>) {
    let concerned = deed(command)
        .is_some_and(|deed| deed.manager == Manager::Npm && (deed.verb == Verb::Install || deed.word == "prune"));
    let Some(call) = at.call(command).filter(|_| concerned) else { return };
    let mut words = call.arguments.iter().enumerate();
    while let Some((idx, word)) = words.next() {
        if word.literal().as_deref() == Some("--") {
            break;
        }
        let Some((option, name, default, range)) = dynamic(&call.arguments, idx) else { continue };
        if word.range != range {
            words.next();
        }
        if is_sound(at, option, name, default) {
            continue;
        }
        let value = at.placed.instruction.text.get(range.start as usize..range.end as usize).unwrap_or_default();
        let message = format!("with a value that npm does not know `{value}` leaves out nothing");
        let mut finding = Finding::new(&RULE, at.placed.range(range), message);
        finding.fix = (option != "--include" && value.starts_with("--")).then(|| Fix {
            title: "Leave out the development packages, whatever the variable says".to_owned(),
            safety: Safety::Review,
            edit: TextEdit::replace(at.placed.range(range), "--omit=dev"),
        });
        acc.push(finding);
    }
}

/// An option whose value is a variable alone: the option, the variable, its default in the word, and the place of both.
fn dynamic(words: &[Word], idx: usize) -> Option<(&'static str, &str, Option<&str>, Local)> {
    let word = words.get(idx)?;
    for option in ["--only", "--omit", "--include"] {
        match word.parts.as_slice() {
            [Part::Bare(text) | Part::Quoted(text), rest @ ..] if text.strip_suffix('=') == Some(option) => {
                let (name, default) = variable(rest)?;
                return Some((option, name, default, word.range));
            }
            [Part::Bare(text)] if text == option => {
                let next = words.get(idx + 1)?;
                let (name, default) = variable(&next.parts)?;
                return Some((option, name, default, word.range.cover(next.range)));
            }
            _ => {}
        }
    }
    None
}

fn variable(parts: &[Part]) -> Option<(&str, Option<&str>)> {
    match parts {
        [Part::Variable { name, operator, .. }] => {
            let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
            Some((name, default))
        }
        _ => None,
    }
}

/// Whether every value that this file gives the variable is one that npm knows, and nobody would give it another.
fn is_sound(at: &RunAt, option: &str, name: &str, default: Option<&str>) -> bool {
    let valid = |value: &str| match option {
        "--only" => matches!(value, "prod" | "production"),
        _ => matches!(value, "dev" | "optional" | "peer"),
    };
    let set: Vec<_> = at.stage.scope.variables.iter().filter(|it| it.name == name).collect();
    let is_set_here = at
        .run
        .script()
        .is_some_and(|script| script.calls.iter().flat_map(|call| &call.environment).any(|it| it.name == name))
        || assigns(&at.placed.instruction.text, name);
    if set.is_empty() {
        // Whatever the shell or the base image says: not known. Without either it is empty.
        let known = default.is_some_and(valid);
        return is_set_here || known || default.is_none();
    }
    if ENVIRONMENTS.contains(&name) {
        return default.is_some_and(valid) && set.iter().all(|it| it.value.as_deref().is_some_and(valid));
    }
    set.iter().all(|it| match &it.value {
        Some(value) => valid(value),
        None => default.is_some_and(valid) && it.origin != Origin::Predefined,
    })
}

/// Whether the text sets a variable of the shell.
fn assigns(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let behind = text.get(at + name.len()..).unwrap_or_default();
        let before = text.get(..at).unwrap_or_default();
        behind.starts_with('=') && !before.ends_with(|it: char| it.is_alphanumeric() || matches!(it, '_' | '$' | '{'))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(body: &str) {
        check(&RULE, &format!("FROM node:22\n{body}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_value_is_a_variable() {
        check(
            &RULE,
            "FROM node:22\n\
             ARG NODE_ENV=production\n\
             RUN npm ci --only=$NODE_ENV\n\
             #          ^^^^^^^^^^^^^^^^ with a value that npm does not know `--only=$NODE_ENV` leaves out nothing\n\
             RUN npm i --only ${NODE_ENV}\n\
             #         ^^^^^^^^^^^^^^^^^^ leaves out nothing\n\
             ARG LEFT\n\
             RUN npm i --omit=\"$LEFT\"\n\
             #         ^^^^^^^^^^^^^^ leaves out nothing\n",
        );
        let file = |flag: &str| format!("FROM node:22\nARG NODE_ENV=production\nRUN npm ci {flag} -q\n");
        check_fix(&RULE, Safety::Review, &file("--only=$NODE_ENV"), &file("--omit=dev"));
        check_no_fix(&RULE, "FROM node:22\nARG X\nRUN npm ci --include=$X\n");
    }

    #[test]
    fn a_variable_that_only_has_valid_values_is_sound() {
        check_silent("ARG NPM_OMIT=dev\nRUN npm ci --omit=$NPM_OMIT");
        check_silent("ENV ONLY production\nRUN npm ci --only=$ONLY");
        check_silent("ARG OMIT\nRUN npm ci --omit=${OMIT:-dev}");
    }

    #[test]
    fn a_variable_of_the_shell_is_not_known() {
        check_silent("RUN OMIT=dev; npm ci --omit=$OMIT");
        check_silent("RUN npm ci --omit=$OMIT");
    }

    #[test]
    fn what_is_no_variable_is_no_matter() {
        check_silent("RUN npm ci --omit=dev --only=production");
        check_silent("ARG X\nRUN npm run a -- --only=$X && yarn --only=$X");
    }
}
