#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "storage.glsl"
#include "attention.glsl"
// With P = exp(q k^T * scale - logSumExp): delta = sum(dout * out), dS = P * (dout v^T - delta), dq = dS k * scale.
// A lane owns a query and walks over the keys; it also leaves delta for the pass over keys.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };                // [B, N, 3, H, D]
layout(binding = 1) readonly buffer Out { ELEMENT result[]; };             // [B, N, H, D]
layout(binding = 2) readonly buffer LogSumExp { float logSumExp[]; };    // [B, H, N]
layout(binding = 3) readonly buffer Dout { ELEMENT dout[]; };              // [B, N, H, D]
layout(binding = 4) writeonly buffer Delta { float delta[]; };           // [B, H, N]
layout(binding = 5) buffer Dqkv { ELEMENT dqkv[]; };                       // [B, N, 3, H, D], the part of q

void main()
{
    uint token = ownToken(), row = min(token, N - 1);
    float q[D], g[D], dq[D];
    LOAD_OWN(q, qkv, packedAt(row, 0));
    LOAD_OWN(g, dout, headAt(row));
    float ownDelta = 0;
    [[unroll]] for (uint d = 0; d < D; d++)
    {
        q[d] *= scale;
        dq[d] = 0;
        ownDelta += g[d] * LOAD(result[headAt(row) + d]);
    }
    float own = logSumExp[statisticAt(row)];
    for (uint key = 0; key < N; key++)
    {
        float k[PARTS], v[PARTS];
        LOAD_PARTS(k, qkv, packedAt(key, 1));
        LOAD_PARTS(v, qkv, packedAt(key, 2));
        float score = 0, dp = 0;
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            score += q[d] * VALUE(k, d);
            dp += g[d] * VALUE(v, d);
        }
        float ds = exp(score - own) * (dp - ownDelta);
        [[unroll]] for (uint d = 0; d < D; d++)
            dq[d] += ds * VALUE(k, d);
    }
    if (token < N)
    {
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            uint at = packedAt(token, 0) + d;
            dqkv[at] = STORE((accumulate != 0 ? LOAD(dqkv[at]) : 0) + dq[d] * scale);
        }
        delta[statisticAt(token)] = ownDelta;
    }
}
