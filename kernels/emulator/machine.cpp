// Blocks as cooperative fibers with a context switch of our own: a few nanoseconds, where swapcontext's system call takes hundreds.
// Each of the host's cores runs a block of its own, in the order of blocks; a thread never leaves its core.
#include "../common.h"
#include "cores.h"
#include "machine.h"
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" void fp_switch(void** save, void* to);
asm(R"(
.text
.globl fp_switch
.hidden fp_switch
.type fp_switch, @function
fp_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");

namespace emulator
{
constexpr int WARP = 32, MOST_THREADS = 1024;
// Not a power of two: the ends of stacks that lie so far apart share few sets of the caches, and every switch would miss.
constexpr size_t STACK = (64 << 10) + 576;

struct Copy
{
    void* to;
    const void* from;
    bool valid;
};

struct Thread
{
    void* stack_pointer;
    int tid;
    // Whether it waited for the launches before its own.
    bool alive, waited;
    unsigned warp_phase;
    std::vector<std::vector<Copy>> groups;
    std::vector<Copy> open;
};

// One collective of a warp: what lanes bring, and what they take away. Two, since a quick lane may bring the next.
struct Exchange
{
    float values[WARP];
    const unsigned char* rows[WARP];
    u32 left[WARP][4], right[WARP][2], words[WARP][4];
    float sums[WARP][4];
};

struct Warp
{
    int arrived;
    unsigned phase;
    Exchange exchange[2];
};

// A block that runs.
struct Running
{
    int alive, arrived;
    unsigned phase = 0;
    unsigned char* shared = (unsigned char*)aligned_alloc(128, 256 << 10);
};

// One of the host's cores, with the block that runs there.
struct Core
{
    int number;
    Thread threads[MOST_THREADS] = {};
    Warp warps[MOST_THREADS / WARP];
    unsigned char* stacks = (unsigned char*)aligned_alloc(64, MOST_THREADS * STACK);
    Running block;
    void* scheduler;
};

OF_CORE Thread* current;
OF_CORE Place place;
bool deferred_copies, reverse_threads;

static OF_CORE Core* s_core;
static Core* s_cores[MOST_CORES];
static Kernel* s_kernels;
static Kernel* s_running;
static void** s_parameters;
static size_t s_shared_bytes;
static bool s_early;

Kernel::Kernel(const char* name, void (*run)(void**), int most_threads, int argument_bytes)
    : name(name), run(run), most_threads(most_threads), argument_bytes(argument_bytes), next(s_kernels)
{
    s_kernels = this;
}

Kernel* find(const char* name)
{
    for (Kernel* kernel = s_kernels; kernel; kernel = kernel->next)
        if (!strcmp(kernel->name, name)) return kernel;
    return nullptr;
}

[[noreturn]] void fail(const char* what)
{
    fprintf(stderr, "emulator: %s: %s, thread %d of block (%d, %d, %d)\n", s_running->name, what, place.tid, place.bid_x, place.bid_y, place.bid_z);
    abort();
}

// The next thread behind one in the order of threads, first behind last, that has not ended; null for none.
static Thread* next_thread(const Thread* self)
{
    int count = place.threads, at = self->tid;
    for (int i = 0; s_core->block.alive > 0 && i < count; i++)
    {
        at = reverse_threads ? at == 0 ? count - 1 : at - 1 : at == count - 1 ? 0 : at + 1;
        if (s_core->threads[at].alive) return s_core->threads + at;
    }

    return nullptr;
}

// Passes control to the next thread; when all have ended, to the core.
static void yield()
{
    Thread* self = current;
    Thread* next = next_thread(self);
    if (next == self) return;
    if (next)
    {
        current = next;
        place.tid = next->tid;
    }

    fp_switch(&self->stack_pointer, next ? next->stack_pointer : s_core->scheduler);
}

template <class Done> static void wait_for(Done done)
{
    for (int spins = 0; !done(); spins++)
    {
        if (spins > 1000000) fail("waits forever: some thread never arrives");
        yield();
    }
}

void wait_until(const std::function<bool()>& done) { wait_for(done); }

void barrier()
{
    Running& all = s_core->block;
    unsigned phase = all.phase;
    auto all_arrived = [&] { return all.arrived == all.alive && (all.arrived = 0, ++all.phase, true); };
    all.arrived++;
    if (!all_arrived()) wait_for([&] { return all.phase != phase || all_arrived(); });
}

void await_launches() { current->waited = true; }

void check_awaited()
{
    if (s_early && !current->waited) fail("did not wait for the launches before its own");
}

// Brings something, waits for all lanes; the last to arrive computes for all.
template <class Bring, class Compute> static Exchange& collective(Bring bring, Compute compute)
{
    Thread* self = current;
    Warp& warp = s_core->warps[(self - s_core->threads) / WARP];
    unsigned phase = self->warp_phase++;
    Exchange& exchange = warp.exchange[phase % 2];
    bring(exchange, self->tid % WARP);
    if (++warp.arrived == WARP)
    {
        warp.arrived = 0;
        compute(exchange);
        warp.phase++;
    }
    else
    {
        wait_for([&] { return warp.phase != phase; });
    }

    return exchange;
}

void warp_barrier()
{
    collective([](Exchange&, int) {}, [](Exchange&) {});
}

float shuffle_xor(float value, int mask)
{
    int lane = current->tid % WARP;
    return collective([=](Exchange& e, int l) { e.values[l] = value; }, [](Exchange&) {}).values[lane ^ mask];
}

static void check_aligned(const void* p)
{
    if ((u64)p % 16) fail("an address is no multiple of 16");
}

static void check_shared(const void* p)
{
    auto at = (const unsigned char*)p;
    if (at < place.shared || at + 16 > place.shared + place.shared_bytes) fail("an address lies outside shared memory");
}

static void copy(const Copy& c)
{
    if (c.valid) memcpy(c.to, c.from, 16);
    else memset(c.to, 0, 16);
}

void copy16(void* to, const void* from, bool valid)
{
    check_aligned(to);
    check_aligned(from);
    check_shared(to);
    Copy c = {to, from, valid};
    if (deferred_copies) current->open.push_back(c);
    else copy(c);
}

void commit()
{
    if (!deferred_copies) return;
    current->groups.push_back(std::move(current->open));
    current->open.clear();
}

void wait(int groups)
{
    auto& waiting = current->groups;
    while ((int)waiting.size() > groups)
    {
        for (const Copy& c : waiting.front()) copy(c);
        waiting.erase(waiting.begin());
    }
}

void load_matrices(u32* r, const void* row, bool transposed)
{
    check_aligned(row);
    check_shared(row);
    int lane = current->tid % WARP;
    auto& exchange = collective(
        [=](Exchange& e, int l) { e.rows[l] = (const unsigned char*)row; },
        [=](Exchange& e) {
            for (int l = 0; l < WARP; l++)
                for (int m = 0; m < 4; m++)
                {
                    unsigned short low, high;
                    int a = l / 4, b = l % 4 * 2;
                    memcpy(&low, transposed ? e.rows[m * 8 + b] + a * 2 : e.rows[m * 8 + a] + b * 2, 2);
                    memcpy(&high, transposed ? e.rows[m * 8 + b + 1] + a * 2 : e.rows[m * 8 + a] + b * 2 + 2, 2);
                    e.words[l][m] = low | (u32)high << 16;
                }
        });
    memcpy(r, exchange.words[lane], 16);
}

// Halves are put in order as words and widened in runs, so that the compiler makes vectors of it.
template <bool OF_BRAIN> static void product(Exchange& e)
{
    alignas(64) unsigned short left[16][16], right[8][16];
    alignas(64) float a[16][16], bt[8][16], b[16][8], c[16][8];
    for (int l = 0; l < WARP; l++)
    {
        int row = l / 4, column = l % 4 * 2;
        for (int i = 0; i < 4; i++)
        {
            memcpy(&left[row + i % 2 * 8][column + i / 2 * 8], &e.left[l][i], 4);
            c[row + i / 2 * 8][column + i % 2] = e.sums[l][i];
        }

        for (int i = 0; i < 2; i++) memcpy(&right[row][column + i * 8], &e.right[l][i], 4);
    }

    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 16; k++) a[i][k] = widen(left[i][k], OF_BRAIN);
    for (int j = 0; j < 8; j++)
        for (int k = 0; k < 16; k++) bt[j][k] = widen(right[j][k], OF_BRAIN);
    for (int k = 0; k < 16; k++)
        for (int j = 0; j < 8; j++) b[k][j] = bt[j][k];
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 16; k++)
            for (int j = 0; j < 8; j++) c[i][j] += a[i][k] * b[k][j];
    for (int l = 0; l < WARP; l++)
        for (int i = 0; i < 4; i++) e.sums[l][i] = c[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2];
}

