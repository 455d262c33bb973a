//! The syntax tree of a Dockerfile, made anew or from an older one, and what the queries find in it.
//!
//! The tree serves the inside of instructions, folding and highlighting. It does not say where instructions start and
//! end, and an error node in it is never shown to anybody: that is [`crate::segment`]'s and the model's
//! (ARCHITECTURE.md). **Invariant:** no type of tree-sitter leaves this file.

use std::fmt::{self, Write};
use std::sync::OnceLock;

use ropey::Rope;
use tree_sitter::{InputEdit, Language, Node, Parser, Point, Query, QueryCursor, StreamingIterator};

use crate::text::{TextRange, TextSize};

/// A syntax tree. Cheap to clone.
#[derive(Clone)]
pub struct Tree(tree_sitter::Tree);

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sexp(self))
    }
}

/// A change of the text below a tree, in bytes and in tree-sitter's points, whose lines end at LF alone.
#[derive(Clone, Copy, Debug)]
pub struct Edit(InputEdit);

impl Edit {
    /// The replacement of `range` by `insert`, where `before` is the text before it.
    pub fn new(before: &Rope, range: TextRange, insert: &str) -> Edit {
        let start_byte = usize::from(range.start());
        let old_end_byte = usize::from(range.end());
        let start_position = point(before, start_byte);
        Edit(InputEdit {
            start_byte,
            old_end_byte,
            new_end_byte: start_byte + insert.len(),
            start_position,
            old_end_position: point(before, old_end_byte),
            new_end_position: advanced(start_position, insert),
        })
    }
}

impl Tree {
    /// Tells the tree of a change of its text, so that the next [`parse`] can use what lies outside of it.
    pub fn edit(&mut self, edit: &Edit) {
        self.0.edit(&edit.0);
    }
}

/// Parses a text. `before` is the tree of an older text that was told of every change since; it makes this faster and
/// changes nothing else.
///
/// Where the text or the older one has an error, tree-sitter may recover from it in another way, or lose it, when it
/// reuses the older tree; then the text is parsed anew, so that the result depends on the text alone.
pub fn parse(rope: &Rope, before: Option<&Tree>) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&language()).expect("the grammar was generated for this runtime");
    let mut parse = |before: Option<&tree_sitter::Tree>| {
        let res = parser.parse_with_options(&mut |byte, _| chunk(rope, byte), before, None);
        res.expect("a language is set, and nothing cancels the parser")
    };
    let before = before.map(|tree| &tree.0).filter(|tree| !tree.root_node().has_error());
    let res = parse(before);
    if before.is_some() && res.root_node().has_error() {
        return Tree(parse(None));
    }
    Tree(res)
}

/// What can be folded, in the order of the text, ranges of one line included. `text` is the tree's text; a range ends
/// before its last line break.
pub fn folds(tree: &Tree, text: &str) -> Vec<TextRange> {
    static QUERY: OnceLock<Query> = OnceLock::new();
    let query = QUERY.get_or_init(|| {
        Query::new(&language(), include_str!("../../queries/folds.scm")).expect("a test compiles the query")
    });
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.0.root_node(), text.as_bytes());
    let mut res = Vec::new();
    while let Some(found) = matches.next() {
        let covered = found.captures.iter().map(|capture| range(capture.node)).reduce(TextRange::cover);
        res.extend(covered.map(|range| without_last_break(range, text)));
    }
    res.sort_by_key(|range| (range.start(), range.end()));
    res
}

/// The tree in words: a line for each node, indented by depth, with its field, kind and bytes; anonymous nodes quoted.
pub fn sexp(tree: &Tree) -> String {
    let mut res = String::new();
    let mut cursor = tree.0.walk();
    let mut depth = 0;
    loop {
        let node = cursor.node();
        let indent = depth * 2;
        let field = cursor.field_name().map(|name| format!("{name}: ")).unwrap_or_default();
        let kind = match (node.is_missing(), node.is_named()) {
            (true, _) => format!("(MISSING {})", node.kind()),
            (false, true) => format!("({})", node.kind()),
            (false, false) => format!("{:?}", node.kind()),
        };
        let _ = writeln!(res, "{:indent$}{field}{kind} {}..{}", "", node.start_byte(), node.end_byte());
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return res;
            }
            depth -= 1;
        }
    }
}

