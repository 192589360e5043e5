#version 460
#extension GL_GOOGLE_include_directive : require
//! variant f16 -DF16
//! variant bf16 -DBF16
//! variant f16_stream -DF16 -DSTREAM16
//! variant bf16_stream -DBF16 -DSTREAM16
//! variant address -DBY_ADDRESS
#include "../Shared/storage.glsl"
#include "../Shared/row_layout.glsl"
#include "../Shared/four.glsl"
// g = dy * weight; dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), one subgroup a row
#ifdef BY_ADDRESS
#define ADDRESSES uint64_t xAddress, weightAddress, dyAddress, dxAddress;
#else
#define ADDRESSES
layout(binding = 1) readonly buffer X { STREAM x[]; };
layout(binding = 1) readonly buffer X4 { STREAM4 x4[]; };
layout(binding = 2) readonly buffer Weight { float weight[]; };
layout(binding = 2) readonly buffer Weight4 { vec4 weight4[]; };
layout(binding = 3) readonly buffer Dy { ELEMENT dy[]; };
layout(binding = 3) readonly buffer Dy4 { ELEMENT4 dy4[]; };
layout(binding = 4) buffer Dx { STREAM dx[]; };
layout(binding = 4) buffer Dx4 { STREAM4 dx4[]; };
#endif
layout(push_constant) uniform Push { uint rows; uint columns; uint accumulate; ADDRESSES };
layout(binding = 0) readonly buffer Statistics { vec2 statistics[]; };
DECLARE_FOUR(x, LOAD_STREAM)
DECLARE_FOUR(weight, FLOATS)
DECLARE_FOUR(dy, LOAD)
DECLARE_FOUR(dx, LOAD_STREAM)

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint start = ROW_WITHIN(row, rows) * columns;
    vec2 meanRstd = statistics[row];
    vec4 sumG = vec4(0), sumGX = vec4(0);
    FOR_EACH_FOUR(i, columns)
    {
        vec4 g = dyFour(start + i, columns - i) * weightFour(i, columns - i);  // zero after the end of the row
        sumG += g;
        sumGX += g * (xFour(start + i, columns - i) - meanRstd.x);
    }
    float meanG = subgroupAdd(sumOf(sumG)) / columns;
    float meanGX = subgroupAdd(sumOf(sumGX)) * meanRstd.y / columns;
    FOR_EACH_FOUR(i, columns)
    {
        vec4 xhat = (xFour(start + i, columns - i) - meanRstd.x) * meanRstd.y;
        vec4 value = meanRstd.y * (dyFour(start + i, columns - i) * weightFour(i, columns - i) - meanG - xhat * meanGX);
        if (accumulate != 0)
            value += dxFour(start + i, columns - i);
        STORE_FOUR(dx, STORE_STREAM, start + i, columns - i, value);
    }
}
