//! The routes of responses.
//!
//! Restricting needs two people in two roles; letting go needs one, or a code at the bedside and
//! nobody's account.

use axum::http::Method;
use axum::routing::{get, post, put};

use super::{Access, Answer, MUD, PLAIN, Role, Route};
use crate::api::App;
use crate::api::response::{blast, codes, decide, idle, ledger, look, segment, site, wish};
use crate::blocklists;

use Role::{Admin, Analyst, Clinical, Commander};

/// Who proposes, approves and denies.
const PLANS: Access = Access::Roles(&[Analyst, Clinical, Commander]);
/// Everybody who decides anything.
const DECIDES: Access = Access::Roles(&[Analyst, Clinical, Commander, Admin]);

/// A decision that takes a body.
const fn decision(
    path: &'static str,
    access: Access,
    summary: &'static str,
    body: &'static str,
    handler: fn() -> axum::routing::MethodRouter<App>,
) -> Route {
    Route::post(path, access, summary, (body, 200, "Decided"), handler)
}

/// Letting go takes none.
const fn release(
    path: &'static str,
    summary: &'static str,
    handler: fn() -> axum::routing::MethodRouter<App>,
) -> Route {
    let mut route = Route::post(path, DECIDES, summary, ("", 200, "Decided"), handler);
    route.body = None;
    route
}

