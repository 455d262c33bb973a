//! BuildKit's names of its checks in the letter case of ours.

/// A name like `JSONArgsRecommended` in lower case with `-` between its words: `json-args-recommended`.
pub fn kebab(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut res = String::with_capacity(name.len() + 4);
    for (at, char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| chars.get(before));
        let next = chars.get(at + 1);
        let begins_word = before.is_some_and(char::is_ascii_lowercase) || next.is_some_and(char::is_ascii_lowercase);
        if at > 0 && char.is_ascii_uppercase() && begins_word {
            res.push('-');
        }
        res.push(char.to_ascii_lowercase());
    }
    res
}

/// The name among `known` that `name` is the other spelling of.
pub fn spelled<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let is_other = |it: &&&'a str| it.starts_with(|char: char| char.is_ascii_uppercase()) && kebab(it) == name;
    known.iter().find(is_other).copied()
}

#[cfg(test)]
mod tests {
    use super::{kebab, spelled};

    #[test]
    fn a_name_of_buildkit_has_words() {
        assert_eq!(kebab("StageNameCasing"), "stage-name-casing");
        assert_eq!(kebab("JSONArgsRecommended"), "json-args-recommended");
        assert_eq!(kebab("apt-lists-left"), "apt-lists-left");
        assert_eq!(kebab(""), "");
    }

    #[test]
    fn a_check_has_two_spellings() {
        let known = ["apt-lists-left", "StageNameCasing"];
        assert_eq!(spelled("stage-name-casing", &known), Some("StageNameCasing"));
        assert_eq!(spelled("apt-lists-left", &known), None);
    }
}
