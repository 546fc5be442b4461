// The CUDA driver's own C names over the emulated machine: a binding that runs here runs on the driver.
// Every device is the same machine with memory of its own.
// Handles are counted, so that tests can show that everything is given back. FP_EMULATOR_* functions steer and ask the emulator.
#include "../common.h"
#include "faults.h"
#include "machine.h"
#include "streams.h"
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

typedef int Result;
enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, NO_BINARY_FOR_GPU = 209, NOT_FOUND = 500, CAPTURE_UNSUPPORTED = 900, UNKNOWN = 999 };

using emulator::Event;
using emulator::Graph;
using emulator::Stream;

struct Context
{
    size_t used, peak;
};

struct Block
{
    size_t bytes;
    Context* context;
};

// Dynamic shared memory of a block: what is there without asking, and the most that each kernel's devices give, of the floor those with the least (8.6 and 8.9).
static const unsigned SHARED_WITHOUT_ASKING = 48 << 10, MOST_SHARED = 99 << 10, MOST_SHARED_OF_HOPPER = 227 << 10;

struct Function
{
    emulator::Kernel* kernel;
    unsigned shared;

    unsigned most() const { return strncmp(kernel->name, "hopper_", 7) ? MOST_SHARED : MOST_SHARED_OF_HOPPER; }
};

struct Module
{
    std::string text;
    std::map<std::string, Function> functions;
};

static const int MOST_DEVICES = 16;
static std::mutex s_lock;
static std::map<uint64_t, Block> s_blocks;
static Context s_contexts[MOST_DEVICES];
static size_t s_total = (size_t)8 << 30;
static int s_devices = 1, s_version = 12040, s_major = 8, s_minor = 0;
static long s_live, s_launches, s_early_launches, s_graph_launches;
static bool s_idle;
static std::map<void*, size_t> s_pinned;
static size_t s_pinned_used, s_pinned_peak;
static thread_local Context* s_context;
static thread_local int s_captures;

// Calls that want a context; and those that a thread may not make while it records, since they may wait for the device.
#define FP_CONTEXT() if (!s_context) return INVALID_CONTEXT
#define FP_NOT_RECORDED() FP_CONTEXT(); if (s_captures) return CAPTURE_UNSUPPORTED

static Result enqueue(Stream* stream, std::function<void()> work)
{
    FP_CONTEXT();
    emulator::queue(stream, std::move(work));
    return SUCCESS;
}

static bool inside(uint64_t address, size_t bytes)
{
    auto block = s_blocks.upper_bound(address);
    if (block == s_blocks.begin()) return false;
    --block;
    return block->second.context == s_context && address + bytes <= block->first + block->second.bytes;
}

API Result cuInit(unsigned) { FP_FAULT(cuInit); return s_devices ? SUCCESS : NO_DEVICE; }
API Result cuDriverGetVersion(int* version) { FP_FAULT(cuDriverGetVersion); *version = s_version; return SUCCESS; }
API Result cuDeviceGetCount(int* count) { FP_FAULT(cuDeviceGetCount); *count = s_devices; return SUCCESS; }
API Result cuDeviceGet(int* device, int ordinal) { FP_FAULT(cuDeviceGet); *device = ordinal; return ordinal >= 0 && ordinal < s_devices && ordinal < MOST_DEVICES ? SUCCESS : INVALID_DEVICE; }
API Result cuDeviceGetName(char* name, int length, int) { FP_FAULT(cuDeviceGetName); strncpy(name, "FramePainter kernel emulator", length); return SUCCESS; }
API Result cuDeviceTotalMem_v2(size_t* bytes, int) { FP_FAULT(cuDeviceTotalMem_v2); *bytes = s_total; return SUCCESS; }

