//! Which of several findings speaks: made-up findings for the table, real ones for what files give today.

use super::{BASES, Row, SUM, Same, TABLE, apply};
use crate::fixture::{analyse, parse};
use crate::lower::{self, Build};
use crate::rules::{Context, Finding, Group, Related, Rule, Severity, catalogue};
use crate::text::{TextRange, TextSize};
use crate::weight::{Basis, Estimate};

fn shown(text: &str) -> Vec<&'static str> {
    analyse(&parse(text)).shown().map(|finding| finding.id()).collect()
}

/// A rule of this name that finds nothing by itself.
fn rule(name: &'static str, group: Group) -> &'static Rule {
    let check = |_: &Context, _: &mut Vec<Finding>| {};
    let severity = Severity::Warning;
    Box::leak(Box::new(Rule { name, group, severity, on: true, also: &[], doc: "", check }))
}

/// A finding whose cause is the first place of these words, and which names the others as related.
fn finding(text: &str, name: &'static str, pieces: &[&str]) -> Finding {
    let range = |piece: &&str| {
        let at = text.find(*piece).expect("the piece is in the text");
        TextRange::at(TextSize::new(at as u32), TextSize::of(*piece))
    };
    let mut res = Finding::new(rule(name, Group::Size), range(&pieces[0]), "");
    res.related = pieces[1..].iter().map(|piece| Related { range: range(piece), message: String::new() }).collect();
    res
}

fn spoken(text: &str, findings: &mut [Finding]) -> Vec<&'static str> {
    let file = lower::file(text.into(), &Build::default(), None);
    apply(&file, findings);
    findings.iter().filter(|it| it.speaks()).map(Finding::id).collect()
}

