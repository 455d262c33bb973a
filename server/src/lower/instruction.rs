//! One instruction from its own text and frame, by BuildKit's rules.
//!
//! Follows `frontend/dockerfile/parser/line_parsers.go` and `instructions/parse.go`, the order in which they check
//! included: BuildKit reports one fault an instruction, and so do we.

use std::ops::Range;
use std::sync::Arc;

use crate::lower::command;
use crate::lower::flags;
use crate::lower::words::{Reader, go_quote, suggestion};
use crate::model::{
    Copy, Form, Frame, From, Healthcheck, Heredoc, Instruction, InstructionKind, LocalFault, Mount, MountOption, Pair,
    Run, Word,
};
use crate::segment::json::{self, Array};
use crate::segment::{self, words};
use crate::text::Local;

/// The keywords BuildKit knows.
pub const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Lowers one instruction.
pub fn instruction(text: Arc<str>, frame: Frame) -> Instruction {
    let reader = Reader::new(&text, frame.escape);
    let mut faults = Vec::new();
    let heredocs = heredocs(&reader, &mut faults);
    let whole = 0..reader.line.text.len();
    let mut res = part(&reader, whole, &text, frame, &heredocs, &mut faults, false);
    res.comments.clone_from(&reader.line.comments);
    res.faults = faults;
    // What the parser rejects comes before what the typed instructions reject; of each kind the first counts.
    res.faults.sort_by_key(|fault| fault.names_line);
    res.faults.truncate(1);
    res.heredocs = heredocs;
    res
}

/// The instruction in a part of the joined line: the whole of it, or what stands behind ONBUILD.
fn part(
    reader: &Reader<'_>,
    whole: Range<usize>,
    text: &Arc<str>,
    frame: Frame,
    heredocs: &[Heredoc],
    acc: &mut Vec<LocalFault>,
    nested: bool,
) -> Instruction {
    let line = reader.line.text.as_str();
    let split = words::split(line, whole.start, whole.end, frame.escape);
    let name = line[split.keyword.clone()].to_ascii_uppercase();
    let flags: Vec<_> = split.flags.iter().map(|token| reader.flag(token)).collect();
    let arguments = split.arguments.clone();
    let mut faults = Vec::new();
    let mut ctx = Lowering {
        reader,
        text,
        frame,
        heredocs,
        keyword: reader.place(split.keyword.clone()),
        written: split.keyword.clone(),
        name: &name,
        flags: &flags,
        arguments,
        acc: &mut faults,
    };
    let kind = ctx.kind();
    let keyword = ctx.keyword;
    // BuildKit does not look at the instruction behind ONBUILD before it is triggered, apart from its form.
    acc.extend(faults.into_iter().filter(|fault| !nested || !fault.names_line));
    Instruction {
        text: Arc::clone(text),
        frame,
        keyword,
        name,
        flags,
        kind,
        heredocs: Vec::new(),
        comments: Vec::new(),
        faults: Vec::new(),
    }
}

struct Lowering<'a> {
    reader: &'a Reader<'a>,
    text: &'a Arc<str>,
    frame: Frame,
    heredocs: &'a [Heredoc],
    keyword: Local,
    /// The keyword in the joined line.
    written: Range<usize>,
    name: &'a str,
    flags: &'a [crate::model::Flag],
    arguments: Range<usize>,
    acc: &'a mut Vec<LocalFault>,
}

