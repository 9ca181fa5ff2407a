//! The forms: their fields by the names that the events have, and the contract's request that each
//! makes. What a field must be is checked where gRPC's requests are; here only that it is a text.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::fmt;
use tandem_proto::v1;
use tandem_service::status::FieldFault;
use utoipa::ToSchema;

use crate::parse::{self, Parsed};

/// A form that makes a request.
pub(super) trait Form: DeserializeOwned {
    /// The contract's request.
    type Request;
    /// What is wrong with such a request.
    const PARSE: fn(Self::Request) -> Parsed;
    /// What is created, for people.
    const WHAT: &'static str;
    /// The request, and every field that isn't a text; such a field is empty in the request.
    fn request(self, request_id: String) -> (Self::Request, Vec<FieldFault>);
}

/// A field: a text, or why it isn't one. Times are no fields: the server sets them.
#[derive(Default)]
struct Text {
    text: String,
    fault: Option<&'static str>,
}

impl Text {
    fn take(self, field: &str, faults: &mut Vec<FieldFault>) -> String {
        faults.extend(self.fault.map(|why| FieldFault::new(field, why)));
        self.text
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyKind)
    }
}

/// Takes a value of any kind, so that one wrong field doesn't hide the others.
struct AnyKind;

impl AnyKind {
    fn wrong<E>(fault: &'static str) -> Result<Text, E> {
        Ok(Text { text: String::new(), fault: Some(fault) })
    }
}

impl<'de> Visitor<'de> for AnyKind {
    type Value = Text;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text { text: text.to_owned(), fault: None })
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Self::wrong("must be a text, not true or false")
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Self::wrong("must be a text, not a number")
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Self::wrong("must be a text, not a number")
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Self::wrong("must be a text, not a number")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Self::wrong("must be a text, not a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Self::wrong("must be a text, not an object")
    }
}

/// A customer to register.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerForm {
    /// The customer's id, 1 to 128 bytes without control characters; made by the server if empty.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    customer_id: Text,
    /// Given name, at most 4,096 bytes.
    #[serde(default)]
    #[schema(value_type = String, required, pattern = r"\S")]
    first_name: Text,
    /// Family name, at most 4,096 bytes.
    #[serde(default)]
    #[schema(value_type = String, required, pattern = r"\S")]
    last_name: Text,
    /// Mail address, at most 4,096 bytes; not verified.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    email: Text,
    /// Telephone number, at most 4,096 bytes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    phone: Text,
}

impl Form for CustomerForm {
    type Request = v1::CreateCustomerRequest;
    const PARSE: fn(Self::Request) -> Parsed = parse::create_customer;
    const WHAT: &'static str = "Customer";

    fn request(self, request_id: String) -> (Self::Request, Vec<FieldFault>) {
        let mut faults = Vec::new();
        let request = v1::CreateCustomerRequest {
            customer_id: self.customer_id.take("customer_id", &mut faults),
            first_name: self.first_name.take("first_name", &mut faults),
            last_name: self.last_name.take("last_name", &mut faults),
            email: self.email.take("email", &mut faults),
            phone: self.phone.take("phone", &mut faults),
            request_id,
        };
        (request, faults)
    }
}

/// An order to place.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderForm {
    /// The order's id within its customer, 1 to 128 bytes without control characters; made by the
    /// server if empty.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    order_id: Text,
    /// Whose order, 1 to 128 bytes without control characters.
    #[serde(default)]
    #[schema(value_type = String, required, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    customer_id: Text,
    /// What is ordered, at most 4,096 bytes.
    #[serde(default)]
    #[schema(value_type = String, required, pattern = r"\S")]
    order_item_name: Text,
    /// Where it is ordered, at most 4,096 bytes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    order_place: Text,
}

impl Form for OrderForm {
    type Request = v1::PlaceOrderRequest;
    const PARSE: fn(Self::Request) -> Parsed = parse::place_order;
    const WHAT: &'static str = "Order";

    fn request(self, request_id: String) -> (Self::Request, Vec<FieldFault>) {
        let mut faults = Vec::new();
        let request = v1::PlaceOrderRequest {
            order_id: self.order_id.take("order_id", &mut faults),
            customer_id: self.customer_id.take("customer_id", &mut faults),
            order_item_name: self.order_item_name.take("order_item_name", &mut faults),
            order_place: self.order_place.take("order_place", &mut faults),
            request_id,
        };
        (request, faults)
    }
}

/// A greeting to send.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GreetingForm {
    /// What to say, at most 4,096 bytes.
    #[serde(default)]
    #[schema(value_type = String, required, pattern = r"\S")]
    message: Text,
}

impl Form for GreetingForm {
    type Request = v1::SendGreetingRequest;
    const PARSE: fn(Self::Request) -> Parsed = parse::send_greeting;
    const WHAT: &'static str = "Greeting";

    fn request(self, request_id: String) -> (Self::Request, Vec<FieldFault>) {
        let mut faults = Vec::new();
        let message = self.message.take("message", &mut faults);
        let greeting_id = String::new();
        (v1::SendGreetingRequest { greeting_id, message, request_id }, faults)
    }
}
