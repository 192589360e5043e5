#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "../Shared/storage.glsl"
#define OWN_TILES 1
#define OVER_ROWS
#include "attention.tiled.glsl"
// out = softmax(q k^T * scale) v with online softmax, as attention.comp, for ROWS queries and BLOCK keys at a time.
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };             // [B, N, 3, H, D]
layout(binding = 0) readonly buffer Qkv4 { ELEMENT4 qkv4[]; };
layout(binding = 1) writeonly buffer Out { ELEMENT result[]; };         // [B, N, H, D]
layout(binding = 1) writeonly buffer Out4 { ELEMENT4 result4[]; };
layout(binding = 2) writeonly buffer LogSumExp { float logSumExp[]; };  // [B, H, N]
DECLARE_PART(qkv)

const float LOWEST = -3.4e38;

void main()
{
    STAGE_OWN(0, scale, qkv, packedAt(token, 0))
    vec4 o[OWN][DX];
    float largest[OWN], sum[OWN];  // of a row; of the lane's part of it
    [[unroll]] for (uint i = 0; i < OWN; i++)
    {
        [[unroll]] for (uint j = 0; j < DX; j++)
            o[i][j] = vec4(0);
        largest[i] = LOWEST;
        sum[i] = 0;
    }
    for (uint first = 0; first < N; first += BLOCK)
    {
        barrier();
        STAGE_BLOCK(0, first, qkv, packedAt(token, 1))
        STAGE_BLOCK(1, first, qkv, packedAt(token, 2))
        barrier();
        vec4 weights[OWN];
        multiplyTransposed(weights, 0, 0);
        // A key past the end gets no weight.
        bvec4 isKey = inside(columns(first));
        float most[OWN];
        [[unroll]] for (uint i = 0; i < OWN; i++)
        {
            weights[i] = mix(vec4(LOWEST), weights[i], isKey);
            most[i] = max(max(weights[i].x, weights[i].y), max(weights[i].z, weights[i].w));
        }
        putValues(most);
        [[unroll]] for (uint i = 0; i < OWN; i++)
        {
            float newLargest = max(largest[i], rowMaximum(i)), factor = exp(largest[i] - newLargest);
            largest[i] = newLargest;
            weights[i] = mix(vec4(0), exp(weights[i] - newLargest), isKey);
            sum[i] = sum[i] * factor + sumOf(weights[i]);
            [[unroll]] for (uint j = 0; j < DX; j++)
                o[i][j] *= factor;
        }
        putWeights(weights);
        addProduct(o, 1);
    }
    putValues(sum);
    [[unroll]] for (uint i = 0; i < OWN; i++)
    {
        uint token = tokenOf(i);
        if (token < N)
        {
            float total = rowSum(i);
            [[unroll]] for (uint j = 0; j < DX; j++)
                if (hasPart(j))
                {
                    vec4 four = o[i][j] / total;
                    STORE_PART(result, headAt(token), partOf(j), four);
                }
            if (lane() == 0)
                logSumExp[statisticAt(token)] = largest[i] + log(total);
        }
    }
}
