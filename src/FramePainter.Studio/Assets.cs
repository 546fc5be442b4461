using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace FramePainter.Studio;

/// <summary>The page's own files, embedded. They are found by name in a closed table: nothing of a request becomes a path.</summary>
static class Assets
{
    public const string Page = "index.html";

    static readonly FrozenDictionary<string, byte[]> s_files = typeof(Assets).Assembly.GetManifestResourceNames().ToFrozenDictionary(name => name, Read, StringComparer.Ordinal);

    /// <summary>A file by its name.</summary>
    /// <exception cref="Problem">There is none of that name.</exception>
    public static IResult Get(string name) =>
        s_files.TryGetValue(name, out var bytes) ? Results.Bytes(bytes, TypeOf(name)) : throw Problem.NotFound("file");

    static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        _ => "image/svg+xml",
    };

    static byte[] Read(string name)
    {
        using var stream = typeof(Assets).Assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
