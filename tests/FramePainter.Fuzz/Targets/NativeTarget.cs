using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FramePainter.Fuzz.Engine;
using FramePainter.Native;
using FramePainter.Toy;

namespace FramePainter.Fuzz.Targets;

/// <summary>
/// Calls of the C ABI in any order with any arguments: the input is a program of opcodes and operands. Numbers are free; pointers are NULL or lead to
/// memory that is as large as the numbers beside them claim, since no callee could check that. Edits end at an early report of their progress. What takes
/// a thousand times what other calls do (loading and freeing a model, an edit to its end) is let to one input of some thousands, told by its checksum,
/// and edits that begin at all to one of some tens: the others' options claim a size that is none.
/// </summary>
internal sealed unsafe class NativeTarget : IFuzzTarget, IDisposable
{
    const int MostCalls = 8;
    const uint OneInSoMany = 4096;
    const uint OneBegins = 64;
    const int MostPainters = 2;
    const int Memory = 1 << 19;
    const int SmallSide = 16;
    const byte Untouched = 0xA5;

    // Asking for it hashes every file.
    static readonly string s_toy = ToyModel.Folder;
    readonly List<nint> _painters = [];
    readonly List<nint> _texts = [];
    readonly byte* _source = (byte*)NativeMemory.AllocZeroed(Memory);
    readonly byte* _result = (byte*)NativeMemory.AllocZeroed(Memory);
    nint _freed = 77;
    bool _slow;
    bool _begins;

    // What the progress callback does; set before each edit, on the one thread that there is.
    static nint s_painter;
    static int s_reports;
    static int s_last;
    static int s_deed;

    public string Name => "native";

