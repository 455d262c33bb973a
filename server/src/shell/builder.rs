//! Puts a list together from commands and operators in the order of the text.
//!
//! The grammar's nesting is not followed here: it gives `a && b > f` one redirection for both and `! a | b` a negated
//! first command. The order of the text with the shell's own precedence (`!`, `|`, then `&&` and `||`, then `;`, a
//! newline and `&`) is what the shell reads.

use std::mem;

use crate::shell::{AndOr, Command, CommandKind, Item, Joint, List, Pipeline, Redirect, Separator, Simple, Word};
use crate::text::Local;

/// A list in the making.
#[derive(Default)]
pub(super) struct Builder {
    items: Vec<Item>,
    and_or: Option<AndOr>,
    joint: Option<Joint>,
    negated: Option<Local>,
    commands: Vec<Command>,
    /// Whether a `|` was the last thing.
    piped: bool,
    /// Redirections whose command comes behind them.
    redirects: Vec<Redirect>,
}

impl Builder {
    /// A `!`.
    pub(super) fn negate(&mut self, range: Local) {
        if self.commands.is_empty() {
            self.negated.get_or_insert(range);
        }
    }

    /// Where the last command ends, if something must stand between it and another one.
    pub(super) fn waits(&mut self) -> Option<u32> {
        self.last_command().map(|it| it.range.end)
    }

    /// A whole command; what separates it from the one before it was given.
    pub(super) fn command(&mut self, mut command: Command) {
        if !self.redirects.is_empty() {
            let mut redirects = mem::take(&mut self.redirects);
            redirects.iter().for_each(|it| command.range = command.range.cover(it.range));
            redirects.append(&mut command.redirects);
            command.redirects = redirects;
        }
        self.piped = false;
        self.commands.push(command);
    }

    /// A redirection of the command before it, or else of the next one.
    pub(super) fn redirect(&mut self, redirect: Redirect) {
        match self.last_command() {
            Some(command) => {
                command.range = command.range.cover(redirect.range);
                command.redirects.push(redirect);
            }
            None => self.redirects.push(redirect),
        }
    }

    /// One more word of the command before it.
    pub(super) fn word(&mut self, word: Word) {
        if let Some(command) = self.last_command()
            && let CommandKind::Simple(simple) = &mut command.kind
        {
            command.range = command.range.cover(word.range);
            simple.words.push(word);
            return;
        }
        if self.last_command().is_some() {
            self.separate(None);
        }
        let range = word.range;
        let simple = Simple { assignments: Vec::new(), words: vec![word] };
        self.command(Command { range, kind: CommandKind::Simple(simple), redirects: Vec::new() });
    }

    /// A `|`.
    pub(super) fn pipe(&mut self) {
        self.settle();
        self.piped = true;
    }

    /// `&&` or `||`.
    pub(super) fn joint(&mut self, joint: Joint) {
        self.end_pipeline();
        self.joint = Some(joint);
    }

    /// `;`, a newline or `&`, or (`None`) what ends a list without one.
    pub(super) fn separate(&mut self, separator: Option<Separator>) {
        self.end_pipeline();
        self.joint = None;
        if let Some(and_or) = self.and_or.take() {
            self.items.push(Item { and_or, separator });
        }
    }

    /// The list.
    pub(super) fn finish(&mut self) -> List {
        self.separate(None);
        List { items: mem::take(&mut self.items) }
    }

    /// The command that a redirection would belong to.
    fn last_command(&mut self) -> Option<&mut Command> {
        if self.piped { None } else { self.commands.last_mut() }
    }

    /// Redirections without a command are one (`> file`).
    fn settle(&mut self) {
        if let Some(first) = self.redirects.first() {
            let range = first.range;
            let kind = CommandKind::Simple(Simple { assignments: Vec::new(), words: Vec::new() });
            self.command(Command { range, kind, redirects: Vec::new() });
        }
    }

    fn end_pipeline(&mut self) {
        self.settle();
        self.piped = false;
        let negated = self.negated.take();
        let commands = mem::take(&mut self.commands);
        let (Some(first), Some(last)) = (commands.first(), commands.last()) else { return };
        let mut range = first.range.cover(last.range);
        if let Some(bang) = negated {
            range = range.cover(bang);
        }
        let pipeline = Pipeline { range, negated, commands };
        let joint = self.joint.take();
        match (&mut self.and_or, joint) {
            (Some(and_or), Some(joint)) => {
                and_or.range = and_or.range.cover(range);
                and_or.rest.push((joint, pipeline));
            }
            (slot, _) => *slot = Some(AndOr { range, first: pipeline, rest: Vec::new() }),
        }
    }
}
