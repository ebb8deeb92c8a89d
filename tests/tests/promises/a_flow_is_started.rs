//! A platform starts the provider's flows for its users with the examples of the two clients, and a recovery with what its
//! event says.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::Stdio;

use fundhook::subscription::Delivery;
use fundhook_domain::{Feed, Provider};
use fundhook_tests::{Platform, hash, run, samples_with, uuid};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The examples, which all of the workspace's packages are selected for, so that no dependency is compiled again.
const BUILD: [&str; 9] = [
    "build",
    "--workspace",
    "--example",
    "start_funding",
    "--example",
    "start_recovery",
    "--example",
    "start_zerohash_recovery",
    "--message-format=json",
];

/// The programs of the examples, by name.
async fn examples() -> BTreeMap<String, PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(BUILD).current_dir(env!("CARGO_MANIFEST_DIR")).output().await;
    let built = built.expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).expect("cargo writes JSON");
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
    };
    messages.lines().filter_map(program).collect()
}

/// Runs an example with these variables and this standard input, and returns what it printed.
async fn printed(program: &PathBuf, variables: &[(&str, &str)], input: &str) -> String {
    let mut command = Command::new(program);
    command.envs(variables.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the example starts");
    let mut stdin = running.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).await.expect("it reads, or the pipe holds it");
    drop(stdin);
    let ended = running.wait_with_output().await.expect("it ends");
    let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{}: {stdout}{stderr}", program.display());
    stdout.into_owned()
}

#[test]
fn the_examples_start_a_funding_and_the_recovery_that_an_event_requires() {
    run(async {
        let platform = Platform::shared().await;
        let examples = examples().await;
        let url = platform.provider().url();
        let of = |secret: &Value, name: &str| secret["default"][name].as_str().expect("a text").to_owned();
        let zerohash = platform.provider().zerohash_api_secret(&[Feed::from(Provider::Zerohash)]).await;
        let zerohash = zerohash.expect("it has credentials");
        let [key, passphrase, secret] = ["api_key", "passphrase", "secret"].map(|name| of(&zerohash, name));
        let mut with_zerohash = vec![
            ("ZEROHASH_BASE_URL", url),
            ("ZEROHASH_API_KEY", key.as_str()),
            ("ZEROHASH_PASSPHRASE", passphrase.as_str()),
            ("ZEROHASH_SECRET", secret.as_str()),
        ];

        let participant = format!("CUST-{:016x}", fastrand::u64(..));
        with_zerohash
            .extend([("ZEROHASH_PARTICIPANT_CODE", participant.as_str()), ("ZEROHASH_REFERENCE_ID", "order-31")]);
        let said = printed(&examples["start_funding"], &with_zerohash, "").await;
        assert!(said.contains("deposit_intent_id") && !said.contains("deposit_intent_id none"), "{said}");

        // An unexpected deposit arrives. Its recovery has an event, and the event has the request.
        let mut listener = platform.listen().await;
        let own = [
            ("CUST01", participant.clone()),
            ("a07407e8f98c21b037b4aa0cbc852b8489c5e122fcc3d4b33b7827d0605ad8ff", hash()),
            ("eecb7555-039b-4e01-83c7-3634c28fee58", uuid()),
        ];
        let own = own.each_ref().map(|(sample, own)| (*sample, own.as_str()));
        platform.deliver(&samples_with(&["zerohash/deposit.recovery_quarantine.json"], &own)).await;
        let is_required = |delivery: &Delivery| {
            delivery.text("/type") == "fundhook.recovery.required" && delivery.text("/data/account") == participant
        };
        let event = listener.receive_one("the recovery is required", is_required).await.event.to_string();

        let said = printed(&examples["start_zerohash_recovery"], &with_zerohash, &event).await;
        assert!(said.contains("the recovery has begun"), "{said}");

        let connect =
            platform.provider().api_secret(&[Feed::from(Provider::Connect)]).await.expect("it has credentials");
        let [client_id, client_secret, organization] =
            ["client_id", "client_secret", "organization_id"].map(|name| of(&connect, name));
        let with_connect = [
            ("CONNECT_BASE_URL", url),
            ("CONNECT_CLIENT_ID", client_id.as_str()),
            ("CONNECT_CLIENT_SECRET", client_secret.as_str()),
            ("CONNECT_ORGANIZATION_ID", organization.as_str()),
            ("CONNECT_SIGNING_KEY", include_str!("../../../shared/providers/tests/keys/test-key-rsa-2048.pem")),
        ];
        let said = printed(&examples["start_recovery"], &with_connect, &event).await;
        assert!(said.contains("the recovery session is open"), "{said}");
    });
}
