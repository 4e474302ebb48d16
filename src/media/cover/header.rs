//! What the head of a JPEG tells about the memory its decoder needs.

/// Bytes of the coefficients a decoder keeps for a progressive JPEG: 2 for each sample of each
/// component. 0 for other JPEGs, which are decoded strip by strip.
pub(super) fn coefficients(jpeg: &[u8]) -> u64 {
    frame(jpeg).unwrap_or(0)
}

fn frame(jpeg: &[u8]) -> Option<u64> {
    let mut rest = jpeg.get(2..)?;
    loop {
        let (marker, body) = match rest {
            // Any number of filling bytes may stand before a marker.
            [0xff, 0xff, ..] => {
                rest = rest.get(1..)?;
                continue;
            }
            [0xff, marker, body @ ..] => (*marker, body),
            _ => return None,
        };
        let length = body.first_chunk().map(|length| u16::from_be_bytes(*length))?;
        match marker {
            // SOF2, SOF6, SOF10 and SOF14 are the progressive frames.
            0xc2 | 0xc6 | 0xca | 0xce => return size(body.get(2..)?),
            // The other frames; and the scan, which follows the frame.
            0xc0 | 0xc1 | 0xc3 | 0xc5 | 0xc7 | 0xc9 | 0xcb | 0xcd | 0xcf | 0xda => return None,
            _ => rest = body.get(usize::from(length)..)?,
        }
    }
}

/// The coefficients of a frame: precision, height, width, components with their sampling.
fn size(frame: &[u8]) -> Option<u64> {
    let [_, y1, y2, x1, x2, count, components @ ..] = frame else { return None };
    let pixels =
        u64::from(u16::from_be_bytes([*y1, *y2])) * u64::from(u16::from_be_bytes([*x1, *x2]));
    let sampling: Vec<(u64, u64)> = components
        .chunks_exact(3)
        .take(usize::from(*count))
        .filter_map(|component| component.get(1))
        .map(|factors| (u64::from(factors >> 4), u64::from(factors & 15)))
        .collect();
    let across = sampling.iter().map(|(across, _)| *across).max()?.max(1);
    let down = sampling.iter().map(|(_, down)| *down).max()?.max(1);
    let samples: u64 = sampling.iter().map(|(across, down)| across * down).sum();
    Some(pixels * samples * 2 / (across * down))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A JPEG's head of 1000 x 500 pixels, the first component sampled twice as finely.
    fn head(marker: u8) -> Vec<u8> {
        let mut jpeg = b"\xff\xd8\xff\xe0\0\x06JFIF\xff".to_vec();
        jpeg.extend([0xff, marker, 0, 17, 8, 1, 244, 3, 232, 3]);
        jpeg.extend([1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        jpeg
    }

    #[test]
    fn progressive_pictures_need_their_coefficients() {
        assert_eq!(coefficients(&head(0xc2)), 1000 * 500 * 3 / 2 * 2);
        assert_eq!(coefficients(&head(0xc0)), 0);
        assert_eq!(coefficients(b"\xff\xd8\xff\xc2\0\x11"), 0);
        assert_eq!(coefficients(b""), 0);
    }

    proptest! {
        #[test]
        fn no_head_makes_it_panic(jpeg in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut whole = b"\xff\xd8\xff\xc2".to_vec();
            coefficients(&jpeg);
            whole.extend(jpeg);
            coefficients(&whole);
        }
    }
}
