//! Capturing of logs.

use std::io::Write;
use std::sync::{Arc, Mutex};

/// The log lines of `running`, at every level.
pub(crate) async fn logged(running: impl Future<Output = ()>) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let writer = {
        let lines = Arc::clone(&lines);
        move || Lines(Arc::clone(&lines))
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(writer).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    running.await;
    drop(logging);
    String::from_utf8(lines.lock().expect("no test panicked").clone()).expect("UTF-8")
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panicked").write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
