// C[m, n] (+)= sum over k of A[m, k] B[k, n] (+ bias[n]), for each of a batch. Strides in elements express every transposition.
// A and B have the type of storage.glsl, C too with -DRESULT16, else it is float. With -DVECTORS A and B are read eight 16-bit elements
// at a time.
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

#ifdef VECTORS
layout(binding = 0) readonly buffer A_ { uvec4 A[]; };
layout(binding = 1) readonly buffer B_ { uvec4 B[]; };
#else
layout(binding = 0) readonly buffer A_ { ELEMENT A[]; };
layout(binding = 1) readonly buffer B_ { ELEMENT B[]; };
#endif
layout(binding = 2) readonly buffer Bias_ { float bias[]; };
#ifdef RESULT16
layout(binding = 3) buffer C_ { ELEMENT C[]; };
#define LOAD_C(at) LOAD(C[at])
#define STORE_C(at, value) C[at] = STORE(value)
#else
layout(binding = 3) buffer C_ { float C[]; };
#define LOAD_C(at) C[at]
#define STORE_C(at, value) C[at] = value
#endif

// What C starts from before the first product is added.
float initial(uint at, uint n)
{
    float value = 0;
    if ((flags & ACCUMULATE) != 0)
        value = LOAD_C(at);
    if ((flags & BIAS) != 0)
        value += bias[n];
    return value;
}
