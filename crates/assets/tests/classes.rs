//! What devices are taken for: a hospital's devices, and those that only look like them.

mod common;

use common::{Host, Site, host, patient, texts, word};
use model::device::{InUse, Tier};
use model::observation::Value;
use protocols::{
    astm, dhcp, dicom, dns, hl7, http, mqtt, ntp, poct1a, smb, soap, syslog, tls, wsdiscovery,
};

const ENGINE: Host = host("10.1.1.11", "00:1f:29:00:00:11");
const ARCHIVE: Host = host("10.1.1.10", "00:14:22:00:00:10");
const ONE: Host = host("10.1.4.41", "00:04:23:00:00:41");
const TWO: Host = host("10.1.4.42", "00:04:23:00:00:42");
const THREE: Host = host("10.1.4.43", "00:04:23:00:00:43");

fn uint(value: u64) -> Value {
    Value::Uint(value)
}

/// An ORU and its acknowledgement.
fn oru(site: &mut Site, from: Host, to: Host, application: &str, who: u64) {
    let flow = site.talk(from, to, 2575);
    let fields = [
        ("type", word("ORU")),
        ("sending_application", word(application)),
        ("patient", patient(who)),
        ("obx", uint(4)),
    ];
    site.in_flow(&hl7::MESSAGE, &flow, false, &fields);
    let ack = [("type", word("ACK")), ("ack_code", word("AA"))];
    site.in_flow(&hl7::MESSAGE, &flow, true, &ack);
}

fn store(
    site: &mut Site,
    from: Host,
    to: Host,
    titles: (&str, &str),
    modality: &str,
    objects: u32,
) {
    let flow = site.talk(from, to, 11112);
    let association = [
        ("outcome", word("accepted")),
        ("calling_ae", word(titles.0)),
        ("called_ae", word(titles.1)),
    ];
    site.in_flow(&dicom::ASSOCIATION, &flow, false, &association);
    for _ in 0..objects {
        site.at += 0.05;
        site.in_flow(&dicom::OBJECT, &flow, false, &[("modality", word(modality))]);
    }
}

fn ask(site: &mut Site, from: Host, to: Host, title: &str, universal: bool, fetch: bool) {
    let flow = site.talk(from, to, 11112);
    let association =
        [("outcome", word("accepted")), ("calling_ae", word(title)), ("called_ae", word("MAIN"))];
    site.in_flow(&dicom::ASSOCIATION, &flow, false, &association);
    let find = [
        ("command", word("C-FIND-RQ")),
        ("level", word("STUDY")),
        ("universal", Value::Bool(universal)),
    ];
    site.in_flow(&dicom::COMMAND, &flow, false, &find);
    let found = [("command", word("C-FIND-RSP")), ("status", uint(0))];
    site.in_flow(&dicom::COMMAND, &flow, true, &found);
    if fetch {
        site.in_flow(&dicom::COMMAND, &flow, false, &[("command", word("C-GET-RQ"))]);
        site.in_flow(&dicom::OBJECT, &flow, true, &[("modality", word("CT"))]);
    }
}

fn publish(site: &mut Site, from: Host, broker: Host, id: &str, topics: &[&str]) {
    let flow = site.talk(from, broker, 1883);
    let connect = [("outcome", word("accepted")), ("client_id", word(id))];
    site.in_flow(&mqtt::CONNECT, &flow, false, &connect);
    for topic in topics {
        site.in_flow(&mqtt::PUBLISH, &flow, false, &[("topic", word(topic))]);
    }
}

#[test]
fn monitors_and_their_engine() {
    let mut site = Site::new();
    for round in 0..30 {
        for (n, bed) in [ONE, TWO, THREE].into_iter().enumerate() {
            oru(&mut site, bed, ENGINE, "VITALSD", n as u64);
        }
        site.pass(4.0 + f64::from(round % 3) * 0.2);
    }
    assert_eq!(site.class(ONE.ip), "patient_monitor");
    assert_eq!(site.class(ENGINE.ip), "interface_engine");
    let (bed, engine) = (site.ix(ONE.ip).unwrap(), site.ix(ENGINE.ip).unwrap());
    assert!(site.inventory.has_role(bed, "result_sender"));
    assert!(site.inventory.has_role(engine, "interface_engine"));
    assert_eq!(site.inventory.in_use(bed), InUse::InUse);
    // Silence proves nothing.
    site.pass(600.0);
    assert_eq!(site.inventory.in_use(bed), InUse::Unknown);
}

