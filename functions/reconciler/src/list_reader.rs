//! Reads the provider's list with an access token that it accepts.

use std::collections::BTreeMap;

use fundhook_credentials::{TokenError, TokenKeeper, ValidToken};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{AccessTokens, ListError, ListPage, ListQuery, ListTransactions, PortError, RequestToken};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tracing::info;

/// How often a token is replaced for one page: the held one by the stored one, and that one by a new one. A new token that
/// is rejected is not replaced.
const REPLACED_MAX: u32 = 2;

/// Reads the lists of all organizations, each with its own access token.
#[derive(Debug)]
pub struct ListReader<S, A> {
    tokens: TokenKeeper<S, A>,
    /// The tokens in use, so that they are not loaded for each page.
    held: Mutex<BTreeMap<Feed, SecretString>>,
}

/// Why a page of the list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListReadError {
    /// No access token could be obtained.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The provider rejects a new token as well; the source is its answer.
    #[error("the provider also rejects a new access token")]
    Unauthorized(#[source] PortError),
    /// The request failed, or its answer could not be read.
    #[error(transparent)]
    Port(PortError),
}

impl<S: AccessTokens, A: RequestToken + ListTransactions> ListReader<S, A> {
    /// Uses the access tokens of `tokens`.
    pub fn new(tokens: TokenKeeper<S, A>) -> Self {
        Self { tokens, held: Mutex::default() }
    }

    /// The feeds whose organizations have credentials.
    pub(crate) async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.tokens.feeds().await
    }

    /// Reads one page. A token that the provider rejects is replaced by the stored one, if that is another one; a stored
    /// token that is rejected is replaced by a new one.
    pub(crate) async fn list(
        &self,
        feed: &Feed,
        query: &ListQuery,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ListPage, ListReadError> {
        let mut held = self.held.lock().await;
        let mut token = match held.remove(feed) {
            Some(access_token) => ValidToken { access_token, is_new: false },
            None => self.tokens.token(feed, &clock).await?,
        };
        let mut replaced = 0;
        loop {
            let listed = self.tokens.provider_api().list(feed, &token.access_token, query).await;
            match listed {
                Err(ListError::Unauthorized(_)) if !token.is_new && replaced < REPLACED_MAX => {
                    info!(%feed, "access token rejected by {feed}; requesting another one");
                    token = self.tokens.other_than(&token.access_token, feed, &clock).await?;
                    replaced += 1;
                }
                Err(ListError::Unauthorized(answer)) => return Err(ListReadError::Unauthorized(answer)),
                Err(ListError::Port(error)) => {
                    held.insert(feed.clone(), token.access_token);
                    return Err(ListReadError::Port(error));
                }
                Ok(page) => {
                    held.insert(feed.clone(), token.access_token);
                    return Ok(page);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as SyncMutex;
    use std::sync::PoisonError;
    use std::time::Duration;

    use fundhook_domain::Provider;
    use fundhook_ports::{Disposition, GrantedToken, StoredToken, chain};
    use secrecy::ExposeSecret as _;

    use super::*;

    /// A provider that accepts one token, and the store of granted tokens.
    #[derive(Default)]
    struct TestProvider {
        accepts: Option<&'static str>,
        stored: SyncMutex<Option<StoredToken>>,
        requested_with: SyncMutex<Vec<String>>,
    }

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_760_484_866).expect("in range")
    }

    fn failure(why: &'static str) -> PortError {
        PortError::new("ask", Disposition::Retry, why)
    }

    impl TestProvider {
        fn store_token(&self, text: &str) {
            let token = StoredToken {
                access_token: text.to_owned().into(),
                issued_at: now(),
                expires_at: now().plus(Duration::from_secs(3600)),
            };
            *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        }

        fn take_requests(&self) -> Vec<String> {
            std::mem::take(&mut self.requested_with.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }

    impl AccessTokens for &TestProvider {
        async fn load(&self) -> Result<BTreeMap<Feed, StoredToken>, PortError> {
            let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ok(stored.map(|token| (Provider::Connect.into(), token)).into_iter().collect())
        }

        async fn store(&self, tokens: &BTreeMap<Feed, StoredToken>) -> Result<(), PortError> {
            tokens.values().for_each(|token| self.store_token(token.access_token.expose_secret()));
            Ok(())
        }

        async fn lease(&self, _: &Feed, _: Timestamp, _: Duration) -> Result<bool, PortError> {
            Ok(true)
        }

        async fn release(&self, _: &Feed, _: Timestamp, _: Duration) -> Result<(), PortError> {
            Ok(())
        }

        async fn back_off_until(&self, _: &Feed, _: Timestamp) -> Result<(), PortError> {
            Err(failure("this provider never asks to back off"))
        }
    }

    impl RequestToken for &TestProvider {
        async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
            Ok(vec![Provider::Connect.into()])
        }

        async fn request(&self, _: &Feed) -> Result<GrantedToken, PortError> {
            Ok(GrantedToken { access_token: "new".to_owned().into(), expires_in: Duration::from_secs(3600) })
        }
    }

    impl ListTransactions for &TestProvider {
        async fn list(&self, _: &Feed, token: &SecretString, _: &ListQuery) -> Result<ListPage, ListError> {
            let text = token.expose_secret().to_owned();
            let is_accepted = self.accepts == Some(text.as_str());
            self.requested_with.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            if is_accepted { Ok(ListPage::default()) } else { Err(ListError::Unauthorized(failure("invalid_token"))) }
        }
    }

    async fn list(list_reader: &ListReader<&TestProvider, &TestProvider>) -> Result<ListPage, ListReadError> {
        list_reader.list(&Provider::Connect.into(), &ListQuery::Id("a".to_owned()), now).await
    }

    #[tokio::test]
    async fn when_neither_the_held_nor_the_stored_token_is_accepted_a_new_one_is_requested() {
        for (accepts, requested_with) in [
            (Some("held"), &["held"][..]),
            (Some("stored"), &["held", "stored"]),
            (Some("new"), &["held", "stored", "new"]),
            (None, &["held", "stored", "new"]),
        ] {
            let world = TestProvider { accepts, ..TestProvider::default() };
            let list_reader = ListReader::new(TokenKeeper::new(&world, &world, vec![Provider::Connect.into()]));
            list_reader.held.lock().await.insert(Provider::Connect.into(), "held".to_owned().into());
            world.store_token("stored");
            let listed = list(&list_reader).await;
            assert_eq!(world.take_requests(), requested_with, "{accepts:?}");
            assert_eq!(listed.is_ok(), accepts.is_some(), "{listed:?}");
            if let (Some(accepted), Ok(_)) = (accepts, list(&list_reader).await) {
                assert_eq!(world.take_requests(), [accepted], "the accepted token is held for the next page");
            }
        }
    }

    #[tokio::test]
    async fn a_rejected_new_token_is_not_replaced_and_the_error_has_the_providers_answer() {
        let world = TestProvider::default();
        let list_reader = ListReader::new(TokenKeeper::new(&world, &world, vec![Provider::Connect.into()]));
        let rejected = list(&list_reader).await.expect_err("the provider accepts no token");
        assert_eq!(chain(&rejected), "the provider also rejects a new access token: could not ask: invalid_token");
        assert_eq!(world.take_requests(), ["new"]);
    }
}
