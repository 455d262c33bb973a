//! Tests of the shell layer: small texts, and what is made of them.

use expect_test::{Expect, expect};

use crate::shell::{
    AndOr, Call, Command, CommandKind, List, Part, Pipeline, Reach, Redirect, Script, SeparatorKind, Word, parse,
};
use crate::text::Local;

/// The script of a whole text.
pub(super) fn script(text: &str) -> Script {
    parse(text, Local::new(0, text.len()))
}

/// Checks the list of a text and its calls, one on each line.
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&render(&script(text)));
}

fn render(script: &Script) -> String {
    let mut res = String::new();
    if script.broken {
        res.push_str("broken ");
    }
    res.push_str(&list(&script.list));
    for comment in &script.comments {
        res.push_str(&format!("\n# {comment:?}"));
    }
    for it in &script.calls {
        res.push_str("\n- ");
        res.push_str(&call(it));
    }
    res
}

fn list(list: &List) -> String {
    let mut res = Vec::new();
    for item in &list.items {
        let separator = match item.separator.map(|it| it.kind) {
            None => "",
            Some(SeparatorKind::Semicolon) => " ;",
            Some(SeparatorKind::Newline) => " \\n",
            Some(SeparatorKind::Background) => " &",
        };
        res.push(and_or(&item.and_or) + separator);
    }
    res.join(" ")
}

fn and_or(and_or: &AndOr) -> String {
    let mut res = pipeline(&and_or.first);
    for (joint, it) in &and_or.rest {
        res.push_str(if joint.and { " && " } else { " || " });
        res.push_str(&pipeline(it));
    }
    res
}

fn pipeline(pipeline: &Pipeline) -> String {
    let commands: Vec<String> = pipeline.commands.iter().map(command).collect();
    let bang = if pipeline.negated.is_some() { "!" } else { "" };
    match commands.len() {
        1 => bang.to_owned() + &commands.concat(),
        _ => format!("{bang}<{}>", commands.join(" | ")),
    }
}

fn command(command: &Command) -> String {
    let mut res = match &command.kind {
        CommandKind::Simple(simple) => {
            let assignments = simple.assignments.iter().map(|it| format!("{}={}", it.name, word(&it.value)));
            let words = simple.words.iter().map(word);
            format!("[{}]", assignments.chain(words).collect::<Vec<_>>().join(" "))
        }
        CommandKind::Subshell(inner) => format!("({})", list(inner)),
        CommandKind::Group(inner) => format!("{{{}}}", list(inner)),
        CommandKind::Compound { keyword, words, lists } => {
            let words: String = words.iter().map(|it| format!(" {}", word(it))).collect();
            let lists: String = lists.iter().map(|it| format!(" {{{}}}", list(it))).collect();
            format!("({keyword}{words}{lists})")
        }
        CommandKind::Function { name, body } => format!("(function {name} {{{}}})", list(body)),
        CommandKind::Test => "(test)".to_owned(),
    };
    for it in &command.redirects {
        res.push_str(&redirect(it));
    }
    res
}

fn redirect(redirect: &Redirect) -> String {
    format!(" {}{}{}", redirect.descriptor.as_deref().unwrap_or(""), redirect.operator, word(&redirect.target))
}

/// Bare text as it is, quoted text in `'…'`, in quotes expanded variables with a `"`.
fn word(word: &Word) -> String {
    let mut res = String::new();
    for part in &word.parts {
        match part {
            Part::Bare(text) => res.push_str(text),
            Part::Quoted(text) => res.push_str(&format!("{text:?}").replace('"', "'")),
            Part::Variable { name, operator, quoted } => {
                res.push_str(&format!("${}{name}{operator}", if *quoted { "\"" } else { "" }));
            }
            Part::Substitution(inner) => res.push_str(&format!("$({})", list(inner))),
            Part::Other => res.push('…'),
        }
    }
    if res.is_empty() { "∅".to_owned() } else { res }
}

