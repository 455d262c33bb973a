//! Merged texts, byte for byte: the examples and refusals of SPEC-merge-run.md §10, and what else was met.

use std::sync::Arc;

use crate::assists::Offer;
use crate::assists::merge_runs::{all, offer};
use crate::config::Config;
use crate::facts::Facts;
use crate::lower;
use crate::model::File;
use crate::text::{TextRange, TextSize};

fn file(text: &str) -> (File, Facts) {
    let file = lower::file(Arc::from(text), &lower::Build::default(), None);
    let facts = Facts::of(&file, &Config::default());
    (file, facts)
}

/// The text after every merge that is possible, one after another.
fn merged(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..10 {
        let (file, facts) = file(&text);
        let Some(assist) = all(&file, &facts).into_iter().next() else { return text };
        text = assist.edit.apply(&text);
    }
    panic!("merging does not end:\n{text}");
}

/// Checks the result of merging all that can be merged below `FROM debian:bookworm-slim`, with other line ends, in
/// lower case, with tabs (where the text shows an indentation) and once more.
fn check(before: &str, after: &str) {
    let whole = |text: &str| format!("FROM debian:bookworm-slim\n{text}");
    let (before, after) = (whole(before.trim_start()), whole(after.trim_start()));
    assert_eq!(merged(&before), after);
    assert_eq!(merged(&after), after, "merging again");
    let crlf = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(merged(&crlf(&before)), crlf(&after), "with CRLF");
    let lower = |text: &str| text.replace("\nRUN", "\nrun");
    assert_eq!(merged(&lower(&before)), lower(&after), "in lower case");
    assert_eq!(merged(before.trim_end()), after.trim_end(), "without a last line end");
    if before.contains("\n    ") {
        let tabs = |text: &str| text.replace("\n    ", "\n\t");
        assert_eq!(merged(&tabs(&before)), tabs(&after), "with tabs");
    }
}

/// Checks that nothing can be merged, and the code that is given at the last RUN.
fn refused(text: &str, code: &str) {
    let text = format!("FROM debian:bookworm-slim\n{}", text.trim_start());
    assert_eq!(merged(&text), text);
    let last = text.rfind("\nRUN").expect("a RUN") as u32 + 1;
    let (file, facts) = file(&text);
    let [Offer::Refusal(refusal)] = &offer(&file, &facts, TextRange::empty(last.into()))[..] else {
        panic!("no refusal:\n{text}")
    };
    assert_eq!(refusal.code, code, "{}", refusal.reason);
}

/// Checks that the action says nothing at all, wherever the cursor is.
fn silent(text: &str) {
    let text = format!("FROM debian:bookworm-slim\n{}", text.trim_start());
    let (file, facts) = file(&text);
    for at in 0..=text.len() as u32 {
        assert_eq!(offer(&file, &facts, TextRange::empty(at.into())), [], "at {at} of\n{text}");
    }
}

/// The text after the only assist offered between the marks `<|>` (one mark: a cursor).
fn at_marks(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split("<|>").collect();
    let start = TextSize::of(parts[0]);
    let end = if parts.len() > 2 { start + TextSize::of(parts[1]) } else { start };
    let text = parts.concat();
    let (file, facts) = file(&text);
    match &offer(&file, &facts, TextRange::new(start, end))[..] {
        [Offer::Assist(assist)] => Some(assist.edit.apply(&text)),
        _ => None,
    }
}

