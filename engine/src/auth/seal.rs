//! Sealing: what is in the database is of no use without the key, and no row can stand for another.

use std::fmt::Write as _;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// In front of what is sealed, in case that it will ever be sealed in another way.
const VERSION: u8 = 1;
/// Tells keys apart and says nothing of them.
const FINGERPRINT_BYTES: usize = 8;

/// No Debug, and no way back to its bytes.
pub(super) struct Key {
    key: LessSafeKey,
    fingerprint: String,
}

/// It was sealed with another key or for another row, or it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it can't be opened")]
pub(super) struct Unopened;

impl Key {
    fn new(bytes: &[u8; KEY_BYTES]) -> Option<Self> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"showrunner key fingerprint\0");
        context.update(bytes);
        let digest = context.finish();
        let fingerprint = hex(digest.as_ref().get(..FINGERPRINT_BYTES).unwrap_or_default());
        // Only a key of another length is refused.
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?;
        Some(Self { key: LessSafeKey::new(key), fingerprint })
    }

    /// `None` for what are not 64 hexadecimal digits.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
        let bytes = digits.chunks(2).map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        });
        let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
        Self::new(&bytes.try_into().ok()?)
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// `owner` says whose it is; only under the same can it be opened.
    pub(super) fn seal(&self, owner: &[u8], plain: &[u8]) -> Result<Vec<u8>, NoChance> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut sealed)
            .map_err(|_| NoChance)?;
        let mut whole = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        whole.push(VERSION);
        whole.extend_from_slice(&nonce);
        whole.append(&mut sealed);
        Ok(whole)
    }

    pub(super) fn open(&self, owner: &[u8], whole: &[u8]) -> Result<Vec<u8>, Unopened> {
        let Some((&VERSION, rest)) = whole.split_first() else { return Err(Unopened) };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unopened)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.key.open_in_place(nonce, Aad::from(owner), &mut sealed).map_err(|_| Unopened)?;
        Ok(plain.to_vec())
    }
}

/// The system gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoChance;

/// For keys, nonces and all else that must not be guessed.
pub(super) fn random<const BYTES: usize>() -> Result<[u8; BYTES], NoChance> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoChance)?;
    Ok(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> Key {
        Key::new(&[byte; KEY_BYTES]).unwrap()
    }

    #[test]
    fn only_the_same_key_and_the_same_owner_open_it() {
        let sealed = key(1).seal(b"anna", b"token").unwrap();
        assert_eq!(key(1).open(b"anna", &sealed).unwrap(), b"token");
        assert_eq!(key(1).open(b"bert", &sealed), Err(Unopened));
        assert_eq!(key(2).open(b"anna", &sealed), Err(Unopened));
        assert_ne!(key(1).seal(b"anna", b"token").unwrap(), sealed, "the same is never sealed to the same");
    }

    #[test]
    fn a_key_is_64_digits_and_known_by_its_fingerprint() {
        let hex_key = Key::from_hex(&"07".repeat(32)).unwrap();
        assert_eq!(hex_key.fingerprint(), key(7).fingerprint());
        assert_eq!(key(7).fingerprint().len(), 16);
        assert_ne!(key(7).fingerprint(), key(8).fingerprint());
        for wrong in ["", "07", &"0g".repeat(32), &"07".repeat(33), &"é7".repeat(32)] {
            assert!(Key::from_hex(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_was_changed_or_cut_is_not_opened(plain in any::<Vec<u8>>(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let sealed = key(1).seal(b"anna", &plain).unwrap();
            prop_assert_eq!(key(1).open(b"anna", &sealed).unwrap(), plain);
            let mut changed = sealed.clone();
            changed[place.index(sealed.len())] ^= 1 << bit;
            prop_assert_eq!(key(1).open(b"anna", &changed), Err(Unopened));
            prop_assert_eq!(key(1).open(b"anna", &sealed[..place.index(sealed.len())]), Err(Unopened));
        }
    }
}
