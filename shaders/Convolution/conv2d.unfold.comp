#version 460
#extension GL_GOOGLE_include_directive : require
#include "../Shared/row_layout.glsl"
// columns[(c, ky, kx), b, (oy, ox)] = x[firstChannel + c, b, oy * stride + ky - padding, ox * stride + kx - padding], 0 outside;
// one subgroup a plane of columns
layout(push_constant) uniform Push { uint rows; uint firstChannel; uint batch; uint height; uint width; uint outHeight; uint outWidth; uint kernel; uint stride; int padding; };
layout(binding = 0) readonly buffer X { float x[]; };               // [channels, batch, height, width]
layout(binding = 1) writeonly buffer Columns { float columns[]; };  // [rows = (c, ky, kx), batch][outHeight * outWidth]

void main()
{
    uint row = rowIndex();
    if (row >= rows)
        return;
    uint image = row % batch, tap = row / batch;
    int offsetX = int(tap % kernel) - padding, offsetY = int(tap / kernel % kernel) - padding;
    uint plane = ((firstChannel + tap / (kernel * kernel)) * batch + image) * height * width, pixels = outHeight * outWidth;
    FOR_EACH_COLUMN(i, pixels)
    {
        int fromY = int(i / outWidth * stride) + offsetY, fromX = int(i % outWidth * stride) + offsetX;
        bool inside = fromY >= 0 && fromX >= 0 && fromY < int(height) && fromX < int(width);
        columns[row * pixels + i] = inside ? x[plane + uint(fromY) * width + uint(fromX)] : 0;
    }
}
