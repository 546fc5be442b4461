using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FramePainter.Toy;

namespace FramePainter.Studio.Tests;

/// <summary>The toy, opened once, and what every test does with a server.</summary>
public sealed class StudioFixture : IAsyncDisposable
{
    public Painter Painter { get; } = Painter.Load(new PainterOptions { Model = ToyModel.Folder });

    public static ToySample Sample { get; } = ToyModel.Samples.Single(s => s.Name == "007");

    public Task<StudioServer> Start(StudioOptions? options = null) =>
        StudioServer.StartAsync(Painter, (options ?? new StudioOptions()) with { ToySamples = true }, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Browser.End();
        Painter.Dispose();
    }
}

/// <summary>All tests share the toy and run one after the other: they time what the server does.</summary>
[CollectionDefinition(Name)]
public sealed class StudioGroup : ICollectionFixture<StudioFixture>
{
    public const string Name = "studio";
}

/// <summary>A program that uses a Studio.</summary>
sealed class Client : IDisposable
{
    readonly SocketsHttpHandler _handler = new() { UseCookies = false };

    public Client(StudioServer server, bool token = true)
    {
        Http = new HttpClient(_handler) { BaseAddress = new Uri($"http://127.0.0.1:{server.Address.Port}"), Timeout = TimeSpan.FromMinutes(2) };
        if (token)
            Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Token);
    }

    public HttpClient Http { get; }

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static ByteArrayContent Picture(byte[] bytes, string type = "image/png") => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    public async Task<string> Open(byte[]? picture = null)
    {
        using var content = Picture(picture ?? StudioFixture.Sample.Source.ToArray());
        using var answer = await Http.PostAsync("/api/sessions", content, Cancel);
        Assert.Equal(201, (int)answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("id").GetString()!;
    }

    public static object Order(int steps = 25) =>
        new { steps, seed = StudioFixture.Sample.Seed, float32Draws = true, sketch = StudioFixture.Sample.Sketch.ToArray() };

    public Task<HttpResponseMessage> Edit(string id, object? order = null) => Http.PostAsJsonAsync($"/api/sessions/{id}/edits", order ?? Order(), Cancel);

    public async Task<JsonElement> State(string id) => await Http.GetFromJsonAsync<JsonElement>($"/api/sessions/{id}", Cancel);

    public async Task<string> Phase(string id) => (await State(id)).GetProperty("edit").GetProperty("phase").GetString()!;

    /// <summary>Waits until the session's edit is in a phase.</summary>
    public async Task Until(string id, string phase)
    {
        var deadline = DateTime.UtcNow.AddSeconds(90);
        while (await Phase(id) is var now && now != phase)
        {
            Assert.True(DateTime.UtcNow < deadline, $"The edit stays {now} and does not become {phase}.");
            await Task.Delay(20, Cancel);
        }
    }

    public static async Task AssertProblem(HttpResponseMessage answer, int status, string kind)
    {
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode} instead of {status}: {body}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("urn:framepainter:studio:" + kind, JsonDocument.Parse(body).RootElement.GetProperty("type").GetString());
    }

    public void Dispose()
    {
        Http.Dispose();
        _handler.Dispose();
    }
}
