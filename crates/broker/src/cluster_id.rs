//! Kafka's text form of ids: the 16 bytes in URL-safe base64, 22 characters.

use uuid::Uuid;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A cluster's id is made of the id that `__consumer_offsets` was given when the data directory was first used: it
/// stays the same as long as the data does.
pub(crate) fn from_uuid(id: Uuid) -> String {
    let bits = u128::from_be_bytes(*id.as_bytes());
    (0..22)
        .map(|position| {
            // 21 digits of six bits and the last two bits, which stand to the left of four zeros.
            let digit = if position < 21 { bits >> (122 - 6 * position) } else { bits << 4 };
            char::from(ALPHABET[usize::try_from(digit & 0b11_1111).expect("six bits")])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kafkas_form() {
        assert_eq!(from_uuid(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(from_uuid(Uuid::from_u128(u128::MAX)), "_____________________w");
        assert_eq!(from_uuid(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
    }
}
