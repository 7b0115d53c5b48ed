//! What all requests and responses have in common, and the macro that turns tables into them.

use std::fmt::Debug;
use std::ops::{RangeBounds, RangeInclusive};

use bytes::Bytes;

use crate::{ApiKey, DecodeError, Decoder, Encoder};

/// A request or a response.
pub trait Message: Sized + Default + Clone + Debug + PartialEq {
    /// Its API.
    const KEY: ApiKey;
    /// The versions that can be read and written.
    const VERSIONS: RangeInclusive<i16>;
    /// The first version with tagged fields and compact lengths.
    const FLEXIBLE: i16;

    /// Reads a message of this version. What follows it stays unread.
    ///
    /// # Errors
    /// [`DecodeError`], also for a version outside of [`Message::VERSIONS`].
    fn decode(decoder: &mut Decoder, version: i16) -> Result<Self, DecodeError>;

    /// Writes the fields that this version has.
    ///
    /// # Panics
    /// If the version is outside of [`Message::VERSIONS`].
    fn encode(&self, encoder: &mut Encoder, version: i16);

    /// Reads a message that is all of `bytes`.
    ///
    /// # Errors
    /// As [`Message::decode`], and for bytes left over.
    fn from_bytes(bytes: Bytes, version: i16) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let message = Self::decode(&mut decoder, version)?;
        decoder.finish()?;
        Ok(message)
    }

    /// The message alone, without header and length.
    ///
    /// # Panics
    /// If the version is outside of [`Message::VERSIONS`].
    #[must_use]
    fn to_bytes(&self, version: i16) -> Bytes {
        let mut encoder = Encoder::new();
        self.encode(&mut encoder, version);
        encoder.into_bytes()
    }
}

/// Whether a field exists, or may be absent, in a version.
pub(crate) fn within(versions: impl RangeBounds<i16>, version: i16) -> bool {
    versions.contains(&version)
}

