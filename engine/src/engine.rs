//! PLACEHOLDER of the config branch: the signatures that `cli/` calls. The real file replaces this one whole.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::config::ConfigErrors;
use crate::gateway::service::Service;
use crate::observation::Observer;

/// How a run differs from what the config says.
pub struct RunOptions {
    pub safe_mode: bool,
    /// Given from outside, so that who starts the engine sees the first event.
    pub observer: Observer,
    pub service: Service,
    /// Replaces the log filter when the config changed.
    pub set_log_filter: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for RunOptions {
    fn default() -> Self {
        let set_log_filter = Arc::new(|_: &str| {});
        Self { safe_mode: false, observer: Observer::default(), service: Service::from_environment(), set_log_filter }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error("the engine is not part of this branch")]
    Absent,
}

impl EngineError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.help().map(str::to_owned),
            Self::Absent => None,
        }
    }

    /// Whether the config is to blame, which makes the exit code 2.
    pub const fn is_config(&self) -> bool {
        matches!(self, Self::Config(_))
    }
}

pub async fn run(config: PathBuf, options: RunOptions, shutdown: CancellationToken) -> Result<(), EngineError> {
    let _ = (crate::config::load(&config)?, options, shutdown);
    Err(EngineError::Absent)
}
