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
/// How much of a sign a deletion is.
const DELETED: f64 = 0.25;
/// Bits a byte from which content looks encrypted (compressed documents have about as much).
const RANDOM: f64 = 7.2;

/// Endings of everyday files: a user's first of them is no sign of anything.
const EVERYDAY: [&str; 24] = [
    "bak", "bmp", "csv", "dcm", "doc", "eml", "htm", "html", "hl7", "ini", "json", "log", "md",
    "msg", "ppt", "rtf", "svg", "tif", "tiff", "tmp", "txt", "xls", "xml", "yaml",
];
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
        let everyday = EVERYDAY.contains(&extension) || COMPRESSED.contains(&extension);
        let strange =
            !extension.is_empty() && !everyday && !self.usual.contains(&Box::from(extension));
        // Documents and pictures are compressed: random-looking from the day they are made.
        let compressed = COMPRESSED.contains(&extension) && action != "overwrite";
        let random = o.float("entropy").is_some_and(|bits| bits >= RANDOM) && !compressed;
        // People tidy up: a deletion alone says little.
        let sign = match action {
            "delete" => DELETED,
            _ if random || strange => 1.0,
            _ => 0.0,
        };
        let signs = changes.signs.add(o.at, sign, cx.learning());
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

#[cfg(test)]
mod tests {
    use model::observation::Value;

    use crate::fixture::{DESK, SERVER, Ward, word};

    fn changes(ward: &mut Ward, action: &str, ending: &str, new: Option<&str>, entropy: f64) {
        let mut fields = vec![
            ("action", word(action)),
            ("share", word("ward")),
            ("extension", word(ending)),
            ("entropy", Value::Float(entropy)),
        ];
        fields.extend(new.map(|new| ("new_extension", word(new))));
        ward.over(&protocols::smb::FILE, DESK, SERVER, 445, &fields);
        ward.pass(0.3);
    }

    #[test]
    fn files_rewritten_with_noise_or_renamed_away_are_ransomware() {
        let mut ward = Ward::peopled();
        ward.watch();
        (0..15).for_each(|_| changes(&mut ward, "overwrite", "docx", None, 7.9));
        ward.alerts("smb_rewrite", DESK);
        let mut ward = Ward::peopled();
        ward.watch();
        (0..15).for_each(|_| changes(&mut ward, "rename", "docx", Some("locked"), 0.0));
        ward.alerts("smb_rewrite", DESK);
    }

    #[test]
    fn a_backup_of_compressed_documents_is_none() {
        let mut ward = Ward::peopled();
        for ending in ["docx", "txt", "pdf"] {
            changes(&mut ward, "read", ending, None, 0.0);
        }
        ward.watch();
        for n in 0..60 {
            changes(
                &mut ward,
                "write",
                ["docx", "txt", "pdf"][n % 3],
                None,
                [7.9, 4.0, 7.8][n % 3],
            );
        }
        ward.is_quiet();
    }
}
