//! The other ways of merging, byte for byte: as a script in a heredoc, and below an ENV or ARG.

use std::sync::Arc;

use crate::assists::Assist;
use crate::assists::Offer;
use crate::assists::merge_runs::{HEREDOC, HOIST, offer};
use crate::config::Config;
use crate::facts::Facts;
use crate::lower;
use crate::text::{TextRange, TextSize};

/// The assist of a variant, with the cursor on the first RUN.
fn assist(text: &str, variant: &str) -> Option<Assist> {
    let file = lower::file(Arc::from(text), &lower::Build::default(), None);
    let facts = Facts::of(&file, &Config::default());
    let at = TextSize::new(text.find("\nRUN")? as u32 + 1);
    offer(&file, &facts, TextRange::empty(at)).into_iter().find_map(|offer| match offer {
        Offer::Assist(assist) => Some(assist).filter(|it| it.variant == Some(variant)),
        Offer::Refusal(_) => None,
    })
}

/// Checks the script that comes of the RUNs, and that merging again does nothing.
fn script(before: &str, after: &str) {
    let whole = |text: &str| format!("# syntax=docker/dockerfile:1\nFROM debian:bookworm-slim\n{}", text.trim_start());
    let (before, after) = (whole(before), whole(after));
    let assist = assist(&before, HEREDOC).expect("it is offered");
    assert_eq!(assist.edit.apply(&before), after);
    assert_eq!(self::assist(&after, HEREDOC), None, "merging again");
}

fn no_script(text: &str) {
    let text = format!("# syntax=docker/dockerfile:1\nFROM debian:bookworm-slim\n{text}");
    assert_eq!(assist(&text, HEREDOC), None, "{text}");
}

/// Checks what comes of the RUNs with an ENV or ARG between them.
fn hoist(before: &str, after: &str) {
    let whole = |text: &str| format!("FROM debian:bookworm-slim\n{}", text.trim_start());
    let (before, after) = (whole(before), whole(after));
    let assist = assist(&before, HOIST).expect("it is offered");
    assert!(!assist.doubts.is_empty() && !assist.preferred);
    assert_eq!(assist.edit.apply(&before), after);
    assert_eq!(self::assist(&after, HOIST), None, "merging again");
}

fn no_hoist(text: &str) {
    let text = format!("FROM debian:bookworm-slim\n{text}");
    assert_eq!(assist(&text, HOIST), None, "{text}");
}

#[test]
fn example_19_a_script_under_set_e_takes_in_others() {
    script(
        r"
RUN <<EOF
set -e
mkdir /a
touch /a/x
EOF
RUN chmod 700 /a && touch /a/y
",
        r"
RUN <<EOF
set -e
mkdir /a
touch /a/x
chmod 700 /a
touch /a/y
EOF
",
    );
    // Without asking for it: it is the only way.
    let merge = assist("FROM a\nRUN <<EOF\nset -e\na\nEOF\nRUN b\n", HEREDOC).expect("it is offered");
    assert!(merge.preferred);
}

#[test]
fn chains_become_lines_under_set_e() {
    script(
        r#"
RUN apt-get update && apt-get install -y \
      curl \
      # for the keys
      gnupg \
      #curl \
      && d # why
# then
RUN a || b
RUN cd /x && c
RUN if d; then e; fi
RUN echo "[$V]" > /w; 
"#,
        r#"
RUN <<EOF
set -e
apt-get update
# for the keys
apt-get install -y \
      curl \
      gnupg
#curl \
d
# why
# then
( a || b )
( cd /x && c )
( if d; then e; fi )
echo "[$V]" > /w
EOF
"#,
    );
}

#[test]
fn the_last_one_needs_no_brackets() {
    script("RUN a\nRUN cd /x && b || c\n", "RUN <<EOF\nset -e\na\ncd /x && b || c\nEOF\n");
    script("RUN a\nRUN cd /x && b # why\n", "RUN <<EOF\nset -e\na\ncd /x\nb # why\nEOF\n");
}

#[test]
fn lists_under_set_e_are_taken_as_they_are() {
    script(
        "RUN set -eux; a; b && c\nRUN set -uex; \\\n    # first\n    d; \\\n    e | f\n",
        "RUN <<EOF\nset -eux\na\nb\nc\n# first\nd\ne | f\nEOF\n",
    );
    script("RUN a\nRUN set -ex; b; c\n", "RUN <<EOF\nset -e\na\nb\nc\nEOF\n");
    script("RUN set -e; cd /x; a; b\nRUN c\n", "RUN <<EOF\nset -e\n( cd /x; a; b )\nc\nEOF\n");
}

