//! Queries of URLs: the names of their parameters, and never a value.

use std::borrow::Cow;

use model::emit::Emit;
use model::text::clean;

use super::encoding::percent_decode;
use super::shape::{identifies, is_flag};
use super::{OTHER, token};

/// Most names kept of one query.
pub(crate) const MAX_NAMES: usize = 32;

/// What follows the `?` of a request target; empty where there is none.
pub(crate) fn of(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|&b| b == b'#').unwrap_or(target.len());
    let target = target.get(..end).unwrap_or_default();
    match target.iter().position(|&b| b == b'?') {
        Some(mark) => target.get(mark.saturating_add(1)..).unwrap_or_default(),
        None => &[],
    }
}

/// Name and value of each parameter, decoded; the value is absent where there is no `=`.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, Option<Cow<'_, [u8]>>)> {
    query.split(|&b| b == b'&').filter(|item| !item.is_empty()).map(|item| {
        match item.iter().position(|&b| b == b'=') {
            Some(equals) => {
                let (name, value) = item.split_at(equals);
                (percent_decode(name), value.get(1..).map(percent_decode))
            }
            None => (percent_decode(item), None),
        }
    })
}

/// The names of a query's parameters, in order, each once.
pub(crate) fn names(emit: &Emit<'_>, query: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, value) in pairs(query) {
        if names.len() >= MAX_NAMES {
            break;
        }
        // "?smith" is a search for Smith and not a parameter of that name.
        let written = if value.is_some() || is_flag(&name) {
            self::name(emit, &name)
        } else {
            let mut hidden = String::new();
            token(emit, OTHER, &name, &mut hidden);
            hidden
        };
        if !written.is_empty() && !names.contains(&written) {
            names.push(written);
        }
    }
    names
}

/// One name, or its token where it looks like an identifier itself.
pub(crate) fn name(emit: &Emit<'_>, name: &[u8]) -> String {
    let name = percent_decode(name);
    // user[name] and filter[0] are names in PHP and Rails.
    let bare: Vec<u8> = name.iter().copied().filter(|b| !matches!(b, b'[' | b']')).collect();
    if !identifies(&bare) {
        return clean(&name);
    }
    let mut hidden = String::new();
    token(emit, OTHER, &name, &mut hidden);
    hidden
}
