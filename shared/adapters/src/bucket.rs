//! The evidence bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use fundhook_ports::{Archive, Disposition, PortError, ReadArchive};

use crate::Aws;
use crate::why::{BUCKET, why};

#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    pub fn new(aws: &Aws, name: String) -> Self {
        let config = aws_sdk_s3::config::Builder::from(aws.sdk_config()).force_path_style(aws.is_local()).build();
        Self { client: Client::from_conf(config), name }
    }
}

impl Archive for Bucket {
    async fn put(&self, key: &str, content: Vec<u8>) -> Result<(), PortError> {
        let put = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from(content));
        let put = put.content_type("application/x-ndjson").content_encoding("gzip");
        put.send().await.map(|_| ()).map_err(|error| {
            let why = why(&error, BUCKET.called(&self.name));
            PortError::new("put an object into the evidence bucket", Disposition::Retry, why)
        })
    }
}

impl ReadArchive for Bucket {
    async fn objects(&self, after: &str) -> Result<Vec<String>, PortError> {
        let mut token = None;
        loop {
            let list = self.client.list_objects_v2().bucket(&self.name).prefix("evidence/v1/").start_after(after);
            let listed = list.set_continuation_token(token).send().await.map_err(|error| {
                let why = why(&error, BUCKET.called(&self.name));
                PortError::new("list the evidence bucket", Disposition::Retry, why)
            })?;
            let keys: Vec<String> =
                listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect();
            token = listed.next_continuation_token.filter(|_| listed.is_truncated == Some(true));
            // A page may be empty although another one follows.
            if !keys.is_empty() || token.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn content(&self, key: &str) -> Result<Vec<u8>, PortError> {
        const READ: &str = "read an object of the evidence bucket";
        let got = self.client.get_object().bucket(&self.name).key(key).send().await;
        let got = got.map_err(|error| {
            let is_gone = error.as_service_error().is_some_and(GetObjectError::is_no_such_key);
            let disposition = if is_gone { Disposition::DeadLetter } else { Disposition::Retry };
            PortError::new(READ, disposition, format!("{key}: {}", why(&error, BUCKET.called(&self.name))))
        })?;
        let body = got.body.collect().await.map(|body| body.to_vec());
        body.map_err(|error| PortError::new(READ, Disposition::Retry, format!("{key}: {error}")))
    }
}
