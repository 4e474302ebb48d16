//! The XML writer: any value is one well-formed document, and JSON tells the same.

#![no_main]

use kinglet::subsonic::encode::{Format, payload};
use kinglet_fuzz::check_xml;
use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Names that fields have; each struct has each at most once.
const NAMES: [&str; 8] = ["id", "title", "artist", "child", "song", "size", "entry", "isDir"];

/// A value as our types are made of.
#[derive(Debug)]
enum Value {
    Text(String),
    Number(i64),
    Float(f32),
    Truth(bool),
    Nothing,
    List(Vec<Value>),
    Fields(Vec<(&'static str, Value)>),
}

impl Value {
    fn fields(input: &mut Unstructured, depth: usize) -> Value {
        let mut fields = Vec::new();
        for name in NAMES {
            match input.arbitrary::<bool>() {
                Ok(true) => fields.push((name, Value::of(input, depth))),
                _ => continue,
            }
        }
        Value::Fields(fields)
    }

    fn of(input: &mut Unstructured, depth: usize) -> Value {
        match input.int_in_range(0..=6).unwrap_or(4) {
            0 => Value::Text(String::arbitrary(input).unwrap_or_default()),
            1 => Value::Number(input.arbitrary().unwrap_or(0)),
            2 => Value::Float(input.arbitrary().unwrap_or(0.0)),
            3 => Value::Truth(input.arbitrary().unwrap_or(false)),
            5 if depth > 0 => {
                // Of structs, or of texts: never mixed, and no list in a list.
                let structs = input.arbitrary().unwrap_or(false);
                let count = input.int_in_range(0..=3).unwrap_or(0);
                Value::List(
                    (0..count)
                        .map(|_| match structs {
                            true => Value::fields(input, depth - 1),
                            false => Value::Text(String::arbitrary(input).unwrap_or_default()),
                        })
                        .collect(),
                )
            }
            6 if depth > 0 => Value::fields(input, depth - 1),
            _ => Value::Nothing,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Number(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f32(*number),
            Value::Truth(truth) => serializer.serialize_bool(*truth),
            Value::Nothing => serializer.serialize_none(),
            Value::List(values) => values.serialize(serializer),
            Value::Fields(fields) => {
                let mut out = serializer.serialize_struct("fields", fields.len())?;
                for (name, value) in fields {
                    match value {
                        Value::Nothing => out.skip_field(name)?,
                        value => out.serialize_field(name, value)?,
                    }
                }
                out.end()
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let value = Value::fields(&mut Unstructured::new(data), 3);
    let xml = payload(&Format::Xml, "thing", &value).body;
    check_xml(&xml);
    let json = payload(&Format::Json, "thing", &value).body;
    let read: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(read["subsonic-response"]["status"], "ok", "{value:?}");
    if !has_odd_number(&value) {
        let expected = serde_json::to_value(&value).expect("a value");
        assert_eq!(read["subsonic-response"]["thing"], expected);
    }
});

/// Infinities have no place in JSON, and floats more digits there than they need.
fn has_odd_number(value: &Value) -> bool {
    match value {
        Value::Float(_) => true,
        Value::List(values) => values.iter().any(has_odd_number),
        Value::Fields(fields) => fields.iter().any(|(_, value)| has_odd_number(value)),
        _ => false,
    }
}
