//! Recorded rollouts, replayed through the tracker that follows real ones.
mod support;
#[test]
fn scratch() {
    for name in support::trace::names() {
        println!("== {name}");
        for (at, verdict) in support::trace::replay(&name, 90_000) {
            println!("   {at:7} {} {verdict:.0?}", support::trace::summary(&verdict));
        }
    }
}
