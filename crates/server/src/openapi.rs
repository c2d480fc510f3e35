//! The OpenAPI document, made from the table of routes.

use utoipa::OpenApi;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, ContentBuilder, PathItem, Ref, Required, ResponseBuilder};

use crate::api::response::{decide, idle, site, wish};
use crate::api::{people, words};
use crate::auth::role::Role;
use crate::problem::Problem;
use crate::routes::{self, Access, Answer, Route};
use crate::schema;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Wardwatch",
        version = "1",
        description = "What Wardwatch sees of a hospital's network: devices, findings and cases, and what is \
                       done about them. \
                       Errors are RFC 9457 problem documents. Lists are cut into pages by opaque cursors."
    ),
    components(schemas(
        Problem,
        Role,
        people::SignIn,
        people::ByPassword,
        people::ByToken,
        people::Begun,
        people::Me,
        people::NewUser,
        people::User,
        people::Users,
        words::NewStatus,
        words::NewWord,
        schema::Device,
        schema::Claim,
        schema::Severity,
        schema::Finding,
        schema::DeviceRef,
        schema::PeerRef,
        schema::Reason,
        schema::Case,
        schema::StoryLine,
        schema::CaseStatus,
        schema::StatusChange,
        schema::Verdict,
        schema::Feedback,
        schema::WordKept,
        crate::teach::Taught,
        schema::Observation,
        schema::CaseWithWords,
        schema::FindingWithWords,
        schema::DevicePage,
        schema::CasePage,
        schema::FindingPage,
        schema::ObservationPage,
        schema::FlowPage,
        schema::Anything,
        schema::Stats,
        schema::Counts,
        schema::Dropped,
        schema::StreamStats,
        schema::response::Span,
        schema::response::Moment,
        schema::response::Person,
        schema::response::Pattern,
        schema::response::Restriction,
        schema::response::Indicator,
        schema::response::EvidenceClaim,
        schema::response::Evidence,
        schema::response::ActionStatus,
        schema::response::ActionLine,
        schema::response::ActionPage,
        schema::response::Subject,
        schema::response::Intent,
        schema::response::Plan,
        schema::response::Conversation,
        schema::response::CutOff,
        schema::response::Preflight,
        schema::response::Card,
        schema::response::Proposal,
        schema::response::WholeAction,
        schema::response::Decided,
        schema::response::Armed,
        schema::response::IdleNow,
        schema::response::HalfSigned,
        schema::response::ResponseStatus,
        schema::response::PolicyInForce,
        schema::response::LedgerPage,
        schema::response::Checkpoint,
        schema::response::LedgerHead,
        schema::segment::Reached,
        schema::segment::Reach,
        schema::segment::Blast,
        schema::response::RefusedProposal,
        schema::response::RefusedPage,
        schema::segment::Zone,
        schema::segment::ZonePage,
        schema::segment::Conduit,
        schema::segment::ConduitPage,
        schema::segment::Allowed,
        schema::segment::AllowList,
        schema::segment::BlockedConversation,
        schema::segment::WouldHaveBlocked,
        schema::segment::WeighedPolicy,
        schema::segment::PolicyDiff,
        schema::segment::Paste,
        schema::segment::Pastes,
        schema::segment::CheckedMud,
        wish::NewWish,
        schema::response::DeviceCode,
        schema::response::DeviceCodes,
        decide::Approval,
        decide::Denial,
        site::BedsideCode,
        site::LetGo,
        site::Why,
        site::Arm,
        idle::SayIdle,
        site::Disarm,
        site::NewPolicy,
    ))
)]
struct Schemas;

/// The document as JSON, the same at every call.
pub fn document() -> String {
    let mut document = Schemas::openapi();
    let mut paths = PathsBuilder::new();
    for route in routes::all() {
        paths = paths.path(route.path, PathItem::new(method(route), operation(route)));
    }
    document.paths = paths.build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
    );
    components.add_security_scheme(
        "blocklist",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Basic)
                .description(Some("Any name, and the token of the block lists as password; or the token as bearer."))
                .build(),
        ),
    );
    components.add_security_scheme(
        "cookie",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            "wardwatch_session",
            "Set by signing in. A change made with it needs the header 'x-wardwatch: 1' or a JSON body.",
        ))),
    );
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

