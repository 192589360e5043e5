#version 460
// norm = sqrt(sum of squares); coefficient = min(1, maximum / (norm + 1e-6))
layout(local_size_x = 1) in;
layout(push_constant) uniform Push { float maximum; };
layout(binding = 0) readonly buffer SumOfSquares { float sumOfSquares[]; };  // [1]
layout(binding = 1) writeonly buffer Norm { float norm[]; };                 // [1]
layout(binding = 2) writeonly buffer Coefficient { float coefficient[]; };   // [1]

void main()
{
    float length = sqrt(sumOfSquares[0]);
    norm[0] = length;
    // Not min(): of a NaN it may return either argument, and a NaN must stay one as in the reference.
    float ratio = maximum / (length + 1e-6);
    coefficient[0] = ratio > 1 ? 1 : ratio;
}
