// Elementwise kernels: a workgroup takes ITEMS * workgroup size consecutive elements, neighbouring invocations neighbouring elements.
layout(local_size_x_id = 0) in;

const uint ITEMS = 4;

// The number of the workgroup when x and y are one long line: x alone ends at 65,535 on some devices.
uint workgroupIndex() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

#ifdef BY_ADDRESS
// A subgroup has a workgroup to itself, and counts the first of its lanes' elements, see own.glsl; `count` is a multiple of its size.
layout(constant_id = 1) const uint SG = 8;
const uint VECTORS_EACH = 64;  // of a subgroup
#include "own.glsl"
#define FOR_EACH_ELEMENT(i, count) \
    for (uint i = min(workgroupIndex() * SG * VECTORS_EACH, count) + gl_SubgroupInvocationID / SG, i##End = min(count, (workgroupIndex() + 1) * SG * VECTORS_EACH); i < i##End; i += SG)
#else
#define OWN(tensor, at) tensor[at]
#define STORE_OWN(tensor, at, mine) tensor[at] = mine
#define SHARED_BY_LANES(value) (value)
#define FOR_EACH_ELEMENT(i, count) \
    for (uint i = workgroupIndex() * gl_WorkGroupSize.x * ITEMS + gl_LocalInvocationID.x, i##End = min(count, (workgroupIndex() + 1) * gl_WorkGroupSize.x * ITEMS); i < i##End; i += gl_WorkGroupSize.x)
#endif
