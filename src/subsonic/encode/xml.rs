//! The Subsonic way of writing values as XML, for serde.
//!
//! A scalar field is an attribute, a struct a child element, a sequence repeated children of one
//! name. What is absent is left out. Two newtypes mark the exceptions: [`Text`] is the content of
//! its element, [`Element`] a child element with text.

use std::fmt::Display;
use std::io::Write;

use serde::ser::{self, Serialize};

use super::Error;

/// A text that is the content of its element in XML, and a plain string in JSON.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename = "$text")]
pub struct Text(pub String);

/// A text that is a child element of its own in XML, and a plain string in JSON.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename = "$element")]
pub struct Element(pub String);

/// Appends a value as one or several elements of this name.
///
/// # Errors
/// Where a value has no place in this form: bytes, enums with values.
pub(super) fn write<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    name: &str,
    value: &T,
) -> Result<(), Error> {
    // The element around is the caller's, its start tag written.
    let mut outside = Tag { attributes_end: Some(out.len()) };
    value.serialize(Field { out, name, tag: &mut outside, form: Form::Attribute })
}

/// The start tag of the element that is being written.
struct Tag {
    /// Where the `>` stands once a child has closed the tag: attributes that come late go there.
    attributes_end: Option<usize>,
}

/// What becomes of a scalar.
#[derive(Clone, Copy)]
enum Form {
    /// An attribute of the element around.
    Attribute,
    /// An element with text.
    Element,
    /// The content of the element around.
    Content,
}

/// Writes one field: `name` inside the element that `tag` belongs to.
struct Field<'a> {
    out: &'a mut Vec<u8>,
    name: &'a str,
    tag: &'a mut Tag,
    form: Form,
}

impl<'a> Field<'a> {
    fn scalar(mut self, write_value: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        match self.form {
            Form::Attribute => {
                let late = self.tag.attributes_end.map(|end| self.out.split_off(end));
                self.out.push(b' ');
                self.out.extend_from_slice(self.name.as_bytes());
                self.out.extend_from_slice(b"=\"");
                write_value(self.out);
                self.out.push(b'"');
                if let Some(children) = late {
                    self.tag.attributes_end = Some(self.out.len());
                    self.out.extend_from_slice(&children);
                }
            }
            Form::Element => {
                self.open_element();
                self.out.push(b'>');
                write_value(self.out);
                end_tag(self.out, self.name);
            }
            Form::Content => {
                self.close_tag_around();
                write_value(self.out);
            }
        }
        Ok(())
    }

    /// A scalar whose text needs no escaping.
    fn display(self, value: impl Display) -> Result<(), Error> {
        self.scalar(|out| {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{value}");
        })
    }

    fn elements(self) -> Repeated<'a> {
        Repeated { out: self.out, name: self.name, tag: self.tag }
    }

    fn fields(mut self) -> Fields<'a> {
        self.open_element();
        let tag = Tag { attributes_end: None };
        Fields { out: self.out, name: self.name, tag, key: String::new() }
    }

    fn formless<T>(self, what: &str) -> Result<T, Error> {
        Err(Error(format!("{}: {what} have no form in XML", self.name)))
    }

    fn open_element(&mut self) {
        self.close_tag_around();
        self.out.push(b'<');
        self.out.extend_from_slice(self.name.as_bytes());
    }

    /// Ends the start tag of the element around, unless that was done.
    fn close_tag_around(&mut self) {
        if self.tag.attributes_end.is_none() {
            self.tag.attributes_end = Some(self.out.len());
            self.out.push(b'>');
        }
    }
}

fn end_tag(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Writes the fields of a struct or the entries of a map.
struct Fields<'a> {
    out: &'a mut Vec<u8>,
    name: &'a str,
    tag: Tag,
    /// The name of the entry that is being written.
    key: String,
}

impl Fields<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let (out, tag) = (&mut *self.out, &mut self.tag);
        value.serialize(Field { out, name, tag, form: Form::Attribute })
    }

    fn finish(self) -> Result<(), Error> {
        if self.tag.attributes_end.is_none() {
            self.out.extend_from_slice(b"/>");
        } else {
            end_tag(self.out, self.name);
        }
        Ok(())
    }
}

/// Writes the values of a sequence as elements of one name.
struct Repeated<'a> {
    out: &'a mut Vec<u8>,
    name: &'a str,
    tag: &'a mut Tag,
}

impl Repeated<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let (out, tag) = (&mut *self.out, &mut *self.tag);
        value.serialize(Field { out, name: self.name, tag, form: Form::Element })
    }
}

/// Bytes that cannot stand for themselves (controls, `"&<>`), and the first one of U+FFFE and U+FFFF.
fn is_special(byte: u8) -> bool {
    const SPECIAL: [bool; 256] = {
        let (mut special, mut byte) = ([false; 256], 0);
        while byte < 256 {
            special[byte] = byte < 0x20 || byte == 0xef;
            byte += 1;
        }
        (special[0x22], special[0x26], special[0x3c], special[0x3e]) = (true, true, true, true);
        special
    };
    SPECIAL[usize::from(byte)]
}

