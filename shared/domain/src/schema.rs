//! JSON Schemas of the types that are serialised as strings.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{CorrelationId, DecimalValue, ResourceId, Timestamp, Units};

/// The schema of a type that is serialised as a string.
macro_rules! schema_of_text {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema_of_text!(Timestamp, "Timestamp", {
    "type": "string",
    "format": "date-time",
    "description": "An instant in UTC in the format of RFC 3339, with up to nine digits of a second.",
    "examples": ["2025-10-07T19:44:50Z", "2025-07-24T15:42:07.123456789Z"],
});
schema_of_text!(DecimalValue, "DecimalValue", {
    "type": "string",
    "pattern": "^-?(0|[1-9][0-9]*)(\\.[0-9]*[1-9])?$",
    "description": "An exact decimal number of any length, without leading or trailing zeros. Do not parse it as a float.",
    "examples": ["0.013", "119078888888888888887"],
});
schema_of_text!(ResourceId, "ResourceId", {
    "type": "string",
    "pattern": ResourceId::pattern(),
    "description": "The id of a resource: <kind>#<provider>[/<tenant>]#<id at the provider>.",
    "examples": ["deposit#connect#6e735627-f8d1-49ae-93cc-3b7923519c56"],
});
schema_of_text!(CorrelationId, "CorrelationId", {
    "type": "string",
    "pattern": CorrelationId::pattern(),
    "description": "The id of one received webhook, which is also in every log line about it.",
    "examples": ["9f86d081884c7d65"],
});
schema_of_text!(Units, "Units", {
    "type": "string",
    "minLength": 1,
    "description": "What one unit is: major (whole coins), wei (10^18 make one coin), lamports (10^9), satoshis (10^8), cents (100), or another unit in the provider's wording, whose size is not known.",
    "examples": ["major", "wei", "lamports", "satoshis", "cents"],
});
