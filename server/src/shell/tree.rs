//! From the grammar's tree to lists of commands.
//!
//! What the tree says of single words and of compound commands is followed; how it nests lists, pipelines, negations
//! and redirections is not (see [`crate::shell::builder`]).
//!
//! **Invariant:** no recursion goes deeper than [`DEEPEST`] lists, whatever the text; a long `&&` chain is no depth.

use tree_sitter::{Node, Tree, TreeCursor};

use crate::shell::builder::Builder;
use crate::shell::kind::{self, Kind};
use crate::shell::pieces;
use crate::shell::{
    Assignment, Command, CommandKind, Joint, List, Part, Redirect, Separator, SeparatorKind, Simple, Word,
};
use crate::text::Local;

/// Lists inside lists; what is nested deeper makes the script broken.
const DEEPEST: u32 = 150;

/// Words that cannot name a program when they stand unquoted: where the tree says so, it has misread the text.
const RESERVED: &[&str] = &[
    "!", "[[", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "then", "until",
    "while",
];

/// What [`lower`] makes of a tree.
pub(super) struct Lowered {
    /// The commands.
    pub(super) list: List,
    /// Lists that have no place in the types, with their places, in the order of the text: those in `<( )`, in
    /// `[[ ]]`, in arithmetic, in the operator of `${ }`.
    pub(super) hidden: Vec<(Local, List)>,
    /// Shell comments.
    pub(super) comments: Vec<Local>,
    /// Something is misread or nested too deep.
    pub(super) broken: bool,
}

/// The commands of a tree of `text` (or of a copy of the same length), where `text` begins at byte `offset`.
pub(super) fn lower(tree: &Tree, text: &str, offset: u32) -> Lowered {
    let root = tree.root_node();
    let mut lowering = Lowering {
        text,
        offset,
        cursor: root.walk(),
        nodes: Vec::new(),
        depth: 0,
        hidden: Vec::new(),
        comments: Vec::new(),
        broken: false,
    };
    let list = lowering.list(root);
    lowering.hidden.sort_by_key(|(range, _)| range.start);
    lowering.comments.sort();
    lowering.comments.dedup();
    Lowered { list, hidden: lowering.hidden, comments: lowering.comments, broken: lowering.broken }
}

/// The text, the tree's cursor, and what was found so far.
pub(super) struct Lowering<'t> {
    pub(super) text: &'t str,
    offset: u32,
    cursor: TreeCursor<'t>,
    /// Nodes still to be looked at, the next one last. Each function leaves it as long as it found it.
    nodes: Vec<Node<'t>>,
    depth: u32,
    hidden: Vec<(Local, List)>,
    comments: Vec<Local>,
    broken: bool,
}

impl<'t> Lowering<'t> {
    /// Where a node stands; its ends are moved to the left out of a character that the grammar has split.
    pub(super) fn range(&self, node: Node<'t>) -> Local {
        let offset = self.offset as usize;
        Local::new(offset + self.boundary(node.start_byte()), offset + self.boundary(node.end_byte()))
    }

    pub(super) fn text(&self, node: Node<'t>) -> &'t str {
        self.text_of(self.range(node))
    }

    fn boundary(&self, mut idx: usize) -> usize {
        while !self.text.is_char_boundary(idx) {
            idx -= 1;
        }
        idx
    }

    /// The text of a range that was made by [`Lowering::range`].
    pub(super) fn text_of(&self, range: Local) -> &'t str {
        let offset = self.offset as usize;
        let (start, end) = (range.start as usize, range.end as usize);
        self.text.get(start.saturating_sub(offset)..end.saturating_sub(offset)).unwrap_or("")
    }

    /// Begins to look at the children of a node: the mark for [`Lowering::next`].
    pub(super) fn enter(&mut self, node: Node<'t>) -> usize {
        let mark = self.nodes.len();
        self.expand(node);
        mark
    }

    /// Puts the children of a node where it stood.
    pub(super) fn expand(&mut self, node: Node<'t>) {
        let start = self.nodes.len();
        self.cursor.reset(node);
        let mut more = self.cursor.goto_first_child();
        while more {
            self.nodes.push(self.cursor.node());
            more = self.cursor.goto_next_sibling();
        }
        if let Some(added) = self.nodes.get_mut(start..) {
            added.reverse();
        }
    }

