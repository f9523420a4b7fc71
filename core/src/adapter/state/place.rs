//! Where a state directory may be, and which directories are trusted.

use super::{
    about::About,
    mounts::{self, Finding, Mount},
};
use crate::model::storage::Mode;
use std::{
    ffi::CString,
    fs::{self, DirBuilder},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

/// The places of this computer. Tests have others.
#[derive(Clone, Debug)]
pub(super) struct World {
    /// Where a package would keep its state.
    pub(super) system: PathBuf,
    /// The directory for temporary files, by its name: the environment is the buyer's.
    pub(super) temporary: PathBuf,
    /// Memory with names.
    pub(super) shared_memory: PathBuf,
    pub(super) mounts: Vec<Mount>,
    /// The process runs in a container.
    pub(super) container: bool,
}

impl World {
    pub(super) fn look() -> World {
        let text = fs::read("/proc/self/mountinfo").unwrap_or_default();
        let mounts = mounts::parse(&String::from_utf8_lossy(&text));
        // Docker's mark and Podman's.
        let marked =
            ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists());
        World {
            system: "/var/lib/mpguard".into(),
            temporary: "/tmp".into(),
            shared_memory: "/dev/shm".into(),
            container: marked || mounts::show_container(&mounts),
            mounts,
        }
    }

    /// Roots for a production guard, the best first. The first one is the seller's own choice, if there is one.
    pub(super) fn roots(&self, chosen: Option<&Path>) -> Vec<Root> {
        let named = |folder: &Path| folder.join(format!("mpguard-{}", user()));
        let ours = [self.system.clone(), named(&self.temporary), named(&self.shared_memory)];
        let chosen = chosen.map(|path| Root { path: path.to_owned(), ours: false });
        chosen.into_iter().chain(ours.map(|path| Root { path, ours: true })).collect()
    }

    /// Why no counters are to be mapped below `path`, if so. Looks at the nearest directory that exists.
    pub(super) fn refuses(&self, path: &Path) -> Option<String> {
        let there = path.ancestors().find(|above| above.exists())?;
        let there = there.canonicalize().unwrap_or_else(|_| there.to_owned());
        mounts::network(&self.mounts, &there).or_else(|| network_by_type(&there))
    }

    pub(super) fn judge(&self, directory: &Path) -> Finding {
        let path = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        if path.starts_with(&self.shared_memory) {
            let why =
                format!("`{}` is memory that is lost with the task's processes", path.display());
            return Finding { mode: Mode::Memory, outlives_task: false, why };
        }
        mounts::judge(&self.mounts, self.container, &path)
    }
}

/// Holds one directory an identity.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) path: PathBuf,
    /// Our own invention, which nobody else has to write to. What the seller gives may belong to anybody.
    pub(super) ours: bool,
}

/// The name of an identity's directory.
pub(super) fn name(hash: &str) -> String {
    format!("{PREFIX}{hash}")
}

/// What the name of every identity's directory begins with: the first layout.
pub(super) const PREFIX: &str = "mpg1-";

/// Says which identity a directory is for: product, who AWS meters, and the sandbox if it is one.
pub(super) fn hash(about: &About) -> [u8; 16] {
    let parts = [&about.product_code, &about.platform, &about.name, &about.sandbox];
    let mut text = Vec::new();
    for part in parts {
        // With its length in front no two lists of parts give the same text.
        text.extend((part.len() as u64).to_le_bytes());
        text.extend(part.as_bytes());
    }
    super::digest(&text)
}

/// A private directory: memory of the processes that share it, and nobody's identity.
pub(super) const PRIVATE: &str = "mpguard-";

/// True for the name of a private directory.
pub(super) fn is_private(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.strip_prefix(PRIVATE)).is_some_and(super::is_hash)
}

/// Makes a directory that only this user may enter, with those above it. True when it was not there.
///
/// # Errors
/// It cannot be made, or what stands there is somebody else's or open to others.
pub(super) fn make(path: &Path) -> Result<bool, String> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = path.parent().ok_or_else(|| cannot_make(path, &error))?;
            make_above(above)?;
            DirBuilder::new().mode(0o700).create(path).map_err(|e| cannot_make(path, &e))?;
            return Ok(true);
        }
        Err(error) => return Err(cannot_make(path, &error)),
    }
    check(path).map(|()| false)
}

/// Makes a directory whose owner is none of our business.
pub(super) fn make_above(path: &Path) -> Result<(), String> {
    let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
    made.map_err(|error| cannot_make(path, &error))
}

fn cannot_make(path: &Path, error: &io::Error) -> String {
    format!("cannot make the directory `{}`: {error}", path.display())
}

/// # Errors
/// The directory is not ours alone, so that others could put files of theirs in it.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let there = fs::symlink_metadata(path).map_err(|e| format!("cannot look at `{shown}`: {e}"))?;
    if !there.is_dir() {
        return Err(format!("`{shown}` is no directory; move it away"));
    }
    if there.uid() != user() {
        return Err(format!(
            "the directory `{shown}` belongs to user {} and this process runs as {}; run all containers of the task \
             as one user, or give each its own `state_dir`",
            there.uid(),
            user()
        ));
    }
    if there.mode() & 0o022 != 0 {
        return Err(format!(
            "other users may write to the directory `{shown}` (mode {:o}); run `chmod 700` on it",
            there.mode() & 0o7777
        ));
    }
    Ok(())
}

/// Who this process acts as.
pub(super) fn user() -> u32 {
    // SAFETY: cannot fail.
    unsafe { libc::geteuid() }
}

/// What the file system itself says: `mountinfo` may be hidden, or from another view.
#[cfg(target_os = "linux")]
fn network_by_type(path: &Path) -> Option<String> {
    let name = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: a string and room for one answer, which is read only when the call says that it wrote it.
    let kind = unsafe {
        if libc::statfs(name.as_ptr(), stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init().f_type
    };
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        reason = "narrower, or signed, on some systems"
    )]
    let kind = kind as u64 & 0xFFFF_FFFF;
    let found = mounts::MAGIC.iter().find(|(magic, _)| *magic == kind)?;
    Some(mounts::is_network(found.1, path))
}

/// What the file system itself says: elsewhere it is not asked.
#[cfg(not(target_os = "linux"))]
fn network_by_type(_: &Path) -> Option<String> {
    None
}
