//! Variables: where they are set, what they are worth, and `$x`, `${x:-y}` in words.

use std::sync::Arc;

use crate::text::{TextRange, TextSize};

/// The variables known at a place, later ones hiding earlier ones of the same name.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Scope {
    /// In the order they were set.
    pub variables: Vec<Arc<Variable>>,
}

/// A variable of ARG or ENV.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value with other variables resolved; `None` where that is not known or none was given.
    pub value: Option<String>,
    /// What set it.
    pub origin: Origin,
    /// The name where it is set; `None` for a predefined one or one of the settings.
    pub range: Option<TextRange>,
    /// Whether it was set in a parent stage, so that it holds from the first instruction on.
    pub inherited: bool,
}

/// What sets a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `ENV` of the stage or a parent stage.
    Env,
    /// `ARG` with a default of its own.
    Arg,
    /// `ARG` of the stage without a default that takes the global one's value.
    GlobalArg,
    /// `--build-arg` of the settings.
    BuildArg,
    /// Set by BuildKit without being declared (`TARGETPLATFORM` before the first FROM).
    Predefined,
}

impl Scope {
    /// The variable of this name after the last instruction. ENV hides ARG whichever came last, as BuildKit does.
    pub fn get(&self, name: &str) -> Option<&Arc<Variable>> {
        self.find(name, |_| true)
    }

    /// The variable of this name as an instruction that begins at `at` sees it.
    pub fn get_at(&self, name: &str, at: TextSize) -> Option<&Arc<Variable>> {
        self.find(name, |variable| variable.inherited || variable.range.is_none_or(|range| range.start() < at))
    }

    fn find(&self, name: &str, holds: impl Fn(&Variable) -> bool) -> Option<&Arc<Variable>> {
        let mut arg = None;
        for variable in self.variables.iter().rev().filter(|variable| variable.name == name && holds(variable)) {
            if variable.origin == Origin::Env {
                return Some(variable);
            }
            arg = arg.or(Some(variable));
        }
        arg
    }
}
