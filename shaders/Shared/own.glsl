// For CPU drivers, which run the lanes of a subgroup as one vector. Who includes this defines SG, the number of lanes.
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Shared { float value[]; };

// A lane's own of SG neighbours. The driver's compiler makes one vector load of the loads, in a loop that tests before it runs.
float own(uint64_t from)
{
    float mine = Shared(from).value[0];
    [[unroll]] for (uint i = 1; i < SG; i++)
    {
        float value = Shared(from).value[i];
        mine = gl_SubgroupInvocationID == i ? value : mine;
    }
    return mine;
}
