//! Whether a plugin may run, and with which rights. Pure decisions over a manifest and the operator's word.

use std::fmt;

use super::grants::Grants;
use super::manifest::Manifest;
use crate::config::settings::PluginSettings;
use crate::permission::Permissions;

/// What there is to decide about.
pub(super) struct Applicant<'a> {
    pub(super) manifest: &'a Manifest,
    /// "sha256:<hex>" of the component.
    pub(super) hash: &'a str,
    /// The very bytes that come with the engine.
    pub(super) ships: bool,
    /// What the version asked for that runs now.
    pub(super) running: Option<&'a Permissions>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted(Grants),
    Disabled,
    /// What runs goes on; this version waits for the operator.
    Waiting(Waiting),
}

/// What a version waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Nobody has granted anything yet.
    Grant { id: String, asked: Permissions },
    /// A new version asks for more than the old one did.
    More { id: String, more: Permissions },
    /// It is not the file that the grant was given to.
    Pin { id: String, pin: String, hash: String },
}

impl fmt::Display for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant { id, asked } => {
                write!(formatter, "it asks for {}; run `showrunner plugins grant {id}` to allow it", list(asked))
            }
            Self::More { id, more } => write!(
                formatter,
                "the new version also asks for {}; run `showrunner plugins grant {id}` to allow it",
                list(more)
            ),
            Self::Pin { id, pin, hash } => write!(
                formatter,
                "its file is {hash}, but the grant is pinned to {pin}; run `showrunner plugins grant {id}` if the change is yours"
            ),
        }
    }
}

fn list(permissions: &Permissions) -> String {
    if permissions.is_empty() {
        return "nothing but to run".to_owned();
    }
    let table = permissions.to_table();
    let parts: Vec<String> = table.iter().map(|(name, items)| format!("{name} ({})", items.join(", "))).collect();
    parts.join(", ")
}

pub(super) fn admit(applicant: &Applicant<'_>, settings: &PluginSettings) -> Admission {
    let Applicant { manifest, hash, ships, running } = applicant;
    if settings.enabled == Some(false) {
        return Admission::Disabled;
    }
    let asked = manifest.permissions.clone();
    let given = match &settings.grant {
        Some(given) => given.clone(),
        None if *ships => asked.clone(),
        None => {
            let waiting = Waiting::Grant { id: manifest.id.clone(), asked };
            return Admission::Waiting(waiting);
        }
    };
    if let Some(pin) = settings.pin.as_ref().filter(|pin| pin.as_str() != *hash && !*ships) {
        let waiting = Waiting::Pin { id: manifest.id.clone(), pin: pin.clone(), hash: (*hash).to_owned() };
        return Admission::Waiting(waiting);
    }
    if let Some(running) = running {
        let more = asked.beyond(running).beyond(&given);
        if !more.is_empty() {
            return Admission::Waiting(Waiting::More { id: manifest.id.clone(), more });
        }
    }
    Admission::Admitted(Grants { asked, given })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(permissions: &str) -> Manifest {
        Manifest::parse(&format!(
            "id = \"greeter\"\nversion = \"1\"\nwit = \"0.1\"\nevents = [\"chat\"]\n[permissions]\n{permissions}"
        ))
        .unwrap()
    }

    fn granted(items: &[&str]) -> PluginSettings {
        let mut given = Permissions::default();
        items.iter().for_each(|item| given.add("chat", item).unwrap());
        PluginSettings { grant: Some(given), ..PluginSettings::default() }
    }

    fn decide(manifest: &Manifest, ships: bool, running: Option<&Permissions>, settings: &PluginSettings) -> Admission {
        admit(&Applicant { manifest, hash: "sha256:aa", ships, running }, settings)
    }

    #[test]
    fn a_stranger_waits_and_what_ships_does_not() {
        let manifest = manifest("chat = [\"say\"]");
        let nothing = PluginSettings::default();
        let Admission::Waiting(waiting) = decide(&manifest, false, None, &nothing) else { panic!("must wait") };
        assert_eq!(waiting.to_string(), "it asks for chat (say); run `showrunner plugins grant greeter` to allow it");
        assert!(
            matches!(decide(&manifest, true, None, &nothing), Admission::Admitted(grants) if grants.check("chat", "say").is_ok())
        );
        let off = PluginSettings { enabled: Some(false), ..PluginSettings::default() };
        assert_eq!(decide(&manifest, true, None, &off), Admission::Disabled);
    }

    #[test]
    fn less_than_asked_is_enough_to_run_but_not_to_grow() {
        let small = manifest("chat = [\"say\", \"reply\"]");
        let large = manifest("chat = [\"say\", \"reply\", \"whisper\"]");
        let settings = granted(&["say"]);
        let Admission::Admitted(grants) = decide(&small, false, None, &settings) else { panic!("must run") };
        assert!(grants.check("chat", "reply").is_err());
        let running = &small.permissions;
        assert!(matches!(decide(&small, false, Some(running), &settings), Admission::Admitted(_)));
        assert!(matches!(decide(&large, false, Some(running), &settings), Admission::Waiting(Waiting::More { .. })));
        let more = granted(&["say", "whisper"]);
        assert!(matches!(decide(&large, false, Some(running), &more), Admission::Admitted(_)));
    }

    #[test]
    fn a_pin_holds_for_one_file() {
        let manifest = manifest("chat = [\"say\"]");
        let pinned = |pin: &str| PluginSettings { pin: Some(pin.to_owned()), ..granted(&["say"]) };
        assert!(matches!(decide(&manifest, false, None, &pinned("sha256:aa")), Admission::Admitted(_)));
        assert!(matches!(
            decide(&manifest, false, None, &pinned("sha256:bb")),
            Admission::Waiting(Waiting::Pin { .. })
        ));
    }
}
