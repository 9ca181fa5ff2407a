//! The records' fields as serde sees them; names and defaults as in `schemas/*.avsc`.
//!
//! Each shape is written with borrowed text (`T = &str`) and read with [`Text`], so that what is
//! written and what is read can't differ in a name.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de> + Default"))]
pub(crate) struct CustomerShape<T> {
    pub(crate) customer_id: T,
    #[serde(default)]
    pub(crate) first_name: T,
    #[serde(default)]
    pub(crate) last_name: T,
    #[serde(default)]
    pub(crate) email: T,
    #[serde(default)]
    pub(crate) phone: T,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerIdShape<T> {
    pub(crate) customer_id: T,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de> + Default"))]
pub(crate) struct OrderShape<T> {
    pub(crate) order_id: T,
    pub(crate) customer_id: T,
    #[serde(default)]
    pub(crate) order_item_name: T,
    #[serde(default)]
    pub(crate) order_place: T,
    pub(crate) order_purchase_time: Time,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderIdShape<T> {
    pub(crate) customer_id: T,
    pub(crate) order_id: T,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de> + Default"))]
pub(crate) struct GreetingShape<T> {
    pub(crate) greeting_id: T,
    #[serde(default)]
    pub(crate) message: T,
    pub(crate) timestamp: Time,
}

/// Text as it is read: an Avro string, or bytes that are UTF-8 (Avro promotes them).
#[derive(Default)]
pub(crate) struct Text(pub(crate) String);

/// Milliseconds as they are read: an Avro long, or an int (Avro promotes it).
#[derive(Clone, Copy, Serialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) i64);

/// Any record, read by the names of its fields. Without this wrapper apache-avro asks that the
/// record be called as the shape is, and one shape serves several records.
pub(crate) struct AnyRecord<T>(pub(crate) T);

struct TextVisitor;
struct TimeVisitor;
struct AnyRecordVisitor<T>(PhantomData<T>);

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text, E> {
        Ok(Text(text))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Text, E> {
        String::from_utf8(bytes).map(Text).map_err(E::custom)
    }
}

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("milliseconds since the Unix epoch")
    }

    fn visit_i32<E: Error>(self, millis: i32) -> Result<Time, E> {
        Ok(Time(millis.into()))
    }

    fn visit_i64<E: Error>(self, millis: i64) -> Result<Time, E> {
        Ok(Time(millis))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyRecordVisitor<T> {
    type Value = AnyRecord<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<AnyRecord<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(AnyRecord)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TimeVisitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AnyRecord<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyRecordVisitor(PhantomData))
    }
}
