using System.Text;

namespace FramePainter.Native;

/// <summary>A caller's mistake that the engine never sees.</summary>
sealed class AbiException(Status status, string message) : Exception(message)
{
    public Status Status => status;
}

/// <summary>The message of the last failure on each thread, and the status that stands for an exception.</summary>
static class LastError
{
    [ThreadStatic]
    static byte[]? s_message;

    /// <summary>Keeps an exception's message and gives its status.</summary>
    public static int Keep(Exception e)
    {
        var status = e switch
        {
            AbiException abi => abi.Status,
            CheckpointException => Status.Checkpoint,
            OptionException => Status.Option,
            ImageException => Status.Image,
            SignalException => Status.Signal,
            PlanException or OutOfMemoryException => Status.Memory,
            DeviceException => Status.Device,
            OperationCanceledException => Status.Cancelled,
            ObjectDisposedException => Status.Handle,
            _ => Status.Internal,
        };
        s_message = Encoding.UTF8.GetBytes(status == Status.Internal ? $"{e.GetType().Name}: {e.Message}" : e.Message);
        return (int)status;
    }

    /// <summary>Copies the message, cut between characters, with a closing zero.</summary>
    /// <returns>The whole message's bytes.</returns>
    public static int CopyTo(Span<byte> buffer)
    {
        var message = s_message ?? [];
        if (!buffer.IsEmpty)
        {
            var length = Math.Min(message.Length, buffer.Length - 1);
            while (length < message.Length && length > 0 && (message[length] & 0xC0) == 0x80)
            {
                length--;
            }

            message.AsSpan(0, length).CopyTo(buffer);
            buffer[length] = 0;
        }

        return message.Length;
    }
}
