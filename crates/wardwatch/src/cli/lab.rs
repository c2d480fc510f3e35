//! What can be asked of the lab: `wardwatch lab`, and what its hosts do (`lab-host`, not shown).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    /// How many attacks.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=150))]
    pub(crate) runs: u16,
    /// Another order of attacks and attackers for another number.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder for report.json and the logs of everybody; a temporary one where it is not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Keep the folder of the instance (ledger, store, configuration) as well.
    #[arg(long)]
    pub(crate) keep: bool,
    /// The report as JSON on standard output.
    #[arg(long)]
    pub(crate) json: bool,
    /// Only the attacks; not what comes after them (forged alerts, floods, halts, killed daemons).
    #[arg(long)]
    pub(crate) only_attacks: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LabHostArgs {
    #[command(subcommand)]
    pub(crate) command: LabHostCommand,
}

/// What a client of HL7 sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sends {
    /// Vital signs of one patient.
    Vitals,
    /// Results of many patients.
    Results,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabHostCommand {
    /// Takes HL7 v2 over MLLP, acknowledges every message and writes each down.
    MllpServer {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        note: PathBuf,
    },
    /// Sends numbered HL7 v2 messages over MLLP and checks every acknowledgement.
    MllpClient {
        #[arg(long)]
        to: SocketAddr,
        #[arg(long)]
        name: String,
        #[arg(long)]
        note: PathBuf,
        #[arg(long, default_value_t = 1_000)]
        every_ms: u64,
        #[arg(long, value_enum, default_value_t = Sends::Vitals)]
        sends: Sends,
    },
    /// Runs a command again and again, and writes down whether it succeeded. '{n}' is its number.
    Repeat {
        #[arg(long)]
        note: PathBuf,
        #[arg(long, default_value_t = 2_000)]
        every_ms: u64,
        #[arg(long, default_value_t = u64::MAX)]
        times: u64,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Serves what things serve: 'PORT=sink', 'PORT=login', 'PORT=onvif' or 'PORT=ipp'.
    Serve {
        #[arg(required = true)]
        ports: Vec<String>,
    },
    /// One HTTP request; with status 1 where nothing comes back within the time.
    Fetch {
        #[arg(long)]
        from: SocketAddr,
        #[arg(long, default_value = "/")]
        path: String,
        #[arg(long, default_value_t = 2_000)]
        timeout_ms: u64,
    },
    /// Opens a connection and closes it; with status 1 where it cannot within the time.
    Knock {
        #[arg(long)]
        at: SocketAddr,
        #[arg(long, default_value_t = 1_000)]
        timeout_ms: u64,
    },
    /// Says when the first packet of somebody was seen on an interface, in nanoseconds.
    First {
        #[arg(long)]
        interface: String,
        #[arg(long)]
        from: Ipv4Addr,
    },
    /// Makes the accounts of the lab over the API of an instance. The token and the password come
    /// from the environment.
    Accounts {
        #[arg(long)]
        api: SocketAddr,
        /// Such as 'sam=analyst'.
        #[arg(required = true)]
        accounts: Vec<String>,
    },
}
