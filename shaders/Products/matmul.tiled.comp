#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
//! variant f16 -DF16 -DRESULT16
//! variant f16_f32 -DF16
//! variant f16_half -DF16 -DRESULT16 -DHALF
//! variant f16_f32_half -DF16 -DHALF
//! variant bf16 -DBF16 -DRESULT16
//! variant bf16_f32 -DBF16
#include "../Shared/storage.glsl"
// With -DHALF slabs hold factors as they come, in 16 bits, which are half the shared memory and half of what is read from it. The
// arithmetic stays that of 32 bits, and its bits the same. It needs a device that computes with 16 bits.
#ifdef HALF
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define FACTORS f16vec4
#else
#define FACTORS vec4
#endif
#define EPILOGUE_ID 11
#include "matmul.glsl"
// For GPUs: a workgroup computes BM x BN of C from slabs of A and B, BK deep, in shared memory, an invocation TM x TN of it. Rows and columns
// of an invocation come in groups of four neighbours, so that one access of 16 bytes brings four factors. While a slab is multiplied, the next
// is on its way through registers, into a second pair of slabs where shared memory has room for it.
layout(constant_id = 1) const uint BM = 64;
layout(constant_id = 2) const uint BN = 64;
layout(constant_id = 3) const uint BK = 16;        // BM * BK and BN * BK are multiples of 4 * THREADS
layout(constant_id = 4) const uint TM = 4;         // a multiple of 4, as BM / TM is
layout(constant_id = 5) const uint TN = 4;         // a multiple of 4, and BN / TN one of 8
layout(constant_id = 6) const uint THREADS = 256;  // (BM / TM) * (BN / TN), the workgroup size
layout(constant_id = 7) const uint SLABS = 2;      // pairs of them
layout(constant_id = 8) const uint VECTORS = 1;    // the contiguous extents are multiples of 4
layout(constant_id = 9) const uint A_K_CONTIGUOUS = 1;
layout(constant_id = 10) const uint B_N_CONTIGUOUS = 1;

layout(binding = 0) readonly buffer A4_ { ELEMENT4 A4[]; };
layout(binding = 1) readonly buffer B4_ { ELEMENT4 B4[]; };

const uint LOADS_A = BM * BK / 4 / THREADS, LOADS_B = BN * BK / 4 / THREADS;
// A row of a slab has all m or n of one k; four factors of skew keep elements of one column in different banks.
const uint STRIDE_A = BM / 4 + 1, STRIDE_B = BN / 4 + 1;
shared FACTORS slabA[SLABS * BK * STRIDE_A];
shared FACTORS slabB[SLABS * BK * STRIDE_B];

uint row0, column0, baseA, baseB, depth;
FACTORS nextA[LOADS_A], nextB[LOADS_B];

// Of the four neighbours that are a slab's number e: the first, as (m, k) and (k, n) of the slab.
uvec2 placeOfA(uint e) { return A_K_CONTIGUOUS != 0 ? uvec2(e / (BK / 4), e % (BK / 4) * 4) : uvec2(e % (BM / 4) * 4, e / (BM / 4)); }
uvec2 placeOfB(uint e) { return B_N_CONTIGUOUS != 0 ? uvec2(e / (BN / 4), e % (BN / 4) * 4) : uvec2(e % (BK / 4) * 4, e / (BK / 4)); }

