//! The queues of what Fundhook gave up on.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A queue whose messages wait for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeadLetterQueue {
    /// Verified webhooks that fan-out could not archive or route.
    Ingress,
    /// Statements about money that the state updater could not record.
    Transfers,
    /// Other statements that the state updater could not record.
    Accounts,
    /// Pointers to changes that a publisher could not publish, to the topic or to the bus.
    Publisher,
}

/// A text that names none of the queues.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a queue; the queues are ingress, transfers, accounts and publisher")]
pub struct UnknownQueue(String);

impl DeadLetterQueue {
    /// In the order of the flow.
    pub const ALL: [Self; 4] = [Self::Ingress, Self::Transfers, Self::Accounts, Self::Publisher];

    /// Its name in commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Transfers => "transfers",
            Self::Accounts => "accounts",
            Self::Publisher => "publisher",
        }
    }

    /// The output of the template with its URL.
    pub fn output(self) -> &'static str {
        match self {
            Self::Ingress => "IngressDlqUrl",
            Self::Transfers => "TransfersDlqUrl",
            Self::Accounts => "AccountsDlqUrl",
            Self::Publisher => "PublisherFailureQueueUrl",
        }
    }

    /// The output with the URL of the queue that its messages came from; `None` for pointers, which Lambda wrote.
    pub fn source_output(self) -> Option<&'static str> {
        match self {
            Self::Ingress => Some("IngressQueueUrl"),
            Self::Transfers => Some("TransfersQueueUrl"),
            Self::Accounts => Some("AccountsQueueUrl"),
            Self::Publisher => None,
        }
    }

    /// The function that gave up, as its log group is named.
    pub fn function(self) -> &'static str {
        match self {
            Self::Ingress => "fan-out",
            Self::Transfers | Self::Accounts => "state-updater",
            Self::Publisher => "publisher",
        }
    }
}

impl fmt::Display for DeadLetterQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeadLetterQueue {
    type Err = UnknownQueue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == text).ok_or_else(|| UnknownQueue(text.to_owned()))
    }
}

impl Serialize for DeadLetterQueue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
