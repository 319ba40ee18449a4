//! xtask.toml, .env, .env.example and docs/configuration.md: what is read, what a person sees, and that they agree.
#![expect(clippy::panic, reason = "a helper of tests says what was wrong with their input")]

mod documentation;
mod environment;
mod files;
mod xtask_toml;
