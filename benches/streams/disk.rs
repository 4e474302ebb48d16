//! A disk that can be made slow, ill or absent: `disk.c`, compiled and mounted here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Requests that may wait for the disk at a time: more than the server lets wait.
const THREADS: usize = 64;

/// A mounted disk; unmounted when dropped.
pub struct Disk {
    program: PathBuf,
    folder: PathBuf,
    control: PathBuf,
    mountpoint: PathBuf,
    process: Child,
}

impl Disk {
    /// Shows a folder at `disk` beside it.
    ///
    /// # Errors
    /// Why there can be no such disk on this machine.
    pub fn mount(work: &Path, folder: &Path) -> Result<Disk, String> {
        let program = work.join("disk-program");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/streams/disk.c");
        let flags = output(Command::new("pkg-config").args(["fuse3", "--cflags", "--libs"]))?;
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-Wall", "-o"]).args([&program, &source]);
        output(compiler.args(flags.split_whitespace()))?;
        let (control, mountpoint) = (work.join("state"), work.join("disk"));
        fs::create_dir_all(&mountpoint).expect("a folder");
        fs::write(&control, "well").expect("a state");
        let process = serve(&program, folder, &control, &mountpoint)?;
        Ok(Disk { program, folder: folder.to_owned(), control, mountpoint, process })
    }

    /// Where the disk is to be seen.
    pub fn path(&self) -> &Path {
        &self.mountpoint
    }

    /// Makes it `well`, `slow MILLISECONDS`, `hang` or `fail`.
    pub fn be(&self, state: &str) {
        let new = self.control.with_extension("new");
        fs::write(&new, state).expect("a state");
        fs::rename(new, &self.control).expect("a state");
    }

    /// Pulls it out.
    pub fn vanish(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Puts it back in.
    pub fn come_back(&mut self) {
        unmount(&self.mountpoint);
        self.process = serve(&self.program, &self.folder, &self.control, &self.mountpoint)
            .expect("a disk as before");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.mountpoint);
        self.vanish();
    }
}

fn serve(program: &Path, folder: &Path, control: &Path, at: &Path) -> Result<Child, String> {
    let threads = format!("max_threads={THREADS}");
    let mut process = Command::new(program)
        .args([folder, control, at])
        .args(["-f", "-o", &threads])
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the disk does not start: {error}"))?;
    let (end, probe) = (Instant::now() + Duration::from_secs(10), at.join("000.wav"));
    while fs::metadata(&probe).is_err() {
        let ended = process.try_wait().expect("a state").is_some();
        if ended || Instant::now() > end {
            let _ = process.kill();
            let _ = process.wait();
            return Err("FUSE cannot be mounted here (it takes root and /dev/fuse)".to_owned());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(process)
}

/// Takes the mountpoint away even while files on it are open.
fn unmount(mountpoint: &Path) {
    let _ = Command::new("umount").arg("-l").arg(mountpoint).stderr(Stdio::null()).status();
}

/// What a command prints.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
