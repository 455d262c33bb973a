//! From text to [`Script`]: the grammar is asked here, and nowhere else.
//!
//! **Invariant:** the result depends on the text alone; the parser kept for the thread is only kept to save time.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use tree_sitter::{Parser, Tree};

use crate::shell::Script;
use crate::shell::calls;
use crate::shell::scan::{self, Scan};
use crate::shell::tree;
use crate::text::Local;

/// How deep `sh -c` is looked into inside of `sh -c`.
const NESTED_SHELLS: u32 = 4;

static PARSES: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// Parses the part `range` of `masked` as shell text. All ranges of the result count like `range`.
pub fn parse(masked: &str, range: Local) -> Script {
    parse_nested(masked, range, 0)
}

/// How many texts the grammar was run on since the process began, scripts inside `sh -c '…'` included.
pub fn parses() -> u64 {
    PARSES.load(Ordering::Relaxed)
}

/// The same inside so many `sh -c`.
pub(super) fn parse_nested(masked: &str, range: Local, level: u32) -> Script {
    let Some(text) = masked.get(range.start as usize..range.end as usize) else {
        return Script { range, broken: true, ..Script::default() };
    };
    if text.bytes().all(|it| it.is_ascii_whitespace()) {
        return Script { range, ..Script::default() };
    }
    let mut scan = if scan::is_due(text) { scan::scan(text, false) } else { Scan::default() };
    let mut tree = tree_of(scan.copy.as_deref().unwrap_or(text));
    if tree.as_ref().is_some_and(|it| it.root_node().has_error()) {
        let second = scan::scan(text, true);
        if second != scan
            && let Some(other) = second.copy.as_deref().and_then(tree_of)
            && !other.root_node().has_error()
        {
            (scan, tree) = (second, Some(other));
        }
    }
    let Some(tree) = tree else { return Script { range, broken: true, ..Script::default() } };
    let lowered = tree::lower(&tree, text, range.start);
    let broken = lowered.broken || scan.placeholder || tree.root_node().has_error();
    let calls = calls::calls(masked, &lowered.list, lowered.hidden, level);
    Script { range, list: lowered.list, calls, comments: lowered.comments, broken }
}

/// Whether a script this deep inside `sh -c` is still looked into.
pub(super) fn may_nest(level: u32) -> bool {
    level < NESTED_SHELLS
}

fn tree_of(text: &str) -> Option<Tree> {
    PARSES.fetch_add(1, Ordering::Relaxed);
    // The grammar's scanner gives any character to C's `isdigit`, which reads outside of its table for those far from
    // ASCII: a `{` before an emoji may end the process. To a shell each is a plain character of a word, as `x` is.
    let plain;
    let text = if text.is_ascii() {
        text
    } else {
        plain = text.bytes().map(|it| if it.is_ascii() { char::from(it) } else { 'x' }).collect::<String>();
        &plain
    };
    PARSER.with_borrow_mut(|slot| {
        let parser = match slot {
            Some(parser) => parser,
            None => {
                let mut parser = Parser::new();
                parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
                slot.insert(parser)
            }
        };
        parser.parse(text, None)
    })
}
