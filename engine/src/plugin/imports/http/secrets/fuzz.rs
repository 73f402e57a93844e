//! Whatever a plugin writes into a header: the secrets that it may use are filled in, and no others.

use showrunner_fuzz::fuzz_text;

use super::*;

const SECRET: &str = "{secret:key}-is-not-read-again";

#[test]
fn secret_headers() {
    fuzz_text!(64, |text| {
        let secret = Secret::from(SECRET);
        let find = |name: &str| if name == "key" { Ok(Some(&secret)) } else { Err(name.to_owned()) };
        assert_eq!(fill(text, |_| Ok::<_, ()>(None)).as_deref(), Ok(text));
        match fill(text, find) {
            Ok(filled) => assert_eq!(filled, text.replace("{secret:key}", SECRET)),
            Err(name) => assert!(name != "key" && text.contains(&format!("{{secret:{name}}}"))),
        }
    });
}
