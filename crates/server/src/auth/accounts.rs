//! Accounts, kept in the store's saved state.
//!
//! The first-run administrator token is made once, when the store holds none, and is shown by
//! whoever started the server; only its hash is kept.

use std::sync::Mutex;

use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};

use crate::auth::role::Role;
use crate::auth::secret::{self, NoRandomness};

const TOKEN: &str = "server/administrator-token";
const USERS: &str = "server/users/";

/// Fewest characters of a password.
pub(crate) const MIN_PASSWORD: usize = 12;
/// Most bytes of a password.
pub(crate) const MAX_PASSWORD: usize = 256;
/// Most accounts.
const MAX_USERS: usize = 10_000;

/// Name under which the first-run token signs in.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// Two requests for one name must not both find it free.
static MAKING: Mutex<()> = Mutex::new(());

/// Accounts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A password could not be hashed.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    /// What is saved is no account.
    #[error("the saved account '{0}' cannot be read: remove it and make it again")]
    Damaged(String),
}

impl From<String> for AccountError {
    fn from(cause: String) -> Self {
        Self::Hash(cause)
    }
}

/// One account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) made: Timestamp,
    hash: String,
}

/// Makes the first-run administrator token, where the store has none yet. It is given once and
/// cannot be had again; only its hash is kept.
///
/// # Errors
/// [`AccountError`] where the store fails or the system gives no random bytes.
pub fn create_first_token(store: &dyn Store) -> Result<Option<String>, AccountError> {
    if store.state(TOKEN)?.is_some() {
        return Ok(None);
    }
    let token = secret::token()?;
    store.set_state(TOKEN, secret::hash_password(&token)?.as_bytes())?;
    Ok(Some(token))
}

/// The role of somebody with this name and password, where they belong together; the name of the
/// administrator goes with the first-run token. Slow by intent, and as slow for a name that nobody
/// has.
///
/// # Errors
/// [`AccountError`] where the store fails or the saved account is damaged.
pub fn sign_in(
    store: &dyn Store,
    name: &str,
    password: &str,
) -> Result<Option<Role>, AccountError> {
    if name == ADMINISTRATOR {
        return Ok(verify_token(store, password)?.then_some(Role::Admin));
    }
    Ok(verify(store, name, password)?.map(|account| account.role))
}

/// Whether this is the administrator's token. Slow by intent.
pub(crate) fn verify_token(store: &dyn Store, token: &str) -> Result<bool, AccountError> {
    let hash = store.state(TOKEN)?.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(secret::verify_password(token, hash.as_deref()))
}

/// The account of a name and a password, where they belong together. Slow by intent, and as slow
/// for a name that nobody has.
pub(crate) fn verify(
    store: &dyn Store,
    name: &str,
    password: &str,
) -> Result<Option<Account>, AccountError> {
    let account = if is_name(name) { find(store, name)? } else { None };
    let right = secret::verify_password(password, account.as_ref().map(|a| a.hash.as_str()));
    Ok(account.filter(|_| right))
}

/// Makes an account. None where the name is taken or there are too many.
pub(crate) fn create(
    store: &dyn Store,
    name: &str,
    password: &str,
    role: Role,
    made: Timestamp,
) -> Result<Option<Account>, AccountError> {
    let hash = secret::hash_password(password)?;
    let account = Account { name: name.to_owned(), role, made, hash };
    let _one_at_a_time = MAKING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let taken = name == ADMINISTRATOR || find(store, name)?.is_some();
    if taken || store.state_names(USERS)?.len() >= MAX_USERS {
        return Ok(None);
    }
    let json = serde_json::to_vec(&account).map_err(|error| error.to_string())?;
    store.set_state(&format!("{USERS}{name}"), &json)?;
    Ok(Some(account))
}

/// All accounts, by name.
pub(crate) fn all(store: &dyn Store) -> Result<Vec<Account>, AccountError> {
    let names = store.state_names(USERS)?;
    let found = names.iter().map(|name| find(store, name.trim_start_matches(USERS)));
    found.filter_map(Result::transpose).collect()
}

fn find(store: &dyn Store, name: &str) -> Result<Option<Account>, AccountError> {
    let Some(bytes) = store.state(&format!("{USERS}{name}"))? else { return Ok(None) };
    let damaged = |_| AccountError::Damaged(name.to_owned());
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Whether a text can be the name of an account.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}
