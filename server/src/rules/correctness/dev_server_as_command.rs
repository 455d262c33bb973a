//! `dev-server-as-command`: the container runs a server or watcher that is for development.

use crate::facts::landing::{self, Landed};
use crate::facts::manifest::Manifest;
use crate::facts::purpose;
use crate::facts::start::Program;
use crate::facts::start::development::{Development, development};
use crate::facts::started;
use crate::facts::walk;
use crate::model::Origin;
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "dev-server-as-command",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The container runs a development server, or a watcher that starts the program again when a file changes.

Such a server compiles while it serves, keeps the whole toolchain in the image, is slow and is not made to stand in front of
people. While it runs nothing of it can be taken out of the image: `multi-stage` refuses for this reason.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
RUN npm ci && npm cache clean --force
CMD ["npm", "start"]
#- package.json
{"scripts": {"start": "react-scripts start", "build": "react-scripts build"}, "dependencies": {"react-scripts": "5"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"react-scripts": "5"}}}}
```

Built once, and served by a server:

```dockerfile
FROM node:22-slim AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build
FROM nginx:1.27-alpine
COPY --from=build /app/build /usr/share/nginx/html
#- package.json
{"scripts": {"start": "react-scripts start", "build": "react-scripts build"}, "dependencies": {"react-scripts": "5"}}
#- package-lock.json
{"lockfileVersion": 3, "packages": {"": {"dependencies": {"react-scripts": "5"}}}}
```

Nothing is said of a file or stage that is named for development.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return };
    let Some(stage) = ctx.file.stages.get(target) else { return };
    let chain = ctx.start();
    let Some((program, advice)) = chain.programs.iter().filter(|it| !it.health).find_map(|program| {
        let advice = served(program).or_else(|| of_node(ctx, program))?;
        Some((program, advice))
    }) else {
        return;
    };
    if purpose::is_for_development(ctx.context, stage) || is_meant(ctx) {
        return;
    }
    let started = started::of(ctx.file, ctx.facts);
    let names = |placed: &&crate::model::Placed| {
        placed
            .instruction
            .text
            .contains(program.trail.first().and_then(|it| it.split(' ').next()).unwrap_or(&program.name))
    };
    let Some(placed) = started.cmd.filter(names).or(started.entrypoint).or(started.cmd) else { return };
    let Some(range) = started::form(placed).and_then(started::range) else { return };
    let shown = shown(program);
    let runs = match program.trail.first() {
        Some(told) => format!("`{told}` runs `{shown}`"),
        None => format!("`{shown}` is what runs"),
    };
    let mut finding = Finding::new(&RULE, placed.range(range), format!("{runs}, which is for development: {advice}"));
    finding.cause = placed.whole();
    acc.push(finding);
}

/// The program with its first words.
fn shown(program: &Program) -> String {
    if program.name == "php" && program.arguments.iter().flatten().any(|it| it == "-S") {
        return "php -S".to_owned();
    }
    let words = program.arguments.iter().flatten().take(2).filter(|it| it.len() < 40);
    words.fold(program.name.clone(), |acc, word| format!("{acc} {word}"))
}

/// Servers and watchers of Node: what is known of them besides.
fn of_node(ctx: &Context, program: &Program) -> Option<&'static str> {
    let words: Vec<&str> = program.arguments.iter().flatten().map(String::as_str).collect();
    let first = words.iter().find(|it| !it.starts_with('-')).copied();
    let watches = words.iter().any(|it| matches!(*it, "--watch" | "-w" | "watch" | "--debug"));
    let name = program.name.as_str();
    // A preview serves what was built; these others run the program or a tool.
    if first == Some("preview") || matches!(name, "electron" | "vite-node" | "quasar" | "strapi" | "expo" | "netlify") {
        return None;
    }
    // A command line tool that is given nothing, or nothing that serves, is a tool.
    let serves = matches!(
        first,
        Some("serve" | "server" | "s" | "start" | "dev" | "develop" | "development" | "watch" | "hot" | "vite:dev")
    );
    let needs_word = matches!(
        name,
        "ng" | "vue-cli-service"
            | "react-scripts"
            | "craco"
            | "react-app-rewired"
            | "gatsby"
            | "astro"
            | "storybook"
            | "ionic"
            | "wrangler"
            | "ember"
            | "nx"
            | "umi"
            | "rsbuild"
            | "snowpack"
            | "svelte-kit"
            | "remix"
    );
    if needs_word && !serves || name == "nest" && !watches || name == "parcel" && first.is_none() {
        return None;
    }
    // A manifest makes less of it, never more: it is read last.
    development(program, None)?;
    let manifest = manifest(ctx, program);
    match development(program, manifest.as_ref())? {
        Development::Server | Development::Watcher => {}
        Development::Build if matches!(name, "webpack" | "rspack" | "tsc" | "rollup") && watches => {}
        Development::Build | Development::Install => return None,
    }
    Some(match name {
        "next" => "`next build`, then `next start`",
        "nuxt" | "nuxi" => "`nuxt build`, then `node .output/server/index.mjs`",
        "nest" => "`nest build`, then `node dist/main`",
        "remix" => "`remix build`, then `remix-serve`",
        "nodemon" | "node" | "node-dev" | "supervisor" | "bun" => "run the program without watching",
        "ts-node-dev" | "tsnd" | "tsx" => "compile it, then run it with `node`",
        _ => "build it, and serve the files",
    })
}

/// Development servers of other languages.
fn served(program: &Program) -> Option<&'static str> {
    let words: Vec<&str> = program.arguments.iter().flatten().map(String::as_str).collect();
    let has = |word: &str| words.contains(&word);
    let first = words.iter().find(|it| !it.starts_with('-')).copied();
    let second = words.iter().filter(|it| !it.starts_with('-')).nth(1).copied();
    let name = program.name.as_str();
    let manages = |word: Option<&str>| word.is_some_and(|it| it == "manage.py" || it.ends_with("/manage.py"));
    match name {
        _ if name.starts_with("python") && manages(first) => (second == Some("runserver")).then_some(WSGI),
        "manage.py" | "django-admin" => (first == Some("runserver")).then_some(WSGI),
        "flask" => (has("--debug") && has("run")).then_some(WSGI),
        "uvicorn" | "gunicorn" | "hypercorn" => has("--reload").then_some("run it without `--reload`"),
        "fastapi" => (first == Some("dev")).then_some("`fastapi run`"),
        "php" if has("-S") => Some("PHP-FPM or Apache"),
        "php" => {
            (first.is_some_and(|it| it.ends_with("artisan")) && second == Some("serve")).then_some("PHP-FPM or Apache")
        }
        "artisan" => (first == Some("serve")).then_some("PHP-FPM or Apache"),
        "rails" => {
            let at = words.iter().position(|it| matches!(*it, "-e" | "--environment"));
            let named = at.and_then(|at| words.get(at + 1)) == Some(&"development") || has("--environment=development");
            named.then_some("run it in production")
        }
        "air" | "cargo-watch" => Some("build the program, and run it"),
        "cargo" | "dotnet" => (first == Some("watch")).then_some("build the program, and run it"),
        _ => None,
    }
}

const WSGI: &str = "`gunicorn` or another server";

/// The `package.json` where a program runs.
fn manifest(ctx: &Context, program: &Program) -> Option<Manifest> {
    let target = ctx.facts.target?;
    let stage = ctx.file.stages.get(target)?;
    let path = walk::absolute(program.directory.as_deref()?, "package.json");
    let states = walk::states(ctx.file, target, "/");
    match landing::landed(ctx.file, stage, &states, ctx.context, &path) {
        Landed::File(path) => Manifest::parse(ctx.context.text(&path)?),
        Landed::Hidden | Landed::Nothing => None,
    }
}

/// Whether the image is made for development on purpose: it says so in its environment, or another command is given it.
fn is_meant(ctx: &Context) -> bool {
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let said = { stages }.flat_map(|stage| &stage.scope.variables).any(|variable| {
        let names = [
            "NODE_ENV",
            "FLASK_ENV",
            "FLASK_DEBUG",
            "DJANGO_ENV",
            "RAILS_ENV",
            "RACK_ENV",
            "APP_ENV",
            "APP_DEBUG",
            "DEBUG",
            "ASPNETCORE_ENVIRONMENT",
            "DOTNET_ENVIRONMENT",
            "ENVIRONMENT",
            "ENV",
            "CHOKIDAR_USEPOLLING",
            "WATCHPACK_POLLING",
            "DOTNET_USE_POLLING_FILE_WATCHER",
        ];
        let value = variable.value.as_deref().map(str::to_ascii_lowercase).unwrap_or_default();
        variable.origin != Origin::Predefined
            && names.contains(&variable.name.as_str())
            && matches!(value.as_str(), "development" | "dev" | "local" | "1" | "true")
    });
    let composed = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]
        .iter()
        .filter_map(|name| ctx.context.texts.get(*name))
        .any(|text| text.lines().any(|line| line.trim_start().starts_with("command:")));
    said || composed
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    fn with(body: &str, scripts: &str) -> String {
        format!("FROM node:22-slim\nWORKDIR /app\nCOPY . .\n{body}\n#- package.json\n{{\"scripts\": {{{scripts}}}}}\n")
    }

    #[test]
    fn the_script_runs_a_development_server() {
        for (script, advice) in [
            ("next dev", "`next dev`, which is for development: `next build`, then `next start`"),
            ("vite --host", "build it, and serve the files"),
            ("ng serve", "build it"),
            ("vue-cli-service serve", "build it"),
            ("webpack serve --mode development", "build it"),
            ("webpack --watch", "build it"),
            ("nodemon server.js", "without watching"),
            ("ts-node-dev a.ts", "compile it"),
            ("tsx watch a.ts", "compile it"),
            ("nest start --watch", "`nest build`"),
            ("node --watch a.js", "without watching"),
        ] {
            let line = format!("CMD [\"npm\", \"start\"]\n#    ^^^^^^^^^^^^^^ {advice}");
            check(&RULE, &with(&line, &format!("\"start\": \"{script}\"")));
        }
    }

    #[test]
    fn other_languages_have_such_servers_too() {
        for (command, words) in [
            ("python manage.py runserver 0.0.0.0:8000", "`python manage.py runserver` is what runs"),
            ("./manage.py runserver", "`manage.py runserver`"),
            ("flask run --debug", "`gunicorn`"),
            ("uvicorn app:app --reload", "without `--reload`"),
            ("php artisan serve --host 0.0.0.0", "PHP-FPM"),
            ("php -S 0.0.0.0:80", "PHP-FPM"),
            ("rails server -e development", "in production"),
            ("cargo watch -x run", "build the program"),
            ("dotnet watch run", "build the program"),
            ("air", "build the program"),
        ] {
            let carets = "^".repeat(command.len());
            check(&RULE, &format!("FROM debian:12\nCMD {command}\n#   {carets} {words}\n"));
        }
    }

    #[test]
    fn a_server_for_production_is_none() {
        for script in
            ["next start", "node server.js", "vite preview", "vite build", "serve -s build", "nest start", "electron ."]
        {
            check(&RULE, &with("CMD [\"npm\", \"start\"]", &format!("\"start\": \"{script}\"")));
        }
        for command in
            ["gunicorn a:a", "flask run", "uvicorn a:a", "php-fpm", "rails server", "dotnet a.dll", "php a.php"]
        {
            check(&RULE, &format!("FROM debian:12\nCMD {command}\n"));
        }
    }

    #[test]
    fn a_tool_that_is_given_nothing_serves_nothing() {
        check(&RULE, "FROM node:22\nRUN npm i -g wrangler\nENTRYPOINT [\"wrangler\"]\n");
        check(&RULE, "FROM node:22\nENTRYPOINT [\"ng\"]\nCMD [\"version\"]\n");
    }

    #[test]
    fn a_watcher_among_the_dependencies_is_meant_to_run() {
        check(
            &RULE,
            "FROM node:22\nWORKDIR /a\nCOPY . .\nCMD npm start\n\
             #- package.json\n{\"scripts\": {\"start\": \"nodemon a.js\"}, \"dependencies\": {\"nodemon\": \"3\"}}\n",
        );
    }

    #[test]
    fn a_stage_or_file_for_development_is_meant_so() {
        for name in ["dev", "app-dev", "development", "local", "test", "storybook"] {
            check(&RULE, &format!("FROM node:22 AS {name}\nCMD [\"nodemon\", \"a.js\"]\n"));
        }
    }

    #[test]
    fn an_environment_for_development_is_set_on_purpose() {
        check(&RULE, "FROM node:22\nENV NODE_ENV=development\nCMD [\"nodemon\", \"a.js\"]\n");
        check(&RULE, "FROM python:3\nENV FLASK_DEBUG 1\nCMD [\"flask\", \"--debug\", \"run\"]\n");
    }

    #[test]
    fn a_compose_file_may_give_another_command() {
        let compose = "#- compose.yaml\nservices:\n  a:\n    command: node a.js\n";
        check(&RULE, &format!("{}{compose}", with("CMD npm start", "\"start\": \"vite\"")));
    }

    #[test]
    fn a_script_that_cannot_be_read_says_nothing() {
        check(&RULE, "FROM node:22\nCMD [\"npm\", \"run\", \"dev\"]\n");
    }

    #[test]
    fn the_command_of_a_builder_does_not_run() {
        check(
            &RULE,
            "FROM node:22 AS b\nCMD [\"nodemon\", \"a.js\"]\nFROM node:22\nCOPY --from=b /a /a\nCMD [\"node\", \"a\"]\n",
        );
    }

    #[test]
    fn a_health_check_is_not_what_runs() {
        check(&RULE, "FROM node:22\nHEALTHCHECK CMD php -S a\nCMD [\"node\", \"a\"]\n");
    }
}
