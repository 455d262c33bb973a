//! An open document: its text and its syntax tree, changed piece by piece.
//!
//! The text is kept as the editor has it, byte order mark and all line ends included, since the editor counts them.
//! **Invariant:** the text is that of the last change, whatever the tree says; the tree is made when someone asks.

use std::ops::Range;
use std::sync::Arc;

use ropey::Rope;

use crate::syntax::{self, Edit, Tree};
use crate::text::position::{self, Encoding, LineCol};

/// An open document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The number its editor gave to this text.
    pub version: i32,
    rope: Rope,
    /// The last tree that was asked for, told of every change since.
    tree: Option<Tree>,
    /// Whether `tree` is of this text.
    parsed: bool,
}

/// A change of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What goes; the whole text if `None`.
    pub range: Option<Range<LineCol>>,
    /// What comes instead.
    pub text: String,
}

impl Document {
    /// A document as it was opened.
    pub fn open(version: i32, text: &str) -> Document {
        Document { version, rope: Rope::from_str(text), tree: None, parsed: false }
    }

    /// Applies changes one after the other, each on the text that the one before left; `version` is the last text's.
    pub fn change(&mut self, version: i32, changes: &[Change], encoding: Encoding) {
        for change in changes {
            self.replace(change, encoding);
        }
        self.version = version;
    }

    fn replace(&mut self, change: &Change, encoding: Encoding) {
        self.parsed = false;
        let Some(places) = &change.range else {
            self.rope = Rope::from_str(&change.text);
            self.tree = None;
            return;
        };
        let range = position::range(&self.rope, places.clone(), encoding);
        if let Some(tree) = &mut self.tree {
            tree.edit(&Edit::new(&self.rope, range, &change.text));
        }
        let start = self.rope.byte_to_char(range.start().into());
        let end = self.rope.byte_to_char(range.end().into());
        self.rope.remove(start..end);
        self.rope.insert(start, &change.text);
    }

    /// The text, for places in it. Cheap to clone.
    pub fn rope(&self) -> &Rope {
        &self.rope
    }

    /// The whole text.
    pub fn text(&self) -> Arc<str> {
        self.rope.to_string().into()
    }

    /// The syntax tree of this text, parsed at the first call after a change from what the change left of the last one.
    pub fn tree(&mut self) -> &Tree {
        if !self.parsed || self.tree.is_none() {
            self.tree = Some(syntax::parse(&self.rope, self.tree.as_ref()));
            self.parsed = true;
        }
        self.tree.as_ref().expect("it was made above if it was not there")
    }
}

#[cfg(test)]
mod tests {
    use arbtest::arbitrary::{Result, Unstructured};
    use arbtest::arbtest;
    use ropey::Rope;

    use super::{Change, Document};
    use crate::syntax::{parse, sexp};
    use crate::text::TextSize;
    use crate::text::position::{Encoding, LineCol, line_col};

    const ENCODINGS: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    /// Files as people write them: every instruction, heredocs, continuations, comments, other line ends, mistakes.
    const FILES: [&str; 14] = [
        "FROM node:20\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nEXPOSE 3000\nCMD [\"npm\", \"start\"]\n",
        "# syntax=docker/dockerfile:1\nARG BASE=debian\nARG TAG=bookworm-slim\nFROM ${BASE}:${TAG} AS build\nENV A=1 B=\"two words\" \\\n    C=3\nRUN apt-get update \\\n # why\n && apt-get install -y --no-install-recommends \\\n\n    curl \\\n    ca-certificates\n",
        "FROM golang:1.23 AS build\nRUN --mount=type=cache,target=/root/.cache/go-build \\\n    --mount=type=bind,source=go.mod,target=go.mod \\\n    go build -o /out/app ./...\nFROM scratch\nCOPY --from=build --chown=65532:65532 /out/app /app\nENTRYPOINT [\"/app\"]\n",
        "FROM alpine\nRUN <<EOF\nset -e\napk add --no-cache curl\ncurl -fsSL https://example.com | sh\nEOF\nCOPY <<-\"ONE\" <<TWO /etc/\n\tkey=$value\n\tONE\nother\nTWO\nUSER nobody:nogroup\n",
        "# escape=`\nFROM mcr.microsoft.com/windows/servercore:ltsc2022\nSHELL [\"powershell\", \"-Command\"]\nRUN Write-Host `\n    'hello'\nWORKDIR C:\\app\n",
        "FROM python:3.12\r\nRUN pip install \\\r\n    flask \\\r\n    gunicorn\r\nHEALTHCHECK --interval=5m --timeout=3s \\\r\n  CMD curl -f http://localhost/ || exit 1\r\n",
        "FROM ubuntu:22.04@sha256:b6b83d3c331794420340093eb706a6f152d9c1fa51b262d9bf34594887c2c7ac\nLABEL org.opencontainers.image.title=\"Überschrift 𝕏\" version=1\nONBUILD COPY . /src\nSTOPSIGNAL SIGTERM\nVOLUME [\"/data\", \"/log\"]\nMAINTAINER Someone <a@example.com>\n",
        "\u{feff}FROM a\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/x.tar.gz /tmp/\nADD ./a.tar \"/with space/\"\n",
        "FROM --platform=$BUILDPLATFORM rust:1.82 AS chef\nARG TARGETARCH\nRUN case \"$TARGETARCH\" in \\\n      amd64) echo x86_64 ;; \\\n      arm64) echo aarch64 ;; \\\n    esac > /arch\nRUN echo $((1<<4)) && cat <<< text\n",
        "FROM a\rRUN b\rCMD c",
        "FROM a\nRUN echo 'quoted \\\n still' \"and ${X:-default} ${Y:+set}\" \\\n\nENV a.b=c\nEXPOSE 80:80 53/udp\n",
        "FORM node\nRUN\nCOPY only\nENV\nFROM\n[ \"x\" ]\n",
        "",
        "FROM php:8.3-apache\n\n\n# comment\n   # indented comment\nrun docker-php-ext-install pdo_mysql ;\\\n  a2enmod rewrite\nCopy --link --chmod=755 ./entry.sh /usr/local/bin/\ncmd apache2-foreground\n",
    ];

