//! The model of a file in words, for people who work on Plimsoll: the same text gives the same words.
//!
//! Ranges are bytes of the file.

use std::fmt::{self, Write};

use crate::model::{
    Base, Copy, File, Form, Healthcheck, Instruction, InstructionKind, Pair, Placed, Scope, Source, Stage, Word,
};
use crate::shell::Script;
use crate::text::Local;

/// Stages, instructions with their parts, variables, faults: a line each.
pub(crate) fn dump(file: &File) -> String {
    let mut res = String::new();
    // Writing to a string does not fail.
    let _ = write_file(file, &mut res);
    res
}

fn write_file(file: &File, acc: &mut String) -> fmt::Result {
    let directives = &file.directives;
    writeln!(acc, "escape {:?}", directives.escape)?;
    if let Some(syntax) = &directives.syntax {
        writeln!(acc, "syntax {syntax:?}")?;
    }
    if let Some(check) = &directives.check {
        writeln!(acc, "check {check:?}")?;
    }
    for placed in &file.preamble {
        write_placed(placed, acc)?;
    }
    write_scope("global", &file.globals, acc)?;
    for (idx, stage) in file.stages.iter().enumerate() {
        write_stage(idx, stage, acc)?;
    }
    for comment in &file.comments {
        writeln!(acc, "comment {comment:?}")?;
    }
    for fault in &file.faults {
        let line = fault.line.map(|line| format!(" line {line}")).unwrap_or_default();
        writeln!(acc, "fault {:?}{line} {:?}", fault.range, fault.message)?;
    }
    Ok(())
}

fn write_stage(idx: usize, stage: &Stage, acc: &mut String) -> fmt::Result {
    let name = stage.name.as_ref().map(|name| format!(" {:?}", name.text)).unwrap_or_default();
    let base = match &stage.base {
        Base::Image(image) => format!("image {image} ({})", image.repository()),
        Base::Stage(idx) => format!("stage {idx}"),
        Base::Scratch => "scratch".to_owned(),
        Base::Unknown(text) => format!("unknown {text:?}"),
    };
    let platform = stage.platform.as_ref().map(|platform| format!(" platform {platform}")).unwrap_or_default();
    writeln!(acc, "stage {idx}{name} {:?} on {base}{platform}", stage.range)?;
    write_placed(&stage.from, acc)?;
    for (idx, placed) in stage.instructions.iter().enumerate() {
        write_placed(placed, acc)?;
        for (_, source) in stage.sources.iter().filter(|(of, _)| *of == idx) {
            match source {
                Source::Stage(idx) => writeln!(acc, "    from stage {idx}")?,
                Source::Image(image) => writeln!(acc, "    from image {image}")?,
                Source::Unknown(text) => writeln!(acc, "    from unknown {text:?}")?,
            }
        }
    }
    write_scope("stage", &stage.scope, acc)
}

fn write_scope(owner: &str, scope: &Scope, acc: &mut String) -> fmt::Result {
    for variable in &scope.variables {
        let value = variable.value.as_ref().map_or_else(|| "not known".to_owned(), |value| format!("{value:?}"));
        let place = variable.range.map(|range| format!(" {range:?}")).unwrap_or_default();
        let inherited = if variable.inherited { " inherited" } else { "" };
        writeln!(acc, "  {owner} variable {} {:?} {value}{place}{inherited}", variable.name, variable.origin)?;
    }
    Ok(())
}

fn write_placed(placed: &Placed, acc: &mut String) -> fmt::Result {
    let instruction = &placed.instruction;
    writeln!(acc, "  {} line {} {:?}", instruction.name, placed.line + 1, placed.whole())?;
    let parts = Parts { placed };
    parts.instruction(instruction, acc)
}

/// Writes the parts of one instruction, each with its place in the file.
struct Parts<'a> {
    placed: &'a Placed,
}

