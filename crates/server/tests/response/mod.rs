//! Responses over a real socket, with a real office in a folder of its own.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::case::{Case, CaseId};
use model::device::{DeviceClass, DeviceId, InUse, Tier};
use model::finding::Severity;
use respond::enforcers::{Blocklist, Outlet};
use respond::executor::HALT;
use respond::history::Seen;
use respond::ledger;
use respond::office::Setting;
use respond::{Conversation, Devices, Enforcer, Office, Proto, Subject, enforcers};
use serde_json::{Value, json};
use server::{Blocklists, Config};

mod idle;
mod lists;
mod refusals;
mod segment;
mod whole;

use crate::client::{Answer, Running, event};
use crate::conforms;

/// A site with a pump, its server and a camera, and who decides there.
struct Site {
    server: Running,
    office: Arc<Office>,
    viewer: String,
    soc: String,
    clinical: String,
    commander: String,
    admin: String,
    _folder: tempfile::TempDir,
}

/// What firewalls show.
const LISTS: &str = "0123456789abcdef0123456789abcdef";
const ACTIONS: &str = "/api/v1/response/actions";

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn subject(number: u8, class: DeviceClass, tier: Tier) -> Subject {
    Subject {
        id: DeviceId(format!("D-{number}")),
        name: format!("device {number}"),
        addresses: vec![ip(number)],
        class,
        tier,
        ward: "10.0.0.0/24".to_owned(),
        in_use: InUse::Unknown,
        clinical_network: true,
        ..Subject::default()
    }
}

/// What is configured to enforce: nftables, which nobody tells anything here, and lists.
fn all(folder: &Path) -> Vec<Box<dyn Enforcer>> {
    let config: enforcers::Config =
        serde_json::from_value(json!({ "nftables": {}, "blocklist": {} })).unwrap();
    enforcers::build(&config, folder).unwrap()
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let all = all(folder.path());
    let office = Arc::new(Office::open(folder.path(), Setting::default(), all).unwrap());
    let mut ground = office.learn();
    ground.devices = Devices::new(
        [
            subject(1, DeviceClass::InfusionPump, Tier::T0),
            subject(2, DeviceClass::PumpServer, Tier::T0i),
            subject(3, DeviceClass::Camera, Tier::T3),
            Subject { addresses: Vec::new(), ..subject(4, DeviceClass::InfusionPump, Tier::T0) },
        ],
        Vec::new(),
    );
    let now = office.now().wall;
    for hours in 1..72 {
        let first = now.minus(Duration::from_secs(hours * 3_600));
        ground.history.record(&Seen {
            conversation: Conversation {
                client: ip(3),
                server: ip(1),
                proto: Proto::Tcp,
                port: 23,
            },
            service: "telnet",
            first,
            last: first,
            began: true,
            answered: true,
            packets: 10,
            bytes: 1_000,
            pause: None,
        });
    }
    drop(ground);
    let lists = Blocklist::new(folder.path().join("blocklists"), true, Outlet::new());
    let config = Config {
        response: Some(Arc::clone(&office)),
        blocklists: Some(Blocklists::new(LISTS, Arc::new(lists)).unwrap()),
        ..Config::default()
    };
    let server = Running::start_with(config);
    let about = Case { id: CaseId("C-7".to_owned()), severity: Severity::High, ..Case::default() };
    server.store.put_cases(&[about]).unwrap();
    let admin = server.admin();
    let [viewer, soc, clinical, commander] =
        ["viewer", "analyst", "clinical", "commander"].map(|role| server.user(&admin, role));
    Site { server, office, viewer, soc, clinical, commander, admin, _folder: folder }
}

/// A wish to stop the pump from calling one address.
fn wish(device: &str, peer: &str, proto: &str, port: u16) -> Value {
    json!({
        "device": device,
        "restriction": {
            "kind": "block",
            "flows": [{ "way": "out", "peer": peer, "proto": proto, "port": port }],
        },
        "evidence": {
            "case": "C-7",
            "severity": "high",
            "claims": [{
                "finding": "", "detector": "person", "kind": "rule", "source": "network",
                "title": "It calls somebody in another country",
            }],
        },
    })
}

