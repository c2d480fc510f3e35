//! Words of sshd, dropbear, PAM, su, sudo, login, FTP servers and BusyBox.

use super::{Logon, Outcome, account, between, value};

/// Programs that tell of each attempt in their own words, besides PAM's.
const OWN_WORDS: [&str; 7] =
    ["sshd", "sshd-session", "sshd-auth", "sudo", "login", "dropbear", "systemd-logind"];

/// Services whose sessions are timers and not people.
const TIMERS: [&str; 6] = ["cron", "crond", "CRON", "atd", "systemd-user", "anacron"];

/// Whether the general words are not looked for in what this program writes.
pub(super) fn owns(service: &str) -> bool {
    OWN_WORDS.contains(&service) || TIMERS.contains(&service)
}

pub(super) fn recognise<'a>(app: &'a str, service: &'a str, text: &'a str) -> Option<Logon<'a>> {
    if let Some(logon) = pam(app, service, text) {
        return logon;
    }
    match service {
        "sshd" | "sshd-session" | "sshd-auth" => sshd(text),
        "dropbear" => dropbear(text),
        "sudo" => sudo(text),
        "su" => su(text),
        "login" => login(text),
        _ if service.contains("ftpd") => ftp(service, text),
        _ => None,
    }
}

/// `Failed password for [invalid user ]NAME from ADDRESS port N`, and the same with `Accepted`.
fn sshd(text: &str) -> Option<Logon<'_>> {
    let (outcome, rest) = if let Some(rest) = text.strip_prefix("Failed ") {
        (Outcome::Failure, rest)
    } else {
        (Outcome::Success, text.strip_prefix("Accepted ")?)
    };
    let (_method, rest) = rest.split_once(" for ")?;
    let (user, from) = rest.rsplit_once(" from ")?;
    let user = user.strip_prefix("invalid user ").unwrap_or(user);
    Some(Logon::new(outcome, "sshd").user(user).from(first_word(from)))
}

/// `Bad password attempt for 'NAME' from ADDRESS:PORT`, `Password auth succeeded for 'NAME' from ...`.
fn dropbear(text: &str) -> Option<Logon<'_>> {
    let lower = |word: &str| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    let (outcome, named) = if lower("bad password attempt for ") {
        (Outcome::Failure, true)
    } else if lower("login attempt for nonexistent user") {
        (Outcome::Failure, false)
    } else if text.contains(" auth succeeded for ") {
        (Outcome::Success, true)
    } else {
        return None;
    };
    let (before, from) = text.rsplit_once(" from ")?;
    let logon = Logon::new(outcome, "dropbear").from(first_word(from));
    let user = before.split_once(" for ").map(|(_, user)| user).filter(|_| named);
    let user = user.map(|user| user.split("' with key").next().unwrap_or(user));
    Some(user.map_or(logon, |user| logon.user(user)))
}

/// `NAME : TTY=... ; USER=root ; COMMAND=...`, and why not.
fn sudo(text: &str) -> Option<Logon<'_>> {
    let (user, rest) = text.trim_start().split_once(" : ")?;
    let refused = rest.contains("incorrect password attempt")
        || rest.starts_with("user NOT in sudoers")
        || rest.starts_with("user NOT authorized")
        || rest.starts_with("command not allowed")
        || rest.starts_with("a password is required");
    let outcome = match refused {
        true => Outcome::Failure,
        false if rest.contains("COMMAND=") => Outcome::Success,
        false => return None,
    };
    Some(Logon::new(outcome, "sudo").user(user).local())
}

/// BSD's own words; elsewhere PAM tells.
fn su(text: &str) -> Option<Logon<'_>> {
    let (user, _) = text.strip_prefix("BAD SU ")?.split_once(" to ")?;
    Some(Logon::new(Outcome::Failure, "su").user(user).local())
}

