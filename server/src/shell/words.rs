//! Questions about words, calls and commands that several layers ask.

use crate::shell::{Assignment, Call, Command, CommandKind, Item, List, Part, Script, Word};
use crate::text::Local;

/// Options that take the next word as their value and may stand before a subcommand or among operands, by program.
///
/// From the manuals of the programs. What is not named here is taken for an option without a value.
const VALUED: &[(&[&str], &[&str])] = &[
    (
        &["apt-get", "apt", "aptitude", "apt-cache"],
        &["-o", "--option", "-t", "--target-release", "--default-release", "-c", "--config-file", "-a"],
    ),
    (&["apk"], &["-p", "--root", "-X", "--repository", "-t", "--virtual", "--keys-dir", "--arch", "--cache-dir"]),
    (&["dnf", "yum", "microdnf", "tdnf"], &["-c", "--config", "-x", "--exclude", "--installroot", "--releasever"]),
    (&["zypper"], &["-R", "--root", "--config", "-t", "--type"]),
    (&["npm"], &["--prefix", "-C", "--loglevel", "--registry", "-w", "--workspace"]),
    (&["pnpm"], &["--dir", "-C", "--filter", "-F"]),
    (&["yarn"], &["--cwd"]),
    (&["git"], &["-C", "-c", "--git-dir", "--work-tree"]),
    (&["make", "gmake"], &["-C", "--directory", "-f", "--file", "-I"]),
    (&["cargo"], &["-C", "--config", "--color", "-Z"]),
    (&["go"], &["-C"]),
    (&["mvn"], &["-f", "--file", "-s", "--settings", "-pl", "-P"]),
    (&["gradle", "./gradlew"], &["-p", "--project-dir", "-x", "--exclude-task"]),
    (&["systemctl"], &["--root"]),
];

impl Word {
    /// The lists of the `$( … )` and backquotes in it.
    pub fn substitutions(&self) -> impl Iterator<Item = &List> {
        self.parts.iter().filter_map(|part| match part {
            Part::Substitution(list) => Some(list),
            Part::Bare(_) | Part::Quoted(_) | Part::Variable { .. } | Part::Other => None,
        })
    }

    /// Whether its text surely begins with this.
    pub fn starts_with(&self, prefix: &str) -> bool {
        let mut rest = prefix;
        for part in &self.parts {
            let (Part::Bare(text) | Part::Quoted(text)) = part else { return rest.is_empty() };
            if let Some(longer) = rest.strip_prefix(text.as_str()) {
                rest = longer;
            } else {
                return text.starts_with(rest);
            }
        }
        rest.is_empty()
    }

    /// Whether it is an option: it begins with `-` and is not `-` alone.
    pub fn is_option(&self) -> bool {
        self.starts_with("-") && self.literal().is_none_or(|it| it != "-")
    }

    /// The name left of `=`, where the word is `NAME=…`.
    pub fn assigned_name(&self) -> Option<&str> {
        let (Part::Bare(text) | Part::Quoted(text)) = self.parts.first()? else { return None };
        let (name, _) = text.split_once('=')?;
        let mut chars = name.chars();
        let first = chars.next()?;
        let valid =
            (first.is_ascii_alphabetic() || first == '_') && chars.all(|it| it.is_ascii_alphanumeric() || it == '_');
        valid.then_some(name)
    }

    /// The assignment that `env` or `export` reads in a word `NAME=…`.
    pub fn assignment(&self) -> Option<Assignment> {
        let name = self.assigned_name()?.to_owned();
        let mut parts = self.parts.clone();
        if let Some(Part::Bare(text) | Part::Quoted(text)) = parts.first_mut() {
            text.drain(..=name.len());
            if text.is_empty() {
                parts.remove(0);
            }
        }
        let start = (self.range.start as usize + name.len() + 1).min(self.range.end as usize);
        let range = Local { start: start as u32, end: self.range.end };
        Some(Assignment { range: self.range, name, value: Word { range, parts } })
    }
}

impl Call {
    /// Its arguments, each with its text where that is literal.
    pub fn literal_arguments(&self) -> impl Iterator<Item = (&Word, Option<String>)> {
        self.arguments.iter().map(|word| (word, word.literal()))
    }

    /// Whether this is the program, and its first operands are these words (`call.is("apt-get", &["update"])`).
    pub fn is(&self, program: &str, words: &[&str]) -> bool {
        self.program == program && self.has_operands(words)
    }

    /// Whether its program is one of these, and its first operands are these words.
    pub fn is_any(&self, programs: &[&str], words: &[&str]) -> bool {
        programs.contains(&self.program.as_str()) && self.has_operands(words)
    }

