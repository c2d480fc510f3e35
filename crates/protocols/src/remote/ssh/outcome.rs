//! How a log-on went, from how much each side says in turn.
//!
//! Until it succeeds, authentication goes strictly by question and answer (RFC 4252), so that what
//! the server says in one turn is one answer. "Success" is the shortest message there is and no other
//! answer is as short; refusals list the methods that are left, and so all have one size. The first
//! answer is nearly always to a question without credentials, asked to learn the methods: it shows
//! the size and does not count. Where a banner or a dialogue blurs the sizes, the outcome is unknown.
//! Sizes and not pieces of the stream are looked at, so that cuts change nothing.

use model::flow::Direction;

/// Turns after which nothing more will show.
const MOST_TURNS: u32 = 200;
/// Bytes of a turn that no answer to a log-on has.
const LONGEST_TURN: u64 = 35_004;

/// Payload of "service accepted": number, length, `ssh-userauth`.
const ACCEPT: u64 = 17;
/// Payload of "success": its number.
const SUCCESS: u64 = 1;

/// Sizes on the wire of two of the server's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    accept: u64,
    /// As short as the cipher allows, and as short as RFC 4253, 6, allows.
    success: [u64; 2],
}

/// Whether a cipher needs no MAC beside it.
pub(super) fn authenticates(cipher: &[u8]) -> bool {
    cipher.starts_with(b"chacha20-poly1305") || cipher.windows(4).any(|part| part == b"-gcm")
}

impl Sizes {
    /// With a cipher and a MAC; nothing where one of them is unknown.
    pub(super) fn of(cipher: &[u8], mac: Option<&[u8]>) -> Option<Self> {
        let block: u64 = match cipher {
            _ if cipher.starts_with(b"aes") || cipher.starts_with(b"AEAD_AES") => 16,
            _ if cipher.starts_with(b"rijndael") || cipher.starts_with(b"camellia") => 16,
            _ if cipher.starts_with(b"chacha20-poly1305") => 8,
            b"3des-cbc" | b"3des-ctr" | b"blowfish-cbc" | b"blowfish-ctr" | b"cast128-cbc" => 8,
            _ if cipher.starts_with(b"arcfour") => 8,
            _ => return None,
        };
        // Whether the length field is outside of what is padded to whole blocks.
        let (outside, tag) = if authenticates(cipher) {
            (true, 16)
        } else {
            let mac = mac?;
            let tag = match mac {
                _ if mac.windows(3).any(|part| part == b"-96") => 12,
                _ if mac.starts_with(b"hmac-sha2-512") => 64,
                _ if mac.starts_with(b"hmac-sha2-256") => 32,
                _ if mac.starts_with(b"hmac-sha1") => 20,
                _ if mac.starts_with(b"hmac-md5") => 16,
                _ if mac.starts_with(b"umac-128") => 16,
                _ if mac.starts_with(b"umac-64") => 8,
                _ => return None,
            };
            (mac.windows(4).any(|part| part == b"-etm"), tag)
        };
        // A byte for the length of the padding, and at least four of padding.
        let size = |payload: u64| {
            let padded = payload.saturating_add(if outside { 5 } else { 9 });
            let whole = padded.checked_next_multiple_of(block).unwrap_or(padded);
            whole.saturating_add(if outside { 4 } else { 0 }).saturating_add(tag)
        };
        let shortest = size(SUCCESS);
        Some(Self {
            accept: size(ACCEPT),
            success: [shortest, shortest.max(16_u64.saturating_add(4).saturating_add(tag))],
        })
    }
}

/// Where the log-on is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing came from the server.
    Start,
    /// It said more than that the service is accepted, or something before it.
    Extended,
    /// The service is accepted.
    Accepted,
}

/// What each side said in turn.
#[derive(Debug)]
pub(super) struct Turns {
    sizes: Option<Sizes>,
    place: Place,
    speaker: Option<(Direction, u64)>,
    turns: u32,
    refusal: Option<u64>,
    failures: u32,
    /// Answers since the last refusal that counted.
    since: u32,
}

impl Turns {
    /// Before the first encrypted byte.
    pub(super) const fn new(sizes: Option<Sizes>) -> Self {
        Self {
            sizes,
            place: Place::Start,
            speaker: None,
            turns: 0,
            refusal: None,
            failures: 0,
            since: 0,
        }
    }

    /// A side said so much more; outcome and failures once they are clear.
    pub(super) fn sent(&mut self, dir: Direction, bytes: u64) -> Option<(&'static str, u32)> {
        if let Some((speaker, said)) = &mut self.speaker
            && *speaker == dir
        {
            *said = said.saturating_add(bytes);
            return None;
        }
        let before = self.speaker.replace((dir, bytes));
        match before {
            Some((Direction::Reverse, said)) => self.answered(said),
            _ => None,
        }
    }

    fn answered(&mut self, said: u64) -> Option<(&'static str, u32)> {
        let Some(sizes) = self.sizes else { return Some(("unknown", 0)) };
        self.turns = self.turns.saturating_add(1);
        if self.turns > MOST_TURNS || said > LONGEST_TURN {
            return Some(("unknown", self.failures));
        }
        self.since = self.since.saturating_add(1);
        match self.place {
            Place::Start | Place::Extended if said == sizes.accept => self.place = Place::Accepted,
            Place::Start => self.place = Place::Extended,
            _ if sizes.success.contains(&said) => return Some(("success", self.failures)),
            Place::Extended | Place::Accepted => {
                self.place = Place::Accepted;
                match self.refusal {
                    None => self.refusal = Some(said),
                    Some(size) if size == said => {
                        self.failures = self.failures.saturating_add(1);
                        self.since = 0;
                    }
                    Some(_) => {}
                }
            }
        }
        None
    }

    /// The connection is over; nothing where no log-on was begun.
    pub(super) fn at_the_end(mut self) -> Option<(&'static str, u32)> {
        if let Some((Direction::Reverse, said)) = self.speaker.take()
            && let Some(clear) = self.answered(said)
        {
            return Some(clear);
        }
        self.refusal?;
        // One more answer may be why the server hangs up; a session has more.
        let refused = self.failures > 0 && self.since <= 1;
        Some((if refused { "failure" } else { "unknown" }, self.failures))
    }
}
