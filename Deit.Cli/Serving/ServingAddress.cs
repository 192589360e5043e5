using System.Net;
using Deit.Train.Options;

namespace Deit.Cli.Serving;

/// <summary>Where a server listens.</summary>
/// <param name="Address">The address of a network interface, or of all.</param>
/// <param name="Port">The port; 0 for any that is free.</param>
internal sealed record ServingAddress(IPAddress Address, int Port)
{
    /// <summary>True where this machine alone can reach it.</summary>
    public bool IsLocal => IPAddress.IsLoopback(Address);

    /// <summary>
    /// The names by which requests may call the server; all where others can reach it. A page from elsewhere whose name
    /// was made to lead to this machine (DNS rebinding) then gets no answer.
    /// </summary>
    public IList<string> Hosts => IsLocal ? ["localhost", "127.0.0.1", "[::1]", Text] : ["*"];

    private string Text =>
        Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{Address}]" : Address.ToString();

    /// <summary>Reads the flags.</summary>
    /// <param name="host">An address, or <c>localhost</c>.</param>
    /// <param name="port">The port.</param>
    /// <exception cref="DeitException">They are none.</exception>
    public static ServingAddress Parse(string host, int port)
    {
        OptionCheck.Require(port is >= 0 and <= 65535, "--port", port, "from 0 to 65535");
        IPAddress? address = host == "localhost" ? IPAddress.Loopback : null;
        if (address is null && !IPAddress.TryParse(host, out address))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--host is '{host}', expected an address such as 127.0.0.1, or 0.0.0.0 for all of this machine."
            );
        return new ServingAddress(address, port);
    }

    /// <summary>The address that a browser takes.</summary>
    /// <param name="port">The port that was taken.</param>
    public string Url(int port) => $"http://{Text}:{port}/";
}
