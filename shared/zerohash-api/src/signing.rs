//! The string that a request's signature covers [zerohash-api-auth].

use reqwest::{Method, Url};

use crate::settings::{AbsentBody, Brackets};

/// A request, as far as its signature covers it.
pub(crate) struct SignedRequest<'a> {
    /// The UNIX time in seconds.
    pub(crate) timestamp: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    /// The body, byte for byte as it is sent.
    pub(crate) body: Option<&'a [u8]>,
    /// What stands for the body of a request without one.
    pub(crate) absent_body: AbsentBody,
    pub(crate) brackets: Brackets,
}

impl SignedRequest<'_> {
    /// The bytes to sign: timestamp, method, path with query, and body, with nothing between them.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let absent: &[u8] = match self.absent_body {
            AbsentBody::Braces => b"{}",
            AbsentBody::Nothing => b"",
        };
        let route = self.route();
        [self.timestamp.as_bytes(), self.method.as_str().as_bytes(), route.as_bytes(), self.body.unwrap_or(absent)]
            .concat()
    }

    /// The request target, byte for byte as it is sent, apart from brackets that are signed raw.
    fn route(&self) -> String {
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        match self.brackets {
            Brackets::Encoded => target,
            Brackets::Raw => target.replace("%5B", "[").replace("%5D", "]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::{ApiSecret, SecretEncoding};

    const HOST: &str = "https://api.zerohash.com";

    /// Bytes 00 to 1f. The provider prints a digest that fits none of its own strings, so these vectors were computed from
    /// the documented rule with a second implementation.
    const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn signed(method: &Method, route: &str, body: Option<&str>) -> SignedParts {
        let url = format!("{HOST}{route}").parse().expect("a URL");
        SignedParts { method: method.clone(), url, body: body.map(str::to_owned) }
    }

    struct SignedParts {
        method: Method,
        url: Url,
        body: Option<String>,
    }

    impl SignedParts {
        fn bytes(&self, absent_body: AbsentBody, brackets: Brackets) -> String {
            let body = self.body.as_deref().map(str::as_bytes);
            let (method, url) = (&self.method, &self.url);
            let request = SignedRequest { timestamp: "1767225600", method, url, body, absent_body, brackets };
            String::from_utf8(request.bytes()).expect("text")
        }
    }

    #[test]
    fn a_get_and_a_post_have_the_signatures_of_the_documented_rule() {
        let secret = ApiSecret::parse(&SECRET.to_owned().into(), SecretEncoding::Base64).expect("a secret");
        let get = signed(&Method::GET, "/fund/transactions?page=1&page_size=50", None);
        let get = get.bytes(AbsentBody::Braces, Brackets::Encoded);
        assert_eq!(get, "1767225600GET/fund/transactions?page=1&page_size=50{}");
        assert_eq!(secret.sign(get.as_bytes()), "+CMMlwRBngxzXNJb/XCeN4Hr4XjMYTnHuzpFP53p8f0=");

        let body = r#"{"participant_code":"CUST01","fund_asset":"USDC.BASE"}"#;
        let post = signed(&Method::POST, "/fund/rfq", Some(body)).bytes(AbsentBody::Braces, Brackets::Encoded);
        assert_eq!(post, format!("1767225600POST/fund/rfq{body}"));
        assert_eq!(secret.sign(post.as_bytes()), "Kor78rdEqsRiuY5/COEaLA+4qkjfsmXSZhw+IcNlge0=");
    }

    #[test]
    fn what_the_documents_leave_open_follows_the_settings() {
        let get = signed(&Method::GET, "/deposits?settle_timestamp%5Bgte%5D=1", None);
        for (absent, brackets, expected) in [
            (AbsentBody::Braces, Brackets::Encoded, "1767225600GET/deposits?settle_timestamp%5Bgte%5D=1{}"),
            (AbsentBody::Nothing, Brackets::Raw, "1767225600GET/deposits?settle_timestamp[gte]=1"),
        ] {
            assert_eq!(get.bytes(absent, brackets), expected);
        }
        let empty = signed(&Method::POST, "/fund/rfq", None);
        assert_eq!(empty.bytes(AbsentBody::Nothing, Brackets::Encoded), "1767225600POST/fund/rfq");
    }
}
