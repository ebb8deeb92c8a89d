//! Several organizations share one deployment. Each is accepted only on its own path. Its data is separate wherever it
//! is stored or published.

use std::collections::BTreeMap;

use fundhook_domain::{Feed, Kind, Provider, ResourceId};
use fundhook_local_stack::sending::Webhook;
use fundhook_providers::KeySet;
use fundhook_sandbox::{JWKS_PATH, Sandbox, SandboxClient, SignRequest, SignedHeaders};
use fundhook_tests::{Platform, hash, resource, run, samples_with, uuid, verify_again};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The URLs that the tenants of Connect have registered.
const ACME_URL: &str = "https://acme.example/hooks/funding";
const BOLT_URL: &str = "https://bolt.example/hooks/funding";

/// The feeds of the deployment: for each provider, the feed of the default organization and the feeds of the tenants.
const FEEDS: [&str; 8] =
    ["connect", "connect/acme", "connect/bolt", "zerohash", "zerohash/acme", "zerohash/bolt", "striga", "striga/acme"];

/// A stack for several organizations, and a Connect sandbox with separate keys for the tenant `acme`.
pub(crate) struct Tenancy {
    pub(crate) platform: Platform,
    acme: SandboxClient,
    _server: Sandbox,
}

impl Tenancy {
    /// The stack that is shared by all tests that do not change it.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Tenancy> = OnceCell::const_new();
        SHARED.get_or_init(Self::deploy).await
    }

    async fn deploy() -> Self {
        let server = Sandbox::start(0).await.expect("the sandbox starts");
        let tenants = json!({
            "connect": {
                "acme": { "webhook_urls": [ACME_URL], "jwks_url": format!("{}{JWKS_PATH}", server.url()) },
                // It has the default organization's keys. Only the URL distinguishes the two.
                "bolt": { "webhook_urls": [BOLT_URL] },
            },
            "zerohash": ["acme", "bolt"],
            "striga": ["acme"],
        });
        let platform = Platform::deploy(&[("Tenants", &tenants.to_string())]).await;
        Self { platform, acme: SandboxClient::new(&server.url()), _server: server }
    }

    /// The headers with which `webhook` is sent to the organization of its feed.
    async fn signed(&self, webhook: &Webhook) -> SignedHeaders {
        let (provider, url) = match webhook.feed.to_string().as_str() {
            "connect/acme" => (&self.acme, ACME_URL),
            "connect/bolt" => (self.platform.provider(), BOLT_URL),
            _ => return self.platform.headers(webhook).await,
        };
        let now = fundhook_runtime::now().unix_seconds();
        let request = SignRequest::new(webhook.feed.clone(), now, &webhook.body).to(url);
        provider.sign(&request).await.expect("the provider signs it")
    }
}

fn feed(named: &str) -> Feed {
    named.parse().expect("a feed")
}

/// The feeds of the same provider as `one`.
fn same_provider(one: &str) -> impl Iterator<Item = &'static str> {
    let provider = feed(one).provider();
    FEEDS.into_iter().filter(move |other| feed(other).provider() == provider)
}

/// A webhook of `feed` about a deposit with the id `native`, and the deposit.
fn pending(feed: &Feed, native: &str) -> (Webhook, ResourceId) {
    let (file, sample) = match feed.provider() {
        Provider::Connect => ("connect/deposits.pending.json", "c55481bf-626b-4410-8997-4cee83e1385f"),
        Provider::Zerohash => ("zerohash/deposit.initial.json", "cd7b9e8c-e0f3-4fcd-a192-48ff280bc4dd"),
        Provider::Striga => ("striga/deposit.pending.json", "deaabb1b-50ec-4f2c-b30b-889d03826b64"),
    };
    let webhook = samples_with(&[file], &[(sample, native)]).remove(0);
    (Webhook { feed: feed.clone(), ..webhook }, resource(Kind::Deposit, feed.clone(), native))
}

#[test]
fn each_organization_is_accepted_only_on_its_own_path() {
    run(async {
        let Tenancy { platform, .. } = Tenancy::shared().await;
        let tenancy = Tenancy::shared().await;
        let mut rejected = Vec::new();
        for signer in FEEDS {
            for path in same_provider(signer) {
                let (native, signer_feed, path_feed) = (uuid(), feed(signer), feed(path));
                let (webhook, _) = pending(&signer_feed, &native);
                let headers = tenancy.signed(&webhook).await;
                let answered = platform.post(path_feed.clone(), &headers, &webhook.body).await;
                let what = format!("signed for {signer}, sent to {path}: {}", answered.body);
                if signer == path {
                    assert_eq!(answered.status, 200, "{what}");
                    platform.recorded(&resource(Kind::Deposit, path_feed, &native), 1).await;
                } else {
                    assert_eq!(answered.status, 401, "{what}");
                    assert!(answered.body.contains("signature_unverified"), "{what}");
                    rejected.push(native);
                }
            }
        }
        platform.settled().await;
        let (stored, archived) = (platform.stored_resources().await, platform.archive().await);
        for native in rejected {
            assert!(!stored.iter().any(|key| key.ends_with(&native)), "{native} is not in the table");
            assert!(!archived.iter().any(|line| line.contains(&native)), "{native} is not in the evidence");
        }
    });
}

