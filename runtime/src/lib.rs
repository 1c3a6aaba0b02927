//! Drives a program: effects, streams, segments, profiles.
