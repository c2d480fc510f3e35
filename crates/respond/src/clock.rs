//! Reading the clocks, for programs. Everything else in this crate is told the time.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;

use crate::moment::Moment;

const UPTIME: &str = "/proc/uptime";
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's clocks. Opened once, so that it goes on after a process gave its rights away.
#[derive(Debug)]
pub struct Clock {
    uptime: fs::File,
    boot: u64,
}

impl Clock {
    /// Opens them.
    ///
    /// # Errors
    /// Where `/proc` is not there: without a clock that nobody can set, nothing may be restricted.
    pub fn open() -> io::Result<Self> {
        let id = fs::read_to_string(BOOT)?;
        // 64 of 122 random bits tell boots apart.
        let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        let boot = u64::from_str_radix(&digits, 16).map_err(io::Error::other)?;
        Ok(Self { uptime: fs::File::open(UPTIME)?, boot })
    }

    /// Now.
    ///
    /// # Errors
    /// Where `/proc/uptime` cannot be read.
    pub fn now(&self) -> io::Result<Moment> {
        let mut text = [0; 64];
        // Not by rewinding: threads share the file's place, and one would read behind the other.
        let length = self.uptime.read_at(&mut text, 0)?;
        let text = String::from_utf8_lossy(text.get(..length).unwrap_or_default());
        let up = text.split_whitespace().next().and_then(nanoseconds);
        let up = up.ok_or_else(|| io::Error::other(format!("{UPTIME} says '{}'", text.trim())))?;
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX);
        Ok(Moment { wall: Timestamp::from_nanos(wall), up, boot: self.boot })
    }
}

/// `12345.67`, as nanoseconds.
fn nanoseconds(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u64 = digits.parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_since_boot_passes_and_the_boot_stays() {
        let clock = Clock::open().unwrap();
        let first = clock.now().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let later = clock.now().unwrap();
        assert_eq!(first.boot, later.boot);
        assert!(later.up > first.up);
    }

    #[test]
    fn threads_that_ask_at_once_are_all_told_the_time() {
        let clock = Clock::open().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        assert!(clock.now().unwrap().up > 0);
                    }
                });
            }
        });
    }

    #[test]
    fn hundredths_of_a_second_are_read_as_they_are_written() {
        assert_eq!(nanoseconds("12.34"), Some(12_340_000_000));
        assert_eq!(nanoseconds("12"), Some(12_000_000_000));
        assert_eq!(nanoseconds("noon"), None);
    }
}
