//! What there is once in a test process: the runtime, the emulator, and the packaged functions.

use std::future::Future;
use std::sync::LazyLock;

use fundhook_local_stack::CargoOutput;
use fundhook_local_stack::session::Session;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

/// Connections, and the sandbox providers' servers, end with the runtime they were made on. Platforms that several tests
/// share must outlive each of these tests, so that all of them run on this one.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts"));

/// What cannot start is not tried again by each test.
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

/// What the emulator and the functions have printed so far.
pub async fn log() -> String {
    let bytes = std::fs::read(session().await.emulator().log()).expect("the emulator writes its log");
    String::from_utf8_lossy(&bytes).into_owned()
}
