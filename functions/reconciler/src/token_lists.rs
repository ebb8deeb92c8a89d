//! Reads the lists of a provider that issues access tokens, with one that it accepts.

use std::collections::BTreeMap;

use fundhook_credentials::{TokenError, TokenKeeper, ValidToken};
use fundhook_domain::{Feed, ListId, Timestamp};
use fundhook_ports::{AccessTokens, ListError, ListPage, ListQuery, ListWithToken, PortError, RequestToken};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tracing::info;

/// How often a token is replaced for one page: the held one by the stored one, and that one by a new one. A new token
/// that is rejected is not replaced.
const REPLACED_MAX: u32 = 2;

/// Reads the lists of all organizations, each with its own access token.
#[derive(Debug)]
pub struct TokenLists<S, A> {
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

impl<S: AccessTokens, A: RequestToken + ListWithToken> TokenLists<S, A> {
    /// Uses the access tokens of `tokens`.
    pub fn new(tokens: TokenKeeper<S, A>) -> Self {
        Self { tokens, held: Mutex::default() }
    }

    /// The feeds whose organizations have credentials.
    pub(crate) async fn feeds(&self) -> Result<Vec<Feed>, PortError> {
        self.tokens.feeds().await
    }

    /// Reads one page. A token that the provider rejects is replaced by the stored one, if that is another one; a
    /// stored token that is rejected is replaced by a new one.
    pub(crate) async fn list(
        &self,
        list: &ListId,
        query: &ListQuery,
        clock: impl Fn() -> Timestamp,
    ) -> Result<ListPage, ListReadError> {
        let feed = list.feed();
        let mut held = self.held.lock().await;
        let mut token = match held.remove(feed) {
            Some(access_token) => ValidToken { access_token, is_new: false },
            None => self.tokens.token(feed, &clock).await?,
        };
        let mut replaced = 0;
        loop {
            let listed = self.tokens.provider_api().list(list, &token.access_token, query).await;
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
    use std::time::Duration;

    use fundhook_domain::{ListKind, Provider};
    use fundhook_ports::chain;
    use fundhook_ports::fakes::{Clock, Fake, ListApi, Reply, TokenService};

    use super::*;

    /// The token that a reader holds, the one that is stored, and the one that is granted next.
    const TOKENS: [&str; 3] = ["token.connect.0", "token.connect.1", "token.connect.2"];

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_760_484_866).expect("in range")
    }

    fn feed() -> Feed {
        Provider::Connect.into()
    }

    fn world() -> (Fake<TokenService>, Fake<ListApi>) {
        let tokens = Fake::new(TokenService::new(Clock::at(now()), Duration::from_secs(3600), [feed()]));
        let provider = Fake::<ListApi>::empty(1, &tokens);
        (tokens, provider)
    }

    type Reader = TokenLists<Fake<TokenService>, Fake<ListApi>>;

    fn reader(tokens: &Fake<TokenService>, provider: &Fake<ListApi>) -> Reader {
        TokenLists::new(TokenKeeper::new(tokens.clone(), provider.clone(), vec![feed()]))
    }

    async fn list(list_reader: &Reader) -> Result<ListPage, ListReadError> {
        let transactions = ListId::new(&feed(), ListKind::ConnectTransactions);
        list_reader.list(&transactions, &ListQuery::Id("a".to_owned()), now).await
    }

    /// The tokens of the requests since the last call.
    fn requested_with(provider: &Fake<ListApi>) -> Vec<String> {
        provider.take_calls().into_iter().map(|call| call.token).collect()
    }

    #[tokio::test]
    async fn when_neither_the_held_nor_the_stored_token_is_accepted_a_new_one_is_requested() {
        for rejected in 0..=TOKENS.len() {
            let (tokens, provider) = world();
            let list_reader = reader(&tokens, &provider);
            for nth in 0..2 {
                let token = tokens.store_granted(&feed(), now());
                if nth == 0 {
                    list_reader.held.lock().await.insert(feed(), token);
                }
                if nth < rejected {
                    tokens.revoke_stored(&feed());
                }
            }
            provider.set_replies((rejected == TOKENS.len()).then_some(Reply::Unauthorized));
            let listed = list(&list_reader).await;
            let accepted = TOKENS.get(rejected);
            let tried: Vec<&str> = TOKENS.into_iter().take(rejected + 1).collect();
            assert_eq!(requested_with(&provider), tried);
            assert_eq!(listed.is_ok(), accepted.is_some(), "{listed:?}");
            if let Some(accepted) = accepted {
                assert!(list(&list_reader).await.is_ok());
                assert_eq!(requested_with(&provider), [*accepted], "the accepted token is held for the next page");
            }
        }
    }

    #[tokio::test]
    async fn a_rejected_new_token_is_not_replaced_and_the_error_has_the_providers_answer() {
        let (tokens, provider) = world();
        provider.set_replies([Reply::Unauthorized]);
        let rejected = list(&reader(&tokens, &provider)).await.expect_err("the provider rejects it");
        assert_eq!(chain(&rejected), "the provider also rejects a new access token: could not read a list: status 401");
        assert_eq!(requested_with(&provider), [TOKENS[0]], "nothing was held or stored");
    }
}
