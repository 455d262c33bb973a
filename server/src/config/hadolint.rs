//! hadolint's numbers and what became of each here: rules of ours, an error of the file, or left out for a reason.
//!
//! Data alone; which of the rules exist is not known here.

use crate::config::hadolint::Answer::{Fault, LeftOut, Partly, Rules};

/// A number of hadolint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// `DL3008`
    pub number: &'static str,
    /// What it asks for there, in a few words.
    pub about: &'static str,
    /// What became of it.
    pub answer: Answer,
}

/// What became of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These rules find it.
    Rules(&'static [&'static str]),
    /// These rules find a part of it; the rest is left out for this reason.
    Partly(&'static [&'static str], &'static str),
    /// BuildKit rejects it: an error of the file, which no setting switches off.
    Fault,
    /// Nothing finds it, for this reason.
    LeftOut(&'static str),
}

impl Row {
    /// The rules that find it, or a part of it.
    pub fn rules(&self) -> &'static [&'static str] {
        match self.answer {
            Rules(rules) | Partly(rules, _) => rules,
            Fault | LeftOut(_) => &[],
        }
    }
}

const fn row(number: &'static str, about: &'static str, answer: Answer) -> Row {
    Row { number, about, answer }
}

const LABEL_SCHEMA: Answer = LeftOut("it is a policy that needs a schema of labels per team");

/// All numbers of hadolint's list, retired ones too, in order.
pub static ROWS: &[Row] = &[
    row("DL1001", "inline ignore pragmas", LeftOut("a comment with a reason is what Plimsoll asks for")),
    row("DL3000", "absolute WORKDIR", Rules(&["WorkdirRelativePath"])),
    row(
        "DL3001",
        "commands without sense in a container",
        Partly(&["effect-lost-after-run"], "only a service whose start is lost is reported, the others do no harm"),
    ),
    row("DL3002", "the last USER is root", Rules(&["runs-as-root"])),
    row(
        "DL3003",
        "WORKDIR instead of cd",
        Partly(&["effect-lost-after-run"], "only a cd whose effect is lost is reported, `cd X && make` is sound"),
    ),
    row("DL3004", "sudo", Rules(&["sudo-in-run"])),
    row("DL3005", "apt-get dist-upgrade (retired)", Rules(&["whole-system-upgrade"])),
    row("DL3006", "an image without a tag", Rules(&["unpinned-base-tag"])),
    row("DL3007", "the tag latest", Rules(&["unpinned-base-tag"])),
    row("DL3008", "versions of apt packages", Rules(&["unpinned-package"])),
    row("DL3009", "apt lists that stay", Rules(&["apt-lists-left", "cleanup-in-later-layer"])),
    row("DL3010", "ADD for archives", Rules(&["copied-archive-unpacked"])),
    row("DL3011", "ports out of range", Fault),
    row("DL3012", "several HEALTHCHECK", Rules(&["MultipleInstructionsDisallowed"])),
    row("DL3013", "versions of Python packages", Rules(&["unpinned-package"])),
    row("DL3014", "apt-get without -y", Rules(&["install-waits-for-answer"])),
    row("DL3015", "recommended packages", Rules(&["apt-recommends-installed"])),
    row("DL3016", "versions of npm packages", Rules(&["unpinned-package"])),
    row("DL3017", "apk upgrade (retired)", Rules(&["whole-system-upgrade", "apk-index-left"])),
    row("DL3018", "versions of apk packages", Rules(&["unpinned-package"])),
    row("DL3019", "apk without --no-cache", Rules(&["apk-index-left"])),
    row("DL3020", "COPY instead of ADD", Rules(&["add-for-local-files"])),
    row("DL3021", "several sources without a folder", Fault),
    row("DL3022", "--from of an unknown stage", Rules(&["undefined-stage"])),
    row("DL3023", "--from of the own stage", Rules(&["undefined-stage"])),
    row("DL3024", "two stages of one name", Rules(&["DuplicateStageName"])),
    row("DL3025", "CMD and ENTRYPOINT as JSON", Rules(&["JSONArgsRecommended", "cmd-ignored-by-entrypoint"])),
    row("DL3026", "allowed registries", LeftOut("it is a policy for CI; a setting may come")),
    row("DL3027", "apt instead of apt-get", Rules(&["apt-in-script"])),
    row("DL3028", "versions of gems", Rules(&["unpinned-package"])),
    row("DL3029", "--platform in FROM", Rules(&["FromPlatformFlagConstDisallowed"])),
    row("DL3030", "yum without -y", Rules(&["install-waits-for-answer"])),
    row("DL3031", "yum update (retired)", Rules(&["whole-system-upgrade"])),
    row("DL3032", "yum clean all", Rules(&["rpm-cache-left"])),
    row("DL3033", "versions of yum packages", Rules(&["unpinned-package"])),
    row("DL3034", "zypper without -n", Rules(&["install-waits-for-answer"])),
    row("DL3035", "zypper dist-upgrade", Rules(&["whole-system-upgrade"])),
    row("DL3036", "zypper clean", Rules(&["rpm-cache-left"])),
    row("DL3037", "versions of zypper packages", Rules(&["unpinned-package"])),
    row("DL3038", "dnf without -y", Rules(&["install-waits-for-answer"])),
    row("DL3039", "dnf update (retired)", Rules(&["whole-system-upgrade"])),
    row("DL3040", "dnf clean all", Rules(&["rpm-cache-left"])),
    row("DL3041", "versions of dnf packages", Rules(&["unpinned-package"])),
    row("DL3042", "the cache of pip", Rules(&["pip-cache-left"])),
    row("DL3043", "a forbidden ONBUILD", Fault),
    row("DL3044", "ENV that refers to itself", Rules(&["variable-out-of-scope"])),
    row("DL3045", "COPY to a relative place", Rules(&["copy-to-root"])),
    row("DL3046", "useradd without -l", Rules(&["sparse-lastlog"])),
    row("DL3047", "wget without a progress option", LeftOut("it is about the length of the log, not about bytes")),
    row("DL3048", "keys of labels", LeftOut("it is a policy about labels")),
    row("DL3049", "a label that is missing", LABEL_SCHEMA),
    row("DL3050", "a label too many", LABEL_SCHEMA),
    row("DL3051", "an empty label", LABEL_SCHEMA),
    row("DL3052", "a label that is no URL", LABEL_SCHEMA),
    row("DL3053", "a label that is no time", LABEL_SCHEMA),
    row("DL3054", "a label that is no licence", LABEL_SCHEMA),
    row("DL3055", "a label that is no git hash", LABEL_SCHEMA),
    row("DL3056", "a label that is no version", LABEL_SCHEMA),
    row("DL3057", "a missing HEALTHCHECK", Rules(&["missing-healthcheck"])),
    row("DL3058", "a label that is no e-mail address", LABEL_SCHEMA),
    row("DL3059", "several RUN in a row", Rules(&["mergeable-run-layers"])),
    row("DL3060", "the cache of yarn", Rules(&["package-cache-left"])),
    row("DL3061", "the order of instructions", Fault),
    row("DL3062", "versions of go install", Rules(&["unpinned-package"])),
    row("DL3063", "a reserved name of a stage", Rules(&["ReservedStageName"])),
    row("DL3064", "secrets in ARG and ENV", Rules(&["secret-in-env-or-arg"])),
    row("DL3065", "--platform=$TARGETPLATFORM", Rules(&["RedundantTargetPlatform"])),
    row("DL3066", "a USER by number", Rules(&["user-not-in-image"])),
    row("DL3067", "a whole file system copied", Rules(&["copy-whole-stage"])),
    row("DL4000", "MAINTAINER", Rules(&["MaintainerDeprecated"])),
    row("DL4001", "wget and curl", LeftOut("the second one weighs 1.5 MB, and is often not the author's choice")),
    row("DL4003", "several CMD", Rules(&["MultipleInstructionsDisallowed"])),
    row("DL4004", "several ENTRYPOINT", Rules(&["MultipleInstructionsDisallowed"])),
    row("DL4005", "SHELL instead of ln -s", LeftOut("it is rare, and works")),
    row("DL4006", "pipefail", Rules(&["pipe-failure-hidden"])),
];