impl Lowering<'_> {
    fn kind(&mut self) -> InstructionKind {
        match self.name {
            "FROM" => self.from(),
            "RUN" => {
                self.flags(&flags::RUN);
                self.run()
            }
            "CMD" => {
                self.flags(&[]);
                InstructionKind::Cmd(self.form())
            }
            "ENTRYPOINT" => {
                self.flags(&[]);
                InstructionKind::Entrypoint(self.form())
            }
            "SHELL" => self.shell(),
            "COPY" => self.copy(&flags::COPY).map_or(InstructionKind::Unknown, InstructionKind::Copy),
            "ADD" => self.copy(&flags::ADD).map_or(InstructionKind::Unknown, InstructionKind::Add),
            "ENV" => InstructionKind::Env(self.pairs()),
            "LABEL" => InstructionKind::Label(self.pairs()),
            "ARG" => InstructionKind::Arg(self.arguments()),
            "EXPOSE" => {
                let words = self.plain_words();
                self.at_least_one(words.len());
                self.flags(&[]);
                InstructionKind::Expose(words)
            }
            "VOLUME" => {
                let (words, _) = self.list();
                self.at_least_one(words.len());
                self.flags(&[]);
                if let Some(word) = words.iter().find(|word| word.text.trim().is_empty()) {
                    self.fault(word.range, "VOLUME specified can not be an empty string");
                }
                InstructionKind::Volume(words)
            }
            "USER" => self.one().map_or(InstructionKind::Unknown, InstructionKind::User),
            "WORKDIR" => self.one().map_or(InstructionKind::Unknown, InstructionKind::Workdir),
            "MAINTAINER" => self.one().map_or(InstructionKind::Unknown, InstructionKind::Maintainer),
            "STOPSIGNAL" => self.one().map_or(InstructionKind::Unknown, InstructionKind::Stopsignal),
            "HEALTHCHECK" => self.healthcheck(),
            "ONBUILD" => self.onbuild(),
            _ => {
                let written = &self.reader.line.text[self.written.clone()];
                let mut message = format!("unknown instruction: {written}");
                if let Some(name) = suggestion(&written.to_lowercase(), KEYWORDS.iter().copied()) {
                    let upper = written == written.to_uppercase();
                    let name = if upper { name.to_owned() } else { name.to_lowercase() };
                    message.push_str(&format!(" (did you mean {name}?)"));
                }
                self.fault(self.keyword, message);
                InstructionKind::Unknown
            }
        }
    }

    /// A fault of the typed instruction, which BuildKit reports with its line.
    fn fault(&mut self, range: Local, message: impl Into<String>) {
        self.acc.push(LocalFault { range, message: message.into(), names_line: true });
    }

    /// A fault of the line parsers, which BuildKit reports without a line.
    fn parser_fault(&mut self, range: Local, message: impl Into<String>) {
        self.acc.push(LocalFault { range, message: message.into(), names_line: false });
    }

    fn flags(&mut self, known: &[flags::Known]) {
        if let Some((range, message)) = flags::check(self.flags, known) {
            self.fault(range, message);
        }
    }

    fn at_least_one(&mut self, n_words: usize) {
        if n_words == 0 {
            self.fault(self.keyword, format!("{} requires at least one argument", self.name));
        }
    }

    fn all(&self) -> Local {
        self.reader.place(self.arguments.clone())
    }

    fn plain_words(&self) -> Vec<Word> {
        let tokens = words::plain(&self.reader.line.text, self.arguments.clone());
        tokens.into_iter().map(|token| self.reader.word(token)).collect()
    }

    fn quoted_words(&self) -> Vec<Word> {
        let tokens = words::quoted(&self.reader.line.text, self.arguments.clone(), self.frame.escape);
        tokens.into_iter().map(|token| self.reader.word(token)).collect()
    }

    /// The rest of the line as one word.
    fn one(&mut self) -> Option<Word> {
        if self.arguments.is_empty() {
            self.fault(self.keyword, format!("{} requires exactly one argument", self.name));
        }
        if self.name != "STOPSIGNAL" {
            self.flags(&[]);
        }
        let text = self.reader.line.text[self.arguments.clone()].to_owned();
        (!self.arguments.is_empty()).then(|| Word { range: self.all(), text })
    }

    /// A JSON array of strings, or `None` when the arguments are none.
    fn json(&mut self) -> Option<Vec<Word>> {
        match json::array(&self.reader.line.text[self.arguments.clone()])? {
            Array::Mixed => {
                let message = "when using JSON array syntax, arrays must be comprised of strings only";
                self.parser_fault(self.all(), message);
                Some(Vec::new())
            }
            Array::Strings(strings) => {
                let start = self.arguments.start;
                let word = |(text, place): (String, Range<usize>)| Word {
                    range: self.reader.place(start + place.start..start + place.end),
                    text,
                };
                Some(strings.into_iter().map(word).collect())
            }
        }
    }

    /// Words of a JSON array or between blanks; the flag says which.
    fn list(&mut self) -> (Vec<Word>, bool) {
        match self.json() {
            Some(words) => (words, true),
            None => (self.plain_words(), false),
        }
    }

    fn form(&mut self) -> Form {
        if let Some(words) = self.json() {
            return Form::Exec(words);
        }
        if self.arguments.is_empty() {
            return Form::Empty;
        }
        command::shell(self.reader, self.arguments.clone(), self.frame)
    }

    fn from(&mut self) -> InstructionKind {
        let words = self.plain_words();
        let is_as = |word: &Word| word.text.eq_ignore_ascii_case("as");
        let (image, keyword_as, name) = match &words[..] {
            [image] => (image, None, None),
            [image, word, name] if is_as(word) => {
                let lower = name.text.to_lowercase();
                let sound = lower.starts_with(|char: char| char.is_ascii_lowercase())
                    && lower.chars().all(|char| {
                        char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '-' | '_' | '.')
                    });
                if !sound {
                    let quoted = go_quote(&name.text);
                    self.fault(
                        name.range,
                        format!(
                            "invalid name for build stage: {quoted}, name can't start with a number or contain symbols"
                        ),
                    );
                }
                (image, Some(word.clone()), Some(name.clone()))
            }
            [] => {
                self.fault(self.keyword, "FROM requires either one or three arguments");
                return InstructionKind::Unknown;
            }
            [image, rest @ ..] => {
                let blamed = rest[0].range.cover(rest[rest.len() - 1].range);
                self.fault(blamed, "FROM requires either one or three arguments");
                let keyword_as = rest.first().filter(|word| is_as(word)).cloned();
                let name = keyword_as.as_ref().and_then(|_| rest.get(1)).cloned();
                (image, keyword_as, name)
            }
        };
        let res = From { image: image.clone(), keyword_as, name };
        self.flags(&flags::FROM);
        InstructionKind::From(res)
    }

    fn run(&mut self) -> InstructionKind {
        let mounts: Vec<Mount> =
            self.flags.iter().filter(|flag| flag.name == "mount").map(|flag| self.mount(flag)).collect();
        for flag in self.flags.iter().filter(|flag| flag.name == "mount") {
            if let Some(value) = flag.value.as_ref().filter(|value| value.text.is_empty()) {
                self.fault(value.range, "failed to parse csv mounts: EOF");
            }
        }
        for mount in &mounts {
            let Some(from) = mount.options.iter().find(|option| option.key == "from") else { continue };
            let value = from.value.as_ref().map_or("", |word| word.text.as_str());
            if value.find('$').is_some_and(|at| at + 1 < value.len()) {
                self.fault(from.range, "'from' doesn't support variable expansion, define alias stage instead");
            }
        }
        for (name, message) in [("network", "invalid network mode "), ("security", "security ")] {
            let Some(value) = self.flags.iter().find(|flag| flag.name == name).and_then(|flag| flag.value.as_ref())
            else {
                continue;
            };
            let allowed = if name == "network" {
                matches!(value.text.as_str(), "default" | "none" | "host")
            } else {
                matches!(value.text.as_str(), "insecure" | "sandbox")
            };
            if !allowed {
                let end = if name == "security" { " is not valid" } else { "" };
                self.fault(value.range, format!("{message}{}{end}", go_quote(&value.text)));
            }
        }
        let form = match (self.form(), self.heredocs) {
            (Form::Shell(text), [heredoc, ..]) if segment::operator(&text.text, 0, 0).is_some() => {
                command::heredoc(self.reader, heredoc, self.frame)
            }
            (form, _) => form,
        };
        InstructionKind::Run(Run { mounts, form })
    }

    fn mount(&self, flag: &crate::model::Flag) -> Mount {
        let mut options = Vec::new();
        let Some(value) = &flag.value else { return Mount { range: flag.range, options } };
        // Offsets of a value that was quoted or cut by a continuation are not its text's; then each option has the flag's place.
        let exact = value.range.of(self.reader.source) == value.text;
        let mut at = value.range.start as usize;
        for field in value.text.split(',') {
            let place = |start: usize, length: usize| {
                if exact { Local::new(start, start + length) } else { value.range }
            };
            let (key, text) = match field.split_once('=') {
                Some((key, text)) => (key, Some(text)),
                None => (field, None),
            };
            let range = place(at, field.len());
            let text = text
                .map(|text| Word { range: place(at + field.len() - text.len(), text.len()), text: text.to_owned() });
            if !field.is_empty() {
                options.push(MountOption { key: key.to_lowercase(), range, value: text });
            }
            at += field.len() + 1;
        }
        Mount { range: flag.range, options }
    }

    fn shell(&mut self) -> InstructionKind {
        self.flags(&[]);
        let json = self.json();
        if self.arguments.is_empty() || json.as_ref().is_some_and(Vec::is_empty) {
            self.at_least_one(0);
        } else if json.is_none() {
            self.fault(self.all(), "SHELL requires the arguments to be in JSON form");
        }
        InstructionKind::Shell(json.unwrap_or_default())
    }

    fn copy(&mut self, known: &[flags::Known]) -> Option<Copy> {
        let (mut words, json) = self.list();
        if words.len() < 2 {
            let range = words.first().map_or(self.keyword, |word| word.range);
            let message = "requires at least two arguments, but only one was provided. \
                           Destination could not be determined";
            self.fault(range, format!("{} {message}", self.name));
            return Some(Copy { sources: words, destination: None, json });
        }
        self.flags(known);
        let destination = words.pop()?;
        if segment::operator(&destination.text, 0, 0).is_some() {
            self.fault(destination.range, format!("{} cannot accept a heredoc as a destination", self.name));
        }
        if !json {
            words.retain(|word| segment::operator(&word.text, 0, 0).is_none());
        }
        Some(Copy { sources: words, destination: Some(destination), json })
    }

    /// `name=value …` or `name value` of ENV and LABEL.
    fn pairs(&mut self) -> Vec<Pair> {
        self.flags(&[]);
        let words = self.quoted_words();
        let Some(first) = words.first() else {
            self.at_least_one(0);
            return Vec::new();
        };
        if !first.text.contains('=') {
            let Some((name, value)) = words::name_and_rest(&self.reader.line.text, self.arguments.clone()) else {
                self.parser_fault(first.range, format!("{} must have two arguments", self.name));
                return vec![Pair { range: first.range, name: first.clone(), value: None, legacy: true }];
            };
            let (name, value) = (self.reader.word(name), self.reader.word(value));
            return vec![Pair { range: self.all(), name, value: Some(value), legacy: true }];
        }
        let mut res = Vec::new();
        for word in words {
            let Some(pair) = pair(&word) else {
                let message =
                    format!("Syntax error - can't find = in {}. Must be of the form: name=value", go_quote(&word.text));
                self.parser_fault(word.range, message);
                continue;
            };
            if pair.name.text.is_empty() {
                self.fault(word.range, format!("{} names can not be blank", self.name));
            }
            res.push(pair);
        }
        res
    }

    fn arguments(&mut self) -> Vec<Pair> {
        let words = self.quoted_words();
        self.at_least_one(words.len());
        let mut res = Vec::new();
        for word in words {
            let pair = pair(&word).unwrap_or_else(|| Pair {
                range: word.range,
                name: word.clone(),
                value: None,
                legacy: false,
            });
            if pair.name.text.is_empty() && pair.value.is_some() {
                self.fault(word.range, "ARG names can not be blank");
            }
            res.push(pair);
        }
        res
    }

    fn healthcheck(&mut self) -> InstructionKind {
        let line = self.reader.line.text.as_str();
        let text = &line[self.arguments.clone()];
        let kind_length = text.find(char::is_whitespace).unwrap_or(text.len());
        let kind_range = self.arguments.start..self.arguments.start + kind_length;
        let kind = text[..kind_length].to_uppercase();
        self.arguments = words::trimmed(line, kind_range.end, self.arguments.end);
        if kind.is_empty() {
            self.at_least_one(0);
            return InstructionKind::Healthcheck(Healthcheck::Unknown);
        }
        let form = self.form();
        let empty = matches!(&form, Form::Empty) || matches!(&form, Form::Exec(words) if words.is_empty());
        if kind == "NONE" {
            if !empty {
                self.fault(self.all(), "HEALTHCHECK NONE takes no arguments");
            }
            return InstructionKind::Healthcheck(Healthcheck::None);
        }
        self.flags(&flags::HEALTHCHECK);
        let kind_place = self.reader.place(kind_range);
        if kind != "CMD" {
            self.fault(kind_place, format!("Unknown type {} in HEALTHCHECK (try CMD)", go_quote(&kind)));
            return InstructionKind::Healthcheck(Healthcheck::Unknown);
        }
        if empty {
            self.fault(kind_place, "Missing command after HEALTHCHECK CMD");
        }
        if let Some((range, message)) = flags::check_healthcheck(self.flags) {
            self.fault(range, message);
        }
        InstructionKind::Healthcheck(Healthcheck::Cmd(form))
    }

    fn onbuild(&mut self) -> InstructionKind {
        if self.arguments.is_empty() {
            self.at_least_one(0);
            return InstructionKind::Unknown;
        }
        self.flags(&[]);
        let mut inner_faults = Vec::new();
        // `ONBUILD ONBUILD ONBUILD …` is refused below; without this, a long one would nest as deep.
        let first = words::split(&self.reader.line.text, self.arguments.start, self.arguments.end, self.frame.escape);
        let trigger = self.reader.line.text[first.keyword.clone()].to_uppercase();
        if trigger == "ONBUILD" {
            let message = "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed";
            self.fault(self.reader.place(first.keyword), message);
            return InstructionKind::Unknown;
        }
        let inner =
            part(self.reader, self.arguments.clone(), self.text, self.frame, self.heredocs, &mut inner_faults, true);
        if matches!(trigger.as_str(), "MAINTAINER" | "FROM") {
            self.fault(inner.keyword, format!("{trigger} isn't allowed as an ONBUILD trigger"));
        }
        self.acc.extend(inner_faults);
        InstructionKind::Onbuild(Box::new(inner))
    }
}

