//! Opens a session for a user's deposits and prints its lifetime, without its token.
//!
//! ```sh
//! export CONNECT_CLIENT_ID=… CONNECT_CLIENT_SECRET=… CONNECT_ORGANIZATION_ID=…
//! export CONNECT_SIGNING_KEY="$(cat private-key.pem)" CONNECT_PARTICIPANT_CODE=USER01
//! cargo run -p fundhook-connect-api --example open_session
//! ```
//!
//! `CONNECT_BASE_URL` defaults to the sandbox.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use fundhook_connect_api::{ConnectClient, Credentials, SANDBOX_URL, SessionRequest, Settings, SigningKey};
use fundhook_ports::chain;

#[tokio::main]
async fn main() -> ExitCode {
    match open_session().await {
        Ok(seconds) => {
            println!("the session is open; it is valid for {seconds} s");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("could not open a session: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn open_session() -> Result<u64, Box<dyn Error>> {
    let base_url = env::var("CONNECT_BASE_URL").unwrap_or_else(|_| SANDBOX_URL.to_owned());
    let client = ConnectClient::new(Settings::new(&base_url))?;
    let credentials = Credentials {
        client_id: variable("CONNECT_CLIENT_ID")?,
        client_secret: variable("CONNECT_CLIENT_SECRET")?.into(),
        organization_id: variable("CONNECT_ORGANIZATION_ID")?,
    };
    let key = SigningKey::from_pem(&variable("CONNECT_SIGNING_KEY")?)?;
    let request = SessionRequest::deposits(&variable("CONNECT_PARTICIPANT_CODE")?);

    let granted = client.request_token(&credentials).await?;
    let caller = credentials.caller(&granted);
    let session = client.open_session(&caller, &key, &request, SystemTime::now().into()).await?;
    Ok(session.expires_in.as_secs())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}
