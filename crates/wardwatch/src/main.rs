//! The wardwatch program: command line, configuration and wiring.

fn main() {}
