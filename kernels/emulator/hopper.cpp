// Hopper's asynchronous parts. What a thread may not rely on is done at the worst moment: copies when somebody waits for their bytes,
// products when their own thread waits for them; or at once.
#include "../common.h"
#include "hopper.h"
#include "machine.h"
#include "tensor_map.h"
#include <map>
#include <vector>

namespace emulator
{
constexpr int GROUP = 128, MOST_GROUPS = 8;
// Dynamic shared memory begins at no multiple of 1024, as it may on a device.
constexpr u32 FIRST_ADDRESS = 128;
constexpr u64 UNPUBLISHED = 0x6261727269657230ull, PUBLISHED = UNPUBLISHED + 1;

// A box on its way between a tensor and shared memory.
struct Box
{
    u32 shared;
    TensorMap map;
    int at[5];
};

struct Barrier
{
    int arrivals, pending, phase;
    long bytes;
    std::vector<Box> loads;
};

// Boxes that a thread sends to tensors: some not committed yet, the others not waited for; and how often it published what it wrote, or, of
// all threads of its warpgroup, had published when it last sent a box.
struct Stores
{
    std::vector<Box> open, committed;
    u32 published, seen;
};

struct Product
{
    float* sums;
    int n;
    u64 left, right;
    bool accumulate, brain;
    // The thread's two rows where the left operand lies in registers; the right one's rows are k then.
    bool in_registers;
    float rows[2][16];
    // Waits of the thread before it.
    size_t waits;
};

struct Products
{
    bool fenced;
    size_t issued, waits;
    std::vector<Product> open;
    std::vector<std::vector<Product>> groups;
};

// A barrier of one warpgroup.
struct Meeting
{
    int arrived;
    u32 turn;
};

int blocks;
bool late_tensors, late_products;
unsigned lag;
long tensor_products;

// What the block of a core has of all this.
struct Block
{
    std::map<u64*, Barrier> barriers;
    Products products[MOST_GROUPS * GROUP];
    std::vector<Product> issued[MOST_GROUPS];
    Meeting meetings[MOST_GROUPS];
    Stores stores[MOST_GROUPS * GROUP];
    // Fragments of lanes, by turns: a quick lane may bring the next.
    u32 fragments[2][MOST_GROUPS * GROUP][4];
    u32 turns[MOST_GROUPS * GROUP];
    // What each thread has done, see linger.
    u32 done[MOST_GROUPS * GROUP];
    bool used;
};

static Block s_blocks[MOST_CORES];
static OF_CORE Block* s_block;

// Every thread counts what it does, so that a seed gives the same delays at each run and the lanes of a warp stay together.
void linger()
{
    if (!lag) return;
    s_block->used = true;
    u32 h = lag * 0x9E3779B1u ^ (u32)(place.tid / 32) * 0x85EBCA6Bu ^ s_block->done[place.tid]++ * 0xC2B2AE35u;
    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    h = (h ^ h >> 12) * 0x297A2D39u;
    int turns = (h >> 8) % 5 == 0 ? (int)(h >> 16) % 200 : 0;
    if (turns) wait_until([&] { return turns-- <= 0; });
}

u32 shared_address(const void* p) { return (u32)((const unsigned char*)p - place.shared) + FIRST_ADDRESS; }

static unsigned char* at_address(u32 address, size_t bytes)
{
    if (address < FIRST_ADDRESS || address - FIRST_ADDRESS + bytes > place.shared_bytes) fail("an address lies outside shared memory");
    return place.shared + address - FIRST_ADDRESS;
}

// Sixteen-byte chunks change places by the number of 128 bytes they lie in: eight chunks of rows of 128 bytes, or 1 << bits of shorter ones.
static u32 swizzle(u32 address, int bits = 3) { return address ^ (address >> 7 & ((1 << bits) - 1)) << 4; }

static Barrier& find(u64* barrier)
{
    auto found = s_block->barriers.find(barrier);
    if (found == s_block->barriers.end() || (*barrier != PUBLISHED && *barrier != UNPUBLISHED)) fail("a barrier is used before it is made");
    return found->second;
}

static void settle(Barrier& b)
{
    if (b.pending < 0) fail("arrives at a barrier that all have arrived at");
    if (b.pending > 0 || b.bytes != 0) return;
    b.pending = b.arrivals;
    b.phase ^= 1;
}

// Calls f(element of shared memory, element of the tensor or none beyond its edges) for all of a box; returns its bytes.
template <class F> static long walk(const Box& load, F f)
{
    const TensorMap& map = load.map;
    u32 total = 1;
    for (u32 d = 0; d < map.rank; d++) total *= map.box[d];
    u32 line = map.box[0] * 2;
    for (u32 row = 0; row < total / map.box[0]; row++)
    {
        u64 from = map.address;
        u32 rest = row;
        bool inside = true;
        for (u32 d = 1; d < map.rank; d++)
        {
            i64 at = (i64)load.at[d] + rest % map.box[d] * map.step[d];
            rest /= map.box[d];
            inside &= at >= 0 && at < map.dims[d];
            from += (u64)at * map.strides[d - 1];
        }

        for (u32 x = 0; x < map.box[0]; x++)
        {
            i64 at = (i64)load.at[0] + x;
            f(at_address(swizzle(load.shared + row * line + x * 2, map.swizzle), 2), inside && at >= 0 && at < map.dims[0] ? (unsigned short*)from + at : nullptr);
        }
    }

    return (long)total * 2;
}

static void run(Barrier& b, const Box& load)
{
    b.bytes -= walk(load, [](unsigned char* to, const unsigned short* from) {
        unsigned short value = from ? *from : 0;
        memcpy(to, &value, 2);
    });
}

static void run(const Box& store)
{
    walk(store, [](const unsigned char* from, unsigned short* to) {
        if (to) memcpy(to, from, 2);
    });
}

void barrier_init(u64* barrier, int arrivals)
{
    at_address(shared_address(barrier), 8);
    if ((u64)barrier % 8) fail("a barrier lies at no multiple of 8");
    *barrier = UNPUBLISHED;
    s_block->used = true;
    s_block->barriers[barrier] = {arrivals, arrivals, 0, 0, {}};
}

void barrier_publish()
{
    for (auto& [barrier, state] : s_block->barriers) *barrier = PUBLISHED;
}

void barrier_arrive(u64* barrier, int bytes)
{
    Barrier& b = find(barrier);
    b.bytes += bytes;
    b.pending--;
    settle(b);
}

void barrier_wait(u64* barrier, int parity)
{
    linger();
    Barrier& b = find(barrier);
    wait_until([&] {
        if (b.phase != parity) return true;
        // All have arrived, and only bytes are missing: now they come.
        if (b.pending != 0) return false;
        for (const Box& load : b.loads) run(b, load);
        b.loads.clear();
        settle(b);
        return b.phase != parity;
    });
}

static Box box_of(const void* shared, u64 map, int rank, const int* at)
{
    check_awaited();
    Box box = {shared_address(shared), {}, {}};
    memcpy(&box.map, (const void*)map, sizeof(TensorMap));
    if (box.map.magic != TensorMap::MAGIC || (int)box.map.rank != rank) fail("copies by what is no tensor map of this rank");
    if (box.shared % 128) fail("copies between a tensor and no multiple of 128");
    if (box.shared % (128 << box.map.swizzle)) fail("copies a box to where its swizzle does not begin");
    memcpy(box.at, at, rank * sizeof(int));
    return box;
}

void tensor_load(void* to, u64 map, u64* barrier, int rank, const int* at)
{
    Barrier& b = find(barrier);
    if (*barrier != PUBLISHED) fail("copies a tensor to a barrier that was not published");
    Box load = box_of(to, map, rank, at);
    if (late_tensors)
    {
        b.loads.push_back(load);
        return;
    }

    run(b, load);
    settle(b);
}

void tensor_store(const void* from, u64 map, int rank, const int* at)
{
    Stores& own = s_block->stores[place.tid];
    // The first box since the last ones were committed: all of the warpgroup have published something since.
    int first = place.tid / GROUP * GROUP;
    for (int thread = first; own.open.empty() && thread < first + GROUP; thread++)
    {
        if (s_block->stores[thread].published == s_block->stores[thread].seen) fail("sends a box that not all of its warpgroup published");
        s_block->stores[thread].seen = s_block->stores[thread].published;
    }

    own.open.push_back(box_of(from, map, rank, at));
    if (!late_tensors) run(own.open.back());
}

void tensor_stores_commit()
{
    linger();
    Stores& own = s_block->stores[place.tid];
    own.committed.insert(own.committed.end(), own.open.begin(), own.open.end());
    own.open.clear();
}

void tensor_stores_read()
{
    linger();
    Stores& own = s_block->stores[place.tid];
    if (late_tensors)
        for (const Box& store : own.committed) run(store);
    own.committed.clear();
}

void tensors_publish()
{
    linger();
    s_block->used = true;
    s_block->stores[place.tid].published++;
}

void sync_group()
{
    linger();
    Meeting& meeting = s_block->meetings[place.tid / GROUP];
    u32 turn = meeting.turn;
    if (++meeting.arrived == GROUP) meeting = {0, turn + 1};
    wait_until([&] { return meeting.turn != turn; });
}

void products_fence()
{
    linger();
    s_block->used = s_block->products[place.tid].fenced = true;
}

static u32 start_of(u64 descriptor)
{
    u32 start = (u32)(descriptor & 0x3FFF) << 4;
    if (descriptor >> 62 != 1 || (descriptor >> 49 & 7) != 0) fail("multiplies by a descriptor that is not of swizzled rows of 128 bytes");
    if (start >> 7 & 7) fail("multiplies rows that do not begin at a multiple of 1024");
    return start;
}

// Sixteen halves of a row, widened.
static void row_of(u64 descriptor, bool brain, int row, float (&r)[16])
{
    u32 first = start_of(descriptor) + row / 8 * ((u32)(descriptor >> 32 & 0x3FFF) << 4) + row % 8 * 128;
    unsigned short halves[16];
    memcpy(halves, at_address(swizzle(first), 16), 16);
    memcpy(halves + 8, at_address(swizzle(first + 16), 16), 16);
    for (int i = 0; i < 16; i++) r[i] = widen(halves[i], brain);
}

// A column of a matrix whose rows are k, widened.
static void column_of(u64 descriptor, bool brain, int column, float (&r)[16])
{
    u32 start = start_of(descriptor), apart = (u32)(descriptor >> 32 & 0x3FFF) << 4;
    for (int k = 0; k < 16; k++)
    {
        unsigned short value;
        memcpy(&value, at_address(swizzle(start + k / 8 * apart + k % 8 * 128 + column * 2), 2), 2);
        r[k] = widen(value, brain);
    }
}

// A thread holds columns lane % 4 * 2 and the next of every eight, of rows lane / 4 and lane / 4 + 8 of its warp's sixteen.
static void run(const Product& p)
{
    int lane = place.tid % 32, first = place.tid % GROUP / 32 * 16 + lane / 4;
    float left[2][16], right[16];
    for (int h = 0; h < 2; h++)
        if (p.in_registers) memcpy(left[h], p.rows[h], sizeof left[h]);
        else row_of(p.left, p.brain, first + h * 8, left[h]);
    for (int column = 0; column < p.n / 4; column++)
    {
        int n = column / 2 * 8 + lane % 4 * 2 + column % 2;
        if (p.in_registers) column_of(p.right, p.brain, n, right);
        else row_of(p.right, p.brain, n, right);
        for (int h = 0; h < 2; h++)
        {
            float sum = 0;
            for (int k = 0; k < 16; k++) sum += left[h][k] * right[k];
            float& to = p.sums[column / 2 * 4 + h * 2 + column % 2];
            to = p.accumulate ? to + sum : sum;
        }
    }
}

static void issue(Product p)
{
    Products& own = s_block->products[place.tid];
    p.waits = own.waits;
    if (!own.fenced) fail("multiplies without a fence");
    auto& issued = s_block->issued[place.tid / GROUP];
    if (own.issued == issued.size())
    {
        issued.push_back(p);
        __atomic_add_fetch(&tensor_products, 1, __ATOMIC_RELAXED);
    }

    const Product& first = issued[own.issued++];
    if (first.n != p.n || first.left != p.left || first.right != p.right || first.accumulate != p.accumulate || first.brain != p.brain || first.in_registers != p.in_registers) fail("multiplies something else than its warpgroup");
    if (first.waits != p.waits) fail("has waited for products otherwise than its warpgroup");
    own.open.push_back(p);
    if (!late_products) run(p);
}

void warpgroup_multiply(float* sums, int n, u64 left, u64 right, bool accumulate, bool brain) { issue({sums, n, left, right, accumulate, brain, false, {}, 0}); }

void warpgroup_multiply_rows(float* sums, int n, const u32* left, u64 right, bool brain)
{
    auto& fragments = s_block->fragments[s_block->turns[place.tid]++ % 2];
    memcpy(fragments[place.tid], left, sizeof fragments[0]);
    warp_barrier();
    Product p = {sums, n, 0, right, true, brain, true, {}, 0};
    for (int k = 0; k < 16; k++)
    {
        // Four lanes hold a row, two neighbours each in words 0 and 2; the row eight further down is in words 1 and 3.
        const u32* from = fragments[place.tid / 4 * 4 + k % 8 / 2];
        for (int h = 0; h < 2; h++)
        {
            unsigned short pair[2];
            memcpy(pair, from + k / 8 * 2 + h, sizeof pair);
            p.rows[h][k] = widen(pair[k % 2], brain);
        }
    }

    issue(p);
}

void products_commit()
{
    linger();
    Products& own = s_block->products[place.tid];
    own.groups.push_back(std::move(own.open));
    own.open.clear();
    own.fenced = false;
}

void products_wait(int groups)
{
    linger();
    s_block->products[place.tid].waits++;
    auto& waiting = s_block->products[place.tid].groups;
    while ((int)waiting.size() > groups)
    {
        if (late_products)
            for (const Product& p : waiting.front()) run(p);
        waiting.erase(waiting.begin());
    }

    // The instruction is one of the whole warp: what it waited for, no lane still reads.
    warp_barrier();
}

void hopper_enter(int core) { s_block = &s_blocks[core]; }

void hopper_block_begins()
{
    if (!s_block->used) return;
    s_block->used = false;
    s_block->barriers.clear();
    for (auto& products : s_block->products) products = {};
    for (auto& issued : s_block->issued) issued.clear();
    for (auto& stores : s_block->stores) stores = {};
    for (auto& done : s_block->done) done = 0;
}

void hopper_thread_ends()
{
    Products& own = s_block->products[place.tid];
    if (!own.open.empty() || !own.groups.empty()) fail("ends with products that nobody waited for");
    const Stores& stores = s_block->stores[place.tid];
    if (!stores.open.empty() || !stores.committed.empty()) fail("ends with boxes under way that nobody waited for");
}

void hopper_block_ends()
{
    for (auto& [barrier, state] : s_block->barriers)
        if (!state.loads.empty() || state.bytes != 0) fail("ends with tensors under way that nobody waited for");
}
}