fn call(call: &Call) -> String {
    let mut res = format!("{:?} ", call.range);
    for it in &call.environment {
        res.push_str(&format!("{}={} ", it.name, word(&it.value)));
    }
    if let Some(wrapper) = &call.wrapper {
        res.push_str(&format!("{wrapper}: "));
    }
    res.push_str(if call.program.is_empty() { "?" } else { &call.program });
    for it in &call.arguments {
        res.push_str(&format!(" {}", word(it)));
    }
    for it in &call.redirects {
        res.push_str(&redirect(it));
    }
    if call.reach == Reach::Maybe {
        res.push_str(" (maybe)");
    }
    if call.subshell > 0 {
        res.push_str(&format!(" (deep {})", call.subshell));
    }
    res
}

#[test]
fn operators_bind_as_the_shell_reads_them_not_as_the_grammar_nests_them() {
    check(
        "a && b > f",
        expect![[r#"
        [a] && [b] >f
        - +0..1 a
        - +5..6 b >f"#]],
    );
    check(
        "a && b | c",
        expect![[r#"
        [a] && <[b] | [c]>
        - +0..1 a
        - +5..6 b (deep 1)
        - +9..10 c (deep 1)"#]],
    );
    check(
        "a | b && c",
        expect![[r#"
        <[a] | [b]> && [c]
        - +0..1 a (deep 1)
        - +4..5 b (deep 1)
        - +9..10 c"#]],
    );
    check(
        "a || true; b",
        expect![[r#"
        [a] || [true] ; [b]
        - +0..1 a
        - +5..9 true (maybe)
        - +11..12 b"#]],
    );
    check(
        "! a | b",
        expect![[r#"
        !<[a] | [b]>
        - +2..3 a (deep 1)
        - +6..7 b (deep 1)"#]],
    );
    check(
        "! a && b",
        expect![[r#"
        ![a] && [b]
        - +2..3 a
        - +7..8 b"#]],
    );
    check(
        "a |& b",
        expect![[r#"
        <[a] | [b]>
        - +0..1 a (deep 1)
        - +5..6 b (deep 1)"#]],
    );
    check(
        "a 2>/dev/null || b >&2 && c",
        expect![[r#"
        [a] 2>/dev/null || [b] >&2 && [c]
        - +0..1 a 2>/dev/null
        - +17..18 b >&2 (maybe)
        - +26..27 c (maybe)"#]],
    );
}

#[test]
fn separators_are_kept() {
    check(
        "a & b",
        expect![[r#"
        [a] & [b]
        - +0..1 a (deep 1)
        - +4..5 b"#]],
    );
    check(
        "a && b &",
        expect![[r#"
        [a] && [b] &
        - +0..1 a (deep 1)
        - +5..6 b (deep 1)"#]],
    );
    check(
        "a; b ;",
        expect![[r#"
        [a] ; [b] ;
        - +0..1 a
        - +3..4 b"#]],
    );
    check(
        "a\nb\n\nc",
        expect![[r#"
            [a] \n [b] \n [c]
            - +0..1 a
            - +2..3 b
            - +5..6 c"#]],
    );
}

#[test]
fn redirections_belong_to_their_command() {
    check(
        ">f echo hi",
        expect![[r#"
        [echo hi] >f
        - +3..10 echo hi >f"#]],
    );
    check(
        "echo > f a b",
        expect![[r#"
        [echo a b] >f
        - +0..12 echo a b >f"#]],
    );
    check(
        "cmd 2>&- arg",
        expect![[r#"
        [cmd arg] 2>&-
        - +0..12 cmd arg 2>&-"#]],
    );
    check(
        "echo foo2>bar",
        expect![[r#"
        [echo foo2] >bar
        - +0..9 echo foo2 >bar"#]],
    );
    check(
        "curl x >| y &>z 3<&0",
        expect![[r#"
        [curl x] >|y &>z 3<&0
        - +0..6 curl x >|y &>z 3<&0"#]],
    );
    check(
        r#"cat <<< "x" | y"#,
        expect![[r#"
        <[cat] <<<'x' | [y]>
        - +0..3 cat <<<'x' (deep 1)
        - +14..15 y (deep 1)"#]],
    );
    check(
        "( a ) > x",
        expect![[r#"
        ([a]) >x
        - +2..3 a (deep 1)"#]],
    );
    check(
        "{ a; } 2>&1 | b",
        expect![[r#"
        <{[a] ;} 2>&1 | [b]>
        - +2..3 a (deep 1)
        - +14..15 b (deep 1)"#]],
    );
    check("> f", expect!["[] >f"]);
    check(
        "x | apt-key add - 2>f; a -2>f",
        expect![[r#"
        <[x] | [apt-key add -] 2>f> ; [a -2] >f
        - +0..1 x (deep 1)
        - +4..17 apt-key add - 2>f (deep 1)
        - +23..27 a -2 >f"#]],
    );
    check(
        "a\n> f\nb > g\n",
        expect![[r#"
        [a] \n [] >f \n [b] >g
        - +0..1 a
        - +6..7 b >g"#]],
    );
}

#[test]
fn a_heredoc_without_its_body_is_a_redirection() {
    check(
        "cat <<EOF > /x",
        expect![[r#"
        [cat] <<EOF >/x
        - +0..3 cat <<EOF >/x"#]],
    );
    check(
        "<<EOF cat > x && foo",
        expect![[r#"
        [cat] <<EOF >x && [foo]
        - +6..9 cat <<EOF >x
        - +17..20 foo"#]],
    );
    check(
        "cat <<-'A' > /x <<B && foo",
        expect![[r#"
        [cat] <<-'A' >/x <<B && [foo]
        - +0..3 cat <<-'A' >/x <<B
        - +23..26 foo"#]],
    );
    check(
        "python3 <<EOF | b",
        expect![[r#"
        <[python3] <<EOF | [b]>
        - +0..7 python3 <<EOF (deep 1)
        - +16..17 b (deep 1)"#]],
    );
    check("<<EOF", expect!["[] <<EOF"]);
    check(
        "cat <<$X",
        expect![[r#"
        [cat] <<$X
        - +0..3 cat <<$X"#]],
    );
    check(
        "echo $((1<<4))",
        expect![[r#"
        [echo …]
        - +0..14 echo …"#]],
    );
}

#[test]
fn the_body_of_a_heredoc_in_a_script_is_no_command() {
    check(
        "cat <<A >x\nrm -rf / 'y\nA\nb",
        expect![[r#"
            [cat] <<A >x \n [b]
            - +0..3 cat <<A >x
            - +25..26 b"#]],
    );
    check(
        "cat <<A <<-\"B C\" && x\nA\n\ty\n\tB C\nb",
        expect![[r#"
            [cat] <<A <<-'B C' && [x] \n [b]
            - +0..3 cat <<A <<-'B C'
            - +20..21 x
            - +32..33 b"#]],
    );
    check(
        "if a; then cat <<E; fi\nit's\nE\nb",
        expect![[r#"
            (if {[a] ;} {[cat] <<E ;}) \n [b]
            - +3..4 a
            - +11..14 cat <<E (maybe)
            - +30..31 b"#]],
    );
}

#[test]
fn words_know_what_is_quoted_and_what_is_expanded() {
    check(
        r#"echo "$a $b  # c" d"#,
        expect![[r#"
        [echo $"a$' $b  # c' d]
        - +0..19 echo $"a$' $b  # c' d"#]],
    );
    check(
        r#"echo "  $a ""#,
        expect![[r#"
        [echo $'  $a ']
        - +0..12 echo $'  $a '"#]],
    );
    check(
        r#"echo foo\_bar \_x "a"\_b"#,
        expect![[r#"
        [echo foo'_'bar '_'x 'a''_'b]
        - +0..24 echo foo'_'bar '_'x 'a''_'b"#]],
    );
    check(
        r"echo a\ b \  c",
        expect![[r#"
        [echo a' 'b \ c]
        - +0..14 echo a' 'b \ c"#]],
    );
    check(
        r#"echo "a\"b\n" a\"b"#,
        expect![[r#"
        [echo 'a\'b\\n' a'\''b]
        - +0..18 echo 'a\'b\\n' a'\''b"#]],
    );
    check(
        r#"echo $'a\nb\x41' $"x" '' """#,
        expect![[r#"
        [echo 'a\nbA' 'x' '' '']
        - +0..27 echo 'a\nbA' 'x' '' ''"#]],
    );
    check(
        r#"echo $1st $? $@ "$*" $"#,
        expect![[r#"
        [echo $1st $? $@ $"* $]
        - +0..22 echo $1st $? $@ $"* $"#]],
    );
    check(
        "echo {a,b}/c /x/{1..3} *.txt ~/x a[bc]d",
        expect![[r#"
        [echo {a,b}/c /x/{1..3} *.txt ~/x a[bc]d]
        - +0..39 echo {a,b}/c /x/{1..3} *.txt ~/x a[bc]d"#]],
    );
    check(
        r#"sed -e s/a/b/ -e "s/$x/y/" f"#,
        expect![[r#"
        [sed -e s/a/b/ -e 's/'$"x'/y/' f]
        - +0..28 sed -e s/a/b/ -e 's/'$"x'/y/' f"#]],
    );
    check(
        "a $b\\\nc d\\\n e",
        expect![[r#"
        [a $bc d e]
        - +0..13 a $bc d e"#]],
    );
    check(
        "pip install foo==1.0 'bar>=2' baz[x]~=1",
        expect![[r#"
        [pip install foo==1.0 'bar>=2' baz[x]~=1]
        - +0..39 pip install foo==1.0 'bar>=2' baz[x]~=1"#]],
    );
}

#[test]
fn an_operator_of_an_expansion_is_kept_as_written() {
    check(
        r#"echo ${x:-y} ${x%%.*} ${#x} ${!x} ${x/a/b} ${x:0:3} ${x[0]} ${@} "${x:-"q"}""#,
        expect![[r#"
        [echo $x:-y $x%%.* … … $x/a/b $x:0:3 $x[0] $@ $"x:-"q"]
        - +0..76 echo $x:-y $x%%.* … … $x/a/b $x:0:3 $x[0] $@ $"x:-"q""#]],
    );
    check(
        "echo ${x:-$(foo)}",
        expect![[r#"
        [echo $x:-$(foo)]
        - +0..17 echo $x:-$(foo)
        - +12..15 foo (deep 1)"#]],
    );
    check(
        ": ${x:=1}",
        expect![[r#"
        [: $x:=1]
        - +0..9 : $x:=1"#]],
    );
}

#[test]
fn substitutions_hold_lists() {
    check(
        r#"`a b` c "`d`""#,
        expect![[r#"
        [$([a b]) c $([d])]
        - +0..13 ? c $([d])
        - +1..4 a b (deep 1)
        - +10..11 d (deep 1)"#]],
    );
    check(
        r#"echo $(a && b | c) "$(d; e)""#,
        expect![[r#"
        [echo $([a] && <[b] | [c]>) $([d] ; [e])]
        - +0..28 echo $([a] && <[b] | [c]>) $([d] ; [e])
        - +7..8 a (deep 1)
        - +12..13 b (deep 2)
        - +16..17 c (deep 2)
        - +22..23 d (deep 1)
        - +25..26 e (deep 1)"#]],
    );
    check(
        "x=$(a) b",
        expect![[r#"
        [x=$([a]) b]
        - +4..5 a (deep 1)
        - +7..8 x=$([a]) b"#]],
    );
    check(
        "tar -x < <(curl a) | bash <(b)",
        expect![[r#"
        <[tar -x] <… | [bash …]>
        - +0..6 tar -x <… (deep 1)
        - +11..17 curl a (deep 2)
        - +21..30 bash … (deep 1)
        - +28..29 b (deep 2)"#]],
    );
    check(
        "echo $((1 + $(n))) $[1+2]",
        expect![[r#"
        [echo … …]
        - +0..25 echo … …
        - +14..15 n (deep 1)"#]],
    );
    check(
        "[[ -f $(z) ]] && y",
        expect![[r#"
        (test) && [y]
        - +8..9 z (deep 1)
        - +17..18 y"#]],
    );
}

#[test]
fn assignments_in_front_or_alone() {
    check(
        "A+=b; A=(a b); A=; A= cmd; A=$(x) B=1",
        expect![[r#"
        [A=$"Ab] ; [A=…] ; [A=∅] ; [A=∅ cmd] ; [A=$([x]) B=1]
        - +22..25 A=∅ cmd
        - +31..32 x (deep 1)"#]],
    );
    check(
        "x=1 y=2 z a=3",
        expect![[r#"
        [x=1 y=2 z a=3]
        - +8..13 x=1 y=2 z a=3"#]],
    );
    check(
        "A=1 export B=2",
        expect![[r#"
        [A=1 export B=2]
        - +4..14 A=1 export B=2"#]],
    );
    check(
        "a | sh -y && PATH=$PATH:$HOME/.cargo/bin && x | y && export P=$A:$B/c",
        expect![[r#"
        <[a] | [sh -y]> && [PATH=$PATH:$HOME/.cargo/bin] && <[x] | [y]> && [export P=$A:$B/c]
        - +0..1 a (deep 1)
        - +4..9 sh -y (deep 1)
        - +44..45 x (deep 1)
        - +48..49 y (deep 1)
        - +53..69 export P=$A:$B/c"#]],
    );
    check("A[1]=x", expect!["[A[1]=x]"]);
}

#[test]
fn export_and_unset_are_simple_commands() {
    check(
        r#"export A=1 B="$C" D E+=f"#,
        expect![[r#"
        [export A=1 B=$"C D E+=f]
        - +0..24 export A=1 B=$"C D E+=f"#]],
    );
    check(
        "unset A B; readonly X=1; local y; declare -a z",
        expect![[r#"
        [unset A B] ; [readonly X=1] ; [local y] ; [declare -a z]
        - +0..9 unset A B
        - +11..23 readonly X=1
        - +25..32 local y
        - +34..46 declare -a z"#]],
    );
}

#[test]
fn a_bracket_is_a_program_and_a_double_bracket_a_test() {
    check(
        r#"[ -f a ] && [ "$x" = "y" -o ! -d b ] || [ $a != b* ]"#,
        expect![[r#"
        [[ -f a ]] && [[ $"x = 'y' -o ! -d b ]] || [[ $a != b* ]]
        - +0..8 [ -f a ]
        - +12..36 [ $"x = 'y' -o ! -d b ] (maybe)
        - +40..52 [ $a != b* ] (maybe)"#]],
    );
    check(
        "test a == b; test a=b; [ a == b ]",
        expect![[r#"
        [test a == b] ; [test a=b] ; [[ a == b ]]
        - +0..11 test a == b
        - +13..21 test a=b
        - +23..33 [ a == b ]"#]],
    );
    check("(( a > 1 )) && [[ $x == y* ]]", expect!["(test) && (test)"]);
    check(
        r#"[ -n "$x" ] > y && a"#,
        expect![[r#"
        [[ -n $"x ]] >y && [a]
        - +0..11 [ -n $"x ] >y
        - +19..20 a"#]],
    );
    check(
        r"[ \( -f a \) ]",
        expect![[r#"
        broken ['(' -f a ')' ]]
        - +2..14 ( -f a ')' ]"#]],
    );
}

#[test]
fn compounds_have_their_lists_in_order() {
    check(
        "if [ a = b ]; then c; elif d; then e; else f; fi > x",
        expect![[r#"
        (if {[[ a = b ]] ;} {[c] ;} {[d] ;} {[e] ;} {[f] ;}) >x
        - +3..12 [ a = b ]
        - +19..20 c (maybe)
        - +27..28 d (maybe)
        - +35..36 e (maybe)
        - +43..44 f (maybe)"#]],
    );
    check(
        "if ! a | b; then c; fi",
        expect![[r#"
        (if {!<[a] | [b]> ;} {[c] ;})
        - +5..6 a (deep 1)
        - +9..10 b (deep 1)
        - +17..18 c (maybe)"#]],
    );
    check(
        "while read x; do a; done < f",
        expect![[r#"
        (while {[read x] ;} {[a] ;}) <f
        - +6..12 read x
        - +17..18 a (maybe)"#]],
    );
    check(
        "! { a; } | b\n! {\nc; }",
        expect![[r#"
        !<{[a] ;} | [b]> \n !{[c] ;}
        - +4..5 a (deep 1)
        - +11..12 b (deep 1)
        - +17..18 c"#]],
    );
    check(
        "a `# b` c",
        expect![[r#"
        [a c]
        - +0..9 a c"#]],
    );
    check(
        "while a; do if b; then c; fi done",
        expect![[r#"
        (while {[a] ;} {(if {[b] ;} {[c] ;})})
        - +6..7 a
        - +15..16 b (maybe)
        - +23..24 c (maybe)"#]],
    );
    check(
        "for i in a $b *.c; do d; done",
        expect![[r#"
        (for a $b *.c {[d] ;})
        - +22..23 d (maybe)"#]],
    );
    check(
        "for ((i=0;i<3;i++)); do a; done",
        expect![[r#"
        (for {[a] ;})
        - +24..25 a (maybe)"#]],
    );
    check(
        "select x in a b; do c; done; until a; do b; done",
        expect![[r#"
        (select a b {[c] ;}) ; (until {[a] ;} {[b] ;})
        - +20..21 c (maybe)
        - +35..36 a
        - +41..42 b (maybe)"#]],
    );
    check(
        r#"case "$x" in a|b) c;; (*) d; e ;; esac"#,
        expect![[r#"
        (case $"x {[c]} {[d] ; [e]})
        - +18..19 c (maybe)
        - +26..27 d (maybe)
        - +29..30 e (maybe)"#]],
    );
    check(
        "{ a; } && b",
        expect![[r#"
        {[a] ;} && [b]
        - +2..3 a
        - +10..11 b"#]],
    );
    check(
        "( (a); b )",
        expect![[r#"
        (([a]) ; [b])
        - +3..4 a (deep 2)
        - +7..8 b (deep 1)"#]],
    );
}

#[test]
fn functions_may_run() {
    check(
        "f() { a; b; }; f",
        expect![[r#"
        (function f {[a] ; [b] ;}) ; [f]
        - +6..7 a (maybe)
        - +9..10 b (maybe)
        - +15..16 f"#]],
    );
    check(
        "function f { a; }; function g() ( b )",
        expect![[r#"
        (function f {[a] ;}) ; (function g {([b])})
        - +13..14 a (maybe)
        - +34..35 b (maybe) (deep 1)"#]],
    );
}

#[test]
fn comments_of_the_shell_are_kept_apart() {
    check(
        "echo a#b # c",
        expect![[r#"
        [echo a#b]
        # +9..12
        - +0..8 echo a#b"#]],
    );
    check(
        "a; # c",
        expect![[r#"
        [a] ;
        # +3..6
        - +0..1 a"#]],
    );
    check(
        "a # b\nc\n# d\ne",
        expect![[r#"
            [a] \n [c] \n [e]
            # +2..5
            # +8..11
            - +0..1 a
            - +6..7 c
            - +12..13 e"#]],
    );
}

#[test]
fn what_the_grammar_misreads_is_broken() {
    check(
        "time ( a; b )",
        expect![[r#"
        broken [time]
        - +0..4 time
        - +7..8 a (deep 1)
        - +10..11 b (deep 1)"#]],
    );
    check(
        "a &&",
        expect![[r#"
        broken [a] && []
        - +0..1 a"#]],
    );
    check(
        "echo 'a",
        expect![[r#"
        broken [echo]
        - +0..4 echo"#]],
    );
    check(
        "fi",
        expect![[r#"
        broken [fi]
        - +0..2 fi"#]],
    );
    check(
        "a {{ x }}",
        expect![[r#"
        broken [a {{ x }}]
        - +0..9 a {{ x }}"#]],
    );
    check(
        "docker inspect --format '{{.Id}}' x",
        expect![[r#"
        [docker inspect --format '{{.Id}}' x]
        - +0..35 docker inspect --format '{{.Id}}' x"#]],
    );
}

#[test]
fn words_for_other_programs_are_words() {
    check(
        r"find . \( -name a -o -name b \) -exec rm {} \; -o -print {} +",
        expect![[r#"
        [find . '(' -name a -o -name b ')' -exec rm {} ';' -o -print {} +]
        - +0..61 find . '(' -name a -o -name b ')' -exec rm {} ';' -o -print {} +"#]],
    );
    check(
        "echo = == -f",
        expect![[r#"
        [echo = == -f]
        - +0..12 echo = == -f"#]],
    );
    check(
        "apt-get install -y a=1.* b",
        expect![[r#"
        [apt-get install -y a=1.* b]
        - +0..26 apt-get install -y a=1.* b"#]],
    );
    check(
        "dpkg --configure -a",
        expect![[r#"
        [dpkg --configure -a]
        - +0..19 dpkg --configure -a"#]],
    );
}

#[test]
fn a_call_is_looked_through_to_its_program() {
    check(
        "env A=1 -u B cmd",
        expect![[r#"
        [env A=1 -u B cmd]
        - +8..16 A=1 -u B cmd"#]],
    );
    check(
        r#"env -i -u X PATH="$P" /usr/bin/cmd a"#,
        expect![[r#"
        [env -i -u X PATH=$"P /usr/bin/cmd a]
        - +22..36 PATH=$"P cmd a"#]],
    );
    check(
        "env -S 'A=1 cmd x' y",
        expect![[r#"
        [env -S 'A=1 cmd x' y]
        - +7..20 A='1' cmd 'x' y"#]],
    );
    check(
        "sudo -E -u app npm ci",
        expect![[r#"
        [sudo -E -u app npm ci]
        - +15..21 sudo: npm ci"#]],
    );
    check(
        "sudo -uapp A=1 nice -n 10 make",
        expect![[r#"
        [sudo -uapp A=1 nice -n 10 make]
        - +26..30 A=1 sudo: make"#]],
    );
    check(
        r#"exec "$@""#,
        expect![[r#"
        [exec $"@]
        - +5..9 ?"#]],
    );
    check(
        "exec >f",
        expect![[r#"
        [exec] >f
        - +0..4 exec >f"#]],
    );
    check(
        "time -p a",
        expect![[r#"
        [time -p a]
        - +8..9 a"#]],
    );
    check(
        r"\cp a b",
        expect![[r#"
        ['c'p a b]
        - +0..7 cp a b"#]],
    );
    check(
        "/usr/bin/apt-get update",
        expect![[r#"
        [/usr/bin/apt-get update]
        - +0..23 apt-get update"#]],
    );
    check(
        "./gradlew build",
        expect![[r#"
        [./gradlew build]
        - +0..15 ./gradlew build"#]],
    );
    check(
        "command -v x && command x",
        expect![[r#"
        [command -v x] && [command x]
        - +0..12 command -v x
        - +24..25 x"#]],
    );
    check(
        "timeout -k 5 10s a b",
        expect![[r#"
        [timeout -k 5 10s a b]
        - +17..20 a b"#]],
    );
    check(
        "gosu app npm ci",
        expect![[r#"
        [gosu app npm ci]
        - +9..15 gosu: npm ci"#]],
    );
    check(
        "su-exec root:root a",
        expect![[r#"
        [su-exec root:root a]
        - +18..19 su-exec: a"#]],
    );
    check(
        "stdbuf -oL a",
        expect![[r#"
        [stdbuf -oL a]
        - +11..12 a"#]],
    );
    check(
        "nohup a",
        expect![[r#"
        [nohup a]
        - +6..7 a"#]],
    );
    check(
        "env",
        expect![[r#"
        [env]
        - +0..3 env"#]],
    );
    check(
        "ionice -c 3 nice a",
        expect![[r#"
        [ionice -c 3 nice a]
        - +17..18 a"#]],
    );
    check(
        "nice",
        expect![[r#"
        [nice]
        - +0..4 nice"#]],
    );
}

#[test]
fn the_script_of_a_shell_is_looked_into() {
    check(
        "sh -c 'a && b || c'",
        expect![[r#"
        [sh -c 'a && b || c']
        - +0..19 sh -c 'a && b || c'
        - +7..8 a (deep 1)
        - +12..13 b (maybe) (deep 1)
        - +17..18 c (maybe) (deep 1)"#]],
    );
    check(
        r#"bash -euxo pipefail -c "a; b""#,
        expect![[r#"
        [bash -euxo pipefail -c 'a; b']
        - +0..29 bash -euxo pipefail -c 'a; b'
        - +24..25 a (deep 1)
        - +27..28 b (deep 1)"#]],
    );
    check(
        r#"/bin/sh -ec 'a "b c"' x"#,
        expect![[r#"
        [/bin/sh -ec 'a \'b c\'' x]
        - +0..23 sh -ec 'a \'b c\'' x
        - +13..20 a 'b c' (deep 1)"#]],
    );
    check(
        r#"bash -c "a \"b\" && c""#,
        expect![[r#"
        [bash -c 'a \'b\' && c']
        - +0..22 bash -c 'a \'b\' && c'
        - +8..22 a 'b' (deep 1)
        - +8..22 c (deep 1)"#]],
    );
    check(
        r#"bash -c "nvm install $V""#,
        expect![[r#"
        [bash -c 'nvm install '$"V]
        - +0..24 bash -c 'nvm install '$"V
        - +9..23 nvm install $V (deep 1)"#]],
    );
    check(
        r#"bash -c "echo '$V'""#,
        expect![[r#"
        [bash -c 'echo ''$"V''']
        - +0..19 bash -c 'echo ''$"V'''"#]],
    );
    check(
        r#"bash -c "$CMD $(x)""#,
        expect![[r#"
        [bash -c $"CMD$([x])]
        - +0..19 bash -c $"CMD$([x])
        - +16..17 x (deep 1)"#]],
    );
    check(
        "su - app -c 'a b'",
        expect![[r#"
        [su - app -c 'a b']
        - +0..17 su - app -c 'a b'
        - +13..16 su: a b (deep 1)"#]],
    );
    check(
        "sudo bash -lc a",
        expect![[r#"
        [sudo bash -lc a]
        - +5..15 sudo: bash -lc a
        - +14..15 sudo: a (deep 1)"#]],
    );
    check(
        "sh script.sh -c",
        expect![[r#"
        [sh script.sh -c]
        - +0..15 sh script.sh -c"#]],
    );
    check(
        r#"sh -c "sh -c 'a'" | b"#,
        expect![[r#"
        <[sh -c 'sh -c 'a''] | [b]>
        - +0..17 sh -c 'sh -c 'a'' (deep 1)
        - +7..16 sh -c 'a' (deep 2)
        - +14..15 a (deep 3)
        - +20..21 b (deep 1)"#]],
    );
    check(
        "bash -o pipefail x",
        expect![[r#"
        [bash -o pipefail x]
        - +0..18 bash -o pipefail x"#]],
    );
    check(
        r"sh -c 'a \''",
        expect![[r#"
        broken [sh -c 'a \\']
        - +0..11 sh -c 'a \\'"#]],
    );
}

#[test]
fn reach_is_always_only_on_the_way_of_success() {
    check(
        "a && b; c",
        expect![[r#"
        [a] && [b] ; [c]
        - +0..1 a
        - +5..6 b
        - +8..9 c"#]],
    );
    check(
        "a && b || c && d",
        expect![[r#"
        [a] && [b] || [c] && [d]
        - +0..1 a
        - +5..6 b (maybe)
        - +10..11 c (maybe)
        - +15..16 d (maybe)"#]],
    );
    check(
        "( a && { b; } ) && c",
        expect![[r#"
        ([a] && {[b] ;}) && [c]
        - +2..3 a (deep 1)
        - +9..10 b (deep 1)
        - +19..20 c"#]],
    );
    check(
        "if a && b; then c; fi",
        expect![[r#"
        (if {[a] && [b] ;} {[c] ;})
        - +3..4 a
        - +8..9 b
        - +16..17 c (maybe)"#]],
    );
    check(
        "a & b",
        expect![[r#"
        [a] & [b]
        - +0..1 a (deep 1)
        - +4..5 b"#]],
    );
    check(
        "a $(b $(c))",
        expect![[r#"
        [a $([b $([c])])]
        - +0..11 a $([b $([c])])
        - +4..10 b $([c]) (deep 1)
        - +8..9 c (deep 2)"#]],
    );
}
