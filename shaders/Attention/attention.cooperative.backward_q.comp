#version 460
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
//! variants only
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "attention.cooperative.glsl"
// dq = dS k * scale (see attention.backward_q), for ROWS queries and BLOCK keys at a time; leaves delta for the pass over keys.
layout(binding = 0) readonly buffer Qkv { uvec4 qkv[]; };             // [B, N, 3, H, D]
layout(binding = 1) readonly buffer Out { uvec4 result[]; };          // [B, N, H, D]
layout(binding = 2) readonly buffer LogSumExp { float logSumExp[]; }; // [B, H, N]
layout(binding = 3) readonly buffer Dout { uvec4 dout[]; };           // [B, N, H, D]
layout(binding = 4) writeonly buffer Delta { float delta[]; };        // [B, H, N]
layout(binding = 5) buffer Dqkv { uvec4 dqkv[]; };                    // [B, N, 3, H, D], the part of q
#include "attention.cooperative.backward.glsl"

void main()
{
    OWN q[RF][DK], g[RF][DK];
    LOAD_OWN(q, qkv, packedAt(token, 0))
    LOAD_OWN(g, dout, headAt(token))
    SUMS dq[RF][DN];
    [[unroll]] for (uint i = 0; i < RF; i++)
        [[unroll]] for (uint j = 0; j < DN; j++)
            dq[i][j] = SUMS(0.0);
    float ownDelta[PASSES], ownLogSumExp[PASSES];
    [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
    {
        uint own = row0() + rowOf(pass), token = min(own, N - 1);
        vec4 total = vec4(0);
        for (uint part = gl_SubgroupInvocationID % LANES_OF_ROW; part < D / V; part += LANES_OF_ROW)
        {
            Eight y = unpack(result[headAt(token) / V + part]), dy = unpack(dout[headAt(token) / V + part]);
            total += y.low * dy.low + y.high * dy.high;
        }
        ownDelta[pass] = rowSum((total.x + total.y) + (total.z + total.w));
        ownLogSumExp[pass] = logSumExp[statisticAt(token)];
        if (own < N && gl_SubgroupInvocationID % LANES_OF_ROW == 0)
            delta[statisticAt(own)] = ownDelta[pass];
    }
    for (uint first = 0; first < N; first += BLOCK)
    {
        barrier();
        LOAD_STAGE(0, first, qkv, packedAt(token, 1))
        LOAD_STAGE(1, first, qkv, packedAt(token, 2))
        barrier();
        multiplyTransposed(q, 0);
        Eight weights[PASSES][RUNS];
        [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
            [[unroll]] for (uint run = 0; run < RUNS; run++)
            {
                uint column = columnOf(run), key = first + column;
                Eight x = scoresAt(pass, column);
                x = Eight(probability(x.low, vec4(ownLogSumExp[pass])), probability(x.high, vec4(ownLogSumExp[pass])));
                weights[pass][run] = Eight(insideOr(0, x.low, key), insideOr(0, x.high, key + 4));
            }
        exchange();
        multiplyTransposed(g, 1);
        [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
            [[unroll]] for (uint run = 0; run < RUNS; run++)
            {
                Eight dp = scoresAt(pass, columnOf(run));
                weights[pass][run].low *= dp.low - ownDelta[pass];
                weights[pass][run].high *= dp.high - ownDelta[pass];
            }
        putWeights(weights);
        addProduct(dq, 0);
    }
    STORE_ROWS(dqkv, packedAt(token, 0), dq, scale, added)
}
