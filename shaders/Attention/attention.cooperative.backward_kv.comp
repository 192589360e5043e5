#version 460
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
//! variants only
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "attention.cooperative.glsl"
// dv = P^T dout, dk = dS^T q * scale (see attention.backward_q), for ROWS keys and BLOCK queries at a time: scratch holds P^T and dS^T.
layout(binding = 0) readonly buffer Qkv { uvec4 qkv[]; };             // [B, N, 3, H, D]
layout(binding = 1) readonly buffer LogSumExp { float logSumExp[]; }; // [B, H, N]
layout(binding = 2) readonly buffer Delta { float delta[]; };         // [B, H, N]
layout(binding = 3) readonly buffer Dout { uvec4 dout[]; };           // [B, N, H, D]
layout(binding = 4) buffer Dqkv { uvec4 dqkv[]; };                    // [B, N, 3, H, D], the parts of k and v
#include "attention.cooperative.backward.glsl"
shared float statistics[2][BLOCK];                                    // log-sum-exp and delta of the block

vec4 statisticOf(uint kind, uint column)
{
    return vec4(statistics[kind][column], statistics[kind][column + 1], statistics[kind][column + 2], statistics[kind][column + 3]);
}

void main()
{
    OWN k[RF][DK], v[RF][DK];
    LOAD_OWN(k, qkv, packedAt(token, 1))
    LOAD_OWN(v, qkv, packedAt(token, 2))
    SUMS dk[RF][DN], dv[RF][DN];
    [[unroll]] for (uint i = 0; i < RF; i++)
        [[unroll]] for (uint j = 0; j < DN; j++)
        {
            dk[i][j] = SUMS(0.0);
            dv[i][j] = SUMS(0.0);
        }
    for (uint first = 0; first < N; first += BLOCK)
    {
        barrier();
        LOAD_STAGE(0, first, qkv, packedAt(token, 0))
        LOAD_STAGE(1, first, dout, headAt(token))
        for (uint column = gl_LocalInvocationID.x; column < BLOCK; column += SUBGROUPS * SG)
        {
            // A query past the end was staged as zeros and so has P = 1, but adds nothing.
            bool inside = first + column < N;
            statistics[0][column] = inside ? logSumExp[statisticAt(first + column)] : 0;
            statistics[1][column] = inside ? delta[statisticAt(first + column)] : 0;
        }
        barrier();
        multiplyTransposed(k, 0);
        Eight weights[PASSES][RUNS];
        [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
            [[unroll]] for (uint run = 0; run < RUNS; run++)
            {
                uint column = columnOf(run);
                Eight x = scoresAt(pass, column);
                weights[pass][run] = Eight(probability(x.low, statisticOf(0, column)), probability(x.high, statisticOf(0, column + 4)));
            }
        putWeights(weights);
        addProduct(dv, 1);
        multiplyTransposed(v, 1);
        [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
            [[unroll]] for (uint run = 0; run < RUNS; run++)
            {
                uint column = columnOf(run);
                Eight dp = scoresAt(pass, column);
                weights[pass][run].low *= dp.low - statisticOf(1, column);
                weights[pass][run].high *= dp.high - statisticOf(1, column + 4);
            }
        putWeights(weights);
        addProduct(dk, 0);
    }
    STORE_ROWS(dqkv, packedAt(token, 1), dk, scale, added)
    STORE_ROWS(dqkv, packedAt(token, 2), dv, 1, added)
}
