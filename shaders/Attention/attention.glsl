// Softmax attention over packed qkv [B, N, 3, H, D]; the N x N matrix is never stored. A lane owns OWN rows of Q (or of K and V in the
// backward pass for them) in registers; those of the other side come OTHERS at a time. Four neighbours a lane come, and shuffles hand them
// round. With -DBY_ADDRESS they stay in memory, and every lane reads the element that all need, by an address that all share: CPU drivers
// make one scalar load and a broadcast of that.
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SG = 8;       // subgroup size, the workgroup size
layout(constant_id = 2) const uint D = 64;       // head dimension
layout(constant_id = 3) const uint OWN = 1;
layout(constant_id = 4) const uint OTHERS = 4;
const bool VECTORS = D % 4 == 0;
const uint PARTS = (D + 4 * SG - 1) / (4 * SG);  // four values of a row that one lane holds when it is handed round
const uint CHAINS = OWN * OTHERS == 1 ? 4 : 2;  // parts of a sum

#ifdef BY_ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Shared { float value[]; };
#endif
#include "attention.layout.glsl"

// The tokens that a lane owns. Where one is past the end, another is read; nothing is written.
uint ownToken(uint j) { return (gl_WorkGroupID.x * OWN + j) * SG + gl_SubgroupInvocationID; }

// Four neighbours of a tensor that is declared as scalars and, with a 4 to its name, as vectors; past the end of a row its last value.
// Tensors of 16 bits are declared as scalars alone.
#if defined(F16) || defined(BF16)
#define SCALARS_ALONE
#define FOUR(tensor, at, d) vec4(LOAD(tensor[(at) + min(d, D - 1)]), LOAD(tensor[(at) + min((d) + 1, D - 1)]), \
    LOAD(tensor[(at) + min((d) + 2, D - 1)]), LOAD(tensor[(at) + min((d) + 3, D - 1)]))
#define STORE_OWN(tensor, at, source, before) [[unroll]] for (uint d = 0; d < D; d += 4) { \
    vec4 four = vec4(source[d], source[min(d + 1, D - 1)], source[min(d + 2, D - 1)], source[min(d + 3, D - 1)]) + (before); \
    [[unroll]] for (uint i = 0; i < min(4, D - d); i++) tensor[(at) + d + i] = STORE(four[i]); }
#else
#define FOUR(tensor, at, d) (VECTORS ? tensor##4[((at) + min(d, D - 4)) / 4] : vec4(tensor[(at) + min(d, D - 1)], \
    tensor[(at) + min((d) + 1, D - 1)], tensor[(at) + min((d) + 2, D - 1)], tensor[(at) + min((d) + 3, D - 1)]))
// `before` may name d, the first of four elements. Element by element, because a branch around all of them spills all of them.
#define STORE_OWN(tensor, at, source, before) [[unroll]] for (uint d = 0; d < D; d += 4) { \
    vec4 four = vec4(source[d], source[min(d + 1, D - 1)], source[min(d + 2, D - 1)], source[min(d + 3, D - 1)]) + (before); \
    if (VECTORS) tensor##4[((at) + d) / 4] = four; \
    else [[unroll]] for (uint i = 0; i < min(4, D - d); i++) tensor[(at) + d + i] = four[i]; }
#endif
#define LOAD_OWN(target, tensor, at) [[unroll]] for (uint d = 0; d < D; d += 4) { \
    vec4 four = FOUR(tensor, at, d); [[unroll]] for (uint i = 0; i < min(4, D - d); i++) target[d + i] = four[i]; }
#define ADDED_TO(tensor, at) (accumulate != 0 ? FOUR(tensor, at, d) : vec4(0))
// Rows of the other side, of which VALUE is an element. An address is always that of a row that is there, also in a branch that no lane
// takes: see matmul.columns.comp.
#ifdef BY_ADDRESS
#define OTHER_ROWS(name) uint64_t name[OTHERS]
#define LOAD_OTHER(target, tensor, at) target = tensor##Address + uint64_t(at) * 4
#define VALUE(row, d) Shared(row).value[d]
// The address again, plus a zero that the compiler does not know to be one. It would read all elements once otherwise, and keep them on
// the stack until they are wanted again, where a read is part of the instruction that wants it.
#define AGAIN(row) ((row) + uint64_t(accumulate >> 1))
#define MULTIPLY_ADD(a, b, c) c = fma(a, b, c)
#else
#define OTHER_ROWS(name) vec4 name[OTHERS][PARTS]
#define LOAD_OTHER(target, tensor, at) [[unroll]] for (uint p = 0; p < PARTS; p++) target[p] = FOUR(tensor, at, (p * SG + gl_SubgroupInvocationID) * 4)
#define AGAIN(parts) parts
#define VALUE(parts, d) subgroupShuffle(parts[(d) / (4 * SG)][(d) % 4], (d) / 4 % SG)
#define MULTIPLY_ADD(a, b, c) c += (a) * (b)
#endif
// results[i][j] = others[i] . own[j]. A dot product is added up in parts: one sum would wait for each addition.
#define DOTS(results, own, others) { \
    vec4 dots[OTHERS][OWN]; \
    [[unroll]] for (uint i = 0; i < OTHERS; i++) \
        [[unroll]] for (uint j = 0; j < OWN; j++) \
            dots[i][j] = vec4(0); \
    [[unroll]] for (uint d = 0; d < D; d++) \
        [[unroll]] for (uint i = 0; i < OTHERS; i++) { \
            float value = VALUE(others[i], d); \
            [[unroll]] for (uint j = 0; j < OWN; j++) \
                MULTIPLY_ADD(value, own[j][d], dots[i][j][d % CHAINS]); \
        } \
    [[unroll]] for (uint i = 0; i < OTHERS; i++) \
        [[unroll]] for (uint j = 0; j < OWN; j++) \
            results[i][j] = (dots[i][j].x + dots[i][j].y) + (dots[i][j].z + dots[i][j].w); \
    }
// sums[j] += weights[i][j] others[i] over all i
#define ADD_PRODUCTS(sums, weights, others) \
    [[unroll]] for (uint d = 0; d < D; d++) \
        [[unroll]] for (uint i = 0; i < OTHERS; i++) { \
            float value = VALUE(AGAIN(others[i]), d); \
            [[unroll]] for (uint j = 0; j < OWN; j++) \
                MULTIPLY_ADD(weights[i][j], value, sums[j][d]); \
        }
