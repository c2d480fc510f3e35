//! Which packets of a capture belong to which event: `packets.labels`.
//!
//! ```text
//! 120 384 0
//! 391 391 0
//! 2077 2080 1
//! ```
//!
//! One line for each run of packets of one event: first and last packet, counted from 0 in
//! `capture.pcap`, and the event's place in `truth.json`. Packets of normal life are in no line, so
//! that the file is small. Attacks mix with normal life; whose packet one was cannot be told from
//! the times in `truth.json` alone.

use std::io::{self, Write};

/// Writes the labels of packets that come one by one.
pub(crate) struct Labels<W> {
    to: W,
    next: u64,
    /// First packet and event of the run that has not ended.
    run: Option<(u64, u32)>,
}

impl<W: Write> Labels<W> {
    pub(crate) const fn new(to: W) -> Self {
        Self { to, next: 0, run: None }
    }

    /// Takes the label of the next packet.
    pub(crate) fn packet(&mut self, event: Option<u32>) -> io::Result<()> {
        if self.run.map(|(_, event)| event) != event {
            self.end_run()?;
            self.run = event.map(|event| (self.next, event));
        }
        self.next += 1;
        Ok(())
    }

    fn end_run(&mut self) -> io::Result<()> {
        match self.run.take() {
            Some((first, event)) => writeln!(self.to, "{first} {} {event}", self.next - 1),
            None => Ok(()),
        }
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.end_run()?;
        self.to.flush()
    }
}

/// Packets `first` to `last` of a capture, which belong to one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First packet, from 0.
    pub first: u64,
    /// Last packet.
    pub last: u64,
    /// Its place in `truth.json`.
    pub event: u32,
}

/// The text of a `packets.labels` could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of packets.labels is not 'FIRST LAST EVENT' with packets in rising order")]
pub struct BadLabels(pub usize);

/// Reads the text of a `packets.labels`.
///
/// # Errors
///
/// A line does not have the form, or runs are not in order.
pub fn read(text: &str) -> Result<Vec<Run>, BadLabels> {
    let mut runs: Vec<Run> = vec![];
    for (number, line) in (1..).zip(text.lines()) {
        let run = run_of(line).ok_or(BadLabels(number))?;
        let rising = runs.last().is_none_or(|before| before.last < run.first);
        if !rising || run.last < run.first {
            return Err(BadLabels(number));
        }
        runs.push(run);
    }
    Ok(runs)
}

fn run_of(line: &str) -> Option<Run> {
    let mut words = line.split(' ');
    let first = words.next()?.parse().ok()?;
    let last = words.next()?.parse().ok()?;
    let event = words.next()?.parse().ok()?;
    words.next().is_none().then_some(Run { first, last, event })
}

/// The event of a packet, from runs as [`read`] gives them.
pub fn event_of(runs: &[Run], packet: u64) -> Option<u32> {
    let place = runs.partition_point(|run| run.last < packet);
    runs.get(place).filter(|run| run.first <= packet).map(|run| run.event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_packet_gets_back_the_label_that_was_written() {
        let events = [None, Some(0), Some(0), Some(1), None, None, Some(1), None, Some(2)];
        let mut text = vec![];
        let mut labels = Labels::new(&mut text);
        events.iter().for_each(|&event| labels.packet(event).unwrap());
        labels.finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "1 2 0\n3 3 1\n6 6 1\n8 8 2\n");
        let runs = read(&text).unwrap();
        let back: Vec<_> = (0..9).map(|packet| event_of(&runs, packet)).collect();
        assert_eq!(back, events);
        assert_eq!(event_of(&runs, 9), None);
    }

    #[test]
    fn lines_of_another_form_are_refused_with_their_number() {
        for text in ["1 2", "1 2 x", "3 2 0", "1 2 0 0", "", "1 2 0\n2 3 1"] {
            let line = text.lines().count();
            let expected = if text.is_empty() { Ok(vec![]) } else { Err(BadLabels(line)) };
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
