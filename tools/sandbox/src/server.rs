//! The sandbox's HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::SandboxError;
use crate::state::Inner;
use crate::{api, controls};

/// A running sandbox provider, which stops when this value is dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox on `port` of the loopback interface, 0 for any free one.
    pub async fn start(port: u16) -> Result<Self, SandboxError> {
        let shared = Arc::new(Inner::generate()?);
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(SandboxError::Bind)?;
        let address = listener.local_addr().map_err(SandboxError::Bind)?;
        let router = Router::new().merge(api::routes()).merge(controls::routes()).with_state(shared);
        let server = tokio::spawn(async move {
            if let Err(error) = serve(listener, router).await {
                eprintln!("the sandbox provider stopped: {error}");
            }
        });
        Ok(Self { address, server })
    }

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the process ends.
    pub async fn serve_forever(mut self) {
        // An error means that the server's task panicked or was aborted.
        (&mut self.server).await.ok();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}
