//! zerohash takes calls from listed addresses only, and its keys expire. The refresher says which of them is refused.

use fundhook_domain::{Feed, Provider};
use fundhook_local_stack::Function;
use fundhook_sandbox::{ApiPath, Fault};
use fundhook_tests::{Platform, eventually, run};
use serde_json::{Value, json};

/// Runs the refresher until its last run emitted that calls are refused, or that they are not, and its log has this line.
/// Scheduled runs log too.
async fn assert_says(platform: &Platform, is_refused: bool, text: &str) {
    let look = async || {
        platform.refresh_keys().await;
        platform.logged(Function::Refresher).await
    };
    // The line of the worst organization names it.
    let emits = |line: &&Value| line["ProviderApiRefused"].is_u64() && line["feed"].is_string();
    let says = |line: &Value| line["message"].as_str().is_some_and(|message| message.contains(text));
    eventually(text, look, |lines| {
        let last = lines.iter().rev().find(emits).map(|line| line["ProviderApiRefused"] == u64::from(is_refused));
        last == Some(true) && lines.iter().any(says)
    })
    .await;
}

async fn store(platform: &Platform, secret: &Value) {
    let put = platform.clients().secrets.put_secret_value().secret_id(platform.output("ZerohashApiSecretArn"));
    put.secret_string(secret.to_string()).send().await.expect("the secret is stored");
}

#[test]
fn the_refresher_says_whether_zerohashs_api_refuses_its_address_or_its_credentials() {
    run(async {
        let platform = &Platform::deploy(&[]).await;
        assert_says(platform, false, "accepts the address").await;
        assert_says(platform, false, "accepts the credentials of zerohash").await;

        platform.provider().fault(ApiPath::Time, Fault::RefuseAddress, 1000).await.expect("it refuses");
        assert_says(platform, true, "Have zerohash list the static address").await;
        platform.provider().fault(ApiPath::Time, Fault::RefuseAddress, 0).await.expect("it accepts");
        assert_says(platform, false, "accepts the address").await;

        let feed = Feed::from(Provider::Zerohash);
        let stored = platform.provider().zerohash_api_secret(&[feed]).await.expect("it has credentials");
        let mut unknown = stored.clone();
        unknown["default"]["api_key"] = json!("unknown");
        store(platform, &unknown).await;
        assert_says(platform, true, "Check its entry in ZerohashApiSecret").await;
        store(platform, &stored).await;
        assert_says(platform, false, "accepts the credentials of zerohash").await;
    });
}
