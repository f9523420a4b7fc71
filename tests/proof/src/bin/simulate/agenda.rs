//! What is due, in the order of time, and of being put down at the same time.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

/// Things that will happen.
pub(crate) struct Agenda<E> {
    queue: BinaryHeap<Reverse<Due<E>>>,
    /// How many were put down.
    pub(crate) number: u64,
}

struct Due<E> {
    at: i64,
    number: u64,
    event: E,
}

impl<E> Default for Agenda<E> {
    fn default() -> Agenda<E> {
        Agenda { queue: BinaryHeap::new(), number: 0 }
    }
}

impl<E> Agenda<E> {
    pub(crate) fn put(&mut self, at: i64, event: E) {
        self.number += 1;
        self.queue.push(Reverse(Due { at, number: self.number, event }));
    }

    /// The next thing, when it is due by `until`.
    pub(crate) fn take(&mut self, until: i64) -> Option<(i64, E)> {
        if self.queue.peek().is_none_or(|due| due.0.at > until) {
            return None;
        }
        self.queue.pop().map(|Reverse(due)| (due.at, due.event))
    }
}

impl<E> PartialEq for Due<E> {
    fn eq(&self, other: &Due<E>) -> bool {
        self.number == other.number
    }
}
impl<E> Eq for Due<E> {}
impl<E> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Due<E>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Due<E> {
    fn cmp(&self, other: &Due<E>) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
