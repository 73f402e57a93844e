//! The inputs of a target, one a file, in `tests/corpus/fuzz/<target>`.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// An input and the name of its file.
pub(crate) type Entry = (String, Vec<u8>);

/// A test function's corpus: `showrunner::config::fuzz::config_edit::here` has `config-edit`.
pub(crate) fn name(function: &str) -> String {
    let test = function.strip_suffix("::here").unwrap_or(function);
    test.rsplit("::").next().unwrap_or_default().replace('_', "-")
}

pub(crate) fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/fuzz").join(target)
}

/// All inputs, in the order of their names. A target without any would test next to nothing.
pub(crate) fn load(folder: &Path) -> Vec<Entry> {
    let read = || -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            entries.push((name, fs::read(path)?));
        }
        entries.sort();
        Ok(entries)
    };
    match read() {
        Ok(entries) if !entries.is_empty() => entries,
        Ok(_) => panic!("the corpus {} is empty; put in what the parser takes", folder.display()),
        Err(error) => panic!("the corpus {} can't be read: {error}", folder.display()),
    }
}

/// Adds an input that failed, so that it is tried first from now on. Returns its name.
pub(crate) fn keep(folder: &Path, input: &[u8]) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let name = format!("failed-{:016x}", hasher.finish());
    fs::write(folder.join(&name), input)?;
    Ok(name)
}
