//! The embedded store keeps the contract.

use std::sync::Arc;

use store::{Options, SqliteStore, Store};

mod contract;

fn open() -> (Arc<dyn Store>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db"), Options::default()).unwrap();
    (Arc::new(store), folder)
}

contract!(open);
