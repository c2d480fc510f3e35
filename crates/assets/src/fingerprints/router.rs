//! Routers: cards through which others were reached, and who says that it routes.
//!
//! The tallies of carried flows are written by `inventory.rs`, which knows the cards.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::tally::Tallies;

/// Reads `icmp.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "router",
    doc: "Cards through which other networks were reached; router advertisements and redirects.",
    reads: &[("icmp.message", &["name"])],
    learn,
    weigh,
};

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if matches!(o.str("name"), Some("router_advertisement" | "redirect" | "time_exceeded")) {
        learn.subject_did(Fact::AdvertisedRoute);
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let outside = tallies.others(Fact::RoutedOutside);
    let inside = tallies.others(Fact::RoutedInside);
    if outside >= 3 {
        out.class(C::Router, 5.0);
        out.role("internet_gateway");
    } else if outside == 2 && tallies.of(Fact::RoutedOutside).is_sustained() {
        out.class(C::Router, 4.0);
        out.role("internet_gateway");
    }
    if inside >= 3 {
        out.class(C::Router, 4.5);
    }
    if outside >= 2 || inside >= 3 {
        out.role("router");
    }
    // Anybody can say that it routes.
    if tallies.times(Fact::NamedGateway) > 0 {
        out.class(C::Router, 1.5);
    }
    if tallies.of(Fact::AdvertisedRoute).is_sustained() {
        out.class(C::Router, 1.0);
    }
}
