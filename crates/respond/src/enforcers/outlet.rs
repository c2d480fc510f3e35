//! The only way out: every subprocess, datagram, request and file of an enforcer passes here, and is
//! counted.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Most of what a program says that is read, in bytes.
const MOST: u64 = 16 << 20;

/// Counts what goes out. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Outlet {
    count: Arc<AtomicU64>,
}

/// What a program said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) good: bool,
    pub(super) out: String,
    pub(super) err: String,
}

impl Outlet {
    /// One that has counted nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often something went out.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// To be called before anything goes out.
    pub(super) fn out(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Runs a program to its end, for at most `limit`.
    ///
    /// # Errors
    /// When it cannot be started, or was ended because it took too long: what happened.
    pub(super) fn run(
        &self,
        words: &[String],
        input: &str,
        limit: Duration,
    ) -> Result<Said, String> {
        let [program, arguments @ ..] = words else {
            return Err("no program is configured".to_owned());
        };
        self.out();
        let mut child = Command::new(program)
            .args(arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("'{program}' does not start: {error}"))?;
        let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = input.to_owned();
        // All three at once: a program that waits for one of them would wait for ever.
        let feed = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let out = thread::spawn(move || read(out));
        let err = thread::spawn(move || read(err));
        let Some(good) = wait(&mut child, limit) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("'{program}' did not end within {} s", limit.as_secs()));
        };
        let _ = feed.join();
        let out = out.join().unwrap_or_default();
        let err = err.join().unwrap_or_default();
        Ok(Said { good, out, err })
    }
}

fn read(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.take(MOST).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether it ended well; nothing where it did not end in time.
fn wait(child: &mut Child, limit: Duration) -> Option<bool> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status.success());
        }
        if begun.elapsed() >= limit {
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The first lines of what a program complained about, for people.
pub(super) fn complaint(said: &Said) -> String {
    let text = if said.err.trim().is_empty() { &said.out } else { &said.err };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let short: String = lines.join(" ").chars().take(400).collect();
    if short.is_empty() { "it failed and said nothing".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn a_program_that_never_ends_is_ended_and_one_that_reads_is_fed() {
        let outlet = Outlet::new();
        let slow = outlet.run(&words(&["sleep", "60"]), "", Duration::from_millis(50));
        assert!(slow.unwrap_err().contains("did not end"));
        let large = "x".repeat(1 << 20);
        let said = outlet.run(&words(&["cat"]), &large, Duration::from_secs(20)).unwrap();
        assert!(said.good && said.out == large);
        assert_eq!(outlet.count(), 2);
        assert!(outlet.run(&words(&["/no/such"]), "", Duration::from_secs(1)).is_err());
    }
}
