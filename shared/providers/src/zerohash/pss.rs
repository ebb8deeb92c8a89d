//! Verifies RSASSA-PSS signatures with SHA-256 and a salt of any length [rfc-8017 §8.1.2].
//!
//! The signer chooses the length of the salt: Node.js uses the longest possible one by default, others use 32 bytes.
//! AWS-LC can detect the length, but its Rust API verifies only for a given one. So the length is read from the
//! signature first, and AWS-LC then verifies the signature for that length. All checks are AWS-LC's: if the length that
//! is read here were wrong, AWS-LC would reject the signature.

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, RsaPssSaltLength, RsaPublicKeyComponents};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use crate::jose::Key;

/// The length of a SHA-256 digest.
const DIGEST_BYTES: usize = 32;

/// Whether `key`, an RSA key of 2,048 to 8,192 bits, made `signature` over `message`.
pub(super) fn verifies(key: &Key, message: &[u8], signature: &[u8]) -> bool {
    let components = key.rsa_components().map(|(n, e)| RsaPublicKeyComponents { n, e });
    components.is_some_and(|key| made(&key, message, signature))
}

fn made(key: &RsaPublicKeyComponents<&[u8]>, message: &[u8], signature: &[u8]) -> bool {
    let length = salt_length(key, signature).map(RsaPssSaltLength::Custom);
    let parameters = length.map(|length| RSA_PSS_2048_8192_SHA256.with_pss_salt_length(length));
    parameters.is_some_and(|parameters| key.verify(&parameters, message, signature).is_ok())
}

/// The length of the salt in the block that was signed; `None` if it cannot be such a block [rfc-8017 §9.1.2]:
///
/// ```text
/// maskedDB: the mask of the digest over 00 … 00 01 salt | digest | bc
/// ```
fn salt_length(key: &RsaPublicKeyComponents<&[u8]>, signature: &[u8]) -> Option<u16> {
    let modulus = BigUint::from_bytes_be(key.n);
    // The block is one bit shorter than the modulus, and in whole bytes it may have unused bits before it.
    let bits = usize::try_from(modulus.bits()).ok()?.checked_sub(1)?;
    let length = bits.div_ceil(8);
    let unused = length * 8 - bits;
    let block = BigUint::from_bytes_be(signature).modpow(&BigUint::from_bytes_be(key.e), &modulus).to_bytes_be();
    let block = [vec![0; length.checked_sub(block.len())?], block].concat();

    let (masked, digest_and_trailer) = block.split_at_checked(length.checked_sub(DIGEST_BYTES + 1)?)?;
    let mask = mask(&digest_and_trailer[..DIGEST_BYTES], masked.len());
    let mut data: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    *data.first_mut()? &= 0xff >> unused;
    let separator = data.iter().position(|byte| *byte != 0)?;
    u16::try_from(data.len() - separator - 1).ok()
}

