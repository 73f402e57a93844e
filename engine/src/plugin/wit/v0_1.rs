//! WIT 0.1: the generated bindings, the linker, and a live instance.

pub(in crate::plugin) mod convert;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bumpalo::Bump;
use futures_util::FutureExt as _;
use futures_util::future::poll_immediate;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use self::bindings::exports::showrunner::plugin::{handler, handover, reviewer};
pub(crate) use self::bindings::showrunner::plugin::types;
use crate::config::settings::Limits;
use crate::effect::Verdict;
use crate::plugin::clock::Clock;
use crate::plugin::delivery::Delivery;
use crate::plugin::guest::{Context, Guest};
use crate::plugin::imports::log::printable;
use crate::plugin::instance::{Answer, CallOutput, Crash, Disposition};
use crate::plugin::machine::Machine;

/// A guest that waits (for http, or for the clock) is not interrupted; this ends its waiting, in all for one call.
const WAITING: Duration = Duration::from_secs(60);

/// The same for calls that have no business to wait.
const NO_WAITING: Duration = Duration::from_secs(1);

/// What one call may hand over to the host, strings and lists in arguments and answers, beside the largest that a limit
/// allows. What is a little over a limit gets the limit's own words; what is far over it is not even copied.
const HANDED_OVER: usize = 1 << 20;

/// What wasmtime says of a call that hands over more; its error has no type of its own.
const TOO_MUCH: &str = "too much data is being copied";

/// We have no resources of our own; these are for WASI's streams and pollables.
const COMPONENT_HANDLES: usize = 256;

pub(crate) mod bindings {
    #![allow(clippy::all, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "full-plugin",
        imports: {
            "showrunner:plugin/agent.enqueue": async,
            "showrunner:plugin/http.send": async,
            "showrunner:plugin/viewers.get": async,
            "showrunner:plugin/viewers.find": async,
            "showrunner:plugin/viewers.recent-messages": async,
        },
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// The imports of every 0.1 plugin. All of WASI p2 is linked, because language runtimes import it; what it reaches is
/// empty (see [`Guest`]).
pub(in crate::plugin) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    use bindings::showrunner::plugin as imports;
    type Host = HasSelf<Guest>;

    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    types::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::config::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::clock::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::log::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::kv::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::viewers::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::http::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::chat::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::moderation::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::alerts::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::agent::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::tools::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::gateway::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    imports::timers::add_to_linker::<_, Host>(&mut linker, |guest| guest)?;
    Ok(linker)
}

/// A compiled 0.1 plugin with its imports resolved and its exports found: what instances are made from.
pub(in crate::plugin) struct Blueprint {
    pre: InstancePre<Guest>,
    clock: Arc<Clock>,
    handler: handler::GuestIndices,
    reviewer: Option<reviewer::GuestIndices>,
    handover: Option<handover::GuestIndices>,
}

impl Blueprint {
    /// Fails when an import is missing or of another shape, or when there is no `handler`.
    pub(in crate::plugin) fn new(machine: &Machine, component: &Component) -> wasmtime::Result<Self> {
        let pre = machine.v0_1.instantiate_pre(component)?;
        let exports = |interface: &str| {
            component.get_export_index(None, format!("showrunner:plugin/{interface}@0.1.0")).is_some()
        };
        Ok(Self {
            handler: handler::GuestIndices::new(&pre)?,
            // Only what is there is looked into, so that one of a wrong shape is an error and not passed over.
            reviewer: exports("reviewer").then(|| reviewer::GuestIndices::new(&pre)).transpose()?,
            handover: exports("handover").then(|| handover::GuestIndices::new(&pre)).transpose()?,
            pre,
            clock: Arc::clone(&machine.clock),
        })
    }

    /// Whether its instances judge events.
    pub(in crate::plugin) const fn reviews(&self) -> bool {
        self.reviewer.is_some()
    }

    pub(in crate::plugin) async fn instantiate(&self, context: Arc<Context>) -> Result<Instance, Crash> {
        let mut store = Store::new(self.pre.engine(), Guest::new(context));
        store.limiter(|guest| &mut guest.memory);
        let most_handed_over = most_handed_over(&store.data().context.limits);
        store.set_hostcall_fuel(most_handed_over);
        store.set_max_component_handles(COMPONENT_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            if store.data().is_out_of_time() { Ok(UpdateDeadline::Interrupt) } else { Ok(UpdateDeadline::Yield(1)) }
        });
        // Instantiating runs the guest's own start code, under the same limit as `init`.
        let limit = store.data().context.limits.init;
        store.data_mut().begin(limit);
        let parts = bounded(&self.clock, limit, NO_WAITING, async {
            let instance = self.pre.instantiate_async(&mut store).await?;
            let handler = self.handler.load(&mut store, &instance)?;
            let reviewer = self.reviewer.as_ref().map(|indices| indices.load(&mut store, &instance)).transpose()?;
            let handover = self.handover.as_ref().map(|indices| indices.load(&mut store, &instance)).transpose()?;
            Ok((handler, reviewer, handover))
        });
        let parts = parts.await;
        let (handler, reviewer, handover) = parts.map_err(|crash| explained(crash, &store))?;
        Ok(Instance { store, clock: Arc::clone(&self.clock), handler, reviewer, handover })
    }
}

/// One instance in a store of its own. After a [`Crash`] it must be dropped.
pub(in crate::plugin) struct Instance {
    store: Store<Guest>,
    clock: Arc<Clock>,
    handler: handler::Guest,
    reviewer: Option<reviewer::Guest>,
    handover: Option<handover::Guest>,
}

