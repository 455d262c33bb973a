//! From lists to the flat list of calls: which programs a script runs, in the order of the text, and how surely.

use crate::shell::parse;
use crate::shell::wrappers;
use crate::shell::{
    Assignment, Call, Command, CommandKind, List, Part, Pipeline, Reach, Redirect, SeparatorKind, Simple, Word,
};
use crate::text::Local;

/// The programs that run the text behind `-c`.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// All calls of a list, where `masked` is the text its ranges count in, `hidden` what has no place in the list
/// (ascending) and `level` how many `sh -c` stand around it.
pub(super) fn calls(masked: &str, list: &List, hidden: Vec<(Local, List)>, level: u32) -> Vec<Call> {
    let mut collector = Collector {
        masked,
        level,
        hidden: hidden.into_iter().map(|(range, list)| (range, Some(list))).collect(),
        acc: Vec::new(),
    };
    collector.list(list, Frame { reach: Reach::Always, subshell: 0 });
    collector.acc.sort_by_key(|call| call.range.start);
    collector.acc
}

/// What a command inherits from the list it stands in.
#[derive(Clone, Copy)]
struct Frame {
    reach: Reach,
    subshell: u32,
}

impl Frame {
    fn maybe(self) -> Frame {
        Frame { reach: Reach::Maybe, ..self }
    }

    fn deeper(self) -> Frame {
        Frame { subshell: self.subshell + 1, ..self }
    }
}

struct Collector<'a> {
    masked: &'a str,
    level: u32,
    /// Ascending by start; a list that was looked at is gone.
    hidden: Vec<(Local, Option<List>)>,
    acc: Vec<Call>,
}

impl Collector<'_> {
    fn list(&mut self, list: &List, frame: Frame) {
        for item in &list.items {
            let background = item.separator.is_some_and(|it| it.kind == SeparatorKind::Background);
            let first = if background { frame.deeper() } else { frame };
            let alternative = item.and_or.rest.iter().any(|(joint, _)| !joint.and);
            let rest = if alternative { first.maybe() } else { first };
            self.pipeline(&item.and_or.first, first);
            item.and_or.rest.iter().for_each(|(_, pipeline)| self.pipeline(pipeline, rest));
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, frame: Frame) {
        let frame = if pipeline.commands.len() > 1 { frame.deeper() } else { frame };
        pipeline.commands.iter().for_each(|it| self.command(it, frame));
    }

    fn command(&mut self, command: &Command, frame: Frame) {
        match &command.kind {
            CommandKind::Simple(simple) => self.simple(command, simple, frame),
            CommandKind::Subshell(list) => self.list(list, frame.deeper()),
            CommandKind::Group(list) => self.list(list, frame),
            CommandKind::Compound { keyword, words, lists } => {
                words.iter().for_each(|it| self.substitutions(it, frame));
                let condition = matches!(keyword.as_str(), "if" | "while" | "until");
                for (idx, list) in lists.iter().enumerate() {
                    self.list(list, if condition && idx == 0 { frame } else { frame.maybe() });
                }
            }
            CommandKind::Function { body, .. } => self.list(body, frame.maybe()),
            CommandKind::Test => {}
        }
        command.redirects.iter().for_each(|it| self.substitutions(&it.target, frame));
        self.hidden(command.range, frame);
    }

    /// Lists without a place in the types that lie in a command and in none inside it.
    fn hidden(&mut self, range: Local, frame: Frame) {
        let mut idx = self.hidden.partition_point(|(it, _)| it.start < range.start);
        while let Some((place, slot)) = self.hidden.get_mut(idx)
            && place.start < range.end
        {
            if range.contains_range(*place)
                && let Some(list) = slot.take()
            {
                self.list(&list, frame.deeper());
            }
            idx += 1;
        }
    }

    fn substitutions(&mut self, word: &Word, frame: Frame) {
        word.substitutions().for_each(|it| self.list(it, frame.deeper()));
    }

    fn simple(&mut self, command: &Command, simple: &Simple, frame: Frame) {
        simple.assignments.iter().for_each(|it| self.substitutions(&it.value, frame));
        simple.words.iter().for_each(|it| self.substitutions(it, frame));
        self.program(command, &simple.assignments, &simple.words, None, frame);
    }

    /// The call of a command with these words, wrappers included.
    fn program(
        &mut self,
        command: &Command,
        assignments: &[Assignment],
        words: &[Word],
        outer: Option<String>,
        frame: Frame,
    ) {
        let unwrapped = wrappers::unwrap(words);
        let wrapper = outer.or(unwrapped.wrapper);
        let mut environment = assignments.to_vec();
        environment.extend(unwrapped.assignments.iter().filter_map(|idx| words.get(*idx)?.assignment()));
        if let Some(split) = unwrapped.split
            && let Some(inner) = split_words(words, split)
        {
            return self.program(command, &environment, &inner, wrapper, frame);
        }
        let (Some(program), Some(last)) = (words.get(unwrapped.program), words.last()) else { return };
        let call = Call {
            range: program.range.cover(last.range),
            whole: command.range,
            program: wrappers::program_name(program).unwrap_or_default(),
            program_range: program.range,
            arguments: words.get(unwrapped.program + 1..).unwrap_or_default().to_vec(),
            environment,
            redirects: command.redirects.clone(),
            reach: frame.reach,
            subshell: frame.subshell,
            wrapper,
        };
        let inner = if parse::may_nest(self.level) { self.nested(&call) } else { Vec::new() };
        self.acc.push(call);
        self.acc.extend(inner);
    }

    /// The calls of the script that a shell or `su` is given behind `-c`.
    fn nested(&self, call: &Call) -> Vec<Call> {
        let user = (call.program == "su").then(|| "su".to_owned());
        if user.is_none() && !SHELLS.contains(&call.program.as_str()) {
            return Vec::new();
        }
        let Some(word) = command_text(&call.arguments, user.is_some()) else { return Vec::new() };
        let outer = user.or_else(|| call.wrapper.clone());
        let (script, exact) = if let Some(range) = inner_text(self.masked, word) {
            (parse::parse_nested(self.masked, range, self.level + 1), true)
        } else if let Some(text) = word.literal() {
            (parse::parse_nested(&text, Local::new(0, text.len()), self.level + 1), false)
        } else {
            return Vec::new();
        };
        if script.broken {
            return Vec::new();
        }
        let mut res = script.calls;
        for inner in &mut res {
            inner.reach = inner.reach.min(call.reach);
            inner.subshell += call.subshell + 1;
            if inner.wrapper.is_none() {
                inner.wrapper.clone_from(&outer);
            }
            if !exact {
                move_call(inner, word.range);
            }
        }
        res
    }
}