    /// The next node, down to the mark.
    pub(super) fn next(&mut self, mark: usize) -> Option<Node<'t>> {
        if self.nodes.len() > mark { self.nodes.pop() } else { None }
    }

    /// The list that the children of a node are.
    pub(super) fn list(&mut self, node: Node<'t>) -> List {
        let mut acc = Builder::default();
        if self.descend() {
            let mark = self.enter(node);
            while let Some(child) = self.next(mark) {
                self.feed(&mut acc, child);
            }
            self.depth -= 1;
        }
        acc.finish()
    }

    /// Keeps a list that has no place in the types.
    pub(super) fn hide(&mut self, node: Node<'t>) {
        let range = self.range(node);
        let list = self.list(node);
        self.hidden.push((range, list));
    }

    /// Keeps the lists of all substitutions inside of a node.
    pub(super) fn hide_inner(&mut self, node: Node<'t>) {
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Substitution | Kind::Process => self.hide(child),
                _ => self.expand(child),
            }
        }
    }

    fn descend(&mut self) -> bool {
        if self.depth >= DEEPEST {
            self.broken = true;
            return false;
        }
        self.depth += 1;
        true
    }

    /// Gives a node of a list, and those that stand inside of transparent ones, to the list.
    fn feed(&mut self, acc: &mut Builder, node: Node<'t>) {
        let mark = self.nodes.len();
        self.nodes.push(node);
        while let Some(node) = self.next(mark) {
            let range = self.range(node);
            match kind::of(node) {
                Kind::Redirected if !is_redirect(node.child(0)) => self.expand(node),
                Kind::Transparent => self.expand(node),
                Kind::Joint => acc.joint(Joint { and: self.text(node) == "&&", range }),
                Kind::Pipe => acc.pipe(),
                Kind::Bang => acc.negate(range),
                Kind::Separator => self.separate(acc, node),
                Kind::Comment => self.comments.push(range),
                Kind::FileRedirect | Kind::HereString | Kind::Heredoc => {
                    if let Some(word) = acc.waits().and_then(|end| self.lost_word(end, range.start)) {
                        acc.word(word);
                    }
                    let (redirect, words) = self.redirect(node);
                    acc.redirect(redirect);
                    words.into_iter().for_each(|it| acc.word(it));
                }
                Kind::Redirected
                | Kind::Command
                | Kind::Declaration
                | Kind::Assignment
                | Kind::Assignments
                | Kind::Test
                | Kind::Compound
                | Kind::Case
                | Kind::Group
                | Kind::Subshell
                | Kind::Function => {
                    if let Some(end) = acc.waits() {
                        let newline = self.newline(end, range.start);
                        acc.separate(newline);
                    }
                    if kind::of(node) == Kind::Group
                        && let Some(bang) = self.bang_before(range.start)
                    {
                        acc.negate(bang);
                    }
                    let command = self.command(node);
                    acc.command(command);
                }
                Kind::CommandName
                | Kind::Expression
                | Kind::CaseItem
                | Kind::Clause
                | Kind::Keyword
                | Kind::Descriptor
                | Kind::Closing
                | Kind::Bare
                | Kind::Quotes
                | Kind::Raw
                | Kind::Ansi
                | Kind::Concatenation
                | Kind::Variable
                | Kind::Expansion
                | Kind::Substitution
                | Kind::Process
                | Kind::Opaque
                | Kind::Other => {}
            }
        }
    }

    fn separate(&mut self, acc: &mut Builder, node: Node<'t>) {
        let kind = match self.text(node) {
            ";" => SeparatorKind::Semicolon,
            "&" => SeparatorKind::Background,
            _ => return acc.separate(None),
        };
        acc.separate(Some(Separator { kind, range: self.range(node) }));
    }

    /// The first newline between two commands.
    fn newline(&self, start: u32, end: u32) -> Option<Separator> {
        let idx = self.text_of(Local { start, end: end.max(start) }).find('\n')?;
        let start = start as usize + idx;
        Some(Separator { kind: SeparatorKind::Newline, range: Local::new(start, start + 1) })
    }

    /// The `!` before a group, which `scan` took away.
    fn bang_before(&self, end: u32) -> Option<Local> {
        let before = self.text_of(Local { start: self.offset, end }).trim_end_matches([' ', '\t']);
        let start = self.offset as usize + before.strip_suffix('!')?.len();
        Some(Local::new(start, start + 1))
    }

    /// The `-` of `apt-key add - 2>file`, for which the grammar makes no node.
    fn lost_word(&mut self, start: u32, end: u32) -> Option<Word> {
        let gap = self.text_of(Local { start, end: end.max(start) });
        let text = gap.trim_matches(|it: char| it.is_whitespace() || it == '\\');
        let idx = gap.find(text).filter(|_| !text.is_empty())?;
        self.broken |= text != "-";
        let start = start as usize + idx;
        Some(Word { range: Local::new(start, start + text.len()), parts: vec![Part::Bare(text.to_owned())] })
    }

    fn command(&mut self, node: Node<'t>) -> Command {
        let mut redirects = Vec::new();
        let kind = match kind::of(node) {
            Kind::Test if !self.text(node).starts_with("[[") => CommandKind::Simple(self.test(node, &mut redirects)),
            Kind::Test => {
                self.hide_inner(node);
                CommandKind::Test
            }
            Kind::Group if self.text(node).starts_with("((") => {
                self.hide_inner(node);
                CommandKind::Test
            }
            Kind::Group => CommandKind::Group(self.list(node)),
            Kind::Subshell => CommandKind::Subshell(self.list(node)),
            Kind::Compound => self.compound(node),
            Kind::Case => self.case(node),
            Kind::Function => self.function(node, &mut redirects),
            _ => CommandKind::Simple(self.simple(node, &mut redirects)),
        };
        Command { range: self.range(node), kind, redirects }
    }

    /// A program with its arguments, assignments alone, `export` and the like.
    fn simple(&mut self, node: Node<'t>, redirects: &mut Vec<Redirect>) -> Simple {
        let declaration = kind::of(node) == Kind::Declaration;
        let mut assignments = Vec::new();
        let mut words = Vec::new();
        let mark = self.nodes.len();
        if kind::of(node) == Kind::Assignment {
            self.nodes.push(node);
        } else {
            self.expand(node);
        }
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Assignment if declaration => {
                    let word = self.assignment_word(child);
                    push_word(&mut words, word);
                }
                Kind::Assignment => {
                    let assignment = self.assignment(child);
                    assignments.push(assignment);
                }
                Kind::FileRedirect | Kind::HereString | Kind::Heredoc => {
                    let (redirect, more) = self.redirect(child);
                    redirects.push(redirect);
                    words.extend(more);
                }
                Kind::CommandName => {
                    self.broken |= RESERVED.contains(&self.text(child));
                    self.expand(child);
                }
                Kind::Comment => self.comments.push(self.range(child)),
                Kind::Subshell => {
                    self.broken = true;
                    self.hide(child);
                }
                _ => {
                    let word = self.word(child);
                    match assignments.last_mut() {
                        Some(last) if words.is_empty() && last.range.end == word.range.start => {
                            last.range = last.range.cover(word.range);
                            join(&mut last.value, word);
                        }
                        _ => push_word(&mut words, word),
                    }
                }
            }
        }
        Simple { assignments, words }
    }

    /// `[ … ]`, whose expressions are only words to the shell.
    fn test(&mut self, node: Node<'t>, redirects: &mut Vec<Redirect>) -> Simple {
        let mut words = Vec::new();
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Expression | Kind::Transparent | Kind::Redirected | Kind::Command | Kind::CommandName => {
                    self.expand(child)
                }
                Kind::FileRedirect | Kind::HereString | Kind::Heredoc => {
                    let (redirect, more) = self.redirect(child);
                    redirects.push(redirect);
                    words.extend(more);
                }
                _ => {
                    let word = self.word(child);
                    push_word(&mut words, word);
                }
            }
        }
        Simple { assignments: Vec::new(), words }
    }

    fn compound(&mut self, node: Node<'t>) -> CommandKind {
        let mut keyword = String::new();
        let mut words = Vec::new();
        let mut lists = Vec::new();
        let mut acc: Option<Builder> = None;
        let descended = self.descend();
        let mark = self.nodes.len();
        if descended {
            self.expand(node);
        }
        while let Some(child) = self.next(mark) {
            match (kind::of(child), &mut acc) {
                (Kind::Clause, _) => self.expand(child),
                (Kind::Keyword, _) => {
                    if let Some(mut ended) = acc.take() {
                        lists.push(ended.finish());
                    }
                    let text = self.text(child);
                    if keyword.is_empty() {
                        keyword = text.to_owned();
                    }
                    if !matches!(text, "fi" | "done" | "for" | "select") {
                        acc = Some(Builder::default());
                    }
                }
                (_, Some(acc)) => self.feed(acc, child),
                (Kind::Group, None) => {
                    let list = self.list(child);
                    lists.push(list);
                }
                (Kind::Comment, None) => self.comments.push(self.range(child)),
                (
                    Kind::Bare
                    | Kind::Quotes
                    | Kind::Raw
                    | Kind::Ansi
                    | Kind::Concatenation
                    | Kind::Variable
                    | Kind::Expansion
                    | Kind::Substitution
                    | Kind::Opaque,
                    None,
                ) if child.kind() != "variable_name" => {
                    let word = self.word(child);
                    push_word(&mut words, word);
                }
                (_, None) => self.hide_inner(child),
            }
        }
        if let Some(mut ended) = acc {
            lists.push(ended.finish());
        }
        self.depth -= u32::from(descended);
        CommandKind::Compound { keyword, words, lists }
    }

    fn case(&mut self, node: Node<'t>) -> CommandKind {
        let mut words = Vec::new();
        let mut lists = Vec::new();
        let descended = self.descend();
        let mark = self.nodes.len();
        if descended {
            self.expand(node);
        }
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::CaseItem => {
                    let list = self.case_item(child);
                    lists.push(list);
                }
                Kind::Comment => self.comments.push(self.range(child)),
                Kind::Other | Kind::Separator => {}
                _ if lists.is_empty() => {
                    let word = self.word(child);
                    push_word(&mut words, word);
                }
                _ => {}
            }
        }
        self.depth -= u32::from(descended);
        CommandKind::Compound { keyword: "case".to_owned(), words, lists }
    }

    fn case_item(&mut self, node: Node<'t>) -> List {
        let mut acc = Builder::default();
        let mut pattern = true;
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Closing => pattern = false,
                Kind::Substitution | Kind::Process if pattern => self.hide(child),
                _ if pattern => self.hide_inner(child),
                _ => self.feed(&mut acc, child),
            }
        }
        acc.finish()
    }

    fn function(&mut self, node: Node<'t>, redirects: &mut Vec<Redirect>) -> CommandKind {
        let mut name = String::new();
        let mut acc = Builder::default();
        let mut body = None;
        let descended = self.descend();
        let mark = self.nodes.len();
        if descended {
            self.expand(node);
        }
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Bare if name.is_empty() => name = self.text(child).to_owned(),
                Kind::Group if body.is_none() && !self.text(child).starts_with("((") => {
                    let list = self.list(child);
                    body = Some(list);
                }
                Kind::FileRedirect | Kind::HereString => {
                    let (redirect, _) = self.redirect(child);
                    redirects.push(redirect);
                }
                _ => self.feed(&mut acc, child),
            }
        }
        self.depth -= u32::from(descended);
        CommandKind::Function { name, body: body.unwrap_or_else(|| acc.finish()) }
    }

    fn assignment(&mut self, node: Node<'t>) -> Assignment {
        let range = self.range(node);
        let mut name = String::new();
        let mut value = Word { range: Local { start: range.end, end: range.end }, parts: Vec::new() };
        let mut behind = false;
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match self.text(child) {
                text if name.is_empty() => {
                    name = text.to_owned();
                    self.hide_inner(child);
                }
                "=" | "+=" if !behind => {
                    behind = true;
                    // `A+=b` is `A="$A"b`.
                    if self.text(child) == "+=" {
                        let part = Part::Variable { name: name.clone(), operator: String::new(), quoted: true };
                        value.parts.push(part);
                    }
                }
                _ => {
                    let mut word = self.word(child);
                    value.range = word.range;
                    value.parts.append(&mut word.parts);
                }
            }
        }
        Assignment { range, name, value }
    }

    /// `A=1` behind `export`, where it is a word.
    fn assignment_word(&mut self, node: Node<'t>) -> Word {
        let range = self.range(node);
        let assignment = self.assignment(node);
        let mut parts = assignment.value.parts;
        let head = Local { start: range.start, end: assignment.value.range.start };
        let head = self.text_of(head);
        if head.ends_with("+=") && !parts.is_empty() {
            parts.remove(0);
        }
        match parts.first_mut() {
            Some(Part::Bare(text)) => text.insert_str(0, head),
            _ => parts.insert(0, Part::Bare(head.to_owned())),
        }
        Word { range, parts }
    }

    /// A redirection, and the words behind it that the grammar takes for further files.
    fn redirect(&mut self, node: Node<'t>) -> (Redirect, Vec<Word>) {
        let mut descriptor = None;
        let mut operator = String::new();
        let mut words: Vec<Word> = Vec::new();
        let mut closing = None;
        let mut before = None;
        let mut start = self.range(node).start;
        self.broken |= kind::of(node) == Kind::Heredoc;
        let mark = self.enter(node);
        while let Some(child) = self.next(mark) {
            match kind::of(child) {
                Kind::Descriptor if self.text(child).starts_with('-') => {
                    // `-2>file`, where `-2` is an argument.
                    start = self.range(child).end;
                    let word = self.word(child);
                    before = Some(word);
                }
                Kind::Descriptor if descriptor.is_none() => descriptor = Some(self.text(child).to_owned()),
                Kind::Comment => self.comments.push(self.range(child)),
                _ if operator.is_empty() => {
                    let start = child.start_byte();
                    let rest = self.text.get(start..).unwrap_or("");
                    // What `scan` overwrote is read from the text itself.
                    operator = match self.text(child) {
                        "<" if rest.starts_with("<<-") => "<<-".to_owned(),
                        "<" if rest.starts_with("<<") => "<<".to_owned(),
                        text => text.to_owned(),
                    };
                    if let Some(open) = operator.strip_suffix('-').filter(|it| it.ends_with('&')) {
                        operator = open.to_owned();
                        let end = self.range(child).end;
                        let range = Local { start: end.saturating_sub(1), end };
                        closing = Some(Word { range, parts: vec![Part::Bare("-".to_owned())] });
                    }
                }
                _ => {
                    let word = self.word(child);
                    push_word(&mut words, word);
                }
            }
        }
        let range = self.range(node);
        let target = match closing {
            Some(word) => word,
            None if words.is_empty() => Word { range: Local { start: range.end, end: range.end }, parts: Vec::new() },
            None => words.remove(0),
        };
        if let Some(word) = before {
            words.insert(0, word);
        }
        let range = Local { start, end: target.range.end };
        (Redirect { range, operator, descriptor, target }, words)
    }
}

