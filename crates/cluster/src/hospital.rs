//! The synthetic hospital.
