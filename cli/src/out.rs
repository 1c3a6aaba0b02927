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

/// Whether stdout is a regular file.
pub fn is_file() -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        let own = std::io::stdout().as_fd().try_clone_to_owned();
        own.is_ok_and(|fd| std::fs::File::from(fd).metadata().is_ok_and(|meta| meta.is_file()))
    }
    #[cfg(not(unix))]
    {
        false
    }
}
