#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// trust[s] = |p| / |u| over the granules of parameter s; 1 where either norm is 0 or where the parameter does not decay. A subgroup owns a parameter.
layout(push_constant) uniform Push { uint count; uint granules; float weightDecay; };
layout(binding = 0) readonly buffer Squares { vec2 squares[]; };     // [granules] sums of p^2 and u^2
layout(binding = 1) readonly buffer Segments { uint segments[]; };   // [granules] the parameter that a granule belongs to, ascending
layout(binding = 2) readonly buffer Decay { float decay[]; };        // [granules]
layout(binding = 3) writeonly buffer Trust { float trust[]; };       // [count]

// The first granule of a parameter, by bisection.
uint firstOf(uint parameter)
{
    uint low = 0, high = granules;
    while (low < high)
    {
        uint middle = (low + high) / 2;
        if (segments[middle] < parameter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void main()
{
    uint parameter = rowIndex();
    if (parameter >= count)
        return;
    uint first = firstOf(parameter), end = firstOf(parameter + 1), step = rowLanes(), i = first + gl_SubgroupInvocationID;
    // Four sums at a time keep as many loads in flight, and a quarter of the roundings in each.
    vec2 a = vec2(0), b = vec2(0), c = vec2(0), d = vec2(0);
    for (; i + 3 * step < end; i += 4 * step)
    {
        a += squares[i];
        b += squares[i + step];
        c += squares[i + 2 * step];
        d += squares[i + 3 * step];
    }
    for (; i < end; i += step)
        a += squares[i];
    vec2 norms = sqrt(subgroupAdd((a + b) + (c + d)));
    if (subgroupElect())
        trust[parameter] = first < end && weightDecay * decay[first] != 0 && norms.x > 0 && norms.y > 0 ? norms.x / norms.y : 1;
}
