//! Takes a `fundhook.recovery.required` event, requests the token with which its user returns the unexpected deposits, and
//! prints the length of the token, without the token.
//!
//! ```sh
//! export ZEROHASH_API_KEY=… ZEROHASH_PASSPHRASE=… ZEROHASH_SECRET=…
//! cargo run -p fundhook-zerohash-api --example start_zerohash_recovery -- event.json
//! ```
//!
//! Without a file, the event is read from standard input. `ZEROHASH_BASE_URL` defaults to the test environment in the United
//! States. This is the event's `auth_request_older`; the example `start_recovery` of `shared/connect-api` takes its
//! `auth_request`, which the provider documents today.

use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::time::SystemTime;
use std::{env, fs, io};

use fundhook_ports::chain;
use fundhook_zerohash_api::{
    ApiSecret, ClientAuthTokenRequest, Credentials, SecretEncoding, Settings, US_CERT_URL, ZerohashClient,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> ExitCode {
    match start_recovery().await {
        Ok(characters) => {
            println!("the recovery has begun; its token has {characters} characters");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("could not start the recovery: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn start_recovery() -> Result<usize, Box<dyn Error>> {
    let request = token_of(&event()?)?;
    let base_url = env::var("ZEROHASH_BASE_URL").unwrap_or_else(|_| US_CERT_URL.to_owned());
    let client = ZerohashClient::new(Settings::new(&base_url))?;
    let credentials = Credentials {
        api_key: variable("ZEROHASH_API_KEY")?.into(),
        passphrase: variable("ZEROHASH_PASSPHRASE")?.into(),
        secret: ApiSecret::parse(&variable("ZEROHASH_SECRET")?.into(), SecretEncoding::Base64)?,
    };
    let granted = client.client_auth_token(&credentials, &request, SystemTime::now().into()).await?;
    // The frontend passes the token to the SDK, as `authJWT`.
    Ok(granted.token.expose_secret().len())
}

/// The event, from the file that the command line names or from standard input.
fn event() -> Result<Value, Box<dyn Error>> {
    let mut json = String::new();
    match env::args().nth(1) {
        Some(path) => json = fs::read_to_string(path)?,
        None => drop(io::stdin().read_to_string(&mut json)?),
    }
    Ok(serde_json::from_str(&json)?)
}

/// The token that the event asks for. Its body is the event's, member for member.
fn token_of(event: &Value) -> Result<ClientAuthTokenRequest, Box<dyn Error>> {
    let request = &event["data"]["auth_request_older"];
    if request["api"] != "zerohash" || request["call"] != "POST /client_auth_token" {
        let problem =
            "the event has no `auth_request_older` for `POST /client_auth_token`; is it a recovery to be made?";
        return Err(problem.into());
    }
    let body = &request["body"];
    let participant_code = body["participant_code"].as_str().ok_or("the request has no `participant_code`")?;
    let token = ClientAuthTokenRequest::recovery(participant_code);
    if json!(token) == *body { Ok(token) } else { Err("the event asks for another request than a recovery".into()) }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}
