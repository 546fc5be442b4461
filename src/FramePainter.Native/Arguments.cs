using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FramePainter.Native;

/// <summary>Reads what C hands over. Memory is read only after every number that bounds it was checked.</summary>
static unsafe class Arguments
{
    /// <exception cref="AbiException">The pointer is NULL, or the struct has another size.</exception>
    public static void CheckSized<T>(T* value, string name)
        where T : unmanaged
    {
        NotNull(value, name);
        // Every struct with a size begins with it.
        var size = *(uint*)value;
        if (size != Unsafe.SizeOf<T>())
        {
            throw new AbiException(Status.Argument, $"{name}->size is {size}; this library's is {Unsafe.SizeOf<T>()}: set it to sizeof, and use the header that came with the library.");
        }
    }

    /// <exception cref="AbiException">The pointer is NULL.</exception>
    public static void NotNull(void* value, string name)
    {
        if (value is null)
        {
            throw new AbiException(Status.Argument, $"{name} is NULL.");
        }
    }

    /// <summary>What a painter is loaded with.</summary>
    public static PainterOptions Read(LoadOptions* options)
    {
        CheckSized(options, "options");
        NotNull(options->Model, "options->model");
        if (!Enum.IsDefined((Precision)options->Precision))
        {
            throw new AbiException(Status.Argument, $"options->precision is {options->Precision}; it must be one of fp_precision.");
        }

        return new PainterOptions
        {
            Model = Marshal.PtrToStringUTF8((nint)options->Model)!,
            Checkpoint = Marshal.PtrToStringUTF8((nint)options->Checkpoint),
            Threads = options->Threads == 0 ? null : options->Threads,
            Precision = (Precision)options->Precision,
            Device = Device.Cpu,
        };
    }

    /// <summary>A picture, copied.</summary>
    public static PixelImage Read(NativeImage* image, string name)
    {
        var pixels = Pixels(image, name);
        return PixelImage.FromPixels(pixels, image->Width, image->Height, (PixelFormat)image->Format, image->Stride);
    }

    /// <summary>The memory of a picture, from the first pixel to the last.</summary>
    /// <exception cref="AbiException">A pointer is NULL, or the format is unknown.</exception>
    /// <exception cref="ImageException">The extents or the stride are out of range.</exception>
    public static Span<byte> Pixels(NativeImage* image, string name)
    {
        NotNull(image, name);
        NotNull(image->Pixels, $"{name}->pixels");
        var pixel = (PixelFormat)image->Format switch
        {
            PixelFormat.Rgb24 or PixelFormat.Bgr24 => 3,
            PixelFormat.Rgba32 or PixelFormat.Bgra32 => 4,
            PixelFormat.Gray8 => 1,
            _ => throw new AbiException(Status.Argument, $"{name}->format is {image->Format}; it must be one of fp_format."),
        };
        var (width, height) = (image->Width, image->Height);
        if (width is < 1 or > PixelImage.MaxSide || height is < 1 or > PixelImage.MaxSide || (long)width * height > PixelImage.MaxPixels)
        {
            throw new ImageException($"{name} is {width}×{height}; sides must be from 1 to {PixelImage.MaxSide}, with {PixelImage.MaxPixels} pixels at most.");
        }

        long row = width * pixel;
        long stride = image->Stride == 0 ? row : image->Stride;
        var bytes = (stride * (height - 1)) + row;
        return stride >= row && bytes <= int.MaxValue
            ? new Span<byte>(image->Pixels, (int)bytes)
            : throw new ImageException($"{name}->stride is {image->Stride}; a row has {row} bytes, and the picture at most {int.MaxValue}.");
    }

    /// <summary>What is to change.</summary>
    public static Signal Read(NativeSignal* signal)
    {
        CheckSized(signal, "signal");
        if (signal->Sketch is not null && signal->Coarse is not null)
        {
            throw new SignalException("The signal has a sketch and a coarse edit; the control encoder takes one picture.");
        }

        var picture = signal->Sketch is not null ? Signal.Sketch(Read(signal->Sketch, "signal->sketch"))
            : signal->Coarse is not null ? Signal.Coarse(Read(signal->Coarse, "signal->coarse"))
            : null;
        if (signal->DragCount == 0)
        {
            return picture ?? throw new SignalException("The signal is empty; give a sketch, a coarse edit or drags.");
        }

        NotNull(signal->Drags, "signal->drags");
        if (signal->DragCount is < 0 or > Signal.MaxPoints)
        {
            throw new SignalException($"signal->drag_count is {signal->DragCount}; it must be from 0 to {Signal.MaxPoints}.");
        }

        var drags = new DragPoint[signal->DragCount];
        for (var i = 0; i < drags.Length; i++)
        {
            var drag = signal->Drags[i];
            drags[i] = new DragPoint(new Vector2(drag.SourceX, drag.SourceY), new Vector2(drag.TargetX, drag.TargetY));
        }

        var points = Signal.Points(drags);
        return picture is null ? points : Signal.Combine(picture, points);
    }

    /// <summary>How the edit is made; the defaults for NULL.</summary>
    public static EditOptions Read(NativeEditOptions* options, CancellationTokenSource source)
    {
        if (options is null)
        {
            return EditOptions.Default;
        }

        CheckSized(options, "options");
        return new EditOptions
        {
            Steps = options->Steps,
            Seed = options->Seed,
            ControlScale = options->ControlScale,
            Guidance = options->Guidance,
            Progress = options->Progress is null ? null : new ProgressCall(options->Progress, options->User, source),
        };
    }

    /// <summary>Hands progress to the caller's function, which may cancel.</summary>
    sealed class ProgressCall(delegate* unmanaged[Cdecl]<void*, int, int, int> call, void* user, CancellationTokenSource source) : IProgress<EditProgress>
    {
        public void Report(EditProgress value)
        {
            if (call(user, value.Step, value.Steps) != 0)
            {
                source.Cancel();
            }
        }
    }
}