/// Turns tables into messages. A table names each field, its type and the versions that have it:
///
/// ```text
/// request PaintRequest (Paint, 0..=3, flexible 2) {
///     /// What to paint.
///     name: Option<StrBytes> = 0.., nullable 1..;
///     /// How many coats.
///     coats: i32 = 1..=2, default 1;
///     /// Where.
///     place: Place = 3.., tag 0;
/// }
/// part Place { ... }
/// ```
///
/// `nullable` names the versions in which a value may be absent; in others an absent one is
/// written as empty and not accepted. `sent empty` writes an absent value as empty everywhere.
/// Tagged fields stand behind the others, by tag, and are written only if they are not the default.
macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        $kind:ident $name:ident $(($key:ident, $versions:expr, flexible $flexible:expr))? {
            $($fields:tt)*
        }
    )*) => {$(
        fields! { $(#[$doc])* $name { $($fields)* } }

        $(impl $crate::Message for $name {
            const KEY: $crate::ApiKey = $crate::ApiKey::$key;
            const VERSIONS: std::ops::RangeInclusive<i16> = $versions;
            const FLEXIBLE: i16 = $flexible;

            fn decode(
                decoder: &mut $crate::Decoder,
                version: i16,
            ) -> Result<Self, $crate::DecodeError> {
                if !Self::VERSIONS.contains(&version) {
                    return Err($crate::DecodeError::Version { api: Self::KEY, version });
                }
                decoder.set_flexible(version >= Self::FLEXIBLE);
                $crate::field::Field::read(decoder, version, false)
            }

            fn encode(&self, encoder: &mut $crate::Encoder, version: i16) {
                assert!(Self::VERSIONS.contains(&version), "{} has no version {version}", Self::KEY);
                encoder.set_flexible(version >= Self::FLEXIBLE);
                $crate::field::Field::write(self, encoder, version, false);
            }
        })?
    )*};
}

/// One structure of a table: its definition, its defaults, and how it is read and written.
macro_rules! fields {
    (
        $(#[$doc:meta])*
        $name:ident {$(
            $(#[$field_doc:meta])*
            $field:ident : $type:ty = $versions:expr
                $(, nullable $nullable:expr)?
                $(, sent $empty:ident)?
                $(, tag $tag:literal)?
                $(, default $default:expr)?;
        )*}
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: field_default!($($default)?),)* }
            }
        }

        #[allow(unused_mut, unused_variables, reason = "some structures have no tagged fields, or none at all")]
        impl $crate::field::Field for $name {
            fn bytes_min(version: i16, flexible: bool) -> usize {
                let mut sum = usize::from(flexible);
                $(if field_tag!($($tag)?).is_none() && $crate::message::within($versions, version) {
                    sum += <$type as $crate::field::Field>::bytes_min(version, flexible);
                })*
                sum
            }

            fn read(
                decoder: &mut $crate::Decoder,
                version: i16,
                _: bool,
            ) -> Result<Self, $crate::DecodeError> {
                let mut read = Self::default();
                $(if field_tag!($($tag)?).is_none() && $crate::message::within($versions, version) {
                    let nullable = field_nullable!(version $(, $nullable)?);
                    read.$field = $crate::field::Field::read(decoder, version, nullable)?;
                })*
                if decoder.is_flexible() {
                    decoder.tagged_fields(|tag, decoder| {
                        $(if field_tag!($($tag)?) == Some(tag) && $crate::message::within($versions, version) {
                            let nullable = field_nullable!(version $(, $nullable)?);
                            read.$field = $crate::field::Field::read(decoder, version, nullable)?;
                            return Ok(true);
                        })*
                        Ok(false)
                    })?;
                }
                Ok(read)
            }

            fn write(&self, encoder: &mut $crate::Encoder, version: i16, _: bool) {
                $(if field_tag!($($tag)?).is_none() && $crate::message::within($versions, version) {
                    let nullable = field_nullable!(version $(, $nullable)?) $(&& !field_sent!($empty))?;
                    $crate::field::Field::write(&self.$field, encoder, version, nullable);
                })*
                if !encoder.is_flexible() {
                    return;
                }
                let default = Self::default();
                let mut count = 0;
                $(if field_tag!($($tag)?).is_some()
                    && $crate::message::within($versions, version)
                    && self.$field != default.$field
                {
                    count += 1;
                })*
                encoder.unsigned_varint(count);
                $(if let Some(tag) = field_tag!($($tag)?)
                    && $crate::message::within($versions, version)
                    && self.$field != default.$field
                {
                    let nullable = field_nullable!(version $(, $nullable)?);
                    encoder.tagged_field(tag, |encoder| {
                        $crate::field::Field::write(&self.$field, encoder, version, nullable);
                    });
                })*
            }
        }

        /// Absent or not: a byte in front says which.
        impl $crate::field::Field for Option<$name> {
            fn bytes_min(_: i16, _: bool) -> usize {
                1
            }

            fn read(
                decoder: &mut $crate::Decoder,
                version: i16,
                nullable: bool,
            ) -> Result<Self, $crate::DecodeError> {
                if !decoder.presence(nullable)? {
                    return Ok(None);
                }
                <$name as $crate::field::Field>::read(decoder, version, false).map(Some)
            }

            fn write(&self, encoder: &mut $crate::Encoder, version: i16, nullable: bool) {
                let content = match self {
                    None if nullable => return encoder.put(&[0xff]),
                    None => &$name::default(),
                    Some(content) => content,
                };
                encoder.put(&[1]);
                content.write(encoder, version, false);
            }
        }

        #[cfg(test)]
        impl $crate::tests::sample::Sample for $name {
            fn sample(random: &mut $crate::tests::sample::Random, version: i16, _: bool) -> Self {
                let mut sample = Self::default();
                $(if $crate::message::within($versions, version) {
                    let nullable = field_nullable!(version $(, $nullable)?) $(&& !field_sent!($empty))?;
                    sample.$field = $crate::tests::sample::Sample::sample(random, version, nullable);
                })*
                sample
            }
        }
    };
}

macro_rules! field_default {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

macro_rules! field_tag {
    () => {
        None::<u32>
    };
    ($tag:literal) => {
        Some::<u32>($tag)
    };
}

macro_rules! field_nullable {
    ($version:ident) => {
        false
    };
    ($version:ident, $nullable:expr) => {
        $crate::message::within($nullable, $version)
    };
}

macro_rules! field_sent {
    (empty) => {
        true
    };
}
