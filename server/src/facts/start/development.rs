//! Development tools among the programs of a start chain: servers, watchers, compilers and installers.
//!
//! Silent about a program it does not know.

use crate::facts::manifest::Manifest;
use crate::facts::start::Program;

/// Why a program at start means that the image is for development.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Development {
    /// A development server.
    Server,
    /// Watches files and starts the program again.
    Watcher,
    /// Compiles, bundles or tests at start.
    Build,
    /// Installs packages at start.
    Install,
}

/// What kind of development tool a program of the chain is; `None` for what may run in production.
///
/// `manifest` is the one of the application: watchers listed under its `dependencies` are run-time programs.
pub fn development(program: &Program, manifest: Option<&Manifest>) -> Option<Development> {
    let arguments: Vec<&str> = program.arguments.iter().flatten().map(String::as_str).collect();
    let first = arguments.iter().find(|it| !it.starts_with('-')).copied();
    let watches = || arguments.iter().any(|it| matches!(*it, "--watch" | "-w" | "watch"));
    let listed = |name: &str| manifest.is_some_and(|it| it.dependencies.contains(name));
    let when = |holds: bool, res: Development| holds.then_some(res);
    match program.name.as_str() {
        "vite" | "astro" | "nuxt" | "nuxi" | "gatsby" | "parcel" | "webpack" | "rspack" | "ng" | "vue-cli-service"
        | "react-scripts" | "next" | "quasar" | "ember" | "strapi" | "nx" | "remix" | "snowpack" | "craco"
        | "react-app-rewired" | "svelte-kit" | "storybook" | "rsbuild" | "umi" | "expo" | "nest" => {
            served(&program.name, first)
        }
        "webpack-dev-server" | "start-storybook" | "live-server" | "lite-server" | "browser-sync" | "vite-node"
        | "wrangler" | "netlify" | "ionic" | "electron" => Some(Development::Server),
        "nodemon" | "ts-node-dev" | "tsnd" | "node-dev" | "supervisor" => {
            when(!listed(&program.name), Development::Watcher)
        }
        "tsx" => when(first == Some("watch") && !listed("tsx"), Development::Watcher),
        "node" => when(
            arguments.iter().take_while(|it| it.starts_with('-')).any(|it| it.starts_with("--watch")),
            Development::Watcher,
        ),
        "bun" => when(watches() || arguments.contains(&"--hot"), Development::Watcher),
        "tsc" | "rollup" | "esbuild" | "swc" | "tsup" | "babel" | "gulp" | "grunt" | "jest" | "mocha" | "vitest"
        | "karma" | "eslint" | "tslint" | "make" | "sass" | "node-sass" | "browserify" => Some(Development::Build),
        "npm" | "pnpm" | "yarn" | "yarnpkg" => match first {
            Some("install" | "i" | "ci" | "add") => Some(Development::Install),
            None => when(program.name.starts_with("yarn") && program.role == super::Role::Work, Development::Install),
            Some("run" | "run-script") => {
                let script = arguments.iter().filter(|it| !it.starts_with('-')).nth(1);
                when(script.is_some_and(|it| it.split(':').next() == Some("build")), Development::Build)
            }
            Some("build") => when(program.name != "npm", Development::Build),
            Some(_) => None,
        },
        "bower" => Some(Development::Install),
        "pip" | "pip3" | "bundle" | "composer" => when(first == Some("install"), Development::Install),
        "go" | "cargo" | "dotnet" => when(matches!(first, Some("run" | "watch")), Development::Build),
        "reflex" | "watchexec" => Some(Development::Watcher),
        _ => None,
    }
}

/// Tools that serve in development, build, or serve in production, by their first word.
fn served(name: &str, first: Option<&str>) -> Option<Development> {
    match (name, first) {
        (_, Some("build" | "generate" | "export" | "compile")) => Some(Development::Build),
        ("next" | "nuxt" | "strapi" | "remix" | "umi", Some("start")) => None,
        ("strapi", Some("develop" | "dev" | "watch-admin")) => Some(Development::Server),
        ("strapi", _) => None,
        ("gatsby" | "astro", Some("serve")) => None,
        ("nx", _) => matches!(first, Some("serve" | "dev")).then_some(Development::Server),
        ("webpack" | "rspack", first) => {
            Some(if matches!(first, Some("serve" | "server")) { Development::Server } else { Development::Build })
        }
        ("next", Some("telemetry" | "lint" | "info")) | ("nuxt" | "nuxi", Some("prepare" | "cleanup")) => None,
        _ => Some(Development::Server),
    }
}

/// The sentence of the refusal.
pub fn reason(program: &Program, kind: Development, manifest: Option<&Manifest>) -> String {
    let name = match (program.name.as_str(), kind) {
        ("npm" | "pnpm" | "yarn" | "yarnpkg" | "node" | "go" | "cargo" | "dotnet" | "pip" | "bun", _) => {
            let words = program.arguments.iter().flatten().take(2);
            words.fold(program.name.clone(), |acc, word| format!("{acc} {word}"))
        }
        (name, _) => name.to_owned(),
    };
    let runs = if program.trail.is_empty() { format!("`{name}`") } else { format!("`{}` runs {name}", program.told()) };
    let dev = manifest.is_some_and(|it| it.dev_dependencies.contains(&program.name));
    match (kind, dev, program.trail.is_empty()) {
        (Development::Server | Development::Watcher, true, false) => {
            format!("{runs}, a dev dependency: this image is meant for development")
        }
        (Development::Server, ..) => format!("{runs}, a development server: this image is meant for development"),
        (Development::Watcher, ..) => format!("{runs}, which watches files: this image is meant for development"),
        (Development::Build, ..) => format!("{runs}, which builds at start: build in a RUN first"),
        (Development::Install, ..) => format!("{runs}, which installs at start: install in a RUN first"),
    }
}
