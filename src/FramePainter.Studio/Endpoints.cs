using System.Net.ServerSentEvents;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FramePainter.Toy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FramePainter.Studio;

/// <summary>What the server answers to.</summary>
sealed class Endpoints(Painter painter, StudioOptions options, SessionTable sessions, EditQueue queue, PictureIntake intake, CancellationToken stopping)
{
    const string Png = "image/png";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", () => Assets.Get(Assets.Page));
        routes.MapGet("/assets/{name}", (string name) => Assets.Get(name));
        routes.MapGet("/api/about", Describe);
        routes.MapGet("/api/samples/{name}/{part}", Sample);
        routes.MapPost("/api/sessions", (Delegate)Open);
        routes.MapGet("/api/sessions/{id}", (string id) => Results.Json(sessions.Find(id).State, StudioJson.Default.SessionState));
        routes.MapDelete("/api/sessions/{id}", Close);
        routes.MapGet("/api/sessions/{id}/events", Events);
        routes.MapGet("/api/sessions/{id}/picture", (string id) => Results.Bytes(PictureIntake.ToPng(sessions.Find(id).Picture), Png));
        routes.MapPost("/api/sessions/{id}/edits", Edit);
        routes.MapDelete("/api/sessions/{id}/edit", Cancel);
        routes.MapGet("/api/sessions/{id}/edit/preview", (string id) => Results.Bytes(sessions.Find(id).Preview, Png));
        routes.MapGet("/api/sessions/{id}/edits/{number:int}/picture", Picture);
        routes.MapGet("/api/sessions/{id}/edits/{number:int}/match", Match);
        // The pattern that a fallback has by itself leaves out names with a dot.
        routes.MapFallback("{*path}", () => Problem.NotFound("page").ToResult());
    }

    IResult Describe()
    {
        var version = typeof(Painter).Assembly.GetName().Version?.ToString(3) ?? "";
        SampleAnswer[] samples = options.ToySamples ? [.. ToyModel.Samples.Select(s => new SampleAnswer(s.Name, s.Seed))] : [];
        return Results.Json(new About(version, painter.Device, painter.Grid, options.MaxUploadBytes, options.MaxPixels, samples), StudioJson.Default.About);
    }

    IResult Sample(string name, string part)
    {
        var sample = options.ToySamples ? ToyModel.Samples.FirstOrDefault(s => s.Name == name) : null;
        return (sample, part) switch
        {
            (not null, "source") => Results.Bytes(sample.Source, Png),
            (not null, "sketch") => Results.Bytes(sample.Sketch, Png),
            _ => throw Problem.NotFound("sample"),
        };
    }

    async Task<IResult> Open(HttpContext context)
    {
        var picture = await intake.Receive(context.Request, context.RequestAborted);
        try
        {
            // Costs nothing, and tells whether the painter takes the picture.
            painter.Open(picture).Dispose();
        }
        catch (ImageException e)
        {
            throw Problem.TooManyPixels(picture.Width, picture.Height, e.Message);
        }

        return Results.Json(sessions.Open(picture).State, StudioJson.Default.SessionState, statusCode: StatusCodes.Status201Created);
    }

    IResult Close(string id)
    {
        sessions.Close(id);
        return Results.NoContent();
    }

    async Task<IResult> Edit(string id, HttpContext context)
    {
        var session = sessions.Find(id);
        if (!context.Request.HasJsonContentType())
            throw Problem.WrongType("application/json");
        // Told before the body is read, and again below, where it counts.
        if (session.Running is not null)
            throw Problem.Editing();

        var request = await JsonSerializer.DeserializeAsync(context.Request.Body, StudioJson.Default.EditRequest, context.RequestAborted)
            ?? throw Problem.BadRequest("The body is null.");
        var job = session.Begin(request.ToSignal(session.Picture, intake), request.ToOptions());
        try
        {
            queue.Add(job);
        }
        catch (Problem)
        {
            session.Withdraw(job);
            throw;
        }

        return Results.Json(session.State, StudioJson.Default.SessionState, statusCode: StatusCodes.Status202Accepted);
    }

    IResult Cancel(string id)
    {
        sessions.Find(id).Running?.Cancel();
        return Results.NoContent();
    }

    IResult Picture(string id, int number) => Results.Bytes(sessions.Find(id).Find(number).Png, Png);

    IResult Match(string id, int number, float x, float y)
    {
        var session = sessions.Find(id);
        var map = session.Find(number).Matches ?? throw Problem.NotFound("map of matches");
        var point = new Vector2(x, y);
        if (!(x >= 0 && y >= 0 && x < session.Picture.Width && y < session.Picture.Height))
            throw Problem.BadOption("The point lies outside the picture.");

        var best = map.Match(point);
        var heat = map.Heat(point);
        var scaled = new int[heat.Length];
        var most = System.Numerics.Tensors.TensorPrimitives.Max(heat);
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = most > 0 ? (int)MathF.Round(1000 * heat[i] / most) : 0;

        return Results.Json(new MatchAnswer(best.X, best.Y, map.Width, map.Height, scaled), StudioJson.Default.MatchAnswer);
    }

    IResult Events(string id, HttpContext context) => TypedResults.ServerSentEvents(States(sessions.Find(id), context.RequestAborted));

    /// <summary>The state now and whenever it has changed. What changes while a reader is slow reaches it as one state, the newest.</summary>
    async IAsyncEnumerable<SseItem<string>> States(StudioSession session, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel, stopping);
        using var watch = session.Watch();
        while (!end.IsCancellationRequested)
        {
            var changed = session.Changed;
            yield return new SseItem<string>(JsonSerializer.Serialize(session.State, StudioJson.Default.SessionState), "state");
            await changed.WaitAsync(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
