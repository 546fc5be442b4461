using System.Text.Json.Serialization;

namespace FramePainter.Studio;

/// <summary>What crosses the wire, without reflection. Fields that are not known are refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(EditRequest))]
[JsonSerializable(typeof(ProblemBody))]
[JsonSerializable(typeof(SessionState))]
[JsonSerializable(typeof(About))]
[JsonSerializable(typeof(MatchAnswer))]
sealed partial class StudioJson : JsonSerializerContext;

/// <summary>What the page needs to know at its start.</summary>
sealed record About(string Version, string Device, int Grid, long MaxUploadBytes, int MaxPixels, IReadOnlyList<SampleAnswer> Samples);

/// <summary>A sample picture with the seed of its reference edit.</summary>
sealed record SampleAnswer(string Name, long Seed);

/// <summary>A session as a page sees it.</summary>
sealed record SessionState(string Id, int Width, int Height, EditState? Edit, IReadOnlyList<FinishedState> History);

/// <summary>The last edit: waiting, running, or how it ended. Previews counts those there have been: a new one is to be had when it grows.</summary>
sealed record EditState(int Number, EditPhase Phase, int Waiting, string? Stage, int Step, int Steps, double Seconds, ProblemBody? Problem, int Previews);

/// <summary>Where an edit is.</summary>
enum EditPhase
{
    Queued,
    Running,
    Done,
    Cancelled,
    Failed,
}

/// <summary>A result in the history.</summary>
sealed record FinishedState(int Number, int Steps, long Seed, float ControlScale, double Seconds, bool Matches, IReadOnlyList<string> Warnings);

/// <summary>Where a point of the edit looked in the source: the best match and the share of each token, in thousandths of the largest.</summary>
sealed record MatchAnswer(float X, float Y, int Width, int Height, IReadOnlyList<int> Heat);
