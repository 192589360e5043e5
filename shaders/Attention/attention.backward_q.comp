#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant address -DBY_ADDRESS
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t qkvAddress;
#endif
#include "../Shared/storage.glsl"
#include "attention.glsl"
// With P = exp(q k^T * scale - logSumExp): delta = sum(dout * out), dS = P * (dout v^T - delta), dq = dS k * scale.
// A lane owns queries and walks over the keys; it also leaves delta for the pass over keys.
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
    float q[OWN][D], g[OWN][D], dq[OWN][D], ownDelta[OWN], ownLogSumExp[OWN];
    [[unroll]] for (uint j = 0; j < OWN; j++)
    {
        uint row = min(ownToken(j), N - 1);
        LOAD_OWN(q[j], qkv, packedAt(row, 0));
        LOAD_OWN(g[j], dout, headAt(row));
        LOAD_OWN(dq[j], result, headAt(row));
        ownDelta[j] = 0;
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            q[j][d] *= scale;
            ownDelta[j] += g[j][d] * dq[j][d];
            dq[j][d] = 0;
        }
        ownLogSumExp[j] = logSumExp[statisticAt(row)];
    }
    for (uint first = 0; first < N; first += OTHERS)
    {
        OTHER_ROWS(k);
        OTHER_ROWS(v);
        [[unroll]] for (uint i = 0; i < OTHERS; i++)
        {
            LOAD_OTHER(k[i], qkv, packedAt(min(first + i, N - 1), 1));
            LOAD_OTHER(v[i], qkv, packedAt(min(first + i, N - 1), 2));
        }
        float ds[OTHERS][OWN], dp[OTHERS][OWN];
        DOTS(ds, q, k)
        DOTS(dp, g, v)
        [[unroll]] for (uint j = 0; j < OWN; j++)
            [[unroll]] for (uint i = 0; i < OTHERS; i++)
            {
                float p = exp(ds[i][j] - ownLogSumExp[j]);
                ds[i][j] = first + i < N ? p * (dp[i][j] - ownDelta[j]) : 0;
            }
        ADD_PRODUCTS(dq, ds, k)
    }
    [[unroll]] for (uint j = 0; j < OWN; j++)
    {
        uint token = ownToken(j);
        if (token < N)
        {
            [[unroll]] for (uint d = 0; d < D; d++)
                dq[j][d] *= scale;
            STORE_OWN(dqkv, packedAt(token, 0), dq[j], ADDED_TO(dqkv, packedAt(token, 0)))
            delta[statisticAt(token)] = ownDelta[j];
        }
    }
}
