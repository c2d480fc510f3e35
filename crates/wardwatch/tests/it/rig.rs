//! Runs the program, and makes a hospital to run it over.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use drill::{Event, Plan, Speed, Who};
use serde_json::Value;
use tempfile::TempDir;

/// Held by tests that load the machine or measure it, so that no two of them run at a time, whoever
/// runs the tests: in threads or in processes.
pub(crate) fn alone() -> std::fs::File {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/alone.lock");
    let file = std::fs::File::create(file).unwrap();
    file.lock().unwrap();
    file
}

/// Seconds of normal life before the first attack of [`HOSPITAL`].
pub(crate) const NORMAL_SECONDS: f64 = 60.0;

/// A small hospital, made once: `capture.pcap`, `syslog.log`, `audit.ndjson`, `truth.json`.
pub(crate) static HOSPITAL: LazyLock<PathBuf> = LazyLock::new(|| {
    let event =
        |scenario: &str, who| Event { scenario: scenario.to_owned(), who, speed: Speed::Fast };
    let plan = Plan {
        seed: 4,
        baseline_minutes: NORMAL_SECONDS / 60.0,
        attack_minutes: 0.2,
        gap_seconds: 5.0,
        image_kib: 12,
        pace: 0.5,
        events: vec![
            event("dicom_wildcard_query", Who::Known),
            event("port_scan", Who::Stranger),
            event("password_guessing_http", Who::Stranger),
        ],
        ..Plan::default()
    };
    // Each test may be a process of its own: whoever is first makes it for all of this run.
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hospital-{run}"));
    if !folder.exists() {
        let mine = folder.with_extension(std::process::id().to_string());
        let made = drill::generate(&plan, &mine).unwrap();
        assert!(made.skipped.is_empty(), "{:?}", made.skipped);
        if std::fs::rename(&mine, &folder).is_err() {
            std::fs::remove_dir_all(&mine).unwrap();
        }
    }
    folder
});

/// The capture of the hospital.
pub(crate) fn capture() -> PathBuf {
    HOSPITAL.join("capture.pcap")
}

/// When the normal life of the hospital ends, in Unix seconds.
pub(crate) fn learn_until() -> String {
    let start = Plan::default().start.seconds_since(model::Timestamp::from_parts(0, 0));
    format!("{:.0}", start + NORMAL_SECONDS)
}

/// A recorded capture, by its place under `testdata`.
pub(crate) fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

/// A folder of one test, with a site key of its own.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and says where.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The program with its arguments, in words.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardwatch"));
        command
            .args(words.split_whitespace())
            .current_dir(self.0.path())
            .env("XDG_DATA_HOME", self.path("home"))
            .env_remove("WARDWATCH_TOKEN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to the end.
    pub(crate) fn run(&self, words: &str) -> Ran {
        Ran::from(self.command(words).output().unwrap())
    }

    /// Runs it with files behind the words, such as captures.
    pub(crate) fn run_on(&self, words: &str, files: &[&Path]) -> Ran {
        Ran::from(self.command(words).args(files).output().unwrap())
    }

    /// The lines of one of the files of `--out`.
    pub(crate) fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let lines = text.lines().map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"))
        });
        lines.collect()
    }

    /// The bytes of all results in a folder of `--out`, but not the times and memory that it took.
    pub(crate) fn results(&self, folder: &str) -> Vec<(&'static str, String)> {
        let read = |name| {
            let path = self.path(folder).join(format!("{name}.jsonl"));
            (name, std::fs::read_to_string(path).unwrap())
        };
        ["findings", "cases", "devices", "flows", "observations"].map(read).to_vec()
    }
}

/// What the program said and how it ended.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Fails unless it ended so, with all it said.
    #[track_caller]
    pub(crate) fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "out: {}\nerr: {}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Fails unless its error names all these.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "'{part}' is not in: {}", self.err);
        }
        self
    }
}

/// Fails with the first line that differs between results.
#[track_caller]
pub(crate) fn same(one: &[(&str, String)], other: &[(&str, String)]) {
    for ((name, one), (_, other)) in one.iter().zip(other) {
        for (number, (one, other)) in one.lines().zip(other.lines()).enumerate() {
            assert_eq!(one, other, "{name}.jsonl, line {}", number + 1);
        }
        assert_eq!(one.lines().count(), other.lines().count(), "{name}.jsonl: lines");
    }
}
