//! Where a RUN goes: whole, or cut at `&&` where its parts go different ways.

use std::ops::Range;

use crate::ecosystems::commands::{Class, Located};
use crate::ecosystems::placing::Ground;
use crate::ecosystems::placing::ends::{Ends, command_ends, join};
use crate::ecosystems::{Goes, Refused};
use crate::model::Placed;
use crate::shell::{Joint, Script};
use crate::text::Local;

/// A RUN: whole, or cut at `&&` where its parts go different ways.
pub(super) fn run_goes(
    ground: &Ground<'_>,
    idx: usize,
    placed: &Placed,
    script: Option<&Script>,
) -> Result<Goes, Refused> {
    let no_commands = Vec::new();
    let commands = ground.commands.get(idx).unwrap_or(&no_commands);
    let mut ends: Vec<Ends> = Vec::with_capacity(commands.len());
    let mut cut_build = Vec::new();
    let mut cut_run = Vec::new();
    for (command, class) in commands {
        ends.push(command_ends(ground, idx, command, class, &mut cut_build, &mut cut_run)?);
    }
    // Lists are read and waste is cleaned for the installs of the same RUN, else for those behind it.
    let installs = commands.iter().zip(&ends).filter(|((_, class), _)| matches!(class, Class::Packages(_)));
    let mut lists = installs.fold(Ends::default(), |acc, (_, ends)| join(acc, *ends));
    if lists == Ends::default() && commands.iter().any(|(_, class)| matches!(class, Class::Lists)) {
        lists = later_installs(ground, idx)?;
    }
    for ((_, class), ends) in commands.iter().zip(&mut ends) {
        if matches!(class, Class::Lists) {
            *ends = lists;
        }
    }
    let all = ends.iter().fold(Ends::default(), |acc, it| join(acc, *it));
    // A RUN that only cleans up behind the installs before it follows them: what it hides must stay hidden.
    let cleans = commands.iter().any(|(command, class)| matches!(class, Class::Clean) && is_of_system(command));
    let all = if all == Ends::default() && cleans { ends_of_installs(ground, 0..idx)? } else { all };
    let all = if all == Ends::default() { Ends { build: true, run: false } } else { all };
    let builds = ends.iter().any(|it| it.build && !it.run) || all.build && !all.run;
    let mut running = commands.iter().zip(&ends).filter(|(_, ends)| ends.run || !ends.build);
    let anywhere = running.all(|((command, class), _)| is_anywhere(command, class));
    let whole = |ends: Ends| Goes {
        build: ends.build.then(|| cut_build.clone()),
        run: ends.run.then(|| cut_run.clone()),
        builds,
        anywhere,
    };
    let undecided = Ends::default();
    if ends.iter().all(|it| *it == undecided || *it == all) {
        return Ok(whole(all));
    }
    let cannot = || {
        let (command, _) = commands.iter().zip(&ends).find(|(_, it)| it.run).map_or_else(|| &commands[0], |(it, _)| it);
        Refused::new(
            "R6",
            format!(
                "line {} does several things at once, and `{}` is needed at run time",
                placed.line + 1,
                command.told()
            ),
        )
    };
    let Some(parts) = script.and_then(parts) else { return cannot() };
    let state = commands.iter().any(|(command, _)| {
        matches!(
            command.program.as_str(),
            "cd" | "export" | "set" | "." | "source" | "umask" | "" | "trap" | "alias" | "pushd"
        )
    });
    if state {
        return cannot();
    }
    let mut of_parts: Vec<Ends> = Vec::with_capacity(parts.len());
    for part in &parts {
        let inside = commands.iter().zip(&ends).filter(|((command, _), _)| part.contains_range(command.whole));
        let mut distinct: Vec<Ends> = inside.map(|(_, ends)| *ends).filter(|it| *it != undecided).collect();
        distinct.dedup();
        match distinct[..] {
            [] => of_parts.push(of_parts.last().copied().unwrap_or(undecided)),
            [ends] => of_parts.push(ends),
            _ => return cannot(),
        }
    }
    // What nothing before it decided (`set -x &&`) goes with what follows.
    for at in (0..of_parts.len().saturating_sub(1)).rev() {
        if of_parts[at] == undecided {
            of_parts[at] = of_parts[at + 1];
        }
    }
    // A RUN of which no part is for the runtime alone stays whole in the builder.
    if of_parts.iter().any(|it| it.run && !it.build) {
        cut_build.extend(removed(&parts, &of_parts, |it| it.build));
    }
    cut_run.extend(removed(&parts, &of_parts, |it| it.run));
    Ok(Goes { build: all.build.then_some(cut_build), run: all.run.then_some(cut_run), builds, anywhere })
}

