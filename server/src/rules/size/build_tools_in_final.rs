//! `build-tools-in-final`: compilers, headers or build systems are installed in the image that is shipped, and stay.

use crate::facts::installs::{Deed, Manager, Verb, deed};
use crate::facts::made::plain_name;
use crate::facts::run::{Argument, Command};
use crate::facts::start::Open;
use crate::facts::start::workplace::is_workplace;
use crate::facts::tools::{Bulk, build_tool};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, RunAt, Safety, Severity};
use crate::size::spared::{Asked, Saving, asked, saving};
use crate::text::{Indel, TextEdit, TextRange};
use crate::weight::{Estimate, Size};

/// The rule.
pub static RULE: Rule = Rule {
    name: "build-tools-in-final",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
Compilers, headers or build systems are installed in the image that is shipped, and stay there.

Only a build needs them: `build-essential` is 297 MB of Debian packages, `gcc` alone 164, and a compiler is a help for
whoever breaks in.
Build in a stage of its own and copy what was made (the action `multi-stage`), or remove them in the `RUN` that installed
them.

```dockerfile
FROM python:3.13-alpine
RUN apk add --no-cache gcc musl-dev && pip install --no-cache-dir -r r.txt
CMD ["python", "app.py"]
```

Removed where they were used:

```dockerfile
FROM python:3.13-alpine
RUN apk add --no-cache --virtual .build-deps gcc musl-dev && pip install --no-cache-dir -r r.txt && apk del .build-deps
CMD ["python", "app.py"]
```

Nothing is said of an image that starts nothing of its own, a shell or something that compiles: it is there to build in.
Nor of a stage whose name says that it is for development or tests.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut found: Vec<(RunAt, usize)> = Vec::new();
    for at in ctx.final_runs() {
        for (idx, command) in at.facts.commands.iter().enumerate().filter(|(_, it)| it.certain) {
            let Some(deed) = deed(command).filter(is_install) else { continue };
            if !removes_some(&at, idx) && tools(&deed).any(|(_, name, _)| !is_for_dotnet(ctx, &deed, name)) {
                found.push((at, idx));
            }
        }
    }
    if found.is_empty() || is_to_build_in(ctx) {
        return;
    }
    let asked = asked(ctx.file, ctx.facts);
    for (at, idx) in found {
        if let Some(finding) = finding(ctx, &at, idx, &asked) {
            acc.push(finding);
        }
    }
}

fn is_install(deed: &Deed) -> bool {
    let system = matches!(deed.manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper);
    system && deed.verb == Verb::Install && !matches!(deed.word, "build-dep" | "builddep" | "update" | "upgrade" | "up")
}

/// The tools among the packages, by name and how much they weigh, with the word that names them.
fn tools<'a>(deed: &'a Deed<'a>) -> impl Iterator<Item = (&'a Argument, &'a str, Bulk)> {
    let manager = deed.manager;
    deed.words.iter().flat_map(move |word| {
        let value = word.value.as_deref().unwrap_or_default();
        // A group of packages is one word with blanks.
        let whole =
            Some(value).filter(|it| it.contains(' ')).and_then(|it| Some((*word, it, build_tool(manager, it)?)));
        let parts = value.split_whitespace().filter_map(move |part| {
            let name = plain_name(manager, part);
            let name = if part.starts_with('@') { part } else { name };
            Some((*word, name, build_tool(manager, name)?))
        });
        whole.into_iter().chain(parts)
    })
}

/// .NET looks for libdl.so, which the headers of the libc have, when it loads a native library.
fn is_for_dotnet(ctx: &Context, deed: &Deed, name: &str) -> bool {
    matches!(name, "libc-dev" | "libc6-dev" | "libgdiplus-dev")
        && (deed.packages().any(|it| it == "libgdiplus")
            || ctx.base_image().is_some_and(|image| image.path.contains("dotnet") || image.path.contains("aspnet")))
}

/// Whether a later command of the RUN takes packages away. What exactly goes is not looked at: who removes something has
/// thought of it. `apt-get autoremove` alone takes nothing that was asked for.
fn removes_some(at: &RunAt, idx: usize) -> bool {
    at.facts.commands.iter().skip(idx + 1).any(|command| {
        if matches!(command.program.as_str(), "apt-mark" | "dpkg" | "rpm") {
            return command.program == "apt-mark" || command.has(&["-e", "--erase", "-P", "--purge", "-r", "--remove"]);
        }
        deed(command).is_some_and(|it| {
            let idle = it.words.is_empty() && matches!(it.manager, Manager::Apt | Manager::Rpm);
            it.verb == Verb::Remove && is_system(it.manager) && !idle
        })
    })
}

fn is_system(manager: Manager) -> bool {
    matches!(manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper)
}

/// Whether the image is there to build in, or may be: it starts what a variable names.
fn is_to_build_in(ctx: &Context) -> bool {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return true };
    let chain = ctx.start();
    is_workplace(ctx.file, target, chain) || chain.open.iter().any(|it| matches!(it, Open::Variable(_)))
}

