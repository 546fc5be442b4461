using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FramePainter.Studio.Tests;

/// <summary>Plays each attack on the Studio's door.</summary>
[Collection(StudioGroup.Name)]
public sealed class DoorTests(StudioFixture fixture)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/?token=guess")]
    [InlineData("GET", "/assets/app.js")]
    [InlineData("GET", "/api/about")]
    [InlineData("POST", "/api/sessions")]
    [InlineData("GET", "/no/such/page")]
    public async Task Without_the_token_nothing_is_answered(string method, string path)
    {
        await using var server = await fixture.Start();
        using var client = new Client(server, token: false);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add("Authorization", "Bearer " + server.Token[..^1]);
        using var answer = await client.Http.SendAsync(request, Cancel);
        await Client.AssertProblem(answer, 401, "no-token");
    }

    [Fact]
    public async Task The_token_opens_only_the_first_page_by_address()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server, token: false);
        using var asset = await client.Http.GetAsync($"/api/about?token={server.Token}", Cancel);
        await Client.AssertProblem(asset, 401, "no-token");

        using var page = await client.Http.GetAsync(server.Address, Cancel);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var cookie = page.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/about");
        request.Headers.Add("Cookie", cookie.Split(';')[0]);
        using var about = await client.Http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, about.StatusCode);
    }

    [Theory]
    [InlineData("attacker.example")]
    [InlineData("attacker.example:{port}")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1.attacker.example:{port}")]
    [InlineData("127.0.0.1:1")]
    public async Task Another_host_is_refused(string host)
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        client.Http.DefaultRequestHeaders.Host = host.Replace("{port}", $"{server.Address.Port}", StringComparison.Ordinal);
        using var answer = await client.Http.GetAsync("/api/about", Cancel);
        await Client.AssertProblem(answer, 421, "wrong-host");
    }

    [Theory]
    [InlineData("Origin", "http://attacker.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://127.0.0.1:1")]
    [InlineData("Origin", "https://127.0.0.1:{port}")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Another_page_is_refused(string header, string value)
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        client.Http.DefaultRequestHeaders.Add(header, value.Replace("{port}", $"{server.Address.Port}", StringComparison.Ordinal));
        using var content = Client.Picture(StudioFixture.Sample.Source.ToArray());
        using var answer = await client.Http.PostAsync("/api/sessions", content, Cancel);
        await Client.AssertProblem(answer, 403, "cross-origin");
    }

    [Fact]
    public async Task The_own_page_is_let_in_under_both_names()
    {
        await using var server = await fixture.Start();
        foreach (var host in new[] { "127.0.0.1", "localhost" })
        {
            using var client = new Client(server);
            client.Http.DefaultRequestHeaders.Host = $"{host}:{server.Address.Port}";
            client.Http.DefaultRequestHeaders.Add("Origin", $"http://{host}:{server.Address.Port}");
            using var answer = await client.Http.GetAsync("/api/about", Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData(80, "127.0.0.1", true)]
    [InlineData(80, "localhost", true)]
    [InlineData(80, "localhost:80", true)]
    [InlineData(80, "attacker.example", false)]
    [InlineData(8080, "localhost", false)]
    public async Task The_port_may_be_left_out_where_browsers_leave_it_out(int port, string host, bool passes)
    {
        var door = new Door();
        door.Open(port);
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Request.Headers.Host = host;
        context.Request.Headers.Origin = $"http://{host}";
        context.Request.Headers.Authorization = "Bearer " + door.Token;
        var passed = false;
        await door.Pass(context, _ =>
        {
            passed = true;
            return Task.CompletedTask;
        });
        Assert.Equal(passes, passed);
        Assert.Equal(passes ? 200 : 421, context.Response.StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/assets/app.js")]
    [InlineData("/no/such/page")]
    public async Task Every_answer_carries_the_policy(string path)
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        using var answer = await client.Http.GetAsync(path, Cancel);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task The_page_asks_for_nothing_from_elsewhere()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var files = typeof(StudioServer).Assembly.GetManifestResourceNames();
        Assert.Contains("index.html", files);
        foreach (var file in files)
        {
            // The name of SVG's own vocabulary is no address that anything is asked for.
            var text = (await client.Http.GetStringAsync(file == "index.html" ? "/" : $"/assets/{file}", Cancel)).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.DoesNotContain("://", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"//", text, StringComparison.Ordinal);
            Assert.DoesNotContain("url(//", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Each_server_has_a_token_of_its_own_of_256_bits()
    {
        await using var first = await fixture.Start();
        await using var second = await fixture.Start();
        Assert.NotEqual(first.Token, second.Token);
        Assert.Equal(32, Convert.FromBase64String(first.Token.Replace('-', '+').Replace('_', '/') + "=").Length);
        using var client = new Client(second, token: false);
        client.Http.DefaultRequestHeaders.Add("Cookie", $"framepainter-studio-{second.Address.Port}={first.Token}");
        using var answer = await client.Http.GetAsync("/api/about", Cancel);
        await Client.AssertProblem(answer, 401, "no-token");
    }

    [Theory]
    [InlineData("/assets/../../../etc/passwd")]
    [InlineData("/assets/..%2f..%2f..%2fetc%2fpasswd")]
    [InlineData("/assets/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/assets//etc/passwd")]
    [InlineData("/api/samples/..%2f..%2fetc/passwd")]
    [InlineData("/api/samples/007/%2fetc%2fpasswd")]
    public async Task No_path_leads_to_the_disk(string path)
    {
        await using var server = await fixture.Start();
        // Raw: a client library would tidy the path up.
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port, Cancel);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.Address.Port}\r\nAuthorization: Bearer {server.Token}\r\nConnection: close\r\n\r\n"), Cancel);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(Cancel);
        Assert.StartsWith("HTTP/1.1 404", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_listens_on_loopback_alone()
    {
        await using var server = await fixture.Start();
        var others = (await Dns.GetHostAddressesAsync(Dns.GetHostName(), AddressFamily.InterNetwork, Cancel)).Where(a => !IPAddress.IsLoopback(a)).ToArray();
        Assert.SkipWhen(others.Length == 0, "This computer has no other address.");
        foreach (var address in others)
        {
            using var socket = new TcpClient();
            await Assert.ThrowsAsync<SocketException>(async () => await socket.ConnectAsync(address, server.Address.Port, Cancel));
        }
    }

    [Fact]
    public async Task A_port_that_may_not_be_listened_on_is_named()
    {
        using var listener = new Refusing();
        var error = await Assert.ThrowsAsync<IOException>(() => StudioServer.StartAsync(fixture.Painter, new StudioOptions { Port = 81 }, listener, Cancel));
        Assert.Contains("Port 81 on 127.0.0.1 cannot be listened on", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_is_in_no_log_message()
    {
        using var log = new Recorder();
        await using var server = await fixture.Start(new StudioOptions { Log = log });
        using var client = new Client(server);
        await client.Http.GetStringAsync(server.Address, Cancel);
        using var _ = await client.Http.GetAsync($"/nowhere?token={server.Token}", Cancel);
        var id = await client.Open();
        using var __ = await client.Edit(id, Client.Order(1));
        await client.Until(id, "Done");

        Assert.Contains(log.Messages, m => m.Contains("listens on 127.0.0.1", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Messages, m => m.Contains(server.Token, StringComparison.Ordinal));
    }

    /// <summary>Does what a socket does at a port that is kept for others.</summary>
    sealed class Refusing : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => throw new SocketException((int)SocketError.AccessDenied);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }

    sealed class Recorder : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Messages { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            Messages.Enqueue($"{state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Enqueue(formatter(state, exception) + exception);

        public void Dispose()
        {
        }
    }
}
