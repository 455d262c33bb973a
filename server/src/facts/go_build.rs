//! Builds of Go: whether a `go build` links against the C library of its image, and what file it writes.
//!
//! **Invariant:** whether it links is `None` wherever an option, variable or image is not known.

use crate::facts::ground::{self, Ground};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::{Command, RunFacts, is_below};
use crate::facts::stage::join;
use crate::facts::{self, Facts};
use crate::images::ImageBook;
use crate::model::{File, Placed, Run, Stage};

/// A `go build` or `go install` of a stage.
#[derive(Clone, Debug)]
pub struct GoBuild<'a> {
    /// The stage, by index.
    pub stage_idx: usize,
    /// The RUN.
    pub placed: &'a Placed,
    /// See `placed`.
    pub run: &'a Run,
    /// The command.
    pub command: &'a Command,
    /// What it writes, absolute: a file, or a directory for several; `None` where that is not known.
    pub output: Option<String>,
    /// The name of the package, which the file has where no other is given; `None` where that is not known.
    pub package: Option<String>,
    /// Whether it links against the C library as far as its options say; `None` where one is not known.
    pub dynamic: Option<bool>,
}

/// The builds of a stage and of those it stands on.
pub fn builds<'a>(
    file: &'a File,
    facts: &'a Facts,
    images: &ImageBook,
    stage_idx: usize,
    arch: &str,
) -> Vec<GoBuild<'a>> {
    let mut res = Vec::new();
    for at in facts::chain(file, stage_idx).into_iter().rev() {
        let (Some(stage), Some(known)) = (file.stages.get(at), facts.stages.get(at)) else { continue };
        for ((_, placed, run), run_facts) in stage.runs().zip(&known.runs) {
            for (idx, command) in run_facts.commands.iter().enumerate() {
                if command.program != "go" || !matches!(command.subcommand(), Some("build" | "install")) {
                    continue;
                }
                let compiler = has_compiler(file, facts, images, at);
                let options = has_cgo(stage, placed, run, run_facts, idx, arch);
                let dynamic = match (compiler, options) {
                    (Some(compiler), Some(options)) => Some(compiler && options),
                    (Some(false), None) | (None, Some(false)) => Some(false),
                    (None, _) | (_, None) => None,
                };
                let output = output(run_facts, idx, command);
                let package = package(run_facts, idx, command);
                res.push(GoBuild { stage_idx: at, placed, run, command, output, package, dynamic });
            }
        }
    }
    res
}

/// The build that wrote what is copied.
pub fn built<'b, 'a>(builds: &'b [GoBuild<'a>], path: &str) -> Option<&'b GoBuild<'a>> {
    let writes = |build: &&GoBuild| build.output.as_deref().is_some_and(|it| is_below(path, it) || is_below(it, path));
    if let Some(build) = builds.iter().rev().find(writes) {
        return Some(build);
    }
    // Without `-o` the file has the name of the package.
    let name = path.rsplit('/').next().unwrap_or_default();
    builds.iter().rev().find(|build| build.output.is_none() && build.package.as_deref() == Some(name))
}

/// The name of the one package that is built: of its last folder, without a version; of a file without `.go`.
fn package(run: &RunFacts, idx: usize, command: &Command) -> Option<String> {
    let mut words = command.operands().skip(1).filter(|it| it.value.as_deref() != Some("-o"));
    let word = words.next().map_or(Some("."), |it| it.value.as_deref())?;
    let word = word.split('@').next().unwrap_or(word);
    let directory = run.directories.get(idx).and_then(Option::as_deref);
    let path = match join(directory, word) {
        Some(path) if word.starts_with('.') => path,
        Some(_) | None if word.trim_matches(['.', '/']).is_empty() => return None,
        Some(_) | None => word.to_owned(),
    };
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let is_version = |it: &str| it.strip_prefix('v').is_some_and(|it| it.parse::<u32>().is_ok());
    let name = parts.find(|it| !is_version(it)).filter(|it| !it.is_empty())?;
    Some(name.strip_suffix(".go").unwrap_or(name).to_owned())
}

