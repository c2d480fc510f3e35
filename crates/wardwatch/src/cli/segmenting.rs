//! What can be asked of the network as it is used: `wardwatch segment` and `wardwatch blast`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::Timestamp;

/// Where the devices and their conversations are known from.
#[derive(Debug, Args)]
pub(crate) struct GroundArgs {
    /// Folder of the instance.
    #[arg(long, value_name = "DIR", default_value = "wardwatch-data", global = true)]
    pub(crate) data: PathBuf,
    /// Configuration of the instance.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Folder that 'analyze --out' wrote, instead of an instance.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) results: Option<PathBuf>,
    /// As JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SegmentArgs {
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    #[command(subcommand)]
    pub(crate) command: SegmentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SegmentCommand {
    /// Zones and conduits as normal life has them, by class of device and network.
    Zones,
    /// What a device may do, and what that would have blocked.
    Policy {
        /// Device, by its id or address.
        device: String,
        /// Learned from what was recorded before this time only, and tried on the rest: RFC 3339 or
        /// Unix seconds.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },
    /// That policy as text for a firewall, to be pasted by the network team.
    Paste {
        /// Device, by its id or address.
        device: String,
        /// For what: cisco-dacl, cisco-extended, fortigate, paloalto, or enforcers for those that
        /// are configured.
        #[arg(long, value_name = "LANGUAGE", default_value = "enforcers")]
        language: String,
    },
    /// What has changed in a device's policy since a time.
    Diff {
        /// Device, by its id or address.
        device: String,
        /// Since when: RFC 3339 or Unix seconds.
        #[arg(long, value_name = "TIME")]
        since: Timestamp,
    },
    /// A MUD profile (RFC 8520) of a device, from normal life.
    Mud {
        /// Device, by its id or address.
        device: String,
        /// Where it will be published.
        #[arg(long, value_name = "URL", default_value = "https://profiles.invalid/device.json")]
        url: String,
    },
    /// Reads a MUD file, and says what it would have blocked of a device.
    Check {
        /// The MUD file.
        file: PathBuf,
        /// Device, by its id or address.
        #[arg(long, value_name = "DEVICE")]
        device: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BlastArgs {
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    /// Device, by its id or address; or a case, such as C-0001.
    pub(crate) of: String,
}
