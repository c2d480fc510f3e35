//! Files on a share are rewritten, renamed or deleted one after the other: ransomware at work.

use std::collections::BTreeSet;

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "smb_rewrite",
    doc: "Many files on a share are rewritten with random-looking content, renamed or deleted.",
    kind: FindingKind::Rule,
    reads: &["smb.file"],
    attack: &["T1486", "T1485", "T0809"],
    next_step: "Take the machine off the network now and lock its account on the file server; then look for the first changed file and restore from there.",
    sources: &["spec S21"],
};

/// Window in seconds; changed files in it; of those, new extensions of one kind or random content.
const WINDOW_SECONDS: f64 = 30.0;
const FILES: f64 = 12.0;
const SIGNS: f64 = 5.0;
/// Bits a byte from which content looks encrypted (compressed documents have about as much).
const RANDOM: f64 = 7.2;

/// Endings of file formats that are compressed or encrypted by design.
const COMPRESSED: [&str; 24] = [
    "7z", "avi", "bz2", "docx", "gif", "gz", "jp2", "jpeg", "jpg", "mkv", "mov", "mp3", "mp4",
    "odt", "pdf", "png", "pptx", "rar", "tgz", "webp", "xlsx", "xz", "zip", "zst",
];

#[derive(Debug, Serialize, Deserialize)]
struct Changes {
    files: Bucket,
    signs: Bucket,
    extensions: BTreeSet<Box<str>>,
}

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct SmbRewrite {
    actors: Bounded<(Entity, Entity), Changes>,
    /// Extensions of files seen while learning.
    usual: Bounded<Box<str>, ()>,
}

impl Default for SmbRewrite {
    fn default() -> Self {
        Self { actors: Bounded::new(20_000), usual: Bounded::new(5_000) }
    }
}

impl Detector for SmbRewrite {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let Some(action) = o.str("action") else { return };
        let extension = o.str("new_extension").or(o.str("extension")).unwrap_or("");
        if cx.learning() {
            self.usual.entry(extension.into(), || ());
        }
        if !matches!(action, "write" | "overwrite" | "rename" | "delete") || o.str("pipe").is_some()
        {
            return;
        }
        let changes = self.actors.entry((cx.who.subject, cx.who.peer), || Changes {
            files: Bucket::new(WINDOW_SECONDS),
            signs: Bucket::new(WINDOW_SECONDS),
            extensions: BTreeSet::new(),
        });
        let files = changes.files.add(o.at, 1.0, cx.learning());
        let strange = !extension.is_empty() && !self.usual.contains(&Box::from(extension));
        // Documents and pictures are compressed: random-looking from the day they are made.
        let compressed = COMPRESSED.contains(&extension) && action != "overwrite";
        let random = o.float("entropy").is_some_and(|bits| bits >= RANDOM) && !compressed;
        let sign = random || strange || action == "delete";
        let signs = changes.signs.add(o.at, f64::from(u8::from(sign)), cx.learning());
        if files <= 1.0 {
            changes.extensions.clear();
        }
        if strange && changes.extensions.len() < 16 {
            changes.extensions.insert(extension.into());
        }
        let usual = changes.files.learned_max();
        if cx.learning()
            || files < FILES.max(usual * 3.0)
            || signs < SIGNS.max(changes.signs.learned_max() * 3.0)
        {
            return;
        }
        let extensions: Vec<&str> = changes.extensions.iter().map(AsRef::as_ref).collect();
        let ending = match extensions.as_slice() {
            [] => String::new(),
            some => format!(", with endings that were never there ({})", words::list(some, 3)),
        };
        let title = words::sentence(&format!(
            "{} changes files on {} one after the other: {files:.0} within {WINDOW_SECONDS:.0} s{ending}. This is how ransomware works.",
            cx.subject(o),
            cx.peer(o),
        ));
        out.claim(cx, o, Severity::Critical, title)
            .because(
                Reason::new("files changed", format!("{files:.0}"), format!("at most {usual:.0}"))
                    .unit("in 30 s"),
            )
            .because(
                Reason::new(
                    "of these renamed, deleted or random-looking",
                    format!("{signs:.0}"),
                    "few",
                )
                .weight(0.8),
            )
            .key("rewrite")
            .score(0.95)
            .make();
    }
}
