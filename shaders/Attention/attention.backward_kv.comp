#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant address -DBY_ADDRESS
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t qkvAddress, doutAddress;
#endif
#include "../Shared/storage.glsl"
#include "attention.glsl"
// dv = P^T dout, dk = dS^T q * scale (see attention.backward_q). A lane owns keys and walks over the queries, so that no two lanes add
// to one place: no atomics, one order.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };                // [B, N, 3, H, D]
#ifndef SCALARS_ALONE
layout(binding = 0) readonly buffer Qkv4 { vec4 qkv4[]; };
#endif
layout(binding = 1) readonly buffer LogSumExp { float logSumExp[]; };    // [B, H, N]
layout(binding = 2) readonly buffer Delta { float delta[]; };            // [B, H, N]
#ifdef BY_ADDRESS
#define DQKV_BINDING 3  // dout comes by its address alone
#else
#define DQKV_BINDING 4
layout(binding = 3) readonly buffer Dout { ELEMENT dout[]; };              // [B, N, H, D]
#ifndef SCALARS_ALONE
layout(binding = 3) readonly buffer Dout4 { vec4 dout4[]; };
#endif
#endif
layout(binding = DQKV_BINDING) buffer Dqkv { ELEMENT dqkv[]; };            // [B, N, 3, H, D], the parts of k and v
#ifndef SCALARS_ALONE
layout(binding = DQKV_BINDING) buffer Dqkv4 { vec4 dqkv4[]; };
#endif

void main()
{
    float k[OWN][D], v[OWN][D], dk[OWN][D], dv[OWN][D];
    [[unroll]] for (uint j = 0; j < OWN; j++)
    {
        uint row = min(ownToken(j), N - 1);
        LOAD_OWN(k[j], qkv, packedAt(row, 1));
        LOAD_OWN(v[j], qkv, packedAt(row, 2));
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            k[j][d] *= scale;
            dk[j][d] = 0;
            dv[j][d] = 0;
        }
    }
    for (uint first = 0; first < N; first += OTHERS)
    {
        OTHER_ROWS(q);
        OTHER_ROWS(g);
        [[unroll]] for (uint i = 0; i < OTHERS; i++)
        {
            LOAD_OTHER(q[i], qkv, packedAt(min(first + i, N - 1), 0));
            LOAD_OTHER(g[i], dout, headAt(min(first + i, N - 1)));
        }
        float p[OTHERS][OWN], ds[OTHERS][OWN];
        DOTS(p, k, q)
        DOTS(ds, v, g)
        [[unroll]] for (uint i = 0; i < OTHERS; i++)
        {
            uint statistic = statisticAt(min(first + i, N - 1));
            float queryLogSumExp = logSumExp[statistic], queryDelta = delta[statistic];
            [[unroll]] for (uint j = 0; j < OWN; j++)
            {
                p[i][j] = first + i < N ? exp(p[i][j] - queryLogSumExp) : 0;
                ds[i][j] = p[i][j] * (ds[i][j] - queryDelta);
            }
        }
        ADD_PRODUCTS(dv, p, g)
        ADD_PRODUCTS(dk, ds, q)
    }
    [[unroll]] for (uint j = 0; j < OWN; j++)
    {
        uint token = ownToken(j);
        if (token < N)
        {
            [[unroll]] for (uint d = 0; d < D; d++)
                dk[j][d] *= scale;
            STORE_OWN(dqkv, packedAt(token, 1), dk[j], ADDED_TO(dqkv, packedAt(token, 1)))
            STORE_OWN(dqkv, packedAt(token, 2), dv[j], ADDED_TO(dqkv, packedAt(token, 2)))
        }
    }
}
