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
// out = softmax(q k^T * scale) v with the online softmax of Milakov and Gimelshein (arXiv 1805.02867), OTHERS keys at a time
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
    float q[OWN][D], o[OWN][D], largest[OWN], sum[OWN];
    [[unroll]] for (uint j = 0; j < OWN; j++)
    {
        LOAD_OWN(q[j], qkv, packedAt(min(ownToken(j), N - 1), 0));
        [[unroll]] for (uint d = 0; d < D; d++)
        {
            q[j][d] *= scale;
            o[j][d] = 0;
        }
        largest[j] = -3.4e38;
        sum[j] = 0;
    }
    for (uint first = 0; first < N; first += OTHERS)
    {
        OTHER_ROWS(k);
        OTHER_ROWS(v);
        [[unroll]] for (uint i = 0; i < OTHERS; i++)
            LOAD_OTHER(k[i], qkv, packedAt(min(first + i, N - 1), 1));
        float weights[OTHERS][OWN], correction[OWN];
        DOTS(weights, q, k)
        [[unroll]] for (uint j = 0; j < OWN; j++)
        {
            float newLargest = largest[j];
            [[unroll]] for (uint i = 0; i < OTHERS; i++)
            {
                // A key past the end gets no weight.
                weights[i][j] = first + i < N ? weights[i][j] : -3.4e38;
                newLargest = max(newLargest, weights[i][j]);
            }
            correction[j] = exp(largest[j] - newLargest);
            largest[j] = newLargest;
            sum[j] *= correction[j];
            [[unroll]] for (uint i = 0; i < OTHERS; i++)
            {
                weights[i][j] = first + i < N ? exp(weights[i][j] - newLargest) : 0;
                sum[j] += weights[i][j];
            }
        }
        [[unroll]] for (uint i = 0; i < OTHERS; i++)
            LOAD_OTHER(v[i], qkv, packedAt(min(first + i, N - 1), 2));
        [[unroll]] for (uint j = 0; j < OWN; j++)
            [[unroll]] for (uint d = 0; d < D; d++)
                o[j][d] *= correction[j];
        ADD_PRODUCTS(o, weights, v)
    }
    [[unroll]] for (uint j = 0; j < OWN; j++)
    {
        uint token = ownToken(j);
        if (token < N)
        {
            [[unroll]] for (uint d = 0; d < D; d++)
                o[j][d] /= sum[j];
            STORE_OWN(result, headAt(token), o[j], vec4(0))
            logSumExp[statisticAt(token)] = largest[j] + log(sum[j]);
        }
    }
}
