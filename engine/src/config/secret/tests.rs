use std::fs::{self, Permissions};

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

fn secret_file(folder: &TempDir, mode: u32) -> PathBuf {
    let path = folder.path().join("token");
    fs::write(&path, "  from-a-file\n").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_reference_reads_back_as_it_is_shown() {
    for text in ["env:RETAKE_TOKEN", "file:secrets/token", "cmd:pass show retake"] {
        assert_eq!(reference(text).to_string(), text);
    }
}

#[test]
fn a_literal_is_no_reference() {
    for text in ["", "hunter2", "env:", "env: ", "file:", "cmd:", "cmd:  ", "http://user:pass@host", "ENV:X", "env:A=b"]
    {
        assert_eq!(Reference::parse(text), None, "{text}");
    }
}

#[test]
fn a_file_is_found_beside_the_config_and_trimmed() {
    let folder = TempDir::new().unwrap();
    secret_file(&folder, 0o600);
    let secret = read(&reference("file:token"), folder.path()).unwrap();
    assert_eq!(secret.expose_secret(), "from-a-file");
}

#[test]
fn a_file_that_everybody_can_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = secret_file(&folder, 0o644);
    let error = read(&reference("file:token"), folder.path()).unwrap_err();
    assert!(error.to_string().contains("(mode 644)"), "{error}");
    assert_eq!(error.help(), format!("`chmod 600 {}`; in a container mount it with mode 0400", path.display()));
}

#[test]
fn a_missing_variable_or_file_says_which() {
    let error = read(&reference("env:SHOWRUNNER_TEST_NEVER_SET"), Path::new("/")).unwrap_err();
    assert_eq!(error.to_string(), "the environment variable SHOWRUNNER_TEST_NEVER_SET is not set");
    let folder = TempDir::new().unwrap();
    let error = read(&reference("file:nothing-here"), folder.path()).unwrap_err();
    assert!(error.to_string().contains("nothing-here"), "{error}");
}

#[test]
fn a_program_is_run_without_a_shell() {
    let secret = read(&reference("cmd:echo $HOME;ls"), Path::new("/")).unwrap();
    assert_eq!(secret.expose_secret(), "$HOME;ls");
}

#[test]
fn a_program_that_fails_says_nothing_or_is_not_there_gives_no_secret() {
    let error = |text| read(&reference(text), Path::new("/")).unwrap_err().to_string();
    assert!(error("cmd:false").contains("the program false gave no secret"), "{}", error("cmd:false"));
    assert_eq!(error("cmd:true"), "the secret is empty");
    assert!(error("cmd:showrunner-no-such-program").contains("can't be run"));
}

#[tokio::test]
async fn a_program_can_be_run_from_within_a_runtime() {
    assert!(read(&reference("cmd:echo secret"), Path::new("/")).is_ok());
}
