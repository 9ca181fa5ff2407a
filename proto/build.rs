//! Compiles `tandem/v1` with protox, so that no protoc has to be installed.

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["tandem/v1/model.proto", "tandem/v1/command.proto", "tandem/v1/query.proto"];
    println!("cargo::rerun-if-changed=tandem");
    let descriptors = protox::compile(files, ["."])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
