//! `package-cache-left`: the cache of a language's package manager stays in a shipped layer. npm and pip have rules of
//! their own.

mod cures;

use crate::facts::caches::{Cache, Left};
use crate::facts::start::workplace::is_workplace;
use crate::rules::size::package_cache_left::cures::cure;
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "package-cache-left",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3060"],
    doc: r##"
A package manager's cache of downloads stays in the layer, beside what was installed from it.

Yarn, conda, RubyGems and Bundler, Composer, Poetry, pipenv and the build tools of compiled languages keep every archive
they fetched, though nothing in the image will ever ask for it again: 44 MB of Yarn's for Express with TypeScript.
pnpm, bun and uv link files from their cache into the project, which a layer stores once; they are named only where they
are told to copy (`UV_LINK_MODE=copy`).

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json yarn.lock ./
RUN yarn install --frozen-lockfile
CMD ["node", "server.js"]
```

Emptied in the same layer:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY package.json yarn.lock ./
RUN yarn install --frozen-lockfile && yarn cache clean
CMD ["node", "server.js"]
```

| manager | kept | emptied by |
|---|---|---|
| Yarn 1 | `/usr/local/share/.cache/yarn`, `~/.cache/yarn` | `yarn cache clean` |
| conda, mamba, micromamba | `pkgs` below the prefix | `conda clean -afy` |
| RubyGems, Bundler | `cache` below the folder of the gems | `rm -rf` |
| Composer | `~/.composer/cache`, `~/.cache/composer` | `composer clear-cache`, `--no-cache` |
| Poetry | `~/.cache/pypoetry` | `--no-cache` |
| pipenv | `~/.cache/pipenv` | `rm -rf` |
| uv, pnpm, bun, where they copy | `~/.cache/uv`, the store, `~/.bun/install/cache` | `--no-cache` of uv |
| cargo, go, Maven, Gradle, NuGet | their folders of downloads | a builder stage |

A cache mount keeps it out of the layer too, and the next build finds it.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for at in ctx.final_runs() {
        let mut seen: Vec<Cache> = Vec::new();
        for left in &at.facts.left {
            if !is_ours(left.cache) || seen.contains(&left.cache) {
                continue;
            }
            // One finding a RUN and cache: cleaning once empties it.
            seen.push(left.cache);
            if is_configured(ctx, &at, left.cache) || left.cache.is_of_compiler() && is_for_building(ctx) {
                continue;
            }
            let Some(command) = at.facts.commands.get(left.command) else { continue };
            let mut finding = Finding::new(&RULE, at.range(command), format!("{} in this layer", left.cache.stays()));
            finding.fix = if left.usual { cure(ctx, &at, command, left) } else { None };
            finding.assists.push(if left.cache.is_of_compiler() { "multi-stage" } else { "add-cache-mount" });
            acc.push(finding);
        }
    }
}

/// Whether this rule speaks of it.
fn is_ours(cache: Cache) -> bool {
    match cache {
        Cache::AptLists | Cache::ApkIndex | Cache::Rpm | Cache::Zypper | Cache::Npm | Cache::Pip => false,
        Cache::Yarn
        | Cache::Pnpm
        | Cache::Bun
        | Cache::Conda
        | Cache::Gem
        | Cache::Composer
        | Cache::Poetry
        | Cache::Uv
        | Cache::Pipenv
        | Cache::Cargo
        | Cache::Go
        | Cache::Maven
        | Cache::Gradle
        | Cache::Nuget => true,
    }
}

/// Whether an earlier instruction of the chain may have sent the cache elsewhere, or made the manager one that works in
/// another way.
fn is_configured(ctx: &Context, at: &RunAt, cache: Cache) -> bool {
    let words: &[&str] = match cache {
        // Yarn 2 and later comes with files of its own, by corepack or by `yarn set version`.
        Cache::Yarn => &["cache-folder", ".yarn", "corepack", "set version", "yarn@2", "yarn@3", "yarn@4", "berry"],
        Cache::Conda => &["pkgs_dirs", ".condarc"],
        Cache::Composer => &["cache-dir", "cache-files-dir"],
        Cache::Poetry => &["cache-dir"],
        Cache::Maven => &["settings.xml"],
        _ => &[],
    };
    let mentions = |text: &str| words.iter().any(|word| text.contains(word));
    let modern = || {
        let manifest = ctx.context.text("package.json").unwrap_or_default();
        cache == Cache::Yarn && ["\"yarn@2", "\"yarn@3", "\"yarn@4"].iter().any(|it| manifest.contains(it))
    };
    modern()
        || ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx)).any(|stage| {
            let earlier = stage.instructions.iter().take_while(|placed| placed.at <= at.placed.at);
            earlier.into_iter().any(|placed| mentions(&placed.instruction.text))
        })
}

/// Whether the image is there to build in, or may be: it starts nothing, a shell, or something that compiles.
fn is_for_building(ctx: &Context) -> bool {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return true };
    !ctx.start().open.is_empty() || is_workplace(ctx.file, target, ctx.start())
}

/// The path of a cache that is removed by hand; `None` where the manager put it elsewhere than it usually does.
fn gems(ctx: &Context, left: &Left) -> Option<&'static str> {
    let ruby = ctx.base_image().is_some_and(|image| image.path == "library/ruby");
    let moved = ["BUNDLE_PATH", "--path", "--deployment", "bundle config", "GEM_HOME"];
    let is_moved = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx)).any(|stage| {
        stage.instructions.iter().any(|placed| moved.iter().any(|word| placed.instruction.text.contains(word)))
    });
    (ruby && !is_moved && left.cache == Cache::Gem).then_some("/usr/local/bundle/cache")
}

#[cfg(test)]
mod tests;