fn pair(word: &Word) -> Option<Pair> {
    let (name, value) = word.text.split_once('=')?;
    // The name holds no continuation in any text that people write; where it does, both get the word's place.
    let exact = word.range.len() == word.text.len();
    let start = word.range.start as usize;
    let place = |from: usize, to: usize| if exact { Local::new(start + from, start + to) } else { word.range };
    Some(Pair {
        range: word.range,
        name: Word { range: place(0, name.len()), text: name.to_owned() },
        value: Some(Word { range: place(name.len() + 1, word.text.len()), text: value.to_owned() }),
        legacy: false,
    })
}

/// The heredocs of the instruction, their bodies behind its joined line.
fn heredocs(reader: &Reader<'_>, acc: &mut Vec<LocalFault>) -> Vec<Heredoc> {
    let mut at = reader.line.end;
    let mut res = Vec::new();
    for marker in segment::markers(&reader.line, reader.escape) {
        let body_start = at;
        let mut terminator = None;
        let mut body_end = at;
        while terminator.is_none() && at < reader.source.len() {
            let rest = &reader.source[at..];
            let length = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
            let content = rest[..length].trim_end_matches(['\r', '\n']);
            if marker.ends_at(content) {
                terminator = Some(Local::new(at, at + content.len()));
            } else {
                body_end = at + length;
            }
            at += length;
        }
        let place = reader.place(marker.start..marker.end);
        if terminator.is_none() {
            acc.push(LocalFault { range: place, message: "unterminated heredoc".to_owned(), names_line: false });
        }
        res.push(Heredoc {
            marker: place,
            name: marker.name,
            expand: marker.expand,
            chomp: marker.chomp,
            body: Local::new(body_start, body_end),
            terminator,
        });
    }
    res
}