API Result cuDeviceGetAttribute(int* value, int attribute, int)
{
    FP_FAULT(cuDeviceGetAttribute);
    switch (attribute)
    {
    case 16: *value = s_major >= 9 ? 2 : 1; return SUCCESS;
    case 75: *value = s_major; return SUCCESS;
    case 76: *value = s_minor; return SUCCESS;
    case 97: *value = 163 << 10; return SUCCESS;
    default: return INVALID_VALUE;
    }
}

API Result cuDevicePrimaryCtxRetain(void** context, int device) { FP_FAULT(cuDevicePrimaryCtxRetain); *context = &s_contexts[device]; s_live++; return SUCCESS; }
API Result cuDevicePrimaryCtxRelease_v2(int) { s_live--; FP_RETURN(cuDevicePrimaryCtxRelease_v2); }
API Result cuCtxSetCurrent(Context* context) { FP_FAULT(cuCtxSetCurrent); s_context = context; return SUCCESS; }
API Result cuMemGetInfo_v2(size_t* free, size_t* total) { FP_CONTEXT(); FP_FAULT(cuMemGetInfo_v2); *free = s_total - s_context->used; *total = s_total; return SUCCESS; }

API Result cuMemAlloc_v2(uint64_t* address, size_t bytes)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_NOT_RECORDED();
    FP_FAULT(cuMemAlloc_v2);
    if (!bytes || s_context->used + bytes > s_total) return bytes ? OUT_OF_MEMORY : INVALID_VALUE;
    void* block = aligned_alloc(256, (bytes + 255) / 256 * 256);
    memset(block, s_idle ? 0 : 0xFF, bytes);
    s_blocks[*address = (uint64_t)block] = {bytes, s_context};
    s_context->used += bytes;
    s_context->peak = std::max(s_context->peak, s_context->used);
    s_live++;
    return SUCCESS;
}

API Result cuMemFree_v2(uint64_t address)
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto block = s_blocks.find(address);
    if (block == s_blocks.end()) return INVALID_VALUE;
    // Like the driver, wait for all that may still use it.
    emulator::finish(nullptr);
    block->second.context->used -= block->second.bytes;
    s_blocks.erase(block);
    free((void*)address);
    s_live--;
    FP_RETURN(cuMemFree_v2);
}

API Result cuMemAllocHost_v2(void** p, size_t bytes)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_NOT_RECORDED();
    FP_FAULT(cuMemAllocHost_v2);
    *p = aligned_alloc(256, (bytes + 255) / 256 * 256);
    s_pinned[*p] = bytes;
    s_pinned_peak = std::max(s_pinned_peak, s_pinned_used += bytes);
    s_live++;
    return SUCCESS;
}

API Result cuMemFreeHost(void* p)
{
    std::lock_guard<std::mutex> hold(s_lock);
    emulator::finish(nullptr);
    s_pinned_used -= s_pinned[p];
    s_pinned.erase(p);
    free(p);
    s_live--;
    FP_RETURN(cuMemFreeHost);
}

API Result cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuMemcpyHtoDAsync_v2);
    if (!inside(to, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { memcpy((void*)to, from, bytes); });
}

API Result cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuMemcpyDtoHAsync_v2);
    if (!inside(from, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { memcpy(to, (void*)from, bytes); });
}

API Result cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuMemsetD8Async);
    if (!inside(to, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] { memset((void*)to, value, bytes); });
}

// A module is any image; its functions are the kernels compiled in beside this file, where the image names them.
API Result cuModuleLoadData(Module** module, const void* image)
{
    FP_NOT_RECORDED();
    FP_FAULT(cuModuleLoadData);
    std::string text((const char*)image);
    if (text.find(".version") == std::string::npos) return INVALID_IMAGE;
    if (text.find(".target sm_90a") != std::string::npos && (s_major != 9 || s_minor != 0)) return NO_BINARY_FOR_GPU;
    *module = new Module{std::move(text), {}};
    s_live++;
    return SUCCESS;
}

API Result cuModuleUnload(Module* module) { delete module; s_live--; FP_RETURN(cuModuleUnload); }

