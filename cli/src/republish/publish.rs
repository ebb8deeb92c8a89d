//! Invokes the publisher, and tells what it did not publish.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::due::Due;
use super::record::{Request, requests};
use crate::invocation::{Invocation, InvocationError};

/// After how many records of one request that were not published the others are not tried.
const FAILURES_MAX: usize = 3;

/// Where events are published: each has a publisher of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The SNS topic.
    Topic,
    /// The EventBridge bus.
    Bus,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topic => "topic",
            Self::Bus => "bus",
        })
    }
}

/// Publishes what is due by `invoke`, which invokes the publisher with an event. Returns why each was not published, in the
/// order of `due`; `None` for what was.
pub async fn publish(
    due: &[Due],
    invoke: impl AsyncFn(Value) -> Result<Invocation, InvocationError>,
) -> Vec<Option<String>> {
    let mut failures = vec![None; due.len()];
    for request in requests(due) {
        for (position, why) in unpublished(&request, &invoke).await {
            if let Some(failure) = failures.get_mut(request.first + position) {
                *failure = Some(why);
            }
        }
    }
    failures
}

/// The positions of the records that were not published, and why.
async fn unpublished(
    request: &Request,
    invoke: &impl AsyncFn(Value) -> Result<Invocation, InvocationError>,
) -> Vec<(usize, String)> {
    let (mut failed, mut start) = (Vec::new(), 0);
    while start < request.records.len() {
        let rest = start..request.records.len();
        if failed.len() == FAILURES_MAX {
            let why = || format!("not tried, because {FAILURES_MAX} others before it could not be published");
            failed.extend(rest.map(|position| (position, why())));
            break;
        }
        match first_unpublished(request, start, invoke).await {
            Ok(None) => break,
            // The publisher logs why. Records after the first one may have been published; they are published again.
            Ok(Some(position)) => {
                failed.push((position, "the publisher could not publish it; its log says why".to_owned()));
                start = position + 1;
            }
            Err(why) => {
                failed.extend(rest.map(|position| (position, why.clone())));
                break;
            }
        }
    }
    failed
}

/// The position of the first record that the publisher did not finish, of those from `start` on.
async fn first_unpublished(
    request: &Request,
    start: usize,
    invoke: &impl AsyncFn(Value) -> Result<Invocation, InvocationError>,
) -> Result<Option<usize>, String> {
    let answer = invoke(request.event(start)).await.map_err(|error| fundhook_ports::chain(&error))?;
    if answer.failed {
        let why = answer.payload["errorMessage"].as_str().unwrap_or("it gave no reason");
        return Err(format!("the publisher failed: {why}"));
    }
    let failures = answer.payload["batchItemFailures"]
        .as_array()
        .ok_or_else(|| format!("the publisher's answer is not one of Fundhook's publisher: {}", answer.payload))?;
    let Some(first) = failures.first() else {
        return Ok(None);
    };
    // Without a position that was sent, nothing is known of any of them.
    let position = first["itemIdentifier"].as_str().and_then(|number| request.position(number));
    position
        .filter(|position| *position >= start)
        .map(Some)
        .ok_or_else(|| format!("the publisher names a record that it was not sent: {first}"))
}
