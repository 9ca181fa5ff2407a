//! Compiles `tandem/v1` with protox, so that no protoc has to be installed, and gives what the HTTP
//! paths show its JSON and its schema, so that these can't drift from the contract.

use prost::Message as _;

/// The messages that have a JSON form.
const SHOWN: [&str; 14] = [
    "Customer",
    "Order",
    "CustomerOrder",
    "Greeting",
    "Served",
    "ListCustomersResponse",
    "ListOrdersResponse",
    "ListCustomerOrdersResponse",
    "ListGreetingsResponse",
    "Instance",
    "Shard",
    "InputPosition",
    "Ignored",
    "ListInstancesResponse",
];

/// Fields whose types have no JSON form of their own: what writes them (`src/json.rs`), and what the
/// schema calls that.
const WRITTEN_BY: [(&str, &str, &str); 8] = [
    ("Order.order_purchase_time", "time", TIME),
    ("CustomerOrder.order_purchase_time", "time", TIME),
    ("Greeting.timestamp", "time", TIME),
    ("Served.staleness", "seconds", SECONDS),
    ("Instance.heard", "seconds", SECONDS),
    ("Shard.staleness", "seconds", SECONDS),
    ("Shard.state", "shard_state", "value_type = String"),
    ("Ignored.reason", "ignored_reason", "value_type = String"),
];
const TIME: &str = "value_type = String, format = DateTime";
const SECONDS: &str = "value_type = Option<f64>, minimum = 0";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["tandem/v1/model.proto", "tandem/v1/command.proto", "tandem/v1/query.proto"];
    println!("cargo::rerun-if-changed=tandem");
    let descriptors = protox::compile(files, ["."])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::configure();
    for message in SHOWN {
        let path = format!("tandem.v1.{message}");
        config = config
            .message_attribute(&path, "#[derive(serde::Serialize, utoipa::ToSchema)]")
            .message_attribute(&path, "#[serde(rename_all = \"camelCase\")]");
    }
    for (field, by, schema) in WRITTEN_BY {
        let path = format!("tandem.v1.{field}");
        config = config
            .field_attribute(&path, format!("#[serde(serialize_with = \"crate::json::{by}\")]"))
            .field_attribute(&path, format!("#[schema({schema})]"));
    }
    config.compile_fds(descriptors)?;
    Ok(())
}
