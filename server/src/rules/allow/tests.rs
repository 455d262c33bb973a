//! Which comments silence what, and what is said of them.

use crate::fixture::{Fixture, analyse, parse};
use crate::rules::allow::edits;
use crate::rules::{Finding, Safety, Severity, Source};
use crate::text::TextRange;

/// Ids of what is shown, notes included.
fn shown(text: &str) -> Vec<&'static str> {
    analyse(&parse(text)).shown().map(Finding::id).collect()
}

/// Ids of what comments allow.
fn allowed(text: &str) -> Vec<&'static str> {
    analyse(&parse(text)).findings.iter().filter(|it| it.suppressed).map(Finding::id).collect()
}

/// A file whose RUN leaves lists behind; comments stand above the RUN.
fn above(comments: &str) -> String {
    format!("FROM debian:12-slim\n{comments}RUN apt-get update\nUSER 1000\nCMD [\"a\"]\n{OTHERS_OFF}")
}

/// The settings under which this file has one finding.
const OTHERS_OFF: &str = "#- plimsoll.toml\n[groups]\nsecurity = \"off\"\ncache = \"off\"\ncorrectness = \"off\"\n\
                          style = \"off\"\n";

/// The notes, with the text they are about and their messages.
fn notes(text: &str) -> Vec<(String, String)> {
    let fixture = parse(text);
    let analysis = analyse(&fixture);
    let of = |range: TextRange| fixture.text[range].to_owned();
    let notes = analysis.findings.iter().filter(|it| matches!(it.source, Source::Note(_)));
    notes.map(|it| (of(it.range), it.message.clone())).collect()
}

/// The text after the safe fixes of notes.
fn mended(text: &str) -> String {
    let mut fixture: Fixture = parse(text);
    for _ in 0..9 {
        let analysis = analyse(&fixture);
        let notes = analysis.shown().filter(|it| matches!(it.source, Source::Note(_)));
        let fix = { notes }.filter_map(|it| it.fix.clone()).find(|fix| fix.safety == Safety::Safe);
        let Some(fix) = fix else { break };
        fixture.text = fix.edit.apply(&fixture.text);
    }
    fixture.text
}

#[test]
fn the_file_has_one_finding_without_a_comment() {
    assert_eq!(shown(&above("")), ["apt-lists-left"]);
    assert_eq!(shown(&above("# plimsoll would find lists here\n")), ["apt-lists-left"]);
}

#[test]
fn a_comment_above_an_instruction_allows_what_is_found_in_it() {
    for comment in [
        "# plimsoll: allow apt-lists-left — the next stage needs them\n",
        "# plimsoll: allow apt-lists-left\n# another comment\n",
        "  # plimsoll: allow apt-lists-left\n",
        "# plimsoll: allow size\n",
        "# plimsoll: allow all\n",
        "# plimsoll: allow DL3009\n",
        "# hadolint ignore=DL3008,DL3009 # why\n",
    ] {
        let text = above(comment);
        assert_eq!(shown(&text), [""; 0], "{comment}");
        assert_eq!(allowed(&text), ["apt-lists-left"], "{comment}");
    }
}

#[test]
fn line_ends_of_windows_are_line_ends() {
    let text = above("# plimsoll: allow apt-lists-left\n").replace("#- plimsoll.toml", "#-");
    let text = text.split("#-").next().expect("a text").replace('\n', "\r\n");
    assert!(!shown(&text).contains(&"apt-lists-left"));
    assert_eq!(allowed(&text), ["apt-lists-left"]);
}

#[test]
fn a_blank_line_ends_the_reach_of_a_comment() {
    let text = above("# plimsoll: allow apt-lists-left\n\n");
    assert_eq!(shown(&text), ["unused-allow", "apt-lists-left"]);
    assert_eq!(mended(&text), parse(&text).text, "what was meant to allow something is not taken away");
    assert_eq!(shown(&above("# hadolint ignore=DL3009\n\n")), ["apt-lists-left"]);
}

