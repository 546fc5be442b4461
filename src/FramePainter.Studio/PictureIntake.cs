using FramePainter.Imaging;
using Microsoft.AspNetCore.Http;

namespace FramePainter.Studio;

/// <summary>Takes pictures from requests: bytes are counted while they arrive, pixels are read off the header, and only then is anything decoded.</summary>
sealed class PictureIntake(StudioOptions options) : IDisposable
{
    const string Accepted = "image/png, image/jpeg or image/webp";

    // Each holds an upload and its pixels: more at once would take memory, not time.
    const int AtOnce = 2;

    readonly SemaphoreSlim _gate = new(AtOnce);

    /// <summary>The picture that is the body of a request.</summary>
    /// <exception cref="Problem">It is of another type, too large or damaged.</exception>
    public async Task<PixelImage> Receive(HttpRequest request, CancellationToken cancel)
    {
        if (request.ContentType is not ("image/png" or "image/jpeg" or "image/webp"))
            throw Problem.WrongType(Accepted);
        if (request.ContentLength > options.MaxUploadBytes)
            throw Problem.TooLarge(options.MaxUploadBytes);

        await _gate.WaitAsync(cancel);
        try
        {
            using var bytes = new MemoryStream();
            // The server itself ends a body that is longer than MaxUploadBytes.
            await request.Body.CopyToAsync(bytes, cancel);
            return Decode(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Decodes a picture file.</summary>
    /// <exception cref="Problem">It is too large or damaged.</exception>
    public PixelImage Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var (width, height) = ImageFile.SizeOf(bytes);
            return (long)width * height <= options.MaxPixels ? ImageFile.Load(bytes) : throw Problem.TooManyPixels(width, height, $"Up to {options.MaxPixels} pixels are accepted.");
        }
        catch (ImageException e)
        {
            throw Problem.BadPicture(e.Message);
        }
    }

    /// <summary>A picture as a PNG file.</summary>
    public static byte[] ToPng(PixelImage picture)
    {
        using var stream = new MemoryStream();
        ImageFile.Save(picture, stream, ImageFormat.Png);
        return stream.ToArray();
    }

    public void Dispose() => _gate.Dispose();
}
