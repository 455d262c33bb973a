//! From a command to the programs it runs.

use std::collections::BTreeMap;

use crate::context::BuildContext;
use crate::facts::landing::{self, Landed};
use crate::facts::start::{Open, Program, Role, StartChain, scripts, wrappers};
use crate::facts::walk::{self, State};
use crate::model::{File, Form, Stage};
use crate::shell::{self, Call, Script};
use crate::text::Local;

/// How deep scripts may call each other.
const DEEPEST: usize = 5;

/// What following needs and where it puts what it finds.
pub(super) struct Follower<'a> {
    pub(super) file: &'a File,
    pub(super) stage: &'a Stage,
    pub(super) states: &'a [State],
    pub(super) context: &'a BuildContext,
    /// The variables of the container.
    pub(super) environment: BTreeMap<String, String>,
    /// What `"$@"` of an entry script stands for.
    pub(super) command: Vec<Option<String>>,
    pub(super) acc: &'a mut StartChain,
}

/// A command of an instruction, with the text that its ranges count in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    pub(super) form: &'a Form,
    pub(super) text: &'a str,
}

/// Where in the chain a command stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) directory: Option<String>,
    pub(super) trail: Vec<String>,
    pub(super) packaged: bool,
}

impl Follower<'_> {
    /// Joins ENTRYPOINT and CMD as Docker does and follows the result.
    pub(super) fn start(
        &mut self,
        entry: Option<Written<'_>>,
        command: Option<Written<'_>>,
        directory: Option<String>,
        entrypoint: bool,
    ) {
        let place = Place { directory, ..Place::default() };
        match (entry, command) {
            (Some(Written { form: entry @ Form::Exec(_), .. }), command) => {
                let mut words = exec(entry);
                self.command = command.map(|command| exec(command.form)).unwrap_or_default();
                words.extend(self.command.iter().cloned());
                self.words(words, &place);
            }
            (Some(entry), _) => self.form(entry, place.directory),
            (None, Some(Written { form: Form::Exec(words), .. }))
                if entrypoint && words.first().is_some_and(|it| is_for_node(&it.text)) =>
            {
                let mut all = vec![Some("node".to_owned())];
                all.extend(words.iter().map(|word| Some(word.text.clone())));
                self.words(all, &place);
            }
            (None, Some(command)) => self.form(command, place.directory),
            (None, None) => {}
        }
    }

    /// A command in any form.
    pub(super) fn form(&mut self, written: Written<'_>, directory: Option<String>) {
        let place = Place { directory, ..Place::default() };
        match written.form {
            Form::Exec(_) => self.words(exec(written.form), &place),
            Form::Shell(text) => match &text.script {
                Some(script) => self.script(script, written.text, &place),
                None => self.acc.open.push(Open::Shell),
            },
            Form::Heredoc { .. } => self.acc.open.push(Open::Shell),
            Form::Empty => {}
        }
    }

    /// Shell text.
    pub(super) fn text(&mut self, text: &str, place: &Place) {
        let script = shell::parse(text, Local::new(0, text.len()));
        self.script(&script, text, place);
    }

    fn script(&mut self, script: &Script, text: &str, place: &Place) {
        if place.trail.len() > DEEPEST {
            self.acc.open.push(Open::Deep(place.trail.last().cloned().unwrap_or_default()));
            return;
        }
        if script.broken {
            self.acc.open.push(Open::Shell);
            return;
        }
        let mut place = place.clone();
        for call in &script.calls {
            if call.program == "cd" {
                let to = call.arguments.first().and_then(|word| self.value(word));
                place.directory = match (to, &place.directory) {
                    (Some(to), Some(directory)) => Some(walk::absolute(directory, &to)),
                    (Some(_) | None, _) => None,
                };
            } else if !wrappers::is_builtin(&call.program) {
                self.call(call, text, &place);
            }
        }
    }

    fn call(&mut self, call: &Call, text: &str, place: &Place) {
        let mut words: Vec<Option<String>> = Vec::new();
        let raw = call.program_range.of(text);
        if call.program.is_empty() {
            let raw = raw.trim_matches('"');
            if matches!(raw, "$@" | "$*") {
                words.clone_from(&self.command);
            } else {
                let name = raw.trim_start_matches('$').trim_matches(['{', '}']);
                let Some(value) = self.environment.get(name) else {
                    self.acc.open.push(Open::Variable(raw.to_owned()));
                    return;
                };
                words.extend(value.split_whitespace().map(|word| Some(word.to_owned())));
            }
        } else {
            // The folder of a path was taken off the program's name; the word itself says where it lies.
            let raw = raw.trim_matches(['"', '\'', '\\']);
            let path = raw.contains('/') && raw.ends_with(&call.program) && !raw.contains('$');
            words.push(Some(if path { raw.to_owned() } else { call.program.clone() }));
        }
        words.extend(call.arguments.iter().map(|word| self.value(word)));
        self.words(words, place);
    }

    fn value(&self, word: &shell::Word) -> Option<String> {
        word.resolve(&|name| self.environment.get(name).cloned())
    }

    /// A program with its arguments.
    pub(super) fn words(&mut self, words: Vec<Option<String>>, place: &Place) {
        let Some((first, arguments)) = words.split_first() else { return };
        let Some(word) = first else {
            self.acc.open.push(Open::Variable(String::new()));
            return;
        };
        let name = word.rsplit('/').next().unwrap_or(word);
        let done = self.start_script(word, arguments, place)
            || wrappers::follow(self, name, word, arguments, place)
            || scripts::follow(self, name, word, arguments, place);
        if !done {
            self.push(word, arguments.to_vec(), place, Role::Work);
        }
    }

    pub(super) fn push(&mut self, word: &str, arguments: Vec<Option<String>>, place: &Place, role: Role) {
        let name = word.rsplit('/').next().unwrap_or(word);
        let mut all = Vec::new();
        if name == "node" {
            // Node reads these options as if they stood in front of its arguments.
            let options = self.environment.get("NODE_OPTIONS").map_or("", String::as_str);
            all.extend(options.split_whitespace().map(|word| Some(word.to_owned())));
        }
        all.extend(arguments);
        self.acc.programs.push(Program {
            name: name.to_owned(),
            word: word.to_owned(),
            arguments: all,
            directory: place.directory.clone(),
            role,
            trail: place.trail.clone(),
            packaged: place.packaged,
            health: false,
        });
    }

    /// Follows a start script of the context; false when the word names none.
    fn start_script(&mut self, word: &str, arguments: &[Option<String>], place: &Place) -> bool {
        let is_shell = word.ends_with(".sh") && !wrappers::is_known(word);
        if !is_shell && (word.contains('.') && !word.starts_with("./") || word.contains("node_modules")) {
            return false;
        }
        let paths: Vec<String> = match (word.contains('/'), &place.directory) {
            (true, Some(directory)) => vec![walk::absolute(directory, word)],
            (true, None) if word.starts_with('/') => vec![walk::absolute("/", word)],
            (true, None) => Vec::new(),
            (false, _) => BIN.iter().map(|directory| format!("{directory}/{word}")).collect(),
        };
        for path in paths {
            if let Landed::File(found) = self.landed(&path) {
                self.acc.asked.push(path.clone());
                self.file(&found, &path, word, arguments, place);
                return true;
            }
        }
        // The entry point of the official images has this name; it carries out its arguments.
        let unread = is_shell && word != "docker-entrypoint.sh";
        if unread {
            self.acc.open.push(Open::Script(word.to_owned()));
            self.push(word, arguments.to_vec(), place, Role::Work);
        }
        unread
    }

    /// A file that is started, by its first line.
    fn file(&mut self, found: &str, path: &str, word: &str, arguments: &[Option<String>], place: &Place) {
        let Some(text) = self.context.text(found).map(str::to_owned) else {
            self.acc.open.push(Open::Script(word.to_owned()));
            return self.push(word, arguments.to_vec(), place, Role::Work);
        };
        match interpreter(&text) {
            None | Some("sh" | "bash" | "ash" | "dash") => {
                self.push(word, arguments.to_vec(), place, Role::Wrapper);
                if let Some(shell) = interpreter(&text) {
                    self.push(shell, Vec::new(), place, Role::Wrapper);
                }
                let before = std::mem::replace(&mut self.command, arguments.to_vec());
                let mut place = place.clone();
                place.trail.push(word.to_owned());
                self.text(&text, &place);
                self.command = before;
            }
            Some(program) => {
                let mut words = vec![Some(path.to_owned())];
                words.extend(arguments.iter().cloned());
                self.push(program, words, place, Role::Work);
            }
        }
    }

    pub(super) fn landed(&self, path: &str) -> Landed {
        if !self.context.known {
            return Landed::Nothing;
        }
        landing::landed(self.file, self.stage, self.states, self.context, path)
    }
}

/// Where a program without a folder is looked for.
const BIN: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What the entry point of the Node images hands to `node`: options, and files that are no programs.
fn is_for_node(word: &str) -> bool {
    word.starts_with('-') || [".js", ".mjs", ".cjs"].iter().any(|it| word.ends_with(it))
}

/// The program of the `#!` line.
fn interpreter(text: &str) -> Option<&str> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    let mut words = line.split_whitespace().map(|it| it.rsplit('/').next().unwrap_or(it));
    match words.next() {
        Some("env") => words.find(|it| !it.starts_with('-')),
        program => program,
    }
}

fn exec(form: &Form) -> Vec<Option<String>> {
    match form {
        Form::Exec(words) => words.iter().map(|word| Some(word.text.clone())).collect(),
        Form::Shell(text) => ["/bin/sh", "-c", &text.text].map(|word| Some(word.to_owned())).to_vec(),
        Form::Heredoc { .. } | Form::Empty => Vec::new(),
    }
}
