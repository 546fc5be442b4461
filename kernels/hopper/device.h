// Hopper's own instructions (sm_90a), on the device: the rest of the inline assembly, beside ../device.h.
#pragma once
#include "descriptor.h"
#define FP_ALIGNED_ARGUMENT __attribute__((aligned(64)))

// Where a kernel's argument lies: clang would copy it to local memory, of which tensor maps cannot be read.
#define FP_STRING(text) FP_STRING_OF(text)
#define FP_STRING_OF(text) #text
#define FP_ARGUMENT(kernel, a) fp_argument_of_##kernel()
#define FP_ARGUMENT_OF(kernel) \
    DEV u64 fp_argument_of_##kernel() \
    { \
        u64 at; \
        asm volatile("{\n.reg .b64 t;\nmov.b64 t, " FP_STRING(FP_NAME(kernel)) "_param_0;\ncvta.param.u64 %0, t;\n}" : "=l"(at)); \
        return at; \
    }

// Lets the next launch begin, where it may begin early and finds room.
DEV void let_next_begin() { asm volatile("griddepcontrol.launch_dependents;" ::: "memory"); }

// Waits until what was launched before has ended, and all that it wrote is there. Nothing of a plan may be read or written before.
DEV void await_launches() { asm volatile("griddepcontrol.wait;" ::: "memory"); }

// Read anew wherever it is wanted: a register is dearer.
DEV int blocks()
{
    int count;
    asm volatile("mov.u32 %0, %%nctaid.x;" : "=r"(count));
    return count;
}

DEV int block()
{
    int number;
    asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(number));
    return number;
}

DEV void barrier_init(u64* barrier, int arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

// Makes fresh barriers known to the engine that copies tensors.
DEV void barrier_publish() { asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;" ::: "memory"); }

DEV void barrier_arrive(u64* barrier)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}

// Arrives, and lets the phase wait for so many bytes.
DEV void barrier_expect(u64* barrier, int bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes) : "memory");
}

// Waits until the phase of this parity has ended.
DEV void barrier_wait(u64* barrier, int parity)
{
    asm volatile("{\n.reg .pred p;\nAGAIN%=:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@!p bra AGAIN%=;\n}" ::"r"(shared_address(barrier)),
                 "r"(parity) : "memory");
}

// A box of a tensor to shared memory; zeros beyond the tensor's edges.
DEV void tensor_load2(void* to, u64 map, u64* barrier, int x0, int x1)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(shared_address(to)),
                 "l"(map), "r"(shared_address(barrier)), "r"(x0), "r"(x1) : "memory");
}

DEV void tensor_load3(void* to, u64 map, u64* barrier, int x0, int x1, int x2)
{
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(shared_address(to)),
                 "l"(map), "r"(shared_address(barrier)), "r"(x0), "r"(x1), "r"(x2) : "memory");
}

DEV void tensor_load4(void* to, u64 map, u64* barrier, int x0, int x1, int x2, int x3)
{
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(shared_address(to)),
                 "l"(map), "r"(shared_address(barrier)), "r"(x0), "r"(x1), "r"(x2), "r"(x3) : "memory");
}

// A box from shared memory to a tensor; what lies beyond the tensor's edges is left out.
DEV void tensor_store4(const void* from, u64 map, int x0, int x1, int x2, int x3)
{
    asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4, %5}], [%1];" ::"l"(map), "r"(shared_address(from)), "r"(x0),
                 "r"(x1), "r"(x2), "r"(x3) : "memory");
}

DEV void tensor_stores_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }

// Waits until shared memory has been read by all boxes that this thread sent off.
DEV void tensor_stores_read() { asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory"); }

// Makes what a thread wrote to shared memory known to the engine that copies tensors.
DEV void tensors_publish() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Registers move from the warps that only copy to those that multiply.
template <int N> DEV void registers_down() { asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N)); }
template <int N> DEV void registers_up() { asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N)); }

DEV void products_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
DEV void products_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits for all 128 threads of one's warpgroup, whose number is held in no register from tile to tile.
DEV void sync_group()
{
    int thread = tid();
    hold(thread);
    asm volatile("bar.sync %0, 128;" ::"r"(thread / 128 + 1) : "memory");
}

// What was written before is seen by whoever sees what is written behind.
DEV void fence_device() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }

