//! What was learned here, kept over a restart.
//!
//! Too many numbers for a text: it is binary (postcard), in Base64. Knowledge from elsewhere is not in
//! it: that is on the shelf of models.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::Behaviour;
use super::feedback::Feedback;
use super::knowledge::Unfit;
use crate::features;

/// What is kept over a restart; the version comes first, so that it can be read whatever follows.
#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    features: u64,
    behaviour: Cow<'a, Behaviour>,
}

impl Behaviour {
    /// Everything that was learned here, as text (Base64).
    pub fn save(&self) -> String {
        let saved = Saved { features: features::version(), behaviour: Cow::Borrowed(self) };
        // Writing to memory cannot fail, and every type here can be written.
        let feedback: Cow<'_, Feedback> = Cow::Borrowed(&self.feedback);
        BASE64.encode(postcard::to_stdvec(&(saved, feedback)).unwrap_or_default())
    }

    /// What was saved.
    ///
    /// # Errors
    /// [`Unfit`], when it was saved with another table of features or is damaged.
    pub fn load(text: &str) -> Result<Self, Unfit> {
        let bytes = BASE64.decode(text).map_err(|_| Unfit::Broken("not Base64"))?;
        let (found, _) = postcard::take_from_bytes::<u64>(&bytes)
            .map_err(|_| Unfit::Broken("it is too short"))?;
        let expected = features::version();
        if found != expected {
            return Err(Unfit::Features { found, expected });
        }
        let broken = |_| Unfit::Broken("what was learned ends early or has another shape");
        let (saved, rest) = postcard::take_from_bytes::<Saved<'_>>(&bytes).map_err(broken)?;
        let mut behaviour = saved.behaviour.into_owned();
        // What was saved before analysts could say anything ends before it.
        if !rest.is_empty() {
            behaviour.feedback = postcard::from_bytes(rest).map_err(broken)?;
        }
        Ok(behaviour)
    }
}

#[cfg(test)]
mod tests {
    use assets::{DeviceIx, Entity};

    use super::*;

    #[test]
    fn what_was_saved_comes_back_and_what_is_damaged_is_refused() {
        let mut behaviour = Behaviour::default();
        behaviour.devices.window(Entity::Device(DeviceIx(3)));
        let text = behaviour.save();
        assert_eq!(Behaviour::load(&text).unwrap().save(), text);
        assert!(matches!(Behaviour::load(&text[..text.len() / 2]), Err(Unfit::Broken(_))));
        assert!(matches!(Behaviour::load("no base 64"), Err(Unfit::Broken(_))));
        let other = BASE64.encode(postcard::to_stdvec(&7_u64).unwrap());
        assert!(matches!(Behaviour::load(&other), Err(Unfit::Features { found: 7, .. })));
    }

    #[test]
    fn what_was_saved_before_analysts_could_say_anything_is_read() {
        let behaviour = Behaviour::default();
        let old = Saved { features: features::version(), behaviour: Cow::Borrowed(&behaviour) };
        let text = BASE64.encode(postcard::to_stdvec(&old).unwrap());
        assert_eq!(Behaviour::load(&text).unwrap().save(), behaviour.save());
    }
}