#[test]
fn a_comment_is_about_the_next_instruction_alone() {
    let text = "FROM debian:12-slim\n# plimsoll: allow apt-lists-left\nRUN apt-get update\nRUN apt-get update\n\
                USER 1000\nCMD [\"a\"]\n";
    let found: Vec<_> = analyse(&parse(&format!("{text}{OTHERS_OFF}")))
        .findings
        .iter()
        .filter(|it| it.id() == "apt-lists-left")
        .map(|it| it.suppressed)
        .collect();
    assert_eq!(found, [true, false]);
}

#[test]
fn a_comment_inside_a_run_is_about_the_command_on_the_next_line() {
    let run = |first: &str, second: &str| {
        above("").replace("RUN apt-get update", &format!("RUN true \\\n{first}  && apt-get \\\n{second}    update"))
    };
    let comment = "# plimsoll: allow apt-lists-left\n";
    assert_eq!(shown(&run(comment, "")), [""; 0]);
    assert_eq!(shown(&run(&format!("{comment}  # why\n"), "")), [""; 0]);
    assert_eq!(shown(&run("# hadolint ignore=DL3009\n", "")), ["apt-lists-left"], "hadolint reads none there");
    let first = above("").replace("RUN apt-get update", &format!("RUN apt-get update \\\n{comment}  && true"));
    assert_eq!(shown(&first), ["apt-lists-left", "unused-allow"]);
    let heredoc = above("").replace("RUN apt-get update", &format!("RUN <<EOF\n{comment}apt-get update\nEOF"));
    assert_eq!(shown(&heredoc), [""; 0]);
}

#[test]
fn a_comment_for_the_file_stands_before_the_first_from() {
    let file = |comment: &str| format!("# syntax=docker/dockerfile:1\n{comment}\n{}", above(""));
    assert_eq!(shown(&file("# plimsoll: allow-file apt-lists-left")), [""; 0]);
    assert_eq!(shown(&file("# plimsoll: allow-file apt-lists-left\n\n")), [""; 0]);
    assert_eq!(shown(&file("# hadolint global ignore=DL3009")), [""; 0]);
    assert_eq!(shown(&above("# hadolint global ignore=DL3009\n\n")), [""; 0]);
    assert_eq!(shown(&above("# plimsoll: allow-file apt-lists-left\n")), ["unused-allow", "apt-lists-left"]);
}

#[test]
fn what_has_its_cause_earlier_is_allowed_at_either_place() {
    let text = |first: &str, second: &str| {
        format!(
            "FROM debian:12-slim\n{first}RUN apt-get update\n{second}RUN rm -rf /var/lib/apt/lists/*\nUSER 1000\n\
             CMD [\"a\"]\n{OTHERS_OFF}"
        )
    };
    assert_eq!(shown(&text("", "")), ["cleanup-in-later-layer"]);
    // Where the stronger finding is allowed, the next one speaks.
    let comment = "# plimsoll: allow cleanup-in-later-layer\n";
    assert_eq!(shown(&text("", comment)), ["apt-lists-left"]);
    assert_eq!(shown(&text("# plimsoll: allow apt-lists-left\n", comment)), [""; 0]);
}

#[test]
fn names_that_are_none_are_told_with_the_nearest() {
    let text = above("# plimsoll: allow apt-list-left, size\n");
    assert_eq!(
        notes(&text),
        [("apt-list-left".to_owned(), "unknown rule `apt-list-left`; did you mean `apt-lists-left`?".to_owned())]
    );
    assert_eq!(notes(&above("# plimsoll: alow size\n"))[0].0, "alow");
    assert_eq!(notes(&above("# plimsoll: allow\n"))[0].0, "# plimsoll: allow");
    assert_eq!(notes(&above("# plimsoll: allow fault\n"))[0].1, "errors of the file cannot be allowed");
    assert_eq!(notes(&above("# hadolint ignore=DL9999,SC2086\n")), [], "comments of others are their own matter");
    assert_eq!(
        notes(&above("# plimsoll: allow apt-list-left\n").replace("[groups]", "unused-allow = false\n[groups]")),
        []
    );
}

