//! One signed request, tried a few times.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

use crate::enforcers::outlet::Outlet;

/// What is waited after each try. With the longest tries it stays below what `halt` may take.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];
/// Longest try.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Most of an answer that is read, in bytes.
const MOST: u64 = 64 << 10;

/// Nobody said yes.
pub(super) enum Unanswered {
    /// Somebody said no.
    Refused(String),
    /// Nobody said anything that counts.
    Unreachable(String),
}

/// Where requests go.
pub(super) struct Post {
    agent: Agent,
    url: String,
    secret: Vec<u8>,
    outlet: Outlet,
}

impl Post {
    /// # Errors
    /// When the certificates are none.
    pub(super) fn new(
        url: String,
        secret: Vec<u8>,
        authorities: &[u8],
        outlet: Outlet,
    ) -> Result<Self, String> {
        let mut roots: Vec<Certificate<'static>> = Vec::new();
        for item in ureq::tls::parse_pem(authorities) {
            let item = item.map_err(|error| format!("ca_file: {error}"))?;
            if let PemItem::Certificate(certificate) = item {
                roots.push(certificate);
            }
        }
        let https = url.starts_with("https:");
        if https && roots.is_empty() {
            return Err("ca_file: there is no certificate in it".to_owned());
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .build();
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // Whoever answers with another place is not who was configured.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .https_only(https)
            .proxy(None)
            .tls_config(tls)
            .user_agent("wardwatch")
            .build();
        Ok(Self { agent: config.into(), url, secret, outlet })
    }

    /// Posts a body until somebody answers for good.
    pub(super) fn send(&self, body: &str) -> Result<(), Unanswered> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let failed = match self.once(body) {
                Ok(()) => return Ok(()),
                Err(Unanswered::Refused(why)) => return Err(Unanswered::Refused(why)),
                Err(Unanswered::Unreachable(why)) => why,
            };
            match pauses.next() {
                Some(pause) => thread::sleep(pause),
                None => return Err(Unanswered::Unreachable(failed)),
            }
        }
    }

    fn once(&self, body: &str) -> Result<(), Unanswered> {
        self.outlet.out();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let answer = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("idempotency-key", hex(&Sha256::digest(body.as_bytes())[..16]))
            .header("wardwatch-timestamp", now.to_string())
            .header("wardwatch-signature", format!("v1={}", signature(&self.secret, now, body)))
            .send(body);
        let mut answer = answer.map_err(|error| Unanswered::Unreachable(error.to_string()))?;
        let status = answer.status();
        // Read to its end, so that an answer without end counts as none.
        let read = answer.body_mut().with_config().limit(MOST).read_to_vec();
        match status.as_u16() {
            200..=299 => match read {
                Ok(_) => Ok(()),
                Err(error) => Err(Unanswered::Unreachable(format!("its answer: {error}"))),
            },
            429 | 500..=599 => Err(Unanswered::Unreachable(format!("it answers {status}"))),
            _ => Err(Unanswered::Refused(format!("it answers {status}"))),
        }
    }
}

/// HMAC-SHA-256 over the time, a full stop and the body, in hexadecimal.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(super) fn signature(secret: &[u8], now: u64, body: &str) -> String {
    let mut hmac = <Hmac<Sha256>>::new_from_slice(secret).expect("HMAC takes keys of any length");
    hmac.update(now.to_string().as_bytes());
    hmac.update(b".");
    hmac.update(body.as_bytes());
    hex(&hmac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
