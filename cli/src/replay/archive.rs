//! The envelopes in the evidence bucket.

use std::io::Read as _;

use flate2::read::GzDecoder;
use fundhook_domain::EvidencePointer;
use fundhook_ports::{Disposition, PortError, ReadArchive, chain};
use fundhook_providers::Envelope;

/// One line of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedLine {
    /// Where it is.
    pub place: EvidencePointer,
    /// The JSON of an envelope, as fan-out received it.
    pub json: String,
}

/// An archived envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    pub place: EvidencePointer,
    /// As it was received.
    pub envelope: Envelope,
    /// Whether this copy was archived by a replay.
    pub is_replay: bool,
}

impl ArchivedLine {
    /// The envelope, as it was received, or the error of today's code.
    pub fn read(&self) -> Result<Archived, String> {
        let envelope = Envelope::from_json(&self.json).map_err(|error| chain(&error))?;
        // A replay is archived too; what it replays is the same webhook.
        let is_replay = envelope.is_replayed();
        Ok(Archived { place: self.place.clone(), envelope: envelope.as_received(), is_replay })
    }
}

/// The lines of the object `key`.
pub(super) async fn lines_of(archive: &impl ReadArchive, key: &str) -> Result<Vec<ArchivedLine>, PortError> {
    let content = archive.content(key).await?;
    let mut text = String::new();
    GzDecoder::new(&*content).read_to_string(&mut text).map_err(|error| {
        PortError::new(
            "decompress an object of the evidence bucket",
            Disposition::DeadLetter,
            format!("{key}: {error}"),
        )
    })?;
    let line = |(line, json): (u32, &str)| ArchivedLine {
        place: EvidencePointer { object: key.to_owned(), line },
        json: json.to_owned(),
    };
    Ok((0..).zip(text.lines()).map(line).collect())
}
