//! How long a body is, and the way through it without keeping a byte (RFC 9112, section 6).

use crate::frames::Step;

/// What stands between a head and the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, then trailers.
    Chunked,
    /// Everything until the connection ends.
    UntilClose,
}

/// What a head's headers say of the length of its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Framing {
    length: Option<u64>,
    /// A Content-Length that is no number, or two that differ.
    broken: bool,
    coded: bool,
    chunked: bool,
}

impl Framing {
    /// Takes a Content-Length header.
    pub(super) fn content_length(&mut self, value: &[u8]) {
        for item in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            let number = if !item.is_empty() && item.iter().all(u8::is_ascii_digit) {
                std::str::from_utf8(item).ok().and_then(|digits| digits.parse().ok())
            } else {
                None
            };
            match (number, self.length) {
                (None, _) => self.broken = true,
                (Some(number), Some(before)) if number != before => self.broken = true,
                (Some(number), _) => self.length = Some(number),
            }
        }
    }

    /// Takes a Transfer-Encoding header.
    pub(super) fn transfer_encoding(&mut self, value: &[u8]) {
        self.coded = true;
        let last = value.rsplit(|&b| b == b',').next().unwrap_or_default().trim_ascii();
        self.chunked = last.eq_ignore_ascii_case(b"chunked");
    }

    /// The Content-Length, where there is a single one.
    pub(super) fn length(&self) -> Option<u64> {
        self.length.filter(|_| !self.broken)
    }

    /// The body of a request.
    ///
    /// # Errors
    /// What makes its end unknowable.
    pub(super) fn of_request(&self) -> Result<Body, &'static str> {
        match (self.coded, self.chunked) {
            (true, true) => Ok(Body::Chunked),
            (true, false) => Err("request whose last transfer coding is not chunked"),
            (false, _) => self.by_length(Body::None),
        }
    }

    /// The body of a response to a request other than HEAD and CONNECT.
    ///
    /// # Errors
    /// What makes its end unknowable.
    pub(super) fn of_response(&self, status: u16) -> Result<Body, &'static str> {
        match (status, self.coded, self.chunked) {
            (100..=199 | 204 | 304, _, _) => Ok(Body::None),
            (_, true, true) => Ok(Body::Chunked),
            (_, true, false) => Ok(Body::UntilClose),
            (_, false, _) => self.by_length(Body::UntilClose),
        }
    }

    /// Whether two headers contradict each other: the way of request smuggling.
    pub(super) fn contradicts(&self) -> bool {
        self.coded && (self.length.is_some() || self.broken)
    }

    fn by_length(&self, without: Body) -> Result<Body, &'static str> {
        match (self.broken, self.length) {
            (true, _) => Err("Content-Length"),
            (false, Some(0)) => Ok(Body::None),
            (false, Some(length)) => Ok(Body::Length(length)),
            (false, None) => Ok(without),
        }
    }
}

/// Where a direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reading {
    /// Before or in a head.
    #[default]
    Head,
    /// Before or in a line that says how long the next chunk is.
    ChunkSize,
    /// In a body of a known length, with so many bytes to come.
    Fixed(u64),
    /// In a chunk, the same way.
    Chunk(u64),
    /// At the line end behind a chunk.
    ChunkEnd,
    /// In the trailers, with so many more allowed.
    Trailers(u8),
    /// In a body that ends with the connection.
    UntilClose,
    /// Behind a gap, searching for a head, for so many more bytes.
    Lost(u32),
}

/// Longest line of a chunk's size or of a trailer.
const MAX_LINE: usize = 8 * 1024;

impl Reading {
    /// Enters a body.
    pub(super) fn enter(&mut self, body: Body) {
        *self = match body {
            Body::None => Self::Head,
            Body::Length(length) => Self::Fixed(length),
            Body::Chunked => Self::ChunkSize,
            Body::UntilClose => Self::UntilClose,
        };
    }

