//! `UndefinedVar`: an instruction uses a variable that nothing sets.

use std::collections::HashSet;

use crate::images::environment;
use crate::model::{Base, Instruction, InstructionKind, Pair, Placed, Stage, Word};
use crate::rules::buildkit::near::{is_slip, nearest};
use crate::rules::buildkit::references::{Reference, expanded, unset, unset_in};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "UndefinedVar",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &["undefined-var"],
    doc: r##"
An instruction uses a variable that nothing sets, so that it is empty.

BuildKit puts variables into ENV, ARG, LABEL, COPY, ADD, WORKDIR, USER, VOLUME and STOPSIGNAL. What it does not know it leaves
out without a word, and `COPY app $APP_HMOE` copies somewhere else. Variables of the shell that carries out a RUN, such as
`HOME`, are not known there.

```dockerfile
FROM debian:12-slim
ENV APP_HOME=/app
WORKDIR $APP_HMOE/bin
CMD ["bash"]
```

The variable that is set:

```dockerfile
FROM debian:12-slim
ENV APP_HOME=/app
WORKDIR $APP_HOME/bin
CMD ["bash"]
```

Narrower than BuildKit's, which reads the base image's own variables: on an image whose variables are not known here, only a
name that is a slip of the pen away from one that is set is reported. RUN is never looked at, but for its mounts.
"##,
    check,
};

/// What BuildKit reads without its being set.
const ALWAYS: &[&str] = &["PATH", "BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/// The variables at a place.
#[derive(Clone, Default)]
struct Known<'a> {
    /// Those that the file sets, in this stage and those it is built on.
    set: HashSet<&'a str>,
    /// Those of the base image; `None` where they are not known.
    of_image: Option<&'static [&'static str]>,
}

impl Known<'_> {
    fn has(&self, name: &str) -> bool {
        self.set.contains(name) || ALWAYS.contains(&name) || self.of_image.is_some_and(|names| names.contains(&name))
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let of_image = self.of_image.unwrap_or_default().iter().copied();
        self.set.iter().copied().chain(of_image).chain(["PATH"])
    }
}

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut stages: Vec<Known> = Vec::with_capacity(ctx.file.stages.len());
    for stage in &ctx.file.stages {
        let mut known = match &stage.base {
            Base::Stage(parent) => stages.get(*parent).cloned().unwrap_or_default(),
            base => Known { set: HashSet::new(), of_image: variables(stage, base) },
        };
        for placed in &stage.instructions {
            look_at(placed, &mut known, acc);
        }
        stages.push(known);
    }
}

/// The variables of a base that is no stage.
fn variables(stage: &Stage, base: &Base) -> Option<&'static [&'static str]> {
    match base {
        Base::Scratch => Some(&[]),
        // A variable in the name may stand for another image than its default.
        Base::Image(image) => match &stage.from.instruction.kind {
            InstructionKind::From(from) if !from.image.text.contains('$') => environment::variables(image),
            _ => None,
        },
        Base::Stage(_) | Base::Unknown(_) => None,
    }
}

fn look_at<'a>(placed: &'a Placed, known: &mut Known<'a>, acc: &mut Vec<Finding>) {
    let instruction = &*placed.instruction;
    match &instruction.kind {
        // Each ARG sees those before it in the same instruction, ENV does not.
        InstructionKind::Arg(pairs) => {
            for pair in pairs {
                let unset = pair.value.iter().flat_map(|word| references(instruction, word, known));
                acc.extend(unset.filter_map(|it| finding(placed, it, known)).collect::<Vec<_>>());
                known.set.insert(&pair.name.text);
            }
        }
        _ => {
            for word in expanded(instruction) {
                let unset = references(instruction, word, known).into_iter();
                acc.extend(unset.filter_map(|it| finding(placed, it, known)));
            }
            acc.extend(in_heredocs(instruction, known).into_iter().filter_map(|it| finding(placed, it, known)));
        }
    }
    if let InstructionKind::Env(pairs) = &instruction.kind {
        known.set.extend(pairs.iter().map(|pair: &Pair| pair.name.text.as_str()));
    }
}

fn references(instruction: &Instruction, word: &Word, known: &Known) -> Vec<Reference> {
    if !word.text.contains('$') {
        return Vec::new();
    }
    unset_in(instruction, word, &|name| known.has(name))
}

/// The variables in the heredocs of COPY and ADD, where quotes mean nothing and `\` escapes whatever the file says.
fn in_heredocs(instruction: &Instruction, known: &Known) -> Vec<Reference> {
    if !matches!(instruction.kind, InstructionKind::Copy(_) | InstructionKind::Add(_)) {
        return Vec::new();
    }
    let mut res = Vec::new();
    for heredoc in instruction.heredocs.iter().filter(|heredoc| heredoc.expand) {
        let body = heredoc.body.of(&instruction.text);
        if !body.contains('$') {
            continue;
        }
        let names = unset(&body.replace(['"', '\''], " "), '\\', &|name| known.has(name));
        res.extend(names.into_iter().map(|name| Reference {
            name,
            range: heredoc.marker,
            name_range: None,
            is_prepared: false,
        }));
    }
    res
}

