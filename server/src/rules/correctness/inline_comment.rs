//! `inline-comment`: text that looks like a comment behind the arguments of an instruction, where none can be.

use crate::lower;
use crate::model::{Copy, Form, Healthcheck, Instruction, InstructionKind, Pair, Placed, ShellText, Word};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::segment::{Line, json};
use crate::text::{Indel, Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "inline-comment",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
A `#` behind the arguments of an instruction begins no comment: Docker takes it and the words behind it as arguments.

Only a line whose first character is `#` is a comment.
`WORKDIR /app # sources` makes a directory of that name, `USER node # app` asks for a user of that name, `COPY . . # all`
copies to a directory `all`, and behind the `]` of a `CMD` it turns the JSON form into a shell command that cannot start.
In a `RUN` of several lines, a `#` that is not on the last line takes the rest of the command with it, because Docker
joins the lines before the shell reads them.

```dockerfile
FROM debian:bookworm-slim
WORKDIR /app # sources
CMD ["app"]
```

A comment stands on a line of its own:

```dockerfile
FROM debian:bookworm-slim
# sources
WORKDIR /app
CMD ["app"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for placed in ctx.file.instructions() {
        let instruction = &*placed.instruction;
        if !instruction.text.contains('#') {
            continue;
        }
        let Some((at, message)) = inner(instruction).and_then(|it| hash(it, &instruction.text)) else { continue };
        let range = comment(instruction, at);
        let mut finding = Finding::new(&RULE, placed.range(range), message);
        finding.cause = placed.whole();
        let edit = edit(ctx, placed, range).filter(|_| parses_without(instruction, range));
        let title = "Move the comment to a line of its own".to_owned();
        finding.fix = edit.map(|edit| Fix { title, safety: Safety::Review, edit });
        acc.push(finding);
    }
}

/// The instruction, or what stands behind ONBUILD.
fn inner(instruction: &Instruction) -> Option<&Instruction> {
    match &instruction.kind {
        InstructionKind::Onbuild(inner) => Some(inner),
        InstructionKind::Unknown => None,
        _ => Some(instruction),
    }
}

/// Where the `#` stands, and what Docker makes of it.
fn hash(instruction: &Instruction, text: &str) -> Option<(u32, String)> {
    let told = |at: Option<u32>, what: &str| at.map(|at| (at, format!("this is no comment: {what}")));
    match &instruction.kind {
        InstructionKind::From(_) | InstructionKind::Shell(_) => None,
        InstructionKind::Run(run) => match &run.form {
            Form::Shell(shell) => told(json_form(shell), "behind the `]` it makes this a shell command")
                .or_else(|| told(swallowing(shell, instruction, text), "it takes the rest of the command with it")),
            Form::Exec(_) | Form::Heredoc { .. } | Form::Empty => None,
        },
        InstructionKind::Cmd(form) | InstructionKind::Entrypoint(form) => told(behind_json(form), MADE_SHELL),
        InstructionKind::Healthcheck(Healthcheck::Cmd(form)) => told(behind_json(form), MADE_SHELL),
        InstructionKind::Healthcheck(Healthcheck::None | Healthcheck::Unknown) => None,
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
            told(of_copy(copy), "its words are sources, and the last one is the destination")
        }
        InstructionKind::Env(pairs) | InstructionKind::Label(pairs) => {
            told(of_pairs(pairs, text, &instruction.kind), "it is part of the value")
        }
        InstructionKind::Arg(pairs) => {
            let behind = pairs.iter().skip(1).find(|pair| pair.name.text.starts_with('#'));
            told(behind.map(|pair| pair.range.start), "its words are declared as arguments")
        }
        InstructionKind::Expose(words) => told(of_words(words), "its words are taken for ports"),
        InstructionKind::Volume(words) => told(of_words(words), "its words are taken for paths"),
        InstructionKind::User(word) => told(of_rest(word), &format!("the user is named `{}`", word.text)),
        InstructionKind::Workdir(word) => told(of_rest(word), &format!("the directory is named `{}`", word.text)),
        InstructionKind::Stopsignal(word) => told(of_rest(word), "it is part of the signal's name"),
        InstructionKind::Onbuild(_) | InstructionKind::Maintainer(_) | InstructionKind::Unknown => None,
    }
}

const MADE_SHELL: &str = "behind the `]` it makes this a shell command that cannot start";

fn of_words(words: &[Word]) -> Option<u32> {
    words.iter().skip(1).find(|word| word.text.starts_with('#')).map(|word| word.range.start)
}

fn of_copy(copy: &Copy) -> Option<u32> {
    if copy.json {
        return None;
    }
    let words = copy.sources.iter().skip(1).chain(&copy.destination);
    words.into_iter().find(|word| word.text.starts_with('#')).map(|word| word.range.start)
}

