//! How each type of a message table is read and written.

use bytes::Bytes;
use uuid::Uuid;

use crate::{DecodeError, Decoder, Encoder, Secret, StrBytes};

/// A type that can stand in a message table.
pub(crate) trait Field: Sized {
    /// The fewest bytes a value takes.
    fn bytes_min(version: i16, flexible: bool) -> usize;

    /// Reads a value; `nullable` says whether this version allows it to be absent.
    fn read(decoder: &mut Decoder, version: i16, nullable: bool) -> Result<Self, DecodeError>;

    /// Writes a value; what is absent where it must not be is written as empty.
    fn write(&self, encoder: &mut Encoder, version: i16, nullable: bool);
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Field for $number {
            fn bytes_min(_: i16, _: bool) -> usize {
                size_of::<$number>()
            }

            fn read(decoder: &mut Decoder, _: i16, _: bool) -> Result<Self, DecodeError> {
                Ok(<$number>::from_be_bytes(decoder.array()?))
            }

            fn write(&self, encoder: &mut Encoder, _: i16, _: bool) {
                encoder.put(&self.to_be_bytes());
            }
        }
    )*};
}

numbers!(i8, i16, i32, i64, u16, f64);

impl Field for bool {
    fn bytes_min(_: i16, _: bool) -> usize {
        1
    }

    fn read(decoder: &mut Decoder, _: i16, _: bool) -> Result<Self, DecodeError> {
        Ok(decoder.array::<1>()? != [0])
    }

    fn write(&self, encoder: &mut Encoder, _: i16, _: bool) {
        encoder.put(&[u8::from(*self)]);
    }
}

impl Field for Uuid {
    fn bytes_min(_: i16, _: bool) -> usize {
        16
    }

    fn read(decoder: &mut Decoder, _: i16, _: bool) -> Result<Self, DecodeError> {
        Ok(Uuid::from_bytes(decoder.array()?))
    }

    fn write(&self, encoder: &mut Encoder, _: i16, _: bool) {
        encoder.put(self.as_bytes());
    }
}

impl Field for Option<StrBytes> {
    fn bytes_min(_: i16, flexible: bool) -> usize {
        if flexible { 1 } else { 2 }
    }

    fn read(decoder: &mut Decoder, _: i16, nullable: bool) -> Result<Self, DecodeError> {
        let position = decoder.position();
        allowed(decoder.string()?, nullable, position)
    }

    fn write(&self, encoder: &mut Encoder, _: i16, nullable: bool) {
        match self {
            None if !nullable => encoder.string(Some(&StrBytes::default())),
            text => encoder.string(text.as_ref()),
        }
    }
}

impl Field for StrBytes {
    fn bytes_min(version: i16, flexible: bool) -> usize {
        Option::<StrBytes>::bytes_min(version, flexible)
    }

    fn read(decoder: &mut Decoder, _: i16, _: bool) -> Result<Self, DecodeError> {
        let position = decoder.position();
        decoder.string()?.ok_or(DecodeError::Null { position })
    }

    fn write(&self, encoder: &mut Encoder, _: i16, _: bool) {
        encoder.string(Some(self));
    }
}

impl Field for Option<Bytes> {
    fn bytes_min(_: i16, flexible: bool) -> usize {
        if flexible { 1 } else { 4 }
    }

    fn read(decoder: &mut Decoder, _: i16, nullable: bool) -> Result<Self, DecodeError> {
        let position = decoder.position();
        allowed(decoder.nullable_bytes()?, nullable, position)
    }

    fn write(&self, encoder: &mut Encoder, _: i16, nullable: bool) {
        match self {
            None if !nullable => encoder.nullable_bytes(Some(&Bytes::new())),
            bytes => encoder.nullable_bytes(bytes.as_ref()),
        }
    }
}

impl Field for Bytes {
    fn bytes_min(version: i16, flexible: bool) -> usize {
        Option::<Bytes>::bytes_min(version, flexible)
    }

    fn read(decoder: &mut Decoder, _: i16, _: bool) -> Result<Self, DecodeError> {
        let position = decoder.position();
        decoder.nullable_bytes()?.ok_or(DecodeError::Null { position })
    }

    fn write(&self, encoder: &mut Encoder, _: i16, _: bool) {
        encoder.nullable_bytes(Some(self));
    }
}

impl Field for Secret {
    fn bytes_min(version: i16, flexible: bool) -> usize {
        Bytes::bytes_min(version, flexible)
    }

    fn read(decoder: &mut Decoder, version: i16, nullable: bool) -> Result<Self, DecodeError> {
        Bytes::read(decoder, version, nullable).map(Self::from)
    }

    fn write(&self, encoder: &mut Encoder, version: i16, nullable: bool) {
        self.expose().write(encoder, version, nullable);
    }
}

impl<T: Field> Field for Option<Vec<T>> {
    fn bytes_min(_: i16, flexible: bool) -> usize {
        if flexible { 1 } else { 4 }
    }

    fn read(decoder: &mut Decoder, version: i16, nullable: bool) -> Result<Self, DecodeError> {
        let position = decoder.position();
        let element_bytes_min = T::bytes_min(version, decoder.is_flexible());
        let count = decoder.count(element_bytes_min, size_of::<T>())?;
        let Some(count) = allowed(count, nullable, position)? else { return Ok(None) };
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(T::read(decoder, version, false)?);
        }
        Ok(Some(elements))
    }

    fn write(&self, encoder: &mut Encoder, version: i16, nullable: bool) {
        match self {
            None if nullable => encoder.length(None),
            None => encoder.length(Some(0)),
            Some(elements) => elements.write(encoder, version, false),
        }
    }
}

impl<T: Field> Field for Vec<T> {
    fn bytes_min(version: i16, flexible: bool) -> usize {
        Option::<Vec<T>>::bytes_min(version, flexible)
    }

    fn read(decoder: &mut Decoder, version: i16, _: bool) -> Result<Self, DecodeError> {
        let position = decoder.position();
        Option::<Vec<T>>::read(decoder, version, false)?.ok_or(DecodeError::Null { position })
    }

    fn write(&self, encoder: &mut Encoder, version: i16, _: bool) {
        encoder.length(Some(self.len()));
        for element in self {
            element.write(encoder, version, false);
        }
    }
}

fn allowed<T>(value: Option<T>, nullable: bool, position: usize) -> Result<Option<T>, DecodeError> {
    if value.is_none() && !nullable {
        return Err(DecodeError::Null { position });
    }
    Ok(value)
}
