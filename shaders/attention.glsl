// Softmax attention over packed qkv [B, N, 3, H, D]; the N x N matrix is never stored. A lane owns a row of Q (or of K and V in the
// backward pass for them) in registers; the rows of the other side come four neighbours a lane, and shuffles hand them round.
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SG = 8;       // subgroup size, the workgroup size
layout(constant_id = 2) const uint D = 64;       // head dimension
const bool VECTORS = D % 4 == 0;
const uint PARTS = (D + 4 * SG - 1) / (4 * SG);  // four values of a row that one lane holds when it is handed round

#include "attention.layout.glsl"

// The token that a lane owns, clamped so that lanes past the end read what exists; they write nothing.
uint ownToken() { return gl_WorkGroupID.x * SG + gl_SubgroupInvocationID; }

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
#define LOAD_PARTS(target, tensor, at) [[unroll]] for (uint p = 0; p < PARTS; p++) target[p] = FOUR(tensor, at, (p * SG + gl_SubgroupInvocationID) * 4)
#define VALUE(parts, d) subgroupShuffle(parts[(d) / (4 * SG)][(d) % 4], (d) / 4 % SG)
// Dot products are added up in four parts: one sum would wait for each addition.
#define SUM(parts) ((parts.x + parts.y) + (parts.z + parts.w))