/// `ENV A=b #c=d`, and the old form `ENV A b # c`, whose value is the rest of the line. The text of an old LABEL is
/// often prose, where `#1` is a number: there a blank must stand behind the `#`.
fn of_pairs(pairs: &[Pair], text: &str, kind: &InstructionKind) -> Option<u32> {
    let first = pairs.first()?;
    if !first.legacy {
        return pairs.iter().skip(1).find(|pair| pair.name.text.starts_with('#')).map(|pair| pair.range.start);
    }
    let value = first.value.as_ref()?;
    if value.text.starts_with(['"', '\'', '#']) {
        return None;
    }
    let at = of_rest(value)?;
    let prose = matches!(kind, InstructionKind::Label(_));
    let behind = text.get(at as usize + 1..)?;
    (!prose || behind.starts_with([' ', '\t'])).then_some(at)
}

/// A word that begins with `#` in a text that is one argument, outside of quotes.
fn of_rest(word: &Word) -> Option<u32> {
    if word.range.len() != word.text.len() {
        return None;
    }
    let mut quote = None;
    let mut before = ' ';
    for (at, char) in word.text.char_indices() {
        if quote == Some(char) {
            quote = None;
        } else if quote.is_none() && matches!(char, '"' | '\'') {
            quote = Some(char);
        } else if quote.is_none() && char == '#' && at > 0 && matches!(before, ' ' | '\t') {
            return Some(word.range.start + at as u32);
        }
        before = char;
    }
    None
}

fn behind_json(form: &Form) -> Option<u32> {
    match form {
        Form::Shell(text) => json_form(text),
        Form::Exec(_) | Form::Heredoc { .. } | Form::Empty => None,
    }
}

/// A shell form that would be a JSON array without the `#` and what follows it.
fn json_form(shell: &ShellText) -> Option<u32> {
    if !shell.text.starts_with('[') || shell.range.len() != shell.text.len() {
        return None;
    }
    let blank = |at: usize| shell.text.get(..at).is_some_and(|text| text.ends_with([' ', '\t', ']']));
    let mut places = shell.text.match_indices('#').map(|(at, _)| at).filter(|at| blank(*at));
    let at = places.find(|at| shell.text.get(..*at).is_some_and(|text| json::array(text.trim_end()).is_some()))?;
    Some(shell.range.start + at as u32)
}

/// A comment of the shell that is not on the last line of a continued RUN and has words behind it.
fn swallowing(shell: &ShellText, instruction: &Instruction, source: &str) -> Option<u32> {
    let script = shell.script.as_ref()?;
    let at = if script.broken {
        dangling(source, instruction.frame.escape)?
    } else {
        script.comments.iter().find(|it| shell.range.contains_range(**it))?.start
    };
    let line_end = comment_end(source, at, instruction.frame.escape);
    let rest = source.get(line_end..shell.range.end as usize)?;
    let words = rest.trim_start_matches(['\\', '`']).lines().map(str::trim);
    words.into_iter().any(|line| !line.is_empty() && !line.starts_with('#') && line != "\\").then_some(at)
}

/// A `#` behind an operator that asks for another command, so that the shell meets the end of the text instead: such a
/// text does not parse.
fn dangling(source: &str, escape: char) -> Option<u32> {
    let line = Line::join(source, escape);
    if ["{{", "<%"].iter().any(|placeholder| line.text.contains(placeholder)) {
        return None;
    }
    let (at, _) = line.text.match_indices('#').find(|(at, _)| {
        let before = line.text.get(..*at).unwrap_or_default();
        let trimmed = before.trim_end();
        let even = |quote: char| trimmed.matches(quote).count().is_multiple_of(2);
        trimmed.len() < before.len() && trimmed.ends_with(['&', '|']) && even('"') && even('\'')
    })?;
    u32::try_from(line.source(at)).ok()
}

/// From the `#` to the end of its line, a continuation left out.
fn comment(instruction: &Instruction, at: u32) -> Local {
    Local::new(at as usize, comment_end(&instruction.text, at, instruction.frame.escape))
}

