//! From the grammar's tree to lists of commands.
//!
//! What the tree says of single words and of compound commands is followed; how it nests lists, pipelines, negations
//! and redirections is not (see [`crate::shell::builder`]).
//!
//! **Invariant:** no recursion goes deeper than [`DEEPEST`] lists, whatever the text; a long `&&` chain is no depth.

use tree_sitter::{Node, Tree, TreeCursor};

use crate::shell::builder::Builder;
use crate::shell::kind::{self, Kind};
use crate::shell::{Command, CommandKind, Joint, List, Part, Separator, SeparatorKind, Word};
use crate::text::Local;

/// Lists inside lists; what is nested deeper makes the script broken.
const DEEPEST: u32 = 150;

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
    pub(super) nodes: Vec<Node<'t>>,
    pub(super) depth: u32,
    hidden: Vec<(Local, List)>,
    pub(super) comments: Vec<Local>,
    pub(super) broken: bool,
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

    /// Goes one list deeper, if that is not too deep: then `depth` is to be taken down again.
    pub(super) fn descend(&mut self) -> bool {
        if self.depth >= DEEPEST {
            self.broken = true;
            return false;
        }
        self.depth += 1;
        true
    }

    /// Gives a node of a list, and those that stand inside of transparent ones, to the list.
    pub(super) fn feed(&mut self, acc: &mut Builder, node: Node<'t>) {
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
}

fn is_redirect(node: Option<Node<'_>>) -> bool {
    node.is_some_and(|it| matches!(kind::of(it), Kind::FileRedirect | Kind::HereString))
}
