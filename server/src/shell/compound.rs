//! From nodes to compound commands: `if`, loops, `case` and functions, with their lists in the order of the text.

use tree_sitter::Node;

use crate::shell::builder::Builder;
use crate::shell::kind::{self, Kind};
use crate::shell::simple::push_word;
use crate::shell::tree::Lowering;
use crate::shell::{CommandKind, List, Redirect};

impl<'t> Lowering<'t> {
    pub(super) fn compound(&mut self, node: Node<'t>) -> CommandKind {
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

    pub(super) fn case(&mut self, node: Node<'t>) -> CommandKind {
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

    pub(super) fn function(&mut self, node: Node<'t>, redirects: &mut Vec<Redirect>) -> CommandKind {
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
}
