//! The real kernel: hosts in network namespaces behind a real bridge, and what arrives.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;
use crate::enforcers::sample;
use crate::enforcers::space::{Network, needs};
use crate::restriction::{Pattern, Proto, Way};

const PUMP: &str = "10.98.0.5";
const PUMP_MAC: &str = "02:00:00:00:00:05";
const SERVER: &str = "10.98.0.10";
const OTHER: &str = "10.98.0.20";

/// A pump, its server and another host on a switch, and the enforcer on that switch.
fn ward(family: Family) -> Option<(Network, Nftables)> {
    needs(&["ip", "nft", "ping"]).then(|| {
        let network = Network::new(&[("pump", PUMP), ("server", SERVER), ("other", OTHER)]);
        network.run_on("pump", &format!("ip link set eth0 address {PUMP_MAC}"));
        let interfaces = if family == Family::Netdev {
            vec!["p-pump".to_owned(), "p-server".to_owned(), "p-other".to_owned()]
        } else {
            Vec::new()
        };
        let netns = Some(network.space("switch"));
        let config = NftablesConfig { family, interfaces, netns, ..NftablesConfig::default() };
        config.check().unwrap();
        (network, Nftables::new(config, Outlet::new()))
    })
}

fn apply(nft: &Nftables, restriction: Restriction, ttl: Duration) -> Receipt {
    let mut intent = sample::intent(sample::subject(&[PUMP]), restriction);
    intent.ttl = ttl;
    let plan = nft.plan(&intent).unwrap();
    nft.check(&plan).unwrap();
    nft.apply(&sample::approved(plan)).unwrap()
}

fn pattern(way: Way, peer: &str, proto: Option<Proto>, port: Option<u16>) -> Pattern {
    Pattern { way, peer: peer.parse().unwrap(), proto, port }
}

const LONG: Duration = Duration::from_secs(600);

/// Whether one host reaches another by TCP, by UDP and back, by ping.
fn tcp(network: &Network, from: &str, to: &str, port: u16) -> bool {
    let to: SocketAddr = format!("{to}:{port}").parse().unwrap();
    network.inside(from, move || {
        let stream = TcpStream::connect_timeout(&to, Duration::from_millis(400));
        stream.is_ok_and(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
            stream.read_exact(&mut [0]).is_ok()
        })
    })
}

fn udp(network: &Network, from: &str, to: &str, port: u16, own: u16, size: usize) -> bool {
    let to: SocketAddr = format!("{to}:{port}").parse().unwrap();
    network.inside(from, move || {
        let socket = UdpSocket::bind(("0.0.0.0", own)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
        socket.send_to(&vec![7; size], to).is_ok()
            && socket.recv(&mut [0; 9_000]).is_ok_and(|got| got == size)
    })
}

fn ping(network: &Network, from: &str, to: &str) -> bool {
    network.asks(from, &format!("ping -n -c 1 -W 1 {to}"))
}

/// Somebody who says a byte to every caller, and sends every datagram back.
fn serve(network: &Network, host: &str, address: &str, port: u16) {
    let at: SocketAddr = format!("{address}:{port}").parse().unwrap();
    let listener = network.inside(host, move || TcpListener::bind(at).unwrap());
    let socket = network.inside(host, move || UdpSocket::bind(at).unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            use std::io::Write;
            let mut stream = stream;
            let _ = stream.write_all(b"!");
        }
    });
    std::thread::spawn(move || {
        let mut bytes = [0; 9_000];
        while let Ok((size, from)) = socket.recv_from(&mut bytes) {
            let _ = socket.send_to(&bytes[..size], from);
        }
    });
}

fn servers(network: &Network) {
    for port in [443, 2_575] {
        serve(network, "server", SERVER, port);
        serve(network, "other", OTHER, port);
        serve(network, "pump", PUMP, port);
    }
    serve(network, "server", SERVER, 67);
}

