//! Refreshers with fakes of their ports.

pub(crate) mod logs;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::fakes::{Fake, KEY_SET_URL, KeySetApi, KeySetTable};
use fundhook_ports::{FetchKeySet, KeySets, StoredKeySet};
use fundhook_providers::KeySet;
use fundhook_runtime::metrics::Metrics;
use refresher::{RefreshError, Refresher, Tokens as Care};

use tokens::Tokens;

/// When the tests begin: the `timestamp` of the sample request in [connect-guide §4].
pub(crate) const START: i64 = 1_760_484_866;

/// The instant `seconds` after 1970.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).expect("an instant")
}

/// The instant this many minutes after [`START`].
pub(crate) fn minute(minutes: i64) -> Timestamp {
    at(START + 60 * minutes)
}

pub(crate) fn feed(name: &str) -> Feed {
    name.parse().expect("a feed")
}

pub(crate) const JWKS: &str = include_str!("../../../../../shared/providers/tests/keys/test-key-rsa-2048.jwks.json");
pub(crate) const NEXT_JWKS: &str =
    include_str!("../../../../../shared/providers/tests/keys/test-key-rsa-2048-next.jwks.json");

/// How long the last good key set is used: the default setting.
pub(crate) const LAST_GOOD_MAX: Duration = Duration::from_secs(86_400);

pub(crate) fn fingerprint(jwks: &str) -> String {
    KeySet::from_jwks(jwks.as_bytes()).expect("a valid key set").fingerprint().to_owned()
}

/// The stored key set, fetched at `fetched_at` without an entity tag and without a `Cache-Control`.
pub(crate) fn stored(jwks: &str, fetched_at: i64) -> StoredKeySet {
    let keys = KeySet::from_jwks(jwks.as_bytes()).expect("a valid key set");
    StoredKeySet {
        jwks: jwks.to_owned(),
        fingerprint: keys.fingerprint().to_owned(),
        thumbprints: keys.keys().iter().map(|key| key.thumbprint().to_owned()).collect(),
        fetched_at: at(fetched_at),
        fresh_until: at(fetched_at + 300),
        etag: None,
        url: Some(KEY_SET_URL.to_owned()),
        not_before: None,
    }
}

/// A provider that serves `jwks`, and a table with the set that was fetched two hours before [`START`].
pub(crate) fn world(jwks: Option<&str>) -> (Fake<KeySetTable>, Fake<KeySetApi>) {
    let (table, api) = <(Fake<KeySetTable>, Fake<KeySetApi>)>::default();
    table.now().stored = Some(stored(JWKS, START - 7200));
    api.now().serves = jwks.map(str::to_owned);
    (table, api)
}

/// A refresher of the key sets of `feeds`, stored in `store`, and of no access tokens.
pub(crate) fn of_keys<S: KeySets + Clone, F: FetchKeySet>(
    store: &S,
    api: F,
    feeds: &[&str],
) -> Refresher<S, F, Tokens, Tokens> {
    with_tokens(store, api, feeds, Care::Unused, &by_feed())
}

pub(crate) fn with_tokens<S: KeySets + Clone, F: FetchKeySet>(
    store: &S,
    api: F,
    feeds: &[&str],
    tokens: Care<Tokens, Tokens>,
    metrics: &Metrics,
) -> Refresher<S, F, Tokens, Tokens> {
    let feeds = feeds.iter().map(|name| feed(name)).collect();
    Refresher::new(store.clone(), api, feeds, LAST_GOOD_MAX, tokens, metrics.clone())
}

/// Metrics that are recorded for each feed, too.
pub(crate) fn by_feed() -> Metrics {
    Metrics::recorded(true)
}

/// One run of the default organization's refresher.
pub(crate) async fn run(table: &Fake<KeySetTable>, api: &Fake<KeySetApi>, now: Timestamp) -> Result<(), RefreshError> {
    of_keys(table, api.clone(), &["connect"]).handle(|| now).await
}

/// The values of one metric, in order, by tenant; those of the worst feed are under `worst`.
pub(crate) type Told = BTreeMap<String, Vec<u64>>;

/// The values of the metric `name`.
pub(crate) fn told(metrics: &Metrics, name: &str) -> Told {
    let mut all = Told::new();
    for line in metrics.lines() {
        let Some(value) = line[name].as_u64() else { continue };
        let dimensions = line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].to_string();
        let tenant = line["tenant"].as_str();
        // The alarms read the metric of the worst feed, which has no tenant.
        let expected =
            if tenant.is_some() { r#"[["stack","provider","tenant"]]"# } else { r#"[["stack","provider"]]"# };
        assert_eq!((dimensions.as_str(), line["provider"].as_str()), (expected, Some("connect")));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"], "Seconds");
        assert_eq!(line["feed"].is_string(), tenant.is_none(), "the worst one is named");
        all.entry(tenant.unwrap_or("worst").to_owned()).or_default().push(value);
    }
    all
}

/// What is told: the values of each tenant.
pub(crate) fn telling<const N: usize>(values: [(&str, &[u64]); N]) -> Told {
    values.into_iter().map(|(tenant, values)| (tenant.to_owned(), values.to_vec())).collect()
}
