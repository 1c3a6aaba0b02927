//! The one gate to stdout for whole answers: data goes there, everything else to stderr.

use std::io::Write as _;

/// Writes a text as it is.
///
/// # Errors
/// If stdout cannot be written (a closed pipe).
pub fn write(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Writes a line.
///
/// # Errors
/// If stdout cannot be written.
pub fn line(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{text}")?;
    Ok(())
}