#[test]
fn a_ventilator_that_says_so_is_no_monitor() {
    let mut site = Site::new();
    site.dhcp(None, ONE.mac, &[("type", word("request")), ("host_name", word("icu-vent-3"))]);
    site.arp(ONE.mac, ONE.ip, false);
    for _ in 0..30 {
        oru(&mut site, ONE, ENGINE, "VENT3", 7);
        site.pass(5.0);
    }
    assert_eq!(site.class(ONE.ip), "ventilator");
}

#[test]
fn one_message_to_a_monitor_does_not_unmake_it() {
    let mut site = Site::new();
    for _ in 0..30 {
        oru(&mut site, ONE, ENGINE, "X", 1);
        site.pass(5.0);
    }
    oru(&mut site, TWO, ONE, "EVIL", 9);
    oru(&mut site, THREE, ONE, "EVIL", 9);
    assert_eq!(site.class(ONE.ip), "patient_monitor");
}

#[test]
fn results_of_many_patients_without_rhythm_are_no_monitor() {
    let mut site = Site::new();
    for n in 0..30_u32 {
        oru(&mut site, ONE, ENGINE, "RESULTS", u64::from(n));
        site.pass([1.0, 40.0, 3.0, 75.0, 0.5][(n % 5) as usize]);
    }
    assert_eq!(site.class(ONE.ip), "unknown");
}

#[test]
fn scanners_archive_and_reading_place() {
    let mut site = Site::new();
    let reader = host("10.1.3.31", "00:14:22:00:00:31");
    for _ in 0..8 {
        store(&mut site, ONE, ARCHIVE, ("SCAN_A", "MAIN"), "CT", 4);
        store(&mut site, TWO, ARCHIVE, ("SCAN_B", "MAIN"), "US", 3);
        ask(&mut site, reader, ARCHIVE, "DESK", false, true);
        site.pass(40.0);
    }
    assert_eq!(site.class(ONE.ip), "ct");
    assert_eq!(site.class(TWO.ip), "ultrasound");
    assert_eq!(site.class(ARCHIVE.ip), "pacs");
    assert_eq!(site.class(reader.ip), "imaging_workstation");
    let ct = site.ix(ONE.ip).unwrap();
    assert_eq!(site.inventory.in_use(ct), InUse::InUse);
    assert_eq!(site.inventory.name(ct), Some("SCAN_A"));
    assert_eq!(site.inventory.label(ct), "CT scanner SCAN_A (10.1.4.41)");
    assert!(site.inventory.has_role(site.ix(ARCHIVE.ip).unwrap(), "pacs"));
}

#[test]
fn a_sender_of_several_kinds_is_a_scanner_of_no_certain_kind() {
    let mut site = Site::new();
    for _ in 0..8 {
        store(&mut site, ONE, ARCHIVE, ("XR7", "MAIN"), "CT", 4);
        store(&mut site, ONE, ARCHIVE, ("XR7", "MAIN"), "MR", 4);
        site.pass(40.0);
    }
    assert_eq!(site.class(ONE.ip), "imaging_modality");
    // The strictest tier of what it could be.
    assert_eq!(site.inventory.tier(site.ix(ONE.ip).unwrap()), Tier::T1);
}

#[test]
fn one_session_makes_no_scanner() {
    let mut site = Site::new();
    store(&mut site, ONE, ARCHIVE, ("US1", "MAIN"), "US", 30);
    assert_eq!(site.class(ONE.ip), "unknown");
}

#[test]
fn an_archive_is_named_by_the_first_title_and_not_by_an_intruders() {
    let mut site = Site::new();
    store(&mut site, ONE, ARCHIVE, ("CT9", "MAIN"), "CT", 3);
    store(&mut site, TWO, ARCHIVE, ("X", "GUESS"), "CT", 3);
    assert_eq!(site.inventory.device(site.ix(ARCHIVE.ip).unwrap()).name, ["MAIN"]);
}

#[test]
fn an_intruders_wildcards_make_no_workstation() {
    let mut site = Site::new();
    ask(&mut site, ONE, ARCHIVE, "ANY", true, false);
    assert_eq!(site.class(ONE.ip), "unknown");
    for _ in 0..10 {
        ask(&mut site, ONE, ARCHIVE, "ANY", true, false);
        site.pass(30.0);
    }
    assert_eq!(site.class(ONE.ip), "unknown");
}

