//! The kinds of nodes of the grammar, looked up by number instead of by name.

use std::sync::LazyLock;

use tree_sitter::{Language, Node};

/// What a node is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A node whose children stand in its place: lists, pipelines, negated commands, errors.
    Transparent,
    /// A command with redirections behind it, or redirections alone.
    Redirected,
    /// A program with arguments.
    Command,
    /// The word that names the program.
    CommandName,
    /// `export`, `unset` and the like, which the grammar has kinds of their own for.
    Declaration,
    /// `A=1`
    Assignment,
    /// `A=1 B=2`
    Assignments,
    /// `[ … ]` and `[[ … ]]`
    Test,
    /// An operation inside of a test or of arithmetic.
    Expression,
    /// `if`, `for`, `while`, `until`, `select`
    Compound,
    /// `case`
    Case,
    /// One pattern of `case` with its commands.
    CaseItem,
    /// A part of a compound whose children stand in its place.
    Clause,
    /// A reserved word that begins or ends a list of a compound.
    Keyword,
    /// `{ … }` and `(( … ))`
    Group,
    /// `( … )`
    Subshell,
    /// `name() …`
    Function,
    /// `> file`
    FileRedirect,
    /// `<<< word`
    HereString,
    /// `<<EOF`, which [`crate::shell::scan`] should have taken away.
    Heredoc,
    /// The number before `>`.
    Descriptor,
    /// `# …`
    Comment,
    /// `&&` and `||`
    Joint,
    /// `|` and `|&`
    Pipe,
    /// `!`
    Bang,
    /// `;`, `;;`, `&`; a newline is no node of its own.
    Separator,
    /// `)` behind the pattern of a `case`.
    Closing,
    /// Unquoted text.
    Bare,
    /// `"…"`
    Quotes,
    /// `'…'`
    Raw,
    /// `$'…'`
    Ansi,
    /// Pieces of words without blanks between.
    Concatenation,
    /// `$name`
    Variable,
    /// `${…}`
    Expansion,
    /// `$( … )` and backquotes
    Substitution,
    /// `<( … )` and `>( … )`
    Process,
    /// `$(( … ))`, an array
    Opaque,
    /// Anything else.
    Other,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let language = Language::from(tree_sitter_bash::LANGUAGE);
    let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
    (0..count).map(|id| named(language.node_kind_for_id(id).unwrap_or(""), language.node_kind_is_named(id))).collect()
});

/// The kind of a node.
pub(super) fn of(node: Node<'_>) -> Kind {
    if node.is_error() {
        return Kind::Transparent;
    }
    KINDS.get(usize::from(node.kind_id())).copied().unwrap_or(Kind::Other)
}

fn named(name: &str, named: bool) -> Kind {
    match (name, named) {
        ("program" | "list" | "pipeline" | "negated_command", true) => Kind::Transparent,
        ("redirected_statement", true) => Kind::Redirected,
        ("command", true) => Kind::Command,
        ("command_name", true) => Kind::CommandName,
        ("declaration_command" | "unset_command", true) => Kind::Declaration,
        ("variable_assignment", true) => Kind::Assignment,
        ("variable_assignments", true) => Kind::Assignments,
        ("test_command", true) => Kind::Test,
        (
            "unary_expression"
            | "binary_expression"
            | "parenthesized_expression"
            | "ternary_expression"
            | "postfix_expression",
            true,
        ) => Kind::Expression,
        ("for_statement" | "c_style_for_statement" | "while_statement" | "if_statement", true) => Kind::Compound,
        ("case_statement", true) => Kind::Case,
        ("case_item", true) => Kind::CaseItem,
        ("elif_clause" | "else_clause" | "do_group", true) => Kind::Clause,
        ("if" | "then" | "elif" | "else" | "fi" | "while" | "until" | "do" | "done" | "for" | "select", false) => {
            Kind::Keyword
        }
        ("compound_statement", true) => Kind::Group,
        ("subshell", true) => Kind::Subshell,
        ("function_definition", true) => Kind::Function,
        ("file_redirect", true) => Kind::FileRedirect,
        ("herestring_redirect", true) => Kind::HereString,
        ("heredoc_redirect", true) => Kind::Heredoc,
        ("file_descriptor", true) => Kind::Descriptor,
        ("comment", true) => Kind::Comment,
        ("&&" | "||", false) => Kind::Joint,
        ("|" | "|&", false) => Kind::Pipe,
        ("!", false) => Kind::Bang,
        (";" | ";;" | "&", false) => Kind::Separator,
        (")", false) => Kind::Closing,
        (
            "word"
            | "number"
            | "brace_expression"
            | "variable_name"
            | "special_variable_name"
            | "regex"
            | "extglob_pattern"
            | "test_operator",
            true,
        )
        | ("$" | "=~" | "==" | "=" | "!=" | "``", false) => Kind::Bare,
        ("string" | "translated_string", true) => Kind::Quotes,
        ("raw_string", true) => Kind::Raw,
        ("ansi_c_string", true) => Kind::Ansi,
        ("concatenation", true) => Kind::Concatenation,
        ("simple_expansion", true) => Kind::Variable,
        ("expansion", true) => Kind::Expansion,
        ("command_substitution", true) => Kind::Substitution,
        ("process_substitution", true) => Kind::Process,
        ("arithmetic_expansion" | "array" | "subscript", true) => Kind::Opaque,
        _ => Kind::Other,
    }
}
