//! Who hears of events.

use crate::event::Event;

/// Called on the notify thread, one event at a time, with no lock held.
pub trait Listener: Send + Sync {
    /// Takes one event. It may call anything, `shutdown` included; a panic is caught and counted.
    fn on_event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Listener for F {
    fn on_event(&self, event: &Event) {
        self(event);
    }
}
