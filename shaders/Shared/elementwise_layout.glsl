// Elementwise kernels: a workgroup takes ITEMS * workgroup size consecutive elements, neighbouring invocations neighbouring elements.
layout(local_size_x_id = 0) in;

const uint ITEMS = 4;

// The number of the workgroup when x and y are one long line: x alone ends at 65,535 on some devices.
uint workgroupIndex() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

#define FOR_EACH_ELEMENT(i, count) \
    for (uint i = workgroupIndex() * gl_WorkGroupSize.x * ITEMS + gl_LocalInvocationID.x, i##End = min(count, (workgroupIndex() + 1) * gl_WorkGroupSize.x * ITEMS); i < i##End; i += gl_WorkGroupSize.x)
