//! Requests that wait for their responses.

use std::collections::VecDeque;

use model::time::Timestamp;

use crate::http::auth::Credential;
use crate::http::fhir::Asked;

/// Most requests kept without their responses. Later ones are still counted, so that pairs stay
/// right; their responses are told without them.
const MAX_OUTSTANDING: usize = 64;

/// What a response has to know of its request.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) method: Box<str>,
    pub(super) path: Box<str>,
    pub(super) credential: Credential,
    pub(super) user_agent: Box<[u8]>,
    pub(super) at: Timestamp,
    /// Asks for another protocol on the connection.
    pub(super) changes: bool,
    pub(super) fhir: Option<Box<Asked>>,
}

/// The requests of a connection in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    kept: VecDeque<Pending>,
    beyond: u64,
}

impl Queue {
    pub(super) fn push(&mut self, request: Pending) {
        if self.beyond > 0 || self.kept.len() >= MAX_OUTSTANDING {
            self.beyond = self.beyond.saturating_add(1);
        } else {
            self.kept.push_back(request);
        }
    }

    /// The request that the next response answers; none where it was beyond the cap or not seen.
    pub(super) fn pop(&mut self) -> Option<Pending> {
        let oldest = self.kept.pop_front();
        if oldest.is_none() {
            self.beyond = self.beyond.saturating_sub(1);
        }
        oldest
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn waits_for_a_change(&self) -> bool {
        self.kept.iter().any(|request| request.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: usize) -> Pending {
        Pending {
            method: number.to_string().into(),
            path: "/".into(),
            credential: Credential::default(),
            user_agent: Box::default(),
            at: Timestamp::from_nanos(0),
            changes: false,
            fhir: None,
        }
    }

    #[test]
    fn pairs_stay_right_beyond_the_cap() {
        let mut queue = Queue::default();
        (0..70).for_each(|number| queue.push(request(number)));
        for number in 0..70 {
            let expected = (number < MAX_OUTSTANDING).then(|| number.to_string());
            assert_eq!(queue.pop().map(|p| p.method.into_string()), expected);
        }
        queue.push(request(70));
        assert!(queue.pop().is_some() && queue.pop().is_none());
    }
}