/// The mask generation function MGF1 with SHA-256 [rfc-8017 §B.2.1].
fn mask(seed: &[u8], length: usize) -> Vec<u8> {
    let block = |counter: u32| Sha256::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
    (0..).flat_map(block).take(length).collect()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RSA_PSS_SHA384, RsaEncoding, RsaKeyPair,
    };

    use super::*;

    const MESSAGE: &[u8] = br#"{"fund_id":"1"}1760484866123"#;
    const PUBLIC_EXPONENT: u32 = 65_537;

    fn components(key: &RsaKeyPair) -> RsaPublicKeyComponents<Vec<u8>> {
        RsaPublicKeyComponents::from(key.public_key())
    }

    /// AWS-LC's signature over [`MESSAGE`].
    fn signed(key: &RsaKeyPair, padding: &'static dyn RsaEncoding) -> Vec<u8> {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(padding, &SystemRandom::new(), MESSAGE, &mut signature).expect("the key signs");
        signature
    }

    /// Whether [`made`] accepts `signature` over [`MESSAGE`].
    fn accepted(key: &RsaPublicKeyComponents<Vec<u8>>, signature: &[u8]) -> bool {
        made(&RsaPublicKeyComponents { n: key.n.as_slice(), e: key.e.as_slice() }, MESSAGE, signature)
    }

    /// A key whose modulus is the product of Mersenne primes `2^k - 1`, and so has as many bits as the sum of all `k`.
    /// Keys of every length are made in an instant. They are useless outside tests.
    struct MersenneKey {
        public: RsaPublicKeyComponents<Vec<u8>>,
        modulus: BigUint,
        private_exponent: BigUint,
        bits: usize,
    }

    impl MersenneKey {
        fn new(exponents: &[usize]) -> Self {
            let one = BigUint::from(1_u8);
            let primes = || exponents.iter().map(|k| (&one << *k) - &one);
            let modulus: BigUint = primes().product();
            let totient: BigUint = primes().map(|prime| prime - &one).product();
            let private_exponent = BigUint::from(PUBLIC_EXPONENT).modinv(&totient).expect("the exponent is coprime");
            let e = BigUint::from(PUBLIC_EXPONENT).to_bytes_be();
            let public = RsaPublicKeyComponents { n: modulus.to_bytes_be(), e };
            Self { public, modulus, private_exponent, bits: exponents.iter().sum() }
        }

        /// The length of a block in bytes.
        fn block_bytes(&self) -> usize {
            (self.bits - 1).div_ceil(8)
        }

        /// The length of the longest salt.
        fn longest(&self) -> usize {
            self.block_bytes() - DIGEST_BYTES - 2
        }

        /// The signature whose block is `block`.
        fn signing(&self, block: &[u8]) -> Vec<u8> {
            let block = BigUint::from_bytes_be(block);
            assert!(block < self.modulus, "the block can be signed");
            let signature = block.modpow(&self.private_exponent, &self.modulus).to_bytes_be();
            [vec![0; self.bits.div_ceil(8) - signature.len()], signature].concat()
        }
    }

    /// The parts of a block before the mask is applied.
    struct Block {
        padding: Vec<u8>,
        salt: Vec<u8>,
        digest: Vec<u8>,
        trailer: u8,
        /// Bits that are set before the block.
        leading: BigUint,
    }

    impl Block {
        /// The block for [`MESSAGE`] with a salt of `salt_bytes` bytes [rfc-8017 §9.1.1].
        fn new(key: &MersenneKey, salt_bytes: usize) -> Self {
            let salt: Vec<u8> = (1..=u8::MAX).cycle().take(salt_bytes).collect();
            let digest = Sha256::new().chain_update([0; 8]).chain_update(Sha256::digest(MESSAGE)).chain_update(&salt);
            let mut padding = vec![0; key.longest() - salt_bytes];
            padding.push(1);
            Self { padding, salt, digest: digest.finalize().to_vec(), trailer: 0xbc, leading: BigUint::ZERO }
        }

        fn signed_with(&self, key: &MersenneKey) -> Vec<u8> {
            let data = [self.padding.as_slice(), &self.salt].concat();
            let mask = mask(&self.digest, data.len());
            let mut masked: Vec<u8> = data.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
            masked[0] &= 0xff >> (key.block_bytes() * 8 - (key.bits - 1));
            let block = BigUint::from_bytes_be(&[masked.as_slice(), &self.digest, &[self.trailer]].concat());
            key.signing(&(block | &self.leading).to_bytes_be())
        }
    }

    /// What makes a block invalid.
    type Fault = fn(&mut Block, &MersenneKey);

    /// The Mersenne exponents of keys of 2,048 to 2,056 bits: each number of unused bits in the first byte of a block.
    const EVERY_LENGTH_IN_BITS: [&[usize]; 9] = [
        &[13, 19, 89, 127, 521, 1279],
        &[13, 61, 89, 607, 1279],
        &[5, 13, 19, 127, 607, 1279],
        &[17, 107, 127, 521, 1279],
        &[17, 19, 89, 127, 521, 1279],
        &[17, 61, 89, 607, 1279],
        &[61, 107, 607, 1279],
        &[19, 61, 89, 607, 1279],
        &[13, 19, 31, 107, 607, 1279],
    ];

    /// A key of 2,048 bits, and one of 2,049 bits, whose blocks are a byte shorter than its signatures.
    fn keys() -> [MersenneKey; 2] {
        [MersenneKey::new(EVERY_LENGTH_IN_BITS[0]), MersenneKey::new(EVERY_LENGTH_IN_BITS[1])]
    }

    #[test]
    fn a_salt_of_any_length_verifies() {
        for (size, longest) in [(KeySize::Rsa2048, 222), (KeySize::Rsa3072, 350)] {
            let key = RsaKeyPair::generate(size).expect("a key is generated");
            let public = components(&key);
            for length in [0, 1, 20, 31, 32, 33, 64, longest - 1, longest] {
                let padding = RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(length));
                let signature = signed(&key, Box::leak(Box::new(padding)));
                assert!(accepted(&public, &signature), "{size:?}, a salt of {length} bytes");
            }
        }
    }

    #[test]
    fn keys_of_every_length_in_bits_verify() {
        for (exponents, bits) in EVERY_LENGTH_IN_BITS.into_iter().zip(2048..) {
            let key = MersenneKey::new(exponents);
            assert_eq!((key.modulus.bits(), key.bits), (bits, exponents.iter().sum()));
            for salt in [0, 32, key.longest()] {
                let signature = Block::new(&key, salt).signed_with(&key);
                assert!(accepted(&key.public, &signature), "{bits} bits, a salt of {salt} bytes");
            }
        }
    }

    #[test]
    fn a_block_with_any_fault_is_rejected() {
        let faults: [(&str, Fault); 11] = [
            ("another trailer", |block, _| block.trailer = 0xbd),
            ("the trailer of another hash", |block, _| block.trailer = 0xcc),
            ("padding that is not zero", |block, _| block.padding[1] = 1),
            ("a bit in the first byte of the padding", |block, _| block.padding[0] = 1),
            ("another separator", |block, _| *block.padding.last_mut().expect("a separator") = 2),
            ("no separator", |block, _| *block.padding.last_mut().expect("a separator") = 0),
            ("neither separator nor salt", |block, _| {
                block.padding.fill(0);
                block.salt.fill(0);
            }),
            ("a changed bit at the start of the salt", |block, _| block.salt[0] ^= 0x80),
            ("a changed bit at the end of the salt", |block, _| block.salt[19] ^= 1),
            ("a changed bit of the digest", |block, _| block.digest[31] ^= 1),
            ("a bit before the block", |block, key| block.leading = BigUint::from(1_u8) << (key.bits - 1)),
        ];
        for key in keys() {
            assert!(accepted(&key.public, &Block::new(&key, 20).signed_with(&key)), "without a fault");
            for (what, introduce) in faults {
                let mut block = Block::new(&key, 20);
                introduce(&mut block, &key);
                assert!(!accepted(&key.public, &block.signed_with(&key)), "{} bits: {what}", key.bits);
            }
        }
    }

    #[test]
    fn a_signature_of_another_form_is_rejected() {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key is generated");
        let (public, good) = (components(&key), signed(&key, &RSA_PSS_SHA256));
        assert!(accepted(&public, &good));
        let another_key = components(&RsaKeyPair::generate(KeySize::Rsa2048).expect("a key is generated"));
        assert!(!accepted(&another_key, &good), "another key");
        let another_message = RsaPublicKeyComponents { n: public.n.as_slice(), e: public.e.as_slice() };
        assert!(!made(&another_message, b"another message", &good), "another message");
        for (what, signature) in [
            ("PKCS#1", signed(&key, &RSA_PKCS1_SHA256)),
            ("PSS with another hash", signed(&key, &RSA_PSS_SHA384)),
            ("empty", Vec::new()),
            ("truncated", good[..255].to_vec()),
            ("a zero byte before it", [&[0], good.as_slice()].concat()),
            ("a zero byte after it", [good.as_slice(), &[0]].concat()),
            ("zero", vec![0; 256]),
            ("one", [vec![0; 255], vec![1]].concat()),
            ("the modulus", public.n.clone()),
            ("larger than the modulus", vec![0xff; 256]),
            ("larger than the modulus by itself", {
                (BigUint::from_bytes_be(&good) + BigUint::from_bytes_be(&public.n)).to_bytes_be()
            }),
        ] {
            assert!(!accepted(&public, &signature), "{what}");
        }
        for index in 0..good.len() {
            let mut changed = good.clone();
            changed[index] ^= 1;
            assert!(!accepted(&public, &changed), "byte {index} is changed");
        }
    }

    #[test]
    fn a_key_outside_the_limits_verifies_nothing() {
        for exponents in [&[13, 107, 127, 521, 1279][..], &[13, 19, 521, 3217, 4423]] {
            let key = MersenneKey::new(exponents);
            let signature = Block::new(&key, 32).signed_with(&key);
            let public = RsaPublicKeyComponents { n: key.public.n.as_slice(), e: key.public.e.as_slice() };
            assert_eq!(salt_length(&public, &signature), Some(32), "{} bits: the block is sound", key.bits);
            assert!(!accepted(&key.public, &signature), "{} bits", key.bits);
        }
    }

    #[test]
    fn components_that_are_not_an_rsa_key_verify_nothing() {
        for n in [&[][..], &[0], &[1], &[0xff; 32], &[0xff; 34]] {
            assert!(!made(&RsaPublicKeyComponents { n, e: &[3] }, MESSAGE, &[0xff; 34]), "{n:?}");
        }
    }
}
