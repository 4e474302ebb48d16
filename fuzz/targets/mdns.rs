//! Messages of multicast DNS from anybody on the network: what is read is written the same, and what
//! is answered is a message.

#![no_main]

use kinglet::mdns::{Message, Service};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(message) = Message::read(data) else { return };
    let again = message.write();
    if again.len() <= 9000 {
        assert_eq!(Message::read(&again).as_ref(), Some(&message));
    }
    let service =
        Service { name: "kinglet".into(), port: 4040, path: "/rest".into(), https: false };
    let addresses = [[192, 168, 1, 7].into()];
    service.is_taken(&message, &addresses);
    service.gives_way(&message, &addresses);
    for legacy in [false, true] {
        if let Some((answer, _)) = service.answer(&message, &addresses, legacy) {
            let bytes = answer.write();
            assert_eq!(Message::read(&bytes), Some(answer));
        }
    }
});