impl Instance {
    pub(in crate::plugin) async fn init(&mut self) -> Answer<CallOutput> {
        let Limits { init: limit, http_timeout, .. } = self.store.data().context.limits;
        self.begin(limit);
        let answer = bounded(&self.clock, limit, http_timeout, self.handler.call_init(&mut self.store)).await;
        match answer.map_err(|crash| explained(crash, &self.store))? {
            Ok(()) => Ok(Ok(self.store.data_mut().finish())),
            Err(error) => Ok(Err(printable(error))),
        }
    }

    pub(in crate::plugin) async fn handle(&mut self, delivery: &Delivery) -> Answer<(Disposition, CallOutput)> {
        let limit = self.store.data().context.limits.handle;
        self.begin(limit);
        let arena = Bump::new();
        let envelope = convert::envelope(&delivery.envelope, &arena);
        let answer = bounded(&self.clock, limit, WAITING, self.handler.call_handle(&mut self.store, envelope)).await;
        match answer.map_err(|crash| explained(crash, &self.store))? {
            Ok(disposition) => {
                let disposition = match disposition {
                    handler::Disposition::Passed => Disposition::Passed,
                    handler::Disposition::Handled => Disposition::Handled,
                };
                Ok(Ok((disposition, self.store.data_mut().finish())))
            }
            Err(error) => Ok(Err(printable(error))),
        }
    }

    pub(in crate::plugin) async fn review(&mut self, delivery: &Delivery) -> Result<(Verdict, CallOutput), Crash> {
        let Some(reviewer) = &self.reviewer else {
            return Ok((Verdict::Pass, CallOutput::default()));
        };
        let limit = self.store.data().context.limits.review;
        self.store.set_epoch_deadline(1);
        self.store.data_mut().begin_review(limit);
        let arena = Bump::new();
        let envelope = convert::envelope(&delivery.envelope, &arena);
        let verdict = bounded(&self.clock, limit, NO_WAITING, reviewer.call_review(&mut self.store, envelope)).await;
        let verdict = verdict.map_err(|crash| explained(crash, &self.store))?;
        Ok((convert::verdict(verdict), self.store.data_mut().finish()))
    }

    /// `None` where the plugin does not carry memory over.
    pub(in crate::plugin) async fn save(&mut self) -> Result<Option<Vec<u8>>, Crash> {
        let Some(handover) = &self.handover else { return Ok(None) };
        let limit = self.store.data().context.limits.save;
        self.store.set_epoch_deadline(1);
        self.store.data_mut().begin(limit);
        let saved = bounded(&self.clock, limit, NO_WAITING, handover.call_save(&mut self.store)).await;
        saved.map(Some).map_err(|crash| explained(crash, &self.store))
    }

    pub(in crate::plugin) async fn restore(&mut self, saved: &[u8], saved_by: &str) -> Answer<()> {
        let Some(handover) = &self.handover else { return Ok(Ok(())) };
        let limit = self.store.data().context.limits.restore;
        self.store.set_epoch_deadline(1);
        self.store.data_mut().begin(limit);
        let saved = saved.to_vec();
        let restored =
            bounded(&self.clock, limit, NO_WAITING, handover.call_restore(&mut self.store, &saved, saved_by)).await;
        Ok(restored.map_err(|crash| explained(crash, &self.store))?.map_err(printable))
    }

    pub(in crate::plugin) const fn restores(&self) -> bool {
        self.handover.is_some()
    }

    /// The clock has ticked since the last call; without a new deadline the first step of the guest would be
    /// interrupted for nothing.
    fn begin(&mut self, limit: Duration) {
        self.store.set_epoch_deadline(1);
        self.store.data_mut().begin(limit);
    }
}

fn crash(error: &wasmtime::Error) -> Crash {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return Crash::Exit { status: *status };
    }
    // The last of the causes names the trap; those before it are the backtrace.
    let cause = error.root_cause().to_string();
    if cause.starts_with(TOO_MUCH) { Crash::TooMuch } else { Crash::Trap(cause) }
}

/// Names the memory where a trap would not.
fn explained(crash: Crash, store: &Store<Guest>) -> Crash {
    match (crash, store.data().memory.exceeded()) {
        (Crash::Trap(trap), Some(limit)) => Crash::OutOfMemory { limit, trap },
        (crash, _) => crash,
    }
}

fn most_handed_over(limits: &Limits) -> usize {
    HANDED_OVER + limits.effect_bytes.max(limits.kv_value_bytes).max(limits.http_body_bytes)
}

/// Runs a call into the guest, for at most `limit` of its own time and `waiting` beside. Whatever goes wrong, the store
/// is not to be used again.
async fn bounded<T>(
    clock: &Clock,
    limit: Duration,
    waiting: Duration,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Crash> {
    let _call = clock.call();
    let mut guarded = pin!(AssertUnwindSafe(call).catch_unwind());
    // Most calls are through at once, and a timer would cost them as much as all else that is done about them here.
    let ended = match poll_immediate(guarded.as_mut()).await {
        Some(ended) => Ok(ended),
        None => tokio::time::timeout(limit + waiting, guarded).await,
    };
    match ended {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) if error.downcast_ref() == Some(&wasmtime::Trap::Interrupt) => {
            Err(Crash::OutOfTime { limit_ms: limit.as_millis() })
        }
        Ok(Ok(Err(error))) => {
            tracing::debug!(error = format!("{error:#}"), "A call into a plugin failed.");
            Err(crash(&error))
        }
        Ok(Err(_panic)) => Err(Crash::Trap("the host panicked during the call; please report it".to_owned())),
        Err(_elapsed) => Err(Crash::OutOfTime { limit_ms: (limit + waiting).as_millis() }),
    }
}
