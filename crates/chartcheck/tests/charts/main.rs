//! The charts as they are in `helm/`, rendered with the helm on PATH.

#[cfg(test)]
mod contracts;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod helm;
#[cfg(test)]
mod package;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod renders;
