#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/elementwise_layout.glsl"
// y[i] = value
layout(push_constant) uniform Push { uint count; float value; };
layout(binding = 0) writeonly buffer Y { float y[]; };

void main()
{
    FOR_EACH_ELEMENT(i, count)
        y[i] = value;
}
