#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
#include "storage.glsl"
#include "attention.glsl"
// out = softmax(q k^T * scale) v with the online softmax of Milakov and Gimelshein (arXiv 1805.02867), KEYS keys at a time
const uint KEYS = 4;
layout(binding = 0) readonly buffer Qkv { ELEMENT qkv[]; };                    // [B, N, 3, H, D]
#ifndef SCALARS_ALONE
layout(binding = 0) readonly buffer Qkv4 { vec4 qkv4[]; };
#endif
layout(binding = 1) writeonly buffer Out { ELEMENT result[]; };                // [B, N, H, D]
#ifndef SCALARS_ALONE
layout(binding = 1) writeonly buffer Out4 { vec4 result4[]; };
#endif
layout(binding = 2) writeonly buffer LogSumExp { float logSumExp[]; };       // [B, H, N]

void main()
{
    uint token = ownToken(), row = min(token, N - 1);
    float q[D], o[D];
    LOAD_OWN(q, qkv, packedAt(row, 0));
    [[unroll]] for (uint d = 0; d < D; d++)
    {
        q[d] *= scale;
        o[d] = 0;
    }
    float largest = -3.4e38, sum = 0;
    for (uint first = 0; first < N; first += KEYS)
    {
        float score[KEYS];
        float newLargest = largest;
        [[unroll]] for (uint i = 0; i < KEYS; i++)
        {
            vec4 k[PARTS];
            LOAD_PARTS(k, qkv, packedAt(min(first + i, N - 1), 1));
            vec4 dots = vec4(0);
            [[unroll]] for (uint d = 0; d < D; d++)
                dots[d % 4] += q[d] * VALUE(k, d);
            float dot = SUM(dots);
            // A key past the end gets no weight.
            score[i] = first + i < N ? dot : -3.4e38;
            newLargest = max(newLargest, score[i]);
        }
        float correction = exp(largest - newLargest);
        largest = newLargest;
        sum *= correction;
        [[unroll]] for (uint d = 0; d < D; d++)
            o[d] *= correction;
        [[unroll]] for (uint i = 0; i < KEYS; i++)
        {
            float weight = first + i < N ? exp(score[i] - largest) : 0;
            sum += weight;
            vec4 v[PARTS];
            LOAD_PARTS(v, qkv, packedAt(min(first + i, N - 1), 2));
            [[unroll]] for (uint d = 0; d < D; d++)
                o[d] += weight * VALUE(v, d);
        }
    }
    if (token < N)
    {
        [[unroll]] for (uint d = 0; d < D; d++)
            o[d] /= sum;
        STORE_OWN(result, headAt(token), o, vec4(0))
        logSumExp[statisticAt(token)] = largest + log(sum);
    }
}