#[test]
fn pumps_and_their_broker() {
    let mut site = Site::new();
    let broker = host("10.1.1.14", "00:14:22:00:00:14");
    for (n, pump) in [ONE, TWO].into_iter().enumerate() {
        publish(&mut site, pump, broker, &format!("inf-{n}"), &[]);
    }
    let topic = ["ward3/infusion/7/status"];
    publish(&mut site, THREE, broker, "auto-17DF6163-C1E1-ABAC-CF2B-35A0D7FE297E", &[]);
    assert_eq!(site.inventory.name(site.ix(THREE.ip).unwrap()), None);
    for _ in 0..15 {
        publish(&mut site, ONE, broker, "inf-0", &topic);
        site.pass(4.0);
    }
    assert_eq!(site.class(ONE.ip), "infusion_pump");
    assert_eq!(site.class(broker.ip), "mqtt_broker");
    assert_eq!(site.inventory.in_use(site.ix(ONE.ip).unwrap()), InUse::InUse);
}

#[test]
fn commands_to_pumps_make_no_pump() {
    let mut site = Site::new();
    let broker = host("10.1.1.14", "00:14:22:00:00:14");
    for _ in 0..20 {
        let topics = ["pump/1/cmd", "pump/2/cmd", "pump/3/cmd", "pump/4/cmd", "pump/5/cmd"];
        publish(&mut site, ONE, broker, "x", &topics);
        let all = ["pump/1/status", "pump/2/status", "pump/3/status", "pump/4/s", "pump/5/s"];
        publish(&mut site, TWO, broker, "y", &all);
        site.pass(5.0);
    }
    assert_eq!(site.class(ONE.ip), "unknown");
    assert_eq!(site.class(TWO.ip), "unknown");
}

#[test]
fn analysers_and_their_system() {
    let mut site = Site::new();
    let lis = host("10.1.1.12", "00:14:22:00:00:12");
    let result = [("sender", word("QX200^2.1")), ("results", uint(1)), ("orders", uint(1))];
    for _ in 0..6 {
        for analyser in [ONE, TWO] {
            let flow = site.talk(analyser, lis, 4010);
            site.in_flow(&astm::MESSAGE, &flow, false, &result);
        }
        site.pass(25.0);
    }
    // Three results in one go, from somebody never heard before.
    for _ in 0..3 {
        let flow = site.talk(THREE, lis, 4010);
        site.in_flow(&astm::MESSAGE, &flow, false, &result);
    }
    assert_eq!(site.class(ONE.ip), "lab_analyzer");
    assert_eq!(site.class(lis.ip), "lis");
    assert_eq!(site.class(THREE.ip), "unknown");
}

#[test]
fn point_of_care_analysers_and_their_manager() {
    let mut site = Site::new();
    let manager = host("10.1.1.18", "00:14:22:00:00:18");
    let hello = [("type", word("HEL.R01")), ("model", word("Gluco 3")), ("serial", word("SN-1"))];
    let result = [("type", word("OBS.R01")), ("results", uint(1))];
    for _ in 0..6 {
        for meter in [ONE, TWO] {
            let flow = site.talk(meter, manager, 6000);
            site.in_flow(&poct1a::MESSAGE, &flow, false, &hello);
            site.in_flow(&poct1a::MESSAGE, &flow, false, &result);
        }
        site.pass(25.0);
    }
    assert_eq!(site.class(ONE.ip), "lab_analyzer");
    assert_eq!(site.class(manager.ip), "lis");
}

#[test]
fn infrastructure_by_its_clients() {
    let mut site = Site::new();
    let all = host("10.1.1.13", "00:1f:29:00:00:13");
    let collector = host("10.1.1.16", "00:1f:29:00:00:16");
    for client in [ONE, TWO, THREE, ENGINE, ARCHIVE, host("10.1.4.44", "00:04:23:00:00:44")] {
        let flow = site.talk(client, all, 53);
        site.in_flow(&dns::QUERY, &flow, false, &[("name", word("a.example"))]);
        let answer = [("name", word("a.example")), ("rcode", word("NOERROR"))];
        site.in_flow(&dns::RESPONSE, &flow, true, &answer);
        let flow = site.talk(client, all, 123);
        site.in_flow(&ntp::MESSAGE, &flow, true, &[("mode", word("server"))]);
        // Log lines are never answered.
        let flow = site.flow(client, collector, 514);
        site.start(&flow);
        site.in_flow(&syslog::MESSAGE, &flow, false, &[("app", word("x"))]);
    }
    assert_eq!(site.class(all.ip), "dns_server");
    let ix = site.ix(all.ip).unwrap();
    assert_eq!(site.inventory.roles(ix).collect::<Vec<_>>(), ["dns_server", "ntp_server"]);
    assert_eq!(site.class(collector.ip), "syslog_server");
}

