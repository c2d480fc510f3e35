//! The table of keys: section, name, unit and meaning of every setting.

/// One key of the configuration.
pub(crate) struct Key {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) doc: &'static str,
    /// What to write where the default is "not set".
    pub(crate) example: Option<&'static str>,
}

const fn key(
    section: &'static str,
    name: &'static str,
    unit: &'static str,
    doc: &'static str,
) -> Key {
    Key { section, name, unit, doc, example: None }
}

const fn optional(
    section: &'static str,
    name: &'static str,
    example: &'static str,
    doc: &'static str,
) -> Key {
    Key { section, name, unit: "", doc, example: Some(example) }
}

/// Every key, in the order in which it is written.
pub(crate) const KEYS: &[Key] = &[
    key("site", "name", "", "Name of the site in reports."),
    key(
        "site",
        "internal",
        "",
        "Address ranges of your own beside the private ones, such as \"192.0.2.0/24\".",
    ),
    key(
        "site",
        "clinical",
        "",
        "Ranges in which an unknown device counts as life-sustaining. Empty: everywhere.",
    ),
    key(
        "learning",
        "seconds",
        "s",
        "Where nobody says what is normal: so long from the start counts as normal.",
    ),
    key(
        "learning",
        "settle_days",
        "days",
        "What goes on for so long without a case becomes normal.",
    ),
    key(
        "learning",
        "case_minutes",
        "minutes",
        "A case takes no more findings after so much quiet.",
    ),
    key(
        "learning",
        "models",
        "",
        "Whether models follow how devices behave. Without them only rules and what is counted speak.",
    ),
    key(
        "learning",
        "false_alerts",
        "alerts a shift",
        "So many false alerts of the models can be borne in a shift, all devices together.",
    ),
    key("learning", "shift_hours", "h", "Length of a shift."),
    key(
        "capture",
        "interfaces",
        "",
        "Network interfaces to listen on: those that a mirror port or tap feeds.",
    ),
    key("capture", "threads", "threads", "Threads that read packets, for each interface."),
    key(
        "capture",
        "ring_mib",
        "MiB",
        "Memory for packets that wait, for each thread, held from the start. 4 MiB are 34 ms of a full line of 1 Gbit/s; give more where packets are lost.",
    ),
    key(
        "capture",
        "promiscuous",
        "",
        "Whether to take packets for others too. A mirror port needs it.",
    ),
    key("capture", "user", "", "Account to go on as once the interfaces are open."),
    key(
        "evidence",
        "keep",
        "",
        "Whether the packets around the findings of a case are written to a file of the case: off; headers (of link, IP and transport, nothing that they carry); or full (may hold patient data).",
    ),
    key(
        "evidence",
        "ring_mib",
        "MiB",
        "Memory for the last packets, for each thread that reads packets. 0: as with off.",
    ),
    key("evidence", "case_mib", "MiB", "Size of the file of one case."),
    key(
        "evidence",
        "total_mib",
        "MiB",
        "Size of all these files; beyond it that of the oldest case goes first.",
    ),
    key("evidence", "before_seconds", "s", "How long before a finding packets are kept."),
    key("evidence", "after_seconds", "s", "How long after a finding packets are kept."),
    key(
        "limits",
        "flows",
        "flows",
        "Flows followed at once; beyond it the least telling are let go and counted.",
    ),
    key("limits", "flow_mib", "MiB", "Memory for them."),
    key("limits", "reassembly_mib", "MiB", "Memory for segments that wait for a missing one."),
    optional(
        "logs",
        "syslog_udp",
        "\"0.0.0.0:5514\"",
        "Address and port on which to take syslog over UDP. Not set: none.",
    ),
    optional(
        "logs",
        "syslog_tcp",
        "\"0.0.0.0:5514\"",
        "Address and port on which to take syslog over TCP. Not set: none.",
    ),
    key(
        "store",
        "max_mib",
        "MiB",
        "Size of the store; beyond it the oldest observations go first, cases last.",
    ),
    key("server", "listen", "", "Address and port of the API and the console."),
    optional(
        "privacy",
        "key_file",
        "\"/etc/wardwatch/site.key\"",
        "File with the key under which patients become tokens. Not set: one in the data folder, made on first use.",
    ),
];
