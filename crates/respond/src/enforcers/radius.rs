//! RADIUS change of authorisation (RFC 5176): the switch or wireless controller to which a device is
//! attached gives its session another filter or VLAN.
//!
//! What a filter does is written on the switch and not here, so the configuration declares it: a
//! profile is used only where everything that has to go on is in what it declares.
//!
//! Session-Timeout is the dead man's switch, with Termination-Action RADIUS-Request: when the time is
//! over, the switch authenticates the device again and it gets what it always had, without being
//! thrown off. Ports are never bounced, since that drops everybody behind them, and sessions of
//! T0 and T1 are never disconnected.
//!
//! A session is named by the switch, by Calling-Station-Id and, where it is known, by
//! Acct-Session-Id: then a device that was authenticated again meanwhile is not mistaken for its
//! earlier session, and a switch that identifies sessions by that alone finds it.
//!
//! A switch cannot be asked what it does: RFC 5176 has no such question. [`State::Unknown`] is the
//! answer, unless accounting said that the session is over; otherwise traffic says.

mod packet;
mod session;

#[cfg(test)]
mod live;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::device::Tier;
use model::net::Mac;
use serde::{Deserialize, Serialize};

pub use self::session::{Naming, Session};

use self::packet::{Answer, Code, LONGEST, NO_SESSION, Request, SESSION_REMOVED};
use self::session::{Named, Told};
use super::halves::covers;
use super::outlet::Outlet;
use super::{expiry, is_plain};
use crate::enforce::{EnforceError, Enforcer, Receipt, State};
use crate::level::Level;
use crate::plan::{Approved, Intent, Plan};
use crate::range::Range;
use crate::restriction::{Pattern, Restriction};
use crate::subject::Subject;

/// Its name.
pub const NAME: &str = "radius";
/// The attribute that names a session.
const SESSION_ID: &str = "Acct-Session-Id";
/// How long each try waits. The same packet is sent each time, so that whoever got the first knows
/// the second as a repetition (RFC 5176, 2.3; RFC 5080, 2.2.1).
const TRIES: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1_000), Duration::from_millis(1_500)];

/// What a session is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// A filter that the switch knows by this name.
    FilterId(String),
    /// A VLAN.
    Vlan(u16),
    /// To be authenticated again, by Cisco's attribute; to release only.
    Reauthenticate,
    /// The end of the session, to release only, and never of a T0 or T1 device.
    Disconnect,
}

/// What a filter or VLAN does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What is sent.
    pub send: Grant,
    /// What it lets through; for essentials.
    #[serde(default)]
    pub allow: Vec<Pattern>,
    /// Who reaches the device and is reached; for quarantine.
    #[serde(default)]
    pub management: Vec<Range>,
}

/// How `Calling-Station-Id` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// `00-10-A4-23-19-C0` (RFC 3580, 3.21).
    #[default]
    Hyphens,
    /// `00:10:a4:23:19:c0`.
    Colons,
    /// `0010a42319c0`.
    Plain,
    /// `0010.a423.19c0`.
    Dots,
}

/// Configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadiusConfig {
    /// Where requests go: usually port 3799.
    pub server: SocketAddr,
    /// File with the shared secret.
    pub secret_file: PathBuf,
    /// NAS-IP-Address of the switch or controller.
    pub nas: Ipv4Addr,
    /// How Ethernet addresses are written there.
    #[serde(default)]
    pub calling_station_id: Style,
    /// Whether requests carry Acct-Session-Id.
    #[serde(default)]
    pub session_id: Naming,
    /// Accounting as FreeRADIUS writes it down (a `detail` file), from which sessions are known.
    #[serde(default)]
    pub accounting: Option<PathBuf>,
    /// Sessions that are known without.
    #[serde(default)]
    pub sessions: Vec<Session>,
    /// What may be sent, the first that fits.
    pub profiles: Vec<Profile>,
    /// How a device is released.
    pub release: Grant,
}