#[test]
fn names_that_silence_nothing_are_taken_away() {
    let text = above("# plimsoll: allow apt-lists-left, pip-cache-left — why\n");
    assert_eq!(notes(&text).iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["pip-cache-left"]);
    assert_eq!(mended(&text), parse(&above("# plimsoll: allow apt-lists-left — why\n")).text);
    let first = above("# plimsoll: allow pip-cache-left,apt-lists-left\n");
    assert_eq!(mended(&first), parse(&above("# plimsoll: allow apt-lists-left\n")).text);
    let all = above("# other\n  # plimsoll: allow pip-cache-left, npm-cache-left\n");
    assert_eq!(mended(&all), parse(&above("# other\n")).text);
    assert_eq!(
        notes(&above("# plimsoll: allow pip-cache-left\n").replace("[groups]", "unused-allow = false\n[groups]")),
        []
    );
}

#[test]
fn nothing_is_said_of_a_name_whose_rule_is_off_or_cannot_know() {
    let silent = |comment: &str, base: &str| notes(&above(comment).replace("debian:12-slim", base));
    assert_eq!(silent("# plimsoll: allow eol-base-image\n", "debian:12-slim"), [], "the group is off");
    let text = above("# plimsoll: allow npm-install-not-ci\n").replace("correctness = \"off\"\n", "");
    assert_eq!(notes(&text), [], "the context is not known");
    assert_eq!(silent("# plimsoll: allow DL3047\n", "debian:12-slim"), [], "the number was left out");
    let broken = above("# plimsoll: allow pip-cache-left\n").replace("apt-get update", "if then {{ x }}");
    assert_eq!(notes(&broken), [], "the shell text is not understood");
    let unneeded = above("# plimsoll: allow pip-cache-left\n").replace("USER 1000", "FROM debian:12-slim");
    assert_eq!(notes(&unneeded), [], "the stage is for another target");
}

#[test]
fn a_first_line_whose_comment_keeps_a_directive_from_being_one_stays() {
    let text = format!("# plimsoll: allow-file pip-cache-left\n# escape=`\n{}", above(""));
    assert_eq!(notes(&text).len(), 1);
    assert_eq!(mended(&text), parse(&text).text);
}

#[test]
fn a_reason_may_be_required() {
    let required = |comment: &str| shown(&above(comment).replace("[groups]", "require-reason = true\n[groups]"));
    assert_eq!(required("# plimsoll: allow apt-lists-left\n"), ["allow-without-reason"]);
    assert_eq!(required("# plimsoll: allow apt-lists-left — the next stage needs them\n"), [""; 0]);
    assert_eq!(required("# hadolint ignore=DL3009\n"), [""; 0]);
}

#[test]
fn faults_of_the_file_cannot_be_allowed() {
    let text = "# plimsoll: allow-file all\nFROM a\n# plimsoll: allow all\nRUN --x a\n";
    assert_eq!(shown(text), ["fault"]);
}

/// Ids of what is shown of two stages with a check each; the second stage's name has capitals.
fn checks(directive: &str, comment: &str, settings: &str) -> Vec<&'static str> {
    let text = format!(
        "{directive}FROM scratch as base\n{comment}FROM base AS Runtime\nCOPY a /a\nUSER 1000\nENTRYPOINT [\"/a\"]\n\
         #- plimsoll.toml\n{settings}"
    );
    analyse(&parse(&text))
        .shown()
        .filter(|it| it.id().ends_with("Casing") || it.id().contains("allow"))
        .map(Finding::id)
        .collect()
}

