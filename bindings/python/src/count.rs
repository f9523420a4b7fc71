//! The counting methods: the only hot path, so raw methods of one argument (`METH_O`).
//!
//! PyO3 makes every method one with keywords and enters its own bookkeeping for each call; here the
//! interpreter hands over the one argument, and a small integer is counted without either. Everything that is
//! not a success takes the slow path through PyO3.

use crate::metering::Meter;
use mpguard_core::{Meter as Counter, Result};
use pyo3::{exceptions::PyRuntimeError, ffi, prelude::*};
use std::{
    ffi::{CStr, c_int},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

/// Name, function and documentation of one method; the first line is the signature that `inspect` reads.
const METHODS: [(&CStr, ffi::PyCFunction, &CStr); 2] = [
    (
        c"add",
        add,
        c"add($self, quantity, /)\n--\n\nAdd `quantity` raw counts to the running hour; for dimensions of kind `sum`.",
    ),
    (
        c"set",
        set,
        c"set($self, quantity, /)\n--\n\nSay that the level is `quantity` now; for dimensions of kind `max` and `last`.",
    ),
];

/// Puts the methods onto the type `Meter`. Called once, when the module is made.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let kind = py.get_type::<Meter>();
    for (name, function, documentation) in METHODS {
        // The interpreter keeps a pointer to it for as long as the type lives: as long as the process.
        let method = Box::leak(Box::new(ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
            ml_flags: ffi::METH_O as c_int,
            ml_doc: documentation.as_ptr(),
        }));
        // SAFETY: a type object of this interpreter, and a definition that lives forever. The descriptor
        // checks at every call that `self` is a `Meter`.
        let made = unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(kind.as_type_ptr(), method))
        }?;
        kind.setattr(name.to_string_lossy().as_ref(), made)?;
    }
    Ok(())
}

unsafe extern "C" fn add(
    meter: *mut ffi::PyObject,
    quantity: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this as its method.
    unsafe { put(meter, quantity, Counter::add, "add") }
}

unsafe extern "C" fn set(
    meter: *mut ffi::PyObject,
    quantity: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as above.
    unsafe { put(meter, quantity, Counter::set, "set") }
}

/// # Safety
/// Called by the interpreter, attached to it, with a `Meter` and any object; both outlive the call.
#[inline(always)]
unsafe fn put(
    meter: *mut ffi::PyObject,
    quantity: *mut ffi::PyObject,
    with: impl Fn(&Counter, u64) -> Result<()>,
    did: &'static str,
) -> *mut ffi::PyObject {
    // SAFETY: a live object. What is no int, or beyond 64 bits, gives `u64::MAX` and an exception, which the
    // slow path clears; `u64::MAX` itself is refused there too.
    let amount = unsafe { ffi::PyLong_AsUnsignedLongLong(quantity) };
    if amount != u64::MAX {
        // SAFETY: as the caller says.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: the descriptor has checked the type; the class is frozen, so nobody borrows it mutably.
        let counter = unsafe { Bound::ref_from_ptr(py, &meter).cast_unchecked::<Meter>() }.get();
        if let Ok(Ok(())) = catch_unwind(AssertUnwindSafe(|| with(counter.counter(), amount))) {
            // SAFETY: attached; the result is a new reference.
            return unsafe {
                let none = ffi::Py_None();
                ffi::Py_IncRef(none);
                none
            };
        }
    }
    // SAFETY: as the caller says.
    unsafe { slowly(meter, quantity, with, did) }
}

/// Counts what is unusual, or sets the exception that says why it is not counted.
///
/// # Safety
/// As [`put`].
#[cold]
#[inline(never)]
unsafe fn slowly(
    meter: *mut ffi::PyObject,
    quantity: *mut ffi::PyObject,
    with: impl Fn(&Counter, u64) -> Result<()>,
    did: &'static str,
) -> *mut ffi::PyObject {
    Python::attach(|py| {
        // SAFETY: attached; an exception that stands is from the reading in `put`.
        unsafe { ffi::PyErr_Clear() };
        // SAFETY: live objects, and the descriptor has checked the type.
        let (meter, quantity) = unsafe {
            let meter = Bound::ref_from_ptr(py, &meter).cast_unchecked::<Meter>();
            (meter.get(), Bound::ref_from_ptr(py, &quantity))
        };
        let counted = catch_unwind(AssertUnwindSafe(|| meter.put(quantity, with, did)))
            .unwrap_or_else(|_| {
                Err(PyRuntimeError::new_err(
                    "mpguard failed while counting; this is a bug of mpguard, please report it",
                ))
            });
        match counted {
            Ok(()) => py.None().into_ptr(),
            Err(why) => {
                why.restore(py);
                ptr::null_mut()
            }
        }
    })
}
