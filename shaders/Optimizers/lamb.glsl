// The direction of LAMB before its trust ratio: u = m / (1 - b1^t) / (sqrt(v) / sqrt(1 - b2^t) + epsilon) + weightDecay * decay * p.
float direction(float p, float m, float v, float correction1, float correction2Sqrt, float epsilon, float decay)
{
    return m / correction1 / (sqrt(v) / correction2Sqrt + epsilon) + decay * p;
}

const uint GRANULE = 64;
const uint CLIPPED = 1, CONDITIONAL = 2, LAYERED = 4;
