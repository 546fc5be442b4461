using System.Diagnostics;
using System.Globalization;
using FramePainter.Imaging;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FramePainter.Extensions.AI;

/// <summary>
/// FramePainter as an image generator: edits the one original image of a request by a signal, which comes as an <see cref="EditRequest"/> (or a
/// <see cref="Signal"/>) of <see cref="ImageGenerationOptions.RawRepresentationFactory"/>, or by the keys of <see cref="EditProperties"/>.
/// The prompt has no effect. Safe to use from several threads.
/// </summary>
public sealed class FramePainterImageGenerator : IImageGenerator
{
    /// <summary>Name of the model where none is given.</summary>
    public const string DefaultModelId = "framepainter";

    readonly Painter _painter;
    readonly ILogger _logger;
    readonly ImageGeneratorMetadata _metadata;
    readonly string _model;
    int _disposed;

    /// <summary>Wraps a painter, which stays the caller's: it is not disposed with the generator.</summary>
    /// <param name="painter">The painter.</param>
    /// <param name="logger">Receives the events; none when left out.</param>
    /// <param name="modelId">The model's name in traces and metrics.</param>
    public FramePainterImageGenerator(Painter painter, ILogger<FramePainterImageGenerator>? logger = null, string modelId = DefaultModelId)
    {
        ArgumentNullException.ThrowIfNull(painter);
        ArgumentException.ThrowIfNullOrWhiteSpace(modelId);
        _painter = painter;
        _logger = logger ?? NullLogger<FramePainterImageGenerator>.Instance;
        _model = modelId;
        _metadata = new ImageGeneratorMetadata(FramePainterTelemetry.Provider, providerUri: null, modelId);
        FramePainterTelemetry.Enter(painter);
    }

    /// <summary>
    /// Edits the request's picture. <see cref="ImageGenerationOptions.Count"/> pictures are made with consecutive seeds; each comes as a <see cref="DataContent"/>,
    /// and <see cref="ImageGenerationResponse.RawRepresentation"/> is the list of <see cref="EditResult"/>.
    /// </summary>
    /// <param name="request">The picture, as its one original image: a <see cref="DataContent"/> with a PNG, JPEG or WebP file.</param>
    /// <param name="options">The signal, and how pictures are made and written.</param>
    /// <param name="cancellationToken">Looked at between the tiles of every kernel.</param>
    /// <returns>The edited pictures.</returns>
    /// <exception cref="ImageException">The picture cannot be used.</exception>
    /// <exception cref="SignalException">There is no signal, or it does not fit.</exception>
    /// <exception cref="OptionException">An option is out of range, or cannot be met.</exception>
    /// <exception cref="PlanException">There is not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The generator or its painter is disposed.</exception>
    public async Task<ImageGenerationResponse> GenerateAsync(ImageGenerationRequest request, ImageGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        // Samplers decide by what a span has when it begins, and what fails early has it too.
        using var activity = FramePainterTelemetry.Source.StartActivity(
            $"{FramePainterTelemetry.Operation} {_model}", ActivityKind.Internal, parentContext: default, FramePainterTelemetry.Tags(_model));
        var start = Stopwatch.GetTimestamp();
        string? error = null;
        try
        {
            // A thread of its own: an edit takes seconds to minutes.
            return await Task.Factory.StartNew(
                () => Generate(request, options, activity, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = ErrorType(e);
            activity?.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error, e.Message);
            if (e is OperationCanceledException)
            {
                Log.EditCancelled(_logger);
            }
            else
            {
                Log.EditFailed(_logger, e);
            }

            throw;
        }
        finally
        {
            FramePainterTelemetry.RequestEnded(_model, Stopwatch.GetElapsedTime(start), error);
        }
    }

    /// <summary>The generator's metadata, its <see cref="Painter"/>, or itself.</summary>
    /// <param name="serviceType">What is asked for.</param>
    /// <param name="serviceKey">Nothing here has a key.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ImageGeneratorMetadata) ? _metadata
            : serviceType == typeof(Painter) ? _painter
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Ends the generator; its painter stays open.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            FramePainterTelemetry.Leave(_painter);
        }
    }

    static string ErrorType(Exception e) => e.GetType().FullName!;

    ImageGenerationResponse Generate(ImageGenerationRequest request, ImageGenerationOptions? options, Activity? activity, CancellationToken cancel)
    {
        if (options?.ModelId is { } model && model != _model)
        {
            throw new OptionException(nameof(ImageGenerationOptions.ModelId), $"The model asked for is '{model}'; this generator has '{_model}'.");
        }

        var picture = RequestReader.Picture(request);
        var edit = RequestReader.Edit(options, this);
        var (format, mediaType) = RequestReader.Format(options);
        var count = RequestReader.Count(options);
        RequestReader.CheckSize(options, picture);
        if (!string.IsNullOrWhiteSpace(request.Prompt))
        {
            Log.PromptIgnored(_logger);
        }

        Describe(activity, edit.Options, picture, count);
        Log.EditStarted(_logger, picture.Width, picture.Height, count, edit.Options.Steps, edit.Options.Seed);
        using var session = _painter.Open(picture);
        var results = new List<EditResult>(count);
        var contents = new List<AIContent>(count);
        for (var i = 0; i < count; i++)
        {
            var seed = unchecked(edit.Options.Seed + i);
            var result = Edit(session, edit.Signal, edit.Options with { Seed = seed }, activity, cancel);
            results.Add(result);
            using var stream = new MemoryStream();
            ImageFile.Save(result.Edited, stream, format);
            contents.Add(new DataContent(stream.ToArray(), mediaType)
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"edit-{seed}{Path.GetExtension(mediaType.Replace('/', '.'))}"),
                RawRepresentation = result,
            });
        }

        return new ImageGenerationResponse(contents) { RawRepresentation = results };
    }

    EditResult Edit(EditSession session, Signal signal, EditOptions options, Activity? activity, CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        string? error = null;
        try
        {
            var result = session.Edit(signal, options with { Progress = new StepClock(_model, options.Progress) }, cancel);
            foreach (var timing in result.Timings)
            {
                activity?.AddEvent(new ActivityEvent("framepainter.stage", tags: new ActivityTagsCollection
                {
                    ["framepainter.stage.name"] = timing.Stage.ToString(),
                    ["framepainter.stage.duration"] = timing.Duration.TotalSeconds,
                }));
            }

            foreach (var warning in result.Warnings)
            {
                Log.Warning(_logger, warning.Message);
            }

            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Log.EditCompleted(_logger, options.Seed, seconds);
            return result;
        }
        catch (Exception e)
        {
            error = ErrorType(e);
            throw;
        }
        finally
        {
            FramePainterTelemetry.EditEnded(_model, error);
        }
    }

    static void Describe(Activity? activity, EditOptions options, PixelImage picture, int count)
    {
        if (activity is null)
        {
            return;
        }

        activity.SetTag("gen_ai.output.type", "image");
        activity.SetTag("gen_ai.request.seed", options.Seed);
        activity.SetTag("gen_ai.request.choice.count", count);
        activity.SetTag("framepainter.request.steps", options.Steps);
        activity.SetTag("framepainter.request.width", picture.Width);
        activity.SetTag("framepainter.request.height", picture.Height);
    }
}
