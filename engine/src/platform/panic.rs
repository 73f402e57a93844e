//! What a panic said, for the log: a platform's code that panics must not take along whoever runs it.

use std::any::Any;

pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}
