//! What ECS, EKS and Fargate show in `mountinfo`, and what we make of it.

use super::super::mounts::{judge, network, of, parse, show_container};
use crate::model::storage::Mode::{self, Container, Durable, Memory};
use std::path::Path;

const OVERLAY_ROOT: &str = "620 538 0:57 / / rw,relatime master:242 - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w";
const CONTAINER_REST: &str = "\
621 620 0:60 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
622 620 0:61 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
627 622 0:56 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
629 620 259:1 /var/lib/docker/containers/ab/hosts /etc/hosts rw,noatime - xfs /dev/nvme0n1p1 rw,attr2";

fn container(lines: &str) -> String {
    format!("{OVERLAY_ROOT}\n{CONTAINER_REST}\n{lines}")
}

const HOST: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
25 24 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
31 27 0:30 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw
40 27 0:44 / /mnt/efs rw,relatime - nfs4 fs-1.efs.eu-west-1.amazonaws.com:/ rw,vers=4.1";

#[track_caller]
fn check(text: &str, path: &str, mode: Mode, outlives_task: bool) {
    let mounts = parse(text);
    let found = judge(&mounts, show_container(&mounts), Path::new(path));
    assert_eq!((found.mode, found.outlives_task), (mode, outlives_task), "{path}: {}", found.why);
    assert!(found.why.contains('`'), "a person must read which place is meant: {}", found.why);
}

#[test]
fn the_root_of_a_container_is_lost_with_it() {
    check(&container(""), "/var/lib/mpguard", Container, false);
    // Fargate, and runtimes whose root is no overlay: the runtime's own file over /etc/hosts tells.
    let fargate = "\
500 400 259:3 /rootfs / rw,relatime - ext4 /dev/nvme1n1 rw
501 500 259:1 /etc-hosts /etc/hosts rw,relatime - ext4 /dev/nvme0n1p1 rw
502 500 0:50 / /dev/shm rw - tmpfs shm rw";
    check(fargate, "/var/lib/mpguard", Container, false);
    check(fargate, "/dev/shm/mpguard-0", Memory, false);
}

#[test]
fn a_volume_of_a_task_outlives_its_containers() {
    // ECS on EC2: a bind mount or a docker volume. Fargate: a bind mount of the ephemeral storage.
    let ecs = "630 620 259:1 /var/lib/docker/volumes/ecs-app-1-state/_data /state rw,noatime master:1 - xfs /dev/nvme0n1p1 rw";
    check(&container(ecs), "/state/mpg1-0", Durable, true);
    let fargate = "631 620 259:3 /volumes/state /state rw,relatime - ext4 /dev/nvme1n1 rw";
    check(&container(fargate), "/state", Durable, true);
    check(&container(fargate), "/statement", Container, false);
}

#[test]
fn an_empty_dir_ends_with_its_pod() {
    // T10: tmpfs too, when the pod asks for `medium: Memory`.
    let disk = "640 620 259:1 /var/lib/kubelet/pods/8f1c/volumes/kubernetes.io~empty-dir/state /var/lib/mpguard rw,noatime - xfs /dev/nvme0n1p1 rw";
    check(&container(disk), "/var/lib/mpguard/mpg1-0", Durable, false);
    let memory = "641 620 0:99 / /var/lib/mpguard rw,relatime - tmpfs tmpfs rw,size=100k";
    check(&container(memory), "/var/lib/mpguard", Durable, false);
    let claim = "642 620 259:9 / /var/lib/mpguard rw,relatime - ext4 /dev/nvme2n1 rw";
    check(&container(claim), "/var/lib/mpguard", Durable, true);
}

#[test]
fn a_computer_without_containers_keeps_its_disk() {
    check(HOST, "/var/lib/mpguard", Durable, true);
    check(HOST, "/dev/shm/mpguard-1", Memory, false);
    check(HOST, "/run/mpguard", Durable, false);
    check("", "/var/lib/mpguard", Durable, true);
}

#[test]
fn network_and_fuse_file_systems_are_refused_by_name() {
    let refused = |kind: &str| {
        let text = container(&format!("650 620 0:70 / /efs rw,relatime - {kind} 127.0.0.1:/ rw"));
        let why = network(&parse(&text), Path::new("/efs/state"));
        assert_eq!(network(&parse(&text), Path::new("/state")), None);
        why
    };
    for kind in [
        "nfs4",
        "nfs",
        "cifs",
        "smb3",
        "fuse",
        "fuse.s3fs",
        "fuse.rclone",
        "9p",
        "ceph",
        "afs",
        "lustre",
        "gfs2",
        "ocfs2",
        "virtiofs",
    ] {
        let why = refused(kind).unwrap_or_else(|| panic!("{kind} is taken"));
        assert!(why.contains("`/efs`") && why.contains(kind) && why.contains("state_dir"), "{why}");
    }
    for kind in ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay"] {
        assert_eq!(refused(kind), None, "{kind}");
    }
    assert!(network(&parse(HOST), Path::new("/mnt/efs/x")).is_some());
}

#[test]
fn spaces_overmounts_and_nonsense_are_read() {
    let text = "1 0 8:1 / /a\\040b rw - ext4 x rw\nnonsense\n\n2 0 8:1 / /a\\040b rw a:1 b:2 - xfs x rw\n3 0 8:1 / /c\\ rw - ext4 x rw\n1 2 3 - ";
    let mounts = parse(text);
    assert_eq!(mounts.len(), 3, "{mounts:?}");
    assert_eq!(of(&mounts, Path::new("/a b/c")).map(|mount| mount.kind.as_str()), Some("xfs"));
    assert_eq!(of(&mounts, Path::new("/a")), None);
}

#[cfg(target_os = "linux")]
#[test]
fn this_computer_s_own_mounts_are_read() {
    let text = std::fs::read_to_string("/proc/self/mountinfo").expect("procfs is there");
    let mounts = parse(&text);
    assert_eq!(mounts.len(), text.lines().count());
    assert!(of(&mounts, Path::new("/proc/self")).is_some_and(|mount| mount.kind == "proc"));
}