    /// Whether one of these options stands among its arguments, alone or as `--option=value`; not behind `--`.
    pub fn has_flag(&self, flags: &[&str]) -> bool {
        self.flag(flags).is_some()
    }

    /// The first argument that is one of these options, alone or as `--option=value`; not behind `--`.
    pub fn flag(&self, flags: &[&str]) -> Option<&Word> {
        self.options().find(|word| {
            let Some(text) = word.literal() else {
                return flags.iter().any(|flag| word.starts_with(&format!("{flag}=")));
            };
            flags.iter().any(|flag| {
                text.strip_prefix(flag)
                    .is_some_and(|rest| rest.is_empty() || (flag.starts_with("--") && rest.starts_with('=')))
            })
        })
    }

    /// Whether a one-letter option is set, alone (`-r`) or among others (`-rf`); not behind `--`.
    ///
    /// Only for programs whose short options are single letters (`rm`, `cp`, `tar`), not for `find`.
    pub fn has_letter(&self, letter: char) -> bool {
        self.options().any(|word| {
            let Some(text) = word.literal() else { return false };
            text.strip_prefix('-').is_some_and(|letters| !letters.starts_with('-') && letters.contains(letter))
        })
    }

    /// The value of an option: the word behind `flag`, or what stands behind `flag=`. The text is `None` where it is
    /// not literal.
    pub fn option_value(&self, flags: &[&str]) -> Option<(&Word, Option<String>)> {
        let mut arguments = self.arguments.iter();
        while let Some(word) = arguments.next() {
            for flag in flags {
                let joined = format!("{flag}=");
                match word.literal() {
                    Some(text) if text == *flag => return arguments.next().map(|it| (it, it.literal())),
                    Some(text) => {
                        if let Some(value) = text.strip_prefix(&joined) {
                            return Some((word, Some(value.to_owned())));
                        }
                    }
                    None if word.starts_with(&joined) => return Some((word, None)),
                    None => {}
                }
            }
        }
        None
    }

    /// Its arguments that are neither options nor the values of options known to take one.
    ///
    /// Behind `--` every argument is an operand.
    pub fn operands(&self) -> Vec<&Word> {
        let valued = VALUED.iter().find(|(programs, _)| programs.contains(&self.program.as_str()));
        let mut res = Vec::new();
        let mut arguments = self.arguments.iter();
        while let Some(word) = arguments.next() {
            if !word.is_option() {
                res.push(word);
                continue;
            }
            let text = word.literal().unwrap_or_default();
            if text == "--" {
                res.extend(arguments);
                break;
            }
            if valued.is_some_and(|(_, options)| options.contains(&text.as_str())) {
                arguments.next();
            }
        }
        res
    }

    /// Its first operand, where that is literal: `install` of `apt-get -y install curl`.
    pub fn subcommand(&self) -> Option<(&Word, String)> {
        let word = *self.operands().first()?;
        Some((word, word.literal()?))
    }

    fn has_operands(&self, words: &[&str]) -> bool {
        if words.is_empty() {
            return true;
        }
        let operands = self.operands();
        operands.len() >= words.len()
            && operands.iter().zip(words).all(|(operand, word)| operand.literal().is_some_and(|it| it == *word))
    }

    fn options(&self) -> impl Iterator<Item = &Word> {
        self.arguments
            .iter()
            .take_while(|word| word.literal().is_none_or(|it| it != "--"))
            .filter(|word| word.is_option())
    }
}

impl Command {
    /// The lists inside it, those in its words left out.
    pub fn lists(&self) -> Vec<&List> {
        match &self.kind {
            CommandKind::Simple(_) | CommandKind::Test => Vec::new(),
            CommandKind::Subshell(list) | CommandKind::Group(list) => vec![list],
            CommandKind::Compound { lists, .. } => lists.iter().collect(),
            CommandKind::Function { body, .. } => vec![body],
        }
    }

    /// Its words, those of its lists left out: values of assignments, program and arguments, files.
    pub fn words(&self) -> Vec<&Word> {
        let mut res = Vec::new();
        match &self.kind {
            CommandKind::Simple(simple) => {
                res.extend(simple.assignments.iter().map(|it| &it.value));
                res.extend(&simple.words);
            }
            CommandKind::Compound { words, .. } => res.extend(words),
            CommandKind::Subshell(_) | CommandKind::Group(_) | CommandKind::Function { .. } | CommandKind::Test => {}
        }
        res.extend(self.redirects.iter().map(|it| &it.target));
        res
    }
}

impl List {
    /// The commands of this list itself, in order.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.items.iter().flat_map(|item| item.and_or.pipelines()).flat_map(|pipeline| &pipeline.commands)
    }
}

