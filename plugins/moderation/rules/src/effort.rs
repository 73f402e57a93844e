//! Counts the steps of loops, so that tests can tell that the work grows with the text and no faster. Outside of tests
//! it is nothing.

#[cfg(test)]
std::thread_local! {
    static SPENT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// One step of a loop.
#[inline]
pub(crate) fn spend() {
    #[cfg(test)]
    SPENT.set(SPENT.get() + 1);
}

/// The steps that `work` takes on this thread.
#[cfg(test)]
pub(crate) fn of(work: impl FnOnce()) -> usize {
    let before = SPENT.get();
    work();
    SPENT.get() - before
}