    public IEnumerable<byte[]> Seeds =>
    [
        [0, 1, 0, 1, 1, 1, 0, 1],
        [1, 1, 1, 0],
        [2, 1, 1, 3, 3, 0, 0, 1, 1, 1, 1, 3, 3, 0, 0, 1, 0, 1, 1, 1],
        [2, 1, 1, 3, 3, 0, 0, 1, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        [2, 1, 1, 7, 7, 0, 0, 1, 1, 1, 1, 7, 7, 0, 0, 1, 0, 1, 1, 1, 2, 1, 2, 3, 4],
        [3, 1, 4, 1, 9, 5, 1, 3, 1, 5, 1],
    ];

    public IReadOnlyList<string> Scope { get; } = ["FramePainter.Native."];

    public IReadOnlyList<string> Words { get; } = ["\u0002\u0001\u0001\u0003\u0003\0\0\u0001\u0001", "\u0003\u0001", "\u0005\u0001", "\0\u0001\0\u0001", "\u0004\u0001\u0009", "\0\0\u0080\u007f"];

    public void Run(ReadOnlySpan<byte> input)
    {
        var checksum = Crc32.HashToUInt32(input);
        (_slow, _begins) = (checksum % OneInSoMany == 0, checksum % OneBegins == 0);
        if (_painters.Count == 0)
        {
            _painters.Add(Opened());
        }

        try
        {
            var program = new Operands(input);
            for (var call = 0; call < MostCalls && !program.IsUsedUp; call++)
            {
                Check(Call(ref program));
            }
        }
        finally
        {
            _texts.ForEach(Marshal.FreeCoTaskMem);
            _texts.Clear();
            _slow = true;
            while (_painters.Count > 1)
            {
                Free(_painters[^1]);
            }
        }
    }

    public void Dispose()
    {
        _slow = true;
        foreach (var painter in _painters.ToArray())
        {
            Free(painter);
        }

        NativeMemory.Free(_source);
        NativeMemory.Free(_result);
    }

    Status Call(ref Operands program) => (program.Byte() % 6) switch
    {
        0 => Load(ref program),
        1 => DefaultOptions(ref program),
        2 => Edit(ref program),
        3 => (Status)((delegate* unmanaged[Cdecl]<nint, int>)&Exports.Cancel)(Handle(ref program)),
        4 => LastError(ref program),
        _ => Free(Handle(ref program)),
    };

    static void Check(Status status)
    {
        if (status == Status.Ok)
        {
            return;
        }

        var length = ((delegate* unmanaged[Cdecl]<byte*, int, int>)&Exports.LastErrorMessage)(null, 0);
        var text = new byte[length + 1];
        fixed (byte* p = text)
        {
            _ = ((delegate* unmanaged[Cdecl]<byte*, int, int>)&Exports.LastErrorMessage)(p, text.Length);
        }

        if (length == 0 || status is < Status.Ok or >= Status.Internal)
        {
            throw new InvalidDataException($"A call came to {status}: {Encoding.UTF8.GetString(text)}");
        }
    }

    Status Load(ref Operands program)
    {
        var options = new LoadOptions
        {
            Size = program.Pick((uint)sizeof(LoadOptions), 0u, 39u, uint.MaxValue), Threads = program.Pick(1, 2, -1, 1025, int.MinValue), Model = Text(ref program),
            Checkpoint = Text(ref program), Precision = program.Pick(0, 1, 2, -1, int.MaxValue), Reserved = program.Byte(),
        };
        if (!_slow || _painters.Count == MostPainters)
        {
            options.Size++;
        }

        nint painter = -1;
        var with = program.Byte() % 8;
        var status = (Status)((delegate* unmanaged[Cdecl]<LoadOptions*, nint*, int>)&Exports.Load)(with == 7 ? null : &options, with == 6 ? null : &painter);
        if (status == Status.Ok)
        {
            _painters.Add(painter);
        }
        else if (with != 6 && painter != 0)
        {
            throw new InvalidDataException($"fp_load came to {status} and left {painter} behind.");
        }

        return status;
    }

    nint Opened()
    {
        nint painter;
        var options = new LoadOptions { Size = (uint)sizeof(LoadOptions), Threads = 1, Model = Keep(s_toy) };
        Check((Status)((delegate* unmanaged[Cdecl]<LoadOptions*, nint*, int>)&Exports.Load)(&options, &painter));
        return painter;
    }

    static Status DefaultOptions(ref Operands program)
    {
        NativeEditOptions options;
        return (Status)((delegate* unmanaged[Cdecl]<NativeEditOptions*, int>)&Exports.DefaultOptions)(program.Byte() % 2 == 0 ? null : &options);
    }

    Status Edit(ref Operands program)
    {
        s_painter = Handle(ref program);
        NativeImage picture, sketch, coarse, result;
        var from = Image(ref program, &picture, _source);
        var drawn = program.Byte() % 4 == 3 ? null : Image(ref program, &sketch, _source);
        var drags = stackalloc NativeDrag[4];
        for (var i = 0; i < 4; i++)
        {
            drags[i] = new NativeDrag { SourceX = program.Pick(1f, 3, 15), SourceY = program.Pick(0f, 2, 9), TargetX = program.Byte() % 8 == 7 ? program.Single() : 5, TargetY = 4 };
        }

        var moved = program.Byte() % 4 == 3 ? Image(ref program, &coarse, _source) : null;
        var signal = new NativeSignal
        {
            Size = program.Pick((uint)sizeof(NativeSignal), (uint)sizeof(NativeSignal), 0u, uint.MaxValue), DragCount = program.Pick(0, 1, 4, -1, int.MinValue, int.MaxValue, 1025),
            Sketch = drawn, Coarse = moved, Drags = program.Byte() % 8 == 7 ? null : drags,
        };
        var options = new NativeEditOptions
        {
            Size = program.Pick((uint)sizeof(NativeEditOptions), (uint)sizeof(NativeEditOptions), 0u, uint.MaxValue), Steps = program.Pick(1, 2, 25, 1000, 0, 1001, int.MinValue),
            Seed = program.Byte(), ControlScale = program.Byte() % 8 == 7 ? program.Single() : 0.8f, Guidance = program.Byte() % 8 == 7 ? program.Single() : 3, Progress = &Report,
        };
        (s_reports, s_last, s_deed) = (0, 1 + (program.Byte() % 3), program.Byte());
        var given = program.Byte() % 8 == 7 ? null : &options;
        var to = Image(ref program, &result, _result);
        if (_slow && options.Steps == 1 && picture.Width <= SmallSide && picture.Height <= SmallSide && program.Byte() % 4 == 3)
        {
            options.Progress = null;
        }
        else if (given is null)
        {
            // The defaults' 25 steps could not be ended.
            given = &options;
        }

        if (!_begins && options.Size == sizeof(NativeEditOptions))
        {
            options.Size--;
        }

        *_result = Untouched;
        var status = (Status)((delegate* unmanaged[Cdecl]<nint, NativeImage*, NativeSignal*, NativeEditOptions*, NativeImage*, int>)&Exports.Edit)(
            s_painter, from, program.Byte() % 16 == 15 ? null : &signal, given, to);
        if (status != Status.Ok && *_result != Untouched)
        {
            throw new InvalidDataException($"fp_edit came to {status} and wrote a result.");
        }

        return status;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Report(void* user, int step, int steps)
    {
        _ = (s_deed % 8) switch
        {
            1 => ((delegate* unmanaged[Cdecl]<nint, int>)&Exports.Cancel)(s_painter),
            2 => ((delegate* unmanaged[Cdecl]<nint, int>)&Exports.Free)(s_painter),
            3 => ((delegate* unmanaged[Cdecl]<nint, NativeImage*, NativeSignal*, NativeEditOptions*, NativeImage*, int>)&Exports.Edit)(s_painter, null, null, null, null),
            4 => ((delegate* unmanaged[Cdecl]<NativeEditOptions*, int>)&Exports.DefaultOptions)(null),
            _ => 0,
        };
        return ++s_reports >= s_last ? s_deed + 1 : 0;
    }

    static Status LastError(ref Operands program)
    {
        const int guarded = 64;
        var buffer = stackalloc byte[guarded + 1];
        buffer[guarded] = Untouched;
        var capacity = program.Pick(0, 1, 2, 17, guarded, -1, int.MinValue);
        _ = ((delegate* unmanaged[Cdecl]<byte*, int, int>)&Exports.LastErrorMessage)(program.Byte() % 4 == 3 ? null : buffer, capacity);
        return buffer[guarded] == Untouched ? Status.Ok : throw new InvalidDataException("fp_last_error wrote beyond its buffer.");
    }

    Status Free(nint painter)
    {
        if (!_slow && _painters.Contains(painter))
        {
            return Status.Ok;
        }

        var status = (Status)((delegate* unmanaged[Cdecl]<nint, int>)&Exports.Free)(painter);
        if (status == Status.Ok && _painters.Remove(painter))
        {
            _freed = painter;
        }

        return status;
    }

    nint Handle(ref Operands program)
    {
        var (first, last) = (_painters.Count > 0 ? _painters[0] : 0, _painters.Count > 0 ? _painters[^1] : 0);
        return program.Pick(first, first, last, 0, -1, _freed, unchecked((nint)0x7FFF_0000_1234));
    }

    /// <summary>A picture of any numbers, or NULL; what it claims to have lies in the memory, or it has none.</summary>
    static NativeImage* Image(ref Operands program, NativeImage* image, byte* memory)
    {
        var how = program.Byte() % 16;
        *image = new NativeImage
        {
            Width = program.Pick(1, 0, 7, 8, SmallSide, 63, 64, 65, -1, int.MinValue, int.MaxValue, 32768, 32769),
            Height = program.Pick(1, 0, 7, 8, SmallSide, 63, 64, 65, -1, int.MinValue, int.MaxValue, 32768, 32769),
            Stride = program.Pick(0, 0, 0, 263, 1, -1, 4096, int.MaxValue),
            Format = program.Pick(0, 1, 2, 3, 4, 5, -1, int.MaxValue),
        };
        // The longest that is read: width × 4 bytes or the stride, for each row.
        var claimed = Math.Max((long)image->Width * 4, image->Stride) * image->Height;
        image->Pixels = how == 15 || (claimed > Memory && image->Width is > 0 and <= PixelImage.MaxSide && image->Height is > 0 and <= PixelImage.MaxSide) ? null : memory;
        return how == 14 ? null : image;
    }

    byte* Text(ref Operands program) => (program.Byte() % 8) switch
    {
        0 => null,
        1 or 2 => Keep(s_toy),
        3 => Keep(""),
        4 => Keep("/no/where"),
        5 => Keep(Path.Combine(s_toy, "svd")),
        6 => Keep("\uFFFD\u0001:*?"),
        _ => Invalid(program.Byte()),
    };

    byte* Invalid(byte value)
    {
        // No UTF-8.
        var text = Keep("abc");
        text[1] = (byte)(value | 0x80);
        return text;
    }

    byte* Keep(string text)
    {
        var p = Marshal.StringToCoTaskMemUTF8(text);
        _texts.Add(p);
        return (byte*)p;
    }
}