impl Script {
    /// Every command at every depth with its depth (0 at the outside), those in `$( … )` included.
    pub fn commands(&self) -> Vec<(&Command, u32)> {
        let mut res = Vec::new();
        commands(&self.list, 0, &mut res);
        res
    }

    /// Every and-or list at every depth with its separator and depth, those in `$( … )` included.
    pub fn items(&self) -> Vec<(&Item, u32)> {
        let mut res: Vec<(&Item, u32)> = self.list.items.iter().map(|it| (it, 0)).collect();
        for (command, depth) in self.commands() {
            for list in command.lists().into_iter().chain(command.words().into_iter().flat_map(Word::substitutions)) {
                res.extend(list.items.iter().map(|it| (it, depth + 1)));
            }
        }
        res
    }
}

fn commands<'a>(list: &'a List, depth: u32, acc: &mut Vec<(&'a Command, u32)>) {
    for command in list.commands() {
        acc.push((command, depth));
        for inner in command.lists() {
            commands(inner, depth + 1, acc);
        }
        for inner in command.words().into_iter().flat_map(Word::substitutions) {
            commands(inner, depth + 1, acc);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::{Call, Script, parse};
    use crate::text::Local;

    fn script(text: &str) -> Script {
        parse(text, Local::new(0, text.len()))
    }

    fn call(text: &str) -> Call {
        script(text).calls.into_iter().next().expect("the text has a command")
    }

    fn operands(text: &str) -> String {
        let call = call(text);
        call.operands().iter().map(|it| it.literal().unwrap_or("?".to_owned())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn options_in_between_are_stepped_over() {
        assert!(call("apt-get -y -o A=b update").is("apt-get", &["update"]));
        assert!(call("/usr/bin/apt-get -qq -t bookworm install -y x").is("apt-get", &["install"]));
        assert!(call("npm --prefix app run build").is("npm", &["run", "build"]));
        assert!(call("npm ci").is_any(&["npm", "pnpm"], &["ci"]));
        assert!(!call("apt-get install update").is("apt-get", &["update"]));
        assert!(!call("apt-get $X").is("apt-get", &["update"]));
        assert!(call("make").is("make", &[]));
    }

    #[test]
    fn operands_are_neither_options_nor_their_values() {
        assert_eq!(operands("apt-get install -y --target-release sid a $B \"c\" -o d=e f"), "install a ? c f");
        assert_eq!(operands("apk add --no-cache --virtual .deps gcc"), "add gcc");
        assert_eq!(operands("rm -rf -- -a b"), "-a b");
        assert_eq!(operands("tar -x -"), "-");
        assert_eq!(call("git -C x clone y").subcommand().map(|(_, text)| text).as_deref(), Some("clone"));
        assert!(call("git \"$X\" clone").subcommand().is_none());
    }

    #[test]
    fn flags_are_found_alone_and_with_a_value() {
        let pip = call("pip install --no-cache-dir --index-url=x -r y \"--extra=$Z\" -- --never");
        assert!(pip.has_flag(&["--no-cache-dir"]) && pip.has_flag(&["--index-url"]) && pip.has_flag(&["--extra"]));
        assert!(!pip.has_flag(&["--no-cache"]) && !pip.has_flag(&["--never"]));
        assert_eq!(pip.option_value(&["-r", "--requirement"]).and_then(|(_, text)| text).as_deref(), Some("y"));
        assert_eq!(pip.option_value(&["--index-url"]).and_then(|(_, text)| text).as_deref(), Some("x"));
        assert_eq!(pip.option_value(&["--extra"]).map(|(_, text)| text), Some(None));
        assert!(call("rm -rf x").has_letter('r') && !call("rm --dir x").has_letter('r'));
    }

    #[test]
    fn a_default_is_taken_where_the_name_has_no_value() {
        let word = |text: &str| call(&format!("a {text}")).arguments.remove(0);
        let known = |name: &str| (name == "A").then(|| "1".to_owned());
        assert_eq!(word("x-${A}\"$A\"'$A'").resolve(&known).as_deref(), Some("x-11$A"));
        assert_eq!(word("${A:-2}${B:-3}${B-}").resolve(&known).as_deref(), Some("13"));
        for text in ["$B", "${B:-$C}", "${A%%x}", "$(a)", "$((1))"] {
            assert_eq!(word(text).resolve(&known), None, "{text}");
        }
        assert_eq!(word("${A:-2}").literal(), None);
    }

    #[test]
    fn commands_of_every_depth_are_walked_in_order() {
        let script = script("a $(b) && { c; ( d ); } ; e");
        let depths: Vec<u32> = script.commands().iter().map(|(_, depth)| *depth).collect();
        assert_eq!(depths, [0, 1, 0, 1, 1, 2, 0]);
        assert_eq!(script.items().len(), 6);
    }
}
