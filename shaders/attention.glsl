// Softmax attention over packed qkv [B, N, 3, H, D]; the N x N matrix is never stored. A lane owns ROWS rows of Q (or of K and V in
// the backward pass for them) in registers; the rows of the other side come one value a lane and are handed round by shuffles.
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SG = 8;     // subgroup size, the workgroup size
layout(constant_id = 2) const uint D = 64;     // head dimension
const uint PARTS = (D + SG - 1) / SG;          // values of a row that one lane holds when it is handed round

layout(push_constant) uniform Push { uint N, H; float scale; uint accumulate; };

// Element 0 of part 0, 1, 2 (q, k, v) of a token's head.
uint packedAt(uint token, uint part) { return ((gl_WorkGroupID.z * N + token) * 3 + part) * H * D + gl_WorkGroupID.y * D; }
// Element 0 of a token's head in [B, N, H, D].
uint headAt(uint token) { return ((gl_WorkGroupID.z * N + token) * H + gl_WorkGroupID.y) * D; }
// A token's element in [B, H, N].
uint statisticAt(uint token) { return (gl_WorkGroupID.z * H + gl_WorkGroupID.y) * N + token; }

// The token that a lane owns, clamped so that lanes past the end read what exists; they write nothing.
uint ownToken() { return gl_WorkGroupID.x * SG + gl_SubgroupInvocationID; }

#define LOAD_OWN(target, buffer, at) [[unroll]] for (uint d = 0; d < D; d++) target[d] = LOAD(buffer[(at) + d])
#define LOAD_PARTS(target, buffer, at) [[unroll]] for (uint p = 0; p < PARTS; p++) target[p] = LOAD(buffer[(at) + min(p * SG + gl_SubgroupInvocationID, D - 1)])
#define VALUE(parts, d) subgroupShuffle(parts[(d) / SG], (d) % SG)
