//! Cuts text into lines, whatever the pieces it comes in.

/// The line that is not finished yet.
#[derive(Debug)]
pub(super) struct Lines {
    line: Vec<u8>,
    cap: usize,
}

impl Lines {
    /// Of a line, at most `cap` bytes are kept.
    pub(super) const fn new(cap: usize) -> Self {
        Self { line: Vec::new(), cap }
    }

    /// Feeds the next piece; `each` is given every finished line without its end, and says whether
    /// to go on.
    pub(super) fn feed(&mut self, piece: &[u8], mut each: impl FnMut(&[u8]) -> bool) {
        for &byte in piece {
            if byte != b'\n' {
                if self.line.len() < self.cap {
                    self.line.push(byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if !each(line.strip_suffix(b"\r").unwrap_or(&line)) {
                return;
            }
        }
    }

    /// Forgets the unfinished line.
    pub(super) fn clear(&mut self) {
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        let (mut lines, mut seen) = (Lines::new(4), Vec::new());
        for piece in [&b"abc"[..], b"def\r", b"\nxy\r\nnot finished"] {
            lines.feed(piece, |line| {
                seen.push(line.to_vec());
                true
            });
        }
        assert_eq!(seen, [b"abcd".to_vec(), b"xy".to_vec()]);
    }
}
