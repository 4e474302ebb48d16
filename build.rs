//! Gives the program its version, that of the package and the commit where git knows one, and the
//! time it is of; compresses the files that share pages load.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// The folder of what share pages load, and the files in it that are sent on their own.
const ASSETS: (&str, [&str; 2]) = ("src/share/assets", ["share.js", "icon.svg"]);

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    compress_assets()?;
    let package = env!("CARGO_PKG_VERSION");
    let version = match commit(package) {
        Some(commit) => format!("{package}+{commit}"),
        None => package.to_owned(),
    };
    // Cargo sets this for `cargo run` too: a name that began as our settings do would be taken for one.
    println!("cargo::rustc-env=BUILD_VERSION={version}");
    println!("cargo::rustc-env=BUILD_TIME={}", time());
    Ok(())
}

/// Writes each file, and what brotli makes of it, to the folder that is embedded in the program.
fn compress_assets() -> io::Result<()> {
    let (folder, names) = ASSETS;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("assets");
    fs::create_dir_all(&out)?;
    for name in names {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
        println!("cargo::rerun-if-changed={}", source.display());
        let plain = fs::read(&source)?;
        let parameters = brotli::enc::BrotliEncoderParams {
            quality: 11,
            size_hint: plain.len(),
            ..Default::default()
        };
        let mut packed = Vec::new();
        brotli::BrotliCompress(&mut plain.as_slice(), &mut packed, &parameters)?;
        fs::write(out.join(name), plain)?;
        fs::write(out.join(format!("{name}.br")), packed)?;
    }
    Ok(())
}

/// The time in seconds since 1970 before which this program cannot run: that of the commit, so that
/// two builds of it are the same; 0 where it is not known.
fn time() -> String {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let is_number = |time: &String| time.parse::<u32>().is_ok();
    let time = given.filter(is_number).or_else(|| git(&["log", "-1", "--format=%ct"]));
    time.filter(is_number).unwrap_or_else(|| "0".to_owned())
}

/// The short name of the commit; `None` for the release itself and outside a checkout of ours.
fn commit(package: &str) -> Option<String> {
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    // The source may lie unpacked inside a checkout of something else.
    if top != Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().ok()? {
        return None;
    }
    watch("HEAD");
    // A branch whose commit is in packed-refs has no file of its own until its next commit.
    match git(&["symbolic-ref", "--quiet", "HEAD"]) {
        Some(branch) if watch(&branch) => {}
        Some(_) => {
            watch("refs/heads");
            watch("packed-refs");
        }
        None => {}
    }
    let commit = git(&["describe", "--always", "--tags", "--abbrev=9"])?;
    if commit == format!("v{package}") {
        return None;
    }
    git(&["rev-parse", "--short=9", "HEAD"])
}

/// Has this script run again when a file of git changes. Cargo takes a file that is not there for
/// one that has changed, so that only those that are there are watched.
fn watch(name: &str) -> bool {
    let path = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists());
    if let Some(path) = &path {
        println!("cargo::rerun-if-changed={path}");
    }
    path.is_some()
}

/// One line of git's answer; `None` where git is missing or fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}
