using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FramePainter.Studio;

/// <summary>
/// FramePainter Studio: a page on 127.0.0.1 to draw on a picture and have it edited. It needs nothing from outside, is reached by an address with a
/// random token alone, and reads and writes no file.
/// </summary>
public sealed class StudioServer : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly SessionTable _sessions;
    readonly PictureIntake _intake;
    bool _disposed;

    StudioServer(WebApplication app, SessionTable sessions, EditQueue queue, PictureIntake intake) =>
        (_app, _sessions, Queue, _intake) = (app, sessions, queue, intake);

    /// <summary>The address to open, with the token: whoever has it can use the Studio.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The token by itself: programs send it as <c>Authorization: Bearer</c>.</summary>
    public string Token { get; private set; } = "";

    /// <summary>The edits that wait, for tests.</summary>
    internal EditQueue Queue { get; }

    /// <summary>Starts a Studio.</summary>
    /// <param name="painter">The opened model; it stays the caller's and must outlive the Studio.</param>
    /// <param name="options">How it listens; the defaults when left out.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <exception cref="OptionException">An option is out of range.</exception>
    /// <exception cref="IOException">The port is in use or may not be listened on.</exception>
    public static Task<StudioServer> StartAsync(Painter painter, StudioOptions? options = null, CancellationToken cancel = default) =>
        StartAsync(painter, options, listener: null, cancel);

    /// <summary>Starts a Studio behind another listener than a socket, for tests that send millions of requests.</summary>
    internal static async Task<StudioServer> StartAsync(Painter painter, StudioOptions? options, IServer? listener, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(painter);
        options ??= new StudioOptions();
        options.Validate();
        var app = Build(options, listener);
        var door = new Door();
        var sessions = new SessionTable(options, TimeProvider.System);
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("FramePainter.Studio");
        var server = new StudioServer(app, sessions, new EditQueue(painter, options.QueueLength, log), new PictureIntake(options));
        try
        {
            app.Use(door.Pass);
            app.Use((context, next) => Answer(context, next, options));
            app.UseRouting();
            new Endpoints(painter, options, sessions, server.Queue, server._intake, app.Lifetime.ApplicationStopping).Map(app);
            await app.StartAsync(cancel);
            var port = new Uri(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single()).Port;
            door.Open(port);
            server.Token = door.Token;
            server.Address = new Uri($"http://127.0.0.1:{port}/?token={door.Token}");
            Logs.Listening(log, port);
            return server;
        }
        catch (SocketException e)
        {
            await server.DisposeAsync();
            throw new IOException($"Port {options.Port} on 127.0.0.1 cannot be listened on: {e.Message}. Choose another, or 0 for one that is free.", e);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Cancels edits, ends streams and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;

        _disposed = true;
        _sessions.Dispose();
        await Task.Run(Queue.Dispose);
        await _app.StopAsync();
        await _app.DisposeAsync();
        _intake.Dispose();
    }

    /// <summary>A builder that looks at no environment variable, settings file or content folder.</summary>
    static WebApplication Build(StudioOptions options, IServer? listener)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxUploadBytes;
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        if (listener is not null)
            builder.Services.AddSingleton(listener);
        builder.Services.AddRoutingCore();
        // Numbers in an address that are none come to the same answer as all that cannot be read.
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddLogging(log =>
        {
            if (options.Log is not null)
                log.AddProvider(options.Log);

            // Below this the host logs addresses, and with them the token.
            log.AddFilter("Microsoft", LogLevel.Warning);
        });
        return builder.Build();
    }

    /// <summary>Turns what is refused, and what cannot be read, into problem details.</summary>
    static async Task Answer(HttpContext context, RequestDelegate next, StudioOptions options)
    {
        Problem problem;
        try
        {
            await next(context);
            return;
        }
        catch (Problem p)
        {
            problem = p;
        }
        catch (BadHttpRequestException e)
        {
            problem = e.StatusCode == StatusCodes.Status413PayloadTooLarge ? Problem.TooLarge(options.MaxUploadBytes) : Problem.BadRequest(e.Message);
        }
        catch (JsonException e)
        {
            problem = Problem.BadRequest(e.Message);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // Whoever asked has left.
            return;
        }

        if (!context.Response.HasStarted)
        {
            if (problem.Status == StatusCodes.Status503ServiceUnavailable)
                context.Response.Headers.RetryAfter = "5";
            await problem.ToResult().ExecuteAsync(context);
        }
    }
}
