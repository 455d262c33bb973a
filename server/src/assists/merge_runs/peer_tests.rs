//! Eleven inputs that another tool's merging gets wrong (it writes a heredoc for everything), and what is right.

#[cfg(test)]
mod tests {
    use crate::assists::merge_runs::{HEREDOC, ID, PLAIN, all};
    use crate::assists::{Assist, Offer};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::fixture::{analyse, parse};
    use crate::lower;
    use crate::text::{TextRange, TextSize};

    const HEAD: &str = "# syntax=docker/dockerfile:1\nFROM debian:12\n";

    /// All that is offered or refused on the first RUN, by variant.
    fn offers(text: &str) -> (Vec<Assist>, Vec<&'static str>) {
        let at = TextSize::new(text.find("\nRUN").expect("a RUN") as u32 + 1);
        let (mut assists, mut codes) = (Vec::new(), Vec::new());
        for offer in analyse(&parse(text)).assists(TextRange::empty(at)) {
            match offer {
                Offer::Assist(assist) if assist.id == ID => assists.push(assist),
                Offer::Refusal(refusal) if refusal.id == ID => codes.push(refusal.code),
                Offer::Assist(_) | Offer::Refusal(_) => {}
            }
        }
        (assists, codes)
    }

    /// Checks what comes of RUNs in both forms; `None` where one must not be offered.
    fn check(runs: &str, plain: Option<&str>, script: Option<&str>) {
        let before = format!("{HEAD}{runs}");
        let (assists, _) = offers(&before);
        let after = |variant: &str| {
            let assist = assists.iter().find(|it| it.variant == Some(variant))?;
            Some(assist.edit.apply(&before)[HEAD.len()..].to_owned())
        };
        assert_eq!(after(PLAIN).as_deref(), plain, "{runs}");
        assert_eq!(after(HEREDOC).as_deref(), script, "{runs}");
    }

    fn refused(runs: &str, code: &str) {
        let (assists, codes) = offers(&format!("{HEAD}{runs}"));
        assert_eq!((assists, codes), (Vec::new(), vec![code]), "{runs}");
    }

    #[test]
    fn a_directory_does_not_leak() {
        check(
            "RUN cd sub && make\nRUN cd sub && make\n",
            Some("RUN ( cd sub && make ) \\\n    && cd sub && make\n"),
            Some("RUN <<EOF\nset -e\n( cd sub && make )\ncd sub\nmake\nEOF\n"),
        );
        refused("RUN cd /tmp\nRUN touch a\n", "X7");
    }

    #[test]
    fn the_state_of_a_shell_does_not_leak() {
        for state in ["export A=1", "A=2", "umask 077", ". /file", "trap 'touch t' EXIT"] {
            let (assists, _) = offers(&format!("{HEAD}RUN {state} && a\nRUN b\n"));
            let text = assists.first().expect("it is offered").edit.apply(&format!("{HEAD}RUN {state} && a\nRUN b\n"));
            assert_eq!(&text[HEAD.len()..], format!("RUN ( {state} && a ) \\\n    && b\n"));
        }
        check(
            "RUN set -x && a\nRUN b\n",
            Some("RUN set -x && a \\\n    && b\n"),
            Some("RUN <<EOF\nset -e\nset -x\na\nb\nEOF\n"),
        );
    }

    #[test]
    fn a_failure_that_is_ignored_does_not_begin_to_count() {
        check("RUN false; true\nRUN b\n", Some("RUN { false; true; } \\\n    && b\n"), None);
        refused("RUN <<EOF\nfalse\ntrue\nEOF\nRUN b\n", "X6");
    }

    #[test]
    fn a_guard_with_a_negation_is_not_lost() {
        check(
            "RUN ! grep bad f\nRUN b\n",
            Some("RUN ! grep bad f \\\n    && b\n"),
            Some("RUN <<EOF\nset -e\n( ! grep bad f )\nb\nEOF\n"),
        );
    }

    #[test]
    fn pipefail_is_not_added_where_the_shell_does_not_know_it() {
        check("RUN a | b\nRUN c\n", Some("RUN a | b \\\n    && c\n"), Some("RUN <<EOF\nset -e\na | b\nc\nEOF\n"));
    }

    #[test]
    fn flags_are_not_dropped() {
        for flag in ["--network=none", "--security=insecure", "--mount=type=cache,target=/c"] {
            check(
                &format!("RUN {flag} a\nRUN {flag} b\n"),
                Some(&format!("RUN {flag} a \\\n    && b\n")),
                Some(&format!("RUN {flag} <<EOF\nset -e\na\nb\nEOF\n")),
            );
            refused(&format!("RUN {flag} a\nRUN b\n"), "R8");
        }
    }

    #[test]
    fn a_text_for_a_command_is_not_carried_out() {
        refused("RUN cat <<X > /a\nbody\nX\nRUN b\n", "X6");
    }

    #[test]
    fn comments_are_not_deleted() {
        check(
            "# tally ignore=x\nRUN a \\\n    # inside\n    && b\n# between\nRUN c\n",
            Some("# tally ignore=x\nRUN a \\\n    # inside\n    && b \\\n    # between\n    && c\n"),
            Some("# tally ignore=x\nRUN <<EOF\nset -e\na\n# inside\nb\n# between\nc\nEOF\n"),
        );
    }

    #[test]
    fn a_frontend_that_knows_no_heredocs_gets_none() {
        let text = "# syntax=docker/dockerfile:1.2\nFROM debian:12\nRUN a\nRUN b\n";
        let (assists, _) = offers(text);
        let variants: Vec<_> = assists.iter().map(|it| it.variant).collect();
        assert_eq!(variants, [Some(PLAIN)]);
    }

    #[test]
    fn line_ends_are_those_of_the_file() {
        let text = "# syntax=docker/dockerfile:1\r\nFROM debian:12\r\nRUN a\r\nRUN b\r\n";
        let (assists, _) = offers(text);
        let [assist] = assists.as_slice() else { panic!("{assists:?}") };
        assert!(assist.edit.apply(text).ends_with("RUN a \\\r\n    && b\r\n"));
    }

    #[test]
    fn what_is_expensive_and_what_changes_often_are_not_the_preferred_merge() {
        let preferred = |runs: &str| {
            let (assists, _) = offers(&format!("{HEAD}{runs}"));
            assists.iter().find(|it| it.variant == Some(PLAIN)).is_some_and(|it| it.preferred)
        };
        assert!(!preferred(
            "RUN apt-get update && apt-get install -y --no-install-recommends gcc\nRUN echo a > /etc/a\n"
        ));
        assert!(preferred("RUN apt-get update\nRUN rm -rf /var/lib/apt/lists/*\n"));
    }

    #[test]
    fn all_finds_each_of_them_once() {
        let file = lower::file("FROM a\nRUN b\nRUN c\nCOPY x y\nRUN d\nRUN e\n".into(), &lower::Build::default(), None);
        assert_eq!(all(&file, &Facts::of(&file, &Config::default())).len(), 2);
    }
}
