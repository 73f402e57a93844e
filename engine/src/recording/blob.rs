//! Bytes in JSON: as text where they are text, and in hexadecimal digits where not.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A plugin's value, or the body of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Spelled", into = "Spelled")]
pub struct Blob(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Spelled {
    Text(String),
    Hex { hex: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`hex` holds pairs of hexadecimal digits")]
struct NotHex;

impl From<Blob> for Spelled {
    fn from(Blob(bytes): Blob) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => {
                let mut hex = String::new();
                for byte in error.as_bytes() {
                    // Writing to a String can't fail.
                    let _ = write!(hex, "{byte:02x}");
                }
                Self::Hex { hex }
            }
        }
    }
}

impl TryFrom<Spelled> for Blob {
    type Error = NotHex;

    fn try_from(spelled: Spelled) -> Result<Self, NotHex> {
        match spelled {
            Spelled::Text(text) => Ok(Self(text.into_bytes())),
            Spelled::Hex { hex } => {
                let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
                let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
                let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>();
                bytes.filter(|_| rest.is_empty()).map(Self).ok_or(NotHex)
            }
        }
    }
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_stays_readable_and_what_is_no_hex_is_refused() {
        assert_eq!(serde_json::to_string(&Blob(b"42".to_vec())).unwrap(), "\"42\"");
        assert_eq!(serde_json::to_string(&Blob(vec![0xff, 0])).unwrap(), r#"{"hex":"ff00"}"#);
        for wrong in [r#"{"hex":"f"}"#, r#"{"hex":"+f"}"#, r#"{"hex":"xx"}"#, "12"] {
            assert!(serde_json::from_str::<Blob>(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_byte_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let json = serde_json::to_string(&Blob(bytes.clone())).unwrap();
            prop_assert_eq!(serde_json::from_str::<Blob>(&json).unwrap(), Blob(bytes));
        }
    }
}
