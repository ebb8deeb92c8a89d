//! Why a call to AWS failed, in one line.

use std::error::Error;
use std::fmt::Debug;

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Something that a function uses, and the environment variable that names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    what: &'static str,
    variable: &'static str,
    /// What the variable says, where there is more than one of these.
    name: Option<&'a str>,
}

impl Named<'static> {
    const fn new(what: &'static str, variable: &'static str) -> Self {
        Self { what, variable, name: None }
    }

    pub(crate) fn called(self, name: &str) -> Named<'_> {
        Named { name: Some(name), ..self }
    }
}

pub(crate) const TABLE: Named<'static> = Named::new("table", "FUNDHOOK_TABLE");
pub(crate) const BUCKET: Named<'static> = Named::new("evidence bucket", "FUNDHOOK_EVIDENCE_BUCKET");
pub(crate) const QUEUE: Named<'static> = Named::new("queue", "FUNDHOOK_…_QUEUE_URL");
pub(crate) const TOPIC: Named<'static> = Named::new("topic", "FUNDHOOK_TOPIC_ARN");
pub(crate) const BUS: Named<'static> = Named::new("event bus", "FUNDHOOK_EVENT_BUS_ARN");

/// The codes by which the services say that something does not exist.
const MISSING: [&str; 6] = [
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
];

/// Why a call failed. For something that does not exist, it says which variable names it.
pub(crate) fn why<E, R>(error: &SdkError<E, R>, named: Named<'_>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
    R: Debug,
{
    match error.code() {
        Some(code) if MISSING.contains(&code) => missing(code, named),
        Some(_) | None => DisplayErrorContext(error).to_string(),
    }
}

fn missing(code: &str, Named { what, variable, name }: Named<'_>) -> String {
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    format!(
        "the {what}{name} does not exist in this account and region ({code}); {variable} names it, which the stack sets, and \
         `cargo fundhook invoke --env FUNCTION` for a local invocation"
    )
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::get_item::GetItemError;
    use aws_sdk_dynamodb::types::error::ResourceNotFoundException;

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_variable() {
        let meta = aws_smithy_types::error::ErrorMetadata::builder().code("ResourceNotFoundException").build();
        let missing = ResourceNotFoundException::builder().meta(meta).build();
        let error = SdkError::service_error(GetItemError::ResourceNotFoundException(missing), ());
        let why = why(&error, TABLE);
        assert!(why.starts_with("the table does not exist in this account and region"), "{why}");
        assert!(why.contains("FUNDHOOK_TABLE names it") && !why.contains('\n'), "{why}");
    }

    #[test]
    fn another_failure_is_told_as_it_is() {
        let error: SdkError<GetItemError, ()> = SdkError::timeout_error("no answer within 3 s");
        assert!(why(&error, TABLE).contains("no answer within 3 s"));
    }
}
