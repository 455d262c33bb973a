//! `npm-as-pid1`: a package manager stands between the signal and the program.

use crate::facts::landing::{self, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::plain;
use crate::facts::purpose;
use crate::facts::stage::join;
use crate::facts::start::development::development;
use crate::facts::start::{Program, StartChain};
use crate::facts::walk;
use crate::model::{Form, InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::shell;
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "npm-as-pid1",
    group: Group::Correctness,
    severity: Severity::Information,
    on: true,
    also: &[],
    doc: r##"
The container starts its program through a package manager, which gets the signals in its place.

`docker stop` sends SIGTERM to the first process. npm and a shell stand between it and the program; where they do not pass it
on, the container is killed after ten seconds, in the middle of whatever it was doing. npm itself has to stay in the image.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
USER node
CMD ["npm", "start"]
#- package.json
{"scripts": {"start": "node server.js"}}
```

The program itself:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
USER node
CMD ["node", "server.js"]
#- package.json
{"scripts": {"start": "node server.js"}}
```

An init (`tini`, `dumb-init`) in front passes signals on, and is fine.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return };
    let Some(stage) = ctx.file.stages.get(target) else { return };
    let for_people = |name: &str| ["dev", "test", "debug"].iter().any(|it| name.to_ascii_lowercase().contains(it));
    let named = stage.name.as_ref().is_some_and(|name| for_people(&name.text));
    if named || purpose::is_for_development(ctx.context, stage) || is_composed_with_init(ctx) {
        return;
    }
    let image = ctx.base_image();
    let chain = ctx.start();
    let Some(manager) = manager(chain) else { return };
    let Some((placed, form, is_entrypoint)) = written(ctx) else { return };
    // The entry point of an image that nobody knows may be an init.
    let unknown = image.is_none_or(|image| ctx.images.traits(image).is_none());
    if unknown && !is_entrypoint {
        return;
    }
    let manifest = manifest(ctx, manager);
    if is_for_development(chain, manager, manifest.as_ref()) {
        return;
    }
    let range = match form {
        Form::Exec(words) => match (words.first(), words.last()) {
            (Some(first), Some(last)) => first.range.cover(last.range),
            _ => return,
        },
        Form::Shell(text) => text.range,
        Form::Heredoc { .. } | Form::Empty => return,
    };
    let message = format!("`{}` stands between the signal and the program", shown(manager));
    let mut finding = Finding::new(&RULE, placed.range(range), message);
    finding.cause = placed.whole();
    finding.fix = manifest.and_then(|manifest| fix(ctx, placed, form, manager, &manifest));
    acc.push(finding);
}

/// The package manager that the container's command calls, with no init in front.
fn manager(chain: &StartChain) -> Option<&Program> {
    let inits =
        ["tini", "tini-static", "dumb-init", "catatonit", "docker-init", "init", "s6-svscan", "my_init", "pm2-runtime"];
    let before = chain.programs.iter().take_while(|it| !is_manager(it));
    if before.into_iter().any(|it| inits.contains(&it.name.as_str()) || it.name.ends_with(".sh")) {
        return None;
    }
    chain.programs.iter().find(|it| is_manager(it)).filter(|it| it.trail.is_empty() && !it.health)
}

fn is_manager(program: &Program) -> bool {
    let mut words = program.arguments.iter().flatten().map(String::as_str).filter(|it| !it.starts_with('-'));
    match program.name.as_str() {
        "npm" => matches!(words.next(), Some("start" | "run" | "run-script" | "rum" | "urn" | "test" | "restart")),
        "yarn" | "yarnpkg" | "pnpm" => {
            words.next().is_some_and(|it| !matches!(it, "install" | "add" | "node" | "exec" | "dlx"))
        }
        // `bun server.ts` is the program itself.
        "bun" => words.next() == Some("run") && words.next().is_some_and(|it| !it.contains('.')),
        "npx" | "pnpx" => words.next().is_some(),
        _ => false,
    }
}

fn shown(program: &Program) -> String {
    let words = program.arguments.iter().map(|it| it.as_deref().unwrap_or("…"));
    std::iter::once(program.name.as_str()).chain(words).take(4).collect::<Vec<_>>().join(" ")
}

