#include "faults.h"
#include <map>
#include <mutex>
#include <string>

namespace
{
struct Fault
{
    int code, calls_before;
};

std::mutex s_lock;
std::map<std::string, Fault> s_faults;
}

int emulator::fault(const char* function)
{
    std::lock_guard<std::mutex> hold(s_lock);
    auto fault = s_faults.find(function);
    return fault == s_faults.end() || fault->second.calls_before-- > 0 ? 0 : fault->second.code;
}

// From the call after so many good ones on, a function fails with a code; code 0 mends it, no function mends all.
extern "C" __attribute__((visibility("default"))) void FP_EMULATOR_fail(const char* function, int code, int calls_before)
{
    std::lock_guard<std::mutex> hold(s_lock);
    if (!function) s_faults.clear();
    else if (code) s_faults[function] = {code, calls_before};
    else s_faults.erase(function);
}
