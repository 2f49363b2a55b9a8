//! Writes the Rust code for the schemas under `protos/`, without a `protoc` binary.
//!
//! The result is committed, so that a build needs neither this crate nor its dependencies.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of the schema, and where the code for it goes; both relative to the repository.
struct Package {
    schema_dir: &'static str,
    generated_dir: &'static str,
}

const PACKAGES: [Package; 2] = [
    Package { schema_dir: "protos/shop/v1", generated_dir: "providers/recommender/src/gen" },
    Package { schema_dir: "protos/counterfoil/stub/v1", generated_dir: "harness/stub-rust/src/gen" },
];

fn main() -> Result<(), Box<dyn Error>> {
    for package in &PACKAGES {
        generate(package, &repository().join(package.generated_dir))?;
    }
    Ok(())
}

fn generate(package: &Package, out_dir: &Path) -> Result<(), Box<dyn Error>> {
    let root = repository();
    let schema = protox::compile(schema_files(&root.join(package.schema_dir))?, [root.join("protos")])?;
    fs::create_dir_all(out_dir)?;
    tonic_prost_build::configure().out_dir(out_dir).emit_rerun_if_changed(false).compile_fds(schema)?;
    Ok(())
}

/// Asked for when it runs: a target folder may be shared by several checkouts, and then so is this program.
fn repository() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package lies");
    Path::new(&package).join("../../..")
}

/// Sorted, so that the generated code does not depend on the order of the directory.
fn schema_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| !path.as_ref().is_ok_and(|path| path.extension().is_none_or(|kind| kind != "proto")))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{PACKAGES, generate, repository};
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    fn contents(dir: &Path) -> BTreeMap<String, String> {
        let files = fs::read_dir(dir).expect("the folder is there").map(|entry| entry.expect("readable").path());
        files
            .map(|path| {
                let name = path.file_name().expect("a file").to_string_lossy().into_owned();
                (name, fs::read_to_string(path).expect("readable"))
            })
            .collect()
    }

    #[test]
    fn the_committed_code_is_what_the_schemas_yield() {
        for package in &PACKAGES {
            let name = package.schema_dir.replace('/', "-");
            let fresh_dir = std::env::temp_dir().join(format!("shop-codegen-{}-{name}", std::process::id()));
            generate(package, &fresh_dir).expect("the schema compiles");
            let fresh = contents(&fresh_dir);
            fs::remove_dir_all(&fresh_dir).expect("the folder can be removed");
            let committed = contents(&repository().join(package.generated_dir));
            assert!(fresh == committed, "{} is stale: run `cargo run -p shop-codegen`", package.generated_dir);
            assert!(!fresh.is_empty());
        }
    }
}
