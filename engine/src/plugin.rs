//! PLACEHOLDER of the config branch: the signatures that `cli/` calls. The real file replaces this one whole.

pub mod inspect {
    use std::path::{Path, PathBuf};

    use crate::gateway::view::Permissions;

    /// What can be known of a plugin without running it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Inspection {
        pub id: String,
        pub name: String,
        pub version: String,
        /// "sha256:<hex>".
        pub hash: String,
        pub wit: String,
        pub events: Vec<String>,
        pub imports: Vec<String>,
        pub asked: Permissions,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the plugin host is not part of this branch, so {} can't be inspected", .0.display())]
    pub struct InspectError(PathBuf);

    pub fn inspect(path: &Path) -> Result<Inspection, InspectError> {
        Err(InspectError(path.to_owned()))
    }
}