/// The instruction with the manager: the ENTRYPOINT where it names one, else the CMD.
fn written<'a>(ctx: &Context<'a>) -> Option<(&'a Placed, &'a Form, bool)> {
    let mut has_entrypoint = false;
    let mut res = None;
    for stage_idx in &ctx.facts.final_chain {
        let (stage, facts) = (ctx.file.stages.get(*stage_idx)?, ctx.facts.stages.get(*stage_idx)?);
        has_entrypoint |= facts.entrypoint.is_some();
        for idx in [facts.entrypoint, facts.cmd].into_iter().flatten() {
            let placed = stage.instructions.get(idx)?;
            let (InstructionKind::Cmd(form) | InstructionKind::Entrypoint(form)) = &placed.instruction.kind else {
                continue;
            };
            let text = &placed.instruction.text;
            if res.is_none() && ["npm", "yarn", "pnpm", "bun", "npx", "pnpx"].iter().any(|name| text.contains(name)) {
                res = Some((placed, form));
            }
        }
    }
    res.map(|(placed, form)| (placed, form, has_entrypoint))
}

/// The `package.json` where the manager runs.
fn manifest(ctx: &Context, manager: &Program) -> Option<Manifest> {
    let target = ctx.facts.target?;
    let stage = ctx.file.stages.get(target)?;
    let path = join(manager.directory.as_deref(), "package.json")?;
    let states = walk::states(ctx.file, target, "/");
    match landing::landed(ctx.file, stage, &states, ctx.context, &path) {
        Landed::File(path) => Manifest::parse(ctx.context.text(&path)?),
        Landed::Hidden | Landed::Nothing => None,
    }
}

/// Whether a development server is started: that is another matter, since nothing would be gained.
fn is_for_development(chain: &StartChain, manager: &Program, manifest: Option<&Manifest>) -> bool {
    let words = manager.arguments.iter().flatten().map(String::as_str);
    let is_dev = |word: &str| {
        let name = word.split(':').next().unwrap_or(word);
        matches!(name, "dev" | "develop" | "development" | "watch" | "serve" | "test" | "start-dev" | "start-watch")
            || word.ends_with(":dev")
            || matches!(word, "start:debug" | "nodemon")
    };
    { words }.any(is_dev) || chain.work().any(|program| development(program, manifest).is_some())
}

/// Whether a Compose file beside it asks for an init.
fn is_composed_with_init(ctx: &Context) -> bool {
    let names = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    names.iter().any(|name| ctx.context.texts.get(*name).is_some_and(|text| text.contains("init: true")))
}

/// The command of a script that is one plain `node …`, in the place of the manager.
fn fix(ctx: &Context, placed: &Placed, form: &Form, manager: &Program, manifest: &Manifest) -> Option<Fix> {
    let words: Option<Vec<&str>> = manager.arguments.iter().map(Option::as_deref).collect();
    let name = match (manager.name.as_str(), words?.as_slice()) {
        ("npm" | "yarn" | "pnpm", ["start"]) => "start",
        ("npm" | "yarn" | "pnpm" | "bun", ["run", name]) => *name,
        ("npm", ["run-script", name]) => *name,
        ("yarn" | "pnpm", [name]) => *name,
        _ => return None,
    };
    let has_hooks = ["pre", "post"].iter().any(|hook| manifest.scripts.contains_key(&format!("{hook}{name}")));
    let text = manifest.scripts.get(name).filter(|_| !has_hooks)?;
    let command = plain_command(text)?;
    // The manager stands alone: no wrapper in front of it that would stay, no arguments behind it.
    let n_words = manager.arguments.len() + 1;
    let both = ctx.facts.final_chain.iter().filter_map(|idx| ctx.facts.stages.get(*idx));
    if { both }.any(|facts| facts.entrypoint.is_some() && facts.cmd.is_some()) {
        return None;
    }
    let (range, separator) = match form {
        Form::Exec(words) if words.len() == n_words => {
            let (first, second) = (words.first()?, words.get(1)?);
            let between = Local { start: first.range.end, end: second.range.start };
            (first.range.cover(words.last()?.range), between.of(&placed.instruction.text))
        }
        Form::Shell(text) if text.text.split_whitespace().count() == n_words => (text.range, ", "),
        _ => return None,
    };
    if separator.contains('\n') {
        return None;
    }
    let quoted: Option<Vec<String>> = command.iter().map(|word| serde_json::to_string(word).ok()).collect();
    let list = quoted?.join(separator);
    let insert = if matches!(form, Form::Shell(_)) { format!("[{list}]") } else { list };
    Some(Fix {
        title: format!("Run `{}` itself", command.join(" ")),
        safety: Safety::Review,
        edit: TextEdit::replace(placed.range(range), insert),
    })
}

