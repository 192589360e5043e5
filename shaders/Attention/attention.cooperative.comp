#version 460
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
//! variants only
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "attention.cooperative.glsl"
// out = softmax(q k^T * scale) v with online softmax, as attention.comp, for ROWS queries and BLOCK keys at a time.
layout(binding = 0) readonly buffer Qkv { uvec4 qkv[]; };               // [B, N, 3, H, D]
layout(binding = 1) writeonly buffer Out { uvec4 result[]; };           // [B, N, H, D]
layout(binding = 2) writeonly buffer LogSumExp { float logSumExp[]; };  // [B, H, N]

const float LOWEST = -3.4e38;

void main()
{
    OWN q[RF][DK];
    LOAD_OWN(q, qkv, packedAt(token, 0))
    SUMS o[RF][DN];
    [[unroll]] for (uint i = 0; i < RF; i++)
        [[unroll]] for (uint j = 0; j < DN; j++)
            o[i][j] = SUMS(0.0);
    float largest[PASSES], sum[PASSES];
    [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
    {
        largest[pass] = LOWEST;
        sum[pass] = 0;
    }
    for (uint first = 0; first < N; first += BLOCK)
    {
        barrier();
        LOAD_STAGE(0, first, qkv, packedAt(token, 1))
        LOAD_STAGE(1, first, qkv, packedAt(token, 2))
        barrier();
        multiplyTransposed(q, 0);
        Eight weights[PASSES][RUNS];
        float factor[PASSES];
        [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
        {
            vec4 most = vec4(LOWEST);
            [[unroll]] for (uint run = 0; run < RUNS; run++)
            {
                // A key past the end gets no weight.
                uint column = columnOf(run), key = first + column;
                Eight x = scoresAt(pass, column);
                x = Eight(insideOr(LOWEST, x.low * scale, key), insideOr(LOWEST, x.high * scale, key + 4));
                most = max(most, max(x.low, x.high));
                weights[pass][run] = x;
            }
            float newLargest = max(largest[pass], rowMaximum(max(max(most.x, most.y), max(most.z, most.w))));
            vec4 total = vec4(0);
            [[unroll]] for (uint run = 0; run < RUNS; run++)
            {
                Eight x = weights[pass][run];
                x = Eight(exp(x.low - newLargest), exp(x.high - newLargest));
                total += x.low + x.high;
                weights[pass][run] = x;
            }
            factor[pass] = exp(largest[pass] - newLargest);
            largest[pass] = newLargest;
            sum[pass] = sum[pass] * factor[pass] + rowSum((total.x + total.y) + (total.z + total.w));
        }
        putWeights(weights);
        scaleRows(o, factor);
        addProduct(o, 1);
    }
    float inverse[PASSES];
    [[unroll]] for (uint pass = 0; pass < PASSES; pass++)
    {
        inverse[pass] = 1 / sum[pass];
        uint token = row0() + rowOf(pass);
        if (token < N && gl_SubgroupInvocationID % LANES_OF_ROW == 0)
            logSumExp[statisticAt(token)] = largest[pass] + log(sum[pass]);
    }
    scaleRows(o, inverse);
    exchange();
    #define ALONE(x, place) x
    STORE_ROWS(result, headAt(token), o, 1, ALONE)
}