pub(super) static ROUTES: &[Route] = &[
    Route::get(
        "/api/v1/response/status",
        "Whether everything is halted, what is armed and what waits.",
        Answer::Json("ResponseStatus"),
        || get(look::status),
    ),
    Route::get(
        "/api/v1/response/actions",
        "Actions, the latest first. The ledger has those that were over long ago.",
        Answer::Json("ActionPage"),
        || get(look::actions),
    )
    .filters(&["device", "status", "limit", "cursor"]),
    Route::get(
        "/api/v1/response/actions/{id}",
        "One action, whole: plans, pre-flight, consequence card, signatures and what was seen.",
        Answer::Json("WholeAction"),
        || get(look::action),
    ),
    Route::post(
        "/api/v1/response/actions",
        PLANS,
        "Proposes a restriction; with 'dry', weighs it only and answers the proposal (200).",
        ("NewWish", 201, "Decided"),
        || post(wish::propose),
    ),
    Route::get(
        "/api/v1/response/refused",
        "What policy proposed by itself lately and was refused, the latest first.",
        Answer::Json("RefusedPage"),
        || get(look::refused),
    )
    .filters(&["device", "limit", "cursor"]),
    decision(
        "/api/v1/response/actions/{id}/approve",
        PLANS,
        "Signs exactly the plan of this hash.",
        "Approval",
        || post(decide::approve),
    ),
    decision(
        "/api/v1/response/actions/{id}/deny",
        PLANS,
        "Says no to what waits.",
        "Denial",
        || post(decide::deny),
    ),
    release("/api/v1/response/actions/{id}/release", "Ends an action. Never refused.", || {
        post(decide::release_action)
    }),
    release(
        "/api/v1/response/devices/{id}/release",
        "Ends everything that restricts a device. Never refused.",
        || post(decide::release_device),
    ),
    decision(
        "/api/v1/response/devices/{id}/idle",
        Access::Roles(&[Clinical]),
        "Says, having looked, that a device serves nobody for some minutes. Policy may then block \
         single flows of it; traffic that shows a patient weighs more.",
        "SayIdle",
        || post(idle::idle),
    ),
    release(
        "/api/v1/response/devices/{id}/in-use",
        "Says that it may serve a patient after all; what policy did because it was idle is taken \
         back. Never refused.",
        || post(idle::in_use),
    ),
    Route::post(
        "/api/v1/response/bedside",
        Access::Open,
        "Lets a device go with the code on its label or card, without an account. A right code is \
         never refused.",
        ("BedsideCode", 200, "LetGo"),
        || post(site::bedside),
    ),
    decision(
        "/api/v1/response/halt",
        DECIDES,
        "Takes everything back, and lets nothing begin.",
        "Why",
        || post(site::halt),
    ),
    release(
        "/api/v1/response/resume",
        "Lets things begin again; a second person in another role has to ask the same.",
        || post(site::resume),
    ),
    decision(
        "/api/v1/response/arm",
        DECIDES,
        "Lets a tier be acted on; a second person in another role has to ask for the same.",
        "Arm",
        || post(site::arm),
    ),
    decision("/api/v1/response/disarm", DECIDES, "Ends that at once.", "Disarm", || {
        post(site::disarm)
    }),
    Route::get(
        "/api/v1/response/codes",
        "Bedside codes, to be printed on labels.",
        Answer::Json("DeviceCodes"),
        || get(codes::codes),
    )
    .to(DECIDES)
    .filters(&["device"]),
    Route::get(
        "/api/v1/response/policy",
        "The policy in force.",
        Answer::Json("PolicyInForce"),
        || get(look::policy),
    ),
    Route {
        method: Method::PUT,
        path: "/api/v1/response/policy",
        access: DECIDES,
        summary: "Adopts a policy; where it is looser anywhere, a second person in another role has to ask for the same.",
        query: &[],
        body: Some("NewPolicy"),
        status: 200,
        answer: Answer::Json("Decided"),
        handler: || put(site::adopt),
    },
    Route::get(
        "/api/v1/response/ledger",
        "Lines of the ledger as they are in its file, for checking elsewhere.",
        Answer::Json("LedgerPage"),
        || get(ledger::lines),
    )
    .to(DECIDES)
    .filters(&["from", "limit"]),
    Route::get(
        "/api/v1/response/ledger/head",
        "The newest signed checkpoint, and the key that signs.",
        Answer::Json("LedgerHead"),
        || get(ledger::head),
    ),
    Route::get(
        "/api/v1/response/blocklist/addresses",
        "Addresses to block, one a line, for firewalls to pull every minute.",
        Answer::Text(PLAIN),
        || get(blocklists::addresses),
    )
    .to(Access::Lists),
    Route::get(
        "/api/v1/response/blocklist/domains",
        "Domains to block, one a line, for firewalls to pull every minute.",
        Answer::Text(PLAIN),
        || get(blocklists::domains),
    )
    .to(Access::Lists),
    Route::get(
        "/api/v1/response/blast/{id}",
        "What a device can reach, what can reach it, and what to cut first.",
        Answer::Json("Blast"),
        || get(blast::device),
    ),
    Route::get(
        "/api/v1/cases/{id}/blast",
        "The same of the first device of a case.",
        Answer::Json("Blast"),
        || get(blast::case),
    ),
    Route::get(
        "/api/v1/response/zones",
        "Zones as normal life has them: devices of one class in one network, in their order.",
        Answer::Json("ZonePage"),
        || get(segment::zones),
    )
    .filters(&["limit", "cursor"]),
    Route::get(
        "/api/v1/response/conduits",
        "Conduits: what zones say to each other over one service, in their order.",
        Answer::Json("ConduitPage"),
        || get(segment::conduits),
    )
    .filters(&["limit", "cursor"]),
    Route::get(
        "/api/v1/response/devices/{id}/policy",
        "An allow-list for a device, and what it would have blocked; with 'until', made of what was \
         recorded before then and held against the rest.",
        Answer::Json("WeighedPolicy"),
        || get(segment::policy),
    )
    .filters(&["until"]),
    Route::get(
        "/api/v1/response/devices/{id}/policy/diff",
        "What has changed in that since a time.",
        Answer::Json("PolicyDiff"),
        || get(segment::diff),
    )
    .filters(&["since"]),
    Route::get(
        "/api/v1/response/devices/{id}/policy/paste",
        "That as text for the enforcers that are configured or for a firewall, to be pasted.",
        Answer::Json("Pastes"),
        || get(segment::paste),
    )
    .filters(&["language"]),
    Route::get(
        "/api/v1/response/devices/{id}/mud",
        "A MUD file (RFC 8520) of a device, from normal life.",
        Answer::Text(MUD),
        || get(segment::mud),
    )
    .filters(&["url"]),
    Route::post(
        "/api/v1/response/devices/{id}/mud/check",
        DECIDES,
        "Reads the MUD file that is posted, and says what it would have blocked. Adopts nothing.",
        ("Anything", 200, "CheckedMud"),
        || post(segment::check),
    ),
];
