using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FramePainter.Fuzz.Studio;

/// <summary>One request and its answer.</summary>
internal sealed class Exchange : IDisposable
{
    /// <summary>How long an answer may take to end once the asker has left; wide, because machines are busy.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    readonly HttpRequestFeature _request;
    readonly HttpResponseFeature _response = new();
    readonly MemoryStream _answer = new();
    readonly HttpRequestLifetimeFeature _lifetime;
    readonly CancellationTokenSource _left = new();

    Exchange(HttpRequestFeature request)
    {
        _request = request;
        _lifetime = new HttpRequestLifetimeFeature { RequestAborted = _left.Token };
    }

    public string Method => _request.Method;

    public string Path => _request.Path;

    public int Status => _response.StatusCode;

    public IHeaderDictionary AnswerHeaders => _response.Headers;

    public ReadOnlySpan<byte> Answer => _answer.GetBuffer().AsSpan(0, (int)_answer.Length);

    /// <summary>Reads a request: a line with method and address, lines of headers, an empty line, the body. Null where the line is none: a server would not hand it over.</summary>
    public static Exchange? Parse(ReadOnlySpan<byte> text)
    {
        var head = text.IndexOf("\n\n"u8);
        var lines = Encoding.Latin1.GetString(head < 0 ? text : text[..head]).Split('\n');
        var words = lines[0].Split(' ');
        if (words.Length != 2 || words[0].Length == 0 || !words[0].All(char.IsAsciiLetterUpper) || words[1].Length == 0 || words[1][0] != '/' || words[1].Any(c => c is < '!' or > '~'))
        {
            return null;
        }

        var query = words[1].IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? words[1] : words[1][..query];
        if (path.Contains("%00", StringComparison.Ordinal))
        {
            return null;
        }

        var request = new HttpRequestFeature
        {
            Method = words[0], Path = PathString.FromUriComponent(path).Value!, QueryString = query < 0 ? "" : words[1][query..], RawTarget = words[1], Scheme = "http", Protocol = "HTTP/1.1",
            Body = new MemoryStream(head < 0 ? [] : text[(head + 2)..].ToArray()),
        };
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && !line.Any(char.IsControl))
            {
                request.Headers.Append(line[..colon], line[(colon + 1)..].Trim());
            }
        }

        return new Exchange(request);
    }

    /// <summary>Sends the request; an answer without end is left once it waits.</summary>
    /// <exception cref="TimeoutException">It does not end even then.</exception>
    public void Send(InProcessListener listener)
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(_request);
        features.Set<IHttpResponseFeature>(_response);
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(_answer));
        features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        var done = listener.Process(features);
        if (!done.IsCompleted)
        {
            _left.Cancel();
            if (!((IAsyncResult)done).AsyncWaitHandle.WaitOne(s_patience))
            {
                throw new TimeoutException($"{Method} {Path} does not end.");
            }
        }

        done.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _left.Dispose();
        _answer.Dispose();
    }
}