/// The words of a script that is one `node …` without variables, patterns, operators and redirections.
fn plain_command(text: &str) -> Option<Vec<String>> {
    let words = plain::words(&shell::parse(text, Local::new(0, text.len())))?;
    (words.first().is_some_and(|it| it == "node") && words.len() > 1).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
    use crate::rules::Safety;

    fn with(body: &str, scripts: &str) -> String {
        format!("FROM node:22-slim\nWORKDIR /app\nCOPY . .\n{body}\n#- package.json\n{{\"scripts\": {{{scripts}}}}}\n")
    }

    const START: &str = "\"start\": \"node server.js\"";

    #[test]
    fn the_command_starts_a_manager() {
        check(
            &RULE,
            "FROM node:22-slim\n\
             WORKDIR /app\n\
             COPY . .\n\
             CMD [\"npm\", \"run\", \"start:prod\"]\n\
             #    ^^^^^^^^^^^^^^^^^^^^^^^^^^ `npm run start:prod` stands between the signal and the program\n\
             #- package.json\n{\"scripts\": {\"start:prod\": \"node a.js\"}}\n",
        );
        check(
            &RULE,
            "FROM node:22-slim\n\
             CMD yarn start\n\
             #   ^^^^^^^^^^ `yarn start` stands\n",
        );
    }

    #[test]
    fn an_init_passes_signals_on() {
        check(&RULE, &with("ENTRYPOINT [\"tini\", \"--\"]\nCMD [\"npm\", \"start\"]", START));
        check(&RULE, &with("ENTRYPOINT [\"dumb-init\", \"npm\", \"start\"]", START));
        check(&RULE, &with("ENTRYPOINT [\"/usr/bin/catatonit\", \"--\", \"npm\", \"start\"]", START));
        check(&RULE, &with("ENTRYPOINT [\"/init\"]\nCMD [\"npm\", \"start\"]", START));
        check(&RULE, "FROM example.com/with/tini\nCMD [\"npm\", \"start\"]\n");
        check(&RULE, &format!("{}#- compose.yaml\nservices:\n  a:\n    init: true\n", with("CMD npm start", START)));
    }

    #[test]
    fn a_development_server_is_another_matter() {
        check(&RULE, &with("CMD [\"npm\", \"start\"]", "\"start\": \"vite\""));
        check(&RULE, &with("CMD [\"npm\", \"run\", \"dev\"]", START));
        check(&RULE, "FROM node:22-slim AS dev\nCMD [\"npm\", \"start\"]\n");
    }

    #[test]
    fn bun_runs_a_file_itself() {
        check(&RULE, "FROM oven/bun:1\nCMD [\"bun\", \"run\", \"server.ts\"]\n");
        check(&RULE, "FROM node:22-slim\nCMD [\"node\", \"server.js\"]\n");
    }

    #[test]
    fn a_plain_command_takes_its_place() {
        let check_command = |before: &str, after: &str| {
            check_fix(&RULE, Safety::Review, &with(before, START), &with(after, START));
        };
        check_command("CMD [\"npm\",\"start\"]", "CMD [\"node\",\"server.js\"]");
        check_command("CMD [\"npm\", \"run\", \"start\"]", "CMD [\"node\", \"server.js\"]");
        check_command("CMD npm start", "CMD [\"node\", \"server.js\"]");
        check_command("ENTRYPOINT [\"yarn\", \"start\"]", "ENTRYPOINT [\"node\", \"server.js\"]");
    }

    #[test]
    fn a_file_for_development_is_not_run_for_others() {
        for (path, expected) in [("Dockerfile.dev", 0), ("Dockerfile", 1)] {
            let mut fixture = parse("FROM node:22-alpine\nCMD [\"npm\", \"start\"]\n#- README.md\n");
            fixture.context.dockerfile = Some(path.to_owned());
            assert_eq!(findings(&analyse(&fixture), &RULE).len(), expected, "{path}");
        }
    }

    #[test]
    fn what_is_more_than_a_plain_command_stays() {
        let check_stays = |scripts: &str| check_no_fix(&RULE, &with("CMD [\"npm\", \"start\"]", scripts));
        check_stays("\"start\": \"node server.js\", \"prestart\": \"node a.js\"");
        check_stays("\"start\": \"node a.js && node b.js\"");
        check_stays("\"start\": \"NODE_ENV=production node a.js\"");
        check_stays("\"start\": \"node $FILE\"");
        check_stays("\"start\": \"my-server\"");
        check_no_fix(&RULE, &with("CMD [\"npm\", \"start\", \"--\", \"--port\"]", START));
        check_no_fix(&RULE, &with("CMD npm run migrate && npm start", &format!("{START}, \"migrate\": \"node m.js\"")));
        check_no_fix(&RULE, "FROM node:22-slim\nCMD [\"npm\", \"start\"]\n");
    }
}
