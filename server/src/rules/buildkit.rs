//! BuildKit's own checks, under its names and with its scope: every stage, also those that nothing needs.
//!
//! What `docker build --check` reports, as far as the text and what lies beside it tell (RULES.md §3). They follow
//! `frontend/dockerfile/linter/ruleset.go` and `dockerfile2llb/validations.go`; where a check is narrower than BuildKit's,
//! its page says so. Their documentation is ours, the link is Docker's.

mod defaults;
mod edits;
mod near;
mod port;
mod references;

// Modules of the rules: written by tests/tidy.rs from the folder.
pub mod consistent_instruction_casing;
pub mod copy_ignored_file;
pub mod duplicate_stage_name;
pub mod expose_invalid_format;
pub mod expose_proto_casing;
pub mod from_as_casing;
pub mod from_platform_flag_const_disallowed;
pub mod invalid_base_image_platform;
pub mod invalid_default_arg_in_from;
pub mod invalid_definition_description;
pub mod json_args_recommended;
pub mod legacy_key_value_format;
pub mod maintainer_deprecated;
pub mod multiple_instructions_disallowed;
pub mod no_empty_continuation;
pub mod redundant_target_platform;
pub mod reserved_stage_name;
pub mod secrets_used_in_arg_or_env;
pub mod stage_name_casing;
pub mod undefined_arg_in_from;
pub mod undefined_var;
pub mod workdir_relative_path;
// End of Modules of the rules.

/// The checks for which Docker has no page; ours stands in.
pub const WITHOUT_PAGE: &[&str] = &["InvalidBaseImagePlatform"];

#[cfg(test)]
mod tests {
    use crate::fixture::{analyse, parse};
    use crate::rules::{self, Severity};

    fn checks(settings: &str) -> Vec<(&'static str, Severity)> {
        let text = format!("FROM debian:12 as base\nCMD [\"bash\"]\n#- plimsoll.toml\n{settings}\n");
        let analysis = analyse(&parse(&text));
        let name = |id: &str| id.starts_with(|char: char| char.is_ascii_uppercase());
        analysis.shown().filter(|it| name(it.id())).map(|it| (it.id(), it.severity)).collect()
    }

    #[test]
    fn one_switch_is_for_all_of_them() {
        assert_eq!(checks("buildkit = \"auto\""), [("FromAsCasing", Severity::Hint)]);
        assert_eq!(checks("buildkit = true"), [("FromAsCasing", Severity::Hint)]);
        assert_eq!(checks("buildkit = false"), []);
        assert_eq!(checks("buildkit = false\n[rules]\nFromAsCasing = \"error\""), []);
    }

    #[test]
    fn each_has_two_spellings_and_a_group() {
        assert_eq!(checks("[rules]\nFromAsCasing = \"off\""), []);
        assert_eq!(checks("[rules]\nfrom-as-casing = \"warning\""), [("FromAsCasing", Severity::Warning)]);
        assert_eq!(checks("[groups]\nstyle = \"off\""), []);
    }

    #[test]
    fn there_are_twenty_two_with_dockers_pages() {
        let checks: Vec<_> = rules::ALL.iter().filter(|rule| rule.is_check()).collect();
        assert_eq!(checks.len(), 22);
        for rule in checks {
            let (kebab, url) = (crate::config::names::kebab(rule.name), rule.url());
            assert!(rule.also.contains(&kebab.as_str()), "{kebab}");
            let page = format!("https://docs.docker.com/reference/build-checks/{kebab}/");
            assert!(
                url == page || super::WITHOUT_PAGE.contains(&rule.name) && url.contains("/docs/rules.md#"),
                "{url}"
            );
        }
    }
}
