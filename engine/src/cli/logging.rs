//! Where logs go and what is logged: the standard error, pretty for people and JSON for machines.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::Context;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use super::output::no_color;
use crate::config::settings::{LogFormat, LogSettings};

/// Replaces the filter, when the config changed.
pub(super) type SetFilter = Arc<dyn Fn(&str) + Send + Sync>;

/// Begins to log. `RUST_LOG` wins over the config, also when the config changes.
pub(super) fn start(settings: &LogSettings) -> anyhow::Result<SetFilter> {
    let given = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|filter| !filter.is_empty());
    let filter = match &given {
        Some(filter) => EnvFilter::try_new(filter).with_context(|| format!("RUST_LOG is no filter: {filter}"))?,
        None => EnvFilter::try_new(&settings.filter).context("log.filter is no filter")?,
    };
    let (filter, handle) = reload::Layer::new(filter);
    let registry =
        tracing_subscriber::registry().with(layer(settings.format).with_filter(filter.and(filter_fn(is_safe))));
    registry.try_init().context("logging was started already")?;
    Ok(Arc::new(move |filter| match EnvFilter::try_new(filter) {
        _ if given.is_some() => {}
        Ok(filter) => {
            // An error only says that logging has ended.
            let _ = handle.reload(filter);
        }
        Err(error) => tracing::warn!(%error, "The new log filter is not understood; the old one stays."),
    }))
}

/// At `trace` these libraries write down what goes over the wire as it is, tokens in addresses and headers included.
const WIRE: [&str; 6] = ["h2", "hyper", "hyper_util", "reqwest", "rustls", "tungstenite"];

fn is_safe(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() < Level::TRACE || !WIRE.contains(&library)
}

fn layer(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let is_terminal = io::stderr().is_terminal();
    let is_pretty = match format {
        LogFormat::Auto => is_terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    if is_pretty {
        fmt::layer().with_writer(io::stderr).with_ansi(is_terminal && !no_color()).with_target(false).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed()
    }
}
