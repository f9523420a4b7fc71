//! The functions that SQLite calls. Each finds the disk, does one thing and answers with a code.

use super::{Shared, disk::Refused, lock};
use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};
use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    ptr, slice,
    sync::atomic::{AtomicU64, Ordering},
};

/// A file that SQLite has open. SQLite reserves the room and knows the first member only.
#[repr(C)]
struct Handle {
    base: sqlite3_file,
    open: *mut Open,
}

struct Open {
    disk: Shared,
    number: u64,
    /// The first sync of a new journal syncs its name as well. Source: SQLite, os_unix.c, UNIXFILE_DIRSYNC.
    sync_names: bool,
}

/// Makes a VFS for one disk. It stays registered: connections hold its address for as long as they live, and a
/// proof that forgets a connection must not become a wild pointer. Whoever needs many disks uses names again.
pub(super) fn register(disk: Shared) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("disk-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let z_name = CString::new(name.clone()).unwrap_or_default().into_raw();
    let vfs = Box::leak(Box::new(sqlite3_vfs {
        iVersion: 1,
        szOsFile: c_int::try_from(size_of::<Handle>()).unwrap_or_default(),
        mxPathname: 512,
        pNext: ptr::null_mut(),
        zName: z_name,
        pAppData: Box::into_raw(Box::new(disk)).cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: `vfs` and all that it points to are leaked, so they live for ever.
    let done = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    assert_eq!(done, ffi::SQLITE_OK, "SQLite takes one more VFS");
    name
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_level),
    xUnlock: Some(lock_level),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

fn code(done: Result<(), Refused>, failed: c_int) -> c_int {
    match done {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refused::Full) => ffi::SQLITE_FULL,
        Err(Refused::Io | Refused::Dead) => failed,
    }
}

unsafe fn disk<'a>(vfs: *mut sqlite3_vfs) -> &'a Shared {
    // SAFETY: `register` put a leaked `Shared` there, and SQLite gives back the same VFS.
    unsafe { &*(*vfs).pAppData.cast::<Shared>() }
}

unsafe fn opened<'a>(file: *mut sqlite3_file) -> &'a mut Open {
    // SAFETY: `open` filled the handle before SQLite could call anything else, and `close` is the last call.
    // SQLite uses a file from one thread at a time.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

unsafe fn name<'a>(text: *const c_char) -> &'a str {
    // SAFETY: SQLite gives names as C strings that live through the call.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room of `szOsFile` bytes, and wants the methods null where opening fails.
    unsafe { (*file).pMethods = ptr::null() };
    // SAFETY: see `disk`.
    let disk = unsafe { disk(vfs) };
    let mut state = lock(disk);
    let (mut fresh, mut found) = (false, Err(Refused::Dead));
    if state.alive().is_ok() {
        if path.is_null() {
            found = Ok(state.anonymous());
        } else {
            // SAFETY: see `name`.
            let path = unsafe { name(path) };
            fresh = !state.names.contains_key(path);
            found = if fresh && flags & ffi::SQLITE_OPEN_CREATE == 0 {
                Err(Refused::Io)
            } else {
                state.create(path)
            };
        }
    }
    drop(state);
    let Ok(number) = found else { return ffi::SQLITE_CANTOPEN };
    let sync_names = fresh && flags & ffi::SQLITE_OPEN_MAIN_JOURNAL != 0;
    let handle = Box::into_raw(Box::new(Open { disk: disk.clone(), number, sync_names }));
    // SAFETY: as above; `flags_out` may be null.
    unsafe {
        (*file.cast::<Handle>()).open = handle;
        (*file).pMethods = &METHODS;
        if !flags_out.is_null() {
            *flags_out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: `open` made it with `Box`, and SQLite closes a file once.
    drop(unsafe { Box::from_raw((*file.cast::<Handle>()).open) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, path: *const c_char, sync_dir: c_int) -> c_int {
    // SAFETY: see `disk` and `name`.
    let (disk, path) = unsafe { (disk(vfs), name(path)) };
    let mut state = lock(disk);
    if state.alive().is_ok() && !state.names.contains_key(path) {
        return ffi::SQLITE_IOERR_DELETE_NOENT;
    }
    let removed = code(state.remove(path), ffi::SQLITE_IOERR_DELETE);
    if removed != ffi::SQLITE_OK || sync_dir == 0 {
        return removed;
    }
    code(state.sync_names(), ffi::SQLITE_IOERR_DIR_FSYNC)
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    path: *const c_char,
    _: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: see `disk` and `name`; `out` is SQLite's own variable.
    unsafe {
        let state = lock(disk(vfs));
        if state.alive().is_err() {
            return ffi::SQLITE_IOERR_ACCESS;
        }
        let number = state.names.get(name(path));
        // As on Unix, an empty file is no file here. Source: SQLite, os_unix.c, unixAccess.
        let size =
            number.and_then(|number| state.files.get(number)).map_or(0, |file| file.now.len());
        *out = c_int::from(size > 0);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: see `name`; `out` has `room` bytes.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > usize::try_from(room).unwrap_or_default() {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(vfs: *mut sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SAFETY: see `disk`; `out` has `count` bytes.
    unsafe {
        let mut state = lock(disk(vfs));
        let out = slice::from_raw_parts_mut(out.cast::<u8>(), usize::try_from(count).unwrap_or(0));
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&state.draw().to_le_bytes()[..chunk.len()]);
        }
    }
    count
}

unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, micros: c_int) -> c_int {
    micros
}

unsafe extern "C" fn current_time(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: `out` is SQLite's own variable.
    unsafe { *out = 2_461_000.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    out: *mut c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see `opened`; `out` has `count` bytes.
    let (open, out) = unsafe {
        let count = usize::try_from(count).unwrap_or(0);
        (opened(file), slice::from_raw_parts_mut(out.cast::<u8>(), count))
    };
    let state = lock(&open.disk);
    if state.alive().is_err() {
        return ffi::SQLITE_IOERR_READ;
    }
    let Some(found) = state.files.get(&open.number) else { return ffi::SQLITE_IOERR_READ };
    let rest = found.now.get(usize::try_from(at).unwrap_or(usize::MAX)..).unwrap_or_default();
    let there = rest.len().min(out.len());
    out[..there].copy_from_slice(&rest[..there]);
    out[there..].fill(0);
    if there == out.len() { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_SHORT_READ }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see `opened`; `bytes` has `count` bytes.
    let (open, bytes) = unsafe {
        let count = usize::try_from(count).unwrap_or(0);
        (opened(file), slice::from_raw_parts(bytes.cast::<u8>(), count))
    };
    let at = usize::try_from(at).unwrap_or_default();
    code(lock(&open.disk).write(open.number, at, bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: see `opened`.
    let open = unsafe { opened(file) };
    let size = usize::try_from(size).unwrap_or_default();
    code(lock(&open.disk).truncate(open.number, size), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: see `opened`.
    let open = unsafe { opened(file) };
    let mut state = lock(&open.disk);
    let synced = code(state.sync(open.number), ffi::SQLITE_IOERR_FSYNC);
    if synced != ffi::SQLITE_OK || !open.sync_names {
        return synced;
    }
    open.sync_names = false;
    code(state.sync_names(), ffi::SQLITE_IOERR_DIR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: see `opened`; `out` is SQLite's own variable.
    unsafe {
        let open = opened(file);
        let state = lock(&open.disk);
        if state.alive().is_err() {
            return ffi::SQLITE_IOERR_FSTAT;
        }
        let size = state.files.get(&open.number).map_or(0, |file| file.now.len());
        *out = ffi::sqlite3_int64::try_from(size).unwrap_or(ffi::sqlite3_int64::MAX);
    }
    ffi::SQLITE_OK
}

/// One process and one connection at a time: locks have nothing to keep apart.
unsafe extern "C" fn lock_level(_: *mut sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved(_: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: `out` is SQLite's own variable.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    4096
}

/// As SQLite takes a Unix disk: a torn write spoils no byte outside of it.
unsafe extern "C" fn characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}
