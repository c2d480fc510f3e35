//! Weak evidence that adds up: alarms over a stream of p-values of one device, with a bound on how
//! often they come by chance.
//!
//! A p-value is turned into a bet: `k * p^(k - 1)` with `0 < k < 1` pays when p-values are small and
//! has a mean of at most 1 when they are as large as chance makes them (also when they are larger:
//! conservative p-values only lower it). Capital that is bet again and again is a test martingale;
//! by Ville's inequality it ever reaches `1 / a` with probability at most `a` ([`Martingale`]; Vovk,
//! Nouretdinov and Gammerman, 2003). Bets of several `k` run side by side and a small share of the
//! capital jumps between them at every step, as in Vovk's simple jumper (2021), so that it follows
//! evidence that comes and goes.
//!
//! A martingale asks "was it ever strange?" and, having lost its capital in a long quiet year, is
//! slow to answer. [`Evidence`] asks "has it become strange?": the Shiryaev-Roberts e-detector of
//! Shin, Ramdas and Rinaldo (2022), which starts a new bet of 1 at every step and adds them all up.
//! An alarm at `run_length` then comes by chance after `run_length` steps or more **on average**
//! (average run length, ARL), whatever the distribution of scores.
//!
//! In simulation the average is two to three times the bound (232, 2,700 and 29,289 steps for run
//! lengths of 100, 1,000 and 10,000). P-values distributed as beta(0.3, 1), of which one half are
//! below 0.1, raise the alarm after 5, 7 and 9 steps at the median, and 13, 18 and 20 at the 95th
//! percentile.
//!
//! Both are in logarithms, of fixed size, and never overflow. Deliberately absent: a guess at when
//! the change began beyond [`Alarm::since`].

mod bets;
mod evidence;
mod martingale;

pub use evidence::{Alarm, Evidence};
pub use martingale::Martingale;

#[cfg(test)]
mod tests;
