//! Which variable somebody may have meant.

/// Longer names are not compared.
const LONGEST: usize = 64;

/// The known name that is nearest, if it is near enough to be meant: for a short name one letter off, for a longer one
/// two (BuildKit's `util/suggest`, which also takes `$A` for `$QQ`). A difference of letter case alone is the nearest.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = if name.len() > 4 { 2 } else { 1 };
    let key = |it: &'a str| (distance(name, it), name.chars().next() != it.chars().next(), it);
    let (distance, _, res) = known.map(key).min()?;
    (distance <= most && name.len() > 1).then_some(res)
}

/// Whether a name is so near to a known one that it is a slip and no other variable: one letter more, fewer, changed or
/// two of them swapped in a name of four and more, or another letter case. `PATH1` beside `PATH2` is none.
pub(super) fn is_slip(name: &str, known: &str) -> bool {
    if name.eq_ignore_ascii_case(known) {
        return name.len() > 1;
    }
    let digits = |it: &str| it.bytes().filter(u8::is_ascii_digit).collect::<Vec<u8>>();
    let plural = name.strip_prefix(known) == Some("S") || known.strip_prefix(name) == Some("S");
    name.len() >= 4 && known.len() >= 4 && !plural && digits(name) == digits(known) && distance(name, known) == 1
}

/// How many bytes must be changed, put in, taken out or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    if left.eq_ignore_ascii_case(right) {
        return 0;
    }
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() > LONGEST || right.len() > LONGEST {
        return usize::MAX;
    }
    let mut rows = [[0_usize; LONGEST + 1]; 3];
    let [first, ..] = &mut rows;
    for (to, cell) in first.iter_mut().enumerate() {
        *cell = to;
    }
    let [mut older, mut before, mut row] = [rows[1], rows[0], rows[2]];
    for (line, from) in left.iter().enumerate() {
        row[0] = line + 1;
        for (column, to) in right.iter().enumerate() {
            let mut cost = (before[column] + usize::from(from != to)).min(row[column] + 1).min(before[column + 1] + 1);
            let swapped =
                line > 0 && column > 0 && left.get(line - 1) == Some(to) && right.get(column - 1) == Some(from);
            if swapped {
                cost = cost.min(older[column - 1] + 1);
            }
            row[column + 1] = cost;
        }
        (older, before, row) = (before, row, older);
    }
    before[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{is_slip, nearest};

    #[test]
    fn the_nearest_name_is_two_letters_off_at_most() {
        let known = ["PATH", "VERSION", "NODE_VERSION"];
        assert_eq!(nearest("PAHT", known.into_iter()), Some("PATH"));
        assert_eq!(nearest("VERSIN", known.into_iter()), Some("VERSION"));
        assert_eq!(nearest("version", known.into_iter()), Some("VERSION"));
        assert_eq!(nearest("HOME", known.into_iter()), None);
        assert_eq!(nearest("Q", ["A"].into_iter()), None);
        assert_eq!(nearest("", std::iter::empty()), None);
    }

    #[test]
    fn a_slip_is_one_letter_off() {
        assert!(is_slip("PAHT", "PATH"));
        assert!(is_slip("VERSON", "VERSION"));
        assert!(is_slip("path", "PATH"));
        assert!(!is_slip("GOPATH", "PATH"));
        assert!(!is_slip("PATH1", "PATH2"));
        assert!(!is_slip("MODULES", "MODULE"));
        assert!(!is_slip("LANG", "LONGER"));
    }
}
