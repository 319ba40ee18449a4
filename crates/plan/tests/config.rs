//! xtask.toml: what is read from it, and what a person sees when it is wrong.

mod common;

use common::Fake;
use plan::config::Config;
use plan::problem::render;

const REPOSITORY: &str = include_str!("../../../xtask.toml");

#[test]
fn the_repository_s_own_file_is_right() {
    let config = Config::parse(REPOSITORY, "xtask.toml", &Fake::repository()).unwrap_or_else(|p| panic!("{}", render(&p)));
    assert_eq!(render(&config.warnings), "");
    println!("{config:#?}");
}
