//! Names of shares, files and pipes, and what of them may leave the parser.

use model::emit::Emit;
use model::privacy::Token;

/// Pipes of Windows services that are worth telling apart (MS-RPCE endpoints of each protocol).
static PIPES: &[&str] = &[
    "atsvc", "browser", "efsrpc", "epmapper", "eventlog", "lsarpc", "lsass", "netdfs", "netlogon",
    "ntsvcs", "samr", "spoolss", "srvsvc", "svcctl", "winreg", "wkssvc",
];

/// What is kept of a path: tokens, and the parts that name nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) name: Option<Token>,
    pub(super) folder: Option<Token>,
    pub(super) extension: Box<str>,
    pub(super) pipe: Option<&'static str>,
}

impl FileName {
    /// From a path within a share.
    pub(super) fn new(path: &str, in_ipc: bool, out: &Emit<'_>) -> Self {
        let path = path.trim_matches('\\');
        if in_ipc {
            return Self { pipe: pipe(path), ..Self::default() };
        }
        let (folder, _) = path.rsplit_once('\\').unwrap_or_default();
        let token =
            |domain, text: &str| (!text.is_empty()).then(|| out.token(domain, text.as_bytes()));
        Self {
            name: token("name", path),
            folder: token("folder", folder),
            extension: extension(path).into(),
            pipe: None,
        }
    }
}

/// A known pipe by its name.
pub(super) fn pipe(path: &str) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase();
    let name = lower.trim_start_matches('\\');
    let name = name.strip_prefix("pipe\\").unwrap_or(name);
    PIPES.iter().find(|known| **known == name).copied()
}

/// Extension of the last part of a path, lower case: letters and digits only, at most 16, so that
/// free text after a dot does not pass as one. A stream's name after a colon is left out.
pub(crate) fn extension(path: &str) -> String {
    let file = path.rsplit('\\').next().unwrap_or_default();
    let file = file.split(':').next().unwrap_or_default();
    match file.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=16).contains(&extension.len())
                && extension.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            extension.to_ascii_lowercase()
        }
        _ => String::new(),
    }
}

/// Share of a path such as `\\SERVER\share`, upper case.
pub(super) fn share(path: &str) -> String {
    let parts = path.trim_end_matches('\\').rsplit('\\').next();
    parts.unwrap_or_default().chars().take(80).collect::<String>().to_uppercase()
}

/// Whether a share is one that Windows makes for administrators: ADMIN$, C$ and the like.
pub(super) fn is_admin(share: &str) -> bool {
    match share.strip_suffix('$') {
        Some("ADMIN") => true,
        Some(drive) => drive.len() == 1 && drive.bytes().all(|b| b.is_ascii_uppercase()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_extensions_leave() {
        for (path, expected) in [
            ("a\\b.DCM", "dcm"),
            ("archive.tar.gz", "gz"),
            ("x.docx:Zone.Identifier", "docx"),
            (".profile", ""),
            ("Report.Doe Jane 1950", ""),
            ("folder.d\\plain", ""),
            ("x.thisislongerthansixteen", ""),
        ] {
            assert_eq!(extension(path), expected, "{path}");
        }
    }

    #[test]
    fn shares_and_pipes_are_named_without_server_and_prefix() {
        assert_eq!(share("\\\\10.0.0.9\\Images"), "IMAGES");
        assert_eq!((pipe("\\PIPE\\SvcCtl"), pipe("svcctl2")), (Some("svcctl"), None));
        assert!(is_admin("ADMIN$") && is_admin("C$"));
        assert!(!is_admin("IPC$") && !is_admin("HOME$") && !is_admin("C"));
    }
}
