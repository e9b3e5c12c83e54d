//! The log as its callers see it: appended to, killed, damaged, verified, replayed.

#[cfg(test)]
mod append;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod replaying;
#[cfg(test)]
mod tamper;
