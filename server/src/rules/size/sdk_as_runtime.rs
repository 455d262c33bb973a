//! `sdk-as-runtime`: a finished program is shipped on the image that is there to build such programs.

use crate::facts::builds::{is_build_step, needs_tools};
use crate::facts::landing;
use crate::facts::run::Command;
use crate::facts::start::workplace::is_workplace;
use crate::facts::start::{Program, StartChain};
use crate::facts::walk;
use crate::images::Counterpart;
use crate::model::{Base, ImageRef, InstructionKind};
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "sdk-as-runtime",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The base is an image to build with, and what starts is a program that was built already.

A JDK, the SDK of .NET, a compiler or the `devel` image of CUDA is a multiple of what the program needs to run: a JDK is
653 MB of Debian packages where a headless JRE is 217.

```dockerfile
FROM eclipse-temurin:21-jdk
COPY app.jar /
CMD ["java", "-jar", "/app.jar"]
```

On the image that only runs:

```dockerfile
FROM eclipse-temurin:21-jre
COPY app.jar /
CMD ["java", "-jar", "/app.jar"]
```

Nothing is said where a step builds something (`single-stage-build` looks at that), where the start or the health check
calls a tool of the SDK (`jcmd`, `go run`, `dotnet watch`), or where the start is a script that could not be read.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if !ctx.facts.is_started() {
        return;
    }
    let Some(bottom) = ctx.facts.final_chain.last().and_then(|idx| ctx.file.stages.get(*idx)) else { return };
    let Base::Image(image) = &bottom.base else { return };
    let Some(sdk) = sdk(image) else { return };
    let platform = bottom.platform.as_ref().unwrap_or(&ctx.config.platform);
    let counterparts = ctx.images.counterparts(image, platform);
    let Some(runtime) = runtime(&sdk, counterparts, ctx, image) else { return };
    let chain = ctx.start();
    let Some(target) = ctx.facts.target else { return };
    // A script of this name is followed only where it could be read.
    let unread = |it: &Program| it.name.ends_with(".sh") && !ctx.context.known;
    if !chain.open.is_empty() || chain.programs.iter().any(unread) || is_workplace(ctx.file, target, chain) {
        return;
    }
    if !runs_finished(&sdk, chain) || sdk == Sdk::Compiler && !comes_from_builder(ctx, target, chain) {
        return;
    }
    let builds = |it: &Command| is_build_step(it) || uses(&sdk, &it.program);
    if ctx.final_runs().any(|at| at.facts.commands.is_empty() || at.facts.commands.iter().any(builds)) {
        return;
    }
    let InstructionKind::From(from) = &bottom.from.instruction.kind else { return };
    let full = ctx.images.look_up(image, platform).and_then(|it| it.unpacked);
    let saves = full.zip(runtime.facts.unpacked.as_ref()).map(|(full, less)| full.minus(less));
    let what = match sdk {
        Sdk::Java => "a JDK",
        Sdk::Dotnet => "the SDK of .NET",
        Sdk::Cuda => "CUDA for building",
        Sdk::Compiler => "a compiler",
    };
    let mut message = format!("{what} is shipped to run a finished program; `{}` would do", runtime.image);
    if let Some(saves) = &saves {
        message.push_str(&format!(", {} less", saves.words()));
    }
    let mut finding = Finding::new(&RULE, bottom.from.range(from.image.range), message);
    finding.saves = saves;
    finding.assists.push("swap-base");
    acc.push(finding);
}

/// Whether what starts is a file that another stage made: a file of the context may be a script.
fn comes_from_builder(ctx: &Context, target: usize, chain: &StartChain) -> bool {
    let Some(stage) = ctx.file.stages.get(target) else { return false };
    let states = walk::states(ctx.file, target, "/");
    chain.work().all(|it| {
        let path = walk::absolute(it.directory.as_deref().unwrap_or("/"), &it.word);
        landing::from_stage(ctx.file, stage, &states, &path).is_some()
    })
}

/// What a base is there to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sdk {
    Java,
    Dotnet,
    Cuda,
    Compiler,
}

fn sdk(image: &ImageRef) -> Option<Sdk> {
    let tag = image.tag_or_latest()?;
    let name = image.repository();
    let (_, short) = name.split_once('/')?;
    // It builds when somebody builds on it.
    if tag.contains("onbuild") {
        return None;
    }
    let jre = tag.split(['-', '.']).any(|part| part.starts_with("jre") || part == "headless");
    match short.strip_prefix("library/").unwrap_or(short) {
        "eclipse-temurin" | "openjdk" | "java" | "adoptopenjdk" | "amazoncorretto" | "sapmachine" | "maven"
        | "gradle"
            if !jre =>
        {
            Some(Sdk::Java)
        }
        "dotnet/sdk" => Some(Sdk::Dotnet),
        "nvidia/cuda" if tag.contains("devel") => Some(Sdk::Cuda),
        "golang" | "rust" | "gcc" | "haskell" | "dart" => Some(Sdk::Compiler),
        "swift" if !tag.contains("slim") => Some(Sdk::Compiler),
        _ => None,
    }
}

