//! Refreshers with fakes of their ports.

pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use fundhook_domain::{Feed, Timestamp};
use fundhook_ports::fakes::{Fake, KEY_SET_URL, KeySetApi, KeySetTable};
use fundhook_ports::{FetchKeySet, KeySets, StoredKeySet};
use fundhook_providers::KeySet;
use refresher::{RefreshError, Refresher, Tokens as Care};
use serde_json::Value;

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
    with_tokens(store, api, feeds, Care::Unused)
}

pub(crate) fn with_tokens<S: KeySets + Clone, F: FetchKeySet>(
    store: &S,
    api: F,
    feeds: &[&str],
    tokens: Care<Tokens, Tokens>,
) -> Refresher<S, F, Tokens, Tokens> {
    Refresher::new(store.clone(), api, feeds.iter().map(|name| feed(name)).collect(), LAST_GOOD_MAX, tokens)
}

/// One run of the default organization's refresher.
pub(crate) async fn run(table: &Fake<KeySetTable>, api: &Fake<KeySetApi>, now: Timestamp) -> Result<(), RefreshError> {
    of_keys(table, api.clone(), &["connect"]).handle(|| now).await
}

/// The metrics that the ignored test `name` writes to standard output. It runs in a separate process.
pub(crate) fn metrics_of(name: &str) -> Vec<Value> {
    let this = std::env::current_exe().expect("the path of these tests");
    let run = Command::new(this).args(["--exact", name, "--ignored", "--nocapture"]).output().expect("it starts");
    let printed = String::from_utf8(run.stdout).expect("UTF-8");
    assert!(run.status.success() && printed.contains("1 passed"), "{printed}");
    // The test harness may have begun the line.
    let json = printed.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok());
    json.collect()
}

/// The values of one metric, in order, by tenant; `None` is the default organization.
pub(crate) type Told = BTreeMap<Option<&'static str>, Vec<u64>>;

/// The values of the metric `name` among `metrics`.
pub(crate) fn told(metrics: &[Value], name: &str) -> Told {
    let mut all = Told::new();
    for metric in metrics {
        let Some(value) = metric[name].as_u64() else { continue };
        let dimensions = metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"].to_string();
        let tenant = metric["tenant"].as_str();
        // The alarms read the default organization's metric, which has the dimension `provider` alone.
        let expected = if tenant.is_some() { r#"[["provider","tenant"]]"# } else { r#"[["provider"]]"# };
        assert_eq!((dimensions.as_str(), metric["provider"].as_str()), (expected, Some("connect")));
        assert_eq!(metric["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"], "Seconds");
        let known = ["acme", "bolt"].into_iter().find(|known| tenant == Some(*known));
        assert_eq!(known, tenant, "a tenant of these tests");
        all.entry(known).or_default().push(value);
    }
    all
}
