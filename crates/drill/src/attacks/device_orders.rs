//! Sets medical devices over SDC: alarm limits get other values, alarms are silenced.

use crate::app::sdc::Order;
use crate::normal::newer;
use crate::role::Role;
use crate::scenario::{Scene, Story};
use crate::time::SEC;

pub(crate) fn play(scene: &mut Scene<'_>) -> Option<Story> {
    let actor = scene.attacker(&[Role::Nurse, Role::Reading, Role::Ultrasound]);
    let mut devices = scene.w.all(Role::Ventilator);
    devices.extend(scene.w.all(Role::Monitor));
    devices.truncate(scene.count(3));
    devices.first()?;
    let mut now = scene.now;
    for (number, &device) in (1..).zip(&devices) {
        let limit = scene.w.rng.uniform(150.0, 250.0) as f32;
        let orders = [Order::Read, Order::Value(limit), Order::Silence];
        now = newer::orders(scene.w, now, actor, device, &orders, number * 10);
        now += scene.between(2 * SEC);
    }
    Some(scene.story("alarm limits of devices set over sdc", actor, devices))
}
