//! The segmenter on texts; BuildKit's own answers to hundreds of others are in `tests/segments.rs`.

use crate::segment::{Segments, segment};

fn shown(text: &str) -> String {
    let Segments { segments, faults, .. } = segment(text);
    let mut res: Vec<String> =
        segments.iter().map(|it| format!("{}-{} {:?}", it.first_line + 1, it.last_line + 1, &text[it.range])).collect();
    res.extend(faults.into_iter().map(|fault| fault.message));
    res.join("\n")
}

#[test]
fn a_line_that_begins_with_a_bracket_inside_a_run() {
    assert_eq!(shown("RUN a && \\\n[ -f x ]\nCMD b"), "1-2 \"RUN a && \\\\\\n[ -f x ]\"\n3-3 \"CMD b\"");
}

#[test]
fn shifts_and_here_strings_are_no_heredocs() {
    assert_eq!(shown("RUN echo $((1<<4))\nCMD b"), "1-1 \"RUN echo $((1<<4))\"\n2-2 \"CMD b\"");
    assert_eq!(shown("RUN cat <<<EOF\nCMD b"), "1-1 \"RUN cat <<<EOF\"\n2-2 \"CMD b\"");
}

#[test]
fn two_heredocs_of_one_instruction() {
    assert_eq!(shown("COPY <<A <<-B /x\na\nA\n\tB\nCMD c"), "1-4 \"COPY <<A <<-B /x\\na\\nA\\n\\tB\"\n5-5 \"CMD c\"");
}

#[test]
fn a_byte_order_mark_is_dropped_once() {
    assert_eq!(shown("\u{feff}FROM a"), "1-1 \"FROM a\"");
}

#[test]
fn an_empty_file_is_a_fault() {
    assert_eq!(shown("# only\n\n"), "file with no instructions");
}
