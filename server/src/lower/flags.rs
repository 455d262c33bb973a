//! Which flags an instruction takes, and what BuildKit says of wrong ones (`instructions/bflag.go`, `parse.go`).

use crate::lower::words::{go_quote, suggestion};
use crate::model::Flag;
use crate::text::Local;

/// A flag that an instruction takes.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Without `--`.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `true`, `false`, or nothing.
    Bool,
    /// One value; the flag may stand once.
    Value,
    /// One value; the flag may stand several times.
    Values,
}

const fn known(name: &'static str, takes: Takes) -> Known {
    Known { name, takes }
}

/// Flags of FROM.
pub const FROM: [Known; 1] = [known("platform", Takes::Value)];
/// Flags of RUN.
pub const RUN: [Known; 4] = [
    known("device", Takes::Values),
    known("mount", Takes::Values),
    known("network", Takes::Value),
    known("security", Takes::Value),
];
/// Flags of COPY.
pub const COPY: [Known; 6] = [
    known("chmod", Takes::Value),
    known("chown", Takes::Value),
    known("exclude", Takes::Values),
    known("from", Takes::Value),
    known("link", Takes::Bool),
    known("parents", Takes::Bool),
];
/// Flags of ADD.
pub const ADD: [Known; 7] = [
    known("checksum", Takes::Value),
    known("chmod", Takes::Value),
    known("chown", Takes::Value),
    known("exclude", Takes::Values),
    known("keep-git-dir", Takes::Bool),
    known("link", Takes::Bool),
    known("unpack", Takes::Bool),
];
/// Flags of HEALTHCHECK.
pub const HEALTHCHECK: [Known; 5] = [
    known("interval", Takes::Value),
    known("retries", Takes::Value),
    known("start-interval", Takes::Value),
    known("start-period", Takes::Value),
    known("timeout", Takes::Value),
];

/// The first wrong flag: what to blame, and BuildKit's words.
pub(super) fn check(flags: &[Flag], known: &[Known]) -> Option<(Local, String)> {
    for (idx, flag) in flags.iter().enumerate() {
        let name = &flag.name;
        let Some(known_flag) = known.iter().find(|it| it.name == *name) else {
            let mut message = format!("unknown flag: --{name}");
            if let Some(option) = suggestion(name, known.iter().map(|it| it.name)) {
                message.push_str(&format!(" (did you mean {option}?)"));
            }
            return Some((flag.name_range, message));
        };
        if known_flag.takes != Takes::Values && flags[..idx].iter().any(|earlier| earlier.name == *name) {
            return Some((flag.range, format!("duplicate flag specified: --{name}")));
        }
        match (known_flag.takes, &flag.value) {
            (Takes::Bool, None) | (Takes::Value | Takes::Values, Some(_)) => {}
            (Takes::Value | Takes::Values, None) => {
                return Some((flag.range, format!("missing a value on flag: --{name}")));
            }
            (Takes::Bool, Some(value)) if value.text.is_empty() => {
                return Some((flag.range, format!("missing a value on flag: --{name}")));
            }
            (Takes::Bool, Some(value)) => {
                if !value.text.eq_ignore_ascii_case("true") && !value.text.eq_ignore_ascii_case("false") {
                    let message = format!("expecting boolean value for flag --{name}, not: {}", value.text);
                    return Some((value.range, message));
                }
            }
        }
    }
    None
}

/// The first wrong duration or number of a HEALTHCHECK, in the order in which BuildKit looks.
pub(super) fn check_healthcheck(flags: &[Flag]) -> Option<(Local, String)> {
    let value = |name: &str| flags.iter().rev().find(|flag| flag.name == name)?.value.as_ref();
    for name in ["interval", "timeout", "start-period", "start-interval"] {
        let Some(word) = value(name).filter(|word| !word.text.is_empty()) else { continue };
        match nanoseconds(&word.text) {
            Err(message) => return Some((word.range, message)),
            Ok(0.0) => {}
            Ok(nanoseconds) if nanoseconds < 1e6 => {
                return Some((word.range, format!("Interval {} cannot be less than 1ms", go_quote(name))));
            }
            Ok(_) => {}
        }
    }
    let word = value("retries").filter(|word| !word.text.is_empty())?;
    let digits = word.text.strip_prefix(['+', '-']).unwrap_or(&word.text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((word.range, format!("strconv.ParseInt: parsing {}: invalid syntax", go_quote(&word.text))));
    }
    match word.text.parse::<i32>() {
        Err(_) => Some((word.range, format!("strconv.ParseInt: parsing {}: value out of range", go_quote(&word.text)))),
        Ok(retries) if retries < 0 => Some((word.range, format!("--retries cannot be negative ({retries})"))),
        Ok(_) => None,
    }
}

/// A duration as Go's `time.ParseDuration` reads it: `1h30m`, `.5s`.
///
/// # Errors
/// Go's words.
fn nanoseconds(text: &str) -> Result<f64, String> {
    let invalid = || format!("time: invalid duration {}", go_quote(text));
    let (sign, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if rest == "0" {
        return Ok(0.0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let number_end = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let dots = number.matches('.').count();
        if number.is_empty() || number == "." {
            return Err(invalid());
        }
        // A second dot is no part of the number: it stands where a unit must.
        let (number, tail) = if dots > 1 {
            let second = number.match_indices('.').nth(1).map_or(number_end, |(at, _)| at);
            rest.split_at(second)
        } else {
            (number, tail)
        };
        let unit_end = tail.find(|char: char| char == '.' || char.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, after) = tail.split_at(unit_end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", go_quote(text)));
        }
        let factor = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => {
                return Err(format!("time: unknown unit {} in duration {}", go_quote(unit), go_quote(text)));
            }
        };
        sum += number.parse::<f64>().map_err(|_| invalid())? * factor;
        if sum > 9_223_372_036_854_775_807.0 {
            return Err(invalid());
        }
        rest = after;
    }
    Ok(sign * sum)
}
