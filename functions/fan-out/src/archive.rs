//! A batch of envelopes as one object of the evidence archive.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use fundhook_domain::{EvidencePointer, Timestamp, digest_hex};
use fundhook_providers::Envelope;

/// Envelopes of one day as NDJSON, one a line, so that everything that was received on a day is found under that day. The key
/// of the object is derived from its content, so that a batch that is delivered twice is stored as the same object.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    lines: String,
    count: u32,
    received_at: Option<Timestamp>,
}

impl Batch {
    /// Adds an envelope and the JSON that it was parsed from. Returns the number of its line, from 0.
    pub fn add(&mut self, envelope: &Envelope, json: &str) -> u32 {
        // In JSON a line break is white space: inside a string it is escaped.
        self.lines.extend(json.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        self.lines.push('\n');
        self.received_at.get_or_insert(envelope.received_at());
        self.count += 1;
        self.count - 1
    }

    /// The object's key: `evidence/v1/2026/11/22/<SHA-256 of the lines>.ndjson.gz`, with the day on which the envelopes
    /// were received. `None` for an empty batch.
    pub fn key(&self) -> Option<String> {
        let day = self.received_at?.day_path();
        Some(format!("evidence/v1/{day}/{}.ndjson.gz", digest_hex(self.lines.as_bytes())))
    }

    /// The object's content, compressed with gzip.
    pub fn compressed(&self) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(self.lines.as_bytes())?;
        encoder.finish()
    }
}

pub(crate) fn pointer(key: &str, line: u32) -> EvidencePointer {
    EvidencePointer { object: key.to_owned(), line }
}
