//! `aes_encrypt` and `aes_decrypt`: AES with keys of 128, 192 and 256 bits, in the modes GCM, CBC and ECB.
//!
//! As in Spark the answer begins with the vector that the mode wants, and GCM's ends with its tag.

use aes::cipher::{
    Array, Block, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U12, consts::U16,
};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::{Aead, Payload};
use datafusion::arrow::array::{Array as _, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};

use crate::functions::own::{Call, Kind, Own, Row, bytes, refused, wrong};

const BLOCK: usize = 16;
const TEXT: Kind = Kind::Text;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("aes_encrypt", &[Kind::Any, Kind::Any, TEXT, TEXT, Kind::Any, Kind::Any], bytes, encrypt)
        .optional(4),
    Own::new("aes_decrypt", &[Kind::Any, Kind::Any, TEXT, TEXT, Kind::Any], bytes, decrypt).optional(3),
    Own::new("try_aes_decrypt", &[Kind::Any, Kind::Any, TEXT, TEXT, Kind::Any], bytes, try_decrypt)
        .optional(3),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ecb,
    Cbc,
    Gcm,
}

impl Mode {
    /// # Errors
    /// The mode is not known, or not with this padding.
    fn of(row: Row<'_>) -> Result<Self> {
        let mode = if row.count() > 2 { row.text(2) } else { "GCM" }.to_uppercase();
        let padding = if row.count() > 3 { row.text(3) } else { "DEFAULT" }.to_uppercase();
        match (mode.as_str(), padding.as_str()) {
            ("GCM", "NONE" | "DEFAULT") => Ok(Mode::Gcm),
            ("CBC", "PKCS" | "DEFAULT") => Ok(Mode::Cbc),
            ("ECB", "PKCS" | "DEFAULT") => Ok(Mode::Ecb),
            _ => refused(
                "UNSUPPORTED_FEATURE.AES_MODE",
                &format!("AES-{mode} with the padding {padding} is not supported"),
            ),
        }
    }

    /// How many bytes of the message are its initialization vector.
    fn vector_bytes(self) -> usize {
        match self {
            Mode::Ecb => 0,
            Mode::Cbc => BLOCK,
            Mode::Gcm => 12,
        }
    }
}

/// AES with a key of one of the three lengths.
trait Keyed {
    fn encrypt_block(&self, block: &mut Block<Aes128>);
    fn decrypt_block(&self, block: &mut Block<Aes128>);
    fn seal(&self, vector: &[u8], payload: Payload<'_, '_>) -> Option<Vec<u8>>;
    fn open(&self, vector: &[u8], payload: Payload<'_, '_>) -> Option<Vec<u8>>;
}

impl<C> Keyed for C
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + Clone,
{
    fn encrypt_block(&self, block: &mut Block<Aes128>) {
        BlockCipherEncrypt::encrypt_block(self, block);
    }

    fn decrypt_block(&self, block: &mut Block<Aes128>) {
        BlockCipherDecrypt::decrypt_block(self, block);
    }

    fn seal(&self, vector: &[u8], payload: Payload<'_, '_>) -> Option<Vec<u8>> {
        let vector = Array::try_from(vector).ok()?;
        AesGcm::<C, U12>::from(self.clone()).encrypt(&vector, payload).ok()
    }

    fn open(&self, vector: &[u8], payload: Payload<'_, '_>) -> Option<Vec<u8>> {
        let vector = Array::try_from(vector).ok()?;
        AesGcm::<C, U12>::from(self.clone()).decrypt(&vector, payload).ok()
    }
}

fn keyed(key: &[u8]) -> Result<Box<dyn Keyed>> {
    let known: Option<Box<dyn Keyed>> = match key.len() {
        16 => Aes128::new_from_slice(key).ok().map(|cipher| Box::new(cipher) as Box<dyn Keyed>),
        24 => Aes192::new_from_slice(key).ok().map(|cipher| Box::new(cipher) as Box<dyn Keyed>),
        32 => Aes256::new_from_slice(key).ok().map(|cipher| Box::new(cipher) as Box<dyn Keyed>),
        _ => None,
    };
    let lengths = || {
        let reason = format!("a key has 16, 24 or 32 bytes, not {}", key.len());
        refused("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", &reason)
    };
    known.map_or_else(lengths, Ok)
}

/// Bytes, or a text's UTF-8.
fn given(row: Row<'_>, argument: usize) -> Result<&[u8]> {
    let array = row.array(argument);
    match array.data_type() {
        DataType::Binary => Ok(row.bytes(argument)),
        DataType::Utf8 => Ok(array.as_string::<i32>().value(row.index()).as_bytes()),
        other => refused(
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            &format!("bytes are wanted here, not {}", crate::sql::types::type_name(other)),
        ),
    }
}