API Result cuModuleGetFunction(Function** function, Module* module, const char* name)
{
    FP_FAULT(cuModuleGetFunction);
    auto kernel = module->text.find(std::string(".entry ") + name + "(") == std::string::npos ? nullptr : emulator::find(name);
    if (!kernel) return NOT_FOUND;
    *function = &(module->functions[name] = {kernel, SHARED_WITHOUT_ASKING});
    return SUCCESS;
}

// The most dynamic shared memory of a launch, the only attribute there is here: a later call with less takes some of it back.
API Result cuFuncSetAttribute(Function* function, int attribute, int value)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuFuncSetAttribute);
    if (attribute != 8 || value < 0 || (unsigned)value > function->most()) return INVALID_VALUE;
    function->shared = value;
    return SUCCESS;
}

static Result queue_launch(Function* function, const unsigned (&grid)[3], const unsigned (&threads)[3], unsigned shared, Stream* stream, void** parameters, bool early)
{
    auto kernel = function->kernel;
    if (!grid[0] || !grid[1] || !grid[2] || grid[1] > 65535 || grid[2] > 65535 || threads[1] != 1 || threads[2] != 1
        || (int)threads[0] > kernel->most_threads || shared > std::max(function->shared, SHARED_WITHOUT_ASKING)) return INVALID_VALUE;
    // Like the driver, take the parameters when the launch is queued.
    auto argument = (const unsigned char*)parameters[0];
    std::vector<unsigned char> copied(argument, argument + kernel->argument_bytes);
    return enqueue(stream, [=, gx = grid[0], gy = grid[1], gz = grid[2], bx = threads[0]]() mutable {
        void* p[] = {copied.data()};
        s_launches++;
        s_early_launches += early;
        if (!s_idle) emulator::launch(kernel, {gx, gy, gz}, bx, shared, early, p);
    });
}

API Result cuLaunchKernel(Function* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, Stream* stream, void** parameters, void**)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuLaunchKernel);
    return queue_launch(function, {gx, gy, gz}, {bx, by, bz}, shared, stream, parameters, false);
}

// As the driver has them; the one attribute that there is here lets a launch begin before the one before it has ended.
struct LaunchAttribute
{
    static constexpr int BEGINS_EARLY = 6;
    int id, unused, value[16];
};

struct LaunchConfig
{
    unsigned grid[3], threads[3], shared;
    Stream* stream;
    const LaunchAttribute* attributes;
    unsigned count;
};

API Result cuLaunchKernelEx(const LaunchConfig* config, Function* function, void** parameters, void**)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuLaunchKernelEx);
    if (config->count != 1 || config->attributes->id != LaunchAttribute::BEGINS_EARLY) return INVALID_VALUE;
    return queue_launch(function, config->grid, config->threads, config->shared, config->stream, parameters, config->attributes->value[0] != 0);
}

API Result cuStreamCreate(Stream** stream, unsigned)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_CONTEXT();
    FP_FAULT(cuStreamCreate);
    *stream = emulator::open_stream();
    s_live++;
    return SUCCESS;
}

API Result cuStreamDestroy_v2(Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    emulator::close(stream);
    s_live--;
    FP_RETURN(cuStreamDestroy_v2);
}

API Result cuStreamSynchronize(Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_CONTEXT();
    FP_FAULT(cuStreamSynchronize);
    if (stream && emulator::is_captured(stream)) return INVALID_VALUE;
    emulator::finish(stream);
    return SUCCESS;
}

API Result cuEventCreate(Event** event, unsigned) { FP_CONTEXT(); FP_FAULT(cuEventCreate); *event = emulator::make_event(); s_live++; return SUCCESS; }
API Result cuEventDestroy_v2(Event* event) { emulator::destroy(event); s_live--; FP_RETURN(cuEventDestroy_v2); }

