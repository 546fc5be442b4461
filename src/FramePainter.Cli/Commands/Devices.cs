using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FramePainter.Cuda;
using FramePainter.Ilgpu;

namespace FramePainter.Cli.Commands;

/// <summary>Devices by the names that arguments give them.</summary>
static class Devices
{
    const int MostNumber = 1023;

    /// <summary>The option that chooses one.</summary>
    public static Option<Device> Option() => new("--device")
    {
        Description = "Where edits run: auto (the first NVIDIA GPU that will do, else the processor), cpu, cuda:N or opencl:N (the driver's N-th, from 0). Default: auto.",
        HelpName = "NAME",
        CustomParser = Parse,
        DefaultValueFactory = _ => s_auto,
    };

    // OpenCL devices are taken only by name: looking for them takes longer than many a command.
    static readonly Device s_auto = Device.FirstOf(CudaDevice.Any, Device.Cpu);

    static Device Parse(ArgumentResult result)
    {
        var name = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        var (kind, number) = name.Split(':') is [var before, var behind] ? (before, Number(behind)) : (name, 0);
        switch (kind, name.Contains(':', StringComparison.Ordinal))
        {
            case ("auto", false):
                return s_auto;
            case ("cpu", false):
                return Device.Cpu;
            case ("cuda", _) when number >= 0:
                return CudaDevice.At(number);
            case ("opencl", _) when number >= 0:
                return IlgpuDevice.OpenCl(number).ForPainter();
            default:
                result.AddError($"--device '{name}' is none of auto, cpu, cuda:N and opencl:N, where N is from 0 to {MostNumber}.");
                return s_auto;
        }
    }

    static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MostNumber ? number : -1;
}
