//! Laws of the shell layer on arbitrary texts: nothing panics, and every range lies where it says.

use arbtest::arbtest;

use crate::shell::state::state;
use crate::shell::{Command, CommandKind, List, Part, Script, Word, parse};
use crate::text::Local;

const PIECES: &[&str] = &[
    "a",
    "apt-get install -y x=1.*",
    " ",
    " ",
    " ",
    "\n",
    "\t",
    ";",
    "&",
    "&&",
    "||",
    "|",
    "|&",
    "!",
    "(",
    ")",
    "((",
    "))",
    "{ ",
    " }",
    "$(",
    "`",
    "`#",
    "$((",
    "${",
    "}",
    "${x:-",
    "$x",
    "$1é",
    "$",
    "'",
    "\"",
    "\\",
    "\\ ",
    "\\\n",
    "#",
    "# c",
    "<<EOF",
    "<<-'E' ",
    "\nEOF\n",
    "<<<",
    "2>&1",
    ">",
    ">f",
    "- 2>f",
    "&>",
    ">&-",
    "<(",
    "[ ",
    " ]",
    "[[ ",
    " ]]",
    "if ",
    "then ",
    "elif ",
    "else ",
    "fi",
    "for x in ",
    "do ",
    "done",
    "while ",
    "case x in ",
    "esac",
    ";;",
    "f() {",
    "function f ",
    "select ",
    "A=",
    "B+=c ",
    "export ",
    "unset ",
    "A=(",
    "sh -c '",
    "bash -c \"",
    "su -c ",
    "env -S ",
    "env ",
    "sudo -u ",
    "exec ",
    "set -e",
    "-o",
    "--",
    "{{ x }}",
    "@NAME@",
    "<% x %>",
    "é",
    "\u{a0}",
    "=",
    "==",
    "=~",
    "*",
    "?",
    "{a,b}",
    "{1..3}",
    "~",
    "$'\\x",
    "$\"",
    "time ",
    "\r\n",
    "\0",
];

/// A text that looks a little like shell.
fn shell_like(u: &mut arbtest::arbitrary::Unstructured<'_>) -> arbtest::arbitrary::Result<String> {
    let mut res = String::new();
    for _ in 0..u.int_in_range(0..=40)? {
        res.push_str(u.choose(PIECES)?);
    }
    Ok(res)
}

fn inside(text: &str, outer: Local, inner: Local) {
    assert!(inner.start <= inner.end && outer.contains_range(inner), "{inner:?} in {outer:?} of {text:?}");
    let (start, end) = (inner.start as usize, inner.end as usize);
    assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{inner:?} of {text:?}");
}

fn check(text: &str, range: Local) {
    let script = parse(text, range);
    assert_eq!(script.range, range);
    check_list(text, range, &script.list);
    for comment in &script.comments {
        inside(text, range, *comment);
    }
    check_calls(text, &script);
    state(&script);
    script.items();
}

fn check_calls(text: &str, script: &Script) {
    let mut last = 0;
    for call in &script.calls {
        inside(text, script.range, call.whole);
        inside(text, call.whole, call.range);
        inside(text, call.range, call.program_range);
        call.arguments.iter().for_each(|it| inside(text, call.range, it.range));
        call.redirects.iter().for_each(|it| inside(text, call.whole, it.range));
        call.environment.iter().for_each(|it| inside(text, call.whole, it.range));
        assert!(last <= call.range.start, "{text:?}");
        last = call.range.start;
        call.operands();
        call.has_flag(&["-e"]);
    }
}

fn check_list(text: &str, outer: Local, list: &List) {
    let mut last = outer.start;
    for item in &list.items {
        inside(text, outer, item.and_or.range);
        assert!(last <= item.and_or.range.start, "{text:?}");
        last = item.and_or.range.end;
        for pipeline in item.and_or.pipelines() {
            inside(text, item.and_or.range, pipeline.range);
            assert!(!pipeline.commands.is_empty());
            for command in &pipeline.commands {
                inside(text, pipeline.range, command.range);
                check_command(text, command);
            }
        }
        if let Some(separator) = item.separator {
            inside(text, outer, separator.range);
            assert!(last <= separator.range.start, "{text:?}");
            last = separator.range.end;
        }
    }
}

