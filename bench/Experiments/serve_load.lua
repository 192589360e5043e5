-- For wrk: posts the pictures that stand behind "--" in turn, and prints one line of figures at the end.
local requests = {}
local at = 0

function init(args)
  for i, path in ipairs(args) do
    local file = assert(io.open(path, "rb"))
    local headers = { ["Content-Type"] = "application/octet-stream" }
    requests[i] = wrk.format("POST", "/v1/classify", headers, file:read("*a"))
    file:close()
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("figures %d %d %.1f %.1f %.1f %d %d\n", summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, latency.max / 1000, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
