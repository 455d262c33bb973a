//! The form of a joined RUN: the tables of SPEC-merge-run.md §5.

use std::collections::HashSet;
use std::ops::Range;

use crate::facts::merging::element::{Element, ErrexitList};
use crate::facts::merging::obstacle::Obstacle;
use crate::facts::merging::programs;
use crate::shell::state::ShellOption;
use crate::text::Local;

/// The longest text that is made: a shell is given it as one argument, and Linux takes 131,072 bytes for one.
const LONGEST: usize = 120_000;

/// How elements are joined: links with `&&` between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub links: Vec<Link>,
}

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// One element.
    Whole(Wrapper),
    /// Elements that begin with the same `set -e`, as one list under it with `;` between its statements.
    Errexit {
        /// What is put around it.
        wrapper: Wrapper,
        /// The `set` command of its first element.
        set: Local,
        /// For each element its statements in order.
        statements: Vec<Vec<Statement>>,
    },
}

/// What is put around commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapper {
    /// Nothing.
    None,
    /// `{ …; }`: they count as one command.
    Braces,
    /// `( … )`: they run in a shell of their own.
    Subshell,
}

/// A piece of an element that stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where it stands in its instruction.
    pub range: Local,
    /// What is put around it.
    pub wrapper: Wrapper,
}

/// How these elements, neighbours in this order, are joined.
///
/// # Errors
/// What is against it.
pub fn plan(elements: &[Element]) -> Result<Plan, Obstacle> {
    if let Some(obstacle) = elements.iter().find_map(|element| element.obstacle) {
        return Err(obstacle);
    }
    check_frame(elements)?;
    let isolating = isolating(elements);
    let units: Vec<Unit> = elements.iter().zip(&isolating).map(|(it, isolating)| Unit::of(it, *isolating)).collect();
    let is_one_list = blocks(elements, false).len() == 1;
    let in_chain = || chain(&units).map(|wrappers| wrappers.into_iter().map(Link::Whole).collect());
    let in_lists = |mixed| in_blocks(elements, &units, mixed);
    let links = if is_one_list { in_lists(false) } else { in_chain() };
    let links = links.or_else(|obstacle| in_lists(false).or_else(|_| in_lists(true)).map_err(|_| obstacle))?;
    Ok(Plan { links })
}

/// Whether the elements run alike, and their text is not too long for one shell.
pub(super) fn check_frame(elements: &[Element]) -> Result<(), Obstacle> {
    let [first, _, ..] = elements else { return Ok(()) };
    if elements.iter().any(|element| element.flags != first.flags) {
        return Err(Obstacle::Flags);
    }
    if first.flags.passing {
        return Err(Obstacle::PassingMount);
    }
    if elements.iter().map(|element| element.commands().len() + 16).sum::<usize>() > LONGEST {
        return Err(Obstacle::TooLong);
    }
    Ok(())
}

/// For each element whether its shell must not be the next one's.
pub(super) fn isolating(elements: &[Element]) -> Vec<bool> {
    let is_remembered = remembered(elements);
    let seen = |idx: usize, element: &Element| {
        let later = elements.get(idx + 1..).unwrap_or_default();
        element.loop_variables.iter().any(|name| is_read(name, later))
    };
    let elements = elements.iter().zip(is_remembered).enumerate();
    elements.map(|(idx, (element, it))| it || element.state.isolating() || seen(idx, element)).collect()
}

/// For each element whether its shell remembers the place of a program that a later one puts elsewhere.
fn remembered(elements: &[Element]) -> Vec<bool> {
    let mut res = vec![false; elements.len()];
    if elements.iter().all(|element| element.replaced.is_empty() && element.replaces_unknown.is_none()) {
        return res;
    }
    let mut later_uses: HashSet<&str> = HashSet::new();
    let mut moved: HashSet<&str> = HashSet::new();
    let mut any_moved: HashSet<&str> = HashSet::new();
    for (element, res) in elements.iter().zip(&mut res).rev() {
        *res = element.used.iter().any(|(name, _)| {
            let name = name.as_str();
            moved.contains(name) || (programs::is_special(name) && any_moved.contains(name))
        });
        for (name, at) in &element.replaced {
            let used_before = element.used.iter().any(|(it, place)| it == name && place < at);
            let used_behind = element.used.iter().any(|(it, place)| it == name && place >= at);
            if later_uses.contains(name.as_str()) || (used_behind && !used_before) {
                moved.insert(name);
            }
        }
        if let Some(at) = element.replaces_unknown {
            any_moved.extend(&later_uses);
            let behind = element.used.iter().filter(|(_, place)| *place >= at);
            any_moved.extend(behind.map(|(name, _)| name.as_str()));
        }
        later_uses.extend(element.used.iter().map(|(name, _)| name.as_str()));
    }
    res
}

