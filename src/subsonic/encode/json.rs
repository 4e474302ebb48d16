//! Values as JSON, for serde: what serde_json would write, in half the time.
//!
//! The time of a large answer goes into its strings. Here names of fields are written as they are,
//! and texts are looked through eight bytes at a time.

use serde::ser::{self, Serialize};

use super::Error;
use crate::id::{DIGITS, decimal, hex_digit};

/// Appends a value.
///
/// # Errors
/// Where a value has no place in this form: bytes, enums with values, keys that are no text.
pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(Value { out })
}

/// Writes one value.
struct Value<'a> {
    out: &'a mut Vec<u8>,
}

/// Writes the items of a list, or the fields of an object.
struct Items<'a> {
    out: &'a mut Vec<u8>,
    /// What stands before the next item: how it begins, then a comma.
    before: u8,
    end: u8,
}

impl<'a> Value<'a> {
    fn integer(self, value: u64, negative: bool) {
        if negative {
            self.out.push(b'-');
        }
        let mut text = [0; DIGITS];
        let digits = decimal(value, &mut text);
        self.out.extend_from_slice(text.get(DIGITS - digits..).unwrap_or_default());
    }

    fn items(self, begin: u8, end: u8) -> Items<'a> {
        Items { out: self.out, before: begin, end }
    }

    fn formless<T>(self, what: &str) -> Result<T, Error> {
        Err(Error(format!("{what} have no form in JSON here")))
    }
}

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(self.before);
        self.before = b',';
        value.serialize(Value { out: self.out })
    }

    fn finish(self) -> Result<(), Error> {
        // Nothing was written of an empty one, not even how it begins.
        if self.before != b',' {
            self.out.push(self.before);
        }
        self.out.push(self.end);
        Ok(())
    }
}

/// Writes a text with its quotes.
fn text(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex_digit(control >> 4), hex_digit(control & 15)]);
            }
        }
        rest = after;
    }
    out.push(b'"');
}

/// How many bytes at the start stand for themselves: none is a control, a quote or a backslash.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, tail) = bytes.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let word = u64::from_ne_bytes(*word);
        // The classic test for a zero byte in a word, for each of the three kinds; it never misses
        // one, and where it errs the slow look below finds nothing and goes on.
        let below_space = word.wrapping_sub(ONES * 0x20) & !word;
        let [quote, backslash] = [b'"', b'\\'].map(|byte| {
            let equal_is_zero = word ^ (ONES * u64::from(byte));
            equal_is_zero.wrapping_sub(ONES) & !equal_is_zero
        });
        if (below_space | quote | backslash) & HIGHS != 0 {
            break;
        }
        length += 8;
    }
    let looked_at =
        if length == words.len() * 8 { tail } else { bytes.get(length..).unwrap_or_default() };
    let special = looked_at.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
    length + special.unwrap_or(looked_at.len())
}

impl<'a> ser::Serializer for Value<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }
    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }
    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }
    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }
    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.integer(value.unsigned_abs(), value < 0);
        Ok(())
    }
    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }
    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }
    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }
    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.integer(value, false);
        Ok(())
    }
    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        serde_json::to_writer(self.out, &value).map_err(ser::Error::custom)
    }
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        serde_json::to_writer(self.out, &value).map_err(ser::Error::custom)
    }
    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        text(self.out, value);
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        self.formless("bytes")
    }
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        self.formless("enums with values")
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(self.items(b'[', b']'))
    }
    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Error> {
        Ok(self.items(b'[', b']'))
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Error> {
        Ok(self.items(b'[', b']'))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        self.formless("enums with values")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(self.items(b'{', b'}'))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Error> {
        Ok(self.items(b'{', b'}'))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        self.formless("enums with values")
    }
}

impl ser::SerializeStruct for Items<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.out.reserve(key.len() + 4);
        self.out.push(self.before);
        self.before = b',';
        self.out.push(b'"');
        // The names of our fields need no escaping.
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Value { out: self.out })
    }
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.out.push(self.before);
        self.before = b',';
        let start = self.out.len();
        key.serialize(Value { out: self.out })?;
        match self.out.get(start) {
            Some(b'"') => Ok(()),
            _ => Err(Error("a key is no text".to_owned())),
        }
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(Value { out: self.out })
    }
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeTuple for Items<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Items<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Everything {
        texts: Vec<String>,
        numbers: (i64, u64, f64, f32, bool, char),
        nothing: Option<i64>,
        something: Option<i64>,
        unit: (),
        map: BTreeMap<String, i64>,
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Serialize)]
    struct Inner {
        empty: [i64; 0],
        none: BTreeMap<String, i64>,
        kind: Kind,
    }

    #[derive(Serialize)]
    enum Kind {
        One,
    }

    fn json(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_at_the_ends_are_written() {
        for number in [i64::MIN, -1, 0, 9, 10, i64::MAX] {
            assert_eq!(json(&number), number.to_string());
        }
        assert_eq!(json(&u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn what_has_no_form_is_an_error() {
        assert!(write(&mut Vec::new(), &BTreeMap::from([(1, 2)])).is_err());
    }

    proptest! {
        #[test]
        fn everything_is_written_as_serde_json_does(
            texts in proptest::collection::vec("(\\PC|[\\x00-\\x7f]|[\"\\\\]){0,40}", 0..4),
            numbers in any::<(i64, u64, f64, f32, bool, char)>(),
            something in any::<Option<i64>>(),
        ) {
            let map = texts.iter().cloned().zip(1..).collect();
            let inner = Inner { empty: [], none: BTreeMap::new(), kind: Kind::One };
            let value = Everything { texts, numbers, nothing: None, something, unit: (), map, inner };
            prop_assert_eq!(json(&value), serde_json::to_string(&value).unwrap());
        }
    }
}
