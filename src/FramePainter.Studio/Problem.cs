using Microsoft.AspNetCore.Http;

namespace FramePainter.Studio;

/// <summary>A request that is refused: becomes problem details (RFC 9457) whose type is <c>urn:framepainter:studio:KIND</c>.</summary>
sealed class Problem(int status, string kind, string title, string? detail = null) : Exception
{
    const string Prefix = "urn:framepainter:studio:";

    public int Status => status;

    public override string Message => title;

    public static Problem BadHost() => new(421, "wrong-host", "This server answers to 127.0.0.1 and localhost alone.");

    public static Problem BadOrigin() => new(403, "cross-origin", "Requests from other pages are refused.");

    public static Problem NoToken() => new(401, "no-token", "The token is missing or wrong.", "Open the address that the command printed.");

    public static Problem NotFound(string what) => new(404, "not-found", $"There is no such {what}.");

    public static Problem TooLarge(long bytes) => new(413, "too-many-bytes", "The upload is too large.", $"Up to {bytes} bytes are accepted.");

    public static Problem TooManyPixels(int width, int height, string detail) => new(413, "too-many-pixels", $"A picture of {width}×{height} pixels is too large.", detail);

    public static Problem WrongType(string accepted) => new(415, "wrong-type", "The content type is not accepted.", $"Send {accepted}.");

    public static Problem BadPicture(string detail) => new(400, "bad-picture", "The picture cannot be read.", detail);

    public static Problem BadRequest(string detail) => new(400, "bad-request", "The request cannot be read.", detail);

    public static Problem BadOption(string detail) => new(400, "bad-option", "A setting is out of range.", detail);

    public static Problem BadSignal(string detail) => new(400, "bad-signal", "The drawing cannot be used.", detail);

    public static Problem Editing() => new(409, "edit-running", "This picture is being edited already.", "Cancel the edit or wait for it.");

    public static Problem QueueFull() => new(503, "queue-full", "Too many edits are waiting.", "Try again when one has ended.");

    public static Problem TooManySessions() => new(503, "too-many-sessions", "Too many pictures are open.", "Close a tab and try again.");

    public static Problem EditFailed(string detail) => new(500, "edit-failed", "The edit failed.", detail);

    /// <summary>The body.</summary>
    public ProblemBody Body => new(Prefix + kind, title, status, detail);

    /// <summary>Answers with the problem.</summary>
    public IResult ToResult() => Results.Json(Body, StudioJson.Default.ProblemBody, "application/problem+json", status);
}

/// <summary>Problem details on the wire.</summary>
sealed record ProblemBody(string Type, string Title, int Status, string? Detail);
