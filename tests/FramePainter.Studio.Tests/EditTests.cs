using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FramePainter.Imaging;
using FramePainter.Toy;
using Microsoft.Extensions.Logging.Abstractions;

namespace FramePainter.Studio.Tests;

/// <summary>Edits through the server: their results, their queue, and tabs that come and go.</summary>
[Collection(StudioGroup.Name)]
public sealed class EditTests(StudioFixture fixture)
{
    const int Long = 1000;

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_edit_is_the_library_s_own()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        using var answer = await client.Edit(id, Client.Order(8));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await client.Until(id, "Done");

        var edited = ImageFile.Load(await client.Http.GetByteArrayAsync($"/api/sessions/{id}/edits/1/picture", Cancel));
        var sample = StudioFixture.Sample;
        var expected = fixture.Painter.Edit(
            ImageFile.Load(sample.Source.Span), Signal.Sketch(ImageFile.Load(sample.Sketch.Span)),
            new EditOptions { Steps = 8, Seed = sample.Seed, Draws = DrawPrecision.Float32 }, Cancel).Edited;
        Assert.Equal(expected.ToRgb().Pixels.ToArray(), edited.ToRgb().Pixels.ToArray());

        // A download says how it was made.
        var metadata = EditFile.ReadMetadata(await client.Http.GetByteArrayAsync($"/api/sessions/{id}/edits/1/picture", Cancel));
        Assert.Equal(sample.Seed, metadata!.Options.Seed);

