//! Log records to begin fuzzing with: made up, one of each sort that the formats tell apart.

/// Records of each format, by the format's name.
pub(crate) fn records(format: &str) -> &'static [&'static str] {
    match format {
        "fhir_audit_event" => FHIR,
        name if name.starts_with("syslog") => SYSLOG,
        _ => &[],
    }
}

/// Syslog with both headers, with and without structured data, a log-on, a failure.
pub(crate) const SYSLOG: &[&str] = &[
    "<34>1 2026-03-01T22:14:15.003Z ct1.ward.example sshd 4711 ID47 - Failed password for admin from 10.0.0.9 port 40022 ssh2",
    "<165>1 2026-03-01T22:14:15.000003-07:00 pacs evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"App\" eventID=\"10\\]11\"] \u{feff}An application event",
    "<86>Mar  1 22:14:15 ct1 sshd[4711]: Accepted publickey for service from 10.0.0.9 port 40022 ssh2",
    "Mar 1 2026 22:14:15 fw1 : %ASA-6-605005: Login permitted from 10.0.0.9/4022 to inside:10.0.0.1/ssh for user \"admin\"",
    "45: *Mar  1 22:14:15.123: %SYS-5-CONFIG_I: Configured from console by vty0 (10.0.0.9)",
    "<13>Mar  1 22:14:15 ws3 Microsoft-Windows-Security-Auditing[4]: 4625: An account failed to log on. Account Name: nurse Source Network Address: 10.0.0.9",
];

/// FHIR AuditEvents of releases 4 and 5.
pub(crate) const FHIR: &[&str] = &[
    r#"{"resourceType":"AuditEvent","type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110110","display":"Patient Record"},"subtype":[{"code":"read"}],"action":"R","recorded":"2026-03-01T22:14:15.003Z","outcome":"0","agent":[{"who":{"display":"nurse"},"requestor":true,"network":{"address":"10.0.0.9","type":"2"},"purposeOfUse":[{"coding":[{"code":"TREAT"}]}]}],"source":{"observer":{"display":"ehr"}},"entity":[{"what":{"reference":"Patient/example"},"role":{"code":"1"}}]}"#,
    r#"{"resourceType":"AuditEvent","category":[{"coding":[{"code":"rest"}]}],"code":{"coding":[{"code":"search"}]},"action":"E","recorded":"2026-03-01T22:14:15+02:00","outcome":{"code":{"code":"8"}},"agent":[{"who":{"identifier":{"value":"95"}},"requestor":true,"networkString":"10.0.0.9"}],"source":{"observer":{"reference":"Device/pacs"}},"patient":{"reference":"Patient/x"},"entity":[]}"#,
    r#"{"resourceType":"Bundle","entry":[]}"#,
];
