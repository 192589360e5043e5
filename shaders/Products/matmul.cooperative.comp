#version 460
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
//! variants only
//! variant f16 -DF16 -DRESULT16 -DVECTORS
//! variant f16_f32 -DF16 -DVECTORS
//! variant bf16 -DBF16 -DRESULT16 -DVECTORS
//! variant bf16_f32 -DBF16 -DVECTORS
//! variant bf16x3 -DSPLIT -DSPLIT_BF16 -DVECTORS
//! variant f16x3 -DSPLIT -DVECTORS
#include "../Shared/storage.glsl"
#if defined(BF16) || defined(SPLIT_BF16)
#extension GL_EXT_bfloat16 : require
#define FACTOR bfloat16_t
#else
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define FACTOR float16_t
#endif
#define EPILOGUE_ID 12
#include "matmul.glsl"
#ifdef SPLIT
#include "matmul.split.glsl"
#else
const uint PARTS = 1, WORDS = 1;
uvec4[PARTS] split(uvec4 factors[WORDS]) { return factors; }
#endif
// For matrix units: a workgroup computes BM x BN of C, its SM x SN subgroups each a part of it in fragments of the units' size
// MM x MN x MK with F32 sums. Slabs of A and B, BK deep, lie twice in shared memory: while one is multiplied, the next is on its way
// through registers. Rows there are skewed by 16 bytes, so that the rows of a fragment lie in different banks. A slab lies as its tensor
// does, whichever index is contiguous, and the units read it row by row or column by column. With -DSPLIT the factors are float, and
// a slab holds them as sums of two parts of 16 bits, one part after the other.
layout(constant_id = 1) const uint BM = 64;
layout(constant_id = 2) const uint BN = 64;
layout(constant_id = 3) const uint BK = 32;
layout(constant_id = 4) const uint SM = 2;
layout(constant_id = 5) const uint SN = 2;
layout(constant_id = 6) const uint MM = 16;
layout(constant_id = 7) const uint MN = 16;
layout(constant_id = 8) const uint MK = 16;
layout(constant_id = 9) const uint SG = 32;       // subgroup size; the workgroup size is SM * SN * SG
layout(constant_id = 10) const uint A_K_CONTIGUOUS = 1;
layout(constant_id = 11) const uint B_N_CONTIGUOUS = 1;

const uint THREADS = SM * SN * SG;
const uint V = 8;  // 16-bit elements of a uvec4
// Rows of a part of a slab and the uvec4 from one to the next.
const uint ROWS_A = A_K_CONTIGUOUS != 0 ? BM : BK, ROWS_B = B_N_CONTIGUOUS != 0 ? BK : BN;
const uint WIDTH_A = (A_K_CONTIGUOUS != 0 ? BK : BM) / V, WIDTH_B = (B_N_CONTIGUOUS != 0 ? BN : BK) / V;
const uint STRIDE_A = WIDTH_A + 1, STRIDE_B = WIDTH_B + 1;
const uint PART_A = ROWS_A * STRIDE_A, PART_B = ROWS_B * STRIDE_B, SLAB_A = PARTS * PART_A, SLAB_B = PARTS * PART_B;
const uint LOADS_A = (ROWS_A * WIDTH_A + THREADS - 1) / THREADS, LOADS_B = (ROWS_B * WIDTH_B + THREADS - 1) / THREADS;
const uint FM = BM / SM / MM, FN = BN / SN / MN;  // fragments of a subgroup
const uint OUT = MM * MN / 4;                     // uvec4 of a fragment of C in F32
// The slabs, and after the last product the fragments on their way out.
const uint SLABS = 2 * (SLAB_A + SLAB_B), OUTS = SM * SN * OUT;
shared uvec4 tiles[SLABS > OUTS ? SLABS : OUTS];

uint row0, column0, baseA, baseB, depth;
uvec4 nextA[LOADS_A][WORDS], nextB[LOADS_B][WORDS];

void fetch(uint k0)
{
    [[unroll]] for (uint l = 0; l < LOADS_A; l++)
    {
        uint e = l * THREADS + gl_LocalInvocationID.x, outer = e / WIDTH_A, inner = e % WIDTH_A * V;
        uint m = row0 + (A_K_CONTIGUOUS != 0 ? outer : inner), k = k0 + (A_K_CONTIGUOUS != 0 ? inner : outer);
        bool inside = e < ROWS_A * WIDTH_A && m < M && k < depth;
        [[unroll]] for (uint w = 0; w < WORDS; w++)
            nextA[l][w] = inside ? A[(baseA + m * strideAM + k * strideAK) / V * WORDS + w] : uvec4(0);
    }
    [[unroll]] for (uint l = 0; l < LOADS_B; l++)
    {
        uint e = l * THREADS + gl_LocalInvocationID.x, outer = e / WIDTH_B, inner = e % WIDTH_B * V;
        uint n = column0 + (B_N_CONTIGUOUS != 0 ? inner : outer), k = k0 + (B_N_CONTIGUOUS != 0 ? outer : inner);
        bool inside = e < ROWS_B * WIDTH_B && n < N && k < depth;
        [[unroll]] for (uint w = 0; w < WORDS; w++)
            nextB[l][w] = inside ? B[(baseB + k * strideBK + n * strideBN) / V * WORDS + w] : uvec4(0);
    }
}

