//! The HTTP API under `/api/v1`, sign-in, the stream of events, and a small page over them.
//!
//! `routes::ROUTES` is the whole of it: each route with who may call it, what it takes and what it
//! answers. The router, the check of roles and the OpenAPI document are all made from that table,
//! so that no route can be there without a decision on who may call it.
//!
//! What a client may read and what the log has to hold are kept apart: a `problem::Problem` says
//! what the caller can do; the cause goes to `tracing`.
//!
//! Responses are asked of a [`respond::Office`], which decides and writes down; nothing here reaches
//! an enforcer.
//!
//! Deliberately absent: TLS (a proxy, or a later work, ends it; set [`Config::secure_cookie`] then),
//! anything that changes the network itself, and any reference to another host.
#![forbid(unsafe_code)]

mod api;
mod auth;
mod blocklists;
mod config;
mod gate;
mod live;
mod openapi;
mod page;
mod problem;
mod routes;
mod schema;
mod serve;
mod stall;
mod stream;
mod teach;
mod watch;

pub use auth::accounts::{AccountError, create_first_token, sign_in};
pub use auth::role::Role;
pub use blocklists::{Blocklists, BlocklistsError};
pub use config::Config;
pub use live::Live;
pub use openapi::document;
pub use serve::{ServeError, Server};
pub use teach::{Said, Taught};
