using System.Diagnostics;
using FramePainter;
using FramePainter.Extensions.AI;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

// The services' own namespace, where AddX methods are looked for.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>FramePainter among an application's services.</summary>
public static class FramePainterServices
{
    /// <summary>
    /// Adds a <see cref="Painter"/> and an <see cref="IImageGenerator"/> on it, each once for the application. The model is loaded when one of them is first
    /// asked for, and given back with the services. Services that are there already stay.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="options">What the painter is opened with.</param>
    /// <param name="modelId">The model's name in traces and metrics.</param>
    public static IServiceCollection AddFramePainter(this IServiceCollection services, PainterOptions options, string modelId = FramePainterImageGenerator.DefaultModelId)
    {
        ArgumentNullException.ThrowIfNull(options);
        return services.AddFramePainter(_ => options, modelId);
    }

    /// <summary>As <see cref="AddFramePainter(IServiceCollection, PainterOptions, string)"/>, with options that depend on other services.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Makes what the painter is opened with.</param>
    /// <param name="modelId">The model's name in traces and metrics.</param>
    public static IServiceCollection AddFramePainter(this IServiceCollection services, Func<IServiceProvider, PainterOptions> options, string modelId = FramePainterImageGenerator.DefaultModelId)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(modelId);
        services.TryAddSingleton(provider => Load(provider, options(provider), modelId));
        services.TryAddSingleton<IImageGenerator>(provider => new FramePainterImageGenerator(
            provider.GetRequiredService<Painter>(), provider.GetService<ILogger<FramePainterImageGenerator>>(), modelId));
        return services;
    }

    static Painter Load(IServiceProvider provider, PainterOptions options, string modelId)
    {
        var start = Stopwatch.GetTimestamp();
        var painter = Painter.Load(options);
        var logger = provider.GetService<ILogger<FramePainterImageGenerator>>() ?? NullLogger<FramePainterImageGenerator>.Instance;
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Log.ModelLoaded(logger, modelId, seconds, painter.WeightBytes, painter.Device);
        return painter;
    }
}