void put(uint half_)
{
    uint startA = half_ * (SLAB_A + SLAB_B), startB = startA + SLAB_A;
    [[unroll]] for (uint l = 0; l < LOADS_A; l++)
    {
        uint e = l * THREADS + gl_LocalInvocationID.x;
        uvec4 parts[PARTS] = split(nextA[l]);
        [[unroll]] for (uint p = 0; p < PARTS; p++)
            if (e < ROWS_A * WIDTH_A)
                tiles[startA + p * PART_A + e / WIDTH_A * STRIDE_A + e % WIDTH_A] = parts[p];
    }
    [[unroll]] for (uint l = 0; l < LOADS_B; l++)
    {
        uint e = l * THREADS + gl_LocalInvocationID.x;
        uvec4 parts[PARTS] = split(nextB[l]);
        [[unroll]] for (uint p = 0; p < PARTS; p++)
            if (e < ROWS_B * WIDTH_B)
                tiles[startB + p * PART_B + e / WIDTH_B * STRIDE_B + e % WIDTH_B] = parts[p];
    }
}

void main()
{
    row0 = gl_WorkGroupID.y * BM;
    column0 = gl_WorkGroupID.x * BN;
    baseA = gl_WorkGroupID.z * batchA;
    baseB = gl_WorkGroupID.z * batchB;
    uint baseC = gl_WorkGroupID.z * batchC;
    depth = depthHere();
    // Rows and columns of this subgroup within the workgroup's part.
    uint subgroup = gl_SubgroupID, ownM = subgroup / SN * (BM / SM), ownN = subgroup % SN * (BN / SN);
    coopmat<float, gl_ScopeSubgroup, MM, MN, gl_MatrixUseAccumulator> sum[FM][FN];
    [[unroll]] for (uint i = 0; i < FM; i++)
        [[unroll]] for (uint j = 0; j < FN; j++)
            sum[i][j] = coopmat<float, gl_ScopeSubgroup, MM, MN, gl_MatrixUseAccumulator>(0.0);

    fetch(0);
    put(0);
    barrier();
    uint half_ = 0;
    for (uint k0 = 0; k0 < depth; k0 += BK)
    {
        bool more = k0 + BK < depth;
        if (more)
            fetch(k0 + BK);
        uint startA = half_ * (SLAB_A + SLAB_B), startB = startA + SLAB_A;
        [[unroll]] for (uint k = 0; k < BK; k += MK)
        {
            coopmat<FACTOR, gl_ScopeSubgroup, MM, MK, gl_MatrixUseA> a[FM][PARTS];
            [[unroll]] for (uint i = 0; i < FM; i++)
                [[unroll]] for (uint p = 0; p < PARTS; p++)
                {
                    uint m = ownM + i * MM, start = startA + p * PART_A;
                    if (A_K_CONTIGUOUS != 0)
                        coopMatLoad(a[i][p], tiles, start + m * STRIDE_A + k / V, STRIDE_A, gl_CooperativeMatrixLayoutRowMajor);
                    else
                        coopMatLoad(a[i][p], tiles, start + k * STRIDE_A + m / V, STRIDE_A, gl_CooperativeMatrixLayoutColumnMajor);
                }
            [[unroll]] for (uint j = 0; j < FN; j++)
            {
                coopmat<FACTOR, gl_ScopeSubgroup, MK, MN, gl_MatrixUseB> b[PARTS];
                [[unroll]] for (uint p = 0; p < PARTS; p++)
                {
                    uint n = ownN + j * MN, start = startB + p * PART_B;
                    if (B_N_CONTIGUOUS != 0)
                        coopMatLoad(b[p], tiles, start + k * STRIDE_B + n / V, STRIDE_B, gl_CooperativeMatrixLayoutRowMajor);
                    else
                        coopMatLoad(b[p], tiles, start + n * STRIDE_B + k / V, STRIDE_B, gl_CooperativeMatrixLayoutColumnMajor);
                }
                [[unroll]] for (uint i = 0; i < FM; i++)
                {
#ifdef SPLIT
                    sum[i][j] = coopMatMulAdd(a[i][LOW], b[HIGH], sum[i][j]);
                    sum[i][j] = coopMatMulAdd(a[i][HIGH], b[LOW], sum[i][j]);
#endif
                    sum[i][j] = coopMatMulAdd(a[i][0], b[0], sum[i][j]);
                }
            }
        }
        half_ ^= 1;
        if (more)
            put(half_);
        barrier();
    }

    // Fragments leave through shared memory, where any lane sees any element: bounds and epilogue need that.
    uint start = subgroup * OUT;
    [[unroll]] for (uint i = 0; i < FM; i++)
        [[unroll]] for (uint j = 0; j < FN; j++)
        {
            coopMatStore(sum[i][j], tiles, start, MN / 4, gl_CooperativeMatrixLayoutRowMajor);
            controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
            uint top = row0 + ownM + i * MM, left = column0 + ownN + j * MN;
            if ((EPILOGUE & FOURS) != 0)
                for (uint e = gl_SubgroupInvocationID; e < OUT; e += SG)
                {
                    uint m = top + e * 4 / MN, n = left + e * 4 % MN;
                    if (m < M && n < N)
                        finish4(m, n, baseC + m * strideCM + n, uintBitsToFloat(tiles[start + e]));
                }
            else
                for (uint e = gl_SubgroupInvocationID; e < MM * MN; e += SG)
                {
                    uint m = top + e / MN, n = left + e % MN;
                    if (m < M && n < N)
                        finish(m, n, baseC + m * strideCM + n, uintBitsToFloat(tiles[start + e / 4][e % 4]));
                }
            controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
        }
}
