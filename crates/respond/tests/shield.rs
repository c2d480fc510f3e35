//! Attacks on the shield itself, against a whole office: floods of forged cases, somebody else's
//! address, and learning that is poisoned. What must hold is that care is cut by nobody, and that
//! forging alerts gains no more than the breakers give away.

use std::net::IpAddr;
use std::time::Duration;

use model::case::CaseId;
use model::device::{DeviceClass, DeviceId, InUse, Tier};
use model::finding::{FindingId, FindingKind, Severity};
use respond::desk::Status;
use respond::essentials::profile;
use respond::history::Seen;
use respond::office::{Setting, Wish};
use respond::planner::Draft;
use respond::{
    Ask, Claim, Conversation, Devices, Enforcer, Evidence, Level, Office, Pattern, Person, Proto,
    Range, Refused, Restriction, Role, Source, Subject, Way, enforcers,
};

const DAY: u64 = 86_400;
/// Devices of the offices and the ward, so that a share of a class is more than one.
const CAMERAS: u16 = 400;

fn ip(net: u8, number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    IpAddr::from([10, net, high, low])
}

fn subject(name: &str, address: IpAddr, class: DeviceClass) -> Subject {
    Subject {
        id: DeviceId(name.to_owned()),
        name: name.to_owned(),
        addresses: vec![address],
        class,
        tier: class.tier(),
        // Each in a segment of its own: the breaker of wards is not what is tried here.
        ward: address.to_string(),
        clinical_network: true,
        ..Subject::default()
    }
}

fn setting() -> Setting {
    Setting { watched: true, ..Setting::default() }
}

fn camera(number: u16) -> String {
    format!("camera-{number}")
}

struct Site {
    office: Office,
    _folder: tempfile::TempDir,
}

impl Site {
    fn new(setting: Setting) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config: enforcers::Config =
            serde_json::from_value(serde_json::json!({ "nftables": {} })).unwrap();
        let all: Vec<Box<dyn Enforcer>> = enforcers::build(&config, folder.path()).unwrap();
        let office = Office::open(folder.path(), setting, all).unwrap();
        let cameras = (0..CAMERAS).map(|n| subject(&camera(n), ip(2, n), DeviceClass::Camera));
        let fixed = [
            subject("pacs", ip(1, 1), DeviceClass::Pacs),
            subject("ct", ip(1, 2), DeviceClass::Ct),
            subject("pump", ip(1, 3), DeviceClass::InfusionPump),
            subject("desk", ip(3, 1), DeviceClass::Workstation),
        ];
        office.learn().devices = Devices::new(cameras.chain(fixed), Vec::new());
        let site = Self { office, _folder: folder };
        for number in 0..CAMERAS {
            site.habit(ip(2, number), ip(4, 1), 554, "rtsp", 72);
        }
        site.habit(ip(1, 2), ip(1, 1), 104, "dicom", 72);
        for tier in [Tier::T0, Tier::T1, Tier::T2, Tier::T3, Tier::T4] {
            for by in [Person::new("ada", Role::Soc), Person::new("kim", Role::Clinical)] {
                let ask = Ask::Arm { tier, level: Level::L4, hours: 8, by };
                site.office.ask(&ask).unwrap().unwrap();
            }
        }
        site
    }

    /// A conversation every half an hour, for so many hours until now.
    fn habit(&self, client: IpAddr, server: IpAddr, port: u16, service: &str, hours: u64) {
        let now = self.office.now().wall;
        let mut ground = self.office.learn();
        for back in (0..hours * 3_600).step_by(1_800) {
            let first = now.minus(Duration::from_secs(back));
            ground.history.record(&Seen {
                conversation: Conversation { client, server, proto: Proto::Tcp, port },
                service,
                first,
                last: first,
                began: true,
                answered: true,
                packets: 20,
                bytes: 2_000,
                pause: None,
            });
        }
    }

    /// The restriction that a block of one flow is, of whoever is named.
    fn block(peer: IpAddr, port: u16, way: Way) -> Restriction {
        let flow =
            Pattern { way, peer: Range::one(peer), proto: Some(Proto::Tcp), port: Some(port) };
        Restriction::Block { flows: vec![flow] }
    }

    fn draft(device: &str, restriction: Restriction) -> Draft {
        let claim = Claim {
            finding: FindingId("F-1".to_owned()),
            detector: "port_scan".to_owned(),
            kind: FindingKind::Rule,
            source: Source::Network,
            title: "It looks for services on many devices".to_owned(),
        };
        let evidence = Evidence {
            case: CaseId(format!("C-{device}")),
            severity: Severity::Critical,
            claims: vec![claim],
            doubt: None,
        };
        Draft { device: DeviceId(device.to_owned()), restrictions: vec![restriction], evidence }
    }

    /// What two people would hear who want the same.
    fn wished(&self, draft: &Draft) -> Result<(), Refused> {
        let wish = Wish {
            device: draft.device.clone(),
            restriction: draft.restrictions[0].clone(),
            ttl: None,
            evidence: draft.evidence.clone(),
            by: Some(Person::new("ada", Role::Soc)),
        };
        self.office.propose(&wish).unwrap().unwrap().map(|_| ())
    }

    /// Devices that policy decided to restrict.
    fn decided(&self) -> usize {
        let decided = |status: &Status| matches!(status, Status::Approved | Status::InForce);
        self.office
            .look(|desk, _| desk.actions().filter(|action| decided(&action.status)).count())
            .unwrap()
    }
}