fn finding(placed: &Placed, reference: Reference, known: &Known) -> Option<Finding> {
    let Reference { name, range, name_range, is_prepared } = reference;
    let near = match known.of_image {
        // Who says what an unset name stands for means this name.
        Some(_) if is_prepared => None,
        None if is_prepared => return None,
        Some(_) => nearest(&name, known.all()),
        None => Some(known.all().filter(|it| is_slip(&name, it)).min()?),
    };
    let mut message = format!("usage of undefined variable '${name}'");
    if let Some(near) = near {
        message.push_str(&format!(" (did you mean ${near}?)"));
    }
    let mut finding = Finding::new(&RULE, placed.range(range), message);
    finding.fix = near.zip(name_range).map(|(near, place)| Fix {
        title: format!("Use `{near}`"),
        safety: Safety::Review,
        edit: TextEdit::replace(placed.range(place), near),
    });
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn the_reference_is_to_blame() {
        check(&RULE, "FROM scratch\nCOPY a $B/c\n#      ^^ usage of undefined variable '$B'\n");
        check(&RULE, "FROM debian:12\nWORKDIR ${HOME}/a\n#       ^^^^^^^ '$HOME'\n");
        check(&RULE, "FROM debian:12\nENV A=$B C=\"x$D\"\n#     ^^ '$B'\n#            ^^ '$D'\n");
        check(&RULE, "FROM scratch\nUSER $A:$B\n#    ^^ '$A'\n#       ^^ '$B'\n");
        check(&RULE, "FROM scratch\nRUN --mount=type=cache,target=$A b\n#                             ^^ '$A'\n");
    }

    #[test]
    fn what_is_set_before_is_known() {
        check(&RULE, "FROM scratch\nARG A\nENV B=c\nARG D=$A E=$D\nLABEL x=$A$B$E$PATH\n");
        check(&RULE, "FROM scratch\nENV A=b C=$A\n#         ^^ '$A'\n");
    }

    #[test]
    fn a_parent_stage_hands_on_its_variables() {
        check(&RULE, "FROM scratch AS a\nARG B=c\nENV D=e\nFROM a\nLABEL x=$B$D\n");
        check(&RULE, "FROM scratch AS a\nENV D=e\nFROM scratch\nLABEL x=$D\n#       ^^ '$D'\n");
    }

    #[test]
    fn a_global_argument_must_be_declared_again() {
        check(&RULE, "ARG A=b\nFROM scratch\nLABEL x=$A\n#       ^^ '$A'\nARG A\nLABEL y=$A\n");
    }

    #[test]
    fn an_unknown_image_may_set_anything() {
        check(&RULE, "FROM acme/app\nWORKDIR $APP_HOME\nENV A=$GOPATH/bin:$JAVA_HOME\n");
        check(&RULE, "ARG I=debian:12\nFROM $I\nWORKDIR $HOME\n");
    }

    #[test]
    fn a_slip_of_the_pen_is_none_of_the_images_variables() {
        check(&RULE, "FROM acme/app\nENV PATH=/x:$PAHT\n#           ^^^^^ '$PAHT' (did you mean $PATH?)\n");
        check(&RULE, "FROM acme/app\nARG APP_HOME\nWORKDIR $app_home\n#       ^^^^^^^^^ (did you mean $APP_HOME?)\n");
        check(&RULE, "FROM acme/app\nENV APP_PORT=1 PYTHONPATH=${PYTHONPAHT:+x}\nENV A=${PAHT:-b}\n");
        check(&RULE, "FROM acme/app\nENV LIB_1=a\nLABEL x=$LIB_2 y=$LIB_1S\n");
    }

    #[test]
    fn an_image_that_is_known_sets_its_own() {
        check(&RULE, "FROM golang:1.25\nENV A=$GOPATH\nFROM node:22\nLABEL x=$NODE_VERSION\n");
    }

    #[test]
    fn the_shell_expands_run_itself() {
        check(&RULE, "FROM scratch\nRUN echo $A\nCMD echo $A\nENTRYPOINT [\"$A\"]\nHEALTHCHECK CMD $A\nEXPOSE $A\n");
    }

    #[test]
    fn quotes_and_escapes_keep_a_dollar() {
        check(&RULE, "FROM scratch\nENV A='$B' C=\\$D\n");
    }

    #[test]
    fn a_heredoc_of_copy_is_expanded_unless_quoted() {
        check(&RULE, "FROM scratch\nCOPY <<EOF /a\n#    ^^^^^ '$A'\n'$A'\nEOF\nCOPY <<'EOF' /a\n$A\nEOF\n");
        check(&RULE, "FROM scratch\nCOPY <<EOF /a\n\\$A\nEOF\n");
    }

    #[test]
    fn the_nearest_name_is_offered() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nARG VERSION=1\nLABEL x=${VERSON}\n",
            "FROM debian:12\nARG VERSION=1\nLABEL x=${VERSION}\n",
        );
        check_no_fix(&RULE, "FROM debian:12\nWORKDIR $HOME\n");
        check_no_fix(&RULE, "FROM debian:12\nENV APP_HOME=a\nENV APP_HOM=${APP_HOM:-/b}\n");
    }
}
