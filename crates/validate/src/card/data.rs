//! The card of a data set: what has to be known before a figure made from it means anything.

use serde::{Deserialize, Serialize};

/// A data set, in the words of who made it. Empty is "not stated", and is shown as that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataCard {
    /// Its name.
    pub name: String,
    /// Who made it, where and when.
    pub origin: String,
    /// Which devices are in it, real or made up.
    pub devices: String,
    /// With which tools the attacks were made.
    pub attack_tools: String,
    /// How it was labelled.
    pub label_method: String,
    /// Under which terms it may be used.
    pub licence: String,
    /// What is known to be wrong with it.
    pub known_errors: String,
    /// Whether and how it holds data of people.
    pub privacy: String,
    /// What it was used for here: to train, to calibrate, to test; and how that was split.
    pub used_for: String,
    /// Rows, packets or devices, with their unit.
    pub size: String,
    /// SHA-256 in hexadecimal, where it is a file.
    pub sha256: String,
}

impl DataCard {
    /// What is shown: a heading and a text each.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let said = |text: &String| {
            if text.is_empty() { "not stated".to_owned() } else { text.clone() }
        };
        let mut rows = vec![
            ("Origin", said(&self.origin)),
            ("Devices", said(&self.devices)),
            ("Attack tools", said(&self.attack_tools)),
            ("Labels", said(&self.label_method)),
            ("Licence", said(&self.licence)),
            ("Known errors", said(&self.known_errors)),
            ("Data of people", said(&self.privacy)),
            ("Used for", said(&self.used_for)),
            ("Size", said(&self.size)),
        ];
        if !self.sha256.is_empty() {
            rows.push(("SHA-256", self.sha256.clone()));
        }
        rows
    }
}