/// The image that would run the program.
fn runtime(sdk: &Sdk, all: Vec<Counterpart>, ctx: &Context, image: &ImageRef) -> Option<Counterpart> {
    let libc = ctx.images.traits(image).map(|it| it.libc.clone())?;
    let same_libc = |it: &Counterpart| it.traits.as_ref().is_some_and(|it| it.libc == libc && it.has_shell);
    let tag = |it: &Counterpart, word: &str| it.image.tag.as_deref().is_some_and(|tag| tag.contains(word));
    all.into_iter().find(|it| match sdk {
        Sdk::Java => same_libc(it) && tag(it, "jre"),
        Sdk::Dotnet => same_libc(it) && it.image.path.contains("aspnet"),
        Sdk::Cuda => tag(it, "runtime"),
        // The libc of another image may be too old or missing for what was linked with this one.
        Sdk::Compiler => !it.same_repository && it.traits.as_ref().is_some_and(|it| it.libc == libc),
    })
}

/// Whether what starts was built before.
fn runs_finished(sdk: &Sdk, chain: &StartChain) -> bool {
    let mut work = chain.work().peekable();
    let calls_tools = |it: &Program| {
        let first = it.arguments.iter().flatten().any(|it| it.contains("tools.jar") || it.contains("jdk."));
        uses(sdk, &it.name) || needs_tools(&it.name, &it.arguments) || first
    };
    if work.peek().is_none() || chain.programs.iter().any(calls_tools) {
        return false;
    }
    let is_path = |it: &Program| it.word.starts_with('/') || it.word.starts_with("./");
    { work }.all(|it| match sdk {
        Sdk::Java => {
            it.name == "java"
                && it.arguments.iter().flatten().any(|it| it == "-jar" || it == "-cp" || it == "-classpath")
        }
        Sdk::Dotnet => match it.name.as_str() {
            "dotnet" => it.arguments.iter().flatten().next().is_some_and(|it| it.ends_with(".dll")),
            _ => is_path(it),
        },
        Sdk::Cuda => is_path(it) || it.name.starts_with("python"),
        // A path outside of the SDK's own folders.
        Sdk::Compiler => is_path(it) && !it.word.starts_with("/usr/local/go/") && !is_for_sources(&it.name),
    })
}

/// Tools that work on sources with the help of the compiler beside them.
fn is_for_sources(name: &str) -> bool {
    let words = [
        "lint",
        "fmt",
        "gosec",
        "goreleaser",
        "dlv",
        "delve",
        "gopls",
        "check",
        "vet",
        "protoc",
        "bindgen",
        "test",
        "fuzz",
    ];
    words.iter().any(|word| name.contains(word))
}

