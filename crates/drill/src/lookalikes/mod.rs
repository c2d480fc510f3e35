//! What looks like an attack and is a hospital's work. One file a scenario; the list is in
//! [`crate::catalogue`].

pub(crate) mod backup;
pub(crate) mod busy_night;
pub(crate) mod clock_step;
pub(crate) mod conference;
pub(crate) mod firmware_rollout;
pub(crate) mod interface_replay;
pub(crate) mod maintenance_day;
pub(crate) mod new_device;
pub(crate) mod new_modality;
pub(crate) mod pacs_migration;
pub(crate) mod roam_storm;
pub(crate) mod switch_replacement;
pub(crate) mod vendor_service;
pub(crate) mod ward_move;
