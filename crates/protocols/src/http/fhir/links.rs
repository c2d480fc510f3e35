//! Addresses that a server gave out and a client comes back for: the next page of a search, the
//! state of an export, its files.
//!
//! Remembered as tokens, for the life of a connection; a client that opens another one for each
//! request is known by what it asks for and is told.

use std::collections::VecDeque;

use model::emit::Emit;
use model::privacy::Token;

use super::{Asked, Evidence, Export, Interaction, Summary};
use crate::redact::encoding::percent_decode;

/// Most addresses of each kind that are remembered.
const MAX: usize = 256;

/// What was given out on a connection.
#[derive(Debug, Default)]
pub(in crate::http) struct Links {
    /// Next pages, and the number that each will be.
    pages: VecDeque<(Token, u64)>,
    states: VecDeque<Token>,
    files: VecDeque<Token>,
}

/// The token of an address: its path and query, whoever the host is called.
pub(super) fn keyed(url: &[u8], out: &Emit<'_>) -> Token {
    let from = match url.windows(3).position(|w| w == b"://") {
        Some(scheme) => {
            let authority = url.get(scheme.saturating_add(3)..).unwrap_or_default();
            let slash = authority.iter().position(|b| matches!(b, b'/' | b'?'));
            authority.get(slash.unwrap_or(authority.len())..).unwrap_or_default()
        }
        None => url,
    };
    out.token("address", &percent_decode(from))
}

impl Links {
    /// Says of a request what it comes back for.
    pub(in crate::http) fn follow(
        &self,
        method: &str,
        target: &[u8],
        asked: Option<Asked>,
        out: &Emit<'_>,
    ) -> Option<Asked> {
        if self.pages.is_empty() && self.states.is_empty() && self.files.is_empty() {
            return asked;
        }
        let address = keyed(target, out);
        let export = match method {
            "DELETE" if self.states.contains(&address) => Some(Export::Cancel),
            _ if self.states.contains(&address) => Some(Export::Status),
            _ if self.files.contains(&address) => Some(Export::File),
            _ => None,
        };
        if let Some(export) = export {
            return Some(Asked {
                interaction: Interaction::Operation,
                operation: Some("$export".to_owned()),
                export: Some(export),
                evidence: Evidence::Enough,
                resource: None,
                scope: None,
                ..asked.unwrap_or_else(Asked::unknown)
            });
        }
        let page = self.pages.iter().rev().find(|(known, _)| *known == address);
        match (page, asked) {
            (Some((_, page)), asked) => Some(Asked {
                page: Some(*page),
                evidence: Evidence::Enough,
                ..asked.unwrap_or_else(Asked::unknown)
            }),
            (None, asked) => asked,
        }
    }

    /// Remembers what a response gives out.
    pub(in crate::http) fn learn(
        &mut self,
        asked: &Asked,
        summary: Option<&Summary>,
        location: Option<Token>,
    ) {
        if asked.export == Some(Export::KickOff)
            && let Some(location) = location
        {
            push(&mut self.states, location);
        }
        let Some(summary) = summary else { return };
        if let Some(next) = summary.next {
            push(&mut self.pages, (next, asked.page.unwrap_or(1).saturating_add(1)));
        }
        if summary.manifest {
            summary.files.iter().for_each(|file| push(&mut self.files, *file));
        }
    }
}

fn push<T>(kept: &mut VecDeque<T>, item: T) {
    if kept.len() >= MAX {
        kept.pop_front();
    }
    kept.push_back(item);
}

/// The token of a Content-Location header, where there is one.
pub(in crate::http) fn location(header: &[u8], out: &Emit<'_>) -> Option<Token> {
    (!header.is_empty()).then(|| keyed(header, out))
}
