//! The link of a share as a QR code, in SVG.

use std::fmt::Write;

use qrcodegen::{DataTooLong, QrCode, QrCodeEcc};

use super::markup::escape;

/// The content type.
pub const CONTENT_TYPE: &str = "image/svg+xml";

/// Light modules around the code, as ISO 18004 wants them.
const QUIET: i32 = 4;

/// The code of an address: dark on light in a dark page too, since readers need it so.
///
/// # Errors
/// An address of more than about 2,300 bytes.
pub fn svg(address: &str) -> Result<String, DataTooLong> {
    let code = QrCode::encode_text(address, QrCodeEcc::Medium)?;
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let length = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let length = i32::try_from(length).unwrap_or(1);
            if length > 0 {
                // Writing to a String cannot fail.
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + QUIET, y + QUIET);
            }
            x += length + 1;
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" \
         aria-labelledby=\"title\" shape-rendering=\"crispEdges\">\
         <title id=\"title\">QR code: {}</title>\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>\n",
        escape(address)
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::markup::tests::texts;
    use super::*;
    use proptest::prelude::*;

    /// Draws the second path of a code: which modules are dark.
    fn modules(svg: &str) -> Vec<Vec<bool>> {
        let side: usize =
            svg.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let mut dark = vec![vec![false; side]; side];
        let path = svg.rsplit("<path d=\"").next().unwrap().split('"').next().unwrap();
        for run in path.split('M').skip(1) {
            let numbers: Vec<usize> =
                run.split([' ', 'h', 'v']).take(3).map(|part| part.parse().unwrap()).collect();
            for module in &mut dark[numbers[1]][numbers[0]..numbers[0] + numbers[2]] {
                *module = true;
            }
        }
        dark
    }

    proptest! {
        #[test]
        fn the_path_draws_the_code(address in "https://[a-z.&<\"]{1,40}/share/[A-Za-z0-9]{16}") {
            let svg = svg(&address).unwrap();
            let title = format!("QR code: {address}");
            prop_assert!(texts(&svg).contains(&title));
            let (drawn, code) = (modules(&svg), QrCode::encode_text(&address, QrCodeEcc::Medium).unwrap());
            for (y, row) in (-QUIET..).zip(&drawn) {
                for (x, dark) in (-QUIET..).zip(row) {
                    prop_assert_eq!(*dark, code.get_module(x, y));
                }
            }
        }
    }

    #[test]
    fn what_is_too_long_is_an_error() {
        assert!(svg(&"x".repeat(3_000)).is_err());
    }
}