fn is_redirect(node: Option<Node<'_>>) -> bool {
    node.is_some_and(|it| matches!(kind::of(it), Kind::FileRedirect | Kind::HereString))
}

/// Adds a word, or to the last one where no blank stands between.
pub(super) fn push_word(words: &mut Vec<Word>, word: Word) {
    if word.range.is_empty() {
        return;
    }
    match words.last_mut() {
        Some(last) if last.range.end == word.range.start => join(last, word),
        _ => words.push(word),
    }
}

/// Makes one word of two without a blank between.
fn join(word: &mut Word, mut rest: Word) {
    word.range = word.range.cover(rest.range);
    // The grammar reads `$"…"` as `$` and `"…"`, and now and then `A=$B:$C` as `A=$B:$` and `C`.
    if let Some(Part::Bare(last)) = word.parts.last_mut()
        && last.ends_with('$')
    {
        match rest.parts.first_mut() {
            Some(Part::Bare(text)) => {
                let mut parts = Vec::new();
                last.pop();
                pieces::variable(text, false, &mut parts);
                rest.parts.splice(..1, parts);
            }
            _ if last == "$" => last.clear(),
            _ => {}
        }
    }
    word.parts.retain(|part| !matches!(part, Part::Bare(text) if text.is_empty()));
    word.parts.append(&mut rest.parts);
}
