#version 460
#pragma use_vulkan_memory_model
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_NV_cooperative_matrix2 : require
#extension GL_KHR_memory_scope_semantics : require
//! variants only
//! variant f16 -DF16 -DRESULT16
//! variant f16_f32 -DF16
//! variant bf16 -DBF16 -DRESULT16
//! variant bf16_f32 -DBF16
#include "../Shared/storage.glsl"
#ifdef BF16
#extension GL_EXT_bfloat16 : require
#define FACTOR bfloat16_t
#else
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define FACTOR float16_t
#endif
#define EPILOGUE_ID 6
#include "matmul.glsl"
// For matrix units that a whole workgroup shares: it computes BM x BN of C with F32 sums, from slabs BK deep, which the driver's compiler
// brings from memory and hands to the units as it knows best. Contiguous extents are multiples of eight.
layout(constant_id = 1) const uint BM = 128;
layout(constant_id = 2) const uint BN = 128;
layout(constant_id = 3) const uint BK = 32;
layout(constant_id = 4) const uint A_K_CONTIGUOUS = 1;
layout(constant_id = 5) const uint B_N_CONTIGUOUS = 1;

layout(binding = 0) readonly buffer FactorA_ { FACTOR factorA[]; };
layout(binding = 1) readonly buffer FactorB_ { FACTOR factorB[]; };

uint row0, column0, baseC;

// What becomes of a sum. It may run more than once for an element, so that C, which it may read, is not written here.
float withEpilogue(const in uint row, const in uint column, const in float sum)
{
    uint m = row0 + row, n = column0 + column;
    return m < M && n < N ? finished(m, n, baseC + m * strideCM + n, sum) : sum;
}

#ifdef RESULT16
// Units need not know matrices of 16-bit results.
float put(const in uint row, const in uint column, const in float sum)
{
    uint m = row0 + row, n = column0 + column;
    if (m < M && n < N)
        C[baseC + m * strideCM + n] = STORE_RESULT(sum);
    return sum;
}
#endif

// Adds the products; past the end of an extent MODE says what counts. A tensor lies as its contiguous index says, and is turned on its way.
#define MULTIPLY(MODE) \
    { \
        tensorLayoutNV<2, MODE> layoutA = createTensorLayoutNV(2, MODE), layoutB = createTensorLayoutNV(2, MODE); \
        layoutA = setTensorLayoutDimensionNV(layoutA, A_K_CONTIGUOUS != 0 ? M : depth, A_K_CONTIGUOUS != 0 ? depth : M); \
        layoutB = setTensorLayoutDimensionNV(layoutB, B_N_CONTIGUOUS != 0 ? depth : N, B_N_CONTIGUOUS != 0 ? N : depth); \
        layoutA = setTensorLayoutStrideNV(layoutA, rowA, 1); \
        layoutB = setTensorLayoutStrideNV(layoutB, rowB, 1); \
        for (uint k = 0; k < depth; k += BK) \
        { \
            coopmat<FACTOR, gl_ScopeWorkgroup, BM, BK, gl_MatrixUseA> a; \
            coopmat<FACTOR, gl_ScopeWorkgroup, BK, BN, gl_MatrixUseB> b; \
            if (A_K_CONTIGUOUS != 0) \
                coopMatLoadTensorNV(a, factorA, baseA, sliceTensorLayoutNV(layoutA, row0, BM, k, BK)); \
            else \
                coopMatLoadTensorNV(a, factorA, baseA, sliceTensorLayoutNV(layoutA, k, BK, row0, BM), turned); \
            if (B_N_CONTIGUOUS != 0) \
                coopMatLoadTensorNV(b, factorB, baseB, sliceTensorLayoutNV(layoutB, k, BK, column0, BN)); \
            else \
                coopMatLoadTensorNV(b, factorB, baseB, sliceTensorLayoutNV(layoutB, column0, BN, k, BK), turned); \
            sum = coopMatMulAdd(a, b, sum); \
        } \
    }

void main()
{
    row0 = gl_WorkGroupID.y * BM;
    column0 = gl_WorkGroupID.x * BN;
    baseC = gl_WorkGroupID.z * batchC;
    uint depth = depthHere();
    // Multiples of eight as it is; so the compiler knows it too, and loads 16 bytes at a time.
    uint baseA = gl_WorkGroupID.z * batchA & ~7u, baseB = gl_WorkGroupID.z * batchB & ~7u;
    uint rowA = (A_K_CONTIGUOUS != 0 ? strideAM : strideAK) & ~7u, rowB = (B_N_CONTIGUOUS != 0 ? strideBK : strideBN) & ~7u;
    tensorViewNV<2, false, 1, 0> turned = createTensorViewNV(2, false, 1, 0);
    coopmat<float, gl_ScopeWorkgroup, BM, BN, gl_MatrixUseAccumulator> sum = coopmat<float, gl_ScopeWorkgroup, BM, BN, gl_MatrixUseAccumulator>(0.0);
    if (row0 + BM <= M && column0 + BN <= N && depth % BK == 0)
        MULTIPLY(gl_CooperativeMatrixClampModeUndefinedNV)
    else
        MULTIPLY(gl_CooperativeMatrixClampModeConstantNV)  // zero

    coopMatPerElementNV(sum, sum, withEpilogue);
#ifdef RESULT16
    coopMatPerElementNV(sum, sum, put);
#else
    // The batch is an index here: only that of the whole tensor is sure to start at a multiple of 16 bytes.
    tensorLayoutNV<3, gl_CooperativeMatrixClampModeConstantNV> layoutC = createTensorLayoutNV(3, gl_CooperativeMatrixClampModeConstantNV);
    layoutC = setTensorLayoutDimensionNV(layoutC, gl_NumWorkGroups.z, M, N);
    layoutC = setTensorLayoutStrideNV(layoutC, batchC, strideCM, 1);
    coopMatStoreTensorNV(sum, C, 0, sliceTensorLayoutNV(layoutC, gl_WorkGroupID.z, 1, row0, BM, column0, BN));
#endif
}
