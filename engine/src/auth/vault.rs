//! Where the key is that seals the tokens: in the config's secret, or in a file that only its owner reads.
//!
//! A key that is lost or another one costs the sign-ins that it sealed, and nothing else.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::seal::{KEY_BYTES, Key, NoChance, hex, random};
use crate::config::Secret;

/// Far more than a key.
const MAX_BYTES: u64 = 4096;

/// The key file of a data folder.
pub fn key_file(data_dir: &Path) -> PathBuf {
    data_dir.join("auth.key")
}

/// Makes a key file where there is none. Says whether it did.
pub fn make_key_file(data_dir: &Path) -> Result<bool, KeyError> {
    let path = key_file(data_dir);
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(false);
    }
    let failed = |source| KeyError::Unwritable { path: path.clone(), source };
    let bytes: [u8; KEY_BYTES] = random()?;
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(failed)?;
    let temporary = data_dir.join(format!(".auth.key.{}", uuid::Uuid::new_v4().simple()));
    let made = write_key(&temporary, &bytes).and_then(|()| fs::hard_link(&temporary, &path));
    // It has its name now, or is of no use; it may not even have been made.
    let _ = fs::remove_file(&temporary);
    match made {
        Ok(()) => {}
        // Somebody was faster, and that key may have sealed already.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(source) => return Err(failed(source)),
    }
    // Tokens sealed with a key that a loss of power takes away would be lost with it.
    File::open(data_dir).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(true)
}

fn write_key(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{}", hex(bytes))?;
    file.sync_all()
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key file {} is gone, and without it nobody can read the tokens", .0.display())]
    Gone(PathBuf),
    #[error("can't read the key file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("every user of this machine can read the key file {} (mode {mode:o})", path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("the key file {} holds no key, which is 64 hexadecimal digits", .0.display())]
    NoKey(PathBuf),
    #[error("`auth.key` leads to no key, which is 64 hexadecimal digits")]
    NoSecret,
    #[error("the tokens were sealed with another key than {0}")]
    Other(String),
    #[error("can't make the key file {}: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    NoChance(#[from] NoChance),
}

impl KeyError {
    /// What to do about it, beside signing in again.
    pub fn help(&self) -> String {
        match self {
            Self::Gone(path) => format!("put {} back", path.display()),
            Self::Unreadable { path, .. } | Self::Unwritable { path, .. } => {
                format!("make {} readable and writable for the daemon's user", path.display())
            }
            Self::Open { path, .. } => format!("`chmod 600 {}`", path.display()),
            Self::NoKey(path) => format!("put the right {} back, or move it away", path.display()),
            Self::NoSecret => "let `auth.key` lead to the right key".to_owned(),
            Self::Other(place) => format!("put the right key back ({place})"),
            Self::NoChance(_) => "see to the system".to_owned(),
        }
    }

    /// Whether a new key may take its place at a sign-in.
    const fn is_replaceable(&self) -> bool {
        matches!(self, Self::Gone(_))
    }
}

/// How the key is, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// "`auth.key` of the config", or the path of the file.
    pub place: String,
    /// What is wrong with it and what to do; `None` when it is well, or not needed yet.
    pub problem: Option<String>,
}

/// No Debug: it holds the key.
pub(super) struct Vault {
    place: Place,
    /// Every key that was ever read, by its fingerprint. None is dropped: another one in its place would else cost what
    /// it sealed.
    keys: Mutex<HashMap<String, Arc<Key>>>,
}

enum Place {
    Config(Secret),
    File(PathBuf),
}

impl Vault {
    pub(super) fn new(secret: Option<Secret>, data_dir: &Path) -> Self {
        let place = match secret {
            Some(secret) => Place::Config(secret),
            None => Place::File(key_file(data_dir)),
        };
        Self { place, keys: Mutex::default() }
    }

    /// The key with this fingerprint. One that was put back is found without a restart.
    pub(super) fn key(&self, fingerprint: &str) -> Result<Arc<Key>, KeyError> {
        if let Some(key) = self.held(fingerprint) {
            return Ok(key);
        }
        let key = self.read()?;
        if key.fingerprint() == fingerprint { Ok(key) } else { Err(KeyError::Other(self.place())) }
    }

    /// The key to seal with; made where a sign-in finds none.
    pub(super) fn key_to_seal(&self) -> Result<Arc<Key>, KeyError> {
        match (self.read(), &self.place) {
            (Err(error), Place::File(path)) if error.is_replaceable() => {
                if make_key_file(path.parent().unwrap_or(path))? {
                    tracing::info!(file = %path.display(), "A key file was made; keep a copy of it.");
                }
                self.read()
            }
            (read, _) => read,
        }
    }