impl Site {
    fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.server.post(token, path, &body.to_string())
    }

    /// Lets go, or goes on: what takes no body.
    fn bare(&self, token: &str, path: &str) -> Answer {
        self.server.ask("POST", path, &[&format!("authorization: Bearer {token}")], "")
    }

    fn put(&self, token: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("authorization: Bearer {token}");
        let json = [bearer.as_str(), "content-type: application/json"];
        self.server.ask("PUT", path, &json, &body.to_string())
    }

    /// Proposes for the pump, and gives the action as everybody sees it.
    fn proposed(&self, peer: &str) -> Value {
        let done = self.post(&self.soc, ACTIONS, &wish("D-1", peer, "tcp", 445));
        assert_eq!(done.status, 201, "{done:?}");
        let id = done.json()["events"][0]["action"]["proposal"]["intent"]["id"].clone();
        self.get(&format!("{ACTIONS}/{}", id.as_str().unwrap()))
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.server.get(&self.soc, path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    fn code(&self, device: &str) -> String {
        self.office.codes().of(&DeviceId(device.to_owned()))
    }

    /// Whoever stands at the bedside has no account.
    fn bedside(&self, device: &str, code: &str) -> Answer {
        let body = json!({ "device": device, "code": code }).to_string();
        let json = ["content-type: application/json"];
        self.server.ask("POST", "/api/v1/response/bedside", &json, &body)
    }
}

#[test]
fn without_an_office_every_route_of_responses_says_what_to_do() {
    let server = Running::start();
    let admin = server.admin();
    for path in
        ["status", "actions", "actions/A-0001", "policy", "ledger", "ledger/head", "blast/D-1"]
    {
        let problem = server.get(&admin, &format!("/api/v1/response/{path}")).problem(503);
        assert!(problem["detail"].as_str().unwrap().contains("wardwatch run"), "{problem}");
    }
    server.post(&admin, "/api/v1/response/halt", r#"{"why":"a test"}"#).problem(503);
    let body = r#"{"device":"D-1","code":"0"}"#;
    let json = ["content-type: application/json"];
    server.ask("POST", "/api/v1/response/bedside", &json, body).problem(503);
}

#[test]
fn each_role_decides_what_the_table_says_and_no_more() {
    let site = site();
    let plan = wish("D-1", "203.0.113.9", "tcp", 445);
    site.post(&site.viewer, ACTIONS, &plan).problem(403);
    site.post(&site.admin, ACTIONS, &plan).problem(403);
    let action = site.proposed("203.0.113.9/32");
    let path = format!("{ACTIONS}/{}", action["proposal"]["intent"]["id"].as_str().unwrap());
    let yes = json!({ "plan": action["hash"] });
    for token in [&site.viewer, &site.admin] {
        site.post(token, &format!("{path}/approve"), &yes).problem(403);
        site.post(token, &format!("{path}/deny"), &json!({ "why": "no" })).problem(403);
    }
    site.server.get(&site.viewer, "/api/v1/response/ledger").problem(403);
    for (name, body) in [
        ("halt", json!({ "why": "x" })),
        ("arm", json!({ "tier": "T3", "level": "L2", "hours": 1 })),
        ("disarm", json!({ "tier": "T3" })),
        ("resume", json!({})),
    ] {
        site.post(&site.viewer, &format!("/api/v1/response/{name}"), &body).problem(403);
    }
    site.bare(&site.viewer, &format!("{path}/release")).problem(403);
    site.put(&site.viewer, "/api/v1/response/policy", &json!({ "toml": "" })).problem(403);
    // The code that ends it is for those who may end it.
    let code = site.code("D-1");
    assert!(action["proposal"]["card"]["release"].as_str().unwrap().contains(&code), "{action}");
    let seen = site.server.get(&site.viewer, &path);
    assert!(seen.status == 200 && !seen.body.contains(&code), "{seen:?}");
    let no = site.post(&site.commander, &format!("{path}/deny"), &json!({ "why": "in use" }));
    assert_eq!(no.status, 200, "{no:?}");
    assert_eq!(site.get(&path)["status"]["ending"]["denied"]["why"], "in use");
}

#[test]
fn what_harms_care_is_refused_in_the_desks_own_words_and_a_dry_run_asks_for_nothing() {
    let site = site();
    let dhcp = wish("D-1", "255.255.255.255/32", "udp", 67);
    let refused = site.post(&site.soc, ACTIONS, &dhcp).problem(409);
    assert_eq!(refused["type"], "/problems/cuts-essential");
    assert!(refused["detail"].as_str().unwrap().contains("care needs what would be cut"));
    let mut dry = wish("D-1", "203.0.113.9", "tcp", 445);
    dry["dry"] = true.into();
    let proposal = site.post(&site.soc, ACTIONS, &dry);
    assert_eq!(proposal.status, 200, "{proposal:?}");
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    conforms(&document, &schemas["Proposal"], &proposal.json(), "dry");
    assert_eq!(site.get(ACTIONS)["total"], 0);
    site.post(&site.soc, ACTIONS, &wish("D-9", "203.0.113.9", "tcp", 1)).problem(404);
    let mut long = wish("D-1", "203.0.113.9", "tcp", 445);
    long["ttl"] = json!({ "secs": 999_999, "nanos": 0 });
    let unsound = site.post(&site.soc, ACTIONS, &long).problem(422);
    assert!(unsound["detail"].as_str().unwrap().contains("the policy allows"), "{unsound}");
    let mut mute = wish("D-1", "203.0.113.9", "tcp", 445);
    mute["evidence"]["claims"] = json!([]);
    site.post(&site.soc, ACTIONS, &mute).problem(422);
    mute["by"] = json!({ "name": "somebody else", "role": "commander" });
    site.post(&site.soc, ACTIONS, &mute).problem(422);
    // Who proposes does not approve, and nobody approves another plan.
    let action = site.proposed("203.0.113.9/32");
    conforms(&document, &schemas["WholeAction"], &action, "action");
    let path = format!("{ACTIONS}/A-0001/approve");
    let own = site.post(&site.soc, &path, &json!({ "plan": action["hash"] })).problem(409);
    assert!(own["detail"].as_str().unwrap().contains("nobody approves what they proposed"));
    let other = site.post(&site.clinical, &path, &json!({ "plan": "00" })).problem(409);
    assert_eq!(other["type"], "/problems/other-plan");
    site.server.get(&site.soc, &format!("{ACTIONS}?status=lost")).problem(400);
    let page = site.get(&format!("{ACTIONS}?device=D-1&status=waiting&limit=1"));
    conforms(&document, &schemas["ActionPage"], &page, "page");
    assert_eq!((&page["total"], &page["items"][0]["missing"]), (&1.into(), &json!(["soc"])));
    assert_eq!(site.get(&format!("{ACTIONS}?device=D-3"))["total"], 0);
}

#[test]
fn arming_and_a_looser_policy_need_two_people_in_two_roles() {
    let site = site();
    let (path, body) = ("/api/v1/response/arm", json!({ "tier": "T0", "level": "L2", "hours": 8 }));
    let first = site.post(&site.soc, path, &body).json();
    assert_eq!(first["events"][0]["event"], "half_signed");
    site.post(&site.soc, path, &body).problem(409);
    let status = site.get("/api/v1/response/status");
    assert_eq!(
        (&status["armed"], status["half_signed"].as_array().unwrap().len()),
        (&json!([]), 1)
    );
    assert_eq!(site.post(&site.admin, path, &body).json()["events"][0]["event"], "armed");
    let status = site.get("/api/v1/response/status");
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    conforms(&document, &schemas["ResponseStatus"], &status, "status");
    let left = status["armed"][0]["left_seconds"].as_u64().unwrap();
    assert!(status["armed"][0]["tier"] == "T0" && (28_700..=28_800).contains(&left), "{status}");
    site.post(&site.soc, path, &json!({ "tier": "T0", "level": "L2", "hours": 0 })).problem(422);
    site.post(&site.soc, path, &json!({ "tier": "T9", "level": "L2", "hours": 1 })).problem(422);
    // Armed, and signed by a second person: it is approved, and left for whoever enforces.
    let site_action = site.post(&site.clinical, ACTIONS, &wish("D-1", "203.0.113.9", "tcp", 445));
    assert_eq!(site_action.status, 201, "{site_action:?}");
    let hash = site.get(&format!("{ACTIONS}/A-0001"))["hash"].clone();
    let yes = json!({ "plan": hash });
    let signed = site.post(&site.soc, &format!("{ACTIONS}/A-0001/approve"), &yes).json();
    assert_eq!(signed["events"][0]["complete"], true, "{signed}");
    let action = site.get(&format!("{ACTIONS}/A-0001"));
    assert_eq!(
        (&action["status"]["is"], &action["standing"]),
        (&"approved".into(), &"desired".into())
    );
    assert!((800..=900).contains(&action["left_seconds"].as_u64().unwrap()), "{action}");
    let disarm = json!({ "tier": "T0" });
    assert_eq!(site.post(&site.clinical, "/api/v1/response/disarm", &disarm).status, 200);
    // A stricter policy counts at once, a looser one waits, an unsafe one never counts.
    let policy = "/api/v1/response/policy";
    let adopt = |token: &str, toml: &str| site.put(token, policy, &json!({ "toml": toml }));
    assert_eq!(
        adopt(&site.admin, "[breakers]\nwaiting = 5\n").json()["events"][0]["event"],
        "adopted"
    );
    assert_eq!(site.get(policy)["policy"]["breakers"]["waiting"], 5);
    assert!(site.get(policy)["toml"].as_str().unwrap().contains("waiting = 5"));
    let looser = adopt(&site.admin, "[breakers]\nwaiting = 9\n").json();
    assert_eq!(looser["events"][0]["event"], "half_signed", "{looser}");
    assert_eq!(site.get(policy)["policy"]["breakers"]["waiting"], 5);
    adopt(&site.admin, "[tiers.T0]\nautomatic = \"L4\"\n").problem(422);
    adopt(&site.admin, "nonsense").problem(422);
}

#[test]
fn a_right_code_at_the_bedside_is_never_refused_whoever_guesses_beside_it() {
    let site = site();
    site.proposed("203.0.113.9/32");
    let mut wrong = 0;
    let slowed = loop {
        let answer = site.bedside("D-1", "0000-0000");
        if answer.status == 429 {
            break answer;
        }
        answer.problem(403);
        wrong += 1;
        assert!(wrong < 40, "nobody is slowed down");
    };
    slowed.problem(429);
    assert!(slowed.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    assert!([403, 429].contains(&site.bedside("D-\u{7}", "0").status));
    let page = |from: u64| site.get(&format!("/api/v1/response/ledger?from={from}&limit=1000"));
    let notes = |page: &Value| page.to_string().matches("a wrong bedside code").count();
    assert_eq!(notes(&page(0)), wrong, "guesses that are slowed down do not fill the ledger");
    let let_go = site.bedside("D-1", &site.code("D-1").to_lowercase());
    assert_eq!((let_go.status, let_go.json()["ends"].clone()), (200, json!(["A-0001"])));
    let ending = &site.get(&format!("{ACTIONS}/A-0001"))["status"]["ending"]["released"];
    assert_eq!(ending["bedside"], true);
    // Signing in is not held up by it.
    site.server.admin();
    let released = site.bare(&site.clinical, "/api/v1/response/devices/D-1/release");
    assert_eq!(released.json()["events"][0]["event"], "released", "{released:?}");
    site.proposed("203.0.113.10/32");
    let released = site.bare(&site.admin, &format!("{ACTIONS}/A-0002/release"));
    assert_eq!(released.json()["events"][1]["action"], "A-0002", "{released:?}");
}

#[test]
fn halt_needs_one_person_and_leaves_its_file_and_going_on_needs_two() {
    let site = site();
    site.proposed("203.0.113.9/32");
    let mut stream = site.server.stream(&site.viewer, None);
    let halted = site.post(&site.clinical, "/api/v1/response/halt", &json!({ "why": "a drill" }));
    assert_eq!(halted.json()["events"][0]["event"], "halted", "{halted:?}");
    let file = site.office.folder().join(HALT);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a drill");
    assert_eq!(site.get("/api/v1/response/status")["halted"], "a drill");
    // That it was proposed may be told first.
    let line = loop {
        let told = event(&mut stream).unwrap();
        assert_eq!(told["event"], "action");
        let line: Value = serde_json::from_str(&told["data"]).unwrap();
        if line["status"]["is"] == "ended" {
            break line;
        }
    };
    let told = event(&mut stream).unwrap();
    assert_eq!(told["event"], "response", "that everything is halted is news by itself");
    let stands: Value = serde_json::from_str(&told["data"]).unwrap();
    assert_eq!(stands["halted"], "a drill");
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    conforms(&document, &document["components"]["schemas"]["ActionLine"], &line, "event");
    conforms(&document, &document["components"]["schemas"]["ResponseStatus"], &stands, "event");
    assert_eq!((&line["id"], &line["status"]["ending"]), (&"A-0001".into(), &"halted".into()));
    let refused = site.post(&site.soc, ACTIONS, &wish("D-1", "203.0.113.9", "tcp", 1)).problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("everything is halted (a drill)"));
    let resume = "/api/v1/response/resume";
    assert_eq!(site.bare(&site.soc, resume).json()["events"][0]["event"], "half_signed");
    assert!(file.exists());
    assert_eq!(site.bare(&site.admin, resume).json()["events"][0]["event"], "resumed");
    assert!(!file.exists() && site.get("/api/v1/response/status")["halted"].is_null());
}

#[test]
fn the_ledger_that_is_read_over_the_api_is_the_one_that_can_be_checked() {
    let site = site();
    site.proposed("203.0.113.9/32");
    site.bare(&site.clinical, &format!("{ACTIONS}/A-0001/release"));
    let (mut lines, mut from) = (String::new(), 0);
    loop {
        let page = site.get(&format!("/api/v1/response/ledger?from={from}&limit=2"));
        for line in page["items"].as_array().unwrap() {
            lines.push_str(line.as_str().unwrap());
            lines.push('\n');
        }
        let Some(next) = page["next"].as_u64() else { break };
        assert_eq!(next, from + 2);
        from = next;
    }
    let head = site.get("/api/v1/response/ledger/head");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(ledger::LEDGER), lines).unwrap();
    std::fs::write(folder.path().join(ledger::HEAD), head["checkpoint"].to_string()).unwrap();
    let report = ledger::verify(folder.path(), head["key"].as_str()).unwrap();
    assert!(report.faults.is_empty() && report.decisions >= 2, "{report:?}");
    assert_eq!(site.get("/api/v1/response/ledger?from=999")["items"], json!([]));
    site.server.get(&site.soc, "/api/v1/response/ledger?from=x").problem(400);
}

#[test]
fn the_blast_radius_is_told_for_a_device_and_for_a_case() {
    let site = site();
    let blast = site.get("/api/v1/response/blast/D-3");
    let document: Value = serde_json::from_str(&server::document()).unwrap();
    conforms(&document, &document["components"]["schemas"]["Blast"], &blast, "blast");
    let reached = &blast["reaches"]["devices"][0];
    assert_eq!((&reached["device"], &reached["how"]), (&"D-1".into(), &"observed".into()));
    let case = |id: &str, devices: &[&str]| Case {
        id: CaseId(id.to_owned()),
        devices: devices.iter().map(|id| DeviceId((*id).to_owned())).collect(),
        ..Case::default()
    };
    site.server.store.put_cases(&[case("C-1", &["D-3"]), case("C-2", &[])]).unwrap();
    assert_eq!(site.get("/api/v1/cases/C-1/blast"), blast);
    let none = |path: &str| site.server.get(&site.soc, path).problem(404);
    none("/api/v1/cases/C-2/blast");
    none("/api/v1/cases/C-9/blast");
    none("/api/v1/response/blast/D-9");
    assert!(none("/api/v1/response/blast/D-4")["detail"].as_str().unwrap().contains("address"));
}