/// The words of `env -S 'A=1 program argument' more`: an `env` and what is split.
fn split_words(words: &[Word], split: usize) -> Option<Vec<Word>> {
    let text = words.get(split)?;
    let literal = text.literal()?;
    let env = words.get(split.checked_sub(2)?)?;
    let pieces = literal.split_ascii_whitespace();
    let mut res = vec![Word { range: env.range, parts: vec![Part::Bare("env".to_owned())] }];
    res.extend(pieces.map(|it| Word { range: text.range, parts: vec![Part::Quoted(it.to_owned())] }));
    res.extend(words.get(split + 1..)?.iter().cloned());
    Some(res)
}

/// The word that a shell runs: the first behind its options, where one of them has a `c` in it.
fn command_text(arguments: &[Word], user: bool) -> Option<&Word> {
    let mut idx = 0;
    let mut asked = false;
    while let Some(text) = arguments.get(idx).and_then(Word::literal) {
        if user {
            // `su [-] [user] -c text`: the text follows the option at once.
            if matches!(text.as_str(), "-c" | "--command" | "-lc") {
                return arguments.get(idx + 1);
            }
        } else if let Some(letters) = text.strip_prefix(['-', '+']) {
            let short = !letters.starts_with('-');
            asked |= short && text.starts_with('-') && letters.contains('c');
            let valued = (short && letters.ends_with(['o', 'O'])) || matches!(letters, "-rcfile" | "-init-file");
            idx += usize::from(valued);
        } else {
            break;
        }
        idx += 1;
    }
    if asked { arguments.get(idx) } else { None }
}

/// Where the script stands that a word's text is, if it stands there as the inner shell reads it.
///
/// Plain variables may stand in it (`bash -c "nvm install $VERSION"`): the outer shell puts their values in, and the
/// inner one reads those as it would read the variables, as long as no `'` keeps it from that.
fn inner_text(masked: &str, word: &Word) -> Option<Local> {
    let text = word.range.of(masked);
    let inner = Local { start: word.range.start + 1, end: word.range.end.saturating_sub(1) };
    if let Some(raw) = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
        return (!raw.contains('\'')).then_some(inner);
    }
    let Some(raw) = text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) else {
        return (word.literal()? == text).then_some(word.range);
    };
    if raw.contains(['\\', '"', '`']) {
        return None;
    }
    let mut variables = false;
    for part in &word.parts {
        match part {
            Part::Bare(_) | Part::Quoted(_) => {}
            Part::Variable { operator, .. } if operator.is_empty() => variables = true,
            Part::Variable { .. } | Part::Substitution(_) | Part::Other => return None,
        }
    }
    (!variables || !raw.contains('\'')).then_some(inner)
}

/// Gives a call whose words have no places of their own the place of the word they come from.
fn move_call(call: &mut Call, range: Local) {
    call.range = range;
    call.whole = range;
    call.program_range = range;
    call.arguments.iter_mut().for_each(|it| move_word(it, range));
    for assignment in &mut call.environment {
        assignment.range = range;
        move_word(&mut assignment.value, range);
    }
    for redirect in &mut call.redirects {
        let Redirect { range: place, target, .. } = redirect;
        *place = range;
        move_word(target, range);
    }
}

fn move_word(word: &mut Word, range: Local) {
    word.range = range;
    for part in &mut word.parts {
        if matches!(part, Part::Substitution(_)) {
            *part = Part::Other;
        }
    }
}
