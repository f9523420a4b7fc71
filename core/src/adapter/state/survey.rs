//! Where a guard would keep its state, found out without keeping anything.
//!
//! The same places in the same order as [`super::open`], asked the same questions. Nothing is made but one file without
//! a name, to see that the disk takes it; no lock is asked for.

use super::{
    about::About,
    nameless,
    place::{self, World},
};
use crate::model::{ids::Identity, storage::Mode};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Places in the order in which a guard tries them, up to the one that it would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The last one is taken, unless it cannot be used either; then usage is kept in the process alone.
    pub places: Vec<Place>,
    /// The identity's directory there, whether or not it exists yet.
    pub directory: Option<PathBuf>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub path: PathBuf,
    /// The seller's own choice.
    pub chosen: bool,
    /// Why it cannot be used, or what it is.
    pub found: Result<Usable, String>,
}

/// A place that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usable {
    /// How long it lives.
    pub mode: Mode,
    /// It outlives the task or pod itself.
    pub outlives_task: bool,
    /// For a person.
    pub why: String,
    /// Permissions of the directory; `None` when it does not exist yet.
    pub permissions: Option<u32>,
    /// How long one page took to reach the disk.
    pub write: Duration,
}

/// Looks at the places of a guard with these wishes.
pub fn survey(wishes: &super::Wishes, identity: Option<&Identity>) -> Survey {
    survey_in(&World::look(), wishes, identity)
}

pub(super) fn survey_in(
    world: &World,
    wishes: &super::Wishes,
    identity: Option<&Identity>,
) -> Survey {
    let stand_in = nameless(wishes, identity);
    let identity = stand_in.as_ref().or(identity);
    let about = About::new(&wishes.product_code, identity, wishes.sandbox.as_deref());
    let name = place::name(&super::hex(&place::hash(&about)));
    let mut survey = Survey { places: Vec::new(), directory: None };
    if wishes.sandbox.is_some() && wishes.state_dir.is_none() {
        // A directory of its own, with a random name.
        for folder in [&world.shared_memory, &world.temporary] {
            let found = try_place(world, folder, None);
            let done = found.is_ok();
            survey.places.push(Place { path: folder.clone(), chosen: false, found });
            if done {
                break;
            }
        }
        return survey;
    }
    // Until somebody knows who we are a guard keeps its state in memory. What is looked at is where it goes then.
    let named = identity.is_some() && !wishes.product_code.is_empty();
    for root in world.roots(wishes.state_dir.as_deref()) {
        let directory = named.then(|| root.path.join(&name));
        let ours = if root.ours { place_of_ours(&root.path) } else { Ok(()) };
        let found = ours.and_then(|()| try_place(world, &root.path, directory.as_deref()));
        let done = found.is_ok();
        survey.places.push(Place { path: root.path, chosen: !root.ours, found });
        if done {
            survey.directory = directory;
            break;
        }
    }
    survey
}

/// What exists of our own making must be ours alone.
fn place_of_ours(path: &Path) -> Result<(), String> {
    if fs::symlink_metadata(path).is_ok() { place::check(path) } else { Ok(()) }
}

fn try_place(world: &World, path: &Path, directory: Option<&Path>) -> Result<Usable, String> {
    if let Some(why) = world.refuses(path) {
        return Err(why);
    }
    if let Some(directory) = directory {
        place_of_ours(directory)?;
    }
    // What is not there yet would be made, in the nearest directory that is.
    let there = directory.filter(|directory| directory.exists());
    let there = there.or_else(|| path.ancestors().find(|above| above.exists()));
    let there = there.ok_or_else(|| format!("`{}` does not exist", path.display()))?;
    if !there.is_dir() {
        return Err(format!("`{}` is no directory; move it away", there.display()));
    }
    let write = write_in(there).map_err(|error| cannot_write(there, &error))?;
    let finding = world.judge(path);
    Ok(Usable {
        mode: finding.mode,
        outlives_task: finding.outlives_task,
        why: finding.why,
        permissions: fs::metadata(path).ok().map(|there| there.mode() & 0o7777),
        write,
    })
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    let next = match error.raw_os_error() {
        Some(libc::EROFS) => "it is read-only: mount a volume that may be written to",
        Some(libc::EACCES | libc::EPERM) => {
            "give the user of the container the right to write there"
        }
        Some(libc::ENOSPC | libc::EDQUOT) => "the disk is full: make room",
        _ => "give `state_dir` on a volume that may be written to",
    };
    format!("cannot write in `{}`: {error}; {next}", path.display())
}

/// Writes a page to the disk and throws it away; how long the disk took.
fn write_in(directory: &Path) -> io::Result<Duration> {
    let mut file = nameless_file(directory)?;
    let start = Instant::now();
    file.write_all(&[0; 4096])?;
    file.sync_all()?;
    Ok(start.elapsed())
}

/// A file that is gone as soon as it is closed.
fn nameless_file(directory: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600).custom_flags(libc::O_TMPFILE);
        match options.open(directory) {
            // Not every file system has files without names.
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL | libc::ENOENT)
                ) => {}
            answer => return answer,
        }
    }
    let random = super::random().ok_or_else(|| io::Error::other("there is no randomness"))?;
    let path = directory.join(format!(".mpguard-doctor-{}", super::hex(&random)));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}
