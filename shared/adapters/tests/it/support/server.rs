//! A server on the loopback interface that sends the responses of a test and records the requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request to the server.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The request line and the headers.
    head: String,
    pub(crate) body: String,
}

impl Asked {
    /// Method and target: `GET /transactions?page=1`.
    pub(crate) fn line(&self) -> &str {
        let line = self.head.lines().next().expect("a request line");
        line.strip_suffix(" HTTP/1.1").expect("the version")
    }

    /// The text of a header; `None` if it was not sent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

/// A response of the server.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: String,
    body: String,
    /// How many bytes of the body are never sent.
    withheld: usize,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        Self { status, headers: format!("content-type: {content_type}\r\n"), body: body.into(), withheld: 0 }
    }

    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "application/json", body)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// The same response, with half of its body.
    pub(crate) fn broken_off(self) -> Self {
        Self { withheld: self.body.len() / 2, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { status, headers, body, withheld } = self;
        // A response without content must not have a length (RFC 9110 section 8.6).
        let length = if *status == 304 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head = format!("HTTP/1.1 {status} X\r\n{headers}{length}connection: close\r\n\r\n");
        [head.as_bytes(), &body.as_bytes()[..body.len() - withheld]].concat()
    }
}

/// A server that lives as long as the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// A server that responds to each request with the result of `answer`.
    pub(crate) async fn answering(mut answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = request(&mut stream).await;
                let answer = answer(&request).bytes();
                lock(&heard).push(request);
                stream.write_all(&answer).await.expect("the client listens");
            }
        });
        Self { url, asked }
    }

    /// A server that sends the same response to every request.
    pub(crate) async fn always(answer: Answer) -> Self {
        Self::answering(move |_| answer.clone()).await
    }

    /// The requests, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }

    /// The only request.
    pub(crate) fn asked_once(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }
}

/// The next request.
async fn request(stream: &mut TcpStream) -> Asked {
    let mut request = String::new();
    loop {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let asked = Asked { head: head.to_owned(), body: body.to_owned() };
            let length = asked.header("content-length").map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                return asked;
            }
        }
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).await.expect("a request");
        assert_ne!(length, 0, "the request ended too early");
        // These tests send ASCII, so no character is split.
        request.push_str(str::from_utf8(&buffer[..length]).expect("ASCII"));
    }
}
