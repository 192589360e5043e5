#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "storage.glsl"
#include "attention.glsl"
// With P = exp(q k^T * scale - logSumExp): delta = sum(dout * out), dS = P * (dout v^T - delta), dq = dS k * scale.
// A lane owns a query and walks over the keys; it also leaves delta for the pass over keys.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };                // [B, N, 3, H, D]
#ifndef SCALARS_ALONE
layout(binding = 0) readonly buffer Qkv4 { vec4 qkv4[]; };
#endif
layout(binding = 1) readonly buffer Out { ELEMENT result[]; };             // [B, N, H, D]
#ifndef SCALARS_ALONE
layout(binding = 1) readonly buffer Out4 { vec4 result4[]; };
#endif
layout(binding = 2) readonly buffer LogSumExp { float logSumExp[]; };    // [B, H, N]
layout(binding = 3) readonly buffer Dout { ELEMENT dout[]; };              // [B, N, H, D]
#ifndef SCALARS_ALONE
layout(binding = 3) readonly buffer Dout4 { vec4 dout4[]; };
#endif
layout(binding = 4) writeonly buffer Delta { float delta[]; };           // [B, H, N]
layout(binding = 5) buffer Dqkv { ELEMENT dqkv[]; };                       // [B, N, 3, H, D], the part of q
#ifndef SCALARS_ALONE
layout(binding = 5) buffer Dqkv4 { vec4 dqkv4[]; };
#endif

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
