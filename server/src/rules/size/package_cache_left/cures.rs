//! How the cache of each manager is kept out of the layer, where an edit of the RUN can do it.

use crate::facts::append::append;
use crate::facts::caches::{Cache, Left};
use crate::facts::installs::deed;
use crate::facts::run::Command;
use crate::rules::size::package_cache_left::gems;
use crate::rules::{Context, Fix, RunAt, Safety};
use crate::text::TextEdit;

/// The edit for the cache that this command left.
pub(super) fn cure(ctx: &Context, at: &RunAt, command: &Command, left: &Left) -> Option<Fix> {
    // Another user's manager has another cache.
    if !at.facts.commands.iter().filter(|it| it.program == command.program).all(|it| at.is_plain(it)) {
        return None;
    }
    let append = |clean: &str| {
        let edit = append(&ctx.file.text, at.placed, at.run, at.facts, clean)?;
        Some(Fix { title: format!("Empty the cache in the same layer: `{clean}`"), safety: ctx.safety(), edit })
    };
    match left.cache {
        Cache::Yarn if !takes_away(at, &["yarn", "node", "nodejs", "npm"]) => append("yarn cache clean"),
        Cache::Conda if !takes_away(at, &["conda"]) => append(&format!("{} clean -afy", command.program)),
        Cache::Gem => append(&format!("rm -rf {}", gems(ctx, left)?)),
        Cache::Composer if !takes_away(at, &["composer", "composer.phar", "php"]) => append("composer clear-cache"),
        Cache::Uv => with_flag(ctx, at, command, ctx.safety()),
        // Versions before 1.2 do not know the option.
        Cache::Poetry => with_flag(ctx, at, command, Safety::Review),
        _ => None,
    }
}

/// Whether the RUN deletes or uninstalls a program of one of these names.
fn takes_away(at: &RunAt, names: &[&str]) -> bool {
    let is_one = |word: &str| names.contains(&word.rsplit('/').next().unwrap_or(word));
    at.facts.commands.iter().any(|command| {
        let removes = matches!(command.program.as_str(), "rm" | "mv" | "unlink")
            || deed(command).is_some_and(|it| it.verb == crate::facts::installs::Verb::Remove);
        removes && command.values().any(is_one)
    })
}

fn with_flag(ctx: &Context, at: &RunAt, command: &Command, safety: Safety) -> Option<Fix> {
    let call = at.call(command)?;
    let place = at.placed.range(call.program_range).end();
    let behind = ctx.file.text.get(usize::from(place)..)?;
    // `python -m poetry` has its options elsewhere.
    if !behind.starts_with([' ', '\t']) {
        return None;
    }
    let edit = TextEdit::insert(place, " --no-cache");
    Some(Fix { title: format!("Let {} keep no cache", command.program), safety: safety.min(ctx.safety()), edit })
}
