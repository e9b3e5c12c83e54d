//! phi