impl RadiusConfig {
    /// What is wrong with it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        let grants = self.profiles.iter().map(|profile| &profile.send);
        for grant in grants.clone().chain([&self.release]) {
            match grant {
                Grant::FilterId(name) if !packet::is_text(name) => {
                    return Err("filter_id: 1 to 240 characters without quotation marks".to_owned());
                }
                Grant::Vlan(vlan) if !(1..=4_094).contains(vlan) => {
                    return Err(format!("vlan: {vlan} is none, they go from 1 to 4094"));
                }
                _ => {}
            }
        }
        for grant in grants {
            if matches!(grant, Grant::Reauthenticate | Grant::Disconnect) {
                return Err("profiles: 'send' has to be a filter_id or a vlan".to_owned());
            }
        }
        self.sessions.iter().try_for_each(Session::check)?;
        if self.profiles.is_empty() {
            return Err("profiles: name at least one".to_owned());
        }
        Ok(())
    }
}

/// The enforcer.
pub struct Radius {
    config: RadiusConfig,
    secret: Vec<u8>,
    outlet: Outlet,
}

impl Radius {
    /// One that goes out through `outlet`. The configuration has been checked.
    pub const fn new(config: RadiusConfig, secret: Vec<u8>, outlet: Outlet) -> Self {
        Self { config, secret, outlet }
    }

    /// What names the session of a device beside its Ethernet address.
    fn named(&self, mac: Mac) -> Named {
        let configured = self.config.sessions.iter().find(|session| session.mac == mac);
        let configured = configured.map(|session| Named {
            id: session.acct_session_id.clone(),
            station: session.calling_station_id.clone(),
        });
        let told = self.told(mac).filter(|told| !told.stopped).map(|told| told.named);
        let (one, other) = (configured.unwrap_or_default(), told.unwrap_or_default());
        Named { id: one.id.or(other.id), station: one.station.or(other.station) }
    }

    /// What accounting said last of a device.
    fn told(&self, mac: Mac) -> Option<Told> {
        let text = session::read(self.config.accounting.as_ref()?);
        session::last(&text, mac, self.config.nas)
    }

    /// Whose session: lines that identify it. All of them have to fit (RFC 5176, 3).
    fn session(&self, mac: Mac) -> Result<Vec<String>, String> {
        let [a, b, c, d, e, f] = mac.0;
        let Named { id, station } = self.named(mac);
        let text = station.unwrap_or_else(|| match self.config.calling_station_id {
            Style::Hyphens => format!("{a:02X}-{b:02X}-{c:02X}-{d:02X}-{e:02X}-{f:02X}"),
            Style::Colons => mac.to_string(),
            Style::Plain => format!("{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}"),
            Style::Dots => format!("{a:02x}{b:02x}.{c:02x}{d:02x}.{e:02x}{f:02x}"),
        });
        let mut lines = vec![
            format!("NAS-IP-Address = {}", self.config.nas),
            format!("Calling-Station-Id = \"{text}\""),
        ];
        match (self.config.session_id, id) {
            (Naming::Never, _) | (Naming::WhereKnown, None) => {}
            (Naming::Required, None) => {
                return Err("the device's session is not known: neither the configuration nor \
                            accounting names its Acct-Session-Id"
                    .to_owned());
            }
            (_, Some(id)) => lines.push(format!("{SESSION_ID} = \"{id}\"")),
        }
        Ok(lines)
    }

    fn change(&self, intent: &Intent, hold: Duration) -> Result<Vec<String>, String> {
        let mac = station(&intent.subject)?;
        let fits = |profile: &&Profile| is_enough(profile, &intent.restriction);
        let profile = self.config.profiles.iter().find(fits).ok_or(
            "no profile is declared to let through all that has to go on: add one to the \
             configuration",
        )?;
        let seconds = u32::try_from(hold.as_secs()).map_err(|_| "the time is too long")?;
        let mut lines = vec![Code::Change.name().to_owned()];
        lines.extend(self.session(mac)?);
        lines.extend(granted(&profile.send));
        lines.push(format!("Session-Timeout = {seconds}"));
        lines.push("Termination-Action = RADIUS-Request".to_owned());
        Ok(lines)
    }

