//! The nouns of Wardwatch: time, addresses, flows, observations, findings, cases, devices,
//! and the tables of fields that say what each observation may carry.
//!
//! Every other crate stands on this one, and it stands on none of them. It does no I/O, reads no
//! clock and starts no thread: time is data, so that the same capture always tells the same story.
//!
//! What goes through Wardwatch, and where the types are:
//!
//! ```text
//! packet -> flow events -> Observation -> Finding -> Case
//!           flow.rs        observation.rs finding.rs case.rs
//! ```
#![forbid(unsafe_code)]

pub mod case;
pub mod device;
pub mod emit;
pub mod field;
pub mod finding;
pub mod flow;
pub mod json;
pub mod kinds;
pub mod net;
pub mod observation;
pub mod privacy;
pub mod sensor;
pub mod text;
pub mod time;

pub use case::{Case, CaseId, StoryLine};
pub use device::{Claim, Device, DeviceClass, DeviceId, InUse, Tier};
pub use emit::{ANOMALY, Draft, Emit, Probe};
pub use field::{Field, FieldType, KindSpec, Phi};
pub use finding::{DeviceRef, Finding, FindingId, FindingKind, PeerRef, Reason, Severity};
pub use flow::{Direction, FlowContext, FlowId};
pub use kinds::KindMap;
pub use net::{CommunityId, Endpoint, FiveTuple, Mac, Transport};
pub use observation::{Observation, ObservationId, Party, Value};
pub use privacy::{SiteKey, Token};
pub use time::Timestamp;
