//! The stat cache is used when that is certain to be right, and only then.

#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use context::{BuildInputs, ContextDigest, StatCache, digest};

fn run(dir: &Path, cache: &Path) -> ContextDigest {
    let inputs = BuildInputs { context: dir.to_owned(), dockerfile: dir.join("Dockerfile"), ..BuildInputs::default() };
    let mut stored = StatCache::load(cache);
    let digest = digest(&inputs, &mut stored).unwrap();
    stored.save().unwrap();
    let fresh = context::digest(&inputs, &mut StatCache::in_memory()).unwrap();
    assert_eq!(digest.hex, fresh.hex, "with the cache and without it");
    digest
}

fn make(dir: &Path) {
    fs::write(dir.join("Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(dir.join("a"), "1").unwrap();
    fs::write(dir.join("b"), "1").unwrap();
}

#[test]
fn settled_files_are_not_read_again() {
    let (context, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = other.path().join("deep/stat.json");
    make(context.path());
    assert_eq!(run(context.path(), &cache).hashed, 3);
    // The margin is two seconds; nothing here depends on how long this takes beyond it.
    std::thread::sleep(Duration::from_millis(2200));
    run(context.path(), &cache);
    assert_eq!(run(context.path(), &cache).hashed, 0);
    fs::write(context.path().join("a"), "2").unwrap();
    assert_eq!(run(context.path(), &cache).hashed, 1, "the same size, another time");
    fs::remove_file(context.path().join("b")).unwrap();
    assert_eq!(run(context.path(), &cache).files, 2);
}

/// No time is given back to a file without a trace: the change time of the system stays.
#[cfg(unix)]
#[test]
fn a_file_with_its_old_time_put_back_is_read() {
    let (context, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = other.path().join("stat.json");
    make(context.path());
    std::thread::sleep(Duration::from_millis(2200));
    run(context.path(), &cache);
    assert_eq!(run(context.path(), &cache).hashed, 0);
    let file = context.path().join("a");
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "2").unwrap();
    fs::File::options().append(true).open(&file).unwrap().set_modified(time).unwrap();
    assert_eq!(run(context.path(), &cache).hashed, 1);
}

#[test]
fn a_time_in_the_future_is_never_trusted() {
    let (context, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = other.path().join("stat.json");
    make(context.path());
    let file = fs::File::options().append(true).open(context.path().join("a")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    std::thread::sleep(Duration::from_millis(2200));
    run(context.path(), &cache);
    assert_eq!(run(context.path(), &cache).hashed, 1);
}

#[test]
fn a_damaged_cache_is_an_empty_one() {
    let (context, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = other.path().join("stat.json");
    make(context.path());
    for (text, why) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"format\":0,\"roots\":{}}", "format 0 is not 1"),
        (
            "{\"format\":1,\"roots\":{\"x\":{\"looked\":1,\"files\":{\"a\":[1,1,1,1,1,\"zz\"]}}}}",
            "not 64 hexadecimal digits at line 1 column 65",
        ),
    ] {
        fs::write(&cache, text).unwrap();
        assert_eq!(StatCache::load(&cache).ignored(), Some(why), "{text}");
        assert_eq!(run(context.path(), &cache).hashed, 3);
        assert_eq!(StatCache::load(&cache).ignored(), None, "written again");
    }
}

#[test]
fn one_file_for_several_contexts() {
    let (one, two, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = other.path().join("stat.json");
    make(one.path());
    make(two.path());
    std::thread::sleep(Duration::from_millis(2200));
    run(one.path(), &cache);
    run(two.path(), &cache);
    assert_eq!(run(one.path(), &cache).hashed, 0);
    assert_eq!(run(two.path(), &cache).hashed, 0);
}
