// What the backward passes share; dqkv has to be declared before.

// P from a score, at most 1 but for rounding. That of an own row past the end may be infinite and is never stored.
vec4 probability(vec4 score, vec4 statistic) { return exp(score * scale - statistic); }

// With what is there, where a gradient is added to another.
Eight added(Eight x, uint place)
{
    if (accumulate == 0)
        return x;
    Eight before = unpack(dqkv[place]);
    return Eight(before.low + x.low, before.high + x.high);
}