#[test]
fn neighbours_that_answer_mdns_are_no_dns_servers() {
    let mut site = Site::new();
    for client in [TWO, THREE, ENGINE, ARCHIVE] {
        let flow = site.talk(client, ONE, 5353);
        site.in_flow(&dns::RESPONSE, &flow, true, &[("rcode", word("NOERROR"))]);
    }
    assert_eq!(site.class(ONE.ip), "unknown");
}

#[test]
fn a_desk_is_known_by_several_habits() {
    let mut site = Site::new();
    let (names, files) =
        (host("10.1.1.13", "00:1f:29:00:00:13"), host("10.1.1.15", "00:14:22:00:00:15"));
    let outside = host("203.0.113.30", "00:1a:a1:00:00:01");
    let agent = word("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120");
    for n in 0..12 {
        for desk in [ONE, TWO] {
            let flow = site.talk(desk, names, 53);
            site.in_flow(&dns::QUERY, &flow, false, &[("name", word(&format!("n{n}.example")))]);
            let flow = site.talk(desk, files, 445);
            let tree = [("share", word("WARD")), ("outcome", word("success"))];
            site.in_flow(&smb::TREE, &flow, false, &tree);
        }
        let flow = site.talk(ONE, ENGINE, 80);
        site.in_flow(&http::REQUEST, &flow, false, &[("user_agent", agent.clone())]);
        let flow = site.talk(ONE, outside, 443);
        site.in_flow(&tls::CLIENT_HELLO, &flow, false, &[("sni", word("www.news.example"))]);
        site.pass(30.0);
    }
    assert_eq!(site.class(ONE.ip), "workstation");
    // Names and shares alone: an analyser does that too.
    assert_eq!(site.class(TWO.ip), "unknown");
    assert_eq!(site.class(files.ip), "file_server");
}

#[test]
fn administrative_shares_make_no_file_server() {
    let mut site = Site::new();
    for client in [TWO, THREE, ENGINE] {
        let flow = site.talk(client, ONE, 445);
        let tree =
            [("share", word("C$")), ("outcome", word("success")), ("admin", Value::Bool(true))];
        site.in_flow(&smb::TREE, &flow, false, &tree);
        site.pass(30.0);
    }
    assert_eq!(site.class(ONE.ip), "unknown");
}

#[test]
fn a_smart_plug_is_known_by_its_maker_and_its_lease() {
    let mut site = Site::new();
    let plug = "50:c7:bf:00:fc:a3";
    let request = [
        ("type", word("request")),
        ("host_name", word("HS100(EU)")),
        ("vendor_class", word("udhcp 0.9.9-pre")),
        ("parameters", word("1,3,6,12,15,28")),
    ];
    site.dhcp(None, plug, &request);
    site.arp(plug, "10.10.10.77", false);
    assert_eq!(site.class("10.10.10.77"), "iot_device");
    assert_eq!(site.inventory.tier(site.ix("10.10.10.77").unwrap()), Tier::T3);
}

#[test]
fn who_gives_leases_is_told_from_who_passes_them_on() {
    let mut site = Site::new();
    let server = host("10.1.1.5", "00:1f:29:00:00:05");
    let relay = host("10.4.0.1", "00:1a:a1:00:00:04");
    let ack = |ip: &str| {
        [
            ("type", word("ack")),
            ("assigned_ip", Value::Ip(ip.parse().unwrap())),
            ("server_id", Value::Ip(server.ip.parse().unwrap())),
            ("dns_servers", texts(&["10.1.1.13"])),
        ]
    };
    for n in 2..6 {
        let client = format!("00:04:23:00:01:0{n}");
        site.dhcp(Some(server), &client, &ack(&format!("10.1.8.{n}")));
        let client = format!("00:04:23:00:02:0{n}");
        site.dhcp(Some(relay), &client, &ack(&format!("10.4.8.{n}")));
    }
    assert_eq!(site.class(server.ip), "dhcp_server");
    assert_eq!(site.class(relay.ip), "unknown");
    assert!(site.inventory.has_role(site.ix(relay.ip).unwrap(), "dhcp_relay"));
    assert_eq!(dhcp::MESSAGE.name, "dhcp.message");
}

