// Streams, events and graphs. Work is done when it is queued, or, on request, as late or as early as the order between streams allows:
// a wait for an event that was forgotten shows in the one or the other. Functions that return a number return a code of the driver's.
#pragma once
#include <functional>

namespace emulator
{
struct Graph;
struct Stream;
struct Event;

// When work is done: when it is queued; when a stream is waited for, other streams doing no more than they must; or all they can.
enum class Pace { at_once, late, early };
extern Pace pace;

Stream* open_stream();
void close(Stream* stream);
bool is_captured(const Stream* stream);
void queue(Stream* stream, std::function<void()> work);

// Does all that a stream has left, and of others what it waits for; of all streams for none.
void finish(Stream* stream);

Event* make_event();
void destroy(Event* event);
int record(Event* event, Stream* stream);
int wait(Stream* stream, Event* event);

void begin_capture(Stream* stream);
int end_capture(Stream* stream, Graph** graph);
Graph* copy(const Graph* graph);
void destroy(Graph* graph);
void launch(Graph* graph, Stream* stream);
}