// Four neighbours, of which `left` or more lie in the tensor, none where left is 0; zeros for the others.
#define DECLARE_FOUR(tensor) vec4 four##tensor(uint at, uint left) \
{ \
    if (VECTORS != 0) \
        return left != 0 ? LOAD4(tensor##4[at / 4]) : vec4(0); \
    vec4 four; \
    [[unroll]] for (uint c = 0; c < 4; c++) \
        four[c] = c < left ? LOAD(tensor[at + c]) : 0; \
    return four; \
}
DECLARE_FOUR(A)
DECLARE_FOUR(B)

void fetch(uint k0)
{
    [[unroll]] for (uint l = 0; l < LOADS_A; l++)
    {
        uvec2 place = placeOfA(l * THREADS + gl_LocalInvocationID.x);
        uint m = row0 + place.x, k = k0 + place.y;
        bool inside = m < M && k < depth;
        nextA[l] = FACTORS(fourA(baseA + m * strideAM + k * strideAK, inside ? (A_K_CONTIGUOUS != 0 ? depth - k : M - m) : 0));
    }
    [[unroll]] for (uint l = 0; l < LOADS_B; l++)
    {
        uvec2 place = placeOfB(l * THREADS + gl_LocalInvocationID.x);
        uint k = k0 + place.x, n = column0 + place.y;
        bool inside = k < depth && n < N;
        nextB[l] = FACTORS(fourB(baseB + k * strideBK + n * strideBN, inside ? (B_N_CONTIGUOUS != 0 ? N - n : depth - k) : 0));
    }
}

void put(uint slab)
{
    [[unroll]] for (uint l = 0; l < LOADS_A; l++)
    {
        uvec2 place = placeOfA(l * THREADS + gl_LocalInvocationID.x);
        uint at = (slab * BK + place.y) * STRIDE_A + place.x / 4;
        if (A_K_CONTIGUOUS == 0)
            slabA[at] = nextA[l];
        else
            [[unroll]] for (uint c = 0; c < 4; c++)
                slabA[at + c * STRIDE_A][place.x % 4] = nextA[l][c];
    }
    [[unroll]] for (uint l = 0; l < LOADS_B; l++)
    {
        uvec2 place = placeOfB(l * THREADS + gl_LocalInvocationID.x);
        uint at = (slab * BK + place.x) * STRIDE_B + place.y / 4;
        if (B_N_CONTIGUOUS != 0)
            slabB[at] = nextB[l];
        else
            [[unroll]] for (uint c = 0; c < 4; c++)
                slabB[at + c * STRIDE_B][place.y % 4] = nextB[l][c];
    }
}

void main()
{
    // 32 invocations in a row are 4 x 8 of the workgroup's, so that what they read at a time is least.
    uint patch_ = gl_LocalInvocationID.x / 32, lane = gl_LocalInvocationID.x % 32, patches = BN / TN / 8;
    uint threadM = patch_ / patches * 4 + lane / 8, threadN = patch_ % patches * 8 + lane % 8;
    row0 = gl_WorkGroupID.y * BM;
    column0 = gl_WorkGroupID.x * BN;
    baseA = gl_WorkGroupID.z * batchA;
    baseB = gl_WorkGroupID.z * batchB;
    uint baseC = gl_WorkGroupID.z * batchC;
    depth = depthHere();
    vec4 sum[TM][TN / 4];
    [[unroll]] for (uint i = 0; i < TM; i++)
        [[unroll]] for (uint j = 0; j < TN / 4; j++)
            sum[i][j] = vec4(0);

    fetch(0);
    put(0);
    barrier();
    uint slab = 0;
    for (uint k0 = 0; k0 < depth; k0 += BK)
    {
        bool more = k0 + BK < depth;
        if (more)
            fetch(k0 + BK);
        [[unroll]] for (uint k = 0; k < BK; k++)
        {
            vec4 a[TM / 4], b[TN / 4];
            [[unroll]] for (uint i = 0; i < TM / 4; i++)
                a[i] = vec4(slabA[(slab * BK + k) * STRIDE_A + i * (BM / TM) + threadM]);
            [[unroll]] for (uint j = 0; j < TN / 4; j++)
                b[j] = vec4(slabB[(slab * BK + k) * STRIDE_B + j * (BN / TN) + threadN]);
            [[unroll]] for (uint i = 0; i < TM; i++)
                [[unroll]] for (uint j = 0; j < TN / 4; j++)
                    sum[i][j] += a[i / 4][i % 4] * b[j];
        }
        if (SLABS == 1)
            barrier();
        else
            slab ^= 1;
        if (more)
            put(slab);
        barrier();
    }

    [[unroll]] for (uint i = 0; i < TM; i++)
    {
        uint m = row0 + (i / 4 * (BM / TM) + threadM) * 4 + i % 4;
        [[unroll]] for (uint j = 0; j < TN / 4; j++)
        {
            uint n = column0 + (j * (BN / TN) + threadN) * 4, at = baseC + m * strideCM + n;
            if ((EPILOGUE & FOURS) != 0)
            {
                if (m < M && n < N)
                    finish4(m, n, at, sum[i][j]);
            }
            else
                [[unroll]] for (uint c = 0; c < 4; c++)
                    if (m < M && n + c < N)
                        finish(m, n + c, at + c, sum[i][j][c]);
        }
    }
}