#[test]
fn comments_of_buildkit_skip_its_checks() {
    let both = ["FromAsCasing", "StageNameCasing"];
    assert_eq!(checks("", "", ""), both);
    assert_eq!(checks("# check=skip=FromAsCasing\n", "", ""), ["StageNameCasing"]);
    assert_eq!(checks("# check=skip=fromascasing\n", "", ""), both, "names have one spelling");
    assert_eq!(checks("# check=skip=all\n", "", ""), [""; 0]);
    assert_eq!(checks("", "# check=skip=StageNameCasing why\n", ""), ["FromAsCasing"]);
    assert_eq!(checks("", "# check=skip=FromAsCasing\n", ""), both, "it is about the instruction below");
    assert_eq!(checks("", "# plimsoll: allow stage-name-casing\n", ""), ["FromAsCasing"]);
    assert_eq!(checks("", "# plimsoll: allow StageNameCasing\n", ""), ["FromAsCasing"]);
    assert_eq!(checks("", "# plimsoll: allow style\n", ""), ["FromAsCasing"]);
    assert_eq!(
        checks("", "# plimsoll: allow from-as-casing\n", ""),
        ["FromAsCasing", "unused-allow", "StageNameCasing"]
    );
    let skipped =
        above("").replace("#- ", "#-").split("#-").next().map(|text| format!("# check=skip=all\n{text}{OTHERS_OFF}"));
    assert_eq!(shown(&skipped.expect("a text")), ["apt-lists-left"], "our rules are not BuildKit's checks");
}

#[test]
fn settings_switch_checks_one_by_one_by_group_and_all() {
    assert_eq!(checks("", "", "buildkit = false\n"), [""; 0]);
    assert_eq!(checks("", "", "buildkit = true\n").len(), 2);
    assert_eq!(checks("", "", "[groups]\nstyle = \"off\"\n"), [""; 0]);
    assert_eq!(
        checks("", "", "[groups]\nstyle = \"off\"\n[rules]\nstage-name-casing = \"hint\"\n"),
        ["StageNameCasing"]
    );
    assert_eq!(
        checks("", "# plimsoll: allow StageNameCasing\n", "buildkit = false\n"),
        [""; 0],
        "what is off is not unused"
    );
}

#[test]
fn a_directive_makes_every_check_an_error() {
    let severities = |directive: &str| -> Vec<Severity> {
        let text = format!("{directive}FROM scratch as base\nCOPY a /a\nUSER 1000\nENTRYPOINT [\"/a\"]\n");
        analyse(&parse(&text)).shown().filter(|it| it.id() == "FromAsCasing").map(|it| it.severity).collect()
    };
    assert_eq!(severities(""), [Severity::Hint]);
    assert_eq!(severities("# check=error=true\n"), [Severity::Error]);
}

#[test]
fn a_skipped_check_silences_the_rule_of_ours_that_replaces_it() {
    let text = "ARG V=1\nFROM scratch\n{}COPY a$V /a\nUSER 1000\nENTRYPOINT [\"/a\"]\n";
    let found = |comment: &str| {
        let found = shown(&text.replace("{}", comment));
        found.into_iter().filter(|it| matches!(*it, "variable-out-of-scope" | "UndefinedVar")).collect::<Vec<_>>()
    };
    assert_eq!(found(""), ["variable-out-of-scope"]);
    assert_eq!(found("# check=skip=UndefinedVar\n"), [""; 0]);
    assert_eq!(found("# plimsoll: allow variable-out-of-scope\n"), ["UndefinedVar"], "the next one speaks");
    assert_eq!(found("# plimsoll: allow variable-out-of-scope, UndefinedVar\n"), [""; 0]);
}

#[test]
fn a_secret_by_value_is_not_silenced_by_a_comment_for_another_linter() {
    let found = |line: &str, comment: &str| -> Vec<&'static str> {
        let text = format!("FROM debian:12-slim\n{comment}{line}\nRUN a\nUSER 1000\nCMD [\"a\"]\n");
        shown(&text).into_iter().filter(|it| it.to_ascii_lowercase().contains("secret")).collect()
    };
    let by_name = |comment: &str| found("ARG DB_PASSWORD", comment);
    let by_value = |comment: &str| found("ENV HOMEBREW=ghp_a8Bc7De6Fg5Hi4Jk3Lm2No1Pq0Rs9Tu8Vw7X", comment);
    let foreign = ["# hadolint ignore=DL3064\n", "# check=skip=SecretsUsedInArgOrEnv\n"];
    assert_eq!(by_name(""), ["secret-in-env-or-arg"]);
    assert_eq!(by_value(""), ["secret-in-env-or-arg"]);
    assert_eq!(by_name(foreign[0]), ["SecretsUsedInArgOrEnv"], "the check has no number there");
    assert_eq!(by_name(foreign[1]), [""; 0]);
    for comment in foreign {
        assert_eq!(by_value(comment), ["secret-in-env-or-arg"], "{comment}");
    }
    assert_eq!(by_value("# plimsoll: allow secret-in-env-or-arg — it is revoked\n"), [""; 0]);
}

