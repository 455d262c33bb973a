//! What kind of image it is: the first row of its repository whose patterns the tag fits.

use crate::images::repository::Repository;
use crate::images::{KINDS, Traits, at};
use crate::model::ImageRef;
use crate::table::Table;

const REPOSITORY: usize = at(KINDS, "repository");
const TAGS: usize = at(KINDS, "tags");
const DISTRO: usize = at(KINDS, "distro");
const LIBC: usize = at(KINDS, "libc");
const HAS_SHELL: usize = at(KINDS, "has_shell");
const PACKAGE_MANAGER: usize = at(KINDS, "package_manager");
const DEFAULT_USER: usize = at(KINDS, "default_user");
const RUNTIME: usize = at(KINDS, "runtime");
const SMALLER: usize = at(KINDS, "smaller_counterparts");
const PACKAGES: usize = at(KINDS, "packages");
const CHECKED: usize = at(KINDS, "checked");
const NOTE: usize = at(KINDS, "note");

/// The traits of an image.
pub(super) fn of(table: Table, image: &ImageRef) -> Option<Traits> {
    let row = row(table, image)?;
    let some = |column: usize| Some(table.text(column, row).to_owned()).filter(|text| !text.is_empty());
    Some(Traits {
        distro: table.text(DISTRO, row).to_owned(),
        libc: table.text(LIBC, row).to_owned(),
        has_shell: table.number(HAS_SHELL, row)? == 1,
        package_manager: table.text(PACKAGE_MANAGER, row).to_owned(),
        default_user: some(DEFAULT_USER),
        runtime: some(RUNTIME),
        packages: table.text(PACKAGES, row).split_ascii_whitespace().map(str::to_owned).collect(),
        note: table.text(NOTE, row).to_owned(),
        checked: table.text(CHECKED, row) == "v",
    })
}

/// The templates of the images that are smaller, as the table has them.
pub(super) fn smaller<'t>(table: Table<'t>, image: &ImageRef) -> impl Iterator<Item = &'t str> + use<'t> {
    let templates = row(table, image).map_or("", |row| table.text(SMALLER, row));
    templates.split_ascii_whitespace()
}

fn row(table: Table, image: &ImageRef) -> Option<usize> {
    let rows = table.rows_of(REPOSITORY, &[Repository::of(image).id(table)?]);
    let Some(tag) = image.tag_or_latest() else {
        // A digest alone may be any of the tags: it says something only where they are all alike.
        return (rows.len() == 1).then_some(rows.start);
    };
    let mut rows = rows;
    rows.find(|row| table.text(TAGS, *row).split(' ').any(|pattern| fits(pattern, tag)))
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return text.ends_with(piece);
        }
        let Some((_, after)) = text.split_once(piece) else { return false };
        text = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        let cases = [
            ("*", "", true),
            ("*slim*", "3.11-slim-bookworm", true),
            ("*slim*", "3.11", false),
            ("*-dev", "latest-dev", true),
            ("*-dev", "latest-devel", false),
            ("musl", "musl", true),
            ("musl", "1-musl", false),
            ("10.0*", "10.0.1-noble", true),
            ("a*b*c", "aXbXc", true),
            ("a*b*c", "ac", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
