//! The HTTP API, sign-in and event stream.
