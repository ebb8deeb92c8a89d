//! The checksum of Stellar's and TON's addresses.

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_checksum_of_the_catalogues() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }
}