#[test]
fn the_same_observations_give_the_same_inventory() {
    let run = || {
        let mut site = Site::new();
        for _ in 0..10 {
            for (n, bed) in [ONE, TWO, THREE].into_iter().enumerate() {
                oru(&mut site, bed, ENGINE, "A", n as u64);
                store(&mut site, bed, ARCHIVE, ("S", "M"), "CT", 2);
            }
            site.pass(7.0);
        }
        (
            serde_json::to_string(&site.inventory.devices()).unwrap(),
            site.inventory.save().to_string(),
        )
    };
    assert_eq!(run(), run());
}

#[test]
fn log_lines_find_the_device_that_sent_them_and_no_other_can_take_the_name() {
    let mut site = Site::new();
    let collector = host("10.1.1.16", "00:1f:29:00:00:16");
    oru(&mut site, ONE, ENGINE, "BED9", 1);
    for sender in [ONE, TWO] {
        let flow = site.talk(sender, collector, 514);
        let line = [("host", word("bed9")), ("app", word("monitor"))];
        site.in_flow(&syslog::MESSAGE, &flow, false, &line);
    }
    let one = site.ix(ONE.ip).unwrap();
    assert_eq!(site.by_name("bed9"), assets::Entity::Device(one));
    assert_eq!(site.by_name("BED9.ward.example"), assets::Entity::Device(one));
    assert_eq!(site.inventory.name(one), Some("bed9"));
    assert_eq!(site.by_name("nobody-of-that-name"), assets::Entity::Nobody);
    // The program is no name.
    assert_eq!(site.inventory.device(one).name, ["bed9"]);
}

#[test]
fn an_archive_that_speaks_only_dicomweb_is_an_archive() {
    let mut site = Site::new();
    for round in 0..12_u32 {
        for (action, from) in
            [("store", ONE), ("search", TWO), ("retrieve", TWO), ("search", THREE)]
        {
            let flow = site.talk(from, ARCHIVE, 8042);
            let fields = [
                ("service", word(if action == "store" { "stow-rs" } else { "wado-rs" })),
                ("action", word(action)),
                ("modalities", texts(&["CT"])),
                ("status", uint(200)),
            ];
            site.in_flow(&http::dicomweb::TRANSACTION, &flow, false, &fields);
            let head = [("status", uint(200)), ("content_type", word("application/dicom+json"))];
            site.in_flow(&http::RESPONSE, &flow, true, &head);
        }
        site.pass(60.0 + f64::from(round));
    }
    assert_eq!(site.class(ARCHIVE.ip), "pacs");
    let ix = site.ix(ARCHIVE.ip).unwrap();
    assert!(site.inventory.has_role(ix, "dicomweb_server") && site.inventory.has_role(ix, "pacs"));
    assert_eq!(site.class(ONE.ip), "ct");
}

#[test]
fn a_device_of_sdc_has_a_role_and_its_consumer_another() {
    let mut site = Site::new();
    let flow = site.talk(ONE, ENGINE, 6464);
    let sdc = |role: &str| [("standard", word("sdc")), ("role", word(role))];
    site.in_flow(&soap::MESSAGE, &flow, false, &sdc("report"));
    site.pass(60.0);
    let has =
        |site: &Site, host: Host, role| site.inventory.has_role(site.ix(host.ip).unwrap(), role);
    assert!(has(&site, ONE, "sdc_provider") && has(&site, ENGINE, "sdc_consumer"));
    assert!(!has(&site, ENGINE, "sdc_provider"));
    // What is looked for says nothing of who looks.
    let probe = [("message", word("Probe")), ("types", texts(&["MedicalDevice"]))];
    let hello = [
        ("message", word("Hello")),
        ("types", texts(&["Device", "MedicalDevice", "NetworkVideoTransmitter"])),
    ];
    let flow = site.talk(TWO, THREE, 3702);
    site.in_flow(&wsdiscovery::MESSAGE, &flow, false, &probe);
    site.in_flow(&wsdiscovery::MESSAGE, &flow, true, &hello);
    site.pass(60.0);
    assert!(!has(&site, TWO, "sdc_provider") && has(&site, THREE, "sdc_provider"));
    // A word of its own alone makes nobody a camera.
    assert_eq!(site.class(THREE.ip), "unknown");
}
