//! Texts and histories: `bytes created_by`, one a line from the lowest to the highest; `-` where there is no layer.

use expect_test::{Expect, expect};

use crate::lower::{self, Build};
use crate::measured::lay::lay;
use crate::measured::{BuiltImage, Entry, Measured};

fn image(history: &str) -> BuiltImage {
    let entries = history.trim().lines().map(|line| {
        let (bytes, created_by) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let (created_by, comment) = created_by.split_once(" //").unwrap_or((created_by, ""));
        let unpacked: u64 = bytes.parse().unwrap_or_default();
        Entry {
            created_by: created_by.replace("\\n", "\n").to_owned(),
            comment: comment.to_owned(),
            is_empty: bytes == "-",
            unpacked,
            pull: Some(unpacked / 2),
        }
    });
    BuiltImage { name: "app".to_owned(), entries: entries.collect(), ..BuiltImage::default() }
}

fn measured(text: &str, history: &str) -> Result<Measured, String> {
    let file = lower::file(text.into(), &Build::default(), None);
    lay(&image(history), &file, file.stages.len().saturating_sub(1), None).map_err(|misfit| misfit.to_string())
}

fn check(text: &str, history: &str, expected: Expect) {
    let shown = match measured(text, history) {
        Ok(measured) => {
            let mut res = String::new();
            for layer in measured.base.iter().chain(&measured.layers) {
                let text = layer.text.lines().next().unwrap_or_default();
                let remark = layer.remark.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
                let pull = layer.pull.map_or("?".to_owned(), |it| it.to_string());
                res.push_str(&format!("{} {pull} {text}{remark}\n", layer.unpacked));
            }
            if !measured.changed.is_empty() {
                res.push_str(&format!("changed: {:?}\n", measured.changed));
            }
            res
        }
        Err(misfit) => format!("{misfit}\n"),
    };
    expected.assert_eq(&shown);
}

const FILE: &str = "FROM node:20 AS base\nWORKDIR /app\nENV A=b\nFROM base\nCOPY a b ./\nRUN make\nCMD [\"x\"]\n";