/// util-linux: `FAILED LOGIN 1 FROM tty1 FOR root, ...`, `LOGIN ON tty1 BY root [FROM host]`,
/// `ROOT LOGIN ON tty1 [FROM host]`. BusyBox: `invalid password for 'root' on 'pts/0' from 'host'`,
/// `root login on 'pts/0'`.
fn login(text: &str) -> Option<Logon<'_>> {
    if text.starts_with("FAILED LOGIN ") {
        let (before, user) = text.rsplit_once(" FOR ")?;
        let from = between(before, " FROM ", " ").filter(|from| !is_terminal(from));
        let logon = Logon::new(Outcome::Failure, "login");
        let logon = match from {
            Some(from) => logon.from(from),
            None => logon.local(),
        };
        return Some(logon.user(user.split(',').next().unwrap_or(user)));
    }
    if let Some(rest) = text.strip_prefix("ROOT LOGIN ") {
        let logon = Logon::new(Outcome::Success, "login").user("root");
        return Some(match rest.split_once(" FROM ") {
            Some((_, from)) => logon.from(first_word(from)),
            None => logon.local(),
        });
    }
    if let Some(rest) = text.strip_prefix("LOGIN ON ") {
        let (_, user) = rest.split_once(" BY ")?;
        let (user, from) = user.rsplit_once(" FROM ").unwrap_or((user, ""));
        let logon = Logon::new(Outcome::Success, "login").user(user);
        return Some(if from.is_empty() { logon.local() } else { logon.from(first_word(from)) });
    }
    let (outcome, user) = if let Some(rest) = text.strip_prefix("invalid password for ") {
        (Outcome::Failure, rest.split(" on ").next()?)
    } else {
        (Outcome::Success, text.split_once(" login on ")?.0)
    };
    let logon = Logon::new(outcome, "login").user(user);
    Some(match text.rsplit_once(" from ") {
        Some((_, from)) => logon.from(first_word(from)),
        None => logon.local(),
    })
}

/// vsftpd: `[user] FAIL LOGIN: Client "address"`. Others: `FTP LOGIN FROM host, user`,
/// `FTP LOGIN FAILED FROM host, user`.
fn ftp<'a>(service: &'a str, text: &'a str) -> Option<Logon<'a>> {
    for (words, outcome) in
        [(" FAIL LOGIN: Client ", Outcome::Failure), (" OK LOGIN: Client ", Outcome::Success)]
    {
        if let Some((before, client)) = text.split_once(words) {
            let user = before.rsplit('[').next().unwrap_or_default();
            return Some(Logon::new(outcome, service).user(user).from(first_word(client)));
        }
    }
    let (outcome, rest) = if let Some((_, rest)) = text.split_once("FTP LOGIN FAILED FROM ") {
        (Outcome::Failure, rest)
    } else {
        (Outcome::Success, text.split_once("FTP LOGIN FROM ")?.1)
    };
    let (from, user) = rest.split_once(',')?;
    Some(
        Logon::new(outcome, service)
            .user(user.trim().trim_matches(['(', ')']))
            .from(first_word(from)),
    )
}

/// PAM, by itself or in another program's name. `Some(None)`: it is PAM's line, and it says nothing
/// that its program does not say too.
fn pam<'a>(app: &'a str, service: &'a str, text: &'a str) -> Option<Option<Logon<'a>>> {
    // Today `pam_unix(sshd:auth): text`, long ago `sshd(pam_unix)[1]: text`.
    let (service, facility, says) = match text.strip_prefix("pam_") {
        Some(rest) => {
            let (module, says) = rest.split_once("): ")?;
            let (service, facility) = module.split_once('(')?.1.split_once(':')?;
            (service, facility, says)
        }
        None if app.ends_with("(pam_unix)") => (service, "", text),
        None => return None,
    };
    let current = !facility.is_empty();
    if TIMERS.contains(&service) {
        return Some(None);
    }
    if says.starts_with("authentication failure;") {
        if current && owns(service) {
            return Some(None);
        }
        let logon = Logon::new(Outcome::Failure, service);
        let logon = match value(says, "rhost").filter(|host| !host.is_empty()) {
            Some(host) => logon.from(host),
            None => logon.local(),
        };
        let user = value(says, "user").and_then(account).or_else(|| account(value(says, "ruser")?));
        return Some(Some(Logon { user, ..logon }));
    }
    if let Some(rest) = says.strip_prefix("session opened for user ") {
        if service == "sshd" || (current && owns(service)) {
            return Some(None);
        }
        let user = first_word(rest).split('(').next().unwrap_or_default();
        return Some(Some(Logon::new(Outcome::Success, service).user(user).local()));
    }
    if let Some(rest) = says.strip_prefix("session closed for user ") {
        // A sudo session is one command; its end is nobody's leaving.
        let logoff = Logon::new(Outcome::Logoff, service).user(first_word(rest));
        return Some((service != "sudo").then_some(logoff));
    }
    Some(None)
}

fn is_terminal(word: &str) -> bool {
    ["tty", "pts/", "/dev/", "(null)", "console"].iter().any(|start| word.starts_with(start))
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}
