// Threads that wait for work: a network is thousands of launches, and making threads for each takes longer than many of them.
#include "cores.h"
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace emulator
{
namespace
{
struct Pool
{
    std::mutex lock;
    std::condition_variable begun, ended;
    const std::function<void(int)>* work = nullptr;
    int cores = 1, wanted = 0, busy = 0;
    unsigned long turn = 0;

    Pool()
    {
        cores = std::clamp((int)std::thread::hardware_concurrency(), 1, MOST_CORES);
        for (int core = 1; core < cores; core++) std::thread([this, core] { serve(core); }).detach();
    }

    // Core 0 is the caller's.
    void serve(int core)
    {
        std::unique_lock<std::mutex> hold(lock);
        for (unsigned long seen = 0;;)
        {
            begun.wait(hold, [&] { return turn != seen; });
            seen = turn;
            if (core >= wanted) continue;
            hold.unlock();
            (*work)(core);
            hold.lock();
            if (--busy == 0) ended.notify_one();
        }
    }
};
}

void on_cores(unsigned long most, const std::function<void(int)>& work)
{
    // Never given back: its threads wait until the process ends.
    static Pool& pool = *new Pool;
    int wanted = (int)std::min<unsigned long>(most, pool.cores);
    if (wanted > 1)
    {
        std::lock_guard<std::mutex> hold(pool.lock);
        pool.work = &work;
        pool.wanted = wanted;
        pool.busy = wanted - 1;
        pool.turn++;
        pool.begun.notify_all();
    }

    work(0);
    if (wanted > 1)
    {
        std::unique_lock<std::mutex> hold(pool.lock);
        pool.ended.wait(hold, [&] { return pool.busy == 0; });
    }
}
}
