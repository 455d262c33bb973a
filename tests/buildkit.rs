//! What BuildKit's own parser made of 522 texts (`tests/buildkit`), against ours.

use plimsoll::{lower, segment};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    text: String,
    segments: Vec<String>,
}

#[test]
fn instructions_begin_and_end_where_buildkit_says() {
    for line in include_str!("buildkit/segments.jsonl").lines() {
        let case: Case = serde_json::from_str(line).expect("a case a line");
        let ours: Vec<String> = segment::segment(&case.text)
            .segments
            .iter()
            .map(|it| {
                let word = case.text[it.range].split_whitespace().next().unwrap_or_default().to_uppercase();
                format!("{word} {} {}", it.first_line + 1, it.last_line + 1)
            })
            .collect();
        assert_eq!(ours, case.segments, "{:?}", case.text);
    }
}

#[derive(Deserialize)]
struct Verdict {
    text: String,
    error: Option<String>,
}

/// BuildKit's words without its `dockerfile parse error on line N: `, and the line.
fn split_error(error: &str) -> (Option<u32>, &str) {
    let Some(rest) = error.strip_prefix("dockerfile parse error on line ") else { return (None, error) };
    let (line, message) = rest.split_once(": ").expect("a colon behind the line");
    (Some(line.parse().expect("a line number")), message)
}

#[test]
fn what_buildkit_rejects_is_a_fault_in_its_words() {
    for line in include_str!("buildkit/errors.jsonl").lines() {
        let case: Verdict = serde_json::from_str(line).expect("a case a line");
        let file = lower::file(case.text.as_str().into(), &lower::Build::default(), None);
        let ours: Vec<_> = file.faults.iter().map(|fault| (fault.line, fault.message.as_str())).collect();
        let theirs: Vec<_> = case.error.iter().map(|error| split_error(error)).collect();
        assert_eq!(ours, theirs, "{:?}", case.text);
        for fault in &file.faults {
            let Some(line) = fault.line else { continue };
            let start = case.text[..usize::from(fault.range.start())].matches('\n').count() as u32 + 1;
            assert_eq!(start, line, "the range of {:?}", case.text);
        }
    }
}
