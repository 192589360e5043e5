#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
//! variant f16 -DF16 -DRESULT16
//! variant bf16 -DBF16 -DRESULT16
#include "../Shared/storage.glsl"
#include "../Shared/elementwise_layout.glsl"
// C[m, n] = what matmul.epilogue.glsl makes of the sum of its parts, added in their order: of a product that was split along K, or of one
// whose kernel leaves the epilogue to this one. One part may lie in C or Z itself: each element is read before it is written.
layout(push_constant) uniform Push
{
    uint count;  // items of C: fours with FOURS, else elements
    uint N;
    uint parts;
    uint rowsPerSample;
};
layout(binding = 0) readonly buffer Parts_ { float part[]; };  // [parts, M, N]
layout(binding = 0) readonly buffer Parts4_ { vec4 part4[]; };
#define EPILOGUE_ID 1
#define EPILOGUE_BINDING 1
#include "matmul.epilogue.glsl"

void main()
{
    FOR_EACH_ELEMENT(i, count)
    {
        if ((EPILOGUE & FOURS) != 0)
        {
            vec4 sum = part4[i];
            for (uint p = 1; p < parts; p++)
                sum += part4[p * count + i];
            finish4(4 * i / N, 4 * i % N, 4 * i, sum);
        }
        else
        {
            float sum = part[i];
            for (uint p = 1; p < parts; p++)
                sum += part[p * count + i];
            finish(i / N, i % N, i, sum);
        }
    }
}