/// ShellCheck's findings, which hadolint shows as `SC2086`.
static SHELLCHECK: Row = row(
    "SC",
    "ShellCheck's findings",
    LeftOut("run ShellCheck for them; `# hadolint ignore=SC…` is read and has no effect here"),
);

/// The row of a number, letter case ignored; one for all numbers of ShellCheck.
pub fn find(number: &str) -> Option<&'static Row> {
    let (kind, digits) = number.split_at_checked(2)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if kind.eq_ignore_ascii_case("SC") {
        return Some(&SHELLCHECK);
    }
    ROWS.iter().find(|row| row.number.eq_ignore_ascii_case(number))
}

#[cfg(test)]
mod tests {
    use super::{Answer, ROWS, find};

    #[test]
    fn the_numbers_stand_in_order_and_none_twice() {
        assert!(ROWS.windows(2).all(|pair| pair[0].number < pair[1].number));
    }

    #[test]
    fn numbers_are_found_in_any_case_and_those_of_shellcheck_are_one() {
        assert_eq!(find("dl3009").map(|row| row.rules().len()), Some(2));
        assert!(find("SC2086").is_some_and(|row| matches!(row.answer, Answer::LeftOut(_))));
        assert!(find("DL3021").is_some_and(|row| row.answer == Answer::Fault));
        for name in ["DL9999", "SC", "DL", "SCx", "é", "apt-lists-left"] {
            assert_eq!(find(name), None, "{name}");
        }
    }
}
