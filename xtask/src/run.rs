//! Running other programs, always from the root of the project and never with a question to the
//! person before it: standard input is closed.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command in the root of the project.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// The same cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    command(&cargo, arguments)
}

/// How a command is written in a shell.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut out = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        out.push(' ');
        out.push_str(&argument.to_string_lossy());
    }
    out
}

/// Runs it to its end.
///
/// # Errors
/// When it cannot be started or ends with another status than 0.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("+ {}", shown(command));
    let status = command.status().map_err(|error| unstarted(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("'{}' ended with {status}", shown(command))) }
}

/// Runs it to its end, shows what it writes as it comes, and hands back all of it with whether it
/// went well. Standard error goes where standard output goes.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn watched(command: &mut Command) -> Result<(String, bool), String> {
    println!("+ {}", shown(command));
    let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    let twin = writer.try_clone().map_err(|error| error.to_string())?;
    let mut child =
        command.stdout(writer).stderr(twin).spawn().map_err(|error| unstarted(command, &error))?;
    // The command keeps the writing ends open, and reading would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut all = String::new();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        all.push_str(&text);
        line.clear();
    }
    let _ = std::io::stdout().flush();
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok((all, status.success()))
}

/// What it writes to standard output.
///
/// # Errors
/// When it cannot be started or ends with another status than 0; with what it said.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| unstarted(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("'{}' ended with {}: {}", shown(command), output.status, said.trim()))
}

fn unstarted(command: &Command, error: &std::io::Error) -> String {
    format!("'{}' cannot be started: {error}", shown(command))
}

/// Where a program is, looked for in the path and where distributions keep servers.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(servers)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
