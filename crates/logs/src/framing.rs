//! Cuts bytes into records: lines, octet-counted frames (RFC 6587), or JSON values.
//!
//! A record is at most [`MAX_RECORD`] bytes; a longer one is passed over and counted, without ever
//! being held.

use std::io::{self, BufRead};

/// Longest record, in bytes.
pub const MAX_RECORD: usize = 1 << 20;

/// How records are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One a line.
    Lines,
    /// A length in digits and a blank before each.
    Octets,
    /// JSON values one after the other, or in one array, over any number of lines.
    Json,
}

impl Framing {
    /// From the first bytes of a file.
    pub fn of(start: &[u8]) -> Self {
        let start = start.trim_ascii_start();
        let digits = start.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if (1..=7).contains(&digits)
            && start.get(digits) == Some(&b' ')
            && start.get(digits.saturating_add(1)) == Some(&b'<')
        {
            return Self::Octets;
        }
        let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        match line.first() {
            Some(b'{') if !closes(line) => Self::Json,
            Some(b'[') => match line.get(1..).unwrap_or_default().trim_ascii_start().first() {
                None | Some(b'{') => Self::Json,
                Some(_) => Self::Lines,
            },
            _ => Self::Lines,
        }
    }
}

/// Whether the JSON object at the start of a line ends on it.
fn closes(line: &[u8]) -> bool {
    let mut scan = Braces::default();
    line.iter().any(|&byte| scan.byte(byte))
}

/// One record of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Without the line ending, or the length before it.
    pub bytes: &'a [u8],
    /// Byte of the (uncompressed) file at which it begins.
    pub offset: u64,
    /// Line of the file on which it begins, from 1.
    pub line: u64,
}

/// The records of a reader, one after the other.
#[derive(Debug)]
pub struct Records<R> {
    input: R,
    framing: Framing,
    record: Vec<u8>,
    offset: u64,
    line: u64,
    too_long: u64,
}

impl<R: BufRead> Records<R> {
    /// From the start of the input.
    pub const fn new(input: R, framing: Framing) -> Self {
        Self { input, framing, record: Vec::new(), offset: 0, line: 1, too_long: 0 }
    }

    /// Records that were longer than [`MAX_RECORD`] and were passed over.
    pub const fn too_long(&self) -> u64 {
        self.too_long
    }

    /// Byte and line at which reading stands.
    pub const fn place(&self) -> (u64, u64) {
        (self.offset, self.line)
    }

    /// The next record that is not empty, or nothing at the end. What the input ends within is a
    /// record too: its format will say what is missing.
    ///
    /// # Errors
    /// When the input cannot be read, or its compression is broken.
    pub fn next_record(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            self.record.clear();
            self.skip_blank()?;
            let (offset, line) = self.place();
            let Some(fits) = (match self.framing {
                Framing::Lines => self.read_line()?,
                Framing::Octets => self.read_frame()?,
                Framing::Json => self.read_value()?,
            }) else {
                return Ok(None);
            };
            if !fits {
                self.too_long = self.too_long.saturating_add(1);
            } else if !self.record.trim_ascii().is_empty() {
                return Ok(Some(Record { bytes: &self.record, offset, line }));
            }
        }
    }

    /// Passes over line ends and blanks between records, and over what joins JSON values.
    fn skip_blank(&mut self) -> io::Result<()> {
        loop {
            let json = self.framing == Framing::Json;
            let between = |byte: &u8| {
                matches!(byte, b'\r' | b'\n') || (json && b" \t,[]\xef\xbb\xbf".contains(byte))
            };
            let start = self.input.fill_buf()?;
            let blank = start.iter().take_while(|byte| between(byte)).count();
            let more = blank > 0 && blank == start.len();
            self.consume(blank);
            if !more {
                return Ok(());
            }
        }
    }

    /// A line, without its end. Nothing at the end of the input; false where it was too long.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        let mut ended = false;
        self.read_until(|byte| {
            ended = byte == b'\n';
            ended
        })
        .inspect(|_| {
            while matches!(self.record.last(), Some(b'\n' | b'\r')) {
                self.record.pop();
            }
        })
    }

    /// A JSON object; anything else up to the end of its line.
    fn read_value(&mut self) -> io::Result<Option<bool>> {
        if self.input.fill_buf()?.first() != Some(&b'{') {
            return self.read_line();
        }
        let mut scan = Braces::default();
        self.read_until(|byte| scan.byte(byte))
    }

    /// A frame with its length before it; a line where there is no length.
    fn read_frame(&mut self) -> io::Result<Option<bool>> {
        let start = self.input.fill_buf()?;
        let digits = start.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
        let length = start.get(..digits).and_then(|d| std::str::from_utf8(d).ok()?.parse().ok());
        let Some(length) = length.filter(|_| start.get(digits) == Some(&b' ')) else {
            return self.read_line();
        };
        self.consume(digits.saturating_add(1));
        let mut left: usize = length;
        if left == 0 {
            return Ok(Some(true));
        }
        self.read_until(|_| {
            left = left.saturating_sub(1);
            left == 0
        })
        .map(|fits| fits.or(Some(true)))
    }

    /// Takes bytes up to and with the one that `last` says is the last.
    fn read_until(&mut self, mut last: impl FnMut(u8) -> bool) -> io::Result<Option<bool>> {
        let (mut any, mut fits) = (false, true);
        loop {
            let start = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if start.is_empty() {
                return Ok(any.then_some(fits));
            }
            any = true;
            let end = start.iter().position(|&byte| last(byte));
            let used = end.map_or(start.len(), |end| end.saturating_add(1));
            if self.record.len().saturating_add(used) > MAX_RECORD.saturating_add(2) {
                fits = false;
                self.record = Vec::new();
            } else if fits {
                self.record.extend_from_slice(start.get(..used).unwrap_or_default());
            }
            self.consume(used);
            if end.is_some() {
                return Ok(Some(fits));
            }
        }
    }

    fn consume(&mut self, count: usize) {
        // The bytes are those that `fill_buf` has just shown, so that it reads nothing.
        if let Ok(start) = self.input.fill_buf() {
            let passed = start.get(..count).unwrap_or_default();
            let lines = passed.iter().filter(|&&byte| byte == b'\n').count();
            self.line = self.line.saturating_add(lines as u64);
        }
        self.offset = self.offset.saturating_add(count as u64);
        self.input.consume(count);
    }
}

/// Finds the brace that closes a JSON object.
#[derive(Debug, Default)]
struct Braces {
    depth: u32,
    quoted: bool,
    escaped: bool,
}

impl Braces {
    /// Takes the next byte; true at the closing brace of the object.
    fn byte(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
            return false;
        }
        match byte {
            b'\\' if self.quoted => self.escaped = true,
            b'"' => self.quoted = !self.quoted,
            _ if self.quoted => {}
            b'{' => self.depth = self.depth.saturating_add(1),
            b'}' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests;
