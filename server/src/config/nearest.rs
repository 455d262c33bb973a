//! Which known name somebody may have meant.

/// The known name that is nearest, if it is so near that it may be meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    within(name, known, (name.chars().count() / 3).max(1))
}

/// The known name that is nearest, if so many letters at most are different.
pub fn within<'a>(name: &str, known: impl Iterator<Item = &'a str>, most: usize) -> Option<&'a str> {
    let (distance, nearest) = known.map(|it| (distance(name, it), it)).min()?;
    (distance <= most).then_some(nearest)
}

/// The end of a message about an unknown name: `; did you mean …?`, or nothing where no name is near.
pub fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map(|it| format!("; did you mean `{it}`?")).unwrap_or_default()
}

/// How many characters must be changed, put in or taken out (Levenshtein), over the first 64.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().take(64).enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (to, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let cost = (diagonal + usize::from(from != *to)).min(*cell + 1).min(before + 1);
            diagonal = std::mem::replace(cell, cost);
            before = cost;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_name_is_near_when_a_third_of_it_differs_at_most() {
        let known = ["apt-lists-left", "apk-index-left", "lens"];
        assert_eq!(nearest("apt-list-left", known.into_iter()), Some("apt-lists-left"));
        assert_eq!(nearest("lend", known.into_iter()), Some("lens"));
        assert_eq!(nearest("something-else", known.into_iter()), None);
        assert_eq!(nearest("", known.into_iter()), None);
        assert_eq!(nearest("a", std::iter::empty()), None);
    }
}
