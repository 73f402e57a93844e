//! Where grants are kept: with the daemon while one runs, else in the database itself.
//!
//! Looked up anew for each question: a person may take minutes to agree, and a daemon may be started meanwhile.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::auth::Grants;
use crate::auth::answer::{AuthAnswer, AuthRequest};
use crate::cli::daemon;
use crate::config::settings::Settings;
use crate::config::{self, ConfigErrors};
use crate::gateway::control::{Request, Response};
use crate::store::{self, Store, StoreError};

pub(super) struct Backend<'config> {
    config: &'config Path,
    /// Read once: a secret may be asked of a person.
    settings: Option<Arc<Settings>>,
}

impl<'config> Backend<'config> {
    pub(super) const fn new(config: &'config Path) -> Self {
        Self { config, settings: None }
    }

    pub(super) async fn ask(&mut self, request: AuthRequest) -> anyhow::Result<AuthAnswer> {
        if let Some(mut client) = daemon::connect_if_running(self.config).await? {
            return match client.ask(&Request::Auth(request)).await? {
                Response::Auth(answer) => Ok(answer),
                other => daemon::unexpected(&other),
            };
        }
        let settings = self.settings().await?;
        let store = open(&settings).await?;
        let grants = Grants::new(store.clone(), &settings).context("signing in can't be prepared")?;
        let answer = grants.answer(request).await;
        grants.stop().await;
        store.close().await;
        Ok(answer?)
    }

    async fn settings(&mut self) -> Result<Arc<Settings>, ConfigErrors> {
        if let Some(settings) = &self.settings {
            return Ok(Arc::clone(settings));
        }
        let path = self.config.to_owned();
        let settings = Arc::new(blocking(move || config::load(&path)).await?);
        self.settings = Some(Arc::clone(&settings));
        Ok(settings)
    }
}

async fn open(settings: &Settings) -> Result<Store, StoreError> {
    let (data_dir, journal) = (settings.data_dir.clone(), settings.journal.clone());
    blocking(move || {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&data_dir);
        made.map_err(|source| StoreError::Io { doing: "make the data folder", path: data_dir.clone(), source })?;
        Store::open(&store::path(&data_dir), &journal)
    })
    .await
}

/// Reading files, and programs that tell secrets, must not hold up the browser's page.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

pub(super) fn unexpected<T>(answer: &AuthAnswer) -> anyhow::Result<T> {
    bail!("the answer does not fit the question, so the daemon may be of another version: {answer:?}")
}