impl Parts<'_> {
    fn instruction(&self, instruction: &Instruction, acc: &mut String) -> fmt::Result {
        for flag in &instruction.flags {
            let value = flag.value.as_ref().map(|value| format!(" {:?}", value.text)).unwrap_or_default();
            self.part("flag", flag.range, &format!("{}{value}", flag.name), acc)?;
        }
        self.kind(&instruction.kind, acc)?;
        for heredoc in &instruction.heredocs {
            let end = if heredoc.terminator.is_some() { "" } else { " without end" };
            let expand = if heredoc.expand { " expanded" } else { "" };
            self.part("heredoc", heredoc.body, &format!("{}{expand}{end}", heredoc.name), acc)?;
        }
        for comment in &instruction.comments {
            self.part("comment", *comment, "", acc)?;
        }
        for fault in &instruction.faults {
            self.part("fault", fault.range, &fault.message, acc)?;
        }
        Ok(())
    }

    fn kind(&self, kind: &InstructionKind, acc: &mut String) -> fmt::Result {
        match kind {
            InstructionKind::From(from) => {
                self.word("image", &from.image, acc)?;
                from.name.iter().try_for_each(|name| self.word("name", name, acc))
            }
            InstructionKind::Run(run) => {
                for mount in &run.mounts {
                    self.part("mount", mount.range, mount.kind(), acc)?;
                }
                self.form(&run.form, acc)
            }
            InstructionKind::Cmd(form) | InstructionKind::Entrypoint(form) => self.form(form, acc),
            InstructionKind::Copy(copy) | InstructionKind::Add(copy) => self.copy(copy, acc),
            InstructionKind::Env(pairs) | InstructionKind::Arg(pairs) | InstructionKind::Label(pairs) => {
                pairs.iter().try_for_each(|pair| self.pair(pair, acc))
            }
            InstructionKind::Shell(words) | InstructionKind::Expose(words) | InstructionKind::Volume(words) => {
                words.iter().try_for_each(|word| self.word("word", word, acc))
            }
            InstructionKind::User(word)
            | InstructionKind::Workdir(word)
            | InstructionKind::Stopsignal(word)
            | InstructionKind::Maintainer(word) => self.word("word", word, acc),
            InstructionKind::Healthcheck(Healthcheck::Cmd(form)) => self.form(form, acc),
            InstructionKind::Healthcheck(Healthcheck::None) => writeln!(acc, "    none"),
            InstructionKind::Healthcheck(Healthcheck::Unknown) | InstructionKind::Unknown => {
                writeln!(acc, "    unknown")
            }
            InstructionKind::Onbuild(inner) => {
                writeln!(acc, "    {}", inner.name)?;
                self.instruction(inner, acc)
            }
        }
    }

    fn copy(&self, copy: &Copy, acc: &mut String) -> fmt::Result {
        copy.sources.iter().try_for_each(|word| self.word("source", word, acc))?;
        copy.destination.iter().try_for_each(|word| self.word("destination", word, acc))
    }

    fn pair(&self, pair: &Pair, acc: &mut String) -> fmt::Result {
        let value = pair.value.as_ref().map(|value| format!("={:?}", value.text)).unwrap_or_default();
        self.part("pair", pair.range, &format!("{}{value}", pair.name.text), acc)
    }

    fn form(&self, form: &Form, acc: &mut String) -> fmt::Result {
        match form {
            Form::Shell(text) => {
                self.part("shell", text.range, if text.script.is_some() { "" } else { "not parsed" }, acc)?;
                text.script.iter().try_for_each(|script| self.script(script, acc))
            }
            Form::Heredoc { script, shebang } => {
                shebang.iter().try_for_each(|word| self.word("shebang", word, acc))?;
                script.iter().try_for_each(|script| self.script(script, acc))
            }
            Form::Exec(words) => words.iter().try_for_each(|word| self.word("exec", word, acc)),
            Form::Empty => writeln!(acc, "    empty"),
        }
    }

    fn script(&self, script: &Script, acc: &mut String) -> fmt::Result {
        if script.broken {
            writeln!(acc, "    broken")?;
        }
        for call in &script.calls {
            let words: Vec<String> = call
                .arguments
                .iter()
                .map(|word| word.literal().map_or_else(|| "?".to_owned(), |text| format!("{text:?}")))
                .collect();
            let words = format!("{:?} {} [{}]", call.reach, call.program, words.join(", "));
            self.part("call", call.range, &words, acc)?;
        }
        Ok(())
    }

    fn word(&self, what: &str, word: &Word, acc: &mut String) -> fmt::Result {
        self.part(what, word.range, &format!("{:?}", word.text), acc)
    }

    fn part(&self, what: &str, range: Local, text: &str, acc: &mut String) -> fmt::Result {
        let space = if text.is_empty() { "" } else { " " };
        writeln!(acc, "    {what} {:?}{space}{text}", self.placed.range(range))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::dump;
    use crate::lower::{self, Build};

    #[test]
    fn a_dump_shows_stages_parts_variables_and_faults() {
        let text = "# escape=`\nARG TAG=20\nFROM node:$TAG AS build\n# why\nWORKDIR /app\nCOPY --link package.json ./\nENV A=1\nRUN <<EOF\nnpm ci\nEOF\nFROM scratch\nCOPY --from=build /app /app\nHEALTHCHECK NONE\nCMD [\"/app/run\"]\nFORM x\n";
        expect![[r#"
            escape '`'
              ARG line 2 11..21
                pair 15..21 TAG="20"
              global variable BUILDPLATFORM Predefined "linux/amd64" inherited
              global variable BUILDOS Predefined "linux" inherited
              global variable BUILDARCH Predefined "amd64" inherited
              global variable BUILDVARIANT Predefined "" inherited
              global variable TARGETPLATFORM Predefined "linux/amd64" inherited
              global variable TARGETOS Predefined "linux" inherited
              global variable TARGETARCH Predefined "amd64" inherited
              global variable TARGETVARIANT Predefined "" inherited
              global variable TAG Arg "20" 15..18
            stage 0 "build" 22..121 on image node:20 (docker.io/library/node)
              FROM line 3 22..45
                image 27..36 "node:$TAG"
                name 40..45 "build"
              WORKDIR line 5 52..64
                word 60..64 "/app"
              COPY line 6 65..92
                flag 70..76 link
                source 77..89 "package.json"
                destination 90..92 "./"
              ENV line 7 93..100
                pair 97..100 A="1"
              RUN line 8 101..121
                heredoc 111..118 EOF expanded
              stage variable A Env "1" 97..98
            stage 1 122..203 on scratch
              FROM line 11 122..134
                image 127..134 "scratch"
              COPY line 12 135..162
                flag 140..152 from "build"
                source 153..157 "/app"
                destination 158..162 "/app"
                from stage 0
              HEALTHCHECK line 13 163..179
                none
              CMD line 14 180..196
                exec 185..195 "/app/run"
              FORM line 15 197..203
                unknown
                fault 197..201 unknown instruction: FORM (did you mean FROM?)
            comment 46..51
            fault 197..201 line 15 "unknown instruction: FORM (did you mean FROM?)"
        "#]]
        .assert_eq(&dump(&lower::file(text.into(), &Build::default(), None)));
    }
}
