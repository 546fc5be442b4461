using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace FramePainter.Studio;

/// <summary>
/// Who may come in. Every request must name this server as its host (against DNS rebinding), come from its own page or from no page
/// (against cross-site requests), and carry the token: in the opened address, then in a cookie, or as a bearer token from programs.
/// </summary>
sealed class Door
{
    /// <summary>Nothing from elsewhere, nothing inline, no frame around the page.</summary>
    const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    const string TokenParameter = "token";
    const string Bearer = "Bearer ";
    const int TokenBytes = 32;
    const int HttpPort = 80;

    readonly byte[] _token;
    int _port;

    public Door()
    {
        Token = Convert.ToBase64String(RandomNumberGenerator.GetBytes(TokenBytes)).Replace('+', '-').Replace('/', '_').TrimEnd('=');
        _token = Encoding.ASCII.GetBytes(Token);
    }

    /// <summary>The secret, fresh for each server.</summary>
    public string Token { get; }

    /// <summary>The cookie; browsers share cookies between the ports of a host, so that its name holds the port.</summary>
    public string Cookie => $"framepainter-studio-{_port}";

    /// <summary>Tells the port once it is known.</summary>
    public void Open(int port) => _port = port;

    /// <summary>Sets the headers of every answer and lets the request through, or refuses it.</summary>
    public Task Pass(HttpContext context, RequestDelegate next)
    {
        Dress(context.Response.Headers);
        if (Refusal(context.Request) is { } problem)
        {
            // The body is not read: the connection goes with it.
            context.Response.Headers.Connection = "close";
            return problem.ToResult().ExecuteAsync(context);
        }

        if (IsDoorstep(context.Request))
            context.Response.Cookies.Append(Cookie, Token, new CookieOptions { HttpOnly = true, SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict, Path = "/", IsEssential = true });

        return next(context);
    }

    static void Dress(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    Problem? Refusal(HttpRequest request)
    {
        var host = request.Headers.Host.ToString();
        if (!IsOwn(host, "127.0.0.1") && !IsOwn(host, "localhost"))
            return Problem.BadHost();

        var origins = request.Headers.Origin;
        if (origins.Count > 0 && origins.ToString() != $"http://{host}")
            return Problem.BadOrigin();

        // A link to the opened address may lie anywhere; everything else is asked for by the page itself.
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site is not ("" or "same-origin" or "none") && !IsDoorstep(request))
            return Problem.BadOrigin();

        return IsDoorstep(request) || IsToken(request.Cookies[Cookie]) || IsToken(FromHeader(request)) ? null : Problem.NoToken();
    }

    // Browsers leave the port of HTTP out, of the origin too.
    bool IsOwn(string host, string name) => host == $"{name}:{_port}" || (_port == HttpPort && host == name);

    bool IsDoorstep(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Path == "/" && IsToken(request.Query[TokenParameter]);

    static string? FromHeader(HttpRequest request) =>
        request.Headers[HeaderNames.Authorization].ToString() is { } header && header.StartsWith(Bearer, StringComparison.Ordinal) ? header[Bearer.Length..] : null;

    bool IsToken(string? candidate) => candidate is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(candidate), _token);
}