#[test]
fn a_stage_on_a_stage_has_one_history() {
    check(
        FILE,
        "100 /bin/sh -c #(nop) ADD file:1 in / \n- CMD [\"node\"]\n0 WORKDIR /app\n- ENV A=b\n\
         6 COPY a b ./ # buildkit\n40 RUN /bin/sh -c make # buildkit\n- CMD [\"x\"]",
        expect![[r#"
            100 50 node:20
            0 0 WORKDIR /app
            0 0 ENV A=b
            6 3 COPY a b ./
            40 20 RUN make
            0 0 CMD ["x"]
        "#]],
    );
}

#[test]
fn an_image_of_another_file_is_refused_by_the_instruction_that_differs() {
    check(
        FILE,
        "100 ADD file:1 in /\n0 WORKDIR /app\n- ENV A=b\n6 COPY a b ./ # buildkit\n- USER x\n- CMD [\"x\"]",
        expect![[r#"
            the image was not built from this file: line 6 is `RUN make`, its history has `USER x`
        "#]],
    );
    check(
        "FROM a\nRUN one\nRUN two\nRUN three\n",
        "9 x\n1 RUN /bin/sh -c one\n1 RUN /bin/sh -c 2\n1 RUN /bin/sh -c 3",
        expect![[r#"
            the image was not built from this file: line 3 is `RUN two`, its history has `RUN /bin/sh -c 2`
        "#]],
    );
    check(
        "FROM a\nRUN one\nRUN two\n",
        "1 RUN /bin/sh -c two",
        expect![[r#"
            the image was not built from this file: nothing in its history is line 2, `RUN one`
        "#]],
    );
    check(
        "FROM scratch\nCOPY a /\n",
        "7 RUN /bin/sh -c b # buildkit\n1 COPY a / # buildkit",
        expect![[r#"
            the image was not built from this file: before the first instruction it has `RUN /bin/sh -c b # buildkit`
        "#]],
    );
    check(
        "FROM a\nCOPY a /\n",
        "1 COPY a / # buildkit",
        expect![[r#"
            the image was not built from this file: it has no base image
        "#]],
    );
}

#[test]
fn an_instruction_that_was_changed_since_is_named_and_the_others_count() {
    check(
        "FROM a\nRUN one\nRUN new\nRUN three\n",
        "9 x\n1 RUN /bin/sh -c one\n2 RUN /bin/sh -c two\n3 RUN /bin/sh -c three",
        expect![[r#"
            9 4 a
            1 0 RUN one
            3 1 RUN three
            changed: [3]
        "#]],
    );
}

#[test]
fn what_stands_between_the_base_and_the_first_instruction_is_not_the_bases() {
    let file = lower::file("FROM a\nRUN two\n".into(), &Build::default(), None);
    let built = image("9 x\n- y\n1 RUN /bin/sh -c one\n2 RUN /bin/sh -c two");
    let on = |base: &str| lay(&built, &file, 0, Some(&image(base))).map(|it| it.base.map(|base| base.unpacked));
    let refused = on("9 x\n- y").expect_err("there was a RUN").to_string();
    assert!(refused.ends_with("before the first instruction it has `RUN /bin/sh -c one`"), "{refused}");
    assert_eq!(on("9 x\n- y\n1 RUN /bin/sh -c one"), Ok(Some(10)));
    assert_eq!(on("9 of another day"), Ok(Some(10)));
    let base = BuiltImage { has_triggers: true, ..image("9 x\n- y") };
    assert!(lay(&built, &file, 0, Some(&base)).is_ok(), "a trigger of the base ran `one`");
}

#[test]
fn an_image_without_history_is_refused() {
    check(
        "FROM a\nRUN one\n",
        "9\n1",
        expect![[r#"
            the image does not say how its layers were made
        "#]],
    );
}

#[test]
fn squashed_layers_lie_on_the_last_instruction_that_makes_files() {
    check(
        "FROM a\nRUN one\nRUN two\nCMD x\n",
        "9 x\n- /bin/sh -c one\n- /bin/sh -c two\n- /bin/sh -c #(nop)  CMD x\n5  //merge sha256:1 to sha256:2",
        expect![[r#"
            9 4 a
            0 0 RUN one (its files lie in a later instruction's layer)
            5 2 RUN two (one layer with the 1 instruction before it)
            0 0 CMD x
        "#]],
    );
    check(
        "FROM a\nRUN one\nCOPY b /\nRUN two\n",
        "9 x\n- /bin/sh -c one\n- /bin/sh -c #(nop) COPY file:1 in /\n5 /bin/sh -c two",
        expect![[r#"
            9 4 a
            0 0 RUN one (its files lie in a later instruction's layer)
            0 0 COPY b / (its files lie in a later instruction's layer)
            5 2 RUN two (one layer with the 2 instructions before it)
        "#]],
    );
    check(
        "FROM a\nRUN one\nRUN two\n",
        "- x\n- /bin/sh -c one\n5 /bin/sh -c two",
        expect![[r#"
            base image and instructions were squashed into one layer
        "#]],
    );
}

/// As Docker 28 wrote it with `DOCKER_BUILDKIT=0 docker build --squash`: only what is above the last stage's base is one
/// layer, and the engine's own history does not say which entries are without one.
#[test]
fn the_classic_builder_squashes_what_is_above_the_last_from() {
    check(
        "FROM busybox AS base\nENV A=b\nRUN head -c 3000 /dev/zero > /x\nFROM base\nARG V=1\nWORKDIR /app\n\
         COPY a ./\nRUN echo $V > v \\\n && rm /x\nSHELL [\"/bin/ash\", \"-e\", \"-c\"]\nRUN cat v v > w\nCMD [\"sh\"]\n",
        "1984172  //Imported from -\n0 /bin/sh -c #(nop)  ENV A=b\n3000 /bin/sh -c head -c 3000 /dev/zero > /x\n\
         0 /bin/sh -c #(nop)  ARG V=1\n0 /bin/sh -c #(nop) WORKDIR /app\n\
         0 /bin/sh -c #(nop) COPY file:d874ee5374 in ./ \n0 |1 V=1 /bin/sh -c echo $V > v  && rm /x\n\
         0 /bin/ash -e -c #(nop)  SHELL [/bin/ash -e -c]\n0 |1 V=1 /bin/ash -e -c cat v v > w\n\
         0 /bin/ash -e -c #(nop)  CMD [\"sh\"]\n18  //merge sha256:9830 to sha256:be1f",
        expect![[r#"
            1984172 992086 busybox
            0 0 ENV A=b
            3000 1500 RUN head -c 3000 /dev/zero > /x
            0 0 ARG V=1
            0 0 WORKDIR /app
            0 0 COPY a ./ (its files lie in a later instruction's layer)
            0 0 RUN echo $V > v \ (its files lie in a later instruction's layer)
            0 0 SHELL ["/bin/ash", "-e", "-c"]
            18 9 RUN cat v v > w (one layer with the 2 instructions before it)
            0 0 CMD ["sh"]
        "#]],
    );
}

#[test]
fn labels_of_the_command_line_and_triggers_are_no_lines_of_the_file() {
    check(
        "FROM a\nONBUILD RUN x\nRUN one\nLABEL b=c\n",
        "9 x\n1 RUN /bin/sh -c one\n- LABEL b=c\n- LABEL d=e",
        expect![[r#"
            9 4 a
            1 0 RUN one
            0 0 LABEL b=c
        "#]],
    );
    check(
        "FROM a\nONBUILD RUN x\nRUN one\n",
        "9 x\n- /bin/sh -c #(nop)  ONBUILD RUN x\n1 /bin/sh -c one",
        expect![[r#"
            9 4 a
            0 0 ONBUILD RUN x
            1 0 RUN one
        "#]],
    );
}

/// For each instruction of the file the bytes that still hold for it.
fn held(before: &str, history: &str, now: &str) -> (Option<u64>, Vec<Option<u64>>) {
    let measured = measured(before, history).expect("it fits");
    let file = lower::file(now.into(), &Build::default(), None);
    let target = file.stages.len() - 1;
    let laid = measured.laid_on(&file, target);
    let n_instructions = file.stages[target].instructions.len();
    let layers = (0..n_instructions).map(|idx| laid.layer(target, idx).map(|layer| layer.unpacked)).collect();
    (laid.base.map(|(_, base)| base.unpacked), layers)
}

#[test]
fn a_figure_holds_until_the_text_of_its_instruction_changes() {
    let before = "FROM a\nRUN one\nRUN two\nRUN one\n";
    let history = "9 x\n1 RUN /bin/sh -c one\n2 RUN /bin/sh -c two\n3 RUN /bin/sh -c one";
    assert_eq!(held(before, history, before), (Some(9), vec![Some(1), Some(2), Some(3)]));
    let changed = "FROM a\nRUN one\nRUN 2\nRUN one\n";
    assert_eq!(held(before, history, changed), (Some(9), vec![Some(1), None, Some(3)]));
    let other_base = "FROM b\nUSER x\nRUN one\nRUN two\nRUN one\nRUN one\n";
    assert_eq!(held(before, history, other_base), (None, vec![None, Some(1), Some(2), Some(3), None]));
}