        var match = JsonDocument.Parse(await client.Http.GetStringAsync($"/api/sessions/{id}/edits/1/match?x=20&y=30", Cancel)).RootElement;
        Assert.Equal(match.GetProperty("width").GetInt32() * match.GetProperty("height").GetInt32(), match.GetProperty("heat").GetArrayLength());
        Assert.Contains(match.GetProperty("heat").EnumerateArray(), h => h.GetInt32() == 1000);
        using var outside = await client.Http.GetAsync($"/api/sessions/{id}/edits/1/match?x=64&y=0", Cancel);
        await Client.AssertProblem(outside, 400, "bad-option");
    }

    [Fact]
    public async Task Every_step_brings_a_preview()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        using var none = await client.Http.GetAsync($"/api/sessions/{id}/edit/preview", Cancel);
        await Client.AssertProblem(none, 404, "not-found");
        using var answer = await client.Edit(id, Client.Order(5));
        await client.Until(id, "Done");
        Assert.Equal(5, (await client.State(id)).GetProperty("edit").GetProperty("previews").GetInt32());
        var preview = ImageFile.Load(await client.Http.GetByteArrayAsync($"/api/sessions/{id}/edit/preview", Cancel));
        Assert.InRange(preview.Width, 8, 64);
    }

    [Fact]
    public async Task Drags_and_moved_regions_are_edits_too()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        var mask = new byte[64 * 64];
        mask.AsSpan(64 * 10, 64 * 20).Fill(255);
        object[] orders =
        [
            new { steps = 2, points = new[] { new[] { 5f, 5f, 40f, 40f } } },
            new { steps = 2, move = new { mask = PictureIntake.ToPng(PixelImage.FromPixels(mask, 64, 64, PixelFormat.Gray8)), x = 8f, y = -4f } },
        ];
        foreach (var order in orders)
        {
            using var answer = await client.Edit(id, order);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            await client.Until(id, "Done");
        }

        Assert.Equal(2, (await client.State(id)).GetProperty("history").GetArrayLength());
        // The moved region is kept as mask and move, from which a replay cuts the picture anew.
        var source = ImageFile.Load(StudioFixture.Sample.Source.Span);
        var download = await client.Http.GetByteArrayAsync($"/api/sessions/{id}/edits/2/picture", Cancel);
        var metadata = EditFile.ReadMetadata(download)!;
        Assert.Contains("\"kind\":\"Move\"", metadata.ToJson(), StringComparison.Ordinal);
        Assert.Equal(ImageFile.Load(download).ToRgb().Pixels.ToArray(), fixture.Painter.Replay(source, metadata, cancel: Cancel).Edited.ToRgb().Pixels.ToArray());
    }

    [Fact]
    public async Task Two_tabs_have_their_own_edits_and_one_has_one_at_a_time()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var (first, second) = (await client.Open(), await client.Open());
        using var a = await client.Edit(first, Client.Order(Long));
        using var again = await client.Edit(first);
        await Client.AssertProblem(again, 409, "edit-running");
        using var b = await client.Edit(second, Client.Order(2));
        Assert.Equal(HttpStatusCode.Accepted, b.StatusCode);
        Assert.Equal("Queued", await client.Phase(second));

        using var cancelled = await client.Http.DeleteAsync($"/api/sessions/{first}/edit", Cancel);
        await client.Until(first, "Cancelled");
        await client.Until(second, "Done");
        Assert.Equal(0, (await client.State(first)).GetProperty("history").GetArrayLength());
        Assert.Equal(1, (await client.State(second)).GetProperty("history").GetArrayLength());

        using var later = await client.Edit(first, Client.Order(2));
        await client.Until(first, "Done");
    }

    [Fact]
    public async Task A_thousand_requests_find_a_bounded_queue_and_answers()
    {
        await using var server = await fixture.Start(new StudioOptions { QueueLength = 3, MaxSessions = 16 });
        using var client = new Client(server);
        var ids = new List<string>();
        for (var i = 0; i < 16; i++)
            ids.Add(await client.Open());

        var longest = 0;
        var statuses = await Task.WhenAll(Enumerable.Range(0, 1000).Select(async i =>
        {
            using var answer = await client.Edit(ids[i % ids.Count], Client.Order(Long));
            InterlockedMax(ref longest, server.Queue.Count);
            return (int)answer.StatusCode;
        }));

        Assert.All(statuses, s => Assert.Contains(s, new[] { 202, 409, 503 }));
        // One runs, three wait: nobody else was let in.
        Assert.InRange(statuses.Count(s => s == 202), 1, 4);
        Assert.Contains(503, statuses);
        Assert.InRange(longest, 1, 3);
        using var about = await client.Http.GetAsync("/api/about", Cancel);
        Assert.Equal(HttpStatusCode.OK, about.StatusCode);

        foreach (var id in ids)
            (await client.Http.DeleteAsync($"/api/sessions/{id}/edit", Cancel)).Dispose();
        using var next = await client.Edit(ids[0], Client.Order(1));
        Assert.True(next.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Sessions_are_bounded_and_those_in_use_stay()
    {
        await using var server = await fixture.Start(new StudioOptions { MaxSessions = 2 });
        using var client = new Client(server);
        var (first, second) = (await client.Open(), await client.Open());
        using var edit = await client.Edit(first, Client.Order(Long));
        var third = await client.Open();
        using var gone = await client.Http.GetAsync($"/api/sessions/{second}", Cancel);
        await Client.AssertProblem(gone, 404, "not-found");
        Assert.NotEqual("Cancelled", await client.Phase(first));

        using var other = await client.Edit(third, Client.Order(Long));
        using var content = Client.Picture(StudioFixture.Sample.Source.ToArray());
        using var full = await client.Http.PostAsync("/api/sessions", content, Cancel);
        await Client.AssertProblem(full, 503, "too-many-sessions");
    }

    [Fact]
    public async Task The_history_is_bounded()
    {
        await using var server = await fixture.Start(new StudioOptions { HistoryLength = 2 });
        using var client = new Client(server);
        var id = await client.Open();
        for (var i = 0; i < 3; i++)
        {
            using var answer = await client.Edit(id, Client.Order(1));
            await client.Until(id, "Done");
        }

        Assert.Equal([2, 3], (await client.State(id)).GetProperty("history").EnumerateArray().Select(e => e.GetProperty("number").GetInt32()));
    }

    [Fact]
    public async Task A_closed_tab_s_edit_is_cancelled()
    {
        await using var server = await fixture.Start(new StudioOptions { Grace = TimeSpan.FromMilliseconds(100) });
        using var client = new Client(server);
        var id = await client.Open();
        using (var tab = await Listen(server, id))
        {
            using var answer = await client.Edit(id, Client.Order(Long));
            await client.Until(id, "Running");
        }

        await client.Until(id, "Cancelled");
    }

    [Fact]
    public async Task A_reload_within_the_grace_keeps_the_edit()
    {
        await using var server = await fixture.Start(new StudioOptions { Grace = TimeSpan.FromSeconds(2) });
        using var client = new Client(server);
        var id = await client.Open();
        var tab = await Listen(server, id);
        using var answer = await client.Edit(id, Client.Order(Long));
        tab.Dispose();
        using var again = await Listen(server, id);
        await Task.Delay(2500, Cancel);
        Assert.Contains(await client.Phase(id), new[] { "Running", "Done" });
    }

    [Fact]
    public async Task A_slow_reader_holds_nothing_up()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        var readers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Listen(server, id)));
        using var answer = await client.Edit(id, Client.Order(200));
        await client.Until(id, "Done");
        foreach (var reader in readers)
            reader.Dispose();
    }

    [Fact]
    public async Task States_are_told_as_they_change()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        using var stream = new StreamReader(await client.Http.GetStreamAsync($"/api/sessions/{id}/events", Cancel));
        using var answer = await client.Edit(id, Client.Order(5));
        var phases = new List<string>();
        while (await stream.ReadLineAsync(Cancel) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal) && JsonDocument.Parse(line[6..]).RootElement.TryGetProperty("edit", out var edit))
                phases.Add(edit.GetProperty("phase").GetString()!);
            if (phases.LastOrDefault() == "Done")
                break;
        }

        Assert.Contains("Running", phases);
        Assert.Equal("Done", phases[^1]);
    }

    [Fact]
    public void An_edit_that_cannot_begin_fails_alone()
    {
        using var small = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Limits = new EditLimits { PicturePixels = 64 * 64 } }, cancel: Cancel);
        using var queue = new EditQueue(small, 4, NullLogger.Instance);
        using var fits = new StudioSession(Blank(64), new StudioOptions(), TimeProvider.System);
        using var large = new StudioSession(Blank(72), new StudioOptions(), TimeProvider.System);
        Assert.Equal(EditPhase.Done, Run(fits).Phase);
        var failed = Run(large);
        Assert.Equal(EditPhase.Failed, failed.Phase);
        Assert.Contains("EditLimits.PicturePixels", failed.Problem!.Detail, StringComparison.Ordinal);
        Assert.Equal(EditPhase.Done, Run(fits).Phase);

        small.Dispose();
        Assert.Equal(EditPhase.Failed, Run(large).Phase);

        EditState Run(StudioSession session)
        {
            var job = session.Begin(Signal.Sketch(session.Picture), new EditOptions { Steps = 1 });
            queue.Add(job);
            Assert.True(SpinWait.SpinUntil(() => job.Ended, TimeSpan.FromSeconds(90)));
            return job.State;
        }

        static PixelImage Blank(int side) => PixelImage.FromPixels(new byte[side * side], side, side, PixelFormat.Gray8);
    }

    [Fact]
    public void An_edit_that_fails_in_any_way_throws_nothing()
    {
        var picture = ImageFile.Load(StudioFixture.Sample.Source.Span);
        using var session = new StudioSession(picture, new StudioOptions(), TimeProvider.System);
        var job = session.Begin(Signal.Sketch(picture), new EditOptions { Steps = 1 });
        job.Run(() => throw new InvalidOperationException("no reason at all"), () => null, NullLogger.Instance);
        Assert.Equal(EditPhase.Failed, job.State.Phase);
        Assert.Equal("no reason at all", job.State.Problem!.Detail);
    }

    [Fact]
    public void A_drawing_too_large_for_the_metadata_is_left_out_of_it()
    {
        // Noise does not deflate: 26 MB of it stay 26 MB.
        const int Side = 5120;
        var noise = new byte[Side * Side];
        new Random(1).NextBytes(noise);
        using var session = new StudioSession(ImageFile.Load(StudioFixture.Sample.Source.Span), new StudioOptions(), TimeProvider.System);
        var job = session.Begin(Signal.Sketch(PixelImage.FromPixels(noise, Side, Side, PixelFormat.Gray8)), new EditOptions { Steps = 1 });
        using var editor = fixture.Painter.Open(session.Picture);
        job.Run(() => editor, () => null, NullLogger.Instance);
        Assert.Equal(EditPhase.Done, job.State.Phase);
        Assert.Contains("too large to be kept", Assert.Single(session.Find(1).State.Warnings), StringComparison.Ordinal);
        Assert.Null(EditFile.ReadMetadata(session.Find(1).Png)!.Record);
    }

    [Fact]
    public async Task Stopping_ends_edits_and_streams()
    {
        var server = await fixture.Start();
        using var client = new Client(server);
        var (id, other) = (await client.Open(), await client.Open());
        using var tab = await Listen(server, id);
        using var edit = await client.Edit(id, Client.Order(Long));
        using var waiting = await client.Edit(other, Client.Order(Long));
        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.Http.GetAsync("/api/about", Cancel));
    }

    /// <summary>A tab that watches a session and never reads what it is told.</summary>
    static async Task<TcpClient> Listen(StudioServer server, string id)
    {
        var socket = new TcpClient { ReceiveBufferSize = 1024 };
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port, Cancel);
        await socket.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes($"GET /api/sessions/{id}/events HTTP/1.1\r\nHost: 127.0.0.1:{server.Address.Port}\r\nAuthorization: Bearer {server.Token}\r\n\r\n"), Cancel);
        // Its headers tell that it is being served.
        await socket.GetStream().ReadExactlyAsync(new byte[16], Cancel);
        return socket;
    }

    static void InterlockedMax(ref int most, int value)
    {
        for (var now = Volatile.Read(ref most); value > now; now = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, now);
    }
}
