//! Where each instruction begins and ends, exactly as BuildKit sees it.

use crate::text::TextRange;

/// Parser directives at the top of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directives {
    /// The escape character, `\` unless `# escape=` says otherwise.
    pub escape: char,
    /// The value of `# syntax=`.
    pub syntax: Option<String>,
    /// The value of `# check=`.
    pub check: Option<String>,
    /// The end of the last directive line, its line end included; 0 without directives.
    pub end: u32,
}

/// One instruction's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// From its first byte that is no blank to its last, without the last line end.
    pub range: TextRange,
    /// First line, counting from 0 (lines end at LF).
    pub first_line: u32,
    /// Last line.
    pub last_line: u32,
}
