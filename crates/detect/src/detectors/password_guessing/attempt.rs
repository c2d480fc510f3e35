//! Which observations are attempts to log on, where, and how they went.

use model::observation::Observation;
use serde::{Deserialize, Serialize};

/// Where somebody logs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Service {
    Http,
    Ftp,
    Telnet,
    Vnc,
    Ssh,
    Smb,
    Mqtt,
    LogOn,
    Remote,
    /// SSH where the outcome can be told after all.
    SshOutcome,
    Kerberos,
    Ldap,
    Mail,
    Token,
}

impl Service {
    /// What a person calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Ftp => "FTP",
            Self::Telnet => "Telnet",
            Self::Vnc => "VNC",
            Self::Ssh | Self::SshOutcome => "SSH",
            Self::Kerberos => "Kerberos",
            Self::Ldap => "LDAP",
            Self::Mail => "mail",
            Self::Token => "access tokens",
            Self::Smb => "SMB",
            Self::Mqtt => "MQTT",
            Self::LogOn => "log-on",
            Self::Remote => "remote control",
        }
    }
}

/// How it went.
pub(super) enum Outcome {
    Failure,
    Success,
    /// It is encrypted.
    Hidden,
}

/// The attempt that an observation tells of.
pub(super) fn attempt(o: &Observation) -> Option<(Service, Outcome)> {
    match o.kind.name {
        "http.response" => {
            let tried = o.str("auth").is_some_and(|auth| auth != "none");
            match o.uint("status")? {
                // NTLM takes several rounds of 401 for one log-on: the last of them names the user.
                // Kerberos names nobody here.
                401 | 403
                    if tried
                        && (!matches!(o.str("auth"), Some("ntlm" | "negotiate"))
                            || o.str("user").is_some()) =>
                {
                    Some((Service::Http, Outcome::Failure))
                }
                200..=399 if tried => Some((Service::Http, Outcome::Success)),
                _ => None,
            }
        }
        "remote.login" => {
            let service = match o.str("service")? {
                "ftp" => Service::Ftp,
                "telnet" => Service::Telnet,
                "vnc" => Service::Vnc,
                _ => Service::Remote,
            };
            match o.str("outcome")? {
                "failure" => Some((service, Outcome::Failure)),
                "success" => Some((service, Outcome::Success)),
                _ => None,
            }
        }
        "remote.session" => (o.str("service")? == "ssh").then_some((Service::Ssh, Outcome::Hidden)),
        "smb.session" => match o.str("outcome")? {
            "failure" => Some((Service::Smb, Outcome::Failure)),
            "success" if !o.flag("anonymous") => Some((Service::Smb, Outcome::Success)),
            _ => None,
        },
        "mqtt.connect" => match (o.str("outcome")?, o.uint("reason")) {
            // Bad user name or password, not authorised: 4 and 5 in 3.1.1, 0x86 and 0x87 in 5.0.
            ("refused", Some(4 | 5 | 0x86 | 0x87)) => Some((Service::Mqtt, Outcome::Failure)),
            ("accepted", _) => Some((Service::Mqtt, Outcome::Success)),
            _ => None,
        },
        "log.login" => match o.str("outcome")? {
            "failure" => Some((Service::LogOn, Outcome::Failure)),
            "success" => Some((Service::LogOn, Outcome::Success)),
            _ => None,
        },
        "kerberos.exchange" if o.str("request")? == "as" => {
            match (o.str("outcome")?, o.uint("code")) {
                // Unknown name, locked or expired, wrong password (RFC 4120, 7.5.9); others are of
                // clocks, networks and tickets.
                ("failure", Some(6 | 18 | 24)) => Some((Service::Kerberos, Outcome::Failure)),
                ("success", _) if o.flag("preauth") => Some((Service::Kerberos, Outcome::Success)),
                _ => None,
            }
        }
        "ldap.bind" if o.str("method")? != "anonymous" => match (o.str("outcome")?, o.uint("code"))
        {
            ("failure", Some(49)) => Some((Service::Ldap, Outcome::Failure)),
            ("success", _) => Some((Service::Ldap, Outcome::Success)),
            _ => None,
        },
        "smtp.login" => match o.str("outcome")? {
            "failure" => Some((Service::Mail, Outcome::Failure)),
            "success" => Some((Service::Mail, Outcome::Success)),
            _ => None,
        },
        "ssh.authentication" => match o.str("outcome")? {
            "failure" => Some((Service::SshOutcome, Outcome::Failure)),
            "success" => Some((Service::SshOutcome, Outcome::Success)),
            _ => None,
        },
        // A token that has run out is refused with 400; only passwords and secrets are guessed.
        "oauth.token" => match (o.str("grant")?, o.uint("status")?) {
            ("password", 400 | 401) | ("client_credentials", 401) => {
                Some((Service::Token, Outcome::Failure))
            }
            ("password" | "client_credentials", 200..=299) => {
                Some((Service::Token, Outcome::Success))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The account that was tried.
pub(super) fn account(o: &Observation) -> Option<&str> {
    match o.kind.name {
        "kerberos.exchange" => o.str("client"),
        // Neither names one: an access token is for a program.
        "ssh.authentication" | "oauth.token" => None,
        _ => o.str("user"),
    }
}

/// How many attempts are told of at once.
pub(super) fn times(o: &Observation) -> u32 {
    let times = match o.kind.name {
        "log.login" => o.uint("count").unwrap_or(1).max(1),
        // A client offers each of its keys before it asks for a password: that is one attempt, and
        // some more.
        "ssh.authentication" => o.uint("failures").unwrap_or(1).clamp(1, 2),
        _ => 1,
    };
    u32::try_from(times).unwrap_or(u32::MAX)
}
