//! Requests that wait for their responses.

use std::collections::VecDeque;

use model::time::Timestamp;

use crate::http::auth::Credential;
use crate::http::content::{Known, Told};
use crate::http::websocket::Offer;
use crate::http::{dicomweb, fhir};

/// Most requests kept without their responses. Later ones are still counted, so that pairs stay
/// right; their responses are told without them.
const MAX_OUTSTANDING: usize = 64;

/// What a response has to know of its request.
#[derive(Debug)]
pub(in crate::http) struct Pending {
    pub(in crate::http) method: Box<str>,
    pub(in crate::http) path: Box<str>,
    pub(in crate::http) credential: Credential,
    pub(in crate::http) user_agent: Box<[u8]>,
    pub(in crate::http) at: Timestamp,
    /// Asks for another protocol on the connection.
    pub(in crate::http) changes: bool,
    /// What it offers, where it asks for WebSocket.
    pub(in crate::http) offer: Option<Box<Offer>>,
    pub(in crate::http) fhir: Option<Box<fhir::Asked>>,
    pub(in crate::http) dicomweb: Option<Box<dicomweb::Asked>>,
    /// What its body held, once that is over.
    pub(in crate::http) sent: Told,
}

impl Pending {
    /// What the readers of bodies have to know of it.
    pub(in crate::http) fn known(&self) -> Known<'_> {
        Known { fhir: self.fhir.is_some(), dicomweb: self.dicomweb.is_some(), path: &self.path }
    }
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

    /// The request put in last, while it waits.
    pub(super) fn last(&mut self) -> Option<&mut Pending> {
        if self.beyond > 0 { None } else { self.kept.back_mut() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.beyond == 0
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
            offer: None,
            fhir: None,
            dicomweb: None,
            sent: Told::default(),
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
