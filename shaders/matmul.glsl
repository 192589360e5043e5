// C[m, n] (+)= sum over k of A[m, k] B[k, n] (+ bias[n]), for each of a batch. Strides in elements express every transposition.
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push
{
    uint M, N, K;
    uint strideAM, strideAK;  // of A[m, k]
    uint strideBK, strideBN;  // of B[k, n]
    uint strideCM;            // of C[m, n]; n is contiguous
    uint batchA, batchB, batchC;
    uint flags;
};
const uint ACCUMULATE = 1;  // add to C
const uint BIAS = 2;        // add bias[n]

layout(binding = 0) readonly buffer A_ { float A[]; };
layout(binding = 1) readonly buffer B_ { float B[]; };
layout(binding = 2) readonly buffer Bias_ { float bias[]; };
layout(binding = 3) buffer C_ { float C[]; };

// What C starts from before the first product is added.
float initial(uint at, uint n)
{
    float value = 0;
    if ((flags & ACCUMULATE) != 0)
        value = C[at];
    if ((flags & BIAS) != 0)
        value += bias[n];
    return value;
}
