//! Which commands build something, and which packages are compilers: what an image needs while it is made and never again.
//!
//! Names alone decide; a script of the project is no build step, whatever it may do.

use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::{Command, RunFacts};

/// Whether a command builds the application: a bundler, a compiler, a build tool with a goal that makes something.
pub fn is_build_step(command: &Command) -> bool {
    let words: Vec<&str> = command.values().filter(|it| !it.starts_with('-')).collect();
    let first = words.first().copied().unwrap_or_default();
    let any = |goals: &[&str]| words.iter().any(|word| goals.contains(&word.rsplit(':').next().unwrap_or(word)));
    let is_build = |name: &str| name.starts_with("build") || name.starts_with("compile");
    match command.program.rsplit('/').next().unwrap_or_default() {
        "npm" | "pnpm" | "yarn" | "bun" if matches!(first, "run" | "run-script") => {
            words.get(1).is_some_and(|name| is_build(name))
        }
        "yarn" | "pnpm" => is_build(first),
        "npx" | "pnpx" | "bunx" => is_bundler(first, words.get(1).copied()),
        "go" => matches!(first, "build" | "install"),
        "cargo" => matches!(first, "build" | "install" | "b"),
        "mvn" | "mvnw" => any(&["package", "install", "verify", "compile", "assembly"]),
        "gradle" | "gradlew" => {
            any(&["build", "assemble", "jar", "bootJar", "shadowJar", "fatJar", "installDist", "distZip", "distTar"])
        }
        "dotnet" => matches!(first, "publish" | "build"),
        "cmake" => command.has(&["--build"]),
        "make" | "gmake" | "ninja" => !command.has(&["--version", "-v", "--help", "clean"]),
        "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" | "rustc" | "javac" | "ghc" | "swiftc" => {
            command.arguments.len() > 1
        }
        "swift" | "stack" | "cabal" | "zig" => matches!(first, "build" | "install"),
        name => is_bundler(name, words.first().copied()),
    }
}

fn is_bundler(name: &str, first: Option<&str>) -> bool {
    match name {
        "tsc" | "webpack" | "rollup" | "tsup" => true,
        "vite" | "next" | "ng" | "nuxt" | "nuxi" | "astro" | "react-scripts" | "vue-cli-service" | "nest" => {
            first == Some("build")
        }
        _ => false,
    }
}

/// Whether a command needs the tools of a build each time it runs: it compiles, or serves a program under development.
pub fn needs_tools(name: &str, arguments: &[Option<String>]) -> bool {
    let first = arguments.iter().flatten().find(|it| !it.starts_with('-')).map(String::as_str);
    match name {
        "go" | "cargo" | "swift" | "stack" | "cabal" | "zig" => first.is_some(),
        "dotnet" => matches!(first, Some("run" | "watch" | "test" | "build")),
        "mvn" | "mvnw" | "gradle" | "gradlew" | "sbt" | "lein" | "ant" | "bazel" => true,
        "make" | "gcc" | "g++" | "cc" | "clang" | "javac" | "jshell" | "tsc" | "ts-node" | "tsx" | "nodemon" => true,
        _ => false,
    }
}

/// Whether a package, by its name without version, is a compiler for native code or brings one. A JDK is none: programs run
/// on it.
pub fn is_compiler(name: &str) -> bool {
    let names = [
        "@development-tools",
        "build-base",
        "build-essential",
        "cargo",
        "clang",
        "g++",
        "gcc",
        "gcc-c++",
        "ghc",
        "golang",
        "golang-go",
        "rust",
        "rustc",
    ];
    let is_versioned =
        |stem: &str| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(|it: char| it.is_ascii_digit()));
    names.contains(&name) || ["gcc-", "g++-", "clang-"].iter().any(|stem| is_versioned(stem))
}

/// Whether a RUN installs a compiler and keeps it.
pub fn keeps_compiler(run: &RunFacts) -> bool {
    let mut kept = false;
    for command in &run.commands {
        let Some(deed) = deed(command) else { continue };
        if !matches!(deed.manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper) {
            continue;
        }
        match deed.verb {
            // What exactly goes is not looked at: who removes something has thought of it.
            Verb::Remove => kept = false,
            Verb::Install => {
                let name = |word: &str| word.split(['=', ':', '~', '<', '>']).next().is_some_and(is_compiler);
                kept |= command.certain && deed.packages().any(name);
            }
            Verb::Update | Verb::Clean | Verb::Other => {}
        }
    }
    kept
}

/// Whether a command installs packages of a language, which may be compiled.
pub fn installs_for_language(command: &Command) -> bool {
    if command.program == "gem" {
        return command.has(&["install"]);
    }
    deed(command).is_some_and(|deed| {
        let language = matches!(
            deed.manager,
            Manager::Npm
                | Manager::Yarn
                | Manager::Pnpm
                | Manager::Bun
                | Manager::Pip
                | Manager::Poetry
                | Manager::Uv
                | Manager::Pipenv
                | Manager::Bundler
        );
        language && deed.verb == Verb::Install
    })
}

#[cfg(test)]
mod tests {
    use super::{is_build_step, is_compiler};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::lower;

    fn builds(line: &str) -> bool {
        let file = lower::file(format!("FROM a\nRUN {line}\n").into(), &lower::Build::default(), None);
        let facts = Facts::of(&file, &Config::default());
        is_build_step(&facts.stages[0].runs[0].commands[0])
    }

    #[test]
    fn build_steps_are_known_by_their_names() {
        for line in [
            "npm run build",
            "yarn build:prod",
            "npx tsc -p .",
            "go build -o /a .",
            "cargo build --release",
            "./mvnw -B clean package",
            "gradle :app:bootJar",
            "dotnet publish -c Release",
            "make",
            "gcc -o a a.c",
            "vite build",
        ] {
            assert!(builds(line), "{line}");
        }
        for line in ["npm run test", "npm ci", "go version", "cargo fetch", "gcc --version", "mvn test", "next start"] {
            assert!(!builds(line), "{line}");
        }
    }

    #[test]
    fn compilers_are_known_by_their_names() {
        assert!(["gcc", "g++-12", "build-base"].iter().all(|it| is_compiler(it)));
        assert!(["gcc-doc", "git", "libgcc1", "make", "openjdk-17-jdk"].iter().all(|it| !is_compiler(it)));
    }
}
