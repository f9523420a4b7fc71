//! The state of a task: one directory that all its processes attach to and one of them leads.
//!
//! | file | |
//! | --- | --- |
//! | `use.lock` | held shared by every attached process |
//! | `leader.lock` | held by the one that leads |
//! | `usage.seg` | the counters of the running hours, mapped by all |
//! | `series` | the list of counters |
//! | `ledger.db` | the durable account, opened by the leader alone |
//! | `about.json` | whose directory it is |
//! | `holdings-<n>.json` | what one process holds of the contract; `holdings-<n>.lock` says that it lives |
//! | `license.json` | the contract as it was last confirmed |
//!
//! [`open`] never fails: a place that does not do is passed over with a note, and the last place is memory. Files
//! that make no sense are set aside under another name and said so; nothing that was counted is deleted.
//! `faults.md`, cited in tests as T and a number, has the rules; `prepare.rs` has what a new leader does.
#![allow(
    unreachable_pub,
    reason = "the proofs build this very file below a crate root of their own"
)]

mod about;
mod aside;
mod attach;
mod cache;
mod directory;
pub(super) mod holdings;
mod inherited;
mod lock;
mod lost;
mod memory;
mod mounts;
mod orphan;
#[cfg(any(test, fuzzing))]
pub(crate) mod outside;
mod place;
mod prepare;
mod split;
pub mod survey;
#[cfg(test)]
pub(crate) mod tests;
mod virtual_time;
mod whole;

use super::{fork, segment, series_file, sqlite_ledger};
use crate::{
    model::ids::{Dimension, Identity, Platform},
    port::state::{Heirloom, Note, NoteKind, State},
};
use about::About;
pub(super) use cache::fault as kept_contract_fault;
pub use cache::seal;
use directory::Directory;
use place::{Root, World};
use prepare::Site;
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a guard wants of its state.
pub struct Wishes {
    /// The seller's own choice of a directory.
    pub state_dir: Option<PathBuf>,
    /// Product code of the listing.
    pub product_code: String,
    /// Dimensions of the listing: a counter whose name was lost is one of the only dimension, if there is one only.
    pub dimensions: Vec<Dimension>,
    /// URL of the sandbox, if the guard runs in one.
    pub sandbox: Option<String>,
    /// Key of what is kept of the contract: see [`seal`].
    pub seal: [u8; 32],
    /// What the parent of a forked child left.
    pub heirloom: Option<Heirloom>,
}

/// Opens the state of an identity; `None` when nobody knows who we are. Never fails: the last place is memory.
///
/// Ask it to lead at once afterwards: a process that finds nobody leading holds the leader's lock from here on,
/// and counters that nobody has led yet take no values.
#[must_use]
pub fn open(wishes: &Wishes, identity: Option<&Identity>) -> Box<dyn State> {
    open_in(&World::look(), wishes, identity)
}

fn open_in(world: &World, wishes: &Wishes, identity: Option<&Identity>) -> Box<dyn State> {
    let mut notes = Vec::new();
    let nameless = nameless(wishes, identity);
    let identity = nameless.as_ref().or(identity);
    let about = About::new(&wishes.product_code, identity, wishes.sandbox.as_deref());
    let hash = place::hash(&about);
    let site = |dir: PathBuf| Site {
        private: place::is_private(&dir),
        dir,
        hash,
        about: about.clone(),
        identity: identity.cloned(),
        dimensions: wishes.dimensions.clone(),
    };
    match &wishes.heirloom {
        Some(Heirloom::Memory(counting)) => return Box::new(memory::Heir::new(counting.clone())),
        Some(Heirloom::Directory(dir)) => {
            match Directory::attach(site(dir.clone()), wishes.seal, world, &mut notes) {
                Ok(mut state) => {
                    state.add_notes(notes);
                    return Box::new(state);
                }
                Err(why) => notes.push(passed_over(dir, &why)),
            }
            return memory::open(notes);
        }
        None => {}
    }
    let private = identity.is_none() || (wishes.sandbox.is_some() && wishes.state_dir.is_none());
    let state = if private {
        private_directory(world, wishes.seal, &site, &mut notes)
    } else {
        let roots = world.roots(wishes.state_dir.as_deref());
        roots.iter().find_map(|root| {
            let dir = root.path.join(place::name(&hex(&hash)));
            let state = in_root(world, wishes.seal, root, site(dir), &mut notes);
            state.map_err(|why| notes.push(passed_over(&root.path, &why))).ok()
        })
    };
    match state {
        Some(mut state) => {
            state.add_notes(notes);
            Box::new(state)
        }
        None => memory::open(notes),
    }
}

