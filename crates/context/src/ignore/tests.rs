use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

fn matcher(ignore: &[u8], dialect: Dialect) -> Matcher {
    Matcher::new(&file::parse(PathBuf::from(".dockerignore"), ignore).unwrap(), dialect).unwrap()
}

/// What the walk does with a path, folder by folder.
fn verdict(matcher: &Matcher, path: &str) -> Verdict {
    let mut parent = Met::default();
    let ends = path.match_indices('/').map(|(end, _)| end);
    for end in ends {
        let mut met = Met::default();
        let folder = &path.as_bytes()[..end];
        let verdict = matcher.verdict(folder, &parent, Some(&mut met)).unwrap();
        if verdict.left_out && matcher.prunes(folder) {
            return verdict;
        }
        parent = met;
    }
    matcher.verdict(path.as_bytes(), &parent, None).unwrap()
}

/// Lines of the ignore file, paths that are left out, paths that are sent.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

#[test]
fn patterns() {
    let cases: &[Case] = &[
        // One name, anywhere only with `**`.
        ("a", &["a", "a/b", "a/b/c"], &["b/a", "aa"]),
        ("a/", &["a", "a/b"], &["b/a"]),
        ("/a", &["a", "a/b"], &["b/a"]),
        ("//a", &["a"], &["b/a"]),
        ("./a", &["a"], &["b/a"]),
        ("a/./b/../c", &["a/c", "a/c/d"], &["a/b", "c"]),
        ("../a", &[], &["a", "b/a"]),
        (".", &[], &["a"]),
        ("", &[], &["a"]),
        // White space, comments, marks.
        ("# a\n#a", &[], &["a", "#a", "# a"]),
        (" # a", &["# a"], &["a"]),
        ("  a  ", &["a"], &[]),
        ("a b", &["a b"], &["a"]),
        ("\u{feff}a\r\nb\r\n", &["a", "b"], &["\u{feff}a"]),
        ("a\n\u{feff}b", &["a"], &["b"]),
        // Wildcards.
        ("*", &["a", "a/b", ".git"], &[]),
        ("*.md", &["x.md"], &["a/x.md", "x.mdx"]),
        ("a?", &["ab", "aé"], &["a", "abc", "a/b"]),
        ("a*c", &["ac", "abc", "abbc"], &["a/c", "acd"]),
        ("*/a", &["x/a", "x/a/b"], &["a", "x/y/a"]),
        ("**", &["a", "a/b"], &[]),
        ("**/a", &["a", "x/a", "x/y/a", "x/a/b"], &["ba", "x/ba"]),
        ("**a", &["a", "ba", "x/ba"], &["ab"]),
        ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
        ("a**", &["a", "ab", "ab/c", "a/b"], &["ba"]),
        ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]),
        ("**/*.pyc", &["x.pyc", "a/x.pyc", "a/b/.pyc"], &["x.py"]),
        ("**/node_modules/**", &["node_modules/a", "x/node_modules/a/b"], &["node_modules", "x/node_modules"]),
        // Classes and escapes.
        ("[a-c]x", &["ax", "cx"], &["dx", "[a-c]x"]),
        ("[^a]x", &["bx"], &["ax", "x"]),
        ("[!a]x", &["!x", "ax"], &["bx"]),
        ("[[:digit:]]", &["7"], &["x"]),
        (r"\*", &["*"], &["a"]),
        (r"\d", &["7"], &["d"]),
        (r"a\[b", &["a[b"], &[]),
        ("a.b+c", &["a.b+c"], &["aXb+c", "a.bbc"]),
        ("a^b", &["a^b"], &[]),
        // Exceptions: the last that matches wins.
        ("*\n!a", &["b"], &["a", "a/b"]),
        ("*\n!a\na/b", &["a/b", "c"], &["a", "a/c"]),
        ("a\n!a/b", &["a/c"], &["a/b", "a/b/c"]),
        ("!a\na", &["a"], &[]),
        ("*\n!**/*.md", &["a", "a/b"], &["x.md", "a/x.md"]),
        ("*\n! a ", &["b"], &["a"]),
        ("*.md\n!README.md", &["a.md"], &["README.md"]),
        ("a\n!!b", &["a"], &["b", "!b"]),
        // What the second, wider look says instead is for docker's reader, not for its walk.
        ("a\n!a/b\na", &["a", "a/c"], &["a/b"]),
    ];
    for (ignore, left_out, sent) in cases {
        let matcher = matcher(ignore.as_bytes(), Dialect::Unix);
        for (path, expected) in left_out.iter().map(|p| (p, true)).chain(sent.iter().map(|p| (p, false))) {
            assert_eq!(verdict(&matcher, path).left_out, expected, "{ignore:?} {path:?}");
        }
    }
}

#[test]
fn a_folder_named_again_after_its_exception_empties_the_file() {
    let again = matcher(b"a\n!a/b\na\n", Dialect::Unix);
    assert_eq!(verdict(&again, "a/b"), Verdict { left_out: false, opens_empty: true });
    let once = matcher(b"a\n!a/b\n", Dialect::Unix);
    assert_eq!(verdict(&once, "a/b"), Verdict { left_out: false, opens_empty: false });
}

#[test]
fn on_windows_a_backslash_separates() {
    let matcher = matcher(b"dist\\temp\nout\\*\n", Dialect::Windows);
    assert!(verdict(&matcher, "dist/temp/x").left_out);
    assert!(verdict(&matcher, "out/x").left_out);
    assert!(!verdict(&matcher, "dist/x").left_out);
}

