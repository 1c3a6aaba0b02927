//! The pure state machine that runs a program: events in, commands out.
