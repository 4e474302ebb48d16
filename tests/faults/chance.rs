//! Numbers by chance that are the same in every run with the same `FAULTS_SEED`.

/// A sequence of numbers.
pub struct Chance(u64);

impl Chance {
    /// That of the variable, else always the same one; `of` keeps tests apart.
    pub fn new(of: u64) -> Chance {
        let seed = std::env::var("FAULTS_SEED").ok().and_then(|seed| seed.parse().ok());
        Chance(seed.unwrap_or(1_u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ of)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