fn method(route: &Route) -> HttpMethod {
    match route.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn operation(route: &Route) -> Operation {
    let problem = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new()
            .description("What is wrong, and what to do.")
            .content("application/problem+json", content)
            .build()
    };
    let mut operation = OperationBuilder::new()
        .operation_id(Some(name(route)))
        .summary(Some(route.summary))
        .response(route.status.to_string(), answer(route))
        .response("default", problem());
    if let Access::Roles(roles) = route.access {
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        operation = operation
            .description(Some(format!("Roles: {}.", names.join(", "))))
            .security(SecurityRequirement::new("bearer", [""; 0]))
            .security(SecurityRequirement::new("cookie", [""; 0]));
    }
    if let Access::Lists = route.access {
        operation = operation
            .description(Some("With the token of the block lists, and no session."))
            .security(SecurityRequirement::new("blocklist", [""; 0]));
    }
    if route.path.contains("{id}") {
        operation = operation.parameter(parameter("id", ParameterIn::Path));
    }
    for query in route.query {
        operation = operation.parameter(parameter(query, ParameterIn::Query));
    }
    if let Some(body) = route.body {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(body))).build();
        let kind =
            if route.path.ends_with("/mud/check") { routes::MUD } else { "application/json" };
        let body = RequestBodyBuilder::new().required(Some(Required::True)).content(kind, content);
        operation = operation.request_body(Some(body.build()));
    }
    operation.build()
}

/// `get_cases_id` for `GET /api/v1/cases/{id}`.
fn name(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1").replace(['{', '}'], "");
    let words: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let name = format!("{}{words}", route.method.as_str().to_ascii_lowercase());
    if words == "_" { format!("{name}page") } else { name }
}

fn answer(route: &Route) -> utoipa::openapi::Response {
    let answer = ResponseBuilder::new().description(match route.status {
        201 => "Made.",
        204 => "Done.",
        _ => "As asked.",
    });
    match route.answer {
        Answer::Json(schema) => {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
            answer.content("application/json", content).build()
        }
        Answer::Text(kind) => {
            let text = ObjectBuilder::new().schema_type(Type::String).build();
            answer.content(kind, ContentBuilder::new().schema(Some(text)).build()).build()
        }
        Answer::Empty => answer.build(),
    }
}

fn parameter(name: &str, place: ParameterIn) -> Parameter {
    let (kind, meaning) = match name {
        "id" => (Type::String, "Its id."),
        "kind" => (
            Type::String,
            "Kind of an observation, protocol of a flow, kind of a finding, class of a device.",
        ),
        "device" => (Type::String, "Id of a device that takes part."),
        "case" => (Type::String, "Id of the case."),
        "since" => (Type::String, "Not before: RFC 3339 or Unix seconds."),
        "until" => (Type::String, "Before: RFC 3339 or Unix seconds."),
        "severity" => (Type::String, "At least so severe: info, low, medium, high, critical."),
        "status" => (
            Type::String,
            "Where it stands. Cases: open, acknowledged, closed. Actions: waiting, approved, rehearsed, pushing, in_force, leaving, ended, or open for all that are not over.",
        ),
        "from" => (Type::Integer, "Number of the first line, from 0."),
        "language" => (
            Type::String,
            "cisco-dacl, cisco-extended, fortigate, paloalto, or enforcers for those that are configured.",
        ),
        "url" => (Type::String, "Where it will be published: https."),
        "text" => (Type::String, "Letters that its JSON holds."),
        "limit" => (Type::Integer, "Most items of the page, 1 to 1000; 100 where not given."),
        _ => (Type::String, "Where the page before ended: its 'next'."),
    };
    let path = matches!(place, ParameterIn::Path);
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if path { Required::True } else { Required::False })
        .description(Some(meaning))
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .build()
}
