//! Compile steps that fetch what they depend on by themselves, and the steps that fetch it alone.
//!
//! Names alone decide, as in [`crate::facts::builds`].

use crate::facts::run::Command;

/// A build tool that fetches dependencies when it compiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `go`
    Go,
    /// `cargo`
    Cargo,
    /// `mvn`
    Maven,
    /// `gradle`
    Gradle,
    /// `dotnet`
    Dotnet,
}

impl Tool {
    /// The tool that a command calls.
    pub fn of(command: &Command) -> Option<Tool> {
        Some(match command.program.rsplit('/').next()? {
            "go" => Tool::Go,
            "cargo" => Tool::Cargo,
            "mvn" | "mvnw" => Tool::Maven,
            "gradle" | "gradlew" => Tool::Gradle,
            "dotnet" => Tool::Dotnet,
            _ => return None,
        })
    }

    /// The files that list the dependencies; the first that is there counts.
    pub fn manifests(self) -> &'static [&'static str] {
        match self {
            Tool::Go => &["go.mod"],
            Tool::Cargo => &["Cargo.toml"],
            Tool::Maven => &["pom.xml"],
            Tool::Gradle => &["build.gradle", "build.gradle.kts"],
            Tool::Dotnet => &[],
        }
    }

    /// Parts of the paths below which it keeps what it fetched.
    pub fn caches(self) -> &'static [&'static str] {
        match self {
            Tool::Go => &["pkg/mod", "gomodcache"],
            Tool::Cargo => &["cargo"],
            Tool::Maven => &[".m2", "maven"],
            Tool::Gradle => &[".gradle", "gradle"],
            Tool::Dotnet => &["nuget"],
        }
    }

    /// How people call it.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Go => "go",
            Tool::Cargo => "cargo",
            Tool::Maven => "mvn",
            Tool::Gradle => "gradle",
            Tool::Dotnet => "dotnet",
        }
    }
}

/// The tool of a command that compiles the project in its directory.
pub fn compile(command: &Command) -> Option<Tool> {
    let tool = Tool::of(command)?;
    let words: Vec<&str> = command.values().filter(|it| !it.starts_with('-')).collect();
    let first = words.first().copied().unwrap_or_default();
    let any = |goals: &[&str]| words.iter().any(|word| goals.contains(&word.rsplit(':').next().unwrap_or(word)));
    let compiles = match tool {
        // `go install x@latest` builds another module.
        Tool::Go => matches!(first, "build" | "install" | "test") && !words.iter().any(|it| it.contains('@')),
        Tool::Cargo => matches!(first, "build" | "b") || first == "install" && command.has(&["--path"]),
        Tool::Maven => {
            any(&["package", "install", "verify", "compile", "assembly", "deploy"])
                && !command.has(&["-o", "--offline"])
        }
        Tool::Gradle => {
            any(&["build", "assemble", "jar", "bootJar", "shadowJar", "fatJar", "installDist", "distZip", "distTar"])
                && !command.has(&["--offline"])
        }
        Tool::Dotnet => matches!(first, "publish" | "build") && !command.has(&["--no-restore"]),
    };
    compiles.then_some(tool)
}

/// The tool for which a command fetches dependencies, alone or by compiling: after it they are there.
pub fn fetches(command: &Command) -> Option<Tool> {
    let first = command.subcommand().unwrap_or_default();
    if let Some(tool) = Tool::of(command) {
        let fetches = match tool {
            Tool::Go => matches!(
                first,
                "mod" | "get" | "build" | "install" | "test" | "list" | "generate" | "run" | "vet" | "work"
            ),
            Tool::Cargo => !matches!(first, "" | "new" | "init" | "install" | "version"),
            Tool::Maven | Tool::Gradle => !command.has(&["--version", "-v"]),
            Tool::Dotnet => matches!(first, "restore" | "build" | "publish" | "test" | "run"),
        };
        return fetches.then_some(tool);
    }
    match command.program.as_str() {
        "dep" | "glide" | "govendor" | "godep" | "gvt" | "gb" | "xcaddy" => Some(Tool::Go),
        _ => None,
    }
}
