//! Everything that a guard is plugged together from.

use super::{
    clock::Clock,
    cloud::{Call, Cloud},
    entropy::Entropy,
    state::{Heirloom, Open},
    wake::Wake,
};
use crate::error::Result;
use std::{io, rc::Rc, thread::JoinHandle};

/// The parts of one guard. They are made on the caller's thread and move to the guard's own.
pub struct Parts {
    /// Opens the state of the task: counters and ledger.
    pub open: Open,
    /// Randomness.
    pub entropy: Box<dyn Entropy>,
    /// Makes what lives on the guard's own thread.
    pub connect: Connect,
    /// Starts a thread that takes no signal of the host.
    pub spawn: Spawn,
    /// Makes a descriptor for hosts with an event loop.
    pub wake: fn() -> io::Result<Box<dyn Wake>>,
}

/// Makes the parts for these settings; a forked child shares its parent's state.
pub type Plug<S> = fn(&S, Option<Heirloom>) -> Result<Parts>;

/// Makes the clock and the cloud, on the guard's own thread.
pub type Connect = Box<dyn FnOnce() -> Call<std::result::Result<Connected, String>> + Send>;

/// Starts a named thread.
pub type Spawn = fn(&str, Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>>;

/// What lives on the guard's own thread.
pub struct Connected {
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// AWS.
    pub cloud: Rc<dyn Cloud>,
}