fn comment_end(source: &str, at: u32, escape: char) -> usize {
    let rest = source.get(at as usize..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let is_last = rest.len() == line.len();
    let text = line.trim_end();
    let text = if is_last { text } else { text.strip_suffix(escape).unwrap_or(text).trim_end() };
    at as usize + text.len()
}

/// Whether the instruction stands without the comment, a RUN as shell text too: what it hid may never have been right.
fn parses_without(instruction: &Instruction, range: Local) -> bool {
    let mut text = instruction.text.to_string();
    text.replace_range(range.start as usize..range.end as usize, "");
    let without = lower::instruction::instruction(text.into(), instruction.frame);
    let script = match &without.kind {
        InstructionKind::Run(run) => run.script(),
        _ => None,
    };
    without.faults.is_empty() && script.is_none_or(|script| !script.broken)
}

/// Takes the comment out of its line and puts it on one of its own above, indented as that line.
fn edit(ctx: &Context, placed: &Placed, range: Local) -> Option<TextEdit> {
    let source = &*placed.instruction.text;
    let before = source.get(..range.start as usize)?;
    let words_end = before.trim_end_matches([' ', '\t']).len();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    // In front of the operator there must be something left of the line.
    if words_end <= line_start {
        return None;
    }
    let indent = if line_start == 0 {
        let at = usize::from(placed.at);
        let file_line = ctx.file.text.get(..at)?.rsplit('\n').next().unwrap_or_default();
        file_line.to_owned()
    } else {
        let line = source.get(line_start..)?;
        line.get(..line.len() - line.trim_start().len())?.to_owned()
    };
    let end = if ctx.file.text.contains("\r\n") { "\r\n" } else { "\n" };
    let comment = range.of(source);
    // On the first line the indentation already stands before the instruction, else before the words of the line.
    let (at, insert) = if line_start == 0 {
        (0, format!("{comment}{end}{indent}"))
    } else {
        (line_start, format!("{indent}{comment}{end}"))
    };
    TextEdit::new(vec![
        Indel { delete: placed.range(Local::new(at, at)), insert },
        Indel { delete: placed.range(Local::new(words_end, range.end as usize)), insert: String::new() },
    ])
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    #[test]
    fn words_behind_a_hash_are_arguments() {
        check(
            &RULE,
            "FROM a\n\
             WORKDIR /app # sources\n\
             #            ^^^^^^^^^ the directory is named `/app # sources`\n\
             COPY package*.json ./ # rarely changed\n\
             #                     ^^^^^^^^^^^^^^^^ destination\n\
             ADD a b #c\n\
             #       ^^ destination\n\
             EXPOSE 80 # http\n\
             #         ^^^^^^ ports\n\
             ARG A=1 # one\n\
             #       ^^^^^ declared as arguments\n\
             ENV A b # c\n\
             #       ^^^ part of the value\n\
             ENV A=b #c=d\n\
             #       ^^^^ part of the value\n\
             VOLUME [\"/data\"] # data\n\
             #                ^^^^^^ paths\n\
             STOPSIGNAL TERM # now\n\
             #               ^^^^^ signal\n\
             USER node # app\n\
             #         ^^^^^ the user is named `node # app`\n",
        );
    }

    #[test]
    fn behind_a_json_form_it_makes_a_shell_command() {
        check(
            &RULE,
            "FROM a\n\
             HEALTHCHECK CMD [\"curl\", \"-f\"] # alive\n\
             #                              ^^^^^^^ cannot start\n\
             ENTRYPOINT [\"tini\"] #init\n\
             #                   ^^^^^ cannot start\n\
             CMD [\"node\"] # start\n\
             #            ^^^^^^^ shell command that cannot start\n\
             ONBUILD WORKDIR /x # y\n\
             #                  ^^^ no comment\n",
        );
    }

    #[test]
    fn in_a_run_of_several_lines_it_takes_the_rest_along() {
        check(
            &RULE,
            "FROM a\n\
             RUN b \\\n \
              && c # why \\\n\
             #     ^^^^^ takes the rest of the command with it\n \
              && d\n\
             RUN b && # why \\\n\
             #        ^^^^^ takes the rest\n \
                 c\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM a\nRUN b \\\n    && c # why \\\n    && d\n",
            "FROM a\nRUN b \\\n    # why\n    && c \\\n    && d\n",
        );
        check_no_fix(&RULE, "FROM a\nRUN b; # why \\\n    ; c\n");
    }

    #[test]
    fn a_comment_line_is_a_comment() {
        check(&RULE, "FROM a\n# one\nWORKDIR /app\n  # two\nRUN a \\\n  # three\n  && b\n");
    }

    #[test]
    fn a_hash_inside_quotes_or_a_word_is_text() {
        check(
            &RULE,
            "FROM a\nADD https://example.com/a.git#v1 /x\nENV A=b#c B=\"d # e\"\nLABEL text \"a # b\"\nLABEL c=\"# d\"\n\
             ENV COLOUR #fff\nLABEL text the #1 image\nWORKDIR \"/a # b\"\nCMD [\"echo\", \"# a\"]\n",
        );
    }

    #[test]
    fn the_shell_drops_a_comment_on_the_last_line() {
        check(&RULE, "FROM a\nRUN make # all\nRUN a && \\\n    b # last\nCMD node server.js # start\n");
    }

    #[test]
    fn a_body_of_a_heredoc_has_its_own_comments() {
        check(&RULE, "FROM a\nRUN <<EOF\nmake # all\n# more\nmake install\nEOF\nCOPY <<EOF /x\na # b\nEOF\n");
    }

    #[test]
    fn a_maintainer_is_any_text() {
        check(&RULE, "FROM a\nMAINTAINER me # you\n");
    }

    #[test]
    fn what_buildkit_rejects_is_its_fault_alone() {
        check(&RULE, "FROM a # base\nENV A=b # c\nLABEL a=b # c\nSHELL [\"sh\"] # d\n");
    }

    #[test]
    fn without_the_comment_something_may_be_missing() {
        check_no_fix(&RULE, "FROM a\nCOPY . ####\n");
    }

    #[test]
    fn the_comment_moves_to_its_own_line() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM a\r\n  WORKDIR /app  # sources\r\nCMD [\"a\"] # b",
            "FROM a\r\n  # sources\r\n  WORKDIR /app\r\n# b\r\nCMD [\"a\"]",
        );
    }
}