    fn release(&self, subject: &Subject) -> Result<Vec<String>, String> {
        let mac = station(subject)?;
        let code = match self.config.release {
            Grant::Disconnect if subject.tier() <= Tier::T1 => {
                return Err(
                    "it would be released by disconnecting it, which no device of tier T0 \
                            or T1 may be: configure another release"
                        .to_owned(),
                );
            }
            Grant::Disconnect => Code::Disconnect,
            _ => Code::Change,
        };
        let mut lines = vec![code.name().to_owned()];
        lines.extend(self.session(mac)?);
        lines.extend(granted(&self.config.release));
        Ok(lines)
    }

    /// Sends and waits for the answer.
    fn ask(&self, lines: &[String]) -> Result<Answer, EnforceError> {
        let mut identifier = [0];
        getrandom::fill(&mut identifier).map_err(|error| unreachable(error.to_string()))?;
        // Event-Timestamp lets the far end refuse what somebody recorded and sends again.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        let request = packet::request(lines, identifier[0], now, &self.secret)
            .map_err(|why| refused(&why))?;
        self.exchange(&request).map_err(|error| unreachable(error.to_string()))?.ok_or_else(|| {
            let server = self.config.server;
            unreachable(format!("{server} gave no answer that carries the shared secret"))
        })
    }

    fn exchange(&self, request: &Request) -> std::io::Result<Option<Answer>> {
        let any = if self.config.server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.connect(self.config.server)?;
        for patience in TRIES {
            self.outlet.out();
            // A closed port is told at the next call: the far end may be starting.
            let _ = socket.send(&request.bytes);
            let begun = Instant::now();
            while let Some(left) = patience.checked_sub(begun.elapsed())
                && !left.is_zero()
            {
                socket.set_read_timeout(Some(left))?;
                let mut bytes = [0; LONGEST];
                match socket.recv(&mut bytes) {
                    Ok(size) => {
                        let answer =
                            request.answer(bytes.get(..size).unwrap_or_default(), &self.secret);
                        // What is forged is not listened to; the real one may still come.
                        if answer.is_some() {
                            return Ok(answer);
                        }
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(5).min(left)),
                }
            }
        }
        Ok(None)
    }
}

impl Enforcer for Radius {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can(&self, level: Level, intent: &Intent) -> bool {
        matches!(level, Level::L3 | Level::L4)
            && self.change(intent, intent.ttl).is_ok()
            && self.release(&intent.subject).is_ok()
    }

    fn plan(&self, intent: &Intent) -> Result<Plan, EnforceError> {
        let inexpressible = |why| EnforceError::Inexpressible { enforcer: NAME, why };
        if !is_plain(&intent.id) {
            return Err(inexpressible("the name of the action is not plain".to_owned()));
        }
        Ok(Plan {
            intent: intent.clone(),
            enforcer: NAME.to_owned(),
            change: self.change(intent, intent.ttl).map_err(inexpressible)?,
            undo: self.release(&intent.subject).map_err(inexpressible)?,
            dead_man: format!(
                "Session-Timeout: after at most {} s the switch authenticates the device again",
                intent.ttl.as_secs()
            ),
        })
    }

    fn apply(&self, approved: &Approved) -> Result<Receipt, EnforceError> {
        let plan = approved.plan();
        if plan.enforcer != NAME || self.plan(&plan.intent)? != *plan {
            return Err(refused("the plan was made for another configuration: plan again"));
        }
        let ttl = Duration::from_secs(expiry(NAME, approved)?.as_secs());
        let lines = self.change(&plan.intent, ttl).map_err(|why| refused(&why))?;
        match self.ask(&lines)? {
            Answer::Yes { signed } => Ok(Receipt {
                action: plan.intent.id.clone(),
                enforcer: NAME.to_owned(),
                handle: plan.intent.id.clone(),
                undo: plan.undo.clone(),
                ttl,
                // Without a Message-Authenticator somebody else may have said yes (CVE-2024-3596).
                acknowledged: signed,
            }),
            Answer::No { cause } => Err(said_no(cause)),
        }
    }