#[test]
fn folders_that_need_not_be_entered() {
    for (ignore, folder, prunes) in [
        ("a", "a", true),
        ("a\n!b", "a", true),
        ("a\n!a/b", "a", false),
        ("a\n!a/b", "a/c", true),
        ("a\n!a", "a", false),
        ("a\n!ab/c", "a", true),
        ("a\n!b/*", "a", true),
        ("a\n!b/**", "a", true),
        ("a\n!a/*", "a", false),
        // An exception with a wildcard may be anywhere.
        ("a\n!b*", "a", false),
        ("a\n!**/x", "a", false),
        ("a\n![b]", "a", false),
    ] {
        assert_eq!(matcher(ignore.as_bytes(), Dialect::Unix).prunes(folder.as_bytes()), prunes, "{ignore:?} {folder:?}");
    }
}

#[test]
fn refused_patterns_are_told_all_at_once_with_what_to_write() {
    let file = file::parse(PathBuf::from("x/.dockerignore"), b"# fine\n[a\nb\n!\nc\\\n[]x]\n[-a]\n").unwrap();
    let problems = Matcher::new(&file, Dialect::Unix).unwrap_err();
    let told: Vec<String> = problems.iter().map(|p| format!("{p}; {}", p.hint())).collect();
    assert_eq!(
        told,
        [
            "`x/.dockerignore` line 2: docker refuses the pattern `[a`: `[` has no `]`; write `\\[a` if the brackets belong to the name",
            "`x/.dockerignore` line 4: docker refuses the pattern `!`: `!` names nothing; write `!PATH`, or take the line out",
            "`x/.dockerignore` line 5: docker refuses the pattern `c\\`: a backslash at the end escapes nothing; write `c`, with `/` between names",
            "`x/.dockerignore` line 6: docker refuses the pattern `[]x]`: a class holds at least one character, and a range two; \
             write `\\[\\]x\\]` if the brackets belong to the name",
            "`x/.dockerignore` line 7: docker refuses the pattern `[-a]`: `-` in a class stands between two characters; \
             write `\\[-a\\]` if the brackets belong to the name",
        ]
    );
}

#[test]
fn a_pattern_is_refused_late_when_docker_does_not_need_it_early() {
    for (ignore, refused) in
        [("[z-a]", true), ("![z-a]", false), ("*\n[z-a]", false), ("*\n![z-a]", true), (r"build\cache", true)]
    {
        let matcher = matcher(ignore.as_bytes(), Dialect::Unix);
        let answer = matcher.verdict(b"a", &Met::default(), None);
        assert_eq!(answer.is_err(), refused, "{ignore:?}");
    }
    let file = file::parse(PathBuf::from(".dockerignore"), br"build\cache").unwrap();
    let matcher = Matcher::new(&file, Dialect::Unix).unwrap();
    let refused = matcher.verdict(b"a", &Met::default(), None).unwrap_err();
    let problem = matcher.problem(&refused, &file).unwrap();
    assert_eq!(
        problem.to_string(),
        r"`.dockerignore` line 1: docker refuses the pattern `build\cache`: docker knows no escape `\c`"
    );
    assert_eq!(problem.hint(), "write `build/cache`, with `/` between names");
}

#[test]
fn the_line_that_leaves_a_path_out() {
    let matcher = matcher(b"x\na\n!a/b\nb\n", Dialect::Unix);
    assert_eq!(matcher.decider(b"a/c"), Some((2, "a".to_owned())));
    assert_eq!(matcher.decider(b"a/b"), None);
    assert_eq!(matcher.decider(b"c"), None);
}

#[test]
fn which_file_counts() {
    let dir = tempfile::tempdir().unwrap();
    let dockerfile = dir.path().join("api.Dockerfile");
    let found = || find(dir.path(), &dockerfile).unwrap();
    assert_eq!(found(), IgnoreFile::default());
    std::fs::write(dir.path().join(".dockerignore"), "a\n").unwrap();
    assert_eq!(found().patterns, [(1, b"a".to_vec())]);
    // Even an empty one of the Dockerfile's own takes the place of the other.
    let own = dir.path().join("api.Dockerfile.dockerignore");
    std::fs::write(&own, "").unwrap();
    assert_eq!(found(), IgnoreFile { path: own, patterns: Vec::new() });
}

#[test]
fn a_line_too_long_for_docker() {
    let line = vec![b'a'; 70_000];
    let problem = file::parse(PathBuf::from(".dockerignore"), &line).unwrap_err();
    assert_eq!(problem.to_string(), "`.dockerignore` can't be read: line 1 is longer than 64 KiB, which docker does not read");
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(ignore in prop::collection::vec(any::<u8>(), 0..60), path in prop::collection::vec(any::<u8>(), 1..20)) {
        if let Ok(file) = file::parse(PathBuf::from("x"), &ignore)
            && let Ok(matcher) = Matcher::new(&file, Dialect::Unix)
        {
            // Whatever the answer, it comes.
            drop(matcher.verdict(&path, &Met::default(), None));
        }
    }

    #[test]
    fn odd_patterns_end(pattern in r"[\[\]\\*?^!a-z:-]{0,24}", path in "[a-z/]{1,30}") {
        if let Ok(file) = file::parse(PathBuf::from("x"), pattern.as_bytes())
            && let Ok(matcher) = Matcher::new(&file, Dialect::Unix)
        {
            drop(matcher.verdict(path.as_bytes(), &Met::default(), Some(&mut Met::default())));
        }
    }

    #[test]
    fn a_plain_name_leaves_out_itself_and_what_is_below(name in "[a-z]{1,8}", below in "[a-z]{1,8}", other in "[A-Z]{1,8}") {
        let matcher = matcher(name.as_bytes(), Dialect::Unix);
        prop_assert!(verdict(&matcher, &name).left_out);
        let deeper = format!("{name}/{below}");
        prop_assert!(verdict(&matcher, &deeper).left_out);
        prop_assert!(!verdict(&matcher, &other).left_out);
    }
}
