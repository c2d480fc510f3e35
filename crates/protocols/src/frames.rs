//! Cuts a stream into messages, whatever the pieces it comes in.
//!
//! A message that lies whole in a piece is seen in place, without a copy; only what is cut by the
//! end of a piece is kept until the rest comes, up to a cap.

use wire::chunk::Next;

/// What a look at the start of the unread bytes gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A message of so many bytes (at least one) was taken.
    Used(usize),
    /// So many bytes from here, more than there may be yet, are of no interest.
    Skip(u64),
    /// The message is not whole yet.
    More,
    /// The rest of the flow is of no interest.
    Stop,
}

/// The unread bytes of one direction.
#[derive(Debug)]
pub struct Frames {
    pending: Vec<u8>,
    cap: usize,
}

impl Frames {
    /// Holds back at most `cap` bytes of an unfinished message, plus the piece that finishes it.
    pub const fn new(cap: usize) -> Self {
        Self { pending: Vec::new(), cap }
    }

    /// Feeds the next piece. `take` is shown the unread bytes again and again until it asks for
    /// more. It has to judge by content and never by how many bytes it is shown beyond the message,
    /// and to give up by itself on a message longer than the cap: what is still unfinished at the
    /// cap ends the flow with [`Next::Done`], after `take` is not asked again.
    pub fn feed(&mut self, piece: &[u8], mut take: impl FnMut(&[u8]) -> Step) -> Next {
        if self.pending.is_empty() {
            return match run(piece, &mut take) {
                Left::Unread(rest) if rest.len() > self.cap => Next::Done,
                Left::Unread(rest) => {
                    self.pending.extend_from_slice(rest);
                    Next::More
                }
                Left::Next(next) => next,
            };
        }
        self.pending.extend_from_slice(piece);
        match run(&self.pending, &mut take) {
            Left::Unread(rest) if rest.len() > self.cap => {
                self.pending = Vec::new();
                Next::Done
            }
            Left::Unread(rest) => {
                let read = self.pending.len().saturating_sub(rest.len());
                self.pending.drain(..read);
                Next::More
            }
            Left::Next(next) => {
                self.pending = Vec::new();
                next
            }
        }
    }

    /// Forgets an unfinished message, after a gap.
    pub fn clear(&mut self) {
        self.pending = Vec::new();
    }

    /// The unfinished message.
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }
}

enum Left<'a> {
    Unread(&'a [u8]),
    Next(Next),
}

fn run<'a>(mut unread: &'a [u8], take: &mut impl FnMut(&[u8]) -> Step) -> Left<'a> {
    while !unread.is_empty() {
        match take(unread) {
            Step::Used(count) => unread = unread.get(count.max(1)..).unwrap_or_default(),
            Step::Skip(count) => {
                let here = usize::try_from(count).unwrap_or(usize::MAX).min(unread.len());
                unread = unread.get(here..).unwrap_or_default();
                let beyond = count.saturating_sub(here as u64);
                if beyond > 0 {
                    return Left::Next(Next::Skip(beyond));
                }
            }
            Step::More => return Left::Unread(unread),
            Step::Stop => return Left::Next(Next::Done),
        }
    }
    Left::Unread(unread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Messages are a length byte and so many bytes; 0xff skips 300 bytes.
    fn messages(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
        let (mut frames, mut seen, mut skip) = (Frames::new(64), Vec::new(), 0_u64);
        for piece in pieces {
            let drop = usize::try_from(skip).unwrap().min(piece.len());
            skip -= drop as u64;
            let next = frames.feed(&piece[drop..], |bytes| match bytes[0] {
                0xff => Step::Skip(300),
                length if length > 60 => Step::Stop,
                length => match bytes.get(1..1 + usize::from(length)) {
                    Some(body) => {
                        seen.push(body.to_vec());
                        Step::Used(1 + body.len())
                    }
                    None => Step::More,
                },
            });
            match next {
                Next::Skip(count) => skip += count,
                Next::Done => return (seen, true),
                Next::More => {}
            }
        }
        (seen, false)
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            stream in proptest::collection::vec(prop_oneof![4 => 0_u8..8, 1 => Just(0xff), 1 => any::<u8>()], 0..900),
            cuts in proptest::collection::vec(1_usize..200, 1..40),
        ) {
            let whole = messages(&[&stream]);
            let mut pieces = Vec::new();
            let (mut rest, mut cuts) = (&stream[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            prop_assert_eq!(messages(&pieces), whole);
        }
    }
}
