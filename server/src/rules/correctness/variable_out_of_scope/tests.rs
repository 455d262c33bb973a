//! What is empty where, and what is not.

use super::RULE;
use crate::fixture::{check, check_fix, check_no_fix};
use crate::rules::Safety;

/// A global `V`, and these lines in a stage: nothing is found.
fn check_silent(lines: &str) {
    check(&RULE, &format!("ARG V=1\nFROM debian:12\n{lines}\n"));
}

#[test]
fn a_global_arg_is_not_seen_in_a_stage() {
    check(
        &RULE,
        "ARG V=1\nFROM debian:12 AS a\n\
         RUN echo \"a-${V}.tar\" && b\n\
         #           ^^^^ `V` is empty here: the ARG before the first FROM\n\
         COPY a-$V /x/\n\
         #      ^^ empty\n\
         ENV W=x/$V\n\
         #       ^^ empty\n\
         ARG V=${V}\n\
         #     ^^^^ empty\n\
         RUN echo $V\nFROM a\nRUN echo $V\nFROM a:$V AS b\nFROM scratch\nCOPY --from=1 /a /b\n",
    );
}

#[test]
fn a_stage_that_declares_it_sees_it() {
    check_silent("ARG V\nRUN echo $V");
    check_silent("ENV V=2\nRUN echo $V");
    check(&RULE, "ARG V=1\nFROM debian:12 AS a\nARG V\nFROM a\nRUN echo $V\n");
    check(&RULE, "ARG V=1\nFROM debian:12 AS a\nENV V=1\nFROM a AS b\nFROM b\nRUN echo $V\n");
}

#[test]
fn a_run_may_set_it_itself() {
    check_silent("RUN V=2; echo $V");
    check_silent("RUN V=2 sh -c \"echo $V\"");
    check_silent("RUN for V in a b; do echo $V; done");
    check_silent("RUN a | while read -r X V; do echo $V; done");
    check_silent("RUN export V && echo $V");
    check_silent("RUN . /etc/os-release && echo $V");
    check_silent("RUN : ${V:=2} && echo ${V:-3} ${V-3} ${V:+4} ${V+4}");
}

#[test]
fn a_default_says_what_empty_means() {
    check_silent("RUN echo ${V:-2}");
    check_silent("COPY ${V:-2} /x");
}

#[test]
fn text_that_nobody_expands_is_text() {
    check_silent("RUN echo '$V' \\$V");
    check_silent("RUN awk '{ print $V }' x");
    check_silent("RUN <<'EOF' python3\nprint(\"$V\")\nEOF");
    check_silent("COPY '$V' /x");
    check_silent("CMD echo $V");
    check_silent("ONBUILD RUN echo $V");
    check_silent("RUN [\"echo\", \"$V\"]");
    check_silent("RUN echo $VERSION");
}

#[test]
fn docker_sets_some_names_itself() {
    check(&RULE, "ARG http_proxy\nARG NO_PROXY=x\nFROM debian:12\nRUN echo $http_proxy $NO_PROXY\n");
    check(&RULE, "ARG PATH\nARG HOME\nFROM debian:12\nRUN echo $PATH $HOME\n");
}

#[test]
fn an_image_may_set_usual_names() {
    check(&RULE, "ARG NODE_VERSION=22\nFROM node:${NODE_VERSION}\nRUN echo $NODE_VERSION\n");
    check(&RULE, "ARG TOOL_VERSION=22\nFROM example.com/tool:${TOOL_VERSION}\nRUN echo $TOOL_VERSION\n");
    check(&RULE, "ARG JAVA_HOME=/x\nFROM example.com/tool\nRUN ls $JAVA_HOME\n");
    check(
        &RULE,
        "ARG APP_VERSION=1\nFROM node:22\n\
         RUN echo $APP_VERSION\n\
         #        ^^^^^^^^^^^^ empty\n",
    );
}

#[test]
fn a_stage_that_is_not_needed_is_left_alone() {
    check(&RULE, "ARG V=1\nFROM debian:12\nRUN echo $V\nFROM debian:12\n");
}

#[test]
fn an_env_gives_its_variables_at_once() {
    check(
        &RULE,
        "FROM debian:12\n\
         ENV A=1 B=x$A\n\
         #          ^^ `A` is empty here: it gets its value by this same ENV\n\
         ENV C=$D D=1\n\
         #     ^^ empty\n",
    );
}

#[test]
fn a_value_from_before_is_read() {
    check(&RULE, "FROM debian:12\nENV A=1\nENV A=2 B=$A\nENV PATH=/x:$PATH P=$PATH\nENV C=$C:x D=1\n");
    check(&RULE, "FROM debian:12 AS a\nARG A=1\nFROM a\nENV A=2 B=$A\n");
    check(&RULE, "FROM openjdk:17\nENV JAVA_HOME=/x J=$JAVA_HOME/bin\n");
    check(&RULE, "FROM debian:12\nENV A=1 B='$A' C=${A:-2}\n");
}

#[test]
fn windows_has_variables_of_its_own() {
    check(&RULE, "# escape=`\nFROM mcr.microsoft.com/windows/nanoserver\nENV ProgramFiles=x P=$ProgramFiles\n");
}

#[test]
fn the_stage_declares_it_above_the_first_use() {
    check_fix(
        &RULE,
        Safety::Review,
        "ARG V=1\nfrom debian:12\nworkdir /a\nrun echo $V\nrun ls $V\n",
        "ARG V=1\nfrom debian:12\nworkdir /a\narg V\nrun echo $V\nrun ls $V\n",
    );
}

#[test]
fn the_env_is_split() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nENV A=1 \\\n    B=$A \\\n    C=$B\n",
        "FROM debian:12\nENV A=1\nENV B=$A\nENV C=$B\n",
    );
    check_no_fix(&RULE, "FROM debian:12\nENV A=1 \\\n# why\n    B=$A\n");
    check_no_fix(&RULE, "FROM debian:12\nENV A=$B B=1\n");
}
