//! The day of the check: the system's, or the one that `PLIMSOLL_TODAY` names.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};

use crate::date::Date;

/// The environment variable that names another day (`2026-11-21`), for tests and for looking ahead.
pub const TODAY: &str = "PLIMSOLL_TODAY";

/// The day, in universal time; `None` if the clock stands before 1970. Fails if the variable names no day.
pub fn today() -> Result<Option<Date>> {
    if let Some(text) = std::env::var_os(TODAY) {
        let text = text.to_string_lossy();
        return Date::parse(&text).map(Some).ok_or_else(|| anyhow!("{TODAY} is no day: {text:?}"));
    }
    let Ok(since) = SystemTime::now().duration_since(UNIX_EPOCH) else { return Ok(None) };
    Ok(i64::try_from(since.as_secs() / 86_400).ok().and_then(Date::from_unix_days))
}