fn encrypt(call: &Call) -> Result<ArrayRef> {
    call.bytes(|row| {
        let cipher = keyed(given(row, 1)?)?;
        let mode = Mode::of(row)?;
        let vector = if row.count() > 4 { given(row, 4)? } else { &[] };
        let vector = match (mode, vector.len()) {
            (Mode::Ecb, 1..) => {
                return refused("UNSUPPORTED_FEATURE.AES_MODE_IV", "ECB takes no initialization vector");
            }
            (_, 0) => random(mode.vector_bytes())?,
            (_, length) if length == mode.vector_bytes() => vector.to_vec(),
            (_, length) => {
                let wanted = mode.vector_bytes();
                let reason = format!("the initialization vector has {wanted} bytes, not {length}");
                return refused("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", &reason);
            }
        };
        let aad = authenticated(row, 5, mode)?;
        let mut answer = vector.clone();
        match mode {
            Mode::Gcm => {
                let sealed = cipher.seal(&vector, Payload { msg: given(row, 0)?, aad });
                answer.extend(sealed.map_or_else(|| crypto("the message is too long"), Ok)?);
            }
            Mode::Cbc | Mode::Ecb => answer.extend(blocks(cipher.as_ref(), &vector, given(row, 0)?)),
        }
        Ok(Some(answer))
    })
}

/// What is authenticated beside the message; only GCM can.
fn authenticated(row: Row<'_>, argument: usize, mode: Mode) -> Result<&[u8]> {
    let aad = if row.count() > argument { given(row, argument)? } else { &[] };
    match mode {
        Mode::Cbc | Mode::Ecb if !aad.is_empty() => {
            refused("UNSUPPORTED_FEATURE.AES_MODE_AAD", "only GCM takes additional authenticated data")
        }
        _ => Ok(aad),
    }
}

fn random(count: usize) -> Result<Vec<u8>> {
    let mut vector = vec![0; count];
    getrandom::fill(&mut vector).map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(vector)
}

/// Block by block, each mixed with the one before it if there is a vector; the last one is padded as PKCS #7 says.
fn blocks(cipher: &dyn Keyed, vector: &[u8], message: &[u8]) -> Vec<u8> {
    let missing = BLOCK - message.len() % BLOCK;
    let mut padded = message.to_vec();
    padded.resize(message.len() + missing, missing as u8);
    let mut before = vector.to_vec();
    let mut answer = Vec::with_capacity(padded.len());
    for chunk in padded.chunks_exact(BLOCK) {
        let mut block = Block::<Aes128>::default();
        block.copy_from_slice(chunk);
        block.iter_mut().zip(&before).for_each(|(byte, mixed)| *byte ^= mixed);
        cipher.encrypt_block(&mut block);
        answer.extend_from_slice(&block);
        if !vector.is_empty() {
            before = block.to_vec();
        }
    }
    answer
}

/// The message of [`blocks`]; `None` if the padding shows that it is none, or that the key is another.
fn unblocked(cipher: &dyn Keyed, vector: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    if body.is_empty() || !body.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut before = vector;
    let mut answer = Vec::with_capacity(body.len());
    for chunk in body.chunks_exact(BLOCK) {
        let mut block = Block::<Aes128>::default();
        block.copy_from_slice(chunk);
        cipher.decrypt_block(&mut block);
        block.iter_mut().zip(before).for_each(|(byte, mixed)| *byte ^= mixed);
        answer.extend_from_slice(&block);
        if !vector.is_empty() {
            before = chunk;
        }
    }
    let padding = usize::from(*answer.last()?);
    let start = answer.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding))?;
    answer[start..].iter().all(|byte| usize::from(*byte) == padding).then(|| answer[..start].to_vec())
}

fn decrypt(call: &Call) -> Result<ArrayRef> {
    call.bytes(|row| decrypted(row).map(Some))
}

fn try_decrypt(call: &Call) -> Result<ArrayRef> {
    call.bytes(|row| Ok(decrypted(row).ok()))
}

fn decrypted(row: Row<'_>) -> Result<Vec<u8>> {
    let cipher = keyed(given(row, 1)?)?;
    let mode = Mode::of(row)?;
    let aad = authenticated(row, 4, mode)?;
    let Some((vector, body)) = given(row, 0)?.split_at_checked(mode.vector_bytes()) else {
        return crypto("the message is too short");
    };
    let message = match mode {
        Mode::Gcm => cipher.open(vector, Payload { msg: body, aad }),
        Mode::Cbc | Mode::Ecb => unblocked(cipher.as_ref(), vector, body),
    };
    message.map_or_else(|| crypto("the message is not of this key"), Ok)
}

fn crypto<T>(reason: &str) -> Result<T> {
    wrong(format!("[INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR] {reason}"))
}
