using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Deit.Model.Images;
using Deit.Tests.Model.Images;

namespace Deit.Tests.Model.AspNetCore;

/// <summary>Requests as no client of good will makes them. Each is answered, and nothing of it stays.</summary>
public sealed class MalformedRequestsTests : IAsyncLifetime
{
    private readonly byte[] _picture = ImageEncoder.Jpeg(TestImages.Smooth(40, 30), 90);
    private ServedModel _served = null!;

    public async ValueTask InitializeAsync() => _served = await ServedModel.Start(new HeldModel());

    public ValueTask DisposeAsync() => _served.DisposeAsync();

    [Theory]
    [InlineData("", null, 400, "holds no picture")]
    [InlineData("no picture", null, 415, "it is text")]
    [InlineData("\u0001\u0002\u0003", null, 415, "no JPEG, PNG, WebP, GIF or BMP")]
    [InlineData("<html></html>", "image/png", 415, "it is a web")]
    [InlineData("", "application/json", 400, "no JSON")]
    [InlineData("{", "application/json", 400, "no JSON")]
    [InlineData("{}", "application/json", 400, "holds no picture")]
    [InlineData("[]", "application/json", 400, "with an object")]
    [InlineData("{} {}", "application/json", 400, "no JSON")]
    [InlineData("{\"picture\": \"\"}", "application/json; charset=utf-8", 400, "image or images alone")]
    [InlineData("{\"image\": 3}", "application/json", 400, "strings of base64")]
    [InlineData("{\"image\": null}", "application/json", 400, "strings of base64")]
    [InlineData("{\"image\": \"\"}", "application/json", 400, "holds no picture")]
    [InlineData("{\"image\": \"a\"}", "application/json", 400, "Picture 1 of the request is no base64")]
    [InlineData("{\"images\": [\"aaaa\", \"?\"]}", "application/json", 400, "Picture 2 of the request is no base64")]
    [InlineData("{\"image\": \"data:image/png;base64,####\"}", "application/json", 400, "no base64")]
    [InlineData("{\"image\": \"\\ud800\"}", "application/json", 400, "a string that is no UTF-8")]
    [InlineData("{\"images\": \"aaaa\"}", "application/json", 400, "an array as images")]
    [InlineData("{\"images\": [[\"aaaa\"]]}", "application/json", 400, "strings of base64")]
    [InlineData("{\"images\": []}", "application/json", 400, "holds no picture")]
    [InlineData("{\"image\": \"aaaa\"}", "application/json", 415, "no JPEG")]
    [InlineData("--b\r\n\r\nabc\r\n--b--\r\n", "multipart/form-data", 400, "a boundary of 0 characters")]
    [InlineData("abc", "multipart/form-data; boundary=\"\"", 400, "a boundary of 0 characters")]
    [InlineData("", "multipart/form-data; boundary=b", 400, "cannot be read")]
    [InlineData("--b--\r\n", "multipart/form-data; boundary=b", 400, "holds no picture")]
    [InlineData("--b\r\n\r\nabc", "multipart/form-data; boundary=b", 400, "cannot be read")]
    [InlineData("--b\r\nno header\r\n\r\nabc\r\n--b--\r\n", "multipart/form-data; boundary=b", 400, "cannot be read")]
    [InlineData("--b\r\n\r\nabc\r\n--b--\r\n", "multipart/form-data; boundary=b", 415, "'picture 1'")]
    public async Task A_body_is_answered_by_a_sentence(string body, string? type, int status, string expected)
    {
        (HttpStatusCode actual, JsonNode problem) = await _served.Post(
            "v1/classify",
            new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
            type
        );
        Assert.Equal((status, status), ((int)actual, (int)problem["status"]!));
        string detail = (string)problem["detail"]!;
        Assert.Contains(expected, detail);
        Assert.EndsWith(".", detail);
        await _served.IsIdle();
    }

    [Fact]
    public async Task A_boundary_longer_than_allowed_is_400()
    {
        (HttpStatusCode status, JsonNode problem) = await _served.Post(
            "v1/classify",
            new ByteArrayContent(_picture),
            $"multipart/form-data; boundary={new string('b', 71)}"
        );
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("71 characters, expected 1 to 70", (string)problem["detail"]!);
    }

