//! Writes `src/gen/` of the recommender from the shop's schema, without a `protoc` binary.
//!
//! The result is committed, so that building the service needs neither this crate nor its dependencies.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    generate(&generated_dir())
}

fn generate(out_dir: &Path) -> Result<(), Box<dyn Error>> {
    let root = schema_root();
    let schema = protox::compile(schema_files(&root)?, [root])?;
    fs::create_dir_all(out_dir)?;
    tonic_prost_build::configure().out_dir(out_dir).emit_rerun_if_changed(false).compile_fds(schema)?;
    Ok(())
}

fn schema_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../protos")
}

fn generated_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/gen")
}

/// Sorted, so that the generated code does not depend on the order of the directory.
fn schema_files(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(root.join("shop/v1"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| !path.as_ref().is_ok_and(|path| path.extension().is_none_or(|kind| kind != "proto")))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{generate, generated_dir};
    use std::fs;

    #[test]
    fn the_committed_code_is_what_the_schema_yields() {
        let fresh_dir = std::env::temp_dir().join(format!("shop-codegen-{}", std::process::id()));
        generate(&fresh_dir).expect("the schema compiles");
        let fresh = fs::read_to_string(fresh_dir.join("shop.v1.rs")).expect("the code was generated");
        fs::remove_dir_all(&fresh_dir).expect("the folder can be removed");
        let committed = fs::read_to_string(generated_dir().join("shop.v1.rs")).expect("the code is committed");
        assert!(fresh == committed, "src/gen is stale: run `cargo run -p shop-codegen`");
    }
}
