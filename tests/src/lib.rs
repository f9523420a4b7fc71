//! Conducts programs that use mpguard: starts a sandbox, starts players, says what to do, compares.
//!
//! Used by the conformance tests and by `cargo xtask demo` and `bench`. It never links the core.
//!
//! - [`place`] where built programs are, [`native`] compiles C and C++ against the library,
//!   [`tool`] runs other tools
//! - [`lines`] a child process that talks in lines, [`sandbox`] the sandbox and its control API,
//!   [`player`] one language's player
//! - [`scenario`] the format of scenario files, [`expect`] partial comparison, [`play`] plays one

pub mod lines;
pub mod native;
pub mod place;
pub mod tool;

pub mod player;
pub mod sandbox;

pub mod expect;
pub mod play;
pub mod scenario;

/// What fails says what, on which thing, and the next step.
pub type Done<T = ()> = Result<T, String>;