fn check(text: &str, findings: &[(&'static str, &[&str])], expected: &[&str]) {
    let mut all: Vec<Finding> = findings.iter().map(|(name, pieces)| finding(text, name, pieces)).collect();
    assert_eq!(spoken(text, &mut all), expected, "{text}");
    // The order in which rules have looked says nothing.
    all.iter_mut().for_each(|it| it.replaced = false);
    all.reverse();
    let mut reversed = spoken(text, &mut all);
    reversed.reverse();
    assert_eq!(reversed, expected, "{text}");
}

#[test]
fn every_id_of_the_table_is_one_of_the_catalogue() {
    let ids = TABLE.iter().flat_map(|row| row.order).flat_map(|ids| ids.iter()).chain(BASES).chain([&SUM]);
    for id in ids {
        assert!(catalogue::RULES.contains(id) || catalogue::CHECKS.contains(id), "{id}");
    }
}

#[test]
fn no_row_lets_a_rule_replace_itself() {
    for Row { order, .. } in TABLE {
        let mut ids: Vec<&str> = order.iter().flat_map(|ids| ids.iter().copied()).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    }
}

#[test]
fn lists_that_are_deleted_too_late_are_one_finding() {
    let text = "FROM debian:12-slim\nRUN apt-get update\nRUN rm -rf /var/lib/apt/lists/*\nUSER 1000\nCMD [\"a\"]\n\
                #- plimsoll.toml\n[groups]\ncache = \"off\"\ncorrectness = \"off\"\n[rules]\n";
    assert_eq!(shown(text), ["cleanup-in-later-layer"]);
    assert_eq!(shown(&format!("{text}cleanup-in-later-layer = \"off\"\n")), ["apt-lists-left"]);
}

#[test]
fn three_runs_of_update_install_and_rm_are_one_finding() {
    let text = "FROM a\nRUN update\nRUN install\nRUN rm lists\nRUN other\n";
    check(
        text,
        &[
            ("apt-update-alone", &["update"]),
            ("apt-lists-left", &["update"]),
            ("mergeable-run-layers", &["RUN update\nRUN install\nRUN rm lists"]),
            ("cleanup-in-later-layer", &["rm lists", "update"]),
            ("apt-recommends-installed", &["install"]),
        ],
        &["cleanup-in-later-layer", "apt-recommends-installed"],
    );
    check(
        text,
        &[("cleanup-in-later-layer", &["rm lists", "update"]), ("mergeable-run-layers", &["RUN other"])],
        &["cleanup-in-later-layer", "mergeable-run-layers"],
    );
}

#[test]
fn of_what_is_wrong_with_one_start_command_the_worst_is_told() {
    let text = "FROM a\nENTRYPOINT run\nCMD npm start\n";
    check(
        text,
        &[
            ("JSONArgsRecommended", &["CMD npm start"]),
            ("npm-as-pid1", &["npm start"]),
            ("cmd-ignored-by-entrypoint", &["ENTRYPOINT run"]),
        ],
        &["npm-as-pid1", "cmd-ignored-by-entrypoint"],
    );
}

#[test]
fn nothing_is_taken_from_an_image_that_runs_a_development_server() {
    let text = "FROM a\nRUN npm ci\nCMD npm run dev\n";
    check(
        text,
        &[
            ("single-stage-build", &["a"]),
            ("fat-base-image", &["a"]),
            ("dev-dependencies-in-final", &["npm ci"]),
            ("npm-as-pid1", &["npm run dev"]),
            ("JSONArgsRecommended", &["CMD npm run dev"]),
            ("dev-server-as-command", &["npm run dev"]),
        ],
        &["fat-base-image", "dev-server-as-command"],
    );
}

#[test]
fn a_second_stage_makes_the_smaller_findings_of_its_stage_vain() {
    let text = "FROM base\nRUN go build\nRUN yarn install\nRUN apt-get install gcc\nCMD x\n";
    check(
        text,
        &[
            ("single-stage-build", &["base"]),
            ("fat-base-image", &["base"]),
            ("eol-base-image", &["base"]),
            ("build-tools-in-final", &["gcc"]),
            ("package-cache-left", &["go build"]),
            ("package-cache-left", &["yarn install"]),
            ("npm-cache-left", &["yarn install"]),
        ],
        &["single-stage-build", "eol-base-image", "package-cache-left", "npm-cache-left"],
    );
}

#[test]
fn of_three_smaller_bases_the_one_that_saves_most_is_told() {
    let text = "FROM base\nCMD x\n";
    let with = |name, bytes| {
        let mut res = finding(text, name, &["base"]);
        res.saves = Some(Estimate::exact(bytes, Basis::Table, ""));
        res
    };
    let mut all = [with("fat-base-image", 500), with("static-binary-on-fat-base", 900), with("sdk-as-runtime", 300)];
    assert_eq!(spoken(text, &mut all), ["static-binary-on-fat-base"]);
    let mut all = [with("fat-base-image", 300), with("sdk-as-runtime", 300)];
    assert_eq!(spoken(text, &mut all), ["sdk-as-runtime"]);
}

#[test]
fn a_secret_that_is_deleted_too_late_is_a_secret_first() {
    let text = "FROM a\nCOPY key /key\nCOPY big /big\nRUN use && rm /key\n";
    check(
        text,
        &[("secret-file-copied", &["key"]), ("cleanup-in-later-layer", &["rm /key", "key"])],
        &["secret-file-copied"],
    );
    check(
        text,
        &[("secret-file-copied", &["key"]), ("cleanup-in-later-layer", &["rm /key", "key", "big"])],
        &["secret-file-copied", "cleanup-in-later-layer"],
    );
}

#[test]
fn what_is_mounted_is_not_in_the_layer() {
    let text = "FROM a\nRUN --mount=type=cache,target=/x npm ci\nRUN npm ci -g y\n";
    check(
        text,
        &[
            ("ineffective-cache-mount", &["--mount=type=cache,target=/x"]),
            ("npm-cache-left", &["npm ci"]),
            ("npm-cache-left", &["npm ci -g y"]),
        ],
        &["ineffective-cache-mount", "npm-cache-left"],
    );
}

#[test]
fn one_install_has_one_finding_about_the_cache() {
    let text = "FROM a\nCOPY . .\nRUN npm install\n";
    check(
        text,
        &[
            ("copy-all-before-install", &["COPY . .", "npm install"]),
            ("dependencies-not-split", &["npm install"]),
            ("install-without-cache-mount", &["npm install"]),
            ("lockfile-not-copied", &["npm install"]),
        ],
        &["lockfile-not-copied"],
    );
}

#[test]
fn an_ssh_server_is_told_once_and_other_tools_beside_it() {
    let text = "FROM a\nRUN install vim sshd && passwd root\n";
    let mut server = finding(text, "ssh-server-in-image", &["install vim sshd && passwd root"]);
    server.range = finding(text, "ssh-server-in-image", &["sshd"]).range;
    let others = [("dev-tools-in-final", "vim"), ("dev-tools-in-final", "sshd"), ("secret-in-run", "passwd root")];
    let mut all: Vec<Finding> = others.iter().map(|(name, piece)| finding(text, name, &[*piece])).collect();
    all.push(server);
    assert_eq!(spoken(text, &mut all), ["dev-tools-in-final", "ssh-server-in-image"]);
    assert!(!all[0].replaced);
}

#[test]
fn the_history_of_git_in_an_ignore_file_is_told_once() {
    let text = "FROM a\nCOPY .git /x\n";
    let with = |message: &str| {
        let mut res = finding(text, "dockerignore-incomplete", &["COPY .git /x"]);
        res.message = message.to_owned();
        [finding(text, "git-history-kept", &[".git"]), res]
    };
    assert_eq!(spoken(text, &mut with("`.dockerignore` lets `.git` through (90 MB)")), ["git-history-kept"]);
    assert_eq!(spoken(text, &mut with("`.dockerignore` lets `.git` and `data` through")).len(), 2);
}

#[test]
fn where_the_table_is_silent_the_same_bytes_are_told_once() {
    let text = "FROM a\nRUN b\n";
    let with = |name, group, bytes, severity| {
        let mut res = Finding { severity, ..finding(text, name, &["RUN b"]) };
        res.source = crate::rules::Source::Rule(rule(name, group));
        res.saves = Some(Estimate::exact(bytes, Basis::Recipe, ""));
        res
    };
    let warning = Severity::Warning;
    let mut all = [
        with("download-kept", Group::Size, 7, warning),
        with("copied-archive-unpacked", Group::Size, 7, warning),
        with("sparse-lastlog", Group::Size, 8, warning),
        with("unused-stage", Group::Cache, 7, warning),
        with("image-over-budget", Group::Size, 7, warning),
    ];
    let expected = ["copied-archive-unpacked", "sparse-lastlog", "unused-stage", "image-over-budget"];
    assert_eq!(spoken(text, &mut all), expected);
    let mut all = [
        with("download-kept", Group::Size, 7, Severity::Error),
        with("copied-archive-unpacked", Group::Size, 7, warning),
    ];
    assert_eq!(spoken(text, &mut all), ["download-kept"]);
}

#[test]
fn what_is_allowed_replaces_nothing_and_is_not_replaced() {
    let text = "FROM a\nCMD npm start\n";
    let mut all =
        [finding(text, "npm-as-pid1", &["npm start"]), finding(text, "JSONArgsRecommended", &["CMD npm start"])];
    all[0].suppressed = true;
    assert_eq!(spoken(text, &mut all), ["JSONArgsRecommended"]);
    let mut all =
        [finding(text, "npm-as-pid1", &["npm start"]), finding(text, "JSONArgsRecommended", &["CMD npm start"])];
    all[1].suppressed = true;
    assert_eq!(spoken(text, &mut all), ["npm-as-pid1"]);
    assert!(!all[1].replaced);
}

#[test]
fn a_row_of_one_file_needs_a_stronger_finding() {
    assert!(TABLE.iter().any(|row| row.same == Same::File));
    check("FROM a\nCOPY . .\n", &[("dockerignore-incomplete", &["COPY . ."])], &["dockerignore-incomplete"]);
    check(
        "FROM a\nCOPY . .\nADD . /b\n",
        &[("missing-dockerignore", &["COPY . ."]), ("dockerignore-incomplete", &["ADD . /b"])],
        &["missing-dockerignore"],
    );
}

#[test]
fn many_findings_are_no_work() {
    let mut text = String::from("FROM a\n");
    (0..20_000).for_each(|number| text.push_str(&format!("RUN npm {number}\n")));
    let file = lower::file(text.as_str().into(), &Build::default(), None);
    let rules = ["npm-cache-left", "install-without-cache-mount", "cleanup-in-later-layer", "mergeable-run-layers"];
    let rules = rules.map(|name| rule(name, Group::Size));
    let mut findings: Vec<Finding> = file
        .instructions()
        .flat_map(|placed| rules.iter().map(move |rule| Finding::new(rule, placed.whole(), "")))
        .collect();
    apply(&file, &mut findings);
    assert_eq!(findings.iter().filter(|it| it.speaks()).count(), 2 * 20_001);
}
