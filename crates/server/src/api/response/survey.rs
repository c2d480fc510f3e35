//! Looking at the network as it is used: one asker at a time, on a copy of what is known of it.

use respond::essentials::Judge;
use respond::office::Ground;
use respond::{Office, Subject};

use super::work;
use crate::api::App;
use crate::problem::Problem;

/// Looks at the network.
pub(super) async fn survey<T: Send + 'static>(
    app: &App,
    what: impl FnOnce(&Office, &Ground, &Judge<'_>) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let _place =
        app.surveys.acquire().await.map_err(|_| Problem::busy("Wardwatch is stopping."))?;
    work(app, move |office| office.survey(|ground, judge| what(office, ground, judge))).await
}

/// The same of a device, by its id or by an address that it has.
pub(super) async fn of_device<T: Send + 'static>(
    app: &App,
    asked: String,
    what: impl FnOnce(&Office, &Judge<'_>, &Subject) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    survey(app, move |office, ground, judge| {
        let subject = ground.named(&asked).ok_or_else(|| Problem::not_found("device"))?;
        what(office, judge, subject)
    })
    .await
}
