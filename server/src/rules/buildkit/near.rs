//! Which variable somebody may have meant.

/// Longer names are not compared.
const LONGEST: usize = 64;

/// The known name that is nearest, if it is hardly another: one letter more, fewer, changed or two swapped (BuildKit's
/// `util/suggest` would take `$A` for `$QQ`). A difference of letter case alone is the nearest.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let key = |it: &'a str| (distance(name, it), name.chars().next() != it.chars().next(), it);
    let (distance, _, res) = known.filter(|it| !are_siblings(name, it)).map(key).min()?;
    (distance <= 1 && name.len() > 1).then_some(res)
}

/// Whether a name is so near to a known one that it is a slip and no variable that somebody else sets.
pub(super) fn is_slip(name: &str, known: &str) -> bool {
    if name.eq_ignore_ascii_case(known) {
        return name.len() > 1;
    }
    name.len() >= 4 && known.len() >= 4 && !are_siblings(name, known) && distance(name, known) == 1
}

/// Whether two names are told apart by a number, a last letter or a plural, as names of like things are: `PATH1` and `PATH2`,
/// `SIDE_A` and `SIDE_B`.
fn are_siblings(left: &str, right: &str) -> bool {
    let stem = |name: &str| name.char_indices().next_back().map_or(0, |(at, _)| at);
    let same_stem = left.get(..stem(left)) == right.get(..stem(right));
    let plural = |one: &str, many: &str| many.strip_prefix(one).is_some_and(|rest| rest.eq_ignore_ascii_case("s"));
    let differ = !left.eq_ignore_ascii_case(right);
    !digits(left).eq(digits(right)) || differ && same_stem || plural(left, right) || plural(right, left)
}

fn digits(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(u8::is_ascii_digit)
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
    fn the_nearest_name_is_hardly_another() {
        let known = ["PATH", "VERSION", "NODE_VERSION"];
        assert_eq!(nearest("PAHT", known.into_iter()), Some("PATH"));
        assert_eq!(nearest("VERSIN", known.into_iter()), Some("VERSION"));
        assert_eq!(nearest("version", known.into_iter()), Some("VERSION"));
        assert_eq!(nearest("HOME", known.into_iter()), None);
        assert_eq!(nearest("NODE_VERION2", known.into_iter()), None);
        assert_eq!(nearest("NODE_VERION", known.into_iter()), Some("NODE_VERSION"));
        assert_eq!(nearest("APP_ROOT", ["APP_PORT"].into_iter()), None);
        assert_eq!(nearest("SIDE_A", ["SIDE_B", "SIDE_C"].into_iter()), None);
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
        assert!(!is_slip("varA", "varB"));
        assert!(!is_slip("LANG", "LONGER"));
    }
}