/// The text after "allow here", or after "allow in the file", of its first finding.
fn edited(text: &str, in_file: bool) -> String {
    let fixture = parse(text);
    let analysis = analyse(&fixture);
    let finding = analysis.shown().find(|it| it.id() == "apt-lists-left").expect("it is found");
    let edit = if in_file { edits::in_file } else { edits::here };
    edit(&analysis.file, finding, false).expect("there is an edit").apply(&fixture.text)
}

fn check_edit(before: &str, in_file: bool, after: &str) {
    let tail = "RUN apt-get update\nCMD a\n";
    let text = format!("{before}{tail}");
    assert_eq!(edited(&text, in_file), format!("{after}{tail}"));
    assert_eq!(edited(&text.replace('\n', "\r\n"), in_file), format!("{after}{tail}").replace('\n', "\r\n"));
    let allowed = edited(&text, in_file);
    assert!(!shown(&allowed).contains(&"apt-lists-left"), "{allowed}");
}

#[test]
fn a_finding_is_allowed_by_a_line_above_its_instruction() {
    check_edit("FROM debian:12\n", false, "FROM debian:12\n# plimsoll: allow apt-lists-left\n");
    check_edit("FROM debian:12\n  ", false, "FROM debian:12\n  # plimsoll: allow apt-lists-left\n  ");
    check_edit(
        "FROM debian:12\n\n# what it does\n# and why\n",
        false,
        "FROM debian:12\n\n# plimsoll: allow apt-lists-left\n# what it does\n# and why\n",
    );
}

#[test]
fn a_comment_that_is_there_takes_the_rule_in() {
    check_edit(
        "FROM debian:12\n# plimsoll: allow npm-cache-left — why\n# more\n",
        false,
        "FROM debian:12\n# plimsoll: allow npm-cache-left, apt-lists-left — why\n# more\n",
    );
    check_edit(
        "# plimsoll: allow-file npm-cache-left\nFROM debian:12\n",
        true,
        "# plimsoll: allow-file npm-cache-left, apt-lists-left\nFROM debian:12\n",
    );
}

#[test]
fn a_comment_for_the_file_stands_behind_the_directives() {
    check_edit("FROM debian:12\n", true, "# plimsoll: allow-file apt-lists-left\nFROM debian:12\n");
    check_edit(
        "# syntax=docker/dockerfile:1\n# escape=\\\n# about\nFROM debian:12\n",
        true,
        "# syntax=docker/dockerfile:1\n# escape=\\\n# plimsoll: allow-file apt-lists-left\n# about\nFROM debian:12\n",
    );
    check_edit("\u{feff}FROM debian:12\n", true, "\u{feff}# plimsoll: allow-file apt-lists-left\nFROM debian:12\n");
}

#[test]
fn nothing_panics() {
    arbtest::arbtest(|random| {
        let pieces = [
            "# plimsoll: allow",
            "-file",
            " size",
            ", ",
            "all",
            " — ",
            "\n",
            "\r\n",
            "FROM a\n",
            "RUN b \\\n",
            "# x",
            "# hadolint ignore=",
            "DL3009",
            "# check=skip=",
            "é",
            "\u{feff}",
            "RUN <<E\n",
            "E\n",
            "  ",
            "apt-get update",
        ];
        let mut text = String::new();
        for _ in 0..random.int_in_range(0..=30)? {
            text.push_str(random.choose(&pieces)?);
        }
        let fixture = Fixture { text, ..Fixture::default() };
        let analysis = analyse(&fixture);
        for finding in &analysis.findings {
            for edit in [edits::here(&analysis.file, finding, true), edits::in_file(&analysis.file, finding, true)] {
                let _ = edit.map(|edit| edit.apply(&fixture.text));
            }
            let _ = finding.fix.as_ref().map(|fix| fix.edit.apply(&fixture.text));
        }
        Ok(())
    });
}
