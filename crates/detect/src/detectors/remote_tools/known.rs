//! Names on the internet that only one product uses.
//!
//! Tools for remote help, by the relays and services that their programs call (from the makers' own
//! lists for firewalls and from the LOLRMM project), and places to which files are sent, those that
//! advisories name. Products that much else shares a name with (Google Drive, OneDrive, Dropbox, S3)
//! are deliberately absent: every desk calls them.

/// What a product is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Somebody elsewhere sees and steers the machine.
    Help,
    /// Files are put where anybody may fetch them.
    Files,
    /// A way in from the internet past the firewall.
    Tunnel,
}

/// Ending of a name, product, purpose.
static KNOWN: &[(&str, &str, Purpose)] = &[
    ("anydesk.com", "AnyDesk", Purpose::Help),
    ("teamviewer.com", "TeamViewer", Purpose::Help),
    ("dyngate.com", "TeamViewer", Purpose::Help),
    ("screenconnect.com", "ScreenConnect", Purpose::Help),
    ("splashtop.com", "Splashtop", Purpose::Help),
    ("splashtop.eu", "Splashtop", Purpose::Help),
    ("logmein.com", "LogMeIn", Purpose::Help),
    ("logmeinrescue.com", "LogMeIn Rescue", Purpose::Help),
    ("gotoassist.com", "GoTo Resolve", Purpose::Help),
    ("zohoassist.com", "Zoho Assist", Purpose::Help),
    ("assist.zoho.com", "Zoho Assist", Purpose::Help),
    ("assist.zoho.eu", "Zoho Assist", Purpose::Help),
    ("syncromsp.com", "Syncro", Purpose::Help),
    ("syncroapi.com", "Syncro", Purpose::Help),
    ("atera.com", "Atera", Purpose::Help),
    ("rustdesk.com", "RustDesk", Purpose::Help),
    ("remotepc.com", "RemotePC", Purpose::Help),
    ("supremocontrol.com", "Supremo", Purpose::Help),
    ("ammyy.com", "Ammyy Admin", Purpose::Help),
    ("getscreen.me", "Getscreen.me", Purpose::Help),
    ("dwservice.net", "DWService", Purpose::Help),
    ("bomgarcloud.com", "BeyondTrust Remote Support", Purpose::Help),
    ("beyondtrustcloud.com", "BeyondTrust Remote Support", Purpose::Help),
    ("ninjarmm.com", "NinjaOne", Purpose::Help),
    ("remoteutilities.com", "Remote Utilities", Purpose::Help),
    ("remotedesktop.google.com", "Chrome Remote Desktop", Purpose::Help),
    ("remotedesktop-pa.googleapis.com", "Chrome Remote Desktop", Purpose::Help),
    ("remoteassistance.support.services.microsoft.com", "Quick Assist", Purpose::Help),
    ("mega.nz", "MEGA", Purpose::Files),
    ("mega.co.nz", "MEGA", Purpose::Files),
    ("mega.io", "MEGA", Purpose::Files),
    ("pcloud.com", "pCloud", Purpose::Files),
    ("sendspace.com", "Sendspace", Purpose::Files),
    ("premiumize.com", "Premiumize", Purpose::Files),
    ("anonfiles.com", "AnonFiles", Purpose::Files),
    ("fex.net", "FEX", Purpose::Files),
    ("transfer.sh", "transfer.sh", Purpose::Files),
    ("file.io", "file.io", Purpose::Files),
    ("gofile.io", "Gofile", Purpose::Files),
    ("temp.sh", "temp.sh", Purpose::Files),
    ("put.io", "put.io", Purpose::Files),
    ("ngrok.io", "ngrok", Purpose::Tunnel),
    ("ngrok.com", "ngrok", Purpose::Tunnel),
    ("ngrok-agent.com", "ngrok", Purpose::Tunnel),
    ("argotunnel.com", "Cloudflare Tunnel", Purpose::Tunnel),
    ("localtunnel.me", "localtunnel", Purpose::Tunnel),
];

/// The product that a host name belongs to.
pub(super) fn product(name: &str) -> Option<(&'static str, Purpose)> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let found = KNOWN.iter().find(|(ending, ..)| {
        let Some(front) = name.len().checked_sub(ending.len()) else { return false };
        let at_label = front == 0 || name.as_bytes().get(front - 1) == Some(&b'.');
        at_label && name.get(front..).is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    });
    found.map(|(_, product, purpose)| (*product, *purpose))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_a_product_by_whole_labels() {
        assert_eq!(product("relay-4.net.AnyDesk.com"), Some(("AnyDesk", Purpose::Help)));
        assert_eq!(product("g.api.mega.co.nz."), Some(("MEGA", Purpose::Files)));
        assert_eq!(product("assist.zoho.com"), Some(("Zoho Assist", Purpose::Help)));
        for name in
            ["notanydesk.com", "anydesk.com.example.org", "mail.zoho.com", "", "com", "é.com"]
        {
            assert_eq!(product(name), None, "{name}");
        }
    }
}