    fn any_insert(u: &mut Unstructured<'_>) -> Result<String> {
        let pieces = [
            "\n", "\\\n", "\r\n", "\r", " ", "RUN ", "FROM a", "<<EOF", "EOF\n", "# c\n", "\"", "'", "$", "${", "}",
            "[", "]", "--from=", "ü", "𝕏", "&& ", "x", "COPY ", "\t", "=", "`",
        ];
        (0..u.int_in_range(0..=3)?).map(|_| u.choose(&pieces).copied()).collect()
    }

    /// A char boundary of `text`.
    fn any_boundary(u: &mut Unstructured<'_>, text: &str) -> Result<usize> {
        let at = u.int_in_range(0..=text.len())?;
        Ok((0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0))
    }

    /// Whether no place of the protocol means this byte.
    fn inside_crlf(text: &str, at: usize) -> bool {
        text[..at].ends_with('\r') && text[at..].starts_with('\n')
    }

    #[test]
    fn after_any_changes_text_and_tree_are_those_of_the_text() {
        arbtest(|u| {
            let mut text = (*u.choose(&FILES)?).to_owned();
            let encoding = *u.choose(&ENCODINGS)?;
            let mut document = Document::open(0, &text);
            document.tree();
            for version in 1..=u.int_in_range(1..=6)? {
                let mut changes = Vec::new();
                for _ in 0..u.int_in_range(1..=3)? {
                    let start = any_boundary(u, &text)?;
                    let rest = text[start..].chars().take(u.int_in_range(0..=9)?).map(char::len_utf8).sum::<usize>();
                    let end = start + rest;
                    if inside_crlf(&text, start) || inside_crlf(&text, end) {
                        continue;
                    }
                    let insert = any_insert(u)?;
                    let rope = Rope::from_str(&text);
                    let place = |byte: usize| line_col(&rope, TextSize::from(byte as u32), encoding);
                    changes.push(Change { range: Some(place(start)..place(end)), text: insert.clone() });
                    text.replace_range(start..end, &insert);
                }
                document.change(version, &changes, encoding);
                assert_eq!(*document.text(), *text);
                if u.ratio(2, 3)? {
                    let fresh = parse(&Rope::from_str(&text), None);
                    assert_eq!(sexp(document.tree()), sexp(&fresh), "{text:?}");
                }
            }
            Ok(())
        })
        .budget_ms(2_000);
    }

    #[test]
    fn a_change_without_a_range_replaces_the_text() {
        let mut document = Document::open(1, "FROM a\n");
        document.tree();
        document.change(7, &[Change { range: None, text: "FROM b\n".into() }], Encoding::Utf16);
        assert_eq!((document.version, &*document.text()), (7, "FROM b\n"));
        assert_eq!(sexp(document.tree()), sexp(&parse(&Rope::from_str("FROM b\n"), None)));
    }

    #[test]
    fn changes_of_one_notification_follow_each_other() {
        let mut document = Document::open(1, "FROM ü\n");
        let place = |line, column| LineCol { line, column };
        let changes = [
            Change { range: Some(place(0, 6)..place(0, 6)), text: "\nRUN 𝕏".into() },
            Change { range: Some(place(1, 4)..place(1, 6)), text: "x".into() },
            Change { range: Some(place(9, 0)..place(9, 9)), text: "# end".into() },
        ];
        document.change(2, &changes, Encoding::Utf16);
        assert_eq!(&*document.text(), "FROM ü\nRUN x\n# end");
    }
}
