//! Where each instruction begins and ends, exactly as BuildKit sees it, on any text.
//!
//! A line scanner that follows BuildKit's parser (`frontend/dockerfile/parser/parser.go`): parser directives, the escape
//! character, continuations, comment and blank lines inside a continuation, heredocs. The syntax tree has no say in it.
//! Lines end at LF alone, as there; an editor's lines are [`crate::text::position`]'s.

mod directives;
mod heredoc;
pub mod json;
mod line;
pub mod words;

use crate::text::{TextRange, TextSize};

pub use directives::Directives;
pub use heredoc::{Marker, markers, operator};
pub use line::Line;

/// A text cut into instructions.
#[derive(Clone, Debug, PartialEq)]
pub struct Segments {
    /// The directives at the top.
    pub directives: Directives,
    /// The instructions in order.
    pub segments: Vec<Segment>,
    /// Comment lines outside instructions, from the `#` to the last byte before the line end; directives are none.
    pub comments: Vec<TextRange>,
    /// What BuildKit's parser rejects here: doubled or wrong directives, lines that are too long, no instruction at all.
    pub faults: Vec<SegmentFault>,
}

/// One instruction's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// From its first byte that is no blank to its last, without the last line end.
    pub range: TextRange,
    /// First line, counting from 0.
    pub first_line: u32,
    /// Last line, heredoc bodies and their ends included.
    pub last_line: u32,
}

/// What BuildKit's line scanner rejects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFault {
    /// The piece to blame.
    pub range: TextRange,
    /// BuildKit's words.
    pub message: String,
}

/// Longest line that BuildKit reads, in bytes without its line end (Go's `bufio.MaxScanTokenSize` − 1).
const LONGEST_LINE: usize = 65_535;

/// Cuts a text into instructions.
pub fn segment(text: &str) -> Segments {
    let mut faults = Vec::new();
    let directives = directives::read(text, &mut faults);
    let mut segments = Vec::new();
    let mut comments = Vec::new();
    let mut at = 0;
    let mut line_number = 0;
    while at < text.len() {
        let line = line::physical(text, at);
        let content =
            if at == 0 { line.content.strip_prefix('\u{feff}').unwrap_or(line.content) } else { line.content };
        let trimmed = content.trim_start();
        let start = at + (line.content.len() - trimmed.len());
        if trimmed.is_empty() || trimmed.starts_with('#') {
            if trimmed.starts_with('#') && at as u32 >= directives.end {
                comments.push(range(start, start + trimmed.trim_end().len()));
            }
            too_long(&line, at, &mut faults);
            at = line.end;
            line_number += 1;
            continue;
        }
        let extent = extent(text, start, directives.escape);
        let end = start + text[start..extent.end].trim_end_matches(['\n', '\r']).len();
        segments.push(Segment {
            range: range(start, end),
            first_line: line_number,
            last_line: line_number + extent.n_lines.saturating_sub(1),
        });
        let mut line_at = at;
        while extent.longest > LONGEST_LINE && line_at < extent.end {
            let line = line::physical(text, line_at);
            too_long(&line, line_at, &mut faults);
            line_at = line.end;
        }
        at = extent.end;
        line_number += extent.n_lines;
    }
    if segments.is_empty() {
        faults.push(SegmentFault { range: range(0, 0), message: "file with no instructions".to_owned() });
    }
    Segments { directives, segments, comments, faults }
}

/// How far one instruction reaches.
struct Extent {
    /// One past its last line end.
    end: usize,
    n_lines: u32,
    /// Its longest line in bytes.
    longest: usize,
}

/// The extent of the instruction that begins at `start`, no blank before it.
fn extent(text: &str, start: usize, escape: char) -> Extent {
    let mut res = Extent { end: start, n_lines: 0, longest: 0 };
    let mut continued = true;
    let mut has_operator = false;
    while continued && res.end < text.len() {
        let line = line::physical(text, res.end);
        let first = res.n_lines == 0;
        res.end = line.end;
        res.n_lines += 1;
        res.longest = res.longest.max(line.content.len());
        if !first && line::is_skipped(line.content) {
            continue;
        }
        has_operator |= line.content.contains('<');
        continued = line::continued(line.content, escape).is_some();
    }
    if !has_operator {
        return res;
    }
    for marker in heredoc::markers(&Line::join(&text[start..res.end], escape), escape) {
        while res.end < text.len() {
            let line = line::physical(text, res.end);
            res.end = line.end;
            res.n_lines += 1;
            res.longest = res.longest.max(line.content.len());
            if marker.ends_at(line.content) {
                break;
            }
        }
    }
    res
}

fn too_long(line: &line::Physical<'_>, at: usize, acc: &mut Vec<SegmentFault>) {
    if line.content.len() > LONGEST_LINE {
        let message = format!("dockerfile line greater than max allowed size of {LONGEST_LINE}");
        acc.push(SegmentFault { range: range(at, at + line.content.len()), message });
    }
}

fn range(start: usize, end: usize) -> TextRange {
    TextRange::new(TextSize::new(start as u32), TextSize::new(end as u32))
}

#[cfg(test)]
mod tests;
