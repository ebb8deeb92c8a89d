//! The runtime, the emulator and the packaged functions, which exist once in a test process.

use std::future::Future;
use std::sync::LazyLock;

use fundhook_local_stack::CargoOutput;
use fundhook_local_stack::session::Session;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

/// Connections and sandbox servers end with the runtime that created them. Several tests share a platform, so all tests run
/// on one runtime.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts"));

/// A failed start is not repeated by every test.
static SESSION: OnceCell<Result<Session, String>> = OnceCell::const_new();

/// Runs a test.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// The emulator and the functions' packages. The emulator ends with this process.
pub async fn session() -> &'static Session {
    let start = async || {
        let started = Session::start(CargoOutput::Kept, &|step| eprintln!("· {step}")).await;
        started.map_err(|error| fundhook_ports::chain(&error))
    };
    SESSION.get_or_init(start).await.as_ref().expect("the local stack starts")
}

/// The output of the emulator and the functions so far.
pub async fn log() -> String {
    let bytes = std::fs::read(session().await.emulator().log()).expect("the emulator writes its log");
    String::from_utf8_lossy(&bytes).into_owned()
}
