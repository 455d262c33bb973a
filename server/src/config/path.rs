//! Paths of settings: which Dockerfile a `[files."…"]` pattern means, and where a relative path leads.
//!
//! **Invariant:** texts only; no file is looked at. Paths have `/` between their parts.

/// Whether a pattern of `[files]` matches a path, both relative to the settings file. `*` and `?` stay within a part,
/// `**` as a part stands for any number of parts; a pattern that matches a folder holds for all in it.
pub fn matches(pattern: &str, file: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let file: Vec<&str> = file.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if pattern.is_empty() {
        return false;
    }
    // `reached[n]`: the pattern's parts so far match the first n parts of the path.
    let mut reached = vec![false; file.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for part in pattern {
        let mut next = vec![false; file.len() + 1];
        let mut any = false;
        for (at, mark) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or_default();
            any |= here;
            let before = at.checked_sub(1);
            let matched = before.is_some_and(|at| {
                reached.get(at).copied().unwrap_or_default()
                    && file.get(at).is_some_and(|name| part_matches(part, name))
            });
            *mark = if part == "**" { any } else { matched };
        }
        reached = next;
    }
    reached.iter().skip(1).any(|it| *it)
}

/// One part of a path against one part of a pattern.
fn part_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Where the last `*` stands and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut taken) = (0, 0);
    while let Some(it) = name.get(taken) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, taken));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == it => {
                at += 1;
                taken += 1;
            }
            Some(_) | None => {
                let Some((place, start)) = star else { return false };
                star = Some((place, start + 1));
                at = place + 1;
                taken = start + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|it| *it == '*')
}

/// A path below a folder, relative to it; `None` if it lies elsewhere. Without a folder a relative path is taken as it is.
pub fn relative<'a>(file: &'a str, folder: Option<&str>) -> Option<&'a str> {
    let Some(folder) = folder.filter(|it| !it.is_empty() && *it != ".") else {
        return (!is_absolute(file)).then_some(file);
    };
    let rest = file.strip_prefix(folder.strip_suffix('/').unwrap_or(folder))?;
    rest.strip_prefix('/')
}

/// A path as a settings file in `folder` means it.
pub fn joined(folder: Option<&str>, path: &str) -> String {
    match folder {
        Some(folder) if !folder.is_empty() && !is_absolute(path) => {
            format!("{}/{path}", folder.strip_suffix('/').unwrap_or(folder))
        }
        Some(_) | None => path.to_owned(),
    }
}

/// The folder of a file, as a text: empty for a bare name.
pub fn parent(file: &str) -> &str {
    match file.rfind('/') {
        Some(0) => "/",
        Some(at) => file.get(..at).unwrap_or_default(),
        None => "",
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.get(1..2) == Some(":")
}

#[cfg(test)]
mod tests {
    use super::{joined, matches, parent, relative};

    #[test]
    fn patterns_pass_folders_only_with_two_stars() {
        for (pattern, file) in [
            ("**", "a/Dockerfile"),
            ("a/**", "a/b/Dockerfile"),
            ("a", "a/b/Dockerfile"),
            ("**/Dockerfile.*", "Dockerfile.dev"),
            ("**/test/*", "a/test/Dockerfile"),
            ("./a*/?ocker*e", "abc/Dockerfile"),
            ("a/**/b/**", "a/b/Dockerfile"),
        ] {
            assert!(matches(pattern, file), "{pattern} {file}");
        }
        for (pattern, file) in [
            ("", "a"),
            ("Dockerfile", "a/Dockerfile"),
            ("*/x", "a/b/x"),
            ("a/**", "ab/c"),
            ("a?", "a"),
            ("a/b/c", "a/b"),
        ] {
            assert!(!matches(pattern, file), "{pattern} {file}");
        }
    }

    #[test]
    fn paths_are_taken_from_the_settings_file() {
        assert_eq!(relative("/w/a/Dockerfile", Some("/w")), Some("a/Dockerfile"));
        assert_eq!(relative("/w/a", Some("/")), Some("w/a"));
        assert_eq!(relative("/wide/a", Some("/w")), None);
        assert_eq!(relative("a/Dockerfile", None), Some("a/Dockerfile"));
        assert_eq!(relative("/a/Dockerfile", None), None);
        assert_eq!(joined(Some("/w"), "../x"), "/w/../x");
        assert_eq!(joined(Some("/w"), "/x"), "/x");
        assert_eq!(joined(None, "x"), "x");
        assert_eq!((parent("/a/b"), parent("/a"), parent("a")), ("/a", "/", ""));
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!matches(&"**/".repeat(100), ""));
        assert!(!matches(&"*a".repeat(200), &"a".repeat(150)));
    }
}
