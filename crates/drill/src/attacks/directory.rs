//! Empties the directory: reads every account, group and computer, or collects the tickets of all
//! services to guess their passwords at leisure.

use crate::app::kerberos::{AES, RC4};
use crate::app::ldap::{self, Filter};
use crate::net::tcp::Side;
use crate::normal::{newer, web};
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::{MS, Nanos};
use crate::world::HostId;

const SOURCES: [Role; 3] = [Role::Nurse, Role::Reading, Role::Ct];

/// Searches the whole directory once, which answers with so many entries.
fn read_all(
    scene: &mut Scene<'_>,
    at: Nanos,
    actor: HostId,
    searches: &[(&Filter<'_>, &str, usize)],
) -> Option<Nanos> {
    let base = newer::base(scene.w);
    let mut tcp = newer::directory(scene.w, at, actor)?;
    for (id, &(filter, kind, count)) in (2..).zip(searches) {
        let ask = ldap::search(id, &base, filter, &["*"]);
        let mut found = vec![];
        for n in 0..count {
            let name = format!("CN={kind}{n:04},OU=Site,{base}");
            let (account, service) = (format!("{kind}{n:04}"), format!("http/{kind}{n:04}"));
            let attributes =
                [("sAMAccountName", account.as_str()), ("servicePrincipalName", service.as_str())];
            found.extend(ldap::entry(id, &name, &attributes));
        }
        found.extend(ldap::done(id));
        web::exchange(scene.w, &mut tcp, &ask, &found);
        let wait = scene.between(200 * MS);
        tcp.pause(scene.w, wait);
    }
    Some(tcp.close(scene.w, Side::Client))
}

/// Reads every account, group and computer.
pub(crate) fn dump(scene: &mut Scene<'_>) -> Option<Story> {
    let server = scene.w.services.dns?;
    let actor = scene.attacker(&SOURCES);
    // Even a small hospital has some thousand accounts, most of people who left.
    let count = scene.count(1_200);
    let people = [Filter::Equal("objectCategory", "person"), Filter::Equal("objectClass", "user")];
    let searches = [
        (&Filter::And(&people), "user", count),
        (&Filter::Equal("objectClass", "group"), "group", count / 4),
        (&Filter::Equal("objectClass", "computer"), "computer", count / 2),
        (&Filter::Present("objectClass"), "object", count),
    ];
    read_all(scene, scene.now, actor, &searches)?;
    Some(scene.story("the whole directory read over ldap", actor, vec![server]))
}

/// Looks for accounts of services and gets a ticket of each in the old encryption.
pub(crate) fn roasting(scene: &mut Scene<'_>) -> Option<Story> {
    let server = scene.w.services.dns?;
    let actor = scene.attacker(&SOURCES);
    let count = scene.count(30);
    let has = [Filter::Equal("objectClass", "user"), Filter::Present("servicePrincipalName")];
    let mut now = read_all(scene, scene.now, actor, &[(&Filter::And(&has), "svc", count)])?;
    let user = scene.w.hosts[actor].user.clone();
    now = newer::tickets(scene.w, now, actor, &user, &[(None, AES)]);
    for n in 0..count {
        let service = format!("http/svc{n:04}");
        now = newer::tickets(scene.w, now, actor, &user, &[(Some(&service), RC4)]);
        now += scene.between(100 * MS);
    }
    Some(scene.story("tickets of all services collected", actor, vec![server]))
}
