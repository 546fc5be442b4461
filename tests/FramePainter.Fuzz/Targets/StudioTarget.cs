using System.Text;
using System.Text.Json;
using FramePainter.Fuzz.Engine;
using FramePainter.Fuzz.Studio;
using FramePainter.Studio;
using FramePainter.Toy;
using Microsoft.Extensions.Logging;

namespace FramePainter.Fuzz.Targets;

/// <summary>
/// Requests to the Studio, handed to it as its server would: lines of text, a zero byte between one request and the next, with {id}, {token} and {port} in
/// place of what only the running Studio knows. No edit ends but the one that the target begins with: the queue is held, and inputs stay repeatable.
/// </summary>
internal sealed class StudioTarget : IFuzzTarget, IDisposable
{
    const int MostRequests = 6;
    static readonly int[] s_statuses = [200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 421, 503];
    static readonly int[] s_closedDoor = [401, 403, 421];

    readonly Painter _painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu, Threads = 1 });
    readonly InProcessListener _listener = new();
    readonly Holder _holder = new();
    readonly StudioServer _server;
    readonly string _id;

    public StudioTarget()
    {
        _server = StudioServer.StartAsync(_painter, new StudioOptions { ToySamples = true, Log = _holder }, _listener, CancellationToken.None).GetAwaiter().GetResult();
        _id = Open();
        Ask(Order(_id));
        while (JsonDocument.Parse(Ask(Get($"/api/sessions/{_id}"))).RootElement.GetProperty("edit").GetProperty("phase").GetString() != "Done")
        {
            Thread.Sleep(5);
        }

        // The next edit holds the queue when it tells the log that it is done.
        _holder.Holds = true;
        Ask(Order(Open()));
        _holder.Held.Wait();
    }

    public string Name => "studio";

    public IEnumerable<byte[]> Seeds =>
    [
        Ascii("GET /?token={token}\nHost: localhost:{port}\n\n"),
        Get("/assets/app.js"), Get("/api/about"), Get("/api/samples/007/source"), Get("/api/sessions/{id}"), Get("/api/sessions/{id}/events"), Get("/api/sessions/{id}/picture"),
        Get("/api/sessions/{id}/edit/preview"), Get("/api/sessions/{id}/edits/1/picture"), Get("/api/sessions/{id}/edits/1/match?x=20&y=30"), Get("/nowhere"),
        Ascii($"DELETE /api/sessions/{{id}}/edit\n{Let}\n\n"), Ascii($"DELETE /api/sessions/0\n{Let}\n\n"),
        [.. Ascii($"POST /api/sessions\n{Let}\nContent-Type: image/png\n\n"), .. ToyModel.Samples[0].Sketch.Span],
        Order("{id}"),
        Ascii($"POST /api/sessions/{{id}}/edits\n{Let}\nContent-Type: application/json\nOrigin: http://127.0.0.1:{{port}}\nSec-Fetch-Site: same-origin\n\n{{\"points\":[[1,2,30,40]],\"float32Draws\":true,\"guidance\":1.5,\"controlScale\":1}}"),
        Ascii($"POST /api/sessions/{{id}}/edits\n{Let}\nContent-Type: application/json\n\n{{\"move\":{{\"mask\":\"{Convert.ToBase64String(ToyModel.Samples[0].Sketch.Span)}\",\"x\":3,\"y\":-2.5}}}}"),
        Ascii("GET /api/about\nHost: attacker.example\nCookie: framepainter-studio-5000={token}\nOrigin: null\nSec-Fetch-Site: cross-site\n\n"),
        [.. Get("/api/sessions/{id}"), 0, .. Order("{id}"), 0, .. Order("{id}"), 0, .. Get("/api/sessions/{id}/events")],
    ];

    public IReadOnlyList<string> Scope { get; } = ["FramePainter.Studio."];

    public IReadOnlyList<string> Words { get; } =
    [
        "{id}", "{token}", "{port}", "GET ", "POST ", "DELETE ", "HEAD ", "/api/sessions", "/api/sessions/{id}/edits", "/edit", "/events", "/match?x=1&y=", "/picture", "/assets/", "/..%2f", "%00", "?token=", "\n\n", "\0",
        "Host: 127.0.0.1:{port}\n", "Authorization: Bearer {token}\n", "Cookie: framepainter-studio-{port}={token}\n", "Origin: null\n", "Origin: http://localhost:{port}\n", "Sec-Fetch-Site: cross-site\n", "Content-Type: application/json\n",
        "Content-Type: image/webp\n", "Content-Length: 99999999999\n", "{\"steps\":1,", "\"seed\":", "\"guidance\":NaN,", "\"points\":[[1,2,3,4]],", "\"sketch\":\"", "\"move\":{", "\"mask\":\"", "null", "1e39", "-1",
    ];

    static string Let => "Host: 127.0.0.1:{port}\nAuthorization: Bearer {token}";

    public void Run(ReadOnlySpan<byte> input)
    {
        var requests = 0;
        foreach (var range in input.Split((byte)0))
        {
            if (requests++ == MostRequests)
            {
                break;
            }

            var text = Fill(input[range]);
            // The session with the one result is not to be closed; a closed one is as unknown as one that never was.
            using var exchange = Exchange.Parse(text);
            if (exchange is not null && !(exchange.Method == "DELETE" && exchange.Path.TrimEnd('/').EndsWith(_id, StringComparison.Ordinal)))
            {
                exchange.Send(_listener);
                Check(exchange, text);
            }
        }

        Ask(Ascii($"DELETE /api/sessions/{_id}/edit\n{Let}\n\n"));
    }

    public void Dispose()
    {
        _holder.Release.Set();
        _server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _painter.Dispose();
        _holder.Dispose();
    }

    void Check(Exchange exchange, byte[] text)
    {
        if (!s_statuses.Contains(exchange.Status))
        {
            throw new InvalidDataException($"It was answered by {exchange.Status}.");
        }

        if (!s_closedDoor.Contains(exchange.Status) && text.AsSpan().IndexOf(Encoding.ASCII.GetBytes(_server.Token)) < 0)
        {
            throw new InvalidDataException($"Without the token it was answered by {exchange.Status}.");
        }

        if (!exchange.AnswerHeaders.ContentSecurityPolicy.ToString().StartsWith("default-src 'none'", StringComparison.Ordinal))
        {
            throw new InvalidDataException("The answer has no policy.");
        }

        if (exchange.Status >= 400 && exchange.Status != 405)
        {
            using var problem = JsonDocument.Parse(exchange.Answer.ToArray());
            if (problem.RootElement.GetProperty("status").GetInt32() != exchange.Status)
            {
                throw new InvalidDataException($"The answer's status is {exchange.Status}, its body's another.");
            }
        }
    }

    byte[] Fill(ReadOnlySpan<byte> text)
    {
        var whole = Encoding.Latin1.GetString(text);
        return whole.Contains('{', StringComparison.Ordinal)
            ? Encoding.Latin1.GetBytes(whole.Replace("{id}", _id, StringComparison.Ordinal).Replace("{token}", _server.Token, StringComparison.Ordinal).Replace("{port}", $"{InProcessListener.Port}", StringComparison.Ordinal))
            : text.ToArray();
    }

    byte[] Ask(byte[] text)
    {
        using var exchange = Exchange.Parse(Fill(text))!;
        exchange.Send(_listener);
        return exchange.Status < 400 ? exchange.Answer.ToArray() : throw new InvalidDataException($"{exchange.Method} {exchange.Path} was answered by {exchange.Status}.");
    }

    string Open() => JsonDocument.Parse(Ask([.. Ascii($"POST /api/sessions\n{Let}\nContent-Type: image/png\n\n"), .. ToyModel.Samples[0].Source.Span])).RootElement.GetProperty("id").GetString()!;

    static byte[] Get(string path) => Ascii($"GET {path}\n{Let}\n\n");

    static byte[] Order(string id) => Ascii($"POST /api/sessions/{id}/edits\n{Let}\nContent-Type: application/json\n\n{{\"steps\":1,\"seed\":7,\"sketch\":\"{Convert.ToBase64String(ToyModel.Samples[0].Sketch.Span)}\"}}");

    static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);

    /// <summary>A log that holds whoever tells it of an edit done.</summary>
    sealed class Holder : ILoggerProvider, ILogger
    {
        public volatile bool Holds;

        public ManualResetEventSlim Held { get; } = new();

        public ManualResetEventSlim Release { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Holds && eventId.Name == "Edited")
            {
                Held.Set();
                Release.Wait();
            }
        }

        public void Dispose()
        {
            Held.Dispose();
            Release.Dispose();
        }
    }
}