/// Characters XML 1.0 cannot hold, not even escaped, become U+FFFD.
fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| is_special(*byte)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (replacement, length): (&[u8], usize) = match special {
            [b'&', ..] => (b"&amp;", 1),
            [b'<', ..] => (b"&lt;", 1),
            [b'>', ..] => (b"&gt;", 1),
            [b'"', ..] => (b"&quot;", 1),
            [b'\t', ..] => (b"&#9;", 1),
            [b'\n', ..] => (b"&#10;", 1),
            [b'\r', ..] => (b"&#13;", 1),
            [0xef, 0xbf, 0xbe | 0xbf, ..] => ("\u{fffd}".as_bytes(), 3),
            [0xef, ..] => (b"\xef", 1),
            _ => ("\u{fffd}".as_bytes(), 1),
        };
        out.extend_from_slice(replacement);
        rest = special.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

impl<'a> ser::Serializer for Field<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Repeated<'a>;
    type SerializeTuple = Repeated<'a>;
    type SerializeTupleStruct = Repeated<'a>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.display(value)
    }
    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.scalar(|out| escape(out, value))
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        self.formless("bytes")
    }
    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        Ok(())
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
        kind: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let form = match kind {
            "$text" => Form::Content,
            "$element" => Form::Element,
            _ => self.form,
        };
        value.serialize(Field { form, ..self })
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
    fn serialize_seq(self, _: Option<usize>) -> Result<Repeated<'a>, Error> {
        Ok(self.elements())
    }
    fn serialize_tuple(self, _: usize) -> Result<Repeated<'a>, Error> {
        Ok(self.elements())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Repeated<'a>, Error> {
        Ok(self.elements())
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
    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'a>, Error> {
        Ok(self.fields())
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'a>, Error> {
        Ok(self.fields())
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

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.field(key, value)
    }
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let (mut name, mut tag) =
            (std::mem::take(&mut self.key).into_bytes(), Tag { attributes_end: Some(0) });
        name.clear();
        key.serialize(Field { out: &mut name, name: "key", tag: &mut tag, form: Form::Content })?;
        self.key = String::from_utf8(name).map_err(ser::Error::custom)?;
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        let done = self.field(&key, value);
        // Its room serves the next one.
        self.key = key;
        done
    }
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeSeq for Repeated<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }
    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl ser::SerializeTuple for Repeated<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }
    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl ser::SerializeTupleStruct for Repeated<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }
    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Album {
        song_count: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        year: Option<i64>,
        artists: Vec<Artist>,
        moods: Vec<String>,
        late: bool,
        notes: Element,
    }

    #[derive(Serialize)]
    struct Artist {
        name: String,
    }

    #[derive(Serialize)]
    struct Genre {
        value: Text,
        songs: i64,
    }

    #[derive(Serialize)]
    struct Entry {
        #[serde(flatten)]
        artist: Artist,
        artists: Vec<Artist>,
    }

    fn xml(name: &str, value: &(impl Serialize + ?Sized)) -> String {
        let mut out = Vec::new();
        write(&mut out, name, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn scalars_are_attributes_structs_children_sequences_repeated() {
        let artist = |name: &str| Artist { name: name.to_owned() };
        let album = Album {
            song_count: 2,
            year: None,
            artists: vec![artist("A & <B>"), artist("\"C\"\n")],
            moods: vec!["calm".into(), "a<b".into()],
            late: true,
            notes: Element("x > y".into()),
        };
        assert_eq!(
            xml("album", &album),
            "<album songCount=\"2\" late=\"true\"><artists name=\"A &amp; &lt;B&gt;\"/>\
             <artists name=\"&quot;C&quot;&#10;\"/><moods>calm</moods><moods>a&lt;b</moods>\
             <notes>x &gt; y</notes></album>"
        );
    }

    #[test]
    fn a_text_is_the_content_of_its_element_and_attributes_may_follow() {
        assert_eq!(
            xml("genre", &[Genre { value: Text("R&B".into()), songs: 3 }]),
            "<genre songs=\"3\">R&amp;B</genre>"
        );
    }

    #[test]
    fn flattened_structs_lie_in_the_element_around() {
        let entry = Entry {
            artist: Artist { name: "x".into() },
            artists: vec![Artist { name: "y".into() }],
        };
        assert_eq!(xml("entry", &entry), "<entry name=\"x\"><artists name=\"y\"/></entry>");
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            xml("a", &Artist { name: "\0\u{1b}\u{ffff}\u{feff}ü\t".into() }),
            "<a name=\"\u{fffd}\u{fffd}\u{fffd}\u{feff}ü&#9;\"/>"
        );
    }

    proptest! {
        #[test]
        fn no_text_can_leave_its_attribute(name in ".*") {
            let written = xml("a", &Artist { name });
            let inside = written.strip_prefix("<a name=\"").unwrap().strip_suffix("\"/>").unwrap();
            let has_sign = inside.contains(['<', '>', '"']);
            let has_control = inside.chars().any(|letter| letter < ' ');
            prop_assert!(!has_sign && !has_control);
        }
    }
}
