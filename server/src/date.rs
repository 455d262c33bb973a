//! A day of the calendar. The core never asks the clock: the edge passes the day in.

use std::fmt;

/// A day, as in `2026-11-21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// `2026`
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Date {
    /// Reads `2026-11-21`; a month or a year alone is its first day.
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next().map_or(Some(1), |part| part.parse().ok())?;
        let day = parts.next().map_or(Some(1), |part| part.parse().ok())?;
        let sound = parts.next().is_none() && (1..=12).contains(&month) && (1..=31).contains(&day);
        sound.then_some(Date { year, month, day })
    }

    /// How many days it lies after 1970-01-01; the way back from [`Date::from_unix_days`].
    pub fn unix_days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let month_from_march = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.day) - 1;
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The day so many days after 1970-01-01 (civil-from-days, Howard Hinnant's algorithm).
    pub fn from_unix_days(days: i64) -> Option<Date> {
        let shifted = days.checked_add(719_468)?;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Some(Date { year: u16::try_from(year).ok()?, month: month as u8, day: day as u8 })
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn days_since_1970_are_dates() {
        let shown = |days| Date::from_unix_days(days).expect("a date").to_string();
        assert_eq!(shown(0), "1970-01-01");
        assert_eq!(shown(19_782), "2024-02-29");
        assert_eq!(shown(20_778), "2026-11-21");
    }

    #[test]
    fn days_go_there_and_back() {
        for days in (-200_000..200_000).step_by(17).chain(19_700..20_500) {
            assert_eq!(Date::from_unix_days(days).map(Date::unix_days), Some(days));
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        assert_eq!(Date::parse("2026-13-01"), None);
        assert_eq!(Date::parse("soon"), None);
        assert_eq!(Date::parse("2025-04").map(|date| date.to_string()).as_deref(), Some("2025-04-01"));
    }
}
