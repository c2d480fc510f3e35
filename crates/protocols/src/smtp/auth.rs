//! Log-ons (RFC 4954): lines of base64, by mechanism. Passwords are compared with published defaults
//! here and go no further.

use base64::Engine;
use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;

use super::LOGIN;
use crate::credentials::{self, BASE64};
use crate::ntlm;

/// Lines of a client in one log-on.
const MOST_LINES: u8 = 8;
const LONGEST_MECHANISM: usize = 32;
const LONGEST_USER: usize = 256;

/// A log-on under way.
#[derive(Debug, Default)]
pub(super) struct Auth {
    mechanism: Box<[u8]>,
    lines: u8,
    user: Box<[u8]>,
    domain: String,
    workstation: String,
    ntlm_version: Option<u8>,
    clear: bool,
    default: Option<bool>,
}

impl Auth {
    /// The mechanism, and the first response where it comes along.
    pub(super) fn begin(argument: &[u8]) -> Self {
        let argument = argument.trim_ascii();
        let end = argument.iter().position(|&byte| byte == b' ').unwrap_or(argument.len());
        let (mechanism, first) = argument.split_at_checked(end).unwrap_or_default();
        let mechanism = mechanism.get(..LONGEST_MECHANISM).unwrap_or(mechanism);
        let mut auth = Self { mechanism: mechanism.to_ascii_uppercase().into(), ..Self::default() };
        if !first.trim_ascii().is_empty() {
            auth.line(first);
        }
        auth
    }

    /// The client's next line; false where there are too many.
    pub(super) fn line(&mut self, line: &[u8]) -> bool {
        self.lines = self.lines.saturating_add(1);
        let decoded = BASE64.decode(line.trim_ascii()).unwrap_or_default();
        match (&*self.mechanism, self.lines) {
            // Whom to act as, who one is, password (RFC 4616).
            (b"PLAIN", _) => {
                let mut parts = decoded.splitn(3, |&byte| byte == 0).skip(1);
                if let (Some(user), Some(password)) = (parts.next(), parts.next()) {
                    self.named(user);
                    self.password(password);
                }
            }
            (b"LOGIN", 1) => self.named(&decoded),
            (b"LOGIN", 2) => self.password(&decoded),
            // The name, a space, and the answer to the challenge (RFC 2195).
            (b"CRAM-MD5" | b"CRAM-SHA1", _) => {
                let end = decoded.iter().rposition(|&byte| byte == b' ').unwrap_or(0);
                self.named(decoded.get(..end).unwrap_or_default());
            }
            // Mechanisms of Google and Microsoft: pairs with bytes of one between.
            (b"XOAUTH2" | b"OAUTHBEARER", _) => {
                let mut parts = decoded.split(|&byte| byte == 1);
                if let Some(user) = parts.find_map(|part| part.strip_prefix(b"user=")) {
                    self.named(user);
                }
            }
            (b"NTLM" | b"GSSAPI" | b"GSS-SPNEGO", _) => {
                if let Some(who) = ntlm::authenticate(&decoded) {
                    self.named(who.user.as_bytes());
                    (self.domain, self.workstation) = (who.domain, who.workstation);
                    self.ntlm_version = Some(who.version);
                }
            }
            _ => {}
        }
        self.lines < MOST_LINES
    }

    fn named(&mut self, user: &[u8]) {
        self.user = user.get(..LONGEST_USER).unwrap_or(user).into();
    }

    fn password(&mut self, password: &[u8]) {
        self.clear = true;
        self.default = Some(credentials::is_default(&self.user, password));
    }

    /// The server's challenge, which with NTLM says who it is.
    pub(super) fn challenged(&self, text: &[u8], out: &mut Emit<'_>) {
        let decoded = BASE64.decode(text.trim_ascii()).unwrap_or_default();
        ntlm::say_challenge("smtp", &decoded, Direction::Reverse, out);
    }

    /// Says the log-on, with the reply that ended it where there was one.
    pub(super) fn say(&self, code: Option<u16>, out: &mut Emit<'_>) {
        let outcome = match code {
            Some(200..=299) => "success",
            Some(400..=599) => "failure",
            _ => "unknown",
        };
        out.observe(&LOGIN, Direction::Forward)
            .text("mechanism", &self.mechanism)
            .text("user", &self.user)
            .text("domain", self.domain.as_bytes())
            .text("workstation", self.workstation.as_bytes())
            .value("ntlm_version", self.ntlm_version.map(u64::from).map(Value::Uint))
            .flag("clear_text_password", self.clear)
            .value("default_credential", self.default.map(Value::Bool))
            .word("outcome", outcome)
            .value("code", code.map(u64::from).map(Value::Uint))
            .emit();
    }
}