/// Whether later commands could find the variable of a loop: they name it, or it looks like one of the environment.
fn is_read(name: &str, later: &[Element]) -> bool {
    if later.is_empty() {
        return false;
    }
    let is_environment = name.bytes().all(|byte| !byte.is_ascii_lowercase());
    let ends = |rest: &str| !rest.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_');
    let names = |text: &str| {
        let plain = text.match_indices('$').any(|(at, _)| {
            let rest = text.get(at + 1..).unwrap_or_default();
            rest.strip_prefix('{').unwrap_or(rest).strip_prefix(name).is_some_and(ends)
        });
        plain || (text.contains("((") && text.contains(name))
    };
    is_environment || later.iter().any(|element| names(element.commands()))
}

/// Neighbours that begin with the same `set -e` and can stand in one list, as ranges of elements; others alone. With
/// `mixed` also and-or lists to which `-e` means nothing stand in one, behind the first.
fn blocks(elements: &[Element], mixed: bool) -> Vec<Range<usize>> {
    let mut res: Vec<Range<usize>> = Vec::new();
    let mut first: Option<&ErrexitList> = None;
    for (idx, element) in elements.iter().enumerate() {
        let member = first.and_then(|first| member(element, first, mixed));
        match res.last_mut() {
            Some(block) if member.is_some() => block.end = idx + 1,
            _ => {
                res.push(idx..idx + 1);
                first = element.list.as_ref();
            }
        }
    }
    res
}

/// The element as a member of a list that begins with `first`.
fn member<'a>(element: &'a Element, first: &ErrexitList, mixed: bool) -> Option<&'a ErrexitList> {
    let same = element.list.as_ref().filter(|list| list.options == first.options);
    // With `set -eu` an unset variable would matter to the others too.
    same.or_else(|| element.plain.as_ref().filter(|_| mixed && first.options.len() == 1))
}

/// A chain of blocks; of a single block, the list that it is.
fn in_blocks(elements: &[Element], units: &[Unit], mixed: bool) -> Result<Vec<Link>, Obstacle> {
    let blocks = blocks(elements, mixed);
    let members = |block: &Range<usize>| units.get(block.clone()).unwrap_or_default();
    let merged: Vec<Unit> = blocks.iter().map(|block| Unit::of_block(members(block))).collect();
    let wrappers = if merged.len() == 1 { vec![Wrapper::None] } else { chain(&merged)? };
    let link = |(block, wrapper): (&Range<usize>, Wrapper)| {
        let elements = elements.get(block.clone()).unwrap_or_default();
        let first = elements.first().and_then(|element| element.list.as_ref());
        let Some(first) = first.filter(|_| elements.len() > 1) else { return Link::Whole(wrapper) };
        let lists = elements.iter().filter_map(|element| member(element, first, mixed)).zip(members(block)).enumerate();
        let n_last = elements.len() - 1;
        let statements = lists.map(|(idx, (list, unit))| statements(list, idx == n_last, unit.isolating)).collect();
        Link::Errexit { wrapper, set: first.set, statements }
    };
    Ok(blocks.iter().zip(wrappers).map(link).collect())
}

fn statements(list: &ErrexitList, is_last: bool, isolating: bool) -> Vec<Statement> {
    let plain = |range: &Local| Statement { range: *range, wrapper: Wrapper::None };
    let subshell = |range: Local| Statement { range, wrapper: Wrapper::Subshell };
    let Some((end, before)) = list.rest.split_last() else { return Vec::new() };
    if is_last {
        return list.rest.iter().map(plain).collect();
    }
    if isolating || list.own_shell {
        let start = before.first().unwrap_or(end);
        return vec![subshell(start.cover(*end))];
    }
    let mut res: Vec<Statement> = before.iter().map(plain).collect();
    match &list.last {
        Some(pieces) => res.extend(pieces.iter().map(plain)),
        None => res.push(subshell(*end)),
    }
    res
}

