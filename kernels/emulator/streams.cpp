#include "streams.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace emulator
{
struct Lane;

// One recording of an event.
struct Point
{
    Lane* lane;
    bool reached;
};

// What a stream has still to do: work, a point to reach, or a point to wait for.
struct Node
{
    std::function<void()> work;
    std::shared_ptr<Point> reaches, awaits;
};

struct Lane
{
    std::deque<Node> queue;
};

struct Graph
{
    std::map<Lane*, std::vector<Node>> lanes;

    // Nodes of a lane that the first lane has waited for.
    std::map<Lane*, size_t> joined;
    Lane* first;
};

struct Stream : Lane
{
    Graph* capturing = nullptr;
};

struct Event
{
    std::shared_ptr<Point> last;
    Graph* captured_in = nullptr;
    size_t position = 0;
};

Pace pace = Pace::at_once;

namespace
{
enum { SUCCESS = 0, INVALID_VALUE = 1, CAPTURE_UNJOINED = 904, CAPTURE_ISOLATION = 905 };

std::vector<Lane*> s_open;

bool blocked(Lane* lane)
{
    auto& node = lane->queue.front();
    return node.awaits && !node.awaits->reached;
}

void step(Lane* lane)
{
    if (lane->queue.empty())
    {
        fprintf(stderr, "A stream waits for an event that no stream will reach.\n");
        abort();
    }

    while (blocked(lane)) step(lane->queue.front().awaits->lane);
    auto node = std::move(lane->queue.front());
    lane->queue.pop_front();
    if (node.work) node.work();
    if (node.reaches) node.reaches->reached = true;
}

// Runs one lane to its end; the others as far as they can go before each of its nodes, or only as far as they must.
void drain(const std::vector<Lane*>& lanes, Lane* lane)
{
    while (!lane->queue.empty())
    {
        if (pace == Pace::early)
        {
            for (bool moved = true; moved;)
            {
                moved = false;
                for (auto other : lanes)
                {
                    while (other != lane && !other->queue.empty() && !blocked(other)) step(other), moved = true;
                }
            }
        }

        step(lane);
    }
}

void run(const Graph& graph)
{
    std::map<Lane*, std::unique_ptr<Lane>> lanes;
    std::map<Point*, std::shared_ptr<Point>> points;
    for (auto& [lane, nodes] : graph.lanes) lanes[lane] = std::make_unique<Lane>();
    auto fresh = [&](const std::shared_ptr<Point>& point)
    {
        auto& copy = points[point.get()];
        if (!copy) copy = std::make_shared<Point>(Point{lanes[point->lane].get(), false});
        return copy;
    };
    std::vector<Lane*> all;
    for (auto& [lane, nodes] : graph.lanes)
    {
        all.push_back(lanes[lane].get());
        for (auto& node : nodes) all.back()->queue.push_back({node.work, node.reaches ? fresh(node.reaches) : nullptr, node.awaits ? fresh(node.awaits) : nullptr});
    }

    drain(all, lanes.at(graph.first).get());
    for (auto lane : all) drain(all, lane);
}

void push(Stream* stream, Node node)
{
    if (stream && stream->capturing)
    {
        stream->capturing->lanes[stream].push_back(std::move(node));
        return;
    }

    if (stream && pace != Pace::at_once)
    {
        stream->queue.push_back(std::move(node));
        return;
    }

    if (stream) finish(stream);
    if (node.work) node.work();
    if (node.reaches) node.reaches->reached = true;
}
}

void queue(Stream* stream, std::function<void()> work) { push(stream, {std::move(work), nullptr, nullptr}); }

int record(Event* event, Stream* stream)
{
    event->last = std::make_shared<Point>(Point{stream, false});
    push(stream, {nullptr, event->last, nullptr});
    event->captured_in = stream->capturing;
    event->position = stream->capturing ? stream->capturing->lanes[stream].size() : 0;
    return SUCCESS;
}

int wait(Stream* stream, Event* event)
{
    if (!event->last) return SUCCESS;
    if (event->captured_in)
    {
        if (!stream->capturing) stream->capturing = event->captured_in;
        if (stream->capturing != event->captured_in) return CAPTURE_ISOLATION;
        auto& joined = stream->capturing->joined[event->last->lane];
        if (stream == stream->capturing->first) joined = std::max(joined, event->position);
    }
    else if (stream->capturing)
    {
        return CAPTURE_ISOLATION;
    }

    push(stream, {nullptr, nullptr, event->last});
    return SUCCESS;
}

int end_capture(Stream* stream, Graph** graph)
{
    auto made = stream->capturing;
    if (!made || made->first != stream) return INVALID_VALUE;
    for (auto lane : s_open)
    {
        auto open = static_cast<Stream*>(lane);
        if (open->capturing == made) open->capturing = nullptr;
    }

    for (auto& [lane, nodes] : made->lanes)
    {
        if (lane != stream && made->joined[lane] != nodes.size())
        {
            delete made;
            *graph = nullptr;
            return CAPTURE_UNJOINED;
        }
    }

    *graph = made;
    return SUCCESS;
}

Graph* copy(const Graph* graph) { return new Graph(*graph); }

void destroy(Graph* graph) { delete graph; }

void launch(Graph* graph, Stream* stream) { push(stream, {[graph = *graph] { run(graph); }, nullptr, nullptr}); }

void begin_capture(Stream* stream)
{
    (stream->capturing = new Graph)->first = stream;
    stream->capturing->lanes[stream];
}

bool is_captured(const Stream* stream) { return stream->capturing; }

Event* make_event() { return new Event; }

void destroy(Event* event) { delete event; }

Stream* open_stream()
{
    auto stream = new Stream;
    s_open.push_back(stream);
    return stream;
}

void close(Stream* stream)
{
    finish(stream);
    s_open.erase(std::find(s_open.begin(), s_open.end(), stream));
    delete stream;
}

void finish(Stream* stream)
{
    if (stream) drain(s_open, stream);
    else for (auto lane : s_open) drain(s_open, lane);
}
}
