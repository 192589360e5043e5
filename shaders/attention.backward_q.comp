#version 460
#extension GL_GOOGLE_include_directive : require
#include "attention.glsl"
// With P = exp(q k^T * scale - logSumExp): delta = sum(dout * out), dS = P * (dout v^T - delta), dq = dS k * scale.
// A lane owns a query and walks over the keys; it also leaves delta for the pass over keys.
layout(binding = 0) readonly buffer Qkv { float qkv[]; };                // [B, N, 3, H, D]
layout(binding = 0) readonly buffer Qkv4 { vec4 qkv4[]; };
layout(binding = 1) readonly buffer Out { float result[]; };             // [B, N, H, D]
layout(binding = 1) readonly buffer Out4 { vec4 result4[]; };
layout(binding = 2) readonly buffer LogSumExp { float logSumExp[]; };    // [B, H, N]
layout(binding = 3) readonly buffer Dout { float dout[]; };              // [B, N, H, D]
layout(binding = 3) readonly buffer Dout4 { vec4 dout4[]; };
layout(binding = 4) writeonly buffer Delta { float delta[]; };           // [B, H, N]
layout(binding = 5) buffer Dqkv { float dqkv[]; };                       // [B, N, 3, H, D], the part of q
layout(binding = 5) buffer Dqkv4 { vec4 dqkv4[]; };

void main()
{
    uint token = ownToken(), row = min(token, N - 1);
    float q[D], g[D], dq[D];
    LOAD_OWN(q, qkv, packedAt(row, 0));
    LOAD_OWN(g, dout, headAt(row));
    LOAD_OWN(dq, result, headAt(row));
    float ownDelta = 0;
    [[unroll]] for (uint d = 0; d < D; d++)
    {
        q[d] *= scale;
        ownDelta += g[d] * dq[d];
        dq[d] = 0;
    }
    float own = logSumExp[statisticAt(row)];
    for (uint key = 0; key < N; key++)
    {
        vec4 k[PARTS], v[PARTS];
        LOAD_PARTS(k, qkv, packedAt(key, 1));
        LOAD_PARTS(v, qkv, packedAt(key, 2));
        vec4 scores = vec4(0), dps = vec4(0);
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            scores[d % 4] += q[d] * VALUE(k, d);
            dps[d % 4] += g[d] * VALUE(v, d);
        }
        float ds = exp(SUM(scores) - own) * (SUM(dps) - ownDelta);
        [[unroll]] for (uint d = 0; d < D; d++)
            dq[d] += ds * VALUE(k, d);
    }
    if (token < N)
    {
        [[unroll]] for (uint d = 0; d < D; d++)
            dq[d] *= scale;
        STORE_OWN(dqkv, packedAt(token, 0), dq, ADDED_TO(dqkv, packedAt(token, 0)))
        delta[statisticAt(token)] = ownDelta;
    }
}
