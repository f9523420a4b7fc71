//! What each process holds of the contract: a file and a lock of its own, `holdings-<n>.json` and `holdings-<n>.lock`.
//!
//! The lock is a file beside, because the content is replaced as a whole and a lock on it would go with the old
//! inode. It says who is alive: the kernel lets go of what a dead process held, and forked children let go of it at
//! once. A lock file is never removed, or two processes could hold two of one name.
//!
//! Who starts takes the first file whose process is dead, so fifty crashes leave one file. The leader takes the
//! others. Both keep what they took before the old file goes, so a crash between leaves both: the new one names the
//! old one's id, and a file that another one names is removed and never taken. A process that holds nothing has no
//! file: that takes no room, so a full disk cannot keep a returned seat on the books.
//! What a dead task or pod held on a shared volume is moved to the directory of the one that takes it over.
//! `docs/decisions/0007-holdings.md` has the reasons.

use super::{
    aside,
    inherited::Kind,
    lock::{Led, LockFile, Place},
    quarantined, weak,
    whole::{self, Format, Unusable},
};
use crate::{
    model::holdings::Holdings,
    port::state::{Abandoned, Note},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

const FORMAT: Format = Format { name: "mpguard holdings", version: 1 };
const PREFIX: &str = "holdings-";
/// More processes than a task has.
const FILES_MAX: u32 = 4096;
/// Taken over at one look; the others come with the next.
const AT_ONCE_MAX: usize = 16;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Stored {
    /// Random, and new for each new file.
    pub(in super::super) id: String,
    pub(in super::super) holdings: Holdings,
}

/// The holdings of this process in a directory.
pub(super) struct Shelf {
    dir: PathBuf,
    own: Option<Own>,
}

struct Own {
    led: Option<Led>,
    number: u32,
    id: String,
    /// What this process knows to stand in the file; `None` for no file.
    there: Option<Holdings>,
    /// The disk has just that, in this file.
    durable: Option<Option<Place>>,
}

/// Files of a directory, by number.
type All = BTreeMap<u32, Result<Stored, Unusable>>;

impl Shelf {
    pub(super) fn new(dir: &Path) -> Shelf {
        Shelf { dir: dir.to_owned(), own: None }
    }

    /// Takes the first file of a dead process for this one's own. Brings what it holds.
    pub(super) fn take(&mut self, notes: &mut Vec<Note>) -> Holdings {
        if let Some(own) = &self.own {
            return own.there.clone().unwrap_or_default();
        }
        for number in numbers(&self.dir) {
            let Some((led, stored)) = dead(&self.dir, number, notes) else { continue };
            // After the lock: whoever took this file over has done so before he let go of it.
            let others = others(&self.dir, number);
            if let Some(note) = hidden(&self.dir, &others) {
                notes.push(note);
                break;
            }
            if names(&others).contains(&stored.id) {
                // Where it stays, the next look meets it again.
                let _ = whole::remove(&content(&self.dir, number));
                continue;
            }
            let Stored { id, mut holdings } = stored;
            let there = Some(holdings.clone());
            forget_the_gone(&mut holdings.absorbed, &others);
            self.own = Some(Own { led: Some(led), number, id, there, durable: None });
            return holdings;
        }
        Holdings::default()
    }

    /// Makes `holdings` durable.
    pub(super) fn keep(&mut self, holdings: &Holdings) -> Result<(), String> {
        let empty = *holdings == Holdings::default();
        if empty && self.own.is_none() {
            return Ok(());
        }
        let own = match &mut self.own {
            Some(own) => own,
            None => self.own.insert(fresh(&self.dir)?),
        };
        let held = own.hold(&self.dir);
        let path = content(&self.dir, own.number);
        let cannot = |why: &dyn std::fmt::Display| {
            format!("cannot write the holdings `{}`: {why}", path.display())
        };
        held.map_err(|why| cannot(&why))?;
        if own.stands(&path, holdings) {
            return Ok(());
        }
        let done = if empty {
            whole::remove(&path)
        } else {
            if own.there.is_none() {
                own.id = new_id()?;
            }
            let text = write(&own.id, holdings).map_err(|why| cannot(&why))?;
            whole::put(&path, &text)
        };
        own.durable = None;
        match done {
            Ok(()) => {
                own.there = (!empty).then(|| holdings.clone());
                own.durable = Some(Place::at(&path));
                Ok(())
            }
            Err(error) => {
                // It may be the very last step that failed. What stands there is known by looking.
                if let Ok(found) = read(&path) {
                    let ours = found.filter(|stored| stored.id == own.id);
                    own.there = ours.map(|stored| stored.holdings);
                }
                Err(cannot(&format_args!("{error}; repair the volume or free space")))
            }
        }
    }

    /// A host that closed all descriptors has closed the lock too: takes it again, while nobody has noticed.
    pub(super) fn renew(&mut self) {
        if let Some(own) = &mut self.own
            && own.led.as_ref().is_none_or(|led| !led.holds())
        {
            // Where it fails, `keep` says why.
            let _ = own.hold(&self.dir);
        }
    }

    /// What the other processes hold, dead ones included, each thing once.
    pub(super) fn of_others(&self) -> Vec<Holdings> {
        let all = all(&self.dir);
        let named = names(&all);
        let own = self.own.as_ref().map(|own| own.number);
        all.into_iter()
            .filter(|(number, _)| Some(*number) != own)
            .filter_map(|(_, found)| found.ok())
            .filter(|stored| !named.contains(&stored.id))
            .map(|stored| stored.holdings)
            .collect()
    }

    /// Holdings of dead processes, locked until they are dropped.
    pub(super) fn abandoned(&self, notes: &mut Vec<Note>) -> Vec<Box<dyn Abandoned>> {
        let own = self.own.as_ref().map(|own| own.number);
        let dead: Vec<_> = numbers(&self.dir)
            .into_iter()
            .filter(|number| Some(*number) != own)
            .filter_map(|number| Some((number, dead(&self.dir, number, notes)?)))
            .take(AT_ONCE_MAX)
            .collect();
        if dead.is_empty() {
            return Vec::new();
        }
        let all = all(&self.dir);
        if let Some(note) = hidden(&self.dir, &all) {
            notes.push(note);
            return Vec::new();
        }
        let mut found = Vec::<Box<dyn Abandoned>>::new();
        for (number, (led, Stored { id, holdings })) in dead {
            let path = content(&self.dir, number);
            let by = |other: &u32| {
                let named = |stored: &Stored| stored.holdings.absorbed.contains(&id);
                *other != number && all.get(other).is_some_and(|it| it.as_ref().is_ok_and(named))
            };
            // Ours is left to whoever asks: he knows that he has it.
            if all.keys().any(|other| Some(*other) != own && by(other)) {
                let _ = whole::remove(&path);
                continue;
            }
            let there =
                |id: &String| all.values().any(|it| it.as_ref().is_ok_and(|it| it.id == *id));
            if holdings.absorbed.iter().any(there) {
                continue; // first those go that are in these
            }
            found.push(Box::new(Dead { led, path, id, holdings }));
        }
        found
    }

    /// Leaves everything where it is: another process's.
    pub(super) fn leak(&mut self) {
        std::mem::forget(self.own.take());
    }
}

impl Own {
    /// Sees that this process has its lock.
    fn hold(&mut self, dir: &Path) -> Result<(), String> {
        if self.led.as_ref().is_some_and(Led::holds) {
            return Ok(());
        }
        self.led = None;
        let led = lock(dir, self.number).map_err(|why| why.to_string())?;
        let Some(led) = led else {
            return Err("another process looks into them; it is tried again".to_owned());
        };
        let there = read(&content(dir, self.number)).map_err(|why| why.to_string())?;
        let untouched = match (&there, &self.there) {
            (Some(found), Some(ours)) => found.id == self.id && found.holdings == *ours,
            (None, None) => true,
            _ => false,
        };
        if untouched {
            self.led = Some(led);
            return Ok(());
        }
        if self.there.is_none() {
            // Another process has the number by now; this one held nothing under it.
            *self = fresh(dir)?;
            return Ok(());
        }
        Err("its lock was lost, as in a host that closes all its descriptors, and another process has taken over what \
             this one held; restart this process"
            .to_owned())
    }

    /// True when the disk has just these.
    fn stands(&self, path: &Path, holdings: &Holdings) -> bool {
        let there =
            self.there.as_ref().map_or(*holdings == Holdings::default(), |it| it == holdings);
        there && self.durable == Some(Place::at(path))
    }
}

/// A number whose lock is free and that has no file.
fn fresh(dir: &Path) -> Result<Own, String> {
    let cannot = |why: &io::Error| format!("cannot lock holdings in `{}`: {why}", dir.display());
    for number in 0..FILES_MAX {
        let Some(led) = lock(dir, number).map_err(|why| cannot(&why))? else { continue };
        match fs::symlink_metadata(content(dir, number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = new_id()?;
                return Ok(Own { led: Some(led), number, id, there: None, durable: Some(None) });
            }
            // Of a dead process: the leader takes it.
            _ => {}
        }
    }
    Err(format!(
        "cannot keep holdings in `{}`: {FILES_MAX} processes have files there",
        dir.display()
    ))
}

fn new_id() -> Result<String, String> {
    let id = super::random().ok_or("no randomness for the id of the holdings")?;
    Ok(super::hex(&id))
}

/// The lock of file `number`; `None` when somebody holds it.
fn lock(dir: &Path, number: u32) -> io::Result<Option<Led>> {
    let file = LockFile::open(&dir.join(format!("{PREFIX}{number}.lock")), Kind::Alone)?;
    Ok(Led::try_new(file)?.ok().filter(Led::holds))
}

/// The lock and the content of file `number` when its process is dead. A broken file is set aside.
fn dead(dir: &Path, number: u32, notes: &mut Vec<Note>) -> Option<(Led, Stored)> {
    let led = lock(dir, number).ok().flatten()?;
    let path = content(dir, number);
    match read(&path) {
        Ok(Some(stored)) => Some((led, stored)),
        Ok(None) => None,
        Err(Unusable::Broken(why)) => {
            notes.push(set_aside(&path, &why));
            None
        }
        // Told by whoever would have taken another one.
        Err(Unusable::Newer | Unusable::Unreadable(_)) => None,
    }
}

fn set_aside(path: &Path, why: &str) -> Note {
    let shown = path.display();
    match aside::file(path, "broken") {
        Ok(new) => quarantined(format!(
            "the holdings `{shown}` of a dead process are set aside as `{}`: {why}; seats in them return by themselves \
             within an hour, for prepaid units compare `account` with the license's usage at AWS; keep the file",
            new.display()
        )),
        Err(error) => weak(format!(
            "the holdings `{shown}` of a dead process are broken ({why}) and cannot be set aside: {error}; move the file \
             away"
        )),
    }
}

fn content(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{PREFIX}{number}.json"))
}

/// Numbers of the files in `dir`, in order.
fn numbers(dir: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<u32> =
        entries.flatten().filter_map(|entry| number(entry.file_name().to_str()?)).collect();
    found.sort_unstable();
    found
}

fn number(name: &str) -> Option<u32> {
    let number = name.strip_prefix(PREFIX)?.strip_suffix(".json")?;
    number.parse().ok().filter(|it: &u32| it.to_string() == number && *it < FILES_MAX)
}

fn all(dir: &Path) -> All {
    numbers(dir)
        .into_iter()
        .filter_map(|number| Some((number, read(&content(dir, number)).transpose()?)))
        .collect()
}

fn others(dir: &Path, number: u32) -> All {
    let mut all = all(dir);
    all.remove(&number);
    all
}

/// Ids of those files whose holdings are in others.
fn names(all: &All) -> BTreeSet<String> {
    all.values().flatten().flat_map(|stored| stored.holdings.absorbed.iter().cloned()).collect()
}

/// A file that may say that it holds what another one does, and that cannot be read now. While there is one nothing is
/// taken: units that are given out twice are worse than seats that run out.
fn hidden(dir: &Path, all: &All) -> Option<Note> {
    all.iter().find_map(|(number, it)| match it {
        Err(why @ (Unusable::Newer | Unusable::Unreadable(_))) => Some(weak(format!(
            "what dead processes held is not taken over while `{}` is there: {why}; seats return by themselves within an \
             hour; use one version of mpguard in all processes of the task, run as one user",
            content(dir, *number).display()
        ))),
        _ => None,
    })
}

/// An id goes when its file is gone.
fn forget_the_gone(absorbed: &mut BTreeSet<String>, others: &All) {
    absorbed.retain(|id| others.values().flatten().any(|stored| stored.id == *id));
}

fn write(id: &str, holdings: &Holdings) -> Result<Vec<u8>, serde_json::Error> {
    let body = serde_json::to_vec(&Stored { id: id.to_owned(), holdings: holdings.clone() })?;
    Ok(FORMAT.wrap(&whole::sum(&body), &body))
}

fn read(path: &Path) -> Result<Option<Stored>, Unusable> {
    let Some(sealed) = FORMAT.read(path)? else { return Ok(None) };
    if whole::sum(&sealed.body) != sealed.check {
        return Err(Unusable::Broken("its checksum does not fit".to_owned()));
    }
    let stored: Result<Stored, _> = serde_json::from_slice(&sealed.body);
    stored.map(Some).map_err(|why| Unusable::Broken(format!("its content makes no sense: {why}")))
}

/// Moves what processes of a dead identity held in `from` to `to`, where the leader takes it like that of any dead
/// process. For whoever knows that nobody lives in `from`.
pub(super) fn adopt(from: &Path, to: &Path) -> io::Result<()> {
    let left = all(from);
    let named = names(&left);
    // Those first whose content is in others: once they stand in different directories nobody could tell.
    let (twice, once): (Vec<_>, Vec<_>) = left
        .into_iter()
        .filter_map(|(number, it)| Some((number, it.ok()?.id)))
        .partition(|(_, id)| named.contains(id));
    for (number, _) in twice {
        whole::remove(&content(from, number))?;
    }
    for (number, _) in once {
        let place = fresh(to).map_err(io::Error::other)?;
        let (old, new) = (content(from, number), content(to, place.number));
        fs::rename(&old, &new)?;
        whole::sync_names(&new)?;
        whole::sync_names(&old)?;
    }
    Ok(())
}

/// Holdings of a dead process.
struct Dead {
    led: Led,
    path: PathBuf,
    id: String,
    holdings: Holdings,
}

impl Abandoned for Dead {
    fn id(&self) -> &str {
        &self.id
    }

    fn holdings(&self) -> &Holdings {
        &self.holdings
    }

    fn taken_over(self: Box<Self>) -> bool {
        self.led.holds() && whole::remove(&self.path).is_ok()
    }
}

/// Files in `dir` as they are, for whoever looks from outside.
pub(in super::super) fn look(dir: &Path) -> Vec<(PathBuf, Result<Stored, String>)> {
    let found = all(dir).into_iter();
    found.map(|(number, it)| (content(dir, number), it.map_err(|why| why.to_string()))).collect()
}

/// Ids that stand in some file's list of what is in it already.
pub(in super::super) fn absorbed(found: &[(PathBuf, Result<Stored, String>)]) -> BTreeSet<String> {
    let whole = found.iter().filter_map(|(_, it)| it.as_ref().ok());
    whole.flat_map(|stored| stored.holdings.absorbed.iter().cloned()).collect()
}
