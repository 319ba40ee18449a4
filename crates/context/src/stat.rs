//! What the file system says about a path, as far as an image or the stat cache can see it.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970, negative before.
pub(crate) type Nanos = i64;

/// What changes when a file's content changes. Fields that this system lacks are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) size: u64,
    pub(crate) mtime: Nanos,
    /// Time of the last change of content, name or mode; no program can set it. Windows: time of creation.
    pub(crate) ctime: Nanos,
    pub(crate) inode: u64,
    /// As docker would send it: permission bits with setuid, setgid and sticky.
    pub(crate) mode: u32,
}

/// What kind of thing a path is, as docker sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    Symlink,
    Fifo,
    /// Sent as an empty file.
    Socket,
    /// Character devices and block devices, with their number.
    Device {
        block: bool,
        number: u64,
    },
}

/// Nanoseconds since 1970 of a time.
pub(crate) fn nanos(time: SystemTime) -> Nanos {
    match time.duration_since(UNIX_EPOCH) {
        Ok(d) => Nanos::try_from(d.as_nanos()).unwrap_or(Nanos::MAX),
        Err(e) => Nanos::try_from(e.duration().as_nanos()).map_or(Nanos::MIN, |n| -n),
    }
}

#[cfg(unix)]
pub(crate) fn stat(meta: &Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt;
    let nanos = |s: i64, ns: i64| s.saturating_mul(1_000_000_000).saturating_add(ns);
    Stat {
        size: meta.size(),
        mtime: nanos(meta.mtime(), meta.mtime_nsec()),
        ctime: nanos(meta.ctime(), meta.ctime_nsec()),
        // Two disks may use one number; the path under it is another then.
        inode: meta.ino(),
        mode: meta.mode() & 0o7777,
    }
}

#[cfg(unix)]
pub(crate) fn kind(meta: &Metadata) -> Kind {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let t = meta.file_type();
    if t.is_dir() {
        Kind::Dir
    } else if t.is_symlink() {
        Kind::Symlink
    } else if t.is_fifo() {
        Kind::Fifo
    } else if t.is_socket() {
        Kind::Socket
    } else if t.is_char_device() || t.is_block_device() {
        Kind::Device { block: t.is_block_device(), number: meta.rdev() }
    } else {
        Kind::File
    }
}

/// Windows has no permission bits: docker sends every file as 0755, or 0555 when it is read-only.
#[cfg(windows)]
pub(crate) fn stat(meta: &Metadata) -> Stat {
    Stat {
        size: meta.len(),
        mtime: meta.modified().map_or(0, nanos),
        ctime: meta.created().map_or(0, nanos),
        inode: 0,
        mode: windows_mode(meta.permissions().readonly(), meta.is_dir()),
    }
}

#[cfg(windows)]
pub(crate) fn kind(meta: &Metadata) -> Kind {
    let t = meta.file_type();
    if t.is_dir() {
        Kind::Dir
    } else if t.is_symlink() {
        Kind::Symlink
    } else {
        Kind::File
    }
}

/// The mode that docker sends from Windows: Go reads 0666 (read-only 0444; folders 0777), docker adds 0111 and keeps 0755.
#[cfg(any(windows, test))]
pub(crate) fn windows_mode(readonly: bool, dir: bool) -> u32 {
    let go = match (readonly, dir) {
        (false, true) => 0o777,
        (true, true) => 0o555,
        (false, false) => 0o666,
        (true, false) => 0o444,
    };
    (go | 0o111) & 0o755
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_modes_as_docker_sends_them() {
        for (readonly, dir, mode) in [(false, false, 0o755), (true, false, 0o555), (false, true, 0o755), (true, true, 0o555)] {
            assert_eq!(windows_mode(readonly, dir), mode, "read-only {readonly}, folder {dir}");
        }
    }

    #[test]
    fn times_before_1970_are_negative() {
        assert_eq!(nanos(UNIX_EPOCH - std::time::Duration::from_secs(1)), -1_000_000_000);
        assert_eq!(nanos(UNIX_EPOCH + std::time::Duration::from_nanos(7)), 7);
    }
}
