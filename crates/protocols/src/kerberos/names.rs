//! Names of encryption types and of frequent errors.

/// Name of an encryption type (IANA registry).
pub(super) const fn etype(number: i32) -> &'static str {
    match number {
        1 => "des-cbc-crc",
        2 => "des-cbc-md4",
        3 => "des-cbc-md5",
        5 => "des3-cbc-md5",
        7 => "des3-cbc-sha1",
        16 => "des3-cbc-sha1-kd",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        // Microsoft's older RC4 with other key derivations (MS-KILE).
        -128 | -133 | -135 | -140 | -141 => "rc4-microsoft",
        _ => "other",
    }
}

/// Whether a list names nothing stronger than RC4.
pub(super) fn at_most_rc4(etypes: &[i32]) -> bool {
    let weak = |etype: &i32| matches!(etype, 1..=3 | 23 | 24 | -128 | -133 | -135 | -140 | -141);
    !etypes.is_empty() && etypes.iter().all(weak)
}

/// Meaning of an error (RFC 4120, 7.5.9).
pub(super) const fn error(code: i32) -> Option<&'static str> {
    Some(match code {
        1 | 2 | 23 => "expired",
        6 => "client_unknown",
        7 => "service_unknown",
        9 => "null_key",
        12 => "policy",
        13 => "bad_option",
        14 => "etype_not_supported",
        18 => "client_revoked",
        24 => "preauth_failed",
        25 => "preauth_required",
        31 => "integrity",
        32 => "ticket_expired",
        33 => "ticket_not_yet_valid",
        34 => "replay",
        36 => "client_mismatch",
        37 => "clock_skew",
        41 => "modified",
        52 => "response_too_big",
        60 => "generic",
        68 => "wrong_realm",
        _ => return None,
    })
}
