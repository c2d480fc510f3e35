//! The code at the bedside, with which one person lets a device go.
//!
//! A code stands on a label on the device, or on the consequence card. It is made from the
//! device's name with a key of the site, so that it can be printed before anything happens and
//! checked with nothing but the key: no store, no sign-in, no network. It opens, and never closes:
//! the worst that somebody with a stolen code can do is to end a restriction, which is logged, told
//! to everybody, and stops nobody from approving another.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hmac::{Hmac, Mac};
use model::device::DeviceId;
use sha2::Sha256;

/// Name of the key's file in the folder of response, mode 0600.
pub const KEY: &str = "bedside.key";

/// Digits and letters that are not taken for one another when read aloud or by hand (Crockford's
/// base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code: 40 bits.
const LENGTH: usize = 8;

/// Makes and checks codes.
#[derive(Clone)]
pub struct Codes(Hmac<Sha256>);

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codes(..)")
    }
}

impl Codes {
    /// With this key.
    pub fn new(key: &[u8; 32]) -> Self {
        // HMAC takes keys of any length.
        let mac = Hmac::new_from_slice(key);
        Self(mac.unwrap_or_else(|_| unreachable!("HMAC takes any key")))
    }

    /// With the key in a folder, made where there is none.
    ///
    /// # Errors
    /// When the file cannot be read or made, or is no key.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(KEY);
        match fs::read(&path) {
            Ok(bytes) => {
                let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| {
                    io::Error::other(format!("{}: 32 bytes are expected", path.display()))
                })?;
                Ok(Self::new(&key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
                let mut file =
                    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                file.write_all(&key)?;
                file.sync_all()?;
                Ok(Self::new(&key))
            }
            Err(error) => Err(error),
        }
    }

    /// The code of a device, such as `7K3M-Q0ZD`.
    pub fn of(&self, device: &DeviceId) -> String {
        let mut mac = self.0.clone();
        mac.update(b"bedside release ");
        mac.update(device.0.as_bytes());
        let bytes = mac.finalize().into_bytes();
        let mut out = String::with_capacity(LENGTH + 1);
        for (place, byte) in bytes.iter().take(LENGTH).enumerate() {
            if place == LENGTH / 2 {
                out.push('-');
            }
            out.push(char::from(ALPHABET[usize::from(byte & 31)]));
        }
        out
    }

    /// Whether this is the code of the device, however it was typed: case, spaces, dashes, and the
    /// letters that look like digits do not matter.
    pub fn is_right(&self, device: &DeviceId, typed: &str) -> bool {
        let (right, typed) = (plain(&self.of(device)), plain(typed));
        // The same time for every wrong code.
        right.len() == typed.len()
            && right.bytes().zip(typed.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }
}

fn plain(code: &str) -> String {
    let letters = code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64);
    letters
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_its_device_however_it_is_typed_and_no_other() {
        let codes = Codes::new(&[7; 32]);
        let (pump, monitor) = (DeviceId("D-17".to_owned()), DeviceId("D-18".to_owned()));
        let code = codes.of(&pump);
        assert_eq!(code.len(), 9);
        let sloppy = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert!(codes.is_right(&pump, &code) && codes.is_right(&pump, &sloppy), "{code}");
        for wrong in ["", "0", &codes.of(&monitor), &format!("{code}0")] {
            assert!(!codes.is_right(&pump, wrong), "{wrong}");
        }
    }

    #[test]
    fn labels_that_were_printed_go_on_working_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let device = DeviceId("D-1".to_owned());
        let printed = Codes::open(folder.path()).unwrap().of(&device);
        assert_eq!(Codes::open(folder.path()).unwrap().of(&device), printed);
        fs::write(folder.path().join(KEY), b"short").unwrap();
        assert!(Codes::open(folder.path()).unwrap_err().to_string().contains("32 bytes"));
    }
}