#[test]
fn the_same_webhook_to_two_organizations_makes_separate_resources() {
    run(async {
        let tenancy = Tenancy::shared().await;
        let platform = &tenancy.platform;
        let mut listener = platform.listen().await;
        // One body with one id for each provider, so that only the path and the signature differ.
        let natives: BTreeMap<Provider, String> = Provider::ALL.map(|provider| (provider, uuid())).into();
        for named in FEEDS {
            let (webhook, _) = pending(&feed(named), &natives[&feed(named).provider()]);
            let headers = tenancy.signed(&webhook).await;
            let answered = platform.post(webhook.feed.clone(), &headers, &webhook.body).await;
            assert_eq!(answered.status, 200, "{named}: {}", answered.body);
        }
        for named in FEEDS {
            let feed = feed(named);
            let (webhook, deposit) = pending(&feed, &natives[&feed.provider()]);
            let delivery = listener.event(&format!("{deposit}#1")).await;
            let tenant = feed.tenant().map(ToString::to_string);
            assert_eq!(deposit.to_string(), format!("deposit#{named}#{}", deposit.native()));
            assert_eq!(delivery.text("/source"), format!("/fundhook/{named}"));
            assert_eq!(delivery.text("/data/provider"), feed.provider().as_str());
            assert_eq!(delivery.event["data"].get("tenant"), tenant.clone().map(Value::String).as_ref(), "{named}");
            assert_eq!(delivery.attributes.get("tenant"), tenant.as_ref(), "{named}");
            assert_eq!(delivery.attributes.get("provider").map(String::as_str), Some(feed.provider().as_str()));

            let resource = platform.resource(&deposit).await;
            assert_eq!((resource.version(), resource.facts().len()), (1, 1), "{named} has one fact");
            let evidence = resource.facts()[0].content.evidence();
            let lines = platform.evidence_lines(&evidence.archived.object).await;
            let line = usize::try_from(evidence.archived.line).ok().and_then(|line| lines.get(line));
            let line: Value = serde_json::from_str(line.expect("the object has that line")).expect("JSON");
            assert_eq!(line["feed"], json!(named), "the line names the organization");
            let envelope = platform.evidence(&evidence.archived).await;
            assert_eq!(envelope.body(), webhook.body, "{named}");
            let verified = match named {
                "connect/acme" => {
                    let published = tenancy.acme.key_set().await.expect("the provider answers").to_string();
                    verify_again(&envelope, &KeySet::from_jwks(published.as_bytes()).expect("the key set is valid"))
                }
                _ => platform.verify_again(&envelope).await,
            };
            assert_eq!(
                verified.map(|webhook| webhook.attestation().clone()),
                Ok(evidence.attestation.clone()),
                "{named}"
            );
        }
    });
}

/// A path below a provider's that names no tenant belongs to the default organization, like Striga's `/tx`.
#[test]
fn the_path_of_an_unknown_tenant_accepts_only_the_default_organization() {
    run(async {
        let tenancy = Tenancy::shared().await;
        let platform = &tenancy.platform;
        let unknown = feed("zerohash/unknown");
        for (signer, status) in [("zerohash/unknown", 401), ("zerohash/acme", 401), ("zerohash", 200)] {
            let (webhook, _) = pending(&feed(signer), &hash());
            let headers = tenancy.signed(&webhook).await;
            let answered = platform.post(unknown.clone(), &headers, &webhook.body).await;
            assert_eq!(answered.status, status, "signed for {signer}: {}", answered.body);
        }
    });
}

#[test]
fn each_organizations_keys_are_fetched_from_where_they_are_published() {
    run(async {
        let tenancy = Tenancy::shared().await;
        tenancy.platform.refresh_keys().await;
        let scan = tenancy.platform.clients().dynamodb.scan().table_name(tenancy.platform.output("TableName"));
        let items = scan.send().await.expect("the table answers").items.unwrap_or_default();
        let published = async |provider: &SandboxClient| {
            let keys = provider.key_set().await.expect("the provider answers").to_string();
            KeySet::from_jwks(keys.as_bytes()).expect("the key set is valid").fingerprint().to_owned()
        };
        let default = published(tenancy.platform.provider()).await;
        for (key, fingerprint) in [
            ("keys#connect", &default),
            ("keys#connect/bolt", &default),
            ("keys#connect/acme", &published(&tenancy.acme).await),
        ] {
            let item = items.iter().find(|item| item["pk"].as_s().is_ok_and(|pk| pk == key)).expect(key);
            assert_eq!(item["fingerprint"].as_s().ok(), Some(fingerprint), "{key}");
        }
    });
}
