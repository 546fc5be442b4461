using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FramePainter.Native;

/// <summary>The functions of include/framepainter.h. No exception leaves them: each becomes a status and a message.</summary>
static unsafe class Exports
{
    /// <summary>Whether this thread is inside an edit, that is: a progress callback calls.</summary>
    [ThreadStatic]
    static bool s_editing;

    /// <summary><c>fp_load</c>.</summary>
    [UnmanagedCallersOnly(EntryPoint = "fp_load", CallConvs = [typeof(CallConvCdecl)])]
    public static int Load(LoadOptions* options, nint* painter)
    {
        try
        {
            Arguments.NotNull(painter, "painter");
            *painter = 0;
            *painter = Painters.Add(Painter.Load(Arguments.Read(options)));
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Keep(e);
        }
    }

    /// <summary><c>fp_default_options</c>.</summary>
    [UnmanagedCallersOnly(EntryPoint = "fp_default_options", CallConvs = [typeof(CallConvCdecl)])]
    public static int DefaultOptions(NativeEditOptions* options)
    {
        try
        {
            Arguments.NotNull(options, "options");
            var standard = EditOptions.Default;
            *options = new NativeEditOptions
            {
                Size = (uint)sizeof(NativeEditOptions),
                Steps = standard.Steps,
                Seed = standard.Seed,
                ControlScale = standard.ControlScale,
                Guidance = standard.Guidance,
            };
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Keep(e);
        }
    }

    /// <summary><c>fp_edit</c>.</summary>
    [UnmanagedCallersOnly(EntryPoint = "fp_edit", CallConvs = [typeof(CallConvCdecl)])]
    public static int Edit(nint painter, NativeImage* picture, NativeSignal* signal, NativeEditOptions* options, NativeImage* result)
    {
        try
        {
            RefuseInCallback("fp_edit");
            var open = Painters.Of(painter);
            var image = Arguments.Read(picture, "picture");
            var change = Arguments.Read(signal);
            var pixels = Arguments.Pixels(result, "result");
            if (result->Width != image.Width || result->Height != image.Height)
            {
                throw new ImageException($"result is {result->Width}×{result->Height}; it must have the picture's extents, {image.Width}×{image.Height}.");
            }

            var source = open.Enter();
            s_editing = true;
            try
            {
                var edit = open.Painter.Edit(image, change, Arguments.Read(options, source), source.Token);
                edit.Edited.CopyTo(pixels, (PixelFormat)result->Format, result->Stride);
                return (int)Status.Ok;
            }
            finally
            {
                s_editing = false;
                open.Leave(source);
            }
        }
        catch (Exception e)
        {
            return LastError.Keep(e);
        }
    }

    /// <summary><c>fp_cancel</c>.</summary>
    [UnmanagedCallersOnly(EntryPoint = "fp_cancel", CallConvs = [typeof(CallConvCdecl)])]
    public static int Cancel(nint painter)
    {
        try
        {
            Painters.Of(painter).Cancel();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Keep(e);
        }
    }

    /// <summary><c>fp_last_error</c>.</summary>
    [UnmanagedCallersOnly(EntryPoint = "fp_last_error", CallConvs = [typeof(CallConvCdecl)])]
    public static int LastErrorMessage(byte* buffer, int capacity) =>
        LastError.CopyTo(buffer is null || capacity < 1 ? [] : new Span<byte>(buffer, capacity));

    /// <summary><c>fp_free</c>.</summary>
    [UnmanagedCallersOnly(EntryPoint = "fp_free", CallConvs = [typeof(CallConvCdecl)])]
    public static int Free(nint painter)
    {
        try
        {
            if (painter == 0)
            {
                return (int)Status.Ok;
            }

            RefuseInCallback("fp_free");
            var open = Painters.Take(painter);
            open.Cancel();
            open.Painter.Dispose();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            return LastError.Keep(e);
        }
    }

    static void RefuseInCallback(string function)
    {
        if (s_editing)
        {
            throw new AbiException(Status.Busy, $"{function} was called from a progress callback; return from it first (not 0 cancels the edit).");
        }
    }
}