/// What `-o` names.
fn output(run: &RunFacts, idx: usize, command: &Command) -> Option<String> {
    let directory = run.directories.get(idx).and_then(Option::as_deref);
    let mut arguments = command.arguments.iter();
    while let Some(argument) = arguments.next() {
        let value = argument.value.as_deref();
        if value == Some("-o") {
            return join(directory, arguments.next()?.value.as_deref()?);
        }
        if let Some(path) = value.and_then(|it| it.strip_prefix("-o=")) {
            return join(directory, path);
        }
    }
    None
}

/// Whether the image has the C compiler without which cgo is off: the Debian images of Go, or Alpine's with one installed.
fn has_compiler(file: &File, facts: &Facts, images: &ImageBook, stage_idx: usize) -> Option<bool> {
    let ground = ground::of(file, images, stage_idx);
    let Ground::Image(image, traits) = &ground else { return None };
    if image.repository() != "docker.io/library/golang" {
        return None;
    }
    if traits.libc == "glibc" {
        return Some(true);
    }
    let installs = |run: &RunFacts| {
        run.commands.iter().any(|command| {
            let Some(deed) = deed(command).filter(|it| it.manager == Manager::Apk && it.verb == Verb::Install) else {
                return false;
            };
            deed.packages().any(|it| {
                matches!(it.split(['=', '~', '<', '>']).next(), Some("gcc" | "build-base" | "alpine-sdk" | "clang"))
            })
        })
    };
    let stages = facts::chain(file, stage_idx);
    Some({ stages }.into_iter().filter_map(|at| facts.stages.get(at)).flat_map(|it| &it.runs).any(installs))
}

/// Whether cgo is left on by the environment and the options of the command.
fn has_cgo(stage: &Stage, placed: &Placed, run: &Run, known: &RunFacts, idx: usize, arch: &str) -> Option<bool> {
    let command = known.commands.get(idx)?;
    let call = run.script()?.calls.get(command.call)?;
    let text = &*placed.instruction.text;
    // What the command's own words say, or a variable in them may say.
    let own = call.whole.of(text);
    if ["-static", "netgo", "osusergo", "musl", "zig"].iter().any(|it| own.contains(it)) {
        return Some(false);
    }
    let variable = |name: &str| -> Option<Option<String>> {
        if let Some(own) = call.environment.iter().find(|it| it.name == name) {
            return Some(own.value.literal());
        }
        for earlier in known.commands.get(..idx)?.iter().rev() {
            let mut words = earlier.arguments.iter().filter_map(|it| it.value.as_deref());
            let sets = matches!(earlier.program.as_str(), "export" | "go");
            let found = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            if let Some(value) = found.filter(|_| sets) {
                return Some(Some(value.to_owned()));
            }
        }
        stage.scope.get_at(name, placed.at).map(|it| it.value.clone())
    };
    // `CGO_ENABLED=0; go build`, `set -a`, a file of variables: who names it in another way means something by it.
    match variable("CGO_ENABLED") {
        Some(Some(value)) if value == "0" => return Some(false),
        Some(Some(_)) => {}
        Some(None) => return None,
        None if text.contains("CGO_ENABLED") => return None,
        None => {}
    }
    for (name, here) in [("GOOS", "linux"), ("GOARCH", arch)] {
        match variable(name) {
            Some(Some(value)) if value == here => {}
            Some(_) => return None,
            None if call.environment.iter().any(|it| it.name == name) => return None,
            None => {}
        }
    }
    let hidden = ["$(GO", "LDFLAGS", "ldflags}", "FLAGS", "BUILD_ARGS", "GOARGS", "GO_OPT", "ENV"];
    let is_hidden = own
        .split('$')
        .skip(1)
        .any(|it| hidden.iter().any(|name| it.split([' ', '"', '/']).next().is_some_and(|it| it.contains(name))));
    let flags = ["GOFLAGS", "LDFLAGS", "CGO_LDFLAGS"].iter().any(|name| variable(name).is_some());
    if is_hidden || flags {
        return None;
    }
    Some(true)
}
