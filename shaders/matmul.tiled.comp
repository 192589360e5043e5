#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
//! variant f16 -DF16 -DRESULT16
//! variant f16_f32 -DF16
//! variant bf16 -DBF16 -DRESULT16
//! variant bf16_f32 -DBF16
#include "storage.glsl"
#define EPILOGUE_ID 9
#include "matmul.glsl"
// For GPUs: a workgroup computes BM x BN of C from BM x BK of A and BK x BN of B in shared memory, an invocation TM x TN of it.
// The next slab is read into registers while the current one is multiplied.
layout(constant_id = 1) const uint BM = 64;
layout(constant_id = 2) const uint BN = 64;
layout(constant_id = 3) const uint BK = 16;
layout(constant_id = 4) const uint TM = 4;
layout(constant_id = 5) const uint TN = 4;
layout(constant_id = 6) const uint THREADS = 256;  // (BM / TM) * (BN / TN), the workgroup size
layout(constant_id = 7) const uint A_K_CONTIGUOUS = 1;
layout(constant_id = 8) const uint B_N_CONTIGUOUS = 1;

const uint LOADS_A = BM * BK / THREADS;
const uint LOADS_B = BN * BK / THREADS;
// One word of skew keeps the columns of a slab in different banks.
shared float tileA[BK * (BM + 1)];
shared float tileB[BK * (BN + 1)];

void main()
{
    uint thread = gl_LocalInvocationID.x;
    uint threadN = thread % (BN / TN), threadM = thread / (BN / TN);
    uint row0 = gl_WorkGroupID.y * BM, column0 = gl_WorkGroupID.x * BN;
    uint baseA = gl_WorkGroupID.z * batchA, baseB = gl_WorkGroupID.z * batchB, baseC = gl_WorkGroupID.z * batchC;
    uint depth = depthHere();
    float sum[TM][TN];
    [[unroll]] for (uint i = 0; i < TM; i++)
        [[unroll]] for (uint j = 0; j < TN; j++)
            sum[i][j] = 0;
    float nextA[LOADS_A], nextB[LOADS_B];

    for (uint k0 = 0; k0 < depth + BK; k0 += BK)
    {
        if (k0 > 0)
        {
            barrier();
            [[unroll]] for (uint l = 0; l < LOADS_A; l++)
            {
                uint e = l * THREADS + thread;
                uint m = A_K_CONTIGUOUS != 0 ? e / BK : e % BM, k = A_K_CONTIGUOUS != 0 ? e % BK : e / BM;
                tileA[k * (BM + 1) + m] = nextA[l];
            }
            [[unroll]] for (uint l = 0; l < LOADS_B; l++)
            {
                uint e = l * THREADS + thread;
                uint n = B_N_CONTIGUOUS != 0 ? e % BN : e / BK, k = B_N_CONTIGUOUS != 0 ? e / BN : e % BK;
                tileB[k * (BN + 1) + n] = nextB[l];
            }
            barrier();
        }
        if (k0 < depth)
        {
            [[unroll]] for (uint l = 0; l < LOADS_A; l++)
            {
                uint e = l * THREADS + thread;
                uint m = A_K_CONTIGUOUS != 0 ? e / BK : e % BM, k = A_K_CONTIGUOUS != 0 ? e % BK : e / BM;
                bool inside = row0 + m < M && k0 + k < depth;
                nextA[l] = inside ? LOAD(A[baseA + (row0 + m) * strideAM + (k0 + k) * strideAK]) : 0;
            }
            [[unroll]] for (uint l = 0; l < LOADS_B; l++)
            {
                uint e = l * THREADS + thread;
                uint n = B_N_CONTIGUOUS != 0 ? e % BN : e / BK, k = B_N_CONTIGUOUS != 0 ? e / BN : e % BK;
                bool inside = column0 + n < N && k0 + k < depth;
                nextB[l] = inside ? LOAD(B[baseB + (k0 + k) * strideBK + (column0 + n) * strideBN]) : 0;
            }
        }
        if (k0 > 0)
        {
            [[unroll]] for (uint k = 0; k < BK; k++)
            {
                float a[TM], b[TN];
                [[unroll]] for (uint i = 0; i < TM; i++)
                    a[i] = tileA[k * (BM + 1) + threadM + i * (BM / TM)];
                [[unroll]] for (uint j = 0; j < TN; j++)
                    b[j] = tileB[k * (BN + 1) + threadN + j * (BN / TN)];
                [[unroll]] for (uint i = 0; i < TM; i++)
                    [[unroll]] for (uint j = 0; j < TN; j++)
                        sum[i][j] += a[i] * b[j];
            }
        }
    }
    [[unroll]] for (uint i = 0; i < TM; i++)
    {
        uint m = row0 + threadM + i * (BM / TM);
        [[unroll]] for (uint j = 0; j < TN; j++)
        {
            uint n = column0 + threadN + j * (BN / TN);
            if (m < M && n < N)
                finish(m, n, baseC + m * strideCM + n, sum[i][j]);
        }
    }
}
