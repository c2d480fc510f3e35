//! Calls over HTTP, in clear or in TLS, inside and to the Internet.

use crate::app::{http, tls};
use crate::net::tcp::{Side, Tcp};
use crate::normal::housekeeping;
use crate::time::{MS, Nanos};
use crate::world::{HostId, Service, World};

/// A host on the Internet by name.
pub(crate) fn outside(w: &World, name: &str) -> Option<HostId> {
    (0..w.hosts.len()).find(|&h| w.hosts[h].external && w.hosts[h].name == name)
}

/// Opens a conversation with a service, sealed where the service is.
pub(crate) fn open(w: &mut World, at: Nanos, client: HostId, service: Service) -> Tcp {
    let mut tcp = Tcp::open(w, at, client, service.at());
    if service.tls {
        let name = w.fqdn(service.host);
        tls::handshake(w, &mut tcp, &name);
    }
    tcp
}

/// One question and its answer on an open conversation, with time to think between them.
pub(crate) fn exchange(w: &mut World, tcp: &mut Tcp, ask: &[u8], answer: &[u8]) {
    tcp.up(w, ask);
    let think = w.rng.between(1, 25) * MS;
    tcp.pause(w, think);
    tcp.down(w, answer);
}

/// GET of a path on a service inside, answered with a body; on a conversation of its own.
pub(crate) fn get(
    w: &mut World,
    at: Nanos,
    client: HostId,
    service: Service,
    path: &str,
    answer: (&str, &[u8]),
) -> Nanos {
    let mut tcp = open(w, at, client, service);
    let (host, agent) = (w.fqdn(service.host), agent(w, client));
    let ask = http::request("GET", path, &host, &agent, &[], &[]);
    let (kind, body) = answer;
    exchange(w, &mut tcp, &ask, &http::response("200 OK", "nginx/1.22.1", kind, &[], body));
    tcp.close(w, Side::Client)
}

/// How a host names itself to servers.
pub(crate) fn agent(w: &World, host: HostId) -> String {
    if w.hosts[host].role.is_desk() {
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
            .into()
    } else {
        format!("{}/{}", w.hosts[host].model, 1 + host % 7)
    }
}

/// Looks a name up and calls it over TLS: so much up, so much down, in a few turns.
pub(crate) fn call(
    w: &mut World,
    at: Nanos,
    host: HostId,
    name: &str,
    up: usize,
    down: usize,
    turns: usize,
) -> Nanos {
    let Some(server) = outside(w, name) else { return at };
    let at = housekeeping::lookup(w, at, host, name);
    let mut tcp = Tcp::open(w, at, host, (server, 443));
    tls::handshake(w, &mut tcp, name);
    for _ in 0..turns.max(1) {
        let (up, down) = (vec![0; up / turns.max(1)], vec![0; down / turns.max(1)]);
        exchange(w, &mut tcp, &up, &down);
        let read = w.rng.between(10, 700) * MS;
        tcp.pause(w, read);
    }
    tcp.close(w, Side::Client)
}
