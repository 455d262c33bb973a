//! A table that is younger than the embedded one: TSV with the columns of `server/data/base-images.tsv`, as `plimsoll
//! images update` writes it.
//!
//! **Invariant:** a line that is not understood is left out; nothing here can fail.

use std::collections::BTreeMap;

use crate::date::Date;

/// The columns, as the first line names them.
pub const COLUMNS: [&str; 9] = [
    "repository",
    "tag",
    "platform",
    "compressed_bytes",
    "uncompressed_bytes",
    "uncompressed_kind",
    "layers",
    "date",
    "source",
];

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What a cold pull moves, in bytes.
    pub compressed: Option<u64>,
    /// All files of all layers, in bytes.
    pub uncompressed: Option<u64>,
    /// How many layers.
    pub layers: Option<u32>,
    /// The day of the figures: a day, a month or a year.
    pub date: String,
    /// Where they are from (`server/data/README.md`).
    pub source: String,
}

/// The rows, by repository, tag and platform.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Newer(pub BTreeMap<[String; 3], Row>);

impl Newer {
    /// Reads a table. The first line is the header; a table with other columns has no rows.
    pub fn parse(text: &str) -> Newer {
        let mut lines = text.lines();
        let is_header = |line: &str| line.trim_end().split('\t').eq(COLUMNS);
        if !lines.next().is_some_and(is_header) {
            return Newer::default();
        }
        Newer(lines.filter_map(row).collect())
    }

    /// The table as text, the header first.
    pub fn text(&self) -> String {
        let number = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
        let mut res = COLUMNS.join("\t");
        res.push('\n');
        for ([repository, tag, platform], row) in &self.0 {
            let kind = if row.uncompressed.is_some() { "m" } else { "" };
            let cells = [
                repository,
                tag,
                platform,
                &number(row.compressed),
                &number(row.uncompressed),
                kind,
                &number(row.layers.map(u64::from)),
                &row.date,
                &row.source,
            ];
            res.push_str(&cells.join("\t"));
            res.push('\n');
        }
        res
    }

    /// The row of an image.
    pub(super) fn row(&self, repository: &str, tag: &str, platform: &str) -> Option<&Row> {
        self.0.get(&[repository, tag, platform].map(str::to_owned))
    }
}

fn row(line: &str) -> Option<([String; 3], Row)> {
    let cells: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
    let [repository, tag, platform, compressed, uncompressed, _, layers, date, source] = cells[..] else { return None };
    Date::parse(date)?;
    let row = Row {
        compressed: compressed.parse().ok(),
        uncompressed: uncompressed.parse().ok(),
        layers: layers.parse().ok(),
        date: date.to_owned(),
        source: source.to_owned(),
    };
    let is_known = row.compressed.is_some() || row.uncompressed.is_some();
    (is_known && !repository.is_empty() && !tag.is_empty())
        .then(|| ([repository, tag, platform].map(str::to_owned), row))
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Newer};

    #[test]
    fn a_table_goes_there_and_back_without_the_lines_that_say_nothing() {
        let header = COLUMNS.join("\t");
        let row = "docker.io/library/node\t24\tlinux/amd64\t400\t\t\t8\t2026-12-01\treg";
        let text = format!("{header}\n{row}\nrubbish\n{}\n", row.replace("2026-12-01", "soon").replace("24", "25"));
        let newer = Newer::parse(&text);
        assert_eq!(newer.text(), format!("{header}\n{row}\n"));
        assert_eq!(Newer::parse(&newer.text()), newer);
        assert_eq!(newer.row("docker.io/library/node", "24", "linux/amd64").and_then(|row| row.compressed), Some(400));
    }

    #[test]
    fn a_text_with_other_columns_is_no_table() {
        assert_eq!(Newer::parse("repository\ttag\nnode\t24\n"), Newer::default());
        assert_eq!(Newer::parse(""), Newer::default());
    }
}
