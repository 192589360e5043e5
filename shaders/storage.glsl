// The element type of a tensor: float, or with -DF16 or -DBF16 one of 16 bits, in which nothing is computed: LOAD and STORE convert at
// each access, LOAD4 and STORE4 four neighbours. bfloat16 is moved as bits, so that it needs no extension of the device but 16-bit storage.
#if defined(F16)
#extension GL_EXT_shader_16bit_storage : require
#define ELEMENT float16_t
#define LOAD(value) float(value)
#define STORE(value) float16_t(value)
#define ELEMENT4 f16vec4
#define LOAD4(value) vec4(value)
#define STORE4(value) f16vec4(value)
#elif defined(BF16)
#extension GL_EXT_shader_16bit_storage : require
#include "half.glsl"
#define ELEMENT uint16_t
#define LOAD(value) decodeBF16(uint(value))
#define STORE(value) uint16_t(encodeBF16(value))
#define ELEMENT4 u16vec4
#define LOAD4(value) uintBitsToFloat(uvec4(value) << 16)
#define STORE4(value) u16vec4(uvec4(encodeBF16((value).x), encodeBF16((value).y), encodeBF16((value).z), encodeBF16((value).w)))
#else
#define ELEMENT float
#define LOAD(value) (value)
#define STORE(value) (value)
#define ELEMENT4 vec4
#define LOAD4(value) (value)
#define STORE4(value) (value)
#endif