fn language() -> Language {
    tree_sitter_dockerfile::LANGUAGE.into()
}

fn range(node: Node<'_>) -> TextRange {
    let size = |byte: usize| TextSize::try_from(byte).unwrap_or(TextSize::from(u32::MAX));
    TextRange::new(size(node.start_byte()), size(node.end_byte()))
}

fn without_last_break(range: TextRange, text: &str) -> TextRange {
    let Some(covered) = text.get(std::ops::Range::<usize>::from(range)) else { return range };
    let kept = covered.trim_end_matches(['\n', '\r']).len();
    TextRange::at(range.start(), TextSize::try_from(kept).unwrap_or(range.len()))
}

/// The text from this byte to the end of the piece of the rope it lies in; empty at the end.
fn chunk(rope: &Rope, byte: usize) -> &[u8] {
    let Some((chunk, start, _, _)) = rope.get_chunk_at_byte(byte) else { return &[] };
    chunk.as_bytes().get(byte - start..).unwrap_or(&[])
}

/// The line and the column in bytes, as tree-sitter counts: lines end at LF alone.
fn point(rope: &Rope, byte: usize) -> Point {
    let mut res = Point::new(0, 0);
    let mut start = 0;
    for chunk in rope.chunks() {
        let end = chunk.len().min(byte.saturating_sub(start));
        if end == 0 {
            break;
        }
        res = advanced(res, chunk.get(..end).unwrap_or(chunk));
        start += chunk.len();
    }
    res
}

/// The point after `text` when it starts at `point`.
fn advanced(point: Point, text: &str) -> Point {
    match text.rfind('\n') {
        Some(last) => {
            let n_breaks = text.bytes().filter(|&byte| byte == b'\n').count();
            Point::new(point.row + n_breaks, text.len() - last - 1)
        }
        None => Point::new(point.row, point.column + text.len()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use ropey::Rope;

    use super::{folds, parse, sexp};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&sexp(&parse(&Rope::from_str(text), None)));
    }

    /// The texts that can be folded, one after the other.
    fn check_folds(text: &str, expected: &[&str]) {
        let tree = parse(&Rope::from_str(text), None);
        let found: Vec<&str> = folds(&tree, text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn nodes_are_printed_with_field_kind_and_bytes() {
        check(
            "FROM node:20 AS build\n",
            expect![[r#"
                (source_file) 0..22
                  (from_instruction) 0..21
                    "FROM" 0..4
                    (image_spec) 5..12
                      name: (image_name) 5..9
                      tag: (image_tag) 9..12
                        ":" 9..10
                    "AS" 13..15
                    as: (image_alias) 16..21
            "#]],
        );
    }

    #[test]
    fn half_an_instruction_is_a_tree_too() {
        check(
            "FRO",
            expect![[r#"
            (source_file) 0..3
              (ERROR) 0..3
        "#]],
        );
    }

    #[test]
    fn instructions_heredocs_and_comment_blocks_fold() {
        check_folds(
            "# one\n# two\nFROM a\nRUN b \\\n && c\nRUN <<EOF\nd\nEOF\n",
            &["# one\n# two", "FROM a", "RUN b \\\n && c", "RUN <<EOF\nd\nEOF", "\nd\nEOF"],
        );
    }

    #[test]
    fn long_texts_are_read_piece_by_piece() {
        let text = "FROM a\n".to_owned() + &"RUN echo \"ü𝕏\" \\\n && true\n".repeat(2_000);
        let rope = Rope::from_str(&text);
        assert!(rope.chunks().count() > 10);
        let tree = parse(&rope, None);
        assert_eq!(folds(&tree, &text).len(), 2_001);
        assert!(!sexp(&tree).contains("ERROR"));
    }
}
