//! A descriptor that an event loop can wait on.

/// Readable while raised.
pub trait Wake: Send {
    /// The descriptor; it stays ours.
    fn fd(&self) -> i32;
    /// Makes it readable.
    fn raise(&self);
    /// Makes it unreadable.
    fn lower(&self);
}
