//! The evidence bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use fundhook_ports::{Archive, Disposition, PortError};

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
