//! What a test logged.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use serde_json::Value;

thread_local! {
    /// Each test has a thread of its own.
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThreadsLog;

impl Write for ThreadsLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| written.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that `logging` logs on this thread, in the format of the function.
pub(crate) async fn logged(logging: impl Future<Output = ()>) -> Vec<Value> {
    static START: Once = Once::new();
    START.call_once(|| {
        let log = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
        log.with_env_filter("subscriber=info").with_writer(|| ThreadsLog).init();
    });
    WRITTEN.with_borrow_mut(Vec::clear);
    logging.await;
    let written = WRITTEN.take();
    written.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).expect("JSON")).collect()
}