void multiply(float* c, const u32* a, u32 b0, u32 b1, bool brain)
{
    int lane = current->tid % WARP;
    auto& exchange = collective(
        [=](Exchange& e, int l) {
            memcpy(e.left[l], a, 16);
            memcpy(e.sums[l], c, 16);
            e.right[l][0] = b0;
            e.right[l][1] = b1;
        },
        brain ? product<true> : product<false>);
    memcpy(c, exchange.sums[lane], 16);
}

static void thread_main()
{
    s_running->run(s_parameters);
    if (!current->open.empty() || !current->groups.empty())
    {
        for (auto& group : current->groups)
            if (!group.empty()) fail("ends with copies that nobody waited for");
        if (!current->open.empty()) fail("ends with copies that nobody committed");
        current->groups.clear();
    }

    hopper_thread_ends();
    check_awaited();
    current->alive = false;
    s_core->block.alive--;
    yield();
    abort();
}

static void run_block(Core& core, int count)
{
    memset(core.block.shared, 0xFF, s_shared_bytes);
    core.block.alive = count;
    core.block.arrived = 0;
    hopper_block_begins();
    for (int w = 0; w < (count + WARP - 1) / WARP; w++) core.warps[w].arrived = 0, core.warps[w].phase = 0;
    for (int t = 0; t < count; t++)
    {
        Thread& thread = core.threads[t];
        thread.tid = t;
        thread.alive = true;
        thread.waited = false;
        thread.warp_phase = 0;
        // The switch pops six registers and returns into thread_main, which expects the stack 8 off a multiple of 16.
        void** top = (void**)(core.stacks + (t + 1) * STACK) - 1;
        *--top = (void*)thread_main;
        thread.stack_pointer = top - 6;
    }

    current = core.threads + (reverse_threads ? count - 1 : 0);
    place.tid = current->tid;
    fp_switch(&core.scheduler, current->stack_pointer);
    hopper_block_ends();
}

void launch(Kernel* kernel, const unsigned (&grid)[3], unsigned threads, size_t shared_bytes, bool early, void** parameters)
{
    s_running = kernel;
    s_parameters = parameters;
    s_shared_bytes = shared_bytes;
    s_early = early;
    blocks = (int)grid[0];
    u64 next = 0;
    const u64 count = (u64)grid[0] * grid[1] * grid[2];
    on_cores(count, [&](int number) {
        auto& core = s_cores[number];
        if (!core) core = new Core;
        s_core = core;
        core->number = number;
        hopper_enter(number);
        for (u64 at; (at = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < count;)
        {
            place = {0, (int)(at % grid[0]), (int)(at / grid[0] % grid[1]), (int)(at / grid[0] / grid[1]), (int)threads, core->block.shared, shared_bytes};
            run_block(*core, (int)threads);
        }
    });
}
}
