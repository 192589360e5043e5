#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#include "storage.glsl"
#include "matmul.glsl"
// For devices with narrow subgroups and slow gathers (CPU drivers): no shared memory. A subgroup keeps a block of B, KB deep and
// TN columns a lane, in registers and the stack while it walks down TM rows of A. One load brings SG values of a row of A, one a lane,
// which shuffles hand round: a gather for each SG * TN multiply-adds.
layout(constant_id = 1) const uint TM = 128;
layout(constant_id = 2) const uint TN = 4;
layout(constant_id = 3) const uint KB = 64;
layout(constant_id = 4) const uint SG = 8;

void main()
{
    uint lane = gl_SubgroupInvocationID;
    uint row0 = gl_WorkGroupID.y * TM, column0 = gl_WorkGroupID.x * (SG * TN) + lane;
    uint baseA = gl_WorkGroupID.z * batchA, baseB = gl_WorkGroupID.z * batchB, baseC = gl_WorkGroupID.z * batchC;
    uint columns[TN];
    [[unroll]] for (uint j = 0; j < TN; j++)
        columns[j] = min(column0 + j * SG, N - 1);
    uint rows = min(row0 + TM, M);
    for (uint k0 = 0; k0 < K; k0 += KB)
    {
        float b[KB][TN];
        [[unroll]] for (uint k = 0; k < KB; k++)
            [[unroll]] for (uint j = 0; j < TN; j++)
            {
                // Past the end B counts as zero; A is then read at its last column, which is finite where the result is.
                float value = B[baseB + columns[j] * strideBN + min(k0 + k, K - 1) * strideBK];
                b[k][j] = k0 + k < K ? value : 0;
            }
        for (uint row = row0; row < rows; row++)
        {
            float sum[TN];
            [[unroll]] for (uint j = 0; j < TN; j++)
                sum[j] = 0;
            [[unroll]] for (uint k = 0; k < KB; k += SG)
            {
                float a = A[baseA + row * strideAM + min(k0 + k + lane, K - 1) * strideAK];
                [[unroll]] for (uint i = 0; i < SG; i++)
                {
                    float value = subgroupShuffle(a, i);
                    [[unroll]] for (uint j = 0; j < TN; j++)
                        sum[j] += value * b[k + i][j];
                }
            }
            [[unroll]] for (uint j = 0; j < TN; j++)
                if (column0 + j * SG < N)
                {
                    uint at = baseC + row * strideCM + columns[j];
                    C[at] = (k0 == 0 ? initial(at, columns[j]) : C[at]) + sum[j];
                }
        }
    }
}