    /// How much of the bytes at hand is content, where content is what comes next.
    pub(super) fn content(&self, bytes: &[u8]) -> Option<usize> {
        match *self {
            Self::Fixed(left) | Self::Chunk(left) => {
                Some(usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()))
            }
            Self::UntilClose => Some(bytes.len()),
            _ => None,
        }
    }

    /// Content still to come before framing does.
    pub(super) fn left(&self) -> u64 {
        match *self {
            Self::Fixed(left) | Self::Chunk(left) => left,
            Self::UntilClose => u64::MAX,
            _ => 0,
        }
    }

    /// So much of the content is past.
    pub(super) fn past(&mut self, count: u64) {
        *self = match *self {
            Self::Fixed(left) if left <= count => Self::Head,
            Self::Fixed(left) => Self::Fixed(left.saturating_sub(count)),
            Self::Chunk(left) if left <= count => Self::ChunkEnd,
            Self::Chunk(left) => Self::Chunk(left.saturating_sub(count)),
            other => other,
        };
    }

    /// Takes the next piece of a body's framing.
    ///
    /// # Errors
    /// What broke the rules.
    pub(super) fn body(&mut self, bytes: &[u8]) -> Result<Step, &'static str> {
        match *self {
            Self::ChunkSize => self.chunk_size(bytes),
            Self::ChunkEnd => match bytes {
                [b'\r', b'\n', ..] => Ok(self.then(Self::ChunkSize, 2)),
                [b'\n', ..] => Ok(self.then(Self::ChunkSize, 1)),
                [b'\r'] => Ok(Step::More),
                _ => Err("chunk longer or shorter than its size"),
            },
            Self::Trailers(left) => {
                let Some(end) = bytes.iter().take(MAX_LINE).position(|&b| b == b'\n') else {
                    return if bytes.len() >= MAX_LINE { Err("trailer") } else { Ok(Step::More) };
                };
                let line = bytes.get(..end).unwrap_or_default();
                let next = match line {
                    b"" | b"\r" => Self::Head,
                    _ => Self::Trailers(left.checked_sub(1).ok_or("more than 128 trailers")?),
                };
                Ok(self.then(next, end.saturating_add(1)))
            }
            Self::Fixed(_) | Self::Chunk(_) | Self::UntilClose | Self::Head | Self::Lost(_) => {
                Ok(Step::More)
            }
        }
    }

    fn chunk_size(&mut self, bytes: &[u8]) -> Result<Step, &'static str> {
        let line = bytes.get(..bytes.len().min(MAX_LINE)).unwrap_or_default();
        match httparse::parse_chunk_size(line) {
            Ok(httparse::Status::Complete((used, 0))) => Ok(self.then(Self::Trailers(128), used)),
            Ok(httparse::Status::Complete((used, size))) => Ok(self.then(Self::Chunk(size), used)),
            Ok(httparse::Status::Partial) if bytes.len() < MAX_LINE => Ok(Step::More),
            Ok(httparse::Status::Partial) | Err(_) => Err("chunk size"),
        }
    }

    fn then(&mut self, next: Self, used: usize) -> Step {
        *self = next;
        Step::Used(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(lengths: &[&str], codings: &[&str]) -> Framing {
        let mut framing = Framing::default();
        lengths.iter().for_each(|l| framing.content_length(l.as_bytes()));
        codings.iter().for_each(|c| framing.transfer_encoding(c.as_bytes()));
        framing
    }

    #[test]
    fn body_length_follows_rfc_9112() {
        assert_eq!(framing(&[], &[]).of_request(), Ok(Body::None));
        assert_eq!(framing(&[], &[]).of_response(200), Ok(Body::UntilClose));
        assert_eq!(framing(&["9"], &[]).of_response(304), Ok(Body::None));
        assert_eq!(framing(&["9", "9"], &[]).of_request(), Ok(Body::Length(9)));
        assert_eq!(framing(&["9, 8"], &[]).of_request(), Err("Content-Length"));
        assert_eq!(framing(&["+9"], &[]).of_request(), Err("Content-Length"));
        assert_eq!(framing(&[], &["gzip, Chunked"]).of_request(), Ok(Body::Chunked));
        assert_eq!(framing(&[], &["chunked", "gzip"]).of_response(200), Ok(Body::UntilClose));
        assert!(framing(&["9"], &["chunked"]).contradicts());
    }

    #[test]
    fn chunks_are_passed_over_and_their_ends_checked() {
        let mut at = Reading::ChunkSize;
        assert_eq!(at.body(b"1f;x=y\r\nabc"), Ok(Step::Used(8)));
        assert_eq!((at.content(b"abc"), at.left()), (Some(3), 31));
        at.past(31);
        assert_eq!(at.body(b"\r\n0\r\n"), Ok(Step::Used(2)));
        assert_eq!(at.body(b"0\r\n"), Ok(Step::Used(3)));
        assert_eq!(at.body(b"A: b\r\n\r\n"), Ok(Step::Used(6)));
        assert_eq!(at.body(b"\r\n"), Ok(Step::Used(2)));
        assert_eq!(at, Reading::Head);
        assert!(
            Reading::ChunkEnd.body(b"xx").is_err() && Reading::ChunkSize.body(b"zz\r\n").is_err()
        );
        assert!(Reading::ChunkSize.body(b"fffffffffffffffff\r\n").is_err());
    }
}
