//! Relations and expressions stand within each other, deeper than the hundred messages that the decoder allows by itself:
//! a script that adds columns in a loop makes a plan as deep. These two are counted here instead, and the stack grows with
//! them; beyond the limit the decoder's own one holds again.

use std::cell::Cell;

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, message, skip_field};

use crate::wire::expression::{ExprType, Expression};
use crate::wire::relation::{RelType, Relation};

/// Relations and expressions that may stand within each other.
pub(crate) const DEPTH_MAX: u32 = 1000;

/// Bytes of stack that must be left for one of them, and by how much it grows.
const STACK_LEFT: usize = 256 * 1024;
const STACK_MORE: usize = 4 * 1024 * 1024;

/// Does something that does itself again, on a stack that has room for it.
pub(crate) fn grown<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_LEFT, STACK_MORE, work)
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// One message deeper, as long as it lives.
struct Deeper(u32);

impl Deeper {
    fn enter() -> Self {
        Deeper(DEPTH.replace(DEPTH.get() + 1))
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEPTH.set(self.0);
    }
}

/// Decodes what stands within.
fn within<T>(ctx: DecodeContext, decode: impl FnOnce(DecodeContext) -> T) -> T {
    let deeper = Deeper::enter();
    let ctx = if deeper.0 < DEPTH_MAX { DecodeContext::default() } else { ctx };
    grown(|| decode(ctx))
}

/// A message of something common and one of many kinds.
macro_rules! deep {
    ($message:ident, $field:ident: $kind:ident, $common:literal) => {
        impl prost::Message for $message {
            fn encode_raw(&self, buf: &mut impl BufMut) {
                if let Some(common) = &self.common {
                    message::encode($common, common, buf);
                }
                if let Some(kind) = &self.$field {
                    kind.encode(buf);
                }
            }

            fn merge_field(
                &mut self,
                tag: u32,
                wire_type: WireType,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Result<(), DecodeError> {
                match tag {
                    $common => message::merge(wire_type, self.common.get_or_insert_default(), buf, ctx),
                    tag if $kind::TAGS.contains(&tag) => {
                        within(ctx, |ctx| $kind::merge(&mut self.$field, tag, wire_type, buf, ctx))
                    }
                    tag => skip_field(wire_type, tag, buf, ctx),
                }
            }

            fn encoded_len(&self) -> usize {
                let common = self.common.as_ref().map_or(0, |common| message::encoded_len($common, common));
                common + self.$field.as_ref().map_or(0, $kind::encoded_len)
            }

            fn clear(&mut self) {
                *self = $message::default();
            }
        }
    };
}

deep!(Relation, rel_type: RelType, 1);
deep!(Expression, expr_type: ExprType, 18);

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost::encoding::{encode_key, encode_varint, encoded_len_varint, key_len};

    use super::*;

    /// `Limit` of `Limit` of ..., so many times.
    fn nested(depth: usize) -> Vec<u8> {
        // Of each relation and each limit within, the innermost first.
        let mut lengths = vec![0_u64];
        for _ in 0..depth {
            let inner = lengths.last().copied().unwrap_or(0);
            for tag in [1, 8] {
                let inner = *lengths.last().unwrap_or(&inner);
                lengths.push(key_len(tag) as u64 + encoded_len_varint(inner) as u64 + inner);
            }
        }
        let mut bytes = Vec::new();
        for (at, length) in lengths.iter().enumerate().rev().skip(1) {
            let tag = if at % 2 == 1 { 8 } else { 1 };
            encode_key(tag, WireType::LengthDelimited, &mut bytes);
            encode_varint(*length, &mut bytes);
        }
        bytes
    }

    #[test]
    fn a_plan_may_be_deep_and_not_endless() {
        let decode = |depth| std::thread::spawn(move || Relation::decode(nested(depth).as_slice()));
        let mut relation = decode(900).join().unwrap().unwrap();
        let mut depth = 0;
        while let Some(RelType::Limit(limit)) = relation.rel_type {
            depth += 1;
            relation = *limit.input.unwrap();
        }
        assert_eq!(depth, 900);
        let refused = decode(100_000).join().unwrap().unwrap_err();
        assert!(refused.to_string().contains("recursion limit"), "{refused}");
        let again = decode(900).join().unwrap();
        assert!(again.is_ok(), "the count begins anew");
    }

    #[test]
    fn what_is_written_is_read() {
        let relation = Relation::decode(nested(3).as_slice()).unwrap();
        assert_eq!(relation.encode_to_vec(), nested(3));
    }
}
