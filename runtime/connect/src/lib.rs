//! Leaves: model providers, HTTP, files, clock, processes.
