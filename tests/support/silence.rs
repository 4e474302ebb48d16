//! A song for tests of the whole program, longer than the buffers of a connection.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Bytes of its sound.
pub const SOUND: u32 = 64 << 20;

/// Writes a WAV file of silence; it takes no space on the disk.
pub fn write(path: &Path) {
    let mut head = b"RIFF".to_vec();
    head.extend((SOUND + 36).to_le_bytes());
    head.extend(b"WAVEfmt ");
    for (number, bytes) in [(16, 4), (1, 2), (2, 2), (44_100, 4), (176_400, 4), (4, 2), (16, 2)] {
        head.extend(&u32::to_le_bytes(number)[..bytes]);
    }
    head.extend(b"data");
    head.extend(SOUND.to_le_bytes());
    let mut file = File::create(path).unwrap();
    file.write_all(&head).unwrap();
    file.set_len(head.len() as u64 + u64::from(SOUND)).unwrap();
}