// The emulator has no clock of its own.
API Result cuEventElapsedTime(float* milliseconds, Event*, Event*) { *milliseconds = 0; return SUCCESS; }

API Result cuEventRecord(Event* event, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuEventRecord);
    return emulator::record(event, stream);
}

API Result cuStreamWaitEvent(Stream* stream, Event* event, unsigned)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_FAULT(cuStreamWaitEvent);
    return emulator::wait(stream, event);
}

API Result cuStreamBeginCapture_v2(Stream* stream, int)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_CONTEXT();
    FP_FAULT(cuStreamBeginCapture_v2);
    emulator::begin_capture(stream);
    s_captures++;
    return SUCCESS;
}

API Result cuStreamEndCapture(Stream* stream, Graph** graph)
{
    std::lock_guard<std::mutex> hold(s_lock);
    if (emulator::is_captured(stream)) s_captures--;
    auto code = emulator::end_capture(stream, graph);
    if (!code) s_live++;
    // A capture that ends in an error gives no graph, and is over all the same.
    auto fault = emulator::fault("cuStreamEndCapture");
    if (!fault || code) return code;
    emulator::destroy(*graph), s_live--, *graph = nullptr;
    return fault;
}

API Result cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long)
{
    FP_CONTEXT();
    FP_FAULT(cuGraphInstantiateWithFlags);
    *executable = emulator::copy(graph);
    s_live++;
    return SUCCESS;
}

API Result cuGraphDestroy(Graph* graph) { emulator::destroy(graph); s_live--; FP_RETURN(cuGraphDestroy); }
API Result cuGraphExecDestroy(Graph* graph) { emulator::destroy(graph); s_live--; FP_RETURN(cuGraphExecDestroy); }

API Result cuGraphLaunch(Graph* graph, Stream* stream)
{
    std::lock_guard<std::mutex> hold(s_lock);
    FP_CONTEXT();
    FP_FAULT(cuGraphLaunch);
    s_graph_launches++;
    emulator::launch(graph, stream);
    return SUCCESS;
}

API Result cuGetErrorName(int code, const char** name)
{
    *name = code == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : code == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : code == UNKNOWN ? "CUDA_ERROR_UNKNOWN" : "CUDA_ERROR";
    return SUCCESS;
}

API void FP_EMULATOR_order(int deferred, int reverse)
{
    std::lock_guard<std::mutex> hold(s_lock);
    emulator::deferred_copies = deferred;
    emulator::reverse_threads = reverse;
}

// 0: work is done when it is queued; 1: other streams do no more than the one waited for needs; 2: they do all they can before it.
API void FP_EMULATOR_streams(int pace)
{
    std::lock_guard<std::mutex> hold(s_lock);
    emulator::finish(nullptr);
    emulator::pace = (emulator::Pace)pace;
}

// Most bytes that a device had given out at once since this was last asked.
API size_t FP_EMULATOR_peak(int device)
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto& context = s_contexts[device];
    auto peak = context.peak;
    context.peak = context.used;
    return peak;
}

// The same of pinned memory of the host.
API size_t FP_EMULATOR_pinned_peak()
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto peak = s_pinned_peak;
    s_pinned_peak = s_pinned_used;
    return peak;
}

// Kernels are launched and not run, and fresh memory is zero: for tests of memory alone.
API void FP_EMULATOR_idle(int idle)
{
    std::lock_guard<std::mutex> hold(s_lock);
    s_idle = idle;
}

API void FP_EMULATOR_machine(int devices, int version, int major, int minor, size_t memory)
{
    s_devices = devices, s_version = version, s_major = major, s_minor = minor, s_total = memory;
}

API long FP_EMULATOR_live() { return s_live; }
API long FP_EMULATOR_launches() { return s_launches; }
API long FP_EMULATOR_early_launches() { return s_early_launches; }
API long FP_EMULATOR_graph_launches() { return s_graph_launches; }