/// Whether a program belongs to the SDK and not to what only runs.
fn uses(sdk: &Sdk, program: &str) -> bool {
    match sdk {
        Sdk::Java => matches!(
            program,
            "javac"
                | "jar"
                | "jcmd"
                | "jstack"
                | "jmap"
                | "jps"
                | "jstat"
                | "jdb"
                | "jshell"
                | "jlink"
                | "jdeps"
                | "jconsole"
                | "jarsigner"
                | "jpackage"
                | "javadoc"
                | "native-image"
                | "mvn"
                | "gradle"
                | "mvnw"
                | "gradlew"
                | "ant"
                | "sbt"
                | "lein"
                | "clojure"
                | "kotlinc"
                | "scalac"
                | "groovy"
        ),
        Sdk::Dotnet => matches!(program, "msbuild" | "csc" | "nuget"),
        Sdk::Cuda => {
            matches!(program, "nvcc" | "cuda-gdb" | "make" | "cmake" | "ninja" | "gcc" | "g++" | "pip" | "pip3")
        }
        Sdk::Compiler => matches!(
            program,
            "go" | "cargo"
                | "rustc"
                | "rustup"
                | "gcc"
                | "g++"
                | "cc"
                | "make"
                | "cmake"
                | "swift"
                | "swiftc"
                | "stack"
                | "cabal"
                | "ghc"
                | "dart"
                | "pub"
                | "glide"
                | "dep"
                | "godep"
                | "govendor"
                | "bazel"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    fn check_silent(image: &str, body: &str) {
        check(&RULE, &format!("FROM {image}\n{body}\n"));
    }

    #[test]
    fn the_base_is_to_blame() {
        check(
            &RULE,
            "FROM eclipse-temurin:21-jdk\n\
             #    ^^^^^^^^^^^^^^^^^^^^^^ a JDK is shipped to run a finished program; `eclipse-temurin:21-jre` would do\n\
             COPY app.jar /\n\
             CMD [\"java\", \"-jar\", \"/app.jar\"]\n",
        );
        check(
            &RULE,
            "FROM openjdk:17\n\
             #    ^^^^^^^^^^ a JDK\n\
             COPY app.jar /\n\
             ENTRYPOINT java $JAVA_OPTS -jar /app.jar\n",
        );
        check(
            &RULE,
            "FROM mcr.microsoft.com/dotnet/sdk:8.0\n\
             #    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the SDK of .NET is shipped\n\
             COPY out /app\n\
             ENTRYPOINT [\"dotnet\", \"/app/a.dll\"]\n",
        );
        check(
            &RULE,
            "FROM golang:1.26 AS build\nRUN go build -o /a\n\
             FROM golang:1.26\n\
             #    ^^^^^^^^^^^ a compiler is shipped\n\
             COPY --from=build /a /a\n\
             CMD [\"/a\"]\n",
        );
    }

    #[test]
    fn an_image_that_only_runs_is_fine() {
        check_silent("eclipse-temurin:21-jre", "CMD [\"java\", \"-jar\", \"/a.jar\"]");
        check_silent("openjdk:8-jre-slim", "CMD [\"java\", \"-jar\", \"/a.jar\"]");
        check_silent("mcr.microsoft.com/dotnet/aspnet:8.0", "CMD [\"dotnet\", \"/a.dll\"]");
        check_silent("gcr.io/distroless/base-debian12", "COPY a /a\nCMD [\"/a\"]");
    }

    #[test]
    fn a_step_that_builds_is_another_matter() {
        check_silent("eclipse-temurin:21-jdk", "COPY . .\nRUN ./mvnw package\nCMD [\"java\", \"-jar\", \"/a.jar\"]");
        check_silent("eclipse-temurin:21-jdk", "RUN jar xf a.jar\nCMD [\"java\", \"-cp\", \"/a\", \"A\"]");
        check_silent("maven:3-jdk-8-onbuild", "CMD [\"java\", \"-jar\", \"/a.jar\"]");
        check_silent("golang:1.26", "RUN go get a\nCMD [\"/go/bin/a\"]");
    }

    #[test]
    fn a_start_that_calls_the_sdk_needs_it() {
        check_silent("golang:1.26", "COPY . .\nCMD [\"go\", \"run\", \".\"]");
        check_silent("mcr.microsoft.com/dotnet/sdk:8.0", "COPY . .\nCMD [\"dotnet\", \"watch\"]");
        check_silent("maven:3.9", "COPY . .\nCMD [\"mvn\", \"spring-boot:run\"]");
        check_silent("eclipse-temurin:21-jdk", "CMD jshell");
        check_silent("golang:1.26", "COPY golangci-lint /usr/bin/\nENTRYPOINT [\"/usr/bin/golangci-lint\"]");
    }

    #[test]
    fn a_health_check_that_calls_the_sdk_needs_it() {
        check_silent(
            "eclipse-temurin:21-jdk",
            "HEALTHCHECK CMD jcmd 1 VM.uptime\nCMD [\"java\", \"-jar\", \"/a.jar\"]",
        );
    }

    #[test]
    fn a_start_that_is_not_known_may_do_anything() {
        check_silent("eclipse-temurin:21-jdk", "COPY run.sh /\nCMD [\"/run.sh\"]");
        check_silent("eclipse-temurin:21-jdk", "COPY app.jar /");
        check_silent("golang:1.26", "COPY entry /\nCMD [\"/entry\"]");
        check_silent(
            "eclipse-temurin:21-jdk",
            "ENTRYPOINT [\"docker-entrypoint.sh\"]\nCMD [\"java\", \"-jar\", \"/a.jar\"]",
        );
        check_silent("eclipse-temurin:21-jdk", "CMD [\"bash\"]");
    }

    #[test]
    fn a_base_for_others_or_for_development_is_what_it_says() {
        check_silent("eclipse-temurin:21-jdk", "ONBUILD COPY app.jar /\nCMD [\"java\", \"-jar\", \"/app.jar\"]");
        check_silent("eclipse-temurin:21-jdk AS dev", "CMD [\"java\", \"-jar\", \"/app.jar\"]");
    }

    #[test]
    fn where_no_smaller_image_is_known_there_is_nothing_to_say() {
        check_silent("example.com/jdk:21", "CMD [\"java\", \"-jar\", \"/a.jar\"]");
        check_silent("openjdk:27-jdk", "CMD [\"java\", \"-jar\", \"/a.jar\"]");
    }

    #[test]
    fn a_plugin_may_load_classes_of_the_sdk() {
        check_no_fix(&RULE, "FROM eclipse-temurin:21-jdk\nCOPY app.jar /\nCMD [\"java\", \"-jar\", \"/app.jar\"]\n");
    }
}
