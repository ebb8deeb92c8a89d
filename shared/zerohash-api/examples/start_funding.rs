//! Requests a token with which a user funds the account, and prints its ids and its length, without the token.
//!
//! ```sh
//! export ZEROHASH_API_KEY=… ZEROHASH_PASSPHRASE=… ZEROHASH_SECRET=…
//! export ZEROHASH_PARTICIPANT_CODE=CUST01 ZEROHASH_REFERENCE_ID=order-31
//! cargo run -p fundhook-zerohash-api --example start_funding
//! ```
//!
//! `ZEROHASH_BASE_URL` defaults to the test environment in the United States.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use fundhook_ports::chain;
use fundhook_zerohash_api::{
    ApiSecret, ClientAuthTokenRequest, Credentials, SecretEncoding, Settings, US_CERT_URL, ZerohashClient,
};
use secrecy::ExposeSecret;

#[tokio::main]
async fn main() -> ExitCode {
    match start_funding().await {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("could not start funding: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn start_funding() -> Result<String, Box<dyn Error>> {
    let base_url = env::var("ZEROHASH_BASE_URL").unwrap_or_else(|_| US_CERT_URL.to_owned());
    let client = ZerohashClient::new(Settings::new(&base_url))?;
    let credentials = Credentials {
        api_key: variable("ZEROHASH_API_KEY")?.into(),
        passphrase: variable("ZEROHASH_PASSPHRASE")?.into(),
        secret: ApiSecret::parse(&variable("ZEROHASH_SECRET")?.into(), SecretEncoding::Base64)?,
    };
    let request = ClientAuthTokenRequest::funding(&variable("ZEROHASH_PARTICIPANT_CODE")?)
        .with_reference_id(&variable("ZEROHASH_REFERENCE_ID")?);

    let granted = client.client_auth_token(&credentials, &request, SystemTime::now().into()).await;
    let granted = granted.inspect_err(|error| {
        if let Some(refused) = client.refusal(error) {
            eprintln!("the provider refused the {refused}");
        }
    })?;
    // The frontend passes the token to the SDK. Store the id: the deposits of this token are listed by it.
    let intent = granted.deposit_intent_id.as_deref().unwrap_or("none");
    Ok(format!("token of {} characters; deposit_intent_id {intent}", granted.token.expose_secret().len()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}