    // Bytes of a good form are changed, removed and doubled: the answer is one of those that a client can act on.
    [Fact]
    public async Task Fuzzed_forms_are_answered()
    {
        byte[] form =
        [
            .. "--bound\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"u8,
            .. _picture,
            .. "\r\n--bound\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n"u8,
            .. _picture,
            .. "\r\n--bound--\r\n"u8,
        ];
        Random random = new(17);
        Dictionary<int, int> seen = [];
        for (int i = 0; i < 500; i++)
        {
            List<byte> fuzzed = [.. form];
            for (int edits = random.Next(1, 5); edits > 0; edits--)
            {
                // Half of the edits hit the head, where the form is described.
                int at = random.Next(random.Next(2) == 0 ? 120 : fuzzed.Count);
                switch (random.Next(4))
                {
                    case 0:
                        fuzzed[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        fuzzed.RemoveRange(at, Math.Min(random.Next(1, 40), fuzzed.Count - at));
                        break;
                    case 2:
                        fuzzed.InsertRange(at, fuzzed.GetRange(at, Math.Min(random.Next(1, 200), fuzzed.Count - at)));
                        break;
                    default:
                        fuzzed.InsertRange(at, "\r\n--bound\r\n"u8.ToArray());
                        break;
                }
            }
            (HttpStatusCode status, _) = await _served.Post(
                "v1/classify",
                new ByteArrayContent([.. fuzzed]),
                "multipart/form-data; boundary=bound"
            );
            seen[(int)status] = seen.GetValueOrDefault((int)status) + 1;
        }
        Assert.Subset(new HashSet<int> { 200, 400, 415 }, seen.Keys.ToHashSet());
        Assert.True(seen.ContainsKey(400) && seen.ContainsKey(200), string.Join(", ", seen));
        Assert.Empty(_served.Errors);
        await _served.IsIdle();
    }

    [Fact]
    public async Task Damaged_pictures_are_answered()
    {
        byte[][] pictures =
        [
            _picture,
            EncodedImages.Png(20, 20, 8, 2, new byte[20 * 20 * 3]),
            EncodedImages.Bmp(TestImages.Smooth(20, 20)),
        ];
        Random random = new(18);
        for (int i = 0; i < 600; i++)
        {
            byte[] damaged = [.. pictures[i % 3]];
            for (int edits = random.Next(1, 6); edits > 0; edits--)
                damaged[random.Next(random.Next(2) == 0 ? 60 : damaged.Length)] = (byte)random.Next(256);
            (HttpStatusCode status, _) = await _served.Post(
                "v1/classify",
                damaged[..random.Next(1, damaged.Length + 1)]
            );
            Assert.Contains((int)status, (int[])[200, 400, 413, 415]);
        }
        Assert.Empty(_served.Errors);
        await _served.IsIdle();
    }

    [Theory]
    [InlineData("GARBAGE\r\n\r\n", 400)]
    [InlineData("POST /v1/classify HTTP/1.1\r\n\r\n", 400)] // no host
    [InlineData("POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400)]
    [InlineData("POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("POST /v1/classify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400)]
    public async Task Bytes_that_are_no_http_are_400(string bytes, int status)
    {
        Assert.StartsWith(
            $"HTTP/1.1 {status} ",
            await _served.Raw(close: false, Encoding.Latin1.GetBytes(bytes + "Connection: close\r\n"))
        );
        await _served.IsIdle();
    }

    [Fact]
    public async Task Bodies_that_end_early_leave_nothing()
    {
        for (int i = 0; i < 50; i++)
        {
            byte[] head = Encoding.Latin1.GetBytes(
                $"POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Length: {_picture.Length}\r\n\r\n"
            );
            await _served.Raw(close: true, head, _picture[..(i * 8)]);
        }
        await _served.IsIdle();
        Assert.Equal(HttpStatusCode.OK, (await _served.Post("v1/classify", _picture)).Status);
    }
}
