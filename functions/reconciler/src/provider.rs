//! Asking the provider, with a token that it accepts.

use std::collections::BTreeMap;

use fundhook_credentials::{NoToken, TokenKeeper, ValidToken};
use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::{AccessTokens, ListError, ListPage, ListQuery, ListTransactions, PortError, RequestToken};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tracing::info;

/// How often a token is replaced for one page: the one held by the one stored, and that one by a new one. A new one that is
/// refused is not.
const REPLACED_MAX: u32 = 2;

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
    /// It accepts no token that it could be asked with, a new one included; what it says of that.
    #[error("the provider does not accept a new access token either")]
    Unauthorized(#[source] PortError),
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

    /// Reads one page. A token that the provider refuses is replaced by the one that is stored, if that is another one, and
    /// that one, unless it is new, by a new one.
    pub(crate) async fn list(
        &self,
        feed: &Feed,
        query: &ListQuery,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ListPage, NotListed> {
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
                    info!(%feed, "the provider refused the access token: another one is had");
                    token = self.tokens.other_than(&token.access_token, feed, &clock).await?;
                    replaced += 1;
                }
                Err(ListError::Unauthorized(said)) => return Err(NotListed::Unauthorized(said)),
                Err(ListError::Port(error)) => {
                    held.insert(feed.clone(), token.access_token);
                    return Err(NotListed::Port(error));
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

    /// A provider that accepts one token, and the store of what it granted.
    #[derive(Default)]
    struct World {
        accepts: Option<&'static str>,
        stored: SyncMutex<Option<StoredToken>>,
        asked_with: SyncMutex<Vec<String>>,
    }

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_760_484_866).expect("in range")
    }

    fn failure(why: &'static str) -> PortError {
        PortError::new("ask", Disposition::Retry, why)
    }

    impl World {
        fn store_token(&self, text: &str) {
            let token = StoredToken {
                access_token: text.to_owned().into(),
                issued_at: now(),
                expires_at: now().plus(Duration::from_secs(3600)),
            };
            *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        }

        fn take_asked(&self) -> Vec<String> {
            std::mem::take(&mut self.asked_with.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }

    impl AccessTokens for &World {
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

        async fn leave_alone(&self, _: &Feed, _: Timestamp) -> Result<(), PortError> {
            Err(failure("nobody asked for that"))
        }
    }

    impl RequestToken for &World {
        async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
            Ok(vec![Provider::Connect.into()])
        }

        async fn request(&self, _: &Feed) -> Result<GrantedToken, PortError> {
            Ok(GrantedToken { access_token: "new".to_owned().into(), expires_in: Duration::from_secs(3600) })
        }
    }

    impl ListTransactions for &World {
        async fn list(&self, _: &Feed, token: &SecretString, _: &ListQuery) -> Result<ListPage, ListError> {
            let text = token.expose_secret().to_owned();
            let is_accepted = self.accepts == Some(text.as_str());
            self.asked_with.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            if is_accepted { Ok(ListPage::default()) } else { Err(ListError::Unauthorized(failure("invalid_token"))) }
        }
    }

    async fn list(asker: &Asker<&World, &World>) -> Result<ListPage, NotListed> {
        asker.list(&Provider::Connect.into(), &ListQuery::Id("a".to_owned()), now).await
    }

    #[tokio::test]
    async fn when_neither_the_held_nor_the_stored_token_is_accepted_a_new_one_is_had() {
        for (accepts, asked_with) in [
            (Some("held"), &["held"][..]),
            (Some("stored"), &["held", "stored"]),
            (Some("new"), &["held", "stored", "new"]),
            (None, &["held", "stored", "new"]),
        ] {
            let world = World { accepts, ..World::default() };
            let asker = Asker::new(TokenKeeper::new(&world, &world, vec![Provider::Connect.into()]));
            asker.held.lock().await.insert(Provider::Connect.into(), "held".to_owned().into());
            world.store_token("stored");
            let listed = list(&asker).await;
            assert_eq!(world.take_asked(), asked_with, "{accepts:?}");
            assert_eq!(listed.is_ok(), accepts.is_some(), "{listed:?}");
            if let (Some(accepted), Ok(_)) = (accepts, list(&asker).await) {
                assert_eq!(world.take_asked(), [accepted], "it is held for the next page");
            }
        }
    }

    #[tokio::test]
    async fn a_new_token_that_is_refused_is_told_with_what_the_provider_says_and_is_not_replaced() {
        let world = World::default();
        let asker = Asker::new(TokenKeeper::new(&world, &world, vec![Provider::Connect.into()]));
        let refused = list(&asker).await.expect_err("it accepts none");
        assert_eq!(
            chain(&refused),
            "the provider does not accept a new access token either: could not ask: invalid_token"
        );
        assert_eq!(world.take_asked(), ["new"]);
    }
}