#[test]
fn example_1_apt_in_three_layers() {
    check(
        r"
RUN apt-get update
RUN apt-get install -y curl
RUN rm -rf /var/lib/apt/lists/*
",
        r"
RUN apt-get update \
    && apt-get install -y curl \
    && rm -rf /var/lib/apt/lists/*
",
    );
}

#[test]
fn example_2_or_first_is_wrapped_for_the_reader() {
    check(
        r"
RUN groupadd -r app || true
RUN useradd -r -g app app
",
        r"
RUN { groupadd -r app || true; } \
    && useradd -r -g app app
",
    );
}

#[test]
fn example_3_or_second_would_rescue_the_first() {
    check(
        r"
RUN mkdir -p /data
RUN ls /nonexistent || echo missing > /data/state
",
        r"
RUN mkdir -p /data \
    && { ls /nonexistent || echo missing > /data/state; }
",
    );
}

#[test]
fn example_4_a_semicolon_would_hide_the_failure_of_the_first() {
    check(
        r"
RUN mkdir /out
RUN rm -f /tmp/x; touch /out/b
",
        r"
RUN mkdir /out \
    && { rm -f /tmp/x; touch /out/b; }
",
    );
}

#[test]
fn example_5_cd_stays_in_its_own_shell() {
    check(
        r"
RUN cd /tmp && mkdir src && touch src/x
RUN mkdir out
",
        r"
RUN ( cd /tmp && mkdir src && touch src/x ) \
    && mkdir out
",
    );
}

#[test]
fn example_6_export_stays_in_its_own_shell() {
    check(
        r#"
RUN export V=1.2 && echo "$V" > /v
RUN echo "[$V]" > /w
"#,
        r#"
RUN ( export V=1.2 && echo "$V" > /v ) \
    && echo "[$V]" > /w
"#,
    );
}

#[test]
fn example_7_one_set_for_lists_of_the_same_style() {
    check(
        r"
RUN set -eux; mkdir /x; touch /x/a
RUN set -eux; touch /x/b; chmod 600 /x/b
",
        r"
RUN set -eux; \
    mkdir /x; \
    touch /x/a; \
    touch /x/b; \
    chmod 600 /x/b
",
    );
}

#[test]
fn example_8_a_chain_at_the_end_of_a_set_e_list_is_taken_apart() {
    check(
        r"
RUN set -e; mkdir /x; test -d /x && touch /x/a
RUN set -e; touch /x/b
",
        r"
RUN set -e; \
    mkdir /x; \
    test -d /x; \
    touch /x/a; \
    touch /x/b
",
    );
}

#[test]
fn example_9_a_set_e_list_before_a_chain_stays_unwrapped() {
    check(
        r"
RUN set -ex; mkdir /x; touch /x/a
RUN touch /x/b && chmod 600 /x/b
",
        r"
RUN set -ex; mkdir /x; touch /x/a \
    && touch /x/b && chmod 600 /x/b
",
    );
}

#[test]
fn example_10_comments_are_kept_and_pragmas_united() {
    check(
        r"
# the health check needs it
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends curl
# drop the package lists
# hadolint ignore=DL3059
RUN rm -rf /var/lib/apt/lists/*
",
        r"
# the health check needs it
# hadolint ignore=DL3008,DL3059
RUN apt-get update && apt-get install -y --no-install-recommends curl \
    # drop the package lists
    && rm -rf /var/lib/apt/lists/*
",
    );
}

#[test]
fn example_11_a_comment_of_the_shell_gets_its_own_line() {
    check(
        r"
RUN mkdir /a # scratch space
RUN mkdir /b
",
        r"
RUN mkdir /a \
    # scratch space
    && mkdir /b
",
    );
}

#[test]
fn example_12_the_style_of_the_file_is_kept() {
    check(
        r"
RUN mkdir /srv/app && \
    # keep this first
    touch /srv/app/one && \

    touch /srv/app/two
RUN chmod 700 /srv/app
",
        r"
RUN mkdir /srv/app && \
    # keep this first
    touch /srv/app/one && \
    touch /srv/app/two && \
    chmod 700 /srv/app
",
    );
}

#[test]
fn a_new_line_stands_where_commands_stand_not_their_arguments() {
    check(
        r"
RUN apt-get update && apt-get install -y \
        curl \
        git \
        xz-utils \
  && apt-get clean
RUN mkdir /x
",
        r"
RUN apt-get update && apt-get install -y \
        curl \
        git \
        xz-utils \
  && apt-get clean \
  && mkdir /x
",
    );
}

#[test]
fn a_list_under_set_e_may_stand_beside_others() {
    check(
        r"
RUN set -e; a; b
RUN set -e; c; d
RUN e
",
        r"
RUN set -e; \
    a; \
    b; \
    c; \
    d \
    && e
",
    );
    check(
        r"
RUN a
RUN set -e; b; c
RUN set -e; d; e
",
        r"
RUN a \
    && { set -e; \
    b; \
    c; \
    d; \
    e; }
",
    );
    check("RUN set -e && a\nRUN b; c\n", "RUN ( set -e && a ) \\\n    && { b; c; }\n");
}

#[test]
fn example_13_metadata_between_moves_behind() {
    check(
        r"
RUN mkdir /one
LABEL team=web
EXPOSE 8080
RUN mkdir /two
",
        r"
RUN mkdir /one \
    && mkdir /two
LABEL team=web
EXPOSE 8080
",
    );
}

#[test]
fn example_14_equal_mounts_are_written_once() {
    check(
        r"
RUN --mount=type=cache,target=/root/.cache echo a > /a
RUN --mount=type=cache,target=/root/.cache echo b > /b
",
        r"
RUN --mount=type=cache,target=/root/.cache echo a > /a \
    && echo b > /b
",
    );
}

#[test]
fn example_15_a_shell_with_pipefail() {
    check(
        r#"
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN printf '%s\n' a b | sort > /s
RUN [[ -s /s ]] && cp /s /t
"#,
        r#"
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN printf '%s\n' a b | sort > /s \
    && [[ -s /s ]] && cp /s /t
"#,
    );
}

#[test]
fn example_16_compounds_are_elements_like_any_other() {
    check(
        r"
RUN for d in a b; do mkdir /$d; done
RUN if [ -d /a ]; then touch /a/x; fi
RUN ( cd /b && touch y )
",
        r"
RUN for d in a b; do mkdir /$d; done \
    && if [ -d /a ]; then touch /a/x; fi \
    && ( cd /b && touch y )
",
    );
}

#[test]
fn example_17_exit_ends_its_own_shell_alone() {
    check(
        r"
RUN touch /a && exit 0
RUN touch /b
",
        r"
RUN ( touch /a && exit 0 ) \
    && touch /b
",
    );
}

#[test]
fn example_18_umask_stays_in_its_own_shell() {
    check(
        r"
RUN umask 077 && touch /a
RUN touch /b
",
        r"
RUN ( umask 077 && touch /a ) \
    && touch /b
",
    );
}

#[test]
fn example_20_the_exec_form_is_quoted() {
    check(
        r#"
RUN ["mkdir", "/exec dir"]
RUN touch "/exec dir/x"
"#,
        r#"
RUN mkdir '/exec dir' \
    && touch "/exec dir/x"
"#,
    );
}

#[test]
fn words_of_the_exec_form_mean_nothing_to_the_shell() {
    check(
        r#"
RUN a
RUN ["/bin/sh", "-c", "b $HOME && c; d"]
RUN ["e", "", "it's", "*", "a=b", "--x=y"]
RUN [ "if", "A=1" ]
"#,
        r#"
RUN a \
    && /bin/sh -c 'b $HOME && c; d' \
    && e '' 'it'"'"'s' '*' a=b --x=y \
    && 'if' A=1
"#,
    );
    check("RUN set -e; a; b\nRUN [\"c\"]\n", "RUN set -e; a; b \\\n    && c\n");
}

#[test]
fn an_exec_form_that_a_shell_would_read_otherwise_is_refused() {
    refused("SHELL [\"/bin/bash\", \"-c\"]\nRUN a\nRUN [\"b\"]\n", "X3");
    refused("RUN a\nRUN [\"b\", \"x\\\\ny\"]\n", "X3");
    refused("RUN a\nRUN [\"b\", \"x\\ny\"]\n", "X3");
    refused("RUN a\nRUN [\"cd\", \"/x\"]\n", "X3");
    refused("RUN a\nRUN [\"nginx\"]\n", "X2");
    refused("RUN a\nRUN [\"b\", \\\n # why\n \"c\"]\n", "X3");
}

#[test]
fn an_image_without_a_shell_is_left_without_one() {
    let (file, facts) = file("FROM gcr.io/distroless/base\nRUN [\"a\"]\nRUN [\"b\"]\n");
    assert_eq!(all(&file, &facts), []);
    let (file, facts) = self::file("FROM scratch\nCOPY . /\nRUN [\"a\"]\nRUN [\"b\"]\n");
    assert_eq!(all(&file, &facts), []);
    check("RUN [\"a\"]\nRUN [\"b\"]\n", "RUN a \\\n    && b\n");
}

#[test]
fn example_21_negation() {
    check(
        r"
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
RUN ! grep -q zzz /etc/passwd
RUN touch /ok
",
        r"
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/* \
    && ! grep -q zzz /etc/passwd \
    && touch /ok
",
    );
}

#[test]
fn refusal_1_and_2_effects_that_are_lost_today() {
    refused("RUN cd /usr/share/app/build\nRUN yarn global add serve\n", "X7");
    refused("RUN export PATH=/opt/tool/bin:$PATH\nRUN tool --version\n", "X7");
    refused("RUN mkdir /x && cd /x\nRUN touch y\n", "X7");
    refused("RUN . /opt/env.sh\nRUN tool\n", "X7");
    refused("RUN V=1\nRUN echo $V\n", "X7");
}

#[test]
fn refusal_3_daemons() {
    refused("RUN service mysql start && mysql -e 'create database x'\nRUN rm -rf /var/lib/mysql/tmp\n", "X2");
    refused("RUN /etc/init.d/postgresql start && psql -c 'select 1'\nRUN true\n", "X2");
    refused("RUN nohup server\nRUN curl localhost\n", "X2");
    check("RUN nginx -t\nRUN mysqld --initialize\n", "RUN nginx -t \\\n    && mysqld --initialize\n");
}

#[test]
fn refusal_4_background_jobs() {
    refused("RUN server & sleep 5\nRUN curl localhost\n", "X1");
    refused("RUN ( server & sleep 5; curl localhost )\nRUN true\n", "X1");
}

#[test]
fn a_job_at_the_end_is_a_job() {
    refused("RUN server &\nRUN curl localhost\n", "X1");
    refused("RUN a; server&\nRUN curl localhost\n", "X1");
}

#[test]
fn refusals_5_6_7_and_13_other_instructions_end_a_group() {
    for between in [
        "ENV NODE_ENV=production",
        "ARG PIP_INDEX_URL",
        "WORKDIR /app",
        "USER app",
        "COPY . .",
        "ADD x /x",
        "VOLUME /data",
        "SHELL [\"/bin/bash\", \"-c\"]",
        "ONBUILD RUN c",
        "FROM debian:trixie-slim",
    ] {
        silent(&format!("RUN a\n{between}\nRUN b\n"));
    }
}

#[test]
fn refusal_8_different_flags() {
    refused("RUN --mount=type=secret,id=npm npm ci\nRUN npm run build\n", "R8");
    refused("RUN --network=none a\nRUN b\n", "R8");
    refused("RUN --mount=type=cache,target=/a x\nRUN --mount=type=cache,target=/b x\n", "R8");
}

#[test]
fn the_order_of_mounts_and_options_and_written_defaults_mean_nothing() {
    check(
        r"
RUN --mount=type=cache,target=/a --mount=type=cache,target=/b x
RUN --mount=target=/b,type=cache --mount=type=cache,dst=/a --network=default y
",
        r"
RUN --mount=type=cache,target=/a --mount=type=cache,target=/b x \
    && y
",
    );
}

#[test]
fn what_is_written_to_a_tmpfs_is_gone_before_the_next_run() {
    refused("RUN --mount=type=tmpfs,target=/t touch /t/x\nRUN --mount=type=tmpfs,target=/t ls /t\n", "R8");
    refused("RUN --mount=target=/src,rw touch /src/x\nRUN --mount=target=/src,rw ls /src\n", "R8");
}

#[test]
fn refusal_9_set_e_and_a_list() {
    refused("RUN set -e; a; b\nRUN c; d\n", "X8");
    refused("RUN set -e; a; b\nRUN if x; then c; d; fi\n", "X8");
}

#[test]
fn refusal_10_heredocs() {
    refused("RUN <<EOF\nmake test\nmake\nEOF\nRUN make install\n", "X6");
    refused("RUN <<EOF\nset -eu\nmake test\nmake\nEOF\nRUN make install\n", "X8");
    refused("RUN <<-EOF\n\tset -e\n\tmake\n\tEOF\nRUN make install\n", "X6");
    refused("RUN <<EOF\n#!/bin/bash\nset -e\nmake\nEOF\nRUN make install\n", "X6");
    refused("RUN <<EOF sh\nset -e\nmake\nEOF\nRUN make install\n", "X6");
    refused("RUN <<A <<B\nset -e\nmake\nA\nx\nB\nRUN make install\n", "X6");
    refused("RUN cat <<EOF > /x\na\nEOF\nRUN make install\n", "X6");
}

#[test]
fn refusal_12_powershell_and_cmd() {
    refused("SHELL [\"powershell\", \"-Command\"]\nRUN a\nRUN b\n", "X4");
    refused("SHELL [\"cmd\", \"/S\", \"/C\"]\nRUN a\nRUN b\n", "X4");
    let text = "# escape=`\nFROM debian\nRUN a\nRUN b\n";
    assert_eq!(merged(text), text);
}

#[test]
fn refusal_14_the_own_account() {
    refused("RUN usermod -aG docker root\nRUN id\n", "X9");
    refused("USER app\nRUN sudo usermod -aG docker app\nRUN id\n", "X9");
    refused("RUN adduser $USER docker\nRUN id\n", "X9");
    refused("RUN echo docker:x:999:root >> /etc/group\nRUN id\n", "X9");
    refused("USER 1000\nRUN sudo usermod -d /x app\nRUN id\n", "X9");
    check("ARG U=app\nRUN usermod -aG x $U\nRUN b\n", "ARG U=app\nRUN usermod -aG x $U \\\n    && b\n");
    check("RUN usermod -s /bin/sh root\nRUN b\n", "RUN usermod -s /bin/sh root \\\n    && b\n");
    check("RUN adduser -D $U\nRUN b\n", "RUN adduser -D $U \\\n    && b\n");
    check("RUN echo a:x:9:9:::: >> /etc/passwd\nRUN b\n", "RUN echo a:x:9:9:::: >> /etc/passwd \\\n    && b\n");
    check("RUN usermod -aG docker app\nRUN id\n", "RUN usermod -aG docker app \\\n    && id\n");
}

#[test]
fn a_new_shell_is_started_by_the_next_run_only() {
    refused("RUN rm /bin/sh && ln -s /bin/bash /bin/sh\nRUN source /etc/profile && echo {a,b}\n", "X9");
    refused("RUN ln -sf bash /bin/sh\nRUN [[ -f /x ]] || touch /x\n", "X9");
    refused("RUN echo dash dash/sh boolean false | debconf-set-selections && dpkg-reconfigure dash\nRUN b\n", "X9");
    check("RUN ln -s /bin/sh /bin/ash\nRUN b\n", "RUN ln -s /bin/sh /bin/ash \\\n    && b\n");
}

#[test]
fn refusal_15_a_compound_under_a_shell_with_errexit() {
    refused("SHELL [\"/bin/bash\",\"-ec\"]\nRUN for f in *; do a; b; done\nRUN c\n", "X8");
}

#[test]
fn other_refusals() {
    refused("RUN echo 'a\nRUN b\n", "X5");
    refused("RUN echo $_\nRUN b\n", "X10");
    refused("RUN echo {{ name }}\nRUN b\n", "X5");
}

#[test]
fn a_list_that_would_be_right_of_and_under_errexit_keeps_its_braces() {
    check("RUN a\nRUN set -e; b; c\n", "RUN a \\\n    && { set -e; b; c; }\n");
    check(
        "SHELL [\"/bin/sh\", \"-ec\"]\nRUN a; b\nRUN c\nRUN d; e\n",
        "SHELL [\"/bin/sh\", \"-ec\"]\nRUN a; b \\\n    && c \\\n    && { d; e; }\n",
    );
}

#[test]
fn other_options_stay_in_their_own_shell() {
    check("RUN set -u && echo $A\nRUN b\n", "RUN ( set -u && echo $A ) \\\n    && b\n");
    check("RUN set -o pipefail; a | b\nRUN c\n", "RUN ( set -o pipefail; a | b ) \\\n    && c\n");
}

#[test]
fn state_in_a_set_e_list_gets_a_shell_of_its_own() {
    check(
        r"
RUN set -eux; cd /x; a; b
RUN set -xeu; c; d || e
RUN set -eux && if f; then g; fi
RUN set -eux; h; ( i; j )
RUN set -eux; k && l
",
        r"
RUN set -eux; \
    ( cd /x; a; b ); \
    c; \
    ( d || e ); \
    ( if f; then g; fi ); \
    h; \
    ( i; j ); \
    k && l
",
    );
}

#[test]
fn statements_on_lines_of_their_own_keep_them() {
    check(
        r"
RUN set -eux; \
    # first
    a --long \
      --option; \
\
    b
RUN set -eux; \
      # second
      c; \
      d
",
        r"
RUN set -eux; \
    # first
    a --long \
      --option; \
    b; \
      # second
      c; \
      d
"
        .replace("\\\n\\\n", "\\\n")
        .as_str(),
    );
}

#[test]
fn left_of_and_errexit_does_not_count_in_an_inner_shell_either() {
    refused("RUN ( set -e; a; b )\nRUN c\n", "X8");
    refused("RUN echo $(set -e; a; b)\nRUN c\n", "X8");
    check("RUN c\nRUN ( set -e; a; b )\n", "RUN c \\\n    && ( set -e; a; b )\n");
    check("RUN ( set -e && a )\nRUN c\n", "RUN ( set -e && a ) \\\n    && c\n");
}

#[test]
fn bash_lets_errexit_count_in_a_negated_compound_alone_in_parentheses() {
    // `bash -c 'set -e; ( ! ( false; true ) ); echo hi'` says hi, `! ( false; true )` alone fails.
    refused("RUN set -e; ! ( a; b )\nRUN set -e; c\n", "X8");
    refused("RUN set -e && ! { a; b; }\nRUN set -e; c\n", "X8");
    check("RUN set -e; ! a\nRUN set -e; c\n", "RUN set -e; \\\n    ( ! a ); \\\n    c\n");
}

#[test]
fn nothing_of_one_shell_reaches_the_next() {
    check("RUN . /env && a\nRUN b\n", "RUN ( . /env && a ) \\\n    && b\n");
    check("RUN trap 'rm x' EXIT && a\nRUN b\n", "RUN ( trap 'rm x' EXIT && a ) \\\n    && b\n");
    check("RUN exec > /log && a\nRUN b\n", "RUN ( exec > /log && a ) \\\n    && b\n");
    check("RUN cd sub && make\nRUN cd sub && make\n", "RUN ( cd sub && make ) \\\n    && cd sub && make\n");
    check("RUN set -x && a\nRUN b\n", "RUN set -x && a \\\n    && b\n");
    refused("RUN trap 'echo no' ERR; a; b\nRUN c\n", "X8");
}

#[test]
fn a_failure_that_is_ignored_today_is_ignored_merged() {
    check("RUN false; true\nRUN b\n", "RUN { false; true; } \\\n    && b\n");
    check("RUN a | b\nRUN c\n", "RUN a | b \\\n    && c\n");
}

#[test]
fn equal_flags_stay() {
    check("RUN --network=none a\nRUN --network=none b\n", "RUN --network=none a \\\n    && b\n");
}

#[test]
fn a_parenthesis_never_meets_another() {
    check("RUN cd /x && ( a )\nRUN b\n", "RUN ( cd /x && ( a ) ) \\\n    && b\n");
    check("RUN (cd /x; a) || b\nRUN (c)\n", "RUN { (cd /x; a) || b; } \\\n    && (c)\n");
}

#[test]
fn a_shell_remembers_where_it_found_a_program() {
    check("RUN pip install -U pip\nRUN pip install x\n", "RUN ( pip install -U pip ) \\\n    && pip install x\n");
    check("RUN node -v\nRUN n 22\nRUN node app.js\n", "RUN ( node -v ) \\\n    && n 22 \\\n    && node app.js\n");
    check(
        "RUN tool -v\nRUN curl -o /usr/local/bin/tool x\nRUN tool\n",
        "RUN ( tool -v ) \\\n    && curl -o /usr/local/bin/tool x \\\n    && tool\n",
    );
    check(
        "RUN python3 -V\nRUN ./configure && make install\nRUN python3 x.py\n",
        "RUN ( python3 -V ) \\\n    && ./configure && make install \\\n    && python3 x.py\n",
    );
}

#[test]
fn a_loop_variable_is_kept_apart_where_it_could_be_seen() {
    check("RUN for f in a b; do c $f; done\nRUN d ${f}\n", "RUN ( for f in a b; do c $f; done ) \\\n    && d ${f}\n");
    check("RUN for VERSION in 1 2; do c; done\nRUN d\n", "RUN ( for VERSION in 1 2; do c; done ) \\\n    && d\n");
}

#[test]
fn groups_are_cut_where_a_pair_is_refused() {
    check(
        r"
RUN a
RUN b
RUN c &
RUN d
RUN e
",
        r"
RUN a \
    && b
RUN c &
RUN d \
    && e
",
    );
}

#[test]
fn a_comment_above_metadata_moves_with_it() {
    check(
        r"
RUN a
# who

# owns it
LABEL team=web \
    x=y

# then
CMD [ b ]
RUN b
USER x
",
        r"
RUN a \
    && b
# who
# owns it
LABEL team=web \
    x=y
# then
CMD [ b ]
USER x
",
    );
}

#[test]
fn comments_inside_the_first_lines_of_an_element_are_kept() {
    check(
        r"
RUN \
    # one
    a
RUN \
    # two
    b # three
RUN --network=default \
    c; # four
",
        r"
RUN \
    # one
    a \
    # two
    && b \
    # three
    && c # four
",
    );
}

#[test]
fn pragmas_of_other_linters_go_above() {
    check(
        r"
# hadolint ignore=DL3008 # no pins
RUN a
# checkov:skip=CKV_1: why
# hadolint ignore=DL3059,DL3008
RUN b
# plimsoll: allow x — why
RUN c
",
        r"
# checkov:skip=CKV_1: why
# hadolint ignore=DL3008,DL3059 # no pins
RUN a \
    && b \
    # plimsoll: allow x — why
    && c
",
    );
    check("RUN a\n# hadolint ignore=DL1\nRUN b\n", "# hadolint ignore=DL1\nRUN a \\\n    && b\n");
}

#[test]
fn text_that_is_not_ascii_is_kept() {
    check("RUN echo 'ä 😀'\nRUN echo ü # é\nRUN b\n", "RUN echo 'ä 😀' \\\n    && echo ü \\\n    # é\n    && b\n");
}

#[test]
fn a_cursor_takes_the_longest_sequence_and_a_selection_exactly_its_own() {
    let text = "FROM a\nRUN a\nRUN <|>b\nRUN c\n";
    assert_eq!(at_marks(text).as_deref(), Some("FROM a\nRUN a \\\n    && b \\\n    && c\n"));
    let text = "FROM a\nRUN a\nRUN <|>b\nRUN<|> c\n";
    assert_eq!(at_marks(text).as_deref(), Some("FROM a\nRUN a\nRUN b \\\n    && c\n"));
    let text = "FROM a\nRUN set -e; a; b\nRUN c\nRUN<|> d; e\n";
    assert_eq!(at_marks(text).as_deref(), Some("FROM a\nRUN set -e; a; b\nRUN c \\\n    && { d; e; }\n"));
    let text = "FROM a\nRUN set -e; a; b\nRUN<|> c\nRUN d; e\n";
    assert_eq!(at_marks(text).as_deref(), Some("FROM a\nRUN set -e; a; b \\\n    && c\nRUN d; e\n"));
    assert_eq!(at_marks("FROM a\nRUN a\nLABEL <|>b=c\nRUN c\n"), None);
}

#[test]
fn a_run_without_a_neighbour_is_no_matter() {
    silent("RUN a\n");
    silent("RUN a\nCOPY . .\nLABEL a=b\nRUN b\n");
}

#[test]
fn a_text_that_a_shell_could_not_be_given_is_not_made() {
    let long = "x".repeat(60_000);
    refused(&format!("RUN echo {long}\nRUN echo {long}\n"), "X11");
}

#[test]
fn any_bytes_are_survived() {
    arbtest::arbtest(|unstructured| {
        const PIECES: &[&str] = &[
            "FROM a\n",
            "RUN ",
            "RUN",
            "\n",
            "\\\n",
            "# x\n",
            " && ",
            "a",
            "(",
            ")",
            "{ ",
            "; }",
            ";",
            "'",
            "\"",
            "$(",
            "é",
            "set -e",
            "cd /x",
            "<<E",
            "E\n",
            "\r",
            "\0",
            "--mount=type=cache",
            "[\"a\"]",
            "LABEL a=b\n",
            "#",
            "\t",
            "`",
        ];
        let mut text = String::from("FROM a\n");
        for _ in 0..unstructured.int_in_range(0..=40)? {
            text.push_str(unstructured.choose(PIECES)?);
        }
        let (file, facts) = file(&text);
        for assist in all(&file, &facts) {
            let after = assist.edit.apply(&text);
            let (after, _) = self::file(&after);
            assert!(after.instructions().count() < file.instructions().count(), "{text:?}");
        }
        Ok(())
    });
}