fn wait_for(what: &str, limit: Duration, mut happens: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < limit, "{what} did not happen within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

#[test]
fn a_blocked_flow_stops_and_everything_else_of_the_device_goes_on() {
    for family in Family::ALL {
        let Some((network, nft)) = ward(family) else { return };
        if family == Family::Inet {
            // What a bridge forwards is not routed, so an inet table does not see it.
            continue;
        }
        servers(&network);
        assert!(tcp(&network, "pump", SERVER, 443));

        // A connection that exists is cut too.
        let to: SocketAddr = format!("{SERVER}:443").parse().unwrap();
        let listener = network.inside("server", || TcpListener::bind((SERVER, 444)).unwrap());
        let to_444 = SocketAddr::new(to.ip(), 444);
        let mut open = network.inside("pump", move || TcpStream::connect(to_444).unwrap());
        let (mut far, _) = listener.accept().unwrap();
        let flows = vec![
            pattern(Way::Out, SERVER, Some(Proto::Tcp), Some(443)),
            pattern(Way::Out, SERVER, Some(Proto::Tcp), Some(444)),
            pattern(Way::Out, SERVER, Some(Proto::Udp), Some(443)),
            pattern(Way::Out, SERVER, Some(Proto::Udp), Some(67)),
        ];
        let receipt = apply(&nft, Restriction::Block { flows }, LONG);
        assert!(matches!(nft.state(&receipt).unwrap(), State::InForce(left) if left <= LONG));
        use std::io::Write;
        far.write_all(b"more").unwrap();
        open.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
        assert!(open.read(&mut [0; 4]).is_err(), "{family:?}: an open connection goes on");

        assert!(!tcp(&network, "pump", SERVER, 443), "{family:?}");
        assert!(!udp(&network, "pump", SERVER, 443, 0, 9), "{family:?}");
        assert!(!udp(&network, "pump", SERVER, 67, 0, 9), "{family:?}");
        assert!(udp(&network, "pump", SERVER, 67, 68, 9), "{family:?}: DHCP is cut");
        assert!(tcp(&network, "pump", SERVER, 2_575), "{family:?}");
        assert!(udp(&network, "pump", SERVER, 2_575, 0, 4_000), "{family:?}: fragments are cut");
        assert!(tcp(&network, "pump", OTHER, 443), "{family:?}");
        assert!(tcp(&network, "server", PUMP, 443), "{family:?}: the other way is cut");
        assert!(ping(&network, "pump", SERVER), "{family:?}");
        network.run_on("pump", "ip neigh flush all");
        assert!(ping(&network, "pump", SERVER), "{family:?}: ARP is cut");

        nft.revert(&receipt).unwrap();
        nft.revert(&receipt).unwrap();
        assert_eq!(nft.state(&receipt).unwrap(), State::Gone);
        assert!(tcp(&network, "pump", SERVER, 443), "{family:?}");
    }
}

#[test]
fn essentials_go_on_everything_else_stops_and_the_end_cuts_nothing() {
    let Some((network, nft)) = ward(Family::Bridge) else { return };
    servers(&network);
    let allow = vec![
        pattern(Way::Out, SERVER, Some(Proto::Tcp), Some(2_575)),
        pattern(Way::Out, SERVER, Some(Proto::Udp), Some(2_575)),
        pattern(Way::In, OTHER, Some(Proto::Tcp), Some(443)),
    ];
    let second = Duration::from_secs(3);
    let receipt = apply(&nft, Restriction::Essentials { allow }, second);
    let begun = Instant::now();
    let over = AtomicBool::new(false);
    // All the while, to beyond the end, what is essential is asked for, and what is not.
    std::thread::scope(|scope| {
        let essential = scope.spawn(|| {
            let (mut asked, mut lost) = (0_u32, 0_u32);
            while !over.load(Ordering::SeqCst) {
                asked += 1;
                lost += u32::from(!tcp(&network, "pump", SERVER, 2_575));
            }
            (asked, lost)
        });
        assert!(!tcp(&network, "pump", SERVER, 443));
        assert!(!tcp(&network, "other", PUMP, 2_575));
        assert!(!ping(&network, "pump", SERVER));
        assert!(udp(&network, "pump", SERVER, 2_575, 0, 4_000), "fragments are cut");
        assert!(tcp(&network, "other", PUMP, 443));
        wait_for("the end", Duration::from_secs(6), || tcp(&network, "pump", SERVER, 443));
        assert!(begun.elapsed() >= Duration::from_secs(2));
        over.store(true, Ordering::SeqCst);
        let (asked, lost) = essential.join().unwrap();
        assert!(asked > 0);
        assert_eq!(lost, 0, "of {asked}");
    });
    assert_eq!(nft.state(&receipt).unwrap(), State::Gone);
    assert!(ping(&network, "pump", SERVER));
    // What is left is swept by the next change.
    let flows = vec![pattern(Way::Out, OTHER, Some(Proto::Tcp), Some(443))];
    let mut intent = sample::intent(sample::subject(&[PUMP]), Restriction::Block { flows });
    intent.id = "A-0002".to_owned();
    nft.apply(&sample::approved(nft.plan(&intent).unwrap())).unwrap();
    let left = nft.listing(Family::Bridge).unwrap().unwrap();
    assert!(left.removal("bridge", "A-0001").is_empty());
    assert!(left.holds("A-0002").is_some());
}

#[test]
fn a_quarantined_device_reaches_management_only_and_halt_ends_everything_quickly() {
    let Some((network, nft)) = ward(Family::Bridge) else { return };
    servers(&network);
    let management = vec![OTHER.parse().unwrap()];
    let mut intent =
        sample::intent(sample::subject(&[PUMP]), Restriction::Quarantine { management });
    intent.subject.mac = Some(PUMP_MAC.parse().unwrap());
    let first = nft.apply(&sample::approved(nft.plan(&intent).unwrap())).unwrap();
    let bad = Restriction::Perimeter { indicator: Indicator::Address(SERVER.parse().unwrap()) };
    intent = sample::intent(intent.subject, bad);
    intent.id = "A-0002".to_owned();
    let second = nft.apply(&sample::approved(nft.plan(&intent).unwrap())).unwrap();
    assert!(!tcp(&network, "pump", SERVER, 443));
    assert!(!tcp(&network, "other", SERVER, 443));
    assert!(tcp(&network, "pump", OTHER, 443));
    assert!(tcp(&network, "other", PUMP, 443));
    // Another address does not free it.
    network.run_on("pump", "ip address del 10.98.0.5/24 dev eth0");
    network.run_on("pump", "ip address add 10.98.0.6/24 dev eth0");
    nft.revert(&second).unwrap();
    assert!(!tcp(&network, "pump", SERVER, 443));
    assert!(tcp(&network, "other", SERVER, 443));
    assert!(matches!(nft.state(&first).unwrap(), State::InForce(_)));

    let begun = Instant::now();
    nft.revert_all(&[]).unwrap();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(tcp(&network, "pump", SERVER, 443));
    assert!(nft.tables().unwrap().is_empty());
    nft.revert_all(&[]).unwrap();
    nft.revert(&first).unwrap();
}

#[test]
fn applying_again_never_makes_it_longer_and_a_plan_for_another_place_is_refused() {
    let Some((_network, nft)) = ward(Family::Bridge) else { return };
    let flows = vec![pattern(Way::Out, SERVER, None, Some(443))];
    let intent = sample::intent(sample::subject(&[PUMP]), Restriction::Block { flows });
    let plan = nft.plan(&intent).unwrap();
    let left = Duration::from_secs(100);
    for left in [LONG, left] {
        let approved = Approved::new(plan.clone(), left);
        let receipt = nft.apply(&approved).unwrap();
        let State::InForce(holds) = nft.state(&receipt).unwrap() else { panic!("gone") };
        assert!(holds <= left && holds + Duration::from_secs(5) > left, "{holds:?}");
    }
    assert!(nft.apply(&Approved::new(plan.clone(), Duration::ZERO)).is_err());
    let mut other = plan.clone();
    other.change.push("flush ruleset".to_owned());
    let why = nft.apply(&sample::approved(other)).unwrap_err().to_string();
    assert!(why.contains("plan again"), "{why}");
}

/// What goes to the router itself is seen by an inet table, both ways.
#[test]
fn a_router_cuts_the_blocked_flow_and_no_other() {
    let Some((network, nft)) = ward(Family::Inet) else { return };
    network.run_on("switch", "ip address add 10.98.0.1/24 dev bridge");
    for port in [443, 2_575] {
        serve(&network, "switch", "10.98.0.1", port);
        serve(&network, "pump", PUMP, port);
    }
    let flows = vec![pattern(Way::Out, "10.98.0.1", None, Some(443))];
    let receipt = apply(&nft, Restriction::Block { flows }, LONG);
    assert!(!tcp(&network, "pump", "10.98.0.1", 443));
    assert!(!udp(&network, "pump", "10.98.0.1", 443, 0, 9));
    assert!(tcp(&network, "pump", "10.98.0.1", 2_575));
    assert!(tcp(&network, "switch", PUMP, 443), "the other way is cut");
    nft.revert(&receipt).unwrap();
    assert!(tcp(&network, "pump", "10.98.0.1", 443));
}

#[test]
fn every_made_up_restriction_is_taken_by_the_kernel() {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    for family in Family::ALL {
        let Some((_network, nft)) = ward(family) else { return };
        let mut taken = 0;
        for _ in 0..40 {
            let made = (sample::device(), sample::restriction());
            let (mut subject, restriction) = made.new_tree(&mut runner).unwrap().current();
            subject.mac = Some(PUMP_MAC.parse().unwrap());
            let intent = sample::intent(subject, restriction);
            let Ok(plan) = nft.plan(&intent) else { continue };
            let change = plan.change.join("\n");
            let receipt = nft
                .apply(&sample::approved(plan))
                .unwrap_or_else(|error| panic!("{error}: {intent:#?}\n{change}"));
            let holds = matches!(nft.state(&receipt).unwrap(), State::InForce(_));
            assert!(holds, "{change}");
            // Nothing of the plan before, which had the same name, is left.
            let listing = nft.listing(family).unwrap().unwrap();
            let sets = change.lines().filter(|line| line.starts_with("add set")).count();
            let removed = listing.removal(family.name(), "A-0001");
            let deletes = removed.iter().filter(|line| line.starts_with("delete set")).count();
            assert_eq!(deletes, sets, "{change}");
            taken += 1;
        }
        assert!(taken > 10, "{family:?}: {taken}");
    }
}
