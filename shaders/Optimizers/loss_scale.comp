#version 460
// Gradients of the scaled loss that are finite are unscaled and clipped; others skip the update and halve the scale.
layout(local_size_x = 1) in;
layout(push_constant) uniform Push { float maximum; float growthInterval; float smallest; float largest; };
layout(binding = 0) readonly buffer SumOfSquares { float sumOfSquares[]; };  // [1] of the scaled gradients
layout(binding = 1) buffer State { float state[]; };                         // [4] scale, finite updates in a row, skipped updates
layout(binding = 2) writeonly buffer Factor { float factor[]; };             // [1]
layout(binding = 3) writeonly buffer Apply { float apply[]; };               // [1]

void main()
{
    float scale = state[0], sum = sumOfSquares[0];
    // By its bits: a compiler that assumes finite numbers may drop isnan and isinf.
    bool finite = (floatBitsToUint(sum) & 0x7F800000u) != 0x7F800000u;
    float ratio = maximum / (sqrt(sum) / scale + 1e-6);
    factor[0] = finite ? (ratio > 1 ? 1 : ratio) / scale : 0;
    apply[0] = finite ? 1 : 0;
    float inARow = finite ? state[1] + 1 : 0;
    bool grows = inARow >= growthInterval;
    state[0] = finite ? (grows ? min(2 * scale, largest) : scale) : max(0.5 * scale, smallest);
    state[1] = grows ? 0 : inARow;
    state[2] = state[2] + (finite ? 0 : 1);
}
