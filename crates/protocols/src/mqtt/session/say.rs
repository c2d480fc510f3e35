//! Packets to observations.

use model::emit::Emit;
use model::flow::Direction;

use crate::mqtt::connect::Connect;
use crate::mqtt::{CLOSE, CONNECT, PUBLISH, SUBSCRIBE};

pub(super) fn connect(
    connect: &Connect,
    outcome: &'static str,
    reason: Option<u8>,
    client: Direction,
    out: &mut Emit<'_>,
) {
    let mut draft = out
        .observe(&CONNECT, client)
        .word("outcome", outcome)
        .text("client_id", &connect.client_id)
        .text("user", &connect.user)
        .flag("password", connect.password)
        .uint("keep_alive", connect.keep_alive)
        .flag("clean", connect.clean)
        .text("will_topic", connect.will_topic.as_bytes());
    if let Some(reason) = reason {
        draft = draft.uint("reason", reason);
    }
    if let Some(version) = connect.version {
        draft = draft.word("version", version.name());
    }
    if let Some(default) = connect.default {
        draft = draft.flag("default_credential", default);
    }
    draft.emit();
}

pub(super) fn publish(
    client_id: &[u8],
    from_broker: bool,
    topic: &str,
    flags: u8,
    payload: u64,
    dir: Direction,
    out: &mut Emit<'_>,
) {
    out.observe(&PUBLISH, dir)
        .text("client_id", client_id)
        .flag("from_broker", from_broker)
        .text("topic", topic.as_bytes())
        .uint("qos", (flags >> 1) & 0x03)
        .flag("retain", flags & 0x01 != 0)
        .uint("bytes", payload)
        .emit();
}

pub(super) fn subscribe(
    client_id: &[u8],
    filters: &[String],
    multi_level: bool,
    everything: bool,
    dir: Direction,
    out: &mut Emit<'_>,
) {
    out.observe(&SUBSCRIBE, dir)
        .text("client_id", client_id)
        .texts("filters", filters.iter().map(String::as_bytes), filters.len())
        .flag("multi_level", multi_level)
        .flag("everything", everything)
        .emit();
}

pub(super) fn close(
    client_id: &[u8],
    how: &'static str,
    [published, received]: [u64; 2],
    client: Direction,
    out: &mut Emit<'_>,
) {
    out.observe(&CLOSE, client)
        .text("client_id", client_id)
        .word("how", how)
        .uint("published", published)
        .uint("received", received)
        .emit();
}
