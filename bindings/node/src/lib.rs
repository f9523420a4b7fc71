//! The native half of the Node package `mpguard`: converts, calls the core, converts back.
//!
//! The JavaScript half (`lib/`) makes it feel like Node: promises, an `EventEmitter`, options with
//! defaults. Nothing here is process-global: every environment (the main thread and each worker) has a
//! [`room`] of its own, and leaves no thread behind when it ends.
//!
//! | file | topic |
//! | --- | --- |
//! | `config` | options in camelCase to keys of the core |
//! | `guard` | init, verdict, license, account, flush, shutdown |
//! | `metering` | the counting function, the only hot path |
//! | `seat` | check out and check in |
//! | `seat`, `drawdown` | seats and prepaid units of a contract |
//! | `event` | from the notify thread to the event loop, one at a time |
//! | `doctor` | what is wrong with a set-up |
//! | `error` | errors of the core as `MpguardError` |
//! | `room` | what one environment owns, and its end |
//! | `wait` | promises for what waits: a thread for each |
//! | `plain` | values of the core as plain JavaScript objects |

pub mod config;
pub mod doctor;
pub mod drawdown;
pub mod error;
pub mod event;
pub mod guard;
pub mod metering;
pub mod plain;
pub mod room;
pub mod seat;
pub mod wait;
