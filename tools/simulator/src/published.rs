//! What the providers publish and list, and what the operator stores of their secrets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fundhook_domain::{Feed, ListId, ListKind, Provider, Timestamp};
use fundhook_ports::fakes::{ApiAccess, Clock as TokenClock, Fake, KeySetApi, ListApi, SecretVault, TokenService};

use crate::clock::Clock;
use crate::lives::Listing;
use crate::signing::{Accepted, Signer};

/// How many rows a page of a list has.
const PAGE_SIZE: usize = 50;

/// How long an access token is valid.
const TOKENS_LAST: Duration = Duration::from_secs(3600);

/// How far the time of a signature may be from zerohash's clock.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// What is outside of the stack. Clones share it.
#[derive(Clone)]
pub(crate) struct Published {
    clock: Clock,
    pub(crate) signer: Arc<Signer>,
    pub(crate) keys: Fake<KeySetApi>,
    pub(crate) vaults: BTreeMap<Provider, Fake<SecretVault>>,
    pub(crate) tokens: Fake<TokenService>,
    pub(crate) lists: Fake<ListApi>,
    /// Whether zerohash accepts calls: it always does, unless a clock is off.
    pub(crate) access: Fake<ApiAccess>,
    /// Since when each row is as it is listed: a list lags, and does not go back.
    listed: Arc<Mutex<BTreeMap<(ListKind, String), Timestamp>>>,
}

impl Published {
    pub(crate) fn new(clock: Clock, signer: Signer) -> Self {
        let feeds = [Provider::Connect, Provider::Zerohash].map(Feed::from);
        let tokens = Fake::new(TokenService::new(TokenClock::at(clock.now()), TOKENS_LAST, feeds.clone()));
        let lists = Fake::<ListApi>::empty(PAGE_SIZE, &tokens);
        let [_, zerohash] = feeds;
        let access = ApiAccess::accepting(tokens.now().clock.clone(), CLOCK_TOLERANCE, [zerohash.clone()]);
        lists.now().signing.insert(zerohash);
        let vaults = [Provider::Zerohash, Provider::Striga].map(|provider| (provider, Fake::default()));
        let keys = Fake::new(KeySetApi { fresh_for: Some(Duration::from_secs(3600)), ..KeySetApi::default() });
        let published = Self {
            clock,
            signer: Arc::new(signer),
            keys,
            vaults: vaults.into(),
            tokens,
            lists,
            access: Fake::new(access),
            listed: Arc::default(),
        };
        for provider in Provider::ALL {
            published.accept(provider, Accepted::Used);
        }
        published
    }

    /// From now on, these keys or secrets of `provider` verify its signatures.
    pub(crate) fn accept(&self, provider: Provider, accepted: Accepted) {
        match self.vaults.get(&provider) {
            Some(vault) => vault.now().holds = Some(self.signer.stored(provider, accepted)),
            None => self.keys.now().serves = Some(self.signer.key_set(accepted)),
        }
    }

    /// Lists a row, unless a newer one about the same thing is listed.
    pub(crate) fn list(&self, Listing { at, list, row }: Listing) {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let since = listed.entry((list, row.id.clone())).or_insert(at);
        if *since <= at {
            *since = at;
            self.lists.list_row(&ListId::new(&list.provider().into(), list), row);
        }
    }

    /// Sets the clock of the providers, and forgets what tests observe and nothing needs here.
    pub(crate) fn tick(&self) {
        self.lists.take_calls();
        self.tokens.now().clock.set(self.clock.now());
        self.keys.now().asked_by.clear();
        self.access.now().calls.clear();
    }
}
