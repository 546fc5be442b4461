using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace FramePainter.Fuzz.Studio;

/// <summary>Stands in place of the socket: requests are handed to the application as a server hands them over, on the calling thread.</summary>
internal sealed class InProcessListener : IServer
{
    readonly ServerAddressesFeature _addresses = new() { Addresses = { $"http://127.0.0.1:{Port}" } };
    Func<IFeatureCollection, Task>? _process;

    /// <summary>The port that it claims.</summary>
    public const int Port = 5000;

    public InProcessListener() => Features.Set<IServerAddressesFeature>(_addresses);

    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>Answers a request; faults of the application come out as they are.</summary>
    public Task Process(IFeatureCollection request) => _process!(request);

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        _process = async features =>
        {
            var context = application.CreateContext(features);
            Exception? fault = null;
            try
            {
                await application.ProcessRequestAsync(context);
            }
            catch (Exception e)
            {
                fault = e;
                throw;
            }
            finally
            {
                application.DisposeContext(context, fault);
            }
        };
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }
}