#[test]
fn a_flood_of_forged_cases_gains_what_the_breakers_give_away_and_no_more() {
    let site = Site::new(setting());
    let mut refused = 0;
    for number in 0..CAMERAS {
        let draft = Site::draft(&camera(number), Site::block(ip(1, 1), 104, Way::Out));
        refused += usize::from(site.office.propose_draft(&draft).unwrap().unwrap().is_err());
    }
    let limits = site.office.look(|desk, _| desk.policy().breakers.clone()).unwrap();
    // It does act, or this would prove nothing.
    assert!(site.decided() > 0);
    assert!(site.decided() as u64 <= limits.actions_per_ten_minutes);
    let waiting = site
        .office
        .look(|desk, _| desk.actions().filter(|a| matches!(a.status, Status::Waiting)).count())
        .unwrap();
    assert!(waiting as u64 <= limits.waiting, "{waiting} wait");
    assert_eq!(site.decided() + waiting + refused, usize::from(CAMERAS));
    // And people still get through to what is real.
    site.office.ask(&Ask::Halt { by: "kim".to_owned(), why: "flood".to_owned() }).unwrap().unwrap();
    assert_eq!(site.decided(), 0);
}

#[test]
fn an_archive_whose_address_attacks_is_not_cut_from_its_scanner_by_anybody() {
    let site = Site::new(setting());
    // What could be tried against the archive: one flow, its service for everybody, all of it.
    let worst = [
        Site::block(ip(1, 2), 104, Way::In),
        Restriction::Block {
            flows: vec![Pattern {
                way: Way::In,
                peer: "0.0.0.0/0".parse().unwrap(),
                proto: Some(Proto::Tcp),
                port: Some(104),
            }],
        },
        Restriction::Quarantine { management: Vec::new() },
    ];
    for restriction in worst {
        let draft = Site::draft("pacs", restriction);
        let refused = site.office.propose_draft(&draft).unwrap().unwrap().unwrap_err();
        assert!(matches!(refused, Refused::CutsEssential { .. }), "{refused}");
        let refused = site.wished(&draft).unwrap_err();
        assert!(matches!(refused, Refused::CutsEssential { .. }), "{refused}");
    }
    // What cuts nothing that care needs waits for people: nobody proved the archive idle.
    let harmless = Site::draft("pacs", Site::block(ip(3, 1), 445, Way::Out));
    site.office.propose_draft(&harmless).unwrap().unwrap().unwrap();
    assert_eq!(site.decided(), 0);
}

