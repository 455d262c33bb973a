//! Which files of the build context the rules read: manifests beside their installs, lock files, start scripts.
//!
//! Only paths that the context has and that the file's own COPYs bring to where they are read; the edge fetches their
//! texts and asks again.

use crate::facts::compiles::{Tool, compile};
use crate::facts::installs::{Manager, deed, requirements};
use crate::facts::landing::{self, Landed};
use crate::facts::removes;
use crate::facts::stage::join;
use crate::facts::{walk, whole_context};
use crate::rules::Context;
use crate::rules::cache::unused_stage;
use crate::rules::security::secret_file_copied;

/// Most files that are asked for.
const MOST: usize = 40;

/// Paths of the context whose texts the rules would read, without doubles, in the order of the text.
pub fn files(ctx: &Context) -> Vec<String> {
    let mut res: Vec<String> = Vec::new();
    if !ctx.context.known {
        return res;
    }
    for (stage_idx, stage) in ctx.reaching() {
        let states = walk::states(ctx.file, stage_idx, "/");
        for at in ctx.runs(stage_idx) {
            let (Some(script), Some(before)) = (at.run.script(), states.get(..at.idx)) else { continue };
            let Some(state) = states.get(at.idx) else { continue };
            let directories = removes::directories(at.facts, script, state.directory.as_deref());
            for (command, directory) in at.facts.commands.iter().zip(directories) {
                let deed = deed(command).filter(|deed| deed.is_from_manifest(command));
                let compiled = compile(command).map_or(&[][..], Tool::manifests);
                let installed = deed.map_or(&[][..], |deed| names(deed.manager));
                if compiled.is_empty() && installed.is_empty() && requirements(command).is_empty() {
                    continue;
                }
                let named = requirements(command).into_iter().flatten();
                for name in installed.iter().chain(compiled).copied().chain(named) {
                    let Some(path) = join(directory.as_deref(), name) else { continue };
                    if let Landed::File(found) = landing::landed(ctx.file, stage, before, ctx.context, &path) {
                        res.push(found);
                    }
                }
            }
        }
    }
    res.extend(start_files(ctx));
    res.extend(whole_context::asked(ctx.file, ctx.facts, ctx.context));
    res.extend(secret_file_copied::files(ctx));
    if ctx.facts.reaching.contains(&false) {
        let paths = ctx.context.entries.iter().filter(|(_, entry)| !entry.ignored).map(|(path, _)| path);
        res.extend(paths.filter(|path| unused_stage::is_build_file(path)).take(MOST / 2).cloned());
    }
    let compose = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    res.extend(compose.iter().filter(|name| ctx.context.has_file(name)).map(|name| (*name).to_owned()));
    let mut seen = std::collections::BTreeSet::new();
    res.retain(|path| seen.insert(path.clone()));
    res.truncate(MOST);
    res
}

/// The manifests of a manager that a rule reads.
fn names(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Npm => &["package.json", "npm-shrinkwrap.json", "package-lock.json"],
        Manager::Yarn => &["package.json", "yarn.lock"],
        Manager::Pnpm => &["package.json", "pnpm-lock.yaml"],
        Manager::Bun => &["package.json"],
        Manager::Poetry => &["poetry.lock", "pyproject.toml"],
        Manager::Uv => &["uv.lock", "pyproject.toml"],
        Manager::Pipenv => &["Pipfile.lock"],
        Manager::Go => &["go.mod"],
        Manager::Composer => &["composer.json"],
        Manager::Bundler => &["Gemfile"],
        Manager::Cargo => &["Cargo.toml"],
        Manager::Maven => &["pom.xml"],
        Manager::Gradle => &["settings.gradle", "settings.gradle.kts"],
        Manager::Apt
        | Manager::Apk
        | Manager::Rpm
        | Manager::Zypper
        | Manager::Pip
        | Manager::Conda
        | Manager::Dotnet => &[],
    }
}

/// The manifests and scripts that the start of the target leads through.
fn start_files(ctx: &Context) -> Vec<String> {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return Vec::new() };
    let Some(stage) = ctx.file.stages.get(target) else { return Vec::new() };
    let chain = ctx.start();
    let states = walk::states(ctx.file, target, "/");
    let landed = |path: &String| match landing::landed(ctx.file, stage, &states, ctx.context, path) {
        Landed::File(found) => Some(found),
        Landed::Hidden | Landed::Nothing => None,
    };
    chain.asked.iter().filter_map(landed).collect()
}

#[cfg(test)]
mod tests {
    use super::files;
    use crate::fixture::{analyse, parse};
    use crate::rules::Context;

    #[test]
    fn what_the_installs_and_the_start_read_is_asked_for() {
        let text = "FROM python:3.12-slim\n\
                    WORKDIR /app\n\
                    COPY . .\n\
                    RUN pip install -r deploy/r.txt && cd web && npm ci\n\
                    ENTRYPOINT [\"/app/start.sh\"]\n\
                    #- deploy/r.txt\na\n#- web/package.json\n{}\n#- web/package-lock.json\n{}\n#- start.sh\na\n\
                    #- other.txt\na\n#- compose.yaml\na\n";
        let analysis = analyse(&parse(text));
        let wanted = files(&Context {
            file: &analysis.file,
            facts: &analysis.facts,
            size: &analysis.size,
            config: &analysis.inputs.config,
            context: &analysis.inputs.context,
            images: &analysis.inputs.images,
            today: None,
            start: std::cell::OnceCell::new(),
        });
        let expected = ["deploy/r.txt", "web/package.json", "web/package-lock.json", "start.sh", "compose.yaml"];
        assert_eq!(wanted, expected);
    }
}