/// Whether a command does the same in every directory.
fn is_anywhere(command: &Located, class: &Class) -> bool {
    match class {
        Class::Packages(_) | Class::Lists | Class::Account(_) | Class::Tools(_) | Class::Configuration(_) => true,
        Class::Transparent => command.program != "cd",
        Class::System(_) | Class::Clean => command
            .operands()
            .all(|it| it.value.as_deref().is_some_and(|it| it.starts_with('/') || !it.contains(['/', '.']))),
        Class::Build | Class::Perhaps | Class::Everywhere | Class::Unknown(_) => false,
    }
}

/// Whether a command cleans up behind the package manager of the distribution.
fn is_of_system(command: &Located) -> bool {
    let manager = matches!(command.program.as_str(), "apt-get" | "apt" | "apk" | "dnf" | "microdnf" | "yum");
    let folder = |value: &str| ["/var/lib/apt", "/var/cache"].iter().any(|it| value.starts_with(it));
    manager || command.operands().any(|it| it.value.as_deref().is_some_and(folder))
}

/// Where the installs of these instructions go; nowhere if there are none.
fn ends_of_installs(ground: &Ground<'_>, among: Range<usize>) -> Result<Ends, Refused> {
    let mut acc = Ends::default();
    for (at, commands) in ground.commands.iter().enumerate().take(among.end).skip(among.start) {
        for (command, class) in commands.iter().filter(|(_, class)| matches!(class, Class::Packages(_))) {
            acc = join(acc, command_ends(ground, at, command, class, &mut Vec::new(), &mut Vec::new())?);
        }
    }
    Ok(acc)
}

/// Where the installs behind this RUN go; the builder if there are none.
fn later_installs(ground: &Ground<'_>, idx: usize) -> Result<Ends, Refused> {
    let acc = ends_of_installs(ground, idx + 1..ground.commands.len())?;
    Ok(if acc == Ends::default() { Ends { build: true, run: false } } else { acc })
}

/// The pieces between the `&&` of a script that is one list of them; `None` for any other.
fn parts(script: &Script) -> Option<Vec<Local>> {
    let [item] = script.list.items.as_slice() else { return None };
    if item.separator.is_some() || !item.and_or.rest.iter().all(|(Joint { and, .. }, _)| *and) {
        return None;
    }
    Some(item.and_or.pipelines().map(|it| it.range).collect())
}

/// The text to take out so that the parts which are kept remain, joined as they were.
fn removed(parts: &[Local], ends: &[Ends], keeps: impl Fn(&Ends) -> bool) -> Vec<Local> {
    let kept: Vec<usize> = (0..parts.len()).filter(|at| ends.get(*at).is_some_and(&keeps)).collect();
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else { return Vec::new() };
    let mut res = Vec::new();
    if *first > 0 {
        res.push(Local { start: parts[0].start, end: parts[*first].start });
    }
    for pair in kept.windows(2) {
        if pair[1] > pair[0] + 1 {
            res.push(Local { start: parts[pair[0]].end, end: parts[pair[1] - 1].end });
        }
    }
    if last + 1 < parts.len() {
        res.push(Local { start: parts[*last].end, end: parts[parts.len() - 1].end });
    }
    res
}
