//! SMB1, SMB2 and SMB3 over NetBIOS session framing or TCP.

use model::field::{Field, FieldType, KindSpec};

/// Dialect chosen.
pub static NEGOTIATE: KindSpec = KindSpec {
    name: "smb.negotiate",
    doc: "A dialect was chosen. Subject is the client.",
    fields: &[
        Field::new("dialect", FieldType::Text, "NT LM 0.12, 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1."),
        Field::new("version", FieldType::Uint, "1, 2 or 3."),
        Field::new("signing", FieldType::Text, "required, enabled or off, as the server says."),
    ],
};

/// A log-on.
pub static SESSION: KindSpec = KindSpec {
    name: "smb.session",
    doc: "A session was asked for, and the server answered. Subject is the client.",
    fields: &[
        Field::new("outcome", FieldType::Text, "success, failure or guest."),
        Field::new("status", FieldType::Uint, "NT status."),
        Field::staff("user", "User name from NTLMSSP; empty for an anonymous one."),
        Field::new("domain", FieldType::Text, "Domain from NTLMSSP."),
        Field::new("workstation", FieldType::Text, "Workstation from NTLMSSP."),
        Field::new("anonymous", FieldType::Bool, "Whether without a user."),
    ],
};

/// A share was connected.
pub static TREE: KindSpec = KindSpec {
    name: "smb.tree",
    doc: "A share was asked for, and the server answered. Subject is the client.",
    fields: &[
        Field::new("share", FieldType::Text, "Share name without the server, upper case."),
        Field::new("outcome", FieldType::Text, "success or failure."),
        Field::new("status", FieldType::Uint, "NT status."),
        Field::new(
            "admin",
            FieldType::Bool,
            "Whether an administrative share: ADMIN$, C$ and the like.",
        ),
    ],
};

/// Something was done with a file.
pub static FILE: KindSpec = KindSpec {
    name: "smb.file",
    doc: "A file was created, read, written, renamed or deleted; said once for each file opened and thing done with it. Subject is the client.",
    fields: &[
        Field::new(
            "action",
            FieldType::Text,
            "create, overwrite, open, read, write, rename, delete.",
        ),
        Field::new("share", FieldType::Text, "Share name, where the tree was seen connected."),
        Field::patient(
            "name",
            "Path within the share, as a token: file names hold patients' names.",
        ),
        Field::patient("folder", "Folder of the path, as a token."),
        Field::new("extension", FieldType::Text, "Extension, lower case, at most 16 letters."),
        Field::new("new_extension", FieldType::Text, "Extension after a rename."),
        Field::new(
            "pipe",
            FieldType::Text,
            "Name of the pipe, where it is one of the known service pipes (svcctl, atsvc, ...).",
        ),
        Field::measure(
            "bytes",
            FieldType::Uint,
            "bytes",
            "Bytes read or written up to the close, on read and write.",
        ),
        Field::measure(
            "entropy",
            FieldType::Float,
            "bits/byte",
            "Entropy of the first bytes written.",
        ),
        Field::new(
            "executable",
            FieldType::Bool,
            "Whether what was written begins as a program (MZ, ELF).",
        ),
        Field::new("status", FieldType::Uint, "NT status, where it failed."),
    ],
};

/// A published exploit's shape.
pub static EXPLOIT: KindSpec = KindSpec {
    name: "smb.exploit_shape",
    doc: "A message with the shape of a published SMB exploit. Subject is its sender.",
    fields: &[Field::new(
        "shape",
        FieldType::Text,
        "Which: trans2_session_setup (MS17-010 probing and DoublePulsar), oversized_nttrans (EternalBlue), ms08_067.",
    )],
};
