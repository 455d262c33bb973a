//! What BuildKit's own parser made of 522 texts (`tests/buildkit`), against ours.

use plimsoll::segment;
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