DEV u32 atomic_add(u32* to, u32 by)
{
    u32 before;
    asm volatile("atom.global.add.u32 %0, [%1], %2;" : "=r"(before) : "l"(to), "r"(by) : "memory");
    return before;
}

// Past the first-level cache, which does not know what other blocks wrote.
DEV f32x4 load_fresh(const float* from)
{
    f32x4 v;
    float x, y, z, w;
    asm volatile("ld.global.cg.v4.f32 {%0,%1,%2,%3}, [%4];" : "=f"(x), "=f"(y), "=f"(z), "=f"(w) : "l"(from) : "memory");
    v[0] = x, v[1] = y, v[2] = z, v[3] = w;
    return v;
}

// With all that was written before it.
DEV u32 load_fresh(const u32* from)
{
    u32 v;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(from) : "memory");
    return v;
}

// Whether it holds for any thread of the warp.
DEV bool any(bool condition) { return __nvvm_vote_any_sync(~0u, condition); }

// For registers that products under way still read, as for their sums (../device.h).
template <int N> DEV void hold(u32 (&words)[N])
{
    UNROLL for (int i = 0; i < N; i++) asm volatile("" : "+r"(words[i])::"memory");
}

// Waits until at most N of the newest groups of products are under way.
template <int N> DEV void products_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory"); }

#define FP_SUMS8(s, i) "+f"(s[i]), "+f"(s[i + 1]), "+f"(s[i + 2]), "+f"(s[i + 3]), "+f"(s[i + 4]), "+f"(s[i + 5]), "+f"(s[i + 6]), "+f"(s[i + 7])
#define FP_SUMS64(s) FP_SUMS8(s, 0), FP_SUMS8(s, 8), FP_SUMS8(s, 16), FP_SUMS8(s, 24), FP_SUMS8(s, 32), FP_SUMS8(s, 40), FP_SUMS8(s, 48), FP_SUMS8(s, 56)
#define FP_NAMES64 \
    "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31," \
    "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"

// sums (+)= left right: 64x16 halves times 16xN halves, both along k in shared memory; four warps together.
DEV void warpgroup_multiply(float (&s)[64], u32 left, u32 right, int accumulate)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\nwgmma.mma_async.sync.aligned.m64n128k16.f32." FP_HALF "." FP_HALF " {" FP_NAMES64
                 "}, %64, %65, p, 1, 1, 0, 0;\n}" : FP_SUMS64(s) : "l"(descriptor(left)), "l"(descriptor(right)), "r"(accumulate) : "memory");
}

DEV void warpgroup_multiply(float (&s)[96], u32 left, u32 right, int accumulate)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %98, 0;\nwgmma.mma_async.sync.aligned.m64n192k16.f32." FP_HALF "." FP_HALF " {" FP_NAMES64
                 ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95}, %96, %97, p, 1, 1, 0, 0;\n}"
                 : FP_SUMS64(s), FP_SUMS8(s, 64), FP_SUMS8(s, 72), FP_SUMS8(s, 80), FP_SUMS8(s, 88) : "l"(descriptor(left)), "l"(descriptor(right)), "r"(accumulate) : "memory");
}

DEV void warpgroup_multiply(float (&s)[80], u32 left, u32 right, int accumulate)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %82, 0;\nwgmma.mma_async.sync.aligned.m64n160k16.f32." FP_HALF "." FP_HALF " {" FP_NAMES64
                 ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79}, %80, %81, p, 1, 1, 0, 0;\n}"
                 : FP_SUMS64(s), FP_SUMS8(s, 64), FP_SUMS8(s, 72) : "l"(descriptor(left)), "l"(descriptor(right)), "r"(accumulate) : "memory");
}

// sums += left right: 64x16 halves in registers (a fragment of mma.sync for each warp's sixteen rows) times 16x64 halves whose rows are k.
DEV void warpgroup_multiply_rows(float (&s)[32], const u32 (&left)[4], u32 right)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." FP_HALF "." FP_HALF " {"
                 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
                 "}, {%32,%33,%34,%35}, %36, 1, 1, 1, 1;"
                 : FP_SUMS8(s, 0), FP_SUMS8(s, 8), FP_SUMS8(s, 16), FP_SUMS8(s, 24)
                 : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(descriptor(right)) : "memory");
}
