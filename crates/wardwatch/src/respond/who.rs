//! Who asks: somebody with an account.

use std::io::{BufRead, IsTerminal, Write};

use ::respond::Person;
use anyhow::{Context, Result, bail};
use store::{Options, SqliteStore};

use crate::cli::OfficeArgs;
use crate::exit;
use crate::instance::STORE;

/// Environment variable with the password.
const PASSWORD: &str = "WARDWATCH_PASSWORD";

/// Somebody who is allowed to decide.
pub(crate) fn person(args: &OfficeArgs) -> Result<Person> {
    let Some(name) = &args.user else {
        bail!(exit::Usage::from_error("this has to be signed: give --user NAME"));
    };
    let file = args.data.join(STORE);
    let store = SqliteStore::open_read_only(&file, Options::default()).with_context(|| {
        format!("{}: accounts cannot be read; is this the folder of the instance?", file.display())
    })?;
    let password = match std::env::var(PASSWORD) {
        Ok(password) => password,
        Err(_) => asked(name)?,
    };
    let Some(role) = server::sign_in(&store, name, &password)? else {
        bail!("the name or the password is wrong")
    };
    match role.decides_as() {
        Some(role) => Ok(Person::new(name, role)),
        None => bail!("{name} may look, and decides nothing"),
    }
}

#[allow(clippy::print_stderr, reason = "a prompt belongs on the terminal")]
fn asked(name: &str) -> Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("Password of {name} (it is shown): ");
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!(exit::Usage::from_error(format!("no password was given: set {PASSWORD}")));
    }
    Ok(password)
}