    /// The one thing that can be known without asking: accounting said that the very session is over,
    /// and the restriction with it.
    fn state(&self, receipt: &Receipt) -> Result<State, EnforceError> {
        let of = |name: &str| {
            let line = receipt.undo.iter().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        let station = of("Calling-Station-Id").and_then(session::ethernet);
        let (Some(id), Some(mac)) = (of(SESSION_ID), station) else { return Ok(State::Unknown) };
        let told = self.told(mac).filter(|told| told.stopped);
        let is_over = told.is_some_and(|told| told.named.id.as_deref() == Some(id));
        Ok(if is_over { State::Gone } else { State::Unknown })
    }

    fn revert(&self, receipt: &Receipt) -> Result<(), EnforceError> {
        match self.ask(&receipt.undo)? {
            Answer::Yes { signed: true } => Ok(()),
            Answer::Yes { signed: false } => Err(unreachable(
                "the answer carries no Message-Authenticator, so anybody may have given it".into(),
            )),
            // The session is over, and the restriction with it.
            Answer::No { cause: NO_SESSION | SESSION_REMOVED } => Ok(()),
            Answer::No { cause } => Err(said_no(cause)),
        }
    }

    /// The switch cannot be asked what it was told, so this takes back what receipts say. What has
    /// no receipt ends by Session-Timeout.
    fn revert_all(&self, receipts: &[Receipt]) -> Result<(), EnforceError> {
        let own: Vec<&Receipt> =
            receipts.iter().filter(|receipt| receipt.enforcer == NAME).collect();
        // All at once: one switch that does not answer must not hold up the others.
        let failed: Vec<EnforceError> = std::thread::scope(|scope| {
            let each: Vec<_> =
                own.iter().map(|receipt| scope.spawn(|| self.revert(receipt))).collect();
            each.into_iter().filter_map(|one| one.join().ok()?.err()).collect()
        });
        failed.into_iter().next().map_or(Ok(()), Err)
    }
}

fn station(subject: &Subject) -> Result<Mac, String> {
    subject
        .mac
        .filter(|mac| mac.is_station())
        .ok_or_else(|| "the device's own Ethernet address is not known".to_owned())
}

/// Whether everything that has to go on is declared to go on.
fn is_enough(profile: &Profile, restriction: &Restriction) -> bool {
    match restriction {
        Restriction::Essentials { allow } => {
            profile.management.is_empty()
                && allow.iter().all(|need| profile.allow.iter().any(|given| holds(given, need)))
        }
        Restriction::Quarantine { management } => {
            profile.allow.is_empty()
                && management
                    .iter()
                    .all(|need| profile.management.iter().any(|given| covers(*given, *need)))
        }
        Restriction::Block { .. } | Restriction::Perimeter { .. } => false,
    }
}

/// Whether every conversation of `need` is one of `given`.
fn holds(given: &Pattern, need: &Pattern) -> bool {
    given.way == need.way
        && covers(given.peer, need.peer)
        && (given.proto.is_none() || given.proto == need.proto)
        && (given.port.is_none() || given.port == need.port)
}

fn granted(grant: &Grant) -> Vec<String> {
    match grant {
        Grant::FilterId(name) => vec![format!("Filter-Id = \"{name}\"")],
        Grant::Vlan(vlan) => vec![
            "Tunnel-Type = VLAN".to_owned(),
            "Tunnel-Medium-Type = IEEE-802".to_owned(),
            format!("Tunnel-Private-Group-Id = \"{vlan}\""),
        ],
        Grant::Reauthenticate => {
            vec!["Cisco-AVPair = \"subscriber:command=reauthenticate\"".to_owned()]
        }
        Grant::Disconnect => Vec::new(),
    }
}

fn said_no(cause: u32) -> EnforceError {
    refused(&format!("{} (Error-Cause {cause})", packet::cause(cause)))
}

fn refused(why: &str) -> EnforceError {
    EnforceError::Refused { enforcer: NAME, why: why.to_owned() }
}

const fn unreachable(why: String) -> EnforceError {
    EnforceError::Unreachable { enforcer: NAME, why }
}
