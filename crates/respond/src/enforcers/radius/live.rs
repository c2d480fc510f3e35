//! A real FreeRADIUS as the far end.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::enforcers::sample;
use crate::enforcers::space::needs;
use crate::restriction::{Proto, Way};

const SECRET: &str = "made-up-for-tests";
/// Whose session the far end does not know, and about whom it says nothing.
const STRANGER: &str = "00:00:5e:00:53:ff";
const IGNORED: &str = "00:00:5e:00:53:ee";
const UNSIGNED: &str = "00:00:5e:00:53:dd";
/// Who has a session of this name there, and no other.
const CURRENT: &str = "00:00:5e:00:53:cc";
const SESSION: &str = "5F3A-0001";
const PUMP: &str = "00:00:5e:00:53:01";

struct Far {
    child: Child,
    folder: tempfile::TempDir,
    server: SocketAddr,
    accounting: SocketAddr,
}

impl Far {
    fn start() -> Option<Self> {
        if !needs(&["freeradius", "radclient"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let [server, accounting] = [(); 2]
            .map(|()| UdpSocket::bind("127.0.0.1:0").unwrap())
            .map(|socket| socket.local_addr().unwrap());
        let at = folder.path().display();
        let configuration = format!(
            r#"name = far
logdir = {at}
run_dir = {at}
libdir = /usr/lib/freeradius
security {{
    allow_core_dumps = no
}}
client ward {{
    ipaddr = 127.0.0.1
    secret = {SECRET}
}}
modules {{
    always ok {{
        rcode = ok
    }}
    always reject {{
        rcode = reject
    }}
    detail {{
        filename = {at}/detail
    }}
    linelog {{
        filename = {at}/heard
        format = "%{{Packet-Type}}|%{{Calling-Station-Id}}|%{{NAS-IP-Address}}|%{{Session-Timeout}}|%{{Termination-Action}}|%{{Filter-Id}}|%{{Tunnel-Private-Group-Id}}|%{{Cisco-AVPair}}|%{{Acct-Session-Id}}"
    }}
}}
server coa {{
    listen {{
        type = coa
        ipaddr = 127.0.0.1
        port = {port}
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {accounting}
    }}
    preacct {{
        ok
    }}
    accounting {{
        detail
        ok
    }}
    recv-coa {{
        linelog
        if (!&Message-Authenticator || !&Event-Timestamp) {{
            reject
        }}
        if (&Calling-Station-Id == "{stranger}") {{
            update reply {{
                Error-Cause := Session-Context-Not-Found
            }}
            reject
        }}
        if (&Calling-Station-Id == "{current}" && &Acct-Session-Id != "{session}") {{
            update reply {{
                Error-Cause := Session-Context-Not-Found
            }}
            reject
        }}
        if (&Calling-Station-Id == "{ignored}") {{
            update control {{
                Response-Packet-Type := Do-Not-Respond
            }}
        }}
        ok
    }}
    send-coa {{
        if (&Calling-Station-Id != "{unsigned}") {{
            update reply {{
                Message-Authenticator := 0x00
            }}
        }}
        ok
    }}
}}
"#,
            port = server.port(),
            accounting = accounting.port(),
            stranger = written(STRANGER),
            current = written(CURRENT),
            session = SESSION,
            ignored = written(IGNORED),
            unsigned = written(UNSIGNED),
        );
        std::fs::write(folder.path().join("radiusd.conf"), configuration).unwrap();
        let dictionary = "$INCLUDE /usr/share/freeradius/dictionary\n";
        std::fs::write(folder.path().join("dictionary"), dictionary).unwrap();
        let child = Command::new("freeradius")
            .args(["-f", "-n", "radiusd", "-D", "/usr/share/freeradius", "-l", "stdout", "-xx"])
            .arg("-d")
            .arg(folder.path())
            .stdout(std::fs::File::create(folder.path().join("log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut far = Self { child, folder, server, accounting };
        let begun = Instant::now();
        while !far.file("log").contains("Ready to process requests") {
            assert!(far.child.try_wait().unwrap().is_none(), "{}", far.file("log"));
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", far.file("log"));
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(far)
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// A switch tells accounting of a session, as radclient sends it.
    fn account(&self, status: &str, mac: &str, id: &str) {
        use std::io::Write;
        let mut radclient = Command::new("radclient")
            .args(["-t", "5", &self.accounting.to_string(), "acct", SECRET])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = radclient.stdin.take().unwrap();
        writeln!(stdin, "Acct-Status-Type = {status}\nAcct-Session-Id = \"{id}\"").unwrap();
        writeln!(stdin, "Calling-Station-Id = \"{}\"", written(mac)).unwrap();
        writeln!(stdin, "NAS-IP-Address = 10.0.0.2").unwrap();
        drop(stdin);
        assert!(radclient.wait().unwrap().success(), "{}", self.file("log"));
    }

    fn heard(&self) -> Vec<String> {
        self.file("heard").lines().map(str::to_owned).collect()
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn written(mac: &str) -> String {
    mac.to_uppercase().replace(':', "-")
}

fn config(server: SocketAddr) -> RadiusConfig {
    RadiusConfig {
        server,
        secret_file: Path::new("secret").to_owned(),
        nas: Ipv4Addr::new(10, 0, 0, 2),
        calling_station_id: Style::Hyphens,
        session_id: Naming::WhereKnown,
        accounting: None,
        sessions: Vec::new(),
        profiles: vec![
            Profile {
                send: Grant::FilterId("pump-essentials".to_owned()),
                allow: vec![hl7("10.0.1.0/24")],
                management: Vec::new(),
            },
            Profile {
                send: Grant::Vlan(666),
                allow: Vec::new(),
                management: vec!["10.9.0.0/16".parse().unwrap()],
            },
        ],
        release: Grant::FilterId("normal".to_owned()),
    }
}

fn radius(config: RadiusConfig) -> Radius {
    config.check().unwrap();
    Radius::new(config, SECRET.into(), Outlet::new())
}

fn hl7(peer: &str) -> Pattern {
    Pattern {
        way: Way::Out,
        peer: peer.parse().unwrap(),
        proto: Some(Proto::Tcp),
        port: Some(2_575),
    }
}

fn intent(mac: &str, restriction: Restriction) -> Intent {
    let mut subject = sample::subject(&["10.0.0.5"]);
    subject.mac = Some(mac.parse().unwrap());
    sample::intent(subject, restriction)
}

fn essentials() -> Restriction {
    Restriction::Essentials { allow: vec![hl7("10.0.1.7")] }
}

fn quarantine() -> Restriction {
    Restriction::Quarantine { management: vec!["10.9.9.0/24".parse().unwrap()] }
}

#[test]
fn freeradius_gets_the_filter_the_time_and_the_release_and_its_yes_is_verified() {
    let Some(far) = Far::start() else { return };
    let radius = radius(config(far.server));
    let plan = radius.plan(&intent(PUMP, essentials())).unwrap();
    let approved = Approved::new(plan, Duration::from_millis(120_700));
    let receipt = radius.apply(&approved).unwrap();
    assert!(receipt.acknowledged);
    assert_eq!(receipt.ttl, Duration::from_secs(120), "never longer than approved");
    radius.revert(&receipt).unwrap();
    let plan = radius.plan(&intent(PUMP, quarantine())).unwrap();
    radius.apply(&sample::approved(plan)).unwrap();
    let pump = written(PUMP);
    assert_eq!(
        far.heard(),
        [
            format!("CoA-Request|{pump}|10.0.0.2|120|RADIUS-Request|pump-essentials|||"),
            format!("CoA-Request|{pump}|10.0.0.2|||normal|||"),
            format!("CoA-Request|{pump}|10.0.0.2|900|RADIUS-Request||666||"),
        ]
    );
}

#[test]
fn a_no_is_told_in_words_silence_is_unreachable_and_what_nobody_signed_is_no_acknowledgement() {
    let Some(far) = Far::start() else { return };
    let radius = radius(config(far.server));
    let apply = |mac: &str| {
        radius.apply(&sample::approved(radius.plan(&intent(mac, essentials())).unwrap()))
    };
    let no = apply(STRANGER).unwrap_err();
    assert!(matches!(no, EnforceError::Refused { .. }), "{no}");
    assert!(no.to_string().contains("it has no such session (Error-Cause 503)"), "{no}");
    let before = radius.outlet.count();
    let silent = apply(IGNORED).unwrap_err();
    assert!(matches!(silent, EnforceError::Unreachable { .. }), "{silent}");
    assert_eq!(radius.outlet.count() - before, 3, "tries");
    // The far end knew the second and third as repetitions of the first.
    let ignored = written(IGNORED);
    assert_eq!(far.heard().iter().filter(|line| line.contains(&ignored)).count(), 1);
    let unsigned = apply(UNSIGNED).unwrap();
    assert!(!unsigned.acknowledged);
    assert!(radius.revert(&unsigned).is_err());
    // A device that is gone needs no release.
    let gone = radius.plan(&intent(STRANGER, essentials())).unwrap();
    let receipt = Receipt { undo: gone.undo, ..unsigned };
    radius.revert(&receipt).unwrap();
    radius.revert_all(&[receipt]).unwrap();
}

/// The switch tells accounting which sessions there are; FreeRADIUS writes it down; requests name
/// the session, and the far end takes no other.
#[test]
fn a_request_names_the_session_that_accounting_told_of_and_no_earlier_one() {
    let Some(far) = Far::start() else { return };
    let mut config = config(far.server);
    config.accounting = Some(far.folder.path().join("detail"));
    config.session_id = Naming::Required;
    config.release = Grant::Disconnect;
    let radius = radius(config.clone());
    let mut intent = intent(CURRENT, quarantine());
    (intent.subject.class, intent.subject.tier) = (model::device::DeviceClass::Camera, Tier::T3);
    let unknown = radius.plan(&intent).unwrap_err().to_string();
    assert!(unknown.contains("Acct-Session-Id"), "{unknown}");
    far.account("Start", CURRENT, "5F3A-0000");
    let old = radius.plan(&intent).unwrap();
    far.account("Stop", CURRENT, "5F3A-0000");
    far.account("Start", CURRENT, SESSION);
    // What was approved for the session before is not sent to the one that there is now.
    let refused = radius.apply(&sample::approved(old.clone())).unwrap_err().to_string();
    assert!(refused.contains("plan again"), "{refused}");
    let plan = radius.plan(&intent).unwrap();
    assert!(plan.change.contains(&format!("Acct-Session-Id = \"{SESSION}\"")), "{plan:?}");
    let receipt = radius.apply(&sample::approved(plan)).unwrap();
    assert!(receipt.acknowledged);
    assert_eq!(radius.state(&receipt).unwrap(), State::Unknown, "a switch cannot be asked");
    // A release of the session before ends nothing, and needs to end nothing.
    radius.revert(&Receipt { undo: old.undo, ..receipt.clone() }).unwrap();
    radius.revert(&receipt).unwrap();
    far.account("Stop", CURRENT, SESSION);
    assert_eq!(radius.state(&receipt).unwrap(), State::Gone);
    let name = written(CURRENT);
    assert_eq!(
        far.heard(),
        [
            format!("CoA-Request|{name}|10.0.0.2|900|RADIUS-Request||666||{SESSION}"),
            format!("Disconnect-Request|{name}|10.0.0.2||||||5F3A-0000"),
            format!("Disconnect-Request|{name}|10.0.0.2||||||{SESSION}"),
        ]
    );
    // What the configuration says goes before what accounting says.
    config.sessions = vec![Session {
        mac: CURRENT.parse().unwrap(),
        acct_session_id: Some("fixed".to_owned()),
        calling_station_id: Some("port 7".to_owned()),
    }];
    let plan = self::radius(config.clone()).plan(&intent).unwrap();
    assert_eq!(
        plan.change[2..4],
        ["Calling-Station-Id = \"port 7\"", "Acct-Session-Id = \"fixed\""]
    );
    config.session_id = Naming::Never;
    let plan = self::radius(config).plan(&intent).unwrap();
    assert!(!plan.change.iter().any(|line| line.contains("Acct-Session-Id")), "{plan:?}");
}

#[test]
fn another_secret_is_not_answered() {
    let Some(far) = Far::start() else { return };
    let radius = Radius::new(config(far.server), b"wrong".to_vec(), Outlet::new());
    let plan = radius.plan(&intent(PUMP, essentials())).unwrap();
    let error = radius.apply(&sample::approved(plan)).unwrap_err();
    assert!(matches!(error, EnforceError::Unreachable { .. }), "{error}");
    assert!(far.heard().is_empty());
}

/// What radclient makes of the same lines is what we make.
#[test]
fn radclient_sends_the_same_lines_and_the_far_end_hears_the_same() {
    use std::io::Write;
    let Some(far) = Far::start() else { return };
    let radius = radius(config(far.server));
    for restriction in [essentials(), quarantine()] {
        let plan = radius.plan(&intent(PUMP, restriction)).unwrap();
        let mut theirs = Command::new("radclient")
            .args(["-t", "2", &far.server.to_string(), "coa", SECRET])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = theirs.stdin.take().unwrap();
        writeln!(stdin, "{}", plan.change[1..].join("\n")).unwrap();
        writeln!(stdin, "Event-Timestamp = {}", 1_700_000_000).unwrap();
        writeln!(stdin, "Message-Authenticator = 0x00").unwrap();
        drop(stdin);
        // It holds the answer of this version of FreeRADIUS for forged; what was heard counts.
        let _ = theirs.wait().unwrap();
        radius.apply(&sample::approved(plan)).unwrap();
    }
    let heard = far.heard();
    let [first, second, third, fourth] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!((first, third), (second, fourth));
}

#[test]
fn what_has_to_go_on_and_is_not_declared_is_not_sent() {
    let radius = radius(config("127.0.0.1:9".parse().unwrap()));
    let more = vec![hl7("10.0.1.7"), Pattern { port: Some(104), ..hl7("10.0.1.7") }];
    for restriction in [
        Restriction::Essentials { allow: more },
        Restriction::Essentials { allow: vec![hl7("10.0.0.0/16")] },
        Restriction::Quarantine { management: vec!["10.8.0.0/16".parse().unwrap()] },
        Restriction::Block { flows: vec![hl7("10.0.1.7")] },
    ] {
        let intent = intent(PUMP, restriction);
        assert!(radius.plan(&intent).is_err(), "{intent:?}");
        assert!(!radius.can(intent.restriction.level(), &intent));
    }
    let mut nobody = intent(PUMP, essentials());
    nobody.subject.mac = None;
    assert!(radius.plan(&nobody).is_err());
    assert_eq!(radius.outlet.count(), 0);
}

#[test]
fn a_life_sustaining_device_is_never_disconnected() {
    let mut config = config("127.0.0.1:9".parse().unwrap());
    config.release = Grant::Disconnect;
    let radius = radius(config);
    let mut intent = intent(PUMP, quarantine());
    for (class, tier, may) in [
        (model::device::DeviceClass::InfusionPump, Tier::T4, false),
        (model::device::DeviceClass::Ct, Tier::T4, false),
        (model::device::DeviceClass::Camera, Tier::T3, true),
        (model::device::DeviceClass::Camera, Tier::T0, false),
    ] {
        (intent.subject.class, intent.subject.tier) = (class, tier);
        assert_eq!(radius.plan(&intent).is_ok(), may, "{class} {tier:?}");
    }
}
