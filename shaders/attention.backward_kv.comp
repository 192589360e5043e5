#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "storage.glsl"
#include "attention.glsl"
// dv = P^T dout, dk = dS^T q * scale (see attention.backward_q). A lane owns a key and walks over the queries, so that no two lanes add
// to one place: no atomics, one order.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };                // [B, N, 3, H, D]
layout(binding = 1) readonly buffer LogSumExp { float logSumExp[]; };    // [B, H, N]
layout(binding = 2) readonly buffer Delta { float delta[]; };            // [B, H, N]
layout(binding = 3) readonly buffer Dout { ELEMENT dout[]; };              // [B, N, H, D]
layout(binding = 4) buffer Dqkv { ELEMENT dqkv[]; };                       // [B, N, 3, H, D], the parts of k and v

void main()
{
    uint token = ownToken(), row = min(token, N - 1);
    float k[D], v[D], dk[D], dv[D];
    LOAD_OWN(k, qkv, packedAt(row, 1));
    LOAD_OWN(v, qkv, packedAt(row, 2));
    [[unroll]] for (uint d = 0; d < D; d++)
    {
        k[d] *= scale;
        dk[d] = 0;
        dv[d] = 0;
    }
    for (uint query = 0; query < N; query++)
    {
        float q[PARTS], g[PARTS];
        LOAD_PARTS(q, qkv, packedAt(query, 0));
        LOAD_PARTS(g, dout, headAt(query));
        float score = 0, dp = 0;
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            score += k[d] * VALUE(q, d);
            dp += v[d] * VALUE(g, d);
        }
        float p = exp(score - logSumExp[statisticAt(query)]);
        float ds = p * (dp - delta[statisticAt(query)]);
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            dv[d] += p * VALUE(g, d);
            dk[d] += ds * VALUE(q, d);
        }
    }
    if (token < N)
    {
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            uint atK = packedAt(token, 1) + d, atV = packedAt(token, 2) + d;
            dqkv[atK] = STORE((accumulate != 0 ? LOAD(dqkv[atK]) : 0) + dk[d] * scale);
            dqkv[atV] = STORE((accumulate != 0 ? LOAD(dqkv[atV]) : 0) + dv[d]);
        }
    }
}