#[test]
fn what_set_e_would_make_fail_is_refused() {
    no_script("RUN a; b\nRUN c\n");
    no_script("RUN a\nRUN for x in y; do b; c; done\n");
    no_script("RUN set -u && a\nRUN b\n");
    no_script("RUN set -eu; a\nRUN b\n");
    no_script("RUN f() { a; }; f\nRUN b\n");
    no_script("RUN . /x && a\nRUN b\n");
    no_script("RUN a &\nRUN b\n");
    no_script("RUN nginx\nRUN b\n");
    no_script("RUN [\"a\"]\nRUN b\n");
}

#[test]
fn a_heredoc_is_offered_where_buildkit_knows_it() {
    let offered = |head: &str| assist(&format!("{head}FROM a\nRUN a\nRUN b\n"), HEREDOC).is_some();
    for syntax in ["docker/dockerfile:1", "docker/dockerfile:1.4", "docker.io/docker/dockerfile:1.7-labs"] {
        assert!(offered(&format!("# syntax={syntax}\n")), "{syntax}");
    }
    // PEERS.md §3: a script is no second choice where the named frontend does not know it.
    for head in ["", "# syntax=docker/dockerfile:1.2\n", "# syntax=docker/dockerfile:1.3-labs\n", "# syntax=a/b:1\n"] {
        assert!(!offered(head), "{head}");
    }
    assert!(assist("FROM a\nRUN a\nRUN b\nCOPY <<E /x\nE\n", HEREDOC).is_some());
    let crlf = "# syntax=docker/dockerfile:1\r\nFROM a\r\nRUN a\r\nRUN b\r\n";
    assert_eq!(assist(crlf, HEREDOC), None);
}

#[test]
fn scripts_that_are_there_keep_their_lines() {
    script(
        r"
RUN --mount=type=cache,target=/c <<'END'
  # why
  set -ex

  a   # one
  if b; then
    c
  fi
END
# between
RUN --mount=type=cache,target=/c <<EOF
# about this
set -ex # all of it
d
e && f
# the end
EOF
LABEL x=y
RUN --mount=type=cache,target=/c set -ex; g
",
        r"
RUN --mount=type=cache,target=/c <<'END'
  # why
  set -ex

  a   # one
  ( if b; then
    c
  fi )
# between
# about this
# all of it
d
( e && f )
# the end
g
END
LABEL x=y
",
    );
}

#[test]
fn what_is_allowed_stays_allowed_above_the_script() {
    script(
        "RUN a\n# plimsoll: allow x — why\n# hadolint ignore=DL1\nRUN b\n",
        "# plimsoll: allow x — why\n# hadolint ignore=DL1\nRUN <<EOF\nset -e\na\nb\nEOF\n",
    );
}

#[test]
fn a_delimiter_that_stands_in_the_script_is_none() {
    script("RUN echo 'a' && \\\nEOF\nRUN b\n", "RUN <<EOF2\nset -e\necho 'a'\nEOF\nb\nEOF2\n");
}

#[test]
fn a_continuation_in_quotes_is_not_the_shells() {
    no_script("RUN echo 'a\\\n  b'\nRUN c\n");
    script("RUN echo \"a\\\n  b\"\nRUN c\n", "RUN <<EOF\nset -e\necho \"a\\\n  b\"\nc\nEOF\n");
}

#[test]
fn an_env_between_moves_up() {
    hoist(
        r"
# about the first
RUN a
# the release
ENV APP_RELEASE=7 \
    APP_COLOR=red
LABEL b=c
ARG COMMIT
RUN d
",
        r"
# the release
ENV APP_RELEASE=7 \
    APP_COLOR=red
ARG COMMIT
# about the first
RUN a \
    && d
LABEL b=c
",
    );
}

#[test]
fn a_variable_that_a_command_before_may_read_stays() {
    no_hoist("RUN echo $APP\nENV APP=1\nRUN b\n");
    no_hoist("RUN a\nLABEL x=$APP\nENV APP=1\nRUN b\n");
    no_hoist("RUN a\nENV NODE_ENV=production\nRUN npm ci\n");
    no_hoist("RUN a\nENV PATH=/x:/bin\nRUN b\n");
    no_hoist("RUN a\nENV http_proxy=x\nRUN b\n");
    no_hoist("RUN a\nENV CPLUS_INCLUDE_PATH=/x\nRUN b\n");
    no_hoist("RUN a\nENV APP=$OTHER\nRUN b\n");
    no_hoist("RUN a\nWORKDIR /x\nENV APP=1\nRUN b\n");
    no_hoist("RUN a\nRUN b\nENV APP=1\n");
    no_hoist("ENV APP=1\nRUN a\nRUN b\n");
}

#[test]
fn what_cannot_be_joined_is_no_reason_to_move_a_variable() {
    no_hoist("RUN a &\nENV APP=1\nRUN b\n");
    hoist("RUN a\nRUN b\nENV APP=1\nRUN c\nRUN d &\n", "ENV APP=1\nRUN a \\\n    && b \\\n    && c\nRUN d &\n");
}
