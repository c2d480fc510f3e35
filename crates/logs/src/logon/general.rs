//! Words for a log-on that many programs share, such as `login failed for user X from ADDRESS`.
//!
//! Only an account that is named as one (`user X`, `user=X`) is taken: any other word of a free
//! text could be a patient's name.

use super::{Logon, Origin, Outcome, account, address, remote, value};

const FAILURE: [&str; 17] = [
    "login failed",
    "failed login",
    "login failure",
    "logon failed",
    "failed logon",
    "logon failure",
    "log-in failed",
    "log-on failed",
    "authentication failed",
    "authentication failure",
    "failed to authenticate",
    "failed to log in",
    "failed to log on",
    "failed to login",
    "invalid password",
    "incorrect password",
    "wrong password",
];

const SUCCESS: [&str; 10] = [
    "login succeeded",
    "login successful",
    "successful login",
    "successful logon",
    "logon successful",
    "logged in",
    "logged on",
    "login permitted",
    "authentication succeeded",
    "authentication successful",
];

const LOGOFF: [&str; 4] = ["logged out", "logged off", "logout successful", "user logout"];

/// Texts that hold such words and tell of no attempt.
const NOT: [&str; 6] = [
    "not logged in",
    "not logged on",
    "more authentication failure",
    "no login",
    "last login",
    "if logged in",
];

/// Longest text that is searched, in bytes.
const MAX_TEXT: usize = 4_096;

pub(super) fn recognise<'a>(service: &'a str, text: &'a str) -> Option<Logon<'a>> {
    let text = text.get(..text.floor_char_boundary(MAX_TEXT))?;
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&NOT) {
        return None;
    }
    let outcome = if has(&FAILURE) {
        Outcome::Failure
    } else if has(&SUCCESS) {
        Outcome::Success
    } else if has(&LOGOFF) {
        Outcome::Logoff
    } else {
        return None;
    };
    let logon = Logon::new(outcome, service);
    Some(Logon { user: user(text, &lower), from: origin(text, &lower), ..logon })
}

/// The account after `user`, `username` or `account`.
fn user<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    for key in ["user", "username", "acct", "account", "login", "User", "UserName", "Username"] {
        if let Some(user) = value(text, key).and_then(account) {
            return Some(user);
        }
    }
    for label in
        ["user name ", "username ", "user ", "username: ", "user: ", "account ", "account: "]
    {
        let Some(at) = lower.find(label) else { continue };
        let rest = text.get(at.saturating_add(label.len())..)?.trim_start();
        let word = match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => rest.get(1..)?.split(quote).next()?,
            _ => rest.split([' ', ',', ';', ')']).next()?,
        };
        let is_verb = ["logged", "has", "failed", "from", "login", "name", "is", "was", "not"]
            .iter()
            .any(|verb| word.eq_ignore_ascii_case(verb));
        if let Some(user) = account(word).filter(|_| !is_verb) {
            return Some(user);
        }
    }
    None
}

/// The address after a key or after `from`, the last one where there are several.
fn origin<'a>(text: &'a str, lower: &str) -> Origin<'a> {
    for key in ["rhost", "rip", "ip", "src", "srcip", "client", "addr", "address", "host", "from"] {
        if let Some(found @ Origin::Remote(_)) = value(text, key).map(remote) {
            return found;
        }
    }
    for label in
        ["[client: ", " from ip ", " from address ", " from host ", " from ", " at ", " by "]
    {
        let Some(at) = lower.rfind(label) else { continue };
        let rest = text.get(at.saturating_add(label.len())..).unwrap_or_default();
        let word = rest.split_whitespace().next().unwrap_or_default();
        let word = word.trim_matches(['\'', '"', ',', ';', '(', ')', '.', '<', '>']);
        // A bare word after "from" may be anything; only an address is certain.
        if let Some(address) = address(word) {
            return Origin::Remote(address);
        }
    }
    Origin::Unknown
}
