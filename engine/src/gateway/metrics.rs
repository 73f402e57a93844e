//! The recorder behind `/metrics`. A test holds the alert rules in `config/alerts.yml` to the table of the metrics.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;
use tokio_util::sync::CancellationToken;

use crate::metric::{self, Kind};

/// From a lookup in a table, some microseconds, to the limit of a handler that asks a web service.
const CALL_BUCKETS: [f64; 14] =
    [0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

/// How often samples are folded into their buckets; between two runs they take memory.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// A gauge that is not set any more, as of an account that was removed, is gone after this time.
const FORGET_AFTER: Duration = Duration::from_secs(10);

/// What `/metrics` answers.
pub struct Page {
    recorder: PrometheusHandle,
    set_gauges: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Page {
    /// `set_gauges` is called whenever somebody asks, so that no state that is shown is older than the question.
    pub fn new<Set>(recorder: PrometheusHandle, set_gauges: impl Fn() -> Set + Send + Sync + 'static) -> Self
    where
        Set: Future<Output = ()> + Send + 'static,
    {
        Self { recorder, set_gauges: Box::new(move || set_gauges().boxed()) }
    }

    pub async fn render(&self) -> String {
        (self.set_gauges)().await;
        self.recorder.render()
    }
}

/// Makes the recorder the one of this process; a second call fails.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = builder()?.install_recorder()?;
    describe();
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .idle_timeout(MetricKindMask::GAUGE, Some(FORGET_AFTER))
        .set_buckets_for_metric(Matcher::Full(metric::PLUGIN_CALLS.to_owned()), &CALL_BUCKETS)
}

fn describe() {
    for metric in metric::TABLE {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.meaning),
            Kind::Gauge => describe_gauge!(metric.name, metric.meaning),
            Kind::Histogram => describe_histogram!(metric.name, metric.meaning),
        }
    }
}

/// Keeps the recorder small, whether or not anybody asks for the metrics.
pub async fn upkeep(handle: PrometheusHandle, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(UPKEEP_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => handle.run_upkeep(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metrics::{counter, gauge, histogram};

    use super::*;

    const ALERTS: &str = include_str!("../../../config/alerts.yml");

    /// The names in the rules, without what a histogram adds.
    fn alerted() -> BTreeSet<&'static str> {
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        ALERTS
            .split(|character| !is_part(character))
            .filter(|word| word.starts_with("showrunner_"))
            .map(|word| ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word))
            .collect()
    }

    #[test]
    fn the_alert_rules_use_metrics_that_exist() {
        let names: BTreeSet<&str> = metric::TABLE.iter().map(|metric| metric.name).collect();
        assert!(!alerted().is_empty());
        assert_eq!(alerted().difference(&names).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn every_metric_is_rendered_with_its_meaning_and_kind() {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for metric in metric::TABLE {
                let labels: Vec<metrics::Label> =
                    metric.labels.iter().map(|name| metrics::Label::new(*name, "x")).collect();
                match metric.kind {
                    Kind::Counter => counter!(metric.name, labels).increment(1),
                    Kind::Gauge => gauge!(metric.name, labels).set(1.0),
                    Kind::Histogram => histogram!(metric.name, labels).record(0.003),
                }
            }
        });
        let page = recorder.handle().render();
        for metric in metric::TABLE {
            let kind = format!("{:?}", metric.kind).to_lowercase();
            assert!(page.contains(&format!("# TYPE {} {kind}\n", metric.name)), "{page}");
            assert!(page.contains(&format!("# HELP {} {}", metric.name, metric.meaning)), "{page}");
        }
        assert!(page.contains("showrunner_plugin_calls_seconds_bucket{plugin=\"x\",le=\"0.005\"} 1"), "{page}");
    }
}
