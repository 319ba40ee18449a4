//! Recorded rollouts, replayed through the tracker that follows real ones: the verdict and the moment at which it comes.

use crate::trace::{replay, summary};

/// Trace -> its verdicts in order, each with the millisecond (since the watch began) at which it comes.
const EXPECTED: &[(&str, &[(i64, &str)])] = &[
    ("bad-update-keeps-old-pods", &[(1_276, "waiting"), (1_971, "done"), (8_168, "waiting"), (8_673, "failing XT401")]),
    ("config-error-missing-secret-key", &[(1_275, "waiting"), (1_783, "failing XT410")]),
    ("crash-loop", &[(1_279, "waiting"), (1_885, "grace XT430"), (2_007, "failing XT430")]),
    (
        "database-starts-late-healthy",
        &[
            (2_424, "waiting"),
            (3_574, "grace XT440"),
            (5_490, "grace XT430"),
            (5_810, "grace XT440"),
            (6_529, "grace XT430"),
            (6_789, "grace XT437"),
            (40_479, "grace XT440"),
            (44_881, "waiting"),
            (44_906, "done"),
        ],
    ),
    ("failed-mount-configmap", &[(2_299, "waiting"), (2_611, "grace XT414"), (38_299, "failing XT414")]),
    ("healthy-install", &[(1_281, "waiting"), (2_039, "done")]),
    ("healthy-rolling-update", &[(1_305, "waiting"), (2_064, "done"), (8_158, "waiting"), (9_498, "done")]),
    ("image-pull-unknown-host", &[(2_441, "waiting"), (3_251, "grace XT405"), (32_441, "failing XT405")]),
    ("job-failed", &[(2_378, "waiting"), (6_556, "grace XT462"), (16_520, "failing XT462")]),
    ("job-healthy", &[(2_554, "waiting"), (10_345, "done")]),
    ("liveness-failing", &[(1_271, "waiting"), (5_610, "failing XT441")]),
    ("mount-appears-late-healthy", &[(6_382, "waiting"), (6_669, "grace XT414"), (24_625, "waiting"), (27_382, "done")]),
    ("oom-killed", &[(1_285, "waiting"), (2_251, "failing XT432")]),
    ("pod-security-refused", &[(2_418, "waiting"), (2_418, "failing XT452")]),
    ("quota-makes-room-healthy", &[(4_371, "waiting"), (6_089, "grace XT453"), (16_451, "waiting"), (22_371, "done")]),
    ("readiness-404", &[(5_900, "waiting"), (16_943, "grace XT440"), (23_900, "failing XT440")]),
    ("readiness-failing", &[(1_286, "waiting"), (1_904, "grace XT440"), (61_286, "failing XT440")]),
    ("restarts-once-then-healthy", &[(1_264, "waiting"), (1_883, "grace XT430"), (1_953, "waiting"), (1_966, "done")]),
    ("slow-start-healthy", &[(1_302, "waiting"), (1_915, "grace XT440"), (26_933, "waiting"), (26_943, "done")]),
    ("startup-probe-slow-healthy", &[(4_118, "waiting"), (8_479, "grace XT440"), (22_525, "waiting"), (22_587, "done")]),
    ("unschedulable-cpu", &[(1_265, "waiting"), (1_287, "grace XT420"), (31_265, "failing XT420")]),
    (
        "update-with-surge-healthy",
        &[
            (2_556, "waiting"),
            (4_004, "grace XT440"),
            (6_871, "waiting"),
            (6_878, "done"),
            (12_666, "waiting"),
            (13_613, "grace XT440"),
            (13_944, "waiting"),
            (14_828, "grace XT440"),
            (16_935, "waiting"),
            (17_010, "done"),
        ],
    ),
];

#[test]
fn every_trace_gives_its_verdicts_at_their_moment() {
    let listed: Vec<&str> = EXPECTED.iter().map(|(name, _)| *name).collect();
    assert_eq!(crate::trace::names(), listed);
    for (name, expected) in EXPECTED {
        let mut given: Vec<(i64, String)> = replay(name, 60_000).iter().map(|(at, verdict)| (*at, summary(verdict))).collect();
        // A caller stops at a failure.
        if let Some(failing) = given.iter().position(|(_, text)| text.starts_with("failing")) {
            given.truncate(failing + 1);
        }
        let expected: Vec<(i64, String)> = expected.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
        assert_eq!(given, expected, "{name}");
    }
}
