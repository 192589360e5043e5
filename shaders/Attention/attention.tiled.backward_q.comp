#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#define OWN_TILES 2
#define OVER_ROWS
#include "attention.tiled.glsl"
// dq = dS k * scale (see attention.backward_q), for ROWS queries and BLOCK keys at a time; leaves delta for the pass over keys.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };           // [B, N, 3, H, D]
layout(binding = 0) readonly buffer Qkv4 { ELEMENT4 qkv4[]; };
layout(binding = 1) readonly buffer Out { ELEMENT result[]; };        // [B, N, H, D]
layout(binding = 1) readonly buffer Out4 { ELEMENT4 result4[]; };
layout(binding = 2) readonly buffer LogSumExp { float logSumExp[]; }; // [B, H, N]
layout(binding = 3) readonly buffer Dout { ELEMENT dout[]; };         // [B, N, H, D]
layout(binding = 3) readonly buffer Dout4 { ELEMENT4 dout4[]; };
layout(binding = 4) writeonly buffer Delta { float delta[]; };        // [B, H, N]
layout(binding = 5) buffer Dqkv { ELEMENT dqkv[]; };                  // [B, N, 3, H, D], the part of q
layout(binding = 5) buffer Dqkv4 { ELEMENT4 dqkv4[]; };
DECLARE_PART(qkv)
DECLARE_PART(result)
DECLARE_PART(dout)
DECLARE_PART(dqkv)

void main()
{
    STAGE_OWN(0, scale, qkv, packedAt(token, 0))
    STAGE_OWN(1, 1, dout, headAt(token))
    vec4 dq[OWN][DX];
    float ownDelta[OWN], ownLogSumExp[OWN];
    [[unroll]] for (uint i = 0; i < OWN; i++)
    {
        uint token = min(tokenOf(i), N - 1);
        vec4 total = vec4(0);
        [[unroll]] for (uint j = 0; j < DX; j++)
        {
            if (hasPart(j))
                total += resultPart(headAt(token), partOf(j)) * doutPart(headAt(token), partOf(j));
            dq[i][j] = vec4(0);
        }
        ownDelta[i] = sumOf(total);
        ownLogSumExp[i] = logSumExp[statisticAt(token)];
    }
    putValues(ownDelta);
    [[unroll]] for (uint i = 0; i < OWN; i++)
    {
        ownDelta[i] = rowSum(i);
        if (tokenOf(i) < N && lane() == 0)
            delta[statisticAt(tokenOf(i))] = ownDelta[i];
    }
    for (uint first = 0; first < N; first += BLOCK)
    {
        barrier();
        STAGE_BLOCK(0, first, qkv, packedAt(token, 1))
        STAGE_BLOCK(1, first, qkv, packedAt(token, 2))
        barrier();
        vec4 ds[OWN], dp[OWN];
        multiplyTransposed(ds, 0, 0);
        multiplyTransposed(dp, 1, 1);
        bvec4 isKey = inside(columns(first));
        [[unroll]] for (uint i = 0; i < OWN; i++)
            ds[i] = mix(vec4(0), exp(ds[i] - ownLogSumExp[i]) * (dp[i] - ownDelta[i]), isKey);
        putWeights(ds);
        addProduct(dq, 0);
    }
    [[unroll]] for (uint i = 0; i < OWN; i++)
    {
        uint token = tokenOf(i);
        [[unroll]] for (uint j = 0; j < DX; j++)
            if (token < N && hasPart(j))
            {
                vec4 four = dq[i][j] * scale;
                if (accumulate != 0)
                    four += dqkvPart(packedAt(token, 0), partOf(j));
                STORE_PART(dqkv, packedAt(token, 0), partOf(j), four);
            }
    }
}
