#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#define OWN_TILES 2
#include "attention.tiled.glsl"
// dv = P^T dout, dk = dS^T q * scale (see attention.backward_q), for ROWS keys and BLOCK queries at a time: weights are P^T and dS^T.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };           // [B, N, 3, H, D]
layout(binding = 0) readonly buffer Qkv4 { ELEMENT4 qkv4[]; };
layout(binding = 1) readonly buffer LogSumExp { float logSumExp[]; }; // [B, H, N]
layout(binding = 2) readonly buffer Delta { float delta[]; };         // [B, H, N]
layout(binding = 3) readonly buffer Dout { ELEMENT dout[]; };         // [B, N, H, D]
layout(binding = 3) readonly buffer Dout4 { ELEMENT4 dout4[]; };
layout(binding = 4) buffer Dqkv { ELEMENT dqkv[]; };                  // [B, N, 3, H, D], the parts of k and v
layout(binding = 4) buffer Dqkv4 { ELEMENT4 dqkv4[]; };
DECLARE_PART(qkv)
DECLARE_PART(dout)
DECLARE_PART(dqkv)

#define STORE_ROWS(part, sum, factor) \
    [[unroll]] for (uint i = 0; i < OWN; i++) { \
        uint token = tokenOf(i); \
        [[unroll]] for (uint j = 0; j < DX; j++) \
            if (token < N && hasPart(j)) { \
                vec4 four = sum[i][j] * (factor); \
                if (accumulate != 0) \
                    four += dqkvPart(packedAt(token, part), partOf(j)); \
                STORE_PART(dqkv, packedAt(token, part), partOf(j), four); \
            } \
    }

void main()
{
    STAGE_OWN(0, scale, qkv, packedAt(token, 1))
    STAGE_OWN(1, 1, qkv, packedAt(token, 2))
    vec4 dk[OWN][DX], dv[OWN][DX];
    [[unroll]] for (uint i = 0; i < OWN; i++)
        [[unroll]] for (uint j = 0; j < DX; j++)
        {
            dk[i][j] = vec4(0);
            dv[i][j] = vec4(0);
        }
    for (uint first = 0; first < N; first += BLOCK)
    {
        barrier();
        STAGE_BLOCK(0, first, qkv, packedAt(token, 0))
        STAGE_BLOCK(1, first, dout, headAt(token))
        vec4 queryLogSumExp, queryDelta;
        uvec4 queries = columns(first);
        [[unroll]] for (uint c = 0; c < 4; c++)
        {
            uint statistic = statisticAt(min(queries[c], N - 1));
            queryLogSumExp[c] = logSumExp[statistic];
            queryDelta[c] = delta[statistic];
        }
        barrier();
        vec4 p[OWN], ds[OWN];
        multiplyTransposed(p, 0, 0);
        // A query past the end adds nothing.
        [[unroll]] for (uint i = 0; i < OWN; i++)
            p[i] = mix(vec4(0), exp(p[i] - queryLogSumExp), inside(queries));
        putWeights(p);
        addProduct(dv, 1);
        multiplyTransposed(ds, 1, 1);
        [[unroll]] for (uint i = 0; i < OWN; i++)
            ds[i] = p[i] * (ds[i] - queryDelta);
        barrier();
        putWeights(ds);
        addProduct(dk, 0);
    }
    STORE_ROWS(1, dk, scale)
    STORE_ROWS(2, dv, 1)
}