fn check_command(text: &str, command: &Command) {
    if let CommandKind::Simple(simple) = &command.kind {
        for assignment in &simple.assignments {
            inside(text, command.range, assignment.range);
            inside(text, assignment.range, assignment.value.range);
        }
    }
    command.redirects.iter().for_each(|it| inside(text, command.range, it.range));
    command.words().into_iter().for_each(|it| check_word(text, command.range, it));
    command.lists().into_iter().for_each(|it| check_list(text, command.range, it));
}

fn check_word(text: &str, outer: Local, word: &Word) {
    inside(text, outer, word.range);
    for part in &word.parts {
        if let Part::Substitution(list) = part {
            check_list(text, word.range, list);
        }
    }
}

#[test]
fn every_range_of_a_shell_like_text_lies_inside_its_parent() {
    arbtest(|u| {
        let text = shell_like(u)?;
        check(&text, Local::new(0, text.len()));
        Ok(())
    });
}

#[test]
fn every_slice_of_a_text_is_parsed_on_its_own() {
    arbtest(|u| {
        let text = shell_like(u)?;
        let places: Vec<usize> = (0..=text.len()).filter(|it| text.is_char_boundary(*it)).collect();
        let (one, two) = (*u.choose(&places)?, *u.choose(&places)?);
        let range = Local::new(one.min(two), one.max(two));
        check(&text, range);
        let mut alone = parse(range.of(&text), Local::new(0, range.len()));
        let there = parse(&text, range);
        assert_eq!(alone.calls.len(), there.calls.len());
        assert_eq!(alone.broken, there.broken);
        alone.range = there.range;
        Ok(())
    });
}

#[test]
fn any_bytes_at_all_are_some_script() {
    arbtest(|u| {
        let bytes = u.bytes(u.len())?;
        let text = String::from_utf8_lossy(bytes);
        check(&text, Local::new(0, text.len()));
        Ok(())
    });
}

#[test]
fn a_range_outside_of_the_text_is_a_broken_script() {
    for range in [Local::new(3, 9), Local::new(1, 2)] {
        assert!(parse("éa", range).broken);
    }
}

#[test]
fn deep_nesting_is_broken_and_long_chains_are_not() {
    for (opening, closing) in [("( ", " )"), ("$(", ")"), ("{ ", "; }"), ("if ", "; then b; fi"), ("echo \"$(", ")\"")]
    {
        let text = opening.repeat(400) + "a" + &closing.repeat(400);
        check(&text, Local::new(0, text.len()));
        assert!(parse(&text, Local::new(0, text.len())).broken, "{opening}");
    }
    for joint in [" && ", " || ", " | ", "; ", " > f && "] {
        let text = "a".to_owned() + &format!("{joint}a").repeat(5000);
        let script = parse(&text, Local::new(0, text.len()));
        assert!(!script.broken, "{joint}");
        assert_eq!(script.calls.len(), 5001, "{joint}");
    }
    let text = "[ a".to_owned() + &" -o a".repeat(5000) + " ]";
    assert_eq!(parse(&text, Local::new(0, text.len())).calls.len(), 1);
    let mut text = "a".to_owned();
    for quote in ["'", "\""] {
        let (opening, closing) = ("( ".repeat(70), " )".repeat(70));
        text = format!("{opening}sh -c {quote}{opening}{text}{closing}{quote}{closing}");
    }
    check(&text, Local::new(0, text.len()));
    assert_eq!(parse(&text, Local::new(0, text.len())).calls.iter().filter(|it| it.program == "sh").count(), 2);
}
