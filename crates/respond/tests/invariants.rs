//! The invariants of safe response, held against random lives: findings, approvals, releases,
//! halts, crashes, restarts, reboots and clocks that jump, in any order.
//!
//! Each life is played twice: by the desk, and by a small network that only knows rules with
//! deadlines, as a kernel does. What must never be seen on that network is checked after every step.

mod invariants {
    pub(crate) mod chance;
    pub(crate) mod checks;
    pub(crate) mod life;
    pub(crate) mod network;
}

use invariants::life::Life;

/// How many lives; `WARDWATCH_LIVES` says another number.
const LIVES: u64 = 1_000_000;

#[test]
fn no_sequence_of_events_breaks_an_invariant() {
    let lives =
        std::env::var("WARDWATCH_LIVES").ok().and_then(|text| text.parse().ok()).unwrap_or(LIVES);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let seen = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let mut seen = invariants::life::Seen::default();
                    (worker..lives).step_by(threads as usize).for_each(|seed| {
                        seen.add(Life::new(seed).live());
                    });
                    seen
                })
            })
            .collect();
        let mut all = invariants::life::Seen::default();
        workers.into_iter().for_each(|worker| all.add(worker.join().unwrap()));
        all
    });
    // A life in which nothing happens proves nothing.
    seen.assert_worthwhile(lives);
}