    /// `is_needed`: there is something that was sealed.
    pub(super) fn view(&self, is_needed: bool) -> KeyView {
        let problem = match self.read() {
            Err(KeyError::Gone(_)) if !is_needed => None,
            Err(error) => Some(format!("{error}; {}", error.help())),
            Ok(_) => None,
        };
        KeyView { place: self.place(), problem }
    }

    fn place(&self) -> String {
        match &self.place {
            Place::Config(_) => "`auth.key` of the config".to_owned(),
            Place::File(path) => path.display().to_string(),
        }
    }

    fn held(&self, fingerprint: &str) -> Option<Arc<Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    fn read(&self) -> Result<Arc<Key>, KeyError> {
        let key = match &self.place {
            Place::Config(secret) => Key::from_hex(secret.expose_secret()).ok_or(KeyError::NoSecret)?,
            Place::File(path) => read_file(path)?,
        };
        let key = Arc::new(key);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.fingerprint().to_owned(), Arc::clone(&key));
        Ok(key)
    }
}

fn read_file(path: &Path) -> Result<Key, KeyError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyError::Gone(path.to_owned()),
        _ => KeyError::Unreadable { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o004 != 0 {
        return Err(KeyError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    match file.take(MAX_BYTES).read_to_string(&mut text) {
        Ok(_) => Key::from_hex(text.trim()).ok_or_else(|| KeyError::NoKey(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(KeyError::NoKey(path.to_owned())),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_key_file_is_made_once_and_read_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        assert!(make_key_file(&data).unwrap());
        let made = fs::read(key_file(&data)).unwrap();
        assert!(!make_key_file(&data).unwrap(), "the second time it stays");
        assert_eq!(fs::read(key_file(&data)).unwrap(), made);
        assert_eq!((mode(&data), mode(&key_file(&data))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
    }

    #[test]
    fn of_those_who_make_one_at_the_same_time_one_does() {
        for _ in 0..16 {
            let folder = tempfile::tempdir().unwrap();
            let start = Barrier::new(4);
            let make = || {
                start.wait();
                make_key_file(folder.path()).unwrap()
            };
            let made = thread::scope(|scope| {
                let makers: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
                makers.into_iter().map(|maker| maker.join().unwrap()).filter(|made| *made).count()
            });
            assert_eq!(made, 1);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn what_is_no_key_or_open_to_all_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(None, folder.path());
        assert!(vault.view(false).problem.is_none(), "none is needed yet");
        assert!(vault.view(true).problem.unwrap().contains("is gone"));
        make_key_file(folder.path()).unwrap();
        let path = key_file(folder.path());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = vault.view(true).problem.unwrap();
        assert!(refused.contains("mode 644") && refused.contains("chmod 600"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let first = vault.key_to_seal().unwrap();
        for wrong in [&b"short\n"[..], b"\xff\xfe", b""] {
            fs::write(&path, wrong).unwrap();
            assert!(matches!(vault.key_to_seal(), Err(KeyError::NoKey(_))), "it is not overwritten");
        }
        // What was read once goes on to open.
        assert_eq!(vault.key(first.fingerprint()).unwrap().fingerprint(), first.fingerprint());
    }

    #[test]
    fn a_key_that_another_takes_the_place_of_goes_on_to_open() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        make_key_file(folder.path()).unwrap();
        make_key_file(elsewhere.path()).unwrap();
        let vault = Vault::new(None, folder.path());
        let first = vault.key_to_seal().unwrap();
        fs::rename(key_file(elsewhere.path()), key_file(folder.path())).unwrap();
        assert_eq!(vault.view(true).problem, None);
        let second = vault.key_to_seal().unwrap();
        assert_ne!(first.fingerprint(), second.fingerprint());
        assert!(vault.key(first.fingerprint()).is_ok() && vault.key(second.fingerprint()).is_ok());
    }

    #[test]
    fn a_key_that_is_put_back_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        make_key_file(folder.path()).unwrap();
        let fingerprint = Vault::new(None, folder.path()).key_to_seal().unwrap().fingerprint().to_owned();
        let path = key_file(folder.path());
        fs::rename(&path, folder.path().join("aside")).unwrap();
        let vault = Vault::new(None, folder.path());
        assert!(matches!(vault.key(&fingerprint), Err(KeyError::Gone(_))));
        make_key_file(folder.path()).unwrap();
        assert!(matches!(vault.key(&fingerprint), Err(KeyError::Other(_))));
        fs::rename(folder.path().join("aside"), &path).unwrap();
        assert!(vault.key(&fingerprint).is_ok());
    }
}
