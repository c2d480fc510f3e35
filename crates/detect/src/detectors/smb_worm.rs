//! Spreading over file sharing: many new neighbours, copies to administrative shares, services
//! started from afar, and messages with the shape of a published exploit.

use assets::Entity;
use learn::{Bounded, Bucket};
use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;
use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec, remembers, responder_port};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "smb_worm",
    doc: "Worm-like use of file sharing: fan-out, programs copied to others, exploit shapes.",
    kind: FindingKind::Rule,
    reads: &["flow.outcome", "smb.tree", "smb.file", "smb.exploit_shape"],
    attack: &["T1021.002", "T1210", "T0866", "T0867"],
    next_step: "Take the spreading machine off the network now; then look at every machine that it reached.",
    sources: &["MS17-010", "MS08-067", "CISA ICSMA-18-058-02", "spec S15, S17"],
};

/// Window in seconds; new neighbours on the file-sharing port in it.
const WINDOW_SECONDS: f64 = 60.0;
const NEIGHBOURS: f64 = 5.0;
/// Pipes through which programs are started from afar.
const REMOTE_START: [&str; 3] = ["svcctl", "atsvc", "winreg"];

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub struct SmbWorm {
    neighbours: Bounded<Entity, Bucket>,
    tried: Bounded<(Entity, Entity), ()>,
    admins: Bounded<Entity, ()>,
}

impl Default for SmbWorm {
    fn default() -> Self {
        Self {
            neighbours: Bounded::new(20_000),
            tried: Bounded::new(50_000),
            admins: Bounded::new(10_000),
        }
    }
}

impl Detector for SmbWorm {
    remembers!(SPEC);

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        match o.kind.name {
            "flow.outcome" => self.fan_out(o, cx, out),
            "smb.exploit_shape" => exploit(o, cx, out),
            "smb.tree" => {
                if o.flag("admin") && o.str("outcome") == Some("success") {
                    self.admin(o, cx, out);
                }
            }
            _ => self.file(o, cx, out),
        }
    }
}

impl SmbWorm {
    fn fan_out(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if !matches!(responder_port(o), Some(445 | 139)) || o.str("transport") != Some("tcp") {
            return;
        }
        let actor = cx.who.subject;
        let mut new = false;
        self.tried.entry((actor, cx.who.peer), || new = true);
        if !new {
            return;
        }
        let bucket = self.neighbours.entry(actor, || Bucket::new(WINDOW_SECONDS));
        let count = bucket.add(o.at, 1.0, cx.learning());
        let usual = bucket.learned_max();
        if cx.learning() || count < NEIGHBOURS.max(usual * 2.0 + 2.0) {
            return;
        }
        let title = words::sentence(&format!(
            "{} opened file sharing with {count:.0} machines within a minute that it never dealt with: as a worm does.",
            cx.subject(o),
        ));
        out.claim(cx, o, Severity::High, title)
            .because(
                Reason::new(
                    "new neighbours on file sharing",
                    format!("{count:.0}"),
                    format!("at most {usual:.0}"),
                )
                .unit("in 60 s"),
            )
            .key("fan-out")
            .score(0.93)
            .make();
    }

    fn admin(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let actor = cx.who.subject;
        if cx.learning() {
            self.admins.entry(actor, || ());
            return;
        }
        if self.admins.contains(&actor) || o.str("share") == Some("IPC$") {
            return;
        }
        let title = words::sentence(&format!(
            "{} opened the administrative share {} of {}, which it never did.",
            cx.subject(o),
            o.str("share").unwrap_or("ADMIN$"),
            cx.peer(o),
        ));
        let severity = if cx.is_clinical(cx.who.peer) { Severity::High } else { Severity::Medium };
        out.claim(cx, o, severity, title)
            .because(Reason::new(
                "administrative share",
                o.str("share").unwrap_or("ADMIN$"),
                "none used from here",
            ))
            .kind(FindingKind::Anomaly)
            .p_value(cx.familiarity().surprise_rate.min(0.05))
            .key("admin")
            .make();
    }

    fn file(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if cx.learning() || self.admins.contains(&cx.who.subject) {
            return;
        }
        if let Some(pipe) = o.str("pipe").filter(|pipe| REMOTE_START.contains(pipe)) {
            let title = words::sentence(&format!(
                "{} reaches for the service control of {} ({pipe}), as when starting a program there.",
                cx.subject(o),
                cx.peer(o),
            ));
            out.claim(cx, o, Severity::Medium, title)
                .because(Reason::new("pipe opened", pipe, "none from here"))
                .attack(&["T1569.002", "T1021.002"])
                .key(format!("pipe {pipe}"))
                .score(0.8)
                .make();
        }
        let program = o.flag("executable")
            || matches!(o.str("extension"), Some("exe" | "dll" | "scr" | "sys" | "ps1" | "bat"));
        let written = matches!(o.str("action"), Some("write" | "create" | "overwrite"));
        let admin = o.str("share").is_some_and(|share| share.ends_with('$'));
        if program && written && (admin || cx.is_clinical(cx.who.peer)) {
            let title = words::sentence(&format!(
                "{} copied a program to {} ({}).",
                cx.subject(o),
                cx.peer(o),
                o.str("share").unwrap_or("a share"),
            ));
            out.claim(cx, o, Severity::Critical, title)
                .because(Reason::new("file written", "a program", "documents"))
                .attack(&["T1570", "T1021.002"])
                .key("program")
                .score(0.93)
                .make();
        }
    }
}

fn exploit(o: &Observation, cx: &Context<'_>, out: &mut Findings) {
    let shape = o.str("shape").unwrap_or("unknown");
    let title = words::sentence(&format!(
        "{} sent {} a file-sharing message with the shape of a published exploit ({shape}).",
        cx.subject(o),
        cx.peer(o),
    ));
    out.claim(cx, o, Severity::Critical, title)
        .because(Reason::new("shape of the message", shape, "none"))
        .attack(&["T1210", "T0866"])
        .key(shape)
        .score(0.93)
        .make();
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, DESK_B, SERVER, Ward, nth, word};

    #[test]
    fn many_new_neighbours_on_file_sharing_are_a_worm() {
        let mut ward = Ward::peopled();
        ward.watch();
        for n in 0..10 {
            ward.call(DESK, nth(n), 445);
            ward.pass(1.0);
        }
        ward.alerts("smb_worm", DESK);
    }

    #[test]
    fn a_program_copied_to_an_administrative_share_is_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        let fields =
            [("action", word("write")), ("share", word("ADMIN$")), ("extension", word("exe"))];
        ward.over(&protocols::smb::FILE, DESK, DESK_B, 445, &fields);
        ward.alerts("smb_worm", DESK);
    }

    #[test]
    fn the_file_server_that_everybody_uses_is_none() {
        let mut ward = Ward::peopled();
        ward.watch();
        for _ in 0..20 {
            ward.call(DESK, SERVER, 445);
            let fields =
                [("action", word("write")), ("share", word("ward")), ("extension", word("docx"))];
            ward.over(&protocols::smb::FILE, DESK, SERVER, 445, &fields);
            ward.pass(2.0);
        }
        ward.is_quiet();
    }
}
