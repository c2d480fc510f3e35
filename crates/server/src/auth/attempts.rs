//! Slows down who guesses passwords.
//!
//! Each address may fail a few times; after that it waits, twice as long with each further failure.
//! An attempt counts as failed from its start until it has succeeded, so that many at once gain
//! nothing. IPv6 addresses count by their /64, which is what one site has. The table is bounded: the
//! address that has been quiet longest is forgotten first.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures before an address has to wait.
const FREE: u32 = 5;
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// A quiet address is forgotten after so long.
const MEMORY: Duration = Duration::from_secs(60 * 60);
/// Most addresses that are remembered.
const MAX_ADDRESSES: usize = 10_000;

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
    closed_until: Instant,
}

/// Failed sign-ins by address.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<IpAddr, Failures>>);

impl Attempts {
    /// Counts an attempt, or says how long its address has to wait.
    pub(crate) fn begin(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if !table.contains_key(&address) && table.len() >= MAX_ADDRESSES {
            table.retain(|_, failures| now.duration_since(failures.last) < MEMORY);
            if table.len() >= MAX_ADDRESSES
                && let Some(oldest) = table.iter().min_by_key(|(_, f)| f.last).map(|(a, _)| *a)
            {
                table.remove(&oldest);
            }
        }
        let failures =
            table.entry(address).or_insert(Failures { count: 0, last: now, closed_until: now });
        if now.duration_since(failures.last) >= MEMORY {
            failures.count = 0;
        }
        if now < failures.closed_until {
            return Err(failures.closed_until - now);
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        if let Some(beyond) = failures.count.checked_sub(FREE) {
            let wait = Duration::from_secs(1 << beyond.min(20)).min(LONGEST);
            failures.closed_until = now + wait;
        }
        Ok(())
    }

    /// The attempt succeeded: its address is no guesser.
    pub(crate) fn succeeded(&self, address: IpAddr) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.remove(&network(address));
    }
}

/// The address itself, or the /64 of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn waits_grow_with_each_failure_and_end_with_success() {
        let (attempts, mut now, guesser) =
            (Attempts::default(), Instant::now(), address("10.0.0.1"));
        for _ in 0..FREE {
            attempts.begin(guesser, now).unwrap();
        }
        let mut last = Duration::ZERO;
        for _ in 0..12 {
            let wait = attempts.begin(guesser, now).unwrap_err();
            assert!(wait > last || wait == LONGEST, "{wait:?} after {last:?}");
            assert!(attempts.begin(address("10.0.0.2"), now).is_ok());
            attempts.succeeded(address("10.0.0.2"));
            last = wait;
            now += wait;
            attempts.begin(guesser, now).unwrap();
        }
        assert_eq!(last, LONGEST);
        attempts.succeeded(guesser);
        assert!(attempts.begin(guesser, now).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_site_count_together_and_the_table_stays_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for last in 0..u128::from(FREE) {
            attempts.begin(IpAddr::V6(Ipv6Addr::from((0xfd00_u128 << 112) | last)), now).unwrap();
        }
        assert!(attempts.begin(address("fd00::ffff:1"), now).is_err());
        for n in 0..(MAX_ADDRESSES as u32 + 500) {
            let _ = attempts.begin(IpAddr::V4(n.into()), now);
        }
        assert!(attempts.0.lock().unwrap().len() <= MAX_ADDRESSES);
    }
}
