//! AWS Signature Version 4, the verifying side.
//!
//! Written from the public description of the algorithm and its published test vectors, independent of
//! the SDK: a client and a checker that share code would share its mistakes.

use axum::http::{HeaderMap, Method, Uri};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The parts of an `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key_id: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    signed_headers: Vec<String>,
    signature: String,
}

/// A request as it is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Authorization {
    /// Reads the header; the error names the part that is missing or malformed.
    pub(crate) fn parse(header: &str) -> Result<Self, String> {
        let rest = header.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(|| {
            "Authorization header requires the algorithm 'AWS4-HMAC-SHA256'.".to_owned()
        })?;
        let part = |name: &str| {
            rest.split(',')
                .filter_map(|part| part.trim().split_once('='))
                .find_map(|(key, value)| (key == name).then_some(value))
                .ok_or_else(|| format!("Authorization header requires '{name}' parameter."))
        };
        let credential: Vec<&str> = part("Credential")?.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = credential[..] else {
            return Err("Credential must have five parts and end in 'aws4_request'.".to_owned());
        };
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: part("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: part("Signature")?.to_owned(),
        })
    }

    /// Whether this header is among those that the signature covers.
    pub(crate) fn covers(&self, header: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed == header)
    }

    /// Whether the signature was made with this secret over this request.
    pub(crate) fn matches(&self, secret: &str, request: &Signed<'_>, amz_date: &str) -> bool {
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let canonical = hex(&Sha256::digest(canonical_request(request, &self.signed_headers)));
        let to_sign = format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{canonical}");
        let signature = hmac(&signing_key(secret, self), to_sign.as_bytes());
        hex(&signature) == self.signature
    }
}

fn canonical_request(request: &Signed<'_>, signed_headers: &[String]) -> String {
    let mut query: Vec<&str> = request.uri.query().unwrap_or_default().split('&').collect();
    query.sort_unstable();
    let header = |name: &String| {
        let values =
            request.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        let values: Vec<String> = values.map(collapse_spaces).collect();
        format!("{name}:{}\n", values.join(","))
    };
    let headers: String = signed_headers.iter().map(header).collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        request.uri.path(),
        query.join("&"),
        signed_headers.join(";"),
        hex(&Sha256::digest(request.body)),
    )
}

fn signing_key(secret: &str, scope: &Authorization) -> Vec<u8> {
    let date = hmac(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
    let region = hmac(&date, scope.region.as_bytes());
    let service = hmac(&region, scope.service.as_bytes());
    hmac(&service, b"aws4_request")
}

fn collapse_spaces(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn check(
        header: &str,
        method: &Method,
        uri: &str,
        headers: &[(&'static str, &'static str)],
        body: &[u8],
    ) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let uri = uri.parse().expect("a good URI");
        let request = Signed { method, uri: &uri, headers: &map, body };
        let authorization = Authorization::parse(header).expect("a good header");
        authorization.matches(SECRET, &request, "20150830T123600Z")
    }

    // AWS's published Signature Version 4 test suite: get-vanilla, get-vanilla-query-order-key-case,
    // post-x-www-form-urlencoded.
    #[test]
    fn the_published_test_vectors_verify() {
        let vanilla = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        assert!(check(vanilla, &Method::GET, "/", &headers, b""));
        assert!(!check(vanilla, &Method::POST, "/", &headers, b""));
        assert!(!check(vanilla, &Method::GET, "/", &headers, b"x"));

        let query = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        assert!(check(query, &Method::GET, "/?Param2=value2&Param1=value1", &headers, b""));

        let form = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        assert!(check(form, &Method::POST, "/", &headers, b"Param1=value1"));
    }

    #[test]
    fn a_malformed_header_names_what_is_missing() {
        let missing = |header: &str| Authorization::parse(header).expect_err("a bad header");
        assert!(missing("Basic abc").contains("AWS4-HMAC-SHA256"));
        assert!(
            missing("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, Signature=x")
                .contains("'SignedHeaders'")
        );
        assert!(
            missing("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x")
                .contains("five parts")
        );
    }
}
