//! Asking the provider, with a token that it accepts.

use std::collections::BTreeMap;

use fundhook_domain::port::{AccessTokens, ListError, ListPage, ListQuery, ListTransactions, PortError, RequestToken};
use fundhook_domain::{Feed, Timestamp};
use fundhook_runtime::{NoToken, TokenKeeper};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tracing::info;

/// Asks the provider's API on behalf of each organization.
#[derive(Debug)]
pub struct Asker<S, A> {
    tokens: TokenKeeper<S, A>,
    /// The tokens in use, so that they are read once and not for each page.
    held: Mutex<BTreeMap<Feed, SecretString>>,
}

/// Why the provider did not say what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum NotListed {
    /// There is no token to ask with.
    #[error(transparent)]
    Token(#[from] NoToken),
    /// It accepts neither the stored token nor a new one.
    #[error("the provider does not accept a new access token either")]
    Unauthorized,
    /// It could not be asked, or its answer could not be read.
    #[error(transparent)]
    Port(PortError),
}

impl<S: AccessTokens, A: RequestToken + ListTransactions> Asker<S, A> {
    /// Asks with the tokens that `tokens` keeps.
    pub fn new(tokens: TokenKeeper<S, A>) -> Self {
        Self { tokens, held: Mutex::default() }
    }

    /// The feeds whose organizations have credentials.
    pub(crate) async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.tokens.feeds().await
    }

    /// Reads one page. A token that the provider refuses is replaced once.
    pub(crate) async fn list(&self, feed: &Feed, query: &ListQuery, now: Timestamp) -> Result<ListPage, NotListed> {
        let mut held = self.held.lock().await;
        let token = match held.get(feed) {
            Some(token) => token.clone(),
            None => self.tokens.token(feed, now).await?,
        };
        let listed = self.tokens.provider_api().list(feed, &token, query).await;
        if !matches!(listed, Err(ListError::Unauthorized)) {
            held.insert(feed.clone(), token);
            return listed.map_err(NotListed::from);
        }
        info!(%feed, "the provider refused the access token: another one is had");
        held.remove(feed);
        let other = self.tokens.other_than(&token, feed, now).await?;
        let listed = self.tokens.provider_api().list(feed, &other, query).await?;
        held.insert(feed.clone(), other);
        Ok(listed)
    }
}

impl From<ListError> for NotListed {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Unauthorized => Self::Unauthorized,
            ListError::Port(error) => Self::Port(error),
        }
    }
}