/// The identity that a directory is named by where no platform gives one that lasts.
///
/// A container anywhere has a random name that ends with it, and its seats and prepaid units would end with the name.
/// So for products that count nothing all of them on a volume are one: each process has its own holdings under its own
/// lock, and one of them takes what a dead one held, in whichever container. Where there are counts, the name
/// stays random: what another run has counted is never sent again under a name that AWS does not know.
fn nameless(wishes: &Wishes, identity: Option<&Identity>) -> Option<Identity> {
    let identity = identity.filter(|it| it.platform == Platform::Elsewhere)?;
    let counts = !wishes.dimensions.is_empty();
    (!counts).then(|| Identity { name: "elsewhere".to_owned(), ..identity.clone() })
}

/// Attaches to the identity's directory in `root`.
fn in_root(
    world: &World,
    seal: [u8; 32],
    root: &Root,
    site: Site,
    notes: &mut Vec<Note>,
) -> Result<Directory, String> {
    if let Some(why) = world.refuses(&root.path) {
        return Err(why);
    }
    let mut made = false;
    if root.ours {
        made = place::make(&root.path)?;
    } else {
        place::make_above(&root.path)?;
    }
    Directory::attach(site, seal, world, notes).inspect_err(|_| {
        if made {
            let _ = fs::remove_dir(&root.path); // nothing of ours stays where we do not
        }
    })
}

/// Memory with a name, which ends with the last process that is attached.
fn private_directory(
    world: &World,
    seal: [u8; 32],
    site: &dyn Fn(PathBuf) -> Site,
    notes: &mut Vec<Note>,
) -> Option<Directory> {
    [&world.shared_memory, &world.temporary].into_iter().find_map(|folder| {
        attach::sweep_private(folder);
        let dir = folder.join(format!("{}{}", place::PRIVATE, hex(&random()?)));
        let refused = world.refuses(folder).map_or(Ok(()), Err);
        let state = refused.and_then(|()| Directory::attach(site(dir), seal, world, notes));
        state.map_err(|why| notes.push(passed_over(folder, &why))).ok()
    })
}

fn passed_over(path: &Path, why: &str) -> Note {
    let path = path.display();
    weak(format!("usage is not kept in `{path}`: {why}"))
}

fn weak(text: String) -> Note {
    Note { kind: NoteKind::Weak, text }
}

fn quarantined(text: String) -> Note {
    Note { kind: NoteKind::Quarantined, text }
}

/// Tries of what takes a moment when another process is in its middle: five seconds in all.
const TRIES: u32 = 500;

/// Ten milliseconds.
fn nap() {
    std::thread::sleep(Duration::from_millis(10));
}

/// Sixteen bytes that name a thing by its content.
fn digest(text: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.iter_mut().zip(Sha256::digest(text)).for_each(|(to, from)| *to = from);
    short
}

fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

fn hex<const N: usize>(bytes: &[u8; N]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// True for the name that a digest gives.
fn is_hash(text: &str) -> bool {
    unhex::<16>(text).is_some()
}

/// The bytes of what `hex` writes.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != 2 * N || !digits {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Milliseconds since this computer started, suspended time included.
fn boot_ms() -> u64 {
    // Where the system does not tell, no beat looks old.
    let since = super::boot_time::since_boot().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
