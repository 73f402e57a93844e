//! What belongs to the process and not to an engine: a test may run several in one.

use std::sync::OnceLock;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::signal::unix::{SignalKind, signal};

use crate::gateway::metrics;

pub(super) fn prepare() {
    // An error says that it was installed before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    recorder();
    survive_file_limits();
}

/// Where the size of files is limited, a write beyond it would end the process. With a handler it is an error as any
/// other, which each writer knows how to bear.
fn survive_file_limits() {
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays when nobody listens any more.
    if let Err(error) = signal(kind) {
        tracing::debug!(%error, "A limit on the size of files would end this process.");
    }
}

/// The recorder of this process's metrics.
pub(super) fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let installed = metrics::install();
        installed.inspect_err(|error| tracing::warn!(%error, "There will be no metrics.")).ok()
    };
    RECORDER.get_or_init(install).as_ref()
}