fn finding(ctx: &Context, at: &RunAt, idx: usize, asked: &[Asked]) -> Option<Finding> {
    let command = at.facts.commands.get(idx)?;
    let deed = deed(command)?;
    let tools: Vec<(&Argument, &str, Bulk)> =
        tools(&deed).filter(|(_, name, _)| !is_for_dotnet(ctx, &deed, name)).collect();
    let (first, name, _) = *tools.first()?;
    let saves = match saved(ctx, at, command, &deed, &tools, asked) {
        Saving::Nothing => return None,
        Saving::Unknown => {
            // Headers and `make` alone are a matter of a megabyte or two.
            let heavy = tools.iter().any(|(_, _, bulk)| *bulk == Bulk::Heavy);
            if !heavy && tools.len() < 4 {
                return None;
            }
            None
        }
        Saving::Known(_, saves) => Some(saves),
    };
    // The library that they come with may well be needed.
    let headers = tools.iter().all(|(_, name, _)| are_headers(name));
    let mut message = match (tools.len(), headers) {
        (1, false) => format!("`{name}` stays in the image, though only a build needs it"),
        (1, true) => format!("`{name}` stays in the image, though only a build needs headers"),
        (n, false) => format!("`{name}` and {} more stay in the image, though only a build needs them", n - 1),
        (n, true) => format!("`{name}` and {} more stay in the image, though only a build needs headers", n - 1),
    };
    if let Some(saves) = &saves {
        message.push_str(&format!(" ({})", saves.words()));
    }
    let mut finding = Finding::new(&RULE, at.placed.range(first.range), message);
    finding.cause = at.range(command);
    finding.saves = saves;
    for (word, name, _) in tools.iter().skip(1) {
        let range = at.placed.range(word.range);
        if range != finding.range && finding.related.iter().all(|it| it.range != range) {
            finding.related.push(Related { range, message: format!("only a build needs `{name}`") });
        }
    }
    finding.fix = virtual_package(ctx, at, idx, command, &deed, &tools);
    finding.assists.push("multi-stage");
    Some(finding)
}

fn saved(
    ctx: &Context,
    at: &RunAt,
    command: &Command,
    deed: &Deed,
    tools: &[(&Argument, &str, Bulk)],
    asked: &[Asked],
) -> Saving {
    if deed.manager != Manager::Apt {
        return Saving::Unknown;
    }
    let here = u32::from(at.range(command).start());
    let is_tool =
        |it: &Asked| it.at == here && tools.iter().any(|(_, name, _)| *name == plain_name(Manager::Apt, it.name));
    // What a later command asks for too is counted where it is asked for first.
    // What others only recommend can be declined: it is no reason for the tool to stay.
    let until: Vec<Asked> = asked
        .iter()
        .filter(|it| it.at <= here || !is_known_tool(it.name))
        .map(|it| Asked { recommends: it.recommends && is_tool(it), ..*it })
        .collect();
    let kept: Vec<Asked> = until.iter().filter(|it| !is_tool(it)).copied().collect();
    let headers = tools.iter().all(|(_, name, _)| are_headers(name));
    match saving(&until, &kept, ctx.base_image(), ctx.images) {
        // Of what headers bring along the libraries stay.
        Saving::Known(closure, whole) if headers => match closure.share(&is_known_tool) {
            share if share > 0.0 => {
                let part = |size: Size| (size.0 as f64 * share) as u64;
                let (low, likely, high) = (part(whole.low), part(whole.likely), part(whole.high));
                Saving::Known(closure, Estimate::between(low, likely, high, whole.basis, whole.source))
            }
            _ => Saving::Nothing,
        },
        saving => saving,
    }
}

fn are_headers(name: &str) -> bool {
    name.ends_with("-dev") || name.ends_with("-devel")
}

fn is_known_tool(name: &str) -> bool {
    build_tool(Manager::Apt, plain_name(Manager::Apt, name)).is_some()
}

/// For `apk`: one name for the tools, and its removal at the end. Only where all that is installed are tools without which
/// what they made still runs.
fn virtual_package(
    ctx: &Context,
    at: &RunAt,
    idx: usize,
    command: &Command,
    deed: &Deed,
    tools: &[(&Argument, &str, Bulk)],
) -> Option<Fix> {
    // `g++` brings libstdc++, `-dev` packages their library: without them the result would miss these.
    let harmless = |name: &str| {
        matches!(name, "gcc" | "make" | "musl-dev" | "libc-dev" | "linux-headers" | "cmake" | "autoconf" | "automake")
    };
    let all = deed.manager == Manager::Apk && !deed.is_open() && deed.words.len() == tools.len();
    let named = command.has(&["-t", "--virtual", "--root", "-p"]);
    let last = at.facts.commands.len() == idx + 1;
    if !all || named || last || !at.is_plain(command) || !tools.iter().all(|(_, name, _)| harmless(name)) {
        return None;
    }
    let place = at.placed.range(tools.first()?.0.range).start();
    let mut indels = vec![Indel { delete: TextRange::empty(place), insert: "--virtual .build-deps ".to_owned() }];
    let removal = crate::facts::append::append(&ctx.file.text, at.placed, at.run, at.facts, "apk del .build-deps")?;
    indels.extend(removal.indels().iter().cloned());
    indels.sort_by_key(|it| it.delete.start());
    let edit = TextEdit::new(indels)?;
    Some(Fix { title: "Remove the tools in the same layer".to_owned(), safety: Safety::Review, edit })
}

#[cfg(test)]
mod tests;
