//! The time of day, which a machine without a clock battery does not always know, and days as people name them.
//!
//! Such a machine may start in 1970 and learn the time a minute later, or a day later where there is
//! no network. What users made must not be dated, ended or brought back by that. So the time told
//! here is never before a floor: when this program was built, and the newest time that the database
//! knows. While the system's clock is below the floor, time goes on from there. Whatever has to
//! happen again and again goes by the monotonic clock, which never jumps.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a floor is believed against a system clock that may be right: a clock that once was
/// ahead has left times in the database that are still to come.
const TRUST: Duration = Duration::from_secs(24 * 60 * 60);

/// When the floor was set, and to what.
static FLOOR: RwLock<Option<Floor>> = RwLock::new(None);

#[derive(Clone, Copy)]
struct Floor {
    time: i64,
    set: Instant,
}

/// The current time in milliseconds since 1970, never before the floor.
pub fn now() -> i64 {
    let floor = *FLOOR.read().unwrap_or_else(PoisonError::into_inner);
    let (floor, since) =
        floor.map_or((0, Duration::ZERO), |Floor { time, set }| (time, set.elapsed()));
    told(system(), floor, since)
}

/// Raises the floor to a time in ms since 1970 that has surely been; says whether the system's
/// clock is below it.
pub fn not_before(time: i64) -> bool {
    let mut floor = FLOOR.write().unwrap_or_else(PoisonError::into_inner);
    if floor.is_none_or(|floor| floor.time < time) {
        *floor = Some(Floor { time, set: Instant::now() });
    }
    system() < time.max(built())
}

/// What the system's clock says, in ms since 1970.
pub fn system() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// When this program was built, ms since 1970; 0 where that is not known.
pub fn built() -> i64 {
    let seconds: i64 = env!("BUILD_TIME").parse().unwrap_or(0);
    seconds.saturating_mul(1000)
}

/// The time for a reading of the system's clock and a floor that was set this long ago.
fn told(system: i64, floor: i64, since: Duration) -> i64 {
    let believed = if since > TRUST && system >= built() { built() } else { floor.max(built()) };
    if system >= believed {
        return system;
    }
    believed.saturating_add(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Year, month and day of a count of days since 1970, in the Gregorian calendar.
///
/// Counted in eras of 400 years whose years begin in March, so that leap days come last.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The day of a moment in ms since 1970, in UTC: `2026-11-24`.
pub fn day(milliseconds: i64) -> String {
    let (year, month, day) = civil(milliseconds.div_euclid(86_400_000));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A moment in ms since 1970, in UTC and whole seconds: `2026-11-24T15:42:20Z`.
pub fn moment(milliseconds: i64) -> String {
    let (hour, minute, second) = time_of_day(milliseconds);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", day(milliseconds))
}

/// A moment in ms since 1970 for the name of a file, in UTC: `20261124-033000`.
pub fn stamp(milliseconds: i64) -> String {
    let (year, month, day) = civil(milliseconds.div_euclid(86_400_000));
    let (hour, minute, second) = time_of_day(milliseconds);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// Hour, minute and second of a moment in ms since 1970, in UTC.
fn time_of_day(milliseconds: i64) -> (i64, i64, i64) {
    let seconds = milliseconds.rem_euclid(86_400_000) / 1000;
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400_000), "2000-02-29");
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(moment(1_790_000_000_999), "2026-09-21T14:13:20Z");
        assert_eq!(moment(-1), "1969-12-31T23:59:59Z");
        assert_eq!(stamp(951_782_400_000 + 45_296_789), "20000229-123456");
    }

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn the_time_is_never_before_the_floor_and_goes_on_from_there() {
        let floor = built() + 1_000_000;
        assert_eq!(told(10_000, floor, Duration::ZERO), floor);
        assert_eq!(told(70_000, floor, Duration::from_secs(60)), floor + 60_000);
        // In 1970 for days: there is nothing better to believe.
        assert_eq!(told(0, floor, 50 * HOUR), floor + 180_000_000);
        // A clock that becomes right is followed at once.
        assert_eq!(told(floor + 5, floor, HOUR), floor + 5);
        assert_eq!(told(10_000, 0, Duration::ZERO), built());
    }

    #[test]
    fn a_floor_from_the_future_is_given_up_after_a_day() {
        let (right, ahead) = (built() + 1_000_000, built() + 9_000_000_000_000);
        assert_eq!(told(right, ahead, HOUR), ahead + 3_600_000);
        assert_eq!(told(right, ahead, 25 * HOUR), right);
    }
}
