//! Plugins without an actor, for the tests of the pipeline, which take the jobs themselves.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::{PluginHandle, Role};
use crate::config::settings::OnFailure;
use crate::effect::Verdict;
use crate::event::Envelope;
use crate::plugin::lanes::Job;
use crate::plugin::subscription::Subscription;
use crate::plugin::{Delivery, Ticket};

/// What a stand-in is asked to do.
pub(crate) enum Given {
    Event(Arc<Envelope>, Option<Ticket>),
    Review(Arc<Envelope>, oneshot::Sender<Verdict>),
}

impl PluginHandle {
    /// A running plugin that wants these events.
    pub(crate) fn stand_in(id: &str, events: &[&str]) -> Arc<Self> {
        Self::with_role(id, events, |_| {})
    }

    pub(crate) fn fallback_stand_in(id: &str, events: &[&str]) -> Arc<Self> {
        Self::with_role(id, events, |role| role.fallback = true)
    }

    pub(crate) fn reviewer_stand_in(id: &str, events: &[&str], on_failure: OnFailure) -> Arc<Self> {
        Self::with_role(id, events, |role| {
            role.reviewer = true;
            role.on_failure = on_failure;
        })
    }

    fn with_role(id: &str, events: &[&str], change: impl FnOnce(&mut Role)) -> Arc<Self> {
        let events: Vec<String> = events.iter().map(|&event| event.to_owned()).collect();
        let mut role = Role { subscription: Subscription::new(&events, &[], &[]).unwrap(), ..Role::default() };
        change(&mut role);
        let handle = Self::new(id.into());
        handle.set_role(role);
        handle.set_running(true);
        handle
    }

    pub(crate) fn stop_stand_in(&self) {
        self.set_running(false);
    }

    /// The next job, when there is one.
    pub(crate) fn try_given(&self) -> Option<Given> {
        self.given().now_or_never()
    }

    /// The next event as it was delivered, which is not done with before it is dropped.
    pub(crate) fn try_given_delivery(&self) -> Option<(Arc<Delivery>, Option<Ticket>)> {
        match self.lanes.next().now_or_never()? {
            Job::Event(job) => Some((job.delivery, job.ticket)),
            Job::Review(_) | Job::Order(_) | Job::Overflow(_) => None,
        }
    }

    pub(crate) async fn given(&self) -> Given {
        loop {
            match self.lanes.next().await {
                Job::Event(job) => return Given::Event(Arc::clone(&job.delivery.envelope), job.ticket),
                Job::Review(job) => return Given::Review(Arc::clone(&job.delivery.envelope), job.answer),
                Job::Order(_) | Job::Overflow(_) => {}
            }
        }
    }
}
