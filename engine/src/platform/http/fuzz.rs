//! An answer of HTTP that holds anything.

use axum::http;
use futures_util::FutureExt;
use reqwest::header::RETRY_AFTER;
use showrunner_fuzz::{assert_one_short_line, fuzz_bytes};

use super::*;
use crate::platform::http::LONGEST_RETRY_AFTER;

const TOKEN: &str = "the-token-of-this-test";
const LIMIT: usize = 4096;

/// The first line of an input is the status and what stands in `Retry-After`, the rest is the body. Some of the corpus
/// tell the token back.
#[test]
fn http_answers() {
    fuzz_bytes!(64, |input| {
        let split = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (line, body) = (String::from_utf8_lossy(&input[..split]), input.get(split + 1..).unwrap_or_default());
        let (status, retry_after) = line.split_once(' ').unwrap_or((&line, "0"));
        let response = http::Response::builder().status(status).header(RETRY_AFTER, retry_after).body(body.to_vec());
        let Ok(response) = response else { return };
        let outcome = answer(Ok(response.into()), LIMIT, TOKEN).now_or_never();
        match outcome.expect("a body that is there needs no waiting") {
            Ok(read) => assert!(read.len() <= LIMIT && read == body),
            Err(error) => {
                assert_one_short_line(&error.to_string());
                assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
                if let HttpError::Status { retry_after: Some(wait), .. } = error {
                    assert!(wait <= LONGEST_RETRY_AFTER);
                }
            }
        }
    });
}
