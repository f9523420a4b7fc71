//! Configuration: `mpguard_config_t`.

use crate::{
    error::mpguard_error_t,
    event::{CListener, mpguard_event_callback_t, mpguard_user_data_free_t},
    fence,
    handle::{self, Kind, Object},
    text,
};
use mpguard_core::{Code, Config, Error, fork};
use serde_json::Value;
use std::{
    ffi::{c_char, c_void},
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

/// What a guard is made from. docs/CONFIGURATION.md lists the keys.
#[allow(non_camel_case_types)]
pub struct mpguard_config_t {
    _opaque: (),
}

#[derive(Default)]
pub(crate) struct ConfigObject(Mutex<Draft>);

/// A configuration in the making.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    pub(crate) config: Config,
    pub(crate) listener: Option<Arc<CListener>>,
}

impl Object for ConfigObject {
    type Opaque = mpguard_config_t;
    const KIND: Kind = Kind::Config;
}

impl ConfigObject {
    pub(crate) fn draft(&self) -> Draft {
        let _busy = fork::busy(); // a child inherits the lock as it is
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes a copy, and keeps it only when the change succeeds.
    fn change(&self, with: impl FnOnce(&mut Draft) -> Result<(), Error>) -> Result<(), Error> {
        let before = {
            let _busy = fork::busy();
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut draft = kept.clone();
            with(&mut draft)?;
            std::mem::replace(&mut *kept, draft)
        };
        // Outside the lock: this may call the host's `user_data_free`.
        drop(before);
        Ok(())
    }
}

/// Makes a configuration with every key at its default.
///
/// Thread:  any.
/// Owns:    the result is yours; end it with `mpguard_config_free`.
/// Errors:  NULL when a million handles are live.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_config_new() -> *mut mpguard_config_t {
    fence::quiet();
    fence::value(ptr::null_mut(), || handle::issue(Box::<ConfigObject>::default()))
}

/// Sets `key` from text: words and numbers as they are, lists and objects as JSON.
///
/// Thread:  any.
/// Owns:    nothing; both texts are copied.
/// Errors:  MPGUARD_ERROR_INVALID_CONFIG naming the key, the value and what is allowed, and the old
///          value stays; MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
/// Source:  docs/CONFIGURATION.md.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_config_set(
    config: *mut mpguard_config_t,
    key: *const c_char,
    value: *const c_char,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let config = handle::pin::<ConfigObject>(config)?;
        // SAFETY: the caller gives strings.
        let (key, value) = unsafe { (text::read(key, "key")?, text::read(value, "value")?) };
        config.change(|draft| draft.config.set(key, value).map(drop))
    })
}

/// Sets every key of a JSON object. `null` puts a key's default back.
///
/// Either all keys are set or none.
///
/// Thread:  any.
/// Owns:    nothing; the text is copied.
/// Errors:  As `mpguard_config_set`; MPGUARD_ERROR_INVALID_CONFIG also when it is no JSON object.
/// Source:  docs/CONFIGURATION.md.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_config_set_json(
    config: *mut mpguard_config_t,
    json: *const c_char,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        let config = handle::pin::<ConfigObject>(config)?;
        // SAFETY: the caller gives a string.
        let json = unsafe { text::read(json, "json")? };
        config.change(|draft| match serde_json::from_str(json) {
            Ok(Value::Object(values)) => values
                .into_iter()
                .try_for_each(|(key, value)| draft.config.set_value(&key, value).map(drop)),
            // The core says what is wrong with it.
            _ => Config::from_json(json).map(drop),
        })
    })
}

/// Checks the whole without starting anything.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  MPGUARD_ERROR_INVALID_CONFIG when a required key is missing or keys contradict each other;
///          MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
/// Source:  docs/CONFIGURATION.md.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_config_check(
    config: *const mpguard_config_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || {
        handle::pin::<ConfigObject>(config)?.draft().config.settings().map(drop)
    })
}

/// Sets who hears every event of the guards made from this configuration, from the first verdict on.
///
/// A second call replaces the first one's callback. `callback` is called as
/// `mpguard_event_callback_t` says. `user_data_free` may be NULL; else it is called once with
/// `user_data`, on any thread, when the configuration and every guard made from it were freed. A forked
/// child calls `callback` with its copy of what `user_data` points to, and does not free it.
///
/// Thread:  any.
/// Owns:    takes `user_data` on success, if `user_data_free` is given; else it stays yours.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT when `config` or `callback` is NULL;
///          MPGUARD_ERROR_STALE_HANDLE. Nothing was taken then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_config_on_event(
    config: *mut mpguard_config_t,
    callback: mpguard_event_callback_t,
    user_data: *mut c_void,
    user_data_free: mpguard_user_data_free_t,
) -> i32 {
    fence::status(ptr::null_mut(), || {
        let config = handle::pin::<ConfigObject>(config)?;
        let callback = callback.ok_or_else(|| text::null("callback"))?;
        let listener = CListener::new(callback, user_data, user_data_free);
        config.change(|draft| {
            draft.listener = Some(Arc::new(listener));
            Ok(())
        })
    })
}

/// Frees a configuration. NULL is fine. Guards made from it live on.
///
/// Thread:  any.
/// Owns:    takes `config`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no configuration; nothing
///          happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_config_free(config: *mut mpguard_config_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<ConfigObject>(config))
}

/// A time given in milliseconds.
///
/// # Errors
/// `InvalidArgument` for a negative one.
pub(crate) fn duration(ms: i64, name: &str) -> Result<std::time::Duration, Error> {
    u64::try_from(ms).map(std::time::Duration::from_millis).map_err(|_| {
        Error::new(
            Code::InvalidArgument,
            format!("`{name}` is `{ms}`; give milliseconds from 0 on"),
        )
    })
}
