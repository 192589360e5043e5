#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "storage.glsl"
#include "attention.glsl"
// dv = P^T dout, dk = dS^T q * scale (see attention.backward_q). A lane owns a key and walks over the queries, so that no two lanes add
// to one place: no atomics, one order.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };                // [B, N, 3, H, D]
#ifndef SCALARS_ALONE
layout(binding = 0) readonly buffer Qkv4 { vec4 qkv4[]; };
#endif
layout(binding = 1) readonly buffer LogSumExp { float logSumExp[]; };    // [B, H, N]
layout(binding = 2) readonly buffer Delta { float delta[]; };            // [B, H, N]
layout(binding = 3) readonly buffer Dout { ELEMENT dout[]; };              // [B, N, H, D]
#ifndef SCALARS_ALONE
layout(binding = 3) readonly buffer Dout4 { vec4 dout4[]; };
#endif
layout(binding = 4) buffer Dqkv { ELEMENT dqkv[]; };                       // [B, N, 3, H, D], the parts of k and v
#ifndef SCALARS_ALONE
layout(binding = 4) buffer Dqkv4 { vec4 dqkv4[]; };
#endif

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
        vec4 q[PARTS], g[PARTS];
        LOAD_PARTS(q, qkv, packedAt(query, 0));
        LOAD_PARTS(g, dout, headAt(query));
        vec4 scores = vec4(0), dps = vec4(0);
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            scores[d % 4] += k[d] * VALUE(q, d);
            dps[d % 4] += v[d] * VALUE(g, d);
        }
        float p = exp(SUM(scores) - logSumExp[statisticAt(query)]);
        float ds = p * (SUM(dps) - delta[statisticAt(query)]);
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            dv[d] += p * VALUE(g, d);
            dk[d] += ds * VALUE(q, d);
        }
    }
    if (token < N)
    {
        [[unroll]] for (uint d = 0; d < D; d++)
            dk[d] *= scale;
        STORE_OWN(dqkv, packedAt(token, 1), dk, ADDED_TO(dqkv, packedAt(token, 1)))
        STORE_OWN(dqkv, packedAt(token, 2), dv, ADDED_TO(dqkv, packedAt(token, 2)))
    }
}
