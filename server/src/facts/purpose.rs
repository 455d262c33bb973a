//! What an image is made for, as far as names say it: the path of its file and the name of its stage.
//!
//! It says nothing of what the image holds or starts.

use crate::context::BuildContext;
use crate::model::Stage;

/// Whether the path of the Dockerfile (`Dockerfile.dev`, `docker/dev/Dockerfile`) or the name of the stage says that it
/// is for people who develop or test.
pub fn is_for_development(context: &BuildContext, stage: &Stage) -> bool {
    let file = context.dockerfile.as_deref();
    let name = stage.name.as_ref().map(|name| name.text.as_str());
    file.into_iter().chain(name).any(says_development)
}

/// Whether a word of a name says so.
fn says_development(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|it: char| !it.is_ascii_alphanumeric());
    words.any(|word| {
        matches!(
            word,
            "dev" | "develop" | "development" | "devel" | "local" | "test" | "tests" | "testing" | "storybook" | "e2e"
        ) || matches!(word, "debug" | "devcontainer" | "watch" | "hot" | "tilt")
    })
}

#[cfg(test)]
mod tests {
    use super::says_development;

    #[test]
    fn a_word_of_the_name_says_it() {
        for name in
            ["Dockerfile.dev", "dev.Dockerfile", ".devcontainer/Dockerfile", "docker/local/Dockerfile", "app-test"]
        {
            assert!(says_development(name), "{name}");
        }
    }

    #[test]
    fn a_part_of_a_word_says_nothing() {
        for name in ["Dockerfile", "Dockerfile.prod", "devices/Dockerfile", "contest", "latest"] {
            assert!(!says_development(name), "{name}");
        }
    }
}
