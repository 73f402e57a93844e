//! Connects a [`crate::Plugin`] with the exports of a component. Only [`crate::export!`] uses it.

use std::cell::RefCell;
use std::thread::LocalKey;

use crate::event::Verdict;
use crate::{Answer, Envelope, Handover, Plugin, Reviewer};

/// Where the macro keeps the plugin: a component has one thread, and the host makes one call at a time.
pub type Slot<P> = LocalKey<RefCell<Option<P>>>;

const NOT_STARTED: &str = "the plugin was called before its init succeeded";

pub fn init<P: Plugin>(slot: &'static Slot<P>) -> Result<(), String> {
    let plugin = P::new()?;
    slot.with_borrow_mut(|slot| *slot = Some(plugin));
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the generated export hands it over")]
pub fn handle<P: Plugin>(slot: &'static Slot<P>, envelope: Envelope) -> Answer {
    slot.with_borrow_mut(|slot| slot.as_mut().ok_or(NOT_STARTED)?.handle(&envelope))
}

/// An event that can't be judged is let through: whether that is right is the operator's `on-failure`, and a
/// host that calls a plugin which has not started counts it as failed anyway.
#[expect(clippy::needless_pass_by_value, reason = "the generated export hands it over")]
pub fn review<P: Reviewer>(slot: &'static Slot<P>, envelope: Envelope) -> Verdict {
    slot.with_borrow_mut(|slot| slot.as_mut().map_or(Verdict::Pass, |plugin| plugin.review(&envelope)))
}

pub fn save<P: Handover>(slot: &'static Slot<P>) -> Vec<u8> {
    slot.with_borrow(|slot| slot.as_ref().map(Handover::save).unwrap_or_default())
}

#[expect(clippy::needless_pass_by_value, reason = "the generated export hands it over")]
pub fn restore<P: Handover>(slot: &'static Slot<P>, saved: Vec<u8>, saved_by: String) -> Result<(), String> {
    slot.with_borrow_mut(|slot| slot.as_mut().ok_or(NOT_STARTED)?.restore(&saved, &saved_by))
}

/// Makes a component of a [`Plugin`](crate::Plugin).
///
/// `export!(Greeter);` exports what every plugin has. Optional abilities are named behind it, because the host
/// looks them up by name: `export!(Filter: reviewer);`, `export!(Filter: reviewer, handover);`. Put it into the
/// crate's root module, once.
#[macro_export]
macro_rules! export {
    ($plugin:ty $(: $($ability:ident),+ $(,)?)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            ::std::thread_local! {
                static INSTANCE: ::std::cell::RefCell<::std::option::Option<$plugin>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }
            struct Component;
            $crate::__export_ability!(handler);
            $($($crate::__export_ability!($ability);)+)?
        };
        // On the author's machine, where the tests run: the same mistakes are found, nothing is exported.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            $crate::__check_ability!(handler $plugin);
            $($($crate::__check_ability!($ability $plugin);)+)?
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_ability {
    (handler) => {
        impl $crate::bindings::exports::showrunner::plugin::handler::Guest for Component {
            fn init() -> ::std::result::Result<(), ::std::string::String> {
                $crate::guest::init(&INSTANCE)
            }
            fn handle(envelope: $crate::Envelope) -> $crate::Answer {
                $crate::guest::handle(&INSTANCE, envelope)
            }
        }
        $crate::bindings::export_handler!(Component with_types_in $crate::bindings);
    };
    (reviewer) => {
        impl $crate::bindings::review::exports::showrunner::plugin::reviewer::Guest for Component {
            fn review(envelope: $crate::Envelope) -> $crate::Verdict {
                $crate::guest::review(&INSTANCE, envelope)
            }
        }
        $crate::bindings::review::export_reviewer!(Component with_types_in $crate::bindings::review);
    };
    (handover) => {
        impl $crate::bindings::hand_over::exports::showrunner::plugin::handover::Guest for Component {
            fn save() -> ::std::vec::Vec<u8> {
                $crate::guest::save(&INSTANCE)
            }
            fn restore(
                saved: ::std::vec::Vec<u8>,
                saved_by: ::std::string::String,
            ) -> ::std::result::Result<(), ::std::string::String> {
                $crate::guest::restore(&INSTANCE, saved, saved_by)
            }
        }
        $crate::bindings::hand_over::export_handover!(Component with_types_in $crate::bindings::hand_over);
    };
    ($other:ident) => {
        ::std::compile_error!(::std::concat!(
            "`", ::std::stringify!($other), "` is no ability of a plugin; there are `reviewer` and `handover`"
        ));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __check_ability {
    (handler $plugin:ty) => {
        const fn plugin<P: $crate::Plugin>() {}
        plugin::<$plugin>();
    };
    (reviewer $plugin:ty) => {
        const fn reviewer<P: $crate::Reviewer>() {}
        reviewer::<$plugin>();
    };
    (handover $plugin:ty) => {
        const fn handover<P: $crate::Handover>() {}
        handover::<$plugin>();
    };
    ($other:ident $plugin:ty) => {
        ::std::compile_error!(::std::concat!(
            "`",
            ::std::stringify!($other),
            "` is no ability of a plugin; there are `reviewer` and `handover`"
        ));
    };
}
