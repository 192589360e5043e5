// Where things lie in packed qkv [B, N, 3, H, D], in [B, N, H, D] and in [B, H, N]; a workgroup works on one head of one image.
#ifndef ADDRESSES
#define ADDRESSES
#endif
layout(push_constant) uniform Push { uint N, H; float scale; uint accumulate; ADDRESSES };

// Element 0 of part 0, 1, 2 (q, k, v) of a token's head.
uint packedAt(uint token, uint part) { return ((gl_WorkGroupID.z * N + token) * 3 + part) * H * D + gl_WorkGroupID.y * D; }
// Element 0 of a token's head in [B, N, H, D].
uint headAt(uint token) { return ((gl_WorkGroupID.z * N + token) * H + gl_WorkGroupID.y) * D; }
// A token's element in [B, H, N].
uint statisticAt(uint token) { return (gl_WorkGroupID.z * H + gl_WorkGroupID.y) * N + token; }
