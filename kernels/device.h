// The device's side of the prelude, and the only file with inline assembly: clang passes such text unchecked
// to the driver, so it stays where it can be read at one glance.
#pragma once
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define FP_LAUNCH_BOUNDS(threads, blocks) __attribute__((launch_bounds(threads, blocks)))
#define DEV static __attribute__((device)) inline __attribute__((always_inline))

#define FP_KERNEL(name, threads, blocks, Args, a) \
    extern "C" __global__ FP_LAUNCH_BOUNDS(threads, blocks) void FP_NAME(name)(const Args a)

extern __shared__ __attribute__((aligned(128))) unsigned char fp_dynamic[];

DEV unsigned char* smem() { return fp_dynamic; }
DEV int tid() { return (int)__nvvm_read_ptx_sreg_tid_x(); }
DEV int threads() { return (int)__nvvm_read_ptx_sreg_ntid_x(); }
DEV int bid_x() { return (int)__nvvm_read_ptx_sreg_ctaid_x(); }
DEV int bid_y() { return (int)__nvvm_read_ptx_sreg_ctaid_y(); }
DEV int bid_z() { return (int)__nvvm_read_ptx_sreg_ctaid_z(); }
DEV void sync() { __syncthreads(); }
DEV void sync_warp() { __nvvm_bar_warp_sync(~0u); }
DEV float shfl_xor(float v, int mask) { return __nvvm_shfl_sync_bfly_f32(~0u, v, mask, 31); }

// Powers below 2^-126 are zero: to keep subnormal ones, ptxas would put three instructions around the one.
DEV float ex2(float x) { return __nvvm_ex2_approx_ftz_f(x); }

// A reciprocal within one unit in the last place.
DEV float rcp(float x) { return __nvvm_rcp_approx_ftz_f(x); }

// A product that is rounded by itself, whatever is added to it.
DEV float mul_rn(float a, float b) { return __nvvm_mul_rn_f(a, b); }

DEV u32 shared_address(const void* p) { return (u32)(u64)(const __attribute__((address_space(3))) void*)p; }

// Holds a load where it stands: clang would move it behind branches, down to its use, and loads would wait for one another.
DEV void hold(u32x4& words)
{
    u32 a = words[0], b = words[1], c = words[2], d = words[3];
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
    words = u32x4{a, b, c, d};
}

// The same for numbers; and sums stay where they are beside instructions that start and await products.
template <int N> DEV void hold(float (&numbers)[N])
{
    UNROLL for (int i = 0; i < N; i++) asm volatile("" : "+f"(numbers[i])::"memory");
}

// Takes a number for a new one, so that what follows from it is computed where it is used, and held in no register before.
DEV void hold(int& number) { asm volatile("" : "+r"(number)); }

// Sixteen bytes to shared memory; zeros where the source is masked out.
DEV void cp_async16(void* to, const void* from, bool valid)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(valid ? 16 : 0) : "memory");
}

DEV void cp_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most N of the newest groups are under way.
template <int N> DEV void cp_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// Four 8x8 matrices of halves; lane l gives the address of row l mod 8 of matrix l / 8.
DEV void ldsm4(u32 (&r)[4], const void* row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

DEV void ldsm4t(u32 (&r)[4], const void* row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}

// Two floats as halves, rounded to nearest even; the first in the lower half of the word.
DEV u32 brain2(float low, float high) { return __builtin_bit_cast(u32, __nvvm_ff2bf16x2_rn(high, low)); }
DEV u32 float16_2(float low, float high) { return __builtin_bit_cast(u32, __nvvm_ff2f16x2_rn(high, low)); }

// c += a b: 16x16 times 16x8 halves, summed in float32.
DEV void mma16816(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." FP_HALF "." FP_HALF ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