#[test]
fn poisoned_learning_takes_days_ends_with_the_case_and_is_taken_back_by_two_people() {
    let own = |hours| {
        let site = Site::new(setting());
        site.habit(ip(3, 1), ip(1, 3), 2575, "hl7", hours);
        site
    };
    let draft = Site::draft("desk", Site::block(ip(1, 3), 2575, Way::Out));
    // An afternoon of messages makes no need of care.
    let site = own(9);
    site.office.propose_draft(&draft).unwrap().unwrap().unwrap();
    // Days of them do: from then on the attacker would be left alone ...
    let site = own(72);
    let refused = site.office.propose_draft(&draft).unwrap().unwrap().unwrap_err();
    assert!(matches!(refused, Refused::CutsEssential { .. }), "{refused}");
    assert!(matches!(site.wished(&draft), Err(Refused::CutsEssential { .. })));
    // ... but what it did after its case began counts for nothing, however long it goes on.
    let begun = site.office.now().wall.minus(Duration::from_secs(4 * DAY));
    site.office.learn().history.exclude(&[ip(3, 1)], begun);
    site.office.propose_draft(&draft).unwrap().unwrap().unwrap();
    // And where no case was ever opened, two people say that nobody needs it.
    let text = r#"
        [[profile]]
        class = "infusion_pump"
        approved_by = "A. Lind"
        approved_on = "2026-11-02"
        [[profile.not_needed]]
        reason = "no desk talks to a pump"
        from = "10.3.0.1"
        countersigned_by = "B. Okoro"
    "#;
    let mut setting = setting();
    setting.essentials.add(profile::read(text).unwrap());
    let site = Site::new(setting);
    site.habit(ip(3, 1), ip(1, 3), 2575, "hl7", 72);
    site.office.propose_draft(&draft).unwrap().unwrap().unwrap();
}

#[test]
fn where_nobody_looks_at_traffic_afterwards_policy_does_nothing_by_itself() {
    let site = Site::new(Setting::default());
    let draft = Site::draft(&camera(1), Site::block(ip(1, 1), 104, Way::Out));
    site.office.propose_draft(&draft).unwrap().unwrap().unwrap();
    assert_eq!(site.decided(), 0);
    let because = site
        .office
        .look(|desk, _| {
            desk.actions().flat_map(|action| action.because.clone()).collect::<Vec<_>>()
        })
        .unwrap();
    assert!(because.iter().any(|why| why.contains("[[verify]]")), "{because:?}");
}

#[test]
fn what_rests_on_idleness_is_taken_back_once_traffic_shows_a_patient() {
    let site = Site::new(setting());
    site.habit(ip(1, 2), ip(3, 1), 445, "smb", 9);
    let ct = DeviceId("ct".to_owned());
    let idle = Ask::SayIdle {
        device: ct.clone(),
        minutes: 30,
        why: "the room is empty".to_owned(),
        by: Person::new("kim", Role::Clinical),
    };
    let draft = Site::draft("ct", Site::block(ip(3, 1), 445, Way::Out));
    site.office.propose_draft(&draft).unwrap().unwrap().unwrap();
    assert_eq!(site.decided(), 0, "nobody said that it is idle");
    let deny = Ask::Deny {
        action: "A-0001".to_owned(),
        by: Person::new("ada", Role::Soc),
        why: String::new(),
    };
    site.office.ask(&deny).unwrap().unwrap();
    site.office.ask(&idle).unwrap().unwrap();
    site.office.propose_draft(&draft).unwrap().unwrap().unwrap();
    let because = site.office.look(|desk, _| desk.action("A-0002").unwrap().because.clone());
    assert_eq!(site.decided(), 1, "{because:?}");
    site.office.ask(&Ask::Pushing { action: "A-0002".to_owned() }).unwrap().unwrap();
    assert_eq!(site.office.believe_traffic().unwrap(), 0);
    let mut ground = site.office.learn();
    let in_use = Subject { in_use: InUse::InUse, ..subject("ct", ip(1, 2), DeviceClass::Ct) };
    ground.devices = Devices::new([in_use], Vec::new());
    drop(ground);
    assert_eq!(site.office.believe_traffic().unwrap(), 1);
    assert_eq!(site.office.believe_traffic().unwrap(), 0);
    let leaving = site
        .office
        .look(|desk, _| matches!(desk.action("A-0002").unwrap().status, Status::Leaving { .. }));
    assert!(leaving.unwrap());
}
