//! Takes a `fundhook.recovery.required` event, opens the session in which its user returns the unexpected deposits, and prints
//! the session's lifetime, without its token.
//!
//! ```sh
//! export CONNECT_CLIENT_ID=… CONNECT_CLIENT_SECRET=… CONNECT_ORGANIZATION_ID=…
//! export CONNECT_SIGNING_KEY="$(cat private-key.pem)"
//! cargo run -p fundhook-connect-api --example start_recovery -- event.json
//! ```
//!
//! Without a file, the event is read from standard input. `CONNECT_BASE_URL` defaults to the sandbox. This is the event's
//! `auth_request`; the example `start_zerohash_recovery` of `shared/zerohash-api` takes its `auth_request_older`.

use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::time::SystemTime;
use std::{env, fs, io};

use fundhook_connect_api::{ConnectClient, Credentials, SANDBOX_URL, SessionRequest, Settings, SigningKey};
use fundhook_ports::chain;
use serde_json::Value;

#[tokio::main]
async fn main() -> ExitCode {
    match start_recovery().await {
        Ok(seconds) => {
            println!("the recovery session is open; it is valid for {seconds} s");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("could not start the recovery: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn start_recovery() -> Result<u64, Box<dyn Error>> {
    let request = session_of(&event()?)?;
    let base_url = env::var("CONNECT_BASE_URL").unwrap_or_else(|_| SANDBOX_URL.to_owned());
    let client = ConnectClient::new(Settings::new(&base_url))?;
    let credentials = Credentials {
        client_id: variable("CONNECT_CLIENT_ID")?,
        client_secret: variable("CONNECT_CLIENT_SECRET")?.into(),
        organization_id: variable("CONNECT_ORGANIZATION_ID")?,
    };
    let key = SigningKey::from_pem(&variable("CONNECT_SIGNING_KEY")?)?;

    let granted = client.request_token(&credentials).await?;
    let caller = credentials.caller(&granted);
    let session = client.open_session(&caller, &key, &request, SystemTime::now().into()).await?;
    // The frontend passes `session.jwt` to the SDK.
    Ok(session.expires_in.as_secs())
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

/// The session that the event asks for.
fn session_of(event: &Value) -> Result<SessionRequest, Box<dyn Error>> {
    let request = &event["data"]["auth_request"];
    if request["api"] != "connect" || request["call"] != "POST /sessions" {
        return Err(
            "the event has no `auth_request` for Connect's `POST /sessions`; is it a recovery to be made?".into()
        );
    }
    let body = &request["body"];
    let reference_id = body["account"]["reference_id"].as_str().ok_or("the request has no `account.reference_id`")?;
    let scopes = body["scopes"].as_array().ok_or("the request has no `scopes`")?;
    let scopes = scopes.iter().filter_map(Value::as_str).map(str::parse).collect::<Result<_, _>>()?;
    Ok(SessionRequest { scopes, ..SessionRequest::recovery(reference_id) })
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}
