#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "../Shared/storage.glsl"
#define EPILOGUE_ID 8
#include "matmul.glsl"
// For devices with narrow subgroups and slow gathers (CPU drivers): no shared memory. A subgroup keeps a block of B, KB deep and
// TN columns a lane, in registers and the stack while it walks down TM rows of A. One load brings four values of A to each lane, which
// shuffles hand round: a gather for each 4 * SG * TN multiply-adds. Four values cost such a device hardly more than one, because what
// it pays for is the walk over the lanes; branches cost as much as what they guard, so that loads stay out of them where they can.
layout(constant_id = 1) const uint TM = 128;
layout(constant_id = 2) const uint TN = 8;      // a multiple of 4
layout(constant_id = 3) const uint KB = 96;     // a multiple of 4
layout(constant_id = 4) const uint SG = 8;
layout(constant_id = 5) const uint VECTORS = 1; // the contiguous extents are multiples of 4
layout(constant_id = 6) const uint A_K_CONTIGUOUS = 1;
layout(constant_id = 7) const uint B_N_CONTIGUOUS = 1;
const uint CHUNKS = (KB + 4 * SG - 1) / (4 * SG);

layout(binding = 0) readonly buffer A4_ { vec4 A4[]; };
layout(binding = 1) readonly buffer B4_ { vec4 B4[]; };

// Four neighbours, of which `left` follow the first before the extent ends; past the end the last one again.
vec4 fourOfA(uint at, uint left)
{
    if (VECTORS != 0)
        return A4[at / 4];
    return vec4(A[at], A[at + min(1, left)], A[at + min(2, left)], A[at + min(3, left)]);
}

vec4 fourOfB(uint at, uint left)
{
    if (VECTORS != 0)
        return B4[at / 4];
    return vec4(B[at], B[at + min(1, left)], B[at + min(2, left)], B[at + min(3, left)]);
}

void main()
{
    uint lane = gl_SubgroupInvocationID;
    uint row0 = gl_WorkGroupID.y * TM, rows = min(row0 + TM, M);
    uint column0 = gl_WorkGroupID.x * (SG * TN) + lane * 4;  // of each run of 4 * SG columns a lane owns four
    uint baseA = gl_WorkGroupID.z * batchA, baseB = gl_WorkGroupID.z * batchB, baseC = gl_WorkGroupID.z * batchC;
    uint lastM = (M - 1) & ~3u, lastN = (N - 1) & ~3u, lastK = (K - 1) & ~3u;
    for (uint k0 = 0; k0 < K; k0 += KB)
    {
        float b[KB][TN], start[TN];
        // Past the end B counts as zero; A is then read at its last columns, which are finite where the result is.
        [[unroll]] for (uint k = 0; k < KB; k += 4)
            [[unroll]] for (uint j = 0; j < TN; j += 4)
                [[unroll]] for (uint i = 0; i < 4; i++)
                {
                    if (B_N_CONTIGUOUS != 0)
                    {
                        uint n = min(column0 + j * SG, lastN);
                        vec4 four = fourOfB(baseB + n + min(k0 + k + i, K - 1) * strideBK, N - 1 - n);
                        [[unroll]] for (uint c = 0; c < 4; c++)
                            b[k + i][j + c] = k0 + k + i < K ? four[c] : 0;
                    }
                    else
                    {
                        uint from = min(k0 + k, lastK);
                        vec4 four = fourOfB(baseB + from + min(column0 + j * SG + i, N - 1) * strideBN, K - 1 - from);
                        [[unroll]] for (uint c = 0; c < 4; c++)
                            b[k + c][j + i] = k0 + k + c < K ? four[c] : 0;
                    }
                }
        [[unroll]] for (uint j = 0; j < TN; j++)
            start[j] = 0;
        if (k0 == 0 && (EPILOGUE & BIAS) != 0)
            [[unroll]] for (uint j = 0; j < TN; j++)
                start[j] = bias[min(column0 + j / 4 * (4 * SG) + j % 4, N - 1)];
        vec4 held[CHUNKS * 4];  // four rows of A, where those are contiguous
        for (uint row = row0; row < rows; row++)
        {
            float sum[TN];
            [[unroll]] for (uint j = 0; j < TN; j++)
                sum[j] = start[j];
            [[unroll]] for (uint chunk = 0; chunk < CHUNKS; chunk++)
            {
                // 4 * SG values of the row: K_OF(c, l) is the k of component c of lane l.
                #define K_OF(c, l) (chunk * 4 * SG + (A_K_CONTIGUOUS != 0 ? (l) * 4 + (c) : (c) * SG + (l)))
                vec4 a;
                if (A_K_CONTIGUOUS != 0)
                {
                    uint from = min(k0 + K_OF(0, lane), lastK);
                    a = fourOfA(baseA + row * strideAM + from, K - 1 - from);
                }
                else
                {
                    uint part = row % 4, m = min(row, lastM);
                    if (part == 0)
                        [[unroll]] for (uint c = 0; c < 4; c++)
                            held[chunk * 4 + c] = fourOfA(baseA + m + min(k0 + K_OF(c, lane), K - 1) * strideAK, M - 1 - m);
                    [[unroll]] for (uint c = 0; c < 4; c++)
                    {
                        vec4 four = held[chunk * 4 + c];
                        a[c] = part < 2 ? (part == 0 ? four.x : four.y) : (part == 2 ? four.z : four.w);
                    }
                }
                [[unroll]] for (uint i = 0; i < 4 * SG; i++)
                {
                    uint c = A_K_CONTIGUOUS != 0 ? i % 4 : i / SG, l = A_K_CONTIGUOUS != 0 ? i / 4 : i % SG;
                    if (K_OF(c, l) < KB)
                    {
                        float value = subgroupShuffle(a[c], l);
                        [[unroll]] for (uint j = 0; j < TN; j++)
                            sum[j] += value * b[K_OF(c, l)][j];
                    }
                }
            }
            bool add = k0 != 0 || (EPILOGUE & ACCUMULATE) != 0;
            [[unroll]] for (uint j = 0; j < TN; j += 4)
            {
                uint column = column0 + j * SG, at = baseC + row * strideCM + column;
                vec4 four = vec4(sum[j], sum[j + 1], sum[j + 2], sum[j + 3]);
                if (VECTORS != 0)
                {
                    if (column < N)
                    {
                        if (add)
                            four += C4[at / 4];
                        C4[at / 4] = four;
                    }
                }
                else
                    [[unroll]] for (uint c = 0; c < 4; c++)
                        if (column + c < N)
                            C[at + c] = (add ? C[at + c] : 0) + four[c];
            }
        }
    }
}
