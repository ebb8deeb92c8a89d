//! Reads the lists of all providers.

use std::collections::BTreeSet;

use fundhook_domain::{ListId, ListKind, Provider, Timestamp};
use fundhook_ports::{AccessTokens, ListPage, ListQuery, ListSigned, ListWithToken, PortError, RequestToken};

use crate::{ListReadError, TokenLists};

/// The lists of the providers whose APIs are used.
#[derive(Debug)]
pub struct ListReader<S, A, Z> {
    /// Connect's; `None` if its API is not used.
    pub connect: Option<TokenLists<S, A>>,
    /// zerohash's; `None` if its API is not used.
    pub zerohash: Option<Z>,
}

/// The lists that can be read: those of the organizations that have credentials.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadableLists {
    known: Vec<ListId>,
    /// The providers whose credentials could not be read.
    unknown: BTreeSet<Provider>,
}

impl<S: AccessTokens, A: RequestToken + ListWithToken, Z: ListSigned> ListReader<S, A, Z> {
    /// The lists that can be read. If a provider's credentials cannot be read, the lists of the others come with the error.
    pub(crate) async fn lists(&self) -> (ReadableLists, Result<(), PortError>) {
        let mut lists = ReadableLists::default();
        let mut outcome = Ok(());
        let mut add = |provider, read: Result<Vec<ListId>, PortError>| match read {
            Ok(known) => lists.known.extend(known),
            Err(failed) => {
                lists.unknown.insert(provider);
                outcome = std::mem::replace(&mut outcome, Ok(())).and(Err(failed));
            }
        };
        if let Some(connect) = &self.connect {
            let list_of = |feed| ListId::new(&feed, ListKind::ConnectTransactions);
            add(Provider::Connect, connect.feeds().await.map(|feeds| feeds.into_iter().map(list_of).collect()));
        }
        if let Some(zerohash) = &self.zerohash {
            add(Provider::Zerohash, zerohash.lists().await);
        }
        (lists, outcome)
    }

    /// Reads one page. A list of a provider whose API is not used has no rows.
    pub(crate) async fn page(
        &self,
        list: &ListId,
        query: &ListQuery,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ListPage, ListReadError> {
        match list.kind().provider() {
            Provider::Connect => match &self.connect {
                Some(connect) => connect.list(list, query, clock).await,
                None => Ok(ListPage::default()),
            },
            Provider::Zerohash => match &self.zerohash {
                Some(zerohash) => zerohash.list(list, query).await.map_err(ListReadError::Port),
                None => Ok(ListPage::default()),
            },
            Provider::Striga => Ok(ListPage::default()),
        }
    }
}

impl ReadableLists {
    /// The lists.
    pub(crate) fn known(&self) -> &[ListId] {
        &self.known
    }

    /// The lists, to begin with another one in each run.
    pub(crate) fn known_mut(&mut self) -> &mut Vec<ListId> {
        &mut self.known
    }

    /// Whether the list can be read; `None` if its provider's credentials could not be read.
    pub(crate) fn contains(&self, list: &ListId) -> Option<bool> {
        if self.known.contains(list) {
            return Some(true);
        }
        (!self.unknown.contains(&list.kind().provider())).then_some(false)
    }
}
