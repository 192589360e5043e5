// The sum over k of A[m, k] B[k, n] for each of a batch; matmul.epilogue.glsl makes C[m, n] of it. Strides in elements express every
// transposition. A product that is split along K is a batch of products of its parts, of which the last may be less deep.
// A and B have the type of storage.glsl. With -DVECTORS they are read eight 16-bit elements at a time.
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push
{
    uint M, N, K;
    uint strideAM, strideAK;  // of A[m, k]; where matmul.columns.comp has A in strips, from a strip to the next
    uint strideBK, strideBN;  // of B[k, n]
    uint strideCM;            // of C[m, n]; n is contiguous
    uint batchA, batchB, batchC;
    uint lastK;               // K of the last of the batch
    uint rowsPerSample;       // rows of C that share a factor
#ifdef BY_ADDRESS
    uint64_t addressE, addressA, addressB;  // which have no bindings then
#endif
};

#ifdef VECTORS
layout(binding = 0) readonly buffer A_ { uvec4 A[]; };
layout(binding = 1) readonly buffer B_ { uvec4 B[]; };
#elif !defined(BY_ADDRESS)
layout(binding = 0) readonly buffer A_ { ELEMENT A[]; };
layout(binding = 1) readonly buffer B_ { ELEMENT B[]; };
#endif
#ifdef BY_ADDRESS
#define EPILOGUE_BINDING 0
#else
#define EPILOGUE_BINDING 2
#endif
#include "matmul.epilogue.glsl"

// The K of this workgroup's product.
uint depthHere() { return gl_WorkGroupID.z + 1 == gl_NumWorkGroups.z ? lastK : K; }
