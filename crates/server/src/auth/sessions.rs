//! Sessions: opaque random tokens, kept only as hashes and only in memory.
//!
//! A restart signs everybody out, which is what one wants of a machine that was just restarted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::auth::role::Role;
use crate::auth::secret::{self, NoRandomness};

/// Most sessions at once; the one that was idle longest ends first.
const MAX_SESSIONS: usize = 4_096;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) role: Role,
    /// What it is kept under.
    pub(crate) digest: [u8; 32],
    /// When it ends at the latest.
    pub(crate) ends: Instant,
}

#[derive(Debug)]
struct Kept {
    session: Session,
    used: Instant,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    kept: Mutex<HashMap<[u8; 32], Kept>>,
    idle: Duration,
    life: Duration,
}

impl Sessions {
    pub(crate) fn new(idle: Duration, life: Duration) -> Self {
        Self { kept: Mutex::default(), idle, life }
    }

    /// Begins a session and gives its token.
    pub(crate) fn begin(
        &self,
        user: String,
        role: Role,
        now: Instant,
    ) -> Result<(String, Session), NoRandomness> {
        let token = secret::token()?;
        let digest = secret::digest(&token);
        let session = Session { user, role, digest, ends: now + self.life };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_SESSIONS {
            kept.retain(|_, kept| is_alive(kept, self.idle, now));
            if kept.len() >= MAX_SESSIONS
                && let Some(oldest) = kept.iter().min_by_key(|(_, k)| k.used).map(|(d, _)| *d)
            {
                kept.remove(&oldest);
            }
        }
        kept.insert(digest, Kept { session: session.clone(), used: now });
        Ok((token, session))
    }

    /// The session of a token, which counts as a use. The token is looked up by its SHA-256, so
    /// that the time the look-up takes says nothing of the token.
    pub(crate) fn of_token(&self, token: &str, now: Instant) -> Option<Session> {
        let digest = secret::digest(token);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get_mut(&digest)?;
        if !is_alive(found, self.idle, now) {
            kept.remove(&digest);
            return None;
        }
        found.used = now;
        Some(found.session.clone())
    }

    /// Whether a session still holds; this is no use of it.
    pub(crate) fn holds(&self, digest: &[u8; 32], now: Instant) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(digest).is_some_and(|kept| is_alive(kept, self.idle, now))
    }

    /// Ends a session.
    pub(crate) fn end(&self, digest: &[u8; 32]) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn is_alive(kept: &Kept, idle: Duration, now: Instant) -> bool {
    now < kept.session.ends && now.duration_since(kept.used) < idle
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_session_ends_when_idle_when_old_and_when_ended() {
        let sessions = Sessions::new(HOUR, HOUR * 3);
        let start = Instant::now();
        let begin = || sessions.begin("ann".to_owned(), Role::Viewer, start).unwrap();
        let (idle, _) = begin();
        assert!(sessions.of_token(&idle, start + HOUR / 2).is_some());
        assert!(sessions.of_token(&idle, start + HOUR * 2).is_none());
        let (old, _) = begin();
        for half_hours in 1..6 {
            assert!(sessions.of_token(&old, start + HOUR / 2 * half_hours).is_some());
        }
        assert!(sessions.of_token(&old, start + HOUR * 3).is_none());
        let (ended, session) = begin();
        sessions.end(&session.digest);
        assert!(sessions.of_token(&ended, start).is_none());
        assert!(sessions.of_token("", start).is_none());
    }

    #[test]
    fn sessions_stay_bounded_and_the_idlest_goes_first() {
        let sessions = Sessions::new(HOUR, HOUR);
        let start = Instant::now();
        let (first, _) = sessions.begin("a".to_owned(), Role::Viewer, start).unwrap();
        let later = start + Duration::from_secs(1);
        let (second, _) = sessions.begin("b".to_owned(), Role::Viewer, later).unwrap();
        for _ in 0..MAX_SESSIONS - 1 {
            sessions.begin("c".to_owned(), Role::Viewer, later + Duration::from_secs(1)).unwrap();
        }
        assert_eq!(sessions.count(), MAX_SESSIONS);
        assert!(sessions.of_token(&first, later).is_none());
        assert!(sessions.of_token(&second, later).is_some());
    }
}
