// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four random words that
// depend on nothing but a counter and a key.
uvec4 philox(uvec4 counter, uvec2 key)
{
    for (uint round = 0; round < 10; round++)
    {
        uint high0, low0, high1, low1;
        umulExtended(0xD2511F53u, counter.x, high0, low0);
        umulExtended(0xCD9E8D57u, counter.z, high1, low1);
        counter = uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += uvec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

// A word as a number in [0, 1): 24 bits, so that every value is exact.
float uniformFloat(uint word) { return float(word >> 8) * (1.0 / 16777216.0); }