/// What the table of mode A asks about an element, or about several that are one list.
#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    pure: bool,
    /// Several and-or lists: `-e` decides about those behind the first.
    is_sequence: bool,
    inner_sequence: bool,
    isolating: bool,
    errexit: bool,
    other_options: bool,
    shell_errexit: bool,
    /// Something in it is not sprung left of `&&`: a trap for failures, `set -e` in a shell inside.
    must_be_last: bool,
    /// How many and-or lists stand behind a `set -e` at its beginning.
    n_lists: usize,
}

impl Unit {
    fn of(element: &Element, isolating: bool) -> Unit {
        let options = &element.state.options;
        Unit {
            pure: element.state.pure,
            is_sequence: element.is_sequence,
            inner_sequence: element.inner_sequence,
            isolating,
            errexit: options.contains(&ShellOption::Errexit),
            other_options: options.iter().any(|it| *it != ShellOption::Errexit)
                || !element.state.switched_off.is_empty(),
            shell_errexit: element.shell_errexit,
            must_be_last: element.error_trap || element.inner_errexit,
            n_lists: element.list.as_ref().map_or(0, |list| list.rest.len()),
        }
    }

    /// A list of several; what state the last of them leaves is left, that of the others is in `( … )`.
    fn of_block(units: &[Unit]) -> Unit {
        let Some((last, before)) = units.split_last() else { return Unit::default() };
        let mut res = *last;
        res.pure &= before.is_empty();
        res.is_sequence |= !before.is_empty();
        res.inner_sequence |= before.iter().any(|it| it.inner_sequence || (it.isolating && it.n_lists > 1));
        res.must_be_last |= before.iter().any(|it| it.must_be_last);
        res.errexit |= before.iter().any(|it| it.errexit);
        // The options of those between stay in `( … )`.
        res.other_options |= before.first().is_some_and(|it| it.other_options);
        res
    }
}

/// The table of mode A: each row is one line of it, in its order. It is less strict in two places, or merging a second
/// time would join more: where it says *not pure*, only `;` and newlines count, since between `||` nothing hangs on
/// `-e`; and one and-or list with `set -e` in it gets a shell of its own where a later one would notice.
fn chain(units: &[Unit]) -> Result<Vec<Wrapper>, Obstacle> {
    let mut res = Vec::with_capacity(units.len());
    // For each unit, whether one behind it would notice `-e`.
    let mut later_notices = vec![false; units.len()];
    for idx in (1..units.len()).rev() {
        later_notices[idx - 1] = later_notices[idx] || units[idx].is_sequence || units[idx].inner_sequence;
    }
    for (idx, unit) in units.iter().enumerate() {
        let is_first = idx == 0;
        let is_last = idx + 1 == units.len();
        let cannot_be_left_of_and = unit.inner_sequence || (unit.is_sequence && (!is_first || unit.isolating));
        if !is_last {
            if unit.must_be_last {
                return Err(Obstacle::Errexit);
            }
            if unit.other_options {
                if (unit.errexit || unit.shell_errexit) && (unit.is_sequence || unit.inner_sequence) {
                    return Err(Obstacle::Errexit);
                }
                res.push(Wrapper::Subshell);
                continue;
            }
            let leaks = unit.errexit && later_notices[idx];
            if unit.errexit && (cannot_be_left_of_and || (leaks && unit.is_sequence)) {
                return Err(Obstacle::Errexit);
            }
            if unit.shell_errexit && cannot_be_left_of_and {
                return Err(Obstacle::Errexit);
            }
            if unit.isolating || leaks {
                res.push(Wrapper::Subshell);
                continue;
            }
        }
        let unwrapped = unit.pure || (is_first && (unit.errexit || unit.shell_errexit));
        res.push(if unwrapped { Wrapper::None } else { Wrapper::Braces });
    }
    Ok(res)
}
