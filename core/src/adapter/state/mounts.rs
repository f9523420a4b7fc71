//! What kind of place a directory is, told from the mounts.
//!
//! Everything here reads text: `/proc/self/mountinfo` as in proc(5). So what ECS, EKS and Fargate show is in the
//! tests as they show it. A container is told by signs that its runtime leaves, never by environment variables, which
//! are the buyer's.

use crate::model::storage::Mode;
use std::path::{Path, PathBuf};

/// One line of `mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Which part of the file system is shown.
    pub(super) root: String,
    /// Where it is shown.
    pub(super) point: PathBuf,
    /// Its type: `ext4`, `overlay`, `nfs4`.
    pub(super) kind: String,
}

/// Reads `mountinfo`. A line that is none is left out.
pub(super) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    // Optional fields stand between the sixth field and a lone dash.
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let root = unescape(fields.next()?);
    let point = PathBuf::from(unescape(fields.next()?));
    let kind = after.split(' ').next().filter(|kind| !kind.is_empty())?.to_owned();
    Some(Mount { root, point, kind })
}

/// Space, tab, line feed and backslash stand as three octal digits after a backslash.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The mount that `path` is on: the longest mount point above it, and of several at one point the last.
pub(super) fn of<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let above = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    above.max_by_key(|mount| mount.point.components().count())
}

/// Signs of a container in the mounts: a layered root, or a file of the runtime's over `/etc/hosts`.
pub(super) fn show_container(mounts: &[Mount]) -> bool {
    const LAYERED: [&str; 3] = ["overlay", "aufs", "fuse.fuse-overlayfs"];
    let root = of(mounts, Path::new("/"));
    root.is_some_and(|root| LAYERED.contains(&root.kind.as_str()))
        || mounts.iter().any(|mount| mount.point == Path::new("/etc/hosts"))
}

/// Other computers' disks, and programs that play disk: locks may vanish there, and mapped memory is not shared.
///
/// Every FUSE file system counts, by `fuse` and `fuse.` names.
const NETWORK: [&str; 27] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "ceph",
    "afs",
    "lustre",
    "gfs",
    "gfs2",
    "ocfs2",
    "virtiofs",
    "glusterfs",
    "beegfs",
    "gpfs",
    "orangefs",
    "pvfs2",
    "coda",
    "ncpfs",
    "vboxsf",
    "vmhgfs",
    "prl_fs",
    "davfs",
    "autofs",
    "sshfs",
    "drvfs",
];

/// Why `path` is no place for the mapping, if it is none.
pub(super) fn network(mounts: &[Mount], path: &Path) -> Option<String> {
    let mount = of(mounts, path)?;
    let kind = mount.kind.as_str();
    let fuse = kind == "fuse" || kind == "fuseblk" || kind.starts_with("fuse.");
    (fuse || NETWORK.contains(&kind)).then(|| is_network(kind, &mount.point))
}

/// Types of `statfs` that no local disk has, with their names. Source: statfs(2), linux/magic.h.
pub(super) const MAGIC: [(u64, &str); 17] = [
    (0x6969, "nfs"),
    (0x517B, "smb"),
    (0xFF53_4D42, "cifs"),
    (0xFE53_4D42, "smb2"),
    (0x6573_5546, "fuse"),
    (0x0102_1997, "9p"),
    (0x00C3_6400, "ceph"),
    (0x5346_414F, "afs"),
    (0x6B41_4653, "afs"),
    (0x0BD0_0BD0, "lustre"),
    (0x0116_1970, "gfs2"),
    (0x7461_636F, "ocfs2"),
    (0x7375_7245, "coda"),
    (0x564C, "ncp"),
    (0x1983_0326, "beegfs"),
    (0x4750_4653, "gpfs"),
    (0x786F_4256, "vboxsf"),
];

pub(super) fn is_network(kind: &str, point: &Path) -> String {
    format!(
        "`{}` is a network or FUSE file system ({kind}), where locks and mapped memory cannot be trusted; give \
         `state_dir` on an emptyDir, an ECS bind mount or a disk",
        point.display()
    )
}

/// How long a place lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) mode: Mode,
    pub(super) outlives_task: bool,
    /// For a person.
    pub(super) why: String,
}

/// Judges the directory at `path`, whose links are resolved. `container`: the process runs in one.
pub(super) fn judge(mounts: &[Mount], container: bool, path: &Path) -> Finding {
    let found = |mode, outlives_task, why| Finding { mode, outlives_task, why };
    let shown = path.display();
    let Some(mount) = of(mounts, path) else {
        let why = format!(
            "the mounts of this system cannot be read; `{shown}` is taken for a part of the "
        );
        return if container {
            found(Mode::Container, false, why + "container, lost when it is made anew")
        } else {
            found(Mode::Durable, true, why + "computer's disk")
        };
    };
    let (kind, point) = (mount.kind.as_str(), mount.point.display());
    let memory = kind == "tmpfs" || kind == "ramfs";
    if memory && path.starts_with("/dev/shm") {
        let why = format!("`{shown}` is memory that is lost with the task's processes");
        return found(Mode::Memory, false, why);
    }
    if mount.point == Path::new("/") && container {
        let why = format!("`{shown}` is part of the container ({kind}), lost when it is made anew");
        return found(Mode::Container, false, why);
    }
    if mount.root.contains("kubernetes.io~empty-dir") {
        let why =
            format!("`{point}` is an emptyDir, which outlives the container and ends with the pod");
        return found(Mode::Durable, false, why);
    }
    if memory {
        let why = format!(
            "`{point}` is memory of its own ({kind}), which outlives the container and ends with the task"
        );
        return found(Mode::Durable, false, why);
    }
    let what =
        if mount.point == Path::new("/") { "this computer's disk" } else { "a volume of its own" };
    found(Mode::Durable, true, format!("`{shown}` is on {what} ({kind}, mounted at `{point}`)"))
}
